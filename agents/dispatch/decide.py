"""What each receiver and integrator gets of a journal record. Pure; it can be done again from the journal.

In clear go ids, codes, colours and times. What is needed to knock on the right door goes sealed, for its
receiver alone; never the reporter, and never an address that is secret.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid5

from agents.casework.book import Book
from agents.casework.case import Case
from agents.casework.rules import Rules
from agents.casework.sentences import sentence
from topics import journal as j
from topics import specs
from topics.codes import CaseRole, DeadLetterReason, HandoverState, ReceiptOutcome, TransferMove
from topics.problems import Refused

MOST_REPORTS = 20
"""The newest reports of a case that an offer holds: an offer must fit on its queue, whatever was reported."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be sealed for ``receiver`` under the key ``key_id``."""

    key_id: str
    receiver: str
    plain: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message outwards: its topic, key, CloudEvents type and id, the message, and what it seals."""

    topic: str
    key: str
    type: str
    id: str
    subject: str | None
    message: dict[str, Any]
    content: Content | None = None


PassedOn = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""One report for another centre: what is told of it in clear, its facts, and the rest of it without the reporter."""
PassesOn = Callable[[str], list[PassedOn]]
"""The reports of a case for another centre, this one included, oldest first; asked only when they are sealed."""
Agreed = Callable[[str], list[dict[str, Any]]]
"""The shared safety assessment of a case: each party's newest part."""
Rests = Callable[[str], list[dict[str, Any]]]
"""The opened reports of a case, this one included, oldest first; asked only when something is sealed."""


@dataclass(slots=True)
class _After:
    """How a case stands after the record."""

    colour: str | None
    provisional: bool
    reasons: tuple[str, ...]
    open_questions: tuple[str, ...]
    owner: str
    executor: str
    test: bool
    conditions: tuple[str, ...]
    board_request: tuple[str, ...]
    board_unknown: tuple[str, ...]
    roles: dict[str, list[str]]


def dispatch(
    book: Book,
    rules: Rules,
    record: j.Record,
    message: j.LaneMessage | None,
    rests: Rests,
    agreed: Agreed,
    passes_on: PassesOn,
) -> list[Delivery]:
    """Everything that leaves because of ``record``; ``book`` is as it was before it."""
    found: list[Delivery] = []
    for event in record.events:
        if (passed := _to_another_centre(book, rules, record, event, agreed, passes_on)) is not None:
            found += passed
            continue
        match event:
            case j.Offered() if event.falls is None:
                found.append(_offer(book, rules, record, event, rests, agreed))
            case j.OfferShown():
                found.append(_offer(book, rules, record, _as_offered(book, event), rests, agreed))
            case j.TakenBack() if _was_shown(book, record, event):
                found.append(_recall(book, record, event))
            case j.Told():
                found.append(_notice(book, rules, record, event, rests))
            case j.MoveRefused():
                found.append(_too_late(book, record, event))
            case j.DeadLettered() if message is not None:
                found.append(_dead_letter(record, event, message))
            case _:
                pass
    receipt = _receipt(record, message)
    return [*found, receipt] if receipt is not None else found


def _offer(book: Book, rules: Rules, record: j.Record, event: j.Offered, rests: Rests, agreed: Agreed) -> Delivery:
    after = _after(book, record, event.case_id)
    receiver = rules.directory.receiver(event.receiver)
    content = None
    if reports := _for_receiver(rests(event.case_id)):
        plain = {
            "reports": reports[-MOST_REPORTS:],
            "left_out": max(0, len(reports) - MOST_REPORTS),
            "reasons": [sentence(rules, rule) for rule in after.reasons],
            "safety_conditions": [sentence(rules, rule) for rule in after.conditions],
            "assessment": agreed(event.case_id),
            "contact_person": _person(receiver.contact_person if receiver else None),
            "dv_specialist": _person(receiver.dv_specialist if receiver else None),
        }
        content = Content(event.key_id, event.receiver, plain)
    return Delivery(
        specs.QUEUE.topic(event.receiver),
        event.case_id,
        specs.OFFER_TYPE,
        event.handover_id,
        event.case_id,
        {
            "handover_id": event.handover_id,
            "case_id": event.case_id,
            "region": record.region,
            "receiver": event.receiver,
            "destination": event.destination,
            "colour": event.colour,
            "provisional": after.provisional,
            "reasons": after.reasons,
            "owner": after.owner,
            "executor": after.executor,
            "roles": after.roles,
            "contact_person": event.contact_person,
            "dv_specialist": event.dv_specialist,
            "offered_at": record.at,
            "accept_before": event.accept_before,
            "open_questions": after.open_questions,
            "board_request": after.board_request,
            "board_unknown": after.board_unknown,
            "policy": record.policy,
            "test": after.test,
            "content": None,
        },
        content,
    )


