"""Which reports are about one household (domain model, sections 3.8 and 5.1)."""

from typing import Any

import pytest

from agents.casework.linking import Weighed, weighed
from agents.matching import Link
from tests.cases import a_child, a_man, a_report, a_woman, an_address
from tests.world import World
from topics import journal as j


def two(first: dict[str, Any], second: dict[str, Any]) -> World:
    world = World()
    world.publish(first)
    world.publish(second)
    return world


def test_one_number_of_a_person_is_one_household():
    world = two(
        a_report(participants=[a_woman()], address=...),
        a_report(participants=[a_woman(surname="Anders")], address=an_address(5)),
    )

    assert len(world.book.cases) == 1
    assert world.expect(j.Linked, certainty="CERTAIN").kind == "SAME_PERSON"


def test_the_address_with_a_name_is_probably_the_same():
    world = two(
        a_report(participants=[a_woman(bsn=...)]),
        a_report(participants=[a_woman(bsn=..., given_names=..., birth_date=...)]),
    )

    assert len(world.book.cases) == 1
    assert world.expect(j.Linked, certainty="PROBABLE").kind == "SAME_ADDRESS"


def test_the_address_alone_is_shown_and_joins_nothing():
    world = two(a_report(participants=[a_woman(0)]), a_report(participants=[a_woman(1)]))

    assert len(world.book.cases) == 2
    assert world.expect(j.Linked).certainty == "POSSIBLE"
    assert world.case.colour == "GREEN"


def test_one_incident_number_is_one_case_and_no_repetition():
    # Scenario 11: GP and police on one evening
    world = two(
        a_report(yes=("S1",), incident_number="2026-0417", reporter={"capacity": "GP"}),
        a_report(yes=("M2",), incident_number="2026-0417"),
    )

    assert len(world.book.cases) == 1
    assert world.case.colour == "ORANGE"
    assert "U1" not in world.case.reasons
    assert world.expect(j.Registered).involvement == "DURING_ASSESSMENT"


def test_without_the_number_they_count_apart():
    world = two(a_report(yes=("M1",)), a_report(yes=("M2",)))

    assert world.case.colour == "ORANGE"
    assert "U1" in world.case.reasons


@pytest.mark.parametrize(
    ("earlier", "colour", "reasons"),
    [
        pytest.param("2025-08-30T10:00:00+02:00", "YELLOW", ["R4", "U1"], id="14: after 200 days"),
        pytest.param("2025-03-18T23:00:00+01:00", "YELLOW", ["R4", "U1"], id="on the 365th day"),
        pytest.param("2025-03-17T10:00:00+01:00", "GREEN", ["R4"], id="on the 366th"),
        pytest.param("2025-03-13T10:00:00+01:00", "GREEN", ["R4"], id="15: after 370 days"),
    ],
)
def test_a_repetition_counts_for_a_year(earlier: str, colour: str, reasons: list[str]):
    world = World(start=earlier)
    world.publish(a_report(received_at=earlier))
    world.answer("STARTED")
    world.answer("COMPLETED")
    world.act("CLOSE")
    world.pass_until("2026-03-18T10:00:00+01:00")

    world.publish(a_report())

    assert (world.case.colour, world.case.reasons) == (colour, reasons)
    assert len(world.book.cases) == 1


def test_what_is_held_counts_for_nothing_and_is_shown():
    # Scenario 10: two forms nobody signed, and then the police
    world = World()
    for _ in range(2):
        world.publish(a_report(reporter_disclosure="DOUBLE_ANONYMOUS"))
    world.publish(a_report())

    assert (world.case.colour, world.case.reasons) == ("GREEN", ["R4"])
    assert {event.certainty for event in world.all_events(j.Linked)} == {"POSSIBLE"}
    assert len(world.book.cases) == 3


def test_a_higher_version_is_the_same_report():
    # G2
    world = World()
    first = a_report()
    world.publish(first)
    world.publish(first | {"version": 2, "participants": [], "address": an_address(9)})

    assert len(world.book.cases) == 1
    assert world.case.reasons == ["R4"]


def test_a_correction_never_lowers():
    world = World()
    first = a_report(yes=("A3",))
    world.publish(first)
    world.publish(first | {"version": 2, "kind": "CORRECTION", "indicators": a_report()["indicators"]})

    assert world.case.colour == "RED"
    assert "R1" in world.case.reasons


def test_a_lower_version_after_a_higher_is_kept_and_not_decided():
    world = World()
    first = a_report(yes=("M1",))
    world.publish(first | {"version": 3})
    world.publish(first | {"version": 2})

    assert world.expect(j.NotDecided).why == "lower_version"
    assert len(world.case.entries) == 1


