"""A case as the book holds it: its reports, its handovers, and the small form in which it waits.

Slotted and plain. Times are ms since 1970 UTC.
"""

import hashlib
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from topics import journal as j
from topics.codes import Colour, HandoverState, NoticeState

DIGEST = 15
"""Bytes by which an id or a code is known. With one more, Python takes 64 bytes for each of them instead of 48: a case
has a dozen."""
AWAITS_ANSWER = frozenset({HandoverState.OFFERED.value, HandoverState.RECEIVED.value, HandoverState.ACKNOWLEDGED.value})
WENT_OUT = frozenset({NoticeState.RELEASED.value, NoticeState.REPEATED.value})
"""Prepared notices that were sent."""
OPEN = AWAITS_ANSWER | {HandoverState.ACCEPTED.value, HandoverState.STARTED.value}


@dataclass(slots=True)
class Stands:
    """How something stands that holds for some time. ``since`` in ms; of what has ended, since when that is so.
    ``until`` is its last day in the Netherlands (ISO), when it is known."""

    state: str
    since: int
    until: str | None


@dataclass(slots=True)
class Entry:
    """One report of a case. Its sealed parts lie in the journal, in record ``seq``; ``wrapped`` opens them.

    The wrapped key goes when the household is erased.
    """

    thread: str
    version: int
    kind: str
    received: int
    at: int
    counts: bool
    seq: int
    key_id: str
    wrap: str | None = None
    wrapped: str | None = None
    incident: str | None = None
    test: bool = False
    perpetrator_known: bool = False
    """Whether the alleged perpetrator was known from another household when it came."""
    codes: list[int] = field(default_factory=list)
    """Its match keys, by their place among those of the case."""
    number: int | None = None
    """Which one of the record's reports, when another centre passed several on."""

    @property
    def identity(self) -> str:
        return f"{self.thread}/{self.version}"


