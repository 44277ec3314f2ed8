"""The proof can go red: a stage that commits before it writes loses reports, and the checker names them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storm.field import Field, a_field
from tests.storm.history import check, read_history
from tests.storm.storm import aimed_storm

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    yield from a_field(tmp_path)


def test_a_stage_that_commits_before_it_writes_is_seen_to_lose_reports(field: Field):
    # Given workers that commit first, killed between the commit and the writing
    aimed_storm(field, random.Random(20261124), 1_000, 2, "commits-first")

    # When everything that was written is counted
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    # Then reports are lost, and it shows
    published = {identity for identities in field.published.values() for identity in identities}
    assert published & set(found.lost)
    assert found.out_of_order  # a hole in the lane
