"""Bad input stops and delays nobody: each bad record ends with a person, good ones go on as if it were not there.

What is sent, and what must come of it, stands in ``bad_input.yaml``.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from agents.stage.reading import ends, reader, unread
from agents.stage.transport import group_of
from tests.storm.bad import Sent, headers_of, json_of, structured, text_of
from tests.storm.field import Field, a_field, a_plain_report, wait_for
from tests.storm.history import CLEAN, check, read_all, read_history
from tests.storm.opening import Opener
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

SCENARIOS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text())
REPORTS = [one for one in SCENARIOS if "antwoord" not in one and "handeling" not in one]
POLICE, SCHOOLS, TOWN, DOCTORS = (
    "politie-oost-brabant",
    "scholen-zuidoost-brabant",
    "gemeente-eindhoven",
    "huisartsen-zuidoost-brabant",
)
REGION, TEAM = "brabant-zuidoost", "wijkteam-geldrop-mierlo"
DUTY = "vt-bzo-bureaudienst"
WITHIN_MS = 5_000
EACH_ALONE: dict[str, Any] = {"acks": "all", "max_request_size": 8 * specs.MIB, "batch_size": 0}
COMPRESSIONS = ("gzip", "snappy", "lz4", "zstd")

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@dataclass
class Outcome:
    """What was sent, and what lies on the broker after it."""

    bad: dict[str, Sent] = field(default_factory=dict)
    good: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    """Source -> its good reports, in the order in which they were sent."""
    compressed: dict[str, Sent] = field(default_factory=dict)
    aborted: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)
    held_up: bool = False
    records: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Topic -> its records."""
    journal: list[j.Record] = field(default_factory=list)
    opener: Opener = field(default_factory=lambda: Opener({}, {}))
    findings: dict[str, int] = field(default_factory=dict)
    _read: dict[str, list[tuple[Any, dict[str, Any]]]] = field(default_factory=dict)

    def letter(self, sent: Sent) -> tuple[Any, dict[str, Any]]:
        """The dead letter of a record: as it lies there, and what it says."""
        found = self._about(specs.DEADLETTERS.topic(), sent)
        assert len(found) == 1, f"{sent.name}: {len(found)} dead letters"
        return found[0]

    def receipts(self, sent: Sent) -> list[tuple[Any, dict[str, Any]]]:
        return self._about(specs.RECEIPTS.topic(specs.REPORTS.member(sent.topic)), sent)

    def _about(self, topic: str, sent: Sent) -> list[tuple[Any, dict[str, Any]]]:
        if topic not in self._read:
            self._read[topic] = [(record, orjson.loads(record.value)) for record in self.records[topic]]
        where = {"topic": sent.topic, "partition": 0, "offset": sent.offset}
        return [(record, said) for record, said in self._read[topic] if said["origin"] == where]


