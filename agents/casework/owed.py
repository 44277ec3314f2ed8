"""What happens when what is owed is not done: the ladder of a term fires, step by step, each step once. Pure.

The moments of its steps hang on the one by which it is owed, and move with that. The last step comes back until a
person does what is owed, or the policy says that it does not. A step at which nobody is there to be told is left at
once: the next is due with it, but never that the case is taken back.
"""

from agents.casework.addressees import addressees, unattended
from agents.casework.case import Case, Handover
from agents.casework.handover import recall
from agents.casework.inputs import Draft
from agents.casework.rules import Rules
from agents.policy.model import millis, moment
from agents.policy.terms import Ladder, TermStep, moments
from topics import journal as j
from topics.codes import Colour, HandoverState, NoticeKind

LATE_MS = 60_000
_NOBODYS = (TermStep(step="COORDINATOR", tells=("coordination",)),)
"""For what was owed by a policy that is no longer in force, and climbs on."""


def first_step(ladder: Ladder, due: int, now: int, fired: int) -> list[int] | None:
    """When the next step for what is owed by ``due`` (ms) fires, and which one that is; None when none is left.

    ``fired`` steps have been taken already. Of several whose moments lie behind, only the last is taken, and at once:
    nobody was waiting when the others were due.
    """
    if fired >= len(ladder.steps):
        return None
    known = moments(ladder, due)
    place = fired
    while place + 1 < len(known) and known[place + 1] <= now:
        place += 1
    return [max(known[place], now), place]


def fire(draft: Draft, rules: Rules, case: Case, until: int) -> None:
    """Every step about what is owed on a case that is due up to the moment ``until`` (ms)."""
    due = sorted((at, term, place) for term, (at, place) in case.steps.items() if at <= until)
    for at, term, place in due:
        _climb(draft, rules, case, term, at, place, until)


def _climb(draft: Draft, rules: Rules, case: Case, term: str, due: int, place: int, until: int) -> None:
    ladder = rules.ladders.get(term)
    steps = ladder.steps if ladder is not None else _NOBODYS
    following: int | None = due
    while following is not None and following <= until:
        due, step = following, steps[min(place, len(steps) - 1)]
        place += 1
        following = _next(draft, rules, case, term, ladder, place)
        current = case.current()
        receiver = rules.directory.receiver(current.receiver if current is not None else case.executor)
        tells = addressees(rules, receiver, step.tells, draft.now)
        empty = unattended(rules, tells, draft.now)
        if empty and place < len(steps) and steps[place].step != "RECALLED":
            following = due
        draft.add(
            j.TermFired(
                case_id=case.id,
                term=term,
                step=step.step,
                due=due,
                late=draft.now - due > LATE_MS,
                tells=tells,
                next=following,
                empty=empty,
            )
        )
        kind = NoticeKind.RECALL_DUE if step.step == "RECALLED" else NoticeKind(step.step)
        for to in tells:
            draft.tell(kind, to, case_id=case.id, handover_id=current.id if current else None, term=term)
        if step.step == "RECALLED" and place <= len(steps):  # coming back it only tells
            _recall(draft, rules, case, current)


def _next(draft: Draft, rules: Rules, case: Case, term: str, ladder: Ladder | None, place: int) -> int | None:
    """When the step after this one is due; the last comes back."""
    if ladder is not None and place < len(ladder.steps):
        return moments(ladder, case.terms[term])[place]
    if ladder is not None and not ladder.repeats:
        return None
    return again(draft, rules, case.colour)


def again(draft: Draft, rules: Rules, colour: str | None) -> int:
    """When the last step of a ladder comes back: counted from now, so that an outage gives one repeat and not many."""
    length = rules.policy.again[Colour(colour) if colour else rules.policy.without_colour]
    return max(millis(length.after(moment(draft.now), rules.calendar)), draft.now + 1)


def _recall(draft: Draft, rules: Rules, case: Case, current: Handover | None) -> None:
    """Take the case back from who accepted it and has not begun; while an answer is awaited the offer's own ladder
    does that, and what the centre itself has cannot be taken from it."""
    if current is None or current.state != HandoverState.ACCEPTED:
        return
    receiver = rules.directory.receiver(current.receiver)
    if receiver is None or receiver.kind in ("DESK", "OTHER_VT"):
        return
    taken = any(isinstance(one, j.TakenBack) and one.handover_id == current.id for one in draft.events)
    if not taken:
        recall(draft, rules, case, current)
