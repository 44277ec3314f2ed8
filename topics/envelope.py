"""CloudEvents 1.0 on Kafka by the NL GOV profile 1.1, read strictly.

Nothing is invented for a sender: what is required and absent is an error, and so is what came twice. A
citizen service number in a key or header would be readable for everybody on the way, so it is refused there.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from topics.codes import DeadLetterReason
from topics.offers import FieldError
from topics.problems import Refused, field_error
from topics.reports import PAYLOAD_LIMIT, is_bsn
from topics.safejson import guard

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 255
"""Characters of an attribute, and of its name."""
REQUIRED = ("id", "source", "specversion", "type")
_CORE = frozenset({*REQUIRED, "time", "subject", "datacontenttype", "dataschema"})
STRUCTURED_LIMIT = 2 * PAYLOAD_LIMIT
"""Bytes of a whole structured event: the payload as base64, and its attributes."""

_BSN_SHAPED = re.compile(rb"(?<![0-9A-Za-z])[0-9]{9}(?![0-9A-Za-z])")
_NAME = re.compile(r"[a-z0-9]{1,255}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_URN = re.compile(r"urn:nld:[A-Za-z0-9()+,.:=@;$_!*'%/~&-]+")
_JSON_TYPE = re.compile(r"application/json(\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
_STRUCTURED_TYPE = re.compile(r"application/cloudevents(\+json)?(\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
_RFC3339 = re.compile(r"20\d\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-](0\d|1[0-4]):[0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is said about a message, and the message itself: ``data`` is its JSON."""

    id: str
    source: str
    type: str
    time: datetime | None
    subject: str | None
    data: bytes


def read(headers: Sequence[tuple[str, bytes]], key: bytes | None, value: bytes | None) -> Envelope:
    """The envelope of a Kafka record, in binary or structured mode; raises ``Refused`` with all errors."""
    _refuse_bsn(headers, key)
    if not value:
        raise Refused(DeadLetterReason.EMPTY, [field_error("", "empty")])
    errors = [*_key_errors(key)]
    texts = _decoded(headers, errors)
    content_type = texts.get("content-type", "")
    if content_type[:23].lower() == "application/cloudevents":
        return _structured(texts, content_type, value, errors)
    return _binary(texts, content_type, value, errors)


def structured_data(value: bytes) -> bytes:
    """The data of a structured event, however wrong the rest is; empty when it cannot be had."""
    try:
        event = guard(value, STRUCTURED_LIMIT)
    except Refused:
        return b""
    return _data(event, []) if isinstance(event, dict) else b""


