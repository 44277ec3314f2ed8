"""``meldstroom demo``: real reports through a real Kafka, to be watched, in half a minute."""

import json
import os
import shutil
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from pipeline.cli.manners import Command, Exit, Sorry, cluster_of, note, option
from pipeline.cli.up import alone, board_port, both_read, environment_of, last_words, own_broker
from pipeline.cli.worker import ROLES, argv_of, stopping
from pipeline.words import colour_name, language, say

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.demo import Player, Tally
    from pipeline.settings import Settings
    from pipeline.supervisor import Supervisor
    from topics import journal as j

READY_WITHIN_S = 60.0
STORY_WITHIN_S = 90.0
STYLES = {"GREEN": "bold green", "YELLOW": "bold yellow", "ORANGE": "bold dark_orange", "RED": "bold red"}


@click.command(cls=Command, help="help.demo")
@option("--keep", is_flag=True, help="demo_keep")
def demo(keep: bool) -> None:
    """A story of eighteen reports in two regions."""
    from agents.policy.region import load_regions
    from pipeline.demo import demo_regions
    from pipeline.settings import Settings

    found = Settings()
    data = Path(found.data) / "demo"
    data.mkdir(parents=True, exist_ok=True)
    found = found.model_copy(update={"development": True, "data": data, "instance": "demo", "metrics_port": 0})
    with stopping() as stopped, alone(data / "demo.lock"):
        # A story begins on an empty page; what lies on a cluster of somebody else stays.
        shutil.rmtree(data / "broker", ignore_errors=True)
        found = found.model_copy(update={"regions": demo_regions(Path(found.regions), data / "regions")})
        load_regions(found.regions, development=True)
        with own_broker(found, stopped) as (broker, settled):
            if broker is not None:
                _tell_others(settled)
            code = _play(settled, stopped, keep)
    raise click.exceptions.Exit(code)


def _tell_others(found: "Settings") -> None:
    from pipeline.settings import LOCAL

    told = {"regions": str(Path(found.regions).resolve()), "data": str(Path(found.data).resolve())}
    LOCAL.write_text(json.dumps(told) + "\n")


def _play(found: "Settings", stopped: Callable[[], bool], keep: bool) -> int:
    from kafka import KafkaAdminClient
    from rich.console import Console

    from agents.policy.region import load_regions
    from pipeline.cli.topics import apply_all
    from pipeline.demo import Player, Tally, story
    from pipeline.supervisor import Supervisor
    from topics.cluster import Cluster

    cluster: Cluster = cluster_of(found)
    with closing(KafkaAdminClient(**cluster.client())) as admin:
        apply_all(admin, found)
    logs = Path(found.data) / "logs"
    port = board_port(found)
    commands = {role: argv_of("worker", role) for role in ROLES} | {"board": argv_of("board")}
    workers = Supervisor(commands, environment_of(found, port), logs)
    console = Console(highlight=False)
    try:
        workers.start()
        note("demo.starting", logs=logs)
        if not ready(workers, cluster, stopped):
            return Exit.INTERRUPTED
        from datetime import UTC, datetime

        regions = load_regions(found.regions, development=True)
        _banner(console)
        _open_board(console, f"http://{found.board.host}:{port}")
        with closing(Player(cluster, regions, story(datetime.now(UTC), str(uuid4())))) as player:
            tally = Tally()
            whole = _watch(console, workers, player, tally, cluster, found, stopped)
        if stopped():
            return Exit.INTERRUPTED
        _summary(console, tally)
        if not whole:
            note("demo.unfinished", logs=logs)
            return Exit.NOT_SO
        _next_step(console, keep)
        while keep and not stopped():
            workers.poll()
            time.sleep(0.2)
        return Exit.DONE
    finally:
        workers.stop()


def _open_board(console: "Console", url: str) -> None:
    """Say where the board is, and open it for who sits at this machine."""
    console.print(say("demo.board", url=url), soft_wrap=True, markup=False)
    screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen and sys.stdout.isatty():
        webbrowser.open(url)


def ready(workers: "Supervisor", cluster: Any, stopped: Callable[[], bool]) -> bool:
    until = time.monotonic() + READY_WITHIN_S
    while not stopped():
        workers.poll()
        for name in workers.ended:
            raise Sorry("error.worker_config", Exit.CONFIG, name=name, said=last_words(workers, name))
        if both_read(cluster):
            return True
        if time.monotonic() > until:
            raise Sorry("error.demo_not_ready", Exit.TEMPORARY, logs=workers.log("region"))
        time.sleep(0.1)
    return False


def _watch(
    console: "Console",
    workers: "Supervisor",
    player: "Player",
    tally: "Tally",
    cluster: Any,
    found: "Settings",
    stopped: Callable[[], bool],
) -> bool:
    """Publish, answer and show until the story is told; whether it was told whole."""
    from kafka import TopicPartition

    from pipeline.journal_reader import consumer_of
    from pipeline.regions import outlines
    from topics import journal as j
    from topics.specs import JOURNAL

    partitions = [region.partition for region in outlines(Path(found.regions)).values()]
    places = [TopicPartition(JOURNAL.topic(), number) for number in partitions]
    until = time.monotonic() + STORY_WITHIN_S
    with closing(consumer_of(cluster)) as consumer:
        consumer.assign(places)
        consumer.seek_to_end(*places)
        for place in places:
            consumer.position(place)
        while not stopped() and time.monotonic() < until:
            workers.poll()
            tally.published += sum(1 for _ in player.publish_due())
            player.answer_due()
            for records in consumer.poll(timeout_ms=50).values():
                for raw in records:
                    record = j.decode(raw.value)
                    tally.count(record)
                    player.see(record)
                    _show(console, record, player, tally)
            if player.told and tally.whole():
                return True
    return False


