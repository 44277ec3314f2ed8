"""How every command speaks: exit codes, language, one sentence for each error, tables and JSON.

Data goes to stdout, everything said about it to stderr. Only what is quick to load is loaded here.
"""

import errno
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.words import colour_name, language, say

if TYPE_CHECKING:
    from pipeline.regions import Outline
    from pipeline.settings import Settings
    from topics.cluster import Cluster

HERE = Path(__file__).resolve().parents[2]
REACH_WITHIN_S = 3.0
PIPE_WIDTH = 200
"""Columns of a table that no terminal shows."""

C = TypeVar("C", bound=Callable[..., Any])


class Exit(IntEnum):
    """What an exit code means; the same for every command (those from 64 on are those of sysexits.h)."""

    DONE = 0
    NOT_SO = 1
    USAGE = 2
    UNREACHABLE = 69
    BUG = 70
    TEMPORARY = 75
    CONFIG = 78
    INTERRUPTED = 130


def choose_language(_: click.Context, __: click.Parameter, chosen: str | None) -> None:
    """Callback of ``--lang``."""
    if chosen:
        os.environ["MELDSTROOM_LANGUAGE"] = chosen  # for the processes that this one starts


def note(key: str, **values: object) -> None:
    """Say something beside the data, on stderr."""
    click.echo(say(key, **values), err=True)


# --- commands whose help speaks both languages --------------------------------------------------------


class _Told:
    """``help`` is a key of the catalogue; it is looked up when somebody reads it."""

    _help: str | None = None

    @property
    def help(self) -> str | None:
        return say(self._help) if self._help else None

    @help.setter
    def help(self, key: str | None) -> None:
        self._help = key


class _Page(_Told, click.Command):
    """A page of help, its headings too."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), say("help.usage") + " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [record for one in self.get_params(ctx) if (record := one.get_help_record(ctx)) is not None]
        with formatter.section(say("help.options")):
            formatter.write_dl(shown)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = say("help.option.help")
        return found


class Command(_Page):
    """A command whose help stands in the catalogue."""


class Option(_Told, click.Option):
    """An option whose help stands in the catalogue."""


class Group(_Page, click.Group):
    """Commands about one noun."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = ", ".join(self.list_commands(ctx))
            raise Sorry("usage.command", Exit.USAGE, command=args[0], known=known, path=ctx.command_path)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("help.commands")):
            formatter.write_dl([(name, self.short_help_of(ctx, name)) for name in self.list_commands(ctx)])

    def short_help_of(self, ctx: click.Context, name: str) -> str:
        """The first sentence of a command's help, whole."""
        command = self.get_command(ctx, name)
        return (command.help or "").splitlines()[0] if command is not None and command.help else ""


def option(*names: str, help: str, **more: Any) -> Callable[[C], C]:
    """An option; ``help`` is a key."""
    return click.option(*names, cls=Option, help=f"help.option.{help}", **more)


def output_option(function: C) -> C:
    """``-o json|text``."""
    return option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="output")(function)


# --- errors -----------------------------------------------------------------------------------------


class Sorry(click.ClickException):
    """What a user can mend, as one sentence, with the exit code that fits."""

    def __init__(self, key: str, code: Exit, **values: object) -> None:
        super().__init__(say(key, **values))
        self.key = key
        self.exit_code = int(code)

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file, err=file is None)


class Said(Sorry):
    """The same, with a sentence that another part of the house has made already."""

    def __init__(self, sentence: str, code: Exit) -> None:
        click.ClickException.__init__(self, sentence)
        self.key = ""
        self.exit_code = int(code)


def misused(error: click.UsageError) -> click.ClickException:
    """What a user is told of a command that was typed wrongly; never what stood there as a value."""
    path = error.ctx.command_path if error.ctx is not None else "meldstroom"
    match error:
        case click.exceptions.NoArgsIsHelpError():
            return error  # it shows the help
        case click.NoSuchOption():
            near = ", ".join(sorted(error.possibilities or ())) or "-"
            return Sorry("usage.option", Exit.USAGE, option=error.option_name, near=near, path=path)
        case click.MissingParameter():
            return Sorry("usage.missing", Exit.USAGE, what=_parameter(error), path=path)
        case click.BadParameter() if error.param is None:
            return Said(f"{path}: {error.param_hint}: {error.message}", Exit.USAGE)  # a command of ours has said it
        case click.BadParameter():
            kind = getattr(error.param, "type", None)
            choices = ", ".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else ""
            key = "usage.choice" if choices else "usage.value"
            return Sorry(key, Exit.USAGE, what=_parameter(error), choices=choices, path=path)
        case click.BadOptionUsage():
            return Sorry("usage.no_value", Exit.USAGE, option=error.option_name, path=path)
        case _ if error.message.startswith("Got unexpected extra"):
            return Sorry("usage.other", Exit.USAGE, path=path)
        case _:
            return Said(f"{path}: {error.message}", Exit.USAGE)


