"""The rule table of the sample policy is held by its cases: change any one rule a little, and one of them differs."""

import random
from collections.abc import Mapping, Sequence
from itertools import product

import pytest
import yaml

from agents.policy.loading import Loader
from agents.policy.model import Policy, load_policy
from agents.policy.rules import Table
from agents.policy.vocabulary import FACTS
from tests.cases import QUIET, REGION
from tests.mutants.equal import NEVER, Condition, possible
from tests.mutants.mutating import FIRST_HOLDS, mutants, reordered, tables
from tests.mutants.trial import (
    EQUAL,
    REFUSED,
    SURVIVED,
    Trial,
    Verdict,
    all_cases,
    as_text,
    known_survivors,
    share_caught,
)
from tests.world import regions
from topics.codes import Colour

TEXT = regions()[REGION].policy_text
PLAIN = yaml.load(TEXT, Loader=Loader)
# Every mutant is tried on each case: minutes on a busy machine.
pytestmark = pytest.mark.timeout(900)
POLICY = load_policy(TEXT)
IDS = [row["id"] for table in tables() for row in PLAIN[table]]


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """On every mutant of the sample policy."""
    return Trial(TEXT, all_cases()).verdicts()


def test_without_any_one_rule_a_case_comes_out_otherwise(verdicts: list[Verdict]):
    dropped = {verdict.mutant.of: verdict.fate for verdict in verdicts if verdict.mutant.kind == "drop"}

    assert sorted(dropped) == sorted(IDS)
    assert not [rule for rule, fate in dropped.items() if fate in (SURVIVED, EQUAL)]


def test_nearly_every_mutant_is_caught(verdicts: list[Verdict]):
    # Counted without those that the loader refuses, which would only make it more
    assert share_caught(verdicts) >= 0.95


def test_whatever_survives_is_known_with_its_reason(verdicts: list[Verdict]):
    known = known_survivors()

    assert sorted(known) == sorted(verdict.mutant.name for verdict in verdicts if verdict.fate == SURVIVED)
    assert all(reason.strip() for reason in known.values())


def test_every_mutant_has_a_name_of_its_own_and_is_another_policy(verdicts: list[Verdict]):
    assert len({verdict.mutant.name for verdict in verdicts}) == len(verdicts)
    for verdict in verdicts:
        assert verdict.mutant.policy != PLAIN, verdict.mutant.name
        if verdict.fate == REFUSED:
            assert "line " in verdict.by, verdict.mutant.name


@pytest.mark.parametrize("rule", [row["id"] for row in PLAIN["raises"]])
def test_cases_of_another_rule_do_not_notice_that_one_is_dropped(rule: str):
    # Given the cases of R1 alone
    givens, stories = all_cases()
    others = Trial(
        TEXT,
        (
            [one for one in givens if one.name.startswith("R1 ")],
            [one for one in stories if one.name.startswith("R1 ")],
        ),
    )

    # When another rule is dropped
    dropped = others.verdict(next(mutant for mutant in mutants(PLAIN) if mutant.name == f"drop {rule}"))

    # Then nobody notices
    assert dropped.fate == SURVIVED, dropped.by


def test_who_is_called_equal_answers_the_same_whatever_it_is_told(verdicts: list[Verdict]):
    chance = random.Random(11)
    some = [told for told in (some_facts(chance) for _ in range(200)) if possibly_told(told)]
    before = [answers(POLICY, told) for told in some]
    equals = [verdict for verdict in verdicts if verdict.fate == EQUAL]
    assert equals

    for verdict in equals:
        other = load_policy(as_text(verdict.mutant.policy))
        assert [answers(other, told) for told in some] == before, verdict.mutant.name


def some_facts(chance: random.Random) -> dict[str, str]:
    """A few facts are other than quiet, and a few are not told at all."""
    told = QUIET | {fact: chance.choice(FACTS[fact]) for fact in chance.sample(sorted(FACTS), chance.randrange(6))}
    return {fact: value for fact, value in told.items() if chance.random() > 0.05}


