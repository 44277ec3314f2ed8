"""Dead letters for people who mend them: the original as it came, and what intake would make of it today."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from agents.intake.decide import bring, read_original, registry
from agents.policy.region import RegionConfig
from agents.sealing import unseal
from agents.stage.lane import Arrived
from topics import specs
from topics.journal import RefusedInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The bytes as they came."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class NotRedrivable(Exception):
    """Its topic is of nobody whom the region knows any more."""


def opened(letter: Mapping[str, Any], region: RegionConfig, named: bytes) -> Original:
    """The original of a letter; ``named`` is the record of its key. Raises ``CannotOpen``."""
    known = json.loads(named)
    key = region.keys.unwrapped(known["wrap"], known["wrapped"])
    plain = read_original(unseal(key, letter["original"]["key_id"], "original", letter["original"]["data"]))
    return Original(
        key=_unhex(plain["key"]),
        value=_unhex(plain["value"]),
        headers=[
            (bytes.fromhex(name).decode("utf-8", "surrogateescape"), _unhex(value)) for name, value in plain["headers"]
        ],
    )


def today(letter: Mapping[str, Any], original: Original, region: RegionConfig) -> dict[str, Any]:
    """What intake would make of it now; raises ``NotRedrivable``. What casework then decides depends on how the cases
    stand."""
    origin = letter["origin"]
    known = registry({region.name: region})
    family = next((family for family in specs.TO_INTAKE if family.owns(origin["topic"])), None)
    member = family.member(origin["topic"]) if family else ""
    if family is None or member not in {*known.sources, *known.receivers, *known.regions}:
        raise NotRedrivable(origin["topic"])
    record = Arrived(
        origin["topic"],
        origin["partition"],
        origin["offset"],
        letter["arrived_at"],
        original.key,
        original.value,
        tuple((name, value or b"") for name, value in original.headers),
    )
    brought = bring(record, known, str(uuid4()), os.urandom)
    if isinstance(brought.message.input, RefusedInput):
        return {"accepted": False, "reason": brought.message.input.reason, "problem": brought.message.problem}
    return {"accepted": True, "lane": brought.lane, "region": brought.region}


def readable(raw: bytes | None) -> str:
    """Text where it is text; else hexadecimal. No sign of it can steer a terminal."""
    if raw is None:
        return "-"
    try:
        found = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.hex()
    return "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\x{ord(sign):02x}" for sign in found)


def _unhex(given: str | None) -> bytes | None:
    return None if given is None else bytes.fromhex(given)
