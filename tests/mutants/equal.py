"""Whether two policies can be told apart at all: by argument from their rows, not by trying cases. Pure.

Sound: what is called equal here answers the same to any facts, also to facts of which some are not there. A condition
is a list of alternatives, and each names facts and the values for which it is so; whether some facts meet one condition
and not another is found by giving the facts that they name each of their values.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from agents.policy.destinations import FilterRule
from agents.policy.model import Policy
from agents.policy.rules import Row
from agents.policy.terms import TermRule
from agents.policy.vocabulary import FACTS, NONE
from tests.mutants.mutating import FIRST_HOLDS, outcomes, tables
from topics.codes import Colour

Alternative = Mapping[str, frozenset[str | None]]
Condition = Sequence[Alternative]
_ALWAYS: Condition = ({},)

NEVER: Condition = ({"colour": frozenset({Colour.RED.value, NONE}), "provisional": frozenset({"YES"})},)
"""What the code never tells a rule: that rood, or what has no colour, is provisional."""


def why_equal(one: Policy, other: Policy) -> str | None:
    """Why nobody could tell them apart; None when somebody might."""
    if not same_words(one, other) and not all(_same_table(one, other, table) for table in tables()):
        return None
    return "the same rows hold, whatever the facts" if _terms(one) == _terms(other) else None


def same_words(one: Policy, other: Policy) -> bool:
    """Whether every table reads the same."""
    return all(getattr(one, part) == getattr(other, part) for part in (*tables(), "indicators"))


def possible(so: Sequence[Condition], not_so: Sequence[Condition]) -> bool:
    """Whether some facts meet each condition of ``so`` and none of ``not_so``."""
    refused = [said for condition in not_so for said in condition]
    together = (_both(chosen) for chosen in product(*so))
    return any(all(said.values()) and not _covered(said, refused) for said in together)


def _both(alternatives: Sequence[Alternative]) -> Alternative:
    """What is so when each of these is."""
    found: dict[str, frozenset[str | None]] = {}
    for said in alternatives:
        for fact, values in said.items():
            found[fact] = found.get(fact, values) & values
    return found


def _covered(said: Alternative, others: Condition) -> bool:
    """Whether one of ``others`` is so whenever ``said`` is."""
    left = [
        {fact: values for fact, values in other.items() if not said.get(fact, _any(fact)) <= values}
        for other in others
        if all(said.get(fact, values) & values for fact, values in other.items())
    ]
    if {} in left or not left:
        return bool(left)
    fact = next(iter(left[0]))
    # Values between which none of them distinguishes are one.
    kinds = {
        tuple(value in other.get(fact, _any(fact)) for other in left): value for value in said.get(fact, _any(fact))
    }
    return all(_covered({**said, fact: frozenset({value})}, left) for _, value in sorted(kinds.items(), key=_few))


def _few(kind: tuple[tuple[bool, ...], str | None]) -> int:
    """A value that fits few of them shows soonest that they do not cover everything."""
    return sum(kind[0])


def _any(fact: str) -> frozenset[str | None]:
    """Every value; None is that of a fact that is not there."""
    return frozenset((*FACTS[fact], None))


def _same_table(one: Policy, other: Policy, table: str) -> bool:
    return _same_first(one, other, table) if table in FIRST_HOLDS else _same_rows(one, other, table)


def _same_first(one: Policy, other: Policy, table: str) -> bool:
    """Whether always the same row is the first that holds."""
    before: list[Alternative] = [*NEVER]
    for row, condition in _in_order(one, table):
        there: list[Alternative] = []
        for row_there, condition_there in _in_order(other, table):
            if not _says_the_same(row, row_there) and possible([condition, condition_there], [[*before, *there]]):
                return False
            there += condition_there
        before += condition
    return True


def _same_rows(one: Policy, other: Policy, table: str) -> bool:
    """Whether always the same rows hold."""
    # Rood is never provisional, so what makes rood does not tell two such rows apart.
    but = _red(one) if table == "provisional" else []
    here = {row.id: row for row in getattr(one, table)}
    there = {row.id: row for row in getattr(other, table)}
    if table == "provisional" and _red(one) != _red(other):
        return False
    for rule in here.keys() | there.keys():
        if rule in here and rule in there and not _says_the_same(here[rule], there[rule]):
            return False
        first = condition_of(here[rule], one) if rule in here else []
        second = condition_of(there[rule], other) if rule in there else []
        if possible([first], [second, but]) or possible([second], [first, but]):
            return False
    return True


def _red(policy: Policy) -> list[Alternative]:
    return [said for row in policy.colours if row.colour is Colour.RED for said in condition_of(row, policy)]


def condition_of(row: Row, policy: Policy) -> Condition:
    """When a row holds; nothing, for the one that holds when no other does."""
    if not row.when and isinstance(row, TermRule | FilterRule):
        return _ALWAYS
    return list(_alternatives(row, policy))


def _alternatives(row: Row, policy: Policy) -> Iterator[Alternative]:
    for said in row.when:
        asked = [
            [{fact: frozenset(values)} for fact in policy.indicators.get(name, (name,))]
            for name, values in said.items()
        ]
        yield from map(_both, product(*asked))


def _in_order(policy: Policy, table: str) -> list[tuple[Any, Condition]]:
    """The rows of a table with their conditions; the one for everything else comes last."""
    rows = getattr(policy, table)
    found: list[tuple[Any, Condition]] = [(row, condition_of(row, policy)) for row in rows if row.when]
    return found + [(row, _ALWAYS) for row in rows if not row.when]


def _says_the_same(one: Row, other: Row) -> bool:
    return one.id == other.id and all(getattr(one, field) == getattr(other, field) for field in outcomes(type(one)))


def _terms(policy: Policy) -> dict[str, object]:
    """What is no table."""
    return policy.model_dump(mode="json", exclude={*tables(), "indicators"})
