"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

from pipeline.broker import Broker


@pytest.fixture(scope="session", autouse=True)
def orderly_end() -> Iterator[None]:
    """Let SIGTERM (make, CI) end the run as Ctrl-C does, or it would leave Java behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One real Kafka for the whole run. Leave it running: to kill or pause one, start your own."""
    with Broker.start(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
