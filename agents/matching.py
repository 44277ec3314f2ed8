"""The match keys of a report: keyed codes by which a household, and who is in it, is known again. Pure.

A code says nothing to who does not hold the region's key, and nothing in another region. Each is made of so much that
few households share it by chance: a book holds them all in memory, and is asked once for each.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import orjson

from agents.phonetics import given_code, surname_codes
from agents.sealing import RegionKeys
from topics.codes import Certainty, LinkKind, ParticipantRole
from topics.reports import Participant, Report
from topics.transfers import TransferredReport

CODES_PER_PERSON = 8
"""At most so many are kept of a participant, for each live match key; of most it is 3 to 5. Beside them a report has
one for its address and one for its incident."""
INFANT_YEARS = 2
"""A child that was born so many calendar years ago may be the one that was reported as unborn."""

_KINDS = {
    ParticipantRole.PARENT: LinkKind.SAME_PARENT,
    ParticipantRole.MOTHER_OF_UNBORN: LinkKind.SAME_MOTHER_UNBORN,
    ParticipantRole.ALLEGED_PERPETRATOR: LinkKind.SAME_PERPETRATOR,
}
"""What a person who is known again is called, by what he is in the report in hand."""


@dataclass(frozen=True, slots=True)
class Link:
    """One match key: equal ``codes`` mean the same person or address, with this certainty."""

    kind: str
    certainty: str
    code: str
    person: int | None = None
    """Of a person: which one of the report, for one person has several keys."""
    kept: bool = True
    """Whether the household can be known again by it later."""
    asked: bool = True
    """Whether it is looked for among what is known."""


def read_links(raw: bytes) -> tuple[Link, ...]:
    """Match keys from their bytes."""
    # Releases before 0.3 wrote them unpacked.
    plain = raw if raw.startswith(b"[") else zlib.decompress(raw)
    return tuple(Link(*found) for found in orjson.loads(plain))


def encode_links(links: tuple[Link, ...]) -> bytes:
    """Match keys as bytes, packed: they stand in the journal with each report."""
    return zlib.compress(
        orjson.dumps([[link.kind, link.certainty, link.code, link.person, link.kept, link.asked] for link in links]), 1
    )


class _Key(NamedTuple):
    """A match key before it is made a code."""

    kind: LinkKind
    certainty: Certainty
    values: tuple[str, ...]
    person: int | None = None
    kept: bool = True
    asked: bool = True


def links_of(report: Report | TransferredReport, keys: RegionKeys) -> tuple[Link, ...]:
    """Every key by which this household can be known again, whatever the order of its participants.

    CERTAIN by BSN or incident; PROBABLE by the address with one more identifying field; POSSIBLE by the address
    alone, or by names and a birth date without it. Several POSSIBLE ones together may be more: casework weighs them.
    An institutional address links nobody. An alleged perpetrator may come from another household: by BSN he is
    known again as SAME_PERPETRATOR, which is shown and joins nothing by itself.
    """
    found: dict[str, Link] = {}
    # What two participants have in common, or one who is listed twice, is told by the surest, whatever their order.
    for key in sorted(_keys(report), key=_surest_first):
        for code in keys.match_codes(*key.values):
            link = Link(key.kind.value, key.certainty.value, code, key.person, key.kept, key.asked)
            if (surer := found.setdefault(code, link)) is not link:
                found[code] = replace(surer, kept=surer.kept or link.kept, asked=surer.asked or link.asked)
    return tuple(found.values())


def _surest_first(key: _Key) -> tuple[bool, bool, str]:
    return key.certainty is not Certainty.CERTAIN, key.kind is LinkKind.SAME_PERPETRATOR, key.kind


def _keys(report: Report | TransferredReport) -> Iterator[_Key]:
    if isinstance(report, Report) and report.incident_number:
        # One incident number means one incident, whoever reports it (G7).
        yield _Key(LinkKind.SAME_INCIDENT, Certainty.CERTAIN, ("incident", report.incident_number))
    home = institution = None
    address = report.address
    if address is not None and address.institutional:
        # Its rooms differ by suffix, and its people may have the address as their own.
        institution = _place(address.postcode, address.house_number, None)
    elif address is not None:
        home = _place(address.postcode, address.house_number, address.house_number_suffix)
        yield _Key(LinkKind.SAME_ADDRESS, Certainty.POSSIBLE, ("address", home))
    # An alleged perpetrator who stayed at the address does not bring a new household into his former one.
    others = any(_is_named(person) and not _is_perpetrator(person) for person in report.participants)
    for number, person in enumerate(report.participants):
        yield from _by_number(person, number)
        yield from _by_name(person, number)
        place = _home_of(person, home, institution)
        if place is not None:
            yield from _by_place(person, place, report, asked=not (others and _is_perpetrator(person)))


def _by_number(person: Participant, number: int) -> Iterator[_Key]:
    """The BSN. It is kept by the role, and looked up in the other one too."""
    if not person.bsn:
        return
    perpetrator, other = ("perpetrator", person.bsn), ("bsn", person.bsn)
    if _is_perpetrator(person):
        yield _Key(_kind(person), Certainty.CERTAIN, perpetrator, person=number)
        yield _Key(_kind(person), Certainty.POSSIBLE, other, person=number, kept=False)
    else:
        yield _Key(_kind(person), Certainty.CERTAIN, other, person=number)
        yield _Key(_kind(person), Certainty.POSSIBLE, perpetrator, person=number, kept=False)


def _by_name(person: Participant, number: int) -> Iterator[_Key]:
    """Names and birth date, wherever somebody lives: each key leaves out another field that may be wrong.

    Two persons with a BSN are told apart by it, so their names say nothing more: these keys are kept by whether there
    is a BSN, and of somebody who has one only those are looked for who have none.
    """
    for values in _names(person):
        if person.bsn:
            yield _Key(_kind(person), Certainty.POSSIBLE, ("numbered", *values), person=number, asked=False)
        else:
            yield _Key(_kind(person), Certainty.POSSIBLE, ("numbered", *values), person=number, kept=False)
        yield _Key(_kind(person), Certainty.POSSIBLE, ("named", *values), person=number, kept=not person.bsn)


def _names(person: Participant) -> Iterator[tuple[str, ...]]:
    born = person.birth_date
    given = given_code(person.given_names) if person.given_names else None
    if not born or given is None:
        return
    for surname in surname_codes(person.surname) if person.surname else ():
        yield "names+year", surname, given, born[:4]
    # The first of January is written down when only the year is known.
    if len(born) == 10 and not born.endswith("-01-01"):
        yield "given+born", given, _day(born)


def _by_place(person: Participant, place: str, report: Report | TransferredReport, *, asked: bool) -> Iterator[_Key]:
    """The address with one more identifying field."""
    for surname in surname_codes(person.surname) if person.surname else ():
        yield _Key(LinkKind.SAME_ADDRESS, Certainty.PROBABLE, ("address+surname", place, surname), asked=asked)
    if person.birth_date and len(person.birth_date) == 10:
        values = ("address+born", place, _day(person.birth_date))
        yield _Key(LinkKind.SAME_ADDRESS, Certainty.PROBABLE, values, asked=asked)
    for month, kept in _birth_months(person, report.received_at.date()):
        yield _Key(LinkKind.SAME_MOTHER_UNBORN, Certainty.PROBABLE, ("unborn", place, month), kept=kept)


def _is_perpetrator(person: Participant) -> bool:
    return person.role is ParticipantRole.ALLEGED_PERPETRATOR


def _is_named(person: Participant) -> bool:
    return bool(person.bsn or person.surname or person.given_names)


def _kind(person: Participant) -> LinkKind:
    return _KINDS.get(person.role, LinkKind.SAME_PERSON)


def _home_of(person: Participant, home: str | None, institution: str | None) -> str | None:
    """Where somebody lives: his own address when he has one. An alleged perpetrator counts at the household's."""
    if not person.postcode or not person.house_number or _is_perpetrator(person):
        return home
    if institution == _place(person.postcode, person.house_number, None):
        return None
    return _place(person.postcode, person.house_number, person.house_number_suffix)


def _place(postcode: str, number: int, suffix: str | None) -> str:
    return f"{postcode.replace(' ', '')}/{number}/{(suffix or '').replace(' ', '').upper()}"


def _day(born: str) -> str:
    """Year, and day and month in either order: they are often swapped."""
    return "-".join((born[:4], *sorted((born[5:7], born[8:]))))


def _birth_months(person: Participant, received: date) -> Iterator[tuple[str, bool]]:
    """Of an unborn child the month in which it is due, which is kept; of an infant those in which it may have been."""
    if person.due_date and len(person.due_date) >= 7:
        yield person.due_date[:7], True
    born = person.birth_date
    if born and len(born) >= 7 and int(born[:4]) >= received.year - INFANT_YEARS:
        months = int(born[:4]) * 12 + int(born[5:7]) - 1
        for due in range(months - 1, months + 3):  # it may come late, or two months early
            yield f"{due // 12:04}-{due % 12 + 1:02}", False
