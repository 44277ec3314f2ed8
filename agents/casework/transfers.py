"""A case that another centre hands over to this one (design, section 2; domain model, X2 and section 3.7). Pure.

Here it is a case of its own, offered to a desk. The other centre is its owner until that has recorded our acceptance
in its own journal and said so; whatever else it says, the case is nothing of ours any more, and its data are destroyed.
"""

from collections.abc import Sequence
from itertools import count
from uuid import uuid5

from agents.casework.book import Book
from agents.casework.case import OPEN, Case, Handover
from agents.casework.handover import offer, released, take_back
from agents.casework.inputs import NAMESPACE, Draft
from agents.casework.linking import Found, earlier_reports, find_case
from agents.casework.reports import pass_over, place, together
from agents.casework.routing import back
from agents.casework.rules import Rules, local_date
from agents.casework.situation import ACUTE, Household, coloured, open_questions, situation
from agents.casework.standing import told_of
from agents.facts import Facts
from agents.policy.colours import Judgement, highest
from topics import journal as j
from topics.codes import Colour, EarlierInvolvement, HandoverState, NoticeKind, Relation, TransferMove

RULE = "TRANSFER"


def transfer(draft: Draft, rules: Rules, said: j.TransferInput) -> None:
    """Decide what another centre says about a case of its own."""
    case_id, case = _case_of(draft.book, said)
    match said.move:
        case TransferMove.OFFERED:
            _offered(draft, rules, said, case_id, case)
        case TransferMove.ENDED if case is not None and case.offered_by[2:] == [said.handover_id]:
            _ended(draft, rules, said, case)
        case TransferMove.TOLD if case is not None and not case.closed and said.kind is not None:
            current = case.current()
            to = current.receiver if current is not None else rules.directory.desks.duty
            draft.tell(said.kind, to, case_id=case.id)
        case _:
            draft.add(j.NotDecided(case_id=case.id if case is not None else None, why="no_change"))


def answered(draft: Draft, rules: Rules, case: Case, handover: Handover, said: j.AnswerInput) -> None:
    """A desk has answered the offer of another centre's case: that centre gets to know."""
    moves = [event for event in draft.events if isinstance(event, j.Answered) and event.handover_id == handover.id]
    for move in moves:
        if move.state in (HandoverState.ACKNOWLEDGED, HandoverState.ACCEPTED, HandoverState.STARTED):
            accepted = move.state != HandoverState.ACKNOWLEDGED
            state = HandoverState.ACCEPTED if accepted else HandoverState.ACKNOWLEDGED
            _answer(draft, case.id, case.offered_by, state.value)


def refused(draft: Draft, rules: Rules, case: Case, handover: Handover, said: j.AnswerInput) -> bool:
    """A desk refuses another centre's case: it goes back there. False when this answer does not release it."""
    if said.state != HandoverState.REFUSED or handover is not case.awaiting() or not released(rules, said):
        return False
    draft.add(j.Answered(case_id=case.id, handover_id=handover.id, state=said.state, reason=said.reason))
    _answer(draft, case.id, case.offered_by, said.state, said.reason, said.municipality)
    _not_ours(draft, case, said.state)
    return True


def _case_of(book: Book, said: j.TransferInput) -> tuple[str, Case | None]:
    """The number that the case has here, and the case when it is known and not destroyed."""
    for number in count():
        case_id = str(uuid5(NAMESPACE, f"{book.region}/transfer/{said.sender}/{said.case_id}/{number}"))
        case = book.cases.get(case_id)
        if case is None or not case.erased:
            return case_id, book.standing_for(case) if case is not None else None
    raise AssertionError("numbers do not end")


