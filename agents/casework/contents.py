"""The sealed parts of the reports in a book: in the journal, and the latest of them in memory.

A later offer (after a refusal, a recall, a second report) holds what the earlier reports said. A region may have a
million of those: what is not in memory is read from the journal again, by the place of its record.
"""

from array import array
from collections.abc import Collection

from agents.casework.case import Entry, Part
from agents.stage.writer import ContentNeeded
from topics import journal as j

KEPT = 512
"""Reports whose parts are in memory: what is asked for again soon, and all that is decided and not yet written."""
PER_PART = 8_192
PARTS = ("facts", "rest", "spoken")


class Contents:
    """Which sealed parts there are, and where. ``places`` holds the journal's offset of each record, by its number."""

    def __init__(self) -> None:
        self.places: array[int] = array("q")
        self._saved = 0
        self._latest: dict[str, dict[str, str]] = {}
        self._recalled: dict[str, dict[str, str]] = {}

    def decided(self, record: j.Record) -> None:
        """A record was decided; it is not yet on the journal. What was recalled for it is not needed any more."""
        self._recalled = {}
        _keep(self._latest, record)
        while len(self._latest) > KEPT:
            del self._latest[next(iter(self._latest))]

    def written(self, record: j.Record, place: int) -> None:
        """A record lies on the journal at ``place``."""
        assert record.seq == len(self.places)
        self.places.append(place)

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
        _keep(self._recalled, record)

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


def _keep(where: dict[str, dict[str, str]], record: j.Record) -> None:
    said = record.input
    if isinstance(said, j.ReportInput | j.ActInput | j.TransferInput):
        # ``rest-3`` is of the fourth report that another centre passed on.
        found = {part: sealed for part, sealed in said.sealed.items() if part.partition("-")[0] in PARTS}
        if found:
            where[said.key_id] = found
            if isinstance(said, j.TransferInput):
                where.update({one.key_id: found for one in said.reports})
