"""An answer that came in time is never answered by a recall, whatever was down in between."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer

from tests.storm.field import Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.storm import Following
from topics import journal as j
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

WORKING_DAY_S = 0.7
"""A groen offer is recalled after eight of these."""


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    yield from a_field(tmp_path_factory.mktemp("outage"), working_day_s=WORKING_DAY_S)


@pytest.fixture
def workers(field: Field) -> tuple[Worker, Worker]:
    """Intake and region, both running, whatever the test before left of them."""
    if not field.workers:
        return field.worker("intake", "a"), field.worker("region", "a")
    for worker in field.workers:
        if not worker.running:
            worker.start()
    intake, region = field.workers
    return intake, region


def offered(journal: Following, report: dict[str, Any]) -> j.Offered | None:
    """The first offer of the case of a report."""
    for record in journal.records():
        if isinstance(record.input, j.ReportInput) and record.input.report_id == report["report_id"]:
            return next((event for event in record.events if isinstance(event, j.Offered)), None)
    return None


def a_standing_offer(field: Field, journal: Following, chance: random.Random) -> j.Offered:
    """A groen report is published, and stands on the queue of its team."""
    report = a_plain_report(chance)
    field.publish(report)
    field.producer.flush()
    found: j.Offered = wait_for("the offer", lambda: offered(journal, report))
    assert [step.name for step in found.ladder][-1] == "RECALLED"
    return found


def history_of(journal: Following, offer: j.Offered) -> list[str]:
    """What became of an offer, in the order of the journal: answers, steps that fired, what took it back."""
    found = []
    for record in journal.records():
        for event in record.events:
            if getattr(event, "handover_id", None) == offer.handover_id:
                match event:
                    case j.Answered():
                        found.append(event.state)
                    case j.StepFired():
                        found.append(event.step)
                    case j.TakenBack():
                        found.append(f"taken back: {event.state}")
    return found


def broker_now(field: Field) -> int:
    """The broker's clock: what it stamps on a record."""
    stamped = field.producer.send(specs.HEARTBEATS.topic(), b"{}").get(10)
    assert isinstance(stamped.timestamp, int)
    return stamped.timestamp


def accept(field: Field, offer: j.Offered) -> None:
    field.answer(offer.receiver, {"case_id": offer.case_id, "handover_id": offer.handover_id}, "ACCEPTED")


def pass_the_recall(field: Field, *offers: j.Offered) -> None:
    """Wait until the broker's clock is past the last step of these offers."""
    last = max(step.due for offer in offers for step in offer.ladder)
    wait_for("the moment of the recall", lambda: broker_now(field) > last)


RECALLED_IN_FULL = ["REMINDER", "SPECIALIST", "COORDINATOR", "RECALLED", "taken back: RECALLED"]


def test_an_accept_during_an_outage_wins_when_the_workers_come_back_together(
    field: Field, journal: Following, chance: random.Random, workers: tuple[Worker, Worker]
):
    # Given two offers that stand when every worker is killed
    accepted, silent = a_standing_offer(field, journal, chance), a_standing_offer(field, journal, chance)
    for worker in workers:
        worker.kill()

    # When one is accepted in time, the recall of both comes due, and the workers come back
    accept(field, accepted)
    assert broker_now(field) < accepted.ladder[-1].due
    pass_the_recall(field, accepted, silent)
    for worker in workers:
        worker.start()

    # Then the accepted one is accepted and nothing of its ladder fired; the other, as a control, is recalled
    wait_for("the recall of the other", lambda: "taken back: RECALLED" in history_of(journal, silent))
    assert history_of(journal, silent) == RECALLED_IN_FULL
    assert history_of(journal, accepted) == ["ACCEPTED"]


