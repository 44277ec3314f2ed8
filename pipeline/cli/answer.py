"""``meldstroom answer``: answer an offer as its receiver does."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    cluster_of,
    option,
    output_option,
    say,
    settings,
)
from pipeline.cli.sending import ANSWERED_WITHIN_S, Place, event, find, send, wait_for_record
from topics.codes import RefusalReason

if TYPE_CHECKING:
    from agents.casework.case import Handover
    from topics.cluster import Cluster

VERBS = {
    "acknowledge": "ACKNOWLEDGED",
    "accept": "ACCEPTED",
    "start": "STARTED",
    "complete": "COMPLETED",
    "refuse": "REFUSED",
    "return": "RETURNED",
}


@click.group(cls=Group, help="help.answer")
def answer() -> None:
    """A verb for each move that is a receiver's own."""


def _verb(name: str, state: str) -> None:
    def command(**said: Any) -> None:
        give(state, **said)

    if state in ("REFUSED", "RETURNED"):
        reasons = [code.value for code in RefusalReason]
        option("--reason", type=click.Choice(reasons), required=True, help="refusal")(command)
    option("--wait", is_flag=True, help="wait_journal")(command)
    option("--by", metavar="CODE", help="by")(command)
    option("--receiver", metavar="ID", help="receiver")(command)
    click.argument("id", metavar="CASE|HANDOVER")(command)
    answer.command(name=name, help=f"help.answer.{name}")(output_option(command))


for _name, _state in VERBS.items():
    _verb(_name, _state)


def give(
    state: str, id: str, receiver: str | None, by: str | None, wait: bool, output: str, reason: str | None = None
) -> None:
    """Publish one answer on the receiver's topic, and with ``wait`` say what followed."""
    from pydantic import ValidationError

    from pipeline.journal_reader import ends_of
    from topics import specs
    from topics.answers import Answer

    found = settings()
    cluster = cluster_of(found)
    place = find(cluster, found, id)
    handover = offer_of(place)
    receiver = receiver or handover.receiver
    if place.region.directory.receiver(receiver) is None:
        raise Sorry("error.unknown_receiver", Exit.NOT_SO, receiver=receiver, region=place.region.name)
    answer_id = uuid4()
    try:
        said = Answer.model_validate(
            {
                "answer_id": answer_id,
                "case_id": place.case.id,
                "handover_id": handover.id,
                "state": state,
                "reason": reason,
                "by": by,
                "answered_at": datetime.now(UTC),
            }
        )
    except ValidationError:
        raise Sorry("error.actor", Exit.USAGE) from None
    start = ends_of(cluster, specs.JOURNAL.topic(), [place.region.partition]) if wait else {}
    record = event(
        kind=specs.ANSWER_TYPE,
        source=f"urn:nld:oin:{place.region.directory.oin}:systeem:{receiver}",
        topic=specs.ANSWERS.topic(receiver),
        key=place.case.id,
        value=said.model_dump_json(exclude_none=True).encode(),
    )
    (sent,) = send(cluster, [record])
    told = {
        "answer_id": str(answer_id),
        "case_id": place.case.id,
        "handover_id": handover.id,
        "receiver": receiver,
        "state": state,
        "topic": sent.topic,
        "partition": sent.partition,
        "offset": sent.offset,
    }
    if output == "text":
        click.echo(say("answer.sent", **told))
    look = say("answer.next", case=place.case.id[:8])
    follow_up(cluster, place.region.partition, start, str(answer_id), told, wait=wait, output=output, look=look)


def follow_up(
    cluster: "Cluster",
    partition: int,
    start: dict[int, int],
    own: str,
    told: dict[str, Any],
    *,
    wait: bool,
    output: str,
    look: str,
) -> None:
    """What the region made of an answer or act, or where to ``look`` for it; exit 1 when it was refused."""
    from pipeline.cli.story import lines_of, refused

    record = wait_for_record(cluster, partition, start, own) if wait else None
    if output == "json":
        as_json({**told, "followed": list(record.events) if record else None})
    elif record is not None:
        for line in lines_of(record):
            click.echo(f"  {line}")
    if not wait:
        click.echo(look, err=True)
    elif record is None:
        raise Sorry("error.no_record", Exit.TEMPORARY, seconds=int(ANSWERED_WITHIN_S))
    elif refused(record):
        raise click.exceptions.Exit(Exit.NOT_SO)


def offer_of(place: Place) -> "Handover":
    """The handover that was named, else the newest that is open."""
    handover = place.handover or place.case.current()
    if handover is None:
        raise Sorry("error.no_open_offer", Exit.NOT_SO, case=place.case.id)
    return handover


@answer.command(name="open", help="help.answer.open")
@click.argument("id", metavar="CASE|HANDOVER")
@output_option
def open_offer(id: str, output: str) -> None:
    """Open what was sealed for a receiver, with the private key that lies here in development."""
    import json

    from agents.policy.region import load_region
    from agents.sealing import unseal, unwrap_with
    from pipeline.journal_reader import read_values
    from topics import specs

    found = settings()
    cluster = cluster_of(found)
    place = find(cluster, found, id)
    handover = offer_of(place)
    region = load_region(found.regions / place.region.name, place.region.partition, development=found.development)
    private = region.receiver_keys.get(handover.receiver)
    if private is None:
        raise Sorry("error.no_private_key", Exit.CONFIG, receiver=handover.receiver)
    sealed = None
    for _, record in read_values(cluster, specs.QUEUE.topic(handover.receiver), [0]):
        message = json.loads(record.value)
        if message["handover_id"] == handover.id and message.get("content"):
            sealed = message["content"]
    wrapped = None
    for _, record in read_values(cluster, specs.KEYS.topic(), [place.region.partition]):
        if record.key is not None and record.key.decode() == handover.key_id:
            wrapped = record.value
    if sealed is None or wrapped is None:
        raise Sorry("error.gone", Exit.NOT_SO, id=handover.id)
    key = unwrap_with(private, json.loads(wrapped)["jwe"])
    content = json.loads(unseal(key, handover.key_id, "content", sealed["data"]))
    if output == "json":
        as_json(content)
    else:
        click.echo(say("answer.opened", handover=handover.id, receiver=handover.receiver))
        for line in plain_lines(content):
            click.echo(line)


def plain_lines(found: Any, indent: str = "") -> list[str]:
    """Nested data as indented lines; what is empty is left out."""
    lines: list[str] = []
    pairs = found.items() if isinstance(found, dict) else ((str(place), one) for place, one in enumerate(found, 1))
    for name, value in pairs:
        if isinstance(value, dict | list):
            if value:
                lines += [f"{indent}{name}:", *plain_lines(value, f"{indent}  ")]
        elif value not in (None, ""):
            lines.append(f"{indent}{name}: {value}")
    return lines
