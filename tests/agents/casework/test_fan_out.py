"""Notices beside the handover: prepared by the rules, released by a person (domain model, 5.3); roles; consulting."""

from typing import Any

import pytest

from tests.cases import LEIDEN, a_child, a_report, a_woman
from tests.world import World, local
from topics import journal as j
from topics.specs import NOTICES

SCHOOL = {"source_id": "scholen-hollands-midden", "reporter": {"capacity": "SCHOOL"}}


def red(**changes: Any) -> World:
    world = World()
    world.publish(a_report(**SCHOOL | {"yes": ("A2",), "participants": [a_child(), a_woman()], **changes}))
    return world


def prepared(world: World) -> dict[str, str]:
    """Rule -> id of its notice."""
    return {found[0] or "": notice for notice, found in world.case.prepared.items()}


def sent(world: World, receiver: str) -> list[dict[str, Any]]:
    return [message for topic, message in world.last if topic == NOTICES.topic(receiver)]


def test_nothing_goes_out_before_a_person_releases_it():
    world = red()

    assert set(prepared(world)) == {"F1", "F6"}
    assert not sent(world, "politiedesk-hollands-midden")
    assert ("PREPARED", "vt-hm-bureaudienst") in world.told()


def test_a_released_notice_goes_to_its_receiver_sealed():
    world = red()
    world.act("RELEASE", notices=[prepared(world)["F1"]])

    (notice,) = sent(world, "politiedesk-hollands-midden")
    assert notice["kind"] == "SIDE_NOTICE"
    assert world.opened(notice, "politiedesk-hollands-midden")["reports"][0]["participants"]
    assert world.case.prepared[prepared(world)["F1"]][-1] == "RELEASED"


def test_nothing_is_released_twice_and_nothing_that_is_not_ready():
    world = red()
    world.act("RELEASE", notices=[prepared(world)["F1"]])
    for notices in ([prepared(world)["F1"]], ["00000000-0000-4000-8000-000000000000"]):
        world.act("RELEASE", notices=notices)
        world.expect(j.DeadLettered, reason="act_refused")


def test_a_notice_that_is_named_twice_goes_out_once():
    world = red()
    notice = prepared(world)["F1"]
    world.act("RELEASE", notices=[notice, notice])

    assert len(sent(world, "politiedesk-hollands-midden")) == 1


def test_a_call_is_made_not_released():
    world = red(safe_carer="NO")
    call = prepared(world)["F2"]
    world.act("RELEASE", notices=[call])
    world.expect(j.DeadLettered, reason="act_refused")

    phone = {"who": "M. de Wit", "with_whom": "dienstdoende Raad", "at": "2026-03-18T10:20:00+01:00"}
    world.act("PHONED", notices=[call], phone=phone)
    assert world.case.prepared[call][-1] == "PHONED"


def test_one_that_fails_blocks_no_other():
    # Without a postcode nobody knows which team of Leiden to tell: that becomes a call, the rest stays a notice.
    world = red(municipality=LEIDEN, address=...)

    ways = {found[0]: (found[2], found[3]) for found in world.case.prepared.values()}
    assert ways["F6"] == (None, "PHONE")
    assert ways["F1"] == ("politiedesk-hollands-midden", "QUEUE")


def test_a_source_gets_no_notice_of_its_own_report():
    world = World()
    world.publish(a_report(yes=("A2",)))

    assert "F1" not in prepared(world)


def test_each_rule_prepares_once_in_an_episode():
    world = red()
    before = prepared(world)
    world.publish(a_report(**SCHOOL | {"yes": ("A2", "A3"), "participants": [a_child(), a_woman()]}))

    assert prepared(world) == before


@pytest.mark.parametrize("colour", ["RED"])
def test_raising_prepares_too(colour: str):
    world = red(yes=())
    assert not world.case.prepared
    world.act("RAISE", colour=colour)

    assert "F6" in prepared(world)


def test_what_must_be_kept_to_stands_in_the_offer():
    world = red(yes=("A6",))
    (offer,) = [message for _, message in world.last if "accept_before" in message]

    said = world.opened(offer, "vt-hm-crisis")
    assert said["safety_conditions"] == ["Geen contact met het gezin voordat er een veiligheidsplan is."]


def test_a_refusal_that_raises_leaves_the_conditions_as_they_are():
    # U8: lowered to groen, and found too severe by the team
    world = red(yes=("A6",))
    world.act("LOWER", colour="GREEN", second="m.vt-08")
    world.answer("REFUSED", reason="TOO_SEVERE")

    assert (world.case.colour, world.case.conditions) == ("YELLOW", ["V1"])


# Roles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["ACCEPTED", "STARTED"])
def test_a_team_that_had_it_is_told_its_role_when_the_case_is_raised(state: str):
    # F7
    world = World()
    world.publish(a_report())
    world.answer(state)
    world.publish(a_report(yes=("A2",)))

    (notice,) = sent(world, "wijkteam-gouda")
    assert (notice["kind"], notice["roles"]) == ("RAISED", {"INVOLVED": ["wijkteam-gouda"]})


