"""What a report does (domain model, section 5): gates, link, colour, route, offer. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date

from agents.casework.case import AWAITS_ANSWER, Case, Handover
from agents.casework.handover import offer, supersede, take_back
from agents.casework.inputs import Draft
from agents.casework.linking import Found, earlier_reports, find_case, involvement, perpetrator_known
from agents.casework.notices import prepare
from agents.casework.routing import About, Route, avoided, route, unforeseen
from agents.casework.rules import Rules, local_date
from agents.casework.situation import (
    ACUTE,
    STRUCTURAL,
    Household,
    answered,
    any_of,
    coloured,
    dangers,
    open_questions,
    repeated,
    situation,
)
from agents.casework.standing import MONITORED, since, told_of
from agents.facts import Facts
from agents.policy.colours import Judgement, highest
from agents.policy.rules import Row
from agents.policy.vocabulary import Since
from topics import journal as j
from topics.codes import (
    CaseRole,
    Certainty,
    Colour,
    DeadLetterReason,
    Destination,
    HandoverState,
    LinkKind,
    NoticeKind,
    ReportKind,
)

HOUR_MS = 3_600_000


def report(draft: Draft, rules: Rules, said: j.ReportInput, facts: Facts) -> None:
    """Decide one report that can be read."""
    book, duty = draft.book, rules.directory.desks.duty
    acute = any_of(facts, ACUTE)
    known = book.report(said)
    if known is not None:
        case_id, fingerprint, same_record = known
        if fingerprint == said.fingerprint:
            # The same record twice is our own doing and no repeat of the sender's.
            draft.add(j.Repeated(case_id=case_id, receipt=not same_record))
            return
        dead(draft, rules, DeadLetterReason.ID_REUSE, acute=acute)
        return
    highest = book.thread(said.thread)
    if highest is not None and said.version < highest[0]:
        draft.add(j.NotDecided(case_id=highest[1], why="lower_version"))
        if acute:
            draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, duty, case_id=highest[1])
        return
    if said.kind == ReportKind.WITHDRAWAL:
        # Recorded and shown; nothing stops or lowers (G8).
        draft.add(j.NotDecided(case_id=highest[1] if highest else None, why="withdrawal"))
        if acute:
            draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, duty, case_id=highest[1] if highest else None)
        return
    if said.kind == ReportKind.ADVICE:
        # Nothing of a family is kept (G4); an acute sign still reaches a person (G9).
        draft.add(j.NotDecided(case_id=None, why="advice"))
        if acute or any_of(facts, STRUCTURAL):
            draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, duty, case_id=None)
        return
    if facts.disclosure == "DOUBLE_ANONYMOUS" or said.kind == ReportKind.OTHER_CARE:
        _without_colour(draft, rules, said, facts)
        return
    _signal(draft, rules, said, facts)


def _without_colour(draft: Draft, rules: Rules, said: j.ReportInput, facts: Facts) -> None:
    """Held (G6) or no domestic violence (G5): a case of its own, that counts for nothing else."""
    found = find_case(draft.book, draft.incoming.opened.links, said.thread)
    known = draft.book.thread(said.thread)
    case = draft.book.cases.get(known[1] or "") if known is not None else None
    if case is not None and (case.colour is not None or case.erased):
        case = None
    case_id = case.id if case is not None else draft.new_id()
    _register(
        draft, rules, said, case_id, opened=case is None, counts=False, known_as="UNCLASSIFIED", links=found.links
    )
    serious = any_of(facts, ACUTE) or any_of(facts, STRUCTURAL)
    on = local_date(draft.now)
    if serious and facts.disclosure != "DOUBLE_ANONYMOUS":
        chosen = unforeseen(rules)  # a person of the centre looks first (G9)
    else:
        draft.told = situation(rules, facts, on, Household())
        chosen = route(rules, draft.told, About(on, facts))
    if serious:
        draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, rules.directory.desks.duty, case_id=case_id)
    if case is None:
        offer(draft, rules, case_id, chosen, None)
    else:
        place(draft, rules, case, chosen, None, by_person=False)


def _signal(draft: Draft, rules: Rules, said: j.ReportInput, facts: Facts) -> None:
    book, opened = draft.book, draft.incoming.opened
    found = find_case(book, opened.links, said.thread)
    case = found.case
    known_as = involvement(rules, case, said, found.persons)
    windows, on = rules.policy.windows, local_date(said.received)
    case_id = case.id if case is not None else draft.new_id()
    elsewhere = perpetrator_known(found, said, windows.perpetrator)
    _register(
        draft, rules, said, case_id,
        opened=case is None, counts=True, known_as=known_as.value, links=found.links, perpetrator_known=elsewhere,
    )  # fmt: skip
    if case is not None and case.closed:
        _ours_again(draft, rules, case)
    if case is not None and _one_evening(found, said, opened.incident, windows.incident_hours):
        draft.add(j.Linked(case_id=case.id, kind=LinkKind.SAME_INCIDENT.value, certainty=Certainty.POSSIBLE.value))
    running = service(rules, case, on)
    earlier = earlier_reports(found.household, said.thread, opened.incident, said.received, windows.repetition)
    household = Household(
        repeats=len(earlier),
        perpetrator_known=elsewhere,
        standing=told_of(draft, case, case_id, facts, said.received),
        running=running is not None,
        family_refuses=case is not None and not case.closed and case.family_refuses,
    )
    # What a party said of it since it was closed has been weighed by nobody yet.
    unweighed = dangers(book.assessment_of(case), on) if case is not None and case.unweighed else {}
    told = situation(rules, answered(facts, unweighed), on, household)
    outcome = rules.colours.judge(told)
    before = case if case is not None and not case.closed else None
    colour, provisional = _coloured(draft, rules, case_id, before, outcome, open_questions(facts), told, earlier)
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case_id)
    told |= coloured(colour, provisional, _unconfirmed(rules, told, found, said, opened.incident, outcome.colour))
    draft.told = told
    involved = pass_over(draft, rules, case, case_id, facts)
    chosen = route(rules, told, About(local_date(draft.now), facts, avoided=involved, running=running))
    if case is None:
        offer(draft, rules, case_id, chosen, colour)
    else:
        place(draft, rules, case, chosen, colour, by_person=False)
    prepare(draft, rules, case, case_id, told, facts, local_date(draft.now))


def _one_evening(found: Found, said: j.ReportInput, incident: str | None, hours: int) -> bool:
    """Whether another report of the household came within so many hours and may tell of the same incident: a person
    decides, and until then they count as two (domain model, section 3.8)."""
    return any(
        entry.counts
        and entry.thread != said.thread
        and abs(entry.received - said.received) <= hours * HOUR_MS
        and (incident is None or entry.incident is None)
        for case in found.household
        for entry in case.entries
    )


def _ours_again(draft: Draft, rules: Rules, case: Case) -> None:
    """A new episode begins at this centre, whoever had the former one."""
    centre = rules.directory.organisation
    if case.executor != centre:
        draft.add(j.ExecutorChanged(case_id=case.id, executor=centre))
    if case.owner != centre:
        draft.add(j.OwnerChanged(case_id=case.id, owner=centre))


def _unconfirmed(
    rules: Rules, told: Mapping[str, str], found: Found, said: j.ReportInput, incident: str | None, colour: Colour
) -> bool:
    """Whether a possible link, if it were confirmed, would raise the colour (N2): then a person decides first."""
    if not found.possible:
        return False
    days = rules.policy.windows.repetition
    repeats = earlier_reports((*found.household, *found.possible), said.thread, incident, said.received, days)
    return rules.colours.judge({**told, "repeats": repeated(len(repeats))}).colour.severity > colour.severity


def service(rules: Rules, case: Case | None, on: date) -> Handover | None:
    """The service of the centre that runs for a case: who has it now, or who monitors it."""
    if case is None or case.closed:
        return None

    def at_the_centre(handover: Handover) -> bool:
        receiver = rules.directory.receiver(handover.receiver)
        return receiver is not None and receiver.kind == "DESK"

    current = case.current()
    if current is not None:
        # What is held waits for a decision: that is no service yet.
        return current if at_the_centre(current) and current.destination != Destination.VT_HOLD else None
    if since(case.standing, MONITORED, on, days=0) is Since.NOW:
        return next((found for found in reversed(case.handovers) if at_the_centre(found)), None)
    return None


def pass_over(draft: Draft, rules: Rules, case: Case | None, case_id: str, facts: Facts) -> tuple[str, ...]:
    """Who may not get the case, with what this report adds to that (Filter K)."""
    known = tuple(case.avoided) if case is not None else ()
    for whom, rule in avoided(rules, facts):
        if new := tuple(found for found in whom if found not in known):
            draft.add(j.PassedOver(case_id=case_id, whom=new, rule=rule))
            known += new
    return known


def _coloured(
    draft: Draft,
    rules: Rules,
    case_id: str,
    before: Case | None,
    outcome: Judgement,
    questions: tuple[str, ...],
    told: Mapping[str, str],
    earlier: Mapping[str, int],
) -> tuple[Colour, bool]:
    """The case's colour now: the highest so far. What is open stays provisional until a person settles it."""
    colours = [outcome.colour]
    floors = [outcome.floor]
    if before is not None:
        colours += [Colour(before.colour)] if before.colour else []
        floors += [Colour(before.settled_floor)] if before.settled_floor else []
    colour = highest(colours)
    floor = highest(floors)
    was_open = before is not None and before.provisional
    provisional = (outcome.provisional or was_open) and colour is not Colour.RED
    if before is not None and was_open:
        questions = tuple(dict.fromkeys((*before.open_questions, *questions)))
    reasons = outcome.rules
    if before is not None and before.colour and Colour(before.colour).severity >= outcome.colour.severity:
        reasons = tuple(dict.fromkeys((*before.reasons, *reasons)))
    if provisional and before is not None:
        still = (row.id for row in rules.policy.provisional if row.id in before.reasons)
        reasons = tuple(dict.fromkeys((*reasons, *still)))
    draft.add(
        j.Triaged(
            case_id=case_id,
            colour=colour.value,
            provisional=provisional,
            reasons=reasons,
            open_questions=questions,
            floor=floor.value,
            conditions=together(before.conditions if before else (), rules.safety_conditions.answer(told).rows),
            board_request=together(before.board_request if before else (), rules.board_request.answer(told).rows),
            board_unknown=rules.board_request.unknown(told),
            earlier={**(before.earlier if before is not None else {}), **earlier},
        )
    )
    return colour, provisional


