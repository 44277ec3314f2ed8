"""A month of reports of one region, made up by the figures: the same seed gives the same bytes. Pure.

What comes out is a history as ``meldstroom route test --history`` reads it. It begins before the month, with what
households are known by: an earlier report, and, when the centre was involved no more, the acceptance and the closing
of that case.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from agents.policy.calendar import AMSTERDAM
from agents.policy.directory import Directory, Source
from agents.reference import population
from pipeline.synthetic.figures import Class, Figures, Form
from pipeline.synthetic.households import Household, Person, drawn, households, names, often
from topics.codes import Indicator, Occasion, ReporterCapacity, SourceKind

Line = dict[str, Any]
"""One line of a history."""

_ENDED: frozenset[Class] = frozenset({"REPEAT", "DURING_MONITORING"})
_UNKNOWN: frozenset[Class] = frozenset({"FIRST", "UNCLASSIFIED"})
_CHANNELS = {SourceKind.POLICE: "CORV", SourceKind.CITIZEN: "WEB_CITIZEN"}
_INSTEAD = (SourceKind.OTHER, SourceKind.MUNICIPALITY)
"""By whose source those report who have none of their own in a region."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, Europe/Amsterdam."""

    year: int
    month: int

    @property
    def days(self) -> int:
        """How many it has."""
        return monthrange(self.year, self.month)[1]

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def start(self) -> datetime:
        """When it begins."""
        return datetime.combine(self.first, time(), AMSTERDAM)

    @property
    def end(self) -> datetime:
        """When the next one begins."""
        return datetime.combine(self.first + timedelta(days=self.days), time(), AMSTERDAM)


@dataclass(frozen=True, slots=True)
class Seen:
    """A household at the moment of a report on it."""

    at: int
    """Seconds since 1970 UTC; no two alike."""
    capacity: ReporterCapacity
    household: Household
    known: bool
    """It was reported before."""
    assessed: bool = False
    """Before the next report somebody had found out what was open."""
    ended: bool = False
    """Before the next report the centre was involved no more."""


def expected(found: Figures, directory: Directory, month: Month, scale: float) -> int:
    """How many reports a region of so many people gets in a month, times ``scale``."""
    people = sum(population.inhabitants(code) or 0 for code in directory.municipalities)
    year = 366 if monthrange(month.year, 2)[1] == 29 else 365
    return round(found.reports_a_year.number * people / population.nation() * month.days / year * scale)


def history(
    found: Figures, directory: Directory, sources: tuple[Source, ...], month: Month, *, scale: float, seed: int
) -> Iterator[Line]:
    """The lines in their order. The month's reports are those that lie in it; by what is earlier they are known."""
    chance = Random(f"{directory.region}/{month.year}/{month.month}/{seed}")
    seen = sorted(_seen(found, directory, month, scale, chance), key=lambda one: one.at)
    for number, one in enumerate(seen, 1):
        yield from _lines(found, sources, one, number, chance)


# Who is reported when --------------------------------------------------------------------------------------


def _seen(found: Figures, directory: Directory, month: Month, scale: float, chance: Random) -> Iterator[Seen]:
    """Every report of the month, and the earlier ones by which its households are known."""
    homes = households(directory, found, chance, month.first)
    start = int(month.start.timestamp())
    taken: set[int] = set()
    who = _capacities(found)
    reporters = [drawn(chance, who) for _ in range(expected(found, directory, month, scale))]
    reports = sorted((_moment(found, capacity, month, taken, chance), capacity) for capacity in reporters)
    here: list[Seen] = []
    for at, capacity in reports:
        known_as = drawn(chance, found.involvement.percent)
        if known_as in _UNKNOWN:
            here.append(Seen(at, capacity, next(homes), known=False))
            continue
        before = at - _days(found, known_as, chance) * DAY_S
        if before >= start and here and known_as not in _ENDED:
            here.append(Seen(at, capacity, _nearest(here, before).household, known=True))
            continue
        home = next(homes)
        further = often(chance, found.further.percent)
        # When nothing of the month lies there, the household is known from just before it.
        before = _free(min(before, start - 1), taken)
        assessed, ended = known_as != "DURING_ASSESSMENT", known_as in _ENDED
        yield Seen(before, drawn(chance, who), home, known=further, assessed=assessed, ended=ended)
        if further:
            long_before = _free(before - chance.randint(30, 335) * DAY_S, taken)
            yield Seen(long_before, drawn(chance, who), home, known=False, assessed=True, ended=True)
        here.append(Seen(at, capacity, home, known=True))
    yield from here


def _capacities(found: Figures) -> dict[ReporterCapacity, float]:
    return {
        capacity: group.percent * percent / 100
        for group in found.capacities
        for capacity, percent in group.among.items()
    }


def _moment(found: Figures, capacity: ReporterCapacity, month: Month, taken: set[int], chance: Random) -> int:
    hours = found.hours[found.forms[found.form_of(capacity)].hours]
    days = [month.first + timedelta(days=number) for number in range(month.days)]
    day = chance.choices(days, [hours.days[one.weekday()] for one in days])[0]
    begins = drawn(chance, hours.from_hour)
    ends = min((hour for hour in hours.from_hour if hour > begins), default=24)
    at = datetime.combine(day, time(), AMSTERDAM) + timedelta(seconds=chance.randrange(begins * 3600, ends * 3600))
    return _free(int(at.timestamp()), taken)


def _free(at: int, taken: set[int]) -> int:
    """That second, or the one before it that nothing else has: in one moment nothing can be told apart."""
    while at in taken:
        at -= 1
    taken.add(at)
    return at


