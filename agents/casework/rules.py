"""The rules in force in a book, read from the texts that its journal holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from agents.casework.book import Book
from agents.policy.calendar import AMSTERDAM, Calendar
from agents.policy.colours import Colours
from agents.policy.destinations import Criterion, DestinationRule, FanOut, SafetyCondition, Successor
from agents.policy.directory import Directory, load_directory
from agents.policy.model import Policy, moment, policy_in_force
from agents.policy.rules import Table
from agents.policy.terms import Ladder, TermRule


@dataclass(frozen=True, slots=True)
class Rules:
    """Policy, calendar, directory, and the rules of colour and destination ready to be asked."""

    policy: Policy
    calendar: Calendar
    directory: Directory
    colours: Colours
    destinations: Table[DestinationRule]
    refusals: Table[Successor]
    fan_out: Table[FanOut]
    safety_conditions: Table[SafetyCondition]
    board_request: Table[Criterion]
    terms: Mapping[str, Table[TermRule]]
    """By what they begin with."""
    ladders: Mapping[str, Ladder]
    """By the name of their term."""


def rules_of(book: Book) -> Rules:
    """The rules of a book; they change only by a record."""
    return rules_from(book.policy, book.directory)


@lru_cache(maxsize=128)
def rules_from(policy_text: str, directory_text: str) -> Rules:
    """The rules that these texts hold."""
    policy = policy_in_force(policy_text)
    return Rules(
        policy,
        policy.made_calendar(),
        load_directory(directory_text),
        policy.made_colours(),
        policy.made_destinations(),
        policy.made_refusals(),
        policy.made_fan_out(),
        policy.made_safety_conditions(),
        policy.made_board_request(),
        policy.made_terms(),
        policy.made_ladders(),
    )


def local_date(ms: int) -> date:
    """The day in the Netherlands."""
    return moment(ms).astimezone(AMSTERDAM).date()
