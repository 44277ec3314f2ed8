"""Taking a region over: its book from snapshot and journal, and where its lanes go on.

Whoever calls this has fenced the former writer: nothing of the region changes meanwhile.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import ParamSpec, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.stage.lane import Lane
from agents.stage.reading import compacted, ends, stretch
from agents.stage.writer import Writer
from topics.journal import DESK, INBOX, UnknownFormat
from topics.specs import DESK as DESK_TOPIC
from topics.specs import INBOX as INBOX_TOPIC
from topics.specs import JOURNAL, KEYS, SNAPSHOTS

P = ParamSpec("P")
R = TypeVar("R")
Turn = Callable[[], Awaitable[None]]
"""Called between small steps: lets the other regions of the worker do something."""

LANES = {DESK: DESK_TOPIC.topic(), INBOX: INBOX_TOPIC.topic()}


class RegionStopped(Exception):
    """The region must not go on without a person: a hole, or one undecidable input after another."""


async def restored(
    consumer: AIOKafkaConsumer, partition: int, make_writer: Callable[[], Writer], turn: Turn
) -> tuple[Writer, int | None]:
    """A writer with the book of the last snapshot, and the journal offset to go on from (None: its first)."""
    writer = make_writer()
    snapshot = await compacted(consumer, SNAPSHOTS.topic(), partition)
    # Of a large region the keys are most of what there is to read: those since the last snapshot are enough.
    keys_from = writer.keys_from(snapshot)
    if keys_from is not None:
        keys = await compacted(consumer, KEYS.topic(), partition, keys_from)
        found = await _whole(writer.restore(snapshot, keys), turn)
        if found is not None:
            return writer, found
        writer = make_writer()
    keys = await compacted(consumer, KEYS.topic(), partition)
    await _whole(writer.restore({}, keys), turn)
    return writer, None


async def replayed(
    consumer: AIOKafkaConsumer, partition: int, writer: Writer, start: int | None, turn: Turn
) -> tuple[int | None, int]:
    """Fold the journal from ``start`` to its end; where it goes on then, and how many records those were."""
    count = 0
    async for records in stretch(consumer, JOURNAL.topic(), partition, start):
        for record in records:
            _folded(writer.replay, record.value or b"", record.offset)
            start = record.offset + 1
            count += 1
            await turn()
    return start, count


async def lanes(consumer: AIOKafkaConsumer, partition: int, writer: Writer) -> dict[str, Lane]:
    """Where each lane goes on; raises ``RegionStopped`` when what comes next is not there."""
    found = {}
    places = {name: TopicPartition(topic, partition) for name, topic in LANES.items()}
    starts = await ends(consumer, places.values(), first=True)
    stops = await ends(consumer, places.values())
    for name, place in places.items():
        expected, first, last = writer.expected(name), starts[place], stops[place]
        if expected is not None and expected < first:
            raise RegionStopped(f"{place.topic}: offsets {expected} to {first} are gone and were never decided")
        if expected is not None and expected > last:
            raise RegionStopped(f"{place.topic}: ends at {last}, and {expected} comes next: it is another topic now")
        found[name] = Lane(first if expected is None else expected)
    return found


async def written_since(
    consumer: AIOKafkaConsumer, partition: int, journal_next: int | None, snapshots_next: int
) -> bool:
    """Whether somebody has written to the journal, or saved the book, from these offsets on."""
    for topic, start in ((JOURNAL.topic(), journal_next), (SNAPSHOTS.topic(), snapshots_next)):
        async for _ in stretch(consumer, topic, partition, start):
            return True
    return False


async def _whole(steps: Generator[None, None, int | None], turn: Turn) -> int | None:
    while True:
        try:
            _folded(next, steps)
        except StopIteration as end:
            found: int | None = end.value
            return found
        await turn()


def _folded(fold: Callable[P, R], *arguments: P.args, **more: P.kwargs) -> R:
    """What is restored must be readable; when it is not, this region alone waits for a person."""
    try:
        return fold(*arguments, **more)
    except (MemoryError, OSError, UnknownFormat, StopIteration):
        raise
    except Exception as error:
        raise RegionStopped(f"its book cannot be restored: {type(error).__name__}") from error
