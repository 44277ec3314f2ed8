"""The layers and the purity of decisions are checked, and the check can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
LINT = Path(sys.executable).parent / "lint-imports"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("topics", "agents", "pipeline"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        pytest.param("topics/specs.py", "import agents.facts", id="topics may not know agents"),
        pytest.param("agents/casework/decide.py", "import pipeline.app", id="agents may not know the pipeline"),
        pytest.param("agents/casework/decide.py", "import faust", id="a decision may not know the engine"),
        pytest.param("agents/dispatch/decide.py", "import kafka", id="a decision may not know a client"),
        pytest.param("agents/policy/colours.py", "import prometheus_client", id="a decision counts nothing"),
        pytest.param("agents/casework/deadlines.py", "import time", id="a decision has no clock"),
        pytest.param("agents/casework/inputs.py", "import random", id="a decision leaves nothing to chance"),
        pytest.param("agents/intake/decide.py", "import os", id="intake's decision does no I/O"),
    ],
)
def test_what_breaks_a_boundary_is_named(copy: Path, module: str, line: str):
    path = copy / module
    path.write_text(path.read_text() + f"\n\ndef _broken():\n    {line}\n")

    done = _lint(copy)

    assert done.returncode == 1, done.stdout
    assert "broken" in done.stdout


def test_the_house_as_it_stands_breaks_none():
    done = _lint(CHECKOUT)

    assert done.returncode == 0, done.stdout
