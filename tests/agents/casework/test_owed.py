"""What happens when what is owed is not done (domain model, section 4, ladders): T01 to T24."""

from agents.policy.model import moment
from tests.cases import ACUTE, TEAM_GOUDA, a_report
from tests.world import World, local
from topics import journal as j
from topics import specs

DESK = "vt-hm-beoordeling"
COORDINATION = "vt-hm-coordinatie"
DUTY = "vt-hm-bureaudienst"
MUNICIPALITIES = ("gemeente-gouda", "gemeenten-hollands-midden")
"""Those for which the team works; one has no entry of its own."""
# A Wednesday; no holiday comes before Easter, eighteen days later.
START = "2026-03-18T10:00:00+01:00"


def reported(start: str = START, **changes: object) -> World:
    world = World(start=start)
    world.publish(a_report(received_at=start, **changes))
    return world


def steps(world: World, term: str) -> list[tuple[str, str]]:
    """What fired about a term: (step, when it was due)."""
    return [(one.step, local(one.due)) for one in world.all_events(j.TermFired) if one.term == term]


def told(world: World, term: str) -> list[str]:
    """Who was told about a term, one after the other; of a desk with a rota not who was on duty."""
    people = [one for one in world.all_events(j.Told) if one.term == term]
    rotas = world.config.directory.rota_of
    return [one.to if one.person is None or one.to in rotas else f"{one.to}/{one.person}" for one in people]


def test_an_offer_that_nobody_has_seen_is_reminded_of_once_and_the_contact_person_knows():
    world = reported()
    world.pass_time(days=12)

    assert steps(world, "T02") == [("REMINDER", "Fri 20 Mar 23:59:59")]
    assert told(world, "T02") == [TEAM_GOUDA, f"{DESK}/cp-hm-02"]


def test_an_offer_that_was_seen_in_time_is_not():
    world = reported()
    world.answer("ACKNOWLEDGED")
    world.pass_time(days=12)

    assert steps(world, "T02") == []


def test_who_accepts_and_does_not_begin_is_reminded_and_loses_the_case():
    # Given a yellow case: first contact is owed at the end of the fifth working day
    world = reported(yes=("M1",))
    world.answer("ACCEPTED")

    # When the team lets that and the two working days after it pass
    world.pass_until("2026-03-27T23:59:59+01:00")

    # Then each step was told to whom the ladder names, and the centre has the case again
    assert steps(world, "T04") == [
        ("REMINDER", "Tue 24 Mar 12:00:00"), ("SPECIALIST", "Wed 25 Mar 23:59:59"),
        ("COORDINATOR", "Thu 26 Mar 23:59:59"), ("RECALLED", "Fri 27 Mar 23:59:59"),
    ]  # fmt: skip
    assert told(world, "T04") == [
        TEAM_GOUDA, f"{TEAM_GOUDA}/hg-gda-01", f"{DESK}/cp-hm-02", COORDINATION, *MUNICIPALITIES, COORDINATION,
    ]  # fmt: skip
    assert world.case.handovers[0].state == "RECALLED"
    assert (world.case.executor, world.offer.receiver, world.offer.state) == ("vt-hollands-midden", DESK, "OFFERED")
    # And what was owed to the family stays owed by the same moment
    assert local(world.case.terms["T04"]) == "Wed 25 Mar 23:59:59"


def test_who_takes_a_case_over_that_is_late_is_not_recalled_the_next_morning():
    world = reported(yes=("M1",))
    world.answer("ACCEPTED")
    world.pass_until("2026-03-28T10:00:00+01:00")
    world.answer("ACCEPTED")
    world.pass_time(days=7)

    assert world.offer.state == "ACCEPTED"
    # It is said each working day, until there has been contact
    assert [when for _, when in steps(world, "T04")[4:]] == [
        "Mon 30 Mar 09:00:00", "Tue 31 Mar 09:00:00", "Wed 1 Apr 09:00:00", "Thu 2 Apr 09:00:00",
    ]  # fmt: skip


def test_a_case_that_was_started_in_time_hears_nothing():
    world = reported(yes=("M1",))
    world.answer("STARTED")
    world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.pass_time(days=14)

    assert steps(world, "T04") == []
    assert steps(world, "T05") == []


def test_a_red_case_without_contact_is_told_every_half_hour_from_the_twentieth_hour_on():
    world = reported(yes=(ACUTE[0],))
    world.answer("ACCEPTED")
    world.pass_time(hours=25)

    found = steps(world, "T04r")
    assert found[:3] == [
        ("DUTY_OFFICER", "Thu 19 Mar 06:00:00"), ("DUTY_OFFICER", "Thu 19 Mar 06:30:00"),
        ("DUTY_OFFICER", "Thu 19 Mar 07:00:00"),
    ]  # fmt: skip
    assert len(found) == 11
    assert set(told(world, "T04r")) == {"vt-hm-crisis", DUTY, COORDINATION}

    world.answer("STARTED")
    world.pass_time(hours=5)
    assert len(steps(world, "T04r")) == 11


