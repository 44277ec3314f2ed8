"""How long a region with a long past stands still when its worker is killed, started again, or drained.

Every figure but those of the drain is the time from the signal (or the start) until the offer of a report that was
published just then can be read: detection, taking over, restoring the book and the first decision, all together. The
whole past is of one region, which the worker that is killed holds; a second region without a past keeps the other
worker busy.
"""

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from agents.stage.saving import SNAPSHOT_EVERY
from pipeline.bench import TRICKLE_PER_S, Line, way_of
from pipeline.past import AFTER_THE_PAST
from tests.bench.ground import FIRST, SECOND, cluster_of, quiet, rss_mib, say, yardstick_ms
from tests.storm.field import CHECKOUT, Field, Worker, wait_for

PATIENCE_S = 600.0
SOME_WHILE_S = 3.0


async def takeover(folder: Path, *, records: int) -> dict[str, Any]:
    """Seconds until the first decision, each way."""
    found: dict[str, Any] = {"journal_records": records}
    with closing(Field(folder)) as field:
        started = time.monotonic()
        write_past(field, records)
        found["past_written_s"] = round(time.monotonic() - started, 1)
        cluster = cluster_of(field)
        field.worker("intake", "a")
        async with (
            Line(cluster, way_of(field.regions[FIRST]), random.Random(1), AFTER_THE_PAST) as first,
            Line(cluster, way_of(field.regions[SECOND]), random.Random(2), AFTER_THE_PAST) as second,
        ):
            speed = yardstick_ms()
            since = time.monotonic()
            workers = [field.worker("region", "a")]
            found["cold_open_s"] = {FIRST: await decided(first, since), SECOND: await decided(second, since)}
            # Its book is being saved now, for the first time and whole.
            since = time.monotonic()
            found["decision_beside_saving_s"] = {
                FIRST: await decided(first, since), SECOND: await decided(second, since)
            }  # fmt: skip
            if records >= SNAPSHOT_EVERY:
                wait_for("the book is saved", lambda: '"book_saved"' in workers[0].log(), PATIENCE_S)
            found["book_saved_s"] = round(time.monotonic() - since, 1)
            found["one_worker_rss_mib"] = rss_mib(workers[0].process.pid)
            workers.append(field.worker("region", "b"))

            victim = await _settled(workers, first, second)
            found["rss_mib"] = {worker.name: rss_mib(worker.process.pid) for worker in workers}
            say("kill -9, another worker takes over")
            since = time.monotonic()
            victim.kill()
            found["killed_other_takes_over_s"] = await decided(first, since)
            victim.start()

            victim = await _settled(workers, first, second)
            say("kill -9, started again at once")
            since = time.monotonic()
            victim.kill()
            victim.start()
            found["killed_restarted_s"] = await decided(first, since)

            victim = await _settled(workers, first, second)
            say("drained")
            found["drained"] = await _drained(victim, first)
            found["yardstick_ms"] = [speed, yardstick_ms()]
    return found


async def decided(line: Line, since: float) -> float:
    """Seconds from ``since`` until the offer of a report that is published now can be read."""
    await line.publish(line.make(1))
    read, last = await line.read(1, quiet, PATIENCE_S)
    if not read:
        raise AssertionError("the region does not decide: see the workers' logs (--keep)")
    return round(last - since, 2)


async def _drained(victim: Worker, line: Line) -> dict[str, float]:
    """Beside a trickle, for its region decides until it is handed over: the longest that a report waited for its offer,
    and after how long the worker was gone."""
    since, gone = time.monotonic(), 0.0
    victim.process.send_signal(signal.SIGUSR1)

    def is_over() -> bool:
        nonlocal gone
        gone = gone or (0.0 if victim.running else time.monotonic())
        return gone > 0 and time.monotonic() - gone > SOME_WHILE_S

    waits = await line.trickle(line.make(int(TRICKLE_PER_S * PATIENCE_S)), quiet, is_over)
    return {"longest_wait_s": round(max(waits) / 1000, 2), "gone_after_s": round(gone - since, 2)}


def holders(workers: list[Worker]) -> dict[str, Worker]:
    """Region -> the worker that opened it last, by what the workers logged."""
    opened = [
        (said["at"], said["region"], worker)
        for worker in workers
        for line in worker.log().splitlines()
        if '"region_opened"' in line and (said := json.loads(line))
    ]
    return {region: worker for _, region, worker in sorted(opened, key=lambda one: one[0])}


async def _settled(workers: list[Worker], *lines: Line) -> Worker:
    """Each worker holds one region, and both regions decide; the holder of the first."""

    def each_has_one() -> bool:
        return len(set(map(id, holders(workers).values()))) == len(workers)

    wait_for("each worker has a region", each_has_one, PATIENCE_S)
    for line in lines * 2:
        await decided(line, time.monotonic())
    return holders(workers)[FIRST]


def write_past(field: Field, records: int) -> None:
    """In a process of its own: what it remembers goes with it."""
    say(f"a past of {records} journal records")
    command = [sys.executable, "-m", "pipeline.past", FIRST, field.broker.bootstrap]
    done = subprocess.run([*command, str(field.regions_folder), str(records)], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise AssertionError("the past could not be written")
