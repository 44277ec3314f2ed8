"""What goes wrong, by its class (design, section 2): what stops, what goes on, and that nothing is lost or done twice.

The tests share one broker and its history, in the order in which they stand; what they leave behind is counted
in the test before the last.
"""

import random
import signal
from collections.abc import Iterator

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from agents.stage.reading import ends, reader
from agents.stage.transport import group_of
from pipeline.worker import EXIT_TEMPORARY
from tests.storm.field import Field, Worker, a_field, wait_for
from tests.storm.history import CLEAN, check, read_all, read_history
from tests.storm.seen import (
    BRABANT,
    GROUP,
    HOLLAND,
    dead,
    decided,
    holds,
    in_one_stretch,
    only_intake_is_left,
    opened,
    publish,
    running,
    said,
)
from tests.storm.storm import Following
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    for made in a_field(tmp_path_factory.mktemp("failures")):
        made.worker("intake", "a")
        yield made


@pytest.fixture(autouse=True)
def no_region_worker_is_left(field: Field) -> Iterator[None]:
    yield
    only_intake_is_left(field)


def supervised(worker: Worker) -> bool:
    """As ``up`` does: what ended by a failure that may pass starts again."""
    if not worker.running:
        assert worker.process is not None
        assert worker.process.returncode == EXIT_TEMPORARY
        worker.start()
    return True


# Undecidable -----------------------------------------------------------------------------------------------


def test_an_input_that_cannot_be_decided_is_a_dead_letter_and_a_person_knows(
    field: Field, journal: Following, chance: random.Random
):
    # Given a writer with a defect that two of the reports meet
    worker = field.worker("region", "poison", "poison")
    bad = publish(field, chance, BRABANT, 1, mark="bad00000")
    good = publish(field, chance, BRABANT, 5)
    bad += publish(field, chance, BRABANT, 1, mark="bad00000")
    good += publish(field, chance, BRABANT, 5)

    # When all of them are through
    wait_for("all decided", lambda: decided(journal, good + bad))

    # Then those two are put aside in a record of their own, in their place, and the duty desk is told
    records = dead(journal, good + bad)
    assert {r.input.report_id for r in records if isinstance(r.input, j.ReportInput)} == set(bad)
    for record in records:
        assert [e.to for e in record.events if isinstance(e, j.Told)] == ["vt-bzo-bureaudienst"]
    assert said(worker, "region_stopped") == []


def test_a_region_where_one_input_after_another_cannot_be_decided_stops_and_the_other_goes_on(
    field: Field, journal: Following, chance: random.Random
):
    # Given two regions on one worker, and a defect that every report of one of them meets
    worker = field.worker("region", "poison", "poison")
    opened(worker, BRABANT, HOLLAND)
    bad = publish(field, chance, HOLLAND, 45, mark="bad00000")

    # When more than twenty in a row could not be decided
    wait_for("the region stopped", lambda: said(worker, "region_stopped", region=HOLLAND))

    # Then twenty of them were put aside, and nothing moves there any more
    wait_for("twenty can be read", lambda: len(dead(journal, bad)) == 20)
    late = publish(field, chance, HOLLAND, 5)
    good = publish(field, chance, BRABANT, 30)
    wait_for("the other region decides", lambda: decided(journal, good))
    # Whoever has read those has read what the stopped region wrote before.
    stood = len(journal.records(HOLLAND))

    # But the other region goes on, in the same process, and the metrics say how it is
    more = publish(field, chance, BRABANT, 30)
    wait_for("the other region goes on", lambda: decided(journal, more))
    assert len(journal.records(HOLLAND)) == stood
    assert running(worker) == {BRABANT: True, HOLLAND: False}
    assert worker.running

    # When the defect is mended, then what waited is decided
    assert worker.stop() == 0
    field.worker("region", "poison")
    wait_for("all decided", lambda: decided(journal, bad + late))
    assert len(dead(journal, bad + late)) == 20


