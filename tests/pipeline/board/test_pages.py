"""The screens without a browser: who sees what, what a form does, and what hostile people get."""

import html
import json
import random
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx2
import pytest
from kafka import KafkaConsumer

from pipeline.board.identity import RIGHTS, Role
from pipeline.board.screen import TABS
from tests.pipeline.board.ground import REGION, SOURCE, Board
from tests.storm.field import a_plain_report
from topics import specs
from topics.codes import HandoverState

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

Eventually = Callable[[str, Callable[[], Any]], Any]
ASSESSOR, LEADER, DUTY, JURIST = "beoordelaar-1.bz", "teamleider-1.bz", "bureaudienst-1.bz", "jurist-1.bz"
PEOPLE = {
    Role.TEAM_MEMBER: "lid.wijkteam-helmond",
    Role.DUTY_OFFICER: DUTY,
    Role.VT_WORKER: ASSESSOR,
    Role.OPERATOR: "coordinator-1.bz",
    Role.POLICY_MAKER: "beleidsmaker-1.bz",
    Role.AUDITOR: "toezichthouder-1.bz",
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture
def case(board: Board, eventually: Eventually, request: pytest.FixtureRequest) -> str:
    """A case of its own, groen, offered to a team."""
    return a_case(board, eventually, a_plain_report(random.Random(request.node.name)))


def a_case(board: Board, eventually: Eventually, report: dict[str, Any]) -> str:
    known = set(cases(board))
    assert board.machine(report["source_id"]).post("/v1/meldingen", json=report).status_code == 202
    return str(eventually("a new case", lambda: next(iter(set(cases(board)) - known), None)))


def cases(board: Board) -> list[str]:
    """The cases that the flow of the region shows: through the page of somebody of the centre."""
    found = board.person(ASSESSOR).get("/termijnen").text
    return re.findall(r'href="/zaken/([0-9a-f-]{36})"', found)


def csrf(page: httpx2.Response) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]  # type: ignore[index]


def handover(page: httpx2.Response) -> str:
    return re.search(r"/overdrachten/([0-9a-f-]{36})/antwoord", page.text)[1]  # type: ignore[index]


def said(page: httpx2.Response) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.parametrize("role", PEOPLE, ids=str)
def test_each_role_sees_its_own_screens_and_no_other(board: Board, role: Role):
    person = board.person(PEOPLE[role])
    for tab in TABS:
        expected = 200 if not RIGHTS[role].isdisjoint(tab.rights) else 403
        answer = person.get(tab.path)
        assert answer.status_code == expected, tab.path
        assert (f'href="{tab.path}"' in answer.text) is (expected == 200)


def test_who_is_not_signed_in_is_sent_to_the_door_and_comes_back_to_where_he_wanted_to_be(board: Board):
    client = httpx2.Client(base_url=board.url, follow_redirects=True)
    door = client.get("/stroom")
    assert "/ontwikkeling/authorize" in str(door.url)
    there = client.post(str(door.url), data={"person": ASSESSOR})
    assert (there.status_code, there.url.path) == (200, "/stroom")


