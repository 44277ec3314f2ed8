"""What the forms ask, and what they say in the words of the contract. Pure.

A field is text, a choice of a code list, or several of them. What is wrong is said by the contract itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.casework.case import Case
from agents.policy.calendar import AMSTERDAM
from agents.policy.directory import Directory, Source
from agents.policy.region import RegionConfig
from agents.reference import municipalities
from topics.answers import DETAILS, WITHOUT_CASE
from topics.codes import (
    ActKind,
    Answered,
    BoardNotice,
    CaseRole,
    Channel,
    Code,
    Colour,
    Cooperation,
    Duration,
    HoldDecision,
    Indicator,
    InvestigationOutcome,
    Measure,
    NoticeState,
    Occasion,
    ParticipantRole,
    ReporterCapacity,
    ReportKind,
    SafetyRating,
    StandingState,
    TriageOutcome,
    ViolenceKind,
)

Given = Mapping[str, Sequence[str]]
PERSONS = 6
"""So many people a report by telephone names at most; more follow in an addition."""
ON_A_CASE = tuple(kind for kind in ActKind if kind not in WITHOUT_CASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a list: its code, and what people read (the name of a code list, or plain words)."""

    value: str
    code: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question. ``pointer`` is where the contract says what is wrong with it."""

    name: str
    kind: str
    """``text``, ``words`` (several lines), ``moment``, ``day``, ``number``, ``one``, ``many``, ``answer``."""
    required: bool = True
    pointer: str = ""
    choices: tuple[Choice, ...] = ()
    label: str | None = None
    """Words of its own, where the name alone has no sentence in the catalogue."""


def _codes(kind: type[Code], *but: str) -> tuple[Choice, ...]:
    return tuple(Choice(value=one.value, code=kind.__name__) for one in kind if one.value not in but)


_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "rating": (Field(name="rating", kind="one", pointer="/rating", choices=_codes(SafetyRating)),),
    "outcome": (Field(name="outcome", kind="one", pointer="/outcome", choices=_codes(TriageOutcome)),),
    "hold": (Field(name="hold", kind="one", pointer="/hold", choices=_codes(HoldDecision)),),
    "other_case": (Field(name="other_case", kind="text", pointer="/other_case"),),
    "phone": (
        Field(name="who", kind="text", pointer="/phone/who"),
        Field(name="with_whom", kind="text", pointer="/phone/with_whom"),
        Field(name="what", kind="words", pointer="/phone/what", required=False),
    ),
    "board": (Field(name="board", kind="one", pointer="/board", choices=_codes(BoardNotice)),),
    "found": (Field(name="found", kind="one", pointer="/found", choices=_codes(InvestigationOutcome)),),
    "case_role": (Field(name="case_role", kind="one", pointer="/case_role", choices=_codes(CaseRole, "EXECUTOR")),),
    "due": (Field(name="due", kind="moment", pointer="/due"),),
}


def fields(kind: ActKind, case: Case | None, directory: Directory) -> list[Field]:
    """What an act on this case (or on none) asks for, besides the reason."""
    found: list[Field] = []
    if case is None:
        choices = tuple(Choice(value=one.id, words=one.name) for one in directory.own())
        if kind is ActKind.ACTIVATE_POLICY:
            return [Field(name="policy", kind="words", pointer="/policy")]
        return [Field(name="to", kind="one", pointer="/to", choices=choices)]
    if kind in (ActKind.RAISE, ActKind.LOWER):
        found.append(Field(name="colour", kind="one", pointer="/colour", choices=_codes(Colour)))
    if kind in (ActKind.SETTLE, ActKind.ASSESS):
        found += [
            Field(name=f"indicator-{question}", kind="answer", required=False, pointer=f"/indicators/{question}",
                  choices=_codes(Answered), label=f"{question}: {Indicator(question).nl}")
            for question in case.open_questions
        ]  # fmt: skip
    for name in DETAILS.get(kind, ()):
        match name:
            case "to":
                choices = tuple(Choice(value=one.id, words=one.name) for one in directory.own())
                found.append(Field(name="to", kind="one", pointer="/to", choices=choices))
            case "term":
                terms = tuple(Choice(value=term, words=term) for term in sorted(case.terms))
                found.append(Field(name="term", kind="one", pointer="/term", choices=terms))
            case "notices":
                prepared = tuple(
                    Choice(value=notice, words=f"{said[0]}: {said[2] or said[1]}")
                    for notice, said in case.prepared.items()
                    if said[4] == NoticeState.PREPARED.value
                )
                found.append(Field(name="notices", kind="many", pointer="/notices", choices=prepared))
            case "standing":
                found += _standing(kind)
            case "part":
                found += _part(directory)
            case _:
                found += _FIELDS[name]
    return found


def _standing(kind: ActKind) -> list[Field]:
    measure = [Field(name="measure", kind="one", pointer="/standing/measure", choices=_codes(Measure))]
    return [
        *(measure if kind is ActKind.MEASURE else []),
        Field(name="state", kind="one", pointer="/standing/state", choices=_codes(StandingState)),
        Field(name="since", kind="moment", pointer="/standing/since", required=False),
        Field(name="until", kind="day", pointer="/standing/until", required=False),
    ]


def _part(directory: Directory) -> list[Field]:
    centre = Choice(value=directory.organisation, words=directory.name)
    parties = (centre, *(Choice(value=one.id, words=one.name) for one in directory.own() if one.kind != "DESK"))
    return [
        Field(name="party", kind="one", pointer="/part/party", choices=parties),
        Field(name="scale", kind="number", pointer="/part/scale", required=False),
        Field(name="conditions", kind="words", pointer="/part/conditions", required=False),
        Field(name="valid_until", kind="day", pointer="/part/valid_until", required=False),
        *(
            Field(name=f"indicator-{one.value}", kind="answer", required=False, choices=_codes(Answered),
                  pointer=f"/part/indicators/{one.value}", label=f"{one.value}: {one.nl}")
            for one in Indicator
        ),
    ]  # fmt: skip


SIMPLE = (
    "colour", "rating", "outcome", "hold", "other_case", "board", "found", "case_role", "to", "term", "policy",
)  # fmt: skip


def read(kind: ActKind, given: Given, *, now: datetime) -> dict[str, Any]:
    """What somebody filled in, as the contract has it; what is left open is left out."""
    said: dict[str, Any] = {"reason": _one(given, "reason") or ""}
    indicators = _answers(given)
    if kind in (ActKind.SETTLE, ActKind.ASSESS) and indicators:
        said["indicators"] = indicators
    for name in SIMPLE:
        if (value := _one(given, name)) is not None:
            said[name] = value
    if (due := _moment(given, "due")) is not None:
        said["due"] = due
    if notices := [one for one in given.get("notices", ()) if one]:
        said["notices"] = notices
    if kind is ActKind.PHONED:
        call = {"who": _one(given, "who"), "with_whom": _one(given, "with_whom"), "what": _one(given, "what")}
        said["phone"] = {"at": now.isoformat(), **_some(call)}
    if kind in (ActKind.MEASURE, ActKind.RESTRAINING_ORDER):
        stands = {name: _one(given, name) for name in ("measure", "state", "until")}
        said["standing"] = _some({**stands, "since": _moment(given, "since")})
    if kind is ActKind.ASSESSMENT_PART:
        scale, conditions = _one(given, "scale"), _one(given, "conditions")
        said["part"] = _some(
            {
                "party": _one(given, "party"),
                "scale": int(scale) if scale is not None and scale.isdigit() else scale,
                "conditions": [line.strip() for line in conditions.splitlines() if line.strip()]
                if conditions
                else None,
                "valid_until": _one(given, "valid_until"),
                "indicators": indicators or None,
            }
        )
    return said


# A report by telephone ---------------------------------------------------------------------------------------------


def telephone_source(region: RegionConfig) -> Source | None:
    """The centre's own source, under which its people hand in what they were told by telephone."""
    return next((one for one in region.sources if one.telephone), None)


