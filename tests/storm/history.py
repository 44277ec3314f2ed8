"""What happened, as it lies on the broker, and what is wrong with it. ``check`` is pure, and is tested itself."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import aiokafka
import orjson
from kafka import KafkaConsumer, TopicPartition

from agents.stage.reading import ends, reader
from tests.storm.deadlines import Outages, check_deadlines
from topics import journal as j
from topics import specs
from topics.cluster import Cluster


@dataclass
class History:
    """Everything that was written. Lists are in the order of the broker."""

    published: dict[str, list[str]] = field(default_factory=dict)
    """Source -> identity of each record it published, by offset."""
    confirmed: Counter[str] = field(default_factory=Counter)
    """Identity -> how often the broker confirmed it to its source."""
    said: dict[str, int] = field(default_factory=dict)
    """Topic of answers or acts -> how many lie on it."""
    outages: Outages | None = None
    """From when to when (ms) something was down; None when nobody wrote it down."""
    journal: dict[str, list[j.Record]] = field(default_factory=lambda: defaultdict(list))
    stamps: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """When the broker took in each record of the journal, ms."""
    offers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    recalls: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    notices: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    receipts: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    letters: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, bytes | None] = field(default_factory=dict)


@dataclass
class Findings:
    """What is wrong, each a list of what it was found in."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    owners_broken: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in vars(self).items()}


CLEAN = Findings().counts()


def check(history: History) -> Findings:
    """Lost, doubled, out of order, owner chains broken, deadlines, and what left that the journal does not say."""
    found = Findings()
    _reports(history, found)
    _said(history, found)
    for region, records in history.journal.items():
        _order(region, records, found)
        _owners(records, found)
        steps = check_deadlines(records, history.stamps[region], history.outages)
        found.doubled += steps.twice
        found.early += steps.early
        found.late += steps.late
        found.missed += steps.missed
        found.overtaken += steps.overtaken
    events = [event for records in history.journal.values() for record in records for event in record.events]
    _same(
        "offer",
        Counter(
            (e.receiver, e.handover_id, e.case_id, e.colour, e.accept_before)
            for e in events
            if isinstance(e, j.Offered)
        ),
        Counter(
            (receiver, said["handover_id"], said["case_id"], said["colour"], said["accept_before"])
            for receiver, all_ in history.offers.items()
            for said in all_
        ),
        found,
    )
    _same(
        "recall",
        Counter((e.handover_id, e.state) for e in events if isinstance(e, j.TakenBack)),
        Counter((said["handover_id"], said["state"]) for all_ in history.recalls.values() for said in all_),
        found,
    )
    told = Counter((e.to, e.kind, e.case_id) for e in events if isinstance(e, j.Told))
    told += Counter((e.receiver, "TOO_LATE", e.case_id) for e in events if isinstance(e, j.MoveRefused))
    _same(
        "notice",
        told,
        Counter((to, said["kind"], said["case_id"]) for to, all_ in history.notices.items() for said in all_),
        found,
    )
    _same(
        "dead letter",
        Counter(e.letter_id for e in events if isinstance(e, j.DeadLettered)),
        Counter(said["letter_id"] for said in history.letters),
        found,
    )
    ids = Counter(said["notice_id"] for all_ in history.notices.values() for said in all_)
    found.doubled += [f"notice {one}" for one, times in ids.items() if times > 1]
    return found


def _reports(history: History, found: Findings) -> None:
    """Each published record has one receipt; each report is registered once, and its key is there."""
    registered: Counter[str] = Counter()
    ended: set[tuple[str, int]] = set()
    erased = {
        key_id
        for records in history.journal.values()
        for record in records
        for event in record.events
        if isinstance(event, j.Erased)
        for key_id in event.key_ids
    }
    for records in history.journal.values():
        for record in records:
            said = record.input
            if isinstance(said, j.ReportInput | j.RefusedInput):
                ended.add((said.origin.topic, said.origin.offset))
            if isinstance(said, j.ReportInput) and any(isinstance(e, j.Registered) for e in record.events):
                registered[said.identity] += 1
                if history.keys.get(said.key_id) is None and said.key_id not in erased:
                    found.lost.append(f"key of {said.identity}")
    for source, identities in history.published.items():
        receipts = Counter(receipt["origin"]["offset"] for receipt in history.receipts.get(source, ()))
        topic = specs.REPORTS.topic(source)
        for offset, identity in enumerate(identities):
            if (topic, offset) not in ended and registered[identity] == 0:
                found.lost.append(identity)
            if receipts[offset] == 0:
                found.lost.append(f"receipt of {identity}")
            elif receipts[offset] > 1:
                found.doubled.append(f"receipt of {identity}")
    found.doubled += [identity for identity, times in registered.items() if times > 1]
    lying = Counter(identity for identities in history.published.values() for identity in identities)
    found.lost += [f"{one}, which the broker had confirmed" for one in history.confirmed - lying]


