"""The screens in a real browser: keyboard, accessibility, live updates, small and enlarged, without colour."""

import random
import re
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.pipeline.board.ground import SOURCE, Board
from tests.storm.field import a_plain_report, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

ASSESSOR, DUTY = "beoordelaar-1.bz", "bureaudienst-1.bz"
SCREENS = ("/mij", "/verzonden", "/stroom", "/termijnen", "/afgekeurd", "/beleid", "/cijfers", "/melding")
WAIT_MS = 10_000
expect.set_options(timeout=WAIT_MS)


def chromium() -> str:
    """Where it is."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    assert path, "make tools installs chromium"
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or another. Of this module: while it runs, no test may have a loop of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def told(board: Board) -> dict[str, str]:
    """A case of each colour, with a handover that waits: colour -> case."""
    given = {"RED": {"A1": "YES"}, "ORANGE": {"S1": "YES"}, "YELLOW": {"M1": "YES", "M2": "YES"}, "GREEN": {}}
    chance = random.Random("elke kleur")
    police = board.machine(SOURCE)
    found: dict[str, str] = {}
    centre = board.person(ASSESSOR)
    for indicators in given.values():
        report = a_plain_report(chance, indicators=indicators)
        assert police.post("/v1/meldingen", json=report).status_code == 202
    words = {"RED": "rood", "ORANGE": "oranje", "YELLOW": "geel", "GREEN": "groen"}

    def all_there() -> bool:
        rows = re.findall(r"<tr class=\"utrecht-table__row\">(.*?)</tr>", centre.get("/termijnen").text, re.S)
        for row in rows:
            for colour, word in words.items():
                if f"> {word}" in row and (match := re.search(r"/zaken/([0-9a-f-]{36})", row)):
                    found.setdefault(colour, match[1])
        return len(found) == len(words)

    wait_for("a case of each colour", all_there)
    return found


def signed_in(browser: Browser, board: Board, code: str, path: str = "/", **context: Any) -> Page:
    """Somebody at a screen, who came by the door."""
    page = browser.new_context(**{"locale": "nl-NL", "viewport": {"width": 1280, "height": 900}, **context}).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(board.url + path)
    page.get_by_role("button", name=code, exact=True).click()
    expect(page.locator("header")).to_contain_text(code)
    return page


def violations(page: Page) -> list[str]:
    """What axe finds by WCAG 2.2 A and AA."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found.response["violations"]]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_no_screen_has_a_barrier_that_axe_knows(browser: Browser, board: Board, told: dict[str, str], language: str):
    page = signed_in(browser, board, DUTY)
    page.goto(f"{board.url}/taal?naar={language}&terug=/")
    assert page.locator("html").get_attribute("lang") == language
    cases = [f"/zaken/{told['RED']}", f"/zaken/{told['GREEN']}", f"/zaken/{told['RED']}/handelingen/PHONED"]
    for path in (*SCREENS, *cases, "/bestaat-niet"):
        page.goto(board.url + path)
        assert violations(page) == [], path
        assert page.locator("h1").count() == 1
    page.goto(f"{board.url}/zaken/{told['RED']}")
    page.get_by_role("button", name=re.compile("Open (de inhoud|the content)")).click()
    expect(page.locator("#content")).to_be_visible()
    assert violations(page) == []


def test_somebody_with_a_keyboard_alone_accepts_what_waits(browser: Browser, board: Board, told: dict[str, str]):
    page = signed_in(browser, board, DUTY, "/mij")
    case = told["RED"]
    page.goto(f"{board.url}/mij")

    # Tab reaches the skip link first, then, past the bar, each button of the rows
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class(re.compile("skip-link"))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate("(({tagName, innerText}) => tagName + ' ' + innerText)(document.activeElement)")
        if focused.split() == ["BUTTON", "Aanvaard", case[:8]]:
            break
    else:
        pytest.fail("no button to accept was reached")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Gedaan")).to_be_visible()


def test_a_screen_follows_what_happens_and_can_be_paused(browser: Browser, board: Board):
    page = signed_in(browser, board, ASSESSOR, "/termijnen")
    page.goto(f"{board.url}/termijnen")
    expect(page.locator("#state-text")).to_contain_text("Laatste gebeurtenis")
    rows = page.locator("#live tbody tr")
    before = rows.count()

    # Something new comes by itself
    board.machine(SOURCE).post("/v1/meldingen", json=a_plain_report(random.Random("vanzelf")))
    expect(rows).not_to_have_count(before)
    known = rows.count()

    # Paused, it stays as it is and says that there is news
    page.get_by_role("button", name="Zet stil").click()
    board.machine(SOURCE).post("/v1/meldingen", json=a_plain_report(random.Random("later")))
    centre = board.person(ASSESSOR)
    wait_for("its case", lambda: centre.get("/termijnen").text.count("<tr ") > known + 1)
    expect(page.locator("#news")).to_be_visible()
    assert rows.count() == known
    page.locator("#news").click()
    expect(rows).not_to_have_count(known)


