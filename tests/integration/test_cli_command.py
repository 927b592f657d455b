"""The installed command: help, mistakes, and what they cost. Nothing in here sends a packet."""

import json
import subprocess
import sys

import jsonschema
import pytest

from probe.cli import COMMANDS
from tests.integration.command import DALEL, dalel, environment, modules_after

HEAVY = {
    "scapy",
    "starlette",
    "sqlalchemy",
    "alembic",
    "rich",
    "httpx",
    "httpcore",
    "pydantic",
    "dns",
    "cryptography",
    "asyncio",
}


@pytest.fixture
def home(tmp_path):
    """An empty home."""
    return tmp_path


def test_help_lists_every_command_and_every_exit_code(home):
    """The first thing that a newcomer reads."""
    done = dalel(home, "--help")

    assert done.returncode == 0
    assert [row.name for row in COMMANDS if (f"\n  {row.name} " in done.stdout) is row.hidden] == []
    for code in ("2 ", "4 ", "1 ", "3 ", "0 ", "130", "143"):
        assert f"\n  {code}" in done.stdout or f" {code}" in done.stdout


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_each_command_in_the_table_is_there(home, row):
    """Its module has it under its name, and its help is not empty."""
    import importlib

    assert importlib.import_module(row.module).command.name == row.name
    assert dalel(home, row.name, "--help").returncode == 0


def test_help_imports_nothing_heavy(home):
    """`dalel --help` costs little more than Python itself."""
    assert modules_after(home, ["--help"]) & HEAVY == set()


@pytest.mark.parametrize("word", [["--version"], ["config", "show"], ["completion", "zsh"], ["help", "verdicts"]])
def test_small_commands_import_nothing_heavy(home, word):
    """Each command pays for itself alone."""
    assert modules_after(home, word) & HEAVY - {"asyncio"} == set()


def test_a_dry_run_imports_neither_database_nor_screen(home):
    """What is only listed needs no storage and no colours."""
    found = modules_after(home, ["check", "--dry-run"])

    assert found & {"scapy", "starlette", "sqlalchemy", "alembic", "rich", "pydantic"} == set()


