"""Who is on duty at a receiver at a moment: its rota by weeks, what is agreed otherwise, and who stands in. Pure.

Moments are aware; hours and days are those of Europe/Amsterdam. People are ids, as everywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from pydantic import AwareDatetime, Field

from agents.policy.calendar import AMSTERDAM
from agents.policy.loading import Part
from topics.base import Slug

Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_DAYS: tuple[Day, ...] = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_FIRST_MONDAY = date(1970, 1, 5)
_WEEK = timedelta(days=7)


class Shift(Part):
    """Some hours of some days; its people follow on each other week by week. It may end on the next day: then ``until``
    is not after ``start``."""

    days: tuple[Day, ...] = Field(min_length=1)
    start: time
    until: time
    people: tuple[Slug, ...] = Field(min_length=1)


class Override(Part):
    """What is agreed otherwise for some time; ``person`` None: nobody of this receiver."""

    start: AwareDatetime
    until: AwareDatetime
    person: Slug | None = None


class Rota(Part):
    """Who is on duty at one receiver."""

    receiver: Slug
    shifts: tuple[Shift, ...]
    overrides: tuple[Override, ...] = Field(default=(), description="of several at one moment the last one holds")
    fallback: tuple[Slug, ...] = Field(default=(), description="receivers that stand in when nobody is on duty here")


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody who is on duty, and where; ``why`` he: his SHIFT, an OVERRIDE, or for another as FALLBACK."""

    receiver: str
    person: str
    why: Literal["SHIFT", "OVERRIDE", "FALLBACK"]


def on_duty(rotas: Mapping[str, Rota], receiver: str, at: datetime) -> OnDuty | None:
    """Who is on duty for a receiver at a moment; None when nobody is, or it has no rota."""
    rota = rotas.get(receiver)
    if rota is None:
        return None
    if (found := _own(rota, at)) is not None:
        return found
    for other in rota.fallback:
        if other in rotas and (found := _own(rotas[other], at)) is not None:
            return OnDuty(found.receiver, found.person, "FALLBACK")
    return None


def gaps(rotas: Mapping[str, Rota], receiver: str, start: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """When nobody is on duty for a receiver within so many days, nor anybody who stands in: from when to when."""
    until = start + timedelta(days=days)
    edges = sorted({start, until, *(edge for edge in _edges(rotas, receiver, start, days) if start < edge < until)})
    found: list[tuple[datetime, datetime]] = []
    for one, other in pairwise(edges):
        if on_duty(rotas, receiver, one) is not None:
            continue
        if found and found[-1][1] == one:
            found[-1] = (found[-1][0], other)
        else:
            found.append((one, other))
    return found


def _own(rota: Rota, at: datetime) -> OnDuty | None:
    for override in reversed(rota.overrides):
        if override.start <= at < override.until:
            return OnDuty(rota.receiver, override.person, "OVERRIDE") if override.person is not None else None
    for shift in rota.shifts:
        today = at.astimezone(AMSTERDAM).date()
        for day in (today, today - timedelta(days=1)):
            start, end = _hours(shift, day)
            if _DAYS[day.weekday()] in shift.days and start <= at < end:
                week = (day - _FIRST_MONDAY) // _WEEK
                return OnDuty(rota.receiver, shift.people[week % len(shift.people)], "SHIFT")
    return None


def _hours(shift: Shift, day: date) -> tuple[datetime, datetime]:
    last = day if shift.until > shift.start else day + timedelta(days=1)
    return _moment(day, shift.start), _moment(last, shift.until)


def _edges(rotas: Mapping[str, Rota], receiver: str, start: datetime, days: int) -> Iterator[datetime]:
    """Every moment at which somebody's duty may begin or end."""
    first = start.astimezone(AMSTERDAM).date() - timedelta(days=1)
    rota = rotas.get(receiver)
    for name in (receiver, *(rota.fallback if rota is not None else ())):
        if name not in rotas:
            continue
        for override in rotas[name].overrides:
            yield from (override.start.astimezone(UTC), override.until.astimezone(UTC))
        for shift in rotas[name].shifts:
            for number in range(days + 3):
                yield from _hours(shift, first + timedelta(days=number))


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=AMSTERDAM).astimezone(UTC)
