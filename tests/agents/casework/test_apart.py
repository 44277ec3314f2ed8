"""Reports of one case that a person takes apart, or finds to tell of one incident (domain model, 3.8)."""

from typing import Any

import pytest

from agents.casework.case import Case
from agents.policy.model import moment
from tests.cases import a_report, a_woman, an_address
from tests.world import World
from topics import journal as j

HOME = an_address()


def twins(**changes: Any) -> tuple[World, dict[str, Any], dict[str, Any]]:
    """Two sisters with one birth date, one of whom lives elsewhere since: their reports became one case."""
    one = a_report(participants=[a_woman(bsn=...)], address=HOME)
    other = a_report(participants=[a_woman(bsn=..., phone="06-55501234")], address=HOME, **changes)
    world = World()
    world.publish(one)
    world.pass_time(hours=20)
    world.publish(other)
    assert len(world.book.cases) == 1
    return world, one, other


def of(world: World, report: dict[str, Any]) -> Case:
    """The case of a report."""
    known = world.book.thread(f"{report['source_id']}/{report['report_id']}")
    assert known is not None
    return world.book.cases[known[1] or ""]


def test_a_report_that_is_of_another_household_becomes_a_case_of_its_own():
    world, one, other = twins(yes=("M1",))
    case = world.case
    world.act("UNLINK", case, reports=[other["report_id"]])

    apart = of(world, other)
    assert (apart.id != case.id, len(case.entries), len(apart.entries)) == (True, 1, 1)
    # By itself it is geel; with the other one it had been raised, and that stays until a person lowers it.
    assert (apart.colour, apart.rule, "U1" in apart.reasons) == ("YELLOW", "X10", False)
    assert (case.colour, "U1" in case.reasons) == ("ORANGE", True)
    assert apart.current().receiver == "wijkteam-gouda"  # type: ignore[union-attr]
    assert of(world, one) is case


def test_what_was_taken_out_does_not_count_any_more():
    world, _, other = twins()
    case = world.case
    world.act("UNLINK", case, reports=[other["report_id"]])
    world.act("LOWER", case, colour="GREEN")
    world.act("REEVALUATE", case)

    assert case.colour == "GREEN"


def test_terms_of_what_was_taken_out_run_since_it_came():
    world, _, other = twins()
    due = world.case.terms["T05"]
    world.act("UNLINK", reports=[other["report_id"]])

    assert of(world, other).terms["T05"] >= due
    assert of(world, other).terms["T05"] - of(world, other).entries[0].received < 9 * 24 * 3_600_000


def test_a_correction_of_what_was_taken_out_comes_to_its_own_case():
    world, _, other = twins()
    world.act("UNLINK", reports=[other["report_id"]])
    world.publish(other | {"version": 2, "kind": "CORRECTION", "indicators": other["indicators"] | {"A2": "YES"}})

    assert (of(world, other).colour, world.book.cases.nth(0).colour) == ("RED", "YELLOW")


def test_each_is_known_again_by_what_is_of_it_alone():
    world = World()
    named = a_report(participants=[a_woman(0, bsn=...)], address=HOME)
    known = a_report(participants=[a_woman(0, bsn=...), a_woman(1)], address=HOME)
    world.publish(named)
    world.publish(known)
    assert len(world.book.cases) == 1
    world.act("UNLINK", reports=[known["report_id"]])
    # The second woman stood in the report that was taken out alone.
    world.publish(a_report(participants=[a_woman(1)], address=an_address(5)))

    assert len(of(world, known).entries) == 2


@pytest.mark.parametrize("named", ["all", "none of it", "twice"])
def test_nothing_is_taken_out_that_is_not_there_and_never_everything(named: str):
    world, one, other = twins()
    reports = {
        "all": [one["report_id"], other["report_id"]],
        "none of it": ["00000000-0000-4000-8000-000000000000"],
        "twice": [other["report_id"], other["report_id"]],
    }[named]
    world.act("UNLINK", reports=reports)

    if named == "twice":
        assert len(world.book.cases) == 2
    else:
        world.expect(j.DeadLettered, reason="act_refused")
        assert len(world.book.cases) == 1


