"""What the doors of the HTTP API do; which doors there are stands in ``doors``."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from kafka.errors import KafkaError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from agents.casework.case import OPEN, Case, Handover, severity
from agents.casework.sentences import sentence
from agents.policy.calendar import AMSTERDAM
from agents.policy.model import millis, moment
from pipeline.board import shapes
from pipeline.board.identity import Person, Right
from pipeline.board.opening import bounded, offer_message, write_down
from pipeline.board.problems import Wrong, language_of
from pipeline.board.publisher import NotTaken
from pipeline.board.room import Room
from pipeline.board.rows import OfferRow, offer_row
from pipeline.board.sign_in import NoToken
from pipeline.journal_reader import NoTopic
from pipeline.owed import Owed, owed
from pipeline.route import Line, Said, Trial
from topics import envelope, specs
from topics.answers import Act, Answer
from topics.check import check
from topics.codes import Colour
from topics.envelope import STRUCTURED_LIMIT
from topics.offers import FieldError
from topics.problems import Refused, field_error, field_errors
from topics.reading import read
from topics.reports import Report

RETRY_S = 30
LARGEST = max(STRUCTURED_LIMIT, specs.FROM_OUTSIDE_MAX)
LONGEST_HOURS = 24 * 366

# Answers ---------------------------------------------------------------------------------------------------------


def given(found: BaseModel, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A message as JSON; moments in UTC with a Z."""
    plain = found.model_dump(mode="json")
    return Response(orjson.dumps(plain), status_code=code, media_type="application/json", headers=dict(headers or {}))


def _seen(row: OfferRow, now: int) -> shapes.OfferSeen:
    step = None
    if row.step is not None and row.due is not None:
        step = shapes.NextStep(step=row.step, due=moment(row.due), tells=row.tells)
    return shapes.OfferSeen(
        handover_id=UUID(row.handover_id),
        case_id=UUID(row.case_id),
        region=row.region,
        receiver=row.receiver,
        colour=row.colour,
        provisional=row.provisional,
        destination=row.destination,
        state=row.state,
        offered=moment(row.offered),
        accept_before=moment(row.accept_before),
        late=row.waits and row.accept_before < now,
        next_step=step,
        test=row.test,
    )


def _case(region: str, case: Case) -> dict[str, Any]:
    return {
        "case_id": UUID(case.id),
        "region": region,
        "colour": case.colour,
        "provisional": case.provisional,
        "closed": case.closed,
        "opened": moment(case.opened),
        "owner": case.owner,
        "executor": case.executor,
        "destination": case.destination,
        "reports": len(case.entries),
        "test": case.test,
    }


def _owed(row: Owed, now: int) -> shapes.OwedSeen:
    return shapes.OwedSeen(
        case_id=UUID(row.case_id),
        region=row.region,
        colour=row.colour,
        what=row.what,
        sentence=row.sentence,
        with_whom=row.with_whom,
        due=moment(row.due),
        late=row.due < now,
    )


# Reports ---------------------------------------------------------------------------------------------------------


async def publish(request: Request, room: Room, person: Person) -> Response:
    """A report is handed in. 202: it lies on the broker, with every copy that counts."""
    report, raw, headers = await _report(request, room, person)
    try:
        partition, offset = await room.publisher.publish(
            topic := specs.REPORTS.topic(report.source_id), key=str(report.report_id), value=raw, headers=headers
        )
    except NotTaken:
        raise away() from None
    found = shapes.Accepted(id=report.report_id, topic=topic, partition=partition, offset=offset)
    return given(found, 202, {"Location": f"/v1/meldingen/{report.source_id}/{report.report_id}"})


async def try_report(request: Request, room: Room, person: Person) -> Response:
    """What would be decided about a report if it came in alone. Nothing is sent."""
    report, raw, _ = await _report(request, room, person)
    said = language_of(request)
    path, case = tried(room, person, report, raw)
    rules = room.rules(person)
    handover = case.current() if case is not None else None
    return given(
        shapes.Trial(
            accepted=case is not None,
            region=person.region if case is not None else None,
            colour=case.colour if case is not None else None,
            destination=case.destination if case is not None else None,
            receiver=handover.receiver if handover is not None else None,
            rules=tuple(shapes.Why(rule=rule, sentence=sentence(rules, rule, said)) for rule in path)
            if rules is not None
            else (),
        )
    )


def tried(room: Room, person: Person, report: Report, raw: bytes) -> tuple[list[str], Case | None]:
    """The rules by which a report would be decided if it came in alone now, and the case that it would become."""
    config, book = room.regions[person.region], room.mirrored(person).book
    if book.policy:
        config = replace(config, policy_text=book.policy)
    now = max(room.now_ms(), millis(report.received_at))
    trial = Trial(config, now)
    trial.run(Line(1, now, "report", Said(report, raw)))
    case = trial.book.cases.newest()
    if case is None:
        return [], None
    named = [*case.reasons, *([case.rule] if case.rule else []), *case.conditions, *case.board_request, *case.terms]
    return list(dict.fromkeys(named)), case


