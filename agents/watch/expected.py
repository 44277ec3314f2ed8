"""What should have happened by now, from the journal alone: the deadlines of offers and of what is owed. Pure.

It reads the events by itself and asks neither a book nor a policy: a fault in the clockwork of a region's writer is
none here. Times are ms since 1970 UTC.
"""

import heapq
from dataclasses import dataclass, field

from topics import journal as j

AWAITED = ("OFFERED", "RECEIVED", "ACKNOWLEDGED")
Key = tuple[str, str]
"""Of a case: its id, and the term or the handover."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that was due and stands on no record. ``about`` is the term (T05), or OFFER."""

    case_id: str
    about: str
    due: int


@dataclass(slots=True)
class _Offer:
    steps: tuple[j.Step, ...]
    fired: int = 0
    again: int | None = None
    shows: int | None = None
    falls: int | None = None

    def step_due(self) -> int | None:
        return self.steps[self.fired].due if self.fired < len(self.steps) else self.again

    def due(self) -> int | None:
        return min((at for at in (self.step_due(), self.shows, self.falls) if at is not None), default=None)


@dataclass(slots=True)
class Expected:
    """Of one region: what waits, and how far each of its lanes is decided."""

    lanes: dict[str, int] = field(default_factory=dict)
    """Lane -> the offset that comes next."""
    last: int | None = None
    """When its last record was written."""
    _offers: dict[Key, _Offer] = field(default_factory=dict)
    _owed: dict[Key, int] = field(default_factory=dict)
    _heap: list[tuple[int, Key]] = field(default_factory=list)

    def see(self, record: j.Record) -> list[Overdue]:
        """Take a record in. What it passed over: a step that should have fired before one that did."""
        self.last = record.at
        if record.lane != j.CLOCK:
            self.lanes[record.lane] = record.offset + 1
        missed: list[Overdue] = []
        for event in record.events:
            missed += self._event(event)
        return missed

    def overdue(self, now: int, grace: int) -> list[Overdue]:
        """What was due more than ``grace`` before ``now``, longest due first."""
        found: list[tuple[int, Key]] = []
        while self._heap and self._heap[0][0] + grace < now:
            due, key = heapq.heappop(self._heap)
            if self._due(key) == due and (due, key) not in found[-1:]:
                found.append((due, key))
        for entry in found:
            heapq.heappush(self._heap, entry)
        return [Overdue(case, "OFFER" if (case, about) in self._offers else about, due) for due, (case, about) in found]

    def waiting(self) -> int:
        """How many deadlines wait."""
        return len(self._offers) + len(self._owed)

    def _due(self, key: Key) -> int | None:
        offer = self._offers.get(key)
        return offer.due() if offer is not None else self._owed.get(key)

    def _waits(self, key: Key) -> None:
        if (due := self._due(key)) is not None:
            heapq.heappush(self._heap, (due, key))

    def _event(self, event: j.Event) -> list[Overdue]:
        match event:
            case j.Offered():
                key = (event.case_id, event.handover_id)
                self._offers[key] = _Offer(event.ladder, falls=event.falls)
                self._waits(key)
            case j.StepFired():
                return self._step(event)
            case j.OfferPaused():
                self._held((event.case_id, event.handover_id), event.shows, event.falls)
            case j.OfferShown():
                self._held((event.case_id, event.handover_id), None, None)
            case j.TakenBack():
                self._offers.pop((event.case_id, event.handover_id), None)
            case j.Answered() if event.released and event.state not in AWAITED:
                self._offers.pop((event.case_id, event.handover_id), None)
            case j.TermsChanged():
                for term in (*event.ended, *event.due):
                    self._owed.pop((event.case_id, term), None)
                for term, (due, _) in event.steps.items():
                    self._owed[event.case_id, term] = due
                    self._waits((event.case_id, term))
            case j.TermFired():
                return self._term(event)
            case j.Related() if event.how == "MERGED":
                for key in [key for key in self._owed if key[0] == event.other]:
                    del self._owed[key]
            case _:
                pass
        return []

    def _held(self, key: Key, shows: int | None, falls: int | None) -> None:
        if (offer := self._offers.get(key)) is not None:
            offer.shows, offer.falls = shows, falls
            self._waits(key)

    def _step(self, event: j.StepFired) -> list[Overdue]:
        key = (event.case_id, event.handover_id)
        offer = self._offers.get(key)
        if offer is None:
            return []
        due = offer.step_due()
        offer.fired, offer.again = offer.fired + 1, event.again
        self._waits(key)
        return [Overdue(event.case_id, "OFFER", due)] if due is not None and due < event.due else []

    def _term(self, event: j.TermFired) -> list[Overdue]:
        key = (event.case_id, event.term)
        due = self._owed.pop(key, None)
        if event.next is not None:
            self._owed[key] = event.next
            self._waits(key)
        return [Overdue(event.case_id, event.term, due)] if due is not None and due < event.due else []
