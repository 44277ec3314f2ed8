"""Publishing what a person or an integrator says, as a CloudEvent in binary mode, every copy confirmed."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from agents.casework.book import Book
    from agents.casework.case import Case, Handover
    from pipeline.regions import Outline
    from pipeline.settings import Settings
    from topics.cluster import Cluster
    from topics.journal import Record

CONFIRMED_WITHIN_S = 15.0
ANSWERED_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where it lies."""

    topic: str
    partition: int
    offset: int


def send(cluster: "Cluster", records: list[Outgoing]) -> list[Sent]:
    """Publish in this order; returns when all copies that count have each record."""
    from kafka import KafkaProducer

    from pipeline.journal_reader import require_topics

    require_topics(cluster, {record.topic for record in records})
    producer = KafkaProducer(
        **cluster.client(),
        acks="all",
        enable_idempotence=True,
        max_block_ms=int(CONFIRMED_WITHIN_S * 1000),
        max_request_size=4 * 1024 * 1024,
    )
    with closing(producer):
        waiting = [
            producer.send(record.topic, key=record.key, value=record.value, headers=record.headers)
            for record in records
        ]
        done = [one.get(timeout=CONFIRMED_WITHIN_S) for one in waiting]
    return [Sent(topic=one.topic, partition=one.partition, offset=one.offset) for one in done]


def event(*, kind: str, source: str, topic: str, key: str, value: bytes, subject: str | None = None) -> Outgoing:
    """A CloudEvent of our own writing."""
    from topics import envelope

    headers = envelope.write(
        id=str(uuid4()), type=kind, source=source, time_ms=int(time.time() * 1000), subject=subject
    )
    return Outgoing(topic=topic, key=key.encode(), value=value, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One case, found again by the first signs of an id of it, or of a handover of it."""

    region: "Outline"
    book: "Book"
    case: "Case"
    handover: "Handover | None"
    """The one that was named, if any."""
    records: "list[Record]"


def find(cluster: "Cluster", found: "Settings", given: str) -> Place:
    """The case that ``given`` names; ``Sorry`` when there is none, or more than one."""
    from pipeline.cli.manners import by_prefix, outlines_of
    from pipeline.journal_reader import histories

    regions = outlines_of(found)
    folded = histories(cluster, {name: region.partition for name, region in regions.items()})
    known: dict[str, str] = {}
    home: dict[str, str] = {}
    for name, (book, _) in folded.items():
        for case in book.cases.values():
            known[case.id], home[case.id] = case.id, name
            known.update({handover.id: case.id for handover in case.handovers})
    case_id = by_prefix(given, known, "case")
    name = home[case_id]
    book, records = folded[name]
    case = book.cases[case_id]
    given = given.strip().lower()
    named = None if case_id.startswith(given) else next((h for h in case.handovers if h.id.startswith(given)), None)
    return Place(region=regions[name], book=book, case=case, handover=named, records=records)


def wait_for_record(
    cluster: "Cluster", partition: int, start: dict[int, int], own: str, within_s: float = ANSWERED_WITHIN_S
) -> "Record | None":
    """The journal's record of the report, answer or act ``own``; None when it does not come in time."""
    from pipeline.journal_reader import read_journal

    for record in read_journal(cluster, [partition], follow=True, start=start, for_s=within_s):
        said: Any = record.input
        if own in (getattr(said, name, None) for name in ("report_id", "answer_id", "act_id")):
            return record
    return None
