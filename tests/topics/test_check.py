"""What an integrator hears about a file, before he connects."""

import base64
import json
from typing import Any

import pytest

from topics.check import check
from topics.codes import DeadLetterReason as Why
from topics.specs import REPORT_TYPE

REPORT: dict[str, Any] = {
    "report_id": "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91",
    "source_id": "politie-oost-brabant",
    "source_ref": "ZOF-1",
    "channel": "API",
    "received_at": "2031-05-04T20:00:00+02:00",
    "kind": "REPORT",
    "reporter": {"capacity": "POLICE"},
    "occasions": ["PARTNER"],
    "participants": [{"role": "VICTIM"}],
    "indicators": {"A3": "YES"},
}


def an_event(data: object = REPORT, **changes: Any) -> bytes:
    event = {
        "specversion": "1.0", "id": "1", "type": REPORT_TYPE,
        "source": "urn:nld:oin:00000001999971232000:systeem:zorgformulier", "data": data, **changes,
    }  # fmt: skip
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def test_a_bare_report_and_a_whole_event_say_the_same():
    bare, whole = check(json.dumps(REPORT).encode()), check(an_event())
    coded = check(an_event(..., data_base64=base64.b64encode(json.dumps(REPORT).encode()).decode()))

    assert bare.ok
    assert whole.ok
    assert coded.ok
    assert bare.report == whole.report == coded.report
    assert bare.envelope is None
    assert whole.envelope is not None
    assert bare.acute == whole.acute == coded.acute == "A3"


def test_errors_of_envelope_and_report_come_together():
    found = check(an_event({**REPORT, "kind": "Kanarie"}, id=..., type="kanarie"))

    assert not found.ok
    assert found.report is None
    assert found.reasons == (Why.ENVELOPE, Why.CONTRACT)
    assert {(error.pointer, error.code) for error in found.errors} == {
        ("/id", "attribute_missing"),
        ("/data/kind", "choice"),
    }


def test_another_type_of_event_is_no_report():
    assert [error.pointer for error in check(an_event(type="nl.kanarie.v1")).errors] == ["/type"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", Why.EMPTY),
        (b"{", Why.NOT_JSON),
        (b"[]", Why.CONTRACT),
        (b"{}", Why.CONTRACT),
        (an_event(...), Why.EMPTY),
        (an_event("x" * 70_000), Why.TOO_LARGE),
        (b"[" * 10_000, Why.TOO_DEEP),
        (b"x" * 10**6, Why.TOO_LARGE),
    ],
)
def test_what_is_no_report_is_told_so(raw: bytes, why: Why):
    found = check(raw)

    assert found.reasons == (why,)
    assert found.errors


def test_an_acute_indicator_is_seen_in_what_is_refused():
    assert check(b'{"indicators": {"A1": "YES"').acute == "A1"
