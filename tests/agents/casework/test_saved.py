"""Snapshots: what was written last and whole is what a takeover starts from, and nothing erased is in it."""

import orjson
import pytest

from agents.casework import contents
from agents.casework.shelf import CHUNK
from agents.casework.writer import CaseworkWriter
from agents.stage.writer import ContentNeeded, Outgoing
from tests.cases import REGION, a_report
from tests.world import World, entropy, regions, whole


def a_writer() -> CaseworkWriter:
    return CaseworkWriter(regions()[REGION], entropy(), lambda record, book: None)


def start_of(world: World, snapshots: dict[bytes, bytes]) -> int | None:
    """The journal's offset from which a takeover goes on; None: from its first record."""
    found: int | None = whole(a_writer().restore(snapshots, world.keys))
    return found


def a_world(cases: int) -> World:
    world = World()
    for household in range(cases):
        world.publish(a_report(household=household))
    return world


def test_a_snapshot_that_was_cut_short_anywhere_leaves_the_last_one_whole():
    # Given a snapshot of two chunks, and changes in both of them
    world = a_world(CHUNK + 2)
    world.snapshot()
    before = len(world.journal)
    for place in (0, CHUNK):
        world.answer("ACCEPTED", world.book.cases.nth(place).current())

    # When the next snapshot is cut short after any of its batches
    batches = list(world.writer.snapshot(len(world.journal), 0))
    assert len(batches) > 3
    for batch in batches[:-1]:
        world.lay([batch])

        # Then a takeover starts from the one before
        assert start_of(world, world.snapshots) == before
        assert world.taken_over().book.encode() == world.book.encode()

    # And from the new one when its last batch lies there too
    world.lay(batches[-1:])
    assert start_of(world, world.snapshots) == len(world.journal)
    assert world.taken_over().book.encode() == world.book.encode()


def test_what_is_decided_while_a_snapshot_is_written_is_not_in_it():
    # Given a snapshot that is begun
    world = World()
    report = a_report()
    world.publish(report)
    batches = world.writer.snapshot(len(world.journal), 0)

    # When its report is corrected, its offer answered and another case opened before the first part is asked for
    world.publish(report | {"version": 2, "kind": "CORRECTION"})
    world.answer("ACCEPTED")
    world.publish(a_report(household=1))
    world.lay(batches)

    # Then a takeover folds these once, after it
    assert start_of(world, world.snapshots) == len(world.journal) - 3
    assert world.taken_over().book.encode() == world.book.encode()

    # And they are in the next one
    world.snapshot()
    assert start_of(world, world.snapshots) == len(world.journal)
    assert world.taken_over().book.encode() == world.book.encode()


def test_many_snapshots_after_each_other_hold_what_the_book_holds():
    world = World()
    for household in range(12):
        world.publish(a_report(household=household % 7, incident_number=f"PL-{household}"))
        world.snapshot()
        assert start_of(world, world.snapshots) == len(world.journal)
        other = world.taken_over()
        assert other.book.encode() == world.book.encode()
        # The new worker goes on, and writes the next one.
        world.writer = other


def test_of_a_part_that_was_replaced_no_key_is_left():
    # Given a snapshot, a change, and another snapshot
    world = a_world(2)
    first = world.snapshot()
    old_keys = dict(world.keys)
    world.answer("ACCEPTED")
    second = world.snapshot()

    # When the keys of now are tried on what the first one held, then it cannot be opened; with those of then it can
    assert whole(a_writer().restore(first, old_keys)) is not None
    assert whole(a_writer().restore(first, world.keys)) is None
    assert whole(a_writer().restore(second, world.keys)) is not None


def test_keys_are_read_from_where_the_last_snapshot_says():
    world = a_world(1)
    world.lay(world.writer.snapshot(len(world.journal), 17))

    assert a_writer().keys_from(world.snapshots) == 17
    assert a_writer().keys_from({}) is None


def test_a_snapshot_of_another_form_is_passed_over():
    world = a_world(1)
    snapshots = world.snapshot()
    name = f"{REGION}/manifest".encode()
    snapshots[name] = orjson.dumps(orjson.loads(snapshots[name]) | {"v": 1})

    assert start_of(world, snapshots) is None
    assert world.taken_over(snapshots).book.encode() == world.book.encode()


def test_what_an_old_report_said_is_read_from_the_journal(monkeypatch: pytest.MonkeyPatch):
    # Given a report of which nothing is in memory any more
    monkeypatch.setattr(contents, "KEPT", 0)
    world = World()
    world.publish(a_report(narrative="Zij durft niet naar huis."))

    # When its receiver refuses it, and the case goes to the next
    handover = world.offer
    asked: list[int] = []
    decide = world.writer.decide

    def listening(lane: str, record: object) -> list[Outgoing]:
        try:
            return decide(lane, record)  # type: ignore[arg-type]
        except ContentNeeded as needed:
            asked.extend(needed.places)
            raise

    monkeypatch.setattr(world.writer, "decide", listening)
    world.answer("REFUSED", handover, reason="TOO_SEVERE")

    # Then the journal was asked for that record, and the next offer tells what it said
    (place,) = asked
    assert world.records[place].input.type == "report"
    (message,) = [said for topic, said in world.last if said.get("destination")]
    content = world.opened(message, message["receiver"])
    assert content["reports"][0]["summary"] == "Zij durft niet naar huis."
