"""``meldstroom figures``: how many reports a region got, as far as that may be published.

There is no way to have the counts themselves from here: what is counted leaves ``publish`` hidden and rounded.
"""

import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Command,
    Exit,
    Sorry,
    as_json,
    cluster_of,
    note,
    option,
    outlines_of,
    output_option,
    progress,
    settings,
    table,
)
from pipeline.words import language, say
from topics.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    from agents.watch.figures import Taken
    from topics.cluster import Cluster
    from topics.journal import Record

HIDDEN = "."
NOTES = ("hidden", "rounded", "definition")
LOOK_EVERY = 1_000
"""Records between two signs of life."""

Published = dict[str, tuple[int | None, ...]]


def _day(_: click.Context, __: click.Parameter, given: datetime) -> date:
    return given.date()


_DAY: dict[str, Any] = {"type": click.DateTime(["%Y-%m-%d"]), "metavar": "YYYY-MM-DD", "callback": _day}


@click.command(cls=Command, help="help.figures")
@option("--region", metavar="ID", required=True, help="figures_region")
@option("--from", "first", required=True, help="figures_from", **_DAY)
@option("--to", "last", required=True, help="figures_to", **_DAY)
@output_option
def figures(region: str, first: date, last: date, output: str) -> None:
    """Count what the journal tells of these days, and show what may be shown of it."""
    from agents.policy.calendar import AMSTERDAM
    from agents.policy.region import load_region
    from agents.watch.figures import municipality_of, publish, taken_in

    if first > last:
        raise Sorry("figures.period", Exit.USAGE, first=first, last=last)
    found = settings()
    regions = outlines_of(found, region)
    partition = regions[region].partition
    config = load_region(found.regions / region, partition, development=found.development)
    cluster = cluster_of(found)
    reports = list(taken_in(_records(cluster, region, partition), first, last))
    keys = _keys(cluster, partition, reports)
    opened = ((municipality_of(one, keys.get(one.key_id), config.keys), one.colour) for one in reports)
    published = publish(config.directory, last, opened)
    if last >= datetime.now(AMSTERDAM).date():
        note("figures.not_over", last=last)
    if output == "json":
        as_json({"region": region, "from": str(first), "to": str(last), **_plain(published)})
    else:
        click.echo(say("figures.heading", region=config.directory.name, first=first, last=last))
        _page(published)


def _records(cluster: "Cluster", region: str, partition: int) -> Iterator["Record"]:
    """The region's journal from its first record."""
    from topics.journal import decode
    from topics.specs import JOURNAL

    for value in _values(cluster, JOURNAL.topic(), partition):
        record = decode(value.value)
        if record.region == region:  # else of another folder of regions on the same cluster
            yield record


def _keys(cluster: "Cluster", partition: int, reports: "list[Taken]") -> dict[str, bytes]:
    """The keys of these reports that are not destroyed. Read after the journal: a report's key is there with it."""
    from topics.specs import KEYS

    wanted = {one.key_id for one in reports}
    found: dict[str, bytes] = {}
    for record in _values(cluster, KEYS.topic(), partition):
        name = record.key.decode()
        if record.value is None:
            found.pop(name, None)
        elif name in wanted:
            found[name] = record.value
    return found


def _values(cluster: "Cluster", topic: str, partition: int) -> Iterator[Any]:
    """What stands on a partition now, with signs of life."""
    from pipeline.journal_reader import ends_of, read_values

    end = ends_of(cluster, topic, [partition])[partition]
    for _, record in read_values(cluster, topic, [partition]):
        if record.offset % LOOK_EVERY == 0:
            progress(record.offset, end)
        yield record
    if sys.stderr.isatty():
        click.echo("", err=True)


# Showing -------------------------------------------------------------------------------------------------


def _plain(published: Published) -> dict[str, Any]:
    from agents.watch.figures import COLOURS, DEFINITION, TOTAL

    return {
        "definition": DEFINITION,
        "notes": {name: {one: _note(name, one) for one in LANGUAGES} for name in NOTES},
        "rows": [
            {"municipality": place, "name": _name(place), **dict(zip((*COLOURS, TOTAL), numbers, strict=True))}
            for place, numbers in published.items()
        ],
    }


def _page(published: Published) -> None:
    from agents.watch.figures import COLOURS, TOTAL

    columns = (f"figures_{name.lower()}" for name in (*COLOURS, TOTAL))
    rows = (
        (_name(place), *(HIDDEN if number is None else number for number in numbers))
        for place, numbers in published.items()
    )
    table(("figures_place", *columns), rows)
    for name in NOTES:
        click.echo(_note(name, language()))


def _note(name: str, in_language: Language) -> str:
    from agents.watch.figures import DEFINITION

    return text(f"cli.figures.{name}", in_language, version=DEFINITION)


def _name(place: str) -> str:
    from agents.reference.municipalities import name_of

    return name_of(place) or say(f"figures.{place.lower()}")
