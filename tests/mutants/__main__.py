"""What became of each mutant of the sample policy: ``python -m tests.mutants``; ``-o json`` for programs."""

import argparse
import sys

import orjson

from tests.cases import REGION
from tests.mutants.trial import (
    CAUGHT,
    EQUAL,
    REFUSED,
    SURVIVED,
    Trial,
    Verdict,
    all_cases,
    by_kind,
    known_survivors,
    share_caught,
)
from tests.world import regions


def main() -> int:
    """Print the table. It ends with 1 when a mutant survived of which that was not known."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    verdicts = Trial(regions()[REGION].policy_text, all_cases()).verdicts()
    print(_json(verdicts) if arguments.output == "json" else _text(verdicts))
    return int(any(one.fate == SURVIVED and one.mutant.name not in known_survivors() for one in verdicts))


def _json(verdicts: list[Verdict]) -> str:
    return orjson.dumps(
        {
            "kinds": by_kind(verdicts),
            "share_caught": share_caught(verdicts),
            "mutants": [
                {"name": one.mutant.name, "kind": one.mutant.kind, "of": one.mutant.of, "fate": one.fate, "by": one.by}
                for one in verdicts
            ],
        }
    ).decode()


def _text(verdicts: list[Verdict]) -> str:
    fates = (CAUGHT, REFUSED, EQUAL, SURVIVED)
    kinds = by_kind(verdicts)
    kinds["all"] = {fate: sum(found[fate] for found in kinds.values()) for fate in fates}
    lines = [f"{'':10}{'mutants':>10}" + "".join(f"{fate:>10}" for fate in fates)]
    for kind, found in kinds.items():
        lines.append(f"{kind:10}{sum(found.values()):>10}" + "".join(f"{found[fate]:>10}" for fate in fates))
    lines.append(f"caught by a case, of those that were loaded and differ: {share_caught(verdicts):.1%}")
    known = known_survivors()
    survived = [verdict.mutant.name for verdict in verdicts if verdict.fate == SURVIVED]
    lines += [f"survived: {name}: {known.get(name, 'no case notices it')}" for name in survived]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
