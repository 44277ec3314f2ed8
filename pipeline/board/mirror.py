"""The regions as their journals tell them, kept on disk so that a start need not read everything again.

Each region is its book (``agents/casework/book.py``, folded without keys) and, per case, the records about it. All of
it can be made again from the journal: what does not fit this release, or another journal, is thrown away and read anew.
"""

import fcntl
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from agents.casework import shelf
from agents.casework.book import FOLD, Book
from agents.casework.case import OPEN, Case, short
from agents.casework.cases import WARM
from agents.policy.calendar import AMSTERDAM
from agents.policy.model import moment
from pipeline.board.rows import OfferRow, offer_row
from pipeline.journal_reader import NOTHING_OPENED
from pipeline.story import cases_of
from topics import journal as j

FORMAT = 3
_TABLES = """
CREATE TABLE place (region TEXT PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE part (region TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (region, name)) WITHOUT ROWID;
CREATE TABLE line (region TEXT, about BLOB, seq INTEGER, place INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (region, about, seq)) WITHOUT ROWID;
CREATE INDEX line_of ON line (region, seq);
CREATE TABLE offer (region TEXT, day TEXT, receiver TEXT, about TEXT, handover TEXT,
    PRIMARY KEY (region, day, receiver, handover)) WITHOUT ROWID;
CREATE INDEX offer_of ON offer (region, handover);
CREATE TABLE key (region TEXT, id BLOB, offset INTEGER NOT NULL, PRIMARY KEY (region, id)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Mirrored:
    """One region. ``live``: numbers of the cases on which something is open or owed; ``offers``: the open handovers by
    the number of their case, so that a list need not unpack every case."""

    name: str
    book: Book
    next: int = 0
    """The journal's offset that comes next."""
    live: set[int] = field(default_factory=set)
    offers: dict[int, tuple[OfferRow, ...]] = field(default_factory=dict)

    def changed(self, number: int, case: Case) -> None:
        """A case is otherwise than it was."""
        if case.closed and not case.terms and case.current() is None:
            self.live.discard(number)
        else:
            self.live.add(number)
        if found := tuple(offer_row(self.name, case, one) for one in case.handovers if one.state in OPEN):
            self.offers[number] = found
        else:
            self.offers.pop(number, None)

    def cases(self) -> Iterator[Case]:
        """The cases on which something is open or owed, in the order in which they were opened; to look at."""
        try:
            for number in sorted(self.live):
                yield self.book.cases.nth(number)
        finally:
            self.book.cases.cool(WARM)


class InUse(Exception):
    """Another board keeps its file in that folder."""


class OtherJournal(Exception):
    """A record does not follow on what is known: the mirror is of another journal."""


