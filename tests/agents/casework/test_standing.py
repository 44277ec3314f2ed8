"""What holds for a household for some time, and what a person of the centre says of it (3.9, U3, U6)."""

from typing import Any

import pytest

from tests.cases import a_child, a_man, a_report, a_woman
from tests.scenarios.story import local_iso
from tests.world import World
from topics import journal as j


def a_case(**changes: Any) -> World:
    world = World()
    world.publish(a_report(**changes))
    return world


def measure(state: str, **more: Any) -> dict[str, Any]:
    return {"standing": {"measure": "OTS", "state": state, **more}}


def closed(world: World) -> None:
    for state in ("STARTED", "COMPLETED"):
        world.answer(state)
    world.act("CLOSE")


def test_a_measure_raises_the_case_at_once_and_stays_for_whoever_reports_next():
    world = a_case()
    world.act("MEASURE", **measure("IN_FORCE"))

    assert (world.case.colour, world.case.destination) == ("ORANGE", "GI")
    assert "U6" in world.case.reasons


@pytest.mark.parametrize(("days", "colour"), [(365, "ORANGE"), (366, "GREEN")])
def test_a_measure_that_ended_counts_for_a_year(days: int, colour: str):
    world = a_case(participants=[a_child(known_measures=["OTS"]), a_woman()], received_at="2025-01-06T10:00:00+01:00")
    world.act("MEASURE", **measure("ENDED"))
    closed(world)

    world.pass_time(days=days)
    world.publish(a_report(received_at=local_iso(world)))

    assert world.case.colour == colour


def test_a_measure_whose_last_day_is_over_holds_no_more():
    world = a_case()
    world.act("MEASURE", **measure("IN_FORCE", until="2026-03-20"))
    closed(world)

    world.pass_until("2026-03-20 12:00")
    world.publish(a_report(received_at=local_iso(world)))
    assert world.case.destination == "GI"

    closed(world)
    world.pass_until("2026-03-21 12:00")
    world.publish(a_report(received_at=local_iso(world)))
    assert (world.case.colour, world.case.destination) == ("ORANGE", "VT_CONDITIONS")


def test_a_huisverbod_imposed_by_act_is_red():
    # Scenario 61, told by telephone
    world = a_case(yes=("M1",))
    world.act("RESTRAINING_ORDER", standing={"state": "IN_FORCE", "since": "2026-03-17T15:00:00+01:00"})

    assert (world.case.colour, world.offer.receiver) == ("RED", "vt-hm-crisis")


def test_a_huisverbod_of_long_ago_is_not_red():
    world = a_case()
    world.act("RESTRAINING_ORDER", standing={"state": "IN_FORCE", "since": "2026-03-07T15:00:00+01:00"})

    assert world.case.colour == "GREEN"


def test_what_was_broken_stays_broken_when_a_report_tells_less():
    world = a_case(restraining_order={"state": "BROKEN", "since": "2026-03-01"})
    closed(world)
    world.publish(a_report(restraining_order={"state": "IN_FORCE", "since": "2026-03-01"}))

    assert world.case.standing["RESTRAINING_ORDER"].state == "BROKEN"
    assert world.case.colour == "RED"


@pytest.mark.parametrize(("days", "colour"), [(90, "ORANGE"), (91, "GREEN")])
def test_a_report_within_ninety_days_after_monitoring_is_orange(days: int, colour: str):
    world = World(start="2024-01-10T10:00:00+01:00")
    world.publish(a_report())
    world.answer("STARTED")
    world.answer("COMPLETED")
    world.act("MONITOR_START")
    world.pass_time(days=500)
    world.act("MONITOR_CONTACT")
    world.act("CLOSE")

    world.pass_time(days=days)
    world.publish(a_report(received_at=local_iso(world)))

    assert world.case.colour == colour


def test_nobody_monitors_twice_or_what_is_not_monitored():
    world = a_case()
    world.act("MONITOR_CONTACT")
    world.expect(j.DeadLettered, reason="act_refused")

    world.act("MONITOR_START")
    world.act("MONITOR_START")
    world.expect(j.DeadLettered, reason="act_refused")


# Assessing ------------------------------------------------------------------------------------------------


def test_nobody_assesses_while_a_structural_question_is_open():
    world = a_case(unknown=("S3",))
    world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.expect(j.DeadLettered, reason="act_refused")

    world.act("ASSESS", rating="NONE", outcome="HANDOVER", indicators={"S3": "NO"})
    world.expect(j.ActDone)
    assert world.case.open_questions == []


def test_an_assessment_that_finds_more_raises_and_routes():
    world = a_case(unknown=("S3",))
    world.act("ASSESS", rating="STRUCTURAL", outcome="STEPS_AT_VT", indicators={"S3": "YES"})

    assert (world.case.colour, world.case.destination) == ("ORANGE", "VT_CONDITIONS")


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("ASSESS", {"rating": "NONE", "outcome": "STEPS_AT_VT"}),
        ("ASSESSMENT_PART", {"part": {"party": "wijkteam-gouda", "indicators": {"M1": "YES"}}}),
        ("RESTRAINING_ORDER", {"standing": {"state": "ENDED"}}),
    ],
)
def test_what_two_persons_lowered_is_not_raised_by_what_was_known_then(kind: str, more: dict[str, Any]):
    world = a_case(yes=("S1",))
    world.act("LOWER", colour="YELLOW", second="m.vt-08")
    world.act(kind, **more)

    assert world.case.colour == "YELLOW"


