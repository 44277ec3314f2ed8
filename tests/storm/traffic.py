"""Everybody outside, while it storms: integrators publish, receivers answer, people of the centre close and erase.

They do what we ask of them: what the broker did not confirm they send again, and a ``read_committed`` reader reads
the queues. They run in a thread of their own, for as long as the storm lasts.
"""

import asyncio
import heapq
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from agents.policy.directory import Receiver
from agents.policy.region import RegionConfig
from pipeline.bench import bench_report, way_of
from tests.cases import role_for
from topics import envelope, specs

IN_FLIGHT = 1_500
"""So many reports wait for their receipts at the most: a storm with nothing to do proves nothing."""
ALWAYS_PER_S = 40
"""So many are published each second, whatever was allowed: who comes back must find something to decide."""
AT_ONCE = 50
AGAIN_S = 0.5
FAR = 10_000_000
"""Households of one region; those of the next begin behind them."""

# What share of reports is what.
THRICE, ACUTE, STRUCTURAL, UNREADABLE, CORRECTED = 0.004, 0.005, 0.01, 0.002, 0.01
# What share of offers to a team gets which answer; the others are started at once.
NEVER, LATE, REFUSED, IN_STEPS = 0.025, 0.025, 0.02, 0.03
TWICE, BY_ANOTHER = 0.01, 0.002


