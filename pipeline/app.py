"""The agents, in the order in which a report meets them. Start reading here.

    reports.<source>, answers.<receiver>, acts.<region>
        -> intake     (agents/intake)    checks, splits, seals: every record ends on a lane of its region
        -> inbox, desk
        -> casework   (agents/casework)  one writer a region decides, on the stage (agents/stage)
           dispatch   (agents/dispatch)  what each receiver gets of a decision
        -> journal, queue.<receiver>, notices.<receiver>, receipts.<source>, keys, deadletters
        -> watch      (agents/watch)     figures

Two apps in two processes: ``intake`` reads many topics and may be shared out anew often; ``region`` reads the
two lanes alone, and each of its regions is one transactional writer.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import faust

from agents.casework.writer import CaseworkWriter
from agents.intake.agent import Intake, from_faust
from agents.intake.decide import registry
from agents.policy.region import RegionConfig
from agents.stage.clock import BrokerClock
from agents.stage.stage import Stage
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


def build_intake(
    cluster: Cluster, regions: Mapping[str, RegionConfig], *, instance: str, datadir: str, metrics: Metrics
) -> Built:
    """What integrators, receivers and people publish, brought to the lanes."""
    known = registry(regions)
    app = build_app("intake", cluster, instance=instance, datadir=datadir, assignor=sticky_assignor(None))
    intake = Intake(cluster, known, os.urandom, uuid4)
    intake.attach(
        app,
        [specs.REPORTS.topic(source) for source in known.sources]
        + [specs.ANSWERS.topic(receiver) for receiver in known.receivers]
        + [specs.ACTS.topic(region) for region in regions],
    )
    metrics.follow_intake(intake)
    return Built(app, intake, None)


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
    places = {config.partition: name for name, config in regions.items()}
    app = build_app("region", cluster, instance=instance, datadir=datadir, assignor=sticky_assignor(places.keys()))

    def make_writer(name: str) -> CaseworkWriter:
        writer = CaseworkWriter(regions[name], os.urandom, metrics.decided)
        metrics.follow_writer(name, writer)
        return writer

    stage = Stage(cluster, places, make_writer, clock)
    stage.attach(app, from_faust)
    metrics.follow_stage(stage, regions)
    return Built(app, None, stage)
