"""What happens when nobody acts: the ladder of an offer fires, step by step, each step once, and so does that of what
is owed on a case. Pure.

Deadlines are levels: after a day asleep each missed step fires once, red first, marked late. The last step
of a desk's ladder comes back until a person acts. A step at which nobody is there to be told is left at once.
"""

from agents.casework import owed
from agents.casework.addressees import unattended
from agents.casework.case import Case, Handover
from agents.casework.handover import offer, recall, take_back
from agents.casework.inputs import Draft
from agents.casework.routing import stand_in
from agents.casework.rules import Rules
from topics import journal as j
from topics.codes import Colour, HandoverState, NoticeKind

AT_ONCE = 10
"""Cases whose steps fire in one record: nobody else of the worker has his turn while it is decided."""


def fire(draft: Draft, rules: Rules, until: int) -> None:
    """Everything that is due up to the moment ``until`` (ms), the most urgent first.

    By the moment of the tick, not by the region's own time: up to there every answer has been read. The region's
    time only orders; it may have been carried ahead by a record that the broker stamped while its clock was wrong.
    """
    for case in draft.book.waiting.all_due(until, AT_ONCE):
        for handover in case.handovers:
            if (due := handover.due()) is not None and due <= until:
                _climb(draft, rules, case, handover, until)
        owed.fire(draft, rules, case, until)


def _climb(draft: Draft, rules: Rules, case: Case, handover: Handover, until: int) -> None:
    if handover.shows is not None and handover.shows <= until:
        draft.add(j.OfferShown(case_id=case.id, handover_id=handover.id))
    falls = handover.falls if handover.falls is not None and handover.falls <= until else None
    if _steps(draft, rules, case, handover, until if falls is None else falls) and falls is not None:
        _fall(draft, rules, case, handover)


def _fall(draft: Draft, rules: Rules, case: Case, handover: Handover) -> None:
    """The receiver was out of service for too long: the centre has the case, unless its desks are out too."""
    colour = Colour(case.colour) if case.colour else None
    route = stand_in(rules, colour, (handover.receiver, *draft.book.held))
    if route is None:
        shows = draft.now if handover.withheld else None
        draft.add(j.OfferPaused(case_id=case.id, handover_id=handover.id, falls=None, shows=shows))
        return
    take_back(draft, rules, case, handover, HandoverState.RECALLED)
    offer(draft, rules, case.id, route, colour)


def _steps(draft: Draft, rules: Rules, case: Case, handover: Handover, until: int) -> bool:
    """Fire the steps of its ladder that are due; False when with the last one the offer was taken back."""
    place, due = handover.next_step, handover.step_due()
    while due is not None and due <= until:
        step = handover.ladder[min(place, len(handover.ladder) - 1)]
        place += 1
        again = None
        if place >= len(handover.ladder) and step.name != "RECALLED":
            again = owed.again(draft, rules, handover.colour)
        empty = step.name != "RECALLED" and unattended(rules, step.tells, draft.now)
        draft.add(
            j.StepFired(
                case_id=case.id,
                handover_id=handover.id,
                step=step.name,
                due=due,
                late=draft.now - due > owed.LATE_MS,
                tells=step.tells,
                again=again,
                empty=empty,
            )
        )
        if step.name == "RECALLED":
            at_work = recall(draft, rules, case, handover)
            if at_work is not None:
                draft.tell(NoticeKind.RECALL_DUE, at_work.receiver, case_id=case.id, handover_id=at_work.id)
            return False
        for to in step.tells:
            draft.tell(NoticeKind(step.name), to, case_id=case.id, handover_id=handover.id)
        following = handover.ladder[place] if place < len(handover.ladder) else None
        if following is None:
            due = again
        elif not empty or following.name == "RECALLED":
            due = following.due
    return True
