"""The daemon over a clock that jumps: what is done when, what stops it, and how it ends."""

import asyncio
import dataclasses
import itertools
from types import SimpleNamespace

import pytest

from probe.daemon.daemon import Daemon, Outside, ReloadError
from probe.daemon.process import Orders, Supervisor
from probe.incidents.model import Wants
from probe.settings import Settings
from probe.settings.run import RunSettings
from tests.unit.daemon_pieces import FakeWork, JumpingClock, Lines, jobs_over, watch_set

pytestmark = pytest.mark.anyio
HOUR = 3600.0
URL = "https://e0.example/"


class Life:
    """A daemon and all around it; :meth:`go` lets it live for so many seconds of its clock."""

    def __init__(self, directory, *, seconds=HOUR, settings=None, count=3):
        self.clock, self.lines, self.orders = JumpingClock(seconds), Lines(), Orders()
        self.work = FakeWork(self.clock)
        self.watch = watch_set(directory, count, settings=settings)
        self.jobs = jobs_over(self.watch, self.work, self.clock, self.lines)
        self.reload = lambda: self.watch
        self.every_minute = None

    def read_again(self):
        return self.reload()

    async def go(self, meanwhile=None):
        outside = Outside(
            supervisor=Supervisor({}),
            say=self.lines,
            orders=self.orders,
            reload=self.read_again,
            every_minute=self.every_minute,
        )
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            running = group.create_task(Daemon(self.jobs, self.clock, outside).run())
            if meanwhile is not None:
                await meanwhile()
            await self.clock.over.wait()
            self.orders.stopping()
            await running


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


# ---------------------------------------------------------------------------------------------------------------------
# when


async def test_the_own_side_comes_every_minute_or_two_and_a_round_every_ten(tmp_path):
    """Own side at once and then every 60 to 120 s; rounds of all services every 9.5 to 10.5 minutes."""
    life = Life(tmp_path, seconds=6 * HOUR)
    await life.go()
    looks = [at for at, _full in life.work.own_sides]
    assert looks[0] == 1000.0
    assert all(60.0 <= b - a <= 120.0 for a, b in itertools.pairwise(looks))
    rounds = [at for at, _looks in life.work.measured]
    assert all(570.0 <= b - a <= 630.0 for a, b in itertools.pairwise(rounds))
    assert all(len(looks) == 3 for _at, looks in life.work.measured)
    assert len(life.work.kept) == 6


async def test_messages_are_sent_only_while_the_own_side_works(tmp_path):
    """After each look that found it well; never while there is no network."""
    life = Life(tmp_path)
    await life.go()
    assert len(life.work.told) >= len(life.work.own_sides) - 1
    down = Life(tmp_path)
    down.work.status = "no_network"
    await down.go()
    assert down.work.told == []


async def test_when_the_line_is_back_what_was_blocked_behind_it_is_looked_at_soon(tmp_path):
    """Within half a minute of the look that found the line well, and not only after an incident's five minutes."""
    life = Life(tmp_path, seconds=HOUR)
    life.work.wants = Wants(behind=frozenset({URL}))
    back = []

    async def line_comes_back():
        await until(lambda: len(life.work.own_sides) > 20)
        life.work.wants = Wants(rounds=frozenset({URL}))
        back.append(life.clock.now)

    await life.go(line_comes_back)
    found = min(at for at, _full in life.work.own_sides if at > back[0])
    assert [at for at, looks in life.work.measured if len(looks) == 1 and back[0] < at <= found + 31.0]


async def test_sleep_makes_one_look_and_one_round_and_no_burst(tmp_path):
    """After eight hours of sleep: the own side at once, one round a little later, then all as ever."""
    life = Life(tmp_path, seconds=10 * HOUR)
    life.clock.gaps = [(1000.0 + HOUR, 8 * HOUR)]
    await life.go()
    woken = 1000.0 + 9 * HOUR
    assert "slept" in life.lines.events
    looks = [at for at, _full in life.work.own_sides if at >= woken - 1]
    assert looks[0] == pytest.approx(woken, abs=1.0)
    rounds = [at for at, _looks in life.work.measured if at >= woken - 1]
    assert woken + 9 <= rounds[0] <= woken + 31
    assert all(b - a >= 570.0 for a, b in itertools.pairwise(rounds))
    assert len(rounds) <= 8


