"""Reading whole partitions and single stretches beside Faust: for a takeover, and where delivery left a hole."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.stage.lane import Arrived
from topics.cluster import Cluster

NEAR = 100
"""So many offsets are passed over by reading on; further away, another place is sought."""
HOLD_MS = 10
"""How long the broker may hold a fetch that brings nothing. Whatever else is asked of it meanwhile waits behind that:
with 100 ms an empty region took 0.8 s to open."""


@asynccontextmanager
async def reader(cluster: Cluster, hold_ms: int = HOLD_MS) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of no group that reads what is committed; with a longer ``hold_ms`` one that follows a topic."""
    consumer = AIOKafkaConsumer(
        **cluster.client(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=hold_ms,
        retry_backoff_ms=20,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    try:
        await consumer.start()
        # A task of the client's that is stopped before it has begun would raise ``CancelledError``.
        await asyncio.sleep(0)
        yield consumer
    finally:
        await consumer.stop()


async def ends(
    consumer: AIOKafkaConsumer, places: Iterable[TopicPartition], *, first: bool = False
) -> dict[TopicPartition, int]:
    """Where partitions end now (``first``: where they begin), also of topics that this client never met."""
    wanted = list(places)
    # Asked one by one, each new topic would cost a back-off: 37 topics took 3.7 s.
    await asyncio.gather(*(consumer._client.add_topic(topic) for topic in {place.topic for place in wanted}))
    found: dict[TopicPartition, int] = await (consumer.beginning_offsets if first else consumer.end_offsets)(wanted)
    return found


async def stretch(
    consumer: AIOKafkaConsumer, topic: str, partition: int, start: int | None, until: int | None = None
) -> AsyncIterator[list[Arrived]]:
    """The records of a partition from ``start`` (None: its first) up to ``until`` (None: its end now)."""
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    if start is None:
        await consumer.seek_to_beginning(place)
    else:
        consumer.seek(place, start)
    end = (await ends(consumer, [place]))[place] if until is None else until
    while await consumer.position(place) < end:
        # Transaction markers take offsets too: the position can pass the end without a record.
        found = await consumer.getmany(place, timeout_ms=200, max_records=5_000)
        for records in found.values():
            if batch := [arrived(record) for record in records if record.offset < end]:
                yield batch


async def compacted(
    consumer: AIOKafkaConsumer, topic: str, partition: int, start: int | None = None
) -> dict[bytes, bytes]:
    """What a compacted partition says now (from ``start`` on): the latest value of each key."""
    latest: dict[bytes, bytes] = {}
    async for records in stretch(consumer, topic, partition, start):
        for record in records:
            if record.key is None:
                continue
            if record.value is None:
                latest.pop(record.key, None)
            else:
                latest[record.key] = record.value
    return latest


def arrived(record: object) -> Arrived:
    """A record of aiokafka in our form."""
    return Arrived(
        record.topic,  # type: ignore[attr-defined]
        record.partition,  # type: ignore[attr-defined]
        record.offset,  # type: ignore[attr-defined]
        record.timestamp,  # type: ignore[attr-defined]
        record.key,  # type: ignore[attr-defined]
        record.value,  # type: ignore[attr-defined]
        tuple(record.headers),  # type: ignore[attr-defined]
    )


async def unread(
    consumer: AIOKafkaConsumer,
    marks: Mapping[TopicPartition, int],
    committed: Mapping[TopicPartition, int],
    blank: dict[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Those of the marks before which a record lies that the group with these ``committed`` offsets has not read.

    Where a topic ends does not say so: the marker of a receiver's transaction takes an offset too, and so does
    what retention has taken away. ``blank`` remembers up to where a topic was read and held no record.
    """
    behind = {place: max(committed.get(place, 0), blank.get(place, 0), 0) for place in marks}
    now = await ends(consumer, [place for place in marks if behind[place] > marks[place]])
    left: dict[TopicPartition, int] = {}
    for place, mark in marks.items():
        start = behind[place]
        if start > now.get(place, start):
            left[place] = mark  # another topic than the one that was read: whatever lies there is unread
        elif start < mark:
            async for _ in stretch(consumer, place.topic, place.partition, start, mark):
                left[place] = mark
                break
            else:
                blank[place] = mark
    return left


async def picked(
    consumer: AIOKafkaConsumer, topic: str, partition: int, offsets: Sequence[int]
) -> AsyncIterator[Arrived]:
    """The records at these offsets, which rise. Those that lie near each other are read in one go."""
    near: list[list[int]] = []
    for offset in offsets:
        if near and offset - near[-1][-1] <= NEAR:
            near[-1].append(offset)
        else:
            near.append([offset])
    for some in near:
        wanted = set(some)
        async for records in stretch(consumer, topic, partition, some[0], some[-1] + 1):
            for record in records:
                if record.offset in wanted:
                    yield record
