"""Offering a case, and what a receiver's answer does to it (domain model, section 3.7). Pure.

The executor changes at ACCEPTED, the owner at STARTED. A refusal always has a successor.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

from agents.casework.addressees import addressees
from agents.casework.case import AWAITS_ANSWER, OPEN, Case, Handover
from agents.casework.inputs import Draft
from agents.casework.routing import About, Route, back, helper, route, stand_in
from agents.casework.rules import Rules, local_date
from agents.casework.situation import coloured, home_of
from agents.casework.standing import MONITORED, end
from agents.policy.colours import highest
from agents.policy.destinations import Successor
from agents.policy.model import millis, moment
from agents.policy.vocabulary import NONE
from topics import journal as j
from topics.codes import Colour, Destination, HandoverState, NoticeKind

_FORWARD = ("OFFERED", "RECEIVED", "ACKNOWLEDGED", "ACCEPTED", "STARTED", "COMPLETED")


def offer(
    draft: Draft, rules: Rules, case_id: str, route: Route, colour: Colour | None, replaces: Handover | None = None
) -> None:
    """Offer the case. Its T03 and ladder are fixed here; the same receiver gains no time by a second offer."""
    held, route = draft.book.held, redirected(draft, rules, route, colour)
    policy, receiver = rules.policy, route.receiver
    clock = colour or policy.without_colour
    start = moment(draft.now)
    accept_before = millis(policy.accept[clock].after(start, rules.calendar))
    steps = (policy.desk_ladder if receiver.kind == "DESK" else policy.team_ladder)[clock]
    ladder = [
        j.Step(
            name=step.step,
            due=millis(step.at.after(start, rules.calendar)),
            # One desk may be meant by two words.
            tells=addressees(rules, receiver, step.tells, draft.now),
        )
        for step in steps
    ]
    if replaces is not None and replaces.receiver == receiver.id and replaces.state in AWAITS_ANSWER:
        accept_before = min(accept_before, replaces.accept_before)
        before = {step.name: step.due for step in replaces.ladder}
        ladder = [
            j.Step(name=step.name, due=max(min(step.due, before.get(step.name, step.due)), draft.now), tells=step.tells)
            for step in ladder
        ]
    draft.add(j.Routed(case_id=case_id, destination=route.destination.value, rule=route.rule))
    known = draft.book.cases.get(case_id)
    if known is not None and hops([*_since_it_began(known), receiver.id]) > policy.hops:
        draft.tell(NoticeKind.HOPS, rules.directory.desks.coordination, case_id=case_id)
    if route.unforeseen:
        draft.tell(NoticeKind.NO_RECEIVER, rules.directory.desks.duty, case_id=case_id)
    draft.add(
        j.Offered(
            case_id=case_id,
            handover_id=draft.new_id(),
            receiver=receiver.id,
            destination=route.destination.value,
            colour=colour.value if colour else None,
            accept_before=accept_before,
            ladder=tuple(ladder),
            contact_person=receiver.contact_person.id if receiver.contact_person else None,
            dv_specialist=receiver.dv_specialist.id if receiver.dv_specialist else None,
            key_id=draft.new_id(),
            falls=falls(draft, rules, colour, receiver.id, held) if receiver.id in held else None,
        )
    )


def hops(receivers: Sequence[str]) -> int:
    """How often a case went on to somebody else, of those to whom it was offered one after the other."""
    return sum(one != other for one, other in pairwise(receivers))


def _since_it_began(case: Case) -> list[str]:
    """To whom a case was offered in this episode."""
    began = next((entry.at for entry in case.entries if entry.seq == case.episode), case.opened)
    return [found.receiver for found in case.handovers if found.offered >= began]


def falls(draft: Draft, rules: Rules, colour: Colour | None, receiver: str, held: Collection[str]) -> int | None:
    """From when the centre has an offer of now to a receiver that is out of service, as are ``held``; None when nobody
    stands in."""
    if stand_in(rules, colour, (receiver, *held)) is None:
        return None
    term = rules.policy.held.falls.get(colour or rules.policy.without_colour)
    return draft.now if term is None else millis(term.after(moment(draft.now), rules.calendar))


def redirected(draft: Draft, rules: Rules, route: Route, colour: Colour | None) -> Route:
    """What is rood and would go to a receiver that is out of service goes to who stands in, at once."""
    held = draft.book.held
    if colour is not Colour.RED or route.receiver.id not in held:
        return route
    return stand_in(rules, colour, (route.receiver.id, *held)) or route


def take_back(draft: Draft, rules: Rules, case: Case, handover: Handover, state: HandoverState) -> None:
    """End an open handover; what its receiver executed is the centre's again."""
    draft.add(j.TakenBack(case_id=case.id, handover_id=handover.id, state=state.value))
    if case.executor == handover.receiver:
        draft.add(j.ExecutorChanged(case_id=case.id, executor=rules.directory.organisation))


