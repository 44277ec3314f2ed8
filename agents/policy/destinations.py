"""Where a case goes by a policy's rules (domain model, section 5.3): the first row that holds."""

from typing import Literal

from agents.policy.rules import Row

To = Literal[
    "VT_CRISIS", "VT_ASSESSMENT", "VT_INVESTIGATION", "VT_CONDITIONS", "VT_HOLD", "TEAM", "TEAM_DV", "LOCAL_GENERAL"
]


class DestinationRule(Row):
    """X: to which destination. A team is the one for the household's place; when there is none the row for everything
    else holds."""

    to: To
