"""A region of many receivers: how fast it is, and how soon a team and a source that are added to it take part.

As an operator does it: both are written into the region's folder, the plan for the topics is applied, and that is all.
The seconds count from the moment at which the files were written.
"""

import asyncio
import random
import time
from contextlib import closing
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.policy.directory import Receiver, Source, load_directory
from agents.policy.loading import Loader
from agents.policy.region import RegionConfig, load_regions
from pipeline.bench import TRICKLE_PER_S, Line, Way, make, way_of
from pipeline.cli.topics import apply_all
from pipeline.settings import Kafka, Settings
from tests.bench.ground import FIRST, Workers, cluster_of, quiet, rss_mib, say, supervised, warmed, yardstick_ms
from tests.bench.latency import waited
from tests.storm.field import Field
from topics import journal as j
from topics import specs
from topics.cluster import Cluster
from topics.codes import SourceKind

READ_FROM = 20
"""So many teams get the reports that are measured: who reads 1,500 queues costs more than what is measured."""
TRICKLE_S, WHILE_S = 30, 120
NEW_TEAM, NEW_SOURCE = "wijkteam-nieuw", "zorgloket-nieuw"
PATIENCE_S = 180.0


async def receivers(folder: Path, *, count: int) -> dict[str, Any]:
    """Seconds until who is new takes part, latency before and meanwhile, and memory."""
    with closing(Field(folder)) as field:
        add(field, [a_team(number) for number in range(count)])
        field.regions = load_regions(field.regions_folder, development=True)
        say(f"topics of {count} receivers")
        topics_s = apply_topics(field)
        async with supervised(field) as workers:
            way = some_teams(field.regions[FIRST])
            async with Line(cluster_of(field), way, random.Random(1)) as line:
                started = time.monotonic()
                await warmed(line)
                warm_s = round(time.monotonic() - started, 1)
                say("a trickle")
                speed = yardstick_ms()
                alone = await line.trickle(line.make(TRICKLE_PER_S * TRICKLE_S), quiet)
                memory = memory_mib(workers, field)
                say("a team and a source are added")
                enough = asyncio.Event()
                beside = asyncio.create_task(line.trickle(line.make(TRICKLE_PER_S * WHILE_S), quiet, enough.is_set))
                added = await take_part(field)
                enough.set()
                meanwhile = await beside
            restarts = dict(workers.restarts)
    return {
        "receivers": count,
        "topics_made_s": topics_s,
        "started_and_warm_s": warm_s,
        "trickle": waited(alone),
        "memory_mib": memory,
        **added,
        "trickle_meanwhile": waited(meanwhile),
        "worker_restarts": restarts,
        "yardstick_ms": [speed, yardstick_ms()],
    }


def a_team(number: int) -> dict[str, Any]:
    """One team of many, for a postcode of its own (which the real country has elsewhere)."""
    return {"id": f"wijkteam-{number:04}", "postcodes": [f"{1000 + number}"]}


def add(field: Field, teams: list[dict[str, Any]], *sources: dict[str, Any]) -> None:
    """Write into the folder of the first region, as somebody with an editor does."""
    folder = field.regions_folder / FIRST
    directory = yaml.load((folder / "directory.yaml").read_text(), Loader=Loader)
    example = next(found for found in directory["receivers"] if found["kind"] == "TEAM")
    places = cycle(directory["municipalities"])
    for team in teams:
        one = {"name": f"Wijkteam {team['id']}", "municipalities": [next(places)], **team}
        directory["receivers"].append({**example, **one})
    text = yaml.safe_dump(directory, sort_keys=False, allow_unicode=True)
    (folder / "directory.yaml").write_text(text)
    if sources:
        known = yaml.safe_load((folder / "sources.yaml").read_text())
        known["sources"] += sources
        (folder / "sources.yaml").write_text(yaml.safe_dump(known, sort_keys=False))