def write(*, id: str, type: str, source: str, time_ms: int, subject: str | None) -> list[tuple[str, bytes]]:
    """Headers of an event of ours, in binary mode; the value is its JSON."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_type", type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("content-type", b"application/json"),
    ]
    if subject is not None:
        headers.append(("ce_subject", subject.encode()))
    return headers


def _refuse_bsn(headers: Sequence[tuple[str, bytes]], key: bytes | None) -> None:
    everything = b"\n".join([key or b"", *(part for name, raw in headers for part in (_bytes(name), raw or b""))])
    if not _holds_bsn(everything):
        return
    where = ["/key"] if _holds_bsn(key or b"") else []
    for name, raw in headers:
        if _holds_bsn(_bytes(name)) or _holds_bsn(raw or b""):
            where.append(_header_pointer(name))
    raise _bsn_exposed(where or ["/headers"])


def _bsn_exposed(pointers: Iterable[str]) -> Refused:
    return Refused(DeadLetterReason.BSN_EXPOSED, [field_error(pointer, "bsn_exposed") for pointer in pointers])


def _holds_bsn(raw: bytes) -> bool:
    if any(is_bsn(digits.decode("ascii")) for digits in _BSN_SHAPED.findall(raw)):
        return True
    # Digits of UTF-16 have zero bytes between them.
    return b"\0" in raw and _holds_bsn(raw.replace(b"\0", b""))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "replace")


def _header_pointer(name: str) -> str:
    """Of the headers that the contract knows; another name may be anything, so it is not repeated."""
    known = name == "content-type" or (name.startswith("ce_") and name[3:] in _CORE)
    return f"/headers/{name}" if known else "/headers"


def _key_errors(key: bytes | None) -> Iterator[FieldError]:
    if key is None:
        return
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        yield field_error("/key", "header_not_utf8")
    else:
        if _CONTROL.search(text):
            yield field_error("/key", "control")


def _decoded(headers: Sequence[tuple[str, bytes]], errors: list[FieldError]) -> dict[str, str]:
    """The headers of CloudEvents as text, each once; other headers are looked at, and left."""
    texts: dict[str, str] = {}
    for name, raw in headers:
        ours = name.startswith("ce_") or name == "content-type"
        try:
            name.encode("utf-8")  # a name that came as other bytes stands in surrogates
            text = (raw or b"").decode("utf-8")
        except UnicodeError:
            errors.append(field_error(_header_pointer(name), "header_not_utf8"))
            text = "-"  # it stands here, so that it is not called missing too
        if not ours:
            continue
        if name in texts:
            errors.append(field_error(_header_pointer(name), "attribute_repeated"))
        texts[name] = text
    return texts


def _binary(texts: dict[str, str], content_type: str, value: bytes, errors: list[FieldError]) -> Envelope:
    attributes = {name[3:]: text for name, text in texts.items() if name != "content-type"}
    if not _JSON_TYPE.fullmatch(content_type):
        errors.append(field_error("/headers/content-type", "content_type"))
    if "datacontenttype" in attributes:
        errors.append(field_error("/headers/ce_datacontenttype", "content_type"))
    time = _check(attributes, "/headers/ce_", "/headers", errors)
    if errors:
        raise Refused(DeadLetterReason.ENVELOPE, errors)
    return Envelope(attributes["id"], attributes["source"], attributes["type"], time, attributes.get("subject"), value)


def _structured(texts: dict[str, str], content_type: str, value: bytes, errors: list[FieldError]) -> Envelope:
    event = guard(value, STRUCTURED_LIMIT)
    if not isinstance(event, dict):
        raise Refused(DeadLetterReason.ENVELOPE, [field_error("", "object")])
    if not _STRUCTURED_TYPE.fullmatch(content_type):
        errors.append(field_error("/headers/content-type", "content_type"))
    said = {name: given for name, given in event.items() if name not in ("data", "data_base64")}
    exposed = [
        _attribute_pointer(name)
        for name, given in said.items()
        if _holds_bsn(json.dumps([name, given], ensure_ascii=False).encode())
    ]
    if exposed:
        raise _bsn_exposed(exposed)
    attributes: dict[str, str] = {}
    for name, given in said.items():
        if given is None:  # CloudEvents reads null as absent
            continue
        attributes[name] = _attribute_text(name, given, errors)
    for name, text in texts.items():
        # Copies in the headers are allowed; two different answers to one question are not.
        if name != "content-type" and attributes.get(name[3:]) != text:
            errors.append(field_error(_header_pointer(name), "attribute_differs"))
    if not _JSON_TYPE.fullmatch(attributes.get("datacontenttype", "application/json")):
        errors.append(field_error("/datacontenttype", "datacontenttype"))
    time = _check(attributes, "/", "", errors)
    data = _data(event, errors)
    if errors:
        raise Refused(DeadLetterReason.ENVELOPE, errors)
    if not data:
        raise Refused(DeadLetterReason.EMPTY, [field_error("/data", "empty")])
    return Envelope(attributes["id"], attributes["source"], attributes["type"], time, attributes.get("subject"), data)


def _attribute_pointer(name: str) -> str:
    return f"/{name}" if name in _CORE else ""


def _attribute_text(name: str, given: object, errors: list[FieldError]) -> str:
    """An attribute as text; what has the wrong type is an error, and stands as a dash."""
    if isinstance(given, str):
        return given
    if name in _CORE:
        errors.append(field_error(_attribute_pointer(name), "attribute_text"))
        return "-"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int) and -(2**31) <= given < 2**31:
        return str(given)
    errors.append(field_error("", "attribute_type"))
    return "-"


def _data(event: dict[str, object], errors: list[FieldError]) -> bytes:
    plain, coded = event.get("data"), event.get("data_base64")
    if plain is not None and coded is not None:
        errors.append(field_error("/data", "data_twice"))
        return b""
    if coded is None:
        return b"" if plain is None else json.dumps(plain, ensure_ascii=False).encode()
    try:
        return base64.b64decode(coded, validate=True)  # type: ignore[arg-type]
    except (binascii.Error, ValueError, TypeError):
        errors.append(field_error("/data_base64", "base64"))
        return b""


def _check(attributes: dict[str, str], known: str, unknown: str, errors: list[FieldError]) -> datetime | None:
    """Hold the attributes against CloudEvents and the profile; their time, when they have one that is right."""
    for name in REQUIRED:
        if not attributes.get(name):
            errors.append(field_error(known + name, "attribute_missing", attribute=name))
    for name, text in attributes.items():
        pointer = known + name if name in _CORE else unknown
        if not _NAME.fullmatch(name):
            errors.append(field_error(pointer, "attribute_name", limit=LONGEST))
        if len(text) > LONGEST:
            errors.append(field_error(pointer, "attribute_too_long", limit=LONGEST))
        elif _CONTROL.search(text):
            errors.append(field_error(pointer, "control"))
        if not text and name not in REQUIRED:
            errors.append(field_error(pointer, "attribute_empty"))
    version, source, time = attributes.get("specversion"), attributes.get("source"), attributes.get("time")
    if version and version != "1.0":
        errors.append(field_error(known + "specversion", "specversion"))
    if source and not _URN.fullmatch(source):
        errors.append(field_error(known + "source", "source_urn"))
    if not time:
        return None
    moment = _moment(time)
    if moment is None:
        errors.append(field_error(known + "time", "time"))
    return moment


def _moment(text: str) -> datetime | None:
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
