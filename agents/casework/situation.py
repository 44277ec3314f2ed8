"""What the rules are asked about: a report and what is known of its household, in the words of the vocabulary. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from agents.casework.case import Part, Stands
from agents.casework.rules import Rules, local_date
from agents.casework.standing import MEASURES, MONITORED, ended, reported, since, start_of
from agents.facts import Facts
from agents.policy.vocabulary import INDICATORS, NONE, Since
from topics.codes import Colour, Standing

_BOARD = (Standing.BOARD_INVESTIGATION.value,)
ACUTE = tuple(found for found in INDICATORS if found.startswith("A"))
STRUCTURAL = tuple(found for found in INDICATORS if found.startswith("S"))


@dataclass(frozen=True, slots=True)
class Household:
    """What is known beside the report in hand."""

    repeats: int = 0
    """Other reports that count as repetition."""
    perpetrator_known: bool = False
    standing: Mapping[str, Stands] = field(default_factory=dict)
    family_refuses: bool = False
    """Whether a receiver found so: what a report says of it is older."""
    running: bool = False
    """Whether a service of the centre runs."""


def situation(rules: Rules, facts: Facts, on: date, household: Household) -> dict[str, str]:
    """Every fact of the vocabulary, on a day (Europe/Amsterdam)."""
    windows = rules.policy.windows
    # What stands on the case is newer than what a report once told of it.
    standing = {**dict(reported(facts, start_of(on))), **household.standing}
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
        "cooperation": "REFUSES" if household.family_refuses else facts.cooperation,
        "safe_carer": facts.details.get("safe_carer", "UNKNOWN"),
        "safe_place_wanted": facts.details.get("safe_place_wanted", "UNKNOWN"),
        "perpetrator_at_home": facts.details.get("perpetrator_at_home", "UNKNOWN"),
        **facts.people,
        "repeats": repeated(household.repeats),
        "monitoring": since(standing, MONITORED, on, windows.monitoring).value,
        "perpetrator_known": "YES" if household.perpetrator_known else "NO",
        "measure": since(standing, MEASURES, on, windows.measure).value,
        "board_investigation": "RUNNING" if since(standing, _BOARD, on, 0) is Since.NOW else NONE,
        "order": _order(standing, on, windows.order),
        "contact_ban": _state(standing, Standing.CONTACT_BAN, on),
        "helped": "YES" if facts.helpers else "NO",
        "home": home_of(rules, facts.municipality, on),
        "running": "CENTRE" if household.running else NONE,
        "assessed": NONE,
        "refusal": NONE,
        **coloured(None, provisional=False),
    }


def repeated(reports: int) -> str:
    """So many other reports, as a rule says it."""
    return (NONE, "ONE", "SEVERAL")[min(reports, 2)]


def coloured(colour: Colour | None, provisional: bool, unconfirmed: bool = False) -> dict[str, str]:
    """What the rules of destination are told beside that."""
    return {
        "colour": colour.value if colour is not None else NONE,
        "provisional": "YES" if provisional else "NO",
        "unconfirmed": "YES" if unconfirmed else "NO",
    }


def open_acute(facts: Facts) -> tuple[str, ...]:
    """The acute questions that nobody answered."""
    settled = _settled(facts)
    return tuple(found for found in unanswered(facts, ACUTE) if found not in settled)


def open_questions(facts: Facts) -> tuple[str, ...]:
    """What a person must still find out: the open acute questions, and the structural ones."""
    return open_acute(facts) + unanswered(facts, STRUCTURAL)


def answered(facts: Facts, indicators: dict[str, str]) -> Facts:
    """The facts with these questions answered; an answer that was YES stays YES."""
    yes = {found: said for found, said in facts.indicators.items() if said == "YES"}
    return replace(facts, indicators={**facts.indicators, **indicators, **yes})


def dangers(parts: Sequence[Part], on: date) -> dict[str, str]:
    """What any party finds and is still valid on that day: the most dangerous part counts."""
    valid = [part for part in parts if part.valid_until is None or on <= date.fromisoformat(part.valid_until)]
    return {found: "YES" for part in valid for found, said in part.indicators.items() if said == "YES"}


def any_of(facts: Facts, indicators: tuple[str, ...]) -> bool:
    """Whether one of these was answered YES."""
    return any(facts.indicators.get(found) == "YES" for found in indicators)


def _settled(facts: Facts) -> tuple[str, ...]:
    """A8 and A9 (about an unborn or an infant) count as NO when everybody involved is known and nobody is pregnant or
    under one; what was answered stays as it is."""
    if not facts.everybody_known or facts.infant_or_unborn:
        return ()
    return tuple(found for found in ("A8", "A9") if facts.indicators.get(found, "UNKNOWN") == "UNKNOWN")


def unanswered(facts: Facts, indicators: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these questions that nobody answered."""
    return tuple(found for found in indicators if facts.indicators.get(found, "UNKNOWN") == "UNKNOWN")


def _order(standing: Mapping[str, Stands], on: date, days: int) -> str:
    state = _state(standing, Standing.RESTRAINING_ORDER, on)
    if state != "IN_FORCE":
        return state
    imposed = local_date(standing[Standing.RESTRAINING_ORDER.value].since)
    return "IN_FORCE_RECENTLY" if (on - imposed).days <= days else "IN_FORCE"


def _state(standing: Mapping[str, Stands], what: Standing, on: date) -> str:
    found = standing.get(what.value)
    return found.state if found is not None and ended(found, on) is None else NONE


def home_of(rules: Rules, municipality: str | None, on: date) -> str:
    """Whether a municipality is of this region on a day."""
    if municipality is None:
        return "UNKNOWN"
    return "HERE" if rules.directory.covers(municipality, on) else "ELSEWHERE"
