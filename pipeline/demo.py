"""The demo's story, played through a real Kafka: who publishes, who answers, and what is counted at the end.

The story itself is data (``demo.yaml``). Pure but for ``Player``, which publishes and answers as integrators and
receivers do, through an ordinary client.
"""

import heapq
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4, uuid5

import yaml
from kafka import KafkaProducer

from agents.casework.rules import Rules, rules_from
from agents.policy.loading import Loader
from agents.policy.region import RegionConfig
from topics import envelope, specs
from topics import journal as j
from topics.cluster import Cluster
from topics.codes import Indicator

STORY = Path(__file__).parent / "demo.yaml"
WORKING_DAY_S = 5.0
_NAMES = UUID("5f0b7a52-9a2c-5d52-8d9e-6d656c647374")


@dataclass(frozen=True, slots=True)
class Line:
    """One report of the story: when (s), what is said of it, what is published, how its receiver plays."""

    at: float
    say: str
    source: str
    report_id: str
    value: bytes
    plays: dict[str, Any] | str


def story(now: datetime, run: str) -> list[Line]:
    """The story, with fresh ids for this ``run`` and times counted from ``now``."""
    plain = yaml.safe_load(STORY.read_text(encoding="utf-8"))
    lines: list[Line] = []
    made: list[dict[str, Any]] = []
    for number, found in enumerate(plain["reports"]):
        plays = found.get("plays", plain["others"])
        if "broken" in found:
            made.append({})
            value, source, report_id = found["broken"].encode(), found["source"], str(uuid5(_NAMES, f"{run}{number}"))
        else:
            report = _report(found, made, now, run, number)
            made.append(report)
            value, source, report_id = json.dumps(report).encode(), report["source_id"], report["report_id"]
        lines.append(Line(found["at"], found["say"], source, report_id, value, plays))
    return lines


def _report(found: dict[str, Any], made: list[dict[str, Any]], now: datetime, run: str, number: int) -> dict[str, Any]:
    if "again" in found:
        repeated: dict[str, Any] = made[found["again"]]
        return repeated
    if "correct" in found:
        first = made[found["correct"]]
        return {**first, "version": first.get("version", 1) + 1, "kind": "CORRECTION", "indicators": _indicators(found)}
    report = {
        "report_id": str(uuid5(_NAMES, f"{run}{number}")),
        "source_id": found["source"],
        "source_ref": f"DEMO-{number + 1:02d}",
        "channel": "API",
        "received_at": now.isoformat(),
        "kind": found.get("kind", "REPORT"),
        "reporter": {"capacity": found["capacity"]},
        "reporter_disclosure": found.get("disclosure"),
        "occasions": [found.get("occasion", "PARTNER")],
        "participants": found.get("people", []),
        "address": found.get("address"),
        "indicators": _indicators(found),
        "hgkm_certain": "YES",
        "enough_information": "YES",
        "safe_carer": "YES",
        "cooperation": found.get("cooperation", "ACCEPTS"),
        "municipality": found.get("municipality"),
        "narrative": found["narrative"],
    }
    return {name: value for name, value in report.items() if value is not None}


def _indicators(found: dict[str, Any]) -> dict[str, str]:
    unanswered = found.get("open", [])
    if unanswered == "all":
        return {}
    said = {indicator.value: "NO" for indicator in Indicator if indicator.value not in unanswered}
    return said | dict.fromkeys(found.get("signs", []), "YES")


