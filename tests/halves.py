"""``python -m tests.halves``: all tests, in two halves at the same time. What each says comes out whole, one after the
other; the exit code is the worse one.
"""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

HALVES = ("not broker or near", "broker and not near")
"""By their markers; ``near`` are those beside the command line and the board, and keep the halves about as long."""
TOLD_EVERY_S = 30.0


def main() -> int:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        said = {half: folder / half.replace(" ", "-") for half in HALVES}
        running = {half: _begun(half, path) for half, path in said.items()}

        def end(*_: int | FrameType | None) -> None:
            for one in running.values():
                one.send_signal(signal.SIGINT)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        while alive := [one for one in running.values() if one.poll() is None]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                alive[0].wait(TOLD_EVERY_S)
            print("; ".join(f"{half}: {_how_far(path)}" for half, path in said.items()), file=sys.stderr, flush=True)
        for half, path in said.items():
            print(f"--- {half}", flush=True)
            sys.stdout.buffer.write(path.read_bytes())
            sys.stdout.flush()
    return max((one.returncode for one in running.values()), key=abs)


def _begun(half: str, path: Path) -> "subprocess.Popen[bytes]":
    with path.open("wb") as output:
        return subprocess.Popen([sys.executable, "-m", "pytest", "-m", half], stdout=output, stderr=subprocess.STDOUT)


def _how_far(path: Path) -> str:
    """The last share of its tests that pytest said it has done."""
    found = re.findall(r"\[ *(\d+%)\]", path.read_text(errors="replace"))
    return found[-1] if found else "0%"


if __name__ == "__main__":
    sys.exit(main())