def test_an_assessment_that_is_due_is_told_to_the_worker_the_lead_and_the_manager_and_then_daily():
    world = reported()
    world.pass_until("2026-03-30T08:59:00+02:00")

    assert steps(world, "T05") == [
        ("REMINDER", "Mon 23 Mar 12:00:00"), ("COORDINATOR", "Wed 25 Mar 09:00:00"),
        ("MANAGER", "Wed 25 Mar 23:59:59"), ("MANAGER", "Thu 26 Mar 09:00:00"), ("MANAGER", "Fri 27 Mar 09:00:00"),
    ]  # fmt: skip
    assert told(world, "T05")[:4] == [DESK, COORDINATION, DUTY, COORDINATION]

    world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.pass_time(days=7)
    assert len(steps(world, "T05")) == 5


def test_red_that_nobody_looks_at_is_told_after_an_hour_and_every_half_hour():
    world = reported(yes=(ACUTE[0],))
    world.pass_time(hours=2)
    assert steps(world, "T01") == [
        ("DUTY_OFFICER", "Wed 18 Mar 11:00:00"), ("MANAGER", "Wed 18 Mar 11:30:00"), ("MANAGER", "Wed 18 Mar 12:00:00"),
    ]  # fmt: skip

    world.act("SEEN")
    world.pass_time(hours=2)
    assert len(steps(world, "T01")) == 3


def test_after_an_outage_each_missed_step_fires_once_and_late():
    world = reported()
    world.sleep_until("2026-04-10T10:00:00+02:00")
    world.tick()

    assert [step for step, _ in steps(world, "T05")] == ["REMINDER", "COORDINATOR", "MANAGER"]
    assert all(one.late for one in world.all_events(j.TermFired))
    before = len(world.all_events(j.TermFired))
    world.tick()
    assert len(world.all_events(j.TermFired)) == before
    # It comes back the next working day
    world.pass_until("2026-04-13T09:00:00+02:00")
    assert steps(world, "T05")[-1] == ("MANAGER", "Mon 13 Apr 09:00:00")


def test_red_fires_before_what_was_due_long_before():
    world = World(start=START)
    world.publish(a_report(received_at=START))
    world.publish(a_report(received_at=START, household=1, yes=(ACUTE[0],)))
    world.answer("ACCEPTED")
    world.sleep_until("2026-03-24T10:00:00+01:00")
    world.tick()

    order = list(dict.fromkeys(one.case_id for one in world.all_events(j.TermFired)))
    assert [world.book.cases[case].colour for case in order] == ["RED", "GREEN"]


def test_more_time_begins_the_ladder_anew_and_what_was_told_before_stays_told():
    # Given a family that was not informed: it is owed in four weeks, and a reminder came five working days before
    world = reported()
    world.answer("STARTED")
    world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.pass_until("2026-04-13T10:00:00+02:00")
    assert steps(world, "T09") == [("REMINDER", "Wed 8 Apr 09:00:00")]

    # When a person lengthens it by two weeks
    world.act("EXTEND")
    world.pass_until("2026-04-28T10:00:00+02:00")

    # Then there is a reminder for the new moment, and nothing came at the former one
    assert steps(world, "T09")[1:] == [("REMINDER", "Tue 21 Apr 09:00:00")]


def test_a_shorter_term_takes_no_step_again_that_was_taken():
    # Given a yellow case whose team was reminded of the first contact
    world = reported(yes=("M1",))
    world.answer("ACCEPTED")
    world.pass_until("2026-03-24T13:00:00+01:00")
    assert [step for step, _ in steps(world, "T04")] == ["REMINDER"]

    # When the case becomes orange: contact was owed four days ago by that clock
    world.act("RAISE", colour="ORANGE")
    world.pass_until("2026-03-26T23:59:59+01:00")

    assert [step for step, _ in steps(world, "T04")].count("REMINDER") == 1


def test_a_term_that_begins_when_it_is_over_is_told_once_by_its_last_step():
    # Given a report that lay somewhere for three weeks
    world = World(start="2026-04-10T10:00:00+02:00")
    world.publish(a_report(received_at=START))
    world.tick()

    assert [(one.step, one.late) for one in world.all_events(j.TermFired) if one.term == "T05"] == [("MANAGER", False)]


def test_a_notice_says_in_both_languages_what_is_owed_and_by_when():
    world = reported()
    world.pass_until("2026-03-23T12:00:00+01:00")

    (notice,) = [message for topic, message in world.last if topic == specs.NOTICES.topic(DESK)]
    assert (notice["kind"], notice["late"]) == ("REMINDER", False)
    assert local(notice["due"]) == "Mon 23 Mar 12:00:00"
    assert notice["owed"] == {
        "term": "T05", "due": world.case.terms["T05"], "nl": "De veiligheid is beoordeeld.",
        "en": "The safety has been assessed.",
    }  # fmt: skip


