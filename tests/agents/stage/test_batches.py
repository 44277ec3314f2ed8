"""How long a batch goes on: shortly while somebody waits for its end, longer while nobody does. On a clock of ours."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.stage.clock import BrokerClock
from agents.stage.lane import Arrived, Lane
from agents.stage.loop import ALONE_S, BATCH_COUNT, BATCH_S, BESIDE_S, Batch, Region, Tools
from agents.stage.takeover import DESK, INBOX, LANES
from agents.stage.writer import Outgoing, Writer

EACH_S = 0.005
"""One decision takes so long."""


class Deciding:
    """A writer that takes its time, and to whom something may happen meanwhile."""

    def __init__(self, clock: list[float], meanwhile: Callable[[int], None]) -> None:
        self._clock, self._meanwhile, self.count = clock, meanwhile, 0

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        self._clock[0] += EACH_S
        self.count += 1
        self._meanwhile(self.count)
        return [Outgoing("t", b"k", b"v")]

    def due(self) -> None:
        return None


def records(lane: str, offsets: Iterable[int]) -> list[Arrived]:
    return [Arrived(LANES[lane], 0, offset, 1_000, b"r", b"{}", ()) for offset in offsets]


async def decided(others: Callable[[int], bool], desk: int = 0, desk_at: int | None = None, inbox: int = 500) -> int:
    """How many records of the inbox a batch took; ``desk``: so many answers lie there, ``desk_at``: one comes then."""
    clock = [100.0]
    count = SimpleNamespace(now=0)

    def meanwhile(number: int) -> None:
        count.now = number
        if number == desk_at:
            region._lanes[DESK].offer(records(DESK, [desk])[0])

    async def nothing(*_: Any) -> Any:
        return {}

    tools = Tools(
        cluster=cast(Any, None), group="g", clock=BrokerClock(), answers_end=nothing, still_unread=nothing,
        lane_ends=nothing, journal_records=nothing, others_wait=lambda _: others(count.now),
        pause=lambda *_: None, resume=lambda *_: None, monotonic=lambda: clock[0],
    )  # fmt: skip
    region = Region("r", 0, lambda: cast(Writer, None), tools)
    writer = Deciding(clock, meanwhile)
    region.writer = cast(Writer, writer)
    region._lanes = {DESK: Lane(0), INBOX: Lane(0)}
    region._lanes[DESK].waiting.extend(records(DESK, range(desk)))
    region._lanes[INBOX].waiting.extend(records(INBOX, range(inbox)))
    batch = Batch()
    await region._decide_batch(batch, clock[0])
    assert batch.count == writer.count
    return writer.count - desk


def about(seconds: float) -> Any:
    return pytest.approx(seconds / EACH_S, abs=1)


async def test_while_another_region_waits_a_batch_is_short():
    assert await decided(others=lambda _: True) == about(BATCH_S)


async def test_alone_it_goes_on():
    assert await decided(others=lambda _: False) == about(BATCH_S + ALONE_S)
    assert await decided(others=lambda _: False, inbox=7) == 7
    assert BATCH_COUNT * EACH_S > BATCH_S + ALONE_S


async def test_it_ends_as_soon_as_somebody_waits():
    assert await decided(others=lambda number: number >= 20) == 20
    assert await decided(others=lambda _: False, desk_at=20) == 20
    # What comes before its time is up shortens nothing
    assert await decided(others=lambda number: 2 <= number < 5) == about(BATCH_S + ALONE_S)


async def test_beside_answers_the_inbox_gets_its_short_time_alone():
    assert await decided(others=lambda _: False, desk=3) == about(BESIDE_S)
