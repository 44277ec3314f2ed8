"""Which cases would notice that a rule is another: every mutant is tried until the first one does."""

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from agents.policy.loading import Loader, PolicyError
from agents.policy.model import load_policy
from tests.mutants.equal import same_words, why_equal
from tests.mutants.mutating import Mutant, Plain, mutants
from tests.scenarios.rule import Asked, Given, answered, rule_cases
from tests.scenarios.story import Story, found, played, stories

# A second for all mutants with the one in C, and ten with the other.
_DUMPER: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
SURVIVORS = Path(__file__).parent / "survivors.txt"
CAUGHT, REFUSED, EQUAL, SURVIVED = "caught", "refused", "equal", "survived"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: caught by a case, refused by the loader, equal for a reason; or it survived."""

    mutant: Mutant
    fate: str
    by: str = ""


class Trial:
    """A policy, and the cases that must hold with it and with no other; who noticed the last mutant is asked first."""

    def __init__(self, text: str, cases: tuple[Sequence[Given], Sequence[Story]]) -> None:
        self.plain: Plain = yaml.load(text, Loader=Loader)
        self._policy = load_policy(text)
        self._givens, self._stories = list(cases[0]), list(cases[1])
        if (wrong := self._asked(Asked.of(self._policy)) or self._told(text)) is not None:
            # A case that does not hold at all would notice every mutant.
            raise ValueError(f"{wrong} does not hold with the policy as it is")

    def verdicts(self) -> list[Verdict]:
        """The verdict on each mutant, found on all cores."""
        with multiprocessing.get_context("fork").Pool(os.cpu_count(), _take_in, (self,)) as pool:
            return pool.map(_verdict_on, list(mutants(self.plain)), chunksize=24)

    def verdict(self, mutant: Mutant) -> Verdict:
        text = as_text(mutant.policy)
        try:
            policy = load_policy(text)
        except PolicyError as error:
            return Verdict(mutant, REFUSED, str(error))
        if equal := why_equal(self._policy, policy):
            # Every story would have to be told to its end, and none can differ.
            return Verdict(mutant, EQUAL, equal)
        # What the tables answer hangs on nothing but the tables.
        noticed = None if same_words(self._policy, policy) else self._asked(Asked.of(policy))
        noticed = noticed or self._told(text)
        return Verdict(mutant, SURVIVED) if noticed is None else Verdict(mutant, CAUGHT, noticed)

    def _asked(self, asked: Asked) -> str | None:
        """The name of a given that is answered otherwise: these cost nothing, so they come first."""
        for given in self._givens:
            if not _holds(given, asked):
                _first(self._givens, given)
                return given.name
        return None

    def _told(self, policy: str) -> str | None:
        """The name of a story that goes otherwise."""
        # A campaign takes as long as all others together: it is asked last.
        for story in sorted(self._stories, key=lambda story: any("campaign" in step for step in story.steps)):
            if not goes(story, policy):
                _first(self._stories, story)
                return story.name
        return None


_here: list[Trial] = []


def _take_in(trial: Trial) -> None:
    _here.append(trial)


def _verdict_on(mutant: Mutant) -> Verdict:
    return _here[-1].verdict(mutant)


def all_cases() -> tuple[list[Given], list[Story]]:
    """Every case of the rules and every scenario."""
    givens, told = rule_cases()
    return givens, [*told, *stories()]


def as_text(policy: Plain) -> str:
    """A policy as a file would hold it."""
    return yaml.dump(policy, Dumper=_DUMPER, allow_unicode=True, sort_keys=False)


def known_survivors() -> dict[str, str]:
    """The mutants that no case can notice yet, each with the reason."""
    return dict(line.split(": ", 1) for line in SURVIVORS.read_text(encoding="utf-8").splitlines())


def by_kind(verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Kind of mutant -> fate -> how many."""
    counted: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys((CAUGHT, REFUSED, EQUAL, SURVIVED), 0))
    for verdict in verdicts:
        counted[verdict.mutant.kind][verdict.fate] += 1
    return dict(counted)


def share_caught(verdicts: Sequence[Verdict]) -> float:
    """The share that a case noticed, of those that the loader let through and that are not equal."""
    fates = [verdict.fate for verdict in verdicts if verdict.fate in (CAUGHT, SURVIVED)]
    return fates.count(CAUGHT) / len(fates)


def _holds(given: Given, asked: Asked) -> bool:
    answer = answered(asked, given.facts)
    return all(answer[name] == value for name, value in given.then.items())


def goes(story: Story, policy: str) -> bool:
    """Whether a story goes as it is told. What cannot be told to its end does not: nothing is open to answer,
    or casework cannot decide by such a policy."""
    try:
        return all(found(world, wanted) == dict(wanted) for world, wanted in played(story, policy))
    except Exception:
        return False


def _first(cases: list[Given] | list[Story], case: Given | Story) -> None:
    """Neighbours are mutants of one rule: the case that noticed this one will mostly notice the next."""
    cases.remove(case)  # type: ignore[arg-type]
    cases.insert(0, case)  # type: ignore[arg-type]
