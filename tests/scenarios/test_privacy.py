"""Nothing of a person lies open on a topic of ours, in a log or in a metric, and what was erased stays shut."""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from agents.casework.writer import CaseworkWriter
from agents.sealing import CannotOpen
from tests.cases import role_for
from tests.storm.canaries import Canaries, Sieve
from tests.storm.field import Field, Worker, a_field, wait_for
from tests.storm.history import CLEAN, Follower, check, read_all, read_history
from tests.storm.opening import Opener
from tests.storm.seen import metrics
from tests.world import whole
from topics import journal as j
from topics import specs

POLICE, DOCTORS = "politie-oost-brabant", "huisartsen-zuidoost-brabant"
REGION, TEAM = "brabant-zuidoost", "wijkteam-geldrop-mierlo"
REPORTS, TIMES = 1_000, 3
TO_INTAKE = specs.TO_INTAKE

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@dataclass
class Story:
    """What was sent, and what lies on the broker after everything."""

    field: Field
    canaries: Canaries
    sieve: Sieve
    reports: dict[str, dict[str, Any]]
    """Report id -> what was sent."""
    erased: dict[str, str] = field(default_factory=dict)
    """Case -> region; both households."""
    early_snapshot: dict[bytes, bytes] = field(default_factory=dict)
    """As it was when one household was erased and the other was not."""
    early_keys: dict[bytes, bytes] = field(default_factory=dict)
    pages: list[bytes] = field(default_factory=list)
    journal: list[Any] = field(default_factory=list)
    offers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    opener: Opener = field(default_factory=lambda: Opener({}, {}))
    findings: dict[str, int] = field(default_factory=dict)

    @property
    def records(self) -> list[j.Record]:
        return [j.decode(record.value) for record in self.journal]

    def key_ids(self) -> set[str]:
        """All keys that the erasures destroyed."""
        events = [event for record in self.records for event in record.events]
        return {key_id for event in events if isinstance(event, j.Erased) for key_id in event.key_ids}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    for field_ in a_field(tmp_path_factory.mktemp("field")):
        yield _told(field_)


