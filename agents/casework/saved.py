"""The snapshots of a region: its book in sealed parts, of which each new one holds only what has changed.

Every part has two slots. A snapshot writes what changed into the slots that the last one does not use, and its
manifest, the last record, says which slots count: a snapshot that was cut short leaves the last one whole. Each part
is sealed under a key of its own; all of these lie in one record on ``keys``, which the next snapshot replaces: what
was erased from the book cannot be opened in an older part either.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agents.casework.book import FOLD
from agents.casework.contents import Contents
from agents.sealing import Entropy, RegionKeys, seal_bytes, unseal_bytes
from agents.stage.writer import Outgoing
from topics import specs

FORMAT = 3
SLOTS = ("a", "b")


@dataclass(frozen=True, slots=True)
class Opened:
    """A snapshot that could be opened."""

    parts: Mapping[str, bytes]
    contents: Contents
    journal_next: int


class Saved:
    """Which parts of a region's book are saved, in which slot, under which key."""

    def __init__(self, region: str, keys: RegionKeys, entropy: Entropy) -> None:
        self.keys = keys
        self._region, self._entropy = region, entropy
        self._key_id = f"snapshot-{region}"
        self._slots: dict[str, str] = {}
        self._wrapped: dict[str, tuple[str, str]] = {}

    def keys_from(self, snapshot: Mapping[bytes, bytes]) -> int | None:
        """From which offset on ``keys`` holds the keys of this snapshot, and of what came after it."""
        manifest = self._manifest(snapshot)
        return None if manifest is None else int(manifest["keys_next"])

    def opened(
        self, snapshot: Mapping[bytes, bytes], keys: Mapping[bytes, bytes]
    ) -> Generator[None, None, Opened | None]:
        """The parts of the last snapshot, step by step; None when there is none of this fold.

        Raises ``KeyError`` or ``CannotOpen`` when a part or its key is gone or was altered.
        """
        manifest = self._manifest(snapshot)
        if manifest is None:
            return None
        wrapped = orjson.loads(keys[self._key_id.encode()])["parts"]
        parts: dict[str, bytes] = {}
        contents = Contents()
        for name, slot in manifest["slots"].items():
            wrap, key = wrapped[name]
            sealed = snapshot[self._name(name, slot)]
            parts[name] = unseal_bytes(self.keys.unwrapped(wrap, key), self._key_id, f"{name}/{slot}", sealed)
            yield
        for number in range(sum(name.startswith("places-") for name in parts)):
            contents.load(parts.pop(f"places-{number}"))
        self._slots = dict(manifest["slots"])
        self._wrapped = {name: (wrap, key) for name, (wrap, key) in wrapped.items()}
        return Opened(parts, contents, int(manifest["journal_next"]))

    def written(
        self, parts: Iterable[tuple[str, bytes]], journal_next: int, keys_next: int, partition: int
    ) -> Iterator[list[Outgoing]]:
        """What to write, part by part; the last batch makes it count, and must be one transaction."""

        def out(name: bytes, value: bytes | None) -> Outgoing:
            return Outgoing(specs.SNAPSHOTS.topic(), name, value, (), partition)

        left: list[Outgoing] = []
        for name, plain in parts:
            before = self._slots.get(name)
            slot = SLOTS[before == SLOTS[0]]
            if before is not None:
                left.append(out(self._name(name, before), None))
            key = self._entropy(32)
            self._slots[name], self._wrapped[name] = slot, self.keys.wrapped(key)
            sealed = seal_bytes(key, self._key_id, f"{name}/{slot}", plain, self._entropy)
            yield [out(self._name(name, slot), sealed)]
        manifest = {
            "v": FORMAT, "fold": FOLD, "journal_next": journal_next, "keys_next": keys_next, "slots": self._slots,
        }  # fmt: skip
        keys = orjson.dumps({"v": 1, "parts": self._wrapped})
        yield [
            *left,
            Outgoing(specs.KEYS.topic(), self._key_id.encode(), keys, (), partition),
            out(self._name("manifest"), orjson.dumps(manifest)),
        ]

    def _manifest(self, snapshot: Mapping[bytes, bytes]) -> dict[str, Any] | None:
        raw = snapshot.get(self._name("manifest"))
        if raw is None:
            return None
        found: dict[str, Any] = orjson.loads(raw)
        return found if (found.get("v"), found.get("fold")) == (FORMAT, FOLD) else None

    def _name(self, part: str, slot: str | None = None) -> bytes:
        return f"{self._region}/{part}".encode() if slot is None else f"{self._region}/{part}/{slot}".encode()
