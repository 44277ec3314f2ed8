"""The cases of a region: by id, by number, and packed while nobody looks at them."""

from collections.abc import Iterator
from typing import overload

from agents.casework.case import Case, pack, short, unpack

WARM = 256
"""Cases that are kept unpacked: those that were used last are used again soon."""


class Cases:
    """Every case of a region, numbered in the order in which they were opened.

    A case that is asked for is unpacked, and what is changed in it holds. ``cool`` packs it again: until then no
    reference to it may be kept. Each change must be told to ``changed``, or it would be lost with the packing.
    """

    __slots__ = ("_numbers", "_packed", "_unpacked", "_warm", "unsaved")

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._packed: list[bytes] = []
        self._warm: dict[int, Case] = {}
        self._unpacked: set[int] = set()
        """Those of the warm ones that have changed."""
        self.unsaved: set[int] = set()
        """Numbers of the cases that changed since they were saved last."""

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, case_id: str) -> bool:
        return short(case_id) in self._numbers

    def __getitem__(self, case_id: str) -> Case:
        return self.nth(self._numbers[short(case_id)])

    @overload
    def get(self, case_id: str) -> Case | None: ...
    @overload
    def get(self, case_id: str, default: Case) -> Case: ...
    def get(self, case_id: str, default: Case | None = None) -> Case | None:
        """The case of that id."""
        number = self._numbers.get(short(case_id))
        return default if number is None else self.nth(number)

    def __iter__(self) -> Iterator[str]:
        return (case.id for case in self.values())

    def values(self) -> Iterator[Case]:
        """All of them, in their order, to look at."""
        return (self._warm.get(number) or unpack(packed) for number, packed in enumerate(self._packed))

    def newest(self) -> Case | None:
        """The one that was opened last."""
        return self.nth(len(self._packed) - 1) if self._packed else None

    def number(self, case_id: str) -> int | None:
        """Its place in the order of opening."""
        return self._numbers.get(short(case_id))

    def nth(self, number: int) -> Case:
        """The case of that number."""
        case = self._warm.get(number)
        if case is None:
            case = self._warm[number] = unpack(self._packed[number])
        return case

    def add(self, case: Case) -> int:
        """Take in a new case; its number."""
        number = len(self._packed)
        self._numbers[short(case.id)] = number
        self._packed.append(b"")
        self._warm[number] = case
        self.changed(number)
        return number

    def changed(self, number: int) -> None:
        """Something in this case is different now."""
        self._unpacked.add(number)
        self.unsaved.add(number)

    def number_of(self, case: Case) -> int:
        """The number of a case that is here."""
        return self._numbers[short(case.id)]

    def cool_when_many(self) -> None:
        """Pack most of them when many are unpacked."""
        if len(self._warm) > 2 * WARM:
            self.cool(WARM)

    def cool(self, keep: int) -> None:
        """Pack all but the ``keep`` that were unpacked last."""
        for number in list(self._warm)[: max(0, len(self._warm) - keep)]:
            case = self._warm.pop(number)
            if number in self._unpacked:
                self._packed[number] = pack(case)
                self._unpacked.discard(number)

    # Saving ------------------------------------------------------------------------------------------

    def packed(self, numbers: range) -> list[bytes]:
        """The small forms of these; everything must be cool."""
        return self._packed[numbers.start : numbers.stop]

    def load(self, ids: list[bytes], packed: list[bytes]) -> int:
        """Take in what was saved, after what is there already; the number of the first. ``ids`` are short."""
        first = len(self._packed)
        self._numbers.update(zip(ids, range(first, first + len(ids)), strict=True))
        self._packed += packed
        return first
