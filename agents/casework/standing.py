"""What holds for a household for some time: measures, a huisverbod, an investigation by the Raad, monitoring. Pure.

It is set by a report that tells of it or by a person of the centre, and stays on the case for whoever reports next.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time

from agents.casework.case import Case, Stands
from agents.casework.inputs import Draft
from agents.casework.rules import local_date
from agents.facts import Facts
from agents.policy.calendar import AMSTERDAM
from agents.policy.model import millis
from agents.policy.vocabulary import Since
from topics import journal as j
from topics.codes import Standing, StandingState

MEASURES = (Standing.OTS.value, Standing.VOTS.value, Standing.GUARDIANSHIP.value)
MONITORED = (Standing.MONITORING.value,)
_IN_FORCE, _ENDED = StandingState.IN_FORCE.value, StandingState.ENDED.value


def ended(found: Stands, on: date) -> date | None:
    """The day on which it ended, when it had by then; its last day is still one on which it holds."""
    if found.state == _ENDED:
        return local_date(found.since)
    last = date.fromisoformat(found.until) if found.until is not None else None
    return last if last is not None and on > last else None


def since(standing: Mapping[str, Stands], what: tuple[str, ...], on: date, days: int) -> Since:
    """Whether any of these holds on a day, or ended at most so many whole days before."""
    ends = [ended(found, on) for name in what if (found := standing.get(name)) is not None]
    if None in ends:
        return Since.NOW
    recently = any(end is not None and (on - end).days <= days for end in ends)
    return Since.RECENTLY if recently else Since.NO


def told_of(draft: Draft, case: Case | None, case_id: str, facts: Facts, received: int) -> dict[str, Stands]:
    """What stands on the case once a report is in it; what the report adds becomes an event."""
    known = dict(case.standing) if case is not None else {}
    on = local_date(received)
    for what, found in reported(facts, received):
        before = known.get(what)
        state = before.state if before is not None and ended(before, on) is None else None
        # What was broken stays so, whoever tells of it without that.
        if state is None or found.state == StandingState.BROKEN != state:
            known[what] = set_standing(draft, case_id, what, found)
    return known


def set_standing(draft: Draft, case_id: str, what: str, found: Stands) -> Stands:
    """From now on it stands so."""
    draft.add(j.StandingChanged(case_id=case_id, what=what, state=found.state, since=found.since, until=found.until))
    return found


def end(draft: Draft, case: Case, what: str, at: int) -> None:
    """It holds no more; nothing is said of what did not hold."""
    found = case.standing.get(what)
    if found is not None and found.state != _ENDED:
        set_standing(draft, case.id, what, Stands(_ENDED, at, None))


def reported(facts: Facts, received: int) -> Iterator[tuple[str, Stands]]:
    """What a report tells of that; ``received`` in ms."""
    for measure in facts.measures:
        yield measure, Stands(_IN_FORCE, received, None)
    if facts.order != "NONE":
        imposed = start_of(date.fromisoformat(facts.order_since)) if facts.order_since is not None else received
        yield Standing.RESTRAINING_ORDER.value, Stands(facts.order, imposed, None)
    if facts.contact_ban != "NONE":
        yield Standing.CONTACT_BAN.value, Stands(facts.contact_ban, received, None)
    if facts.board_investigation == "RUNNING":
        yield Standing.BOARD_INVESTIGATION.value, Stands(_IN_FORCE, received, None)


def start_of(day: date) -> int:
    """The first moment of a day in the Netherlands, ms."""
    return millis(datetime.combine(day, time(), AMSTERDAM).astimezone(UTC))
