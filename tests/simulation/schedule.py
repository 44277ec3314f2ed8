"""A seed -> a schedule: what everybody outside does, who runs for how long, and what fails. The same seed, the same.

Steps name what they are about by a number that is taken among what there is when their turn comes, so that a schedule
does not depend on what the product makes of it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.reports import GARBAGE, PER_HOUSEHOLD, STOCK
from topics.codes import Colour, RefusalReason

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
UNTIL_IDLE = 400
HELD_UP = ("kill", "kill", "freeze", "fail")
MOVES = (
    "RECEIVED",
    "ACKNOWLEDGED",
    "ACCEPTED",
    "ACCEPTED",
    "STARTED",
    "STARTED",
    "COMPLETED",
    "REFUSED",
    "REFUSED",
    "RETURNED",
)
ACTS = ("RAISE", "LOWER", "SETTLE", "CLOSE", "CLOSE", "REOPEN", "SEEN", "ERASE", "ERASE")
WHILES = (
    SECOND,
    3 * SECOND,
    5_500,
    MINUTE,
    15 * MINUTE,
    31 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    DAY,
    3 * DAY,
    8 * DAY,
    15 * DAY,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """At the so-manieth point of a transaction or a send: the process dies, stands still, or is told an error."""

    point: int
    how: str


@dataclass(frozen=True, slots=True)
class Report:
    """A source publishes one of the stock: new, again, another version, or another content under the same id."""

    number: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """A source publishes what nobody can read."""

    source: int
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver answers an offer (``offer`` counted from the newest): itself, or ``wrong`` in another's place."""

    offer: int
    state: str
    reason: str
    wrong: bool
    again: bool
    """The answer before is sent once more instead."""


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody of the centre acts on the case of an offer."""

    offer: int
    kind: str
    colour: str
    second: str | None
    settled: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes: so long, or (``to_due``) up to so far from the next deadline. Hearts beat meanwhile, or do not."""

    ms: int
    to_due: bool
    beats: bool


@dataclass(frozen=True, slots=True)
class Leap:
    """The broker's clock leaps ahead for some heartbeats, and back."""

    ms: int
    beats: int


@dataclass(frozen=True, slots=True)
class Intake:
    """Intake runs for some turns."""

    turns: int
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Casework:
    """The worker that holds the region runs. Delivery may leave out the next record (``hole``) or begin ``back``."""

    turns: int
    fault: Fault | None
    hole: bool
    back: int


@dataclass(frozen=True, slots=True)
class End:
    """A process ends: killed, frozen, or closed as at a rebalance. A region that was closed comes back: at once
    (``back``), or when another has had it (``close``).

    Else whoever runs next of its kind is another process.
    """

    who: str
    how: str


@dataclass(frozen=True, slots=True)
class Thaw:
    """Everybody who was frozen goes on for some turns, and knows nothing of what happened since."""

    turns: int


@dataclass(frozen=True, slots=True)
class Forget:
    """A group is empty, and its offsets are gone."""

    who: str


Step = Report | Garbage | Answer | Act | Pass | Leap | Intake | Casework | End | Thaw | Forget


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens in one run; ``cold`` workers keep nothing in memory that need not be there."""

    seed: int
    cold: bool
    clock_off: int
    """By how much the workers' own clock is off, ms."""
    after: int
    """How long everything goes on quietly at the end, ms."""
    heirs: bool
    """Whoever takes the region over has prepared its book a while before."""
    steps: tuple[Step, ...]


def drawn(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)
    steps: list[Step] = [_report(chance), _intake(chance), _casework(chance)]
    # Short ones are found out sooner, and fail in a way that can be read.
    length = 5 + min(chance.randrange(36), chance.randrange(18), chance.randrange(18))
    while len(steps) < length:
        steps += _some(chance)
    return Schedule(
        seed=seed,
        cold=chance.random() < 0.35,
        clock_off=chance.choice((0, 0, HOUR, -HOUR)),
        after=chance.choice((0, 0, 0, 9 * DAY)),
        heirs=seed % 8 == 0,
        steps=tuple(steps),
    )


def _some(chance: random.Random) -> list[Step]:
    """One thing that happens, and often what follows by itself: intake and casework get to run."""
    (draw,) = chance.choices(list(_MENU), list(_MENU.values()))
    found = draw(chance)
    if isinstance(found, tuple):
        return [*found]
    steps: list[Step] = [found]
    if isinstance(found, Report | Garbage | Answer | Act):
        if chance.random() < 0.6:
            steps.append(_intake(chance))
        if chance.random() < 0.6:
            steps.append(_casework(chance))
    return steps


def _fault(chance: random.Random, likely: float, most: int) -> Fault | None:
    return Fault(chance.randint(1, most), chance.choice(HELD_UP)) if chance.random() < likely else None


def _report(chance: random.Random) -> Step:
    # Some of the stock alone, so that the same comes more than once.
    return Report(chance.choice((chance.randrange(STOCK), chance.randrange(6))))


def _garbage(chance: random.Random) -> Step:
    return Garbage(chance.randrange(3), chance.randrange(len(GARBAGE)))


def _answer(chance: random.Random) -> Step:
    return Answer(
        offer=min(chance.randrange(6), chance.randrange(6), chance.randrange(6)),
        state=chance.choice(MOVES),
        reason=chance.choice(list(RefusalReason)).value,
        wrong=chance.random() < 0.06,
        again=chance.random() < 0.08,
    )


