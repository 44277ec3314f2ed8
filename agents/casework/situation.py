"""What the rules are asked about: a report and what is known of its household, in the words of the vocabulary. Pure."""

from dataclasses import replace
from datetime import date

from agents.casework.rules import Rules
from agents.facts import Facts
from agents.policy.vocabulary import INDICATORS, NONE, Since
from topics.codes import Colour

ACUTE = tuple(found for found in INDICATORS if found.startswith("A"))
STRUCTURAL = tuple(found for found in INDICATORS if found.startswith("S"))


def situation(
    rules: Rules, facts: Facts, on: date, *, repeats: int, perpetrator_known: bool = False, refusal: str = NONE
) -> dict[str, str]:
    """Every fact of the vocabulary, on a day (Europe/Amsterdam) on which ``repeats`` other reports count."""
    return {
        **{found: facts.indicators.get(found, "UNKNOWN") for found in INDICATORS},
        **dict.fromkeys(_settled(facts), "NO"),
        "kind": facts.kind,
        "capacity": facts.details.get("capacity", "UNKNOWN"),
        "disclosure": facts.disclosure,
        # Only a professional answers the questions of the meldcode.
        "safety": facts.safety if facts.professional else "UNKNOWN",
        "hgkm_certain": facts.hgkm_certain,
        "enough_information": facts.enough_information,
        "cooperation": facts.cooperation,
        "safe_carer": facts.details.get("safe_carer", "UNKNOWN"),
        "safe_place_wanted": facts.details.get("safe_place_wanted", "UNKNOWN"),
        "perpetrator_at_home": facts.details.get("perpetrator_at_home", "UNKNOWN"),
        **facts.people,
        "repeats": (NONE, "ONE", "SEVERAL")[min(repeats, 2)],
        "monitoring": Since.NO.value,
        "perpetrator_known": "YES" if perpetrator_known else "NO",
        "measure": Since.NOW.value if facts.measures else Since.NO.value,
        "board_investigation": facts.board_investigation,
        "order": _order(rules, facts, on),
        "contact_ban": facts.contact_ban,
        "home": _home(rules, facts),
        "refusal": refusal,
        **coloured(None, provisional=False),
    }


def coloured(colour: Colour | None, provisional: bool) -> dict[str, str]:
    """What the rules of destination are told beside that."""
    return {"colour": colour.value if colour is not None else NONE, "provisional": "YES" if provisional else "NO"}


def open_acute(facts: Facts) -> tuple[str, ...]:
    """The acute questions that nobody answered."""
    settled = _settled(facts)
    return tuple(found for found in _unanswered(facts, ACUTE) if found not in settled)


def open_questions(facts: Facts) -> tuple[str, ...]:
    """What a person must still find out: the open acute questions, and the structural ones."""
    return open_acute(facts) + _unanswered(facts, STRUCTURAL)


def answered(facts: Facts, indicators: dict[str, str]) -> Facts:
    """The facts with these questions answered; an answer that was YES stays YES."""
    yes = {found: said for found, said in facts.indicators.items() if said == "YES"}
    return replace(facts, indicators={**facts.indicators, **indicators, **yes})


def any_of(facts: Facts, indicators: tuple[str, ...]) -> bool:
    """Whether one of these was answered YES."""
    return any(facts.indicators.get(found) == "YES" for found in indicators)


def _settled(facts: Facts) -> tuple[str, ...]:
    """A8 and A9 (about an unborn or an infant) count as NO when everybody involved is known and nobody is pregnant or
    under one; what was answered stays as it is."""
    if not facts.everybody_known or facts.infant_or_unborn:
        return ()
    return tuple(found for found in ("A8", "A9") if facts.indicators.get(found, "UNKNOWN") == "UNKNOWN")


def _unanswered(facts: Facts, indicators: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(found for found in indicators if facts.indicators.get(found, "UNKNOWN") == "UNKNOWN")


def _order(rules: Rules, facts: Facts, on: date) -> str:
    if facts.order != "IN_FORCE":
        return facts.order
    # An order without its first day may be of today.
    days = (on - date.fromisoformat(facts.order_since)).days if facts.order_since is not None else 0
    return "IN_FORCE_RECENTLY" if days <= rules.policy.windows.order else "IN_FORCE"


def _home(rules: Rules, facts: Facts) -> str:
    if facts.municipality is None:
        return "UNKNOWN"
    return "HERE" if facts.municipality in rules.directory.municipalities else "ELSEWHERE"
