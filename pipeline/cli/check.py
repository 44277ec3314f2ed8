"""``meldstroom check``: would this be taken in? Without a network."""

from typing import Any

import click

from pipeline.cli.manners import Command, Exit, as_json, output_option, read_bytes
from pipeline.cli.publish import problem_lines
from pipeline.words import say


@click.command(cls=Command, help="help.check")
@click.argument("file", metavar="FILE|-")
@output_option
def check(file: str, output: str) -> None:
    """All errors at once; exit 1 when it would be refused."""
    from topics.check import check as checked
    from topics.problems import problem

    result = checked(read_bytes(file))
    said: dict[str, Any] = {"valid": result.ok}
    if not result.ok:
        said |= problem(result.reasons[0], result.errors).model_dump(mode="json")
        said["reasons"] = [reason.value for reason in result.reasons]
    if result.report is not None:
        said |= {"report_id": str(result.report.report_id), "version": result.report.version}
    said["acute"] = result.acute
    if output == "json":
        as_json(said)
    elif result.ok:
        click.echo(say("check.ok", file=file))
    else:
        click.echo(say("check.refused", file=file, count=len(result.errors)))
        for line in problem_lines(said):
            click.echo(line)
    if not result.ok:
        raise click.exceptions.Exit(Exit.NOT_SO)
