"""Records as ``bad_input.yaml`` describes them, made into what lies on the broker."""

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

Pair = tuple[Any, bytes | None]


class RawName(str):
    """The name of a header that is these bytes on the wire, whatever they mean."""

    def __new__(cls, raw: bytes) -> "RawName":
        made = super().__new__(cls, raw.decode("latin-1"))
        made.raw = raw
        return made

    raw: bytes

    def encode(self, *_: Any, **__: Any) -> bytes:
        return self.raw


@dataclass
class Sent:
    """One record as it was sent, and where it lies since."""

    name: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Pair]
    offset: int = -1
    at: int = 0
    """When the broker took it in, ms."""
    scenario: dict[str, Any] = field(default_factory=dict)

    @property
    def wire_headers(self) -> list[tuple[bytes, bytes | None]]:
        return [(name.encode("utf-8"), value) for name, value in self.headers]


def text_of(said: Any, room: int) -> str:
    """A text, or one that is repeated (``room`` is how many bytes the topic takes)."""
    if not isinstance(said, dict):
        return str(said)
    times = (room // len(said["herhaal"])) if said.get("vul") else said["keer"]
    return said.get("voor", "") + said["herhaal"] * times


def json_of(message: dict[str, Any]) -> bytes:
    """JSON with the literals that ``{ruw: ...}`` asks for."""
    raws: list[str] = []

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            if "herhaal" in value:
                text = text_of(value, 0)
                return plain({"ruw": text}) if value.get("ruw") else text
            if "ruw" in value:
                raws.append(str(value["ruw"]))
                return f"@@{len(raws) - 1}@@"
            return {name: plain(one) for name, one in value.items() if one != {"weg": "ja"}}
        return [plain(one) for one in value] if isinstance(value, list) else value

    made = orjson.dumps(plain(message)).decode()
    return re.sub(r'"@@(\d+)@@"', lambda hit: raws[int(hit[1])], made).encode()


def headers_of(kind: str, source: str, scenario: dict[str, Any]) -> list[Pair]:
    """The headers of a binary CloudEvent, changed as the scenario says."""
    coding = scenario.get("codering", "utf-8") if "koppen" in scenario else "utf-8"
    said: dict[str, Any] = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid4()),
        "ce_source": source,
        "ce_type": kind,
        "content-type": "application/json",
    } | scenario.get("koppen", {})
    pairs: list[Pair] = []
    for name, value in said.items():
        if value == "weg":
            continue
        named = name if name.isascii() else RawName(name.encode(coding))
        pairs.append((named, None if value == "niets" else value.encode(coding)))
    return pairs + [(name, value.encode()) for name, value in scenario.get("dubbel", {}).items()]


def structured(kind: str, source: str, data: dict[str, Any], changes: dict[str, Any]) -> tuple[bytes, list[Pair]]:
    """The same event in structured mode: value and headers."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": kind,
        "datacontenttype": "application/json",
        "data": data,
    } | changes
    value = orjson.dumps({name: one for name, one in event.items() if one != "weg"})
    return value, [("content-type", b"application/cloudevents+json; charset=UTF-8")]
