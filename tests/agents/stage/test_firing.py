"""How what is due gets fired: beside a desk and an inbox that wait, and by the marks of its own moment."""

import asyncio
from types import SimpleNamespace
from typing import Any

from agents.stage.clock import BrokerClock
from agents.stage.lane import Lane
from agents.stage.loop import BATCH_COUNT, Batch, Region
from agents.stage.writer import Outgoing
from topics.journal import DESK

NOW = 1_000


class Due:
    """A writer with steps that fall due at these moments; one record fires one of them."""

    def __init__(self, *dues: int) -> None:
        self.dues = list(dues)

    def due(self) -> int | None:
        return min(self.dues, default=None)

    def answers_from(self) -> tuple[str, ...]:
        return ("answers",)

    def tick(self, now: int, until: int) -> list[Outgoing]:
        due = min(self.dues)
        assert due <= until
        self.dues.remove(due)
        return [Outgoing("journal", None, str(due).encode())]


class Asked:
    """A region whose gate finds no answer unread, and how often it asked."""

    def __init__(self, writer: Due) -> None:
        clock = BrokerClock()
        clock.observe(NOW, 0.0)
        self.times = 0
        tools = SimpleNamespace(
            answers_end=self._nothing,
            still_unread=self._nothing,
            lane_ends=self._no_lanes,
            monotonic=lambda: 0.0,
            clock=clock,
        )
        self.region = Region("r", 0, lambda: None, tools)  # type: ignore[arg-type, return-value]
        self.region.writer = writer  # type: ignore[assignment]
        self.region._lanes = {DESK: Lane(0)}

    async def _nothing(self, *_: Any) -> dict[Any, int]:
        self.times += 1
        return {}

    async def _no_lanes(self, _: int) -> dict[str, int]:
        return {DESK: 0}

    async def fired(self, room: int = BATCH_COUNT) -> list[int]:
        """What fires in the next two batches: the first may have to ask."""
        found = Batch()
        await self.region._fire_due(found, room)
        await asyncio.sleep(0)
        await self.region._fire_due(found, room)
        return [int(out.value or b"") for out in found.outgoing]


async def test_what_is_due_at_one_moment_fires_in_one_batch_after_one_asking():
    asked = Asked(Due(100, 300, 200, NOW + 1))

    assert await asked.fired() == [100, 200, 300]
    assert asked.times == 2  # where the answers end, and what of them is unread


async def test_what_falls_due_after_the_marks_were_noted_asks_for_its_own():
    writer = Due(100)
    asked = Asked(writer)
    assert await asked.fired() == [100]

    writer.dues.append(900)
    await asked.region._fire_due(Batch(), BATCH_COUNT)

    assert asked.times == 2
    assert writer.dues == [900]


async def test_inputs_that_run_singly_leave_room_for_one():
    asked = Asked(Due(100, 200))

    assert await asked.fired(room=1) == [100]
