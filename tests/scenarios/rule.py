"""What each rule of a policy comes to, as files that a domain expert can read: one for a rule, or for some together.

A file has the ``rule`` as the domain model says it, and ``cases``. A case is a ``story``, told as in ``cases/``; or it
is ``given``: facts in the words of the vocabulary, each different from a report in which every question was answered
and nothing is wrong. Several ``given`` one below the other, or several values of a fact, are as many cases. ``then`` is
what the tables answer: ``colour``, ``provisional``, ``because`` (every rule of colour that holds), ``to``, ``rule`` and
why the centre ``keeps`` it, who ``follows`` a refusal, whom it ``tells``, the ``conditions``, what is met of a
``board_request``, and which terms with a condition it ``owes``.
A colour that is ``given`` is one that a person set; NONE is that of what has no colour.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from agents.policy.colours import Colours
from agents.policy.destinations import DestinationRule, Successor
from agents.policy.loading import Loader
from agents.policy.model import Policy
from agents.policy.rules import Table
from agents.policy.vocabulary import FACTS
from tests.cases import QUIET
from tests.scenarios.story import Story, a_story, refuse_unknown

RULES = Path(__file__).parent / "rules"
_THEN = {
    "colour",
    "provisional",
    "because",
    "to",
    "rule",
    "keeps",
    "follows",
    "tells",
    "conditions",
    "board_request",
    "owes",
}


@dataclass(frozen=True)
class Given:
    """One case that the tables are asked about, without a report and without a world."""

    name: str
    facts: Mapping[str, str]
    then: Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """The tables of a policy."""

    colours: Colours
    destinations: Table[DestinationRule]
    refusals: Table[Successor]
    others: Mapping[str, Table[Any]]
    """Tables of which every row that holds counts."""

    @classmethod
    def of(cls, policy: Policy) -> "Asked":
        others = {
            "tells": policy.made_fan_out(),
            "conditions": policy.made_safety_conditions(),
            "board_request": policy.made_board_request(),
            "owes": Table(policy.terms, policy.indicators),
        }
        return cls(policy.made_colours(), policy.made_destinations(), policy.made_refusals(), others)


def rule_cases() -> tuple[list[Given], list[Story]]:
    """Every case of every file."""
    givens: list[Given] = []
    stories: list[Story] = []
    for path in sorted(RULES.glob("*.yaml")):
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
        refuse_unknown(path.name, found, {"rule", "cases"})
        for number, case in enumerate(found["cases"], 1):
            name = f"{path.stem} {number}"
            refuse_unknown(name, case, {"given", "story", "then", "why"})
            if "story" in case:
                stories.append(a_story(name, found["rule"], case))
            else:
                givens += _givens(name, case)
    return givens, stories


def answered(asked: Asked, facts: Mapping[str, str]) -> dict[str, Any]:
    """What the tables answer to facts that differ from quiet ones."""
    told = QUIET | {"colour": "NONE", "provisional": "NO", "unconfirmed": "NO"} | facts
    judged = asked.colours.judge(told)
    if "colour" not in facts:
        told |= {"colour": judged.colour.value, "provisional": "YES" if judged.provisional else "NO"}
    chosen = asked.destinations.answer(told).rows[0]
    return {
        "colour": judged.colour,
        "provisional": judged.provisional,
        "because": list(judged.rules),
        "to": chosen.to,
        "rule": chosen.id,
        "keeps": chosen.keeps,
        "follows": asked.refusals.answer(told).rows[0].to,
        **{name: [row.id for row in table.answer(told).rows if row.when] for name, table in asked.others.items()},
    }


def _givens(name: str, case: Mapping[str, Any]) -> Iterator[Given]:
    refuse_unknown(name, case["then"], _THEN)
    for said in case["given"] if isinstance(case["given"], list) else [case["given"]]:
        refuse_unknown(name, said, set(FACTS))
        for values in product(*(one if isinstance(one, list) else [one] for one in said.values())):
            facts = dict(zip(said, values, strict=True))
            for fact, value in facts.items():
                refuse_unknown(f"{name}, {fact}", [value], set(FACTS[fact]))
            told = ", ".join(f"{fact} {value}" for fact, value in facts.items()) or "quiet"
            yield Given(f"{name}: {told}", facts, case["then"])
