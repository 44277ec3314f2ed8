"""Which colour a report gives a case, and why (domain model, section 5.2). Pure.

Every rule is asked, so that a case carries all its reasons. In order: the highest of R; the floors (U2);
one step up (U1), at most to oranje; what is only provisional (P1). UNKNOWN is its own answer everywhere and
never better than NO.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from agents.facts import Facts
from topics.codes import Colour, Indicator

ACUTE = tuple(found.value for found in Indicator if found.family == "A")
STRUCTURAL = tuple(found.value for found in Indicator if found.family == "S")
MULTI = tuple(found.value for found in Indicator if found.family == "M")
ORDER_DAYS = 10
"""A *huisverbod* counts as acute for its first ten days."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, and what it says in Dutch and English. All are of the domain model, section 5."""

    id: str
    nl: str
    en: str


RULES = {
    rule.id: rule
    for rule in (
        Rule("R1", "Er is een acuut signaal van onveiligheid.", "There is an acute sign of danger."),
        Rule("R2", "Er is een signaal van structurele onveiligheid.", "There is a sign of structural danger."),
        Rule("R3", "Er is een signaal van een multiproblematische situatie.", "There is a sign of multiple problems."),
        Rule(
            "R4",
            "Er blijft een vermoeden van huiselijk geweld of kindermishandeling.",
            "A suspicion of domestic violence or child abuse remains.",
        ),
        Rule(
            "U1",
            "Het is de tweede melding over dit huishouden binnen een jaar.",
            "It is the second report within a year.",
        ),
        Rule(
            "U2",
            "Derde of latere melding over dit huishouden binnen een jaar.",
            "Third or later report on this household in a year.",
        ),
        Rule("U8", "De ontvanger vindt de casus te zwaar.", "The receiver finds the case too severe."),
        Rule(
            "P1",
            "Niet alle acute vragen zijn beantwoord: de kleur is voorlopig.",
            "Not every acute question was answered: the colour is provisional.",
        ),
        Rule("D1", "Een medewerker stelde de kleur vast.", "A worker set the colour."),
        Rule("X1", "Advies, andere zorg of dubbel anoniem.", "Advice, other care or double anonymous."),
        Rule("X3", "Rood gaat naar de crisisdienst.", "Red goes to the crisis service."),
        Rule("X3a", "Wat voorlopig is, beoordeelt Veilig Thuis eerst.", "What is provisional is assessed first."),
        Rule(
            "X7",
            "Zonder zekerheid, medewerking of informatie, of bij toegezegde anonimiteit, onderzoekt Veilig Thuis.",
            "Without certainty, cooperation or information, or with anonymity promised: an investigation.",
        ),
        Rule("X8", "Oranje blijft bij Veilig Thuis: Voorwaarden en Vervolg.", "Orange stays at the centre."),
        Rule("X10", "Geel gaat naar de specialist van het wijkteam.", "Yellow goes to the team's specialist."),
        Rule("X11", "Groen gaat naar het wijkteam.", "Green goes to the team."),
        Rule("X13", "Geen team gevonden: Veilig Thuis zoekt het uit.", "No team found: the centre finds out."),
        Rule("BACK", "Terug bij Veilig Thuis na weigering of stilte.", "Back after refusal or silence."),
    )
}


@dataclass(frozen=True, slots=True)
class Triage:
    """The outcome: colour, whether it is provisional, rule ids, open questions; ``floor`` leaves P1 out."""

    colour: Colour
    provisional: bool
    reasons: tuple[str, ...]
    open_questions: tuple[str, ...]
    floor: Colour


def triage(facts: Facts, earlier: int, on: date) -> Triage:
    """The colour of a report when ``earlier`` others count as repetition, on a day (Europe/Amsterdam)."""
    hits = [(rule, colour) for rule, colour, holds in _BY_FACTS if holds(facts, on)]
    reasons = [rule for rule, _ in hits] or ["R4"]
    colour = max((found for _, found in hits), key=lambda found: found.severity, default=Colour.GREEN)
    if earlier >= 2:
        colour = _at_least(colour, Colour.ORANGE)
        reasons.append("U2")
    elif earlier == 1:
        colour = _one_up(colour)
        reasons.append("U1")
    floor = colour
    unanswered = open_acute(facts)
    provisional = bool(unanswered) and colour is not Colour.RED
    if provisional:
        colour = _at_least(colour, Colour.ORANGE if facts.vulnerable else Colour.YELLOW)
        reasons.append("P1")
    return Triage(colour, provisional, tuple(reasons), unanswered + _open(facts, STRUCTURAL), floor)


def open_acute(facts: Facts) -> tuple[str, ...]:
    """The acute questions that nobody answered.

    A8 and A9 (about an unborn or an infant) count as NO when everybody involved is known and nobody is
    pregnant or under one.
    """
    settled = {"A8", "A9"} if facts.everybody_known and not facts.infant_or_unborn else set()
    return tuple(found for found in _open(facts, ACUTE) if found not in settled)


def answered(facts: Facts, indicators: dict[str, str]) -> Facts:
    """The facts with these questions answered; an answer that was YES stays YES."""
    merged = {**indicators, **{found: said for found, said in facts.indicators.items() if said == "YES"}}
    merged = {**facts.indicators, **merged}
    return Facts(**{name: getattr(facts, name) for name in Facts.__slots__} | {"indicators": merged})


def any_of(facts: Facts, indicators: tuple[str, ...]) -> bool:
    """Whether one of these was answered YES."""
    return any(facts.indicators.get(found) == "YES" for found in indicators)


def sentence(rule: str, language: str = "nl") -> str:
    """What a rule says."""
    return str(getattr(RULES[rule], language))


def _acute(facts: Facts, on: date) -> bool:
    in_force = (
        facts.order == "IN_FORCE"
        and facts.order_since is not None
        and (on - date.fromisoformat(facts.order_since)).days <= ORDER_DAYS
    )
    # An order without its first day may be of today.
    in_force = in_force or (facts.order == "IN_FORCE" and facts.order_since is None)
    return (
        any_of(facts, ACUTE)
        or (facts.professional and facts.safety == "ACUTE")
        or in_force
        or facts.order == "BROKEN"
        or facts.contact_ban == "BROKEN"
    )


def _structural(facts: Facts, on: date) -> bool:
    return any_of(facts, STRUCTURAL) or (facts.professional and facts.safety == "STRUCTURAL")


def _multi(facts: Facts, on: date) -> bool:
    return any_of(facts, MULTI)


_BY_FACTS: tuple[tuple[str, Colour, Callable[[Facts, date], bool]], ...] = (
    ("R1", Colour.RED, _acute),
    ("R2", Colour.ORANGE, _structural),
    ("R3", Colour.YELLOW, _multi),
)


def _open(facts: Facts, indicators: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(found for found in indicators if facts.indicators.get(found, "UNKNOWN") == "UNKNOWN")


def _at_least(colour: Colour, floor: Colour) -> Colour:
    return max(colour, floor, key=lambda found: found.severity)


def _one_up(colour: Colour) -> Colour:
    """One step, at most to oranje; a cap stops raising, it never lowers."""
    steps = (Colour.GREEN, Colour.YELLOW, Colour.ORANGE)
    return steps[min(colour.severity + 1, 2)] if colour.severity < 2 else colour
