"""Every sentence that the board asks for exists, and none is there that nothing asks for."""

import re
from collections.abc import Iterator

import pytest

from pipeline.board.forms import ON_A_CASE, SIMPLE, fields, report_fields
from pipeline.board.pages import POLICY_TABLES
from pipeline.board.screen import TABS
from tests.cases import a_report
from tests.storm.field import CHECKOUT
from tests.world import World, regions
from topics.answers import WITHOUT_CASE
from topics.texts import catalogue

DIRECTORY = regions()["hollands-midden"].directory
BOARD = CHECKOUT / "pipeline" / "board"
MADE = ("tab.", "column.", "arrival.", "field.", "act.second.", "report.group.", "policy.table.", "policy.source.",
        "figures.", "owed.within.", "problem.", "state.", "told.")  # fmt: skip
"""Keys whose end is made of something else."""


def asked() -> Iterator[tuple[str, str]]:
    """File and key."""
    for path in sorted(BOARD.glob("templates/*.html")):
        for key in re.findall(r"\b(?:t|nothing)\(['\"]([a-z_.]+)['\"]", path.read_text()):
            yield path.name, key
    for path in sorted(BOARD.glob("*.py")):
        source = path.read_text()
        for key in re.findall(r"\bsay\(\"([a-z_.]+)\"", source):
            yield path.name, key
        for key in re.findall(r"\"(told\.[a-z_]+)\"", source):
            yield path.name, key
        for code in re.findall(r"(?:Wrong\(\s*\d+, |NoToken\()\"([a-z_]+)\"", source):
            yield path.name, f"problem.{code}"
            yield path.name, f"problem.{code}.detail"


def made() -> Iterator[str]:
    """The keys that are put together."""
    world = World()
    yield from (f"tab.{tab.key}" for tab in TABS)
    yield from (f"policy.table.{name}" for name in POLICY_TABLES)
    asked = [one for _, group in report_fields(DIRECTORY) for one in group]
    world.publish(a_report())
    for kind in ON_A_CASE:
        asked += fields(kind, world.case, DIRECTORY)
    for kind in WITHOUT_CASE:
        asked += fields(kind, None, DIRECTORY)
    for one in asked:
        if one.label is None:
            yield "field." + one.name.rstrip("0123456789").rstrip("-")
    yield from (f"report.group.{name}" for name, _ in report_fields(DIRECTORY))


@pytest.mark.parametrize(("where", "key"), sorted(set(asked())))
def test_each_sentence_of_the_board_exists(where: str, key: str):
    # What ends with a dot has its end made: it is among ``made``.
    assert key.endswith(".") or f"board.{key}" in catalogue(), where


def test_each_sentence_that_is_put_together_exists():
    missing = {key for key in made() if f"board.{key}" not in catalogue()}
    assert missing == set()


def test_no_sentence_is_there_for_nobody():
    wanted = {key for _, key in asked()} | set(made())
    unused = {
        key for key in catalogue()
        if key.startswith("board.") and key[6:] not in wanted and not key[6:].startswith(MADE)
    }  # fmt: skip
    assert unused == set()


def test_every_simple_field_is_one_of_a_form():
    world = World()
    world.publish(a_report())
    named = {one.name for kind in ON_A_CASE for one in fields(kind, world.case, DIRECTORY)}
    named |= {one.name for kind in WITHOUT_CASE for one in fields(kind, None, DIRECTORY)}
    assert set(SIMPLE) <= named
