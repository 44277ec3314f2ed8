"""What a person of the centre may do, and what it does (domain model, sections 3.9 and D1). Pure.

Only a person lowers a colour, with a reason; from oranje and rood with a second person. Who may do what is the
policy's. An act that is not allowed goes back as a dead letter with the reason; it is never ignored.
"""

from dataclasses import replace

from agents.casework.apart import one_incident, take_out
from agents.casework.case import AWAITS_ANSWER, Case, Stands
from agents.casework.handover import by_phone, offer, recall, supersede
from agents.casework.inputs import Draft
from agents.casework.notices import consult, phoned, release
from agents.casework.recolouring import (
    Matter,
    assess,
    coloured_now,
    done,
    judge,
    matter_of,
    recolour,
    reconsider,
    related,
    replaced,
    settle,
    take_up,
    worse,
)
from agents.casework.related import merge, relate
from agents.casework.reports import dead
from agents.casework.routing import unforeseen
from agents.casework.rules import Rules, local_date
from agents.casework.situation import Household, situation
from agents.casework.standing import MONITORED, end, set_standing
from agents.policy.colours import highest
from agents.policy.vocabulary import NONE
from topics import journal as j
from topics.codes import (
    ActKind,
    BoardNotice,
    CaseRole,
    Colour,
    DeadLetterReason,
    InvestigationOutcome,
    NoticeKind,
    Relation,
    Standing,
    StandingState,
    TriageOutcome,
)