def test_a_deadline_that_cannot_be_decided_stops_its_region_alone(
    field: Field, journal: Following, chance: random.Random
):
    # Given a writer that cannot fire a deadline of one region
    worker = field.worker("region", "tick", f"tick-raises={HOLLAND}")

    # When one is due there, then that region stops, and the other goes on
    wait_for("the region stopped", lambda: said(worker, "region_stopped", region=HOLLAND))
    good = publish(field, chance, BRABANT, 3)
    wait_for("the other region decides", lambda: decided(journal, good))
    assert running(worker) == {BRABANT: True, HOLLAND: False}
    assert "deadline" in said(worker, "region_stopped")[0]["why"]


# Transient -------------------------------------------------------------------------------------------------


def test_a_region_whose_queue_is_missing_waits_for_it_and_goes_on_by_itself(
    field: Field, journal: Following, chance: random.Random
):
    # Given a team's queue that somebody has deleted while the region was at work
    worker = field.worker("region", "missing", "commit-within=3")
    first = publish(field, chance, HOLLAND)
    wait_for("the first decided", lambda: decided(journal, first))
    team = next(
        e.receiver
        for r in journal.records(HOLLAND)
        if isinstance(r.input, j.ReportInput) and r.input.report_id == first[0]
        for e in r.events
        if isinstance(e, j.Offered)
    )
    kept = list(read_all(field.broker.bootstrap, [specs.QUEUE.topic(team)]))
    field.admin.delete_topics([specs.QUEUE.topic(team)])
    wait_for("the queue gone", lambda: specs.QUEUE.topic(team) not in field.admin.list_topics())

    # When a report for it comes in, then the region finds out before it opens a transaction, again and again
    waits = publish(field, chance, HOLLAND, 3)
    wait_for("twice", lambda: len(said(worker, "region_reopens", region=HOLLAND, error="TopicMissing")) >= 2)
    good = publish(field, chance, BRABANT, 3)
    wait_for("the other region decides", lambda: decided(journal, good))
    assert not decided(journal, waits[:1])

    # When the queue is made again, then it goes on by itself
    field.make_topics()
    for record in kept:  # what the deletion took, so that the history can be counted at the end
        field.producer.send(record.topic, record.value, record.key, headers=list(record.headers))
    wait_for("all decided", lambda: decided(journal, waits))
    assert worker.running


def test_what_a_queue_refuses_is_not_in_the_journal_either(field: Field, journal: Following, chance: random.Random):
    # Given a team's queue that takes in nothing as large as an offer
    worker = field.worker("region", "refused")
    opened(worker, BRABANT, HOLLAND)
    queues = [specs.QUEUE.topic(found.id) for found in field.regions[HOLLAND].directory.own()]
    too_small = [ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "300"}) for name in queues]
    told = field.admin.alter_configs(too_small, raise_on_unknown=False)["topic"]
    assert set(told.values()) == {"OK"}

    # When three reports cannot be offered
    before = len(journal.records(HOLLAND))
    refused = publish(field, chance, HOLLAND, 3)
    wait_for("all decided", lambda: decided(journal, refused))

    # Then no offer stands in the journal that reached nobody, and each report is put aside for a person
    assert not any(isinstance(e, j.Offered) for r in journal.records(HOLLAND)[before:] for e in r.events)
    assert len(dead(journal, refused)) == 3
    assert len(said(worker, "refused_by_broker", region=HOLLAND)) == 3

    # When the queue takes it, then the next are offered
    field.make_topics()
    good = publish(field, chance, HOLLAND, 2)
    wait_for("all decided", lambda: decided(journal, good))
    assert dead(journal, good) == []


def test_a_broker_that_is_killed_and_comes_back_costs_nothing(field: Field, journal: Following, chance: random.Random):
    # Given workers in the midst of their work
    worker = field.worker("region", "outage", "commit-within=3")
    ids = publish(field, chance, BRABANT, 300) + publish(field, chance, HOLLAND, 300)
    wait_for("some decided", lambda: decided(journal, ids[:20]))

    # When the broker is killed and comes back; intake may end over it, and its supervisor starts it again
    field.broker.kill()
    wait_for("a region has failed", lambda: said(worker, "region_reopens"))
    field.broker.restart()

    # Then the region goes on by itself, in the same process
    wait_for("all decided", lambda: supervised(field.workers[0]) and decided(journal, ids))
    ids = publish(field, chance, BRABANT, 3)
    wait_for("new ones decided", lambda: supervised(field.workers[0]) and decided(journal, ids))
    assert worker.running


