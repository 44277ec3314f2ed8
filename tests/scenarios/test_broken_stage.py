"""The proof can go red: what a stage that is broken on purpose loses, the checker names."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storm.field import Field, a_field, wait_for
from tests.storm.history import check, read_history
from tests.storm.seen import BRABANT, opened, publish, said
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


def test_a_stage_without_a_guard_against_holes_is_seen_to_lose_what_was_not_delivered(field: Field):
    # Given a stage that takes whatever comes next, and to which a stretch of the inbox is not delivered
    chance = random.Random(20261125)
    field.worker("intake", "a")
    worker = field.worker("region", "a", "trusts")
    opened(worker, BRABANT)
    publish(field, chance, BRABANT, 200)
    dropped = publish(field, chance, BRABANT, 20, mark="deaf0000")
    publish(field, chance, BRABANT, 200)
    wait_for("everything read", lambda: field.read_by("intake", "reports") and field.read_by("region", "inbox"))
    assert worker.stop() == 0
    assert said(worker, "hole_in_delivery") == []

    # When everything that was written is counted
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    # Then exactly what was not delivered is lost, its receipts too, and the lane has one hole
    lost = {f"politie-oost-brabant/{report_id}/1" for report_id in dropped}
    assert set(found.lost) == lost | {f"receipt of {identity}" for identity in lost}
    assert len(found.out_of_order) == 1
    assert f"{BRABANT}: inbox " in found.out_of_order[0]
