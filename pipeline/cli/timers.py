"""``meldstroom timers``: what is owed on which case, and when."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.act import by_whom, do
from pipeline.cli.case import BY_NAME
from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    cluster_of,
    coloured,
    note,
    option,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.words import iso, local_time

if TYPE_CHECKING:
    from pipeline.owed import Owed

AT_ONCE = timedelta(seconds=5)
"""What is to pass at once passes so much later: until then the act is decided."""
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


@click.group(cls=Group, help="help.timers")
def timers() -> None:
    """A verb for what is asked of the clocks."""


@timers.command(name="due", help="help.timers.due")
@option("--within", default="24h", metavar="2h", help="within")
@option("--colour", "--kleur", type=click.Choice(list(BY_NAME), case_sensitive=False), help="colour_only")
@option("--region", metavar="NAME", help="region")
@output_option
def due(within: str, colour: str | None, region: str | None, output: str) -> None:
    """Everything that is due up to then, what is late first."""
    from agents.casework.rules import rules_of
    from pipeline.journal_reader import histories
    from pipeline.owed import owed

    now = int(time.time() * 1000)
    until = now + _millis(within)
    found = settings()
    cluster = cluster_of(found)
    regions = outlines_of(found, region)
    named = {name: one.partition for name, one in regions.items()}
    rows = sorted(
        (
            one
            for name, (book, _) in histories(cluster, named).items()
            for one in owed(name, book.cases.values(), rules_of(book))
            if one.due <= until and (colour is None or one.colour == BY_NAME[colour.lower()])
        ),
        key=lambda one: (one.due, one.case_id, one.what),
    )
    if output == "json":
        as_json([_plain(one, now) for one in rows])
        return
    table(
        ("due", "case", "region", "colour", "what", "with"),
        (
            (local_time(one.due), one.case_id[:8], one.region, coloured(one.colour), f"{one.what} {one.sentence}",
             one.with_whom)
            for one in rows
        ),
    )  # fmt: skip
    if not rows:
        note("timers.none", within=within)


def _verb(name: str, *options: Callable[[Any], Any]) -> None:
    def command(**said: Any) -> None:
        do("MOVE_TIMER", **{"due": datetime.now(UTC) + AT_ONCE, **said})

    by_whom(command)
    for one in options:
        one(command)
    option("--term", metavar="T05", required=True, help="term")(command)
    click.argument("id", metavar="CASE|HANDOVER")(command)
    timers.command(name=name, help=f"help.timers.{name}")(output_option(command))


_verb("move", option("--due", metavar="TIME", required=True, help="term_due"))
_verb("fire")


def _plain(one: "Owed", now: int) -> dict[str, Any]:
    return {
        "region": one.region,
        "case_id": one.case_id,
        "colour": one.colour,
        "what": one.what,
        "sentence": one.sentence,
        "with": one.with_whom,
        "due": iso(one.due),
        "late": one.due < now,
    }


def _millis(given: str) -> int:
    """A stretch of time as people write it here: 30m, 2h, 5d."""
    found = re.fullmatch(r"(\d{1,4})([mhd])", given.strip().lower())
    if found is None:
        raise Sorry("error.stretch", Exit.USAGE, given=given)
    return int(found[1]) * _UNITS[found[2]]
