"""What leaves because of a decision: what its receiver needs, and never more."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.cases import CITIZENS, REGION, TEAM_GOUDA, a_man, a_report, a_woman, an_address, reports
from tests.world import World, at, regions
from topics import journal as j
from topics.offers import DeadLetter, Notice, Offer, OfferContent, Recall, Receipt
from topics.transfers import Transfer

NOT_AT_THE_DOOR = ("bsn", "employer", "relatives_employers")


def offers(world: World, receiver: str = TEAM_GOUDA) -> list[dict[str, Any]]:
    """What lies on a receiver's queue."""
    return [message for _, message in world.topics[f"meldstroom.queue.{receiver}.v1"]]


def content(world: World, receiver: str = TEAM_GOUDA) -> dict[str, Any]:
    """The content of the newest offer, as its receiver opens it."""
    return world.opened(offers(world, receiver)[-1], receiver)


def test_an_offer_says_in_clear_what_and_when_and_nothing_of_whom():
    world = World()
    world.publish(a_report(yes=("M1",), unknown=("S4",)))

    offer = Offer.model_validate(offers(world)[-1])

    assert (offer.colour, offer.destination, offer.provisional) == ("YELLOW", "TEAM_DV", False)
    assert (offer.reasons, offer.open_questions) == (("R3",), ("S4",))
    assert (offer.owner, offer.executor) == ("vt-hollands-midden", "vt-hollands-midden")
    assert (offer.contact_person, offer.dv_specialist) == ("cp-hm-02", "hg-gda-01")
    assert offer.accept_before == at("2026-03-23T23:59:59+01:00")
    clear = json.dumps(offers(world)[-1])
    for word in ("Verhoeven", "Sanne", "2801", "Wilgenhof", "Luide", "9999"):
        assert word not in clear


def test_its_receiver_can_knock_on_the_right_door():
    world = World()
    world.publish(a_report(participants=[a_woman(phone="06-55500001"), a_man()]))

    found = content(world)

    OfferContent.model_validate_json(json.dumps(found))
    (report,) = found["reports"]
    assert report["address"]["street"] == "Wilgenhof"
    assert [person["surname"] for person in report["participants"]] == ["Verhoeven", "Öztürk"]
    assert report["participants"][0]["phone"] == "06-55500001"
    assert report["summary"] == "Luide ruzie, geen geweld gezien."
    assert found["reasons"] == ["Er blijft een vermoeden van huiselijk geweld of kindermishandeling."]
    assert found["contact_person"]["name"] == "Samira Bouzid"


def test_nobody_else_can_open_it():
    world = World()
    world.publish(a_report())

    with pytest.raises(Exception, match="jwe"):
        world.opened(offers(world)[-1], "wijkteam-alphen-aan-den-rijn")


def test_numbers_and_employers_stay_at_the_centre():
    world = World()
    people = [a_woman(employer="Bakkerij Zonneschijn", relatives_employers=["Stichting Voorbeeld"]), a_man()]
    world.publish(a_report(participants=people))

    for person in content(world)["reports"][0]["participants"]:
        assert not set(NOT_AT_THE_DOOR) & set(person)


def test_nothing_that_leaves_holds_the_reporter():
    world = World()
    reporter = {
        "capacity": "NEIGHBOUR", "name": "Buurvrouw Zonneveld", "contact": "06-55501234",
        "organisation": "Volkstuin Vreugde", "substitute_contact": "06-55504321",
    }  # fmt: skip
    world.publish(a_report(reporter=reporter, source_ref="BUUR-42", disclosure_ground="Zij woont ernaast."))

    opened = json.dumps(content(world), ensure_ascii=False)
    for word in ("Zonneveld", "5550", "Volkstuin", "BUUR-42", "ernaast", "NEIGHBOUR"):
        assert word not in opened.replace("5550122", "").replace("555131", "")


def test_a_secret_address_leaves_nowhere():
    world = World()
    place = {"postcode": "2801 ZX", "house_number": 10, "house_number_suffix": "B"}
    world.publish(a_report(participants=[a_woman(**place)], address=an_address(secret=True)))

    (report,) = content(world)["reports"]
    assert (report["address"], report["address_secret"]) == (None, True)
    assert "2801" not in json.dumps(report)
    assert "Wilgenhof" not in json.dumps(report)
    assert set(report["participants"][0]).isdisjoint(("postcode", "house_number", "house_number_suffix"))


