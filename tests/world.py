"""A region in memory to try things on: intake and casework as they are; the broker is a list, time passes when told."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import chain, count
from pathlib import Path
from typing import Any

import orjson
import yaml

from agents.casework.book import Book
from agents.casework.case import AWAITS_ANSWER, Case, Handover
from agents.casework.rules import rules_from
from agents.casework.shelf import parts, read_book
from agents.casework.writer import CaseworkWriter
from agents.intake.decide import Registry, bring, registry
from agents.policy.calendar import AMSTERDAM
from agents.policy.loading import Loader
from agents.policy.model import millis, moment
from agents.policy.region import RegionConfig, load_regions
from agents.sealing import unseal, unwrap_with
from agents.stage.lane import Arrived
from agents.stage.writer import ContentNeeded, Outgoing
from tests.cases import POLICE, REGION, WEDNESDAY, an_act, an_answer, an_id
from tests.storm.again import decided_again
from topics import envelope, specs
from topics import journal as j

OTHER = "brabant-zuidoost"
"""The other example region."""


@cache
def regions() -> dict[str, RegionConfig]:
    """The example regions, read once."""
    return load_regions(Path(__file__).parents[1] / "deploy" / "regions", development=True)


@lru_cache(maxsize=4)
def with_texts(region: str, policy: str | None = None, directory: str | None = None) -> RegionConfig:
    """An example region with other rules or another directory than its own."""
    config = regions()[region]
    policy, directory = policy or config.policy_text, directory or config.directory_text
    rules = rules_from(policy, directory)
    return replace(config, policy_text=policy, policy=rules.policy, directory_text=directory, directory=rules.directory)


@cache
def _registry() -> Registry:
    return registry(regions())


def entropy() -> Callable[[int], bytes]:
    """Bytes that look random and are the same each time."""
    numbers = count()
    return lambda length: hashlib.shake_256(f"{next(numbers)}".encode()).digest(length)


def at(text: str) -> int:
    """Milliseconds of a moment; local time when it names no offset."""
    found = datetime.fromisoformat(text)
    return millis(found if found.tzinfo else found.replace(tzinfo=AMSTERDAM))


def local(ms: int) -> str:
    """A moment as it is said here: ``Mon 30 Mar 23:59:59``."""
    return f"{moment(ms).astimezone(AMSTERDAM):%a %-d %b %H:%M:%S}"


@dataclass(repr=False)
class World:
    """One region: intake and casework as they are, the broker a list. Time passes when it is told to."""

    region: str = REGION
    start: str = WEDNESDAY
    policy: str | None = None
    """The text of other rules than the region's own."""
    directory: str | None = None
    """The text of another directory than the region's own."""
    now: int = field(init=False)
    writer: CaseworkWriter = field(init=False)
    records: list[j.Record] = field(default_factory=list)
    journal: list[bytes] = field(default_factory=list)
    keys: dict[bytes, bytes] = field(default_factory=dict)
    snapshots: dict[bytes, bytes] = field(default_factory=dict)
    topics: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    lanes: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    sent: list[Arrived] = field(default_factory=list)
    last: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What left with the last record: topic and message."""
    there: "World | None" = None
    """Another region, where there is one."""

    def __post_init__(self) -> None:
        self.now = at(self.start)
        self.entropy = entropy()
        self.writer = CaseworkWriter(self.config, self.entropy, lambda record, book: None)
        self._take(self.writer.begin(self.now))

    @property
    def config(self) -> RegionConfig:
        return with_texts(self.region, self.policy, self.directory)

    @property
    def book(self) -> Book:
        return self.writer.book

    @property
    def case(self) -> Case:
        """The only case, or the one that was opened last."""
        found = self.book.cases.newest()
        assert found is not None, "no case was opened"
        return found

    @property
    def offer(self) -> Handover:
        """The open handover of that case."""
        found = self.case.current()
        assert found is not None, "nothing is open"
        return found

    @property
    def events(self) -> tuple[j.Event, ...]:
        """What the last record decided."""
        return self.records[-1].events

    # Publishing ------------------------------------------------------------------------------------------

    def publish(self, report: dict[str, Any] | bytes, source: str | None = None) -> j.Record:
        """An integrator publishes a report, as it stands or as bytes."""
        value = report if isinstance(report, bytes) else orjson.dumps(report)
        source = source or (report["source_id"] if isinstance(report, dict) else POLICE)
        registered = next(found for found in regions()[self.region].sources if found.id == source)
        return self._send(specs.REPORTS.topic(source), specs.REPORT_TYPE, registered.source, value)

    def answer(
        self, state: str, handover: Handover | None = None, *, by: str | None = None, **changes: Any
    ) -> j.Record:
        """The receiver of a handover (the open one) answers; or somebody else does (``by``)."""
        handover = handover or self.offer
        case = next(case for case in self.book.cases.values() if case.handover(handover.id) is not None)
        answer = an_answer(handover, case, state, **changes)
        return self._send(specs.ANSWERS.topic(by or handover.receiver), specs.ANSWER_TYPE, None, orjson.dumps(answer))

    def answer_notice(self, notice_id: str, by: str, state: str, case: Case | None = None, **said: Any) -> j.Record:
        """A receiver answers a notice, by its number, on a case (the last one)."""
        answer = {
            "answer_id": an_id(), "case_id": (case or self.case).id, "handover_id": notice_id, "state": state,
            "answered_at": moment(self.now).isoformat(), **said,
        }  # fmt: skip
        return self._send(specs.ANSWERS.topic(by), specs.ANSWER_TYPE, None, orjson.dumps(answer))

    def act(self, kind: str, case: Case | None = None, **changes: Any) -> j.Record:
        """Somebody of the centre acts on a case (the last one)."""
        named = changes.pop("case_id") if "case_id" in changes else (case or self.case).id
        act = an_act(named, kind, **changes)
        return self._send(specs.ACTS.topic(self.region), specs.ACT_TYPE, None, orjson.dumps(act))

    def hold(self, receiver: str, *, resume: bool = False, **changes: Any) -> j.Record:
        """Somebody of the centre takes a receiver out of service, or brings it back."""
        kind = "RESUME_RECEIVER" if resume else "HOLD_RECEIVER"
        return self.act(kind, case_id=..., **({"to": receiver, "role": "bureaudienst"} | changes))

    def change_rules(self, changes: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """The region's policy is another from now on: table -> row -> what it says instead."""
        plain = yaml.load(self.config.policy_text, Loader=Loader)
        for table, rows in changes.items():
            for row in plain[table]:
                row |= rows.get(row["id"], {})
        self.policy = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
        self.writer.reconfigure(self.config)
        self._take(self.writer.begin(self.now))

    def _send(self, topic: str, kind: str, source: str | None, value: bytes) -> j.Record:
        source = source or "urn:nld:oin:00000001999973320000:systeem:proef"
        headers = envelope.write(id=an_id(), type=kind, source=source, time_ms=self.now, subject=None)
        same = sum(record.topic == topic for record in self.sent)
        record = Arrived(topic, 0, same, self.now, None, value, tuple(headers))
        self.sent.append(record)
        return self.bring(record)

    def bring(self, record: Arrived) -> j.Record:
        """Intake brings a record (once more) to its lane, and casework decides it."""
        key_id = an_id("key", len(self.lanes[j.INBOX]), len(self.lanes[j.DESK]))
        brought = bring(record, _registry(), key_id, self.entropy)
        assert brought.region == self.region
        lane = j.INBOX if brought.lane == specs.INBOX.topic() else j.DESK
        self.lanes[lane].append(j.encode_lane(brought.message))
        return self.deliver(lane, len(self.lanes[lane]) - 1)

    def deliver(self, lane: str, offset: int) -> j.Record:
        """Casework decides what stands on a lane."""
        record = Arrived(lane, 0, offset, self.now, None, self.lanes[lane][offset], ())
        return self._take(self._asked(self.writer, lambda: self.writer.decide(lane, record)))

    # Time ------------------------------------------------------------------------------------------------

    def pass_time(self, **how_long: float) -> None:
        """Time passes while the worker runs: what is due fires when it is due."""
        self.pass_until(self.now + int(timedelta(**how_long) / timedelta(milliseconds=1)))

    def pass_until(self, when: str | int) -> None:
        """As ``pass_time``, until a moment."""
        until = at(when) if isinstance(when, str) else when
        while (due := self.book.due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.tick()
        self.now = max(self.now, until)

    def sleep_until(self, when: str | int) -> None:
        """Time passes while no worker runs: nothing fires."""
        self.now = max(self.now, at(when) if isinstance(when, str) else when)

    def tick(self) -> j.Record:
        """What is due now fires."""
        return self._take(self._asked(self.writer, lambda: self.writer.tick(self.now)))

    # Looking ---------------------------------------------------------------------------------------------

    def expect(self, kind: type[j.Event], **values: Any) -> Any:
        """The one event of that kind and with those values in the last record."""
        found = [event for event in self.events if isinstance(event, kind) and _has(event, values)]
        assert len(found) == 1, f"{kind.__name__} {values} stands {len(found)} times in {self.events}"
        return found[0]

    def fired(self) -> list[tuple[str, str]]:
        """Every step that fired so far: (step, when it was due)."""
        return [(event.step, local(event.due)) for event in self.all_events(j.StepFired)]

    def all_events(self, kind: type[j.Event]) -> list[Any]:
        """Every event of a kind on the journal."""
        return [event for record in self.records for event in record.events if isinstance(event, kind)]

    def told(self) -> set[tuple[str, str]]:
        """Who was told what with the last record."""
        return {(event.kind, event.to) for event in self.events if isinstance(event, j.Told)}

    def opened(self, message: dict[str, Any], receiver: str) -> dict[str, Any]:
        """The sealed content of a message, as only its receiver can open it."""
        content = message["content"]
        if "jwe" in content:  # another centre's: its key travels with it
            key = unwrap_with(regions()[message["region"]].transfer_keys[content["kid"]], content["jwe"])
            passed: dict[str, Any] = orjson.loads(
                zlib.decompress(unseal(key, content["key_id"], "transfer", content["data"]))
            )
            return passed
        wrapped = orjson.loads(self.keys[content["key_id"].encode()])
        key = unwrap_with(regions()[self.region].receiver_keys[receiver], wrapped["jwe"])
        found: dict[str, Any] = orjson.loads(unseal(key, content["key_id"], "content", content["data"]))
        return found

    def snapshot(self) -> dict[bytes, bytes]:
        """A snapshot of the book is written; everything that stands on the snapshots' topic then."""
        self.lay(self.writer.snapshot(len(self.journal), 0))
        return dict(self.snapshots)

    def lay(self, batches: Iterable[list[Outgoing]]) -> None:
        """These batches of a snapshot are written."""
        for out in chain.from_iterable(batches):
            where = self.keys if out.topic == specs.KEYS.topic() else self.snapshots
            assert out.key is not None
            if out.value is None:
                where.pop(out.key, None)
            else:
                where[out.key] = out.value

    def taken_over(self, snapshots: dict[bytes, bytes] | None = None) -> CaseworkWriter:
        """Another worker's writer, restored from the last snapshot (or these) and the journal after it."""
        other = CaseworkWriter(self.config, self.entropy, lambda record, book: None)
        start = whole(other.restore(self.snapshots if snapshots is None else snapshots, self.keys)) or 0
        for place, record in enumerate(self.journal[start:], start):
            other.replay(record, place)
        return other

    def another_worker(self) -> CaseworkWriter:
        """A worker that takes over: it has the keys, and nothing else yet."""
        other = CaseworkWriter(self.config, self.entropy, lambda record, book: None)
        whole(other.restore({}, self.keys))
        return other

    def refolded(self) -> Book:
        """The book folded from the journal by another worker."""
        other = self.another_worker()
        for place, record in enumerate(self.journal):
            other.replay(record, place)
        return other.book

    def decided_again(self, start: int = 0) -> list[bytes]:
        """The journal from ``start``, decided once more from its own inputs after folding what lies before."""
        other = self.another_worker()
        for place, raw in enumerate(self.journal[:start]):
            other.replay(raw, place)
        other.book = saved_and_read(other.book)
        at = {(record.lane, record.offset): record.at for record in self.records}

        def lane(name: str, offset: int) -> Arrived:
            return Arrived(name, 0, offset, at[name, offset], None, self.lanes[name][offset], ())

        return list(decided_again(other, self.journal, lane, start))

    def _asked(self, writer: CaseworkWriter, ask: Callable[[], list[Outgoing]]) -> list[Outgoing]:
        """What a writer decides, as the stage asks for it: once more when it needed to read the journal."""
        try:
            return ask()
        except ContentNeeded as needed:
            writer.recall([self.journal[place] for place in needed.places])
            return ask()

    def _take(self, outgoing: list[Outgoing]) -> j.Record | Any:
        self.last = []
        before = len(self.journal)
        for out in outgoing:
            if out.topic == specs.KEYS.topic():
                assert out.key is not None
                if out.value is None:
                    self.keys.pop(out.key, None)
                else:
                    self.keys[out.key] = out.value
            elif out.topic == specs.JOURNAL.topic():
                assert out.value is not None
                self.journal.append(out.value)
                self.records.append(j.decode(out.value))
            else:
                assert out.key is not None
                message = orjson.loads(out.value or b"null")
                self.topics[out.topic].append((out.key.decode(), message))
                self.last.append((out.topic, message))
        self.writer.committed(range(before, len(self.journal)))
        return self.records[-1]


class TwoRegions:
    """Two regions and what goes between them; nothing is brought over before ``bring``."""

    def __init__(self, here: World | None = None) -> None:
        self.here = here or World()
        self.there = World(region=OTHER, start=moment(self.here.now).isoformat())
        self.here.there = self.there
        self._read = {self.here.region: 0, OTHER: 0}

    def bring(self, to: World) -> int:
        """Bring over what waits for a region; how many messages."""
        topic, sender = specs.TRANSFERS.topic(to.region), self.here if to is self.there else self.there
        to.now = sender.now = max(self.here.now, self.there.now)
        new = sender.topics[topic][self._read[to.region] :]
        for key, message in new:
            to.bring(self.record(topic, self._read[to.region], key, message, to.now))
            self._read[to.region] += 1
        return len(new)

    def settle(self) -> None:
        """Bring over until nothing waits."""
        while self.bring(self.there) + self.bring(self.here):
            pass

    def owners(self) -> tuple[str, str]:
        """Who the case belongs to, as either book says."""
        return self.here.case.owner, self.there.case.owner

    @staticmethod
    def record(topic: str, offset: int, key: str, message: dict[str, Any], now: int) -> Arrived:
        """A message as it lies on a region's topic."""
        source = "urn:nld:oin:00000001999970835000:systeem:meldstroom"
        headers = envelope.write(id=an_id(), type=specs.TRANSFER_TYPE, source=source, time_ms=now, subject=None)
        return Arrived(topic, 0, offset, now, key.encode(), orjson.dumps(message), tuple(headers))


def _has(event: j.Event, values: dict[str, Any]) -> bool:
    return all(getattr(event, name) == value for name, value in values.items())


def whole(steps: Generator[None, None, Any]) -> Any:
    """What something that is done in steps gives at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def saved_and_read(book: Book) -> Book:
    """The book, as another worker reads it from a snapshot of all of it."""
    book.cases.unsaved, book.rules_unsaved = set(range(len(book.cases))), True
    *_, found = read_book(dict(parts(book)))
    return found


def awaiting(book: Book) -> Iterator[tuple[Case, Handover]]:
    """Every handover that waits for an answer."""
    for case in book.cases.values():
        for handover in case.handovers:
            if handover.state in AWAITS_ANSWER:
                yield case, handover
