"""``meldstroom drill``: a marked report takes the real way to a team, is answered there as a drill, and is closed."""

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
import orjson

from pipeline.cli.manners import Command, Exit, Sorry, as_json, cluster_of, option, outlines_of, output_option, settings
from pipeline.cli.sending import event, send, wait_for_record
from pipeline.words import say
from topics.codes import ActKind, HandoverState

if TYPE_CHECKING:
    from agents.policy.directory import Receiver, Source
    from pipeline.cli.sending import Outgoing
    from pipeline.regions import Outline
    from topics.cluster import Cluster
    from topics.journal import Record

RESPONDER = "oefening"
"""Who answers for the team."""
HOUSEHOLDS = 10**9


@click.command(cls=Command, help="help.drill")
@option("--queue", "team_id", metavar="ID", required=True, help="drill_queue")
@option("--actor", metavar="CODE", required=True, help="actor")
@option("--role", metavar="ROLE", required=True, help="role")
@output_option
def drill(team_id: str, actor: str, role: str, output: str) -> None:
    """Publish, wait for the offer, answer it, close the case; each step says how long it took."""
    from topics import journal as j

    cluster = cluster_of(settings())
    region, team = _team(team_id)
    steps: list[dict[str, Any]] = []

    def took(what: str, started: float, record: "Record | None") -> "Record":
        if record is None:
            raise Sorry("error.drill", Exit.TEMPORARY, step=say(f"drill.{what}"))
        steps.append({"step": what, "seconds": round(time.monotonic() - started, 3)})
        if output == "text":
            click.echo(say("drill.step", step=say(f"drill.{what}"), seconds=f"{steps[-1]['seconds']:.2f}"))
        return record

    source, said = _report(region, team)
    published = time.monotonic()
    record = took("offered", published, _published(cluster, region, source, said))
    offer = next((one for one in record.events if isinstance(one, j.Offered)), None)
    if offer is None or offer.receiver != team.id:
        raise Sorry("error.drill_elsewhere", Exit.NOT_SO, queue=team.id, receiver=getattr(offer, "receiver", "-"))
    about = {"case_id": offer.case_id}
    for state in (HandoverState.ACCEPTED, HandoverState.STARTED):
        said = {**about, "handover_id": offer.handover_id, "state": state.value, "by": RESPONDER, "answered_at": _now()}
        took(state.value.lower(), time.monotonic(), _said(cluster, region, "answer", team.id, said))
    closing = {
        **about, "kind": ActKind.CLOSE.value, "actor": actor, "role": role, "reason": say("drill.reason"),
        "done_at": _now(),
    }  # fmt: skip
    closed = took("closed", time.monotonic(), _said(cluster, region, "act", region.name, closing))
    if not any(isinstance(one, j.ActDone) for one in closed.events):
        raise Sorry("error.drill_open", Exit.NOT_SO, case=offer.case_id)
    if output == "json":
        as_json({"queue": team.id, "case_id": offer.case_id, "steps": steps})


def _team(team_id: str) -> "tuple[Outline, Receiver]":
    found = outlines_of(settings()).values()
    teams = {one.id: (region, one) for region in found for one in region.directory.receivers if one.kind == "TEAM"}
    if team_id not in teams or not teams[team_id][1].municipalities:
        raise Sorry("error.no_team", Exit.NOT_SO, receiver=team_id, known=", ".join(teams))
    return teams[team_id]


def _report(region: "Outline", team: "Receiver") -> "tuple[Source, dict[str, Any]]":
    """A groen report that is marked as an exercise, of the region's police or its first source."""
    from pipeline.bench import bench_report
    from topics.codes import SourceKind

    source = next((one for one in region.sources if one.kind is SourceKind.POLICE), region.sources[0])
    chance = random.Random()
    return source, bench_report(chance, chance.randrange(HOUSEHOLDS), source, team) | {"test": True}


def _published(cluster: "Cluster", region: "Outline", source: "Source", report: dict[str, Any]) -> "Record | None":
    from topics import specs

    topic, own = specs.REPORTS.topic(source.id), report["report_id"]
    record = event(
        kind=specs.REPORT_TYPE, source=source.source, topic=topic, key=own, value=orjson.dumps(report)
    )  # fmt: skip
    return _followed(cluster, region, record, own)


def _said(cluster: "Cluster", region: "Outline", what: str, member: str, said: dict[str, Any]) -> "Record | None":
    """What the region made of an answer or an act."""
    from topics import specs

    own = str(uuid4())
    family, kind = (specs.ANSWERS, specs.ANSWER_TYPE) if what == "answer" else (specs.ACTS, specs.ACT_TYPE)
    record = event(
        kind=kind,
        source=f"urn:nld:oin:{region.directory.oin}:systeem:meldstroom-{RESPONDER}",
        topic=family.topic(member),
        key=said["case_id"],
        value=orjson.dumps({f"{what}_id": own, **said}),
    )
    return _followed(cluster, region, record, own)


def _followed(cluster: "Cluster", region: "Outline", record: "Outgoing", own: str) -> "Record | None":
    from pipeline.journal_reader import ends_of
    from topics import specs

    start = ends_of(cluster, specs.JOURNAL.topic(), [region.partition])
    send(cluster, [record])
    return wait_for_record(cluster, region.partition, start, own)


def _now() -> str:
    return datetime.now(UTC).isoformat()
