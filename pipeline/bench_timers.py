"""Very many open deadlines in one region: memory, how late steps fire among them, and the first decision after a kill.

Every case of the past waits for its team: five terms of it climb, and its offer does. The steps that are measured are
of rode cases that are published while it runs, in a policy in which nobody has seen a rode offer after one minute.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.policy.loading import Loader
from agents.policy.region import RegionConfig
from pipeline.bench import Line, way_of
from pipeline.demo import percentile
from pipeline.past import AFTER_THE_PAST
from pipeline.supervisor import CHECKOUT, Supervisor
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

OF_A_CASE = 6
"""Deadlines that wait on a groene case that nobody answered: its offer, T02, T04, T05, T08 and T09."""
RED = {"A2": "YES"}
REDS_PER_S = 25
SOON = {"minutes": 1}
PATIENCE_S = 600.0

Tell = Callable[[str], None]
"""Is told what is done now, by a name that the catalogue has: ``past``, ``open``, ``kill``, ``red``."""


class NothingDecided(Exception):
    """The region took nothing up within ten minutes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Lateness by the broker's clock, ms; memory of the region's worker, MiB (None where the system
    does not say); seconds from the start, or the kill, until the offer of a report published then could be read."""

    open_deadlines: int
    steps: int
    late_p50_ms: int
    late_p99_ms: int
    late_max_ms: int
    memory_mib: float | None
    cold_open_s: float
    killed_restarted_s: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def soon(regions: Path) -> None:
    """In the policies of that folder nobody has seen a rode offer after one minute."""
    for path in regions.glob("*/policy.yaml"):
        policy = yaml.load(path.read_text(), Loader=Loader)
        next(term for term in policy["terms"] if term["id"] == "T02")["due"]["RED"] = SOON
        policy["desk_ladder"]["RED"][0]["at"] = SOON
        path.write_text(yaml.safe_dump(policy, sort_keys=False))


def write_past(cluster: Cluster, regions: Path, region: str, deadlines: int) -> None:
    """A past of cases that nobody has answered, with so many deadlines between them; raises ``CalledProcessError``."""
    command = [sys.executable, "-m", "pipeline.past", region, cluster.bootstrap, str(regions)]
    subprocess.run([*command, str(-(-deadlines // OF_A_CASE)), "open"], cwd=CHECKOUT, check=True)


async def measure(
    cluster: Cluster, region: RegionConfig, workers: Supervisor, *, deadlines: int, reds: int, tell: Tell
) -> Figures:
    """The figures, of a region whose past lies on the broker and whose workers have not been started."""
    looking = asyncio.create_task(_looked_after(workers))
    try:
        async with Line(cluster, way_of(region), random.Random(1), AFTER_THE_PAST) as line:
            tell("open")
            since = time.monotonic()
            workers.start()
            cold = await _decided(line, since)
            await _saved(workers)
            memory = _memory_mib(workers.running["region"])
            tell("kill")
            since = time.monotonic()
            os.kill(workers.running["region"], signal.SIGKILL)
            restarted = await _decided(line, since)
            tell("red")
            late = await _late(cluster, region, line, reds)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return Figures(
        open_deadlines=deadlines,
        steps=len(late),
        late_p50_ms=percentile(late, 50),
        late_p99_ms=percentile(late, 99),
        late_max_ms=max(late, default=0),
        memory_mib=memory,
        cold_open_s=cold,
        killed_restarted_s=restarted,
    )


async def _looked_after(workers: Supervisor) -> None:
    while True:
        await asyncio.sleep(0.1)
        workers.poll()


async def _decided(line: Line, since: float) -> float:
    """Seconds from ``since`` until the offer of a report that is published now can be read."""
    await line.publish(line.make(1))
    read, last = await line.read(1, lambda *_: None, PATIENCE_S)
    if not read:
        raise NothingDecided
    return round(last - since, 2)


async def _saved(workers: Supervisor) -> None:
    """The book was saved: from here on a start reads what was saved, and not the journal."""
    log = workers.log("region")
    assert log is not None
    until = time.monotonic() + PATIENCE_S
    while '"book_saved"' not in log.read_text():
        if time.monotonic() > until:
            raise NothingDecided
        await asyncio.sleep(0.2)


def _memory_mib(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS:")), None)


async def _late(cluster: Cluster, region: RegionConfig, line: Line, reds: int) -> list[int]:
    """How long after it was due each step of the rode cases was written, ms by the broker's clock."""
    place = TopicPartition(specs.JOURNAL.topic(), region.partition)
    late: list[int] = []
    async with AIOKafkaConsumer(
        **cluster.client(), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.seek_to_end()
        await consumer.position(place)
        publishing = asyncio.create_task(_publish(line, reds))
        until = time.monotonic() + reds / REDS_PER_S + 90
        while len(late) < 2 * reds and time.monotonic() < until:
            for record in (await consumer.getmany(timeout_ms=200)).get(place, ()):
                if b"_fired" in record.value:
                    events = j.decode(record.value).events
                    late += [
                        record.timestamp - event.due for event in events if isinstance(event, j.StepFired | j.TermFired)
                    ]
        await publishing
    return late


async def _publish(line: Line, reds: int) -> None:
    for red in line.make(reds, **RED):
        await line.publish([red])
        await asyncio.sleep(1 / REDS_PER_S)