@dataclass(slots=True)
class Part:
    """One party's part of the shared safety assessment. What was agreed lies sealed in the journal, as an entry's."""

    party: str
    version: int
    at: int
    scale: int | None
    indicators: dict[str, str]
    valid_until: str | None
    seq: int
    key_id: str
    wrap: str | None = None
    wrapped: str | None = None
    number: int | None = None
    """Which one of the record's parts, when another centre passed several on."""


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
    withheld: bool = False
    """Whether it is not on its receiver's queue yet: that is, or was, out of service."""
    shows: int | None = None
    """When it is put there."""
    phoned: bool = False
    """Whether it was accepted by telephone."""
    falls: int | None = None
    """From when the centre has it, for its receiver is out of service."""

    def due(self) -> int | None:
        """When something is due next; None when nothing is waited for."""
        if self.state not in AWAITS_ANSWER:
            return None
        return min((due for due in (self.step_due(), self.shows, self.falls) if due is not None), default=None)

    def last_step(self) -> str | None:
        """The last step that its ladder took; None when none was taken yet."""
        return self.ladder[self.next_step - 1].name if self.next_step else None

    def step_due(self) -> int | None:
        """When the next step of its ladder is due."""
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
    episode: int = 0
    """Number of the record with which this episode began: what came before has had its own colour."""
    policy: str = ""
    closed: bool = False
    erased: bool = False
    unweighed: bool = False
    """Whether something acute was said of it since it was closed: the rules are asked when it is reopened."""
    test: bool = False
    refusals: int = 0
    avoided: list[str] = field(default_factory=list)
    """Receivers and organisations that may not get it: somebody involved works there (Filter K)."""
    too_severe: list[str] = field(default_factory=list)
    """Teams that found it too severe: never again to them."""
    standing: dict[str, Stands] = field(default_factory=dict)
    """What holds for the household for some time."""
    prepared: dict[str, list[str | None]] = field(default_factory=dict)
    """Notices beside the handover: id -> rule, to whom (kind), receiver, by which way, how it stands."""
    consults: dict[str, list[str | None]] = field(default_factory=dict)
    """Who was asked to think along: id -> receiver, what it answered."""
    terms: dict[str, int] = field(default_factory=dict)
    """What is owed: term -> when it is due (ms)."""
    steps: dict[str, list[int]] = field(default_factory=dict)
    """Of what is owed: term -> when the next step of its ladder fires (ms), and which one that is."""
    conditions: list[str] = field(default_factory=list)
    board_request: list[str] = field(default_factory=list)
    board_unknown: list[str] = field(default_factory=list)
    earlier: dict[str, int] = field(default_factory=dict)
    """Earlier reports that counted as repetition: source and id -> when received."""
    assessment: list[Part] = field(default_factory=list)
    """The newest part of each party."""
    roles: dict[str, list[str]] = field(default_factory=dict)
    """What a person or a raise gave: role -> who. Executor and owner are not among them."""
    confirmed: list[str] = field(default_factory=list)
    """Other cases that a person found to be of the same household."""
    unlinked: list[str] = field(default_factory=list)
    """Other cases that a person found not to be."""
    offered_by: list[str] = field(default_factory=list)
    """While another centre offers it and is its owner: that region, the case there, the open handover there."""
    absorbed: list[str] = field(default_factory=list)
    """Cases that go on in this one."""
    merged_into: str | None = None
    family_refuses: bool = False
    """Whether a receiver found in this episode that the family does not cooperate."""
    assessed: int | None = None
    """When a person assessed this episode."""
    last_at: int = 0
    entries: list[Entry] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    links: list[list[str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """Ids of answers and acts that were taken in."""

    def step_due(self) -> int | None:
        """When the next step about anything that is owed fires."""
        return min((due for due, _ in self.steps.values()), default=None)

    def has_due(self, moment: int) -> bool:
        """Whether something about an offer, or about what is owed, is due just then."""
        return any(found.due() == moment for found in self.handovers) or any(
            due == moment for due, _ in self.steps.values()
        )

    def owe_nothing(self) -> None:
        """Nothing is owed any more."""
        self.terms, self.steps = {}, {}

    def current(self) -> Handover | None:
        """The handover that is open, newest first."""
        return next((found for found in reversed(self.handovers) if found.state in OPEN), None)

    def awaiting(self) -> Handover | None:
        """The handover that is waited for, newest first."""
        return next((found for found in reversed(self.handovers) if found.state in AWAITS_ANSWER), None)

    def handover(self, handover_id: str) -> Handover | None:
        """The handover of that id."""
        return next((found for found in self.handovers if found.id == handover_id), None)


def severity(colour: str | None) -> int:
    """How urgent; what has no colour waits among the yellow ones."""
    return Colour(colour).severity if colour else 1


# A case takes 5 KB as objects, 2.3 KB as JSON and 0.5 KB packed with the words that every case has: a region may
# hold a million of them. The words are part of the form: to change them is to change ``book.FOLD``.
_WORDS = orjson.dumps(
    Case(
        id="",
        opened=1795508064448,
        owner="vt-",
        executor="vt-",
        colour=Colour.GREEN.value,
        settled_floor=Colour.GREEN.value,
        reasons=["R1", "R2", "R3", "U1", "P1", "R4"],
        destination="TEAM",
        rule="X11",
        policy="",
        terms={
            "T02": 1796165999000,
            "T04": 1797029999000,
            "T05": 1796425199000,
            "T06": 1796338799000,
            "T08": 1802127599000,
            "T09": 1798498799000,
        },
        steps={
            "T02": [1796165999000, 0],
            "T04": [1796943600000, 0],
            "T05": [1796209200000, 0],
            "T08": [1801494000000, 0],
            "T09": [1797894000000, 0],
        },
        last_at=1795508064448,
        entries=[
            Entry(
                "politie-",
                1,
                "REPORT",
                1795508063573,
                1795508064448,
                True,
                100,
                "",
                "w1",
                "",
                None,
                codes=[0, 1, 2, 3, 4, 5],
            ),
        ],
        handovers=[
            Handover(
                "",
                "wijkteam-",
                "TEAM",
                Colour.GREEN.value,
                HandoverState.OFFERED.value,
                1795508064448,
                1796165999000,
                [
                    j.Step(name="REMINDER", due=1795777200000, tells=("wijkteam-",)),
                    j.Step(name="SPECIALIST", due=1796165999000, tells=("wijkteam-/hg-", "vt-beoordeling/cp-")),
                    j.Step(
                        name="COORDINATOR",
                        due=1796252399000,
                        tells=("vt-coordinatie", "gemeente-", "gemeenten-"),
                    ),
                    j.Step(name="RECALLED", due=1796425199000, tells=()),
                ],
                "cp-",
                "hg-",
                "",
            )
        ],
        keys=["", ""],
        codes=["m1:", "m1:"],
    )
)


def pack(case: Case) -> bytes:
    """The small form."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 12, 5, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return packer.compress(orjson.dumps(case)) + packer.flush()


def plain(packed: bytes) -> bytes:
    """The case of a small form as JSON."""
    return zlib.decompressobj(12, _WORDS).decompress(packed)


def unpack(packed: bytes) -> Case:
    """The case again; raises ``zlib.error`` when it was packed with other words."""
    found: dict[str, Any] = orjson.loads(plain(packed))
    for handover in found["handovers"]:
        handover["ladder"] = [
            j.Step(name=step["name"], due=step["due"], tells=tuple(step["tells"])) for step in handover["ladder"]
        ]
    found["handovers"] = [Handover(**handover) for handover in found["handovers"]]
    found["entries"] = [Entry(**entry) for entry in found["entries"]]
    found["assessment"] = [Part(**part) for part in found["assessment"]]
    found["standing"] = {what: Stands(**stands) for what, stands in found["standing"].items()}
    return Case(**found)


@lru_cache(maxsize=8_192)
def short(text: str) -> bytes:
    """So many bytes that stand for an id or a code in the book's indexes: a million of them must fit in memory."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST).digest()
