"""What is waited for: when each awaited handover is next due, and since when it waits; and when the next step about
what is owed on a case fires. Times are ms since 1970 UTC."""

import heapq
from collections.abc import Iterator

from agents.casework.case import AWAITS_ANSWER, Case, Handover, severity
from agents.casework.cases import Cases
from agents.casework.chunk import Awaited, Owed
from topics.codes import Colour

UNCOLOURED = "NONE"
"""Stands for the colour of a case that has none."""
COLOURS = (*(colour.value for colour in Colour), UNCOLOURED)
_NUMBER_BITS = 24
"""Of the number of a case: one whole number holds moment and case, for there may be a million of them."""


class Waiting:
    """What is due in a region by urgency. What is not awaited any more is passed over when it comes up."""

    __slots__ = ("_cases", "_due", "_since")

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._due: tuple[list[int], ...] = tuple([] for _ in Colour)
        self._since: dict[str, list[int]] = {colour: [] for colour in COLOURS}

    def push(self, number: int, handover: Handover) -> None:
        """A handover of case ``number`` was offered, or is due at another moment than before."""
        due = handover.due()
        if due is not None:
            heapq.heappush(self._due[severity(handover.colour)], _entry(due, number))

    def owed(self, number: int, colour: str | None, due: int) -> None:
        """The next step about what is owed on case ``number``, of this colour, fires then."""
        heapq.heappush(self._due[severity(colour)], _entry(due, number))

    def began(self, number: int, handover: Handover) -> None:
        """A handover of case ``number`` waits from now on."""
        heapq.heappush(self._since[handover.colour or UNCOLOURED], _entry(handover.offered, number))
        self.push(number, handover)

    def due(self) -> int | None:
        """The earliest moment at which a step is due."""
        return min((_moment(heap[0]) for heap in self._due if self._first_due(heap)), default=None)

    def all_due(self, now: int, most: int) -> list[Case]:
        """Where something is due at ``now``: the most urgent colour first, then the longest due; at most so many."""
        found: dict[str, Case] = {}
        for heap in reversed(self._due):
            taken: list[int] = []
            while len(found) < most and (case := self._first_due(heap)) is not None and _moment(heap[0]) <= now:
                taken.append(heapq.heappop(heap))
                found.setdefault(case.id, case)
            # Looking changes nothing: what was taken out goes back until the firing is folded in.
            for entry in taken:
                heapq.heappush(heap, entry)
        return list(found.values())

    def awaited(self) -> Iterator[tuple[Case, Handover]]:
        """Every handover that is waited for, in the order in which their cases were opened."""
        for number in sorted({_number(entry) for heap in self._due for entry in heap}):
            case = self._cases.nth(number)
            yield from ((case, handover) for handover in case.handovers if handover.state in AWAITS_ANSWER)

    def since(self, colour: str) -> int | None:
        """Since when the longest waiting handover of this colour (or ``UNCOLOURED``) waits."""
        heap = self._since[colour]
        while heap:
            awaited = self._case(heap[0]).awaiting()
            if awaited is not None and (awaited.offered, awaited.colour or UNCOLOURED) == (_moment(heap[0]), colour):
                return awaited.offered
            heapq.heappop(heap)
        return None

    def load(self, awaited: Awaited, owed: Owed) -> None:
        """Take in what was saved."""
        for colour, (numbers, due) in owed.items():
            self._due[severity(colour)].extend(map(_entry, due, numbers))
        for colour, (numbers, due, offered) in awaited.items():
            self._due[severity(colour)].extend(map(_entry, due, numbers))
            self._since[colour or UNCOLOURED].extend(map(_entry, offered, numbers))

    def loaded(self) -> None:
        """Everything that was saved is taken in."""
        for heap in (*self._due, *self._since.values()):
            heapq.heapify(heap)

    def _first_due(self, heap: list[int]) -> Case | None:
        while heap:
            case = self._case(heap[0])
            if case.has_due(_moment(heap[0])):
                return case
            heapq.heappop(heap)
        return None

    def _case(self, entry: int) -> Case:
        return self._cases.nth(_number(entry))


def _entry(moment: int, number: int) -> int:
    return moment << _NUMBER_BITS | number


def _number(entry: int) -> int:
    return entry & ((1 << _NUMBER_BITS) - 1)


def _moment(entry: int) -> int:
    return entry >> _NUMBER_BITS
