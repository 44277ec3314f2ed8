"""Reports of one case, looked at by a person: some are of another household, or tell of one incident (3.8). Pure.

What is taken out is a case of its own that is decided by its own reports. The case that it was in keeps its colour
until a person lowers it; its links and counts are as if it had never been there.
"""

from collections.abc import Sequence

from agents.casework.case import Case, Entry
from agents.casework.handover import offer
from agents.casework.inputs import Draft
from agents.casework.linking import earlier_reports
from agents.casework.notices import prepare
from agents.casework.reports import pass_over, together
from agents.casework.routing import About, route
from agents.casework.rules import Rules, local_date
from agents.casework.situation import Household, coloured, open_questions, situation
from agents.casework.standing import told_of
from agents.facts import Facts
from agents.policy.colours import highest
from topics import journal as j
from topics.codes import Colour, NoticeKind, Relation


def one_incident(draft: Draft, case: Case, said: j.ActInput) -> bool:
    """These reports of a case tell of one incident: together they count once. False when they are not all there."""
    threads = _threads(draft, case, said)
    if len(threads) < 2:
        return False
    draft.add(j.SameIncident(case_id=case.id, threads=threads))
    return True


def take_out(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """These reports of a case are of another household. False when they are not all there, or nothing would be left."""
    threads = _threads(draft, case, said)
    reports = draft.book.reports_of(case)
    moved = [
        (entry, facts)
        for entry, facts in zip(reports, draft.incoming.earlier, strict=True)
        if entry.thread in threads and facts is not None
    ]
    if not threads or case.colour is None or {entry.thread for entry in reports} <= {*threads}:
        return False
    if {entry.thread for entry, _ in moved} != {*threads}:
        return False  # what was destroyed cannot be decided anew
    current = case.current()
    if current is not None and rules.directory.elsewhere(current.receiver) is not None:
        return False  # it is offered to another centre as it is
    new_id = draft.new_id()
    draft.add(j.ReportsMoved(case_id=case.id, to=new_id, threads=threads, owner=rules.directory.organisation))
    draft.add(j.Related(case_id=case.id, other=new_id, how=Relation.UNLINKED.value))
    if current is not None:
        draft.tell(NoticeKind.CHANGED, current.receiver, case_id=case.id, handover_id=current.id)
    _decided(draft, rules, new_id, moved)
    return True


def _decided(draft: Draft, rules: Rules, case_id: str, moved: Sequence[tuple[Entry, Facts]]) -> None:
    """The case of these reports, as if they had come alone."""
    alone = Case(id=case_id, opened=draft.now, owner="", executor="", entries=[entry for entry, _ in moved])
    days, told = rules.policy.windows.repetition, dict[str, str]()
    for entry, facts in moved:
        alone.standing = told_of(draft, alone, case_id, facts, entry.received)
    judged = []
    earlier: dict[str, int] = {}
    for entry, facts in moved:
        known = earlier_reports([alone], entry.thread, entry.incident, entry.received, days, before=entry.seq)
        told = situation(
            rules, facts, local_date(entry.received), Household(len(known), entry.perpetrator_known, alone.standing)
        )
        earlier |= known
        judged.append(rules.colours.judge(told))
    latest = moved[-1][1]
    colour = highest([outcome.colour for outcome in judged])
    provisional = any(outcome.provisional for outcome in judged) and colour is not Colour.RED
    told |= coloured(colour, provisional)
    draft.add(
        j.Triaged(
            case_id=case_id,
            colour=colour.value,
            provisional=provisional,
            reasons=tuple(dict.fromkeys(rule for outcome in judged for rule in outcome.rules)),
            open_questions=tuple(dict.fromkeys(one for _, facts in moved for one in open_questions(facts))),
            floor=highest([outcome.floor for outcome in judged]).value,
            conditions=together((), rules.safety_conditions.answer(told).rows),
            board_request=together((), rules.board_request.answer(told).rows),
            board_unknown=rules.board_request.unknown(told),
            earlier=earlier,
        )
    )
    draft.told = told
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case_id)
    avoided = tuple(one for _, facts in moved for one in pass_over(draft, rules, None, case_id, facts))
    on = local_date(draft.now)
    offer(draft, rules, case_id, route(rules, told, About(on, latest, avoided=avoided)), colour)
    prepare(draft, rules, None, case_id, told, latest, on)


def _threads(draft: Draft, case: Case, said: j.ActInput) -> tuple[str, ...]:
    """The reports that are named, as source and id; none when one of them is not of this case."""
    named: list[str] = list(dict.fromkeys(said.details["reports"]))
    known = dict.fromkeys(entry.thread for entry in draft.book.reports_of(case))
    found = {report: [thread for thread in known if thread.rpartition("/")[2] == report] for report in named}
    if any(not threads for threads in found.values()):
        return ()
    return tuple(thread for threads in found.values() for thread in threads)
