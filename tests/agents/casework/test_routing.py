"""To whom a case goes (domain model, section 5.3), from the report to the offer."""

from datetime import date
from typing import Any

import orjson
import pytest

from agents.casework.rules import rules_from
from agents.casework.situation import Household, situation
from agents.facts import facts_of
from tests.cases import CITIZENS, GOUDA, LEIDEN, REGION, TEAM_GOUDA, a_child, a_report, an_address
from tests.world import World, regions
from topics import journal as j
from topics.reading import read_report


@pytest.mark.parametrize(
    ("changes", "colour", "destination", "rule", "receiver"),
    [
        pytest.param({}, "GREEN", "TEAM", "X11", TEAM_GOUDA, id="1: green to the team"),
        pytest.param({"yes": ("M1", "M2")}, "YELLOW", "TEAM_DV", "X10", TEAM_GOUDA, id="3: yellow to its specialist"),
        pytest.param(
            {"yes": ("S3",), "cooperation": "DENIES"}, "ORANGE", "VT_INVESTIGATION", "X7b", "vt-hm-onderzoek",
            id="4: the parents deny",
        ),
        pytest.param({"yes": ("A2",)}, "RED", "VT_CRISIS", "X3", "vt-hm-crisis", id="6: red to the crisis service"),
        pytest.param(
            {"yes": ("A2",), "cooperation": "DENIES"}, "RED", "VT_CRISIS", "X3", "vt-hm-crisis", id="red comes first"
        ),
        pytest.param(
            {"unknown": ("A1",), "participants": [a_child()]}, "ORANGE", "VT_ASSESSMENT", "X3a", "vt-hm-beoordeling",
            id="7: provisional stays until it is settled",
        ),
        pytest.param(
            {"reporter_disclosure": "ANONYMITY_PROMISED"}, "GREEN", "VT_INVESTIGATION", "X7d", "vt-hm-onderzoek",
            id="8: nothing may point to her",
        ),
        pytest.param({"hgkm_certain": "NO"}, "GREEN", "VT_INVESTIGATION", "X7", "vt-hm-onderzoek", id="no certainty"),
        pytest.param({"hgkm_certain": "UNKNOWN"}, "GREEN", "TEAM", "X11", TEAM_GOUDA, id="unknown starts no inquiry"),
        pytest.param(
            {"enough_information": "NO"}, "GREEN", "VT_INVESTIGATION", "X7c", "vt-hm-onderzoek", id="too little known"
        ),
        pytest.param({"yes": ("S1",)}, "ORANGE", "VT_CONDITIONS", "X8", "vt-hm-voorwaarden", id="orange stays"),
        pytest.param({"municipality": ...}, "GREEN", "VT_ASSESSMENT", "X13", "vt-hm-beoordeling", id="nowhere"),
        pytest.param({"municipality": "0363"}, "GREEN", "VT_ASSESSMENT", "X13", "vt-hm-beoordeling", id="no team"),
        pytest.param(
            {"municipality": LEIDEN, "address": an_address(postcode="2312 AB")}, "GREEN", "TEAM", "X11",
            "wijkteam-leiden-noord", id="the postcode chooses among teams",
        ),
        pytest.param(
            {"municipality": LEIDEN, "address": an_address(postcode="2325 AB")}, "GREEN", "TEAM", "X11",
            "wijkteam-leiden-zuid", id="and the other",
        ),
        pytest.param(
            {"municipality": LEIDEN, "address": ...}, "GREEN", "VT_ASSESSMENT", "X13", "vt-hm-beoordeling",
            id="two teams and no postcode",
        ),
    ],
)  # fmt: skip
def test_where_a_first_report_goes(changes: dict[str, Any], colour: str, destination: str, rule: str, receiver: str):
    world = World()

    world.publish(a_report(**changes))

    case, offer = world.case, world.offer
    assert (case.colour, case.destination, case.rule) == (colour, destination, rule)
    assert (offer.receiver, offer.destination, offer.state) == (receiver, destination, "OFFERED")
    assert case.owner == case.executor == "vt-hollands-midden"


def test_a_team_that_does_not_work_yet_is_offered_nothing():
    # Given a report of before the team's first day
    world = World(start="2023-12-30T10:00:00+01:00")

    world.publish(a_report(received_at="2023-12-30T10:00:00+01:00"))

    assert world.offer.receiver == "vt-hm-beoordeling"


