"""How well reports of one household find one another, measured on pairs of reports whose truth is known."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

import orjson

from agents.casework.book import Book, Opened
from agents.casework.linking import Weighed, find_case, weighed
from agents.matching import Link, links_of
from agents.policy.model import millis
from agents.sealing import KeySet, RegionKeys
from tests.radar.written import Written
from topics import journal as j
from topics.reports import Report

KEYS = RegionKeys(KeySet("w1", {"w1": bytes(32)}), KeySet("m1", {"m1": b"radar" * 6}))
Keys = Callable[[Report, RegionKeys], tuple[Link, ...]]


@dataclass(slots=True)
class Of:
    """Links of one kind."""

    pairs: int = 0
    right: int = 0
    """What the kind says is so: of one household, or the same parent or person, or perpetrator, is in both."""
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
    right: int = 0
    """Of these, such as are what their kind says."""
    kinds: dict[str, Of] = field(default_factory=lambda: defaultdict(Of))
    certainties: dict[str, Of] = field(default_factory=lambda: defaultdict(Of))
    codes: int = 0
    """Kept of all reports."""
    asked: int = 0
    cases: int = 0
    """Cases when each report joins as casework decides, one after the other."""
    mixed: int = 0
    """Of these, such as hold reports of more than one household."""
    split: int = 0
    """Households whose reports lie in more than one case."""
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
        """Of two reports that are linked CERTAIN or PROBABLE: the link is what its kind says.

        A parent who has a new family elsewhere is the same parent (SAME_PARENT), and two households.
        """
        return self.right / self.joined if self.joined else 0.0

    @property
    def household_precision(self) -> float:
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
            "precision_one_household": round(self.household_precision, 4),
            "wrong": self.joined - self.right,
            "codes_per_report": round(self.codes / self.reports, 1),
            "looked_up_per_report": round(self.asked / self.reports, 1),
            "cases": self.cases,
            "cases_of_two_households": self.mixed,
            "households_in_two_cases": self.split,
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


def filed(figures: Figures, written: Sequence[Written]) -> None:
    """Bring the reports into a book one after the other, each into the case that casework finds for it."""
    book = Book("radar")
    households: dict[str, set[int]] = defaultdict(set)
    cases: dict[int, set[str]] = defaultdict(set)
    for place, one in enumerate(written):
        links = links_of(_read(one), KEYS)
        found = find_case(book, links, f"{place}").case
        case_id = found.id if found is not None else f"case-{place}"
        book.apply(_registered(place, one, case_id, new=found is None), Opened(links))
        households[case_id].add(one.household)
        cases[one.household].add(case_id)
    figures.cases = len(households)
    figures.mixed = sum(len(some) > 1 for some in households.values())
    figures.split = sum(len(some) > 1 for some in cases.values())


def _registered(place: int, one: Written, case_id: str, *, new: bool) -> j.Record:
    at = millis(datetime.fromisoformat(one.report["received_at"]))
    said = j.ReportInput(
        origin=j.Origin(topic="reports", partition=0, offset=place, arrived=at),
        source=one.report["source_id"],
        source_kind="POLICE",
        report_id=one.report["report_id"],
        version=1,
        kind="REPORT",
        received=at,
        fingerprint="",
        test=False,
        key_id=f"{place}",
        sealed={},
    )
    events: tuple[j.Event, ...] = (
        j.Registered(case_id=case_id, opened=new, owner="vt", counts=True, involvement="FIRST"),
        j.Triaged(case_id=case_id, colour="GREEN", provisional=False, reasons=(), open_questions=(), floor=None),
    )
    return j.Record(
        region="radar", seq=place, at=at, lane=j.INBOX, epoch=0, offset=place, policy="", input=said, events=events
    )


def _read(one: Written) -> Report:
    return Report.model_validate_json(orjson.dumps(one.report))


def _count(figures: Figures, earlier: Written, later: Written, found: Weighed) -> None:
    same = earlier.household == later.household
    right = same or bool(_those(earlier, found.kind) & _those(later, found.kind))
    for of in (figures.kinds[found.kind], figures.certainties[found.certainty]):
        of.pairs += 1
        of.right += right
        of.joined += found.joins
        of.joined_right += found.joins and right
    figures.linked += same
    if found.joins:
        figures.joined += 1
        figures.surely += same
        figures.right += right
        if not right:
            figures.wrong.append((earlier, later))


def _those(one: Written, kind: str) -> frozenset[int]:
    """Of whom a link of this kind speaks."""
    match kind:
        case "SAME_PERPETRATOR":
            return one.perpetrators
        case "SAME_PERSON" | "SAME_PARENT" | "SAME_MOTHER_UNBORN":
            return one.persons
        case _:
            return frozenset()


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
