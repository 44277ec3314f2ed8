"""The watchdog beside a real broker: what the writer leaves lying is seen, and so is a watchdog that is gone."""

import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest

from pipeline.cli.worker import argv_of
from pipeline.journal_reader import consumer_of
from pipeline.watchdog import GRACE_MS, Told, Watchdog
from tests.scenarios.test_answer_during_outage import a_standing_offer, broker_now
from tests.storm.field import CHECKOUT, Field, Worker, a_field, a_plain_report, wait_for
from tests.storm.storm import Following
from topics.cluster import Cluster

HEARTBEAT = "meldstroom_watchdog_last_round_seconds"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    yield from a_field(tmp_path_factory.mktemp("watchdog"))


def said(told: Told, name: str, **labels: str) -> float | None:
    return told.registry.get_sample_value(f"meldstroom_watchdog_{name}", labels)


def test_what_a_stopped_writer_leaves_lying_is_an_alarm_until_it_is_decided(
    field: Field, journal: Following, chance: random.Random
):
    # Given a region that works, and a watchdog that has nothing to say
    field.worker("intake", "a")
    writer = field.worker("region", "a")
    offer = a_standing_offer(field, journal, chance)
    region = next(name for name, config in field.regions.items() if config.directory.receiver(offer.receiver))
    cluster = Cluster(bootstrap=field.broker.bootstrap, replication=1, min_insync=1)
    regions = {name: config.partition for name, config in field.regions.items()}
    told, clock = Told(), SimpleNamespace(ahead=0)
    with closing(consumer_of(cluster)) as consumer:
        rounds = Watchdog(cluster, regions, told).rounds(consumer, lambda: (broker_now(field) + clock.ahead) / 1000)
        next(rounds)
        assert (said(told, "overdue", region=region), said(told, "waiting", region=region)) == (0, 6)

        # When its writer is killed, and a report comes after that
        writer.kill()
        report = a_plain_report(chance)
        field.publish(report)
        field.producer.flush()
        wait_for("intake", lambda: field.read_by("intake", "reports"))
        next(rounds)
        assert said(told, "undecided_records", region=region, lane="inbox") == 0

        # Then a minute later the report is an alarm, and so is every deadline once it is a minute over
        clock.ahead = GRACE_MS + 1_000
        next(rounds)
        assert said(told, "undecided_records", region=region, lane="inbox") == 1
        assert said(told, "overdue", region=region) == 0
        clock.ahead = offer.ladder[0].due + GRACE_MS + 1_000 - broker_now(field)
        next(rounds)
        assert (said(told, "overdue", region=region) or 0) >= 1
        assert said(told, "oldest_overdue_seconds", region=region) is not None

        # And none of it any more once the writer is back and the clock is as it is
        before = len(journal.records())
        writer.start()
        wait_for("the report", lambda: len(journal.records()) > before)
        clock.ahead = GRACE_MS + 1_000
        next(rounds)
        assert said(told, "undecided_records", region=region, lane="inbox") == 0
        assert said(told, "overdue", region=region) == 0


def test_its_heartbeat_is_a_metric_and_is_gone_when_it_is(field: Field):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = Worker(field, "watchdog", "a").environment | {"MELDSTROOM_METRICS_PORT": str(port - 2)}
    watchdog = subprocess.Popen(argv_of("worker", "watchdog"), cwd=CHECKOUT, env=environment, stderr=subprocess.DEVNULL)

    def heartbeat() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(HEARTBEAT)), 0.0)

    def beats() -> bool:
        try:
            return heartbeat() > 0
        except (urllib.error.URLError, ConnectionError):
            return False

    try:
        wait_for("the heartbeat", beats)
        assert abs(heartbeat() - time.time()) < 60
        watchdog.terminate()
        assert watchdog.wait(20) == 0
    finally:
        watchdog.kill()
        watchdog.wait()
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        heartbeat()
