"""The facts that a rule may ask for, and every value that each can have: a closed list, and no expressions.

A rule says which values of which facts it holds for. UNKNOWN is a value like any other: nothing that is unknown ever
passes for YES or NO. What is counted (reports in a window) or measured (days since) comes here as a word, so that a
rule stays a row of a table; the numbers behind the words are the policy's ``windows``.
"""

from enum import StrEnum

from topics.codes import (
    Answered,
    Colour,
    Cooperation,
    Destination,
    Disclosure,
    Indicator,
    OrderState,
    RefusalReason,
    ReporterCapacity,
    ReportKind,
    SafetyJudgement,
    Standing,
    TriageOutcome,
)

INDICATORS = tuple(indicator.value for indicator in Indicator)
NONE = "NONE"
_YES_OR_NO = ("YES", "NO")


class Since(StrEnum):
    """How long ago something was: going on now, ended within the window of its kind, or neither."""

    NOW = "NOW"
    RECENTLY = "RECENTLY"
    NO = "NO"


def _of(codes: type[StrEnum]) -> tuple[str, ...]:
    return tuple(code.value for code in codes)


FACTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(INDICATORS, _of(Answered)),
    # Of the report
    "kind": _of(ReportKind),
    "capacity": _of(ReporterCapacity),
    "disclosure": _of(Disclosure),
    "safety": _of(SafetyJudgement),  # a professional's answer to the second question of the meldcode
    "hgkm_certain": _of(Answered),
    "enough_information": _of(Answered),
    "cooperation": _of(Cooperation),
    "safe_carer": _of(Answered),
    "safe_place_wanted": _of(Answered),
    "perpetrator_at_home": _of(Answered),
    # Of the people in it
    "minor": _of(Answered),
    "under_four": _of(Answered),
    "unborn": _of(Answered),
    "pregnant": _of(Answered),
    "dependent": _of(Answered),
    "perpetrator_adult": _of(Answered),
    # Of the household
    "repeats": (NONE, "ONE", "SEVERAL"),  # other reports that count, in the window
    "monitoring": _of(Since),
    "perpetrator_known": _YES_OR_NO,  # of another household, in the window
    "measure": _of(Since),
    "board_investigation": (NONE, "RUNNING"),
    "order": (*_of(OrderState), "IN_FORCE_RECENTLY"),  # a huisverbod; since so many days
    "contact_ban": _of(OrderState),
    "helped": _YES_OR_NO,  # by a receiver of the directory
    "home": ("HERE", "ELSEWHERE", "UNKNOWN"),
    # Of the case
    "running": (NONE, "CENTRE"),  # a service of the centre
    "assessed": (NONE, *_of(TriageOutcome)),  # what a person found to follow
    "refusal": (NONE, *_of(RefusalReason)),
    # What the rules before have made of it
    "colour": (*_of(Colour), NONE),
    "provisional": _YES_OR_NO,
    "unconfirmed": _YES_OR_NO,  # a possible link that would raise the colour
    "destination": _of(Destination),
    "begun": (NONE, *_of(Standing)),  # what of it came into force just now
}
"""Fact -> its values. A rule of colour cannot ask for what is ``MADE``: that comes of it."""
MADE = frozenset({"colour", "provisional", "unconfirmed", "destination", "begun"})