@pytest.mark.parametrize(
    "back", ["https://elders.example/", "//elders.example", "/\\elders.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(board: Board, back: str):
    client = httpx2.Client(base_url=board.url, follow_redirects=True)
    door = client.get("/aanmelden", params={"naar": back})
    there = client.post(str(door.url), data={"person": ASSESSOR})
    assert there.url.host == httpx2.URL(board.url).host
    assert client.get("/taal", params={"naar": "en", "terug": back}).url.host == httpx2.URL(board.url).host


def test_a_team_accepts_starts_and_completes_from_the_row(board: Board, case: str):
    # Given a member of the team that it was offered to
    receiver = re.search(r"wijkteam-[a-z-]+", board.person(ASSESSOR).get(f"/zaken/{case}").text)[0]  # type: ignore[index]
    team = board.person(f"lid.{receiver}")
    row = team.get("/mij")
    assert case in row.text
    move = f"/overdrachten/{re.search(case + r'.*?/overdrachten/([0-9a-f-]{36})/', row.text, re.S)[1]}/antwoord"  # type: ignore[index]

    # When each move is made
    for state in (HandoverState.ACCEPTED, HandoverState.STARTED, HandoverState.COMPLETED):
        answer = team.post(move, data={"csrf": csrf(row), "state": state.value, "back": "/mij"})
        # Then the screen says what the journal made of it
        assert "Gedaan:" in said(answer)
        assert state.nl in said(answer).lower()
    assert case not in team.get("/mij").text
    # And a move that cannot be any more changes nothing, and says so
    late = team.post(move, data={"csrf": csrf(row), "state": "REFUSED", "reason": "TOO_SEVERE", "back": "/mij"})
    assert "Niet gedaan:" in said(late)


def test_pressed_twice_it_is_one_answer(board: Board, case: str):
    receiver = re.search(r"wijkteam-[a-z-]+", board.person(ASSESSOR).get(f"/zaken/{case}").text)[0]  # type: ignore[index]
    team = board.person(f"lid.{receiver}")
    row = team.get("/mij")
    move = f"/overdrachten/{re.search(case + r'.*?/overdrachten/([0-9a-f-]{36})/', row.text, re.S)[1]}/antwoord"  # type: ignore[index]
    for _ in range(2):
        assert "Gedaan:" in said(team.post(move, data={"csrf": csrf(row), "state": "ACCEPTED"}))
    timeline = said(board.person(ASSESSOR).get(f"/zaken/{case}"))
    assert timeline.count("herhaling") + timeline.count("Herhaling") >= 1


def test_a_refusal_needs_its_reason_and_goes_on_to_the_next(board: Board, case: str):
    receiver = re.search(r"wijkteam-[a-z-]+", board.person(ASSESSOR).get(f"/zaken/{case}").text)[0]  # type: ignore[index]
    team = board.person(f"lid.{receiver}")
    row = team.get("/mij")
    move = f"/overdrachten/{re.search(case + r'.*?/overdrachten/([0-9a-f-]{36})/', row.text, re.S)[1]}/antwoord"  # type: ignore[index]

    without = team.post(move, data={"csrf": csrf(row), "state": "REFUSED"})
    assert without.status_code == 400
    refused = team.post(move, data={"csrf": csrf(row), "state": "REFUSED", "reason": "TOO_SEVERE", "note": HOSTILE})
    assert "Gedaan:" in said(refused)
    # Where it goes on is not for who refused, nor is it to be opened there any more
    assert "vt-bzo-" not in said(refused)
    assert team.get(f"/zaken/{case}").status_code == 404
    assert team.post(f"/zaken/{case}/inhoud", data={"csrf": csrf(row)}).status_code == 404
    assert board.person(ASSESSOR).get(f"/zaken/{case}").text.count("vt-bzo-") > 1


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda client, path: client.post(path, data={"state": "ACCEPTED"}), id="no token"),
        pytest.param(lambda client, path: client.post(path, data={"csrf": "geraden"}), id="wrong token"),
        pytest.param(
            lambda client, path: client.post(
                path, data={"state": "ACCEPTED", "csrf": csrf(client.get("/mij"))},
                headers={"Origin": "https://elders.example"},
            ),
            id="another origin",
        ),
    ],
)  # fmt: skip
def test_a_form_of_somebody_else_does_nothing(
    board: Board, case: str, send: Callable[[httpx2.Client, str], httpx2.Response]
):
    person = board.person(ASSESSOR)
    for path in (f"/zaken/{case}/handelingen/SEEN", f"/zaken/{case}/inhoud", "/afmelden", "/melding"):
        answer = send(person, path)
        assert (answer.status_code, "Er is niets gedaan" in answer.text) == (403, True)


def test_a_session_that_was_planted_before_signing_in_is_worth_nothing(board: Board):
    # Given a cookie that an attacker knows
    client = httpx2.Client(base_url=board.url, follow_redirects=True)
    client.get("/aanmelden?naar=/")
    planted = dict(client.cookies)

    # When its victim signs in with it
    board.sign_in(client, ASSESSOR)

    # Then the attacker is nobody, and a new sign-in ends the one before
    assert dict(client.cookies) != planted
    attacker = httpx2.Client(base_url=board.url, cookies=planted)
    assert attacker.get("/stroom").status_code == 303
    before = dict(client.cookies)
    board.sign_in(client, ASSESSOR)
    assert httpx2.Client(base_url=board.url, cookies=before).get("/stroom").status_code == 303


