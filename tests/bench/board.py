"""How fast the board shows many open cases, and what people who watch it cost the routing of reports."""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, contextmanager
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
                async with _watching(shown, watchers) as fetched:
                    with Spent(field, board=shown.process.pid) as watched:
                        beside = await line.trickle(line.make(trickle), quiet)
            found["alone"] = {**waited(waits), **alone.plain(len(waits))}
            found["watched"] = {**waited(beside), **watched.plain(len(beside)), "fetched": fetched[0]}
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


@asynccontextmanager
async def _watching(shown: Board, count: int) -> AsyncIterator[list[int]]:
    """So many people at a screen, each signed in, who hear of changes and fetch, as their browsers do."""
    fetched = [0]
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    person = shown.person(PERSON)
    cookies = dict(person.cookies)
    async with httpx2.AsyncClient(base_url=shown.url, cookies=cookies, limits=limits, timeout=60) as client:
        tasks = [asyncio.create_task(_watch(client, number, fetched)) for number in range(count)]
        await asyncio.sleep(OFTEN_S)
        try:
            yield fetched
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(client: httpx2.AsyncClient, number: int, fetched: list[int]) -> None:
    path = ("/stroom", "/verzonden", "/mij")[number % 3]
    version, last = None, 0.0
    async with client.stream("GET", "/gebeurtenissen") as events:
        async for line in events.aiter_lines():
            if not line.startswith("data: {"):
                continue
            now = orjson.loads(line.removeprefix("data: "))["version"]
            if now != version and time.monotonic() - last > OFTEN_S:
                last, version = time.monotonic(), now
                await client.get(path, headers={"X-Fragment": "1"})
                fetched[0] += 1
