"""A receiver's messages, each once, into files or to a URL. With a real server at the other end."""

import base64
import json
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.receiving import Busy, Message, Taken, into, posted_to, signed
from topics import specs

OFFER = Message(id="7f0c", type=specs.OFFER_TYPE, plain={"id": "7f0c", "data": {"handover_id": "h", "content": "Jörg"}})


@contextmanager
def a_server(*answers: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Answers with these codes, one after the other; what it got."""
    got: list[tuple[str, bytes]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Content-Type"], body))
            self.send_response(left.pop(0))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/zaken", got
    finally:
        server.shutdown()
        server.server_close()


def test_a_file_for_each_message_is_whole_and_its_owner_s_alone(tmp_path: Path):
    where = Path(into(tmp_path)(OFFER))

    assert json.loads(where.read_bytes()) == OFFER.plain
    assert stat.S_IMODE(where.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["7f0c.json"]
    # The same again is the same file
    assert Path(into(tmp_path)(OFFER)) == where


def test_what_is_not_taken_is_tried_again_later_each_time_and_told_once():
    waits: list[float] = []
    told: list[str] = []
    with a_server(503, 400, 500, 202) as (url, got):
        where = posted_to(url, waits.append, told.append)(OFFER)

    assert where == f"{url} 202"
    assert waits == [1.0, 2.0, 4.0]
    assert told == ["503"]
    assert len(got) == 4
    assert set(got) == {("application/cloudevents+json; charset=utf-8", OFFER.encode())}


def test_a_wait_is_never_longer_than_a_minute_and_a_server_that_is_not_there_is_waited_for():
    with a_server() as (url, _):
        pass
    waits: list[float] = []
    told: list[str] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        posted_to(url, sleep, told.append)(OFFER)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert told == ["ConnectionRefusedError"]


def test_what_was_taken_in_is_known_after_a_restart(tmp_path: Path):
    with Taken(tmp_path / ".postvak.sqlite") as taken:
        assert "7f0c" not in taken
        taken.add("7f0c")
        taken.add("7f0c")
    with Taken(tmp_path / ".postvak.sqlite") as taken:
        assert "7f0c" in taken
        assert "7f0d" not in taken


def test_two_never_receive_into_one_place(tmp_path: Path):
    with Taken(tmp_path / ".postvak.sqlite"), pytest.raises(Busy), Taken(tmp_path / ".postvak.sqlite"):
        pass
    with Taken(tmp_path / ".postvak.sqlite"):
        pass


def test_a_signature_is_that_of_the_standards_own_example():
    # The example of the Standard Webhooks libraries: https://www.standardwebhooks.com
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secret)

    assert found["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331, b'{"test": 2432232314}', secret) != found


def test_what_was_taken_in_since_a_moment_can_come_once_more(tmp_path: Path):
    with Taken(tmp_path / "t.sqlite") as taken:
        taken.add("a")
        taken.forget(time.time() + 60)
        assert "a" in taken
        taken.forget(time.time() - 60)
        assert "a" not in taken
