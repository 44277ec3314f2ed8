"""To whom a case goes (domain model, section 5.3), from the report to the offer."""

from typing import Any

import pytest

from tests.cases import CITIZENS, GOUDA, LEIDEN, TEAM_GOUDA, a_child, a_report, an_address
from tests.world import World
from topics import journal as j


@pytest.mark.parametrize(
    ("changes", "colour", "destination", "rule", "receiver"),
    [
        pytest.param({}, "GREEN", "TEAM", "X11", TEAM_GOUDA, id="1: green to the team"),
        pytest.param({"yes": ("M1", "M2")}, "YELLOW", "TEAM_DV", "X10", TEAM_GOUDA, id="3: yellow to its specialist"),
        pytest.param(
            {"yes": ("S3",), "cooperation": "DENIES"}, "ORANGE", "VT_INVESTIGATION", "X7", "vt-hm-onderzoek",
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
            {"reporter_disclosure": "ANONYMITY_PROMISED"}, "GREEN", "VT_INVESTIGATION", "X7", "vt-hm-onderzoek",
            id="8: nothing may point to her",
        ),
        pytest.param({"hgkm_certain": "NO"}, "GREEN", "VT_INVESTIGATION", "X7", "vt-hm-onderzoek", id="no certainty"),
        pytest.param({"hgkm_certain": "UNKNOWN"}, "GREEN", "TEAM", "X11", TEAM_GOUDA, id="unknown starts no inquiry"),
        pytest.param(
            {"enough_information": "NO"}, "GREEN", "VT_INVESTIGATION", "X7", "vt-hm-onderzoek", id="too little known"
        ),
        pytest.param({"yes": ("S1",)}, "ORANGE", "VT_CONDITIONS", "X8", "vt-hm-voorwaarden", id="orange stays"),
        pytest.param({"municipality": ...}, "GREEN", "VT_ASSESSMENT", "X13", "vt-hm-beoordeling", id="nowhere"),
        pytest.param({"municipality": "1931"}, "GREEN", "VT_ASSESSMENT", "X13", "vt-hm-beoordeling", id="no team"),
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
    assert not world.book.codes
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
