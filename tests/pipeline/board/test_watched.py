"""The board notices that the watchdog is silent: a real page of metrics, and a clock of ours."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.board import watched
from pipeline.board.watched import SILENT_S, Watchdog

BEGAN = 1_000.0


@pytest.fixture
def metrics() -> Iterator[tuple[str, list[float]]]:
    """The page of a watchdog, and when it says that it looked last."""
    looked = [0.0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                f"# TYPE meldstroom_watchdog_last_round_seconds gauge\n{watched.HEARTBEAT} {looked[0]}\n".encode()
            )

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/metrics", looked
    server.shutdown()


async def once(dog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it look one time."""

    async def enough(_: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("pipeline.board.watched.asyncio.sleep", enough)
    with suppress(asyncio.CancelledError):
        await dog.run()


async def test_a_watchdog_that_has_not_looked_for_a_minute_is_silent(
    metrics: tuple[str, list[float]], monkeypatch: pytest.MonkeyPatch
):
    url, looked = metrics
    dog = Watchdog(url, BEGAN)
    assert not dog.silent(BEGAN + SILENT_S)
    assert dog.silent(BEGAN + SILENT_S + 1)

    looked[0] = BEGAN + 100
    await once(dog, monkeypatch)
    assert not dog.silent(BEGAN + 100 + SILENT_S)
    assert dog.silent(BEGAN + 101 + SILENT_S)


async def test_one_that_cannot_be_reached_becomes_silent_and_none_never(monkeypatch: pytest.MonkeyPatch):
    gone = Watchdog("http://127.0.0.1:9/metrics", BEGAN)
    await once(gone, monkeypatch)
    assert gone.silent(BEGAN + SILENT_S + 1)

    nowhere = Watchdog(None, BEGAN)
    await nowhere.run()
    assert not nowhere.silent(BEGAN + 10 * SILENT_S)