async def test_who_wants_nothing_of_the_broker_leaves_it_without_an_error(field: Field):
    # A worker without any partition looks so, each time its watchdog does
    async with reader(Cluster(bootstrap=field.broker.bootstrap)) as consumer:
        assert await ends(consumer, []) == {}


# Delivery --------------------------------------------------------------------------------------------------


def test_what_faust_does_not_deliver_is_read_again(field: Field, journal: Following, chance: random.Random):
    # Given a worker to whom stretches of the inbox are not delivered
    worker = field.worker("region", "deaf", "deaf")
    opened(worker, BRABANT, HOLLAND)

    # When such stretches come, with others behind them
    ids: list[str] = []
    for _ in range(3):
        ids += publish(field, chance, BRABANT, 7)
        ids += publish(field, chance, BRABANT, 5, mark="deaf0000")
    ids += publish(field, chance, BRABANT, 1)

    # Then they are decided all the same
    wait_for("all decided", lambda: decided(journal, ids))
    assert said(worker, "hole_in_delivery", region=BRABANT, lane="inbox")


def test_what_faust_does_not_deliver_is_read_again_also_when_nothing_comes_after_it(
    field: Field, journal: Following, chance: random.Random
):
    worker = field.worker("region", "deaf", "deaf")
    opened(worker, BRABANT, HOLLAND)

    ids = publish(field, chance, BRABANT, 3) + publish(field, chance, BRABANT, 5, mark="deaf0000")

    wait_for("all decided", lambda: decided(journal, ids), 20)
    assert said(worker, "hole_in_delivery", region=BRABANT, lane="inbox")


# Fenced, and the group -------------------------------------------------------------------------------------


def test_a_worker_that_was_frozen_while_another_took_over_commits_nothing_afterwards(
    field: Field, journal: Following, chance: random.Random
):
    # Given two workers with a region each, one of which has decided a batch and not yet written it
    first = field.worker("region", "frozen", "session=4", "hesitates")
    second = field.worker("region", "awake", "session=4")
    wait_for("each has one region", lambda: [len(holds(worker)) for worker in (first, second)] == [1, 1])
    theirs = BRABANT if holds(first) == [0] else HOLLAND
    shared = len(said(first, "assigned"))
    ids = publish(field, chance, theirs, 400)
    wait_for("a batch in hand", lambda: said(first, "in_the_window", region=theirs))

    # When it is frozen there past its session, and the other has taken over and decided all of it
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    assert not decided(journal, ids)
    wait_for("taken over", lambda: said(second, "region_opened", region=theirs))
    wait_for("gone on", lambda: decided(journal, ids))

    # And it thaws, and joins the group anew
    first.process.send_signal(signal.SIGCONT)
    wait_for("it has joined", lambda: len(said(first, "assigned")) > shared)
    more = publish(field, chance, BRABANT, 5) + publish(field, chance, HOLLAND, 5)
    wait_for("all decided", lambda: decided(journal, more))

    # Then what it had in hand is written nowhere
    assert said(first, "region_fenced", region=theirs)
    assert in_one_stretch(journal)


def test_a_stop_keeps_its_place_and_moves_nobody(field: Field, journal: Following, chance: random.Random):
    # Given two workers of one group
    workers = [field.worker("region", name, "session=30") for name in ("one", "two")]
    wait_for("each has one region", lambda: [len(holds(worker)) for worker in workers] == [1, 1])
    one, two = workers
    was, others, mine = said(one, "assigned")[-1], len(said(two, "assigned")), len(said(one, "assigned"))

    # When one is stopped, and started again within its session
    assert one.stop() == 0
    one.start()
    wait_for("it is back", lambda: len(said(one, "assigned")) > mine)

    # Then it has what it had, in the same generation, and the other never noticed
    now = said(one, "assigned")[-1]
    assert (now["generation"], now["partitions"]) == (was["generation"], was["partitions"])
    assert len(said(two, "assigned")) == others
    ids = publish(field, chance, BRABANT, 2) + publish(field, chance, HOLLAND, 2)
    wait_for("both decide", lambda: decided(journal, ids))


