"""The commands on a real broker, with real workers: a red report from its publication to its acceptance."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from agents.policy.calendar import AMSTERDAM
from agents.policy.region import load_regions
from pipeline.broker import Broker
from pipeline.cli.manners import Exit
from pipeline.settings import CHECKOUT
from tests.cases import GOUDA, LEIDEN, a_report
from tests.pipeline.cli.conftest import Meldstroom

pytestmark = pytest.mark.broker

EXAMPLES = CHECKOUT / "examples"
WADDINXVEEN = "0627"
MELDSTROOM = [sys.executable, "-m", "pipeline.cli"]


def environment(bootstrap: str, data: Path) -> dict[str, str]:
    return {
        "MELDSTROOM_KAFKA__BOOTSTRAP": bootstrap,
        "MELDSTROOM_DEVELOPMENT": "true",
        "MELDSTROOM_DATA": str(data),
        "MELDSTROOM_METRICS_PORT": "0",
        "MELDSTROOM_LANGUAGE": "en",
    }


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of its own: workers on the one that all share would take part in other tests."""
    with Broker.start(tmp_path_factory.mktemp("own") / "broker", heap_mb=384) as broker:
        yield broker


@pytest.fixture(scope="module")
def up(own: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """``meldstroom up`` on that broker, ready; at the end it must leave nothing behind."""
    data = tmp_path_factory.mktemp("up")
    env = environment(own.bootstrap, data)
    with (data / "up.log").open("wb") as log:
        process = subprocess.Popen([*MELDSTROOM, "up"], env={**os.environ, **env}, cwd=CHECKOUT, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 90
        while "Ready" not in (said := (data / "up.log").read_text()):
            assert process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.2)
        yield env
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(40)
    assert code == Exit.DONE, (data / "up.log").read_text()
    assert not list(data.glob("worker-*.json"))


def data_of(ran: Any) -> Any:
    assert ran.exit_code == Exit.DONE, ran.output
    return json.loads(ran.stdout)


def published(meldstroom: Meldstroom, up: dict[str, str], name: str) -> dict[str, Any]:
    """A case of its own of an example: nobody in it is in another."""
    ran = meldstroom("publish", str(EXAMPLES / f"{name}.json"), "--wait", "-o", "json", **up)
    (sent,) = data_of(ran)
    assert sent["receipt"]["outcome"] in ("REGISTERED", "REPEAT")
    colour = {"rood": "RED", "oranje": "ORANGE", "voorlopig": "ORANGE", "geel": "YELLOW", "groen": "GREEN"}[name]
    found: list[dict[str, Any]] = data_of(meldstroom("case", "ls", "-o", "json", **up))
    return next(one for one in found if one["colour"] == colour and one["provisional"] is (name == "voorlopig"))


def test_plan_tells_what_is_missing_and_a_worker_does_not_start_without(
    own: Broker, meldstroom: Meldstroom, tmp_path: Path, request: pytest.FixtureRequest
):
    env = environment(own.bootstrap, tmp_path)

    plan = meldstroom("topics", "plan", "-o", "json", **env)
    worker = subprocess.run(
        [*MELDSTROOM, "worker", "region"],
        env={**os.environ, **env},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert plan.exit_code == Exit.NOT_SO
    assert {step["step"] for step in json.loads(plan.stdout)} == {"create", "set_quota"}
    assert worker.returncode == Exit.CONFIG
    assert "meldstroom topics apply" in worker.stderr
    assert "brabant-zuidoost: no team for 4" in worker.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("case", "ls"),
        ("case", "show", "3f2b8c1e"),
        ("watch",),
        ("deadletters", "ls"),
        ("figures", "--region", "hollands-midden", "--from", "2026-01-01", "--to", "2026-06-30"),
        ("handover", "accept", "3f2b8c1e"),
        ("publish", str(EXAMPLES / "rood.json")),
        ("publish", str(EXAMPLES / "rood.json"), "--wait"),
    ],
    ids=" ".join,
)
def test_on_a_cluster_without_topics_nobody_waits(
    own: Broker, meldstroom: Meldstroom, tmp_path: Path, command: tuple[str, ...]
):
    ran = meldstroom(*command, **environment(own.bootstrap, tmp_path))

    assert ran.exit_code == Exit.CONFIG
    assert "meldstroom topics apply" in ran.stderr


