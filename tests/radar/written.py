"""What reporters write of the invented households: reports of the contract, and of which household each is.

Which kind of reporter knows what is assumed, in ``REPORTERS``. With ``errors`` they misspell, mistype and leave out
besides, at the rates of ``Errors``.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.radar.households import DAYS, START, Home, Household, Member, Person, names
from topics.codes import Indicator

ALL_NO = {found.value: "NO" for found in Indicator}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """What somebody who reports knows of whom, as shares."""

    weight: int
    source: str
    capacity: str
    adults: float
    children: float
    bsn: float
    surname: float
    given: float
    born: float
    """The whole birth date; of the rest of the persons half have the year alone."""
    address: float


REPORTERS = (
    Reporter(
        weight=55, source="politie-hollands-midden", capacity="POLICE",
        adults=0.96, children=0.9, bsn=0.85, surname=1.0, given=0.99, born=0.97, address=0.99,
    ),
    Reporter(
        weight=14, source="scholen-hollands-midden", capacity="SCHOOL",
        adults=0.7, children=0.97, bsn=0.5, surname=0.99, given=0.97, born=0.85, address=0.92,
    ),
    Reporter(
        weight=21, source="zorg-hollands-midden", capacity="GP",
        adults=0.85, children=0.85, bsn=0.7, surname=1.0, given=0.95, born=0.92, address=0.93,
    ),
    Reporter(
        weight=10, source="burgerportaal-hollands-midden", capacity="NEIGHBOUR",
        adults=0.75, children=0.6, bsn=0.0, surname=0.6, given=0.5, born=0.05, address=0.96,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How often what is written is not so, of what is written at all."""

    spelling: float = 0.12
    """A name as somebody heard it or calls that person, where the list of names knows another spelling."""
    typing: float = 0.04
    """One letter of a name wrong, missing, doubled, or swapped with the next."""
    date_swapped: float = 0.02
    date_digit: float = 0.03
    partial: float = 0.05
    """Of birth dates the day, or day and month, are left out."""
    suffix_missing: float = 0.1
    house_number: float = 0.01
    postcode: float = 0.015


NONE = Errors(
    spelling=0, typing=0, date_swapped=0, date_digit=0, partial=0.03, suffix_missing=0, house_number=0, postcode=0
)
"""Nothing is wrong; a few dates are partial all the same."""


FORMER = 0.3
"""Of the reports after a divorce: he who left is named all the same, as the alleged perpetrator."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report, and the truth about it."""

    household: int
    persons: frozenset[int]
    """Who is named in it, and is not the alleged perpetrator."""
    perpetrators: frozenset[int]
    on: date
    report: dict[str, Any]


SEVERAL = (40, 28, 20, 12)
"""Of a hundred households so many have one, two, three, four reports."""


def reports(seed: int, households: Iterable[Household], errors: Errors = NONE) -> list[Written]:
    """One to four reports of each household, in the order in which they come.

    The same seed gives the same reports: with other errors they differ in what is written wrong, and in nothing else.
    """
    chance = random.Random(seed)
    found = []
    for household in households:
        for _ in range(chance.choices(range(1, len(SEVERAL) + 1), SEVERAL)[0]):
            left = (START + timedelta(days=DAYS) - household.since).days
            on = household.since + timedelta(days=chance.randrange(left))
            found.append(_written(chance, household, on, errors))
    return sorted(found, key=lambda one: (one.on, one.report["report_id"]))


def _written(chance: random.Random, household: Household, on: date, errors: Errors) -> Written:
    reporter = chance.choices(REPORTERS, [one.weight for one in REPORTERS])[0]
    slips = random.Random(chance.getrandbits(64))
    home = household.home(on)
    members = household.people(on)
    gone = next((one for one in household.members if one.person is household.violent and one.until <= on), None)
    if gone is not None and chance.random() < FORMER:
        members.append(gone)
    named = [
        member for member in members
        if chance.random() < (reporter.children if member.part == "CHILD" else reporter.adults)
    ]  # fmt: skip
    unborn = household.due is not None and 0 < (household.due - on).days < 200
    has_address = chance.random() < reporter.address or not named
    roles = {member.person.id: _role(chance, household, member, unborn) for member in named}
    violent = {who for who, role in roles.items() if role == "ALLEGED_PERPETRATOR"}
    people = [_participant(chance, slips, reporter, member, roles[member.person.id], on, errors) for member in named]
    for person, member in zip(people, named, strict=True):
        if unborn and member.part == "MOTHER" and household.due is not None:
            person |= {"pregnant": "YES", "due_date": household.due.isoformat()}
    chance.shuffle(people)
    report: dict[str, Any] = {
        "report_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "source_id": reporter.source,
        "source_ref": f"{reporter.capacity}-{on:%Y}-{chance.randrange(10**6):06d}",
        "channel": "WEB_CITIZEN" if reporter.capacity == "NEIGHBOUR" else "API",
        "received_at": f"{on.isoformat()}T{chance.randrange(7, 23):02d}:{chance.randrange(60):02d}:00+01:00",
        "kind": "REPORT",
        "reporter": {"capacity": reporter.capacity},
        "occasions": ["PARTNER" if violent else "CHILD_OTHER"],
        "participants": people,
        "indicators": ALL_NO,
        "municipality": home.municipality,
    }
    if has_address:
        report["address"] = _address(slips, home, errors)
    persons = frozenset(roles) - violent
    return Written(household.number, persons, frozenset(violent), on, report)


