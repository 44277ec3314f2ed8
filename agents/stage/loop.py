"""One region on this worker: take it over, decide batch after batch, each in one transaction.

The promise (docs/adr/0002): journal, queues and everything else that follows from an input are written in
one transaction of a producer whose id belongs to the region. Opening fences whoever wrote before. What the
journal holds last is where the next input starts, whatever offset a group has committed. When anything goes
wrong inside a transaction, the book is thrown away and the region is opened again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, ProducerFenced

from agents.stage.clock import BrokerClock
from agents.stage.gate import Asks, Gate, Marks
from agents.stage.lane import Arrived, Lane
from agents.stage.reading import reader, stretch
from agents.stage.saving import Saving
from agents.stage.takeover import LANES, Place, RegionStopped, caught_up, lanes, saved_since
from agents.stage.transaction import REFUSED, TopicMissing, Transactions
from agents.stage.writer import ContentNeeded, Outgoing, Writer
from topics.cluster import Cluster
from topics.journal import DESK, INBOX, UnknownFormat

log = structlog.get_logger("stage")

BATCH_COUNT = 200
BATCH_BYTES = 4 * 1024 * 1024
BATCH_S = 0.060
BESIDE_S = 0.030
"""So long deadlines get beside the desk, and the inbox beside either: what is answered or fires is written soon."""
ALONE_S = 0.200
"""So much longer the inbox gets while nobody waits: each transaction costs its 15 ms, however much is in it."""
TURN_S = 0.002
"""For so long a region decides before the others of its worker get their turn."""
# Records are delivered one by one; a transaction for each would cost ten times as much.
GATHER_S = 0.010
UNDECIDABLE_IN_A_ROW = 20
TAIL_EVERY_S = 2.0
PAUSE_AT, RESUME_AT = 1_000, 250
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
FENCED_BACK_OFF = 4
READ_AGAIN_AT_ONCE = 1_000
NEVER_THE_MESSAGE = (MemoryError, OSError, KafkaError)
"""What may happen while something is decided, and says nothing about it."""


@dataclass(slots=True)
class Seen:
    """How this region is, and how long its batches took (s); read by the metrics."""

    state: str = "opening"
    steps: int = 0
    """Counts while it is being opened: a large book takes its time, and must be seen to get on."""
    batch_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))


@dataclass(slots=True)
class Batch:
    """What follows from some inputs, to be written in one transaction."""

    outgoing: list[Outgoing] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    count: int = 0
    stopped: RegionStopped | None = None
    """Why nothing may be decided after it; what was decided before that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every region of a worker shares."""

    cluster: Cluster
    group: str
    clock: BrokerClock
    answers_end: Callable[[tuple[str, ...]], Awaitable[Marks]]
    still_unread: Callable[[Marks], Awaitable[Marks]]
    """See ``gate.Asks``."""
    lane_ends: Callable[[int], Awaitable[dict[str, int]]]
    """Partition -> where each of its lanes ends."""
    journal_records: Callable[[int, Sequence[int]], Awaitable[list[bytes]]]
    """Partition and offsets -> the journal's records there."""
    others_wait: Callable[[int], bool]
    """Whether something waits for any region of this worker but that of this partition."""
    pause: Callable[[str, int], None]
    resume: Callable[[str, int], None]
    monotonic: Callable[[], float] = time.monotonic


