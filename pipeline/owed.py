"""What is owed on the cases of a region, and by when: terms of the policy, and the next steps about offers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from agents.casework.case import Case, Handover
from agents.casework.rules import Rules
from agents.casework.sentences import sentence
from pipeline.story import step
from pipeline.words import language


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is owed on a case: a term of the policy, or the next step about an offer. ``due`` in ms."""

    region: str
    case_id: str
    colour: str | None
    what: str
    sentence: str
    with_whom: str
    due: int


def owed(region: str, cases: Iterable[Case], rules: Rules) -> list[Owed]:
    """All that is owed on these cases, the earliest first; its sentences in the language that is spoken."""
    return sorted(_owed(region, cases, rules), key=lambda one: (one.due, one.case_id, one.what))


def _owed(region: str, cases: Iterable[Case], rules: Rules) -> Iterator[Owed]:
    # The same few terms are owed on thousands of cases.
    said = cache(lambda term: sentence(rules, term, language()))
    for case in cases:
        current = case.current()
        whom = current.receiver if current is not None else case.executor
        for term, at in case.terms.items():
            yield Owed(region, case.id, case.colour, term, said(term), whom, at)
        for handover in case.handovers:
            if (due := handover.due()) is not None:
                code = step_code(handover)
                yield Owed(region, case.id, case.colour, code, step(code), handover.receiver, due)


def step_code(handover: Handover) -> str:
    """What happens next with an offer that waits: a step of its ladder, HELD or SHOWN."""
    if handover.due() in (handover.falls, handover.shows):
        return "SHOWN" if handover.due() == handover.shows else "HELD"
    return handover.ladder[min(handover.next_step, len(handover.ladder) - 1)].name
