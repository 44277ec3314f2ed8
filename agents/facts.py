"""The facts that decide, as intake takes them out of a report.

Pure. They hold codes, ages, dates and the municipality, never a name, a number or an address.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from typing import Any

import orjson

from agents.policy.directory import Directory
from topics.codes import Answered, DeadLetterReason, ParticipantRole
from topics.problems import Refused, field_error
from topics.reports import Participant, Report
from topics.transfers import TransferredReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules look at."""

    kind: str
    professional: bool
    disclosure: str
    indicators: dict[str, str]
    safety: str
    """The professional's answer to Q2 of the *meldcode*."""
    hgkm_certain: str
    enough_information: str
    cooperation: str
    vulnerable: bool
    """A minor, a dependent or a pregnant person is involved."""
    everybody_known: bool
    """Age, and for women pregnancy, of every participant is known."""
    infant_or_unborn: bool
    order: str
    order_since: str | None
    contact_ban: str
    municipality: str | None
    pc4: str | None
    details: dict[str, Any]
    """Further codes and dates for the rules of a region: occasions, kinds of violence, ages."""
    people: dict[str, str] = field(default_factory=dict)
    """What is so of anybody involved: ``minor``, ``under_four``, ``unborn``, ``pregnant``, ``dependent``,
    ``perpetrator_adult``; YES, NO or UNKNOWN."""
    measures: tuple[str, ...] = ()
    """Child protection measures that the reporter knows of."""
    board_investigation: str = "NONE"
    helpers: tuple[str, ...] = ()
    """Receivers of the region that help the household already."""
    employers: tuple[str, ...] = ()
    """Receivers and organisations of the region for whom somebody involved, or a relative, works."""
    reporters_team: tuple[str, ...] = ()
    """The team for which the reporter works."""

    def encode(self) -> bytes:
        return orjson.dumps(self)


def read_facts(raw: bytes) -> Facts:
    """Facts from their bytes."""
    return Facts(**orjson.loads(raw))


def facts_of(report: Report, directory: Directory) -> Facts:
    """The facts of a report; ages count at the moment it was received. Names of organisations become the ids that the
    region's directory has for them, or nothing."""
    on = report.received_at.astimezone(UTC).date()
    people = report.participants
    return Facts(
        kind=report.kind,
        professional=report.reporter.capacity.professional,
        disclosure=report.disclosure,
        indicators={indicator.value: answer.value for indicator, answer in report.indicators.items()},
        safety=report.meldcode.q2.value if report.meldcode else "UNKNOWN",
        hgkm_certain=report.hgkm_certain,
        enough_information=report.enough_information,
        cooperation=report.cooperation,
        vulnerable=any(_vulnerable(person, on) for person in people),
        everybody_known=bool(people) and all(_known(person, on) for person in people),
        infant_or_unborn=any(
            person.pregnant is Answered.YES
            or person.role is ParticipantRole.MOTHER_OF_UNBORN
            or ((age := _age(person.birth_date, on)) is not None and age < 1)
            for person in people
        ),
        order=report.restraining_order.state.value if report.restraining_order else "NONE",
        order_since=(
            report.restraining_order.since.isoformat()
            if report.restraining_order and report.restraining_order.since
            else None
        ),
        contact_ban=report.contact_ban.state.value if report.contact_ban else "NONE",
        municipality=report.municipality,
        pc4=report.address.postcode[:4] if report.address else None,
        people=_people(people, on),
        measures=tuple(dict.fromkeys(measure.value for person in people for measure in person.known_measures)),
        board_investigation="RUNNING" if report.board_investigation else "NONE",
        helpers=_ids(directory, (help_.organisation for help_ in report.help_running)),
        employers=_ids(directory, (name for one in people for name in (one.employer, *one.relatives_employers))),
        reporters_team=_ids(directory, [report.reporter.organisation]),
        details={
            "occasions": list(report.occasions),
            "violence_kinds": list(report.violence_kinds),
            "duration": report.duration,
            "extra_flags": list(report.extra_flags),
            "channel": report.channel,
            "capacity": report.reporter.capacity,
            "safe_carer": report.safe_carer,
            "safe_place_wanted": report.safe_place_wanted,
            "perpetrator_at_home": report.perpetrator_at_home,
            "participants": [
                {
                    "role": person.role,
                    "birth_date": person.birth_date,
                    "sex": person.sex,
                    "is_minor": person.is_minor,
                    "dependent": person.dependent,
                    "pregnant": person.pregnant,
                    "due_date": person.due_date,
                    "known_measures": list(person.known_measures),
                }
                for person in people
            ],
        },
    )


