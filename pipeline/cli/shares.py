"""``meldstroom route shares``: what a month of reports comes to by the rules of a region, without Kafka."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import click
import orjson

from agents.casework.rules import Rules, rules_from
from agents.casework.sentences import sentence
from agents.policy.loading import PolicyError
from agents.policy.model import load_policy, millis, text_hash
from agents.policy.region import RegionConfig, load_regions
from pipeline.cli.manners import (
    Command,
    Exit,
    Said,
    Sorry,
    as_json,
    choose_language,
    note,
    option,
    output_option,
    progress,
    read_bytes,
    table,
)
from pipeline.route import Line, read_history, read_line, region_for
from pipeline.route import Said as Read
from pipeline.settings import read_settings
from pipeline.shares import SHARES, Counted, Held, count, held
from pipeline.synthetic.figures import figures
from pipeline.synthetic.month import Month, history
from pipeline.words import language, say
from topics.codes import Code, Colour, Destination
from topics.problems import Refused
from topics.texts import text

MONTH = Month(2026, 3)
SCALE = 1.0
SEED = 7
LARGEST_SCALE = 100


def _month(_: click.Context, __: click.Parameter, given: str | None) -> Month | None:
    if given is None:
        return None
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", given)
    if found is None:
        raise Sorry("shares.month", Exit.USAGE, month=given)
    return Month(int(found[1]), int(found[2]))


def _scale(_: click.Context, __: click.Parameter, given: float | None) -> float | None:
    # Not a number is in no range.
    if given is not None and not 0 < given <= LARGEST_SCALE:
        raise Sorry("shares.scale", Exit.USAGE, most=LARGEST_SCALE)
    return given


@click.command(cls=Command, help="help.shares")
@option("--reports", metavar="FILE", help="shares_reports")
@option("--month", metavar="YYYY-MM", callback=_month, help="shares_month")
@option("--scale", type=float, callback=_scale, help="shares_scale")
@option("--seed", type=int, help="shares_seed")
@option("--region", metavar="NAME", help="shares_region")
@option("--policy", metavar="FILE", help="shares_policy")
@output_option
@option(
    "--lang", type=click.Choice(["nl", "en"]), is_eager=True, expose_value=False, callback=choose_language, help="lang"
)
def shares(
    reports: str | None,
    month: Month | None,
    scale: float | None,
    seed: int | None,
    region: str | None,
    policy: str | None,
    output: str,
) -> None:
    """Decide, count, and hold against the bands of the policy."""
    if reports is not None and (scale is not None or seed is not None):
        raise Sorry("shares.not_made_up", Exit.USAGE)
    regions = _regions()
    if region is not None and region not in regions:
        raise Said(text("route.region_unknown", language(), name=region, names=", ".join(regions)), Exit.USAGE)
    if reports is not None:
        lines: Sequence[Line] = _refusable(lambda: read_history(read_bytes(reports)))
        config = region_for(regions, region, [line.said.report for line in lines if isinstance(line.said, Read)])
        made: dict[str, Any] = {"reports_of": reports}
    else:
        config = region_for(regions, region, [])
        month, scale, seed = month or MONTH, scale or SCALE, SEED if seed is None else seed
        lines = _made_up(config, month, scale, seed)
        made = {"scale": scale, "seed": seed}
    config = _with_policy(config, policy)
    counted = _refusable(lambda: count(config, lines, _within(month), progress))
    if sys.stderr.isatty():
        click.echo("", err=True)
    if not counted.reports:
        raise Sorry("shares.nothing", Exit.USAGE)
    verdicts = list(held(config.policy.bands, counted))
    made |= {"region": config.name, "policy": text_hash(config.policy_text)}
    made["month"] = f"{month.first:%Y-%m}" if month is not None else None
    if output == "json":
        as_json(made | _plain(counted, verdicts))
    else:
        _page(made, counted, verdicts, rules_from(config.policy_text, config.directory_text))
    _judge(verdicts)


def _regions() -> dict[str, RegionConfig]:
    # Nothing is sealed here, so keys that everybody knows do no harm.
    return load_regions(read_settings().regions, development=True)


def _with_policy(config: RegionConfig, file: str | None) -> RegionConfig:
    if file is None:
        return config
    try:
        policy_text = read_bytes(file).decode()
        return replace(config, policy=load_policy(policy_text), policy_text=policy_text)
    except (PolicyError, UnicodeDecodeError) as error:
        raise Sorry("error.policy", Exit.CONFIG, what=f"{file}: {error}") from None


def _made_up(config: RegionConfig, month: Month, scale: float, seed: int) -> list[Line]:
    made = history(figures(), config.directory, config.sources, month, scale=scale, seed=seed)
    return [read_line(number, orjson.dumps(line)) for number, line in enumerate(made, 1)]


def _within(month: Month | None) -> Callable[[Line], bool]:
    """Whether a line lies in the month; without one every line does."""
    if month is None:
        return lambda _: True
    start, end = millis(month.start), millis(month.end)
    return lambda line: start <= line.at < end


def _refusable(do: Callable[[], Any]) -> Any:
    """What cannot be read or decided, as one error with all its places."""
    try:
        return do()
    except Refused as refused:
        problem, dutch = refused.problem(), language() == "nl"
        said = [text("route.cannot_decide", language(), title=problem.title if dutch else problem.title_en)]
        said += [
            text(
                "route.error_at", language(), pointer=one.pointer or "/", detail=one.detail if dutch else one.detail_en
            )
            for one in problem.errors
        ]
        raise Said("\n".join(said), Exit.USAGE) from None


def _judge(verdicts: Sequence[Held]) -> None:
    """Say what lies outside, and end with 1 when anything does."""
    if not verdicts:
        note("shares.no_bands")
    outside = [one for one in verdicts if not one.inside]
    for one in outside:
        note("shares.outside", share=say(f"shares.{one.share}"), percent=f"{one.percent:g}", band=_ends(one))
    if outside:
        raise click.exceptions.Exit(Exit.NOT_SO)


# Showing -------------------------------------------------------------------------------------------------


def _plain(counted: Counted, verdicts: Iterable[Held]) -> dict[str, Any]:
    def each(found: Iterable[tuple[str, int]]) -> dict[str, Any]:
        return {name: {"reports": number, "percent": counted.percent(number)} for name, number in found}

    return {
        "reports": counted.reports,
        "cases": len(counted.cases),
        "without_case": counted.without_case,
        "colours": each(_colours(counted)),
        **each((share, counted.shares[share]) for share in SHARES),
        "destinations": each(counted.destinations.most_common()),
        "rules": each(counted.rules.most_common()),
        "bands": [
            {
                "share": one.share,
                "percent": one.percent,
                "from": one.band.at_least,
                "to": one.band.at_most,
                "inside": one.inside,
            }
            for one in verdicts
        ],
    }


def _colours(counted: Counted) -> list[tuple[str, int]]:
    """From green to red; what is held or no domestic violence has none."""
    names = [colour.value for colour in Colour] + ["NONE"] * bool(counted.colours["NONE"])
    return [(name, counted.colours[name]) for name in names]


def _page(made: dict[str, Any], counted: Counted, verdicts: Sequence[Held], rules: Rules) -> None:
    about = made["month"] or made["reports_of"]
    click.echo(say("shares.heading", region=made["region"], about=about, policy=made["policy"]))
    click.echo(say("shares.counted", reports=counted.reports, cases=len(counted.cases), left=counted.without_case))

    def rows(found: Iterable[tuple[str, int]], named: Callable[[str], str]) -> list[tuple[str, int, str]]:
        return [(named(name), number, f"{counted.percent(number):.1f}") for name, number in found]

    numbers = ("shares_reports", "shares_percent")
    table(("shares_colour", *numbers), rows(_colours(counted), lambda name: _label(Colour, name)))
    table(
        ("shares_share", *numbers),
        rows([(one, counted.shares[one]) for one in SHARES], lambda name: say(f"shares.{name}")),
    )
    table(
        ("shares_destination", *numbers),
        rows(counted.destinations.most_common(), lambda name: _label(Destination, name)),
    )
    table(
        ("shares_rule", *numbers),
        rows(counted.rules.most_common(), lambda name: f"{name}  {sentence(rules, name, language())}"),
    )
    table(
        ("shares_band", "shares_percent", "shares_expected", "shares_verdict"),
        [(say(f"shares.{one.share}"), f"{one.percent:.1f}", _ends(one), say(_verdict(one))) for one in verdicts],
    )


def _verdict(one: Held) -> str:
    return "shares.verdict.inside" if one.inside else "shares.verdict.outside"


def _label(codes: type[Code], name: str) -> str:
    if name == "NONE":
        return say("shares.none")
    return codes(name).nl if language() == "nl" else name


def _ends(one: Held) -> str:
    """A band in words."""
    low, high = one.band.at_least, one.band.at_most
    if low is None:
        return say("shares.at_most", most=f"{high:g}")
    return say("shares.at_least", least=f"{low:g}") if high is None else f"{low:g}-{high:g}"
