"""``make storm``: everything goes wrong that may, and afterwards one checker reads all that lies on the broker.

``python -m tests.storm.run [--reports N] [--seed N]``: from a few minutes (6,000 reports) to an hour (300,000). Wants a
mount namespace of its own, for disks that can be full: ``make storm`` gives it one. Figures and findings go to
stdout; the exit code is 1 when anything was found.
"""

import argparse
import json
import logging
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from tests.storm.deadlines import Outages, merged
from tests.storm.disk import Disk
from tests.storm.faults import SESSION_S, Crew, Storm
from tests.storm.field import Field, wait_for
from tests.storm.history import History, check, counts, read_all, read_history
from tests.storm.plan import FULL, plan
from tests.storm.replayed import differing
from tests.storm.traffic import Traffic
from topics import journal as j
from topics import specs

WORKING_DAY_S = 15.0
SNAPSHOT_EVERY = 1_500
BROKER = {
    # A producer that does nothing for so long is forgotten, as after seven days.
    "transactional.id.expiration.ms": "15000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "1000",
}
QUIET_WITHIN_S = 900.0
ONE_BY_ONE = 5_000
LINES = 5


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends it leaves no worker and no broker behind
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**31)
    say(f"seed {seed}: make storm ARGS='--reports {given.reports} --seed {seed}'")
    root = Path(tempfile.mkdtemp(prefix="meldstroom-storm-"))
    try:
        found = storm(root, seed, given.reports, set(given.only or ()))
    finally:
        if not given.keep:
            shutil.rmtree(root, ignore_errors=True)
    print(json.dumps(found, indent=2) if given.output == "json" else "\n".join(_lines(found)))
    return (
        1 if found["unexpected"] or any(found["findings"].values()) or any(found["decided_otherwise"].values()) else 0
    )


