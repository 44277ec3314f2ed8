"""The made-up month is the one that the figures describe, to the byte the same for a seed, and of nobody."""

import os
import subprocess
import sys
from collections import Counter
from datetime import datetime
from typing import Any

import orjson
import pytest

from agents.policy.loading import PolicyError
from agents.policy.region import load_regions
from agents.reference import population
from pipeline.route import Said, read_history
from pipeline.settings import CHECKOUT
from pipeline.synthetic.figures import FILE, figures, figures_of
from pipeline.synthetic.month import Month, expected, history
from topics.codes import Indicator, Occasion, ReporterCapacity, SourceKind
from topics.reports import is_bsn

REGION = load_regions(CHECKOUT / "deploy" / "regions", development=True)["hollands-midden"]
MARCH = Month(2026, 3)
FIGURES = figures()
LARGE = 6
POINTS = 2.5
"""By so many percent points chance moves a share of 3,000 reports, at most (nearly three standard deviations)."""


def month(seed: int = 7, scale: float = 0.3) -> bytes:
    lines = history(FIGURES, REGION.directory, REGION.sources, MARCH, scale=scale, seed=seed)
    return b"\n".join(map(orjson.dumps, lines))


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """The month six times over, and what was before it."""
    return list(history(FIGURES, REGION.directory, REGION.sources, MARCH, scale=LARGE, seed=1))


