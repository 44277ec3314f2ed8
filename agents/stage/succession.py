"""Handing regions over in good order: who leaves says so in his heartbeats, and goes when the others are ready.

A book of a million records takes seconds to restore. So the others restore those books while he still decides, and
what is left for the handing over is what he wrote since. Nobody depends on it: who hears nothing, or prepares what
another gets, opens his regions as after a kill.
"""

import asyncio
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from agents.stage.transport import share

READY_WITHIN_S = 20.0
"""Then he goes all the same."""
BEAT_S = 1.5
"""Within so long everybody who is there has said so."""
HEARD_S = 3.0
"""Who was not heard for so long is not there."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a worker says of itself; numbers are partitions."""

    holds: list[int]
    leaves: bool
    prepared: list[int]


_SAID = TypeAdapter(Said)


class Prepares(Protocol):
    """What this needs of the stage; partitions stand for their regions."""

    def holds(self) -> list[int]: ...
    def leave(self) -> None: ...
    def prepared(self) -> list[int]: ...
    def prepare(self, partitions: Collection[int]) -> "asyncio.Task[None] | None": ...


class Succession:
    """What one worker says to the others of its group about its regions, and does when another one leaves."""

    def __init__(self, instance: str, partitions: Collection[int], stage: Prepares) -> None:
        self._instance, self._partitions, self._stage = instance, partitions, stage
        self._leaves, self._until_s, self._alone_from_s = False, 0.0, 0.0
        self._others: dict[str, tuple[Said, float]] = {}
        self.news = asyncio.Event()
        """Something is to be said that should not wait for the next heartbeat."""

    def says(self) -> dict[str, Any]:
        """What goes with a heartbeat."""
        self.news.clear()
        return asdict(Said(self._stage.holds(), self._leaves, self._stage.prepared()))

    def hears(self, key: bytes | None, value: bytes | None, now_s: float) -> None:
        """The heartbeat of somebody else, which came just now (monotonic s)."""
        try:
            said = _SAID.validate_json(value or b"")
        except ValidationError:
            return  # of an intake, of another release, or of nobody we know
        self._others[(key or b"").decode(errors="replace")] = (said, now_s)
        if said.leaves and not self._leaves and (task := self._stage.prepare(self._inherits(now_s))) is not None:
            task.add_done_callback(lambda _: self.news.set())

    def leave(self, now_s: float) -> None:
        """Say from now on that we leave."""
        self._stage.leave()
        self._leaves, self._until_s, self._alone_from_s = True, now_s + READY_WITHIN_S, now_s + BEAT_S
        self.news.set()

    def may_go(self, now_s: float) -> bool:
        """Whether the others have prepared what we hold; nobody is waited for who is not there, and nobody for long."""
        stay = [said for said in self._there(now_s).values() if not said.leaves]
        prepared = {partition for said in stay for partition in said.prepared}
        if not stay:
            # Who began a moment ago may not have heard the others yet.
            return now_s >= self._alone_from_s
        return prepared.issuperset(self._stage.holds()) or now_s >= self._until_s

    def _inherits(self, now_s: float) -> list[int]:
        """What will be ours of those who leave: the group shares it out in the same way."""
        there = self._there(now_s)
        holders = {name: said.holds for name, said in there.items() if not said.leaves}
        ours = share(self._partitions, holders | {self._instance: self._stage.holds()})[self._instance]
        left = {partition for said in there.values() if said.leaves for partition in said.holds}
        return [partition for partition in ours if partition in left]

    def _there(self, now_s: float) -> dict[str, Said]:
        return {name: said for name, (said, at_s) in self._others.items() if now_s - at_s < HEARD_S}