def _act(chance: random.Random) -> Step:
    return Act(
        offer=min(chance.randrange(4), chance.randrange(4)),
        kind=chance.choice(ACTS),
        colour=chance.choice(list(Colour)).value,
        second=chance.choice((None, "m.vt-08", "m.vt-08")),
        settled=chance.choice(("NO", "NO", "YES", "UNKNOWN")),
    )


def _handed_over(chance: random.Random) -> tuple[Step, ...]:
    """Somebody stands still in the middle of his work, another takes it over, and the first goes on."""
    work = (_report(chance), Intake(UNTIL_IDLE, None))
    stopped = Casework(UNTIL_IDLE, Fault(chance.randint(2, 9), "freeze"), hole=False, back=0)
    return (*work, stopped, Casework(UNTIL_IDLE, None, hole=False, back=0), _thaw(chance))


def _lent(chance: random.Random) -> tuple[Step, ...]:
    """The region goes to another, maybe while its book is being saved, and comes back with nothing decided there."""
    work = (*(_report(chance) for _ in range(6)), Intake(UNTIL_IDLE, None))
    idle = Casework(UNTIL_IDLE, None, hole=False, back=0)
    away = (Casework(chance.randint(25, 90), None, hole=False, back=0), End("casework", "close"), idle, idle)
    return (*work, *away, End("casework", chance.choice(("close", "kill"))), idle, idle)


def _race(chance: random.Random) -> tuple[Step, ...]:
    """An answer and its deadline: which comes first is a matter of moments, and intake may be late."""
    answer = Answer(chance.randrange(2), chance.choice(("ACCEPTED", "STARTED", "REFUSED")), "UNREACHABLE", False, False)
    wait = Pass(chance.choice((-1, 0, 1, 40 * SECOND)), to_due=True, beats=True)
    first, then = chance.choice(((answer, wait), (answer, wait), (wait, answer)))
    between = (_intake(chance),) if chance.random() < 0.3 else ()
    return (first, *between, then, Casework(UNTIL_IDLE, None, hole=False, back=0))


def _once_more(chance: random.Random) -> tuple[Step, ...]:
    """After a while one more report about the same household: its case may rise while somebody is waited for."""
    number = chance.randrange(STOCK)
    another = number - number % PER_HOUSEHOLD + chance.randrange(PER_HOUSEHOLD)
    run = (Intake(UNTIL_IDLE, None), Casework(UNTIL_IDLE, None, hole=False, back=0))
    while_ = Pass(chance.choice((MINUTE, 2 * HOUR, 4 * DAY)), to_due=False, beats=True)
    return (Report(number), *run, while_, Report(another), *run)


def _wound_up(chance: random.Random) -> tuple[Step, ...]:
    """A case is taken up, closed, and its household erased: by chance alone that hardly comes together."""
    offer = chance.randrange(2)
    run = (Intake(UNTIL_IDLE, None), Casework(UNTIL_IDLE, None, hole=False, back=0))
    answer = Answer(offer, "STARTED", "", wrong=False, again=False)
    acts = (Act(offer, kind, "GREEN", "m.vt-08", "NO") for kind in ("CLOSE", "ERASE"))
    return (*run, answer, *run, *acts)


def _pass(chance: random.Random) -> Step:
    if chance.random() < 0.5:
        return Pass(chance.choice((-1, 0, 1, 1, 2 * SECOND, 40 * SECOND)), to_due=True, beats=chance.random() < 0.9)
    return Pass(chance.choice(WHILES) + chance.randrange(1_000), to_due=False, beats=chance.random() < 0.9)


def _leap(chance: random.Random) -> tuple[Step, ...]:
    leap = Leap(chance.choice((61 * SECOND, HOUR, 30 * DAY)) + chance.randrange(1_000), chance.randint(1, 4))
    if chance.random() < 0.3:
        return (leap,)
    return (leap, Pass(SECOND, to_due=False, beats=True), Casework(UNTIL_IDLE, None, hole=False, back=0))


def _intake(chance: random.Random) -> Step:
    turns = UNTIL_IDLE if chance.random() < 0.7 else chance.randint(1, 8)
    return Intake(turns, _fault(chance, 0.2, 3))


def _casework(chance: random.Random) -> Step:
    turns = UNTIL_IDLE if chance.random() < 0.7 else chance.randint(1, 30)
    fault = _fault(chance, 0.2, chance.choice((6, 30)))
    return Casework(turns, fault, hole=chance.random() < 0.08, back=chance.choice((0, 0, 0, 2)))


def _end(chance: random.Random) -> Step:
    who = chance.choice(("casework", "casework", "intake"))
    return End(who, chance.choice(("kill", "freeze", "close", "back")))


def _thaw(chance: random.Random) -> Step:
    return Thaw(chance.randint(1, 40))


def _forget(chance: random.Random) -> Step:
    return Forget(chance.choice(("intake", "casework")))


_MENU: dict[Callable[[random.Random], Step | tuple[Step, ...]], int] = {
    _report: 20,
    _garbage: 3,
    _answer: 20,
    _act: 8,
    _race: 5,
    _handed_over: 2,
    _lent: 1,
    _once_more: 3,
    _wound_up: 1,
    _pass: 12,
    _leap: 3,
    _intake: 5,
    _casework: 7,
    _end: 5,
    _thaw: 3,
    _forget: 1,
}
"""What may happen, and how often against the rest."""
