"""What all screens share: who may see one, the page around it, and how it stays fresh."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from agents.casework.case import Case
from pipeline.board.identity import Right
from pipeline.board.problems import Wrong, language_of, provider_away
from pipeline.board.room import Room
from pipeline.board.sign_in import Draft, ProviderAway, Session
from pipeline.story import code
from pipeline.story import step as step_name
from pipeline.words import colour_name, iso, language, local_time, span, spoken
from topics.texts import Language, text

TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
MOST_DRAFTS = 10
MOST_ROWS = 200
FRESH_MS = 3_000
"""So old a list may be that somebody fetches."""
_CSRF = "@@csrf@@"
LETTER = {"RED": "R", "ORANGE": "O", "YELLOW": "G", "GREEN": "N"}
"""A colour's letter (rood, oranje, geel, groen): it is never told by colour alone."""


def say(key: str, **values: object) -> str:
    """A sentence of the board's, in the language that is spoken."""
    return text(f"board.{key}", language(), **values)


@lru_cache(4_096)
def _plain(key: str, said: Language) -> str:
    return text(f"board.{key}", said)


def _said(key: str, **values: object) -> str:
    """As ``say``; a sentence without values is looked up once: a long list asks for the same ones in each row."""
    return say(key, **values) if values else _plain(key, language())


TEMPLATES.env.globals.update(
    t=_said,
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
                itself = bool(request.headers.get("x-fragment")) or request.url.path == "/gebeurtenissen"
                session = room.sessions.of(request, look=not itself)
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
                except ProviderAway:
                    return wrong(request, provider_away(), session)

        return endpoint

    return made


async def _to_the_door(request: Request, room: Room) -> Response:
    if request.method != "GET" or request.headers.get("x-fragment") or request.url.path == "/gebeurtenissen":
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
    told: list[tuple[str, dict[str, str]]] = []
    if session is not None and not request.headers.get("x-fragment"):
        told, session.told = session.told, []
    person = session.person if session is not None else None
    now = room.now_ms()
    common = {
        "unconfirmed": status == 503,
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
    """A screen that fetches itself again when something changes. What it fetches is made once in a while for all who
    see the same (``of``), for two hundred may watch; it says of which version it is, and who knows of a newer one asks
    again. Of a long list the most urgent are shown, and with ``alles`` all of it."""
    room: Room = request.app.state.room
    whole = request.query_params.get("alles") == "1"

    def values_() -> dict[str, Any]:
        found = make()
        rows = found.get("rows")
        count = len(rows) if rows is not None else 0
        if rows is not None and not whole:
            found["rows"] = rows[:MOST_ROWS]
        return {**found, "count": count, "version": room.mirror.version}

    if not request.headers.get("x-fragment"):
        return page(request, name, session, **values_())
    person = session.person
    about = (name, person.region, of, language(), whole)
    when = (room.follower.sight.loaded, room.now_ms() // FRESH_MS)
    known = room.made.get(about)
    if known is None or known[0] != when:
        values = {**values_(), "fragment": True, "csrf": _CSRF}
        shown = page(request, name, None, **values).body
        known = room.made[about] = (when, bytes(shown))
    return Response(known[1].replace(_CSRF.encode(), session.csrf.encode()), media_type="text/html")


async def for_second(request: Request, room: Room, session: Session, draft: Draft) -> Response:
    """To the provider, for a second person to sign in and to agree with ``draft``; of a few the newest wait."""
    own = secrets.token_urlsafe(12)
    session.drafts = dict([*list(session.drafts.items())[1 - MOST_DRAFTS :], (own, draft)])
    return await room.sign_in.go(request, back="/", draft=own)


def left(due: int, now: int) -> str:
    """How long until then, or how long ago, in words."""
    return say("late", span=span(now - due)) if due < now else say("left", span=span(due - now))


def wrong(request: Request, found: Wrong, session: Session | None = None) -> Response:
    """A page that says what is wrong and what to do."""
    room: Room = request.app.state.room
    said = language_of(request)
    with spoken(said):
        session = session or room.sessions.of(request)
        return page(request, "wrong.html", session, found.status, problem=found.said(said))


DECIDED_WITHIN_S = 4.0
"""So long a screen waits for what the journal makes of an act before it says that it is on its way."""


async def within(room: Room, ask: Callable[[], Any]) -> Any:
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


def inside(given: str, otherwise: str) -> str:
    """An address of ours that somebody gave; ``otherwise`` when it leads elsewhere."""
    return given if given.startswith("/") and not given.startswith(("//", "/\\")) else otherwise


def case_of(request: Request, room: Room, session: Session) -> Case:
    """The case of the address, when this person may see it; ``Wrong``."""
    found = room.case(session.person, request.path_params["zaak"])
    if found is None:
        raise Wrong(404, "no_case")
    return found
