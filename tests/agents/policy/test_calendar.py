"""The working days, hours and ladders of the domain model, sections 4, 7 and 8."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.calendar import AMSTERDAM, Calendar, Compressed, Netherlands

NL = Netherlands()
NOON = time(12)


def local(text: str) -> datetime:
    """A moment as a clock in Amsterdam shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def end_of(day: str) -> datetime:
    return local(f"{day}T23:59:59")


START_OF_2025 = datetime(2025, 1, 1, tzinfo=UTC)
TEN_YEARS = 10 * 365 * 86_400  # seconds
moments = st.integers(0, TEN_YEARS).map(lambda seconds: START_OF_2025 + timedelta(seconds=seconds))
times = st.times()
days = st.integers(1, 30)
hours = st.integers(0, 100 * 60).map(lambda minutes: timedelta(minutes=minutes))


# --- working days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due"),
    [
        pytest.param("2026-03-18", "2026-03-25", id="an ordinary week"),
        pytest.param("2026-04-02", "2026-04-13", id="over Easter"),
        pytest.param("2025-12-22", "2025-12-31", id="over Christmas"),
        pytest.param("2025-12-30", "2026-01-08", id="New Year, and 2 January equated"),
        pytest.param("2026-05-12", "2026-05-21", id="Ascension, and 15 May equated"),
        pytest.param("2026-07-17", "2026-07-24", id="a school holiday stops nothing"),
        pytest.param("2026-07-18", "2026-07-24", id="received on Saturday"),
        pytest.param("2026-12-24", "2027-01-04", id="Christmas and New Year"),
        pytest.param("2027-05-04", "2027-05-14", id="5 and 6 May, and 7 May equated"),
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "10:00", "23:59"])
def test_an_assessment_is_due_five_working_days_after_receipt(received: str, hour: str, due: str):
    assert NL.end_of_working_day(local(f"{received}T{hour}"), 5) == end_of(due)


EASTER = {  # Sundays; from the tables of the church, not from the package under test
    2025: date(2025, 4, 20),
    2026: date(2026, 4, 5),
    2027: date(2027, 3, 28),
    2028: date(2028, 4, 16),
    2029: date(2029, 4, 1),
    2030: date(2030, 4, 21),
    2031: date(2031, 4, 13),
    2032: date(2032, 3, 28),
    2033: date(2033, 4, 17),
    2034: date(2034, 4, 9),
}
KINGS_DAY_ON_SATURDAY_26 = {2025, 2031}
DECREES = {
    2025: [date(2025, 5, 30)],
    2026: [date(2026, 1, 2), date(2026, 5, 15)],
    2027: [date(2027, 5, 7)],
    2028: [date(2028, 4, 28), date(2028, 5, 26)],
}


@pytest.mark.parametrize("year", EASTER)
def test_ten_years_of_holidays_are_those_of_the_law_and_no_others(year: int):
    moving = {EASTER[year] + timedelta(days=offset) for offset in (-2, 1, 39, 50)}
    fixed = {date(year, 1, 1), date(year, 5, 5), date(year, 12, 25), date(year, 12, 26)}
    kings_day = {date(year, 4, 26 if year in KINGS_DAY_ON_SATURDAY_26 else 27)}
    free = moving | fixed | kings_day | set(DECREES.get(year, []))

    whole_year = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    for day in (d for d in whole_year if d.year == year):
        assert NL.is_working_day(day) == (day.weekday() < 5 and day not in free), day


@pytest.mark.parametrize("year", EASTER)
def test_liberation_day_and_good_friday_are_free_every_year(year: int):
    assert not NL.is_working_day(date(year, 5, 5))
    assert not NL.is_working_day(EASTER[year] - timedelta(days=2))


def test_monday_after_a_kings_day_kept_on_saturday_is_worked():
    assert NL.is_working_day(date(2025, 4, 28))
    assert NL.is_working_day(date(2025, 4, 25))


def test_the_day_of_receipt_is_that_of_amsterdam():
    # Given a report at 23:30 UTC on Thursday, when it is already Friday in Amsterdam
    received = datetime(2026, 3, 19, 23, 30, tzinfo=UTC)

    assert NL.end_of_working_day(received, 1) == end_of("2026-03-23")


# --- ladders ----------------------------------------------------------------------------------------------


