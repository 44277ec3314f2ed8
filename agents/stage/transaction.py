"""The one producer of a region: all that follows from a batch is written in one transaction, or none of it."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from agents.stage.sending import BATCH_BYTES, send_all
from agents.stage.writer import Outgoing
from topics.cluster import Cluster

log = structlog.get_logger("stage")

TRANSACTION_TIMEOUT_MS = 5_000
# Well after the broker has ended the transaction: the client itself would try for ever.
COMMIT_S = 10.0
CLOSE_S = 5.0
REFUSED = (MessageSizeTooLargeError, RecordListTooLargeError)
"""What the broker says of a record that it will never take."""


class TopicMissing(Exception):
    """A topic that a decision writes to is not on the cluster."""


class Transactions:
    """The transactions of one region. To open it is to fence whoever wrote before, and to end what he left open."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._producer: AIOKafkaProducer | None = None
        self._known: frozenset[str] = frozenset()

    async def open(self, cluster: Cluster) -> None:
        """From here on no former writer can commit."""
        self._known = frozenset()
        self._producer = AIOKafkaProducer(
            **cluster.client(),
            client_id=f"meldstroom-region-{self._region}",
            transactional_id=f"meldstroom-region-{self._region}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            retry_backoff_ms=10,
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=8 * 1024 * 1024,
            request_timeout_ms=10_000,
        )
        await self._producer.start()

    async def close(self) -> None:
        """An open transaction is left to the broker's time-out, or to whoever opens next."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), CLOSE_S)
            except (TimeoutError, KafkaError, IllegalStateError) as error:
                log.info("producer_close", region=self._region, error=type(error).__name__)
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(producer.client.close(), CLOSE_S)

    async def commit(
        self, outgoing: Iterable[Outgoing], offsets: Mapping[TopicPartition, int], group: str
    ) -> dict[TopicPartition, list[int]]:
        """The records and the lanes' positions; the offsets that the records got.

        Raises ``TopicMissing`` before anything is begun; after any other error nothing of it counts, or all of it
        does: the journal tells.
        """
        assert self._producer is not None
        outgoing = list(outgoing)
        async with asyncio.timeout(COMMIT_S):
            await self._all_known({out.topic for out in outgoing})
            await self._producer.begin_transaction()
            # Before the commit: aiokafka also commits a transaction of which the broker refused a record.
            written = await send_all(self._producer, outgoing)
            if offsets:
                await self._producer.send_offsets_to_transaction(offsets, group)
            await self._producer.commit_transaction()
        return written

    async def _all_known(self, topics: set[str]) -> None:
        """A send to a missing topic would hang for 40 s inside the open transaction: look before."""
        assert self._producer is not None
        if topics <= self._known:
            return
        # The client asks about all topics, not about one that is new to it: after an answer about that one alone it
        # knows no leader of the others any more, and what it was to send them stays behind until the time is up.
        if not await self._producer.client.set_topics(()):
            raise KafkaError("no metadata")
        self._known = frozenset(self._producer.client.cluster.topics(exclude_internal_topics=False))
        if missing := topics - self._known:
            log.error("topic_missing", region=self._region, topics=sorted(missing))
            raise TopicMissing(", ".join(sorted(missing)))
