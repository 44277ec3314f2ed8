"""Invented households of one region, and what becomes of them in two years: who lives where with whom, day by day.

Nobody here exists. Names and streets are in ``names.yaml``; how often something happens is in ``Habits``, as
assumptions that can be read. The same seed gives the same households.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from topics.reports import is_bsn

START = date(2025, 1, 1)
DAYS = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How often what is so, as a share of the households unless said otherwise. All of it is assumed."""

    couple: float = 0.72
    mother_alone: float = 0.18
    """The rest: somebody old, and a grown-up child who cares."""
    married_names: float = 1.0
    twins: float = 0.03
    moves: float = 0.18
    divorces: float = 0.1
    """Of couples. The one who leaves lives elsewhere with a new partner, and mostly her child."""
    stays_behind: float = 0.35
    """Of divorces: not he leaves but she and the children do, and his new partner comes to live in the old house."""
    second_reported: float = 0.4
    """Of his new households: so many are reported as well, the others not."""
    births: float = 0.06
    new_partner: float = 0.15
    """Of mothers alone."""
    shelter: float = 0.04
    relet: float = 0.5
    """Of the moves so many are into a house that another of these households has left."""
    undocumented: float = 0.03
    """Of persons: they have no BSN. So have those for whom the invented numbers are not enough."""


@dataclass(frozen=True, slots=True)
class Home:
    """A front door."""

    postcode: str
    number: int
    suffix: str | None
    street: str
    town: str
    municipality: str
    institutional: bool = False


@dataclass(eq=False, slots=True)
class Person:
    """Somebody invented."""

    id: int
    surname: str
    given: str
    born: date
    female: bool
    bsn: str | None
    married: str | None = None
    """Both surnames, when the partner's is used too."""

    def age(self, on: date) -> int:
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


@dataclass(slots=True)
class Member:
    """Somebody in a household, from a day until before another."""

    person: Person
    part: str
    """``MOTHER``, ``FATHER`` (or her partner), ``CHILD``, ``ELDER`` or ``CARER``."""
    since: date = date.min
    until: date = date.max


@dataclass(slots=True)
class Household:
    """People who belong together, and where they have lived."""

    number: int
    members: list[Member]
    homes: list[tuple[date, Home]]
    since: date = START
    violent: Person | None = None
    """Of whom the violence comes, if of anybody."""
    due: date | None = None
    """When the child that is born in these years was due."""

    def home(self, on: date) -> Home:
        """Where they live on a day."""
        return [home for since, home in self.homes if since <= on][-1]

    def people(self, on: date) -> list[Member]:
        """Who belongs to it on a day."""
        return [member for member in self.members if member.since <= on < member.until and member.person.born <= on]

    def mother(self) -> Member | None:
        return next((member for member in self.members if member.part == "MOTHER"), None)


@dataclass(frozen=True, slots=True)
class Names:
    """What ``names.yaml`` holds."""

    towns: list[dict[str, Any]]
    streets: list[str]
    groups: list[dict[str, Any]]
    given: dict[str, list[str]]
    surname: dict[str, list[str]]


@cache
def names() -> Names:
    """The names and streets, read once."""
    return Names(**yaml.safe_load(Path(__file__).with_name("names.yaml").read_text("utf-8")))


