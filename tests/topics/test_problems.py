"""Errors say what to do, and hold nothing of what was sent."""

import json
from types import UnionType
from typing import Any, Union, get_args, get_origin
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from topics.answers import Act, Answer
from topics.codes import DeadLetterReason
from topics.problems import MOST_ERRORS, Refused, field_error, field_errors, problem
from topics.reading import read, read_answer, read_report
from topics.reports import Report
from topics.texts import catalogue

CANARY = "Kanarie van Zeldenrust"


def a_report(**changes: Any) -> dict[str, Any]:
    return {
        "report_id": "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91",
        "source_id": "politie-oost-brabant",
        "source_ref": "ZOF-1",
        "channel": "API",
        "received_at": "2031-05-04T20:00:00+02:00",
        "kind": "REPORT",
        "reporter": {"capacity": "POLICE"},
        "occasions": ["PARTNER"],
        "participants": [{"role": "VICTIM"}],
        **changes,
    }


def refused(plain: object, model: type[BaseModel] = Report) -> Refused:
    with pytest.raises(Refused) as caught:
        read(json.dumps(plain).encode(), model)
    assert caught.value.reason is DeadLetterReason.CONTRACT
    return caught.value


def said(refusal: Refused) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in refusal.errors]


def a_participant(**fields: Any) -> dict[str, Any]:
    return {"participants": [{"role": "VICTIM", **fields}]}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"kind": CANARY}, "/kind", "choice"),
        ({"board_investigation": {"state": CANARY, "number": "1"}}, "/board_investigation/state", "choice"),
        ({"indicators": {CANARY: "YES"}}, "/indicators", "key"),
        ({"indicators": {"A1": CANARY}}, "/indicators/A1", "choice"),
        ({"indicators": [CANARY]}, "/indicators", "object"),
        ({"participants": {CANARY: CANARY}}, "/participants", "array"),
        ({"reporter": CANARY}, "/reporter", "object"),
        ({"report_id": CANARY}, "/report_id", "uuid"),
        ({"report_id": 5}, "/report_id", "uuid"),
        ({"version": "1"}, "/version", "integer"),
        ({"version": 1.0}, "/version", "integer"),
        ({"version": True}, "/version", "integer"),
        ({"version": 0}, "/version", "at_least"),
        ({"version": 1000}, "/version", "at_most"),
        ({"test": "true"}, "/test", "boolean"),
        ({"narrative": 5}, "/narrative", "text"),
        ({"narrative": "x" * 20_001}, "/narrative", "text_too_long"),
        ({"narrative": CANARY + "\u202e"}, "/narrative", "clean"),
        ({"occasions": []}, "/occasions", "too_few"),
        ({"occasions": ["PARTNER"] * 10}, "/occasions", "too_many"),
        ({"received_at": "2031-05-04T20:00:00"}, "/received_at", "timezone"),
        ({"received_at": CANARY}, "/received_at", "datetime"),
        ({"received_at": "1700000000"}, "/received_at", "datetime"),
        ({"received_at": 1700000000}, "/received_at", "datetime"),
        ({"received_at": "2031-02-30T20:00:00Z"}, "/received_at", "datetime"),
        ({"received_at": "9999-12-31T23:59:59Z"}, "/received_at", "year"),
        ({"received_at": "2031-05-04T20:00:00+23:00"}, "/received_at", "offset"),
        ({"contact_ban": {"state": "NONE", "since": CANARY}}, "/contact_ban/since", "date"),
        ({"contact_ban": {"state": "NONE", "since": "1700006400"}}, "/contact_ban/since", "date"),
        ({"contact_ban": {"state": "NONE", "since": "2031-02-30"}}, "/contact_ban/since", "date"),
        ({"participants": []}, "", "participant_or_address"),
        ({"source_id": CANARY}, "/source_id", "slug"),
        ({"source_ref": "€ " + CANARY}, "/source_ref", "source_ref"),
        ({"incident_number": CANARY}, "/incident_number", "incident_number"),
        ({"municipality": CANARY}, "/municipality", "municipality"),
        ({"attachments": [{"uri": CANARY}]}, "/attachments/0/uri", "uri"),
        ({"help_running": [{"organisation": "", "since": "2031"}]}, "/help_running/0/organisation", "text_too_short"),
        ({"help_running": [{"organisation": "x", "since": CANARY}]}, "/help_running/0/since", "partial_date"),
        (a_participant(bsn="999999999"), "/participants/0/bsn", "bsn"),
        (a_participant(bsn=CANARY), "/participants/0/bsn", "bsn_digits"),
        (a_participant(postcode=CANARY), "/participants/0/postcode", "postcode"),
        (a_participant(birth_date=CANARY), "/participants/0/birth_date", "partial_date"),
        (a_participant(due_date=CANARY), "/participants/0/due_date", "partial_date"),
        (a_participant(house_number_suffix=CANARY), "/participants/0/house_number_suffix", "house_number_suffix"),
        (a_participant(**{CANARY: CANARY}), "/participants/0", "unknown_field"),
        ({CANARY: {CANARY: CANARY}}, "", "unknown_field"),
        ({"adress": CANARY}, "", "unknown_field_near"),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_own_sentence(changes: dict[str, Any], pointer: str, code: str):
    refusal = refused(a_report(**changes))

    assert (pointer, code) in said(refusal)
    assert CANARY not in refusal.problem().model_dump_json()
    assert "1700" not in refusal.problem().model_dump_json()


