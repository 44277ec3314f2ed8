"""Figures of a worker, for Prometheus. Labels come from closed sets: never a case, a person or a place.

Counters count what this process decided; gauges look at its books when they are asked.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.casework.book import Book
from agents.casework.case import Case, Entry, Handover
from agents.casework.rules import rules_of
from agents.casework.waiting import COLOURS
from agents.policy.model import moment
from agents.policy.region import RegionConfig
from agents.policy.rota import gaps
from topics import journal as j

if TYPE_CHECKING:
    from agents.stage.stage import Stage

HOPS = (
    "offered", "acknowledged", "accepted", "started", "completed", "refused", "returned", "recalled", "superseded",
    "expired",
)  # fmt: skip
"""How a part of a case's way ends. The parts follow on each other: from the receipt of the report to the first offer,
from an offer to how it ended, and the next offer is made in the record in which the former one ends."""
# Seconds; every elapsed limit of the policies is an edge, so that "within the limit" is exact: 30 min, 1 h,
# 90 min, 2 h, 4 h, 24 h; working days as elapsed days, with and without a weekend in them.
HOP_BUCKETS = (
    1, 5, 30, 60, 300, 900, 1_800, 3_600, 5_400, 7_200, 14_400, 28_800, 86_400, 2 * 86_400, 3 * 86_400,
    4 * 86_400, 5 * 86_400, 7 * 86_400, 10 * 86_400, 14 * 86_400, 21 * 86_400,
)  # fmt: skip
# Working time: a working day is 8.5 hours.
WORK_BUCKETS = (
    60, 900, 1_800, 3_600, 7_200, 14_400, 30_600, 61_200, 91_800, 122_400, 153_000, 244_800, 306_000, 459_000,
)  # fmt: skip
TIMES_BUCKETS = (1, 2, 3, 4, 5, 8, 12)
BATCH_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


DUTY_DAYS = 14
DUTY_EVERY_S = 600.0
_PART = ("hop", "colour", "receiver_kind", "region")
_COUNTS = {
    "silent": ("silent_handovers", "Offers that wait, by the last step that their ladder took", "step"),
    "owed": ("owed", "What is owed on open cases", "term"),
    "reminded": ("owed_reminded", "What is owed, and a step of its ladder was taken", "term"),
}
"""The words of ``Book.counts``."""


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
    counts: dict[str, int]
    """See ``Book.counts``."""


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
        self._empty_steps = self._counter(
            "empty_steps", "Steps of either kind at which nobody was on duty to be told", "region"
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
            "handover_seconds", "Each part of a case's way, by how it ended", HOP_BUCKETS, *_PART
        )
        self._worked = self._histogram(
            "handover_working_seconds", "The same in working time, a working day being 8.5 hours", WORK_BUCKETS, *_PART
        )
        self._whole = self._histogram(
            "handover_whole_seconds", "From the receipt of a report until somebody has begun", HOP_BUCKETS, "colour",
            "region",
        )  # fmt: skip
        self._times = self._histogram(
            "handovers_per_case", "Offers of a case until somebody has begun", TIMES_BUCKETS, "colour", "region"
        )
        self._terms = self._counter(
            "terms_done", "What was owed and was done, in time or not", "term", "in_time", "region"
        )
        self._gaps = Gauge(
            "duty_gap_seconds", f"For how long of the next {DUTY_DAYS} days nobody is on duty, nor stands in",
            ("region",), namespace="meldstroom", registry=self.registry,
        )  # fmt: skip
        self._gaps_seen = -DUTY_EVERY_S
        self._drilled = Gauge(
            "drill_last_success_seconds", "When a drill last came to its end, seconds since 1970", ("region",),
            namespace="meldstroom", registry=self.registry,
        )  # fmt: skip
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
                dict(writer.book.counts),
            )
            for name, writer in self._writers.items()
            if name in counted
        }
        if time.monotonic() - self._gaps_seen >= DUTY_EVERY_S:
            self._gaps_seen = time.monotonic()
            for name in self._standing:
                self._gaps.labels(name).set(_gap_seconds(self._writers[name].book, time.time()))

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
                self._empty_steps.labels(region).inc(event.empty)
            case j.TermFired():
                self._owed_steps.labels(event.term, event.step, str(event.late).lower(), region).inc()
                self._empty_steps.labels(region).inc(event.empty)
            case j.TakenBack() if event.state == "RECALLED":
                self._recalled.labels(region).inc()
            case j.ActDone() if event.kind == "CLOSE" and _drilled(book.cases[event.case_id]):
                self._drilled.labels(region).set(record.at / 1000)
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
                if event.reason is not None:
                    self._refused.labels(event.reason, record.region).inc()
                if event.released:
                    self._part(event.case_id, event.handover_id, event.state, record, book)
            case j.TermsChanged() if not _over(record):
                for term, due in event.owed.items():
                    self._terms.labels(term, str(record.at <= due).lower(), region).inc()
            case _:
                pass
        if isinstance(event, j.Offered | j.TakenBack):
            state = "OFFERED" if isinstance(event, j.Offered) else event.state
            self._part(event.case_id, event.handover_id, state, record, book)

    def _part(self, case_id: str, handover_id: str, state: str, record: j.Record, book: Book) -> None:
        """A part of a case's way has ended: since when it lasted, and what it was."""
        pair = book.open_handover(case_id, handover_id)
        if pair is None or state.lower() not in HOPS:
            return
        case, handover = pair
        this_episode = _of_episode(case)
        if state == "OFFERED":
            if this_episode[0] is not handover:
                return  # the part before ended with the former offer
            since = _received(case)
        else:
            moments = (handover.offered, handover.acknowledged, handover.accepted, handover.started)
            since = max((at for at in moments if at is not None and at < record.at), default=handover.offered)
        rules = rules_of(book)
        receiver = rules.directory.receiver(handover.receiver)
        colour = handover.colour or "NONE"
        labels = (state.lower(), colour, receiver.kind if receiver is not None else "NONE", record.region)
        self._hops.labels(*labels).observe(max(0, record.at - since) / 1000)
        worked = rules.calendar.worked(moment(since), moment(record.at))
        self._worked.labels(*labels).observe(worked.total_seconds())
        if state == "STARTED" and sum(one.started is not None for one in this_episode) == 1:
            self._whole.labels(colour, record.region).observe(max(0, record.at - _received(case)) / 1000)
            self._times.labels(colour, record.region).observe(len(this_episode))

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
        counts = {
            word: GaugeMetricFamily(f"meldstroom_{name}", says, labels=[label, "region"])
            for word, (name, says, label) in _COUNTS.items()
        }
        now = time.time() * 1000
        for region, standing in sorted(self._standing.items()):
            held.add_metric([region], standing.held)
            for about, number in sorted(standing.counts.items()):
                word, _, name = about.partition(" ")
                counts[word].add_metric([name, region], number)
            for colour in COLOURS:
                open_cases.add_metric([colour, region], standing.open_cases[colour])
                since = standing.since[colour]
                oldest.add_metric([colour, region], 0.0 if since is None else max(0.0, (now - since) / 1000))
        yield open_cases
        yield oldest
        yield held
        yield from counts.values()