async def report_status(request: Request, room: Room, person: Person) -> Response:
    """What became of a report: each copy has its receipt within seconds of its coming in."""
    source, report_id = request.path_params["bron"], _uuid(request.path_params["melding"])
    if source not in person.sources:
        raise Wrong(404, "no_report")
    try:
        receipts = await asyncio.to_thread(_receipts, room, source, report_id)
    except (KafkaError, NoTopic):
        raise away() from None
    if not receipts:
        raise Wrong(404, "no_report")
    copies = tuple(
        shapes.Became(
            outcome=one["outcome"],
            version=one.get("version"),
            at=moment(one["at"]),
            warnings=tuple(FieldError.model_validate(found) for found in one.get("warnings") or ()),
            problem=one.get("problem"),
        )
        for one in receipts
    )
    return given(shapes.ReportStatus(source_id=source, report_id=report_id, copies=copies))


def _receipts(room: Room, source: str, report_id: UUID) -> list[dict[str, Any]]:
    key = str(report_id).encode()
    records = bounded(room.cluster, specs.RECEIPTS.topic(source), 0)
    return [json.loads(record.value) for record in records if record.key == key]


async def _report(request: Request, room: Room, person: Person) -> tuple[Report, bytes, list[tuple[str, bytes]]]:
    """The report of a request, its bytes and the headers of its event; ``Wrong`` with all errors."""
    raw = await body_of(request)
    result = check(raw)
    if result.report is None:
        raise Wrong(400, "contract", result.errors)
    report, event = result.report, result.envelope
    source = next((one for one in room.regions[person.region].sources if one.id == report.source_id), None)
    if source is None or source.id not in person.sources:
        raise Wrong(403, "not_your_source")
    if event is not None and event.source != source.source:
        raise Wrong(400, "contract", [field_error("/source", "source_mismatch")])
    if event is None:
        return report, raw, event_headers(source.source, request.headers.get("traceparent"))
    # What else stood in the event may be anything: a header is read by everybody on the way.
    trace = request.headers.get("traceparent")
    return report, event.data, event_headers(source.source, trace, event.id, event.time)


_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def event_headers(
    source: str, trace: str | None = None, own: str | None = None, at: datetime | None = None
) -> list[tuple[str, bytes]]:
    """The headers of a report as an event of this source: with its own id and time when it came as one."""
    time_ms = millis(at or datetime.now(UTC))
    headers = envelope.write(
        id=own or str(uuid4()), type=specs.REPORT_TYPE, source=source, time_ms=time_ms, subject=None
    )
    return [*headers, ("ce_traceparent", trace.encode())] if trace and _TRACE.fullmatch(trace) else headers


# Offers ----------------------------------------------------------------------------------------------------------


async def list_offers(request: Request, room: Room, person: Person) -> Response:
    """The open handovers that are yours to answer, the most urgent first."""
    rows, wanted = room.own_offers(person), request.query_params.get("status")
    if wanted is not None:
        rows = [row for row in rows if row.waits is (wanted == "wacht")]
    now = room.now_ms()
    return given(shapes.Offers(overdrachten=tuple(_seen(row, now) for row in rows)))


