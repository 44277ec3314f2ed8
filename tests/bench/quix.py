"""The same rules on Quix Streams with its exactly-once: the rival.

``python -m tests.bench.quix intake|region BOOTSTRAP REGIONS STATE COMMIT_S``. It calls the very functions that ours
calls (``agents.intake.decide.bring``, ``CaseworkWriter.decide``); Quix does what the stage does: consume, produce,
keep state, commit. Where a choice had to be made it is the one that is best for Quix:

- Two processes, as ours. Region is ``exactly-once``: what it produces, its changelog and offsets are one transaction.
  Intake is ``at-least-once``, as ours is: casework knows a repeat again, and a transaction more would only cost.
- ``commit_interval``: a commit costs about the same for few records as for many, and nothing can be read before it.
  Quix's own 5 s gives no more reports a second and would add up to 5 s to each; see ``COMMIT_S`` in ``rivals.py``.
- librdkafka's producer gathers for 5 ms (its default since 1.9) and its consumer fetches ahead, as they come.
- Quix keeps what a restart needs in a ``State`` with a changelog topic: the journal record of each decision, from which
  the book is folded. It does not fold it when it starts: the benchmark measures no restart of it.
- What ours does beside is left out: no deadlines, no heartbeats, no metrics, no gaps looked for, no snapshots.
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from quixstreams import Application, State, message_context
from quixstreams.models import Topic
from quixstreams.models.serializers import SerializationContext, Serializer

from agents.casework.writer import CaseworkWriter
from agents.intake.decide import bring, registry
from agents.policy.region import RegionConfig, load_regions
from agents.stage.lane import Arrived
from agents.stage.writer import Outgoing
from pipeline.bench import Way, way_of
from tests.bench.ground import FIRST, renamed
from topics import journal as j
from topics import specs

PREFIX = "quix"


class ValueOf(Serializer):
    """An ``Outgoing`` is written as its value."""

    def __call__(self, value: Any, ctx: SerializationContext) -> Any:
        return value.value


def application(bootstrap: str, role: str, state: str, **how: Any) -> Application:
    return Application(
        broker_address=bootstrap,
        consumer_group=f"{PREFIX}-{role}",
        auto_offset_reset="earliest",
        state_dir=f"{state}/{role}",
        consumer_extra_config={"isolation.level": "read_committed"},
        producer_extra_config={"message.max.bytes": 8 * 1024 * 1024},
        **how,
    )


def raw(app: Application, topic: str) -> Topic:
    """A topic of bytes, of which ``Outgoing`` is written."""
    return app.topic(
        topic, key_serializer="bytes", key_deserializer="bytes", value_serializer=ValueOf(), value_deserializer="bytes"
    )


def intake(app: Application, regions: dict[str, RegionConfig], way: Way) -> None:
    """A report becomes a lane record."""
    known, chance = registry(regions), random.Random()
    lane = raw(app, renamed(specs.INBOX.topic(), PREFIX))

    def brought(value: bytes, key: bytes, timestamp: int, headers: Any) -> Outgoing:
        place = message_context()
        published = Arrived(way.reports, place.partition, place.offset, timestamp, key, value, tuple(headers or ()))
        key_id = str(UUID(int=chance.getrandbits(128), version=4))
        found = bring(published, known, key_id, os.urandom)
        return Outgoing(lane.name, found.region.encode(), j.encode_lane(found.message))

    frame = app.dataframe(raw(app, renamed(way.reports, PREFIX)))
    frame = frame.apply(brought, metadata=True).set_headers(_headers)
    frame.to_topic(lane, key=lambda out: out.key)


def region(app: Application, config: RegionConfig) -> None:
    """A lane record becomes what casework writes, and its journal record is kept."""
    writer = CaseworkWriter(config, os.urandom, lambda record, book: None)
    writer.committed(range(len(writer.begin(int(time.time() * 1000)))))
    receivers = [found.id for found in config.directory.own()]
    wanted = specs.wanted(
        sources=[found.id for found in config.sources],
        receivers=receivers,
        regions=[config.name],
        replication=1,
        min_insync=1,
    )
    topics = {want.name: raw(app, renamed(want.name, PREFIX)) for want in wanted if _written(want.name)}

    def decided(value: bytes, key: bytes, timestamp: int, headers: Any, state: State) -> list[Outgoing]:
        place = message_context()
        out = writer.decide(j.INBOX, Arrived(place.topic, place.partition, place.offset, timestamp, key, value, ()))
        writer.committed([writer.book.seq - 1])
        state.set_bytes(str(place.offset), out[0].value)
        return out

    frame = app.dataframe(raw(app, renamed(specs.INBOX.topic(), PREFIX)))
    frame = frame.apply(decided, metadata=True, stateful=True, expand=True).set_headers(_headers)
    frame.to_topic(lambda out, key, timestamp, headers: topics[out.topic], key=lambda out: out.key)


def _written(topic: str) -> bool:
    """Whether bench reports lead to records on this topic: Quix declares those that it may write to."""
    return topic in (specs.JOURNAL.topic(), specs.KEYS.topic()) or any(
        spec.owns(topic) for spec in (specs.QUEUE, specs.NOTICES, specs.RECEIPTS)
    )


def _headers(out: Outgoing, key: Any, timestamp: int, headers: Any) -> list[tuple[str, bytes]]:
    return list(out.headers)


def main() -> None:
    role, bootstrap, folder, state, commit_s = sys.argv[1:6]
    regions = load_regions(Path(folder), development=True)
    if role == "intake":
        app = application(bootstrap, role, state)
        intake(app, regions, way_of(regions[FIRST]))
    else:
        app = application(bootstrap, role, state, processing_guarantee="exactly-once", commit_interval=float(commit_s))
        region(app, regions[FIRST])
    app.run()


if __name__ == "__main__":
    main()
