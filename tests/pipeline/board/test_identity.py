"""Who may come to which door: the table, as a test and as it stands in the documentation."""

from itertools import product

import pytest

from pipeline.board.identity import CLAIM, RIGHTS, NotKnown, Right, Role, person_of
from pipeline.board.provider import CENTRE
from tests.storm.field import CHECKOUT
from tests.world import regions
from topics.codes import ActKind

POLICY = regions()["hollands-midden"].policy
DIRECTORY = regions()["hollands-midden"].directory
EVERY = [(role, right) for role in Role for right in Right]
OPEN = {
    Role.PUBLISHER: "publish",
    Role.TEAM_MEMBER: "offers content",
    Role.DUTY_OFFICER: "publish offers cases content act dead-letters policy figures",
    Role.VT_WORKER: "publish offers cases content act policy figures",
    Role.OPERATOR: "cases act dead-letters redrive policy figures",
    Role.POLICY_MAKER: "act policy figures",
    Role.AUDITOR: "cases dead-letters policy figures",
}


def claims(**changes: object) -> dict[str, object]:
    said = {"roles": ["vt-worker"], "region": "hollands-midden", "function": "beoordelaar"} | changes
    return {"sub": "b.vt-01", CLAIM: said}


@pytest.mark.parametrize(("role", "right"), EVERY)
def test_each_role_has_the_doors_of_the_table_and_no_other(role: Role, right: Right):
    person = person_of(claims(roles=[role.value]))
    assert person.may(right) is (right.value in OPEN[role].split())


def test_the_table_stands_in_the_documentation():
    said = (CHECKOUT / "docs" / "rights.md").read_text()
    for role in Role:
        cells = " | ".join("x" if right in RIGHTS[role] else "" for right in Right)
        assert f"| {role.value} | {cells} |" in said
    functions = [name for name in CENTRE if any(name in POLICY.permission(act).roles for act in ActKind)]
    assert f"| act | {' | '.join(functions)} | second person |" in said
    for act in ActKind:
        permission = POLICY.permission(act)
        cells = " | ".join("x" if name in permission.roles else "" for name in functions)
        assert f"| {act.value} | {cells} | {permission.second.lower().replace('_', ' ')} |" in said


@pytest.mark.parametrize(("act", "function"), list(product(ActKind, CENTRE)))
def test_who_of_the_provider_for_development_may_act_is_who_the_policy_names(act: ActKind, function: str):
    role = Role(CENTRE[function])
    if function in POLICY.permission(act).roles:
        assert Right.ACT in RIGHTS[role]


def test_a_team_answers_for_itself_and_the_centre_for_its_desks():
    team = person_of(claims(roles=["team-member"], receivers=["wijkteam-gouda"]))
    worker = person_of(claims())
    auditor = person_of(claims(roles=["auditor"]))
    for receiver in DIRECTORY.receivers:
        assert team.answers_for(receiver.id, DIRECTORY) is (receiver.id == "wijkteam-gouda")
        assert worker.answers_for(receiver.id, DIRECTORY) is (receiver.kind == "DESK")
        assert not auditor.answers_for(receiver.id, DIRECTORY)


@pytest.mark.parametrize(
    ("token", "what"),
    [
        pytest.param({"sub": "b.vt-01"}, "meldstroom", id="nothing is claimed"),
        pytest.param(claims(roles=[]), "roles", id="no role"),
        pytest.param(claims(roles=["beheerder"]), "roles.0", id="a role that there is not"),
        pytest.param(claims(region="Hollands Midden"), "region", id="a region that is none"),
        pytest.param({**claims(), "sub": "Sanne Verhoeven"}, "code", id="a name instead of a code"),
        pytest.param(claims(beheerder=True), "beheerder", id="a claim that there is not"),
    ],
)
def test_a_token_that_says_too_little_or_something_else_is_nobody(token: dict[str, object], what: str):
    with pytest.raises(NotKnown, match=what):
        person_of(token)
