"""Heartbeats: how a worker knows the broker's clock, how two holders of one instance id find out, and what workers
say to each other."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from agents.stage.clock import JUMP_MS, BrokerClock
from agents.stage.reading import reader, stretch
from agents.stage.succession import Succession
from topics.cluster import Cluster
from topics.specs import HEARTBEATS

log = structlog.get_logger("heartbeat")

EVERY_S = 1.0
STILL_THERE_S = 3.0


class InstanceTaken(Exception):
    """Another worker that is alive has this instance id."""

    def __init__(self, instance: str, host: str, pid: int) -> None:
        super().__init__(f"{instance} is held by process {pid} on {host}")
        self.instance, self.host, self.pid = instance, host, pid


@dataclass(frozen=True, slots=True)
class Beat:
    """Who is alive: the instance, one start of it, and where it runs. ``at`` is broker time, ms."""

    instance: str
    boot: str
    host: str
    pid: int
    at: int


class Heart:
    """Beats once a second and shows the clock what the broker stamped on it."""

    def __init__(
        self, cluster: Cluster, instance: str, boot: str, clock: BrokerClock, succession: Succession | None = None
    ) -> None:
        self._cluster, self._clock, self._succession = cluster, clock, succession
        self._instance, self._boot = instance, boot
        self._first: int | None = None
        """The offset of our first beat: who began after us has a higher one."""
        self._last = (0, 0.0)
        """The offset of our latest beat, and when it was (monotonic s)."""
        self.clock_off = False

    async def run(self) -> None:
        """For ever; a broker that is away is tried again."""
        while True:
            producer = AIOKafkaProducer(
                **self._cluster.client(), client_id=f"meldstroom-heart-{self._instance}", request_timeout_ms=5_000
            )
            try:
                await producer.start()
                while True:
                    beat = {
                        "boot": self._boot, "first": self._first, "host": socket.gethostname(), "pid": os.getpid(),
                    }  # fmt: skip
                    if self._succession is not None:
                        beat |= self._succession.says()
                    sent = await producer.send_and_wait(
                        HEARTBEATS.topic(), orjson.dumps(beat), key=self._instance.encode(), partition=0
                    )
                    self._first = sent.offset if self._first is None else self._first
                    self._last = (sent.offset, time.monotonic())
                    self._clock.observe(sent.timestamp, time.monotonic(), int(time.time() * 1000))
                    self._compare(sent.timestamp)
                    await self._pause()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("heartbeat_missed", error=type(error).__name__)
                await asyncio.sleep(EVERY_S)
            finally:
                await producer.stop()

    async def _pause(self) -> None:
        """Until the next beat."""
        if self._succession is None:
            await asyncio.sleep(EVERY_S)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._succession.news.wait(), EVERY_S)

    async def watch(self) -> None:
        """For ever; raises ``InstanceTaken`` when somebody who began after us beats under our id.

        We were silent for so long that he took us for dead, and the group has one place for both: each would take it
        from the other without end.
        """
        async with reader(self._cluster, hold_ms=500) as consumer:
            place = TopicPartition(HEARTBEATS.topic(), 0)
            consumer.assign([place])
            await consumer.seek_to_end(place)
            while True:
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        now_s = time.monotonic()
                        if record.key == self._instance.encode():
                            self._see(orjson.loads(record.value), record.offset, now_s)
                        elif self._succession is not None:
                            self._succession.hears(record.key, record.value, now_s)

    def _see(self, beat: dict[str, Any], offset: int, now_s: float) -> None:
        ours, at_s = self._last
        if beat["boot"] == self._boot or self._first is None or offset < ours or now_s - at_s > STILL_THERE_S:
            return  # before our latest beat, or of a time in which we were silent: he may be gone again
        if (offset if beat["first"] is None else beat["first"]) > self._first:
            raise InstanceTaken(self._instance, beat["host"], beat["pid"])

    def _compare(self, stamp_ms: int) -> None:
        """The machine's own clock decides nothing; when it is off, somebody must know."""
        off = abs(time.time() * 1000 - stamp_ms) > JUMP_MS
        if off and not self.clock_off:
            log.error("clock_off", machine_ms=int(time.time() * 1000), broker_ms=stamp_ms)
        self.clock_off = off


async def beats(cluster: Cluster) -> dict[str, Beat]:
    """The last heartbeat of every instance."""
    found: dict[str, Beat] = {}
    async with reader(cluster) as consumer:
        async for records in stretch(consumer, HEARTBEATS.topic(), 0, None):
            for record in records:
                if record.key and record.value:
                    said = orjson.loads(record.value)
                    instance = record.key.decode()
                    found[instance] = Beat(instance, said["boot"], said["host"], said["pid"], record.at)
    return found


async def refuse_second(cluster: Cluster, instance: str, alive: Callable[[int], bool]) -> None:
    """Raise ``InstanceTaken`` when somebody beats under this id; a former start of ours that died does not."""
    before = (await beats(cluster)).get(instance)
    if before is None or (before.host == socket.gethostname() and not alive(before.pid)):
        return
    if before.host == socket.gethostname() and before.pid == os.getpid():
        return
    await asyncio.sleep(STILL_THERE_S)
    after = (await beats(cluster)).get(instance)
    if after is not None and after.at > before.at:
        raise InstanceTaken(instance, after.host, after.pid)
