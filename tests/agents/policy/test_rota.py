"""Who is on duty: rota, what is agreed otherwise, who stands in; and the hours in which nobody is."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.calendar import AMSTERDAM
from agents.policy.loading import PolicyError
from agents.policy.rota import Override, Rota, Shift, gaps, on_duty
from tests.cases import ACUTE, REGION, a_report
from tests.world import World, regions, with_texts
from topics import journal as j

WEEK = ("MON", "TUE", "WED", "THU", "FRI")
DESK, CRISIS = "vt-hm-bureaudienst", "vt-hm-crisis"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def shift(days: tuple[str, ...], start: str, until: str, *people: str) -> Shift:
    return Shift.model_validate({"days": days, "start": start, "until": until, "people": people})


OFFICE = Rota(
    receiver=DESK,
    shifts=(shift(WEEK, "08:30", "17:00", "day-1", "day-2"), shift(WEEK, "17:00", "08:30", "night-1")),
    overrides=(
        Override(start=local("2026-03-18T12:00"), until=local("2026-03-18T14:00"), person="other-1"),
        Override(start=local("2026-03-19T12:00"), until=local("2026-03-19T14:00")),
    ),
    fallback=(CRISIS,),
)
SATURDAY = Rota(receiver=CRISIS, shifts=(shift(("THU", "SAT"), "00:00", "12:00", "crisis-1"),))
ROTAS = {DESK: OFFICE, CRISIS: SATURDAY}


@pytest.mark.parametrize(
    ("at", "found"),
    [
        pytest.param("2026-03-18T10:00", ("day-1", "SHIFT"), id="by day"),
        pytest.param("2026-03-25T10:00", ("day-2", "SHIFT"), id="a week later the next one"),
        pytest.param("2026-03-18T17:00", ("night-1", "SHIFT"), id="the evening begins at its first minute"),
        pytest.param("2026-03-19T03:00", ("night-1", "SHIFT"), id="after midnight it is still yesterday's shift"),
        pytest.param("2026-03-18T12:00", ("other-1", "OVERRIDE"), id="agreed otherwise"),
        pytest.param("2026-03-18T14:00", ("day-1", "SHIFT"), id="until then and no longer"),
        pytest.param("2026-03-21T10:00", ("crisis-1", "FALLBACK"), id="who stands in"),
        pytest.param("2026-03-21T13:00", None, id="nobody"),
        pytest.param("2026-03-19T13:00", None, id="agreed that nobody is, and nobody stands in"),
        pytest.param("2026-03-29T02:30", None, id="in the hour that summer time takes"),
    ],
)
def test_who_is_on_duty(at: str, found: tuple[str, str] | None):
    known = on_duty(ROTAS, DESK, local(at))
    assert (None if known is None else (known.person, known.why)) == found


def test_a_receiver_without_a_rota_has_nobody():
    assert on_duty(ROTAS, "wijkteam-gouda", local("2026-03-18T10:00")) is None


def test_gaps_are_told_from_when_to_when():
    found = gaps(ROTAS, DESK, local("2026-03-18T10:00"), 7)

    assert [tuple(edge.astimezone(AMSTERDAM).strftime("%a %H:%M") for edge in one) for one in found] == [
        ("Thu 12:00", "Thu 14:00"), ("Sat 12:00", "Mon 08:30"),
    ]  # fmt: skip


@given(
    st.integers(0, 365 * 24 * 60), st.integers(0, 14 * 24 * 60), st.times(), st.times(),
    st.sets(st.sampled_from((*WEEK, "SAT", "SUN")), min_size=1),
)  # fmt: skip
def test_nobody_is_on_duty_in_a_gap_and_somebody_outside(
    begin: int, minute: int, start: time, until: time, days: set[str]
):
    start, until = start.replace(microsecond=0), until.replace(microsecond=0)
    rotas = {DESK: Rota(receiver=DESK, shifts=(shift(tuple(days), start.isoformat(), until.isoformat(), "a"),))}
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=begin)
    at = first + timedelta(minutes=minute)
    within = any(one <= at < other for one, other in gaps(rotas, DESK, first, 15))

    assert within is (on_duty(rotas, DESK, at) is None)


def test_the_rotas_of_the_sample_regions_have_no_gap():
    for config in regions().values():
        rotas = config.directory.rota_of
        assert rotas
        for receiver in rotas:
            assert gaps(rotas, receiver, datetime(2026, 11, 28, tzinfo=UTC), 365) == []


def test_who_is_on_duty_is_told_by_id_and_who_stands_in_too():
    # Given a red report on a Wednesday morning, and one while the duty desk has nobody
    world = World()
    world.publish(a_report(yes=(ACUTE[0],)))
    told = [event for event in world.events if isinstance(event, j.Told) and event.to == DESK]
    rotas = world.config.directory.rota_of
    known = on_duty(rotas, DESK, local("2026-03-18T10:00"))
    assert known is not None
    assert {event.person for event in told} == {known.person}

    text = world.config.directory_text
    begin = text.index("    overrides:")
    away = "    overrides:\n      - {start: 2026-03-01T00:00:00+01:00, until: 2026-04-01T00:00:00+02:00}\n"
    without = with_texts(REGION, directory=text[:begin] + away + text[text.index("    fallback:") :])
    world.writer.reconfigure(without)
    world._take(world.writer.begin(world.now))
    world.publish(a_report(household=1, yes=(ACUTE[0],)))

    told = [(event.to, event.person) for event in world.events if isinstance(event, j.Told) and event.kind == "RED"]
    assert told == [(DESK, None), (CRISIS, "cr-hm-01")]


@pytest.mark.parametrize("wrong", ["unknown receiver", "twice"])
def test_a_rota_that_cannot_be_used_is_refused(wrong: str):
    text = regions()[REGION].directory_text
    other = CRISIS if wrong == "twice" else "nobody-here"
    again = f"rotas:\n  - {{receiver: {other}, shifts: []}}"
    with pytest.raises(PolicyError, match=other):
        with_texts(REGION, directory=text.replace("rotas:", again, 1).replace(f"{again}  #", f"{again}\n  #", 1))
