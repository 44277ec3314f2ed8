"""What Meldstroom decides about a report, without Kafka: the rules of a region in memory. Pure.

The way is the real one (facts and match keys of intake, ``decide``, ``Book.apply``); only the sealing is left out,
because nothing leaves this process.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid5

import orjson

from agents.casework.book import Book, Key, Opened
from agents.casework.case import AWAITS_ANSWER, OPEN, Case, Handover, Part
from agents.casework.decide import explained
from agents.casework.inputs import NAMESPACE, Incoming
from agents.casework.rules import Rules, rules_of
from agents.casework.sentences import sentence
from agents.facts import Facts, facts_of, read_facts
from agents.intake.decide import act_input, answer_input, report_input
from agents.matching import encode_links, links_of, read_links
from agents.policy.calendar import AMSTERDAM
from agents.policy.model import millis, moment
from agents.policy.region import RegionConfig
from agents.reference import municipalities
from topics import journal as j
from topics import specs
from topics.answers import WITHOUT_CASE
from topics.check import check
from topics.codes import ActKind, DeadLetterReason, LinkKind
from topics.envelope import STRUCTURED_LIMIT
from topics.offers import FieldError
from topics.problems import Refused, field_error
from topics.reading import read_act, read_answer
from topics.reports import Report
from topics.safejson import guard
from topics.texts import text

KINDS = ("report", "answer", "act", "tick")
NEVER = "00000000-0000-0000-0000-000000000000"
"""Stands for an id that is only known once the lines before have been decided."""


@dataclass(frozen=True, slots=True)
class Said:
    """A report that keeps to the contract: as read, and as it came (its fingerprint is taken of that)."""

    report: Report
    data: bytes
    source: str | None = None
    """Of the CloudEvent; None for a bare report."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history. ``said`` is what stood under its kind; what it leaves out is filled in at its turn."""

    number: int
    at: int
    kind: str
    said: Said | dict[str, Any] | None


