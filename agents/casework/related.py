"""What a person decides about two cases: one household, not one, or one case from now on (domain model, 3.8 and N2).

Pure. A merely possible link raises nothing until it is confirmed; unlinking gives back links and counts, while the
colour stays until a person lowers it.
"""

from agents.casework.case import Case
from agents.casework.handover import supersede
from agents.casework.inputs import Draft
from agents.casework.rules import Rules
from topics import journal as j
from topics.codes import Certainty, Relation


def undecided(draft: Draft, case: Case) -> list[Case]:
    """The cases with which a possible link was seen, and about which nobody has decided, this act included."""
    book = draft.book
    about = [
        event for event in draft.events if isinstance(event, j.Related) and case.id in (event.case_id, event.other)
    ]
    decided = [
        (event.how, book.cases.get(event.other if event.case_id == case.id else event.case_id)) for event in about
    ]
    apart = {other.id for how, other in decided if other is not None and how == Relation.UNLINKED}
    near = [case, *(other for _, other in decided if other is not None and other.id not in apart)]
    known = {found.id for one in near for found in book.household(one)} | {*case.unlinked, *apart}
    merged = [other for how, other in decided if other is not None and how == Relation.MERGED]
    links = (link for one in (case, *merged) for part in book.parts_of(one) for link in part.links)
    seen = (book.cases.get(other) for other, _, certainty in links if certainty == Certainty.POSSIBLE)
    found = {one.id: one for other in seen if other is not None and (one := book.standing_for(other))}
    return [one for one in found.values() if one.id not in known and joinable(one)]


def joinable(case: Case) -> bool:
    """Whether another report can join the case: not what is held or has no colour, nor what was erased, nor what is
    still another centre's."""
    return case.colour is not None and not case.erased and not case.offered_by


def relate(draft: Draft, case: Case, other: Case, how: Relation) -> bool:
    """CONFIRMED or UNLINKED; False when that makes no sense."""
    if other.id == case.id or case.erased or other.erased or case.merged_into or other.merged_into:
        return False
    if how is Relation.UNLINKED and other.id in case.unlinked:
        return False
    draft.add(j.Related(case_id=case.id, other=other.id, how=how.value))
    return True


def merge(draft: Draft, rules: Rules, case: Case, other: Case) -> bool:
    """``other`` goes on in ``case``; both histories stay. What was still offered of the other is taken back."""
    if other.id == case.id or case.closed or case.merged_into or other.merged_into:
        return False
    if not (joinable(case) and joinable(other)):
        return False  # about what is held a jurist decides first
    centre = rules.directory.organisation
    if other.closed and other.owner != centre:
        return False  # it was handed over to another centre
    supersede(draft, rules, other)
    if other.owner != centre:
        draft.add(j.OwnerChanged(case_id=other.id, owner=centre))
    draft.add(j.Related(case_id=case.id, other=other.id, how=Relation.MERGED.value))
    return True
