"""Reads journal and keys as they grow, in a thread of its own, and hands them to the mirror in the board's loop."""

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from pipeline.board.mirror import Mirror, OtherJournal
from topics import journal as j
from topics.cluster import Cluster
from topics.specs import DEADLETTERS, JOURNAL, KEYS

log = structlog.get_logger("board")

GROUP = "meldstroom-board"
SLICE = 50
"""Records that are folded before others get their turn: a fold takes a tenth of a millisecond."""
SAVE_EVERY_S = 5.0
ENDS_EVERY_S = 2.0
AWAY_S = 5.0
"""Without an answer of the broker for so long, the board says that it is not connected."""


@dataclass(slots=True)
class Sight:
    """What the board knows of itself. Moments in s since 1970."""

    loaded: bool = False
    """Whether everything that lay on the journal at the start was read."""
    behind: int = 0
    """Records that are there and not read yet."""
    last_event: float | None = None
    """When the newest record that was read was decided."""
    answered: float = 0.0
    """When the broker answered last."""

    def connected(self, now: float) -> bool:
        """Whether what is shown can be of now."""
        return now - self.answered < AWAY_S


class Follower:
    """Follows the regions (name -> partition) for a mirror; ``letters`` are the dead letters of these regions."""

    def __init__(self, cluster: Cluster, regions: Mapping[str, int], mirror: Mirror) -> None:
        self._cluster, self._regions, self.mirror = cluster, dict(regions), mirror
        self._names = {partition: name for name, partition in regions.items()}
        self.sight = Sight()
        self.letters: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Event()
        self._stopped = threading.Event()

    async def run(self) -> None:
        """Follow until cancelled; what fails is tried again."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                failed: asyncio.Future[None] = loop.create_future()
                thread = threading.Thread(target=self._thread, args=(loop, failed), name="follower", daemon=True)
                thread.start()
                try:
                    await failed
                except OtherJournal:
                    log.warning("board_begins_again")
                    self.mirror.begin_again()
                    self.sight.loaded = False
                except Exception as error:  # whatever it is: a board that stands still must not look as if it lived
                    log.warning("board_disconnected", error=type(error).__name__)
                await asyncio.sleep(1)
        finally:
            self._stopped.set()

    async def wait(self) -> None:
        """Returns when there is something new."""
        await self._changed.wait()

    # In the thread -----------------------------------------------------------------------------------

    def _thread(self, loop: asyncio.AbstractEventLoop, failed: "asyncio.Future[None]") -> None:
        try:
            self._follow(loop)
        except Exception as error:
            loop.call_soon_threadsafe(failed.set_exception, error)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        journal = {TopicPartition(JOURNAL.topic(), number): name for number, name in self._names.items()}
        keys = {TopicPartition(KEYS.topic(), number): name for number, name in self._names.items()}
        letters = [TopicPartition(DEADLETTERS.topic(), number) for number in self._names]
        starts = asyncio.run_coroutine_threadsafe(self._starts(), loop).result()
        with closing(_consumer(self._cluster)) as consumer:
            consumer.assign([*journal, *keys, *letters])
            ends = consumer.end_offsets(list(journal))
            for place, name in journal.items():
                if starts[name][0] > ends[place]:
                    raise OtherJournal(name)
                consumer.seek(place, starts[name][0])
            for place, name in keys.items():
                consumer.seek(place, starts[name][1])
            consumer.seek_to_beginning(*letters)
            looked = 0.0
            while not self._stopped.is_set():
                if (now := time.monotonic()) - looked > ENDS_EVERY_S:
                    ends, looked = consumer.end_offsets(list(journal)), now
                    behind = sum(max(0, ends[place] - consumer.position(place)) for place in journal)
                    loop.call_soon_threadsafe(self._looked, behind)
                    # Where the board goes on from stands in its own file; this is for who watches its lag.
                    consumer.commit_async(
                        {place: OffsetAndMetadata(consumer.position(place), "", -1) for place in journal}
                    )
                got = consumer.poll(timeout_ms=250, max_records=2_000)
                if not got:
                    continue
                # Handed over and folded before more is read: the thread never runs ahead of the board.
                asyncio.run_coroutine_threadsafe(self._take(got), loop).result()

    # In the loop -------------------------------------------------------------------------------------

    async def _starts(self) -> dict[str, tuple[int, int]]:
        return {name: (self.mirror.regions[name].next, self.mirror.keys_next(name)) for name in self._regions}

    def _looked(self, behind: int) -> None:
        self.sight.answered, self.sight.behind = time.time(), behind
        if behind == 0 and not self.sight.loaded:
            self.sight.loaded = True
            self._tell()

    async def _take(self, got: "Mapping[TopicPartition, list[object]]") -> None:
        for place, records in got.items():
            name = self._names[place.partition]
            for number, record in enumerate(records):
                self._one(place.topic, name, record)
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
        self.sight.answered = time.time()
        self._tell()

    def _one(self, topic: str, name: str, record: "object") -> None:
        value, offset = record.value, record.offset  # type: ignore[attr-defined]
        if topic == JOURNAL.topic():
            found = j.decode(value)
            self.mirror.take(found, offset)
            self.sight.last_event = max(self.sight.last_event or 0.0, found.at / 1000)
        elif topic == KEYS.topic():
            key_id = record.key.decode()  # type: ignore[attr-defined]
            self.mirror.key_at(name, key_id, None if value is None else offset)
        elif (letter := json.loads(value))["region"] == name:
            # What it was may be megabytes, and is read again when somebody opens it.
            letter["original"] = {"key_id": letter["original"]["key_id"]}
            self.letters[letter["letter_id"]] = {**letter, "offset": offset}

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _consumer(cluster: Cluster) -> KafkaConsumer:
    return KafkaConsumer(
        **cluster.client(),
        group_id=GROUP,
        client_id=GROUP,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
