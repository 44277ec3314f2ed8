"""How long one report takes when little comes in, and when another region is flooded at the same time."""

import asyncio
import random
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.bench import TRICKLE_PER_S, Line, way_of
from pipeline.demo import percentile
from tests.bench.ground import FIRST, SECOND, Spent, cluster_of, quiet, say, warmed
from tests.storm.field import Field

LONGEST_FLOOD_S = 300


async def latency(folder: Path, *, trickle: int, flood: int) -> list[dict[str, Any]]:
    """50 reports a second in one region: alone, and while the other one gets ``flood`` reports at once."""
    with closing(Field(folder)) as field:
        field.worker("intake", "a")
        field.worker("region", "a")
        cluster = cluster_of(field)
        async with (
            Line(cluster, way_of(field.regions[SECOND]), random.Random(1)) as line,
            Line(cluster, way_of(field.regions[FIRST]), random.Random(2)) as other,
        ):
            await warmed(line)
            await warmed(other)
            say("a trickle alone")
            slowly = line.make(trickle)
            with Spent(field) as alone:
                waits = await line.trickle(slowly, quiet)
            say(f"a trickle while the other region gets {flood}")
            slowly, at_once = line.make(TRICKLE_PER_S * LONGEST_FLOOD_S), other.make(flood)
            with Spent(field) as flooded:
                flooding = asyncio.create_task(other.backlog(at_once, quiet))
                beside = await line.trickle(slowly, quiet, flooding.done)
                read, took = await flooding
    return [
        {"what": "alone", **waited(waits), **alone.plain(len(waits))},
        {
            "what": "other region flooded",
            **waited(beside),
            "flood": read,
            "flood_reports_per_s": round(read / took, 1),
            **flooded.plain(len(beside) + read),
        },
    ]


def waited(waits: list[int]) -> dict[str, int]:
    """How many there were, and p50, p99 and the longest, ms."""
    return {
        "reports": len(waits),
        "p50_ms": percentile(waits, 50),
        "p99_ms": percentile(waits, 99),
        "max_ms": max(waits, default=0),
    }
