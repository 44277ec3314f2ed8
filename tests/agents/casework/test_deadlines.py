"""What happens when nobody answers (domain model, section 4; scenarios 39, 40 and 72)."""

import pytest

from tests.cases import ACUTE, TEAM_GOUDA, a_report, an_address
from tests.world import World, local
from topics import journal as j

YELLOW = {"yes": ("M1",)}


def offered_on(moment: str, **changes: object) -> World:
    world = World(start=moment)
    world.publish(a_report(received_at=moment, **changes))
    return world


def about_the_offer(world: World) -> list[j.Told]:
    """Who was told something with the last record, but for what is owed on the case (``test_owed.py``)."""
    return [event for event in world.events if isinstance(event, j.Told) and event.term is None]


@pytest.mark.parametrize(
    ("offered", "accept_before", "steps"),
    [
        pytest.param(
            "2026-03-25T14:00:00+01:00", "Mon 30 Mar 23:59:59",
            [
                ("REMINDER", "Fri 27 Mar 12:00:00"), ("SPECIALIST", "Mon 30 Mar 23:59:59"),
                ("COORDINATOR", "Tue 31 Mar 12:00:00"), ("RECALLED", "Tue 31 Mar 23:59:59"),
            ],
            id="39: over the change to summer time",
        ),
        pytest.param(
            "2026-04-02T14:00:00+02:00", "Thu 9 Apr 23:59:59",
            [
                ("REMINDER", "Wed 8 Apr 12:00:00"), ("SPECIALIST", "Thu 9 Apr 23:59:59"),
                ("COORDINATOR", "Fri 10 Apr 12:00:00"), ("RECALLED", "Fri 10 Apr 23:59:59"),
            ],
            id="40: over Easter",
        ),
    ],
)  # fmt: skip
def test_a_silent_team_is_reminded_and_the_case_taken_back(
    offered: str, accept_before: str, steps: list[tuple[str, str]]
):
    # Given a yellow case offered to a team
    world = offered_on(offered, **YELLOW)
    team = world.offer
    assert local(team.accept_before) == accept_before

    # When nobody answers until the end of its ladder
    world.pass_until(team.ladder[-1].due)

    # Then each step fired once, when it was due, and the centre has the case
    assert world.fired() == steps
    assert not any(step.late for step in world.all_events(j.StepFired))
    assert team.state == "RECALLED"
    assert (world.offer.receiver, world.offer.state) == ("vt-hm-beoordeling", "OFFERED")


def test_who_is_told_at_each_step():
    world = offered_on("2026-03-25T14:00:00+01:00", **YELLOW)
    told = []
    for step in world.offer.ladder:
        world.pass_until(step.due)
        told.append([(event.kind, event.to, event.person) for event in about_the_offer(world)])

    assert told == [
        [("REMINDER", TEAM_GOUDA, None)],
        [("SPECIALIST", TEAM_GOUDA, "hg-gda-01"), ("SPECIALIST", "vt-hm-beoordeling", "cp-hm-02")],
        [
            ("COORDINATOR", "vt-hm-coordinatie", None),
            # The team works for two municipalities; one has no entry of its own.
            ("COORDINATOR", "gemeente-gouda", None),
            ("COORDINATOR", "gemeenten-hollands-midden", None),
        ],
        [],
    ]
    assert [message["state"] for topic, message in world.last if "queue.wijkteam" in topic] == ["RECALLED"]


@pytest.mark.parametrize(
    ("report", "accept_before"),
    [
        pytest.param({}, "Wed 25 Mar 23:59:59", id="green: five working days"),
        pytest.param({"yes": ("M1",)}, "Mon 23 Mar 23:59:59", id="yellow: three"),
        pytest.param({"yes": ("S1",)}, "Thu 19 Mar 23:59:59", id="orange: one"),
        pytest.param({"yes": ("A1",)}, "Wed 18 Mar 11:00:00", id="red: one hour"),
        pytest.param({"kind": "OTHER_CARE"}, "Mon 23 Mar 23:59:59", id="without a colour: as yellow"),
    ],
)
def test_the_colour_sets_the_term(report: dict[str, object], accept_before: str):
    assert local(offered_on("2026-03-18T10:00:00+01:00", **report).offer.accept_before) == accept_before


def test_red_waits_for_no_office_hours():
    # Scenario 41: three at night on Easter Sunday
    world = offered_on("2026-04-05T03:00:00+02:00", yes=("A2",))
    world.pass_time(hours=2)

    assert world.fired() == [
        ("DUTY_OFFICER", "Sun 5 Apr 03:30:00"),
        ("MANAGER", "Sun 5 Apr 04:00:00"),
        ("DIRECTOR", "Sun 5 Apr 04:30:00"),
        ("RECALL_DUE", "Sun 5 Apr 05:00:00"),
    ]


def test_the_end_of_a_desk_s_ladder_comes_back_until_somebody_acts():
    world = offered_on("2026-03-18T10:00:00+01:00", yes=("A2",))
    world.pass_time(hours=4)
    assert [step for step in world.fired() if step[0] == "RECALL_DUE"] == [
        ("RECALL_DUE", f"Wed 18 Mar {when}:00") for when in ("12:00", "12:30", "13:00", "13:30", "14:00")
    ]

    world.answer("ACCEPTED")
    world.pass_time(days=3)

    assert len([step for step in world.fired() if step[0] == "RECALL_DUE"]) == 5
    assert world.offer.due() is None