def _parameter(error: click.BadParameter) -> str:
    found = error.param
    if found is None:
        return str(error.param_hint)
    return "/".join(found.opts) if isinstance(found, click.Option) else found.make_metavar(click.Context(Command("")))


def explained(error: BaseException) -> Sorry:
    """What a user is told of an error that a command did not foresee; a bug when nobody did."""
    from kafka.errors import KafkaError
    from pydantic import ValidationError

    from agents.policy.loading import PolicyError
    from agents.sealing import CannotOpen
    from agents.stage.heartbeat import InstanceTaken
    from pipeline.journal_reader import NoTopic
    from pipeline.kafka_jars import BrokerError
    from pipeline.settings import NoBroker
    from topics.admin import ChangeFailed, DriftRefused
    from topics.journal import UnknownFormat

    match error:
        case Sorry():
            return error
        case NoBroker():
            return Sorry("error.no_broker", Exit.UNREACHABLE)
        case BrokerError():
            config = error.key in ("broker.tools_missing", "broker.data_in_use", "broker.port_taken")
            return Said(error.text(language()), Exit.CONFIG if config else Exit.UNREACHABLE)
        case PolicyError():
            return Sorry("error.policy", Exit.CONFIG, what=error)
        case InstanceTaken():
            return Sorry("error.instance_taken", Exit.CONFIG, instance=error.instance, pid=error.pid, host=error.host)
        case ValidationError() if error.title == "Settings":
            return Sorry("error.settings", Exit.CONFIG, what=_settings(error))
        case CannotOpen():
            return Sorry("error.cannot_open", Exit.NOT_SO)
        case NoTopic():
            return Sorry("error.topics_missing", Exit.CONFIG, topics=error)
        case DriftRefused():
            lines = "\n".join(refusal.say(language()) for refusal in error.refusals)
            return Sorry("error.drift", Exit.CONFIG, what=lines)
        case ChangeFailed():
            return Sorry("error.change_failed", Exit.TEMPORARY, what=error)
        case UnknownFormat():
            return Sorry("error.newer_journal", Exit.CONFIG, what=error)
        case KafkaError():
            return _kafka(error)
        case OSError() if error.errno == errno.EADDRINUSE:
            return Sorry("error.port_taken", Exit.CONFIG)
        case OSError() if error.strerror:
            return Sorry("error.system", Exit.CONFIG, file=error.filename or "-", why=error.strerror)
        case _:
            if type(error).__module__.startswith("aiokafka"):
                return _kafka(error)
            return Sorry("error.bug", Exit.BUG, type=type(error).__name__, where=where(error))


def _kafka(error: BaseException) -> Sorry:
    name = type(error).__name__
    if "Auth" in name or name in ("IllegalSaslStateError", "UnsupportedSaslMechanismError"):
        return Sorry("error.kafka_rights", Exit.CONFIG, error=name)
    if name == "UnknownTopicOrPartitionError":
        return Sorry("error.topics_missing", Exit.CONFIG, topics="?")
    if name in ("KafkaConnectionError", "NoBrokersAvailable", "NodeNotReadyError"):
        return Sorry("error.unreachable", Exit.UNREACHABLE, address="Kafka", why=name)
    return Sorry("error.kafka", Exit.TEMPORARY, error=name)


