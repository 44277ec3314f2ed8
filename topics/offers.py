"""What receivers and integrators get. In clear: ids, codes, colours, times. The rest is sealed for its reader."""

from uuid import UUID

from pydantic import Field

from topics.base import Day, Line, Message, Millis, Moment, Slug, Text
from topics.codes import (
    Answered,
    CaseRole,
    Colour,
    DeadLetterReason,
    Destination,
    ExtraFlag,
    HandoverState,
    Indicator,
    NoticeKind,
    Occasion,
    ReceiptOutcome,
    ShelterSafetyCode,
    ViolenceKind,
)
from topics.reports import Address, Participant


class Origin(Message):
    """Where a message came in: the record on the broker."""

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class Sealed(Message):
    """Content that only its reader can open: AES-256-GCM under the key that ``keys`` holds by ``key_id``."""

    key_id: UUID
    data: str = Field(description="base64 of 12 bytes nonce and the ciphertext; the key id is authenticated with it")


class Person(Message):
    """Somebody of a receiver or the centre whom one can call."""

    id: Slug
    name: Line
    phone: Line


class OfferReport(Message):
    """What a receiver needs of one report: to knock on the right door, and safely. Never the reporter."""

    received_at: Moment
    occasions: tuple[Occasion, ...]
    violence_kinds: tuple[ViolenceKind, ...] = ()
    extra_flags: tuple[ExtraFlag, ...] = ()
    participants: tuple[Participant, ...] = ()
    address: Address | None = Field(default=None, description="absent when it is secret")
    address_secret: bool = False
    shelter_safety_code: ShelterSafetyCode | None = Field(default=None, description="the shelter's own; not our colour")
    summary: Text | None = None


class AssessmentShared(Message):
    """One party's part of the shared safety assessment: what was found and agreed, so that nobody asks again."""

    party: Slug
    at: Millis
    version: int = Field(ge=1)
    scale: int | None = Field(description="Signs of Safety: 0 is most unsafe, 10 safe enough")
    indicators: dict[Indicator, Answered]
    valid_until: Day | None
    conditions: tuple[Line, ...]


class OfferContent(Message):
    """The sealed part of an offer."""

    reports: tuple[OfferReport, ...] = Field(description="the newest of the case, oldest first")
    left_out: int = Field(default=0, description="so many older ones; the centre has them")
    reasons: tuple[Line, ...] = Field(description="why this colour, in Dutch")
    safety_conditions: tuple[Line, ...] = ()
    assessment: tuple[AssessmentShared, ...] = ()
    contact_person: Person | None = Field(default=None, description="of the centre, fixed for this team")
    dv_specialist: Person | None = Field(default=None, description="the team's own")


class Offer(Message):
    """A case is offered to one receiver (on ``queue.<receiver>``). Answer with its ``handover_id``."""

    handover_id: UUID
    case_id: UUID
    region: Slug
    receiver: Slug
    destination: Destination
    colour: Colour | None = Field(description="none for what has no colour: held, or no domestic violence")
    provisional: bool
    reasons: tuple[str, ...] = Field(description="rule ids")
    owner: Slug
    executor: Slug
    roles: dict[CaseRole, tuple[Slug, ...]] = Field(
        default_factory=dict, description="who else has a role on the case, such as a team that stays involved"
    )
    contact_person: Slug | None
    dv_specialist: Slug | None
    offered_at: Millis
    accept_before: Millis = Field(description="T03")
    open_questions: tuple[str, ...] = Field(default=(), description="indicators that nobody answered")
    board_request: tuple[str, ...] = Field(default=(), description="criteria of a request to the Raad that are met")
    board_unknown: tuple[str, ...] = Field(default=(), description="facts by which more of them might be met")
    policy: str
    test: bool = False
    content: Sealed | None = Field(description="absent once the household's data were destroyed")


class Recall(Message):
    """An offer that no longer stands (on ``queue.<receiver>``)."""

    handover_id: UUID
    case_id: UUID
    receiver: Slug
    state: HandoverState = Field(description="RECALLED or SUPERSEDED")
    at: Millis
    test: bool = False


class Owed(Message):
    """Something that is owed on a case and was not done yet, in the words of the policy."""

    term: str = Field(description="its number in the policy, as T05")
    due: Millis = Field(description="by when")
    nl: str
    en: str


class Notice(Message):
    """Something that somebody must know (on ``notices.<receiver>``); it asks for no answer by itself."""

    notice_id: UUID
    kind: NoticeKind
    to: Slug
    person: Slug | None = Field(default=None, description="the person at that receiver, by id")
    case_id: UUID | None = None
    handover_id: UUID | None = Field(
        default=None,
        description=(
            "the offer that it is about; of SIDE_NOTICE and CONSULT a number of their own, to answer with: COMPLETED "
            "by who was asked to think along, REFUSED by whatever could not carry it further"
        ),
    )
    colour: Colour | None = None
    at: Millis
    due: Millis | None = Field(default=None, description="when the step was due")
    late: bool = False
    state: HandoverState | None = Field(default=None, description="how the handover stands now")
    now_with: Slug | None = None
    about: Slug | None = Field(default=None, description="RECEIVER_HELD, RECEIVER_RESUMED: which receiver")
    owed: Owed | None = Field(default=None, description="what is owed on the case, when it is told about that")
    roles: dict[CaseRole, tuple[Slug, ...]] = Field(default_factory=dict)
    test: bool = False
    content: Sealed | None = None


class FieldError(Message):
    """One thing that is wrong, in the sender's words and never with the sender's values."""

    pointer: str = Field(description="JSON pointer to the field")
    code: str
    detail: str
    detail_en: str


class Problem(Message):
    """What is wrong with a message, as RFC 9457 has it, all errors together."""

    type: str
    title: str
    title_en: str
    status: int = 400
    errors: tuple[FieldError, ...] = ()


class Receipt(Message):
    """What became of one published record; each record has one, within seconds (on ``receipts.<source>``).

    It names no case: that would tell a sender whether the household was known already.
    """

    receipt_id: UUID
    origin: Origin
    outcome: ReceiptOutcome
    report_id: UUID | None = None
    version: int | None = None
    warnings: tuple[FieldError, ...] = ()
    problem: Problem | None = None
    at: Millis


class DeadLetter(Message):
    """A message that could not be taken in, kept whole and sealed for operations (on ``deadletters``)."""

    letter_id: UUID
    region: Slug
    source: str = Field(description="the source, receiver or region whose topic it came from")
    origin: Origin
    reason: DeadLetterReason
    problem: Problem
    acute: bool = Field(description="an acute indicator could be read in it; the duty desk was told")
    arrived_at: Millis
    at: Millis
    original: Sealed = Field(description="the bytes as they came, with key and headers")
