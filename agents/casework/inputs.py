"""What a decision is made on: the input with what the edge could open of it."""

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from agents.casework.book import Book, Opened
from agents.facts import Facts
from topics import journal as j

NAMESPACE = UUID("7b6d1f1e-2f4b-5b0e-9a53-6d656c647374")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One input at its place on a lane. ``at`` is the broker's append time there, ms."""

    lane: str
    epoch: int
    offset: int
    at: int
    input: j.Input
    facts: Facts | None = None
    """Of a report."""
    opened: Opened = field(default_factory=Opened)
    reported: tuple[Facts, ...] = ()
    """Of a case that another centre offers: of each of its reports."""
    earlier: tuple[Facts | None, ...] = ()
    """For an act: the facts of the case's reports, in order; None for what cannot be opened."""
    others: tuple[Facts | None, ...] = ()
    """For an act about two cases: the facts of the other's reports."""


@dataclass(slots=True)
class Draft:
    """The events of one record while it is decided, and the ids that belong to it."""

    book: Book
    incoming: Incoming
    now: int
    events: list[j.Event] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """What the rules were told last."""
    _ids: int = 0

    def new_id(self) -> str:
        """A UUIDv5 of (region, lane, epoch, offset, step): deciding again gives the same."""
        self._ids += 1
        found = self.incoming
        return str(uuid5(NAMESPACE, f"{self.book.region}/{found.lane}/{found.epoch}/{found.offset}/{self._ids}"))

    def add(self, event: j.Event) -> None:
        self.events.append(event)

    def tell(
        self,
        kind: str,
        to: str,
        *,
        case_id: str | None,
        handover_id: str | None = None,
        content: bool = False,
        term: str | None = None,
    ) -> None:
        """Tell ``receiver`` or ``receiver/person`` something; ``term`` is what is owed, when it is about that."""
        receiver, _, person = to.partition("/")
        self.add(
            j.Told(
                case_id=case_id,
                handover_id=handover_id,
                kind=kind,
                to=receiver,
                person=person or None,
                key_id=self.new_id() if content else None,
                term=term,
            )
        )
