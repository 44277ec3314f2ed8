"""Which colour a report gives a case by the sample policy, and why (domain model, section 5.2)."""

from datetime import date
from typing import Any

import orjson
import pytest

from agents.casework.rules import rules_from
from agents.casework.sentences import RULES
from agents.casework.situation import Household, answered, open_acute, open_questions, situation
from agents.facts import Facts, facts_of
from agents.policy.colours import Judgement
from tests.cases import ACUTE, MULTI, REGION, STRUCTURAL, a_child, a_man, a_report, a_woman
from tests.world import World, regions
from topics.codes import Colour
from topics.reading import read_report

ON = date(2026, 3, 18)
IN_FORCE = rules_from(regions()[REGION].policy_text, regions()[REGION].directory_text)


def facts(**changes: Any) -> Facts:
    return facts_of(read_report(orjson.dumps(a_report(**changes))), IN_FORCE.directory)


def of(repeats: int = 0, on: date = ON, **changes: Any) -> Judgement:
    return IN_FORCE.colours.judge(situation(IN_FORCE, facts(**changes), on, Household(repeats)))


def test_a_suspicion_without_a_sign_is_green():
    found = of()

    assert (found.colour, found.rules, found.provisional) == (Colour.GREEN, ("R4",), False)
    assert open_questions(facts()) == ()


@pytest.mark.parametrize("sign", ACUTE)
def test_each_acute_sign_is_red(sign: str):
    assert (of(yes=(sign,)).colour, of(yes=(sign,)).rules) == (Colour.RED, ("R1",))


@pytest.mark.parametrize("sign", STRUCTURAL)
def test_each_structural_sign_is_orange(sign: str):
    assert (of(yes=(sign,)).colour, of(yes=(sign,)).rules) == (Colour.ORANGE, ("R2",))


@pytest.mark.parametrize("sign", MULTI)
def test_each_sign_of_many_problems_is_yellow(sign: str):
    assert (of(yes=(sign,)).colour, of(yes=(sign,)).rules) == (Colour.YELLOW, ("R3",))


def test_every_reason_is_kept_whatever_the_colour():
    assert of(1, yes=("A2", "S1", "M2")).rules == ("R1", "R2", "R3", "U1")


@pytest.mark.parametrize(
    ("changes", "colour"),
    [
        pytest.param({"meldcode": {"q2": "ACUTE"}}, Colour.RED, id="a professional judges it acute"),
        pytest.param({"meldcode": {"q2": "STRUCTURAL"}}, Colour.ORANGE, id="or structural"),
        pytest.param(
            {"meldcode": {"q2": "ACUTE"}, "reporter": {"capacity": "NEIGHBOUR"}}, Colour.GREEN, id="a neighbour cannot"
        ),
        pytest.param({"contact_ban": {"state": "BROKEN"}}, Colour.RED, id="a contact ban is broken"),
        pytest.param({"contact_ban": {"state": "IN_FORCE"}}, Colour.GREEN, id="a contact ban is kept"),
        pytest.param({"restraining_order": {"state": "BROKEN"}}, Colour.RED, id="an order is broken"),
        pytest.param(
            {"restraining_order": {"state": "IN_FORCE", "since": "2026-03-08"}}, Colour.RED, id="its tenth day"
        ),
        pytest.param(
            {"restraining_order": {"state": "IN_FORCE", "since": "2026-03-07"}}, Colour.GREEN, id="its eleventh"
        ),
        pytest.param({"restraining_order": {"state": "IN_FORCE"}}, Colour.RED, id="since nobody knows when"),
    ],
)
def test_what_else_makes_a_colour(changes: dict[str, Any], colour: Colour):
    assert of(**changes).colour is colour


