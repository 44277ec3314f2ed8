"""A journal record in words: what came, and what followed from it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.words import colour_name, language, local_time, say

if TYPE_CHECKING:
    from topics import journal as j

_CODES = {
    "certainty": "Certainty",
    "destination": "Destination",
    "state": "HandoverState",
    "wanted": "HandoverState",
    "involvement": "EarlierInvolvement",
}


def lines_of(record: "j.Record") -> list[str]:
    """A line for each event, as a person says it; at least one."""
    return [_event(record, event) for event in record.events] or [say("story.nothing")]


def about(record: "j.Record", case_id: str) -> "j.Record":
    """The record with only what followed for this case, or for none: what is due of several households at once stands
    in one record."""
    events = tuple(event for event in record.events if getattr(event, "case_id", None) in (None, case_id))
    return replace(record, events=events)


def came(record: "j.Record") -> str:
    """What came in."""
    said: Any = record.input
    match said.type:
        case "report":
            return say("story.in.report", kind=code("ReportKind", said.kind), source=said.source)
        case "refused":
            return say("story.in.refused", source=said.source)
        case "answer":
            return say("story.in.answer", receiver=said.receiver, state=code("HandoverState", said.state))
        case "act":
            return say("story.in.act", actor=said.actor, kind=code("ActKind", said.kind))
        case "transfer":
            return say("story.in.transfer", region=said.sender, move=code("TransferMove", said.move))
        case "tick":
            return say("story.in.tick")
        case _:
            return say("story.in.configure")


def cases_of(record: "j.Record") -> list[str]:
    """The cases that a record is about: those of its events, else the one that its input names."""
    found = [case for event in record.events if (case := getattr(event, "case_id", None))]
    named = getattr(record.input, "case_id", None)
    return list(dict.fromkeys([*found, *([named] if named else [])]))


def refused(record: "j.Record") -> bool:
    """Whether what was asked for did not happen."""
    return any(event.type in ("move_refused", "dead_lettered") for event in record.events)


def code(name: str, value: str | None) -> str:
    """A code for a person: its Dutch label, or the code itself in plain letters."""
    import topics.codes

    if value is None:
        return "-"
    if language() == "en":
        return value.lower().replace("_", " ")
    try:
        return str(getattr(topics.codes, name)(value).nl)
    except ValueError:
        return value


def step(name: str) -> str:
    """A step of a ladder."""
    own = name in ("RECALLED", "HELD", "SHOWN")
    return say(f"story.step.{name.lower()}") if own else code("NoticeKind", name)


def _event(record: "j.Record", event: Any) -> str:
    given: dict[str, Any] = {
        name: value for name in event.__dataclass_fields__ if not isinstance(value := getattr(event, name), tuple)
    }
    for name, kind in _CODES.items():
        if name in given:
            given[name] = code(kind, given[name])
    if "colour" in given:
        given["colour"] = colour_name(given["colour"])
    for name in ("accept_before", "due", "again"):
        if isinstance(given.get(name), int | None) and name in given:
            given[name] = local_time(given[name])
    key = f"story.{event.type}"
    match event.type:
        case "registered" if event.opened:
            key = "story.opened"
        case "linked":
            given["kind"] = code("LinkKind", event.kind)
        case "triaged":
            given["reasons"] = ", ".join(event.reasons) or "-"
            key += "_provisional" if event.provisional else ""
        case "offered":
            given["short"] = event.handover_id[:8]
            given["falls"] = local_time(event.falls)
            key += "_held" if event.falls is not None else ""
        case "offer_paused":
            given["falls"], given["shows"] = local_time(event.falls), local_time(event.shows)
            key += "_falls" if event.falls is not None else "_shows" if event.shows is not None else ""
        case "answered" if event.reason is not None:
            given["reason"] = code("RefusalReason", event.reason)
            key = "story.answered_reason"
        case "step_fired" | "term_fired":
            given["step"] = step(event.step)
            given["tells"] = ", ".join(event.tells) or "-"
            key += "_late" if event.late else ""
        case "told":
            given["kind"] = code("NoticeKind", event.kind)
            key += "_owed" if event.term is not None else ""
        case "not_decided":
            given["why"] = say(f"story.why.{event.why}")
        case "standing_changed":
            given["what"], given["state"] = code("Standing", event.what), code("StandingState", event.state)
        case "passed_over":
            given["whom"] = ", ".join(event.whom)
        case "investigated":
            given["found"] = code("InvestigationOutcome", event.found)
            key += "_refuted" if event.threads else ""
        case "prepared":
            given["to"] = event.receiver or event.to.lower()
            key += "_call" if event.by == "PHONE" else ""
        case "released":
            given["how"] = code("NoticeState", event.how)
        case "not_delivered":
            key += "_call" if event.by == "PHONE" else ""
        case "transfer_ended":
            key += "_ours" if event.state == "ACCEPTED" else ""
        case "transfer_taken" | "transfer_answered":
            given["short"] = event.other_case[:8]
        case "reports_moved":
            given["short"], given["count"] = event.to[:8], len(event.threads)
        case "same_incident":
            given["count"] = len(event.threads)
        case "related":
            given["how"], given["short"] = code("Relation", event.how), event.other[:8]
        case "role_given":
            given["role"] = code("CaseRole", event.role)
        case "terms_changed":
            given["due"] = ", ".join(f"{term} {local_time(due)}" for term, due in event.due.items()) or "-"
            given["ended"] = ", ".join(event.ended) or "-"
        case "assessment_added":
            given["scale"] = "-" if event.scale is None else event.scale
        case "dead_lettered":
            given["reason"] = code("DeadLetterReason", event.reason)
        case "act_done":
            given["kind"] = code("ActKind", event.kind)
        case "erased":
            given["count"] = len(event.key_ids)
    left = f" {say('story.empty')}" if given.get("empty") else ""
    return say(key, **given) + left
