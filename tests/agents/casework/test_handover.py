"""What an answer does to an offer (domain model, section 3.7)."""

from typing import Any

import pytest

from agents.casework.handover import hops
from tests.cases import TEAM_GOUDA, a_report
from tests.world import World, local
from topics import journal as j

CENTRE = "vt-hollands-midden"


def offered(**changes: Any) -> World:
    """A case that a team was offered."""
    world = World()
    world.publish(a_report(**changes))
    return world


def test_seeing_is_not_accepting():
    world = offered()
    due = world.offer.due()

    for state in ("RECEIVED", "ACKNOWLEDGED"):
        world.answer(state)
        assert world.offer.state == state
        assert world.offer.due() == due
        assert world.case.executor == CENTRE


def test_the_executor_changes_with_acceptance_and_the_owner_with_the_start():
    world = offered()

    world.answer("ACCEPTED")
    assert (world.case.owner, world.case.executor) == (CENTRE, TEAM_GOUDA)
    assert world.offer.due() is None

    world.answer("STARTED")
    assert (world.case.owner, world.case.executor) == (TEAM_GOUDA, TEAM_GOUDA)


def test_a_team_that_starts_at_once_has_accepted():
    world = offered()

    world.answer("STARTED")

    assert (world.case.owner, world.case.executor) == (TEAM_GOUDA, TEAM_GOUDA)
    assert world.offer.due() is None


def test_a_desk_of_the_centre_that_starts_leaves_the_case_with_the_centre():
    world = offered(yes=("S1",))

    world.answer("STARTED")

    assert (world.case.owner, world.case.executor) == (CENTRE, "vt-hm-voorwaarden")


def test_what_is_completed_is_over():
    world = offered()
    world.answer("STARTED")
    world.answer("COMPLETED")

    assert world.case.current() is None
    assert world.case.owner == TEAM_GOUDA


def test_completed_before_the_start_is_no_answer():
    world = offered()
    world.answer("COMPLETED")

    refused = world.expect(j.MoveRefused)
    assert (refused.wanted, refused.state, refused.now_with) == ("COMPLETED", "OFFERED", TEAM_GOUDA)
    assert world.offer.state == "OFFERED"


def test_a_step_back_changes_nothing():
    world = offered()
    world.answer("ACCEPTED")
    world.answer("ACKNOWLEDGED")

    world.expect(j.NotDecided, why="no_change")
    assert world.offer.state == "ACCEPTED"


@pytest.mark.parametrize(
    ("reason", "receiver", "colour"),
    [
        pytest.param("TOO_SEVERE", "vt-hm-beoordeling", "YELLOW", id="35: too severe is at least yellow"),
        pytest.param("NOT_OUR_AREA", "vt-hm-beoordeling", "GREEN", id="36: the centre finds the right team"),
        pytest.param("UNREACHABLE", "vt-hm-beoordeling", "GREEN", id="nobody answers the door"),
        pytest.param("FAMILY_REFUSES", "vt-hm-onderzoek", "GREEN", id="the family refuses: an investigation"),
    ],
)
def test_a_refusal_always_has_a_successor(reason: str, receiver: str, colour: str):
    world = offered()
    team = world.offer

    world.answer("REFUSED", reason=reason)

    assert team.state == "REFUSED"
    assert (world.offer.receiver, world.offer.state) == (receiver, "OFFERED")
    assert world.case.colour == colour
    assert world.book.due() is not None


def test_too_severe_says_so_and_lowers_nothing():
    world = offered(yes=("M1",))
    world.answer("REFUSED", reason="TOO_SEVERE")

    assert world.case.colour == "YELLOW"


def test_no_capacity_releases_nobody_and_stops_no_clock():
    world = offered()
    offer, due = world.offer, world.book.due()

    world.answer("REFUSED", reason="CAPACITY")

    assert world.offer is offer
    assert (offer.state, world.book.due()) == ("OFFERED", due)
    assert world.told() == {
        ("CAPACITY", "vt-hm-coordinatie"), ("CAPACITY", "gemeente-gouda"), ("CAPACITY", "gemeenten-hollands-midden"),
    }  # fmt: skip


def test_a_second_refusal_tells_the_duty_officer():
    world = offered()
    world.answer("REFUSED", reason="UNREACHABLE")
    assert world.told() == set()

    world.answer("REFUSED", reason="INSUFFICIENT_INFO")

    assert world.told() == {("REFUSED", "vt-hm-bureaudienst")}
    # And never back to the desk that refused
    assert world.offer.receiver == "vt-hm-bureaudienst"


