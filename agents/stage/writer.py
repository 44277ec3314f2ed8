"""What the stage needs of whoever decides: bytes in, bytes out; no Kafka, no clock of its own."""

from collections.abc import Mapping
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


class Writer(Protocol):
    """The one writer of a region: holds its book, and decides on it.

    The stage restores it (keys, snapshot, journal), then gives it inputs. Whatever it returns is written
    in one transaction; when that fails the stage throws the writer away and makes a new one.
    """

    def restore(self, snapshot: Mapping[bytes, bytes], keys: Mapping[bytes, bytes]) -> int | None:
        """Take the snapshot's records; the journal offset to go on from, None when there is no snapshot."""

    def replay(self, record: bytes) -> None:
        """Fold one journal record; raises ``UnknownFormat``."""

    def expected(self, lane: str) -> int | None:
        """The lane's offset that must be decided next, None when the journal knows of none."""

    def begin(self, now: int) -> list[Outgoing]:
        """What has to be recorded before the first input (a changed configuration)."""

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        """Decide one input and fold the outcome."""

    def undecidable(self, lane: str, record: Arrived, why: str) -> list[Outgoing]:
        """Put aside an input that ``decide`` raised on, for a person."""

    def committed(self) -> None:
        """All that was decided is on the journal."""

    def due(self) -> int | None:
        """The earliest deadline, ms broker time."""

    def tick(self, now: int) -> list[Outgoing]:
        """Fire what is due at ``now``."""

    def answers_from(self) -> tuple[str, ...]:
        """The topics on which an answer to an open deadline may still lie."""

    def snapshot(self, journal_next: int) -> list[Outgoing]:
        """The book, to go on from journal offset ``journal_next``."""

    def snapshot_wanted(self) -> bool:
        """Whether a snapshot cannot wait (after an erasure)."""
