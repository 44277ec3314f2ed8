"""The board put together: doors for machines, screens for people, and what stands before all of them."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents.policy.region import RegionConfig
from pipeline.board import door, doors, letters, moves, pages
from pipeline.board.follower import SAVE_EVERY_S, Follower
from pipeline.board.mirror import Mirror
from pipeline.board.openapi import API_VERSION
from pipeline.board.problems import Wrong, response
from pipeline.board.provider import Provider
from pipeline.board.publisher import Publisher
from pipeline.board.room import Room
from pipeline.board.screen import TEMPLATES, wrong
from pipeline.board.sign_in import SESSION_S, Sessions, SignIn
from pipeline.board.watched import Watchdog
from topics.cluster import Cluster

log = structlog.get_logger("board")

HERE = Path(__file__).parent
COOKIE = "meldstroom"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer (NL API Design Rules, module on transport security)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a board is made of. Without ``issuer`` it has a provider of its own, for development."""

    cluster: Cluster
    regions: Mapping[str, RegionConfig]
    store: Path
    public_url: str
    secret: str
    client_id: str
    client_secret: str | None
    issuer: str | None
    watchdog: str | None


def build(setup: Setup) -> Starlette:
    """The application; it follows the journal while it runs."""
    mirror = Mirror(setup.store, setup.regions)
    follower = Follower(setup.cluster, {name: one.partition for name, one in setup.regions.items()}, mirror)
    own = f"{setup.public_url}/ontwikkeling"
    callback = f"{setup.public_url}/aangemeld"
    room = Room(
        cluster=setup.cluster,
        regions=dict(setup.regions),
        mirror=mirror,
        follower=follower,
        publisher=Publisher(setup.cluster),
        sessions=Sessions(),
        sign_in=SignIn(setup.issuer or own, setup.client_id, setup.client_secret, callback),
        watchdog=Watchdog(setup.watchdog, time.time()),
        public_url=setup.public_url,
    )
    routes: list[Route | Mount] = [
        *doors.routes(),
        *screens(),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]
    if setup.issuer is None:
        provider = Provider(own, setup.client_id, setup.regions, TEMPLATES)
        routes.append(Mount("/ontwikkeling", routes=provider.routes()))
    # The second person is sent on to the provider from a form.
    forms = " ".join(
        ["'self'", *([f"{url.scheme}://{url.netloc}"] if (url := urlsplit(setup.issuer or "")).netloc else [])]
    )
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(_Headers, forms=forms),
            Middleware(
                SessionMiddleware,
                secret_key=setup.secret,
                session_cookie=COOKIE,
                max_age=SESSION_S,
                same_site="lax",
                https_only=setup.public_url.startswith("https:"),
            ),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=_following,
    )
    app.state.room = room
    return app


def screens() -> list[Route]:
    """Where each screen is."""
    return [
        Route("/", door.home),
        Route("/aanmelden", door.sign_in),
        Route("/aangemeld", door.signed_in),
        Route("/akkoord", door.agree, methods=["POST"]),
        Route("/afmelden", door.sign_out, methods=["POST"]),
        Route("/taal", door.choose_language),
        Route("/gebeurtenissen", pages.events),
        Route("/mij", pages.waiting),
        Route("/verzonden", pages.sent),
        Route("/stroom", pages.flow),
        Route("/termijnen", pages.terms),
        Route("/afgekeurd", letters.letters),
        Route("/afgekeurd/{bericht}", letters.letter),
        Route("/afgekeurd/{bericht}/inhoud", letters.open_letter, methods=["POST"]),
        Route("/afgekeurd/{bericht}/opnieuw", letters.redrive, methods=["POST"]),
        Route("/handelingen/{handeling}", moves.act_form),
        Route("/handelingen/{handeling}", moves.act, methods=["POST"]),
        Route("/beleid", pages.policy, methods=["GET", "POST"]),
        Route("/cijfers", pages.figures),
        Route("/melding", moves.report_form),
        Route("/melding", moves.report, methods=["POST"]),
        Route("/overdrachten/{overdracht}/antwoord", moves.answer, methods=["POST"]),
        Route("/zaken/{zaak}", pages.case),
        Route("/zaken/{zaak}/inhoud", pages.content, methods=["POST"]),
        Route("/zaken/{zaak}/handelingen/{handeling}", moves.act_form),
        Route("/zaken/{zaak}/handelingen/{handeling}", moves.act, methods=["POST"]),
    ]


@asynccontextmanager
async def _following(app: Starlette) -> AsyncIterator[None]:
    room: Room = app.state.room
    tasks = [
        asyncio.create_task(room.follower.run()),
        asyncio.create_task(_saving(room)),
        asyncio.create_task(room.watchdog.run()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await room.publisher.close()
        room.mirror.close()


async def _saving(room: Room) -> None:
    saved = room.mirror.version
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        if room.mirror.version != saved:
            saved = room.mirror.version
            try:
                room.mirror.save()
            except sqlite3.Error as error:
                # What was to be saved may be half there: it is all in the journal.
                log.error("board_not_saved", error=type(error).__name__)
                room.mirror.begin_again()


async def _refused(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: no such place, another method."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "not_found")
    return _said(request, Wrong(error.status_code, code, headers=error.headers))


async def _failed(request: Request, error: Exception) -> Response:
    """A bug of ours: where, and nothing of what was handled."""
    from pipeline.cli.manners import where

    log.error("board_failed", error=type(error).__name__, where=where(error))
    found = _said(request, Wrong(500, "failed"))
    # This answer is made outside of what stands before all others.
    found.headers.update({name: value.replace("{forms}", "'self'") for name, value in HEADERS.items()})
    return found


def _said(request: Request, found: Wrong) -> Response:
    return response(request, found) if request.url.path.startswith("/v1/") else wrong(request, found)


class _Headers:
    """What every answer carries."""

    def __init__(self, app: ASGIApp, forms: str) -> None:
        self._app = app
        self._headers = {name: value.replace("{forms}", forms) for name, value in HEADERS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if scope["path"].startswith("/v1/"):
                    headers["API-Version"] = API_VERSION
            await send(message)

        await self._app(scope, receive, sending)