def together(known: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """What held already, and what these rows add: their ids."""
    return tuple(dict.fromkeys((*known, *(row.id for row in rows))))


def place(draft: Draft, rules: Rules, case: Case, chosen: Route, colour: Colour | None, *, by_person: bool) -> None:
    """Bring a known case to where it belongs now. One handover is open; who has started is told, not passed by."""
    if chosen.receiver.id in case.too_severe:
        chosen = unforeseen(rules)
    current = case.current()
    if case.closed and not by_person:
        # What was done in the former episode is over: somebody must take this one up anew.
        supersede(draft, rules, case)
        current = None
    if current is None:
        offer(draft, rules, case.id, chosen, colour)
        return
    risen = colour is not None and (current.colour is None or colour.severity > Colour(current.colour).severity)
    told = NoticeKind.RAISED if risen else NoticeKind.CHANGED if by_person else NoticeKind.NEW_REPORT
    if _stays(rules, current, chosen, risen=risen, by_person=by_person):
        if current.destination == chosen.destination and case.rule != chosen.rule:
            draft.add(j.Routed(case_id=case.id, destination=current.destination, rule=chosen.rule))
        draft.tell(told, current.receiver, case_id=case.id, handover_id=current.id, content=not by_person)
        return
    # Whoever works on it at the centre goes on until another centre has accepted.
    goes_on = current.state == HandoverState.STARTED or (
        current.state == HandoverState.ACCEPTED and chosen.destination is Destination.OTHER_VT
    )
    if current.state in (HandoverState.ACCEPTED, HandoverState.STARTED):
        # Whoever works with the family knows what its role is from now on (F7).
        draft.add(j.RoleGiven(case_id=case.id, who=current.receiver, role=CaseRole.INVOLVED.value))
    if goes_on or (current.state == HandoverState.ACCEPTED and risen):
        draft.tell(told, current.receiver, case_id=case.id, handover_id=current.id)
    if goes_on:
        offer(draft, rules, case.id, chosen, colour)
        return
    take_back(draft, rules, case, current, HandoverState.SUPERSEDED)
    offer(draft, rules, case.id, chosen, colour, replaces=current)


def _stays(rules: Rules, current: Handover, chosen: Route, *, risen: bool, by_person: bool) -> bool:
    """Whether the open handover is the right one: same addressee, or a desk of the centre that has it already."""
    if chosen.destination is Destination.OTHER_VT:
        return False  # what is new is offered to the other centre with it
    same = current.receiver == chosen.receiver.id and current.destination == chosen.destination
    if same:
        # A higher colour needs its own clock, unless somebody has accepted.
        return not risen or current.state not in AWAITS_ANSWER
    receiver = rules.directory.receiver(current.receiver)
    at_the_centre = receiver is not None and receiver.kind == "DESK"
    return at_the_centre and not risen and not by_person


def dead(draft: Draft, rules: Rules, reason: DeadLetterReason, *, acute: bool, tell: bool = False) -> None:
    """Put the input aside for a person; with an acute sign in it the duty desk knows at once (G3)."""
    draft.add(j.DeadLettered(letter_id=draft.new_id(), reason=reason.value, acute=acute))
    if acute or tell:
        draft.tell(NoticeKind.ACUTE_UNREADABLE, rules.directory.desks.duty, case_id=None)


def _register(
    draft: Draft,
    rules: Rules,
    said: j.ReportInput,
    case_id: str,
    *,
    opened: bool,
    counts: bool,
    known_as: str,
    links: tuple[j.Linked, ...],
    perpetrator_known: bool = False,
) -> None:
    draft.add(
        j.Registered(
            case_id=case_id,
            opened=opened,
            owner=rules.directory.organisation,
            counts=counts,
            involvement=known_as,
            perpetrator_known=perpetrator_known,
        )
    )
    for link in links:
        draft.add(link)
