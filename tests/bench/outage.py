"""The broker is gone for minutes, while integrators keep trying: how soon each region decides again, and is all there?

The workers are looked after by the supervisor of ``meldstroom up``. A report that is not confirmed is kept and sent
again, under its own id. What was decided when stands in the journal, by the broker's own stamps.
"""

import asyncio
import random
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from agents.policy.region import RegionConfig
from pipeline.bench import Made, make, way_of
from tests.bench.ground import cluster_of, say, supervised, yardstick_ms
from tests.storm.field import Field
from tests.storm.history import check, read_all, read_history
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

PER_S = 5
AT_ONCE = 200
TRY_AGAIN_S = 1.0
STEADY_S = 20.0
PATIENCE_S = 300.0


@dataclass
class Integrator:
    """Has a new report five times a second, and publishes each until the broker has confirmed it."""

    region: RegionConfig
    confirmed: set[str] = field(default_factory=set)
    failures: int = 0
    enough: bool = False

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return way_of(self.region).reports

    async def run(self, cluster: Cluster) -> None:
        """Until it is enough, and all is confirmed."""
        way, chance = way_of(self.region), random.Random(self.region.name)
        began, number = time.monotonic(), 0
        waiting: list[Made] = []
        async with AIOKafkaProducer(**cluster.client(), acks="all", request_timeout_ms=10_000) as producer:
            while waiting or not self.enough:
                due = 0 if self.enough else int((time.monotonic() - began) * PER_S) - number
                waiting += make(way, chance, range(number, number + due))
                number += due
                waiting = await self._publish(producer, waiting)
                await asyncio.sleep(TRY_AGAIN_S if self.failures and waiting else 1 / PER_S)

    async def _publish(self, producer: AIOKafkaProducer, waiting: list[Made]) -> list[Made]:
        """What is still waiting after it."""
        some, later = waiting[:AT_ONCE], waiting[AT_ONCE:]
        sends = (producer.send_and_wait(self.topic, one.value, one.key, headers=one.headers) for one in some)
        told = await asyncio.gather(*sends, return_exceptions=True)
        left = []
        for one, outcome in zip(some, told, strict=True):
            if isinstance(outcome, KafkaError):
                left.append(one)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                self.confirmed.add(one.key.decode())
        self.failures += len(left)
        return left + later


async def outage(folder: Path, *, minutes: float) -> dict[str, Any]:
    """Seconds until each region decides again, and what the history says."""
    with closing(Field(folder)) as field:
        integrators = [Integrator(region) for region in field.regions.values()]
        speed = yardstick_ms()
        async with supervised(field) as workers:
            publishing = [asyncio.create_task(one.run(cluster_of(field))) for one in integrators]
            say("a trickle, until both regions decide")
            await _until(lambda: _decided_in(field) == len(field.regions))
            await asyncio.sleep(STEADY_S)
            before = Counter(workers.restarts)
            say(f"the broker is gone for {minutes} minutes")
            field.broker.kill()
            await asyncio.sleep(minutes * 60)
            starting = time.monotonic()
            await asyncio.to_thread(field.broker.restart)
            back, back_ms = time.monotonic(), int(time.time() * 1000)
            say("the broker answers again")
            await asyncio.sleep(STEADY_S)
            for one in integrators:
                one.enough = True
            await asyncio.gather(*publishing)
            accepted = sum(len(one.confirmed) for one in integrators)
            await _until(lambda: _receipts(field, integrators) >= accepted)
        for one in integrators:
            source = specs.REPORTS.member(one.topic)
            field.published[source] = [_identity(source, record) for record in read_all(_at(field), [one.topic])]
        published = {identity.split("/")[1] for all_ in field.published.values() for identity in all_}
        stamped = list(read_all(_at(field), [specs.JOURNAL.topic()]))
        found = check(read_history(_at(field), field.published, field.receivers))
    return {
        "minutes": minutes,
        "accepted": accepted,
        "sends_failed": sum(one.failures for one in integrators),
        "broker_started_s": round(back - starting, 1),
        "first_decision_s": _first_decisions(stamped, back_ms),
        "worker_restarts": dict(workers.restarts - before),
        "accepted_and_gone": len({key for one in integrators for key in one.confirmed} - published),
        "history": found.counts(),
        "yardstick_ms": [speed, yardstick_ms()],
    }


async def _until(ask: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(ask):
        if time.monotonic() > until:
            raise AssertionError(f"not within {PATIENCE_S:.0f} s: see the workers' logs (--keep)")
        await asyncio.sleep(0.5)


def _at(field: Field) -> str:
    return field.broker.bootstrap


def _decided_in(field: Field) -> int:
    """In how many regions a report has been decided."""
    records = (j.decode(record.value) for record in read_all(_at(field), [specs.JOURNAL.topic()]))
    return len({record.region for record in records if isinstance(record.input, j.ReportInput)})


def _receipts(field: Field, integrators: list[Integrator]) -> int:
    """How many of the confirmed reports have a receipt."""
    topics = [specs.RECEIPTS.topic(specs.REPORTS.member(one.topic)) for one in integrators]
    told = {record.key.decode() for record in read_all(_at(field), topics)}
    return len(told & {key for one in integrators for key in one.confirmed})


def _identity(source: str, record: Any) -> str:
    report = orjson.loads(record.value)
    return f"{source}/{report['report_id']}/{report.get('version', 1)}"


def _first_decisions(stamped: list[Any], back_ms: int) -> dict[str, float]:
    """Region -> seconds from the broker's return until a report was decided there."""
    found: dict[str, float] = {}
    for record in stamped:
        made = j.decode(record.value)
        if record.timestamp > back_ms and isinstance(made.input, j.ReportInput):
            found.setdefault(made.region, round((record.timestamp - back_ms) / 1000, 2))
    return found
