"""``meldstroom topics``: what the cluster has against what is needed."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Exit,
    Group,
    Sorry,
    as_json,
    cluster_of,
    note,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.words import language

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from pipeline.regions import Outline
    from pipeline.settings import Settings
    from topics.admin import Step


@click.group(cls=Group, help="help.topics")
def topics() -> None:
    """Plan and apply."""


@topics.command(help="help.topics.plan")
@output_option
def plan(output: str) -> None:
    """Exit 1 when something differs."""
    from kafka import KafkaAdminClient

    from topics.admin import LeaveReplication, LeaveUnknown

    found = settings()
    with closing(KafkaAdminClient(**cluster_of(found).client())) as admin:
        steps = steps_of(admin, found)
    show(steps, output)
    if wrong := [step for step in steps if not isinstance(step, LeaveUnknown | LeaveReplication)]:
        note("topics.differ", count=len(wrong))
        raise click.exceptions.Exit(Exit.NOT_SO)
    note("topics.clean")


@topics.command(help="help.topics.apply")
@output_option
def apply(output: str) -> None:
    """Carry the plan out."""
    from kafka import KafkaAdminClient

    found = settings()
    with closing(KafkaAdminClient(**cluster_of(found).client())) as admin:
        steps = apply_all(admin, found)
    show(steps, output)
    note("topics.applied")


def steps_of(admin: "KafkaAdminClient", found: "Settings") -> "tuple[Step, ...]":
    """What the regions need and the cluster lacks; in development no more copies than there are brokers."""
    brokers = len(admin.describe_cluster()["brokers"])
    replication, min_insync = found.kafka.replication, found.kafka.min_insync
    if replication > brokers:
        if not found.development:
            raise Sorry("error.too_few_brokers", Exit.CONFIG, brokers=brokers, replication=replication)
        note("topics.fewer_copies", brokers=brokers, replication=replication)
        replication, min_insync = brokers, min(min_insync, brokers)
    return differing(admin, outlines_of(found), replication=replication, min_insync=min_insync)


def differing(
    admin: "KafkaAdminClient", regions: "Mapping[str, Outline]", *, replication: int, min_insync: int
) -> "tuple[Step, ...]":
    """The steps for the topics and the quotas of these regions."""
    from pipeline.regions import quotas_of, topics_of
    from topics.admin import actual, plan
    from topics.quotas import actual_quotas, plan_quotas

    topics = plan(topics_of(regions, replication=replication, min_insync=min_insync), actual(admin))
    return (*topics, *plan_quotas(quotas_of(regions), actual_quotas(admin)))


def apply_all(admin: "KafkaAdminClient", found: "Settings") -> "tuple[Step, ...]":
    """Make it so; what was done."""
    from topics.admin import apply

    steps = steps_of(admin, found)
    apply(admin, steps)
    return steps


def show(steps: "tuple[Step, ...]", output: str) -> None:
    """The plan, a line a step."""
    if output == "json":
        as_json([as_plain(step) for step in steps])
    elif steps:
        table(("topic", "step"), ((step.topic, step.say(language())) for step in steps))


def as_plain(step: "Step") -> dict[str, Any]:
    """A step for machines."""
    from dataclasses import asdict

    kind = type(step).__name__
    name = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in kind).lstrip("_")
    return {"step": name, **asdict(step)}
