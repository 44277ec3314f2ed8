"""A region's rules as data: what gives a colour, terms, ladders, windows. What follows is in ``agents/casework``."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from agents.policy.acts import Permission
from agents.policy.acts import mistakes as acts_mistakes
from agents.policy.bands import Bands
from agents.policy.calendar import Calendar, Compressed, Netherlands
from agents.policy.colours import ColourRule, Colours, Provisional, Raise
from agents.policy.destinations import (
    Criterion,
    DestinationRule,
    FanOut,
    FilterRule,
    KeepReason,
    SafetyCondition,
    Successor,
    keep_mistakes,
)
from agents.policy.loading import Mistake, Part, load, plain, refusal
from agents.policy.rules import Row, Table, mistakes
from agents.policy.terms import TEN_YEARS_OF_DAYS, Ladder, StepName, Tells, Term, TermRule
from agents.policy.vocabulary import MADE
from topics.base import Slug
from topics.codes import ActKind, Colour, Indicator


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
    working_day_seconds: float = Field(ge=0.001, le=86_400)


class Windows(Part):
    """How long something counts: whole days, the last one included; an incident in hours."""

    repetition: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)
    perpetrator: int = Field(ge=1, le=TEN_YEARS_OF_DAYS)
    monitoring: int = Field(ge=0, le=TEN_YEARS_OF_DAYS, description="after it ended")
    measure: int = Field(ge=0, le=TEN_YEARS_OF_DAYS, description="after it ended")
    order: int = Field(ge=0, le=TEN_YEARS_OF_DAYS, description="since a huisverbod was imposed")
    incident_hours: int = Field(
        ge=0, le=TEN_YEARS_OF_DAYS, description="between two reports that may tell of one incident"
    )


class Held(Part):
    """What becomes of the offers to a receiver that is out of service."""

    falls: dict[Colour, Term] = Field(
        description="after this the centre has it; a colour that is left out goes to the centre at once"
    )
    pace: Term = Field(description="when it is back, between one offer that waited and the next")


class Policy(Part):
    """The rules of one region at one moment; ``hash`` of the text is in every decision."""

    name: Slug
    version: str
    calendar: Annotated[NetherlandsCalendar | CompressedCalendar, Field(discriminator="kind")]
    indicators: dict[str, Annotated[tuple[Indicator, ...], Field(min_length=1, max_length=50)]] = Field(
        description="sets that a rule may name as one"
    )
    windows: Windows
    colours: tuple[ColourRule, ...]
    raises: tuple[Raise, ...]
    provisional: tuple[Provisional, ...]
    keep_reasons: tuple[KeepReason, ...]
    destinations: tuple[DestinationRule, ...]
    filters: tuple[FilterRule, ...]
    refusals: tuple[Successor, ...]
    fan_out: tuple[FanOut, ...]
    safety_conditions: tuple[SafetyCondition, ...]
    board_request: tuple[Criterion, ...]
    acts: tuple[Permission, ...]
    terms: tuple[TermRule, ...]
    accept: dict[Colour, Term] = Field(description="T03")
    without_colour: Colour = Field(description="whose clock runs for what has no colour")
    team_ladder: dict[Colour, tuple[LadderStep, ...]]
    desk_ladder: dict[Colour, tuple[LadderStep, ...]]
    again: dict[Colour, Term] = Field(description="the last step of a desk's ladder comes back after this")
    held: Held
    hops: int = Field(
        ge=1, le=100, description="who coordinates is told when a case goes on to somebody else more often"
    )
    assessment_working_days: int = Field(
        ge=1, le=TEN_YEARS_OF_DAYS, description="a report within it falls DURING_ASSESSMENT"
    )
    # Policies that were activated before there were bands stand in journals, and are read for as long as those.
    bands: Bands = Field(default_factory=Bands, description="what shares of the reports these rules should come to")

    def permission(self, act: ActKind) -> Permission:
        """Who may do that: nobody, when it was no act yet as this policy was put in force."""
        return next((found for found in self.acts if act in found.acts), Permission(acts=(act,), roles=()))

    def keep_reason(self, rule: str | None) -> KeepReason | None:
        """Why the centre keeps a case that this rule of destination leads to it; None for any other rule."""
        keeps = next((row.keeps for row in self.destinations if row.id == rule), None)
        return next((reason for reason in self.keep_reasons if reason.id == keeps), None)

    def made_calendar(self) -> Calendar:
        """The calendar that the terms count in."""
        if isinstance(self.calendar, CompressedCalendar):
            return Compressed(timedelta(seconds=self.calendar.working_day_seconds))
        return Netherlands()

    def made_colours(self) -> Colours:
        """The rules of colour, ready to be asked."""
        return Colours(self.colours, self.raises, self.provisional, self.indicators)

    def made_fan_out(self) -> Table[FanOut]:
        """The rules of who else must know, ready to be asked."""
        return Table(self.fan_out, self.indicators)

    def made_safety_conditions(self) -> Table[SafetyCondition]:
        """The conditions for whoever gets a case, ready to be asked."""
        return Table(self.safety_conditions, self.indicators)

    def made_board_request(self) -> Table[Criterion]:
        """The conditions of a request to the Raad, ready to be asked."""
        return Table(self.board_request, self.indicators)

    def made_terms(self) -> Mapping[str, Table[TermRule]]:
        """The rules of what is due when, ready to be asked, by what they begin with: a report asks for four of them."""
        starts = {start for row in self.terms for start in row.starts}
        return {start: Table([row for row in self.terms if start in row.starts], self.indicators) for start in starts}

    def made_ladders(self) -> Mapping[str, Ladder]:
        """What happens when a term passes, by the term's name; those without are left out."""
        calendar = self.made_calendar()
        return {row.id: Ladder(row.ladder, row.repeats, calendar) for row in self.terms if row.ladder}

    def made_refusals(self) -> Table[Successor]:
        """The rules of who follows after a refusal, ready to be asked."""
        return Table(self.refusals, self.indicators)

    def made_destinations(self) -> Table[DestinationRule]:
        """The rules of destination, ready to be asked."""
        return Table(self.destinations, self.indicators)