class Sender:
    """Sends what a scenario says, and remembers it."""

    def __init__(self, field: Field, producer: KafkaProducer) -> None:
        self.field, self.producer = field, producer
        self.chance = random.Random(20261124)
        self.outcome = Outcome()
        self.first: dict[str, Any] = {}
        self.offer: dict[str, Any] = {}

    def good(self, source: str = POLICE, **changes: Any) -> dict[str, Any]:
        report = a_plain_report(self.chance, source_id=source, **changes)
        kind, urn = specs.REPORT_TYPE, self.field.sources[source].source
        headers = headers_of(kind, urn, {})
        sent = Sent("goed", specs.REPORTS.topic(source), report["report_id"].encode(), orjson.dumps(report), headers)
        self.outcome.good[source].append(self.send(sent))
        return report

    def send(self, sent: Sent) -> Sent:
        if any(value is None for _, value in sent.headers):
            at = asyncio.run(self._by_another_client(sent))  # this client sends no null in a header
        else:
            at = self.producer.send(sent.topic, sent.value, sent.key, headers=sent.headers).get(20)
        sent.offset, sent.at = at.offset, at.timestamp
        return sent

    async def _by_another_client(self, sent: Sent) -> Any:
        async with AIOKafkaProducer(bootstrap_servers=self.field.broker.bootstrap) as producer:
            return await producer.send_and_wait(sent.topic, sent.value, sent.key, headers=sent.headers)

    def bad(self, scenario: dict[str, Any]) -> None:
        name = scenario["naam"]
        if "antwoord" in scenario or "handeling" in scenario:
            topic, kind, urn, message = self._said(scenario)
            key, value = message["case_id"].encode(), orjson.dumps(message)
            headers = headers_of(kind, urn, {})
        else:
            topic, kind, urn = specs.REPORTS.topic(POLICE), specs.REPORT_TYPE, self.field.sources[POLICE].source
            report = self._report(scenario.get("melding", {}))
            coding = scenario.get("codering", "utf-8")
            key = scenario["sleutel"].encode(coding) if "sleutel" in scenario else report["report_id"].encode()
            headers = headers_of(kind, urn, scenario)
            value = json_of(report)
            if "leeg" in scenario:
                value = None
            elif "tekst" in scenario:
                value = text_of(scenario["tekst"], specs.REPORTS.max_bytes - 1024).encode(coding)
            elif "gestructureerd" in scenario:
                value, headers = structured(kind, urn, report, scenario["gestructureerd"])
        self.outcome.bad[name] = self.send(Sent(name, topic, key, value, headers, scenario=scenario))

    def _report(self, changes: dict[str, Any]) -> dict[str, Any]:
        changes = dict(changes)
        if changes.pop("hetzelfde nummer als", None):
            indicators = self.first["indicators"] | changes.pop("indicators", {})
            return self.first | changes | {"indicators": indicators}
        return a_plain_report(self.chance, **changes)

    def _said(self, scenario: dict[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
        said = dict(scenario.get("antwoord") or scenario["handeling"])
        known = said.pop("op", None) == "het aanbod"
        case = {"case_id": self.offer["case_id"] if known else "3f6c5b9e-0000-4000-8000-00000000dead"}
        own = {"answer_id" if "antwoord" in scenario else "act_id": self._uuid()}
        urn = "urn:nld:oin:00000001999970835000:systeem:proef"
        if "antwoord" in scenario:
            topic = specs.ANSWERS.topic(said.pop("van", TEAM))
            handover = self.offer["handover_id"] if known else "3f6c5b9e-0000-4000-8000-00000000beef"
            rest = {"handover_id": handover, "state": "ACCEPTED", "answered_at": "2026-11-24T10:00:00+01:00"}
            return topic, specs.ANSWER_TYPE, urn, own | case | rest | said
        rest = {"actor": "m.vt-07", "role": "beoordelaar", "done_at": "2026-11-24T10:00:00+01:00"}
        return specs.ACTS.topic(REGION), specs.ACT_TYPE, urn, own | case | rest | said

    def _uuid(self) -> str:
        return str(a_plain_report(self.chance)["report_id"])

    def structured(self) -> None:
        """A good report in structured mode."""
        report = a_plain_report(self.chance, source_id=DOCTORS)
        urn = self.field.sources[DOCTORS].source
        value, headers = structured(specs.REPORT_TYPE, urn, report, {})
        key = report["report_id"].encode()
        sent = Sent("gestructureerd", specs.REPORTS.topic(DOCTORS), key, value, headers)
        self.outcome.good[DOCTORS].append(self.send(sent))

    async def compressed(self) -> None:
        """Good reports, each batch compressed in another way."""
        for compression in COMPRESSIONS:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.field.broker.bootstrap, compression_type=compression, linger_ms=20
            )
            async with producer:
                for number in range(3):
                    report = a_plain_report(self.chance, source_id=TOWN)
                    urn = self.field.sources[TOWN].source
                    sent = Sent(
                        f"{compression} {number}",
                        specs.REPORTS.topic(TOWN),
                        report["report_id"].encode(),
                        orjson.dumps(report),
                        headers_of(specs.REPORT_TYPE, urn, {}),
                    )
                    done = await producer.send_and_wait(sent.topic, sent.value, sent.key, headers=sent.headers)
                    sent.offset, sent.at = done.offset, done.timestamp
                    self.outcome.good[TOWN].append(sent)

    async def transactional(self) -> None:
        """An integrator that publishes in transactions: some committed, some aborted, the last one aborted."""
        urn, topic = self.field.sources[SCHOOLS].source, specs.REPORTS.topic(SCHOOLS)
        producer = AIOKafkaProducer(
            bootstrap_servers=self.field.broker.bootstrap, transactional_id="leerlingvolgsysteem", retry_backoff_ms=10
        )
        async with producer:
            for commits in (False, True, False, False, True, True, False):
                await producer.begin_transaction()
                for _ in range(2):
                    report = a_plain_report(self.chance, source_id=SCHOOLS)
                    headers = headers_of(specs.REPORT_TYPE, urn, {})
                    key, value = report["report_id"].encode(), orjson.dumps(report)
                    done = await producer.send_and_wait(topic, value, key, headers=headers)
                    if commits:
                        sent = Sent("transactie", topic, key, value, headers, done.offset, done.timestamp)
                        self.outcome.good[SCHOOLS].append(sent)
                    (self.outcome.committed if commits else self.outcome.aborted).append(report["report_id"])
                await (producer.commit_transaction() if commits else producer.abort_transaction())

    async def answers_in_a_transaction(self) -> None:
        """A team that answers in transactions: what it gives up, and the mark of each, take offsets of its topic."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.field.broker.bootstrap, transactional_id="wijkteam", retry_backoff_ms=10
        )
        async with producer:
            await producer.begin_transaction()
            await producer.send_and_wait(specs.ANSWERS.topic("wijkteam-veldhoven"), b"{}", b"x")
            await producer.abort_transaction()


async def _holds_up_the_clock(field: Field) -> bool:
    """Whether the stage takes an answer for unread now, so that no deadline may fire."""
    admin = AIOKafkaAdminClient(bootstrap_servers=field.broker.bootstrap)
    await admin.start()
    committed = await admin.list_consumer_group_offsets(group_of("intake"))
    await admin.close()
    done = {place: found.offset for place, found in committed.items()}
    topics = [TopicPartition(specs.ANSWERS.topic(receiver), 0) for receiver in field.receivers]
    async with reader(Cluster(bootstrap=field.broker.bootstrap)) as consumer:
        return bool(await unread(consumer, await ends(consumer, topics), done, {}))


def _as_sent(field: Field, source: str) -> None:
    """Let the broker keep a source's batches as they came, so that ours has to open them."""
    client = KafkaAdminClient(bootstrap_servers=field.broker.bootstrap)
    topic = specs.REPORTS.topic(source)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"compression.type": "producer"})])
    client.close()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Everything is sent once, by the scenarios' order; the tests look at what came of it."""
    for field_ in a_field(tmp_path_factory.mktemp("field")):
        workers = [field_.worker("intake", "a"), field_.worker("region", "a")]
        with closing(KafkaProducer(bootstrap_servers=field_.broker.bootstrap, **EACH_ALONE)) as producer:
            found = _everything(field_, Sender(field_, producer), workers)
        yield found


