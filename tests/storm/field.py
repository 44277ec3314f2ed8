"""A field to test on: a broker with the topics of two regions, workers that can be killed, integrators."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from agents.policy.loading import Loader
from agents.policy.region import RegionConfig, load_regions
from agents.stage.transport import group_of
from pipeline.broker import Broker
from topics import admin, specs
from topics.codes import Indicator
from topics.reports import is_bsn

CHECKOUT = Path(__file__).parents[2]
REGIONS = CHECKOUT / "deploy" / "regions"
SURNAMES = ("Jansen", "de Vries", "van den Berg", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Dekker")
GIVEN = ("Anna", "Sanne", "Fatima", "Kees", "Mohamed", "Lotte", "Bram", "Yusuf", "Ingrid", "Daan")


def wait_for(what: str, ask: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until the answer is true; fails with ``what`` when it takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def a_bsn(chance: random.Random) -> str:
    """A number of the test range: it belongs to nobody."""
    while True:
        digits = f"9999{chance.randrange(100_000):05d}"
        if is_bsn(digits):
            return digits


def a_plain_report(chance: random.Random, **changes: Any) -> dict[str, Any]:
    """A complete report about a household of its own: groen, every question answered."""
    indicators = {found.value: "NO" for found in Indicator} | changes.pop("indicators", {})
    return {
        "report_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "source_id": "politie-oost-brabant",
        "source_ref": f"ZOF-2026-{chance.randrange(10**6):06d}",
        "channel": "CORV",
        "received_at": datetime.now(UTC).isoformat(),
        "kind": "REPORT",
        "reporter": {"capacity": "POLICE", "organisation": "Politie Oost-Brabant", "name": "Agent Verhoeven"},
        "occasions": ["PARTNER"],
        "participants": [
            {
                "role": "VICTIM",
                "bsn": a_bsn(chance),
                "surname": chance.choice(SURNAMES),
                "given_names": chance.choice(GIVEN),
                "birth_date": f"19{chance.randrange(55, 99)}-0{chance.randrange(1, 10)}-{chance.randrange(10, 29)}",
                "sex": "MALE",
            }
        ],
        "address": {
            "postcode": f"56{chance.randrange(21, 58)} {chance.choice('ABCDEGHJK')}{chance.choice('ABCDEGHJK')}",
            "house_number": chance.randrange(1, 900),
        },
        "indicators": indicators,
        "hgkm_certain": "YES",
        "enough_information": "YES",
        "safe_carer": "YES",
        "cooperation": "ACCEPTS",
        "municipality": "0772",
        "narrative": "Buren horen geschreeuw; ter plaatse rustig, geen letsel gezien.",
    } | changes


CLIMB = ("T02", "T01", "T11", "T11v")
"""The terms that climb where days are short: those that answers end, or that run on real time."""


class Worker:
    """One worker process, started again under the same id after a kill."""

    def __init__(self, field: "Field", role: str, name: str, *flags: str) -> None:
        self.role, self.name = role, name
        self._field, self._flags = field, flags
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = field.folder
        """Where it keeps what it writes on its disk, its log too."""
        self.env: dict[str, str] = {}
        """More variables of its environment, from its next start on."""

    def start(self) -> "Worker":
        log = (self.folder / f"{self.role}-{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            self.command,
            cwd=CHECKOUT,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        return self

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.storm.worker", self.role, *self._flags]

    @property
    def environment(self) -> dict[str, str]:
        return (
            os.environ
            | {
                "MELDSTROOM_KAFKA__BOOTSTRAP": self._field.broker.bootstrap,
                "MELDSTROOM_KAFKA__REPLICATION": "1",
                "MELDSTROOM_KAFKA__MIN_INSYNC": "1",
                "MELDSTROOM_REGIONS": str(self._field.regions_folder),
                "MELDSTROOM_INSTANCE": self.name,
                "MELDSTROOM_DATA": str(self.folder),
                "MELDSTROOM_METRICS_PORT": "0",
                "MELDSTROOM_DEVELOPMENT": "true",
            }
            | self.env
        )

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End in order; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        try:
            # A drained one waits for the others, and closes its books.
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def has_log(self) -> bool:
        return (self.folder / f"{self.role}-{self.name}.log").exists()

    def log(self) -> str:
        """What it said since its first start."""
        return (self.folder / f"{self.role}-{self.name}.log").read_text()


class Field:
    """A broker of its own, the topics of the sample regions, and whoever publishes. On days of ``working_day_s`` only
    the terms in ``climb`` climb; None: all of them."""

    def __init__(
        self,
        folder: Path,
        *,
        working_day_s: float | None = None,
        climb: Collection[str] | None = CLIMB,
        broker_folder: Path | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.regions_folder = folder / "regions"
        shutil.copytree(REGIONS, self.regions_folder)
        if working_day_s is not None:
            for path in self.regions_folder.glob("*/policy.yaml"):
                policy = yaml.load(path.read_text(), Loader=Loader)
                policy["calendar"] = {"kind": "compressed", "working_day_seconds": working_day_s}
                for term in policy["terms"]:
                    # What nobody here does would be told of every case on each of hundreds of days.
                    if climb is not None and term["id"] not in climb:
                        term.pop("ladder", None)
                path.write_text(yaml.safe_dump(policy, sort_keys=False))
        self.regions: dict[str, RegionConfig] = load_regions(self.regions_folder, development=True)
        self.sources = {source.id: source for config in self.regions.values() for source in config.sources}
        self.receivers = [found.id for config in self.regions.values() for found in config.directory.own()]
        self.broker = Broker.start(broker_folder or folder / "broker", overrides=overrides)
        self.published: dict[str, list[str]] = {}
        self.workers: list[Worker] = []
        self.admin = KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)
        self.make_topics()
        self.producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, acks="all", linger_ms=2)

    def make_topics(self) -> None:
        """What the specs say, where it is not so already."""
        wanted = specs.wanted(
            sources=self.sources, receivers=self.receivers, regions=self.regions, replication=1, min_insync=1
        )
        admin.apply(self.admin, admin.plan(wanted, admin.actual(self.admin)))

    def worker(self, role: str, name: str, *flags: str) -> Worker:
        made = Worker(self, role, name, *flags)
        self.workers.append(made)
        return made.start()

    def publish(self, report: dict[str, Any], producer: KafkaProducer | None = None) -> Any:
        """As an integrator does: one binary CloudEvent. Returns what will say that the broker has it."""
        source = self.sources[report["source_id"]]
        topic, key = specs.REPORTS.topic(source.id), report["report_id"]
        identity = f"{source.id}/{report['report_id']}/{report.get('version', 1)}"
        self.published.setdefault(source.id, []).append(identity)
        return self.send(topic, specs.REPORT_TYPE, source.source, key, report, producer)

    def send(
        self,
        topic: str,
        kind: str,
        source: str,
        key: str,
        message: dict[str, Any],
        producer: KafkaProducer | None = None,
    ) -> Any:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(uuid.uuid4()).encode()),
            ("ce_source", source.encode()),
            ("ce_type", kind.encode()),
            ("content-type", b"application/json"),
        ]
        return (producer or self.producer).send(topic, orjson.dumps(message), key.encode(), headers=headers)

    def answer(self, receiver: str, offer: dict[str, Any], state: str, reason: str | None = None) -> None:
        message = {
            "answer_id": str(uuid.uuid4()),
            "case_id": offer["case_id"],
            "handover_id": offer["handover_id"],
            "state": state,
            "reason": reason,
            "answered_at": datetime.now(UTC).isoformat(),
        }
        source = f"urn:nld:oin:00000001999970835000:systeem:{receiver}"
        self.send(specs.ANSWERS.topic(receiver), specs.ANSWER_TYPE, source, offer["case_id"], message).get(10)

    def ends(self, family: str) -> dict[TopicPartition, int]:
        """Where the partitions of a family (``reports``, ``inbox``) end now; empty ones are left out."""
        topics = [name for name in self.admin.list_topics() if name.startswith(f"{specs.PREFIX}.{family}.")]
        consumer = KafkaConsumer(bootstrap_servers=self.broker.bootstrap)
        try:
            places = [TopicPartition(name, n) for name in topics for n in consumer.partitions_for_topic(name) or ()]
            return {place: end for place, end in consumer.end_offsets(places).items() if end}
        finally:
            consumer.close()

    def read_by(self, group: str, family: str) -> bool:
        """Whether a group has committed all that lies on the topics of a family."""
        committed = self.admin.list_group_offsets(group_of(group))[group_of(group)]
        return all(place in committed and committed[place].offset >= end for place, end in self.ends(family).items())

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.producer.close(timeout=2)
        self.admin.close()
        self.broker.stop()


def a_field(folder: Path, **how: Any) -> Iterator[Field]:
    """For a fixture: the field, closed at the end whatever happens."""
    field = Field(folder, **how)
    try:
        yield field
    finally:
        field.close()