def test_scenario_39_a_silent_team_climbs_the_yellow_ladder():
    routed = local("2026-03-25T14:00")

    assert NL.end_of_working_day(routed, 1) == end_of("2026-03-26")  # T02
    assert NL.end_of_working_day(routed, 3) == end_of("2026-03-30")  # T03; specialist, contact person
    assert NL.end_of_working_day(routed, 5) == end_of("2026-04-01")  # T04
    assert NL.at_working_day(routed, 2, NOON) == local("2026-03-27T12:00")  # reminder
    assert NL.at_working_day(routed, 4, NOON) == local("2026-03-31T12:00")  # coordinator, municipality
    assert NL.end_of_working_day(routed, 4) == end_of("2026-03-31")  # recalled


def test_scenario_40_the_ladder_stands_still_over_easter():
    routed = local("2026-04-02T14:00")

    assert NL.end_of_working_day(routed, 1) == end_of("2026-04-07")  # T02
    assert NL.end_of_working_day(routed, 3) == end_of("2026-04-09")  # T03
    assert NL.end_of_working_day(routed, 5) == end_of("2026-04-13")  # T04
    assert NL.at_working_day(routed, 2, NOON) == local("2026-04-08T12:00")  # reminder
    assert NL.end_of_working_day(routed, 4) == end_of("2026-04-10")  # recalled


@pytest.mark.parametrize(
    ("start", "at", "due"),
    [
        pytest.param("2026-03-18T08:59", "09:00", "2026-03-18T09:00", id="later the same day"),
        pytest.param("2026-03-18T09:00", "09:00", "2026-03-19T09:00", id="strictly after"),
        pytest.param("2026-03-20T10:00", "09:00", "2026-03-23T09:00", id="over a weekend"),
        pytest.param("2026-04-02T23:59:59", "09:00", "2026-04-07T09:00", id="over Easter"),
        pytest.param("2026-04-06T08:00", "09:00", "2026-04-07T09:00", id="from a holiday"),
    ],
)
def test_what_repeats_comes_on_the_next_working_day(start: str, at: str, due: str):
    assert NL.next_working_day_at(local(start), time.fromisoformat(at)) == local(due)


# --- working hours and elapsed time -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "worked", "due"),
    [
        pytest.param("2026-03-18T10:00", 4.0, "2026-03-18T14:00", id="within a day"),
        pytest.param("2026-03-18T13:00", 4.0, "2026-03-18T17:00", id="exactly to closing time"),
        pytest.param("2026-03-18T15:00", 4.0, "2026-03-19T10:30", id="into the next day"),
        pytest.param("2026-03-18T06:00", 4.0, "2026-03-18T12:30", id="before opening"),
        pytest.param("2026-03-18T17:00", 4.0, "2026-03-19T12:30", id="at closing time"),
        pytest.param("2026-03-20T22:10", 4.0, "2026-03-23T12:30", id="on Friday night"),
        pytest.param("2026-04-02T16:00", 4.0, "2026-04-07T11:30", id="over Easter"),
        pytest.param("2026-03-18T10:00", 17.0, "2026-03-20T10:00", id="two whole days"),
        pytest.param("2026-03-27T15:00", 4.0, "2026-03-30T10:30", id="over the start of summer time"),
        pytest.param("2026-10-23T15:00", 4.0, "2026-10-26T10:30", id="over its end"),
    ],
)
def test_working_hours_run_while_the_office_is_open(start: str, worked: float, due: str):
    assert NL.add_working_hours(local(start), timedelta(hours=worked)) == local(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param("2026-03-28T20:00", "2026-03-29T21:00", id="scenario 42: summer time begins"),
        pytest.param("2026-10-24T20:00", "2026-10-25T19:00", id="summer time ends"),
        pytest.param("2026-04-05T03:00", "2026-04-06T03:00", id="scenario 41: Easter is no matter"),
    ],
)
def test_red_runs_on_elapsed_time(start: str, due: str):
    assert NL.elapsed(local(start), timedelta(hours=24)) == local(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param("2026-03-27T10:00", "2026-03-30T21:59:59+00:00", id="summer time begins"),
        pytest.param("2026-10-23T10:00", "2026-10-26T22:59:59+00:00", id="summer time ends"),
    ],
)
def test_a_working_day_ends_at_local_midnight_on_both_sides_of_a_clock_change(start: str, due: str):
    assert NL.end_of_working_day(local(start), 1) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("end", "days", "at", "moment"),
    [
        pytest.param("2026-03-25T23:59:59", 2, "12:00", "2026-03-23T12:00:00", id="noon two working days before"),
        pytest.param("2026-03-25T23:59:59", 0, "09:00", "2026-03-25T09:00:00", id="the morning of the day itself"),
        pytest.param("2026-04-07T23:59:59", 1, "09:00", "2026-04-02T09:00:00", id="over Easter and Good Friday"),
        pytest.param("2026-04-05T15:00:00", 0, "09:00", "2026-04-05T09:00:00", id="a Sunday itself, whatever it is"),
        pytest.param("2026-03-30T23:59:59", 1, "12:00", "2026-03-27T12:00:00", id="over the change to summer time"),
    ],
)
def test_a_step_may_lie_working_days_before_a_moment(end: str, days: int, at: str, moment: str):
    assert NL.before_working_days(local(end), days, time.fromisoformat(at)) == local(moment)


