"""Intake: brings what integrators, receivers and people publish to the lanes of their regions.

It keeps no state. Every send is confirmed before the offset is committed, so it may bring a record twice
after a crash and never loses one; casework knows the second time by the record's origin.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import faust
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from faust.types import TP

from agents.intake.decide import Brought, Registry, bring, put_aside
from agents.sealing import Entropy
from agents.stage.lane import Arrived, Lane
from agents.stage.reading import ends, reader, stretch
from agents.stage.sending import BATCH_BYTES, send_all
from agents.stage.transport import delivered, group_of
from agents.stage.writer import Outgoing
from topics import journal as j
from topics.cluster import Cluster

log = structlog.get_logger("intake")

BATCH_COUNT = 400
BATCH_S = 0.050
SHARE = 50
UNDECIDABLE_IN_A_ROW = 20
# Records are delivered one by one; a send, a confirmation and a commit for each would cost ten times as much.
GATHER_S = 0.010
TAIL_EVERY_S = 2.0
PAUSE_AT, RESUME_AT = 1_000, 250
Place = tuple[str, int]


class IntakeStopped(Exception):
    """This release can bring over nothing; a person must look."""


class Intake:
    """The intake of one worker. ``attach`` it to an app; ``run`` brings over what the app delivers."""

    def __init__(self, cluster: Cluster, known: Registry, entropy: Entropy, new_id: Callable[[], UUID]) -> None:
        self.cluster = cluster
        self.known = known
        self.brought = 0
        self.stopped = False
        """Whether nothing is brought over any more until a person has looked."""
        self._failed = 0
        self._entropy = entropy
        self._new_id = new_id
        self._lanes: dict[Place, Lane] = {}
        self._early: dict[Place, list[Arrived]] = {}
        self._paused: set[Place] = set()
        self._tails: dict[Place, int] = {}
        self._tails_asked = 0.0
        self._news = asyncio.Event()
        self._app: faust.App | None = None
        self._closing = False

    def attach(self, app: faust.App, topics: list[str]) -> None:
        """Read ``topics`` with ``app``."""
        self._app = app
        source = app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

        async def intake(stream: Any) -> None:
            async for message in delivered(app, stream):
                self._offer(message)

        app.agent(source, name="intake", concurrency=1)(intake)
        app.on_partitions_revoked.connect(self._revoked)
        app.on_rebalance_complete.connect(self._assigned)

    async def places(self) -> tuple[bool, dict[str, tuple[int, int]]]:
        """Whether this worker was assigned anything, and how far each of its partitions is and could be; nothing of
        them when it waits for a person."""
        assert self._app is not None
        lanes = {} if self.stopped else {place: lane.expected for place, lane in self._lanes.items()}
        async with reader(self.cluster) as consumer:
            last = await ends(consumer, [TopicPartition(*place) for place in lanes])
        found = {f"{topic}/{n}": (done, last[TopicPartition(topic, n)]) for (topic, n), done in lanes.items()}
        return bool(self._app.consumer.assignment()), found

    def close(self) -> None:
        """End after the batch in hand; ``run`` returns."""
        self._closing = True
        self._news.set()

    async def run(self) -> None:
        """Bring over, batch after batch. Raises when a send cannot be confirmed: the supervisor starts again."""
        producer = AIOKafkaProducer(
            **self.cluster.client(),
            client_id="meldstroom-intake",
            enable_idempotence=True,
            linger_ms=0,
            retry_backoff_ms=10,
            max_batch_size=BATCH_BYTES,
            max_request_size=8 * 1024 * 1024,
        )
        await producer.start()
        try:
            while not self._closing:
                if not any(lane.ready() for lane in self._lanes.values()):
                    self._news.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 1.0)
                    await self._fill_tails()
                    continue
                if sum(len(lane.waiting) for lane in self._lanes.values()) < SHARE:
                    await asyncio.sleep(GATHER_S)
                await self._batch(producer)
                self._let_flow()
        except IntakeStopped as error:
            # It stays there: started again by a supervisor it would put as many aside each time.
            self.stopped = True
            log.critical("intake_stopped", why=str(error))
            while not self._closing:
                self._news.clear()
                await self._news.wait()
        finally:
            await producer.stop()

    async def _batch(self, producer: AIOKafkaProducer) -> None:
        """A share of every partition that waits, so that a flood of one does not hold up the others."""
        started = time.monotonic()
        found: list[Outgoing] = []
        done: dict[TP, int] = {}
        for place, lane in tuple(self._lanes.items()):
            await self._fill_gap(place, lane)
            taken = lane.take(min(SHARE, BATCH_COUNT - len(found)), 4 * 1024 * 1024)
            for record in taken:
                brought = self._bring(record)
                value = j.encode_lane(brought.message)
                found.append(Outgoing(brought.lane, brought.region.encode(), value, (), brought.partition))
                if time.monotonic() - started > BATCH_S:
                    await asyncio.sleep(0)
            if taken:
                done[TP(*place)] = lane.expected
            if len(found) >= BATCH_COUNT:
                break
        if not found:
            return
        await send_all(producer, found)
        self.brought += len(found)
        assert self._app is not None
        still = {tp: offset for tp, offset in done.items() if (tp.topic, tp.partition) in self._lanes}
        if still:
            # When the partitions have moved meanwhile, their new holder brings these over again.
            await self._app.consumer.commit_done(still)

    def _bring(self, record: Arrived) -> Brought:
        """One record that our own code fails on must not stop the others; twenty in a row are a bad release."""
        key_id = str(self._new_id())
        try:
            found = bring(record, self.known, key_id, self._entropy)
        except (MemoryError, OSError):
            raise
        except Exception as error:
            self._failed += 1
            log.error("undecidable", topic=record.topic, offset=record.offset, error=type(error).__name__)
            if self._failed > UNDECIDABLE_IN_A_ROW:
                why = f"more than {UNDECIDABLE_IN_A_ROW} records in a row could not be brought over"
                raise IntakeStopped(f"{why}: {type(error).__name__}") from error
            return put_aside(record, self.known, key_id, self._entropy)
        self._failed = 0
        return found

    # Delivery ----------------------------------------------------------------------------------------

    def _offer(self, message: Any) -> None:
        place = (message.topic, message.partition)
        record = from_faust(message)
        lane = self._lanes.get(place)
        if lane is None:
            self._early.setdefault(place, []).append(record)
            return
        lane.offer(record)
        if len(lane.waiting) > PAUSE_AT and place not in self._paused:
            self._paused.add(place)
            assert self._app is not None
            self._app.consumer.on_buffer_full(TP(*place))
        self._news.set()

    def _let_flow(self) -> None:
        for place in tuple(self._paused):
            lane = self._lanes.get(place)
            if lane is None or len(lane.waiting) < RESUME_AT:
                self._paused.discard(place)
                assert self._app is not None
                if lane is not None:
                    self._app.consumer.on_buffer_drop(TP(*place))

    async def _fill_gap(self, place: Place, lane: Lane) -> None:
        """What delivery left out is read again. An integrator's transactions leave offsets without a record."""
        while (until := lane.gap()) is not None:
            async with reader(self.cluster) as consumer:
                await self._read_again(consumer, place, lane, until)

    async def _fill_tails(self) -> None:
        """The last records of a topic have none after them that would show they are missing: look now and then."""
        now = time.monotonic()
        if now - self._tails_asked < TAIL_EVERY_S or not self._lanes:
            return
        self._tails_asked = now
        before, self._tails = self._tails, {}
        async with reader(self.cluster) as consumer:
            last = await ends(consumer, [TopicPartition(*place) for place in self._lanes])
            for place, lane in tuple(self._lanes.items()):
                until = last.get(TopicPartition(*place), 0)
                if lane.ready() or lane.expected >= until:
                    continue
                self._tails[place] = lane.expected
                # Twice the same: it is not on its way any more (or only marks of a transaction lie there).
                if before.get(place) == lane.expected:
                    await self._read_again(consumer, place, lane, until)

    @staticmethod
    async def _read_again(consumer: AIOKafkaConsumer, place: Place, lane: Lane, until: int) -> None:
        found = [one async for records in stretch(consumer, *place, lane.expected, until) for one in records]
        lane.expected = found[0].offset if found else until
        lane.fill(found)

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self._lanes, self._early, self._paused = {}, {}, set()

    async def _assigned(self, *_: Any, **__: Any) -> None:
        """Start each partition where the group's commit says, else at its first record."""
        assert self._app is not None
        places = [TopicPartition(tp.topic, tp.partition) for tp in self._app.consumer.assignment()]
        if not places:
            return
        admin = AIOKafkaAdminClient(**self.cluster.client())
        await admin.start()
        try:
            committed = await admin.list_consumer_group_offsets(group_of("intake"))
        finally:
            await admin.close()
        async with reader(self.cluster) as consumer:
            first = await ends(consumer, places, first=True)
        lanes: dict[Place, Lane] = {}
        for place in places:
            known = committed.get(place)
            start = known.offset if known is not None and known.offset >= 0 else 0
            lanes[(place.topic, place.partition)] = Lane(max(start, first[place]))
        self._lanes = lanes
        early, self._early = self._early, {}
        for records in early.values():
            for record in records:
                if (lane := self._lanes.get((record.topic, record.partition))) is not None:
                    lane.offer(record)
        self._news.set()
        log.info("intake_assigned", partitions=len(lanes))


def from_faust(message: Any) -> Arrived:
    """A message of Faust in our form."""
    headers = message.headers
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return Arrived(
        message.topic,
        message.partition,
        message.offset,
        round(message.timestamp * 1000),
        message.key,
        message.value,
        tuple(pairs),
    )