def test_the_cookie_cannot_be_read_by_a_script_nor_sent_from_elsewhere(board: Board):
    answer = httpx2.get(f"{board.url}/aanmelden")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    "path", ["/", "/mij", "/aanmelden", "/bestaat-niet", "/static/board.js", "/ontwikkeling/authorize"]
)
def test_no_answer_may_be_framed_or_kept(board: Board, path: str):
    answer = httpx2.get(board.url + path)
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_report_whose_every_text_is_hostile_is_shown_as_text(board: Board, eventually: Eventually):
    # Given a report with a script in every text that the contract lets through
    report = a_plain_report(random.Random("vijandig"), narrative=HOSTILE)
    report["reporter"] |= {"name": HOSTILE, "organisation": HOSTILE, "contact": HOSTILE}
    report["participants"][0] |= {"surname": HOSTILE, "given_names": HOSTILE, "employer": HOSTILE, "phone": HOSTILE}
    report["address"] |= {"street": HOSTILE, "town": HOSTILE}
    found = a_case(board, eventually, report)

    # When somebody of the centre opens it
    person = board.person(ASSESSOR)
    page = person.get(f"/zaken/{found}")
    opened = person.post(f"/zaken/{found}/inhoud", data={"csrf": csrf(page)})

    # Then it stands there as text
    assert opened.status_code == 200
    assert opened.text.count(html.escape(HOSTILE).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 7
    assert "<script>alert" not in opened.text
    assert "<img" not in opened.text
    assert "49" not in opened.text.replace(HOSTILE, "").split("content-title")[-1][:0]


def openings(board: Board) -> list[dict[str, Any]]:
    with closing(KafkaConsumer(
        specs.OPENINGS.topic(), bootstrap_servers=board.field.broker.bootstrap, auto_offset_reset="earliest",
        consumer_timeout_ms=2000,
    )) as consumer:  # fmt: skip
        return [json.loads(record.value) for record in consumer]


def test_opening_what_was_reported_is_written_down_before_it_is_shown(board: Board, case: str):
    person = board.person(ASSESSOR)
    page = person.get(f"/zaken/{case}")
    assert "Buren horen geschreeuw" not in page.text

    opened = person.post(f"/zaken/{case}/inhoud", data={"csrf": csrf(page)})
    assert "Buren horen geschreeuw" in opened.text
    assert "Agent Verhoeven" in opened.text
    mine = [one for one in openings(board) if one["case_id"] == case]
    assert [(one["actor"], one["function"], one["region"], one["what"]) for one in mine] == [
        (ASSESSOR, "beoordelaar", REGION, "reports")
    ]
    # Codes and ids alone stand there
    keys = {"v", "at", "region", "actor", "function", "roles", "case_id", "what"}
    assert all(one.keys() == keys for one in openings(board))


def test_a_team_opens_its_offer_without_the_reporter_and_an_operator_nothing(board: Board, case: str):
    receiver = re.search(r"wijkteam-[a-z-]+", board.person(ASSESSOR).get(f"/zaken/{case}").text)[0]  # type: ignore[index]
    team = board.person(f"lid.{receiver}")
    opened = team.post(f"/zaken/{case}/inhoud", data={"csrf": csrf(team.get(f"/zaken/{case}"))})
    assert "Buren horen geschreeuw" in opened.text
    assert "Agent Verhoeven" not in opened.text

    operator = board.person(PEOPLE[Role.OPERATOR])
    page = operator.get(f"/zaken/{case}")
    assert page.status_code == 200
    assert "/inhoud" not in page.text
    assert operator.post(f"/zaken/{case}/inhoud", data={"csrf": csrf(page)}).status_code == 403
    stranger = board.person("lid.wijkteam-gouda")
    assert stranger.get(f"/zaken/{case}").status_code == 404


def test_an_act_is_done_by_its_form_and_told_as_the_journal_has_it(board: Board, case: str):
    person = board.person(ASSESSOR)
    form = f"/zaken/{case}/handelingen/RAISE"
    page = person.get(form)

    wrong = person.post(form, data={"csrf": csrf(page), "reason": ""})
    assert wrong.status_code in (200, 400)
    done = person.post(form, data={"csrf": csrf(page), "colour": "ORANGE", "reason": "De buren belden opnieuw."})
    assert "Gedaan:" in said(done)
    assert "oranje" in said(done)


def test_what_needs_a_second_person_waits_for_that_one_to_sign_in(board: Board, eventually: Eventually):
    # Given an oranje case
    found = a_case(board, eventually, a_plain_report(random.Random("vier ogen"), indicators={"S1": "YES"}))
    person = board.person(ASSESSOR)
    form = f"/zaken/{found}/handelingen/LOWER"
    said_so = {
        "csrf": csrf(person.get(form)),
        "colour": "GREEN",
        "reason": "Het bleek een ander gezin.",
        "with_second": "1",
    }

    # Without a second person nothing is done
    alone = person.post(form, data={**said_so, "with_second": ""})
    assert (alone.status_code, "Hier moet een tweede bij" in alone.text) == (403, True)

    # The same person is no second one; nor is a team, an auditor, or the centre of another region
    for code in (ASSESSOR, "lid.wijkteam-helmond", PEOPLE[Role.AUDITOR], "teamleider-1.hm"):
        refused = second_signs(board, person, form, said_so, code)
        assert (refused.status_code, "Hier moet een tweede bij" in refused.text) == (403, True), code

    # The second one sees what it is before it is sent, and what was sent once is not sent again
    door = person.post(form, data=said_so)
    shown = person.post(str(door.url), data={"person": LEADER})
    assert "Het bleek een ander gezin." in shown.text
    (draft,) = re.findall(r'name="draft" value="([^"]+)"', shown.text)
    assert person.post("/akkoord", data={"csrf": csrf(shown), "draft": "geraden"}).status_code == 400
    done = person.post("/akkoord", data={"csrf": csrf(shown), "draft": draft})
    assert person.post("/akkoord", data={"csrf": csrf(shown), "draft": draft}).status_code == 400
    assert "Gedaan:" in said(done)
    assert "groen" in said(done)
    # And the first one is still who is signed in
    assert ASSESSOR in person.get("/stroom").text


def test_a_report_by_telephone_becomes_a_case(board: Board):
    person = board.person(DUTY)
    page = person.get("/melding")
    given = {
        "csrf": csrf(page), "kind": "REPORT", "occasions": "CHILD_OTHER", "municipality": "0772", "postcode": "5622 KL",
        "house_number": "8", "role-1": "CHILD", "surname-1": "Baselmans", "given_names-1": "Noor",
        "birth_date-1": "2016-05-21", "capacity": "NEIGHBOUR",
        "narrative": "De buurvrouw hoort het kind elke avond huilen.",
        "indicator-A1": "YES",
    }  # fmt: skip
    wrong = person.post("/melding", data=given | {"occasions": "", "postcode": "?", "capacity": ""})
    assert wrong.status_code == 400
    assert "De buurvrouw hoort het kind" in wrong.text, "what was filled in stays"
    assert wrong.text.count('aria-invalid="true"') >= 2

    done = person.post("/melding", data=given)
    assert done.url.path.startswith("/zaken/")
    assert "geregistreerd in zaak" in said(done)
    assert "rood" in said(done)


def test_every_act_of_a_case_has_a_form(board: Board, case: str):
    from pipeline.board.forms import ON_A_CASE

    for code in (ASSESSOR, JURIST):
        person = board.person(code)
        for kind in ON_A_CASE:
            page = person.get(f"/zaken/{case}/handelingen/{kind.value}")
            assert (page.status_code, 'name="reason"' in page.text) == (200, True)
    assert board.person(ASSESSOR).get(f"/zaken/{case}/handelingen/ACTIVATE_POLICY").status_code == 404


def test_both_languages(board: Board, case: str):
    person = board.person(ASSESSOR)
    assert '<html lang="nl">' in person.get("/stroom").text
    english = person.get("/taal?naar=en&terug=/stroom")
    assert '<html lang="en">' in english.text
    assert "Dead letters" in english.text
    assert "Afgekeurd" not in english.text
    source = SOURCE
    assert source in board.field.sources


def second_signs(board: Board, person: httpx2.Client, path: str, data: dict[str, str], code: str) -> httpx2.Response:
    """Send a form that needs a second person, who signs in, sees what it is, and agrees."""
    door = person.post(path, data=data)
    assert "/ontwikkeling/authorize" in str(door.url), said(door)
    shown = person.post(str(door.url), data={"person": code})
    if shown.status_code != 200:
        return shown
    (draft,) = re.findall(r'name="draft" value="([^"]+)"', shown.text)
    return person.post("/akkoord", data={"csrf": csrf(shown), "draft": draft})


def test_a_dead_letter_is_corrected_and_handed_in_again_with_a_second_person(board: Board, eventually: Eventually):
    # Given a report with a postcode that is none, published past the API
    report = a_plain_report(random.Random("afgekeurd"))
    report["address"]["postcode"] = "ONBEKEND"
    board.field.publish(report).get(10)
    operator = board.person(PEOPLE[Role.OPERATOR])

    def listed() -> Any:
        rows = re.findall(r"<tr class.*?</tr>", operator.get("/afgekeurd").text, re.S)
        return next((row for row in rows if "/address/postcode" in row), None)

    row = eventually("it is among the dead letters", listed)
    path = re.search(r'href="(/afgekeurd/[0-9a-f-]{36})"', row)[1]  # type: ignore[index]
    page = operator.get(path)
    assert "/address/postcode" in page.text
    assert "ONBEKEND" not in page.text

    # It is opened, which is written down, and tried as it is
    opened = operator.post(f"{path}/inhoud", data={"csrf": csrf(page)})
    assert "ONBEKEND" in opened.text
    assert any(one["what"] == f"letter {path.rpartition('/')[2]}" for one in openings(board))
    as_it_is = json.dumps(report, ensure_ascii=False)
    again = operator.post(f"{path}/opnieuw", data={"csrf": csrf(page), "value": as_it_is})
    assert "/address/postcode" in again.text
    assert 'name="really"' not in again.text

    # Corrected, it would be taken in; alone nobody sends it
    report["address"]["postcode"] = "5622 KL"
    right = json.dumps(report, ensure_ascii=False)
    tried = operator.post(f"{path}/opnieuw", data={"csrf": csrf(page), "value": right})
    assert 'name="really"' in tried.text
    really = {"csrf": csrf(page), "value": right, "really": "1"}
    alone = second_signs(board, operator, f"{path}/opnieuw", really, PEOPLE[Role.OPERATOR])
    assert alone.status_code == 403
    auditor = second_signs(board, operator, f"{path}/opnieuw", really, PEOPLE[Role.AUDITOR])
    assert auditor.status_code == 403

    # With another operator it goes in, and becomes a case
    done = second_signs(board, operator, f"{path}/opnieuw", really, "coordinator-2.bz")
    assert "opnieuw aangeboden" in said(done)
    police = board.machine(SOURCE)
    receipt = eventually(
        "registered",
        lambda: [one["outcome"] for one in police.get(f"/v1/meldingen/{SOURCE}/{report['report_id']}").json()
                 .get("copies", [])],
    )  # fmt: skip
    assert receipt[-1] == "REGISTERED"


def test_a_receiver_is_taken_out_of_service_and_brought_back(board: Board):
    person = board.person(DUTY)
    for kind, word in (("HOLD_RECEIVER", "Buiten dienst sinds"), ("RESUME_RECEIVER", "")):
        page = person.get(f"/handelingen/{kind}")
        given = {"csrf": csrf(page), "to": "wijkteam-veldhoven", "reason": "Geen stroom op kantoor."}
        done = person.post(f"/handelingen/{kind}", data=given)
        assert "Gedaan." in said(done)
        assert ("Buiten dienst sinds" in done.text) is bool(word)


def test_a_policy_is_tried_and_put_in_force_with_a_second_person(board: Board):
    maker = board.person(PEOPLE[Role.POLICY_MAKER])
    page = maker.get("/beleid")
    lit = maker.post(
        "/beleid",
        data={"csrf": csrf(page), "report": json.dumps(a_plain_report(random.Random("pad"), indicators={"S1": "YES"}))},
    )
    assert "oranje" in said(lit)
    assert lit.text.count("ms-lit") >= 2
    wrong = maker.post("/beleid", data={"csrf": csrf(page), "report": "{}"})
    assert "ontbreekt" in said(wrong) or "verplicht" in said(wrong)

    text = (board.field.regions_folder / REGION / "policy.yaml").read_text()
    newer = re.sub(r'version: "[^"]+"', 'version: "2099-01"', text, count=1)
    given = {"csrf": csrf(page), "policy": newer, "reason": "Herzien.", "with_second": "1"}
    done = second_signs(board, maker, "/handelingen/ACTIVATE_POLICY", given, "beleidsmaker-2.bz")
    assert "Gedaan." in said(done)
    assert "2099-01" in maker.get("/beleid").text