@pytest.mark.parametrize("colour", ["RED", "ORANGE", "GREEN"])
@pytest.mark.parametrize("reason", ["UNREACHABLE", "FAMILY_REFUSES", "TOO_SEVERE", "CONFLICT_OF_INTEREST"])
def test_no_desk_is_offered_what_it_has_just_refused(colour: str, reason: str):
    world = offered(yes={"RED": ("A2",), "ORANGE": ("S1",), "GREEN": ()}[colour])
    for _ in range(6):
        refusing = world.offer.receiver
        world.answer("REFUSED", reason=reason)
        assert world.offer.receiver != refusing


def test_a_family_that_sends_the_team_away_is_investigated():
    # Scenario 46
    world = offered()
    world.answer("ACCEPTED")
    world.answer("RETURNED", reason="FAMILY_REFUSES")

    assert (world.case.colour, "U8" in world.case.reasons) == ("YELLOW", True)
    assert (world.offer.destination, world.case.executor) == ("VT_INVESTIGATION", CENTRE)


def test_what_a_team_returns_after_its_start_stays_its_own_until_somebody_starts():
    world = offered()
    world.answer("STARTED")
    world.answer("RETURNED", reason="TOO_SEVERE")
    assert (world.case.owner, world.case.executor) == (TEAM_GOUDA, CENTRE)

    world.answer("STARTED")
    assert (world.case.owner, world.case.executor) == (CENTRE, "vt-hm-beoordeling")


@pytest.mark.parametrize(("before", "wanted"), [((), "RETURNED"), (("ACCEPTED",), "REFUSED")])
def test_refusing_is_before_acceptance_and_returning_after_it(before: tuple[str, ...], wanted: str):
    world = offered()
    for state in before:
        world.answer(state)
    world.answer(wanted, reason="UNREACHABLE")

    world.expect(j.MoveRefused, wanted=wanted)
    assert world.told() == set()
    assert [message["kind"] for topic, message in world.last if "notices" in topic] == ["TOO_LATE"]


def test_an_acceptance_after_the_recall_is_told_where_the_case_is_now():
    # Scenario 68
    world = offered(yes=("M1",))
    team = world.offer
    world.pass_until("2026-03-24T23:59:59+01:00")
    assert team.state == "RECALLED"

    world.answer("ACCEPTED", team)

    late = world.expect(j.MoveRefused)
    assert (late.state, late.now_with) == ("RECALLED", "vt-hm-beoordeling")
    assert (team.state, world.case.owner, world.case.executor) == ("RECALLED", CENTRE, CENTRE)
    assert world.last[0][0] == "meldstroom.notices.wijkteam-gouda.v1"


def test_nobody_answers_for_another():
    world = offered()
    world.answer("ACCEPTED", by="wijkteam-alphen-aan-den-rijn")

    world.expect(j.DeadLettered, reason="not_the_receiver")
    assert world.offer.state == "OFFERED"


def test_an_answer_to_nothing_is_put_aside():
    world = offered()
    world.answer("ACCEPTED", case_id="00000000-0000-4000-8000-000000000000")

    world.expect(j.DeadLettered, reason="unknown_case")


def test_one_answer_twice_is_one():
    world = offered()
    world.answer("ACCEPTED", answer_id="11111111-1111-4111-8111-111111111111")
    world.answer("ACCEPTED", answer_id="11111111-1111-4111-8111-111111111111")
    world.expect(j.Repeated)

    world.deliver(j.DESK, 0)
    world.expect(j.Repeated)


def test_the_same_receiver_gains_no_time_by_a_second_offer():
    # Given a green offer to the team with its term of five working days
    world = offered()
    first = world.offer

    # When three working days later it turns yellow, to the same team
    world.pass_until("2026-03-23T11:00:00+01:00")
    world.publish(a_report(received_at="2026-03-23T11:00:00+01:00"))

    # Then the earlier date holds
    assert world.offer is not first
    assert (world.offer.receiver, world.case.colour) == (TEAM_GOUDA, "YELLOW")
    assert world.offer.accept_before == first.accept_before
    assert all(step.due >= world.now for step in world.offer.ladder)