def test_who_is_filling_in_a_reason_is_not_disturbed(browser: Browser, board: Board, told: dict[str, str]):
    page = signed_in(browser, board, DUTY, "/mij")
    page.goto(f"{board.url}/mij")
    page.locator("summary", has_text="Weiger").first.click()
    page.locator("details[open] textarea").fill("Dit gezin kennen wij")
    board.machine(SOURCE).post("/v1/meldingen", json=a_plain_report(random.Random("stoort"), indicators={"A1": "YES"}))

    expect(page.locator("#news")).to_be_visible()
    expect(page.locator("details[open] textarea")).to_have_value("Dit gezin kennen wij")


def test_a_board_that_is_silent_says_so(browser: Browser, board: Board):
    page = signed_in(browser, board, ASSESSOR, "/stroom")
    expect(page.locator("#state")).to_have_attribute("data-state", "fresh")
    page.clock.install()
    page.goto(f"{board.url}/stroom")
    expect(page.locator("#state")).to_have_attribute("data-state", "fresh")

    board.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.fast_forward(20_000)
        expect(page.locator("#state")).to_have_attribute("data-state", "away")
        expect(page.locator("#state-text")).to_contain_text("Verbinding weg")
    finally:
        board.process.send_signal(signal.SIGCONT)
    expect(page.locator("#state")).to_have_attribute("data-state", "fresh", timeout=20_000)


@pytest.mark.parametrize("width", [pytest.param(640, id="1280 wide at 200 %"), pytest.param(360, id="a telephone")])
def test_nothing_runs_out_of_a_narrow_screen(browser: Browser, board: Board, told: dict[str, str], width: int):
    page = signed_in(browser, board, DUTY, viewport={"width": width, "height": 800})
    for path in (*SCREENS, f"/zaken/{told['RED']}"):
        page.goto(board.url + path)
        beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert beyond <= 0, path


def test_colours_are_told_apart_without_colour(browser: Browser, board: Board, told: dict[str, str]):
    page = signed_in(browser, board, DUTY, "/stroom")
    page.goto(f"{board.url}/termijnen")
    page.context.new_cdp_session(page).send("Emulation.setEmulatedVisionDeficiency", {"type": "achromatopsia"})
    letters, borders = set(), set()
    for colour in told:
        badge = page.locator(f".ms-colour--{colour.lower()}").first
        expect(badge).to_be_visible()
        letters.add(badge.locator(".ms-letter").inner_text())
        borders.add(badge.evaluate("one => getComputedStyle(one).borderStyle + getComputedStyle(one).borderWidth"))
    assert len(letters) == len(borders) == len(told) == 4


def test_a_hostile_report_runs_nothing(browser: Browser, board: Board):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    report = a_plain_report(random.Random("vijandig in een browser"), narrative=hostile, indicators={"A2": "YES"})
    report["participants"][0]["surname"] = hostile
    board.machine(SOURCE).post("/v1/meldingen", json=report)
    page = signed_in(browser, board, ASSESSOR, "/termijnen")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    wait_for("its case", lambda: page.goto(f"{board.url}/termijnen") and page.locator("#live a").count())
    links = {one.get_attribute("href") for one in page.locator("#live a").all()}
    for link in sorted(filter(None, links))[:30]:
        page.goto(board.url + link)
        page.get_by_role("button", name="Open de inhoud").click()
        expect(page.locator("#content")).to_be_visible()
        if "onerror" in page.locator("#content").inner_text():
            break
    else:
        pytest.fail("the hostile report was not found")
    assert asked == []
    assert page.locator("#content img").count() == 0


def test_without_a_script_every_screen_works(browser: Browser, board: Board, told: dict[str, str]):
    page = signed_in(browser, board, DUTY, java_script_enabled=False)
    for path in (*SCREENS, f"/zaken/{told['ORANGE']}"):
        answer = page.goto(board.url + path)
        assert answer is not None
        assert answer.status == 200
    assert httpx2.get(board.url).status_code in (200, 303)
