"""What must hold of what a schedule left on the broker. Each finding is a sentence; none means that all is well."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from agents.casework.case import AWAITS_ANSWER, OPEN, Case, Handover
from agents.casework.writer import CaseworkWriter
from agents.stage.clock import JUMP_MS
from agents.stage.lane import Arrived
from agents.stage.reading import arrived
from agents.stage.takeover import LANES
from tests.cases import REGION, WORK
from tests.simulation.broker import Broker, Stored
from tests.simulation.ground import small
from tests.simulation.processes import FROM_OUTSIDE, PARTITION, Casework
from tests.simulation.run import Outcome
from tests.storm.again import decided_again
from tests.storm.history import History, check
from tests.world import whole
from topics import journal as j
from topics import specs
from topics.codes import Colour

GONE = {"REFUSED", "RETURNED", "RECALLED", "SUPERSEDED"}


@dataclass(frozen=True, slots=True)
class Written:
    """A journal record where it lies."""

    stored: Stored
    record: j.Record


def findings(outcome: Outcome, *, deep: bool) -> list[str]:
    """All that is wrong. ``deep``: also whether the last snapshot folds to the same, and whether the journal's inputs,
    decided again, give its events."""
    if outcome.failed is not None:
        return [f"it ends with {outcome.failed}"]
    with small(cold=outcome.schedule.cold):
        try:
            return _findings(outcome, deep=deep)
        except Exception as error:
            return [f"what is left makes no sense: {type(error).__name__}: {error}"]


def _findings(outcome: Outcome, *, deep: bool) -> list[str]:
    broker = outcome.broker
    journal = [
        Written(stored, j.decode(stored.value or b"")) for stored in broker.read((specs.JOURNAL.topic(), PARTITION))
    ]
    records = [found.record for found in journal]
    outcome.happened.update(f"event {event.type}" for record in records for event in record.events)
    history = _history(outcome, journal)
    wrong = vars(check(history))
    # A record says that it is late by when it was decided, and here hours may lie between that and its writing.
    del wrong["late"]
    found = [f"{what}: {one}" for what, some in wrong.items() for one in some]
    found += _openable(history, records)
    found += _in_time(journal)
    found += _no_automation(records)
    assert outcome.writer is not None
    found += _cases(outcome.writer, records)
    found += _folds(outcome.writer, broker, journal, deep=deep)
    if deep and not any(isinstance(event, j.Erased) for record in records for event in record.events):
        found += _decided_again(broker, journal)
    return found


def _history(outcome: Outcome, journal: list[Written]) -> History:
    broker = outcome.broker
    history = History(published=outcome.published)
    history.said = {topic: len(broker.logs[topic, 0]) for topic in FROM_OUTSIDE if not specs.REPORTS.owns(topic)}
    history.journal[REGION] = [found.record for found in journal]
    # By true time: the stamps are of a clock that leaps.
    history.stamps[REGION] = [found.stored.true for found in journal]
    for stored in broker.all(specs.QUEUE):
        offer = dict(stored.headers)["ce_type"] == specs.OFFER_TYPE.encode()
        receiver = specs.QUEUE.member(stored.topic)
        (history.offers if offer else history.recalls)[receiver].append(orjson.loads(stored.value or b""))
    for stored in broker.all(specs.NOTICES):
        history.notices[specs.NOTICES.member(stored.topic)].append(orjson.loads(stored.value or b""))
    for stored in broker.all(specs.RECEIPTS):
        history.receipts[specs.RECEIPTS.member(stored.topic)].append(orjson.loads(stored.value or b""))
    history.letters = [
        orjson.loads(stored.value or b"") for stored in broker.read((specs.DEADLETTERS.topic(), PARTITION))
    ]
    for stored in broker.read((specs.KEYS.topic(), PARTITION)):
        history.keys[(stored.key or b"").decode()] = stored.value
    return history


def _openable(history: History, records: list[j.Record]) -> Iterator[str]:
    """What was sent can be opened by whom it was sent to, unless it was erased."""
    erased = {
        key_id
        for record in records
        for event in record.events
        if isinstance(event, j.Erased)
        for key_id in event.key_ids
    }
    for message in (said for some in (history.offers, history.notices) for all_ in some.values() for said in all_):
        content = message["content"]
        if content is not None and history.keys.get(content["key_id"]) is None and content["key_id"] not in erased:
            yield f"lost: the key of what {message['case_id']} was sent with"


def _in_time(journal: list[Written]) -> Iterator[str]:
    """A wrong stamp does not carry the region's time away: every term that is said from then on starts with it."""
    for found in journal:
        ahead = found.record.at - found.stored.true
        if ahead > JUMP_MS:
            yield f"record {found.record.seq} is {ahead} ms ahead of time"


