"""What the watchdog expects, by the journal alone: the same as the book waits for, and what is suppressed is seen."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.watch.expected import Expected, Overdue
from tests.cases import ACUTE, a_report, reports
from tests.world import World
from topics import journal as j

START = "2026-03-18T10:00:00+01:00"
MINUTE = 60_000
FOR_EVER = 1 << 60


def seen(records: list[j.Record]) -> tuple[Expected, list[Overdue]]:
    """What is expected after these records, and what they passed over."""
    expected = Expected()
    return expected, [one for record in records for one in expected.see(record)]


def next_due(expected: Expected) -> int | None:
    return min((one.due for one in expected.overdue(FOR_EVER, 0)), default=None)


def without(record: j.Record, kind: type[j.Event]) -> j.Record:
    return replace(record, events=tuple(event for event in record.events if not isinstance(event, kind)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports(), st.lists(st.sampled_from(["ACCEPTED", "STARTED", "REFUSED", "RETURNED", "pass", "ASSESS", "CLOSE"])))
def test_it_waits_for_what_the_book_waits_for(report: dict[str, object], steps: list[str]):
    world = World()
    world.publish(report)
    for step in steps:
        if not world.book.cases:
            break
        if step == "pass":
            world.pass_time(days=2)
        elif step in ("ASSESS", "CLOSE"):
            world.act(step, **({"rating": "NONE", "outcome": "HANDOVER"} if step == "ASSESS" else {}))
        elif (open_ := world.case.current()) is not None and world.config.directory.elsewhere(open_.receiver) is None:
            world.answer(step, reason="UNREACHABLE" if step in ("REFUSED", "RETURNED") else None)
        expected, missed = seen(world.records)
        assert next_due(expected) == world.book.due()
        assert missed == []


def test_what_is_held_and_merged_is_waited_for_as_the_book_does():
    world = World(start=START)
    world.hold("wijkteam-gouda")
    world.publish(a_report(received_at=START))
    first = world.case.id
    assert next_due(seen(world.records)[0]) == world.book.due()

    world.publish(a_report(received_at=START, household=1))
    world.act("MERGE", other_case=first)
    world.pass_time(days=3)
    world.hold("wijkteam-gouda", resume=True)
    world.pass_time(days=3)

    expected, missed = seen(world.records)
    assert (next_due(expected), missed) == (world.book.due(), [])


@pytest.mark.parametrize(("kind", "about"), [(j.StepFired, "OFFER"), (j.TermFired, "T05")])
def test_a_firing_that_is_suppressed_is_overdue_after_the_grace(kind: type[j.Event], about: str):
    # Given a region whose clockwork lets one kind of step go by
    world = World(start=START)
    world.publish(a_report(received_at=START))
    world.pass_until("2026-03-23T12:00:00+01:00")
    records = [without(record, kind) for record in world.records]
    due = next(event.due for event in world.all_events(kind) if about in ("OFFER", getattr(event, "term", "")))

    # When half a minute, and then more than a minute, has passed
    expected, _ = seen(records)
    half = expected.overdue(due + MINUTE // 2, MINUTE)
    whole = expected.overdue(due + MINUTE + 1, MINUTE)

    assert [one for one in half if (one.about, one.due) == (about, due)] == []
    assert [one for one in whole if (one.about, one.due) == (about, due)] == [Overdue(world.case.id, about, due)]


def test_a_step_that_a_later_one_passes_over_is_named():
    world = World(start=START)
    world.publish(a_report(received_at=START, yes=(ACUTE[0],)))
    world.pass_time(hours=2)
    firing = [record for record in world.records if any(isinstance(event, j.StepFired) for event in record.events)]
    records = [without(one, j.StepFired) if one is firing[0] else one for one in world.records]

    _, missed = seen(records)

    assert Overdue(world.case.id, "OFFER", world.offer.ladder[0].due) in missed


def test_a_quiet_region_is_not_overdue():
    world = World(start=START)
    world.publish(a_report(received_at=START))
    world.answer("STARTED")
    world.act("CLOSE")
    world.act("INFORMED")
    expected, _ = seen(world.records)

    assert expected.overdue(FOR_EVER, MINUTE) == []
    assert expected.waiting() == 0
