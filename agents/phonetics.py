"""The codes by which names are compared: alike for what is meant to be one name and written differently. Pure.

Made for the names of Dutch registers: prefixes, double names, ij and y, and the many spellings of Arabic and Turkish
names in Latin letters. Vowels are what is misspelled most, so a surname is its consonants as they sound.
"""

import re
import unicodedata

# fmt: off
_PREFIXES = frozenset((
    "van", "von", "vanden", "vander", "vande", "der", "den", "de", "het", "t", "ten", "ter", "te", "op", "in", "aan",
    "el", "al", "ul", "l", "s", "v", "d",
))
# fmt: on
"""They are left out, left off or written to the name; nobody is told apart by them."""
_GLUED = re.compile(r"^(vander|vanden|vande|van|el|al)(?=[a-z]{4})")
_PARTS = re.compile(r"-|/|\be\.? ?v\.?(?=\s)|\bgeb\.?(?=\s)")
"""Between the two surnames of a married person: a dash, *echtgenote van*, *geboren*."""
_SIGNS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "a", "ð": "d"})
"""Letters that are no base letter with an accent."""

_SOUNDS = (
    *((written, "s") for written in ("sch", "sj", "sh", "sz", "cz", "tz")),
    *(("dj", "j"), ("chm", "m"), ("gh", "g"), ("ph", "f"), ("v", "f"), ("x", "ks")),
    *((written, "k") for written in ("ck", "kh", "q")),
    *(("ouw", "ou"), ("auw", "au"), ("ou", "o"), ("au", "o"), ("oe", "o"), ("ij", "i")),
    *(("th", "t"), ("dt", "t"), ("d", "t"), ("w", "f"), ("z", "s")),
    *((f"c{vowel}", f"s{vowel}") for vowel in "eiy"),
)
"""What is written, and as what it sounds, in this order; plain replacing, for intake does it for every name."""
_DOUBLE = re.compile(r"([a-z])\1+")
_SILENT = str.maketrans("", "", "aeiouyjh")
_VOWELS = {"a": "a", "e": "e", "i": "e", "y": "e", "o": "o", "u": "o"}


def surname_codes(name: str) -> tuple[str, ...]:
    """A code for each part of a surname, two at most, in whatever order they stand."""
    plain = _plain(name)
    parts = [joined for part in _PARTS.split(plain) if (joined := _joined(part))] or [_letters(plain)]
    return tuple(sorted({_sounds(_heard(part, "g")) for part in parts[:2]} - {""}))


def given_code(names: str) -> str | None:
    """A code of the first given name; None for initials. Its first vowel counts: Sem and Sam may be twins."""
    first = next(iter(re.split(r"[\s.-]+", _plain(names).strip())), "")
    letters = _letters(first)
    if len(letters) < 2:
        return None
    heard = _heard(letters, "s")
    code = _sounds(heard)
    vowel = next((_VOWELS[sign] for sign in heard[1:] if sign in _VOWELS), "")
    return f"{code[:1]}{vowel}{code[1:]}"


def _plain(name: str) -> str:
    """Small letters without accents."""
    if name.isascii():
        return name.lower()
    apart = unicodedata.normalize("NFKD", name.casefold().translate(_SIGNS))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def _joined(part: str) -> str:
    """A surname without its prefixes."""
    words = [_letters(word) for word in re.split(r"[\s'’.,]+", part)]
    return _GLUED.sub("", "".join(word for word in words if word not in _PREFIXES))


def _heard(letters: str, ch: str) -> str:
    for written, sound in _SOUNDS:
        letters = letters.replace(written, sound)
    # In Dutch names ch sounds like g, in others mostly like sh.
    return _DOUBLE.sub(r"\1", letters.replace("ch", ch).replace("c", "k"))


def _sounds(heard: str) -> str:
    """The first sound, and the consonants after it."""
    if not heard:
        return ""
    first = "j" if heard[0] == "y" else _VOWELS.get(heard[0], heard[0])
    return first + heard[1:].translate(_SILENT)
