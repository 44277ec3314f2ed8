"""``meldstroom watch``: the journal as it grows."""

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Command,
    as_json,
    cluster_of,
    coloured,
    console,
    note,
    option,
    outlines_of,
    output_option,
    settings,
)
from pipeline.words import iso, local_time, say

if TYPE_CHECKING:
    from agents.casework.book import Book
    from topics.journal import Record


@click.command(cls=Command, help="help.watch")
@option("--from-start", is_flag=True, help="from_start")
@option("--region", metavar="ID", help="region")
@output_option
def watch(from_start: bool, region: str | None, output: str) -> None:
    """A line a record; the books are folded beside it, so that each line knows its case."""
    from agents.casework.book import Book
    from pipeline.journal_reader import NOTHING_OPENED, ends_of, read_journal
    from topics.specs import JOURNAL

    found = settings()
    regions = outlines_of(found, region)
    places = {name: one.partition for name, one in regions.items()}
    cluster = cluster_of(found)
    now = ends_of(cluster, JOURNAL.topic(), places.values())
    books = {name: Book(name) for name in places}
    if not from_start:
        for record in read_journal(cluster, sorted(places.values())):
            if record.region in books:
                books[record.region].apply(record, NOTHING_OPENED)
        note("watch.waiting")
    shown = console()
    from_here = None if from_start else now
    for record in read_journal(cluster, sorted(places.values()), follow=True, start=from_here):
        book = books.get(record.region)
        if book is None:
            continue
        if record.seq >= book.seq:  # else it came while the book was folded
            book.apply(record, NOTHING_OPENED)
        if output == "json":
            as_json(plain(book, record), line=True)
        else:
            shown.print(line(book, record), soft_wrap=True)


def plain(book: "Book", record: "Record") -> dict[str, Any]:
    """One record for machines."""
    from pipeline.story import lines_of, refused

    return {"seq": record.seq, **_about(book, record)[0], "what": lines_of(record), "refused": refused(record)}


def line(book: "Book", record: "Record") -> Any:
    """One record for a person."""
    from rich.text import Text

    from pipeline.story import came, lines_of

    about, due = _about(book, record)
    found = Text(f"{local_time(record.at)}  {record.region}  ")
    found.append_text(coloured(about["colour"]) if about["case_id"] else Text("-"))
    others = f" +{len(about['cases']) - 1}" if len(about["cases"]) > 1 else ""
    found.append(f"  {(about['case_id'] or '-')[:8]}{others}  {about['receiver'] or '-'}  ")
    found.append(f"{came(record)}: {' '.join(lines_of(record))}")
    if due is not None:
        found.append("  " + say("watch.due", due=local_time(due)))
    return found


def _about(book: "Book", record: "Record") -> tuple[dict[str, Any], int | None]:
    """How the first case of a record stands after it, and when its next step is due (ms)."""
    from pipeline.story import cases_of

    ids = cases_of(record)
    case = book.cases.get(ids[0]) if ids else None
    current = case.current() if case else None
    due = current.due() if current else None
    found = {
        "at": iso(record.at),
        "region": record.region,
        "input": record.input.type,
        "events": [event.type for event in record.events],
        "case_id": ids[0] if ids else None,
        "cases": ids,
        "colour": case.colour if case else None,
        "receiver": current.receiver if current else None,
        "due": iso(due),
    }
    return found, due
