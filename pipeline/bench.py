"""How fast reports go the whole way: published -> offer readable. Gives figures and asserts nothing about time.

``meldstroom bench`` and the benchmarks in ``tests/bench`` measure with this. The measuring shares the machine
with what is measured, so it must cost little: reports are made before the clock starts, and the client is
aiokafka (with kafka-python it took more of two cores than intake and region together).
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count as numbers
from itertools import islice
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.policy.directory import Receiver, Source
from agents.policy.region import RegionConfig
from pipeline.demo import percentile
from topics import envelope, specs
from topics.cluster import Cluster
from topics.codes import Indicator, SourceKind

TRICKLE_PER_S = 50
WARM_UP = 300
"""The first reports find everything cold: Python, Java, connections, what clients know of topics."""
QUIET_S = 20.0
STARTED_WITHIN_S = 60.0
HOUSES = 99_999
AT_ONCE = 50
OFFER = ("ce_type", specs.OFFER_TYPE.encode())

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: ms of added latency at 50 reports/s, and reports/s with a backlog."""

    trickle: int
    latency_p50_ms: int
    latency_p99_ms: int
    latency_max_ms: int
    backlog: int
    backlog_s: float
    reports_per_s: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From one integrator to the teams of a region, and the topics at both ends."""

    source: Source
    teams: tuple[Receiver, ...]
    reports: str
    queues: Mapping[str, str]
    """Team id -> the topic of its queue."""


def way_of(region: RegionConfig) -> Way:
    """From the police of a region (else its first source) to its teams."""
    source = next((found for found in region.sources if found.kind is SourceKind.POLICE), region.sources[0])
    today = datetime.now(UTC).date()
    teams = tuple(
        found
        for found in region.directory.receivers
        if found.kind == "TEAM" and found.municipalities and found.stands(today)
    )
    queues = {team.id: specs.QUEUE.topic(team.id) for team in teams}
    return Way(source=source, teams=teams, reports=specs.REPORTS.topic(source.id), queues=queues)


@dataclass(frozen=True, slots=True)
class Made:
    """A report ready to be published, and the queue that its offer will be read from."""

    queue: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def make(way: Way, chance: random.Random, households: Iterable[int], **indicators: str) -> list[Made]:
    """A report about each of these households; groen unless ``indicators`` say more."""
    found = []
    for number in households:
        team = chance.choice(way.teams)
        report = bench_report(chance, number, way.source, team, **indicators)
        headers = envelope.write(
            id=report["report_id"],
            type=specs.REPORT_TYPE,
            source=way.source.source,
            time_ms=int(time.time() * 1000),
            subject=None,
        )
        found.append(Made(way.queues[team.id], report["report_id"].encode(), orjson.dumps(report), headers))
    return found


class Line:
    """An integrator that publishes on a way, and whoever reads the offers at its end. An async context manager.

    ``first`` is the number of the first household: two lines over one cluster must not share any.
    """

    def __init__(self, cluster: Cluster, way: Way, chance: random.Random, first: int = 0) -> None:
        self._way, self._chance = way, chance
        self._numbers = numbers(first)
        self._places = [TopicPartition(topic, 0) for topic in way.queues.values()]
        self._producer = AIOKafkaProducer(**cluster.client(), acks="all", linger_ms=0, max_batch_size=256 * 1024)
        self._consumer = AIOKafkaConsumer(
            **cluster.client(), isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign(self._places)
        await self._consumer.seek_to_end(*self._places)
        for place in self._places:
            await self._consumer.position(place)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    def make(self, count: int, **indicators: str) -> list[Made]:
        """So many new reports, each about a household that this line has not had yet."""
        return make(self._way, self._chance, islice(self._numbers, count), **indicators)

    async def publish(self, made: list[Made]) -> None:
        """As fast as the broker takes them; returns when it has confirmed each."""
        sent = []
        for number, one in enumerate(made):
            sent.append(await self._send(one))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # whoever measures beside this must not wait for all of it
        await asyncio.gather(*sent)

    async def _send(self, made: Made) -> "asyncio.Future[Any]":
        confirmed: asyncio.Future[Any] = await self._producer.send(
            self._way.reports, made.value, made.key, headers=made.headers
        )
        return confirmed

    async def read(self, count: int, progress: Progress, patience_s: float = QUIET_S) -> tuple[int, float]:
        """Read that many offers; fewer when none comes for so long. How many it were, and the last one's moment
        (monotonic). ``progress`` is told how many of how many."""
        read, last = 0, time.monotonic()
        while read < count and time.monotonic() - last < patience_s:
            for _ in await self._offers():
                read += 1
                last = time.monotonic()
            progress(read, count)
        return read, last

    async def _offers(self) -> Iterator[Any]:
        found = await self._consumer.getmany(timeout_ms=100)
        # A queue holds recalls too, when nobody answers for long.
        return (record for records in found.values() for record in records if OFFER in record.headers)

    async def backlog(self, made: list[Made], progress: Progress) -> tuple[int, float]:
        """Publish all at once: how many offers came of them, and seconds from the first publish to the last offer."""
        started = time.monotonic()
        async with _beside(self.publish(made)):
            read, last = await self.read(len(made), progress)
        return read, last - started

    async def warm_up(self, progress: Progress = lambda *_: None) -> bool:
        """Reports that are not measured; whether all of them arrived. Started workers may take a minute."""
        async with _beside(self.publish(self.make(WARM_UP))):
            read, _ = await self.read(WARM_UP, progress, STARTED_WITHIN_S)
        return read == WARM_UP

    async def trickle(self, made: list[Made], progress: Progress, enough: Callable[[], bool] = bool) -> list[int]:
        """Publish 50 a second until all are, or it is ``enough``: each one's ms until its offer could be read.

        A report counts from the moment at which it was to be published: a client that is late hides nothing.
        """
        sent: dict[str, deque[float]] = {topic: deque() for topic in self._way.queues.values()}
        waits: list[int] = []
        quiet = time.monotonic()
        async with _beside(self._publish_slowly(made, sent, enough)) as publishing:
            while time.monotonic() - quiet < QUIET_S and not (publishing.done() and not any(sent.values())):
                for offer in await self._offers():
                    # A queue holds its offers in the order of their reports.
                    quiet = time.monotonic()
                    waits.append(int((quiet - sent[offer.topic].popleft()) * 1000))
                progress(len(waits), len(made))
        return waits

    async def _publish_slowly(
        self, made: list[Made], sent: dict[str, deque[float]], enough: Callable[[], bool]
    ) -> None:
        began = time.monotonic()
        for number, one in enumerate(made):
            at = began + number / TRICKLE_PER_S
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            if enough():
                return
            sent[one.queue].append(at)
            await self._send(one)


@asynccontextmanager
async def _beside(job: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run ``job`` beside the block and no longer; what it fails on is raised."""
    task = asyncio.create_task(job)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def measure(cluster: Cluster, way: Way, *, trickle: int, backlog: int, progress: Progress) -> Figures:
    """Both figures, after a warm-up."""
    async with Line(cluster, way, random.Random(7)) as line:
        await line.warm_up(progress)
        waits = await line.trickle(line.make(trickle), progress)
        read, took = await line.backlog(line.make(backlog), progress)
    return Figures(
        trickle=len(waits),
        latency_p50_ms=percentile(waits, 50),
        latency_p99_ms=percentile(waits, 99),
        latency_max_ms=max(waits, default=0),
        backlog=read,
        backlog_s=round(took, 2),
        reports_per_s=round(read / took, 1),
    )


