"""When a deadline may fire: only after every answer that came before it has been read (invariant 10)."""

from types import SimpleNamespace
from typing import Any

from agents.stage.clock import BrokerClock
from agents.stage.lane import Lane
from agents.stage.loop import GATE_EVERY_S, Region, Tools
from topics.cluster import Cluster
from topics.journal import DESK, INBOX


class Asked:
    """What the stage asks of the broker: where the desk ends, None while an answer is still on its way."""

    def __init__(self) -> None:
        self.end: int | None = 0
        self.times = 0
        self.seconds = 100.0

    async def desk_end(self, *_: Any) -> int | None:
        self.times += 1
        return self.end


def _region(asked: Asked, due: int) -> tuple[Region, SimpleNamespace]:
    clock = BrokerClock()
    clock.observe(1_000_000, 100.0)
    tools = Tools(
        cluster=Cluster(bootstrap="nowhere:1"),
        group="g",
        clock=clock,
        desk_end=asked.desk_end,
        lane_ends=asked.desk_end,  # type: ignore[arg-type]
        journal_records=asked.desk_end,  # type: ignore[arg-type]
        pause=lambda *_: None,
        resume=lambda *_: None,
        monotonic=lambda: asked.seconds,
    )
    region = Region("r", 0, lambda: None, tools)  # type: ignore[arg-type, return-value]
    writer = SimpleNamespace(due=lambda: writer.at, at=due, answers_from=lambda: ("answers",))
    region.writer = writer  # type: ignore[assignment]
    region._lanes = {DESK: Lane(0), INBOX: Lane(0)}
    return region, writer


async def test_what_is_due_fires_by_the_moment_at_which_the_desk_s_end_was_asked_for():
    asked = Asked()
    region, _ = _region(asked, due=999_000)

    assert await region._may_fire() == 1_000_000


async def test_nothing_fires_before_it_is_due():
    asked = Asked()
    region, _ = _region(asked, due=1_000_001)

    assert await region._may_fire() is None
    assert asked.times == 0


async def test_nothing_fires_while_an_answer_is_on_its_way_or_unread_on_the_desk():
    asked = Asked()
    region, _ = _region(asked, due=999_000)

    asked.end = None
    assert await region._may_fire() is None
    asked.end, asked.seconds = 1, asked.seconds + 2 * GATE_EVERY_S
    assert await region._may_fire() is None
    # When the desk has been read so far
    region._lanes[DESK].expected = 1

    assert await region._may_fire() is not None


async def test_the_end_that_was_asked_for_one_deadline_lets_no_later_one_fire():
    # Given a deadline that is due while its answer lies unread on the desk
    asked = Asked()
    region, writer = _region(asked, due=999_000)
    asked.end = 1
    assert await region._may_fire() is None
    # When the answer was read and has ended it, and another falls due later while an answer is on its way
    region._lanes[DESK].expected = 1
    writer.at = 1_005_000
    assert await region._may_fire() is None
    asked.seconds += 6
    asked.end = None

    # Then that one waits for its own answer
    assert await region._may_fire() is None
    assert asked.times == 2
