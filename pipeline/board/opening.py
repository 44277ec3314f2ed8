"""Opening what was reported: an act of a person, written down before anything is shown.

The centre opens the reports of a case; a team opens what it was offered, where its key is kept for it.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import orjson
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from agents.casework.case import Case, Entry, Handover
from agents.sealing import CannotOpen, unseal, unwrap_with
from pipeline.board.identity import Person
from pipeline.board.room import Room
from pipeline.journal_reader import consumer_of, read_values
from pipeline.words import iso
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

WITHIN_S = 10.0
"""So long a reading of the broker may take."""
EARLIER_MS = 60_000
"""An offer lies on its queue from the record on that made it; its stamp may be a little earlier than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMessage:
    """An offer as it lies on its queue; ``key`` is that of its content, wrapped for the receiver (JWE)."""

    message: dict[str, Any]
    key: str | None


async def write_down(room: Room, person: Person, case_id: str | None, what: str) -> None:
    """That this person opens this, on the broker with every copy that counts; ``NotTaken`` when it is not."""
    said = {
        "v": 1, "at": iso(room.now_ms()), "region": person.region, "actor": person.code, "function": person.function,
        "roles": sorted(person.roles), "case_id": case_id, "what": what,
    }  # fmt: skip
    await room.publisher.publish(
        specs.OPENINGS.topic(), key=person.region, value=orjson.dumps(said), headers=[],
        partition=room.regions[person.region].partition,
    )  # fmt: skip


async def offer_message(room: Room, region: str, handover: Handover) -> OfferMessage | None:
    """The offer of a handover; None when its queue does not hold it any more. Raises ``KafkaError``, ``NoTopic``."""
    found = await asyncio.to_thread(_on_queue, room.cluster, handover)
    if found is None:
        return None
    content = found.get("content")
    key = await key_record(room, region, content["key_id"]) if content is not None else None
    return OfferMessage(message=found, key=json.loads(key)["jwe"] if key is not None else None)


async def opened_offer(room: Room, region: str, handover: Handover) -> dict[str, Any] | None:
    """What a receiver was offered, opened with its own key; None when that is not kept here, or the content is gone."""
    private = room.regions[region].receiver_keys.get(handover.receiver)
    found = await offer_message(room, region, handover)
    if private is None or found is None or found.key is None:
        return None
    content = found.message["content"]
    plain = unseal(unwrap_with(private, found.key), content["key_id"], "content", content["data"])
    opened: dict[str, Any] = json.loads(plain)
    return opened


async def opened_reports(room: Room, region: str, case: Case) -> list[dict[str, Any]]:
    """What was reported in a case, the oldest first; of what cannot be opened any more only when it came. Reporters are
    among it: this is for the centre alone."""
    found = []
    for entry in room.mirror.regions[region].book.reports_of(case):
        about = {"received": entry.received, "report": entry.thread, "version": entry.version}
        found.append(about | await _report(room, region, entry))
    return found


async def _report(room: Room, region: str, entry: Entry) -> dict[str, Any]:
    place, named = room.mirror.place(region, entry.seq), await key_record(room, region, entry.key_id)
    if place is None or named is None:
        return {}
    raw = await asyncio.to_thread(record_at, room.cluster, specs.JOURNAL.topic(), room.regions[region].partition, place)
    said = j.decode(raw).input if raw is not None else None
    if not isinstance(said, j.ReportInput | j.TransferInput):
        return {}
    known = json.loads(named)
    end = "" if entry.number is None else f"-{entry.number}"
    try:
        key = room.regions[region].keys.unwrapped(known["wrap"], known["wrapped"])
        return {
            part: json.loads(unseal(key, entry.key_id, f"{part}{end}", said.sealed[f"{part}{end}"]))
            for part in ("rest", "reporter")
            if f"{part}{end}" in said.sealed
        }
    except CannotOpen:
        return {}


async def key_record(room: Room, region: str, key_id: str) -> bytes | None:
    """The record of a key; None when it was destroyed."""
    offset = room.mirror.key_offset(region, key_id)
    if offset is None:
        return None
    partition = room.regions[region].partition
    return await asyncio.to_thread(
        record_at, room.cluster, specs.KEYS.topic(), partition, offset, key_id.encode()
    )  # fmt: skip


def record_at(cluster: Cluster, topic: str, partition: int, offset: int, key: bytes | None = None) -> bytes | None:
    """The value at an offset; None when another record, or none, stands there now."""
    for record in bounded(cluster, topic, partition, offset):
        same = record.offset == offset and (key is None or record.key == key)
        value: bytes | None = record.value
        return value if same else None
    return None


def bounded(cluster: Cluster, topic: str, partition: int, start: int | None = None) -> Iterator[Any]:
    """The records from there on, up to where they end now; ``KafkaTimeoutError`` when that takes too long."""
    until = time.monotonic() + WITHIN_S
    begin = None if start is None else {partition: start}
    for _, record in read_values(cluster, topic, [partition], start=begin, for_s=WITHIN_S):
        yield record
    if time.monotonic() > until:
        raise KafkaTimeoutError(topic)


def _on_queue(cluster: Cluster, handover: Handover) -> dict[str, Any] | None:
    topic = specs.QUEUE.topic(handover.receiver)
    place = TopicPartition(topic, 0)
    with closing(consumer_of(cluster)) as consumer:
        at = consumer.offsets_for_times({place: max(0, handover.offered - EARLIER_MS)})[place]
    if at is None:
        return None
    for record in bounded(cluster, topic, 0, at.offset):
        said: dict[str, Any] = json.loads(record.value)
        if said.get("handover_id") == handover.id and "destination" in said:
            return said
    return None