@dataclass(slots=True)
class Region:
    """The households while they are made: what was given out already."""

    chance: random.Random
    habits: Habits = field(default_factory=Habits)
    households: list[Household] = field(default_factory=list)
    _persons: int = 0
    _homes: int = 0
    _bsns: list[str] = field(default_factory=list)
    _left: list[tuple[date, Home]] = field(default_factory=list)
    """Houses that somebody has left, and when."""

    def __post_init__(self) -> None:
        self._bsns = [digits for rest in range(100_000) if is_bsn(digits := f"9999{rest:05d}")]
        self.chance.shuffle(self._bsns)

    # People ----------------------------------------------------------------------------------------------

    def person(self, group: dict[str, Any], female: bool, born: date, surname: str | None = None) -> Person:
        """Somebody new of these names."""
        surname = surname or drawn(self.chance, group["surnames"])
        if female:
            for ending, hers in group.get("feminine", {}).items():
                surname = surname.removesuffix(ending) + hers if surname.endswith(ending) else surname
        self._persons += 1
        numbered = self._bsns and self.chance.random() >= self.habits.undocumented
        given = drawn(self.chance, group["women" if female else "men"])
        return Person(self._persons, surname, given, born, female, self._bsns.pop() if numbered else None)

    def born(self, youngest: int, oldest: int) -> date:
        """A birthday of somebody of that age at the start; a few know the year alone, and bear the first of January."""
        day = START - timedelta(days=self.chance.randrange(youngest * 365, oldest * 365))
        return day.replace(month=1, day=1) if self.chance.random() < 0.01 else day

    def children(self, group: dict[str, Any], surname: str, how_many: int) -> list[Member]:
        found: list[Member] = []
        for _ in range(how_many):
            found.append(Member(self.person(group, self.chance.random() < 0.5, self.born(1, 17), surname), "CHILD"))
        if found and self.chance.random() < self.habits.twins:
            twin = self.person(group, self.chance.random() < 0.5, found[0].person.born, surname)
            if twin.given != found[0].person.given:
                found.append(Member(twin, "CHILD"))
        return found

    # Houses ----------------------------------------------------------------------------------------------

    def new_home(self) -> Home:
        """A house that was nobody's yet: in a street, in a flat of many numbers, or at one number with suffixes."""
        self._homes += 1
        lot, place = divmod(self._homes, 24)
        names_ = names()
        town = names_.towns[lot % len(names_.towns)]
        first, last = map(int, town["postcodes"].split("-"))
        digits = first + (lot * 7) % (last - first + 1)
        letters = f"{chr(65 + lot // 26 % 26)}{chr(65 + lot % 26)}"
        street = names_.streets[lot % len(names_.streets)]
        number, suffix = 3 + 2 * place, None
        if lot % 4 == 1:
            number = 101 + place
        elif lot % 4 == 2:
            number, suffix = 12 + lot % 9, chr(65 + place)
        return Home(f"{digits} {letters}", number, suffix, street, town["name"], town["municipality"])

    def home_on(self, day: date) -> Home:
        """Where somebody moves to on a day."""
        free = [place for place, (left, _) in enumerate(self._left) if left < day]
        if free and self.chance.random() < self.habits.relet:
            return self._left.pop(self.chance.choice(free))[1]
        return self.new_home()

    def shelter(self) -> Home:
        """One of three, known as institutions to whoever reports from there."""
        number = self.chance.randrange(3)
        return Home(f"280{number + 1} XZ", 4, None, "Hofje", "Gouda", "0513", institutional=True)

    # What happens ----------------------------------------------------------------------------------------

    def add(self) -> None:
        """One more household, and what comes of it in two years."""
        chance, habits = self.chance, self.habits
        groups = names().groups
        group = chance.choices(groups, [found["share"] for found in groups])[0]
        kind = chance.random()
        if kind >= habits.couple + habits.mother_alone:
            self._households(self._old_and_carer(group))
            return
        mother = Member(self.person(group, True, self.born(20, 45)), "MOTHER")
        members = [mother]
        surname = mother.person.surname
        father: Member | None = None
        if kind < habits.couple:
            other = group if chance.random() < 0.85 else chance.choices(groups, [g["share"] for g in groups])[0]
            father = Member(self.person(other, False, self.born(20, 48)), "FATHER")
            members.append(father)
            surname = father.person.surname if chance.random() < 0.7 else surname
            if chance.random() * 100 < group.get("double", 0) * habits.married_names:
                mother.person.married = f"{father.person.surname}-{mother.person.surname}"
        members += self.children(group, surname, chance.choices((0, 1, 2, 3), (15, 30, 38, 17))[0])
        household = self._households(members)
        if father is not None and chance.random() < 0.8:
            household.violent = father.person if chance.random() < 0.85 else mother.person
        if chance.random() < habits.births:
            self._birth(household, group, surname)
        if father is not None and chance.random() < habits.divorces:
            self._divorce(household, father, group)
        elif father is None and chance.random() < habits.new_partner:
            partner = Member(self.person(group, False, self.born(20, 48)), "FATHER", since=self._day())
            household.members.append(partner)
            household.violent = partner.person
        elif chance.random() < habits.shelter:
            self._flight(household)
        elif chance.random() < habits.moves:
            self._move(household, self._day())

    def _households(self, members: list[Member], since: date = START, home: Home | None = None) -> Household:
        household = Household(len(self.households), members, [(date.min, home or self.home_on(since))], since)
        self.households.append(household)
        return household

    def _old_and_carer(self, group: dict[str, Any]) -> list[Member]:
        female = self.chance.random() < 0.6
        old = self.person(group, female, self.born(72, 94))
        carer = self.person(group, self.chance.random() < 0.5, self.born(40, 60), old.surname)
        return [Member(old, "ELDER"), Member(carer, "CARER")]

    def _birth(self, household: Household, group: dict[str, Any], surname: str) -> None:
        day = START + timedelta(days=self.chance.randrange(60, DAYS - 60))
        household.members.append(
            Member(self.person(group, self.chance.random() < 0.5, day, surname), "CHILD", since=day)
        )
        household.due = day + timedelta(days=int(self.chance.triangular(-14, 40, 0)))

    def _divorce(self, household: Household, father: Member, group: dict[str, Any]) -> None:
        day = self._day()
        father.until = day
        old = household.home(day)
        partner = Member(self.person(group, True, self.born(20, 45)), "MOTHER")
        members = [Member(father.person, "FATHER"), partner]
        if self.chance.random() < 0.6:
            members += self.children(group, drawn(self.chance, group["surnames"]), 1)
        stays = self.chance.random() < self.habits.stays_behind
        if stays:
            household.homes.append((day, self.home_on(day)))
        if self.chance.random() >= self.habits.second_reported:
            return
        second = self._households(members, day, old if stays else self.home_on(day))
        second.violent = father.person if self.chance.random() < 0.75 else None

    def _flight(self, household: Household) -> None:
        """She goes to a shelter with the children, and later to a house of her own."""
        day = self._day()
        for member in household.members:
            if member.part == "FATHER":
                member.until = day
        household.homes.append((day, self.shelter()))
        household.homes.append((day + timedelta(days=self.chance.randrange(40, 150)), self.home_on(day)))

    def _move(self, household: Household, day: date) -> None:
        self._left.append((day, household.home(day)))
        household.homes.append((day, self.home_on(day)))

    def _day(self) -> date:
        return START + timedelta(days=self.chance.randrange(60, DAYS - 120))


def households(chance: random.Random, how_many: int, habits: Habits | None = None) -> list[Household]:
    """So many households, and beside them those that come of a divorce."""
    region = Region(chance, habits or Habits())
    for _ in range(how_many):
        region.add()
    return region.households


def drawn(chance: random.Random, common: Sequence[str]) -> str:
    """One of these: of a list that begins with what is most common (the n-th with weight 1 / root of n)."""
    return chance.choices(common, [place**-0.5 for place in range(1, len(common) + 1)])[0]
