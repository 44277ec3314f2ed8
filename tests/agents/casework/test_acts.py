"""What a person of the centre may do (domain model, D1 and section 3.9)."""

from typing import Any

import pytest

from tests.cases import TEAM_GOUDA, a_child, a_report
from tests.world import World, at
from topics import journal as j


def a_case(**changes: Any) -> World:
    world = World()
    world.publish(a_report(**changes))
    return world


def closed(**changes: Any) -> World:
    world = a_case(**changes)
    world.answer("STARTED")
    world.answer("COMPLETED")
    world.act("CLOSE")
    return world


@pytest.mark.parametrize("colour", ["RED", "ORANGE"])
@pytest.mark.parametrize("second", [..., "m.vt-07"], ids=["nobody", "himself again"])
def test_one_person_alone_lowers_no_red_and_no_orange(colour: str, second: Any):
    # Scenario 70
    world = a_case(yes=("A2",) if colour == "RED" else ("S1",))
    world.act("LOWER", colour="YELLOW", second=second)

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.case.colour == colour


def test_two_persons_lower_red_and_the_case_moves():
    world = a_case(yes=("A2",))
    world.act("LOWER", colour="YELLOW", second="m.vt-08")

    done = world.expect(j.ActDone)
    assert (done.actor, done.second, done.colour) == ("m.vt-07", "m.vt-08", "YELLOW")
    assert (world.case.colour, world.offer.receiver) == ("YELLOW", TEAM_GOUDA)
    assert "D1" in world.case.reasons


def test_one_person_lowers_yellow():
    world = a_case(yes=("M1",))
    world.act("LOWER", colour="GREEN")

    assert world.case.colour == "GREEN"


@pytest.mark.parametrize(
    ("kind", "colour"), [("LOWER", "RED"), ("LOWER", "YELLOW"), ("RAISE", "YELLOW"), ("RAISE", "GREEN")]
)
def test_lowering_goes_down_and_raising_up(kind: str, colour: str):
    world = a_case(yes=("M1",))
    world.act(kind, colour=colour, second="m.vt-08")

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.case.colour == "YELLOW"


def test_anybody_raises_and_red_goes_to_the_crisis_service_at_once():
    # Scenario 33
    world = a_case()
    team = world.offer
    world.act("RAISE", colour="RED")

    assert (world.case.colour, world.offer.receiver, team.state) == ("RED", "vt-hm-crisis", "SUPERSEDED")
    assert ("RED", "vt-hm-bureaudienst") in world.told()


def test_what_a_person_lowered_a_new_report_raises_again():
    world = a_case(yes=("A2",))
    world.act("LOWER", colour="GREEN", second="m.vt-08")
    world.publish(a_report(yes=("A2",)))

    assert world.case.colour == "RED"


def test_a_provisional_colour_is_not_lowered_but_settled():
    world = a_case(unknown=("A1",))
    world.act("LOWER", colour="GREEN", second="m.vt-08")

    world.expect(j.DeadLettered, reason="act_refused")
    assert (world.case.colour, world.case.provisional) == ("YELLOW", True)


def test_settling_all_no_gives_the_colour_of_what_is_certain():
    # Scenario 7
    world = a_case(unknown=("A1", "A3"), participants=[a_child()])
    assert (world.case.colour, world.case.provisional) == ("ORANGE", True)

    world.act("SETTLE", indicators={"A1": "NO", "A3": "NO"})

    assert (world.case.colour, world.case.provisional) == ("GREEN", False)
    assert world.offer.receiver == TEAM_GOUDA
    assert world.case.open_questions == []


def test_settling_with_a_yes_is_red():
    world = a_case(unknown=("A1",))
    world.act("SETTLE", indicators={"A1": "YES"})

    assert (world.case.colour, world.offer.receiver) == ("RED", "vt-hm-crisis")
    assert ("RED", "vt-hm-bureaudienst") in world.told()


@pytest.mark.parametrize("said", [{}, {"A1": "NO"}, {"A1": "NO", "A3": "UNKNOWN"}])
def test_what_is_still_unknown_cannot_be_settled(said: dict[str, str]):
    world = a_case(unknown=("A1", "A3"))
    world.act("SETTLE", indicators=said)

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.case.provisional


def test_settling_does_not_go_below_what_was_certain():
    world = a_case(unknown=("A1",), yes=("S1",))
    world.act("SETTLE", indicators={"A1": "NO", "S1": "NO"})

    assert (world.case.colour, world.case.provisional) == ("ORANGE", False)


def test_one_person_does_not_settle_away_what_another_raised():
    # Given a provisional case that a worker raised to orange for a reason of his own
    world = a_case(unknown=("A1",))
    world.act("RAISE", colour="ORANGE")
    assert (world.case.colour, world.case.provisional) == ("ORANGE", True)

    # When another answers the open question with no
    world.act("SETTLE", actor="m.vt-09", indicators={"A1": "NO"})

    # Then it stays orange: from there two persons lower
    assert (world.case.colour, world.case.provisional) == ("ORANGE", False)


