"""One worker process: intake or region, from start to stop.

SIGTERM and SIGINT stop it and keep its place in the group for a quick restart; SIGUSR1 drains it: others prepare
what it holds, its books are closed and its place is given up, so that they go on at once.
"""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from prometheus_client import start_http_server

from agents.policy.loading import PolicyError
from agents.policy.region import RegionConfig, load_regions
from agents.stage.clock import BrokerClock
from agents.stage.heartbeat import Heart, InstanceTaken, refuse_second
from agents.stage.reading import ends, reader
from agents.stage.succession import Succession
from agents.stage.transport import group_of
from agents.stage.watchdog import LIMIT_S, LoopGuard, Watchdog
from agents.watch.metrics import Metrics
from pipeline.app import Built, build_intake, build_region
from pipeline.regions import fingerprint, outlines, topics_of
from pipeline.settings import Settings, cluster_of
from topics import specs
from topics.cluster import Cluster

log = structlog.get_logger("worker")

Role = Literal["intake", "region"]

EXIT_STOPPED = 0
EXIT_BUG = 70
EXIT_TEMPORARY = 75
EXIT_CONFIG = 78
LAG_EVERY_S = 5.0
REGIONS_EVERY_S = 5.0


async def run_worker(role: Role, settings: Settings, regions: Mapping[str, RegionConfig]) -> int:
    """Run until a signal or a failure; the exit code says which. Raises ``InstanceTaken``."""
    cluster = cluster_of(settings)
    instance = f"{role}-{settings.instance}"
    stop, drain = asyncio.Event(), asyncio.Event()
    _listen(stop, drain)
    await refuse_second(cluster, instance, _alive)
    clock, metrics = BrokerClock(), Metrics()
    datadir = str(Path(settings.data) / "faust" / instance)
    Path(datadir).mkdir(parents=True, exist_ok=True)
    server = None
    if settings.metrics_port >= 0:
        server, _ = start_http_server(
            _port(role, settings.metrics_port), settings.metrics_host, registry=metrics.registry
        )
        log.info("metrics", address=f"http://{settings.metrics_host}:{server.server_port}/metrics")
    if role == "intake":
        built = build_intake(cluster, regions, instance=settings.instance, datadir=datadir, metrics=metrics)
    else:
        built = build_region(cluster, regions, clock, instance=settings.instance, datadir=datadir, metrics=metrics)
    succession = None
    if built.stage is not None:
        succession = Succession(instance, {config.partition for config in regions.values()}, built.stage)
    heart = Heart(cluster, instance, str(uuid4()), clock, succession)
    if await asyncio.to_thread(_reads_otherwise, cluster, role, settings.instance, built.topics):
        _leave(cluster, role, settings.instance)
    gc.callbacks.append(_keep)
    guard = LoopGuard(LIMIT_S, lambda: os._exit(EXIT_TEMPORARY))
    guard.start()
    tasks = [
        asyncio.create_task(_always("heartbeat", heart.run)),
        asyncio.create_task(_always("lag", lambda: _watch_lag(cluster, role, metrics))),
        asyncio.create_task(_show_life(guard)),
        asyncio.create_task(_drain(drain, stop, succession)),
    ]
    try:
        code = await _run(built, stop, partial(_watch_regions, settings, cluster, built), heart)
    finally:
        guard.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if server is not None:
            server.shutdown()
    if drain.is_set():
        _leave(cluster, role, settings.instance)
        log.info("drained", role=role)
    return code


async def _run(built: Built, stop: asyncio.Event, watch_regions: Callable[[], Awaitable[str]], heart: Heart) -> int:
    """Start, wait for a signal or for something that fails, end in order. Raises ``InstanceTaken``."""
    waits: dict[asyncio.Future[Any], str] = {}
    if built.stage is not None:
        await built.stage.start()
        waits[built.stage.failed] = "stage"
    intake = asyncio.ensure_future(built.intake.run()) if built.intake is not None else None
    if intake is not None:
        waits[intake] = "intake"
    waits[asyncio.ensure_future(stop.wait())] = "signal"
    started = asyncio.ensure_future(built.app.start())
    waits[asyncio.ensure_future(_crashed(built, started))] = "app"
    waits[asyncio.ensure_future(_watch_progress(built))] = "watchdog"
    waits[asyncio.ensure_future(watch_regions())] = "regions"
    waits[asyncio.ensure_future(_watch_instance(heart))] = "instance"
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if built.intake is not None:
            built.intake.close()
        if built.stage is not None:
            await built.stage.stop()
        if intake is not None:
            await asyncio.wait({intake}, timeout=5)
        await asyncio.wait({asyncio.ensure_future(built.app.stop())}, timeout=10)
    names = {waits[future] for future in done}
    if names == {"signal"}:
        log.info("stopped")
        return EXIT_STOPPED
    for future in done:
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if isinstance(error, InstanceTaken):
            raise error
        error = error or (future.result() if waits[future] in ("stage", "app") else None)
        why = type(error).__name__ if error is not None else future.result()
        log.critical("worker_ends", because=waits[future], error=why)
    return EXIT_TEMPORARY


def _keep(phase: str, info: Mapping[str, int]) -> None:
    """What has survived a whole collection is the book, or as lasting: it is not looked through again.

    A book of 15,000 cases held every region of the worker up for 0.1 s each time. It has no cycles, so what is dropped
    of it is freed all the same.
    """
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


async def _drain(drain: asyncio.Event, stop: asyncio.Event, succession: Succession | None) -> None:
    """Once asked to, stop when others are ready for what this worker holds."""
    await drain.wait()
    if succession is not None:
        succession.leave(time.monotonic())
        while not succession.may_go(time.monotonic()):
            await asyncio.sleep(0.05)
    stop.set()


