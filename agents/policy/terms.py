"""What is owed by when: terms as a policy states them (domain model, section 4). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agents.policy.calendar import Calendar
from agents.policy.loading import Part
from agents.policy.rules import Row
from topics.codes import Colour

TEN_YEARS_OF_DAYS = 3_660
TEN_YEARS_OF_MINUTES = TEN_YEARS_OF_DAYS * 24 * 60
"""No term is longer, and no moment lies where no calendar reaches."""


def _of_here(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("een tijd van de dag hier, zonder zone / a time of the day here, without a zone")
    return at


TimeOfDay = Annotated[time, AfterValidator(_of_here)]
"""A time of the day in Europe/Amsterdam."""


class Minutes(Part):
    """Elapsed time, no calendar."""

    minutes: int = Field(ge=1, le=TEN_YEARS_OF_MINUTES)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.elapsed(start, timedelta(minutes=self.minutes))


class WorkingHours(Part):
    """Working hours, 08:30-17:00 on working days."""

    working_hours: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.add_working_hours(start, timedelta(hours=self.working_hours))


class EndOfWorkingDay(Part):
    """23:59:59 of the nth working day; the day of the start is not counted."""

    end_of_working_day: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.end_of_working_day(start, self.end_of_working_day)


class OnWorkingDay(Part):
    """A time of day on the nth working day after the start."""

    working_day: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)
    time: TimeOfDay

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.at_working_day(start, self.working_day, self.time)


class NextWorkingDay(Part):
    """A time of day on the first working day that has it still to come."""

    each_working_day: TimeOfDay

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.next_working_day_at(start, self.each_working_day)


class LegalDays(Part):
    """23:59:59 of the last of so many days, by the *Algemene termijnenwet*."""

    legal_days: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.end_of_legal_days(start, self.legal_days)


class SameHour(Part):
    """The same hour so many calendar days later, whatever day that is."""

    days_same_hour: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.same_hour(start, days=self.days_same_hour)


class Months(Part):
    """The same hour so many calendar months later."""

    months: int = Field(ge=1, le=120)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.same_hour(start, months=self.months)


class MinutesBefore(Part):
    """So much elapsed time before a moment."""

    minutes: int = Field(ge=1, le=TEN_YEARS_OF_MINUTES)

    def ahead_of(self, end: datetime, calendar: Calendar) -> datetime:
        return calendar.elapsed(end, -timedelta(minutes=self.minutes))


class WorkingDaysBefore(Part):
    """A time of day so many working days before the day of a moment; 0 is that day itself."""

    working_days: int = Field(ge=0, le=TEN_YEARS_OF_DAYS)
    time: TimeOfDay

    def ahead_of(self, end: datetime, calendar: Calendar) -> datetime:
        return calendar.before_working_days(end, self.working_days, self.time)


Term = Minutes | WorkingHours | EndOfWorkingDay | OnWorkingDay | NextWorkingDay | LegalDays | SameHour | Months
Starts = Literal[
    "RECEIVED", "REOPENED", "COLOURED", "OFFERED", "ROUTED", "ACCEPTED", "TOO_SEVERE", "ASSESS", "OUTCOME",
    "MONITOR_START", "ORDER", "BOARD_REQUESTED", "BOARD_WRITTEN", "MAYOR_DEMANDS", "MEASURE", "CONSULT",
    "CHANGED", "HANDED_OVER", "PHONED_OVER",
]  # fmt: skip
"""What happens when a term begins. REOPENED: a case that nobody assessed; COLOURED: the case got another colour;
ORDER and MEASURE: it is in force. CHANGED: anything on a case that somebody has accepted; it begins anew each time.
HANDED_OVER: another centre has it. PHONED_OVER: a receiver took it over by telephone."""
Ends = Literal[
    "ACKNOWLEDGED", "ACCEPTED", "STARTED", "SEEN", "ASSESS", "OUTCOME", "INFORMED", "FEEDBACK_GIVEN",
    "FEEDBACK_NOT_POSSIBLE", "SETTLE", "RAISE", "DECIDE_HOLD", "MONITOR_CONTACT", "SUPPORT_GIVEN", "BOARD_NOTICE",
    "CONFIRM_LINK", "UNLINK", "CONSULTED", "LEFT", "ENDED", "CONFIRMED",
]  # fmt: skip
"""What ends it: where a handover stands, or an act. LEFT: nobody has accepted the case any more; ENDED: what it is
about holds no more; CONFIRMED: the receiver itself said what was agreed by telephone."""


StepName = Literal[
    "REMINDER", "SPECIALIST", "COORDINATOR", "DUTY_OFFICER", "MANAGER", "DIRECTOR", "RECALL_DUE", "RECALLED"
]
Tells = Literal[
    "receiver", "specialist", "contact_person", "assessment", "investigation", "coordination", "duty", "municipality"
]
"""Whom: who has the case or is offered it, its specialist, the centre's contact person for it, a desk of the centre, or
the municipality for which that team works (who coordinates, when it is no team)."""


class TermStep(Part):
    """What happens around the moment by which something is owed, while nobody does it. With neither ``before`` nor
    ``after``: at that moment."""

    step: StepName
    before: MinutesBefore | WorkingDaysBefore | None = None
    after: Term | None = None
    tells: tuple[Tells, ...]

    def moment(self, due: datetime, calendar: Calendar) -> datetime:
        """When, for what is owed by ``due``."""
        if self.before is not None:
            return self.before.ahead_of(due, calendar)
        return self.after.after(due, calendar) if self.after is not None else due


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The steps about one term, ready to be asked for their moments."""

    steps: tuple[TermStep, ...]
    repeats: bool
    calendar: Calendar


# What is due at the end of a day is due then on every case of that day.
@lru_cache(maxsize=8192)
def moments(ladder: Ladder, due: int) -> tuple[int, ...]:
    """When each step happens for what is owed by ``due``; all in ms since 1970 UTC."""
    owed = datetime.fromtimestamp(due / 1000, UTC)
    return tuple(int(step.moment(owed, ladder.calendar).timestamp() * 1000) for step in ladder.steps)


class TermRule(Row):
    """T: something is owed by a moment. It begins when one of ``starts`` happens while ``when`` holds."""

    starts: tuple[Starts, ...]
    due: Term | dict[Colour, Term] = Field(
        description="one for all, or by colour; a colour that is left out owes nothing"
    )
    ends: tuple[Ends, ...]
    extension: Term | None = Field(default=None, description="how much longer each EXTEND of a person makes it")
    ladder: tuple[TermStep, ...] = Field(default=(), description="none: it is shown and measured, and tells nobody")
    repeats: bool = Field(default=True, description="whether the last step comes back until it is done")
    outlasts: bool = Field(default=False, description="whether it is owed also once the case is closed")

    def length(self, colour: Colour | None) -> Term | None:
        """The term for a case of that colour."""
        if isinstance(self.due, dict):
            return self.due.get(colour) if colour is not None else None
        return self.due