def _as_offered(book: Book, event: j.OfferShown) -> j.Offered:
    """What was offered, of an offer that was held back."""
    case = book.cases[event.case_id]
    handover = next(found for found in case.handovers if found.id == event.handover_id)
    return j.Offered(
        case_id=case.id,
        handover_id=handover.id,
        receiver=handover.receiver,
        destination=handover.destination,
        colour=handover.colour,
        accept_before=handover.accept_before,
        ladder=tuple(handover.ladder),
        contact_person=handover.contact_person,
        dv_specialist=handover.dv_specialist,
        key_id=handover.key_id,
    )


def _was_shown(book: Book, record: j.Record, event: j.TakenBack) -> bool:
    """Whether its receiver can know of the offer that is taken back."""
    pair = book.open_handover(event.case_id, event.handover_id)
    shown = any(isinstance(one, j.OfferShown) and one.handover_id == event.handover_id for one in record.events)
    return shown or pair is None or not pair[1].withheld


def _to_another_centre(
    book: Book, rules: Rules, record: j.Record, event: j.Event, agreed: Agreed, passes_on: PassesOn
) -> list[Delivery] | None:
    """What another centre gets of an event; None when the event is not about one."""
    match event:
        case j.TransferAnswered():
            more = {"state": event.state, "reason": event.reason, "municipality": event.municipality}
            move = TransferMove.ANSWERED
            return [_transfer(book, record, event.sender, move, event.other_case, event.handover_id, more)]
        case j.Offered() if (region := rules.directory.elsewhere(event.receiver)) is not None:
            return [_transfer_offer(book, rules, record, event, region, agreed, passes_on)]
        case j.HandedOver() if (region := rules.directory.elsewhere(event.to)) is not None:
            state = HandoverState.ACCEPTED.value
            return [_ended(book, record, region, event.case_id, event.handover_id, state)]
        case j.TakenBack() if (pair := book.open_handover(event.case_id, event.handover_id)) is not None:
            region = rules.directory.elsewhere(pair[1].receiver)
            if region is None:
                return None
            # What is offered anew at once is not ended before: its new number goes with the offer.
            anew = any(
                isinstance(one, j.Offered) and (one.case_id, one.receiver) == (event.case_id, pair[1].receiver)
                for one in record.events
            )
            return [] if anew else [_ended(book, record, region, event.case_id, event.handover_id, event.state)]
        case j.MoveRefused() if (region := rules.directory.elsewhere(event.receiver)) is not None:
            # What was handed over already is said once more.
            state = HandoverState.ACCEPTED if event.state == HandoverState.COMPLETED else HandoverState(event.state)
            return [_ended(book, record, region, event.case_id, event.handover_id, state.value)]
        case j.Told() if (region := rules.directory.elsewhere(event.to)) is not None and event.case_id is not None:
            more = {"kind": event.kind}
            return [_transfer(book, record, region, TransferMove.TOLD, event.case_id, event.handover_id, more)]
        case _:
            return None


def _ended(book: Book, record: j.Record, region: str, case_id: str, handover_id: str, state: str) -> Delivery:
    return _transfer(book, record, region, TransferMove.ENDED, case_id, handover_id, {"state": state})


def _transfer_offer(
    book: Book, rules: Rules, record: j.Record, event: j.Offered, region: str, agreed: Agreed, passes_on: PassesOn
) -> Delivery:
    after, case = _after(book, record, event.case_id), book.cases.get(event.case_id)
    terms = dict(case.terms) if case is not None else {}
    for change in record.events:
        if isinstance(change, j.TermsChanged) and change.case_id == event.case_id:
            terms = {term: due for term, due in (terms | change.due).items() if term not in change.ended}
    every = passes_on(event.case_id)
    reports = every[-MOST_REPORTS:]
    plain = {
        "reports": [{"facts": _without_ids(facts), **rest} for _, facts, rest in reports],
        "assessment": agreed(event.case_id),
    }
    more = {
        "owner": after.owner,
        "colour": event.colour,
        "provisional": after.provisional,
        "reasons": after.reasons,
        "terms": terms,
        "standing": _standing(case, record, event.case_id),
        "reports": [told for told, _, _ in reports],
        "left_out": max(0, len(every) - MOST_REPORTS),
    }
    content = Content(event.key_id, event.receiver, plain) if reports else None
    return _transfer(book, record, region, TransferMove.OFFERED, event.case_id, event.handover_id, more, content)


