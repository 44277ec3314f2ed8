"""A family in another region: the case goes from one centre to the other, and has one owner (domain model, X2; 3.7)."""

from typing import Any

import orjson
import pytest

from tests.cases import EINDHOVEN, a_report, an_id
from tests.world import OTHER, TwoRegions
from topics import journal as j
from topics import specs

HERE, THERE = "vt-hollands-midden", "vt-brabant-zuidoost"
SCHOOL = {"source_id": "scholen-hollands-midden", "reporter": {"capacity": "SCHOOL"}}
LIVES_ELSEWHERE = {
    "municipality": EINDHOVEN,
    "address": {"postcode": "5611AB", "house_number": 4, "street": "Hopsteeg"},
}


def offered(**changes: Any) -> TwoRegions:
    """A family of the other region was reported here, and offered there."""
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE | changes))
    two.settle()
    return two


def test_a_family_that_lives_elsewhere_is_offered_to_the_centre_there():
    # Scenario 37, X2
    two = offered()

    assert (two.here.case.colour, two.here.case.destination, two.here.case.rule) == ("GREEN", "OTHER_VT", "X2")
    assert two.here.offer.receiver == THERE
    assert (two.there.offer.receiver, two.there.case.colour) == ("vt-bzo-beoordeling", "GREEN")
    assert "TRANSFER" in two.there.case.reasons
    # The other centre holds it, and the first one owns it.
    assert two.owners() == (HERE, HERE)


def test_the_desk_there_gets_what_was_reported_and_no_reporter():
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, narrative="Er is geschreeuwd."))
    two.bring(two.there)

    (offer,) = [message for topic, message in two.there.last if topic == specs.QUEUE.topic("vt-bzo-beoordeling")]
    (report,) = two.there.opened(offer, "vt-bzo-beoordeling")["reports"]
    assert report["summary"] == "Er is geschreeuwd."
    assert "reporter" not in report
    sent = orjson.dumps([message for _, message in two.here.topics[specs.TRANSFERS.topic(OTHER)]])
    assert b"geschreeuwd" not in sent


def test_the_owner_changes_when_the_other_centre_accepts_and_not_before_the_first_has_recorded_it():
    # Scenario 37
    two = offered()
    due = two.here.case.terms["T05"]
    two.there.answer("ACCEPTED")
    assert two.owners() == (HERE, HERE)

    two.bring(two.here)
    assert two.owners() == (THERE, HERE)
    # Who reported is known here alone: that he hears of it is still owed.
    assert (two.here.case.closed, two.here.case.current(), list(two.here.case.terms)) == (True, None, ["T10"])

    two.bring(two.there)
    assert two.owners() == (THERE, THERE)
    assert not two.there.case.closed
    # What was owed is owed there by the same moment.
    assert two.there.case.terms["T05"] == due


def test_that_a_person_saw_it_there_is_known_here():
    two = offered()
    two.there.answer("ACKNOWLEDGED", by=None)
    two.settle()

    assert two.here.offer.acknowledged is not None


def test_a_refusal_brings_it_back_to_the_first_centre():
    two = offered()
    two.there.answer("REFUSED", reason="INSUFFICIENT_INFO")
    two.settle()

    assert (two.there.case.closed, two.there.case.owner, two.there.case.current()) == (True, HERE, None)
    # Nothing of that family is kept where it is not known.
    assert (two.there.case.erased, two.there.keys) == (True, {})
    assert (two.here.offer.receiver, two.here.case.owner) == ("vt-hm-beoordeling", HERE)


def test_silence_there_brings_it_back_and_it_is_nothing_of_theirs_any_more():
    two = offered()
    two.here.pass_time(days=60)
    assert two.here.offer.receiver.startswith("vt-hm-")
    two.settle()

    assert (two.there.case.closed, two.there.case.current()) == (True, None)


def test_an_acceptance_that_comes_too_late_changes_nothing_and_is_told():
    two = offered()
    two.there.answer("ACCEPTED")
    two.here.act("CLOSE")
    two.here.expect(j.DeadLettered, reason="act_refused")  # it waits for an answer
    two.here.pass_time(days=60)
    two.settle()

    assert (two.here.case.owner, two.there.case.owner) == (HERE, HERE)
    assert (two.there.case.closed, two.there.case.current()) == (True, None)