def act(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> None:
    """Decide one act on a case."""
    now = Colour(case.colour) if case.colour else None
    permission = rules.policy.permission(ActKind(said.kind))
    allowed = permission.allows(said.role, said.actor, said.second, now)
    if not allowed or not _act(draft, rules, case, said):
        draft.events.clear()
        dead(draft, rules, DeadLetterReason.ACT_REFUSED, acute=False)


def _over_by_phone(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """Whether nothing was handed over in the call, or what could be."""
    return "handover" not in said.details or by_phone(draft, rules, case, case.handover(said.details["handover"]))


def _act(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """Do it; False when it is not possible as the case stands."""
    if case.merged_into is not None:
        return False  # it goes on in another one: there it must be said
    if case.offered_by and said.kind != ActKind.SEEN:
        return False  # it is another centre's until it is accepted here
    match said.kind:
        case ActKind.RAISE | ActKind.LOWER if said.colour is not None:
            return recolour(draft, rules, case, said, Colour(said.colour))
        case ActKind.SETTLE if case.provisional and not case.closed:
            return settle(draft, rules, case, said)
        case ActKind.ASSESS if not case.closed and not case.provisional:
            return assess(draft, rules, case, said) and _without_steps(draft, rules, case, said)
        case ActKind.DECIDE_HOLD if not case.closed and case.colour is None:
            return _held(draft, rules, case, said)
        case ActKind.REEVALUATE if not case.closed and case.colour is not None:
            _recorded(draft, case, said)
            reconsider(draft, rules, matter_of(draft, case))
            return True
        case ActKind.WITHDRAW if not case.closed:
            return _withdraw(draft, rules, case, said)
        case ActKind.CLOSE if not case.closed and not _awaits(case):
            _recorded(draft, case, said)
            _close(draft, rules, case)
            return True
        case ActKind.REOPEN if case.closed and not case.erased and case.owner == rules.directory.organisation:
            return _reopen(draft, rules, case, said)
        case ActKind.ERASE if case.closed and case.merged_into is None and (case.keys or not case.erased):
            # Once more for the dead letters that came after the first time.
            _recorded(draft, case, said)
            keys = (key for part in draft.book.parts_of(case) for key in part.keys)
            draft.add(j.Erased(case_id=case.id, key_ids=tuple(dict.fromkeys(keys))))
            return True
        case ActKind.MEASURE | ActKind.RESTRAINING_ORDER:
            return _standing(draft, rules, case, said)
        case ActKind.BOARD_NOTICE:
            return _board_notice(draft, rules, case, said)
        case ActKind.ASSESSMENT_PART if not case.erased:
            return _assessment_part(draft, rules, case, said)
        case ActKind.CONFIRM_LINK | ActKind.UNLINK | ActKind.MERGE:
            return _related(draft, rules, case, said)
        case ActKind.RELEASE:
            _recorded(draft, case, said)
            return release(draft, case, said.details["notices"])
        case ActKind.PHONED:
            _recorded(draft, case, said)
            return phoned(draft, case, said.details.get("notices", [])) and _over_by_phone(draft, rules, case, said)
        case ActKind.ASSIGN_ROLE if said.details["case_role"] != CaseRole.EXECUTOR:
            # Who executes follows from the handover alone.
            return _role(draft, rules, case, said)
        case ActKind.CONSULT if not case.closed and any(one.id == said.details["to"] for one in rules.directory.own()):
            _recorded(draft, case, said)
            consult(draft, case, said.details["to"])
            return True
        case ActKind.MOVE_TIMER:
            return _moved(draft, case, said)
        case ActKind.OUTCOME:
            return _outcome(draft, case, said)
        case ActKind.MONITOR_START if not case.closed and MONITORED[0] not in _in_force(case):
            _recorded(draft, case, said)
            set_standing(draft, case.id, MONITORED[0], Stands(StandingState.IN_FORCE.value, draft.now, None))
            return True
        case ActKind.MONITOR_CONTACT if MONITORED[0] in _in_force(case):
            _recorded(draft, case, said)
            return True
        case (
            ActKind.SEEN
            | ActKind.INFORMED
            | ActKind.EXTEND
            | ActKind.FEEDBACK_GIVEN
            | ActKind.FEEDBACK_NOT_POSSIBLE
            | ActKind.SUPPORT_GIVEN
        ):
            _recorded(draft, case, said)
            return True
        case _:
            return False


def _recorded(draft: Draft, case: Case, said: j.ActInput, kind: str | None = None) -> None:
    """The act took effect, and changed nothing of the colour."""
    colour = Colour(case.colour) if case.colour else None
    done(draft, case, said if kind is None else replace(said, kind=kind), colour, provisional=case.provisional)


def _withdraw(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """An offer outside the centre that nobody has accepted comes back to it. What was accepted only the policy recalls,
    and what lies at a desk is the centre's already."""
    current = case.current()
    receiver = rules.directory.receiver(current.receiver) if current is not None else None
    if current is None or current.state not in AWAITS_ANSWER or (receiver is not None and receiver.kind == "DESK"):
        return False
    _recorded(draft, case, said)
    recall(draft, rules, case, current)
    return True


def _without_steps(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """A person found that nothing needs to follow (X12): whoever has the case need not go on, and it is closed."""
    if said.details["outcome"] != TriageOutcome.NO_STEPS:
        return True
    colours = [event.colour for event in draft.events if isinstance(event, j.Triaged)]
    told = {"assessed": TriageOutcome.NO_STEPS.value, "colour": (colours or [case.colour])[-1] or NONE}
    row = rules.destinations.answer(told).rows[0]
    if row.to != "NONE":
        return False  # what is oranje or rood does not end so
    draft.add(j.Routed(case_id=case.id, destination=row.to, rule=row.id))
    _ended(draft, rules, case, said)
    return True


def _held(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """What a jurist decides on a double-anonymous report."""
    if said.details["hold"] == "TAKE_UP":
        return take_up(draft, rules, case, said)
    _recorded(draft, case, said)
    _ended(draft, rules, case, said)
    return True


def _standing(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """A measure or huisverbod begins, is broken or ends; what that makes worse is worse from now on."""
    given = said.details["standing"]
    what: str = given["measure"] if said.kind == ActKind.MEASURE else Standing.RESTRAINING_ORDER.value
    _recorded(draft, case, said)
    found = set_standing(draft, case.id, what, Stands(given["state"], given["since"], given.get("until")))
    matter = matter_of(draft, case)
    now = replace(matter, standing={**case.standing, what: found})
    risen = found.state != StandingState.ENDED and reconsider(draft, rules, now, matter)
    if not risen and _is_offered_elsewhere(rules, case) and case.colour is not None:
        # The other centre gets what is new with the offer.
        replaced(draft, rules, now, Colour(case.colour), provisional=case.provisional)
    return True


def _is_offered_elsewhere(rules: Rules, case: Case) -> bool:
    """Whether another centre has been offered the case and has not answered."""
    current = case.current()
    return current is not None and rules.directory.elsewhere(current.receiver) is not None


def _related(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """Two cases: the younger one is decided anew, whichever of them was named. Or reports of one case."""
    if "reports" in said.details:
        if case.erased or case.closed:
            return False
        _recorded(draft, case, said)
        if said.kind == ActKind.CONFIRM_LINK:
            return one_incident(draft, case, said)
        return take_out(draft, rules, case, said)
    other = draft.book.cases.get(said.details["other_case"])
    if other is None:
        return False
    _recorded(draft, case, said)
    mine, its = matter_of(draft, case), matter_of(draft, other, draft.incoming.others)
    both = [*mine.household, *its.household]
    if said.kind == ActKind.MERGE:
        return merge(draft, rules, case, other) and _merged(draft, rules, mine, its)
    how = Relation.CONFIRMED if said.kind == ActKind.CONFIRM_LINK else Relation.UNLINKED
    if not relate(draft, case, other, how):
        return False
    for matter in (mine, its):
        # Each may have waited for it; the older one counts none that came later.
        alone = [found for found in matter.household if found.id not in (case.id, other.id)] + [matter.case]
        together = alone if how is Relation.UNLINKED else both
        related(draft, rules, replace(matter, household=together), matter)
    return True


def _merged(draft: Draft, rules: Rules, mine: Matter, its: Matter) -> bool:
    """The case has both histories now, and the more urgent of both colours at least."""
    case, other = mine.case, its.case
    reports = sorted((*mine.reports, *its.reports), key=lambda found: found[0].seq)
    standing, dangers = {**other.standing, **case.standing}, {**its.dangers, **mine.dangers}
    matter = Matter(case, reports, [*mine.household, *its.household], standing, dangers)
    for what in other.standing.keys() - case.standing.keys():
        set_standing(draft, case.id, what, other.standing[what])
    colours = [Colour(found) for found in (case.colour, None if other.closed else other.colour) if found]
    judged = judge(rules, matter)
    # What the rules said of each case already was weighed by a person, who may have lowered it; not what was said of
    # one since it was closed.
    unweighed = case.unweighed or other.unweighed
    found = judged if unweighed or worse(rules, [mine, its], judged) else []
    colours += [outcome.colour for outcome in found]
    if not colours:
        return True
    colour, open_too = highest(colours), not other.closed
    provisional = (case.provisional or (other.provisional and open_too)) and colour is not Colour.RED
    if case.colour == colour and case.provisional == provisional:
        current = case.current()
        if current is None or _is_offered_elsewhere(rules, case):
            # Nobody has it; or another centre is to get what is new with the offer.
            replaced(draft, rules, matter, colour, provisional=provisional)
        elif open_too:
            # Whoever has the case hears of what was reported on the other one.
            draft.tell(NoticeKind.CHANGED, current.receiver, case_id=case.id, handover_id=current.id, content=True)
        if open_too and other.colour == Colour.RED:
            draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case.id)
        return True
    reasons = (*case.reasons, *(other.reasons if open_too else ()), *(rule for one in found for rule in one.rules))
    questions = tuple(dict.fromkeys((*case.open_questions, *(other.open_questions if open_too else ()))))
    coloured_now(draft, rules, matter, colour, reasons, questions, provisional=provisional)
    return True


def _role(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    to = said.details["to"]
    if to != rules.directory.organisation and rules.directory.receiver(to) is None:
        return False
    _recorded(draft, case, said)
    draft.add(j.RoleGiven(case_id=case.id, who=to, role=said.details["case_role"]))
    return True


def _assessment_part(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """A party adds its part; what it finds more dangerous than was known may raise the colour."""
    part = said.details["part"]
    _recorded(draft, case, said)
    known = (found.version for found in draft.book.assessment_of(case) if found.party == part["party"])
    before = max(known, default=0)
    indicators, valid_until = part.get("indicators", {}), part.get("valid_until")
    draft.add(
        j.AssessmentAdded(
            case_id=case.id,
            party=part["party"],
            version=before + 1,
            scale=part.get("scale"),
            indicators=dict(sorted(indicators.items())),
            valid_until=valid_until,
        )
    )
    matter = matter_of(draft, case)
    new = {found: "YES" for found, answer in indicators.items() if answer == "YES"}
    reconsider(draft, rules, replace(matter, dangers={**matter.dangers, **new}), matter)
    return True


def _board_notice(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """What the Raad lets know; whoever has the case is told."""
    _recorded(draft, case, said)
    what, notice = Standing.BOARD_INVESTIGATION.value, said.details["board"]
    if notice == BoardNotice.INVESTIGATES:
        set_standing(draft, case.id, what, Stands(StandingState.IN_FORCE.value, said.done, None))
    elif notice in (BoardNotice.DECLINED, BoardNotice.ENDED):
        end(draft, case, what, said.done)
    current = case.current()
    to = current.receiver if current is not None else rules.directory.desks.assessment
    draft.tell(NoticeKind.BOARD, to, case_id=case.id, handover_id=current.id if current is not None else None)
    return True


def _moved(draft: Draft, case: Case, said: j.ActInput) -> bool:
    """A term that runs gets another moment; of oranje and rood only an earlier one."""
    due, running = said.details["due"], case.terms.get(said.details["term"])
    urgent = case.colour in (Colour.ORANGE, Colour.RED)
    if running is None or due <= draft.now or (urgent and due > running):
        return False
    _recorded(draft, case, said)
    return True


def _outcome(draft: Draft, case: Case, said: j.ActInput) -> bool:
    """How an investigation ended. Reports that were refuted count as repetition no more (N1)."""
    _recorded(draft, case, said)
    found = said.details["found"]
    threads: tuple[str, ...] = ()
    if found == InvestigationOutcome.REFUTED:
        present = (one for part in draft.book.parts_of(case) for one in part.entries if one.seq >= part.episode)
        threads = tuple(dict.fromkeys(entry.thread for entry in present if entry.counts))
    draft.add(j.Investigated(case_id=case.id, found=found, threads=threads))
    return True


def _ended(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> None:
    """Nothing follows: it is closed."""
    _recorded(draft, case, said, ActKind.CLOSE)
    _close(draft, rules, case)


def _reopen(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """It is open again, as it was; what was said of it meanwhile is weighed now."""
    _recorded(draft, case, said)
    matter = matter_of(draft, case)
    if not (case.unweighed and reconsider(draft, rules, matter)):
        if matter.latest is not None:
            draft.told = situation(rules, matter.latest, local_date(draft.now), Household(standing=case.standing))
        # Nobody has it any more: a person of the centre looks what it needs.
        offer(draft, rules, case.id, unforeseen(rules), Colour(case.colour) if case.colour else None)
    return True


def _close(draft: Draft, rules: Rules, case: Case) -> None:
    """With the case closed nobody need go on, follow up or monitor: whoever had it is told, and answers no more."""
    supersede(draft, rules, case)
    centre = rules.directory.organisation
    if case.executor != centre and not any(isinstance(event, j.ExecutorChanged) for event in draft.events):
        draft.add(j.ExecutorChanged(case_id=case.id, executor=centre))
    if case.owner != centre:
        draft.add(j.OwnerChanged(case_id=case.id, owner=centre))
    end(draft, case, MONITORED[0], draft.now)


def _in_force(case: Case) -> set[str]:
    return {what for what, found in case.standing.items() if found.state != StandingState.ENDED}


def _awaits(case: Case) -> bool:
    current = case.current()
    return current is not None and current.state in AWAITS_ANSWER