# No automation lowers or lengthens ----------------------------------------------------------------------------


def _no_automation(records: list[j.Record]) -> Iterator[str]:
    """A colour goes down, and a deadline is moved, by a person alone."""
    colours: dict[str, str | None] = {}
    closed: set[str] = set()
    offered: dict[str, j.Offered] = {}
    states: dict[str, str] = {}
    for record in records:
        acts = {event.case_id: event for event in record.events if isinstance(event, j.ActDone)}
        gone: list[j.Offered] = []
        registered = {event.case_id for event in record.events if isinstance(event, j.Registered)}
        for event in record.events:
            match event:
                case j.Triaged():
                    before = colours.get(event.case_id)
                    new_episode = event.case_id in closed and event.case_id in registered
                    if before is not None and event.case_id not in acts and not new_episode and _lower(event, before):
                        yield f"{event.case_id} goes from {before} to {event.colour} by itself"
                    colours[event.case_id] = event.colour
                case j.ActDone():
                    needs_two = event.kind == "LOWER" and colours.get(event.case_id) in ("ORANGE", "RED")
                    if needs_two and event.second in (None, event.actor):
                        yield f"{event.case_id} is lowered by one person"
                    if event.kind in ("CLOSE", "REOPEN"):
                        (closed.add if event.kind == "CLOSE" else closed.discard)(event.case_id)
                    colours[event.case_id] = event.colour
                case j.Answered():
                    if event.released:
                        states[event.handover_id] = event.state
                case j.TakenBack():
                    if event.state == "SUPERSEDED" and states.get(event.handover_id) in AWAITS_ANSWER:
                        gone.append(offered[event.handover_id])
                    states[event.handover_id] = event.state
                case j.Offered():
                    for former in gone:
                        if former.case_id == event.case_id and former.receiver == event.receiver:
                            yield from _lengthened(former, event, record.at)
                    offered[event.handover_id] = event
                    states[event.handover_id] = "OFFERED"
                case _:
                    pass
        closed -= registered


def _lower(event: j.Triaged, before: str) -> bool:
    return event.colour is None or Colour(event.colour).severity < Colour(before).severity


def _lengthened(former: j.Offered, event: j.Offered, now: int) -> Iterator[str]:
    if event.accept_before > former.accept_before:
        yield f"{event.handover_id} has more time than {former.handover_id} that it replaces"
    before = {step.name: step.due for step in former.ladder}
    for step in event.ladder:
        if step.name in before and step.due > max(before[step.name], now):
            yield f"{step.name} of {event.handover_id} is due later than of {former.handover_id}"


# Cases ----------------------------------------------------------------------------------------------------------


