"""``meldstroom worker``: the processes that do the work."""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    cluster_of,
    explained,
    note,
    outlines_of,
    output_option,
    settings,
)
from pipeline.words import local_time, say

if TYPE_CHECKING:
    from agents.policy.region import RegionConfig
    from pipeline.settings import Settings
    from pipeline.worker import Role
    from topics.cluster import Cluster

ROLES = ("intake", "region")
BESIDE = "watchdog"
"""Runs beside the workers, and says what they have not done."""
PROCESSES = (*ROLES, BESIDE)
DRAINED_WITHIN_S = 30.0
DUTY_DAYS = 14
"""So many days ahead it is said that nobody is on duty."""


@click.group(cls=Group, help="help.worker", invoke_without_command=True)
@click.pass_context
def worker(context: click.Context) -> None:
    """Without a role: both, and the watchdog, each in a process of its own."""
    if context.invoked_subcommand is None:
        context.exit(supervise())


@worker.command(help="help.worker.intake")
def intake() -> None:
    """What is published, to the lanes."""
    raise click.exceptions.Exit(run("intake"))


@worker.command(help="help.worker.region")
def region() -> None:
    """The regions' writers."""
    raise click.exceptions.Exit(run("region"))


@worker.command(help="help.worker.watchdog")
def watchdog() -> None:
    """What should have happened by now, and did not."""
    from prometheus_client import start_http_server

    from pipeline.logs import setup
    from pipeline.watchdog import Told, Watchdog

    found = settings()
    setup(found.log_level)
    regions = {name: one.partition for name, one in outlines_of(found).items()}
    told = Told()
    if found.metrics_port >= 0:
        port = found.metrics_port + 2 if found.metrics_port else 0
        start_http_server(port, found.metrics_host, registry=told.registry)
    with stopping() as stopped:
        Watchdog(cluster_of(found), regions, told).run(lambda: stopped() or _orphaned())
    raise click.exceptions.Exit(Exit.DONE)


def _orphaned() -> bool:
    """Whether the supervisor that started us was killed: nobody would ever stop us."""
    from pipeline.supervisor import PARENT

    parent = os.environ.get(PARENT)
    return parent is not None and os.getppid() != int(parent)


@worker.command(help="help.worker.drain")
@output_option
def drain(output: str) -> None:
    """Close the books of this machine's region worker and give up its place."""
    found = settings()
    path = pid_file(found, "region")
    pid = _running(path)
    if pid is None:
        raise Sorry("error.no_worker", Exit.NOT_SO, file=path)
    os.kill(pid, signal.SIGUSR1)
    until = time.monotonic() + DRAINED_WITHIN_S
    while _running(path) == pid:
        if time.monotonic() > until:
            raise Sorry("error.not_drained", Exit.TEMPORARY, pid=pid, seconds=int(DRAINED_WITHIN_S))
        time.sleep(0.1)
    if output == "json":
        as_json({"drained": True, "pid": pid})
    else:
        click.echo(say("worker.drained", pid=pid))


def supervise() -> int:
    """Both roles and the watchdog until a signal; what fails is started again."""
    from pipeline.supervisor import Supervisor

    settings()  # what is wrong with them is said once, here
    both = Supervisor({name: argv_of("worker", name) for name in PROCESSES}, os.environ, None)
    with stopping() as stopped:
        both.start()
        try:
            while not stopped() and both.running:
                for name in both.poll():
                    note("worker.again", name=name)
                time.sleep(0.2)
                if Exit.CONFIG in both.ended.values():
                    break
        finally:
            codes = {**both.ended, **both.stop()}
    return Exit.DONE if stopped() else max(codes.values(), default=0, key=abs)


