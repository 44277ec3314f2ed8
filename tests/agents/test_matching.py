"""By what a household is known again (domain model, section 3.8); what follows of it is in casework/test_linking.py."""

from collections.abc import Sequence
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.casework.linking import Weighed, weighed
from agents.matching import CODES_PER_PERSON, Link, encode_links, links_of, read_links
from agents.sealing import KeySet, RegionKeys
from tests.cases import a_bsn, a_child, a_man, a_report, a_woman, an_address, reports
from tests.world import REGION, regions
from topics.reports import Report

KEYS = regions()[REGION].keys


def links(plain: dict[str, Any], keys: RegionKeys = KEYS) -> tuple[Link, ...]:
    return links_of(Report.model_validate_json(orjson.dumps(plain)), keys)


def common(earlier: dict[str, Any], later: dict[str, Any]) -> list[Link]:
    kept = {link.code for link in links(earlier) if link.kept}
    return [link for link in links(later) if link.asked and link.code in kept]


def told(earlier: dict[str, Any], later: dict[str, Any]) -> Weighed | None:
    """What the later report says of the household of the earlier one; None when it does not know it."""
    found = common(earlier, later)
    return weighed(found) if found else None


def about(*people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A report of these people that says no address."""
    return a_report(**{"participants": list(people), "address": ...} | changes)


def at_home(*people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return about(*people, **{"address": an_address()} | changes)


def unnumbered(**changes: Any) -> dict[str, Any]:
    """A woman whose BSN nobody knows."""
    return a_woman(
        **{"bsn": ..., "surname": "van der Sluis", "given_names": "Khadija", "birth_date": "1988-03-04"} | changes
    )


# A person ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("VICTIM", "SAME_PERSON"),
        ("CHILD", "SAME_PERSON"),
        ("PARENT", "SAME_PARENT"),
        ("MOTHER_OF_UNBORN", "SAME_MOTHER_UNBORN"),
    ],
)
def test_one_bsn_is_certain_and_told_by_what_the_person_is_now(role: str, kind: str):
    found = told(about(a_woman()), about(a_woman(role=role, surname="Anders", birth_date="1970-01-02")))

    assert found == Weighed(kind, "CERTAIN", joins=True, persons=1)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="the same"),
        pytest.param({"surname": "Sluys"}, id="a surname as it sounds"),
        pytest.param({"surname": "van der Kluis"}, id="scenario 24: one letter of the surname wrong"),
        pytest.param({"surname": "van der Slusi"}, id="letters swapped"),
        pytest.param({"surname": "Bakker-van der Sluis"}, id="married since"),
        pytest.param({"surname": "Bakker"}, id="another name since"),
        pytest.param({"surname": ...}, id="no surname"),
        pytest.param({"given_names": "Khadidja Fatima"}, id="a given name as it sounds"),
        pytest.param({"birth_date": "1988-04-03"}, id="day and month swapped"),
        pytest.param({"birth_date": "1988-03-14"}, id="one digit of the day wrong"),
        pytest.param({"birth_date": "1988-08-04"}, id="the month wrong"),
        pytest.param({"birth_date": "1988-03"}, id="no day"),
        pytest.param({"birth_date": "1988"}, id="only the year"),
        pytest.param({"birth_date": "1988-01-01"}, id="only the year, written as the first of January"),
        pytest.param({"birth_date": "1988-04-03", "surname": "Bakker"}, id="another name, day and month swapped"),
        pytest.param({"bsn": a_bsn(5)}, id="the BSN is known now"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True], ids=["", "the other way round"])
def test_a_name_and_a_birth_date_are_possible_wherever_she_lives(changes: dict[str, Any], swapped: bool):
    first, second = about(unnumbered()), about(unnumbered(**changes))
    if swapped:
        first, second = second, first

    assert told(first, second) == Weighed("SAME_PERSON", "POSSIBLE", joins=False, persons=1)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"given_names": "Femke"}, id="another given name"),
        pytest.param({"given_names": "K."}, id="an initial"),
        pytest.param({"birth_date": ...}, id="no birth date"),
        pytest.param({"birth_date": "1961-03-14"}, id="another birth date"),
        pytest.param({"birth_date": "1988-03-14", "surname": "Bakker"}, id="two fields wrong"),
    ],
)
def test_less_is_nothing(changes: dict[str, Any]):
    assert told(about(unnumbered()), about(unnumbered(**changes))) is None


def test_two_persons_with_a_bsn_are_told_apart_by_it():
    assert told(about(unnumbered(bsn=a_bsn(1))), about(unnumbered(bsn=a_bsn(2)))) is None


def test_the_first_of_january_tells_no_day():
    first = unnumbered(birth_date="1988-01-01")

    assert told(about(first), about(first | {"surname": "Bakker"})) is None
    assert told(about(first), about(first)) is not None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="all five fields"),
        pytest.param({"surname": "Sluys"}, id="a name spelled otherwise"),
        pytest.param({"given_names": "Khadidja"}, id="the given name too"),
        pytest.param({"birth_date": "1988-03-14"}, id="a digit of the date wrong"),
        pytest.param({"birth_date": "1988-04-03"}, id="day and month swapped"),
        pytest.param({"surname": "Kluis"}, id="a letter of the surname wrong"),
    ],
)
def test_five_fields_are_probable_though_one_is_a_little_wrong(changes: dict[str, Any]):
    found = told(at_home(unnumbered()), at_home(unnumbered(**changes)))

    assert found == Weighed("SAME_PERSON", "PROBABLE", joins=True, persons=1)


def test_two_persons_who_are_possible_are_probable_together():
    child = a_child(bsn=...)

    found = told(about(unnumbered(), child), about(unnumbered(surname="Sluys"), child))

    assert found == Weighed("SAME_PERSON", "PROBABLE", joins=True, persons=2)


def test_twins_are_two_persons_of_one_household():
    sem, sam = (a_child(bsn=..., given_names=name) for name in ("Sem", "Sam"))

    # Each alone is not the other; at one address they are one household
    assert told(about(sem), about(sam)) is None
    found = told(at_home(sem), at_home(sam))
    assert found == Weighed("SAME_ADDRESS", "PROBABLE", joins=True, persons=0)
    # Both are two known persons
    found = told(at_home(sem, sam), at_home(sam, sem))
    assert found is not None
    assert found.persons == 2


# An address ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "certainty"),
    [
        pytest.param({"given_names": ..., "birth_date": ...}, "PROBABLE", id="with the surname"),
        pytest.param({"given_names": ..., "surname": ...}, "PROBABLE", id="with the birth date"),
        pytest.param({"birth_date": ..., "surname": ...}, "POSSIBLE", id="a given name is too little"),
        pytest.param({"birth_date": "1970-05-06", "surname": "Bakker", "given_names": "An"}, "POSSIBLE", id="alone"),
    ],
)
def test_the_address_is_possible_and_with_one_more_field_probable(changes: dict[str, Any], certainty: str):
    found = told(at_home(unnumbered()), at_home(unnumbered(**changes)))

    assert found == Weighed("SAME_ADDRESS", certainty, joins=certainty == "PROBABLE", persons=0)


def test_the_address_of_a_person_counts_as_the_households():
    own = {"postcode": "2801ZX", "house_number": 10}

    found = told(at_home(unnumbered()), about(unnumbered(birth_date=..., **own)))

    assert found == Weighed("SAME_ADDRESS", "PROBABLE", joins=True, persons=0)


def test_a_year_is_no_birth_date():
    somebody = unnumbered(given_names=..., surname=..., birth_date="1988")

    assert told(at_home(somebody), at_home(somebody)) == Weighed("SAME_ADDRESS", "POSSIBLE", joins=False, persons=0)


@pytest.mark.parametrize(
    ("one", "other"),
    [("A", "B"), ("A", ...), ("1", "11")],
)
def test_a_suffix_is_another_house(one: Any, other: Any):
    first = at_home(unnumbered(birth_date=...), address=an_address(house_number_suffix=one))
    second = at_home(unnumbered(birth_date=...), address=an_address(house_number_suffix=other))

    assert told(first, second) is None


def test_a_suffix_is_the_same_in_small_letters_and_spaces():
    first, second = (at_home(address=an_address(house_number_suffix=suffix)) for suffix in ("2 bis", "2BIS"))

    assert told(first, second) is not None


def test_an_institution_links_nobody_but_who_is_known_by_himself():
    shelter = an_address(institutional=True)

    assert told(at_home(a_woman(bsn=...), address=shelter), at_home(a_woman(1, bsn=...), address=shelter)) is None
    assert told(at_home(unnumbered(), address=shelter), at_home(unnumbered(), address=shelter)) is not None


def test_a_secret_address_is_in_no_code_and_gives_the_same_ones():
    secret, known = (at_home(unnumbered(), address=an_address(secret=secret)) for secret in (True, False))

    assert {link.code for link in links(secret)} == {link.code for link in links(known)}
    assert b"2801" not in encode_links(links(secret))


# Unborn and born -----------------------------------------------------------------------------------------

MOTHER = {"role": "MOTHER_OF_UNBORN", "pregnant": "YES", "due_date": "2026-03-10"}


def test_a_newborn_links_to_the_case_of_his_mother_by_her():
    # Scenario 28
    born = a_child(given_names="Mila", birth_date="2026-03-02", bsn=a_bsn(77))

    found = told(about(a_woman(**MOTHER)), about(a_woman(role="PARENT"), born, received_at="2026-04-01T10:00:00+02:00"))

    assert found == Weighed("SAME_PARENT", "CERTAIN", joins=True, persons=1)


@pytest.mark.parametrize("due", ["2026-03-10", "2026-02-20", "2026-05-01", "2026-03"])
def test_a_newborn_links_by_the_address_and_when_it_was_due(due: str):
    born = a_child(surname="Kaya", given_names="Mila", birth_date="2026-03-02", bsn=a_bsn(77))

    found = told(at_home(a_woman(**MOTHER | {"due_date": due})), at_home(born))

    assert found == Weighed("SAME_MOTHER_UNBORN", "PROBABLE", joins=True, persons=0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"birth_date": "2025-12-01"}, id="born long before it was due"),
        pytest.param({"birth_date": "2026-05-20"}, id="born long after"),
        pytest.param({"birth_date": "2016-03-02"}, id="a child of ten"),
    ],
)
def test_another_child_is_not_the_one_that_was_due(changes: dict[str, Any]):
    child = a_child(**{"surname": "Kaya", "given_names": "Mila", "bsn": a_bsn(77)} | changes)

    found = told(at_home(a_woman(**MOTHER)), at_home(child, received_at="2026-06-01T10:00:00+02:00"))

    assert found == Weighed("SAME_ADDRESS", "POSSIBLE", joins=False, persons=0)


def test_only_an_infant_is_looked_for_as_unborn():
    def months(born: str) -> int:
        return sum(link.kind == "SAME_MOTHER_UNBORN" for link in links(at_home(a_child(birth_date=born))))

    assert (months("2025-11-20"), months("2024-01-20"), months("2023-11-20"), months("2025")) == (4, 4, 0, 0)


# The alleged perpetrator ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("him", "certainty"),
    [
        pytest.param(a_man(), "CERTAIN", id="by his number"),
        pytest.param(a_man(bsn=...), "POSSIBLE", id="by his name"),
    ],
)
def test_an_alleged_perpetrator_is_shown_and_joins_nothing_by_himself(him: dict[str, Any], certainty: str):
    found = told(about(a_woman(), him), about(a_woman(5), him))

    assert found == Weighed("SAME_PERPETRATOR", certainty, joins=False, persons=1)


def test_who_stayed_at_the_address_brings_no_new_household_into_his_former_one():
    found = told(at_home(a_woman(), a_man()), at_home(a_woman(5), a_man()))

    assert found is not None
    assert (found.kind, found.certainty, found.joins) == ("SAME_PERPETRATOR", "CERTAIN", False)


def test_he_alone_at_the_address_is_of_the_household_that_is_known_there():
    found = told(at_home(a_woman(), a_man()), at_home(a_man(bsn=...)))

    assert found is not None
    assert found.joins


def test_the_children_at_the_address_join_although_he_is_there():
    found = told(at_home(a_child(), a_man()), at_home(a_child(bsn=...), a_man()))

    assert found is not None
    assert found.joins


def test_where_he_lives_himself_is_not_the_households_address():
    elsewhere = {"postcode": "2802 AB", "house_number": 7}
    namesake = unnumbered(surname=a_man()["surname"], birth_date=..., **elsewhere)

    assert told(at_home(a_woman(), a_man(**elsewhere)), about(namesake)) is None


def test_one_listed_twice_is_not_two_persons():
    twice = (a_man(), a_man(bsn=...))

    found = told(about(a_woman(), *twice), about(a_woman(5), *twice))

    assert found == Weighed("SAME_PERPETRATOR", "CERTAIN", joins=False, persons=1)


def test_a_woman_who_was_the_alleged_perpetrator_is_possibly_the_same():
    found = told(about(a_woman(role="ALLEGED_PERPETRATOR")), about(a_woman()))

    assert found == Weighed("SAME_PERSON", "POSSIBLE", joins=False, persons=1)


# All of them ---------------------------------------------------------------------------------------------


def test_an_incident_number_is_certain_whoever_is_named():
    found = told(about(a_woman(), incident_number="2026-1"), about(a_woman(5), incident_number="2026-1"))

    assert found == Weighed("SAME_INCIDENT", "CERTAIN", joins=True, persons=0)


def test_the_number_of_codes_is_bounded():
    many = [
        a_woman(
            n, surname=f"Naam{n}-Ander{n}", given_names=f"Voor{n}", birth_date=f"19{50 + n}-02-03",
            pregnant="YES", due_date="2026-05-01", postcode="2801 ZX", house_number=n + 1,
        )
        for n in range(30)
    ]  # fmt: skip
    two = RegionKeys(KEYS.wrap, KeySet("m1", {"m1": bytes(32), "m2": b"2" * 32}))

    found = links(at_home(*many, incident_number="2026-1"), two)

    assert sum(link.kept for link in found) == 2 * (30 * CODES_PER_PERSON + 2)


def test_links_that_were_written_before_are_read():
    assert read_links(b'[["SAME_PERSON","CERTAIN","m1:00",0]]') == (Link("SAME_PERSON", "CERTAIN", "m1:00", 0),)


@settings(deadline=None)
@given(reports())
def test_links_come_back_from_their_bytes(report: dict[str, Any]):
    found = links(report)

    assert read_links(encode_links(found)) == found


@settings(deadline=None)
@given(reports(), st.randoms(use_true_random=False))
def test_links_do_not_depend_on_the_order_of_the_participants(report: dict[str, Any], chance: Random):
    other = report | {"participants": chance.sample(report["participants"], len(report["participants"]))}

    assert _whatever_the_order(links(report)) == _whatever_the_order(links(other))


@pytest.mark.parametrize("numbered", [False, True])
def test_neither_do_they_when_one_is_listed_twice(numbered: bool):
    # Scenario 59: the minor is the perpetrator and a child to protect
    he = a_child() if numbered else a_child(bsn=...)
    twice = [he, he | {"role": "ALLEGED_PERPETRATOR"}]

    assert _whatever_the_order(links(at_home(*twice))) == _whatever_the_order(links(at_home(*twice[::-1])))


def test_who_is_listed_twice_is_known_as_both():
    he, did_it = a_child(), a_child(role="ALLEGED_PERPETRATOR")

    for earlier in (about(he, did_it), about(did_it, he)):
        assert told(earlier, about(he)) == Weighed("SAME_PERSON", "CERTAIN", joins=True, persons=1)
        assert told(earlier, about(did_it)) == Weighed("SAME_PERPETRATOR", "CERTAIN", joins=False, persons=1)
    assert told(about(did_it), about(he, did_it)) == Weighed("SAME_PERPETRATOR", "CERTAIN", joins=False, persons=1)


def test_who_is_listed_twice_without_a_bsn_is_known_as_the_person():
    he, did_it = a_child(bsn=...), a_child(bsn=..., role="ALLEGED_PERPETRATOR")

    assert told(about(he), about(did_it, he)) == Weighed("SAME_PERSON", "POSSIBLE", joins=False, persons=1)
    # And for whoever has a BSN he is somebody whose BSN is not known
    assert told(about(a_child(), did_it), about(a_child(bsn=a_bsn(9)))) is not None


def _whatever_the_order(found: Sequence[Link]) -> set[tuple[object, ...]]:
    return {(link.kind, link.certainty, link.code, link.kept, link.asked) for link in found}


@settings(deadline=None)
@given(reports())
def test_no_code_holds_clear_text(report: dict[str, Any]):
    for link in links(report):
        name, code = link.code.split(":")
        assert name in KEYS.match.keys
        assert len(code) == 32
        assert set(code) <= set("0123456789abcdef")


@settings(deadline=None)
@given(reports())
def test_another_regions_keys_give_other_codes(report: dict[str, Any]):
    other = regions()["brabant-zuidoost"].keys

    assert not {link.code for link in links(report)} & {link.code for link in links(report, other)}
