"""Which faults a storm has is drawn from its seed, and none is left out."""

from collections import Counter

from tests.storm.faults import WAYS
from tests.storm.plan import EARLY, FULL, MOST_OFTEN, plan


def test_a_whole_storm_has_a_hundred_kills_ten_of_the_broker_and_thirty_freezes():
    names = Counter(fault.name for fault in plan(1, FULL))

    assert names == MOST_OFTEN
    assert sum(times for name, times in names.items() if name.startswith("kill") and "broker" not in name) == 100
    assert names["kill of the broker"] == 10
    assert names["freeze"] + names["freeze with a batch in hand"] == 30


def test_a_small_storm_has_each_fault_once():
    faults = plan(1, 1_000)

    assert Counter(fault.name for fault in faults) == Counter(MOST_OFTEN.keys())
    assert set(MOST_OFTEN) == set(WAYS)
    assert [fault.name for fault in faults[: len(EARLY)]] == list(EARLY)


def test_a_seed_gives_the_same_storm_again_and_another_seed_another():
    assert plan(7, FULL) == plan(7, FULL)
    assert plan(7, FULL) != plan(8, FULL)


def test_faults_come_while_reports_do_and_the_last_tenth_is_quiet():
    moments = [fault.after for fault in plan(3, FULL)]

    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] <= 0.9 * FULL