MISTAKES = {
    ("chek",): "Usage: dalel [OPTIONS] COMMAND [ARGS]...\nTry 'dalel --help' for help.\n\n"
    "Error: There is no command 'chek'. Did you mean 'check'?\n",
    ("example.com",): "Usage: dalel [OPTIONS] COMMAND [ARGS]...\nTry 'dalel --help' for help.\n\n"
    "Error: There is no command 'example.com'. To check a site: dalel check example.com\n",
    ("check", "facebok"): "dalel: No platform is called 'facebok'. Did you mean 'facebook'? "
    "For all names see `dalel targets list`.\n",
    ("check", "http://example.com:0/"): "dalel: 'http://example.com:0/' has port 0: "
    "a port is a number from 1 to 65535.\n",
    ("check", "@nws"): "dalel: No list is called '@nws'. Did you mean '@news'? "
    "Lists: @all, @default, @dns, @messengers, @news, @social, @vpn.\n",
    ("check", "--only", "retrey"): "Usage: dalel check [OPTIONS] [TARGET|@LIST|URL|HOST|-]...\n"
    "Try 'dalel check --help' for help.\n\n"
    "Error: Invalid value for '--only': there is no 'retrey'. Did you mean 'retry'? There are: website, network, "
    "retry, dns_answers, neutral_pair, neutral_chain, own_pair, path_mtu, siblings, neighbours, "
    "locate, behind, packets, residual, split, control_pair, throttling, protocol_pair, ech, quic, "
    "vendor_sign, udp_here, control.\n",
    ("check", "--fail-on", "down"): "Usage: dalel check [OPTIONS] [TARGET|@LIST|URL|HOST|-]...\n"
    "Try 'dalel check --help' for help.\n\n"
    "Error: Invalid value for '--fail-on': there is no 'down'. There are: accessible, blocked, denied, outage, "
    "no_network, inconclusive.\n",
    ("check", "--zzz"): "Usage: dalel check [OPTIONS] [TARGET|@LIST|URL|HOST|-]...\n"
    "Try 'dalel check --help' for help.\n\nError: No such option '--zzz'.\n",
    ("check", "-"): "Usage: dalel check [OPTIONS] [TARGET|@LIST|URL|HOST|-]...\n"
    "Try 'dalel check --help' for help.\n\nError: Standard input names no target.\n",
    ("check", "--config", "/nowhere.toml"): "dalel: There is no settings file /nowhere.toml (--config names it).\n",
    ("check", "x.com", "--database", "redis://h/1"): "dalel: redis:// is no database that Dalel can use. "
    "Give a file, sqlite:///FILE or postgresql://USER@HOST/NAME.\n",
    ("check", "x.com", "-o", "/"): "dalel: / cannot be written: is a directory.\n",
    ("check", "x.com", "-o", "/nowhere/at/all.json"): "dalel: /nowhere/at/all.json cannot be written: "
    "no such file or directory.\n",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_answered_with_what_to_do(home, words):
    """Exit 2, nothing on stdout, one message, no traceback."""
    done = dalel(home, *words)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", MISTAKES[words])


def test_several_mistakes_are_told_at_once(home):
    """Nobody mends one word only to hear of the next."""
    done = dalel(home, "check", "facebok", "http://example.com:0/")

    assert done.returncode == 2
    assert done.stderr == (
        "dalel: not everything was understood, in 2 places:\n"
        "  No platform is called 'facebok'. Did you mean 'facebook'? For all names see `dalel targets list`.\n"
        "  'http://example.com:0/' has port 0: a port is a number from 1 to 65535.\n"
    )


def test_a_broken_settings_file_is_told_whole(home):
    """Every error with its file and line, and nothing is measured."""
    path = home / "config.toml"
    path.write_text('[check]\nprofile = "lite"\n[deadlnes]\n', encoding="utf-8")
    done = dalel(home, "check", DALEL_CONFIG=str(path))

    assert done.returncode == 2
    assert done.stderr == (
        "dalel: the settings are wrong, in 2 places:\n"
        f'  {path}:2: [check] profile: "lite" is not allowed. It must be light or full.\n'
        f"  {path}:3: there is no section [deadlnes]. Did you mean [deadlines]?\n"
    )


def test_escapes_in_what_was_typed_do_not_reach_the_terminal(home):
    """A pasted name cannot colour the error message."""
    assert "\x1b" not in dalel(home, "check", "\x1b[31mx", "--dry-run").stderr
    assert "\x1b" not in dalel(home, "\x1b[31mx").stderr


def test_a_dry_run_names_every_destination(home):
    """Own side, endpoints and follow-ups, in words; nothing is sent and nothing is kept."""
    done = dalel(home, "check", "telegram", "https://example.com/", "--dry-run")

    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    for destination in (
        "149.154.167.51:443",
        "https://web.telegram.org/",
        "https://example.com/",
        "1.1.1.1",
        "egov.kz",
    ):
        assert destination in text
    for kind in ("DNS", "TCP", "TLS", "HTTP", "NTP", "UDP port 53", "TCP port 443", "TLS port 853"):
        assert kind in text
    assert text.startswith("This is what the check would send. Nothing has been sent.")
    assert list(home.iterdir()) == []


def test_a_dry_run_leaves_out_what_is_skipped(home):
    """--skip and -4 are seen in the plan."""
    text = dalel(home, "check", "x.com", "--dry-run", "--skip", "retry,dns_answers", "-4").stdout

    assert "  retry: " not in text
    assert "  dns_answers: " not in text
    assert "over IPv4:" in text


def test_config_show_says_where_each_setting_comes_from(home):
    """The file's line, the variable, or the default; a password is never shown."""
    path = home / "config.toml"
    path.write_text('[network]\ncountry = "KZ"\n', encoding="utf-8")
    environ = {"DALEL_CONFIG": str(path), "DALEL_DATABASE_URL": "postgresql://u:hunter2@h/d"}
    done = dalel(home, "config", "show", "--origin", **environ)

    assert done.returncode == 0
    assert f'country = "KZ"  # {path}:2\n' in done.stdout
    assert 'url = "postgresql://u:***@h/d"  # DALEL_DATABASE_URL\n' in done.stdout
    assert 'profile = "light"  # default\n' in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_what_config_show_prints_is_a_settings_file(home):
    """It can be kept and used."""
    path = home / "config.toml"
    path.write_text(dalel(home, "config", "show").stdout, encoding="utf-8")

    assert dalel(home, "config", "show", "--config", str(path)).returncode == 0


@pytest.mark.parametrize("name", ["check", "result", "doctor"])
def test_schemas_are_printed(home, name):
    """A valid draft 2020-12 schema on stdout."""
    jsonschema.Draft202012Validator.check_schema(json.loads(dalel(home, "schema", name).stdout))


@pytest.mark.parametrize("topic", ["verdicts", "exit-codes", "output", "safety", "settings"])
def test_long_help_is_there(home, topic):
    """Each topic is a text of its own."""
    done = dalel(home, "help", topic)

    assert done.returncode == 0
    assert len(done.stdout) > 500


def test_doctor_says_what_to_do(home):
    """Each line that is not well has a remedy; the JSON follows its schema, and nothing is written."""
    done = dalel(home, "doctor", "--format", "json", SSL_CERT_FILE="/nowhere.pem", HTTPS_PROXY="http://p:1")
    document = json.loads(done.stdout)
    by_name = {check["name"]: check for check in document["checks"]}

    jsonschema.validate(document, json.loads(dalel(home, "schema", "doctor").stdout))
    assert done.returncode == 2
    assert by_name["trust"]["state"] == "broken"
    assert by_name["proxy"]["state"] == "warning"
    assert [check for check in document["checks"] if check["state"] != "ok" and not check["do"]] == []
    assert list(home.iterdir()) == []


def test_doctor_notices_a_slip_in_a_variable(home):
    """A setting that means nothing is worse than none."""
    done = dalel(home, "doctor", DALEL_DATABASE_ULR="x")

    assert "DALEL_DATABASE_ULR (did you mean DALEL_DATABASE_URL?)" in " ".join(done.stdout.split())


def test_doctor_knows_a_database_that_cannot_be_written(home):
    """The place and the way out are named."""
    done = dalel(home, "doctor", DALEL_DATABASE_URL="/dev/null/dalel.db")

    assert done.returncode == 2
    assert "/dev/null/dalel.db" in done.stdout


def test_a_reader_that_goes_away_is_no_error(home):
    """`dalel … | head -1` prints one line and nothing else."""
    done = subprocess.run(
        f"{DALEL} help settings | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines()[0] == "# Settings"
    assert done.stdout.splitlines()[1] in ("0", "141")  # all of it may have fitted into the pipe
    assert done.stderr == ""


def test_an_ascii_terminal_gets_no_error(home):
    """LANG of another world: symbols are replaced, nothing breaks."""
    done = dalel(home, "doctor", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert done.stdout.isascii()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(home, shell):
    """click's own, under our name."""
    assert "_DALEL_COMPLETE" in dalel(home, "completion", shell).stdout


def test_completion_knows_commands_and_platforms(home):
    """A shell is told what could follow."""
    commands = dalel(home, _DALEL_COMPLETE="bash_complete", COMP_WORDS="dalel ch", COMP_CWORD="1").stdout
    platforms = dalel(home, _DALEL_COMPLETE="bash_complete", COMP_WORDS="dalel check faceb", COMP_CWORD="2").stdout

    assert commands.splitlines() == ["plain,check"]
    assert "plain,facebook" in platforms.splitlines()


BUG = """
import sys
from probe.cli import run
import probe.cli.common as common
def broken(*_):
    raise RuntimeError("the \\x1b[31msky\\nfell")
common.read_settings = broken
sys.exit(run(["config", "show"]))
"""


def bug(home, *argv, **more):
    code = BUG.replace('["config", "show"]', repr(list(argv)))
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(home, TMPDIR=str(home), **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_bug_of_ours_is_called_one(home):
    """Exit 4, one line, no traceback, and where it is."""
    done = bug(home, "config", "show")
    (kept,) = home.glob("dalel-bug-*.txt")

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "dalel: this is a bug in dalel, not in your network: RuntimeError: the \ufffd[31msky\n"
        f"The details, to send to the maintainers: {kept}\n"
    )
    assert "Traceback" in kept.read_text(encoding="utf-8")
    assert kept.stat().st_mode & 0o077 == 0


def test_python_m_probe_is_the_same_program(home):
    """For who has no scripts on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "probe", "--version"], env=environment(home), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, dalel(home, "--version").stdout)


def test_a_bug_is_shown_to_who_asks(home):
    """DALEL_DEBUG=1 prints the traceback and writes nothing."""
    done = bug(home, "config", "show", DALEL_DEBUG="1")

    assert done.returncode == 4
    assert "Traceback (most recent call last)" in done.stderr
    assert list(home.iterdir()) == []


def test_a_bug_writes_nothing_with_no_save(home):
    """--no-save means nothing at all."""
    done = bug(home, "check", "--no-save")

    assert done.returncode == 4
    assert "DALEL_DEBUG=1" in done.stderr
    assert list(home.iterdir()) == []


def test_a_check_names_its_columns_as_the_export_does(home):
    """One vocabulary: rows of either can be put together."""
    from probe.report.rows import _COLUMNS

    known = {line.split()[0] for line in dalel(home, "export", "--columns", "help").stdout.splitlines() if line}
    assert set(_COLUMNS) - known == {"text"}
