"""The bare loop: what this way costs with no rules, no sealing and no keeping of a book.

``python -m tests.bench.bare intake|region BOOTSTRAP REGIONS``. Two processes on aiokafka, as ours are. Intake reads
a report's envelope and parses it with the same pydantic model, and produces one lane record. Region reads the lane
and writes as many records as casework does, of the same sizes, in transactions of the same batch limits with the
lane's position in them. It takes records in whole batches, which Faust does not.
"""

import asyncio
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.casework.writer import CaseworkWriter
from agents.intake import agent as intake_agent
from agents.intake.decide import bring, registry
from agents.policy.region import RegionConfig, load_regions
from agents.stage import loop, transaction
from agents.stage.lane import Arrived
from agents.stage.sending import BATCH_BYTES
from agents.stage.transport import FETCH_BYTES
from agents.stage.writer import Outgoing
from pipeline.bench import Way, make, way_of
from tests.bench.ground import FIRST, renamed, rival_way
from topics import envelope, specs
from topics import journal as j
from topics.cluster import Cluster
from topics.reading import read_report

PREFIX = "bare"
AT = 1_770_000_000_000
MIB = 1024 * 1024


@dataclass(frozen=True)
class Shape:
    """What one report becomes: bytes of its lane record, and the records that casework writes of it."""

    lane: int
    outgoing: tuple[Outgoing, ...]


def shape_of(regions: dict[str, RegionConfig]) -> Shape:
    """Measured on a real report, by the real functions."""
    way = way_of(regions[FIRST])
    (made,) = make(way, random.Random(3), [0])
    published = Arrived(way.reports, 0, 0, AT, made.key, made.value, tuple(made.headers))
    lane = j.encode_lane(bring(published, registry(regions), str(UUID(int=1)), os.urandom).message)
    writer = CaseworkWriter(regions[FIRST], os.urandom, lambda record, book: None)
    writer.begin(AT)
    return Shape(len(lane), tuple(writer.decide(j.INBOX, Arrived("inbox", 0, 0, AT, None, lane, ()))))


async def intake(cluster: Cluster, way: Way, shape: Shape) -> None:
    """A report becomes a lane record."""
    lane = renamed(specs.INBOX.topic(), PREFIX)
    consumer = _consumer(cluster, "intake")
    producer = AIOKafkaProducer(
        **cluster.client(), enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES, max_request_size=8 * MIB
    )
    await consumer.start()
    await producer.start()
    consumer.subscribe([way.reports])
    while True:
        sent = []
        for record in await _batch(consumer, intake_agent.SHARE):
            said = envelope.read(record.headers, record.key, record.value)
            read_report(said.data)
            # JSON may end in white space: as long as the sealed record is.
            sent.append(await producer.send(lane, said.data.ljust(shape.lane), FIRST.encode(), partition=0))
        await asyncio.gather(*sent)
        if sent:
            await consumer.commit()


async def region(cluster: Cluster, shape: Shape) -> None:
    """A lane record becomes what casework writes."""
    consumer = _consumer(cluster, "region")
    producer = AIOKafkaProducer(
        **cluster.client(),
        transactional_id="bare-region",
        transaction_timeout_ms=transaction.TRANSACTION_TIMEOUT_MS,
        retry_backoff_ms=10,
        linger_ms=0,
        max_batch_size=BATCH_BYTES,
        max_request_size=8 * MIB,
    )
    outgoing = [(renamed(out.topic, PREFIX), out.value, out.key, list(out.headers)) for out in shape.outgoing]
    await consumer.start()
    await producer.start()
    lane = TopicPartition(renamed(specs.INBOX.topic(), PREFIX), 0)
    consumer.subscribe([lane.topic])
    while True:
        records = await _batch(consumer, loop.BATCH_COUNT)
        if not records:
            continue
        await producer.begin_transaction()
        sent = []
        for record in records:
            orjson.loads(record.value)
            for topic, value, key, headers in outgoing:
                sent.append(await producer.send(topic, value, key, partition=0, headers=headers))
        await producer.send_offsets_to_transaction({lane: records[-1].offset + 1}, f"{PREFIX}-region")
        await asyncio.gather(*sent)
        await producer.commit_transaction()


def _consumer(cluster: Cluster, role: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **cluster.client(),
        group_id=f"{PREFIX}-{role}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=FETCH_BYTES,
    )


async def _batch(consumer: AIOKafkaConsumer, most: int) -> list[Any]:
    """What lies there, at most so many; of a few it waits a moment for more, as ours do."""
    found = await consumer.getmany(timeout_ms=1000, max_records=most)
    records = [record for some in found.values() for record in some]
    if records and len(records) < most:
        await asyncio.sleep(loop.GATHER_S)
        more = await consumer.getmany(timeout_ms=0, max_records=most - len(records))
        records += [record for some in more.values() for record in some]
    return records


def main() -> None:
    role, bootstrap, folder = sys.argv[1:4]
    regions = load_regions(Path(folder), development=True)
    shape, cluster = shape_of(regions), Cluster(bootstrap=bootstrap)
    if role == "intake":
        asyncio.run(intake(cluster, rival_way(way_of(regions[FIRST]), PREFIX), shape))
    else:
        asyncio.run(region(cluster, shape))


if __name__ == "__main__":
    main()
