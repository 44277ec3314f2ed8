"""Quotas of sources: by what the brokers know them, planned by comparison, set on a real broker."""

import pytest
from kafka import KafkaAdminClient

from pipeline.regions import outlines, quotas_of
from tests.storm.field import REGIONS
from topics.admin import apply
from topics.quotas import SetQuota, actual_quotas, plan_quotas
from topics.specs import MIB, SOURCE_LIMITS, quotas

POLICE = "meldstroom.reports.politie.v1"


def test_a_quota_goes_by_the_principal_where_one_is_known_and_else_by_the_client_id():
    found = quotas({"politie": "CN=politie,O=Voorbeeld", "scholen": None})

    assert [(quota.source, quota.kind, quota.client) for quota in found] == [
        ("politie", "user", "CN=politie,O=Voorbeeld"),
        ("scholen", "client-id", "scholen"),
    ]


def test_only_the_limits_that_differ_are_set():
    wanted = list(quotas({"politie": None, "scholen": None}))
    actual = {
        ("client-id", "politie"): {"producer_byte_rate": 1000.0, "request_percentage": 25.0},
        ("client-id", "scholen"): SOURCE_LIMITS,
        ("client-id", "opgeheven"): {"producer_byte_rate": 1.0},
    }

    (step,) = plan_quotas(wanted, actual)

    assert step == SetQuota(
        topic=POLICE, kind="client-id", client="politie", limit="producer_byte_rate", was=1000.0, to=MIB
    )


def test_a_limit_on_a_client_id_says_nothing_about_the_user_of_that_name():
    steps = plan_quotas(quotas({"politie": "politie"}), {("client-id", "politie"): SOURCE_LIMITS})

    assert {(step.kind, step.was) for step in steps} == {("user", None)}


def test_every_source_of_the_regions_has_a_quota():
    regions = outlines(REGIONS)

    found = quotas_of(regions)

    assert {quota.source for quota in found} == {source.id for one in regions.values() for source in one.sources}


def test_the_step_can_be_said_in_both_languages():
    (step, _) = plan_quotas(quotas({"politie": None}), {})

    assert step.say("nl") == f"{POLICE}: grens producer_byte_rate van client-id politie van - naar 1048576"
    assert step.say("en") == f"{POLICE}: quota producer_byte_rate of client-id politie from - to 1048576"


@pytest.mark.broker
def test_a_real_broker_takes_the_quotas_over_and_they_stay(admin: KafkaAdminClient):
    # Given sources of this test alone, one with a principal: the broker is shared
    wanted = list(quotas({"quota-a": "CN=quota,O=Proef & Zoon", "quota-b": None}))
    assert len(plan_quotas(wanted, actual_quotas(admin))) == 4

    # When the plan is applied
    apply(admin, plan_quotas(wanted, actual_quotas(admin)))

    # Then nothing differs any more
    assert plan_quotas(wanted, actual_quotas(admin)) == ()

    # When somebody sets another limit, that one is put right
    apply(admin, [SetQuota(topic="", kind="client-id", client="quota-b", limit="request_percentage", was=None, to=1)])
    (step,) = plan_quotas(wanted, actual_quotas(admin))
    assert (step.client, step.limit, step.was, step.to) == ("quota-b", "request_percentage", 1.0, 25.0)
    apply(admin, [step])
    assert plan_quotas(wanted, actual_quotas(admin)) == ()

    # And a limit that no broker knows is not passed over
    with pytest.raises(Exception, match="snelheid"):
        apply(admin, [SetQuota(topic="", kind="user", client="quota-c", limit="snelheid", was=None, to=1)])
