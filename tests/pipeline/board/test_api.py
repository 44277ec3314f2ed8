"""The HTTP API over a real broker: what goes in is on the broker, and who asks gets what is his."""

import base64
import random
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition
from openapi_spec_validator import validate

from pipeline.board.app import HEADERS
from pipeline.board.doors import DOORS
from tests.pipeline.board.ground import REGION, SOURCE, Board
from tests.storm.field import a_plain_report
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

Eventually = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture
def police(board: Board) -> httpx2.Client:
    return board.machine(SOURCE)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    return a_plain_report(random.Random(request.node.name))


def offered(board: Board, eventually: Eventually, police: httpx2.Client, report: dict[str, Any]) -> tuple[Any, Any]:
    """The offer that came of a report, and the system of the receiver that got it."""
    assert police.post("/v1/meldingen", json=report).status_code == 202
    clients = [board.machine(f"systeem.{one.id}") for one in board.field.regions[REGION].directory.own()
               if one.kind == "TEAM"]  # fmt: skip

    def look() -> Any:
        for client in clients:
            for one in client.get("/v1/overdrachten?status=wacht").json()["overdrachten"]:
                if one["handover_id"] not in _seen:
                    _seen.add(one["handover_id"])
                    return one, client
        return None

    return eventually("offered to a team", look)  # type: ignore[no-any-return]


_seen: set[str] = set()


def test_a_report_goes_in_and_what_became_of_it_can_be_asked(
    board: Board, eventually: Eventually, police: httpx2.Client, report: dict[str, Any]
):
    # When it is handed in
    answer = police.post("/v1/meldingen", json=report)

    # Then it is on the broker
    assert answer.status_code == 202
    where = answer.json()
    assert (where["id"], where["topic"]) == (report["report_id"], f"meldstroom.reports.{SOURCE}.v1")

    # And its receipt can be asked for at the place that was named
    def receipt() -> Any:
        found = police.get(answer.headers["location"])
        return found if found.status_code == 200 else None

    (copy,) = eventually("a receipt", receipt).json()["copies"]
    assert (copy["outcome"], copy["version"]) == ("REGISTERED", 1)
    assert copy["at"].endswith("Z")

    # The same again is a repeat
    police.post("/v1/meldingen", json=report)
    eventually("two receipts", lambda: len(receipt().json()["copies"]) == 2)
    assert receipt().json()["copies"][1]["outcome"] == "REPEAT"


def test_a_cloud_event_is_taken_with_its_own_attributes(board: Board, police: httpx2.Client, report: dict[str, Any]):
    source = board.field.sources[SOURCE].source
    event = {
        "specversion": "1.0", "id": "zof-1", "type": "nl.veiligthuis-meldingen.melding-gedaan.v1", "source": source,
        "time": datetime.now(UTC).isoformat(), "datacontenttype": "application/json", "data": report,
    }  # fmt: skip
    assert police.post("/v1/meldingen", json=event).status_code == 202

    # As base64 it is the same, and no header carries what it says, nor what else stands in the event
    coded = {name: value for name, value in event.items() if name != "data"}
    coded |= {
        "id": "zof-2",
        "data_base64": base64.b64encode(orjson.dumps(report | {"report_id": str(uuid4())})).decode(),
    }
    taken = police.post("/v1/meldingen", json=coded | {"subject": "Sanne Verhoeven", "naam": "Verhoeven"})
    assert taken.status_code == 202
    place = taken.json()
    with closing(KafkaConsumer(bootstrap_servers=board.field.broker.bootstrap)) as consumer:
        partition = TopicPartition(place["topic"], place["partition"])
        consumer.assign([partition])
        consumer.seek(partition, place["offset"])
        (record,) = consumer.poll(timeout_ms=10_000, max_records=1)[partition]
    assert orjson.loads(record.value)["narrative"] == report["narrative"]
    assert {name for name, _ in record.headers} == {
        "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type",
    }  # fmt: skip

    other = event | {"source": "urn:nld:oin:00000001999999999000:systeem:ander"}
    wrong = police.post("/v1/meldingen", json=other)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/source")