def test_the_same_report_three_times_is_one():
    # Scenario 12
    world = World()
    report = a_report()
    for _ in range(3):
        world.publish(report)

    assert len(world.case.entries) == 1
    outcomes = [message["outcome"] for _, message in world.topics["meldstroom.receipts.politie-hollands-midden.v1"]]
    assert outcomes == ["REGISTERED", "REPEAT", "REPEAT"]


def test_our_own_second_delivery_is_no_repeat_of_the_sender():
    world = World()
    world.publish(a_report())

    world.bring(world.sent[0])
    world.bring(world.sent[0])

    assert len(world.case.entries) == 1
    assert len(world.topics["meldstroom.receipts.politie-hollands-midden.v1"]) == 1


def test_one_id_for_two_contents_is_put_aside_and_danger_in_it_told():
    # G1b
    world = World()
    first = a_report()
    world.publish(first)
    world.publish(first | {"indicators": first["indicators"] | {"A3": "YES"}})

    assert world.expect(j.DeadLettered).reason == "id_reuse"
    assert world.told() == {("ACUTE_UNREADABLE", "vt-hm-bureaudienst")}


def test_a_withdrawal_stops_and_lowers_nothing():
    # Scenario 47
    world = World()
    first = a_report(yes=("S1",))
    world.publish(first)
    world.publish(first | {"version": 2, "kind": "WITHDRAWAL"})

    assert (world.case.colour, world.offer.state) == ("ORANGE", "OFFERED")
    assert world.expect(j.NotDecided).case_id == world.case.id


@pytest.mark.parametrize(
    ("first", "second", "involvement"),
    [
        pytest.param([a_woman()], [a_woman()], "REPEAT_ONE_KNOWN", id="one known person, by number and by name"),
        pytest.param([a_woman(), a_man()], [a_woman(), a_man()], "REPEAT_SEVERAL_KNOWN", id="two known persons"),
        pytest.param(
            [a_woman(), a_man(bsn=...)], [a_woman(address=...) if False else a_woman(), a_man(bsn=...)],
            "REPEAT_SEVERAL_KNOWN", id="one by number, one by name",
        ),
        pytest.param([a_woman(), a_man()], [a_woman(), a_child()], "REPEAT_ONE_KNOWN", id="one of them is new"),
    ],
)  # fmt: skip
def test_how_known_a_household_was(first: list[Any], second: list[Any], involvement: str):
    world = World(start="2025-09-01T10:00:00+02:00")
    world.publish(a_report(received_at="2025-09-01T10:00:00+02:00", participants=first))
    world.pass_until("2026-03-18T10:00:00+01:00")

    world.publish(a_report(participants=second))

    assert world.expect(j.Registered).involvement == involvement


def test_a_report_within_five_working_days_falls_during_the_assessment():
    # Scenario 19
    world = World()
    world.publish(a_report())
    world.pass_until("2026-03-25T23:59:00+01:00")
    world.publish(a_report(received_at="2026-03-25T23:59:00+01:00"))
    assert world.expect(j.Registered).involvement == "DURING_ASSESSMENT"


def test_what_was_other_care_at_first_joins_its_household_when_it_turns_out_worse():
    # Given a household with a case, and a report about it that first came as other care
    world = World()
    world.publish(a_report(yes=("M1",)))
    household = world.case
    other = a_report(kind="OTHER_CARE")
    world.publish(other)

    # When its sender corrects it: there is a suspicion after all
    world.publish(other | {"version": 2, "kind": "CORRECTION", "indicators": other["indicators"] | {"M2": "YES"}})

    # Then it joins the household's case as its second report
    assert world.expect(j.Registered).case_id == household.id
    assert (household.colour, household.reasons) == ("ORANGE", ["R3", "U1"])


def test_a_question_for_advice_in_between_loses_no_case():
    # Given a report, then by mistake version 2 as advice, then version 3 without names
    world = World()
    first = a_report(yes=("S1",))
    world.publish(first)
    world.publish(first | {"version": 2, "kind": "ADVICE"})
    world.publish(first | {"version": 3, "participants": [], "address": an_address(9)})

    # Then it is still the same report
    assert len(world.book.cases) == 1


def test_what_was_held_gets_its_colour_when_the_sender_makes_himself_known():
    world = World()
    form = a_report(reporter_disclosure="DOUBLE_ANONYMOUS")
    world.publish(form)
    held = world.offer

    world.publish(form | {"version": 2, "reporter_disclosure": "OPEN"})

    assert len(world.book.cases) == 1
    assert (world.case.colour, world.case.involvement) == ("GREEN", "FIRST")
    assert held.state == "SUPERSEDED"
    assert world.offer.destination == "TEAM"


def test_what_was_erased_is_not_joined_by_a_later_version():
    world = World()
    first = a_report()
    world.publish(first)
    world.answer("STARTED")
    world.answer("COMPLETED")
    world.act("CLOSE")
    world.act("ERASE", second="m.vt-08")
    erased = world.case

    world.publish(first | {"version": 2})

    assert world.case is not erased
    assert world.case.reasons == ["R4"]


