"""What no single input is to blame for: a release that decides nothing, a commit that nobody answers, a bug of ours.

The tests share one broker and its history, in the order in which they stand; the last one counts.
"""

import random
import signal
from collections.abc import Iterator

import pytest

from agents.stage.loop import UNDECIDABLE_IN_A_ROW
from pipeline.supervisor import Supervisor
from tests.storm.field import Field, Worker, a_field, wait_for
from tests.storm.history import CLEAN, check, read_history
from tests.storm.seen import (
    BRABANT,
    HOLLAND,
    dead,
    decided,
    in_one_stretch,
    only_intake_is_left,
    opened,
    publish,
    running,
    said,
)  # fmt: skip
from tests.storm.storm import Following
from topics import journal as j

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    for made in a_field(tmp_path_factory.mktemp("releases")):
        made.worker("intake", "a")
        yield made


@pytest.fixture(autouse=True)
def no_region_worker_is_left(field: Field) -> Iterator[None]:
    yield
    only_intake_is_left(field)


def test_a_poisonous_release_puts_twenty_aside_however_often_it_is_started_and_the_next_one_decides_the_rest(
    field: Field, journal: Following, chance: random.Random
):
    # Given a release that can decide nothing
    worker = field.worker("region", "poisonous", "poisonous")
    opened(worker, BRABANT, HOLLAND)
    ids = publish(field, chance, BRABANT, 3)
    wait_for("the first are put aside", lambda: len(dead(journal, ids)) == 3)

    # When many more come in, then it stops, and says so where operations look
    ids += publish(field, chance, BRABANT, 57)
    wait_for("the region stopped", lambda: said(worker, "region_stopped", region=BRABANT))
    assert [line["level"] for line in said(worker, "region_stopped")] == ["critical"]
    assert running(worker) == {BRABANT: False, HOLLAND: True}
    wait_for("all of its time", lambda: len(dead(journal, ids)) == UNDECIDABLE_IN_A_ROW)

    # When it is started again and again, by hand or by a supervisor, then it stops before it puts anything aside
    for times in (2, 3):
        worker.kill()
        worker.start()
        wait_for("stopped again", lambda times=times: len(said(worker, "region_stopped", region=BRABANT)) == times)
    assert len(dead(journal, ids)) == UNDECIDABLE_IN_A_ROW
    assert worker.stop(signal.SIGUSR1) == 0

    # When a good release is started, then it decides all the rest
    field.worker("region", "good")
    wait_for("all decided", lambda: decided(journal, ids))
    assert [r.input.report_id for r in dead(journal, ids) if isinstance(r.input, j.ReportInput)] == ids[:20]
    assert in_one_stretch(journal)


def test_when_no_answer_comes_to_a_commit_the_journal_tells_what_became_of_it(
    field: Field, journal: Following, chance: random.Random
):
    # Given two regions: of one a commit never reaches the broker, of the other the answer never comes back
    worker = field.worker("region", "unheard", f"request-lost={BRABANT}", f"answer-lost={HOLLAND}", "commit-within=2")
    opened(worker, BRABANT, HOLLAND)
    before = {region: len(journal.records(region)) for region in (BRABANT, HOLLAND)}

    # When reports come in
    ids = publish(field, chance, BRABANT, 30) + publish(field, chance, HOLLAND, 30)

    # Then neither region knows what became of its batch, and each finds it in the journal: there, or not
    wait_for("all decided", lambda: decided(journal, ids))
    for region in (BRABANT, HOLLAND):
        (unheard,) = said(worker, "unheard", region=region)
        assert said(worker, "region_reopens", region=region, error="TimeoutError")
        replayed = said(worker, "region_opened", region=region)[1]["replayed"]
        assert replayed == before[region] + (unheard["records"] if region == HOLLAND else 0)
    assert in_one_stretch(journal)
    assert worker.running


def test_a_bug_that_no_class_of_failure_knows_ends_the_worker_and_its_supervisor_starts_it_again(
    field: Field, journal: Following, chance: random.Random
):
    # Given a worker with a defect outside of deciding, and a supervisor
    worker = Worker(field, "region", "buggy", "bug")
    supervisor = Supervisor({"region-buggy": worker.command}, worker.environment, field.folder)
    supervisor.start()
    try:
        opened(worker, BRABANT, HOLLAND)
        first = supervisor.running

        # When a report meets it, and others wait behind
        ids = publish(field, chance, BRABANT, 3)
        ids += publish(field, chance, BRABANT, 1, mark="b0600000")
        ids += publish(field, chance, BRABANT, 30) + publish(field, chance, HOLLAND, 30)

        # Then the worker ends with a code that says so, is started again, and everything is decided
        wait_for("started again", supervisor.poll)
        assert supervisor.running != first
        wait_for("all decided", lambda: decided(journal, ids))
        assert said(worker, "worker_ends", because="stage", error="LookupError")
    finally:
        supervisor.stop()


def test_after_all_this_nothing_is_lost_doubled_or_out_of_order(field: Field):
    found = check(read_history(field.broker.bootstrap, field.published, field.receivers))

    assert found.counts() == CLEAN