async def test_a_clock_that_is_set_changes_nothing_that_is_due(tmp_path):
    """Forward a year and back again: it is said, the own side is looked at fully, and rounds come as ever."""
    life = Life(tmp_path, seconds=3 * HOUR)
    year = 365 * 24 * HOUR

    async def set_it():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        life.clock.wall_s = year
        await until(lambda: life.clock.now > 1000.0 + 2 * HOUR)
        life.clock.wall_s = -year

    await life.go(set_it)
    assert [words for event, words in life.lines if event == "clock_set"] == [
        "This computer's clock was set forward by 365 days.",
        "This computer's clock was set back by 730 days.",
    ]
    assert sum(full for _at, full in life.work.own_sides) == 2
    rounds = [at for at, _looks in life.work.measured]
    assert all(570.0 <= b - a <= 630.0 for a, b in itertools.pairwise(rounds))


async def test_an_incident_is_measured_every_five_minutes_and_deeply_only_with_consent(tmp_path):
    """What an incident holds comes every 4.5 to 5.5 minutes, on top of its turns; deep tests need an opt-in."""
    life = Life(tmp_path, seconds=2 * HOUR)
    life.work.wants = Wants(rounds=frozenset({URL}), deep=frozenset({URL}))
    await life.go()
    alone = [at for at, looks in life.work.measured if [(o.number, o.kind) for o in looks] == [(0, "full")]]
    assert len(alone) >= 20
    assert all(b - a <= 331.0 for a, b in itertools.pairwise(alone))
    assert not any(look.kind == "deep" for _at, looks in life.work.measured for look in looks)


async def test_wishes_are_granted_at_once_and_not_for_ever(tmp_path):
    """A machine that always wishes for a burst and a whole platform gets them now and then."""
    life = Life(tmp_path, seconds=HOUR)
    life.work.wants = Wants(bursts=frozenset({URL}), platforms=frozenset({"p"}), own_side=True)
    await life.go()
    bursts = [at for at, looks in life.work.measured if looks[0].kind == "burst"]
    assert bursts[0] == 1000.0
    assert len(bursts) <= 13
    assert sum(full for _at, full in life.work.own_sides) <= len(life.work.own_sides) * 2 / 3
    whole = [at for at, looks in life.work.measured if len(looks) == 3 and {o.kind for o in looks} == {"full"}]
    assert len(whole) <= 3


async def test_only_one_round_or_burst_is_under_way_at_a_time(tmp_path):
    """A burst and a round of the same moment come one after the other."""
    life = Life(tmp_path, seconds=3 * HOUR)
    life.work.wants = Wants(bursts=frozenset({URL}), rounds=frozenset({URL}))
    await life.go()
    assert life.work.most_at_once == 1


# ---------------------------------------------------------------------------------------------------------------------
# what stops it


async def test_nothing_is_measured_while_the_kill_switch_is_there(tmp_path):
    """It is said once when it begins and once when it ends."""
    life = Life(tmp_path, seconds=3 * HOUR)

    async def throw():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        life.watch.kill_switch.touch()
        await until(lambda: life.clock.now > 1000.0 + 2 * HOUR)
        life.watch.kill_switch.unlink()

    await life.go(throw)
    during = [at for at, _ in (*life.work.measured, *life.work.own_sides) if 1000.0 + HOUR + 1 < at < 1000.0 + 2 * HOUR]
    assert during == []
    assert life.lines.events.count("kill_switch") == life.lines.events.count("kill_switch_gone") == 1
    assert [at for at, _ in life.work.measured if at > 1000.0 + 2 * HOUR] != []


