"""What is owed on a case and by when: which terms begin and end with a record (domain model, section 4). Pure.

A term that runs is never moved later by what the rules say: of two moments the earlier one holds. Only a person
lengthens one (EXTEND). Terms of an offer are new with another receiver; what watches for silence counts from the last
change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.casework.case import Case
from agents.casework.inputs import Draft
from agents.casework.owed import first_step
from agents.casework.related import undecided
from agents.casework.rules import Rules
from agents.policy.model import millis, moment
from agents.policy.vocabulary import NONE
from topics import journal as j
from topics.codes import ActKind, BoardNotice, Colour, HandoverState, Relation, Standing, StandingState


@dataclass(slots=True)
class _Matter:
    """A case while its events are gone through."""

    id: str | None
    colour: str | None
    destination: str | None
    receiver: str | None
    assessed: bool
    since: int | None
    """When the reports came that are a case of their own now."""
    running: dict[str, int]
    fired: dict[str, int] = field(default_factory=dict)
    """Of what runs: how many steps of its ladder have been taken."""
    ended: dict[str, int] = field(default_factory=dict)
    """With the moment that was owed."""
    new: dict[str, int] = field(default_factory=dict)


def follow(draft: Draft, rules: Rules) -> None:
    """Add what begins and ends with the events so far, an event for each case."""
    matters: dict[str, _Matter] = {}
    for event in tuple(draft.events):
        case_id = getattr(event, "case_id", None)
        if case_id is None or isinstance(event, j.Linked):
            continue
        other = event.other if isinstance(event, j.Related) else event.to if isinstance(event, j.ReportsMoved) else None
        for about in (case_id, other) if other is not None else (case_id,):
            if about not in matters:
                matters[about] = _matter(draft.book.cases.get(about))
            _event(draft, rules, matters[about], event)
    for case_id, found in matters.items():
        _watch(draft, rules, case_id, found)
        due = {term: at for term, at in sorted(found.new.items()) if found.running.get(term) == at}
        ended = tuple(term for term in found.ended if term not in found.running)
        if due or ended:
            steps = _steps(draft, rules, case_id, found, due)
            owed = {term: found.ended[term] for term in ended}
            draft.add(j.TermsChanged(case_id=case_id, due=due, ended=ended, owed=owed, steps=steps))


def _steps(draft: Draft, rules: Rules, case_id: str, matter: _Matter, due: Mapping[str, int]) -> dict[str, list[int]]:
    """What comes next about what is due from now on. A step that was taken is not taken again; where none is left,
    what comes back goes on coming back."""
    case = draft.book.cases.get(case_id)
    found: dict[str, list[int]] = {}
    for term, at in due.items():
        ladder, fired = rules.ladders.get(term), matter.fired.get(term, 0)
        step = first_step(ladder, at, draft.now, fired) if ladder is not None else None
        if step is None and fired and case is not None:
            step = case.steps.get(term)
        if step is not None:
            found[term] = step
    return found


_NO_CHANGE = (
    j.Told, j.StepFired, j.TermFired, j.MoveRefused, j.Repeated, j.NotDecided, j.Linked, j.OfferPaused, j.OfferShown,
)  # fmt: skip
_AT_WORK = (HandoverState.ACCEPTED, HandoverState.STARTED)


def _watch(draft: Draft, rules: Rules, case_id: str, matter: _Matter) -> None:
    """While somebody has accepted the case, it is looked at again so long after the last change (T19)."""
    case = draft.book.cases.get(case_id)
    states = {one.id: one.state for one in case.handovers} if case is not None else {}
    changed = False
    for event in draft.events:
        if getattr(event, "case_id", None) != case_id:
            continue
        changed = changed or not isinstance(event, _NO_CHANGE)
        match event:
            case j.Answered() if event.released:
                states[event.handover_id] = event.state
            case j.TakenBack():
                states[event.handover_id] = event.state
            case j.HandedOver():
                states[event.handover_id] = HandoverState.COMPLETED.value
    if not any(state in _AT_WORK for state in states.values()):
        _end(rules, matter, "LEFT")
    elif changed:
        _begin(draft, rules, matter, "CHANGED", draft.now, anew=True)


def _matter(case: Case | None) -> _Matter:
    if case is None:
        return _Matter(None, None, None, None, False, None, {})
    current, assessed = case.current(), case.assessed is not None
    receiver = current.receiver if current is not None else None
    fired = {term: place for term, (_, place) in case.steps.items()}
    return _Matter(case.id, case.colour, case.destination, receiver, assessed, None, dict(case.terms), fired)


def _event(draft: Draft, rules: Rules, matter: _Matter, event: j.Event) -> None:
    said, now = draft.incoming.input, draft.now
    received = said.received if isinstance(said, j.ReportInput) else matter.since or now
    if isinstance(said, j.TransferInput) and said.reports:
        received = said.reports[-1].received
    match event:
        case j.Registered():
            _begin(draft, rules, matter, "RECEIVED", received)
            if isinstance(said, j.TransferInput):
                # What was owed on a report at the other centre is owed here, by the same moment.
                _joined(matter, {term: due for term, due in said.terms.items() if term in matter.running}, {})
        case j.Triaged():
            changed, matter.colour = matter.colour != event.colour, event.colour
            if changed or event.provisional:
                _begin(draft, rules, matter, "COLOURED", received)
        case j.Routed():
            matter.destination = event.destination
        case j.Offered():
            anew = matter.receiver != event.receiver
            matter.receiver = event.receiver
            _begin(draft, rules, matter, "OFFERED", now, anew=anew)
            _begin(draft, rules, matter, "ROUTED", now)
        case j.Answered():
            _end(rules, matter, event.state)
            _begin(draft, rules, matter, event.state, now)
            if event.phone:
                _begin(draft, rules, matter, "PHONED_OVER", now)
            if event.reason == "TOO_SEVERE":
                _begin(draft, rules, matter, "TOO_SEVERE", now)
        case j.NotDecided() if event.why == "confirmed":
            _end(rules, matter, "CONFIRMED")
        case j.ActDone():
            _act(draft, rules, matter, event.kind)
            if isinstance(said, j.ActInput) and event.kind == ActKind.MOVE_TIMER:
                term = said.details["term"]
                _anew(matter, term, said.details["due"])
            if isinstance(said, j.ActInput) and said.details.get("board") == BoardNotice.MAYOR_DEMANDS:
                _begin(draft, rules, matter, "MAYOR_DEMANDS", now)
        case j.HandedOver() | j.TransferEnded() if getattr(event, "state", "") != "ACCEPTED":
            matter.ended |= matter.running
            matter.running = {}
            if isinstance(event, j.HandedOver):
                # Who reported is known here alone.
                _begin(draft, rules, matter, "HANDED_OVER", now)
        case j.StandingChanged():
            _standing(draft, rules, matter, event)
        case j.ConsultAnswered():
            asked = draft.book.cases[event.case_id].consults
            if all(answer is not None for one, (_, answer) in asked.items() if one != event.consult_id):
                _end(rules, matter, "CONSULTED")
        case j.Released() if event.how == "RELEASED" and _to_the_board(draft, event):
            _begin(draft, rules, matter, "BOARD_WRITTEN", now)
        case j.Prepared() if event.to == "BOARD" and event.by == "PHONE":
            _begin(draft, rules, matter, "BOARD_REQUESTED", now)
        case j.ReportsMoved() if matter.id is None:
            # What is owed on them is owed since they came.
            moved = (
                entry
                for entry in draft.book.reports_of(draft.book.cases[event.case_id])
                if entry.thread in event.threads
            )
            matter.since = min(entry.received for entry in moved)
            _begin(draft, rules, matter, "RECEIVED", matter.since)
        case j.Related():
            _related(draft, rules, matter, event)


def _act(draft: Draft, rules: Rules, matter: _Matter, kind: str) -> None:
    if kind in (ActKind.CLOSE, ActKind.ERASE):
        case = draft.book.cases[matter.id] if matter.id is not None else None
        # A drill is about nobody.
        lasts = kind == ActKind.CLOSE and case is not None and not case.test
        lasting = {row.id for row in rules.policy.terms if row.outlasts and lasts}
        for term in [term for term in matter.running if term not in lasting]:
            _stop(matter, term)
        return
    if kind == ActKind.EXTEND:
        for row in rules.policy.terms:
            if row.extension is not None and (due := matter.running.get(row.id)) is not None:
                longer = row.extension.after(moment(due), rules.calendar)
                _anew(matter, row.id, millis(longer))
        return
    if kind == ActKind.REOPEN and not matter.assessed:
        _begin(draft, rules, matter, "REOPENED", draft.now)
    if kind not in (ActKind.CONFIRM_LINK, ActKind.UNLINK):  # another possible link may be left: see _related
        _end(rules, matter, kind)
    _begin(draft, rules, matter, kind, draft.now)


def _to_the_board(draft: Draft, event: j.Released) -> bool:
    """Whether it was a request to the *Raad* in writing."""
    case = draft.book.cases.get(event.case_id)
    notice = case.prepared.get(event.notice_id) if case is not None else None
    return notice is not None and notice[1] == "BOARD"


def _related(draft: Draft, rules: Rules, matter: _Matter, event: j.Related) -> None:
    """What waited for a decision about a possible link waits no more, once none is left."""
    if event.how == Relation.MERGED:
        if matter.id == event.other:
            return  # its terms go on in the other one
        other = draft.book.cases[event.other]
        _joined(matter, other.terms, {term: place for term, (_, place) in other.steps.items()})
    if matter.id is not None and not undecided(draft, draft.book.cases[matter.id]):
        _end(rules, matter, "UNLINK" if event.how == Relation.UNLINKED else "CONFIRM_LINK")


def _standing(draft: Draft, rules: Rules, matter: _Matter, event: j.StandingChanged) -> None:
    start = {
        Standing.RESTRAINING_ORDER: "ORDER", Standing.OTS: "MEASURE", Standing.VOTS: "MEASURE",
        Standing.GUARDIANSHIP: "MEASURE",
    }.get(Standing(event.what))  # fmt: skip
    if start is None:
        return
    if event.state == StandingState.ENDED:
        for row in rules.policy.terms:
            if "ENDED" in row.ends and start in row.starts:
                _stop(matter, row.id)
    else:
        _begin(draft, rules, matter, start, event.since, begun=event.what)


def _begin(
    draft: Draft, rules: Rules, matter: _Matter, start: str, at: int, *, anew: bool = False, begun: str = NONE
) -> None:
    """Every term that starts so now, for a case as it stands."""
    table = rules.terms.get(start)
    if table is None:
        return
    told = {**draft.told, "colour": matter.colour or NONE, "destination": matter.destination or "NONE", "begun": begun}
    for row in table.each(told):
        length = row.length(Colour(matter.colour) if matter.colour is not None else None)
        if length is None:
            continue
        due = millis(length.after(moment(at), rules.calendar))
        before = matter.running.get(row.id)
        if before is None and begun == NONE and not anew and (was := matter.ended.get(row.id, due + 1)) <= due:
            matter.running[row.id] = was  # what ends and begins again at once was owed all along
        elif before is None or anew:
            _anew(matter, row.id, due)
        elif due < before:
            matter.running[row.id] = matter.new[row.id] = due


def _anew(matter: _Matter, term: str, due: int) -> None:
    """Owed by that moment, and its ladder begins at the first step."""
    matter.running[term] = matter.new[term] = due
    matter.fired.pop(term, None)


def _end(rules: Rules, matter: _Matter, what: str) -> None:
    ended = [row.id for row in rules.policy.terms if what in row.ends and row.id in matter.running]
    if what == ActKind.MONITOR_CONTACT:
        # Of several contacts that are owed, this was the first.
        ended = sorted(ended, key=lambda term: matter.running[term])[:1]
    for term in ended:
        _stop(matter, term)


def _joined(matter: _Matter, others: dict[str, int], fired: dict[str, int]) -> None:
    """What was owed on a case that goes on in this one; of two moments the earlier holds. ``fired`` are the steps that
    were taken there."""
    for term, due in others.items():
        if due < matter.running.get(term, due + 1):
            matter.running[term] = matter.new[term] = due
            matter.fired[term] = max(matter.fired.get(term, 0), fired.get(term, 0))


def _stop(matter: _Matter, term: str) -> None:
    due = matter.running.pop(term, None)
    if due is not None:
        matter.ended[term] = due
