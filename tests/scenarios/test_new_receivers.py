"""Who is added to a region's folder takes part within a minute, and nobody starts anything again by hand."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.policy.region import load_regions
from tests.storm.field import Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.storm import Following
from topics import journal as j

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

REGION, SOURCE, TEAM = "brabant-zuidoost", "zorgloket-eindhoven", "wijkteam-eindhoven-nieuw"
WITHIN_S = 60
POSTCODE = "5699"
"""Nobody's so far: the team that is added has it."""


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    for made in a_field(tmp_path):
        made.worker("intake", "a")
        region = made.worker("region", "a")
        wait_for("at work", lambda region=region: region.log().count("region_opened") == 2)
        yield made


@pytest.fixture
def journal(field: Field) -> Iterator[Following]:
    following = Following(field)
    yield following
    following.close()


def supervised(field: Field) -> bool:
    """As ``up`` does: what ended in order to start anew is started again."""
    for worker in field.workers:
        if not worker.running:
            worker.start()
    return True


def change(field: Field, name: str, add: dict[str, Any]) -> None:
    """Add something to a list in a file of the region, as somebody with an editor does."""
    path = field.regions_folder / REGION / f"{name}.yaml"
    found = yaml.safe_load(path.read_text())
    (kind,) = add
    found[kind].append(add[kind])
    path.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True))


def known(field: Field) -> None:
    """The field, too, learns who there is."""
    field.regions = load_regions(field.regions_folder, development=True)
    field.sources = {source.id: source for config in field.regions.values() for source in config.sources}
    field.receivers = [found.id for config in field.regions.values() for found in config.directory.own()]


def offers(journal: Following, receiver: str) -> list[j.Offered]:
    return [
        event
        for record in journal.records(REGION)
        for event in record.events
        if isinstance(event, j.Offered) and event.receiver == receiver
    ]


def decided(journal: Following, report: dict[str, Any]) -> bool:
    inputs = (record.input for record in journal.records())
    return any(isinstance(said, j.ReportInput) and said.report_id == report["report_id"] for said in inputs)


def regions_said(worker: Worker) -> bool:
    return '"event": "regions_' in worker.log()


def test_a_new_team_and_a_new_source_take_part_within_a_minute(field: Field, journal: Following):
    # Given a region at work
    chance = random.Random(4)
    first = a_plain_report(chance)
    field.publish(first)
    field.producer.flush()
    wait_for("the first decided", lambda: decided(journal, first))
    region = field.workers[1]
    before = region.process

    # When a team and a source are written into its folder, and their topics are made
    example = field.regions[REGION].directory.own()[-1]
    team = example.model_dump(mode="json") | {
        "id": TEAM, "kind": "TEAM", "name": "Wijkteam Nieuw", "municipalities": ["0772"], "postcodes": [POSTCODE],
    }  # fmt: skip
    change(field, "directory", {"receivers": team})
    source = {
        "id": SOURCE, "source": "urn:nld:oin:00000001999979999000:systeem:zorgloket",
        "kind": "MUNICIPALITY", "professional": True,
    }  # fmt: skip
    change(field, "sources", {"sources": source})
    known(field)
    field.make_topics()

    # Then what that source publishes about a household of that team is offered to it
    report = a_plain_report(chance, source_id=SOURCE)
    report["address"]["postcode"] = f"{POSTCODE} AB"

    def offered() -> bool:
        supervised(field)
        return bool(offers(journal, TEAM))

    wait_for("the directory in the journal", lambda: supervised(field) and _configured(journal), WITHIN_S)
    field.publish(report)
    field.producer.flush()
    wait_for("offered to the new team", offered, WITHIN_S)

    # And its answer is heard
    (offer,) = offers(journal, TEAM)
    field.answer(TEAM, {"case_id": offer.case_id, "handover_id": offer.handover_id}, "ACCEPTED")
    wait_for(
        "accepted",
        lambda: any(
            isinstance(event, j.Answered) and event.handover_id == offer.handover_id
            for record in journal.records(REGION)
            for event in record.events
        ),
    )
    # The writers of the regions went on all the while
    assert region.process is before
    assert region.running
    assert "region_reopens" not in region.log()


def _configured(journal: Following) -> bool:
    inputs = [record.input for record in journal.records(REGION)]
    return any(isinstance(said, j.ConfigureInput) and TEAM in said.directory for said in inputs)


def test_a_directory_that_cannot_be_used_changes_nothing_and_says_so_once(field: Field, journal: Following):
    # Given a region at work
    chance = random.Random(5)
    region = field.workers[1]
    path = field.regions_folder / REGION / "directory.yaml"
    text = path.read_text()

    # When somebody leaves a mistake in its directory
    path.write_text(text.replace("kind: TEAM", "kind: TAEM"))
    wait_for("it is said", lambda: regions_said(region), WITHIN_S)

    # Then it goes on by the one before
    report = a_plain_report(chance)
    field.publish(report)
    field.producer.flush()
    wait_for("decided", lambda: decided(journal, report))
    assert region.log().count('"event": "regions_not_used"') == 1

    # When it is mended, then nothing is different from before
    path.write_text(text)
    assert region.running