def test_a_drain_hands_over_at_once_and_leaves_the_group(field: Field, journal: Following, chance: random.Random):
    # Given two workers whose session would last for half a minute
    workers = [field.worker("region", name, "session=30") for name in ("gone", "stays")]
    wait_for("each has one region", lambda: [len(holds(worker)) for worker in workers] == [1, 1])
    gone, stays = workers

    # When one is drained
    assert gone.stop(signal.SIGUSR1) == 0

    # Then the other has both regions long before that
    wait_for("handed over", lambda: holds(stays) == [0, 1], 10)
    ids = publish(field, chance, BRABANT, 2) + publish(field, chance, HOLLAND, 2)
    wait_for("both decide", lambda: decided(journal, ids))
    members = field.admin.describe_groups([GROUP])[GROUP]["members"]
    assert [member["group_instance_id"] for member in members] == ["region-stays"]


def test_what_a_drained_worker_holds_is_prepared_by_another_before_it_goes(
    field: Field, journal: Following, chance: random.Random
):
    # Given two workers with a region each, one of which has a past that no snapshot holds
    leaves, stays = (field.worker("region", name, "session=30") for name in ("leaves", "inherits"))
    wait_for("each has one region", lambda: [len(holds(worker)) for worker in (leaves, stays)] == [1, 1])
    theirs = BRABANT if holds(leaves) == [0] else HOLLAND
    ids = publish(field, chance, theirs, 60)
    wait_for("all decided", lambda: decided(journal, ids))

    # When it is drained
    assert leaves.stop(signal.SIGUSR1) == 0
    wait_for("handed over", lambda: holds(stays) == [0, 1])

    # Then the other had read that past before it was given the region
    (prepared,) = said(stays, "region_prepared", region=theirs)
    assert prepared["at"] < said(leaves, "stopped")[0]["at"]
    # It may have held the region once before, when it was alone.
    since = wait_for(
        "opened again",
        lambda: [one for one in said(stays, "region_opened", region=theirs) if one["at"] > prepared["at"]],
    )
    assert since[-1]["replayed"] < 60
    more = publish(field, chance, theirs, 2)
    wait_for("it decides", lambda: decided(journal, more))
    assert in_one_stretch(journal)


def test_a_second_worker_of_the_same_name_is_refused_at_its_start(field: Field):
    first = field.worker("region", "twin")
    opened(first, BRABANT, HOLLAND)

    second = field.worker("region", "twin")

    assert second.process is not None
    assert second.process.wait(30) != 0
    assert f"region-twin is held by process {first.process.pid}" in second.log()  # type: ignore[union-attr]
    assert first.running


def test_who_was_frozen_while_another_took_his_name_ends_and_the_other_goes_on(
    field: Field, journal: Following, chance: random.Random
):
    # Given a worker that is frozen for so long that a second one of its name finds nobody
    first = field.worker("region", "name", "session=4")
    opened(first, BRABANT, HOLLAND)
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    second = field.worker("region", "name", "session=4")
    wait_for("the second has opened", lambda: second.log().count('"event": "region_opened"') == 4)

    # When the first one thaws, then it ends, and the second one decides
    first.process.send_signal(signal.SIGCONT)
    wait_for("the first has ended", lambda: not first.running)
    # By the other's heartbeat, or because the group does not know it any more: whichever it hears first.
    taken = f"region-name is held by process {second.process.pid}" in first.log()  # type: ignore[union-attr]
    assert taken or said(first, "worker_ends", because="app", error="KafkaError")
    ids = publish(field, chance, BRABANT, 2) + publish(field, chance, HOLLAND, 2)
    wait_for("both decide", lambda: decided(journal, ids))
    assert second.running
    assert in_one_stretch(journal)


