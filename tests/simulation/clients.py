"""What the product uses of aiokafka, on the broker in memory."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from tests.simulation.broker import Broker, Holder, Stored
from tests.simulation.turns import Turn


class Consumer:
    """A consumer without a group that reads what is committed."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._at: dict[TopicPartition, int] = {}
        self._client = self

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def add_topic(self, topic: str) -> None: ...

    def assign(self, places: Iterable[TopicPartition]) -> None:
        self._at = dict.fromkeys(places, 0)

    def unsubscribe(self) -> None:
        self._at = {}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._at[place] = offset

    async def seek_to_beginning(self, place: TopicPartition) -> None:
        self._at[place] = 0

    async def position(self, place: TopicPartition) -> int:
        return self._at[place]

    async def getmany(self, place: TopicPartition, **_: Any) -> dict[TopicPartition, list[Stored]]:
        found = self._broker.read(tuple(place), self._at[place])
        self._at[place] = max(self._at[place], self._broker.end(tuple(place)))
        return {place: found}

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self._broker.end(tuple(place)) for place in places}

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)


class Batch:
    """Records that are sent together; there is always room."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]] = []

    def append(self, *, timestamp: None, key: bytes | None, value: bytes | None, headers: list[Any]) -> bool:
        self.records.append((key, value, tuple(headers)))
        return True

    def record_count(self) -> int:
        return len(self.records)


class Producer:
    """A producer of one worker, with transactions when it has an id for them.

    Each call is a turn: ``open`` and ``opened``, ``begin``, ``send``, ``offsets``, ``commit`` before anything happens,
    ``committed`` when it has happened and nobody was told.
    """

    def __init__(self, broker: Broker, transactional_id: str | None = None) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = 0
        self.client = self
        self.cluster = SimpleNamespace(topics=lambda **_: broker.topics)

    @property
    def _holder(self) -> Holder:
        """Its transactional id; raises when somebody else holds that now."""
        assert self._id is not None
        holder = self._broker.holders[self._id]
        if holder.epoch != self._epoch:
            # Which of the two the broker says depends on what it is asked.
            raise InvalidProducerEpoch if holder.epoch == self._epoch + 1 else ProducerFenced
        return holder

    async def start(self) -> None:
        if self._id is not None:
            await Turn("open")
            self._epoch = self._broker.open(self._id)
            await Turn("opened")

    async def stop(self) -> None: ...

    async def close(self) -> None: ...

    async def set_topics(self, topics: Iterable[str]) -> bool:
        """Of an empty list of topics the broker tells all that there are."""
        return True

    async def begin_transaction(self) -> None:
        await Turn("begin")
        self._broker.begin(self._holder)

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Any:
        await Turn("send")
        transaction = self._holder.transaction if self._id is not None else None
        offsets = [self._broker.append((topic, partition), *record, transaction) for record in batch.records]
        return _Confirmed(SimpleNamespace(offset=offsets[0]))

    async def send_and_wait(self, topic: str, value: bytes, *, key: bytes, partition: int) -> Any:
        """A heartbeat: nobody reads them here, so only its stamp counts."""
        return SimpleNamespace(timestamp=self._broker.stamp(), offset=0)

    async def send_offsets_to_transaction(self, offsets: Mapping[TopicPartition, int], group: str) -> None:
        await Turn("offsets")
        transaction = self._holder.transaction
        assert transaction is not None
        transaction.offsets[group].update({tuple(place): offset for place, offset in offsets.items()})

    async def commit_transaction(self) -> None:
        await Turn("commit")
        self._broker.commit(self._holder)
        await Turn("committed")


class Admin:
    """The offsets of groups."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def list_consumer_group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        found = self._broker.groups[group]
        return {TopicPartition(*place): OffsetAndMetadata(offset, "") for place, offset in found.items()}


class _Confirmed:
    """What the broker said, to be awaited."""

    def __init__(self, said: Any) -> None:
        self._said = said

    def __await__(self) -> Any:
        return self._said
        yield
