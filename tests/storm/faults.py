"""What a storm does to workers and broker, by the names of ``plan.py``. Each fault is healed before the next."""

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.stage.transport import group_of
from pipeline.cli.manners import Exit
from pipeline.worker import EXIT_TEMPORARY
from tests.storm.disk import Disk
from tests.storm.field import Field, Worker, wait_for
from tests.storm.plan import Fault
from tests.storm.traffic import Traffic
from topics import specs

MAY_PASS = (EXIT_TEMPORARY, Exit.UNREACHABLE)
"""Exit codes after which a supervisor starts a worker again."""
ASSIGNED = '"event": "assigned"'
SESSION_S = 6.0
FROZEN_S = SESSION_S + 3
BACK_WITHIN_S = 120.0
COORDINATOR_FAILED = b"is out of sync with the underlying log"
HIT_WITHIN_S = 60.0
SLOW_BATCH_S, LONG_BATCH_S = 4.0, 12.0
"""Within the time that closing a region may take, and beyond it."""


class Crew:
    """The workers that are meant to run. What ends by a failure that may pass is started again, as ``up`` does."""

    def __init__(self, field: Field, *flags: str) -> None:
        self.workers: list[Worker] = []
        self.restarted: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._field, self._flags = field, flags
        self._made: list[Worker] = []
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="crew", daemon=True)
        self._thread.start()

    def add(self, role: str, name: str) -> Worker:
        """One worker more, started."""
        worker = self.made(role, name)
        self.start(worker)
        return worker

    def start(self, worker: Worker) -> None:
        """A worker that was made takes part."""
        with self._lock:
            self.workers.append(worker.start())

    def made(self, role: str, name: str) -> Worker:
        """A worker that nobody has started, and nobody starts again."""
        self._made.append(Worker(self._field, role, name, *(self._flags if role == "region" else ())))
        return self._made[-1]

    def of(self, role: str) -> list[Worker]:
        return [worker for worker in self.workers if worker.role == role]

    def by_pid(self, pid: int) -> Worker:
        return next(worker for worker in self.workers if worker.process is not None and worker.process.pid == pid)

    @contextmanager
    def in_hand(self, *workers: Worker) -> Iterator[None]:
        """Nobody starts these again while the block lasts; who does not run at its end is started then."""
        with self._lock:
            self.workers = [worker for worker in self.workers if worker not in workers]
        try:
            yield
        finally:
            with self._lock:
                for worker in workers:
                    if not worker.running:
                        worker.start()
                    self.workers.append(worker)

    def remove(self, worker: Worker, number: int) -> None:
        """End one in order, for good."""
        with self._lock:
            self.workers.remove(worker)
        self._ended_in_order(worker, worker.stop(number))

    def stop(self, worker: Worker, number: int) -> None:
        """End one in order; whoever has it in hand starts it again."""
        self._ended_in_order(worker, worker.stop(number))

    def end(self) -> None:
        """All of them, in order."""
        self._ending.set()
        self._thread.join()
        for worker in self.workers:
            if worker.running:
                self._ended_in_order(worker, worker.stop())

    def kill(self) -> None:
        """All that were ever made, now."""
        self._ending.set()
        for worker in self._made:
            worker.kill()

    def _ended_in_order(self, worker: Worker, code: int) -> None:
        if code:
            self.unexpected.append(f"{worker.role}-{worker.name} ended with {code} when it was told to end")

    def _tend(self) -> None:
        while not self._ending.wait(0.3):
            with self._lock:
                for worker in self.workers:
                    if worker.running:
                        continue
                    assert worker.process is not None
                    code = worker.process.returncode
                    if code not in MAY_PASS:
                        self.unexpected.append(f"{worker.role}-{worker.name} ended by itself with {code}")
                    self.restarted[worker.role] += 1
                    worker.start()


