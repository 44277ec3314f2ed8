"""The book is what the journal says, whoever folds it and from where."""

import orjson
import pytest

from agents.casework.book import FOLD, HEAD, ORIGINS_KEPT_MS, Book, read_book
from tests.cases import World, a_report, saved_and_read
from topics import journal as j


def a_busy_world() -> World:
    """A bit of everything."""
    world = World()
    world.publish(a_report(yes=("M1",)))
    world.answer("ACKNOWLEDGED", note="Gezien.")
    world.publish(a_report(household=1, yes=("A2",)))
    world.pass_time(minutes=95)
    world.answer("ACCEPTED")
    world.publish(a_report(household=2, unknown=("A1",)))
    world.act("SETTLE", indicators={"A1": "NO"})
    world.publish(a_report(kind="ADVICE"))
    world.publish(b"{")
    world.pass_time(days=9)
    return world


def test_another_worker_folds_the_same_book():
    world = a_busy_world()

    assert world.refolded().encode() == world.book.encode()


def test_a_snapshot_goes_on_as_the_book_does():
    world = a_busy_world()
    restored = saved_and_read(world.book)

    assert restored.encode() == world.book.encode()
    assert restored.due() == world.book.due()
    assert [case.id for case in restored.cases.values()] == [case.id for case in world.book.cases.values()]
    assert restored.open_cases == world.book.open_cases


def test_a_snapshot_of_another_fold_is_not_read():
    parts = dict(Book("hollands-midden").parts())
    parts[HEAD] = orjson.dumps(orjson.loads(parts[HEAD]) | {"fold": FOLD + 1})

    with pytest.raises(j.UnknownFormat):
        list(read_book(parts))


def test_looking_at_what_is_due_changes_nothing():
    world = World()
    for household in range(5):
        world.publish(a_report(household=household))
    late = world.now + 60 * 24 * 3_600_000

    first = [handover.id for _, handover in world.book.waiting.all_due(late, 3)]
    again = [handover.id for _, handover in world.book.waiting.all_due(late, 3)]

    assert first == again
    assert len(world.book.waiting.all_due(late, 100)) == 5
    assert world.book.waiting.all_due(world.now, 100) == []


def test_time_in_a_book_never_goes_back():
    world = World()
    world.publish(a_report())
    later = world.now
    world.now -= 3_600_000
    world.publish(a_report(household=1))

    assert world.records[-1].at == later


def test_where_messages_came_from_is_forgotten_when_no_lane_has_them_any_more():
    world = World()
    for offset in range(1024):
        world.book.origins[f"lange-geleden/{offset}"] = world.now - ORIGINS_KEPT_MS - 1
    # 1023 of them and one new make a round number
    world.book.origins.popitem()
    world.publish(a_report(kind="ADVICE"))

    assert len(world.book.origins) == 1


def test_a_position_goes_on_after_the_last_record_of_a_lane():
    world = World()
    world.publish(a_report())
    world.answer("RECEIVED")
    world.answer("ACKNOWLEDGED")

    assert world.book.positions == {"inbox": (0, 1), "desk": (0, 2)}
    assert world.book.seq == len(world.records)
