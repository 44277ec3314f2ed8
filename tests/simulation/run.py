"""A schedule carried out: who does what on the broker in memory, and what can be looked at afterwards."""

import random
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import NotLeaderForPartitionError, RequestTimedOutError

from agents.casework.writer import CaseworkWriter
from agents.stage.transport import group_of
from tests.cases import WEDNESDAY
from tests.simulation import schedule as s
from tests.simulation.broker import Broker
from tests.simulation.ground import in_memory, small
from tests.simulation.outside import Outside
from tests.simulation.processes import AS_IT_IS, FROM_OUTSIDE, RECEIVERS, Casework, Intaking, Made, Process
from tests.simulation.reports import SOURCES
from tests.world import at, local
from topics import specs

TOPICS = frozenset(
    [
        *(
            spec.topic()
            for spec in (specs.JOURNAL, specs.KEYS, specs.SNAPSHOTS, specs.INBOX, specs.DESK, specs.DEADLETTERS)
        ),
        *(spec.topic(receiver) for spec in (specs.QUEUE, specs.NOTICES) for receiver in RECEIVERS),
        *(specs.RECEIPTS.topic(source) for source in SOURCES),
    ]
)
SETTLES_WITHIN = 60
LONGEST_WAIT_S = 1.0


@dataclass
class Outcome:
    """What lies on the broker at the end, and who holds the region then."""

    schedule: s.Schedule
    broker: Broker
    published: dict[str, list[str]]
    writer: CaseworkWriter | None
    happened: Counter[str]
    story: list[str] = field(default_factory=list)
    failed: str | None = None
    """Why it did not come to rest."""


def carried_out(schedule: s.Schedule, made: Made = AS_IT_IS, *, tell: bool = False) -> Outcome:
    """Carry a schedule out. What the product raises that nobody there catches is the outcome, too.

    ``tell``: with the story of it, line by line.
    """
    return Simulation(schedule, made, tell).run()


