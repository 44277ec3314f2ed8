"""``meldstroom``: one file per noun. Each is loaded only when its command is asked for."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from pipeline.cli.manners import Exit, Group, choose_language, explained, misused, option
from pipeline.words import language, say
from topics.texts import catalogue

COMMANDS = {
    "demo": "demo:demo",
    "up": "up:up",
    "check": "check:check",
    "publish": "publish:publish",
    "watch": "watch:watch",
    "board": "board:board",
    "case": "case:case",
    "handover": "handover:handover",
    "receive": "receive:receive",
    "act": "act:act",
    "policy": "policy:policy",
    "queue": "queue:queue",
    "duty": "duty:duty",
    "drill": "drill:drill",
    "timers": "timers:timers",
    "route": "route:route",
    "figures": "figures:figures",
    "deadletters": "deadletters:deadletters",
    "topics": "topics:topics",
    "worker": "worker:worker",
    "doctor": "doctor:doctor",
    "bench": "bench:bench",
    "completion": "completion:completion",
}
"""Name -> module of this package and the command in it, in the order in which a newcomer meets them."""


class Root(Group):
    """Loads commands late, and turns every error into one sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, place in COMMANDS.items() if find_spec(f"pipeline.cli.{place.partition(':')[0]}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, _, attribute = COMMANDS.get(cmd_name, "").partition(":")
        if not module or not find_spec(f"pipeline.cli.{module}"):
            return None
        found: click.Command = getattr(import_module(f"pipeline.cli.{module}"), attribute)
        return found

    def short_help_of(self, ctx: click.Context, name: str) -> str:
        """From the catalogue, so that help need not load every command."""
        key = f"cli.help.{name}"
        return catalogue()[key][language()].splitlines()[0] if key in catalogue() else super().short_help_of(ctx, name)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise misused(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise misused(error) from None
        except KeyboardInterrupt:
            ctx.exit(Exit.INTERRUPTED)
        except BrokenPipeError:
            # Who read us has seen enough (``| head``); Python must not complain of it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(Exit.DONE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise explained(error) from None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("help.exit_codes")):
            formatter.write_dl([(str(int(code)), say(f"exit.{code.name.lower()}")) for code in Exit])


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import tomllib

        from pipeline.settings import CHECKOUT

        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        click.echo(f"meldstroom {project['version']}")
        context.exit()


@click.group(
    cls=Root,
    help="help.main",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@option(
    "--lang",
    type=click.Choice(["nl", "en"]),
    is_eager=True,
    expose_value=False,
    callback=choose_language,
    help="lang",
)
@option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="version")
def main() -> None:
    """The root; its help stands in the catalogue."""
