"""How well reports of one household find one another, measured on pairs of reports whose truth is known."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import orjson

from agents.casework.linking import Weighed, weighed
from agents.matching import Link, links_of
from agents.sealing import KeySet, RegionKeys
from tests.radar.written import Written
from topics.reports import Report

KEYS = RegionKeys(KeySet("w1", {"w1": bytes(32)}), KeySet("m1", {"m1": b"radar" * 6}))
Keys = Callable[[Report, RegionKeys], tuple[Link, ...]]


@dataclass(slots=True)
class Of:
    """Links of one kind."""

    pairs: int = 0
    right: int = 0
    """Of one household; of SAME_PERPETRATOR: he is it in both."""
    joined: int = 0
    joined_right: int = 0


@dataclass(slots=True)
class Figures:
    """What was measured on one set of reports."""

    reports: int
    households: int
    true_pairs: int = 0
    linked: int = 0
    """Of these, by any certainty."""
    surely: int = 0
    """Of these, CERTAIN or PROBABLE."""
    joined: int = 0
    """Pairs that are CERTAIN or PROBABLE, right or wrong."""
    shared_person: int = 0
    """Of the wrong ones those in which somebody lives, or lived, in both households."""
    kinds: dict[str, Of] = field(default_factory=lambda: defaultdict(Of))
    certainties: dict[str, Of] = field(default_factory=lambda: defaultdict(Of))
    codes: int = 0
    """Kept of all reports."""
    asked: int = 0
    missed: list[tuple[Written, Written]] = field(default_factory=list)
    wrong: list[tuple[Written, Written]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Of two reports of one household: linked by any certainty."""
        return self.linked / self.true_pairs

    @property
    def sure_recall(self) -> float:
        """Of two reports of one household: CERTAIN or PROBABLE."""
        return self.surely / self.true_pairs

    @property
    def precision(self) -> float:
        """Of two reports that are linked CERTAIN or PROBABLE: of one household."""
        return self.surely / self.joined if self.joined else 0.0

    def plain(self) -> dict[str, Any]:
        """As one line of JSON."""
        return {
            "reports": self.reports,
            "households": self.households,
            "true_pairs": self.true_pairs,
            "recall_any": round(self.recall, 4),
            "recall_certain_probable": round(self.sure_recall, 4),
            "precision_certain_probable": round(self.precision, 4),
            "wrong": self.joined - self.surely,
            "wrong_with_a_person_of_both": self.shared_person,
            "codes_per_report": round(self.codes / self.reports, 1),
            "looked_up_per_report": round(self.asked / self.reports, 1),
            "kinds": {kind: _shares(of) for kind, of in sorted(self.kinds.items())},
            "certainties": {certainty: _shares(of) for certainty, of in sorted(self.certainties.items())},
        }


def measured(written: Sequence[Written], keys: Keys = links_of, judge: Callable[..., Weighed] = weighed) -> Figures:
    """Every pair of these reports that has a match key in common, weighed as casework weighs a report and a case."""
    links = [keys(_read(one), KEYS) for one in written]
    figures = Figures(len(written), len({one.household for one in written}))
    known: dict[str, list[int]] = defaultdict(list)
    linked: set[tuple[int, int]] = set()
    for later, found in enumerate(links):
        common: dict[int, list[Link]] = defaultdict(list)
        for link in found:
            for earlier in known[link.code] if link.asked and link.code in known else ():
                common[earlier].append(link)
        for earlier, links_in_common in common.items():
            linked.add((earlier, later))
            _count(figures, written[earlier], written[later], judge(links_in_common))
        for link in found:
            if link.kept:
                known[link.code].append(later)
        figures.codes += sum(link.kept for link in found)
        figures.asked += sum(link.asked for link in found)
    _truth(figures, written, linked)
    return figures


def _read(one: Written) -> Report:
    return Report.model_validate_json(orjson.dumps(one.report))


def _count(figures: Figures, earlier: Written, later: Written, found: Weighed) -> None:
    same = earlier.household == later.household
    right = same or (found.kind == "SAME_PERPETRATOR" and bool(earlier.perpetrators & later.perpetrators))
    for of in (figures.kinds[found.kind], figures.certainties[found.certainty]):
        of.pairs += 1
        of.right += right
        of.joined += found.joins
        of.joined_right += found.joins and same
    figures.linked += same
    if found.joins:
        figures.joined += 1
        figures.surely += same
        if not same:
            figures.wrong.append((earlier, later))
            everybody = earlier.persons | earlier.perpetrators, later.persons | later.perpetrators
            figures.shared_person += bool(everybody[0] & everybody[1])


def _truth(figures: Figures, written: Sequence[Written], linked: set[tuple[int, int]]) -> None:
    of: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(written):
        of[one.household].append(place)
    for places in of.values():
        for pair in combinations(places, 2):
            figures.true_pairs += 1
            if pair not in linked:
                figures.missed.append((written[pair[0]], written[pair[1]]))


def _shares(of: Of) -> dict[str, Any]:
    return {
        "pairs": of.pairs,
        "right": of.right,
        "joined": of.joined,
        "precision_joined": round(of.joined_right / of.joined, 4) if of.joined else None,
    }
