"""A release whose intake fails on everything: it stops, stays there for somebody to see, and nothing is lost."""

import random
import signal
from collections.abc import Iterator

import pytest

from agents.intake.agent import UNDECIDABLE_IN_A_ROW
from tests.storm.field import Field, a_field, wait_for
from tests.storm.seen import BRABANT, HOLLAND, metrics, opened, publish, said
from tests.storm.storm import Following
from topics import journal as j

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
REPORTS = 60


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    yield from a_field(tmp_path_factory.mktemp("poisonous"))


def test_a_poisonous_intake_stops_and_stays_and_the_next_release_brings_over_the_rest(
    field: Field, journal: Following, chance: random.Random
):
    # Given a release whose intake fails on every record, and a region that works
    opened(field.worker("region", "good"), BRABANT, HOLLAND)
    intake = field.worker("intake", "poisonous", "poisonous")

    # When many reports come in, then it stops and says so where operations look
    publish(field, chance, BRABANT, REPORTS)
    wait_for("intake stopped", lambda: said(intake, "intake_stopped"))
    assert [line["level"] for line in said(intake, "intake_stopped")] == ["critical"]
    assert "meldstroom_intake_running 0.0" in metrics(intake).splitlines()

    # And it is still there, and ends in order
    assert intake.running
    assert intake.stop(signal.SIGUSR1) == 0

    # When a good release is started, then each report is in the journal once: decided, or put aside for a person
    field.worker("intake", "good")
    wait_for("all of them", lambda: len(_places(journal)) >= REPORTS)
    assert len(set(_places(journal))) == len(_places(journal)) == REPORTS
    aside = [r for r in journal.records(BRABANT) if isinstance(r.input, j.RefusedInput)]
    assert len(aside) <= UNDECIDABLE_IN_A_ROW


def _places(journal: Following) -> list[tuple[str, int]]:
    """Where each report in the journal lay on its topic."""
    said = [record.input for record in journal.records(BRABANT)]
    return [(one.origin.topic, one.origin.offset) for one in said if isinstance(one, j.ReportInput | j.RefusedInput)]
