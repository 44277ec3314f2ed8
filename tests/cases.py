"""Reports, answers and acts for tests, and strategies for more of them.

Nobody here exists: invented people on invented streets. Numbers of persons begin with 9999, which belongs to nobody.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from agents.casework.case import Case, Handover
from agents.policy.vocabulary import FACTS
from topics.codes import Answered, ExtraFlag, Indicator, Occasion, ViolenceKind
from topics.reports import is_bsn

REGION = "hollands-midden"
POLICE = "politie-hollands-midden"
CITIZENS = "burgerportaal-hollands-midden"
GOUDA, LEIDEN = "0513", "0546"
EINDHOVEN = "0772"
TEAM_GOUDA = "wijkteam-gouda"
WEDNESDAY = "2026-03-18T10:00:00+01:00"

ACUTE = tuple(found.value for found in Indicator if found.family == "A")
STRUCTURAL = tuple(found.value for found in Indicator if found.family == "S")
MULTI = tuple(found.value for found in Indicator if found.family == "M")
ALL_NO = {found.value: "NO" for found in Indicator}
QUIET = {fact: "NO" if "NO" in values else values[0] for fact, values in FACTS.items()} | {
    "capacity": "POLICE", "disclosure": "OPEN", "cooperation": "ACCEPTS", "order": "NONE", "contact_ban": "NONE",
    "hgkm_certain": "YES", "enough_information": "YES", "safe_carer": "YES",
}  # fmt: skip
"""What the rules are told of ``a_report``: every question was answered, and nothing is wrong."""

WORK = {
    "T01", "T02", "T04", "T04r", "T05", "T06", "T07", "T08", "T11", "T11v", "T11k", "T12", "T13a", "T13b", "T13c",
    "T19", "T22", "T23", "T24", "T25", "T25z",
}  # fmt: skip
"""What is owed on a case that is worked on. Of a closed one who reported hears how it ended, and the family of the file
(T09, T10); an order or a measure that a person records there runs all the same."""

_SURNAMES = ("Verhoeven", "el Idrissi", "van der Sluis", "Öztürk", "Hoekstra", "Pinas", "de Ruiter", "Kowalska")
_WOMEN = ("Sanne", "Fatima", "Marijke", "Elif", "Froukje", "Chantal", "Ilse", "Agnieszka")
_MEN = ("Mark", "Youssef", "Gerrit", "Murat", "Sietse", "Ruben", "Bas", "Tomasz")
_STREETS = (
    "Wilgenhof",
    "Turfkade",
    "Zwaluwplein",
    "Mosterdsteeg",
    "Klaverdreef",
    "Lantaarnpad",
    "Hopsteeg",
    "Rietgors",
)
_IDS = UUID("b4b3c0de-0000-4000-8000-6d656c647374")
_numbers = count(1)


def a_bsn(place: int) -> str:
    """The number of an invented person: 9999xxxxx, and it passes the eleven-test."""
    return _bsns()[place % len(_bsns())]


@cache
def _bsns() -> tuple[str, ...]:
    return tuple(found for found in (f"9999{rest:05d}" for rest in range(0, 100_000, 7)) if is_bsn(found))


def an_id(*what: object) -> str:
    """A UUID: the same for the same words, a new one without."""
    return str(uuid5(_IDS, "/".join(map(str, what or (next(_numbers), "new")))))


# Messages ------------------------------------------------------------------------------------------------


def a_woman(household: int = 0, **changes: Any) -> dict[str, Any]:
    """The woman of a household, as a participant."""
    return _without_gaps(
        {
            "role": "VICTIM",
            "surname": _SURNAMES[household % 8],
            "given_names": _WOMEN[household % 8],
            "birth_date": f"{1980 + household % 20}-04-17",
            "bsn": a_bsn(household * 3),
            "sex": "FEMALE",
            "is_minor": "NO",
            "dependent": "NO",
            "pregnant": "NO",
            **changes,
        }
    )


def a_man(household: int = 0, **changes: Any) -> dict[str, Any]:
    """The man of a household."""
    return _without_gaps(
        {
            "role": "ALLEGED_PERPETRATOR",
            "surname": f"{_SURNAMES[(household + 3) % 8]}",
            "given_names": _MEN[household % 8],
            "birth_date": f"{1978 + household % 20}-11-02",
            "bsn": a_bsn(household * 3 + 1),
            "sex": "MALE",
            "is_minor": "NO",
            "dependent": "NO",
            "pregnant": "NO",
            **changes,
        }
    )


def a_child(household: int = 0, **changes: Any) -> dict[str, Any]:
    """A boy of the household, eight years old in March 2026."""
    return _without_gaps(
        {
            "role": "CHILD",
            "surname": _SURNAMES[household % 8],
            "given_names": "Noah",
            "birth_date": "2017-09-30",
            "bsn": a_bsn(household * 3 + 2),
            "sex": "MALE",
            "is_minor": "YES",
            "dependent": "NO",
            "pregnant": "NO",
            **changes,
        }
    )


def an_address(household: int = 0, **changes: Any) -> dict[str, Any]:
    """Where a household lives: each at its own number of an invented street in Gouda."""
    return _without_gaps(
        {
            "postcode": "2801 ZX",
            "house_number": 10 + household,
            "street": _STREETS[household % 8],
            "town": "Gouda",
            **changes,
        }
    )


def a_report(
    *, household: int = 0, yes: tuple[str, ...] = (), unknown: tuple[str, ...] = (), **changes: Any
) -> dict[str, Any]:
    """A report of the police about a quarrel without force: everything is answered, nothing is wrong (groen).

    ``yes`` and ``unknown`` name indicators; a field changed to ``...`` is left out.
    """
    return _without_gaps(
        {
            "report_id": an_id(),
            "version": 1,
            "source_id": POLICE,
            "source_ref": "ZOF-2026-0001",
            "channel": "API",
            "received_at": WEDNESDAY,
            "kind": "REPORT",
            "reporter": {"capacity": "POLICE", "name": "Hoofdagent Ottevanger", "contact": "071-5550999"},
            "reporter_disclosure": "OPEN",
            "occasions": ["PARTNER"],
            "violence_kinds": ["PSYCHOLOGICAL"],
            "participants": [a_woman(household), a_man(household)],
            "address": an_address(household),
            "municipality": GOUDA,
            "indicators": ALL_NO | dict.fromkeys(yes, "YES") | dict.fromkeys(unknown, "UNKNOWN"),
            "hgkm_certain": "YES",
            "enough_information": "YES",
            "safe_carer": "YES",
            "cooperation": "ACCEPTS",
            "narrative": "Luide ruzie, geen geweld gezien.",
            **changes,
        }
    )


def an_answer(handover: Handover, case: Case, state: str, **changes: Any) -> dict[str, Any]:
    """What the receiver of a handover answers."""
    return _without_gaps(
        {
            "answer_id": an_id(),
            "case_id": case.id,
            "handover_id": handover.id,
            "state": state,
            "by": "m.12",
            "answered_at": WEDNESDAY,
            **changes,
        }
    )


def role_for(kind: str) -> str:
    """Who does that by the sample policy."""
    return {"ERASE": "jurist", "DECIDE_HOLD": "jurist", "RELEASE": "bureaudienst"}.get(kind, "beoordelaar")


def an_act(case_id: str, kind: str, **changes: Any) -> dict[str, Any]:
    """What somebody of the centre does with a case."""
    return _without_gaps(
        {
            "act_id": an_id(),
            "case_id": case_id,
            "kind": kind,
            "actor": "m.vt-07",
            "role": role_for(kind),
            "reason": "Na overleg met het gezin.",
            "done_at": WEDNESDAY,
            **changes,
        }
    )


def _without_gaps(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not ...}


# Strategies ----------------------------------------------------------------------------------------------

answers3 = st.sampled_from([found.value for found in Answered])


def _persons(household: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    def varied(person: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {},
            optional={
                "is_minor": answers3,
                "dependent": answers3,
                "pregnant": answers3,
                "sex": st.sampled_from(["FEMALE", "MALE", "UNKNOWN"]),
                "birth_date": st.sampled_from(
                    ["1985", "1985-04", "1985-04-17", "2009-12-31", "2024-02-29", "2025", "2025-03", "2026-01-02"]
                ),
            },
        ).map(lambda changes: person | changes)

    some = [a_woman(household), a_man(household), a_child(household)]
    return st.tuples(*map(varied, some)).flatmap(
        lambda people: st.lists(st.sampled_from(people), min_size=1, max_size=3, unique_by=lambda one: one["bsn"])
    )


@st.composite
def reports(draw: st.DrawFn, kinds: tuple[str, ...] = ("REPORT",)) -> dict[str, Any]:
    """Any report that keeps to the contract, of one of four households; by default no advice and the like."""
    household = draw(st.integers(0, 3))
    capacity = draw(st.sampled_from(["POLICE", "GP", "SCHOOL", "NEIGHBOUR", "CHILD", "UNKNOWN"]))
    some = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "reporter_disclosure": st.sampled_from(["OPEN", "NAME_WITHHELD", "ANONYMITY_PROMISED"]),
                "hgkm_certain": answers3,
                "enough_information": answers3,
                "cooperation": st.sampled_from(["ACCEPTS", "REFUSES", "DENIES", "NOT_ASKED", "UNKNOWN"]),
                "meldcode": st.fixed_dictionaries({"q2": st.sampled_from(["ACUTE", "STRUCTURAL", "NO", "UNKNOWN"])}),
                "restraining_order": st.fixed_dictionaries(
                    {"state": st.sampled_from(["NONE", "IN_FORCE", "BROKEN"])},
                    optional={"since": st.sampled_from(["2026-03-18", "2026-03-08", "2026-03-07", "2025-01-01"])},
                ),
                "contact_ban": st.fixed_dictionaries({"state": st.sampled_from(["NONE", "IN_FORCE", "BROKEN"])}),
                "incident_number": st.sampled_from(["2026-111", "2026-222"]),
                "municipality": st.sampled_from([GOUDA, LEIDEN, "1931", EINDHOVEN, ...]),
                "occasions": st.lists(
                    st.sampled_from([found.value for found in Occasion]), min_size=1, max_size=3, unique=True
                ),
                "violence_kinds": st.lists(st.sampled_from([found.value for found in ViolenceKind]), max_size=3),
                "extra_flags": st.lists(st.sampled_from([found.value for found in ExtraFlag]), max_size=2),
                "address": st.sampled_from(
                    [an_address(household), an_address(household, secret=True), an_address(0, institutional=True)]
                ),
            },
        )
    )
    # Mostly answered NO, as reports are; else nearly every one would be red.
    indicators = draw(
        st.dictionaries(st.sampled_from(list(ALL_NO)), answers3, max_size=3).map(lambda said: ALL_NO | said)
    )
    return a_report(
        household=household,
        **{
            "kind": draw(st.sampled_from(kinds)),
            "reporter": {"capacity": capacity, "name": "Melder Zonneveld", "contact": "06-55501234"},
            "participants": draw(_persons(household)),
            "indicators": indicators,
            **some,
        },
    )


@st.composite
def worse(draw: st.DrawFn, report: dict[str, Any]) -> dict[str, Any]:
    """The same report with one thing worse: NO, UNKNOWN, YES is the way down; a person more vulnerable."""
    made = deepcopy(report)
    made["report_id"] = report["report_id"]
    down = {"NO": ["UNKNOWN", "YES"], "UNKNOWN": ["YES"]}
    ways: list[Callable[[], None]] = []
    for name in ALL_NO:
        for said in down.get(made["indicators"].get(name, "UNKNOWN"), ()):
            ways.append(lambda name=name, said=said: made["indicators"].update({name: said}))
    for person in made["participants"]:
        for trait in ("dependent", "pregnant", "is_minor"):
            for said in down.get(person.get(trait, "UNKNOWN"), ()):
                ways.append(lambda person=person, trait=trait, said=said: person.update({trait: said}))
    for field_, at_worst in (("restraining_order", "BROKEN"), ("contact_ban", "BROKEN")):
        ways.append(lambda field_=field_, at_worst=at_worst: made.update({field_: {"state": at_worst}}))
    ways.append(lambda: made["participants"].append(a_child(7, birth_date="2026-02-01")))
    ways.append(lambda: made["participants"].append(a_woman(7, role="MOTHER_OF_UNBORN", pregnant="YES")))
    draw(st.sampled_from(ways))()
    return made
