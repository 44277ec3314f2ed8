"""Notices beside the handover (domain model, section 5.3, fan-out). Pure.

The rules prepare them at once; a person releases them, or makes the call. One that cannot be sent blocks no other.
"""

from collections.abc import Mapping
from datetime import date

from agents.casework.case import WENT_OUT, Case
from agents.casework.inputs import Draft
from agents.casework.routing import About, somebody
from agents.casework.rules import Rules
from agents.facts import Facts
from topics import journal as j
from topics.codes import HandoverState, NoticeKind, NoticeState

_PREPARED = NoticeState.PREPARED.value


def prepare(
    draft: Draft, rules: Rules, case: Case | None, case_id: str, told: Mapping[str, str], facts: Facts, on: date
) -> None:
    """What the rules want others to know; each rule once in an episode. The duty officer hears that it is ready."""
    known = {found[0] for found in case.prepared.values()} if case is not None and not case.closed else set()
    said = draft.incoming.input
    own = said.source_kind if isinstance(said, j.ReportInput) else None  # nobody is told what it reported itself
    new = [row for row in rules.fan_out.answer(told).rows if row.id not in known and row.to != own]
    avoided = tuple(case.avoided) if case is not None else ()
    for row in new:
        receiver = somebody(rules.directory, row.to, About(on, facts, avoided=avoided))
        by = "QUEUE" if receiver is not None and row.by == "QUEUE" else "PHONE"
        notice_id = draft.new_id()
        to = receiver.id if receiver is not None else None
        draft.add(j.Prepared(case_id=case_id, notice_id=notice_id, rule=row.id, to=row.to, receiver=to, by=by))
        if row.releases_itself and facts.professional and by == "QUEUE":
            _release(draft, case_id, notice_id, to)
    if any(not (row.releases_itself and facts.professional) for row in new):
        draft.tell(NoticeKind.PREPARED, rules.directory.desks.duty, case_id=case_id)


def release(draft: Draft, case: Case, notice_ids: list[str]) -> bool:
    """A person releases these; False when one of them is not ready, or must be told by telephone."""
    notice_ids = list(dict.fromkeys(notice_ids))
    found = [case.prepared.get(one) for one in notice_ids]
    if case.erased or any(one is None or one[3] != "QUEUE" or one[4] != _PREPARED for one in found):
        return False
    for notice_id, one in zip(notice_ids, found, strict=True):
        assert one is not None
        _release(draft, case.id, notice_id, one[2])
    return True


def phoned(draft: Draft, case: Case, notice_ids: list[str]) -> bool:
    """A person has called about these; False when one of them is not ready."""
    notice_ids = list(dict.fromkeys(notice_ids))
    if any(case.prepared.get(one, [None])[-1] != _PREPARED for one in notice_ids):
        return False
    for notice_id in notice_ids:
        draft.add(j.Released(case_id=case.id, notice_id=notice_id, how=NoticeState.PHONED.value))
    return True


def consult(draft: Draft, case: Case, to: str) -> None:
    """Ask a receiver to think along, without a handover."""
    consult_id = draft.new_id()
    draft.add(j.Consulted(case_id=case.id, consult_id=consult_id, to=to))
    draft.tell(NoticeKind.CONSULT, to, case_id=case.id, handover_id=consult_id, content=True)


def addressee(case: Case, notice_id: str) -> str | None:
    """Who got the notice of that number, or was asked to think along; None when there is none."""
    asked, notice = case.consults.get(notice_id), case.prepared.get(notice_id)
    return asked[0] if asked is not None else notice[2] if notice is not None else None


def answered(draft: Draft, rules: Rules, case: Case, said: j.AnswerInput) -> None:
    """An answer of its addressee to a notice.

    Who was asked to think along says so when he has (COMPLETED) or will not (REFUSED). Whatever carries a notice
    further says when it could not (REFUSED): it goes out once more, then a person takes another way.
    """
    notice_id = said.handover_id
    asked, notice = case.consults.get(notice_id), case.prepared.get(notice_id)
    if asked is not None and asked[1] is None and said.state in (HandoverState.COMPLETED, HandoverState.REFUSED):
        draft.add(j.ConsultAnswered(case_id=case.id, consult_id=notice_id, state=said.state))
        current = case.current()
        to = current.receiver if current is not None else rules.directory.desks.assessment
        draft.tell(NoticeKind.CONSULTED, to, case_id=case.id, handover_id=notice_id)
    elif notice is not None and said.state == HandoverState.REFUSED and notice[4] in WENT_OUT:
        _not_delivered(draft, rules, case, notice_id, again=notice[4] == NoticeState.RELEASED)
    else:
        draft.add(j.NotDecided(case_id=case.id, why="no_change"))


def _not_delivered(draft: Draft, rules: Rules, case: Case, notice_id: str, *, again: bool) -> None:
    draft.add(j.NotDelivered(case_id=case.id, notice_id=notice_id, by="QUEUE" if again else "PHONE"))
    receiver = case.prepared[notice_id][2]
    if again and receiver is not None:
        draft.tell(NoticeKind.SIDE_NOTICE, receiver, case_id=case.id, handover_id=notice_id, content=True)
    else:
        draft.tell(NoticeKind.NOT_DELIVERED, rules.directory.desks.duty, case_id=case.id, handover_id=notice_id)


def _release(draft: Draft, case_id: str, notice_id: str, receiver: str | None) -> None:
    draft.add(j.Released(case_id=case_id, notice_id=notice_id, how=NoticeState.RELEASED.value))
    if receiver is not None:
        draft.tell(NoticeKind.SIDE_NOTICE, receiver, case_id=case_id, handover_id=notice_id, content=True)
