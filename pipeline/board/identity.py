"""Who somebody is, and what that role may do. Pure.

Who may do which act stands in the region's policy, by function; the table here says who may come to which door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationError

from agents.policy.directory import Directory
from topics.answers import Actor
from topics.base import Message, Slug

CLAIM = "meldstroom"
"""The claim of the provider's token that says all of ``Claims``."""


class Role(StrEnum):
    """What somebody is to this system."""

    PUBLISHER = "publisher"
    TEAM_MEMBER = "team-member"
    DUTY_OFFICER = "duty-officer"
    VT_WORKER = "vt-worker"
    OPERATOR = "operator"
    POLICY_MAKER = "policy-maker"
    AUDITOR = "auditor"


class Right(StrEnum):
    """A door."""

    PUBLISH = "publish"
    """Hand reports in, and ask what became of them."""
    OFFERS = "offers"
    """See the offers of one's own receivers, and answer them."""
    CASES = "cases"
    """See all cases of the region, by their codes."""
    CONTENT = "content"
    """Open what was reported; each time is written down."""
    ACT = "act"
    """Act on a case or about a receiver, as far as the policy lets one's function."""
    DEAD_LETTERS = "dead-letters"
    """See what could not be taken in."""
    REDRIVE = "redrive"
    """Open, correct and hand in again what could not be taken in."""
    POLICY = "policy"
    """See the rules in force, and try a report on them."""
    FIGURES = "figures"
    """See throughput and latency."""


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.PUBLISHER: frozenset({Right.PUBLISH}),
    Role.TEAM_MEMBER: frozenset({Right.OFFERS, Right.CONTENT}),
    Role.DUTY_OFFICER: frozenset(
        {
            Right.PUBLISH, Right.OFFERS, Right.CASES, Right.CONTENT, Right.ACT, Right.DEAD_LETTERS, Right.POLICY,
            Right.FIGURES,
        }
    ),
    Role.VT_WORKER: frozenset(
        {Right.PUBLISH, Right.OFFERS, Right.CASES, Right.CONTENT, Right.ACT, Right.POLICY, Right.FIGURES}
    ),
    Role.OPERATOR: frozenset(
        {Right.CASES, Right.ACT, Right.DEAD_LETTERS, Right.REDRIVE, Right.POLICY, Right.FIGURES}
    ),
    Role.POLICY_MAKER: frozenset({Right.ACT, Right.POLICY, Right.FIGURES}),
    Role.AUDITOR: frozenset({Right.CASES, Right.DEAD_LETTERS, Right.POLICY, Right.FIGURES}),
}  # fmt: skip


class NotKnown(Exception):
    """The provider says who this is, but not, or not well, what that person is here."""


class Claims(Message):
    """What the provider's token says, under ``CLAIM``."""

    roles: tuple[Role, ...] = Field(min_length=1)
    region: Slug
    function: Slug | None = Field(default=None, description="as the policy names it: whoever acts needs one")
    receivers: tuple[Slug, ...] = Field(default=(), max_length=50, description="whose offers these are to answer")
    sources: tuple[Slug, ...] = Field(default=(), max_length=50, description="for whom reports may be handed in")


class _Who(Message):
    code: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in, by a code; a name is not known here."""

    code: str
    roles: frozenset[Role]
    region: str
    function: str | None
    receivers: frozenset[str]
    sources: frozenset[str]

    def may(self, right: Right) -> bool:
        """Whether that door is open."""
        return any(right in RIGHTS[role] for role in self.roles)

    def answers_for(self, receiver: str, directory: Directory) -> bool:
        """Whether the offers of that receiver are this person's to answer: a team's own, the centre's desks."""
        if not self.may(Right.OFFERS):
            return False
        if receiver in self.receivers:
            return True
        known = directory.receiver(receiver)
        of_the_centre = not self.roles.isdisjoint({Role.DUTY_OFFICER, Role.VT_WORKER})
        return of_the_centre and known is not None and known.kind == "DESK"


def person_of(token: Mapping[str, Any]) -> Person:
    """Who a token, which was checked already, is about; ``NotKnown`` says which claim is missing or wrong."""
    try:
        who = _Who.model_validate({"code": token.get("preferred_username") or token.get("sub")})
        claims = Claims.model_validate(token.get(CLAIM))
    except ValidationError as error:
        places = sorted({".".join(str(step) for step in one["loc"]) or CLAIM for one in error.errors()})
        raise NotKnown(", ".join(places)) from None
    return Person(
        code=who.code,
        roles=frozenset(claims.roles),
        region=claims.region,
        function=claims.function,
        receivers=frozenset(claims.receivers),
        sources=frozenset(claims.sources),
    )
