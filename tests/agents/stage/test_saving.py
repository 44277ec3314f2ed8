"""When a region saves its book: after so many records, after an erasure, and a part between two batches."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.stage.saving import SNAPSHOT_EVERY, WANTED_EVERY_S, Saving
from agents.stage.writer import Outgoing

PARTS = 3


@dataclass
class Region:
    """A region's saving and its writer: a snapshot has three parts, each of which takes as long as is said."""

    part_takes_s: float = 1.0
    now: float = 1_000.0
    erased: bool = False
    begun: list[int] = field(default_factory=list)
    """The journal's offset at which each snapshot began."""

    def __post_init__(self) -> None:
        self.saving = Saving(lambda: self.now, self._turn)

    async def _turn(self) -> None:
        pass

    def snapshot_wanted(self) -> bool:
        return self.erased

    def snapshot(self, journal_next: int, keys_next: int) -> Iterator[list[Outgoing]]:
        self.erased = False
        self.begun.append(journal_next)
        return self._parts()

    def _parts(self) -> Iterator[list[Outgoing]]:
        for number in range(PARTS):
            self.now += self.part_takes_s
            yield [Outgoing("snapshots", str(number).encode(), b"part")]

    def part(self, journal_next: int) -> list[bytes | None]:
        """What is to be written after a batch."""
        return [out.key for out in asyncio.run(self.saving.part(self, journal_next, 0))]  # type: ignore[arg-type]


def test_a_snapshot_is_written_part_by_part_and_holds_what_there_was_when_it_began():
    region = Region()
    region.saving.written(SNAPSHOT_EVERY)

    assert [region.part(offset) for offset in (7, 8, 9)] == [[b"0"], [b"1"], [b"2"]]
    assert region.saving.in_hand()
    assert region.part(10) == []

    assert not region.saving.in_hand()
    assert region.begun == [7]
    assert region.part(11) == []


def test_what_takes_no_time_is_written_at_once():
    region = Region(part_takes_s=0.0)
    region.saving.written(SNAPSHOT_EVERY)

    assert region.part(7) == [b"0", b"1", b"2"]


def test_an_erasure_is_saved_at_once_and_the_next_one_some_seconds_later():
    # Given an erasure that is saved
    region = Region(part_takes_s=0.0, erased=True)
    region.part(7)
    region.part(8)

    # When there are more of them
    region.erased = True
    assert region.part(9) == []

    # Then one snapshot holds them all
    region.now += WANTED_EVERY_S
    region.part(10)
    assert region.begun == [7, 10]


def test_one_that_was_cut_short_is_not_begun_at_every_opening():
    region = Region()
    region.saving.written(SNAPSHOT_EVERY)
    region.part(7)

    region.saving.forget()
    region.saving.opened(SNAPSHOT_EVERY)
    assert region.part(8) == []

    region.saving.written(SNAPSHOT_EVERY)
    assert region.part(9) == [b"0"]


def test_while_another_reads_what_is_saved_nothing_of_it_is_written():
    # Given a snapshot of which one part is written, and somebody who prepares to take over
    region = Region()
    region.saving.written(SNAPSHOT_EVERY)
    assert region.part(7) == [b"0"]
    region.saving.paused = True

    # Then nothing more is written, nor waited for, and not after an erasure either
    region.erased = True
    assert region.part(8) == []
    assert not region.saving.in_hand()
