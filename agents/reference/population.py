"""How many people live in a municipality. Read once from package data; pure after that.

Source of ``population.csv``: the CBS figures for 2020, from mzelst/covid-19 (``misc/municipalities-population.csv``).
A municipality that was formed after 2020 has the sum of those it was formed of. Which those are is general knowledge,
without a source; Haaren, which was divided among four, is counted with Oisterwijk. Good for shares, not for statistics.
"""

import csv
from functools import cache
from importlib.resources import files


def inhabitants(code: str) -> int | None:
    """The inhabitants of a municipality of now; None for a code that is none, or is one no more."""
    return _table().get(code)


def nation() -> int:
    """The inhabitants of the Netherlands."""
    return sum(_table().values())


@cache
def _table() -> dict[str, int]:
    text = files("agents.reference").joinpath("population.csv").read_text(encoding="utf-8")
    return {row["cbs_code"]: int(row["inhabitants"]) for row in csv.DictReader(text.splitlines())}
