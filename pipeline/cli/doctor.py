"""``meldstroom doctor``: what is missing or wrong, on one screen, with what mends it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from pipeline.cli.manners import (
    Command,
    Exit,
    as_json,
    cluster_of,
    explained,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.words import language, say

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from pipeline.settings import Settings
    from topics.cluster import Cluster

Level = Literal["ok", "warning", "error"]
LISTENS_S = 3.0
SKEW_WARNING_MS, SKEW_ERROR_MS = 5_000, 60_000
"""From a minute on a worker fires nothing (``agents/stage/clock.py``)."""
YEAR_MINUTES = 525_600
STYLE = {"ok": "green", "warning": "yellow", "error": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    check: str
    level: Level
    found: str
    mend: str = ""


@click.command(cls=Command, help="help.doctor")
@output_option
def doctor(output: str) -> None:
    """Exit 1 when something is wrong that keeps reports from being routed."""
    checks = list(examine())
    if output == "json":
        as_json([asdict(check) for check in checks])
    else:
        from rich.text import Text

        table(
            ("check", "level", "found", "mend"),
            (
                (
                    say(f"doctor.{check.check}"),
                    Text(say(f"doctor.level.{check.level}"), style=STYLE[check.level]),
                    check.found,
                    check.mend,
                )
                for check in checks
            ),
        )
    if any(check.level == "error" for check in checks):
        raise click.exceptions.Exit(Exit.NOT_SO)


def examine() -> Iterator[Check]:
    """Everything, in the order in which one thing needs the other."""
    found = settings()
    yield from _tools(found)
    yield from _guarded("regions", lambda: _regions(found))
    try:
        cluster = cluster_of(found)
    except Exception as error:
        yield Check(check="broker", level="error", found=explained(error).message, mend="meldstroom up")
        return
    from kafka import KafkaAdminClient

    with closing(KafkaAdminClient(**cluster.client())) as admin:
        yield from _guarded("broker", lambda: _broker(admin, cluster))
        yield from _guarded("topics", lambda: _topics(admin, found))
        yield from _guarded("broker_settings", lambda: _broker_settings(admin, found))
        yield from _guarded("groups", lambda: _groups(admin))
    yield from _guarded("clock", lambda: _beats(cluster))


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A look that fails is a finding too, and the others go on."""
    try:
        yield from look()
    except Exception as error:
        yield Check(check=name, level="error", found=explained(error).message)


def _tools(found: "Settings") -> Iterator[Check]:
    """Only a broker of our own needs them."""
    from pipeline.kafka_jars import missing_tools

    own = found.kafka.bootstrap is None or found.kafka.bootstrap.startswith("127.0.0.1:")
    missing = {one.tool: one for one in missing_tools()}
    for tool in ("java", "mvn"):
        if (one := missing.get(tool)) is None:
            yield Check(check=tool, level="ok", found=say("doctor.present"))
        else:
            level: Level = "error" if own else "ok"
            yield Check(check=tool, level=level, found=one.found or say("doctor.absent"), mend=one.text(language()))


def _regions(found: "Settings") -> Iterator[Check]:
    from pipeline.cli.worker import gap_lines
    from pipeline.regions import quotas_of

    regions = outlines_of(found)
    yield Check(
        check="regions", level="ok", found=", ".join(f"{one.name} ({one.partition})" for one in regions.values())
    )
    for line in gap_lines({name: region.directory for name, region in regions.items()}):
        yield Check(check="gaps", level="warning", found=line, mend="directory.yaml")
    if not found.development and (chosen := [one.client for one in quotas_of(regions) if one.kind == "client-id"]):
        # Whoever floods would only take another client-id; or that of a source, to have that one slowed.
        said = say("doctor.no_principal", count=len(chosen), first=chosen[0])
        yield Check(check="quotas", level="warning", found=said, mend="sources.yaml: principal")


def _broker(admin: "KafkaAdminClient", cluster: "Cluster") -> Iterator[Check]:
    seen = admin.describe_cluster()
    brokers = len(seen["brokers"])
    # The client guesses from the calls that a broker offers: of a newer one it says the newest it knows.
    version = ".".join(map(str, admin.get_broker_version_data(seen["brokers"][0]["broker_id"]).broker_version))
    said = say("doctor.brokers", bootstrap=cluster.bootstrap, brokers=brokers, version=version)
    yield Check(check="broker", level="ok", found=said)


def _topics(admin: "KafkaAdminClient", found: "Settings") -> Iterator[Check]:
    from pipeline.cli.topics import differing
    from topics.admin import LeaveReplication, LeaveUnknown, Refuse

    brokers = len(admin.describe_cluster()["brokers"])
    kafka = found.kafka
    copies, insync = kafka.replication, kafka.min_insync
    if copies > brokers:
        yield Check(
            check="copies",
            level="warning" if found.development else "error",
            found=say("doctor.copies_wanted", brokers=brokers, replication=copies),
            mend="MELDSTROOM_KAFKA__REPLICATION",
        )
        copies, insync = brokers, min(insync, brokers)
    steps = differing(admin, outlines_of(found), replication=copies, min_insync=insync)
    wrong = [step for step in steps if not isinstance(step, LeaveUnknown | LeaveReplication)]
    if not wrong:
        yield Check(check="topics", level="ok", found=say("topics.clean"))
    else:
        said = say("doctor.topics_differ", count=len(wrong), first=wrong[0].say(language()))
        mend = "meldstroom topics plan" if any(isinstance(s, Refuse) for s in wrong) else "meldstroom topics apply"
        yield Check(check="topics", level="error", found=said, mend=mend)
    for step in steps:
        if isinstance(step, LeaveReplication):
            yield Check(check="copies", level="warning", found=step.say(language()), mend="kafka-reassign-partitions")