def test_with_every_committed_offset_gone_nothing_is_decided_twice(
    field: Field, journal: Following, chance: random.Random
):
    # Given no worker, and all that both groups have committed deleted
    field.worker("region", "drained").stop(signal.SIGUSR1)
    intake = field.workers[0]
    assert intake.stop(signal.SIGUSR1) == 0
    groups = [GROUP, group_of("intake")]
    wait_for("no members", lambda: all(not found["members"] for found in field.admin.describe_groups(groups).values()))
    field.admin.delete_groups(groups)

    # When the workers come back, and intake brings everything once more
    before = sum(isinstance(e, j.Registered) for r in journal.records() for e in r.events)
    intake.start()
    field.worker("region", "again")
    ids = publish(field, chance, BRABANT, 3) + publish(field, chance, HOLLAND, 3)
    wait_for("new ones decided", lambda: decided(journal, ids))
    wait_for("all read", lambda: field.read_by("intake", "reports") and field.read_by("region", "inbox"))

    # Then only the new ones were registered, and each lane went on where the journal ends
    assert in_one_stretch(journal)
    assert sum(isinstance(e, j.Registered) for r in journal.records() for e in r.events) == before + 6


# Taking over -----------------------------------------------------------------------------------------------


def test_a_takeover_starts_from_the_snapshot_and_passes_over_one_it_cannot_use(
    field: Field, journal: Following, chance: random.Random
):
    # Given a region with snapshots every 20 records
    worker = field.worker("region", "snapshots", "snapshot-every=20")
    ids = publish(field, chance, BRABANT, 60)
    wait_for("all decided", lambda: decided(journal, ids))
    total = len(journal.records(BRABANT))
    assert worker.stop() == 0

    # When it is taken over, then less is replayed than the journal holds
    worker.start()
    wait_for("opened again", lambda: len(said(worker, "region_opened", region=BRABANT)) == 2)
    assert said(worker, "region_opened", region=BRABANT)[-1]["replayed"] < 60
    ids = publish(field, chance, BRABANT, 2)
    wait_for("it decides", lambda: decided(journal, ids))
    assert worker.stop() == 0

    # When the snapshot cannot be opened, then the whole journal is replayed, and the region goes on as well
    for slot in "ab":
        name = f"{BRABANT}/0/{slot}".encode()
        partition = field.regions[BRABANT].partition
        field.producer.send(specs.SNAPSHOTS.topic(), b"not a part", name, partition=partition).get(10)
    worker.start()
    wait_for("opened again", lambda: len(said(worker, "region_opened", region=BRABANT)) == 3)
    assert said(worker, "snapshot_unusable", region=BRABANT)
    assert said(worker, "region_opened", region=BRABANT)[-1]["replayed"] >= total
    ids = publish(field, chance, BRABANT, 2)
    wait_for("it decides", lambda: decided(journal, ids))


# The count -------------------------------------------------------------------------------------------------


def test_after_all_this_nothing_is_lost_doubled_or_out_of_order(field: Field):
    wait_for("all on the lanes", lambda: field.read_by("intake", "reports"))
    worker = field.worker("region", "last")
    opened(worker, BRABANT, HOLLAND)
    wait_for("all decided", lambda: field.read_by("region", "inbox"))
    assert worker.stop() == 0

    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    assert found.counts() == CLEAN


def test_a_lane_that_lost_records_before_they_were_decided_stops_its_region(
    field: Field, journal: Following, chance: random.Random
):
    # Given reports on the inbox of a region that nobody decided, and that are deleted
    publish(field, chance, HOLLAND, 5)
    wait_for("on the inbox", lambda: field.read_by("intake", "reports"))
    place = TopicPartition(specs.INBOX.topic(), field.regions[HOLLAND].partition)
    end = field.ends("inbox")[place]
    field.admin.delete_records({place: end - 2})

    # When a worker opens the region
    worker = field.worker("region", "hole")

    # Then it stops there and says what is missing; the other region goes on
    wait_for("stopped", lambda: said(worker, "region_stopped", region=HOLLAND))
    why = said(worker, "region_stopped", region=HOLLAND)[0]["why"]
    assert why == f"{place.topic}: offsets {end - 5} to {end - 2} are gone and were never decided"
    good = publish(field, chance, BRABANT, 3)
    wait_for("the other region decides", lambda: decided(journal, good))
    assert running(worker) == {BRABANT: True, HOLLAND: False}
