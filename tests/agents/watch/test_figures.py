"""A report is counted once, where its household lives and on the day it came in; what is erased is counted still."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from agents.sealing import CannotOpen, KeySet
from agents.watch.figures import COLOURS, ELSEWHERE, TOTAL, UNKNOWN, municipality_of, publish, taken_in
from tests.cases import GOUDA, LEIDEN, REGION, a_report
from tests.world import World, regions

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
EINDHOVEN = "0772"
DIRECTORY = regions()[REGION].directory


def counted(world: World, first: date = FIRST, last: date = LAST) -> Counter[tuple[str | None, str]]:
    """Municipality and colour of each report that counts."""
    return Counter(
        (municipality_of(report, world.keys.get(report.key_id.encode()), world.config.keys), report.colour)
        for report in taken_in(world.records, first, last)
    )


def some(municipality: str | None, **colours: int) -> Iterable[tuple[str | None, str]]:
    """So many reports of each colour."""
    return ((municipality, colour) for colour, number in colours.items() for _ in range(number))


def test_a_report_is_counted_where_its_household_lives_by_the_colour_it_gave():
    world = World()

    world.publish(a_report(household=1, municipality=LEIDEN))
    world.publish(a_report(household=2, municipality=LEIDEN))
    world.publish(a_report(household=3, municipality=GOUDA, yes=("A2",)))

    assert counted(world) == {(LEIDEN, "GREEN"): 2, (GOUDA, "RED"): 1}


def test_every_report_about_a_household_counts_by_the_colour_its_case_then_has():
    world = World()

    world.publish(a_report(yes=("A2",)))
    world.publish(a_report())

    assert counted(world) == {(GOUDA, "RED"): 2}


def test_a_report_that_is_repeated_or_corrected_is_one_report():
    world = World()
    report = a_report()

    world.publish(report)
    world.publish(report)
    world.publish(report | {"version": 2, "kind": "CORRECTION", "narrative": "Het was hiernaast."})

    assert counted(world) == {(GOUDA, "GREEN"): 1}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"test": True}, id="an exercise"),
        pytest.param({"kind": "ADVICE"}, id="advice"),
        pytest.param({"kind": "OTHER_CARE"}, id="no domestic violence"),
        pytest.param({"reporter_disclosure": "DOUBLE_ANONYMOUS"}, id="held"),
    ],
)
def test_what_is_no_report_in_a_case_does_not_count(changes: dict[str, Any]):
    world = World()

    world.publish(a_report(**changes))

    assert counted(world) == {}


def test_what_is_held_counts_once_it_is_taken_up_on_the_day_it_came_in():
    world = World(start="2026-03-31T12:00:00+02:00")
    world.publish(a_report(reporter_disclosure="DOUBLE_ANONYMOUS", received_at="2026-03-31T12:00:00+02:00"))
    world.pass_until("2026-04-02 09:00")

    world.act("DECIDE_HOLD", hold="TAKE_UP")

    assert counted(world) == {(GOUDA, "GREEN"): 1}
    assert counted(world, date(2026, 4, 1), date(2026, 4, 30)) == {}


def test_the_first_version_may_be_held_and_the_second_not():
    world = World()
    report = a_report(reporter_disclosure="DOUBLE_ANONYMOUS")
    world.publish(report)
    world.publish(report | {"version": 2, "reporter_disclosure": "OPEN"})

    assert counted(world) == {(GOUDA, "GREEN"): 1}


def test_a_colour_that_a_person_changes_later_changes_no_figures_of_the_past():
    world = World()
    world.publish(a_report())

    world.act("RAISE", colour="ORANGE")

    assert counted(world) == {(GOUDA, "GREEN"): 1}


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        ("2026-02-28T23:59:59+01:00", False),
        ("2026-03-01T00:00:00+01:00", True),
        ("2026-03-31T23:59:59+02:00", True),
        ("2026-04-01T00:00:00+02:00", False),
    ],
)
def test_days_are_those_of_the_netherlands(moment: str, counts: bool):
    world = World(start=moment)

    world.publish(a_report(received_at=moment))

    assert sum(counted(world).values()) == counts


def test_a_report_counts_on_the_day_it_reached_us_whenever_it_is_decided_and_whatever_its_sender_says():
    # Given a report that came in on the last of March, by its sender about something he knew in January
    came = World(start="2026-03-31T23:00:00+02:00")
    came.publish(a_report(received_at="2026-01-07T09:00:00+01:00"))

    # When it is decided after an outage, in April
    world = World(start="2026-04-01T06:00:00+02:00")
    world.bring(came.sent[-1])

    # Then it is one of March
    assert counted(world) == {(GOUDA, "GREEN"): 1}


def test_an_erased_report_counts_still_and_nobody_knows_where():
    # Given two reports, and that the household of one is erased
    world = World()
    world.publish(a_report(household=1, municipality=LEIDEN))
    erased = world.case
    world.publish(a_report(household=2, municipality=GOUDA))
    for state in ("ACCEPTED", "STARTED", "COMPLETED"):
        world.answer(state, erased.handovers[-1])
    world.act("CLOSE", world.book.cases[erased.id])
    world.act("ERASE", world.book.cases[erased.id], second="m.vt-08")

    assert counted(world) == {(None, "GREEN"): 1, (GOUDA, "GREEN"): 1}


def test_a_key_that_does_not_fit_is_no_erasure():
    world = World()
    world.publish(a_report())
    (report,) = taken_in(world.records, FIRST, LAST)
    others = replace(world.config.keys, wrap=KeySet("w1", {"w1": bytes(32)}))

    with pytest.raises(CannotOpen):
        municipality_of(report, world.keys[report.key_id.encode()], others)


def test_every_municipality_of_the_region_has_its_figures_and_what_is_elsewhere_or_unknown_is_together():
    reports = [
        *some(GOUDA, GREEN=40, YELLOW=21, ORANGE=12, RED=8),
        *some(EINDHOVEN, GREEN=5, YELLOW=5, ORANGE=5, RED=5),
        *some("0014", GREEN=2),
        *some(None, GREEN=6, YELLOW=6, ORANGE=6, RED=6),
    ]

    found = publish(DIRECTORY, LAST, reports)

    assert COLOURS == ("GREEN", "YELLOW", "ORANGE", "RED")
    assert set(found) == {*DIRECTORY.municipalities, ELSEWHERE, UNKNOWN, TOTAL}
    assert list(found)[:3] == ["0484", "1901", GOUDA]  # Alphen, Bodegraven, Gouda
    assert found[GOUDA] == (40, 20, 10, 10, 80)
    assert found[LEIDEN] == (0, 0, 0, 0, 0)
    assert found[ELSEWHERE] == (5, 5, 5, 5, 20)
    assert found[UNKNOWN] == (5, 5, 5, 5, 25)
    assert found[TOTAL] == (55, 30, 25, 20, 125)


def test_what_must_be_hidden_too_is_taken_from_the_smallest_municipality():
    many = [report for code in DIRECTORY.municipalities for report in some(code, GREEN=9, YELLOW=9, ORANGE=9, RED=9)]

    found = publish(DIRECTORY, LAST, [*many, *some(None, RED=3)])

    hidden = [place for place, figures in found.items() if None in figures]
    assert hidden == ["0638", UNKNOWN]  # Zoeterwoude has some 9,000 inhabitants


def test_a_municipality_that_became_part_of_another_is_counted_with_it():
    merged = DIRECTORY.model_copy(update={"municipalities": ("0501", "1992", GOUDA)})

    found = publish(merged, LAST, [*some("0501", GREEN=6), *some("1992", GREEN=7), *some("0614", GREEN=8)])

    assert found == {
        GOUDA: (0, 0, 0, 0, 0),
        "1992": (20, 0, 0, 0, 20),
        ELSEWHERE: (0, 0, 0, 0, 0),
        UNKNOWN: (0, 0, 0, 0, 0),
        TOTAL: (20, 0, 0, 0, 20),
    }
