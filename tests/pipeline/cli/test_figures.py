"""``meldstroom figures`` before it reaches a broker; on one: ``test_whole_way.py``."""

from collections import Counter

import click
import pytest

from pipeline.cli import main
from pipeline.cli.figures import _page, _plain
from pipeline.cli.manners import Exit
from tests.pipeline.cli.conftest import Meldstroom

HALF_YEAR = ("--from", "2026-01-01", "--to", "2026-06-30")
PUBLISHED = {
    "0513": (40, None, None, 10, 80),
    "ELSEWHERE": (0, 0, 0, 0, 0),
    "UNKNOWN": (None, None, None, None, None),
    "TOTAL": (45, 20, 15, 10, 95),
}


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        pytest.param(HALF_YEAR, Exit.USAGE, "--region", id="no region"),
        pytest.param(("--region", "x", *HALF_YEAR[:2]), Exit.USAGE, "--to", id="no end"),
        pytest.param(("--region", "x", "--from", "1 maart", *HALF_YEAR[2:]), Exit.USAGE, "--from", id="no day"),
        pytest.param(("--region", "x", *HALF_YEAR[:2], "--to", "2025-12-31"), Exit.USAGE, "Swap", id="turned round"),
        pytest.param(("--region", "atlantis", *HALF_YEAR), Exit.NOT_SO, "hollands-midden", id="no such region"),
        pytest.param(("--region", "hollands-midden", *HALF_YEAR), Exit.CONFIG, "keys.dev.yaml", id="no own keys"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(meldstroom: Meldstroom, args: tuple[str, ...], code: Exit, said: str):
    ran = meldstroom("figures", *args)

    assert ran.exit_code == code
    assert said in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.output


def test_no_option_shows_more_than_may_be_published():
    command = main.get_command(click.Context(main), "figures")
    assert command is not None

    assert {name for one in command.params for name in one.opts} == {"--region", "--from", "--to", "-o", "--output"}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", ("Rood", "andere regio", "onbekend", ". = niet getoond", "tellen de cijfers niet op", "Telwijze 1")),
        ("en", ("Red", "another region", "unknown", ". = not shown", "do not add up", "Definition 1")),
    ],
)
def test_the_page_says_what_is_hidden_and_how_it_was_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str, said: tuple[str, ...]
):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", language)

    _page(PUBLISHED)

    page = capsys.readouterr().out
    assert [words for words in said if words not in page] == []
    (gouda,) = (line.split() for line in page.splitlines() if "Gouda" in line)
    assert gouda == ["Gouda", "40", ".", ".", "10", "80"]


def test_for_machines_what_is_hidden_is_null_and_the_notes_are_in_both_languages():
    found = _plain(PUBLISHED)

    assert found["rows"][0] == {
        "municipality": "0513", "name": "Gouda", "GREEN": 40, "YELLOW": None, "ORANGE": None, "RED": 10, "TOTAL": 80,
    }  # fmt: skip
    assert [row["municipality"] for row in found["rows"]] == list(PUBLISHED)
    assert found["definition"] == 1
    assert Counter(name for note in found["notes"].values() for name in note) == {"nl": 3, "en": 3}
