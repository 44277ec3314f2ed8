"""What reports come to by a region's rules, in shares: what a policy does to a desk, seen before it does. Pure.

Counted is each report, as its case stands right after it. Everything is decided in order by ``Trial``, so a household's
earlier reports count as they do in earnest. Nothing fires, and nobody answers but by a line of the history itself.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agents.casework.case import Case
from agents.policy.bands import Band, Bands
from agents.policy.region import RegionConfig
from pipeline.route import Line, Trial
from topics import journal as j
from topics.codes import Colour

Share = Literal["kept", "acute", "provisional"]
SHARES: tuple[Share, ...] = ("kept", "acute", "provisional")
AT_THE_CENTRE = "VT_"
"""How the names of destinations begin that are the centre's own."""


@dataclass(slots=True)
class Counted:
    """How many reports; a report has one colour and one destination, and any number of rules."""

    reports: int = 0
    without_case: int = 0
    """Decided and not counted: advice, repeats, what cannot be taken in."""
    cases: set[str] = field(default_factory=set)
    colours: Counter[str] = field(default_factory=Counter)
    destinations: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    shares: Counter[Share] = field(default_factory=Counter)

    def add(self, case: Case) -> None:
        """One report more, whose case stands like this."""
        destination = case.destination or "NONE"
        self.reports += 1
        self.cases.add(case.id)
        self.colours[case.colour or "NONE"] += 1
        self.destinations[destination] += 1
        self.rules.update(dict.fromkeys([*case.reasons, *([case.rule] if case.rule else [])], 1))
        self.shares["kept"] += destination.startswith(AT_THE_CENTRE)
        self.shares["acute"] += case.colour == Colour.RED
        self.shares["provisional"] += case.provisional

    def percent(self, count: int) -> float:
        """So many of the reports, to a tenth."""
        return round(100 * count / self.reports, 1) if self.reports else 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A share held against its band."""

    share: Share
    percent: float
    band: Band

    @property
    def inside(self) -> bool:
        """Whether it is what the region expects."""
        return self.band.holds(self.percent)


def count(
    config: RegionConfig, lines: Sequence[Line], counts: Callable[[Line], bool], progress: Callable[[int, int], None]
) -> Counted:
    """Decide all lines, count the reports of those that count; raises ``Refused`` as ``Trial`` does."""
    counted = Counted()
    if not lines:
        return counted
    trial = Trial(config, lines[0].at)
    for number, line in enumerate(lines, 1):
        record = trial.run(line)
        progress(number, len(lines))
        if line.kind != "report" or not counts(line):
            continue
        case_id = next((event.case_id for event in record.events if isinstance(event, j.Registered)), None)
        if case_id is None:
            counted.without_case += 1
        else:
            counted.add(trial.book.cases[case_id])
    return counted


def held(bands: Bands, counted: Counted) -> Iterator[Held]:
    """Every share that has a band."""
    for share in SHARES:
        band: Band | None = getattr(bands, share)
        if band is not None:
            yield Held(share, counted.percent(counted.shares[share]), band)
