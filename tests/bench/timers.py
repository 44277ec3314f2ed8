"""Very many open deadlines in one region: memory, how late steps fire among them, and the first decision after a kill.

Every case of the past waits for its team: five terms of it climb, and its offer does. The steps that are measured are
of rode cases that are published while it runs, in a policy in which nobody has seen a rode offer after one minute.
"""

import asyncio
import random
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.policy.loading import Loader
from pipeline.bench import Line, way_of
from tests.bench.ground import FIRST, cluster_of, rss_mib, say, yardstick_ms
from tests.bench.latency import waited
from tests.bench.takeover import AFTER_THE_PAST, PATIENCE_S, decided, write_past
from tests.storm.field import Field, wait_for
from topics import journal as j
from topics import specs

OF_A_CASE = 6
"""Deadlines that wait on a groene case that nobody answered: its offer, T02, T04, T05, T08 and T09."""
RED = {"A2": "YES"}
REDS, REDS_PER_S = 1_500, 25
SOON = {"minutes": 1}


async def timers(folder: Path, *, deadlines: int) -> dict[str, Any]:
    """The figures of design section 7 that are about deadlines."""
    found: dict[str, Any] = {"open_deadlines": deadlines}
    with closing(Field(folder)) as field:
        _red_soon(field)
        write_past(field, deadlines // OF_A_CASE, "open")
        field.worker("intake", "a")
        worker = field.worker("region", "a")
        async with Line(cluster_of(field), way_of(field.regions[FIRST]), random.Random(1), AFTER_THE_PAST) as line:
            speed, since = yardstick_ms(), time.monotonic()
            found["cold_open_s"] = await decided(line, since)
            wait_for("the book is saved", lambda: '"book_saved"' in worker.log(), PATIENCE_S)
            found["rss_mib"] = rss_mib(worker.process.pid)
            say("kill -9, started again at once")
            since = time.monotonic()
            worker.kill()
            worker.start()
            found["killed_restarted_s"] = await decided(line, since)
            found["late_ms"] = waited(await _late(field, line))
            found["yardstick_ms"] = [speed, yardstick_ms()]
    return found


def _red_soon(field: Field) -> None:
    for path in field.regions_folder.glob("*/policy.yaml"):
        policy = yaml.load(path.read_text(), Loader=Loader)
        next(term for term in policy["terms"] if term["id"] == "T02")["due"]["RED"] = SOON
        policy["desk_ladder"]["RED"][0]["at"] = SOON
        path.write_text(yaml.safe_dump(policy, sort_keys=False))


async def _late(field: Field, line: Line) -> list[int]:
    """How long after it was due each step of the rode cases was written, ms by the broker's clock."""
    place = TopicPartition(specs.JOURNAL.topic(), field.regions[FIRST].partition)
    late: list[int] = []
    async with AIOKafkaConsumer(
        **cluster_of(field).client(), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.seek_to_end()
        await consumer.position(place)
        say(f"{REDS} rode cases, {REDS_PER_S} a second")
        publishing = asyncio.create_task(_publish(line))
        until = time.monotonic() + REDS / REDS_PER_S + 90
        while len(late) < 2 * REDS and time.monotonic() < until:
            for record in (await consumer.getmany(timeout_ms=200)).get(place, ()):
                if b"_fired" in record.value:
                    events = j.decode(record.value).events
                    late += [
                        record.timestamp - event.due for event in events if isinstance(event, j.StepFired | j.TermFired)
                    ]
        await publishing
    return late


async def _publish(line: Line) -> None:
    for red in line.make(REDS, **RED):
        await line.publish([red])
        await asyncio.sleep(1 / REDS_PER_S)
