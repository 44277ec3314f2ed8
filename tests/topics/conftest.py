"""What the tests of topics and quotas share."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient

from pipeline.broker import Broker


@pytest.fixture
def admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    """An administrator of the broker that all tests share."""
    client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    yield client
    client.close()