async def test_the_cap_of_a_day_is_never_exceeded(tmp_path):
    """However much is wished for. It is said once, and measuring goes on when bytes are a day old."""
    settings = Settings(run=RunSettings(megabytes_per_day=5.0))
    life = Life(tmp_path, seconds=60 * HOUR, settings=settings)
    life.work.bytes = 30_000
    life.work.wants = Wants(bursts=frozenset({URL}), rounds=frozenset({URL}))
    await life.go()
    spent = [(at, life.work.bytes * len(looks)) for at, looks in life.work.measured]
    spent += [(at, 1000) for at, _full in life.work.own_sides]
    for begin, _ in spent:
        assert sum(count for at, count in spent if begin <= at < begin + 24 * HOUR) <= 5_000_000
    assert max(at for at, _ in spent) > 1000.0 + 30 * HOUR
    assert 1 <= life.lines.events.count("cap") <= 60


async def test_a_day_that_costs_much_is_measured_more_rarely_and_is_never_blind(tmp_path):
    """What would use a cap up in half a day has its looks until the end, only further apart; said when it begins and ends."""
    settings = Settings(run=RunSettings(megabytes_per_day=100.0))
    life = Life(tmp_path, seconds=40 * HOUR, settings=settings)
    life.work.bytes = 400_000

    async def calm():
        await until(lambda: life.clock.now > 1000.0 + 30 * HOUR)
        life.work.bytes = 1000

    await life.go(calm)
    rounds = [at for at, _ in life.work.measured if at < 1000.0 + 30 * HOUR]
    assert rounds[1] - rounds[0] < 700.0
    assert max(b - a for a, b in itertools.pairwise(rounds)) < 2 * HOUR
    assert "cap" not in life.lines.events
    assert "are used: what is watched is looked at more rarely" in dict(life.lines)["slower"]
    assert life.lines.events.count("slower") == life.lines.events.count("slower_over") == 1


async def test_a_bug_in_one_round_is_told_and_the_next_round_comes(tmp_path):
    """It ends that turn only."""
    life = Life(tmp_path, seconds=HOUR)
    life.work.breaks = ValueError("boom")
    await life.go()
    assert len(life.work.measured) >= 5
    assert life.jobs.bugs == len(life.work.measured)
    assert "boom" in dict(life.lines)["bug"]


# ---------------------------------------------------------------------------------------------------------------------
# orders


async def test_a_round_under_way_is_finished_before_the_end(tmp_path):
    """The order to stop lets what is being measured end by itself."""
    life = Life(tmp_path, seconds=5 * HOUR)
    life.work.takes = over = asyncio.Event()
    ended = []

    async def stop():
        await until(lambda: life.work.measured)
        life.orders.stopping()
        for _ in range(20):
            await asyncio.sleep(0)
        assert life.work.at_once == 1
        ended.append(life.work.at_once)
        over.set()
        life.clock.over.set()

    await life.go(stop)
    assert ended == [1]
    assert life.work.at_once == 0
    assert life.jobs.allowance.spent(life.clock.now) == 1000 * (len(life.work.own_sides) + 3)


async def test_asked_twice_it_ends_at_once(tmp_path):
    """A round that would take for ever is broken off by the second order."""
    life = Life(tmp_path, seconds=5 * HOUR)
    life.work.takes = asyncio.Event()

    async def stop():
        await until(lambda: life.work.measured)
        life.orders.stopping()
        life.orders.stopping()
        life.clock.over.set()

    await life.go(stop)
    assert life.work.at_once == 0


async def test_a_reload_changes_what_is_watched(tmp_path):
    """New targets are in the next round, those that have gone are in none."""
    life = Life(tmp_path, seconds=2 * HOUR)

    async def change():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        life.watch = watch_set(tmp_path, 5, every=300.0)
        life.orders.reload.set()

    await life.go(change)
    assert "reloaded" in life.lines.events
    late = [looks for at, looks in life.work.measured if at > 1000.0 + 1.2 * HOUR]
    assert len(late) >= 8
    assert all(len(looks) == 5 for looks in late)


async def test_a_broken_file_keeps_the_old_set_and_says_so(tmp_path):
    """The daemon goes on with what it had."""
    life = Life(tmp_path, seconds=2 * HOUR)

    def broken():
        raise ReloadError("config.toml:3: [run] every: 3 is not allowed.")

    async def change():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        life.reload = broken
        life.orders.reload.set()

    await life.go(change)
    assert "config.toml:3" in dict(life.lines)["reload_failed"]
    assert all(len(looks) == 3 for _at, looks in life.work.measured)
    assert [at for at, _ in life.work.measured if at > 1000.0 + 1.5 * HOUR] != []


