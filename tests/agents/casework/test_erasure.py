"""What is left of a household after its data were destroyed: nothing that can be opened."""

import pytest

from agents.casework.writer import CaseworkWriter
from tests.cases import REGION, a_report, an_id
from tests.world import World, entropy, regions, whole
from topics import journal as j


@pytest.fixture
def world() -> World:
    """A household about which everything happened that leaves a key behind."""
    world = World()
    report = a_report(yes=("A2",))
    world.publish(report)
    world.publish(report | {"narrative": "Zij vertelt nu iets anders."})  # the id again, dead letter
    again = an_id()
    world.answer("ACKNOWLEDGED", answer_id=again, note="Mevrouw neemt niet op.")
    world.answer("ACKNOWLEDGED", answer_id=again, note="Mevrouw neemt niet op.")
    world.bring(world.sent[-1])  # our own second delivery
    world.answer("ACCEPTED", by="wijkteam-alphen-aan-den-rijn", note="Dit is onze mevrouw.")
    world.act("LOWER", colour="GREEN", reason="Mevrouw zegt dat het goed gaat.")  # not by one person alone
    world.act("SEEN", reason="Mevrouw gebeld.")
    world.publish(a_report(narrative="Weer ruzie bij mevrouw."))
    world.answer("STARTED", note="Met mevrouw gesproken.")
    world.act("CLOSE", reason="Mevrouw is verhuisd.")
    return world


def test_after_an_erasure_no_key_of_the_household_is_left(world: World):
    assert len(world.book.cases) == 1
    assert world.keys

    world.act("ERASE", second="m.vt-08", reason="Mevrouw heeft het gevraagd.")

    world.expect(j.Erased)
    assert world.keys == {}


def test_what_is_said_after_an_erasure_leaves_no_key_either(world: World):
    world.act("ERASE", second="m.vt-08")

    world.answer("COMPLETED", world.case.handovers[-1], note="Mevrouw is nu elders.")
    world.act("SEEN", reason="Mevrouw gezien.")

    assert world.keys == {}


def test_the_book_folds_to_the_same_without_the_keys(world: World):
    world.act("ERASE", second="m.vt-08")

    assert world.refolded().encode() == world.book.encode()


def test_a_snapshot_from_before_the_erasure_is_replaced_also_after_a_kill(world: World):
    # Given a snapshot, an erasure after it, and a kill before the next snapshot
    snapshot = world.snapshot()
    before = len(world.journal)
    world.act("ERASE", second="m.vt-08")

    # When another worker takes the region over
    other = CaseworkWriter(regions()[REGION], entropy(), lambda record, book: None)
    assert whole(other.restore(snapshot, world.keys)) == before
    for place, record in enumerate(world.journal[before:], before):
        other.replay(record, place)

    # Then the old snapshot, in which the household can still be opened, is replaced at once
    assert other.snapshot_wanted()
    assert other.book.encode() == world.book.encode()
