"""Which case a report belongs to, and how known its household is (domain model, section 3.8). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.casework.book import Book
from agents.casework.case import Case, Entry
from agents.casework.related import joinable
from agents.casework.rules import Rules, local_date
from agents.casework.standing import MONITORED, since
from agents.facts import Link
from agents.policy.model import millis, moment
from agents.policy.vocabulary import Since
from topics import journal as j
from topics.codes import Certainty, EarlierInvolvement, LinkKind

_SURE = {Certainty.CERTAIN.value: 3, Certainty.PROBABLE.value: 2, Certainty.POSSIBLE.value: 0}
_JOINS = 2


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


def find_case(book: Book, links: tuple[Link, ...], thread: str) -> Found:
    """The case of an earlier version, else of a household that is surely or probably the same.

    A merely POSSIBLE link is shown and changes nothing. What is held (double anonymous) is shown, never joined.
    """
    best: dict[str, tuple[int, Link]] = {}
    persons: dict[str, set[int | str]] = {}
    perpetrator: set[str] = set()
    for link in links:
        for case_id in book.known_by(link.code):
            # A perpetrator may have come from there: the new household's team must see nothing of the old one.
            sure = 1 if link.kind == LinkKind.SAME_PERPETRATOR.value else _SURE[link.certainty]
            if case_id not in best or sure > best[case_id][0]:
                best[case_id] = (sure, link)
            if link.kind == LinkKind.SAME_PERPETRATOR.value:
                perpetrator.add(case_id)
            if link.kind in (LinkKind.SAME_PERSON.value, LinkKind.SAME_PERPETRATOR.value):
                # One person is known by several keys.
                persons.setdefault(case_id, set()).add(link.code if link.person is None else link.person)
    seen = tuple(
        j.Linked(
            case_id=case_id,
            kind=link.kind,
            certainty=link.certainty if joinable(book.cases[case_id]) else Certainty.POSSIBLE.value,
        )
        for case_id, (_, link) in sorted(best.items())
    )
    known = book.thread(thread)
    own = book.cases.get(known[1] or "") if known is not None else None
    if own is not None and own.erased:
        own = None
    sure_ones = [
        book.cases[found]
        for found, (sure, _) in best.items()
        if (sure >= _JOINS or len(persons.get(found, ())) > 1) and joinable(book.cases[found])
    ]
    if own is None or own.colour is None:
        # What was held or no domestic violence at first, and is now reported, belongs with its household.
        own = max(sure_ones, key=lambda case: (not case.closed, case.last_at, case.id), default=own)
    apart = set(own.unlinked) if own is not None else set()
    near = [found for case in (*sure_ones, *([own] if own is not None else [])) for found in book.household(case)]
    household = {case.id: case for case in near if case.id not in apart}
    elsewhere = [book.cases[found] for found in sorted(perpetrator - household.keys())]
    recognised = len(persons.get(own.id, ())) if own else 0
    possible = [
        case
        for case_id, (sure, link) in sorted(best.items())
        if link.kind != LinkKind.SAME_PERPETRATOR.value
        and joinable(case := book.cases[case_id])
        and case_id not in household.keys() | apart
    ]
    return Found(own, seen, recognised, tuple(household.values()), tuple(elsewhere), tuple(possible))


def within(entry: Entry, received: int, days: int) -> bool:
    """Whether a report was received at most so many whole days before or after that moment (ms)."""
    return abs((local_date(received) - local_date(entry.received)).days) <= days


def earlier_reports(
    household: Iterable[Case], thread: str, incident: str | None, received: int, days: int, before: int | None = None
) -> int:
    """How many other reports count as repetition: within ``days`` whole days, of another incident. ``before``: only
    those whose record has a lower number, for a report that was taken in some time ago."""
    counted = {
        entry.thread
        for case in household
        for entry in case.entries
        if entry.counts
        and entry.thread != thread
        and not (incident is not None and entry.incident == incident)
        and (before is None or entry.seq < before)
        and within(entry, received, days)
    }
    return len(counted)


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
