"""What intake makes of one published record: a sealed message for a region's lane. Pure.

Good or bad, every record ends on a lane: what cannot be read goes there as a refused input, so that
casework writes its dead letter and its receipt exactly once.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID, uuid5

import orjson

from agents.facts import facts_of, facts_of_transferred
from agents.matching import encode_links, links_of
from agents.policy.directory import Source
from agents.policy.model import millis, readable
from agents.policy.region import RegionConfig
from agents.reference import municipalities
from agents.sealing import CannotOpen, Entropy, RegionKeys, seal, unseal, unwrap_with
from agents.stage.lane import Arrived
from topics import envelope, safejson, specs
from topics import journal as j
from topics.answers import Act, Answer
from topics.codes import DeadLetterReason, HandoverState, TransferMove
from topics.offers import AssessmentShared
from topics.problems import Refused, field_error
from topics.reading import read, read_act, read_answer, read_report, read_transfer
from topics.reports import Report
from topics.transfers import Content, Transfer, TransferredReport

AHEAD_MS = 5 * 60_000
PACKED_FROM = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Who may publish what, over all regions of this cluster."""

    regions: Mapping[str, RegionConfig]
    sources: Mapping[str, tuple[Source, tuple[str, ...]]]
    """Source id -> its registration and the regions that registered it."""
    receivers: Mapping[str, str]
    """Receiver id -> its region."""


def registry(regions: Mapping[str, RegionConfig]) -> Registry:
    """The registry of these regions."""
    sources: dict[str, tuple[Source, tuple[str, ...]]] = {}
    for name, config in regions.items():
        for source in config.sources:
            sources[source.id] = (source, (*sources.get(source.id, (source, ()))[1], name))
    receivers = {found.id: name for name, config in regions.items() for found in config.directory.own()}
    return Registry(regions=regions, sources=sources, receivers=receivers)


@dataclass(frozen=True, slots=True)
class Brought:
    """Where a record goes: a lane's topic, the region's partition, and the message."""

    lane: str
    partition: int
    region: str
    message: j.LaneMessage


def bring(record: Arrived, known: Registry, key_id: str, entropy: Entropy) -> Brought:
    """The lane message of one published record. ``key_id`` is fresh for each copy."""
    if specs.ANSWERS.owns(record.topic):
        receiver = specs.ANSWERS.member(record.topic)
        config = known.regions[known.receivers[receiver]]
        return _said(record, config, receiver, key_id, entropy)
    if specs.ACTS.owns(record.topic):
        region = specs.ACTS.member(record.topic)
        return _said(record, known.regions[region], region, key_id, entropy)
    if specs.TRANSFERS.owns(record.topic):
        return _transfer(record, known.regions[specs.TRANSFERS.member(record.topic)], key_id, entropy)
    source, names = known.sources[specs.REPORTS.member(record.topic)]
    configs = [known.regions[name] for name in names]
    try:
        report, data = _read_report(record, source)
        config = _region(report, configs)
    except Refused as refused:
        # A source of several regions that cannot be read is looked at by the first of them.
        return _refused(record, configs[0], source.id, source.kind.value, refused, key_id, entropy)
    return _report(record, config, source, report, data, key_id, entropy)


def put_aside(record: Arrived, known: Registry, key_id: str, entropy: Entropy) -> Brought:
    """The lane message of a record on which ``bring`` failed by a fault of ours: whole, for a person."""
    refused = Refused(DeadLetterReason.UNDECIDABLE, ())
    if specs.REPORTS.owns(record.topic):
        source, names = known.sources[specs.REPORTS.member(record.topic)]
        return _refused(record, known.regions[names[0]], source.id, source.kind.value, refused, key_id, entropy)
    if specs.ANSWERS.owns(record.topic):
        sender = specs.ANSWERS.member(record.topic)
        config = known.regions[known.receivers[sender]]
    else:
        family = specs.ACTS if specs.ACTS.owns(record.topic) else specs.TRANSFERS
        sender = family.member(record.topic)
        config = known.regions[sender]
    return _refused(record, config, sender, "OTHER", refused, key_id, entropy)


