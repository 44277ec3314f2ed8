"""Who there is in a region: the centre's desks, the teams, and who is called at each."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from agents.policy.loading import Part, PolicyError, load
from agents.policy.rota import Rota
from agents.reference import municipalities
from topics.base import Line, MunicipalityCode, Slug
from topics.codes import SourceKind
from topics.offers import Person


class PublicKey(Part):
    """A receiver's public key, P-256 JWK: what is offered is wrapped for it."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str

    def jwk(self) -> dict[str, Any]:
        """As a JWK."""
        return self.model_dump()


Kind = Literal[
    "DESK", "TEAM", "GI", "BOARD", "POLICE", "SHELTER", "MAYOR", "YOUTH_CARE", "ADULT_MENTAL_HEALTH", "ADDICTION_CARE",
    "HOME_CARE", "OTHER_VT", "MUNICIPALITY",
]  # fmt: skip
"""What a receiver is: a desk of the centre, a team, or somebody else by the name of the destination. MAYOR and
MUNICIPALITY are told of a case and never get one."""


class Receiver(Part):
    """A desk of the centre, a team or another party: one queue, one topic for its answers."""

    id: Slug
    name: Line
    kind: Kind
    home_organisation: Slug
    municipalities: tuple[MunicipalityCode, ...] = ()
    postcodes: tuple[Annotated[str, StringConstraints(pattern=r"^[1-9]\d{3}$")], ...] = Field(
        default=(), description="four digits, where a municipality has more than one team"
    )
    phone: Line
    contact_person: Person | None = None
    dv_specialist: Person | None = None
    valid_from: date
    valid_to: date | None = None
    region: Slug | None = Field(default=None, description="OTHER_VT: the region of that centre, on the same cluster")
    public_key: PublicKey

    def stands(self, on: date) -> bool:
        """Whether it can be offered a case that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class Desks(Part):
    """The centre's own receivers, by what is done there."""

    crisis: Slug
    assessment: Slug
    conditions: Slug
    investigation: Slug
    hold: Slug
    duty: Slug
    coordination: Slug


class Organisation(Part):
    """Who stands behind receivers, and how people write its name: a private involvement is known by it (Filter K)."""

    id: Slug
    names: tuple[Line, ...]


MOST_REMEMBERED = 4_096