@pytest.mark.parametrize("changes", [{"kind": "OTHER_CARE"}, {"reporter_disclosure": "DOUBLE_ANONYMOUS"}])
def test_a_second_version_of_what_has_no_colour_is_the_same_case(changes: dict[str, Any]):
    world = World()
    first = a_report(**changes)
    world.publish(first)
    offer = world.offer

    world.publish(first | {"version": 2, "narrative": "Met een aanvulling."})

    assert len(world.book.cases) == 1
    assert world.offer is offer
    assert world.told() == {("NEW_REPORT", offer.receiver)}


def test_a_sign_of_danger_in_a_second_version_of_other_care_takes_it_back_from_the_team():
    # G9: not passed on before a person has looked
    world = World()
    first = a_report(kind="OTHER_CARE")
    world.publish(first)
    team = world.offer

    world.publish(first | {"version": 2, "indicators": first["indicators"] | {"S1": "YES"}})

    assert len(world.book.cases) == 1
    assert team.state == "SUPERSEDED"
    assert world.offer.receiver == "vt-hm-beoordeling"
    assert ("ACUTE_WITHOUT_CASE", "vt-hm-bureaudienst") in world.told()


def test_what_stays_provisional_says_why():
    # Given a provisional case, and a second report that answers every question
    world = World()
    world.publish(a_report(unknown=("A1",)))
    world.publish(a_report())

    # Then the first one's question is still open, and every reason of the colour stands
    assert (world.case.colour, world.case.provisional) == ("YELLOW", True)
    assert world.case.reasons == ["R4", "P1", "U1"]
    assert world.case.open_questions == ["A1"]


def test_reports_count_whichever_case_of_the_household_they_lie_in():
    # Given two reports that nobody could know to be of one household
    world = World()
    world.publish(a_report(participants=[a_woman()], address=...))
    father = a_man(role="PARENT")
    world.publish(a_report(participants=[father], address=...))
    assert len(world.book.cases) == 2

    # When a third names both persons
    world.publish(a_report(participants=[a_woman(), father], address=...))

    # Then it is the third on this household within a year
    assert (world.case.colour, world.case.reasons) == ("ORANGE", ["R4", "U2"])


def test_an_alleged_perpetrator_alone_brings_nobody_into_his_former_household():
    # Given a household in which a man was the alleged perpetrator
    world = World()
    world.publish(a_report(participants=[a_woman(), a_man()]))
    former = world.case.id

    # When he is it again in another woman's household, at another address
    world.publish(a_report(participants=[a_woman(5), a_man()], address=an_address(5)))

    # Then that household has a case of its own, and the link is shown
    assert world.case.id != former
    assert [former, "SAME_PERPETRATOR", "CERTAIN"] in world.case.links
    # And its colour is one step higher for it (U5).
    assert (world.case.colour, world.case.reasons) == ("YELLOW", ["R4", "U5"])


def test_a_couple_is_known_again_in_whatever_roles():
    # Given a couple, and no address
    world = World()
    world.publish(a_report(participants=[a_woman(), a_man()], address=...))

    # When the roles have changed in the next report
    swapped = [a_woman(role="ALLEGED_PERPETRATOR"), a_man(role="VICTIM")]
    world.publish(a_report(participants=swapped, address=...))

    # Then it is the second report on one household
    assert len(world.book.cases) == 1
    assert world.case.reasons[-1] == "U1"


def test_a_name_and_a_birth_date_are_shown_and_join_nothing():
    # Scenario 24: no BSN, no common address, one letter of the surname differs
    mother = a_woman(bsn=..., surname="Verhoeven")
    world = two(
        a_report(participants=[mother]),
        a_report(participants=[mother | {"surname": "Verhoefen"}], address=an_address(5)),
    )

    assert len(world.book.cases) == 2
    assert world.expect(j.Linked) == j.Linked(
        case_id=world.records[-2].events[0].case_id, kind="SAME_PERSON", certainty="POSSIBLE"
    )
    assert (world.case.colour, world.case.reasons) == ("GREEN", ["R4"])


def test_a_mother_and_child_who_are_possible_are_probably_their_household_elsewhere():
    # Given two persons without a BSN
    mother, child = a_woman(bsn=...), a_child(bsn=...)

    # When both are reported at another address, her name spelled otherwise and his birthday swapped
    moved = [mother | {"surname": "Verhoefen"}, child | {"birth_date": "2017-09-03"}]
    world = two(
        a_report(participants=[mother, child]),
        a_report(participants=moved, address=an_address(5)),
    )

    # Then it is the second report on one household, in which both are known
    assert len(world.book.cases) == 1
    assert world.expect(j.Linked, certainty="PROBABLE").kind == "SAME_PERSON"
    assert world.case.involvement == "DURING_ASSESSMENT"
    assert world.case.reasons[-1] == "U1"