def report_fields(directory: Directory) -> list[tuple[str, list[Field]]]:
    """The questions, in groups, in the order in which somebody asks them on the telephone."""
    places = tuple(Choice(value=code, words=_place(code)) for code in directory.municipalities)
    people = [
        field
        for number in range(1, PERSONS + 1)
        for field in (
            Field(name=f"role-{number}", kind="one", required=False, pointer=f"/participants/{number - 1}/role",
                  choices=_codes(ParticipantRole)),
            Field(name=f"surname-{number}", kind="text", required=False,
                  pointer=f"/participants/{number - 1}/surname"),
            Field(name=f"given_names-{number}", kind="text", required=False,
                  pointer=f"/participants/{number - 1}/given_names"),
            Field(name=f"birth_date-{number}", kind="text", required=False,
                  pointer=f"/participants/{number - 1}/birth_date"),
        )
    ]  # fmt: skip
    return [
        (
            "acute",
            [
                Field(name=f"indicator-{one.value}", kind="answer", required=False, choices=_codes(Answered),
                      pointer=f"/indicators/{one.value}", label=f"{one.value}: {one.nl}")
                for one in Indicator
                if one.family == "A"
            ],
        ),
        (
            "what",
            [
                Field(name="kind", kind="one", pointer="/kind", choices=_codes(ReportKind, "CORRECTION", "WITHDRAWAL")),
                Field(name="occasions", kind="many", pointer="/occasions", choices=_codes(Occasion)),
                Field(name="violence_kinds", kind="many", required=False, pointer="/violence_kinds",
                      choices=_codes(ViolenceKind)),
                Field(name="duration", kind="one", required=False, pointer="/duration", choices=_codes(Duration)),
                Field(name="cooperation", kind="one", required=False, pointer="/cooperation",
                      choices=_codes(Cooperation)),
                Field(name="narrative", kind="words", required=False, pointer="/narrative"),
            ],
        ),
        (
            "where",
            [
                Field(name="municipality", kind="one", pointer="/municipality", choices=places),
                Field(name="postcode", kind="text", required=False, pointer="/address/postcode"),
                Field(name="house_number", kind="number", required=False, pointer="/address/house_number"),
                Field(name="street", kind="text", required=False, pointer="/address/street"),
                Field(name="town", kind="text", required=False, pointer="/address/town"),
            ],
        ),
        ("who", people),
        (
            "reporter",
            [
                Field(name="capacity", kind="one", pointer="/reporter/capacity", choices=_codes(ReporterCapacity)),
                Field(name="reporter_name", kind="text", required=False, pointer="/reporter/name"),
                Field(name="reporter_contact", kind="text", required=False, pointer="/reporter/contact"),
                Field(name="reporter_organisation", kind="text", required=False, pointer="/reporter/organisation"),
            ],
        ),
        (
            "more",
            [
                Field(name=f"indicator-{one.value}", kind="answer", required=False, choices=_codes(Answered),
                      pointer=f"/indicators/{one.value}", label=f"{one.value}: {one.nl}")
                for one in Indicator
                if one.family != "A"
            ],
        ),
    ]  # fmt: skip


