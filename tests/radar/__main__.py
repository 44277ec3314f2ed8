"""How well the radar finds households again: ``python -m tests.radar --households 1500 --seed 1``.

Prints a table for reports without and with errors, or with ``-o json`` one line of JSON.
"""

import argparse
import random
import sys

import orjson

from tests.radar.households import households
from tests.radar.measure import Figures, filed, measured
from tests.radar.written import NONE, Errors, reports


def figures(seed: int, how_many: int) -> dict[str, Figures]:
    """Both variants of the reports on the same households."""
    some = households(random.Random(seed), how_many)
    found = {}
    for name, errors in (("clean", NONE), ("with errors", Errors())):
        written = reports(seed, some, errors)
        found[name] = measured(written)
        filed(found[name], written)
    return found


def _table(found: dict[str, Figures]) -> str:
    lines = []
    for name, one in found.items():
        plain = one.plain()
        lines.append(f"{name}: {one.reports} reports of {one.households} households, {one.true_pairs} true pairs")
        for key in list(plain)[3:13]:
            lines.append(f"  {key.replace('_', ' '):<32}{plain[key]}")
        for group in ("certainties", "kinds"):
            lines.append(f"  {'':<32}{'pairs':>8}{'right':>8}{'joined':>8}  precision of joined")
            for kind, of in plain[group].items():
                lines.append(
                    f"  {kind:<32}{of['pairs']:>8}{of['right']:>8}{of['joined']:>8}  {of['precision_joined'] or '-'}"
                )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.radar", description=__doc__)
    parser.add_argument("--households", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    asked = parser.parse_args(arguments)
    found = figures(asked.seed, asked.households)
    if asked.output == "json":
        sys.stdout.buffer.write(orjson.dumps({name: one.plain() for name, one in found.items()}) + b"\n")
    else:
        print(_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
