"""The first proof: nothing is lost and nothing acts twice while workers are killed, on a real broker."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storm.field import Field, a_field
from tests.storm.history import CLEAN, check, read_history
from tests.storm.storm import storm

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    yield from a_field(tmp_path)


def test_20000_reports_and_five_kills_lose_and_double_nothing(field: Field):
    # Given two workers, one of them killed five times while 20,000 reports of two regions come in
    storm(field, random.Random(20261123), 20_000, 5)

    # When everything that was written is counted
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    # Then nothing was lost, nothing doubled, nothing out of order
    assert found.counts() == CLEAN
