"""A real board over a real broker with workers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pipeline.board.ground import Board, started
from tests.storm.field import a_field, wait_for


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board, its broker and its workers for the tests of a module; leave them running."""
    for field in a_field(tmp_path_factory.mktemp("board")):
        field.worker("intake", "a")
        region = field.worker("region", "a")
        wait_for("at work", lambda region=region: region.log().count("region_opened") == 2)
        yield from started(field, field.folder)


@pytest.fixture
def eventually(board: Board) -> Callable[[str, Callable[[], Any]], Any]:
    """Ask until it is so."""
    return lambda what, ask: wait_for(what, ask, 20)