_TELLS_NOBODY = "vertelt niemand iets / tells nobody anything"
_SOME_MOMENT = datetime(2026, 6, 17, 21, 59, 59, tzinfo=UTC)  # the end of a Wednesday in the Netherlands


@lru_cache(maxsize=128)
def text_hash(text: str) -> str:
    """Which text this is: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def load_policy(text: str) -> Policy:
    """The policy that ``text`` (YAML) holds; ``PolicyError`` with every mistake."""
    policy = policy_in_force(text)
    if mistakes := _mistakes(policy):
        raise refusal(text, mistakes)
    return policy


@lru_cache(maxsize=64)
def policy_in_force(text: str) -> Policy:
    """The policy that a journal holds. It was checked when it came in force, and is not checked again: what a later
    release would refuse stays in force until a person replaces it, for a region without rules decides nothing.

    So what a release asks of a policy more than the last one stands in ``_mistakes``, never in a type or a bound.
    """
    return load(Policy, text)


def readable(text: str) -> bool:
    """Whether a policy that somebody sent can be used; what no policy needs is not even tried (``plain``)."""
    try:
        plain(text)
        load_policy(text)
    except Exception:  # whatever reading it comes to: it is somebody's text, and must stop nobody else's
        return False
    return True


def _mistakes(policy: Policy) -> list[Mistake]:
    found: list[Mistake] = [
        ((part,), f"{colour.value} ({colour.nl}) ontbreekt / is missing")
        for part in ("accept", "team_ladder", "desk_ladder", "again")
        for colour in Colour
        if colour not in getattr(policy, part)
    ]
    if Colour.RED in policy.held.falls:
        found.append((("held", "falls", "RED"), "rood wacht niet op wie buiten dienst is / rood waits for nobody"))
    # A ladder that ends without a person would go quiet.
    found += [
        ((part, colour.value), f"de laatste trede moet {end} zijn / the last step must be {end}")
        for part, end in (("team_ladder", "RECALLED"), ("desk_ladder", "RECALL_DUE"))
        for colour, steps in getattr(policy, part).items()
        if not steps or steps[-1].step != end
    ]
    found += [
        ((part, colour.value, place, "tells"), _TELLS_NOBODY)
        for part in ("team_ladder", "desk_ladder")
        for colour, steps in getattr(policy, part).items()
        for place, step in enumerate(steps)
        if not step.tells and step.step != "RECALLED"
    ]
    tables = {"colours": policy.colours, "raises": policy.raises, "provisional": policy.provisional}
    for name, rows in tables.items():
        found += mistakes(name, rows, policy.indicators, MADE)
    only_with_a_condition: dict[str, Sequence[Row]] = {
        "raises": policy.raises,
        "provisional": policy.provisional,
        "fan_out": policy.fan_out,
        "safety_conditions": policy.safety_conditions,
        "board_request": policy.board_request,
    }
    found += [
        ((name, number), f"{row.id}: when ontbreekt / is missing")
        for name, rows in only_with_a_condition.items()
        for number, row in enumerate(rows)
        if not row.when
    ]
    found += mistakes("fan_out", policy.fan_out, policy.indicators)
    found += mistakes("safety_conditions", policy.safety_conditions, policy.indicators)
    found += mistakes("terms", policy.terms, policy.indicators)
    found += _ladder_mistakes(policy)
    found += mistakes("board_request", policy.board_request, policy.indicators)
    found += mistakes("destinations", policy.destinations, policy.indicators)
    found += mistakes("keep_reasons", policy.keep_reasons, policy.indicators)
    found += keep_mistakes(policy.destinations, policy.keep_reasons)
    found += acts_mistakes(policy.acts)
    found += mistakes("refusals", policy.refusals, policy.indicators)
    never_with_a_condition: dict[str, Sequence[Row]] = {
        "filters": policy.filters,
        "keep_reasons": policy.keep_reasons,
    }
    found += [
        ((name, number), f"{row.id}: when hoort hier niet / does not belong here")
        for name, rows in never_with_a_condition.items()
        for number, row in enumerate(rows)
        if row.when
    ]
    found += [
        (("refusals", number, "to"), "wat geen regel voorzag gaat terug / what no rule thought of goes BACK")
        for number, row in enumerate(policy.refusals)
        if not row.when and row.to != "BACK"
    ]
    found += [
        ((name,), "precies één regel zonder when / exactly one row without when")
        for name, rows in (
            ("colours", policy.colours),
            ("destinations", policy.destinations),
            ("refusals", policy.refusals),
        )
        if sum(not row.when for row in rows) != 1
    ]
    found += [
        (("destinations", number, "to"), "wie dit krijgt moet bij Veilig Thuis zijn / must be a desk of the centre")
        for number, row in enumerate(policy.destinations)
        # Somebody on duty has whatever no rule thought of.
        if not row.when and not row.to.startswith("VT_")
    ]
    return found


def _ladder_mistakes(policy: Policy) -> list[Mistake]:
    """What is wrong with the steps of what is owed. Their order is tried on a moment in a week without holidays."""
    found: list[Mistake] = []
    calendar = policy.made_calendar()
    for number, row in enumerate(policy.terms):
        where = ("terms", number, "ladder")
        moments = [step.moment(_SOME_MOMENT, calendar) for step in row.ladder]
        for place, step in enumerate(row.ladder):
            if step.before is not None and step.after is not None:
                found.append(((*where, place), "before of after, niet beide / before or after, not both"))
            elif not step.tells:
                found.append(((*where, place, "tells"), _TELLS_NOBODY))
            elif place and moments[place] < moments[place - 1]:
                found.append(((*where, place), "komt voor de trede erboven / comes before the step above it"))
    return found


def millis(moment: datetime) -> int:
    """A moment as ms since 1970 UTC."""
    return int(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """The moment, UTC, of ms since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)
