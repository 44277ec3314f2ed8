"""Intake's own failures: one record that our code fails on is put aside, twenty in a row stop it."""

import itertools
import uuid

import pytest

from agents.intake import agent as module
from agents.intake.agent import UNDECIDABLE_IN_A_ROW, Intake, IntakeStopped
from agents.stage.lane import Arrived
from tests.world import _registry, entropy
from topics import journal as j
from topics.cluster import Cluster


def _intake() -> Intake:
    numbers = itertools.count(1)
    return Intake(Cluster(bootstrap="nowhere:1"), _registry(), entropy(), lambda: uuid.UUID(int=next(numbers)))


def _record(topic: str, offset: int = 0) -> Arrived:
    return Arrived(topic, 0, offset, 1_774_000_000_000, b"k", b'{"indicators": {"A3": "YES"}}', ())


@pytest.fixture
def a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(module, "bring", fails)


@pytest.mark.parametrize(
    "topic",
    [
        "meldstroom.reports.politie-hollands-midden.v1",
        "meldstroom.answers.wijkteam-gouda.v1",
        "meldstroom.acts.hollands-midden.v1",
    ],
)
def test_a_record_on_which_our_code_fails_goes_on_for_a_person(a_fault_of_ours: None, topic: str):
    found = _intake()._bring(_record(topic, 7)).message.input

    assert isinstance(found, j.RefusedInput)
    assert (found.reason, found.acute, found.origin.offset) == ("undecidable", True, 7)


def test_one_failure_after_another_stops_it_before_it_puts_everything_aside(a_fault_of_ours: None):
    intake = _intake()
    for offset in range(UNDECIDABLE_IN_A_ROW):
        intake._bring(_record("meldstroom.acts.hollands-midden.v1", offset))

    with pytest.raises(IntakeStopped, match="more than 20 records in a row could not be brought over: KeyError"):
        intake._bring(_record("meldstroom.acts.hollands-midden.v1", 99))
