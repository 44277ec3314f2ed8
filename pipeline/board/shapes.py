"""What the HTTP API gives and takes besides the messages of ``topics``. Moments are RFC 3339, UTC."""

from uuid import UUID

from pydantic import Field

from topics.answers import Actor, PhoneCall, ReceiverMove
from topics.base import Message, Moment, MunicipalityCode, Slug, Text
from topics.codes import (
    Colour,
    DeadLetterReason,
    Destination,
    HandoverState,
    ReceiptOutcome,
    RefusalReason,
)
from topics.offers import FieldError, Problem


class Accepted(Message):
    """What was handed in lies on the broker, with every copy that counts. What becomes of it is asked for later."""

    id: UUID = Field(description="of the report, the answer or the act; send it again under this id when in doubt")
    topic: str
    partition: int
    offset: int


class Became(Message):
    """What became of one copy of a report."""

    outcome: ReceiptOutcome
    version: int | None
    at: Moment
    warnings: tuple[FieldError, ...]
    problem: Problem | None


class ReportStatus(Message):
    """What became of a report, copy by copy, the oldest first. It names no case."""

    source_id: Slug
    report_id: UUID
    copies: tuple[Became, ...]


class Why(Message):
    """A rule that had a part in it."""

    rule: str
    sentence: str


class Trial(Message):
    """What would be decided about a report if it came in alone. Nothing was sent."""

    accepted: bool
    region: Slug | None
    colour: Colour | None
    destination: Destination | None
    receiver: Slug | None
    rules: tuple[Why, ...] = Field(description="in the language that was asked for")


class NextStep(Message):
    """What happens when nobody does anything."""

    step: str
    due: Moment
    tells: tuple[str, ...]


class OfferSeen(Message):
    """One handover, in codes."""

    handover_id: UUID
    case_id: UUID
    region: Slug
    receiver: Slug
    colour: Colour | None
    provisional: bool
    destination: Destination
    state: HandoverState
    offered: Moment
    accept_before: Moment
    late: bool
    next_step: NextStep | None
    test: bool


class OfferSealed(Message):
    """The offer as it lies on the receiver's queue, and its key, wrapped for that receiver (JWE)."""

    offer: dict[str, object]
    key: str | None = Field(description="absent once the household's data were destroyed")


class AnswerGiven(Message):
    """What a receiver does with a handover; ``topics.answers.Answer`` says more of each field."""

    answer_id: UUID | None = Field(default=None, description="yours: the same one again is dropped as a repeat")
    state: ReceiverMove
    reason: RefusalReason | None = None
    by: Actor | None = None
    answered_at: Moment | None = Field(default=None, description="absent: now")
    municipality: MunicipalityCode | None = None
    helper: Slug | None = None
    phone: PhoneCall | None = None
    note: Text | None = None


class CaseSeen(Message):
    """One case, in codes."""

    case_id: UUID
    region: Slug
    colour: Colour | None
    provisional: bool
    closed: bool
    opened: Moment
    owner: Slug
    executor: Slug
    destination: Destination | None
    reports: int
    test: bool


class CaseWhole(CaseSeen):
    """One case with its handovers, why it stands as it does, and what is owed on it."""

    why: tuple[Why, ...]
    handovers: tuple[OfferSeen, ...]
    owed: tuple["OwedSeen", ...]


class OwedSeen(Message):
    """Something that is owed on a case."""

    case_id: UUID
    region: Slug
    colour: Colour | None
    what: str
    sentence: str
    with_whom: str
    due: Moment
    late: bool


class LetterSeen(Message):
    """A message that could not be taken in; what it said stays sealed."""

    letter_id: UUID
    region: Slug
    source: str
    reason: DeadLetterReason
    acute: bool
    topic: str
    partition: int
    offset: int
    arrived_at: Moment
    errors: tuple[FieldError, ...]


class Offers(Message):
    """Handovers, the most urgent first."""

    overdrachten: tuple[OfferSeen, ...]


class Cases(Message):
    """Cases on which something is open or owed, the most urgent first."""

    zaken: tuple[CaseSeen, ...]


class Owed(Message):
    """What is owed, the earliest first."""

    termijnen: tuple[OwedSeen, ...]


class Letters(Message):
    """What could not be taken in: the acute first, then the oldest."""

    afgekeurd: tuple[LetterSeen, ...]