async def _crashed(built: Built, started: "asyncio.Future[None]") -> BaseException:
    """What Faust crashed on. It may crash while it starts or any time after."""
    while True:
        if started.done() and (error := started.exception()) is not None:
            return error
        if built.app.crashed:
            return built.app.crash_reason or RuntimeError("crashed")
        await asyncio.sleep(0.2)


async def _always(what: str, job: Callable[[], Awaitable[None]]) -> None:
    """What must not end while the worker runs: after a failure it is said, and begun again."""
    while True:
        try:
            await job()
        except Exception as error:
            log.error("began_again", what=what, error=type(error).__name__)
        await asyncio.sleep(LAG_EVERY_S)


async def _show_life(guard: LoopGuard) -> None:
    while True:
        guard.alive()
        await asyncio.sleep(1)


async def _watch_progress(built: Built) -> str:
    """Why this worker must end; for ever while it gets on. A broker that is away says nothing about us."""
    dog = Watchdog(LIMIT_S)
    while True:
        await asyncio.sleep(LAG_EVERY_S)
        try:
            async with asyncio.timeout(LAG_EVERY_S):
                assigned, places = await built.places()
        except (KafkaError, OSError, TimeoutError):
            continue
        if (why := dog.see(time.monotonic(), assigned, places)) is not None:
            return why


async def _watch_instance(heart: Heart) -> None:
    """Raises ``InstanceTaken``; a broker that is away is tried again."""
    while True:
        with suppress(KafkaError, OSError, TimeoutError):
            await heart.watch()
        await asyncio.sleep(LAG_EVERY_S)


async def _watch_regions(settings: Settings, cluster: Cluster, built: Built) -> str:
    """Goes on with what changed in the regions' folder; returns when only a new start can.

    What cannot be used is said once, and everything goes on as it was. Topics are made by a person, who sees
    the plan: what is new waits for them.
    """
    known = said = fingerprint(settings.regions)
    while True:
        await asyncio.sleep(REGIONS_EVERY_S)
        now = fingerprint(settings.regions)
        if now == known:
            continue
        try:
            # In a thread: meanwhile everybody else here goes on.
            regions = await asyncio.to_thread(load_regions, settings.regions, development=settings.development)
            missing = await _missing(cluster, settings)
        except (PolicyError, KafkaError, OSError) as error:
            regions, missing = {}, [str(error)]
        if missing:
            if now != said:
                log.error("regions_not_used", why=missing[:3], missing=len(missing))
            said = now
            continue
        if not built.reconfigure(regions):
            return "regions changed"
        log.info("regions_changed", regions=sorted(regions))
        known = said = now


async def _missing(cluster: Cluster, settings: Settings) -> list[str]:
    admin = AIOKafkaAdminClient(**cluster.client())
    await admin.start()
    try:
        there = set(await admin.list_topics())
    finally:
        await admin.close()
    found = await asyncio.to_thread(outlines, settings.regions)
    wanted = topics_of(found, replication=cluster.replication, min_insync=cluster.min_insync)
    return [one.name for one in wanted if one.name not in there]


async def _watch_lag(cluster: Cluster, role: Role, metrics: Metrics) -> None:
    """How far this process's group is behind, per family of topics."""
    families = specs.TO_INTAKE if role == "intake" else (specs.INBOX, specs.DESK)
    admin = AIOKafkaAdminClient(**cluster.client())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.close)
        await admin.start()
        consumer = await stack.enter_async_context(reader(cluster))
        while True:
            committed = await admin.list_consumer_group_offsets(group_of(role))
            last = await ends(consumer, committed) if committed else {}
            for family in families:
                mine = [place for place in committed if place.topic == family.name or family.owns(place.topic)]
                if family.of is None:
                    mine = [place for place in committed if place.topic == family.topic()]
                behind = sum(max(0, last[place] - max(0, committed[place].offset)) for place in mine)
                metrics.lag(group_of(role), family.name, behind)
            metrics.look()
            await asyncio.sleep(LAG_EVERY_S)


def _leave(cluster: Cluster, role: Role, instance: str) -> None:
    """Give up this worker's place: with an instance id, leaving has to be said by an administrator."""
    admin = KafkaAdminClient(**cluster.client())
    try:
        admin.remove_group_members(group_of(role), [MemberToRemove(group_instance_id=f"{role}-{instance}")])
    except Exception as error:  # the session's end does the same, later
        log.warning("leave_failed", error=type(error).__name__)
    finally:
        admin.close()


def _reads_otherwise(cluster: Cluster, role: Role, instance: str, topics: frozenset[str]) -> bool:
    """Whether the place that this worker had before its start was for other topics.

    Who comes back under his instance id gets what he had, without a word about topics that are new since.
    """
    group = group_of(role)
    try:
        with closing(KafkaAdminClient(**cluster.client())) as admin:
            members = admin.describe_groups([group])[group]["members"]
        mine = next((found for found in members if found["group_instance_id"] == f"{role}-{instance}"), None)
        return mine is not None and set(mine["member_metadata"]["topics"]) != topics
    except Exception as error:  # no such group yet, or no coordinator: then there is no place either
        log.info("no_place_before", error=type(error).__name__)
        return False


def _listen(stop: asyncio.Event, drain: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    loop.add_signal_handler(signal.SIGUSR1, drain.set)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def _port(role: Role, port: int) -> int:
    """Region on the port that was set, intake on the next one: two processes, one machine."""
    return port + (role == "intake") if port else 0
