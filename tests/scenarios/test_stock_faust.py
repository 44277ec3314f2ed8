"""The proof can go red: the same rules on Faust as it comes lose and double reports, and the checker names them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storm.field import Field, a_field, wait_for
from tests.storm.history import Follower, check, read_history
from tests.storm.seen import BRABANT, HOLLAND, OF, publish, said
from tests.storm.stock import WINDOW_AT, changelog
from topics import admin, specs
from topics import journal as j

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    yield from a_field(tmp_path)


def test_stock_faust_is_seen_to_double_or_lose_what_it_had_in_hand_when_it_was_killed(field: Field):
    # Given a region whose messages are sent before the table is written, and one where it is the other way round
    chance = random.Random(20261126)
    how = {BRABANT: (f"stock={BRABANT}",), HOLLAND: (f"stock={HOLLAND}", "table-first")}
    admin.apply(field.admin, [changelog(region) for region in how])
    field.worker("intake", "a")
    ids = {region: publish(field, chance, region, 60) for region in how}

    # When each is killed in the midst of an event, and started again
    first = {region: field.worker("region", region, *flags, "window") for region, flags in how.items()}
    for region, worker in first.items():
        wait_for(f"{region} in the midst of an event", lambda worker=worker: said(worker, "in_the_window"))
        worker.kill()
        field.worker("region", region, *how[region])
    journal = Follower(field.broker.bootstrap, [specs.JOURNAL.topic()])
    new = {region: set[str]() for region in how}

    def each_went_on() -> bool:
        # Whatever is published while Faust recovers its table may be dropped: each time a new one.
        for region in how:
            new[region].update(publish(field, chance, region))
        decided = {getattr(j.decode(record.value).input, "report_id", None) for record in journal.read()}
        return all(found & decided for found in new.values())

    wait_for("each has gone on to what came in later", each_went_on)
    journal.close()

    # Then the checker names what was in hand: it was done again, or half of it is missing. Which one hangs on chance
    # too, for what Faust has fetched while it recovers its table it may drop.
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))
    for region in how:
        in_hand = f"{OF[region][0]}/{ids[region][WINDOW_AT]}/1"
        assert in_hand in found.doubled or f"receipt of {in_hand}" in found.lost
