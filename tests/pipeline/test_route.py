"""What somebody sees who asks what would happen to a report."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents.casework.case import Part
from pipeline.cli.route import route
from pipeline.route import disagreement
from tests.cases import ALL_NO, TEAM_GOUDA, a_child, a_report
from topics.specs import REPORT_TYPE
from topics.texts import catalogue


def run(*args: str, **env: str) -> Result:
    return CliRunner().invoke(route, ["test", *args], env={"LC_ALL": "C", "MELDSTROOM_LANGUAGE": None, **env})


def a_file(folder: Path, content: Any, name: str = "report.json") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def a_history(folder: Path, *lines: dict[str, Any]) -> str:
    return a_file(folder, b"\n".join(json.dumps(line).encode() for line in lines), "history.jsonl")


def decided(*args: str) -> Any:
    result = run(*args, "-o", "json")
    assert result.exit_code == 0, result.output + str(result.exception)
    return json.loads(result.stdout)


def test_one_report_is_decided_and_everything_is_shown(tmp_path: Path):
    # Given the quarrel with a bruise of scenario 3
    report = a_report(yes=("M1", "M2"))

    # When somebody asks what would happen
    found = decided("--report", a_file(tmp_path, report))

    # Then he sees the colour and why, the way, the term and whom it concerns
    assert found["colour"] == "YELLOW"
    assert found["provisional"] is False
    assert [reason["rule"] for reason in found["reasons"]] == ["R3"]
    assert found["reasons"][0]["nl"] == "Er is een signaal van een multiproblematische situatie."
    assert found["reasons"][0]["en"] == "There is a sign of multiple problems."
    assert found["destination"] == "TEAM_DV"
    assert found["owner"] == found["executor"] == "vt-hollands-midden"
    assert found["offer"]["receiver"] == TEAM_GOUDA
    assert found["offer"]["state"] == "OFFERED"
    assert found["offer"]["contact_person"] == "cp-hm-02"
    assert found["offer"]["dv_specialist"] == "hg-gda-01"
    assert [step["step"] for step in found["offer"]["ladder"]] == ["REMINDER", "SPECIALIST", "COORDINATOR", "RECALLED"]
    assert found["deadlines"] == {
        "T02": "2026-03-19T23:59:59+01:00",
        "T03": "2026-03-23T23:59:59+01:00",
        "T04": "2026-03-25T23:59:59+01:00",
        "T05": "2026-03-25T23:59:59+01:00",
        "T06": "2026-03-23T23:59:59+01:00",
        "T08": "2026-05-27T23:59:59+02:00",
        "T09": "2026-04-15T23:59:59+02:00",
    }
    assert found["links"] == []
    assert found["side_notices"] == []
    assert found["earlier_involvement"] == "FIRST"
    assert len(found["policy"]) == 16
    assert found["case_id"]
    assert found["outcome"] == {"what": "registered", "why": None}


def test_the_same_question_gets_the_same_answer_to_the_letter(tmp_path: Path):
    file = a_file(tmp_path, a_report(yes=("S1",)))

    assert run("--report", file, "-o", "json").stdout == run("--report", file, "-o", "json").stdout


def test_a_whole_cloudevent_is_decided_like_its_data(tmp_path: Path):
    report = a_report()
    event = {
        "specversion": "1.0", "id": "1", "type": REPORT_TYPE, "data": report,
        "source": "urn:nld:oin:00000001999973757000:systeem:zorgformulier",
    }  # fmt: skip

    bare, whole = (decided("--report", a_file(tmp_path, one)) for one in (report, event))

    assert bare == whole


def test_a_cloudevent_of_another_sender_is_refused(tmp_path: Path):
    event = {
        "specversion": "1.0", "id": "1", "type": REPORT_TYPE, "data": a_report(),
        "source": "urn:nld:oin:00000001999975006000:systeem:zaaksysteem",
    }  # fmt: skip

    result = run("--report", a_file(tmp_path, event), "-o", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["type"].endswith(":source_mismatch")


def test_red_tells_the_duty_desk(tmp_path: Path):
    found = decided("--report", a_file(tmp_path, a_report(yes=("A2",))))

    assert found["colour"] == "RED"
    assert found["destination"] == "VT_CRISIS"
    assert found["side_notices"] == [
        {"kind": kind, "to": "vt-hm-bureaudienst", "person": "bd-hm-02"} for kind in ("RED", "PREPARED")
    ]
    assert found["deadlines"]["T03"] == "2026-03-18T11:00:00+01:00"


def test_the_broker_s_moment_is_the_report_s_own_unless_said(tmp_path: Path):
    file = a_file(tmp_path, a_report(yes=("A2",)))

    assert decided("--report", file)["at"] == "2026-03-18T10:00:00+01:00"
    late = decided("--report", file, "--at", "2026-03-18T12:00:00Z")
    assert late["at"] == "2026-03-18T13:00:00+01:00"
    assert late["deadlines"]["T03"] == "2026-03-18T14:00:00+01:00"


def test_the_household_s_place_chooses_the_region(tmp_path: Path):
    eindhoven = a_file(tmp_path, a_report(source_id="landelijk-portaal", municipality="0772"))
    nowhere = a_file(tmp_path, a_report(source_id="landelijk-portaal", municipality=...), "nowhere.json")

    assert decided("--report", eindhoven)["owner"] == "vt-brabant-zuidoost"
    assert decided("--report", eindhoven, "--region", "hollands-midden")["owner"] == "vt-hollands-midden"
    assert decided("--report", nowhere)["owner"] == "vt-brabant-zuidoost"


def test_a_history_shows_how_things_stood_after_each_line(tmp_path: Path):
    # Given a yellow case that a team accepts and starts
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(yes=("M1",))},
        {"at": "2026-03-19T09:00:00+01:00", "answer": {"state": "ACCEPTED"}},
        {"at": "2026-03-20T09:00:00+01:00", "answer": {"state": "STARTED"}},
    )

    # When it is decided line by line
    offered, accepted, started = decided("--history", history)

    # Then the executor follows the acceptance, the owner the start, and the term ends
    assert [one["line"] for one in (offered, accepted, started)] == [1, 2, 3]
    assert (offered["owner"], offered["executor"]) == ("vt-hollands-midden", "vt-hollands-midden")
    assert (accepted["owner"], accepted["executor"]) == ("vt-hollands-midden", TEAM_GOUDA)
    assert (started["owner"], started["executor"]) == (TEAM_GOUDA, TEAM_GOUDA)
    assert not accepted["deadlines"].keys() & {"T02", "T03"}
    assert started["offer"]["state"] == "STARTED"


def test_nothing_fires_without_a_tick(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(yes=("M1",))},
        {"at": "2026-06-01T10:00:00+02:00", "answer": {"state": "ACKNOWLEDGED"}},
        {"at": "2026-06-01T10:00:01+02:00", "tick": True},
    )

    _, seen, fired = decided("--history", history)

    assert seen["fired"] == []
    assert seen["offer"]["state"] == "ACKNOWLEDGED"
    assert [(step["step"], step["late"]) for step in fired["fired"] if step["term"] is None] == [
        ("REMINDER", True), ("SPECIALIST", True), ("COORDINATOR", True), ("RECALLED", True),
    ]  # fmt: skip
    assert {step["term"] for step in fired["fired"]} == {None, "T04", "T05", "T08", "T09"}
    assert fired["offer"]["receiver"] == "vt-hm-beoordeling"


def test_an_answer_without_a_name_means_the_newest_open_offer(tmp_path: Path):
    # Given two households, and the second one's team refuses
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(household=1)},
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(household=2)},
        {"at": "2026-03-18T11:00:00+01:00", "answer": {"state": "REFUSED", "reason": "UNREACHABLE"}},
        {"at": "2026-03-18T12:00:00+01:00", "answer": {"state": "ACCEPTED"}},
    )

    first, second, refused, accepted = decided("--history", history)

    assert first["case_id"] != second["case_id"]
    assert refused["case_id"] == accepted["case_id"] == second["case_id"]
    assert accepted["executor"] == "vt-hm-beoordeling"


def test_an_act_needs_only_its_kind(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report()},
        {"at": "2026-03-18T10:05:00+01:00", "act": {"kind": "RAISE", "colour": "RED"}},
        {"at": "2026-03-18T10:06:00+01:00", "act": {"kind": "LOWER", "colour": "GREEN"}},
    )

    _, raised, lowered = decided("--history", history)

    assert (raised["colour"], raised["destination"]) == ("RED", "VT_CRISIS")
    # One person alone does not lower red (scenario 70).
    assert lowered["colour"] is None or lowered["colour"] == "RED"
    assert lowered["outcome"] == {"what": "dead_lettered", "why": "act_refused"}


def test_a_report_after_a_history_is_shown_alone(tmp_path: Path):
    # Given one report last autumn, and one now
    history = a_history(tmp_path, {"at": "2025-09-01T10:00:00+02:00", "report": a_report(household=3)})
    report = a_file(tmp_path, a_report(household=3))

    found = decided("--history", history, "--report", report)

    # Then it is the second one on this household
    assert found["colour"] == "YELLOW"
    assert [reason["rule"] for reason in found["reasons"]] == ["R4", "U1"]
    assert {(link["case_id"], link["certainty"]) for link in found["links"]} == {(found["case_id"], "CERTAIN")}


def test_every_error_of_a_report_is_said_at_once(tmp_path: Path):
    file = a_file(tmp_path, a_report(kind="Kanarie", source_id=...))

    result = run("--report", file, "-o", "json")

    assert result.exit_code == 1
    problem = json.loads(result.stdout)
    assert {error["pointer"] for error in problem["errors"]} == {"/kind", "/source_id"}
    assert "/source_id" in result.stderr
    assert "Kanarie" not in result.output


def test_every_error_of_a_history_is_said_at_once_with_its_line(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00", "report": a_report()},
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(municipality="9998")},
        {"at": "2026-03-18T10:00:00+01:00", "answer": {"state": "REFUSED"}},
        {"at": "2026-03-18T10:00:00+01:00", "tick": True, "act": {}},
        {"at": "2026-03-17T10:00:00+01:00", "tick": 1},
    )
    report = a_file(tmp_path, b"{")

    result = run("--history", history, "--report", report, "-o", "json")

    assert result.exit_code == 1
    pointers = [error["pointer"] for error in json.loads(result.stdout)["errors"]]
    assert pointers == ["/1/at", "/2/report/municipality", "/3/answer", "/4", "/5/tick", ""]


def test_lines_stand_in_order_of_time(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report()},
        {"at": "2026-03-18T09:00:00+01:00", "tick": True},
    )

    result = run("--history", history, "-o", "json")

    assert [error["code"] for error in json.loads(result.stdout)["errors"]] == ["line_order"]


@pytest.mark.parametrize("kind", ["answer", "act"])
def test_an_answer_or_act_before_any_case_is_an_error(tmp_path: Path, kind: str):
    said = {"state": "ACCEPTED"} if kind == "answer" else {"kind": "SEEN"}

    result = run("--history", a_history(tmp_path, {"at": "2026-03-18T10:00:00+01:00", kind: said}))

    assert result.exit_code == 1
    assert f"/1/{kind}" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        pytest.param((), id="nothing asked"),
        pytest.param(("--report", "nergens.json"), id="no such file"),
        pytest.param(("--at", "2026-03-18T10:00:00", "--report", "-"), id="a moment without its offset"),
        pytest.param(("--region", "atlantis", "--report", "-"), id="no such region"),
        pytest.param(("-o", "xml", "--report", "-"), id="no such form"),
    ],
)
def test_wrong_use_is_told_apart(args: tuple[str, ...]):
    assert run(*args).exit_code == 2


def test_regions_that_cannot_be_read_end_it_with_a_sentence(tmp_path: Path):
    file = a_file(tmp_path, a_report())

    result = run("--report", file, MELDSTROOM_REGIONS=str(tmp_path))

    assert result.exit_code == 1
    assert "partitions.yaml" in result.stderr
    assert "Traceback" not in result.output


def test_people_read_it_in_their_own_language(tmp_path: Path):
    file = a_file(tmp_path, a_report(yes=("M1",), unknown=("A1",)))

    dutch, english = run("--report", file), run("--report", file, "--lang", "en")

    assert "Kleur           geel, voorlopig" in dutch.output
    assert "Veiligheidsbeoordeling (vt-hm-beoordeling), aangeboden" in dutch.output
    assert "Colour          YELLOW, provisional" in english.output
    assert "The colour is provisional" not in dutch.output
    assert run("--report", file, LANG="en_GB.UTF-8", LC_ALL="").output == english.output


def test_a_page_shows_a_whole_history(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report(yes=("A3",), indicators=ALL_NO | {"A3": "YES"})},
        {"at": "2026-03-18T12:30:00+01:00", "tick": True},
        {"at": "2026-03-19T10:00:00+01:00", "report": a_report(kind="ADVICE", household=4)},
    )

    result = run("--history", history, "--lang", "nl")

    assert result.exit_code == 0, result.exception
    assert "Trede" in result.output
    assert "Kennisgeving    rode casus aan vt-hm-bureaudienst" in result.output
    assert "not_decided advice" in result.output


def test_both_languages_take_the_same_places():
    for key, sentence in catalogue().items():
        if key.startswith("route."):
            assert set(sentence) == {"nl", "en"}
            assert _places(sentence["nl"]) == _places(sentence["en"]), key


def _places(sentence: str) -> set[str]:
    return {part.partition("}")[0] for part in sentence.split("{")[1:]}


def test_it_is_said_on_which_answers_the_colour_hangs(tmp_path: Path):
    found = decided("--report", a_file(tmp_path, a_report(yes=("S3",), unknown=("M1",))))

    assert found["hangs_on"]["used"] == ["S3"]
    assert "M1" in found["hangs_on"]["missing"]
    # A yes to any acute question would be rood; another answer about neglect no longer oranje.
    assert {"A1", "S3"} <= set(found["hangs_on"]["turning"])
    assert "M1" not in found["hangs_on"]["turning"]


def test_why_the_centre_keeps_it_stands_below_the_destination(tmp_path: Path):
    kept = a_file(tmp_path, a_report(yes=("S1",)))
    handed_over = a_file(tmp_path, a_report(), "green.json")

    lines = run("--report", kept).stdout.splitlines()
    sentence = "De onveiligheid is structureel: Veilig Thuis stelt de voorwaarden en houdt er zicht op."

    rule = lines.index("  X8: Oranje blijft bij Veilig Thuis: Voorwaarden en Vervolg.")
    assert lines[rule + 1] == f"  gehouden om H9: {sentence}"
    assert "  kept for H9: The danger is structural" in run("--report", kept, "--lang", "en").stdout
    assert decided("--report", kept)["kept_because"]["nl"] == sentence
    assert "gehouden" not in run("--report", handed_over).stdout
    assert decided("--report", handed_over)["kept_because"] is None


def test_what_stands_on_the_case_is_shown(tmp_path: Path):
    report = a_report(
        yes=("A6",), safe_carer="NO", source_id="scholen-hollands-midden", reporter={"capacity": "SCHOOL"},
        participants=[a_child(known_measures=["OTS"])],
    )  # fmt: skip
    found = decided("--report", a_file(tmp_path, report))

    assert found["standing"]["OTS"]["state"] == "IN_FORCE"
    assert [one["to"] for one in found["prepared"]] == [
        "politiedesk-hollands-midden", "raad-hollands-midden", "raad-hollands-midden",
        "gi-jeugdbescherming-west-voorbeeld", "wijkteam-gouda",
    ]  # fmt: skip
    assert [one["rule"] for one in found["safety_conditions"]] == ["V1"]
    assert [one["rule"] for one in found["board_request"]["met"]] == ["VTO1", "VTO2"]


def test_the_earlier_reports_that_count_are_named_and_so_is_what_parties_disagree_about(tmp_path: Path):
    first = a_report()
    times = ("2026-03-18T10:00:00+01:00", "2026-03-20T10:00:00+01:00")
    history = a_history(
        tmp_path, *({"at": at, "report": one} for at, one in zip(times, (first, a_report()), strict=True))
    )
    _, found = decided("--history", history)

    assert [one["report"] for one in found["earlier_reports"]] == [f"{first['source_id']}/{first['report_id']}"]
    assert found["disagreement"] == []


def test_a_receiver_that_is_out_of_service_can_be_tried_too(tmp_path: Path):
    history = a_history(
        tmp_path,
        {"at": "2026-03-18T10:00:00+01:00", "act": {"kind": "HOLD_RECEIVER", "to": TEAM_GOUDA}},
        {"at": "2026-03-18T10:05:00+01:00", "report": a_report(yes=("M1",))},
    )
    _, found = decided("--history", history)

    assert (found["offer"]["receiver"], found["offer"]["falls"]) == (TEAM_GOUDA, "2026-03-18T14:05:00+01:00")


def test_the_shared_assessment_of_merged_cases_is_shown_as_one(tmp_path: Path):
    # Given two cases, of which the first has a team's part of the assessment
    part = {"kind": "ASSESSMENT_PART", "part": {"party": TEAM_GOUDA, "scale": 4, "indicators": {"S2": "NO"}}}
    lines: list[dict[str, Any]] = [
        {"at": "2026-03-18T10:00:00+01:00", "report": a_report()},
        {"at": "2026-03-18T11:00:00+01:00", "act": part},
        {"at": "2026-03-18T12:00:00+01:00", "report": a_report(household=3)},
    ]
    first, _, second = decided("--history", a_history(tmp_path, *lines))
    assert second["assessment"] == []

    # When the first goes on in the second
    merge = {"kind": "MERGE", "case_id": second["case_id"], "other_case": first["case_id"]}
    *_, found = decided("--history", a_history(tmp_path, *lines, {"at": "2026-03-18T13:00:00+01:00", "act": merge}))

    # Then the second shows it
    assert [one["party"] for one in found["assessment"]] == [TEAM_GOUDA]


def test_where_parties_say_different_things_it_is_shown():
    def part(party: str, **indicators: str) -> Part:
        return Part(party, 1, 1, None, indicators, None, 1, "k")

    parts = [part("gi-een", S1="YES", S2="NO", S3="YES"), part("wijkteam", S1="NO", S2="UNKNOWN", S3="YES")]
    assert disagreement(parts) == ["S1"]


def test_a_report_from_a_source_of_one_region_is_decided_there_wherever_the_household_lives(tmp_path: Path):
    found = decided("--report", a_file(tmp_path, a_report(municipality="0772")))

    assert (found["destination"], found["offer"]["receiver"]) == ("OTHER_VT", "vt-brabant-zuidoost")
