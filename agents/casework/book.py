"""The book of a region: everything its decisions look at. ``book = fold(journal)``.

``apply`` is the only thing that changes it, and it is total: it never refuses a record of this format.
Slotted and plain, because a region may hold a million of these. Times are ms since 1970 UTC.
"""

import heapq
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from agents.facts import Link
from topics import journal as j
from topics.codes import Colour, HandoverState

FOLD = 1
"""Version of this fold: a snapshot of another one is not read."""

AWAITS_ANSWER = frozenset({HandoverState.OFFERED.value, HandoverState.RECEIVED.value, HandoverState.ACKNOWLEDGED.value})
OPEN = AWAITS_ANSWER | {HandoverState.ACCEPTED.value, HandoverState.STARTED.value}
ORIGINS_KEPT_MS = 32 * 24 * 3_600_000
"""Longer than any topic from outside keeps its records: for so long a second delivery can still come."""


@dataclass(slots=True)
class Entry:
    """One report in the book. ``sealed`` and ``wrapped`` go when its household is erased."""

    identity: str
    thread: str
    version: int
    kind: str
    received: int
    at: int
    counts: bool
    fingerprint: str
    origin: str
    key_id: str
    wrap: str | None = None
    wrapped: str | None = None
    sealed: dict[str, str] = field(default_factory=dict)
    incident: str | None = None
    test: bool = False


@dataclass(slots=True)
class Handover:
    """A case offered to one receiver."""

    id: str
    receiver: str
    destination: str
    colour: str | None
    state: str
    offered: int
    accept_before: int
    ladder: list[j.Step]
    contact_person: str | None
    dv_specialist: str | None
    key_id: str
    next_step: int = 0
    again: int | None = None
    acknowledged: int | None = None
    accepted: int | None = None
    started: int | None = None

    def due(self) -> int | None:
        """When its next step is due; None when nothing is waited for."""
        if self.state not in AWAITS_ANSWER:
            return None
        return self.ladder[self.next_step].due if self.next_step < len(self.ladder) else self.again


