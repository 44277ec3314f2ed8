"""A region's rules as data: terms, ladders, windows. What a rule decides is in ``agents/casework``."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.policy.calendar import Calendar, Compressed, Netherlands
from topics.base import Slug
from topics.codes import Colour

M = TypeVar("M", bound=BaseModel)

# A directory of 1,500 receivers takes a second with the one in C, and two and a half with the other.
LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PolicyError(Exception):
    """A file of a region that cannot be used; the message says what to change, line by line."""


class Part(BaseModel):
    """One frozen part of a policy; an unknown key is an error, never a hint."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Policy(Part):
    """The rules of one region at one moment; ``hash`` of the text is in every decision."""

    name: Slug
    version: str
    calendar: Annotated[NetherlandsCalendar | CompressedCalendar, Field(discriminator="kind")]
    repetition_days: int = Field(ge=1, description="U1 and U2: whole days, the last one included")
    accept: dict[Colour, Term] = Field(description="T03")
    without_colour: Colour = Field(description="whose clock runs for what has no colour")
    team_ladder: dict[Colour, tuple[LadderStep, ...]]
    desk_ladder: dict[Colour, tuple[LadderStep, ...]]
    again: dict[Colour, Term] = Field(description="the last step of a desk's ladder comes back after this")
    assessment_working_days: int = Field(ge=1, description="a report within it falls DURING_ASSESSMENT")

    def made_calendar(self) -> Calendar:
        """The calendar that the terms count in."""
        if isinstance(self.calendar, CompressedCalendar):
            return Compressed(timedelta(seconds=self.calendar.working_day_seconds))
        return Netherlands()


def text_hash(text: str) -> str:
    """Which text this is: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_policy(text: str) -> Policy:
    """The policy that ``text`` (YAML) holds; ``PolicyError`` with every mistake."""
    policy = load(Policy, text)
    missing = [
        f"{part}: {colour.value} ({colour.nl}) ontbreekt / is missing"
        for part in ("accept", "team_ladder", "desk_ladder", "again")
        for colour in Colour
        if colour not in getattr(policy, part)
    ]
    # A ladder that ends without a person would go quiet.
    missing += [
        f"{part}.{colour.value}: de laatste trede moet {end} zijn / the last step must be {end}"
        for part, end in (("team_ladder", "RECALLED"), ("desk_ladder", "RECALL_DUE"))
        for colour, steps in getattr(policy, part).items()
        if not steps or steps[-1].step != end
    ]
    if missing:
        raise PolicyError("; ".join(missing))
    return policy


def load(model: type[M], text: str) -> M:
    """A model from YAML text; ``PolicyError`` names line and place of each mistake."""
    try:
        node = yaml.compose(text, Loader=LOADER)
        return model.model_validate(yaml.load(text, Loader=LOADER))
    except yaml.YAMLError as error:
        raise PolicyError(str(error)) from error
    except ValidationError as error:
        raise PolicyError(
            "; ".join(f"{_where(node, found['loc'])}: {found['msg']}" for found in error.errors(include_input=False))
        ) from error


def _where(node: yaml.Node | None, place: Iterable[int | str]) -> str:
    """``line N, a.b.0``: as far down as the text has it."""
    path = [str(step) for step in place]
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == step), None)
            if found is None:
                break
            node = found[1]
        elif isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
            node = node.value[int(step)]
        else:
            break
    line = node.start_mark.line + 1 if node is not None else 1
    return f"line {line}, {'.'.join(path) or 'file'}"


def millis(moment: datetime) -> int:
    """A moment as ms since 1970 UTC."""
    return int(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """The moment, UTC, of ms since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)