def test_nothing_fires_before_the_answers_of_the_outage_have_been_read(
    field: Field, journal: Following, chance: random.Random, workers: tuple[Worker, Worker]
):
    # Given an accept of the outage that lies on the receiver's topic after its recall was due
    intake, region = workers
    accepted, silent = a_standing_offer(field, journal, chance), a_standing_offer(field, journal, chance)
    for worker in workers:
        worker.kill()
    accept(field, accepted)
    pass_the_recall(field, accepted, silent)

    # When the region comes back alone, and has had every chance to fire
    opened = region.log().count("region_opened")
    region.start()
    wait_for("both regions open", lambda: region.log().count("region_opened") == opened + 2)
    chances = broker_now(field) + 3_000
    wait_for("three seconds of the broker", lambda: broker_now(field) > chances)

    # Then nothing fired, of that offer or of any other
    assert history_of(journal, accepted) == history_of(journal, silent) == []

    # When intake is back too, then what was accepted is accepted, and the other recalled
    intake.start()
    wait_for("the recall of the other", lambda: "taken back: RECALLED" in history_of(journal, silent))
    assert history_of(journal, silent) == RECALLED_IN_FULL
    assert history_of(journal, accepted) == ["ACCEPTED"]


def test_an_answer_in_a_transaction_of_its_receiver_holds_up_no_deadline_of_the_region(
    field: Field, journal: Following, chance: random.Random, workers: tuple[Worker, Worker]
):
    # Given two offers to a team whose software answers in transactions: their marker takes an offset of its own
    accepted, silent = a_standing_offer(field, journal, chance), a_standing_offer(field, journal, chance)
    producer = KafkaProducer(bootstrap_servers=field.broker.bootstrap, acks="all", transactional_id="team")
    producer.init_transactions()
    producer.begin_transaction()
    ours, field.producer = field.producer, producer
    try:
        accept(field, accepted)
    finally:
        field.producer = ours
    producer.commit_transaction()
    producer.close()

    # When the recall of the other comes due, then it fires
    wait_for("the recall of the other", lambda: "taken back: RECALLED" in history_of(journal, silent), 20)
    assert "taken back: RECALLED" not in history_of(journal, accepted)


def test_behind_a_flood_a_deadline_fires_and_an_answer_is_decided_first(
    field: Field, journal: Following, chance: random.Random, workers: tuple[Worker, Worker]
):
    # Given a region that is down while 3,000 reports reach its inbox, then an accept its desk, and a recall comes due
    _, region = workers
    accepted, silent = a_standing_offer(field, journal, chance), a_standing_offer(field, journal, chance)
    region.kill()
    # Red ones, whose terms are minutes of real time on this calendar too, of households that nobody shares.
    flood = [
        a_plain_report(
            chance,
            indicators={"A1": "YES"},
            participants=[{"role": "VICTIM", "sex": "FEMALE"}],
            address={"postcode": "5611 ZZ", "house_number": number},
        )
        for number in range(1, 3_001)
    ]
    for report in flood:
        field.publish(report)
    field.producer.flush()
    before = field.ends("desk")
    accept(field, accepted)
    pass_the_recall(field, accepted, silent)
    wait_for("all of it on the lanes", lambda: field.read_by("intake", "reports") and field.ends("desk") != before)

    # When it comes back
    region.start()
    wait_for("the recall of the other", lambda: "taken back: RECALLED" in history_of(journal, silent))

    # Then the accept was decided, and the recall fired, before most of the flood: the gate asks beside it
    ids = {report["report_id"] for report in flood}
    before = {offer.handover_id: 0 for offer in (accepted, silent)}
    decided = 0
    for record in journal.records("brabant-zuidoost"):
        decided += isinstance(record.input, j.ReportInput) and record.input.report_id in ids
        for event in record.events:
            if isinstance(event, j.Answered | j.TakenBack) and event.handover_id in before:
                before[event.handover_id] = decided
    assert max(before.values()) < len(flood) / 2
    assert history_of(journal, silent) == RECALLED_IN_FULL
    assert history_of(journal, accepted) == ["ACCEPTED"]
