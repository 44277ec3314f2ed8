"""A source that publishes faster than it may is slowed by the broker, and nobody else is."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaProducer

from pipeline.regions import outlines, quotas_of
from tests.storm.field import Field, a_field, a_plain_report, wait_for
from tests.storm.history import check, read_history
from tests.storm.storm import Following
from topics import journal as j
from topics import specs
from topics.admin import apply
from topics.quotas import actual_quotas, plan_quotas

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

FLOODS, OTHER = "politie-oost-brabant", "scholen-zuidoost-brabant"
LITTLE = {"producer_byte_rate": 20_000.0}
REPORTS = 100
LONG = "Buren belden om geschreeuw; ter plaatse rustig. " * 60


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    for made in a_field(tmp_path):
        made.worker("intake", "a")
        made.worker("region", "a")
        yield made


def set_quotas(field: Field, wanted: list[specs.Quota]) -> None:
    apply(field.admin, plan_quotas(wanted, actual_quotas(field.admin)))


def waited_ms(producer: KafkaProducer) -> float:
    """The longest time for which the broker has told this client to hold back."""
    return float(producer.metrics()["producer-metrics"]["throttle-time-max"])


def registered(journal: Following) -> set[str]:
    return {
        record.input.report_id
        for record in journal.records()
        if isinstance(record.input, j.ReportInput) and any(isinstance(event, j.Registered) for event in record.events)
    }


def test_a_source_over_its_quota_slows_itself_only(field: Field):
    chance = random.Random(6)
    mine = {"bootstrap_servers": field.broker.bootstrap, "acks": "all", "linger_ms": 2}
    with (
        closing(Following(field)) as journal,
        closing(KafkaProducer(**mine, client_id=FLOODS)) as floods,
        closing(KafkaProducer(**mine, client_id=OTHER)) as other,
    ):
        # Given a source that may publish little
        set_quotas(field, list(specs.quotas({FLOODS: None}, LITTLE)))

        # When it publishes until the broker holds it back, and then much more
        sent = []

        def held_back() -> bool:
            sent.extend(field.publish(a_plain_report(chance, narrative=LONG), floods) for _ in range(50))
            return waited_ms(floods) > 0

        wait_for("held back", held_back)
        sent += [field.publish(a_plain_report(chance, narrative=LONG), floods) for _ in range(REPORTS)]

        # Then what another source publishes is decided while the first one still waits
        report = a_plain_report(chance, source_id=OTHER)
        field.publish(report, other)
        wait_for("the other's report decided", lambda: report["report_id"] in registered(journal))
        assert waited_ms(other) == 0
        assert not all(one.is_done for one in sent)

        # When it gets the quota that its region's folder gives it
        set_quotas(field, quotas_of(outlines(field.regions_folder)))

        # Then all of it arrives, in its order, and nothing is lost
        for offset, one in enumerate(sent):
            assert one.get(60).offset == offset
        wait_for("all decided", lambda: len(registered(journal)) == len(sent) + 1)
        found = check(read_history(field.broker.bootstrap, field.published, field.receivers))
        assert not found, found.counts()
