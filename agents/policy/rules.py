"""Rules as rows of a table: what a row holds for, asked of facts. Pure; what follows from a row is the caller's.

A row has one or more alternatives, and each names values of facts, all of which must be so. A set of indicators stands
for each of its members: ``acute: YES`` is so when any one of them was answered YES. A row without a condition is the
one for whatever no other row of its table holds for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
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
    _so: Mapping[str, tuple[_Alternative, ...]]
    """Row -> those of its alternatives that are so."""

    def used(self) -> Iterator[str]:
        """The facts by which they hold."""
        return (fact for row in self.rows for one in self._so.get(row.id, ()) for fact, _ in one)


class Table(Generic[R]):
    """Rows that can be asked. They must be free of ``mistakes``."""

    def __init__(self, rows: Sequence[R], sets: Sets) -> None:
        self._rows = tuple(rows)
        self._when: dict[str, tuple[_Alternative, ...]] = {row.id: tuple(_alternatives(row, sets)) for row in rows}
        self.asks = frozenset(fact for found in self._when.values() for one in found for fact, _ in one)
        """The facts that any row asks for."""

    def each(self, facts: Facts) -> tuple[R, ...]:
        """Every row that holds; one without a condition always does."""
        return tuple(
            row
            for row in self._rows
            if not row.when or any(all(facts.get(fact) in values for fact, values in one) for one in self._when[row.id])
        )

    def unknown(self, facts: Facts) -> tuple[str, ...]:
        """The facts that nobody knows, of the rows that do not hold and might if they were known."""
        found: dict[str, None] = {}
        for alternatives in self._when.values():
            if any(all(facts.get(fact) in values for fact, values in one) for one in alternatives):
                continue
            for one in alternatives:
                open_ones = [fact for fact, values in one if facts.get(fact) == "UNKNOWN" and "UNKNOWN" not in values]
                known = all(facts.get(fact) in values for fact, values in one if fact not in open_ones)
                found.update(dict.fromkeys(open_ones if known else ()))
        return tuple(found)

    def answer(self, facts: Facts) -> Answer[R]:
        """Every row that holds; else the rows without a condition. A fact that is not there is of no value."""
        so = {
            row: those
            for row, alternatives in self._when.items()
            if (those := tuple(one for one in alternatives if all(facts.get(fact) in values for fact, values in one)))
        }
        held = tuple(row for row in self._rows if row.id in so)
        return Answer(held or tuple(row for row in self._rows if not row.when), so)


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
