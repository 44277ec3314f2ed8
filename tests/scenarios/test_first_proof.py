"""The first proof: nothing is lost and nothing acts twice while workers are killed, on a real broker."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storm.field import Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.history import check, read_all, read_history
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    yield from a_field(tmp_path)


def _receipts(field: Field) -> int:
    return sum(
        1 for _ in read_all(field.broker.bootstrap, [specs.RECEIPTS.topic(source) for source in field.published])
    )


def _storm(field: Field, chance: random.Random, reports: int, kills: int, *flags: str) -> None:
    """Publish, and kill workers at random moments while they work; they come back under their own ids."""
    workers = [
        field.worker("intake", "a"),
        field.worker("region", "a", *flags),
        field.worker("region", "b", *flags),
    ]
    for _ in range(reports):
        source, place = chance.choice((("politie-oost-brabant", "0772"), ("politie-hollands-midden", "0546")))
        field.publish(a_plain_report(chance, source_id=source, municipality=place))
    field.producer.flush()
    due = sorted(chance.uniform(0.02, 0.8) * reports for _ in range(kills))
    for moment in due:
        wait_for(f"{moment:.0f} receipts", lambda moment=moment: _receipts(field) >= moment, 60)
        victim: Worker = chance.choice(workers)
        victim.kill()
        victim.start()
    wait_for("every receipt", lambda: _receipts(field) >= reports, 90)


def test_20000_reports_and_five_kills_lose_and_double_nothing(field: Field):
    # Given two workers, one of them killed five times while 20,000 reports of two regions come in
    _storm(field, random.Random(20261123), 20_000, 5)

    # When everything that was written is counted
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    # Then nothing was lost, nothing doubled, nothing out of order
    assert found.counts() == {"lost": 0, "doubled": 0, "out_of_order": 0, "owners_broken": 0, "differs": 0}
