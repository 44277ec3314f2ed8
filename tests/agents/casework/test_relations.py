"""Possible links wait for a person; confirming, unlinking and merging cases (domain model, 3.8 and N2)."""

from typing import Any

import pytest

from agents.casework.case import Case
from tests.cases import a_man, a_report, a_woman, an_address
from tests.world import World
from topics import journal as j


def same_address(world: World, **changes: Any) -> Case:
    """A report on the same address about people who are named nowhere."""
    people = [{"role": "VICTIM", "sex": "FEMALE", "is_minor": "NO", "pregnant": "NO", "dependent": "NO"}]
    world.publish(a_report(participants=people, **changes))
    return world.case


def two_cases() -> tuple[World, Case, Case]:
    """Two groene cases that may be one household."""
    world = World()
    first = same_address(world)
    second = same_address(world)
    assert first.id != second.id
    return world, first, second


def elsewhere(world: World) -> Case:
    """A case of another household."""
    world.publish(a_report(household=3))
    return world.case


def test_a_possible_link_raises_nothing_and_the_offer_waits_for_a_person():
    # Scenario 24
    world, _, second = two_cases()

    assert (second.colour, second.rule, world.offer.receiver) == ("GREEN", "X3b", "vt-hm-beoordeling")


def test_a_possible_link_that_would_change_nothing_holds_nothing_up():
    world = World()
    same_address(world)
    second = same_address(world, yes=("S1",))

    assert (second.colour, second.rule) == ("ORANGE", "X8")


@pytest.mark.parametrize("named_first", [True, False])
def test_confirming_decides_the_younger_case_anew(named_first: bool):
    world, first, second = two_cases()
    one, other = (first, second) if named_first else (second, first)
    world.act("CONFIRM_LINK", one, other_case=other.id)

    assert (second.colour, second.rule, second.current().receiver) == ("YELLOW", "X10", "wijkteam-gouda")  # type: ignore[union-attr]
    assert "U1" in second.reasons
    assert first.colour == "GREEN"


def test_unlinking_lets_it_go_on_by_its_own_colour():
    world, first, second = two_cases()
    world.act("UNLINK", second, other_case=first.id)

    assert (second.colour, second.rule, world.offer.receiver) == ("GREEN", "X11", "wijkteam-gouda")


def test_unlinking_takes_back_counts_and_leaves_the_colour():
    world, first, second = two_cases()
    world.act("CONFIRM_LINK", second, other_case=first.id)
    world.act("UNLINK", second, other_case=first.id)

    assert second.colour == "YELLOW"
    world.act("LOWER", second, colour="GREEN")
    world.act("REEVALUATE", second)
    assert second.colour == "GREEN"


def test_what_was_confirmed_counts_for_the_next_report():
    world, first, second = two_cases()
    world.act("CONFIRM_LINK", second, other_case=first.id)
    third = same_address(world)
    world.act("CONFIRM_LINK", third, other_case=second.id)

    assert [case.id for case in world.book.household(second)] == [second.id, first.id, third.id]
    assert (third.colour, "U2" in third.reasons) == ("ORANGE", True)


def test_merged_cases_keep_both_histories_and_the_more_urgent_colour():
    world, first, second = two_cases()
    world.act("RAISE", first, colour="ORANGE")
    world.act("MERGE", second, other_case=first.id)

    assert (second.colour, [r.seq for r in world.book.reports_of(second)]) == ("ORANGE", [1, 2])
    assert (first.closed, first.merged_into, first.current()) == (True, second.id, None)
    assert [case.id for case in world.book.household(second)] == [second.id, first.id]
    # The offer after it holds both reports.
    offers = [message for topic, message in world.last if "handover_id" in message and "accept_before" in message]
    assert len(world.opened(offers[-1], offers[-1]["receiver"])["reports"]) == 2


def test_a_report_on_a_merged_case_comes_to_the_one_in_which_it_goes_on():
    world = World()
    world.publish(a_report())
    first = world.case
    second = elsewhere(world)
    world.act("MERGE", second, other_case=first.id)
    world.publish(a_report())

    assert world.book.reports_of(second)[-1].seq == world.records[-1].seq
    assert len(world.book.cases) == 2


def two_households(**changes: Any) -> tuple[World, Case, Case]:
    """A groene case, and one of another household."""
    world = World()
    world.publish(a_report())
    first = world.case
    world.publish(a_report(household=3, **changes))
    return world, first, world.case