class Storm:
    """Faults on a field, one after the other, each with what it took until every region decided again."""

    def __init__(
        self, field: Field, traffic: Traffic, crew: Crew, chance: random.Random, aims: Path, disk: Disk,
        clock: Path, say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.done: list[tuple[str, int, int]] = []
        """Each fault, and from when to when it lasted until all was well again, ms."""
        self.back_s: defaultdict[str, list[float]] = defaultdict(list)
        """Fault -> seconds from its healing until every region had decided something that was published after it."""
        self.missed: Counter[str] = Counter()
        """Windows that no worker came by."""
        self.broker_again = 0
        """How often the broker was started once more, because its own coordinator had not come back."""
        self._broker_said = 0
        self._field, self._traffic, self._crew, self._chance = field, traffic, crew, chance
        self._aims, self._disk, self._clock, self._say = aims, disk, clock, say

    def run(self, plan: list[Fault]) -> None:
        """All of them."""
        for number, fault in enumerate(plan):
            self._traffic.allow(fault.after)
            wait_for(f"{fault.after} reports", lambda until=fault.after: self._out(until), BACK_WITHIN_S * 5)
            self._traffic.allow(plan[number + 1].after if number + 1 < len(plan) else self._traffic.reports)
            began = time.time()
            WAYS[fault.name](self)
            took = self.recovered()
            self.back_s[fault.name].append(round(took, 1))
            self.done.append((fault.name, int(began * 1000), int(time.time() * 1000)))
            self._say(
                f"{number + 1}/{len(plan)} {fault.name}: {time.time() - began:.1f} s, back after {took:.1f}; "
                f"{self._traffic.planned} of {self._traffic.reports}"
            )

    def recovered(self) -> float:
        """Seconds until every region has decided a report that was published from now on."""
        healed = time.monotonic()
        wait_for(
            "every region decides again",
            lambda: self._alive() and min(self._traffic.newest.values()) > healed,
            BACK_WITHIN_S,
        )
        return time.monotonic() - healed

    def _out(self, reports: int) -> bool:
        return self._alive() and self._traffic.planned >= reports

    def _alive(self) -> bool:
        if self._traffic.failed is not None:
            raise self._traffic.failed
        self._see_broker()
        return True

    def _see_broker(self) -> None:
        """Start the broker once more when its group coordinator has failed: it stays so, and nobody has a group.

        Kafka 4.1 begins to load what groups have committed when it comes back, is told that it leads no more and then
        that it does, and loads it a second time beside the first. Whichever comes later may find the other's work.
        """
        log = self._disk.large / "broker" / "broker.log"
        with log.open("rb") as said:
            said.seek(self._broker_said)
            news = said.read()
        self._broker_said += len(news)
        if COORDINATOR_FAILED in news:
            self._say("the broker's group coordinator has failed: the broker is started once more")
            self.broker_again += 1
            self._field.broker.kill()
            self._field.broker.restart()

    def _any(self, *roles: str) -> Worker:
        return self._chance.choice([worker for worker in self._crew.workers if worker.role in roles])

    # Kills -----------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """At a random moment; it comes back at once, soon, or after another has taken over."""
        victim = self._any("intake", "region", "region")
        with self._crew.in_hand(victim):
            victim.kill()
            time.sleep(self._chance.choice((0, 0, 0.5, 2, SESSION_S + 2)))

    def _kill(self, victim: Worker | None) -> None:
        """It comes back at once; None: nobody was hit."""
        if victim is not None:
            with self._crew.in_hand(victim):
                victim.kill()

    def kill_at(self, window: str) -> None:
        self._kill(self._hit(window))

    def kill_in_takeover(self) -> None:
        first = self._any("region")
        aim = self._aim("takeover")
        self._kill(first)
        self._kill(self._was_hit("takeover", aim))

    def kill_in_revoke(self, window: str) -> None:
        aim = self._aim(window)
        joins, joined = self._joins("c")
        self._kill(self._was_hit(window, aim))
        wait_for("c has joined", joined, BACK_WITHIN_S)
        self.recovered()
        self._crew.remove(joins, signal.SIGUSR1)

    def kill_broker(self) -> None:
        self._field.broker.kill()
        time.sleep(self._chance.choice((0, 2, 8)))
        self._field.broker.restart()

    # Freezing, joining, leaving --------------------------------------------------------------------------

    def freeze(self) -> None:
        """Past its session: another has its partitions when it wakes up."""
        self._frozen(self._any("intake", "region", "region"))

    def freeze_in_hand(self) -> None:
        """It wakes up with a batch that it decided, or wrote, as the region's former owner."""
        victim = self._hit(self._chance.choice(("batch", "commit")), stay=0.5)
        if victim is not None:
            self._frozen(victim)

    def _frozen(self, victim: Worker) -> None:
        assert victim.process is not None
        victim.process.send_signal(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        victim.process.send_signal(signal.SIGCONT)

    def one_to_three(self) -> None:
        second = self._crew.of("region")[-1]
        self._crew.remove(second, signal.SIGUSR1)
        self.recovered()
        self._join(second.name)
        third = self._join("c")
        self.recovered()
        self._crew.remove(third, self._chance.choice((signal.SIGUSR1, signal.SIGTERM)))

    def _joins(self, name: str) -> tuple[Worker, Callable[[], bool]]:
        """One region worker more; and whether the group has given it its share."""
        worker = self._crew.made("region", name)
        shares = worker.log().count(ASSIGNED) if worker.has_log else 0
        self._crew.start(worker)
        return worker, lambda: worker.log().count(ASSIGNED) > shares

    def _join(self, name: str) -> Worker:
        worker, joined = self._joins(name)
        wait_for(f"{name} has joined", joined, BACK_WITHIN_S)
        return worker

    def rolling_restart(self) -> None:
        for worker in tuple(self._crew.workers):
            with self._crew.in_hand(worker):
                self._crew.stop(worker, signal.SIGTERM)
            self.recovered()

    def revoke_in_batch(self, batch_s: float) -> None:
        """The group is shared out anew while a batch is in hand."""
        self._hit("batch", stay=batch_s)
        joins = self._join("c")
        self.recovered()
        self._crew.remove(joins, signal.SIGUSR1)

    def down(self, role: str, seconds: float) -> None:
        """Nobody of a role, while everybody outside goes on."""
        workers = self._crew.of(role)
        with self._crew.in_hand(*workers), self._traffic.pushing():
            for worker in workers:
                worker.kill()
            time.sleep(seconds)

    def twin(self) -> None:
        """A second process under the id of one that runs is refused, and the first one never notices."""
        first = self._any("region")
        second = self._crew.made("region", first.name).start()
        assert second.process is not None
        if second.process.wait(60) in (0, EXIT_TEMPORARY) or not first.running:
            self._crew.unexpected.append(f"two under one id: {second.process.returncode}, {first.running}")

    def twin_of_a_frozen_one(self) -> None:
        """The first one is frozen when the second one starts, and wakes up beside it: one of them must end."""
        first = self._any("region")
        assert first.process is not None
        second = self._crew.made("region", first.name)
        with self._crew.in_hand(second):
            self._crew.workers.remove(first)
            first.process.send_signal(signal.SIGSTOP)
            time.sleep(FROZEN_S)
            second.start()
            time.sleep(FROZEN_S)
            first.process.send_signal(signal.SIGCONT)
            wait_for("one of two under one id has ended", lambda: not (first.running and second.running), 90)
            if first.running:  # it goes on in the place of the other
                second.process = first.process

    # What others may take away ---------------------------------------------------------------------------

    def offsets_deleted(self) -> None:
        """All that both groups have committed is gone."""
        workers = tuple(self._crew.workers)
        groups = [group_of("intake"), group_of("region")]
        with self._crew.in_hand(*workers):
            for worker in workers:
                self._crew.stop(worker, signal.SIGUSR1)
            ask = self._field.admin.describe_groups
            wait_for("no members", lambda: all(not found["members"] for found in ask(groups).values()))
            self._field.admin.delete_groups(groups)

    def queue_missing(self) -> None:
        """The queue of a team that has had no report yet is gone when its first ones come."""
        region, team = next(
            (region, team)
            for region, way in self._traffic.ways.items()
            for team in way.teams
            if team.id in self._traffic.left_alone
        )
        queue = specs.QUEUE.topic(team.id)
        self._field.admin.delete_topics([queue])
        wait_for("the queue gone", lambda: queue not in self._field.admin.list_topics())
        before = self._said("topic_missing")
        self._traffic.extra(region, team, 3)
        wait_for("its region has noticed", lambda: self._said("topic_missing") > before)
        self._field.make_topics()

    def _said(self, event: str) -> int:
        return sum(worker.log().count(f'"event": "{event}"') for worker in self._crew.of("region"))

    def broker_disk_full(self) -> None:
        """The broker ends itself over it, or answers nobody; with room it is started again."""
        broker = self._field.broker
        self._disk.fill()
        with self._traffic.pushing():
            for _ in range(200):
                time.sleep(0.1)
                if not broker.running:
                    break
        self._disk.free()
        broker.restart()

    def worker_disk_full(self) -> None:
        """It has to open every region and can write no line of it to its own disk."""
        victim, *others = self._crew.of("region")
        with self._crew.in_hand(victim, *others):
            victim.kill()
            usual, victim.folder = victim.folder, self._disk.small
            victim.start()
            self._disk.fill_small()
            for other in others:
                other.kill()
            time.sleep(SESSION_S)
            self.recovered()
            victim.kill()
            victim.folder = usual
        self._disk.free_small()

    def clock_off(self, by: str) -> None:
        """Its machine's clock leaps while it works, and back when it is started again."""
        victim = self._any("region", "intake")
        says = self._aims / "clock"
        says.write_text("+0")
        with self._crew.in_hand(victim):
            victim.kill()
            victim.env = {
                "LD_PRELOAD": str(self._clock),
                "FAKETIME_TIMESTAMP_FILE": str(says),
                # Not each time anew: a worker that asked the file for every time took a minute to get going.
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
            victim.start()
            self.recovered()
            says.write_text(by)
            time.sleep(5)
            self.recovered()
            if not victim.running:
                self._crew.unexpected.append(f"{victim.role}-{victim.name} ended when its clock went {by}")
            victim.kill()
            victim.env = {}

    # Aiming ----------------------------------------------------------------------------------------------

    def _aim(self, window: str, stay: float = 0) -> Path:
        (self._aims / f"hit-{window}").unlink(missing_ok=True)
        half, aim = self._aims / f"half-aim-{window}", self._aims / f"aim-{window}"
        half.write_text(str(stay))
        half.rename(aim)
        return aim

    def _hit(self, window: str, stay: float = 0) -> Worker | None:
        return self._was_hit(window, self._aim(window, stay))

    def _was_hit(self, window: str, aim: Path) -> Worker | None:
        """Who came by the window; None when nobody did in time."""
        hit = self._aims / f"hit-{window}"
        until = time.monotonic() + HIT_WITHIN_S
        with self._traffic.pushing():
            while not hit.exists():
                if time.monotonic() > until:
                    aim.unlink(missing_ok=True)
                    self.missed[window] += 1
                    return None
                time.sleep(0.02)
        try:
            return self._crew.by_pid(int(hit.read_text()))
        except StopIteration:  # it has ended meanwhile
            return None


WAYS: dict[str, Callable[[Storm], None]] = {
    "kill": Storm.kill,
    "kill between deciding and writing": lambda storm: storm.kill_at("batch"),
    "kill between write and commit": lambda storm: storm.kill_at("commit"),
    "kill just after the commit": lambda storm: storm.kill_at("committed"),
    "kill during takeover": Storm.kill_in_takeover,
    "kill during a snapshot": lambda storm: storm.kill_at("snapshot"),
    "kill during a revoke": lambda storm: storm.kill_in_revoke("revoke"),
    "kill after a revoke": lambda storm: storm.kill_in_revoke("revoked"),
    "kill of the broker": Storm.kill_broker,
    "freeze": Storm.freeze,
    "freeze with a batch in hand": Storm.freeze_in_hand,
    "one to three and back": Storm.one_to_three,
    "rolling restart": Storm.rolling_restart,
    "revoke in mid-batch": lambda storm: storm.revoke_in_batch(SLOW_BATCH_S),
    "revoke that outlasts its time": lambda storm: storm.revoke_in_batch(LONG_BATCH_S),
    "intake down": lambda storm: storm.down("intake", 15),
    "region workers down": lambda storm: storm.down("region", 12),
    "an instance id twice": Storm.twin,
    "an instance id twice, the first one frozen": Storm.twin_of_a_frozen_one,
    "offsets of both groups deleted": Storm.offsets_deleted,
    "queue missing": Storm.queue_missing,
    "broker's disk full": Storm.broker_disk_full,
    "worker's disk full": Storm.worker_disk_full,
    "worker's clock an hour ahead": lambda storm: storm.clock_off("+1h"),
    "worker's clock ten years behind": lambda storm: storm.clock_off("-10y"),
}
