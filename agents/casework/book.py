"""The book of a region: everything its decisions look at. ``book = fold(journal)``.

``apply`` is the only thing that changes it, and it is total: it never refuses a record of this format.
Small and plain, because a region may hold a million cases. Times are ms since 1970 UTC.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from agents.casework.case import WENT_OUT, Case, Entry, Handover, Part, Stands, plain
from agents.casework.cases import WARM, Cases
from agents.casework.index import Index
from agents.casework.known import Known, Taken
from agents.casework.waiting import COLOURS, UNCOLOURED, Waiting
from agents.matching import Link
from topics import journal as j
from topics.codes import CaseRole, DeadLetterReason, HandoverState, NoticeKind, NoticeState, Relation

FOLD = 12
"""Version of this fold and of the form in which it is saved: a snapshot of another one is not read."""

ORIGINS_KEPT_MS = 32 * 24 * 3_600_000
"""Longer than any topic from outside keeps its records: for so long a second delivery can still come."""
_INVOLVED = CaseRole.INVOLVED.value


@dataclass(slots=True)
class Key:
    """How a sealed part of an accepted copy can be opened: the wrapped key and its wrap key's name."""

    wrap: str
    wrapped: str


@dataclass(slots=True)
class Opened:
    """What the edge could open of a record's input. Missing when the household was erased."""

    links: tuple[Link, ...] = ()
    key: Key | None = None
    incident: str | None = None
    each: tuple[tuple[tuple[Link, ...], Key | None], ...] = ()
    """Of each report that another centre passed on: what links it, and its own key."""


class _Before(NamedTuple):
    """How a case was: the colour under which it was open, what is due on it, and what is counted of it."""

    open_as: str | None
    owed_as: tuple[str | None, int] | None
    counted: tuple[str, ...]


_NOT_THERE = _Before(None, None, ())


