"""What every benchmark stands on: what a process costs, how fast the machine is just now, and topics for rivals."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from agents.policy.region import RegionConfig
from pipeline.bench import Line, Way
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


class Spent:
    """Processor seconds of some processes since now. A context manager; ``per_1000`` after it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {**pids, "bench": os.getpid()}
        self._spent: dict[str, float] = {}

    def __enter__(self) -> "Spent":
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self._spent = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}

    def per_1000(self, reports: int) -> dict[str, float]:
        """Processor seconds per 1,000 reports, by process."""
        return {name: round(seconds / max(reports, 1) * 1000, 3) for name, seconds in self._spent.items()}


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
    receivers = [found.id for found in region.directory.receivers]
    for want in specs.wanted(
        sources=[way.source.id], receivers=receivers, regions=[region.name], replication=1, min_insync=1
    ):
        yield admin.Create(
            topic=renamed(want.name, prefix),
            partitions=want.partitions,
            replication=want.replication,
            config=want.config,
        )