def test_every_message_twice_changes_nothing():
    two = offered()
    two.there.answer("ACCEPTED")
    two.settle()
    for world, sender in ((two.here, two.there), (two.there, two.here)):
        for place, (key, message) in enumerate(sender.topics[specs.TRANSFERS.topic(world.region)]):
            world.bring(two.record(specs.TRANSFERS.topic(world.region), place, key, message, world.now))
            world.expect(j.Repeated, receipt=False)

    assert [len(case.entries) for case in two.there.book.cases.values()] == [1]
    assert two.owners() == (THERE, THERE)


def test_a_new_report_while_it_is_offered_goes_along_and_may_raise_it():
    two = offered()
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, yes=("S1",)))
    two.settle()

    assert (two.there.case.colour, len(two.there.case.entries)) == ("ORANGE", 2)
    two.there.answer("ACCEPTED")
    two.settle()
    assert two.owners() == (THERE, THERE)


def test_what_was_accepted_before_the_news_arrived_is_accepted_with_it():
    two = offered()
    two.there.answer("ACCEPTED")
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE))  # before the acceptance is brought over
    two.settle()

    assert two.owners() == (THERE, THERE)
    assert (two.here.case.closed, len(two.there.case.entries)) == (True, 2)
    assert len(two.there.book.cases) == 1


def test_a_report_here_after_it_was_handed_over_goes_the_same_way():
    two = offered()
    two.there.answer("ACCEPTED")
    two.settle()
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE))
    assert (two.here.case.owner, two.here.offer.receiver) == (HERE, THERE)
    two.settle()

    # The centre there has the family already: nobody need accept it once more.
    assert two.owners() == (THERE, THERE)
    assert (len(two.here.book.cases), len(two.there.book.cases), len(two.there.case.entries)) == (1, 1, 2)


def test_red_is_met_first_where_it_was_reported():
    # Scenario 64
    two = offered(yes=("A2",))
    assert (two.here.offer.receiver, two.here.case.destination) == ("vt-hm-crisis", "VT_CRISIS")
    assert [(found[0], found[3]) for found in two.here.case.prepared.values() if found[1] == "OTHER_VT"] == [
        ("F8", "PHONE")
    ]
    assert len(two.there.book.cases) == 0

    two.here.answer("STARTED")
    two.here.act("ASSESS", rating="ACUTE", outcome="HANDOVER")
    two.settle()
    assert (two.there.case.colour, two.there.offer.receiver) == ("RED", "vt-bzo-bureaudienst")
    assert two.owners() == (HERE, HERE)
    # Whoever acts here goes on until the other centre has accepted.
    assert "vt-hm-crisis" in {one.receiver for one in two.here.case.handovers if one.state == "STARTED"}

    two.there.answer("ACCEPTED")
    two.settle()
    assert two.owners() == (THERE, THERE)
    assert {one.state for one in two.here.case.handovers} == {"SUPERSEDED", "COMPLETED"}


def test_a_family_that_moves_while_it_is_assessed_stays_in_hand_until_the_other_centre_accepts():
    # Scenario 37
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL, yes=("S1",)))
    two.here.answer("ACCEPTED")
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, yes=("S1",)))
    two.settle()

    assert two.here.case.executor == "vt-hm-voorwaarden"
    assert len(two.there.case.entries) == 2
    two.there.answer("REFUSED", reason="NOT_OUR_AREA")
    two.settle()
    assert two.here.offer.receiver == "vt-hm-voorwaarden"


def test_the_household_that_is_known_there_counts():
    two = TwoRegions()
    report = LIVES_ELSEWHERE | {"source_id": "politie-oost-brabant"}
    two.there.publish(a_report(**report))
    known = two.there.case
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE))
    two.settle()

    case = two.there.case
    assert case.id != known.id
    assert (case.colour, "U1" in case.reasons) == ("YELLOW", True)
    assert [one.id for one in two.there.book.household(case)] == [case.id, known.id]