def test_roles_are_given_and_executing_follows_from_the_handover_alone():
    world = red()
    world.act("ASSIGN_ROLE", case_role="PROCESS_DIRECTION", to="wijkteam-gouda")
    assert world.case.roles == {"PROCESS_DIRECTION": ["wijkteam-gouda"]}

    for role, to in (("EXECUTOR", "wijkteam-gouda"), ("INVOLVED", "niemand")):
        world.act("ASSIGN_ROLE", case_role=role, to=to)
        world.expect(j.DeadLettered, reason="act_refused")


def test_somebody_is_asked_to_think_along_without_a_handover():
    world = red(yes=("M6",))
    world.act("CONSULT", to="jeugdhulp-de-brug-voorbeeld")

    assert [notice["kind"] for notice in sent(world, "jeugdhulp-de-brug-voorbeeld")] == ["CONSULT"]
    assert len(world.case.handovers) == 1


# The shared assessment ------------------------------------------------------------------------------------


def part(party: str = "wijkteam-gouda", **more: Any) -> dict[str, Any]:
    return {"part": {"party": party, "scale": 4, **more}}


def test_each_party_adds_its_part_and_all_travel_in_the_next_offer():
    world = red(yes=())
    world.act("ASSESSMENT_PART", **part(conditions=["Vader slaapt bij zijn broer"]))
    world.act("ASSESSMENT_PART", **part(scale=6))
    world.act("ASSESSMENT_PART", **part("vt-hm-beoordeling", scale=3))
    world.act("RAISE", colour="ORANGE")

    (offer,) = [message for _, message in world.last if "accept_before" in message]
    shared = world.opened(offer, offer["receiver"])["assessment"]
    assert [(one["party"], one["version"], one["scale"]) for one in shared] == [
        ("wijkteam-gouda", 2, 6), ("vt-hm-beoordeling", 1, 3),
    ]  # fmt: skip


def test_what_was_agreed_is_sealed_in_the_journal_and_read_in_the_offer():
    world = red(yes=())
    world.act("ASSESSMENT_PART", **part(conditions=["Vader slaapt bij zijn broer"]))
    assert b"broer" not in world.journal[-1]
    world.act("RAISE", colour="ORANGE")

    (offer,) = [message for _, message in world.last if "accept_before" in message]
    assert world.opened(offer, offer["receiver"])["assessment"][0]["conditions"] == ["Vader slaapt bij zijn broer"]
    assert world.refolded().encode() == world.book.encode()


def test_the_most_dangerous_valid_part_counts():
    world = red(yes=())
    world.act("ASSESSMENT_PART", **part(indicators={"S2": "YES"}))
    assert (world.case.colour, world.case.destination) == ("ORANGE", "VT_CONDITIONS")

    world.act("ASSESSMENT_PART", **part("vt-hm-beoordeling", indicators={"S2": "NO"}))
    assert world.case.colour == "ORANGE"


def test_a_part_that_is_not_valid_any_more_does_not_count():
    world = red(yes=())
    world.act("ASSESSMENT_PART", **part(indicators={"S2": "YES"}, valid_until="2026-03-20"))
    world.act("LOWER", colour="GREEN", second="m.vt-08")
    world.pass_until("2026-03-20 12:00")
    world.act("REEVALUATE")
    assert world.case.colour == "ORANGE"

    world.act("LOWER", colour="GREEN", second="m.vt-08")
    world.pass_until("2026-03-21 12:00")
    world.act("REEVALUATE")
    assert world.case.colour == "GREEN"


def test_the_conditions_of_a_request_to_the_raad_are_shown_with_what_is_not_known():
    world = red(yes=("S3",), cooperation="UNKNOWN")
    (offer,) = [message for _, message in world.last if "accept_before" in message]

    assert (offer["board_request"], offer["board_unknown"]) == (["VTO1", "VTO2"], ["cooperation"])


HELPER = "jeugdhulp-de-brug-voorbeeld"


def consulted() -> tuple[World, str]:
    """Somebody was asked to think along; the number of that question."""
    world = World()
    world.publish(a_report())
    world.act("CONSULT", to=HELPER)
    (notice,) = sent(world, HELPER)
    return world, notice["handover_id"]


@pytest.mark.parametrize("state", ["COMPLETED", "REFUSED"])
def test_who_was_asked_to_think_along_is_counted_and_whoever_has_the_case_hears_of_the_answer(state: str):
    world, question = consulted()
    assert "T24" in world.case.terms
    reason = {"reason": "CAPACITY"} if state == "REFUSED" else {}
    world.answer_notice(question, HELPER, state, **reason)

    world.expect(j.ConsultAnswered, state=state)
    assert world.told() == {("CONSULTED", "wijkteam-gouda")}
    assert "T24" not in world.case.terms
    assert world.case.consults == {question: [HELPER, state]}


