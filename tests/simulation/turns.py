"""Taking turns without an event loop: a coroutine goes on when the simulation says so, and stops where it waits.

The product's own coroutines run here as they are. What they await at the bottom is a ``Turn``, which hands back to the
simulation: at a sleep or a wait time may pass, and at every point of a transaction others may go on, or a worker die.
"""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a coroutine stands still: ``sleep`` and ``wait`` (for so many seconds), or a point of a transaction."""

    what: str
    seconds: float = 0.0

    def __await__(self) -> Generator["Turn", None, None]:
        yield self


class Task:
    """A coroutine that is under way."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self.ended = False

    def go(self, error: BaseException | None = None) -> Turn | None:
        """Up to where it stands still next; None when it has ended. With ``error`` that is raised where it stands."""
        try:
            return self._coroutine.send(None) if error is None else self._coroutine.throw(error)
        except StopIteration:
            self.ended = True
            return None
        except BaseException:
            self.ended = True
            raise

    def drop(self) -> None:
        """It goes on no more."""
        self.ended = True
        self._coroutine.close()


def done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives that does not have to wait for anybody."""
    try:
        turn = coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"it waits: {turn}")


class Beside:
    """As ``asyncio.Task``, for what asks the broker and waits for nobody: it is ended when it is looked at again."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._found: Any = None
        self._error: Exception | None = None
        self._looked = 0
        try:
            self._found = done(coroutine)
        except Exception as error:
            self._error = error

    def done(self) -> bool:
        self._looked += 1
        return self._looked > 1

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._found

    def add_done_callback(self, _: Any) -> None: ...

    def cancel(self) -> None: ...


class Event:
    """As ``asyncio.Event``."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    async def wait(self) -> None:
        while not self._set:
            await Turn("wait")


async def _sleep(seconds: float) -> None:
    if seconds > 0:
        await Turn("sleep", seconds)


async def _wait_for(what: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """Others get one turn; what has not come by then is late."""
    for last in (False, True):
        try:
            what.send(None)
        except StopIteration as end:
            return end.value
        if not last:
            await Turn("wait", seconds)
    what.close()
    raise TimeoutError


async def _gather(*several: Coroutine[Any, Any, Any]) -> list[Any]:
    try:
        return [await one for one in several]
    finally:
        for one in several:
            one.close()


@asynccontextmanager
async def _timeout(_: float) -> Any:
    yield


ASYNCIO = SimpleNamespace(
    Event=Event,
    Lock=asyncio.Lock,
    Task=asyncio.Task,
    create_task=Beside,
    Future=asyncio.Future,
    sleep=_sleep,
    wait_for=_wait_for,
    gather=_gather,
    timeout=_timeout,
    get_running_loop=lambda: SimpleNamespace(create_future=lambda: None),
)
"""What the product uses of ``asyncio``, by turns."""
