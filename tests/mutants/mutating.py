"""Every way in which one rule of a policy could be a little wrong. Pure: parsed YAML in, mutants out.

By the shape of the model: a table is a part that holds rows, and what a row says beside its condition is its outcome.
A row that is added, or a table, has its mutants without a word here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from agents.policy.destinations import at_the_centre
from agents.policy.model import Policy
from agents.policy.rules import Row
from agents.policy.vocabulary import FACTS
from topics.codes import Colour

Plain = Mapping[str, Any]
"""A policy as YAML gives it."""
Path = tuple[str | int, ...]
_COLOURS = [colour.value for colour in Colour]
_NO_RULES = frozenset({"name", "version", "calendar", "bands", "acts"})
"""Parts that decide about no report: how the policy is called, what it expects, and who may do what (a table of roles
that has a test of its own)."""
_TIME = re.compile(r"(\d\d):(\d\d)")

NAMES = {"keeps": "keep_reasons"}
"""What a row says by the id of a row in another table."""

FIRST_HOLDS = frozenset({"destinations", "refusals"})
"""The tables of which the first row that holds counts: here their order is a rule."""


@dataclass(frozen=True)
class Mutant:
    """A policy in which one rule is another. ``of`` is the id of its row, or the part it stands in."""

    kind: str
    of: str
    name: str
    policy: Plain


def tables() -> dict[str, type[Row]]:
    """The parts of a policy that hold rows, and of which kind."""
    found = {name: get_args(field.annotation) for name, field in Policy.model_fields.items()}
    return {
        name: args[0] for name, args in found.items() if args and isinstance(args[0], type) and issubclass(args[0], Row)
    }


def outcomes(model: type[Row]) -> list[str]:
    """What rows of this kind say beside their condition."""
    return [name for name in model.model_fields if name not in Row.model_fields]


def mutants(policy: Plain) -> Iterator[Mutant]:
    """All of them; each with a name of its own that stays as long as the rule does."""
    for table, model in tables().items():
        for one in _of_table(policy, table, model):
            yield replace(one, policy=_reasoned(one.policy)) if table == "destinations" else one
    yield from _windows(policy)
    yield from _sets(policy)
    for part in Policy.model_fields:
        if part not in {*tables(), *_NO_RULES, "windows", "indicators"}:
            yield from _terms(policy, (part,), part, policy[part])


# Tables --------------------------------------------------------------------------------------------------


def _of_table(policy: Plain, table: str, model: type[Row]) -> Iterator[Mutant]:
    yield from _rows(policy, table)
    for number, row in enumerate(policy[table]):
        yield from _conditions(policy, (table, number), row)
        yield from _outcomes(policy, (table, number), row, model)


def _rows(policy: Plain, table: str) -> Iterator[Mutant]:
    rows = policy[table]
    for number, row in enumerate(rows):
        yield Mutant("drop", row["id"], f"drop {row['id']}", _without(policy, (table, number)))
    if table in FIRST_HOLDS:
        for number, (row, after) in enumerate(pairwise(rows)):
            swapped = [*rows[:number], after, row, *rows[number + 2 :]]
            name = f"reorder {row['id']} after {after['id']}"
            yield Mutant("reorder", row["id"], name, _put(policy, (table,), swapped))


def reordered(policy: Plain) -> Iterator[Plain]:
    """The policy with two neighbours changed round, in the tables of which all rows that hold count."""
    for table in tables().keys() - FIRST_HOLDS:
        rows = policy[table]
        for number in range(len(rows) - 1):
            swapped = [*rows[:number], rows[number + 1], rows[number], *rows[number + 2 :]]
            yield _put(policy, (table,), swapped)


def _conditions(policy: Plain, place: Path, row: Plain) -> Iterator[Mutant]:
    rule, when = row["id"], row.get("when", [])
    for number, said in enumerate(when):
        here = (*place, "when", number)
        if len(when) > 1:  # without the only one the row is dropped
            yield Mutant("weaken", rule, f"weaken {rule}: without {_said(said)}", _without(policy, here))
        for fact, values in said.items():
            name = f"widen {rule}: {_said(said)} without {fact}"
            yield Mutant("widen", rule, name, _without(policy, (*here, fact)))
            yield from _values(policy, (*here, fact), rule, said, _list(values))


def _values(policy: Plain, place: Path, rule: str, said: Plain, values: Sequence[str]) -> Iterator[Mutant]:
    fact = str(place[-1])
    for value in values:
        if len(values) > 1:
            left = [other for other in values if other != value]
            yield Mutant("weaken", rule, f"weaken {rule}: {_said(said)} without {value}", _put(policy, place, left))
    for value in FACTS[policy["indicators"].get(fact, [fact])[0]]:
        if value not in values:
            name = f"widen {rule}: {_said(said)} also {fact}: {value}"
            yield Mutant("widen", rule, name, _put(policy, place, [*values, value]))


def _outcomes(policy: Plain, place: Path, row: Plain, model: type[Row]) -> Iterator[Mutant]:
    for field in outcomes(model):
        if isinstance(row.get(field), list | Mapping):
            yield from _terms(policy, (*place, field), f"{row['id']} {field}", row[field])
        elif row.get(field) is not None:
            if field in NAMES:
                others = [other["id"] for other in policy[NAMES[field]] if other["id"] != row[field]]
            else:
                others = _others(field, model.model_fields[field].annotation, row[field])
            for other in others:
                name = f"{row['id']} {field} {row[field]} -> {other}"
                yield Mutant("outcome", row["id"], name, _put(policy, (*place, field), other))


def _reasoned(policy: Plain) -> Plain:
    """With a reason wherever a case is kept, with none where it is not, and without those that nothing names: else the
    loader would refuse a mutant before any case is asked."""
    first = policy["keep_reasons"][0]["id"]
    rows = [
        {**row, "keeps": row.get("keeps", first)} if at_the_centre(row["to"]) else _without(row, ("keeps",))
        for row in policy["destinations"]
    ]
    named = {row.get("keeps") for row in rows}
    reasons = [reason for reason in policy["keep_reasons"] if reason["id"] in named]
    return {**policy, "destinations": rows, "keep_reasons": reasons}


def _others(field: str, annotation: Any, value: Any) -> list[Any]:
    """What else could stand there: a colour one step away, any other of a closed list, no instead of yes."""
    for one in (annotation, *get_args(annotation)):
        if one is bool:
            return [not value]
        if one is Colour:
            return _neighbours(value)
        if isinstance(one, type) and issubclass(one, Enum):
            return [other.value for other in one if other.value != value]
        if get_origin(one) is Literal:
            return [other for other in get_args(one) if other != value]
    raise TypeError(f"it is not known here what else {field} could be: {annotation}")


# Numbers and sets ----------------------------------------------------------------------------------------


def _windows(policy: Plain) -> Iterator[Mutant]:
    for window, days in policy["windows"].items():
        for other in (days - 1, days + 1):
            name = f"window {window} {days} -> {other}"
            yield Mutant("window", window, name, _put(policy, ("windows", window), other))


def _sets(policy: Plain) -> Iterator[Mutant]:
    for name, members in policy["indicators"].items():
        for number, member in enumerate(members):
            yield Mutant("set", name, f"drop {member} from {name}", _without(policy, ("indicators", name, number)))


def _terms(policy: Plain, place: Path, label: str, value: Any) -> Iterator[Mutant]:
    """What is under a part of terms: each number, moment and colour one unit off; each step, each receiver left out."""
    part = str(place[0])
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _terms(policy, (*place, key), label if key == "at" else f"{label} {key}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value if len(value) > 1 or isinstance(value[0], Mapping) else ()):
            name = inner["step"] if isinstance(inner, Mapping) else inner
            yield Mutant("term", part, f"{label} without {name}", _without(policy, (*place, number)))
            if isinstance(inner, Mapping):
                yield from _terms(policy, (*place, number), f"{label} {name}", inner)
    else:
        for other in _one_off(value):
            yield Mutant("term", part, f"{label} {value} -> {other}", _put(policy, place, other))


def _one_off(value: Any) -> Sequence[int | str]:
    if isinstance(value, int):
        return (value - 1, value + 1)
    if value in _COLOURS:
        return _neighbours(value)
    if time := _TIME.fullmatch(value):
        minutes = int(time[1]) * 60 + int(time[2])
        return [f"{other // 60 % 24:02}:{other % 60:02}" for other in (minutes - 1, minutes + 1)]
    return ()  # the name of a step


def _neighbours(colour: str) -> list[str]:
    place = _COLOURS.index(colour)
    return [_COLOURS[other] for other in (place - 1, place + 1) if 0 <= other < len(_COLOURS)]


# Trees ---------------------------------------------------------------------------------------------------


def _put(tree: Any, place: Path, value: Any) -> Any:
    """The tree with another value at a place; it is left as it is itself."""
    if not place:
        return value
    step, *rest = place
    if isinstance(tree, Mapping):
        return {**tree, step: _put(tree[step], tuple(rest), value)}
    return [_put(inner, tuple(rest), value) if number == step else inner for number, inner in enumerate(tree)]


def _without(tree: Any, place: Path) -> Any:
    """The tree without what is at a place."""
    *parent, last = place
    inner: Any = tree
    for step in parent:
        inner = inner[step]
    if isinstance(inner, Mapping):
        left: Any = {key: value for key, value in inner.items() if key != last}
    else:
        left = [value for number, value in enumerate(inner) if number != last]
    return _put(tree, tuple(parent), left)


def _list(values: Any) -> list[str]:
    return values if isinstance(values, list) else [values]


def _said(said: Plain) -> str:
    """An alternative, as a policy writes it."""
    return "{" + ", ".join(f"{fact}: {'|'.join(_list(values))}" for fact, values in said.items()) + "}"
