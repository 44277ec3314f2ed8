"""The figures by which reports are made up: ``figures.yaml``, each with its source, as frozen models."""

from functools import cache
from pathlib import Path
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from agents.policy.bands import Percent
from agents.policy.loading import Mistake, Part, load, refusal
from topics.base import Line
from topics.codes import (
    Answered,
    Cooperation,
    Disclosure,
    Indicator,
    Occasion,
    ReporterCapacity,
    SourceKind,
    ViolenceKind,
)

FILE = Path(__file__).with_name("figures.yaml")
K = TypeVar("K")

Class = Literal["FIRST", "REPEAT", "DURING_ASSESSMENT", "AFTER_ASSESSMENT", "DURING_MONITORING", "UNCLASSIFIED"]
"""CBS's classes of earlier involvement; whether one or several people were known is not told apart here."""
Need = Literal["minor", "infant", "pregnant"]
Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
"""From and to, both included."""


class Figure(Part):
    """Anything that is counted or assumed."""

    source: Literal["fact", "assumption"]
    why: Line = Field(description="the source, or what makes the assumption plausible")


class Number(Figure):
    """How many."""

    number: int = Field(ge=1)


class Share(Figure):
    """How often, of what ``why`` says."""

    percent: Percent


def _whole(percents: list[float]) -> None:
    # Sources round: the parts may miss the whole by half a point.
    if abs(sum(percents) - 100) > 0.5:
        raise ValueError(f"samen {sum(percents):g}, geen 100 / together {sum(percents):g}, not 100")


class Shares(Part, Generic[K]):
    """Parts of a whole."""

    percent: dict[K, Percent]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _whole(list(self.percent.values()))
        return self


class Involvement(Figure, Shares[Class]):
    """How known households are."""


class Group(Figure):
    """A part of all reporters, and who they are."""

    percent: Percent
    among: dict[ReporterCapacity, Percent]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _whole(list(self.among.values()))
        return self


class Form(Figure):
    """What one kind of source answers, and what it leaves open."""

    capacities: tuple[ReporterCapacity, ...]
    hours: Literal["any", "office"]
    open_acute: Percent
    none_answered: Percent
    open_other: Percent
    known: Percent
    bsn: Percent
    meldcode: bool
    disclosure: dict[Disclosure, Percent]
    cooperation: dict[Cooperation, Percent]
    certain: dict[Answered, Percent]
    enough: dict[Answered, Percent]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for found in (self.disclosure, self.cooperation, self.certain, self.enough):
            _whole(list(found.values()))
        return self


class Hours(Figure):
    """When reports come in, Europe/Amsterdam."""

    days: tuple[Percent, Percent, Percent, Percent, Percent, Percent, Percent]
    from_hour: dict[Annotated[int, Field(ge=0, le=23)], Percent] = Field(
        description="from this hour to the next one named"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _whole(list(self.days))
        _whole(list(self.from_hour.values()))
        return self


class DaySpan(Part):
    """Whole days, each as likely."""

    percent: Percent
    days: Range


class YearSpan(Part):
    """Whole years, each as likely."""

    percent: Percent
    years: Range


class Since(Figure):
    """How long ago."""

    spans: tuple[DaySpan, ...]


class Ages(Figure):
    """How old. ``more``: in so many households with one there is another."""

    spans: tuple[YearSpan, ...]
    more: Percent = 0


class About(Figure):
    """An occasion: how often, how often with minors, and what was done."""

    percent: Percent
    minors: Percent
    violence: dict[ViolenceKind, Percent]


class Sign(Figure):
    """How often an indicator is YES."""

    percent: Percent
    known: Percent | None = None
    needs: Need | None = None
    occasions: tuple[Occasion, ...] = ()


class Figures(Part):
    """All of them; the file says what each means."""

    reports_a_year: Number
    capacities: tuple[Group, ...]
    forms: dict[SourceKind, Form]
    hours: dict[Literal["any", "office"], Hours]
    involvement: Involvement
    since: dict[Class, Since]
    further: Share
    occasions: dict[Occasion, About]
    minors: Ages
    adults: Ages
    elderly: Ages
    pregnant: Share
    dependent: Share
    indicators: dict[Indicator, Sign]
    measure: Share
    board_investigation: Share
    restraining_order: Share
    contact_ban: Share
    secret: Share

    def form_of(self, capacity: ReporterCapacity) -> SourceKind:
        """The kind of source by which somebody in this role reports."""
        return next(kind for kind, form in self.forms.items() if capacity in form.capacities)


@cache
def figures() -> Figures:
    """The figures of the file beside this one."""
    return figures_of(FILE.read_text(encoding="utf-8"))


def figures_of(text: str) -> Figures:
    """The figures that ``text`` (YAML) holds; ``PolicyError`` with every mistake and its line."""
    found = load(Figures, text)
    if mistakes := _mistakes(found):
        raise refusal(text, mistakes)
    return found


def _mistakes(found: Figures) -> list[Mistake]:
    reported = [capacity for form in found.forms.values() for capacity in form.capacities]
    wrong: list[Mistake] = [
        (("capacities", number, "among", capacity), "in precies één formulier / in exactly one form")
        for number, group in enumerate(found.capacities)
        for capacity in group.among
        if reported.count(capacity) != 1
    ]
    wholes: list[tuple[str, list[float]]] = [
        ("capacities", [group.percent for group in found.capacities]),
        ("occasions", [about.percent for about in found.occasions.values()]),
    ]
    wrong += [
        ((name,), f"samen {sum(parts):g}, geen 100 / together {sum(parts):g}, not 100")
        for name, parts in wholes
        if abs(sum(parts) - 100) > 0.5
    ]
    return wrong + [
        (("indicators",), f"{one} ontbreekt / is missing") for one in Indicator if one not in found.indicators
    ]
