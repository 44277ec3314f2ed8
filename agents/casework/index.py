"""By which match keys the cases of a region are known."""

from collections.abc import Iterable, Iterator

from agents.casework.case import short


class Index:
    """Match key -> numbers of the cases that have it. Small: a key stands as a digest, and most have one case."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[bytes, int | tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, code: str) -> tuple[int, ...]:
        """The cases that have this key, in the order of their numbers."""
        return self._of(short(code))

    def add(self, code: str, number: int) -> None:
        """A case can be known by this key."""
        self._add(short(code), number)

    def remove(self, code: str, number: int) -> None:
        """It cannot be known by it any more."""
        key = short(code)
        left = tuple(other for other in self._of(key) if other != number)
        if left:
            self._numbers[key] = left[0] if len(left) == 1 else left
        else:
            self._numbers.pop(key, None)

    def items(self) -> Iterator[tuple[bytes, int | tuple[int, ...]]]:
        """All of it, by key."""
        return iter(sorted(self._numbers.items()))

    def load(self, saved: Iterable[tuple[bytes, int]]) -> None:
        """Take in what was saved: keys as digests, each with a case."""
        for key, number in saved:
            if self._numbers.setdefault(key, number) != number:
                self._add(key, number)

    def _of(self, key: bytes) -> tuple[int, ...]:
        found = self._numbers.get(key, ())
        return (found,) if isinstance(found, int) else found

    def _add(self, key: bytes, number: int) -> None:
        others = self._of(key)
        if number not in others:
            self._numbers[key] = tuple(sorted((*others, number))) if others else number
