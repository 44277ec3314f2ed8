"""The book is what the journal says, whoever folds it and from where."""

import tracemalloc
import zlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.casework import cases
from agents.casework.book import FOLD, ORIGINS_KEPT_MS, Book
from agents.casework.case import pack, unpack
from agents.casework.known import Known, Taken
from agents.casework.shelf import CHUNK, HEAD, RULES, parts, read_book
from agents.intake.decide import put_aside, registry
from agents.stage.lane import Arrived
from tests.cases import POLICE, a_report, an_id
from tests.world import World, entropy, regions, saved_and_read
from topics import journal as j
from topics import specs


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
    saved = dict(parts(Book("hollands-midden")))
    head = orjson.loads(zlib.decompress(saved[HEAD]))
    saved[HEAD] = zlib.compress(orjson.dumps(head | {"fold": FOLD + 1}))

    with pytest.raises(j.UnknownFormat):
        list(read_book(saved))


def test_looking_at_what_is_due_changes_nothing():
    world = World()
    for household in range(5):
        world.publish(a_report(household=household))
    late = world.now + 60 * 24 * 3_600_000

    first = [case.id for case in world.book.waiting.all_due(late, 3)]
    again = [case.id for case in world.book.waiting.all_due(late, 3)]

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


@settings(deadline=None)
@given(st.data())
def test_a_case_that_waits_packed_is_the_same_case_again(data: st.DataObject):
    world = a_busy_world()
    case = data.draw(st.sampled_from(list(world.book.cases.values())))

    assert unpack(pack(case)) == case


def test_a_case_takes_little_room_while_nobody_looks_at_it():
    # Given cases as they come in, one household each
    world = World()
    for household in range(20):
        world.publish(a_report(household=household))

    # When they wait, then each takes some hundreds of bytes: a million of them fit in memory
    sizes = [len(pack(case)) for case in world.book.cases.values()]
    assert max(sizes) < 800


def test_what_is_changed_in_a_case_is_there_after_it_has_been_packed():
    # Given more cases than are kept unpacked
    world = World()
    world.publish(a_report())
    first = world.case.id
    for household in range(1, 2 * cases.WARM + 2):
        world.publish(a_report(household=household))

    # When the first of them, long packed, is accepted, and is packed again
    found = world.book.cases[first]
    handover = found.current()
    assert handover is not None
    world.answer("ACCEPTED", handover)
    world.book.cases.cool(0)

    # Then it is accepted
    again = world.book.cases[first]
    assert again is not found
    assert [handover.state for handover in again.handovers] == ["ACCEPTED"]


def test_only_what_changed_is_saved_again():
    # Given a book of three chunks that was saved
    world = World()
    for household in range(2 * CHUNK + 1):
        world.publish(a_report(household=household))
    assert [name for name, _ in parts(world.book)] == ["0", "1", "2", RULES, HEAD]

    # When somebody accepts a case of the second one
    case = world.book.cases.nth(CHUNK)
    world.answer("ACCEPTED", case.current())

    # Then it alone is saved, and the head that says where the book stands
    assert [name for name, _ in parts(world.book)] == ["1", HEAD]


def test_an_open_case_is_counted_under_its_colour_until_it_is_closed():
    world = World()
    world.publish(a_report(yes=("M1",)))
    world.publish(a_report(household=1, yes=("A2",)))
    assert {colour: count for colour, count in world.book.open_cases.items() if count} == {"YELLOW": 1, "RED": 1}

    world.answer("STARTED")
    world.act("CLOSE")

    assert {colour: count for colour, count in world.book.open_cases.items() if count} == {"YELLOW": 1}


def test_the_longest_waiting_offer_is_known_by_its_colour():
    world = World()
    world.publish(a_report())
    first = world.now
    world.pass_time(hours=1)
    world.publish(a_report(household=1))
    assert world.book.waiting.since("GREEN") == first

    world.answer("ACCEPTED", next(world.book.cases.values()).current())

    assert world.book.waiting.since("GREEN") == world.now


def cannot_be_decided(world: World) -> None:
    """An input that somebody's release fails on."""
    world.lanes[j.INBOX].append(b"?")
    record = Arrived(j.INBOX, 0, len(world.lanes[j.INBOX]) - 1, world.now, None, b"?", ())
    world._take(world.writer.undecidable(j.INBOX, record, "ValueError"))


def test_how_many_inputs_in_a_row_could_not_be_decided_is_known_to_who_takes_over():
    # Given two inputs in a row that could not be decided, and a deadline that fired after them
    world = World()
    world.publish(a_report())
    cannot_be_decided(world)
    cannot_be_decided(world)
    world.pass_time(days=9)
    assert world.records[-1].lane == j.CLOCK

    # Then whoever folds the journal, or starts from a snapshot, counts on from there
    assert world.book.put_aside == 2
    assert world.refolded().put_aside == 2
    assert saved_and_read(world.book).put_aside == 2

    # When one can be decided, then the count begins anew
    world.publish(a_report(household=1))
    assert world.book.put_aside == 0


def test_what_intake_has_put_aside_says_nothing_about_deciding():
    # Given an input that could not be decided, and then one that intake could not bring as it was
    world = World()
    cannot_be_decided(world)
    record = Arrived(specs.REPORTS.topic(POLICE), 0, 0, world.now, None, b"{}", ())
    world.lanes[j.INBOX].append(j.encode_lane(put_aside(record, registry(regions()), "k", entropy()).message))

    # When that is decided
    world.deliver(j.INBOX, 1)

    # Then it stands in the journal as the other does, and counts neither way
    assert world.expect(j.DeadLettered).reason == "undecidable"
    assert world.book.put_aside == 1


def test_a_thread_that_is_known_takes_little_memory():
    # Given what was taken in of a thousand threads
    known = Known()
    tracemalloc.start()
    for number in range(1_000):
        known.add(f"{POLICE}/{an_id(number)}", Taken(1, number, "f" * 32, f"0/{number}"))

    # When it is measured, then each takes some hundred bytes, and not the room in which it was made
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 1_000 < 500