@dataclass(slots=True)
class Case:
    """One household's matter. ``handovers`` in the order of their offers; at most one of them is open."""

    id: str
    opened: int
    owner: str
    executor: str
    colour: str | None = None
    provisional: bool = False
    settled_floor: str | None = None
    """The colour without what is only provisional: settling cannot go below it."""
    reasons: list[str] = field(default_factory=list)
    open_questions: list[str] = field(default_factory=list)
    destination: str | None = None
    rule: str | None = None
    involvement: str = "FIRST"
    policy: str = ""
    closed: bool = False
    erased: bool = False
    test: bool = False
    refusals: int = 0
    avoided: list[str] = field(default_factory=list)
    """Teams that found the case too severe."""
    last_at: int = 0
    entries: list[Entry] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    links: list[list[str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """Ids of answers and acts that were taken in."""

    def current(self) -> Handover | None:
        """The handover that is open, newest first."""
        return next((found for found in reversed(self.handovers) if found.state in OPEN), None)

    def handover(self, handover_id: str) -> Handover | None:
        return next((found for found in self.handovers if found.id == handover_id), None)


@dataclass(slots=True)
class Key:
    """How a sealed part of an accepted copy can be opened: the wrapped key and its wrap key's name."""

    wrap: str
    wrapped: str


@dataclass(slots=True)
class Opened:
    """What the edge could open of a record's input. Missing when the household was erased."""

    links: tuple[Link, ...] = ()
    key: Key | None = None
    incident: str | None = None


class Book:
    """The state of one region. Change it with ``apply`` alone."""

    __slots__ = (
        "_heaps", "by_handover", "cases", "codes", "directory", "directory_hash", "identities", "now", "origins",
        "policy", "policy_hash", "positions", "region", "seq", "threads",
    )  # fmt: skip

    def __init__(self, region: str) -> None:
        self.region = region
        self.seq = 0
        self.now = 0
        self.positions: dict[str, tuple[int, int]] = {}
        """Lane -> (epoch, next offset)."""
        self.policy = ""
        self.directory = ""
        self.policy_hash = ""
        self.directory_hash = ""
        self.cases: dict[str, Case] = {}
        self.by_handover: dict[str, str] = {}
        self.identities: dict[str, tuple[str | None, str, str]] = {}
        """Report identity -> (case, fingerprint, origin)."""
        self.threads: dict[str, tuple[int, str | None]] = {}
        """Report id of a source -> (highest version, case)."""
        self.codes: dict[str, list[str]] = {}
        """Match key -> cases."""
        self.origins: dict[str, int] = {}
        """Where refused messages and answers without a case came in -> when."""
        self._heaps: tuple[list[tuple[int, str]], ...] = tuple([] for _ in Colour)

    # Reading -----------------------------------------------------------------------------------------

    def due(self) -> int | None:
        """The earliest moment at which a step is due."""
        return min((heap[0][0] for heap in self._heaps if self._clean(heap)), default=None)

    def all_due(self, now: int, most: int) -> list[tuple[Case, Handover]]:
        """What is due at ``now``: the most urgent colour first, then the longest due; at most so many."""
        found: list[tuple[Case, Handover]] = []
        for heap in reversed(self._heaps):
            taken: list[tuple[int, str]] = []
            while len(found) < most and self._clean(heap) and heap[0][0] <= now:
                taken.append(heapq.heappop(heap))
                pair = self.open_handover(taken[-1][1])
                if pair is not None and pair not in found:
                    found.append(pair)
            # Looking changes nothing: what was taken out goes back until the firing is folded in.
            for entry in taken:
                heapq.heappush(heap, entry)
        return found

    def _clean(self, heap: list[tuple[int, str]]) -> bool:
        """Drop what is no longer due from the top; whether something is left."""
        while heap:
            pair = self.open_handover(heap[0][1])
            if pair is not None and pair[1].due() == heap[0][0]:
                return True
            heapq.heappop(heap)
        return False

    def open_handover(self, handover_id: str) -> tuple[Case, Handover] | None:
        """A handover and its case, by id."""
        case = self.cases.get(self.by_handover.get(handover_id, ""))
        handover = case.handover(handover_id) if case is not None else None
        return (case, handover) if case is not None and handover is not None else None

    # Folding -----------------------------------------------------------------------------------------

    def apply(self, record: j.Record, opened: Opened) -> None:
        """Fold one record in. ``opened`` is what could be unsealed of its input."""
        self.seq = record.seq + 1
        self.now = max(self.now, record.at)
        if record.lane != j.CLOCK:
            self.positions[record.lane] = (record.epoch, record.offset + 1)
        case_id: str | None = None
        for event in record.events:
            self._event(event, record, opened)
            case_id = getattr(event, "case_id", None) or case_id
        if case_id is not None and (case := self.cases.get(case_id)) is not None:
            case.last_at = record.at
        self._remember(record, case_id)

    def _remember(self, record: j.Record, case_id: str | None) -> None:
        """So that the same message, by whatever way, is known again."""
        said = record.input
        if isinstance(said, j.TickInput | j.ConfigureInput):
            return
        origin = place(said.origin)
        repeated = any(isinstance(event, j.Repeated) for event in record.events)
        dead = any(isinstance(event, j.DeadLettered) for event in record.events)
        if dead and (about := self._about(said)) is not None:
            # A dead letter of a household that is known goes with it.
            about.keys.append(said.key_id)
        if dead or repeated or case_id is None:
            self.origins[origin] = record.at
        elif isinstance(said, j.AnswerInput | j.ActInput):
            own = said.answer_id if isinstance(said, j.AnswerInput) else said.act_id
            if (case := self.cases.get(case_id)) is not None:
                case.done.append(own)
                if said.sealed:
                    case.keys.append(said.key_id)
            self.origins[origin] = record.at
        if isinstance(said, j.ReportInput) and not dead and not repeated:
            self.identities[said.identity] = (case_id, said.fingerprint, origin)
            highest = self.threads.get(said.thread)
            if highest is None or said.version > highest[0]:
                # A version without a case (advice) does not undo the case of the ones before.
                belongs_to = case_id if case_id is not None or highest is None else highest[1]
                self.threads[said.thread] = (said.version, belongs_to)
        if len(self.origins) % 1024 == 0 and self.origins:
            oldest = record.at - ORIGINS_KEPT_MS
            self.origins = {where: at for where, at in self.origins.items() if at >= oldest}

    def _about(self, said: j.Input) -> Case | None:
        """The case that a message names, whatever became of the message."""
        match said:
            case j.ReportInput():
                return self.cases.get(self.identities.get(said.identity, (None, "", ""))[0] or "")
            case j.AnswerInput() | j.ActInput():
                return self.cases.get(said.case_id)
            case _:
                return None

    def _event(self, event: j.Event, record: j.Record, opened: Opened) -> None:
        match event:
            case j.Configured():
                assert isinstance(record.input, j.ConfigureInput)
                self.policy, self.directory = record.input.policy, record.input.directory
                self.policy_hash, self.directory_hash = event.policy_hash, event.directory_hash
            case j.Registered():
                self._registered(event, record, opened)
            case j.Linked():
                if (case := self._last_registered(record)) is not None:
                    case.links.append([event.case_id, event.kind, event.certainty])
            case j.Triaged():
                case = self.cases[event.case_id]
                case.colour, case.provisional = event.colour, event.provisional
                case.reasons, case.open_questions = list(event.reasons), list(event.open_questions)
                case.settled_floor = event.floor
            case j.Routed():
                case = self.cases[event.case_id]
                case.destination, case.rule = event.destination, event.rule
            case j.Offered():
                self._offered(event, record)
            case j.Answered():
                self._answered(event, record)
            case j.ExecutorChanged():
                self.cases[event.case_id].executor = event.executor
            case j.OwnerChanged():
                self.cases[event.case_id].owner = event.owner
            case j.StepFired():
                pair = self.open_handover(event.handover_id)
                if pair is not None:
                    pair[1].next_step = min(pair[1].next_step + 1, len(pair[1].ladder))
                    pair[1].again = event.again
                    self._push(pair[1])
            case j.TakenBack():
                pair = self.open_handover(event.handover_id)
                if pair is not None:
                    pair[1].state = event.state
            case j.Told():
                if event.key_id is not None and event.case_id in self.cases:
                    self.cases[event.case_id].keys.append(event.key_id)
            case j.ActDone():
                case = self.cases[event.case_id]
                case.colour, case.provisional = event.colour, event.provisional
                if not event.provisional:
                    case.settled_floor = event.colour
                if event.kind in ("CLOSE", "REOPEN"):
                    case.closed = event.kind == "CLOSE"
            case j.Erased():
                self._erased(event)
            case j.MoveRefused() | j.Repeated() | j.NotDecided() | j.DeadLettered():
                pass

    def _last_registered(self, record: j.Record) -> Case | None:
        for event in record.events:
            if isinstance(event, j.Registered):
                return self.cases.get(event.case_id)
        return None

    def _registered(self, event: j.Registered, record: j.Record, opened: Opened) -> None:
        said = record.input
        assert isinstance(said, j.ReportInput)
        case = self.cases.get(event.case_id)
        if case is None:
            case = Case(id=event.case_id, opened=record.at, owner=event.owner, executor=event.owner)
            case.policy = record.policy
            case.test = said.test
            self.cases[case.id] = case
        if case.closed:
            # A report on a closed case opens a new episode with its own colour.
            case.closed, case.colour, case.provisional, case.settled_floor = False, None, False, None
        case.involvement = event.involvement
        key = opened.key
        case.entries.append(
            Entry(
                identity=said.identity,
                thread=said.thread,
                version=said.version,
                kind=said.kind,
                received=said.received,
                at=record.at,
                counts=event.counts,
                fingerprint=said.fingerprint,
                origin=place(said.origin),
                key_id=said.key_id,
                wrap=key.wrap if key else None,
                wrapped=key.wrapped if key else None,
                sealed={part: said.sealed[part] for part in ("facts", "rest") if part in said.sealed} if key else {},
                incident=opened.incident,
                test=said.test,
            )
        )
        case.keys.append(said.key_id)
        for link in opened.links:
            known = self.codes.setdefault(link.code, [])
            if case.id not in known:
                known.append(case.id)
                case.codes.append(link.code)

    def _offered(self, event: j.Offered, record: j.Record) -> None:
        handover = Handover(
            id=event.handover_id,
            receiver=event.receiver,
            destination=event.destination,
            colour=event.colour,
            state=HandoverState.OFFERED.value,
            offered=record.at,
            accept_before=event.accept_before,
            ladder=list(event.ladder),
            contact_person=event.contact_person,
            dv_specialist=event.dv_specialist,
            key_id=event.key_id,
        )
        case = self.cases[event.case_id]
        case.handovers.append(handover)
        case.keys.append(event.key_id)
        self.by_handover[handover.id] = case.id
        self._push(handover)

    def _answered(self, event: j.Answered, record: j.Record) -> None:
        pair = self.open_handover(event.handover_id)
        if pair is None:
            return
        case, handover = pair
        if event.reason == "CAPACITY":
            return  # recorded, and it releases nobody
        handover.state = event.state
        if event.state == "ACKNOWLEDGED":
            handover.acknowledged = record.at
        elif event.state == "ACCEPTED":
            handover.accepted = record.at
        elif event.state == "STARTED":
            handover.started = record.at
        elif event.state in ("REFUSED", "RETURNED"):
            case.refusals += 1
            if event.reason == "TOO_SEVERE":
                case.avoided.append(handover.receiver)

    def _erased(self, event: j.Erased) -> None:
        case = self.cases[event.case_id]
        case.erased = True
        for entry in case.entries:
            entry.wrap = entry.wrapped = entry.incident = None
            entry.sealed = {}
        for code in case.codes:
            left = [other for other in self.codes.get(code, ()) if other != case.id]
            if left:
                self.codes[code] = left
            else:
                self.codes.pop(code, None)
        case.codes = []
        case.keys = []

    def _push(self, handover: Handover) -> None:
        due = handover.due()
        if due is not None:
            heapq.heappush(self._heaps[_severity(handover.colour)], (due, handover.id))

    # Snapshot ----------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The whole book as canonical JSON: equal books give equal bytes."""
        return orjson.dumps(
            {
                "fold": FOLD,
                "region": self.region,
                "seq": self.seq,
                "now": self.now,
                "positions": self.positions,
                "policy": self.policy,
                "directory": self.directory,
                "policy_hash": self.policy_hash,
                "directory_hash": self.directory_hash,
                "cases": [asdict(case) for case in self.cases.values()],
                "identities": self.identities,
                "threads": self.threads,
                "codes": self.codes,
                "origins": self.origins,
            },
            option=orjson.OPT_SORT_KEYS,
        )


def decode_book(raw: bytes) -> Book:
    """A book from its bytes; raises ``UnknownFormat`` when another fold wrote it."""
    found = orjson.loads(raw)
    if found["fold"] != FOLD:
        raise j.UnknownFormat(f"snapshot of fold {found['fold']}, this release has {FOLD}")
    book = Book(found["region"])
    for name in ("seq", "now", "policy", "directory", "policy_hash", "directory_hash", "codes", "origins"):
        setattr(book, name, found[name])
    book.positions = {lane: (epoch, offset) for lane, (epoch, offset) in found["positions"].items()}
    book.identities = {identity: (case, mark, where) for identity, (case, mark, where) in found["identities"].items()}
    book.threads = {thread: (version, case) for thread, (version, case) in found["threads"].items()}
    for plain in found["cases"]:
        case = _case(plain)
        book.cases[case.id] = case
        for handover in case.handovers:
            book.by_handover[handover.id] = case.id
            book._push(handover)
    return book


def _case(plain: dict[str, Any]) -> Case:
    handovers = []
    for found in plain["handovers"]:
        found["ladder"] = [
            j.Step(name=step["name"], due=step["due"], tells=tuple(step["tells"])) for step in found["ladder"]
        ]
        handovers.append(Handover(**found))
    entries = [Entry(**found) for found in plain["entries"]]
    return Case(**{**plain, "handovers": handovers, "entries": entries})


def place(origin: j.Origin) -> str:
    """Where a message came in, as one word."""
    return f"{origin.topic}/{origin.partition}/{origin.offset}"


def _severity(colour: str | None) -> int:
    return Colour(colour).severity if colour else 1