async def offers_of_day(request: Request, room: Room, person: Person) -> Response:
    """What was offered to you on a day (in the Netherlands; without ``dag`` today), as CSV for a spreadsheet."""
    given_day = request.query_params.get("dag")
    try:
        day = date.fromisoformat(given_day) if given_day else room_day(room)
    except ValueError:
        raise Wrong(400, "query", [field_error("dag", "date")]) from None
    out = io.StringIO()
    table = csv.writer(out, delimiter=";")
    table.writerow(
        ("overdracht", "zaak", "ontvanger", "kleur", "bestemming", "stand", "aangeboden", "aanvaarden_voor", "test")
    )
    directory, book = room.directory(person), room.mirrored(person).book
    for receiver, case_id, handover_id in room.mirror.offered(person.region, day):
        case = book.cases.get(case_id)
        handover = case.handover(handover_id) if case is not None else None
        if case is not None and handover is not None and person.answers_for(receiver, directory):
            table.writerow(_line(case, handover))
    name = f"overdrachten-{day.isoformat()}.csv"
    return Response(
        out.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _line(case: Case, one: Handover) -> tuple[str, ...]:
    colour = Colour(one.colour).nl if one.colour else ""
    times = (local(one.offered), local(one.accept_before))
    return (
        one.id, case.id, one.receiver, colour, one.destination, one.state,
        *(time.isoformat(timespec="seconds") for time in times), "ja" if case.test else "nee",
    )  # fmt: skip


def room_day(room: Room) -> date:
    """Today, in the Netherlands."""
    return local(room.now_ms()).date()


def local(ms: int) -> datetime:
    """A moment as the clock on the wall has it."""
    return moment(ms).astimezone(AMSTERDAM)


async def show_offer(request: Request, room: Room, person: Person) -> Response:
    """One handover."""
    case, handover = _handover(request, room, person)
    return given(_seen(offer_row(person.region, case, handover), room.now_ms()))


async def sealed_offer(request: Request, room: Room, person: Person) -> Response:
    """The offer as it lies on your queue, with its key wrapped for you: only your private key opens it."""
    case, handover = _handover(request, room, person)
    if not person.answers_for(handover.receiver, room.directory(person)):
        raise Wrong(403, "not_yours")
    if handover.state not in OPEN:
        raise Wrong(409, "ended", state=handover.state)
    try:
        await write_down(room, person, case.id, f"sealed {handover.id}")
        found = await offer_message(room, person.region, handover)
    except (NotTaken, KafkaError, NoTopic):
        raise away() from None
    if found is None:
        raise Wrong(404, "no_offer")
    return given(shapes.OfferSealed(offer=found.message, key=found.key))


async def answer(request: Request, room: Room, person: Person) -> Response:
    """Answer a handover. What is not possible any more is told to you as a notice, with how it stands now."""
    case, handover = _handover(request, room, person)
    if not person.answers_for(handover.receiver, room.directory(person)):
        raise Wrong(403, "not_yours")
    said: shapes.AnswerGiven = await read_body(request, shapes.AnswerGiven)
    plain = said.model_dump(mode="json", exclude_none=True)
    plain |= {
        "answer_id": str(said.answer_id or uuid4()),
        "case_id": case.id,
        "handover_id": handover.id,
        "answered_at": plain.get("answered_at") or datetime.now(UTC).isoformat(),
    }
    try:
        made = Answer.model_validate_json(orjson.dumps(plain))
    except ValidationError as error:
        raise Wrong(400, "contract", field_errors(error, Answer)) from None
    return given(await send_answer(room, person, handover.receiver, made), 202)


async def send_answer(room: Room, person: Person, receiver: str, made: Answer) -> shapes.Accepted:
    """Put an answer on the receiver's topic; ``Wrong`` when the broker is away."""
    topic = specs.ANSWERS.topic(receiver)
    partition, offset = await sent(
        room, person, topic, specs.ANSWER_TYPE, str(made.case_id), made.model_dump_json(exclude_none=True).encode()
    )
    return shapes.Accepted(id=made.answer_id, topic=topic, partition=partition, offset=offset)


async def send_act(room: Room, person: Person, made: Act) -> shapes.Accepted:
    """Put an act on the region's topic; ``Wrong`` when the broker is away."""
    topic = specs.ACTS.topic(person.region)
    key = str(made.case_id or made.to or person.region)
    value = made.model_dump_json(exclude_none=True).encode()
    partition, offset = await sent(room, person, topic, specs.ACT_TYPE, key, value)
    return shapes.Accepted(id=made.act_id, topic=topic, partition=partition, offset=offset)


async def sent(room: Room, person: Person, topic: str, kind: str, key: str, value: bytes) -> tuple[int, int]:
    """Partition and offset; ``Wrong`` when the broker is away."""
    source = f"urn:nld:oin:{room.directory(person).oin}:systeem:meldstroom-board"
    try:
        return await room.publisher.event(topic, kind=kind, source=source, key=key, value=value)
    except NotTaken:
        raise away() from None


def _handover(request: Request, room: Room, person: Person) -> tuple[Case, Handover]:
    found = room.handover(person, str(_uuid(request.path_params["overdracht"])))
    if found is None:
        raise Wrong(404, "no_offer")
    return found


# Cases -----------------------------------------------------------------------------------------------------------


async def list_cases(request: Request, room: Room, person: Person) -> Response:
    """The cases on which something is open or owed, the most urgent first."""
    colour = request.query_params.get("kleur")
    found = [case for case in room.mirrored(person).cases() if colour is None or (case.colour or "").lower() == colour]
    found.sort(key=lambda case: (-severity(case.colour), case.opened, case.id))
    return given(
        shapes.Cases(zaken=tuple(shapes.CaseSeen.model_validate(_case(person.region, case)) for case in found))
    )


async def show_case(request: Request, room: Room, person: Person) -> Response:
    """One case: why it stands as it does, its handovers, what is owed. A team sees its own handovers of it alone."""
    case = room.case(person, str(_uuid(request.path_params["zaak"])))
    rules = room.rules(person)
    if case is None or rules is None:
        raise Wrong(404, "no_case")
    said, now = language_of(request), room.now_ms()
    named = dict.fromkeys([*case.reasons, *([case.rule] if case.rule else [])])
    all_of_it = person.may(Right.CASES)
    handovers = case.handovers if all_of_it else list(room.answerable(person, case))
    return given(
        shapes.CaseWhole(
            **_case(person.region, case),
            why=tuple(shapes.Why(rule=rule, sentence=sentence(rules, rule, said)) for rule in named),
            handovers=tuple(_seen(offer_row(person.region, case, one), now) for one in handovers),
            owed=tuple(_owed(row, now) for row in owed(person.region, [case], rules)) if all_of_it else (),
        )
    )


async def act(request: Request, room: Room, person: Person) -> Response:
    """Act on a case, as the policy lets your function. What needs a second person takes that one's token too."""
    said: Act = await read_body(request, Act)
    if said.case_id is not None and room.case(person, str(said.case_id)) is None:
        raise Wrong(404, "no_case")
    second = await _second(request, room, person)
    permitted(room, person, said, second)
    return given(await send_act(room, person, said), 202)


async def _second(request: Request, room: Room, person: Person) -> Person | None:
    token = request.headers.get("second-authorization")
    if token is None:
        return None
    try:
        found = await room.sign_in.bearer(token)
    except NoToken as why:
        raise Wrong(401, str(why)) from None
    if found.region != person.region:
        raise Wrong(403, "second")
    return found


def permitted(room: Room, person: Person, said: Act, second: Person | None) -> None:
    """``Wrong`` when this person may not, by the policy in force; casework says it again from its own book."""
    rules = room.rules(person)
    if rules is None:
        raise Wrong(409, "no_policy")
    if said.actor != person.code or said.role != (person.function or ""):
        raise Wrong(403, "not_yourself", code_=person.code, function=person.function or "-")
    if said.second != (second.code if second is not None else None):
        raise Wrong(403, "second")
    case = room.mirrored(person).book.cases.get(str(said.case_id)) if said.case_id is not None else None
    colour = Colour(case.colour) if case is not None and case.colour else None
    permission = rules.policy.permission(said.kind)
    if person.function not in permission.roles:
        raise Wrong(403, "act_not_yours", kind=said.kind.nl, roles=", ".join(permission.roles) or "-")
    if not permission.allows(person.function, person.code, said.second, colour):
        raise Wrong(403, "second")
    if second is not None and not (
        second.region == person.region and second.may(Right.ACT) and second.function in permission.roles
    ):
        raise Wrong(403, "second")


async def list_owed(request: Request, room: Room, person: Person) -> Response:
    """What is owed on the region's cases up to so many hours from now, what is late first."""
    hours = request.query_params.get("binnenUren", "24")
    if not hours.isdigit() or int(hours) > LONGEST_HOURS:
        raise Wrong(400, "query", [field_error("binnenUren", "integer")])
    rules, now = room.rules(person), room.now_ms()
    until = now + int(timedelta(hours=int(hours)).total_seconds() * 1000)
    rows = owed(person.region, room.mirrored(person).cases(), rules) if rules is not None else []
    return given(shapes.Owed(termijnen=tuple(_owed(row, now) for row in rows if row.due <= until)))


async def list_letters(request: Request, room: Room, person: Person) -> Response:
    """What could not be taken in: the acute first, then the oldest."""
    letters = [one for one in room.follower.letters.values() if one["region"] == person.region]
    letters.sort(key=lambda one: (not one["acute"], one["at"]))
    return given(shapes.Letters(afgekeurd=tuple(map(_letter, letters))))


def _letter(letter: Mapping[str, Any]) -> shapes.LetterSeen:
    return shapes.LetterSeen(
        letter_id=letter["letter_id"],
        region=letter["region"],
        source=letter["source"],
        reason=letter["reason"],
        acute=letter["acute"],
        **letter["origin"],
        arrived_at=moment(letter["arrived_at"]),
        errors=tuple(FieldError.model_validate(one) for one in letter["problem"].get("errors", ())),
    )


# Requests --------------------------------------------------------------------------------------------------------


async def body_of(request: Request) -> bytes:
    """The body, at most as large as a topic takes; ``Wrong``."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST:
            raise Wrong(413, "too_large", limit=LARGEST)
    return bytes(found)


async def read_body(request: Request, model: type[Any]) -> Any:
    """The body as a ``model``; ``Wrong`` with all errors."""
    try:
        return read(await body_of(request), model, specs.MIB)
    except Refused as refused:
        raise Wrong(400, "contract", refused.errors) from None


def _uuid(given_id: str) -> UUID:
    try:
        return UUID(given_id)
    except ValueError:
        raise Wrong(404, "not_found") from None


def away() -> Wrong:
    """The broker is away: nothing is lost without a word."""
    return Wrong(503, "away", headers={"Retry-After": str(RETRY_S)}, seconds=RETRY_S)