def _broker_settings(admin: "KafkaAdminClient", found: "Settings") -> Iterator[Check]:
    """What design section 2 asks of the brokers themselves."""
    from kafka.admin import ConfigResource, ConfigResourceType

    nodes = [str(one["broker_id"]) for one in admin.describe_cluster()["brokers"]]
    resources = [ConfigResource(ConfigResourceType.BROKER, node) for node in nodes]
    told = admin.describe_configs(resources, config_filter="all")
    copies, insync = min(3, found.kafka.replication), min(2, found.kafka.min_insync)
    wanted: dict[str, tuple[str, Callable[[str], bool], Level]] = {
        "offsets.topic.replication.factor": (f">= {copies}", lambda v: int(v) >= copies, "error"),
        "transaction.state.log.replication.factor": (f">= {copies}", lambda v: int(v) >= copies, "error"),
        "transaction.state.log.min.isr": (f">= {insync}", lambda v: int(v) >= insync, "error"),
        "unclean.leader.election.enable": ("false", lambda v: v == "false", "error"),
        "offsets.retention.minutes": (f">= {YEAR_MINUTES}", lambda v: int(v) >= YEAR_MINUTES, "error"),
        "log.message.timestamp.type": ("LogAppendTime", lambda v: v == "LogAppendTime", "warning"),
        "auto.create.topics.enable": ("false", lambda v: v == "false", "warning"),
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": ("<= 1000", lambda v: int(v) <= 1000, "warning"),
        "replica.fetch.max.bytes": (">= 8388608", lambda v: int(v) >= 8 * 1024 * 1024, "warning"),
    }
    wrong: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node, config in next(iter(told.values())).items():
        for name, (_, holds, _) in wanted.items():
            value = str(config[name]["value"]) if name in config else "?"
            if value != "?" and not holds(value):
                wrong[name, value].append(str(node))
    for (name, value), where in wrong.items():
        needs, _, level = wanted[name]
        level = "warning" if found.development else level
        nodes_said = ", ".join(where)
        said = say("doctor.setting", name=name, value=value, needs=needs, nodes=nodes_said)
        yield Check(check="broker_settings", level=level, found=said, mend="server.properties")
    if not wrong:
        yield Check(check="broker_settings", level="ok", found=say("doctor.as_needed"))


def _groups(admin: "KafkaAdminClient") -> Iterator[Check]:
    """Who does the work."""
    from kafka.errors import CoordinatorNotAvailableError

    from agents.stage.transport import group_of
    from pipeline.cli.worker import ROLES

    try:
        groups = admin.describe_groups([group_of(role) for role in ROLES])
    except CoordinatorNotAvailableError:  # a new cluster, on which no group has ever been
        groups = {}
    for role in ROLES:
        group = groups.get(group_of(role), {"members": []})
        members = [
            f"{one['group_instance_id'] or one['client_id']} ({one['client_host'].lstrip('/')})"
            for one in group["members"]
        ]
        if members:
            level: Level = "ok" if group["group_state"] == "Stable" else "warning"
            said = say("doctor.members", group=group_of(role), state=group["group_state"], members=", ".join(members))
            yield Check(check="groups", level=level, found=said)
        else:
            said = say("doctor.no_members", group=group_of(role))
            yield Check(check="groups", level="error", found=said, mend=f"meldstroom worker {role}")


def _beats(cluster: "Cluster") -> Iterator[Check]:
    """Listens to the heartbeats for a moment: the broker's clock, and two holders of one instance id."""
    import json

    from pipeline.journal_reader import NoTopic, ends_of, read_values
    from topics.specs import HEARTBEATS

    topic = HEARTBEATS.topic()
    try:
        start = ends_of(cluster, topic, [0])
    except NoTopic:
        return  # the topics' own line says so
    skews: list[int] = []
    boots: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for _, record in read_values(cluster, topic, [0], follow=True, start=start, for_s=LISTENS_S):
        skews.append(int(time.time() * 1000) - record.timestamp)
        said = json.loads(record.value)
        boots[record.key.decode()][said["boot"]] = said
    if not skews:
        yield Check(check="clock", level="warning", found=say("doctor.no_beats"), mend="meldstroom worker")
        return
    # A beat reaches us a little after it was stamped, never before.
    skew = min(skews, key=abs)
    level: Level = "error" if abs(skew) > SKEW_ERROR_MS else "warning" if abs(skew) > SKEW_WARNING_MS else "ok"
    mend = "" if level == "ok" else "timedatectl set-ntp true"
    yield Check(check="clock", level=level, found=say("doctor.skew", ms=skew), mend=mend)
    twice = {instance: held for instance, held in boots.items() if len(held) > 1}
    for instance, held in twice.items():
        who = ", ".join(f"{one['pid']} @ {one['host']}" for one in held.values())
        said_twice = say("doctor.two_holders", instance=instance, who=who)
        yield Check(check="instances", level="error", found=said_twice, mend="MELDSTROOM_INSTANCE")
    if not twice:
        yield Check(check="instances", level="ok", found=", ".join(sorted(boots)))
