"""What is wrong with a message, said to its sender: where, what to do, and never what was sent.

A value may be a person, and so may the name of a field that we do not know. So a pointer ends where our own
schema ends, and sentences come from the catalogue alone.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from topics.base import Text as FreeText
from topics.codes import DeadLetterReason
from topics.offers import FieldError, Problem
from topics.texts import text

PROBLEM_TYPE = "urn:nld:meldstroom:problem:"
MOST_ERRORS = 50
_CLOSE = 0.85
"""How like a known name an unknown one must be before we say which was perhaps meant."""


class Refused(Exception):
    """A message cannot be taken in; ``reason`` and ``errors`` hold nothing of what it said."""

    def __init__(self, reason: DeadLetterReason, errors: Iterable[FieldError] = ()) -> None:
        self.reason = reason
        self.errors = capped(errors)
        super().__init__(f"{reason.value}: {', '.join(sorted({error.code for error in self.errors}))}")

    def problem(self) -> Problem:
        """The problem as RFC 9457 has it."""
        return problem(self.reason, self.errors)


def problem(reason: DeadLetterReason, errors: tuple[FieldError, ...] = ()) -> Problem:
    """The problem of ``reason``, titled in both languages."""
    key = f"problem.{reason.value}"
    return Problem(type=PROBLEM_TYPE + reason.value, title=text(key, "nl"), title_en=text(key, "en"), errors=errors)


def field_error(pointer: str, code: str, **values: object) -> FieldError:
    """One error; ``values`` are ours (limits, allowed codes), never the sender's."""
    key = f"field.{code}"
    return FieldError(pointer=pointer, code=code, detail=text(key, "nl", **values), detail_en=text(key, "en", **values))


def capped(errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """Each error once, at most 50 of them; then one that says there are more."""
    once = tuple(dict.fromkeys(errors))
    if len(once) <= MOST_ERRORS:
        return once
    return (*once[:MOST_ERRORS], field_error("", "more", limit=MOST_ERRORS))


def field_errors(error: ValidationError, model: type[BaseModel]) -> tuple[FieldError, ...]:
    """Every error that pydantic found in a ``model``, in the sender's words."""
    found = error.errors(include_url=False, include_input=False)
    return capped(_said(one["type"], one["loc"], one.get("ctx") or {}, model) for one in found)


_PLAIN = {
    "missing": "missing",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_parsing_size": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "not_a_number",
    "string_type": "text",
    "string_unicode": "surrogate",
    "string_sub_type": "text",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "tuple_type": "array",
    "list_type": "array",
    "timezone_aware": "timezone",
    "timezone_offset": "offset",
    "datetime_type": "datetime",
    "datetime_parsing": "datetime",
    "datetime_from_date_parsing": "datetime",
    "datetime_object_invalid": "datetime",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
    "uuid_type": "uuid",
    "uuid_parsing": "uuid",
    "uuid_version": "uuid",
}
_LIMITS = {
    "string_too_short": ("text_too_short", "min_length"),
    "string_too_long": ("text_too_long", "max_length"),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
}
_PATTERNS = {
    "postcode": "postcode",
    "bsn": "bsn_digits",
    "birth_date": "partial_date",
    "due_date": "partial_date",
    "since": "partial_date",
    "house_number_suffix": "house_number_suffix",
    "uri": "uri",
    "source_ref": "source_ref",
    "incident_number": "incident_number",
    "municipality": "municipality",
    "source_id": "slug",
    "role": "slug",
    "to": "slug",
    "helper": "slug",
    "party": "slug",
    "actor": "actor",
    "term": "term",
    "by": "actor",
    "second": "actor",
}
"""Fields that must look a certain way; free text must only be clean."""
_OURS = frozenset({"bsn", "year", "offset", "participant_or_address", "reason_with_refusal", "act_details"})
_CLEAN_PATTERN = next(
    constraint.pattern for constraint in get_args(FreeText)[1:] if getattr(constraint, "pattern", None)
)


def _said(kind: str, loc: tuple[int | str, ...], context: dict[str, Any], model: type[BaseModel]) -> FieldError:
    if loc and loc[-1] == "[key]":
        pointer, found = _walk(model, loc[:-2])
        keys = get_args(bare(found))
        return field_error(pointer, "key", allowed=_allowed(keys[0]) if keys else "")
    if kind == "extra_forbidden":
        pointer, found = _walk(model, loc[:-1])
        return _unknown_field(pointer, found, str(loc[-1]))
    pointer, found = _walk(model, loc)
    if kind in _PLAIN:
        return field_error(pointer, _PLAIN[kind])
    if kind in _LIMITS:
        code, bound = _LIMITS[kind]
        return field_error(pointer, code, limit=context[bound])
    if kind in ("enum", "literal_error"):
        return field_error(pointer, "choice", allowed=_allowed(found))
    if kind == "string_pattern_mismatch":
        if context.get("pattern") == _CLEAN_PATTERN:
            return field_error(pointer, "clean")
        return field_error(pointer, _PATTERNS.get(pointer.rpartition("/")[2], "pattern"))
    if kind == "value_error" and str(context.get("error")) in _OURS:
        return field_error(pointer, str(context["error"]))
    return field_error(pointer, "other")


def _unknown_field(pointer: str, found: Any, name: str) -> FieldError:
    owner = bare(found)
    known = list(owner.model_fields) if isinstance(owner, type) and issubclass(owner, BaseModel) else []
    near = get_close_matches(name[:100].lower(), known, n=2, cutoff=_CLOSE)
    if near:
        return field_error(pointer, "unknown_field_near", names=", ".join(near))
    return field_error(pointer, "unknown_field")


def _walk(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, Any]:
    """The pointer as far as our schema knows the way, and what stands at its end."""
    pointer, here = "", model
    for step in loc:
        below = _into(bare(here), step)
        if below is None:
            break
        pointer, here = f"{pointer}/{step}", below
    return pointer, here


def _into(owner: Any, step: int | str) -> Any:
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        known = owner.model_fields.get(str(step))
        return known.annotation if known else None
    if get_origin(owner) is tuple and isinstance(step, int):
        return get_args(owner)[0]
    if get_origin(owner) is dict:
        key, value = get_args(owner)
        return value if step in _values(key) else None
    return None


def bare(annotation: Any) -> Any:
    """What is meant, without ``Annotated`` and without ``| None``."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        some = [one for one in get_args(annotation) if one is not type(None)]
        return bare(some[0]) if len(some) == 1 else annotation
    return annotation


def _values(annotation: Any) -> list[str]:
    kind = bare(annotation)
    if get_origin(kind) is Literal:
        return [str(one.value) if isinstance(one, Enum) else str(one) for one in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    return []


def _allowed(annotation: Any) -> str:
    return ", ".join(_values(annotation))
