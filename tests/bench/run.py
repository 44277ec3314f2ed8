"""``python -m tests.bench.run [PART ...]``: the benchmarks, each on a broker of its own. Figures go to stdout.

They assert nothing about time. What each part measures is said in its module.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.board import board
from tests.bench.ground import say, yardstick_ms
from tests.bench.latency import latency
from tests.bench.outage import outage
from tests.bench.pressure import pressure
from tests.bench.profile import profile
from tests.bench.receivers import receivers
from tests.bench.rivals import COMMIT_S, rivals
from tests.bench.takeover import takeover

PARTS = {
    "rivals": lambda folder, given: rivals(
        folder, reports=given.reports, rounds=given.rounds, names=given.ways, commit_s=given.commit_s
    ),
    "latency": lambda folder, given: latency(folder, trickle=given.trickle, flood=given.flood),
    "pressure": lambda folder, given: pressure(folder, flood=given.flood),
    "takeover": lambda folder, given: takeover(folder, records=given.journal),
    "receivers": lambda folder, given: receivers(folder, count=given.receivers),
    "outage": lambda folder, given: outage(folder, minutes=given.minutes),
    "board": lambda folder, given: board(folder, cases=given.cases, watchers=given.watchers, trickle=given.trickle),
    "profile": lambda folder, given: profile(folder, reports=given.reports),
}


def main() -> int:
    given = _arguments().parse_args()
    found: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "yardstick_ms": yardstick_ms()}
    }
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # of topics that were made a moment ago
    root = Path(tempfile.mkdtemp(prefix="meldstroom-bench-"))
    try:
        for part in given.parts or PARTS:
            say(f"{part}: {root / part}")
            (root / part).mkdir()
            found[part] = asyncio.run(PARTS[part](root / part, given))
    finally:
        if not given.keep:
            shutil.rmtree(root, ignore_errors=True)
    if given.output == "json":
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(lines(found)))
    return 0


def lines(found: Any, name: str = "") -> list[str]:
    """Figures as lines of ``name value``."""
    if isinstance(found, dict):
        return [line for key, value in found.items() for line in lines(value, f"{name}.{key}" if name else key)]
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return [line for number, value in enumerate(found) for line in lines(value, f"{name}.{number}")]
    return [f"{name:<60} {found}"]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("-o", dest="output", choices=["text", "json"], default="text")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    parser.add_argument("--reports", type=int, default=10_000, help="rivals, profile: the backlog")
    parser.add_argument("--trickle", type=int, default=1_500, help="latency: reports at 50 a second")
    parser.add_argument("--flood", type=int, default=20_000, help="latency, pressure: reports at once")
    parser.add_argument("--journal", type=int, default=100_000, help="takeover: journal records of the lost region")
    parser.add_argument("--receivers", type=int, default=1_500, help="receivers: how many teams the region has")
    parser.add_argument("--cases", type=int, default=5_000, help="board: open cases of the region")
    parser.add_argument("--watchers", type=int, default=200, help="board: how many people watch")
    parser.add_argument("--minutes", type=float, default=1.0, help="outage: how long the broker is gone")
    parser.add_argument("--rounds", type=int, default=2, help="rivals: how often each way gets its turn")
    parser.add_argument("--ways", nargs="*", default=["meldstroom", "bare", "quix"], help="rivals: which")
    parser.add_argument("--commit-s", type=float, default=COMMIT_S, help="rivals: seconds between two commits, of Quix")
    return parser


if __name__ == "__main__":
    sys.exit(main())
