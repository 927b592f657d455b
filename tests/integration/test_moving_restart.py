"""A daemon that is started again in another network: it notices, and what was so in the one before is not over for that."""

import io
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from probe.daemon.clock import SystemClock
from probe.daemon.daemon_jobs import WatchSet
from probe.daemon.daemon_work import RealWork
from probe.daemon.plan import Look, Pace, Watched
from probe.daemon.telling.means import Means
from probe.daemon.telling.teller import Teller
from probe.demo import patience
from probe.incidents.model import MOVED, Incident, OwnSide, Reading
from probe.settings.notify import Notify
from probe.workflows import watching, whereabouts
from storage import incidents as kept
from storage import last_network, own_sides
from storage.archive import Archive
from storage.location import parse
from storage.maintenance import belongings, purge
from tests.integration.test_run_monitoring import NOW, working
from tests.integration.test_watch_rounds import CANARIES, SETTINGS, URLS, Probe, asked, probe
from tests.unit.daemon_pieces import Lines, watch_set

MINUTE = 60_000_000


def at_work(one: Probe, folder: Path) -> tuple[RealWork, WatchSet, Lines]:
    """A process that begins now, over the archive of those before."""
    assert one.archive is not None
    lines, clock = Lines(), SystemClock()
    means = Means(one.wire, lambda: one.kit.trust)
    teller = Teller(
        notify=Notify(), language="en", archive=one.archive, means=means, now_us=clock.now_us, log=io.StringIO()
    )
    work = RealWork(wire=one.wire, clock=clock, archive=one.archive, trust=one.kit.trust, teller=teller, say=lines)
    watch = WatchSet(
        settings=SETTINGS,
        asked=asked(URLS[0]),
        watched=(Watched(number=1, url=URLS[0], platform="site"),),
        pace=Pace(),
        kill_switch=folder / "stop",
        canaries=CANARIES,
        catalogue="test",
    )
    return work, watch, lines


async def goes_on(work: RealWork, watch: WatchSet, rounds: int) -> None:
    """A look at the own side and so many full rounds, a minute apart, and what follows."""
    await work.conclude((await work.own_side(watch, full=True)).facts)
    if rounds:
        facts = (await work.measure(watch, (Look(1, "full"),))).facts
        await work.conclude(facts)
        (reading,) = (fact for fact in facts if isinstance(fact, Reading))
        for number in range(1, rounds):
            later = number * MINUTE
            await work.conclude([replace(reading, at_us=reading.at_us + later, until_us=reading.until_us + later)])


def blocked_since_yesterday(now_us: int) -> Incident:
    return Incident(
        id="yesterday",
        status="blocked",
        method="tls",
        platforms=("site",),
        urls=(URLS[0],),
        remaining=(URLS[0],),
        began_by_us=now_us - 1500 * MINUTE,
        opened_us=now_us - 1490 * MINUTE,
        changed_us=now_us - 1490 * MINUTE,
        events=1,
    )


HOME, CAFE, BRIDGE = "00:00:5e:00:53:01", "00:00:5e:00:53:02", "02:42:00:00:00:0{}"


@pytest.mark.parametrize(
    ("before", "after", "carried"),
    [(HOME, HOME, False), (HOME, CAFE, True), (BRIDGE.format(1), BRIDGE.format(2), False)],
    ids=["where it was", "elsewhere", "behind a new bridge of its container's host"],
)
def test_what_was_blocked_before_a_restart_is_over_only_where_it_was(
    before: str, after: str, carried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere it is no longer seen, which is said once; and the mark between the networks is kept for the next restart."""
    monkeypatch.setattr(whereabouts, "_HINT_BYTES", 8)  # one in 256 other routers looks the same, but not here

    async def story(one: Probe, folder: Path) -> None:
        assert one.archive is not None
        host = replace(one.wire.host(), in_container=True)
        one.wire.host = lambda: host  # type: ignore[method-assign]
        one.wire.router = lambda: before  # type: ignore[method-assign]
        first, watch, _ = at_work(one, folder)
        await first.begin()
        await goes_on(first, watch, 0)
        kept.save(one.archive, blocked_since_yesterday(one.wire.now_us())).result(30)
        one.wire.router = lambda: after  # type: ignore[method-assign]
        second, watch, lines = at_work(one, folder)
        await second.begin()
        await goes_on(second, watch, 4)
        (left,) = kept.newest(one.archive.reader.database)
        assert left.state == "closed"
        assert (left.ended_by_us is None) is carried
        marks = [look for look in own_sides.between(one.archive.reader.database, 0) if look.method == "moved"]
        assert (len(marks), lines.events.count("moved")) == (carried, carried)
        third, watch, lines = at_work(one, folder)
        await third.begin()
        await goes_on(third, watch, 1)
        assert "moved" not in lines.events

    async def told() -> None:
        with tempfile.TemporaryDirectory() as name:
            async with probe(Path(name), archive=True) as one:
                await story(one, Path(name))

    patience.run(told())


@pytest.mark.anyio
async def test_a_move_counts_before_the_rest_of_what_found_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst concludes a minute later: what looks see in the new network meanwhile ends nothing of the old one."""
    mark = OwnSide(run="", at_us=NOW, status="inconclusive", method=MOVED, kind="cheap")

    async def look(*_args: object, **_options: object) -> watching.Came:
        return watching.Came(run="r", moved=(mark,))

    monkeypatch.setattr(watching, "look", look)
    with working(tmp_path, None) as work:
        await work.begin()
        came = await work.own_side(watch_set(tmp_path), full=False)
        assert work._incidents.state.moved_us == {"": NOW}
        assert came.facts == (mark,)


def test_the_hint_is_its_owners_and_goes_with_the_rest(tmp_path: Path) -> None:
    """Nobody else can read it; what is broken or missing is no hint; `dalel purge` names and removes it."""
    location = parse(str(tmp_path / "dalel.db"))
    Archive.open(location).close()
    assert last_network.read(location) == {}
    old = os.umask(0)
    try:
        last_network.write(location, {"salt": "00"})
    finally:
        os.umask(old)
    path = last_network.path_of(location)
    assert path.stat().st_mode & 0o777 == 0o600
    assert last_network.read(location) == {"salt": "00"}
    path.write_text("[1")
    assert last_network.read(location) == {}
    assert path in {one.path for one in belongings(location)}
    purge(location)
    assert not path.exists()
    last_network.write(parse(str(tmp_path / "nowhere" / "dalel.db")), {})
