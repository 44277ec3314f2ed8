"""Logs as JSON lines on stderr. They hold ids and codes, and nothing of what a message said.

An exception is logged as its type and the frames of ours: its words may quote a value. What the libraries
below us say is kept from WARNING on, and what they quote is shown only when it is a number or a plain word.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

ROOT = Path(__file__).resolve().parent.parent
OURS = ("topics", "agents", "pipeline")
LIBRARIES = ("faust", "mode", "aiokafka", "kafka", "asyncio", "agents")
"""Faust logs for a subclass of its own under that one's module, so under ours too; we log by short names."""
LONGEST_WORD = 200
MOST_SHOWN = 20
ALIKE, ALIKE_WITHIN_S = 5, 30.0
"""So many lines that differ only in what they quote, in so long."""
MOST_REMEMBERED = 1_000


def setup(level: str) -> None:
    """Set up logging of this process, ours and the libraries'."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _without_words,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_plain_arguments)
    handler.addFilter(Repeats(time.monotonic))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                _without_words,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            keep_exc_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING, logging.getLevelName(level)))


class Repeats:
    """Lets few of the same lines of a library through. A client that cannot reach the broker says so eighty times a
    second, a gigabyte a day; who reads it wants to know that it goes on, and how often it was."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        """Logger and line -> since when it is counted, and how often it came."""

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether it is to be written; the first one after others were held back tells how many."""
        if isinstance(record.msg, dict):
            return True  # ours
        line, now = (record.name, str(record.msg)), self._monotonic()
        since, count = self._said.get(line, (now, 0))
        if now - since >= ALIKE_WITHIN_S:
            if held := max(0, count - ALIKE):
                record.msg = f"{record.msg} (and {held} more alike)"
            since, count = now, 0
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()  # lines that are put together by the library itself, each another one
        self._said[line] = (since, count + 1)
        return count < ALIKE


def described(error: BaseException) -> dict[str, Any]:
    """An exception without its words: its type, the types it came from, and where in our code."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        with suppress(ValueError):
            path = Path(frame.filename).resolve().relative_to(ROOT)
            if path.parts[0] in OURS:
                frames.append(f"{path}:{frame.lineno} {frame.name}")
    found: dict[str, Any] = {"type": _name(error), "frames": frames}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    causes: list[str] = []
    while cause is not None and len(causes) < 5:
        causes.append(_name(cause))
        cause = cause.__cause__ or cause.__context__
    return {**found, "causes": causes} if causes else found


def _without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    wrong = event.pop("exc_info", None)
    record = event.get("_record")
    if not wrong and record is not None:
        wrong, record.exc_info, record.exc_text = record.exc_info, None, None
    if wrong is True:
        wrong = sys.exc_info()
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = _name(value)
    error = wrong[1] if isinstance(wrong, tuple) else wrong
    if isinstance(error, BaseException):
        event["error"] = described(error)
    event.pop("stack_info", None)
    return event


def _plain_arguments(record: logging.LogRecord) -> bool:
    """Before a library's line is put together: what it quotes is only shown when it cannot be of a person."""
    if isinstance(record.msg, dict):
        return True  # ours
    if isinstance(record.args, tuple):
        record.args = tuple(_plain(one) for one in record.args)
    elif record.args:
        record.args = {name: _plain(one) for name, one in record.args.items()}
    return True


def _plain(one: object) -> object:
    if one is None or isinstance(one, bool | int | float):
        return one
    if isinstance(one, str) and len(one) <= LONGEST_WORD:
        return one
    if isinstance(one, BaseException):
        return _name(one)
    if isinstance(one, type):
        return one.__name__
    if isinstance(one, tuple) and hasattr(one, "topic") and hasattr(one, "partition"):
        return f"{one.topic}-{one.partition}"
    if isinstance(one, list | tuple | set | frozenset) and len(one) <= MOST_SHOWN:
        return [_plain(part) for part in one]
    return f"<{type(one).__name__}>"


def _name(error: BaseException) -> str:
    return type(error).__name__
