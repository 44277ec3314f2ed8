"""What a person of the centre may do, and what it does (domain model, sections 3.9 and D1). Pure.

Only a person lowers a colour, with a reason; from oranje and rood with a second person. An act that is not
allowed goes back as a dead letter with the reason; it is never ignored.
"""

from agents.casework.case import AWAITS_ANSWER, Case
from agents.casework.inputs import Draft
from agents.casework.linking import within
from agents.casework.reports import dead, place, replace_route
from agents.casework.rules import Rules, local_date
from agents.casework.situation import ACUTE, answered, open_acute, situation
from agents.facts import Facts
from agents.policy.colours import highest
from topics import journal as j
from topics.codes import ActKind, Colour, DeadLetterReason, NoticeKind


def act(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> None:
    """Decide one act on a case."""
    match said.kind:
        case ActKind.SEEN:
            _done(draft, case, said, case.colour, case.provisional)
        case ActKind.RAISE | ActKind.LOWER if said.colour is not None:
            _recolour(draft, rules, case, said, Colour(said.colour))
        case ActKind.SETTLE if case.provisional and not case.closed:
            _settle(draft, rules, case, said)
        case ActKind.CLOSE if not case.closed and not _awaits(case):
            _done(draft, case, said, case.colour, case.provisional)
            _centre_owns(draft, rules, case)
        case ActKind.REOPEN if case.closed and not case.erased:
            _done(draft, case, said, case.colour, case.provisional)
        case ActKind.ERASE if case.closed and (case.keys or not case.erased) and _four_eyes(said):
            # Once more for the dead letters that came after the first time.
            _done(draft, case, said, case.colour, case.provisional)
            draft.add(j.Erased(case_id=case.id, key_ids=tuple(dict.fromkeys(case.keys))))
        case _:
            _refuse(draft, rules)


def _recolour(draft: Draft, rules: Rules, case: Case, said: j.ActInput, colour: Colour) -> None:
    now = Colour(case.colour) if case.colour else Colour.GREEN
    if said.kind == ActKind.RAISE:
        # What was held has no colour yet: a person gives it one.
        allowed = case.colour is None or colour.severity > now.severity
    else:
        needs_two = now in (Colour.ORANGE, Colour.RED)
        allowed = (
            case.colour is not None
            and colour.severity < now.severity
            and (not needs_two or _four_eyes(said))
            and not case.provisional
        )
    if not allowed or case.closed:
        _refuse(draft, rules)
        return
    provisional = case.provisional and colour is not Colour.RED
    _done(draft, case, said, colour.value, provisional)
    draft.add(
        j.Triaged(
            case_id=case.id,
            colour=colour.value,
            provisional=provisional,
            reasons=tuple(dict.fromkeys((*case.reasons, "D1"))),
            open_questions=tuple(case.open_questions),
            # Said by a person, so it is certain, whatever is still open.
            floor=colour.value,
        )
    )
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case.id)
    facts = _latest(draft)
    place(draft, rules, case, replace_route(draft, rules, facts, colour, provisional), colour, by_person=True)


def _settle(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> None:
    """The open acute questions are answered: the colour becomes final, never under what was certain already."""
    colours = [Colour(case.settled_floor)] if case.settled_floor else []
    reasons: list[str] = []
    facts = None
    for entry, known in zip(case.entries, draft.incoming.earlier, strict=True):
        if known is None or not entry.counts:
            continue
        facts = answered(known, said.indicators)
        if open_acute(facts):
            _refuse(draft, rules)  # what is still unknown cannot be settled
            return
        repeats = _earlier(rules, case, entry.identity)
        outcome = rules.colours.judge(situation(rules, facts, local_date(entry.received), repeats=repeats))
        colours.append(outcome.colour)
        reasons += outcome.rules
    if facts is None or any(said.indicators.get(found) == "UNKNOWN" for found in ACUTE):
        _refuse(draft, rules)
        return
    colour = highest(colours)
    _done(draft, case, said, colour.value, provisional=False)
    draft.add(
        j.Triaged(
            case_id=case.id,
            colour=colour.value,
            provisional=False,
            reasons=tuple(dict.fromkeys((*reasons, "D1"))),
            open_questions=tuple(q for q in case.open_questions if q not in said.indicators),
            floor=colour.value,
        )
    )
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case.id)
    place(draft, rules, case, replace_route(draft, rules, facts, colour, False), colour, by_person=True)


def _earlier(rules: Rules, case: Case, identity: str) -> int:
    """How many reports counted as repetition when this one came."""
    before: list[str] = []
    for entry in case.entries:
        if entry.identity == identity:
            days = rules.policy.windows.repetition
            threads = {
                other.thread
                for other in case.entries
                if other.counts
                and other.identity in before
                and other.thread != entry.thread
                and not (entry.incident is not None and other.incident == entry.incident)
                and within(other, entry.received, days)
            }
            return len(threads)
        before.append(entry.identity)
    return 0


def _centre_owns(draft: Draft, rules: Rules, case: Case) -> None:
    """With the case closed nobody follows up any more: a new episode begins at the centre."""
    centre = rules.directory.organisation
    if case.executor != centre:
        draft.add(j.ExecutorChanged(case_id=case.id, executor=centre))
    if case.owner != centre:
        draft.add(j.OwnerChanged(case_id=case.id, owner=centre))


def _latest(draft: Draft) -> Facts | None:
    return next((facts for facts in reversed(draft.incoming.earlier) if facts is not None), None)


def _four_eyes(said: j.ActInput) -> bool:
    return said.second is not None and said.second != said.actor


def _awaits(case: Case) -> bool:
    current = case.current()
    return current is not None and current.state in AWAITS_ANSWER


def _done(draft: Draft, case: Case, said: j.ActInput, colour: str | None, provisional: bool) -> None:
    draft.add(
        j.ActDone(
            case_id=case.id,
            kind=said.kind,
            actor=said.actor,
            second=said.second,
            colour=colour,
            provisional=provisional,
        )
    )


def _refuse(draft: Draft, rules: Rules) -> None:
    draft.events.clear()
    dead(draft, rules, DeadLetterReason.ACT_REFUSED, acute=False)
