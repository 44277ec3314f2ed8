"""The watchdog: a process beside the workers that reads what they write, and says what they have not done.

It alarms when something that was due, or a record on a region's lane, is a minute old and stands on no journal record.
A region that is quiet for hours is no alarm. It writes nothing and opens nothing: no key is known here.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge

from agents.watch.expected import Expected, Overdue
from pipeline.journal_reader import consumer_of, require_topics
from topics import journal as j
from topics.cluster import Cluster
from topics.specs import DESK, INBOX, JOURNAL

log = structlog.get_logger("watchdog")

GRACE_MS = 60_000
ROUND_S = 5.0
LANES = {j.DESK: DESK.topic(), j.INBOX: INBOX.topic()}
SAID = 20
"""So many things are named in the log; the metrics count all."""


class Told:
    """The watchdog's own metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(name, says, labels, namespace="meldstroom_watchdog", registry=self.registry)

        self.round = gauge("last_round_seconds", "When it last looked at everything, seconds since 1970: its heartbeat")
        self.overdue = gauge("overdue", "What was due and stands on no record", "region")
        self.oldest = gauge("oldest_overdue_seconds", "How long the oldest of that is overdue", "region")
        self.unread = gauge("undecided_records", "Records of a lane that are old and not decided", "region", "lane")
        self.waiting = gauge("waiting", "Deadlines that wait", "region")
        self.missed = Counter(
            "missed", "Steps that were passed over by a later one", ("region",), namespace="meldstroom_watchdog",
            registry=self.registry,
        )  # fmt: skip


@dataclass(slots=True)
class _Region:
    name: str
    partition: int
    expected: Expected = field(default_factory=Expected)
    said: set[Overdue] = field(default_factory=set)
    behind: set[str] = field(default_factory=set)
    """Lanes of which it was said that they are not decided."""


class Watchdog:
    """Looks after the regions (name -> partition) of a cluster."""

    def __init__(self, cluster: Cluster, regions: Mapping[str, int], told: Told, grace: int = GRACE_MS) -> None:
        self._cluster = cluster
        self._regions = {partition: _Region(name, partition) for name, partition in regions.items()}
        self._told = told
        self._grace = grace
        for name in regions:
            told.missed.labels(name)

    def run(self, stopped: Callable[[], bool], now: Callable[[], float] = time.time) -> None:
        """Look, round after round, until ``stopped``. Raises ``NoTopic``, ``UnknownFormat``."""
        require_topics(self._cluster, [JOURNAL.topic(), *LANES.values()])
        with closing(consumer_of(self._cluster)) as consumer:
            rounds = self.rounds(consumer, now)
            while not stopped():
                began = time.monotonic()
                try:
                    next(rounds)
                except KafkaError as error:
                    # Nothing can be said now; the heartbeat stands still, and that is seen.
                    log.warning("broker_away", error=type(error).__name__)
                    rounds = self.rounds(consumer, now)
                while not stopped() and time.monotonic() - began < ROUND_S:
                    time.sleep(0.1)

    def rounds(self, consumer: KafkaConsumer, now: Callable[[], float]) -> Iterator[None]:
        """Each step is one round: read what came, and look at what did not."""
        places = [TopicPartition(JOURNAL.topic(), partition) for partition in self._regions]
        if consumer.assignment() != set(places):
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
        while True:
            at = int(now() * 1000)
            # What is due at this moment is judged by what lies on the journal after it.
            ends = consumer.end_offsets(places)
            while any(consumer.position(place) < ends[place] for place in places):
                for place, records in consumer.poll(timeout_ms=200, max_records=5_000).items():
                    for record in records:
                        self._see(self._regions[place.partition], j.decode(record.value))
            for region in self._regions.values():
                self._judge(region, at)
                self._lanes(consumer, region, at)
            self._told.round.set(at / 1000)
            yield

    def _see(self, region: _Region, record: j.Record) -> None:
        if record.region != region.name:
            return  # of another folder of regions on the same cluster
        missed = region.expected.see(record)
        for one in missed[:SAID]:
            log.critical("step_missed", region=region.name, case_id=one.case_id, about=one.about, due=one.due)
        self._told.missed.labels(region.name).inc(len(missed))

    def _judge(self, region: _Region, now: int) -> None:
        found = region.expected.overdue(now, self._grace)
        for one in [one for one in found if one not in region.said][:SAID]:
            log.critical("deadline_missed", region=region.name, case_id=one.case_id, about=one.about, due=one.due)
        if region.said and not found:
            log.info("deadlines_caught_up", region=region.name)
        region.said = set(found)
        self._told.overdue.labels(region.name).set(len(found))
        self._told.oldest.labels(region.name).set((now - found[0].due) / 1000 if found else 0)
        self._told.waiting.labels(region.name).set(region.expected.waiting())

    def _lanes(self, consumer: KafkaConsumer, region: _Region, now: int) -> None:
        """What lies on a lane for longer than the grace must be decided by now."""
        places = {name: TopicPartition(topic, region.partition) for name, topic in LANES.items()}
        ends = consumer.end_offsets(list(places.values()))
        young = consumer.offsets_for_times(dict.fromkeys(places.values(), now - self._grace))
        for name, place in places.items():
            first_young = young.get(place)
            old_until = first_young.offset if first_young is not None else ends[place]
            behind = max(0, old_until - region.expected.lanes.get(name, 0))
            if behind and name not in region.behind:
                log.critical("lane_not_decided", region=region.name, lane=name, records=behind)
            if not behind and name in region.behind:
                log.info("lane_caught_up", region=region.name, lane=name)
            region.behind = region.behind | {name} if behind else region.behind - {name}
            self._told.unread.labels(region.name, name).set(behind)
