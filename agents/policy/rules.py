"""Rules as rows of a table: what a row holds for, asked of facts. Pure; what follows from a row is the caller's.

A row has one or more alternatives, and each names values of facts, all of which must be so. A set of indicators stands
for each of its members: ``acute: YES`` is so when any one of them was answered YES. A row without a condition is the
one for whatever no other row of its table holds for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field

from agents.policy.loading import Mistake, Part
from agents.policy.vocabulary import FACTS
from topics.base import Line

Facts = Mapping[str, str]
Sets = Mapping[str, Sequence[str]]
_Alternative = tuple[tuple[str, frozenset[str]], ...]
"""Facts, and the values for which each is so; all of them must be."""


def _values(said: Any) -> Any:
    """One value stands for a list of one."""
    return said if isinstance(said, list | tuple) else [said]


class Row(Part):
    """One rule, as a policy states it."""

    id: Line
    nl: Line
    en: Line
    source: Literal["fact", "assumption"] = Field(description="whether it stands in a source, or we assume it")
    when: tuple[dict[str, Annotated[tuple[str, ...], BeforeValidator(_values)]], ...] = Field(
        default=(), description="alternatives; none: for whatever no other row holds for"
    )


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """Which rows of a table hold for some facts, in the order of the table."""

    rows: tuple[R, ...]
    _table: "Table[R]"
    _so: int
    """A bit for each alternative of the table that is so."""

    def used(self) -> Iterator[str]:
        """The facts by which they hold."""
        return self._table.facts_of(self.rows, self._so)


class Table(Generic[R]):
    """Rows that can be asked. They must be free of ``mistakes``.

    Each alternative of each row is a bit; a value of a fact leaves the bits of those that it fits. So a table is
    answered in the time of its facts, however many rows and alternatives it has: every report asks all tables.
    """

    def __init__(self, rows: Sequence[R], sets: Sets) -> None:
        self._rows = tuple(rows)
        self._alternatives: list[_Alternative] = []
        self._bits: dict[str, int] = {}
        """Row -> the bits of its alternatives."""
        for row in rows:
            mine = list(_alternatives(row, sets))
            self._bits[row.id] = ((1 << len(mine)) - 1) << len(self._alternatives)
            self._alternatives += mine
        self.asks = frozenset(fact for one in self._alternatives for fact, _ in one)
        """The facts that any row asks for."""
        self._fits = tuple((fact, *self._fitting(fact)) for fact in sorted(self.asks))
        self._without = tuple(row for row in self._rows if not row.when)

    def answer(self, facts: Facts) -> Answer[R]:
        """Every row that holds; else the rows without a condition. A fact that is not there is of no value."""
        so = self._so(facts)
        held = tuple(row for row in self._rows if self._bits[row.id] & so)
        return Answer(held or self._without, self, so)

    def each(self, facts: Facts) -> tuple[R, ...]:
        """Every row that holds; one without a condition always does."""
        so = self._so(facts)
        return tuple(row for row in self._rows if not row.when or self._bits[row.id] & so)

    def unknown(self, facts: Facts) -> tuple[str, ...]:
        """The facts that nobody knows, of the rows that do not hold and might if they were known."""
        if not any(facts.get(fact) == "UNKNOWN" for fact in self.asks):
            return ()
        so, found = self._so(facts), dict[str, None]()
        for row in self._rows:
            for one in self._of(self._bits[row.id] if not self._bits[row.id] & so else 0):
                open_ones = [fact for fact, values in one if facts.get(fact) == "UNKNOWN" and "UNKNOWN" not in values]
                known = all(facts.get(fact) in values for fact, values in one if fact not in open_ones)
                found.update(dict.fromkeys(open_ones if known else ()))
        return tuple(found)

    def facts_of(self, rows: Sequence[R], so: int) -> Iterator[str]:
        """The facts that the alternatives of these rows name, as far as they are among ``so``."""
        return (fact for row in rows for one in self._of(self._bits[row.id] & so) for fact, _ in one)

    def _so(self, facts: Facts) -> int:
        so, known = (1 << len(self._alternatives)) - 1, facts.get
        for fact, by_value, otherwise in self._fits:
            so &= by_value.get(known(fact), otherwise)
        return so

    def _fitting(self, fact: str) -> tuple[dict[str | None, int], int]:
        """Value of a fact -> the alternatives that it fits; and those that do not ask for it."""
        asked = [[values for named, values in one if named == fact] for one in self._alternatives]
        bits = [1 << number for number in range(len(asked))]
        otherwise = sum(bit for bit, several in zip(bits, asked, strict=True) if not several)
        named = {value for several in asked for values in several for value in values}
        by_value: dict[str | None, int] = {
            value: sum(
                bit for bit, several in zip(bits, asked, strict=True) if all(value in values for values in several)
            )
            for value in named
        }
        return by_value, otherwise

    def _of(self, bits: int) -> Iterator[_Alternative]:
        return (one for number, one in enumerate(self._alternatives) if bits >> number & 1)


MOST_ALTERNATIVES = 2_000
"""Of one table; a set in a condition stands for each of its members, and two of them for each pair. The sample policy
has some 100 in its largest."""


def mistakes(table: str, rows: Sequence[Row], sets: Sets, unknown_yet: frozenset[str] = frozenset()) -> list[Mistake]:
    """What is wrong with the conditions of a table. ``unknown_yet`` are facts that are only made of its outcome."""
    found: list[Mistake] = []
    for number, row in enumerate(rows):
        if row.id in {before.id for before in rows[:number]}:
            found.append(((table, number, "id"), f"{row.id} staat er twee keer / stands there twice"))
        for place, said in enumerate(row.when):
            where = (table, number, "when", place)
            if not said:
                found.append((where, "een voorwaarde die niets vraagt / a condition that asks for nothing"))
            for name, values in said.items():
                found += [((*where, name), wrong) for wrong in _wrong(name, values, sets, unknown_yet)]
    # Counted, never made: a few sets of thirty each are millions.
    many = sum(prod(len(sets.get(name, (name,))) for name in said) for row in rows for said in row.when)
    if many > MOST_ALTERNATIVES:
        wrong = f"{many} combinaties, hoogstens {MOST_ALTERNATIVES} / combinations, at most {MOST_ALTERNATIVES}"
        found.append(((table,), wrong))
    return found


def _alternatives(row: Row, sets: Sets) -> Iterator[_Alternative]:
    for said in row.when:
        asked = [[(fact, frozenset(values)) for fact in sets.get(name, (name,))] for name, values in said.items()]
        yield from product(*asked)


def _wrong(name: str, values: Sequence[str], sets: Sets, unknown_yet: frozenset[str]) -> Iterator[str]:
    facts = sets.get(name, (name,))
    if facts[0] not in FACTS or facts[0] in unknown_yet:
        possible = ", ".join([*sets, *(fact for fact in FACTS if fact not in unknown_yet)])
        yield f"{name} kan hier niet worden gevraagd / cannot be asked here; wel / but: {possible}"
        return
    for value in values:
        if value not in FACTS[facts[0]]:
            yield f"{name} is nooit / is never {value}; wel / but: {', '.join(FACTS[facts[0]])}"
