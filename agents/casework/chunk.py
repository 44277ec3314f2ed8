"""Cases that are saved together, in columns: a book of a million of them must be read within seconds.

A line of JSON says how long everything is; then come the ids, the match keys, the threads with what is known of them,
and the small forms, each column by itself. What an index needs lies there as it is in memory, so that no case has to
be unpacked when it is read, and no bytes are made of letters.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, chain, islice, pairwise, repeat

import orjson

from agents.casework.case import DIGEST, Case, short, unpack

Awaited = dict[str, tuple[list[int], list[int], list[int]]]
"""Colour (empty when there is none) -> of each awaited handover its case's number, when it is due, and since when."""

Owed = dict[str, tuple[list[int], list[int]]]
"""Colour, likewise -> of each case on which something is owed its number, and when the next step about it fires."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a chunk holds. Ids, match keys and threads are digests."""

    ids: list[bytes]
    codes: list[int]
    """How many match keys each case has."""
    code_keys: list[bytes]
    threads: list[bytes]
    versions: list[bytes]
    """What is known of each thread."""
    packed: list[bytes]
    awaited: Awaited
    owed: Owed

    def owners(self, first: int) -> Iterable[tuple[bytes, int]]:
        """Each match key with the number of its case; ``first`` is that of the first case."""
        numbers = chain.from_iterable(repeat(number, count) for number, count in enumerate(self.codes, first))
        return zip(self.code_keys, numbers, strict=True)


def written(first: int, packed: list[bytes], known: Callable[[int, Case], Iterable[tuple[bytes, bytes]]]) -> bytes:
    """The cases with these small forms; ``first`` is the number of the first one. ``known`` tells by number and case
    which threads are saved with it, and what is known of them."""
    ids: list[bytes] = []
    code_keys: list[bytes] = []
    threads: list[bytes] = []
    versions: list[bytes] = []
    codes: list[int] = []
    awaited: Awaited = defaultdict(lambda: ([], [], []))
    owed: Owed = defaultdict(lambda: ([], []))
    for number, small in enumerate(packed, first):
        case = unpack(small)
        ids.append(short(case.id))
        codes.append(len(case.codes))
        code_keys += map(short, case.codes)
        for thread, version in known(number, case):
            threads.append(thread)
            versions.append(version)
        for handover in case.handovers:
            if (due := handover.due()) is not None:
                for column, value in zip(awaited[handover.colour or ""], (number, due, handover.offered), strict=True):
                    column.append(value)
        if (step_due := case.step_due()) is not None:
            for column, value in zip(owed[case.colour or ""], (number, step_due), strict=True):
                column.append(value)
    line = {
        "sizes": list(map(len, packed)),
        "codes": codes,
        "known": list(map(len, versions)),
        "awaited": awaited,
        "owed": owed,
    }
    return orjson.dumps(line) + b"\n" + b"".join(chain(ids, code_keys, threads, versions, packed))


def read(chunk: bytes) -> Columns:
    """What was written."""
    end = chunk.index(b"\n")
    line = orjson.loads(chunk[:end])
    sizes, codes, known = line["sizes"], line["codes"], line["known"]
    digests = repeat(DIGEST, len(sizes) + sum(codes) + len(known))
    places = accumulate(chain(digests, known, sizes), initial=end + 1)
    found = iter([chunk[start:stop] for start, stop in pairwise(places)])
    return Columns(
        ids=list(islice(found, len(sizes))),
        codes=codes,
        code_keys=list(islice(found, sum(codes))),
        threads=list(islice(found, len(known))),
        versions=list(islice(found, len(known))),
        packed=list(found),
        awaited=line["awaited"],
        owed=line["owed"],
    )
