"""The rules in force in a book, read from the texts that its journal holds."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from agents.casework.book import Book
from agents.policy.calendar import AMSTERDAM, Calendar
from agents.policy.directory import Directory, load_directory
from agents.policy.model import Policy, load_policy, moment


@dataclass(frozen=True, slots=True)
class Rules:
    """Policy, calendar and directory."""

    policy: Policy
    calendar: Calendar
    directory: Directory


def rules_of(book: Book) -> Rules:
    """The rules of a book; they change only by a record."""
    return _read(book.policy, book.directory)


@lru_cache(maxsize=128)
def _read(policy_text: str, directory_text: str) -> Rules:
    policy = load_policy(policy_text)
    return Rules(policy, policy.made_calendar(), load_directory(directory_text))


def local_date(ms: int) -> date:
    """The day in the Netherlands."""
    return moment(ms).astimezone(AMSTERDAM).date()