def _said(history: History, found: Findings) -> None:
    """What receivers and people said has taken effect once, and none of it was passed over."""
    taken: dict[str, Counter[int]] = {topic: Counter() for topic in history.said}
    effects: Counter[str] = Counter()
    for records in history.journal.values():
        for record in records:
            said = record.input
            if not isinstance(said, j.AnswerInput | j.ActInput | j.RefusedInput):
                continue
            if said.origin.topic in taken:
                taken[said.origin.topic][said.origin.offset] += not _again(record)
            if isinstance(said, j.AnswerInput) and any(isinstance(e, j.Answered) for e in record.events):
                effects[f"answer {said.answer_id}"] += 1
            if isinstance(said, j.ActInput) and any(isinstance(e, j.ActDone) for e in record.events):
                effects[f"act {said.act_id}"] += 1
    for topic, count in history.said.items():
        found.lost += [f"{topic} {offset}" for offset in range(count) if offset not in taken[topic]]
        found.doubled += [f"{topic} {offset}" for offset, times in taken[topic].items() if times > 1]
    found.doubled += [what for what, times in effects.items() if times > 1]


def _again(record: j.Record) -> bool:
    """Whether it is our own second delivery of a message."""
    return any(isinstance(event, j.Repeated) and not event.receipt for event in record.events)


def _order(region: str, records: list[j.Record], found: Findings) -> None:
    next_of: dict[str, int] = {}
    newest: dict[tuple[str, int], int] = {}
    at = 0
    for place, record in enumerate(records):
        if record.seq != place:
            found.out_of_order.append(f"{region}: record {record.seq} at place {place}")
        if record.at < at:
            found.out_of_order.append(f"{region}: time goes back at {record.seq}")
        at = record.at
        if record.lane != j.CLOCK:
            if record.lane in next_of and record.offset != next_of[record.lane]:
                found.out_of_order.append(f"{region}: {record.lane} {record.offset}, not {next_of[record.lane]}")
            next_of[record.lane] = record.offset + 1
        said = record.input
        if isinstance(said, j.ReportInput) and any(isinstance(e, j.Registered) for e in record.events):
            source = (said.origin.topic, said.origin.partition)
            if said.origin.offset < newest.get(source, -1):
                found.out_of_order.append(f"{region}: {said.identity}")
            newest[source] = said.origin.offset


def _owners(records: list[j.Record], found: Findings) -> None:
    owners: dict[str, str] = {}
    for record in records:
        # With a closed case nobody follows up any more: the centre owns it again.
        started = any(
            (isinstance(e, j.Answered) and e.state == "STARTED")
            or (isinstance(e, j.ActDone) and e.kind in ("CLOSE", "MERGE"))
            for e in record.events
        )
        for event in record.events:
            if isinstance(event, j.Registered):
                if event.opened is (event.case_id in owners):
                    found.owners_broken.append(event.case_id)
                owners.setdefault(event.case_id, event.owner)
            elif isinstance(event, j.OwnerChanged):
                if not started or event.case_id not in owners or not event.owner:
                    found.owners_broken.append(event.case_id)
                owners[event.case_id] = event.owner
            elif isinstance(event, j.Offered) and event.case_id not in owners:
                found.owners_broken.append(event.case_id)


def _same(what: str, journal: Counter[Any], sent: Counter[Any], found: Findings) -> None:
    found.differs += [f"{what} {one} is not in the journal" for one in (sent - journal) if one not in journal]
    found.doubled += [f"{what} {one}" for one in (sent - journal) if one in journal]
    found.lost += [f"{what} {one}" for one in (journal - sent)]


