"""Topics: planned by comparison, applied on a real broker, never deleted."""

from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaAdminClient

from topics.admin import (
    Actual,
    ChangeConfig,
    ChangeFailed,
    Create,
    DriftRefused,
    LeaveReplication,
    LeaveUnknown,
    Refuse,
    actual,
    apply,
    plan,
)
from topics.specs import INBOX, JOURNAL, REPORTS, Wanted, wanted


def all_wanted(replication: int = 1) -> list[Wanted]:
    return list(
        wanted(
            sources=["politie"], receivers=["team-noord"], regions=["brabant"],
            replication=replication, min_insync=1,
        )
    )  # fmt: skip


def as_it_should_be(wants: list[Wanted]) -> dict[str, Actual]:
    # A broker tells every setting, also those that we leave to it.
    return {
        want.name: Actual(
            partitions=want.partitions,
            replication=want.replication,
            config={**want.config, "segment.index.bytes": "10485760"},
        )
        for want in wants
    }


def changed(found: dict[str, Actual], name: str, **changes: Any) -> dict[str, Actual]:
    return {**found, name: replace(found[name], **changes)}


def test_an_empty_cluster_gets_every_topic_in_the_order_of_the_specs():
    wants = all_wanted()

    steps = plan(wants, {})

    assert [(step.topic, type(step)) for step in steps] == [(want.name, Create) for want in wants]


def test_a_cluster_as_it_should_be_needs_nothing():
    wants = all_wanted()

    assert plan(wants, as_it_should_be(wants)) == ()


def test_a_setting_that_differs_is_changed_alone():
    wants, name = all_wanted(), JOURNAL.topic()
    have = as_it_should_be(wants)
    config = {**have[name].config, "retention.ms": "1000"}

    steps = plan(wants, changed(have, name, config=config))

    assert steps == (ChangeConfig(topic=name, setting="retention.ms", was="1000", to="-1"),)


@pytest.mark.parametrize(("name", "found"), [(INBOX.topic(), 63), (INBOX.topic(), 65), (JOURNAL.topic(), 128)])
def test_any_other_number_of_partitions_on_a_region_topic_is_refused(name: str, found: int):
    wants = all_wanted()

    steps = plan(wants, changed(as_it_should_be(wants), name, partitions=found))

    assert steps == (Refuse(topic=name, found=found, wanted=64),)


def test_more_partitions_than_wanted_are_fine_on_a_topic_of_one_sender():
    wants = all_wanted()

    assert plan(wants, changed(as_it_should_be(wants), REPORTS.topic("politie"), partitions=3)) == ()


def test_copies_and_unknown_topics_are_named_and_left():
    wants = all_wanted(replication=3)
    have = changed(as_it_should_be(wants), INBOX.topic(), replication=1)
    have["meldstroom.queue.opgeheven.v1"] = Actual(partitions=1, replication=1, config={})

    assert plan(wants, have) == (
        LeaveReplication(topic=INBOX.topic(), found=1, wanted=3),
        LeaveUnknown(topic="meldstroom.queue.opgeheven.v1"),
    )


def test_a_plan_with_a_refusal_touches_nothing():
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    steps = (
        Create(topic="a", partitions=1, replication=1, config={}),
        Refuse(topic="b", found=1, wanted=2),
    )

    with pytest.raises(DriftRefused) as caught:
        apply(Untouchable(), steps)  # type: ignore[arg-type]
    assert caught.value.refusals == steps[1:]


def test_every_step_can_be_said_in_both_languages():
    wants = all_wanted(replication=3)
    have = changed(as_it_should_be(wants), INBOX.topic(), replication=1, partitions=1, config={})
    have["meldstroom.queue.opgeheven.v1"] = Actual(partitions=1, replication=1, config={})
    del have[JOURNAL.topic()]

    steps = plan(wants, have)

    assert {type(step) for step in steps} == {Create, ChangeConfig, Refuse, LeaveReplication, LeaveUnknown}
    for step in steps:
        assert step.topic in step.say("nl")
        assert step.say("nl") != step.say("en")


@pytest.mark.broker
def test_a_real_broker_becomes_what_the_specs_say_and_stays_so(admin: KafkaAdminClient):
    # Members of this test alone: the broker is shared.
    wants = list(wanted(sources=["admin-s"], receivers=["admin-r"], regions=["admin-g"], replication=1, min_insync=1))
    names = {want.name for want in wants}

    def mine() -> dict[str, Actual]:
        return {name: found for name, found in actual(admin).items() if name in names}

    apply(admin, plan(wants, mine()))
    assert plan(wants, mine()) == ()

    # When somebody changes a setting, it is put right
    reports = REPORTS.topic("admin-s")
    apply(admin, [ChangeConfig(topic=reports, setting="retention.ms", was=None, to="3600000")])
    steps = plan(wants, mine())
    assert steps == (ChangeConfig(topic=reports, setting="retention.ms", was="3600000", to=str(30 * 24 * 3600 * 1000)),)
    apply(admin, steps)
    assert plan(wants, mine()) == ()

    # When the broker does not want a setting, that is not passed over
    with pytest.raises(ChangeFailed):
        apply(admin, [ChangeConfig(topic=reports, setting="retention.ms", was=None, to="soon")])

    # When somebody adds a partition to a region topic, nothing is applied any more
    wider = [replace(want, spec=INBOX, partitions=64) for want in wants if want.name == REPORTS.topic("admin-s")]
    with pytest.raises(DriftRefused):
        apply(admin, plan(wider, mine()))

    # And what is known no longer is left where it is
    assert LeaveUnknown(topic=reports) in plan([], mine())