def test_of_two_who_were_asked_the_term_runs_until_both_have_answered():
    world, question = consulted()
    world.act("CONSULT", to="gi-jeugdbescherming-west-voorbeeld")
    world.answer_notice(question, HELPER, "COMPLETED")
    assert "T24" in world.case.terms

    (other,) = world.case.consults.keys() - {question}
    world.answer_notice(other, "gi-jeugdbescherming-west-voorbeeld", "COMPLETED")
    assert "T24" not in world.case.terms


def test_an_answer_that_comes_after_the_case_was_merged_counts_where_it_goes_on():
    world, question = consulted()
    first = world.case
    world.publish(a_report(household=3))
    second = world.case
    world.act("MERGE", second, other_case=first.id)
    assert (second.consults, "T24" in second.terms) == ({question: [HELPER, None]}, True)
    world.answer_notice(question, HELPER, "COMPLETED", case=first)

    world.expect(j.ConsultAnswered, case_id=second.id, state="COMPLETED")
    assert (second.consults, "T24" in second.terms) == ({question: [HELPER, "COMPLETED"]}, False)


def test_nobody_answers_for_another_and_nobody_twice():
    world, question = consulted()
    world.answer_notice(question, "gi-jeugdbescherming-west-voorbeeld", "COMPLETED")
    world.expect(j.DeadLettered, reason="not_the_receiver")
    world.answer_notice(question, HELPER, "COMPLETED")
    world.answer_notice(question, HELPER, "REFUSED", reason="CAPACITY")

    world.expect(j.NotDecided, why="no_change")
    assert world.case.consults == {question: [HELPER, "COMPLETED"]}


def test_that_it_arrived_changes_nothing():
    world = red()
    notice = prepared(world)["F1"]
    world.act("RELEASE", notices=[notice])
    world.answer_notice(notice, "politiedesk-hollands-midden", "RECEIVED")

    assert world.case.prepared[notice][-1] == "RELEASED"


def test_a_notice_that_does_not_arrive_goes_out_once_more_and_then_a_person_calls():
    # Scenario 34
    world = red()
    notice = prepared(world)["F1"]
    world.act("RELEASE", notices=[notice])
    lost = {"state": "REFUSED", "reason": "UNREACHABLE"}
    world.answer_notice(notice, "politiedesk-hollands-midden", **lost)
    (again,) = sent(world, "politiedesk-hollands-midden")
    assert world.opened(again, "politiedesk-hollands-midden")["reports"]

    world.answer_notice(notice, "politiedesk-hollands-midden", **lost)
    assert world.told() == {("NOT_DELIVERED", "vt-hm-bureaudienst")}
    assert world.case.prepared[notice][3:] == ["PHONE", "PREPARED"]
    phone = {"who": "M. de Wit", "with_whom": "meldkamer", "at": "2026-03-18T10:20:00+01:00"}
    world.act("PHONED", notices=[notice], phone=phone)
    assert world.case.prepared[notice][-1] == "PHONED"


def test_the_raad_answers_a_demand_of_the_mayor_in_two_weeks():
    # Scenario 32, T16
    world = red(safe_carer="NO")
    world.act("BOARD_NOTICE", board="DECLINED")
    assert "T16" not in world.case.terms
    world.act("BOARD_NOTICE", board="MAYOR_DEMANDS")
    assert local(world.case.terms["T16"]) == "Wed 1 Apr 23:59:59"

    world.act("BOARD_NOTICE", board="TO_COURT")
    assert "T16" not in world.case.terms


def test_a_notice_that_does_not_arrive_is_known_also_when_its_case_was_merged():
    world = World()
    world.publish(a_report(**SCHOOL))
    first = world.case
    world.publish(a_report(household=3, yes=("A2",), participants=[a_woman(3), a_child(3)], **SCHOOL))
    second = world.case
    notice = prepared(world)["F1"]
    world.act("RELEASE", second, notices=[notice])
    world.act("MERGE", first, other_case=second.id)
    world.answer_notice(notice, "politiedesk-hollands-midden", "REFUSED", second, reason="UNREACHABLE")

    world.expect(j.NotDelivered, case_id=first.id, by="QUEUE")


def test_a_notice_that_does_not_arrive_is_known_also_in_the_next_episode():
    world = red()
    notice = prepared(world)["F1"]
    world.act("RELEASE", notices=[notice])
    world.answer("STARTED")
    world.act("CLOSE")
    world.publish(a_report(**SCHOOL | {"yes": ("A2",), "participants": [a_child(), a_woman()]}))
    world.answer_notice(notice, "politiedesk-hollands-midden", "REFUSED", reason="UNREACHABLE")

    world.expect(j.NotDelivered, by="QUEUE")
    # The new episode has its own.
    assert [found[0] for found in world.case.prepared.values()].count("F1") == 1