class Book:
    """The state of one region. Change it with ``apply`` alone; a case that is looked at may not be kept."""

    __slots__ = (
        "_changed", "activated", "cases", "counts", "directory", "directory_hash", "done", "held", "index", "known",
        "now", "open_cases", "origins", "policy", "policy_hash", "positions", "put_aside", "region", "rules_unsaved",
        "seq", "waiting",
    )  # fmt: skip

    def __init__(self, region: str) -> None:
        self.region = region
        self.seq = 0
        self.now = 0
        self.positions: dict[str, tuple[int, int]] = {}
        """Lane -> (epoch, next offset)."""
        self.put_aside = 0
        """How many of the last inputs could not be decided, one after the other."""
        self.policy = ""
        self.directory = ""
        self.policy_hash = ""
        self.activated = False
        """Whether a person put the policy in force: then the one in the region's folder is not read any more."""
        self.directory_hash = ""
        self.rules_unsaved = True
        """Whether policy or directory changed since they were saved last."""
        self.cases = Cases()
        self.known = Known()
        self.index = Index()
        self.origins: dict[str, int] = {}
        """Where refused messages and answers without a case came in -> when."""
        self.done: list[str] = []
        """The acts on no case that were done, so that none is done twice however late it comes again."""
        self.waiting = Waiting(self.cases)
        self.held: dict[str, int] = {}
        """Receivers that are out of service -> since when."""
        self.open_cases: dict[str, int] = dict.fromkeys(COLOURS, 0)
        """Colour -> how many cases are open."""
        self.counts: Counter[str] = Counter()
        """What ``counted`` says of all cases together."""
        self._changed: dict[int, _Before] = {}
        """Cases that the record in hand changes -> how they were before."""

    # Reading -----------------------------------------------------------------------------------------

    def due(self) -> int | None:
        """The earliest moment at which a step is due."""
        return self.waiting.due()

    def open_handover(self, case_id: str, handover_id: str) -> tuple[Case, Handover] | None:
        """A handover and its case, by their ids."""
        case = self.cases.get(case_id)
        handover = case.handover(handover_id) if case is not None else None
        return (case, handover) if case is not None and handover is not None else None

    def standing_for(self, case: Case) -> Case:
        """The case in which a case goes on: itself, or the one that it was merged into."""
        while case.merged_into is not None:
            case = self.cases[case.merged_into]
        return case

    def parts_of(self, case: Case) -> list[Case]:
        """A case and all that were merged into it."""
        return [case, *(part for found in case.absorbed for part in self.parts_of(self.cases[found]))]

    def household(self, case: Case) -> list[Case]:
        """A case and every other that is of its household: merged, or confirmed by a person."""
        parts = self.parts_of(case)
        others = (self.standing_for(self.cases[found]) for part in parts for found in part.confirmed)
        return list({one.id: one for one in (*parts, *(p for other in others for p in self.parts_of(other)))}.values())

    def around(self, case: Case) -> set[str]:
        """Every report (with its version) of a case, of its household, and of what a person found not to be of it."""
        near = [*self.household(case), *(self.cases[found] for part in self.parts_of(case) for found in part.unlinked)]
        return {entry.identity for one in near for entry in one.entries}

    def assessment_of(self, case: Case) -> list[Part]:
        """The shared safety assessment of a case, with what was found in those merged into it, oldest first."""
        return sorted((one for part in self.parts_of(case) for one in part.assessment), key=lambda one: one.seq)

    def reports_of(self, case: Case) -> list[Entry]:
        """Every report of a case, with those of the cases merged into it, in the order in which they came."""
        return sorted((entry for part in self.parts_of(case) for entry in part.entries), key=lambda entry: entry.seq)

    def known_by(self, code: str) -> tuple[str, ...]:
        """The cases that have this match key."""
        cases = (self.cases.nth(number) for number in self.index.of(code))
        return tuple(dict.fromkeys(self.standing_for(case).id for case in cases))

    def report(self, said: j.ReportInput) -> tuple[str | None, str, bool] | None:
        """The report of the same identity that was taken in before: its case, its fingerprint, and whether it is
        the very same record."""
        for taken in self.known.versions(said.thread):
            if taken.version == said.version:
                return self._id(taken.case), taken.fingerprint, taken.where == _spot(said.origin)
        return None

    def thread(self, thread: str) -> tuple[int, str | None] | None:
        """The highest version of a report that was taken in, and its case; None when there was none."""
        highest = self.known.highest(thread)
        return None if highest is None else (highest[0], self._goes_on(highest[1]))

    def _goes_on(self, number: int | None) -> str | None:
        return None if number is None else self.standing_for(self.cases.nth(number)).id

    def _id(self, number: int | None) -> str | None:
        return None if number is None else self.cases.nth(number).id

    # Folding -----------------------------------------------------------------------------------------

    def apply(self, record: j.Record, opened: Opened) -> None:
        """Fold one record in. ``opened`` is what could be unsealed of its input."""
        self.seq = record.seq + 1
        self.now = max(self.now, record.at)
        if record.lane != j.CLOCK:
            self.positions[record.lane] = (record.epoch, record.offset + 1)
            if not _tells_nothing(record.input):
                self.put_aside = self.put_aside + 1 if _undecided(record) else 0
        self._changed = {}
        case_id: str | None = None
        for event in record.events:
            if (about := getattr(event, "case_id", None)) is not None:
                case_id = about
                if not isinstance(event, j.Linked):  # it names the other one
                    self._changes(about)
            self._event(event, record, opened)
        self._remember(record, case_id)
        for number, before in self._changed.items():
            case = self.cases.nth(number)
            case.last_at = record.at
            if before.open_as is not None:
                self.open_cases[before.open_as] -= 1
            if (after := _open_as(case)) is not None:
                self.open_cases[after] += 1
            if (now := _owed_as(case)) is not None and now != before.owed_as:
                self.waiting.owed(number, *now)
            if (counted_now := counted(case)) != before.counted:
                self.counts.subtract(before.counted)
                self.counts.update(counted_now)
        self.cases.cool_when_many()

    def _changes(self, case_id: str) -> None:
        """Note how a case is before the record in hand changes it."""
        number = self.cases.number(case_id)
        if number is not None and number not in self._changed:
            case = self.cases.nth(number)
            self._changed[number] = _Before(_open_as(case), _owed_as(case), counted(case))
            self.cases.changed(number)

    def _remember(self, record: j.Record, case_id: str | None) -> None:
        """So that the same message, by whatever way, is known again."""
        said = record.input
        if isinstance(said, j.TickInput | j.ConfigureInput):
            return
        origin = place(said.origin)
        repeated = any(isinstance(event, j.Repeated) for event in record.events)
        dead = any(isinstance(event, j.DeadLettered) for event in record.events)
        if dead and (about := self._about(said)) is not None:
            # A dead letter of a household that is known goes with it.
            self._changes(about.id)
            about.keys.append(said.key_id)
        if isinstance(said, j.ActInput) and said.case_id is None and not dead and not repeated:
            self.done.append(said.act_id)
        if dead or repeated or case_id is None or isinstance(said, j.TransferInput):
            self.origins[origin] = record.at
        elif isinstance(said, j.AnswerInput | j.ActInput):
            own = said.answer_id if isinstance(said, j.AnswerInput) else said.act_id
            # The case that was named: an act may change another one too.
            if (case := self.cases.get(said.case_id or "")) is not None:
                case.done.append(own)
                if said.sealed:
                    case.keys.append(said.key_id)
            self.origins[origin] = record.at
        if isinstance(said, j.ReportInput) and not dead and not repeated:
            number = None if case_id is None else self.cases.number(case_id)
            home = self.known.add(said.thread, Taken(said.version, number, said.fingerprint, _spot(said.origin)))
            if home is not None:
                self.cases.unsaved.add(home)
        if len(self.origins) % 1024 == 0 and self.origins:
            oldest = record.at - ORIGINS_KEPT_MS
            self.origins = {where: at for where, at in self.origins.items() if at >= oldest}

    def _about(self, said: j.Input) -> Case | None:
        """The case that a message names, whatever became of the message."""
        match said:
            case j.ReportInput():
                known = self.report(said)
                return self.cases.get(known[0]) if known is not None and known[0] is not None else None
            case j.AnswerInput() | j.ActInput():
                return self.cases.get(said.case_id or "")
            case _:
                return None

    def _event(self, event: j.Event, record: j.Record, opened: Opened) -> None:
        match event:
            case j.Configured():
                if isinstance(record.input, j.ConfigureInput):
                    self.policy, self.directory = record.input.policy, record.input.directory
                else:
                    assert isinstance(record.input, j.ActInput)
                    self.policy, self.activated = record.input.details["policy"], True
                self.policy_hash, self.directory_hash = event.policy_hash, event.directory_hash
                self.rules_unsaved = True
            case j.Registered():
                self._registered(event, record, opened)
            case j.Linked():
                if (case := self._last_registered(record)) is not None:
                    case.links.append([event.case_id, event.kind, event.certainty])
            case j.Triaged():
                case = self.cases[event.case_id]
                case.colour, case.provisional = event.colour, event.provisional
                case.reasons, case.open_questions = list(event.reasons), list(event.open_questions)
                case.settled_floor = event.floor
                case.conditions, case.earlier = list(event.conditions), dict(sorted(event.earlier.items()))
                case.board_request, case.board_unknown = list(event.board_request), list(event.board_unknown)
            case j.Routed():
                case = self.cases[event.case_id]
                case.destination, case.rule = event.destination, event.rule
            case j.Offered():
                self._offered(event, record)
            case j.ReceiverHeld():
                self.held[event.receiver] = record.at
            case j.ReceiverResumed():
                self.held.pop(event.receiver, None)
            case j.OfferPaused() | j.OfferShown():
                self._paused(event)
            case j.Answered():
                self._answered(event, record)
            case j.ExecutorChanged():
                self.cases[event.case_id].executor = event.executor
            case j.OwnerChanged():
                self.cases[event.case_id].owner = event.owner
            case j.StepFired():
                pair = self.open_handover(event.case_id, event.handover_id)
                if pair is not None:
                    pair[1].next_step = min(pair[1].next_step + 1, len(pair[1].ladder))
                    pair[1].again = event.again
                    self.waiting.push(self.cases.number_of(pair[0]), pair[1])
            case j.TakenBack():
                pair = self.open_handover(event.case_id, event.handover_id)
                if pair is not None:
                    pair[1].state = event.state
            case j.Told():
                if (case := self.cases.get(event.case_id or "")) is not None:
                    case.keys += [event.key_id] if event.key_id is not None else []
                    if case.closed and event.kind == NoticeKind.ACUTE_WITHOUT_CASE:
                        case.unweighed = True
            case j.ActDone():
                case = self.cases[event.case_id]
                case.colour, case.provisional = event.colour, event.provisional
                if not event.provisional:
                    case.settled_floor = event.colour
                if event.kind in ("CLOSE", "REOPEN"):
                    case.closed, case.unweighed = event.kind == "CLOSE", False
                if event.kind == "ASSESS":
                    case.assessed = record.at
            case j.StandingChanged():
                self.cases[event.case_id].standing[event.what] = Stands(event.state, event.since, event.until)
            case j.PassedOver():
                case = self.cases[event.case_id]
                case.avoided += [found for found in event.whom if found not in case.avoided]
            case j.Prepared():
                self.cases[event.case_id].prepared[event.notice_id] = [
                    event.rule, event.to, event.receiver, event.by, NoticeState.PREPARED.value,
                ]  # fmt: skip
            case j.Released():
                self.cases[event.case_id].prepared[event.notice_id][-1] = event.how
            case j.NotDelivered():
                notice = self.cases[event.case_id].prepared[event.notice_id]
                again = event.by == "QUEUE"
                notice[3:] = [event.by, (NoticeState.REPEATED if again else NoticeState.PREPARED).value]
            case j.Consulted():
                self.cases[event.case_id].consults[event.consult_id] = [event.to, None]
            case j.ConsultAnswered():
                self.cases[event.case_id].consults[event.consult_id][1] = event.state
            case j.Related():
                self._related(event)
            case j.ReportsMoved():
                self._moved(event, record)
            case j.SameIncident():
                assert isinstance(record.input, j.ActInput)
                for part in self.parts_of(self.cases[event.case_id]):
                    self._changes(part.id)
                    for entry in part.entries:
                        if entry.thread in event.threads:
                            entry.incident = f"act:{record.input.act_id}"
            case j.RoleGiven():
                given = self.cases[event.case_id].roles
                if event.role == CaseRole.INVOLVED:
                    given[event.role] = list(dict.fromkeys((*given.get(event.role, ()), event.who)))
                else:
                    given[event.role] = [event.who]
            case j.TermsChanged():
                case = self.cases[event.case_id]
                left = {term: due for term, due in case.terms.items() if term not in event.ended}
                case.terms = dict(sorted((left | event.due).items()))
                gone = (*event.ended, *event.due)
                steps = {term: step for term, step in case.steps.items() if term not in gone}
                case.steps = dict(sorted((steps | event.steps).items()))
            case j.TermFired():
                steps = self.cases[event.case_id].steps
                _, fired = steps.pop(event.term, (0, 0))
                if event.next is not None:
                    steps[event.term] = [event.next, fired + 1]
                self.cases[event.case_id].steps = dict(sorted(steps.items()))
            case j.AssessmentAdded():
                self._assessed(event, record, opened)
            case j.Investigated():
                for part in self.parts_of(self.cases[event.case_id]):
                    self._changes(part.id)
                    for entry in part.entries:
                        entry.counts = entry.counts and entry.thread not in event.threads
            case j.Erased():
                self._erased(event)
            case j.TransferTaken():
                self.cases[event.case_id].offered_by = [event.sender, event.other_case, event.handover_id]
            case j.TransferEnded():
                case = self.cases[event.case_id]
                case.offered_by = []
                if event.state != HandoverState.ACCEPTED:
                    case.closed, case.unweighed = True, False
                    case.owe_nothing()
            case j.HandedOver():
                self._handed_over(event)
            case j.TransferAnswered() | j.MoveRefused() | j.Repeated() | j.NotDecided() | j.DeadLettered():
                pass

    def _last_registered(self, record: j.Record) -> Case | None:
        for event in record.events:
            if isinstance(event, j.Registered):
                return self.cases.get(event.case_id)
        return None

    def _registered(self, event: j.Registered, record: j.Record, opened: Opened) -> None:
        said = record.input
        assert isinstance(said, j.ReportInput | j.TransferInput)
        case = self.cases.get(event.case_id)
        if case is None:
            case = Case(id=event.case_id, opened=record.at, owner=event.owner, executor=event.owner)
            case.policy, case.episode = record.policy, record.seq
            case.test = said.test
            self._changed[self.cases.add(case)] = _NOT_THERE
        if case.closed:
            # A report on a closed case opens a new episode with its own colour.
            case.closed, case.colour, case.provisional, case.settled_floor = False, None, False, None
            case.assessed, case.conditions, case.earlier = None, [], {}
            # What went out may still be answered; no rule of the new episode has prepared it.
            went_out = {one: found for one, found in case.prepared.items() if found[4] in WENT_OUT}
            case.prepared = {one: [None, *found[1:]] for one, found in went_out.items()}
            case.family_refuses = case.unweighed = False
            for merged in self.parts_of(case):
                self._changes(merged.id)
                merged.episode = record.seq
        case.involvement = event.involvement
        entries = list(new_entries(self, case, event, record, opened))
        links = opened.links
        case.keys.append(said.key_id)
        if isinstance(said, j.TransferInput):
            # Of what was passed on before, and perhaps taken out since, nothing comes back.
            case.keys += [entry.key_id for entry in entries]
            links = tuple(link for entry in entries for link in _links_of(entry, opened))
        number = self.cases.number_of(case)
        kept = dict.fromkeys(link.code for link in links if link.kept)
        for code in kept:
            if code not in case.codes:
                case.codes.append(code)
                self.index.add(code, number)
        for entry in entries:
            codes = {link.code for link in _links_of(entry, opened) if link.kept}
            entry.codes = [place for place, code in enumerate(case.codes) if code in codes]
            case.entries.append(entry)

    def _assessed(self, event: j.AssessmentAdded, record: j.Record, opened: Opened) -> None:
        case, part = self.cases[event.case_id], new_part(event, record, opened.key)
        for one in self.parts_of(case):
            self._changes(one.id)
            one.assessment = [found for found in one.assessment if found.party != event.party]
        case.assessment.append(part)

    def _related(self, event: j.Related) -> None:
        one, other = self.cases[event.case_id], self.cases[event.other]
        self._changes(other.id)
        if event.how == Relation.MERGED:
            one.absorbed.append(other.id)
            other.merged_into, other.closed = one.id, True
            other.owe_nothing()
            one.avoided = list(dict.fromkeys((*one.avoided, *other.avoided)))
            one.too_severe = list(dict.fromkeys((*one.too_severe, *other.too_severe)))
            one.family_refuses = one.family_refuses or other.family_refuses
            one.prepared, other.prepared = other.prepared | one.prepared, {}
            one.consults, other.consults = other.consults | one.consults, {}
            involved = (*one.roles.get(_INVOLVED, ()), *other.roles.get(_INVOLVED, ()))
            one.roles = other.roles | one.roles | ({_INVOLVED: list(dict.fromkeys(involved))} if involved else {})
            for its in other.unlinked:
                if its != one.id and its not in one.unlinked:
                    self._changes(its)
                    one.unlinked.append(its)
                    self.cases[its].unlinked.append(one.id)
            return
        for case, its in ((one, other.id), (other, one.id)):
            case.confirmed = [found for found in case.confirmed if found != its]
            case.unlinked = [found for found in case.unlinked if found != its]
            (case.confirmed if event.how == Relation.CONFIRMED else case.unlinked).append(its)

    def _moved(self, event: j.ReportsMoved, record: j.Record) -> None:
        """Reports of a case, and what is of them alone, are a new case; so it is known again by their own keys."""
        new = Case(id=event.to, opened=record.at, owner=event.owner, executor=event.owner, policy=record.policy)
        number = self.cases.add(new)
        self._changed[number] = _NOT_THERE
        for part in self.parts_of(self.cases[event.case_id]):
            moved = [entry for entry in part.entries if entry.thread in event.threads]
            if not moved:
                continue
            self._changes(part.id)
            part.entries = [entry for entry in part.entries if entry.thread not in event.threads]
            keys = {entry.key_id for entry in moved}
            part.keys = [key for key in part.keys if key not in keys]
            # What was offered since may hold them too: it goes with either household.
            since = min(entry.at for entry in moved)
            new.keys += [*keys, *(one.key_id for one in part.handovers if one.offered >= since)]
            self._split_codes(part, moved, new, number)
            new.entries += moved
        new.entries.sort(key=lambda entry: entry.seq)
        new.keys.sort()
        new.test = new.entries[-1].test
        new.episode = new.entries[0].seq
        for thread in event.threads:
            self.known.move(thread, number)

    def _split_codes(self, part: Case, moved: list[Entry], new: Case, number: int) -> None:
        before = part.codes
        left = {before[place] for entry in part.entries for place in entry.codes}
        part.codes = [code for code in before if code in left]
        for entry in part.entries:
            entry.codes = [part.codes.index(before[place]) for place in entry.codes]
        for entry in moved:
            own = [before[place] for place in entry.codes]
            new.codes += [code for code in own if code not in new.codes]
            entry.codes = [new.codes.index(code) for code in own]
        for code in new.codes:
            if code in before and code not in left:
                self.index.remove(code, self.cases.number_of(part))
            self.index.add(code, number)

    def _offered(self, event: j.Offered, record: j.Record) -> None:
        handover = Handover(
            id=event.handover_id,
            receiver=event.receiver,
            destination=event.destination,
            colour=event.colour,
            state=HandoverState.OFFERED.value,
            offered=record.at,
            accept_before=event.accept_before,
            ladder=list(event.ladder),
            contact_person=event.contact_person,
            dv_specialist=event.dv_specialist,
            key_id=event.key_id,
            withheld=event.falls is not None,
            falls=event.falls,
        )
        case = self.cases[event.case_id]
        case.handovers.append(handover)
        case.keys.append(event.key_id)
        self.waiting.began(self.cases.number_of(case), handover)

    def _paused(self, event: j.OfferPaused | j.OfferShown) -> None:
        pair = self.open_handover(event.case_id, event.handover_id)
        if pair is None:
            return
        case, handover = pair
        if isinstance(event, j.OfferShown):
            handover.withheld, handover.shows = False, None
        else:
            handover.falls, handover.shows = event.falls, event.shows
        self.waiting.push(self.cases.number_of(case), handover)

    def _answered(self, event: j.Answered, record: j.Record) -> None:
        pair = self.open_handover(event.case_id, event.handover_id)
        if pair is None:
            return
        case, handover = pair
        if not event.released:
            return
        handover.state = event.state
        case.family_refuses = case.family_refuses or event.reason == "FAMILY_REFUSES"
        if event.state == "ACKNOWLEDGED":
            handover.acknowledged = record.at
        elif event.state == "ACCEPTED":
            handover.accepted, handover.phoned = record.at, event.phone
        elif event.state == "STARTED":
            handover.started = record.at
        elif event.state in ("REFUSED", "RETURNED"):
            case.refusals += 1
            if event.reason == "TOO_SEVERE":
                case.too_severe.append(handover.receiver)

    def _handed_over(self, event: j.HandedOver) -> None:
        case = self.cases[event.case_id]
        case.closed, case.unweighed = True, False
        if (handover := case.handover(event.handover_id)) is not None:
            handover.state = HandoverState.COMPLETED.value

    def _erased(self, event: j.Erased) -> None:
        for case in self.parts_of(self.cases[event.case_id]):
            self._changes(case.id)
            self._forget(case)

    def _forget(self, case: Case) -> None:
        case.erased = True
        for entry in case.entries:
            entry.wrap = entry.wrapped = entry.incident = None
            entry.codes = []
        for part in case.assessment:
            part.wrap = part.wrapped = None
        number = self.cases.number_of(case)
        for code in case.codes:
            self.index.remove(code, number)
        case.codes = []
        case.keys = []

    # Saving ------------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The whole book as lines of JSON: equal books give equal bytes."""
        self.cases.cool(0)
        everything = range(len(self.cases))
        lines = [self.head(), self.policy.encode(), self.directory.encode()]
        lines += [*(plain(packed) for packed in self.cases.packed(everything))]
        lines += [orjson.dumps([key.hex(), found]) for key, found in self.index.items()]
        for number in everything:
            threads = (entry.thread for entry in self.cases.nth(number).entries)
            lines += [key.hex().encode() + packed for key, packed in self.known.of(number, threads, {})]
        self.cases.cool(WARM)
        return b"\n".join(lines)

    def head(self) -> bytes:
        """Everything but the cases, what is known of reports, and the rules."""
        return orjson.dumps(
            {
                "fold": FOLD,
                "region": self.region,
                "cases": len(self.cases),
                "seq": self.seq,
                "now": self.now,
                "positions": self.positions,
                "put_aside": self.put_aside,
                "policy_hash": self.policy_hash,
                "activated": self.activated,
                "directory_hash": self.directory_hash,
                "done": self.done,
                "open_cases": self.open_cases,
                "counts": {name: count for name, count in self.counts.items() if count},
                "held": self.held,
                "origins": self.origins,
                "homeless": [[key.hex(), packed.decode()] for key, packed in self.known.homeless()],
            },
            option=orjson.OPT_SORT_KEYS,
        )


