"""A real Kafka of one node, for the demo, for development and for tests.

Java runs broker and controller in one process, on loopback only. Whoever starts a broker need not outlive
it: a small state file says where it is.
"""

import base64
import fcntl
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.kafka_jars import CHECKOUT, BrokerError, fetch_kafka, java, missing_tools, tail

STATE = CHECKOUT / ".meldstroom" / "broker.json"

START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
STORAGE = "kafka"  # the log directory, inside the data folder

# Below the range that Linux and macOS hand out to outgoing connections. A client that knocks on the
# port of a killed broker could otherwise be given that very port, and keep the broker from coming back.
PORTS = range(20_000, 32_000)

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": STORAGE,
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "log.message.timestamp.type": "LogAppendTime",
    "message.max.bytes": "8388608",
    "replica.fetch.max.bytes": "8388608",
    "offsets.topic.num.partitions": "8",
    "offsets.topic.replication.factor": "1",
    # Small, so that what groups have committed is compacted soon, and read within a moment at a start: Kafka 4.1 may
    # read it twice at once there, and then the group coordinator fails until the next start.
    "offsets.topic.segment.bytes": "1048576",
    "offsets.retention.minutes": "525600",
    "transaction.state.log.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.max.timeout.ms": "60000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A killed broker may register again only when its former session ended: by default after 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    # The default of 128 MiB would be a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": "33554432",
    "num.network.threads": "2",
    "num.io.threads": "4",
}