def test_while_it_is_another_centres_nobody_changes_it_here():
    two = offered()
    for kind, more in (("RAISE", {"colour": "RED"}), ("CLOSE", {}), ("MERGE", {"other_case": two.there.case.id})):
        two.there.act(kind, **more)
        two.there.expect(j.DeadLettered, reason="act_refused")


def test_what_was_handed_over_is_not_reopened_here():
    two = offered()
    two.there.answer("ACCEPTED")
    two.settle()
    two.here.act("REOPEN")

    two.here.expect(j.DeadLettered, reason="act_refused")


def test_a_team_that_says_the_family_moved_to_another_region_brings_it_to_the_centre_there():
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL))
    two.here.answer("REFUSED", reason="NOT_OUR_AREA", municipality=EINDHOVEN)
    two.settle()

    assert two.here.offer.receiver == THERE
    assert two.there.offer.receiver == "vt-bzo-beoordeling"


def test_a_message_of_somebody_else_is_put_aside():
    two = offered()
    topic = specs.TRANSFERS.topic(OTHER)
    _, message = two.here.topics[topic][0]
    for place, changes in enumerate(({"sender": "utrecht"}, {"region": "hollands-midden"}, {"reports": []}), 7):
        two.there.bring(two.record(topic, place, "x", message | {"transfer_id": an_id()} | changes, two.there.now))
        two.there.expect(j.DeadLettered)


def test_both_books_are_folded_and_saved_the_same():
    two = offered(yes=("S1",))
    two.there.answer("ACCEPTED")
    two.settle()
    for world in (two.here, two.there):
        assert world.refolded().encode() == world.book.encode()
        assert world.decided_again() == world.journal


def test_what_came_from_another_centre_can_be_offered_further_and_destroyed():
    two = offered()
    two.there.answer("ACCEPTED")
    two.settle()
    two.there.act("ASSESS", rating="NONE", outcome="HANDOVER")
    assert two.there.offer.receiver.startswith("wijkteam-")
    two.there.answer("STARTED")
    two.there.act("CLOSE")
    two.there.act("ERASE", second="m.vt-08")

    assert (two.there.case.erased, two.there.keys) == (True, {})


@pytest.mark.parametrize("order", ["here", "there"])
def test_whichever_side_hears_first_never_both_are_owner(order: str):
    two = offered()
    two.there.answer("ACCEPTED")
    steps = (two.here, two.there) if order == "here" else (two.there, two.here)
    for world in (*steps, *steps):
        two.bring(world)
        # The other centre says it is its own only after the first has said so too.
        assert two.owners() != (HERE, THERE)


def test_what_was_refused_can_be_offered_once_more():
    two = offered()
    two.there.answer("REFUSED", reason="INSUFFICIENT_INFO")
    two.settle()
    two.here.act("REEVALUATE")
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, yes=("S1",)))
    two.settle()

    assert len(two.there.book.cases) == 2
    assert (two.there.case.colour, len(two.there.case.entries), two.there.case.erased) == ("ORANGE", 2, False)
    two.there.answer("ACCEPTED")
    two.settle()
    assert two.owners() == (THERE, THERE)


THEIRS = {"source_id": "politie-oost-brabant"}


def rep(**changes: Any) -> dict[str, Any]:
    return a_report(**SCHOOL | LIVES_ELSEWHERE | changes)


def accepted(**changes: Any) -> TwoRegions:
    """A family that the other centre has taken over."""
    two = offered(**changes)
    two.there.answer("ACCEPTED")
    two.settle()
    return two


def test_a_case_that_was_theirs_and_is_closed_is_not_given_back_or_destroyed():
    two = accepted()
    two.there.publish(a_report(**THEIRS | LIVES_ELSEWHERE))
    before = two.there.case
    two.there.answer("STARTED")
    two.there.act("CLOSE")
    two.here.publish(rep())
    two.settle()
    assert (two.there.case.id != before.id, before.owner) == (True, THERE)

    two.there.answer("REFUSED", reason="INSUFFICIENT_INFO")
    two.settle()
    assert (before.erased, two.there.case.erased) == (False, True)
    assert two.there.keys != {}


