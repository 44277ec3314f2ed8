"""The scenarios of the domain model, section 8, as files that a domain expert can read: played in a region in memory.

A file has the ``cell`` of the table, a ``story`` and what must be so ``then``. A step of the story is a ``report``,
an ``answer``, an ``act`` or ``raw`` bytes, at a local moment (without one: Wed 18 Mar 2026 10:00). A step of a moment
alone lets the time pass until then; with ``sleep`` nothing was at work in it. ``rules`` changes the policy (table ->
row -> what it says), ``hold`` and ``resume`` take a receiver out of service and back, a ``campaign`` is many reports
within an hour (each as its ``report`` says), ``there`` answers at the desk of another region. A report is one about a
quarrel in which every question was answered NO; the step says what is different: ``yes`` and ``unknown`` name
indicators, ``people`` who is involved, and everything else is a field of the contract. ``then`` may also stand with a
step; ``climbs`` is what would happen while nobody does what is owed; its ``figures`` are those that may be published,
from groen to rood with their total, of a municipality or of all (TOTAL). ``why`` says why an expectation differs from
its cell.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from agents.casework.addressees import addressees
from agents.casework.rules import local_date, rules_of
from agents.policy.calendar import AMSTERDAM
from agents.policy.loading import Loader
from agents.policy.model import moment
from agents.policy.terms import moments
from agents.reference.municipalities import name_of
from agents.watch.figures import municipality_of, publish, taken_in
from tests.cases import WEDNESDAY, a_child, a_man, a_report, a_woman
from tests.world import TwoRegions, World, local
from topics import journal as j

CASES = Path(__file__).parent / "cases"
_STEP = {
    "at",
    "report",
    "answer",
    "of",
    "reason",
    "municipality",
    "helper",
    "act",
    "raw",
    "sleep",
    "rules",
    "campaign",
    "there",
    "notice",
    "consult",
    "hold",
    "resume",
    "then",
}
PEOPLE = {"woman": a_woman, "man": a_man, "child": a_child}


@dataclass(frozen=True)
class Story:
    """One file."""

    name: str
    cell: str
    steps: tuple[Mapping[str, Any], ...]
    then: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Of the scenario in section 8."""
        return int(self.name.split("-")[0])


def stories() -> list[Story]:
    """Every file, by number."""
    return [_read(path) for path in sorted(CASES.glob("*.yaml"))]


def _read(path: Path) -> Story:
    found = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
    refuse_unknown(path.name, found, {"cell", "story", "then", "why"})
    return a_story(path.stem, found["cell"], found)


def a_story(name: str, cell: str, said: Mapping[str, Any]) -> Story:
    """The story of what a file says: its ``story`` and its ``then``."""
    for step in said["story"]:
        refuse_unknown(name, step, _STEP)
    return Story(name, cell, tuple(said["story"]), said["then"])


def refuse_unknown(name: str, said: Iterable[str], known: set[str]) -> None:
    """A word that nobody reads would be an expectation that nobody checks."""
    if unknown := set(said) - known:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))}")


def played(story: Story, policy: str | None = None) -> Iterator[tuple[World, Mapping[str, Any]]]:
    """The world after each step of which something is expected, and what that is; at the end after all of them.

    ``policy`` is the text of other rules than the region's own.
    """
    world = World(start=_moment(story.steps[0].get("at")), policy=policy)
    two = TwoRegions(world) if any("there" in step for step in story.steps) else None
    for step in story.steps:
        if "sleep" in step:
            world.sleep_until(_moment(step.get("at")))
        else:
            world.pass_until(_moment(step.get("at")))
        if "report" in step:
            world.publish(_report(step["report"], world))
        elif "rules" in step:
            world.change_rules(step["rules"])
        elif "campaign" in step:
            _campaign(world, step["campaign"])
        elif "raw" in step:
            world.publish(step["raw"].encode())
        elif "sleep" in step:
            world.tick()
        elif "answer" in step:
            _answer(world, step)
        elif "act" in step:
            act = dict(step["act"])
            if "notices" in act:
                act["notices"] = [_notice(world, rule) for rule in act["notices"]]
            if act.get("handover") == "open":
                act["handover"] = world.offer.id
            if act.get("other_case") == "first":
                act["other_case"] = world.book.cases.nth(0).id
            world.act(act.pop("kind"), **act)
        elif "hold" in step or "resume" in step:
            world.hold(step.get("hold") or step["resume"], resume="resume" in step)
        elif "consult" in step:
            ((question, (to, _)),) = world.case.consults.items()
            world.answer_notice(question, to or "", step["consult"])
        elif "there" in step:
            assert world.there is not None
            world.there.answer(step["there"], **{name: step[name] for name in ("reason",) if name in step})
        if two is not None:
            two.settle()
        if "then" in step:
            yield world, step["then"]
    yield world, story.then