def test_what_was_refuted_stays_so_in_a_merged_case_that_was_packed():
    world, first, second = two_households()
    world.act("MERGE", first, other_case=second.id)
    world.snapshot()
    world.act("OUTCOME", first, found="REFUTED")
    world.snapshot()

    assert [entry.counts for entry in world.book.cases[second.id].entries] == [False]
    assert world.refolded().encode() == world.book.encode()


def test_a_red_case_that_is_merged_into_a_red_one_is_heard_of():
    world, first, second = two_households(yes=("A2",))
    world.act("RAISE", first, colour="RED")
    world.answer("STARTED", first.current())
    world.act("MERGE", first, other_case=second.id)

    assert world.told() == {("CHANGED", "vt-hm-crisis"), ("RED", "vt-hm-bureaudienst")}


def test_merging_forgets_nobody_who_may_not_get_it():
    world, first, second = two_households(participants=[a_woman(3), a_man(3, employer="Sociaal Gouda")])
    world.act("MERGE", first, other_case=second.id)

    assert first.avoided == ["stichting-sociaal-gouda-voorbeeld"]
    assert (first.colour, world.book.cases[first.id].current().receiver) == ("YELLOW", "wijkteam-alphen-aan-den-rijn")  # type: ignore[union-attr]


def test_merging_moves_no_term_later():
    world, first, second = two_households()
    due = dict(first.terms)
    world.act("MERGE", second, other_case=first.id)

    assert all(second.terms[term] <= at for term, at in due.items() if term != "T02")
    assert first.terms == {}


def test_what_is_held_is_not_merged_before_a_jurist_has_decided():
    world, first, second = two_households(reporter_disclosure="DOUBLE_ANONYMOUS")
    for one, other in ((first, second), (second, first)):
        world.act("MERGE", one, other_case=other.id)
        world.expect(j.DeadLettered, reason="act_refused")


def test_on_a_merged_case_nothing_is_said_any_more():
    world, first, second = two_households()
    world.act("MERGE", first, other_case=second.id)
    world.act("RESTRAINING_ORDER", second, standing={"state": "BROKEN"})

    world.expect(j.DeadLettered, reason="act_refused")


def test_a_link_is_decided_for_the_one_that_waits_also_when_the_other_was_corrected_since():
    world = World()
    report = a_report(participants=[{"role": "VICTIM", "sex": "FEMALE", "is_minor": "NO", "pregnant": "NO"}])
    world.publish(report)
    first = world.case
    second = same_address(world)
    world.publish(report | {"version": 2, "kind": "CORRECTION"})
    world.act("CONFIRM_LINK", second, other_case=first.id)

    assert (second.colour, second.rule) == ("YELLOW", "X10")


def test_a_merged_case_is_not_reopened_merged_again_or_erased_by_itself():
    world, first, second = two_cases()
    world.act("MERGE", second, other_case=first.id)
    for kind, more in (("REOPEN", {}), ("MERGE", {"other_case": second.id}), ("ERASE", {"second": "m.vt-08"})):
        world.act(kind, first, **more)
        world.expect(j.DeadLettered, reason="act_refused")


def test_erasing_what_was_merged_erases_both():
    world, first, second = two_cases()
    world.act("MERGE", second, other_case=first.id)
    current = second.current()
    assert current is not None
    world.answer("STARTED", current)
    world.act("CLOSE", second)
    world.act("ERASE", second, second="m.vt-08")

    assert (first.erased, second.erased, first.codes, second.codes) == (True, True, [], [])
    assert {entry.wrapped for case in (first, second) for entry in case.entries} == {None}


@pytest.mark.parametrize("kind", ["CONFIRM_LINK", "UNLINK", "MERGE"])
def test_a_case_is_not_related_to_itself_or_to_nothing(kind: str):
    world = World()
    world.publish(a_report())
    for other in (world.case.id, "00000000-0000-4000-8000-000000000000"):
        world.act(kind, other_case=other)
        world.expect(j.DeadLettered, reason="act_refused")


def test_a_book_with_relations_is_folded_and_saved_the_same():
    world, first, second = two_cases()
    world.act("CONFIRM_LINK", second, other_case=first.id)
    world.act("MERGE", second, other_case=elsewhere(world).id)

    assert world.refolded().encode() == world.book.encode()
    assert world.decided_again() == world.journal


def test_an_institutional_address_is_no_possible_link():
    # Scenario 22
    world = World()
    shelter = an_address(institutional=True)
    same_address(world, address=shelter)

    assert same_address(world, address=shelter).rule == "X11"


