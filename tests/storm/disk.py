"""Disks that can be full: file systems in memory, in a mount namespace of our own (``unshare --mount``)."""

import os
import subprocess
from pathlib import Path

FILLER = "filler"
SMALL = "512k"
SPARE = 128 * 1024


class Disk:
    """Two file systems below ``folder``: ``large`` for the broker, ``small`` for a worker."""

    def __init__(self, folder: Path, size: str) -> None:
        self.large, self.small = folder / "large", folder / "small"
        self._size = size
        for path, room in ((self.large, size), (self.small, SMALL)):
            path.mkdir()
            _mount(path, room)

    def fill(self) -> None:
        """Let next to nothing more fit on ``large`` than lies there now; it grows while this is asked."""
        for spare in range(1, 50):
            found = os.statvfs(self.large)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            try:
                _mount(self.large, str(used + spare * SPARE), again=True)
            except subprocess.CalledProcessError:
                continue
            return
        raise AssertionError("the disk grows faster than it can be filled")

    def free(self) -> None:
        """Room again."""
        _mount(self.large, self._size, again=True)

    def fill_small(self) -> None:
        """Leave not a byte on ``small``."""
        with (self.small / FILLER).open("wb", buffering=0) as filler:
            for size in (4096, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    continue

    def free_small(self) -> None:
        """Room again."""
        (self.small / FILLER).unlink()


def _mount(path: Path, room: str, *, again: bool = False) -> None:
    options = f"size={room}" + (",remount" if again else "")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True, capture_output=True)
