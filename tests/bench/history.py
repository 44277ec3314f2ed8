"""A region's past, written straight onto the broker: lane, journal, keys, queues and receipts as casework writes them.

``python -m tests.bench.history REGION BOOTSTRAP REGIONS COUNT``. The decisions are the real ones, made in this process;
only the way there is left out, and the transactions. The lane's records are written too, so that the positions in
the journal are those of the lane; and the group's offset, so that nobody is given all of them again.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.casework.writer import CaseworkWriter
from agents.intake.decide import bring, registry
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from agents.stage.transport import group_of
from pipeline.bench import make, way_of
from tests.bench.ground import say
from topics import journal as j
from topics import specs
from topics.cluster import Cluster

PUBLISHED_FROM = 10**12
"""Offsets on the source's topic that no report will ever have: what is published later is no repeat of these."""
AT_ONCE = 500
TOLD_EVERY = 50_000


async def build(cluster: Cluster, folder: Path, name: str, count: int) -> None:
    """``count`` reports of one region, each about a household of its own, decided and written."""
    regions = load_regions(folder, development=True)
    config, known, chance = regions[name], registry(regions), random.Random(name)
    way, lane = way_of(config), specs.INBOX.topic()
    writer = CaseworkWriter(config, os.urandom, lambda record, book: None)
    producer = AIOKafkaProducer(
        **cluster.client(),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
    )
    await producer.start()
    outgoing = writer.begin(int(time.time() * 1000))
    for start in range(0, count, AT_ONCE):
        sent = []
        for number, made in enumerate(make(way, chance, range(start, min(start + AT_ONCE, count))), start):
            now = int(time.time() * 1000)
            published = Arrived(way.reports, 0, PUBLISHED_FROM + number, now, made.key, made.value, tuple(made.headers))
            key_id = str(UUID(int=chance.getrandbits(128), version=4))
            value = j.encode_lane(bring(published, known, key_id, os.urandom).message)
            sent.append(await producer.send(lane, value, name.encode(), partition=config.partition))
            outgoing += writer.decide(j.INBOX, Arrived(lane, config.partition, number, now, None, value, ()))
            # Without transactions a record's number is its offset.
            writer.committed(range(len(writer.contents.places), writer.book.seq))
            for out in outgoing:
                sent.append(
                    await producer.send(
                        out.topic, out.value, out.key, partition=out.partition, headers=list(out.headers)
                    )
                )
            outgoing = []
        await asyncio.gather(*sent)
        if (done := start + AT_ONCE) % TOLD_EVERY == 0:
            say(f"{name}: {done} of {count} journal records")
    await producer.stop()
    await _commit(cluster, config.partition, count)


async def _commit(cluster: Cluster, partition: int, offset: int) -> None:
    place = TopicPartition(specs.INBOX.topic(), partition)
    consumer = AIOKafkaConsumer(**cluster.client(), group_id=group_of("region"), enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: offset})
    await consumer.stop()


def main() -> None:
    name, bootstrap, folder, count = sys.argv[1:5]
    asyncio.run(build(Cluster(bootstrap=bootstrap), Path(folder), name, int(count)))


if __name__ == "__main__":
    main()
