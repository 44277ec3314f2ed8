"""The regions of one worker: opened when Faust assigns their partitions, closed when it takes them away."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import faust
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from faust.types import TP

from agents.stage.clock import BrokerClock
from agents.stage.gate import Marks
from agents.stage.lane import Arrived
from agents.stage.loop import Region, Tools
from agents.stage.reading import ends, picked, unread
from agents.stage.takeover import LANES, RegionStopped
from agents.stage.transport import delivered, group_of
from agents.stage.writer import Writer
from topics.cluster import Cluster
from topics.journal import UnknownFormat
from topics.specs import JOURNAL

log = structlog.get_logger("stage")

CLOSE_S = 8.0
LOOK_UP_S = 30.0


class Stage:
    """All region partitions of this worker. ``failed`` gets the exception that nothing here can mend."""

    def __init__(
        self,
        cluster: Cluster,
        regions: Mapping[int, str],
        make_writer: Callable[[str], Writer],
        clock: BrokerClock,
    ) -> None:
        self.regions: dict[int, Region] = {}
        self.coming: dict[int, Region] = {}
        """Regions that another worker is about to give up, as far as they are prepared here."""
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._cluster = cluster
        self._names = regions
        self._make_writer = make_writer
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._app: faust.App | None = None
        self._side: AIOKafkaConsumer | None = None
        self._journal: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._asking = asyncio.Lock()
        self._looking_up = asyncio.Lock()
        self._closing = asyncio.Lock()
        self._stopped = False
        self._empty_until: dict[TopicPartition, int] = {}
        self._preparing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect what all regions share."""
        self._side = AIOKafkaConsumer(
            **self._cluster.client(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await self._side.start()
        self._journal = AIOKafkaConsumer(
            **self._cluster.client(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
            # Single records are looked up: what lies after them is seldom wanted.
            max_partition_fetch_bytes=64 * 1024,
        )
        await self._journal.start()
        self._admin = AIOKafkaAdminClient(**self._cluster.client())
        await self._admin.start()

    def reconfigure(self, change: Callable[[str, Writer], None]) -> None:
        """Something of the regions' configuration is different: ``change`` tells each writer, by its region."""
        for region in (*self.regions.values(), *self.coming.values()):
            region.reconfigure(partial(change, region.name))

    def holds(self) -> list[int]:
        """The partitions whose regions it was given."""
        return sorted(self._tasks)

    def leave(self) -> None:
        """Save no book any more: whoever prepares it would have to begin anew."""
        for region in self.regions.values():
            region.saving.paused = True

    def prepared(self) -> list[int]:
        """The partitions of the regions that it could go on with at once."""
        return sorted(partition for partition, region in self.coming.items() if region.seen.state == "prepared")

    def prepare(self, partitions: Collection[int]) -> "asyncio.Task[None] | None":
        """Restore the books of these regions, beside what is decided here: another worker is about to give them up.

        None when there is nothing to begin with.
        """
        wanted = sorted(set(partitions) & set(self._names) - set(self.regions) - set(self.prepared()))
        if wanted and not self._stopped and (self._preparing is None or self._preparing.done()):
            self._preparing = asyncio.create_task(self._prepare(wanted), name="preparing")
            return self._preparing
        return None

    async def _prepare(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            region = self.coming[partition] = self._region(partition)
            try:
                await region.prepare()
            except Exception as error:  # then it is restored when it is opened
                log.warning("region_not_prepared", region=region.name, error=type(error).__name__)
            else:
                log.info("region_prepared", region=region.name, partition=partition)

    async def _end_preparing(self) -> None:
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)

    async def places(self) -> tuple[bool, dict[str, tuple[int, int]]]:
        """Whether this worker was assigned anything, and of each region that decides how far it is and could be.

        One that is being opened counts its steps; one that waits for the broker, a topic or a person is left out.
        """
        assert self._app is not None
        found: dict[str, tuple[int, int]] = {}
        for region in tuple(self.regions.values()):
            if region.seen.state == "opening":
                found[region.name] = (region.seen.steps, region.seen.steps + 1)
            elif done := region.done():
                found[region.name] = (sum(done.values()), sum((await self._lane_ends(region.partition)).values()))
        return bool(self._app.consumer.assignment()), found

    async def stop(self) -> None:
        """Close every book after the batch in hand; nothing is opened any more."""
        self._stopped = True
        await self._end_preparing()
        await self._close_all()
        for consumer in (self._side, self._journal):
            if consumer is not None:
                await consumer.stop()
        if self._admin is not None:
            await self._admin.close()

    def attach(self, app: faust.App, from_faust: Callable[[Any], Arrived]) -> None:
        """Read the two lanes with ``app``."""
        self._app = app
        source = app.topic(
            *LANES.values(), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )

        async def lanes(stream: Any) -> None:
            async for message in delivered(app, stream):
                region = self.regions.get(message.partition)
                if region is not None and message.partition in self._tasks:
                    region.offer(from_faust(message))

        app.agent(source, name="lanes", concurrency=1)(lanes)
        app.on_partitions_revoked.connect(self._revoked)
        app.on_rebalance_complete.connect(self._assigned)

    async def _revoked(self, *_: Any, **__: Any) -> None:
        await self._close_all()

    async def _close_all(self) -> None:
        """The running batches end or abort; a book that ended well is kept in case its partition comes back."""
        async with self._closing:
            tasks, self._tasks = self._tasks, {}
            # Nobody else may take up a region that is being closed.
            regions = {partition: self.regions.pop(partition) for partition in tasks}
            for region in regions.values():
                region.close()
            if not tasks:
                return
            await asyncio.wait(tasks.values(), timeout=CLOSE_S)
            for partition, task in tasks.items():
                ended_well = task.done() and not task.cancelled() and task.exception() is None
                if ended_well and partition not in self.regions:
                    self.regions[partition] = regions[partition]
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _assigned(self, *_: Any, **__: Any) -> None:
        assert self._app is not None
        if self._stopped:
            return
        await self._end_preparing()
        held = {tp.partition for tp in self._app.consumer.assignment() if tp.topic in LANES.values()}
        prepared, coming, self.coming = self.prepared(), self.coming, {}
        for partition in sorted(held & set(self._names)):
            if partition in self._tasks:
                continue
            region = self.regions.get(partition)
            if region is None:
                region = coming[partition] if partition in prepared else self._region(partition)
                self.regions[partition] = region
            else:
                region.reset()
            task = asyncio.create_task(region.run(), name=f"region-{region.name}")
            task.add_done_callback(self._ended)
            self._tasks[partition] = task
        for partition in set(self.regions) - held:
            del self.regions[partition]  # somebody else's now

    def _region(self, partition: int) -> Region:
        name = self._names[partition]
        return Region(name, partition, lambda: self._make_writer(name), self._tools())

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, RegionStopped | UnknownFormat):
            return  # this region waits for a person; the others go on
        log.critical("worker_fails", error=type(error).__name__, exc_info=error)
        if not self.failed.done():
            self.failed.set_result(error)

    def _tools(self) -> Tools:
        return Tools(
            cluster=self._cluster,
            group=group_of("region"),
            clock=self._clock,
            answers_end=self._answers_end,
            still_unread=self._still_unread,
            lane_ends=self._lane_ends,
            journal_records=self._journal_records,
            others_wait=lambda partition: any(
                region.waits() for number, region in self.regions.items() if number != partition
            ),
            pause=lambda topic, partition: self._flow(topic, partition, go=False),
            resume=lambda topic, partition: self._flow(topic, partition, go=True),
            monotonic=time.monotonic,
        )

    def _flow(self, topic: str, partition: int, *, go: bool) -> None:
        assert self._app is not None
        consumer = self._app.consumer
        place = TP(topic, partition)
        if place in consumer.assignment():
            # Not ``pause_partitions``: that drops what was fetched already (seen: three records of 10,000).
            (consumer.on_buffer_drop if go else consumer.on_buffer_full)(place)

    async def _lane_ends(self, partition: int) -> dict[str, int]:
        assert self._side is not None
        places = {name: TopicPartition(topic, partition) for name, topic in LANES.items()}
        found = await ends(self._side, places.values())
        return {name: found[place] for name, place in places.items()}

    async def _journal_records(self, partition: int, offsets: Sequence[int]) -> list[bytes]:
        assert self._journal is not None
        async with self._looking_up, asyncio.timeout(LOOK_UP_S):
            found = picked(self._journal, JOURNAL.topic(), partition, offsets)
            try:
                return [record.value or b"" async for record in found]
            finally:
                self._journal.unsubscribe()

    async def _answers_end(self, topics: tuple[str, ...]) -> Marks:
        assert self._side is not None
        async with self._asking:
            return await ends(self._side, [TopicPartition(topic, 0) for topic in topics])

    async def _still_unread(self, marks: Marks) -> Marks:
        """See ``gate.Asks``: what lies on the desk has been confirmed there before intake committed it."""
        assert self._side is not None
        assert self._admin is not None
        committed = await self._admin.list_consumer_group_offsets(group_of("intake"))
        done = {place: found.offset for place, found in committed.items()}
        async with self._asking:
            try:
                return await unread(self._side, marks, done, self._empty_until)
            finally:
                # Or it goes on fetching there, and whatever is asked next waits behind that.
                self._side.unsubscribe()