def _cases(writer: CaseworkWriter, records: list[j.Record]) -> Iterator[str]:
    """Somebody has each open case, one offer is waited for, and what is gone has a successor."""
    terms = {event.handover_id: event for record in records for event in record.events if isinstance(event, j.Offered)}
    earliest: int | None = None
    entries: Counter[str] = Counter()
    for case in writer.book.cases.values():
        entries.update(entry.identity for entry in case.entries)
        awaited = [handover for handover in case.handovers if handover.state in AWAITS_ANSWER]
        if len(awaited) > 1:
            yield f"{case.id} waits for {len(awaited)} receivers"
        for handover in awaited:
            due = handover.due()
            if due is None:
                yield f"nothing ends the wait for {handover.id}"
            elif earliest is None or due < earliest:
                earliest = due
        owed = case.step_due()
        if owed is not None and (earliest is None or owed < earliest):
            earliest = owed
        if case.closed and WORK & set(case.terms):
            yield f"work is owed on {case.id}, which is closed"
        if not set(case.steps) <= set(case.terms):
            yield f"a step is waited for on {case.id} for what is not owed"
        yield from _succeeded(case)
        for handover in case.handovers:
            if handover.id not in terms:
                yield f"{handover.id} was offered by no record"
            elif handover.accept_before != terms[handover.id].accept_before:
                yield f"{handover.id} has another term than it was offered with"
    if writer.book.due() != earliest:
        yield f"the clock waits for {writer.book.due()}, and {earliest} is the earliest deadline"
    yield from (f"{identity} is in {times} cases" for identity, times in entries.items() if times > 1)


def _succeeded(case: Case) -> Iterator[str]:
    handovers: list[Handover] = case.handovers
    for place, handover in enumerate(handovers):
        if handover.state in GONE and place + 1 == len(handovers) and not case.closed:
            yield f"nobody comes after {handover.id}"
    if not case.closed and not any(found.state in OPEN for found in handovers) and handovers[-1].state != "COMPLETED":
        yield f"{case.id} is with nobody"


# One truth ------------------------------------------------------------------------------------------------------


def _folds(writer: CaseworkWriter, broker: Broker, journal: list[Written], *, deep: bool) -> Iterator[str]:
    """The live book, the fold of the journal, and the last snapshot with the journal after it: byte for byte."""
    live = writer.book.encode()
    keys = _compacted(broker, specs.KEYS)
    folded, _ = _restored(writer, {}, keys, journal)
    if folded.book.encode() != live:
        yield "the journal folds to another book"
    snapshot = _compacted(broker, specs.SNAPSHOTS) if deep else {}
    if f"{REGION}/manifest".encode() in snapshot:
        folded, used = _restored(writer, snapshot, keys, journal)
        if not used:
            yield "the last snapshot cannot be used"
        elif folded.book.encode() != live:
            yield "the last snapshot and the journal after it fold to another book"


def _restored(
    writer: CaseworkWriter, snapshot: dict[bytes, bytes], keys: dict[bytes, bytes], journal: list[Written]
) -> tuple[CaseworkWriter, bool]:
    """A writer with the book of the snapshot and the journal after it, and whether the snapshot was of any use."""
    other = Casework.writer(type(writer), writer._entropy)
    start = whole(other.restore(snapshot, keys))
    for found in journal:
        if found.stored.offset >= (start or 0):
            other.replay(found.stored.value or b"", found.stored.offset)
    return other, start is not None


def _compacted(broker: Broker, spec: specs.TopicSpec) -> dict[bytes, bytes]:
    latest: dict[bytes, bytes] = {}
    for stored in broker.read((spec.topic(), PARTITION)):
        if stored.key is not None and stored.value is not None:
            latest[stored.key] = stored.value
        elif stored.key is not None:
            latest.pop(stored.key, None)
    return latest


def _decided_again(broker: Broker, journal: list[Written]) -> Iterator[str]:
    """Another worker that gets the journal's inputs, in the journal's order, writes the journal's records."""
    other = Casework.writer(CaseworkWriter, lambda length: bytes(length))
    whole(other.restore({}, _compacted(broker, specs.KEYS)))

    taken_at = {(found.record.lane, found.record.offset): found.record.at for found in journal}

    def lane(name: str, offset: int) -> Arrived:
        # A stamp that had leapt was not believed; the record says what was.
        return replace(arrived(broker.logs[LANES[name], PARTITION][offset]), at=taken_at[name, offset])

    before = [found.stored.value or b"" for found in journal]
    again = list(decided_again(other, before, lane))
    yield from (
        f"record {place} is decided otherwise the second time"
        for place, (one, two) in enumerate(zip(before, again, strict=True))
        if one != two
    )
