"""``dalel run`` as a process, on a pretend Internet: signals, reload, one a database, the kill switch, systemd, sudden death."""

import contextlib
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import pytest

from storage.archive import Archive
from storage.location import parse
from storage.maintenance import backup

LONGEST_S = 60.0
BLOCKED = "https://videos.example/"
WELL = "https://social.example/"


class Running:
    """A ``dalel run`` that was started: what it has said so far, and its database."""

    def __init__(
        self, home, *words, act="names", accept=True, program=("-m", "tests.integration.pretend"), **environment
    ):
        self.home, self.database = home, home / "dalel.db"
        self.log = home / "log"
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        if accept:
            env["DALEL_ACCEPT_RISK"] = "1"
        argv = [sys.executable, *program, act, "run", "--database", str(self.database), *words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv, env=env | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def until(self, condition, what="what was waited for", within=LONGEST_S):
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"no {what} in {within:g} s:\n{self.said()}"
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.said()}"
            time.sleep(0.05)

    def until_said(self, text, within=LONGEST_S):
        self.until(lambda: text in self.said(), text, within)

    def count(self, table):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            try:
                return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            except sqlite3.OperationalError:
                return 0

    def until_kept(self, table, least=1):
        self.until(lambda: self.database.exists() and self.count(table) >= least, f"{least} rows in {table}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(LONGEST_S)


@pytest.fixture
def running(tmp_path):
    """Starts daemons and sees to it that none is left."""
    started = []

    def start(*words, **more):
        started.append(Running(tmp_path, *words, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(LONGEST_S)


def sound(database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_watches_until_it_is_told_to_stop(running, number):
    """SIGTERM and SIGINT are ways to stop: what was measured is kept, and the exit code is 0."""
    daemon = running(WELL)
    daemon.until_kept("own_sides")
    daemon.until_kept("verdicts")
    assert daemon.stop(number) == 0
    assert "Watching 1 address of 1 platform." in daemon.said()
    assert "Stopping" in daemon.said()
    assert sound(daemon.database) == "ok"
    assert oct(daemon.database.stat().st_mode & 0o777) == "0o600"
    assert not daemon.database.with_name("dalel.db.run").exists()


def test_a_block_opens_an_incident_which_is_told(running):
    """A first failure is confirmed by two more rounds, then there is an incident, its event and a line."""
    daemon = running(BLOCKED, act="handshakes")
    daemon.until_said("Blocked: videos.example", within=240)
    daemon.until_kept("incidents")  # a message is kept before what it tells of, or a crash could lose it
    assert daemon.stop() == 0


def test_a_second_one_with_the_same_database_is_refused(running):
    """The second ends with exit code 2 and a sentence; the first goes on."""
    first = running(WELL)
    first.until_kept("own_sides")
    second = running(WELL)
    assert second.process.wait(LONGEST_S) == 2
    assert "Another `dalel run` is watching with this database" in second.said()
    assert first.process.poll() is None


def test_settings_are_read_again_and_a_broken_file_changes_nothing(running, tmp_path):
    """SIGHUP: a broken file is said with its line and keeps the old set; a mended one is taken."""
    settings = tmp_path / "config.toml"
    settings.write_text("[run]\nevery = 600\n")
    daemon = running("--config", str(settings), WELL)
    daemon.until_kept("own_sides")
    settings.write_text("[run]\nevery = 3\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.until_said("The settings in force stay")
    assert "config.toml:2" in daemon.said()
    settings.write_text("[run]\nevery = 300\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.until_said("The settings have been read again")
    assert daemon.stop() == 0


def test_nothing_is_measured_while_the_kill_switch_exists(running, tmp_path):
    """The file is `stop` beside the database; it is said once."""
    (tmp_path / "stop").touch()
    daemon = running(WELL)
    daemon.until_said("Nothing is measured while")
    time.sleep(1.0)
    assert daemon.stop() == 0
    assert (daemon.count("readings"), daemon.count("own_sides"), daemon.count("runs")) == (0, 0, 0)
    assert daemon.said().count("Nothing is measured while") == 1


def test_without_consent_it_stays_and_measures_nothing(running):
    """With nobody there to ask it prints the text once, stays up, and ends by SIGTERM."""
    daemon = running(WELL, accept=False)
    daemon.until_said("nobody has agreed to it yet")
    time.sleep(1.0)
    assert daemon.stop() == 0
    assert (daemon.count("readings"), daemon.count("own_sides"), daemon.count("runs")) == (0, 0, 0)
    assert daemon.said().count("The risk.") == 1


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_how_it_is(running, tmp_path, kind):
    """READY when it watches, a sign of life as often as asked for, RELOADING, STOPPING; over both kinds of sockets."""
    name = str(tmp_path / "notify") if kind == "path" else f"@dalel-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name if kind == "path" else "\0" + name[1:])
        systemd.settimeout(LONGEST_S)

        def until_heard(text):
            for _ in range(1000):
                told = systemd.recv(4096).decode()
                if text in told.split("\n"):
                    return told
            raise AssertionError(text)

        daemon = running(WELL, NOTIFY_SOCKET=name, WATCHDOG_USEC="400000")
        assert "STATUS=Watching 1 address" in until_heard("READY=1")
        until_heard("WATCHDOG=1")
        until_heard("WATCHDOG=1")
        daemon.process.send_signal(signal.SIGHUP)
        assert re.search(r"MONOTONIC_USEC=\d+", until_heard("RELOADING=1"))
        until_heard("READY=1")
        daemon.process.send_signal(signal.SIGTERM)
        until_heard("STOPPING=1")
        assert daemon.process.wait(LONGEST_S) == 0


def test_a_stop_in_the_middle_of_a_measurement_keeps_the_database_whole(running):
    """SIGTERM while follow-ups are under way: it ends within its deadline, and rows are whole."""
    daemon = running(BLOCKED, act="handshakes")
    daemon.until_kept("own_sides")
    time.sleep(6.0)
    begun = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begun < 30
    assert sound(daemon.database) == "ok"


def test_sudden_death_loses_no_row_and_stops_no_later_start(running):
    """`kill -9` at random moments: what was committed is there, and the next one begins at once."""
    rng = random.Random(5)
    kept = 0
    for _ in range(5):
        daemon = running(BLOCKED, act="handshakes")
        daemon.until_said("Watching")
        time.sleep(rng.uniform(0.0, 3.0))
        before = daemon.count("own_sides")
        daemon.process.kill()
        daemon.process.wait(LONGEST_S)
        assert sound(daemon.database) == "ok"
        assert daemon.count("own_sides") >= max(before, kept)
        kept = daemon.count("own_sides")
        daemon.log.write_text("")
    last = running(BLOCKED, act="handshakes")
    last.until_kept("own_sides", kept + 1)
    assert last.stop() == 0


def test_once_is_a_round_and_the_end(running):
    """`--once` for cron: a look, a round, exit code 0, lines of JSON if asked for."""
    daemon = running("--once", "--log-format", "json", WELL)
    assert daemon.process.wait(LONGEST_S) == 0
    assert daemon.count("own_sides") == 1
    assert daemon.count("readings") + daemon.count("verdicts") == 1
    assert '"event": "started"' in daemon.said()


def test_a_database_that_cannot_be_opened_is_tried_again(running, tmp_path):
    """With nobody there to read an error it stays up, says one clear line, and is no crash loop."""
    (tmp_path / "dalel.db").mkdir()
    daemon = running(WELL)
    daemon.until_said("tried again every minute")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()


def test_where_no_place_can_be_taken_it_is_tried_again(running, tmp_path):
    """A disk that became read-only is no crash loop."""
    (tmp_path / "dalel.db.run").mkdir()
    daemon = running(WELL)
    daemon.until_said("tried again every minute")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()


_EVERY_SECOND = "import runpy, probe.daemon.daemon as daemon; daemon._MINUTE_S = 1.0; "
EVERY_SECOND = (
    "-c",
    _EVERY_SECOND + "runpy.run_module('tests.integration.pretend', run_name='__main__', alter_sys=True)",
)
"""The same program, to which a minute is a second."""


@pytest.mark.parametrize("becomes", ["removed", "another"])
def test_a_database_that_is_taken_away_is_noticed(running, becomes):
    """What is written to a file without a name is lost, and SQLite says nothing: so it is said, and whoever supervises it starts
    it again.
    """
    daemon = running(WELL, program=EVERY_SECOND)
    daemon.until_kept("own_sides")
    copy = backup(parse(str(daemon.database)))
    daemon.database.rename(f"{daemon.database}.old")
    if becomes == "another":
        copy.rename(daemon.database)
    assert daemon.process.wait(LONGEST_S) == 2
    assert "is not there any more, or is another file" in daemon.said()
    assert "Traceback" not in daemon.said()


def test_a_database_that_stays_is_no_reason_to_end(running):
    """Minutes go by, a backup is made beside it, and it goes on."""
    daemon = running(WELL, program=EVERY_SECOND)
    daemon.until_kept("own_sides")
    backup(parse(str(daemon.database)))
    time.sleep(3.0)
    assert daemon.stop() == 0
    assert "any more" not in daemon.said()


def test_for_cron_what_cannot_be_opened_is_the_end(running, tmp_path):
    """Cron starts it again; one that waited would be in the way of the next."""
    (tmp_path / "dalel.db").mkdir()
    daemon = running("--once", WELL)
    assert daemon.process.wait(LONGEST_S) == 2
    assert "Traceback" not in daemon.said()


@pytest.mark.parametrize("table", ["own_sides", "incidents"])
def test_a_page_that_the_disk_has_lost_stops_no_start(running, tmp_path, table):
    """It is said in clear lines, each once, and measuring begins: what does not fit on that page waits in the spool."""
    with Archive.open(str(tmp_path / "dalel.db")):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "dalel.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = f"SELECT pageno, pgsize FROM dbstat WHERE name = '{table}'"
        number, size = connection.execute(query).fetchone()
    with (tmp_path / "dalel.db").open("r+b") as file:
        file.seek((number - 1) * size)
        file.write(b"\xa5" * size)
    daemon = running(WELL)
    daemon.until_said("Watching 1 address")
    spool = tmp_path / "spool"
    there = (
        (lambda: spool.exists() and list(spool.iterdir()))
        if table == "own_sides"
        else lambda: daemon.count("own_sides")
    )
    daemon.until(there, "row or spool file")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()
    assert "db repair" in daemon.said()
    *lines, _at_the_end_once_more = daemon.said().splitlines()
    assert len(lines) == len(set(lines))