@dataclass(slots=True)
class Trial:
    """A region's book that lives as long as one question. Ids follow from the line numbers alone."""

    config: RegionConfig
    started: int
    book: Book = field(init=False)
    told: dict[str, str] = field(default_factory=dict)
    """What the rules were told for the last line; empty when none was asked."""
    _facts: dict[str, Facts] = field(default_factory=dict)
    _offered: dict[str, None] = field(default_factory=dict)
    """Cases in the order in which they were offered last."""

    def __post_init__(self) -> None:
        self.book = Book(self.config.name)
        said = j.ConfigureInput(policy=self.config.policy_text, directory=self.config.directory_text)
        self._decided(Incoming(lane=j.CLOCK, epoch=0, offset=0, at=self.started, input=said))

    def run(self, line: Line) -> j.Record:
        """Decide one line and fold it in; raises ``Refused`` when it leaves out what cannot be filled in."""
        if isinstance(line.said, Said):
            return self._report(line, line.said)
        if line.kind == "tick":
            said = j.TickInput(until=line.at)
            return self._decided(Incoming(lane=j.CLOCK, epoch=0, offset=self.book.seq, at=line.at, input=said))
        given = line.said or {}
        return self._answer(line, given) if line.kind == "answer" else self._act(line, given)

    def _report(self, line: Line, said: Said) -> j.Record:
        report, config = said.report, self.config
        source = next((found for found in config.sources if found.id == report.source_id), None)
        if source is not None and said.source not in (None, source.source):
            raise Refused(DeadLetterReason.SOURCE_MISMATCH, [field_error("/source", "source_mismatch")])
        # Through their bytes, as between intake and casework.
        facts = read_facts(facts_of(report, config.directory).encode())
        links = read_links(encode_links(links_of(report, config.keys)))
        made = report_input(
            self._origin(specs.REPORTS, report.source_id, line),
            report,
            said.data,
            # A source that is not registered yet may be tried too.
            source.kind.value if source is not None else "OTHER",
            config.keys,
            self._id(line, "key"),
            {},
        )
        incident = next((link.code for link in links if link.kind == LinkKind.SAME_INCIDENT.value), None)
        self._facts[made.key_id] = facts
        return self._decided(
            Incoming(
                lane=j.INBOX,
                epoch=0,
                offset=line.number,
                at=line.at,
                input=made,
                facts=facts,
                opened=Opened(links, Key("", ""), incident),
            )
        )

    def _answer(self, line: Line, given: dict[str, Any]) -> j.Record:
        offered = self._newest(given.get("case_id"))
        if offered is None and ("handover_id" not in given or "case_id" not in given):
            raise Refused(DeadLetterReason.UNKNOWN_CASE, [problem_of(line.number, "/answer", "route.no_offer")])
        case, handover = offered if offered is not None else (None, None)
        if "handover_id" in given:
            named = str(given["handover_id"])
            for one in self.book.cases.values():
                if (found := one.handover(named)) is not None:
                    case, handover = one, found
        answer = read_answer(
            orjson.dumps(
                {
                    "answer_id": self._id(line, "answer"),
                    "answered_at": moment(line.at).isoformat(),
                    "case_id": case.id if case else NEVER,
                    "handover_id": handover.id if handover else NEVER,
                    **given,
                }
            )
        )
        receiver = handover.receiver if handover else "nobody"
        origin = self._origin(specs.ANSWERS, receiver, line)
        made = answer_input(origin, answer, receiver, self._id(line, "key"), {})
        return self._decided(Incoming(lane=j.DESK, epoch=0, offset=line.number, at=line.at, input=made))

    def _act(self, line: Line, given: dict[str, Any]) -> j.Record:
        offered = self._newest(None)
        newest = offered[0] if offered is not None else self.book.cases.newest()
        case_id = newest.id if newest is not None else None
        without_case = given["kind"] in WITHOUT_CASE
        if case_id is None and "case_id" not in given and not without_case:
            raise Refused(DeadLetterReason.UNKNOWN_CASE, [problem_of(line.number, "/act", "route.no_case")])
        plain = _plain_act(line, self._id(line, "act"), None if without_case else case_id or NEVER)
        # Whoever may do it: the trial is about what follows.
        plain["role"] = self.config.policy.permission(ActKind(given["kind"])).roles[0]
        act = read_act(orjson.dumps(plain | given))
        made = act_input(self._origin(specs.ACTS, self.config.name, line), act, self._id(line, "key"), {})
        return self._decided(
            Incoming(
                lane=j.DESK,
                epoch=0,
                offset=line.number,
                at=line.at,
                input=made,
                earlier=self._facts_of(made.case_id or NEVER),
                others=self._facts_of(made.details.get("other_case", "")),
            )
        )

    def _facts_of(self, case_id: str) -> tuple[Facts | None, ...]:
        case = self.book.cases.get(case_id)
        entries = self.book.reports_of(case) if case is not None else []
        return tuple(None if case is None or case.erased else self._facts.get(entry.key_id) for entry in entries)

    def _decided(self, incoming: Incoming) -> j.Record:
        record, self.told = explained(self.book, incoming)
        self.book.apply(record, incoming.opened)
        for event in record.events:
            if isinstance(event, j.Offered):
                self._offered.pop(event.case_id, None)
                self._offered[event.case_id] = None
        return record

    def _newest(self, case_id: str | None) -> tuple[Case, Handover] | None:
        """The offer made last, of that case or of any; of those that are open before those that are not."""
        last = None
        # From the newest on, and no further than it takes: a history has many cases, and few that are looked for.
        for one in [case_id] if case_id is not None else reversed(self._offered):
            case = self.book.cases.get(one)
            if case is None or not case.handovers:
                continue
            found = case, case.current() or case.handovers[-1]
            if found[1].state in OPEN:
                return found
            last = last or found
        return last

    def _origin(self, family: specs.TopicSpec, member: str, line: Line) -> j.Origin:
        return j.Origin(topic=family.topic(member), partition=0, offset=line.number, arrived=line.at)

    def _id(self, line: Line, what: str) -> str:
        return str(uuid5(NAMESPACE, f"trial/{self.config.name}/{line.number}/{what}"))


# Reading -------------------------------------------------------------------------------------------------


