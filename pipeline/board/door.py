"""In and out: signing in, the second person who looks along, the language, and the first screen."""

import httpx2
from authlib.integrations.starlette_client import OAuthError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.board import api
from pipeline.board.identity import NotKnown
from pipeline.board.letters import handed_in
from pipeline.board.moves import give_act
from pipeline.board.problems import LANGUAGE_COOKIE, Wrong, language_of
from pipeline.board.room import Room
from pipeline.board.screen import TABS, inside, page, screen, wrong
from pipeline.board.sign_in import Session
from pipeline.words import spoken
from topics.answers import Act

# At the door ---------------------------------------------------------------------------------------------------


async def sign_in(request: Request) -> Response:
    """To the provider, and then back to where somebody wanted to be."""
    room: Room = request.app.state.room
    back = inside(request.query_params.get("naar", "/"), "/")
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
                return await handed_in(request, room, session, draft, person)
            made = Act.model_validate({**draft.said, "second": person.code})
            api.permitted(room, session.person, made, person)
            return await give_act(request, room, session, made, draft.back)
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
    back = inside(request.query_params.get("terug", "/"), "/")
    found = RedirectResponse(back, status_code=303)
    found.set_cookie(LANGUAGE_COOKIE, chosen, max_age=365 * 86_400, samesite="lax", httponly=True)
    return found


@screen()
async def home(request: Request, room: Room, session: Session) -> Response:
    """The first screen that this person has."""
    tab = next((tab for tab in TABS if any(map(session.person.may, tab.rights))), None)
    return RedirectResponse(tab.path, status_code=303) if tab else page(request, "nothing.html", session)
