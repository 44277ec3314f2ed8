"""Whom the steps of ladders tell: municipalities, and what happens when nobody is there to hear it."""

import pytest
import yaml

from tests.cases import ACUTE, POLICE, TEAM_GOUDA, a_report
from tests.world import World, local, regions
from topics import journal as j

START = "2026-03-18T10:00:00+01:00"
"""A Wednesday."""
DUTY = "vt-hm-bureaudienst"
CRISIS = "vt-hm-crisis"


def a_directory(**absent: tuple[str, str]) -> str:
    """The region's directory, but at those receivers nobody is on duty, nor stands in, from one moment to another."""
    found = yaml.safe_load(regions()["hollands-midden"].directory_text)
    found["rotas"] = [
        {
            "receiver": receiver.replace("_", "-"),
            "shifts": [{"days": [*_DAYS], "start": "00:00", "until": "00:00", "people": ["iemand"]}],
            "overrides": [{"start": start, "until": until}],
        }
        for receiver, (start, until) in absent.items()
    ]
    return yaml.safe_dump(found)


_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MARCH = ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")


def reported(directory: str, **changes: object) -> World:
    world = World(start=START, directory=directory)
    world.publish(a_report(received_at=START, **changes))
    return world


def fired(world: World) -> list[tuple[str, str, bool]]:
    """The steps of the offer: name, when it was due, whether nobody was there to be told."""
    return [(one.step, local(one.due), one.empty) for one in world.all_events(j.StepFired)]


def test_a_step_at_which_nobody_is_on_duty_is_left_at_once():
    # Given a rood case at the crisis desk, and nobody on duty there or at the desk for duty
    world = reported(a_directory(vt_hm_bureaudienst=MARCH, vt_hm_crisis=MARCH), yes=(ACUTE[0],))

    # When the first step is due
    world.pass_time(minutes=30)

    # Then who coordinates, and has no rota, hears it that minute instead of half an hour later
    assert fired(world) == [("DUTY_OFFICER", "Wed 18 Mar 10:30:00", True), ("MANAGER", "Wed 18 Mar 10:30:00", False)]
    told = [(one.kind, one.to) for one in world.all_events(j.Told) if one.kind in ("DUTY_OFFICER", "MANAGER")]
    # And it lies on the queues all the same, for whoever comes
    assert told[:4] == [
        ("DUTY_OFFICER", CRISIS), ("DUTY_OFFICER", DUTY), ("MANAGER", DUTY), ("MANAGER", "vt-hm-coordinatie"),
    ]  # fmt: skip
    # And the ladder goes on from there in its own time
    world.pass_time(minutes=90)
    assert fired(world)[2:] == [
        ("DIRECTOR", "Wed 18 Mar 11:30:00", False),
        ("RECALL_DUE", "Wed 18 Mar 12:00:00", False),
    ]


def test_a_step_that_somebody_hears_is_not_left():
    world = reported(a_directory(vt_hm_bureaudienst=MARCH), yes=(ACUTE[0],))
    world.pass_time(minutes=30)

    # The crisis desk has no rota: there is always somebody
    assert fired(world) == [("DUTY_OFFICER", "Wed 18 Mar 10:30:00", False)]


def test_a_last_step_that_nobody_hears_comes_back_as_ever():
    absent = a_directory(vt_hm_bureaudienst=MARCH, vt_hm_crisis=MARCH, vt_hm_coordinatie=MARCH)
    world = reported(absent, yes=(ACUTE[0],))
    world.pass_time(minutes=95)

    assert fired(world) == [
        *((step, "Wed 18 Mar 10:30:00", True) for step in ("DUTY_OFFICER", "MANAGER", "DIRECTOR", "RECALL_DUE")),
        ("RECALL_DUE", "Wed 18 Mar 11:00:00", True),
        ("RECALL_DUE", "Wed 18 Mar 11:30:00", True),
    ]


def test_silence_of_the_centre_is_no_reason_to_take_a_case_back_sooner():
    # Given a yellow case offered to a team; nobody coordinates in March, and the municipalities have no entry
    found = yaml.safe_load(a_directory(vt_hm_coordinatie=MARCH))
    found["receivers"] = [one for one in found["receivers"] if one["kind"] != "MUNICIPALITY"]
    world = reported(yaml.safe_dump(found), yes=("M1",))
    world.pass_time(days=7)

    # Then the step of who coordinates is empty, and the recall comes when the ladder said
    assert fired(world)[2:4] == [
        ("COORDINATOR", "Tue 24 Mar 12:00:00", True), ("RECALLED", "Tue 24 Mar 23:59:59", False),
    ]  # fmt: skip


def test_a_step_about_what_is_owed_is_left_too():
    world = reported(a_directory(vt_hm_bureaudienst=MARCH, vt_hm_crisis=MARCH), yes=(ACUTE[0],))
    world.pass_time(minutes=60)

    steps = [(one.step, local(one.due), one.empty) for one in world.all_events(j.TermFired) if one.term == "T01"]
    assert steps == [("DUTY_OFFICER", "Wed 18 Mar 11:00:00", True), ("MANAGER", "Wed 18 Mar 11:00:00", False)]


def test_an_addressee_that_has_ended_hears_nothing():
    found = yaml.safe_load(regions()["hollands-midden"].directory_text)
    for one in found["receivers"]:
        if one["id"] in (DUTY, CRISIS):
            one["valid_to"] = "2026-03-17"
    world = reported(yaml.safe_dump(found), yes=(ACUTE[0],))
    world.pass_time(minutes=30)

    assert fired(world)[0] == ("DUTY_OFFICER", "Wed 18 Mar 10:30:00", True)


@pytest.mark.parametrize(
    ("places", "told"),
    [
        pytest.param({"gemeente-gouda": ["0513"]}, ["gemeente-gouda"], id="its own"),
        pytest.param({"gemeente-gouda": ["0513"], "regio": []}, ["gemeente-gouda", "regio"], id="each place has one"),
        pytest.param({"regio": []}, ["regio"], id="one for the whole region is told once"),
        pytest.param({"gemeente-leiden": ["0546"]}, [], id="that of another place is not"),
        pytest.param({}, [], id="none"),
    ],
)
def test_the_municipalities_for_which_a_silent_team_works_hear_of_it(places: dict[str, list[str]], told: list[str]):
    found = yaml.safe_load(regions()["hollands-midden"].directory_text)
    model = next(one for one in found["receivers"] if one["kind"] == "MUNICIPALITY")
    found["receivers"] = [one for one in found["receivers"] if one["kind"] != "MUNICIPALITY"]
    found["receivers"] += [model | {"id": name, "municipalities": codes} for name, codes in places.items()]
    world = reported(yaml.safe_dump(found), yes=("M1",))

    step = next(step for step in world.offer.ladder if step.name == "COORDINATOR")
    assert (world.offer.receiver, step.tells) == (TEAM_GOUDA, ("vt-hm-coordinatie", *told))
    # What it hears names nobody: the case by its number, its colour, and the team
    world.pass_until(step.due)
    for message in (message for topic, message in world.last if topic.endswith(tuple(told)) and told):
        assert message["content"] is None
        assert message["case_id"] == world.case.id


def test_of_a_desk_that_stays_silent_no_municipality_hears():
    world = World(start=START)
    world.publish(a_report(received_at=START, yes=("S1",)), POLICE)
    assert not any(to.startswith("gemeente") for step in world.offer.ladder for to in step.tells)
