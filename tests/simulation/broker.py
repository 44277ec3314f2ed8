"""A broker in memory: logs, transactions that commit or vanish, offsets of groups, and a clock that may leap.

What it keeps to is what Kafka promises a ``read_committed`` reader: a transaction is visible whole or not at all,
nothing after an open transaction is, a marker takes an offset, and who opens a transactional id fences its former
holder.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from topics import specs

Place = tuple[str, int]
TRANSACTION_MS = 5_000


@dataclass(slots=True)
class Stored:
    """One record, or (with ``marker``) the mark that ends a transaction. ``true`` is when it really came in, ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    true: int
    transaction: "Transaction | None" = None
    marker: bool = False

    @property
    def counts(self) -> bool:
        """Whether a reader of what is committed gets it."""
        return not self.marker and (self.transaction is None or self.transaction.state == "committed")


@dataclass(slots=True)
class Transaction:
    """What one producer writes between begin and commit."""

    began: int
    state: str = "open"
    first: dict[Place, int] = field(default_factory=dict)
    """Where its first record of each partition lies."""
    offsets: dict[str, dict[Place, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class Holder:
    """Of a transactional id: how often it was opened, and what is under way."""

    epoch: int = 0
    transaction: Transaction | None = None


class Broker:
    """Everything that outlives a worker. ``now`` is true time (ms), ``leap`` by how much the broker's clock is off."""

    def __init__(self, now: int, topics: frozenset[str]) -> None:
        self.now = now
        self.topics = topics
        self.leap = 0
        self.logs: dict[Place, list[Stored]] = defaultdict(list)
        self.holders: dict[str, Holder] = defaultdict(Holder)
        self.groups: dict[str, dict[Place, int]] = defaultdict(dict)
        self._open: list[Transaction] = []

    # Writing ---------------------------------------------------------------------------------------------

    def stamp(self) -> int:
        """The time by the broker's own clock."""
        return self.now + self.leap

    def append(
        self,
        place: Place,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        transaction: Transaction | None = None,
    ) -> int:
        """Write a record; its offset."""
        log = self.logs[place]
        if transaction is not None:
            transaction.first.setdefault(place, len(log))
        log.append(Stored(*place, len(log), self.stamp(), key, value, headers, self.now, transaction))
        return len(log) - 1

    def open(self, transactional_id: str) -> int:
        """Fence whoever held it and end what he left open; the new epoch."""
        holder = self.holders[transactional_id]
        self._abort(holder)
        holder.epoch += 1
        return holder.epoch

    def begin(self, holder: Holder) -> Transaction:
        made = holder.transaction = Transaction(self.now)
        self._open.append(made)
        return made

    def commit(self, holder: Holder) -> None:
        """All of it counts from now on."""
        transaction = holder.transaction
        assert transaction is not None
        for group, offsets in transaction.offsets.items():
            self.groups[group].update(offsets)
        self._end(holder, "committed")

    def pass_time(self, ms: int) -> None:
        """Time passes; a transaction that was left open for too long is ended by the broker, and its holder fenced."""
        self.now += ms
        for holder in self.holders.values():
            if holder.transaction is not None and self.now - holder.transaction.began > TRANSACTION_MS:
                self._abort(holder)
                holder.epoch += 1

    def _abort(self, holder: Holder) -> None:
        if holder.transaction is not None:
            self._end(holder, "aborted")

    def _end(self, holder: Holder, state: str) -> None:
        transaction, holder.transaction = holder.transaction, None
        assert transaction is not None
        transaction.state = state
        self._open.remove(transaction)
        for place in transaction.first:
            log = self.logs[place]
            log.append(Stored(*place, len(log), self.stamp(), None, None, (), self.now, transaction, marker=True))

    # Reading ---------------------------------------------------------------------------------------------

    def end(self, place: Place) -> int:
        """Up to where a reader of what is committed may read."""
        if not self._open:
            return len(self.logs[place])
        open_from = [found.first[place] for found in self._open if place in found.first]
        return min(open_from, default=len(self.logs[place]))

    def read(self, place: Place, start: int = 0, until: int | None = None) -> list[Stored]:
        """The committed records from ``start`` on."""
        end = self.end(place)
        if end <= start:
            return []
        return [found for found in self.logs[place][start : end if until is None else min(end, until)] if found.counts]

    def all(self, spec: specs.TopicSpec) -> list[Stored]:
        """The committed records of every topic of a family, each topic in its order."""
        return [found for place in sorted(self.logs) if spec.owns(place[0]) for found in self.read(place)]