@pytest.fixture(scope="module")
def reports(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the month."""
    return [line["report"] for line in lines if "report" in line and line["at"].startswith("2026-03")]


def percent(reports: list[dict[str, Any]], so: Any) -> float:
    return 100 * sum(bool(so(one)) for one in reports) / len(reports)


def chance(reports: list[dict[str, Any]]) -> float:
    """By so many points chance moves any share of these: some 2.6 standard deviations."""
    return 130 / len(reports) ** 0.5


def test_a_seed_gives_the_same_bytes_in_another_process_too():
    # Where sets and hashes would come out in another order
    code = "import sys; from tests.pipeline.synthetic.test_month import month; sys.stdout.buffer.write(month())"
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        check=True,
    )

    assert other.stdout == month()
    assert month(seed=8) != month()


def test_every_line_keeps_to_the_contract_and_to_the_order_of_time():
    said = [line.said for line in read_history(month())]

    assert len([one for one in said if isinstance(one, Said)]) > 200


def test_numbers_of_persons_are_nobody_s_and_no_two_people_share_one(reports: list[dict[str, Any]]):
    holders: dict[str, set[tuple[str, str]]] = {}
    for report in reports:
        for person in report["participants"]:
            if bsn := person.get("bsn"):
                assert bsn.startswith("9999")
                assert is_bsn(bsn)
                holders.setdefault(bsn, set()).add((person["surname"], person["birth_date"]))

    assert len(holders) > 1_000
    assert all(len(found) == 1 for found in holders.values())


def test_a_region_gets_its_part_of_the_nation_s_reports(reports: list[dict[str, Any]]):
    part = sum(population.inhabitants(code) or 0 for code in REGION.directory.municipalities) / population.nation()

    assert len(reports) == expected(FIGURES, REGION.directory, MARCH, LARGE)
    assert len(reports) == pytest.approx(127_340 * part * 31 / 365 * LARGE, abs=1)


def test_who_reports_is_as_the_figures_say(reports: list[dict[str, Any]]):
    who = Counter(report["reporter"]["capacity"] for report in reports)

    for group in FIGURES.capacities:
        for capacity, part in group.among.items():
            wanted = group.percent * part / 100
            assert 100 * who[capacity] / len(reports) == pytest.approx(wanted, abs=POINTS), capacity
    assert percent(reports, lambda one: one["reporter"]["capacity"] in FIGURES.forms[SourceKind.CITIZEN].capacities) > 5


def test_two_thirds_are_about_households_that_were_reported_before(lines: list[dict[str, Any]]):
    before: set[str] = set()
    known = count = 0
    for line in lines:
        if "report" not in line:
            continue
        home = orjson.dumps(line["report"]["address"]).decode()
        if line["at"].startswith("2026-03"):
            count += 1
            known += home in before
        before.add(home)

    shares = FIGURES.involvement.percent
    assert 100 * known / count == pytest.approx(100 - shares["FIRST"] - shares["UNCLASSIFIED"], abs=POINTS)


def test_what_it_is_about_is_as_the_figures_say(reports: list[dict[str, Any]]):
    for occasion, about in FIGURES.occasions.items():
        of_it = [report for report in reports if report["occasions"] == [occasion]]
        assert 100 * len(of_it) / len(reports) == pytest.approx(about.percent, abs=POINTS), occasion
    partner = [report for report in reports if report["occasions"] == ["PARTNER"]]
    about = FIGURES.occasions[Occasion.PARTNER]
    assert percent(partner, _with_minor) == pytest.approx(about.minors, abs=2 * POINTS)
    for kind, part in about.violence.items():
        assert percent(partner, lambda one, kind=kind: kind in one["violence_kinds"]) == pytest.approx(
            part, abs=2 * POINTS
        ), kind


def test_signs_are_as_the_figures_say(reports: list[dict[str, Any]]):
    for one, sign in FIGURES.indicators.items():
        can_be = [report for report in reports if not sign.occasions or report["occasions"][0] in sign.occasions]
        if sign.needs == "minor":
            can_be = [report for report in can_be if _with_minor(report)]
        if sign.needs in ("infant", "pregnant") or sign.known is not None or len(can_be) < 500:
            continue
        found = percent(can_be, lambda report, one=one: report["indicators"][one] == "YES")
        assert found == pytest.approx(sign.percent, abs=chance(can_be)), one


def test_what_cannot_be_is_never_so(reports: list[dict[str, Any]]):
    for report in reports:
        said = report["indicators"]
        if not _with_minor(report):
            assert {said[one] for one in ("A5", "A9", "S4", "S6", "M2", "M4")}.isdisjoint({"YES"})
        if report["occasions"] != ["ELDER_OR_DERAILED_CARE"]:
            assert "YES" not in (said["S8"], said["M5"])


@pytest.mark.parametrize("kind", [SourceKind.POLICE, SourceKind.CITIZEN, SourceKind.MUNICIPALITY])
def test_a_form_leaves_open_what_it_does(reports: list[dict[str, Any]], kind: SourceKind):
    form = FIGURES.forms[kind]
    theirs = [one for one in reports if ReporterCapacity(one["reporter"]["capacity"]) in form.capacities]
    wide = chance(theirs)

    def any_acute_open(report: dict[str, Any]) -> bool:
        return any(report["indicators"][one] == "UNKNOWN" for one in Indicator if one.family == "A")

    assert percent(theirs, any_acute_open) == pytest.approx(form.open_acute, abs=wide)
    for answer, part in form.cooperation.items():
        assert percent(theirs, lambda one, a=answer: one["cooperation"] == a) == pytest.approx(part, abs=wide), answer
    for answer, part in form.disclosure.items():
        found = percent(theirs, lambda one, a=answer: one["reporter_disclosure"] == a)
        assert found == pytest.approx(part, abs=wide), answer


def test_the_police_reports_in_evenings_and_weekends_and_a_school_does_not(reports: list[dict[str, Any]]):
    def evening(report: dict[str, Any]) -> bool:
        return datetime.fromisoformat(report["received_at"]).hour >= 18

    def weekend(report: dict[str, Any]) -> bool:
        return datetime.fromisoformat(report["received_at"]).weekday() >= 5

    police = [one for one in reports if one["reporter"]["capacity"] == "POLICE"]
    schools = [one for one in reports if one["reporter"]["capacity"] == "SCHOOL"]
    hours = FIGURES.hours["any"]
    # March 2026 has five Sundays and Mondays, and four of most others.
    days = [5 if day in (6, 0, 1) else 4 for day in range(7)]
    weighed = [part * often for part, often in zip(hours.days, days, strict=True)]

    assert percent(police, evening) == pytest.approx(hours.from_hour[18], abs=chance(police))
    assert percent(police, weekend) == pytest.approx(100 * sum(weighed[5:]) / sum(weighed), abs=chance(police))
    assert percent(schools, weekend) < 10


def test_households_live_where_people_live(reports: list[dict[str, Any]]):
    where = Counter(report["municipality"] for report in reports)
    people = {code: population.inhabitants(code) or 0 for code in REGION.directory.municipalities}

    assert set(where) <= set(people)
    for code, number in people.items():
        part = 100 * number / sum(people.values())
        assert 100 * where[code] / len(reports) == pytest.approx(part, abs=POINTS), code


def test_a_month_begins_and_ends_in_the_netherlands():
    # March 2026 has an hour less: the clock goes forward on the 29th.
    assert (MARCH.end - MARCH.start).days == 31
    assert MARCH.start.isoformat() == "2026-03-01T00:00:00+01:00"
    assert MARCH.end.isoformat() == "2026-04-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("number: 127340", "number: 0", "reports_a_year.number", id="no reports"),
        pytest.param("  percent: {FIRST: 31.9", "  percent: {FIRST: 41.9", "involvement", id="more than all"),
        pytest.param("    capacities: [GP]", "    capacities: []", "capacities.1.among.GP", id="without a form"),
        pytest.param("    percent: 50\n", "    percent: 40\n", "occasions", id="less than all"),
        pytest.param("  A3: {source: assumption, why: As A1, ", "  A3: {", "indicators.A3.source", id="without source"),
    ],
)
def test_figures_that_cannot_be_are_refused_with_their_line(old: str, new: str, said: str):
    text = FILE.read_text(encoding="utf-8")
    assert old in text

    with pytest.raises(PolicyError, match=rf"line \d+, {said}"):
        figures_of(text.replace(old, new, 1))


def _with_minor(report: dict[str, Any]) -> bool:
    return any(person["is_minor"] == "YES" for person in report["participants"])
