"""What a policy says of the shares that it should come to."""

import pytest

from agents.policy.bands import Band
from agents.policy.loading import PolicyError
from agents.policy.model import load_policy
from tests.storm.field import REGIONS

TEXT = (REGIONS / "hollands-midden" / "policy.yaml").read_text()
KEPT = "  kept: {from: 25, to: 71}"
LINE = TEXT.splitlines().index(KEPT) + 1


def band(**ends: float) -> Band:
    return Band.model_validate({name.strip("_"): value for name, value in ends.items()})


@pytest.mark.parametrize("name", ["hollands-midden", "brabant-zuidoost"])
def test_the_examples_hold_the_national_bands(name: str):
    bands = load_policy((REGIONS / name / "policy.yaml").read_text()).bands

    assert (bands.kept, bands.acute) == (band(from_=25, to=71), band(from_=0.7, to=4.1))
    assert bands.provisional is not None


@pytest.mark.parametrize(
    ("ends", "share", "inside"),
    [
        pytest.param({"from_": 25, "to": 71}, 25, True, id="on the lower end"),
        pytest.param({"from_": 25, "to": 71}, 71, True, id="on the upper end"),
        pytest.param({"from_": 25, "to": 71}, 24.9, False, id="under it"),
        pytest.param({"from_": 25, "to": 71}, 71.1, False, id="over it"),
        pytest.param({"to": 40}, 0, True, id="no lower end"),
        pytest.param({"from_": 1}, 100, True, id="no upper end"),
    ],
)
def test_both_ends_belong_to_a_band(ends: dict[str, float], share: float, inside: bool):
    assert band(**ends).holds(share) is inside


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("  kept: {from: 71, to: 25}", "bands.kept: ", id="from above to"),
        pytest.param("  kept: {from: -1, to: 25}", "bands.kept.from: ", id="less than nothing"),
        pytest.param("  kept: {to: 100.5}", "bands.kept.to: ", id="more than all"),
        pytest.param("  kept: {to: .nan}", "bands.kept.to: ", id="no number"),
        pytest.param("  kept: {}", "bands.kept: ", id="says nothing"),
        pytest.param("  kept: {till: 25}", "bands.kept.till: ", id="an end of another name"),
        pytest.param("  keep: {to: 25}", "bands.keep: ", id="a share of another name"),
    ],
)
def test_a_band_that_cannot_be_is_refused_with_its_line(wrong: str, said: str):
    with pytest.raises(PolicyError) as refused:
        load_policy(TEXT.replace(KEPT, wrong, 1))

    assert f"line {LINE}, {said}" in str(refused.value)


def test_a_policy_of_before_the_bands_is_still_read():
    bands = load_policy(TEXT[: TEXT.index("\nbands:")]).bands

    assert (bands.kept, bands.acute, bands.provisional) == (None, None, None)
