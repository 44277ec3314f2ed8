"""The publishers that integrators copy: what they put on the broker is taken in."""

import os
import random
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from agents.intake.decide import bring, registry
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from pipeline.broker import Broker
from tests.storm.field import REGIONS
from tests.storm.history import read_all
from topics import admin, specs
from topics import journal as j
from topics.specs import wanted

pytestmark = pytest.mark.broker
EXAMPLES = Path(__file__).parents[2] / "examples"
KNOWN = registry(load_regions(REGIONS, development=True))


@pytest.fixture(scope="module")
def cluster(broker: Broker) -> Broker:
    client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    topics = wanted(
        sources=KNOWN.sources, receivers=KNOWN.receivers, regions=KNOWN.regions, replication=1, min_insync=1
    )
    admin.apply(client, admin.plan(topics, admin.actual(client)))
    client.close()
    return broker


def _run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _newest(broker: Broker, source: str) -> j.Input:
    """What intake makes of the last record on a source's topic."""
    *_, last = read_all(broker.bootstrap, [specs.REPORTS.topic(source)])
    record = Arrived(last.topic, last.partition, last.offset, last.timestamp, last.key, last.value, tuple(last.headers))
    return bring(record, KNOWN, str(uuid.uuid4()), random.Random(3).randbytes).message.input


def _is_taken_in(found: Any, report_id: str) -> None:
    assert isinstance(found, j.ReportInput), found
    assert found.report_id == report_id


def test_the_publisher_in_python_is_understood(cluster: Broker):
    report = EXAMPLES / "rood.json"

    _run(sys.executable, EXAMPLES / "publish.py", report, KAFKA=cluster.bootstrap)

    _is_taken_in(_newest(cluster, _source(report)), _id(report))


def test_the_publisher_with_kcat_is_understood(cluster: Broker):
    report = EXAMPLES / "oranje.json"
    source = KNOWN.sources[_source(report)][0].source

    _run("sh", EXAMPLES / "publish-kcat.sh", report, KAFKA=cluster.bootstrap, SOURCE=source)

    _is_taken_in(_newest(cluster, _source(report)), _id(report))


def test_what_is_broken_is_refused_with_every_mistake_named(cluster: Broker):
    report = EXAMPLES / "kapot.json"
    source = KNOWN.sources[_source(report)][0].source

    _run("sh", EXAMPLES / "publish-kcat.sh", report, KAFKA=cluster.bootstrap, SOURCE=source)

    found = _newest(cluster, _source(report))
    assert isinstance(found, j.RefusedInput)
    assert found.reason == "contract"


def _source(report: Path) -> str:
    return _run("jq", "-r", ".source_id", report).strip()


def _id(report: Path) -> str:
    return _run("jq", "-r", ".report_id", report).strip()