def _everything(field: Field, sender: Sender, workers: list[Any]) -> Outcome:
    outcome, bootstrap = sender.outcome, field.broker.bootstrap
    _as_sent(field, TOWN)
    # What is measured is how long a record takes, not how long a worker needs to start.
    wait_for("the workers", lambda: "assigned" in workers[0].log() and "region_opened" in workers[1].log())
    sender.first = sender.good(municipality="1771")
    offers = specs.QUEUE.topic(TEAM)
    wait_for("the first offer", lambda: list(read_all(bootstrap, [offers])))
    sender.offer = orjson.loads(next(iter(read_all(bootstrap, [offers]))).value)
    for number, scenario in enumerate(SCENARIOS):
        sender.bad(scenario)
        if number % 4 == 0:
            sender.good()
        if number % 20 == 0:
            sender.structured()
    sender.good()
    asyncio.run(sender.compressed())
    asyncio.run(sender.transactional())
    asyncio.run(sender.answers_in_a_transaction())
    sent = [*outcome.bad.values(), *(one for all_ in outcome.good.values() for one in all_)]
    topics = [specs.RECEIPTS.topic(source) for source in (POLICE, SCHOOLS, TOWN, DOCTORS)]
    reports = sum(specs.REPORTS.owns(one.topic) for one in sent)

    def complete() -> bool:
        return len(list(read_all(bootstrap, topics))) >= reports

    try:
        wait_for(f"{reports} receipts", complete, 30)
    except AssertionError as late:
        print(late)  # the tests below say which
    outcome.held_up = asyncio.run(_holds_up_the_clock(field))
    outcome.exits = {worker.role: worker.stop() for worker in workers}
    topics += [specs.DEADLETTERS.topic(), specs.JOURNAL.topic()]
    topics += [spec.topic(receiver) for spec in (specs.QUEUE, specs.NOTICES) for receiver in field.receivers]
    for record in read_all(bootstrap, topics):
        outcome.records[record.topic].append(record)
    outcome.journal = [j.decode(record.value) for record in outcome.records[specs.JOURNAL.topic()]]
    history = read_history(bootstrap, {}, field.receivers)
    outcome.opener = Opener(field.regions, history.keys)
    outcome.findings = check(history).counts()
    return outcome


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario["naam"])
def bad(request: pytest.FixtureRequest, outcome: Outcome) -> Sent:
    return outcome.bad[request.param["naam"]]