def _days(found: Figures, known_as: Class, chance: Random) -> int:
    first, last = drawn(chance, {span.days: span.percent for span in found.since[known_as].spans})
    return chance.randint(first, last)


def _nearest(here: list[Seen], at: int) -> Seen:
    """The report of the month that lies nearest to a moment; they are in order."""
    place = bisect_left(here, at, key=lambda one: one.at)
    return min(here[max(0, place - 1) : place + 1], key=lambda one: abs(one.at - at))


# What is reported ------------------------------------------------------------------------------------------


def _lines(found: Figures, sources: tuple[Source, ...], seen: Seen, number: int, chance: Random) -> Iterator[Line]:
    at = datetime.fromtimestamp(seen.at, UTC).astimezone(AMSTERDAM).isoformat()
    yield {"at": at, "report": _report(found, sources, seen, number, at, chance)}
    # The one offer of that moment: the case of this report.
    if seen.assessed or seen.ended:
        yield {"at": at, "answer": {"state": "ACCEPTED"}}
    if seen.ended:
        yield {"at": at, "act": {"kind": "CLOSE"}}


def _report(
    found: Figures, sources: tuple[Source, ...], seen: Seen, number: int, at: str, chance: Random
) -> dict[str, Any]:
    kind = found.form_of(seen.capacity)
    form, home = found.forms[kind], seen.household
    indicators = _indicators(found, form, seen, chance)
    disclosure = drawn(chance, form.disclosure)
    reporter = {"capacity": seen.capacity.value}
    if disclosure != "DOUBLE_ANONYMOUS":
        reporter["name"] = f"{chance.choice((*names().women, *names().men))} {chance.choice(names().surnames)}"
    report: dict[str, Any] = {
        "report_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "source_id": _source(sources, kind, chance),
        "source_ref": f"SYN-{number:06d}",
        "channel": _CHANNELS.get(kind, "WEB_PROFESSIONAL"),
        "received_at": at,
        "kind": "REPORT",
        "reporter": reporter,
        "reporter_disclosure": disclosure.value,
        "occasions": [home.occasion.value],
        "violence_kinds": [
            one.value for one, percent in found.occasions[home.occasion].violence.items() if often(chance, percent)
        ],
        "participants": [_as_known(person, form, chance) for person in home.people],
        "address": home.address,
        "municipality": home.municipality,
        "indicators": indicators,
        "hgkm_certain": drawn(chance, form.certain).value,
        "enough_information": drawn(chance, form.enough).value,
        "cooperation": drawn(chance, form.cooperation).value,
        "narrative": f"Verzonnen melding: {home.occasion.nl}.",
    }
    if form.meldcode:
        report["meldcode"] = {"q2": _judgement(indicators)}
    if home.minor and often(chance, found.board_investigation.percent):
        report["board_investigation"] = {"state": "RUNNING", "number": f"SYN-{number:06d}"}
    if kind is SourceKind.POLICE and home.occasion is Occasion.PARTNER:
        if often(chance, found.restraining_order.percent):
            report["restraining_order"] = {"state": "IN_FORCE", "since": at[:10]}
        if often(chance, found.contact_ban.percent):
            report["contact_ban"] = {"state": "IN_FORCE"}
    return report


def _source(sources: tuple[Source, ...], kind: SourceKind, chance: Random) -> str:
    for wanted in (kind, *_INSTEAD):
        if of_kind := [source.id for source in sources if source.kind is wanted]:
            return chance.choice(of_kind)
    return chance.choice(sources).id


def _as_known(person: Person, form: Form, chance: Random) -> Person:
    """A participant as far as this reporter knows him; surname and role are always known."""
    known, numbered = often(chance, form.known), often(chance, form.bsn)
    without = set() if known else {"birth_date", "given_names", "pregnant", "dependent", "bsn"}
    without |= set() if numbered else {"bsn"}
    return {name: value for name, value in person.items() if name not in without}


def _indicators(found: Figures, form: Form, seen: Seen, chance: Random) -> dict[str, str]:
    """Every sign by itself, and then what this reporter leaves open. What was seen is never left open."""
    home = seen.household
    there = {"minor": home.minor, "infant": home.infant, "pregnant": home.pregnant}
    answers: dict[str, str] = {}
    for one, sign in found.indicators.items():
        can_be = (sign.needs is None or there[sign.needs]) and (not sign.occasions or home.occasion in sign.occasions)
        percent = sign.known if seen.known and sign.known is not None else sign.percent
        yes = often(chance, percent)
        answers[one.value] = "YES" if can_be and yes else "NO"
    return answers | dict.fromkeys(_open(form, seen, answers, chance), "UNKNOWN")


def _open(form: Form, seen: Seen, answers: Mapping[str, str], chance: Random) -> list[str]:
    acute = [one.value for one in Indicator if one.family == "A" and answers[one.value] == "NO"]
    others = [one.value for one in Indicator if one.family != "A" and answers[one.value] == "NO"]
    left = [one for one in others if often(chance, form.open_other)]
    if not seen.assessed and often(chance, form.open_acute):
        left += acute if often(chance, form.none_answered) else chance.sample(acute, chance.randint(1, 3))
    return left


def _judgement(indicators: Mapping[str, str]) -> str:
    """A professional's answer to the second question of the *meldcode*, by the signs that he names himself."""
    acute = {answer for one, answer in indicators.items() if one.startswith("A")}
    structural = {answer for one, answer in indicators.items() if one.startswith("S")}
    if "YES" in acute:
        return "ACUTE"
    if "YES" in structural:
        return "STRUCTURAL"
    return "UNKNOWN" if "UNKNOWN" in acute else "NO"
