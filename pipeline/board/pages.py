"""The screens. Each says what it shows and what may be done there; what is done goes out as a message, and the screen
tells what the journal made of it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
from authlib.integrations.starlette_client import OAuthError
from kafka.errors import KafkaError
from pydantic import ValidationError
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from agents.casework.case import AWAITS_ANSWER, Case
from agents.casework.sentences import sentence
from pipeline.board import api, forms
from pipeline.board.identity import NotKnown, Person, Right
from pipeline.board.opening import key_record, opened_offer, opened_reports, write_down
from pipeline.board.plots import days
from pipeline.board.problems import LANGUAGE_COOKIE, Wrong, language_of
from pipeline.board.publisher import NotTaken
from pipeline.board.room import Room
from pipeline.board.rows import offer_row, owed, queues
from pipeline.board.sign_in import DRAFT_S, Draft, Session
from pipeline.journal_reader import NoTopic
from pipeline.letters import NotRedrivable, Original, readable, today
from pipeline.letters import opened as opened_letter
from pipeline.route import besides
from pipeline.story import came, code, lines_of, refused
from pipeline.story import step as step_name
from pipeline.words import colour_name, iso, language, local_time, span, spoken
from topics import specs
from topics.answers import Act, Answer
from topics.check import check
from topics.codes import ActKind, RefusalReason
from topics.offers import FieldError
from topics.problems import field_errors
from topics.texts import text

DECIDED_WITHIN_S = 4.0
"""So long a screen waits for what the journal makes of an act before it says that it is on its way."""
TICK_S = 1.0
"""Changes are told to who watches at most so often."""
LOOK_S = 2.0
"""How the board itself is, is told at least so often."""
TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
HOURS = (24, 7 * 24, 10 * 366 * 24)
"""What is owed is shown for a day, a week, or all of it."""
BACK = {
    ActKind.HOLD_RECEIVER: "/stroom",
    ActKind.RESUME_RECEIVER: "/stroom",
    ActKind.ACTIVATE_POLICY: "/beleid",
}
"""Where an act on no case was begun."""
_CSRF = "@@csrf@@"
POLICY_TABLES = (
    "colours", "raises", "provisional", "destinations", "filters", "keep_reasons", "refusals", "fan_out",
    "safety_conditions", "board_request", "terms",
)  # fmt: skip
LETTER = {"RED": "R", "ORANGE": "O", "YELLOW": "G", "GREEN": "N"}
"""A colour's letter (rood, oranje, geel, groen): it is never told by colour alone."""


def _t(key: str, **values: object) -> str:
    return text(f"board.{key}", language(), **values)


TEMPLATES.env.globals.update(
    t=_t,
    stretch=lambda seconds: "-" if seconds is None else span(seconds * 1000),
    code=code,
    colour_name=colour_name,
    local_time=local_time,
    iso=iso,
    step_name=step_name,
    letter=LETTER,
)
TEMPLATES.env.filters["short"] = lambda given: given[:8]