def test_settling_counts_a_corrected_report_once():
    # Given a report with a correction, then a second report with an open question
    world = World()
    first = a_report()
    world.publish(first)
    world.publish(first | {"version": 2})
    world.publish(a_report(unknown=("A1",)))
    assert (world.case.colour, world.case.reasons) == ("YELLOW", ["R4", "U1", "P1"])

    world.act("SETTLE", indicators={"A1": "NO"})

    assert (world.case.colour, world.case.reasons) == ("YELLOW", ["R4", "U1", "D1"])


@pytest.mark.parametrize("kind", ["RAISE", "LOWER", "SETTLE"])
def test_what_is_closed_is_not_coloured(kind: str):
    world = a_case(unknown=("A1",))
    world.answer("STARTED")
    world.act("CLOSE")
    before = world.case.colour

    world.act(kind, colour="RED" if kind == "RAISE" else "GREEN", second="m.vt-08", indicators={"A1": "NO"})

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.case.colour == before


def test_what_awaits_an_answer_is_not_closed():
    world = a_case()
    world.act("CLOSE")

    world.expect(j.DeadLettered, reason="act_refused")
    assert not world.case.closed


def test_what_is_closed_can_be_opened_again():
    world = closed()
    assert world.case.closed
    world.act("REOPEN")

    assert not world.case.closed


def test_erasing_takes_two_persons_and_a_closed_case():
    world = a_case()
    world.act("ERASE", second="m.vt-08")
    world.expect(j.DeadLettered, reason="act_refused")

    world = closed()
    world.act("ERASE")
    world.expect(j.DeadLettered, reason="act_refused")


def test_erasing_destroys_every_key_of_the_household():
    # Scenario 75. Given a case with reports, notes, notices with content, and acts
    world = World()
    first = a_report()
    world.publish(first)
    world.answer("ACKNOWLEDGED", note="Moeder belt terug.")
    world.answer("ACKNOWLEDGED", note="Nog eens.")
    world.answer("STARTED", note="Gesproken.", answer_id="11111111-1111-4111-8111-111111111111")
    world.answer("STARTED", note="Gesproken.", answer_id="11111111-1111-4111-8111-111111111111")
    world.publish(a_report(yes=("M1",)))
    world.publish(first)
    world.answer("COMPLETED") if world.offer.state == "STARTED" else world.answer("STARTED", note="Weer.")
    while (handover := world.case.current()) is not None:
        world.answer("COMPLETED" if handover.state == "STARTED" else "STARTED", handover)
    world.act("SEEN", reason="Over de moeder.")
    world.act("CLOSE")
    assert world.keys

    # When it is erased
    world.act("ERASE", second="m.vt-08", reason="Op verzoek.")

    # Then no key is left, not even that of the erasure's own reason, which may name somebody
    assert world.keys == {}
    assert world.case.erased
    assert world.case.codes == []
    assert not world.book.index
    # And another worker folds the same skeleton
    assert world.refolded().encode() == world.book.encode()


def test_an_erased_household_is_not_known_again():
    world = closed()
    world.act("ERASE", second="m.vt-08")
    world.publish(a_report())

    assert len(world.book.cases) == 2
    assert (world.case.colour, world.case.involvement) == ("GREEN", "FIRST")


def test_an_act_on_nothing_is_put_aside():
    world = a_case()
    world.act("SEEN", case_id="00000000-0000-4000-8000-000000000000")

    world.expect(j.DeadLettered, reason="unknown_case")


def test_one_act_twice_is_one():
    world = a_case()
    for _ in range(2):
        world.act("RAISE", colour="ORANGE", act_id="11111111-1111-4111-8111-111111111111")

    world.expect(j.Repeated)


def test_a_closed_case_is_nobodys_work_any_more_and_a_late_answer_is_told_so():
    world = World()
    world.publish(a_report())
    handover = world.offer
    world.answer("ACCEPTED", handover)
    world.act("CLOSE")
    assert (world.case.current(), world.case.executor, handover.state) == (None, "vt-hollands-midden", "SUPERSEDED")

    world.answer("STARTED", handover)
    world.expect(j.MoveRefused, wanted="STARTED", state="SUPERSEDED")
    assert (world.case.owner, world.case.closed) == ("vt-hollands-midden", True)


def test_a_case_that_was_closed_while_a_team_had_it_is_offered_anew_when_reopened():
    world = World()
    world.publish(a_report())
    world.answer("STARTED")
    world.act("CLOSE")
    world.act("REOPEN")

    assert world.offer.receiver == "vt-hm-beoordeling"


