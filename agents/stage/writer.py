"""What the stage needs of whoever decides: bytes in, bytes out; no Kafka, no clock of its own."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.stage.lane import Arrived


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write; without a value it is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


class ContentNeeded(Exception):
    """What was asked for needs journal records that are not in memory: give them to ``recall``, and ask again."""

    def __init__(self, places: Iterable[int]) -> None:
        super().__init__()
        self.places = tuple(sorted(set(places)))
        """Their offsets."""


class Writer(Protocol):
    """The one writer of a region: holds its book, and decides on it.

    The stage restores it (snapshot, keys, journal), then gives it inputs. Whatever it returns is written
    in one transaction; when that fails the stage throws the writer away and makes a new one. A book may be large:
    what takes long is done in steps, so that the other regions of a worker get their turn.
    """

    def keys_from(self, snapshot: Mapping[bytes, bytes]) -> int | None:
        """From which offset on the keys are needed to restore this snapshot; None: there is none, all of them."""

    def restore(
        self, snapshot: Mapping[bytes, bytes], keys: Mapping[bytes, bytes]
    ) -> Generator[None, None, int | None]:
        """Take the snapshot's records in steps; the journal offset to go on from, None when it is of no use."""

    def replay(self, record: bytes, place: int) -> None:
        """Fold one journal record, which lies at offset ``place``; raises ``UnknownFormat``."""

    def recall(self, records: Iterable[bytes]) -> None:
        """Take in the journal records that ``ContentNeeded`` named."""

    def expected(self, lane: str) -> int | None:
        """The lane's offset that must be decided next, None when the journal knows of none."""

    def begin(self, now: int) -> list[Outgoing]:
        """What has to be recorded before the first input (a changed configuration)."""

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        """Decide one input and fold the outcome. ``ContentNeeded``: nothing has happened yet."""

    def undecidable(self, lane: str, record: Arrived, why: str) -> list[Outgoing]:
        """Put aside an input that ``decide`` raised on, for a person."""

    def put_aside_in_a_row(self) -> int:
        """How many of the last inputs were put aside, one after the other."""

    def committed(self, places: Sequence[int]) -> None:
        """The oldest so many records that were decided are on the journal, at these offsets."""

    def due(self) -> int | None:
        """The earliest deadline, ms broker time."""

    def tick(self, now: int, until: int | None = None) -> list[Outgoing]:
        """Fire what is due up to ``until`` (None: now): up to there every answer has been read, be it hours ago.

        ``ContentNeeded``: nothing has happened yet.
        """

    def answers_from(self) -> tuple[str, ...]:
        """The topics on which an answer to an open deadline may still lie."""

    def snapshot(self, journal_next: int, keys_next: int) -> Iterator[list[Outgoing]]:
        """The book as it is now, in batches, to go on from these offsets of journal and keys; the last makes it count.

        Whatever is decided while they are asked for is not in it.
        """

    def snapshot_wanted(self) -> bool:
        """Whether a snapshot cannot wait (after an erasure)."""
