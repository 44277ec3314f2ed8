"""A message from its bytes: first safe, then by the contract, with all errors at once."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from topics.answers import Act, Answer
from topics.codes import DeadLetterReason
from topics.offers import FieldError
from topics.problems import Refused, bare, field_error, field_errors
from topics.reports import PAYLOAD_LIMIT, Report
from topics.safejson import guard
from topics.specs import FROM_OUTSIDE_MAX
from topics.transfers import Transfer

M = TypeVar("M", bound=BaseModel)


def read_report(data: bytes) -> Report:
    """A report; raises ``Refused``."""
    return read(data, Report)


def read_answer(data: bytes) -> Answer:
    """A receiver's answer; raises ``Refused``."""
    return read(data, Answer)


def read_act(data: bytes) -> Act:
    """What somebody of the centre does; raises ``Refused``. It may hold a whole policy."""
    return read(data, Act, 4 * PAYLOAD_LIMIT)


def read_transfer(data: bytes) -> Transfer:
    """What another centre says about a case; raises ``Refused``."""
    return read(data, Transfer, FROM_OUTSIDE_MAX)


def read(data: bytes, model: type[M], limit: int = PAYLOAD_LIMIT) -> M:
    """A ``model`` from at most so many bytes that nobody has looked at yet; raises ``Refused``."""
    plain = guard(data, limit)
    errors = tuple(_misshapen(plain, model, ""))
    try:
        found = model.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"), strict=True)
    except ValidationError as error:
        told = {one.pointer for one in errors}
        errors += tuple(one for one in field_errors(error, model) if one.pointer not in told)
    else:
        if not errors:
            return found
    raise Refused(DeadLetterReason.CONTRACT, errors)


_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _misshapen(plain: object, model: type[BaseModel], pointer: str) -> Iterator[FieldError]:
    """Moments and days that are not written out: pydantic would take ``"1700000000"`` for a moment."""
    if not isinstance(plain, dict):
        return
    for name, kind in _dated(model):
        given, here = plain.get(name), f"{pointer}/{name}"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _misshapen(given, kind, here)
        elif isinstance(given, str):
            if kind is not date and not _DATETIME.fullmatch(given):
                yield field_error(here, "datetime")
            if kind is date and not _DATE.fullmatch(given):
                yield field_error(here, "date")


@cache
def _dated(model: type[BaseModel]) -> tuple[tuple[str, Any], ...]:
    """The fields that are a moment or a day, or an object that has one."""
    found = []
    for name, known in model.model_fields.items():
        kind = bare(known.annotation)
        inside = isinstance(kind, type) and issubclass(kind, BaseModel) and bool(_dated(kind))
        if kind in (datetime, AwareDatetime, date) or inside:
            found.append((name, kind))
    return tuple(found)
