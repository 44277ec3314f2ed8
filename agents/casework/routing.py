"""To whom a case goes: the destination that the policy's rules name, and the receiver there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from agents.casework.rules import Rules
from agents.facts import Facts
from agents.policy.directory import Directory, Receiver
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


def route(rules: Rules, told: Mapping[str, str], facts: Facts | None, on: date) -> Route:
    """Where a case goes of which the rules are told this. Without a receiver for it, it stays at the centre."""
    chosen = rules.destinations.answer(told).rows[0]
    to = Destination(chosen.to)
    receiver = _receiver(rules.directory, to, facts, on)
    if receiver is not None:
        return Route(to, chosen.id, receiver)
    return unforeseen(rules)


def unforeseen(rules: Rules) -> Route:
    """What no rule thought of, or nothing is known of any more: a person of the centre finds out."""
    chosen = next(row for row in rules.policy.destinations if not row.when)
    return _desk(rules.directory, Destination(chosen.to), chosen.id)


def back(rules: Rules, colour: Colour | None, refused_by: str) -> Route:
    """The successor of a refused, recalled or returned handover: somebody of the centre, and never the same desk."""
    desks = rules.directory.desks
    first, second = (desks.duty, desks.crisis) if colour is Colour.RED else (desks.assessment, desks.duty)
    destination = Destination.VT_CRISIS if colour is Colour.RED else Destination.VT_ASSESSMENT
    return _to(rules.directory, destination, "BACK", second if refused_by == first else first)


def _receiver(directory: Directory, to: Destination, facts: Facts | None, on: date) -> Receiver | None:
    if to in _DESKS:
        return directory.receiver(getattr(directory.desks, _DESKS[to]))
    return directory.team_for(facts.municipality, facts.pc4, on) if facts is not None else None


def _desk(directory: Directory, destination: Destination, rule: str) -> Route:
    return _to(directory, destination, rule, getattr(directory.desks, _DESKS[destination]))


def _to(directory: Directory, destination: Destination, rule: str, receiver_id: str) -> Route:
    receiver = directory.receiver(receiver_id)
    assert receiver is not None  # the loader refuses a directory whose desks are not receivers
    return Route(destination, rule, receiver)
