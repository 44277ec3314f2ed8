"""Where the time goes: the real workers under py-spy while a backlog is worked off; without py-spy, cProfile of the
pure part (``bring`` and ``decide``) in this process."""

import cProfile
import os
import pstats
import random
import subprocess
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from agents.casework.writer import CaseworkWriter
from agents.intake.decide import bring, registry
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from pipeline.bench import Line, make, way_of
from tests.bench.ground import FIRST, cluster_of, quiet, say, warmed
from tests.bench.rivals import BENCH_PACKAGES
from tests.storm.field import REGIONS, Field
from topics import journal as j

PY_SPY = BENCH_PACKAGES / "bin" / "py-spy"
SAMPLES_PER_S = 200
TOP = 40


async def profile(folder: Path, *, reports: int) -> dict[str, Any]:
    """Of each worker: the share of the time (%) in each function itself, and in it with all that it calls."""
    if not PY_SPY.exists():
        say("py-spy is not there: the pure part alone, by cProfile")
        return {"pure": pure(reports)}
    with closing(Field(folder)) as field:
        pids = {role: field.worker(role, "a").process.pid for role in ("intake", "region")}
        async with Line(cluster_of(field), way_of(field.regions[FIRST]), random.Random(1)) as line:
            await warmed(line)
            made = line.make(reports)
            spies = {role: _spy(pid, folder / f"{role}.stacks") for role, pid in pids.items()}
            await line.backlog(made, quiet)
            for spy in spies.values():
                spy.send_signal(2)
                spy.wait(60)
    return {role: shares((folder / f"{role}.stacks").read_text()) for role in pids}


def _spy(pid: int, output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            str(PY_SPY),
            "record",
            "--pid",
            str(pid),
            "--rate",
            str(SAMPLES_PER_S),
            "--format",
            "raw",
            "--output",
            str(output),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def shares(stacks: str) -> dict[str, dict[str, float]]:
    """From lines of ``outer;inner count``: per function its own share of all work, and with what it calls, %."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        if "selectors.py" in stack.rpartition(";")[2]:
            continue  # it waits: on a busy machine py-spy takes that for work
        # Lines of one function are one: ``name (file.py:12)``.
        frames = [frame.rpartition(":")[0] + ")" if ":" in frame else frame for frame in stack.split(";")]
        own[frames[-1]] += int(count)
        for frame in set(frames):
            whole[frame] += int(count)
    total = max(sum(own.values()), 1)
    return {
        name: {frame: round(100 * count / total, 1) for frame, count in counted.most_common(TOP)}
        for name, counted in (("itself", own), ("with_calls", whole))
    }


def pure(reports: int) -> dict[str, Any]:
    """Microseconds a report in ``bring`` and in ``decide``, and the functions that take most of it (ms a 1,000)."""
    regions = load_regions(REGIONS, development=True)
    way, known, now = way_of(regions[FIRST]), registry(regions), int(time.time() * 1000)
    writer = CaseworkWriter(regions[FIRST], os.urandom, lambda record, book: None)
    writer.committed(range(len(writer.begin(now))))
    found: dict[str, Any] = {}
    lanes: list[bytes] = []
    published = [
        Arrived(way.reports, 0, number, now, made.key, made.value, tuple(made.headers))
        for number, made in enumerate(make(way, random.Random(1), range(reports)))
    ]

    def brought() -> None:
        for number, record in enumerate(published):
            lanes.append(j.encode_lane(bring(record, known, str(UUID(int=number)), os.urandom).message))

    def decided() -> None:
        for number, lane in enumerate(lanes):
            writer.decide(j.INBOX, Arrived("inbox", 0, number, now, None, lane, ()))
            writer.committed([writer.book.seq - 1])

    for name, job in (("bring", brought), ("decide", decided)):
        profiler = cProfile.Profile()
        started = time.perf_counter()
        profiler.runcall(job)
        found[name] = {"us_a_report_profiled": round((time.perf_counter() - started) / reports * 1e6)}
        stats: Any = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
        top = sorted(stats.items(), key=lambda one: -one[1][2])[:TOP]
        found[name]["itself"] = {
            f"{function} ({Path(file).name})": round(itself / reports * 1e6, 2)
            for (file, _, function), (_, _, itself, _, _) in top
        }
    return found
