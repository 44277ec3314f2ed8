"""``meldstroom queue``: take a receiver out of service while it is down, and bring it back."""

from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.act import by_whom, publish
from pipeline.cli.manners import Exit, Group, Sorry, as_json, cluster_of, outlines_of, output_option, settings, table
from pipeline.words import iso, local_time, say


@click.group(cls=Group, help="help.queue")
def queue() -> None:
    """A verb for what is done with a queue."""


def _verb(name: str, kind: str) -> None:
    def command(receiver: str, wait: bool, output: str, **by: Any) -> None:
        found = settings()
        cluster = cluster_of(found)
        regions = outlines_of(found).values()
        region = next((one for one in regions if any(its.id == receiver for its in one.directory.own())), None)
        if region is None:
            known = ", ".join(one.name for one in regions)
            raise Sorry("error.unknown_receiver", Exit.NOT_SO, receiver=receiver, region=known)
        said = {"kind": kind, "to": receiver, "done_at": datetime.now(UTC), **by}
        publish(cluster, region, said, wait=wait, output=output, look=say("queue.next"))

    by_whom(command)
    click.argument("receiver", metavar="RECEIVER")(command)
    queue.command(name=name, help=f"help.queue.{name}")(output_option(command))


_verb("hold", "HOLD_RECEIVER")
_verb("resume", "RESUME_RECEIVER")


@queue.command(name="list", help="help.queue.list")
@output_option
def list_(output: str) -> None:
    """Every receiver for which offers wait, or that is out of service."""
    from pipeline.journal_reader import histories

    found = settings()
    cluster = cluster_of(found)
    folded = histories(cluster, {name: one.partition for name, one in outlines_of(found).items()})
    rows: list[dict[str, Any]] = []
    for name, (book, _) in sorted(folded.items()):
        waiting = [handover for _, handover in book.waiting.awaited()]
        for receiver in sorted({one.receiver for one in waiting} | book.held.keys()):
            offers = [one for one in waiting if one.receiver == receiver]
            rows.append(
                {
                    "region": name,
                    "receiver": receiver,
                    "held_since": book.held.get(receiver),
                    "waiting": len(offers),
                    "withheld": sum(one.withheld for one in offers),
                    "next_due": min((due for one in offers if (due := one.due()) is not None), default=None),
                }
            )
    if output == "json":
        as_json([{**row, "held_since": iso(row["held_since"]), "next_due": iso(row["next_due"])} for row in rows])
        return
    table(
        ("region", "receiver", "held_since", "waiting", "withheld", "due"),
        (
            (
                row["region"], row["receiver"], local_time(row["held_since"]), row["waiting"], row["withheld"],
                local_time(row["next_due"]),
            )
            for row in rows
        ),
    )  # fmt: skip