@given(start=moments, n=days, at=times)
def test_so_many_working_days_before_the_end_of_so_many_is_the_day_of_the_start_or_the_last_one_worked(
    start: datetime, n: int, at: time
):
    end = NL.end_of_working_day(start, n)
    assert NL.before_working_days(end, n - 1, at) == NL.at_working_day(start, 1, at)


def test_the_hour_that_comes_twice_counts_once_in_elapsed_time():
    first, second = (local("2026-10-25T02:30").replace(fold=fold) for fold in (0, 1))

    assert NL.elapsed(second, timedelta()) - NL.elapsed(first, timedelta()) == timedelta(hours=1)


# --- what always holds ------------------------------------------------------------------------------------


@given(moments, days, times)
def test_a_deadline_in_working_days_never_falls_on_a_free_day(start: datetime, n: int, at: time):
    for due in (
        NL.end_of_working_day(start, n),
        NL.at_working_day(start, n, at),
        NL.next_working_day_at(start, at),
    ):
        assert NL.is_working_day(due.astimezone(AMSTERDAM).date())
        assert due > start
        assert due.tzinfo is UTC


@given(moments, hours)
def test_a_deadline_in_working_hours_falls_within_them(start: datetime, worked: timedelta):
    due = NL.add_working_hours(start, worked)

    shown = due.astimezone(AMSTERDAM)
    assert NL.is_working_day(shown.date())
    assert time(8, 30) <= shown.time() <= time(17)
    assert due >= start + worked


@given(moments, moments, days, times, hours)
def test_who_starts_later_is_never_due_earlier(one: datetime, other: datetime, n: int, at: time, worked: timedelta):
    earlier, later = sorted((one, other))

    for calendar in (NL, Compressed(timedelta(seconds=20))):
        assert calendar.end_of_working_day(earlier, n) <= calendar.end_of_working_day(later, n)
        assert calendar.at_working_day(earlier, n, at) <= calendar.at_working_day(later, n, at)
        assert calendar.next_working_day_at(earlier, at) <= calendar.next_working_day_at(later, at)
        assert calendar.add_working_hours(earlier, worked) <= calendar.add_working_hours(later, worked)
        assert calendar.elapsed(earlier, worked) <= calendar.elapsed(later, worked)


@given(moments, days, times, hours, hours)
def test_a_longer_term_is_never_due_earlier(start: datetime, n: int, at: time, worked: timedelta, more: timedelta):
    for calendar in (NL, Compressed(timedelta(seconds=20))):
        assert calendar.end_of_working_day(start, n) < calendar.end_of_working_day(start, n + 1)
        assert calendar.at_working_day(start, n, at) < calendar.at_working_day(start, n + 1, at)
        assert calendar.add_working_hours(start, worked) <= calendar.add_working_hours(start, worked + more)


@given(moments, hours, hours)
def test_working_hours_may_be_taken_in_two_parts(start: datetime, first: timedelta, then: timedelta):
    in_two = NL.add_working_hours(NL.add_working_hours(start, first), then)

    assert in_two == NL.add_working_hours(start, first + then)