class Directory(Part):
    """One region."""

    region: Slug
    name: Line
    organisation: Slug
    oin: Annotated[str, StringConstraints(pattern=r"^\d{20}$")]
    municipalities: tuple[MunicipalityCode, ...]
    desks: Desks
    receivers: tuple[Receiver, ...]
    organisations: tuple[Organisation, ...] = ()
    rotas: tuple[Rota, ...] = Field(default=(), description="who is on duty where, and who stands in")
    neighbours: dict[MunicipalityCode, tuple[MunicipalityCode, ...]] = Field(
        default_factory=dict, description="whose teams help out when those of a municipality may not, by agreement"
    )

    @field_validator("municipalities")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not municipalities.known(code):
                raise ValueError(f"municipality {code} is not a CBS code")
        return codes

    def receiver(self, receiver_id: str) -> Receiver | None:
        """The receiver of that id."""
        return self._by_id.get(receiver_id)

    def elsewhere(self, receiver_id: str) -> str | None:
        """The region of which that receiver is the centre; None for every receiver of this one."""
        found = self.receiver(receiver_id)
        return found.region if found is not None else None

    def covers(self, municipality: str, on: date) -> bool:
        """Whether a place lies in this region, by whichever of its municipality's codes."""
        return any(not codes.isdisjoint(self.municipalities) for codes in municipalities.names_of(municipality, on))

    def serving(self, kind: str, municipality: str | None, on: date) -> list[Receiver]:
        """The receivers of a kind that name a place; those first that name it by the same code.

        Who names the municipality of that day, else who still names one that became part of it, else who names
        already what it will become part of.
        """
        if municipality is None:
            return []
        about = (kind, municipality, on)
        if about not in self._served:
            if len(self._served) >= MOST_REMEMBERED:
                self._served.clear()
            self._served[about] = self._serving(*about)
        return self._served[about]

    def _serving(self, kind: str, municipality: str, on: date) -> list[Receiver]:
        named = (
            [
                one
                for one in self.receivers
                if one.kind == kind and not codes.isdisjoint(one.municipalities) and one.stands(on)
            ]
            for codes in municipalities.names_of(municipality, on)
        )
        found = next(filter(None, named), [])
        return sorted(found, key=lambda one: municipality not in one.municipalities)

    def team_for(
        self, municipality: str | None, pc4: str | None, on: date, avoided: Collection[str] = ()
    ) -> Receiver | None:
        """The team for a household, but none of those ``avoided`` (by its own id or its organisation's).

        Then another team of the municipality, then one of a neighbouring municipality by agreement; None when nobody
        is left, or nobody is named for that place.
        """
        teams = self.serving("TEAM", municipality, on)
        own = next(
            (team for team in teams if pc4 in team.postcodes),
            next((team for team in teams if not team.postcodes), None),
        )
        if own is None:
            return None
        # The neighbours are looked up only when nobody of the place itself may have it.
        near = self._teams_near(municipality or "", on)
        return next((team for team in chain((own, *teams), near) if not passed_over(team, avoided)), None)

    def own(self) -> tuple[Receiver, ...]:
        """Those with a queue and answers of their own here: another centre has its region's topic."""
        return tuple(found for found in self.receivers if found.kind != "OTHER_VT")

    def centre_of(self, region: str) -> Receiver | None:
        """The centre of another region, as this one hands cases over to it."""
        return next((found for found in self.receivers if found.region == region), None)

    def other_centre(self, municipality: str | None, on: date) -> Receiver | None:
        """The centre of the region in which another municipality lies."""
        region = municipalities.region_of(municipality, on) if municipality is not None else None
        found = self.centre_of(region) if region is not None else None
        return found if found is not None and found.stands(on) else None

    def of_kind(self, kind: str, municipality: str | None, on: date, avoided: Collection[str] = ()) -> Receiver | None:
        """Who does that in a municipality, or in the whole region when it names no municipalities."""
        everywhere = (one for one in self.receivers if one.kind == kind and not one.municipalities and one.stands(on))
        found = (*self.serving(kind, municipality, on), *everywhere)
        return next((one for one in found if not passed_over(one, avoided)), None)

    def municipalities_of(self, receiver: Receiver, on: date) -> list[Receiver]:
        """Who answers, at the municipalities for which a team works, for what that team does."""
        places = receiver.municipalities if receiver.kind == "TEAM" else ()
        found = (self.of_kind("MUNICIPALITY", place, on) for place in places)
        return list({one.id: one for one in found if one is not None}.values())

    def named(self, text: str) -> frozenset[str]:
        """The ids of the receivers and organisations that are called so, however it is written."""
        return self._by_name.get(_compared(text), frozenset())

    @cached_property
    def rota_of(self) -> dict[str, Rota]:
        """The rotas by receiver."""
        return {found.receiver: found for found in self.rotas}

    @cached_property
    def _served(self) -> dict[tuple[str, str, date], list[Receiver]]:
        """What was asked of a day: the same is asked for each case."""
        return {}

    @cached_property
    def _by_id(self) -> dict[str, Receiver]:
        return {found.id: found for found in self.receivers}

    @cached_property
    def _by_name(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for receiver in self.receivers:
            found[_compared(receiver.name)].add(receiver.id)
        for organisation in self.organisations:
            for name in organisation.names:
                found[_compared(name)].add(organisation.id)
        return {name: frozenset(ids) for name, ids in found.items()}

    def _teams_near(self, municipality: str, on: date) -> Iterator[Receiver]:
        for other in self._near(municipality, on):
            yield from self.serving("TEAM", other, on)

    def _near(self, municipality: str, on: date) -> Iterable[MunicipalityCode]:
        """The neighbours of a place, by whichever of its municipality's codes they are agreed."""
        agreed = (
            [near for code in self.neighbours if code in codes for near in self.neighbours[code]]
            for codes in municipalities.names_of(municipality, on)
        )
        return next(filter(None, agreed), ())


def passed_over(receiver: Receiver, avoided: Collection[str]) -> bool:
    """Whether a receiver or its organisation is among those who may not get a case."""
    return receiver.id in avoided or receiver.home_organisation in avoided


def _compared(name: str) -> str:
    """A name as it is compared: without its legal form, accents, case, spaces and signs."""
    plain = unicodedata.normalize("NFKD", _LEGAL_FORM.sub(" ", name))
    return "".join(sign for sign in plain.casefold() if sign.isalnum())


_LEGAL_FORM = re.compile(r"\b(stichting|b\.?v\.?|n\.?v\.?)(?=\W|$)", re.IGNORECASE)


class Source(Part):
    """A system that may publish reports here."""

    id: Slug
    source: Annotated[str, StringConstraints(pattern=r"^urn:nld:[a-z]+:\S{1,200}$")]
    kind: SourceKind
    professional: bool
    telephone: bool = Field(
        default=False, description="the centre's own, for what its people write down of a telephone call"
    )
    principal: Line | None = Field(
        default=None, description="as the brokers know it once it has shown who it is: its quota goes by this"
    )


class Sources(Part):
    """The registered sources of a region."""

    sources: tuple[Source, ...]


@lru_cache(maxsize=64)
def load_directory(text: str) -> Directory:
    """The directory that ``text`` (YAML) holds; ``PolicyError`` when it cannot be used."""
    directory = load(Directory, text)
    ids = [receiver.id for receiver in directory.receivers]
    twice = sorted({found for found in ids if ids.count(found) > 1})
    absent = sorted(set(directory.desks.model_dump().values()) - set(ids))
    near = {code for codes in directory.neighbours.values() for code in codes} | directory.neighbours.keys()
    elsewhere = sorted(near - set(directory.municipalities))
    nameless = sorted(
        {found.id for found in directory.organisations} - {r.home_organisation for r in directory.receivers}
    )
    centres = sorted(
        found.id
        for found in directory.receivers
        if (found.kind == "OTHER_VT") is (found.region is None) or found.region == directory.region
    )
    rotas = [found.receiver for found in directory.rotas]
    unknown = sorted({*rotas, *(other for found in directory.rotas for other in found.fallback)} - set(ids))
    doubled = sorted({found for found in rotas if rotas.count(found) > 1})
    if twice or absent or elsewhere or nameless or centres or unknown or doubled:
        raise PolicyError(
            "; ".join(
                [f"receiver {found} stands twice" for found in twice]
                + [f"desk {found} is not among the receivers" for found in absent]
                + [f"neighbours: {found} is no municipality of this region" for found in elsewhere]
                + [f"organisations: no receiver belongs to {found}" for found in nameless]
                + [f"rotas: {found} is not among the receivers" for found in unknown]
                + [f"rotas: {found} stands twice" for found in doubled]
                + [f"receiver {found}: OTHER_VT, and no other, names the region of another centre" for found in centres]
            )
        )
    return directory


NEEDED = ("GI", "BOARD", "POLICE", "SHELTER", "MAYOR", "MUNICIPALITY")
"""Kinds of receivers to whom rules and ladders may lead besides desks and teams."""


Gap = Literal[
    "no_receiver", "no_team", "part_without_team", "ended_municipality", "ending_municipality", "no_contact_person",
    "no_dv_specialist", "desk_not_valid",
]  # fmt: skip
"""What can be missing, or out of date; the catalogue has a sentence for each."""


def gaps(directory: Directory, on: date) -> list[tuple[Gap, str]]:
    """What is missing on a day, as (what, whose): nobody may find out from a case that went nowhere."""
    found: list[tuple[Gap, str]] = [
        ("no_receiver", kind)
        for kind in NEEDED
        if not any(r.kind == kind and r.stands(on) for r in directory.receivers)
    ]
    for code in dict.fromkeys(municipalities.current(code, on) for code in directory.municipalities):
        teams = directory.serving("TEAM", code, on)
        if not teams:
            found.append(("no_team", code))
        elif all(team.postcodes for team in teams) and len(teams) == 1:
            found.append(("part_without_team", code))
    found += _merged(directory, on)
    for receiver in directory.receivers:
        if receiver.kind == "TEAM" and receiver.stands(on):
            if receiver.contact_person is None:
                found.append(("no_contact_person", receiver.id))
            if receiver.dv_specialist is None:
                found.append(("no_dv_specialist", receiver.id))
        if not receiver.stands(on) and receiver.id in directory.desks.model_dump().values():
            found.append(("desk_not_valid", receiver.id))
    return found


def _merged(directory: Directory, on: date) -> Iterator[tuple[Gap, str]]:
    """The municipalities of the file that have ended or will end: cases find their way, but by what follows them."""
    named = [
        *directory.municipalities,
        *(code for one in directory.receivers if one.stands(on) for code in one.municipalities),
    ]
    named += [code for pair in directory.neighbours.items() for code in (pair[0], *pair[1])]
    for code in dict.fromkeys(named):
        match municipalities.ends(code):
            case (last, successor) if on > last:
                yield "ended_municipality", f"{code} -> {successor}"
            case (last, successor):
                yield "ending_municipality", f"{code} -> {successor} ({last + timedelta(days=1)})"