PART = {"party": "gi-hollands-midden", "scale": 2, "indicators": {"A2": "YES"}, "valid_until": "2026-09-01"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("ASSESSMENT_PART", {"part": PART}),
        ("RESTRAINING_ORDER", {"standing": {"state": "BROKEN", "since": "2026-03-18T09:00:00+01:00"}}),
    ],
)
def test_danger_on_a_closed_case_is_told_at_once_and_weighed_when_it_is_reopened(kind: str, more: dict[str, Any]):
    world = closed()
    world.act(kind, **more)
    assert world.told() == {("ACUTE_WITHOUT_CASE", "vt-hm-bureaudienst")}
    assert (world.case.colour, world.case.closed) == ("GREEN", True)

    world.act("REOPEN")
    assert (world.case.colour, world.offer.receiver) == ("RED", "vt-hm-crisis")


def test_nothing_new_on_a_closed_case_raises_nothing_when_it_is_reopened():
    world = World()
    world.publish(a_report(yes=("S1",)))
    world.act("LOWER", colour="GREEN", second="m.vt-08")
    world.answer("STARTED")
    world.act("CLOSE")
    world.act("ASSESSMENT_PART", part=PART | {"indicators": {"S1": "YES"}})
    assert world.told() == set()

    world.act("REOPEN")
    assert world.case.colour == "GREEN"


def test_a_term_of_an_unassessed_case_runs_again_when_it_is_reopened():
    world = World()
    world.publish(a_report())
    world.answer("STARTED")
    assert "T05" in world.case.terms
    world.act("CLOSE")
    assert set(world.case.terms) == {"T09"}
    world.act("REOPEN")

    assert "T05" in world.case.terms


def test_who_has_a_case_that_a_person_changed_hears_of_a_change_and_of_no_report():
    world = World()
    world.publish(a_report())
    world.answer("STARTED")
    world.act("ASSESSMENT_PART", part=PART | {"indicators": {"S1": "YES"}})

    assert ("RAISED", "wijkteam-gouda") in world.told()


def test_a_part_that_raises_a_case_stands_in_the_offer_that_follows_from_it():
    world = World()
    world.publish(a_report())
    world.act("ASSESSMENT_PART", part=PART | {"indicators": {"S1": "YES"}})

    (offer,) = [message for topic, message in world.last if ".queue." in topic and message.get("content")]
    assert offer["receiver"] == "vt-hm-voorwaarden"
    (part,) = world.opened(offer, "vt-hm-voorwaarden")["assessment"]
    assert (part["party"], part["indicators"], part["conditions"]) == (
        PART["party"], {"S1": "YES"}, PART.get("conditions", []),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("colour", "day", "moved"),
    [("GREEN", 20, True), ("GREEN", 30, True), ("ORANGE", 20, True), ("ORANGE", 30, False), ("GREEN", 17, False)],
)
def test_a_term_is_moved_by_two_and_of_what_is_urgent_only_to_an_earlier_moment(colour: str, day: int, moved: bool):
    world = a_case(yes=("S1",) if colour == "ORANGE" else ())
    due = world.case.terms["T05"]
    to = f"2026-03-{day}T12:00:00+01:00"
    world.act("MOVE_TIMER", term="T05", due=to, second="m.vt-08", role="teamleider")

    assert world.case.terms["T05"] == (at(to) if moved else due)
    if not moved:
        world.expect(j.DeadLettered, reason="act_refused")


def test_a_term_that_does_not_run_is_not_moved_and_nobody_moves_one_alone():
    world = a_case()
    for more in ({"term": "T16", "second": "m.vt-08"}, {"term": "T05"}):
        world.act("MOVE_TIMER", due="2026-03-20T12:00:00+01:00", role="teamleider", **more)
        world.expect(j.DeadLettered, reason="act_refused")


def endangered_while_closed() -> World:
    world = closed()
    world.act("ASSESSMENT_PART", part=PART)
    return world


def test_danger_that_was_said_while_it_was_closed_counts_for_the_next_report():
    world = endangered_while_closed()
    world.publish(a_report())

    assert world.case.colour == "RED"


def test_danger_that_was_said_while_it_was_closed_counts_when_it_is_merged():
    world = endangered_while_closed()
    closed_one = world.case
    world.publish(a_report(household=3))
    world.act("MERGE", world.case, other_case=closed_one.id)

    assert world.case.colour == "RED"


def test_a_call_that_leaves_the_acute_question_open_is_owed_by_the_same_moment():
    # Given a case with an acute question that nobody could answer, and the call about it by two o'clock
    world = World(start="2026-03-18T10:00:00+01:00")
    world.publish(a_report(received_at="2026-03-18T10:00:00+01:00", unknown=("A1",)))
    owed = world.case.terms["T11"]

    # When a worker raises it an hour later and that question stays without an answer
    world.pass_until("2026-03-18T11:00:00+01:00")
    world.act("RAISE", colour="ORANGE")

    # Then the call is still owed, and no later
    assert (world.case.colour, world.case.provisional) == ("ORANGE", True)
    assert world.case.terms["T11"] == owed