def test_two_households_are_destroyed_apart():
    world, one, other = twins()
    case = world.case
    world.act("UNLINK", case, reports=[other["report_id"]])
    apart = of(world, other)
    world.answer("STARTED", apart.current())
    world.act("CLOSE", apart)
    world.act("ERASE", apart, second="m.vt-08")
    assert (apart.erased, case.erased, apart.codes) == (True, False, [])

    # What was reported of the other one is still known, and can still be read.
    world.publish(a_report(participants=[a_woman(bsn=...)], address=HOME))
    assert of(world, one) is case
    assert len(case.entries) == 2
    world.act("REEVALUATE", case)
    world.expect(j.ActDone)


def test_it_is_folded_and_saved_the_same():
    world, _, other = twins()
    world.snapshot()
    world.act("UNLINK", reports=[other["report_id"]])
    world.publish(other | {"version": 2, "kind": "ADDITION"})

    assert world.refolded().encode() == world.book.encode()
    assert world.decided_again() == world.journal
    world.snapshot()
    assert world.taken_over().book.encode() == world.book.encode()


def evening(hours: float, **changes: Any) -> World:
    """Two reports of one household within some hours."""
    world = World()
    world.publish(a_report())
    world.pass_time(hours=hours)
    changes["received_at"] = moment(world.now).isoformat()
    world.publish(a_report(source_id="scholen-hollands-midden", reporter={"capacity": "SCHOOL"}, **changes))
    return world


@pytest.mark.parametrize(("hours", "proposed"), [(12, True), (12.01, False)])
def test_two_reports_of_one_evening_are_proposed_as_one_incident_and_count_as_two(hours: float, proposed: bool):
    world = evening(hours)
    links = [(kind, certainty) for _, kind, certainty in world.case.links]

    assert (("SAME_INCIDENT", "POSSIBLE") in links) is proposed
    assert (world.case.colour, "U1" in world.case.reasons) == ("YELLOW", True)


def test_what_has_two_incident_numbers_is_two():
    world = World()
    world.publish(a_report(incident_number="2026-1"))
    world.publish(a_report(incident_number="2026-2"))

    assert "SAME_INCIDENT" not in {kind for _, kind, _ in world.case.links}


def test_one_incident_that_a_person_confirms_counts_once():
    world = evening(1)
    case = world.case
    world.act("CONFIRM_LINK", reports=[entry.thread.rpartition("/")[2] for entry in case.entries])
    world.expect(j.SameIncident)
    assert case.colour == "YELLOW"
    world.act("LOWER", colour="GREEN")
    world.act("REEVALUATE")
    assert case.colour == "GREEN"
    # A third report is the second one that counts.
    world.publish(a_report())
    assert ("U1" in case.reasons, "U2" in case.reasons) == (True, False)


def test_one_report_alone_is_no_two():
    world = evening(1)
    world.act("CONFIRM_LINK", reports=[world.case.entries[0].thread.rpartition("/")[2]])

    world.expect(j.DeadLettered, reason="act_refused")


def test_whoever_gets_what_was_taken_out_gets_its_report_and_an_owner():
    world, _, other = twins()
    world.act("UNLINK", reports=[other["report_id"]])

    offer = next(message for topic, message in world.last if "queue" in topic and "accept_before" in message)
    assert (offer["owner"], offer["executor"]) == ("vt-hollands-midden", "vt-hollands-midden")
    (report,) = world.opened(offer, offer["receiver"])["reports"]
    assert report["participants"][0]["phone"] == "06-55501234"


def test_what_was_taken_out_keeps_its_own_clock_and_what_it_told():
    world = World()
    world.publish(a_report(participants=[a_woman(bsn=...)], address=HOME))
    other = a_report(
        participants=[a_woman(bsn=..., phone="06-55501234")], address=HOME, unknown=("A2",),
        contact_ban={"state": "IN_FORCE"},
    )  # fmt: skip
    world.publish(other)
    due = world.case.terms["T11"]
    world.pass_time(hours=2)
    world.act("UNLINK", reports=[other["report_id"]])

    assert of(world, other).terms["T11"] == due
    assert of(world, other).standing["CONTACT_BAN"].state == "IN_FORCE"