def report(given: Given, source: str, actor: str, now: datetime, report_id: str) -> dict[str, Any]:
    """The report that somebody filled in, as the contract has it."""
    people = [
        _some({name: _one(given, f"{name}-{number}") for name in ("role", "surname", "given_names", "birth_date")})
        for number in range(1, PERSONS + 1)
    ]
    address = _some({name: _one(given, name) for name in ("postcode", "house_number", "street", "town")})
    if str(address.get("house_number", "")).isdigit():
        address["house_number"] = int(address["house_number"])
    reporter = {
        "capacity": _one(given, "capacity"), "name": _one(given, "reporter_name"),
        "contact": _one(given, "reporter_contact"), "organisation": _one(given, "reporter_organisation"),
    }  # fmt: skip
    indicators = _answers(given)
    said: dict[str, Any] = {
        "report_id": report_id,
        "source_id": source,
        "source_ref": f"TEL-{now.astimezone(AMSTERDAM):%Y%m%d-%H%M%S}-{actor}"[:64],
        "channel": Channel.PHONE.value,
        "received_at": now.isoformat(timespec="milliseconds"),
        "kind": _one(given, "kind"),
        "reporter": _some(reporter),
        "occasions": [one for one in given.get("occasions", ()) if one],
        "violence_kinds": [one for one in given.get("violence_kinds", ()) if one],
        "participants": [one for one in people if one],
        "address": address or None,
        "indicators": indicators,
        "municipality": _one(given, "municipality"),
        **{name: _one(given, name) for name in ("duration", "cooperation", "narrative")},
    }
    # A caller of whom nothing is filled in is a caller all the same: the contract says what it misses.
    return {"reporter": {}, **_some(said)}


def _answers(given: Given) -> dict[str, str]:
    """The questions that were answered, and how."""
    named = (
        (name.removeprefix("indicator-"), values[0]) for name, values in given.items() if name.startswith("indicator-")
    )
    return {question: answer for question, answer in named if answer}


def _place(code: str) -> str:
    return f"{municipalities.name_of(code)} ({code})"


def _one(given: Given, name: str) -> str | None:
    value = next(iter(given.get(name, ())), "").strip()
    return value or None


def _some(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def _moment(given: Given, name: str) -> str | None:
    """A moment as a browser gives it (the clock on the wall), with the Dutch offset; anything else as it is."""
    value = _one(given, name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (found if found.tzinfo else found.replace(tzinfo=AMSTERDAM)).isoformat()
