"""The sealed parts of the reports in a book: in the journal, and the latest of them in memory.

A later offer (after a refusal, a recall, a second report) holds what the earlier reports said. A region may have a
million of those: what is not in memory is read from the journal again, by the place of its record.
"""

from array import array
from collections import deque
from collections.abc import Collection

from agents.casework.case import Entry, Part
from agents.stage.writer import ContentNeeded
from topics import journal as j

KEPT = 512
"""Records whose parts are in memory because they are asked for again soon; beside all that is not yet written."""
PER_PART = 8_192
PARTS = ("facts", "rest", "spoken")


class Contents:
    """Which sealed parts there are, and where. ``places`` holds the journal's offset of each record, by its number."""

    def __init__(self) -> None:
        self.places: array[int] = array("q")
        self._saved = 0
        self._latest: dict[str, dict[str, str]] = {}
        self._recent: deque[tuple[int, tuple[str, ...]]] = deque()
        """The number of each record whose parts are in memory, and the keys these are known by."""
        self._recalled: dict[str, dict[str, str]] = {}

    def decided(self, record: j.Record) -> None:
        """A record was decided; it is not yet on the journal. What was recalled for it is not needed any more."""
        self._recalled = {}
        if found := _parts(record):
            self._latest |= found
            self._recent.append((record.seq, tuple(found)))

    def written(self, record: j.Record, place: int) -> None:
        """A record lies on the journal at ``place``."""
        assert record.seq == len(self.places)
        self.places.append(place)
        # What is not written yet can be read nowhere else.
        while len(self._recent) > KEPT and self._recent[0][0] < len(self.places):
            for key_id in self._recent.popleft()[1]:
                self._latest.pop(key_id, None)

    def need(self, entries: Collection[Entry | Part]) -> None:
        """Raises ``ContentNeeded`` with the places of what is not in memory."""
        lacking = [
            self.places[entry.seq]
            for entry in entries
            if entry.wrapped is not None and entry.key_id not in self._latest and entry.key_id not in self._recalled
        ]
        if lacking:
            raise ContentNeeded(lacking)

    def recalled(self, record: j.Record) -> None:
        """A record that was asked for."""
        self._recalled |= _parts(record)

    def of(self, entry: Entry | Part) -> dict[str, str]:
        """The sealed parts of a report; it was asked for with ``need``."""
        return self._latest.get(entry.key_id) or self._recalled[entry.key_id]

    # Saving ------------------------------------------------------------------------------------------

    def parts(self) -> list[tuple[str, bytes]]:
        """The places that were written since they were saved last."""
        first, self._saved = self._saved // PER_PART, len(self.places)
        return [
            (f"places-{number}", self.places[number * PER_PART : (number + 1) * PER_PART].tobytes())
            for number in range(first, -(-self._saved // PER_PART))
        ]

    def load(self, part: bytes) -> None:
        """Take in the next part that was saved."""
        self.places.frombytes(part)
        self._saved = len(self.places)


def _parts(record: j.Record) -> dict[str, dict[str, str]]:
    """The sealed parts that a record holds, by each key that they are asked for by."""
    said = record.input
    if not isinstance(said, j.ReportInput | j.ActInput | j.TransferInput):
        return {}
    # ``rest-3`` is of the fourth report that another centre passed on.
    found = {part: sealed for part, sealed in said.sealed.items() if part.partition("-")[0] in PARTS}
    own = [one.key_id for one in said.reports] if isinstance(said, j.TransferInput) else []
    return dict.fromkeys([said.key_id, *own], found) if found else {}
