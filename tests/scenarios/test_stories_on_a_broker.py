"""A tenth of the scenarios once more through a real broker: the same files, published, decided and read back.

What hangs on the clock is left to the region in memory: here it is today.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.cases import an_act, an_id
from tests.scenarios.story import Story, report_of, stories
from tests.storm.field import Field, a_field, wait_for
from tests.storm.seen import HOLLAND, opened
from tests.storm.storm import Following
from topics import journal as j
from topics import specs

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
NUMBERS = (1, 5, 13, 29, 33, 36, 54, 66)
STORIES = [story for story in stories() if story.number in NUMBERS]
WORDS = ("colour", "rules", "not_rules", "destination", "rule", "receiver", "prepared", "conditions")
OURS = "urn:nld:oin:00000001999973320000:systeem:proef"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    for made in a_field(tmp_path_factory.mktemp("stories")):
        made.worker("intake", "a")
        opened(made.worker("region", "a"), HOLLAND)
        yield made


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_scenario_goes_the_same_through_a_broker(field: Field, journal: Following, story: Story):
    case: dict[str, Any] = {}
    for step in story.steps:
        case = told(journal, said(field, story, step, case))

        for name, wanted in step.get("then", {}).items():
            if name in WORDS:
                assert look(case, name, wanted) == wanted, story.cell

    for name, wanted in story.then.items():
        if name in WORDS:
            assert look(case, name, wanted) == wanted, story.cell


def said(field: Field, story: Story, step: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Publish a step; the id by which its record is known. Each story is about a household of its own."""
    if "report" in step:
        report = report_of({"household": 100 + story.number, **step["report"]})
        field.publish(report)
        field.producer.flush()
        return f"{report['report_id']}/{report['version']}"
    if "act" in step:
        act = dict(step["act"])
        message = an_act(case["case_id"], act.pop("kind"), **act)
        field.send(specs.ACTS.topic(HOLLAND), specs.ACT_TYPE, OURS, case["case_id"], message)
        field.producer.flush()
        return str(message["act_id"])
    message = {
        "answer_id": an_id(), "case_id": case["case_id"], "handover_id": case["handover_id"], "state": step["answer"],
        "answered_at": "2026-03-18T10:00:00+01:00", **{k: step[k] for k in ("reason", "municipality") if k in step},
    }  # fmt: skip
    field.send(specs.ANSWERS.topic(case["receiver"]), specs.ANSWER_TYPE, OURS, case["case_id"], message)
    field.producer.flush()
    return str(message["answer_id"])


def told(journal: Following, of: str) -> dict[str, Any]:
    """The case of the record that this message became, as the journal tells it so far."""
    record = wait_for(of, lambda: next((one for one in journal.records(HOLLAND) if name_of(one.input) == of), None))
    case_id = next(event.case_id for event in record.events if hasattr(event, "case_id"))
    case: dict[str, Any] = {"case_id": case_id, "prepared": [], "reasons": (), "conditions": ()}
    for event in (event for one in journal.records(HOLLAND) for event in one.events):
        if getattr(event, "case_id", None) != case_id:
            continue
        match event:
            case j.Triaged():
                case |= {"colour": event.colour, "reasons": event.reasons, "conditions": list(event.conditions)}
            case j.Routed():
                case |= {"destination": event.destination, "rule": event.rule}
            case j.Offered():
                case |= {"receiver": event.receiver, "handover_id": event.handover_id}
            case j.Prepared():
                case["prepared"].append(f"{event.to} {event.by}")
    return case


def name_of(said: j.Input) -> str:
    """The id of a message, as ``said`` gave it."""
    if isinstance(said, j.ReportInput):
        return f"{said.report_id}/{said.version}"
    return getattr(said, "act_id", None) or getattr(said, "answer_id", "")


def look(case: Mapping[str, Any], name: str, wanted: Any) -> Any:
    if name == "rules":
        return [rule for rule in wanted if rule in case["reasons"]]
    if name == "not_rules":
        return [rule for rule in wanted if rule not in case["reasons"]]
    return sorted(case["prepared"]) if name == "prepared" else case[name]
