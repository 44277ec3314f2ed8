"""The product on the broker in memory: which of its names stand for something else while a schedule runs.

The stage, its takeover, its transactions, its gate, its heart, intake's own loop and casework's writer are the
product's own. Only what lies under them is not: the client of Kafka, ``asyncio``, the clocks of the machine, and the
log. One thing above them is not either, for its cost: the key of an offer is not wrapped for its receiver by a real
JWE, for nothing here opens one. What intake reads of a report's bytes is kept, for every schedule publishes the same.
Small numbers stand for large ones where nothing would happen otherwise in a short schedule.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

from agents.casework import cases, contents, shelf
from agents.casework import writer as casework
from agents.intake import agent as intake_agent
from agents.intake import decide as intake_decide
from agents.stage import gate, heartbeat, loop, reading, saving, sending, stage, transaction
from tests.simulation.broker import Broker
from tests.simulation.clients import Admin, Consumer, Producer
from tests.simulation.turns import ASYNCIO
from topics.reports import Report

SNAPSHOT_EVERY = 6
BATCH = 5
_BY_TURNS = (reading, sending, transaction, gate, loop, stage, heartbeat, intake_agent)
_SAID = (transaction, loop, stage, heartbeat, intake_agent, casework)


def _kept(read: Callable[..., Any]) -> Callable[..., Any]:
    """The same for the same report: each is read once, and stays."""
    known: dict[int, Any] = {}

    def kept(report: Report, *keys: Any) -> Any:
        if (found := known.get(id(report))) is None:
            found = known[id(report)] = read(report, *keys)
        return found

    return kept


_READ_ONCE = {
    "read_report": cache(intake_decide.read_report),
    "facts_of": _kept(intake_decide.facts_of),
    "links_of": _kept(intake_decide.links_of),
}


@contextmanager
def in_memory(broker: Broker, time: SimpleNamespace, hear: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
    """While this is open everything of the product meets ``broker``."""

    def producer(*, transactional_id: str | None = None, **_: Any) -> Producer:
        return Producer(broker, transactional_id)

    ear = _Ear(hear)
    with _instead(
        *((module, "asyncio", ASYNCIO) for module in _BY_TURNS),
        *((module, "log", ear) for module in _SAID),
        *((module, "time", time) for module in (stage, heartbeat, intake_agent)),
        *((module, "AIOKafkaProducer", producer) for module in (transaction, heartbeat, intake_agent)),
        (reading, "AIOKafkaConsumer", lambda **_: Consumer(broker)),
        (intake_agent, "AIOKafkaAdminClient", lambda **_: Admin(broker)),
        *((intake_decide, name, read) for name, read in _READ_ONCE.items()),
        (casework, "ECKey", SimpleNamespace(import_key=lambda jwk: jwk)),
        (casework, "wrap_for", lambda public_key, key: key.hex()),
    ):
        yield


@contextmanager
def small(*, cold: bool) -> Iterator[None]:
    """Small numbers for large ones. ``cold``: nothing stays in memory that need not."""
    with _instead(
        (saving, "SNAPSHOT_EVERY", SNAPSHOT_EVERY),
        (saving, "SNAPSHOT_BYTES", 1),
        (loop, "BATCH_COUNT", BATCH),
        (shelf, "CHUNK", 2),
        *(((cases, "WARM", 0), (contents, "KEPT", BATCH)) if cold else ()),
    ):
        yield


@contextmanager
def _instead(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class _Ear:
    """Hears what the product logs."""

    def __init__(self, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._hear = hear

    def info(self, event: str, **values: Any) -> None:
        self._hear(event, values)

    warning = error = critical = info
