"""``meldstroom bench``: figures of this machine, on a broker of its own."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.demo import ready
from pipeline.cli.manners import Exit, Group, Sorry, as_json, cluster_of, note, option, output_option, progress
from pipeline.cli.up import environment_of
from pipeline.cli.worker import ROLES, argv_of, stopping
from pipeline.words import say

if TYPE_CHECKING:
    from pipeline.settings import Settings

FEWEST = 30_000
"""With fewer deadlines no book is saved, and a start reads the journal."""


@click.group(cls=Group, help="help.bench", invoke_without_command=True)
@option("--trickle", type=click.IntRange(1, 100_000), default=500, show_default=True, help="bench_trickle")
@option("--backlog", type=click.IntRange(1, 1_000_000), default=5_000, show_default=True, help="bench_backlog")
@output_option
@click.pass_context
def bench(context: click.Context, trickle: int, backlog: int, output: str) -> None:
    """Latency at 50 reports a second, and reports a second with a backlog."""
    if context.invoked_subcommand is not None:
        return
    from agents.policy.region import load_regions
    from pipeline.bench import measure, way_of
    from pipeline.supervisor import Supervisor

    with stopping() as stopped, _ground() as (found, folder):
        cluster = cluster_of(found)
        workers = Supervisor(
            {role: argv_of("worker", role) for role in ROLES}, environment_of(found, 0), folder / "logs"
        )
        try:
            workers.start()
            if not ready(workers, cluster, stopped):
                raise click.exceptions.Exit(Exit.INTERRUPTED)
            regions = load_regions(found.regions, development=True)
            way = next(way for way in map(way_of, regions.values()) if way.teams)
            figures = asyncio.run(measure(cluster, way, trickle=trickle, backlog=backlog, progress=_shown(stopped)))
        finally:
            workers.stop()
    if sys.stderr.isatty():
        click.echo("", err=True)
    _say(figures.plain(), output)
    if figures.trickle < trickle or figures.backlog < backlog:
        note("bench.missing")
        raise click.exceptions.Exit(Exit.NOT_SO)


@bench.command(name="timers", help="help.bench.timers")
@option(
    "--deadlines", type=click.IntRange(FEWEST, 2_000_000), default=100_000, show_default=True, help="bench_deadlines"
)
@option("--reds", type=click.IntRange(1, 10_000), default=1_500, show_default=True, help="bench_reds")
@output_option
def timers(deadlines: int, reds: int, output: str) -> None:
    """Very many open deadlines in one region: memory, lateness, and the first decision after a kill."""
    from agents.policy.region import load_regions
    from pipeline.bench import way_of
    from pipeline.bench_timers import NothingDecided, measure, soon, write_past
    from pipeline.supervisor import Supervisor

    with stopping() as stopped, _ground() as (found, folder):
        shutil.copytree(found.regions, folder / "regions")
        soon(folder / "regions")
        found = found.model_copy(update={"regions": folder / "regions"})
        cluster = cluster_of(found)
        regions = load_regions(found.regions, development=True)
        region = next(one for one in regions.values() if way_of(one).teams)

        def tell(what: str) -> None:
            if stopped():
                raise click.exceptions.Exit(Exit.INTERRUPTED)
            note(f"bench.doing.{what}")

        workers = Supervisor(
            {role: argv_of("worker", role) for role in ROLES}, environment_of(found, 0), folder / "logs"
        )
        try:
            tell("past")
            write_past(cluster, found.regions, region.name, deadlines)
            figures = asyncio.run(measure(cluster, region, workers, deadlines=deadlines, reds=reds, tell=tell))
        except (NothingDecided, subprocess.CalledProcessError):
            raise (
                click.exceptions.Exit(Exit.INTERRUPTED) if stopped() else Sorry("error.bench_timers", Exit.TEMPORARY)
            ) from None
        finally:
            workers.stop()
    _say(figures.plain(), output)
    if figures.steps < 2 * reds:
        note("bench.missing_steps")
        raise click.exceptions.Exit(Exit.NOT_SO)


@contextmanager
def _ground() -> "Iterator[tuple[Settings, Path]]":
    """A broker of its own with the topics, the settings for it, and a folder; all gone at the end."""
    from kafka import KafkaAdminClient

    from pipeline.broker import Broker
    from pipeline.cli.manners import Said
    from pipeline.cli.topics import apply_all
    from pipeline.kafka_jars import BrokerError
    from pipeline.settings import Settings
    from pipeline.words import language

    found = Settings()
    folder = Path(tempfile.mkdtemp(prefix="meldstroom-bench-"))
    try:
        try:
            broker = Broker.start(folder / "broker")
        except BrokerError as error:
            raise Said(error.text(language()), Exit.CONFIG) from None
        with broker:
            kafka = found.kafka.model_copy(update={"bootstrap": broker.bootstrap, "replication": 1, "min_insync": 1})
            found = found.model_copy(update={"kafka": kafka, "development": True, "data": folder, "metrics_port": 0})
            with closing(KafkaAdminClient(**cluster_of(found).client())) as admin:
                apply_all(admin, found)
            yield found, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(figures: dict[str, Any], output: str) -> None:
    if output == "json":
        as_json(figures)
        return
    for name, value in figures.items():
        click.echo(f"{say(f'bench.{name}'):<62} {'-' if value is None else value}")


def _shown(stopped: Callable[[], bool]) -> Callable[[int, int], None]:
    """Shows how far it is, and ends the measuring when a signal came."""

    def show(done: int, count: int) -> None:
        if stopped():
            raise click.exceptions.Exit(Exit.INTERRUPTED)
        progress(done, count)

    return show
