"""What is too large is refused by the broker, by its real size: no worker ever reads it, and good reports go on."""

import random
from collections.abc import Iterator
from contextlib import closing

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, UnknownError

from tests.bench.ground import rss_mib
from tests.storm.bad import headers_of
from tests.storm.field import Field, a_field, a_plain_report, wait_for
from tests.storm.storm import Following
from topics import journal as j
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

POLICE, TEAM, REGION = "politie-oost-brabant", "wijkteam-geldrop-mierlo", "brabant-zuidoost"
BOMB = bytes(50 * 1000 * 1000)
"""Snappy makes 2.4 MB of it, the others 50 kB and less: each fits as it comes."""
MORE_THAN_THE_HEAP = bytes(300 * 1000 * 1000)
"""With what the broker needs to measure it."""
TOO_LARGE = random.Random(60).randbytes(specs.FROM_OUTSIDE_MAX)
"""The record around it takes it over the limit."""
GROWS_LESS_MIB = 64


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    for made in a_field(tmp_path_factory.mktemp("field")):
        intake, region = made.worker("intake", "a"), made.worker("region", "a")
        wait_for("at work", lambda i=intake, r=region: "assigned" in i.log() and "region_opened" in r.log())
        yield made


def decided(field: Field, journal: Following, chance: random.Random) -> None:
    """A good report goes the whole way."""
    report = a_plain_report(chance)
    field.publish(report)
    wait_for(
        "decided",
        lambda: any(
            isinstance(record.input, j.ReportInput) and record.input.report_id == report["report_id"]
            for record in journal.records(REGION)
        ),
    )


async def test_bombs_and_what_is_too_large_are_refused_by_the_broker(field: Field):
    chance = random.Random(8)
    topics = (
        (specs.REPORTS.topic(POLICE), specs.REPORT_TYPE),
        (specs.ANSWERS.topic(TEAM), specs.ANSWER_TYPE),
        (specs.ACTS.topic(REGION), specs.ACT_TYPE),
    )
    with closing(Following(field)) as journal:
        # Given workers that have decided something
        decided(field, journal, chance)
        before = {worker.role: rss_mib(worker.process.pid, "VmHWM") for worker in field.workers}
        ends = {family: field.ends(family) for family in ("reports", "answers", "acts")}

        # When 50 MB of zeros in a record that would fit come to each topic, and a record that is as large as it looks
        refused = []
        for compression in ("gzip", "snappy", "lz4", "zstd", None):
            value = TOO_LARGE if compression is None else BOMB
            async with AIOKafkaProducer(
                bootstrap_servers=field.broker.bootstrap,
                compression_type=compression,
                max_request_size=2 * len(BOMB),  # its own client lets it go
                max_batch_size=2 * len(BOMB),
            ) as producer:
                for topic, kind in topics:
                    with pytest.raises(MessageSizeTooLargeError):
                        await producer.send_and_wait(topic, value, b"bom", headers=headers_of(kind, "urn:nld:bom", {}))
                    refused.append((compression, topic))

        # Then none of them lies there, and the next good report is decided
        assert len(refused) == 15
        assert {family: field.ends(family) for family in ends} == ends
        decided(field, journal, chance)

        # And no worker has seen anything of it
        for worker in field.workers:
            assert worker.running
            assert rss_mib(worker.process.pid, "VmHWM") - before[worker.role] < GROWS_LESS_MIB
        assert not [record for record in journal.records() if isinstance(record.input, j.RefusedInput)]


async def test_a_bomb_that_opens_to_more_than_its_memory_does_not_take_the_broker_along(field: Field):
    with closing(Following(field)) as journal:
        # When a record of 10 kB opens to more than the broker can hold
        async with AIOKafkaProducer(
            bootstrap_servers=field.broker.bootstrap,
            compression_type="zstd",
            max_request_size=2 * len(MORE_THAN_THE_HEAP),
            max_batch_size=2 * len(MORE_THAN_THE_HEAP),
        ) as producer:
            with pytest.raises((MessageSizeTooLargeError, UnknownError)):
                await producer.send_and_wait(specs.REPORTS.topic(POLICE), MORE_THAN_THE_HEAP, b"bom")

        # Then that one alone is refused, and the broker goes on
        assert field.broker.running
        decided(field, journal, random.Random(9))
