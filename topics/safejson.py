"""JSON from outside: read only what can be read in one way, and cheaply.

The parser of the standard library takes duplicate keys, NaN, lone surrogates and NUL, and dies of depth; each
of these is refused here before anything else looks at the message.
"""

import binascii
import json
import re
from typing import Any, NoReturn

from topics.codes import DeadLetterReason
from topics.problems import Refused, field_error
from topics.reports import PAYLOAD_LIMIT

DEPTH_LIMIT = 20
DIGIT_LIMIT = 20
_BOM = b"\xef\xbb\xbf"


def guard(raw: bytes, limit: int = PAYLOAD_LIMIT) -> object:
    """What ``raw`` says; raises ``Refused``. A UTF-8 byte order mark is let pass."""
    if len(raw) > limit:
        raise _refused(DeadLetterReason.TOO_LARGE, "too_large", limit=limit)
    raw = raw.removeprefix(_BOM)
    if not raw.strip():
        raise _refused(DeadLetterReason.EMPTY, "empty")
    if not json.detect_encoding(raw).startswith("utf-8"):
        raise _refused(DeadLetterReason.NOT_UTF8, "not_utf8")
    if too_deep(raw):
        raise _refused(DeadLetterReason.TOO_DEEP, "too_deep", limit=DEPTH_LIMIT)
    if b"\0" in raw:
        raise _refused(DeadLetterReason.HOSTILE_JSON, "nul")
    found, refusal = _parse(raw)
    # Raised here, outside the handlers: an exception that they hold would carry the message along.
    if refusal is not None:
        raise refusal
    return found


def too_deep(raw: bytes, limit: int = DEPTH_LIMIT) -> bool:
    """Whether brackets outside strings nest more than ``limit`` deep; no parser has to try."""
    # Without escape sequences only the parity of quotation marks counts: every second piece is a string.
    marks = raw.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_ROUND, _NOT_MARKS).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(4):  # an empty pair before an opening bracket is no deeper than that bracket
        brackets = brackets.replace(b"()(", b"(")
    depth = 0
    for climb in brackets.replace(b")(", b") (").split(b" "):
        up = climb.count(b"(")
        depth += up
        if depth > limit:
            return True
        depth -= len(climb) - up
    return False


_ROUND = bytes.maketrans(b"[]{}", b"()()")
_NOT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


class _Hostile(Exception):
    """What the parser's hooks found; the message is our own code."""


def _parse(raw: bytes) -> tuple[object, Refused | None]:
    try:
        found = _DECODER.decode(raw.decode("utf-8"))
        if b"\\u" in raw:
            _check_strings(found)
    except UnicodeDecodeError:
        return None, _refused(DeadLetterReason.NOT_UTF8, "not_utf8")
    except json.JSONDecodeError as error:
        return None, _refused(DeadLetterReason.NOT_JSON, "not_json", line=error.lineno, column=error.colno)
    except _Hostile as error:
        return None, _refused(DeadLetterReason.HOSTILE_JSON, str(error), limit=DIGIT_LIMIT)
    return found, None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Hostile("duplicate_key")
    return found


def _constant(_: str) -> NoReturn:
    raise _Hostile("not_a_number")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > DIGIT_LIMIT:
        raise _Hostile("long_number")
    return int(digits)


def _float(digits: str) -> float:
    found = float(digits)
    if sum(map(str.isdigit, digits)) > DIGIT_LIMIT or found in (float("inf"), float("-inf")):
        raise _Hostile("long_number")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float)


def _check_strings(found: object) -> None:
    # Only an escape can bring in half a surrogate pair or a NUL, so this runs for few messages.
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str):
            if "\0" in one:
                raise _Hostile("nul")
            if _SURROGATE.search(one):
                raise _Hostile("surrogate")


_SURROGATE = re.compile("[\ud800-\udfff]")


def _refused(reason: DeadLetterReason, code: str, **values: object) -> Refused:
    return Refused(reason, [field_error("", code, **values)])


def acute_indicator(raw: bytes) -> str | None:
    """The first acute indicator (A1-A11) that is answered YES anywhere in these bytes, readable or not.

    It reads UTF-8 and UTF-16, and inside ``data_base64``. Rather one alarm too many: a person looks at it.
    """
    for pattern in _ACUTE:
        if hit := pattern.search(raw):
            return hit.group(1).replace(b"\0", b"").decode("ascii").upper()
    if hit := _BASE64.search(raw):
        try:
            return acute_indicator(binascii.a2b_base64(hit.group(1)))
        except binascii.Error:
            return None
    return None


def _acute(before: bytes, after: bytes) -> re.Pattern[bytes]:
    # One character is the byte itself, or with a zero byte before (UTF-16 BE) or after it (LE).
    def one(chars: bytes) -> bytes:
        return before + b"[" + chars + b"]" + after

    letter, digit = one(b"A-Za-z0-9"), one(b"0-9")
    number = b"(?:" + one(b"1") + one(b"01") + b"|" + one(b"1-9") + b")(?!" + digit + b")"
    between = b"(?:" + one(rb"\s\"'`:=\\>,;|-") + b")*+"
    yes = one(b"Y") + one(b"E") + one(b"S") + b"(?!" + letter + b")"
    return re.compile(b"(?<!" + letter + b")(" + one(b"A") + number + b")" + between + yes, re.IGNORECASE)


_ACUTE = (_acute(b"", b""), _acute(b"", rb"\x00"), _acute(rb"\x00", b""))
_BASE64 = re.compile(rb'"data_base64"\s*+:\s*+"([A-Za-z0-9+/=\s]++)"')
