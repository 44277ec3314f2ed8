"""A receiver that is out of service: a person holds its queue, and resumes it. Pure.

While it is held nothing new is put on its queue. What is rood goes to a desk of the centre at once, anything else once
the policy's time has passed; the clocks of the offers run on. When it is resumed, what waited is put on its queue one
after the other, the most urgent first, so that nobody there meets everything at once.
"""

from agents.casework.case import Handover, severity
from agents.casework.handover import falls
from agents.casework.inputs import Draft
from agents.casework.reports import dead
from agents.casework.rules import Rules
from agents.policy.model import millis, moment
from topics import journal as j
from topics.codes import ActKind, Colour, DeadLetterReason, NoticeKind


def act_on_receiver(draft: Draft, rules: Rules, said: j.ActInput) -> None:
    """Decide a hold, or its end. Another centre is not ours to hold."""
    receiver, held = said.details["to"], draft.book.held
    allowed = rules.policy.permission(ActKind(said.kind)).allows(said.role, said.actor, said.second, None)
    ours = any(one.id == receiver for one in rules.directory.own())
    if not allowed or not ours or (said.kind == ActKind.HOLD_RECEIVER) is (receiver in held):
        dead(draft, rules, DeadLetterReason.ACT_REFUSED, acute=False)
        return
    if said.kind == ActKind.HOLD_RECEIVER:
        draft.add(j.ReceiverHeld(receiver=receiver))
        _hold(draft, rules, receiver)
        kind = NoticeKind.RECEIVER_HELD
    else:
        draft.add(j.ReceiverResumed(receiver=receiver))
        _resume(draft, rules, receiver)
        kind = NoticeKind.RECEIVER_RESUMED
    for desk in dict.fromkeys((rules.directory.desks.duty, rules.directory.desks.coordination)):
        draft.tell(kind, desk, case_id=None)


def _hold(draft: Draft, rules: Rules, receiver: str) -> None:
    for case, handover in draft.book.waiting.awaited():
        if handover.receiver == receiver:
            at = falls(draft, rules, _colour(handover), receiver, draft.book.held)
            # What was to be put on its queue now waits again; with nobody to stand in it stays on its way.
            shows = handover.shows if at is None else None
            draft.add(j.OfferPaused(case_id=case.id, handover_id=handover.id, falls=at, shows=shows))


def _resume(draft: Draft, rules: Rules, receiver: str) -> None:
    others = [one for one in draft.book.held if one != receiver]
    shows = draft.now
    for case_id, handover in sorted(
        ((case.id, handover) for case, handover in draft.book.waiting.awaited()),
        key=lambda found: _most_urgent(found[1]),
    ):
        if handover.receiver in others and handover.falls is None:
            # Nobody could stand in for that one until now.
            at = falls(draft, rules, _colour(handover), handover.receiver, others)
            draft.add(j.OfferPaused(case_id=case_id, handover_id=handover.id, falls=at, shows=handover.shows))
        elif handover.receiver != receiver:
            continue
        elif handover.withheld:
            draft.add(j.OfferPaused(case_id=case_id, handover_id=handover.id, falls=None, shows=shows))
            shows = millis(rules.policy.held.pace.after(moment(shows), rules.calendar))
        elif handover.falls is not None:
            draft.add(j.OfferPaused(case_id=case_id, handover_id=handover.id, falls=None, shows=None))


def _colour(handover: Handover) -> Colour | None:
    return Colour(handover.colour) if handover.colour else None


def _most_urgent(handover: Handover) -> tuple[int, int, str]:
    return (-severity(handover.colour), handover.offered, handover.id)
