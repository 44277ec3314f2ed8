"""What scenarios share that play on one broker for a whole module: its ``field`` is of the module."""

import random
from collections.abc import Iterator

import pytest

from tests.storm.field import Field
from tests.storm.storm import Following


@pytest.fixture(scope="module")
def journal(field: Field) -> Iterator[Following]:
    """The journal of the module's field, as it grows."""
    following = Following(field)
    yield following
    following.close()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Reports of their own for each test: they share a broker."""
    return random.Random(request.node.name)