def read_history(
    bootstrap: str, published: dict[str, list[str]], receivers: Iterable[str], *, whole: bool = True
) -> History:
    """All that lies on the broker now, as a ``read_committed`` reader sees it.

    Not ``whole``: of each message only what is compared, for 300,000 of them do not fit in memory otherwise.
    """
    some = orjson.loads if whole else _compared
    history = History(published=published)
    receivers = list(receivers)
    topics = [specs.JOURNAL.topic(), specs.DEADLETTERS.topic(), specs.KEYS.topic()]
    topics += [specs.RECEIPTS.topic(source) for source in published]
    topics += [spec.topic(receiver) for spec in (specs.QUEUE, specs.NOTICES) for receiver in receivers]
    for record in read_all(bootstrap, topics):
        value = record.value
        if record.topic == specs.KEYS.topic():
            history.keys[record.key.decode()] = value if whole else value and b"there"
        elif record.topic == specs.JOURNAL.topic():
            made = j.decode(value) if whole else _without_sealed(j.decode(value))
            history.journal[made.region].append(made)
            history.stamps[made.region].append(record.timestamp)
        elif record.topic == specs.DEADLETTERS.topic():
            history.letters.append(some(value))
        elif specs.RECEIPTS.owns(record.topic):
            history.receipts[specs.RECEIPTS.member(record.topic)].append(some(value))
        elif specs.NOTICES.owns(record.topic):
            history.notices[specs.NOTICES.member(record.topic)].append(some(value))
        else:
            receiver = specs.QUEUE.member(record.topic)
            kind = dict(record.headers)["ce_type"].decode()
            (history.offers if kind == specs.OFFER_TYPE else history.recalls)[receiver].append(some(value))
    return history


def counts(bootstrap: str, topics: Iterable[str]) -> dict[str, int]:
    """How many records lie on each of these topics, of which nobody writes in transactions."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return {place.topic: end for place, end in consumer.end_offsets([TopicPartition(t, 0) for t in topics]).items()}
    finally:
        consumer.close()


COMPARED = (
    "origin", "letter_id", "notice_id", "kind", "handover_id", "case_id", "colour", "accept_before", "state",
)  # fmt: skip


def _compared(value: bytes) -> dict[str, Any]:
    found = orjson.loads(value)
    return {name: found[name] for name in COMPARED if name in found}


def _without_sealed(record: j.Record) -> j.Record:
    if isinstance(record.input, j.ReportInput | j.AnswerInput | j.ActInput):
        return replace(record, input=replace(record.input, sealed={}))
    return record


class Follower:
    """Committed records of some topics, each read once: for who waits until something is there."""

    def __init__(self, bootstrap: str, topics: list[str]) -> None:
        self.records: list[Any] = []
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=5_000,
        )
        self._consumer.assign(
            [TopicPartition(name, number) for name in topics for number in self._consumer.partitions_for_topic(name)]
        )

    def read(self) -> list[Any]:
        """All so far."""
        for records in self._consumer.poll(timeout_ms=200).values():
            self.records += records
        return self.records

    def close(self) -> None:
        self._consumer.close()


def read_all(bootstrap: str, topics: list[str], partition: int | None = None) -> Iterator[Any]:
    """Every committed record of these topics (of one of their partitions), up to where they end now."""
    # A loop of its own, turned by whoever reads on: kafka-python, which needs none, took minutes for a storm's journal.
    with closing(asyncio.new_event_loop()) as loop, ThreadPoolExecutor(1) as other_thread:
        reading = _all_of(bootstrap, topics, partition)

        def turned(until: Awaitable[Any]) -> Any:
            return other_thread.submit(loop.run_until_complete, until).result()

        try:
            while (found := turned(anext(reading, None))) is not None:
                yield from found
        finally:
            turned(reading.aclose())


async def _all_of(bootstrap: str, topics: list[str], partition: int | None) -> AsyncIterator[list[Any]]:
    async with reader(Cluster(bootstrap=bootstrap)) as consumer:
        for topic in topics:
            await consumer._client.add_topic(topic)
        places = [
            aiokafka.TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
            if partition in (None, number)
        ]
        last = await ends(consumer, places)
        left = {place for place in places if last[place] > 0}
        if not left:
            return
        consumer.assign(left)
        await consumer.seek_to_beginning(*left)
        while left:
            for records in (await consumer.getmany(timeout_ms=500, max_records=5_000)).values():
                yield records
            left = {place for place in left if await consumer.position(place) < last[place]}
