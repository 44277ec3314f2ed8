"""What is published in the schedules: a fixed stock of reports, answers and acts about three invented households."""

import random
from dataclasses import dataclass
from functools import cache

import orjson

from tests.cases import (
    ACUTE,
    ALL_NO,
    CITIZENS,
    GOUDA,
    LEIDEN,
    MULTI,
    POLICE,
    REGION,
    STRUCTURAL,
    a_child,
    a_man,
    a_report,
    a_woman,
    an_address,
    an_id,
)
from tests.world import regions
from topics import envelope, specs

SOURCES = (POLICE, CITIZENS, "scholen-hollands-midden")
HOUSEHOLDS, THREADS, VERSIONS = 3, 5, 3
PER_HOUSEHOLD = THREADS * VERSIONS * 2
STOCK = HOUSEHOLDS * PER_HOUSEHOLD
"""Each version of each thread in two wordings: the second is the reuse of an id when the first came before."""
GARBAGE = (
    b"",
    b"{",
    b"[1, 2]",
    b'{"report_id": 7}',
    orjson.dumps({"indicators": dict.fromkeys(ACUTE, "YES")}),
    b"\xff\xfe\x00",
)
OUR_OIN = "urn:nld:oin:00000001999973320000:systeem:proef"


@dataclass(frozen=True, slots=True)
class Ready:
    """A report as it can be published, and what stands for it in a history."""

    source: str
    identity: str
    value: bytes


@cache
def stock(number: int) -> Ready:
    """One of the ``STOCK`` reports: the same number is the same report, byte for byte."""
    chance = random.Random(number)
    rest, wording = divmod(number, 2)
    rest, version = divmod(rest, VERSIONS)
    household, thread = divmod(rest, THREADS)
    source = SOURCES[(household + thread) % len(SOURCES)]
    some = [a_woman(household), a_man(household), a_child(household)]
    worse = chance.choice((ACUTE, STRUCTURAL, MULTI, (), ()))
    indicators = ALL_NO | ({chance.choice(worse): chance.choice(("YES", "YES", "UNKNOWN"))} if worse else {})
    report = a_report(
        household=household,
        report_id=an_id("thread", household, thread),
        version=version + 1,
        source_id=source,
        kind=chance.choice(("REPORT",) * 9 + ("ADVICE", "OTHER_CARE", "WITHDRAWAL")),
        participants=chance.sample(some, chance.randint(1, 3)),
        municipality=chance.choice((GOUDA, GOUDA, LEIDEN)),
        reporter_disclosure=chance.choice(("OPEN",) * 15 + ("DOUBLE_ANONYMOUS",)),
        cooperation=chance.choice(("ACCEPTS",) * 6 + ("REFUSES", "DENIES")),
        address=an_address(household, secret=chance.random() < 0.1),
        indicators=indicators,
        narrative=f"Luide ruzie, geen geweld gezien. {'Opnieuw' if wording else 'Eerste'} bezoek.",
    )
    return Ready(source, f"{source}/{report['report_id']}/{report['version']}", orjson.dumps(report))


@cache
def urn(source: str) -> str:
    """How a source calls itself in the envelope."""
    return next(found.source for found in regions()[REGION].sources if found.id == source)


def headers(kind: str, source: str, time_ms: int, *what: object) -> tuple[tuple[str, bytes], ...]:
    """The envelope of one message."""
    return tuple(envelope.write(id=an_id("event", *what), type=kind, source=source, time_ms=time_ms, subject=None))


def report_headers(source: str, time_ms: int, *what: object) -> tuple[tuple[str, bytes], ...]:
    """The envelope of a report."""
    return headers(specs.REPORT_TYPE, urn(source), time_ms, *what)
