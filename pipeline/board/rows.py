"""What the screens and the API list: rows from a region's book. Pure; moments in ms since 1970 UTC.

The worst colour comes first, and of one colour what has the least time left.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agents.casework.case import AWAITS_ANSWER, OPEN, Case, Handover, severity
from agents.casework.rules import Rules
from agents.casework.sentences import sentence
from agents.policy.directory import Directory
from topics.journal import Step
from topics.texts import Language

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
class OwedRow:
    """Something that is owed on a case: a term of the policy, or the next step about an offer."""

    region: str
    case_id: str
    colour: str | None
    what: str
    sentence: str
    with_whom: str
    due: int


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


def offers(region: str, cases: Iterable[Case], wanted: Callable[[Handover], bool]) -> list[OfferRow]:
    """The open handovers that are ``wanted``."""
    found = [
        offer_row(region, case, handover)
        for case in cases
        for handover in case.handovers
        if handover.state in OPEN and wanted(handover)
    ]
    return sorted(found, key=lambda row: (-severity(row.colour), row.limit, row.offered, row.handover_id))


def offer_row(region: str, case: Case, handover: Handover) -> OfferRow:
    """One handover."""
    due = handover.due()
    step: str | None = None
    tells: tuple[str, ...] = ()
    if due is not None:
        shown = due in (handover.falls, handover.shows)
        step = ("SHOWN" if due == handover.shows else "HELD") if shown else _next(handover).name
        tells = () if shown else _next(handover).tells
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


def _next(handover: Handover) -> Step:
    return handover.ladder[min(handover.next_step, len(handover.ladder) - 1)]


def owed(region: str, cases: Iterable[Case], rules: Rules, said: Language) -> list[OwedRow]:
    """All that is owed, the earliest first."""
    return sorted(_owed(region, cases, rules, said), key=lambda row: (row.due, row.case_id, row.what))


def _owed(region: str, cases: Iterable[Case], rules: Rules, said: Language) -> Iterator[OwedRow]:
    for case in cases:
        current = case.current()
        whom = current.receiver if current is not None else case.executor
        for term, at in case.terms.items():
            yield OwedRow(
                region=region,
                case_id=case.id,
                colour=case.colour,
                what=term,
                sentence=sentence(rules, term, said),
                with_whom=whom,
                due=at,
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
