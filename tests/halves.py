"""``python -m tests.halves``: all tests, in two halves at the same time: those that need a broker wait for it most of
the time, and the others calculate. What each says comes out whole, one after the other; the exit code is the worse one.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
from types import FrameType

HALVES = ("not broker", "broker")


def main() -> int:
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in HALVES]
        running = [
            subprocess.Popen([sys.executable, "-m", "pytest", "-m", half], stdout=output, stderr=subprocess.STDOUT)
            for half, output in zip(HALVES, outputs, strict=True)
        ]

        def end(*_: int | FrameType | None) -> None:
            for one in running:
                one.send_signal(signal.SIGINT)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        codes = []
        for half, one, output in zip(HALVES, running, outputs, strict=True):
            codes.append(one.wait())
            output.seek(0)
            print(f"--- {half}", flush=True)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main())
