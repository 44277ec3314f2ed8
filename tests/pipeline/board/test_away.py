"""The broker goes away and comes back: what was not confirmed is said, and nothing is lost silently."""

import random
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from kafka import KafkaConsumer

from tests.pipeline.board.ground import SOURCE, Board, started
from tests.storm.field import a_field, a_plain_report, wait_for
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """One whose broker may be stopped."""
    for field in a_field(tmp_path):
        yield from started(field, tmp_path)


def test_what_the_broker_does_not_confirm_is_answered_with_503_and_what_it_does_is_there(board: Board):
    # Given a board that has published, and a person at a screen
    police, person = board.machine(SOURCE), board.person("beoordelaar-1.bz")
    chance = random.Random(503)
    first = a_plain_report(chance)
    assert police.post("/v1/meldingen", json=first, timeout=30).status_code == 202
    assert not away(person)

    # When the broker hangs
    board.field.broker.pause()
    report = a_plain_report(chance)
    answer = police.post("/v1/meldingen", json=report, timeout=60)

    # Then the sender is told to come again, and the screen that it is of before
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert report["report_id"] not in answer.text
    wait_for("the screen says so", lambda: away(person), 30)

    # When it is back, the same goes in
    board.field.broker.resume()
    wait_for("taken in", lambda: police.post("/v1/meldingen", json=report, timeout=60).status_code == 202, 60)
    wait_for("connected", lambda: not away(person), 30)
    assert {first["report_id"], report["report_id"]} <= published(board)


def away(person: httpx2.Client) -> bool:
    """Whether the bar of a screen says that the board is not connected."""
    bar = re.search(r'id="state-text"[^>]*>([^<]*)', person.get("/stroom").text)
    assert bar is not None
    return "Verbinding weg" in bar[1]


def published(board: Board) -> set[str]:
    """The report ids on the source's topic."""
    with closing(
        KafkaConsumer(
            specs.REPORTS.topic(SOURCE), bootstrap_servers=board.field.broker.bootstrap,
            auto_offset_reset="earliest", consumer_timeout_ms=3000,
        )
    ) as consumer:  # fmt: skip
        return {record.key.decode() for record in consumer}