@given(moments, times)
def test_what_repeats_skips_no_working_day(start: datetime, at: time):
    once = NL.next_working_day_at(start, at)

    assert NL.next_working_day_at(once, at) == NL.at_working_day(once, 1, at)


@given(moments, days, hours)
def test_the_zone_in_which_a_moment_is_written_changes_nothing(start: datetime, n: int, worked: timedelta):
    elsewhere = start.astimezone(ZoneInfo("America/New_York"))

    assert NL.end_of_working_day(start, n) == NL.end_of_working_day(elsewhere, n)
    assert NL.add_working_hours(start, worked) == NL.add_working_hours(elsewhere, worked)


# --- what is refused --------------------------------------------------------------------------------------

ASKED: dict[str, Callable[[Calendar, datetime], datetime]] = {
    "end_of_working_day": lambda calendar, start: calendar.end_of_working_day(start, 1),
    "at_working_day": lambda calendar, start: calendar.at_working_day(start, 1, NOON),
    "next_working_day_at": lambda calendar, start: calendar.next_working_day_at(start, NOON),
    "add_working_hours": lambda calendar, start: calendar.add_working_hours(start, timedelta(hours=1)),
    "elapsed": lambda calendar, start: calendar.elapsed(start, timedelta(hours=1)),
}


@pytest.mark.parametrize("calendar", [NL, Compressed(timedelta(seconds=20))], ids=["law", "demo"])
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_moment_without_a_zone_is_refused(calendar: Calendar, ask: Callable[[Calendar, datetime], datetime]):
    with pytest.raises(ValueError, match="time zone"):
        ask(calendar, datetime(2026, 3, 18, 10))  # noqa: DTZ001


@pytest.mark.parametrize("calendar", [NL, Compressed(timedelta(seconds=20))], ids=["law", "demo"])
def test_what_makes_no_sense_is_refused(calendar: Calendar):
    start = local("2026-03-18T10:00")

    with pytest.raises(ValueError, match="from 1"):
        calendar.end_of_working_day(start, 0)
    with pytest.raises(ValueError, match="from 1"):
        calendar.at_working_day(start, 0, NOON)
    with pytest.raises(ValueError, match="backwards"):
        calendar.add_working_hours(start, timedelta(seconds=-1))
    with pytest.raises(ValueError, match="zone of its own"):
        calendar.at_working_day(start, 1, NOON.replace(tzinfo=UTC))
    with pytest.raises(ValueError, match="zone of its own"):
        calendar.next_working_day_at(start, NOON.replace(tzinfo=UTC))


def test_a_datetime_is_not_taken_for_a_date():
    with pytest.raises(ValueError, match="date"):
        NL.is_working_day(local("2026-05-05T10:00"))


# --- the clock of a demonstration -------------------------------------------------------------------------


def test_a_compressed_day_keeps_the_proportions_of_the_yellow_ladder():
    demo, routed = Compressed(timedelta(seconds=20)), local("2026-04-03T14:00")  # Good Friday is a day too

    ladder = [
        demo.at_working_day(routed, 2, NOON),
        demo.end_of_working_day(routed, 3),
        demo.at_working_day(routed, 4, NOON),
        demo.end_of_working_day(routed, 4),
    ]

    assert [(due - routed).total_seconds() for due in ladder] == [30, 60, 70, 80]


def test_a_compressed_working_day_is_eight_and_a_half_hours_and_real_time_stays_real():
    demo, start = Compressed(timedelta(seconds=17)), local("2026-03-18T10:00")

    assert demo.add_working_hours(start, timedelta(hours=8.5)) - start == timedelta(seconds=17)
    assert demo.add_working_hours(start, timedelta(hours=4)) - start == timedelta(seconds=8)
    assert demo.elapsed(start, timedelta(minutes=30)) - start == timedelta(minutes=30)
    assert demo.is_working_day(date(2026, 12, 25))


def test_a_compressed_day_keeps_the_proportions_before_a_moment():
    quick = Compressed(timedelta(seconds=100))
    end = START_OF_2025 + timedelta(seconds=500)
    assert quick.before_working_days(end, 0, NOON) == end - timedelta(seconds=50)
    assert quick.before_working_days(end, 2, NOON) == end - timedelta(seconds=250)