def storm(root: Path, seed: int, reports: int, only: set[str]) -> dict[str, Any]:
    """One storm; its figures and findings."""
    chance = random.Random(seed)
    faults = [fault for fault in plan(seed, reports) if not only or fault.name in only]
    aims = root / "aims"
    aims.mkdir()
    disk = Disk(root, "14g")
    with ExitStack() as stack:
        field = Field(root, working_day_s=WORKING_DAY_S, broker_folder=disk.large / "broker", overrides=BROKER)
        # Its disk goes with this process; what it said is left to whoever looks.
        stack.callback(shutil.copy, disk.large / "broker" / "broker.log", root)
        stack.callback(field.close)
        crew = Crew(field, f"windows={aims}", f"session={SESSION_S}", f"snapshot-every={SNAPSHOT_EVERY}")
        stack.callback(crew.kill)
        traffic = Traffic(field.broker.bootstrap, field.regions, seed, reports, WORKING_DAY_S)
        traffic.left_alone = {traffic.ways[next(iter(traffic.ways))].teams[-1].id}
        crew.add("intake", "a")
        for name in "ab":
            crew.add("region", name)
        say("idle until the broker has forgotten every producer")
        _idle(field, crew)
        began = time.time()
        traffic.start()
        raging = Storm(field, traffic, crew, chance, aims, disk, _faketime(), say)
        raging.recovered()
        raging.run(faults)
        raged_s = time.time() - began
        say("quiet; the rest, and what is due")
        unsettled = traffic.finish(QUIET_WITHIN_S)
        if unsettled:
            say(f"still waited for: {unsettled}")
        ended = time.time()
        time.sleep(4 * WORKING_DAY_S)  # steps fall due while nothing is down: those must be in time
        _all_read(field)
        began_last = time.time()
        flat = _one_by_one(field, crew, traffic, seed + 1, max(500, ONE_BY_ONE * reports // FULL))
        raging.done.append(("one by one", int(began_last * 1000), int(time.time() * 1000)))
        crew.end()
        say("reading all of it")
        again = _decided_again(field)
        outages = merged((start, until) for _, start, until in raging.done)
        history = _history(field, traffic, outages)
        findings = check(history)
        return {
            "seed": seed,
            "reports": traffic.published,
            "seconds": round(raged_s, 1),
            "faults": dict(Counter(fault.name for fault in faults)),
            "windows_missed": dict(raging.missed),
            "back_s": {name: {"median": statistics.median(s), "max": max(s)} for name, s in raging.back_s.items()},
            "restarted_by_themselves": dict(crew.restarted),
            "broker_started_once_more": raging.broker_again,
            "traffic": {**traffic.counts, "receipts": traffic.settled},
            "still_waited_for": unsettled,
            "journal": _journal_counts(history, outages),
            "longest_silence": {
                name: _silence(stamps, began, ended, raging.done) for name, stamps in history.stamps.items()
            },
            "one_by_one": flat,
            "unexpected": crew.unexpected,
            "decided_otherwise": again,
            "findings": findings.counts(),
            "found": {name: some[:LINES] for name, some in vars(findings).items() if some},
        }


def _idle(field: Field, crew: Crew) -> None:
    """Nothing happens for as long as the broker keeps producers in mind, so that each region's first batch finds it has
    been forgotten."""
    wait_for("both regions open", lambda: sum(w.log().count("region_opened") for w in crew.of("region")) >= 2)

    def kept() -> list[Any]:
        ids = [found.transactional_id for some in field.admin.list_transactions().values() for found in some]
        return [one for one in ids if one.startswith("meldstroom-region-")]

    wait_for("producers are forgotten", lambda: not kept())


def _one_by_one(field: Field, crew: Crew, traffic: Traffic, seed: int, reports: int) -> dict[str, float]:
    """Records that are a transaction each, as in a quiet week: what one costs at the beginning and at the end."""
    say(f"{reports} transactions of one record")
    for worker in crew.of("region"):
        crew.remove(worker, signal.SIGUSR1)
    worker = field.worker("region", "one", "batch=1", f"session={SESSION_S}")
    wait_for("open", lambda: worker.log().count("region_opened") >= 2)
    region = next(iter(field.regions))
    place = field.regions[region].partition
    began = time.time()
    quiet = Traffic(field.broker.bootstrap, {region: field.regions[region]}, seed, reports, WORKING_DAY_S)
    quiet.after(5_000_000)
    quiet.start()
    if waits := quiet.finish(QUIET_WITHIN_S):
        say(f"still waited for: {waits}")
    _all_read(field)
    worker.stop()
    traffic.confirmed += quiet.confirmed
    # Reports alone: what deadlines and answers add between them waits for its moment, not for the broker.
    stamps = [
        record.timestamp
        for record in read_all(field.broker.bootstrap, [specs.JOURNAL.topic()], place)
        if record.timestamp >= began * 1000 and isinstance(j.decode(record.value).input, j.ReportInput)
    ]
    each = [later - earlier for earlier, later in pairwise(stamps)]
    tenth = max(2, len(each) // 10)
    first, last = statistics.median(each[:tenth]), statistics.median(each[-tenth:])
    return {
        "reports": len(stamps),
        "first_tenth_median_ms": first,
        "last_tenth_median_ms": last,
        "ratio": round(last / first, 2) if first else 0.0,
    }


def _all_read(field: Field) -> None:
    for group, families in (("intake", ("reports", "answers", "acts")), ("region", ("desk", "inbox"))):
        for family in families:
            wait_for(f"{family} is read", lambda g=group, f=family: field.read_by(g, f), 300)  # type: ignore[misc]


def _history(field: Field, traffic: Traffic, outages: Outages) -> History:
    published: dict[str, list[str]] = {}
    for way in traffic.ways.values():
        identities = published.setdefault(way.source.id, [])
        for record in read_all(field.broker.bootstrap, [way.reports]):
            said = orjson.loads(record.value)
            identities.append(f"{way.source.id}/{said['report_id']}/{said.get('version', 1)}")
    history = read_history(field.broker.bootstrap, published, field.receivers, whole=False)
    heard = [specs.ANSWERS.topic(receiver) for receiver in field.receivers]
    history.said = counts(field.broker.bootstrap, [*heard, *(specs.ACTS.topic(name) for name in field.regions)])
    history.confirmed = traffic.confirmed
    history.outages = outages
    return history


def _decided_again(field: Field) -> dict[str, int]:
    """Region -> how many of its records come out otherwise when their inputs are decided once more."""
    with ProcessPoolExecutor(len(field.regions)) as pool:
        jobs = {
            name: pool.submit(differing, field.broker.bootstrap, field.regions_folder, name) for name in field.regions
        }
        return {name: job.result() for name, job in jobs.items()}


def _journal_counts(history: History, outages: list[tuple[int, int]]) -> dict[str, int]:
    """What there was of what had to be there."""
    found: Counter[str] = Counter()
    for records in history.journal.values():
        for record in records:
            found["records"] += 1
            said = record.input
            for event in record.events:
                found["steps fired"] += isinstance(event, j.StepFired)
                found["said to be late"] += isinstance(event, j.StepFired) and event.late
                found["erased"] += isinstance(event, j.Erased)
                found["registered"] += isinstance(event, j.Registered)
                if isinstance(event, j.Answered):
                    found["answered"] += 1
                    assert isinstance(said, j.AnswerInput)
                    came = said.origin.arrived
                    found["answered during an outage"] += any(start <= came <= until for start, until in outages)
    return dict(found)


def _silence(stamps: list[int], began: float, ended: float, done: list[tuple[str, int, int]]) -> dict[str, Any]:
    """The longest time without a record while everybody was at work, and what was going on when it began."""
    within = [int(began * 1000), *(one for one in stamps if began * 1000 <= one <= ended * 1000)]
    longest, at = max(((later - earlier, earlier) for earlier, later in pairwise(within)), default=(0, 0))
    during = [name for name, start, until in done if start - 1_000 <= at + longest and at <= until]
    return {"seconds": round(longest / 1000, 1), "during": during}


def _faketime() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise SystemExit("The storm sets clocks wrong with libfaketime. Debian: sudo apt-get install faketime")
    return found[0]


def say(text: str) -> None:
    """Progress, for who waits."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def _lines(found: Any, name: str = "") -> list[str]:
    if isinstance(found, dict) and found:
        return [line for key, value in found.items() for line in _lines(value, f"{name}.{key}" if name else str(key))]
    return [f"{name:<60} {found}"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.storm.run", description=__doc__)
    parser.add_argument("--reports", type=int, default=20_000)
    parser.add_argument("--seed", type=int, help="of a storm that is to come again")
    parser.add_argument("--only", nargs="*", help="these faults only, by their names in plan.py")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    parser.add_argument("-o", dest="output", choices=["text", "json"], default="text")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
