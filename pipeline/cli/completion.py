"""``meldstroom completion``: what a shell needs to complete our commands."""

import click
from click.shell_completion import get_completion_class

from pipeline.cli.manners import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command, help="help.completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The script for that shell."""
    found = get_completion_class(shell)
    assert found is not None  # click knows these three
    click.echo(found(context.find_root().command, {}, "meldstroom", "_MELDSTROOM_COMPLETE").source())
