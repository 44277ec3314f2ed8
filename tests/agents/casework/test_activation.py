"""Another policy, put in force by a person (domain model, section 3.9, ACTIVATE_POLICY)."""

from typing import Any

import pytest

from agents.policy.loading import PolicyError
from agents.policy.model import load_policy, text_hash
from tests.cases import TEAM_GOUDA, a_report, an_id
from tests.world import World, local, regions, saved_and_read
from topics import journal as j
from topics.codes import Indicator

OLD = regions()["hollands-midden"].policy_text
# A groen offer need not be accepted before the end of the ninth working day, and multiple problems are oranje.
NEW = OLD.replace("GREEN: {end_of_working_day: 5}", "GREEN: {end_of_working_day: 9}").replace(
    "  - id: R3\n    colour: YELLOW", "  - id: R3\n    colour: ORANGE"
)
NEWER = NEW.replace('version: "2026-11"', 'version: "2027-01"')
EVERY = ", ".join(one.value for one in Indicator)
# A set stands for each of its members: four of thirty are 810,000 combinations.
MANY = OLD.replace("  acute: [A1,", "".join(f"  a{n}: [{EVERY}]\n" for n in range(4)) + "  acute: [A1,").replace(
    "when: [{acute: YES}, {safety: ACUTE}", "when: [{a0: YES, a1: YES, a2: YES, a3: YES}, {acute: YES}, {safety: ACUTE}"
)
TOLD = {("POLICY_ACTIVATED", "vt-hm-bureaudienst"), ("POLICY_ACTIVATED", "vt-hm-coordinatie")}


def activate(world: World, text: str, **changes: Any) -> j.Record:
    said = {"policy": text, "role": "beleidsmaker", "second": "m.vt-08", "case_id": ...} | changes
    return world.act("ACTIVATE_POLICY", **said)


def test_from_then_on_the_region_decides_by_it_and_what_was_decided_stays():
    # Given a case that was decided under the old policy
    world = World()
    world.publish(a_report())
    before, due = world.case, world.offer.accept_before

    # When another one is put in force
    activate(world, NEW)
    assert world.told() == TOLD
    assert world.book.policy_hash == text_hash(NEW)

    # Then a new report is decided by that, and the old case keeps its moment and its colour
    world.publish(a_report(household=1, yes=("M1",)))
    assert (world.case.colour, world.records[-1].policy) == ("ORANGE", text_hash(NEW))
    world.publish(a_report(household=2))
    assert world.offer.accept_before > due
    kept = world.book.cases[before.id]
    assert (kept.colour, local(kept.handovers[0].accept_before), kept.policy) == ("GREEN", local(due), text_hash(OLD))


def test_its_whole_text_stands_in_the_journal_and_a_region_is_rebuilt_across_any_number_of_them():
    world = World()
    for number, text in enumerate((NEW, OLD, NEWER)):
        world.publish(a_report(household=number))
        activate(world, text)
    world.publish(a_report(household=9, yes=("M1",)))

    said = [record.input for record in world.records if isinstance(record.input, j.ActInput)]
    assert [one.details["policy"] for one in said] == [NEW, OLD, NEWER]
    assert world.refolded().encode() == world.book.encode()
    for place in range(len(world.journal)):
        assert world.decided_again(place) == world.journal[place:]


def test_the_policy_of_the_folder_does_not_come_back_with_a_restart():
    world = World()
    activate(world, NEW)

    # A worker that opens the region from the journal, or from a snapshot, has nothing to set right
    for book in (world.refolded(), saved_and_read(world.refolded())):
        other = world.another_worker()
        other.book = book
        assert (other.begin(world.now), other.book.policy) == ([], NEW)

    # And another directory in the folder changes the directory alone
    other.reconfigure(World(directory=world.config.directory_text + "\n# een regel meer\n").config)
    assert other.begin(world.now) != []
    assert other.book.policy == NEW
    assert other.book.directory.endswith("# een regel meer\n")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"second": ...}, id="nobody looked along"),
        pytest.param({"second": "m.vt-07"}, id="one person twice"),
        pytest.param({"role": "teamleider"}, id="not his to do"),
        pytest.param({"policy": OLD}, id="in force already"),
    ],
)
def test_what_may_not_be_changes_nothing_and_is_said(changes: dict[str, Any]):
    world = World()
    activate(world, NEW, **changes)

    world.expect(j.DeadLettered, reason="act_refused")
    assert (world.book.policy, world.book.activated) == (OLD, False)


