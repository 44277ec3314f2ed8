"""Envelopes: what the CloudEvents package writes we read, and what is doubtful is refused whole."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import assume, given
from hypothesis import strategies as st

from topics import envelope
from topics.codes import DeadLetterReason as Why
from topics.problems import Refused
from topics.reports import is_bsn

BSN = "999900006"
SOURCE = "urn:nld:oin:00000001999971232000:systeem:zorgformulier"
TYPE = "nl.veiligthuis-meldingen.melding-gedaan.v1"
ID = "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91"
BODY = b'{"a": 1}'
Headers = list[tuple[str, bytes]]


def headers(**changes: bytes | None) -> Headers:
    """Good headers; a change to None leaves one out."""
    found: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": ID.encode(),
        "ce_source": SOURCE.encode(),
        "ce_type": TYPE.encode(),
        "ce_time": b"2031-05-04T20:00:00.5+02:00",
        "ce_subject": ID.encode(),
        "content-type": b"application/json",
        **{name.replace("content_type", "content-type"): raw for name, raw in changes.items()},
    }
    return [(name, raw) for name, raw in found.items() if raw is not None]


def structured(**changes: Any) -> bytes:
    event = {"specversion": "1.0", "id": ID, "source": SOURCE, "type": TYPE, "data": {"a": 1}, **changes}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def refused(found: Headers, key: bytes | None = b"k", value: bytes | None = BODY) -> Refused:
    with pytest.raises(Refused) as caught:
        envelope.read(found, key, value)
    return caught.value


def codes(refusal: Refused) -> set[tuple[str, str]]:
    return {(error.pointer, error.code) for error in refusal.errors}


def test_binary_mode_is_read():
    found = envelope.read(headers(), ID.encode(), BODY)

    assert found == envelope.Envelope(
        ID, SOURCE, TYPE, datetime.fromisoformat("2031-05-04T20:00:00.500000+02:00"), ID, BODY
    )


def test_an_absent_time_stays_absent():
    assert envelope.read(headers(ce_time=None), None, BODY).time is None
    assert envelope.read(STRUCTURED, None, structured()).time is None


@pytest.mark.parametrize("content_type", [b"application/cloudevents", b"Application/CloudEvents+JSON;charset=utf-8"])
def test_structured_mode_is_read_in_any_case(content_type: bytes):
    value = structured(data_base64=base64.b64encode(BODY).decode(), data=...)

    assert envelope.read([("content-type", content_type)], b"k", structured()).data == BODY
    assert envelope.read([("content-type", content_type)], b"k", value).data == BODY


def an_event(**more: Any) -> CloudEvent:
    return CloudEvent(
        {
            "id": ID, "source": SOURCE, "type": TYPE, "subject": ID, "datacontenttype": "application/json",
            "time": datetime(2031, 5, 4, 18, tzinfo=UTC), "correlationid": ID, **more,
        },
        {"a": [1, "é"]},
    )  # fmt: skip


def test_both_modes_of_the_cloudevents_package_say_the_same_to_us():
    binary, whole = to_binary(an_event(), JSONFormat()), to_structured(an_event(), JSONFormat())

    one = envelope.read(list(binary.headers.items()), None, binary.value)
    other = envelope.read(list(whole.headers.items()), None, whole.value)

    assert (one.id, one.source, one.type, one.subject) == (ID, SOURCE, TYPE, ID)
    assert one.time == other.time == datetime(2031, 5, 4, 18, tzinfo=UTC)
    assert json.loads(one.data) == json.loads(other.data) == {"a": [1, "é"]}


def test_what_we_write_the_cloudevents_package_reads_and_so_do_we():
    written = envelope.write(id=ID, type=TYPE, source=SOURCE, time_ms=1_935_684_000_007, subject="zaak é")

    event = from_binary(KafkaMessage(dict(written), None, BODY), JSONFormat())
    ours = envelope.read(written, None, BODY)

    assert len(dict(written)) == len(written)
    assert (event.get_id(), event.get_type(), event.get_source()) == (ID, TYPE, SOURCE)
    assert event.get_subject() == "zaak é" == ours.subject
    assert event.get_time() == ours.time
    assert ours.time is not None
    assert round(ours.time.timestamp() * 1000) == 1_935_684_000_007
    assert dict(written)["ce_time"].endswith(b".007Z")
    assert dict(written)["content-type"] == b"application/json"


@given(st.integers(946_684_800_000, 4_102_444_799_999))
def test_every_time_we_write_is_read_back_to_the_millisecond(time_ms: int):
    found = envelope.read(envelope.write(id="x", type=TYPE, source=SOURCE, time_ms=time_ms, subject=None), None, BODY)

    assert found.time is not None
    assert found.time.replace(microsecond=0).timestamp() == time_ms // 1000
    assert found.time.microsecond == time_ms % 1000 * 1000


@given(drop=st.sets(st.sampled_from(["id", "source", "specversion", "type"]), min_size=1), binary=st.booleans())
def test_without_a_required_attribute_nothing_is_read_and_all_that_lack_are_named(drop: set[str], binary: bool):
    if binary:
        refusal = refused(headers(**{f"ce_{name}": None for name in drop}))
    else:
        refusal = refused(STRUCTURED, b"k", structured(**dict.fromkeys(drop, ...)))

    assert refusal.reason is Why.ENVELOPE
    prefix = "/headers/ce_" if binary else "/"
    assert codes(refusal) == {(prefix + name, "attribute_missing") for name in drop}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"ce_id": b""}, "/headers/ce_id", "attribute_missing"),
        ({"ce_specversion": b"0.3"}, "/headers/ce_specversion", "specversion"),
        ({"ce_source": b"https://kanarie.example"}, "/headers/ce_source", "source_urn"),
        ({"ce_source": b"urn:nld:"}, "/headers/ce_source", "source_urn"),
        ({"ce_source": b"urn:nld:oin:1 2"}, "/headers/ce_source", "source_urn"),
        ({"ce_source": b"urn:nld:oin:1\n"}, "/headers/ce_source", "source_urn"),
        ({"ce_type": b"x" * 256}, "/headers/ce_type", "attribute_too_long"),
        ({"ce_subject": b""}, "/headers/ce_subject", "attribute_empty"),
        ({"ce_subject": b"kanarie\r\nx"}, "/headers/ce_subject", "control"),
        ({"ce_subject": "kanarie\x85".encode()}, "/headers/ce_subject", "control"),
        ({"ce_subject": b"kanarie\xff"}, "/headers/ce_subject", "header_not_utf8"),
        ({"traceparent": b"\xff"}, "/headers", "header_not_utf8"),
        ({"ce_Kanarie": b"1"}, "/headers", "attribute_name"),
        ({"ce_kanarie-x": b"1"}, "/headers", "attribute_name"),
        ({"ce_": b"1"}, "/headers", "attribute_name"),
        ({"ce_kanarie": b"x" * 256}, "/headers", "attribute_too_long"),
        ({"ce_time": b"kanarie"}, "/headers/ce_time", "time"),
        ({"ce_time": b"2031-05-04T20:00:00"}, "/headers/ce_time", "time"),
        ({"ce_time": b"2031-05-04"}, "/headers/ce_time", "time"),
        ({"ce_time": b"1700000000"}, "/headers/ce_time", "time"),
        ({"ce_time": b"9999-12-31T23:59:59Z"}, "/headers/ce_time", "time"),
        ({"ce_time": b"2031-02-30T20:00:00Z"}, "/headers/ce_time", "time"),
        ({"content_type": None}, "/headers/content-type", "content_type"),
        ({"content_type": b"application/xml"}, "/headers/content-type", "content_type"),
        ({"content_type": b"application/json; charset=latin1"}, "/headers/content-type", "content_type"),
        ({"content_type": b"application/cloudevents-batch+json"}, "/headers/content-type", "content_type"),
        ({"ce_datacontenttype": b"application/json"}, "/headers/ce_datacontenttype", "content_type"),
    ],
)  # fmt: skip
def test_a_doubtful_binary_envelope_is_refused(changes: dict[str, bytes | None], pointer: str, code: str):
    value = structured() if b"batch" in (changes.get("content_type") or b"") else BODY
    refusal = refused(headers(**changes), b"k", value)

    assert refusal.reason is Why.ENVELOPE
    assert (pointer, code) in codes(refusal)
    assert "anarie" not in refusal.problem().model_dump_json()


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"id": 5}, "/id", "attribute_text"),
        ({"id": None}, "/id", "attribute_missing"),
        ({"source": ["kanarie"]}, "/source", "attribute_text"),
        ({"specversion": 1.0}, "/specversion", "attribute_text"),
        ({"specversion": "1.1"}, "/specversion", "specversion"),
        ({"kanarie": {"kanarie": 1}}, "", "attribute_type"),
        ({"kanarie": 1.5}, "", "attribute_type"),
        ({"kanarie": 2**31}, "", "attribute_type"),
        ({"Kanarie": "x"}, "", "attribute_name"),
        ({"time": "kanarie"}, "/time", "time"),
        ({"datacontenttype": "text/kanarie"}, "/datacontenttype", "datacontenttype"),
        ({"data_base64": "e30="}, "/data", "data_twice"),
        ({"data": ..., "data_base64": "kanarie!"}, "/data_base64", "base64"),
        ({"data": ..., "data_base64": 5}, "/data_base64", "base64"),
    ],
)  # fmt: skip
def test_a_doubtful_structured_envelope_is_refused(changes: dict[str, Any], pointer: str, code: str):
    refusal = refused(STRUCTURED, b"k", structured(**changes))

    assert refusal.reason is Why.ENVELOPE
    assert (pointer, code) in codes(refusal)
    assert "anarie" not in refusal.problem().model_dump_json()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, Why.EMPTY),
        (b"", Why.EMPTY),
        (structured(data=...), Why.EMPTY),
        (structured(data=None), Why.EMPTY),
        (structured(data=..., data_base64=""), Why.EMPTY),
        (b"[]", Why.ENVELOPE),
        (b"{", Why.NOT_JSON),
        (structured().decode().encode("utf-16"), Why.NOT_UTF8),
        (b'{"id": "1", "id": "2"}', Why.HOSTILE_JSON),
        (b"[" * 10_000, Why.TOO_DEEP),
        (b" " * 2**21, Why.TOO_LARGE),
    ],
)
def test_a_structured_event_that_is_no_event_is_refused_for_its_reason(value: bytes | None, why: Why):
    assert refused(STRUCTURED, b"k", value).reason is why


def test_an_empty_value_is_refused_in_binary_mode_too():
    assert refused(headers(), b"k", None).reason is Why.EMPTY
    assert refused(headers(), b"k", b"").reason is Why.EMPTY


@pytest.mark.parametrize("name", [name for name, _ in headers()])
def test_what_comes_twice_is_refused_even_when_it_says_the_same(name: str):
    twice = dict(headers())[name]

    assert (f"/headers/{name}", "attribute_repeated") in codes(refused([*headers(), (name, twice)]))


def test_copies_in_the_headers_of_a_structured_event_must_agree_with_it():
    agree = [*STRUCTURED, ("ce_id", ID.encode())]
    differ = [*STRUCTURED, ("ce_id", b"another")]

    assert envelope.read(agree, None, structured()).id == ID
    assert codes(refused(differ, b"k", structured())) == {("/headers/ce_id", "attribute_differs")}


@pytest.mark.parametrize("key", [b"\xff\xfe", b"\0\0\0\0\0\0\0\x07", b"a\nb"])
def test_a_key_that_is_no_text_is_refused(key: bytes):
    assert refused(headers(), key).reason is Why.ENVELOPE


def test_all_errors_come_at_once():
    refusal = refused(headers(ce_id=None, ce_source=b"x", ce_time=b"x", content_type=b"x"), b"\xff")

    assert {code for _, code in codes(refusal)} == {
        "attribute_missing", "source_urn", "time", "content_type", "header_not_utf8"
    }  # fmt: skip


bsns = st.sampled_from([str(number) for number in range(999_900_000, 999_910_000) if is_bsn(str(number))])
around = st.text(alphabet=" .:/-_=,;é€\"'{}", max_size=5)
everywhere = [name for name, _ in headers()] + ["traceparent", "ce_dataschema", "ce_kanarie", "x"]


@given(bsn=bsns, before=around, after=around, name=st.sampled_from(everywhere), utf16=st.booleans())
def test_a_bsn_in_any_header_is_refused_and_never_repeated(bsn: str, before: str, after: str, name: str, utf16: bool):
    raw = (before + bsn + after).encode("utf-16-le" if utf16 else "utf-8")
    refusal = refused([(given, value) for given, value in headers() if given != name] + [(name, raw)])

    assert refusal.reason is Why.BSN_EXPOSED
    assert bsn not in refusal.problem().model_dump_json() + str(refusal)


@given(bsn=bsns, before=around, after=around)
def test_a_bsn_in_the_key_or_in_the_name_of_a_header_is_refused(bsn: str, before: str, after: str):
    in_key = refused(headers(), (before + bsn + after).encode())
    in_name = refused([*headers(), (f"x-{bsn}", b"1")])

    assert in_key.reason is in_name.reason is Why.BSN_EXPOSED
    assert codes(in_key) == {("/key", "bsn_exposed")}
    assert bsn not in in_name.problem().model_dump_json()


@given(bsn=bsns, name=st.sampled_from(["id", "source", "type", "subject", "time", "kanarie"]), number=st.booleans())
def test_a_bsn_in_an_attribute_of_a_structured_event_is_refused(bsn: str, name: str, number: bool):
    refusal = refused(STRUCTURED, b"k", structured(**{name: int(bsn) if number else f"x/{bsn}"}))
    nested = refused(STRUCTURED, b"k", structured(**{name: {"kanarie": [bsn]}}))

    assert refusal.reason is nested.reason is Why.BSN_EXPOSED
    assert bsn not in refusal.problem().model_dump_json()
    assert "kanarie" not in nested.problem().model_dump_json()


def test_a_bsn_in_the_name_of_an_attribute_is_refused_and_in_the_data_is_let_pass():
    assert refused(STRUCTURED, b"k", structured(**{BSN: "x"})).reason is Why.BSN_EXPOSED
    assert envelope.read(STRUCTURED, b"k", structured(data={"bsn": BSN})).data
    assert envelope.read(headers(), b"k", f'{{"bsn": "{BSN}"}}'.encode()).data


@given(st.text(alphabet="0123456789", min_size=1, max_size=20))
def test_digits_that_are_no_bsn_are_let_pass(digits: str):
    assume(not is_bsn(digits))

    assert envelope.read(headers(ce_subject=digits.encode()), None, BODY).subject == digits


@pytest.mark.parametrize("inside", ["1{}", "{}1", "a{}", "{}Z", "0a1b{}c"])
def test_nine_digits_within_a_longer_token_are_no_bsn(inside: str):
    assert envelope.read(headers(ce_subject=inside.format(BSN).encode()), None, BODY)


@given(
    st.lists(st.tuples(st.sampled_from(everywhere) | st.text(max_size=10), st.binary(max_size=40)), max_size=12),
    st.none() | st.binary(max_size=20),
    st.none() | st.binary(max_size=60),
)
def test_anything_is_read_or_refused_and_nothing_else(found: Headers, key: bytes | None, value: bytes | None):
    try:
        envelope.read(found, key, value)
    except Refused as refusal:
        reason = refusal.reason
        assert reason in Why


def test_a_thousand_headers_are_no_way_to_keep_us_busy():
    many = [(f"ce_Kanarie{number}", b"x" * 300) for number in range(10_000)]
    begun = time.process_time()

    refusal = refused(many)

    assert len(refusal.errors) <= 51
    assert time.process_time() - begun < 2


def test_reading_and_writing_take_tens_of_microseconds():
    def best(act: Any) -> float:
        spent = []
        for _ in range(5):
            begun = time.process_time()
            for _ in range(500):
                act()
            spent.append((time.process_time() - begun) / 500)
        return min(spent)

    good = headers()

    assert best(lambda: envelope.read(good, b"k", BODY)) < 100e-6
    assert best(lambda: envelope.write(id=ID, type=TYPE, source=SOURCE, time_ms=1, subject=ID)) < 50e-6
