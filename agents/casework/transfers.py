"""A case that another centre hands over to this one (design, section 2; domain model, X2 and section 3.7). Pure.

Here it is a case of its own, offered to a desk. The other centre is its owner until that has recorded our acceptance
in its own journal and said so; whatever else it says, the case is nothing of ours any more, and its data are destroyed.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from uuid import uuid5

from agents.casework.book import Book
from agents.casework.case import Case, Handover, Stands
from agents.casework.handover import offer, released, supersede
from agents.casework.inputs import NAMESPACE, Draft
from agents.casework.linking import earlier_reports, find_case
from agents.casework.reports import pass_over, place, together
from agents.casework.routing import back
from agents.casework.rules import Rules, local_date
from agents.casework.situation import ACUTE, Household, coloured, open_questions, situation
from agents.casework.standing import set_standing, told_of
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
    """The number that the case has here, and the case while it is open. What is closed or destroyed is over: the next
    offer is another case."""
    for number in count():
        case_id = str(uuid5(NAMESPACE, f"{book.region}/transfer/{said.sender}/{said.case_id}/{number}"))
        known = book.cases.get(case_id)
        case = book.standing_for(known) if known is not None else None
        if case is None or not (case.erased or case.closed):
            return case_id, case
    raise AssertionError("numbers do not end")


def _offered(draft: Draft, rules: Rules, said: j.TransferInput, case_id: str, case: Case | None) -> None:
    assert said.handover_id is not None
    assert said.owner is not None
    book, case_id = draft.book, case.id if case is not None else case_id
    known = book.around(case) if case is not None else set()
    each = zip(said.reports, draft.incoming.reported, draft.incoming.opened.each, strict=True)
    fresh = [(one, facts, links) for one, facts, (links, _) in each if one.identity not in known]
    new = [(one, facts) for one, facts, _ in fresh]
    links = tuple(link for _, _, its in fresh for link in its)
    found = find_case(book, links, "")
    apart = {case_id, *(case.unlinked if case is not None else ())}
    others = [one for one in found.household if one.id not in apart]
    ours = case is not None and not case.offered_by
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
    if not ours:
        draft.add(
            j.TransferTaken(case_id=case_id, sender=said.sender, other_case=said.case_id, handover_id=said.handover_id)
        )
    standing = _standing(draft, said, case_id, case, new)
    _assessment(draft, said, case_id, case)
    for _, told in new:
        pass_over(draft, rules, case, case_id, told)
    colour = _coloured(draft, rules, said, new, others, case_id, case, standing)
    for other in others:
        # Surely or probably one household: what was reported here counts with it, as it does for any report.
        if other.id not in (case.confirmed if case is not None else ()):
            draft.add(j.Related(case_id=case_id, other=other.id, how=Relation.CONFIRMED.value))
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case_id)
    chosen = back(rules, colour, refused_by="", rule=RULE)
    if case is None:
        offer(draft, rules, case_id, chosen, colour)
        return
    place(draft, rules, case, chosen, colour, by_person=False)
    current = case.current()
    if ours or (current is not None and current.state in (HandoverState.ACCEPTED, HandoverState.STARTED)):
        # A person of this centre has accepted this family already.
        by = [said.sender, said.case_id, said.handover_id]
        _answer(draft, case_id, by, HandoverState.ACCEPTED.value)


def _standing(
    draft: Draft,
    said: j.TransferInput,
    case_id: str,
    case: Case | None,
    new: Sequence[tuple[j.TransferredReport, Facts]],
) -> dict[str, Stands]:
    """What stands on the case: as the other centre has it, where nothing is known here."""
    known = dict(case.standing) if case is not None else {}
    for what, stood in said.standing.items():
        if what not in known:
            known[what] = set_standing(draft, case_id, what, Stands(stood["state"], stood["since"], stood["until"]))
    for one, facts in new:
        so_far = Case(id=case_id, opened=0, owner="", executor="", standing=known)
        known = told_of(draft, so_far, case_id, facts, one.received)
    return known


def _assessment(draft: Draft, said: j.TransferInput, case_id: str, case: Case | None) -> None:
    """The parts of the shared safety assessment: what is newer than is known here, of each party; each centre counts
    them for itself. The colour that the other centre gave has them in it already."""
    known = {one.party: one for one in draft.book.assessment_of(case)} if case is not None else {}
    for number, part in enumerate(said.assessment):
        before = known.get(part["party"])
        if before is None or (part["at"], part["version"]) > (before.at, before.version):
            draft.add(
                j.AssessmentAdded(
                    case_id=case_id,
                    party=part["party"],
                    version=before.version + 1 if before is not None else part["version"],
                    scale=part["scale"],
                    indicators=dict(sorted(part["indicators"].items())),
                    valid_until=part["valid_until"],
                    number=number,
                )
            )


def _ended(draft: Draft, rules: Rules, said: j.TransferInput, case: Case) -> None:
    state = said.state or HandoverState.SUPERSEDED.value
    if state == HandoverState.ACCEPTED:
        draft.add(j.TransferEnded(case_id=case.id, state=state))
        draft.add(j.OwnerChanged(case_id=case.id, owner=rules.directory.organisation))
        return
    supersede(draft, rules, case)
    _not_ours(draft, case, state)


def _not_ours(draft: Draft, case: Case, state: str) -> None:
    """It is nothing of this centre, which keeps nothing of that family."""
    draft.add(j.TransferEnded(case_id=case.id, state=state))
    draft.add(j.Erased(case_id=case.id, key_ids=tuple(dict.fromkeys(case.keys))))


def _coloured(
    draft: Draft,
    rules: Rules,
    said: j.TransferInput,
    new: Sequence[tuple[j.TransferredReport, Facts]],
    others: Sequence[Case],
    case_id: str,
    before: Case | None,
    standing: Mapping[str, Stands],
) -> Colour:
    """At least the colour that the other centre gave, for it has weighed its reports; more, where they are a repetition
    here. What it has settled stays settled."""
    book, days = draft.book, rules.policy.windows.repetition
    household = [*others, *(book.household(before) if before is not None else ())]
    told: dict[str, str] = {}
    raised: list[Judgement] = []
    reasons, earlier = list(said.reasons), dict[str, int]()
    for place_in, (one, facts) in enumerate(new):
        passed_on = {found.thread: found.received for found, _ in new[:place_in] if found.counts}
        here = earlier_reports(household, one.thread, None, one.received, days)
        on = local_date(one.received)
        alone = situation(rules, facts, on, Household(len(passed_on), standing=standing))
        told = situation(rules, facts, on, Household(len({**passed_on, **here}), standing=standing))
        known, outcome = rules.colours.judge(alone), rules.colours.judge(told)
        earlier |= here
        if one.counts and outcome.colour.severity > known.colour.severity:
            raised.append(outcome)
            reasons += outcome.rules
    given = [Colour(found) for found in (said.colour, before.colour if before else None) if found is not None]
    colour = highest([*given, *(outcome.colour for outcome in raised)] or [Colour.GREEN])
    still_open = said.provisional or (before is not None and before.provisional)
    provisional = still_open and colour is not Colour.RED
    floors = [Colour(before.settled_floor)] if before is not None and before.settled_floor else []
    floors += [outcome.floor for outcome in raised] + ([] if said.provisional else given[:1])
    questions = dict.fromkeys(question for _, facts in new for question in open_questions(facts))
    asked = [one for one in questions if said.provisional or one not in ACUTE]
    draft.told = told | coloured(colour, provisional)
    if draft.told.get("disclosure") == "DOUBLE_ANONYMOUS":
        draft.told["disclosure"] = "UNKNOWN"  # it was held, and taken up, at the other centre
    draft.add(
        j.Triaged(
            case_id=case_id,
            colour=colour.value,
            provisional=provisional,
            reasons=tuple(dict.fromkeys((*(before.reasons if before else ()), *reasons, RULE))),
            open_questions=tuple(dict.fromkeys((*(before.open_questions if before else ()), *asked))),
            floor=highest(floors or [colour if not provisional else Colour.GREEN]).value,
            conditions=together(before.conditions if before else (), rules.safety_conditions.answer(told).rows),
            board_request=together(before.board_request if before else (), rules.board_request.answer(told).rows),
            board_unknown=rules.board_request.unknown(told),
            earlier={**(before.earlier if before is not None else {}), **earlier},
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
