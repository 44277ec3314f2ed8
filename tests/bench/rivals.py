"""The same backlog, the same broker, the same minute: ours, a bare loop, and the same rules on Quix Streams.

Of each way: its workers are started, some 300 reports warm them, then the backlog. Reports are made before; the
clock starts with the first publish, alike for all, and stops when the last offer can be read. In each round every way
gets its turn, so that what warms Java or slows the machine meets all of them; the last round is the warmest.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.bench import Line, Way, way_of
from tests.bench.ground import (
    FIRST,
    Spent,
    cluster_of,
    make_topics,
    quiet,
    rival_way,
    say,
    warmed,
)
from tests.storm.field import CHECKOUT, Field

BENCH_PACKAGES = CHECKOUT / ".venv-bench"
COMMIT_S = 0.5
"""Of Quix: see ``quix.py``."""
ROOM = 1_000_000
"""Households of one turn: the book remembers those of the turns before."""


@dataclass
class Rival:
    """One way through, and the processes that make it."""

    name: str
    way: Way
    start: Callable[[], dict[str, Any]]
    """Role -> a process, started."""
    first: int = 0


async def rivals(folder: Path, *, reports: int, rounds: int, names: list[str], commit_s: float) -> list[dict[str, Any]]:
    """The figures of each way in each round."""
    found: list[dict[str, Any]] = []
    with closing(Field(folder)) as field:
        ways = [_rival(field, name, commit_s) for name in names if _can(name)]
        for number in range(1, rounds + 1):
            for rival in ways:
                say(f"round {number}: {rival.name}")
                found.append({"way": rival.name, "round": number} | await _turn(field, rival, reports))
    return found


async def _turn(field: Field, rival: Rival, reports: int) -> dict[str, Any]:
    processes = rival.start()
    try:
        async with Line(cluster_of(field), rival.way, random.Random(rival.first), rival.first) as line:
            await warmed(line)
            made = line.make(reports)
            with Spent(field, **{role: process.pid for role, process in processes.items()}) as spent:
                read, took = await line.backlog(made, quiet)
            rival.first += ROOM
            return {
                "reports": read,
                "seconds": round(took, 2),
                "reports_per_s": round(read / took, 1),
                **spent.plain(read),
            }
    finally:
        for process in processes.values():
            _end(process)


def _rival(field: Field, name: str, commit_s: float) -> Rival:
    way = way_of(field.regions[FIRST])
    if name == "meldstroom":
        return Rival(name, way, lambda: {role: field.worker(role, "a").process for role in ("intake", "region")})
    make_topics(field, field.regions[FIRST], way, name)
    more = [str(field.folder / name), str(commit_s)] if name == "quix" else []
    return Rival(
        name, rival_way(way, name), lambda: {role: _start(field, name, role, more) for role in ("intake", "region")}
    )


def _start(field: Field, name: str, role: str, more: list[str]) -> subprocess.Popen[bytes]:
    with (field.folder / f"{name}-{role}.log").open("ab") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                f"tests.bench.{name}",
                role,
                field.broker.bootstrap,
                str(field.regions_folder),
                *more,
            ],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONPATH": str(BENCH_PACKAGES)},
            stdout=log,
            stderr=log,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _can(name: str) -> bool:
    if name == "quix" and not (BENCH_PACKAGES / "quixstreams").is_dir():
        say("Quix Streams is left out: `make bench` installs it in .venv-bench, and could not")
        return False
    return True
