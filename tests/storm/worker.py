"""A worker process for tests: the real one, or one that is broken on purpose.

``python -m tests.storm.worker intake|region [flag ...]``; settings come from the environment. Flags:

- ``commits-first``: a stage that commits before it writes
- ``hesitates``: it waits for a second between deciding a batch and writing it, once
- ``poison``: ``decide`` raises on reports whose id begins with ``bad00000``
- ``poisonous``: ``decide`` and ``tick`` raise on everything; of intake ``bring``
- ``deaf``: what Faust delivers of reports whose id begins with ``deaf0000`` is dropped
- ``trusts``: whatever is delivered next is taken: no guard against holes; and it is deaf, too
- ``request-lost=REGION``, ``answer-lost=REGION``: of a commit of this region, once
- ``bug``: what comes after the commit of a report whose id begins with ``b0600000`` raises what nobody expects
- ``tick-raises=REGION``: a deadline of this region is due at once, and cannot be decided
- ``stock=REGION``: Faust as it comes decides this region; with ``table-first`` it writes its table before it sends,
  with ``window`` it stays in the midst of one event
- ``windows=FOLDER``: it can be aimed at there (``windows.py``)
- ``batch=RECORDS``, ``snapshot-every=RECORDS``, ``session=SECONDS``, ``commit-within=SECONDS``: instead of the real
  ones
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, RequestTimedOutError
from aiokafka.protocol.transaction import EndTxnRequest

from agents.casework.writer import CaseworkWriter
from agents.intake import agent
from agents.policy.region import load_regions
from agents.stage import loop, saving, takeover, transaction, transport
from agents.stage import stage as stage_module
from agents.stage.heartbeat import InstanceTaken
from agents.stage.lane import Arrived, Lane
from agents.stage.writer import Outgoing
from pipeline import app, logs
from pipeline.cli.manners import Exit
from pipeline.settings import Settings
from pipeline.worker import run_worker
from tests.storm import stock, windows
from topics import journal as j
from topics.specs import JOURNAL

log = structlog.get_logger("broken")


def flag(name: str) -> str | None:
    """The value of a flag of this process, empty when it has none; None when it is not set."""
    for said in sys.argv[2:]:
        found, _, value = said.partition("=")
        if found == name:
            return value
    return None


class CommitsFirst(loop.Region):
    """Commits the lanes' positions before it writes, and trusts them: what a kill takes in between is lost.

    Once in its life, in the midst of its work, it says that it is in that window, and stays there to be aimed at.
    """

    windows = 0

    async def _commit(self, outgoing: list[Outgoing], offsets: dict[str, int]) -> None:  # type: ignore[override]
        if offsets:
            await super()._commit([], offsets)
            self.windows += 1
            if self.windows == 3:
                log.warning("in_the_window", region=self.name)
                await asyncio.sleep(1)
        await super()._commit(outgoing, {})

    async def _open(self) -> None:
        await super()._open()
        admin = AIOKafkaAdminClient(**self._tools.cluster.client())
        await admin.start()
        committed = await admin.list_consumer_group_offsets(self._tools.group)
        await admin.close()
        for place, found in committed.items():
            for name, topic in takeover.LANES.items():
                if (topic, self.partition) == (place.topic, place.partition):
                    lane = self._lanes[name]
                    lane.expected = max(lane.expected, found.offset)


class Hesitates(loop.Region):
    """Decides a batch and waits before it writes it, once; whoever is frozen there wakes up with an old book."""

    batches = 0

    async def _commit(self, outgoing: list[Outgoing], offsets: dict[str, int]) -> None:  # type: ignore[override]
        self.batches += bool(offsets)
        if self.batches == 3:
            log.warning("in_the_window", region=self.name)
            await asyncio.sleep(1)
        await super()._commit(outgoing, offsets)


class Deaf(loop.Region):
    """Faust delivers these records to nobody: the guard against holes must read them itself."""

    def offer(self, record: Arrived) -> None:
        if b'"report_id":"deaf0000' not in (record.value or b""):
            super().offer(record)


class Trusts(Deaf):
    """Takes whatever comes next: what was not delivered is never missed."""

    async def _open(self) -> None:
        await super()._open()
        self._lanes = {name: _WithoutGuard(lane.expected, lane.waiting) for name, lane in self._lanes.items()}

    async def _fill_tail(self) -> None:
        pass


class _WithoutGuard(Lane):
    def gap(self) -> int | None:
        return None

    def take(self, count: int, size: int) -> list[Arrived]:
        if self.ready():
            self.expected = self.waiting[0].offset
        return super().take(count, size)


class Unheard(loop.Region):
    """Once, no answer comes to a commit: the broker never got the request, or what it answered is lost."""

    lost = False

    async def _commit(self, outgoing: list[Outgoing], offsets: dict[str, int]) -> None:  # type: ignore[override]
        lost_for = [name for name in ("request-lost", "answer-lost") if flag(name) == self.name]
        producer = self._transactions._producer
        assert producer is not None
        if offsets and lost_for and not self.lost:
            self.lost = True
            send = producer.client.send

            async def unheard(node: int, request: Any, **how: Any) -> Any:
                if not isinstance(request, EndTxnRequest):
                    return await send(node, request, **how)
                if lost_for == ["answer-lost"]:
                    await send(node, request, **how)
                log.warning("unheard", region=self.name, records=sum(out.topic == JOURNAL.topic() for out in outgoing))
                await asyncio.sleep(producer.client._request_timeout_ms / 1000)
                raise RequestTimedOutError

            producer.client.send = unheard
        await super()._commit(outgoing, offsets)


class Poisonous(CaseworkWriter):
    """A release that can decide nothing."""

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        raise ValueError("a defect")

    def tick(self, now: int, until: int | None = None) -> list[Outgoing]:
        raise ValueError("a defect")


def cannot_bring(*_: Any) -> Any:
    """Intake of the same release."""
    raise ValueError("a defect")


class Buggy(CaseworkWriter):
    """A defect outside of deciding: no class of failure knows it."""

    def committed(self, places: Sequence[int]) -> None:
        met = any(isinstance(r.input, j.ReportInput) and r.input.report_id[:8] == "b0600000" for r in self._in_hand)
        super().committed(places)
        if met:
            raise LookupError("a defect")


class Poisoned(CaseworkWriter):
    """A defect in deciding, that only some reports meet."""

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        if b'"report_id":"bad00000' in (record.value or b""):
            raise ValueError("a defect")
        return super().decide(lane, record)


class TickRaises(CaseworkWriter):
    """A defect in firing: something is due at once, and cannot be decided."""

    region = flag("tick-raises")

    def due(self) -> int | None:
        return 0 if self.config.name == self.region else super().due()

    def tick(self, now: int, until: int | None = None) -> list[Outgoing]:
        if self.config.name == self.region:
            raise ValueError("a defect")
        return super().tick(now, until)


class Telling(stage_module.Stage):
    """The real one; it tells the generation of its group."""

    async def _assigned(self, *args: Any, **how: Any) -> None:
        await super()._assigned(*args, **how)
        assert self._app is not None
        log.info("assigned", generation=self._app.consumer_generation_id, partitions=sorted(self.regions))


def main() -> int:
    logs.setup("INFO")
    app.Stage = Telling  # type: ignore[misc]
    if flag("commits-first") is not None:
        stage_module.Region = CommitsFirst  # type: ignore[misc]
    if flag("hesitates") is not None:
        stage_module.Region = Hesitates  # type: ignore[misc]
    if flag("deaf") is not None:
        stage_module.Region = Deaf  # type: ignore[misc]
    if flag("trusts") is not None:
        stage_module.Region = Trusts  # type: ignore[misc]
    if flag("request-lost") is not None or flag("answer-lost") is not None:
        stage_module.Region = Unheard  # type: ignore[misc]
    if flag("poisonous") is not None:
        app.CaseworkWriter = Poisonous  # type: ignore[misc]
        agent.bring = cannot_bring
    if flag("bug") is not None:
        app.CaseworkWriter = Buggy  # type: ignore[misc]
    if flag("poison") is not None:
        app.CaseworkWriter = Poisoned  # type: ignore[misc]
    if flag("tick-raises") is not None:
        app.CaseworkWriter = TickRaises  # type: ignore[misc]
    if folder := flag("windows"):
        windows.install(Path(folder))
    if most := flag("batch"):
        loop.BATCH_COUNT = int(most)
    if every := flag("snapshot-every"):
        saving.SNAPSHOT_EVERY = int(every)
    if within := flag("commit-within"):
        transaction.COMMIT_S = float(within)
    if session := flag("session"):
        transport.SESSION_TIMEOUT_S = float(session)
    settings = Settings()
    regions = load_regions(settings.regions, development=True)
    if (name := flag("stock")) is not None:
        how = {"table_first": flag("table-first") is not None, "window": flag("window") is not None}
        return stock.run(settings, regions[name], **how)
    try:
        return asyncio.run(run_worker(sys.argv[1], settings, regions))  # type: ignore[arg-type]
    except (KafkaError, InstanceTaken) as error:  # as the command does
        log.error("ends", why=str(error))
        return Exit.CONFIG if isinstance(error, InstanceTaken) else Exit.UNREACHABLE


if __name__ == "__main__":
    sys.exit(main())
