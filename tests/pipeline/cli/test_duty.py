"""Who is on duty, as operations ask for it."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.cli.manners import Exit
from pipeline.settings import CHECKOUT
from tests.pipeline.cli.conftest import Meldstroom

REGIONS = CHECKOUT / "deploy" / "regions"


def test_who_is_on_duty_is_told_for_each_rota(meldstroom: Meldstroom):
    ran = meldstroom("duty", "who", "--at", "2026-12-25T03:00", "-o", "json", MELDSTROOM_REGIONS=str(REGIONS))

    found = json.loads(ran.stdout)
    assert found["at"] == "2026-12-25T02:00:00.000Z"
    told = {one["receiver"]: (one["person"], one["why"]) for one in found["on_duty"]}
    assert told["vt-hm-bureaudienst"] == ("bd-hm-01", "OVERRIDE")
    assert told["vt-hm-crisis"][1] == "SHIFT"


def test_a_gap_is_shown_and_is_an_exit_code(meldstroom: Meldstroom, tmp_path: Path):
    shutil.copytree(REGIONS, tmp_path / "regions")
    path = tmp_path / "regions" / "hollands-midden" / "directory.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[SAT, SUN]", "[SUN]").replace("    fallback: [vt-hm-crisis]\n", ""), encoding="utf-8")
    env = {"MELDSTROOM_REGIONS": str(tmp_path / "regions"), "MELDSTROOM_LANGUAGE": "en"}

    whole = meldstroom("duty", "gaps", "--days", "7", "--receiver", "vt-hm-crisis", **env)
    gap = meldstroom("duty", "gaps", "--days", "7", "--receiver", "vt-hm-bureaudienst", "-o", "json", **env)

    assert (whole.exit_code, "No gap" in whole.stderr) == (Exit.DONE, True)
    assert gap.exit_code == Exit.NOT_SO
    assert {one["receiver"] for one in json.loads(gap.stdout)} == {"vt-hm-bureaudienst"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(("who", "--at", "morgen"), "morgen is no moment", id="no moment"),
        pytest.param(("who", "--receiver", "wijkteam-gouda"), "has no rota; these have", id="no rota"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(meldstroom: Meldstroom, given: tuple[str, ...], said: str):
    ran = meldstroom("duty", *given, MELDSTROOM_REGIONS=str(REGIONS), MELDSTROOM_LANGUAGE="en")

    assert ran.exit_code != Exit.DONE
    assert said in ran.stderr