def test_what_the_centre_looked_at_first_is_handed_over_once_it_is_assessed():
    # Given a case that no report alone could bring to a team: that is a matter of the centre
    world = a_case(yes=("S1",))
    world.act("LOWER", colour="YELLOW", second="m.vt-08")
    world.answer("REFUSED", reason="UNREACHABLE")
    assert world.offer.receiver == "vt-hm-beoordeling"

    # When it is assessed, then it goes where its colour belongs
    world.act("ASSESS", rating="MULTI_PROBLEM", outcome="STEPS_AT_VT")
    assert world.offer.receiver == "vt-hm-beoordeling"
    world.act("ASSESS", rating="MULTI_PROBLEM", outcome="HANDOVER")
    assert (world.offer.receiver, world.offer.destination) == ("wijkteam-gouda", "TEAM_DV")


def test_no_steps_ends_what_is_green_or_yellow():
    world = a_case(yes=("M3",))
    team = world.offer
    world.act("ASSESS", rating="NONE", outcome="NO_STEPS")

    assert (world.case.closed, world.case.destination, world.case.rule) == (True, "NONE", "X12")
    assert team.state == "SUPERSEDED"


def test_no_steps_does_not_end_what_is_orange():
    world = a_case(yes=("S1",))
    world.act("ASSESS", rating="STRUCTURAL", outcome="NO_STEPS")

    world.expect(j.DeadLettered, reason="act_refused")
    assert not world.case.closed


def test_a_report_after_the_assessment_is_classed_so():
    world = a_case()
    world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.publish(a_report())

    assert world.case.involvement == "AFTER_ASSESSMENT"


def test_only_the_present_episode_is_judged_again():
    # A rood episode was closed; settling a later one does not bring its colour back.
    world = a_case(yes=("A2",))
    closed(world)
    world.pass_time(days=400)
    world.publish(a_report(received_at="2027-06-01T10:00:00+02:00", unknown=("A1",)))
    world.act("SETTLE", indicators={"A1": "NO"})

    assert world.case.colour == "GREEN"


# What is held ---------------------------------------------------------------------------------------------


def held(**changes: Any) -> World:
    return a_case(reporter_disclosure="DOUBLE_ANONYMOUS", **changes)


def test_a_jurist_takes_up_what_was_held():
    # T12
    world = held(yes=("S1",))
    assert world.offer.destination == "VT_HOLD"

    world.act("DECIDE_HOLD", hold="TAKE_UP")

    assert (world.case.colour, world.offer.receiver) == ("ORANGE", "vt-hm-voorwaarden")


def test_a_jurist_ends_what_was_held():
    world = held()
    world.act("DECIDE_HOLD", hold="END")

    assert (world.case.closed, world.case.colour) == (True, None)


def test_nobody_else_decides_about_what_was_held():
    world = held()
    world.act("DECIDE_HOLD", hold="END", role="beoordelaar")

    world.expect(j.DeadLettered, reason="act_refused")


# Who helps, who is passed over ----------------------------------------------------------------------------


def test_the_team_of_who_is_involved_is_passed_over_also_later():
    # Filter K holds for the case, not for one report
    world = a_case(participants=[a_woman(), a_man(employer="Sociaal Gouda")])
    assert world.offer.receiver == "wijkteam-alphen-aan-den-rijn"
    closed(world)
    world.publish(a_report())

    assert world.offer.receiver == "wijkteam-alphen-aan-den-rijn"


def test_a_relatives_employer_counts_too():
    world = a_case(participants=[a_woman(relatives_employers=["Stichting Sociaal Gouda"]), a_man()])

    assert world.offer.receiver == "wijkteam-alphen-aan-den-rijn"


def test_after_a_conflict_of_interest_another_team_follows_and_with_nobody_left_the_centre():
    # Gouda has one team; by agreement Alphen helps out.
    world = a_case()
    world.answer("REFUSED", reason="CONFLICT_OF_INTEREST")
    assert (world.offer.receiver, world.offer.destination) == ("wijkteam-alphen-aan-den-rijn", "TEAM")

    world.answer("REFUSED", reason="CONFLICT_OF_INTEREST")
    assert world.offer.receiver == "vt-hm-beoordeling"


def test_who_helps_already_follows_when_a_team_says_so():
    world = a_case()
    world.answer("REFUSED", reason="ALREADY_ELSEWHERE", helper="jeugdhulp-de-brug-voorbeeld")

    assert (world.offer.receiver, world.offer.destination) == ("jeugdhulp-de-brug-voorbeeld", "YOUTH_CARE")


# Of the last two the one hears of orders, the other of silent teams: neither helps a household.
@pytest.mark.parametrize(
    "helper",
    [..., "niemand-die-wij-kennen", "vt-hm-crisis", "huisverbod-hollands-midden", "gemeenten-hollands-midden"],
)
def test_without_a_helper_that_the_region_knows_it_comes_back(helper: Any):
    world = a_case()
    world.answer("REFUSED", reason="ALREADY_ELSEWHERE", helper=helper)

    assert world.offer.receiver == "vt-hm-beoordeling"


def test_a_family_that_moved_to_a_region_nobody_here_knows_comes_back_to_the_centre():
    world = a_case()
    world.answer("REFUSED", reason="NOT_OUR_AREA", municipality="0363")

    assert world.offer.receiver == "vt-hm-beoordeling"
