"""A receiver that is out of service: what is offered to it meanwhile, and how it comes back (issue: duty and holds)."""

import pytest

from agents.casework.case import Case
from tests.cases import LEIDEN, TEAM_GOUDA, a_report
from tests.world import World, local
from topics import journal as j
from topics import specs

QUEUE = specs.QUEUE.topic(TEAM_GOUDA)
START = "2026-03-18T10:00:00+01:00"
YELLOW = {"yes": ("M1",)}


def a_household(world: World, number: int, **report: object) -> Case:
    world.publish(a_report(household=number, **report))
    return world.case


def on_its_queue(world: World) -> list[str]:
    """The cases that the team can see, in the order in which it sees them."""
    return [key for key, message in world.topics[QUEUE] if "accept_before" in message]


def test_what_was_offered_falls_to_the_centre_after_the_policys_time():
    # Given a yellow case that the team was offered at ten
    world = World(start=START)
    case = a_household(world, 1, **YELLOW)
    offer = world.offer

    # When the team is taken out of service an hour later, and nobody brings it back
    world.pass_until("2026-03-18T11:00:00+01:00")
    world.hold(TEAM_GOUDA)
    assert world.told() == {("RECEIVER_HELD", "vt-hm-bureaudienst"), ("RECEIVER_HELD", "vt-hm-coordinatie")}
    assert local(offer.falls or 0) == "Wed 18 Mar 15:00:00"
    world.pass_until("2026-03-18T15:00:00+01:00")

    # Then after four working hours a desk of the centre has it, and the team is told so
    assert offer.state == "RECALLED"
    assert (world.offer.receiver, world.case.rule) == ("vt-hm-beoordeling", "HELD")
    assert [message.get("state") for _, message in world.topics[QUEUE]] == [None, "RECALLED"]
    assert case.owner == "vt-hollands-midden"


def test_what_is_red_goes_to_the_centre_at_once():
    world = World(start=START)
    world.publish(a_report(**YELLOW))
    world.hold("vt-hm-crisis")

    # A red case comes while the crisis service is out of service
    world.publish(a_report(household=2, yes=("A2",)))
    assert (world.offer.receiver, world.case.rule) == ("vt-hm-bureaudienst", "HELD")

    # And one that it had already is taken back in the same minute
    other = World(start=START)
    other.publish(a_report(yes=("A2",)))
    assert other.offer.receiver == "vt-hm-crisis"
    other.hold("vt-hm-crisis")
    other.pass_time(seconds=1)
    assert (other.offer.receiver, other.case.handovers[0].state) == ("vt-hm-bureaudienst", "RECALLED")


def test_what_comes_meanwhile_is_not_put_on_its_queue_and_falls_by_its_own_time():
    world = World(start=START)
    world.hold(TEAM_GOUDA)
    world.pass_until("2026-03-18T11:00:00+01:00")
    case = a_household(world, 1, **YELLOW)

    assert (world.offer.receiver, world.offer.withheld) == (TEAM_GOUDA, True)
    assert world.topics[QUEUE] == []
    world.pass_until("2026-03-18T15:00:00+01:00")

    # The team never heard of it, so it hears of no recall either
    assert (world.offer.receiver, world.topics[QUEUE]) == ("vt-hm-beoordeling", [])
    assert case.handovers[0].state == "RECALLED"


def test_a_receiver_that_is_back_gets_what_waited_one_by_one_the_most_urgent_first():
    # Given three cases that came for the team while it was out of service
    world = World(start=START)
    world.hold(TEAM_GOUDA)
    green = a_household(world, 1)
    first = a_household(world, 2, **YELLOW)
    second = a_household(world, 3, **YELLOW)
    assert world.topics[QUEUE] == []
    owed = {case.id: (case.handovers[0].accept_before, case.terms) for case in world.book.cases.values()}

    # When it is back
    world.hold(TEAM_GOUDA, resume=True)
    world.tick()
    seen = [on_its_queue(world)]
    for _ in range(3):
        world.pass_time(minutes=5)
        seen.append(on_its_queue(world))

    # Then one comes every five minutes, yellow before green, and each by the moments that it was owed before
    order = [first.id, second.id, green.id]
    assert seen == [order[:1], order[:2], order, order]
    assert {c.id: (c.handovers[0].accept_before, c.terms) for c in world.book.cases.values()} == owed
    assert not any(handover.falls for case in world.book.cases.values() for handover in case.handovers)
    shown = world.topics[QUEUE][0][1]
    assert world.opened(shown, TEAM_GOUDA)["reports"]