def test_what_is_missing_is_named_all_at_once():
    refusal = refused({})

    assert said(refusal) == [
        (f"/{name}", "missing") for name, field in Report.model_fields.items() if field.is_required()
    ]


def test_an_answer_needs_a_reason_exactly_when_it_refuses():
    answer = {
        "answer_id": str(uuid4()), "case_id": str(uuid4()), "handover_id": str(uuid4()),
        "state": "REFUSED", "answered_at": "2031-05-04T20:00:00Z",
    }  # fmt: skip

    assert said(refused(answer, Answer)) == [("", "reason_with_refusal")]
    assert read_answer(json.dumps({**answer, "reason": "CAPACITY"}).encode()).reason == "CAPACITY"


def test_choices_are_listed_in_the_codes_that_travel():
    refusal = refused({"state": "OFFERED"}, Answer)

    detail = next(error.detail for error in refusal.errors if error.code == "choice")
    assert "RECEIVED, ACKNOWLEDGED, ACCEPTED" in detail
    assert "HandoverState" not in detail


def test_a_misspelt_field_is_met_with_the_right_name_and_a_strange_one_with_none():
    near = refused(a_report(adress=1)).errors[0]
    strange = refused(a_report(opmerking=1)).errors[0]

    assert "address" in near.detail
    assert "adress;" not in near.detail
    assert not set(Report.model_fields) & set(strange.detail.replace(".", " ").split())


def test_at_most_fifty_errors_and_then_one_that_says_there_are_more():
    errors = [field_error(f"/{number}", "missing") for number in range(90)]

    refusal = Refused(DeadLetterReason.CONTRACT, errors + errors)

    assert len(refusal.errors) == MOST_ERRORS + 1
    assert refusal.errors[-1].code == "more"


def test_an_exception_shows_codes_only():
    refusal = refused(a_report(kind=CANARY))

    assert str(refusal) == "contract: choice"
    assert refusal.__cause__ is None
    assert refusal.__context__ is None


@pytest.mark.parametrize("reason", DeadLetterReason)
def test_each_reason_has_a_title_in_both_languages(reason: DeadLetterReason):
    found = problem(reason)

    assert found.type == f"urn:nld:meldstroom:problem:{reason.value}"
    assert found.title != found.title_en


def test_each_field_sentence_is_there_in_two_languages_with_the_same_placeholders():
    sentences = {key: both for key, both in catalogue().items() if key.startswith(("field.", "problem."))}

    for key, both in sentences.items():
        assert set(both) == {"nl", "en"}, key
        assert both["nl"].count("{") == both["en"].count("{"), key


def patterned(model: type[BaseModel], seen: set[type]) -> set[str]:
    """Names of fields that have a pattern of their own (free text only must be clean)."""
    names: set[str] = set()
    for name, schema in model.model_json_schema()["properties"].items():
        ways = [schema, *schema.get("anyOf", [])]
        if any("pattern" in way and "u202a" not in way["pattern"] for way in ways):
            names.add(name)
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            if inner not in seen:
                names |= patterned(inner, seen | {inner})
    return names


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, tuple):
        return [found for part in get_args(annotation) for found in models_in(part)]
    return []


def test_every_pattern_of_the_contract_has_a_sentence_of_its_own():
    from topics.problems import _PATTERNS

    # Line and Text have a pattern too, but theirs is the same everywhere: `clean`.
    fields = {name for model in (Report, Answer, Act) for name in patterned(model, {model})}

    assert fields - set(_PATTERNS) == set()


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=30)


@given(name=names, where=st.sampled_from(["", "reporter", "indicators", "meldcode"]))
def test_no_error_repeats_the_name_of_an_unknown_field(name: str, where: str):
    canary = "qx" + name + "xq"
    changes = {where: {canary: canary}} if where else {canary: canary}

    refusal = refused(a_report(**changes))

    assert canary not in "".join(e.pointer + e.detail + e.detail_en + e.code for e in refusal.errors)
    assert canary not in str(refusal)


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.just("qxkanariexq"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("qxkanariexq"), inner, max_size=1),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(Report.model_fields)), value=junk)
def test_no_error_repeats_a_value_of_any_type_anywhere(field: str, value: object):
    raw = json.dumps(a_report(**{field: value})).encode()
    refusal = None
    try:
        read_report(raw)
    except Refused as raised:
        refusal = raised

    if refusal:
        assert "qxkanariexq" not in refusal.problem().model_dump_json()
        assert "other" not in {error.code for error in refusal.errors}  # each has a sentence of its own


def test_field_errors_speaks_of_the_model_it_is_given():
    from pydantic import ValidationError

    try:
        Act.model_validate_json(b'{"second": "Jan Jansen"}')
    except ValidationError as error:
        errors = field_errors(error, Act)

    assert ("/second", "actor") in [(one.pointer, one.code) for one in errors]
