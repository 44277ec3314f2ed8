"""Which sealed parts are in memory."""

from dataclasses import replace

import pytest

from agents.casework.case import Entry
from agents.casework.contents import KEPT, Contents
from agents.stage.writer import ContentNeeded
from tests.agents.casework.test_transfers import offered
from topics import journal as j

TRANSFERS, REPORTS = 40, 20


@pytest.fixture(scope="module")
def records() -> list[j.Record]:
    """Transfers of so many reports each, every report under a key of its own."""
    record = next(found for found in offered().there.records if isinstance(found.input, j.TransferInput))
    said = record.input
    assert isinstance(said, j.TransferInput)
    one, sealed = said.reports[0], {f"facts-{place}": "AA==" for place in range(REPORTS)}

    def transfer(number: int) -> j.TransferInput:
        reports = tuple(replace(one, key_id=f"sleutel-{number}-{place}") for place in range(REPORTS))
        return replace(said, key_id=f"sleutel-{number}", reports=reports, sealed=sealed)

    return [replace(record, seq=number, input=transfer(number)) for number in range(KEPT + TRANSFERS)]


def entries(record: j.Record) -> list[Entry]:
    """What the book holds of the reports of such a record."""
    said = record.input
    assert isinstance(said, j.TransferInput)
    some = offered().there.case.entries[0]
    return [replace(some, seq=record.seq, key_id=one.key_id) for one in said.reports]


def test_what_is_decided_and_not_yet_written_stays_in_memory_however_much_that_is(records: list[j.Record]):
    assert TRANSFERS * REPORTS > KEPT
    contents = Contents()
    for record in records:
        contents.decided(record)

    for record in (records[0], records[KEPT], records[-1]):
        contents.need(entries(record))


def test_of_what_is_written_the_latest_stay_in_memory(records: list[j.Record]):
    contents = Contents()
    for record in records:
        contents.decided(record)
        contents.written(record, place=1_000 + 2 * record.seq)

    contents.need(entries(records[-KEPT]))
    with pytest.raises(ContentNeeded) as needed:
        contents.need(entries(records[-KEPT - 1]))
    assert needed.value.places == (1_000 + 2 * (TRANSFERS - 1),)
