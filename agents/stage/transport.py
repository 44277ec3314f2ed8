"""Faust's transport, with the bookkeeping that cannot keep our promise taken out.

Faust fetches and assigns; it commits nothing, counts no gaps and waits for no acks (each of these has lost
or doubled records, see docs/adr/0002). It reads ``read_committed``, and keeps ``desk`` and ``inbox`` of a
region on one worker.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any

import aiokafka
import faust
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.stage.names import read_any_name
from topics.cluster import Cluster

# The broker's group minimum is usually 6 s. A worker that was killed keeps its partitions for this long.
SESSION_TIMEOUT_S = 10.0
HEARTBEAT_S = 0.5
"""So late a worker may learn that another one has been drained, and what it had is now its own."""
FETCH_BYTES = 512 * 1024
"""Of one partition. What another brings comes behind it: the less, the sooner."""
HANDED_ON_AT_ONCE = 100


def fetch_wait_ms(partitions: int) -> int:
    """How long the broker may hold a fetch back that brings nothing.

    It names every partition: with 1,500 of them at 20 a second a worker had no time for anything else. But one long
    poll is shared by all partitions of a broker, and one that was drained meanwhile waits for its end.
    """
    return max(50, min(partitions // 5, 500))


def share(partitions: Collection[int], holders: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
    """Who gets which partition number, evenly, leaving as much as possible where it was.

    ``holders`` maps each member to what it held before. Pure; the same input gives the same answer.
    """
    members = sorted(holders)
    quota, rest = divmod(len(partitions), len(members))
    # Who held most may keep the odd one, so that the fewest move.
    by_held = sorted(members, key=lambda member: (-len(set(holders[member]) & set(partitions)), member))
    room = {member: quota + (place < rest) for place, member in enumerate(by_held)}
    given: dict[str, list[int]] = {member: [] for member in members}
    free = set(partitions)
    for member in members:
        for partition in sorted(set(holders[member]) & free)[: room[member]]:
            given[member].append(partition)
            free.discard(partition)
    for partition in sorted(free):
        member = min(members, key=lambda name: (len(given[name]) - room[name], name))
        given[member].append(partition)
    return {member: sorted(numbers) for member, numbers in given.items()}


def sticky_assignor(used: Collection[int] | None) -> type[AbstractPartitionAssignor]:
    """An assignor that gives one partition number of all topics to one member, and moves as few as it can.

    ``used`` are the numbers that hold a region: those are shared evenly first. With None every topic's
    partitions are shared for themselves (intake: many topics of one partition).
    """

    class StickyAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
        name = "meldstroom-sticky"
        version = 0
        held: tuple[tuple[str, int], ...] = ()

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            user_data = "\n".join(f"{topic} {partition}" for topic, partition in cls.held).encode()
            return ConsumerProtocolMemberMetadata(cls.version, sorted(topics), user_data)

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            cls.held = tuple((tp.topic, tp.partition) for tp in assignment.partitions())

        @classmethod
        def assign(
            cls, cluster: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            before: dict[str, set[tuple[str, int]]] = {}
            for member, metadata in members.items():
                lines = (metadata.user_data or b"").decode().splitlines()
                before[member] = {(topic, int(n)) for topic, _, n in (line.rpartition(" ") for line in lines)}
            topics = sorted({topic for metadata in members.values() for topic in metadata.subscription})
            everything = [(t, p) for t in topics for p in sorted(cluster.partitions_for_topic(t) or ())]
            given: dict[str, dict[str, list[int]]] = {member: defaultdict(list) for member in members}
            if used is None:
                index = dict(enumerate(everything))
                place = {tp: number for number, tp in index.items()}
                shares = share(
                    index.keys(), {m: [place[tp] for tp in held if tp in place] for m, held in before.items()}
                )
                for member, numbers in shares.items():
                    for number in numbers:
                        topic, partition = index[number]
                        given[member][topic].append(partition)
            else:
                numbers_of = {member: {p for _, p in held} for member, held in before.items()}
                all_numbers = {p for _, p in everything}
                for part in (all_numbers & set(used), all_numbers - set(used)):
                    for member, numbers in share(part, numbers_of).items():
                        for topic, partition in everything:
                            if partition in numbers:
                                given[member][topic].append(partition)
            return {
                member: ConsumerProtocolMemberAssignment(cls.version, sorted(topics_of.items()), b"")
                for member, topics_of in given.items()
            }

    return StickyAssignor


class _Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        # Faust's own version reads uncommitted and shares partitions out without regard to their number.
        self._assignor = transport.assignor
        return aiokafka.AIOKafkaConsumer(
            **transport.cluster.client(),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=fetch_wait_ms(transport.partitions),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            # A new topic of a new source or receiver is seen within this time.
            metadata_max_age_ms=30_000,
        )


class _Consumer(driver.Consumer):  # type: ignore[misc]
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def track_message(self, message: Any) -> None:
        """Nothing waits for an ack: the stage knows by its own positions what is done."""

    def ack(self, message: Any) -> bool:
        return False

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return False

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return False

    async def wait_empty(self) -> None:
        """Nothing of Faust's is pending at a rebalance or a stop; the stage ends its own batch."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets have gaps after transactions; keeping them costs quadratic time and proves nothing."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's detector waits for commits that it never makes here."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what was fetched, until ``fetcher`` stops.

        Faust's own loop makes two tasks for each record and waits two turns of the event loop for them: a worker that
        decides all the time took in 200 records a second, and whoever came behind a flood waited for seconds.
        """
        given = 0
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                fetched = self.getmany(timeout=1.0)
                await asyncio.sleep(0)
                async for tp, message in fetched:
                    before = self._read_offset[tp]
                    if before is not None and message.offset < before:
                        continue
                    handing = self.callback(message)
                    if self.app.flow_control.is_active():
                        await handing
                    else:  # the group is being shared out anew: it may be for another member
                        await self.wait_first(handing, self.suspend_flow.wait())
                    self._read_offset[tp] = message.offset
                    given += 1
                    if given % HANDED_ON_AT_ONCE == 0:
                        await asyncio.sleep(0)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise

    async def commit_done(self, offsets: Mapping[TP, int]) -> bool:
        """Commit what intake has brought over; false when the partitions have moved meanwhile."""
        done: bool = await self._thread.commit(offsets)
        return done


class _NoTables(TableManager):  # type: ignore[misc]
    async def on_start(self) -> None:
        """At once. Faust's own waits a second here for agents to add tables; ours have none."""
        await self._update_channels()
        await self.recovery.start()


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's Kafka transport for one app of ours."""

    Consumer = _Consumer

    cluster: Cluster
    assignor: type[AbstractPartitionAssignor]
    partitions: int


