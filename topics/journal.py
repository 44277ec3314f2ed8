"""The journal of a region: one record per input, holding the input and every event that followed from it.

Format version 1. Times are milliseconds since 1970-01-01 UTC, by the broker's clock. Only ids, types, times,
colours, rule ids and codes stand in clear; whatever is of a person is sealed (``Input.sealed``) under a key
whose id alone is named. A reader that meets a newer ``v`` or an unknown event refuses the partition:
nothing is ignored. New events ship one release before their first use.
"""

from dataclasses import dataclass, field, fields
from typing import Any, get_args

import orjson

FORMAT = 1

DESK, INBOX, CLOCK = "desk", "inbox", "clock"
"""Lanes: what people do, what is reported, and what the writer adds itself (firings, configuration)."""


class UnknownFormat(Exception):
    """A record of a newer format, or with an event that this release does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The record on the broker through which a message came in, and when the broker took it in (ms)."""

    topic: str
    partition: int
    offset: int
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """A report, split at intake: facts, match keys, the rest and the reporter are each sealed apart."""

    type: str = "report"
    origin: Origin
    source: str
    source_kind: str
    report_id: str
    version: int
    kind: str
    received: int
    fingerprint: str
    """Keyed hash of the whole content: tells a repeat from the reuse of an id."""
    test: bool
    key_id: str
    sealed: dict[str, str]
    """``facts``, ``links``, ``rest``, ``reporter``: base64; empty in the record of a repeat."""

    @property
    def identity(self) -> str:
        return f"{self.source}/{self.report_id}/{self.version}"

    @property
    def thread(self) -> str:
        """What all versions of one report share."""
        return f"{self.source}/{self.report_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferredReport:
    """One report of a case that another centre offers."""

    source: str
    report_id: str
    version: int
    kind: str
    received: int
    test: bool
    counts: bool
    key_id: str
    """Of the key under which it is sealed: it may have to be destroyed alone."""

    @property
    def thread(self) -> str:
        """What all versions of one report share."""
        return f"{self.source}/{self.report_id}"

    @property
    def identity(self) -> str:
        """One version of it."""
        return f"{self.thread}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedInput:
    """A message that intake could not read; its bytes go to the dead letters, sealed."""

    type: str = "refused"
    origin: Origin
    source: str
    source_kind: str
    reason: str
    acute: bool
    report_id: str | None
    version: int | None
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerInput:
    """A receiver's answer to an offer; ``receiver`` is whose topic it came from."""

    type: str = "answer"
    origin: Origin
    receiver: str
    answer_id: str
    case_id: str
    handover_id: str
    state: str
    reason: str | None
    by: str | None
    answered: int
    phoned: bool
    key_id: str
    sealed: dict[str, str]
    """``note``: what was said, base64."""
    municipality: str | None = None
    helper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActInput:
    """What a person of the centre does."""

    type: str = "act"
    origin: Origin
    act_id: str
    case_id: str | None
    """None of what is done about a receiver."""
    kind: str
    actor: str
    role: str
    second: str | None
    colour: str | None
    indicators: dict[str, str]
    done: int
    key_id: str
    sealed: dict[str, str]
    """``reason``, and what else was said in words: base64."""
    details: dict[str, Any] = field(default_factory=dict)
    """What belongs to its kind, in codes, days and ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInput:
    """Another centre offers a case, ends that, or lets know something about it."""

    type: str = "transfer"
    origin: Origin
    transfer_id: str
    move: str
    sender: str
    """Its region."""
    case_id: str
    """Of the centre that hands over."""
    handover_id: str | None
    owner: str | None
    colour: str | None
    provisional: bool
    reasons: tuple[str, ...]
    terms: dict[str, int]
    standing: dict[str, dict[str, Any]]
    """What holds for the household: its state, since when (ms), its last day."""
    reports: tuple[TransferredReport, ...]
    state: str | None
    kind: str | None
    test: bool
    key_id: str
    sealed: dict[str, str]
    """``facts-0``, ``links-0``, ``rest-0`` and so on, by the number of the report, and ``spoken-0`` by that of the part
    of the assessment: base64."""
    assessment: tuple[dict[str, Any], ...] = ()
    """Of the shared safety assessment each party's part, without what was agreed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickInput:
    """The clock of the writer: deadlines that have passed fire."""

    type: str = "tick"
    until: int
    """What is due up to this moment fires (ms). The record's own time may be later: it never goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureInput:
    """Policy and directory of the region from here on, as texts (YAML)."""

    type: str = "configure"
    policy: str
    directory: str


FromOutside = ReportInput | RefusedInput | AnswerInput | ActInput | TransferInput
Input = FromOutside | TickInput | ConfigureInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """This policy and directory hold from here on."""

    type: str = "configured"
    policy_hash: str
    directory_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A report belongs to this case from now on; ``opened`` when the case is new, and then ``owner`` has it."""

    type: str = "registered"
    case_id: str
    opened: bool
    owner: str
    counts: bool
    """Whether it counts as a repetition for later ones (a double-anonymous one never does)."""
    involvement: str
    perpetrator_known: bool = False
    """Whether the alleged perpetrator was known from another household when it came (U5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Why the report is held to be about the household of ``case_id``; a POSSIBLE link changes nothing."""

    type: str = "linked"
    case_id: str
    kind: str
    certainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged:
    """The colour of the case from now on, and the rules that gave it (ids)."""

    type: str = "triaged"
    case_id: str
    colour: str | None
    provisional: bool
    reasons: tuple[str, ...]
    open_questions: tuple[str, ...]
    floor: str | None
    """The colour without what is only provisional; settling cannot go below it."""
    conditions: tuple[str, ...] = ()
    """Safety conditions that whoever gets the case must keep to (rule ids)."""
    board_request: tuple[str, ...] = ()
    """Criteria of a request to the *Raad* that are met (rule ids)."""
    board_unknown: tuple[str, ...] = ()
    """Facts by which more of them might be, and nobody knows them."""
    earlier: dict[str, int] = field(default_factory=dict)
    """The earlier reports that counted as repetition (source and id -> when received, ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """To whom the case belongs by the rules: destination and the rule's id."""

    type: str = "routed"
    case_id: str
    destination: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a ladder: what happens (a code), when it is due (ms), who is told (receivers)."""

    name: str
    due: int
    tells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The case is offered to a receiver; T03 and the ladder are fixed here and are never moved later."""

    type: str = "offered"
    case_id: str
    handover_id: str
    receiver: str
    destination: str
    colour: str | None
    accept_before: int
    ladder: tuple[Step, ...]
    contact_person: str | None
    dv_specialist: str | None
    key_id: str
    falls: int | None = None
    """Its receiver is out of service: it is not put on the queue, and from then on (ms) the centre has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverHeld:
    """A receiver is out of service: nothing new is put on its queue."""

    type: str = "receiver_held"
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverResumed:
    """It is in service again."""

    type: str = "receiver_resumed"
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPaused:
    """What becomes of an offer by its receiver going out of service, or coming back."""

    type: str = "offer_paused"
    case_id: str
    handover_id: str
    falls: int | None
    """From then on the centre has it (ms)."""
    shows: int | None
    """Then it is put on the receiver's queue (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferShown:
    """An offer that was held back is put on its receiver's queue."""

    type: str = "offer_shown"
    case_id: str
    handover_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A handover moved, by its receiver's answer, or by what was agreed with it by telephone."""

    type: str = "answered"
    case_id: str
    handover_id: str
    state: str
    reason: str | None
    released: bool = True
    """False for a refusal that releases nobody: it is recorded, and the handover stands as it did."""
    phone: bool = False
    """Whether it was said by telephone, and is confirmed by no answer yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTaken:
    """The case that another centre offers is this one here: its number there, and the handover there that is open."""

    type: str = "transfer_taken"
    case_id: str
    sender: str
    other_case: str
    handover_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAnswered:
    """The centre that offers a case gets an answer to its handover."""

    type: str = "transfer_answered"
    case_id: str
    sender: str
    other_case: str
    handover_id: str
    state: str
    reason: str | None
    municipality: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEnded:
    """Another centre's case: ACCEPTED makes it this centre's own; any other state, and it is nothing here any more."""

    type: str = "transfer_ended"
    case_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The case is the other centre's from here on, and closed at this one."""

    type: str = "handed_over"
    case_id: str
    handover_id: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorChanged:
    """Who does the work from now on."""

    type: str = "executor_changed"
    case_id: str
    executor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerChanged:
    """Who is responsible from now on."""

    type: str = "owner_changed"
    case_id: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFired:
    """A step of a ladder fired, once. ``again`` is when the last step comes back (ms), if it does. ``empty``: nobody
    was there to be told, so the next step that tells somebody is due at once."""

    type: str = "step_fired"
    case_id: str
    handover_id: str
    step: str
    due: int
    late: bool
    tells: tuple[str, ...]
    again: int | None
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TermFired:
    """A step about what is owed on a case (``term`` of the policy) fired, once. ``next`` is when the following one, or
    the same again, is due (ms); None when nothing follows. ``empty`` as of a step of an offer."""

    type: str = "term_fired"
    case_id: str
    term: str
    step: str
    due: int
    late: bool
    tells: tuple[str, ...]
    next: int | None
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """An offer no longer stands: RECALLED by the policy, or SUPERSEDED by what became known."""

    type: str = "taken_back"
    case_id: str
    handover_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody is told something beside the handover (a notice)."""

    type: str = "told"
    case_id: str | None
    handover_id: str | None
    kind: str
    to: str
    person: str | None
    key_id: str | None
    """Of the sealed content, when the notice has one."""
    term: str | None = None
    """What is owed, when it is that which somebody is told about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRefused:
    """An answer that is not possible as the handover stands; its sender is told how it stands."""

    type: str = "move_refused"
    case_id: str
    handover_id: str
    receiver: str
    wanted: str
    state: str
    now_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A message that was taken in before; ``receipt`` is false when it is our own second delivery of it."""

    type: str = "repeated"
    case_id: str | None
    receipt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDecided:
    """Kept, but nothing follows: a lower version after a higher, a withdrawal, advice."""

    type: str = "not_decided"
    case_id: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettered:
    """The input goes to the dead letters, for a person."""

    type: str = "dead_lettered"
    letter_id: str
    reason: str
    acute: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDone:
    """An act of a person took effect; ``colour`` and ``provisional`` as they are after it."""

    type: str = "act_done"
    case_id: str
    kind: str
    actor: str
    second: str | None
    colour: str | None
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChanged:
    """Something holds for the household of a case from ``since`` (ms) on, or no more: codes of ``topics.codes``."""

    type: str = "standing_changed"
    case_id: str
    what: str
    state: str
    since: int
    until: str | None
    """Its last day in the Netherlands, when it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """These receivers and organisations get the case no more, by a rule of the policy (id)."""

    type: str = "passed_over"
    case_id: str
    whom: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigated:
    """How an investigation ended; what was REFUTED counts as repetition no more: these reports (source and id)."""

    type: str = "investigated"
    case_id: str
    found: str
    threads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A notice beside the handover is ready, by a rule (id); a person releases it. Without a receiver, or where the
    rule says so, it is a call to make (``by`` PHONE)."""

    type: str = "prepared"
    case_id: str
    notice_id: str
    rule: str
    to: str
    receiver: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A prepared notice went out: RELEASED to its receiver, or PHONED by a person."""

    type: str = "released"
    case_id: str
    notice_id: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDelivered:
    """A notice that went out did not arrive: it goes out once more (``by`` QUEUE), or is a call to make (PHONE)."""

    type: str = "not_delivered"
    case_id: str
    notice_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """A receiver is asked to think along, without a handover."""

    type: str = "consulted"
    case_id: str
    consult_id: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultAnswered:
    """Who was asked has answered: COMPLETED, or REFUSED."""

    type: str = "consult_answered"
    case_id: str
    consult_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A person decided that two cases are of one household, or are not, or are one from now on (MERGED: ``other``
    goes on in ``case_id``)."""

    type: str = "related"
    case_id: str
    other: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsMoved:
    """A person found that these reports (source and id) are of another household: they are a case of their own."""

    type: str = "reports_moved"
    case_id: str
    to: str
    threads: tuple[str, ...]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SameIncident:
    """A person found that these reports (source and id) tell of one incident."""

    type: str = "same_incident"
    case_id: str
    threads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGiven:
    """Who has this role on the case from now on: a receiver or the centre."""

    type: str = "role_given"
    case_id: str
    who: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentAdded:
    """A party added its part to the shared safety assessment of a case; what was agreed is sealed in the input."""

    type: str = "assessment_added"
    case_id: str
    party: str
    version: int
    scale: int | None
    """Signs of Safety, 0 (most unsafe) to 10."""
    indicators: dict[str, str]
    valid_until: str | None
    number: int | None = None
    """Which part of those that another centre passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChanged:
    """What is owed on a case from now on (term of the policy -> when it is due, ms), and what no more."""

    type: str = "terms_changed"
    case_id: str
    due: dict[str, int]
    ended: tuple[str, ...]
    owed: dict[str, int] = field(default_factory=dict)
    """Of what is owed no more: by when it was (ms)."""
    steps: dict[str, list[int]] = field(default_factory=dict)
    """Of those that are due: when the next step of its ladder fires (ms), and which one that is, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The data of a household were destroyed: these keys are gone, and with them all that they sealed."""

    type: str = "erased"
    case_id: str
    key_ids: tuple[str, ...]


