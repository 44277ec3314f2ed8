"""What changes the colour of a case that is known: a person, or what a person made known (domain model, D1). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.casework.case import Case, Entry, Stands
from agents.casework.handover import triaged
from agents.casework.inputs import Draft
from agents.casework.linking import earlier_reports
from agents.casework.notices import prepare
from agents.casework.related import undecided
from agents.casework.reports import place, service
from agents.casework.routing import About, route, unforeseen
from agents.casework.rules import Rules, local_date
from agents.casework.situation import (
    ACUTE,
    STRUCTURAL,
    Household,
    answered,
    coloured,
    dangers,
    open_acute,
    situation,
    unanswered,
)
from agents.facts import Facts
from agents.policy.colours import Judgement, highest
from agents.policy.vocabulary import NONE
from topics import journal as j
from topics.codes import ActKind, Colour, NoticeKind, TriageOutcome


@dataclass(frozen=True, slots=True)
class Matter:
    """A case with all by which its reports are judged once more."""

    case: Case
    reports: Sequence[tuple[Entry, Facts]]
    """Those of its present episode that can be opened."""
    household: Sequence[Case]
    standing: Mapping[str, Stands]
    dangers: dict[str, str] = field(default_factory=dict)
    """Indicators that a party's valid part of the shared assessment answers with YES."""

    @property
    def counted(self) -> list[tuple[Entry, Facts]]:
        """Those that count: what is held does not."""
        return [(entry, facts) for entry, facts in self.reports if entry.counts]

    @property
    def latest(self) -> Facts | None:
        """What was reported last."""
        return self.reports[-1][1] if self.reports else None


def matter_of(draft: Draft, case: Case, facts: Sequence[Facts | None] | None = None) -> Matter:
    """A case as it stands; ``facts`` are those of its reports, by default of the case that is acted on."""
    book = draft.book
    known = draft.incoming.earlier if facts is None else facts
    began = {entry.seq: part.episode for part in book.parts_of(case) for entry in part.entries}
    reports = [
        (entry, found)
        for entry, found in zip(book.reports_of(case), known, strict=True)
        if found is not None and entry.seq >= began[entry.seq]
    ]
    found = dangers(book.assessment_of(case), local_date(draft.now))
    return Matter(case, reports, book.household(case), case.standing, found)


def done(draft: Draft, case: Case, said: j.ActInput, colour: Colour | None, *, provisional: bool) -> None:
    """The act took effect; so the colour is after it."""
    draft.add(
        j.ActDone(
            case_id=case.id,
            kind=said.kind,
            actor=said.actor,
            second=said.second,
            colour=colour.value if colour is not None else None,
            provisional=provisional,
        )
    )


def recolour(draft: Draft, rules: Rules, case: Case, said: j.ActInput, colour: Colour) -> bool:
    """RAISE or LOWER to that colour; False when it does not go that way."""
    now = Colour(case.colour) if case.colour else Colour.GREEN
    if said.kind == "RAISE":
        # What was held has no colour yet: a person gives it one.
        allowed = case.colour is None or colour.severity > now.severity
    else:
        allowed = case.colour is not None and colour.severity < now.severity and not case.provisional
    if not allowed or case.closed:
        return False
    provisional = case.provisional and colour is not Colour.RED
    done(draft, case, said, colour, provisional=provisional)
    # Said by a person, so it is certain, whatever is still open.
    reasons, questions = (*case.reasons, "D1"), tuple(case.open_questions)
    coloured_now(draft, rules, matter_of(draft, case), colour, reasons, questions, provisional=provisional)
    return True


