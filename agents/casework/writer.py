"""The one writer of a region: opens what is sealed, decides, folds, and seals what leaves.

It is what the stage restores and asks (``agents/stage/writer.py``). The deciding itself is pure and lies in
``decide.py`` and ``agents/dispatch``; here are the keys and the bytes.
"""

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any
from uuid import uuid5

import orjson
import structlog
from joserfc.jwk import ECKey

from agents.casework import shelf
from agents.casework.book import Book, Key, Opened, new_part
from agents.casework.case import Entry, Part
from agents.casework.contents import Contents
from agents.casework.decide import decide, keeps_content, undecidable
from agents.casework.inputs import NAMESPACE, Incoming
from agents.casework.rules import rules_of
from agents.casework.saved import Saved
from agents.dispatch.decide import Delivery, PassedOn, dispatch, passed_on
from agents.facts import Facts, read_facts
from agents.matching import read_links
from agents.policy.directory import Directory
from agents.policy.model import text_hash
from agents.policy.region import RegionConfig
from agents.sealing import CannotOpen, Entropy, seal, unseal, wrap_for
from agents.stage.lane import Arrived
from agents.stage.writer import Outgoing
from topics import envelope, specs
from topics import journal as j
from topics.codes import DeadLetterReason, LinkKind, Relation

log = structlog.get_logger("casework")

EPOCH = 0