class Mirror:
    """All regions (names) in one file."""

    def __init__(self, path: Path, regions: Iterable[str]) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InUse(str(path.parent)) from None
        self._names = tuple(regions)
        self._db = self._opened()
        self.regions: dict[str, Mirrored] = {name: self._read(name) for name in self._names}
        self.version = 0
        """Another one with each record that was taken in."""

    def close(self) -> None:
        """Save and let go."""
        self.save()
        self._db.close()
        os.close(self._lock)

    # Following ---------------------------------------------------------------------------------------

    def take(self, record: j.Record, offset: int) -> None:
        """Fold one journal record in; raises ``OtherJournal``."""
        region = self.regions.get(record.region)
        if region is None:
            return  # of another folder of regions on the same cluster
        if record.seq != region.book.seq:
            raise OtherJournal(record.region)
        region.book.apply(record, NOTHING_OPENED)
        region.next = offset + 1
        packed = zlib.compress(j.encode(_without_content(record)), 1)
        for case_id in cases_of(record):
            number = region.book.cases.number(case_id)
            if number is None:
                continue
            region.changed(number, region.book.cases.nth(number))
            row = (record.region, short(case_id), record.seq, offset, packed)
            self._db.execute("INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?)", row)
        day = moment(record.at).astimezone(AMSTERDAM).date().isoformat()
        for event in record.events:
            if isinstance(event, j.Offered):
                offer = (record.region, day, event.receiver, event.case_id, event.handover_id)
                self._db.execute("INSERT OR REPLACE INTO offer VALUES (?, ?, ?, ?, ?)", offer)
        self.version += 1

    def key_at(self, region: str, key_id: str, offset: int | None) -> None:
        """Where on ``keys`` a key lies; None: it was destroyed."""
        if offset is None:
            self._db.execute("DELETE FROM key WHERE region = ? AND id = ?", (region, short(key_id)))
        else:
            self._db.execute("INSERT OR REPLACE INTO key VALUES (?, ?, ?)", (region, short(key_id), offset))

    def save(self) -> None:
        """On disk when this returns: what was taken in, and the book as it is now."""
        for region in self.regions.values():
            parts = list(shelf.parts(region.book))
            self._db.executemany(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?)", [(region.name, name, data) for name, data in parts]
            )
            self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?)", (region.name, region.next))
        self._db.commit()

    def begin_again(self) -> None:
        """Forget everything."""
        self._db.close()
        self._path.unlink()
        self._db = self._opened()
        self.regions = {name: Mirrored(name, Book(name)) for name in self._names}
        self.version += 1

    # Looking -----------------------------------------------------------------------------------------

    def history(self, region: str, case_id: str) -> list[j.Record]:
        """Every record about a case, in order, without what was sealed."""
        found = self._db.execute(
            "SELECT record FROM line WHERE region = ? AND about = ? ORDER BY seq", (region, short(case_id))
        )
        return [j.decode(zlib.decompress(packed)) for (packed,) in found]

    def offered(self, region: str, day: date) -> list[tuple[str, str, str]]:
        """What was offered on a day (in the Netherlands): receiver, case, handover."""
        query = "SELECT receiver, about, handover FROM offer WHERE region = ? AND day = ? ORDER BY receiver"
        return list(self._db.execute(query, (region, day.isoformat())))

    def case_of(self, region: str, handover_id: str) -> str | None:
        """The case of which that is, or was, a handover; None when there is none."""
        query = "SELECT about FROM offer WHERE region = ? AND handover = ?"
        row = self._db.execute(query, (region, handover_id)).fetchone()
        return None if row is None else str(row[0])

    def place(self, region: str, seq: int) -> int | None:
        """The journal's offset of a record that is about a case; None when there is no such record."""
        query = "SELECT place FROM line WHERE region = ? AND seq = ? LIMIT 1"
        row = self._db.execute(query, (region, seq)).fetchone()
        return None if row is None else int(row[0])

    def key_offset(self, region: str, key_id: str) -> int | None:
        """Where on ``keys`` a key lies; None when it is not known, or was destroyed."""
        query = "SELECT offset FROM key WHERE region = ? AND id = ?"
        row = self._db.execute(query, (region, short(key_id))).fetchone()
        return None if row is None else int(row[0])

    def keys_next(self, region: str) -> int:
        """From which offset of ``keys`` on it is to be followed."""
        row = self._db.execute("SELECT max(offset) FROM key WHERE region = ?", (region,)).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    # The file ----------------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.OperationalError:
            raise  # its disk, or its rights: it may be a good one
        except sqlite3.DatabaseError:  # of another form, or no such file at all
            self._path.unlink(missing_ok=True)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        found = sqlite3.connect(self._path)
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("PRAGMA synchronous = NORMAL")
        (form,) = found.execute("PRAGMA user_version").fetchone()
        wanted = FORMAT * 10_000 + FOLD
        if form not in (0, wanted):
            found.close()
            raise sqlite3.DatabaseError(f"form {form}")
        if form == 0:
            found.executescript(_TABLES)
            found.execute(f"PRAGMA user_version = {wanted}")
            found.commit()
        self._path.chmod(0o600)
        return found

    def _read(self, name: str) -> Mirrored:
        parts: Mapping[str, bytes] = dict(self._db.execute("SELECT name, data FROM part WHERE region = ?", (name,)))
        place = self._db.execute("SELECT next FROM place WHERE region = ?", (name,)).fetchone()
        if place is None or shelf.HEAD not in parts:
            return Mirrored(name, Book(name))
        book = Book(name)
        for step in shelf.read_book(parts):
            book = step
        found = Mirrored(name, book, int(place[0]))
        for number, case in enumerate(book.cases.values()):
            found.changed(number, case)
        return found


def _without_content(record: j.Record) -> j.Record:
    """The record for people who look: nothing sealed is copied to another place."""
    said = record.input
    if isinstance(said, j.ReportInput | j.AnswerInput | j.ActInput | j.TransferInput) and said.sealed:
        return replace(record, input=replace(said, sealed={}))
    return record
