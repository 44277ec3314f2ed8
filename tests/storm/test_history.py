"""The checker of the storm is itself checked: what is planted in a history is found, and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.cases import LEIDEN, POLICE, a_report
from tests.storm.history import CLEAN, History, check
from tests.world import World
from topics import journal as j
from topics import specs


def a_history() -> History:
    """Four households: one is helped by a team, three are never answered; a repeat, and what no one can read."""
    world, published = World(), list[str]()
    reports = [a_report(household=0), a_report(household=1), a_report(household=2, municipality=LEIDEN)]
    for report in (*reports, reports[-1], a_report(household=3)):
        world.publish(report)
        published.append(f"{POLICE}/{report['report_id']}/1")
        if len(published) == 1:
            for state in ("ACKNOWLEDGED", "ACCEPTED", "STARTED"):
                world.answer(state)
    world.publish(b"{", POLICE)
    published.append(f"{POLICE}/unreadable/1")
    world.pass_time(days=14)
    history = History(published={POLICE: published})
    history.journal = defaultdict(list, {world.region: world.records})
    history.stamps = defaultdict(list, {world.region: [record.at for record in world.records]})
    history.outages = []
    history.confirmed = Counter(published)
    said = Counter(record.topic for record in world.sent if not specs.REPORTS.owns(record.topic))
    history.said = {specs.ACTS.topic(world.region): 0, **said}
    history.keys = {key.decode(): value for key, value in world.keys.items()}
    for topic, messages in world.topics.items():
        for _, said in messages:
            if specs.QUEUE.owns(topic):
                kind = history.offers if "accept_before" in said else history.recalls
                kind[specs.QUEUE.member(topic)].append(said)
            elif specs.NOTICES.owns(topic):
                history.notices[specs.NOTICES.member(topic)].append(said)
            elif specs.RECEIPTS.owns(topic):
                history.receipts[specs.RECEIPTS.member(topic)].append(said)
            elif topic == specs.DEADLETTERS.topic():
                history.letters.append(said)
    return history


def records(history: History) -> list[j.Record]:
    return next(iter(history.journal.values()))


def place_of(history: History, kind: type[j.Event]) -> int:
    """Where the first record with such an event stands."""
    return next(n for n, record in enumerate(records(history)) if any(isinstance(e, kind) for e in record.events))


def some(messages: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    return next(found for found in messages.values() if found)


def stamps(history: History) -> list[int]:
    return next(iter(history.stamps.values()))


def renumbered(history: History) -> None:
    """What a writer would have numbered that never saw what is missing."""
    found = records(history)
    found[:] = [replace(record, seq=place) for place, record in enumerate(found)]
    stamps(history)[:] = [record.at for record in found]


# What can go wrong -----------------------------------------------------------------------------------------


def a_report_that_nobody_decided(history: History) -> None:
    del records(history)[place_of(history, j.Registered)]
    renumbered(history)


def a_published_record_that_left_no_trace(history: History) -> None:
    history.published[POLICE].append(f"{POLICE}/11111111-1111-4111-8111-111111111111/1")


def the_key_of_a_report(history: History) -> None:
    said = records(history)[place_of(history, j.Registered)].input
    assert isinstance(said, j.ReportInput)
    del history.keys[said.key_id]


def a_receipt_missing(history: History) -> None:
    history.receipts[POLICE].pop()


def an_offer_missing_on_its_queue(history: History) -> None:
    some(history.offers).pop()


def a_recall_missing_on_its_queue(history: History) -> None:
    some(history.recalls).pop()


def a_notice_missing(history: History) -> None:
    some(history.notices).pop()


def a_dead_letter_missing(history: History) -> None:
    history.letters.pop()


def a_confirmed_record_that_the_broker_lost(history: History) -> None:
    history.confirmed[f"{POLICE}/22222222-2222-4222-8222-222222222222/1"] += 1


def an_answer_that_nobody_decided(history: History) -> None:
    del records(history)[place_of(history, j.Answered)]
    renumbered(history)


def an_answer_decided_twice(history: History) -> None:
    found = records(history)
    found.append(found[place_of(history, j.Answered)])
    renumbered(history)


def a_report_decided_twice(history: History) -> None:
    found = records(history)
    found.append(found[place_of(history, j.Registered)])
    renumbered(history)


def a_receipt_twice(history: History) -> None:
    history.receipts[POLICE].append(history.receipts[POLICE][0])


def an_offer_twice_on_its_queue(history: History) -> None:
    some(history.offers).append(some(history.offers)[0])


def a_notice_twice(history: History) -> None:
    some(history.notices).append(some(history.notices)[0])


def a_dead_letter_twice(history: History) -> None:
    history.letters.append(history.letters[0])


def two_records_swapped(history: History) -> None:
    found = records(history)
    found[-1], found[-2] = found[-2], found[-1]


def a_number_left_out(history: History) -> None:
    records(history)[-1] = replace(records(history)[-1], seq=records(history)[-1].seq + 1)


def two_reports_of_a_source_swapped(history: History) -> None:
    found = records(history)
    at = [n for n, record in enumerate(found) if any(isinstance(e, j.Registered) for e in record.events)][-2:]
    first, second = (found[n] for n in at)
    found[at[0]] = replace(first, input=second.input, events=second.events)
    found[at[1]] = replace(second, input=first.input, events=first.events)


def a_hole_in_a_lane(history: History) -> None:
    inbox = [n for n, record in enumerate(records(history)) if record.lane == j.INBOX]
    for place in inbox[2:]:
        records(history)[place] = replace(records(history)[place], offset=records(history)[place].offset + 1)


def time_that_goes_back(history: History) -> None:
    records(history)[-1] = replace(records(history)[-1], at=records(history)[0].at - 1)


def an_owner_changed_without_started(history: History) -> None:
    place = place_of(history, j.OwnerChanged)
    record = records(history)[place]
    events = tuple(replace(e, state="ACCEPTED") if isinstance(e, j.Answered) else e for e in record.events)
    records(history)[place] = replace(record, events=events)


def an_owner_that_is_nobody(history: History) -> None:
    place = place_of(history, j.OwnerChanged)
    record = records(history)[place]
    events = tuple(replace(e, owner="") if isinstance(e, j.OwnerChanged) else e for e in record.events)
    records(history)[place] = replace(record, events=events)


def a_case_opened_twice(history: History) -> None:
    place = [n for n, record in enumerate(records(history)) if any(isinstance(e, j.Registered) for e in record.events)]
    first = next(e for e in records(history)[place[0]].events if isinstance(e, j.Registered))
    record = records(history)[place[1]]
    events = tuple(replace(e, case_id=first.case_id) if isinstance(e, j.Registered) else e for e in record.events)
    records(history)[place[1]] = replace(record, events=events)


def a_case_that_nobody_opened(history: History) -> None:
    place = place_of(history, j.Registered)
    record = records(history)[place]
    events = tuple(replace(e, opened=False) if isinstance(e, j.Registered) else e for e in record.events)
    records(history)[place] = replace(record, events=events)


def an_offer_that_the_journal_lacks(history: History) -> None:
    some(history.offers).append(some(history.offers)[0] | {"handover_id": "22222222-2222-4222-8222-222222222222"})


def an_offer_of_another_colour(history: History) -> None:
    some(history.offers)[0]["colour"] = "RED"


def an_offer_with_another_term(history: History) -> None:
    some(history.offers)[0]["accept_before"] = 0


def a_step_fired_early(history: History) -> None:
    place = place_of(history, j.StepFired)
    stamps(history)[place] = records(history)[place].at - 1


def a_step_fired_late(history: History) -> None:
    place = place_of(history, j.StepFired)
    stamps(history)[place] += 6_000


def a_step_that_is_not_said_to_be_late(history: History) -> None:
    place = place_of(history, j.StepFired)
    history.outages = None
    stamps(history)[place] += 130_000


def a_step_missed(history: History) -> None:
    del records(history)[place_of(history, j.StepFired)]
    renumbered(history)


def a_last_step_missed(history: History) -> None:
    # Of the last case nothing fires; what follows it in time is still there.
    found = records(history)
    last = next(e.handover_id for record in reversed(found) for e in record.events if isinstance(e, j.StepFired))
    found[:] = [
        replace(
            record,
            events=tuple(
                e for e in record.events if getattr(e, "handover_id", None) != last or isinstance(e, j.Offered)
            ),
        )
        for record in found
    ]


def a_step_fired_twice(history: History) -> None:
    found = records(history)
    found.append(replace(found[place_of(history, j.StepFired)], at=found[-1].at))
    renumbered(history)


def an_answer_in_time_behind_its_recall(history: History) -> None:
    """The answer of the last case lay on its topic before its reminder, and was decided after it."""
    found = records(history)
    place = place_of(history, j.StepFired)
    fired = next(e for e in found[place].events if isinstance(e, j.StepFired))
    said = next(record for record in found if isinstance(record.input, j.AnswerInput))
    assert isinstance(said.input, j.AnswerInput)
    origin = replace(said.input.origin, arrived=fired.due - 1, offset=9)
    answer = j.Answered(case_id=fired.case_id, handover_id=fired.handover_id, state="ACCEPTED", reason=None)
    found.insert(
        place + 1, replace(said, at=found[place].at, input=replace(said.input, origin=origin), events=(answer,))
    )
    renumbered(history)


def an_offer_on_the_queue_of_another(history: History) -> None:
    offers = some(history.offers)
    history.offers["wijkteam-elders"].append(offers.pop())


def a_dead_letter_that_the_journal_lacks(history: History) -> None:
    history.letters.append(history.letters[0] | {"letter_id": "33333333-3333-4333-8333-333333333333"})


FAULTS: dict[str, tuple[Callable[[History], None], ...]] = {
    "lost": (
        a_report_that_nobody_decided,
        a_published_record_that_left_no_trace,
        the_key_of_a_report,
        a_receipt_missing,
        a_confirmed_record_that_the_broker_lost,
        an_answer_that_nobody_decided,
        an_offer_missing_on_its_queue,
        a_recall_missing_on_its_queue,
        a_notice_missing,
        a_dead_letter_missing,
    ),
    "doubled": (
        a_report_decided_twice,
        a_receipt_twice,
        an_offer_twice_on_its_queue,
        a_notice_twice,
        an_answer_decided_twice,
        a_step_fired_twice,
        a_dead_letter_twice,
    ),
    "out_of_order": (
        two_records_swapped,
        a_number_left_out,
        two_reports_of_a_source_swapped,
        a_hole_in_a_lane,
        time_that_goes_back,
    ),
    "owners_broken": (
        an_owner_changed_without_started,
        an_owner_that_is_nobody,
        a_case_opened_twice,
        a_case_that_nobody_opened,
    ),
    "early": (a_step_fired_early,),
    "late": (a_step_fired_late, a_step_that_is_not_said_to_be_late),
    "missed": (a_step_missed, a_last_step_missed),
    "overtaken": (an_answer_in_time_behind_its_recall,),
    "differs": (
        an_offer_that_the_journal_lacks,
        an_offer_of_another_colour,
        an_offer_with_another_term,
        an_offer_on_the_queue_of_another,
        a_dead_letter_that_the_journal_lacks,
    ),
}


def test_an_untouched_history_is_clean():
    # Given a history in which every kind of message left at least once
    history = a_history()
    assert all((history.offers, history.recalls, history.notices, history.receipts, history.letters, history.keys))

    # When it is checked, then nothing is found
    assert check(history).counts() == CLEAN
    assert not check(history)


@pytest.mark.parametrize(
    ("kind", "plant"),
    [pytest.param(kind, plant, id=f"{kind}: {plant.__name__}") for kind, all_ in FAULTS.items() for plant in all_],
)
def test_a_planted_fault_is_found(kind: str, plant: Callable[[History], None]):
    history = a_history()

    plant(history)

    assert check(history).counts()[kind] > 0


def test_an_erased_report_is_not_a_lost_one():
    # Given a report whose key is gone because its household was erased
    history = a_history()
    place = place_of(history, j.Registered)
    said = records(history)[place].input
    assert isinstance(said, j.ReportInput)
    the_key_of_a_report(history)
    last = records(history)[-1]
    gone = j.Erased(case_id="any", key_ids=(said.key_id,))
    records(history)[-1] = replace(last, events=(*last.events, gone))

    # When it is checked, then nothing is missing
    assert check(history).counts() == CLEAN
