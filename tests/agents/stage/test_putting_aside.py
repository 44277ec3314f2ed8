"""What becomes of an input that cannot be decided, and of its region."""

from types import SimpleNamespace
from typing import Any

import pytest

from agents.stage.clock import BrokerClock
from agents.stage.lane import Arrived
from agents.stage.loop import UNDECIDABLE_IN_A_ROW, Region
from agents.stage.takeover import RegionStopped
from agents.stage.writer import Outgoing
from topics.journal import INBOX

RECORD = Arrived("inbox", 0, 7, 0, None, b"{}", ())
ASIDE = [Outgoing("journal", None, b"put aside")]


class Failing:
    """A writer that can decide nothing; ``how`` it fails, and how many inputs in a row it has put aside so far."""

    def __init__(self, how: Exception, in_a_row: int = 0, *, also_aside: bool = False) -> None:
        self._how, self._in_a_row, self._also_aside = how, in_a_row, also_aside

    def decide(self, *_: Any) -> list[Outgoing]:
        raise self._how

    def due(self) -> int:
        return 0

    def answers_from(self) -> tuple[str, ...]:
        raise self._how

    def put_aside_in_a_row(self) -> int:
        return self._in_a_row

    def undecidable(self, *_: Any) -> list[Outgoing]:
        if self._also_aside:
            raise self._how
        return ASIDE


def a_region(writer: Failing) -> Region:
    clock = BrokerClock()
    clock.observe(1_000, 0.0)
    tools = SimpleNamespace(answers_end=None, still_unread=None, monotonic=lambda: 0.0, clock=clock)  # asks no broker
    region = Region("r", 0, lambda: None, tools)  # type: ignore[arg-type, return-value]
    region.writer = writer  # type: ignore[assignment]
    return region


async def test_the_twentieth_in_a_row_is_put_aside_and_the_next_stops_its_region():
    last = a_region(Failing(ValueError(), UNDECIDABLE_IN_A_ROW - 1))
    assert await last._decide(INBOX, RECORD) == ASIDE

    over = a_region(Failing(ValueError(), UNDECIDABLE_IN_A_ROW))
    with pytest.raises(RegionStopped, match="more than 20 inputs in a row could not be decided: ValueError"):
        await over._decide(INBOX, RECORD)


async def test_an_input_that_cannot_even_be_put_aside_stops_its_region_and_not_the_worker():
    region = a_region(Failing(ValueError("a name"), also_aside=True))

    with pytest.raises(RegionStopped, match=r"^an input cannot even be put aside: ValueError$"):
        await region._decide(INBOX, RECORD)


async def test_a_failing_machine_says_nothing_about_the_input():
    region = a_region(Failing(ConnectionResetError()))

    with pytest.raises(ConnectionResetError):
        await region._decide(INBOX, RECORD)


def test_a_deadline_of_which_not_even_the_answers_can_be_named_stops_its_region_and_not_the_worker():
    region = a_region(Failing(KeyError("a name")))

    with pytest.raises(RegionStopped, match=r"^a deadline could not be decided: KeyError$"):
        region._may_fire()
