"""A region that gets whatever comes, in any order: what must hold after each single record."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.casework import cases, contents
from agents.casework.case import AWAITS_ANSWER, Case, Handover
from agents.stage.writer import Outgoing
from agents.watch.expected import Expected
from tests.cases import WORK, reports
from tests.world import TwoRegions, World, awaiting, regions
from topics import journal as j
from topics.codes import ActKind, Colour, HandoverState, RefusalReason

KINDS = ("REPORT", "REPORT", "REPORT", "REPORT", "ADVICE", "OTHER_CARE", "CORRECTION", "WITHDRAWAL")
MOVES = ("RECEIVED", "ACKNOWLEDGED", "ACCEPTED", "STARTED", "COMPLETED", "REFUSED", "RETURNED")
GONE = {"REFUSED", "RETURNED", "RECALLED", "SUPERSEDED"}
ACTS = [
    found.value for found in ActKind if found.value in ("RAISE", "LOWER", "SETTLE", "CLOSE", "REOPEN", "SEEN", "ERASE")
]
OTHER_ACTS: dict[str, list[dict[str, Any]]] = {
    "ASSESS": [{"rating": "NONE", "outcome": outcome} for outcome in ("HANDOVER", "NO_STEPS")],
    "DECIDE_HOLD": [{"hold": hold} for hold in ("TAKE_UP", "END")],
    "MEASURE": [{"standing": {"measure": "OTS", "state": state}} for state in ("IN_FORCE", "ENDED")],
    "RESTRAINING_ORDER": [{"standing": {"state": state}} for state in ("IN_FORCE", "BROKEN", "ENDED")],
    "BOARD_NOTICE": [{"board": notice} for notice in ("INVESTIGATES", "DECLINED")],
    "OUTCOME": [{"found": found} for found in ("REFUTED", "CONFIRMED")],
    "ASSESSMENT_PART": [{"part": {"party": "wijkteam-gouda", "indicators": {"S2": said}}} for said in ("YES", "NO")],
    "ASSIGN_ROLE": [{"case_role": "INVOLVED", "to": "wijkteam-gouda"}],
    "CONSULT": [{"to": "jeugdhulp-de-brug-voorbeeld"}],
    **{
        kind: [{}]
        for kind in (
            "MONITOR_START",
            "MONITOR_CONTACT",
            "EXTEND",
            "INFORMED",
            "FEEDBACK_GIVEN",
            "FEEDBACK_NOT_POSSIBLE",
            "SUPPORT_GIVEN",
            "REEVALUATE",
            "WITHDRAW",
        )
    },
}
CALL = {"who": "M. de Wit", "with_whom": "P. Maas", "at": "2026-03-18T10:20:00+01:00"}
OWNERS = {"vt-hollands-midden", *(found.id for found in regions()["hollands-midden"].directory.receivers)}
OTHER_CENTRE = "vt-brabant-zuidoost"
DUTY, CRISIS = "vt-hm-bureaudienst", "vt-hm-crisis"
HOLDABLE = (DUTY, CRISIS, "vt-hm-beoordeling", "wijkteam-gouda")
HOUR = 3_600_000


class Region(RuleBasedStateMachine):
    """One region and everybody who may do something to it."""

    @initialize()
    def begin(self) -> None:
        self.two = TwoRegions()
        self.world = self.two.here
        self.published: list[dict[str, Any]] = []
        self.seen = 0
        self.colours: dict[str, tuple[str | None, bool]] = {}
        self.owners: dict[str, str] = {}
        self.terms: dict[str, tuple[dict[str, int], int]] = {}
        self.expected, self.watched = Expected(), 0
        self.confirmed: set[str] = set()
        self.heard = 0

    # What may happen -------------------------------------------------------------------------------------

    @rule(report=reports(kinds=KINDS), anonymous=st.sampled_from([False] * 7 + [True]))
    def report(self, report: dict[str, Any], anonymous: bool) -> None:
        if anonymous:
            report = report | {"reporter_disclosure": "DOUBLE_ANONYMOUS"}
        self.published.append(report)
        self.world.publish(report)

    @precondition(lambda self: self.published)
    @rule(data=st.data(), report=reports(kinds=KINDS), version=st.integers(1, 4))
    def version(self, data: st.DataObject, report: dict[str, Any], version: int) -> None:
        old = data.draw(st.sampled_from(self.published))
        self.published.append(report | {"report_id": old["report_id"], "version": version})
        self.world.publish(self.published[-1])

    @precondition(lambda self: self.published)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        before = _size(self.world)
        self.world.publish(data.draw(st.sampled_from(self.published)))
        assert _size(self.world) == before

    @precondition(lambda self: self.world.sent)
    @rule(data=st.data())
    def bring_again(self, data: st.DataObject) -> None:
        before = _size(self.world)
        self.world.bring(data.draw(st.sampled_from(self.world.sent)))
        assert _size(self.world) == before
        self.world.expect(j.Repeated)

    @precondition(lambda self: any(map(_of_ours, self.world.book.cases.values())))
    @rule(data=st.data(), newest=st.booleans(), state=st.sampled_from(MOVES), why=st.sampled_from(list(RefusalReason)))
    def answer(self, data: st.DataObject, newest: bool, state: str, why: str) -> None:
        handovers = [handover for case in self.world.book.cases.values() for handover in _of_ours(case)]
        open_ = [handover for _, handover in awaiting(self.world.book) if handover.receiver != OTHER_CENTRE]
        chosen = data.draw(st.sampled_from(sorted(open_ if newest and open_ else handovers, key=lambda h: h.id)))
        reason = {"reason": str(why)} if state in ("REFUSED", "RETURNED") else {}
        self.world.answer(state, chosen, **reason)

    @precondition(lambda self: self.world.book.cases)
    @rule(
        data=st.data(),
        kind=st.sampled_from(ACTS),
        colour=st.sampled_from([found.value for found in Colour]),
        second=st.sampled_from([..., "m.vt-07", "m.vt-08"]),
        settled=st.sampled_from(["NO", "NO", "YES", "UNKNOWN"]),
    )
    def act(self, data: st.DataObject, kind: str, colour: str, second: Any, settled: str) -> None:
        case = self.world.book.cases[data.draw(st.sampled_from(sorted(self.world.book.cases)))]
        indicators = dict.fromkeys(case.open_questions, settled) if kind == "SETTLE" else {}
        self.world.act(kind, case, colour=colour, second=second, indicators=indicators)

    @precondition(lambda self: self.world.book.cases)
    @rule(data=st.data(), kind=st.sampled_from(sorted(OTHER_ACTS)))
    def another_act(self, data: st.DataObject, kind: str) -> None:
        case = self.world.book.cases[data.draw(st.sampled_from(sorted(self.world.book.cases)))]
        indicators = {"indicators": dict.fromkeys(case.open_questions, "NO")} if kind == "ASSESS" else {}
        self.world.act(kind, case, **data.draw(st.sampled_from(OTHER_ACTS[kind])), **indicators)

    @precondition(lambda self: len(self.world.book.cases) > 1)
    @rule(data=st.data(), kind=st.sampled_from(["CONFIRM_LINK", "UNLINK", "MERGE"]))
    def relate(self, data: st.DataObject, kind: str) -> None:
        one, other = (data.draw(st.sampled_from(sorted(self.world.book.cases))) for _ in range(2))
        self.world.act(kind, self.world.book.cases[one], other_case=other)

    @precondition(lambda self: any(case.prepared for case in self.world.book.cases.values()))
    @rule(data=st.data(), kind=st.sampled_from(["RELEASE", "PHONED"]))
    def notice(self, data: st.DataObject, kind: str) -> None:
        cases = [case for case in self.world.book.cases.values() if case.prepared]
        case = data.draw(st.sampled_from(sorted(cases, key=lambda found: found.id)))
        more = {"phone": CALL} if kind == "PHONED" else {}
        self.world.act(kind, case, notices=[data.draw(st.sampled_from(sorted(case.prepared)))], **more)

    @precondition(lambda self: any(case.handovers for case in self.world.book.cases.values()))
    @rule(data=st.data(), newest=st.booleans())
    def hand_over_by_phone(self, data: st.DataObject, newest: bool) -> None:
        """Also what was answered long ago, or goes to another centre: that is refused."""
        pairs = [(case.id, one.id) for case in self.world.book.cases.values() for one in case.handovers]
        open_ = [(case.id, one.id) for case, one in awaiting(self.world.book)]
        case_id, handover_id = data.draw(st.sampled_from(sorted(open_ if newest and open_ else pairs)))
        case = self.world.book.cases[case_id]
        before = next(one for one in case.handovers if one.id == handover_id)
        possible = before.state in AWAITS_ANSWER and before.receiver != OTHER_CENTRE
        possible = possible and case.merged_into is None and not case.offered_by

        self.world.act("PHONED", case, phone=CALL, handover=handover_id)

        after = next(one for one in self.world.book.cases[case_id].handovers if one.id == handover_id)
        assert (after.state == "ACCEPTED" and after.phoned) is (
            possible or (before.phoned and before.state == "ACCEPTED")
        )

    @rule(receiver=st.sampled_from(HOLDABLE), resume=st.booleans())
    def hold(self, receiver: str, resume: bool) -> None:
        self.world.hold(receiver, resume=resume)

    @rule(to_there=st.booleans())
    def bring_over(self, to_there: bool) -> None:
        """What the centres of the two regions said to each other comes through, one way."""
        self.two.bring(self.two.there if to_there else self.two.here)

    @precondition(lambda self: list(awaiting(self.two.there.book)))
    @rule(data=st.data(), state=st.sampled_from(["ACKNOWLEDGED", "ACCEPTED", "STARTED", "REFUSED"]))
    def answer_there(self, data: st.DataObject, state: str) -> None:
        handovers = sorted((found for _, found in awaiting(self.two.there.book)), key=lambda found: found.id)
        reason = {"reason": "INSUFFICIENT_INFO"} if state == "REFUSED" else {}
        self.two.there.answer(state, data.draw(st.sampled_from(handovers)), **reason)

    @rule(hours=st.sampled_from([0, 1, 5, 26, 50, 200]))
    def time(self, hours: int) -> None:
        self.world.sleep_until(self.world.now + hours * HOUR + 60_001)
        self.world.tick()

    # What must hold --------------------------------------------------------------------------------------

    @invariant()
    def one_owner(self) -> None:
        for case in self.world.book.cases.values():
            assert case.owner in OWNERS
            if case.owner != self.owners.get(case.id, case.owner):
                if case.owner == OTHER_CENTRE:
                    assert case.closed
                    assert _handed_over(self.world, case.id)
                elif case.closed or self.owners[case.id] == OTHER_CENTRE:
                    # Nobody follows up any more, or a new episode begins here.
                    assert case.owner == "vt-hollands-midden"
                else:
                    self.world.expect(j.Answered, case_id=case.id, state="STARTED")
        self.owners = {case.id: case.owner for case in self.world.book.cases.values()}

    @invariant()
    def another_centre_owns_what_was_handed_over_alone(self) -> None:
        for case in self.two.there.book.cases.values():
            assert case.owner in ("vt-hollands-midden", OTHER_CENTRE)
            assert not (case.offered_by and case.owner == OTHER_CENTRE and not case.closed)
            if case.owner == OTHER_CENTRE:
                taken = [event for event in self.two.there.all_events(j.TransferTaken) if event.case_id == case.id]
                assert any(_handed_over(self.world, event.other_case) for event in taken)

    @invariant()
    def one_offer_awaits_an_answer(self) -> None:
        times = Counter(case.id for case, _ in awaiting(self.world.book))
        assert all(found == 1 for found in times.values()), times

    @invariant()
    def each_step_fires_once(self) -> None:
        times = Counter((event.handover_id, event.step) for event in self.world.all_events(j.StepFired))
        assert all(found == 1 for (_, step), found in times.items() if step != "RECALL_DUE")
        for case in self.world.book.cases.values():
            for handover in case.handovers:
                fired = sum(times[(handover.id, step.name)] > 0 for step in handover.ladder)
                assert fired == handover.next_step

    @invariant()
    def nothing_due_is_left_behind_a_tick(self) -> None:
        if isinstance(self.world.records[-1].input, j.TickInput):
            due = self.world.book.due()
            assert due is None or due > self.world.now

    @invariant()
    def no_automation_lowers(self) -> None:
        record = self.world.records[-1]
        acts = {event.case_id for event in record.events if isinstance(event, j.ActDone)}
        for case in self.world.book.cases.values():
            colour, closed = self.colours.get(case.id, (None, False))
            if colour is not None and not closed and case.id not in acts:
                assert case.colour is not None
                assert Colour(case.colour).severity >= Colour(colour).severity
        for event in record.events:
            if isinstance(event, j.ActDone) and event.kind == "LOWER":
                # From these two alone a second person is asked for (D1).
                before, _ = self.colours[event.case_id]
                assert before not in ("ORANGE", "RED") or event.second not in (None, event.actor)
        self.colours = {case.id: (case.colour, case.closed) for case in self.world.book.cases.values()}

    @invariant()
    def what_is_gone_has_a_successor(self) -> None:
        for case in self.world.book.cases.values():
            for place, handover in enumerate(case.handovers):
                if handover.state in GONE and not case.closed:
                    assert place + 1 < len(case.handovers)

    @invariant()
    def an_open_case_is_with_somebody(self) -> None:
        for case in self.world.book.cases.values():
            if not case.closed:
                last = case.handovers[-1]
                assert case.current() is not None or last.state == "COMPLETED"

    @invariant()
    def a_clock_runs_for_whoever_is_awaited(self) -> None:
        terms = [handover.due() for _, handover in awaiting(self.world.book)]
        assert all(term is not None for term in terms)
        owed = [case.step_due() for case in self.world.book.cases.values() if case.steps]
        assert self.world.book.due() == min([*terms, *owed], default=None)  # type: ignore[type-var]

    @invariant()
    def the_watchdog_waits_for_the_same(self) -> None:
        missed = [one for record in self.world.records[self.watched :] for one in self.expected.see(record)]
        self.watched = len(self.world.records)
        assert missed == []
        waits = self.expected.overdue(1 << 60, 0)
        assert min((one.due for one in waits), default=None) == self.world.book.due()

    @invariant()
    def what_was_taken_over_by_phone_owes_its_own_word(self) -> None:
        for record in self.world.records[self.heard :]:
            said = record.input
            if isinstance(said, j.AnswerInput) and any(
                isinstance(event, j.NotDecided) and event.why == "confirmed" for event in record.events
            ):
                self.confirmed.add(said.handover_id)
        self.heard = len(self.world.records)
        for case in self.world.book.cases.values():
            current = case.current()
            if current is not None and current.phoned and current.state == "ACCEPTED" and not case.closed:
                assert bool({"T25", "T25z"} & set(case.terms)) is (current.id not in self.confirmed)

    @invariant()
    def each_step_about_what_is_owed_fires_once(self) -> None:
        fired = self.world.all_events(j.TermFired)
        times = Counter((event.case_id, event.term, event.due, event.step) for event in fired)
        assert all(found == 1 for found in times.values()), times

    @invariant()
    def a_step_is_waited_for_where_something_is_owed(self) -> None:
        for case in self.world.book.cases.values():
            assert set(case.steps) <= set(case.terms)
            assert not (case.closed and WORK & set(case.terms))

    @invariant()
    def what_is_red_is_not_provisional(self) -> None:
        for case in self.world.book.cases.values():
            assert not (case.colour == "RED" and case.provisional)
            if case.provisional and not case.closed:
                assert "P1" in case.reasons

    @invariant()
    def a_report_is_in_one_case(self) -> None:
        times = Counter(entry.identity for case in self.world.book.cases.values() for entry in case.entries)
        assert all(found == 1 for found in times.values())

    @invariant()
    def what_a_case_became_is_one_case(self) -> None:
        book = self.world.book
        for case in book.cases.values():
            if case.merged_into is not None:
                assert case.closed
                assert case.current() is None
                assert case.id in {part.id for part in book.parts_of(book.standing_for(case))}

    @invariant()
    def no_rule_moves_a_term_later(self) -> None:
        record = self.world.records[-1]
        extended = {e.case_id for e in record.events if isinstance(e, j.ActDone) and e.kind == "EXTEND"}
        for case in self.world.book.cases.values():
            before, episode = self.terms.get(case.id, ({}, case.episode))
            for term, due in case.terms.items():
                if term not in ("T02", "T19") and case.id not in extended and episode == case.episode:
                    assert due <= before.get(term, due)
        self.terms = {case.id: (dict(case.terms), case.episode) for case in self.world.book.cases.values()}

    @invariant()
    def nothing_rood_waits_for_who_is_out_of_service(self) -> None:
        """It is with who stands in, or its turn comes at once."""
        book = self.world.book
        for _, handover in awaiting(book):
            if handover.colour == "RED" and handover.receiver in book.held and not {DUTY, CRISIS} <= book.held.keys():
                assert handover.due() is not None
                assert (handover.due() or 0) <= book.now

    @invariant()
    def what_is_held_back_has_a_moment(self) -> None:
        for _, handover in awaiting(self.world.book):
            if handover.withheld:
                assert handover.falls is not None or handover.shows is not None

    @invariant()
    def states_are_known(self) -> None:
        known = {found.value for found in HandoverState}
        assert {handover.state for case in self.world.book.cases.values() for handover in case.handovers} <= known
        assert known >= AWAITS_ANSWER

    def teardown(self) -> None:
        world = getattr(self, "world", None)
        if world is not None:
            self.two.settle()
            assert _offered_there(world) == _offered_by_us(self.two.there)
            assert self.two.there.refolded().encode() == self.two.there.book.encode()
            if not self.two.there.all_events(j.Erased):
                assert self.two.there.decided_again() == self.two.there.journal
            assert world.refolded().encode() == world.book.encode()
            if not world.all_events(j.Erased):
                assert world.decided_again() == world.journal


def _of_ours(case: Case) -> list[Handover]:
    """Its handovers to receivers of the region itself; the other centre answers for itself."""
    return [handover for handover in case.handovers if handover.receiver != OTHER_CENTRE]


def _handed_over(world: World, case_id: str) -> bool:
    return any(event.case_id == case_id for event in world.all_events(j.HandedOver))


def _offered_there(world: World) -> set[tuple[str, str]]:
    """What this region offers another centre: case and handover."""
    return {(case.id, one.id) for case, one in awaiting(world.book) if one.receiver == OTHER_CENTRE}


def _offered_by_us(there: World) -> set[tuple[str, str]]:
    """What the other centre has of that."""
    return {(case.offered_by[1], case.offered_by[2]) for case in there.book.cases.values() if case.offered_by}


def _size(world: World) -> tuple[int, int, int]:
    """What a repetition must not add to."""
    cases = list(world.book.cases.values())
    return len(cases), sum(len(case.entries) for case in cases), sum(len(case.handovers) for case in cases)


Region.TestCase.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRegion = Region.TestCase


class ColdRegion(Region):
    """The same when nothing stays in memory, and another worker takes over now and then."""

    @initialize()
    def begin(self) -> None:
        self.before = cases.WARM, contents.KEPT
        cases.WARM = contents.KEPT = 0
        self.saving: Iterator[list[Outgoing]] | None = None
        super().begin()

    @rule()
    def save(self) -> None:
        """A snapshot is begun; what is decided until it is written is not in it."""
        if self.saving is None:
            self.saving = self.world.writer.snapshot(len(self.world.journal), 0)

    @rule(data=st.data())
    def take_over(self, data: st.DataObject) -> None:
        """From a snapshot that may have been cut short, and the journal after it."""
        self.save()
        assert self.saving is not None
        batches, self.saving = list(self.saving), None
        self.world.lay(batches[: data.draw(st.integers(0, len(batches)))])
        self.world.writer = self.world.taken_over()

    def teardown(self) -> None:
        super().teardown()
        cases.WARM, contents.KEPT = self.before


ColdRegion.TestCase.settings = Region.TestCase.settings
TestColdRegion = ColdRegion.TestCase