def bomb() -> str:
    """A few lines that become a billion once their aliases are followed."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("name: [", id="no YAML"),
        pytest.param("niets", id="no policy"),
        pytest.param(OLD.replace("colour: ORANGE", "colour: PAARS"), id="a colour that there is not"),
        pytest.param(OLD.replace("  GREEN: {end_of_working_day: 5}", "  GREEN: {end_of_working_day: 999999999}"),
                     id="a term beyond every calendar"),
        pytest.param(OLD + "\nsinds: 2026-13-45\n", id="a day that there is not"),
        pytest.param(bomb(), id="aliases of aliases"),
        pytest.param("[" * 20_000, id="nested without end"),
        pytest.param("x: !!python/object/apply:os.system [id]", id="something to run"),
        pytest.param(OLD + "\nsinds: !!timestamp x\n", id="a tag with nonsense"),
        pytest.param(OLD.replace('time: "12:00"', 'time: "12:00Z"'), id="a time of the day in a zone"),
        pytest.param(OLD.replace("GREEN: {each_working_day: \"09:00\"}", "GREEN: {each_working_day: \"09:00Z\"}"),
                     id="the same where the last step comes back"),
        pytest.param(OLD.replace("assessment_working_days: 5", "assessment_working_days: 999999999"),
                     id="days beyond every calendar"),
        pytest.param(OLD.replace("  multi: [M1, M2, M3, M4, M5, M6, M7, M8]", "  multi: []"), id="an empty set"),
        pytest.param(MANY, id="very many combinations"),
        pytest.param("{" + ", ".join(f"k{n}: 1" for n in range(17_000)) + "}", id="very many unknown keys"),
        pytest.param(OLD.replace("acts: [ACTIVATE_POLICY], roles: [beleidsmaker], second: ALWAYS",
                                 "acts: [ACTIVATE_POLICY], roles: [beleidsmaker]"), id="one person alone ever after"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused_where_it_comes_in(text: str):
    world = World()
    activate(world, text)

    world.expect(j.DeadLettered, reason="contract")
    (letter,) = [message for topic, message in world.last if "deadletters" in topic]
    assert [(error["pointer"], error["code"]) for error in letter["problem"]["errors"]] == [("/policy", "policy")]
    assert world.book.policy == OLD


def test_who_puts_it_in_force_can_put_another_in_force_after_it():
    world = World()
    activate(world, OLD.replace("roles: [beleidsmaker]", "roles: [beleidsmker]"))

    world.expect(j.DeadLettered, reason="act_refused")


def test_the_same_message_twice_is_one():
    world = World()
    activate(world, NEW)
    world.bring(world.sent[-1])

    world.expect(j.Repeated)
    assert len(world.all_events(j.Configured)) == 2


def test_the_same_act_published_again_does_not_bring_an_old_policy_back():
    world = World()
    activate(world, NEW, act_id=an_id("eerste"))
    activate(world, NEWER)
    world.pass_time(days=40)
    activate(world, NEW, act_id=an_id("eerste"))

    world.expect(j.Repeated)
    assert world.book.policy == NEWER
    # A region that was read from its snapshot knows it too
    assert saved_and_read(world.book).done == world.book.done != []


def test_the_same_hold_published_again_takes_nobody_out_of_service_once_more():
    world = World()
    world.hold(TEAM_GOUDA, act_id=an_id("storing"))
    world.hold(TEAM_GOUDA, resume=True)
    world.hold(TEAM_GOUDA, act_id=an_id("storing"))

    world.expect(j.Repeated)
    assert world.book.held == {}


def test_what_a_later_release_would_refuse_stays_in_force():
    # Given a policy from before there was such an act as CONSULT: today it could not be put in force
    before = NEW.replace("CONSULT, ", "", 1)
    with pytest.raises(PolicyError, match="CONSULT"):
        load_policy(before)

    # When a region has it in its journal
    world = World()
    activate(world, NEW)
    world.book.policy, world.book.policy_hash = before, text_hash(before)
    assert world.writer.begin(world.now) == []

    # Then the region decides by it, and what it did not know is nobody's to do
    world.publish(a_report(yes=("M1",)))
    assert world.case.colour == "ORANGE"
    world.act("CONSULT", to="wijkteam-leiden")
    world.expect(j.DeadLettered, reason="act_refused")

    # Until somebody puts a policy in force that does
    activate(world, NEWER)
    assert world.book.policy == NEWER
