"""Who gets which partition: evenly, moving as little as possible, a region whole on one worker."""

from collections.abc import Mapping
from math import ceil, floor
from random import Random
from types import SimpleNamespace

from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from agents.stage.transport import share, sticky_assignor

MEMBERS = st.sets(st.sampled_from([f"worker-{letter}" for letter in "abcdefgh"]), min_size=1)
NUMBERS = st.sets(st.integers(0, 63), max_size=40)


@st.composite
def fields(draw: st.DrawFn) -> tuple[set[int], dict[str, set[int]]]:
    """Partitions, and members that each held some: perhaps of those that are gone, perhaps twice by a zombie."""
    members = draw(MEMBERS)
    return draw(NUMBERS), {member: draw(NUMBERS) for member in members}


@st.composite
def honest_fields(draw: st.DrawFn) -> tuple[set[int], dict[str, set[int]]]:
    """As ``fields``, but no two members held the same."""
    partitions, members = draw(NUMBERS), sorted(draw(MEMBERS))
    owners = {number: draw(st.sampled_from([*members, ""])) for number in sorted(partitions)}
    return partitions, {member: {n for n, owner in owners.items() if owner == member} for member in members}


def moved(given_: Mapping[str, list[int]], before: Mapping[str, set[int]], partitions: set[int]) -> int:
    """How many that were held by a member who is still there have another holder now."""
    return sum(len((held & partitions) - set(given_[member])) for member, held in before.items())


def fewest_moves(before: Mapping[str, set[int]], partitions: set[int]) -> int:
    """Nobody can keep more than his share, and only some may keep the odd one more."""
    quota, odd = divmod(len(partitions), len(before))
    held = [len(numbers & partitions) for numbers in before.values()]
    kept = sum(min(count, quota) for count in held) + min(odd, sum(count > quota for count in held))
    return sum(held) - kept


@given(fields())
def test_every_partition_has_one_holder(field: tuple[set[int], dict[str, set[int]]]):
    partitions, before = field

    given_ = share(partitions, before)

    assert sorted(number for numbers in given_.values() for number in numbers) == sorted(partitions)
    assert set(given_) == set(before)


@given(fields())
def test_nobody_has_more_than_one_more_than_another(field: tuple[set[int], dict[str, set[int]]]):
    partitions, before = field

    sizes = {len(numbers) for numbers in share(partitions, before).values()}

    assert sizes <= {floor(len(partitions) / len(before)), ceil(len(partitions) / len(before))}


@given(honest_fields())
def test_as_few_as_possible_move(field: tuple[set[int], dict[str, set[int]]]):
    partitions, before = field

    assert moved(share(partitions, before), before, partitions) == fewest_moves(before, partitions)


@given(fields())
def test_what_was_shared_out_stays_when_nothing_changes(field: tuple[set[int], dict[str, set[int]]]):
    partitions, before = field
    given_ = share(partitions, before)

    assert share(partitions, given_) == given_


@given(fields(), st.randoms())
def test_the_same_question_has_the_same_answer_in_whatever_order_it_is_put(
    field: tuple[set[int], dict[str, set[int]]], chance: Random
):
    partitions, before = field
    shuffled = sorted(before)
    chance.shuffle(shuffled)

    assert share(sorted(partitions, reverse=True), {member: before[member] for member in shuffled}) == share(
        partitions, before
    )


# The assignor ----------------------------------------------------------------------------------------------


def assigned(
    used: list[int] | None, partitions: dict[str, int], before: dict[str, list[tuple[str, int]]]
) -> dict[str, dict[str, list[int]]]:
    """Member -> topic -> partitions, as the leader of the group works it out from what the members say."""
    assignor = sticky_assignor(used)
    said = {
        member: ConsumerProtocolMemberMetadata(0, sorted(partitions), "\n".join(f"{t} {p}" for t, p in held).encode())
        for member, held in before.items()
    }
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: set(range(partitions[topic])))
    return {member: dict(found.assignment) for member, found in assignor.assign(cluster, said).items()}


LANES = {"desk": 64, "inbox": 64}


@given(st.sets(st.integers(0, 63), max_size=25), MEMBERS, st.data())
def test_both_lanes_of_a_region_are_on_one_worker(used: set[int], members: set[str], data: st.DataObject):
    before = {
        member: data.draw(st.lists(st.tuples(st.sampled_from(["desk", "inbox"]), st.integers(0, 63)), max_size=9))
        for member in sorted(members)
    }

    found = assigned(sorted(used), LANES, before)

    for topics in found.values():
        assert topics.get("desk") == topics.get("inbox")
    assert sorted(p for topics in found.values() for p in topics.get("desk", [])) == list(range(64))


@given(st.sets(st.integers(0, 63), min_size=1, max_size=25), MEMBERS)
def test_the_partitions_with_a_region_are_shared_evenly_whatever_the_empty_ones_do(used: set[int], members: set[str]):
    found = assigned(sorted(used), LANES, {member: [] for member in members})

    sizes = [len(used & set(topics.get("desk", []))) for topics in found.values()]
    assert max(sizes) - min(sizes) <= 1


def test_a_worker_that_joins_takes_its_share_and_moves_nothing_else():
    # Given one worker with four regions
    held = [(topic, number) for topic in LANES for number in range(64)]

    # When a second one joins
    found = assigned([0, 1, 2, 3], LANES, {"a": held, "b": []})

    # Then it gets two of them, and the first keeps the two others
    regions = {member: {0, 1, 2, 3} & set(topics["inbox"]) for member, topics in found.items()}
    assert {len(numbers) for numbers in regions.values()} == {2}


def test_what_a_worker_was_given_it_tells_the_next_leader():
    # Given a worker that was assigned something
    assignor = sticky_assignor([0, 1])
    before = {"a": ConsumerProtocolMemberMetadata(0, ["desk", "inbox"], b"")}
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0, 1})
    assignor.on_assignment(assignor.assign(cluster, before)["a"])

    # When it joins again, then it says so
    said = assignor.metadata({"desk", "inbox"}).user_data.decode().splitlines()
    assert sorted(said) == ["desk 0", "desk 1", "inbox 0", "inbox 1"]


@given(MEMBERS, st.integers(1, 40))
def test_intakes_topics_of_one_partition_are_shared_evenly(members: set[str], topics: int):
    names = {f"reports.{number}": 1 for number in range(topics)}

    found = assigned(None, names, {member: [] for member in members})

    sizes = [sum(map(len, given_.values())) for given_ in found.values()]
    assert sum(sizes) == topics
    assert max(sizes) - min(sizes) <= 1


def test_a_topic_that_is_gone_or_new_troubles_nobody():
    before = {"a": [("reports.gone", 0), ("reports.one", 0)], "b": []}

    found = assigned(None, {"reports.one": 1, "reports.new": 1}, before)

    assert found["a"] == {"reports.one": [0]}
    assert found["b"] == {"reports.new": [0]}
