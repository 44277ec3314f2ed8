"""Every topic, as one value, in the order in which a report meets them.

A family (``reports.<source>``) has one topic per integrator, receiver or region, because a broker's rights
are per topic: so no sender can pose as another and no team can read its neighbour's cases.
A region is always whole on one partition of the region topics, by an append-only map.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

PREFIX = "meldstroom"
VERSION = "v1"
REGION_PARTITIONS = 64
MIB = 1024 * 1024
FROM_OUTSIDE_MAX = 5 * MIB // 2
"""A dead letter holds the original, coded and sealed: at most 8/3 of it, and that must fit in 8 MiB."""

REPORT_TYPE = "nl.veiligthuis-meldingen.melding-gedaan.v1"
ANSWER_TYPE = "nl.veiligthuis-overdrachten.overdracht-beantwoord.v1"
ACT_TYPE = "nl.veiligthuis-casussen.handeling-verricht.v1"
RECEIPT_TYPE = "nl.veiligthuis-meldingen.melding-ontvangen.v1"
OFFER_TYPE = "nl.veiligthuis-overdrachten.overdracht-aangeboden.v1"
RECALL_TYPE = "nl.veiligthuis-overdrachten.overdracht-ingetrokken.v1"
TRANSFER_TYPE = "nl.veiligthuis-overdrachten.overdracht-tussen-regios.v1"
NOTICE_TYPE = "nl.veiligthuis-casussen.kennisgeving-gedaan.v1"
DEAD_LETTER_TYPE = "nl.veiligthuis-meldingen.bericht-afgekeurd.v1"
JOURNAL_TYPE = "nl.veiligthuis-casussen.besluit-vastgelegd.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """What Meldstroom promises about one topic, or about each topic of a family (``of`` says a topic per what)."""

    name: str
    of: str | None
    types: tuple[str, ...]
    key: str
    partitions: int
    kept: timedelta | None
    """None: for ever, or by compaction."""
    compacted: bool = False
    transactional: bool = False
    """Written in transactions: read it ``read_committed``."""
    max_bytes: int = MIB
    extra: dict[str, str] = field(default_factory=dict)
    written_by: str
    read_by: str
    why: str

    def topic(self, member: str | None = None) -> str:
        """The topic's full name; a family needs its ``member``."""
        if (member is None) is not (self.of is None):
            raise ValueError(f"{self.name}: {'name whose' if self.of else 'it is one topic'}")
        middle = self.name if member is None else f"{self.name}.{member}"
        return f"{PREFIX}.{middle}.{VERSION}"

    def member(self, topic: str) -> str:
        """Whose topic of this family it is: the way back from ``topic``."""
        return topic[len(PREFIX) + len(self.name) + 2 : -len(VERSION) - 1]

    def owns(self, topic: str) -> bool:
        """Whether ``topic`` is of this family."""
        return self.of is not None and topic.startswith(f"{PREFIX}.{self.name}.")

    def config(self, *, min_insync: int) -> dict[str, str]:
        """The broker's settings for it."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": "-1" if self.kept is None else str(int(self.kept / timedelta(milliseconds=1))),
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(min_insync),
            "unclean.leader.election.enable": "false",
            **self.extra,
        }


# A compressed batch is opened by the broker, so that a bomb is refused there by its real size.
_FROM_OUTSIDE = {"compression.type": "uncompressed"}

REPORTS = TopicSpec(
    name="reports", of="source", types=(REPORT_TYPE,), key="report id", partitions=1,
    kept=timedelta(days=30), max_bytes=FROM_OUTSIDE_MAX, extra=_FROM_OUTSIDE,
    written_by="that integrator alone", read_by="intake",
    why="Reports as they are handed in; alarm at half of what is kept.",
)  # fmt: skip
RECEIPTS = TopicSpec(
    name="receipts", of="source", types=(RECEIPT_TYPE,), key="report id", partitions=1,
    kept=timedelta(days=30), transactional=True,
    written_by="casework", read_by="that integrator alone",
    why="What became of each published record, within seconds.",
)  # fmt: skip
ANSWERS = TopicSpec(
    name="answers", of="receiver", types=(ANSWER_TYPE,), key="case id", partitions=1,
    kept=timedelta(days=30), max_bytes=FROM_OUTSIDE_MAX, extra=_FROM_OUTSIDE,
    written_by="that receiver alone", read_by="intake",
    why="What a receiver does with what it was offered.",
)  # fmt: skip
ACTS = TopicSpec(
    name="acts", of="region", types=(ACT_TYPE,), key="case id", partitions=1,
    kept=timedelta(days=30), max_bytes=FROM_OUTSIDE_MAX, extra=_FROM_OUTSIDE,
    written_by="command line and board, for signed-in people", read_by="intake",
    why="What people of the centre do.",
)  # fmt: skip
TRANSFERS = TopicSpec(
    name="transfers", of="region", types=(TRANSFER_TYPE,), key="case id", partitions=1,
    kept=timedelta(days=30), transactional=True, max_bytes=FROM_OUTSIDE_MAX,
    written_by="the casework of other regions", read_by="intake",
    why="Cases that another centre hands over to this one, and its answers about those that go the other way.",
)  # fmt: skip
INBOX = TopicSpec(
    name="inbox", of=None, types=(), key="region", partitions=REGION_PARTITIONS,
    kept=timedelta(days=7), max_bytes=8 * MIB,
    written_by="intake, without transactions", read_by="casework",
    why="Reports of a region, checked and sealed, in one order. Seven days is the longest outage of casework.",
)  # fmt: skip
DESK = TopicSpec(
    name="desk", of=None, types=(), key="region", partitions=REGION_PARTITIONS,
    kept=timedelta(days=7), max_bytes=8 * MIB,
    written_by="intake, without transactions", read_by="casework, before the inbox",
    why="What people do in a region, and other regions: answers, acts and transfers.",
)  # fmt: skip
JOURNAL = TopicSpec(
    name="journal", of=None, types=(JOURNAL_TYPE,), key="region", partitions=REGION_PARTITIONS,
    kept=None, transactional=True, max_bytes=8 * MIB,
    written_by="casework alone", read_by="everybody of ours",
    why="The truth: one record per input with every event that followed. Kept as long as the law says.",
)  # fmt: skip
SNAPSHOTS = TopicSpec(
    name="snapshots", of=None, types=(), key="region, part, slot", partitions=REGION_PARTITIONS,
    kept=None, compacted=True, transactional=True, max_bytes=8 * MIB,
    # Small segments: the one that is written to is never compacted, and a takeover reads all that lies there.
    extra={
        "max.compaction.lag.ms": "86400000", "segment.ms": "3600000", "segment.bytes": str(64 * MIB),
        "min.cleanable.dirty.ratio": "0.01",
    },
    written_by="casework", read_by="casework",
    why="The book of a region at one position, so that a takeover need not read the journal from its start.",
)  # fmt: skip
QUEUE = TopicSpec(
    name="queue", of="receiver", types=(OFFER_TYPE, RECALL_TYPE), key="case id", partitions=1, max_bytes=4 * MIB,
    kept=timedelta(days=183), transactional=True,
    written_by="casework alone", read_by="that receiver alone",
    why="Cases offered to a receiver, each hop exactly once for a read_committed reader.",
)  # fmt: skip
NOTICES = TopicSpec(
    name="notices", of="receiver", types=(NOTICE_TYPE,), key="case id", partitions=1, max_bytes=4 * MIB,
    kept=timedelta(days=183), transactional=True,
    written_by="casework alone", read_by="that receiver alone",
    why="What a receiver must know beside its offers.",
)  # fmt: skip
KEYS = TopicSpec(
    name="keys", of=None, types=(), key="random key id", partitions=REGION_PARTITIONS,
    kept=None, compacted=True, transactional=True, max_bytes=4 * MIB,
    extra={
        "max.compaction.lag.ms": "86400000", "segment.ms": "3600000",
        "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "86400000",
    },
    written_by="casework, and erasure", read_by="those who open sealed parts",
    why="The keys of sealed parts, each wrapped for who may open it. A key that is gone is data that is gone.",
)  # fmt: skip
DEADLETTERS = TopicSpec(
    name="deadletters", of=None, types=(DEAD_LETTER_TYPE,), key="source", partitions=REGION_PARTITIONS,
    kept=timedelta(days=400), transactional=True, max_bytes=8 * MIB,
    written_by="casework", read_by="operations",
    why="What no one could read or decide, whole and sealed, until a person has looked.",
)  # fmt: skip
HEARTBEATS = TopicSpec(
    name="heartbeats", of=None, types=(), key="instance id", partitions=1, kept=timedelta(hours=1),
    written_by="every worker", read_by="every worker, at its start",
    why="The broker's clock as each worker sees it, and who holds an instance id.",
)  # fmt: skip
OPENINGS = TopicSpec(
    name="openings", of=None, types=(), key="region", partitions=REGION_PARTITIONS, kept=timedelta(days=5 * 366),
    written_by="the board, before it shows anything", read_by="who looks after privacy at the centre",
    why="Who opened what was reported about whom, and when. Kept for five years, as NEN 7513 has it for care.",
)  # fmt: skip

SPECS: tuple[TopicSpec, ...] = (
    REPORTS, RECEIPTS, ANSWERS, ACTS, TRANSFERS, INBOX, DESK, JOURNAL, SNAPSHOTS, QUEUE, NOTICES, KEYS, DEADLETTERS,
    HEARTBEATS, OPENINGS,
)  # fmt: skip

TO_INTAKE = (REPORTS, ANSWERS, ACTS, TRANSFERS)
"""What intake reads."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One topic as it must be on the cluster."""

    name: str
    spec: TopicSpec
    partitions: int
    replication: int
    config: dict[str, str]


