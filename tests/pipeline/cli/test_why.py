"""What ``case why`` says of a case, from the book of a region in memory."""

import json

import pytest

from pipeline.cli.manners import Exit
from pipeline.cli.sending import Place
from pipeline.regions import Outline
from tests.cases import a_report
from tests.pipeline.cli.conftest import Meldstroom
from tests.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The case that was opened last there is the one that is found."""
    world = World()

    def place(*_: object) -> Place:
        config = world.config
        region = Outline(
            name=config.name, partition=config.partition, directory=config.directory, sources=config.sources
        )
        return Place(region=region, book=world.book, case=world.case, handover=None, records=world.records)

    monkeypatch.setattr("pipeline.cli.case.cluster_of", lambda settings: None)
    monkeypatch.setattr("pipeline.cli.sending.find", place)
    return world


def test_why_the_centre_keeps_a_case_stands_below_the_rule_that_leads_to_it(world: World, meldstroom: Meldstroom):
    world.publish(a_report(cooperation="DENIES"))

    dutch = meldstroom("case", "why", world.case.id, MELDSTROOM_LANGUAGE="nl")
    english = meldstroom("case", "why", world.case.id)

    lines = dutch.stdout.splitlines()
    rule = lines.index("  X7b: Zonder medewerking onderzoekt Veilig Thuis.")
    assert lines[rule + 1] == (
        "  Veilig Thuis houdt de casus om H3: De betrokkenen ontkennen, bagatelliseren of weigeren hulp."
    )
    assert "  The centre keeps the case for H3: Those concerned deny, trivialise or refuse help." in english.stdout


def test_programs_get_the_reason_too(world: World, meldstroom: Meldstroom):
    world.publish(a_report(yes=("A2",)))

    ran = meldstroom("case", "why", world.case.id, "-o", "json")

    assert ran.exit_code == Exit.DONE, ran.output
    assert json.loads(ran.stdout)["kept_because"] == {
        "reason": "H1",
        "nl": "De dreiging voor de veiligheid vraagt direct ingrijpen.",
        "en": "The threat to safety needs direct intervention.",
    }


def test_what_is_handed_over_is_kept_for_nothing(world: World, meldstroom: Meldstroom):
    world.publish(a_report())

    assert "keeps" not in meldstroom("case", "why", world.case.id).stdout
    assert json.loads(meldstroom("case", "why", world.case.id, "-o", "json").stdout)["kept_because"] is None
