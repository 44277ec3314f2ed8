"""The journal for people who look: read beside the workers, committed records only, without keys."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from agents.casework.book import Book, Opened
from topics import journal as j
from topics.cluster import Cluster
from topics.specs import JOURNAL

NOTHING_OPENED = Opened()
"""Who reads without keys folds a skeleton: everything but what links households."""


class NoTopic(Exception):
    """A topic that is asked for is not on the cluster. Kafka's clients would wait half a minute for it."""


def read_journal(
    cluster: Cluster,
    partitions: Iterable[int],
    follow: bool = False,
    *,
    start: Mapping[int, int] | None = None,
    for_s: float | None = None,
) -> Iterator[j.Record]:
    """The records of these partitions: each partition in its order, up to its end now.

    ``start`` says from which offset on; without, from the first. With ``follow`` it goes on with what
    comes, for ever or ``for_s`` seconds. Raises ``UnknownFormat`` at a record of a newer release.
    """
    for _, value in read_values(cluster, JOURNAL.topic(), partitions, follow, start=start, for_s=for_s):
        yield j.decode(value.value)


def read_values(
    cluster: Cluster,
    topic: str,
    partitions: Iterable[int],
    follow: bool = False,
    *,
    start: Mapping[int, int] | None = None,
    for_s: float | None = None,
) -> Iterator[tuple[int, Any]]:
    """The same for any topic: partition, and the record as kafka-python has it."""
    until = None if for_s is None else time.monotonic() + for_s
    places = [TopicPartition(topic, number) for number in partitions]
    with closing(consumer_of(cluster)) as consumer:
        _known(consumer, [topic])
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        for place in places:
            if start is not None and place.partition in start:
                consumer.seek(place, start[place.partition])
        # An open transaction has no end yet: what lies before it is all that is committed.
        ends = consumer.end_offsets(places)
        while follow or any(consumer.position(place) < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=200).items():
                for record in records:
                    yield place.partition, record
            if until is not None and time.monotonic() > until:
                return


def ends_of(cluster: Cluster, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The offset that comes next on each of these partitions."""
    with closing(consumer_of(cluster)) as consumer:
        _known(consumer, [topic])
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in partitions])
    return {place.partition: offset for place, offset in ends.items()}


def require_topics(cluster: Cluster, topics: Iterable[str]) -> None:
    """``NoTopic`` when one of these is not on the cluster."""
    with closing(consumer_of(cluster)) as consumer:
        _known(consumer, topics)


def _known(consumer: KafkaConsumer, topics: Iterable[str]) -> None:
    if missing := sorted(set(topics) - consumer.topics()):
        raise NoTopic(", ".join(missing))


def consumer_of(cluster: Cluster) -> KafkaConsumer:
    """A consumer of no group that reads what is committed."""
    return KafkaConsumer(
        **cluster.client(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=8 * 1024 * 1024,
        max_poll_records=5_000,
    )


def books(cluster: Cluster, regions: Mapping[str, int]) -> dict[str, Book]:
    """The book of each region (name -> partition), folded from its journal."""
    return {name: book for name, (book, _) in histories(cluster, regions, keep=False).items()}


def histories(
    cluster: Cluster, regions: Mapping[str, int], *, keep: bool = True
) -> dict[str, tuple[Book, list[j.Record]]]:
    """Each region's book, and with ``keep`` the records it was folded from."""
    found: dict[str, tuple[Book, list[j.Record]]] = {name: (Book(name), []) for name in regions}
    for record in read_journal(cluster, sorted(regions.values())):
        if record.region not in found:
            continue  # of another folder of regions on the same cluster
        book, records = found[record.region]
        book.apply(record, NOTHING_OPENED)
        if keep:
            records.append(record)
    return found
