"""When something is due: the clocks of the timers. Pure: no I/O, and no clock of its own.

Three clocks: **WD** working days, **WH** working hours (08:30-17:00), **E** elapsed time. Days and hours
are those of Europe/Amsterdam; every answer is an aware datetime in UTC; a naive datetime is refused, since
guessing its zone moves a deadline unseen. A red case runs on E alone: it waits for no office hours.

Working days follow art. 3 of the Algemene termijnenwet (Awt) and the decrees under it. School holidays and
local closing days are working days.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OPENS, CLOSES = time(8, 30), time(17, 0)
WORKING_HOURS = timedelta(hours=8, minutes=30)  # from OPENS to CLOSES; no clock change falls in it
END_OF_DAY = time(23, 59, 59)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

# Days put on a par with a holiday by royal decree (Awt art. 3, third paragraph), usually for three years at
# once. Source: the titles of the decrees as quoted by sterfgeval.nl, legal question 70745, 4 October 2025:
# "Besluit gelijkstelling van 28 april 2023, 19 mei 2023, 10 mei 2024, 27 december 2024 en 30 mei 2025 met een
# algemeen erkende feestdag", and the same for 2026 to 2028. The Staatscourant itself was not read. Nothing is
# known after 2028: add the next decree here when it is published, before its first day.
EQUATED_BY_DECREE = frozenset(
    {
        date(2023, 4, 28),
        date(2023, 5, 19),
        date(2024, 5, 10),
        date(2024, 12, 27),
        date(2025, 5, 30),
        date(2026, 1, 2),
        date(2026, 5, 15),
        date(2027, 5, 7),
        date(2028, 4, 28),
        date(2028, 5, 26),
    }
)


@dataclass(frozen=True)
class Netherlands:
    """The calendar of the law. Holds nothing, so any two are equal."""

    def is_working_day(self, day: date) -> bool:
        """Whether a day of Europe/Amsterdam is no Saturday, Sunday, holiday or equated day."""
        if isinstance(day, datetime):  # one too, to Python, but no holiday would ever equal it
            raise ValueError("a working day is asked of a date, not of a datetime")
        return day.weekday() < 5 and day not in _holidays(day.year) and day not in EQUATED_BY_DECREE

    def end_of_working_day(self, start: datetime, days: int) -> datetime:
        """WD: 23:59:59 local of the nth working day after the day of ``start``, which is not counted."""
        return self.at_working_day(start, days, END_OF_DAY)

    def at_working_day(self, start: datetime, n: int, at: time) -> datetime:
        """``at`` local on the nth working day after the day of ``start``; n = 1 is the first."""
        _refuse_below_one(n)
        _refuse_zoned(at)
        return _local(_nth_working_day(_utc(start).astimezone(AMSTERDAM).date(), n), at)

    def next_working_day_at(self, start: datetime, at: time) -> datetime:
        """The first ``at`` local on a working day strictly after ``start``; it can be later that same day."""
        _refuse_zoned(at)
        start = _utc(start)
        day = start.astimezone(AMSTERDAM).date()
        if self.is_working_day(day) and (today := _local(day, at)) > start:
            return today
        return _local(self._working_day_after(day), at)

    def add_working_hours(self, start: datetime, hours: timedelta) -> datetime:
        """WH: when ``hours`` of working time have passed since ``start``.

        Work that ends exactly at closing time is due then, not at the next opening.
        """
        _refuse_negative(hours)
        moment = _utc(start)
        day = moment.astimezone(AMSTERDAM).date()
        if not self.is_working_day(day) or moment > _local(day, CLOSES):
            day = self._working_day_after(day)
        moment = max(moment, _local(day, OPENS))
        while (left_today := _local(day, CLOSES) - moment) < hours:
            hours -= left_today
            day = self._working_day_after(day)
            moment = _local(day, OPENS)
        return moment + hours

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time between two moments the office was open."""
        start, end = _utc(start), _utc(end)
        day, last = start.astimezone(AMSTERDAM).date(), end.astimezone(AMSTERDAM).date()
        found = timedelta(0)
        while day <= last:
            if self.is_working_day(day):
                found += max(min(end, _local(day, CLOSES)) - max(start, _local(day, OPENS)), timedelta(0))
            day += DAY
        return found

    def elapsed(self, start: datetime, length: timedelta) -> datetime:
        """E: ``length`` of real time after ``start``, through weekends and clock changes (Awt art. 4)."""
        return _utc(start) + length

    def end_of_legal_days(self, start: datetime, days: int) -> datetime:
        """AW: 23:59:59 local of the last of so many days after the day of ``start``, by the Awt: a term that ends on
        no working day is extended to the next one (art. 1), and one of three days or more holds at least two working
        days (art. 2)."""
        _refuse_below_one(days)
        return _local(_last_legal_day(_utc(start).astimezone(AMSTERDAM).date(), days), END_OF_DAY)

    def same_hour(self, start: datetime, days: int = 0, months: int = 0) -> datetime:
        """C: the same local hour so many days and months later, whatever day that is (no Awt). A month ends on its
        last day when the date does not exist."""
        local = _utc(start).astimezone(AMSTERDAM)
        number = local.year * 12 + local.month - 1 + months
        year, month = divmod(number, 12)
        day = date(year, month + 1, min(local.day, monthrange(year, month + 1)[1])) + days * DAY
        return _local(day, local.time())

    def before_working_days(self, end: datetime, n: int, at: time) -> datetime:
        """``at`` local on the nth working day before the day of ``end``; n = 0 is that day itself, whatever it is."""
        _refuse_zoned(at)
        return _local(_nth_working_day_before(_utc(end).astimezone(AMSTERDAM).date(), n), at)

    def _working_day_after(self, day: date) -> date:
        day += timedelta(days=1)
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day


