"""What every benchmark stands on: what a process costs, how fast the machine is just now, and topics for rivals."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.policy.region import RegionConfig
from pipeline.bench import Line, Way
from pipeline.cli.worker import ROLES, argv_of
from pipeline.supervisor import Supervisor
from tests.storm.field import Field
from topics import admin, specs
from topics.cluster import Cluster

TICKS = os.sysconf("SC_CLK_TCK")
FIRST, SECOND = "brabant-zuidoost", "hollands-midden"
"""The sample regions: the one that gets the load, and the other one."""


def cluster_of(field: Field) -> Cluster:
    """The field's broker, for clients of ours."""
    return Cluster(bootstrap=field.broker.bootstrap, replication=1, min_insync=1)


def yardstick_ms() -> float:
    """How long a fixed piece of Python takes now, ms. Two cores of a shared machine are not always two whole ones:
    figures whose yardsticks differ cannot be compared."""
    started = time.perf_counter()
    total = 0
    for number in range(2_000_000):
        total += number
    return round((time.perf_counter() - started) * 1000, 1)


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(pid: int, which: str = "VmRSS") -> float:
    """Resident memory now, or its peak (``VmHWM``), MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def forget_peak(pid: int) -> None:
    """Let ``VmHWM`` begin again at what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def busy_s() -> float:
    """Processor seconds that the whole machine has worked, since it started."""
    user, nice, system, _, _, irq, softirq, steal, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS


class Spent:
    """What some processes used while a block ran, and how many cores somebody else had meanwhile: where ``others``
    is not near 0, the figures say little about us."""

    def __init__(self, field: Field, **more: int) -> None:
        workers = {worker.role: worker.process.pid for worker in field.workers if worker.process is not None}
        self._pids = {**workers, **more, "broker": field.broker.pid, "bench": os.getpid()}
        self.cpu_s: dict[str, float] = {}
        self.others = 0.0
        self.yardstick_ms: list[float] = []

    def __enter__(self) -> "Spent":
        self.yardstick_ms.append(yardstick_ms())
        self._began, self._busy = time.monotonic(), busy_s()
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
        others = busy_s() - self._busy - sum(self.cpu_s.values())
        self.others = round(max(0.0, others) / (time.monotonic() - self._began), 2)
        self.yardstick_ms.append(yardstick_ms())

    def plain(self, reports: int) -> dict[str, Any]:
        """For JSON: processor seconds per 1,000 reports, by process; and how the machine was."""
        return {
            "cpu_s_per_1000": {
                name: round(seconds / max(reports, 1) * 1000, 3) for name, seconds in self.cpu_s.items()
            },
            "others_cores": self.others,
            "yardstick_ms": self.yardstick_ms,
        }


@dataclass
class Workers:
    """Both roles in the hands of the supervisor of ``meldstroom up``."""

    supervisor: Supervisor
    restarts: Counter[str] = field(default_factory=Counter)

    async def look_after(self) -> None:
        """Who ended is started again, and counted."""
        while True:
            self.restarts.update(self.supervisor.poll())
            await asyncio.sleep(0.2)


@asynccontextmanager
async def supervised(field: Field) -> AsyncIterator[Workers]:
    """Workers as an operator has them, until the end of the block."""
    env = {
        **os.environ,
        "MELDSTROOM_KAFKA__BOOTSTRAP": field.broker.bootstrap,
        "MELDSTROOM_KAFKA__REPLICATION": "1",
        "MELDSTROOM_KAFKA__MIN_INSYNC": "1",
        "MELDSTROOM_REGIONS": str(field.regions_folder),
        "MELDSTROOM_INSTANCE": "a",
        "MELDSTROOM_DATA": str(field.folder),
        "MELDSTROOM_METRICS_PORT": "0",
        "MELDSTROOM_DEVELOPMENT": "true",
    }
    workers = Workers(Supervisor({role: argv_of("worker", role) for role in ROLES}, env, field.folder))
    workers.supervisor.start()
    looking = asyncio.create_task(workers.look_after())
    try:
        yield workers
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        workers.supervisor.stop()


def say(text: str) -> None:
    """Progress, for who waits; figures alone go to stdout."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def quiet(done: int, count: int) -> None:
    """A progress that says nothing."""


async def warmed(line: Line) -> None:
    """Wait until the workers that were just started have brought over the first reports."""
    if not await line.warm_up():
        raise AssertionError("the first reports did not arrive: see the workers' logs (--keep)")


# Rivals --------------------------------------------------------------------------------------------------


def renamed(topic: str, prefix: str) -> str:
    """The rival's topic that stands where ours would."""
    return topic.replace(f"{specs.PREFIX}.", f"{prefix}.", 1)


def rival_way(way: Way, prefix: str) -> Way:
    """The same way between the topics of a rival."""
    queues = {team: renamed(topic, prefix) for team, topic in way.queues.items()}
    return replace(way, reports=renamed(way.reports, prefix), queues=queues)


def make_topics(field: Field, region: RegionConfig, way: Way, prefix: str) -> None:
    """All that a rival reads and writes, set as ours are."""
    admin.apply(field.admin, _creates(region, way, prefix))


def _creates(region: RegionConfig, way: Way, prefix: str) -> Iterator[admin.Create]:
    receivers = [found.id for found in region.directory.own()]
    for want in specs.wanted(
        sources=[way.source.id], receivers=receivers, regions=[region.name], replication=1, min_insync=1
    ):
        yield admin.Create(
            topic=renamed(want.name, prefix),
            partitions=want.partitions,
            replication=want.replication,
            config=want.config,
        )
