"""Which region a municipality belongs to, on any date. Read once from package data; pure after that.

Source of ``municipalities.csv``: the 342 municipalities and 25 safety regions of July 2023, from
minvws/nl-covid19-data-dashboard (``packages/common/src/data/gm.ts``); the number was the same in 2024 and
2025. The predecessors of Voorne aan Zee are general knowledge, without a source. *Veilig Thuis* mostly
follows the safety regions, not everywhere: a region here is a default that a directory file may change.

Decisions hang on this table beside the journal: which team serves a household by the code of a municipality that has
ended. So it only ever grows: a row that is there stays, and a municipality gets its last day and its successor before
that day comes. Then a journal that is decided once more, however much later, comes out the same.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True)
class Municipality:
    """One CBS code. Dates are whole days in the Netherlands, the last one included.

    No ``valid_from`` means: older than this table, which does not say since when.
    """

    code: str
    name: str
    region: str
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


def known(code: str) -> bool:
    """Whether a CBS code (four digits, no ``GM``) is or was a municipality."""
    return code in _table()


def name_of(code: str) -> str | None:
    """The name a municipality has or last had; None for an unknown code."""
    found = _table().get(code)
    return found.name if found else None


def region_of(code: str, on: date) -> str | None:
    """The slug of the safety region responsible on a date; None for an unknown code alone.

    An ended municipality answers through its successor: reports go on naming the old code for years.
    """
    return resolve(_table(), code, on)


def regions() -> Mapping[str, str]:
    """Every safety region: slug to name."""
    return _regions()


def current(code: str, on: date) -> str:
    """The code of the municipality in which a place lies on a day; an unknown code stands for itself."""
    return _standing(_table(), code, on)


def ends(code: str) -> tuple[date, str] | None:
    """The last day of a municipality and its successor, when it is known to end or has ended."""
    found = _table().get(code)
    return (found.valid_to, found.successor) if found and found.valid_to and found.successor else None


@lru_cache(maxsize=4_096)
def names_of(code: str, on: date) -> tuple[frozenset[str], ...]:
    """By which codes somebody may mean the same place on a day, the surest first."""
    return tuple(names_in(_table(), code, on))


def resolve(table: Mapping[str, Municipality], code: str, on: date) -> str | None:
    """``region_of`` on a table of one's own.

    A code asked about before it existed answers with its own region: a sender who looks up an old address in
    a new list is not wrong enough to leave a report without a region.
    """
    found = table.get(_standing(table, code, on))
    return found.region if found else None


def names_in(table: Mapping[str, Municipality], code: str, on: date) -> Iterator[frozenset[str]]:
    """``names_of`` on a table of one's own.

    The municipality of that day; those that became part of it, for whoever was not told yet; and those that it will
    become part of, for whoever was told early.
    """
    now = _standing(table, code, on)
    yield frozenset({now})
    yield frozenset(other for other in table if now in _later(table, other))
    yield frozenset(_later(table, now))


def _standing(table: Mapping[str, Municipality], code: str, on: date) -> str:
    found = table.get(code)
    while found and found.successor and found.valid_to and on > found.valid_to:
        code, found = found.successor, table.get(found.successor)
    return code


def _later(table: Mapping[str, Municipality], code: str) -> Iterator[str]:
    """The municipalities that it becomes, one after the other, whenever that is."""
    found = table.get(code)
    while found and found.successor:
        yield found.successor
        found = table.get(found.successor)


def slug(name: str) -> str:
    """A name as a key: ``Noord- en Oost-Gelderland`` becomes ``noord-en-oost-gelderland``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _rows() -> Iterable[dict[str, str]]:
    text = files("agents.reference").joinpath("municipalities.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


@cache
def _table() -> Mapping[str, Municipality]:
    return MappingProxyType(
        {
            row["cbs_code"]: Municipality(
                code=row["cbs_code"],
                name=row["name"],
                region=slug(row["safety_region"]),
                valid_from=_date(row["valid_from"]),
                valid_to=_date(row["valid_to"]),
                successor=row["successor"] or None,
            )
            for row in _rows()
        }
    )


@cache
def _regions() -> Mapping[str, str]:
    names = sorted({row["safety_region"] for row in _rows()})
    return MappingProxyType({slug(name): name for name in names})


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
