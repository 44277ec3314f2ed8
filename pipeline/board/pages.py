"""What people look at. Each screen says what it shows; what is done there stands in ``moves`` and ``letters``."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from kafka.errors import KafkaError
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from agents.casework.case import AWAITS_ANSWER, Case
from agents.casework.sentences import sentence
from pipeline.board import api, forms
from pipeline.board.identity import Person, Right, Role
from pipeline.board.letters import letters_of
from pipeline.board.opening import opened_offer, opened_reports, write_down
from pipeline.board.plots import days
from pipeline.board.problems import Wrong
from pipeline.board.publisher import NotTaken
from pipeline.board.room import Room
from pipeline.board.rows import offer_row, queues
from pipeline.board.screen import case_of, live, page, screen
from pipeline.board.sign_in import Session
from pipeline.journal_reader import NoTopic
from pipeline.owed import owed
from pipeline.route import besides
from pipeline.story import about, came, lines_of, refused
from pipeline.words import iso, language
from topics.check import check
from topics.codes import ActKind, RefusalReason

TICK_S = 1.0
"""Changes are told to who watches at most so often."""
LOOK_S = 2.0
"""How the board itself is, is told at least so often."""
HOURS = (24, 7 * 24, 10 * 366 * 24)
"""What is owed is shown for a day, a week, or all of it."""
POLICY_TABLES = (
    "colours", "raises", "provisional", "destinations", "filters", "keep_reasons", "refusals", "fan_out",
    "safety_conditions", "board_request", "terms",
)  # fmt: skip


# Screens -------------------------------------------------------------------------------------------------------


@screen(Right.OFFERS)
async def waiting(request: Request, room: Room, session: Session) -> Response:
    """What waits for me: the worst colour first, then the least time left."""
    person = session.person
    of = tuple(sorted(person.receivers)) if not person.may(Right.CASES) else ("centre", *sorted(person.receivers))

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
        return {"columns": found, "letters": letters_of(room, person), "open_cases": book.open_cases}

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
        found = owed(person.region, cases, rules) if rules is not None else []
        return {"rows": [row for row in found if row.due <= until], "hours": hours, "choices": HOURS}

    return live(request, "owed.html", session, (str(hours),), rows)


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
    return _case_page(request, room, session, case_of(request, room, session))


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
        owed=owed(person.region, [found], rules) if whole else [],
        more=besides(room.mirrored(person).book, rules, found),
        history=[(record, came(record), lines_of(about(record, found.id)), refused(record)) for record in history],
        acts=_acts_of(room, person) if whole else [],
        whole=whole,
        may_open=person.may(Right.CONTENT) and (bool(mine) or _of_the_centre(person)),
        **more,
    )


def _of_the_centre(person: Person) -> bool:
    return not person.roles.isdisjoint({Role.DUTY_OFFICER, Role.VT_WORKER})


def _acts_of(room: Room, person: Person) -> list[ActKind]:
    """What this person may do with a case, by the policy in force."""
    rules = room.rules(person)
    if rules is None or not person.may(Right.ACT):
        return []
    return [kind for kind in forms.ON_A_CASE if person.function in rules.policy.permission(kind).roles]


@screen(Right.CONTENT)
async def content(request: Request, room: Room, session: Session) -> Response:
    """Open what was reported. That this person did is on the broker before anything is shown."""
    person, found = session.person, case_of(request, room, session)
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


# Live ----------------------------------------------------------------------------------------------------------


@screen()
async def events(request: Request, room: Room, session: Session) -> Response:
    """Tells who watches that something changed, and how the board itself is; never what."""

    async def telling() -> AsyncIterator[dict[str, str]]:
        while room.sessions.of(request, look=False) is session:
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
