"""Does this worker get on? If not it ends, and its supervisor starts it again: silence is the worst that can happen.

Kafka's client has stood still for good after a broker came back, without an error and with its heartbeats going.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("watchdog")

LIMIT_S = 60.0
CHECK_S = 1.0


@dataclass(slots=True)
class Watchdog:
    """What has not moved for ``limit_s`` seconds although something lies there. Pure."""

    limit_s: float = LIMIT_S
    _moved: dict[str, tuple[int, float]] = field(default_factory=dict)
    """What -> how far it was done, and since when (monotonic s)."""
    _unassigned_since: float | None = None
    _seen_at: float = 0.0

    def see(self, now_s: float, assigned: bool, places: Mapping[str, tuple[int, int]]) -> str | None:
        """Look at how far everything is: what -> (done, end). Why the worker must end, None while it gets on."""
        if now_s - self._seen_at > self.limit_s / 2:
            # Nobody could look (the broker was away): what stood still in that time had no chance to move.
            self._moved, self._unassigned_since = {}, None
        self._seen_at = now_s
        if assigned:
            self._unassigned_since = None
        elif self._unassigned_since is None:
            self._unassigned_since = now_s
        elif now_s - self._unassigned_since >= self.limit_s:
            return "no assignment"
        before, self._moved = self._moved, {}
        for what, (done, end) in places.items():
            was, since = before.get(what, (done, now_s))
            if done >= end or done != was:
                since = now_s
            elif now_s - since >= self.limit_s:
                return f"{what}: no progress"
            self._moved[what] = (done, since)
        return None


class LoopGuard:
    """Ends the process when its event loop has stood still for ``limit_s``: nothing inside it could any more.

    A frozen loop keeps its partitions, for the client's heartbeats have a thread of their own.
    """

    def __init__(self, limit_s: float, end: Callable[[], None]) -> None:
        self._limit_s, self._end = limit_s, end
        self._alive_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-guard", daemon=True)

    def start(self) -> None:
        """From now on ``alive`` must be called more often than the limit."""
        self._thread.start()

    def alive(self) -> None:
        """The loop got its turn."""
        self._alive_at = time.monotonic()

    def stop(self) -> None:
        """Nobody watches any more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(CHECK_S):
            if time.monotonic() - self._alive_at > self._limit_s:
                # A whole process that was paused comes back here first: its loop gets one more chance.
                seen = self._alive_at
                if self._stopped.wait(CHECK_S) or self._alive_at != seen:
                    continue
                log.critical("loop_frozen", pid=os.getpid(), seconds=int(self._limit_s))
                self._end()
                return
