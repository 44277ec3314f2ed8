"""Where a case goes by a policy's rules (domain model, section 5.3): the first row that holds."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from agents.policy.loading import Mistake
from agents.policy.rules import Row
from topics.base import Line

To = Literal[
    "VT_CRISIS", "VT_ASSESSMENT", "VT_INVESTIGATION", "VT_CONDITIONS", "VT_HOLD", "TEAM", "TEAM_DV", "LOCAL_GENERAL",
    "GI", "OTHER_VT", "NONE", "RUNNING", "HELPER",
]  # fmt: skip
"""RUNNING: the service of the centre that runs already; HELPER: who helps the household already."""


class DestinationRule(Row):
    """X: to which destination. A team is the one for the household's place; when there is none the row for everything
    else holds."""

    to: To
    keeps: Line | None = Field(default=None, description="why the centre keeps it; where it hands over there is none")


class KeepReason(Row):
    """H: why the centre keeps a case (*houdt*) and does not hand it over. It has no ``when``: rules of destination
    name it."""


class FilterRule(Row):
    """K: who is passed over because of a private involvement. It has no ``when``: it holds for whoever it names."""

    skips: Literal["EMPLOYERS", "REPORTERS_TEAM"]


class FanOut(Row):
    """F: who else must know. It is prepared at once, and a person of the centre releases it or makes the call.

    ``releases_itself``: of a professional's report it goes out without that.
    """

    to: Literal["POLICE", "BOARD", "SHELTER", "MAYOR", "GI", "TEAM", "OTHER_VT"]
    by: Literal["QUEUE", "PHONE"] = "QUEUE"
    releases_itself: bool = False


class SafetyCondition(Row):
    """V: what whoever gets the case must keep to. Its sentences say it."""


class Criterion(Row):
    """VTO: one condition of a request for investigation to the *Raad*. A person decides about the request."""


class Successor(Row):
    """B: who follows a receiver that refused or returned a case, by the reason.

    BACK: the centre. MOVED: the team of the place that was named. HELPER: the receiver that was named. OTHER_TEAM: by
    the rules, past this team. RULES: by the rules, with what is known of the family's cooperation now. NOBODY: it is
    not released.
    """

    to: Literal["BACK", "MOVED", "HELPER", "OTHER_TEAM", "RULES", "NOBODY"]


def at_the_centre(to: str) -> bool:
    """Whether a rule that leads there keeps the case at the centre."""
    return to.startswith("VT_") or to == "RUNNING"


def keep_mistakes(destinations: Sequence[DestinationRule], reasons: Sequence[KeepReason]) -> list[Mistake]:
    """What is wrong between two tables: a row that leads to the centre names a reason, no other does, and every reason
    is named."""
    known, named = [reason.id for reason in reasons], {row.keeps for row in destinations}
    found: list[Mistake] = []
    for number, row in enumerate(destinations):
        kept, where = at_the_centre(row.to), ("destinations", number, "keeps")
        if kept and row.keeps is None:
            found.append((where[:2], f"{row.id}: keeps ontbreekt / is missing; keep_reasons: {', '.join(known)}"))
        elif kept and row.keeps not in known:
            found.append(
                (where, f"{row.keeps} staat niet in keep_reasons / is not there; wel / but: {', '.join(known)}")
            )
        elif not kept and row.keeps is not None:
            found.append((where, f"{row.id} gaat niet naar Veilig Thuis / does not lead to the centre"))
    return found + [
        (("keep_reasons", number), f"{reason.id}: geen bestemming noemt deze reden / no destination names this reason")
        for number, reason in enumerate(reasons)
        if reason.id not in named
    ]