def _read_report(record: Arrived, source: Source) -> tuple[Report, bytes]:
    said = envelope.read(record.headers, record.key, record.value)
    _right_type(said.type, specs.REPORT_TYPE)
    if said.source != source.source:
        raise Refused(DeadLetterReason.SOURCE_MISMATCH, (field_error("/source", "source_mismatch"),))
    report = read_report(said.data)
    if report.source_id != source.id:
        raise Refused(DeadLetterReason.SOURCE_MISMATCH, (field_error("/source_id", "source_mismatch"),))
    if report.municipality is not None and not municipalities.known(report.municipality):
        raise Refused(DeadLetterReason.UNKNOWN_MUNICIPALITY, (field_error("/municipality", "unknown_municipality"),))
    return report, said.data


def _right_type(found: str, wanted: str) -> None:
    if found != wanted:
        raise Refused(DeadLetterReason.ENVELOPE, (field_error("/type", "wrong_type", allowed=wanted),))


def _region(report: Report, configs: list[RegionConfig]) -> RegionConfig:
    """The registering region where the household lives; else the region that the source is registered in.

    That is the one that names its municipality; else where that lies by our own table; else the one that names what it
    was or will be.
    """
    code, on = report.municipality, report.received_at.date()
    if code is None or len(configs) == 1:
        return configs[0]
    now, home = municipalities.current(code, on), municipalities.region_of(code, on)
    found = (
        [config for config in configs if now in config.directory.municipalities],
        [config for config in configs if config.name == home],
        [config for config in configs if config.directory.covers(code, on)],
    )
    return next(filter(None, found), configs)[0]


def _report(
    record: Arrived,
    config: RegionConfig,
    source: Source,
    report: Report,
    data: bytes,
    key_id: str,
    entropy: Entropy,
) -> Brought:
    key = entropy(32)
    received = millis(report.received_at)
    parts = {
        "facts": facts_of(report, config.directory).encode(),
        "links": encode_links(links_of(report, config.keys)),
        "rest": orjson.dumps(_rest(report)),
        "reporter": orjson.dumps(report.reporter.model_dump(mode="json", exclude_none=True)),
    }
    sealed = {part: seal(key, key_id, part, plain, entropy) for part, plain in parts.items()}
    said = report_input(_origin(record), report, data, source.kind.value, config.keys, key_id, sealed)
    warnings: tuple[dict[str, Any], ...] = ()
    if received - record.at > AHEAD_MS:
        warnings = (field_error("/received_at", "ahead_of_broker").model_dump(mode="json"),)
    return _brought(specs.INBOX, record, config, said, key, entropy, None, warnings)


def _said(record: Arrived, config: RegionConfig, sender: str, key_id: str, entropy: Entropy) -> Brought:
    """An answer of a receiver or an act of the centre, for the desk."""
    is_answer = specs.ANSWERS.owns(record.topic)
    try:
        said = envelope.read(record.headers, record.key, record.value)
        _right_type(said.type, specs.ANSWER_TYPE if is_answer else specs.ACT_TYPE)
        message = read_answer(said.data) if is_answer else read_act(said.data)
        if isinstance(message, Act) and message.policy is not None and not readable(message.policy):
            raise Refused(DeadLetterReason.CONTRACT, (field_error("/policy", "policy"),))
    except Refused as refused:
        return _refused(record, config, sender, "OTHER", refused, key_id, entropy)
    key = entropy(32)
    made: j.AnswerInput | j.ActInput
    if isinstance(message, Answer):
        told = {"note": message.note, "phone": message.phone.model_dump(mode="json") if message.phone else None}
        words = {"note": orjson.dumps(told)} if any(value is not None for value in told.values()) else {}
        sealed = {part: seal(key, key_id, part, plain, entropy) for part, plain in words.items()}
        made = answer_input(_origin(record), message, sender, key_id, sealed)
    else:
        words = {"reason": message.reason.encode()}
        if (spoken := _spoken(message)) is not None:
            words["spoken"] = orjson.dumps(spoken)
        sealed = {part: seal(key, key_id, part, plain, entropy) for part, plain in words.items()}
        made = act_input(_origin(record), message, key_id, sealed)
    return _brought(specs.DESK, record, config, made, key, entropy, None, ())


