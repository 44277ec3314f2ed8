"""Records of a partition in the order of their offsets, however they are delivered."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from agents.stage.lane import Arrived, Lane

PLENTY = 10**9


def a_record(offset: int, size: int = 10) -> Arrived:
    return Arrived("inbox", 0, offset, 1_000 + offset, None, b"x" * size, ())


def stretch(start: int, until: int) -> list[Arrived]:
    return [a_record(offset) for offset in range(start, until)]


def a_lane(expected: int, offsets: Iterable[int] = ()) -> Lane:
    lane = Lane(expected)
    for offset in offsets:
        lane.offer(a_record(offset))
    return lane


def offsets(records: Iterable[Arrived]) -> list[int]:
    return [record.offset for record in records]


def test_what_is_delivered_again_is_taken_once():
    lane = a_lane(5, [3, 4, 5, 6, 5, 6, 7])

    assert offsets(lane.take(PLENTY, PLENTY)) == [5, 6, 7]


def test_nothing_is_taken_past_a_hole_and_the_hole_shows():
    lane = a_lane(5, [5, 6, 9, 10])

    assert offsets(lane.take(PLENTY, PLENTY)) == [5, 6]
    assert lane.gap() == 9
    assert lane.take(PLENTY, PLENTY) == []


def test_a_hole_that_is_filled_is_taken_in_its_place():
    # Given a lane that waits before a hole
    lane = a_lane(5, [8, 9])

    # When what is missing was read again
    lane.fill(stretch(5, 8))

    # Then all of it comes in order
    assert lane.gap() is None
    assert offsets(lane.take(PLENTY, PLENTY)) == [5, 6, 7, 8, 9]


def test_a_lane_with_only_repeats_has_nothing_ready():
    assert not a_lane(5, [3, 4]).ready()


def test_a_lane_that_waits_before_a_hole_is_ready_so_that_the_hole_is_looked_at():
    assert a_lane(5, [7]).ready()


def test_at_most_the_count_is_taken():
    assert offsets(a_lane(0, range(9)).take(4, PLENTY)) == [0, 1, 2, 3]


def test_at_most_the_bytes_are_taken_but_always_one_record():
    lane = Lane(0)
    for offset, size in enumerate((500, 40, 40, 40)):
        lane.offer(a_record(offset, size))

    assert offsets(lane.take(PLENTY, 100)) == [0]
    assert offsets(lane.take(PLENTY, 100)) == [1, 2]


@given(
    deliveries=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=30),
    takes=st.lists(st.integers(1, 7), max_size=40),
    start=st.integers(0, 20),
)
def test_whatever_is_delivered_what_is_taken_has_no_hole_and_no_repeat(
    deliveries: list[tuple[int, int]], takes: list[int], start: int
):
    # Given a partition of 60 records that is delivered in stretches: from anywhere, again, with holes
    lane, taken, counts = Lane(start), list[int](), iter(takes)
    for seek, length in deliveries:
        for offset in range(seek, seek + length):
            lane.offer(a_record(offset))
        # When it is taken from between the deliveries, and a hole is read again now and then
        taken += offsets(lane.take(next(counts, 3), PLENTY))
        if seek % 3 == 0 and (until := lane.gap()) is not None:
            lane.fill(stretch(lane.expected, until))
        taken += offsets(lane.take(next(counts, 3), PLENTY))

    # Then what was taken is one stretch from the start, without a repeat
    assert taken == list(range(start, start + len(taken)))
    assert lane.expected == start + len(taken)


@given(
    cuts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=10),
    start=st.integers(0, 49),
)
def test_with_its_holes_read_again_a_lane_reaches_the_last_record_that_was_delivered(
    cuts: list[tuple[int, int]], start: int
):
    # Given a delivery that leaves out stretches of a partition, but not its last record
    gone = {offset for first, until in cuts for offset in range(first, until)} - {50}
    lane = a_lane(start, (offset for offset in range(51) if offset not in gone))

    # When every hole is read again
    taken: list[int] = []
    while lane.ready():
        if (until := lane.gap()) is not None:
            lane.fill(stretch(lane.expected, until))
        taken += offsets(lane.take(4, PLENTY))

    # Then everything was taken
    assert taken == list(range(start, 51))