class Region:
    """One region partition that this worker holds. ``run`` until cancelled, or ``RegionStopped``."""

    def __init__(self, name: str, partition: int, make_writer: Callable[[], Writer], tools: Tools) -> None:
        self.name = name
        self.partition = partition
        self.seen = Seen()
        self.writer: Writer | None = None
        self._make_writer = make_writer
        self._tools = tools
        self._lanes: dict[str, Lane] = {}
        self._early: list[Arrived] = []
        self._in_hand: list[Arrived] = []
        self._paused: set[str] = set()
        self._news = asyncio.Event()
        self._closing = False
        self._transactions = Transactions(name)
        self._place = Place()
        self.saving = Saving(tools.monotonic, self._turn)
        self._failures = 0
        self._refused: set[tuple[str, int]] = set()
        self._singly = 0
        self._gate = self._new_gate()
        self._tail: dict[str, int] = {}
        self._tail_asked = 0.0
        self._turn_began = 0.0
        self._change: Callable[[Writer], None] | None = None

    # What comes in -----------------------------------------------------------------------------------

    def offer(self, record: Arrived) -> None:
        """A record that Faust delivered; while the region is being opened it waits."""
        lane = DESK if record.topic == LANES[DESK] else INBOX
        if self._lanes:
            self._lanes[lane].offer(record)
            waiting = len(self._lanes[lane].waiting)
            self._news.set()
        else:
            self._early.append(record)
            waiting = len(self._early)
        if waiting > PAUSE_AT:
            # Said each time: Faust's own queue resumes by the same switch.
            self._paused.add(lane)
            self._tools.pause(LANES[lane], self.partition)

    def reset(self) -> None:
        """Before ``run`` is called again: the partition came back, and the book may still be good."""
        self._closing = False
        self._early, self._lanes, self._paused = [], {}, set()

    def reconfigure(self, change: Callable[[Writer], None]) -> None:
        """Something of its configuration is different: ``change`` tells the writer between two batches."""
        self._change = change
        self._news.set()

    def done(self) -> dict[str, int]:
        """How far each of its lanes is decided; empty while it does not decide."""
        return {name: lane.expected for name, lane in self._lanes.items()} if self.seen.state == "running" else {}

    def waits(self) -> bool:
        """Whether something came in that is not taken up yet."""
        return any(lane.ready() for lane in self._lanes.values())

    def close(self) -> None:
        """End after the batch in hand; ``run`` returns."""
        self._closing = True
        self._news.set()

    # The life of a region ----------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Restore the book while another worker has the region: to open it then, only what came since is read."""
        self.seen.state = "preparing"
        try:
            async with reader(self._tools.cluster) as consumer:
                await self._catch_up(consumer)
        except BaseException:
            self._forget_book()  # it may be half of one
            raise
        self.seen.state = "prepared"

    async def run(self) -> None:
        """Open, decide, and open again after a failure, until closed. Raises what no reopening can mend."""
        try:
            while not self._closing:
                try:
                    await self._open()
                    await self._work()
                except (ProducerFenced, InvalidProducerEpoch):
                    # Somebody else opened the region. If it is still ours, opening fences him in turn; not at once,
                    # for a worker that was paused hears only now that it has lost it.
                    log.warning("region_fenced", region=self.name)
                    self._failures = max(self._failures, FENCED_BACK_OFF)
                    self._drop()
                except (KafkaError, IllegalOperation, OSError, TimeoutError, TopicMissing) as error:
                    log.warning("region_reopens", region=self.name, error=type(error).__name__, failures=self._failures)
                    self._drop()
                finally:
                    self._gate.close()
                    await self._transactions.close()
                if not self._closing:
                    self.seen.state = "reopening"
                    await asyncio.sleep(BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)])
                    self._failures += 1
        except (RegionStopped, UnknownFormat) as error:
            # Nothing moves any more in this region, and nothing is lost; a person must look.
            self.seen.state = "stopped"
            log.critical("region_stopped", region=self.name, why=str(error))
            raise
        else:
            self.seen.state = "closed"

    def _drop(self) -> None:
        """Forget everything that a transaction which did not end may have touched."""
        self._forget_book()
        waiting = [record for lane in self._lanes.values() for record in lane.waiting]
        self._early = self._in_hand + waiting + self._early
        self._in_hand = []
        self._lanes = {}

    def _forget_book(self) -> None:
        self.writer = None
        self.saving.forget()

    async def _open(self) -> None:
        self.seen.state, began = "opening", self._tools.monotonic()
        # First fence: from here on no former writer can commit, and his open transaction is ended.
        await self._transactions.open(self._tools.cluster)
        async with reader(self._tools.cluster) as consumer:
            writer, count = await self._catch_up(consumer)
            self._lanes = await lanes(consumer, self.partition, writer)
        early, self._early = self._early, []
        for record in sorted(early, key=lambda found: (found.topic, found.offset)):
            self.offer(record)
        self.saving.opened(count)
        self._tail, self._tail_asked = {}, self._tools.monotonic()
        took = round(self._tail_asked - began, 2)
        log.info("region_opened", region=self.name, partition=self.partition, replayed=count, seconds=took)

    async def _catch_up(self, consumer: AIOKafkaConsumer) -> tuple[Writer, int]:
        """Bring the book to where the journal ends; how many records that were."""
        if self.writer is not None and await saved_since(consumer, self.partition, self._place.snapshots):
            self._forget_book()  # the parts of it lie elsewhere now
        self.writer, self._place, count = await caught_up(
            consumer, self.partition, self.writer, self._place, self._make_writer, self._turn
        )
        return self.writer, count

    async def _turn(self) -> None:
        """Let the other regions of this worker do something, when this one had its time."""
        now = self._tools.monotonic()
        if now - self._turn_began > TURN_S:
            self.seen.steps += 1
            await asyncio.sleep(0)
            self._turn_began = self._tools.monotonic()

    # Deciding ----------------------------------------------------------------------------------------

    async def _work(self) -> None:
        assert self.writer is not None
        now = await self._clock_known()
        if now is None:
            return
        self.seen.state = "running"
        await self._begin(now)
        while not self._closing:
            await self._wait()
            if self._closing:
                return
            if self._change is not None:
                await self._begin(now)
            if sum(len(lane.waiting) for lane in self._lanes.values()) < BATCH_COUNT:
                await asyncio.sleep(GATHER_S)
            for lane in (DESK, INBOX):
                await self._fill_gap(lane)
            await self._fill_tail()
            started = self._tools.monotonic()
            batch = Batch()
            try:
                await self._decide_batch(batch, started)
            except RegionStopped as error:
                batch.stopped = error
            if batch.outgoing:
                try:
                    await self._commit(batch.outgoing, batch.offsets)
                except REFUSED:
                    self._blame(batch.offsets, batch.count)
                    raise
                self._singly = max(0, self._singly - batch.count)
                self.seen.batch_seconds.append(self._tools.monotonic() - started)
            if batch.stopped is not None:
                raise batch.stopped
            self._let_flow()
            await self._save()

    async def _begin(self, now: int) -> None:
        """Record what is configured otherwise than before; whatever is decided from here on is decided by that."""
        assert self.writer is not None
        change, self._change = self._change, None
        if change is not None:
            change(self.writer)
        if first := self.writer.begin(now):
            await self._commit(first, {})

    async def _clock_known(self) -> int | None:
        """Broker time, once a heartbeat has told it; None when the region is closed before."""
        while (now := self._tools.clock.now(self._tools.monotonic())) is None and not self._closing:
            await asyncio.sleep(0.05)
        return now

    async def _wait(self) -> None:
        """Until something came in or a deadline passes; at most a second."""
        assert self.writer is not None
        if any(lane.ready() for lane in self._lanes.values()) or self._change is not None or self.saving.in_hand():
            return
        timeout = 1.0
        due, now = self.writer.due(), self._tools.clock.now(self._tools.monotonic())
        if due is not None and now is not None:
            # A deadline that waits for the desk is asked for again soon.
            timeout = min(timeout, max((due - now) / 1000, 0.02))
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), timeout)
        except TimeoutError:
            return

    async def _decide_batch(self, batch: Batch, started: float) -> None:
        """Decide what waits: the desk, then what is due, then the inbox, within the limits of a batch."""
        self._in_hand = []
        room = 1 if self._singly else BATCH_COUNT
        self._turn_began = started
        await self._decide_lane(DESK, batch, started + BATCH_S, room)
        await self._fire_due(batch, room)
        inbox_until = self._tools.monotonic() + (BESIDE_S if batch.count else BATCH_S)
        await self._decide_lane(INBOX, batch, inbox_until, room, longer=0.0 if batch.count else ALONE_S)

    def _awaited(self) -> bool:
        """Whether somebody waits for the batch to end."""
        return bool(self._lanes[DESK].waiting) or self._tools.others_wait(self.partition)

    def _blame(self, offsets: Mapping[str, int], count: int) -> None:
        """The broker refused what follows from a batch: find the input by running them singly, and put it aside."""
        if count > 1:
            self._singly = count
            return
        if not offsets:
            raise RegionStopped("the broker refuses what a deadline sends")
        ((topic, following),) = offsets.items()
        log.error("refused_by_broker", region=self.name, topic=topic, offset=following - 1)
        if (topic, following - 1) in self._refused:
            raise RegionStopped(f"{topic}: offset {following - 1} cannot even be put aside")
        self._refused.add((topic, following - 1))

    async def _decide_lane(self, name: str, batch: Batch, until: float, room: int, longer: float = 0.0) -> None:
        """``longer`` (s): what it gets besides while neither its desk nor another region waits."""
        lane = self._lanes[name]
        size = sum(len(out.value or b"") for out in batch.outgoing)
        while batch.count < room and size < BATCH_BYTES:
            now = self._tools.monotonic()
            if now >= until and (now >= until + longer or self._awaited()):
                break
            taken = lane.take(1, BATCH_BYTES)
            if not taken:
                break
            self._in_hand += taken
            decided = await self._decide(name, taken[0])
            size += sum(len(out.value or b"") for out in decided)
            batch.outgoing += decided
            batch.offsets[LANES[name]] = lane.expected
            batch.count += 1
            await self._turn()

    async def _decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        at = self._tools.clock.believed(record.at, self._tools.monotonic())
        if at != record.at:
            log.error("stamp_ahead", region=self.name, lane=lane, offset=record.offset, stamp=record.at, taken_for=at)
            record = replace(record, at=at)
        if (record.topic, record.offset) in self._refused:
            return self._put_aside(lane, record, "refused_by_broker")
        try:
            return await self._asked(lambda writer: writer.decide(lane, record))
        except (*NEVER_THE_MESSAGE, UnknownFormat):
            raise
        except Exception as error:
            log.error("undecidable", region=self.name, lane=lane, offset=record.offset, error=type(error).__name__)
            return self._put_aside(lane, record, type(error).__name__)

    def _put_aside(self, lane: str, record: Arrived, why: str) -> list[Outgoing]:
        """For a person. After too many in a row it is not the inputs that are wrong, but this release or its broker.

        The journal counts them: opened again, the region stops at the next one.
        """
        assert self.writer is not None
        if self.writer.put_aside_in_a_row() >= UNDECIDABLE_IN_A_ROW:
            raise RegionStopped(f"more than {UNDECIDABLE_IN_A_ROW} inputs in a row could not be decided: {why}")
        try:
            return self.writer.undecidable(lane, record, why)
        except NEVER_THE_MESSAGE:
            raise
        except Exception as error:
            raise RegionStopped(f"an input cannot even be put aside: {type(error).__name__}") from error

    async def _asked(self, ask: Callable[[Writer], list[Outgoing]]) -> list[Outgoing]:
        """What the writer decides; what it needs of the journal for that is read."""
        assert self.writer is not None
        while True:
            try:
                return ask(self.writer)
            except ContentNeeded as needed:
                self.writer.recall(await self._tools.journal_records(self.partition, needed.places))

    async def _fire_due(self, batch: Batch, room: int) -> None:
        """Everything that may fire now, record after record while there is time."""
        assert self.writer is not None
        at = self._may_fire() if batch.count < room else None
        until = self._tools.monotonic() + BESIDE_S
        while at is not None and batch.count < room and self._tools.monotonic() < until:
            batch.outgoing += await self._fire(at)
            batch.count += 1
            await self._turn()
            due = self.writer.due()
            at = at if due is not None and due <= at else None  # what is due after the marks asks for its own

    async def _fire(self, until: int) -> list[Outgoing]:
        # The gate may have been shut for hours: what follows (a successor's terms, a mark that it is late) is of now.
        now = max(until, self._tools.clock.now(self._tools.monotonic()) or until)
        try:
            return await self._asked(lambda writer: writer.tick(now, until))
        except NEVER_THE_MESSAGE:
            raise
        except Exception as error:
            raise _not_fired(error) from error

    def _new_gate(self) -> Gate:
        async def desk_end() -> int:
            return (await self._tools.lane_ends(self.partition))[DESK]

        return Gate(
            Asks(
                answers_end=self._tools.answers_end,
                still_unread=self._tools.still_unread,
                desk_end=desk_end,
                monotonic=self._tools.monotonic,
            )
        )

    def _may_fire(self) -> int | None:
        """The moment up to which what is due may fire; None when nothing is, or may."""
        assert self.writer is not None
        due, now = self.writer.due(), self._tools.clock.now(self._tools.monotonic())
        if due is None or now is None or now < due:
            return None
        try:
            answers = self.writer.answers_from()
        except Exception as error:
            raise _not_fired(error) from error
        return self._gate.passed(due, now, self._lanes[DESK].expected, answers)

    # Holes -------------------------------------------------------------------------------------------

    async def _fill_gap(self, name: str) -> None:
        if (until := self._lanes[name].gap()) is not None:
            await self._read_again(name, until)

    async def _fill_tail(self) -> None:
        """The last records of a lane have none after them that would show they are missing: look now and then."""
        now = self._tools.monotonic()
        if now - self._tail_asked < TAIL_EVERY_S:
            return
        self._tail_asked = now
        ends = await self._tools.lane_ends(self.partition)
        before, self._tail = self._tail, {}
        for name, lane in self._lanes.items():
            if lane.ready() or lane.expected >= ends[name]:
                continue
            self._tail[name] = lane.expected
            # Twice the same: it is not on its way any more.
            if before.get(name) == lane.expected:
                await self._read_again(name, ends[name])

    async def _read_again(self, name: str, until: int) -> None:
        lane = self._lanes[name]
        until = min(until, lane.expected + READ_AGAIN_AT_ONCE)
        log.warning("hole_in_delivery", region=self.name, lane=name, start=lane.expected, until=until)
        async with reader(self._tools.cluster) as consumer:
            records = stretch(consumer, LANES[name], self.partition, lane.expected, until)
            found = [one async for some in records for one in some]
        if [record.offset for record in found] != list(range(lane.expected, until)):
            raise RegionStopped(f"{LANES[name]}: offsets {lane.expected} to {until} cannot be read")
        lane.fill(found)

    def _let_flow(self) -> None:
        for lane in tuple(self._paused):
            if len(self._lanes[lane].waiting) < RESUME_AT:
                self._paused.discard(lane)
                self._tools.resume(LANES[lane], self.partition)

    # Writing -----------------------------------------------------------------------------------------

    async def _commit(self, outgoing: list[Outgoing], offsets: Mapping[str, int]) -> None:
        """All of it, or nothing: the records and the lanes' positions in one transaction."""
        places = {TopicPartition(topic, self.partition): offset for topic, offset in offsets.items()}
        written = await self._transactions.commit(outgoing, places, self._tools.group)
        self._failures = 0
        journal = self._place.wrote(written, self.partition)
        self.saving.written(len(journal))
        assert self.writer is not None
        self.writer.committed(journal)

    async def _save(self) -> None:
        assert self.writer is not None
        begun = self.saving.in_hand()
        if part := await self.saving.part(self.writer, self._place.journal, self._place.keys):
            await self._commit(part, {})
        elif begun:
            log.info("book_saved", region=self.name)


def _not_fired(error: Exception) -> RegionStopped:
    return RegionStopped(f"a deadline could not be decided: {type(error).__name__}")
