"""Where a case goes by a policy's rules (domain model, section 5.3): the first row that holds."""

from typing import Literal

from agents.policy.rules import Row

To = Literal[
    "VT_CRISIS", "VT_ASSESSMENT", "VT_INVESTIGATION", "VT_CONDITIONS", "VT_HOLD", "TEAM", "TEAM_DV", "LOCAL_GENERAL",
    "GI", "OTHER_VT", "NONE", "RUNNING", "HELPER",
]  # fmt: skip
"""RUNNING: the service of the centre that runs already; HELPER: who helps the household already."""


class DestinationRule(Row):
    """X: to which destination. A team is the one for the household's place; when there is none the row for everything
    else holds."""

    to: To


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