@pytest.mark.parametrize("colour", ["GREEN", "ORANGE"])
def test_what_is_merged_here_while_it_is_offered_goes_along(colour: str):
    two = offered()
    first = two.here.case
    yes = ("S1",) if colour == "ORANGE" else ()
    two.here.publish(rep(household=3, yes=yes, address={**LIVES_ELSEWHERE["address"], "house_number": 99}))
    two.settle()
    second = two.here.case
    two.here.act("MERGE", first, other_case=second.id)
    two.settle()

    there = [case for case in two.there.book.cases.values() if case.offered_by]
    assert [(case.offered_by[1], len(case.entries)) for case in there] == [(first.id, 2)]


def test_what_is_open_at_the_other_centre_stays_open_when_more_is_offered():
    two = accepted()
    two.there.publish(a_report(**THEIRS | LIVES_ELSEWHERE, unknown=("A2", "S1")))
    assert two.there.case.provisional
    two.here.publish(rep())
    two.settle()

    assert two.there.case.provisional
    assert {"A2", "S1"} <= {*two.there.case.open_questions}
    two.there.act("SETTLE", indicators={"A2": "YES"})
    assert two.there.case.colour == "RED"


def test_reports_of_both_regions_count_together():
    two = accepted()
    two.there.publish(a_report(**THEIRS | LIVES_ELSEWHERE))
    two.here.publish(rep())
    two.settle()

    assert (two.there.case.colour, len(two.there.case.entries)) == ("ORANGE", 3)


def test_what_a_person_decided_there_is_not_undone_when_more_is_offered():
    two = TwoRegions()
    two.there.publish(a_report(**THEIRS | LIVES_ELSEWHERE))
    known = two.there.case
    two.here.publish(rep(yes=("S1",), restraining_order={"state": "IN_FORCE", "since": "2026-03-01"}))
    two.settle()
    case = two.there.case
    two.there.answer("ACCEPTED", case.current())
    two.settle()
    two.there.act("UNLINK", case, other_case=known.id)
    two.there.act("LOWER", case, colour="GREEN", second="m.vt-08")
    two.there.act("RESTRAINING_ORDER", case, standing={"state": "ENDED"})
    two.there.act("SEEN", known)
    two.here.publish(rep(received_at="2026-03-18T10:00:00+01:00"))
    two.settle()

    assert (case.confirmed, case.unlinked) == ([], [known.id])
    assert case.standing["RESTRAINING_ORDER"].state == "ENDED"
    assert case.colour != "ORANGE"


def test_what_was_broken_stays_broken_at_the_other_centre():
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL, contact_ban={"state": "BROKEN"}))
    two.here.publish(rep(contact_ban={"state": "IN_FORCE"}))
    two.here.answer("STARTED")
    two.here.act("ASSESS", rating="ACUTE", outcome="HANDOVER")
    two.settle()

    assert two.there.case.standing["CONTACT_BAN"].state == "BROKEN"


def test_a_measure_that_a_person_recorded_goes_along_with_what_is_owed_for_it():
    two = TwoRegions()
    two.here.publish(rep(yes=("S1",)))
    two.here.act("MEASURE", standing={"measure": "OTS", "state": "IN_FORCE", "since": "2026-03-18T10:00:00+01:00"})
    two.settle()
    two.there.answer("ACCEPTED")
    two.settle()

    assert two.there.case.standing["OTS"].state == "IN_FORCE"
    assert {"T17", "T18o"} <= two.there.case.terms.keys()


def test_what_was_refuted_here_does_not_count_there():
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL))
    two.here.answer("STARTED")
    two.here.act("OUTCOME", found="REFUTED")
    two.here.publish(rep())
    two.settle()

    assert [entry.counts for entry in two.there.case.entries] == [False, True]
    assert two.there.case.colour == "GREEN"


def test_monitoring_ends_where_the_family_left():
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL))
    two.here.act("MONITOR_START")
    assert "T13a" in two.here.case.terms
    two.here.publish(rep())
    two.settle()
    two.there.answer("ACCEPTED")
    two.settle()

    assert two.here.case.standing["MONITORING"].state == "ENDED"
    assert list(two.here.case.terms) == ["T10"]


