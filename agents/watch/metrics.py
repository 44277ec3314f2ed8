"""Figures of a worker, for Prometheus. Labels come from closed sets: never a case, a person or a place.

Counters count what this process decided; gauges look at its books when they are asked.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.casework.book import Book
from agents.casework.waiting import COLOURS
from agents.policy.region import RegionConfig
from topics import journal as j

if TYPE_CHECKING:
    from agents.stage.stage import Stage

HOPS = ("acknowledged", "accepted", "started")
# Seconds; every elapsed limit of the policies is an edge, so that "within the limit" is exact: 30 min, 1 h,
# 90 min, 2 h, 4 h, 24 h; working days as elapsed days, with and without a weekend in them.
HOP_BUCKETS = (
    1, 5, 30, 60, 300, 900, 1_800, 3_600, 5_400, 7_200, 14_400, 28_800, 86_400, 2 * 86_400, 3 * 86_400,
    4 * 86_400, 5 * 86_400, 7 * 86_400, 10 * 86_400, 14 * 86_400, 21 * 86_400,
)  # fmt: skip
BATCH_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class _Brings(Protocol):
    brought: int
    stopped: bool


class _HasBook(Protocol):
    book: Book


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a book stood when it was looked at: open cases, and since when (ms) the oldest offer waits, by colour."""

    open_cases: dict[str, int]
    since: dict[str, int | None]
    held: int
    """Receivers that are out of service."""


