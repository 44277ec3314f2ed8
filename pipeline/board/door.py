"""In and out: signing in, the second person who looks along, the language, and the first screen."""

import httpx2
from authlib.integrations.starlette_client import OAuthError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.board import api
from pipeline.board.identity import NotKnown
from pipeline.board.letters import handed_in, may_hand_in
from pipeline.board.moves import give_act
from pipeline.board.problems import LANGUAGE_COOKIE, Wrong, language_of, provider_away
from pipeline.board.room import Room
from pipeline.board.screen import TABS, inside, page, screen, wrong
from pipeline.board.sign_in import DRAFT_S, Draft, ProviderAway, Session
from pipeline.words import spoken
from topics.answers import Act

SKEW_S = 60.0
"""By so much the provider's clock may be behind ours."""


async def sign_in(request: Request) -> Response:
    """To the provider, and then back to where somebody wanted to be."""
    room: Room = request.app.state.room
    try:
        return await room.sign_in.go(request, back=inside(request.query_params.get("naar", "/"), "/"))
    except ProviderAway:
        return wrong(request, provider_away())


async def signed_in(request: Request) -> Response:
    """Back from the provider: a person signs in, or a second one who is shown what waits for agreement."""
    room: Room = request.app.state.room
    try:
        came = await room.sign_in.came(request)
    except NotKnown as why:
        return wrong(request, Wrong(403, "claims", what=why))
    except (httpx2.HTTPError, OAuthError):
        return wrong(request, Wrong(400, "sign_in"))
    if came.person.region not in room.regions:
        return wrong(request, Wrong(403, "no_region"))
    if came.draft is None:
        room.sessions.begin(request, came.person)
        return RedirectResponse(came.back, status_code=303)
    session = room.sessions.of(request)
    with spoken(language_of(request)):
        try:
            if session is None:
                raise Wrong(400, "draft_gone")
            draft = _draft(room, session, came.draft)
            if came.at < draft.began - SKEW_S:
                raise Wrong(403, "second")  # signed in before there was anything to agree with
            draft.second = came.person
            _may(room, session, draft)
            return page(request, "agree.html", session, draft=draft, own=came.draft, second=came.person.code)
        except Wrong as found:
            return wrong(request, found, session)


@screen()
async def agree(request: Request, room: Room, session: Session) -> Response:
    """The second person agrees with what was shown, and it is sent: that and nothing else, once."""
    own = str((await request.form()).get("draft", ""))
    draft = _draft(room, session, own)
    _may(room, session, draft)
    del session.drafts[own]
    if draft.kind == "redrive":
        return await handed_in(request, room, session, draft)
    return await give_act(request, room, session, _act(draft), draft.back)


def _draft(room: Room, session: Session, own: str) -> Draft:
    draft = session.drafts.get(own)
    if draft is None or draft.began + DRAFT_S < room.now():
        raise Wrong(400, "draft_gone")
    return draft


def _may(room: Room, session: Session, draft: Draft) -> None:
    """``Wrong`` unless the second person may look along with this."""
    if draft.second is None:
        raise Wrong(400, "draft_gone")
    if draft.kind == "redrive":
        may_hand_in(session.person, draft.second)
    else:
        api.permitted(room, session.person, _act(draft), draft.second)


def _act(draft: Draft) -> Act:
    assert draft.second is not None
    return Act.model_validate({**draft.said, "second": draft.second.code})


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
