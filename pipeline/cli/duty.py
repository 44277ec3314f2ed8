"""``meldstroom duty``: who is on duty where, and when nobody will be."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import Exit, Group, Sorry, as_json, note, option, outlines_of, output_option, settings, table
from pipeline.words import iso, local_time, say

if TYPE_CHECKING:
    from agents.policy.directory import Directory


@click.group(cls=Group, help="help.duty")
def duty() -> None:
    """A verb for what is asked of the rotas."""


@duty.command(name="who", help="help.duty.who")
@option("--at", metavar="TIME", help="at")
@option("--receiver", metavar="ID", help="duty_receiver")
@output_option
def who(at: str | None, receiver: str | None, output: str) -> None:
    """Who is on duty at a moment, for each receiver that has a rota."""
    from agents.policy.model import millis
    from agents.policy.rota import on_duty

    moment = moment_of(at)
    rows: list[dict[str, Any]] = []
    for region, directory, name in _rotas(receiver):
        found = on_duty(directory.rota_of, name, moment)
        rows.append(
            {
                "region": region,
                "receiver": name,
                "person": found.person if found else None,
                "at_receiver": found.receiver if found else None,
                "why": found.why if found else None,
            }
        )
    if output == "json":
        as_json({"at": iso(millis(moment)), "on_duty": rows})
        return
    table(
        ("receiver", "region", "person", "why"),
        (
            (one["receiver"], one["region"], one["person"] or say("duty.nobody"), _why(one["why"], one["at_receiver"]))
            for one in rows
        ),
    )


@duty.command(name="gaps", help="help.duty.gaps")
@option("--days", type=click.IntRange(1, 366), default=14, help="duty_days")
@option("--receiver", metavar="ID", help="duty_receiver")
@output_option
def gaps(days: int, receiver: str | None, output: str) -> None:
    """When nobody is on duty, nor anybody who stands in; with a gap it ends with another code."""
    from agents.policy import rota
    from agents.policy.model import millis

    now = datetime.now(UTC)
    rows = [
        (name, region, millis(start), millis(until))
        for region, directory, name in _rotas(receiver)
        for start, until in rota.gaps(directory.rota_of, name, now, days)
    ]
    if output == "json":
        as_json(
            [
                {"region": region, "receiver": name, "from": iso(start), "until": iso(until)}
                for name, region, start, until in rows
            ]
        )
    elif rows:
        table(
            ("receiver", "region", "from", "until"),
            ((name, region, local_time(start), local_time(until)) for name, region, start, until in rows),
        )
    else:
        note("duty.no_gap", days=days)
    if rows:
        raise click.exceptions.Exit(Exit.NOT_SO)


def _rotas(receiver: str | None) -> "Iterator[tuple[str, Directory, str]]":
    """Region, its directory and the receiver of each rota, or of the one that is asked for."""
    found = [
        (name, outline.directory, rota.receiver)
        for name, outline in sorted(outlines_of(settings()).items())
        for rota in outline.directory.rotas
    ]
    if receiver is not None and receiver not in {one[2] for one in found}:
        raise Sorry("error.no_rota", Exit.NOT_SO, receiver=receiver, known=", ".join(one[2] for one in found) or "-")
    yield from (one for one in found if receiver in (None, one[2]))


def moment_of(given: str | None) -> datetime:
    """A moment as somebody gives it, in the Netherlands when it names no offset; None is now."""
    from agents.policy.calendar import AMSTERDAM

    if given is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Sorry("error.time", Exit.USAGE, given=given) from None
    return found.replace(tzinfo=AMSTERDAM) if found.tzinfo is None else found


def _why(why: str | None, where: str | None) -> str:
    return say(f"duty.why.{why.lower()}", receiver=where) if why is not None else ""
