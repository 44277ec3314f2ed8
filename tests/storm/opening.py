"""Opening what is sealed, as those who may: the centre with its wrap key, a receiver with its private key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agents.intake.decide import read_original
from agents.policy.region import RegionConfig
from agents.sealing import CannotOpen, unseal, unwrap_with


@dataclass(frozen=True)
class Opener:
    """``keys`` is the topic of that name as it is now: key id -> wrapped key."""

    regions: Mapping[str, RegionConfig]
    keys: Mapping[str, bytes | None]

    def part(self, region: str, key_id: str, part: str, sealed: str) -> bytes:
        """A part of the journal or a dead letter, for the centre; ``CannotOpen`` when its key is gone."""
        found = self._wrapped(key_id)
        if "wrapped" not in found:
            raise CannotOpen(key_id)
        return unseal(self.regions[region].keys.unwrapped(found["wrap"], found["wrapped"]), key_id, part, sealed)

    def original(self, letter: dict[str, Any]) -> tuple[bytes | None, bytes | None, list[tuple[bytes, bytes | None]]]:
        """Key, value and headers of the record that a dead letter is about."""
        sealed = letter["original"]
        plain = read_original(self.part(letter["region"], sealed["key_id"], "original", sealed["data"]))
        headers = [(bytes.fromhex(name), _bytes(value)) for name, value in plain["headers"]]
        return _bytes(plain["key"]), _bytes(plain["value"]), headers

    def content(self, content: dict[str, Any], private_jwk: dict[str, Any]) -> dict[str, Any]:
        """The content of an offer or a notice, for who holds this private key."""
        found = self._wrapped(content["key_id"])
        if "jwe" not in found:
            raise CannotOpen(content["key_id"])
        key = unwrap_with(private_jwk, found["jwe"])
        opened: dict[str, Any] = orjson.loads(unseal(key, content["key_id"], "content", content["data"]))
        return opened

    def _wrapped(self, key_id: str) -> dict[str, Any]:
        raw = self.keys.get(key_id)
        if raw is None:
            raise CannotOpen(key_id)
        found: dict[str, Any] = orjson.loads(raw)
        return found


def _bytes(given: str | None) -> bytes | None:
    return None if given is None else bytes.fromhex(given)
