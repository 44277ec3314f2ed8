"""What must hold of what a schedule left on the broker. Each finding is a sentence; none means that all is well."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from agents.casework.case import AWAITS_ANSWER, OPEN, Case, Handover
from agents.casework.writer import CaseworkWriter
from agents.stage.lane import Arrived
from agents.stage.writer import ContentNeeded, Outgoing
from tests.cases import REGION, whole
from tests.simulation.broker import Broker, Stored
from tests.simulation.ground import small
from tests.simulation.processes import PARTITION, Casework
from tests.simulation.run import Outcome
from tests.storm.history import History, check
from topics import journal as j
from topics import specs
from topics.codes import Colour

GONE = {"REFUSED", "RETURNED", "RECALLED", "SUPERSEDED"}
MOVES_ON = {"ACCEPTED", "STARTED", "REFUSED"}
LANES = {j.DESK: specs.DESK.topic(), j.INBOX: specs.INBOX.topic()}


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
    history = _history(outcome, records)
    found = [f"{what}: {one}" for what, some in vars(check(history)).items() for one in some]
    found += _accounted(history, records)
    found += _deadlines(broker, journal)
    found += _no_automation(records)
    assert outcome.writer is not None
    found += _cases(outcome.writer, records)
    found += _folds(outcome.writer, broker, journal, deep=deep)
    if deep and not any(isinstance(event, j.Erased) for record in records for event in record.events):
        found += _decided_again(broker, journal)
    return found


def _history(outcome: Outcome, records: list[j.Record]) -> History:
    broker = outcome.broker
    history = History(published=outcome.published)
    history.journal[REGION] = records
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


# Nothing is lost, nothing acts twice ------------------------------------------------------------------------


def _accounted(history: History, records: list[j.Record]) -> Iterator[str]:
    """Each published record took effect once; a second delivery of ours none; an answer or an act neither is lost."""
    effects = Counter(
        (said.origin.topic, said.origin.offset)
        for record in records
        if not isinstance(said := record.input, j.TickInput | j.ConfigureInput)
        and not any(isinstance(event, j.Repeated) and not event.receipt for event in record.events)
    )
    yield from (f"{place} acts {times} times" for place, times in effects.items() if times > 1)
    own = Counter(
        (said.case_id, said.answer_id)
        for record in records
        if isinstance(said := record.input, j.AnswerInput)
        and any(isinstance(event, j.Answered) for event in record.events)
    )
    yield from (f"answer {one[1]} acts {times} times" for one, times in own.items() if times > 1)
    erased = {
        key_id for record in records for event in record.events if isinstance(event, j.Erased) for key_id in event.key_ids
    }
    for message in (said for some in (history.offers, history.notices) for all_ in some.values() for said in all_):
        content = message["content"]
        if content is not None and history.keys.get(content["key_id"]) is None and content["key_id"] not in erased:
            yield f"lost: the key of what {message['case_id']} was sent with"


# Nothing waits unseen -------------------------------------------------------------------------------------------


def _deadlines(broker: Broker, journal: list[Written]) -> Iterator[str]:
    """Each step fires once, in its order, not before it is due, and not when an answer came in time."""
    fired: Counter[tuple[str, str]] = Counter()
    ladders: dict[str, list[j.Step]] = {}
    latest: dict[str, int] = {}
    fired_before: dict[str, list[tuple[int, str]]] = {}
    for found in journal:
        for event in found.record.events:
            if isinstance(event, j.Offered):
                ladders[event.handover_id] = list(event.ladder)
            if not isinstance(event, j.StepFired):
                continue
            what = f"{event.step} of {event.handover_id}"
            if event.due > found.stored.true:
                yield f"{what} fires {event.due - found.stored.true} ms early"
            fired[event.handover_id, event.step] += 1
            names = [step.name for step in ladders[event.handover_id]]
            if event.step != names[-1] and fired[event.handover_id, event.step] > 1:
                yield f"{what} fires twice"
            place = sum(fired[event.handover_id, name] > 0 for name in names)
            if names[:place] != [name for name in names if fired[event.handover_id, name]]:
                yield f"{what} fires out of turn"
            again = fired[event.handover_id, event.step] > 1
            if not again and event.due != ladders[event.handover_id][names.index(event.step)].due:
                yield f"{what} is not due when it was said"
            if event.due < latest.get(event.handover_id, 0) or (again and event.due == latest[event.handover_id]):
                yield f"{what} goes back in time"
            latest[event.handover_id] = event.due
            fired_before.setdefault(event.handover_id, []).append((event.due, what))
        said = found.record.input
        if isinstance(said, j.AnswerInput) and said.state in MOVES_ON and said.reason != "CAPACITY":
            came = broker.logs[said.origin.topic, said.origin.partition][said.origin.offset].true
            if not any(isinstance(event, j.DeadLettered | j.Repeated) for event in found.record.events):
                for due, what in fired_before.get(said.handover_id, ()):
                    if came < due:
                        yield f"{what} fires although {said.state} came {due - came} ms before"


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
                    if before is not None and event.case_id not in acts and not new_episode:
                        if event.colour is None or Colour(event.colour).severity < Colour(before).severity:
                            yield f"{event.case_id} goes from {before} to {event.colour} by itself"
                    colours[event.case_id] = event.colour
                case j.ActDone():
                    if event.kind == "LOWER" and colours.get(event.case_id) in ("ORANGE", "RED"):
                        if event.second in (None, event.actor):
                            yield f"{event.case_id} is lowered by one person"
                    (closed.add if event.kind == "CLOSE" else closed.discard)(event.case_id)
                    colours[event.case_id] = event.colour
                case j.Answered():
                    if event.reason != "CAPACITY":
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
        if handover.state in GONE and place + 1 == len(handovers):
            yield f"nobody comes after {handover.id}"
    if not case.closed and not any(found.state in OPEN for found in handovers) and handovers[-1].state != "COMPLETED":
        yield f"{case.id} is with nobody"


# One truth ------------------------------------------------------------------------------------------------------


def _folds(writer: CaseworkWriter, broker: Broker, journal: list[Written], *, deep: bool) -> Iterator[str]:
    """The live book, the fold of the journal, and the last snapshot with the journal after it: byte for byte."""
    live = writer.book.encode()
    keys = _compacted(broker, specs.KEYS)
    if _restored(writer, {}, keys, journal).book.encode() != live:
        yield "the journal folds to another book"
    snapshot = _compacted(broker, specs.SNAPSHOTS) if deep else {}
    if snapshot and _restored(writer, snapshot, keys, journal).book.encode() != live:
        yield "the last snapshot and the journal after it fold to another book"


def _restored(
    writer: CaseworkWriter, snapshot: dict[bytes, bytes], keys: dict[bytes, bytes], journal: list[Written]
) -> CaseworkWriter:
    other = Casework.writer(type(writer), writer._entropy)
    start = whole(other.restore(snapshot, keys)) or 0
    for found in journal:
        if found.stored.offset >= start:
            other.replay(found.stored.value or b"", found.stored.offset)
    return other


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
    by_place = {found.stored.offset: found.stored.value or b"" for found in journal}

    def asked(ask: Any) -> list[Outgoing]:
        try:
            return ask()
        except ContentNeeded as needed:
            other.recall([by_place[place] for place in needed.places])
            return ask()

    for found in journal:
        record = found.record
        if isinstance(record.input, j.ConfigureInput):
            out = other.begin(record.at)
        elif isinstance(record.input, j.TickInput):
            out = asked(lambda until=record.input.until: other.tick(until))
        else:
            stored = broker.logs[LANES[record.lane], PARTITION][record.offset]
            arrived = Arrived(
                stored.topic, stored.partition, stored.offset, stored.timestamp, stored.key, stored.value, ()
            )
            out = asked(lambda arrived=arrived, lane=record.lane: other.decide(lane, arrived))
        other.committed([found.stored.offset])
        if [one.value for one in out if one.topic == specs.JOURNAL.topic()] != [found.stored.value]:
            yield f"record {record.seq} is decided otherwise the second time"
            return
