"""How fast reports go the whole way: published -> offer readable. Prints figures and asserts nothing about time.

It runs on a broker and two workers of its own (``meldstroom bench`` starts them): first a trickle, whose
latency is measured, then as many reports at once as asked for, whose rate is.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from agents.policy.region import RegionConfig
from pipeline.demo import percentile
from topics import envelope, specs
from topics.cluster import Cluster
from topics.codes import Indicator

TRICKLE_PER_S = 50
SOURCE = "politie-oost-brabant"
QUIET_S = 20.0


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


def measure(
    cluster: Cluster,
    regions: dict[str, RegionConfig],
    *,
    trickle: int,
    backlog: int,
    progress: Callable[[int, int], None],
) -> Figures:
    """Both figures. ``progress`` is told how many of how many offers were read."""
    region = next(found for found in regions.values() if any(source.id == SOURCE for source in found.sources))
    source = next(found for found in region.sources if found.id == SOURCE)
    teams = [found.id for found in region.directory.receivers if found.kind == "TEAM"]
    places = [TopicPartition(specs.QUEUE.topic(team), 0) for team in teams]
    chance = random.Random(7)
    with (
        closing(KafkaProducer(**cluster.client(), acks="all", linger_ms=1)) as producer,
        closing(
            KafkaConsumer(
                **cluster.client(),
                isolation_level="read_committed",
                enable_auto_commit=False,
                fetch_max_wait_ms=20,
                max_poll_records=5_000,
            )
        ) as consumer,
    ):
        consumer.assign(places)
        consumer.seek_to_end(*places)
        for place in places:
            consumer.position(place)
        send = _sender(producer, source.source, chance)
        # The first reports find everything cold: they are not measured.
        for _ in range(20):
            send()
        _wait(consumer, 20, lambda *_: None)
        waits = _trickle(consumer, send, trickle, progress)
        started = time.monotonic()
        for _ in range(backlog):
            send()
        producer.flush()
        _wait(consumer, backlog, progress)
        took = time.monotonic() - started
    return Figures(
        trickle=trickle,
        latency_p50_ms=percentile(waits, 50),
        latency_p99_ms=percentile(waits, 99),
        latency_max_ms=max(waits, default=0),
        backlog=backlog,
        backlog_s=round(took, 2),
        reports_per_s=round(backlog / took, 1),
    )


def _sender(producer: KafkaProducer, source: str, chance: random.Random) -> Callable[[], None]:
    def send() -> None:
        report = bench_report(chance)
        headers = envelope.write(
            id=report["report_id"], type=specs.REPORT_TYPE, source=source, time_ms=int(time.time() * 1000), subject=None
        )
        producer.send(
            specs.REPORTS.topic(SOURCE), json.dumps(report).encode(), report["report_id"].encode(), headers=headers
        )

    return send


def _trickle(
    consumer: KafkaConsumer, send: Callable[[], None], count: int, progress: Callable[[int, int], None]
) -> list[int]:
    """Latency (ms) from the moment a report is sent to the moment its offer is read, each in its turn."""
    sent: list[float] = []
    waits: list[int] = []
    began = time.monotonic()
    quiet = began
    while len(waits) < count and time.monotonic() - quiet < QUIET_S:
        while len(sent) < count and time.monotonic() - began >= len(sent) / TRICKLE_PER_S:
            sent.append(time.monotonic())
            send()
        for _ in _offers(consumer, 5):
            # Offers of one region come in the order of their reports, over all its queues.
            waits.append(int((time.monotonic() - sent[len(waits)]) * 1000))
            quiet = time.monotonic()
            progress(len(waits), count)
    return waits


def _wait(consumer: KafkaConsumer, count: int, progress: Callable[[int, int], None]) -> None:
    read, quiet = 0, time.monotonic()
    while read < count and time.monotonic() - quiet < QUIET_S:
        for _ in _offers(consumer, 100):
            read += 1
            quiet = time.monotonic()
        progress(read, count)


def _offers(consumer: KafkaConsumer, timeout_ms: int) -> Iterator[Any]:
    for records in consumer.poll(timeout_ms=timeout_ms).values():
        yield from records


def bench_report(chance: random.Random) -> dict[str, Any]:
    """A groen report about a household of its own, as large as a real one."""
    return {
        "report_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "source_id": SOURCE,
        "source_ref": f"BENCH-{chance.randrange(10**6):06d}",
        "channel": "CORV",
        "received_at": datetime.now(UTC).isoformat(),
        "kind": "REPORT",
        "reporter": {"capacity": "POLICE", "organisation": "Politie Oost-Brabant"},
        "occasions": ["PARTNER"],
        "participants": [
            {
                "role": "VICTIM",
                "surname": f"van de Meet {chance.randrange(10**9)}",
                "given_names": "Anna",
                "birth_date": "1988-04-02",
                "sex": "FEMALE",
                "pregnant": "NO",
            }
        ],
        "address": {"postcode": f"56{chance.randrange(21, 58)} AB", "house_number": chance.randrange(1, 99_999)},
        "indicators": {indicator.value: "NO" for indicator in Indicator},
        "hgkm_certain": "YES",
        "enough_information": "YES",
        "cooperation": "ACCEPTS",
        "municipality": "0772",
        "narrative": "Buren belden om geschreeuw; ter plaatse rustig. " * 6,
    }
