"""Every event of the journal has words, in both languages."""

import pytest

from pipeline.story import came, lines_of
from topics import journal as j
from topics.texts import LANGUAGES

ORIGIN = j.Origin(topic="t", partition=0, offset=0, arrived=1)
CASE, HANDOVER = "3f2b8c1e-0a4d-4c57-9b1e-6d0f5a7c2e91", "a3c1d2e4-0a4d-4c57-9b1e-6d0f5a7c2e91"
STEP = j.Step(name="REMINDER", due=1, tells=("wijkteam-helmond",))
FIRED = j.StepFired(
    case_id=CASE, handover_id=HANDOVER, step="RECALLED", due=1, late=True, tells=("vt-bzo-crisis",), again=None
)
EVENTS: dict[str, tuple[j.Event, ...]] = {
    "configured": (j.Configured(policy_hash="a", directory_hash="b"),),
    "registered": tuple(
        j.Registered(case_id=CASE, opened=opened, owner="vt", counts=True, involvement="FIRST")
        for opened in (True, False)
    ),
    "linked": (j.Linked(case_id=CASE, kind="SAME_PERSON", certainty="CERTAIN"),),
    "triaged": tuple(
        j.Triaged(
            case_id=CASE, colour="ORANGE", provisional=maybe, reasons=("R2",), open_questions=(), floor="GREEN"
        )
        for maybe in (True, False)
    ),
    "routed": (j.Routed(case_id=CASE, destination="TEAM", rule="X11"),),
    "offered": tuple(
        j.Offered(
            case_id=CASE, handover_id=HANDOVER, receiver="wijkteam-helmond", destination="TEAM", colour=None,
            accept_before=1, ladder=(STEP,), contact_person=None, dv_specialist=None, key_id="k", falls=falls,
        )
        for falls in (None, 2)
    ),
    "answered": tuple(
        j.Answered(case_id=CASE, handover_id=HANDOVER, state="REFUSED", reason=reason) for reason in ("CAPACITY", None)
    ),
    "executor_changed": (j.ExecutorChanged(case_id=CASE, executor="wijkteam-helmond"),),
    "owner_changed": (j.OwnerChanged(case_id=CASE, owner="wijkteam-helmond"),),
    "step_fired": (
        FIRED,
        j.StepFired(case_id=CASE, handover_id=HANDOVER, step="REMINDER", due=1, late=False, tells=(), again=2),
    ),
    "term_fired": tuple(
        j.TermFired(case_id=CASE, term="T05", step="REMINDER", due=1, late=late, tells=("vt-bzo-beoordeling",), next=2)
        for late in (False, True)
    ),
    "receiver_held": (j.ReceiverHeld(receiver="wijkteam-helmond"),),
    "receiver_resumed": (j.ReceiverResumed(receiver="wijkteam-helmond"),),
    "offer_paused": tuple(
        j.OfferPaused(case_id=CASE, handover_id=HANDOVER, falls=falls, shows=shows)
        for falls, shows in ((1, None), (None, 1), (None, None))
    ),
    "offer_shown": (j.OfferShown(case_id=CASE, handover_id=HANDOVER),),
    "taken_back": (j.TakenBack(case_id=CASE, handover_id=HANDOVER, state="RECALLED"),),
    "told": tuple(
        j.Told(case_id=CASE, handover_id=None, kind="RED", to="vt-bzo-crisis", person=None, key_id=None, term=term)
        for term in (None, "T05")
    ),
    "move_refused": (
        j.MoveRefused(
            case_id=CASE, handover_id=HANDOVER, receiver="wijkteam-helmond", wanted="ACCEPTED", state="RECALLED",
            now_with="vt-bzo-crisis",
        ),
    ),
    "repeated": (j.Repeated(case_id=None, receipt=True),),
    "not_decided": tuple(
        j.NotDecided(case_id=CASE, why=why)
        for why in ("no_change", "confirmed", "lower_version", "withdrawal", "advice")
    ),
    "dead_lettered": (j.DeadLettered(letter_id=CASE, reason="contract", acute=True),),
    "act_done": (
        j.ActDone(case_id=CASE, kind="LOWER", actor="m.devries", second=None, colour="GREEN", provisional=False),
    ),
    "standing_changed": (j.StandingChanged(case_id=CASE, what="OTS", state="ENDED", since=1, until=None),),
    "passed_over": (j.PassedOver(case_id=CASE, whom=("wijkteam-helmond",), rule="K2"),),
    "investigated": tuple(
        j.Investigated(case_id=CASE, found=found, threads=threads)
        for found, threads in (("REFUTED", ("a/1",)), ("CONFIRMED", ()))
    ),
    "prepared": tuple(
        j.Prepared(case_id=CASE, notice_id=HANDOVER, rule="F1", to="POLICE", receiver=None, by=by)
        for by in ("PHONE", "QUEUE")
    ),
    "released": (j.Released(case_id=CASE, notice_id=HANDOVER, how="PHONED"),),
    "not_delivered": tuple(j.NotDelivered(case_id=CASE, notice_id=HANDOVER, by=by) for by in ("QUEUE", "PHONE")),
    "consulted": (j.Consulted(case_id=CASE, consult_id=HANDOVER, to="jeugdhulp-kempenland"),),
    "consult_answered": (j.ConsultAnswered(case_id=CASE, consult_id=HANDOVER, state="COMPLETED"),),
    "transfer_taken": (j.TransferTaken(case_id=CASE, sender="utrecht", other_case=CASE, handover_id=HANDOVER),),
    "transfer_answered": tuple(
        j.TransferAnswered(
            case_id=CASE, sender="utrecht", other_case=CASE, handover_id=HANDOVER, state=state, reason=None,
            municipality=None,
        )
        for state in ("ACCEPTED", "REFUSED")
    ),
    "transfer_ended": tuple(j.TransferEnded(case_id=CASE, state=state) for state in ("ACCEPTED", "RECALLED")),
    "handed_over": (j.HandedOver(case_id=CASE, handover_id=HANDOVER, to="vt-utrecht"),),
    "reports_moved": (j.ReportsMoved(case_id=CASE, to=CASE, threads=("a/1",), owner="vt-brabant-zuidoost"),),
    "same_incident": (j.SameIncident(case_id=CASE, threads=("a/1", "b/2")),),
    "related": (j.Related(case_id=CASE, other=CASE, how="MERGED"),),
    "role_given": (j.RoleGiven(case_id=CASE, who="wijkteam-helmond", role="INVOLVED"),),
    "assessment_added": tuple(
        j.AssessmentAdded(
            case_id=CASE, party="wijkteam-helmond", version=1, scale=scale, indicators={}, valid_until=None
        )
        for scale in (0, None)
    ),
    "terms_changed": (
        j.TermsChanged(case_id=CASE, due={"T05": 1}, ended=("T02",)),
        j.TermsChanged(case_id=CASE, due={}, ended=()),
    ),
    "erased": (j.Erased(case_id=CASE, key_ids=("k",)),),
}  # fmt: skip


