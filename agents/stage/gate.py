"""When a deadline may fire: once every answer that came before it has been read (invariant 10).

An answer lies on its receiver's topic, then on the desk, then in the journal, and what brings it from one to the
next may be down. So a deadline that is due waits for marks that do not move: where the answers' topics ended at one
moment after it, and where the desk ended once intake had brought over what lay before those. Answers that keep
coming are behind the marks, and hold up nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

Marks = Mapping[TopicPartition, int]

ASK_EVERY_S = 0.1
SHARE = 5
"""Where there are a thousand receivers the asking takes its time: it gets no more than a fifth of all time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a gate asks of the broker."""

    answers_end: Callable[[tuple[str, ...]], Awaitable[Marks]]
    """Where these topics end now."""
    still_unread: Callable[[Marks], Awaitable[Marks]]
    """Those of the marks before which something lies that intake has not brought over."""
    desk_end: Callable[[], Awaitable[int]]
    monotonic: Callable[[], float]


class Gate:
    """The gate of one region."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._at: int | None = None
        """The moment (broker time, ms) up to which what is due may fire when the marks are passed."""
        self._marks: Marks = {}
        self._desk: int | None = None
        self._again = 0.0

    async def passed(self, due: int, now: int, desk_read: int, topics: tuple[str, ...]) -> int | None:
        """The moment up to which what is due may fire, None while something before it may be unread.

        ``due`` is the earliest deadline and ``now`` the broker's time, at least ``due``; the desk is decided up to
        ``desk_read``; answers come on ``topics``. What falls due after the moment asks anew.
        """
        if self._at is not None and self._at < due:
            self._at = self._desk = None
        asked = self._asks.monotonic()
        if self._desk is None and asked >= self._again:
            if self._at is None:
                # The moment is taken before the marks: whatever came before it lies before them.
                self._marks = await self._asks.answers_end(topics)
                self._at = now
            self._marks = await self._asks.still_unread(self._marks)
            if not self._marks:
                self._desk = await self._asks.desk_end()
            self._again = asked + max(ASK_EVERY_S, SHARE * (self._asks.monotonic() - asked))
        if self._at is None or self._desk is None or desk_read < self._desk:
            return None
        at, self._at, self._desk = self._at, None, None
        return at
