"""Logs are JSON lines and say nothing of what a message said."""

import json
import logging
import subprocess
import sys
from typing import Any

from pipeline.logs import Repeats
from pipeline.settings import CHECKOUT

NAME = "Mirthe Jongeneel"


def logged(program: str, level: str = "INFO") -> list[dict[str, Any]]:
    """What a process of its own logs: logging is set up once a process."""
    whole = f"import logging, structlog\nfrom pipeline.logs import setup\nsetup({level!r})\n{program}"
    ran = subprocess.run(
        [sys.executable, "-c", whole], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == ""
    return [json.loads(line) for line in ran.stderr.splitlines()]


def test_a_line_of_ours():
    (line,) = logged("structlog.get_logger('stage').info('opened', region='brabant-zuidoost', seq=7)")

    assert (line["event"], line["logger"], line["level"]) == ("opened", "stage", "info")
    assert (line["region"], line["seq"]) == ("brabant-zuidoost", 7)
    assert line["at"].endswith("Z")


def test_an_exception_is_its_type_and_where_it_was_in_our_code():
    (line,) = logged(
        "from topics.safejson import guard\n"
        "import topics.safejson\n"
        f"topics.safejson._parse = lambda raw: int('{NAME}')\n"
        "try:\n"
        "    guard(b'{}')\n"
        "except ValueError as error:\n"
        "    structlog.get_logger('intake').error('failed', exc_info=error)\n"
    )

    assert line["error"]["type"] == "ValueError"
    assert any(frame.startswith("topics/safejson.py:") for frame in line["error"]["frames"])
    assert NAME not in json.dumps(line)


def test_an_exception_as_a_value_is_only_its_type():
    (line,) = logged(f"structlog.get_logger('intake').error('failed', error=ValueError('{NAME}'))")

    assert line["error"] == "ValueError"


def test_a_library_is_heard_from_warning_on_and_does_not_quote():
    lines = logged(
        "log = logging.getLogger('aiokafka.consumer')\n"
        f"log.info('not this %s', '{NAME}')\n"
        f"log.warning('value %r of %s at %d', b'{NAME}', ValueError('{NAME}'), 7)\n"
        "try:\n"
        f"    raise KeyError('{NAME}')\n"
        "except KeyError:\n"
        "    logging.getLogger('faust').exception('crashed')\n"
    )

    assert [line["event"] for line in lines] == ["value '<bytes>' of ValueError at 7", "crashed"]
    assert lines[1]["error"]["type"] == "KeyError"
    assert NAME not in json.dumps(lines)


def test_where_a_library_had_trouble_is_said():
    (line,) = logged(
        "from aiokafka import TopicPartition\n"
        "from aiokafka.errors import NotLeaderForPartitionError as Error\n"
        "logging.getLogger('aiokafka').warning('on %s: %s', {TopicPartition('meldstroom.inbox.v1', 3)}, Error)\n"
    )

    assert line["event"] == "on ['meldstroom.inbox.v1-3']: NotLeaderForPartitionError"


def test_the_level_holds_for_ours_too():
    assert logged("structlog.get_logger('stage').info('opened')", level="WARNING") == []


def test_what_a_library_repeats_is_counted_and_not_written():
    # Given a clock, and lines that differ only in what they quote
    now = [0.0]
    repeats = Repeats(lambda: now[0])

    def written(times: int) -> list[str]:
        records = [
            logging.LogRecord("aiokafka", logging.ERROR, "", 0, "no node %d", (number,), None)
            for number in range(times)
        ]
        return [record.getMessage() for record in records if repeats(record)]

    # When it says so many times at once, then only the first are written
    assert written(100) == [f"no node {number}" for number in range(5)]
    # And half a minute later how many there were
    now[0] = 30.0
    assert written(2) == ["no node 0 (and 95 more alike)", "no node 1"]
    # Another line is written all the while, and what is ours always
    other = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "no leader", (), None)
    ours = logging.LogRecord("stage", logging.INFO, "", 0, {"event": "region_opened"}, (), None)
    assert [repeats(one) for one in (other, *[ours] * 100)] == [True] * 101
