"""Whether `dalel run` is alive, as containers and monitors ask it: one line, exit code 0 or 1."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.daemon.consent import VERSION
from probe.incidents.model import OwnSide
from storage import consents, days, health, own_sides
from storage.archive import Archive
from storage.location import Location, parse
from storage.when import utc_text
from tests.integration.command import dalel
from tests.integration.test_storage_rounds import keep, looked
from tests.storage_samples import sample_run

pytest_plugins = ("tests.postgresql",)
MINUTE_US = 60_000_000


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")) as opened:
        yield opened


def agree(archive: Archive, version: str = VERSION) -> None:
    consents.give(archive, consents.Consent(version=version, language="en", at_us=now_us(), how="environment")).result(
        30
    )


def look(archive: Archive, minutes_ago: float) -> None:
    at_us = int(now_us() - minutes_ago * MINUTE_US)
    own_sides.save(archive, OwnSide(run="", at_us=at_us, status="ok")).result(30)


def asked(home: Path) -> tuple[int, str]:
    done = dalel(home, "status", "--health")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_it_is_healthy_while_it_looks(archive: Archive, tmp_path: Path) -> None:
    """A look a minute ago and consent: exit 0, and how long ago."""
    agree(archive)
    look(archive, 1)
    code, said = asked(tmp_path)
    assert (code, said.startswith("healthy: the last look was 6")) == (0, True)


def test_a_round_is_a_look_too(archive: Archive, tmp_path: Path) -> None:
    """What a round left a minute ago is a sign of life, in whatever form."""
    agree(archive)
    run = sample_run(1, started_us=now_us() - 2 * MINUTE_US)
    keep(archive, run, looked(run, 1))
    assert asked(tmp_path)[0] == 0


def test_before_the_first_look_it_says_so(archive: Archive, tmp_path: Path) -> None:
    """Agreed to, and nothing measured yet: unhealthy, and what to ask oneself."""
    agree(archive)
    assert asked(tmp_path) == (1, "unhealthy: nobody has looked yet. Is `dalel run` running?\n")


@pytest.mark.parametrize("minutes", [60.0, -600.0])
def test_without_looks_it_is_unhealthy(archive: Archive, tmp_path: Path, minutes: float) -> None:
    """An hour without a look; looks from the future, made by a wrong clock, say nothing of today."""
    agree(archive)
    look(archive, minutes)
    code, said = asked(tmp_path)
    assert (code, "Is `dalel run` running?" in said) == (1, True)


@pytest.mark.parametrize("version", [None, "1999-01-01"])
def test_without_consent_it_is_unhealthy(archive: Archive, tmp_path: Path, version: str | None) -> None:
    """None at all, or one to another text: it measures nothing, and says why."""
    if version is not None:
        agree(archive, version)
    code, said = asked(tmp_path)
    assert (code, "nobody has agreed" in said) == (1, True)


def test_what_was_stopped_on_purpose_is_well(archive: Archive, tmp_path: Path) -> None:
    """The kill switch is there, or the day's data is used up."""
    agree(archive)
    look(archive, 60)
    switch = tmp_path / ".local" / "state" / "dalel" / "stop"
    switch.touch()
    assert asked(tmp_path) == (0, f"healthy: nothing is measured while {switch} exists.\n")
    switch.unlink()
    assert asked(tmp_path)[0] == 1
    days.add(archive, days.Day(day=utc_text(now_us())[:10], bytes_received=10**9)).result(30)
    assert asked(tmp_path) == (
        0,
        "healthy: the 100 MB of 24 hours are used up; measuring goes on when some of them are a day old.\n",
    )


def test_data_of_yesterday_excuses_nobody_for_two_days(archive: Archive) -> None:
    """A daemon that used much and died is silent because it is dead: only what it used in 24 hours counts."""
    day_us = now_us() // days.DAY_US * days.DAY_US
    days.add(archive, days.Day(day=days.day_of(day_us - 1), bytes_received=96 * 10**6)).result(30)
    lately = [health.pulse(archive.location, day_us + hours * days.HOUR_US + 1).bytes_lately for hours in (0, 6, 23)]
    assert lately == [96 * 10**6, 72 * 10**6, 4 * 10**6]


def test_where_nothing_is_it_is_unhealthy(tmp_path: Path) -> None:
    """No database, or one that cannot be read: exit 1 and not 2, which container engines keep for themselves."""
    code, said = asked(tmp_path)
    assert (code, said.startswith("unhealthy: There are no results yet")) == (1, True)
    assert said.strip().endswith("does not exist. Is `dalel run` running?")
    path = tmp_path / ".local" / "state" / "dalel" / "dalel.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database at all" * 100)
    assert asked(tmp_path)[0] == 1


def test_the_same_on_a_server(postgresql_url: str, tmp_path: Path) -> None:
    """PostgreSQL gives the same pulse."""
    location = parse(postgresql_url, data_dir=tmp_path)
    with Archive.open(location) as archive:
        assert health.pulse(location, now_us()) == health.Pulse(consent=None, last_us=None, bytes_lately=0)
        agree(archive)
        look(archive, 1)
        found = health.pulse(location, now_us())
    assert (found.consent, found.bytes_lately) == (VERSION, 0)
    assert found.last_us is not None


def test_asking_costs_next_to_nothing(tmp_path: Path) -> None:
    """Neither SQLAlchemy nor the resolver's or the browser's parts are imported for it."""
    code = (
        "import sys, probe.cli as cli\n"
        "try:\n    cli.run(['status', '--health'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'httpx', 'dns', 'pydantic', 'rich') if name in sys.modules])\n"
    )
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environ, check=False
        )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# damage


def damage(location: Location, *, after: float = 0.5, pages: int = 1) -> None:
    """Overwrite *pages* pages in the middle of the file, as a failing card does."""
    assert location.path is not None
    size = location.path.stat().st_size
    at = int(size * after) // 4096 * 4096
    with location.path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 4096 * pages)


def test_damage_is_seen_and_bounded_in_time(tmp_path: Path) -> None:
    """A page of rubbish is found; a sound file is sound; without time nothing is said about it."""
    location = parse(str(tmp_path / "dalel.db"))
    with Archive.open(location) as archive:
        for number in range(60):
            run = sample_run(number, finished=True)
            keep(archive, run, *(looked(run, n, "blocked", "full") for n in (1, 2, 3)))
    assert health.look_over(location, seconds=None) == health.Soundness(problems=(), whole=True)
    assert health.look_over(location, seconds=0.0) == health.Soundness(problems=(), whole=False)
    damage(location)
    found = health.look_over(location, seconds=60)
    assert not found.sound
    assert any(word in " ".join(found.problems).lower() for word in ("page", "malformed"))
    assert "db repair" in health.advice(location)
