"""Bytes from outside: what is read, what is refused, and how fast."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.codes import DeadLetterReason as Why
from topics.codes import Indicator
from topics.problems import Refused
from topics.reports import PAYLOAD_LIMIT
from topics.safejson import acute_indicator, guard, too_deep

HOSTILE: dict[str, tuple[bytes, Why]] = {
    "nothing": (b"", Why.EMPTY),
    "only white space": (b" \r\n\t", Why.EMPTY),
    "only a byte order mark": (b"\xef\xbb\xbf", Why.EMPTY),
    "one byte over the limit": (b'"' + b"a" * (PAYLOAD_LIMIT - 1) + b'"', Why.TOO_LARGE),
    "two mebibytes": (b'"' + b"a" * 2**21 + b'"', Why.TOO_LARGE),
    "UTF-16 with mark": ('{"a": 1}'.encode("utf-16"), Why.NOT_UTF8),
    "UTF-16 LE": ('{"a": 1}'.encode("utf-16-le"), Why.NOT_UTF8),
    "UTF-16 BE": ('{"a": 1}'.encode("utf-16-be"), Why.NOT_UTF8),
    "UTF-32": ('{"a": 1}'.encode("utf-32"), Why.NOT_UTF8),
    "latin-1": ('{"a": "café"}'.encode("latin-1"), Why.NOT_UTF8),
    "overlong slash": (b'"\xc0\xaf"', Why.NOT_UTF8),
    "surrogate as bytes": (b'"\xed\xa0\x80"', Why.NOT_UTF8),
    "beyond Unicode": (b'"\xf4\x90\x80\x80"', Why.NOT_UTF8),
    "cut in a character": (b'"caf\xc3', Why.NOT_UTF8),
    "21 lists": (b"[" * 21 + b"]" * 21, Why.TOO_DEEP),
    "21 objects": (b'{"a":' * 21 + b"1" + b"}" * 21, Why.TOO_DEEP),
    "10,000 lists": (b"[" * 10_000 + b"]" * 10_000, Why.TOO_DEEP),
    "10,000 lists, never closed": (b"[" * 10_000, Why.TOO_DEEP),
    "10,000 objects": (b'{"":' * 10_000, Why.TOO_DEEP),
    "deep behind a string with an escaped mark": (b'["\\"", ' + b"[" * 30, Why.TOO_DEEP),
    "deep behind a string that ends in backslashes": (b'["\\\\\\\\", ' + b"[" * 30, Why.TOO_DEEP),
    "deep after many siblings": (b"[" + b"[[]]," * 500 + b"[" * 25 + b"]" * 26, Why.TOO_DEEP),
    "duplicate key": (b'{"a": 1, "a": 2}', Why.HOSTILE_JSON),
    "duplicate key, one escaped": (b'{"a": 1, "\\u0061": 2}', Why.HOSTILE_JSON),
    "duplicate key, deep": (b'[{"b": {"a": 1, "a": 1}}]', Why.HOSTILE_JSON),
    "NaN": (b'{"a": NaN}', Why.HOSTILE_JSON),
    "Infinity": (b"[Infinity]", Why.HOSTILE_JSON),
    "minus Infinity": (b"-Infinity", Why.HOSTILE_JSON),
    "21 digits": (b"1" * 21, Why.HOSTILE_JSON),
    "5,000 digits": (b"[" + b"9" * 5_000 + b"]", Why.HOSTILE_JSON),
    "minus 5,000 digits": (b"-" + b"9" * 5_000, Why.HOSTILE_JSON),
    "21 decimals": (b"0." + b"1" * 21, Why.HOSTILE_JSON),
    "overflow": (b"1e999", Why.HOSTILE_JSON),
    "overflow below": (b"-1e999", Why.HOSTILE_JSON),
    "5,000 digits of exponent": (b"1e" + b"9" * 5_000, Why.HOSTILE_JSON),
    "high surrogate alone": (b'"\\ud800"', Why.HOSTILE_JSON),
    "low surrogate alone": (b'["\\udc00"]', Why.HOSTILE_JSON),
    "surrogates the wrong way round": (b'{"a": "\\udc00\\ud800"}', Why.HOSTILE_JSON),
    "surrogate in a key": (b'{"\\uD800": 1}', Why.HOSTILE_JSON),
    "NUL escaped": (b'"\\u0000"', Why.HOSTILE_JSON),
    "NUL escaped in a key": (b'{"a\\u0000": 1}', Why.HOSTILE_JSON),
    "NUL escaped, deep": (b'[[["x\\u0000y"]]]', Why.HOSTILE_JSON),
    "NUL itself": (b'{"a": "b\0c"}', Why.HOSTILE_JSON),
    "NUL behind it": (b'{"a": "b"}\0\0', Why.HOSTILE_JSON),
    "text": (b"hello", Why.NOT_JSON),
    "XML": (b"<?xml version='1.0'?><a/>", Why.NOT_JSON),
    "two values": (b"{} {}", Why.NOT_JSON),
    "comma too many": (b"[1,]", Why.NOT_JSON),
    "comma too many in an object": (b'{"a": 1,}', Why.NOT_JSON),
    "comment": (b"{} // x", Why.NOT_JSON),
    "single quotes": (b"{'a': 1}", Why.NOT_JSON),
    "key without quotes": (b"{a: 1}", Why.NOT_JSON),
    "leading zero": (b"01", Why.NOT_JSON),
    "plus": (b"+1", Why.NOT_JSON),
    "hexadecimal": (b"0x10", Why.NOT_JSON),
    "point without digits": (b"1.", Why.NOT_JSON),
    "Python's True": (b"True", Why.NOT_JSON),
    "cut off": (b'{"a": [1, 2', Why.NOT_JSON),
    "string cut off": (b'"abc', Why.NOT_JSON),
    "backslash at the end": (b'"abc\\', Why.NOT_JSON),
    "unknown escape": (b'"\\x41"', Why.NOT_JSON),
    "short escape": (b'"\\u12"', Why.NOT_JSON),
    "raw line break in a string": (b'"a\nb"', Why.NOT_JSON),
    "raw escape character in a string": (b'"\x1b[31m"', Why.NOT_JSON),
    "closed too often": (b"]" * 1_000, Why.NOT_JSON),
    "closed the wrong way": (b"[}", Why.NOT_JSON),
    "mark twice": (b"\xef\xbb\xbf\xef\xbb\xbf{}", Why.NOT_JSON),
    "non-breaking space": (b"\xc2\xa0{}", Why.NOT_JSON),
    "Confluent's prefix": (b"\x01\x02\x03\x04\x05{}", Why.NOT_JSON),
    "gzip": (b"\x1f\x8b\x08\x01\x02\x03", Why.NOT_UTF8),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("raw", "why"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_refused_for_their_reason(raw: bytes, why: Why):
    with pytest.raises(Refused) as caught:
        guard(raw)

    assert caught.value.reason is why
    assert caught.value.__context__ is None  # the parser's error holds the whole message


def test_the_corpus_is_worth_its_name():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"[" * 20 + b"]" * 20, None),
        (b'{"a": "' + b"[" * 1_000 + b'"}', {"a": "[" * 1_000}),
        (b'"\\\\\\"[[[["', '\\"[[[['),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"12345678901234567890", 12345678901234567890),
        (b'"' + b"a" * (PAYLOAD_LIMIT - 2) + b'"', "a" * (PAYLOAD_LIMIT - 2)),
        (b"null", None),
    ],
)
def test_what_is_merely_unusual_is_read(raw: bytes, found: object):
    if found is None:
        guard(raw)
    else:
        assert guard(raw) == found


def test_a_sender_hears_where_it_goes_wrong():
    with pytest.raises(Refused) as caught:
        guard(b'{"a": 1,\n "Kanarie" 2}')

    (error,) = caught.value.errors
    assert "regel 2" in error.detail
    assert "line 2, column 12" in error.detail_en
    assert "Kanarie" not in error.detail + error.detail_en


@pytest.mark.parametrize(
    ("raw", "deep"),
    [
        pytest.param(b"[" * 2**21, True, id="only opened"),
        pytest.param(b"[" * 2**20 + b"]" * 2**20, True, id="opened and closed"),
        pytest.param(b"[]" * 2**20, False, id="pairs"),
        pytest.param((b"[" * 20 + b"]" * 20) * (2**21 // 40), False, id="up to the limit, again and again"),
        pytest.param(b'"' + b"[" * 2**21 + b'"', False, id="in a string"),
        pytest.param(b'"' * 2**21, False, id="quotation marks"),
        pytest.param(b'"' + b'\\"' * 2**20, False, id="escaped marks"),
        pytest.param(b"\\" * 2**21, False, id="backslashes"),
    ],
)
@pytest.mark.timeout(30)  # what takes the square of this would not end today
def test_depth_of_two_mebibytes_is_known_in_a_moment(raw: bytes, deep: bool):
    assert too_deep(raw) is deep


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='ab[]{}"\\'), inner),
    max_leaves=20,
)  # fmt: skip


def depth(found: object) -> int:
    if isinstance(found, dict):
        return 1 + max(map(depth, found.values()), default=0)
    if isinstance(found, list):
        return 1 + max(map(depth, found), default=0)
    return 0


@given(plain, st.integers(1, 6), st.booleans())
def test_depth_by_bytes_is_depth_by_parser(found: object, limit: int, ascii_only: bool):
    raw = json.dumps(found, ensure_ascii=ascii_only).encode()

    assert too_deep(raw, limit) is (depth(found) > limit)


@given(plain)
def test_good_json_comes_back_as_it_was(found: object):
    raw = json.dumps(found).encode()

    if "\\u0000" in json.dumps(found) or depth(found) > 20 or len(raw) > PAYLOAD_LIMIT:
        return
    assert guard(raw) == found


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(raw: bytes):
    with suppress(Refused):
        guard(raw)


@given(st.text(alphabet='[]{}",:\\0eE+-.1a \nué', max_size=60))
def test_whatever_is_read_is_json_for_a_second_parser_too(text: str):
    import orjson

    try:
        found = guard(text.encode())
    except Refused:
        return

    assert orjson.loads(text) == found


ACUTE = [indicator.value for indicator in Indicator if indicator.family == "A"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ACUTE)
@pytest.mark.parametrize(
    "text",
    ['{{"indicators": {{"{0}": "YES"}}', "{0}=YES", '"{0}"\n:\t"YES"', "{0}: yes", "x {0}YES", "'{0}' => 'Yes'",
     '{{\\"{0}\\": \\"YES\\"}}', "é{0}: yes", "indicator_{0} = yes"],
)  # fmt: skip
def test_an_acute_indicator_is_seen_whatever_the_rest_is(text: str, name: str, encoding: str):
    raw = text.format(name).encode(encoding)

    assert acute_indicator(raw) == name
    assert acute_indicator(b"\xff\xfe\x00garbag " + b"\0" * (len(raw) % 2) + raw + b"\xff") == name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["x BA3: YES", "A12: YES", "A0: YES", "A3: NO", "A3: YESTERDAY", "S3: YES", "A3", "A3: UNKNOWN, S1: YES",
     "postcode 1234 A33 YES", "a111 yes", ""],
)  # fmt: skip
def test_what_is_no_acute_indicator_is_not_taken_for_one(text: str, encoding: str):
    assert acute_indicator(text.encode(encoding)) is None


def test_an_acute_indicator_in_base64_is_seen():
    import base64

    inner = base64.b64encode(b'{"indicators": {"A5": "YES"}}')

    assert acute_indicator(b'{"data_base64": "' + inner + b'"}') == "A5"
    assert acute_indicator(b'{"data_base64": "AAA"}') is None


@pytest.mark.timeout(30)
def test_the_search_is_linear():
    for raw in (b"A1" * 2**19, (b"A1" + b" " * 1_000) * 1_000, b"A" * 2**20, b'"data_base64":' * 2**16):
        assert acute_indicator(raw) is None