def apply_topics(field: Field) -> float:
    """``meldstroom topics apply``; how long it took (s)."""
    kafka = Kafka(bootstrap=field.broker.bootstrap, replication=1, min_insync=1)
    started = time.monotonic()
    apply_all(field.admin, Settings(kafka=kafka, regions=field.regions_folder, development=True))
    return round(time.monotonic() - started, 1)


def some_teams(region: RegionConfig) -> Way:
    """The way of a region to a few of its teams."""
    whole = way_of(region)
    teams = whole.teams[-READ_FROM:]
    return replace(whole, teams=teams, queues={team.id: whole.queues[team.id] for team in teams})


def memory_mib(workers: Workers, field: Field) -> dict[str, float]:
    """Resident memory by process, MiB."""
    pids = {**workers.supervisor.running, "broker": field.broker.pid}
    return {name: rss_mib(pid) for name, pid in pids.items()}


async def take_part(field: Field) -> dict[str, float]:
    """Add a team and a source; seconds until a report from there is offered to that team, and its answer decided."""
    urn = "urn:nld:oin:00000001999979999000:systeem:zorgloket"
    source = Source(id=NEW_SOURCE, source=urn, kind=SourceKind.MUNICIPALITY, professional=True)
    team = {"id": NEW_TEAM, "postcodes": ["5699"], "municipalities": ["0772"]}
    await asyncio.to_thread(add, field, [team], source.model_dump(mode="json", exclude_none=True))
    written = time.monotonic()
    apply_s = await asyncio.to_thread(apply_topics, field)
    cluster, region = cluster_of(field), field.regions[FIRST]
    known = await asyncio.to_thread(load_directory, (field.regions_folder / FIRST / "directory.yaml").read_text())
    (receiver,) = (found for found in known.receivers if found.id == NEW_TEAM)
    publishing = asyncio.create_task(_publish(cluster, source, receiver))
    offer = await _first(cluster, specs.QUEUE.topic(NEW_TEAM), 0, lambda record: orjson.loads(record.value))
    offered = time.monotonic()
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    await asyncio.to_thread(field.answer, NEW_TEAM, offer, "ACCEPTED")
    await _first(cluster, specs.JOURNAL.topic(), region.partition, lambda record: _answers(record, offer))
    return {
        "topics_applied_s": apply_s,
        "offered_to_the_new_team_s": round(offered - written, 1),
        "its_answer_decided_s": round(time.monotonic() - written, 1),
    }


async def _publish(cluster: Cluster, source: Source, team: Receiver) -> None:
    """A report a second for that team: the first ones may still be decided by the directory as it was."""
    topic = specs.REPORTS.topic(source.id)
    way = Way(source=source, teams=(team,), reports=topic, queues={team.id: specs.QUEUE.topic(team.id)})
    async with AIOKafkaProducer(**cluster.client(), acks="all") as producer:
        for number in range(10**8, 10**9):
            (one,) = make(way, random.Random(number), [number])
            await producer.send_and_wait(topic, one.value, one.key, headers=one.headers)
            await asyncio.sleep(1)


async def _first(cluster: Cluster, topic: str, partition: int, wanted: Any) -> Any:
    """What ``wanted`` makes of the first record of which it makes something."""
    place = TopicPartition(topic, partition)
    async with (
        asyncio.timeout(PATIENCE_S),
        AIOKafkaConsumer(
            **cluster.client(), isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
        ) as consumer,
    ):
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        while True:
            for record in (await consumer.getmany(place, timeout_ms=100)).get(place, ()):
                if found := wanted(record):
                    return found


def _answers(record: Any, offer: dict[str, Any]) -> bool:
    # Only what is asked about is decoded: a journal is long.
    if offer["handover_id"].encode() not in record.value:
        return False
    events = j.decode(record.value).events
    return any(isinstance(event, j.Answered) and event.handover_id == offer["handover_id"] for event in events)
