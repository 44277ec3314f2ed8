"""A region's journal against itself: its inputs, as they lie on the lanes, decided once more."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, overload

from agents.casework.writer import CaseworkWriter
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from agents.stage.reading import arrived
from tests.storm.again import decided_again
from tests.storm.history import read_all
from topics import journal as j
from topics import specs

LANES = {j.DESK: specs.DESK.topic(), j.INBOX: specs.INBOX.topic()}


class OnDisk(Sequence[bytes]):
    """Records in a file: those of a storm of 300,000 reports do not fit in memory beside the broker's own."""

    def __init__(self, file: BinaryIO, records: Iterable[bytes]) -> None:
        self._file, self._ends = file, [0]
        for record in records:
            self._ends.append(self._ends[-1] + file.write(record))
        file.flush()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        start, end = self._ends[place], self._ends[place + 1]
        return os.pread(self._file.fileno(), end - start, start)


def differing(bootstrap: str, regions: Path, name: str) -> int:
    """How many records of a region's journal come out otherwise, in any byte."""
    config = load_regions(regions, development=True)[name]

    def read(topic: str) -> Iterator[Any]:
        return read_all(bootstrap, [topic], config.partition)

    with tempfile.TemporaryFile() as file:
        journal = OnDisk(file, (record.value for record in read(specs.JOURNAL.topic())))
        came = {lane: map(arrived, read(topic)) for lane, topic in LANES.items()}

        def lane(of: str, offset: int) -> Arrived:
            # Each lane was decided in its order.
            return next(record for record in came[of] if record.offset == offset)

        again = decided_again(CaseworkWriter(config, os.urandom, lambda record, book: None), journal, lane)
        return sum(one != other for one, other in zip_longest(journal, again))
