"""The local broker, on the real thing: what it promises about ports, data, processes and words."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from pipeline.broker import Broker, clear_state, read_state, write_state
from pipeline.kafka_jars import BrokerError, fetch_kafka, missing_tools


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that a test may kill, unlike the one that all tests share."""
    with Broker.start(tmp_path / "a folder, with é", heap_mb=256) as broker:
        yield broker


def make_topic(broker: Broker, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.close()


def publish(broker: Broker, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", max_block_ms=5000)
    for sent in [producer.send(topic, value) for value in values]:
        sent.get(timeout=20)
    producer.close()


def read(broker: Broker, topic: str, *, count: int) -> list[bytes]:
    """The first ``count`` values; fewer when no more come within 20 seconds."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )
    values = [record.value for record in islice(consumer, count)]
    consumer.close()
    return values


@pytest.mark.broker
def test_what_is_published_can_be_read(broker: Broker):
    make_topic(broker, "test.broker.roundtrip")

    publish(broker, "test.broker.roundtrip", b"one", b"two")

    assert read(broker, "test.broker.roundtrip", count=2) == [b"one", b"two"]


@pytest.mark.broker
def test_a_topic_that_nobody_made_is_not_made_by_publishing_to_it(broker: Broker):
    with pytest.raises(KafkaError):
        publish(broker, "test.broker.nobody-made-this", b"lost?")


@pytest.mark.broker
def test_a_killed_broker_comes_back_with_its_data_on_its_port(own_broker: Broker):
    # Given a message that was confirmed
    make_topic(own_broker, "kept")
    publish(own_broker, "kept", b"confirmed")
    bootstrap, pid = own_broker.bootstrap, own_broker.pid

    # When the broker is killed and restarted
    own_broker.kill()
    assert not own_broker.running
    own_broker.restart()

    # Then it is another process, at the same address, and the message is there
    assert own_broker.bootstrap == bootstrap
    assert own_broker.pid != pid
    assert read(own_broker, "kept", count=1) == [b"confirmed"]


@pytest.mark.broker
def test_a_later_start_on_the_same_folder_finds_port_and_data_again(own_broker: Broker):
    make_topic(own_broker, "kept")
    publish(own_broker, "kept", b"confirmed")
    own_broker.stop()

    with Broker.start(own_broker.data, heap_mb=256) as later:
        assert later.bootstrap == own_broker.bootstrap
        assert read(later, "kept", count=1) == [b"confirmed"]


@pytest.mark.broker
def test_other_commands_find_a_running_broker_and_no_stopped_one(own_broker: Broker, tmp_path: Path):
    # Given a broker that was noted
    path = tmp_path / "noted" / "broker.json"
    write_state(own_broker, path)

    # When another command reads that, it finds this broker
    state = read_state(path)
    assert state is not None
    assert (state.bootstrap, state.pid, state.log) == (own_broker.bootstrap, own_broker.pid, own_broker.log)

    # When that command stops it, nobody finds it any more
    Broker(state).stop()
    assert not own_broker.running
    assert read_state(path) is None


@pytest.mark.broker
def test_a_process_that_merely_has_the_pid_is_not_the_broker(broker: Broker, tmp_path: Path):
    path = tmp_path / "broker.json"
    write_state(broker, path)
    path.write_text(path.read_text().replace(f'"born": "{broker.state.born}"', '"born": "long ago"'))

    assert read_state(path) is None


@pytest.mark.broker
def test_a_second_start_in_the_same_folder_is_refused_and_harms_nothing(broker: Broker):
    with pytest.raises(BrokerError, match="runs in") as refused:
        Broker.start(broker.data)

    assert refused.value.key == "broker.data_in_use"
    assert str(broker.data) in refused.value.text("nl")
    assert broker.running


@pytest.mark.broker
def test_reuse_gives_the_broker_that_runs_already(broker: Broker):
    assert Broker.start(broker.data, reuse=True).pid == broker.pid


@pytest.mark.broker
def test_a_port_of_another_program_is_refused(broker: Broker, tmp_path: Path):
    with pytest.raises(BrokerError) as refused:
        Broker.start(tmp_path, port=int(broker.bootstrap.split(":")[1]))

    assert refused.value.key == "broker.port_taken"


@pytest.mark.broker
def test_a_paused_broker_goes_on_where_it_was_and_can_be_stopped(own_broker: Broker):
    make_topic(own_broker, "kept")
    own_broker.pause()
    own_broker.resume()
    publish(own_broker, "kept", b"after the pause")

    own_broker.pause()
    own_broker.stop()

    assert not own_broker.running
    with pytest.raises(BrokerError, match="No broker runs"):
        own_broker.pause()


@pytest.mark.broker
def test_a_broker_that_dies_says_why_at_once(tmp_path: Path):
    with pytest.raises(BrokerError) as died:
        Broker.start(tmp_path, overrides={"num.io.threads": "none"})

    assert died.value.key in {"broker.died", "broker.format_failed"}
    assert "num.io.threads" in died.value.text("en")


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of ``PATH``, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_every_missing_tool_is_named_at_once_with_what_mends_it(bare_machine: Path, tmp_path: Path):
    with pytest.raises(BrokerError) as refused:
        Broker.start(tmp_path / "data")

    assert [missing.tool for missing in refused.value.missing] == ["java", "mvn"]
    for language in ("nl", "en"):
        assert "apt-get install openjdk-17-jre-headless" in refused.value.text(language)
        assert "brew install maven" in refused.value.text(language)


@pytest.mark.parametrize(
    ("says", "found"),
    [
        pytest.param('openjdk version "11.0.2" 2019-01-15', "11", id="too old"),
        pytest.param('java version "1.8.0_402"', "8", id="too old, in the old way of counting"),
        pytest.param("The operation could not be completed.", None, id="the stub of macOS"),
    ],
)
def test_a_java_that_will_not_do_is_told_apart_from_none(bare_machine: Path, says: str, found: str | None):
    executable(bare_machine / "java", f"echo '{says}' >&2")

    java = missing_tools()[0]

    assert (java.tool, java.found) == ("java", found)


def test_maven_is_not_needed_once_the_jars_are_there(bare_machine: Path, monkeypatch: pytest.MonkeyPatch):
    executable(bare_machine / "java", """echo 'openjdk version "21"' >&2""")
    assert [missing.tool for missing in missing_tools()] == ["mvn"]

    # Given a Maven that fetches
    executable(bare_machine / "mvn", 'for word; do :; done; /bin/mkdir -p "${word#*=}"')
    jars = fetch_kafka()

    (bare_machine / "mvn").unlink()
    assert missing_tools() == []
    assert fetch_kafka() == jars


def test_a_failing_maven_is_quoted_and_leaves_no_jars(bare_machine: Path, tmp_path: Path):
    executable(bare_machine / "java", """echo 'openjdk version "17.0.1"' >&2""")
    executable(bare_machine / "mvn", "echo '[ERROR] no route to host'; exit 1")

    with pytest.raises(BrokerError, match="no route to host") as failed:
        fetch_kafka()

    assert failed.value.key == "broker.fetch_failed"
    assert [path.suffix for path in (tmp_path / "cache" / "meldstroom").iterdir()] == [".lock"]


def test_a_state_file_that_is_absent_or_broken_names_no_broker(tmp_path: Path):
    path = tmp_path / "broker.json"
    assert read_state(path) is None

    path.write_text('{"pid": 1')
    assert read_state(path) is None

    clear_state(path)
    clear_state(path)
    assert not path.exists()
