"""Shells complete our commands."""

import os
import shutil
import subprocess
import sys

import pytest

from pipeline.cli.completion import SHELLS
from pipeline.cli.manners import Exit
from pipeline.settings import CHECKOUT
from tests.pipeline.cli.conftest import Meldstroom


def completed(*words: str) -> list[str]:
    """What bash would offer for the last word."""
    env = {**os.environ, "_MELDSTROOM_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
           "COMP_CWORD": str(len(words) - 1)}  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main(prog_name='meldstroom')"],
        env=env, cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    return [line.partition(",")[2] for line in ran.stdout.splitlines()]


def test_groups_verbs_and_codes_are_completed():
    assert completed("meldstroom", "hand") == ["handover"]
    assert completed("meldstroom", "handover", "w") == ["withdraw"]
    assert "NOT_OUR_AREA" in completed("meldstroom", "handover", "refuse", "--reason", "NOT")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_its_shell_can_read(shell: str, meldstroom: Meldstroom):
    ran = meldstroom("completion", shell)

    assert ran.exit_code == Exit.DONE
    assert f"_MELDSTROOM_COMPLETE={shell}_complete" in ran.stdout
    if (found := shutil.which(shell)) is not None:
        assert subprocess.run([found, "-n"], input=ran.stdout, text=True, check=False).returncode == 0


def test_a_shell_that_we_do_not_know_is_said(meldstroom: Meldstroom):
    assert meldstroom("completion", "tcsh").exit_code == Exit.USAGE