def bench_report(
    chance: random.Random, number: int, source: Source, team: Receiver, **indicators: str
) -> dict[str, Any]:
    """A report about household ``number``, for ``team``, as large as a real one; every question answered NO
    but ``indicators``. Two numbers have no person and no address in common."""
    letters, house = divmod(number, HOUSES)
    return {
        "report_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "source_id": source.id,
        "source_ref": f"BENCH-{number:07d}",
        "channel": "CORV",
        "received_at": datetime.now(UTC).isoformat(),
        "kind": "REPORT",
        "reporter": {"capacity": "POLICE", "organisation": "Politie"},
        "occasions": ["PARTNER"],
        "participants": [
            {
                "role": "VICTIM",
                "surname": f"van de Meet {number}",
                "given_names": f"Anna{number}",
                "birth_date": "1988-04-02",
                "sex": "FEMALE",
                "pregnant": "NO",
            }
        ],
        "address": {
            "postcode": f"{chance.choice(team.postcodes or ('9999',))} {_letter(letters // 26)}{_letter(letters)}",
            "house_number": house + 1,
        },
        "indicators": {indicator.value: "NO" for indicator in Indicator} | indicators,
        "hgkm_certain": "YES",
        "enough_information": "YES",
        "cooperation": "ACCEPTS",
        "municipality": team.municipalities[0],
        "narrative": "Buren belden om geschreeuw; ter plaatse rustig. " * 6,
    }


def _letter(number: int) -> str:
    return chr(ord("A") + number % 26)