def read_said(raw: bytes) -> Said:
    """A bare report or a structured CloudEvent; raises ``Refused`` with all errors at once."""
    found = check(raw)
    if found.report is None:
        raise Refused(found.reasons[0], found.errors)
    report = found.report
    if report.municipality is not None and not municipalities.known(report.municipality):
        raise Refused(DeadLetterReason.UNKNOWN_MUNICIPALITY, [field_error("/municipality", "unknown_municipality")])
    event = found.envelope
    return Said(report, event.data if event else raw, event.source if event else None)


def read_history(raw: bytes) -> tuple[Line, ...]:
    """The lines of a history; raises ``Refused`` with the errors of every line, each with its line number."""
    lines: list[Line] = []
    errors: list[FieldError] = []
    reasons: list[DeadLetterReason] = []
    for number, one in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not one.strip():
            continue
        try:
            lines.append(read_line(number, one))
            if len(lines) > 1 and lines[-1].at < lines[-2].at:
                errors.append(problem_of(number, "/at", "route.line_order"))
                reasons.append(DeadLetterReason.CONTRACT)
        except Refused as refusal:
            reasons.append(refusal.reason)
            errors += refusal.errors
    if errors:
        raise Refused(reasons[0], errors)
    return tuple(lines)


def read_line(number: int, raw: bytes) -> Line:
    """One line of a history; raises ``Refused`` with its errors and its number."""
    try:
        found = guard(raw, STRUCTURED_LIMIT)
    except Refused as refusal:
        raise Refused(refusal.reason, _at_line(number, "", refusal.errors)) from None
    kinds = [kind for kind in KINDS if isinstance(found, dict) and kind in found]
    if not isinstance(found, dict) or len(kinds) != 1 or set(found) - {"at", *KINDS}:
        raise Refused(DeadLetterReason.CONTRACT, [problem_of(number, "", "route.line_shape")])
    kind = kinds[0]
    at = read_moment(found.get("at"))
    errors = [problem_of(number, "/at", "route.moment")] if at is None else []
    said: Said | dict[str, Any] | None = None
    reason = DeadLetterReason.CONTRACT
    try:
        if kind == "report":
            said = read_said(orjson.dumps(found[kind]))
        elif kind == "tick":
            if found[kind] is not True:
                errors.append(problem_of(number, "/tick", "route.tick"))
        else:
            said = _draft(number, kind, found[kind])
    except Refused as refusal:
        reason = refusal.reason
        errors += _at_line(number, f"/{kind}", refusal.errors)
    if errors or at is None:
        raise Refused(reason, errors)
    return Line(number, at, kind, said)


def _draft(number: int, kind: str, given: object) -> dict[str, Any]:
    """An answer or act held against the contract, with stand-ins for what may be left out."""
    if not isinstance(given, dict):
        raise Refused(DeadLetterReason.CONTRACT, [field_error("", "object")])
    line = Line(number, 0, kind, None)
    if kind == "answer":
        stand_ins = {"answer_id": NEVER, "case_id": NEVER, "handover_id": NEVER}
        read_answer(orjson.dumps(stand_ins | {"answered_at": "2026-01-01T00:00:00Z"} | given))
    else:
        case_id = None if given.get("kind") in WITHOUT_CASE else NEVER
        read_act(orjson.dumps(_plain_act(line, NEVER, case_id) | {"done_at": "2026-01-01T00:00:00Z"} | given))
    return given


def _plain_act(line: Line, act_id: str, case_id: str | None) -> dict[str, Any]:
    return {
        "act_id": act_id,
        **({"case_id": case_id} if case_id is not None else {}),
        "done_at": moment(line.at).isoformat(),
        "actor": "proefpersoon",
        "role": "beoordelaar",
        "reason": "proef",
    }


def _at_line(number: int, below: str, errors: Sequence[FieldError]) -> list[FieldError]:
    return [one.model_copy(update={"pointer": f"/{number}{below}{one.pointer}"}) for one in errors]