def _told(field: Field) -> Story:
    canaries = Canaries(20261125)
    intake, region = field.worker("intake", "a"), field.worker("region", "a")
    sent = [_some_report(canaries, number) for number in range(REPORTS)]
    households = [_household(canaries), _household(canaries)]
    everything = sent + [report for household in households for report in household]
    for times in range(TIMES):
        for number, report in enumerate(everything):
            field.publish(report)
            if times < TIMES - 1 and number == REPORTS // 2:
                _killed_in_the_middle(field, intake, times * len(everything) + number // 2)
    _broken(field, canaries)
    _wait_for_receipts(field, POLICE, len(everything) * TIMES)
    story = Story(field, canaries, Sieve(()), {report["report_id"]: report for report in everything})
    offers = [orjson.loads(record.value) for record in read_all(field.broker.bootstrap, [specs.QUEUE.topic(TEAM)])]
    cases = _cases(field)
    _talk(field, canaries, offers, [cases[household[0]["report_id"]] for household in households])
    with closing(Follower(field.broker.bootstrap, [specs.JOURNAL.topic()])) as journal:
        for household in households:
            case_id = cases[household[0]["report_id"]]
            story.erased[case_id] = REGION
            _erase(field, canaries, journal, case_id)
            if not story.early_snapshot:
                story.early_snapshot = _compacted(field, specs.SNAPSHOTS)
                story.early_keys = _compacted(field, specs.KEYS)
    _compact(field, canaries, story)
    story.sieve = Sieve(canaries.words)
    story.pages = [metrics(worker).encode() for worker in (intake, region)]
    bootstrap = field.broker.bootstrap
    story.journal = [one for one in read_all(bootstrap, [specs.JOURNAL.topic()]) if one.key == REGION.encode()]
    history = read_history(bootstrap, {POLICE: field.published[POLICE]}, field.receivers)
    story.offers = [(receiver, offer) for receiver, offers in history.offers.items() for offer in offers]
    story.opener = Opener(field.regions, history.keys)
    story.findings = check(history).counts()
    return story


def _some_report(canaries: Canaries, number: int) -> dict[str, Any]:
    """Mostly groen; some acute, some of a secret address."""
    acute = {"A2": "YES"} if number % 20 == 0 else {"S1": "YES"} if number % 20 == 1 else {}
    report = canaries.report(secret=number % 10 == 0)
    return report | {"indicators": report["indicators"] | acute}


def _household(canaries: Canaries) -> list[dict[str, Any]]:
    """Two reports about one household, for one team."""
    first = canaries.report(municipality="1771")
    again = canaries.report(municipality="1771")
    return [first, again | {"participants": first["participants"], "address": first["address"]}]


def _killed_in_the_middle(field: Field, intake: Worker, receipts: int) -> None:
    _wait_for_receipts(field, POLICE, receipts)
    intake.kill()
    intake.start()


def _wait_for_receipts(field: Field, source: str, count: int) -> None:
    field.producer.flush()
    with closing(Follower(field.broker.bootstrap, [specs.RECEIPTS.topic(source)])) as receipts:
        wait_for(f"{count} receipts", lambda: len(receipts.read()) >= count)


def _broken(field: Field, canaries: Canaries) -> None:
    """What cannot be read, with people in it in every place."""
    topic, urn = specs.REPORTS.topic(DOCTORS), field.sources[DOCTORS].source
    good = canaries.report(source_id=DOCTORS)
    wrong: list[dict[str, Any]] = [
        good | {canaries.word(): canaries.word()},
        good | {"participants": [{canaries.word(): 1}], "channel": canaries.word()},
        good | {"indicators": {canaries.word(): "YES"}, "municipality": canaries.word()},
        good | {"report_id": canaries.word(), "source_ref": canaries.word() + "!"},
        good | {"source_id": canaries.word().lower()},
        canaries.report(source_id=DOCTORS, municipality="9999"),
    ]
    for report in wrong:
        field.send(topic, specs.REPORT_TYPE, urn, canaries.word(), report)
    field.send(topic, canaries.word(), f"urn:nld:{canaries.word()}", canaries.bsn(), good)
    for value in (f'{{"narrative": "{canaries.word()}', canaries.word(), orjson.dumps(good).decode() + "]"):
        for coding in ("utf-8", "utf-16", "utf-16-be"):
            headers = [(f"ce_{canaries.word()}", canaries.word().encode()), ("x", canaries.bsn().encode())]
            field.producer.send(topic, value.encode(coding), canaries.word().encode(), headers=headers)
    _wait_for_receipts(field, DOCTORS, len(wrong) + 10)


def _cases(field: Field) -> dict[str, str]:
    """Report id -> case."""
    found = {}
    for record in read_all(field.broker.bootstrap, [specs.JOURNAL.topic()]):
        said = j.decode(record.value)
        for event in said.events:
            if isinstance(event, j.Registered) and isinstance(said.input, j.ReportInput):
                found[said.input.report_id] = event.case_id
    return found


def _talk(field: Field, canaries: Canaries, offers: list[dict[str, Any]], erased: list[str]) -> None:
    """The team answers and the centre acts, with people in every note; the households' follow-up has started."""
    topic, urn = specs.ANSWERS.topic(TEAM), "urn:nld:oin:00000001999970835000:systeem:proef"
    assert {offer["case_id"] for offer in offers} >= set(erased)
    for offer in offers:
        for state in ("ACKNOWLEDGED", "STARTED"):
            note = {"note": canaries.word(), "phone": _call(canaries)}
            answer = _answer(canaries, offer, state) | note
            field.send(topic, specs.ANSWER_TYPE, urn, offer["case_id"], answer)
        field.send(topic, specs.ANSWER_TYPE, urn, canaries.word(), _answer(canaries, offer, canaries.word()))
        _act(field, canaries, offer["case_id"], "SEEN")
        _act(field, canaries, offer["case_id"], "REOPEN")  # not allowed: it is open
        _act(field, canaries, offer["case_id"], "SEEN", role=canaries.word())  # not a role
    field.producer.flush()


def _call(canaries: Canaries) -> dict[str, str]:
    words = {name: canaries.word() for name in ("who", "with_whom", "what")}
    return words | {"at": "2026-11-24T10:00:00+01:00"}


def _answer(canaries: Canaries, offer: dict[str, Any], state: str) -> dict[str, Any]:
    return {
        "answer_id": canaries.report()["report_id"],
        "case_id": offer["case_id"],
        "handover_id": offer["handover_id"],
        "state": state,
        "answered_at": "2026-11-24T10:00:00+01:00",
    }


def _act(field: Field, canaries: Canaries, case_id: str, kind: str, **changes: str) -> None:
    act = {
        "act_id": canaries.report()["report_id"],
        "case_id": case_id,
        "kind": kind,
        "actor": "m.vt-07",
        "role": role_for(kind),
        "reason": f"Op verzoek van {canaries.word()}",
        "done_at": "2026-11-24T10:00:00+01:00",
    } | changes
    urn = "urn:nld:oin:00000001999970835000:systeem:proef"
    field.send(specs.ACTS.topic(REGION), specs.ACT_TYPE, urn, case_id, act)


def _erase(field: Field, canaries: Canaries, journal: Follower, case_id: str) -> None:
    """Closed and erased by two persons; then the snapshot without it is there."""
    before = _manifest(field)
    _wait_for_event(journal, case_id, j.Answered, state="STARTED")
    _act(field, canaries, case_id, "CLOSE")
    _act(field, canaries, case_id, "ERASE", second="m.vt-08")
    field.producer.flush()
    _wait_for_event(journal, case_id, j.Erased)
    wait_for("a new snapshot", lambda: _manifest(field) != before)


def _manifest(field: Field) -> bytes | None:
    """What makes the last snapshot count: until it is there the parts of the next one say nothing."""
    return _compacted(field, specs.SNAPSHOTS).get(f"{REGION}/manifest".encode())


def _wait_for_event(journal: Follower, case_id: str, kind: type[j.Event], **values: Any) -> None:
    wanted = {"case_id": case_id} | values

    def happened() -> bool:
        about = [record.value for record in journal.read() if case_id.encode() in record.value]
        events = [event for value in about for event in j.decode(value).events if isinstance(event, kind)]
        return any(all(getattr(event, name) == value for name, value in wanted.items()) for event in events)

    wait_for(f"{kind.__name__} {case_id}", happened)


def _compacted(field: Field, spec: specs.TopicSpec) -> dict[bytes, bytes]:
    """A compacted topic as it is now."""
    found: dict[bytes, bytes] = {}
    for record in read_all(field.broker.bootstrap, [spec.topic()]):
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.value
    return found


def _compact(field: Field, canaries: Canaries, story: Story) -> None:
    """Let the broker's cleaner run over the keys; it leaves the newest segment alone, so one more report comes."""
    config = {"segment.ms": "100", "max.compaction.lag.ms": "100", "min.cleanable.dirty.ratio": "0.001"}
    field_config = ConfigResource(ConfigResourceType.TOPIC, specs.KEYS.topic(), config)
    field.admin.alter_configs([field_config])
    gone = {event.encode() for record in _records(field) for event in _erased_keys(record)}
    assert len(gone) > 10

    def cleaned() -> bool:
        last = canaries.report()
        story.reports[last["report_id"]] = last
        field.publish(last)
        field.producer.flush()
        values = [
            one for one in read_all(field.broker.bootstrap, [specs.KEYS.topic()]) if one.key in gone and one.value
        ]
        return not values

    wait_for("no erased key has a value on the broker", cleaned, 30)
    _wait_for_receipts(field, POLICE, len(field.published[POLICE]))


def _records(field: Field) -> list[j.Record]:
    return [j.decode(record.value) for record in read_all(field.broker.bootstrap, [specs.JOURNAL.topic()])]


def _erased_keys(record: j.Record) -> tuple[str, ...]:
    return tuple(key for event in record.events if isinstance(event, j.Erased) for key in event.key_ids)


def _on_disk(field: Field, *, to_intake: bool) -> list[tuple[str, bytes]]:
    """Topic and bytes of every segment on the broker: what others send to intake, or what we make of it."""
    while True:
        try:
            paths = sorted((field.folder / "broker" / "kafka").glob("*/*.log"))
            found = [(path.parent.name.rpartition("-")[0], path.read_bytes().rstrip(b"\0")) for path in paths]
        except FileNotFoundError:
            continue  # the broker's cleaner was at it: what it took away lies elsewhere now
        return [(t, raw) for t, raw in found if raw and any(spec.owns(t) for spec in TO_INTAKE) is to_intake]


def test_the_sieve_sees_what_was_sent(story: Story):
    seen: set[str] = set()
    for _, raw in _on_disk(story.field, to_intake=True):
        seen |= story.sieve.found(raw)

    sent = {word.lower() for report in story.reports.values() for word in _words(report)}
    assert len(sent) > 20 * REPORTS
    assert sent <= seen


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be", "hex", "HEX", "base64", "upper"])
def test_the_sieve_sees_a_word_however_it_is_coded(coding: str):
    import base64

    sieve, said = Sieve({"Zzkbcdfghjkl", "999990019"}), "a: Zzkbcdfghjkl en 999990019."
    raw = {
        "hex": said.encode().hex().encode(),
        "HEX": said.encode().hex().upper().encode(),
        "base64": base64.b64encode(said.encode()),
        "upper": said.upper().encode(),
    }.get(coding) or said.encode(coding)

    assert sieve.found(b'{"x": "' + raw + b'"}') == {"zzkbcdfghjkl", "999990019"}


def test_no_topic_of_ours_holds_anything_of_a_person(story: Story):
    found = defaultdict(set)
    for topic, raw in _on_disk(story.field, to_intake=False):
        found[topic] |= story.sieve.found(raw)

    # What is opened is opened on the board: ``tests/pipeline/board/test_pages.py`` looks into its topic.
    ours = {spec.topic() for spec in specs.SPECS if spec.of is None and spec is not specs.OPENINGS}
    assert ours <= found.keys()
    assert {specs.QUEUE.topic(TEAM), specs.NOTICES.topic(TEAM), specs.RECEIPTS.topic(DOCTORS)} <= found.keys()
    assert {topic: words for topic, words in found.items() if words} == {}


def test_no_log_and_no_metric_holds_anything_of_a_person(story: Story):
    said = [worker.log().encode() for worker in story.field.workers] + story.pages

    assert all(said)
    assert b"meldstroom_" in story.pages[1]
    assert [words for one in said if (words := story.sieve.found(one))] == []


def test_an_offer_opens_for_its_receiver_and_nobody_else(story: Story):
    jwks = story.field.regions[REGION].receiver_keys
    chance = random.Random(1)
    assert len(story.offers) >= REPORTS
    for receiver, offer in story.offers:
        if offer["case_id"] in story.erased:
            continue
        opened = story.opener.content(offer["content"], jwks[receiver])
        assert opened["reports"]
        if chance.random() < 0.1:
            other = chance.choice([name for name in jwks if name != receiver])
            with pytest.raises(CannotOpen):
                story.opener.content(offer["content"], jwks[other])


def test_no_offer_tells_of_a_reporter_or_a_secret_address(story: Story):
    jwks = story.field.regions[REGION].receiver_keys
    hidden, offered = Sieve(story.canaries.hidden), 0
    postcodes = {report["report_id"]: report["address"]["postcode"] for report in story.reports.values()}
    secret = {name for name, report in story.reports.items() if report["address"]["secret"]}
    report_of = {case_id: name for name, case_id in _cases(story.field).items()}
    for receiver, offer in story.offers:
        if offer["case_id"] in story.erased:
            continue
        name = report_of[offer["case_id"]]
        content = orjson.dumps(story.opener.content(offer["content"], jwks[receiver]))
        assert hidden.found(content) == set()
        assert story.reports[name]["narrative"].encode() in content
        assert (postcodes[name].encode() in content) is (name not in secret)
        offered += name in secret
    assert offered >= REPORTS // 10


def test_every_accepted_copy_opens_although_intake_was_killed(story: Story):
    accepted = 0
    for record in story.records:
        said = record.input
        case_id = next((event.case_id for event in record.events if isinstance(event, j.Registered)), None)
        if case_id is None or case_id in story.erased or not isinstance(said, j.ReportInput):
            continue
        rest = orjson.loads(story.opener.part(REGION, said.key_id, "rest", said.sealed["rest"]))
        reporter = orjson.loads(story.opener.part(REGION, said.key_id, "reporter", said.sealed["reporter"]))
        assert rest["narrative"] == story.reports[said.report_id]["narrative"]
        assert reporter["name"] == story.reports[said.report_id]["reporter"]["name"]
        accepted += 1
    assert accepted == len(story.reports) - 4
    assert story.findings == CLEAN


def test_after_an_erasure_nothing_of_the_household_can_be_opened(story: Story):
    jwks, shut = story.field.regions[REGION].receiver_keys, 0
    for record in story.records:
        said = record.input
        about = {getattr(event, "case_id", None) for event in record.events} & story.erased.keys()
        if about and isinstance(said, j.ReportInput | j.AnswerInput | j.ActInput):
            for part, sealed in said.sealed.items():
                with pytest.raises(CannotOpen):
                    story.opener.part(REGION, said.key_id, part, sealed)
                shut += 1
    contents = [(to, offer["content"]) for to, offer in story.offers if offer["case_id"] in story.erased]
    for record in read_all(story.field.broker.bootstrap, [specs.NOTICES.topic(TEAM)]):
        notice = orjson.loads(record.value)
        if notice["case_id"] in story.erased and notice["content"] is not None:
            contents.append((TEAM, notice["content"]))
    for receiver, content in contents:
        with pytest.raises(CannotOpen):
            story.opener.content(content, jwks[receiver])
    assert shut >= 2 * (2 * 4 + 2 + 2)  # two reports of four parts, two notes, two reasons
    assert len(contents) >= 4


def test_no_value_of_an_erased_key_is_left_on_the_broker(story: Story):
    values = {one.key.decode() for one in _every_key(story.field) if one.value is not None}

    assert story.key_ids().isdisjoint(values)


def test_the_book_folds_to_the_same_from_the_beginning_and_from_the_snapshot(story: Story):
    keys = _compacted(story.field, specs.KEYS)
    beginning, later = _writer(story), _writer(story)

    whole(beginning.restore({}, keys))
    start = whole(later.restore(_compacted(story.field, specs.SNAPSHOTS), keys))
    assert start is not None
    for record in story.journal:
        beginning.replay(record.value, record.offset)
        if record.offset >= start:
            later.replay(record.value, record.offset)

    assert any(record.offset < start for record in story.journal)
    assert beginning.book.encode() == later.book.encode()
    assert all(beginning.book.cases[case_id].erased for case_id in story.erased)


def test_the_snapshot_before_the_erasure_cannot_be_opened_any_more(story: Story):
    then, now = _writer(story), _writer(story)

    assert whole(then.restore(story.early_snapshot, story.early_keys)) is not None
    assert whole(now.restore(story.early_snapshot, _compacted(story.field, specs.KEYS))) is None


def _writer(story: Story) -> CaseworkWriter:
    return CaseworkWriter(story.field.regions[REGION], random.Random(0).randbytes, lambda record, book: None)


def _every_key(field: Field) -> list[Any]:
    return list(read_all(field.broker.bootstrap, [specs.KEYS.topic()]))


def _words(said: Any) -> Iterator[str]:
    """Every canary in a report."""
    if isinstance(said, dict):
        for one in said.values():
            yield from _words(one)
    elif isinstance(said, list):
        for one in said:
            yield from _words(one)
    elif isinstance(said, str):
        yield from (word for word in said.replace("/", " ").replace(".", " ").split() if word.startswith("Zzk"))
