"""What the tests of this folder share."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They are all ``near``: one of two halves of the tests (``tests/halves.py``)."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.near)