def test_the_same_act_twice_is_known_again_whichever_case_it_changed():
    # The younger case changes; the act named the older one.
    world, first, second = two_cases()
    act_id = "1f6f5a9e-0c39-4b5e-9d86-0f4f1f1f2a11"
    world.act("CONFIRM_LINK", first, other_case=second.id, act_id=act_id)
    world.act("CONFIRM_LINK", first, other_case=second.id, act_id=act_id)

    world.expect(j.Repeated)


def test_a_new_episode_leaves_behind_also_what_was_merged():
    world, first, second = two_households(yes=("A2",))
    world.act("MERGE", first, other_case=second.id)
    world.answer("STARTED", first.current())
    world.act("CLOSE", first)
    world.publish(a_report())
    world.act("REEVALUATE", first)

    # The danger of the merged report was of an episode that is over.
    assert first.colour != "RED"


def test_what_two_persons_lowered_is_not_raised_again_by_merging():
    world, first, second = two_households(yes=("S1",))
    world.act("LOWER", second, colour="GREEN", second="m.vt-08")
    world.act("MERGE", first, other_case=second.id)

    assert first.colour == "GREEN"


def part(party: str, **more: Any) -> dict[str, Any]:
    return {"party": party, "scale": 3, "valid_until": "2026-09-01", **more}


def test_merging_keeps_what_any_party_found_and_its_conditions_are_in_the_offer():
    world, first, second = two_households()
    conditions = {"conditions": ["Vader slaapt elders."]}
    world.act("ASSESSMENT_PART", second, part=part("gi-hollands-midden", indicators={"S2": "NO"}, **conditions))
    world.act("MERGE", first, other_case=second.id)

    (offer,) = [message for _, message in world.last if "accept_before" in message]
    (agreed,) = world.opened(offer, offer["receiver"])["assessment"]
    assert (agreed["party"], agreed["conditions"]) == ("gi-hollands-midden", ["Vader slaapt elders."])


def test_a_danger_found_on_one_of_the_merged_cases_counts_in_the_other():
    world, first, second = two_households()
    world.act("ASSESSMENT_PART", second, part=part("gi-hollands-midden", indicators={"S2": "YES"}))
    assert second.colour == "ORANGE"
    world.act("LOWER", second, colour="GREEN", second="m.vt-08")
    world.act("MERGE", first, other_case=second.id)
    world.act("REEVALUATE", first)

    assert first.colour == "ORANGE"


def test_a_party_has_one_part_in_a_merged_case_from_its_next_one_on():
    world, first, second = two_households()
    world.act("ASSESSMENT_PART", second, part=part("gi-hollands-midden", indicators={"S2": "YES"}))
    world.act("MERGE", first, other_case=second.id)
    world.act("ASSESSMENT_PART", first, part=part("gi-hollands-midden", indicators={"S2": "NO"}))

    found = [one for case in world.book.parts_of(first) for one in case.assessment]
    assert [(one.version, one.indicators) for one in found] == [(2, {"S2": "NO"})]


def test_prepared_notices_of_a_merged_case_can_still_be_released():
    world, first, second = two_households(
        yes=("A2",), source_id="scholen-hollands-midden", reporter={"capacity": "SCHOOL"}
    )
    notice = next(one for one, found in second.prepared.items() if found[0] == "F1")
    world.act("MERGE", first, other_case=second.id)
    world.act("RELEASE", first, notices=[notice])

    assert first.prepared[notice][-1] == "RELEASED"


def test_what_a_family_refused_and_who_is_not_of_it_stay_known_when_cases_merge():
    world, first, second = two_cases()
    third = elsewhere(world)
    world.act("UNLINK", second, other_case=first.id)
    world.act("MERGE", third, other_case=second.id)

    assert third.unlinked == [first.id]
    assert first.unlinked == [second.id, third.id]


def three_cases() -> tuple[World, Case, Case, Case]:
    world, first, second = two_cases()
    return world, first, second, same_address(world)


def test_of_two_possible_links_one_that_was_decided_leaves_the_other_waiting():
    world, first, second, third = three_cases()
    due = third.terms["T11k"]
    world.act("UNLINK", third, other_case=first.id)
    assert third.terms["T11k"] == due

    world.act("UNLINK", third, other_case=second.id)
    assert "T11k" not in third.terms


@pytest.mark.parametrize("named_first", [True, False])
def test_a_decided_link_ends_the_term_of_both(named_first: bool):
    world, first, second = two_cases()
    one, other = (first, second) if named_first else (second, first)
    world.act("UNLINK", one, other_case=other.id)

    assert not {"T11k"} & (first.terms.keys() | second.terms.keys())


def test_merging_the_only_possible_one_ends_the_wait():
    world, first, second = two_cases()
    world.act("MERGE", second, other_case=first.id)

    assert "T11k" not in second.terms
