"""The page for a monitoring system over the life of a daemon: while nobody has agreed, and when the settings change."""

import asyncio
import concurrent.futures
import contextlib
import io
import signal
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from probe.daemon.caps import Allowance
from probe.daemon.daemon_work import RealWork
from probe.daemon.metrics import Figures, Moment, render
from probe.daemon.monitoring import Monitoring
from probe.daemon.telling.means import Means
from probe.daemon.telling.teller import Teller
from probe.incidents.model import Incident, OwnSide, Reading
from probe.incidents.state import State
from probe.instruments.trust import Trust
from probe.settings import Settings
from probe.settings.notify import Notify, channel_from_table
from probe.wire import Wire
from probe.workflows.incidents import Incidents
from probe.workflows.watching import Came
from storage import days, incidents, outbox
from storage.archive import Archive
from storage.errors import StorageError
from tests.incident_facts import look
from tests.integration.test_metrics_page import request, said
from tests.integration.test_run_command import WELL, running  # noqa: F401
from tests.ports import free_port
from tests.unit.daemon_pieces import JumpingClock, Lines, watch_set

NOW = 1_800_000_000_000_000
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(port: int, path: str) -> tuple[int, str]:
    """Status and text; (0, "") where nobody listens."""
    try:
        with DIRECT.open(f"http://127.0.0.1:{port}{path}", timeout=10) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextlib.contextmanager
def working(tmp_path: Path, figures: Figures | None):
    """The daemon's work over an archive, and the teller that it tells with."""
    clock, lines, trust = JumpingClock(), Lines(), Trust("test", replaced=True, _shipped=(), _system=None)
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        means = Means(Wire(), lambda: trust)
        teller = Teller(
            notify=Notify(), language="en", archive=archive, means=means, now_us=clock.now_us, log=io.StringIO()
        )
        yield RealWork(
            wire=Wire(), clock=clock, archive=archive, trust=trust, teller=teller, say=lines, figures=figures
        )


# ---------------------------------------------------------------------------------------------------------------------
# as a process


