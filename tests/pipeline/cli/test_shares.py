"""What somebody sees of a policy before it is in force: the shares that a month of reports comes to."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.manners import Exit
from pipeline.settings import CHECKOUT
from tests.cases import a_report
from tests.pipeline.cli.conftest import Meldstroom

TEXT = (CHECKOUT / "deploy" / "regions" / "hollands-midden" / "policy.yaml").read_text()
HALF = ("route", "shares", "--region", "hollands-midden", "--scale", "0.5")


def a_policy(folder: Path, text: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def a_file(folder: Path, *lines: dict[str, Any]) -> str:
    path = folder / "reports.jsonl"
    path.write_bytes(b"\n".join(json.dumps(line).encode() for line in lines))
    return str(path)


@pytest.fixture
def three(tmp_path: Path) -> str:
    """A red one in February, a second report of that household in March, and a green one of another."""
    return a_file(
        tmp_path,
        {"at": "2026-02-27T10:00:00+01:00", "report": a_report(household=61, yes=("A2",))},
        {"at": "2026-03-02T10:00:00+01:00", "report": a_report(household=61)},
        {"at": "2026-03-03T10:00:00+01:00", "report": a_report(household=62)},
        {"at": "2026-03-04T10:00:00+01:00", "report": a_report(household=63, kind="ADVICE")},
    )


def test_a_policy_inside_its_bands_ends_well(meldstroom: Meldstroom):
    ran = meldstroom(*HALF, "-o", "json")

    assert ran.exit_code == Exit.DONE, ran.output
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    assert {one["share"]: one["inside"] for one in found["bands"]} == {"kept": True, "acute": True, "provisional": True}
    assert found["reports"] == 252
    assert sum(one["reports"] for one in found["colours"].values()) == found["reports"]
    assert sum(one["reports"] for one in found["destinations"].values()) == found["reports"]
    at_the_centre = (one["reports"] for name, one in found["destinations"].items() if name.startswith("VT_"))
    assert found["kept"]["reports"] == sum(at_the_centre)
    assert found["acute"] == found["colours"]["RED"]
    assert found["cases"] < found["reports"]


def test_a_policy_that_makes_everything_orange_is_seen(meldstroom: Meldstroom, tmp_path: Path):
    orange = TEXT.replace("colour: GREEN", "colour: ORANGE", 1).replace("colour: YELLOW", "colour: ORANGE", 1)

    ran = meldstroom(*HALF, "--policy", a_policy(tmp_path, orange))

    assert ran.exit_code == Exit.NOT_SO
    assert ran.stderr.splitlines() == [
        "Outside its band: kept at the centre, 99.6 % of the reports; expected: 25-71 %."
    ]


def test_a_policy_that_keeps_and_calls_too_little_is_seen_too(meldstroom: Meldstroom, tmp_path: Path):
    never = TEXT.replace("  provisional: {to: 40}", "  provisional: {from: 50}", 1)

    ran = meldstroom(*HALF, "--policy", a_policy(tmp_path, never), "--lang", "nl")

    assert ran.exit_code == Exit.NOT_SO
    assert "voorlopig" in ran.stderr
    assert "ten minste 50" in ran.stderr


def test_a_policy_without_bands_is_counted_and_held_against_nothing(meldstroom: Meldstroom, tmp_path: Path):
    ran = meldstroom(*HALF, "--policy", a_policy(tmp_path, TEXT[: TEXT.index("\nbands:")]), "-o", "json")

    assert ran.exit_code == Exit.DONE
    assert json.loads(ran.stdout)["bands"] == []
    assert "no bands" in ran.stderr


def test_the_same_seed_gives_the_same_shares_and_another_one_others(meldstroom: Meldstroom):
    small = ("route", "shares", "--scale", "0.1", "-o", "json")

    first, again, other = (meldstroom(*small, "--seed", seed).stdout for seed in ("1", "1", "2"))

    assert first == again
    assert json.loads(first)["colours"] != json.loads(other)["colours"]


def test_how_known_a_household_is_comes_out_as_it_was_made(meldstroom: Meldstroom):
    found = json.loads(meldstroom("route", "shares", "-o", "json").stdout)

    # U1 and U2 hold for who was reported within a year: 13.3 + 10.1 % always, others by the days in the figures.
    within_a_year = sum(found["rules"][rule]["percent"] for rule in ("U1", "U2"))
    assert within_a_year == pytest.approx(13.3 + 10.1 + 38.1 * 0.45 + 5.1 * 0.6, abs=6)


def test_a_file_is_counted_as_it_stands(meldstroom: Meldstroom, three: str):
    ran = meldstroom("route", "shares", "--reports", three, "-o", "json")

    assert ran.exit_code == Exit.NOT_SO  # two of three are red
    found = json.loads(ran.stdout)
    assert (found["reports"], found["cases"], found["without_case"]) == (3, 2, 1)
    assert found["acute"] == {"reports": 2, "percent": 66.7}
    assert found["destinations"]["TEAM"]["reports"] == 1
    assert found["rules"]["R1"]["reports"] == 2
    assert found["region"] == "hollands-midden"


def test_of_a_file_only_the_month_counts_and_the_rest_is_what_is_known(meldstroom: Meldstroom, three: str):
    found = json.loads(meldstroom("route", "shares", "--reports", three, "--month", "2026-03", "-o", "json").stdout)

    assert found["reports"] == 2
    # The household's case was red already.
    assert found["acute"]["reports"] == 1


def test_people_read_it_in_their_own_language(meldstroom: Meldstroom, three: str):
    dutch, english = (meldstroom("route", "shares", "--reports", three, "--lang", one) for one in ("nl", "en"))

    assert "3 meldingen in 2 casussen" in dutch.stdout
    assert "Er is een acuut signaal van onveiligheid." in dutch.stdout
    assert "gehouden bij Veilig Thuis" in dutch.stdout
    assert "3 reports in 2 cases" in english.stdout
    assert "There is an acute sign of danger." in english.stdout
    for language, said in (("nl", "Exitcodes: 0"), ("en", "Exit codes: 0")):
        assert said in meldstroom("route", "shares", "--help", MELDSTROOM_LANGUAGE=language).stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(("--month", "2026-13"), "2026-13", id="no such month"),
        pytest.param(("--month", "maart"), "maart", id="no month at all"),
        pytest.param(("--scale", "0"), "--scale", id="nothing"),
        pytest.param(("--scale", "nan"), "--scale", id="no number"),
        pytest.param(("--scale", "0.001"), "greater scale", id="less than one report"),
        pytest.param(("--region", "atlantis"), "hollands-midden", id="no such region"),
        pytest.param(("--reports", "no/such/file"), "no/such/file", id="no such file"),
        pytest.param(("--reports", "-", "--seed", "3"), "--seed", id="a seed for a file"),
        pytest.param(("--reports", "-"), "Not one report", id="an empty file"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(meldstroom: Meldstroom, args: tuple[str, ...], said: str):
    ran = meldstroom("route", "shares", *args)

    assert ran.exit_code == Exit.USAGE
    assert said in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.output


def test_a_file_that_cannot_be_read_names_every_line(meldstroom: Meldstroom, tmp_path: Path):
    file = a_file(tmp_path, {"at": "2026-03-02T10:00:00+01:00", "report": a_report(kind="Kanarie")}, {"at": 7})

    ran = meldstroom("route", "shares", "--reports", file)

    assert ran.exit_code == Exit.USAGE
    assert "/1/report/kind" in ran.stderr
    assert "/2" in ran.stderr
    assert "Kanarie" not in ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("wrong", ["kept: {from: 71, to: 25}", "kept: {from: 25, to: 710}"])
def test_a_policy_that_cannot_be_names_its_line(meldstroom: Meldstroom, tmp_path: Path, wrong: str):
    policy = a_policy(tmp_path, TEXT.replace("kept: {from: 25, to: 71}", wrong, 1))

    ran = meldstroom("route", "shares", "--policy", policy)

    assert ran.exit_code == Exit.CONFIG
    assert "policy.yaml" in ran.stderr
    assert "line " in ran.stderr
    assert "Traceback" not in ran.output