def found(world: World, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """How it is, of what is wanted; the case is the one that was opened last."""
    return {name: _LOOK[name](world, wanted[name]) for name in wanted}


def _moment(said: object) -> str:
    return WEDNESDAY if said is None else str(said)


def _campaign(world: World, said: Mapping[str, Any]) -> None:
    """So many reports within the hour, each about a household of its own; those by their numbers are rood."""
    for number in range(said["reports"]):
        world.pass_time(seconds=3_600 / said["reports"])
        red = {"yes": ["A2"]} if number in said.get("red", ()) else {}
        household = 1_000 + len(world.book.cases)
        world.publish(_report({"household": household, **said.get("report", {}), **red}, world))


def _report(said: Mapping[str, Any], world: World) -> dict[str, Any]:
    return report_of({"received_at": local_iso(world), **said})


def report_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The report that a step tells of."""
    changes = dict(said)
    household = changes.get("household", 0)
    for name in ("yes", "unknown"):
        if name in changes:
            changes[name] = tuple(changes[name])
    if "people" in changes:
        changes["participants"] = [_person(one, household) for one in changes.pop("people")]
    return a_report(**changes)


def _person(said: str | Mapping[str, Mapping[str, Any]], household: int) -> dict[str, Any]:
    if isinstance(said, str):
        return PEOPLE[said](household)
    ((name, changes),) = said.items()
    given = {key: ... if value is None else value for key, value in changes.items()}
    return PEOPLE[name](given.pop("household", household), **given)


def local_iso(world: World) -> str:
    """Now, as a report says it."""
    return moment(world.now).astimezone(AMSTERDAM).isoformat()


def _notice(world: World, rule: str) -> str:
    """The number of the notice that a rule prepared."""
    return next(notice for notice, found in world.case.prepared.items() if found[0] == rule)


def _answer(world: World, step: Mapping[str, Any]) -> None:
    if "notice" in step:
        notice = _notice(world, step["notice"])
        world.answer_notice(notice, world.case.prepared[notice][2] or "", step["answer"], reason=step["reason"])
        return
    handover = world.case.handovers[0] if step.get("of") == "first" else world.offer
    changes = {name: step[name] for name in ("reason", "municipality", "helper") if name in step}
    world.answer(step["answer"], handover, **changes)


def _links(world: World, _: Any) -> list[str]:
    return sorted(f"{kind} {certainty}" for _, kind, certainty in world.case.links)


def _ladder(world: World, _: Any) -> list[str]:
    return [f"{local(step.due)} {step.name} {' '.join(step.tells)}".rstrip() for step in world.offer.ladder]


def _climbs(world: World, wanted: Mapping[str, Any]) -> dict[str, list[str]]:
    """What would happen while nobody does what is owed."""
    rules = rules_of(world.book)
    receiver = rules.directory.receiver(world.case.current().receiver if world.case.current() else world.case.executor)
    found = {}
    for term in wanted:
        ladder = rules.ladders[term]
        found[term] = [
            f"{local(at)} {step.step} {' '.join(addressees(rules, receiver, step.tells, at))}"
            for step, at in zip(ladder.steps, moments(ladder, world.case.terms[term]), strict=True)
        ]
        found[term] += ["and again"] if ladder.repeats else []
    return found


def _fired(world: World, _: Any) -> list[str]:
    return [
        f"{local(record.at)} {event.step}"
        for record in world.records
        for event in record.events
        if isinstance(event, j.StepFired)
    ]


def _told(world: World, _: Any) -> list[str]:
    return sorted(f"{kind} {to}" for kind, to in world.told())


def _prepared(world: World, _: Any) -> list[str]:
    """What is ready to be released or phoned."""
    return sorted(f"{to} {by}" for _, to, _, by, how in world.case.prepared.values() if how == "PREPARED")


def _figures(world: World, wanted: Mapping[str, Any]) -> dict[str, list[object]]:
    """What may be published of all that was reported, of the places that are wanted."""
    reports = (
        (municipality_of(one, world.keys.get(one.key_id.encode()), world.config.keys), one.colour)
        for one in taken_in(world.records, date.min, date.max)
    )
    published = publish(world.config.directory, local_date(world.now), reports)
    named = {name_of(place) or place: numbers for place, numbers in published.items()}
    return {place: ["." if number is None else number for number in named[place]] for place in wanted}


_LOOK: dict[str, Any] = {
    "colour": lambda world, _: world.case.colour,
    "provisional": lambda world, _: world.case.provisional,
    # More reasons than these may be given.
    "rules": lambda world, wanted: [rule for rule in wanted if rule in world.case.reasons],
    "not_rules": lambda world, wanted: [rule for rule in wanted if rule not in world.case.reasons],
    "destination": lambda world, _: world.case.destination,
    "rule": lambda world, _: world.case.rule,
    "receiver": lambda world, _: world.offer.receiver,
    "not_receiver": lambda world, wanted: wanted if world.offer.receiver != wanted else world.offer.receiver,
    "owner": lambda world, _: world.case.owner,
    "there": lambda world, wanted: found(world.there, wanted),
    "class": lambda world, _: world.case.involvement,
    "deadline": lambda world, _: local(world.offer.accept_before),
    "falls": lambda world, _: local(world.offer.falls or 0),
    "shows": lambda world, _: local(world.offer.shows or 0),
    "avoids": lambda world, _: [*world.case.too_severe, *world.case.avoided],
    "standing": lambda world, _: {what: found.state for what, found in world.case.standing.items()},
    "prepared": _prepared,
    # Of the terms that run, those that are wanted.
    "terms": lambda world, wanted: {term: local(due) for term, due in world.case.terms.items() if term in wanted},
    "no_terms": lambda world, wanted: [term for term in wanted if term not in world.case.terms],
    "late": lambda world, _: all(event.late for event in world.all_events(j.StepFired)),
    "erased": lambda world, _: world.case.erased and not world.case.codes and not world.case.keys,
    "red": lambda world, _: sum(case.colour == "RED" for case in world.book.cases.values()),
    # Within how many minutes of its receipt the last red case was offered.
    "red_offered_after": lambda world, _: max(
        (case.handovers[0].offered - case.entries[0].received) // 60_000
        for case in world.book.cases.values()
        if case.colour == "RED"
    ),
    "figures": _figures,
    "policies": lambda world, _: len({case.policy for case in world.book.cases.values()}),
    "all_cases": lambda world, _: len(world.book.cases),
    "conditions": lambda world, _: world.case.conditions,
    "roles": lambda world, _: world.case.roles,
    "closed": lambda world, _: world.case.closed,
    "executor": lambda world, _: world.case.executor,
    "ladder": _ladder,
    "climbs": _climbs,
    "fired": _fired,
    "states": lambda world, _: [handover.state for handover in world.case.handovers],
    "taken_back": lambda world, _: [event.state for event in world.events if isinstance(event, j.TakenBack)],
    "cases": lambda world, _: len(world.book.cases),
    "reports": lambda world, _: len(world.case.entries),
    "offers": lambda world, _: len(world.case.handovers),
    "links": _links,
    "told": _told,
    "told_late": lambda world, _: next((e.receiver for e in world.events if isinstance(e, j.MoveRefused)), None),
    "refused": lambda world, _: next((e.reason for e in world.events if isinstance(e, j.DeadLettered)), None),
}
