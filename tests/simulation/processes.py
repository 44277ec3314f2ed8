"""The processes of a schedule: a worker that holds the region, and an intake. Each is the product's own code."""

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import yaml
from aiokafka import TopicPartition

from agents.casework.writer import CaseworkWriter
from agents.intake.agent import Intake
from agents.intake.decide import Registry, registry
from agents.policy.loading import Loader
from agents.policy.region import RegionConfig
from agents.sealing import Entropy
from agents.stage.clock import BrokerClock
from agents.stage.heartbeat import Heart
from agents.stage.loop import Region
from agents.stage.reading import arrived
from agents.stage.stage import Stage
from agents.stage.takeover import LANES
from agents.stage.transport import group_of
from tests.cases import REGION
from tests.simulation.broker import Broker, Stored
from tests.simulation.clients import Admin, Consumer
from tests.simulation.reports import SOURCES
from tests.simulation.turns import Task, Turn, done
from tests.world import regions
from topics import specs
from topics.cluster import Cluster

CLUSTER = Cluster(bootstrap="memory:1")


def _in_few_words(config: RegionConfig) -> RegionConfig:
    """The same rules without their sentences: each journal holds the text, and nobody tries how it is copied."""
    plain = yaml.load(config.policy_text, Loader=Loader)
    for rows in plain.values():
        for row in rows if isinstance(rows, list) else ():
            row |= {name: "-" for name in ("nl", "en") if name in row}
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, default_flow_style=True, width=100_000)
    directory = yaml.safe_dump(yaml.safe_load(config.directory_text), default_flow_style=True, width=100_000)
    return replace(config, policy_text=text, directory_text=directory)


CONFIG = _in_few_words(regions()[REGION])
KNOWN: Registry = registry({REGION: CONFIG})
PARTITION = CONFIG.partition
RECEIVERS = tuple(found.id for found in CONFIG.directory.own())
FROM_OUTSIDE = (
    *(specs.REPORTS.topic(source) for source in SOURCES),
    *(specs.ANSWERS.topic(receiver) for receiver in RECEIVERS),
    specs.ACTS.topic(REGION),
)
Made = tuple[type[Region], type[CaseworkWriter], type[BrokerClock], type[Intake]]
AS_IT_IS: Made = (Region, CaseworkWriter, BrokerClock, Intake)
"""What the processes are made of; a planted defect is a subclass of one of them."""


class Casework:
    """A worker that holds the region: its heart, its clock, its stage, and what Faust delivers to it."""

    def __init__(self, broker: Broker, made: Made, entropy: Entropy, clock_off: int, start: float) -> None:
        region, writer, clock, _ = made
        self.clock_off, self.start = clock_off, start
        self.clock = clock()
        stage = Stage(CLUSTER, {PARTITION: REGION}, lambda _: self.writer(writer, entropy), self.clock)
        stage._side, stage._journal, stage._admin = Consumer(broker), Consumer(broker), Admin(broker)  # type: ignore[assignment]
        self.region = region(REGION, PARTITION, lambda: self.writer(writer, entropy), stage._tools())
        self.heart = Task(Heart(CLUSTER, "worker", "boot", self.clock).run())
        self.restart(broker)

    @staticmethod
    def writer(made: type[CaseworkWriter], entropy: Entropy) -> CaseworkWriter:
        return made(CONFIG, entropy, lambda record, book: None)

    def restart(self, broker: Broker) -> None:
        """It was given the region: Faust reads on from what its group has committed."""
        self.region.reset()
        committed = broker.groups[group_of("region")]
        self._read = {(topic, PARTITION): committed.get((topic, PARTITION), 0) for topic in LANES.values()}
        self.task = Task(self.region.run())

    def prepare(self) -> None:
        """Restore the book, and wait for the region."""
        self.task.drop()
        preparing = Task(self.region.prepare())
        while preparing.go() is not None:
            pass

    def deliver(self, broker: Broker, *, hole: bool = False, back: int = 0) -> bool:
        """Offer what lies on the lanes; whether a record was left out, as was asked for."""
        left_out = False
        for place, start in self._read.items():
            for record in broker.read(place, max(0, start - back)):
                if hole and not left_out and record.offset >= start:
                    left_out = True
                else:
                    self.region.offer(arrived(record))
                self._read[place] = record.offset + 1
        return left_out


class Intaking:
    """An intake, and what Faust delivers to it."""

    def __init__(self, broker: Broker, made: Made, entropy: Entropy, chance: random.Random, start: float) -> None:
        self.clock_off, self.start = 0, start
        self.frozen = False
        self.intake = made[3](CLUSTER, KNOWN, entropy, lambda: UUID(int=chance.getrandbits(128), version=4))
        places = [TopicPartition(topic, 0) for topic in FROM_OUTSIDE]

        async def commit_done(offsets: dict[Any, int]) -> bool:
            await Turn("commit")
            # A group takes no offset of a member that it has shut out.
            if not self.frozen:
                broker.groups[group_of("intake")].update({tuple(place): offset for place, offset in offsets.items()})
            await Turn("committed")
            return not self.frozen

        self.intake._app = SimpleNamespace(  # type: ignore[assignment]
            consumer=SimpleNamespace(assignment=lambda: places, commit_done=commit_done)
        )
        done(self.intake._assigned())
        self._read = {place: lane.expected for place, lane in self.intake._lanes.items()}
        self.task = Task(self.intake.run())

    def deliver(self, broker: Broker, **_: Any) -> bool:
        """Offer what was published."""
        for place, start in self._read.items():
            for record in broker.logs[place][start:]:
                self.intake._offer(_message(record))
            self._read[place] = len(broker.logs[place])
        return False


Process = Casework | Intaking


def _message(record: Stored) -> Any:
    """As Faust gives it: times are in seconds."""
    return SimpleNamespace(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp / 1000,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )
