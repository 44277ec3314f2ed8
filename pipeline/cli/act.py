"""``meldstroom act``: what a person of the centre does with a case."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click

from pipeline.cli.case import BY_NAME
from pipeline.cli.manners import Exit, Group, Sorry, cluster_of, option, output_option, say, settings
from pipeline.cli.sending import event, find, send

VERBS = {
    "settle": "SETTLE",
    "raise": "RAISE",
    "lower": "LOWER",
    "close": "CLOSE",
    "reopen": "REOPEN",
    "seen": "SEEN",
    "erase": "ERASE",
}
ANSWERS = {"JA": "YES", "NEE": "NO", "ONBEKEND": "UNKNOWN"}


@click.group(cls=Group, help="help.act")
def act() -> None:
    """A verb for each act."""


def _verb(name: str, kind: str) -> None:
    def command(**said: Any) -> None:
        do(kind, **said)

    if kind == "SETTLE":
        option("--answer", "answers", multiple=True, required=True, metavar="A1=NO", help="answers")(command)
    if kind in ("RAISE", "LOWER"):
        names = click.Choice(list(BY_NAME), case_sensitive=False)
        option("--colour", "--kleur", "colour", type=names, required=True, help="colour_to")(command)
    option("--wait", is_flag=True, help="wait_journal")(command)
    option("--second", metavar="CODE", help="second")(command)
    option("--reason", metavar="TEXT", required=True, help="reason")(command)
    option("--role", metavar="ROLE", required=True, help="role")(command)
    option("--actor", metavar="CODE", required=True, help="actor")(command)
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
    colour: str | None = None,
    answers: tuple[str, ...] = (),
) -> None:
    """Publish one act for the case's region, and with ``wait`` say what followed."""
    from pydantic import ValidationError

    from pipeline.cli.answer import follow_up
    from pipeline.journal_reader import ends_of
    from topics import specs
    from topics.answers import Act
    from topics.problems import field_errors

    found = settings()
    cluster = cluster_of(found)
    place = find(cluster, found, id)
    act_id = uuid4()
    try:
        said = Act.model_validate(
            {
                "act_id": act_id,
                "case_id": place.case.id,
                "kind": kind,
                "actor": actor,
                "role": role,
                "second": second,
                "reason": reason,
                "done_at": datetime.now(UTC),
                "colour": BY_NAME[colour.lower()] if colour else None,
                "indicators": dict(map(_answer, answers)),
            }
        )
    except ValidationError as error:
        wrong = field_errors(error, Act)
        from pipeline.cli.manners import language

        lines = "\n".join(
            f"  {one.pointer.lstrip('/')}: {one.detail if language() == 'nl' else one.detail_en}" for one in wrong
        )
        raise Sorry("error.act", Exit.USAGE, what=lines) from None
    start = ends_of(cluster, specs.JOURNAL.topic(), [place.region.partition]) if wait else {}
    record = event(
        kind=specs.ACT_TYPE,
        source=f"urn:nld:oin:{place.region.directory.oin}:systeem:meldstroom-cli",
        topic=specs.ACTS.topic(place.region.name),
        key=place.case.id,
        value=said.model_dump_json(exclude_none=True).encode(),
    )
    (sent,) = send(cluster, [record])
    told = {
        "act_id": str(act_id),
        "case_id": place.case.id,
        "kind": kind,
        "topic": sent.topic,
        "partition": sent.partition,
        "offset": sent.offset,
    }
    if output == "text":
        click.echo(say("act.sent", **told))
    follow_up(cluster, place, start, str(act_id), told, wait=wait, output=output)


def _answer(given: str) -> tuple[str, str]:
    question, sign, said = given.upper().partition("=")
    if not sign:
        raise Sorry("error.answer_form", Exit.USAGE, given=given)
    return question.strip(), ANSWERS.get(said.strip(), said.strip())
