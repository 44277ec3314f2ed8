"""The pure way by turns: seeded schedules of crashes, repeats and clocks, and what must hold after each."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.defects import DEFECTS
from tests.simulation.invariants import findings
from tests.simulation.run import Outcome, carried_out
from tests.simulation.schedule import drawn

FRESH = range(301, 601)
KEPT = [
    int(line.split()[0])
    for line in (Path(__file__).parent / "seeds.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
HAPPENS = (
    r"Casework kill at (begin|send|commit)$",
    r"Casework (kill|freeze|fail) at committed",
    r"Casework (kill|freeze|fail) at \w+ of a snapshot",
    r"Casework freeze",
    r"Casework thawed",
    r"Casework fail",
    r"Intaking kill at (send|commit)$",
    r"Intaking thawed",
    r"an heir takes over",
    r"left out by delivery",
    r"leap of the broker's clock",
    r"log clock_off",
    r"log region_fenced",
    r"log region_reopens",
    r"log hole_in_delivery",
    r"event erased",
    r"event repeated",
    r"event dead_lettered",
    r"event step_fired",
    r"event taken_back",
    r"event owner_changed",
)


@pytest.mark.parametrize("seed", KEPT)
def test_what_was_found_once_is_not_there_again(seed: int):
    assert findings(carried_out(drawn(seed)), deep=True) == []


def test_whatever_fails_every_invariant_holds_and_everything_that_can_fail_does():
    # Given some hundred schedules that are the same each time
    happened: Counter[str] = Counter()
    for seed in FRESH:
        # When one is carried out
        outcome = carried_out(drawn(seed))

        # Then nothing is wrong with what it left
        assert findings(outcome, deep=seed % 2 == 0) == [], f"make simulate ARGS='--replay {seed}'"
        happened += outcome.happened

    # And none of what may happen was left out
    assert [what for what in HAPPENS if not any(re.match(what, found) for found in happened)] == []


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str):
    # Given a stage, an intake or a rule that has one thing wrong with it
    defect = DEFECTS[name]
    with defect.patched():
        # When schedules are carried out with it, one after the other
        found = (findings(carried_out(drawn(seed), defect.made), deep=True) for seed in FRESH)

        # Then soon one of them shows it, by the sentence that names it
        assert any(re.search(defect.says, sentence) for sentences in found for sentence in sentences)


def test_a_seed_is_the_same_schedule_each_time():
    for seed in range(1, 21):
        assert _left(carried_out(drawn(seed))) == _left(carried_out(drawn(seed), tell=True))


def _left(outcome: Outcome) -> object:
    """Everything that lies on the broker, and when it came there."""
    return {
        place: [(stored.true, stored.timestamp, stored.key, stored.value, stored.counts) for stored in log]
        for place, log in outcome.broker.logs.items()
    }
