"""What is owed climbs on a real broker too, on days of half a second: each step once, whatever is killed in between."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.scenarios.test_answer_during_outage import accept, broker_now
from tests.storm.field import Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.storm import Following
from topics import journal as j
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

WORKING_DAY_S = 0.5
REGION = "brabant-zuidoost"
ASSESSMENT, COORDINATION, DUTY = "vt-bzo-beoordeling", "vt-bzo-coordinatie", "vt-bzo-bureaudienst"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    yield from a_field(tmp_path_factory.mktemp("terms"), working_day_s=WORKING_DAY_S, climb=None)


@pytest.fixture(scope="module")
def region(field: Field, journal: Following) -> Worker:
    field.worker("intake", "a")
    worker = field.worker("region", "a")
    # Until it decides days go by, and what is begun late begins with its last step.
    reported(field, journal, random.Random("to begin with"))
    return worker


def reported(field: Field, journal: Following, chance: random.Random) -> j.Offered:
    """A groen report is published; its offer."""
    report = a_plain_report(chance)
    field.publish(report)
    field.producer.flush()

    def offer() -> j.Offered | None:
        found = (
            event
            for record in journal.records(REGION)
            if isinstance(record.input, j.ReportInput) and record.input.report_id == report["report_id"]
            for event in record.events
        )
        return next((event for event in found if isinstance(event, j.Offered)), None)

    found: j.Offered = wait_for("the offer", offer)
    return found


def act(field: Field, case_id: str, kind: str, **more: Any) -> None:
    """A person of the centre does something."""
    said = {
        "act_id": str(uuid.uuid4()), "case_id": case_id, "kind": kind, "actor": "m.vt-07", "role": "beoordelaar",
        "reason": "Besproken met het team.", "done_at": datetime.now(UTC).isoformat(), **more,
    }  # fmt: skip
    source = "urn:nld:oin:00000001999970835000:systeem:dossier"
    field.send(specs.ACTS.topic(REGION), specs.ACT_TYPE, source, case_id, said).get(10)


def fired(journal: Following, offer: j.Offered, term: str) -> list[j.TermFired]:
    """The steps about a term of a case, in the order of the journal."""
    return [
        event
        for record in journal.records(REGION)
        for event in record.events
        if isinstance(event, j.TermFired) and (event.case_id, event.term) == (offer.case_id, term)
    ]


def climbed(journal: Following, offer: j.Offered, term: str, steps: int) -> list[j.TermFired]:
    """The first steps about a term, once there are so many."""
    found: list[j.TermFired] = wait_for(
        f"{steps} steps about {term}",
        lambda: found if len(found := fired(journal, offer, term)) >= steps else None,
    )
    return found[:steps]


def each_once_and_never_early(journal: Following, field: Field, offer: j.Offered) -> None:
    records = journal.records(REGION)  # once: it grows
    stamps = {record.seq: record.at for record in records}
    steps = [
        (record.seq, event)
        for record in records
        for event in record.events
        if isinstance(event, j.TermFired) and event.case_id == offer.case_id
    ]
    times = Counter((event.term, event.due, event.step) for _, event in steps)
    assert set(times.values()) == {1}
    assert all(stamps[seq] >= event.due for seq, event in steps)
    assert not any(event.late for _, event in steps)


def test_what_nobody_does_climbs_to_who_coordinates_and_no_kill_doubles_or_skips_a_step(
    field: Field, journal: Following, chance: random.Random, region: Worker
):
    # Given a groen report whose offer nobody sees and whose assessment nobody takes up
    offer = reported(field, journal, chance)
    climbed(journal, offer, "T05", 1)

    # When the region's worker is killed in the middle of the ladder, and comes back after the next step was due
    region.kill()
    until = broker_now(field) + 1_500
    wait_for("a second and a half of the broker", lambda: broker_now(field) > until)
    region.start()

    # Then each term went up step by step
    assert [(one.step, one.tells) for one in climbed(journal, offer, "T05", 4)] == [
        ("REMINDER", (ASSESSMENT,)), ("COORDINATOR", (COORDINATION,)), ("MANAGER", (DUTY, COORDINATION)),
        ("MANAGER", (DUTY, COORDINATION)),
    ]  # fmt: skip
    assert [one.step for one in climbed(journal, offer, "T02", 1)] == ["REMINDER"]
    each_once_and_never_early(journal, field, offer)


def test_who_accepts_and_makes_no_contact_loses_the_case_to_the_centre(
    field: Field, journal: Following, chance: random.Random, region: Worker
):
    offer = reported(field, journal, chance)
    accept(field, offer)

    steps = climbed(journal, offer, "T04", 4)
    assert [one.step for one in steps] == ["REMINDER", "SPECIALIST", "COORDINATOR", "RECALLED"]
    # Who coordinates hears of the silence, and so does the municipality
    assert steps[2].tells == (COORDINATION, "gemeente-eindhoven")
    taken = [
        (event.handover_id, event.state)
        for record in journal.records(REGION)
        for event in record.events
        if isinstance(event, j.TakenBack) and event.case_id == offer.case_id
    ]
    assert taken == [(offer.handover_id, "RECALLED")]
    # That the team owed its first support is told until then, and not after it
    assert [one.step for one in fired(journal, offer, "T22")][:1] == ["REMINDER"]
    each_once_and_never_early(journal, field, offer)


def test_on_a_closed_case_the_reporter_is_still_owed_an_answer_until_it_is_given(
    field: Field, journal: Following, chance: random.Random, region: Worker
):
    offer = reported(field, journal, chance)
    act(field, offer.case_id, "ASSESS", rating="NONE", outcome="NO_STEPS")
    assert [one.step for one in climbed(journal, offer, "T10", 2)] == ["REMINDER", "COORDINATOR"]

    act(field, offer.case_id, "FEEDBACK_GIVEN")
    wait_for("the feedback", lambda: _given(journal, offer))
    after = broker_now(field) + 4 * int(WORKING_DAY_S * 1000)
    steps = len(fired(journal, offer, "T10"))
    wait_for("four days", lambda: broker_now(field) > after)
    assert len(fired(journal, offer, "T10")) == steps
    # It was never offered to anybody again, and nothing else is owed but that the family hears of it
    assert {one for one in ("T02", "T04", "T05", "T08", "T22") if fired(journal, offer, one)} <= {"T02"}


def _given(journal: Following, offer: j.Offered) -> bool:
    return any(
        isinstance(event, j.ActDone) and event.case_id == offer.case_id and event.kind == "FEEDBACK_GIVEN"
        for record in journal.records(REGION)
        for event in record.events
    )
