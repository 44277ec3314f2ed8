"""A region's past, written straight onto the broker: lane, journal, keys, queues and receipts as casework writes them.

``python -m pipeline.past REGION BOOTSTRAP REGIONS COUNT [open]``: a process of its own, for what it remembers goes with
it. The decisions are the real ones, made in this process; only the way there is left out, and the transactions. The
lane's records are written too, so that the positions in the journal are those of the lane; and the group's offset, so
that nobody is given all of them again.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.casework.writer import CaseworkWriter
from agents.intake.decide import bring, registry
from agents.policy.region import RegionConfig, load_regions
from agents.stage.lane import Arrived
from agents.stage.takeover import LANES
from agents.stage.transport import group_of
from agents.stage.writer import Outgoing
from pipeline.bench import make, way_of
from topics import envelope, specs
from topics import journal as j
from topics.cluster import Cluster

PUBLISHED_FROM = 10**12
"""Offsets on the source's topic that no report will ever have: what is published later is no repeat of these."""
AFTER_THE_PAST = 20_000_000
"""The number of the first household that no past has."""
AT_ONCE = 2_000
TOLD_EVERY = 50_000


async def build(cluster: Cluster, folder: Path, name: str, count: int, *, answered: bool = True) -> None:
    """``count`` journal records of one region, decided and written: reports, each about a household of its own, that
    its team accepts and starts with, or that nobody has answered yet."""
    producer = AIOKafkaProducer(
        **cluster.client(),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
    )
    await producer.start()
    past = Past(load_regions(folder, development=True), name)
    sent: list[Awaitable[Any]] = []
    told = 0
    while past.records < count:
        for out in past.household(answered=answered):
            sent.append(
                await producer.send(out.topic, out.value, out.key, partition=out.partition, headers=list(out.headers))
            )
        if len(sent) > AT_ONCE:
            await asyncio.gather(*sent)
            sent = []
        if past.records // TOLD_EVERY > told:
            told = past.records // TOLD_EVERY
            print(f"{name}: {past.records} / {count}", file=sys.stderr, flush=True)
    await asyncio.gather(*sent)
    await producer.stop()
    await _commit(cluster, past.lanes())


class Past:
    """What happened in a region, household after household, as intake and casework write it."""

    def __init__(self, regions: Mapping[str, RegionConfig], name: str) -> None:
        self._config, self._known, self._chance = regions[name], registry(regions), random.Random(name)
        self._way = way_of(self._config)
        self._writer = CaseworkWriter(self._config, os.urandom, lambda record, book: None)
        self._next = dict.fromkeys(LANES, 0)
        self._households = 0
        self._begun = self._writer.begin(_now())

    @property
    def records(self) -> int:
        """How many stand in the journal."""
        return self._writer.book.seq

    def lanes(self) -> dict[TopicPartition, int]:
        """Where the lanes end."""
        return {TopicPartition(LANES[name], self._config.partition): end for name, end in self._next.items()}

    def household(self, *, answered: bool = True) -> list[Outgoing]:
        """A report about the next household, its team's answers, and what follows from each."""
        (made,) = make(self._way, self._chance, [self._households])
        found = self._decided(j.INBOX, self._way.reports, made.key, made.value, made.headers)
        self._households += 1
        case = self._writer.book.cases.newest()
        assert case is not None
        handover = case.awaiting()
        assert handover is not None
        receiver, topic = handover.receiver, specs.ANSWERS.topic(handover.receiver)
        for state in ("ACCEPTED", "STARTED") if answered else ():
            answer = {
                "answer_id": self._id(),
                "case_id": case.id,
                "handover_id": handover.id,
                "state": state,
                "reason": None,
                "answered_at": datetime.now(UTC).isoformat(),
            }
            source = f"urn:nld:oin:00000001999970835000:systeem:{receiver}"
            headers = envelope.write(id=self._id(), type=specs.ANSWER_TYPE, source=source, time_ms=_now(), subject=None)
            found += self._decided(j.DESK, topic, case.id.encode(), orjson.dumps(answer), headers)
        return found

    def _decided(
        self, lane: str, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> list[Outgoing]:
        """What intake puts on the lane for this message, and all that casework writes for that."""
        offset, partition = self._next[lane], self._config.partition
        self._next[lane] += 1
        published = Arrived(topic, 0, PUBLISHED_FROM + self.records, _now(), key, value, tuple(headers))
        message = j.encode_lane(bring(published, self._known, self._id(), os.urandom).message)
        on_lane = Outgoing(LANES[lane], self._config.name.encode(), message, (), partition)
        found = self._writer.decide(lane, Arrived(LANES[lane], partition, offset, _now(), None, message, ()))
        # Without transactions a record's number is its offset.
        self._writer.committed(range(len(self._writer.contents.places), self._writer.book.seq))
        begun, self._begun = self._begun, []
        return [on_lane, *begun, *found]

    def _id(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))


def _now() -> int:
    return int(time.time() * 1000)


async def _commit(cluster: Cluster, lanes: Mapping[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(**cluster.client(), group_id=group_of("region"), enable_auto_commit=False)
    await consumer.start()
    consumer.assign(list(lanes))
    await consumer.commit(dict(lanes))
    await consumer.stop()


def main() -> None:
    name, bootstrap, folder, count, *more = sys.argv[1:]
    asyncio.run(build(Cluster(bootstrap=bootstrap), Path(folder), name, int(count), answered="open" not in more))


if __name__ == "__main__":
    main()
