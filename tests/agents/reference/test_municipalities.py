"""The table of municipalities: every report that names one finds exactly one region."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reference.municipalities import (
    Municipality,
    _rows,
    _table,
    current,
    ends,
    known,
    name_of,
    names_in,
    names_of,
    region_of,
    regions,
    resolve,
    slug,
)

DATES = st.dates(date(1900, 1, 1), date(2200, 12, 31))
MERGED = ["0501", "0530", "0614"]


@given(st.sampled_from(sorted(_table())), DATES)
def test_every_code_has_exactly_one_region_on_any_date(code: str, on: date):
    assert known(code)
    assert region_of(code, on) in regions()


def test_no_code_stands_in_the_table_twice_and_each_is_one_of_cbs():
    codes = [row["cbs_code"] for row in _rows()]

    assert len(codes) == len(set(codes)) == 342 + len(MERGED)
    assert all(len(code) == 4 and code.isascii() and code.isdigit() for code in codes)


def test_there_are_25_regions_each_with_a_municipality_today():
    today = date(2026, 3, 18)

    assert len(regions()) == 25
    assert {region_of(code, today) for code in _table()} == set(regions())
    assert len({row["safety_region_code"] for row in _rows()}) == 25


def test_every_ended_municipality_has_a_successor_that_begins_the_day_after():
    for ended in (m for m in _table().values() if m.valid_to or m.successor):
        assert ended.valid_to is not None
        assert ended.successor is not None
        successor = _table()[ended.successor]
        assert successor.valid_from is not None
        assert (successor.valid_from - ended.valid_to).days == 1


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("0772", "brabant-zuidoost"),
        ("0546", "hollands-midden"),
        ("0080", "fryslan"),
        ("0153", "twente"),
        ("0150", "ijsselland"),
        ("0200", "noord-en-oost-gelderland"),
    ],
)
def test_well_known_municipalities_lie_where_they_lie(code: str, region: str):
    assert region_of(code, date(2026, 3, 18)) == region


@pytest.mark.parametrize("code", MERGED)
@pytest.mark.parametrize("on", [date(2022, 12, 31), date(2023, 1, 1), date(2031, 6, 1)])
def test_the_old_codes_of_voorne_aan_zee_still_find_their_region(code: str, on: date):
    assert known(code)
    assert region_of(code, on) == region_of("1992", on) == "rotterdam-rijnmond"


TWICE = {
    "9001": Municipality("9001", "Oud", "a", valid_to=date(2026, 12, 31), successor="9002"),
    "9002": Municipality("9002", "Midden", "b", date(2027, 1, 1), date(2028, 12, 31), "9003"),
    "9003": Municipality("9003", "Nieuw", "c", date(2029, 1, 1)),
    "9004": Municipality("9004", "Ernaast", "b", valid_to=date(2028, 12, 31), successor="9003"),
}
"""A municipality that merged twice, each time into another region; the second time with its neighbour."""


def test_a_merger_across_regions_counts_from_the_day_after_the_last():
    # When it is asked for by its first code
    found = [resolve(TWICE, "9001", date(year, month, 1)) for year, month in ((2026, 12), (2027, 1), (2029, 1))]

    # Then it lies where it lay on that day; and asked too early, where it will lie
    assert found == ["a", "b", "c"]
    assert resolve(TWICE, "9001", date(2026, 12, 31)) == "a"
    assert resolve(TWICE, "9003", date(2020, 1, 1)) == "c"


@pytest.mark.parametrize(
    ("code", "year", "now", "before", "later"),
    [
        ("9001", 2026, "9001", set(), {"9002", "9003"}),
        ("9001", 2027, "9002", {"9001"}, {"9003"}),
        ("9001", 2029, "9003", {"9001", "9002", "9004"}, set()),
        ("9004", 2027, "9004", set(), {"9003"}),
        ("9003", 2026, "9003", {"9001", "9002", "9004"}, set()),
        ("8888", 2026, "8888", set(), set()),
    ],
)
def test_a_place_is_meant_by_its_code_of_that_day_then_by_earlier_and_by_later_ones(
    code: str, year: int, now: str, before: set[str], later: set[str]
):
    assert list(names_in(TWICE, code, date(year, 6, 1))) == [{now}, before, later]


@given(st.sampled_from(sorted(_table())), DATES)
def test_the_surest_name_of_a_place_is_that_of_its_municipality_on_the_day(code: str, on: date):
    surest, *others = names_of(code, on)

    assert surest == {current(code, on)}
    # In the end they are all one.
    assert {current(other, date.max) for codes in others for other in codes} <= {current(code, date.max)}


def test_it_is_known_when_a_municipality_ends_and_what_follows_it():
    assert ends("0501") == (date(2022, 12, 31), "1992")
    assert ends("1992") is None
    assert ends("9999") is None


@pytest.mark.parametrize("code", ["", "9999", "772", "GM0772", "0772 ", "Eindhoven"])
def test_an_unknown_code_is_no_error_but_no_region_either(code: str):
    assert not known(code)
    assert name_of(code) is None
    assert region_of(code, date(2026, 3, 18)) is None


def test_names_keep_their_commas_and_accents():
    assert name_of("0820") == "Nuenen, Gerwen en Nederwetten"
    assert regions()["fryslan"] == "Fryslân"
    assert regions()["noord-en-oost-gelderland"] == "Noord- en Oost-Gelderland"


def test_two_regions_never_share_a_slug():
    assert len({slug(name) for name in regions().values()}) == len({row["safety_region"] for row in _rows()})