async def test_a_bug_in_a_reload_keeps_the_old_set_and_the_daemon(tmp_path):
    """As when the program was updated under the one that runs: it is told, and measuring goes on."""
    life = Life(tmp_path, seconds=2 * HOUR)

    def broken():
        raise TypeError("unexpected keyword argument")

    async def change():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        life.reload = broken
        life.orders.reload.set()

    await life.go(change)
    assert "unexpected keyword argument" in dict(life.lines)["bug"]
    assert [at for at, _ in life.work.measured if at > 1000.0 + 1.5 * HOUR] != []


async def test_a_smaller_cap_holds_after_a_reload(tmp_path):
    """Caps are read again, too."""
    life = Life(tmp_path, seconds=2 * HOUR)

    async def change():
        await until(lambda: life.clock.now > 1000.0 + HOUR)
        tiny = Settings(run=RunSettings(metered=True, metered_megabytes_per_day=1e-3))
        life.watch = dataclasses.replace(life.watch, settings=tiny)
        life.orders.reload.set()

    await life.go(change)
    assert "cap" in life.lines.events
    assert [at for at, _ in life.work.measured if at > 1000.0 + 1.2 * HOUR] == []


async def test_once_is_one_look_and_one_round(tmp_path):
    """`--once` looks at the own side fully, makes a round and what follows from it, tells, and ends."""
    life = Life(tmp_path)
    life.work.wants = Wants(bursts=frozenset({URL}))
    outside = Outside(supervisor=Supervisor({}), say=life.lines, orders=life.orders, reload=lambda: life.watch)
    async with asyncio.timeout(10):
        await Daemon(life.jobs, life.clock, outside).once()
    assert [full for _at, full in life.work.own_sides] == [True]
    assert [len(looks) for _at, looks in life.work.measured] == [3, 1]
    assert len(life.work.told) == 1


async def test_what_is_wished_for_by_two_at_once_begins_once(tmp_path):
    """A look and a round conclude at one time: what the first found new is nothing new to the second."""
    life = Life(tmp_path)
    soon, both = [], asyncio.Event()
    stub = SimpleNamespace(soon=lambda name, after: soon.append((name, after)), put_off=lambda *_: None)
    life.jobs._scheduler = stub  # type: ignore[assignment]

    async def conclude(_facts):
        await both.wait()
        return Wants(deep=frozenset({URL}))

    life.work.conclude = conclude  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(life.jobs._conclude(()))
        await asyncio.sleep(0)
        both.set()
    assert [after == 0.0 for name, after in soon if name == "deep"] == [True, False]


async def test_a_wish_that_comes_while_others_wait_for_the_lane_is_granted_with_them(tmp_path):
    """A round has the lane; a look concludes meanwhile that all of the own side is to be looked at."""
    life = Life(tmp_path)
    stub = SimpleNamespace(soon=lambda *_: None, put_off=lambda *_: None)
    life.jobs._scheduler = stub  # type: ignore[assignment]
    async with asyncio.TaskGroup() as group, life.jobs._lane:
        group.create_task(life.jobs._grant_wishes())
        await asyncio.sleep(0)
        life.work.wants = Wants(own_side=True)
        await life.jobs._conclude(())
        life.work.wants = Wants()
    assert [full for _at, full in life.work.own_sides] == [True]


async def test_a_repair_that_fails_is_a_line_and_comes_again(tmp_path, monkeypatch):
    """What is around the measuring, such as a page that could not listen, never ends it."""
    monkeypatch.setattr("probe.daemon.daemon._MINUTE_S", 0.001)
    life, repairs = Life(tmp_path, seconds=60), []

    async def repair():
        repairs.append(life.clock.now)
        if len(repairs) == 1:
            raise ValueError("a bug")

    life.every_minute = repair
    await life.go(lambda: until_real(lambda: len(repairs) > 2))
    assert [event for event in life.lines.events if event == "bug"] == ["bug"]


async def until_real(condition):
    """As :func:`until`, where real time has to pass."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)
