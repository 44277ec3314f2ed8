"""The colour that a policy's rules give (domain model, section 5.2), and what it hangs on. Pure.

Every rule is asked. In order: the highest of the colour rules; the raises that say "at least"; one step up if any raise
says so, never two; what is only provisional. A cap stops raising; it never lowers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import model_validator

from agents.policy.rules import Answer, Facts, Row, Sets, Table
from agents.policy.vocabulary import FACTS
from topics.codes import Colour

_STEPS = tuple(Colour)


class ColourRule(Row):
    """R: what gives a colour by itself."""

    colour: Colour


class Raise(Row):
    """U: what raises it, to at least a colour or by one step."""

    at_least: Colour | None = None
    step_up_to: Colour | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.at_least is None) is (self.step_up_to is None):
            raise ValueError("at_least of / or step_up_to")
        return self


class Provisional(Row):
    """P: at least this colour until a person has settled what is open."""

    at_least: Colour


@dataclass(frozen=True, slots=True)
class Judgement:
    """The colour, and the ids of the rules that gave it. ``floor`` is the colour without what is only provisional."""

    colour: Colour
    provisional: bool
    floor: Colour
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What a judgement hangs on, by the names of facts.

    By those ``used`` the rules hold; those ``missing`` are asked for and nobody knows them. Another value of a single
    one of ``turning`` gives another outcome; of no other single fact does it.
    """

    used: tuple[str, ...]
    missing: tuple[str, ...]
    turning: tuple[str, ...]


class Colours:
    """The three tables of a policy."""

    def __init__(
        self,
        colours: Sequence[ColourRule],
        raises: Sequence[Raise],
        provisional: Sequence[Provisional],
        sets: Sets,
    ) -> None:
        self._colours, self._raises = Table(colours, sets), Table(raises, sets)
        self._provisional = Table(provisional, sets)
        asked = self._colours.asks | self._raises.asks | self._provisional.asks
        self.asks = tuple(fact for fact in FACTS if fact in asked)
        """The facts that any rule of colour asks for."""

    def judge(self, facts: Facts) -> Judgement:
        """The judgement of these facts; every fact of the vocabulary must have one of its values."""
        colours, raises, open_ones = self._answers(facts)
        colour, provisional, floor = _outcome(colours.rows, raises.rows, open_ones.rows)
        held: list[Row] = [*colours.rows, *raises.rows, *(open_ones.rows if provisional else ())]
        return Judgement(colour, provisional, floor, tuple(row.id for row in held))

    def explain(self, facts: Facts) -> Why:
        """What that judgement hangs on: every value that a fact could have is tried."""
        now, answers = self.judge(facts), self._answers(facts)
        held = answers if now.provisional else answers[:2]

        def turns(fact: str) -> bool:
            then = (self.judge({**facts, fact: value}) for value in FACTS[fact])
            return any((found.colour, found.provisional) != (now.colour, now.provisional) for found in then)

        return Why(
            used=tuple(dict.fromkeys(fact for answer in held for fact in answer.used())),
            missing=tuple(fact for fact in self.asks if facts[fact] == "UNKNOWN"),
            turning=tuple(fact for fact in self.asks if turns(fact)),
        )

    def _answers(self, facts: Facts) -> tuple[Answer[ColourRule], Answer[Raise], Answer[Provisional]]:
        return self._colours.answer(facts), self._raises.answer(facts), self._provisional.answer(facts)

    def raised(self, colour: Colour, facts: Facts) -> tuple[Colour, tuple[str, ...]]:
        """The colour after something that happened to the case, of which alone ``facts`` tell; and the rules."""
        rows = self._raises.answer(facts).rows
        floor = _raise(colour, rows)
        return floor, tuple(row.id for row in rows)


def _outcome(
    colours: Sequence[ColourRule], raises: Sequence[Raise], open_ones: Sequence[Provisional]
) -> tuple[Colour, bool, Colour]:
    """Colour, whether it is provisional, and the colour without that."""
    floor = _raise(highest(row.colour for row in colours), raises)
    provisional = bool(open_ones) and floor is not Colour.RED
    colour = highest([floor, *(row.at_least for row in open_ones)]) if provisional else floor
    return colour, provisional, floor


def _raise(colour: Colour, raises: Sequence[Raise]) -> Colour:
    floor = highest([colour, *(row.at_least for row in raises if row.at_least is not None)])
    caps = [row.step_up_to for row in raises if row.step_up_to is not None]
    return _STEPS[floor.severity + 1] if caps and floor.severity < highest(caps).severity else floor


def highest(colours: Iterable[Colour]) -> Colour:
    """The most urgent of them; there must be one."""
    return max(colours, key=lambda colour: colour.severity)