def new_entries(book: Book, case: Case, event: j.Registered, record: j.Record, opened: Opened) -> Iterator[Entry]:
    """The entries that a record adds to a case; of what another centre passes on once more, none."""
    said = record.input
    assert isinstance(said, j.ReportInput | j.TransferInput)
    transfer = isinstance(said, j.TransferInput)
    reports: list[j.ReportInput | j.TransferredReport] = []
    reports += said.reports if isinstance(said, j.TransferInput) else [said]
    there = book.around(case) if transfer else set()
    for number, one in enumerate(reports):
        key_id, key = said.key_id, opened.key
        if isinstance(one, j.TransferredReport):
            key_id, key = one.key_id, opened.each[number][1] if opened.each else None
        entry = Entry(
            thread=one.thread,
            version=one.version,
            kind=one.kind,
            received=one.received,
            at=record.at,
            counts=event.counts and (not isinstance(one, j.TransferredReport) or one.counts),
            seq=record.seq,
            key_id=key_id,
            wrap=key.wrap if key else None,
            wrapped=key.wrapped if key else None,
            incident=opened.incident,
            test=one.test,
            perpetrator_known=event.perpetrator_known,
            number=number if transfer else None,
        )
        if entry.identity not in there:
            yield entry


def _links_of(entry: Entry, opened: Opened) -> tuple[Link, ...]:
    """What links one report."""
    if entry.number is None:
        return opened.links
    return opened.each[entry.number][0] if opened.each else ()


