"""Invented households: who lives together, where, and by what they are known again. Pure but for the chance given."""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from agents.policy.directory import Directory
from agents.policy.loading import Part, load
from agents.reference import municipalities, population
from pipeline.synthetic.figures import Ages, Figures
from topics.base import Line
from topics.codes import Occasion
from topics.reports import is_bsn

NAMES = Path(__file__).with_name("names.yaml")
NOWHERE = "9999"
"""PC4 of a municipality of whose postcodes the directory says nothing; no team is found by it."""
_HOUSES = 200
_LETTERS = "ABCDEFGHJKLMNPRSTVWXZ"
_OF_CHILDREN = frozenset({Occasion.CHILD_OTHER, Occasion.CHILD_DIVORCE_CONFLICT, Occasion.CHILD_CHECK})

K = TypeVar("K")
Person = dict[str, Any]
"""A participant, as a report that knows everything would have it."""


class Names(Part):
    """What people and streets are called."""

    surnames: tuple[Line, ...]
    women: tuple[Line, ...]
    men: tuple[Line, ...]
    streets: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Household:
    """One address and who lives there. ``minor``, ``infant`` and ``pregnant``: whether there is one."""

    occasion: Occasion
    municipality: str
    address: dict[str, Any]
    people: tuple[Person, ...]
    minor: bool
    infant: bool
    pregnant: bool


@cache
def names() -> Names:
    """The names of the file beside this one."""
    return load(Names, NAMES.read_text(encoding="utf-8"))


def drawn(chance: Random, parts: Mapping[K, float]) -> K:
    """One of them, by their percentages."""
    return chance.choices(list(parts), list(parts.values()))[0]


def often(chance: Random, percent: float) -> bool:
    """True in so many of a hundred."""
    return chance.random() * 100 < percent


def households(directory: Directory, found: Figures, chance: Random, on: date) -> Iterator[Household]:
    """One household after another, no two at one address; ages count on a day. Without end."""
    places = {code: population.inhabitants(code) or 0 for code in directory.municipalities}
    postcodes = {
        code: [pc4 for one in directory.receivers if code in one.municipalities for pc4 in one.postcodes] or [NOWHERE]
        for code in places
    }
    occasions = {occasion: about.percent for occasion, about in found.occasions.items()}
    bsns = _bsns(chance)
    number = 0
    while True:
        code, occasion = drawn(chance, places), drawn(chance, occasions)
        people, infant, pregnant = _people(found, chance, occasion, on, bsns)
        pair, house = divmod(number, _HOUSES)
        first, second = divmod(pair, len(_LETTERS))
        address: dict[str, Any] = {
            "postcode": f"{chance.choice(postcodes[code])} {_LETTERS[first % len(_LETTERS)]}{_LETTERS[second]}",
            "house_number": house + 1,
            "street": chance.choice(names().streets),
            "town": municipalities.name_of(code),
        }
        if often(chance, found.secret.percent):
            address["secret"] = True
        minor = any(person["is_minor"] == "YES" for person in people)
        yield Household(occasion, code, address, tuple(people), minor, infant, pregnant)
        number += 1


def _people(
    found: Figures, chance: Random, occasion: Occasion, on: date, bsns: Iterator[str]
) -> tuple[list[Person], bool, bool]:
    """Who is involved; whether an infant is, and whether somebody is pregnant."""
    surname = chance.choice(names().surnames)
    elder = occasion is Occasion.ELDER_OR_DERAILED_CARE
    woman, years = _person(found.elderly if elder else found.adults, "FEMALE", surname, chance, on, bsns)
    man, _ = _person(found.adults, "MALE", chance.choice(names().surnames), chance, on, bsns)
    pregnant = years <= 42 and often(chance, found.pregnant.percent)
    woman["pregnant"] = "YES" if pregnant else "NO"
    woman["dependent"] = "YES" if elder and often(chance, found.dependent.percent) else "NO"
    woman["role"] = "PARENT" if occasion in _OF_CHILDREN else "VICTIM"
    man["role"] = "ALLEGED_PERPETRATOR"
    people, infant = [woman, man], False
    while often(chance, found.minors.more if len(people) > 2 else found.occasions[occasion].minors) and len(people) < 6:
        sex = chance.choice(("FEMALE", "MALE"))
        child, age = _person(found.minors, sex, surname, chance, on, bsns)
        people.append(child | {"role": "CHILD", "is_minor": "YES"})
        infant = infant or age == 0
    if often(chance, found.measure.percent) and len(people) > 2:
        people[-1]["known_measures"] = ["OTS"]
    return people, infant, pregnant


def _person(ages: Ages, sex: str, surname: str, chance: Random, on: date, bsns: Iterator[str]) -> tuple[Person, int]:
    """Somebody of no role yet, and his age in years."""
    first, last = drawn(chance, {span.years: span.percent for span in ages.spans})
    years = chance.randint(first, last)
    person = {
        "surname": surname,
        "given_names": chance.choice(names().women if sex == "FEMALE" else names().men),
        "birth_date": _born(years, chance, on).isoformat(),
        "sex": sex,
        "is_minor": "NO",
        "dependent": "NO",
        "pregnant": "NO",
    }
    # There are some nine thousand; who comes after them is known by name, birth date and address.
    bsn = next(bsns, None)
    return (person | {"bsn": bsn} if bsn else person), years


def _born(years: int, chance: Random, on: date) -> date:
    """A birthday of somebody who is that old on a day."""
    month_end = monthrange(on.year - years, on.month)[1]
    latest = date(on.year - years, on.month, min(on.day, month_end))
    return latest - timedelta(days=chance.randrange(365))


def _bsns(chance: Random) -> Iterator[str]:
    """Every number of nobody (9999xxxxx, passing the eleven-test), in an order of chance."""
    found: Sequence[str] = [digits for rest in range(100_000) if is_bsn(digits := f"9999{rest:05d}")]
    return iter(chance.sample(found, len(found)))