def test_a_receiver_that_goes_out_again_keeps_what_it_has_and_gets_no_more():
    world = World(start=START)
    world.hold(TEAM_GOUDA)
    a_household(world, 1, **YELLOW)
    a_household(world, 2, **YELLOW)
    world.hold(TEAM_GOUDA, resume=True)
    world.tick()
    world.hold(TEAM_GOUDA)
    world.pass_time(hours=1)

    assert len(on_its_queue(world)) == 1
    world.pass_until("2026-03-18T14:00:00+01:00")
    assert {case.current().receiver for case in world.book.cases.values()} == {"vt-hm-beoordeling"}


def test_an_answer_that_the_team_still_gave_counts():
    world = World(start=START)
    world.publish(a_report(**YELLOW))
    world.hold(TEAM_GOUDA)
    world.answer("ACCEPTED")
    world.pass_time(days=1)

    assert (world.offer.receiver, world.offer.state) == (TEAM_GOUDA, "ACCEPTED")


def test_with_every_desk_that_could_stand_in_out_of_service_an_offer_stays_where_it_is_seen():
    world = World(start=START)
    for desk in ("vt-hm-beoordeling", "vt-hm-bureaudienst", "vt-hm-crisis"):
        world.hold(desk)
    world.hold(TEAM_GOUDA)
    world.publish(a_report(**YELLOW))
    assert (world.offer.receiver, world.offer.withheld) == (TEAM_GOUDA, False)
    world.publish(a_report(household=2, yes=("A2",)))
    assert (world.offer.receiver, world.offer.withheld) == ("vt-hm-crisis", False)
    world.pass_time(hours=3)
    assert world.case.current() is not None


def test_a_desk_that_goes_out_before_it_must_stand_in_leaves_the_offer_on_its_way_to_the_queue():
    world = World(start=START)
    world.hold(TEAM_GOUDA)
    world.publish(a_report(**YELLOW))
    world.hold("vt-hm-beoordeling")
    world.hold("vt-hm-bureaudienst")
    world.pass_until("2026-03-18T15:00:00+01:00")

    assert (world.offer.receiver, world.offer.withheld, on_its_queue(world)) == (TEAM_GOUDA, False, [world.case.id])


def test_a_desk_that_is_back_stands_in_for_others_again():
    world = World(start=START)
    for desk in ("vt-hm-bureaudienst", "vt-hm-crisis"):
        world.hold(desk)
    world.publish(a_report(yes=("A2",)))
    assert world.offer.receiver == "vt-hm-crisis"

    world.hold("vt-hm-bureaudienst", resume=True)
    world.tick()
    assert world.offer.receiver == "vt-hm-bureaudienst"


@pytest.mark.parametrize(
    ("receiver", "changes"),
    [
        pytest.param("wijkteam-bestaat-niet", {}, id="nobody"),
        pytest.param("vt-brabant-zuidoost", {}, id="another centre"),
        pytest.param(TEAM_GOUDA, {"role": "beoordelaar"}, id="not his to do"),
        pytest.param(TEAM_GOUDA, {"resume": True}, id="it is in service"),
    ],
)
def test_a_hold_that_is_not_possible_is_refused(receiver: str, changes: dict[str, object]):
    world = World(start=START)
    world.hold(receiver, **changes)

    world.expect(j.DeadLettered, reason="act_refused")
    assert world.book.held == {}


def test_why_it_was_held_is_kept_sealed():
    world = World(start=START)
    world.hold(TEAM_GOUDA)

    said = world.records[-1].input
    assert isinstance(said, j.ActInput)
    assert set(said.sealed) == {"reason"}
    assert said.key_id.encode() in world.keys
    world.hold(TEAM_GOUDA)
    world.expect(j.DeadLettered, reason="act_refused")


def test_a_new_worker_knows_who_is_out_of_service():
    world = World(start=START)
    world.publish(a_report(**YELLOW))
    world.hold(TEAM_GOUDA)
    world.publish(a_report(household=2, municipality=LEIDEN))
    world.snapshot()

    assert world.taken_over().book.encode() == world.book.encode()
    assert world.refolded().encode() == world.book.encode()
    assert world.decided_again() == world.journal
    assert world.taken_over().book.due() == world.book.due()