def test_what_was_taken_out_of_a_case_there_does_not_come_back_with_the_next_offer():
    two = accepted()
    case, second = two.there.case, rep()
    two.here.publish(second)
    two.settle()
    assert len(case.entries) == 2
    two.there.act("UNLINK", case, reports=[second["report_id"]])
    apart = two.there.case
    assert apart is not case

    two.here.publish(rep())
    two.settle()
    threads = [entry.thread.rpartition("/")[2] for entry in case.entries]
    assert (len(threads), second["report_id"] in threads) == (2, False)
    assert [entry.thread.rpartition("/")[2] for entry in apart.entries] == [second["report_id"]]


def test_danger_that_is_said_here_of_a_family_that_is_theirs_reaches_them():
    two = accepted()
    part = {"party": "gi-hollands-midden", "scale": 2, "indicators": {"A2": "YES"}, "valid_until": "2026-09-01"}
    two.here.act("ASSESSMENT_PART", part=part)
    two.settle()

    assert ("ACUTE_WITHOUT_CASE", "vt-bzo-beoordeling") in two.there.told()


def test_what_was_handed_over_is_not_merged_here():
    two = accepted()
    over = two.here.case
    two.here.publish(a_report(household=3))
    two.here.act("MERGE", two.here.case, other_case=over.id)

    two.here.expect(j.DeadLettered, reason="act_refused")


def test_a_desk_that_starts_at_once_is_owner_no_sooner():
    two = offered()
    two.there.answer("STARTED")
    assert two.owners() == (HERE, HERE)
    two.settle()

    assert two.owners() == (THERE, THERE)


PART = {
    "party": "wijkteam-gouda", "scale": 4, "indicators": {"M2": "YES"}, "conditions": ["Oma is er elke avond."],
    "valid_until": "2026-12-31",
}  # fmt: skip


def test_the_shared_assessment_goes_along_and_nobody_there_asks_the_family_again():
    # Given a case with a party's part of the assessment, which turns out to be of the other region
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL))
    two.here.act("ASSESSMENT_PART", part=PART)
    found = two.here.case.assessment[0]

    # When its team says where the family lives now
    two.here.answer("REFUSED", reason="NOT_OUR_AREA", municipality=EINDHOVEN)
    assert two.here.offer.receiver == THERE
    two.bring(two.there)

    # Then it stands on the case there as it was found, and in the offer of the desk
    (part,) = two.there.case.assessment
    assert (part.party, part.version, part.scale, part.indicators, part.at, part.valid_until) == (
        "wijkteam-gouda", 1, 4, {"M2": "YES"}, found.at, "2026-12-31",
    )  # fmt: skip
    (offer,) = [message for topic, message in two.there.last if topic == specs.QUEUE.topic("vt-bzo-beoordeling")]
    assert two.there.opened(offer, "vt-bzo-beoordeling")["assessment"] == [{**PART, "version": 1, "at": found.at}]
    sent = orjson.dumps([message for _, message in two.here.topics[specs.TRANSFERS.topic(OTHER)]])
    assert b"Oma" not in sent
    # And another worker reads the same of it, also for a later offer
    assert two.there.refolded().encode() == two.there.book.encode()
    two.there.answer("ACCEPTED")
    two.settle()
    two.there.answer("RETURNED", reason="INSUFFICIENT_INFO")
    (later,) = [message for topic, message in two.there.last if ".queue." in topic and message.get("content")]
    assert two.there.opened(later, later["receiver"])["assessment"] == [{**PART, "version": 1, "at": found.at}]


def test_of_what_is_passed_on_again_only_newer_parts_are_added():
    # Given a family that was offered there, of which a party here finds something, and then something else
    two = offered()
    for number, scale in enumerate((4, 3)):
        two.here.act("ASSESSMENT_PART", part=PART | {"scale": scale})
        # What is reported next is offered there with all that is known
        two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, received_at=f"2026-03-18T1{number + 4}:00:00+01:00"))
        two.settle()

    assert [(one.version, one.scale) for one in two.there.case.assessment] == [(2, 3)]
    assert [event.version for event in two.there.all_events(j.AssessmentAdded)] == [1, 2]


