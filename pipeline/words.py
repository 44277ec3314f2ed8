"""The words in which people are told something: their language, colours, moments and stretches of time.

Only what is quick to load is loaded here: every command does.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from topics.texts import Language, text

_SPOKEN: ContextVar[Language | None] = ContextVar("spoken", default=None)


@contextmanager
def spoken(chosen: Language | None) -> Iterator[None]:
    """Everything within is said in that language; None: in the one of the machine."""
    before = _SPOKEN.set(chosen)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def language() -> Language:
    """The one that is spoken, else MELDSTROOM_LANGUAGE, else that of the machine when it is one of ours, else Dutch."""
    wanted = [_SPOKEN.get(), *map(os.environ.get, ("MELDSTROOM_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))]
    found = next((one[:2].lower() for one in wanted if one and one[:2].lower() in ("nl", "en")), "nl")
    return cast(Language, found)


def say(key: str, **values: object) -> str:
    """A sentence of the catalogue in the language that is spoken; ``key`` without the part of the house is the command
    line's own."""
    return text(f"cli.{key}", language(), **values)


def colour_name(colour: str | None) -> str:
    """A colour in words."""
    from topics.codes import Colour

    if colour is None:
        return "-"
    return Colour(colour).nl if language() == "nl" else colour.lower()


def local_time(ms: int | None) -> str:
    """A moment as the clock on the wall has it, in the Netherlands."""
    from agents.policy.calendar import AMSTERDAM
    from agents.policy.model import moment

    return "-" if ms is None else f"{moment(ms).astimezone(AMSTERDAM):%Y-%m-%d %H:%M:%S}"


def iso(ms: int | None) -> str | None:
    """A moment for machines: RFC 3339, UTC."""
    from agents.policy.model import moment

    return None if ms is None else moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(ms: int) -> str:
    """A stretch of time in its largest unit."""
    seconds = abs(ms) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