@pytest.mark.parametrize("secret_first", [True, False], ids=["said first", "said later"])
def test_an_address_that_one_report_keeps_secret_another_does_not_give_away(secret_first: bool):
    # Given two reports on one household; only one of them says that the address is secret
    world = World()
    pair = [
        a_report(address=an_address(secret=True)),
        a_report(address=an_address(), participants=[a_woman(postcode="2801ZX", house_number=10), a_man()]),
    ]
    for report in pair if secret_first else reversed(pair):
        world.publish(report)

    # When it is offered with both
    found = content(world)["reports"]

    # Then the address stands in neither
    assert len(found) == 2
    assert all(report["address"] is None and report["address_secret"] for report in found)
    assert "2801" not in json.dumps(found)


def test_another_place_than_the_secret_one_is_shown():
    # Given that she fled from the home that was reported first to a secret place
    world = World()
    world.publish(a_report())
    world.publish(a_report(address=an_address(55, secret=True)))

    first, second = content(world)["reports"]

    assert first["address"]["street"] == "Wilgenhof"
    assert second["address"] is None


def test_a_notice_of_a_new_report_does_not_give_a_secret_address_away():
    world = World()
    world.publish(a_report(yes=("S1",), address=an_address(secret=True)))
    world.publish(a_report(yes=("S1",)))

    notice = world.topics["meldstroom.notices.vt-hm-voorwaarden.v1"][-1][1]
    opened = world.opened(notice, "vt-hm-voorwaarden")
    assert len(opened["reports"]) == 1
    assert "2801" not in json.dumps(opened)


def test_a_notice_of_a_step_says_when_it_was_due():
    world = World()
    world.publish(a_report(yes=("A2",)))
    world.sleep_until("2026-03-18T10:45:00+01:00")
    world.tick()

    notices = [Notice.model_validate(message) for _, message in world.last]
    assert {(notice.kind, notice.to, notice.late) for notice in notices} == {
        ("DUTY_OFFICER", "vt-hm-crisis", True),
        ("DUTY_OFFICER", "vt-hm-bureaudienst", True),
        # and of the term of the same moment (T02)
        ("REMINDER", "vt-hm-crisis", True),
        ("REMINDER", "vt-hm-coordinatie", True),
    }
    assert {notice.due for notice in notices} == {at("2026-03-18T10:30:00+01:00")}


def test_a_raise_by_a_person_shows_in_the_offer_that_follows():
    world = World()
    world.publish(a_report())
    world.act("RAISE", colour="RED")

    offer = offers(world, "vt-hm-crisis")[-1]
    assert (offer["colour"], offer["reasons"]) == ("RED", ["R4", "D1"])
    assert [message["state"] for message in offers(world) if "state" in message] == ["SUPERSEDED"]


def test_an_exercise_is_marked_everywhere():
    world = World()
    world.publish(a_report(test=True, yes=("A2",)))
    world.pass_time(hours=3)
    world.answer("REFUSED", reason="UNREACHABLE")

    assert all(
        message["test"] for topic, found in world.topics.items() for _, message in found
        if "queue" in topic or "notices" in topic
    )  # fmt: skip


def test_each_published_record_has_one_receipt_and_it_names_no_case():
    world = World()
    report = a_report()
    world.publish(report)
    world.publish(report)
    world.publish(report | {"narrative": "Anders."})
    world.publish(b"{")

    receipts = [message for _, message in world.topics["meldstroom.receipts.politie-hollands-midden.v1"]]
    assert [receipt["outcome"] for receipt in receipts] == ["REGISTERED", "REPEAT", "REFUSED", "REFUSED"]
    for receipt in receipts:
        Receipt.model_validate_json(json.dumps(receipt))
        assert world.case.id not in json.dumps(receipt)


