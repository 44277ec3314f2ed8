"""When a region saves its book, and how: a little between two batches, so that nothing waits for all of it."""

from collections.abc import Awaitable, Callable, Iterator

from agents.stage.writer import Outgoing, Writer

SNAPSHOT_EVERY = 5_000
SNAPSHOT_BYTES = 2 * 1024 * 1024
SAVE_S = 0.025
"""For so long a region saves before it decides again: what 5,000 records have changed takes some 0.3 s."""
WANTED_EVERY_S = 5.0
"""What cannot wait (an erasure) waits so long after the one before: a hundred of them are not a hundred snapshots."""


class Saving:
    """The snapshots of one region: what is written of them next."""

    def __init__(self, monotonic: Callable[[], float], turn: Callable[[], Awaitable[None]]) -> None:
        self._monotonic, self._turn = monotonic, turn
        self._left: Iterator[list[Outgoing]] | None = None
        self._since = 0
        self._began: float | None = None
        self.paused = False
        """Nothing is written: another worker reads what is saved, to go on with it."""
        self._unfinished = False
        """Whether the last one that was begun is not whole on its topic."""

    def opened(self, replayed: int) -> None:
        """The region was opened, and had to replay so many records."""
        # After one that was cut short not at once again: where it is this that fails it would fail before every batch.
        self._since = 0 if self._unfinished else replayed

    def written(self, records: int) -> None:
        """So many records more lie on the journal."""
        self._since += records

    def forget(self) -> None:
        """The book is thrown away."""
        self._left = None

    def in_hand(self) -> bool:
        """Whether one is begun and not yet written."""
        return self._left is not None and not self.paused

    async def part(self, writer: Writer, journal_next: int | None, keys_next: int) -> list[Outgoing]:
        """What is to be written now, in one transaction: of the snapshot in hand, or of a new one when it is time.

        A new one holds the book as it is, up to ``journal_next``.
        """
        if self.paused:
            return []
        if self._left is None:
            if journal_next is None or not (self._since >= SNAPSHOT_EVERY or self._wanted(writer)):
                return []
            self._left = writer.snapshot(journal_next, keys_next)
            self._since, self._began, self._unfinished = 0, self._monotonic(), True
        until = self._monotonic() + SAVE_S
        found: list[Outgoing] = []
        while sum(len(out.value or b"") for out in found) < SNAPSHOT_BYTES and self._monotonic() < until:
            batch = next(self._left, None)
            if batch is None:
                if not found:  # its last part, which makes it count, has been written
                    self._left, self._unfinished = None, False
                break
            found += batch
            await self._turn()
        return found

    def _wanted(self, writer: Writer) -> bool:
        just = self._began is not None and self._monotonic() - self._began < WANTED_EVERY_S
        return writer.snapshot_wanted() and not just
