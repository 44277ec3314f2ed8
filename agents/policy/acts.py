"""Who of the centre may do what, and when a second person must have looked (domain model, sections 3.9 and D1)."""

from collections.abc import Sequence
from typing import Literal

from agents.policy.loading import Mistake, Part
from topics.base import Slug
from topics.codes import ActKind, Colour

Second = Literal["NEVER", "FROM_ORANGE", "ALWAYS"]


class Permission(Part):
    """These acts are for these roles. ``second``: whether a second authorised person must be named."""

    acts: tuple[ActKind, ...]
    roles: tuple[Slug, ...]
    second: Second = "NEVER"

    def allows(self, role: str, actor: str, second: str | None, colour: Colour | None) -> bool:
        """Whether somebody in that role may, on a case of that colour, together with ``second``."""
        two = self.second == "ALWAYS" or (
            self.second == "FROM_ORANGE" and colour is not None and colour.severity >= Colour.ORANGE.severity
        )
        return role in self.roles and (not two or second not in (None, actor))


def mistakes(permissions: Sequence[Permission]) -> list[Mistake]:
    """What is wrong with the table: each act stands in it once."""
    listed = [act for permission in permissions for act in permission.acts]
    found = [("nergens / nowhere", act) for act in ActKind if act not in listed]
    found += [("twee keer / twice", act) for act in dict.fromkeys(listed) if listed.count(act) > 1]
    wrong: list[Mistake] = [(("acts",), f"{act.value} ({act.nl}) staat {where}") for where, act in found]
    # Whoever put this policy in force could never put another in force, or one person alone could.
    wrong += [
        (
            ("acts", number),
            f"{act.value}: altijd met een tweede, en voor iemand / always with a second, and for somebody",
        )
        for number, permission in enumerate(permissions)
        for act in permission.acts
        if act is ActKind.ACTIVATE_POLICY and (permission.second != "ALWAYS" or not permission.roles)
    ]
    return wrong