def test_a_dead_letter_keeps_the_bytes_sealed_and_says_what_was_wrong():
    world = World()
    world.publish(b'{"report_id": "Verhoeven", "A3": "YES"')

    ((source, letter),) = world.topics["meldstroom.deadletters.v1"]
    DeadLetter.model_validate_json(json.dumps(letter))
    assert (source, letter["reason"], letter["acute"]) == ("politie-hollands-midden", "not_json", True)
    assert "Verhoeven" not in json.dumps(letter)
    assert letter["original"]["key_id"].encode() in world.keys
    assert world.told() == {("ACUTE_UNREADABLE", "vt-hm-bureaudienst")}


def test_everything_that_leaves_can_be_made_again_with_the_same_ids():
    def all_of() -> list[Any]:
        world = World()
        world.publish(a_report(report_id="3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91", yes=("M1",)))
        world.pass_time(days=9)
        return [
            message.get("notice_id") or message.get("handover_id") or message.get("receipt_id")
            for found in world.topics.values() for _, message in found
        ]  # fmt: skip

    assert all_of() == all_of()
    assert len(set(all_of())) == len(all_of()) - 1  # an offer and its recall name one handover


MODELS = {
    "queue": (Offer, Recall), "notices": (Notice,), "receipts": (Receipt,), "deadletters": (DeadLetter,),
    "transfers": (Transfer,),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(reports(kinds=("REPORT", "ADVICE", "OTHER_CARE", "ADDITION")))
def test_every_message_keeps_to_its_contract(report: dict[str, Any]):
    world = World()
    world.publish(report)
    for _ in range(4):
        world.pass_until(world.book.due() or world.now)

    for topic, found in world.topics.items():
        for _, message in found:
            family = MODELS[topic.split(".")[1]]
            model = family[-1] if "accept_before" not in message else family[0]
            model.model_validate_json(json.dumps(message))


def test_held_reports_go_to_the_centre_alone():
    world = World()
    world.publish(a_report(source_id=CITIZENS, reporter_disclosure="DOUBLE_ANONYMOUS"))

    queues = {topic for topic in world.topics if "queue" in topic}
    assert queues == {"meldstroom.queue.vt-hm-aangehouden.v1"}
    assert regions()[REGION].directory.desks.hold == "vt-hm-aangehouden"


def test_an_act_that_is_refused_sends_no_receipt():
    world = World()
    world.publish(a_report())
    world.act("ERASE")

    world.expect(j.DeadLettered)
    assert [topic for topic, _ in world.last] == ["meldstroom.deadletters.v1"]


def test_an_offer_holds_the_newest_reports_and_says_how_many_it_leaves_out():
    # Given a household with more reports than an offer holds
    world = World()
    for number in range(23):
        world.publish(
            a_report(report_id=f"7b2f7f0e-5c1a-4a3e-9d55-0d7f2d1c9{number:03d}", narrative=f"Nummer {number}.")
        )

    # When it is offered once more
    world.answer("REFUSED", reason="UNREACHABLE")

    # Then the newest twenty are in it
    topic, message = next(
        (topic, message)
        for topic, message in world.last
        if topic.startswith("meldstroom.queue.") and "offered_at" in message
    )
    content = world.opened(message, message["receiver"])
    assert topic.endswith(f"{message['receiver']}.v1")
    assert (len(content["reports"]), content["left_out"]) == (20, 3)
    assert content["reports"][-1]["summary"] == "Nummer 22."


def test_each_of_several_recalls_at_once_brings_its_own_household_and_no_other():
    # Given three households that a team was offered, each with a story of its own
    world = World()
    stories = [f"Verhaal van huishouden {number}." for number in range(3)]
    for number, story in enumerate(stories):
        world.publish(a_report(household=number, narrative=story))
    assert len(world.book.cases) == 3

    # When the worker slept until all three are recalled, and fires them in one record
    world.sleep_until(world.now + 40 * 24 * 3_600_000)
    record = world.tick()
    offered = [event for event in record.events if isinstance(event, j.Offered)]
    assert len(offered) == 3

    # Then whoever is offered a case next gets that case's story
    got = {
        message["case_id"]: [report["summary"] for report in world.opened(message, event.receiver)["reports"]]
        for event in offered
        for message in offers(world, event.receiver)
        if message["handover_id"] == event.handover_id
    }
    assert got == {case_id: [story] for case_id, story in zip(world.book.cases, stories, strict=True)}