def demo_regions(regions: Path, folder: Path) -> Path:
    """A copy of the regions in ``folder`` in which a working day lasts five seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(regions, folder)
    for path in folder.glob("*/policy.yaml"):
        policy = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
        policy["calendar"] = {"kind": "compressed", "working_day_seconds": WORKING_DAY_S}
        policy["name"] = "demo"
        path.write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder


@dataclass(slots=True)
class Tally:
    """What is counted over the journal of one run. Durations in ms."""

    published: int = 0
    seen: int = 0
    decided: int = 0
    repeats: int = 0
    recorded: int = 0
    offered: int = 0
    accepted: int = 0
    started: int = 0
    refused: int = 0
    recalled: int = 0
    reminders: int = 0
    dead: int = 0
    waits: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    offers: dict[str, int] = field(default_factory=dict)
    rules: dict[str, Rules] = field(default_factory=dict)
    """Region -> the rules in force there."""

    def count(self, record: j.Record) -> None:
        """Take one journal record in."""
        said = record.input
        if isinstance(said, j.ConfigureInput):
            self.rules[record.region] = rules_from(said.policy, said.directory)
        if isinstance(said, j.ReportInput | j.RefusedInput):
            self.seen += 1
            self.waits.append(max(0, record.at - said.origin.arrived))
        for event in record.events:
            match event:
                case j.Registered():
                    self.decided += 1
                case j.Repeated():
                    self.repeats += 1
                case j.NotDecided():
                    self.recorded += isinstance(said, j.ReportInput)
                case j.Offered():
                    self.offered += 1
                    self.offers[event.handover_id] = record.at
                case j.Answered():
                    self._answered(event, record)
                case j.TakenBack() if event.state == "RECALLED":
                    self.recalled += 1
                case j.StepFired() if event.step != "RECALLED":
                    self.reminders += 1
                case j.DeadLettered():
                    self.dead += 1
                case _:
                    pass

    def _answered(self, event: j.Answered, record: j.Record) -> None:
        self.refused += event.state in ("REFUSED", "RETURNED")
        self.started += event.state == "STARTED"
        if event.state == "ACCEPTED":
            self.accepted += 1
            self.answers.append(record.at - self.offers.get(event.handover_id, record.at))

    def whole(self) -> bool:
        """Whether every published record has its outcome, and a reminder and a recall were seen."""
        return self.seen >= self.published and self.recalled > 0 and self.reminders > 0


def percentile(values: list[int], part: int) -> int:
    """The ``part``-th percentile, ms; 0 without values."""
    if len(values) < 2:
        return values[0] if values else 0
    return int(quantiles(values, n=100, method="inclusive")[part - 1])


class Player:
    """Publishes the story and answers the offers as it says, through an ordinary Kafka client."""

    def __init__(self, cluster: Cluster, regions: dict[str, RegionConfig], lines: list[Line]) -> None:
        self.lines = lines
        self._regions = regions
        self._sources = {source.id: source for config in regions.values() for source in config.sources}
        self._producer = KafkaProducer(**cluster.client(), acks="all")
        self._start = time.monotonic()
        self._next = 0
        self.said: dict[tuple[str, int], Line] = {}
        self._todo: list[tuple[float, int, str, j.Offered, str, str | None]] = []

    def publish_due(self) -> Iterator[Line]:
        """Publish what the story has come to. ``said`` tells afterwards what was said of each record."""
        while self._next < len(self.lines) and time.monotonic() - self._start >= self.lines[self._next].at:
            line = self.lines[self._next]
            self._next += 1
            lies = self._send(
                specs.REPORTS.topic(line.source),
                specs.REPORT_TYPE,
                self._sources[line.source].source,
                line.report_id,
                line.value,
            )
            self.said[(lies.topic, lies.offset)] = line
            yield line

    @property
    def told(self) -> bool:
        """Whether the whole story was published."""
        return self._next >= len(self.lines)

    def see(self, record: j.Record) -> None:
        """Plan what the receiver of a new offer does."""
        said = record.input
        plays: dict[str, Any] | str = {"accept": 1.0}
        if isinstance(said, j.ReportInput):
            line = self.said.get((said.origin.topic, said.origin.offset))
            plays = line.plays if line is not None else plays
        now = time.monotonic() - self._start
        for event in record.events:
            if isinstance(event, j.Offered) and isinstance(plays, dict):
                self._plan(now, event, plays)

    def _plan(self, now: float, offer: j.Offered, plays: dict[str, Any]) -> None:
        def later(after: float, state: str, reason: str | None = None) -> None:
            heapq.heappush(self._todo, (now + after, len(self._todo), state, offer, offer.receiver, reason))

        if "refuse" in plays:
            later(plays["after"], "REFUSED", plays["refuse"])
            return
        later(plays["accept"] / 2, "ACKNOWLEDGED")
        later(plays["accept"], "ACCEPTED")
        if "start" in plays:
            later(plays["accept"] + plays["start"], "STARTED")

    def answer_due(self) -> None:
        """Send the answers whose time has come."""
        while self._todo and self._todo[0][0] <= time.monotonic() - self._start:
            _, _, state, offer, receiver, reason = heapq.heappop(self._todo)
            message = {
                "answer_id": str(uuid4()),
                "case_id": offer.case_id,
                "handover_id": offer.handover_id,
                "state": state,
                "reason": reason,
                "by": "demo",
                "answered_at": datetime.now(UTC).isoformat(),
            }
            self._send(
                specs.ANSWERS.topic(receiver),
                specs.ANSWER_TYPE,
                f"urn:nld:oin:00000001999970835000:systeem:{receiver}",
                offer.case_id,
                json.dumps(message).encode(),
            )

    def close(self) -> None:
        """End the client."""
        self._producer.close(timeout=5)

    def _send(self, topic: str, kind: str, source: str, key: str, value: bytes) -> Any:
        headers = envelope.write(
            id=str(uuid4()), type=kind, source=source, time_ms=int(time.time() * 1000), subject=None
        )
        return self._producer.send(topic, value, key.encode(), headers=headers).get(timeout=15)
