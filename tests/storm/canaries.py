"""Words that must never be seen where they do not belong, and looking for them in raw bytes."""

import base64
import random
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.storm.field import a_bsn, a_plain_report

_LETTERS = "bcdfghjklmnprstvw"
_SHAPE = re.compile(rb"zzk[a-z]{9}|(?<![0-9])9999[0-9]{5}(?![0-9])")
_UTF16 = re.compile(rb"z\0z\0k|9\x009\x009\x009", re.IGNORECASE)
_HEX = re.compile(rb"(?:[0-9a-f]{2}){9,}", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")


class Canaries:
    """Makes reports in which everything of a person is a word that occurs nowhere else."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.words: set[str] = set()
        self.hidden: set[str] = set()
        """Those that no receiver may see either: of reporters, and of addresses that are secret."""

    def word(self, *, hidden: bool = False) -> str:
        """A new one, such as ``Zzkbtrwpqlmn``: long enough to come up nowhere by chance."""
        found = "Zzk" + "".join(self.chance.choice(_LETTERS) for _ in range(9))
        self.words.add(found)
        if hidden:
            self.hidden.add(found)
        return found

    def bsn(self) -> str:
        found = a_bsn(self.chance)
        while found in self.words:  # two of one number would be one household
            found = a_bsn(self.chance)
        self.words.add(found)
        self.hidden.add(found)  # needed to know a household again, not to knock on its door
        return found

    def report(self, *, secret: bool = False, **changes: Any) -> dict[str, Any]:
        """A complete report; every field that holds words holds canaries."""
        report = a_plain_report(self.chance)
        person = report["participants"][0] | {
            "bsn": self.bsn(),
            "surname": self.word(),
            "given_names": self.word(),
            "phone": self.word(),
            "employer": self.word(hidden=True),
            "relatives_employers": [self.word(hidden=True)],
        }
        told = {"street": self.word(hidden=secret), "town": self.word(hidden=secret), "secret": secret}
        reporter = {
            name: self.word(hidden=True)
            for name in ("organisation", "home_organisation", "name", "contact", "substitute_contact")
        }
        return report | {
            "participants": [person],
            "address": report["address"] | told,
            "reporter": {"capacity": "POLICE"} | reporter,
            "disclosure_ground": self.word(hidden=True),
            "narrative": f"{self.word()} zag {self.word()} op de trap",
            "attachments": [{"uri": f"https://{self.word()}.example/{self.word()}", "title": self.word()}],
            "help_running": [{"organisation": self.word(), "worker": self.word()}],
            "meldcode": {"told_family": "NO", "told_family_reason": self.word()},
            **changes,
        }


class Sieve:
    """Finds canaries in raw bytes: as they are, in any case, and coded as base64, hexadecimal or UTF-16."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {word.lower().encode() for word in words}

    def found(self, raw: bytes) -> set[str]:
        """Every canary in these bytes."""
        return {hit.decode() for part in _readings(raw) for hit in _SHAPE.findall(part.lower()) if hit in self._words}


def _readings(raw: bytes) -> Iterator[bytes]:
    yield raw
    if _UTF16.search(raw):
        yield raw.replace(b"\0", b"")
    for run in _HEX.findall(raw):
        yield bytes.fromhex(run.decode())
    for run in _BASE64.findall(raw):
        plain = run.replace(b"-", b"+").replace(b"_", b"/")
        for skip in range(4):  # where a word begins in a longer code is not known
            part = plain[skip:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            yield base64.b64decode(part + b"=" * (-len(part) % 4))
