"""`dalel check` from the first word to the exit code, over the pretend Internet of the demo."""

import contextlib
import csv
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from importlib.resources import files

import jsonschema
import pytest

from tests.integration.command import environment

GOOD, CUT, SILENT = "https://www.debian.org/", "https://chat.example/", "https://videos.example/"
"""A site that works in every act, and two whose names are cut off and dropped in "handshakes"."""


@pytest.fixture
def home(tmp_path):
    """An empty home."""
    return tmp_path


def argv(act, *words):
    return [sys.executable, "-m", "tests.integration.pretend", act, "check", *words]


def check(home, act, *words, preexec_fn=None, **more):
    return subprocess.run(
        argv(act, *words),
        env=environment(home, **more),
        preexec_fn=preexec_fn,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def schema(name):
    return json.loads(files("probe.schema").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def kept(home):
    return home / ".local/state/dalel/dalel.db"


def test_a_site_that_works(home):
    """Exit 0, one word, kept in the database, nothing on stderr."""
    done = check(home, "names", GOOD)

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("✓ www.debian.org  Accessible — an ordinary user on this network reaches it")
    assert f" in {kept(home)} " in " ".join(done.stdout.split()) + " "
    with contextlib.closing(sqlite3.connect(kept(home))) as database:
        assert database.execute("pragma quick_check").fetchone() == ("ok",)


def test_no_save_writes_nothing_at_all(home):
    """Not in the home, not in the temporary directory."""
    done = check(home, "names", GOOD, "--no-save")

    assert done.returncode == 0
    assert "Kept" not in done.stdout
    assert list(home.iterdir()) == []


def test_no_save_imports_no_database(home):
    """And nobody imports scapy or starlette, ever."""
    told = home / "modules"
    check(home, "names", GOOD, "--no-save", PRETEND_MODULES=str(told))

    found = {name.partition(".")[0] for name in told.read_text(encoding="utf-8").split()}
    assert found & {"scapy", "starlette", "sqlalchemy", "alembic", "pydantic"} == set()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A blocked site and one that works, as JSON."""
    done = check(tmp_path_factory.mktemp("home"), "handshakes", CUT, GOOD, "--no-save", "--format", "json")
    assert done.returncode == 1
    return json.loads(done.stdout)


def test_a_real_document_follows_the_schema(measured):
    """Blocked and accessible, with all their observations, in the order asked."""
    jsonschema.validate(measured, schema("check"), jsonschema.Draft202012Validator)

    assert [(r["url"], r["status"]) for r in measured["results"]] == [(CUT, "blocked"), (GOOD, "accessible")]


def test_a_blocked_site_is_told_in_plain_words(home):
    """The word, the evidence that decided it, and the next step; exit 1."""
    done = check(home, "handshakes", CUT, "--no-save")

    assert done.returncode == 1
    assert done.stdout.startswith(
        "✗ chat.example  Blocked — your network lets other names through and cuts the connection at this one"
    )
    assert "    • " in done.stdout
    assert "    → How this was found: dalel explain tls.reset.sni\n" in done.stdout


def test_every_number_in_the_evidence_leads_to_an_observation(measured):
    """A sceptical reader finds what each claim rests on."""
    own_side = {o["number"] for o in measured["network"]["observations"]}
    for result in measured["results"]:
        there = own_side | {o["number"] for o in result["observations"]}
        assert result["evidence"]
        assert [f for f in result["evidence"] + result["against"] if not set(f["observations"]) <= there] == []


def test_without_a_network_nobody_is_called_blocked(home):
    """no_network, exit 3, within seconds."""
    done = check(home, "unplugged", GOOD, "facebook", "--no-save")

    assert done.returncode == 3
    assert "No network — this computer is not connected to any network" in done.stdout
    assert "Blocked" not in done.stdout


def test_fail_on_narrows_the_exit_code(home):
    """Only what was named counts."""
    assert check(home, "unplugged", GOOD, "--no-save", "--fail-on", "blocked").returncode == 0
    assert check(home, "unplugged", GOOD, "--no-save", "--fail-on", "no_network").returncode == 1


def test_a_part_of_a_platform_is_marked_as_one(home):
    """Who checks one of a platform's addresses is not told about all of it."""
    folder = home / "targets"
    folder.mkdir()
    (folder / "mine.toml").write_text(
        f'id = "mine"\ncategory = "NEWS"\nwhy = "w"\n[names]\nen = "Mine"\n'
        f'[services.web]\nrule = "any-of"\nendpoints = ["{GOOD}", "https://other.example/"]\n'
    )
    done = check(home, "names", GOOD, "--format", "json", "--no-save", DALEL_TARGETS_DIR=str(folder))
    (platform,) = json.loads(done.stdout)["platforms"]
    assert (platform["platform"], platform["partial"]) == ("mine", True)


def test_csv_has_a_row_a_result(home):
    """For pandas and for Excel."""
    done = check(home, "names", GOOD, "--no-save", "--format", "csv")

    (row,) = csv.DictReader(io.StringIO(done.stdout, newline=""))
    assert (row["url"], row["status"]) == (GOOD, "accessible")


def test_jsonl_has_a_line_a_result(home):
    """Each follows its schema."""
    done = check(home, "names", GOOD, "--no-save", "--format", "jsonl")

    (line,) = done.stdout.splitlines()
    jsonschema.validate(json.loads(line), schema("result"), jsonschema.Draft202012Validator)


def test_output_to_a_file_leaves_stdout_empty(home):
    """The file appears whole, with ordinary permissions, and alone."""
    target = home / "results.json"
    done = check(home, "names", GOOD, "--no-save", "--format", "json", "-o", str(target))

    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == "dalel.check/1"
    assert list(home.iterdir()) == [target]


def test_output_into_a_pipe_goes_straight_through(home):
    """Whatever is no ordinary file is not replaced by one."""
    pipe, copy = home / "pipe", home / "copy"
    os.mkfifo(pipe)
    with copy.open("wb") as file, subprocess.Popen(["cat", str(pipe)], stdout=file) as reader:
        assert check(home, "names", GOOD, "--no-save", "--format", "json", "-o", str(pipe)).returncode == 0
        reader.wait(30)

    assert json.loads(copy.read_text(encoding="utf-8"))["schema"] == "dalel.check/1"
    assert pipe.is_fifo()


def test_a_database_that_cannot_be_written_is_told_before_anything_is_sent(home):
    """Exit 2 and a sentence, not minutes later."""
    done = check(home, "names", GOOD, "--database", "/dev/null/dalel.db")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dalel: ")
    assert "/dev/null/dalel.db" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_disk_that_fills_up_takes_the_record_and_not_the_answer(home):
    """The result is shown, the reader is told where it went, and it is in the database once that can be written."""
    check(home, "names", GOOD)

    def no_more_room():  # enough for SQLite's index of its log (32 KiB), not for the log
        resource.setrlimit(resource.RLIMIT_FSIZE, (33_000, 33_000))

    done = check(home, "names", GOOD, preexec_fn=no_more_room)
    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "✓ www.debian.org Accessible" in text
    assert f"Results could not be written to {kept(home)} (" in text
    assert "go into the database the next time Dalel can write there." in text

    again = check(home, "names", GOOD)
    assert "into the database." in " ".join(again.stdout.split())
    with contextlib.closing(sqlite3.connect(kept(home))) as database:
        assert database.execute("select count(*) from runs").fetchone() == (3,)


def verdicts_kept(home):
    """How many verdicts the database has; none while it is being made."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{kept(home)}?mode=ro", uri=True)) as database:
            return database.execute("select count(*) from verdicts").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def stopped(home, number, *words):
    """A check that would wait long, and the signal that ends it once its first result is kept."""
    process = subprocess.Popen(
        argv("handshakes", GOOD, SILENT, "--only", "website", *words),
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    given_up = time.monotonic() + 60
    while not verdicts_kept(home) and process.poll() is None and time.monotonic() < given_up:
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_was_measured_until_a_signal_is_shown_and_kept(home, number, code):
    """The finished result is on the screen and in the database; the other is nowhere."""
    returned, out, err = stopped(home, number)

    assert returned == code
    assert "✓ www.debian.org  Accessible" in out
    assert "videos.example" not in out
    assert "Stopped before the end: this is only what was measured until then.\n" in out
    assert "Traceback" not in err
    assert verdicts_kept(home) == 1


def test_an_interrupted_document_says_so(home):
    """Programs can tell half a check from a whole one, and the file is valid."""
    returned, out, _err = stopped(home, signal.SIGTERM, "--format", "json")
    document = json.loads(out)

    jsonschema.validate(document, schema("check"), jsonschema.Draft202012Validator)
    assert (returned, document["interrupted"], [r["url"] for r in document["results"]]) == (143, True, [GOOD])


def test_a_reader_that_goes_away_ends_the_check(home):
    """`dalel check … --format jsonl | head -1` is quiet and does not measure for nobody."""
    done = subprocess.run(
        f"{' '.join(argv('names', '-', '--no-save', '--format', 'jsonl'))} | head -c 1 | wc -c; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        env=environment(home),
        input=f"{GOOD}\n{GOOD}?1\n{GOOD}?2\nhttps://nowhere.example/\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stdout.splitlines() == ["1", "141"]
    assert done.stderr == ""


def online(home, act):
    words = [sys.executable, "-m", "tests.integration.pretend", act, "doctor", "--online", "--format", "json"]
    done = subprocess.run(
        words, env=environment(home), capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema("doctor"), jsonschema.Draft202012Validator)
    return {check["name"]: check for check in document["checks"]}["network"]


def test_doctor_asks_the_network_only_when_told(home):
    """A login page is found, with what to do; a sound network needs nothing."""
    portal, sound = online(home, "hotel"), online(home, "names")

    assert (portal["state"], portal["do"]) == ("broken", "Open any page in a browser, log in, and check again.")
    assert (sound["state"], sound["found"], sound["do"]) == ("ok", "works", "")
