"""What people do: a receiver answers an offer, somebody of the centre acts on a case."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from topics.base import Day, Line, Message, Moment, MunicipalityCode, PolicyText, Slug, Text
from topics.codes import (
    ActKind,
    Answered,
    BoardNotice,
    CaseRole,
    Colour,
    HandoverState,
    HoldDecision,
    Indicator,
    InvestigationOutcome,
    Measure,
    RefusalReason,
    SafetyRating,
    StandingState,
    TriageOutcome,
)

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


Term = Annotated[str, StringConstraints(pattern=r"^T[0-9]{2}[a-z]?$")]
"""A term of the policy, by its id."""


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
    handover_id: UUID = Field(description="of the offer, or of the notice, that is answered")
    state: ReceiverMove
    reason: RefusalReason | None = None
    by: Actor | None = None
    answered_at: Moment
    municipality: MunicipalityCode | None = Field(
        default=None, description="NOT_OUR_AREA: where the household lives now, when it is known"
    )
    helper: Slug | None = Field(default=None, description="ALREADY_ELSEWHERE: the receiver that helps already")
    phone: PhoneCall | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _reason_with_refusal(self) -> Self:
        if (self.state in (HandoverState.REFUSED, HandoverState.RETURNED)) is (self.reason is None):
            raise ValueError("reason_with_refusal")
        return self


class Standing(Message):
    """What holds from now on, or does not any more: a measure, a *huisverbod*, a contact ban."""

    measure: Measure | None = Field(default=None, description="MEASURE: which one")
    state: StandingState
    since: Moment | None = Field(default=None, description="from when; absent: from the act on")
    until: Day | None = Field(default=None, description="last day, Europe/Amsterdam, when it is known")


class AssessmentPart(Message):
    """One party's part of the shared safety assessment."""

    party: Slug
    scale: int | None = Field(default=None, ge=0, le=10, description="Signs of Safety: 0 is most unsafe")
    indicators: dict[Indicator, Answered] = Field(default_factory=dict, max_length=30)
    conditions: tuple[Line, ...] = Field(default=(), max_length=20, description="what was agreed")
    valid_until: Day | None = None


DETAILS = {
    ActKind.ASSESS: ("rating", "outcome"),
    ActKind.DECIDE_HOLD: ("hold",),
    ActKind.CONFIRM_LINK: ("other_case",),
    ActKind.UNLINK: ("other_case",),
    ActKind.MERGE: ("other_case",),
    ActKind.RELEASE: ("notices",),
    ActKind.PHONED: ("phone",),
    ActKind.MEASURE: ("standing",),
    ActKind.RESTRAINING_ORDER: ("standing",),
    ActKind.BOARD_NOTICE: ("board",),
    ActKind.OUTCOME: ("found",),
    ActKind.ASSIGN_ROLE: ("case_role", "to"),
    ActKind.ASSESSMENT_PART: ("part",),
    ActKind.CONSULT: ("to",),
    ActKind.MOVE_TIMER: ("term", "due"),
    ActKind.HOLD_RECEIVER: ("to",),
    ActKind.RESUME_RECEIVER: ("to",),
    ActKind.ACTIVATE_POLICY: ("policy",),
}
"""What an act must say besides actor and reason; nothing of another act's may stand there."""
_INSTEAD = {ActKind.CONFIRM_LINK: ("reports",), ActKind.UNLINK: ("reports",)}
"""What it may say instead: not of two cases, but of reports of one case."""
_ALSO = {ActKind.PHONED: ("notices", "handover")}
"""What it may say."""
WITHOUT_CASE = (ActKind.HOLD_RECEIVER, ActKind.RESUME_RECEIVER, ActKind.ACTIVATE_POLICY)
"""What is done about a receiver, or with the region's policy, and not with a case."""
_DETAILS = tuple(
    dict.fromkeys(name for names in (*DETAILS.values(), *_INSTEAD.values(), *_ALSO.values()) for name in names)
)


class Act(Message):
    """What a person of the centre does with a case, about a receiver, or with the policy. ``second`` is a second
    authorised person (*vier ogen*).

    Which fields an act needs stands in ``DETAILS``.
    """

    act_id: UUID
    case_id: UUID | None = Field(
        default=None, description="absent from HOLD_RECEIVER, RESUME_RECEIVER and ACTIVATE_POLICY alone"
    )
    kind: ActKind
    actor: Actor
    role: Slug
    second: Actor | None = None
    reason: Text
    done_at: Moment
    colour: Colour | None = Field(default=None, description="RAISE and LOWER: to this one")
    indicators: dict[Indicator, Answered] = Field(
        default_factory=dict, max_length=30, description="SETTLE, ASSESS: the questions that were open"
    )
    rating: SafetyRating | None = None
    outcome: TriageOutcome | None = None
    hold: HoldDecision | None = None
    other_case: UUID | None = None
    reports: tuple[UUID, ...] = Field(
        default=(),
        max_length=20,
        description="UNLINK: reports that are of another household; CONFIRM_LINK: reports of one incident",
    )
    notices: tuple[UUID, ...] = Field(default=(), max_length=20, description="prepared notices, by id")
    phone: PhoneCall | None = None
    handover: UUID | None = Field(default=None, description="PHONED: the offer that was handed over in that call")
    standing: Standing | None = None
    board: BoardNotice | None = None
    found: InvestigationOutcome | None = None
    case_role: CaseRole | None = None
    to: Slug | None = Field(
        default=None,
        description="ASSIGN_ROLE, CONSULT: a receiver, or the centre; HOLD_RECEIVER, RESUME_RECEIVER: that receiver",
    )
    part: AssessmentPart | None = None
    term: Term | None = Field(default=None, description="MOVE_TIMER: which of the case's terms")
    policy: PolicyText | None = Field(
        default=None, description="ACTIVATE_POLICY: the whole policy (YAML) by which the region decides from then on"
    )
    due: Moment | None = Field(
        default=None, description="MOVE_TIMER: to when; of oranje and rood only to an earlier one"
    )

    @model_validator(mode="after")
    def _details_of_its_kind(self) -> Self:
        if (self.case_id is None) is not (self.kind in WITHOUT_CASE):
            raise ValueError("act_details")
        needed = DETAILS.get(self.kind, ())
        given = {name for name in _DETAILS if getattr(self, name) not in (None, ())}
        as_told = given.issuperset(needed) and given.issubset((*needed, *_ALSO.get(self.kind, ())))
        if not as_told and given != set(_INSTEAD.get(self.kind, needed)):
            raise ValueError("act_details")
        if (self.kind is ActKind.MEASURE) is not (self.standing is not None and self.standing.measure is not None):
            raise ValueError("act_details")
        return self
