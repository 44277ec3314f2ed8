"""To whom a case goes, by its colour and facts (domain model, section 5.3). Pure; the first match holds."""

from dataclasses import dataclass
from datetime import date

from agents.facts import Facts
from agents.policy.directory import Directory, Receiver
from topics.codes import Colour, Destination


@dataclass(frozen=True, slots=True)
class Route:
    """The destination, the rule that chose it, and the receiver there."""

    destination: Destination
    rule: str
    receiver: Receiver


def route(facts: Facts, colour: Colour, provisional: bool, directory: Directory, on: date) -> Route:
    """Where a case of this colour goes. Without a team for the place it stays at the centre (X13)."""
    desks = directory.desks
    if colour is Colour.RED:
        return _desk(directory, Destination.VT_CRISIS, "X3", desks.crisis)
    if provisional:
        return _desk(directory, Destination.VT_ASSESSMENT, "X3a", desks.assessment)
    if _only_an_investigation_helps(facts):
        return _desk(directory, Destination.VT_INVESTIGATION, "X7", desks.investigation)
    if colour is Colour.ORANGE:
        return _desk(directory, Destination.VT_CONDITIONS, "X8", desks.conditions)
    team = directory.team_for(facts.municipality, facts.pc4, on)
    if team is None:
        return _desk(directory, Destination.VT_ASSESSMENT, "X13", desks.assessment)
    if colour is Colour.YELLOW:
        return Route(Destination.TEAM_DV, "X10", team)
    return Route(Destination.TEAM, "X11", team)


def held(directory: Directory) -> Route:
    """A double-anonymous report: registered, and held for a person (X1)."""
    return _desk(directory, Destination.VT_HOLD, "X1", directory.desks.hold)


def other_care(facts: Facts, directory: Directory, on: date, *, first_to_desk: bool) -> Route:
    """No domestic violence: local help; with an acute or structural sign a person of the centre looks first."""
    team = None if first_to_desk else directory.team_for(facts.municipality, facts.pc4, on)
    if team is None:
        return _desk(directory, Destination.VT_ASSESSMENT, "X13", directory.desks.assessment)
    return Route(Destination.LOCAL_GENERAL, "X1", team)


def back(directory: Directory, colour: Colour | None, refused_by: str) -> Route:
    """The successor of a refused, recalled or returned handover: somebody of the centre, and never the same desk."""
    desks = directory.desks
    first, second = (desks.duty, desks.crisis) if colour is Colour.RED else (desks.assessment, desks.duty)
    destination = Destination.VT_CRISIS if colour is Colour.RED else Destination.VT_ASSESSMENT
    return _desk(directory, destination, "BACK", second if refused_by == first else first)


def investigation(directory: Directory) -> Route:
    """The family refuses: the centre investigates (X7)."""
    return _desk(directory, Destination.VT_INVESTIGATION, "X7", directory.desks.investigation)


def assessment(directory: Directory) -> Route:
    """Nothing is known any more of the reports: a person of the centre finds out (X13)."""
    return _desk(directory, Destination.VT_ASSESSMENT, "X13", directory.desks.assessment)


def _only_an_investigation_helps(facts: Facts) -> bool:
    # X7 holds only on an outspoken NO: what is unknown does not start an investigation.
    return (
        facts.hgkm_certain == "NO"
        or facts.cooperation in ("DENIES", "REFUSES")
        or facts.enough_information == "NO"
        or facts.disclosure == "ANONYMITY_PROMISED"
    )


def _desk(directory: Directory, destination: Destination, rule: str, receiver_id: str) -> Route:
    receiver = directory.receiver(receiver_id)
    assert receiver is not None  # the loader refuses a directory whose desks are not receivers
    return Route(destination, rule, receiver)
