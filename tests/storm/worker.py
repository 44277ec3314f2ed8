"""A worker process for tests: the real one, or one that is broken on purpose.

``python -m tests.storm.worker intake|region [commits-first]``; settings come from the environment.
"""

import asyncio
import sys

import structlog
from aiokafka.admin import AIOKafkaAdminClient

from agents.policy.region import load_regions
from agents.stage import loop
from agents.stage import stage as stage_module
from agents.stage.writer import Outgoing
from pipeline.settings import Settings
from pipeline.worker import run_worker

log = structlog.get_logger("broken")


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
            for name, topic in loop.LANES.items():
                if (topic, self.partition) == (place.topic, place.partition):
                    lane = self._lanes[name]
                    lane.expected = max(lane.expected, found.offset)


def main() -> int:
    structlog.configure(
        processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if "commits-first" in sys.argv:
        stage_module.Region = CommitsFirst  # type: ignore[misc]
    settings = Settings()
    regions = load_regions(settings.regions, development=True)
    return asyncio.run(run_worker(sys.argv[1], settings, regions))  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