def problem_of(number: int, pointer: str, key: str) -> FieldError:
    """An error of our own about a line of a history."""
    return FieldError(
        pointer=f"/{number}{pointer}",
        code=key.rpartition(".")[2],
        detail=text(key, "nl"),
        detail_en=text(key, "en"),
    )


def read_moment(found: object) -> int | None:
    """Milliseconds of an ISO time with an offset, 2000-2099; None for anything else."""
    if not isinstance(found, str) or len(found) < 11:
        return None
    try:
        said = datetime.fromisoformat(found)
    except ValueError:
        return None
    return millis(said) if said.tzinfo is not None and 2000 <= said.year <= 2099 else None


def region_for(regions: Mapping[str, RegionConfig], name: str | None, reports: Sequence[Report]) -> RegionConfig:
    """The region of that name; else, of those in which the first report's source is registered (of all, when it is in
    none), the one where the household lives, and the first when it lives in none of them.

    ``KeyError`` when there is none of that name.
    """
    if name is not None:
        return regions[name]
    possible = list(regions.values())
    for report in reports[:1]:
        possible = [one for one in possible if report.source_id in {source.id for source in one.sources}] or possible
        for config in possible:
            place = report.municipality
            if place is not None and config.directory.covers(place, report.received_at.date()):
                return config
    return possible[0]


# Showing -------------------------------------------------------------------------------------------------


def state(book: Book, record: j.Record, told: Mapping[str, str]) -> dict[str, Any]:
    """How things stand after ``record``, for the case it was about (None everywhere when it was about none).

    ``told`` is what the rules were told for it: on that the colour hangs.
    """
    case, rules = _case_of(book, record), rules_of(book)
    handover = case.current() or next(reversed(case.handovers), None) if case is not None else None
    awaits = handover is not None and handover.state in AWAITS_ANSWER
    return {
        "at": iso(record.at),
        "outcome": _outcome(record),
        "case_id": case.id if case else None,
        "colour": case.colour if case else None,
        "provisional": case.provisional if case else False,
        "reasons": [_rule(rules, rule) for rule in case.reasons] if case else [],
        "open_questions": list(case.open_questions) if case else [],
        "destination": case.destination if case else None,
        "rule": case.rule if case else None,
        "destination_reason": _rule(rules, case.rule) if case and case.rule else None,
        "owner": case.owner if case else None,
        "executor": case.executor if case else None,
        "closed": case.closed if case else False,
        "offer": _offer(handover) if handover is not None else None,
        "side_notices": [
            {"kind": event.kind, "to": event.to, "person": event.person}
            for event in record.events
            if isinstance(event, j.Told)
        ],
        "fired": [
            {
                "case_id": event.case_id,
                "handover_id": event.handover_id if isinstance(event, j.StepFired) else None,
                "term": event.term if isinstance(event, j.TermFired) else None,
                "step": event.step,
                "due": iso(event.due),
                "late": event.late,
            }
            for event in record.events
            if isinstance(event, j.StepFired | j.TermFired)
        ],
        # A term that nobody has to keep any more is not shown.
        "deadlines": {
            **({"T03": iso(handover.accept_before)} if handover is not None and awaits else {}),
            **({term: iso(due) for term, due in case.terms.items()} if case is not None else {}),
        },
        "hangs_on": _hangs_on(rules, told),
        **(besides(book, rules, case) if case is not None else {}),
        "links": _links(case, record),
        "earlier_involvement": case.involvement if case else None,
        "policy": record.policy,
    }