def new_part(event: j.AssessmentAdded, record: j.Record, key: Key | None) -> Part:
    """The part of the shared assessment that a record adds."""
    said, number, at = record.input, event.number, record.at
    assert isinstance(said, j.ActInput | j.TransferInput)
    if isinstance(said, j.TransferInput) and number is not None:
        at = said.assessment[number]["at"]
    key = key if spoken_in(number) in said.sealed else None
    return Part(
        party=event.party,
        version=event.version,
        at=at,
        scale=event.scale,
        indicators=dict(sorted(event.indicators.items())),
        valid_until=event.valid_until,
        seq=record.seq,
        key_id=said.key_id,
        wrap=key.wrap if key else None,
        wrapped=key.wrapped if key else None,
        number=number,
    )


def spoken_in(number: int | None) -> str:
    """The sealed part of an input in which lies what was agreed."""
    return "spoken" if number is None else f"spoken-{number}"


def place(origin: j.Origin) -> str:
    """Where a message came in, as one word."""
    return f"{origin.topic}/{origin.partition}/{origin.offset}"


def _spot(origin: j.Origin) -> str:
    """Where on its topic: of a report its source says which that is."""
    return f"{origin.partition}/{origin.offset}"


def _undecided(record: j.Record) -> bool:
    return any(isinstance(e, j.DeadLettered) and e.reason == DeadLetterReason.UNDECIDABLE.value for e in record.events)


def _tells_nothing(said: j.Input) -> bool:
    """Whether its record is the same when it could be decided and when it could not: intake has put it aside before."""
    return isinstance(said, j.RefusedInput) and said.reason == DeadLetterReason.UNDECIDABLE.value


def counted(case: Case) -> tuple[str, ...]:
    """What is counted of a case, each as two words: ``owed T05`` for what runs, ``reminded T05`` when a step about it
    was taken, and ``silent REMINDER`` (or NONE) for an offer that waits and the last step that its ladder took."""
    awaited = case.awaiting()
    silent = () if awaited is None else (f"silent {awaited.last_step() or 'NONE'}",)
    return (
        *silent,
        *(f"owed {term}" for term in case.terms),
        *(f"reminded {term}" for term, (_, place) in case.steps.items() if place),
    )


def _owed_as(case: Case) -> tuple[str | None, int] | None:
    """The colour of a case, and when the next step about what is owed on it fires; None when none does."""
    due = case.step_due()
    return None if due is None else (case.colour, due)


def _open_as(case: Case) -> str | None:
    """The colour under which a case is open; None when it is closed."""
    return None if case.closed else case.colour or UNCOLOURED