def test_doctor_on_a_cluster_without_topics(own: Broker, meldstroom: Meldstroom, tmp_path: Path):
    ran = meldstroom("doctor", "-o", "json", **environment(own.bootstrap, tmp_path))

    wrong = {check["check"]: check["mend"] for check in json.loads(ran.stdout) if check["level"] == "error"}
    assert ran.exit_code == Exit.NOT_SO
    assert wrong["topics"] == "meldstroom topics apply"
    assert wrong["groups"] == "meldstroom worker region"


def test_doctor_warns_of_quotas_that_a_client_could_get_round(own: Broker, meldstroom: Meldstroom, tmp_path: Path):
    env = environment(own.bootstrap, tmp_path)

    def quotas(**more: str) -> list[tuple[str, str]]:
        checks = json.loads(meldstroom("doctor", "-o", "json", **{**env, **more}).stdout)
        return [(check["level"], check["mend"]) for check in checks if check["check"] == "quotas"]

    assert quotas(MELDSTROOM_DEVELOPMENT="false") == [("warning", "sources.yaml: principal")]
    assert quotas() == []


def test_outside_development_copies_that_cannot_be_made_are_an_error(own: Broker, meldstroom: Meldstroom):
    ran = meldstroom("topics", "apply", MELDSTROOM_KAFKA__BOOTSTRAP=own.bootstrap)

    assert ran.exit_code == Exit.CONFIG
    assert "MELDSTROOM_KAFKA__REPLICATION" in ran.stderr


def test_after_up_nothing_differs(up: dict[str, str], meldstroom: Meldstroom):
    assert data_of(meldstroom("topics", "plan", "-o", "json", **up)) == []


def test_a_red_report_until_somebody_has_it(up: dict[str, str], meldstroom: Meldstroom):
    case = published(meldstroom, up, "rood")
    short = case["case_id"][:8]

    why = data_of(meldstroom("case", "why", short, "-o", "json", **up))
    opened = data_of(meldstroom("handover", "open", short, "-o", "json", **up))
    accepted = data_of(meldstroom("handover", "accept", short, "--by", "p.maas", "--wait", "-o", "json", **up))
    again = meldstroom("handover", "refuse", short, "--reason", "TOO_SEVERE", "--wait", **up)
    shown = data_of(meldstroom("case", "show", short, "-o", "json", **up))

    assert case["receiver"] == "vt-bzo-crisis"
    assert case["next_step"]["step"] == "DUTY_OFFICER"
    assert {rule["id"] for rule in why["rules"]} == {"R1", "R2", "U4", "X3"}
    assert why["kept_because"]["reason"] == "H1"
    assert opened["reports"][0]["participants"][0]["surname"] == "Jongeneel"
    assert "reporter" not in json.dumps(opened)
    assert [event["type"] for event in accepted["followed"]] == ["answered", "executor_changed", "terms_changed"]
    assert again.exit_code == Exit.NOT_SO
    assert (shown["state"], shown["executor"]) == ("ACCEPTED", "vt-bzo-crisis")
    refused = [record["refused"] for record in shown["timeline"]]
    assert refused[-1]
    assert not any(refused[:-1])


def test_publishing_twice_is_a_repeat_and_a_new_id_is_not(up: dict[str, str], meldstroom: Meldstroom):
    published(meldstroom, up, "rood")
    file = str(EXAMPLES / "rood.json")

    (again,) = data_of(meldstroom("publish", file, "--wait", "-o", "json", **up))
    (new,) = data_of(meldstroom("publish", file, "--new-id", "--wait", "-o", "json", **up))

    assert again["receipt"]["outcome"] == "REPEAT"
    assert new["receipt"]["outcome"] == "REGISTERED"


def test_lines_and_events_are_published_too(up: dict[str, str], meldstroom: Meldstroom, tmp_path: Path):
    report = json.loads((EXAMPLES / "groen.json").read_bytes())
    event = {
        "specversion": "1.0",
        "id": "1",
        "type": "nl.veiligthuis-meldingen.melding-gedaan.v1",
        "source": "urn:nld:oin:00000001999972509000:systeem:zaaksysteem",
        "data": report,
    }
    (tmp_path / "both.jsonl").write_text(f"{json.dumps(report)}\n{json.dumps(event)}\n")

    sent = data_of(meldstroom("publish", str(tmp_path / "both.jsonl"), "--wait", "-o", "json", **up))

    assert len(sent) == 2
    assert sent[1]["receipt"]["outcome"] == "REPEAT"


