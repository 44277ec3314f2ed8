"""What every rule says, in Dutch and English: the policy's own rows, and the few that lie outside its tables."""

from dataclasses import dataclass

from agents.casework.rules import Rules
from agents.policy.rules import Row


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, and what it says in Dutch and English. All are of the domain model, section 5."""

    id: str
    nl: str
    en: str


RULES = {
    rule.id: rule
    for rule in (
        Rule("D1", "Een medewerker stelde de kleur vast.", "A worker set the colour."),
        Rule(
            "TRANSFER", "Aangeboden door Veilig Thuis in een andere regio.", "Offered by the centre of another region."
        ),
        Rule(
            "HELD",
            "De ontvanger is buiten dienst: iemand van Veilig Thuis doet het.",
            "The receiver is out of service: somebody of the centre does it.",
        ),
        Rule("BACK", "Terug bij Veilig Thuis na weigering of stilte.", "Back after refusal or silence."),
    )
}


def sentence(rules: Rules, rule: str, language: str = "nl") -> str:
    """What a rule says; the id itself when it stood in another policy."""
    policy = rules.policy
    rows: list[Row] = [
        *policy.colours, *policy.raises, *policy.provisional, *policy.destinations, *policy.filters, *policy.refusals,
        *policy.fan_out, *policy.safety_conditions, *policy.board_request, *policy.terms,
    ]  # fmt: skip
    found = RULES.get(rule) or next((row for row in rows if row.id == rule), None)
    return str(getattr(found, language)) if found is not None else rule
