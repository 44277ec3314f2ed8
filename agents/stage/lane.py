"""What came in of one partition, held in the order of its offsets. Pure."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Arrived:
    """One record as the broker holds it. ``at`` is the broker's append time, ms."""

    topic: str
    partition: int
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def size(self) -> int:
        """Bytes of its value."""
        return len(self.value or b"")


@dataclass(slots=True)
class Lane:
    """Records of one partition that wait to be taken, and the offset that must come next.

    What is delivered again is dropped, and what is missing shows: ``gap`` names the offset at which
    delivery went on. Nothing is ever taken past a gap.
    """

    expected: int
    waiting: deque[Arrived] = field(default_factory=deque)

    def offer(self, record: Arrived) -> None:
        """Take a delivered record in, whatever its offset."""
        self.waiting.append(record)

    def gap(self) -> int | None:
        """The offset of the next record when it is not the one expected, else None."""
        self._drop_repeats()
        if self.waiting and self.waiting[0].offset > self.expected:
            return self.waiting[0].offset
        return None

    def fill(self, records: list[Arrived]) -> None:
        """Put records that were read again before the gap they fill."""
        self.waiting.extendleft(reversed(records))

    def ready(self) -> bool:
        """Whether there is something to take, or a gap to fill."""
        self._drop_repeats()
        return bool(self.waiting)

    def take(self, count: int, size: int) -> list[Arrived]:
        """The next records without a gap: at most ``count``, and ``size`` bytes (but always one)."""
        taken: list[Arrived] = []
        total = 0
        while len(taken) < count:
            self._drop_repeats()
            if not self.waiting or self.waiting[0].offset != self.expected:
                break
            total += self.waiting[0].size
            if taken and total > size:
                break
            taken.append(self.waiting.popleft())
            self.expected += 1
        return taken

    def _drop_repeats(self) -> None:
        while self.waiting and self.waiting[0].offset < self.expected:
            self.waiting.popleft()
