"""What a worker and the doctor say of a directory that lacks something, or is out of date."""

import pytest

from pipeline.cli.worker import gap_lines
from tests.cases import REGION
from tests.world import regions, with_texts
from topics.texts import LANGUAGES

TEXT = regions()[REGION].directory_text


def said(text: str) -> list[str]:
    return gap_lines({REGION: with_texts(REGION, directory=text).directory})


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", "en")


def test_municipalities_that_have_ended_are_named_with_what_follows_them():
    found = said(TEXT.replace('"0513"', '"0501"').replace('"0484"', '"0530"'))

    assert [line for line in found if "became part" in line] == [
        "hollands-midden: 2 municipality(-ies) in the directory became part of another: 0501 -> 1992, 0530 -> 1992. "
        "Reports find their way; put the new code in."
    ]


def test_a_kind_of_which_there_is_nobody_is_named():
    found = said(TEXT.replace("kind: GI", "kind: HOME_CARE"))

    assert any("no receiver of the kind GI" in line for line in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_has_no_place_left_open(language: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", language)

    found = said(TEXT.replace('"0513"', '"0501"').replace("kind: GI", "kind: HOME_CARE"))

    assert found
    assert all(line.startswith(REGION) and "{" not in line for line in found)
