"""A case that goes from one region to another through a broker, while the worker of both is killed in between."""

import random
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from tests.cases import EINDHOVEN, POLICE, an_address
from tests.storm.field import Field, a_field, a_plain_report, wait_for
from tests.storm.seen import BRABANT, HOLLAND, opened
from tests.storm.storm import Following
from topics import journal as j

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
THERE = "vt-brabant-zuidoost"
E = TypeVar("E")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    for made in a_field(tmp_path_factory.mktemp("regions")):
        made.worker("intake", "a")
        yield made


def events(journal: Following, region: str, kind: type[E], **values: Any) -> list[E]:
    return [
        event
        for record in journal.records(region)
        for event in record.events
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items())
    ]


def the_one(journal: Following, region: str, kind: type[E], **values: Any) -> E:
    """The one event of that kind, once it is there."""
    (found,) = wait_for(f"{kind.__name__} in {region}", lambda: events(journal, region, kind, **values))
    return found


def test_a_case_changes_hands_once_whatever_is_killed_in_between(
    field: Field, journal: Following, chance: random.Random
):
    # Given a family of the other region, reported here
    worker = field.worker("region", "a")
    opened(worker, HOLLAND)
    opened(worker, BRABANT)
    report = a_plain_report(
        chance, source_id=POLICE, municipality=EINDHOVEN, address=an_address(31, postcode="5611 AB")
    )
    field.publish(report)
    field.producer.flush()
    offered = the_one(journal, HOLLAND, j.Offered, receiver=THERE)

    # When the worker is killed as soon as the other centre has it, which then accepts
    taken = the_one(journal, BRABANT, j.TransferTaken)
    worker.kill()
    at_the_desk = the_one(journal, BRABANT, j.Offered, case_id=taken.case_id)
    answer = {"case_id": at_the_desk.case_id, "handover_id": at_the_desk.handover_id}
    field.answer(at_the_desk.receiver, answer, "ACCEPTED")
    field.producer.flush()
    second = field.worker("region", "a")
    the_one(journal, HOLLAND, j.HandedOver, case_id=offered.case_id)
    second.kill()
    field.worker("region", "a")

    # Then it is the other centre's, once
    owner = the_one(journal, BRABANT, j.OwnerChanged)
    assert (owner.case_id, owner.owner) == (taken.case_id, THERE)
    assert len(events(journal, HOLLAND, j.OwnerChanged)) == 1
    assert len(events(journal, BRABANT, j.TransferTaken)) == 1
    assert len(events(journal, HOLLAND, j.Offered)) == 1
