"""``meldstroom publish``: hand reports in as an integrator does."""

import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

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
    read_bytes,
    settings,
    table,
)
from pipeline.cli.sending import ANSWERED_WITHIN_S, Outgoing, Sent, send
from pipeline.words import language, say

if TYPE_CHECKING:
    from agents.policy.directory import Source
    from topics.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One report of one file."""

    file: str
    source: str
    report_id: str | None
    record: Outgoing


@click.command(cls=Command, help="help.publish")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@option("--source", metavar="ID", help="source")
@option("--new-id", is_flag=True, help="new_id")
@option("--wait", is_flag=True, help="wait_receipt")
@output_option
def publish(files: tuple[str, ...], source: str | None, new_id: bool, wait: bool, output: str) -> None:
    """Exit 1 when a receipt says that something was refused."""
    found = settings()
    known = {one.id: one for region in outlines_of(found).values() for one in region.sources}
    if source is not None and source not in known:
        raise Sorry("error.unknown_source", Exit.NOT_SO, source=source, known=", ".join(sorted(known)))
    items = [item_of(file, raw, known, source, new_id) for file in files for raw in messages_in(file, read_bytes(file))]
    cluster = cluster_of(found)
    with closing(Receipts(cluster, {item.source for item in items} if wait else set())) as receipts:
        sent = send(cluster, [item.record for item in items])
        got = receipts.of(sent)
    _show(items, sent, got, output, wait)
    if wait and len(got) < len(sent):
        raise Sorry("error.no_receipt", Exit.TEMPORARY, count=len(sent) - len(got), seconds=int(ANSWERED_WITHIN_S))
    if any(receipt["outcome"] == "REFUSED" for receipt in got.values()):
        raise click.exceptions.Exit(Exit.NOT_SO)
    if not wait:
        note("publish.next")


def messages_in(file: str, raw: bytes) -> list[bytes]:
    """The messages of a file: one JSON value, or one on each line; bytes that are neither go as they are."""
    lines = [line for line in raw.splitlines() if line.strip()]
    if not lines:
        raise Sorry("error.file_empty", Exit.NOT_SO, file=file)
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") and _json(line) is not None for line in lines):
        return lines
    return [raw]


def item_of(file: str, raw: bytes, known: "dict[str, Source]", source: str | None, new_id: bool) -> Item:
    """One message as its source would publish it: nothing in it is mended."""
    from topics import specs

    found = _json(raw)
    event = found if found is not None and "specversion" in found else None
    data = found if event is None else event.get("data")
    said = data.get("source_id") if isinstance(data, dict) else None
    chosen = source or (said if isinstance(said, str) else None)
    if chosen is None:
        raise Sorry("error.no_source", Exit.NOT_SO, file=file)
    if chosen not in known:
        raise Sorry("error.unknown_source", Exit.NOT_SO, source=chosen[:63], known=", ".join(sorted(known)))
    if new_id and isinstance(data, dict):
        data["report_id"] = str(uuid4())
        raw = json.dumps(found, ensure_ascii=False).encode()
    report_id = data.get("report_id") if isinstance(data, dict) else None
    report_id = report_id if isinstance(report_id, str) and len(report_id) == 36 else None
    if event is not None and isinstance(data, dict):
        value = json.dumps(data, ensure_ascii=False).encode()
        headers = [
            (f"ce_{name}", str(given).encode())
            for name, given in event.items()
            if name not in ("data", "datacontenttype") and given is not None
        ]
        if new_id:
            headers = [(name, str(uuid4()).encode() if name == "ce_id" else given) for name, given in headers]
    else:
        value = raw
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(uuid4()).encode()),
            ("ce_type", specs.REPORT_TYPE.encode()),
            ("ce_source", known[chosen].source.encode()),
            ("ce_time", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode()),
        ]
    headers.append(("content-type", b"application/json"))
    record = Outgoing(
        topic=specs.REPORTS.topic(chosen),
        key=report_id.encode() if report_id else None,
        value=value,
        headers=headers,
    )
    return Item(file=file, source=chosen, report_id=report_id, record=record)


class Receipts:
    """Waits for what becomes of published records. Made before they are published, so that none is missed."""

    def __init__(self, cluster: "Cluster", sources: set[str]) -> None:
        from kafka import TopicPartition

        from pipeline.journal_reader import consumer_of, require_topics
        from topics.specs import RECEIPTS

        if sources:
            require_topics(cluster, map(RECEIPTS.topic, sources))
        self._consumer = consumer_of(cluster) if sources else None
        if self._consumer is not None:
            places = [TopicPartition(RECEIPTS.topic(source), 0) for source in sources]
            self._consumer.assign(places)
            self._consumer.seek_to_end(*places)
            for place in places:
                self._consumer.position(place)

    def of(self, sent: list[Sent]) -> dict[Sent, dict[str, Any]]:
        """The receipt of each, as far as they come in time."""
        got: dict[Sent, dict[str, Any]] = {}
        until = time.monotonic() + ANSWERED_WITHIN_S
        while self._consumer is not None and len(got) < len(sent) and time.monotonic() < until:
            for records in self._consumer.poll(timeout_ms=200).values():
                for record in records:
                    receipt = json.loads(record.value)
                    origin = Sent(**receipt["origin"])
                    if origin in sent:
                        got[origin] = receipt
        return got

    def close(self) -> None:
        """Stop listening."""
        if self._consumer is not None:
            self._consumer.close()


def _show(items: list[Item], sent: list[Sent], got: dict[Sent, dict[str, Any]], output: str, wait: bool) -> None:
    if output == "json":
        as_json(
            [
                {"file": item.file, "report_id": item.report_id, **asdict(place), "receipt": got.get(place)}
                for item, place in zip(items, sent, strict=True)
            ]
        )
        return
    columns = ("file", "topic", "partition", "offset", *(("receipt",) if wait else ()))
    table(
        columns,
        (
            (item.file, place.topic, place.partition, place.offset, *((_outcome(got.get(place)),) if wait else ()))
            for item, place in zip(items, sent, strict=True)
        ),
    )
    for place in sent:
        for line in problem_lines((got.get(place) or {}).get("problem")):
            click.echo(line)


def _outcome(receipt: dict[str, Any] | None) -> str:
    from topics.codes import ReceiptOutcome

    if receipt is None:
        return "-"
    return ReceiptOutcome(receipt["outcome"]).nl if language() == "nl" else str(receipt["outcome"]).lower()


def problem_lines(problem: dict[str, Any] | None) -> list[str]:
    """A problem for a person: its title, and a line for each error."""
    if problem is None:
        return []
    dutch = language() == "nl"
    lines = [problem["title"] if dutch else problem["title_en"]]
    for error in problem["errors"]:
        where = error["pointer"] or say("check.whole")
        lines.append(f"  {where}: {error['detail'] if dutch else error['detail_en']}")
    return lines


def _json(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
