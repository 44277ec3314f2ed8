"""Moments at which a kill hurts most, inside a region worker: it says that it is in one, and stays there.

Whoever aims writes a file ``aim-<window>`` with the seconds to stay (0: until it is killed) into a folder; the first
worker that comes by takes it, and writes ``hit-<window>`` with its process id. The windows:

- ``batch``: a batch is decided, and nothing of it is written
- ``commit``: all of it is written, and not committed
- ``committed``: it is committed, and the region does not know yet
- ``takeover``: the former writer is fenced, and the book not read yet
- ``snapshot``: a part of a snapshot is written, its manifest is not
- ``revoke``: Faust takes the partitions away, and nothing is closed yet
- ``revoked``: all books are closed, and the group does not know yet
"""

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from agents.stage import loop, stage
from agents.stage.writer import Outgoing
from pipeline import app
from topics.cluster import Cluster
from topics.specs import SNAPSHOTS

WINDOWS = ("batch", "commit", "committed", "takeover", "snapshot", "revoke", "revoked")
FOR_EVER_S = 60.0


class Windows:
    """The windows of this process, aimed at through ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def at(self, name: str) -> None:
        """Stay here when somebody aims at it."""
        aimed = self._folder / f"aim-{name}"
        if not aimed.exists():
            return
        taken = self._folder / f"taken-{name}-{os.getpid()}"
        try:
            aimed.rename(taken)
        except FileNotFoundError:
            return  # another worker was faster
        seconds = float(taken.read_text()) or FOR_EVER_S
        half = self._folder / f"half-{name}"
        half.write_text(str(os.getpid()))
        half.rename(self._folder / f"hit-{name}")
        await asyncio.sleep(seconds)


def install(folder: Path) -> None:
    """Put the windows into the stage of this process."""
    windows = Windows(folder)

    class Transactions(loop.Transactions):
        async def open(self, cluster: Cluster) -> None:
            await super().open(cluster)
            await windows.at("takeover")
            assert self._producer is not None
            commit = self._producer.commit_transaction

            async def committing() -> None:
                await windows.at("commit")
                await commit()
                await windows.at("committed")

            self._producer.commit_transaction = committing  # type: ignore[method-assign]

        async def commit(
            self, outgoing: Iterable[Outgoing], offsets: Mapping[TopicPartition, int], group: str
        ) -> dict[TopicPartition, list[int]]:
            outgoing = list(outgoing)
            written = await super().commit(outgoing, offsets, group)
            if any(out.topic == SNAPSHOTS.topic() for out in outgoing):
                await windows.at("snapshot")
            return written

    class Region(loop.Region):
        async def _commit(self, outgoing: list[Outgoing], offsets: Mapping[str, int]) -> None:
            if offsets:
                await windows.at("batch")
            await super()._commit(outgoing, offsets)

    class Stage(app.Stage):
        async def _revoked(self, *args: Any, **how: Any) -> None:
            await windows.at("revoke")
            await super()._revoked(*args, **how)
            await windows.at("revoked")

    loop.Transactions = Transactions  # type: ignore[misc]
    stage.Region = Region  # type: ignore[misc]
    app.Stage = Stage  # type: ignore[misc]