def _transfer(record: Arrived, config: RegionConfig, key_id: str, entropy: Entropy) -> Brought:
    """What another centre says about a case, for the desk: its reports are split and sealed as if they came here."""
    try:
        said = envelope.read(record.headers, record.key, record.value)
        _right_type(said.type, specs.TRANSFER_TYPE)
        message = read_transfer(said.data)
        centre = config.directory.centre_of(message.sender)
        if centre is None or message.region != config.name:
            raise Refused(DeadLetterReason.SOURCE_MISMATCH, (field_error("/sender", "source_mismatch"),))
        content = _transferred(message, config) if message.content is not None else Content(reports=())
        told = content.reports
        if len(told) != len(message.reports):
            raise Refused(DeadLetterReason.CONTRACT, (field_error("/reports", "other"),))
    except Refused as refused:
        return _refused(record, config, config.name, "OTHER", refused, key_id, entropy)
    key, keys = entropy(32), dict[str, tuple[str, str]]()
    sealed: dict[str, str] = {}
    for number, report in enumerate(told):
        # Each has a key of its own: one may turn out to be of another household, and be destroyed with that.
        own, own_id = entropy(32), str(uuid5(UUID(key_id), str(number)))
        keys[own_id] = config.keys.wrapped(own)
        parts = {
            "facts": facts_of_transferred(report, config.directory).encode(),
            "links": encode_links(links_of(report, config.keys)),
            "rest": orjson.dumps(_rest(report)),
        }
        sealed |= {
            name: seal(own, own_id, name, plain, entropy)
            for name, plain in ((f"{part}-{number}", plain) for part, plain in parts.items())
        }
    for number, part in enumerate(content.assessment):
        agreed = orjson.dumps({"conditions": part.conditions})
        sealed |= {(name := f"spoken-{number}"): seal(key, key_id, name, agreed, entropy)}
    made = transfer_input(_origin(record), message, centre.id, key_id, sealed, tuple(keys), content.assessment)
    return _brought(specs.DESK, record, config, made, key, entropy, None, (), keys)


def _transferred(message: Transfer, config: RegionConfig) -> Content:
    """What is sealed in an offer; ``CannotOpen`` when it was not sealed for this centre."""
    sealed = message.content
    assert sealed is not None
    private = config.transfer_keys.get(sealed.kid)
    if private is None:
        raise CannotOpen(sealed.kid)
    key_id = str(sealed.key_id)
    raw = zlib.decompress(unseal(unwrap_with(private, sealed.jwe), key_id, "transfer", sealed.data))
    return read(raw, Content, len(raw))


def transfer_input(
    origin: j.Origin,
    message: Transfer,
    centre: str,
    key_id: str,
    sealed: dict[str, str],
    key_ids: Sequence[str],
    assessment: Sequence[AssessmentShared],
) -> j.AnswerInput | j.TransferInput:
    """What another centre says, as casework decides it: of a case that went there it is an answer as any other."""
    if message.move is TransferMove.ANSWERED:
        return j.AnswerInput(
            origin=origin,
            receiver=centre,
            answer_id=str(message.transfer_id),
            case_id=str(message.case_id),
            handover_id=str(message.handover_id),
            state=(message.state or HandoverState.RECEIVED).value,
            reason=message.reason.value if message.reason else None,
            by=None,
            answered=message.at,
            phoned=False,
            municipality=message.municipality,
            key_id=key_id,
            sealed={},
        )
    return j.TransferInput(
        origin=origin,
        transfer_id=str(message.transfer_id),
        move=message.move.value,
        sender=message.sender,
        case_id=str(message.case_id),
        handover_id=str(message.handover_id) if message.handover_id else None,
        owner=centre,
        colour=message.colour.value if message.colour else None,
        provisional=message.provisional,
        reasons=message.reasons,
        terms=message.terms,
        standing={what.value: stood.model_dump(mode="json") for what, stood in message.standing.items()},
        reports=tuple(
            j.TransferredReport(**{**one.model_dump(mode="json"), "report_id": str(one.report_id), "key_id": own_id})
            for one, own_id in zip(message.reports, key_ids, strict=True)
        ),
        state=message.state.value if message.state else None,
        kind=message.kind.value if message.kind else None,
        test=message.test,
        key_id=key_id,
        sealed=sealed,
        assessment=tuple(part.model_dump(mode="json", exclude={"conditions"}) for part in assessment),
    )


