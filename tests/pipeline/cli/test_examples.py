"""The examples are what their README says of them."""

import json

import pytest

from agents.casework.routing import About, route
from agents.casework.rules import rules_from
from agents.casework.situation import Household, coloured, situation
from agents.facts import facts_of
from agents.policy.region import load_regions
from pipeline.cli.manners import Exit
from pipeline.settings import CHECKOUT
from tests.pipeline.cli.conftest import Meldstroom
from topics.codes import Colour, Destination, Indicator
from topics.reading import read_report

EXAMPLES = CHECKOUT / "examples"
SOUND = ("groen", "geel", "oranje", "rood")


@pytest.mark.parametrize(
    ("name", "colour", "provisional", "destination"),
    [
        ("groen", Colour.GREEN, False, Destination.TEAM),
        ("geel", Colour.YELLOW, False, Destination.TEAM_DV),
        ("oranje", Colour.ORANGE, False, Destination.VT_CONDITIONS),
        ("rood", Colour.RED, False, Destination.VT_CRISIS),
        ("voorlopig", Colour.ORANGE, True, Destination.VT_ASSESSMENT),
    ],
)
def test_what_becomes_of_an_example(name: str, colour: Colour, provisional: bool, destination: Destination):
    report = read_report((EXAMPLES / f"{name}.json").read_bytes())
    region = load_regions(CHECKOUT / "deploy" / "regions", development=True)["brabant-zuidoost"]
    day = report.received_at.date()

    rules = rules_from(region.policy_text, region.directory_text)
    facts = facts_of(report, region.directory)
    found = rules.colours.judge(situation(rules, facts, day, Household()))

    assert (found.colour, found.provisional) == (colour, provisional)
    told = situation(rules, facts, day, Household()) | coloured(found.colour, found.provisional)
    chosen = route(rules, told, About(day, facts))
    assert chosen.destination is destination
    assert report.source_id in {source.id for source in region.sources}


@pytest.mark.parametrize("name", SOUND)
def test_every_question_is_answered(name: str):
    report = read_report((EXAMPLES / f"{name}.json").read_bytes())

    assert set(report.indicators) == set(Indicator)


@pytest.mark.parametrize("name", [*SOUND, "voorlopig"])
def test_nobody_is_real(name: str):
    report = read_report((EXAMPLES / f"{name}.json").read_bytes())

    assert all(person.bsn is None or person.bsn.startswith("9999") for person in report.participants)


def test_no_two_examples_are_about_one_household():
    people = [
        person["bsn"]
        for name in [*SOUND, "voorlopig"]
        for person in json.loads((EXAMPLES / f"{name}.json").read_bytes())["participants"]
        if "bsn" in person
    ]

    assert len(people) == len(set(people))


@pytest.mark.parametrize("name", [*SOUND, "voorlopig"])
def test_check_takes_what_is_right(meldstroom: Meldstroom, name: str):
    ran = meldstroom("check", str(EXAMPLES / f"{name}.json"))

    assert ran.exit_code == Exit.DONE
    assert ran.stderr == ""


def test_check_tells_all_errors_at_once(meldstroom: Meldstroom):
    ran = meldstroom("check", str(EXAMPLES / "kapot.json"))

    assert ran.exit_code == Exit.NOT_SO
    for pointer in ("/report_id", "/received_at", "/channel", "/kind", "/participants/0/bsn", "/indicators/A3"):
        assert f"{pointer}:" in ran.stdout


def test_check_says_it_as_problem_json(meldstroom: Meldstroom):
    ran = meldstroom("check", "-", "-o", "json", stdin=(EXAMPLES / "kapot.json").read_bytes())

    said = json.loads(ran.stdout)
    assert ran.exit_code == Exit.NOT_SO
    assert said["type"] == "urn:nld:meldstroom:problem:contract"
    assert (said["valid"], said["status"]) == (False, 400)
    assert {"pointer", "detail", "detail_en"} <= set(said["errors"][0])


def test_check_of_a_right_report_as_json(meldstroom: Meldstroom):
    said = json.loads(meldstroom("check", str(EXAMPLES / "rood.json"), "-o", "json").stdout)

    assert said["valid"] is True
    assert said["acute"] == "A2"
