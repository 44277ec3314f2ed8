"""Messages by the contract: strict about types, and about what is written down how."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from topics.answers import Act, Answer
from topics.codes import Answered, DeadLetterReason, Indicator
from topics.problems import Refused
from topics.reading import read, read_act, read_answer, read_report
from topics.reports import PAYLOAD_LIMIT, Report

ID = "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91"
MOMENT = "2031-05-04T20:00:00+02:00"
GOOD: dict[type[BaseModel], dict[str, Any]] = {
    Report: {
        "report_id": ID,
        "source_id": "politie-oost-brabant",
        "source_ref": "ZOF 1/2",
        "channel": "CORV",
        "received_at": MOMENT,
        "occurred_at": MOMENT,
        "kind": "REPORT",
        "reporter": {"capacity": "POLICE", "name": "Ana de Test"},
        "occasions": ["PARTNER"],
        "participants": [
            {"role": "CHILD", "birth_date": "2029", "bsn": "999900006", "house_number": 1, "postcode": "5611 AA"}
        ],
        "address": {"postcode": "5611AA", "house_number": 1, "secret": True},
        "indicators": {"A3": "YES", "S1": "NO"},
        "meldcode": {"q2": "ACUTE"},
        "restraining_order": {"state": "IN_FORCE", "since": "2031-05-01", "until": "2031-05-11"},
        "help_running": [{"organisation": "WIJeindhoven", "since": "2030-01"}],
        "attachments": [{"uri": "https://example.org/1"}],
        "municipality": "0772",
        "narrative": "Een lang verhaal,\nover twee regels.",
    },
    Answer: {
        "answer_id": ID, "case_id": ID, "handover_id": ID, "state": "ACCEPTED", "by": "m.12",
        "answered_at": MOMENT, "phone": {"who": "x", "with_whom": "y", "at": MOMENT}, "note": "n",
    },
    Act: {
        "act_id": ID, "case_id": ID, "kind": "SETTLE", "actor": "m.12", "role": "triage", "reason": "r",
        "done_at": MOMENT, "indicators": {"A1": "NO"},
    },
}  # fmt: skip


def raw(plain: object) -> bytes:
    return json.dumps(plain).encode()


def refusal(data: bytes, model: type[BaseModel] = Report) -> Refused:
    with pytest.raises(Refused) as caught:
        read(data, model)
    return caught.value


def test_a_report_is_read_with_its_types():
    report = read_report(raw(GOOD[Report]))

    assert report.report_id == UUID(ID)
    assert report.received_at.isoformat() == MOMENT
    assert report.indicators == {Indicator.A3: Answered.YES, Indicator.S1: Answered.NO}
    assert report.restraining_order is not None
    assert str(report.restraining_order.until) == "2031-05-11"


def test_an_answer_and_an_act_are_read():
    assert read_answer(raw(GOOD[Answer])).state == "ACCEPTED"
    assert read_act(raw(GOOD[Act])).indicators == {Indicator.A1: Answered.NO}


def test_a_byte_order_mark_changes_nothing():
    assert read_report(b"\xef\xbb\xbf" + raw(GOOD[Report])) == read_report(raw(GOOD[Report]))


@pytest.mark.parametrize("plain", [None, 5, "x", True, [], [[]], 1.5])
def test_what_is_no_object_is_refused(plain: object):
    found = refusal(raw(plain))

    assert found.reason is DeadLetterReason.CONTRACT
    assert [(error.pointer, error.code) for error in found.errors] == [("", "object")]


def paths(plain: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value in a message."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(plain, dict):
        inner = list(plain.items())
    elif isinstance(plain, list):
        inner = list(enumerate(plain))
    return [here, *(path for step, value in inner for path in paths(value, (*here, step)))]


def changed(plain: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    copy = json.loads(json.dumps(plain))
    owner = copy
    for step in path[:-1]:
        owner = owner[step]
    owner[path[-1]] = value
    return copy


def at(plain: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        plain = plain[step]
    return plain


WRONG = [
    0, -1, 10**18, 1.5, "", "x" * 30_000, "\u202ekanarie", "\u200b", "1", "true", True, [], ["kanarie"], {},
    {"kanarie": "kanarie"}, [[[["kanarie"]]]], "9999-12-31T23:59:59-23:59", "0001-01-01", "1700000000",
]  # fmt: skip


@pytest.mark.parametrize("model", GOOD)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong)[:20])
def test_wrong_types_everywhere_are_read_or_refused_and_never_repeated(model: type[BaseModel], wrong: object):
    for path in paths(GOOD[model]):
        try:
            found = read(raw(changed(GOOD[model], path, wrong)), model)
        except Refused as error:
            said = error.problem().model_dump_json()
            assert "kanarie" not in said, path
            assert "\u202e" not in said, path
            assert error.__context__ is None, path  # noqa: PT017
        else:  # what is let pass has kept its type
            back = json.loads(found.model_dump_json())
            assert type(at(back, path)) is type(wrong), path


@pytest.mark.parametrize(
    ("model", "path"),
    [(Report, ("received_at",)), (Report, ("occurred_at",)), (Answer, ("answered_at",)),
     (Answer, ("phone", "at")), (Act, ("done_at",))],
)  # fmt: skip
@pytest.mark.parametrize(
    "moment",
    ["1700000000", "1700000000000", "2031-05-04", "2031-05-04 20:00Z", "2031-05-04_20:00Z",
     "2031-05-04T20:00:00", "20310504T200000Z", "2031-W18-7T20:00Z", "²031-05-04T20:00Z"],
)  # fmt: skip
def test_a_moment_must_be_written_out(model: type[BaseModel], path: tuple[str, ...], moment: str):
    found = refusal(raw(changed(GOOD[model], path, moment)), model)

    assert "/" + "/".join(path) in [error.pointer for error in found.errors]


@pytest.mark.parametrize("day", ["1700006400", "2031-05-01T00:00:00", "2031-05-01T00:00:00Z", "2031-5-1", "20310501"])
@pytest.mark.parametrize("field", ["since", "until"])
def test_a_day_must_be_written_out(day: str, field: str):
    found = refusal(raw(changed(GOOD[Report], ("restraining_order", field), day)))

    assert [(e.pointer, e.code) for e in found.errors] == [(f"/restraining_order/{field}", "date")]


def test_limits_are_held_from_both_sides():
    report = GOOD[Report]
    line, text = ("reporter", "name"), ("narrative",)

    read_report(raw(changed(changed(report, line, "x" * 200), text, "x" * 20_000)))
    found = refusal(raw(changed(changed(report, line, "x" * 201), text, "x" * 20_001)))

    assert {error.pointer for error in found.errors} == {"/reporter/name", "/narrative"}


def test_the_payload_limit_is_held_from_both_sides():
    body = raw(GOOD[Report])

    read_report(body + b" " * (PAYLOAD_LIMIT - len(body)))
    assert refusal(body + b" " * (PAYLOAD_LIMIT - len(body) + 1)).reason is DeadLetterReason.TOO_LARGE


def test_all_errors_come_at_once():
    wrong = changed(changed(changed(GOOD[Report], ("kind",), "x"), ("received_at",), "1"), ("version",), "2")

    assert {error.pointer for error in refusal(raw(wrong)).errors} == {"/kind", "/received_at", "/version"}


@given(
    field=st.sampled_from(sorted(Report.model_fields)),
    value=st.text(max_size=40) | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
)
def test_anything_in_a_field_is_read_or_refused(field: str, value: object):
    body = raw({**GOOD[Report], field: value})
    try:
        report = read_report(body)
    except Refused:
        return
    assert read_report(report.model_dump_json().encode()) == report
