"""The radar finds households again as well as is promised, and a radar that is broken is found out."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import count

import orjson
import pytest

from agents.casework.linking import Weighed, weighed
from agents.matching import Link, links_of
from agents.sealing import RegionKeys
from tests.radar.__main__ import main
from tests.radar.households import Home, Household, households
from tests.radar.measure import Figures, filed, measured
from tests.radar.written import NONE, Errors, Written, reports
from topics.reports import Report, is_bsn

SEED, HOUSEHOLDS = 2, 600
CLEAN, WITH_ERRORS = NONE, Errors()
RECALL = {CLEAN: 0.95, WITH_ERRORS: 0.85}
PRECISION = 0.99
NUMBERS = count()


@cache
def some() -> list[Household]:
    return households(random.Random(SEED), HOUSEHOLDS)


@cache
def written(errors: Errors) -> list[Written]:
    return reports(SEED, some(), errors)


def short_of(figures: Figures, errors: Errors) -> set[str]:
    """Which promises are not kept."""
    short = set()
    if figures.recall < RECALL[errors] or figures.sure_recall < 0.8:
        short.add("recall")
    if figures.precision < PRECISION or figures.household_precision < PRECISION - 0.005:
        short.add("precision")
    if figures.codes / figures.reports > 13:
        short.add("codes")
    return short


# The radar -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("errors", [CLEAN, WITH_ERRORS], ids=["clean", "with errors"])
def test_the_radar_keeps_what_is_promised(errors: Errors):
    figures = measured(written(errors))

    assert figures.true_pairs > 800
    assert not short_of(figures, errors), figures.plain()


def test_few_cases_hold_two_households():
    figures = measured(written(WITH_ERRORS))
    filed(figures, written(WITH_ERRORS))

    assert figures.mixed <= 0.01 * figures.cases
    assert figures.split <= 0.12 * figures.households


def _as_they_are(change: Callable[[Link], Link | None]) -> Callable[[Report, RegionKeys], tuple[Link, ...]]:
    def keys(report: Report, of: RegionKeys) -> tuple[Link, ...]:
        return tuple(changed for link in links_of(report, of) if (changed := change(link)) is not None)

    return keys


def _without_suffix(report: Report, of: RegionKeys) -> tuple[Link, ...]:
    bare = report.address and report.address.model_copy(update={"house_number_suffix": None})
    return links_of(report.model_copy(update={"address": bare}), of)


def _of_names_alone(report: Report, of: RegionKeys) -> tuple[Link, ...]:
    named = (
        of.match_codes(person.surname) for person in report.participants if person.surname is not None
    )  # fmt: skip
    return links_of(report, of) + tuple(
        Link("SAME_PERSON", "PROBABLE", code, person) for person, codes in enumerate(named) for code in codes
    )


def _as_numbers_alone(report: Report, of: RegionKeys) -> tuple[Link, ...]:
    return links_of(report.model_copy(update={"address": None}), of)


def _joins_by_the_address(links: list[Link]) -> Weighed:
    return replace(weighed(links), joins=True)


@pytest.mark.parametrize(
    ("keys", "judge", "short"),
    [
        pytest.param(_as_numbers_alone, weighed, "recall", id="addresses are forgotten"),
        pytest.param(
            _as_they_are(lambda link: link if link.person is None else None), weighed, "recall",
            id="persons are forgotten",
        ),
        pytest.param(
            _as_they_are(lambda link: replace(link, code=f"{link.code}{next(NUMBERS)}")), weighed, "recall",
            id="no code is another's",
        ),
        pytest.param(_of_names_alone, weighed, "precision", id="a surname alone is probable"),
        pytest.param(_without_suffix, weighed, "precision", id="the suffix of a house number does not count"),
        pytest.param(links_of, _joins_by_the_address, "precision", id="what is only possible joins"),
        pytest.param(
            _as_they_are(lambda link: replace(link, kind="SAME_PERSON") if link.kind == "SAME_PERPETRATOR" else link),
            weighed, "precision", id="an alleged perpetrator joins like anybody",
        ),
        pytest.param(lambda report, of: links_of(report, of) + tuple(
            replace(link, code=f"{link.code}{more}") for link in links_of(report, of) for more in "ab"
        ), weighed, "codes", id="three times as many codes"),
    ],
)  # fmt: skip
def test_a_broken_radar_is_found_out(
    keys: Callable[[Report, RegionKeys], tuple[Link, ...]], judge: Callable[[list[Link]], Weighed], short: str
):
    assert short in short_of(measured(written(WITH_ERRORS), keys, judge), WITH_ERRORS)


def test_the_command_prints_both_variants(capsysbinary: pytest.CaptureFixture[bytes]):
    assert main(["--households", "30", "--seed", "3", "-o", "json"]) == 0

    found = orjson.loads(capsysbinary.readouterr().out)
    assert set(found) == {"clean", "with errors"}
    assert found["clean"]["true_pairs"] == found["with errors"]["true_pairs"] > 0


# What it is measured on ----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_reports():
    again = reports(SEED, households(random.Random(SEED), HOUSEHOLDS), WITH_ERRORS)

    assert again == written(WITH_ERRORS)
    assert again != reports(SEED + 1, some(), WITH_ERRORS)


def test_numbers_of_persons_are_of_nobody_and_of_one():
    numbers = [member.person.bsn for one in some() for member in one.members if member.person.bsn is not None]
    persons = {member.person.id for one in some() for member in one.members if member.person.bsn is not None}

    assert all(is_bsn(number) and number.startswith("9999") for number in numbers)
    assert len(set(numbers)) == len(persons)


def test_everything_that_makes_it_hard_is_among_them():
    members = [member for one in some() for member in one.members]
    names = [member.person.surname for member in members]
    homes = [home for one in some() for _, home in one.homes]
    lived: dict[Home, set[int]] = {}
    for one in some():
        for _, home in one.homes:
            if not home.institutional:
                lived.setdefault(home, set()).add(one.number)
    born = [[(m.person.born, m.person.surname) for m in one.members if m.part == "CHILD"] for one in some()]
    where: dict[int, set[int]] = {}
    for one in some():
        for member in one.members:
            where.setdefault(member.person.id, set()).add(one.number)

    assert max(names.count(name) for name in set(names)) > 20, "a common surname"
    assert any(len(children) != len(set(children)) for children in born), "twins"
    assert any(len(numbers) > 1 for numbers in where.values()), "a parent with a new family"
    assert any(home.institutional for home in homes), "a shelter"
    assert any(len(numbers) > 1 for numbers in lived.values()), "a house that was let again"
    assert any(home.suffix == "B" for home in homes), "doors that differ by their suffix"
    assert any(one.due is not None for one in some()), "an unborn child"
    assert any(member.person.married for member in members), "a double name"
    assert any(member.person.bsn is None for member in members), "somebody without papers"


def test_with_errors_only_what_is_written_of_people_and_places_differs():
    clean, wrong = written(CLEAN), written(WITH_ERRORS)

    assert [one.household for one in clean] == [one.household for one in wrong]
    for one, other in zip(clean, wrong, strict=True):
        assert {name for name in one.report if one.report[name] != other.report[name]} <= {"participants", "address"}
    assert sum(one.report != other.report for one, other in zip(clean, wrong, strict=True)) > len(clean) / 4
