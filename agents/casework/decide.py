"""``decide(book, incoming) -> record``: everything that follows from one input. Pure: no clock, no chance, no I/O."""

from dataclasses import replace

from agents.casework import notices
from agents.casework.activation import activate
from agents.casework.acts import act
from agents.casework.book import Book, place
from agents.casework.case import Case
from agents.casework.deadlines import fire
from agents.casework.handover import answer
from agents.casework.inputs import Draft, Incoming
from agents.casework.reports import dead, report
from agents.casework.rules import Rules, rules_of
from agents.casework.service import act_on_receiver
from agents.casework.terms import follow
from agents.casework.transfers import answered, refused, transfer
from agents.policy.model import moment, text_hash
from agents.policy.rota import on_duty
from topics import journal as j
from topics.codes import ActKind, DeadLetterReason


def decide(book: Book, incoming: Incoming) -> j.Record:
    """The record of one input. The book is not changed: ``apply`` does that."""
    return explained(book, incoming)[0]


def explained(book: Book, incoming: Incoming) -> tuple[j.Record, dict[str, str]]:
    """The record, and what the rules were told for it: empty when none was asked."""
    now = max(book.now, incoming.at)
    draft = Draft(book, incoming, now)
    said = incoming.input
    match said:
        case j.ConfigureInput():
            draft.add(j.Configured(policy_hash=text_hash(said.policy), directory_hash=text_hash(said.directory)))
        case j.TickInput():
            fire(draft, rules_of(book), said.until)
        case _:
            _from_outside(draft, rules_of(book), said)
    if not isinstance(said, j.ConfigureInput):
        follow(draft, rules_of(book))
        name_who_is_on_duty(draft, rules_of(book))
    return _record(draft, said), draft.told


def name_who_is_on_duty(draft: Draft, rules: Rules) -> None:
    """What a receiver with a rota is told, the person on duty there is told; who stands in elsewhere is told too."""
    rotas = rules.directory.rota_of
    if not rotas:
        return
    events, draft.events = draft.events, []
    for event in events:
        if not isinstance(event, j.Told) or event.person is not None or event.to not in rotas:
            draft.add(event)
            continue
        found = on_duty(rotas, event.to, moment(draft.now))
        here = found is not None and found.receiver == event.to
        draft.add(replace(event, person=found.person) if found is not None and here else event)
        if found is not None and not here:
            draft.add(replace(event, to=found.receiver, person=found.person, key_id=None))


def undecidable(book: Book, incoming: Incoming) -> j.Record:
    """The record of an input on which ``decide`` raised: put aside, and a person is told."""
    draft = Draft(book, incoming, max(book.now, incoming.at))
    dead(draft, rules_of(book), DeadLetterReason.UNDECIDABLE, acute=False, tell=True)
    return _record(draft, incoming.input)


def _from_outside(draft: Draft, rules: Rules, said: j.FromOutside) -> None:
    book, origin = draft.book, place(said.origin)
    if origin in book.origins:
        draft.add(j.Repeated(case_id=None, receipt=False))
        return
    match said:
        case j.RefusedInput():
            reason = DeadLetterReason(said.reason)
            dead(draft, rules, reason, acute=said.acute, tell=reason is DeadLetterReason.UNDECIDABLE)
        case j.ReportInput():
            if draft.incoming.facts is None:
                raise ValueError("a report without its facts cannot be decided")
            report(draft, rules, said, draft.incoming.facts)
        case j.AnswerInput():
            _answer(draft, rules, said)
        case j.TransferInput():
            transfer(draft, rules, said)
        case j.ActInput(case_id=None) if said.act_id in book.done:
            draft.add(j.Repeated(case_id=None, receipt=False))
        case j.ActInput(kind=ActKind.ACTIVATE_POLICY):
            activate(draft, rules, said)
        case j.ActInput(case_id=None):
            act_on_receiver(draft, rules, said)
        case j.ActInput():
            case = book.cases.get(said.case_id or "")
            if case is None:
                dead(draft, rules, DeadLetterReason.UNKNOWN_CASE, acute=False)
            elif said.act_id in case.done:
                draft.add(j.Repeated(case_id=case.id, receipt=False))
            else:
                act(draft, rules, case, said)


def _answer(draft: Draft, rules: Rules, said: j.AnswerInput) -> None:
    case = draft.book.cases.get(said.case_id)
    handover = case.handover(said.handover_id) if case is not None else None
    if case is None:
        dead(draft, rules, DeadLetterReason.UNKNOWN_CASE, acute=False)
    elif said.answer_id in case.done:
        draft.add(j.Repeated(case_id=case.id, receipt=False))
    elif handover is None:
        _about_a_notice(draft, rules, case, said)
    elif handover.receiver != said.receiver:
        dead(draft, rules, DeadLetterReason.NOT_THE_RECEIVER, acute=False)
    elif not case.offered_by:
        answer(draft, rules, case, handover, said)
    elif not refused(draft, rules, case, handover, said):
        answer(draft, rules, case, handover, said)
        answered(draft, rules, case, handover, said)


def _about_a_notice(draft: Draft, rules: Rules, case: Case, said: j.AnswerInput) -> None:
    case = draft.book.standing_for(case)  # what was merged goes on there, with its notices
    notice = notices.addressee(case, said.handover_id)
    if notice is None:
        dead(draft, rules, DeadLetterReason.UNKNOWN_CASE, acute=False)
    elif notice != said.receiver:
        dead(draft, rules, DeadLetterReason.NOT_THE_RECEIVER, acute=False)
    else:
        notices.answered(draft, rules, case, said)


def _record(draft: Draft, said: j.Input) -> j.Record:
    incoming, book = draft.incoming, draft.book
    if isinstance(said, j.ReportInput | j.TransferInput) and not keeps_content(draft.events):
        # What is not registered in a case leaves nothing of a person in the journal.
        said = replace(said, sealed={})
    elif isinstance(said, j.AnswerInput | j.ActInput) and not _keeps_words(book, said, draft.events):
        # Of a repeat the first copy is kept; a second one would have a key that no erasure knows.
        said = replace(said, sealed={})
    return j.Record(
        region=book.region,
        seq=book.seq,
        at=draft.now,
        lane=incoming.lane,
        epoch=incoming.epoch,
        offset=book.seq if incoming.lane == j.CLOCK else incoming.offset,
        policy=book.policy_hash,
        input=said,
        events=tuple(draft.events),
    )


def keeps_content(events: list[j.Event] | tuple[j.Event, ...]) -> bool:
    """Whether the input's sealed parts are kept: its report belongs to a case."""
    return any(isinstance(event, j.Registered) for event in events)


def _keeps_words(book: Book, said: j.AnswerInput | j.ActInput, events: list[j.Event]) -> bool:
    """Whether what was said with it is kept: only where the erasure of its case will find it, or of no household."""
    case = book.cases.get(said.case_id or "")
    if said.case_id is not None and (case is None or case.erased):
        return False
    return not any(isinstance(event, j.DeadLettered | j.Repeated | j.Erased) for event in events)