TEAM_ALPHEN = "wijkteam-alphen-aan-den-rijn"
MERGED = "2023-01-02T10:00:00+01:00"
"""Brielle (0501) and Hellevoetsluis (0530) became part of Voorne aan Zee (1992) the day before."""


def a_world(directory: dict[str, str], start: str = MERGED) -> World:
    """A region whose directory says otherwise, and whose teams worked by then."""
    text = regions()[REGION].directory_text.replace("valid_from: 2024-01-01", "valid_from: 2020-01-01")
    for old, new in directory.items():
        assert old in text
        text = text.replace(old, new)
    return World(start=start, directory=text)


OLD = {'["0513", "0627", "1892", "1901"]': '["0501"]', '["0484", "0569", "1884"]': '["0530"]', '- "1931"': '- "0501"'}
NEW = {'["0513", "0627", "1892", "1901"]': '["1992"]', '- "1931"': '- "1992"'}


@pytest.mark.parametrize(
    ("directory", "code", "start", "receiver"),
    [
        pytest.param(NEW, "0501", MERGED, TEAM_GOUDA, id="the report names what it was"),
        pytest.param(OLD, "1992", MERGED, TEAM_ALPHEN, id="the file names what it was: its first team"),
        pytest.param(OLD, "0501", MERGED, TEAM_GOUDA, id="both do: the same team as before"),
        pytest.param(OLD, "0614", MERGED, TEAM_ALPHEN, id="nobody served it before, and it is one place now"),
        pytest.param(OLD, "0614", "2022-12-31T22:59:00+01:00", "vt-hm-beoordeling", id="and not the day before"),
    ],
)
def test_a_household_in_a_merged_municipality_finds_its_team(
    directory: dict[str, str], code: str, start: str, receiver: str
):
    world = a_world(directory, start)

    world.publish(a_report(municipality=code, received_at=start))

    assert world.offer.receiver == receiver


def test_who_moved_to_a_merged_municipality_is_offered_to_its_team():
    # Scenario 36, with the old code of where the family went
    world = a_world(NEW | {'"0484", ': ""})
    world.publish(a_report(municipality="0569", received_at=MERGED))
    assert world.offer.receiver == TEAM_ALPHEN

    world.answer("REFUSED", reason="NOT_OUR_AREA", municipality="0501")

    assert world.offer.receiver == TEAM_GOUDA


@pytest.mark.parametrize(
    ("named", "code", "on", "home"),
    [
        ("1992", "0501", date(2023, 1, 1), "HERE"),
        ("0501", "1992", date(2023, 1, 1), "HERE"),
        ("0501", "0530", date(2023, 1, 1), "HERE"),
        ("0501", "0530", date(2022, 12, 31), "ELSEWHERE"),
        ("1992", "0363", date(2023, 1, 1), "ELSEWHERE"),
    ],
)
def test_a_merged_municipality_is_at_home_by_either_code(named: str, code: str, on: date, home: str):
    text = regions()[REGION].directory_text.replace('- "1931"', f'- "{named}"')
    rules = rules_from(regions()[REGION].policy_text, text)
    facts = facts_of(read_report(orjson.dumps(a_report(municipality=code))), rules.directory)

    assert situation(rules, facts, on, Household())["home"] == home


def test_red_tells_the_duty_desk_at_once():
    world = World()

    world.publish(a_report(yes=("A2",)))

    assert world.told() == {("RED", "vt-hm-bureaudienst"), ("PREPARED", "vt-hm-bureaudienst")}


def test_double_anonymous_is_held_without_a_colour():
    # Scenario 9
    world = World()
    world.publish(
        a_report(source_id=CITIZENS, reporter={"capacity": "UNKNOWN"}, reporter_disclosure="DOUBLE_ANONYMOUS"), CITIZENS
    )

    assert (world.case.colour, world.offer.destination) == (None, "VT_HOLD")
    assert world.told() == set()


def test_other_care_goes_to_local_help_without_a_colour():
    # Scenario 62
    world = World()
    world.publish(a_report(kind="OTHER_CARE"))

    assert (world.case.colour, world.offer.destination, world.offer.receiver) == (None, "LOCAL_GENERAL", TEAM_GOUDA)


