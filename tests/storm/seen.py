"""What a test does with the workers of a field, and what it sees of them: in the journal, the logs, the metrics."""

import random
import urllib.request
import uuid
from typing import Any

import orjson
from kafka.admin import MemberToRemove
from kafka.errors import RetriableError

from agents.stage.transport import group_of
from tests.storm.field import Field, Worker, a_plain_report, wait_for
from tests.storm.storm import Following
from topics import journal as j

BRABANT, HOLLAND = "brabant-zuidoost", "hollands-midden"
OF = {BRABANT: ("politie-oost-brabant", "0772"), HOLLAND: ("politie-hollands-midden", "0546")}
GROUP = group_of("region")


def only_intake_is_left(field: Field) -> None:
    """The first worker of a field, intake, goes on; all others are gone."""
    if not field.workers[0].running:
        field.workers[0].start()
    for worker in field.workers[1:]:
        worker.kill()
    del field.workers[1:]
    # Their places too, or the next test would wait for their sessions to end. Of a broker that was away a moment ago
    # the administrator hears only after a pause.
    wait_for("no place is left", lambda: _no_place_is_left(field), 20)


def _no_place_is_left(field: Field) -> bool:
    try:
        places = [found["group_instance_id"] for found in field.admin.describe_groups([GROUP])[GROUP]["members"]]
        if places:
            field.admin.remove_group_members(GROUP, [MemberToRemove(group_instance_id=place) for place in places])
    except RetriableError:
        return False
    return True


def publish(field: Field, chance: random.Random, region: str, count: int = 1, mark: str = "") -> list[str]:
    """Reports into a region; their ids begin with ``mark``."""
    source, place = OF[region]
    ids = []
    for _ in range(count):
        made = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        ids.append(mark + made[len(mark) :])
        field.publish(a_plain_report(chance, report_id=ids[-1], source_id=source, municipality=place))
    field.producer.flush()
    return ids


def decided(journal: Following, ids: list[str]) -> bool:
    """Whether all of these reports stand in the journal."""
    found = {r.input.report_id for r in journal.records() if isinstance(r.input, j.ReportInput)}
    return found.issuperset(ids)


def dead(journal: Following, ids: list[str]) -> list[j.Record]:
    """The records that put these reports aside."""
    return [
        record
        for record in journal.records()
        if isinstance(record.input, j.ReportInput)
        and record.input.report_id in ids
        and any(isinstance(event, j.DeadLettered) for event in record.events)
    ]


def running(worker: Worker) -> dict[str, bool]:
    """Region -> whether it decides, by the worker's metrics."""
    start = 'meldstroom_region_running{region="'
    lines = metrics(worker).splitlines()
    return {line[len(start) :].split('"')[0]: line.endswith(" 1.0") for line in lines if line.startswith(start)}


def metrics(worker: Worker) -> str:
    """The page of a worker that Prometheus reads."""
    address = said(worker, "metrics")[-1]["address"]
    with urllib.request.urlopen(address, timeout=5) as answer:
        found: str = answer.read().decode()
    return found


def said(worker: Worker, event: str, **values: Any) -> list[dict[str, Any]]:
    """The lines of a worker's log about an event."""
    lines = [orjson.loads(line) for line in worker.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event and values.items() <= line.items()]


def holds(worker: Worker) -> list[int]:
    """The region partitions that a worker was assigned last."""
    found: list[int] = said(worker, "assigned")[-1]["partitions"] if said(worker, "assigned") else []
    return found


def in_one_stretch(journal: Following) -> bool:
    """Whether the numbers of each region's records, and their places on each lane, have no break and no repeat."""
    for region in OF:
        records = journal.records(region)
        assert [record.seq for record in records] == list(range(len(records)))
        for lane in (j.DESK, j.INBOX):
            offsets = [record.offset for record in records if record.lane == lane]
            assert offsets == list(range(offsets[0], offsets[0] + len(offsets))) if offsets else True
    return True


def opened(worker: Worker, *regions: str) -> None:
    """Wait until a worker has opened these regions."""
    wait_for(
        f"{worker.name} holds {regions}",
        lambda: all(said(worker, "region_opened", region=region) for region in regions),
    )
