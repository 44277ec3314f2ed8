"""The command line as a user has it: what went to stdout, what to stderr, and the exit code."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main

Meldstroom = Callable[..., Result]
SET = ("KAFKA__BOOTSTRAP", "REGIONS", "DATA", "DEVELOPMENT", "INSTANCE", "KAFKA__REPLICATION", "METRICS_PORT")


@pytest.fixture
def meldstroom(monkeypatch: pytest.MonkeyPatch) -> Meldstroom:
    """Run a command; keyword arguments are its environment. A broker of this checkout is not seen."""
    monkeypatch.setattr("pipeline.settings.read_state", lambda: None)
    for name in SET:
        monkeypatch.delenv(f"MELDSTROOM_{name}", raising=False)

    def run(*arguments: str, stdin: bytes | None = None, **environment: str | None) -> Result:
        env: dict[str, str | None] = {
            "MELDSTROOM_LANGUAGE": "en",
            "LANG": "C",
            "LC_ALL": "",
            "NO_COLOR": "",
            "FORCE_COLOR": "",
            **environment,
        }
        return CliRunner().invoke(main, arguments, input=stdin, env=env, prog_name="meldstroom")

    return run