def build_app(
    name: str,
    cluster: Cluster,
    *,
    instance: str,
    datadir: str,
    assignor: type[AbstractPartitionAssignor],
    partitions: int,
) -> faust.App:
    """A Faust app with every unsafe default set; its consumer group is ``meldstroom-<name>``.

    ``partitions`` is how many it will read at the most.
    """
    app = faust.App(
        group_of(name),
        broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
        broker_client_id=f"meldstroom-{name}-{instance}",
        consumer_group_instance_id=f"{name}-{instance}",
        datadir=datadir,
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        TableManager=_NoTables,
        processing_guarantee="at_least_once",
        producer_threaded=False,
        producer_acks=-1,
        stream_wait_empty=False,
        stream_buffer_maxsize=1024,
        stream_recovery_delay=0,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=40.0,
        broker_max_poll_records=500,
        broker_max_poll_interval=120.0,
        broker_commit_interval=3600.0,
        consumer_auto_offset_reset="earliest",
        worker_redirect_stdouts=False,
    )
    app.conf.broker_commit_every = 10**12
    read_any_name()
    transport = Transport(app.conf.broker_consumer, app)
    transport.cluster = cluster
    transport.assignor = assignor
    transport.partitions = partitions
    app.transport = transport
    if cluster.mechanism:
        app.conf.broker_credentials = faust.SASLCredentials(
            username=cluster.username,
            password=cluster.password,
            mechanism=cluster.mechanism,
            ssl_context=cluster.ssl_context(),
        )
    elif cluster.tls:
        app.conf.broker_credentials = faust.SSLCredentials(cluster.ssl_context())
    return app


async def delivered(app: faust.App, stream: Any) -> AsyncIterator[Any]:
    """The messages that an agent of ``app`` gets, those of an older generation left out.

    A stream itself gives one a turn of the event loop. A worker that decides all the time has 200 turns a second, and
    whatever came behind a flood of another partition waited for its turn there (seen: 9 s). So with each turn all
    that has come is taken.
    """
    queue = stream.channel.queue
    async for event in stream.noack().events():
        found = [event]
        while not queue.empty():
            found.append(queue.get_nowait())
        for one in found:
            if one.message.generation_id == app.consumer_generation_id:
                yield one.message


def group_of(name: str) -> str:
    """The consumer group of one of our apps."""
    return f"meldstroom-{name}"
