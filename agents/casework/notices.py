"""Notices beside the handover (domain model, section 5.3, fan-out). Pure.

The rules prepare them at once; a person releases them, or makes the call. One that cannot be sent blocks no other.
"""

from collections.abc import Mapping
from datetime import date

from agents.casework.case import Case
from agents.casework.inputs import Draft
from agents.casework.routing import About, somebody
from agents.casework.rules import Rules
from agents.facts import Facts
from topics import journal as j
from topics.codes import NoticeKind, NoticeState

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


def _release(draft: Draft, case_id: str, notice_id: str, receiver: str | None) -> None:
    draft.add(j.Released(case_id=case_id, notice_id=notice_id, how=NoticeState.RELEASED.value))
    if receiver is not None:
        draft.tell(NoticeKind.SIDE_NOTICE, receiver, case_id=case_id, content=True)
