"""``meldstroom deadletters``: what could not be taken in, and how it gets in after all."""

import json
import time
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    by_prefix,
    cluster_of,
    note,
    option,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.cli.publish import problem_lines
from pipeline.cli.sending import Outgoing, send
from pipeline.words import iso, local_time, say, span

if TYPE_CHECKING:
    from agents.policy.region import RegionConfig
    from pipeline.letters import Original
    from pipeline.settings import Settings
    from topics.cluster import Cluster


@click.group(cls=Group, help="help.deadletters")
def deadletters() -> None:
    """Look, open, hand in again."""


@deadletters.command(name="ls", help="help.deadletters.ls")
@output_option
def ls(output: str) -> None:
    """The acute first, then the oldest."""
    found = settings()
    letters = sorted(letters_of(cluster_of(found), found).values(), key=lambda one: (not one["acute"], one["at"]))
    if output == "json":
        as_json([_about(letter) for letter in letters])
        return
    from pipeline.story import code

    now = int(time.time() * 1000)
    table(
        ("letter", "region", "reason", "source", "origin", "age", "acute"),
        (
            (
                letter["letter_id"][:8],
                letter["region"],
                code("DeadLetterReason", letter["reason"]),
                letter["source"],
                _place(letter),
                span(now - letter["at"]),
                say("letter.acute") if letter["acute"] else "",
            )
            for letter in letters
        ),
    )
    if not letters:
        note("letter.none")


@deadletters.command(name="show", help="help.deadletters.show")
@click.argument("id", metavar="LETTER")
@output_option
def show(id: str, output: str) -> None:
    """Open one; this needs the region's wrap key."""
    from pipeline.letters import readable

    found = settings()
    cluster = cluster_of(found)
    letter = _named(cluster, found, id)
    original = opened(cluster, letter, _region(found, letter["region"]))
    headers = [[name, readable(value)] for name, value in original.headers]
    if output == "json":
        as_json(
            {
                **_about(letter),
                "problem": letter["problem"],
                "original": {"key": readable(original.key), "value": readable(original.value), "headers": headers},
            }
        )
        return
    from pipeline.story import code

    reason = code("DeadLetterReason", letter["reason"])
    click.echo(say("letter.head", letter=letter["letter_id"], reason=reason, at=local_time(letter["at"])))
    click.echo(say("letter.from", source=letter["source"], place=_place(letter)))
    for line in problem_lines(letter["problem"]):
        click.echo(line)
    click.echo()
    for name, value in headers:
        click.echo(f"{name}: {value}")
    click.echo(say("letter.key", found=readable(original.key)))
    click.echo()
    click.echo(readable(original.value))
    note("letter.next", letter=letter["letter_id"][:8])


@deadletters.command(name="redrive", help="help.deadletters.redrive")
@click.argument("id", metavar="LETTER")
@option("--dry-run/--no-dry-run", default=True, help="dry_run")
@output_option
def redrive(id: str, dry_run: bool, output: str) -> None:
    """Exit 1 when it would be refused again; then nothing is published."""
    from pipeline.letters import NotRedrivable, today

    found = settings()
    cluster = cluster_of(found)
    letter = _named(cluster, found, id)
    region = _region(found, letter["region"])
    original = opened(cluster, letter, region)
    topic = letter["origin"]["topic"]
    try:
        found_now = today(letter, original, region)
    except NotRedrivable:
        raise Sorry("error.not_redrivable", Exit.NOT_SO, topic=topic) from None
    said = {"letter_id": letter["letter_id"], "topic": topic, "dry_run": dry_run, **found_now}
    if said["accepted"] and not dry_run:
        headers = [(name, value or b"") for name, value in original.headers]
        record = Outgoing(topic=topic, key=original.key, value=original.value, headers=headers)
        (sent,) = send(cluster, [record])
        said |= {"partition": sent.partition, "offset": sent.offset}
    if output == "json":
        as_json(said)
    elif not said["accepted"]:
        click.echo(say("letter.refused_again", topic=topic))
        for line in problem_lines(said["problem"]):
            click.echo(line)
    elif dry_run:
        click.echo(say("letter.would", topic=topic, lane=said["lane"], region=letter["region"]))
        note("letter.really", letter=letter["letter_id"][:8])
    else:
        click.echo(say("letter.sent", topic=topic, partition=said["partition"], offset=said["offset"]))
    if not said["accepted"]:
        raise click.exceptions.Exit(Exit.NOT_SO)


def letters_of(cluster: "Cluster", found: "Settings") -> dict[str, dict[str, Any]]:
    """Every dead letter of these regions, by id."""
    from pipeline.journal_reader import read_values
    from topics.specs import DEADLETTERS

    regions = outlines_of(found)
    places = sorted(region.partition for region in regions.values())
    letters = (json.loads(record.value) for _, record in read_values(cluster, DEADLETTERS.topic(), places))
    return {letter["letter_id"]: letter for letter in letters if letter["region"] in regions}


def opened(cluster: "Cluster", letter: dict[str, Any], region: "RegionConfig") -> "Original":
    """The original of a letter; ``Sorry`` when its key was destroyed."""
    from pipeline.journal_reader import read_values
    from pipeline.letters import opened as unsealed
    from topics.specs import KEYS

    key_id = letter["original"]["key_id"]
    named = None
    for _, record in read_values(cluster, KEYS.topic(), [region.partition]):
        if record.key == key_id.encode():
            named = record.value
    if named is None:
        raise Sorry("error.no_letter_key", Exit.NOT_SO, id=letter["letter_id"])
    return unsealed(letter, region, named)


def _named(cluster: "Cluster", found: "Settings", given: str) -> dict[str, Any]:
    letters = letters_of(cluster, found)
    return letters[by_prefix(given, {name: name for name in letters}, "letter")]


def _region(found: "Settings", name: str) -> "RegionConfig":
    from agents.policy.region import load_region

    return load_region(found.regions / name, outlines_of(found)[name].partition, development=found.development)


def _about(letter: dict[str, Any]) -> dict[str, Any]:
    shown = ("letter_id", "region", "source", "origin", "reason", "acute")
    return {**{name: letter[name] for name in shown}, "arrived_at": iso(letter["arrived_at"]), "at": iso(letter["at"])}


def _place(letter: dict[str, Any]) -> str:
    origin = letter["origin"]
    return f"{origin['topic']} {origin['partition']}/{origin['offset']}"