@dataclass(frozen=True)
class Compressed:
    """The clock of a demonstration: a working day lasts ``working_day`` of real time, and all days are.

    A case's first working day begins when its timer does, so a ladder keeps its order and its proportions
    at whatever hour the demonstration is given. Elapsed time stays real: red is never made to look faster.
    """

    working_day: timedelta

    def __post_init__(self) -> None:
        if self.working_day <= timedelta(0):
            raise ValueError("a working day must last longer than nothing")

    def is_working_day(self, day: date) -> bool:
        return True

    def end_of_working_day(self, start: datetime, days: int) -> datetime:
        """``days`` compressed days after ``start``."""
        _refuse_below_one(days)
        return _utc(start) + days * self.working_day

    def at_working_day(self, start: datetime, n: int, at: time) -> datetime:
        """12:00 lies halfway the nth compressed day after ``start``, and so on."""
        _refuse_below_one(n)
        return _utc(start) + (n - 1) * self.working_day + self._into_the_day(at)

    def next_working_day_at(self, start: datetime, at: time) -> datetime:
        """The first ``at`` strictly after ``start`` on a grid of compressed days laid from 1970.

        A fixed grid, because this is what repeats: counted from ``start`` instead, "each day at 09:00" would
        come round after three eighths of a day.
        """
        start = _utc(start)
        today = EPOCH + (start - EPOCH) // self.working_day * self.working_day
        due = today + self._into_the_day(at)
        return due if due > start else due + self.working_day

    def add_working_hours(self, start: datetime, hours: timedelta) -> datetime:
        """8.5 working hours fill one compressed day."""
        _refuse_negative(hours)
        return _utc(start) + _scaled(self.working_day, hours, WORKING_HOURS)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """The time between two moments, of which a compressed day counts as 8.5 hours."""
        return _scaled(WORKING_HOURS, max(_utc(end) - _utc(start), timedelta(0)), self.working_day)

    def elapsed(self, start: datetime, length: timedelta) -> datetime:
        """E: ``length`` of real time after ``start``."""
        return _utc(start) + length

    def end_of_legal_days(self, start: datetime, days: int) -> datetime:
        """``days`` compressed days after ``start``."""
        return self.end_of_working_day(start, days)

    def same_hour(self, start: datetime, days: int = 0, months: int = 0) -> datetime:
        """So many compressed days after ``start``; a month has thirty."""
        return _utc(start) + (days + 30 * months) * self.working_day

    def before_working_days(self, end: datetime, n: int, at: time) -> datetime:
        """12:00 lies halfway the nth compressed day before the one that ends at ``end``, and so on."""
        return _utc(end) - (n + 1) * self.working_day + self._into_the_day(at)

    def _into_the_day(self, at: time) -> timedelta:
        _refuse_zoned(at)
        return _scaled(self.working_day, datetime.combine(EPOCH, at) - datetime.combine(EPOCH, time()), DAY)


Calendar = Netherlands | Compressed


# Every report of a day asks for the same few.
@lru_cache(maxsize=4096)
def _nth_working_day(day: date, n: int) -> date:
    for _ in range(n):
        day = Netherlands()._working_day_after(day)
    return day


@lru_cache(maxsize=4096)
def _nth_working_day_before(day: date, n: int) -> date:
    for _ in range(n):
        day -= DAY
        while not Netherlands().is_working_day(day):
            day -= DAY
    return day


@lru_cache(maxsize=4096)
def _last_legal_day(first: date, days: int) -> date:
    netherlands = Netherlands()
    last, working = first + days * DAY, 0
    for number in range(1, days + 1):
        working += netherlands.is_working_day(first + number * DAY)
    while not netherlands.is_working_day(last) or (days >= 3 and working < 2):
        last += DAY
        working += netherlands.is_working_day(last)
    return last


@cache
def _holidays(year: int) -> frozenset[date]:
    # The package is right about what moves with Easter, New Year and Christmas. It counts 5 May in lustrum
    # years only, where the law counts it always; that and King's Day are therefore rules of our own.
    # Easter Sunday and Whit Sunday, which it adds and the law does not, are Sundays anyway.
    kings_day = date(year, 4, 27)
    if kings_day.weekday() == 6:
        kings_day = date(year, 4, 26)
    return frozenset(country_holidays("NL", years=year)) | {kings_day, date(year, 5, 5)}


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment without a time zone cannot be put on a calendar")
    return moment.astimezone(UTC)


def _local(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=AMSTERDAM).astimezone(UTC)


def _scaled(length: timedelta, part: timedelta, whole: timedelta) -> timedelta:
    # In whole numbers: a replay on another machine must find the same microsecond.
    return (length // MICROSECOND) * (part // MICROSECOND) // (whole // MICROSECOND) * MICROSECOND


def _refuse_below_one(n: int) -> None:
    if n < 1:
        raise ValueError("working days are counted from 1, the first after the day of the start")


def _refuse_negative(hours: timedelta) -> None:
    if hours < timedelta(0):
        raise ValueError("working hours are not counted backwards")


def _refuse_zoned(at: time) -> None:
    if at.tzinfo is not None:
        raise ValueError("a time of day is local to the calendar and carries no zone of its own")
