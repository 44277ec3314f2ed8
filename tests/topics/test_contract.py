"""The committed contract is what the code says, and is well formed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from topics import codes, contract, journal, specs
from topics.envelope import write
from topics.problems import Refused
from topics.reading import read
from topics.specs import SPECS

HERE = Path(contract.__file__).parent
SCHEMAS = {message.name: contract.schema(message) for message in contract.MESSAGES}
ID = "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91"
MOMENT = "2031-05-04T20:00:00+02:00"
REPORT: dict[str, Any] = {
    "report_id": ID,
    "source_id": "politie-oost-brabant",
    "source_ref": "ZOF-1",
    "channel": "API",
    "received_at": MOMENT,
    "kind": "REPORT",
    "reporter": {"capacity": "POLICE"},
    "occasions": ["PARTNER"],
    "participants": [{"role": "VICTIM", "birth_date": "2001-02"}],
    "indicators": {"A3": "YES"},
    "address": None,
}
ANSWER: dict[str, Any] = {
    "answer_id": ID, "case_id": ID, "handover_id": ID, "state": "REFUSED", "reason": "CAPACITY",
    "answered_at": MOMENT,
}  # fmt: skip


def valid(name: str, plain: object) -> bool:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(SCHEMAS[name], format_checker=checker).is_valid(plain)


@pytest.mark.parametrize("path", contract.files())
def test_the_committed_file_is_what_the_code_says(path: str):
    assert (HERE / path).read_text(encoding="utf-8") == contract.files()[path], (
        "run `python -m topics.contract`, and look at the difference: a contract changes"
    )


def test_there_is_no_schema_that_nobody_writes_any_more():
    assert {f"schemas/{file.name}" for file in (HERE / "schemas").iterdir()} == {
        path for path in contract.files() if path.startswith("schemas/")
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_good_closed_and_described(name: str):
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:nld:meldstroom:schema:{name}:v1"
    for where, part in [(name, schema), *schema["$defs"].items()]:
        assert part.get("description"), where
        if part.get("type") == "object":
            assert part["additionalProperties"] is False, where


def test_every_type_of_the_topics_is_published_once():
    published = [message.kind for message in contract.MESSAGES]

    assert sorted(published) == sorted({kind for spec in SPECS for kind in spec.types})


def test_code_lists_carry_their_labels():
    colours = SCHEMAS["offer"]["$defs"]["Colour"]

    assert colours["x-nl"] == {colour.value: colour.nl for colour in codes.Colour}
    assert SCHEMAS["report"]["$defs"]["Occasion"]["x-cbs"]["HONOUR"] == "02"


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"narrative": "regel\nregel"}, True),
        ({"kind": "ADVICE", "participants": []}, True),
        ({"participants": [], "address": {"postcode": "5611AA", "house_number": 1}}, True),
        ({"participants": []}, False),
        ({"participants": [], "address": None}, False),
        ({"kind": "x"}, False),
        ({"x": 1}, False),
        ({"version": "1"}, False),
        ({"version": 0}, False),
        ({"occasions": []}, False),
        ({"indicators": {"X": "YES"}}, False),
        ({"indicators": {"A3": "MAYBE"}}, False),
        ({"narrative": "\u202e"}, False),
        ({"municipality": "772"}, False),
        ({"participants": [{"role": "VICTIM", "postcode": "5611 aa"}]}, False),
        ({"participants": [{"role": "VICTIM", "jan": 1}]}, False),
    ],
)
def test_schema_and_reader_agree_about_reports(changes: dict[str, Any], good: bool):
    agree("report", {**REPORT, **changes}, good)


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"state": "ACCEPTED", "reason": None}, True),
        ({"state": "ACCEPTED"}, False),
        ({"reason": None}, False),
        ({"state": "OFFERED", "reason": None}, False),
    ],
)
def test_schema_and_reader_agree_about_answers(changes: dict[str, Any], good: bool):
    agree("answer", {**ANSWER, **changes}, good)


def agree(name: str, plain: dict[str, Any], good: bool) -> None:
    model = next(message.model for message in contract.MESSAGES if message.name == name)
    try:
        read(json.dumps(plain).encode(), model)
        found = True
    except Refused:
        found = False

    assert (valid(name, plain), found) == (good, good)


@given(st.sampled_from(sorted(REPORT)), st.none() | st.integers() | st.text() | st.booleans() | st.just([]))
def test_what_the_reader_takes_the_schema_takes(field: str, value: object):
    plain = {**REPORT, field: value}
    try:
        read(json.dumps(plain).encode(), contract.Report)
    except Refused:
        return

    assert valid("report", plain)


def test_a_record_of_the_journal_keeps_to_its_schema():
    record = journal.Record(
        region="brabant-zuidoost", seq=0, at=1, lane=journal.CLOCK, epoch=0, offset=0, policy="p",
        input=journal.TickInput(until=1),
        events=(
            journal.StepFired(
                case_id=ID, handover_id=ID, step="remind", due=1, late=False, tells=("a",), again=None
            ),
        ),
    )  # fmt: skip
    plain = json.loads(journal.encode(record))

    assert valid("journal-record", plain)
    assert not valid("journal-record", {**plain, "v": 2})
    assert not valid("journal-record", {**plain, "input": {"type": "unheard"}})
    assert not valid("journal-record", {**plain, "naam": "x"})


ASYNCAPI: dict[str, Any] = yaml.safe_load(contract.files()["asyncapi.yaml"])


def refs(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if "$ref" in found:
            yield found["$ref"]
        for inner in found.values():
            yield from refs(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from refs(inner)


def test_every_reference_leads_somewhere():
    for ref in refs(ASYNCAPI):
        if ref.startswith("#/"):
            here: Any = ASYNCAPI
            for step in ref[2:].split("/"):
                here = here[step]
        else:
            assert json.loads((HERE / ref).read_text(encoding="utf-8"))["$id"]


def test_asyncapi_holds_every_topic_that_others_touch_as_the_specs_say():
    assert ASYNCAPI["asyncapi"] == "3.1.0"
    assert list(ASYNCAPI["channels"]) == [spec.name for spec in SPECS if spec.types]
    for spec in SPECS:
        if not spec.types:
            continue
        channel = ASYNCAPI["channels"][spec.name]
        kafka, config = channel["bindings"]["kafka"], spec.config(min_insync=2)
        assert channel["address"] == spec.topic(f"{{{spec.of}}}" if spec.of else None)
        assert set(channel.get("parameters", {})) == ({spec.of} if spec.of else set())
        assert kafka["partitions"] == spec.partitions
        assert str(kafka["topicConfiguration"]["retention.ms"]) == config["retention.ms"]
        assert kafka["topicConfiguration"]["cleanup.policy"] == [config["cleanup.policy"]]
        assert kafka["bindingVersion"] == "0.5.0"
        types = {ASYNCAPI["components"]["messages"][name]["name"] for name in channel["messages"]}
        assert types == set(spec.types)


def test_operations_are_told_from_our_side():
    actions = {name: operation["action"] for name, operation in ASYNCAPI["operations"].items()}

    assert {name for name, action in actions.items() if action == "receive"} == {
        "receive-transfers",
        "receive-reports", "receive-answers", "receive-acts",
    }  # fmt: skip
    assert all(name.startswith(action) for name, action in actions.items())


def test_every_message_is_described_and_what_we_write_keeps_to_its_headers():
    trait = ASYNCAPI["components"]["messageTraits"]["cloudEvent"]["headers"]
    for message in ASYNCAPI["components"]["messages"].values():
        assert message["title"]
        assert message["summary"]
        assert "CloudEvents id:" in message["description"]
        written = write(id=ID, type=message["name"], source="urn:nld:oin:1", time_ms=10**12, subject=ID)
        headers = {name: raw.decode() for name, raw in written}
        jsonschema.validate(headers, trait)
        jsonschema.validate(headers, message["headers"])


def test_types_are_reverse_domain_with_one_version():
    for message in contract.MESSAGES:
        assert message.kind.startswith("nl.")
        assert message.kind.endswith(f".{specs.VERSION}")