Screen = Callable[[Request, Room, Session], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Tab:
    path: str
    key: str
    rights: tuple[Right, ...]


TABS = (
    _Tab("/mij", "waiting", (Right.OFFERS,)),
    _Tab("/verzonden", "sent", (Right.CASES,)),
    _Tab("/stroom", "flow", (Right.CASES,)),
    _Tab("/termijnen", "owed", (Right.CASES,)),
    _Tab("/afgekeurd", "letters", (Right.DEAD_LETTERS,)),
    _Tab("/beleid", "policy", (Right.POLICY,)),
    _Tab("/cijfers", "figures", (Right.FIGURES,)),
)
"""The screens in the bar, in the order in which somebody looks at them."""


def screen(*rights: Right) -> Callable[[Screen], Callable[[Request], Awaitable[Response]]]:
    """A screen for who is signed in and has one of these rights."""

    def made(handler: Screen) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            room: Room = request.app.state.room
            with spoken(language_of(request)):
                session = room.sessions.of(request)
                if session is None:
                    return await _to_the_door(request, room)
                try:
                    if rights and not any(map(session.person.may, rights)):
                        raise Wrong(403, "not_your_role", roles=", ".join(sorted(session.person.roles)))
                    if request.method == "POST":
                        await _from_here(request, room, session)
                    return await handler(request, room, session)
                except Wrong as found:
                    return wrong(request, found, session)

        return endpoint

    return made


async def _to_the_door(request: Request, room: Room) -> Response:
    if request.method != "GET" or request.headers.get("x-fragment"):
        return wrong(request, Wrong(401, "signed_out"))
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/aanmelden?naar={httpx2.URL(back)}", status_code=303)


async def _from_here(request: Request, room: Room, session: Session) -> None:
    """``Wrong`` when a form was not sent from one of our pages by this person."""
    origin = request.headers.get("origin")
    form = await request.form()
    given = str(form.get("csrf", ""))
    if origin not in (None, room.public_url) or not secrets.compare_digest(given, session.csrf):
        raise Wrong(403, "not_from_here")


def page(request: Request, name: str, session: Session | None, /, status: int = 200, **values: Any) -> Response:
    """A page for who is signed in; what it has to say once is said."""
    room: Room = request.app.state.room
    told = list(session.told) if session is not None else []
    if session is not None:
        session.told.clear()
    person = session.person if session is not None else None
    now = room.now_ms()
    common = {
        "person": person,
        "csrf": session.csrf if session is not None else "",
        "tabs": [tab for tab in TABS if person is not None and any(map(person.may, tab.rights))],
        "told": told,
        "now": now,
        "left": lambda due: left(due, now),
        "sight": room.follower.sight,
        "connected": room.follower.sight.connected(room.now()),
        "language": language(),
        "path": request.url.path,
        "watchdog": room.watchdog.silent(room.now()),
        "may_report": person is not None and person.may(Right.ACT) and person.may(Right.PUBLISH),
    }
    return TEMPLATES.TemplateResponse(request, name, {**common, **values}, status_code=status)


def live(
    request: Request, name: str, session: Session, of: tuple[str, ...], make: Callable[[], dict[str, Any]]
) -> Response:
    """A screen that fetches itself again when something changes. What it fetches is made once for all who see the same
    (``of``), until something changes or a minute has passed: two hundred may watch."""
    room: Room = request.app.state.room
    if not request.headers.get("x-fragment"):
        return page(request, name, session, **make())
    person = session.person
    about = (name, person.region, of, language())
    when = (room.mirror.version, len(room.follower.letters), room.follower.sight.loaded, room.now_ms() // 60_000)
    known = room.made.get(about)
    if known is None or known[0] != when:
        values = {**make(), "fragment": True, "csrf": _CSRF}
        shown = page(request, name, None, **values).body
        known = room.made[about] = (when, bytes(shown))
    return Response(known[1].replace(_CSRF.encode(), session.csrf.encode()), media_type="text/html")


def _rights(person: Person) -> set[Right]:
    return {right for right in Right if person.may(right)}


def left(due: int, now: int) -> str:
    """How long until then, or how long ago, in words."""
    return _t("late", span=span(now - due)) if due < now else _t("left", span=span(due - now))


def wrong(request: Request, found: Wrong, session: Session | None = None) -> Response:
    """A page that says what is wrong and what to do."""
    room: Room = request.app.state.room
    said = language_of(request)
    with spoken(said):
        session = session or room.sessions.of(request)
        return page(request, "wrong.html", session, found.status, problem=found.said(said))


# At the door ---------------------------------------------------------------------------------------------------


async def sign_in(request: Request) -> Response:
    """To the provider, and then back to where somebody wanted to be."""
    room: Room = request.app.state.room
    back = request.query_params.get("naar", "/")
    back = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    try:
        return await room.sign_in.go(request, second=False, back=back)
    except (httpx2.HTTPError, OAuthError):
        return wrong(request, Wrong(503, "provider_away", headers={"Retry-After": "30"}))


async def signed_in(request: Request) -> Response:
    """Back from the provider: a person signs in, or a second one looks along with an act that waits."""
    room: Room = request.app.state.room
    try:
        person, second, back = await room.sign_in.came(request)
    except NotKnown as why:
        return wrong(request, Wrong(403, "claims", what=why))
    except (httpx2.HTTPError, OAuthError):
        return wrong(request, Wrong(400, "sign_in"))
    if person.region not in room.regions:
        return wrong(request, Wrong(403, "no_region"))
    if not second:
        room.sessions.begin(request, person)
        return RedirectResponse(back, status_code=303)
    session = room.sessions.of(request)
    draft = session.draft if session is not None else None
    if session is None or draft is None or draft.until < room.now():
        return wrong(request, Wrong(400, "draft_gone"))
    session.draft = None
    with spoken(language_of(request)):
        try:
            if draft.kind == "redrive":
                return await _handed_in(request, room, session, draft, person)
            made = Act.model_validate({**draft.said, "second": person.code})
            api.permitted(room, session.person, made, person)
            return await _give_act(request, room, session, made, draft.back)
        except Wrong as found:
            return wrong(request, found, session)


@screen()
async def sign_out(request: Request, room: Room, session: Session) -> Response:
    """Out."""
    room.sessions.end(request)
    return page(request, "out.html", None)


async def choose_language(request: Request) -> Response:
    """Dutch or English from here on."""
    chosen = "en" if request.query_params.get("naar") == "en" else "nl"
    back = request.query_params.get("terug", "/")
    back = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    found = RedirectResponse(back, status_code=303)
    found.set_cookie(LANGUAGE_COOKIE, chosen, max_age=365 * 86_400, samesite="lax", httponly=True)
    return found


@screen()
async def home(request: Request, room: Room, session: Session) -> Response:
    """The first screen that this person has."""
    tab = next((tab for tab in TABS if any(map(session.person.may, tab.rights))), None)
    return RedirectResponse(tab.path, status_code=303) if tab else page(request, "nothing.html", session)


# Screens -------------------------------------------------------------------------------------------------------


@screen(Right.OFFERS)
async def waiting(request: Request, room: Room, session: Session) -> Response:
    """What waits for me: the worst colour first, then the least time left."""
    person = session.person
    of = (
        tuple(sorted(person.receivers)) if Right.CASES not in _rights(person) else ("centre", *sorted(person.receivers))
    )

    def rows() -> dict[str, Any]:
        return {"rows": room.own_offers(person), "reasons": list(RefusalReason)}

    return live(request, "waiting.html", session, of, rows)


@screen(Right.CASES)
async def sent(request: Request, room: Room, session: Session) -> Response:
    """What was offered to others and not accepted yet: how far it came, the time left, who is next."""
    desks = {one.id for one in room.directory(session.person).receivers if one.kind == "DESK"}

    def rows() -> dict[str, Any]:
        found = room.all_offers(session.person)
        return {"rows": [row for row in found if row.waits and row.receiver not in desks]}

    return live(request, "sent.html", session, (), rows)


@screen(Right.CASES)
async def flow(request: Request, room: Room, session: Session) -> Response:
    """The queues as columns, and the dead letters as one more."""
    person = session.person

    def columns() -> dict[str, Any]:
        book = room.mirrored(person).book
        found = queues(room.directory(person), book.held, room.all_offers(person), room.now_ms())
        return {"columns": found, "letters": _letters(room, person), "open_cases": book.open_cases}

    return live(request, "flow.html", session, (), columns)


@screen(Right.CASES)
async def terms(request: Request, room: Room, session: Session) -> Response:
    """What is owed within so many hours, the earliest first: what is late is always there."""
    person = session.person
    given = request.query_params.get("uren", str(HOURS[1]))
    hours = int(given) if given.isdigit() and int(given) in HOURS else HOURS[1]
    until = room.now_ms() + hours * 3_600_000

    def rows() -> dict[str, Any]:
        rules = room.rules(person)
        cases = room.mirrored(person).cases()
        found = owed(person.region, cases, rules, language()) if rules is not None else []
        return {"rows": [row for row in found if row.due <= until], "hours": hours, "choices": HOURS}

    return live(request, "owed.html", session, (str(hours),), rows)


@screen(Right.DEAD_LETTERS)
async def letters(request: Request, room: Room, session: Session) -> Response:
    """What could not be taken in, by the reason; the acute first."""

    def groups() -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {}
        for one in sorted(_letters(room, session.person), key=lambda one: (not one["acute"], one["at"])):
            found.setdefault(one["reason"], []).append(one)
        return {"groups": found}

    return live(request, "letters.html", session, (), groups)


def _letters(room: Room, person: Person) -> list[dict[str, Any]]:
    return [one for one in room.follower.letters.values() if one["region"] == person.region]


@screen(Right.DEAD_LETTERS)
async def letter(request: Request, room: Room, session: Session) -> Response:
    """One of them: what is wrong, and for who mends it the way to open it."""
    return page(request, "letter.html", session, letter=_letter(request, room, session), opened=None, errors=[])


def _letter(request: Request, room: Room, session: Session) -> dict[str, Any]:
    found = room.follower.letters.get(request.path_params["bericht"])
    if found is None or found["region"] != session.person.region:
        raise Wrong(404, "not_found")
    return found


async def _original(room: Room, found: dict[str, Any]) -> Original:
    named = await key_record(room, found["region"], found["original"]["key_id"])
    if named is None:
        raise Wrong(404, "letter_gone")
    return opened_letter(found, room.regions[found["region"]], named)


@screen(Right.REDRIVE)
async def open_letter(request: Request, room: Room, session: Session) -> Response:
    """Open one. That this person did is on the broker before anything is shown."""
    found = _letter(request, room, session)
    try:
        await write_down(room, session.person, None, f"letter {found['letter_id']}")
        original = await _original(room, found)
    except (NotTaken, KafkaError, NoTopic):
        raise api.away() from None
    return page(
        request, "letter.html", session, letter=found, opened=readable(original.value), errors=_errors_of(found),
        tried=None,
    )  # fmt: skip


def _errors_of(found: Mapping[str, Any]) -> list[FieldError]:
    return [FieldError.model_validate(one) for one in (found.get("problem") or {}).get("errors", ())]


@screen(Right.REDRIVE)
async def redrive(request: Request, room: Room, session: Session) -> Response:
    """Hand one in again, corrected: first only what would become of it, then, with a second person, really."""
    found = _letter(request, room, session)
    form = await request.form()
    try:
        original = await _original(room, found)
    except (KafkaError, NoTopic):
        raise api.away() from None
    corrected = str(form.get("value", ""))
    # What was not changed goes as it came, byte for byte.
    value = original.value if corrected.splitlines() == readable(original.value).splitlines() else corrected.encode()
    try:
        tried = today(found, replace(original, value=value), room.regions[found["region"]])
    except NotRedrivable:
        raise Wrong(409, "not_redrivable") from None
    if tried["accepted"] and form.get("really"):
        said = {"letter": found["letter_id"], "value": value, "key": original.key, "headers": original.headers}
        session.draft = Draft("redrive", said, f"/afgekeurd/{found['letter_id']}", room.now() + DRAFT_S)
        return await room.sign_in.go(request, second=True, back="/afgekeurd")
    return page(
        request, "letter.html", session, letter=found, opened=corrected, tried=tried,
        errors=_errors_of(tried) if not tried["accepted"] else [],
    )  # fmt: skip


async def _handed_in(request: Request, room: Room, session: Session, draft: Draft, second: Person) -> Response:
    """Hand a dead letter in, now that a second person has looked along; who did is written down."""
    person = session.person
    if second.code == person.code or second.region != person.region or not second.may(Right.REDRIVE):
        raise Wrong(403, "second")
    found = room.follower.letters[draft.said["letter"]]
    headers = [(name, value or b"") for name, value in draft.said["headers"]]
    key = draft.said["key"]
    try:
        await write_down(room, person, None, f"redrive {found['letter_id']} second {second.code}")
        await room.publisher.publish(
            found["origin"]["topic"], key=key.decode() if key else None, value=draft.said["value"] or b"",
            headers=headers,
        )  # fmt: skip
    except NotTaken:
        raise api.away() from None
    session.told.append(("told.handed_in", {"letter": found["letter_id"][:8]}))
    return RedirectResponse(draft.back, status_code=303)


@screen(Right.FIGURES)
async def figures(request: Request, room: Room, session: Session) -> Response:
    """What came in and how fast it was accepted, a fortnight, as plots and as a table."""
    found = days(room.mirrored(session.person).book, room.now_ms())
    most = max((one.all for one in found), default=0) or 1
    longest = max((one.nine_in_ten_within_s or 0 for one in found), default=0) or 1
    return page(request, "figures.html", session, days=found, most=most, longest=longest)


@screen(Right.POLICY)
async def policy(request: Request, room: Room, session: Session) -> Response:
    """The rules in force as a tree; with a report, the path that it takes through them. Nothing is sent."""
    rules = room.rules(session.person)
    if rules is None:
        raise Wrong(409, "no_policy")
    given, outcome = "", None
    errors: list[Any] = []
    path: list[str] = []
    if request.method == "POST":
        given = str((await request.form()).get("report", ""))
        result = check(given.encode())
        errors = list(result.errors)
        if result.report is not None:
            path, outcome = api.tried(room, session.person, result.report, given.encode())
    tables = [(name, getattr(rules.policy, name)) for name in POLICY_TABLES]
    return page(
        request, "policy.html", session, tables=tables, given=given, errors=errors, lit=path, outcome=outcome,
        policy=rules.policy, hash=room.mirrored(session.person).book.policy_hash,
    )  # fmt: skip


@screen(Right.OFFERS, Right.CASES)
async def case(request: Request, room: Room, session: Session) -> Response:
    """One case: why in plain words first, then who has it, what comes, and everything that happened."""
    return _case_page(request, room, session, _case(request, room, session))


def _case(request: Request, room: Room, session: Session) -> Case:
    found = room.case(session.person, request.path_params["zaak"])
    if found is None:
        raise Wrong(404, "no_case")
    return found


def _case_page(request: Request, room: Room, session: Session, found: Case, **more: Any) -> Response:
    person, rules = session.person, room.rules(session.person)
    if rules is None:
        raise Wrong(409, "no_policy")
    whole = person.may(Right.CASES)
    mine = {one.id for one in room.answerable(person, found)}
    handovers = [one for one in found.handovers if whole or one.id in mine]
    named = dict.fromkeys([*found.reasons, *([found.rule] if found.rule else [])])
    history = room.mirror.history(person.region, found.id) if whole else []
    current = found.current()
    return page(
        request,
        "case.html",
        session,
        case=found,
        why=[(rule, sentence(rules, rule, language())) for rule in named],
        handovers=handovers,
        waits=AWAITS_ANSWER,
        current=current if current is not None and (whole or current.id in mine) else None,
        mine=mine,
        row=offer_row(person.region, found, current) if current is not None else None,
        reasons=list(RefusalReason),
        owed=owed(person.region, [found], rules, language()) if whole else [],
        more=besides(room.mirrored(person).book, rules, found),
        history=[(record, came(record), lines_of(record), refused(record)) for record in history],
        acts=_acts_of(room, person) if whole else [],
        whole=whole,
        may_open=person.may(Right.CONTENT) and (bool(mine) or _of_the_centre(person)),
        **more,
    )


def _of_the_centre(person: Person) -> bool:
    return person.may(Right.ACT) and person.may(Right.CONTENT)


def _acts_of(room: Room, person: Person) -> list[ActKind]:
    """What this person may do with a case, by the policy in force."""
    rules = room.rules(person)
    if rules is None or not person.may(Right.ACT):
        return []
    return [kind for kind in forms.ON_A_CASE if person.function in rules.policy.permission(kind).roles]


@screen(Right.CONTENT)
async def content(request: Request, room: Room, session: Session) -> Response:
    """Open what was reported. That this person did is on the broker before anything is shown."""
    person, found = session.person, _case(request, room, session)
    centre = _of_the_centre(person)
    mine = list(room.answerable(person, found))
    if not centre and not mine:
        raise Wrong(403, "not_yours")
    try:
        await write_down(room, person, found.id, "reports" if centre else "offer")
        if centre:
            opened: Any = await opened_reports(room, person.region, found)
        else:
            opened = await opened_offer(room, person.region, mine[-1])
    except (NotTaken, KafkaError, NoTopic):
        raise api.away() from None
    return _case_page(request, room, session, found, content=opened, of_the_centre=centre, opened=True)


# Doing ---------------------------------------------------------------------------------------------------------


@screen(Right.OFFERS)
async def answer(request: Request, room: Room, session: Session) -> Response:
    """One move of a receiver, from a row or from the case."""
    found = room.handover(session.person, request.path_params["overdracht"])
    if found is None or not session.person.answers_for(found[1].receiver, room.directory(session.person)):
        raise Wrong(404, "no_offer")
    one, handover = found
    form = await request.form()
    back = _back(str(form.get("back", "")), "/mij")
    said = {
        "answer_id": str(uuid4()), "case_id": one.id, "handover_id": handover.id, "state": str(form.get("state", "")),
        "reason": str(form.get("reason", "")) or None, "by": session.person.code,
        "answered_at": datetime.now(UTC).isoformat(), "note": str(form.get("note", "")) or None,
    }  # fmt: skip
    try:
        made = Answer.model_validate_json(orjson.dumps({name: value for name, value in said.items() if value}))
    except ValidationError as error:
        raise Wrong(400, "contract", field_errors(error, Answer)) from None
    await api.send_answer(room, session.person, handover.receiver, made)
    await _tell_outcome(room, session, one.id, str(made.answer_id))
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
        "act_id": str(uuid4()), "kind": kind.value, "actor": session.person.code,
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
        session.draft = Draft("act", made.model_dump(mode="python", exclude_none=True), back, room.now() + DRAFT_S)
        return await room.sign_in.go(request, second=True, back=back)
    api.permitted(room, session.person, made, None)
    return await _give_act(request, room, session, made, back)


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
        to=found.id if found is not None else None,
        leave=f"/zaken/{found.id}" if found is not None else BACK[kind],
        fields=fields,
        given=given,
        errors=errors,
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
    return _case(request, room, session) if "zaak" in request.path_params else None, kind


async def _give_act(request: Request, room: Room, session: Session, made: Act, back: str) -> Response:
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

    session.told.append(("told.simply_done" if await _within(room, done) else "told.not_yet", {}))


async def _within(room: Room, ask: Callable[[], Any]) -> Any:
    """What is asked, as soon as it is so; else what it is when the time is up."""
    loop = asyncio.get_running_loop()
    until = loop.time() + DECIDED_WITHIN_S
    while not (found := ask()) and loop.time() < until:
        try:
            async with asyncio.timeout_at(until):
                await room.follower.wait()
        except TimeoutError:
            return ask()
    return found


async def _tell_outcome(room: Room, session: Session, case_id: str, own: str) -> None:
    """What the journal made of it, on the next page; or that it is on its way."""
    region = session.person.region

    def decided() -> Any:
        for record in reversed(room.mirror.history(region, case_id)):
            said: Any = record.input
            if own in (getattr(said, "answer_id", None), getattr(said, "act_id", None)):
                return record
        return None

    record = await _within(room, decided)
    if record is None:
        session.told.append(("told.sent", {}))
    else:
        key = "told.refused" if refused(record) else "told.done"
        session.told.append((key, {"what": "; ".join(lines_of(record))}))


def _back(given: str, otherwise: str) -> str:
    return given if given.startswith("/") and not given.startswith(("//", "/\\")) else otherwise


# A report by telephone -------------------------------------------------------------------------------------------


@screen(Right.PUBLISH)
async def report_form(request: Request, room: Room, session: Session) -> Response:
    """A report that came by telephone."""
    return _report_page(request, room, session, {}, [])


@screen(Right.PUBLISH)
async def report(request: Request, room: Room, session: Session) -> Response:
    """Hand it in on the topic of the centre's own source."""
    form = await request.form()
    given = {name: [str(one) for one in form.getlist(name)] for name in form}
    source = forms.telephone_source(room.regions[session.person.region])
    if source is None:
        raise Wrong(409, "no_telephone_source")
    made = forms.report(given, source.id, session.person.code, datetime.now(UTC), str(uuid4()))
    raw = orjson.dumps(made)
    result = check(raw)
    if result.report is None:
        return _report_page(request, room, session, given, list(result.errors), status=400)
    try:
        headers = api.event_headers(source.source)
        await room.publisher.publish(
            specs.REPORTS.topic(source.id), key=str(result.report.report_id), value=raw, headers=headers
        )
    except NotTaken:
        raise api.away() from None
    thread, book = f"{source.id}/{result.report.report_id}", room.mirrored(session.person).book
    known = await _within(room, lambda: book.thread(thread))
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
        given=given, errors=errors,
    )  # fmt: skip


# Live ----------------------------------------------------------------------------------------------------------


@screen()
async def events(request: Request, room: Room, session: Session) -> Response:
    """Tells who watches that something changed, and how the board itself is; never what."""

    async def telling() -> AsyncIterator[dict[str, str]]:
        while True:
            sight = room.follower.sight
            yield {
                "event": "state",
                "data": orjson.dumps(
                    {
                        "version": room.mirror.version,
                        "last": iso(int(sight.last_event * 1000)) if sight.last_event else None,
                        "connected": sight.connected(room.now()),
                        "loaded": sight.loaded,
                        "behind": sight.behind,
                        "watchdog": room.watchdog.silent(room.now()),
                    }
                ).decode(),
            }
            try:
                async with asyncio.timeout(LOOK_S):
                    await room.follower.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(TICK_S)

    return EventSourceResponse(telling(), ping=15)


def routes() -> list[Route]:
    """A route for each screen."""
    return [
        Route("/", home),
        Route("/aanmelden", sign_in),
        Route("/aangemeld", signed_in),
        Route("/afmelden", sign_out, methods=["POST"]),
        Route("/taal", choose_language),
        Route("/gebeurtenissen", events),
        Route("/mij", waiting),
        Route("/verzonden", sent),
        Route("/stroom", flow),
        Route("/termijnen", terms),
        Route("/afgekeurd", letters),
        Route("/afgekeurd/{bericht}", letter),
        Route("/afgekeurd/{bericht}/inhoud", open_letter, methods=["POST"]),
        Route("/afgekeurd/{bericht}/opnieuw", redrive, methods=["POST"]),
        Route("/handelingen/{handeling}", act_form),
        Route("/handelingen/{handeling}", act, methods=["POST"]),
        Route("/beleid", policy, methods=["GET", "POST"]),
        Route("/cijfers", figures),
        Route("/melding", report_form),
        Route("/melding", report, methods=["POST"]),
        Route("/overdrachten/{overdracht}/antwoord", answer, methods=["POST"]),
        Route("/zaken/{zaak}", case),
        Route("/zaken/{zaak}/inhoud", content, methods=["POST"]),
        Route("/zaken/{zaak}/handelingen/{handeling}", act_form),
        Route("/zaken/{zaak}/handelingen/{handeling}", act, methods=["POST"]),
    ]
