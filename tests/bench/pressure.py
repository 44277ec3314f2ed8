"""A flood in one region: what the other region, its own deadlines, its own desk and the memory feel of it.

A working day lasts so long here that the four steps of a ladder of oranje cases, offered before, fall due during
the flood, while the flood's own groene offers are not due yet (their first step comes after two and a half days).
"""

import asyncio
import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.policy.region import RegionConfig
from pipeline.bench import TRICKLE_PER_S, WARM_UP, Line, Way, way_of
from tests.bench.ground import FIRST, SECOND, Spent, cluster_of, forget_peak, quiet, rss_mib, say, warmed
from tests.bench.latency import LONGEST_FLOOD_S, waited
from tests.storm.field import Field
from topics import envelope, specs
from topics import journal as j
from topics.cluster import Cluster

ORANGE = {"S1": "YES"}
ORANGES = 200
ANSWERS_PER_S = 5
SLOWEST_PER_S = 600
"""How many reports a second a flood is taken to be worked off with at least, to choose the length of a day."""


@dataclass
class Seen:
    """What the flooded region's journal showed, at the moment at which it could be read."""

    fired: list[tuple[int, int]] = field(default_factory=list)
    """When a step was due and when it was read, ms since 1970."""
    asked: dict[str, float] = field(default_factory=dict)
    """Answer id -> when it was published (monotonic)."""
    answered: list[int] = field(default_factory=list)
    """ms from an answer's publish until its journal record was read."""


async def pressure(folder: Path, *, flood: int) -> dict[str, Any]:
    """The four figures of a flood."""
    day_s = max(20.0, flood / SLOWEST_PER_S)
    with closing(Field(folder, working_day_s=day_s)) as field:
        pids = {role: field.worker(role, "a").process.pid for role in ("intake", "region")}
        cluster, region = cluster_of(field), field.regions[FIRST]
        way = way_of(region)
        async with (
            Line(cluster, way_of(field.regions[SECOND]), random.Random(1)) as others,
            Line(cluster, way, random.Random(2)) as line,
        ):
            await warmed(others)
            await warmed(line)
            offers = await _offers(cluster, way)
            slowly, at_once = others.make(TRICKLE_PER_S * LONGEST_FLOOD_S), line.make(flood)
            seen = Seen()
            watching = asyncio.create_task(_watch(cluster, region, seen))
            say(f"{ORANGES} oranje cases over {0.4 * day_s:.0f} s, then a flood of {flood}")
            for orange in line.make(ORANGES, **ORANGE):
                await line.publish([orange])
                await asyncio.sleep(0.4 * day_s / ORANGES)
            before = {role: rss_mib(pid) for role, pid in pids.items()}
            for pid in pids.values():
                forget_peak(pid)
            with Spent(field) as spent:
                began = time.time() * 1000
                flooding = asyncio.create_task(line.backlog(at_once, quiet))
                answering = asyncio.create_task(_answer(cluster, offers, seen, flooding))
                waits = await others.trickle(slowly, quiet, flooding.done)
                read, took = await flooding
                ended = time.time() * 1000
            await answering
            watching.cancel()
            peaks = {role: rss_mib(pid, "VmHWM") for role, pid in pids.items()}
    late = [read_at - due for due, read_at in seen.fired if began <= due <= ended]
    return {
        "flood": read,
        "flood_reports_per_s": round(read / took, 1),
        "others": waited(waits),
        "deadlines_late": waited(late),
        "desk": waited(seen.answered) | {"unanswered": len(seen.asked)},
        "memory_mib": {
            role: {"before": before[role], "peak": peaks[role], "grown": round(peaks[role] - before[role], 1)}
            for role in pids
        },
        **spent.plain(read + len(waits)),
    }


async def _offers(cluster: Cluster, way: Way) -> list[tuple[str, dict[str, Any]]]:
    """The offers of the warm-up, each with its team."""
    places = {TopicPartition(topic, 0): team for team, topic in way.queues.items()}
    found: list[tuple[str, dict[str, Any]]] = []
    async with AIOKafkaConsumer(
        **cluster.client(), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(list(places))
        await consumer.seek_to_beginning()
        while len(found) < WARM_UP:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [(places[place], orjson.loads(record.value)) for record in records]
    return found


async def _watch(cluster: Cluster, region: RegionConfig, seen: Seen) -> None:
    """Read the journal as it grows. Only what is asked about is decoded: a flood is long."""
    place = TopicPartition(specs.JOURNAL.topic(), region.partition)
    async with AIOKafkaConsumer(
        **cluster.client(), isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
    ) as consumer:
        consumer.assign([place])
        await consumer.seek_to_end()
        while True:
            for record in (await consumer.getmany(timeout_ms=100)).get(place, ()):
                if b'"step_fired"' in record.value:
                    events = j.decode(record.value).events
                    now = int(time.time() * 1000)
                    seen.fired += [(event.due, now) for event in events if isinstance(event, j.StepFired)]
                elif b'"answer_id"' in record.value:
                    said = j.decode(record.value).input
                    if isinstance(said, j.AnswerInput) and (asked := seen.asked.pop(said.answer_id, None)) is not None:
                        seen.answered.append(int((time.monotonic() - asked) * 1000))


async def _answer(
    cluster: Cluster, offers: list[tuple[str, dict[str, Any]]], seen: Seen, flooding: "asyncio.Task[Any]"
) -> None:
    """One of the offers is acknowledged, and the next, as long as the flood lasts; then until all are read."""
    chance = random.Random(3)
    async with AIOKafkaProducer(**cluster.client(), acks="all") as producer:
        for team, offer in offers:
            if flooding.done():
                break
            answer_id = str(UUID(int=chance.getrandbits(128), version=4))
            seen.asked[answer_id] = time.monotonic()
            await producer.send(
                specs.ANSWERS.topic(team),
                orjson.dumps(
                    {
                        "answer_id": answer_id,
                        "case_id": offer["case_id"],
                        "handover_id": offer["handover_id"],
                        "state": "ACKNOWLEDGED",
                        "answered_at": datetime.now(UTC).isoformat(),
                    }
                ),
                offer["case_id"].encode(),
                headers=envelope.write(
                    id=answer_id,
                    type=specs.ANSWER_TYPE,
                    source=f"urn:nld:oin:00000001999970835000:systeem:{team}",
                    time_ms=int(time.time() * 1000),
                    subject=None,
                ),
            )
            await asyncio.sleep(1 / ANSWERS_PER_S)
    for _ in range(200):
        if not seen.asked:
            return
        await asyncio.sleep(0.1)
