"""Which case a report belongs to, and how known its household is (domain model, section 3.8). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.casework.book import Book
from agents.casework.case import Case, Entry
from agents.casework.related import joinable
from agents.casework.rules import Rules, local_date
from agents.casework.standing import MONITORED, since
from agents.matching import Link
from agents.policy.model import millis, moment
from agents.policy.vocabulary import Since
from topics import journal as j
from topics.codes import Certainty, EarlierInvolvement, LinkKind

_PERPETRATOR = LinkKind.SAME_PERPETRATOR.value
_BY_WEIGHT = tuple(
    kind.value
    for kind in (
        LinkKind.SAME_PERPETRATOR,
        LinkKind.SAME_ADDRESS,
        LinkKind.SAME_INCIDENT,
        LinkKind.SAME_MOTHER_UNBORN,
        LinkKind.SAME_PARENT,
        LinkKind.SAME_PERSON,
    )
)
"""Of two links that are as sure the later one of these is told."""
_SURE = tuple(certainty.value for certainty in (Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CERTAIN))


@dataclass(frozen=True, slots=True)
class Found:
    """The case that a report joins (None: a new one), and every link that was seen."""

    case: Case | None
    links: tuple[j.Linked, ...]
    persons: int
    """So many persons were known in that case."""
    household: tuple[Case, ...]
    """Every case that is surely or probably of this household: a person has not merged them yet."""
    of_perpetrator: tuple[Case, ...]
    """Other households' cases in which the alleged perpetrator is known as one."""
    possible: tuple[Case, ...]
    """Cases with which a link is only possible: a person has not decided about it yet."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What all match keys that a report and a case have in common say together."""

    kind: str
    certainty: str
    joins: bool
    """Whether it surely or probably is one household."""
    persons: int
    """So many persons of the report are known there."""


def weighed(links: Sequence[Link]) -> Weighed:
    """What these match keys are together; there is at least one.

    A single POSSIBLE one waits for a person. Those of two persons, or of a person and the address, are PROBABLE
    together. An alleged perpetrator by himself joins nothing, however surely he is known: he may have come from
    there, and the new household's team must see nothing of the old one.
    """
    others = [link for link in links if link.kind != _PERPETRATOR]
    perpetrators = {link.person for link in links if link.kind == _PERPETRATOR}
    persons = {link.person for link in links if link.person is not None}
    at_one_address = any(link.kind == LinkKind.SAME_ADDRESS.value for link in links)
    joins = (
        any(link.certainty != Certainty.POSSIBLE.value for link in others)
        or len(persons) > 1
        or (at_one_address and bool(persons - perpetrators))
    )
    least = Certainty.PROBABLE.value if joins else Certainty.POSSIBLE.value
    told = max(
        ((max(link.certainty, least, key=_SURE.index), link.kind) for link in (joins and others) or links),
        key=lambda told: (_SURE.index(told[0]), _BY_WEIGHT.index(told[1])),
    )
    return Weighed(told[1], told[0], joins, len(persons))


def find_case(book: Book, links: tuple[Link, ...], thread: str) -> Found:
    """The case of an earlier version, else of a household that is surely or probably the same.

    A merely POSSIBLE link is shown and changes nothing. What is held (double anonymous) is shown, never joined.
    """
    matched: dict[str, list[Link]] = {}
    for link in links:
        for case_id in book.known_by(link.code) if link.asked else ():
            matched.setdefault(case_id, []).append(link)
    found = {case_id: weighed(common) for case_id, common in sorted(matched.items())}
    seen = tuple(
        j.Linked(
            case_id=case_id,
            kind=one.kind,
            certainty=one.certainty if joinable(book.cases[case_id]) else Certainty.POSSIBLE.value,
        )
        for case_id, one in found.items()
    )
    known = book.thread(thread)
    own = book.cases.get(known[1] or "") if known is not None else None
    if own is not None and own.erased:
        own = None
    sure_ones = [book.cases[case_id] for case_id, one in found.items() if one.joins and joinable(book.cases[case_id])]
    if own is None or own.colour is None:
        # What was held or no domestic violence at first, and is now reported, belongs with its household.
        own = max(sure_ones, key=lambda case: (not case.closed, case.last_at, case.id), default=own)
    apart = set(own.unlinked) if own is not None else set()
    near = [one for case in (*sure_ones, *([own] if own is not None else [])) for one in book.household(case)]
    household = {case.id: case for case in near if case.id not in apart}
    # A perpetrator who is only perhaps the same raises nothing before a person has confirmed it (N2).
    perpetrator = {
        case_id
        for case_id, common in matched.items()
        if any(link.kind == _PERPETRATOR and link.certainty != Certainty.POSSIBLE.value for link in common)
    }
    elsewhere = [book.cases[case_id] for case_id in sorted(perpetrator - household.keys())]
    recognised = found[own.id].persons if own is not None and own.id in found else 0
    possible = [
        case
        for case_id, one in sorted(found.items())
        if one.kind != _PERPETRATOR
        and joinable(case := book.cases[case_id])
        and case_id not in household.keys() | apart
    ]
    return Found(own, seen, recognised, tuple(household.values()), tuple(elsewhere), tuple(possible))


def within(entry: Entry, received: int, days: int) -> bool:
    """Whether a report was received at most so many whole days before or after that moment (ms)."""
    return abs((local_date(received) - local_date(entry.received)).days) <= days


def earlier_reports(
    household: Iterable[Case], thread: str, incident: str | None, received: int, days: int, before: int | None = None
) -> dict[str, int]:
    """The other reports that count as repetition (source and id -> when received): within ``days`` whole days, of
    another incident, and of each incident one. ``before``: only those whose record has a lower number, for a report
    that was taken in some time ago."""
    counted = {
        entry.incident or entry.thread: entry  # several reports of one incident are one repetition
        for case in household
        for entry in case.entries
        if entry.counts
        and entry.thread != thread
        and not (incident is not None and entry.incident == incident)
        and (before is None or entry.seq < before)
        and within(entry, received, days)
    }
    return {entry.thread: entry.received for entry in counted.values()}


def perpetrator_known(found: Found, said: j.ReportInput, days: int) -> bool:
    """Whether the alleged perpetrator was reported in another household, within ``days`` whole days (U5)."""
    return any(
        entry.counts and within(entry, said.received, days)
        for case in found.of_perpetrator
        if joinable(case)
        for entry in case.entries
    )


def involvement(rules: Rules, case: Case | None, said: j.ReportInput, persons: int) -> EarlierInvolvement:
    """The CBS class of a report: whether this household was known."""
    if case is None:
        return EarlierInvolvement.FIRST
    if any(entry.thread == said.thread for entry in case.entries):
        return EarlierInvolvement(case.involvement) if case.colour is not None else EarlierInvolvement.FIRST
    if since(case.standing, MONITORED, local_date(said.received), days=0) is Since.NOW:
        return EarlierInvolvement.DURING_MONITORING
    if not case.closed and case.assessed is not None:
        return EarlierInvolvement.AFTER_ASSESSMENT
    if not case.closed and case.entries:
        first = moment(case.entries[-1].received)
        until = rules.calendar.end_of_working_day(first, rules.policy.assessment_working_days)
        if said.received <= millis(until):
            return EarlierInvolvement.DURING_ASSESSMENT
    return EarlierInvolvement.REPEAT_SEVERAL_KNOWN if persons > 1 else EarlierInvolvement.REPEAT_ONE_KNOWN
