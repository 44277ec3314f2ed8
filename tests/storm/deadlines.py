"""Whether every step of every ladder fired: once, in its order, not early, not late, and never past an answer. Pure.

The ladder of an offer stands in its event; of what is owed on a case each event says when the next step is due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from topics import journal as j

AWAITED = ("OFFERED", "RECEIVED", "ACKNOWLEDGED")
AT_ONCE_MS = 5_000
"""So long a step may take while nothing is down: behind the machine's own load, and a receiver's answers."""
CATCH_UP_MS = 15_000
"""So long after everything is up again: the answers that came meanwhile are decided first."""
LATE_MS = 60_000
"""From here on a step says itself that it is late."""

Outages = Sequence[tuple[int, int]]
"""From when to when something was down, ms, in their order; none of them touches another."""


@dataclass
class Deadlines:
    """What is wrong with the steps of one region."""

    fired: int = 0
    early: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    """Steps that fired although an answer that ends them lay on its topic when they were due."""


@dataclass(slots=True)
class _Ladder:
    steps: tuple[j.Step, ...]
    done: int = 0
    again: int | None = None
    left: int | None = None
    """When the step before was due, if nobody was there to be told: this one is due with it."""
    fired: list[tuple[int, str]] = field(default_factory=list)
    """When each was due, and what it is called here."""

    def due(self) -> int | None:
        if self.done >= len(self.steps):
            return self.again
        step = self.steps[self.done]
        return step.due if self.left is None or step.name == "RECALLED" else self.left


@dataclass(slots=True)
class _Owed:
    """One term that runs on one case."""

    next: int | None
    fired: list[tuple[int, str]] = field(default_factory=list)


def check_deadlines(records: Sequence[j.Record], stamps: Sequence[int], outages: Outages | None = None) -> Deadlines:
    """The steps of a region's journal; ``stamps`` are the broker's, ms, one for each record.

    Without ``outages`` nobody knows what was down when, and neither late nor missed is asked.
    """
    found, ladders, owed = Deadlines(), dict[str, _Ladder](), dict[tuple[str, str], _Owed]()
    for record, stamp in zip(records, stamps, strict=True):
        for event in record.events:
            match event:
                case j.Offered():
                    ladders[event.handover_id] = _Ladder(event.ladder)
                case j.StepFired():
                    found.fired += 1
                    _fired(found, ladders, event, stamp, outages)
                case j.TermFired():
                    found.fired += 1
                    _term_fired(found, owed, event, stamp, outages)
                case j.TermsChanged():
                    _terms_changed(found, owed, event, record)
                case j.Related() if event.how == "MERGED":
                    # Its terms go on in the other case; an event says which.
                    owed = {about: one for about, one in owed.items() if about[0] != event.other}
                case j.TakenBack():
                    ladders.pop(event.handover_id, None)
                case j.Answered() if _ends(event):
                    said = record.input
                    ladder = ladders.pop(event.handover_id, None)
                    if ladder is not None and isinstance(said, j.AnswerInput):
                        arrived = said.origin.arrived
                        found.overtaken += [name for due, name in ladder.fired if due > arrived]
    if outages is not None and stamps:
        waits = {handover: ladder.due() for handover, ladder in ladders.items()}
        waits |= {f"{term} of {case}": one.next for (case, term), one in owed.items()}
        for what, due in waits.items():
            if due is not None and _allowed(due, outages) < stamps[-1]:
                found.missed.append(f"{what}: due {due}, the journal ends {stamps[-1] - due} ms later")
    return found


def _terms_changed(
    found: Deadlines, owed: dict[tuple[str, str], _Owed], event: j.TermsChanged, record: j.Record
) -> None:
    said = record.input
    for term in event.ended:
        one = owed.pop((event.case_id, term), None)
        if one is not None and isinstance(said, j.AnswerInput | j.ActInput):
            found.overtaken += [name for due, name in one.fired if due > said.origin.arrived]
    for term in event.due:
        owed[event.case_id, term] = _Owed(event.steps.get(term, [None])[0])


def _term_fired(
    found: Deadlines, owed: dict[tuple[str, str], _Owed], event: j.TermFired, stamp: int, outages: Outages | None
) -> None:
    name = f"{event.step} for {event.term} of {event.case_id}, due {event.due}"
    one = owed.get((event.case_id, event.term))
    if one is None or one.next is None:
        found.twice.append(f"{name}: nothing was waited for any more")
        return
    if event.due != one.next:
        before = any(due == event.due for due, _ in one.fired)
        (found.twice if before else found.missed).append(f"{name}: one at {one.next} comes next")
    one.next = event.next
    one.fired.append((event.due, name))
    _in_time(found, name, event, stamp, outages)


def _fired(
    found: Deadlines, ladders: dict[str, _Ladder], event: j.StepFired, stamp: int, outages: Outages | None
) -> None:
    name = f"{event.step} of {event.handover_id}, due {event.due}"
    ladder = ladders.get(event.handover_id)
    if ladder is None:
        found.twice.append(f"{name}: nothing was waited for any more")
        return
    expected = ladder.steps[min(ladder.done, len(ladder.steps) - 1)]
    if (event.step, event.due) != (expected.name, ladder.due()):
        before = any((step.name, step.due) == (event.step, event.due) for step in ladder.steps[: ladder.done])
        (found.twice if before else found.missed).append(f"{name}: {expected.name} at {ladder.due()} comes next")
    ladder.done, ladder.again, ladder.left = ladder.done + 1, event.again, event.due if event.empty else None
    ladder.fired.append((event.due, name))
    _in_time(found, name, event, stamp, outages)


def _in_time(
    found: Deadlines, name: str, event: j.StepFired | j.TermFired, stamp: int, outages: Outages | None
) -> None:
    if stamp < event.due:
        found.early.append(f"{name}: at {stamp}")
    if event.late and stamp - event.due < LATE_MS:
        found.late.append(f"{name}: said to be late after {stamp - event.due} ms")
    if not event.late and stamp - event.due > 2 * LATE_MS:
        found.late.append(f"{name}: not said to be late after {stamp - event.due} ms")
    if outages is not None and stamp > _allowed(event.due, outages):
        found.late.append(f"{name}: {stamp - event.due} ms, while nothing was down")


def _ends(answer: j.Answered) -> bool:
    """Whether nobody waits after it. Lack of capacity is recorded, and releases nobody."""
    return answer.state not in AWAITED and answer.released


def _allowed(due: int, outages: Outages) -> int:
    """Until when a step that is due then may be waited for."""
    ended = [until for start, until in outages if start <= due + AT_ONCE_MS and due <= until + CATCH_UP_MS]
    return max([due + AT_ONCE_MS, *(until + CATCH_UP_MS for until in ended)])


def merged(intervals: Iterable[tuple[int, int]], apart: int = CATCH_UP_MS) -> list[tuple[int, int]]:
    """The same as few intervals; those that lie less than ``apart`` from each other are one."""
    found: list[tuple[int, int]] = []
    for start, until in sorted(intervals):
        if found and start <= found[-1][1] + apart:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((start, until))
    return found
