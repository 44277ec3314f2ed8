"""Everything that people read, in Dutch and English, from one catalogue.

Each ``*.yaml`` beside this file holds the sentences of one part of the house, a key a sentence::

    broker.missing_java:
      nl: "Java ontbreekt ..."
      en: "Java is missing ..."

Placeholders are those of ``str.format``. Both languages of a key take the same placeholders; a test
holds that, and that each key asked for exists.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    """Every sentence by its key; raises ``ValueError`` when two files claim the same key."""
    found: dict[str, dict[Language, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for key, sentence in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if key in found:
                raise ValueError(f"{path.name}: {key} stands in another file already")
            found[key] = sentence
    return found


def text(key: str, language: Language, **values: object) -> str:
    """The sentence ``key`` in ``language``, its placeholders filled; ``KeyError`` when unknown."""
    return catalogue()[key][language].format(**values)
