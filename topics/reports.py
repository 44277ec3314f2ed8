"""What an integrator hands in: one worry about one household, at one moment (domain model, section 2)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from topics.base import Day, Line, Message, Moment, MunicipalityCode, PartialDate, Slug, Text
from topics.codes import (
    Answered,
    Channel,
    Cooperation,
    Disclosure,
    Duration,
    ExtraFlag,
    Indicator,
    Measure,
    Occasion,
    OrderState,
    ParticipantRole,
    Precision,
    ReporterCapacity,
    ReportKind,
    SafetyJudgement,
    Sex,
    ShelterSafetyCode,
    ViolenceKind,
)

PAYLOAD_LIMIT = 64 * 1024
"""Bytes; intermediaries need forward no more of a CloudEvent (NL GOV profile)."""

_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def is_bsn(digits: str) -> bool:
    """Whether nine digits pass the eleven-test of the *burgerservicenummer* (all zeroes do not)."""
    if len(digits) != 9 or not digits.isascii() or not digits.isdigit() or digits == "000000000":
        return False
    return sum(w * int(d) for w, d in zip(_BSN_WEIGHTS, digits, strict=True)) % 11 == 0


def _bsn(digits: str) -> str:
    # 000000000 and 999999999 mean "unknown" and "unborn" at CBS; here an unknown number is absent.
    if not is_bsn(digits):
        raise ValueError("bsn")
    return digits


Bsn = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$"), AfterValidator(_bsn)]
Postcode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{3} ?[A-Z]{2}$")]
HouseNumber = Annotated[int, Field(ge=1, le=99_999)]
Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 /-]{0,9}$")]


class Reporter(Message):
    """Who reports. A part of its own: it never leaves the regional centre."""

    capacity: ReporterCapacity
    organisation: Line | None = None
    home_organisation: Line | None = Field(default=None, description="employer of a team worker")
    name: Line | None = None
    contact: Line | None = Field(default=None, description="telephone number or e-mail address")
    substitute_contact: Line | None = Field(default=None, description="who can be asked during holidays")


class Participant(Message):
    """One *directbetrokkene*. An absent BSN is absent; it is never filled with zeroes or nines."""

    role: ParticipantRole
    bsn: Bsn | None = None
    surname: Line | None = None
    given_names: Line | None = None
    birth_date: PartialDate | None = None
    postcode: Postcode | None = None
    house_number: HouseNumber | None = None
    house_number_suffix: Suffix | None = None
    sex: Sex = Sex.UNKNOWN
    is_minor: Answered = Answered.UNKNOWN
    dependent: Answered = Answered.UNKNOWN
    pregnant: Answered = Answered.UNKNOWN
    due_date: PartialDate | None = None
    known_measures: tuple[Measure, ...] = Field(default=(), max_length=3)
    phone: Line | None = None
    employer: Line | None = None
    relatives_employers: tuple[Line, ...] = Field(default=(), max_length=10)


class Address(Message):
    """Where the household lives."""

    postcode: Postcode
    house_number: HouseNumber
    house_number_suffix: Suffix | None = None
    street: Line | None = None
    town: Line | None = None
    institutional: bool = Field(default=False, description="a shelter, home or barracks: links nobody")
    secret: bool = Field(default=False, description="never leaves the regional centre")


class Meldcode(Message):
    """A professional's answers to the five questions of the *meldcode*."""

    q1: Answered = Answered.UNKNOWN
    q2: SafetyJudgement = SafetyJudgement.UNKNOWN
    q3: Answered = Answered.UNKNOWN
    q4: Answered = Answered.UNKNOWN
    q5: Answered = Answered.UNKNOWN
    told_family: Answered = Answered.UNKNOWN
    told_family_reason: Text | None = None


class BoardInvestigation(Message):
    """An investigation by the *Raad* that runs, with its number there."""

    state: Literal["RUNNING"]
    number: Line