class Traffic(threading.Thread):
    """``reports`` over all ``regions``, as far as ``allow`` lets them; answers until ``end``."""

    def __init__(
        self, bootstrap: str, regions: dict[str, RegionConfig], seed: int, reports: int, working_day_s: float
    ) -> None:
        super().__init__(name="traffic", daemon=True)
        self.ways = {name: way_of(config) for name, config in regions.items()}
        self.reports = reports
        self.confirmed: Counter[str] = Counter()
        """Identity -> how often the broker confirmed it."""
        self.planned = 0
        """Reports of those that were allowed that are out."""
        self.published = 0
        """All that are out."""
        self.settled = 0
        self.newest: dict[str, float] = dict.fromkeys(regions, 0.0)
        """Region -> when the newest report that has its receipt was published (monotonic s)."""
        self.counts: Counter[str] = Counter()
        self.failed: BaseException | None = None
        self.left_alone: set[str] = set()
        """Receivers to whom no report goes yet."""
        self._servers = bootstrap
        self._chance = random.Random(seed)
        self._day_s = working_day_s
        self._allowed = 0
        self._pushing = False
        self._numbers = {name: count(place * FAR) for place, name in enumerate(regions)}
        self._sent: dict[str, deque[float]] = {way.source.id: deque() for way in self.ways.values()}
        self._region_of = {way.source.id: name for name, way in self.ways.items()}
        self._desks = {found.id: name for name, config in regions.items() for found in config.directory.own()}
        self._later: list[tuple[float, int, str, str, str, str, dict[str, Any]]] = []
        self._order = count()
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._later_than_others = False
        self._always_per_s = ALWAYS_PER_S
        self._followed = 0
        """How many of the two readers have found their place."""
        self._ending = False
        self._done = threading.Event()

    # What the storm asks of it ----------------------------------------------------------------------------

    def allow(self, reports: int) -> None:
        """Publish up to so many reports in all."""
        self._allowed = reports

    @contextmanager
    def pushing(self) -> Iterator[None]:
        """Publish as much as is taken while the block lasts, besides what is allowed."""
        self._pushing = True
        try:
            yield
        finally:
            self._pushing = False

    def after(self, reports: int) -> None:
        """Others were at work before, with so many reports: their households and their offers are left to them."""
        self._numbers = {name: count(place * FAR + reports) for place, name in enumerate(self._numbers)}
        self._later_than_others = True
        self._always_per_s = 0  # nobody is to come back any more

    def extra(self, region: str, team: Receiver, reports: int) -> None:
        """Besides, so many reports for this team."""
        for _ in range(reports):
            self._push(0.0, *self._report(region, team))

    def finish(self, patience_s: float) -> dict[str, int]:
        """Publish what is left, wait until each has its receipt and each answer is confirmed, and end.

        What is still waited for after so long: the checker says whether any of that is lost.
        """
        self._allowed = self.reports
        self._ending = True
        until = time.monotonic() + patience_s
        while not self._done.wait(1.0) and time.monotonic() < until:
            if self.failed is not None:
                raise self.failed
        waiting = {source: len(sent) for source, sent in self._sent.items()}
        left = {
            **waiting,
            "not confirmed": self._open,
            "to be sent": len(self._later),
            "not out": max(0, self.reports - self.planned),
        }
        self._done.set()
        self.join(30)
        return {} if self._through() else {name: number for name, number in left.items() if number}

    # Its own thread --------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self.failed = error

    async def _main(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, acks="all", enable_idempotence=True, linger_ms=5,
            max_batch_size=128 * 1024, request_timeout_ms=10_000, retry_backoff_ms=100,
        )  # fmt: skip
        await producer.start()
        jobs = [
            asyncio.create_task(job)
            for job in (self._publish(), self._send_later(producer), self._follow(self._receipt, self._receipts()),
                        self._follow(self._offer, self._queues()))
        ]  # fmt: skip
        try:
            while not (self._through() or self._done.is_set()):
                for job in jobs:
                    if job.done():
                        job.result()
                await asyncio.sleep(0.2)
            self._done.set()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await producer.stop()

    def _through(self) -> bool:
        waiting = sum(len(sent) for sent in self._sent.values())
        return self._all_out() and not (waiting or self._open or self._later)

    # Integrators -----------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        while self._followed < 2:
            await asyncio.sleep(0.02)
        last, spare = time.monotonic(), 0.0
        while not self._all_out():
            now = time.monotonic()
            spare, last = min(spare + (now - last) * self._always_per_s, ALWAYS_PER_S), now
            room = sum(len(sent) for sent in self._sent.values()) + self._open < IN_FLIGHT
            some = min(AT_ONCE, self._allowed - self.planned) if room else 0
            self.planned += max(0, some)
            if some <= 0:
                # More than was planned, so that nothing ever goes wrong while nobody is at work.
                some = AT_ONCE if room and self._pushing else int(spare)
            spare = max(0.0, spare - some)
            for _ in range(some):
                region = self._chance.choice(list(self.ways))
                teams = [team for team in self.ways[region].teams if team.id not in self.left_alone]
                self._push(0.0, *self._report(region, self._chance.choice(teams)))
            self.published += some
            await asyncio.sleep(0.02)

    def _report(self, region: str, team: Receiver) -> tuple[str, str, str, str, Any]:
        chance, way = self._chance, self.ways[region]
        said = chance.random()
        worse = {"A1": "YES"} if said < ACUTE else {"S1": "YES"} if said < ACUTE + STRUCTURAL else {}
        report = bench_report(chance, next(self._numbers[region]), way.source, team, **worse)
        made = (way.reports, specs.REPORT_TYPE, way.source.source, report["report_id"])
        kind = chance.random()
        if kind < THRICE:
            self.counts["published three times"] += 1
            for later in (1.0, 1.5 * self._day_s):
                self._push(later, *made, report)
        elif kind < THRICE + UNREADABLE:
            self.counts["unreadable"] += 1
            report.pop("kind")
        elif kind < THRICE + UNREADABLE + CORRECTED:
            self.counts["corrected"] += 1
            self._push(2.0, *made, report | {"version": 2, "kind": "CORRECTION"})
        return *made, report

    async def _receipts(self) -> list[str]:
        return [specs.RECEIPTS.topic(way.source.id) for way in self.ways.values()]

    def _receipt(self, topic: str, value: bytes, kind: bytes) -> None:
        source = specs.RECEIPTS.member(topic)
        self.settled += 1
        self.counts[f"receipt {orjson.loads(value)['outcome']}"] += 1
        if self._sent[source]:
            self.newest[self._region_of[source]] = self._sent[source].popleft()

    # Receivers and the centre -------------------------------------------------------------------------------

    async def _queues(self) -> list[str]:
        return [specs.QUEUE.topic(receiver) for receiver in self._desks if receiver not in self.left_alone]

    def _offer(self, topic: str, value: bytes, kind: bytes) -> None:
        if kind != specs.OFFER_TYPE.encode():
            self.counts["recalls"] += 1
            return
        self.counts["offers"] += 1
        offer, receiver, chance = orjson.loads(value), specs.QUEUE.member(topic), self._chance
        what = chance.random() if receiver.startswith("wijkteam") else 1.0
        if what < NEVER:
            self.counts["never answered"] += 1
        elif what < NEVER + LATE:
            self.counts["answered late"] += 1
            self._answer(chance.uniform(0.5, 9) * self._day_s, receiver, offer, "ACCEPTED")
        elif what < NEVER + LATE + REFUSED:
            self._answer(0.2, receiver, offer, "REFUSED", chance.choice(("TOO_SEVERE", "FAMILY_REFUSES", "CAPACITY")))
        elif what < NEVER + LATE + REFUSED + IN_STEPS:
            for later, state in enumerate(("RECEIVED", "ACKNOWLEDGED", "ACCEPTED", "STARTED")):
                self._answer(later * 0.5, receiver, offer, state)
        else:
            self._answer(0.0, receiver, offer, "STARTED")
            if chance.random() < THRICE:
                self._end_of(receiver, offer)

    def _end_of(self, receiver: str, offer: dict[str, Any]) -> None:
        """The team is done; the centre closes the case and has its data destroyed. It tries three times."""
        self.counts["erased"] += 1
        self._answer(1.0, receiver, offer, "COMPLETED")
        for later in (3.0, 20.0, 60.0):
            self._act(later, offer, "CLOSE")
            self._act(later + 2.0, offer, "ERASE")

    def _answer(
        self, later: float, receiver: str, offer: dict[str, Any], state: str, reason: str | None = None
    ) -> None:
        message = {
            "answer_id": self._id(),
            "case_id": offer["case_id"],
            "handover_id": offer["handover_id"],
            "state": state,
            "reason": reason,
            "answered_at": datetime.now(UTC).isoformat(),
        }
        by = receiver
        if self._chance.random() < BY_ANOTHER:
            by = self._chance.choice(list(self._desks))
        source = f"urn:nld:oin:00000001999970835000:systeem:{by}"
        self.counts["answers"] += 1
        again = (0.0, 1.0) if self._chance.random() < TWICE else (0.0,)
        for more in again:
            self._push(later + more, specs.ANSWERS.topic(by), specs.ANSWER_TYPE, source, offer["case_id"], message)

    def _act(self, later: float, offer: dict[str, Any], kind: str) -> None:
        region = offer["region"]
        message = {
            "act_id": self._id(),
            "case_id": offer["case_id"],
            "kind": kind,
            "actor": "m.vt-07",
            "second": "m.vt-08",
            "role": role_for(kind),
            "reason": "Na afloop van de termijn.",
            "done_at": datetime.now(UTC).isoformat(),
        }
        source = "urn:nld:oin:00000001999973320000:systeem:proef"
        self.counts["acts"] += 1
        self._push(later, specs.ACTS.topic(region), specs.ACT_TYPE, source, offer["case_id"], message)

    # Sending and reading ---------------------------------------------------------------------------------

    def _id(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _push(self, later: float, topic: str, kind: str, source: str, key: str, message: dict[str, Any]) -> None:
        entry = (time.monotonic() + later, next(self._order), topic, kind, source, key, message)
        heapq.heappush(self._later, entry)

    async def _send_later(self, producer: AIOKafkaProducer) -> None:
        """What is to be sent by now."""
        while True:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                _, _, topic, kind, source, key, message = heapq.heappop(self._later)
                self._open += 1
                headers = envelope.write(
                    id=self._id(), type=kind, source=source, time_ms=int(time.time() * 1000), subject=None
                )
                if specs.REPORTS.owns(topic):
                    self._sent[specs.REPORTS.member(topic)].append(now)
                sent = None
                with suppress(KafkaTimeoutError):  # the broker is away for so long that there is no room for more
                    sent = await producer.send(topic, orjson.dumps(message), key.encode(), headers=headers)
                task = asyncio.create_task(self._confirmed(sent, topic, kind, source, key, message))
                self._tasks.add(task)  # who forgets a task may lose it
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(0.02)

    def _all_out(self) -> bool:
        return self._ending and self.planned >= self.reports

    async def _confirmed(
        self, sent: "asyncio.Future[Any] | None", topic: str, kind: str, source: str, key: str, message: dict[str, Any]
    ) -> None:
        try:
            if sent is None:
                raise KafkaTimeoutError
            await sent
            if specs.REPORTS.owns(topic):
                identity = f"{specs.REPORTS.member(topic)}/{message['report_id']}/{message.get('version', 1)}"
                self.confirmed[identity] += 1
        except KafkaError:
            # Not confirmed: as its client we send it again. It may be there already, then it is a repeat.
            self.counts["sent again"] += 1
            if specs.REPORTS.owns(topic) and self._sent[specs.REPORTS.member(topic)]:
                self._sent[specs.REPORTS.member(topic)].pop()
            self._push(AGAIN_S, topic, kind, source, key, message)
        finally:
            self._open -= 1

    async def _follow(self, take: Any, topics: Any) -> None:
        """Each committed record of these topics, once; the reader survives what the broker does not."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", fetch_max_wait_ms=100, max_partition_fetch_bytes=4 * 1024 * 1024,
        )  # fmt: skip
        await consumer.start()
        try:
            places = [TopicPartition(topic, 0) for topic in await topics]
            consumer.assign(places)
            await (consumer.seek_to_end if self._later_than_others else consumer.seek_to_beginning)(*places)
            for place in places:
                await consumer.position(place)
            self._followed += 1
            while True:
                try:
                    found = await consumer.getmany(timeout_ms=200, max_records=2_000)
                except KafkaError:
                    await asyncio.sleep(AGAIN_S)
                    continue
                for place, records in found.items():
                    for record in records:
                        kinds = [value for name, value in record.headers if name == "ce_type"]
                        take(place.topic, record.value, kinds[0])
                await asyncio.sleep(0)
        finally:
            await consumer.stop()
