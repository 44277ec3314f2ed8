"""The doors of the HTTP API, for machines, by the NL API Design Rules: nouns in Dutch, ``/v1``, problem+json, UTC.

Every door stands once in ``DOORS``; the routes and ``openapi.json`` are both made of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.board import api, shapes
from pipeline.board.identity import Person, Right
from pipeline.board.openapi import document
from pipeline.board.problems import Wrong, language_of, provider_away, response
from pipeline.board.room import Room
from pipeline.board.sign_in import NoToken, ProviderAway
from pipeline.words import spoken
from topics.answers import Act
from topics.codes import Colour
from topics.problems import field_error
from topics.reports import Report

Handler = Callable[[Request, Room, Person], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    about: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One operation. The caller needs one of ``rights``; with none, nobody needs to say who he is."""

    method: str
    path: str
    name: str
    about: str
    rights: tuple[Right, ...]
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    code: int = 200
    query: tuple[Query, ...] = ()
    media: str = "application/json"
    handler: Handler


async def about(request: Request, room: Room, _: Person) -> Response:
    """This document."""
    return Response(
        orjson.dumps(document(DOORS, room.public_url)),
        media_type="application/json",
        headers={"Access-Control-Allow-Origin": "*"},
    )


NOBODY = Person(
    code="-", roles=frozenset(), region="", function=None, receivers=frozenset(), sources=frozenset()
)  # fmt: skip


def opened(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a door: who is it, may he, does he ask for what there is; then the handler."""
    known = {one.name for one in door.query} | {"lang"}

    async def endpoint(request: Request) -> Response:
        room: Room = request.app.state.room
        try:
            person = NOBODY
            if door.rights:
                person = await _caller(request, room, door.rights)
            _query(request, door, known)
            with spoken(language_of(request)):
                found = await door.handler(request, room, person)
        except Wrong as wrong:
            found = response(request, wrong)
        except ProviderAway:
            found = response(request, provider_away())
        return found

    return endpoint


async def _caller(request: Request, room: Room, rights: tuple[Right, ...]) -> Person:
    try:
        person = await room.sign_in.bearer(request.headers.get("authorization"))
    except NoToken as why:
        raise Wrong(401, str(why), headers={"WWW-Authenticate": "Bearer"}) from None
    if person.region not in room.regions:
        raise Wrong(403, "no_region")
    if not any(map(person.may, rights)):
        raise Wrong(403, "not_your_role", roles=", ".join(sorted(person.roles)))
    return person


def _query(request: Request, door: Door, known: set[str]) -> None:
    errors = [field_error("", "unknown_field") for name in request.query_params if name not in known]
    for one in door.query:
        said = request.query_params.get(one.name)
        if said is not None and one.choices and said not in one.choices:
            errors.append(field_error(one.name, "choice", allowed=", ".join(one.choices)))
    if errors:
        raise Wrong(400, "query", errors)


COLOURS = tuple(colour.value.lower() for colour in Colour)
DOORS: tuple[Door, ...] = (
    Door(
        method="POST", path="/v1/meldingen", name="publishReport", rights=(Right.PUBLISH,), takes=Report,
        gives=shapes.Accepted, code=202, handler=api.publish,
        about="Hand a report in, bare or as a CloudEvent in structured mode. With 202 it lies on the broker, "
        "acknowledged by all copies that count; with 503 it may or may not: send it again, under the same report_id.",
    ),
    Door(
        method="POST", path="/v1/proefmeldingen", name="tryReport", rights=(Right.PUBLISH,), takes=Report,
        gives=shapes.Trial, handler=api.try_report,
        about="What would be decided about a report if it came in alone, by the rules in force. Nothing is sent.",
    ),
    Door(
        method="GET", path="/v1/meldingen/{bron}/{melding}", name="getReportStatus", rights=(Right.PUBLISH,),
        gives=shapes.ReportStatus, handler=api.report_status,
        about="What became of a report you handed in, copy by copy. 404 while nothing is decided about it.",
    ),
    Door(
        method="GET", path="/v1/overdrachten", name="listOffers", rights=(Right.OFFERS,), gives=shapes.Offers,
        handler=api.list_offers, about="The open handovers that are yours to answer, the most urgent first.",
        query=(Query(name="status", about="only those that wait, or those accepted", choices=("wacht", "aanvaard")),),
    ),
    Door(
        method="GET", path="/v1/overdrachten.csv", name="offersOfDay", rights=(Right.OFFERS,), media="text/csv",
        handler=api.offers_of_day, about="What was offered to you on a day, for a spreadsheet.",
        query=(Query(name="dag", about="the day in the Netherlands, YYYY-MM-DD; absent: today"),),
    ),
    Door(
        method="GET", path="/v1/overdrachten/{overdracht}", name="getOffer", rights=(Right.OFFERS, Right.CASES),
        gives=shapes.OfferSeen, handler=api.show_offer, about="One handover.",
    ),
    Door(
        method="GET", path="/v1/overdrachten/{overdracht}/inhoud", name="getOfferContent", rights=(Right.CONTENT,),
        gives=shapes.OfferSealed, handler=api.sealed_offer,
        about="The offer with its sealed content and the key, wrapped for you as a JWE.",
    ),
    Door(
        method="POST", path="/v1/overdrachten/{overdracht}/antwoorden", name="answerOffer", rights=(Right.OFFERS,),
        takes=shapes.AnswerGiven, gives=shapes.Accepted, code=202, handler=api.answer,
        about="Answer a handover. An answer that comes too late is told to you as a notice, with how it stands now.",
    ),
    Door(
        method="GET", path="/v1/zaken", name="listCases", rights=(Right.CASES,), gives=shapes.Cases,
        handler=api.list_cases,
        about="The cases on which something is open or owed, the most urgent first.",
        query=(Query(name="kleur", about="only those of this colour", choices=COLOURS),),
    ),
    Door(
        method="GET", path="/v1/zaken/{zaak}", name="getCase", rights=(Right.OFFERS, Right.CASES),
        gives=shapes.CaseWhole,
        handler=api.show_case, about="One case: why, its handovers, what is owed.",
    ),
    Door(
        method="POST", path="/v1/handelingen", name="act", rights=(Right.ACT,), takes=Act, gives=shapes.Accepted,
        code=202, handler=api.act,
        about="Act on a case, about a receiver, or with the policy. Actor and role are your own; what needs a second "
        "person takes that one's token in Second-Authorization.",
    ),
    Door(
        method="GET", path="/v1/termijnen", name="listTerms", rights=(Right.CASES,), gives=shapes.Owed,
        handler=api.list_owed,
        about="What is owed on the region's cases, what is late first.",
        query=(Query(name="binnenUren", about="up to so many hours from now; absent: 24"),),
    ),
    Door(
        method="GET", path="/v1/afgekeurd", name="listDeadLetters", rights=(Right.DEAD_LETTERS,), gives=shapes.Letters,
        handler=api.list_letters, about="What could not be taken in: the acute first, then the oldest.",
    ),
    Door(
        method="GET", path="/v1/openapi.json", name="getDocument", rights=(), handler=about,
        about="This document, for everybody.",
    ),
)  # fmt: skip


def routes() -> list[Route]:
    """A route for each door; the more particular path of two comes first."""
    ordered = sorted(DOORS, key=lambda door: door.path.count("{"))
    return [Route(door.path, opened(door), methods=[door.method], name=door.name) for door in ordered]