def _role(chance: random.Random, household: Household, member: Member, unborn: bool) -> str:
    if household.violent is member.person and chance.random() < 0.8:
        return "ALLEGED_PERPETRATOR"
    if member.part == "CHILD":
        return "CHILD"
    if member.part == "MOTHER" and unborn and chance.random() < 0.7:
        return "MOTHER_OF_UNBORN"
    if member.part in ("ELDER", "MOTHER") and (household.violent is not None or member.part == "ELDER"):
        return "VICTIM"
    return "PARENT" if member.part in ("MOTHER", "FATHER") else "HOUSEHOLD_MEMBER"


def _participant(
    chance: random.Random,
    slips: random.Random,
    reporter: Reporter,
    member: Member,
    role: str,
    on: date,
    errors: Errors,
) -> dict[str, Any]:
    person = member.person
    found: dict[str, Any] = {"role": role, "sex": "FEMALE" if person.female else "MALE"}
    found["is_minor"] = "YES" if person.age(on) < 18 else "NO"
    if person.bsn is not None and chance.random() < reporter.bsn:
        found["bsn"] = person.bsn
    if chance.random() < reporter.surname:
        found["surname"] = _surname(chance, slips, person, errors)
    if chance.random() < reporter.given:
        found["given_names"] = _misspelt(slips, person.given, names().given, errors)
    if chance.random() < reporter.born:
        found["birth_date"] = _date(slips, person.born, errors)
    elif chance.random() < 0.5:
        found["birth_date"] = f"{person.born.year}"
    return found


def _surname(chance: random.Random, slips: random.Random, person: Person, errors: Errors) -> str:
    if person.married is None or chance.random() < 0.5:
        return _misspelt(slips, person.surname, names().surname, errors)
    partner, own = person.married.split("-", 1)
    both = [_misspelt(slips, one, names().surname, errors) for one in (partner, own)]
    # Some write the own name first.
    return "-".join(both if chance.random() < 0.7 else both[::-1])


def _misspelt(chance: random.Random, name: str, known: dict[str, list[str]], errors: Errors) -> str:
    if name in known and chance.random() < errors.spelling:
        name = chance.choice(known[name])
    return mistyped(chance, name) if chance.random() < errors.typing else name


def mistyped(chance: random.Random, name: str) -> str:
    """One letter wrong, missing, doubled, or swapped with the next; mostly not the first."""
    place = chance.randrange(1 if chance.random() < 0.9 else 0, max(2, len(name)))
    before, here, after = name[:place], name[place : place + 1], name[place + 1 :]
    kind = chance.randrange(4)
    if kind == 0:
        return before + chance.choice("abcdefghijklmnoprstuvwz") + after
    if kind == 1 and len(name) > 2:
        return before + after
    if kind == 2:
        return before + here + here + after
    return before + after[:1] + here + after[1:]


def _date(chance: random.Random, born: date, errors: Errors) -> str:
    said = born.isoformat()
    kind = chance.random()
    if kind < errors.partial:
        return said[:7] if chance.random() < 0.5 else said[:4]
    kind -= errors.partial
    if kind < errors.date_swapped and born.day <= 12:
        return f"{said[:4]}-{said[8:]}-{said[5:7]}"
    kind -= errors.date_swapped
    if 0 <= kind < errors.date_digit:
        for _ in range(20):
            place = chance.choice((2, 3, 5, 6, 8, 9))
            wrong = said[:place] + chance.choice("0123456789") + said[place + 1 :]
            if wrong != said and _is_date(wrong):
                return wrong
    return said


def _is_date(text: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(text).year <= 2026
    except ValueError:
        return False


def _address(chance: random.Random, home: Home, errors: Errors) -> dict[str, Any]:
    found: dict[str, Any] = {
        "postcode": home.postcode,
        "house_number": home.number,
        "street": home.street,
        "town": home.town,
    }
    if home.institutional:
        found["institutional"] = True
    if home.suffix is not None and chance.random() >= errors.suffix_missing:
        found["house_number_suffix"] = home.suffix
    if chance.random() < errors.house_number:
        found["house_number"] = home.number + chance.choice((-2, -1, 1, 2))
    if chance.random() < errors.postcode:
        found["postcode"] = home.postcode[:-1] + chance.choice("ABCDEFGHJKLMNPRSTVWXZ")
    return found
