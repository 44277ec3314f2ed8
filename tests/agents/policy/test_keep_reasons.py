"""Why the centre keeps a case: every rule that leads to one of its desks says so, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.destinations import KeepReason
from agents.policy.loading import PolicyError
from agents.policy.model import load_policy
from agents.policy.vocabulary import FACTS
from tests.cases import QUIET, REGION
from tests.world import regions

TEXT = regions()[REGION].policy_text
POLICY = regions()[REGION].policy
DESTINATIONS = POLICY.made_destinations()


def line_of(said: str) -> int:
    return TEXT[: TEXT.index(said)].count("\n") + 1


@given(st.fixed_dictionaries({fact: st.sampled_from([QUIET[fact], *FACTS[fact]]) for fact in FACTS}))
def test_whatever_the_centre_keeps_it_keeps_for_a_reason_and_what_it_hands_over_for_none(told: dict[str, str]):
    chosen = DESTINATIONS.answer(told).rows[0]

    kept = chosen.to.startswith("VT_") or chosen.to == "RUNNING"

    assert (POLICY.keep_reason(chosen.id) is not None) is kept


def test_no_other_rule_keeps_anything():
    for rule in ("R1", "X10", "B6", "BACK", "H1", "", None):
        assert POLICY.keep_reason(rule) is None


def test_the_five_reasons_of_the_meldcode_are_told_apart():
    # Given what the field says of when it keeps a case itself (domain facts: decisions after triage)
    for facts, reason in (
        ({"colour": "RED"}, "H1"),
        ({"hgkm_certain": "NO"}, "H2"),
        ({"cooperation": "DENIES"}, "H3"),
        ({"enough_information": "NO"}, "H4"),
        ({"disclosure": "ANONYMITY_PROMISED"}, "H5"),
    ):
        found = POLICY.keep_reason(DESTINATIONS.answer(QUIET | {"colour": "GREEN"} | facts).rows[0].id)

        assert found is not None
        assert (found.id, found.source) == (reason, "fact")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        pytest.param("    keeps: H1\n", "", "  - id: X3\n", "destinations.5: X3: keeps ontbreekt", id="none"),
        pytest.param("    keeps: H7\n", "", "  - id: X4\n", "X4: keeps ontbreekt", id="none of the service that runs"),
        pytest.param("keeps: H1\n", "keeps: H99\n", "keeps: H1\n", "keeps: H99 staat niet in", id="unknown"),
        pytest.param(
            "    to: GI\n", "    to: GI\n    keeps: H1\n", "    to: GI\n", "X5 gaat niet naar Veilig Thuis",
            id="handed over",
        ),
        pytest.param("keeps: H5\n", "keeps: H4\n", "  - id: H5\n", "keep_reasons.4: H5: geen bestemming", id="unused"),
        pytest.param("  - id: H2\n", "  - id: H1\n", "  - id: H2\n", "H1 staat er twee keer", id="twice"),
        pytest.param(
            "  - id: H2\n", "  - id: H2\n    when: [{minor: YES}]\n", "  - id: H2\n", "H2: when hoort hier niet",
            id="with a condition",
        ),
    ],
)  # fmt: skip
def test_a_reason_that_does_not_fit_is_refused_with_its_line(old: str, new: str, at: str, says: str):
    assert old in TEXT

    with pytest.raises(PolicyError) as refused:
        load_policy(TEXT.replace(old, new, 1))

    assert says in str(refused.value)
    lines = {line_of(at), line_of(at) + 1}
    assert any(f"line {line}, " in str(refused.value) for line in lines), str(refused.value)


def test_a_policy_without_the_table_is_refused():
    text = TEXT[: TEXT.index("\nkeep_reasons:")] + TEXT[TEXT.index("\ndestinations:") :]

    with pytest.raises(PolicyError, match="keep_reasons"):
        load_policy(text)


@pytest.mark.parametrize("reason", POLICY.keep_reasons, ids=lambda reason: reason.id)
def test_every_reason_says_itself_in_both_languages(reason: KeepReason):
    assert reason.nl.endswith(".")
    assert reason.en.endswith(".")
    assert reason.nl != reason.en