def _standing(case: Case | None, record: j.Record, case_id: str) -> dict[str, dict[str, Any]]:
    """What stands on a case after the record."""
    found = {what: asdict(one) for what, one in case.standing.items()} if case is not None else {}
    for event in record.events:
        if isinstance(event, j.StandingChanged) and event.case_id == case_id:
            found[event.what] = {"state": event.state, "since": event.since, "until": event.until}
    return found


def _transfer(
    book: Book,
    record: j.Record,
    region: str,
    move: TransferMove,
    case_id: str,
    handover_id: str | None,
    more: dict[str, Any],
    content: Content | None = None,
) -> Delivery:
    """One message for another centre."""
    transfer_id = event_id(record, "transfer", move, case_id, handover_id or "", str(more.get("kind", "")))
    return Delivery(
        specs.TRANSFERS.topic(region),
        case_id,
        specs.TRANSFER_TYPE,
        transfer_id,
        case_id,
        {
            "transfer_id": transfer_id,
            "move": move.value,
            "sender": record.region,
            "region": region,
            "case_id": case_id,
            "handover_id": handover_id,
            "at": record.at,
            "test": _after(book, record, case_id).test,
            **more,
        },
        content,
    )


def _without_ids(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without what this region's directory made of names: the other centre has its own."""
    return {name: said for name, said in facts.items() if name not in ("helpers", "employers", "reporters_team")}


def passed_on(
    source: str, report_id: str, version: int, kind: str, received: int, test: bool, counts: bool
) -> dict[str, Any]:
    """What another centre is told of a report in clear."""
    return {
        "source": source,
        "report_id": report_id,
        "version": version,
        "kind": kind,
        "received": received,
        "test": test,
        "counts": counts,
    }


def _recall(book: Book, record: j.Record, event: j.TakenBack) -> Delivery:
    pair = book.open_handover(event.case_id, event.handover_id)
    receiver = pair[1].receiver if pair is not None else ""
    return Delivery(
        specs.QUEUE.topic(receiver),
        event.case_id,
        specs.RECALL_TYPE,
        event_id(record, event.handover_id, event.state),
        event.case_id,
        {
            "handover_id": event.handover_id,
            "case_id": event.case_id,
            "receiver": receiver,
            "state": event.state,
            "at": record.at,
            "test": pair[0].test if pair is not None else False,
        },
    )


def _notice(book: Book, rules: Rules, record: j.Record, event: j.Told, rests: Rests) -> Delivery:
    after = _after(book, record, event.case_id) if event.case_id else None
    fired = _fired(record, event)
    place = record.events.index(event)
    content = None
    if event.key_id is not None and (reports := _for_receiver(rests(event.case_id or ""))):
        # Only what is new: the earlier reports went with the offer.
        content = Content(event.key_id, event.to, {"reports": reports[-1:]})
    return Delivery(
        specs.NOTICES.topic(event.to),
        event.case_id or record.region,
        specs.NOTICE_TYPE,
        notice_id := event_id(record, event.kind, str(place)),
        event.case_id,
        {
            "notice_id": notice_id,
            "kind": event.kind,
            "to": event.to,
            "person": event.person,
            "case_id": event.case_id,
            "handover_id": event.handover_id,
            "colour": after.colour if after else None,
            "at": record.at,
            "due": fired.due if fired else None,
            "late": fired.late if fired else False,
            "state": None,
            "now_with": None,
            "about": _receiver_of(record) if event.case_id is None else None,
            "owed": _owed(book, rules, event),
            "roles": after.roles if after else {},
            "test": after.test if after else False,
            "content": None,
        },
        content,
    )


def _fired(record: j.Record, event: j.Told) -> j.StepFired | j.TermFired | None:
    """The step because of which somebody is told something."""
    found = (
        one
        for one in record.events
        if (
            isinstance(one, j.TermFired)
            and (one.case_id, one.term) == (event.case_id, event.term)
            and event.kind in (one.step, "RECALL_DUE")
        )
        or (
            isinstance(one, j.StepFired)
            and event.term is None
            and (one.handover_id, one.step) == (event.handover_id, event.kind)
        )
    )
    return next(found, None)


def _owed(book: Book, rules: Rules, event: j.Told) -> dict[str, Any] | None:
    """What is owed and was not done, in the policy's words, and by when it is."""
    case = book.cases.get(event.case_id or "")
    if event.term is None or case is None:
        return None
    rule = next((row for row in rules.policy.terms if row.id == event.term), None)
    words = {"nl": rule.nl, "en": rule.en} if rule is not None else {"nl": event.term, "en": event.term}
    return {"term": event.term, "due": case.terms.get(event.term), **words}


def _receiver_of(record: j.Record) -> str | None:
    """The receiver that went out of service with a record, or came back."""
    found = (one.receiver for one in record.events if isinstance(one, j.ReceiverHeld | j.ReceiverResumed))
    return next(found, None)


def _too_late(book: Book, record: j.Record, event: j.MoveRefused) -> Delivery:
    case = book.cases[event.case_id]
    return Delivery(
        specs.NOTICES.topic(event.receiver),
        event.case_id,
        specs.NOTICE_TYPE,
        notice_id := event_id(record, "TOO_LATE", event.handover_id),
        event.case_id,
        {
            "notice_id": notice_id,
            "kind": "TOO_LATE",
            "to": event.receiver,
            "person": None,
            "case_id": event.case_id,
            "handover_id": event.handover_id,
            "colour": case.colour,
            "at": record.at,
            "due": None,
            "late": False,
            "state": event.state,
            "now_with": event.now_with,
            "about": None,
            "owed": None,
            "roles": case.roles,
            "test": case.test,
            "content": None,
        },
    )


def _dead_letter(record: j.Record, event: j.DeadLettered, message: j.LaneMessage) -> Delivery:
    said = record.input
    assert not isinstance(said, j.TickInput | j.ConfigureInput)
    source = _source(said, record.region)
    return Delivery(
        specs.DEADLETTERS.topic(),
        source,
        specs.DEAD_LETTER_TYPE,
        event.letter_id,
        None,
        {
            "letter_id": event.letter_id,
            "region": record.region,
            "source": source,
            "origin": _origin(said.origin),
            "reason": event.reason,
            "problem": _problem(event, message),
            "acute": event.acute,
            "arrived_at": said.origin.arrived,
            "at": record.at,
            "original": {"key_id": said.key_id, "data": message.original},
        },
    )


def _receipt(record: j.Record, message: j.LaneMessage | None) -> Delivery | None:
    """One for each record that a source published; none for our own second delivery of it."""
    said = record.input
    if message is None or not isinstance(said, j.ReportInput | j.RefusedInput):
        return None
    if not specs.REPORTS.owns(said.origin.topic):
        return None
    dead = next((event for event in record.events if isinstance(event, j.DeadLettered)), None)
    repeated = next((event for event in record.events if isinstance(event, j.Repeated)), None)
    if repeated is not None and not repeated.receipt:
        return None
    outcome = (
        ReceiptOutcome.REFUSED if dead else ReceiptOutcome.REPEAT if repeated is not None else ReceiptOutcome.REGISTERED
    )
    return Delivery(
        specs.RECEIPTS.topic(said.source),
        said.report_id or said.source,
        specs.RECEIPT_TYPE,
        receipt_id := event_id(record, "receipt", said.origin.topic),
        said.report_id,
        {
            "receipt_id": receipt_id,
            "origin": _origin(said.origin),
            "outcome": outcome.value,
            "report_id": said.report_id,
            "version": said.version,
            "warnings": list(message.warnings),
            "problem": _problem(dead, message) if dead else None,
            "at": record.at,
        },
    )


def _problem(event: j.DeadLettered, message: j.LaneMessage) -> dict[str, Any]:
    if message.problem is not None:
        return message.problem
    return Refused(DeadLetterReason(event.reason), ()).problem().model_dump(mode="json")


def _after(book: Book, record: j.Record, case_id: str) -> _After:
    case: Case | None = book.cases.get(case_id)
    after = (
        _After(
            case.colour,
            case.provisional,
            tuple(case.reasons),
            tuple(case.open_questions),
            case.owner,
            case.executor,
            case.test,
            tuple(case.conditions),
            tuple(case.board_request),
            tuple(case.board_unknown),
            {role: list(who) for role, who in case.roles.items()},
        )
        if case is not None
        else _After(None, False, (), (), "", "", False, (), (), (), {})
    )
    for event in record.events:
        if isinstance(event, j.ReportsMoved) and event.to == case_id:
            after.owner = after.executor = event.owner
            after.test = all(entry.test for entry in book.reports_of(book.cases[event.case_id]))
        if getattr(event, "case_id", None) != case_id:
            continue
        match event:
            case j.Registered() if case is None:
                after.owner = after.executor = event.owner
                after.test = isinstance(record.input, j.ReportInput) and record.input.test
            case j.Triaged():
                after.colour, after.provisional = event.colour, event.provisional
                after.reasons, after.open_questions = event.reasons, event.open_questions
                after.conditions = event.conditions
                after.board_request, after.board_unknown = event.board_request, event.board_unknown
            case j.RoleGiven():
                others = after.roles.get(event.role, []) if event.role == CaseRole.INVOLVED else []
                after.roles[event.role] = list(dict.fromkeys([*others, event.who]))
            case j.ActDone():
                after.colour, after.provisional = event.colour, event.provisional
            case j.OwnerChanged():
                after.owner = event.owner
            case j.ExecutorChanged():
                after.executor = event.executor
            case _:
                pass
    return after


# Where somebody lives, in the words of a participant and of an address.
_PLACE = ("postcode", "house_number", "house_number_suffix", "street", "town")
# For finding relations and conflicts of interest at the centre; no receiver needs them at the door.
_NOT_AT_THE_DOOR = ("bsn", "employer", "relatives_employers")


def _for_receiver(rests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reports of a case as their receiver gets them.

    Of a secret address nothing stays, at a participant neither, nor in another report that does not call it secret.
    """
    addresses = [rest.get("address") for rest in rests]
    secret = {(_postcode(found), found["house_number"]) for found in addresses if found and found.get("secret")}
    return [_without(rest, secret) for rest in rests]


def _without(rest: dict[str, Any], secret_places: set[tuple[str, int]]) -> dict[str, Any]:
    address = rest.get("address")
    own = bool(address and address.get("secret"))
    secret = own or bool(address and _at(address, secret_places))
    return {
        "received_at": rest["received_at"],
        "occasions": rest["occasions"],
        "violence_kinds": rest["violence_kinds"],
        "extra_flags": rest["extra_flags"],
        "participants": [
            {
                name: value
                for name, value in person.items()
                if name not in _NOT_AT_THE_DOOR and not (name in _PLACE and (own or _at(person, secret_places)))
            }
            for person in rest["participants"]
        ],
        "address": None if secret else address,
        "address_secret": secret,
        "shelter_safety_code": rest.get("shelter_safety_code"),
        "summary": rest.get("narrative"),
    }


def _at(somebody: dict[str, Any], places: set[tuple[str, int]]) -> bool:
    """Whether an address is one of these; without its number the postcode says enough, and a suffix saves nothing."""
    postcode, number = _postcode(somebody), somebody.get("house_number")
    return any(postcode == other and number in (None, house) for other, house in places)


def _postcode(somebody: dict[str, Any]) -> str:
    return str(somebody.get("postcode", "")).replace(" ", "")


def _person(person: Any) -> dict[str, str] | None:
    return {"id": person.id, "name": person.name, "phone": person.phone} if person is not None else None


def _origin(origin: j.Origin) -> dict[str, Any]:
    return {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}


def _source(said: j.Input, region: str) -> str:
    match said:
        case j.ReportInput() | j.RefusedInput():
            return said.source
        case j.AnswerInput():
            return said.receiver
        case _:
            return region


def event_id(record: j.Record, *step: str) -> str:
    """A UUIDv5 of the record's place in its region and the step: doing it again gives the same."""
    return str(uuid5(_NAMESPACE, "/".join((record.region, str(record.seq), *step))))


_NAMESPACE = UUID("0d9a5b1c-64e5-5a4e-8f0e-6d656c647374")
