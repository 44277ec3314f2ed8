"""Who fails is started again, later each time; who is stopped is gone, with all it started."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pipeline.supervisor as supervisor_module
from pipeline.supervisor import Supervisor


def supervisor(tmp_path: Path, **programs: str) -> Supervisor:
    commands = {name: [sys.executable, "-c", program] for name, program in programs.items()}
    return Supervisor(commands, os.environ, tmp_path / "logs")


def until(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_fails_starts_again_and_waits_longer_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor_module, "FIRST_WAIT_S", 0.2)
    children = supervisor(tmp_path, fails="import sys; print('here', flush=True); sys.exit(75)")
    children._children["fails"].wait = 0.2
    restarts: list[float] = []

    children.start()
    try:
        until(lambda: restarts.extend(time.monotonic() for _ in children.poll()) or len(restarts) == 3)
    finally:
        children.stop()

    assert len(restarts) == 3
    assert restarts[2] - restarts[1] > restarts[1] - restarts[0]
    log = children.log("fails")
    assert log is not None
    assert log.read_text().count("here") >= 3


@pytest.mark.parametrize("code", [0, 78])
def test_what_starting_again_cannot_help_stays_down(tmp_path: Path, code: int):
    children = supervisor(tmp_path, done=f"raise SystemExit({code})")

    children.start()
    assert until(lambda: children.poll() == [] and not children.running)

    assert children.ended == {"done": code}
    assert children.stop() == {}


def test_a_killed_child_starts_again(tmp_path: Path):
    children = supervisor(tmp_path, sleeps="import time; time.sleep(600)")
    children.start()
    try:
        first = children.running["sleeps"]
        os.kill(first, 9)

        assert until(lambda: children.poll() == ["sleeps"])
        assert children.running["sleeps"] != first
    finally:
        children.stop()


def test_stop_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor_module, "STOP_WITHIN_S", 0.5)
    children = supervisor(
        tmp_path,
        polite="import time; time.sleep(600)",
        deaf=(
            "import signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('up', flush=True)\n"
            "time.sleep(600)"
        ),
        parent=(
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(600)"
        ),
    )
    children.start()
    logs = {name: children.log(name) for name in ("deaf", "parent")}
    assert until(lambda: all(log is not None and log.exists() and log.read_text().strip() for log in logs.values()))
    pids = [*children.running.values(), int((tmp_path / "logs" / "parent.log").read_text())]

    codes = children.stop()

    assert codes == {"polite": -15, "deaf": -9, "parent": -15}
    assert until(lambda: not any(map(alive, pids)))


def test_a_child_knows_whose_it_is(tmp_path: Path):
    children = supervisor(tmp_path, says=f"import os; print(os.environ['{supervisor_module.PARENT}'])")

    children.start()
    assert until(lambda: children.poll() == [] and not children.running)

    assert (tmp_path / "logs" / "says.log").read_text().strip() == str(os.getpid())