def _banner(console: "Console") -> None:
    from rich.panel import Panel

    from pipeline.demo import WORKING_DAY_S

    console.print(Panel(say("demo.banner", seconds=f"{WORKING_DAY_S:.0f}"), border_style="cyan", expand=False))


def _show(console: "Console", record: "j.Record", player: "Player", tally: "Tally") -> None:
    """One journal record as a person sees it: what came, what was decided, who has it, what is waited for."""
    from rich.text import Text

    from pipeline.story import came
    from topics import journal as j

    said = record.input
    if isinstance(said, j.ConfigureInput):
        return
    at = time.strftime("%H:%M:%S", time.localtime(record.at / 1000))
    title = came(record)
    hop = ""
    if isinstance(said, j.ReportInput | j.RefusedInput):
        line = player.said.get((said.origin.topic, said.origin.offset))
        title = line.say if line is not None else title
        hop = say("demo.hop", ms=max(0, record.at - said.origin.arrived))
    elif isinstance(said, j.AnswerInput):
        hop = say("demo.hop", ms=max(0, record.at - said.origin.arrived))
    head = Text(f"\n{at}  ", style="dim")
    head.append(f"{record.region}  ", style="cyan")
    head.append(title, style="bold")
    head.append(f"  {hop}", style="dim")
    console.print(head, soft_wrap=True)
    for event in record.events:
        shown = _event(record, event, tally)
        if shown is not None:
            console.print(shown, soft_wrap=True)


def _event(record: "j.Record", event: "j.Event", tally: "Tally") -> Any:
    from rich.text import Text

    from agents.casework.sentences import sentence
    from pipeline.story import code
    from topics import journal as j

    indent = " " * 10
    match event:
        case j.Triaged():
            line = Text(indent)
            shown = colour_name(event.colour).upper()
            line.append(f" {shown} ", style=f"{STYLES.get(event.colour or '', 'bold')} reverse")
            if event.provisional:
                line.append(f" {say('demo.provisional')}", style="italic")
            rules = tally.rules[record.region]
            line.append("  " + " ".join(f"{rule}: {sentence(rules, rule, language())}" for rule in event.reasons))
            return line
        case j.Offered():
            left = (event.accept_before - record.at) / 1000
            return Text(
                indent
                + say(
                    "demo.offered",
                    destination=code("Destination", event.destination),
                    receiver=event.receiver,
                    seconds=_span(left),
                )
            )
        case j.Registered() if event.opened:
            return Text(indent + say("demo.registered", case=event.case_id[:8], owner=event.owner), style="dim")
        case j.Registered():
            return Text(indent + say("demo.joined", case=event.case_id[:8]), style="dim")
        case j.Answered() if event.reason:
            return Text(
                indent
                + say(
                    "demo.answered_why",
                    state=code("HandoverState", event.state),
                    reason=code("RefusalReason", event.reason),
                ),
                style="magenta",
            )
        case j.Answered():
            since = (record.at - tally.offers.get(event.handover_id, record.at)) / 1000
            return Text(
                indent + say("demo.answered", state=code("HandoverState", event.state), since=_span(since)),
                style="green",
            )
        case j.OwnerChanged():
            return Text(indent + say("demo.owner", owner=event.owner), style="green")
        case j.ExecutorChanged():
            return Text(indent + say("demo.executor", executor=event.executor), style="green")
        case j.StepFired() if event.step != "RECALLED":
            late = (record.at - event.due) / 1000
            return Text(
                indent
                + say("demo.step", step=code("NoticeKind", event.step), tells=", ".join(event.tells), late=_span(late)),
                style="yellow",
            )
        case j.TakenBack():
            return Text(indent + say("demo.taken_back", state=code("HandoverState", event.state)), style="bold magenta")
        case j.Told() if event.kind in ("RED", "ACUTE_UNREADABLE", "NEW_REPORT", "RAISED", "ACUTE_WITHOUT_CASE"):
            return Text(indent + say("demo.told", kind=code("NoticeKind", event.kind), to=event.to), style="red")
        case j.DeadLettered():
            return Text(indent + say("demo.dead", reason=code("DeadLetterReason", event.reason)), style="magenta")
        case j.Repeated() if event.receipt:
            return Text(indent + say("demo.repeat"), style="dim")
        case j.NotDecided():
            return Text(indent + say("demo.recorded"), style="dim")
        case _:
            return None


def _span(seconds: float) -> str:
    """A duration as people say it."""
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if abs(seconds) < 7200 else f"{seconds / 3600:.0f} h"


def _summary(console: "Console", tally: "Tally") -> None:
    from rich.table import Table

    from pipeline.demo import percentile

    shown = Table(title=say("demo.summary"), show_header=False, title_justify="left")
    rows = {
        "published": tally.published,
        "decided": tally.decided,
        "repeats": tally.repeats,
        "recorded": tally.recorded,
        "offered": tally.offered,
        "accepted": tally.accepted,
        "started": tally.started,
        "refused": tally.refused,
        "reminders": tally.reminders,
        "recalled": tally.recalled,
        "dead": tally.dead,
        "wait": f"{percentile(tally.waits, 50)} / {percentile(tally.waits, 99)} ms",
        "answer": f"{percentile(tally.answers, 50) / 1000:.1f} s",
    }
    for name, value in rows.items():
        shown.add_row(say(f"demo.sum.{name}"), str(value))
    console.print()
    console.print(shown)


def _next_step(console: "Console", keep: bool) -> None:
    console.print()
    console.print(say("demo.next_keep" if keep else "demo.next"), soft_wrap=True, markup=False)