def possibly_told(told: Mapping[str, str]) -> bool:
    return not any(all(told.get(fact) in values for fact, values in said.items()) for said in NEVER)


def answers(policy: Policy, told: Mapping[str, str]) -> object:
    """All that the tables of a policy answer to some facts."""
    colours = policy.made_colours()
    first = [table.answer(told).rows[0].id for table in (policy.made_destinations(), policy.made_refusals())]
    every = (policy.made_fan_out(), policy.made_safety_conditions(), policy.made_board_request())
    held = [[row.id for row in table.answer(told).rows] for table in every]
    owed = [row.id for row in Table(policy.terms, policy.indicators).each(told)]
    return colours.judge(told), colours.raised(Colour.GREEN, told), first, held, owed


def test_what_is_possible_is_what_some_facts_show():
    chance = random.Random(5)
    facts = ("minor", "colour", "repeats")
    everything = [
        dict(zip(facts, values, strict=True)) for values in product(*((*FACTS[fact], None) for fact in facts))
    ]
    found = set()
    for _ in range(400):
        so, but = ([a_condition(chance, facts) for _ in range(2)] for _ in range(2))

        said = possible(so, but)

        shown = [
            told
            for told in everything
            if all(meets(told, one) for one in so) and not any(meets(told, one) for one in but)
        ]
        assert said is bool(shown), (so, but)
        found.add(said)
    assert found == {True, False}


def a_condition(chance: random.Random, facts: Sequence[str]) -> Condition:
    return [
        {
            fact: frozenset(chance.sample(FACTS[fact], chance.randint(1, len(FACTS[fact]))))
            for fact in chance.sample(facts, chance.randint(1, 2))
        }
        for _ in range(chance.randint(1, 3))
    ]


def meets(told: Mapping[str, str | None], condition: Condition) -> bool:
    return any(all(told[fact] in values for fact, values in said.items()) for said in condition)


def test_the_order_of_a_table_of_which_every_row_counts_is_no_rule():
    chance = random.Random(3)
    some = [QUIET | {fact: chance.choice(FACTS[fact]) for fact in chance.sample(sorted(FACTS), 4)} for _ in range(300)]
    colours = POLICY.made_colours()
    others = [load_policy(as_text(policy)).made_colours() for policy in reordered(PLAIN)]
    assert len(others) == sum(len(PLAIN[table]) - 1 for table in tables().keys() - FIRST_HOLDS)

    for told in some:
        now = colours.judge(told)
        for other in others:
            then = other.judge(told)
            assert (then.colour, then.provisional, then.floor) == (now.colour, now.provisional, now.floor)
            assert sorted(then.rules) == sorted(now.rules)


def test_both_regions_have_the_same_rules():
    one, other = (regions()[name].policy for name in ("hollands-midden", "brabant-zuidoost"))

    assert one.model_copy(update={"name": other.name, "version": other.version}) == other


def test_a_new_row_has_its_mutants_without_a_word_about_it():
    row = {"id": "X2", "to": "VT_CONDITIONS", "when": [{"home": "ELSEWHERE", "colour": ["GREEN", "YELLOW"]}]}
    grown = {**PLAIN, "destinations": [row, *PLAIN["destinations"]]}

    found = {mutant.name for mutant in mutants(grown) if mutant.of == "X2"}

    assert {
        "drop X2",
        "reorder X2 after X1",
        "weaken X2: {home: ELSEWHERE, colour: GREEN|YELLOW} without YELLOW",
        "widen X2: {home: ELSEWHERE, colour: GREEN|YELLOW} without home",
        "widen X2: {home: ELSEWHERE, colour: GREEN|YELLOW} also home: UNKNOWN",
        "X2 to VT_CONDITIONS -> TEAM",
    } <= found
