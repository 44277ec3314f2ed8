"""``meldstroom act``: what a person of the centre does with a case."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from pipeline.cli.case import BY_NAME
from pipeline.cli.manners import Exit, Group, Sorry, cluster_of, option, output_option, settings
from pipeline.cli.sending import event, find, send
from pipeline.words import say
from topics.codes import (
    BoardNotice,
    CaseRole,
    Code,
    HoldDecision,
    InvestigationOutcome,
    Measure,
    SafetyRating,
    StandingState,
    TriageOutcome,
)

if TYPE_CHECKING:
    from pipeline.regions import Outline
    from topics.cluster import Cluster

VERBS = {
    kind.lower().replace("_", "-"): kind
    for kind in (
        "SEEN", "SETTLE", "ASSESS", "RAISE", "LOWER", "DECIDE_HOLD", "CONFIRM_LINK", "UNLINK", "MERGE", "RELEASE",
        "PHONED", "MEASURE", "RESTRAINING_ORDER", "BOARD_NOTICE", "OUTCOME", "MONITOR_START", "MONITOR_CONTACT",
        "INFORMED", "EXTEND", "FEEDBACK_GIVEN", "FEEDBACK_NOT_POSSIBLE", "SUPPORT_GIVEN", "ASSIGN_ROLE",
        "ASSESSMENT_PART", "CONSULT", "REEVALUATE", "CLOSE", "REOPEN", "ERASE",
    )
}  # fmt: skip
ANSWERS = {"JA": "YES", "NEE": "NO", "ONBEKEND": "UNKNOWN"}
Values = dict[str, Any]


def _codes(kind: type[Code], *without: str) -> click.Choice[str]:
    return click.Choice([code.value for code in kind if code.value not in without], case_sensitive=False)


_COLOUR = (("--colour", "--kleur"), {"type": click.Choice(list(BY_NAME), case_sensitive=False), "help": "colour_to"})
_TO = (("--to",), {"metavar": "ID", "help": "to_whom"})
_OTHER = (("--other",), {"metavar": "CASE", "help": "other_case"})
_OR_OTHER = (_OTHER[0], {**_OTHER[1], "required": False})
_ONE_INCIDENT = (
    ("--report", "reports"),
    {"multiple": True, "required": False, "metavar": "ID", "help": "one_incident"},
)
_NOT_OF_IT = (("--report", "reports"), {"multiple": True, "required": False, "metavar": "ID", "help": "not_of_it"})
_STATE = (("--state",), {"type": _codes(StandingState), "help": "standing_state"})
_UNTIL = (("--until",), {"metavar": "DATE", "required": False, "help": "until"})
_SINCE = (("--since",), {"metavar": "TIME", "required": False, "help": "since"})
_ANSWER = (("--answer", "answers"), {"multiple": True, "metavar": "A1=NO", "help": "answers"})
_ANSWERS = (("--answer", "answers"), {**_ANSWER[1], "required": False})
OPTIONS: dict[str, tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = {
    "SETTLE": (_ANSWER,),
    "ASSESS": (
        (("--rating",), {"type": _codes(SafetyRating), "help": "rating"}),
        (("--outcome",), {"type": _codes(TriageOutcome), "help": "triage_outcome"}),
        _ANSWERS,
    ),
    "RAISE": (_COLOUR,),
    "LOWER": (_COLOUR,),
    "DECIDE_HOLD": ((("--decision", "hold"), {"type": _codes(HoldDecision), "help": "hold"}),),
    "CONFIRM_LINK": (_OR_OTHER, _ONE_INCIDENT),
    "UNLINK": (_OR_OTHER, _NOT_OF_IT),
    "MERGE": (_OTHER,),
    "RELEASE": ((("--notice", "notices"), {"multiple": True, "metavar": "ID", "help": "notices"}),),
    "PHONED": (
        (("--notice", "notices"), {"multiple": True, "required": False, "metavar": "ID", "help": "notices"}),
        (("--who",), {"metavar": "NAME", "help": "phone_who"}),
        (("--with", "with_whom"), {"metavar": "NAME", "help": "phone_with"}),
    ),
    "MEASURE": ((("--measure",), {"type": _codes(Measure), "help": "measure"}), _STATE, _SINCE, _UNTIL),
    "RESTRAINING_ORDER": (_STATE, _SINCE, _UNTIL),
    "BOARD_NOTICE": ((("--says", "board"), {"type": _codes(BoardNotice), "help": "board"}),),
    "OUTCOME": ((("--found",), {"type": _codes(InvestigationOutcome), "help": "found"}),),
    "ASSIGN_ROLE": ((("--as", "case_role"), {"type": _codes(CaseRole, "EXECUTOR"), "help": "case_role"}), _TO),
    "CONSULT": (_TO,),
    "ASSESSMENT_PART": (
        (("--party",), {"metavar": "ID", "help": "party"}),
        (("--scale",), {"type": click.IntRange(0, 10), "required": False, "help": "scale"}),
        (("--condition", "conditions"), {"multiple": True, "required": False, "metavar": "TEXT", "help": "agreed"}),
        _ANSWERS,
        _UNTIL,
    ),
}
"""What an act asks for besides who does it and why; required unless said otherwise."""


@click.group(cls=Group, help="help.act")
def act() -> None:
    """A verb for each act."""


def by_whom(command: Callable[..., None]) -> None:
    """Give a command the options that say who does something, and why."""
    option("--wait", is_flag=True, help="wait_journal")(command)
    option("--second", metavar="CODE", help="second")(command)
    option("--reason", metavar="TEXT", required=True, help="reason")(command)
    option("--role", metavar="ROLE", required=True, help="role")(command)
    option("--actor", metavar="CODE", required=True, help="actor")(command)


def _verb(name: str, kind: str) -> None:
    def command(**said: Any) -> None:
        do(kind, **said)

    for names, more in reversed(OPTIONS.get(kind, ())):
        option(*names, **{"required": True, **more})(command)
    by_whom(command)
    click.argument("id", metavar="CASE|HANDOVER")(command)
    act.command(name=name, help=f"help.act.{name}")(output_option(command))


for _name, _kind in VERBS.items():
    _verb(_name, _kind)


def do(
    kind: str,
    id: str,
    actor: str,
    role: str,
    reason: str,
    second: str | None,
    wait: bool,
    output: str,
    *,
    offer: bool = False,
    **given: Any,
) -> None:
    """Publish one act for the case's region, and with ``wait`` say what followed. ``offer``: it is about the offer that
    is open."""
    found = settings()
    cluster = cluster_of(found)
    place = find(cluster, found, id)
    if offer:
        current = place.case.current()
        if current is None or place.handover not in (None, current):
            raise Sorry("error.no_open_offer", Exit.NOT_SO, case=place.case.id)
        given |= {"handover": current.id} if kind == "PHONED" else {}
    if (other := given.pop("other", None)) is not None:
        given["other_case"] = find(cluster, found, other).case.id
    now = datetime.now(UTC)
    about = {"case_id": place.case.id, "kind": kind, "done_at": now, **_details(kind, given, now)}
    by = {"actor": actor, "role": role, "second": second, "reason": reason}
    look = say("handover.next", case=place.case.id[:8])
    publish(cluster, place.region, about | by, wait=wait, output=output, look=look)


def publish(cluster: "Cluster", region: "Outline", said: dict[str, Any], *, wait: bool, output: str, look: str) -> None:
    """Publish one act of a region, with a case, about a receiver, or with its policy; what followed, or where to
    ``look`` for it, is said."""
    from pydantic import ValidationError

    from pipeline.cli.handover import follow_up
    from pipeline.journal_reader import ends_of
    from topics import specs
    from topics.answers import Act
    from topics.problems import field_errors

    act_id = uuid4()
    try:
        made = Act.model_validate({"act_id": act_id, **said})
    except ValidationError as error:
        wrong = field_errors(error, Act)
        from pipeline.words import language

        lines = "\n".join(
            f"  {one.pointer.lstrip('/')}: {one.detail if language() == 'nl' else one.detail_en}" for one in wrong
        )
        raise Sorry("error.act", Exit.USAGE, what=lines) from None
    start = ends_of(cluster, specs.JOURNAL.topic(), [region.partition]) if wait else {}
    what, about = (
        ("case_id", str(made.case_id))
        if made.case_id is not None
        else ("receiver", made.to)
        if made.to is not None
        else ("region", region.name)
    )
    record = event(
        kind=specs.ACT_TYPE,
        source=f"urn:nld:oin:{region.directory.oin}:systeem:meldstroom-cli",
        topic=specs.ACTS.topic(region.name),
        key=about,
        value=made.model_dump_json(exclude_none=True).encode(),
    )
    (sent,) = send(cluster, [record])
    told = {
        "act_id": str(act_id),
        what: about,
        "kind": made.kind.value,
        "topic": sent.topic,
        "partition": sent.partition,
        "offset": sent.offset,
    }
    if output == "text":
        sent_as = {"case_id": "act.sent", "receiver": "queue.sent", "region": "policy.sent"}
        click.echo(say(sent_as[what], **told))
    follow_up(cluster, region.partition, start, str(act_id), told, wait=wait, output=output, look=look)


def _details(kind: str, given: Values, now: datetime) -> Values:
    """What was given with options, as the contract has it."""
    indicators = dict(map(_answer, given.pop("answers", ())))
    if kind == "ASSESSMENT_PART":
        until = given.pop("until")
        return {"part": {**_said(given), "indicators": indicators, **({"valid_until": until} if until else {})}}
    if kind in ("MEASURE", "RESTRAINING_ORDER"):
        return {"standing": _said(given)}
    if kind == "PHONED":
        phone = {"who": given.pop("who"), "with_whom": given.pop("with_whom"), "at": now}
        return {"phone": phone, **_said(given)}
    if given.get("colour"):
        given["colour"] = BY_NAME[given["colour"].lower()]
    return {**_said(given), **({"indicators": indicators} if indicators else {})}


def _said(given: Values) -> Values:
    return {name: value for name, value in given.items() if value not in (None, ())}


def _answer(given: str) -> tuple[str, str]:
    question, sign, said = given.upper().partition("=")
    if not sign:
        raise Sorry("error.answer_form", Exit.USAGE, given=given)
    return question.strip(), ANSWERS.get(said.strip(), said.strip())
