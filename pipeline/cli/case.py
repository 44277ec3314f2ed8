"""``meldstroom case``: what is with whom, what happened, and why."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import (
    Group,
    as_json,
    cluster_of,
    coloured,
    note,
    option,
    outlines_of,
    output_option,
    settings,
    table,
)
from pipeline.words import colour_name, iso, language, local_time, say, span
from topics.codes import Colour

if TYPE_CHECKING:
    from agents.casework.case import Case, Handover
    from pipeline.cli.sending import Place
    from topics.journal import Record

BY_NAME = {name.lower(): colour.value for colour in Colour for name in (colour.value, colour.nl)}


@click.group(cls=Group, help="help.case")
def case() -> None:
    """Look; nothing is changed."""


@case.command(name="ls", help="help.case.ls")
@option("--region", metavar="ID", help="region")
@option("--open", "only_open", is_flag=True, help="only_open")
@option("--colour", "--kleur", type=click.Choice(list(BY_NAME), case_sensitive=False), help="colour_only")
@output_option
def ls(region: str | None, only_open: bool, colour: str | None, output: str) -> None:
    """The most urgent first, and of those the one with the earliest step."""
    from pipeline.journal_reader import books

    found = settings()
    regions = outlines_of(found, region)
    places = {name: one.partition for name, one in regions.items()}
    rows = [
        (name, one)
        for name, book in books(cluster_of(found), places).items()
        for one in book.cases.values()
        if not (only_open and one.closed) and (colour is None or one.colour == BY_NAME[colour.lower()])
    ]
    rows.sort(key=lambda row: (-_severity(row[1]), _due(row[1]) or 1 << 60, row[1].opened))
    if output == "json":
        as_json([summary(name, one) for name, one in rows])
        return
    table(
        ("case", "region", "colour", "state", "with", "next", "due"),
        (
            (
                one.id[:8],
                name,
                _coloured(one),
                state_of(one),
                current.receiver if (current := one.current()) else one.executor,
                step_of(current) if current else "-",
                local_time(_due(one)),
            )
            for name, one in rows
        ),
    )
    if not rows:
        note("case.none")


@case.command(name="show", help="help.case.show")
@click.argument("id", metavar="CASE|HANDOVER")
@output_option
def show(id: str, output: str) -> None:
    """Everything of one case."""
    from pipeline.cli.sending import find

    found = settings()
    place = find(cluster_of(found), found, id)
    records = history(place)
    if output == "json":
        as_json(
            {
                **summary(place.region.name, place.case),
                "offers": [plain_offer(handover) for handover in place.case.handovers],
                "timeline": [_plain(record) for record in records],
            }
        )
        return
    one = place.case
    _head(place)
    click.echo()
    click.echo(say("case.offers"))
    table(
        ("handover", "receiver", "destination", "state", "offered", "accept_before", "next", "due"),
        (
            (
                handover.id[:8],
                handover.receiver,
                _code("Destination", handover.destination),
                _code("HandoverState", handover.state),
                local_time(handover.offered),
                local_time(handover.accept_before),
                step_of(handover) if handover.due() else "-",
                local_time(handover.due()),
            )
            for handover in one.handovers
        ),
    )
    click.echo(say("case.timeline"))
    from pipeline.story import about, came, lines_of

    for record in records:
        click.echo(f"  {local_time(record.at)}  {came(record)}")
        for line in lines_of(about(record, one.id)):
            click.echo(f"  {'':19}    {line}")
    note("case.show_next", case=one.id[:8])


@case.command(name="why", help="help.case.why")
@click.argument("id", metavar="CASE|HANDOVER")
@output_option
def why(id: str, output: str) -> None:
    """The rules, in plain words."""
    from agents.casework.rules import rules_of
    from agents.casework.sentences import sentence
    from pipeline.cli.sending import find
    from pipeline.route import besides

    found = settings()
    place = find(cluster_of(found), found, id)
    one = place.case
    rules = [*one.reasons, *([one.rule] if one.rule else [])]
    in_force = rules_of(place.book)
    said = [(rule, sentence(in_force, rule, language())) for rule in dict.fromkeys(rules)]
    links = [{"case_id": case_id, "kind": kind, "certainty": certainty} for case_id, kind, certainty in one.links]
    policy = _policy(place)
    coming = next_step(one)
    more = besides(place.book, in_force, one)
    if output == "json":
        as_json(
            {
                **summary(place.region.name, one),
                "rules": [{"id": rule, "sentence": line} for rule, line in said],
                "policy": policy,
                "links": links,
                "open_questions": one.open_questions,
                "involvement": one.involvement,
                "next_step": coming,
                "owed": {
                    term: {"due": iso(due), "sentence": sentence(in_force, term, language())}
                    for term, due in one.terms.items()
                },
                **more,
            }
        )
        return
    _head(place)
    click.echo()
    click.echo(say("why.rules"))
    for rule, line in said:
        click.echo(f"  {rule}: {line}")
    if (kept := more["kept_because"]) is not None:
        click.echo(say("why.kept", reason=kept["reason"], sentence=kept[language()]))
    click.echo(say("why.policy", policy=policy))
    click.echo(say("why.involvement", involvement=_code("EarlierInvolvement", one.involvement)))
    for link in links:
        kind, certainty = _code("LinkKind", link["kind"]), _code("Certainty", link["certainty"])
        click.echo(say("why.link", case=link["case_id"][:8], kind=kind, certainty=certainty))
    if one.open_questions:
        from topics.codes import Indicator

        click.echo(say("why.open"))
        for question in one.open_questions:
            click.echo(f"  {question}: {Indicator(question).nl}")
    for line in _more(more):
        click.echo(line)
    if one.terms:
        click.echo(say("why.owed"))
        for term, due in sorted(one.terms.items(), key=lambda found: found[1]):
            click.echo(f"  {local_time(due)}  {term}: {sentence(in_force, term, language())}")
    click.echo(_coming(one))


def _more(more: dict[str, Any]) -> list[str]:
    """What stands on the case, in plain words."""
    said = language()
    lines = [
        say("why.standing", what=_code("Standing", what), state=_code("StandingState", found["state"]))
        for what, found in more["standing"].items()
    ]
    for one in more["prepared"]:
        key = "why.call" if one["by"] == "PHONE" else "why.prepared"
        state = _code("NoticeState", one["state"])
        lines.append(say(key, id=one["notice_id"], to=one["to"].lower(), state=state, why=one["rule"][said]))
    lines += [say("why.condition", sentence=one[said]) for one in more["safety_conditions"]]
    if more["board_request"]["met"]:
        lines.append(say("why.board_request"))
        lines += [f"  {one[said]}" for one in more["board_request"]["met"]]
        if more["board_request"]["unknown"]:
            lines.append("  " + say("why.board_unknown", facts=", ".join(more["board_request"]["unknown"])))
    for one in more["consults"]:
        answer = _code("HandoverState", one["answer"]) if one["answer"] else say("why.no_answer_yet")
        lines.append(say("why.consult", to=one["to"], answer=answer))
    lines += [say("why.role", role=_code("CaseRole", role), who=", ".join(who)) for role, who in more["roles"].items()]
    if more["passed_over"]:
        lines.append(say("why.passed_over", whom=", ".join(more["passed_over"])))
    for one in more["earlier_reports"]:
        source = one["report"].rpartition("/")[0]
        lines.append(say("why.earlier", source=source, received=one["received"][:16].replace("T", " ")))
    if more["disagreement"]:
        lines.append(say("why.disagreement", indicators=", ".join(more["disagreement"])))
    for one in more["assessment"]:
        scale = "-" if one["scale"] is None else one["scale"]
        yes = ", ".join(found for found, answer in one["indicators"].items() if answer == "YES") or "-"
        lines.append(say("why.assessment", party=one["party"], scale=scale, yes=yes))
    return lines


def history(place: "Place") -> "list[Record]":
    """Every record about the case, in order; also answers and acts that were refused."""
    from pipeline.story import cases_of

    return [record for record in place.records if place.case.id in cases_of(record)]


def summary(region: str, one: "Case") -> dict[str, Any]:
    """A case for machines."""
    current = one.current()
    return {
        "case_id": one.id,
        "region": region,
        "colour": one.colour,
        "provisional": one.provisional,
        "closed": one.closed,
        "erased": one.erased,
        "test": one.test,
        "opened": iso(one.opened),
        "owner": one.owner,
        "executor": one.executor,
        "destination": one.destination,
        "reports": len(one.entries),
        "handover_id": current.id if current else None,
        "receiver": current.receiver if current else None,
        "state": current.state if current else None,
        "next_step": next_step(one),
    }


def next_step(one: "Case") -> dict[str, str | None] | None:
    """What comes when nobody does anything; None when nothing is waited for."""
    from pipeline.owed import step_code

    current = one.current()
    due = current.due() if current else None
    if current is None or due is None:
        return None
    return {"step": step_code(current), "due": iso(due), "receiver": current.receiver}


def state_of(one: "Case") -> str:
    """How a case stands, in a word or two."""
    if one.erased:
        return say("case.erased")
    if one.closed:
        return say("case.closed")
    current = one.current() or (one.handovers[-1] if one.handovers else None)
    return _code("HandoverState", current.state) if current else "-"


def _head(place: "Place") -> None:
    one = place.case
    click.echo(say("case.head", case=one.id, region=place.region.name, opened=local_time(one.opened)))
    colour = colour_name(one.colour) + (f" ({say('case.provisional')})" if one.provisional else "")
    click.echo(say("case.colour", colour=colour, state=state_of(one)))
    click.echo(say("case.who", owner=one.owner, executor=one.executor))
    if one.test:
        click.echo(say("case.test"))


def _coming(one: "Case") -> str:
    current = one.current()
    due = current.due() if current else None
    if current is None:
        return say("why.next_closed" if one.closed else "why.next_none")
    if due is None:
        return say("why.next_accepted", receiver=current.receiver)
    import time

    left = due - int(time.time() * 1000)
    step = current.ladder[min(current.next_step, len(current.ladder) - 1)]
    return say(
        "why.next" if left >= 0 else "why.next_past",
        step=step_of(current),
        receiver=current.receiver,
        due=local_time(due),
        left=span(left),
        tells=", ".join(step.tells) or "-",
    )


def _policy(place: "Place") -> str:
    """The policy under which the case was last decided."""
    return next((record.policy for record in reversed(history(place)) if record.policy), place.case.policy)


def plain_offer(handover: "Handover") -> dict[str, Any]:
    """A handover for machines."""
    from pipeline.owed import step_code

    due = handover.due()
    found = {
        name: value
        for name, value in asdict(handover).items()
        if name not in ("ladder", "next_step", "again", "key_id")
    }
    for name in ("offered", "accept_before", "acknowledged", "accepted", "started", "shows", "falls"):
        found[name] = iso(found[name])
    return {**found, "next_step": {"step": step_code(handover), "due": iso(due)} if due else None}


def _plain(record: "Record") -> dict[str, Any]:
    from pipeline.story import lines_of, refused

    said = {name: getattr(record.input, name) for name in record.input.__dataclass_fields__ if name != "sealed"}
    return {
        "seq": record.seq,
        "at": iso(record.at),
        "lane": record.lane,
        "policy": record.policy,
        "input": said,
        "events": [asdict(event) for event in record.events],
        "refused": refused(record),
        "text": lines_of(record),
    }


def _coloured(one: "Case") -> Any:
    found = coloured(one.colour)
    return found + "?" if one.provisional else found


def _severity(one: "Case") -> int:
    return Colour(one.colour).severity if one.colour else -1


def _due(one: "Case") -> int | None:
    current = one.current()
    return current.due() if current else None


def step_of(handover: "Handover") -> str:
    """What happens next with an offer that waits, in words."""
    from pipeline.owed import step_code
    from pipeline.story import step

    return step(step_code(handover)) if handover.due() is not None else "-"


def _code(name: str, value: str) -> str:
    from pipeline.story import code

    return code(name, value)