class Metrics(Collector):
    """All metrics of one worker, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._writers: dict[str, _HasBook] = {}
        self._standing: dict[str, _Standing] = {}
        self._stage: Stage | None = None
        self._intake: _Brings | None = None
        self._lag: dict[tuple[str, str], int] = {}
        self._reports = self._counter("reports", "Reports taken in", "source_kind", "region")
        self._decided = self._counter(
            "decided", "Reports decided, by the case's colour", "colour", "destination", "region"
        )
        self._repeats = self._counter("repeats", "Reports that were registered before", "region")
        self._dead = self._counter("deadletters", "Messages put aside, by reason", "reason", "region")
        self._steps = self._counter("ladder_steps", "Steps of ladders that fired", "step", "late", "region")
        self._owed_steps = self._counter(
            "owed_steps", "Steps that fired about what is owed on a case", "term", "step", "late", "region"
        )
        self._recalled = self._counter("recalls", "Offers taken back because nobody answered", "region")
        self._refused = self._counter("refusals", "Offers refused or returned, by reason", "reason", "region")
        self._consults = self._counter(
            "consults", "Receivers asked to think along, and their answers", "state", "region"
        )
        self._transfers = self._counter(
            "transfers", "Cases from and to other regions, by what became", "state", "region"
        )
        self._hops = self._histogram(
            "handover_seconds", "Each hop of a handover", HOP_BUCKETS, "hop", "colour", "region"
        )
        self._waits = self._histogram(
            "registered_seconds", "From the broker taking in a report to its decision", WAIT_BUCKETS, "region"
        )
        self._batch = self._histogram(
            "stage_batch_seconds", "One batch: decided and committed", BATCH_BUCKETS, "region"
        )
        self.registry.register(self)

    def follow_stage(self, stage: "Stage", regions: Mapping[str, RegionConfig]) -> None:
        """Gauges read this stage's books from now on; every series of a region exists from the start."""
        self._stage = stage
        for region in regions:
            self._repeats.labels(region)
            self._recalled.labels(region)

    def follow_writer(self, region: str, writer: _HasBook) -> None:
        """The writer that a region has from now on: its book is looked at."""
        self._writers[region] = writer

    def look(self) -> None:
        """See how the books stand. A scrape comes in a thread of its own and may not look at them itself."""
        counted = set(self._writers)
        if self._stage is not None:
            # A region that moved away, or is yet to come, is another worker's to count.
            counted = {region.name for region in self._stage.regions.values()}
            here = counted | {region.name for region in self._stage.coming.values()}
            self._writers = {name: writer for name, writer in self._writers.items() if name in here}
        self._standing = {
            name: _Standing(
                dict(writer.book.open_cases),
                {colour: writer.book.waiting.since(colour) for colour in COLOURS},
                len(writer.book.held),
            )
            for name, writer in self._writers.items()
            if name in counted
        }

    def follow_intake(self, intake: _Brings) -> None:
        """Count what this intake brought over."""
        self._intake = intake

    def lag(self, group: str, topic_family: str, records: int) -> None:
        """How far a group is behind on one family of topics."""
        self._lag[(group, topic_family)] = records

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, namespace="meldstroom", registry=self.registry)

    def _histogram(self, name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, says, labels, namespace="meldstroom", registry=self.registry, buckets=buckets)

    # Counting ----------------------------------------------------------------------------------------

    def decided(self, record: j.Record, book: Book) -> None:
        """A record was committed; ``book`` is as it is after it."""
        region, said = record.region, record.input
        if isinstance(said, j.ReportInput | j.RefusedInput):
            self._waits.labels(region).observe(max(0, record.at - said.origin.arrived) / 1000)
        for event in record.events:
            self._event(event, record, book)

    def _event(self, event: j.Event, record: j.Record, book: Book) -> None:
        region, said = record.region, record.input
        match event:
            case j.Registered() if isinstance(said, j.ReportInput):
                case = book.cases[event.case_id]
                self._reports.labels(said.source_kind, region).inc()
                self._decided.labels(case.colour or "NONE", _kind(case.destination), region).inc()
            case j.Repeated() if event.receipt:
                self._repeats.labels(region).inc()
            case j.DeadLettered():
                self._dead.labels(event.reason, region).inc()
            case j.StepFired():
                self._steps.labels(event.step, str(event.late).lower(), region).inc()
            case j.TermFired():
                self._owed_steps.labels(event.term, event.step, str(event.late).lower(), region).inc()
            case j.TakenBack() if event.state == "RECALLED":
                self._recalled.labels(region).inc()
            case j.Consulted():
                self._consults.labels("ASKED", region).inc()
            case j.ConsultAnswered():
                self._consults.labels(event.state, region).inc()
            case j.TransferTaken():
                self._transfers.labels("TAKEN_IN", region).inc()
            case j.TransferEnded():
                self._transfers.labels(event.state, region).inc()
            case j.HandedOver():
                self._transfers.labels("HANDED_OVER", region).inc()
            case j.Answered():
                self._answered(event, record, book)
            case _:
                pass

    def _answered(self, event: j.Answered, record: j.Record, book: Book) -> None:
        if event.reason is not None:
            self._refused.labels(event.reason, record.region).inc()
        pair = book.open_handover(event.case_id, event.handover_id)
        if pair is None or event.state.lower() not in HOPS:
            return
        handover = pair[1]
        since = {
            "ACKNOWLEDGED": handover.offered,
            "ACCEPTED": handover.acknowledged or handover.offered,
            "STARTED": handover.accepted or handover.offered,
        }[event.state]
        self._hops.labels(event.state.lower(), handover.colour or "NONE", record.region).observe(
            max(0, record.at - since) / 1000
        )

    # Looking -----------------------------------------------------------------------------------------

    def describe(self) -> Iterator[Metric]:
        """Nothing is collected before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Gauges over the books of this worker as they stood a moment ago, its regions' state and its lag."""
        yield from self._of_books()
        if self._stage is not None:
            running = GaugeMetricFamily(
                "meldstroom_region_running", "1: the region decides; 0: it does not", labels=["region"]
            )
            for region in tuple(self._stage.regions.values()):
                running.add_metric([region.name], float(region.seen.state == "running"))
                while region.seen.batch_seconds:
                    self._batch.labels(region.name).observe(region.seen.batch_seconds.popleft())
            yield running
        if self._intake is not None:
            brought = GaugeMetricFamily("meldstroom_intake_brought", "Records brought to the lanes since the start")
            brought.add_metric([], self._intake.brought)
            yield brought
            runs = GaugeMetricFamily("meldstroom_intake_running", "1: intake brings over; 0: it waits for a person")
            runs.add_metric([], float(not self._intake.stopped))
            yield runs
        lag = GaugeMetricFamily(
            "meldstroom_consumer_lag_records", "Records that a group has still to read", labels=["group", "topics"]
        )
        for (group, topics), records in sorted(self._lag.items()):
            lag.add_metric([group, topics], records)
        yield lag

    def _of_books(self) -> Iterator[Metric]:
        open_cases = GaugeMetricFamily("meldstroom_open_cases", "Cases that are open", labels=["colour", "region"])
        oldest = GaugeMetricFamily(
            "meldstroom_oldest_unanswered_seconds",
            "Age of the oldest offer that nobody accepted or refused",
            labels=["colour", "region"],
        )
        held = GaugeMetricFamily("meldstroom_receivers_held", "Receivers that are out of service", labels=["region"])
        now = time.time() * 1000
        for region, standing in sorted(self._standing.items()):
            held.add_metric([region], standing.held)
            for colour in COLOURS:
                open_cases.add_metric([colour, region], standing.open_cases[colour])
                since = standing.since[colour]
                oldest.add_metric([colour, region], 0.0 if since is None else max(0.0, (now - since) / 1000))
        yield open_cases
        yield oldest
        yield held


def _kind(destination: str | None) -> str:
    """Team, centre or none: the kind of destination as a label."""
    if destination is None or destination == "NONE":
        return "NONE"
    return "CENTRE" if destination.startswith("VT_") else "TEAM"
