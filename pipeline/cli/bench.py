"""``meldstroom bench``: figures of this machine, on a broker of its own."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from pipeline.cli.demo import ready
from pipeline.cli.manners import Command, Exit, as_json, cluster_of, note, option, output_option, progress, say
from pipeline.cli.up import environment_of
from pipeline.cli.worker import ROLES, argv_of, stopping


@click.command(cls=Command, help="help.bench")
@option("--trickle", type=click.IntRange(1, 100_000), default=500, show_default=True, help="bench_trickle")
@option("--backlog", type=click.IntRange(1, 1_000_000), default=5_000, show_default=True, help="bench_backlog")
@output_option
def bench(trickle: int, backlog: int, output: str) -> None:
    """Latency at 50 reports a second, and reports a second with a backlog."""
    from kafka import KafkaAdminClient

    from agents.policy.region import load_regions
    from pipeline.bench import measure, way_of
    from pipeline.broker import Broker
    from pipeline.cli.manners import Said, language
    from pipeline.cli.topics import apply_all
    from pipeline.kafka_jars import BrokerError
    from pipeline.settings import Settings
    from pipeline.supervisor import Supervisor

    found = Settings()
    folder = Path(tempfile.mkdtemp(prefix="meldstroom-bench-"))
    with stopping() as stopped:
        try:
            try:
                broker = Broker.start(folder / "broker")
            except BrokerError as error:
                raise Said(error.text(language()), Exit.CONFIG) from None
            with broker:
                kafka = found.kafka.model_copy(
                    update={"bootstrap": broker.bootstrap, "replication": 1, "min_insync": 1}
                )
                found = found.model_copy(
                    update={"kafka": kafka, "development": True, "data": folder, "metrics_port": 0}
                )
                cluster = cluster_of(found)
                with closing(KafkaAdminClient(**cluster.client())) as admin:
                    apply_all(admin, found)
                workers = Supervisor({role: argv_of(role) for role in ROLES}, environment_of(found), folder / "logs")
                try:
                    workers.start()
                    if not ready(workers, cluster, stopped):
                        raise click.exceptions.Exit(Exit.INTERRUPTED)
                    regions = load_regions(found.regions, development=True)
                    way = next(way for way in map(way_of, regions.values()) if way.teams)
                    figures = asyncio.run(
                        measure(cluster, way, trickle=trickle, backlog=backlog, progress=_shown(stopped))
                    )
                finally:
                    workers.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if sys.stderr.isatty():
        click.echo("", err=True)
    if output == "json":
        as_json(figures.plain())
    else:
        for name, value in figures.plain().items():
            click.echo(f"{say(f'bench.{name}'):<62} {value}")
    if figures.trickle < trickle or figures.backlog < backlog:
        note("bench.missing")
        raise click.exceptions.Exit(Exit.NOT_SO)


def _shown(stopped: Callable[[], bool]) -> Callable[[int, int], None]:
    """Shows how far it is, and ends the measuring when a signal came."""

    def show(done: int, count: int) -> None:
        if stopped():
            raise click.exceptions.Exit(Exit.INTERRUPTED)
        progress(done, count)

    return show