def report_input(
    origin: j.Origin,
    report: Report,
    data: bytes,
    source_kind: str,
    keys: RegionKeys,
    key_id: str,
    sealed: dict[str, str],
) -> j.ReportInput:
    """A report as casework decides it; ``data`` are its bytes, of which the fingerprint is taken."""
    return j.ReportInput(
        origin=origin,
        source=report.source_id,
        source_kind=source_kind,
        report_id=str(report.report_id),
        version=report.version,
        kind=report.kind.value,
        # Terms start at the earlier of the two: an outage of ours lengthens nothing.
        received=min(millis(report.received_at), origin.arrived),
        fingerprint=keys.fingerprint(canonical(data)),
        test=report.test,
        key_id=key_id,
        sealed=sealed,
    )


def answer_input(origin: j.Origin, answer: Answer, receiver: str, key_id: str, sealed: dict[str, str]) -> j.AnswerInput:
    """An answer as casework decides it; ``receiver`` is whose topic it came from."""
    return j.AnswerInput(
        origin=origin,
        receiver=receiver,
        answer_id=str(answer.answer_id),
        case_id=str(answer.case_id),
        handover_id=str(answer.handover_id),
        state=answer.state,
        reason=answer.reason.value if answer.reason else None,
        by=answer.by,
        answered=millis(answer.answered_at),
        phoned=answer.phone is not None,
        municipality=answer.municipality,
        helper=answer.helper,
        key_id=key_id,
        sealed=sealed,
    )


def act_input(origin: j.Origin, act: Act, key_id: str, sealed: dict[str, str]) -> j.ActInput:
    """An act as casework decides it."""
    return j.ActInput(
        origin=origin,
        act_id=str(act.act_id),
        case_id=str(act.case_id) if act.case_id is not None else None,
        kind=act.kind.value,
        actor=act.actor,
        role=act.role,
        second=act.second,
        colour=act.colour.value if act.colour else None,
        indicators={indicator.value: answer.value for indicator, answer in act.indicators.items()},
        done=millis(act.done_at),
        key_id=key_id,
        sealed=sealed,
        details=_details(act),
    )


def _details(act: Act) -> dict[str, Any]:
    """What belongs to the kind of an act, without what was said in words."""
    names = {
        "rating",
        "outcome",
        "hold",
        "other_case",
        "notices",
        "handover",
        "reports",
        "board",
        "found",
        "case_role",
        "to",
        "term",
        "policy",
    }
    found = act.model_dump(mode="json", exclude_none=True, include=names)
    for name in ("notices", "reports"):
        if not found[name]:
            del found[name]
    if act.due is not None:
        found["due"] = millis(act.due)
    if (standing := act.standing) is not None:
        found["standing"] = standing.model_dump(mode="json", exclude_none=True, include={"measure", "state", "until"})
        found["standing"]["since"] = millis(standing.since or act.done_at)
    if act.part is not None:
        found["part"] = act.part.model_dump(mode="json", exclude_none=True, exclude={"conditions"})
    return found


def _spoken(act: Act) -> dict[str, Any] | None:
    """What was said in words: a call, agreed conditions."""
    found: dict[str, Any] = {}
    if act.phone is not None:
        found["phone"] = act.phone.model_dump(mode="json", exclude_none=True)
    if act.part is not None and act.part.conditions:
        found["conditions"] = list(act.part.conditions)
    return found or None


