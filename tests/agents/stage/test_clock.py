"""What a worker knows of the broker's clock. It may be behind; it is never ahead, and it says when it does not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.stage.clock import AGREE, JUMP_MS, STALE_AFTER_MS, BrokerClock

T = 1_774_000_000_000
"""A moment of the broker, ms."""


def a_clock(stamp: int = T, at: float = 100.0) -> BrokerClock:
    clock = BrokerClock()
    clock.observe(stamp, at)
    return clock


def test_before_the_first_stamp_nothing_is_known():
    assert BrokerClock().now(100.0) is None


def test_a_first_stamp_in_a_leap_is_not_believed_before_five_agree():
    # Given a worker that starts while the broker's clock has leapt an hour ahead of its machine's
    clock = BrokerClock()
    for beat in range(AGREE - 1):
        clock.observe(T + 3_600_000 + beat * 1_000, 100.0 + beat, T + beat * 1_000)
        assert clock.now(100.0 + beat) is None

    # When the next stamp is right again
    clock.observe(T + 4_000, 104.0, T + 4_000)

    # Then that is the time
    assert clock.now(104.0) == T + 4_000


def test_a_machine_that_is_an_hour_behind_needs_five_stamps_to_start_and_one_that_is_ahead_needs_one():
    behind, ahead = BrokerClock(), BrokerClock()
    for beat in range(AGREE):
        assert behind.now(100.0 + beat) is None
        behind.observe(T + beat * 1_000, 100.0 + beat, T - 3_600_000 + beat * 1_000)
    ahead.observe(T, 100.0, T + 3_600_000)

    assert (behind.now(104.0), ahead.now(100.0)) == (T + 4_000, T)


def test_between_two_stamps_the_monotonic_clock_carries_it_forward():
    assert a_clock().now(102.5) == T + 2_500


def test_ten_seconds_after_the_last_stamp_it_is_still_trusted_and_then_no_more():
    clock = a_clock()

    assert clock.now(100.0 + STALE_AFTER_MS / 1000) == T + STALE_AFTER_MS
    assert clock.now(100.002 + STALE_AFTER_MS / 1000) is None


def test_a_stamp_after_a_silence_makes_it_known_again():
    clock = a_clock()

    clock.observe(T + 30_000, 130.0)

    assert clock.now(131.0) == T + 31_000


def test_a_leap_of_61_s_is_believed_when_five_stamps_agree_and_not_before():
    clock = a_clock()
    ahead = T + JUMP_MS + 1_000

    # Given four stamps in a row that are 61 s ahead: nothing may fire
    for beat in range(1, AGREE):
        clock.observe(ahead + beat * 1_000, 100.0 + beat)
        assert clock.now(100.0 + beat) is None

    # When the fifth agrees
    clock.observe(ahead + AGREE * 1_000, 100.0 + AGREE)

    # Then the broker's clock is what it says
    assert clock.now(100.0 + AGREE) == ahead + AGREE * 1_000


@pytest.mark.parametrize(
    ("ahead", "taken_for"),
    [
        pytest.param(JUMP_MS, JUMP_MS, id="within a minute a stamp is what it says"),
        pytest.param(JUMP_MS + 1, 0, id="beyond, the time that it is"),
        pytest.param(-3_600_000, -3_600_000, id="what lay waiting for an hour is an hour old"),
    ],
)
def test_a_record_is_from_no_later_than_the_heartbeats_say(ahead: int, taken_for: int):
    assert a_clock().believed(T + 2_000 + ahead, 102.0) == T + 2_000 + taken_for


def test_a_record_is_from_when_it_says_once_the_broker_s_clock_is_believed_to_have_leapt():
    clock = a_clock()
    for beat in range(1, AGREE + 1):
        clock.observe(T + 3_600_000 + beat * 1_000, 100.0 + beat)

    assert clock.believed(T + 3_600_000, 105.0) == T + 3_600_000


def test_one_wild_stamp_is_forgotten_when_the_next_is_right():
    clock = a_clock()

    clock.observe(T + 3_600_000, 101.0)
    assert clock.now(101.0) is None
    clock.observe(T + 2_000, 102.0)

    assert clock.now(102.0) == T + 2_000


def test_stamps_that_leap_each_time_elsewhere_never_agree():
    clock = a_clock()

    for beat in range(1, 20):
        clock.observe(T + beat * 3_600_000, 100.0 + beat)
        assert clock.now(100.0 + beat) is None


def test_right_stamps_between_wild_ones_start_the_count_anew():
    clock = a_clock()

    for beat in range(1, 20):
        leap = JUMP_MS + 5_000 if beat % AGREE else 0
        clock.observe(T + beat * 1_000 + leap, 100.0 + beat)
        assert clock.now(100.0 + beat) == (None if leap else T + beat * 1_000)


@pytest.mark.parametrize("ahead", [1, JUMP_MS])
def test_a_leap_of_up_to_a_minute_is_believed_at_once(ahead: int):
    clock = a_clock()

    clock.observe(T + 1_000 + ahead, 101.0)

    assert clock.now(101.0) == T + 1_000 + ahead


@pytest.mark.parametrize("back", [1, 5_000, 3_600_000])
def test_a_step_back_of_the_broker_is_followed_at_once_for_early_is_worse_than_late(back: int):
    clock = a_clock()

    clock.observe(T + 1_000 - back, 101.0)

    assert clock.now(102.0) == T + 2_000 - back


@given(
    beats=st.lists(st.tuples(st.integers(10, 5_000), st.integers(0, 3_000)), min_size=1, max_size=30),
    asked=st.lists(st.integers(0, 20_000), min_size=1, max_size=5),
)
def test_it_is_never_ahead_of_the_broker(beats: list[tuple[int, int]], asked: list[int]):
    # Given a broker whose clock runs as ours does, and acknowledgements that take their time to come
    clock, passed = BrokerClock(), 0
    for pause, way_back in beats:
        stamped = passed + pause
        passed = stamped + way_back
        clock.observe(T + stamped, passed / 1000)

        # Then at no moment after it is our estimate later than the broker's own clock
        for later in asked:
            now = clock.now((passed + later) / 1000)
            assert now is None or now <= T + passed + later
