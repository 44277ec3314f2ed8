"""The rules of colour of the sample policy, and what an outcome hangs on: checked against trying everything."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.loading import PolicyError
from agents.policy.model import Policy, load_policy
from agents.policy.vocabulary import FACTS, MADE
from tests.cases import QUIET
from tests.storm.field import REGIONS
from topics.codes import Colour

TEXT = (REGIONS / "hollands-midden" / "policy.yaml").read_text()
POLICY = load_policy(TEXT)
COLOURS = POLICY.made_colours()


def facts() -> st.SearchStrategy[dict[str, str]]:
    """Any facts at all; mostly quiet ones, or everything would be rood."""
    anything = st.fixed_dictionaries({fact: st.sampled_from(values) for fact, values in FACTS.items()})
    few = st.dictionaries(st.sampled_from(sorted(FACTS)), st.integers(0, 99), max_size=6).map(
        lambda changes: QUIET | {fact: FACTS[fact][number % len(FACTS[fact])] for fact, number in changes.items()}
    )
    return st.one_of(few, few, few, anything)


@given(facts())
@settings(max_examples=50, deadline=None)
def test_another_value_of_a_turning_fact_gives_another_outcome_and_of_no_other_fact(found: dict[str, str]):
    now = COLOURS.judge(found)

    turning = set()
    for fact in FACTS.keys() - MADE:
        for value in FACTS[fact]:
            then = COLOURS.judge({**found, fact: value})
            if (then.colour, then.provisional) != (now.colour, now.provisional):
                turning.add(fact)

    assert set(COLOURS.explain(found).turning) == turning


@given(facts())
@settings(deadline=None)
def test_what_is_used_is_enough_for_the_rules_that_hold(found: dict[str, str]):
    # Whatever the other facts are, the same rules hold, and maybe more.
    now = COLOURS.judge(found)

    then = COLOURS.judge({**QUIET, **{fact: found[fact] for fact in COLOURS.explain(found).used}})

    assert set(now.rules) - {"R4"} <= set(then.rules)


@settings(deadline=None)
@given(facts(), st.sampled_from([fact for fact, values in FACTS.items() if set(values) == {"YES", "NO", "UNKNOWN"}]))
def test_what_is_unknown_is_never_better_than_no(found: dict[str, str], fact: str):
    unknown, no = (COLOURS.judge({**found, fact: said}) for said in ("UNKNOWN", "NO"))

    assert unknown.colour.severity >= no.colour.severity


@pytest.mark.parametrize(
    ("changes", "colour", "provisional", "rules"),
    [
        ({}, "GREEN", False, ["R4"]),
        ({"A2": "YES", "S1": "YES"}, "RED", False, ["R1", "R2"]),
        ({"order": "IN_FORCE"}, "GREEN", False, ["R4"]),
        ({"order": "IN_FORCE_RECENTLY"}, "RED", False, ["R1"]),
        ({"repeats": "ONE"}, "YELLOW", False, ["R4", "U1"]),
        ({"repeats": "ONE", "perpetrator_known": "YES"}, "YELLOW", False, ["R4", "U1", "U5"]),
        ({"repeats": "ONE", "under_four": "YES"}, "ORANGE", False, ["R4", "U1", "U4"]),
        ({"repeats": "SEVERAL", "S1": "YES"}, "ORANGE", False, ["R2", "U2"]),
        ({"repeats": "ONE", "A1": "YES"}, "RED", False, ["R1", "U1"]),
        ({"capacity": "CHILD"}, "YELLOW", False, ["R4", "U7"]),
        ({"measure": "RECENTLY"}, "ORANGE", False, ["R4", "U6"]),
        ({"A4": "UNKNOWN"}, "YELLOW", True, ["R4", "P1"]),
        ({"A4": "UNKNOWN", "minor": "YES"}, "ORANGE", True, ["R4", "P1", "P1b"]),
        ({"A4": "UNKNOWN", "A5": "YES"}, "RED", False, ["R1"]),
        ({"S4": "UNKNOWN"}, "GREEN", False, ["R4"]),
    ],
)
def test_the_rows_of_the_table(changes: dict[str, str], colour: str, provisional: bool, rules: list[str]):
    found = COLOURS.judge(QUIET | changes)

    assert (found.colour.value, found.provisional, list(found.rules)) == (colour, provisional, rules)


def test_a_judgement_says_what_it_used_what_is_missing_and_what_would_turn_it():
    some = QUIET | {"M2": "YES", "S3": "UNKNOWN"}
    found = COLOURS.explain(some)

    assert COLOURS.judge(some).colour is Colour.YELLOW
    assert found.used == ("M2",)
    assert "S3" in found.missing
    assert "M2" in found.turning
    assert "A1" in found.turning
    assert "M3" not in found.turning


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("when: [{repeats: ONE}]", "when: [{repeats: TWICE}]", "line 52, raises.0.when.0.repeats: repeats is nooit"),
        ("{capacity: CHILD}", "{shoe_size: BIG}", "raises.6.when.0.shoe_size: shoe_size kan hier niet"),
        ("{capacity: CHILD}", "{colour: RED}", "colour kan hier niet worden gevraagd"),
        ("{capacity: CHILD}", "{}", "een voorwaarde die niets vraagt"),
        ("id: R3", "id: R2", "R2 staat er twee keer"),
        ("A10, A11]", "A10, A12]", "indicators.acute.10"),
        ("    when: [{repeats: ONE}]\n", "", "U1: when ontbreekt"),
        ("    colour: GREEN\n", "    colour: GREEN\n    when: [{multi: NO}]\n", "precies één regel zonder when"),
        (
            "    step_up_to: ORANGE\n    when: [{repeats: ONE}]",
            "    when: [{repeats: ONE}]",
            "at_least of / or step_up_to",
        ),
        ("    colour: GREEN\n", "    colour: PURPLE\n", "colours.3.colour"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_refused_with_its_line(old: str, new: str, says: str):
    assert old in TEXT

    with pytest.raises(PolicyError) as refused:
        load_policy(TEXT.replace(old, new, 1))

    assert says in str(refused.value)
    assert "line " in str(refused.value)


def test_without_any_one_rule_some_outcome_is_another():
    # Given quiet facts of which up to three were changed
    chance = random.Random(7)
    some = [
        QUIET | {fact: chance.choice(FACTS[fact]) for fact in chance.sample(COLOURS.asks, chance.randrange(1, 4))}
        for _ in range(800)
    ]
    before = [COLOURS.judge(found) for found in some]

    # When any rule but the one for all the rest is taken out, then that is seen
    for table in ("colours", "raises", "provisional"):
        for row in getattr(POLICY, table):
            if row.when:
                left = tuple(other for other in getattr(POLICY, table) if other.id != row.id)
                without = Policy.model_copy(POLICY, update={table: left}).made_colours()
                assert any(
                    (then.colour, then.provisional) != (now.colour, now.provisional)
                    for then, now in zip(map(without.judge, some), before, strict=True)
                ), row.id
