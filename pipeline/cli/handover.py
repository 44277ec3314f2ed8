"""``meldstroom handover``: what is offered to whom, and the moves of the receiver and of the centre."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from pipeline.cli.act import by_whom, do
from pipeline.cli.case import plain_offer, step_of
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
from pipeline.cli.sending import ANSWERED_WITHIN_S, Place, event, find, send, wait_for_record
from pipeline.words import colour_name, iso, local_time, say
from topics.codes import RefusalReason

if TYPE_CHECKING:
    from agents.casework.case import Case, Handover
    from topics.cluster import Cluster

VERBS = {
    "acknowledge": "ACKNOWLEDGED",
    "accept": "ACCEPTED",
    "start": "STARTED",
    "complete": "COMPLETED",
    "refuse": "REFUSED",
    "return": "RETURNED",
}


@click.group(cls=Group, help="help.handover")
def handover() -> None:
    """Look, or move it on."""


@handover.command(name="ls", help="help.handover.ls")
@option("--region", metavar="NAME", help="region")
@option("--receiver", metavar="ID", help="receiver_only")
@option("--silent", is_flag=True, help="silent")
@output_option
def ls(region: str | None, receiver: str | None, silent: bool, output: str) -> None:
    """Every open handover: the worst colour first, and of those the one that waits longest."""
    from agents.casework.case import AWAITS_ANSWER, OPEN, severity
    from pipeline.journal_reader import books
    from pipeline.story import code

    found = settings()
    regions = outlines_of(found, region)
    if receiver is not None and not any(one.directory.receiver(receiver) for one in regions.values()):
        raise Sorry("error.unknown_receiver", Exit.NOT_SO, receiver=receiver, region=", ".join(regions))
    now = int(time.time() * 1000)
    places = {name: one.partition for name, one in regions.items()}
    rows = sorted(
        (
            _Row(name, one, given)
            for name, book in books(cluster_of(found), places).items()
            for one in book.cases.values()
            for given in one.handovers
            if given.state in OPEN
            and receiver in (None, given.receiver)
            and (not silent or (given.state in AWAITS_ANSWER and given.accept_before < now))
        ),
        key=lambda row: (-severity(row.case.colour), row.handover.offered, row.handover.id),
    )
    if output == "json":
        as_json([row.plain(now) for row in rows])
        return
    table(
        ("handover", "case", "region", "colour", "receiver", "state", "offered", "accept_before", "next", "due"),
        (
            (row.handover.id[:8], row.case.id[:8], row.region, coloured(row.case.colour), row.handover.receiver,
             code("HandoverState", row.handover.state), local_time(row.handover.offered),
             local_time(row.handover.accept_before), step_of(row.handover), local_time(row.handover.due()))
            for row in rows
        ),
    )  # fmt: skip
    if not rows:
        note("handover.none")


@handover.command(name="show", help="help.handover.show")
@click.argument("id", metavar="CASE|HANDOVER")
@output_option
def show(id: str, output: str) -> None:
    """One handover: what became of it and when, and its ladder, taken or still to come."""
    from agents.casework.case import AWAITS_ANSWER
    from pipeline.story import code
    from pipeline.story import step as step_name

    found = settings()
    place = find(cluster_of(found), found, id)
    one = offer_of(place)
    if output == "json":
        as_json(_Row(place.region.name, place.case, one).plain(int(time.time() * 1000)))
        return
    click.echo(say("handover.head", handover=one.id, receiver=one.receiver, case=place.case.id[:8]))
    destination, colour = code("Destination", one.destination), colour_name(one.colour)
    click.echo(say("handover.about", destination=destination, colour=colour, state=code("HandoverState", one.state)))
    moments = (("offered", one.offered), ("acknowledged", one.acknowledged), ("accepted", one.accepted),
               ("started", one.started), ("accept_before", one.accept_before))  # fmt: skip
    for name, at in moments:
        if at is not None:
            click.echo(f"  {local_time(at)}  {say(f'handover.{name}')}")
    if one.phoned:
        click.echo(f"  {say('handover.phoned')}")
    click.echo(say("handover.ladder"))
    for place_, step in enumerate(one.ladder):
        how = "taken" if place_ < one.next_step else "to_come" if one.state in AWAITS_ANSWER else "not_taken"
        told = ", ".join(step.tells) or "-"
        click.echo(f"  {local_time(step.due)}  {step_name(step.name)} ({say(f'handover.{how}')}): {told}")
    if one.again is not None and one.state in AWAITS_ANSWER:
        click.echo(f"  {local_time(one.again)}  {step_of(one)} ({say('handover.again')})")


@dataclass(frozen=True, slots=True)
class _Row:
    region: str
    case: "Case"
    handover: "Handover"

    def plain(self, now: int) -> dict[str, Any]:
        """For machines."""
        from agents.casework.case import AWAITS_ANSWER

        one = self.handover
        waits = one.state in AWAITS_ANSWER
        ladder = [
            {"step": step.name, "due": iso(step.due), "tells": step.tells, "taken": place < one.next_step}
            for place, step in enumerate(one.ladder)
        ]
        return {
            **plain_offer(one),
            "region": self.region,
            "case_id": self.case.id,
            "colour": self.case.colour,
            "offered_as": one.colour,
            "silent": waits and one.accept_before < now,
            "ladder": ladder,
        }


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
    handover.command(name=name, help=f"help.handover.{name}")(output_option(command))


for _name, _state in VERBS.items():
    _verb(_name, _state)


def _centre(name: str, kind: str, *options: Callable[[Any], Any]) -> None:
    def command(**said: Any) -> None:
        do(kind, offer=True, **said)

    by_whom(command)
    for one in options:
        one(command)
    click.argument("id", metavar="CASE|HANDOVER")(command)
    handover.command(name=name, help=f"help.handover.{name}")(output_option(command))


_centre("withdraw", "WITHDRAW")
_centre(
    "phoned",
    "PHONED",
    option("--with", "with_whom", metavar="NAME", required=True, help="phone_with"),
    option("--who", metavar="NAME", required=True, help="phone_who"),
)


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
    offer = offer_of(place)
    receiver = receiver or offer.receiver
    if place.region.directory.receiver(receiver) is None:
        raise Sorry("error.unknown_receiver", Exit.NOT_SO, receiver=receiver, region=place.region.name)
    answer_id = uuid4()
    try:
        said = Answer.model_validate(
            {
                "answer_id": answer_id,
                "case_id": place.case.id,
                "handover_id": offer.id,
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
        "handover_id": offer.id,
        "receiver": receiver,
        "state": state,
        "topic": sent.topic,
        "partition": sent.partition,
        "offset": sent.offset,
    }
    if output == "text":
        click.echo(say("handover.sent", **told))
    look = say("handover.next", case=place.case.id[:8])
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
    from pipeline.story import lines_of, refused

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
    found = place.handover or place.case.current()
    if found is None:
        raise Sorry("error.no_open_offer", Exit.NOT_SO, case=place.case.id)
    return found


@handover.command(name="open", help="help.handover.open")
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
    offer = offer_of(place)
    region = load_region(found.regions / place.region.name, place.region.partition, development=found.development)
    private = region.receiver_keys.get(offer.receiver)
    if private is None:
        raise Sorry("error.no_private_key", Exit.CONFIG, receiver=offer.receiver)
    sealed = None
    for _, record in read_values(cluster, specs.QUEUE.topic(offer.receiver), [0]):
        message = json.loads(record.value)
        if message["handover_id"] == offer.id and message.get("content"):
            sealed = message["content"]
    wrapped = None
    for _, record in read_values(cluster, specs.KEYS.topic(), [place.region.partition]):
        if record.key is not None and record.key.decode() == offer.key_id:
            wrapped = record.value
    if sealed is None or wrapped is None:
        raise Sorry("error.gone", Exit.NOT_SO, id=offer.id)
    key = unwrap_with(private, json.loads(wrapped)["jwe"])
    content = json.loads(unseal(key, offer.key_id, "content", sealed["data"]))
    if output == "json":
        as_json(content)
    else:
        click.echo(say("handover.opened", handover=offer.id, receiver=offer.receiver))
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
