"""Whatever becomes of a message: a sign of danger in it reaches a person, and nobody gets back what was too much."""

from tests.cases import a_report
from tests.world import World
from topics import journal as j

ACUTE = a_report()["indicators"] | {"A3": "YES"}


def _told(world: World) -> set[tuple[str, str]]:
    return {(event.to, event.kind) for event in world.events if isinstance(event, j.Told)}


def test_an_acute_sign_in_a_version_that_comes_too_late_is_told_to_the_duty_desk():
    world = World()
    report = a_report(version=3)
    world.publish(report)

    world.publish(report | {"version": 2, "indicators": ACUTE})

    assert ("vt-hm-bureaudienst", "ACUTE_WITHOUT_CASE") in _told(world)


def test_an_acute_sign_in_a_withdrawal_is_told_to_the_duty_desk():
    world = World()
    report = a_report()
    world.publish(report)

    world.publish(report | {"version": 2, "kind": "WITHDRAWAL", "indicators": ACUTE})

    assert ("vt-hm-bureaudienst", "ACUTE_WITHOUT_CASE") in _told(world)


def test_what_is_held_gets_a_colour_by_a_person():
    # Given a double-anonymous report, held without a colour
    world = World()
    world.publish(a_report(reporter_disclosure="DOUBLE_ANONYMOUS"))
    assert world.case.colour is None

    world.act("RAISE", colour="RED")

    assert (world.case.colour, world.offer.destination) == ("RED", "VT_CRISIS")
    assert ("vt-hm-bureaudienst", "RED") in _told(world)


def test_a_team_never_gets_back_what_it_found_too_severe():
    # Given a case that a team refused as too severe, and that the centre completed and closed
    world = World()
    world.publish(a_report())
    team = world.offer.receiver
    world.answer("REFUSED", reason="TOO_SEVERE")
    for state in ("ACCEPTED", "STARTED", "COMPLETED"):
        world.answer(state)
    world.act("CLOSE")

    # When a light report on the same household comes
    world.pass_time(days=400)
    world.publish(a_report(report_id="7b2f7f0e-5c1a-4a3e-9d55-0d7f2d1c9a10"))

    # Then it goes to the centre
    assert world.offer.receiver != team
    assert world.offer.destination == "VT_ASSESSMENT"


def test_with_a_case_closed_the_centre_owns_it_again():
    world = World()
    world.publish(a_report())
    for state in ("ACCEPTED", "STARTED", "COMPLETED"):
        world.answer(state)
    assert world.case.owner.startswith("wijkteam-")

    world.act("CLOSE")

    assert (world.case.owner, world.case.executor) == ("vt-hollands-midden", "vt-hollands-midden")
