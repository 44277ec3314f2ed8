"""What people do at a screen: a receiver's moves, acts, a report by telephone. It goes out as a message, and the next
page tells what the journal made of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agents.casework.case import Case
from pipeline.board import api, forms
from pipeline.board.identity import Right
from pipeline.board.problems import Wrong
from pipeline.board.publisher import NotTaken
from pipeline.board.room import Room
from pipeline.board.screen import case_of, for_second, inside, page, say, screen, within
from pipeline.board.sign_in import Draft, Session
from pipeline.story import about, code, lines_of, refused
from topics import specs
from topics.answers import Act, Answer
from topics.check import check
from topics.codes import ActKind
from topics.problems import field_errors

BACK = {
    ActKind.HOLD_RECEIVER: "/stroom",
    ActKind.RESUME_RECEIVER: "/stroom",
    ActKind.ACTIVATE_POLICY: "/beleid",
}
"""Where an act on no case was begun."""


# Doing ---------------------------------------------------------------------------------------------------------


@screen(Right.OFFERS)
async def answer(request: Request, room: Room, session: Session) -> Response:
    """One move of a receiver, from a row or from the case."""
    found = room.handover(session.person, request.path_params["overdracht"])
    if found is None or not session.person.answers_for(found[1].receiver, room.directory(session.person)):
        raise Wrong(404, "no_offer")
    one, handover = found
    form = await request.form()
    back = inside(str(form.get("back", "")), "/mij")
    state = str(form.get("state", ""))
    said = {
        # Of this person, for this move: pressed twice, or sent again, it is one.
        "answer_id": str(uuid5(UUID(handover.id), f"{state}/{session.person.code}")),
        "case_id": one.id, "handover_id": handover.id, "state": state,
        "reason": str(form.get("reason", "")) or None, "by": session.person.code,
        "answered_at": datetime.now(UTC).isoformat(), "note": str(form.get("note", "")) or None,
    }  # fmt: skip
    try:
        made = Answer.model_validate_json(orjson.dumps({name: value for name, value in said.items() if value}))
    except ValidationError as error:
        raise Wrong(400, "contract", field_errors(error, Answer)) from None
    await api.send_answer(room, session.person, handover.receiver, made)
    await _tell_outcome(room, session, one.id, str(made.answer_id), code("HandoverState", made.state))
    return RedirectResponse(back, status_code=303)


@screen(Right.ACT)
async def act_form(request: Request, room: Room, session: Session) -> Response:
    """What an act asks for."""
    found, kind = _about(request, room, session)
    return _act_page(request, room, session, found, kind, {}, [])


@screen(Right.ACT)
async def act(request: Request, room: Room, session: Session) -> Response:
    """An act on a case or on none; with a second person, once that one has signed in too."""
    found, kind = _about(request, room, session)
    form = await request.form()
    given = {name: [str(one) for one in form.getlist(name)] for name in form}
    said = {
        "act_id": _own(given), "kind": kind.value, "actor": session.person.code,
        **({"case_id": found.id} if found is not None else {}),
        "role": session.person.function or "", "done_at": datetime.now(UTC).isoformat(),
        **forms.read(kind, given, now=datetime.now(UTC)),
    }  # fmt: skip
    second = "1" in given.get("with_second", ())
    try:
        made = Act.model_validate_json(orjson.dumps(said))
    except ValidationError as error:
        return _act_page(request, room, session, found, kind, given, list(field_errors(error, Act)), status=400)
    back = f"/zaken/{found.id}" if found is not None else BACK[kind]
    if second:
        plain = made.model_dump(mode="python", exclude_none=True)
        return await for_second(request, room, session, Draft("act", plain, back, room.now(), _words(made)))
    api.permitted(room, session.person, made, None)
    try:
        return await give_act(request, room, session, made, back)
    except Wrong as found_wrong:
        if found_wrong.status != 503:
            raise
        return _act_page(request, room, session, found, kind, given, [], status=503)


def _own(given: Mapping[str, Sequence[str]]) -> str:
    """The id that the form was given: what is sent once more is the same."""
    try:
        return str(UUID(next(iter(given.get("own", ())), "")))
    except ValueError:
        return str(uuid4())


def _words(made: Act) -> list[tuple[str, str]]:
    """What a second person reads of an act."""
    said = [(say("act.which"), code("ActKind", made.kind)), (say("act.about"), str(made.case_id or made.to or "-"))]
    left_out = {"act_id", "case_id", "kind", "done_at", "second"}
    plain = made.model_dump(mode="json", exclude_none=True, exclude=left_out)
    return [*said, *((name.replace("_", " "), str(value)) for name, value in plain.items() if value)]


def _act_page(
    request: Request,
    room: Room,
    session: Session,
    found: Case | None,
    kind: ActKind,
    given: dict[str, list[str]],
    errors: list[Any],
    status: int = 200,
) -> Response:
    rules = room.rules(session.person)
    if rules is None:
        raise Wrong(409, "no_policy")
    permission = rules.policy.permission(kind)
    fields = forms.fields(kind, found, room.directory(session.person))
    return page(
        request,
        "act.html",
        session,
        status,
        case=found,
        kind=kind,
        leave=f"/zaken/{found.id}" if found is not None else BACK[kind],
        fields=fields,
        given=given,
        errors=errors,
        own=_own(given),
        second=permission.second,
        allowed=session.person.function in permission.roles,
        roles=permission.roles,
    )


def _about(request: Request, room: Room, session: Session) -> tuple[Case | None, ActKind]:
    """The case, if the act is on one, and which act it is."""
    try:
        kind = ActKind(request.path_params["handeling"])
    except ValueError:
        raise Wrong(404, "not_found") from None
    if (kind in forms.ON_A_CASE) is not ("zaak" in request.path_params):
        raise Wrong(404, "not_found")
    return case_of(request, room, session) if "zaak" in request.path_params else None, kind


async def give_act(request: Request, room: Room, session: Session, made: Act, back: str) -> Response:
    """Send an act, and tell what came of it on the page that it began on."""
    await api.send_act(room, session.person, made)
    if made.case_id is not None:
        await _tell_outcome(room, session, str(made.case_id), str(made.act_id))
    else:
        await _tell_done(room, session, str(made.act_id))
    return RedirectResponse(back, status_code=303)


async def _tell_done(room: Room, session: Session, own: str) -> None:
    """Whether an act on no case was done, on the next page; or that it is on its way."""
    book = room.mirrored(session.person).book

    def done() -> bool:
        return own in book.done

    session.told.append(("told.simply_done" if await within(room, done) else "told.not_yet", {}))


async def _tell_outcome(room: Room, session: Session, case_id: str, own: str, move: str | None = None) -> None:
    """What the journal made of it, on the next page; or that it is on its way. Who sees no cases is told his own
    ``move`` alone: what the centre then decides is not for him."""
    region = session.person.region

    def decided() -> Any:
        for record in reversed(room.mirror.history(region, case_id)):
            said: Any = record.input
            if own in (getattr(said, "answer_id", None), getattr(said, "act_id", None)):
                return record
        return None

    record = await within(room, decided)
    if record is None:
        session.told.append(("told.sent", {}))
    else:
        key = "told.refused" if refused(record) else "told.done"
        what = "; ".join(lines_of(about(record, case_id)))
        if move is not None and not session.person.may(Right.CASES):
            what = move
        session.told.append((key, {"what": what}))


# A report by telephone -------------------------------------------------------------------------------------------


@screen(Right.PUBLISH)
async def report_form(request: Request, room: Room, session: Session) -> Response:
    """A report that came by telephone."""
    return _report_page(request, room, session, {}, [])


@screen(Right.PUBLISH)
async def report(request: Request, room: Room, session: Session) -> Response:
    """Hand it in on the topic of the centre's own source."""
    if not session.person.may(Right.ACT):
        raise Wrong(403, "not_your_role", roles=", ".join(sorted(session.person.roles)))
    form = await request.form()
    given = {name: [str(one) for one in form.getlist(name)] for name in form}
    source = forms.telephone_source(room.regions[session.person.region])
    if source is None:
        raise Wrong(409, "no_telephone_source")
    made = forms.report(given, source.id, session.person.code, datetime.now(UTC), _own(given))
    raw = orjson.dumps(made)
    result = check(raw)
    if result.report is None:
        return _report_page(request, room, session, given, list(result.errors), status=400)
    try:
        headers = api.event_headers(source.source)
        await room.publisher.publish(
            specs.REPORTS.topic(source.id), key=str(result.report.report_id), value=raw, headers=headers
        )
    except NotTaken:  # what was filled in stays, under its id
        return _report_page(request, room, session, given, [], status=503)
    thread, book = f"{source.id}/{result.report.report_id}", room.mirrored(session.person).book
    known = await within(room, lambda: book.thread(thread))
    opened = known[1] if known is not None else None
    if opened is None:
        session.told.append(("told.sent", {}))
        return RedirectResponse("/melding", status_code=303)
    session.told.append(("told.report", {"case": opened[:8]}))
    return RedirectResponse(f"/zaken/{opened}", status_code=303)


def _report_page(
    request: Request, room: Room, session: Session, given: dict[str, list[str]], errors: list[Any], status: int = 200
) -> Response:
    if not session.person.may(Right.ACT):
        raise Wrong(403, "not_your_role", roles=", ".join(sorted(session.person.roles)))
    return page(
        request, "report.html", session, status, groups=forms.report_fields(room.directory(session.person)),
        given=given, errors=errors, own=_own(given),
    )  # fmt: skip
