"""Whom a step of a ladder tells, and whether anybody is there to hear it. Pure."""

from collections.abc import Iterable, Iterator

from agents.casework.rules import Rules, local_date
from agents.policy.directory import Receiver
from agents.policy.model import moment
from agents.policy.rota import on_duty
from agents.policy.terms import Tells


def addressees(rules: Rules, receiver: Receiver | None, tells: Iterable[Tells], now: int) -> tuple[str, ...]:
    """``receiver`` or ``receiver/person``: whom a step tells at the moment ``now`` (ms), each once.

    ``receiver`` has the case, or is offered it; None when that is nobody of the directory."""
    return tuple(dict.fromkeys(to for who in tells for to in _whom(rules, receiver, who, now)))


def unattended(rules: Rules, tells: Iterable[str], now: int) -> bool:
    """Whether none of those addressees hears it at the moment ``now`` (ms): each has ended, or has a rota by which
    nobody is on duty, nor stands in."""
    return not any(_hears(rules, to, now) for to in tells)


def _hears(rules: Rules, to: str, now: int) -> bool:
    receiver_id, _, person = to.partition("/")
    receiver, rotas = rules.directory.receiver(receiver_id), rules.directory.rota_of
    if receiver is None or not receiver.stands(local_date(now)):
        return False
    return bool(person) or receiver_id not in rotas or on_duty(rotas, receiver_id, moment(now)) is not None


def _whom(rules: Rules, receiver: Receiver | None, who: Tells, now: int) -> Iterator[str]:
    desks = rules.directory.desks
    match who:
        case "municipality":
            found = rules.directory.municipalities_of(receiver, local_date(now)) if receiver is not None else []
            yield from (one.id for one in found) if found else (desks.coordination,)
        case "specialist" if receiver is not None and receiver.dv_specialist is not None:
            yield f"{receiver.id}/{receiver.dv_specialist.id}"
        case "contact_person" if receiver is not None and receiver.contact_person is not None:
            yield f"{desks.assessment}/{receiver.contact_person.id}"
        case "contact_person" | "coordination":
            yield desks.coordination
        case "duty":
            yield desks.duty
        case "investigation":
            yield desks.investigation
        case _ if who == "assessment" or receiver is None:
            yield desks.assessment
        case _ if receiver.kind == "OTHER_VT":
            yield desks.coordination  # its own ladder runs there; here somebody must call it
        case _:
            yield receiver.id
