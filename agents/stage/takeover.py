"""Taking a region over: its book from snapshot and journal, and where its lanes go on.

Whoever opens a region has fenced the former writer: nothing of it changes meanwhile. Who only prepares for that reads
beside a writer that goes on.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(slots=True)
class Place:
    """How far a book knows the topics that it is made of: the offset of each from which it goes on."""

    journal: int | None = None
    """None: from the first."""
    keys: int = 0
    snapshots: int = 0

    def wrote(self, written: Mapping[TopicPartition, Sequence[int]], partition: int) -> Sequence[int]:
        """Follow what the book's own writer wrote, by the offsets that it got; those on the journal."""
        journal, keys, snapshots = (
            written.get(TopicPartition(spec.topic(), partition), ()) for spec in (JOURNAL, KEYS, SNAPSHOTS)
        )
        self.journal = journal[-1] + 1 if journal else self.journal
        self.keys = keys[-1] + 1 if keys else self.keys
        self.snapshots = snapshots[-1] + 1 if snapshots else self.snapshots
        return journal


async def caught_up(
    consumer: AIOKafkaConsumer,
    partition: int,
    kept: Writer | None,
    place: Place,
    make_writer: Callable[[], Writer],
    turn: Turn,
) -> tuple[Writer, Place, int]:
    """A writer whose book is as the journal says now, how far that is, and how many records were folded for it.

    A ``kept`` writer that is at ``place`` takes up what came since; nobody may have saved the book meanwhile.
    """
    # Asked before anything is read. Of what comes meanwhile the journal's record might be seen, and not its key.
    journal, keys, snapshots = (TopicPartition(spec.topic(), partition) for spec in (JOURNAL, KEYS, SNAPSHOTS))
    last = await ends(consumer, [journal, keys, snapshots])
    if kept is None:
        writer, start = await _restored(consumer, partition, make_writer, turn)
    else:
        writer, start = kept, place.journal
        await _whole(writer.restore({}, await compacted(consumer, KEYS.topic(), partition, place.keys)), turn)
    start, count = await _replayed(consumer, partition, writer, start, last[journal], turn)
    return writer, Place(start, last[keys], last[snapshots]), count


async def saved_since(consumer: AIOKafkaConsumer, partition: int, start: int) -> bool:
    """Whether somebody has saved the book, or a part of it, from this offset of the snapshots on."""
    async for _ in stretch(consumer, SNAPSHOTS.topic(), partition, start):
        return True
    return False


async def _restored(
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


async def _replayed(
    consumer: AIOKafkaConsumer, partition: int, writer: Writer, start: int | None, until: int, turn: Turn
) -> tuple[int | None, int]:
    """Fold the journal from ``start`` up to ``until``; where it goes on then, and how many records those were."""
    count = 0
    async for records in stretch(consumer, JOURNAL.topic(), partition, start, until):
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