def test_a_report_that_was_passed_on_with_others_is_taken_out_and_destroyed_alone():
    # Given two reports of one evening that were passed on in one offer, and the centre there has the case
    two = TwoRegions()
    first = a_report(**SCHOOL | LIVES_ELSEWHERE, narrative="Er is geschreeuwd.")
    other = a_report(
        **SCHOOL | LIVES_ELSEWHERE, narrative="De buurvrouw is geslagen.", received_at="2026-03-18T11:00:00+01:00"
    )
    two.here.publish(first)
    two.here.publish(other)
    two.bring(two.there)
    for state in ("ACCEPTED", "STARTED"):
        two.there.answer(state)
    two.settle()
    whole = two.there.case
    assert [entry.thread.rpartition("/")[2] for entry in whole.entries] == [first["report_id"], other["report_id"]]
    assert len({entry.key_id for entry in whole.entries}) == 2

    # When a person finds that the second is of another household
    two.there.act("UNLINK", whole, reports=[other["report_id"]])
    two.there.expect(j.ReportsMoved)
    apart = two.there.case
    assert [entry.thread.rpartition("/")[2] for entry in apart.entries] == [other["report_id"]]
    (offer,) = [message for topic, message in two.there.last if ".queue." in topic and message.get("content")]
    (told,) = two.there.opened(offer, offer["receiver"])["reports"]
    assert told["summary"] == "De buurvrouw is geslagen."
    assert two.there.refolded().encode() == two.there.book.encode()

    # And that household is erased, then the other one is as readable as it was
    two.there.answer("ACCEPTED", next(one for one in apart.handovers if one.state == "OFFERED"))
    two.there.act("CLOSE", apart)
    two.there.act("ERASE", apart, second="m.vt-08", role="jurist")
    assert two.there.refolded().encode() == two.there.book.encode()
    two.there.act("REEVALUATE", two.there.book.cases[whole.id])
    two.there.act("RAISE", two.there.book.cases[whole.id], colour="RED")
    assert two.there.book.cases[whole.id].colour == "RED"
    assert two.there.decided_again(len(two.there.journal) - 2) == two.there.journal[-2:]


def test_what_was_taken_out_does_not_come_back_with_the_next_offer():
    # Given a report that was taken out of the case that the centre there has taken over
    two = TwoRegions()
    first, other = (
        a_report(**SCHOOL | LIVES_ELSEWHERE, received_at=f"2026-03-18T1{hour}:00:00+01:00") for hour in (0, 1)
    )
    two.here.publish(first)
    two.here.publish(other)
    two.bring(two.there)
    whole = two.there.case
    two.there.answer("ACCEPTED")
    two.settle()
    two.there.act("UNLINK", whole, reports=[other["report_id"]])
    apart = two.there.case
    keys = set(two.there.keys)

    # When a third one is reported here, and all three are passed on
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE, received_at="2026-03-18T12:00:00+01:00"))
    two.settle()

    # Then the third alone is new there
    assert len(two.there.book.cases[whole.id].entries) == 2
    assert len(two.there.book.cases[apart.id].entries) == 1
    new = set(two.there.keys) - keys
    threads = [entry.key_id.encode() for entry in two.there.book.cases[whole.id].entries]
    assert threads[-1] in new
    assert two.there.refolded().encode() == two.there.book.encode()


def test_feedback_that_was_owed_before_a_case_was_handed_over_is_still_owed():
    two = offered()
    two.here.act("ASSESS", rating="NONE", outcome="HANDOVER")
    due = two.here.case.terms["T10"]
    two.there.answer("ACCEPTED")
    two.settle()

    assert (two.here.case.closed, two.here.case.terms) == (True, {"T10": due})
    assert two.here.case.steps.keys() == {"T10"}
    assert two.here.refolded().encode() == two.here.book.encode()


def test_what_is_owed_on_a_closed_case_goes_along_by_its_moment():
    # Given a case that was closed here, of which the family was never told
    two = TwoRegions()
    two.here.publish(a_report(**SCHOOL))
    two.here.act("ASSESS", rating="NONE", outcome="NO_STEPS")
    due = two.here.case.terms["T09"]

    # When a report ten days later says that it lives elsewhere now
    two.here.pass_time(days=10)
    two.here.publish(a_report(**SCHOOL | LIVES_ELSEWHERE))
    two.settle()
    assert two.here.offer.receiver == THERE
    assert two.there.case.terms["T09"] == due
