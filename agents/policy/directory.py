"""Who there is in a region: the centre's desks, the teams, and who is called at each."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from agents.policy.loading import Part, PolicyError, load
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


class Receiver(Part):
    """A desk of the centre or a team: one queue, one topic for its answers."""

    id: Slug
    name: Line
    kind: Literal["DESK", "TEAM"]
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


class Directory(Part):
    """One region."""

    region: Slug
    name: Line
    organisation: Slug
    oin: Annotated[str, StringConstraints(pattern=r"^\d{20}$")]
    municipalities: tuple[MunicipalityCode, ...]
    desks: Desks
    receivers: tuple[Receiver, ...]

    @field_validator("municipalities")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not municipalities.known(code):
                raise ValueError(f"municipality {code} is not a CBS code")
        return codes

    def receiver(self, receiver_id: str) -> Receiver | None:
        """The receiver of that id."""
        return next((found for found in self.receivers if found.id == receiver_id), None)

    def team_for(self, municipality: str | None, pc4: str | None, on: date) -> Receiver | None:
        """The team for a household; None when nobody is named for that place."""
        teams = [
            found
            for found in self.receivers
            if found.kind == "TEAM" and municipality in found.municipalities and found.stands(on)
        ]
        return next(
            (team for team in teams if pc4 in team.postcodes),
            next((team for team in teams if not team.postcodes), None),
        )


class Source(Part):
    """A system that may publish reports here."""

    id: Slug
    source: Annotated[str, StringConstraints(pattern=r"^urn:nld:[a-z]+:\S{1,200}$")]
    kind: SourceKind
    professional: bool
    principal: Line | None = Field(
        default=None, description="as the brokers know it once it has shown who it is: its quota goes by this"
    )


class Sources(Part):
    """The registered sources of a region."""

    sources: tuple[Source, ...]


def load_directory(text: str) -> Directory:
    """The directory that ``text`` (YAML) holds; ``PolicyError`` when it cannot be used."""
    directory = load(Directory, text)
    ids = [receiver.id for receiver in directory.receivers]
    twice = sorted({found for found in ids if ids.count(found) > 1})
    absent = sorted(set(directory.desks.model_dump().values()) - set(ids))
    if twice or absent:
        raise PolicyError(
            "; ".join(
                [f"receiver {found} stands twice" for found in twice]
                + [f"desk {found} is not among the receivers" for found in absent]
            )
        )
    return directory


def gaps(directory: Directory, on: date) -> list[tuple[str, str]]:
    """What is missing on a day, as (what, whose): nobody may find out from a case that went nowhere."""
    found: list[tuple[str, str]] = []
    for code in directory.municipalities:
        teams = [r for r in directory.receivers if r.kind == "TEAM" and code in r.municipalities and r.stands(on)]
        if not teams:
            found.append(("no_team", code))
        elif all(team.postcodes for team in teams) and len(teams) == 1:
            found.append(("part_without_team", code))
    for receiver in directory.receivers:
        if receiver.kind == "TEAM" and receiver.stands(on):
            if receiver.contact_person is None:
                found.append(("no_contact_person", receiver.id))
            if receiver.dv_specialist is None:
                found.append(("no_dv_specialist", receiver.id))
        if not receiver.stands(on) and receiver.id in directory.desks.model_dump().values():
            found.append(("desk_not_valid", receiver.id))
    return found
