"""Who prepares what when a worker leaves, and when that one may go. Time is an argument."""

import asyncio
from collections.abc import Collection

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.stage.succession import BEAT_S, HEARD_S, READY_WITHIN_S, Succession


class Held:
    """A worker's regions, all of them restored at once."""

    def __init__(self, *partitions: int, ready: bool = True) -> None:
        self.partitions, self.wanted, self._ready = sorted(partitions), set[int](), ready

    def holds(self) -> list[int]:
        return self.partitions

    def leave(self) -> None: ...

    def prepared(self) -> list[int]:
        return sorted(self.wanted) if self._ready else []

    def prepare(self, partitions: Collection[int]) -> "asyncio.Task[None] | None":
        self.wanted |= set(partitions)
        return None


def group(**held: Held) -> dict[str, Succession]:
    """The workers of one group, by name; they share all partitions that anybody holds."""
    everything = {partition for one in held.values() for partition in one.partitions}
    return {name: Succession(name, everything, one) for name, one in held.items()}


def talk(workers: dict[str, Succession], now_s: float = 0.0) -> None:
    """Everybody says once what is to be said, and everybody else hears it."""
    for name, one in workers.items():
        beat = orjson.dumps({"pid": 1, **one.says()})
        for other_name, other in workers.items():
            if other_name != name:
                other.hears(name.encode(), beat, now_s)


def test_who_leaves_goes_when_the_other_has_prepared_what_it_holds():
    held = {"a": Held(0, 2), "b": Held(1)}
    workers = group(**held)
    talk(workers)
    assert held["b"].wanted == set()

    workers["a"].leave(0.0)
    assert not workers["a"].may_go(0.0)
    talk(workers)
    assert held["b"].wanted == {0, 2}
    talk(workers)

    assert workers["a"].may_go(0.0)


def test_nobody_is_waited_for_who_is_not_there():
    workers = group(a=Held(0), b=Held(1, ready=False))
    workers["a"].leave(0.0)
    # One who began a moment ago may not have heard the others yet.
    assert not workers["a"].may_go(BEAT_S - 0.1)
    assert workers["a"].may_go(BEAT_S)

    talk(workers)
    assert not workers["a"].may_go(HEARD_S - 0.1)
    assert workers["a"].may_go(HEARD_S)


def test_nobody_is_waited_for_for_ever():
    workers = group(a=Held(0), b=Held(1, ready=False))
    workers["a"].leave(0.0)

    for second in range(int(READY_WITHIN_S)):
        talk(workers, second)
        assert not workers["a"].may_go(second)
    talk(workers, READY_WITHIN_S)

    assert workers["a"].may_go(READY_WITHIN_S)


def test_two_that_leave_prepare_nothing_and_do_not_wait_for_each_other():
    held = {"a": Held(0), "b": Held(1)}
    workers = group(**held)
    talk(workers)
    workers["a"].leave(0.0)
    workers["b"].leave(0.0)
    talk(workers)

    assert held["a"].wanted == held["b"].wanted == set()
    assert workers["a"].may_go(BEAT_S)
    assert workers["b"].may_go(BEAT_S)


def test_what_is_no_heartbeat_of_a_region_worker_is_passed_over():
    worker = group(a=Held(0))["a"]
    for key, value in (
        (b"intake-a", b'{"boot": "x", "first": 1, "host": "h", "pid": 2}'),
        (b"\xff", b"\xff\x00"),
        (None, None),
        (b"region-b", b'{"holds": ["x"], "leaves": 1, "prepared": null}'),
    ):
        worker.hears(key, value, 0.0)

    worker.leave(0.0)
    assert worker.may_go(BEAT_S)


@given(st.lists(st.sets(st.integers(0, 24)), min_size=2, max_size=5), st.data())
def test_together_they_prepare_all_that_one_leaves_and_nothing_twice(sets: list[set[int]], data: st.DataObject):
    # Given workers that hold some partitions each, and none held twice
    taken: set[int] = set()
    held = {}
    for number, partitions in enumerate(sets):
        held[f"region-{number}"] = Held(*(partitions - taken))
        taken |= partitions
    workers = group(**held)
    talk(workers)

    # When one of them leaves, and everybody has heard it
    leaver = data.draw(st.sampled_from(sorted(workers)))
    workers[leaver].leave(0.0)
    talk(workers)

    # Then each of its partitions is prepared by one of the others
    wanted = [partition for name, one in held.items() if name != leaver for partition in one.wanted]
    assert sorted(wanted) == held[leaver].partitions
