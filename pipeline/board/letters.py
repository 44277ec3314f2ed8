"""The desk of the dead letters: look, open, correct, and hand in again with a second person."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from kafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.board import api
from pipeline.board.identity import Person, Right
from pipeline.board.opening import key_record, record_at, write_down
from pipeline.board.problems import Wrong
from pipeline.board.publisher import NotTaken
from pipeline.board.room import Room
from pipeline.board.screen import for_second, live, page, say, screen
from pipeline.board.sign_in import Draft, Session
from pipeline.journal_reader import NoTopic
from pipeline.letters import NotRedrivable, Original, readable, today
from pipeline.letters import opened as opened_letter
from topics import specs
from topics.offers import FieldError


@screen(Right.DEAD_LETTERS)
async def letters(request: Request, room: Room, session: Session) -> Response:
    """What could not be taken in, by the reason; the acute first."""

    def groups() -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {}
        for one in sorted(letters_of(room, session.person), key=lambda one: (not one["acute"], one["at"])):
            found.setdefault(one["reason"], []).append(one)
        return {"groups": found}

    return live(request, "letters.html", session, (), groups)


def letters_of(room: Room, person: Person) -> list[dict[str, Any]]:
    """Those of the region in which somebody works."""
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
    partition = room.regions[found["region"]].partition
    raw = await asyncio.to_thread(record_at, room.cluster, specs.DEADLETTERS.topic(), partition, found["offset"])
    if raw is None:
        raise Wrong(404, "letter_gone")
    return opened_letter(orjson.loads(raw), room.regions[found["region"]], named)


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
        back = f"/afgekeurd/{found['letter_id']}"
        words = [(say("letter.really"), found["letter_id"]), (say("letter.value"), readable(value))]
        return await for_second(request, room, session, Draft("redrive", said, back, room.now(), words))
    return page(
        request, "letter.html", session, letter=found, opened=corrected, tried=tried,
        errors=_errors_of(tried) if not tried["accepted"] else [],
    )  # fmt: skip


def may_hand_in(person: Person, second: Person) -> None:
    """``Wrong`` unless these two may hand a message in again."""
    if second.code == person.code or second.region != person.region or not second.may(Right.REDRIVE):
        raise Wrong(403, "second")


async def handed_in(request: Request, room: Room, session: Session, draft: Draft) -> Response:
    """Hand a dead letter in, now that a second person has looked along; who did is written down."""
    person, second = session.person, draft.second
    assert second is not None
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