def test_on_a_closed_case_the_reporter_and_the_family_are_still_owed_an_answer():
    # Given a case of which a person found on the day itself that nothing needs to follow
    world = reported()
    world.act("ASSESS", rating="NONE", outcome="NO_STEPS")
    assert world.case.closed
    assert {term: local(due) for term, due in world.case.terms.items()} == {
        "T09": "Wed 15 Apr 23:59:59", "T10": "Fri 20 Mar 23:59:59",
    }  # fmt: skip

    # Then both climb as on any other case, to the centre
    world.pass_time(days=6)
    assert steps(world, "T10")[:2] == [("REMINDER", "Fri 20 Mar 23:59:59"), ("COORDINATOR", "Mon 23 Mar 23:59:59")]
    assert told(world, "T10")[:2] == [DESK, COORDINATION]
    assert {event.term for event in world.all_events(j.TermFired)} == {"T10"}

    # Until that is done
    world.act("FEEDBACK_GIVEN")
    world.act("INFORMED")
    fired = len(world.all_events(j.TermFired))
    world.pass_time(days=60)
    assert (world.case.terms, world.case.steps) == ({}, {})
    assert len(world.all_events(j.TermFired)) == fired


def test_what_is_owed_on_a_closed_case_stays_owed_by_its_moment_when_somebody_reports_again():
    world = reported()
    world.act("ASSESS", rating="NONE", outcome="NO_STEPS")
    world.publish(a_report(received_at="2026-03-18T15:00:00+01:00"))

    assert not world.case.closed
    assert (local(world.case.terms["T09"]), local(world.case.terms["T10"])) == (
        "Wed 15 Apr 23:59:59", "Fri 20 Mar 23:59:59",
    )  # fmt: skip
    assert world.refolded().encode() == world.book.encode()


def test_a_closed_drill_owes_nobody_anything():
    world = World(start=START)
    world.publish(a_report(received_at=START, test=True))
    world.answer("STARTED")
    world.act("CLOSE")

    assert (world.case.test, world.case.terms, world.case.steps) == (True, {}, {})


def test_an_erased_case_owes_nobody_anything():
    world = reported()
    world.act("ASSESS", rating="NONE", outcome="NO_STEPS")
    world.act("ERASE", second="m.vt-08", role="jurist")

    assert world.case.erased
    assert (world.case.terms, world.case.steps) == ({}, {})


def test_a_term_on_a_closed_case_can_still_be_moved():
    world = reported()
    world.act("ASSESS", rating="NONE", outcome="NO_STEPS")
    to = moment(world.now + 3_600_000).isoformat()
    world.act("MOVE_TIMER", term="T10", due=to, second="m.vt-08", role="teamleider")

    assert world.case.terms["T10"] == world.now + 3_600_000


def test_what_was_owed_on_a_merged_case_is_owed_on_the_one_in_which_it_goes_on_and_told_once():
    # Given a case whose assessment was reminded of, and a later one that turns out to be of the same household
    world = reported()
    first = world.case.id
    world.pass_until("2026-03-23T13:00:00+01:00")
    world.publish(a_report(received_at="2026-03-23T13:00:00+01:00", household=1))
    second = world.case.id
    assert [one.case_id for one in world.all_events(j.TermFired) if one.term == "T05"] == [first]

    world.act("MERGE", other_case=first)
    world.pass_until("2026-03-25T23:59:59+01:00")

    # Then the earlier moment holds, without a second reminder for it
    assert (world.book.cases[first].terms, world.book.cases[first].steps) == ({}, {})
    assert [(one.case_id, one.step) for one in world.all_events(j.TermFired) if one.term == "T05"] == [
        (first, "REMINDER"), (second, "COORDINATOR"), (second, "MANAGER"),
    ]  # fmt: skip


def test_what_was_owed_by_a_rule_that_is_gone_is_told_to_the_coordinator():
    world = reported()
    world.change_rules({"terms": {"T05": {"ladder": []}}})
    world.pass_until("2026-03-24T10:00:00+01:00")

    assert steps(world, "T05") == [("COORDINATOR", "Mon 23 Mar 12:00:00"), ("COORDINATOR", "Tue 24 Mar 09:00:00")]


def test_the_letter_of_the_decree_is_shown_and_tells_nobody():
    world = reported()
    assert "T06" in world.case.terms
    assert "T06" not in world.case.steps


def test_a_term_that_a_person_lets_pass_tells_whoever_its_ladder_names():
    # ``timers fire``: the moment is moved to a few seconds from now
    world = reported()
    world.act("MOVE_TIMER", term="T05", due=moment(world.now + 5_000).isoformat(), second="m.vt-08", role="teamleider")
    world.pass_time(seconds=5)

    assert [step for step, _ in steps(world, "T05")] == ["COORDINATOR", "MANAGER"]
