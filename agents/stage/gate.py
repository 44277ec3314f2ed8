"""When a deadline may fire: once every answer that came before it has been read (invariant 10).

An answer lies on its receiver's topic, then on the desk, then in the journal, and what brings it from one to the
next may be down. So a deadline that is due waits for marks that do not move: where the answers' topics ended at one
moment after it, and where the desk ended once intake had brought over what lay before those. Answers that keep
coming are behind the marks, and hold up nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

Marks = Mapping[TopicPartition, int]

LONGEST_PAUSE = 8
"""Where there are a thousand receivers an asking takes its time. After it comes a pause of half that time, and a longer
one each time what was asked for is still unread, up to so many times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a gate asks of the broker."""

    answers_end: Callable[[tuple[str, ...]], Awaitable[Marks]]
    """Where these topics end now."""
    still_unread: Callable[[Marks], Awaitable[Marks]]
    """Those of the marks before which something lies that intake has not brought over."""
    desk_end: Callable[[], Awaitable[int]]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the broker has said so far."""

    at: int
    """The moment (broker time, ms) up to which what is due may fire when the marks are passed."""
    marks: Marks | None = None
    desk: int | None = None
    asked: int = 0
    """How often."""


class Gate:
    """The gate of one region. It asks beside the region's own work: what waits there does not wait for the broker."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._known: _Known | None = None
        self._asking: asyncio.Task[_Known] | None = None
        self._again = 0.0

    def passed(self, due: int, now: int, desk_read: int, topics: tuple[str, ...]) -> int | None:
        """The moment up to which what is due may fire, None while something before it may be unread.

        ``due`` is the earliest deadline and ``now`` the broker's time, at least ``due``; the desk is decided up to
        ``desk_read``; answers come on ``topics``. What falls due after the moment asks anew. Raises what an asking
        that has ended met.
        """
        if self._asking is not None and self._asking.done():
            asking, self._asking = self._asking, None
            self._known = asking.result()
        if self._asking is not None:
            return None
        if self._known is not None and self._known.at < due:
            self._known = None
        if self._known is None or self._known.desk is None:
            if self._asks.monotonic() >= self._again:
                # The moment is taken before the marks: whatever came before it lies before them.
                self._asking = asyncio.create_task(self._ask(self._known or _Known(now), topics))
                self._asking.add_done_callback(_heard)
            return None
        if desk_read < self._known.desk:
            return None
        at, self._known = self._known.at, None
        return at

    def close(self) -> None:
        """Forget what was asked."""
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self._known = None

    async def _ask(self, known: _Known, topics: tuple[str, ...]) -> _Known:
        asked = self._asks.monotonic()
        marks = await self._asks.answers_end(topics) if known.marks is None else known.marks
        marks = await self._asks.still_unread(marks)
        desk = None if marks else await self._asks.desk_end()
        now = self._asks.monotonic()
        self._again = now + (now - asked) * min(known.asked + 0.5, LONGEST_PAUSE)
        return _Known(known.at, marks, desk, known.asked + 1)


def _heard(asking: asyncio.Task[_Known]) -> None:
    """What a closed gate's asking met interests nobody; asyncio would print it."""
    if not asking.cancelled():
        asking.exception()
