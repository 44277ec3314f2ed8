"""Puts what people and machines say on the broker: it is there, with every copy that counts, or it is said that not."""

import asyncio
import time
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from topics import envelope
from topics.cluster import Cluster

CONFIRMED_WITHIN_S = 10.0
LARGEST = 4 * 1024 * 1024


class NotTaken(Exception):
    """The broker has not confirmed it. It may come in all the same: who sends it again sends the same id."""


class Publisher:
    """One idempotent producer, made when it is first needed and made anew after it failed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()

    async def publish(
        self,
        topic: str,
        *,
        key: str | None,
        value: bytes,
        headers: list[tuple[str, bytes]],
        partition: int | None = None,
    ) -> tuple[int, int]:
        """Partition and offset once all copies that count have it; ``NotTaken``."""
        try:
            async with asyncio.timeout(CONFIRMED_WITHIN_S):
                producer = await self._ready()
                sent = await producer.send(
                    topic, key=key.encode() if key else None, value=value, headers=headers, partition=partition
                )
                done = await sent
        except (KafkaError, OSError, TimeoutError) as error:
            await self._let_go()
            raise NotTaken(type(error).__name__) from error
        return done.partition, done.offset

    async def event(
        self, topic: str, *, kind: str, source: str, key: str, value: bytes, subject: str | None = None
    ) -> tuple[int, int]:
        """The same for a CloudEvent of our own writing."""
        headers = envelope.write(
            id=str(uuid4()), type=kind, source=source, time_ms=int(time.time() * 1000), subject=subject
        )
        return await self.publish(topic, key=key, value=value, headers=headers)

    async def close(self) -> None:
        """Let go of the broker."""
        await self._let_go()

    async def _ready(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._cluster.client(),
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=LARGEST,
                    request_timeout_ms=int(CONFIRMED_WITHIN_S * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            stopping = asyncio.ensure_future(producer.stop())
            # Its end waits for what it holds; nobody waits for that.
            await asyncio.wait({stopping}, timeout=0.1)