@pytest.mark.parametrize(
    ("yes", "earlier", "colour", "rule"),
    [
        pytest.param((), 0, Colour.GREEN, None, id="first report"),
        pytest.param((), 1, Colour.YELLOW, "U1", id="second green"),
        pytest.param(("M1",), 1, Colour.ORANGE, "U1", id="17: second yellow"),
        pytest.param(("S1",), 1, Colour.ORANGE, "U1", id="a step stops at orange"),
        pytest.param((), 2, Colour.ORANGE, "U2", id="third report"),
        pytest.param(("S1",), 9, Colour.ORANGE, "U2", id="18: repetition alone never gives red"),
        pytest.param(("A1",), 9, Colour.RED, "U2", id="a cap never lowers"),
    ],
)
def test_repetition_raises(yes: tuple[str, ...], earlier: int, colour: Colour, rule: str | None):
    found = of(earlier, yes=yes)

    assert found.colour is colour
    assert rule is None or rule in found.rules


@pytest.mark.parametrize(
    ("people", "colour", "floor", "rules"),
    [
        pytest.param([a_man()], "YELLOW", "GREEN", ("R4", "P1"), id="25: no minor, no pregnant person"),
        pytest.param([a_child()], "ORANGE", "GREEN", ("R4", "P1", "P1b"), id="7: a child"),
        pytest.param([a_woman(pregnant="YES")], "ORANGE", "YELLOW", ("R4", "U4", "P1", "P1b"), id="a pregnant woman"),
        pytest.param(
            [a_woman(dependent="YES")], "ORANGE", "YELLOW", ("R4", "U4", "P1", "P1b"), id="a dependent person"
        ),
    ],
)
def test_an_unanswered_acute_question_makes_it_provisional(
    people: list[dict[str, Any]], colour: str, floor: str, rules: tuple[str, ...]
):
    found = of(unknown=("A1",), participants=people)

    assert (found.colour, found.provisional, found.rules) == (Colour(colour), True, rules)
    # What is certain already is kept apart: settling may come back to it.
    assert found.floor is Colour(floor)


def test_what_is_absent_is_unknown():
    assert of(indicators={}).provisional
    assert set(open_questions(facts(indicators={}))) == {*ACUTE, *STRUCTURAL} - {"A8", "A9"}


def test_red_is_never_provisional():
    found = of(yes=("A2",), unknown=("A1",))

    assert (found.colour, found.provisional) == (Colour.RED, False)


@pytest.mark.parametrize(
    ("people", "open_"),
    [
        pytest.param([a_woman(), a_man(), a_child()], (), id="everybody known, no infant, nobody pregnant"),
        pytest.param([a_woman(pregnant=...)], ("A8", "A9"), id="perhaps pregnant"),
        pytest.param([a_woman(pregnant="YES")], ("A8", "A9"), id="pregnant"),
        pytest.param([a_child(birth_date="2025-12")], ("A8", "A9"), id="an infant"),
        pytest.param([a_child(birth_date=...)], ("A8", "A9"), id="a child of unknown age"),
        pytest.param([], ("A8", "A9"), id="nobody named"),
    ],
)
def test_questions_about_infants_are_answered_when_everybody_is_known(people: list[Any], open_: tuple[str, ...]):
    assert open_acute(facts(unknown=("A8", "A9"), participants=people)) == open_


def test_an_unknown_structural_sign_is_listed_and_does_not_raise():
    assert of(unknown=("S4",)).colour is Colour.GREEN
    assert open_questions(facts(unknown=("S4",))) == ("S4",)


def test_answering_a_question_never_takes_a_yes_away():
    known = facts(yes=("A3",), unknown=("A1",))

    assert answered(known, {"A1": "NO", "A3": "NO"}).indicators["A3"] == "YES"
    assert answered(known, {"A1": "NO", "A3": "NO"}).indicators["A1"] == "NO"


def test_every_rule_says_itself_in_both_languages():
    policy = regions()[REGION].policy
    for rule in (*RULES.values(), *policy.colours, *policy.raises, *policy.provisional, *policy.destinations):
        assert rule.nl.endswith(".")
        assert rule.en.endswith(".")
        assert rule.nl != rule.en


def test_a_shelters_own_safety_code_is_shown_and_gives_no_colour():
    world = World()
    world.publish(a_report(shelter_safety_code="SHELTER_RED"))

    assert (world.case.colour, world.case.reasons) == ("GREEN", ["R4"])
    (offer,) = [message for _, message in world.last if "accept_before" in message]
    assert world.opened(offer, world.offer.receiver)["reports"][0]["shelter_safety_code"] == "SHELTER_RED"
