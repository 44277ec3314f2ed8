"""``meldstroom policy``: the rules in force in a region, those before, and another policy from now on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.act import by_whom, publish
from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    cluster_of,
    option,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.words import iso, local_time, say

if TYPE_CHECKING:
    from topics.journal import Record


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy that came into force in a region. ``since`` in ms; who put it in force, None: the region's folder."""

    region: str
    since: int
    hash: str
    text: str
    actor: str | None
    role: str | None
    second: str | None


@click.group(cls=Group, help="help.policy")
def policy() -> None:
    """Look, or put another one in force."""


@policy.command(name="history", help="help.policy.history")
@option("--region", metavar="NAME", help="region")
@output_option
def history(region: str | None, output: str) -> None:
    """Every policy of each region, since when, and by whom."""
    found = _all_in_force(region)
    if output == "json":
        as_json([_plain(one) for one in found])
        return
    table(
        ("region", "since", "policy", "version", "by"),
        ((one.region, local_time(one.since), one.hash, _version(one.text), _by(one)) for one in found),
    )


@policy.command(name="show", help="help.policy.show")
@option("--region", metavar="NAME", required=True, help="region")
@option("--at", metavar="TIME", help="at")
@output_option
def show(region: str, at: str | None, output: str) -> None:
    """The whole text of the policy in force, now or at a moment."""
    from pipeline.cli.duty import moment_of

    until = int(moment_of(at).timestamp() * 1000) if at is not None else None
    found = [one for one in _all_in_force(region) if until is None or one.since <= until]
    if not found:
        raise Sorry("error.no_policy_then", Exit.NOT_SO, region=region)
    if output == "json":
        as_json({**_plain(found[-1]), "text": found[-1].text})
    else:
        click.echo(found[-1].text, nl=False)


def activate(
    file: Path, region: str, actor: str, role: str, reason: str, second: str | None, wait: bool, output: str
) -> None:
    """Publish a policy for a region, once it has been read here."""
    from agents.policy.loading import PolicyError, plain
    from agents.policy.model import load_policy

    try:
        text = file.read_text(encoding="utf-8")
        plain(text)
        load_policy(text)
    except (PolicyError, UnicodeDecodeError) as error:
        raise Sorry("error.policy_file", Exit.NOT_SO, file=file, what=error) from None
    found = settings()
    cluster = cluster_of(found)
    regions = outlines_of(found, region)
    said = {"kind": "ACTIVATE_POLICY", "policy": text, "done_at": datetime.now(UTC)}
    by = {"actor": actor, "role": role, "second": second, "reason": reason}
    publish(cluster, regions[region], said | by, wait=wait, output=output, look=say("policy.next"))


by_whom(activate)
option("--region", metavar="NAME", required=True, help="region")(activate)
click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))(activate)
policy.command(name="activate", help="help.policy.activate")(output_option(activate))


def in_force(region: str, records: "list[Record]") -> "Iterator[InForce]":
    """Every policy that came into force by these records of a region's journal, in their order."""
    from topics import journal as j

    known = ""
    for record in records:
        for event in record.events:
            if not isinstance(event, j.Configured) or event.policy_hash == known:
                continue
            known, said = event.policy_hash, record.input
            if isinstance(said, j.ActInput):
                who = (said.actor, said.role, said.second)
                yield InForce(region, record.at, known, said.details["policy"], *who)
            elif isinstance(said, j.ConfigureInput):
                yield InForce(region, record.at, known, said.policy, None, None, None)


def _all_in_force(region: str | None) -> list[InForce]:
    from pipeline.journal_reader import histories

    found = settings()
    cluster = cluster_of(found)
    regions = outlines_of(found, region)
    named = {name: one.partition for name, one in regions.items()}
    return [one for name, (_, records) in sorted(histories(cluster, named).items()) for one in in_force(name, records)]


def _version(text: str) -> str:
    from agents.policy.model import policy_in_force

    known = policy_in_force(text)
    return f"{known.name} {known.version}"


def _by(one: InForce) -> str:
    if one.actor is None:
        return say("policy.folder")
    return f"{one.actor} ({one.role}), {one.second}"


def _plain(one: InForce) -> dict[str, Any]:
    return {
        "region": one.region,
        "since": iso(one.since),
        "policy": one.hash,
        "version": _version(one.text),
        "actor": one.actor,
        "role": one.role,
        "second": one.second,
    }
