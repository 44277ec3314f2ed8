"""What the cluster has against what the specs say: a plan first, which can be shown; then it is applied.

Nothing is ever deleted and no partition is ever added: a region would move to another partition, and its order
would be lost.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from topics.quotas import SetQuota, apply_quotas
from topics.specs import PREFIX, REGION_PARTITIONS, Wanted
from topics.texts import Language, text

VISIBLE_WITHIN_S = 20.0
READY_WITHIN_MS = 60_000
AT_ONCE = 200
"""A controller refuses requests that make some thousand topics (each with its partitions and settings) as too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """One topic as it is on the cluster; ``config`` holds every setting in force."""

    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """The topic is not there."""

    topic: str
    partitions: int
    replication: int
    config: Mapping[str, str]

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text(
            "topic.create",
            language,
            topic=self.topic,
            partitions=self.partitions,
            replication=self.replication,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConfig:
    """One setting differs."""

    topic: str
    setting: str
    was: str | None
    to: str

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text("topic.change", language, topic=self.topic, setting=self.setting, was=self.was or "-", to=self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The number of partitions is wrong; nothing at all is applied until a person has mended it."""

    topic: str
    found: int
    wanted: int

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text("topic.refuse_partitions", language, topic=self.topic, found=self.found, wanted=self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveReplication:
    """The number of copies differs; only moving partitions between brokers can mend that."""

    topic: str
    found: int
    wanted: int

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text("topic.leave_replication", language, topic=self.topic, found=self.found, wanted=self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveUnknown:
    """A topic under our prefix that nobody asks for: of a former receiver, perhaps, with its cases in it."""

    topic: str

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text("topic.leave_unknown", language, topic=self.topic)


Step = Create | ChangeConfig | Refuse | LeaveReplication | LeaveUnknown | SetQuota


class DriftRefused(Exception):
    """The cluster has topics whose number of partitions is not ours to change."""

    def __init__(self, refusals: Sequence[Refuse]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(refusal.say("en") for refusal in refusals))


class ChangeFailed(Exception):
    """The cluster did not take over a setting."""


def actual(admin: KafkaAdminClient) -> dict[str, Actual]:
    """The topics under our prefix, as the cluster has them."""
    names = sorted(name for name in admin.list_topics() if name.startswith(f"{PREFIX}."))
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    found = {}
    for topic in admin.describe_topics(names):
        found[topic["name"]] = Actual(
            partitions=len(topic["partitions"]),
            replication=min(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            config={key: str(config["value"]) for key, config in configs[topic["name"]].items()},
        )
    return found


def plan(wanted: Iterable[Wanted], actual: Mapping[str, Actual]) -> tuple[Step, ...]:
    """What must happen, in the order of the specs; what is left alone comes last."""
    steps: list[Step] = []
    left: list[Step] = []
    known: set[str] = set()
    for want in wanted:
        known.add(want.name)
        have = actual.get(want.name)
        if have is None:
            steps.append(
                Create(
                    topic=want.name,
                    partitions=want.partitions,
                    replication=want.replication,
                    config=want.config,
                )
            )
            continue
        if _must_refuse(want, have):
            steps.append(Refuse(topic=want.name, found=have.partitions, wanted=want.partitions))
        for setting, to in want.config.items():
            was = have.config.get(setting)
            if was != to:
                steps.append(ChangeConfig(topic=want.name, setting=setting, was=was, to=to))
        if have.replication != want.replication:
            left.append(LeaveReplication(topic=want.name, found=have.replication, wanted=want.replication))
    left.extend(LeaveUnknown(topic=name) for name in sorted(set(actual) - known))
    return (*steps, *left)


def _must_refuse(want: Wanted, have: Actual) -> bool:
    # On a region topic even one partition more is wrong: the map of regions names each by its number.
    by_region = want.spec.partitions == REGION_PARTITIONS
    return have.partitions < want.partitions or (by_region and have.partitions != want.partitions)


def apply(admin: KafkaAdminClient, steps: Iterable[Step]) -> None:
    """Carry out a plan; raises ``DriftRefused`` before it touches anything when the plan holds a refusal."""
    steps = tuple(steps)
    if refusals := [step for step in steps if isinstance(step, Refuse)]:
        raise DriftRefused(refusals)
    new = {
        step.topic: {
            "num_partitions": step.partitions,
            "replication_factor": step.replication,
            "configs": dict(step.config),
        }
        for step in steps
        if isinstance(step, Create)
    }
    names = list(new)
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        admin.create_topics({name: new[name] for name in some})
        admin.wait_for_topics(some, timeout_ms=READY_WITHIN_MS)
    changes: dict[str, dict[str, str]] = {}
    for step in steps:
        if isinstance(step, ChangeConfig):
            changes.setdefault(step.topic, {})[step.setting] = step.to
    if changes:
        _change(admin, changes)
    apply_quotas(admin, (step for step in steps if isinstance(step, SetQuota)))


def _change(admin: KafkaAdminClient, changes: Mapping[str, Mapping[str, str]]) -> None:
    told = admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, dict(configs)) for topic, configs in changes.items()]
    )["topic"]
    # The client hands errors back instead of raising them.
    if wrong := {topic: outcome for topic, outcome in told.items() if outcome != "OK"}:
        raise ChangeFailed("; ".join(f"{topic}: {outcome}" for topic, outcome in wrong.items()))
    # The controller has taken it; a broker shows it a moment later.
    until = time.monotonic() + VISIBLE_WITHIN_S
    while not _visible(changes, actual(admin)):
        if time.monotonic() > until:
            raise ChangeFailed(f"not in force after {VISIBLE_WITHIN_S:.0f} s: {', '.join(sorted(changes))}")
        time.sleep(0.05)


def _visible(changes: Mapping[str, Mapping[str, str]], found: Mapping[str, Actual]) -> bool:
    return all(
        topic in found and configs.items() <= dict(found[topic].config).items() for topic, configs in changes.items()
    )
