"""What a user hears when something is wrong: one sentence, what to do, and the exit code that fits."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.manners import Exit, explained
from pipeline.settings import CHECKOUT
from tests.pipeline.cli.conftest import Meldstroom

REGIONS = CHECKOUT / "deploy" / "regions"


@pytest.mark.parametrize(
    "command",
    [
        ("topics", "plan"),
        ("topics", "apply"),
        ("case", "ls"),
        ("case", "show", "3f2b8c1e"),
        ("case", "why", "3f2b8c1e"),
        ("watch",),
        ("handover", "accept", "3f2b8c1e"),
        ("handover", "open", "3f2b8c1e"),
        ("act", "seen", "3f2b8c1e", "--actor", "m.devries", "--role", "beoordelaar", "--reason", "seen"),
        ("figures", "--region", "hollands-midden", "--from", "2026-01-01", "--to", "2026-06-30"),
        ("deadletters", "ls"),
        ("deadletters", "show", "3f2b8c1e"),
        ("deadletters", "redrive", "3f2b8c1e"),
        ("publish", str(CHECKOUT / "examples" / "rood.json")),
        ("worker", "intake"),
    ],
    ids=" ".join,
)
def test_without_a_broker_each_command_says_how_to_get_one(meldstroom: Meldstroom, command: tuple[str, ...]):
    ran = meldstroom(*command, MELDSTROOM_DEVELOPMENT="true")

    assert ran.exit_code == Exit.UNREACHABLE
    assert ran.stdout == ""
    last = ran.stderr.strip().splitlines()[-1]  # a worker names the gaps of its regions first
    assert "meldstroom up" in last
    assert "MELDSTROOM_KAFKA__BOOTSTRAP" in last


def test_a_port_where_nobody_listens_is_said_at_once(meldstroom: Meldstroom):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it meanwhile
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        ran = meldstroom("case", "ls", MELDSTROOM_KAFKA__BOOTSTRAP=address)

    assert ran.exit_code == Exit.UNREACHABLE
    assert address in ran.stderr


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("no-such-host.invalid:9092", Exit.UNREACHABLE, "no-such-host.invalid"),
        ("localhost", Exit.CONFIG, "host:port"),
        ("localhost:kafka", Exit.CONFIG, "host:port"),
        ("127.0.0.1:99999", Exit.UNREACHABLE, "99999"),
    ],
)
def test_a_wrong_address_is_named(meldstroom: Meldstroom, address: str, code: Exit, said: str):
    ran = meldstroom("topics", "plan", MELDSTROOM_KAFKA__BOOTSTRAP=address)

    assert ran.exit_code == code
    assert said in ran.stderr
    assert "Traceback" not in ran.output


@pytest.mark.parametrize("command", [("check",), ("publish",)])
def test_a_file_that_is_not_there(meldstroom: Meldstroom, command: tuple[str, ...]):
    ran = meldstroom(*command, "no/such/file.json")

    assert ran.exit_code == Exit.USAGE
    assert "no/such/file.json" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"source_id": 7}', b"\xff\xfe", b"\n \n"])
def test_a_file_without_a_source_is_not_published(meldstroom: Meldstroom, tmp_path: Path, content: bytes):
    (tmp_path / "report.json").write_bytes(content)

    ran = meldstroom("publish", str(tmp_path / "report.json"))

    assert ran.exit_code == Exit.NOT_SO
    assert "report.json" in ran.stderr


def test_a_source_that_nobody_registered_is_refused(meldstroom: Meldstroom, tmp_path: Path):
    (tmp_path / "report.json").write_text('{"source_id": "nobody"}')

    ran = meldstroom("publish", str(tmp_path / "report.json"))

    assert ran.exit_code == Exit.NOT_SO
    assert "politie-oost-brabant" in ran.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("METRICS_PORT", "many"), ("KAFKA__REPLICATION", "0"), ("KAFKA__BOOTSTRAPP", "x"), ("LOG_LEVEL", "LOUD")],
)
def test_a_setting_that_cannot_be_is_named_and_its_value_kept_to_oneself(meldstroom: Meldstroom, name: str, value: str):
    ran = meldstroom("case", "ls", **{f"MELDSTROOM_{name}": value})

    assert ran.exit_code == Exit.CONFIG
    assert f"MELDSTROOM_{name}" in ran.stderr


def test_a_password_is_never_said(meldstroom: Meldstroom):
    ran = meldstroom("case", "ls", MELDSTROOM_KAFKA__PASSWORD="geheim-7", MELDSTROOM_KAFKA__MECHANISM="geheim-8")

    assert ran.exit_code == Exit.CONFIG
    assert "geheim" not in ran.output


def test_a_broken_folder_of_a_region_is_named_by_line(meldstroom: Meldstroom, tmp_path: Path):
    shutil.copytree(REGIONS, tmp_path / "regions")
    directory = tmp_path / "regions" / "brabant-zuidoost" / "directory.yaml"
    directory.write_text(directory.read_text().replace("kind: DESK", "kind: DESC", 1))

    ran = meldstroom("case", "ls", MELDSTROOM_REGIONS=str(tmp_path / "regions"))

    assert ran.exit_code == Exit.CONFIG
    assert "brabant-zuidoost" in ran.stderr
    assert re.search(r"line \d+, receivers\.0\.kind", ran.stderr)


def test_keys_that_everybody_knows_are_for_development(meldstroom: Meldstroom):
    ran = meldstroom("worker", "region")

    assert ran.exit_code == Exit.CONFIG
    assert "keys.dev.yaml" in ran.stderr


def test_without_java_up_says_what_to_install(meldstroom: Meldstroom, tmp_path: Path):
    ran = meldstroom("up", "--data", str(tmp_path), JAVA_HOME=str(tmp_path), PATH=str(tmp_path))

    assert ran.exit_code == Exit.CONFIG
    assert "java" in ran.stderr
    assert "apt-get install" in ran.stderr


def test_a_data_folder_that_cannot_be_is_named(meldstroom: Meldstroom, tmp_path: Path):
    (tmp_path / "file").write_text("")

    ran = meldstroom("up", "--data", str(tmp_path / "file" / "folder"))

    assert ran.exit_code == Exit.CONFIG
    assert str(tmp_path / "file") in ran.stderr


def test_a_worker_that_does_not_run_cannot_be_drained(meldstroom: Meldstroom, tmp_path: Path):
    assert meldstroom("worker", "drain", MELDSTROOM_DATA=str(tmp_path)).exit_code == Exit.NOT_SO


@pytest.mark.parametrize("arguments", [("case", "show"), ("handover", "refuse", "3f2b8c1e"), ("nonsense",)])
def test_wrong_usage(meldstroom: Meldstroom, arguments: tuple[str, ...]):
    assert meldstroom(*arguments).exit_code == Exit.USAGE


def test_a_bug_is_told_without_a_trace_and_without_what_was_handled():
    try:
        int("Mirthe Jongeneel")
    except ValueError as error:
        told = explained(error)

    assert told.exit_code == Exit.BUG
    assert "ValueError" in told.message
    assert "Mirthe" not in told.message


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        pytest.param({"MELDSTROOM_LANGUAGE": None, "LANG": "nl_NL.UTF-8"}, "Er is geen broker", id="the machine's"),
        pytest.param({"MELDSTROOM_LANGUAGE": None, "LANG": "en_GB.UTF-8"}, "No broker", id="the machine's, English"),
        pytest.param({"MELDSTROOM_LANGUAGE": "en", "LANG": "nl_NL.UTF-8"}, "No broker", id="set before the machine's"),
        pytest.param({"MELDSTROOM_LANGUAGE": None, "LANG": "de_DE.UTF-8"}, "Er is geen broker", id="else Dutch"),
    ],
)
def test_which_language(meldstroom: Meldstroom, environment: dict[str, str | None], word: str):
    assert word in meldstroom("case", "ls", **environment).stderr


def test_the_language_on_the_command_line_goes_first(meldstroom: Meldstroom):
    assert "Er is geen broker" in meldstroom("--lang", "nl", "case", "ls").stderr
    assert "Examples:" in meldstroom("--lang", "en", "publish", "--help").stdout
    assert "Voorbeelden:" in meldstroom("--lang", "nl", "publish", "--help").stdout


@pytest.mark.parametrize("chosen", ["nl", "en"])
def test_the_help_documents_every_exit_code(meldstroom: Meldstroom, chosen: str):
    shown = meldstroom("--lang", chosen, "--help").stdout

    for code in Exit:
        assert f"  {int(code)} " in shown


def test_colours_only_for_who_wants_them(meldstroom: Meldstroom):
    with_colour = meldstroom("doctor", FORCE_COLOR="1", TERM="xterm-256color").stdout
    without = meldstroom("doctor", FORCE_COLOR="1", NO_COLOR="1", TERM="xterm-256color").stdout

    assert "\x1b[3" in with_colour
    assert "\x1b[3" not in without
    assert "\x1b[1;31" not in without


def test_version(meldstroom: Meldstroom):
    assert meldstroom("--version").stdout.startswith("meldstroom 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense",), "doctor"),
        (("case", "shwo"), "show"),
        (("case", "show"), "CASE|HANDOVER"),
        (("case", "ls", "--opn"), "--open"),
        (("case", "ls", "--kleur", "paars"), "oranje"),
        (("handover", "refuse", "3f2b8c1e"), "--reason"),
        (("up", "--metrics-port", "99999999"), "--metrics-port"),
        (("case", "show", "a", "b"), "--help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_was_typed_wrongly_is_said_in_one_sentence(
    meldstroom: Meldstroom, language: str, arguments: tuple[str, ...], said: str
):
    ran = meldstroom("--lang", language, *arguments)

    assert ran.exit_code == Exit.USAGE
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert "99999999" not in ran.stderr


def test_help_loads_no_command():
    program = (
        "import sys\n"
        "from pipeline.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print([name for name in ('kafka', 'pydantic', 'faust', 'rich') if name in sys.modules], file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)

    assert ran.stderr.strip() == "[]"
