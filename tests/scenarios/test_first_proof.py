"""The first proof: nothing is lost and nothing acts twice while workers are killed, on a real broker."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.storm.field import Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.history import check, read_history
from topics import specs

SOURCES = (("politie-oost-brabant", "0772"), ("politie-hollands-midden", "0546"))

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    yield from a_field(tmp_path)


class Receipts:
    """How many receipts the sources have got; each is read once."""

    def __init__(self, field: Field, sources: tuple[str, ...]) -> None:
        self.count = 0
        self._consumer = KafkaConsumer(
            bootstrap_servers=field.broker.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=5_000,
        )
        self._consumer.assign([TopicPartition(specs.RECEIPTS.topic(source), 0) for source in sources])

    def reach(self, count: float) -> None:
        def reached() -> bool:
            self.count += sum(map(len, self._consumer.poll(timeout_ms=200).values()))
            return self.count >= count

        wait_for(f"{count:.0f} receipts", reached, 90)


def _storm(field: Field, chance: random.Random, reports: int, kills: int, *flags: str) -> None:
    """Publish, and kill workers at random moments while they work; they come back under their own ids."""
    workers = [
        field.worker("intake", "a"),
        field.worker("region", "a", *flags),
        field.worker("region", "b", *flags),
    ]
    for _ in range(reports):
        source, place = chance.choice(SOURCES)
        field.publish(a_plain_report(chance, source_id=source, municipality=place))
    field.producer.flush()
    receipts = Receipts(field, tuple(source for source, _ in SOURCES))
    for moment in sorted(chance.uniform(0.02, 0.8) * reports for _ in range(kills)):
        receipts.reach(moment)
        victim: Worker = chance.choice(workers)
        victim.kill()
        victim.start()
    receipts.reach(reports)


def test_20000_reports_and_five_kills_lose_and_double_nothing(field: Field):
    # Given two workers, one of them killed five times while 20,000 reports of two regions come in
    _storm(field, random.Random(20261123), 20_000, 5)

    # When everything that was written is counted
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    # Then nothing was lost, nothing doubled, nothing out of order
    assert found.counts() == {"lost": 0, "doubled": 0, "out_of_order": 0, "owners_broken": 0, "differs": 0}