def test_while_nobody_has_agreed_it_is_not_healthy_and_says_why(running, tmp_path):  # noqa: F811
    """/healthz is there, with 503 and the reason; so are the metrics, without a verdict."""
    port, settings = free_port(), tmp_path / "config.toml"
    settings.write_text(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    daemon = running("--config", str(settings), WELL, accept=False)
    daemon.until(lambda: asked(port, "/healthz") == (503, "nothing is measured: nobody has agreed to it yet\n"))
    assert asked(port, "/metrics")[0] == 200
    assert daemon.stop() == 0


def test_the_page_moves_with_the_settings(running, tmp_path):  # noqa: F811
    """SIGHUP opens the page that was not there, moves it, and closes it; what is measured is counted in it."""
    first, second, settings = free_port(), free_port(), tmp_path / "config.toml"
    settings.write_text("[run]\nown_side_every = 60\n")
    daemon = running("--config", str(settings), WELL)
    daemon.until_kept("own_sides")

    def read_again(text: str) -> None:
        settings.write_text(text)
        daemon.process.send_signal(signal.SIGHUP)

    read_again(f'[metrics]\nlisten = "127.0.0.1:{first}"\n')
    daemon.until(lambda: asked(first, "/healthz") == (200, "ok\n"), "page")
    read_again(f'[metrics]\nlisten = "127.0.0.1:{second}"\n')
    daemon.until(lambda: asked(second, "/healthz") == (200, "ok\n"), "other page")
    assert asked(first, "/healthz")[0] == 0
    read_again("[run]\nown_side_every = 60\n")
    daemon.until(lambda: asked(second, "/healthz")[0] == 0, "end of the page")
    assert daemon.stop() == 0


# ---------------------------------------------------------------------------------------------------------------------
# piece by piece


@contextlib.asynccontextmanager
async def two_for_one_port(tmp_path: Path):
    """Two pages that want the same port, which the first one has; what both of them say."""
    port, lines = free_port(), Lines()
    with Archive.open(str(tmp_path / "a.db")) as archive:
        one, other = (Monitoring(archive, lambda: NOW, lines) for _ in range(2))
        for page in (one, other):
            await page.listen(f"127.0.0.1:{port}")
        yield one, other, port, lines
        await other.close()


@pytest.mark.anyio
async def test_a_port_that_was_taken_is_tried_again(tmp_path):
    """Also at the next reading of the settings, though they are the same; and the counters go on."""
    async with two_for_one_port(tmp_path) as (one, other, port, lines):
        assert "Measuring goes on without them" in lines[-1][1]
        figures = other.figures
        await one.close()
        await other.listen(f"127.0.0.1:{port}")
        assert "HTTP/1.1 200" in await said(port, request("/healthz"))
        assert other.figures is figures


@pytest.mark.anyio
async def test_an_address_that_is_there_later_is_had_later(tmp_path):
    """A tunnel comes up after the daemon: nobody restarts it for the page. The trouble is said once, and its end."""
    async with two_for_one_port(tmp_path) as (one, other, port, lines):
        await other.again()
        await one.close()
        for _ in range(2):
            await other.again()
        assert "HTTP/1.1 200" in await said(port, request("/healthz"))
    begins = [words.partition(":")[0] for _, words, *_ in lines]
    assert begins == ["Metrics for Prometheus", "No metrics at 127.0.0.1", "Metrics for Prometheus"]


@pytest.mark.anyio
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_address_that_is_wanted_no_more_is_not_tried_again(tmp_path, elsewhere):
    async with two_for_one_port(tmp_path) as (one, other, taken, _):
        await other.listen(f"127.0.0.1:{free_port()}" if elsewhere else None)
        await one.close()
        await other.again()
        assert await asyncio.to_thread(asked, taken, "/healthz") == (0, "")


@pytest.mark.anyio
async def test_a_restart_after_midnight_gives_no_second_allowance(tmp_path):
    """What was used yesterday evening is as old as it is, on the daemon's timeline: a day later it comes back, not at midnight."""
    with working(tmp_path, None) as work:
        now_us = work.clock.now_us()
        midnight_us = now_us // days.DAY_US * days.DAY_US
        work.clock.wall_s = (midnight_us + days.DAY_US - now_us) / 1e6 + 600
        midnight_us += days.DAY_US
        days.add(work.archive, days.Day(day=days.day_of(midnight_us - 1), bytes_received=2400)).result(30)
        allowance, now = Allowance(2400), work.clock.monotonic()
        for used, when in await work.spent_lately():
            allowance.add(used, when)
    assert allowance.left(now) == 0
    assert 1000 <= allowance.left(now + 12 * 3600) <= 1200
    assert allowance.left(now + 26 * 3600) == 2400


@pytest.mark.anyio
async def test_of_what_is_watched_no_more_nobody_is_reminded(tmp_path, monkeypatch):
    """Its incident was open when the settings let go of it: that it goes on is known of nobody. The line's own is."""
    one = Incident(
        id="here",
        status="blocked",
        method="tls",
        platforms=("p",),
        urls=(),
        began_by_us=NOW,
        opened_us=NOW,
        changed_us=NOW,
    )
    held = [
        replace(one, urls=("https://e1.example/",), remaining=("https://e1.example/",)),
        replace(one, id="gone", urls=("https://old.example/",), remaining=("https://old.example/",)),
        replace(one, id="line", status="no_network", method="link", platforms=()),
    ]
    reminded: list[str] = []

    async def remind(_teller, incidents):
        reminded.extend(incident.id for incident in incidents)

    monkeypatch.setattr(Teller, "remind", remind)
    with working(tmp_path, None) as work:
        work._incidents = Incidents(work.archive, State(incidents={incident.id: incident for incident in held}))
        work._kit_of(watch_set(tmp_path))
        await work.keep()
    assert reminded == ["here", "line"]


@pytest.mark.anyio
async def test_a_round_is_counted_once(tmp_path):
    """Its bytes and its readings: in the archive's day, in the figures, and in what the cap is charged with."""
    figures = Figures("d", "r")
    reading = Reading(run="r", endpoint=1, url="https://a.test/", at_us=NOW, until_us=NOW, status="accessible")
    own = OwnSide(run="", at_us=NOW, status="ok")
    beside = Came(run="s", own_side=own, bytes_sent=10, bytes_received=20)
    with working(tmp_path, figures) as work:
        came = Came(run="r", readings=(reading,), own_side=own, bytes_sent=1000, bytes_received=2000)
        work._kit_of(watch_set(tmp_path)).clock.learn(10**12, work.wire.now_us())
        counted = await work._counted(came, rounds=1, own_sides_made=2, beside=(beside,))
        day = days.of(work.archive.reader.database, days.day_of(work.wire.now_us()))
    assert (counted.bytes_sent, counted.bytes_received) == (1010, 2020)
    assert (day.bytes_sent, day.bytes_received) == (1010, 2020)
    assert (day.rounds, day.readings, day.own_sides) == (1, 1, 2)
    assert abs(figures.offset_us - 10**12) < 10**11
    assert figures.last_sign_s is not None
    text = render(figures.families(Moment(now_us=NOW)))
    assert 'dalel_bytes_total{direction="sent"} 1010\n' in text
    assert 'dalel_bytes_total{direction="received"} 2020\n' in text
    assert text.count("dalel_check_success{") == 1


@pytest.mark.anyio
async def test_what_a_full_disk_did_not_count_is_counted_later(tmp_path, monkeypatch):
    """Else a restart gives the bytes of hours once more, and nobody is told that they were used."""
    with working(tmp_path, None) as work:
        with monkeypatch.context() as full:
            full.setattr(days, "add", lambda *_: refused("database or disk is full"))
            for _ in range(2):
                await work._counted(Came(run="r", bytes_sent=100), rounds=1)
        await work._counted(Came(run="r", bytes_sent=10), rounds=1)
        day = days.of(work.archive.reader.database, days.day_of(work.wire.now_us()))
    assert (day.bytes_sent, day.rounds) == (210, 3)
    assert work._uncounted == {}


def refused(why):
    """What the archive answers where the database cannot take something."""
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    future.set_exception(StorageError(why))
    return future


@pytest.mark.anyio
async def test_an_older_version_of_an_incident_is_never_put_over_a_newer_one(tmp_path, monkeypatch):
    """A round waits for the disk with what it has to tell, while a look at the own side adds to the same incident."""
    with working(tmp_path, None) as work:
        await work.begin()
        told = asyncio.Event()

        async def tell(_teller, items):
            if items:
                await told.wait()

        monkeypatch.setattr(Teller, "tell", tell)
        async with asyncio.TaskGroup() as group:
            shut = [look(0), *(look(n, "shutdown") for n in (10, 12, 14, 16))]
            group.create_task(work.conclude(shut))
            await asyncio.sleep(0)
            group.create_task(work.conclude([look(18, "shutdown", holes=("udp/53",))]))
            for _ in range(5):
                await asyncio.sleep(0.01)
            told.set()
        (kept,) = incidents.newest(work.archive.reader.database)
        assert kept == next(iter(work._incidents.state.incidents.values()))
        assert kept.holes == ("udp/53",)


@pytest.mark.anyio
async def test_an_incident_is_kept_only_after_what_is_told_of_it(tmp_path, monkeypatch):
    """The outbox could not take it and the rest of the database can: whoever falls now tells of it after the next start."""
    channel = channel_from_table({"kind": "webhook", "name": "hook", "url": "http://127.0.0.1:1/"})
    shut = [look(0), *(look(n, "shutdown") for n in (10, 12, 14, 16))]
    with working(tmp_path, None) as work:
        work.teller.notify = Notify(listed=(channel,))
        await work.begin()
        with monkeypatch.context() as full:
            full.setattr(outbox, "put", lambda *_: refused("database or disk is full"))
            await work.conclude(shut)
        assert work.teller.is_behind
        assert incidents.newest(work.archive.reader.database) == ()
        await work.conclude([look(18, "shutdown")])
        assert not work.teller.is_behind
        assert [row.incident for row in outbox.waiting(work.archive.reader.database)] == list(
            work._incidents.state.incidents
        )
        (kept,) = incidents.newest(work.archive.reader.database)
        assert [event.kind for event in incidents.events(work.archive.reader.database, kept.id)] == ["opened"]


def test_a_reload_changes_language_and_who_counts(tmp_path, monkeypatch):
    """Messages of the daemon are in the language that the settings name now; a page that came later has its figures."""
    monkeypatch.setenv("LC_ALL", "kk_KZ.UTF-8")
    with working(tmp_path, None) as work:
        first = watch_set(tmp_path)
        assert work._kit_of(first).heard is None
        assert work.teller.language == "kk"
        work.figures = Figures("d", "r")
        again = replace(first, settings=replace(Settings(), language="ru"))
        assert work._kit_of(again).heard == work.figures.seen
        assert work.teller.language == "ru"
