"""Who of the centre may do what by the sample policy: a matrix of acts and roles, and the second person (3.9, D1)."""

import pytest

from agents.policy.loading import PolicyError
from agents.policy.model import load_policy
from tests.cases import REGION
from tests.world import regions
from topics.codes import ActKind, Colour

POLICY = regions()[REGION].policy
TEXT = regions()[REGION].policy_text
ROLES = (
    "bureaudienst", "beoordelaar", "gedragswetenschapper", "teamleider", "jurist", "coordinator", "beleidsmaker",
)  # fmt: skip
EVERYBODY = ("bureaudienst", "beoordelaar", "gedragswetenschapper", "teamleider")
ASSESSORS = EVERYBODY[1:]
MATRIX = {
    **dict.fromkeys(
        (
            "SEEN", "PHONED", "RAISE", "FEEDBACK_GIVEN", "FEEDBACK_NOT_POSSIBLE", "INFORMED", "MONITOR_CONTACT",
            "SUPPORT_GIVEN", "CONFIRM_LINK", "UNLINK", "MERGE", "MEASURE", "RESTRAINING_ORDER", "BOARD_NOTICE",
        ),
        EVERYBODY,
    ),
    **dict.fromkeys(
        (
            "CONSULT", "ASSESS", "SETTLE", "CLOSE", "REOPEN", "OUTCOME", "MONITOR_START", "ASSIGN_ROLE",
            "ASSESSMENT_PART", "EXTEND", "REEVALUATE", "WITHDRAW", "LOWER",
        ),
        ASSESSORS,
    ),
    "DECIDE_HOLD": ("jurist",),
    "RELEASE": ("bureaudienst", "teamleider"),
    "HOLD_RECEIVER": ("bureaudienst", "teamleider", "coordinator"),
    "RESUME_RECEIVER": ("bureaudienst", "teamleider", "coordinator"),
    "MOVE_TIMER": ("teamleider",),
    "ACTIVATE_POLICY": ("beleidsmaker",),
    "ERASE": ("jurist",),
}  # fmt: skip
TWO = {"MOVE_TIMER", "ACTIVATE_POLICY", "ERASE"}


def test_every_act_stands_in_the_matrix():
    assert set(MATRIX) == {kind.value for kind in ActKind}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", sorted(MATRIX))
def test_who_may_do_what(act: str, role: str):
    allowed = POLICY.permission(ActKind(act)).allows(role, "m.vt-07", "m.vt-08", Colour.GREEN)

    assert allowed is (role in MATRIX[act])


@pytest.mark.parametrize("second", [None, "m.vt-07"], ids=["nobody", "himself again"])
@pytest.mark.parametrize("colour", [None, *Colour])
@pytest.mark.parametrize("act", sorted(MATRIX))
def test_when_a_second_person_is_needed(act: str, colour: Colour | None, second: str | None):
    alone = POLICY.permission(ActKind(act)).allows(MATRIX[act][0], "m.vt-07", second, colour)

    needed = act in TWO or (act == "LOWER" and colour in (Colour.ORANGE, Colour.RED))
    assert alone is not needed


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("acts: [DECIDE_HOLD]", "acts: []", "DECIDE_HOLD (aanhouding beslist) staat nergens"),
        ("acts: [DECIDE_HOLD]", "acts: [DECIDE_HOLD, RELEASE]", "RELEASE (bericht vrijgegeven) staat twee keer"),
        ("acts: [DECIDE_HOLD]", "acts: [DECIDE]", "acts."),
        ("second: FROM_ORANGE", "second: SOMETIMES", "second"),
    ],
)
def test_a_table_of_acts_that_is_not_whole_is_refused(old: str, new: str, says: str):
    assert old in TEXT

    with pytest.raises(PolicyError, match="line") as refused:
        load_policy(TEXT.replace(old, new, 1))

    assert says in str(refused.value)
