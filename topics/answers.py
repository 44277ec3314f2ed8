"""What people do: a receiver answers an offer, somebody of the centre acts on a case."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from topics.base import Line, Message, Moment, Slug, Text
from topics.codes import ActKind, Answered, Colour, HandoverState, Indicator, RefusalReason

ReceiverMove = Literal[
    HandoverState.RECEIVED,
    HandoverState.ACKNOWLEDGED,
    HandoverState.ACCEPTED,
    HandoverState.STARTED,
    HandoverState.COMPLETED,
    HandoverState.REFUSED,
    HandoverState.RETURNED,
]
"""The moves that are a receiver's own; the others are the policy's."""

Actor = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""A worker's code at his organisation; never a name."""


class PhoneCall(Message):
    """A handover by telephone, recorded as a fact."""

    who: Line
    with_whom: Line
    at: Moment
    what: Text | None = None


class Answer(Message):
    """What a receiver does with one handover.

    RECEIVED is sent by a machine, ACKNOWLEDGED when a person saw it, STARTED at the first contact with the
    family. REFUSED (before acceptance) and RETURNED (after it) need a reason.
    """

    answer_id: UUID
    case_id: UUID
    handover_id: UUID
    state: ReceiverMove
    reason: RefusalReason | None = None
    by: Actor | None = None
    answered_at: Moment
    phone: PhoneCall | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _reason_with_refusal(self) -> Self:
        if (self.state in (HandoverState.REFUSED, HandoverState.RETURNED)) is (self.reason is None):
            raise ValueError("reason_with_refusal")
        return self


class Act(Message):
    """What a person of the centre does with a case. ``second`` is a second authorised person (*vier ogen*)."""

    act_id: UUID
    case_id: UUID
    kind: ActKind
    actor: Actor
    role: Slug
    second: Actor | None = None
    reason: Text
    done_at: Moment
    colour: Colour | None = Field(default=None, description="RAISE and LOWER: to this one")
    indicators: dict[Indicator, Answered] = Field(
        default_factory=dict, max_length=30, description="SETTLE: the questions that were open"
    )
