"""Every sentence that the command line asks for exists, in both languages, with the values it is given."""

import ast
import string
from collections.abc import Iterator
from typing import get_args

import click
import pytest

from agents.policy.directory import Gap
from pipeline.cli import COMMANDS, main
from pipeline.cli.manners import Exit, Group
from pipeline.settings import CHECKOUT
from topics.texts import LANGUAGES, catalogue

FILES = [CHECKOUT / "pipeline" / "story.py", *(CHECKOUT / "pipeline" / "cli").glob("*.py")]
SAYS = {"say", "note", "Sorry"}


def asked() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """File and line, key, and the names of the values; None where they are not written out."""
    for path in sorted(FILES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in SAYS:
                continue
            keys = [node.args[0]]
            if isinstance(node.args[0], ast.IfExp):
                keys = [node.args[0].body, node.args[0].orelse]
            named = [keyword.arg for keyword in node.keywords]
            values = None if None in named else frozenset(name for name in named if name)
            for key in keys:
                if isinstance(key, ast.Constant):
                    yield f"{path.name}:{node.lineno}", f"cli.{key.value}", values


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize(("where", "key", "values"), list(asked()), ids=lambda value: str(value))
def test_each_sentence_exists_and_gets_its_values(where: str, key: str, values: frozenset[str] | None):
    assert key in catalogue(), where
    for language in LANGUAGES:
        if values is not None:
            assert placeholders(catalogue()[key][language]) <= values, where


def test_both_languages_take_the_same_values():
    for key, sentences in catalogue().items():
        assert set(sentences) == set(LANGUAGES), key
        assert placeholders(sentences["nl"]) == placeholders(sentences["en"]), key


def commands(group: click.Group, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*way, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*way, name))


OURS = {
    "up", "check", "publish", "watch", "case", "handover", "receive", "act", "policy", "queue", "duty", "drill",
    "timers", "figures", "deadletters", "topics", "worker", "doctor", "bench", "completion",
}  # fmt: skip


def test_each_command_and_option_has_help_in_both_languages(monkeypatch: pytest.MonkeyPatch):
    for language in LANGUAGES:
        monkeypatch.setenv("MELDSTROOM_LANGUAGE", language)
        for way, command in commands(main):
            if way[0] in OURS:
                assert command.help, way
                options = [one for one in command.params if isinstance(one, click.Option)]
                assert all(one.help for one in options), way


def test_sentences_whose_keys_are_put_together_exist():
    known = catalogue()
    wanted = [f"cli.exit.{code.name.lower()}" for code in Exit]
    wanted += [f"cli.doctor.level.{level}" for level in ("ok", "warning", "error")]
    wanted += [f"cli.gap.{gap}" for gap in get_args(Gap)]
    wanted += [f"cli.error.unknown_{what}" for what in ("case", "letter")]

    assert [key for key in wanted if key not in known] == []


def test_every_command_is_loaded_late():
    assert isinstance(main, Group)
    assert set(COMMANDS) >= OURS