def settle(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """The open acute questions are answered: the colour becomes final, never under what was certain already."""
    matter = _answered(matter_of(draft, case), said.indicators)
    settled = all(not open_acute(facts) for _, facts in matter.counted)
    if not matter.counted or not settled or any(said.indicators.get(found) == "UNKNOWN" for found in ACUTE):
        return False  # what is still unknown cannot be settled
    judged = judge(rules, matter)
    floor = [Colour(case.settled_floor)] if case.settled_floor else []
    colour = highest([*floor, *(outcome.colour for outcome in judged)])
    done(draft, case, said, colour, provisional=False)
    reasons = (*_rules(judged), "D1")
    coloured_now(draft, rules, matter, colour, reasons, _still_open(case, said))
    return True


def assess(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """A person has assessed the safety: no structural question may be open any more; the colour only rises by it."""
    before = matter_of(draft, case)
    matter = _answered(before, said.indicators)
    if any(unanswered(facts, STRUCTURAL) for _, facts in matter.counted):
        return False
    judged = judge(rules, matter)
    now = Colour(case.colour) if case.colour else None
    found = judged if worse(rules, [before], judged) else []
    colour = highest([*([now] if now else []), *(outcome.colour for outcome in found)]) if found else now
    done(draft, case, said, colour, provisional=False)
    if colour is None:
        return True
    if colour is not now:
        reasons = (*case.reasons, *_rules(judged))
        coloured_now(draft, rules, matter, colour, reasons, _still_open(case, said))
        return True
    if said.indicators:
        triaged(draft, case, colour, tuple(case.reasons), _still_open(case, said))
    if said.details["outcome"] == TriageOutcome.HANDOVER and service(rules, case, local_date(draft.now)) is not None:
        # What the centre looked at first goes on to whom the rules name.
        replaced(draft, rules, matter, colour, provisional=False, assessed=TriageOutcome.HANDOVER.value)
    return True


def take_up(draft: Draft, rules: Rules, case: Case, said: j.ActInput) -> bool:
    """What was held is taken up: it gets the colour of its own indicators, and goes where the rules say."""
    matter = matter_of(draft, case)
    facts = matter.latest
    if facts is None:
        return False
    outcome = rules.colours.judge(situation(rules, facts, local_date(draft.now), Household(standing=case.standing)))
    done(draft, case, said, outcome.colour, provisional=outcome.provisional)
    questions = (*open_acute(facts), *unanswered(facts, STRUCTURAL))
    coloured_now(
        draft, rules, matter, outcome.colour, outcome.rules, questions,
        provisional=outcome.provisional, floor=outcome.floor,
    )  # fmt: skip
    return True


def reconsider(draft: Draft, rules: Rules, matter: Matter, before: Matter | None = None) -> bool:
    """The rules are asked again about the reports of a case; what they say may raise its colour, never lower it.

    Whether it did. ``before`` is how it was: what the rules said then already has been weighed by a person, who may
    have lowered it, and raises nothing once more. Of a closed case a person hears at once, and reopens it or not.
    """
    case, judged = matter.case, judge(rules, matter)
    if before is not None and not worse(rules, [before], judged):
        return False
    colour = highest([Colour(case.colour or Colour.GREEN), *(outcome.colour for outcome in judged)])
    if case.colour is None or colour.severity <= Colour(case.colour).severity:
        return False
    if case.closed and not _reopened(draft, case):
        draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, rules.directory.desks.duty, case_id=case.id)
        if case.owner != rules.directory.organisation:
            draft.tell(NoticeKind.ACUTE_WITHOUT_CASE, case.owner, case_id=case.id)
        return True
    reasons, questions = (*case.reasons, *_rules(judged)), tuple(case.open_questions)
    provisional = case.provisional and colour is not Colour.RED
    coloured_now(draft, rules, matter, colour, reasons, questions, provisional=provisional)
    return True


def _reopened(draft: Draft, case: Case) -> bool:
    """Whether this very act opens it again."""
    return any(isinstance(e, j.ActDone) and e.case_id == case.id and e.kind == ActKind.REOPEN for e in draft.events)


def worse(rules: Rules, before: Sequence[Matter], now: Sequence[Judgement]) -> bool:
    """Whether the rules say more now than they did."""
    then = [outcome.colour.severity for matter in before for outcome in judge(rules, matter)]
    return max((outcome.colour.severity for outcome in now), default=0) > max(then, default=-1)


def related(draft: Draft, rules: Rules, matter: Matter, before: Matter) -> None:
    """A person decided about a link: that may raise the colour, and what waited for it waits no more."""
    case = matter.case
    if case.colour is None or case.closed or reconsider(draft, rules, matter, before):
        return
    if any(row.id == case.rule and any("unconfirmed" in one for one in row.when) for row in rules.policy.destinations):
        replaced(draft, rules, matter, Colour(case.colour), provisional=case.provisional)


def judge(rules: Rules, matter: Matter, also: Sequence[Case] = ()) -> list[Judgement]:
    """What the rules say of each report that counts, as when it came, with the reports of ``also`` counted too."""
    found: list[Judgement] = []
    for entry, said in matter.counted:
        facts = answered(said, matter.dangers)
        days = rules.policy.windows.repetition
        household = (*matter.household, *also)
        repeats = earlier_reports(household, entry.thread, entry.incident, entry.received, days, before=entry.seq)
        told = situation(
            rules, facts, local_date(entry.received), Household(len(repeats), entry.perpetrator_known, matter.standing)
        )
        found.append(rules.colours.judge(told))
    return found


def coloured_now(
    draft: Draft,
    rules: Rules,
    matter: Matter,
    colour: Colour,
    reasons: tuple[str, ...],
    questions: tuple[str, ...],
    *,
    provisional: bool = False,
    floor: Colour | None = None,
) -> None:
    """The colour from now on, and the case goes to where it belongs with it."""
    case = matter.case
    triaged(draft, case, colour, tuple(dict.fromkeys(reasons)), questions, provisional=provisional, floor=floor)
    if colour is Colour.RED:
        draft.tell(NoticeKind.RED, rules.directory.desks.duty, case_id=case.id)
    replaced(draft, rules, matter, colour, provisional=provisional)


def replaced(
    draft: Draft, rules: Rules, matter: Matter, colour: Colour, *, provisional: bool, assessed: str = NONE
) -> None:
    """The case goes to where it belongs after what a person did, and who else must know is prepared."""
    case, facts = matter.case, matter.latest
    if facts is None:
        place(draft, rules, case, unforeseen(rules), colour, by_person=True)
        return
    on = local_date(draft.now)
    possible = undecided(draft, case)
    would_be = [outcome.colour for outcome in judge(rules, matter, possible)] if possible else []
    unconfirmed = any(found.severity > colour.severity for found in would_be)
    household = Household(standing=matter.standing, family_refuses=case.family_refuses)
    told = situation(rules, facts, on, household) | coloured(colour, provisional, unconfirmed)
    told["assessed"] = assessed
    draft.told = told
    # What is merged in this very record has its own who may not get it.
    merged = [draft.book.cases[one.other] for one in draft.events if isinstance(one, j.Related) and one.how == "MERGED"]
    avoided = (*case.avoided, *(found for other in merged for found in (*other.avoided, *other.too_severe)))
    place(draft, rules, case, route(rules, told, About(on, facts, avoided=avoided)), colour, by_person=True)
    prepare(draft, rules, case, case.id, told, facts, on)


def _answered(matter: Matter, indicators: dict[str, str]) -> Matter:
    return replace(matter, reports=[(entry, answered(facts, indicators)) for entry, facts in matter.reports])


def _rules(judged: Sequence[Judgement]) -> tuple[str, ...]:
    return tuple(rule for outcome in judged for rule in outcome.rules)


def _still_open(case: Case, said: j.ActInput) -> tuple[str, ...]:
    return tuple(question for question in case.open_questions if question not in said.indicators)