def where(error: BaseException) -> str:
    """File and line of the innermost frame of ours: enough to find it, and nothing of what was handled."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        with suppress(ValueError):
            path = Path(frame.filename).resolve().relative_to(HERE)
            if path.parts[0] in ("topics", "agents", "pipeline"):
                return f"{path}:{frame.lineno}"
    return "?"


def _settings(error: Any) -> str:
    """Each wrong setting by the name under which it is set; never its value, which may be a password."""
    return "\n".join(
        f"  MELDSTROOM_{'__'.join(str(step) for step in found['loc']).upper()}: {found['msg']}"
        for found in error.errors(include_input=False, include_url=False, include_context=False)
    )


# --- where we are ------------------------------------------------------------------------------------


def settings() -> "Settings":
    """The settings of this command. On a broker that this checkout runs itself, development is meant."""
    import json

    from pipeline.settings import LOCAL, Settings, read_settings

    chosen = os.environ.get("MELDSTROOM_LANGUAGE")
    if chosen is not None and chosen not in ("nl", "en"):
        raise Sorry("error.language", Exit.CONFIG)
    named = Settings()
    found = read_settings()
    if named.kafka.bootstrap is None and found.kafka.bootstrap is not None:
        local = json.loads(LOCAL.read_text()) if LOCAL.exists() else {}
        more: dict[str, object] = {}
        if "development" not in named.model_fields_set:
            more["development"] = True
        if "data" in local and "data" not in named.model_fields_set:
            more["data"] = Path(local["data"])
        found = found.model_copy(update=more)
    return found


def reachable(cluster: "Cluster") -> "Cluster":
    """The cluster itself, when one of its addresses takes a connection: Kafka's clients wait 30 s to say no."""
    why = ""
    for address in cluster.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdigit():
            raise Sorry("error.address", Exit.CONFIG, address=address)
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_WITHIN_S).close()
        except socket.gaierror:
            why = say("error.why.unknown_host", host=host)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or say("error.why.no_answer", seconds=int(REACH_WITHIN_S))
        else:
            return cluster
    raise Sorry("error.unreachable", Exit.UNREACHABLE, address=cluster.bootstrap, why=why)


def cluster_of(found: "Settings") -> "Cluster":
    """The cluster of these settings, seen to answer."""
    from pipeline.settings import cluster_of as named

    return reachable(named(found))


def outlines_of(found: "Settings", region: str | None = None) -> "dict[str, Outline]":
    """The regions, without their keys: all of them, or the one that somebody named."""
    from pipeline.regions import outlines

    known = outlines(found.regions)
    if region is None:
        return known
    if region not in known:
        raise Sorry("error.unknown_region", Exit.NOT_SO, region=region, known=", ".join(sorted(known)))
    return {region: known[region]}


# --- output -----------------------------------------------------------------------------------------


def progress(done: int, count: int) -> None:
    """How far something is that takes a while, on stderr; nothing when nobody looks."""
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{count} ", err=True, nl=False)


def as_json(found: object, *, line: bool = False) -> None:
    """One JSON document on stdout; ``line``: on one line."""
    import orjson

    option = 0 if line else orjson.OPT_INDENT_2
    click.echo(orjson.dumps(found, option=option, default=_plain).decode())


def _plain(found: Any) -> object:
    if isinstance(found, tuple):
        return list(found)
    if hasattr(found, "model_dump"):
        return found.model_dump(mode="json")
    return str(found)


def console() -> Any:
    """Rich on stdout; it keeps NO_COLOR, and as wide as it takes when nobody looks."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; ``columns`` are keys of their headings. Values are shown as they are, never as markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        shown.add_column(say(f"column.{column}"), overflow="fold")
    for row in rows:
        shown.add_row(*(one if isinstance(one, Text) else Text("" if one is None else str(one)) for one in row))
    console().print(shown)


_STYLE = {"RED": "bold red", "ORANGE": "dark_orange", "YELLOW": "yellow", "GREEN": "green"}


def coloured(colour: str | None) -> Any:
    """A colour by its name, and in it."""
    from rich.text import Text

    return Text(colour_name(colour), style=_STYLE.get(colour or "", ""))


# --- files and ids ----------------------------------------------------------------------------------


def read_bytes(name: str) -> bytes:
    """A file, or stdin for ``-``."""
    try:
        return click.get_binary_stream("stdin").read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Sorry("error.file", Exit.USAGE, file=name, why=error.strerror or type(error).__name__) from None


SHORTEST_ID = 6


def by_prefix(given: str, known: Mapping[str, str], what: str) -> str:
    """What the one id that starts with ``given`` stands for."""
    given = given.strip().lower()
    if len(given) < SHORTEST_ID:
        raise Sorry("error.id_short", Exit.USAGE, shortest=SHORTEST_ID)
    found = sorted({value for name, value in known.items() if name.startswith(given)})
    if not found:
        raise Sorry(f"error.unknown_{what}", Exit.NOT_SO, id=given)
    if len(found) > 1:
        raise Sorry("error.id_ambiguous", Exit.USAGE, id=given, found=", ".join(found[:5]))
    return found[0]
