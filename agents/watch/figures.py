"""How many reports a region took in, by municipality and colour, as far as that may be published. Pure.

What is counted has a version, because figures that are counted differently cannot be compared: whoever changes what
``taken_in`` or ``publish`` count raises ``DEFINITION`` and its sentence in the catalogue (``cli.figures.definition``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import orjson

from agents.casework.rules import local_date
from agents.facts import read_facts
from agents.policy.directory import Directory
from agents.reference.municipalities import current, name_of
from agents.reference.population import inhabitants
from agents.sealing import RegionKeys, unseal
from agents.watch.disclosure import published
from topics import journal as j
from topics.codes import Colour

DEFINITION = 1
COLOURS = tuple(colour.value for colour in Colour)
ELSEWHERE, UNKNOWN, TOTAL = "ELSEWHERE", "UNKNOWN", "TOTAL"
"""Places that are no municipality of the region: in another region, not known (any more), all together."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One report that was taken into a case, with the colour that its case has by it; its facts are sealed."""

    colour: str
    key_id: str
    facts: str


def taken_in(records: Iterable[j.Record], first: date, last: date) -> Iterator[Taken]:
    """The reports of domestic violence and child abuse that came in on these days (in the Netherlands, both included).

    ``records`` are all of the region, from the first. A report counts once, whatever versions follow, on the day on
    which the broker took it in: an outage of ours moves none, nor does what a sender says of when he knew. It counts
    when its case gets a colour by it (what is held or no domestic violence has none), and keeps that colour here: what
    is decided later changes no figures of the past.
    """
    waiting: defaultdict[str, list[j.ReportInput]] = defaultdict(list)
    counted: set[str] = set()
    for record in records:
        said = record.input
        for event in record.events:
            match event:
                case j.Registered() if isinstance(said, j.ReportInput) and not said.test:
                    waiting[event.case_id].append(said)
                case j.Triaged() if event.colour is not None:
                    for report in waiting.pop(event.case_id, ()):
                        if report.thread in counted:
                            continue
                        counted.add(report.thread)
                        if first <= local_date(report.origin.arrived) <= last:
                            yield Taken(event.colour, report.key_id, report.sealed["facts"])


def municipality_of(report: Taken, key: bytes | None, keys: RegionKeys) -> str | None:
    """The municipality in a report's facts. None when it names none, or when its household was erased: then there is no
    ``key`` (what stands on the topic ``keys`` under its id). Raises ``CannotOpen`` when a key does not fit."""
    if key is None:
        return None
    wrapped = orjson.loads(key)
    plain = keys.unwrapped(wrapped["wrap"], wrapped["wrapped"])
    return read_facts(unseal(plain, report.key_id, "facts", report.facts)).municipality


def publish(
    directory: Directory, last: date, reports: Iterable[tuple[str | None, str]]
) -> dict[str, tuple[int | None, ...]]:
    """Place -> the figures of each colour and their total, of ``reports`` as (municipality, colour); None is hidden.

    Every municipality of the region by its name, as they are on the ``last`` day, whether anything was reported there
    or not; then the other places.
    """
    own = {current(code, last) for code in directory.municipalities}
    counts = Counter((_place(own, code, last), colour) for code, colour in reports)
    # What must be hidden too is taken from the last: what is no municipality, then those with the fewest inhabitants.
    # That is known to everybody, and tells nothing of the counts.
    places = [*sorted(own, key=lambda code: (-(inhabitants(code) or 0), code)), ELSEWHERE, UNKNOWN]
    figures = published([[counts[place, colour] for colour in COLOURS] for place in places])
    by_place = dict(zip((*places, TOTAL), figures, strict=True))
    by_name = sorted(own, key=lambda code: name_of(code) or code)
    return {place: by_place[place] for place in (*by_name, ELSEWHERE, UNKNOWN, TOTAL)}


def _place(own: set[str], code: str | None, last: date) -> str:
    if code is None:
        return UNKNOWN
    now = current(code, last)
    return now if now in own else ELSEWHERE