def test_an_orange_desk_is_reminded_each_working_day_at_nine():
    # Friday; Monday is Easter
    world = offered_on("2026-03-31T10:00:00+02:00", yes=("S1",))
    world.pass_until("2026-04-08T08:00:00+02:00")

    assert [when for step, when in world.fired() if step == "RECALL_DUE"] == [
        "Thu 2 Apr 12:00:00", "Fri 3 Apr 09:00:00", "Tue 7 Apr 09:00:00",
    ] or [when for step, when in world.fired() if step == "RECALL_DUE"] == [
        "Thu 2 Apr 12:00:00", "Tue 7 Apr 09:00:00",
    ]  # fmt: skip


def test_after_an_outage_each_missed_step_fires_once_and_late():
    # Scenario 72
    world = offered_on("2026-03-25T14:00:00+01:00", **YELLOW)
    world.sleep_until("2026-04-20T09:00:00+02:00")

    world.tick()

    assert [step for step, _ in world.fired()] == ["REMINDER", "SPECIALIST", "COORDINATOR", "RECALLED"]
    assert all(step.late for step in world.all_events(j.StepFired))
    world.tick()
    assert len(world.fired()) == 4


def test_a_desk_s_last_step_fires_once_after_an_outage_and_not_for_each_time_it_was_missed():
    world = offered_on("2026-03-18T10:00:00+01:00", yes=("A2",))
    world.sleep_until("2026-03-19T10:00:00+01:00")
    world.tick()

    assert [step for step, _ in world.fired()] == ["DUTY_OFFICER", "MANAGER", "DIRECTOR", "RECALL_DUE"]
    assert local(world.book.due() or 0) == "Thu 19 Mar 10:30:00"


def test_a_minute_is_not_late():
    world = offered_on("2026-03-18T10:00:00+01:00", yes=("A2",))
    world.sleep_until("2026-03-18T10:31:00+01:00")
    world.tick()
    assert not world.expect(j.StepFired).late

    world.sleep_until("2026-03-18T11:01:01+01:00")
    world.tick()
    assert world.expect(j.StepFired).late


def test_red_fires_first_though_it_is_due_last():
    # Given a green, a yellow and an orange case that are long overdue, and a red one
    world = World()
    for household, yes in enumerate(((), ("M1",), ("S1",))):
        world.publish(a_report(household=household, yes=yes))
    world.sleep_until("2026-04-30T10:00:00+02:00")
    world.publish(a_report(household=3, yes=("A2",), received_at="2026-04-30T10:00:00+02:00"))
    world.sleep_until("2026-04-30T10:40:00+02:00")

    world.tick()

    order = list(dict.fromkeys(event.case_id for event in world.events if isinstance(event, j.StepFired)))
    assert [world.book.cases[case].colour for case in order] == ["RED", "ORANGE", "YELLOW", "GREEN"]


def test_a_long_backlog_fires_in_turns_and_red_is_in_the_first():
    # Given more overdue cases than fire in one record
    world = World()
    for household in range(24):
        world.publish(a_report(participants=[], address={"postcode": "2801 ZX", "house_number": 500 + household}))
    world.publish(a_report(household=3, yes=("A2",)))
    world.sleep_until("2026-04-30T10:00:00+02:00")

    world.tick()
    first = {event.case_id for event in world.events if isinstance(event, j.StepFired)}
    world.tick()
    second = {event.case_id for event in world.events if isinstance(event, j.StepFired)}

    assert world.case.id in first
    assert (len(first), len(second)) == (10, 10)
    assert not first & second


def test_a_tick_before_anything_is_due_changes_nothing():
    world = offered_on("2026-03-18T10:00:00+01:00")
    before = world.book.due()

    assert world.tick().events == ()
    assert world.book.due() == before


def test_an_acceptance_in_time_stops_the_ladder():
    world = offered_on("2026-03-25T14:00:00+01:00", **YELLOW)
    world.pass_until("2026-03-31T23:59:58+02:00")
    world.answer("ACCEPTED")
    world.pass_time(days=2)

    assert [step for step, _ in world.fired()] == ["REMINDER", "SPECIALIST", "COORDINATOR"]
    assert world.offer.state == "ACCEPTED"


def test_a_desk_that_is_itself_on_duty_is_told_once():
    # Given a red case at the duty desk, whose ladder tells both the receiver and the duty desk
    world = offered_on("2026-03-18T10:00:00+01:00", yes=("A2",))
    world.answer("REFUSED", reason="UNREACHABLE")
    assert world.offer.receiver == "vt-hm-bureaudienst"

    world.pass_until(world.book.due() or 0)

    assert [event.to for event in about_the_offer(world)] == ["vt-hm-bureaudienst"]


def test_a_record_stamped_by_a_wrong_clock_lets_nothing_fire_early():
    # Given an offer, and a report that the broker stamped while its clock was seven days ahead
    world = World()
    world.publish(a_report())
    offer = world.offer
    right = world.now
    world.now += 7 * 24 * 3_600_000
    world.publish(a_report(report_id="7b2f7f0e-5c1a-4a3e-9d55-0d7f2d1c9a11", participants=[], address=an_address(9)))

    # When the clock is right again and the first step is due
    world.now = offer.ladder[0].due
    assert right < world.now < offer.ladder[1].due
    world.tick()

    # Then that step has fired and no other
    assert [event.step for event in world.events if isinstance(event, j.StepFired)] == ["REMINDER"]


def test_what_fires_behind_a_gate_that_was_shut_for_hours_is_late_and_its_successor_has_its_full_time():
    # Given a red case that a team does not accept, and a gate that opened for the recall hours after it was due
    world = World()
    world.publish(a_report(yes=(ACUTE[0],)))
    due = world.offer.ladder[-1].due
    now = due + 5 * 3_600_000

    # When it fires what was due then
    world._take(world.writer.tick(now, due))

    # Then that is marked late, and nothing that follows from it has run out before it began
    assert all(event.late for event in world.events if isinstance(event, j.StepFired))
    assert world.records[-1].at == now
    assert world.offer.due() is not None
    assert world.offer.due() > now
