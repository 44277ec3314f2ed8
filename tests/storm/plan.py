"""Which faults come, in which order: drawn from a seed, so that a storm can be had again. Pure."""

import random
from dataclasses import dataclass

FULL = 300_000
"""Reports of a whole storm; a smaller one has fewer of each fault, and one of each at least."""
MOST_OFTEN = {
    "kill": 48,
    "kill between deciding and writing": 9,
    "kill between write and commit": 10,
    "kill just after the commit": 5,
    "kill during takeover": 10,
    "kill during a snapshot": 9,
    "kill during a revoke": 5,
    "kill after a revoke": 4,
    "kill of the broker": 10,
    "freeze": 20,
    "freeze with a batch in hand": 10,
    "one to three and back": 4,
    "rolling restart": 3,
    "revoke in mid-batch": 3,
    "revoke that outlasts its time": 1,
    "intake down": 2,
    "region workers down": 2,
    "an instance id twice": 1,
    "an instance id twice, the first one frozen": 2,
    "offsets of both groups deleted": 1,
    "queue missing": 1,
    "broker's disk full": 1,
    "worker's disk full": 1,
    "worker's clock an hour ahead": 1,
    "worker's clock ten years behind": 1,
}
"""Fault -> how often in a storm of ``FULL`` reports. The kills of workers are 100."""
EARLY = ("offsets of both groups deleted",)
"""Intake brings everything once more after it: the sooner, the less."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, once so many reports are out."""

    name: str
    after: int


def plan(seed: int, reports: int) -> list[Fault]:
    """The faults of a storm of so many reports, in their order, evenly over it."""
    chance = random.Random(seed)
    share = min(1.0, reports / FULL)
    first = [name for name in EARLY for _ in range(_times(name, share))]
    rest = [name for name in MOST_OFTEN if name not in EARLY for _ in range(_times(name, share))]
    chance.shuffle(rest)
    names = first + rest
    # The last tenth is quiet: what is due then must be in time.
    return [Fault(name, int(reports * 0.9 * (place + 1) / (len(names) + 1))) for place, name in enumerate(names)]


def _times(name: str, share: float) -> int:
    return max(1, round(MOST_OFTEN[name] * share))
