"""What the screens and the API list: rows from a region's book. Pure; moments in ms since 1970 UTC.

The worst colour comes first, and of one colour what has the least time left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.casework.case import AWAITS_ANSWER, Case, Handover, severity
from agents.policy.directory import Directory
from pipeline.owed import step_code

FOREVER = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """An open handover. ``due`` is when its next step fires, ``tells`` whom that step tells."""

    region: str
    case_id: str
    handover_id: str
    receiver: str
    colour: str | None
    provisional: bool
    destination: str
    state: str
    offered: int
    accept_before: int
    acknowledged: int | None
    step: str | None
    due: int | None
    tells: tuple[str, ...]
    owner: str
    test: bool

    @property
    def waits(self) -> bool:
        """Whether nobody has accepted it yet."""
        return self.state in AWAITS_ANSWER

    @property
    def limit(self) -> int:
        """By when something has to happen: acceptance, then whatever is owed next."""
        return self.accept_before if self.waits else FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueColumn:
    """A receiver's queue. ``held`` is since when it is out of service."""

    receiver: str
    name: str
    kind: str
    waiting: int
    begun: int
    oldest: int | None
    worst: str | None
    late: int
    held: int | None


def most_urgent(rows: Iterable[OfferRow]) -> list[OfferRow]:
    """The worst colour first, then the least time left."""
    return sorted(rows, key=lambda row: (-severity(row.colour), row.limit, row.offered, row.handover_id))


def offer_row(region: str, case: Case, handover: Handover) -> OfferRow:
    """One handover."""
    due = handover.due()
    step = step_code(handover) if due is not None else None
    climbs = step is not None and step not in ("HELD", "SHOWN")
    tells = handover.ladder[min(handover.next_step, len(handover.ladder) - 1)].tells if climbs else ()
    return OfferRow(
        region=region,
        case_id=case.id,
        handover_id=handover.id,
        receiver=handover.receiver,
        colour=case.colour,
        provisional=case.provisional,
        destination=handover.destination,
        state=handover.state,
        offered=handover.offered,
        accept_before=handover.accept_before,
        acknowledged=handover.acknowledged,
        step=step,
        due=due,
        tells=tells,
        owner=case.owner,
        test=case.test,
    )


def queues(directory: Directory, held: dict[str, int], found: list[OfferRow], now: int) -> list[QueueColumn]:
    """Every receiver's queue: those that are late first, then the longest waiting."""
    by_receiver: dict[str, list[OfferRow]] = {}
    for row in found:
        by_receiver.setdefault(row.receiver, []).append(row)
    columns = [
        _queue(one.id, one.name, one.kind, by_receiver.get(one.id, []), held.get(one.id), now)
        for one in directory.receivers
        if one.id in by_receiver or one.id in held or one.kind == "DESK"
    ]
    return sorted(columns, key=lambda one: (-one.late, one.oldest or FOREVER, one.receiver))


def _queue(receiver: str, name: str, kind: str, rows: list[OfferRow], held: int | None, now: int) -> QueueColumn:
    waiting = [row for row in rows if row.waits]
    return QueueColumn(
        receiver=receiver,
        name=name,
        kind=kind,
        waiting=len(waiting),
        begun=len(rows) - len(waiting),
        oldest=min((row.offered for row in waiting), default=None),
        worst=max((row.colour for row in waiting if row.colour), key=severity, default=None),
        late=sum(row.accept_before < now for row in waiting),
        held=held,
    )
