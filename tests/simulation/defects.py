"""What would be wrong: the processes with one defect each, and how the invariants must say it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any
from unittest.mock import patch

from faust.types import TP

from agents.casework import deadlines, reports, shelf
from agents.casework.handover import offer, take_back
from agents.casework.writer import CaseworkWriter
from agents.intake.agent import Intake
from agents.stage import heartbeat
from agents.stage.clock import BrokerClock
from agents.stage.lane import Arrived
from agents.stage.loop import Region
from agents.stage.transaction import Transactions
from agents.stage.writer import Outgoing
from tests.simulation.processes import AS_IT_IS, Made
from topics.codes import HandoverState

_openings = count()


class KeepsTheBook(Region):
    """After a transaction that failed it goes on with the book that this had touched."""

    def _drop(self) -> None:
        kept = self.writer
        super()._drop()
        self.writer = kept


class PassesHoles(Region):
    """Where delivery left something out it goes on after it."""

    async def _fill_gap(self, name: str) -> None:
        until = self._lanes[name].gap()
        if until is not None:
            self._lanes[name].expected = until


class FencesNobody(Region):
    """Each opening has a transactional id of its own: whoever wrote before can still commit."""

    async def _open(self) -> None:
        self._transactions = Transactions(f"{self.name}-{next(_openings)}")
        await super()._open()


class AsksNobody(Region):
    """What is due fires at once, whatever lies on the desk or has not come there yet."""

    def _may_fire(self) -> int | None:
        assert self.writer is not None
        due, now = self.writer.due(), self._tools.clock.now(self._tools.monotonic())
        return now if due is not None and now is not None and due <= now else None


class KnowsNoOrigin(CaseworkWriter):
    """What intake brings a second time is new to it."""

    def decide(self, lane: str, record: Arrived) -> list[Outgoing]:
        origins, self.book.origins = self.book.origins, {}
        try:
            return super().decide(lane, record)
        finally:
            self.book.origins = origins | self.book.origins


class TrustsItsSlots(Region):
    """It goes on saving the book that it has kept, though somebody else has saved one meanwhile."""

    async def _open(self) -> None:
        self._place.snapshots = 10**9
        await super()._open()


class SavesTooLittle(CaseworkWriter):
    """A case that a snapshot has saved once is not saved again, whatever becomes of it."""

    def snapshot(self, journal_next: int, keys_next: int) -> Iterator[list[Outgoing]]:
        cases = self.book.cases
        cases.unsaved = {number for number in cases.unsaved if str(number // shelf.CHUNK) not in self._saved._slots}
        return super().snapshot(journal_next, keys_next)


class ClaimsTooMuch(CaseworkWriter):
    """Its snapshot says that it holds a journal record more than it does."""

    def snapshot(self, journal_next: int, keys_next: int) -> Iterator[list[Outgoing]]:
        return super().snapshot(journal_next + 2, keys_next)


class BelievesAtOnce(BrokerClock):
    """A leap of the broker's clock is the time from then on."""

    def observe(self, stamp_ms: int, monotonic_s: float, machine_ms: int | None = None) -> None:
        self._stamp, self._at, self._known = stamp_ms, monotonic_s, True


class BelievesTheFirst(BrokerClock):
    """Where there is nothing to compare it with, a stamp is the time."""

    def observe(self, stamp_ms: int, monotonic_s: float, machine_ms: int | None = None) -> None:
        super().observe(stamp_ms, monotonic_s)


class BelievesRecords(BrokerClock):
    """What a record's stamp says is the time, though the broker's clock had leapt."""

    def believed(self, stamp_ms: int, monotonic_s: float) -> int:
        return stamp_ms


class LooksAtItsWatch(BrokerClock):
    """The machine's own clock says what is due."""

    def now(self, monotonic_s: float) -> int | None:
        return round(heartbeat.time.time() * 1000) if self.trusted(monotonic_s) else None


class AcksFirst(Intake):
    """What waits is committed before it is sent."""

    async def _batch(self, producer: Any) -> None:
        assert self._app is not None
        waiting = {TP(*place): lane.expected + len(lane.waiting) for place, lane in self._lanes.items() if lane.waiting}
        await self._app.consumer.commit_done(waiting)
        await super()._batch(producer)


def _latest_colour() -> AbstractContextManager[Any]:
    """The colour of a case is that of its last report."""
    return patch.object(reports, "_coloured", lambda *all_, was=reports._coloured: was(*all_[:3], None, *all_[4:]))


def _full_time() -> AbstractContextManager[Any]:
    """A second offer to the same receiver has the full time again."""
    return patch.object(reports, "offer", lambda *all_, replaces=None: offer(*all_))


def _no_successor() -> AbstractContextManager[Any]:
    """What was recalled is offered to nobody."""
    return patch.object(deadlines, "recall", lambda *about: take_back(*about, HandoverState.RECALLED))


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong. ``says`` is a pattern of the sentence by which it must be found."""

    says: str
    made: Made = AS_IT_IS
    patched: Callable[[], AbstractContextManager[Any]] = nullcontext


def _with(made: type[Any]) -> Made:
    """The processes as they are, with this in the place of what it is a kind of."""
    region, writer, clock, intake = (made if issubclass(made, found) else found for found in AS_IT_IS)
    return region, writer, clock, intake


DEFECTS = {
    "a book is kept that a failed transaction has touched": Defect("makes no sense|folds", _with(KeepsTheBook)),
    "a hole in delivery is passed over": Defect("lost", _with(PassesHoles)),
    "a former owner is not fenced": Defect("makes no sense|lost|ends with", _with(FencesNobody)),
    "a deadline fires before the answers are read": Defect("overtaken", _with(AsksNobody)),
    "a second delivery of intake is not known again": Defect("doubled", _with(KnowsNoOrigin)),
    "a change is left out of a snapshot": Defect("fold", _with(SavesTooLittle)),
    "a snapshot goes on after another's": Defect("cannot be used", _with(TrustsItsSlots)),
    "a snapshot claims a record that is not in it": Defect("makes no sense|folds?|ends with", _with(ClaimsTooMuch)),
    "a leap of the broker's clock is believed": Defect("early", _with(BelievesAtOnce)),
    "a leap is believed of the first heartbeat": Defect("early|ahead of time", _with(BelievesTheFirst)),
    "a leap is believed of what was stamped in it": Defect("ahead of time", _with(BelievesRecords)),
    "the machine's own clock decides": Defect("early", _with(LooksAtItsWatch)),
    "intake commits what it has not sent": Defect("lost", _with(AcksFirst)),
    "a milder report lowers a case": Defect("by itself", patched=_latest_colour),
    "a second offer gains time": Defect("more time", patched=_full_time),
    "a recall has no successor": Defect("nobody comes after", patched=_no_successor),
}
