"""A book in parts, of which only those that changed are saved anew; and the book read from them again."""

import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

import orjson

from agents.casework import chunk
from agents.casework.book import FOLD, Book
from agents.casework.case import Case
from agents.casework.known import Held
from topics import journal as j

CHUNK = 128
"""Cases that are saved together: at some 0.5 KB each a chunk stays far below the limit of its topic."""
HEAD, RULES = "head", "rules"


def parts(book: Book) -> Iterator[tuple[str, bytes]]:
    """What has changed since it was saved last: the head, and chunks of cases by their number.

    All of it is as it is now, however long the asking takes and whatever is folded meanwhile.
    """
    book.cases.cool(0)
    unsaved, book.cases.unsaved = sorted({number // CHUNK for number in book.cases.unsaved}), set()
    # The small forms are never altered, only replaced: to keep them costs nothing.
    firsts = [number * CHUNK for number in unsaved]
    chunks = [(first, book.cases.packed(range(first, first + CHUNK))) for first in firsts]
    rest = [(HEAD, zlib.compress(book.head(), 1))]
    if book.rules_unsaved:
        # They are much larger than the head, and hardly ever change.
        rest, book.rules_unsaved = [(RULES, _packed_rules(book.policy, book.directory)), *rest], False
    return _encoded(book, chunks, book.known.hold(), rest)


def read_book(saved: Mapping[str, bytes]) -> Iterator[Book]:
    """The book that was saved in these parts, step by step: the same one is yielded after each, and whole at the end.

    Raises ``UnknownFormat`` when another fold wrote it, ``KeyError`` when a part is missing.
    """
    head = orjson.loads(zlib.decompress(saved[HEAD]))
    if head["fold"] != FOLD:
        raise j.UnknownFormat(f"snapshot of fold {head['fold']}, this release has {FOLD}")
    book = Book(head["region"])
    for name in (
        "seq", "now", "put_aside", "policy_hash", "activated", "directory_hash", "done", "open_cases", "held",
        "origins",
    ):  # fmt: skip
        setattr(book, name, head[name])
    book.counts.update(head["counts"])
    book.policy, book.directory = _read_rules(saved[RULES])
    book.rules_unsaved = False
    book.positions = {lane: (epoch, offset) for lane, (epoch, offset) in head["positions"].items()}
    book.known.load(((bytes.fromhex(key), packed.encode()) for key, packed in head["homeless"]), homeless=True)
    for number in range(-(-head["cases"] // CHUNK)):
        _load(book, saved[str(number)])
        yield book
    book.waiting.loaded()
    yield book


def _encoded(
    book: Book, chunks: list[tuple[int, list[bytes]]], held: Held, rest: list[tuple[str, bytes]]
) -> Iterator[tuple[str, bytes]]:
    def known(number: int, case: Case) -> Iterator[tuple[bytes, bytes]]:
        return book.known.of(number, (entry.thread for entry in case.entries), held)

    for first, packed in chunks:
        yield str(first // CHUNK), chunk.written(first, packed, known)
    yield from rest
    book.known.let_go()


def _load(book: Book, part: bytes) -> None:
    """Take in the next chunk of cases that was saved."""
    found = chunk.read(part)
    first = book.cases.load(found.ids, found.packed)
    book.index.load(found.owners(first))
    book.known.load(zip(found.threads, found.versions, strict=True))
    book.waiting.load(found.awaited, found.owed)


@lru_cache(maxsize=8)
def _packed_rules(policy: str, directory: str) -> bytes:
    return zlib.compress(orjson.dumps([policy, directory]), 6)


@lru_cache(maxsize=8)
def _read_rules(packed: bytes) -> tuple[str, str]:
    policy, directory = orjson.loads(zlib.decompress(packed))
    return policy, directory