def run(role: "Role") -> int:
    """One worker in this process; its exit code."""
    from agents.policy.region import load_regions
    from pipeline.logs import setup

    found = settings()
    setup(found.log_level)
    regions = load_regions(found.regions, development=found.development)
    cluster = cluster_of(found)
    say_gaps(regions)
    check_topics(cluster, found)
    with _noted(pid_file(found, role)):
        try:
            return _gone(asyncio.run(_run(role, found, regions)))
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
        except Exception as error:
            _log(error)
            told = explained(error)
            told.show()
            return told.exit_code


def _gone(code: int) -> int:
    """The exit code; a thread of the engine that does not end may not hold the process, and its partitions, up."""
    left = [
        thread.name for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]
    if left:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


async def _run(role: "Role", found: "Settings", regions: "dict[str, RegionConfig]") -> int:
    from pipeline.supervisor import PARENT
    from pipeline.worker import run_worker

    watched = None
    if parent := os.environ.get(PARENT):
        watched = asyncio.create_task(_end_with(int(parent)))
    try:
        return await run_worker(role, found, regions)
    finally:
        if watched is not None:
            watched.cancel()


async def _end_with(parent: int) -> None:
    """Stop in order when the supervisor was killed: nobody would ever stop us."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def say_gaps(regions: "dict[str, RegionConfig]") -> None:
    """What is missing in the directories today: one line a kind."""
    for line in gap_lines({name: region.directory for name, region in regions.items()}):
        click.echo(line, err=True)


def gap_lines(directories: dict[str, Any]) -> list[str]:
    """The gaps of these regions, a line for each region and kind."""
    from agents.casework.rules import local_date
    from agents.policy import rota
    from agents.policy.directory import gaps
    from agents.policy.model import millis

    now = datetime.now(UTC)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, directory in directories.items():
        for what, whose in gaps(directory, local_date(int(time.time() * 1000))):
            found[name, what].append(whose)
        for receiver in directory.rota_of:
            for start, until in rota.gaps(directory.rota_of, receiver, now, DUTY_DAYS):
                hours = (local_time(millis(edge)) for edge in (start, until))
                found[name, "duty"].append(f"{receiver} {' - '.join(hours)}")
    return [
        say(f"gap.{what}", region=name, whose=", ".join(sorted(whose)), count=len(whose))
        for (name, what), whose in found.items()
    ]


def check_topics(cluster: "Cluster", found: "Settings") -> None:
    """A worker makes no topics: that is for a person who sees the plan."""
    from contextlib import closing

    from kafka import KafkaAdminClient

    from pipeline.regions import outlines, topics_of

    wanted = topics_of(outlines(found.regions), replication=1, min_insync=1)
    with closing(KafkaAdminClient(**cluster.client())) as admin:
        missing = sorted({one.name for one in wanted} - set(admin.list_topics()))
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise Sorry("error.topics_missing", Exit.CONFIG, topics=shown)


def argv_of(*command: str) -> list[str]:
    """How a command is started as a process: this Python, and the command line from the same checkout."""
    # -P: whatever folder we stand in, its modules are not ours.
    return [sys.executable, "-P", "-m", "pipeline.cli", *command]


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Turns SIGTERM and SIGINT into something that can be asked."""
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: heard.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda: bool(heard)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pid_file(found: "Settings", role: str) -> Path:
    """Where a worker of this machine notes its process."""
    return Path(found.data) / f"worker-{role}.json"


@contextmanager
def _noted(path: Path) -> Iterator[None]:
    from pipeline.broker import born_at

    path.parent.mkdir(parents=True, exist_ok=True)
    mine = json.dumps({"pid": os.getpid(), "born": born_at(os.getpid())})
    path.write_text(mine)
    try:
        yield
    finally:
        if path.exists() and path.read_text() == mine:
            path.unlink()


def _running(path: Path) -> int | None:
    """The process noted there, when it is still that one."""
    from pipeline.broker import born_at

    try:
        noted = json.loads(path.read_text())
        pid, born = int(noted["pid"]), noted["born"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if born and born_at(pid) == born else None


def _log(error: BaseException) -> None:
    import structlog

    structlog.get_logger("worker").critical("worker_failed", exc_info=error)