class Order(Message):
    """A *huisverbod* or a contact ban."""

    state: OrderState
    since: Day | None = Field(default=None, description="first day, Europe/Amsterdam")
    until: Day | None = None


class RunningHelp(Message):
    """Help that already runs in the household."""

    organisation: Line
    worker: Line | None = None
    since: PartialDate | None = None


class Attachment(Message):
    """A reference; the document itself stays where it is."""

    uri: Annotated[str, StringConstraints(pattern=r"^https://[^\s]{1,500}$")]
    title: Line | None = None


class Report(Message):
    """One *melding* by one reporter; immutable. A correction is the same ``report_id``, a higher ``version``.

    Terms start at the earlier of ``received_at`` and the moment the broker took the message in.
    """

    report_id: UUID = Field(description="the sender's own; with source_id and version the identity")
    version: int = Field(default=1, ge=1, le=999)
    source_id: Slug
    source_ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_:-]{0,63}$")] = Field(
        description="the sender's own number, such as that of a ZOF; no personal data"
    )
    channel: Channel
    received_at: Moment = Field(description="when the sender got to know of it, with offset")
    occurred_at: Moment | None = None
    occurred_precision: Precision | None = None
    kind: ReportKind
    reporter: Reporter
    reporter_disclosure: Disclosure | None = Field(
        default=None, description="absent: OPEN for professionals, NAME_WITHHELD for all others"
    )
    disclosure_ground: Text | None = None
    occasions: tuple[Occasion, ...] = Field(min_length=1, max_length=9)
    violence_kinds: tuple[ViolenceKind, ...] = Field(default=(), max_length=11)
    duration: Duration = Duration.UNKNOWN
    extra_flags: tuple[ExtraFlag, ...] = Field(default=(), max_length=5)
    participants: tuple[Participant, ...] = Field(default=(), max_length=30)
    address: Address | None = None
    indicators: dict[Indicator, Answered] = Field(
        default_factory=dict, max_length=30, description="list 3.4; what is absent is UNKNOWN"
    )
    meldcode: Meldcode | None = None
    hgkm_certain: Answered = Answered.UNKNOWN
    enough_information: Answered = Answered.UNKNOWN
    safe_carer: Answered = Answered.UNKNOWN
    safe_place_wanted: Answered = Answered.UNKNOWN
    perpetrator_at_home: Answered = Answered.UNKNOWN
    incident_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{0,39}$")] | None = None
    board_investigation: BoardInvestigation | None = None
    restraining_order: Order | None = None
    contact_ban: Order | None = None
    test: bool = Field(default=False, description="true: an exercise, marked everywhere")
    help_running: tuple[RunningHelp, ...] = Field(default=(), max_length=10)
    shelter_safety_code: ShelterSafetyCode | None = Field(
        default=None, description="a shelter's own code: shown to whoever gets the case, and no colour of it"
    )
    cooperation: Cooperation = Cooperation.UNKNOWN
    narrative: Text | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=20)
    municipality: MunicipalityCode | None = Field(
        default=None,
        description="where the household lives: by BRP, else by address, else where it was found",
    )

    @model_validator(mode="after")
    def _somebody_or_somewhere(self) -> Self:
        # Advice is asked without saying about whom.
        if self.kind is not ReportKind.ADVICE and not self.participants and self.address is None:
            raise ValueError("participant_or_address")
        return self

    @property
    def disclosure(self) -> Disclosure:
        """What may be said of the reporter; for non-professionals the name is withheld unless said otherwise."""
        if self.reporter_disclosure is not None:
            return self.reporter_disclosure
        return Disclosure.OPEN if self.reporter.capacity.professional else Disclosure.NAME_WITHHELD

    @property
    def identity(self) -> str:
        """``source_id/report_id/version``: by this, and never by the CloudEvents id, repeats are known."""
        return f"{self.source_id}/{self.report_id}/{self.version}"