def test_the_copy_paste_publisher_works(up: dict[str, str], meldstroom: Meldstroom):
    bootstrap = up["MELDSTROOM_KAFKA__BOOTSTRAP"]

    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "publish.py"), str(EXAMPLES / "rood.json")],
        env={**os.environ, "KAFKA": bootstrap},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ran.stdout.startswith("meldstroom.reports.politie-oost-brabant.v1 0 ")
    assert published(meldstroom, up, "rood")["reports"] >= 1


def test_the_kcat_publisher_sends_a_file_as_one_message(up: dict[str, str], meldstroom: Meldstroom):
    published(meldstroom, up, "oranje")

    subprocess.run(
        [str(EXAMPLES / "publish-kcat.sh"), str(EXAMPLES / "oranje.json")],
        env={
            **os.environ,
            "KAFKA": up["MELDSTROOM_KAFKA__BOOTSTRAP"],
            "SOURCE": "urn:nld:oin:00000001999972078000:systeem:his",
        },
        timeout=60,
        check=True,
    )
    (again,) = data_of(meldstroom("publish", str(EXAMPLES / "oranje.json"), "--wait", "-o", "json", **up))

    assert again["offset"] >= 2
    letters = data_of(meldstroom("deadletters", "ls", "-o", "json", **up))
    assert "huisartsen-zuidoost-brabant" not in {letter["source"] for letter in letters}