class CaseworkWriter:
    """Holds a region's book. ``observe`` is called with each record that was committed (for the metrics)."""

    def __init__(self, config: RegionConfig, entropy: Entropy, observe: Callable[[j.Record, Book], None]) -> None:
        self.config = config
        self.book = Book(config.name)
        self.contents = Contents()
        self._observe = observe
        self._in_hand: list[j.Record] = []
        self._entropy = entropy
        self._keys: dict[str, Key] = {}
        self._public: dict[str, ECKey] = {}
        self._erased = False
        self._saved = Saved(config.name, config.keys, entropy)
        self._source = f"urn:nld:oin:{config.directory.oin}:systeem:meldstroom"

    def reconfigure(self, config: RegionConfig) -> None:
        """Use these keys from now on; policy and directory hold from the next ``begin`` on."""
        self.config = config
        self._saved.keys = config.keys
        self._public = {}

    # Restoring ---------------------------------------------------------------------------------------

    def keys_from(self, snapshot: Mapping[bytes, bytes]) -> int | None:
        """See ``Writer``."""
        return self._saved.keys_from(snapshot)

    def restore(
        self, snapshot: Mapping[bytes, bytes], keys: Mapping[bytes, bytes]
    ) -> Generator[None, None, int | None]:
        """See ``Writer``. A snapshot that cannot be opened or is of another fold is passed over."""
        for name, raw in keys.items():
            found = orjson.loads(raw)
            if "wrapped" in found:
                self._keys[name.decode()] = Key(found["wrap"], found["wrapped"])
        try:
            opened = yield from self._saved.opened(snapshot, keys)
            if opened is None:
                return None
            for book in shelf.read_book(opened.parts):
                self.book = book
                yield
            self.contents = opened.contents
        except (KeyError, CannotOpen, zlib.error, ValueError, j.UnknownFormat) as error:
            log.warning("snapshot_unusable", region=self.config.name, error=type(error).__name__)
            self.book = Book(self.config.name)
            return None
        return opened.journal_next

    def replay(self, record: bytes, place: int) -> None:
        """Fold a journal record; what cannot be opened any more was erased."""
        found = j.decode(record)
        if found.seq != self.book.seq:
            raise j.UnknownFormat(f"record {found.seq} where {self.book.seq} comes next")
        opened = Opened()
        said = found.input
        if isinstance(said, j.ReportInput) and keeps_content(found.events):
            key = self._keys.get(said.key_id)
            if key is not None:
                opened = self._opened(said, self._unwrapped(key), key)
        elif isinstance(said, j.TransferInput) and keeps_content(found.events):
            keys = [self._keys.get(one.key_id) for one in said.reports]
            opened = self._passed_on_opened(said, self._keys.get(said.key_id), keys)
        elif isinstance(said, j.ActInput):
            opened = Opened(key=self._keys.get(said.key_id))
        self.book.apply(found, opened)
        self.contents.written(found, place)
        # What the last snapshot still holds must go, also when a kill came before the next one.
        self._erased = self._erased or any(isinstance(event, j.Erased) for event in found.events)

    def recall(self, records: Iterable[bytes]) -> None:
        """See ``Writer``."""
        for record in records:
            self.contents.recalled(j.decode(record))

    def expected(self, lane: str) -> int | None:
        """The offset of the lane that comes next."""
        position = self.book.positions.get(lane)
        return position[1] if position is not None else None

    # Deciding ----------------------------------------------------------------------------------------

    def begin(self, now: int) -> list[Outgoing]:
        """Record policy and directory when they differ from the journal's: decisions use the journal's alone. A policy
        that a person put in force stays until a person puts another one in force."""
        self._keys = {}
        policy = self.book.policy if self.book.activated else self.config.policy_text
        directory = self.config.directory_text
        if (text_hash(policy), text_hash(directory)) == (self.book.policy_hash, self.book.directory_hash):
            return []
        said = j.ConfigureInput(policy=policy, directory=directory)
        return self._decided(Incoming(lane=j.CLOCK, epoch=EPOCH, offset=self.book.seq, at=now, input=said))

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        """See ``Writer``."""
        message = j.decode_lane(record.value or b"")
        said = message.input
        key = Key(message.wrap, message.wrapped)
        facts: Facts | None = None
        opened = Opened()
        reported: tuple[Facts, ...] = ()
        earlier: tuple[Facts | None, ...] = ()
        others: tuple[Facts | None, ...] = ()
        if isinstance(said, j.ReportInput):
            plain = self._unwrapped(key)
            facts = read_facts(unseal(plain, said.key_id, "facts", said.sealed["facts"]))
            opened = self._opened(said, plain, key)
        elif isinstance(said, j.TransferInput):
            keys = [Key(*message.keys[one.key_id]) for one in said.reports]
            reported = tuple(read_facts(self._unsealed(said, number, own, "facts")) for number, own in enumerate(keys))
            opened = self._passed_on_opened(said, key, keys)
        elif isinstance(said, j.ActInput):
            other = said.details.get("other_case", "")
            named = said.case_id or ""
            self.contents.need([*self._reports(named), *self._reports(other)])
            earlier, others = self._facts(named), self._facts(other)
            opened = Opened(key=key)
        incoming = Incoming(
            lane=lane,
            epoch=EPOCH,
            offset=record.offset,
            at=record.at,
            input=said,
            facts=facts,
            opened=opened,
            reported=reported,
            earlier=earlier,
            others=others,
        )
        return self._decided(incoming, message)

    def undecidable(self, lane: str, record: Arrived, why: str) -> list[Outgoing]:
        """Put an input aside, whole and sealed; also one that is no lane message at all."""
        try:
            message = j.decode_lane(record.value or b"")
        except (ValueError, TypeError, KeyError, j.UnknownFormat):
            message = self._strange(record)
        incoming = Incoming(lane=lane, epoch=EPOCH, offset=record.offset, at=record.at, input=message.input)
        found = undecidable(self.book, incoming)
        return self._written(found, Opened(), message)

    def put_aside_in_a_row(self) -> int:
        """See ``Writer``."""
        return self.book.put_aside

    def committed(self, places: Sequence[int]) -> None:
        """See ``Writer``."""
        done, self._in_hand = self._in_hand[: len(places)], self._in_hand[len(places) :]
        for record, place in zip(done, places, strict=True):
            self.contents.written(record, place)
            self._observe(record, self.book)

    def due(self) -> int | None:
        """The earliest deadline."""
        return self.book.due()

    def tick(self, now: int, until: int | None = None) -> list[Outgoing]:
        """See ``Writer``."""
        said = j.TickInput(until=now if until is None else until)
        return self._decided(Incoming(lane=j.CLOCK, epoch=EPOCH, offset=self.book.seq, at=now, input=said))

    def answers_from(self) -> tuple[str, ...]:
        """Where an answer or an act may still lie that intake has not brought over."""
        receivers, name = rules_of(self.book).directory.own(), self.config.name
        mine = (specs.ACTS.topic(name), specs.TRANSFERS.topic(name))
        return (*(specs.ANSWERS.topic(found.id) for found in receivers), *mine)

    def _decided(self, incoming: Incoming, message: j.LaneMessage | None = None) -> list[Outgoing]:
        return self._written(decide(self.book, incoming), incoming.opened, message)

    def _written(self, record: j.Record, opened: Opened, message: j.LaneMessage | None) -> list[Outgoing]:
        """The record, what it sends, and the keys that go with it; then the book follows."""
        outgoing = [
            Outgoing(
                specs.JOURNAL.topic(),
                record.region.encode(),
                j.encode(record),
                self._headers(specs.JOURNAL_TYPE, f"{record.region}-{record.seq}", record.at, None),
                self.config.partition,
            )
        ]
        if record.input.type != "configure":
            self._need_contents(record)
            rules = rules_of(self.book)
            for delivery in dispatch(
                self.book,
                rules,
                record,
                message,
                lambda case_id: self._rests(case_id, record, message),
                lambda case_id: self._agreed(case_id, record, message),
                lambda case_id: self._passed_on(case_id, record, message),
            ):
                outgoing += self._sealed(delivery, rules.directory, record.at)
        outgoing += self._keys_of(record, message)
        self.book.apply(record, opened)
        self._in_hand.append(record)
        self.contents.decided(record)
        return outgoing

    def _keys_of(self, record: j.Record, message: j.LaneMessage | None) -> list[Outgoing]:
        """The key of an accepted copy, of a dead letter, of what was said with an answer; and keys destroyed."""
        found: list[Outgoing] = []
        said = record.input
        dead = any(isinstance(event, j.DeadLettered) for event in record.events)
        sealed = bool(getattr(said, "sealed", None))
        if message is not None and (dead or sealed):
            assert not isinstance(said, j.TickInput | j.ConfigureInput)
            own = {} if dead else {one.key_id: message.keys[one.key_id] for one in self._passed_on_new(record)}
            keys = {said.key_id: (message.wrap, message.wrapped), **own}
            found += [
                self._key(key_id, orjson.dumps({"v": 1, "wrap": wrap, "wrapped": wrapped}))
                for key_id, (wrap, wrapped) in keys.items()
            ]
        for event in record.events:
            if isinstance(event, j.Erased):
                self._erased = True
                found += [self._key(key_id, None) for key_id in event.key_ids]
        return found

    def _key(self, key_id: str, value: bytes | None) -> Outgoing:
        return Outgoing(specs.KEYS.topic(), key_id.encode(), value, (), self.config.partition)

    # Sealing -----------------------------------------------------------------------------------------

    def _sealed(self, delivery: Delivery, directory: Directory, at: int) -> list[Outgoing]:
        found: list[Outgoing] = []
        message = delivery.message
        content = delivery.content
        if content is not None and delivery.type == specs.TRANSFER_TYPE:
            # Its key goes with it: the other centre has no part in this region's keys.
            key = self._entropy(32)
            data = seal(key, content.key_id, "transfer", zlib.compress(orjson.dumps(content.plain)), self._entropy)
            public = self._public_key(directory, content.receiver)
            sealed = {"key_id": content.key_id, "kid": public.kid, "jwe": wrap_for(public, key), "data": data}
            message = {**message, "content": sealed}
        elif content is not None:
            key = self._entropy(32)
            data = seal(key, content.key_id, "content", orjson.dumps(content.plain), self._entropy)
            message = {**message, "content": {"key_id": content.key_id, "data": data}}
            wrapped = wrap_for(self._public_key(directory, content.receiver), key)
            value = orjson.dumps({"v": 1, "receiver": content.receiver, "jwe": wrapped})
            found.append(self._key(content.key_id, value))
        partition = self.config.partition if delivery.topic == specs.DEADLETTERS.topic() else 0
        found.append(
            Outgoing(
                delivery.topic,
                delivery.key.encode(),
                orjson.dumps(message),
                self._headers(delivery.type, delivery.id, at, delivery.subject),
                partition,
            )
        )
        return found

    def _public_key(self, directory: Directory, receiver_id: str) -> ECKey:
        receiver = directory.receiver(receiver_id)
        assert receiver is not None  # dispatch names receivers of this directory only
        kid = receiver.public_key.kid
        if kid not in self._public:
            self._public[kid] = ECKey.import_key(receiver.public_key.jwk())
        return self._public[kid]

    def _headers(self, kind: str, event_id: str, at: int, subject: str | None) -> tuple[tuple[str, bytes], ...]:
        return tuple(envelope.write(id=event_id, type=kind, source=self._source, time_ms=at, subject=subject))

    def _rests(self, case_id: str, record: j.Record, message: j.LaneMessage | None) -> list[dict[str, Any]]:
        """The opened reports of a case, with the one that ``record`` adds to it."""
        found = [self._rest(entry) for entry in self._after(case_id, record)]
        found += [orjson.loads(part("rest")) for _, part in self._added(case_id, record, message)]
        return [rest for rest in found if rest is not None]

    def _after(self, case_id: str, record: j.Record) -> list[Entry]:
        """The reports that a case has after a record, without those that came with it."""
        entries = self._reports(case_id)
        for event in record.events:
            match event:
                case j.Related() if event.how == Relation.MERGED and event.case_id == case_id:
                    entries = [*entries, *self._reports(event.other)]
                case j.ReportsMoved() if event.case_id == case_id:
                    entries = [entry for entry in entries if entry.thread not in event.threads]
                case j.ReportsMoved() if event.to == case_id:
                    entries = [entry for entry in self._reports(event.case_id) if entry.thread in event.threads]
        return sorted(entries, key=lambda entry: entry.seq)

    def _added(
        self, case_id: str, record: j.Record, message: j.LaneMessage | None
    ) -> list[tuple[j.ReportInput | j.TransferredReport, Callable[[str], bytes]]]:
        """The reports that a record adds to a case; each with what opens a part of it (facts, rest)."""
        said = record.input
        # A report is of one case, whatever else is said because of it.
        added = any(isinstance(event, j.Registered) and event.case_id == case_id for event in record.events)
        if not added or message is None or not isinstance(said, j.ReportInput | j.TransferInput) or not said.sealed:
            return []
        if isinstance(said, j.ReportInput):
            plain = self._unwrapped(Key(message.wrap, message.wrapped))
            return [(said, lambda name: unseal(plain, said.key_id, name, said.sealed[name]))]
        new = self._passed_on_new(record)
        return [
            (one, partial(self._unsealed, said, number, Key(*message.keys[one.key_id])))
            for number, one in enumerate(said.reports)
            if one in new
        ]

    def _passed_on_new(self, record: j.Record) -> list[j.TransferredReport]:
        """The reports that another centre passed on and that were not known before the record: these alone are kept."""
        said = record.input
        registered = next((event for event in record.events if isinstance(event, j.Registered)), None)
        if not isinstance(said, j.TransferInput) or registered is None:
            return []
        case = self.book.cases.get(registered.case_id)
        known = self.book.around(case) if case is not None else set()
        return [one for one in said.reports if one.identity not in known]

    def _passed_on(self, case_id: str, record: j.Record, message: j.LaneMessage | None) -> list[PassedOn]:
        """The reports of a case as another centre gets them, oldest first: what is told of each, facts, rest."""
        found: list[PassedOn] = []
        for entry in self._after(case_id, record):
            facts, rest = self._part(entry, "facts"), self._part(entry, "rest")
            if facts is not None and rest is not None:
                source, _, report_id = entry.thread.rpartition("/")
                told = passed_on(source, report_id, entry.version, entry.kind, entry.received, entry.test, entry.counts)
                found.append((told, orjson.loads(facts), orjson.loads(rest)))
        for one, part in self._added(case_id, record, message):
            told = passed_on(one.source, one.report_id, one.version, one.kind, one.received, one.test, True)
            found.append((told, orjson.loads(part("facts")), orjson.loads(part("rest"))))
        return found

    def _rest(self, entry: Entry) -> dict[str, Any] | None:
        raw = self._part(entry, "rest")
        rest: dict[str, Any] | None = orjson.loads(raw) if raw is not None else None
        return rest

    def _need_contents(self, record: j.Record) -> None:
        """Ask at once for all that the messages of a record will hold."""
        cases = {
            event.case_id or ""
            for event in record.events
            # What is held back from its queue is sealed when it is put there.
            if (isinstance(event, j.Offered) and event.falls is None)
            or isinstance(event, j.OfferShown)
            or (isinstance(event, j.Told) and event.key_id is not None)
        }
        cases |= {event.other for event in _merged(record) if event.case_id in cases}
        cases |= {event.case_id for event in record.events if isinstance(event, j.ReportsMoved)}
        needed: list[Entry | Part] = [one for case_id in cases for one in self._reports(case_id)]
        self.contents.need([*needed, *(one for case_id in cases for one in self._assessment(case_id))])

    def _assessment(self, case_id: str) -> list[Part]:
        case = self.book.cases.get(case_id)
        return self.book.assessment_of(case) if case is not None else []

    def _agreed(self, case_id: str, record: j.Record, message: j.LaneMessage | None) -> list[dict[str, Any]]:
        """The shared assessment of a case, with what was agreed; what ``record`` adds to it, and that of a case that it
        merges into it, included."""
        others = [event.other for event in _merged(record) if event.case_id == case_id]
        key = Key(message.wrap, message.wrapped) if message is not None else None
        new = [
            new_part(event, record, key)
            for event in record.events
            if isinstance(event, j.AssessmentAdded) and event.case_id == case_id
        ]
        said_again = {one.party for one in new}
        known = (one for found in (case_id, *others) for one in self._assessment(found) if one.party not in said_again)
        sealed: Mapping[str, str] = getattr(record.input, "sealed", {})
        return [
            *(_shared(one, self._part(one, "spoken")) for one in sorted(known, key=lambda one: one.seq)),
            *(_shared(one, self._part(one, "spoken", sealed)) for one in new),
        ]

    def _reports(self, case_id: str) -> list[Entry]:
        case = self.book.cases.get(case_id)
        return self.book.reports_of(case) if case is not None else []

    def _facts(self, case_id: str) -> tuple[Facts | None, ...]:
        parts = [self._part(entry, "facts") for entry in self._reports(case_id)]
        return tuple(read_facts(raw) if raw is not None else None for raw in parts)

    def _part(self, entry: Entry | Part, part: str, parts: Mapping[str, str] | None = None) -> bytes | None:
        """What was sealed under that name; of what is decided just now it lies in ``parts``."""
        if entry.wrap is None or entry.wrapped is None:
            return None
        if entry.number is not None:
            part = f"{part}-{entry.number}"
        sealed = (self.contents.of(entry) if parts is None else parts).get(part)
        if sealed is None:
            return None
        return unseal(self._unwrapped(Key(entry.wrap, entry.wrapped)), entry.key_id, part, sealed)

    def _opened(self, said: j.ReportInput, plain: bytes, key: Key) -> Opened:
        links = tuple(read_links(unseal(plain, said.key_id, "links", said.sealed["links"])))
        incident = next((link.code for link in links if link.kind == LinkKind.SAME_INCIDENT.value), None)
        return Opened(links, key, incident)

    def _passed_on_opened(self, said: j.TransferInput, key: Key | None, keys: Sequence[Key | None]) -> Opened:
        """What links each report that another centre passed on; of one that was destroyed nothing does."""
        each = tuple(
            (tuple(read_links(self._unsealed(said, number, own, "links"))) if own is not None else (), own)
            for number, own in enumerate(keys)
        )
        return Opened(tuple(link for links, _ in each for link in links), key, None, each)

    def _unsealed(self, said: j.TransferInput, number: int, key: Key, name: str) -> bytes:
        """A part of one of the reports that another centre passed on."""
        part = f"{name}-{number}"
        return unseal(self._unwrapped(key), said.reports[number].key_id, part, said.sealed[part])

    def _unwrapped(self, key: Key) -> bytes:
        return self.config.keys.unwrapped(key.wrap, key.wrapped)

    def _strange(self, record: Arrived) -> j.LaneMessage:
        """A lane record that nobody of ours can have written: kept like any other dead letter."""
        key = self._entropy(32)
        key_id = str(uuid5(NAMESPACE, f"{record.topic}/{record.partition}/{record.offset}"))
        wrap, wrapped = self.config.keys.wrapped(key)
        return j.LaneMessage(
            region=self.config.name,
            wrap=wrap,
            wrapped=wrapped,
            original=seal(key, key_id, "original", record.value or b"", self._entropy),
            problem=None,
            warnings=(),
            input=j.RefusedInput(
                origin=j.Origin(
                    topic=record.topic, partition=record.partition, offset=record.offset, arrived=record.at
                ),
                source=record.topic,
                source_kind="OTHER",
                reason=DeadLetterReason.NOT_JSON.value,
                acute=False,
                report_id=None,
                version=None,
                key_id=key_id,
            ),
        )

    # Snapshots ---------------------------------------------------------------------------------------

    def snapshot_wanted(self) -> bool:
        """After an erasure: what the last snapshot still holds must go."""
        return self._erased

    def snapshot(self, journal_next: int, keys_next: int) -> Iterator[list[Outgoing]]:
        """See ``Writer``."""
        self._erased = False
        parts = chain(shelf.parts(self.book), self.contents.parts())
        return self._saved.written(parts, journal_next, keys_next, self.config.partition)


def _shared(one: Part, spoken: bytes | None) -> dict[str, Any]:
    return {
        "party": one.party,
        "at": one.at,
        "version": one.version,
        "scale": one.scale,
        "indicators": one.indicators,
        "valid_until": one.valid_until,
        "conditions": orjson.loads(spoken or b"{}").get("conditions", []),
    }


def _merged(record: j.Record) -> list[j.Related]:
    """The cases that this record merges."""
    return [event for event in record.events if isinstance(event, j.Related) and event.how == Relation.MERGED]