def _refused(
    record: Arrived,
    config: RegionConfig,
    source: str,
    source_kind: str,
    refused: Refused,
    key_id: str,
    entropy: Entropy,
) -> Brought:
    key = entropy(32)
    report_id, version = _named(record)
    said = j.RefusedInput(
        origin=_origin(record),
        source=source,
        source_kind=source_kind,
        reason=refused.reason.value,
        acute=safejson.acute_indicator(record.value or b"") is not None,
        report_id=report_id,
        version=version,
        key_id=key_id,
    )
    lane = specs.INBOX if specs.REPORTS.owns(record.topic) else specs.DESK
    return _brought(lane, record, config, said, key, entropy, refused.problem().model_dump(mode="json"), ())


def _brought(
    lane: specs.TopicSpec,
    record: Arrived,
    config: RegionConfig,
    said: j.Input,
    key: bytes,
    entropy: Entropy,
    problem: dict[str, Any] | None,
    warnings: tuple[dict[str, Any], ...],
    keys: dict[str, tuple[str, str]] | None = None,
) -> Brought:
    assert not isinstance(said, j.TickInput | j.ConfigureInput)
    wrap, wrapped = config.keys.wrapped(key)
    message = j.LaneMessage(
        region=config.name,
        wrap=wrap,
        wrapped=wrapped,
        original=seal(key, said.key_id, "original", original(record), entropy),
        problem=problem,
        warnings=warnings,
        input=said,
        keys=keys or {},
    )
    return Brought(lane.topic(), config.partition, config.name, message)


def original(record: Arrived) -> bytes:
    """A record as it came, with key and headers, so that it can be looked at and sent in again.

    Many small headers take much more room in JSON than on the wire: what is large is packed.
    """
    plain = orjson.dumps(
        {
            "key": record.key.hex() if record.key is not None else None,
            "value": record.value.hex() if record.value is not None else None,
            "headers": [[name.encode("utf-8", "surrogateescape").hex(), _hex(value)] for name, value in record.headers],
        }
    )
    return plain if len(plain) <= PACKED_FROM else zlib.compress(plain, 1)


def read_original(raw: bytes) -> dict[str, Any]:
    """The record again: ``key``, ``value`` and ``headers`` in hexadecimal, None where there was nothing."""
    found: dict[str, Any] = orjson.loads(raw if raw.startswith(b"{") else zlib.decompress(raw))
    return found


def _hex(value: bytes | None) -> str | None:
    return value.hex() if value is not None else None


def canonical(data: bytes) -> bytes:
    """The same content in one form: white space and the order of fields do not make it another report."""
    # A byte order mark is let pass when a report is read; orjson would stop at it.
    return orjson.dumps(orjson.loads(data.removeprefix(b"\xef\xbb\xbf")), option=orjson.OPT_SORT_KEYS)


def _rest(report: Report | TransferredReport) -> dict[str, Any]:
    """What a receiver may need, and never the reporter."""
    found = report.model_dump(
        mode="json",
        exclude_none=True,
        include={
            "received_at",
            "occasions",
            "violence_kinds",
            "extra_flags",
            "participants",
            "address",
            "narrative",
            "help_running",
            "shelter_safety_code",
            "attachments",
            "source_ref",
            "disclosure_ground",
            "board_investigation",
        },
    )
    found["received_at"] = report.received_at.astimezone(UTC).isoformat()
    return found


def _origin(record: Arrived) -> j.Origin:
    return j.Origin(topic=record.topic, partition=record.partition, offset=record.offset, arrived=record.at)


def _named(record: Arrived) -> tuple[str | None, int | None]:
    """Report id and version of what was refused, when they can be read and are nothing else than that."""
    try:
        found = safejson.guard(record.value or b"")
    except Refused:
        return None, None
    if isinstance(found, dict) and isinstance(found.get("data"), dict):
        found = found["data"]
    if not isinstance(found, dict):
        return None, None
    report_id, version = found.get("report_id"), found.get("version", 1)
    if not isinstance(report_id, str) or not _is_uuid(report_id):
        return None, None
    return report_id.lower(), version if type(version) is int and 1 <= version <= 999 else None


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and all(
        sign == "-" if place in (8, 13, 18, 23) else sign in "0123456789abcdefABCDEF" for place, sign in enumerate(text)
    )