def test_a_bad_record_ends_in_the_dead_letters_whole(outcome: Outcome, bad: Sent):
    record, letter = outcome.letter(bad)

    assert letter["reason"] == bad.scenario["reden"]
    assert letter["origin"] == {"topic": bad.topic, "partition": 0, "offset": bad.offset}
    assert letter["arrived_at"] == bad.at <= letter["at"] <= record.timestamp
    assert outcome.opener.original(letter) == (bad.key, bad.value, bad.wire_headers)


def test_every_error_of_a_bad_record_is_named_at_once(outcome: Outcome, bad: Sent):
    _, letter = outcome.letter(bad)

    found = {error["pointer"]: error["code"] for error in letter["problem"]["errors"]}

    assert found == bad.scenario.get("fouten", {})
    assert len(letter["problem"]["errors"]) == len(found)


def test_an_acute_sign_in_a_bad_record_reaches_the_duty_desk(outcome: Outcome, bad: Sent):
    _, letter = outcome.letter(bad)
    found = next(record for record in outcome.journal if _dead(record) == letter["letter_id"])

    told = [(event.kind, event.to) for event in found.events if isinstance(event, j.Told)]

    assert letter["acute"] is ("acuut" in bad.scenario)
    assert told == ([("ACUTE_UNREADABLE", DUTY)] if letter["acute"] else [])


def test_each_acute_sign_is_one_notice_at_the_duty_desk(outcome: Outcome):
    notices = [orjson.loads(record.value) for record in outcome.records[specs.NOTICES.topic(DUTY)]]

    assert [said["kind"] for said in notices] == ["ACUTE_UNREADABLE"] * sum("acuut" in one for one in SCENARIOS)


@pytest.mark.parametrize("bad", REPORTS, ids=lambda scenario: scenario["naam"], indirect=True)
def test_a_refused_report_has_one_receipt_without_a_value_of_its_sender(outcome: Outcome, bad: Sent):
    ((record, receipt),) = outcome.receipts(bad)

    assert receipt["outcome"] == "REFUSED"
    assert receipt["problem"] == outcome.letter(bad)[1]["problem"]
    assert record.timestamp - bad.at <= WITHIN_MS
    everything = (record.key + record.value + repr(record.headers).encode()).lower()
    for value in (b"kanarie", b"999990019", *_values(bad.scenario.get("melding", {}))):
        assert value.lower() not in everything


def test_good_reports_before_between_and_after_are_decided_in_order(outcome: Outcome):
    for source, sent in outcome.good.items():
        topic = specs.REPORTS.topic(source)
        decided = [
            record.input.origin.offset
            for record in outcome.journal
            if any(isinstance(event, j.Registered) for event in record.events) and record.input.origin.topic == topic
        ]

        assert decided == [one.offset for one in sent]
        for one in sent:
            ((record, receipt),) = outcome.receipts(one)
            assert receipt["outcome"] == "REGISTERED"
            assert record.timestamp - one.at <= WITHIN_MS


def test_an_aborted_report_is_not_read_and_its_hole_stops_nothing(outcome: Outcome):
    registered = {record.input.report_id for record in outcome.journal if isinstance(record.input, j.ReportInput)}

    assert registered.issuperset(outcome.committed)
    assert registered.isdisjoint(outcome.aborted)


def test_an_answer_that_was_given_up_holds_up_no_deadline(outcome: Outcome):
    assert not outcome.held_up


def test_nothing_is_lost_doubled_or_out_of_order(outcome: Outcome):
    assert outcome.findings == CLEAN


def test_the_workers_were_not_disturbed(outcome: Outcome):
    assert outcome.exits == {"intake": 0, "region": 0}


def _dead(record: j.Record) -> str | None:
    return next((event.letter_id for event in record.events if isinstance(event, j.DeadLettered)), None)


def _values(said: Any) -> Iterator[bytes]:
    """Every text of five signs and more that stands in what was sent."""
    if isinstance(said, dict):
        for one in said.values():
            yield from _values(one)
    elif isinstance(said, list):
        for one in said:
            yield from _values(one)
    elif isinstance(said, str) and len(said) >= 5:
        yield said.encode()
