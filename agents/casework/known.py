"""Which reports were taken in: so that the same one is known again, by whatever way it comes a second time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import orjson

from agents.casework.case import short


class Taken(NamedTuple):
    """One version of a report. ``case`` is the number of the case that it belongs to, None when it has none."""

    version: int
    case: int | None
    fingerprint: str
    where: str
    """Partition and offset on its source's topic."""


Held = Mapping[bytes, bytes | None]
"""Threads that have changed since they were held -> what was there then."""


class Known:
    """Every version of every report, by thread (source and report id), in the order in which they came.

    A thread is saved with the case of its first version (its home); those without are few and saved apart.
    """

    __slots__ = ("_at_home", "_held", "_homeless")

    def __init__(self) -> None:
        self._held: dict[bytes, bytes | None] | None = None
        self._at_home: dict[bytes, bytes] = {}
        self._homeless: dict[bytes, bytes] = {}

    def versions(self, thread: str) -> list[Taken]:
        """What was taken in of a thread."""
        key = short(thread)
        packed = self._at_home.get(key) or self._homeless.get(key)
        return [] if packed is None else _unpacked(packed)

    def add(self, thread: str, taken: Taken) -> int | None:
        """One more version; the number of the case that the thread is saved with."""
        versions = [*self.versions(thread), taken]
        home = versions[0].case
        packed = orjson.dumps([tuple(found) for found in versions])
        key = short(thread)
        if self._held is not None:
            self._held.setdefault(key, self._at_home.get(key))
        # A copy: what the encoder gives holds on to the 4 KiB in which it was made.
        (self._homeless if home is None else self._at_home)[key] = bytes(memoryview(packed))
        return home

    def move(self, thread: str, case: int) -> None:
        """Every version of a thread belongs to another case from now on."""
        key = short(thread)
        if self._held is not None:
            self._held.setdefault(key, self._at_home.get(key))
        moved = [(*found[:1], case, *found[2:]) for found in self.versions(thread)]
        if moved:
            self._at_home[key] = bytes(memoryview(orjson.dumps(moved)))

    def highest(self, thread: str) -> tuple[int, int | None] | None:
        """The highest version, and the case that the thread belongs to; None when nothing was taken in."""
        top: tuple[int, int | None] | None = None
        for found in self.versions(thread):
            if top is None or found.version > top[0]:
                # A version without a case (advice) does not undo the case of the ones before.
                top = (found.version, found.case if found.case is not None or top is None else top[1])
        return top

    # Saving ------------------------------------------------------------------------------------------

    def homeless(self) -> Iterable[tuple[bytes, bytes]]:
        """The threads without a home, to be saved."""
        return self._homeless.items()

    def hold(self) -> Held:
        """From now on keep what is changed as it is now, until it is held anew or let go."""
        self._held = {}
        return self._held

    def let_go(self) -> None:
        """What was held is saved."""
        self._held = None

    def of(self, home: int, threads: Iterable[str], held: Held) -> Iterator[tuple[bytes, bytes]]:
        """Those of ``threads`` that are saved with the case of that number, as they were when they were held."""
        for key in dict.fromkeys(map(short, threads)):
            packed = held[key] if key in held else self._at_home.get(key)
            if packed is not None and _unpacked(packed)[0].case == home:
                yield key, packed

    def load(self, saved: Iterable[tuple[bytes, bytes]], *, homeless: bool = False) -> None:
        """Take in what was saved."""
        (self._homeless if homeless else self._at_home).update(saved)


def _unpacked(packed: bytes) -> list[Taken]:
    return [Taken(*found) for found in orjson.loads(packed)]
