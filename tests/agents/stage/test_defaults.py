"""Every default of Faust that is unsafe here is set, and its bookkeeping does nothing."""

from pathlib import Path
from types import SimpleNamespace

from agents.stage.transport import Transport, build_app, sticky_assignor
from topics.cluster import Cluster


def _app(tmp_path: Path, **more: object):
    cluster = Cluster(bootstrap="127.0.0.1:1,127.0.0.1:2", **more)  # type: ignore[arg-type]
    return build_app(
        "region", cluster, instance="a", datadir=str(tmp_path), assignor=sticky_assignor({0}), partitions=128
    )


async def test_faust_serves_nothing_declares_nothing_and_commits_nothing(tmp_path: Path):
    conf = _app(tmp_path).conf

    assert conf.web_enabled is False
    assert conf.topic_allow_declare is False
    assert conf.topic_disable_leader is True
    assert conf.table_standby_replicas == 0
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.producer_threaded is False
    assert conf.stream_wait_empty is False
    assert conf.broker_commit_interval >= 3600
    assert conf.broker_commit_every >= 10**12


async def test_a_worker_keeps_its_place_under_its_instance_id(tmp_path: Path):
    conf = _app(tmp_path).conf

    assert (conf.id, conf.consumer_group_instance_id) == ("meldstroom-region", "region-a")


async def test_what_faust_would_keep_books_of_does_nothing(tmp_path: Path):
    app = _app(tmp_path)
    assert isinstance(app.transport, Transport)
    consumer = app.consumer
    message = SimpleNamespace(tp=None, offset=3, topic="t", acked=False)

    consumer.track_message(message)
    await consumer._add_gap(None, 1, 10_000)

    assert consumer.ack(message) is False
    assert await consumer.commit() is False
    assert await consumer.force_commit() is False
    assert not consumer._unacked_messages
    assert not consumer._gap


async def test_the_cluster_s_security_reaches_faust(tmp_path: Path):
    app = _app(tmp_path, tls=True, mechanism="SCRAM-SHA-512", username="casework", password="geheim")

    assert app.transport.cluster.client()["security_protocol"] == "SASL_SSL"
    assert app.transport.cluster.client()["sasl_mechanism"] == "SCRAM-SHA-512"
