"""``dalel demo`` from the outside: its words, its exit codes, and that it is right when the machine is busy."""

import csv
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from probe.cli.demo_cmd import command
from probe.demo import table
from probe.demo.scene import Accepted
from probe.instruments import quic
from probe.verdict.model import STATUSES

BUSY_S = 300
_DALEL = "from probe.cli import main; main()"
_BUSY = f"import time\nend = time.monotonic() + {BUSY_S}\nwhile time.monotonic() < end: pass"


def ran(*arguments: str):
    """The command in this process; the exit code is what the callback returns."""
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_the_whole_demo_is_right_on_a_busy_machine(tmp_path: Path) -> None:
    """With every core taken twice, every verdict is right; every status and at least fifteen signatures appear."""
    hogs = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(os.cpu_count() or 2)]
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                _DALEL,
                "demo",
                "--format",
                "json",
                "-o",
                str(tmp_path / "demo.csv"),
            ],
            capture_output=True,
            timeout=BUSY_S,
            check=False,
        )
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert done.returncode in (0, 4), done.stderr
    document = json.loads(done.stdout)
    scenes = [scene for act in document["acts"] for scene in act["scenes"]]
    assert [scene for scene in scenes if not scene["right"]] == []
    assert done.returncode == 0
    assert {scene["status"] for scene in scenes} == set(STATUSES)
    assert len({scene["signature"] for scene in scenes} - {None}) >= 15
    with (tmp_path / "demo.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["url"] for row in rows] == [scene["url"] for scene in scenes]
    assert [row["status"] for row in rows] == [scene["status"] for scene in scenes]


def test_text_has_what_was_done_next_to_what_was_found(tmp_path: Path) -> None:
    """The text names the site, its verdict, what was really done, and where the CSV is."""
    result = ran("--only", "unplugged", "-o", str(tmp_path / "demo.csv"))
    assert result.return_value == 0
    assert "no_network · link" in result.stdout.replace("\n", " ")
    assert "this host has no connection at all" in result.stdout
    assert f"The same results as CSV: {tmp_path / 'demo.csv'}" in result.stdout


def test_without_output_the_csv_is_in_a_temporary_place() -> None:
    """Nothing is written where the user stands: the CSV's path is printed and exists."""
    result = ran("--only", "unplugged")
    path = Path(result.stdout.rpartition("The same results as CSV: ")[2].strip())
    assert path.is_relative_to(tempfile.gettempdir())
    assert path.read_text(encoding="utf-8").count("no_network") == 1
    path.unlink()
    path.parent.rmdir()


def test_a_wrong_verdict_is_said_and_exits_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a verdict is not what was done, the demo says so and exits 4."""
    act = next(act for act in table.PROGRAMME if act.name == "unplugged")
    scenes = tuple(replace(scene, accepted=(Accepted("blocked"),)) for scene in act.scenes)
    monkeypatch.setattr(table, "PROGRAMME", (replace(act, scenes=scenes),))
    result = ran("-o", str(tmp_path / "demo.csv"))
    assert result.return_value == 4
    assert "WRONG: social." in result.stdout


def test_what_is_broken_beside_a_page_is_told(tmp_path: Path) -> None:
    """Where hidden names are stopped the page is reached, and the text says what is stopped."""
    result = ran("--only", "ech", "-o", str(tmp_path / "demo.csv"))
    assert result.return_value == 0
    assert "owls.example  accessible" in result.stdout
    assert "also:    This network stops greetings that hide a site's name inside another" in result.stdout


def test_an_impairment_that_is_missing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing stops hidden names, the act that expects that is wrong, whatever the site's own verdict is."""
    act = next(act for act in table.PROGRAMME if act.only == ("ech",))
    monkeypatch.setattr(table, "PROGRAMME", (replace(act, rules=()),))
    result = ran("-o", str(tmp_path / "demo.csv"))
    assert result.return_value == 4
    assert "should have been accessible, with ech_blocked" in result.stdout


def test_without_aioquic_one_line_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is played and right; asked for by itself, the act is an error that says what to install."""
    monkeypatch.setitem(sys.modules, "aioquic", None)
    monkeypatch.setitem(sys.modules, "aioquic.quic.connection", None)
    monkeypatch.setattr(quic, "is_here", quic.is_here.__wrapped__)
    result = ran("--only", "unplugged", "--only", "quic", "-o", str(tmp_path / "demo.csv"))
    assert result.return_value == 0
    assert "1 of 1 verdict right" in result.stdout
    assert "Left out: quic, for it needs aioquic" in result.stdout
    result = ran("--only", "swifts", "-o", str(tmp_path / "demo.csv"))
    assert "quic cannot be played, for it needs aioquic" in str(result.exception)
    assert result.stdout == ""


def test_the_list_plays_nothing() -> None:
    """--list names acts and sites with what is done to them, and measures nothing."""
    result = ran("--list")
    assert result.return_value == 0
    assert "videos" in result.stdout
    assert "verdict" not in result.stdout


def test_an_unknown_name_is_a_usage_error_with_the_near_name() -> None:
    """--only with a name that nothing has says which one is near."""
    result = ran("--only", "vidoes")
    assert "There is no 'vidoes' in the demo. Did you mean 'videos'?" in str(result.exception)


def test_nothing_leaves_loopback(tmp_path: Path) -> None:
    """During a demo no socket is connected, or sends, to an address that is not loopback."""
    seen: list[object] = []

    def watch(event: str, arguments: tuple) -> None:
        if watching and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
            seen.append(arguments[1] if event != "socket.getaddrinfo" else (arguments[0],))

    watching = True
    sys.addaudithook(watch)  # cannot be removed again, only told to be quiet
    try:
        result = ran("--only", "videos", "--only", "photos", "-o", str(tmp_path / "demo.csv"))
    finally:
        watching = False
    assert result.return_value == 0
    addresses = {place[0] for place in seen if isinstance(place, tuple)}
    assert addresses == {"127.0.0.1"}


def test_a_file_that_cannot_be_written_is_told_before_anything_is_played() -> None:
    """An output file in a place that does not exist is an error at once."""
    result = ran("--only", "unplugged", "-o", "/nonexistent/demo.csv")
    assert "/nonexistent/demo.csv cannot be written" in str(result.exception)
    assert result.stdout == ""
