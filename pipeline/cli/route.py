"""``meldstroom route``: try the rules of a region, without Kafka."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

import click
import orjson

from agents.policy.loading import PolicyError
from agents.policy.model import millis
from agents.policy.region import RegionConfig, load_regions
from pipeline.cli.shares import shares
from pipeline.route import Line, Said, Trial, read_history, read_moment, read_said, region_for, state
from pipeline.settings import read_settings
from topics import codes
from topics.codes import Colour, Destination, HandoverState
from topics.problems import Refused
from topics.texts import Language, text


@click.group()
def route() -> None:
    """Wat er met een melding zou gebeuren / what would happen to a report."""


route.add_command(shares)


@route.command()
@click.option("--report", "report_file", type=click.File("rb"), help="A bare report, or a structured CloudEvent.")
@click.option("--history", type=click.File("rb"), help="What happened before, a JSON object a line.")
@click.option("--at", "at_text", metavar="TIME", help="When the report comes in. Default: its received_at.")
@click.option("--region", metavar="NAME", help="Default: where the household lives, else the first region.")
@click.option("-o", "--output", type=click.Choice(["json", "text"]), default="text", show_default=True)
@click.option("--lang", type=click.Choice(["nl", "en"]), help="Language of text output. Default: LANG.")
def test(
    report_file: BinaryIO | None,
    history: BinaryIO | None,
    at_text: str | None,
    region: str | None,
    output: str,
    lang: Language | None,
) -> None:
    """Decide without Kafka, by the rules of a region, and print what was decided.

    \b
    A history has one object a line, in order of time:
      {"at": TIME, "report": {...}}   a whole report, or a CloudEvent
      {"at": TIME, "answer": {...}}   of a receiver
      {"at": TIME, "act": {...}}      of somebody of the centre
      {"at": TIME, "tick": true}      fire what is due; nothing fires by itself

    An answer may leave out answer_id, answered_at, case_id and handover_id, and then means the newest open
    offer: {"at": "2026-03-19T09:00:00+01:00", "answer": {"state": "ACCEPTED"}}. It always comes from the
    receiver of that offer. An act may leave out act_id, case_id (the case of the newest open offer), done_at,
    actor, role and reason.

    Without --report the state after each line is printed: with -o json a list. With --report the history is
    decided first, and the state after the report is printed.

    \b
    Exit codes: 0 decided, 1 the report or the history cannot be decided, 2 wrong use of this command.
    """
    language = lang or _language()
    if report_file is None and history is None:
        raise click.UsageError(text("route.nothing_asked", language))
    at = read_moment(at_text) if at_text is not None else None
    if at_text is not None and at is None:
        raise click.BadParameter(text("route.moment", language), param_hint="--at")
    regions = _regions(language)
    if region is not None and region not in regions:
        known = ", ".join(regions)
        raise click.BadParameter(
            text("route.region_unknown", language, name=region, names=known), param_hint="--region"
        )
    try:
        lines, said = _read(history, report_file)
        reports = [said.report] if said is not None else []
        reports += [line.said.report for line in lines if isinstance(line.said, Said)]
        config = region_for(regions, region, reports)
        shown = _decided(config, lines, said, at)
    except Refused as refused:
        _refuse(refused, output, language)
    if output == "json":
        found = shown[-1] if said is not None else shown
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n\n".join(_page(one, config, language) for one in (shown[-1:] if said is not None else shown)))


def _read(history: BinaryIO | None, report_file: BinaryIO | None) -> tuple[tuple[Line, ...], Said | None]:
    """Both files, or one ``Refused`` with the errors of both."""
    lines: tuple[Line, ...] = ()
    said: Said | None = None
    refusals: list[Refused] = []
    try:
        lines = read_history(history.read()) if history is not None else ()
    except Refused as refused:
        refusals.append(refused)
    try:
        said = read_said(report_file.read()) if report_file is not None else None
    except Refused as refused:
        refusals.append(refused)
    if refusals:
        raise Refused(refusals[0].reason, [error for refused in refusals for error in refused.errors])
    return lines, said


def _decided(config: RegionConfig, lines: tuple[Line, ...], said: Said | None, at: int | None) -> list[dict[str, Any]]:
    if said is not None:
        number = lines[-1].number + 1 if lines else 1
        arrived = at if at is not None else millis(said.report.received_at)
        lines = (*lines, Line(number, arrived, "report", said))
    if not lines:
        return []
    trial = Trial(config, lines[0].at)
    shown = []
    for line in lines:
        record = trial.run(line)
        shown.append({"line": line.number, **state(trial.book, record, trial.told)})
    return shown


def _regions(language: Language) -> dict[str, RegionConfig]:
    try:
        # Nothing is sealed here, so keys that everybody knows do no harm.
        return load_regions(read_settings().regions, development=True)
    except PolicyError as error:
        click.echo(text("route.regions_unusable", language, why=str(error)), err=True)
        raise SystemExit(1) from None


def _refuse(refused: Refused, output: str, language: Language) -> NoReturn:
    problem = refused.problem()
    if output == "json":
        click.echo(orjson.dumps(problem.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    title = problem.title if language == "nl" else problem.title_en
    click.echo(text("route.cannot_decide", language, title=title), err=True)
    for error in problem.errors:
        detail = error.detail if language == "nl" else error.detail_en
        click.echo(text("route.error_at", language, pointer=error.pointer or "/", detail=detail), err=True)
    raise SystemExit(1)


def _language() -> Language:
    chosen = read_settings().language
    if chosen is not None:
        return chosen
    said = (os.environ.get(name, "")[:2].lower() for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "en" if next((found for found in said if found in ("nl", "en")), "nl") == "en" else "nl"


# The page ------------------------------------------------------------------------------------------------


def _page(found: dict[str, Any], config: RegionConfig, language: Language) -> str:
    def row(key: str, **values: object) -> str:
        return text(f"route.{key}", language, **values)

    def label(code: codes.Code) -> str:
        return code.nl if language == "nl" else code.value

    def named(receiver_id: str | None) -> str:
        receiver = config.directory.receiver(receiver_id or "")
        if receiver is not None:
            return f"{receiver.name} ({receiver_id})"
        return config.directory.name if receiver_id == config.directory.organisation else receiver_id or "-"

    rows = [row("line", number=found["line"], at=found["at"])]
    outcome = found["outcome"]
    rows.append(row("outcome", value=" ".join(filter(None, (outcome["what"], outcome["why"])))))
    if found["case_id"] is not None:
        rows.append(row("case", value=found["case_id"]))
        colour = label(Colour(found["colour"])) if found["colour"] else row("no_colour")
        rows.append(row("colour", value=row("colour_provisional", colour=colour) if found["provisional"] else colour))
        rows += [row("reason", rule=one["rule"], sentence=one[language]) for one in found["reasons"]]
        if found["open_questions"]:
            rows.append(row("open_questions", value=" ".join(found["open_questions"])))
        if found["destination"]:
            rows.append(row("destination", value=f"{label(Destination(found['destination']))}"))
            why = found["destination_reason"]
            rows.append(row("reason", rule=why["rule"], sentence=why[language]))
            if (kept := found["kept_because"]) is not None:
                rows.append(row("kept", reason=kept["reason"], sentence=kept[language]))
        rows.append(row("owner", value=named(found["owner"])))
        rows.append(row("executor", value=named(found["executor"])))
    if (offer := found["offer"]) is not None:
        rows.append(row("offer", value=f"{named(offer['receiver'])}, {label(HandoverState(offer['state']))}"))
        rows += [row(who, value=offer[who]) for who in ("contact_person", "dv_specialist") if offer[who]]
        for step in offer["ladder"]:
            tells = f" -> {', '.join(step['tells'])}" if step["tells"] else ""
            key = "step_fired" if step["fired"] else "step"
            rows.append(row(key, due=step["due"], step=_step(step["step"], language), tells=tells))
    rows += [row("deadline", name=name, due=due) for name, due in found["deadlines"].items()]
    rows += _besides(found, row, language)
    for one in found["fired"]:
        key = ("fired" if one["term"] is None else "fired_owed") + ("_late" if one["late"] else "")
        rows.append(row(key, term=one["term"], step=_step(one["step"], language), due=one["due"]))
    for one in found["side_notices"]:
        to = f"{one['to']}/{one['person']}" if one["person"] else one["to"]
        rows.append(row("notice", kind=label(codes.NoticeKind(one["kind"])), to=to))
    for one in found["links"]:
        kind, sure = label(codes.LinkKind(one["kind"])), label(codes.Certainty(one["certainty"]))
        rows.append(row("link", kind=kind, certainty=sure, case=one["case_id"]))
    if found["earlier_involvement"]:
        known = label(codes.EarlierInvolvement(found["earlier_involvement"]))
        rows.append(row("involvement", value=known))
    rows.append(row("policy", value=found["policy"]))
    return "\n".join(rows)


def _besides(found: dict[str, Any], row: Callable[..., str], language: Language) -> list[str]:
    """What is so of the case besides its colour and its handover."""

    def label(kind: type[codes.Code], value: str) -> str:
        return kind(value).nl if language == "nl" else value

    rows = []
    if (hangs := found["hangs_on"]) is not None:
        rows += [row(f"hangs_{name}", facts=" ".join(facts)) for name, facts in hangs.items() if facts]
    for what, stands in found.get("standing", {}).items():
        state = label(codes.StandingState, stands["state"])
        rows.append(row("standing", what=label(codes.Standing, what), state=state))
    for one in found.get("prepared", []):
        state = label(codes.NoticeState, one["state"])
        key = "prepared_call" if one["by"] == "PHONE" else "prepared"
        rows.append(row(key, to=one["to"], state=state, rule=one["rule"]["rule"], sentence=one["rule"][language]))
    rows += [row("condition", sentence=one[language]) for one in found.get("safety_conditions", [])]
    if (request := found.get("board_request", {})).get("met"):
        met = " ".join(one["rule"] for one in request["met"])
        rows.append(row("board_request", met=met, unknown=" ".join(request["unknown"]) or "-"))
    for role, who in found.get("roles", {}).items():
        rows.append(row("role", role=label(codes.CaseRole, role), who=", ".join(who)))
    if found.get("passed_over"):
        rows.append(row("passed_over", whom=", ".join(found["passed_over"])))
    return rows


def _step(name: str, language: Language) -> str:
    """Steps are told by notices of the same name; a recall is a state of the handover."""
    kinds: dict[str, codes.Code] = {**codes.NoticeKind.__members__, **codes.HandoverState.__members__}
    return kinds[name].nl if language == "nl" else name
