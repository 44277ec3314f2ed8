"""The same rules on Faust as it comes: its commit, its producer, its tables. What it loses and doubles must be seen.

One agent reads the inbox of one region, decides with our own writer, sends what follows and keeps the region's
journal in a table, from which the book is folded after a start. Once in its life, in the midst of an event, it
says so and stays there to be aimed at.
"""

import asyncio
import os
import sys
from typing import Any

import faust
import structlog

from agents.casework.writer import CaseworkWriter
from agents.intake.agent import from_faust
from agents.policy.region import RegionConfig
from agents.stage.writer import Outgoing
from pipeline.settings import Settings
from topics import journal as j
from topics import specs
from topics.admin import Create

log = structlog.get_logger("stock")

WINDOW_AT = 30
"""The offset in the midst of which it stays, if it is to be aimed at."""
FLUSHED_S, WINDOW_S = 1.0, 30.0
"""First longer than Faust's producer keeps anything to itself."""


def changelog(region: str) -> Create:
    """Where the table is kept. Faust makes it too, and does not see it then until it is started again."""
    config = {"cleanup.policy": "compact"}
    return Create(
        topic=f"stock-{region}-journal-changelog", partitions=specs.INBOX.partitions, replication=1, config=config
    )


def build(settings: Settings, config: RegionConfig, *, table_first: bool, window: bool) -> faust.App:
    """An app as the guide shows it. The table may be written before the messages are sent, or after:
    what a kill does differs, and both are wrong."""
    app = faust.App(
        f"stock-{config.name}",
        broker=f"kafka://{settings.kafka.bootstrap}",
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        consumer_auto_offset_reset="earliest",
        topic_partitions=specs.INBOX.partitions,
        topic_disable_leader=True,
        datadir=str(settings.data / settings.instance),
        store="memory://",
        autodiscover=False,
        web_enabled=False,
    )
    inbox = app.topic(
        specs.INBOX.topic(), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    journal = app.Table("journal", key_type=str, value_type=str)
    writers: list[CaseworkWriter] = []

    def writer() -> CaseworkWriter:
        """The book as the table has it: folded when the first message comes, for then the table is recovered."""
        if not writers:
            made = CaseworkWriter(config, os.urandom, lambda record, book: None)
            while (record := journal.get(str(made.book.seq))) is not None:
                made.replay(record.encode(), made.book.seq)
            log.info("folded", region=config.name, records=made.book.seq)
            writers.append(made)
        return writers[0]

    async def send(out: Outgoing) -> None:
        sent = await app.send(
            out.topic,
            key=out.key,
            value=out.value,
            partition=out.partition,
            headers=list(out.headers),
            key_serializer="raw",
            value_serializer="raw",
        )
        await sent

    def remember(outgoing: list[Outgoing]) -> None:
        for out in outgoing:
            if out.topic == specs.JOURNAL.topic() and out.value is not None:
                journal[str(j.decode(out.value).seq)] = out.value.decode()

    async def casework(lane: Any) -> None:
        async for event in lane.events():
            if event.message.partition != config.partition:
                continue
            record = from_faust(event.message)
            first, *others = [*writer().begin(record.at), *writer().decide(j.INBOX, record)]
            if table_first:
                remember([first, *others])
            await send(first)
            if window and record.offset == WINDOW_AT:
                await asyncio.sleep(FLUSHED_S)
                log.warning("in_the_window", region=config.name)
                await asyncio.sleep(WINDOW_S)
            for out in others:
                await send(out)
            if not table_first:
                remember([first, *others])

    app.agent(inbox, concurrency=1)(casework)
    return app


def run(settings: Settings, config: RegionConfig, *, table_first: bool, window: bool) -> int:
    """Until a signal comes."""
    app = build(settings, config, table_first=table_first, window=window)
    # Faust's worker sets logging up for itself.
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.BoundLogger,
    )
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()
    return 0