def _offered(draft: Draft, rules: Rules, said: j.TransferInput, case_id: str, case: Case | None) -> None:
    assert said.handover_id is not None
    assert said.owner is not None
    facts = draft.incoming.reported
    case_id = case.id if case is not None else case_id
    found = find_case(draft.book, draft.incoming.opened.links, "")
    others = [one for one in found.household if one.id != case_id]
    ours = case is not None and not case.closed and not case.offered_by
    draft.add(
        j.Registered(
            case_id=case_id,
            opened=case is None,
            owner=said.owner,
            counts=True,
            involvement=(EarlierInvolvement.REPEAT_ONE_KNOWN if others else EarlierInvolvement.FIRST).value,
        )
    )
    for link in found.links:
        draft.add(link)
    if case is not None and case.closed and case.owner != said.owner:
        draft.add(j.OwnerChanged(case_id=case_id, owner=said.owner))
    if not ours:
        draft.add(
            j.TransferTaken(case_id=case_id, sender=said.sender, other_case=said.case_id, handover_id=said.handover_id)
        )
    for one, told in zip(said.reports, facts, strict=True):
        told_of(draft, case, case_id, told, one.received)
        pass_over(draft, rules, case, case_id, told)
    colour = _coloured(draft, rules, said, facts, found, case_id, case if case and not case.closed else None)
    for other in others:
        # Surely or probably one household: what was reported here counts with it, as it does for any report.
        if other.id not in (case.confirmed if case is not None else ()):
            draft.add(j.Related(case_id=case_id, other=other.id, how=Relation.CONFIRMED.value))
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case_id)
    chosen = back(rules, colour, refused_by="", rule=RULE)
    if case is None or case.closed:
        offer(draft, rules, case_id, chosen, colour)
        return
    place(draft, rules, case, chosen, colour, by_person=False)
    current = case.current()
    if ours or (current is not None and current.state in (HandoverState.ACCEPTED, HandoverState.STARTED)):
        # A person of this centre has accepted this family already.
        by = [said.sender, said.case_id, said.handover_id]
        _answer(draft, case_id, by, HandoverState.ACCEPTED.value)


def _ended(draft: Draft, rules: Rules, said: j.TransferInput, case: Case) -> None:
    state = said.state or HandoverState.SUPERSEDED.value
    if state == HandoverState.ACCEPTED:
        draft.add(j.TransferEnded(case_id=case.id, state=state))
        draft.add(j.OwnerChanged(case_id=case.id, owner=rules.directory.organisation))
        return
    for handover in case.handovers:
        if handover.state in OPEN:
            take_back(draft, rules, case, handover, HandoverState.SUPERSEDED)
    _not_ours(draft, case, state)


def _not_ours(draft: Draft, case: Case, state: str) -> None:
    """It is nothing of this centre, which keeps nothing of that family."""
    draft.add(j.TransferEnded(case_id=case.id, state=state))
    draft.add(j.Erased(case_id=case.id, key_ids=tuple(dict.fromkeys(case.keys))))


def _coloured(
    draft: Draft,
    rules: Rules,
    said: j.TransferInput,
    facts: Sequence[Facts],
    found: Found,
    case_id: str,
    before: Case | None,
) -> Colour:
    """By the rules of this region, and never below the colour that the other centre gave.

    What that has settled stays settled: then only what is certain counts here.
    """
    judged: list[Judgement] = []
    told: dict[str, str] = {}
    earlier: dict[str, int] = {}
    days = rules.policy.windows.repetition
    others = [one for one in found.household if one.id != case_id]
    for one, report in zip(said.reports, facts, strict=True):
        repeats = earlier_reports(others, one.thread, None, one.received, days)
        told = situation(rules, report, local_date(one.received), Household(repeats=len(repeats)))
        earlier |= repeats
        judged.append(rules.colours.judge(told))
    given = [Colour(one) for one in (said.colour, before.colour if before else None) if one is not None]
    certain = [outcome.floor for outcome in judged]
    colour = highest([*given, *certain, *(outcome.colour for outcome in judged if said.provisional)])
    provisional = said.provisional and colour is not Colour.RED
    floors = [*certain, *([] if said.provisional else given)]
    questions = tuple(dict.fromkeys(question for report in facts for question in open_questions(report)))
    draft.told = told | coloured(colour, provisional)
    draft.add(
        j.Triaged(
            case_id=case_id,
            colour=colour.value,
            provisional=provisional,
            reasons=tuple(dict.fromkeys((*said.reasons, *(rule for one in judged for rule in one.rules), RULE))),
            open_questions=tuple(one for one in questions if said.provisional or one not in ACUTE),
            floor=highest(floors or [colour]).value,
            conditions=together(before.conditions if before else (), rules.safety_conditions.answer(told).rows),
            board_request=together(before.board_request if before else (), rules.board_request.answer(told).rows),
            board_unknown=rules.board_request.unknown(told),
            earlier=earlier,
        )
    )
    return colour


def _answer(
    draft: Draft,
    case_id: str,
    by: Sequence[str],
    state: str,
    reason: str | None = None,
    municipality: str | None = None,
) -> None:
    """To the centre that offers the case (its region, its case, its handover)."""
    sender, other_case, handover_id = by
    draft.add(
        j.TransferAnswered(
            case_id=case_id,
            sender=sender,
            other_case=other_case,
            handover_id=handover_id,
            state=state,
            reason=reason,
            municipality=municipality,
        )
    )