def test_who_is_perhaps_the_perpetrator_of_another_household_raises_nothing():
    # N2: a person confirms it first
    him = a_man(bsn=...)
    world = two(
        a_report(participants=[a_woman(), him]),
        a_report(participants=[a_woman(5), him], address=an_address(5)),
    )

    assert world.expect(j.Linked).certainty == "POSSIBLE"
    assert (world.case.colour, world.case.reasons) == ("GREEN", ["R4"])


def test_a_new_household_at_his_old_address_is_not_his_former_one():
    # Given a couple; she leaves, he stays, and another woman comes to live there
    world = two(a_report(), a_report(participants=[a_woman(5), a_man()]))

    assert len(world.book.cases) == 2
    linked = world.expect(j.Linked)
    assert (linked.kind, linked.certainty) == ("SAME_PERPETRATOR", "CERTAIN")
    assert world.case.reasons == ["R4", "U5"]


def test_a_child_that_is_born_belongs_to_the_case_of_its_mother():
    # Scenario 28
    world = World()
    world.publish(a_report(participants=[a_woman(role="MOTHER_OF_UNBORN", pregnant="YES", due_date="2026-04-20")]))
    world.pass_until("2026-05-01T10:00:00+02:00")
    born = a_child(given_names="Mila", surname="Kaya", birth_date="2026-04-12")
    world.publish(a_report(received_at="2026-05-01T10:00:00+02:00", participants=[born]))

    assert len(world.book.cases) == 1
    assert world.expect(j.Linked).kind == "SAME_MOTHER_UNBORN"

    # And by its own number from then on
    world.publish(a_report(received_at="2026-05-01T10:00:00+02:00", participants=[born], address=...))
    assert (len(world.book.cases), world.expect(j.Linked, certainty="CERTAIN").kind) == (1, "SAME_PERSON")


def test_what_is_only_looked_for_is_not_kept():
    # Given a report whose alleged perpetrator has a BSN
    world = World()
    world.publish(a_report(participants=[a_man()], address=...))

    # Then the book has his number once, and his name and birth date for reports without it
    assert len(world.case.codes) == 3
    assert len(world.book.index) == 3


@pytest.mark.parametrize(
    ("links", "kind", "certainty", "joins", "persons"),
    [
        pytest.param([("SAME_PERSON", "POSSIBLE", 0)], "SAME_PERSON", "POSSIBLE", False, 1, id="one possible"),
        pytest.param(
            [("SAME_PERSON", "POSSIBLE", 0), ("SAME_PERSON", "POSSIBLE", 0)], "SAME_PERSON", "POSSIBLE", False, 1,
            id="two keys of one person",
        ),
        pytest.param(
            [("SAME_PERSON", "POSSIBLE", 0), ("SAME_PARENT", "POSSIBLE", 1)], "SAME_PERSON", "PROBABLE", True, 2,
            id="two persons",
        ),
        pytest.param(
            [("SAME_PARENT", "POSSIBLE", 0), ("SAME_ADDRESS", "POSSIBLE", None)], "SAME_PARENT", "PROBABLE", True, 1,
            id="a person and the address",
        ),
        pytest.param(
            [("SAME_PERPETRATOR", "CERTAIN", 0), ("SAME_ADDRESS", "POSSIBLE", None)],
            "SAME_PERPETRATOR", "CERTAIN", False, 1, id="the alleged perpetrator and the address",
        ),
        pytest.param(
            [("SAME_PERPETRATOR", "CERTAIN", 0), ("SAME_PERSON", "POSSIBLE", 1)], "SAME_PERSON", "PROBABLE", True, 2,
            id="the alleged perpetrator and another",
        ),
        pytest.param(
            [("SAME_PERPETRATOR", "POSSIBLE", 0), ("SAME_PERPETRATOR", "POSSIBLE", 1)],
            "SAME_PERPETRATOR", "PROBABLE", True, 2, id="two alleged perpetrators together",
        ),
        pytest.param(
            [("SAME_PERSON", "CERTAIN", 0), ("SAME_ADDRESS", "PROBABLE", None)], "SAME_PERSON", "CERTAIN", True, 1,
            id="the surest one is told",
        ),
    ],
)  # fmt: skip
def test_what_several_match_keys_are_together(
    links: list[tuple[str, str, int | None]], kind: str, certainty: str, joins: bool, persons: int
):
    given = [Link(*one[:2], f"m1:{place}", one[2]) for place, one in enumerate(links)]

    assert weighed(given) == weighed(given[::-1]) == Weighed(kind, certainty, joins, persons)