def besides(book: Book, rules: Rules, case: Case) -> dict[str, Any]:
    """What is so of a case besides its colour and its handover, in codes and sentences."""
    shared = book.assessment_of(case)
    kept = rules.policy.keep_reason(case.rule)
    return {
        "kept_because": {"reason": kept.id, "nl": kept.nl, "en": kept.en} if kept is not None else None,
        "standing": {what: asdict(found) for what, found in case.standing.items()},
        "prepared": [
            {"notice_id": notice_id, "rule": _rule(rules, rule or ""), "to": receiver or to, "by": by, "state": how}
            for notice_id, (rule, to, receiver, by, how) in case.prepared.items()
        ],
        "safety_conditions": [_rule(rules, rule) for rule in case.conditions],
        "board_request": {
            "met": [_rule(rules, rule) for rule in case.board_request],
            "unknown": list(case.board_unknown),
        },
        "consults": [{"to": to, "answer": answer} for to, answer in case.consults.values()],
        "roles": case.roles,
        "earlier_reports": [{"report": thread, "received": iso(received)} for thread, received in case.earlier.items()],
        "disagreement": disagreement(shared),
        "passed_over": [*case.avoided, *case.too_severe],
        "assessment": [
            {"party": part.party, "at": iso(part.at), "scale": part.scale, "indicators": part.indicators,
             "valid_until": part.valid_until}
            for part in shared
        ],
        "related": {"confirmed": case.confirmed, "unlinked": case.unlinked, "absorbed": case.absorbed},
    }  # fmt: skip


def disagreement(parts: Sequence[Part]) -> list[str]:
    """The indicators about which the parties of a shared assessment say different things."""
    said: dict[str, set[str]] = {}
    for part in parts:
        for indicator, answer in part.indicators.items():
            said.setdefault(indicator, set()).add(answer)
    return sorted(indicator for indicator, answers in said.items() if {"YES", "NO"} <= answers)


def _hangs_on(rules: Rules, told: Mapping[str, str]) -> dict[str, list[str]] | None:
    """The facts by which the rules of colour hold, those that are asked and not known, and those of which another
    value of that one alone would have given another outcome."""
    if not told:
        return None
    why = rules.colours.explain(told)
    return {"used": list(why.used), "missing": list(why.missing), "turning": list(why.turning)}


def _case_of(book: Book, record: j.Record) -> Case | None:
    named = (getattr(event, "case_id", None) for event in record.events if not isinstance(event, j.Linked))
    case_id = next((found for found in named if found is not None), None)
    if case_id is None and isinstance(record.input, j.TickInput):
        return book.cases.newest()
    return book.cases.get(case_id or "")


def _outcome(record: j.Record) -> dict[str, str | None]:
    """What came of it, by the event that says most."""
    for kind in (j.DeadLettered, j.Repeated, j.NotDecided, j.MoveRefused, j.Registered, j.ActDone, j.Answered):
        for event in record.events:
            if isinstance(event, kind):
                return {"what": event.type, "why": next(_why(event), None)}
    return {"what": "step_fired" if record.events else "nothing_due", "why": None}


def _why(event: j.Event) -> Iterator[str]:
    for name in ("reason", "why", "state", "kind"):
        if (found := getattr(event, name, None)) is not None:
            yield str(found)


def _rule(rules: Rules, rule: str) -> dict[str, str]:
    return {"rule": rule, "nl": sentence(rules, rule, "nl"), "en": sentence(rules, rule, "en")}


def _offer(handover: Handover) -> dict[str, Any]:
    return {
        "handover_id": handover.id,
        "receiver": handover.receiver,
        "state": handover.state,
        "contact_person": handover.contact_person,
        "dv_specialist": handover.dv_specialist,
        "ladder": [
            {"step": step.name, "due": iso(step.due), "tells": list(step.tells), "fired": place < handover.next_step}
            for place, step in enumerate(handover.ladder)
        ],
        "again": iso(handover.again) if handover.again is not None else None,
        "falls": iso(handover.falls) if handover.falls is not None else None,
        "shows": iso(handover.shows) if handover.shows is not None else None,
    }


def _links(case: Case | None, record: j.Record) -> list[dict[str, str]]:
    """Of a report: what it was linked by; otherwise all that the case was ever linked by."""
    if isinstance(record.input, j.ReportInput):
        found = [(one.case_id, one.kind, one.certainty) for one in record.events if isinstance(one, j.Linked)]
    else:
        found = [(link[0], link[1], link[2]) for link in case.links] if case is not None else []
    return [{"case_id": of, "kind": kind, "certainty": sure} for of, kind, sure in dict.fromkeys(found)]


def iso(ms: int) -> str:
    """A moment as people here read it, with its offset."""
    return moment(ms).astimezone(AMSTERDAM).isoformat()
