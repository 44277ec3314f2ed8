"""The agents, in the order in which a report meets them. Start reading here.

    reports.<source>, answers.<receiver>, acts.<region>, transfers.<region>
        -> intake     (agents/intake)    checks, splits, seals: every record ends on a lane of its region
        -> inbox, desk
        -> casework   (agents/casework)  one writer a region decides, on the stage (agents/stage)
           dispatch   (agents/dispatch)  what each receiver gets of a decision
        -> journal, queue.<receiver>, notices.<receiver>, receipts.<source>, transfers.<region>, keys,
           deadletters
        -> watch      (agents/watch)     figures

Two apps in two processes: ``intake`` reads many topics and may be shared out anew often; ``region`` reads the
two lanes alone, and each of its regions is one transactional writer.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import faust

from agents.casework.writer import CaseworkWriter
from agents.intake.agent import Intake, from_faust
from agents.intake.decide import Registry, registry
from agents.policy.region import RegionConfig
from agents.stage.clock import BrokerClock
from agents.stage.stage import Stage
from agents.stage.takeover import LANES
from agents.stage.transport import build_app, sticky_assignor
from agents.watch.metrics import Metrics
from topics import specs
from topics.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Built:
    """One app and what runs beside it."""

    app: faust.App
    intake: Intake | None
    stage: Stage | None
    topics: frozenset[str]
    """What it reads."""
    reconfigure: Callable[[Mapping[str, RegionConfig]], bool]
    """Goes on with regions that are configured otherwise; false when only a new start can."""
    places: Callable[[], Awaitable[tuple[bool, dict[str, tuple[int, int]]]]]
    """Whether anything is assigned; what -> (how far it is done, where it ends)."""


def build_intake(
    cluster: Cluster, regions: Mapping[str, RegionConfig], *, instance: str, datadir: str, metrics: Metrics
) -> Built:
    """What integrators, receivers and people publish, brought to the lanes."""
    known = registry(regions)
    topics = read_by_intake(known)
    app = build_app(
        "intake",
        cluster,
        instance=instance,
        datadir=datadir,
        assignor=sticky_assignor(None),
        partitions=len(topics),
    )
    intake = Intake(cluster, known, os.urandom, uuid4)
    intake.attach(app, topics)
    metrics.follow_intake(intake)

    def reconfigure(new: Mapping[str, RegionConfig]) -> bool:
        if read_by_intake(found := registry(new)) != topics:
            return False  # a group reads other topics only after it was shared out anew
        intake.known = found
        return True

    return Built(app, intake, None, frozenset(topics), reconfigure, intake.places)


def read_by_intake(known: Registry) -> list[str]:
    """The topics of whoever may publish."""
    return [
        *(specs.REPORTS.topic(source) for source in known.sources),
        *(specs.ANSWERS.topic(receiver) for receiver in known.receivers),
        *(specs.ACTS.topic(region) for region in known.regions),
        *(specs.TRANSFERS.topic(region) for region in known.regions),
    ]


def build_region(
    cluster: Cluster,
    regions: Mapping[str, RegionConfig],
    clock: BrokerClock,
    *,
    instance: str,
    datadir: str,
    metrics: Metrics,
) -> Built:
    """The regions' writers."""
    current = dict(regions)
    places = {config.partition: name for name, config in regions.items()}
    app = build_app(
        "region",
        cluster,
        instance=instance,
        datadir=datadir,
        assignor=sticky_assignor(places.keys()),
        partitions=specs.INBOX.partitions + specs.DESK.partitions,
    )

    def make_writer(name: str) -> CaseworkWriter:
        writer = CaseworkWriter(current[name], os.urandom, metrics.decided)
        metrics.follow_writer(name, writer)
        return writer

    stage = Stage(cluster, places, make_writer, clock)
    stage.attach(app, from_faust)
    metrics.follow_stage(stage, regions)

    def reconfigure(new: Mapping[str, RegionConfig]) -> bool:
        if {config.partition: name for name, config in new.items()} != places:
            return False
        current.update(new)
        stage.reconfigure(lambda name, writer: cast(CaseworkWriter, writer).reconfigure(current[name]))
        return True

    return Built(app, None, stage, frozenset(LANES.values()), reconfigure, stage.places)
