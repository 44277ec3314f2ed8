"""What two centres tell each other about a case: it is offered, answered, handed over or taken back.

The case has its owner's number in every message. What is of a person is sealed for the centre that gets it.
"""

from typing import Any
from uuid import UUID

from pydantic import Field

from topics.base import Day, Message, Millis, Moment, MunicipalityCode, Slug, Text
from topics.codes import (
    Colour,
    ExtraFlag,
    HandoverState,
    NoticeKind,
    Occasion,
    RefusalReason,
    ReportKind,
    ShelterSafetyCode,
    Standing,
    StandingState,
    TransferMove,
    ViolenceKind,
)
from topics.offers import AssessmentShared
from topics.reports import Address, Attachment, BoardInvestigation, Participant, RunningHelp


class SealedFor(Message):
    """Content for one centre: AES-256-GCM under a key that is wrapped for it, and lies nowhere else."""

    key_id: UUID
    kid: str = Field(description="the public key of the centre for which it is wrapped")
    jwe: str = Field(description="that key, as a compact JWE")
    data: str = Field(description="base64 of 12 bytes nonce and the ciphertext; the key id is authenticated with it")


class Stood(Message):
    """How something stands that holds for some time."""

    state: StandingState
    since: Millis
    until: Day | None = None


class Transferred(Message):
    """What is told of one report, in clear: what casework keeps of each."""

    source: Slug
    report_id: UUID
    version: int = Field(ge=1, le=999)
    kind: ReportKind
    received: Millis
    test: bool
    counts: bool = Field(description="whether it counts as repetition: what was refuted does not")


class TransferredReport(Message):
    """One report, sealed: what the first centre knows of it, without its reporter."""

    facts: dict[str, Any] = Field(description="codes, ages, dates and the municipality")
    received_at: Moment
    occasions: tuple[Occasion, ...]
    violence_kinds: tuple[ViolenceKind, ...] = ()
    extra_flags: tuple[ExtraFlag, ...] = ()
    participants: tuple[Participant, ...] = ()
    address: Address | None = None
    narrative: Text | None = None
    help_running: tuple[RunningHelp, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    shelter_safety_code: ShelterSafetyCode | None = None
    source_ref: str | None = None
    disclosure_ground: Text | None = None
    board_investigation: BoardInvestigation | None = None


class Content(Message):
    """The sealed part of an offer."""

    reports: tuple[TransferredReport, ...] = Field(max_length=20)
    assessment: tuple[AssessmentShared, ...] = Field(
        default=(), max_length=50, description="the shared safety assessment: each party's newest part"
    )


class Transfer(Message):
    """One message on ``transfers.<region>``; which fields stand there goes by ``move``."""

    transfer_id: UUID
    move: TransferMove
    sender: Slug = Field(description="the region that sends it")
    region: Slug = Field(description="the region that gets it")
    case_id: UUID = Field(description="of the centre that hands over")
    handover_id: UUID | None = Field(default=None, description="of the centre that hands over")
    at: Millis
    test: bool = False
    owner: Slug | None = Field(default=None, description="OFFERED: the organisation that hands over")
    colour: Colour | None = None
    provisional: bool = False
    reasons: tuple[str, ...] = ()
    terms: dict[str, Millis] = Field(default_factory=dict, description="OFFERED: what is owed, and by when")
    standing: dict[Standing, Stood] = Field(default_factory=dict, description="OFFERED: what holds for the household")
    reports: tuple[Transferred, ...] = Field(default=(), max_length=20, description="OFFERED: oldest first")
    left_out: int = Field(default=0, ge=0, description="OFFERED: so many older ones")
    state: HandoverState | None = Field(default=None, description="ANSWERED, ENDED: how the handover stands")
    reason: RefusalReason | None = Field(default=None, description="ANSWERED: why it is refused")
    municipality: MunicipalityCode | None = Field(default=None, description="ANSWERED: where the household lives now")
    kind: NoticeKind | None = Field(default=None, description="TOLD: what about")
    content: SealedFor | None = None
