"""Who is found in a directory when municipalities have merged, and what its region is told of that.

Brielle (0501), Hellevoetsluis (0530) and Westvoorne (0614) became Voorne aan Zee (1992) on 1 January 2023.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.directory import Directory, gaps
from agents.policy.loading import Loader
from agents.reference import municipalities
from tests.cases import GOUDA, REGION, TEAM_GOUDA
from tests.world import regions

BRIELLE, HELLEVOETSLUIS, WESTVOORNE, VOORNE = "0501", "0530", "0614", "1992"
MERGED = (BRIELLE, HELLEVOETSLUIS, WESTVOORNE)
BEFORE, AFTER = date(2022, 12, 31), date(2023, 1, 1)
PLAIN: dict[str, Any] = yaml.load(regions()[REGION].directory_text, Loader=Loader)
TEMPLATE = next(one for one in PLAIN["receivers"] if one["id"] == TEAM_GOUDA)


def a_team(team_id: str, *codes: str, **changes: Any) -> dict[str, Any]:
    return {**TEMPLATE, "id": team_id, "municipalities": list(codes), "valid_from": date(2020, 1, 1), **changes}


def a_directory(
    *teams: dict[str, Any], lies: Sequence[str] = (), near: dict[str, list[str]] | None = None
) -> Directory:
    """The example region, but with these teams, these municipalities and these neighbours."""
    others = [{**one, "valid_from": date(2020, 1, 1)} for one in PLAIN["receivers"] if one["kind"] != "TEAM"]
    plain = {
        **PLAIN,
        "receivers": [*others, *teams],
        "municipalities": list(lies),
        "organisations": [],
        "neighbours": near or {},
    }
    return Directory.model_validate(plain)


def found(directory: Directory, code: str, on: date, pc4: str | None = None, avoided: Sequence[str] = ()) -> str | None:
    team = directory.team_for(code, pc4, on, avoided)
    return team.id if team is not None else None


@pytest.mark.parametrize("code", [*MERGED, VOORNE])
def test_whoever_names_an_old_code_finds_the_team_of_its_successor(code: str):
    directory = a_directory(a_team("voorne", VOORNE))

    assert found(directory, code, AFTER) == "voorne"


@pytest.mark.parametrize("code", [*MERGED, VOORNE])
def test_a_team_that_still_names_an_old_code_serves_its_successor(code: str):
    directory = a_directory(a_team("brielle", BRIELLE))

    assert found(directory, code, AFTER) == "brielle"


@pytest.mark.parametrize("code", [*MERGED, VOORNE])
def test_whoever_names_the_successor_itself_comes_before_those_who_name_what_it_was(code: str):
    directory = a_directory(a_team("brielle", BRIELLE), a_team("voorne", VOORNE))

    assert found(directory, code, AFTER) == "voorne"


def test_of_several_old_ones_the_first_of_the_file_serves_the_successor():
    directory = a_directory(a_team("westvoorne", WESTVOORNE), a_team("brielle", BRIELLE))

    assert found(directory, VOORNE, AFTER) == "westvoorne"


def test_among_several_old_ones_the_postcode_decides():
    directory = a_directory(
        a_team("brielle", BRIELLE, postcodes=["3231"]), a_team("hellevoetsluis", HELLEVOETSLUIS, postcodes=["3221"])
    )

    for code in (VOORNE, *MERGED):
        assert found(directory, code, AFTER, "3221") == "hellevoetsluis"
        assert found(directory, code, AFTER, "3231") == "brielle"


@pytest.mark.parametrize(
    ("code", "team"), [(BRIELLE, "brielle"), (HELLEVOETSLUIS, "hellevoetsluis"), (WESTVOORNE, "westvoorne")]
)
def test_whoever_names_the_same_old_code_as_the_report_comes_before_the_other_old_ones(code: str, team: str):
    directory = a_directory(
        a_team("westvoorne", WESTVOORNE), a_team("hellevoetsluis", HELLEVOETSLUIS), a_team("brielle", BRIELLE)
    )

    assert found(directory, code, AFTER) == team


def test_until_its_last_day_a_municipality_is_its_own():
    directory = a_directory(a_team("brielle", BRIELLE), a_team("hellevoetsluis", HELLEVOETSLUIS))

    assert found(directory, HELLEVOETSLUIS, BEFORE) == "hellevoetsluis"
    assert found(directory, WESTVOORNE, BEFORE) is None
    assert found(directory, WESTVOORNE, AFTER) == "brielle"


def test_a_file_that_was_changed_before_the_day_is_understood():
    directory = a_directory(a_team("voorne", VOORNE), lies=[VOORNE])

    assert found(directory, BRIELLE, BEFORE) == "voorne"
    assert directory.covers(BRIELLE, BEFORE)


def test_a_report_that_names_the_new_code_before_the_day_is_understood():
    directory = a_directory(a_team("brielle", BRIELLE), lies=[BRIELLE])

    assert found(directory, VOORNE, BEFORE) == "brielle"
    assert directory.covers(VOORNE, BEFORE)


def test_other_parties_are_found_by_old_codes_too():
    # Given a shelter for one old municipality beside the one for the whole region
    directory = a_directory(a_team("opvang-brielle", BRIELLE, kind="SHELTER"))

    there, elsewhere = directory.of_kind("SHELTER", VOORNE, AFTER), directory.of_kind("SHELTER", GOUDA, AFTER)

    assert there is not None
    assert there.id == "opvang-brielle"
    assert elsewhere is not None
    assert elsewhere.id == "opvang-rosa-voorbeeld"


@pytest.mark.parametrize("code", [BRIELLE, VOORNE])
@pytest.mark.parametrize("named", [BRIELLE, VOORNE])
def test_the_neighbours_of_an_old_municipality_help_out(code: str, named: str):
    directory = a_directory(
        a_team("voorne", VOORNE), a_team("gouda", GOUDA), lies=[named, GOUDA], near={named: [GOUDA]}
    )

    assert found(directory, code, AFTER, avoided=["voorne"]) == "gouda"


@pytest.mark.parametrize("named", [BRIELLE, VOORNE])
def test_a_place_lies_in_the_region_by_whichever_of_its_codes(named: str):
    directory = a_directory(lies=[named])

    assert directory.covers(BRIELLE, AFTER)
    assert directory.covers(VOORNE, AFTER)
    assert not directory.covers(GOUDA, AFTER)


CODES = [*MERGED, VOORNE, GOUDA]


@given(
    st.lists(st.sampled_from(CODES), max_size=4),
    st.sampled_from(CODES),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
def test_on_any_day_a_team_is_said_to_be_missing_where_none_is_found(served: list[str], code: str, on: date):
    directory = a_directory(*(a_team(f"team-{number}", one) for number, one in enumerate(served)), lies=[code])

    missing = [whose for what, whose in gaps(directory, on) if what == "no_team"]

    assert missing == ([] if found(directory, code, on) else [municipalities.current(code, on)])


@given(st.sampled_from(CODES), st.sampled_from(CODES))
def test_after_the_merger_all_codes_of_one_place_find_one_team(served: str, code: str):
    directory = a_directory(a_team("team", served))

    one_place = municipalities.current(served, AFTER) == municipalities.current(code, AFTER)
    assert found(directory, code, AFTER) == ("team" if one_place else None)


def of_mergers(directory: Directory, on: date) -> list[tuple[str, str]]:
    return [gap for gap in gaps(directory, on) if gap[0] in ("ended_municipality", "ending_municipality", "no_team")]


def test_the_region_is_told_which_codes_have_ended_and_what_follows_them():
    # Named as a municipality, by a team and as a neighbour: said once each
    directory = a_directory(
        a_team("brielle", BRIELLE, HELLEVOETSLUIS), lies=[BRIELLE, WESTVOORNE, GOUDA], near={WESTVOORNE: [BRIELLE]}
    )

    assert of_mergers(directory, AFTER) == [
        ("no_team", GOUDA),
        ("ended_municipality", f"{BRIELLE} -> {VOORNE}"),
        ("ended_municipality", f"{WESTVOORNE} -> {VOORNE}"),
        ("ended_municipality", f"{HELLEVOETSLUIS} -> {VOORNE}"),
    ]


def test_the_region_is_told_beforehand_which_codes_will_end():
    directory = a_directory(a_team("brielle", BRIELLE), lies=[BRIELLE])

    assert of_mergers(directory, BEFORE) == [("ending_municipality", f"{BRIELLE} -> {VOORNE} (2023-01-01)")]


def test_no_team_is_missing_where_a_merged_one_serves():
    directory = a_directory(a_team("brielle", BRIELLE), lies=[*MERGED, VOORNE])

    assert "no_team" not in {what for what, _ in gaps(directory, AFTER)}
    assert ("no_team", WESTVOORNE) in gaps(directory, BEFORE)


def test_a_merged_municipality_without_a_team_is_said_once_and_by_its_new_code():
    directory = a_directory(lies=[*MERGED, VOORNE])

    assert [gap for gap in gaps(directory, AFTER) if gap[0] == "no_team"] == [("no_team", VOORNE)]


def test_who_does_not_work_any_more_may_go_on_naming_what_is_no_more():
    directory = a_directory(a_team("brielle", BRIELLE, valid_to=BEFORE), a_team("voorne", VOORNE), lies=[VOORNE])

    assert of_mergers(directory, AFTER) == []


@pytest.mark.parametrize("name", sorted(regions()))
def test_the_examples_name_no_municipality_that_has_ended(name: str):
    found = [gap for gap in gaps(regions()[name].directory, date(2026, 3, 18)) if gap[0] == "ended_municipality"]

    assert found == []


def test_the_sample_region_lacks_nothing():
    assert gaps(regions()[REGION].directory, date(2026, 3, 18)) == []