class Simulation:
    """One schedule under way."""

    def __init__(self, schedule: s.Schedule, made: Made, tell: bool) -> None:
        self.schedule = schedule
        self.tell = tell
        self.broker = Broker(at(WEDNESDAY), TOPICS)
        self.happened: Counter[str] = Counter()
        self.story: list[str] = []
        self._outside = Outside(self.broker)
        self._made = made
        self._chance = random.Random(f"entropy {schedule.seed}")
        self._casework: Casework | None = None
        self._intake: Intaking | None = None
        self._frozen: list[Process] = []
        self._lent: Casework | None = None
        """Who closed the region for another; it comes back to him, and he may have kept his book."""
        self._another_had_it = False
        self._heir: Casework | None = None
        """Who has prepared the book of the region while another has it."""
        self._acting: Process | None = None
        self._beaten = 0
        self._leap_beats = -1
        """How many more heartbeats are stamped ahead; 0 until the next one is right again."""

    def run(self) -> Outcome:
        failed = None
        time = SimpleNamespace(monotonic=self._monotonic, time=self._machine_time)
        with in_memory(self.broker, time, self._hear), small(cold=self.schedule.cold):
            try:
                for step in self.schedule.steps:
                    self._say(step)
                    self.happened[type(step).__name__] += 1
                    self._do(step)
                self._settle()
                if self.schedule.after:
                    self._pass(self.schedule.after)
                    self._settle()
            except Exception as error:
                failed = f"{type(error).__name__}: {error}"
            region = self._casework.region if self._casework is not None else None
            for process in (self._casework, self._intake, *self._frozen):
                if process is not None:
                    process.task.drop()
            if self._heir is not None:
                self._heir.heart.drop()
        writer = region.writer if region is not None else None
        return Outcome(
            self.schedule,
            self.broker,
            self._outside.published,
            writer if isinstance(writer, CaseworkWriter) else None,
            self.happened,
            self.story,
            failed,
        )

    # Clocks ----------------------------------------------------------------------------------------------

    def _monotonic(self) -> float:
        """Of the machine on which somebody runs: it counts from when that was started."""
        return (self._acting.start if self._acting else 0.0) + self.broker.now / 1000

    def _machine_time(self) -> float:
        return (self.broker.now + (self._acting.clock_off if self._acting else 0)) / 1000

    def _pass(self, ms: int, *, beats: bool = True) -> None:
        self.broker.pass_time(ms)
        if beats and self._casework is not None and self.broker.now - self._beaten >= s.SECOND:
            self._beat(self._casework)

    def _beat(self, worker: Casework) -> None:
        """Its heart beats once; a leap of the broker's clock is over after some beats."""
        acting, self._acting = self._acting, worker
        worker.heart.go()
        self._acting = acting
        self._beaten = self.broker.now
        if self.broker.leap:
            self._leap_beats -= 1
            if self._leap_beats == 0:
                self.broker.leap = 0
        else:
            self._leap_beats = -1

    # Steps -----------------------------------------------------------------------------------------------

    def _do(self, step: s.Step) -> None:
        match step:
            case s.Report():
                self._outside.report(step)
            case s.Garbage():
                self._outside.garbage(step)
            case s.Answer():
                self._outside.answer(step)
            case s.Act():
                self._outside.act(step)
            case s.Pass():
                self._pass_step(step)
            case s.Leap():
                # Two in a row would be a clock that stays where it leapt to, and that is believed.
                if self._leap_beats < 0:
                    self._happens("leap of the broker's clock")
                    self.broker.leap, self._leap_beats = step.ms, step.beats
            case s.Intake():
                self._go(self._an_intake(), step.turns, step.fault)
            case s.Casework():
                worker = self._a_worker()
                if worker.deliver(self.broker, hole=step.hole, back=step.back):
                    self.happened["left out by delivery"] += 1
                self._go(worker, step.turns, step.fault)
                if self.schedule.heirs and self._heir is None:
                    self._prepare()
            case s.End():
                self._end(step)
            case s.Thaw():
                self._thaw(step.turns)
            case s.Forget():
                # Kafka forgets the offsets of nobody who is there.
                self._end(s.End(step.who, "kill"))
                self.broker.groups[group_of("intake" if step.who == "intake" else "region")].clear()

    def _pass_step(self, step: s.Pass) -> None:
        ms = step.ms
        if step.to_due:
            writer = self._casework.region.writer if self._casework is not None else None
            due = writer.due() if writer is not None else None
            if due is None:
                return
            ms = due + step.ms - self.broker.now
        self._pass(max(ms, 0), beats=step.beats)

    # Processes -------------------------------------------------------------------------------------------

    def _an_intake(self) -> Intaking:
        if self._intake is None:
            self._intake = Intaking(
                self.broker, self._made, self._chance.randbytes, self._chance, self._chance.uniform(0, 10**6)
            )
        return self._intake

    def _a_worker(self) -> Casework:
        if self._casework is None and self._lent is not None and self._another_had_it:
            self._happens("the region comes back")
            self._casework, self._lent = self._lent, None
            self._casework.restart(self.broker)
        if self._casework is None:
            if self.schedule.clock_off > 0:
                # A worker that begins with a clock as wrong as the broker's cannot know.
                self.broker.leap, self._leap_beats = 0, -1
            if self._heir is not None:
                self._happens("an heir takes over")
                self._heir.restart(self.broker)
            self._casework, self._heir = self._heir or self._another(), None
            self._beat(self._casework)
            self._another_had_it = True
        return self._casework

    def _another(self) -> Casework:
        return Casework(
            self.broker, self._made, self._chance.randbytes, self.schedule.clock_off, self._chance.uniform(0, 10**6)
        )

    def _prepare(self) -> None:
        """Somebody else prepares the book as it is now: the region will come to him."""
        acting, self._heir = self._acting, self._another()
        self._acting = self._heir
        self._heir.prepare()
        self._acting = acting

    def _go(self, process: Process, turns: int, fault: s.Fault | None = None) -> None:
        """Let a process run for so many turns, or until it waits for somebody else."""
        points, idle, error = 0, False, None
        process.deliver(self.broker)
        while turns > 0 and not process.task.ended:
            turns -= 1
            self._acting = process
            turn = process.task.go(error)
            self._acting, error = None, None
            if turn is None:
                return
            if turn.what in ("sleep", "wait"):
                self._pass(round(turn.seconds * 1000))
                if turn.what == "wait":
                    # It waits for somebody else, unless that is a deadline's turn at the gate.
                    if idle or turn.seconds == LONGEST_WAIT_S:
                        return
                    idle = True
                continue
            idle = False
            points += 1
            if fault is None or points != fault.point:
                continue
            self._happens(f"{type(process).__name__} {fault.how} at {turn.what}{_while(process)}")
            if fault.how == "fail" and isinstance(process, Casework):
                error = RequestTimedOutError() if turn.what == "committed" else NotLeaderForPartitionError()
            else:
                # An intake that is told an error ends, too, and its supervisor starts it again.
                self._lose(process, fault.how)
                return

    def _lose(self, process: Process, how: str) -> None:
        """Nobody has this process any more."""
        if how == "freeze":
            if isinstance(process, Intaking):
                process.frozen = True
            self._frozen.append(process)
        else:
            process.task.drop()
        if process is self._casework:
            self._casework = None
        elif process is self._intake:
            self._intake = None

    def _end(self, step: s.End) -> None:
        process = self._casework if step.who == "casework" else self._intake
        if process is None:
            return
        self._happens(f"{step.who} {step.how}")
        if isinstance(process, Casework) and step.how in ("close", "back"):
            process.region.close()
            self._go(process, s.UNTIL_IDLE)
            if process.task.ended and step.how == "back":
                process.restart(self.broker)
                return
            if process.task.ended:
                self._casework, self._lent, self._another_had_it = None, process, False
                return
        self._lose(process, step.how if step.how == "freeze" else "kill")

    def _thaw(self, turns: int) -> None:
        for process in self._frozen:
            self._happens(f"{type(process).__name__} thawed")
            self._go(process, turns)

    def _settle(self) -> None:
        """Nothing fails any more: everything that was published is decided, and what is due has fired."""
        for process in self._frozen:
            process.task.drop()
        self._frozen = []
        self.broker.leap, self._leap_beats = 0, -1
        for _ in range(SETTLES_WITHIN):
            self._pass(3 * s.SECOND)
            self._go(self._an_intake(), s.UNTIL_IDLE)
            self._go(self._a_worker(), s.UNTIL_IDLE)
            if self._at_rest():
                return
        raise AssertionError("it does not come to rest")

    def _at_rest(self) -> bool:
        intake, worker = self._intake, self._casework
        if intake is None or worker is None or worker.task.ended:
            return False
        brought = self.broker.groups[group_of("intake")]
        if any(brought.get((topic, 0), 0) < len(self.broker.logs[topic, 0]) for topic in FROM_OUTSIDE):
            return False
        done = worker.region.done()
        if not done or worker.region.writer is None:
            return False
        lanes = {"desk": specs.DESK, "inbox": specs.INBOX}
        if any(done[name] < self.broker.end((spec.topic(), worker.region.partition)) for name, spec in lanes.items()):
            return False
        due = worker.region.writer.due()
        return due is None or due > self.broker.now

    # Telling ---------------------------------------------------------------------------------------------

    def _happens(self, what: str) -> None:
        self.happened[what] += 1
        self._say(f"  ! {what}")

    def _hear(self, event: str, values: dict[str, Any]) -> None:
        self.happened[f"log {event}"] += 1
        if self.tell:
            self._say(f"  | {event} {values}")

    def _say(self, what: object) -> None:
        if self.tell:
            self.story.append(f"{local(self.broker.now)}  {what}")


def _while(process: Process) -> str:
    """What the region is at when something happens to it."""
    if isinstance(process, Casework) and process.region.saving.in_hand():
        return " of a snapshot"
    return ""
