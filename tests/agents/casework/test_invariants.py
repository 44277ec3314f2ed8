"""What holds whatever is reported (design, section 6): invariants 1, 2, 3, 5 and 8."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.casework.book import Book, Opened
from agents.casework.case import Handover
from tests.cases import TEAM_GOUDA, a_report, reports, worse
from tests.world import World, saved_and_read
from topics import journal as j
from topics.codes import Colour

KINDS = ("REPORT", "REPORT", "REPORT", "ADVICE", "OTHER_CARE", "CORRECTION", "ADDITION", "WITHDRAWAL")
# Words that no ciphertext in base64 holds by chance: six letters at least, or a sign that base64 has not.
NAMES = ("Zonneveld", "06-5550", "Verhoeven", "Idrissi", "ztürk", "Hoekstra", "Youssef",
         "Luide ruzie", "Wilgenhof", "Turfkade", "ZOF-2026")  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> World:
    """A region after some reports, answers, acts and time."""
    world = World()
    sent: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 8))):
        match draw(st.sampled_from(["report", "report", "again", "version", "answer", "act", "time", "bytes"])):
            case "report":
                sent.append(draw(reports(kinds=KINDS)))
                world.publish(sent[-1])
            case "again" if sent:
                world.publish(draw(st.sampled_from(sent)))
            case "version" if sent:
                old, new = draw(st.sampled_from(sent)), draw(reports(kinds=KINDS))
                sent.append(new | {"report_id": old["report_id"], "version": draw(st.integers(1, 3))})
                world.publish(sent[-1])
            case "answer" if handovers := _of_ours(world):
                handover = draw(st.sampled_from(sorted(handovers, key=lambda found: found.id)))
                state = draw(st.sampled_from(["ACKNOWLEDGED", "ACCEPTED", "STARTED", "COMPLETED", "REFUSED"]))
                why = {"reason": "TOO_SEVERE"} if state == "REFUSED" else {}
                world.answer(state, handover, note="Moeder Verhoeven belt terug.", **why)
            case "act" if world.book.cases:
                kind = draw(st.sampled_from(["RAISE", "LOWER", "SETTLE", "CLOSE", "ERASE", "SEEN"]))
                case = world.book.cases[draw(st.sampled_from(sorted(world.book.cases)))]
                colour = draw(st.sampled_from([found.value for found in Colour]))
                world.act(kind, case, colour=colour, second=draw(st.sampled_from([..., "m.vt-08"])), reason="Sanne.")
            case "time":
                world.sleep_until(world.now + draw(st.integers(1, 20)) * 24 * 3_600_000 // 4)
                world.tick()
            case "bytes":
                world.publish(b'{"surname": "Verhoeven", "indicators": {"A3": "YES"')
    return world


def _of_ours(world: World) -> list[Handover]:
    """Every handover to a receiver of the region itself: another centre answers for itself."""
    handovers = (handover for case in world.book.cases.values() for handover in case.handovers)
    return [handover for handover in handovers if handover.receiver != "vt-brabant-zuidoost"]


@settings(max_examples=60, deadline=None)
@given(histories())
def test_1_every_report_ends_once_and_where_somebody_looks(world: World):
    identities = Counter(entry.identity for case in world.book.cases.values() for entry in case.entries)
    assert all(times == 1 for times in identities.values())

    for record in world.records:
        said = record.input
        if not isinstance(said, j.ReportInput | j.RefusedInput):
            continue
        ends = [
            event
            for event in record.events
            if isinstance(event, j.Registered | j.DeadLettered | j.NotDecided | j.Repeated)
        ]
        assert len(ends) == 1
        told = {event.kind for event in record.events if isinstance(event, j.Told)}
        match ends[0]:
            case j.Registered():
                assert isinstance(said, j.ReportInput)
                assert identities[said.identity] == 1
                # In a case, or held: either somebody is offered it, or who has it is told.
                assert told or any(isinstance(event, j.Offered) for event in record.events)
            case j.DeadLettered(acute=True):
                assert "ACUTE_UNREADABLE" in told
            case j.NotDecided(why=why):
                assert why in ("advice", "withdrawal", "lower_version")

    letters = [message["letter_id"] for _, message in world.topics.get("meldstroom.deadletters.v1", [])]
    assert len(letters) == len(world.all_events(j.DeadLettered))


@settings(max_examples=60, deadline=None)
@given(histories())
def test_2_every_case_has_one_owner_and_it_changes_when_somebody_starts_or_it_ends(world: World):
    book = Book(world.region)
    for raw in world.journal:
        before = {case.id: case.owner for case in book.cases.values()}
        record = j.decode(raw)
        book.apply(record, Opened())

        started = {
            event.case_id for event in record.events if isinstance(event, j.Answered) and event.state == "STARTED"
        }
        for case in book.cases.values():
            assert case.owner == "vt-hollands-midden" or case.owner.startswith("wijkteam-")
            if before.get(case.id, case.owner) == case.owner:
                continue
            # With the case closed, or when a new episode begins, it is the centre's again.
            if case.owner == "vt-hollands-midden" and (case.closed or case.episode == record.seq):
                continue
            assert case.id in started


def test_2_a_case_that_is_closed_is_the_centre_s_again():
    world = World()
    world.publish(a_report())
    world.answer("STARTED")
    assert world.case.owner == TEAM_GOUDA

    world.act("CLOSE")
    assert (world.case.owner, world.case.executor) == ("vt-hollands-midden", "vt-hollands-midden")


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_3_folding_and_deciding_again_give_the_same_bytes(world: World, data: st.DataObject):
    # Folded from the start, by another worker
    assert world.refolded().encode() == world.book.encode()

    # Folded from a snapshot at any place
    at = data.draw(st.integers(0, len(world.journal)))
    other = world.another_worker()
    for place, raw in enumerate(world.journal[:at]):
        other.replay(raw, place)
    other.book = saved_and_read(other.book)
    for place, raw in enumerate(world.journal[at:], at):
        other.replay(raw, place)
    assert other.book.encode() == world.book.encode()
    assert other.book.due() == world.book.due()

    # Decided again from there; what an erasure destroyed cannot be decided again
    if not world.all_events(j.Erased):
        assert world.decided_again(at) == world.journal[at:]


def test_3_a_tick_behind_the_region_s_time_is_decided_again_as_it_was():
    # Given a region whose time was carried ahead, past a deadline, by a record with a later stamp
    world = World()
    world.publish(a_report())
    due = world.offer.ladder[0].due
    world.pass_until(due - 1)
    world.now = due + 1
    world.publish(a_report(household=1))

    # When a clock that is a little behind fires up to a moment before that deadline, and later all of it
    world.now = due - 1
    world.tick()
    world.now = due + 1
    world.tick()

    # Then the journal's own inputs give the journal's own events
    assert [event.due for event in world.all_events(j.StepFired)] == [due]
    assert world.decided_again() == world.journal


@settings(max_examples=150, deadline=None)
@given(reports(), st.data())
def test_5_worse_information_gives_no_lower_colour_and_no_later_term(report: dict[str, Any], data: st.DataObject):
    further = report
    for _ in range(data.draw(st.integers(1, 4))):
        further = data.draw(worse(further))

    before, after = World(), World()
    before.publish(report)
    after.publish(further)

    assert _severity(after) >= _severity(before)
    assert after.offer.accept_before <= before.offer.accept_before
    assert after.offer.ladder[0].due <= before.offer.ladder[0].due


@settings(max_examples=60, deadline=None)
@given(reports(), st.integers(0, 3))
def test_5_more_repetition_gives_no_lower_colour(report: dict[str, Any], times: int):
    report = report | {"participants": a_report()["participants"]}
    report.pop("incident_number", None)
    less, more = World(), World()
    for world, earlier in ((less, times), (more, times + 1)):
        for _ in range(earlier):
            world.publish(a_report())
        world.publish(report)

    assert _severity(more) >= _severity(less)


@pytest.mark.parametrize("name", ["A1", "A8", "S1", "M1"])
@settings(max_examples=15, deadline=None)
@given(report=reports())
def test_5_unknown_is_never_better_than_no(name: str, report: dict[str, Any]):
    no, unknown = World(), World()
    for world, said in ((no, "NO"), (unknown, "UNKNOWN")):
        world.publish(report | {"indicators": report["indicators"] | {name: said}})

    assert _severity(unknown) >= _severity(no)
    assert unknown.offer.accept_before <= no.offer.accept_before


def _severity(world: World) -> int:
    assert world.case.colour is not None
    return Colour(world.case.colour).severity


@settings(max_examples=60, deadline=None)
@given(histories())
def test_8_nothing_of_a_person_stands_outside_what_is_sealed(world: World):
    everything = [raw.decode() for raw in world.journal]
    everything += [raw.decode() for found in world.lanes.values() for raw in found]
    everything += [key + json.dumps(message) for found in world.topics.values() for key, message in found]
    everything += [world.book.encode().decode()]

    for text in everything:
        assert not any(name in text for name in NAMES)


@settings(max_examples=60, deadline=None)
@given(reports())
def test_8_no_reporter_in_what_a_receiver_opens(report: dict[str, Any]):
    world = World()
    world.publish(report)
    world.publish(report | {"version": 2})

    opened = [
        json.dumps(world.opened(message, message.get("receiver") or message.get("to", "")), ensure_ascii=False)
        for found in world.topics.values()
        for _, message in found
        if message.get("content")
    ]
    assert opened
    for text in opened:
        assert "Zonneveld" not in text
        assert "06-55501234" not in text
        assert "reporter" not in text


def test_8_the_machinery_would_see_a_name():
    world = World()
    world.publish(a_report())

    content = world.topics[f"meldstroom.queue.{TEAM_GOUDA}.v1"][0][1]
    assert any(name in json.dumps(world.opened(content, TEAM_GOUDA)) for name in NAMES)
