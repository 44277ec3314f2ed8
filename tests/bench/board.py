"""How fast the board shows many open cases, and what people who watch it cost the routing of reports."""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson

from pipeline.bench import Line, way_of
from pipeline.past import AFTER_THE_PAST
from tests.bench.ground import SECOND, Spent, cluster_of, quiet, rss_mib, say, warmed
from tests.bench.latency import waited
from tests.pipeline.board.ground import Board, started
from tests.storm.field import CHECKOUT, Field, wait_for

PERSON = "beoordelaar-1.hm"
SCREENS = ("/verzonden", "/verzonden?alles=1", "/termijnen", "/stroom", "/cijfers")
TIMES = 7
OFTEN_S = 3.0
"""A browser fetches its screen no more often (``static/board.js``)."""


async def board(folder: Path, *, cases: int, watchers: int, trickle: int) -> dict[str, Any]:
    """A region with so many open cases; each screen, and 50 reports a second alone and with people who watch."""
    with closing(Field(folder)) as field:
        say(f"{cases} cases that nobody has answered")
        command = [sys.executable, "-m", "pipeline.past", SECOND, field.broker.bootstrap, str(field.regions_folder)]
        subprocess.run([*command, str(cases), "open"], cwd=CHECKOUT, env=os.environ, check=True)
        field.worker("intake", "a")
        region = field.worker("region", "a")
        wait_for("at work", lambda: region.log().count("region_opened") == 2)
        began = time.monotonic()
        with contextmanager(started)(field, folder) as shown:
            person = shown.person(PERSON)
            wait_for("loaded", lambda: 'data-loaded="true"' in person.get("/stroom").text, 300)
            found: dict[str, Any] = {"cases": cases, "loaded_s": round(time.monotonic() - began, 1)}
            found["screens"] = [_screen(person, path) for path in SCREENS]
            async with Line(cluster_of(field), way_of(field.regions[SECOND]), random.Random(1), AFTER_THE_PAST) as line:
                await warmed(line)
                say("a trickle, nobody watches")
                with Spent(field, board=shown.process.pid) as alone:
                    waits = await line.trickle(line.make(trickle), quiet)
                say(f"a trickle, {watchers} watch")
                with (
                    _watching(shown, watchers) as people,
                    Spent(field, board=shown.process.pid, watchers=people.pid) as watched,
                ):
                    beside = await line.trickle(line.make(trickle), quiet)
            found["alone"] = {**waited(waits), **alone.plain(len(waits))}
            found["watched"] = {**waited(beside), **watched.plain(len(beside))}
            found["watchers"] = watchers
            found["p99_of_alone"] = round(found["watched"]["p99_ms"] / max(found["alone"]["p99_ms"], 1), 2)
            found["board_rss_mib"] = rss_mib(shown.process.pid)
    return found


def _screen(person: httpx2.Client, path: str) -> dict[str, Any]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        page = person.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert page.status_code == 200
    return {
        "path": path,
        "rows": page.text.count("<tr class"),
        "kib": len(page.content) // 1024,
        "half_ms": round(statistics.median(took)),
        "longest_ms": round(max(took)),
    }


@contextmanager
def _watching(shown: Board, count: int) -> Iterator[subprocess.Popen[str]]:
    """So many people at a screen, who hear of changes and fetch, as their browsers do: a process of their own, or what
    they cost here would be told as the pipeline's."""
    cookies = json.dumps(dict(shown.person(PERSON).cookies))
    command = [sys.executable, "-m", "tests.bench.board", shown.url, str(count), cookies]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "all watch\n"
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def _all_watch(url: str, count: int, cookies: dict[str, str]) -> None:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    chance = random.Random(7)
    async with httpx2.AsyncClient(base_url=url, cookies=cookies, limits=limits, timeout=60) as client:
        tasks = [asyncio.create_task(_watch(client, number, chance.uniform(0, OFTEN_S))) for number in range(count)]
        await asyncio.sleep(2 * OFTEN_S)
        print("all watch", flush=True)
        await asyncio.gather(*tasks)


async def _watch(client: httpx2.AsyncClient, number: int, late_s: float) -> None:
    """Nobody opened his screen in the same moment as the others."""
    await asyncio.sleep(late_s)
    path = ("/stroom", "/verzonden", "/mij")[number % 3]
    version, last = None, 0.0
    async with client.stream("GET", "/gebeurtenissen") as events:
        async for line in events.aiter_lines():
            if not line.startswith("data: {"):
                continue
            now = orjson.loads(line.removeprefix("data: "))["version"]
            if now != version and time.monotonic() - last > OFTEN_S:
                last, version = time.monotonic(), now
                (await client.get(path, headers={"X-Fragment": "1"})).raise_for_status()


if __name__ == "__main__":
    asyncio.run(_all_watch(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])))