def wanted(
    *,
    sources: Iterable[str],
    receivers: Iterable[str],
    regions: Iterable[str],
    replication: int,
    min_insync: int,
) -> Iterator[Wanted]:
    """All topics that these sources, receivers and regions need, in the order of ``SPECS``."""
    members = {
        "source": sorted(set(sources)),
        "receiver": sorted(set(receivers)),
        "region": sorted(set(regions)),
    }
    for spec in SPECS:
        for member in [None] if spec.of is None else members[spec.of]:
            yield Wanted(spec.topic(member), spec, spec.partitions, replication, spec.config(min_insync=min_insync))


QuotaKind = Literal["user", "client-id"]

SOURCE_LIMITS = {"producer_byte_rate": float(MIB), "request_percentage": 25.0}
"""What a source may take of each broker: bytes a second, and percents of one thread's time.

The whole country reports 0.011 times a second and a report is a few KiB, so 350 reports in each second is what no
source sends in its normal work, nor when it catches up after a bad day; and it is a sixth of what intake brings over
on two cores. Rates are counted over some ten seconds: one large report is not slowed. The second limit is for who
sends next to nothing, but all the time.
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """How fast one source may publish, and by what the brokers know it."""

    source: str
    kind: QuotaKind
    client: str
    limits: Mapping[str, float]


def quotas(sources: Mapping[str, str | None], limits: Mapping[str, float] = SOURCE_LIMITS) -> Iterator[Quota]:
    """The quota of each of ``sources``: its id, and its principal where one is known."""
    for source, principal in sorted(sources.items()):
        if principal is None:
            yield Quota(source, "client-id", source, limits)
        else:
            yield Quota(source, "user", principal, limits)