@given(moments, times)
def test_what_repeats_comes_once_a_compressed_day(start: datetime, at: time):
    demo = Compressed(timedelta(seconds=20))

    once = demo.next_working_day_at(start, at)

    assert start < once <= start + demo.working_day
    assert demo.next_working_day_at(once, at) == once + demo.working_day


def test_a_day_that_takes_no_time_is_refused():
    with pytest.raises(ValueError, match="longer than nothing"):
        Compressed(timedelta())


def test_calendars_are_values():
    assert len({Netherlands(), Netherlands()}) == 1
    assert len({Compressed(timedelta(seconds=1)), Compressed(timedelta(seconds=1))}) == 1


# --- legal days and calendar days -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "days5", "weeks4", "weeks10"),
    [
        ("2026-03-18", "2026-03-23", "2026-04-15", "2026-05-27"),
        ("2026-04-02", "2026-04-08", "2026-04-30", "2026-06-11"),
        ("2025-12-22", "2025-12-29", "2026-01-19", "2026-03-02"),
        ("2025-12-30", "2026-01-05", "2026-01-27", "2026-03-10"),
        ("2026-05-12", "2026-05-18", "2026-06-09", "2026-07-21"),
        ("2026-07-17", "2026-07-22", "2026-08-14", "2026-09-25"),
        ("2026-07-18", "2026-07-23", "2026-08-17", "2026-09-28"),
        ("2026-12-24", "2026-12-29", "2027-01-21", "2027-03-04"),
        ("2027-05-04", "2027-05-11", "2027-06-01", "2027-07-13"),
    ],
)
def test_legal_terms_end_as_the_table_of_section_7_says(received: str, days5: str, weeks4: str, weeks10: str):
    start = local(f"{received}T10:00")

    assert [NL.end_of_legal_days(start, days) for days in (5, 28, 70)] == [
        end_of(one) for one in (days5, weeks4, weeks10)
    ]


@pytest.mark.parametrize(
    ("received", "days", "ends"),
    [
        pytest.param("2026-03-05", 70, "2026-05-18", id="ends on Ascension, and the next day is equated"),
        pytest.param("2026-02-16", 70, "2026-04-28", id="ends on King's Day"),
        pytest.param("2026-10-16", 70, "2026-12-28", id="ends on Christmas"),
        pytest.param("2026-04-07", 28, "2026-05-06", id="ends on 5 May"),
    ],
)
def test_a_legal_term_that_ends_on_a_free_day_goes_on(received: str, days: int, ends: str):
    assert NL.end_of_legal_days(local(f"{received}T10:00"), days) == end_of(ends)


@pytest.mark.parametrize(
    ("start", "days", "ends"),
    [
        ("2026-03-26T15:00", 10, "2026-04-05T15:00"),
        ("2026-03-26T15:00", 28, "2026-04-23T15:00"),
        ("2026-03-26T15:00", 8, "2026-04-03T15:00"),
        ("2026-04-17T09:30", 10, "2026-04-27T09:30"),
    ],
)
def test_a_huisverbod_ends_at_the_same_hour_on_whatever_day(start: str, days: int, ends: str):
    assert NL.same_hour(local(start), days=days) == local(ends)


@pytest.mark.parametrize(
    ("start", "months", "ends"),
    [
        ("2026-03-18T10:00", 3, "2026-06-18T10:00"),
        ("2026-08-31T10:00", 6, "2027-02-28T10:00"),
        ("2027-08-31T10:00", 6, "2028-02-29T10:00"),
        ("2026-10-31T10:00", 18, "2028-04-30T10:00"),
        ("2026-12-01T10:00", 1, "2027-01-01T10:00"),
    ],
)
def test_a_month_ends_on_its_last_day_when_the_date_does_not_exist(start: str, months: int, ends: str):
    assert NL.same_hour(local(start), months=months) == local(ends)


@given(moments, st.integers(3, 60))
def test_a_legal_term_of_three_days_or_more_has_two_working_days_and_ends_on_one(start: datetime, length: int):
    end = NL.end_of_legal_days(start, length).astimezone(AMSTERDAM).date()
    first = start.astimezone(AMSTERDAM).date()
    within = [first + timedelta(days=number) for number in range(1, (end - first).days + 1)]

    assert NL.is_working_day(end)
    assert sum(map(NL.is_working_day, within)) >= 2
    assert len(within) >= length
