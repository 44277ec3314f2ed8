"""``meldstroom up``: everything on this machine, in the foreground."""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import Command, Exit, Said, Sorry, cluster_of, note, option
from pipeline.cli.worker import BESIDE, PROCESSES, ROLES, argv_of, stopping
from pipeline.words import say

if TYPE_CHECKING:
    from pipeline.broker import Broker
    from pipeline.settings import Settings
    from pipeline.supervisor import Supervisor
    from topics.cluster import Cluster

READY_WITHIN_S = 60.0


@click.command(cls=Command, help="help.up")
@option("--data", type=click.Path(path_type=Path, file_okay=False), help="data")
@option("--metrics-port", type=click.IntRange(0, 65535), help="metrics_port")
def up(data: Path | None, metrics_port: int | None) -> None:
    """Broker, topics, workers; until Ctrl-C."""
    from pipeline.settings import Settings

    found = Settings()
    more: dict[str, Any] = {"development": True}
    if data is not None:
        more["data"] = data.resolve()
    if metrics_port is not None:
        more["metrics_port"] = metrics_port
    found = found.model_copy(update=more)
    from agents.policy.region import load_regions

    load_regions(found.regions, development=True)  # what is wrong there is said before anything starts
    Path(found.data).mkdir(parents=True, exist_ok=True)
    with stopping() as stopped, alone(Path(found.data) / "up.lock"), own_broker(found, stopped) as (broker, settled):
        code = _run(settled, broker, stopped)
    note("up.stopped")
    raise click.exceptions.Exit(code)


def _run(found: "Settings", broker: "Broker | None", stopped: Callable[[], bool]) -> int:
    from kafka import KafkaAdminClient

    from pipeline.cli.topics import apply_all
    from pipeline.settings import LOCAL
    from pipeline.supervisor import Supervisor

    cluster = cluster_of(found)
    with closing(KafkaAdminClient(**cluster.client())) as admin:
        done = apply_all(admin, found)
    note("up.topics", count=len(done))
    data = Path(found.data)
    if broker is not None:
        LOCAL.parent.mkdir(parents=True, exist_ok=True)
        LOCAL.write_text(json.dumps({"regions": str(found.regions.resolve()), "data": str(data.resolve())}) + "\n")
    port = board_port(found)
    commands = {name: argv_of("worker", name) for name in PROCESSES} | {"board": argv_of("board")}
    workers = Supervisor(commands, environment_of(found, port), data / "logs")
    try:
        workers.start()
        note("up.workers", logs=data / "logs")
        note("up.board", url=f"http://{found.board.host}:{port}")
        return _watch(workers, cluster, found, broker, stopped)
    finally:
        note("up.stopping")
        workers.stop()


def _watch(
    workers: "Supervisor",
    cluster: "Cluster",
    found: "Settings",
    broker: "Broker | None",
    stopped: Callable[[], bool],
) -> int:
    """Look after them until a signal, or until one ends that starting again cannot help."""
    ready, patient_until = False, time.monotonic() + READY_WITHIN_S
    said: set[str] = set()
    while not stopped():
        for name in workers.poll():
            note("worker.again_log", name=name, log=workers.log(name))
        for name, code in workers.ended.items():
            if code == Exit.CONFIG:
                raise Sorry("error.worker_config", Exit.CONFIG, name=name, said=last_words(workers, name))
            if name not in said:
                said.add(name)
                note("worker.ended", name=name)
        if not set(workers.running) - {BESIDE, "board"} and set(ROLES) <= set(workers.ended):
            return Exit.DONE  # drained and stopped by somebody else
        if broker is not None and not broker.running:
            raise Sorry("error.broker_gone", Exit.TEMPORARY, log=broker.log)
        if not ready and time.monotonic() < patient_until and both_read(cluster):
            ready = True
            note("up.ready", bootstrap=cluster.bootstrap)
            if found.metrics_port:
                first = found.metrics_port
                note("up.metrics", host=found.metrics_host, region=first, intake=first + 1, watchdog=first + 2)
        time.sleep(0.2)
    return Exit.DONE


def both_read(cluster: "Cluster") -> bool:
    """Whether both groups have got their partitions."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    from agents.stage.transport import group_of

    try:
        with closing(KafkaAdminClient(**cluster.client())) as admin:
            groups = admin.describe_groups([group_of(role) for role in ROLES])
    except KafkaError:
        return False
    return all(group["group_state"] == "Stable" for group in groups.values())


@contextmanager
def own_broker(found: "Settings", stopped: Callable[[], bool]) -> "Iterator[tuple[Broker | None, Settings]]":
    """The cluster that is named; else a broker of our own, gone at the end."""
    from pipeline.broker import STATE, Broker, clear_state, read_state, write_state
    from pipeline.kafka_jars import BrokerError, fetch_kafka
    from pipeline.settings import LOCAL
    from pipeline.words import language

    if found.kafka.bootstrap is not None:
        note("up.cluster", bootstrap=found.kafka.bootstrap)
        yield None, found
        return
    try:
        fetch_kafka(_progress if sys.stderr.isatty() else None)
        # We hold the folder's lock: a broker that still runs in it was left behind by one of us.
        broker = Broker.start(Path(found.data) / "broker", reuse=True)
    except BrokerError as error:
        if stopped():  # Ctrl-C reached Java too
            raise click.exceptions.Exit(Exit.INTERRUPTED) from None
        raise Said(error.text(language()), Exit.CONFIG) from None
    try:
        write_state(broker)
        kafka = found.kafka.model_copy(update={"bootstrap": broker.bootstrap, "replication": 1, "min_insync": 1})
        note("up.broker", bootstrap=broker.bootstrap, log=broker.log)
        yield broker, found.model_copy(update={"kafka": kafka})
    finally:
        state = read_state()
        broker.stop()
        if state is None or state.pid == broker.pid:
            clear_state(STATE)
            LOCAL.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One ``up`` a folder."""
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Sorry("error.up_already", Exit.CONFIG, folder=path.parent, pid=lock.read().strip() or "?") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def board_port(found: "Settings") -> int:
    """The port that was set for the board when it is free, else another: nobody should have to choose one to begin."""
    for wanted in (found.board.port, 0):
        with suppress(OSError), socket.create_server((found.board.host, wanted)) as free:
            port: int = free.getsockname()[1]
            return port
    return found.board.port


def environment_of(found: "Settings", board: int) -> dict[str, str]:
    """What the children get: this process's, with what ``up`` has decided. ``board`` is the board's port."""
    return {
        **os.environ,
        "MELDSTROOM_DEVELOPMENT": "true",
        "MELDSTROOM_KAFKA__BOOTSTRAP": found.kafka.bootstrap or "",
        "MELDSTROOM_KAFKA__REPLICATION": str(found.kafka.replication),
        "MELDSTROOM_KAFKA__MIN_INSYNC": str(found.kafka.min_insync),
        "MELDSTROOM_REGIONS": str(found.regions.resolve()),
        "MELDSTROOM_DATA": str(found.data),
        "MELDSTROOM_METRICS_PORT": str(found.metrics_port),
        "MELDSTROOM_BOARD__PORT": str(board),
    }


def last_words(workers: "Supervisor", name: str) -> str:
    """What a worker said last that was no log line."""
    log = workers.log(name)
    lines = log.read_text(errors="replace").splitlines()[-50:] if log is not None and log.exists() else []
    return "\n".join([line for line in lines if not line.startswith("{")][-3:])


def _progress(bytes_in: int) -> None:
    click.echo(f"\r{say('up.fetching', mb=bytes_in // 1_000_000)}", err=True, nl=False)