@pytest.mark.parametrize("role", ["region", "intake"])
def test_a_taken_port_for_metrics_is_said(up: dict[str, str], role: str, tmp_path: Path):
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", one.getsockname()[1] + 1))
        one.listen()
        other.listen()
        settings = {
            "MELDSTROOM_METRICS_PORT": str(one.getsockname()[1]),
            "MELDSTROOM_INSTANCE": "another",
            "MELDSTROOM_DATA": str(tmp_path),
        }
        ran = subprocess.run(
            [*MELDSTROOM, "worker", role],
            env={**os.environ, **up, **settings},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ran.returncode == Exit.CONFIG
    assert "MELDSTROOM_METRICS_PORT" in ran.stderr


def test_a_provisional_colour_is_settled_by_a_person(up: dict[str, str], meldstroom: Meldstroom):
    short = published(meldstroom, up, "voorlopig")["case_id"][:8]
    who = ("--actor", "m.devries", "--role", "beoordelaar", "--reason", "called", "--wait", "-o", "json")

    too_few = meldstroom("act", "settle", short, "--answer", "A4=NO", *who, **up)
    answers = [part for n in range(1, 12) for part in ("--answer", f"A{n}=NEE")]
    settled = data_of(meldstroom("act", "settle", short, *answers, *who, **up))

    assert too_few.exit_code == Exit.NOT_SO
    assert "act_done" in [event["type"] for event in settled["followed"]]
    assert data_of(meldstroom("case", "show", short, "-o", "json", **up))["provisional"] is False


def test_a_receiver_is_taken_out_of_service_and_brought_back(up: dict[str, str], meldstroom: Meldstroom):
    # Given a case that a team was offered
    short = published(meldstroom, up, "geel")["case_id"][:8]
    offered = data_of(meldstroom("case", "show", short, "-o", "json", **up))["offers"][-1]["receiver"]
    who = ("--actor", "m.devries", "--role", "bureaudienst", "--reason", "outage", "--wait", "-o", "json")

    # When the duty desk holds its queue, twice, and resumes it
    held = data_of(meldstroom("queue", "hold", offered, *who, **up))
    rows = data_of(meldstroom("queue", "list", "-o", "json", **up))
    twice = meldstroom("queue", "hold", offered, *who, **up)
    resumed = data_of(meldstroom("queue", "resume", offered, *who, **up))

    # Then it is seen in the list, and a second hold is refused
    assert (held["receiver"], held["followed"][0]["type"]) == (offered, "receiver_held")
    (row,) = [row for row in rows if row["receiver"] == offered]
    assert row["held_since"] is not None
    assert row["waiting"] >= 1
    assert twice.exit_code == Exit.NOT_SO
    assert resumed["followed"][0]["type"] == "receiver_resumed"
    shown = data_of(meldstroom("case", "show", short, "-o", "json", **up))["offers"][-1]
    assert (shown["receiver"], shown["falls"]) == (offered, None)
    unknown = meldstroom("queue", "hold", "wijkteam-nergens", *who, **up)
    assert unknown.exit_code == Exit.NOT_SO
    assert "wijkteam-nergens" in unknown.stderr


def test_what_is_due_is_listed_what_is_late_first(up: dict[str, str], meldstroom: Meldstroom):
    short = published(meldstroom, up, "rood")["case_id"][:8]

    rows = data_of(meldstroom("timers", "due", "--within", "9000d", "--kleur", "rood", "-o", "json", **up))
    none = meldstroom("timers", "due", "--within", "1m", "--region", "hollands-midden", "--kleur", "groen", **up)

    mine = [row for row in rows if row["case_id"].startswith(short)]
    assert {row["colour"] for row in rows} == {"RED"}
    assert {"T04r", "T05"} <= {row["what"] for row in mine}
    assert [row["due"] for row in rows] == sorted(row["due"] for row in rows)
    assert none.exit_code == Exit.DONE
    wrong = meldstroom("timers", "due", "--within", "soon", **up)
    assert (wrong.exit_code, "soon" in wrong.stderr) == (Exit.USAGE, True)
    assert meldstroom("timers", "due", "--region", "nergens", **up).exit_code == Exit.NOT_SO


def test_a_dead_letter_is_opened_and_not_sent_in_vain(up: dict[str, str], meldstroom: Meldstroom):
    refused = meldstroom("publish", str(EXAMPLES / "kapot.json"), "--wait", **up)
    letters = data_of(meldstroom("deadletters", "ls", "-o", "json", **up))
    letter = next(one for one in letters if one["source"] == "scholen-zuidoost-brabant")

    shown = data_of(meldstroom("deadletters", "show", letter["letter_id"][:8], "-o", "json", **up))
    again = meldstroom("deadletters", "redrive", letter["letter_id"][:8], "--no-dry-run", **up)

    assert refused.exit_code == Exit.NOT_SO
    assert "/participants/0/bsn" in refused.stdout
    assert shown["original"]["value"].encode() == (EXAMPLES / "kapot.json").read_bytes()
    assert ["content-type", "application/json"] in shown["original"]["headers"]
    assert again.exit_code == Exit.NOT_SO


def test_a_dead_letter_that_is_right_by_now_goes_in_again(up: dict[str, str], meldstroom: Meldstroom):
    # Given an act that was refused as the case stood: by its form alone it is right
    short = published(meldstroom, up, "geel")["case_id"][:8]
    who = ("--actor", "m.devries", "--role", "beoordelaar", "--reason", "no", "--wait")
    assert meldstroom("act", "reopen", short, *who, **up).exit_code == Exit.NOT_SO
    letters = data_of(meldstroom("deadletters", "ls", "-o", "json", **up))
    letter = max((one for one in letters if one["reason"] == "act_refused"), key=lambda one: str(one["at"]))

    # When it is only asked what would happen, and then done
    asked = data_of(meldstroom("deadletters", "redrive", letter["letter_id"], "-o", "json", **up))
    done = data_of(meldstroom("deadletters", "redrive", letter["letter_id"], "--no-dry-run", "-o", "json", **up))

    assert asked["accepted"] is True
    assert "offset" not in asked
    assert done["topic"] == letter["origin"]["topic"]
    assert done["offset"] > letter["origin"]["offset"]


def test_ids_that_do_not_name_one_case(up: dict[str, str], meldstroom: Meldstroom):
    assert meldstroom("case", "show", "ffffffff", **up).exit_code == Exit.NOT_SO
    assert meldstroom("case", "show", "fff", **up).exit_code == Exit.USAGE


def test_a_household_is_erased_by_two_people(up: dict[str, str], meldstroom: Meldstroom):
    # Given a case that is done
    short = published(meldstroom, up, "groen")["case_id"][:8]
    for verb in ("accept", "start", "complete"):
        assert meldstroom("handover", verb, short, "--wait", **up).exit_code == Exit.DONE
    why = ("--actor", "m.devries", "--reason", "term is over", "--wait")
    assert meldstroom("act", "close", short, *why, "--role", "beoordelaar", **up).exit_code == Exit.DONE
    who = (*why, "--role", "jurist")

    # When one person asks for it, and then two
    alone = meldstroom("act", "erase", short, *who, **up)
    together = meldstroom("act", "erase", short, *who, "--second", "k.smit", **up)

    # Then only two can, and nothing can be opened any more
    assert alone.exit_code == Exit.NOT_SO
    assert together.exit_code == Exit.DONE
    shown = data_of(meldstroom("case", "show", short, "-o", "json", **up))
    assert shown["erased"] is True
    handover = shown["offers"][0]["id"]
    assert meldstroom("handover", "open", handover, **up).exit_code == Exit.NOT_SO


def test_watch_tells_each_record_and_ends_quietly(up: dict[str, str], meldstroom: Meldstroom):
    case = published(meldstroom, up, "rood")
    process = subprocess.Popen(
        [*MELDSTROOM, "watch", "--from-start", "-o", "json"],
        env={**os.environ, **up},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        first = next(line for line in map(json.loads, process.stdout) if line["case_id"] == case["case_id"])
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert first["events"][0] == "registered"
    assert first["colour"] == "RED"
    assert process.returncode == Exit.INTERRUPTED
    assert said == ""


def test_doctor_finds_it_well(up: dict[str, str], meldstroom: Meldstroom):
    checks = data_of(meldstroom("doctor", "-o", "json", **up))

    wrong = [check for check in checks if check["level"] == "error"]
    assert wrong == []
    assert {check["check"] for check in checks} >= {
        "broker",
        "topics",
        "broker_settings",
        "groups",
        "clock",
        "instances",
    }


def test_doctor_names_two_holders_of_one_name(up: dict[str, str]):
    # Given two processes that beat under one name, as after a disk was copied to another machine
    producer = KafkaProducer(bootstrap_servers=up["MELDSTROOM_KAFKA__BOOTSTRAP"], acks="all")
    process = subprocess.Popen(
        [*MELDSTROOM, "doctor", "-o", "json"], env={**os.environ, **up}, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        for boot in ("first", "second"):
            beat = {"boot": boot, "host": f"{boot}-host", "pid": 7}
            producer.send("meldstroom.heartbeats.v1", json.dumps(beat).encode(), key=b"region-copied")
        producer.flush()
        time.sleep(0.3)
    producer.close()

    # When doctor has looked
    assert process.stdout is not None
    checks = json.loads(process.stdout.read())

    # Then both are named
    assert process.returncode == Exit.NOT_SO
    (found,) = (check["found"] for check in checks if check["check"] == "instances" and check["level"] == "error")
    assert "region-copied" in found
    assert "first-host" in found
    assert "second-host" in found


def test_a_second_holder_of_a_name_is_refused(up: dict[str, str]):
    ran = subprocess.run(
        [*MELDSTROOM, "worker", "region"],
        env={**os.environ, **up},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == Exit.CONFIG
    assert "MELDSTROOM_INSTANCE" in ran.stderr


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_people_read_is_told_in_both_languages(up: dict[str, str], meldstroom: Meldstroom, language: str):
    short = published(meldstroom, up, "oranje")["case_id"][:8]

    for command in (("case", "ls"), ("case", "show", short), ("case", "why", short), ("handover", "open", short)):
        ran = meldstroom("--lang", language, *command, **up)
        assert ran.exit_code == Exit.DONE, ran.output
        assert ("oranje" if language == "nl" else "orange") in ran.stdout or command[0] == "handover"


def test_figures_give_nobody_away_and_count_what_was_erased(up: dict[str, str], meldstroom: Meldstroom, tmp_path: Path):
    # Given reports of each colour from two municipalities, three from a third one, and an exercise
    kinds = ((), ("M1",), ("S1",), ("A2",))
    wanted = [*[(LEIDEN, yes) for yes in kinds * 9], *[(GOUDA, yes) for yes in kinds * 7], *[(WADDINXVEEN, ())] * 3]
    reports = [
        a_report(household=200 + number, municipality=municipality, yes=yes)
        for number, (municipality, yes) in enumerate(wanted)
    ]
    reports.append(a_report(household=199, municipality=LEIDEN, test=True))
    for name, lines in (("first", reports[:1]), ("others", reports[1:])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, lines)))
    data_of(meldstroom("publish", str(tmp_path / "first"), "--wait", "-o", "json", **up))
    (case,) = data_of(meldstroom("case", "ls", "--region", "hollands-midden", "-o", "json", **up))
    data_of(meldstroom("publish", str(tmp_path / "others"), "--wait", "-o", "json", **up))
    today = datetime.now(AMSTERDAM).date()
    days = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
    asked = ("figures", "--region", "hollands-midden", *days)

    # When the figures are asked for, a green household of Leiden is erased, and they are asked for again
    before = meldstroom(*asked, "-o", "json", **up)
    erased = case["case_id"]
    for verb in ("accept", "start", "complete"):
        assert meldstroom("handover", verb, erased, "--wait", **up).exit_code == Exit.DONE
    why = ("--actor", "m.devries", "--reason", "asked for", "--wait")
    assert meldstroom("act", "close", erased, *why, "--role", "beoordelaar", **up).exit_code == Exit.DONE
    both = ("--role", "jurist", "--second", "k.smit")
    assert meldstroom("act", "erase", erased, *why, *both, **up).exit_code == Exit.DONE
    after = meldstroom(*asked, "-o", "json", **up)
    page = meldstroom("--lang", "nl", *asked, **up)

    # Then small counts are hidden with what would tell them, and the erased report is counted as unknown
    def figures(ran: Any) -> dict[str, list[int | None]]:
        rows = data_of(ran)["rows"]
        return {one.pop("name"): [one[name] for name in one if name != "municipality"] for one in rows}

    hidden = [None] * 5
    assert figures(before)["Leiden"] == [10, 10, 10, 10, 35]
    assert figures(before)["Gouda"] == figures(before)["Waddinxveen"] == hidden
    assert figures(before)["unknown"] == figures(before)["another region"] == [0] * 5
    assert figures(before)["total"] == figures(after)["total"] == [20, 15, 15, 15, 65]
    assert figures(after)["unknown"] == hidden
    assert data_of(before)["definition"] == 1
    assert "not over" in before.stderr
    assert "Waddinxveen" in page.stdout
    assert ". = niet getoond" in page.stdout
    assert "tellen de cijfers niet op" in page.stdout


def test_a_drill_goes_the_whole_way_and_leaves_no_open_case(meldstroom: Meldstroom, up: dict[str, str]):
    by = ("--actor", "m.vt-07", "--role", "teamleider")
    said = data_of(meldstroom("drill", "--queue", "wijkteam-gouda", *by, "-o", "json", **up))

    assert [step["step"] for step in said["steps"]] == ["offered", "accepted", "started", "closed"]
    shown = data_of(meldstroom("case", "show", said["case_id"], "-o", "json", **up))
    assert (shown["test"], shown["closed"]) == (True, True)

    # What cannot be tried is said in a sentence
    nobody = meldstroom("drill", "--queue", "vt-hm-crisis", *by, **up)
    assert (nobody.exit_code, "no team" in nobody.stderr) == (Exit.NOT_SO, True)
    powerless = meldstroom("drill", "--queue", "wijkteam-gouda", "--actor", "m.vt-07", "--role", "jurist", **up)
    assert (powerless.exit_code, "was not closed" in powerless.stderr) == (Exit.NOT_SO, True)


def test_the_handovers_are_listed_shown_and_moved(up: dict[str, str], meldstroom: Meldstroom):
    case = published(meldstroom, up, "geel")
    short, handover = case["case_id"][:8], case["handover_id"]

    listed = data_of(meldstroom("handover", "ls", "--receiver", case["receiver"], "-o", "json", **up))
    (one,) = [found for found in listed if found["id"] == handover]
    assert (one["state"], one["silent"], one["region"]) == ("OFFERED", False, case["region"])
    assert [step["step"] for step in one["ladder"]] == ["REMINDER", "SPECIALIST", "COORDINATOR", "RECALLED"]
    assert handover not in [
        found["id"] for found in data_of(meldstroom("handover", "ls", "--silent", "-o", "json", **up))
    ]

    # Handed over by telephone: the receiver has it, and what nobody has accepted alone can be withdrawn
    who = ("--actor", "m.vt-07", "--role", "beoordelaar", "--reason", "Besproken.")
    phoned = meldstroom("handover", "phoned", short, "--who", "M. Smit", "--with", "P. Maas", *who, "--wait", **up)
    assert phoned.exit_code == Exit.DONE
    assert meldstroom("handover", "withdraw", short, *who, "--wait", **up).exit_code == Exit.NOT_SO
    shown = meldstroom("handover", "show", short, **up)
    assert "accepted by telephone" in shown.stdout
    assert "not needed any more" in shown.stdout
    # What it owes is its own word
    assert "T25" in data_of(meldstroom("case", "why", short, "-o", "json", **up))["owed"]

    # Given back, it lies at the centre
    back = meldstroom("handover", "return", short, "--reason", "UNREACHABLE", "--wait", **up)
    assert back.exit_code == Exit.DONE
    now = data_of(meldstroom("handover", "show", short, "-o", "json", **up))
    assert (now["receiver"], now["state"]) == ("vt-bzo-beoordeling", "OFFERED")
    assert meldstroom("handover", "withdraw", handover, *who, **up).exit_code == Exit.NOT_SO


def test_a_policy_is_put_in_force_by_two_people_and_its_history_is_told(
    up: dict[str, str], meldstroom: Meldstroom, tmp_path: Path
):
    old = (CHECKOUT / "deploy" / "regions" / "hollands-midden" / "policy.yaml").read_text()
    new, wrong = tmp_path / "nieuw.yaml", tmp_path / "fout.yaml"
    new.write_text(old.replace('version: "2026-11"', 'version: "2027-01"'))
    wrong.write_text(old.replace("colour: ORANGE", "colour: PAARS", 1))
    region = ("--region", "hollands-midden")
    who = ("--actor", "b.vt-03", "--role", "beleidsmaker", "--reason", "Besluit van 1 januari.")

    # What cannot be used is said here, line by line; what one person does alone, by the region
    told = meldstroom("policy", "activate", str(wrong), *region, *who, "--second", "m.vt-08", **up)
    assert told.exit_code != Exit.DONE
    assert "fout.yaml" in told.stderr
    assert "line " in told.stderr
    assert meldstroom("policy", "activate", str(new), *region, *who, "--wait", **up).exit_code == Exit.NOT_SO

    done = meldstroom("policy", "activate", str(new), *region, *who, "--second", "m.vt-08", "--wait", **up)
    assert done.exit_code == Exit.DONE
    history = data_of(meldstroom("policy", "history", *region, "-o", "json", **up))
    assert [(one["version"], one["actor"], one["second"]) for one in history] == [
        ("standaard 2026-11", None, None), ("standaard 2027-01", "b.vt-03", "m.vt-08"),
    ]  # fmt: skip
    assert meldstroom("policy", "show", *region, **up).stdout == new.read_text()
    first = history[0]["since"]
    assert meldstroom("policy", "show", *region, "--at", first, **up).stdout == old
    assert meldstroom("policy", "show", *region, "--at", "2020-01-01", **up).exit_code == Exit.NOT_SO


def test_a_receiver_without_software_of_its_own_gets_each_message_once_and_answers_received(
    up: dict[str, str], meldstroom: Meldstroom, tmp_path: Path
):
    # Given an offer for a team, and that team's own key
    case = published(meldstroom, up, "geel")
    regions = load_regions(CHECKOUT / "deploy" / "regions", development=True)
    key = tmp_path / "sleutel.jwk"
    key.write_text(json.dumps(regions[case["region"]].receiver_keys[case["receiver"]]))
    inbox = tmp_path / "postvak"
    command = ("receive", "--queue", case["receiver"], "--to", str(inbox), "--key", str(key), "--once", "-o", "json")

    # When it receives what there is
    ran = meldstroom(*command, **up)
    assert ran.exit_code == Exit.DONE, ran.output
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    (line,) = [line for line in lines if line["handover_id"] == case["handover_id"] and line["colour"] is not None][-1:]

    # Then it lies in a file, opened; nothing of whom it is about was said on the way
    found = json.loads(Path(line["where"]).read_text())
    (participant, *_) = found["data"]["content"]["reports"][0]["participants"]
    assert participant["surname"]
    assert participant["surname"] not in ran.output
    # And the offer is answered as received, once
    until = time.monotonic() + 30
    while (shown := data_of(meldstroom("handover", "show", case["handover_id"], "-o", "json", **up)))[
        "state"
    ] == "OFFERED":
        assert time.monotonic() < until, shown
    assert shown["state"] == "RECEIVED"

    # When it runs again, nothing comes twice
    again = meldstroom(*command, **up)
    assert (again.exit_code, again.stdout) == (Exit.DONE, "")
    # And what is asked wrongly is said
    assert meldstroom("receive", "--queue", case["receiver"], **up).exit_code == Exit.USAGE
    assert meldstroom("receive", "--queue", case["receiver"], "--post", "ftp://x", **up).exit_code == Exit.USAGE
    assert meldstroom("receive", "--queue", "niemand", "--to", str(inbox), **up).exit_code == Exit.NOT_SO
