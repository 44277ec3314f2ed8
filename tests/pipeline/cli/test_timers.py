"""What is owed on which case, as operations see it."""

import pytest

from agents.casework.book import Book
from agents.casework.rules import rules_of
from agents.policy.model import moment
from pipeline.owed import Owed, owed
from tests.cases import EINDHOVEN, REGION, TEAM_GOUDA, a_report
from tests.world import TwoRegions, World


def of(book: Book) -> list[Owed]:
    return owed(REGION, book.cases.values(), rules_of(book))


def test_terms_and_the_next_step_of_an_offer_are_owed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", "en")
    world = World()
    world.publish(a_report(yes=("M1",)))

    found = {one.what: one for one in of(world.book)}

    assert found.keys() == {*world.case.terms, "REMINDER"}
    assert (found["REMINDER"].with_whom, found["REMINDER"].due) == (TEAM_GOUDA, world.offer.due())
    assert found["T05"].sentence == "The safety has been assessed."
    assert moment(found["T05"].due).isoformat() == "2026-03-25T22:59:59+00:00"


def test_of_a_receiver_that_is_out_of_service_it_is_said_when_the_centre_takes_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", "en")
    world = World()
    world.publish(a_report(yes=("M1",)))
    world.hold(TEAM_GOUDA)
    assert {one.what: one.due for one in of(world.book)}["HELD"] == world.offer.falls

    world.hold(TEAM_GOUDA, resume=True)
    world.publish(a_report(household=3, yes=("M1",)))
    world.answer("ACCEPTED")
    assert "REMINDER" not in {one.what for one in of(world.book) if one.case_id == world.case.id}


def test_what_is_still_owed_on_a_case_that_is_closed_is_shown():
    # A family that another centre took over: who reported it is still to hear of that
    two = TwoRegions()
    two.here.publish(a_report(municipality=EINDHOVEN))
    two.settle()
    two.there.answer("ACCEPTED")
    two.settle()

    assert two.here.case.closed
    assert [one.what for one in of(two.here.book)] == ["T10"]
