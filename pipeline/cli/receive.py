"""``meldstroom receive``: a ready consumer for a receiver without software of its own."""

import base64
import json
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

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
    settings,
)
from pipeline.cli.worker import stopping
from pipeline.words import local_time, say


@click.command(cls=Command, help="help.receive")
@option("--queue", "receiver", metavar="ID", required=True, help="receive_queue")
@option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="receive_to")
@option("--post", "url", metavar="URL", help="receive_post")
@option("--state", type=click.Path(path_type=Path, file_okay=False), help="receive_state")
@option("--key", "key_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="receive_key")
@option("--secret", "secret_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="receive_secret")
@option("--again", metavar="TIME", help="receive_again")
@option("--once", is_flag=True, help="receive_once")
@output_option
def receive(
    receiver: str,
    folder: Path | None,
    url: str | None,
    state: Path | None,
    key_file: Path | None,
    secret_file: Path | None,
    again: str | None,
    once: bool,
    output: str,
) -> None:
    """Until Ctrl-C, or with --once until nothing is left."""
    from pipeline.cli.duty import moment_of
    from pipeline.journal_reader import require_topics
    from pipeline.receiving import Busy, Openable, Taken, into, posted_to
    from pipeline.receiving import receive as received
    from topics import specs

    if (folder is None) is (url is None) or (url is not None and not url.startswith(("http://", "https://"))):
        raise Sorry("error.receive_where", Exit.USAGE)
    kept = state or folder
    if kept is None:
        raise Sorry("error.receive_state", Exit.USAGE)
    found = settings()
    cluster = cluster_of(found)
    region = next((one for one in outlines_of(found).values() if one.directory.receiver(receiver)), None)
    if region is None:
        raise Sorry("error.unknown_receiver", Exit.NOT_SO, receiver=receiver, region=", ".join(outlines_of(found)))
    require_topics(cluster, [specs.QUEUE.topic(receiver), specs.NOTICES.topic(receiver), specs.ANSWERS.topic(receiver)])
    for one in (kept, *([folder] if folder is not None else [])):
        one.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = f"urn:nld:oin:{region.directory.oin}:systeem:meldstroom-receive"
    with ExitStack() as stack:
        stopped = stack.enter_context(stopping())
        try:
            taken = stack.enter_context(Taken(kept / f".{receiver}.sqlite"))
        except Busy:
            raise Sorry("error.receive_busy", Exit.TEMPORARY, folder=kept) from None
        if again is not None:
            taken.forget(moment_of(again).timestamp())
        openable = None
        if key_file is not None:
            private = _private_key(key_file)
            openable = stack.enter_context(closing(Openable(cluster, receiver, region.partition, private)))

        def sleep(seconds: float) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if stopped():
                    raise click.exceptions.Exit(Exit.INTERRUPTED)
                time.sleep(0.1)

        deliver = (
            into(folder)
            if folder is not None
            else posted_to(url or "", sleep, lambda why: note("receive.failed", why=why), _secret(secret_file))
        )
        count = 0
        for message, where in received(
            cluster, receiver, source, taken, deliver, openable, once=once, stopped=stopped, again=again is not None
        ):
            count += 1
            _tell(message.id, message.type, message.plain["data"], where, output)
    note("receive.done", count=count)


def _tell(message_id: str, kind: str, data: dict[str, Any], where: str, output: str) -> None:
    """A line for each message: codes and numbers, never whom it is about."""
    named = {name: data.get(name) for name in ("case_id", "handover_id", "kind", "colour", "state")}
    if output == "json":
        as_json({"id": message_id, "type": kind, **named, "where": where}, line=True)
        return
    at = data.get("offered_at") or data.get("at")
    what = say(f"receive.type.{kind.split('.')[2]}")
    click.echo(f"{local_time(at)}  {what}  {named['kind'] or named['colour'] or named['state'] or '-'}  {where}")


def _secret(path: Path | None) -> bytes | None:
    """What is signed with: base64, as ``whsec_...`` or without that."""
    if path is None:
        return None
    try:
        found = base64.b64decode(path.read_text(encoding="ascii").strip().removeprefix("whsec_"), validate=True)
    except ValueError:
        found = b""
    if len(found) < 24:
        raise Sorry("error.receive_secret", Exit.CONFIG, file=path)
    return found


def _private_key(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"kty", "crv", "x", "y", "d"} <= found.keys():
        raise Sorry("error.receive_key", Exit.CONFIG, file=path)
    return found
