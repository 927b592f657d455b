"""`dalel service print` gives a unit that systemd accepts, that runs our command, and that may do next to nothing."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from probe.cli.service_cmd import unit
from tests.integration.command import DALEL, dalel

ANALYZE = shutil.which("systemd-analyze")
PROGRAM = Path("/opt/dalel/bin/dalel")


def lines(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_the_unit_starts_the_command_that_printed_it(tmp_path: Path) -> None:
    """With an absolute path, `run`, and what is to be watched; comments say how to install it."""
    done = dalel(tmp_path, "service", "print", "@default", "@news")
    assert (done.returncode, done.stderr) == (0, "")
    assert lines(done.stdout, "ExecStart") == [f"{DALEL} run @default @news"]
    assert "/etc/systemd/system/dalel.service" in done.stdout
    assert "systemctl enable --now dalel" in done.stdout


def test_consent_is_in_the_unit_only_when_it_was_given() -> None:
    """Nobody agrees by installing it; where to agree is said, for it is another database than one's own."""
    without, given = (unit(PROGRAM, (), accept_risk=accept_risk) for accept_risk in (False, True))
    assert "ACCEPT_RISK" not in without
    assert f"\n#   sudo DALEL_DATA_DIR=/var/lib/dalel {PROGRAM} consent\n" in without
    assert "DALEL_ACCEPT_RISK=1" in lines(given, "Environment")
    assert "consent" not in given


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("https://a.example/?x=%41", "https://a.example/?x=%%41"),
        ("https://a.example/$HOME", "https://a.example/$$HOME"),
        ("two words", '"two words"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("a;b", '"a;b"'),
    ],
)
def test_what_is_watched_means_nothing_to_systemd(word: str, written: str) -> None:
    """Its own signs are escaped."""
    assert lines(unit(PROGRAM, (word,), accept_risk=False), "ExecStart") == [f"{PROGRAM} run {written}"]


def test_a_reload_needs_no_program_that_small_systems_lack() -> None:
    """What it runs has an absolute path, and gets the signal to the process without any other program in the path."""
    (words,) = lines(unit(PROGRAM, (), accept_risk=False), "ExecReload")
    # Whoever runs the tests may have been told to ignore that signal, and their children with them.
    waits = (
        "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_DFL); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE) as sleeping:
        assert sleeping.stdout is not None
        assert sleeping.stdout.readline() == b"ready\n"
        done = subprocess.run(
            shlex.split(words.replace("$MAINPID", str(sleeping.pid))), env={"PATH": ""}, timeout=60, check=False
        )
        sleeping.kill() if done.returncode else None
        assert sleeping.wait(60) == -signal.SIGHUP


def test_it_may_do_next_to_nothing() -> None:
    """No capability, no device, nothing to write but its data, a user of its own."""
    text = unit(PROGRAM, (), accept_risk=False)
    for key, value in {
        "DynamicUser": "yes",
        "CapabilityBoundingSet": "",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "StateDirectory": "dalel",
        "Type": "notify",
    }.items():
        assert lines(text, key) == [value]
    assert lines(unit(Path("/home/a/.venv/bin/dalel"), (), accept_risk=False), "ProtectHome") == ["read-only"]
    assert int(lines(text, "TimeoutStopSec")[0].removesuffix("s")) >= 60


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed on this system: nothing could start the unit")
def test_systemd_accepts_it(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing, and `security` finds little exposed."""
    assert ANALYZE is not None
    path = tmp_path / "dalel.service"
    path.write_text(unit(Path(DALEL), ("@default", "https://a.example/?x=%41"), accept_risk=True))
    done = subprocess.run([ANALYZE, "verify", path], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [ANALYZE, "security", "--offline=yes", "--no-pager", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    level = re.search(r"exposure level for dalel.service: ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) < 2.0