def a_record(*events: j.Event, said: j.Input | None = None) -> j.Record:
    return j.Record(
        region="brabant-zuidoost", seq=0, at=1, lane=j.CLOCK, epoch=0, offset=0, policy="p",
        input=said or j.TickInput(until=0), events=events,
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(j.EVENTS))
def test_every_event_can_be_told(kind: str, language: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", language)

    lines = lines_of(a_record(*EVENTS[kind]))

    assert len(lines) == len(EVENTS[kind])
    assert len(set(lines)) == len(lines)
    assert all("{" not in line for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_input_can_be_told(language: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELDSTROOM_LANGUAGE", language)
    inputs: list[j.Input] = [
        j.ReportInput(
            origin=ORIGIN, source="scholen", source_kind="SCHOOL", report_id="r", version=1, kind="REPORT",
            received=1, fingerprint="f", test=False, key_id="k", sealed={},
        ),
        j.RefusedInput(
            origin=ORIGIN, source="scholen", source_kind="SCHOOL", reason="empty", acute=False, report_id=None,
            version=None, key_id="k",
        ),
        j.AnswerInput(
            origin=ORIGIN, receiver="wijkteam-helmond", answer_id="a", case_id=CASE, handover_id=HANDOVER,
            state="ACCEPTED", reason=None, by=None, answered=1, phoned=False, key_id="k", sealed={},
        ),
        j.ActInput(
            origin=ORIGIN, act_id="a", case_id=CASE, kind="SEEN", actor="m.devries", role="assessor", second=None,
            colour=None, indicators={}, done=1, key_id="k", sealed={},
        ),
        j.TransferInput(
            origin=ORIGIN, transfer_id="t", move="OFFERED", sender="utrecht", case_id=CASE, handover_id=HANDOVER,
            owner="vt-utrecht", colour="GREEN", provisional=False, reasons=(), terms={}, standing={}, reports=(),
            state=None, kind=None, test=False, key_id="k", sealed={},
        ),
        j.TickInput(until=0),
        j.ConfigureInput(policy="", directory=""),
    ]  # fmt: skip

    told = [came(a_record(said=said)) for said in inputs]

    assert {said.type for said in inputs} == set(j.INPUTS)
    assert len(set(told)) == len(told)
