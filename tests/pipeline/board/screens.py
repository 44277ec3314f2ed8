"""``python -m tests.pipeline.board.screens FOLDER``: the pictures of the documentation, with invented cases."""

import random
import re
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.pipeline.board.ground import SOURCE, Board, started
from tests.pipeline.board.test_browser import chromium, signed_in
from tests.storm.field import Field, a_plain_report, wait_for

GIVEN = ({"A1": "YES"}, {"S1": "YES"}, {"S4": "YES"}, {"M1": "YES", "M3": "YES"}, {}, {}, {"M2": "YES"})
PEOPLE = {"team": "lid.wijkteam-helmond", "duty": "bureaudienst-1.bz"}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, closing(Field(Path(place))) as field:
        field.worker("intake", "a")
        region = field.worker("region", "a")
        wait_for("at work", lambda: region.log().count("region_opened") == 2)
        with contextmanager(started)(field, Path(place)) as board, sync_playwright() as playwright:
            _reported(board)
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            page = signed_in(browser, board, PEOPLE["duty"])
            found = re.findall(r'href="(/zaken/[^"]+)"', board.person(PEOPLE["duty"]).get("/mij").text)
            for name, path in {
                "wacht-op-mij": "/mij", "verzonden": "/verzonden", "stroom": "/stroom", "termijnen": "/termijnen",
                "afgekeurd": "/afgekeurd", "beleid": "/beleid", "cijfers": "/cijfers", "melding": "/melding",
                "zaak": found[0],
            }.items():  # fmt: skip
                page.goto(board.url + path)
                page.wait_for_selector('[data-state="fresh"]')
                page.screenshot(path=folder / f"{name}.png")
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(f"{board.url}/mij")
            page.screenshot(path=folder / "telefoon.png")
            browser.close()


def _reported(board: Board) -> None:
    chance = random.Random("beelden")
    police = board.machine(SOURCE)
    for indicators in GIVEN:
        assert police.post("/v1/meldingen", json=a_plain_report(chance, indicators=indicators)).status_code == 202
    wrong = a_plain_report(chance)
    wrong["address"]["postcode"] = "ONBEKEND"
    board.field.publish(wrong).get(10)
    centre = board.person(PEOPLE["duty"])
    wait_for("a dead letter", lambda: "/address/postcode" in centre.get("/afgekeurd").text)
    wait_for("all of them", lambda: len(set(re.findall(r"/zaken/[0-9a-f-]{36}", centre.get("/termijnen").text))) == 7)


if __name__ == "__main__":
    main()
