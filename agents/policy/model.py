"""A region's rules as data: what gives a colour, terms, ladders, windows. What follows is in ``agents/casework``."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import Field

from agents.policy.bands import Bands
from agents.policy.calendar import Calendar, Compressed, Netherlands
from agents.policy.colours import ColourRule, Colours, Provisional, Raise
from agents.policy.destinations import DestinationRule
from agents.policy.loading import Mistake, Part, load
from agents.policy.rules import Table, mistakes
from agents.policy.vocabulary import MADE
from topics.base import Slug
from topics.codes import Colour, Indicator


class Minutes(Part):
    """Elapsed time, no calendar."""

    minutes: int = Field(ge=1)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.elapsed(start, timedelta(minutes=self.minutes))


class WorkingHours(Part):
    """Working hours, 08:30-17:00 on working days."""

    working_hours: int = Field(ge=1)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.add_working_hours(start, timedelta(hours=self.working_hours))


class EndOfWorkingDay(Part):
    """23:59:59 of the nth working day; the day of the start is not counted."""

    end_of_working_day: int = Field(ge=1)

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.end_of_working_day(start, self.end_of_working_day)


class OnWorkingDay(Part):
    """A time of day on the nth working day after the start."""

    working_day: int = Field(ge=1)
    time: time

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.at_working_day(start, self.working_day, self.time)


class NextWorkingDay(Part):
    """A time of day on the first working day that has it still to come."""

    each_working_day: time

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        return calendar.next_working_day_at(start, self.each_working_day)


Term = Minutes | WorkingHours | EndOfWorkingDay | OnWorkingDay | NextWorkingDay

StepName = Literal[
    "REMINDER", "SPECIALIST", "COORDINATOR", "DUTY_OFFICER", "MANAGER", "DIRECTOR", "RECALL_DUE", "RECALLED"
]
Tells = Literal["receiver", "specialist", "contact_person", "coordination", "duty"]


class LadderStep(Part):
    """What happens at which moment after an offer, while nobody accepts."""

    step: StepName
    at: Term
    tells: tuple[Tells, ...] = ()


class NetherlandsCalendar(Part):
    """The Dutch working days."""

    kind: Literal["netherlands"]


class CompressedCalendar(Part):
    """The clock of a demo: a working day lasts so many seconds. Not for a region that works."""

    kind: Literal["compressed"]
    working_day_seconds: float = Field(gt=0)


class Windows(Part):
    """How long something counts: whole days, the last one included."""

    repetition: int = Field(ge=1)
    perpetrator: int = Field(ge=1)
    monitoring: int = Field(ge=0, description="after it ended")
    measure: int = Field(ge=0, description="after it ended")
    order: int = Field(ge=0, description="since a huisverbod was imposed")


class Policy(Part):
    """The rules of one region at one moment; ``hash`` of the text is in every decision."""

    name: Slug
    version: str
    calendar: Annotated[NetherlandsCalendar | CompressedCalendar, Field(discriminator="kind")]
    indicators: dict[str, tuple[Indicator, ...]] = Field(description="sets that a rule may name as one")
    windows: Windows
    colours: tuple[ColourRule, ...]
    raises: tuple[Raise, ...]
    provisional: tuple[Provisional, ...]
    destinations: tuple[DestinationRule, ...]
    accept: dict[Colour, Term] = Field(description="T03")
    without_colour: Colour = Field(description="whose clock runs for what has no colour")
    team_ladder: dict[Colour, tuple[LadderStep, ...]]
    desk_ladder: dict[Colour, tuple[LadderStep, ...]]
    again: dict[Colour, Term] = Field(description="the last step of a desk's ladder comes back after this")
    assessment_working_days: int = Field(ge=1, description="a report within it falls DURING_ASSESSMENT")
    # Policies that were activated before there were bands stand in journals, and are read for as long as those.
    bands: Bands = Field(default_factory=Bands, description="what shares of the reports these rules should come to")

    def made_calendar(self) -> Calendar:
        """The calendar that the terms count in."""
        if isinstance(self.calendar, CompressedCalendar):
            return Compressed(timedelta(seconds=self.calendar.working_day_seconds))
        return Netherlands()

    def made_colours(self) -> Colours:
        """The rules of colour, ready to be asked."""
        return Colours(self.colours, self.raises, self.provisional, self.indicators)

    def made_destinations(self) -> Table[DestinationRule]:
        """The rules of destination, ready to be asked."""
        return Table(self.destinations, self.indicators)


def text_hash(text: str) -> str:
    """Which text this is: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_policy(text: str) -> Policy:
    """The policy that ``text`` (YAML) holds; ``PolicyError`` with every mistake."""
    return load(Policy, text, _mistakes)


def _mistakes(policy: Policy) -> list[Mistake]:
    found: list[Mistake] = [
        ((part,), f"{colour.value} ({colour.nl}) ontbreekt / is missing")
        for part in ("accept", "team_ladder", "desk_ladder", "again")
        for colour in Colour
        if colour not in getattr(policy, part)
    ]
    # A ladder that ends without a person would go quiet.
    found += [
        ((part, colour.value), f"de laatste trede moet {end} zijn / the last step must be {end}")
        for part, end in (("team_ladder", "RECALLED"), ("desk_ladder", "RECALL_DUE"))
        for colour, steps in getattr(policy, part).items()
        if not steps or steps[-1].step != end
    ]
    tables = {"colours": policy.colours, "raises": policy.raises, "provisional": policy.provisional}
    for name, rows in tables.items():
        found += mistakes(name, rows, policy.indicators, MADE)
    found += [
        ((name, number), f"{row.id}: when ontbreekt / is missing")
        for name in ("raises", "provisional")
        for number, row in enumerate(tables[name])
        if not row.when
    ]
    found += mistakes("destinations", policy.destinations, policy.indicators)
    found += [
        ((name,), "precies één regel zonder when / exactly one row without when")
        for name, rows in (("colours", policy.colours), ("destinations", policy.destinations))
        if sum(not row.when for row in rows) != 1
    ]
    found += [
        (("destinations", number, "to"), "wie dit krijgt moet bij Veilig Thuis zijn / must be a desk of the centre")
        for number, row in enumerate(policy.destinations)
        # Somebody on duty has whatever no rule thought of.
        if not row.when and not row.to.startswith("VT_")
    ]
    return found


def millis(moment: datetime) -> int:
    """A moment as ms since 1970 UTC."""
    return int(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """The moment, UTC, of ms since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)