def test_a_wrong_report_is_answered_with_all_errors_at_once_and_none_of_its_values(
    police: httpx2.Client, report: dict[str, Any]
):
    report |= {"kind": "GEHEIM", "occasions": [], "indicators": {"A1": "MISSCHIEN"}, "onbekend": "Sanne Verhoeven"}
    answer = police.post("/v1/meldingen", json=report, headers={"Accept-Language": "nl"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (400, "urn:nld:meldstroom:problem:contract")
    assert {error["pointer"] for error in problem["errors"]} >= {"/kind", "/occasions", "/indicators/A1"}
    assert "GEHEIM" not in answer.text
    assert "Verhoeven" not in answer.text
    english = police.post("/v1/meldingen", json=report, headers={"Accept-Language": "en"}).json()
    assert english["title"] != problem["title"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":' * 10_000, b"nee", b"0" * 3_000_000])
def test_bytes_that_are_no_report_are_refused_and_nothing_suffers(police: httpx2.Client, body: bytes):
    assert police.post("/v1/meldingen", content=body).status_code in (400, 413)


def test_nobody_reports_for_another(police: httpx2.Client, report: dict[str, Any]):
    answer = police.post("/v1/meldingen", json=report | {"source_id": "scholen-zuidoost-brabant"})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "not_your_source")
    assert police.get(f"/v1/meldingen/scholen-zuidoost-brabant/{uuid4()}").status_code == 404


def test_a_dry_run_says_what_would_be_decided_and_sends_nothing(board: Board, report: dict[str, Any]):
    client = board.machine(SOURCE, **{"Accept-Language": "nl"})
    report["indicators"]["A1"] = "YES"
    answer = client.post("/v1/proefmeldingen", json=report)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["accepted"], said["colour"]) == (True, "RED")
    assert said["rules"]

    assert client.get(f"/v1/meldingen/{SOURCE}/{report['report_id']}").status_code == 404


def test_a_receiver_sees_its_offer_opens_it_and_answers_it(
    board: Board, eventually: Eventually, police: httpx2.Client, report: dict[str, Any]
):
    offer, team = offered(board, eventually, police, report)
    assert (offer["colour"], offer["state"], offer["late"]) == ("GREEN", "OFFERED", False)
    path = f"/v1/overdrachten/{offer['handover_id']}"

    # It gets what lies on its queue, with the key for it alone
    sealed = team.get(f"{path}/inhoud").json()
    assert sealed["offer"]["handover_id"] == offer["handover_id"]
    assert sealed["key"].count(".") == 4
    assert "Buren" not in team.get(f"{path}/inhoud").text

    # It accepts, and the region knows
    answer = team.post(f"{path}/antwoorden", json={"state": "ACCEPTED", "by": "lid.1"})
    assert answer.status_code == 202
    eventually("accepted", lambda: team.get(path).json()["state"] == "ACCEPTED")
    assert [one["handover_id"] for one in team.get("/v1/overdrachten?status=aanvaard").json()["overdrachten"]] == [
        offer["handover_id"]
    ]

    # Once it has given the case back, the content is not for it any more; what it says of it is answered all the same
    back = team.post(f"{path}/antwoorden", json={"state": "RETURNED", "reason": "TOO_SEVERE"})
    assert back.status_code == 202
    eventually("given back", lambda: team.get(path).json()["state"] == "RETURNED")
    assert team.get(f"{path}/inhoud").status_code == 409
    assert team.post(f"{path}/antwoorden", json={"state": "STARTED"}).status_code == 202
    notices = specs.NOTICES.topic(offer["receiver"])
    eventually("a notice of how it stands", lambda: b"RETURNED" in b"".join(values(board, notices)))

    # What an answer lacks is told before it goes out
    wrong = team.post(f"{path}/antwoorden", json={"state": "RETURNED"})
    assert wrong.status_code == 400

    # And the day's list for a spreadsheet has it
    listed = team.get("/v1/overdrachten.csv")
    assert listed.headers["content-type"].startswith("text/csv")
    assert offer["handover_id"] in listed.text


def values(board: Board, topic: str) -> list[bytes]:
    """All that lies on a topic."""
    with closing(
        KafkaConsumer(topic, bootstrap_servers=board.field.broker.bootstrap, auto_offset_reset="earliest",
                      consumer_timeout_ms=1500)
    ) as consumer:  # fmt: skip
        return [record.value or b"" for record in consumer]


def test_a_team_sees_its_own_offers_alone(
    board: Board, eventually: Eventually, police: httpx2.Client, report: dict[str, Any]
):
    offer, _ = offered(board, eventually, police, report)
    other = next(
        one.id for one in board.field.regions[REGION].directory.own()
        if one.kind == "TEAM" and one.id != offer["receiver"]
    )  # fmt: skip
    stranger = board.machine(f"systeem.{other}")
    path = f"/v1/overdrachten/{offer['handover_id']}"

    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/inhoud").status_code == 404
    assert stranger.post(f"{path}/antwoorden", json={"state": "ACCEPTED"}).status_code == 404
    assert stranger.get(f"/v1/zaken/{offer['case_id']}").status_code == 404
    assert stranger.get("/v1/zaken").status_code == 403
    assert stranger.get("/v1/termijnen").status_code == 403
    assert stranger.get("/v1/afgekeurd").status_code == 403
    elsewhere = board.machine("systeem.wijkteam-gouda")
    assert elsewhere.get(path).status_code == 404


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_every_door_says_who_may_come_in_and_carries_its_headers(board: Board, door: Any):
    path = door.path.replace("{bron}", SOURCE)
    for name in ("melding", "overdracht", "zaak"):
        path = path.replace("{" + name + "}", str(uuid4()))
    answer = httpx2.request(door.method, board.url + path, content=b"{}")

    assert answer.status_code == (401 if door.rights else 200)
    assert answer.headers["api-version"] == "1.0.0"
    for name in HEADERS:
        assert name.lower() in answer.headers
    if door.rights:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"].endswith(":token_missing")
        forged = httpx2.request(door.method, board.url + path, headers={"Authorization": f"Bearer {FORGED}"})
        assert (forged.status_code, forged.json()["type"].rpartition(":")[2]) == (401, "token_invalid")


FORGED = (
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkaXJlY3RldXIiLCJtZWxkc3Ryb29tIjp7InJvbGVzIjpbIm9wZXJhdG9yIl0sInJlZ2lvbiI6ImJyYW"
    "JhbnQtenVpZG9vc3QifX0."
)
"""A token without a signature (``alg: none``)."""


@pytest.mark.parametrize(
    ("path", "code", "why"),
    [
        ("/v1/overdrachten?status=misschien", 400, "query"),
        ("/v1/overdrachten?onbekend=1", 400, "query"),
        ("/v1/overdrachten.csv?dag=gisteren", 400, "query"),
        ("/v1/overdrachten/geen-id", 404, "not_found"),
        ("/v1/bestaat-niet", 404, "not_found"),
        ("/v1/meldingen", 405, "method"),
    ],
)
def test_a_wrong_question_is_answered_with_a_problem(board: Board, path: str, code: int, why: str):
    answer = board.machine("systeem.wijkteam-gouda").get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (code, "application/problem+json")
    assert answer.json()["type"].endswith(f":{why}")
    assert answer.headers["api-version"] == "1.0.0"


def test_the_document_is_a_valid_one_and_names_every_door(board: Board):
    answer = httpx2.get(f"{board.url}/v1/openapi.json")
    document = answer.json()
    validate(document)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert {(path, method.upper()) for path, doors in document["paths"].items() for method in doors} == {
        (door.path, door.method) for door in DOORS
    }
    assert not any("422" in door["responses"] for doors in document["paths"].values() for door in doors.values())