Event = (
    Configured
    | Registered
    | Linked
    | Triaged
    | Routed
    | Offered
    | ReceiverHeld
    | ReceiverResumed
    | OfferPaused
    | OfferShown
    | Answered
    | TransferTaken
    | TransferAnswered
    | TransferEnded
    | HandedOver
    | ExecutorChanged
    | OwnerChanged
    | StepFired
    | TermFired
    | TakenBack
    | Told
    | MoveRefused
    | Repeated
    | NotDecided
    | DeadLettered
    | ActDone
    | StandingChanged
    | PassedOver
    | Investigated
    | Prepared
    | Released
    | NotDelivered
    | Consulted
    | ConsultAnswered
    | Related
    | ReportsMoved
    | SameIncident
    | RoleGiven
    | AssessmentAdded
    | TermsChanged
    | Erased
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One input and what followed. ``seq`` counts the region's records from 0; ``at`` never goes back."""

    v: int = FORMAT
    region: str
    seq: int
    at: int
    lane: str
    epoch: int
    """Of the lane: a recorded resume on another cluster starts a new one."""
    offset: int
    """On the lane; on CLOCK the ``seq`` itself."""
    policy: str
    input: Input
    events: tuple[Event, ...] = field(default=())


INPUTS: dict[str, type[Any]] = {str(cls.__dataclass_fields__["type"].default): cls for cls in get_args(Input)}
EVENTS: dict[str, type[Any]] = {str(cls.__dataclass_fields__["type"].default): cls for cls in get_args(Event)}
_TUPLES = {cls: tuple(f.name for f in fields(cls) if str(f.type).startswith("tuple")) for cls in EVENTS.values()}


def encode(record: Record) -> bytes:
    """The record as canonical JSON (sorted keys): the same record gives the same bytes."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def decode(raw: bytes) -> Record:
    """A record from its bytes; raises ``UnknownFormat`` when this release cannot know what it means."""
    found = orjson.loads(raw)
    if found.get("v") != FORMAT:
        raise UnknownFormat(f"journal format {found.get('v')}, this release reads {FORMAT}")
    found["input"] = read_input(found["input"])
    found["events"] = tuple(_event(event) for event in found["events"])
    return Record(**found)


def read_input(found: dict[str, Any]) -> Input:
    """An input from its plain form."""
    try:
        cls = INPUTS[found["type"]]
        if "origin" in found:
            found["origin"] = Origin(**found["origin"])
        if cls is TransferInput:
            found["reasons"] = tuple(found["reasons"])
            found["reports"] = tuple(TransferredReport(**one) for one in found["reports"])
        made: Input = cls(**found)
    except (KeyError, TypeError) as error:
        raise UnknownFormat(f"input of type {found.get('type')}") from error
    return made


def _event(found: dict[str, Any]) -> Event:
    try:
        cls = EVENTS[found["type"]]
        for name in _TUPLES[cls]:
            found[name] = tuple(found[name])
        if cls is Offered:
            found["ladder"] = tuple(
                Step(name=step["name"], due=step["due"], tells=tuple(step["tells"])) for step in found["ladder"]
            )
        made: Event = cls(**found)
    except (KeyError, TypeError) as error:
        raise UnknownFormat(f"event of type {found.get('type')}") from error
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMessage:
    """What intake writes on ``inbox`` and ``desk``: the input, and what only the region's writer may open.

    ``wrapped`` is the key of this copy under the region's wrap key (``wrap`` names its version); casework
    moves it to ``keys`` when it accepts the copy. ``original`` are the bytes as they came (sealed), for a
    dead letter; ``problem`` says what is wrong, for the receipt. Neither reaches the journal.
    """

    v: int = FORMAT
    region: str
    wrap: str
    wrapped: str
    original: str
    problem: dict[str, Any] | None
    warnings: tuple[dict[str, Any], ...]
    input: Input
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each report that another centre passed on: key id -> name of the wrap key, and its own key under that."""


def encode_lane(message: LaneMessage) -> bytes:
    """The message as JSON."""
    return orjson.dumps(message)


def decode_lane(raw: bytes) -> LaneMessage:
    """The message from its bytes; raises ``UnknownFormat``."""
    found = orjson.loads(raw)
    if found.get("v") != FORMAT:
        raise UnknownFormat(f"lane format {found.get('v')}, this release reads {FORMAT}")
    found["input"] = read_input(found["input"])
    found["warnings"] = tuple(found["warnings"])
    return LaneMessage(**found)