def _over(record: j.Record) -> bool:
    """Whether what was owed ended because nobody has to do it any more."""
    return any(
        isinstance(event, j.HandedOver | j.TransferEnded) or (isinstance(event, j.ActDone) and event.kind == "CLOSE")
        for event in record.events
    )


def _gap_seconds(book: Book, now: float) -> float:
    rotas = rules_of(book).directory.rota_of if book.directory else {}
    found = (gap for receiver in rotas for gap in gaps(rotas, receiver, moment(int(now * 1000)), DUTY_DAYS))
    return sum((until - start).total_seconds() for start, until in found)


def _drilled(case: Case) -> bool:
    """Whether it was an exercise, and somebody began with it."""
    return case.test and any(one.started is not None for one in case.handovers)


def _began(case: Case) -> Entry | None:
    """The report with which the episode began."""
    return next((entry for entry in case.entries if entry.seq == case.episode), None)


def _received(case: Case) -> int:
    began = _began(case)
    return case.opened if began is None else min(began.received, began.at)


def _of_episode(case: Case) -> list[Handover]:
    began = _began(case)
    since = case.opened if began is None else began.at
    return [one for one in case.handovers if one.offered >= since] or case.handovers[-1:]


def _kind(destination: str | None) -> str:
    """Team, centre or none: the kind of destination as a label."""
    if destination is None or destination == "NONE":
        return "NONE"
    return "CENTRE" if destination.startswith("VT_") else "TEAM"
