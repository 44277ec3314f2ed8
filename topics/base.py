"""What all messages share: frozen, bounded, closed, and silent about the values that were wrong."""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


class Message(BaseModel):
    """One frozen message. Pydantic would quote the wrong value in its errors; here that is a person."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False, regex_engine="rust-regex"
    )


def _plausible(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2099:
        raise ValueError("year")
    if abs(moment.utcoffset() or timedelta()) > timedelta(hours=14):
        raise ValueError("offset")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A moment with its offset, in the years 2000-2099 (so that no arithmetic of ours can overflow)."""


def _plausible_day(day: date) -> date:
    if not 1900 <= day.year <= 2099:
        raise ValueError("year")
    return day


Day = Annotated[date, AfterValidator(_plausible_day)]
"""A calendar day in the years 1900-2099."""

# Control characters (also NUL), bidirectional overrides and zero-width signs have no place in any field:
# they forge log lines and make two different names look the same.
_CLEAN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*$"

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CLEAN, strip_whitespace=True)]
"""One line for people, 1-200 characters."""

Text = Annotated[str, StringConstraints(max_length=20_000, pattern=_CLEAN)]
"""Free text, at most 20,000 characters."""

PolicyText = Annotated[str, StringConstraints(min_length=1, max_length=200_000, pattern=_CLEAN)]
"""A whole policy as its file has it (YAML), at most 200,000 characters."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""An id of our own making: lower-case letters, digits and hyphens, 1-63 characters; part of a topic name."""

MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
"""CBS municipality code, four digits with leading zeros (``0772`` is Eindhoven)."""

PartialDate = Annotated[
    str, StringConstraints(pattern=r"^(19|20)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")
]
"""A date as far as it is known: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""

Millis = Annotated[int, Field(ge=0, le=4_102_444_800_000)]
"""Milliseconds since 1970-01-01 UTC."""
