"""Figures for the board: what came in and how fast it was accepted, by the day in the Netherlands. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from agents.casework.book import Book
from agents.casework.case import Case
from agents.policy.calendar import AMSTERDAM
from agents.policy.model import moment

DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: cases opened, by colour; seconds from offer to acceptance of what was offered that day."""

    day: date
    opened: dict[str, int]
    accepted: int
    half_within_s: int | None
    nine_in_ten_within_s: int | None

    @property
    def all(self) -> int:
        """Cases opened."""
        return sum(self.opened.values())


def days(book: Book, now: int) -> list[Day]:
    """The last fortnight, the oldest day first; of the cases that were opened in it."""
    today = _day(now)
    first = today - timedelta(days=DAYS - 1)
    opened: dict[date, Counter[str]] = {}
    waits: dict[date, list[int]] = {}
    for case in _newest_first(book):
        if _day(case.opened) < first:
            break
        if case.test:
            continue
        opened.setdefault(_day(case.opened), Counter())[case.colour or "NONE"] += 1
        for handover in case.handovers:
            if handover.accepted is not None:
                waits.setdefault(_day(handover.offered), []).append(handover.accepted - handover.offered)
    return [
        _made(day, opened.get(day, Counter()), sorted(waits.get(day, [])))
        for day in (first + timedelta(days=number) for number in range(DAYS))
    ]


def _made(day: date, opened: Counter[str], waits: list[int]) -> Day:
    return Day(
        day=day,
        opened=dict(opened),
        accepted=len(waits),
        half_within_s=_at(waits, 0.5),
        nine_in_ten_within_s=_at(waits, 0.9),
    )


def _at(waits: list[int], share: float) -> int | None:
    return waits[min(len(waits) - 1, int(len(waits) * share))] // 1000 if waits else None


def _newest_first(book: Book) -> Iterator[Case]:
    for number in range(len(book.cases) - 1, -1, -1):
        yield book.cases.nth(number)


def _day(ms: int) -> date:
    return moment(ms).astimezone(AMSTERDAM).date()