def test_a_team_that_returns_what_the_centre_has_taken_over_adds_no_second_offer():
    # Given a team that has started, and a third report that brings the case to the centre's conditions desk
    world = offered()
    world.answer("STARTED")
    team = world.offer
    world.publish(a_report())
    world.publish(a_report())
    desk = world.offer
    assert desk.receiver == "vt-hm-voorwaarden"

    # When the team gives it back
    world.answer("RETURNED", team, reason="UNREACHABLE")

    # Then the desk's offer is its successor, and the desk knows
    assert team.state == "RETURNED"
    assert world.offer is desk
    assert [offer.state for offer in world.case.handovers if offer.state == "OFFERED"] == ["OFFERED"]
    assert ("REFUSED", "vt-hm-voorwaarden") in world.told()
    assert world.case.executor == CENTRE


CALL = {"who": "m.vt-07", "with_whom": "dienst wijkteam", "at": "2026-03-18T10:05:00+01:00"}


def test_what_was_handed_over_by_telephone_is_the_receiver_s_and_its_own_word_is_still_owed():
    world = offered()
    world.act("PHONED", phone=CALL, handover=world.offer.id)

    # Then the offer waits for nobody, and the receiver owes the confirmation
    assert (world.offer.state, world.offer.due(), world.case.executor) == ("ACCEPTED", None, TEAM_GOUDA)
    assert "T02" not in world.case.terms
    assert world.told() == {("PHONED_OVER", TEAM_GOUDA)}
    assert local(world.case.terms["T25"]) == "Fri 20 Mar 23:59:59"

    # When it says so itself
    world.answer("ACCEPTED")
    world.expect(j.NotDecided, why="confirmed")
    assert "T25" not in world.case.terms


def test_a_confirmation_that_does_not_come_climbs():
    world = offered()
    world.act("PHONED", phone=CALL, handover=world.offer.id)
    world.pass_until("2026-03-23T13:00:00+01:00")

    fired = [(one.step, one.tells) for one in world.all_events(j.TermFired) if one.term == "T25"]
    assert fired == [
        ("REMINDER", (TEAM_GOUDA,)), ("COORDINATOR", ("vt-hm-beoordeling/cp-hm-02", "vt-hm-coordinatie")),
    ]  # fmt: skip


@pytest.mark.parametrize("which", ["taken already", "unknown"])
def test_what_cannot_be_handed_over_by_telephone_is_refused(which: str):
    world = offered()
    handover = world.offer.id
    if which == "unknown":
        handover = world.case.id
    else:
        world.answer("ACCEPTED")
    before = world.offer.state

    world.act("PHONED", phone=CALL, handover=handover)

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.offer.state == before


def test_a_case_that_goes_from_hand_to_hand_is_told_to_who_coordinates():
    # Given a case that three receivers after the first were offered
    world = offered()
    receivers = [world.offer.receiver]
    while len(receivers) < 4:
        world.answer("REFUSED", reason="UNREACHABLE")
        receivers.append(world.offer.receiver)
        assert ("HOPS", "vt-hm-coordinatie") not in world.told()

    # When it goes on once more, and again
    for _ in range(2):
        world.answer("REFUSED", reason="UNREACHABLE")
        assert ("HOPS", "vt-hm-coordinatie") in world.told()


def test_the_same_receiver_twice_in_a_row_is_no_hop():
    world = offered()
    for _ in range(5):
        world.act("RAISE", colour="YELLOW")
    assert hops([one.receiver for one in world.case.handovers]) == 0


def test_an_offer_is_withdrawn_before_it_is_accepted_and_not_after():
    # Given an offer that the centre withdraws
    world = offered()
    team = world.offer.id
    world.act("WITHDRAW")

    # Then its receiver hears of it, and the centre has the case
    assert world.case.handover(team).state == "RECALLED"  # type: ignore[union-attr]
    assert (world.offer.receiver, world.offer.state) == ("vt-hm-beoordeling", "OFFERED")
    assert [message["state"] for topic, message in world.last if "queue.wijkteam" in topic] == ["RECALLED"]

    # When it is tried with what lies at a desk, and with what was accepted
    world.act("WITHDRAW")
    world.expect(j.DeadLettered, reason="act_refused")
    world.publish(a_report(household=1))
    world.answer("ACCEPTED")
    world.act("WITHDRAW")
    world.expect(j.DeadLettered, reason="act_refused")
    assert world.offer.state == "ACCEPTED"
