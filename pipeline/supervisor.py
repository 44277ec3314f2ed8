"""Keeps child processes running: what ends by a failure starts again, later each time.

Thread-free: whoever has it calls ``poll`` from a loop. Used by ``up``, ``worker`` and the demo.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = str(Path(__file__).resolve().parent.parent)
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 15.0
"""The longest, and a start, must fit in the 45 s within which all is back after a broker was away for long."""
STEADY_S = 60.0
"""Who ran this long starts with a short wait again."""
STOP_WITHIN_S = 15.0
FINAL = frozenset({0, 78})
"""Exit codes after which nobody is started again: it was asked to end, or its configuration must change first."""
PARENT = "MELDSTROOM_PARENT"
"""Tells a child whose it is, so that it ends when that one is killed."""


@dataclass(slots=True)
class _Child:
    argv: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    since: float = 0.0
    wait: float = FIRST_WAIT_S
    again_at: float | None = None
    code: int | None = None


class Supervisor:
    """Named commands, each in a process group of its own. ``log_dir`` None: they write where we write."""

    def __init__(self, commands: Mapping[str, Sequence[str]], env: Mapping[str, str], log_dir: Path | None) -> None:
        self._children = {name: _Child(argv) for name, argv in commands.items()}
        paths = [CHECKOUT, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
        self._env = {**env, PARENT: str(os.getpid()), "PYTHONPATH": os.pathsep.join(paths)}
        self._log_dir = log_dir

    @property
    def running(self) -> dict[str, int]:
        """Name -> process id of those that run."""
        return {name: child.process.pid for name, child in self._children.items() if child.process is not None}

    @property
    def ended(self) -> dict[str, int]:
        """Name -> exit code of those that ended for good."""
        return {
            name: child.code
            for name, child in self._children.items()
            if child.code is not None and child.process is None and child.again_at is None
        }

    def log(self, name: str) -> Path | None:
        """Where a child's output goes."""
        return None if self._log_dir is None else self._log_dir / f"{name}.log"

    def start(self) -> None:
        """Start all of them."""
        for name in self._children:
            self._start(name)

    def poll(self) -> list[str]:
        """See who ended, start again whose wait is over; the names of those."""
        restarted = []
        now = time.monotonic()
        for name, child in self._children.items():
            if child.process is not None and (code := child.process.poll()) is not None:
                _end_group(child.process.pid)
                child.process, child.code = None, code
                if code not in FINAL:
                    if now - child.since >= STEADY_S:
                        child.wait = FIRST_WAIT_S
                    child.again_at = now + child.wait
                    child.wait = min(child.wait * 2, LONGEST_WAIT_S)
            if child.again_at is not None and now >= child.again_at:
                self._start(name)
                restarted.append(name)
        return restarted

    def stop(self) -> dict[str, int]:
        """SIGTERM to all at once, SIGKILL to who is still there after 15 s; their exit codes."""
        for child in self._children.values():
            child.again_at = None
            if child.process is not None:
                with suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_WITHIN_S
        codes = {}
        for name, child in self._children.items():
            if child.process is None:
                continue
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, until - time.monotonic()))
            _end_group(child.process.pid)
            codes[name] = child.code = child.process.wait()
            child.process = None
        return codes

    def _start(self, name: str) -> None:
        child = self._children[name]
        child.again_at = child.code = None
        child.since = time.monotonic()
        if (log := self.log(name)) is None:
            child.process = subprocess.Popen(
                child.argv, env=self._env, stdin=subprocess.DEVNULL, start_new_session=True
            )
            return
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            child.process = subprocess.Popen(
                child.argv,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we then stop them in order
            )


def _end_group(leader: int) -> None:
    """Nothing of a child outlives it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