def facts_of_transferred(report: TransferredReport, directory: Directory) -> Facts:
    """The facts of a report that another centre passes on: its own, and what the names say in this directory."""
    try:
        known = Facts(**report.facts)
    except TypeError as error:
        raise Refused(DeadLetterReason.CONTRACT, (field_error("/content", "other"),)) from error
    people = report.participants
    return replace(
        known,
        measures=tuple(known.measures),
        helpers=_ids(directory, (help_.organisation for help_ in report.help_running)),
        employers=_ids(directory, (name for one in people for name in (one.employer, *one.relatives_employers))),
        reporters_team=(),
    )


def _ids(directory: Directory, names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({found for name in names if name is not None for found in directory.named(name)}))


def _age(birth_date: str | None, on: date) -> int | None:
    """Whole years at most: with only a year or month known, as young as it can be; None when unknown."""
    if birth_date is None:
        return None
    said = [int(part) for part in birth_date.split("-")]
    year, month, day = (*said, *(12, 31)[len(said) - 1 :])
    born = date(year, month, min(day, monthrange(year, month)[1]))
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _minor(person: Participant, on: date) -> bool | None:
    if person.is_minor is not Answered.UNKNOWN:
        return person.is_minor is Answered.YES
    age = _age(person.birth_date, on)
    if age is not None:
        return age < 18
    return True if person.role is ParticipantRole.CHILD else None


def _vulnerable(person: Participant, on: date) -> bool:
    return (
        bool(_minor(person, on))
        or person.dependent is Answered.YES
        or person.pregnant is Answered.YES
        or person.role is ParticipantRole.MOTHER_OF_UNBORN
    )


def _people(people: tuple[Participant, ...], on: date) -> dict[str, str]:
    """What is so of anybody: YES when it is of one; UNKNOWN when it may be of one, or when nobody is named."""
    perpetrators = [person for person in people if person.role is ParticipantRole.ALLEGED_PERPETRATOR]
    unborn = [person.role is ParticipantRole.MOTHER_OF_UNBORN or _yes(person.pregnant) for person in people]
    return {
        "minor": _any([_minor(person, on) for person in people]),
        "under_four": _any([_younger(person, on, 4) for person in people]),
        "unborn": _any(unborn),
        "pregnant": _any(unborn),
        # Of an adult: a child depends on others anyway, and counts as a child.
        "dependent": _any([_minor(person, on) is not True and _yes(person.dependent) for person in people]),
        "perpetrator_adult": _any([None if (minor := _minor(one, on)) is None else not minor for one in perpetrators]),
    }


def _any(found: list[bool | None]) -> str:
    if True in found:
        return "YES"
    return "UNKNOWN" if None in found or not found else "NO"


def _yes(said: Answered) -> bool | None:
    return None if said is Answered.UNKNOWN else said is Answered.YES


def _younger(person: Participant, on: date, years: int) -> bool | None:
    age = _age(person.birth_date, on)
    if age is not None:
        return age < years
    return False if person.is_minor is Answered.NO else None


def _known(person: Participant, on: date) -> bool:
    """Whether it is known that this person is not an infant and not pregnant."""
    age = _age(person.birth_date, on)
    if age is None and person.is_minor is not Answered.NO:
        return False
    can_be_pregnant = person.sex.value != "MALE" and (age is None or age >= 10)
    return person.pregnant is not Answered.UNKNOWN or not can_be_pregnant