def supersede(draft: Draft, rules: Rules, case: Case, but: Handover | None = None) -> None:
    """End every open handover of a case, but one."""
    for handover in case.handovers:
        if handover.state in OPEN and handover is not but:
            take_back(draft, rules, case, handover, HandoverState.SUPERSEDED)


def answer(draft: Draft, rules: Rules, case: Case, handover: Handover, said: j.AnswerInput) -> None:
    """What an answer of the right receiver does. What is not possible is answered with how it stands."""
    state, wanted = handover.state, said.state
    if state not in _FORWARD or state == "COMPLETED":
        _refuse_move(draft, case, handover, said)
    elif wanted in ("REFUSED", "RETURNED"):
        if (wanted == "REFUSED") is not (state in AWAITS_ANSWER):
            _refuse_move(draft, case, handover, said)
        else:
            _refused(draft, rules, case, handover, said)
    elif _FORWARD.index(wanted) <= _FORWARD.index(state):
        confirmed = handover.phoned and wanted == state == "ACCEPTED"
        draft.add(j.NotDecided(case_id=case.id, why="confirmed" if confirmed else "no_change"))
    elif wanted == "COMPLETED" and state != "STARTED":
        _refuse_move(draft, case, handover, said)
    else:
        draft.add(j.Answered(case_id=case.id, handover_id=handover.id, state=wanted, reason=None))
        receiver = rules.directory.receiver(handover.receiver)
        other_centre = rules.directory.elsewhere(handover.receiver) is not None
        if wanted in ("ACCEPTED", "STARTED") and state in AWAITS_ANSWER and not other_centre:
            draft.add(j.ExecutorChanged(case_id=case.id, executor=handover.receiver))
        if wanted in ("ACCEPTED", "STARTED") and other_centre:
            _handed_over(draft, rules, case, handover)
        elif wanted == "STARTED" and not case.offered_by:
            desk = receiver is not None and receiver.kind == "DESK"
            owner = rules.directory.organisation if desk else handover.receiver
            if owner != case.owner:
                draft.add(j.OwnerChanged(case_id=case.id, owner=owner))


def by_phone(draft: Draft, rules: Rules, case: Case, handover: Handover | None) -> bool:
    """The receiver took the case over by telephone: it has it, and still owes the answer that says so.

    False when that offer awaits no answer, or goes to another centre, whose own system must know."""
    if handover is None or handover.state not in AWAITS_ANSWER or rules.directory.elsewhere(handover.receiver):
        return False
    draft.add(j.Answered(case_id=case.id, handover_id=handover.id, state="ACCEPTED", reason=None, phone=True))
    draft.add(j.ExecutorChanged(case_id=case.id, executor=handover.receiver))
    draft.tell(NoticeKind.PHONED_OVER, handover.receiver, case_id=case.id, handover_id=handover.id)
    return True


def _handed_over(draft: Draft, rules: Rules, case: Case, handover: Handover) -> None:
    """Another centre has the case from now on: between two centres the owner changes at acceptance."""
    supersede(draft, rules, case, but=handover)
    draft.add(j.ExecutorChanged(case_id=case.id, executor=handover.receiver))
    draft.add(j.OwnerChanged(case_id=case.id, owner=handover.receiver))
    end(draft, case, MONITORED[0], draft.now)
    draft.add(j.HandedOver(case_id=case.id, handover_id=handover.id, to=handover.receiver))


def elsewhere_at_work(rules: Rules, case: Case, handover: Handover) -> Handover | None:
    """Of an offer to another centre that comes to nothing: who went on with the case here meanwhile."""
    if rules.directory.elsewhere(handover.receiver) is None:
        return None
    return next((one for one in reversed(case.handovers) if one.state in OPEN and one is not handover), None)


def recall(draft: Draft, rules: Rules, case: Case, handover: Handover) -> Handover | None:
    """Take an offer, or what was accepted, back: the centre has the case. Of an offer to another centre with which
    somebody goes on here, who that is; then it is offered to nobody."""
    take_back(draft, rules, case, handover, HandoverState.RECALLED)
    at_work = elsewhere_at_work(rules, case, handover)
    if at_work is None:
        colour = Colour(case.colour) if case.colour else None
        offer(draft, rules, case.id, back(rules, colour, handover.receiver), colour)
    return at_work


def triaged(
    draft: Draft,
    case: Case,
    colour: Colour,
    reasons: tuple[str, ...],
    questions: tuple[str, ...],
    *,
    provisional: bool = False,
    floor: Colour | None = None,
) -> None:
    """The colour from now on; the conditions that hold for the case, and what is met of a request, stay."""
    draft.add(
        j.Triaged(
            case_id=case.id,
            colour=colour.value,
            provisional=provisional,
            reasons=reasons,
            open_questions=questions,
            floor=(floor or colour).value,
            conditions=tuple(case.conditions),
            board_request=tuple(case.board_request),
            board_unknown=tuple(case.board_unknown),
            earlier=case.earlier,
        )
    )


