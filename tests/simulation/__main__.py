"""Very many schedules: ``make simulate ARGS='--schedules 1000000 --seed 1'``; or one, told by steps: ``--replay 7``.

Progress goes to stderr, one line of figures to stdout. With a finding it ends with 1 and names the seeds.
"""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson

from tests.simulation.invariants import findings
from tests.simulation.processes import PARTITION
from tests.simulation.run import carried_out
from tests.simulation.schedule import drawn
from tests.world import local
from topics import journal as j
from topics import specs

AT_ONCE = 250
DEEP_EVERY = 10
"""Of so many schedules one is decided again from its journal: that costs as much as to carry it out."""
TOLD_EVERY_S = 10.0
SHOWN = 20


@dataclass
class Figures:
    """Of some schedules."""

    schedules: int = 0
    steps: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    found: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        self.schedules += other.schedules
        self.steps += other.steps
        self.happened += other.happened
        self.found |= other.found


def examine(seeds: range) -> Figures:
    """Carry the schedules of these seeds out, and look at each."""
    figures = Figures()
    for seed in seeds:
        outcome = carried_out(drawn(seed))
        if found := findings(outcome, deep=seed % DEEP_EVERY == 0):
            figures.found[seed] = found
        figures.schedules += 1
        figures.steps += len(outcome.schedule.steps)
        figures.happened += outcome.happened
    return figures


def simulate(first: int, schedules: int) -> int:
    """Examine so many schedules on all cores."""
    parts = [
        range(start, min(start + AT_ONCE, first + schedules)) for start in range(first, first + schedules, AT_ONCE)
    ]
    figures = Figures()
    # What every schedule shares is read once, and never looked through for garbage again.
    examine(range(first, first + 1))
    gc.collect()
    gc.freeze()
    began = told = time.monotonic()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for part in pool.imap_unordered(examine, parts):
            figures.add(part)
            _name(part.found)
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                rate = figures.schedules / (told - began)
                print(f"{figures.schedules} of {schedules} schedules, {rate:.0f}/s", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    print(
        orjson.dumps(
            {
                "schedules": figures.schedules,
                "first_seed": first,
                "steps": figures.steps,
                "seconds": round(seconds, 1),
                "schedules_per_second": round(figures.schedules / seconds, 1),
                "schedules_per_hour": round(figures.schedules / seconds * 3_600),
                "decided_again": sum(1 for part in parts for seed in part if seed % DEEP_EVERY == 0),
                "findings": len(figures.found),
                "failing_seeds": sorted(figures.found)[:SHOWN],
                "happened": dict(sorted(figures.happened.items())),
            }
        ).decode()
    )
    return 1 if figures.found else 0


def _name(found: dict[int, list[str]]) -> None:
    for seed, what in found.items():
        print(f"seed {seed}: {what[0]}\n    make simulate ARGS='--replay {seed}'", file=sys.stderr, flush=True)


def replay(seed: int) -> int:
    """Tell one schedule: its steps, what failed and what the product said, the journal, and what is wrong with it."""
    outcome = carried_out(drawn(seed), tell=True)
    print(
        f"seed {seed}, {'cold' if outcome.schedule.cold else 'warm'} workers, "
        f"their clocks {outcome.schedule.clock_off} ms off"
    )
    print(*outcome.story, "", "journal:", sep="\n")
    for stored in outcome.broker.read((specs.JOURNAL.topic(), PARTITION)):
        record = j.decode(stored.value or b"")
        events = " ".join(_short(event) for event in record.events)
        print(
            f"{record.seq:4} written {local(stored.true)} at {local(record.at)} "
            f"{record.lane} {record.offset} {record.input.type}: {events}"
        )
    found = findings(outcome, deep=True)
    print("", *(found or ["nothing is wrong"]), sep="\n")
    return 1 if found else 0


def _short(event: j.Event) -> str:
    about = [getattr(event, name, None) for name in ("case_id", "handover_id")]
    words = [getattr(event, name, None) for name in ("step", "state", "receiver", "colour", "kind", "why", "reason")]
    return "/".join([event.type, *(str(one)[:6] for one in about if one), *(str(one) for one in words if one)])


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate ARGS=...", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--replay", type=int, metavar="SEED", help="tell this one, step by step")
    said = parser.parse_args()
    return replay(said.replay) if said.replay is not None else simulate(said.seed, said.schedules)


if __name__ == "__main__":
    sys.exit(main())