# Without ExitOnOutOfMemoryError, as Kafka's own scripts: a bomb that opens to more than the heap fails by itself (the
# request is answered with an error), and may not take the broker along.
JVM = (
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    # Each start would write some 1,000 lines of settings.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)


# --- the broker -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a broker runs. ``born`` tells its process from a later one that got the same pid."""

    bootstrap: str
    pid: int
    born: str
    data: Path
    log: Path
    heap_mb: int


class Broker:
    """One running Kafka; or a killed or stopped one, which ``restart`` brings back.

    As a context manager it stops at the end of the block.
    """

    def __init__(self, state: State) -> None:
        """A handle on a broker that somebody started: see ``read_state``. To start one: ``start``."""
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        port: int | None = None,
        heap_mb: int = 512,
        reuse: bool = False,
        overrides: Mapping[str, str] | None = None,
    ) -> Self:
        """Run Kafka on the folder ``data`` and wait until it answers: 4 seconds, at most a minute.

        The folder is made and formatted when needed. Without ``port``, the one that this folder had
        before, else a free one. ``heap_mb`` is Java's heap in MiB; ``overrides`` are broker settings
        that win over ``SETTINGS``. With ``reuse``, a broker that runs on this folder already is
        returned as it is; without, that is an error.

        Raises ``BrokerError`` when a tool is missing, the folder is in use, the port is taken, or Kafka
        dies or keeps silent; then no process is left behind.
        """
        data = data.resolve()
        data.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                with _locked(data) as lock:
                    _write_properties(data, port, overrides or {})
                    return cls._launch(data, heap_mb, lock)
            except BlockingIOError:
                if reuse and (state := read_state(data / "broker.json")):
                    return cls(state)
                if not reuse or time.monotonic() > deadline:
                    raise BrokerError("broker.data_in_use", data=data) from None
                time.sleep(0.1)  # another process is starting it

    @classmethod
    def _launch(cls, data: Path, heap_mb: int, lock: int) -> Self:
        """Run Java on the properties in ``data``; it inherits ``lock``, and so holds it as long as it lives."""
        jars = fetch_kafka(None)
        if missing := missing_tools():
            raise BrokerError("broker.tools_missing", missing=missing)
        port, controller = _ports(data) or (0, 0)
        for taken in (port, controller):
            if not _is_free(taken):
                raise BrokerError("broker.port_taken", port=taken)
        cluster = _format(data, jars)
        log = data / "broker.log"
        with log.open("ab") as output:
            since = output.tell()
            # The data folder is the working folder: no path, however odd, stands in Java's properties.
            process = subprocess.Popen(
                [*_java_command(jars, f"-Xmx{heap_mb}m", *JVM), "kafka.Kafka", "server.properties"],
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we then stop the broker in order
                pass_fds=(lock,),
            )
        try:
            bootstrap = f"127.0.0.1:{port}"
            deadline = time.monotonic() + START_WITHIN_S
            while not _answers(bootstrap, cluster):
                if process.poll() is not None:
                    raise BrokerError("broker.died", log=log, output=tail(log, since))
                if time.monotonic() > deadline:
                    seconds = int(START_WITHIN_S)
                    raise BrokerError("broker.silent", seconds=seconds, log=log, output=tail(log, since))
                time.sleep(0.1)
            state = State(
                bootstrap=bootstrap,
                pid=process.pid,
                born=born_at(process.pid) or "",
                data=data,
                log=log,
                heap_mb=heap_mb,
            )
            broker = cls(state)
            broker._process = process
            write_state(broker, data / "broker.json")
        except BaseException:
            process.kill()
            process.wait()
            raise
        return broker

    @property
    def state(self) -> State:
        """What ``write_state`` writes."""
        return self._state

    @property
    def bootstrap(self) -> str:
        """``host:port``, as Kafka clients take it; the same after ``restart``."""
        return self._state.bootstrap

    @property
    def pid(self) -> int:
        """The process id of Java; another one after ``restart``."""
        return self._state.pid

    @property
    def data(self) -> Path:
        """The folder with settings, log and messages."""
        return self._state.data

    @property
    def log(self) -> Path:
        """What Kafka wrote on its output, of all starts on this folder."""
        return self._state.log

    @property
    def running(self) -> bool:
        """Whether its process lives (a paused one does)."""
        return born_at(self.pid) == self._state.born

    def stop(self) -> None:
        """End in order (0.5 s); after 20 seconds by force. Nothing happens when it does not run."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process would not hear it
        if not self._gone_within(STOP_WITHIN_S):
            self.kill()

    def kill(self) -> None:
        """End at once (SIGKILL), as in a crash. Nothing happens when it does not run."""
        self._signal(signal.SIGKILL)
        self._gone_within(STOP_WITHIN_S)

    def pause(self) -> None:
        """Freeze it: connections stay open, nobody gets an answer. ``BrokerError`` when it does not run."""
        if not self._signal(signal.SIGSTOP):
            raise BrokerError("broker.not_running", data=self.data)

    def resume(self) -> None:
        """Go on after ``pause``. ``BrokerError`` when it does not run."""
        if not self._signal(signal.SIGCONT):
            raise BrokerError("broker.not_running", data=self.data)

    def restart(self) -> None:
        """Run again on the same ports, data and settings, with a new pid; stops it first when it runs.

        Raises ``BrokerError`` as ``start`` does. State files written before do not know the new pid.
        """
        self.stop()
        try:
            with _locked(self.data) as lock:
                again = self._launch(self.data, self._state.heap_mb, lock)
        except BlockingIOError:
            raise BrokerError("broker.data_in_use", data=self.data) from None
        self._state, self._process = again._state, again._process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _signal(self, what: signal.Signals) -> bool:
        """False when there is no broker to send it to; never sent to a process that merely got its pid."""
        if not self.running:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, what)
        return True

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait()  # reaps it; its process is a zombie until then
        return True


@contextmanager
def _locked(data: Path) -> Iterator[int]:
    """The lock of ``data``, to hand on to Java. ``BlockingIOError`` while a broker, or a start of one, has it."""
    lock = os.open(data / "broker.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock
    finally:
        os.close(lock)


def _write_properties(data: Path, port: int | None, overrides: Mapping[str, str]) -> None:
    """``server.properties``, with the ports this folder had before where those are still free."""
    old, old_controller = _ports(data) or (0, 0)
    port = port or (old if old and _is_free(old) else _free_port())
    controller = old_controller if old_controller and _is_free(old_controller) else _free_port(but=port)
    settings = {
        **SETTINGS,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        **overrides,
    }
    lines = [f"{name}={value}".replace("\\", "\\\\") + "\n" for name, value in settings.items()]
    (data / "server.properties").write_text("".join(lines), encoding="ascii")


def _ports(data: Path) -> tuple[int, int] | None:
    """The ports of listener and controller of the last start on ``data``; None before the first."""
    with suppress(FileNotFoundError):
        settings = (data / "server.properties").read_text(encoding="ascii")
        if ports := re.search(r"^listeners=\D+127\.0\.0\.1:(\d+)\D+127\.0\.0\.1:(\d+)$", settings, re.M):
            return int(ports[1]), int(ports[2])
    return None


def _free_port(but: int = 0) -> int:
    """A port of ``PORTS``. Drawn, not counted up: two starts at once seldom draw the same."""
    drawn = random.sample(PORTS, len(PORTS))
    return next(port for port in drawn if port != but and _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: old connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _java_command(jars: Path, *options: str) -> list[str]:
    return [java() or "java", *options, "-cp", f"{jars}{os.sep}*"]


def _format(data: Path, jars: Path) -> str:
    """Prepare the storage when nobody did yet; returns the cluster's id."""
    made = data / STORAGE / "meta.properties"
    if not made.exists():
        # It may not start with a dash, or the tool takes it for an option.
        cluster = base64.urlsafe_b64encode(b"M" + uuid.uuid4().bytes[1:]).decode()[:22]
        command = [*_java_command(jars, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"), "kafka.tools.StorageTool"]
        command += ["format", "--cluster-id", cluster, "--config", "server.properties", "--ignore-formatted"]
        ran = subprocess.run(command, cwd=data, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise BrokerError("broker.format_failed", data=data, output=(ran.stdout + ran.stderr).strip())
    found = re.search(r"^cluster\.id=(.+)$", made.read_text(), re.M)
    return found[1] if found else ""


def _answers(bootstrap: str, cluster: str) -> bool:
    """Whether our Kafka, and no other, answers a request there and has its one broker in service."""
    host, port = bootstrap.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    except (OSError, KafkaError):
        return False
    try:
        seen = admin.describe_cluster()
        return seen["cluster_id"] == cluster and bool(seen["brokers"])
    except KafkaError:
        return False
    finally:
        admin.close()


# --- the state file ---------------------------------------------------------------------------------


def write_state(broker: Broker, path: Path = STATE) -> None:
    """Note where ``broker`` runs, so that other commands find it; a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_text(json.dumps(asdict(broker.state), default=str, indent=2) + "\n", encoding="utf-8")
    half.replace(path)


def read_state(path: Path = STATE) -> State | None:
    """The broker noted in ``path``; None when there is none, or when its process no longer lives."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        state = State(**{**noted, "data": Path(noted["data"]), "log": Path(noted["log"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None  # never written, or by another version: as good as absent
    return state if state.born and born_at(state.pid) == state.born else None


def clear_state(path: Path = STATE) -> None:
    """Forget the broker noted in ``path``, if any."""
    path.unlink(missing_ok=True)


def born_at(pid: int) -> str | None:
    """When process ``pid`` started, in whatever words the system has for it; None when it does not live."""
    try:
        # Its name, in brackets, may hold anything; then follow its state and, 19 further, its start.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        state, born = fields[0], fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        ran = subprocess.run(
            ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        state, _, born = ran.stdout.strip().partition(" ")
    return None if state[:1] in {"", "Z", "X"} else born.strip()