def _raised(draft: Draft, rules: Rules, case: Case, reason: str) -> Colour | None:
    """The colour of the case after a refusal for that reason (U8)."""
    now = Colour(case.colour) if case.colour else None
    colour, why = rules.colours.raised(now or Colour.GREEN, {"refusal": reason})
    if not why or (now is not None and colour is now):
        return now
    floor = highest([colour, *([Colour(case.settled_floor)] if case.settled_floor else [])])
    reasons, questions = tuple(dict.fromkeys((*case.reasons, *why))), tuple(case.open_questions)
    triaged(draft, case, colour, reasons, questions, provisional=case.provisional, floor=floor)
    return colour


def _refused(draft: Draft, rules: Rules, case: Case, handover: Handover, said: j.AnswerInput) -> None:
    desks = rules.directory.desks
    free = released(rules, said)
    draft.add(j.Answered(case_id=case.id, handover_id=handover.id, state=said.state, reason=said.reason, released=free))
    if not free:
        # Recorded, and up the ladder; it stops no clock.
        silent = rules.directory.receiver(handover.receiver)
        for to in addressees(rules, silent, ("coordination", "municipality"), draft.now):
            draft.tell(NoticeKind.CAPACITY, to, case_id=case.id, handover_id=handover.id)
        return
    if case.executor == handover.receiver:
        draft.add(j.ExecutorChanged(case_id=case.id, executor=rules.directory.organisation))
    if case.refusals >= 1:
        draft.tell(NoticeKind.REFUSED, desks.duty, case_id=case.id, handover_id=handover.id)
    colour = Colour(case.colour) if case.colour else None
    family_refuses = said.reason == "FAMILY_REFUSES"
    receiver = rules.directory.receiver(handover.receiver)
    outside = receiver is not None and receiver.kind != "DESK"
    if said.reason is not None and outside and colour and not (family_refuses and said.state == "REFUSED"):
        # A family that refuses before anybody accepted has broken nothing off.
        colour = _raised(draft, rules, case, said.reason)
    at_work = elsewhere_at_work(rules, case, handover)
    if at_work is not None:
        draft.tell(NoticeKind.REFUSED, at_work.receiver, case_id=case.id, handover_id=at_work.id)
        return
    current = case.current()
    if current is not None and current is not handover:
        # Somebody else was offered the case already: that is the successor.
        risen = colour is not None and (current.colour is None or colour.severity > Colour(current.colour).severity)
        if not (risen and current.state in AWAITS_ANSWER):
            kind = NoticeKind.RAISED if risen else NoticeKind.REFUSED
            draft.tell(kind, current.receiver, case_id=case.id, handover_id=current.id)
            return
        take_back(draft, rules, case, current, HandoverState.SUPERSEDED)
    offer(draft, rules, case.id, _successor(draft, rules, case, handover, said, colour), colour, replaces=current)


def _successor(
    draft: Draft, rules: Rules, case: Case, handover: Handover, said: j.AnswerInput, colour: Colour | None
) -> Route:
    """Who follows a receiver that refused or returned the case (domain model, section 3.7)."""
    on, desks = local_date(draft.now), rules.directory.desks
    rule = _rule(rules, said)
    centre = back(rules, colour, handover.receiver)
    told = {"cooperation": "REFUSES" if said.reason == "FAMILY_REFUSES" else "UNKNOWN"}
    told |= coloured(colour, provisional=case.provisional)
    avoided = (*case.avoided, *case.too_severe, handover.receiver)
    if colour is Colour.RED or case.provisional:
        return centre
    match rule.to:
        case "RULES" if handover.receiver != desks.investigation:
            return route(rules, told, About(on, avoided=avoided))
        case "MOVED" if said.municipality is not None:
            if case.colour is None:
                team = rules.directory.team_for(said.municipality, None, on, avoided)
                return Route(Destination(handover.destination), rule.id, team) if team is not None else centre
            told["home"] = home_of(rules, said.municipality, on)
            return route(rules, told, About(on, municipality=said.municipality, avoided=avoided))
        case "HELPER":
            return helper(rules, said.helper, rule.id, colour, About(on, avoided=avoided)) or centre
        case "OTHER_TEAM":
            receiver = rules.directory.receiver(handover.receiver)
            for place in receiver.municipalities if receiver is not None else ():
                team = rules.directory.team_for(place, None, on, avoided)
                if team is not None:
                    return Route(Destination(handover.destination), rule.id, team)
            return centre
        case _:
            return centre


def released(rules: Rules, said: j.AnswerInput) -> bool:
    """Whether a refusal for that reason releases its receiver."""
    return _rule(rules, said).to != "NOBODY"


def _rule(rules: Rules, said: j.AnswerInput) -> Successor:
    return rules.refusals.answer({"refusal": said.reason or NONE}).rows[0]


def _refuse_move(draft: Draft, case: Case, handover: Handover, said: j.AnswerInput) -> None:
    current = case.current()
    draft.add(
        j.MoveRefused(
            case_id=case.id,
            handover_id=handover.id,
            receiver=said.receiver,
            wanted=said.state,
            state=handover.state,
            now_with=current.receiver if current else case.owner,
        )
    )