@pytest.mark.parametrize("changes", [{"kind": "OTHER_CARE"}, {"reporter_disclosure": "DOUBLE_ANONYMOUS"}])
@pytest.mark.parametrize("sign", ["A3", "S1"])
def test_a_sign_of_danger_in_what_has_no_colour_reaches_a_person_first(changes: dict[str, Any], sign: str):
    # G9
    world = World()
    world.publish(a_report(yes=(sign,), **changes))

    assert world.told() == {("ACUTE_WITHOUT_CASE", "vt-hm-bureaudienst")}
    assert world.offer.receiver.startswith("vt-hm-")


def test_advice_leaves_nothing_of_a_family():
    # Scenario 63
    world = World()
    record = world.publish(a_report(kind="ADVICE"))

    assert not world.book.cases
    assert not world.book.index
    assert record.input.sealed == {}
    assert len(world.keys) == 0
    world.expect(j.NotDecided, why="advice")


def test_danger_in_advice_still_reaches_a_person():
    world = World()
    world.publish(a_report(kind="ADVICE", yes=("A3",)))

    assert world.told() == {("ACUTE_WITHOUT_CASE", "vt-hm-bureaudienst")}


def test_a_raise_before_acceptance_takes_the_offer_back_and_brings_the_case_where_it_belongs():
    # Scenario 13: version 2 says that there was a weapon
    world = World()
    first = a_report(yes=("M1",), municipality=GOUDA)
    world.publish(first)
    team = world.offer

    world.publish(first | {"version": 2, "indicators": first["indicators"] | {"A3": "YES"}})

    assert team.state == "SUPERSEDED"
    assert (world.case.colour, world.offer.destination) == ("RED", "VT_CRISIS")
    assert [topic for topic, message in world.last if message.get("state") == "SUPERSEDED"] == [
        "meldstroom.queue.wijkteam-gouda.v1"
    ]


def test_who_has_started_is_told_and_not_passed_by():
    # Scenario 16: third report, the team has started
    world = World()
    for day in ("2025-11-03T10:00:00+01:00", "2026-02-02T10:00:00+01:00"):
        world.pass_until(day)
        world.publish(a_report(received_at=day))
        world.answer("STARTED")
    world.pass_until("2026-03-18T10:00:00+01:00")
    team = world.offer

    world.publish(a_report())

    assert (world.case.colour, world.case.reasons) == ("ORANGE", ["R4", "U2"])
    assert (world.offer.receiver, world.offer.destination) == ("vt-hm-voorwaarden", "VT_CONDITIONS")
    assert team.state == "STARTED"
    assert ("RAISED", TEAM_GOUDA) in world.told()
    assert world.case.owner == TEAM_GOUDA


def test_a_second_report_at_the_same_colour_is_told_to_whom_has_the_case():
    world = World()
    world.publish(a_report(yes=("S1",)))
    before = world.offer

    world.publish(a_report(yes=("S1",)))

    assert world.offer is before
    assert world.told() == {("NEW_REPORT", "vt-hm-voorwaarden")}


def test_a_report_on_a_closed_case_is_offered_anew():
    # Given a green case that a team finished without saying so, and the centre closed
    world = World(start="2025-03-01T10:00:00+01:00")
    world.publish(a_report(received_at="2025-03-01T10:00:00+01:00"))
    world.answer("STARTED")
    world.act("CLOSE")

    # When a year later there is another green report on the household
    world.pass_until("2026-03-18T10:00:00+01:00")
    world.publish(a_report())

    # Then it is somebody's again, with a term that runs (15: no step, for it is more than a year)
    assert world.case.colour == "GREEN"
    assert world.offer.state == "OFFERED"
    assert world.offer.offered == world.now
    assert world.book.due() is not None


def test_a_report_on_a_closed_case_is_not_coloured_by_the_former_episode():
    world = World()
    world.publish(a_report(yes=("A2",)))
    world.answer("STARTED")
    world.answer("COMPLETED")
    world.act("CLOSE")

    world.publish(a_report())

    # One step for the repetition, and no more
    assert (world.case.colour, world.case.closed) == ("YELLOW", False)
