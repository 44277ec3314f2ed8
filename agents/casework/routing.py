"""To whom a case goes: the destination that the policy's rules name, and the receiver there. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from agents.casework.case import Handover
from agents.casework.rules import Rules
from agents.facts import Facts
from agents.policy.destinations import DestinationRule
from agents.policy.directory import Directory, Receiver, passed_over
from agents.policy.vocabulary import NONE
from topics.codes import Colour, Destination

_DESKS = {
    Destination.VT_CRISIS: "crisis",
    Destination.VT_ASSESSMENT: "assessment",
    Destination.VT_INVESTIGATION: "investigation",
    Destination.VT_CONDITIONS: "conditions",
    Destination.VT_HOLD: "hold",
}


@dataclass(frozen=True, slots=True)
class Route:
    """The destination, the rule that chose it, and the receiver there."""

    destination: Destination
    rule: str
    receiver: Receiver
    unforeseen: bool = False
    """Whether no rule named somebody: then a person of the centre is told."""


@dataclass(frozen=True, slots=True)
class About:
    """By what a receiver is looked up, beside the destination: the day, the household's place, and the case."""

    on: date
    facts: Facts | None = None
    municipality: str | None = None
    avoided: Collection[str] = ()
    """Receivers and organisations that may not get it."""
    running: Handover | None = None
    """The service of the centre that runs."""


def route(rules: Rules, told: Mapping[str, str], about: About) -> Route:
    """Where a case goes of which the rules are told this. Without a receiver for it, it stays at the centre."""
    chosen = rules.destinations.answer(told).rows[0]
    if not chosen.when:
        return replace(unforeseen(rules), unforeseen=True)
    return _found(rules, chosen, told, about) or replace(unforeseen(rules), unforeseen=True)


def unforeseen(rules: Rules) -> Route:
    """What no rule thought of, or nothing is known of any more: a person of the centre finds out."""
    chosen = next(row for row in rules.policy.destinations if not row.when)
    return _desk(rules.directory, Destination(chosen.to), chosen.id)


def back(rules: Rules, colour: Colour | None, refused_by: str, rule: str = "BACK") -> Route:
    """Back to the centre after a refusal or silence, and never to the same desk."""
    destination, (first, second) = _centre(rules.directory, colour)
    return _to(rules.directory, destination, rule, second if refused_by == first else first)


def stand_in(rules: Rules, colour: Colour | None, passed: Collection[str]) -> Route | None:
    """Who of the centre does it for a receiver that is out of service; None when those desks are ``passed`` too."""
    destination, desks = _centre(rules.directory, colour)
    found = next((desk for desk in desks if desk not in passed), None)
    return _to(rules.directory, destination, "HELD", found) if found is not None else None


def _centre(directory: Directory, colour: Colour | None) -> tuple[Destination, tuple[str, str]]:
    """Where the centre takes a case back, and its desks for that in their order."""
    desks = directory.desks
    if colour is Colour.RED:
        return Destination.VT_CRISIS, (desks.duty, desks.crisis)
    return Destination.VT_ASSESSMENT, (desks.assessment, desks.duty)


def helper(rules: Rules, receiver_id: str | None, rule: str, colour: Colour | None, about: About) -> Route | None:
    """Somebody who helps the household already; None when the region has nobody of that id, or he may not."""
    receiver = rules.directory.receiver(receiver_id or "")
    if receiver is None or receiver.kind in ("DESK", "MAYOR", "MUNICIPALITY"):
        return None
    if not receiver.stands(about.on) or passed_over(receiver, about.avoided):
        return None
    if receiver.kind == "TEAM":
        destination = Destination.TEAM_DV if colour in (Colour.YELLOW, Colour.ORANGE) else Destination.TEAM
    else:
        destination = Destination(receiver.kind)
    return Route(destination, rule, receiver)


def avoided(rules: Rules, facts: Facts) -> Iterator[tuple[tuple[str, ...], str]]:
    """Filter K: who is passed over because of what the report tells, and by which rule."""
    for row in rules.policy.filters:
        whom = facts.employers if row.skips == "EMPLOYERS" else facts.reporters_team
        if whom:
            yield tuple(whom), row.id


def _found(rules: Rules, chosen: DestinationRule, told: Mapping[str, str], about: About) -> Route | None:
    directory, facts = rules.directory, about.facts
    if chosen.to == "RUNNING":
        receiver = directory.receiver(about.running.receiver) if about.running is not None else None
        return (
            Route(Destination(about.running.destination), chosen.id, receiver) if about.running and receiver else None
        )
    if chosen.to == "HELPER":
        colour = Colour(told["colour"]) if told["colour"] != NONE else None
        helpers = (helper(rules, one, chosen.id, colour, about) for one in (facts.helpers if facts else ()))
        return next((one for one in helpers if one is not None), None)
    to = Destination(chosen.to)
    receiver = _receiver(directory, to, about)
    return Route(to, chosen.id, receiver) if receiver is not None else None


def _receiver(directory: Directory, to: Destination, about: About) -> Receiver | None:
    if to in _DESKS:
        return directory.receiver(getattr(directory.desks, _DESKS[to]))
    return somebody(directory, to.value, about)


def somebody(directory: Directory, kind: str, about: About) -> Receiver | None:
    """Who does that for the household's place: a team, or another party of that kind."""
    facts = about.facts
    place = about.municipality or (facts.municipality if facts is not None else None)
    if kind in (Destination.TEAM, Destination.TEAM_DV, Destination.LOCAL_GENERAL):
        pc4 = facts.pc4 if facts is not None and about.municipality is None else None
        return directory.team_for(place, pc4, about.on, about.avoided)
    if kind == Destination.OTHER_VT:
        return directory.other_centre(place, about.on)
    return directory.of_kind(kind, place, about.on, about.avoided)


def _desk(directory: Directory, destination: Destination, rule: str) -> Route:
    return _to(directory, destination, rule, getattr(directory.desks, _DESKS[destination]))


def _to(directory: Directory, destination: Destination, rule: str, receiver_id: str) -> Route:
    receiver = directory.receiver(receiver_id)
    assert receiver is not None  # the loader refuses a directory whose desks are not receivers
    return Route(destination, rule, receiver)
