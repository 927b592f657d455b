"""What systemd hears, one daemon a database, caps over any 24 hours, and the kill switch."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.daemon.caps import Allowance, exists, switch_of
from probe.daemon.process import Supervisor, only_one
from storage.errors import StorageError
from storage.location import parse

HOUR = 3600.0


# ---------------------------------------------------------------------------------------------------------------------
# systemd


def test_without_a_supervisor_nothing_is_sent_and_nothing_fails():
    """No NOTIFY_SOCKET, no watchdog."""
    supervisor = Supervisor({})
    supervisor.ready("watching")
    supervisor.alive()
    assert (supervisor.listens, supervisor.watchdog_s) == (False, None)


def test_a_status_is_one_line(tmp_path):
    """A line break in it would be read as another message."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        Supervisor({"NOTIFY_SOCKET": str(tmp_path / "notify")}).status("one\nMAINPID=1")
        assert systemd.recv(1000) == b"STATUS=one MAINPID=1"


def test_a_supervisor_that_is_gone_is_no_trouble(tmp_path):
    """The socket may be removed, and may be of another kind."""
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
    Supervisor({"NOTIFY_SOCKET": "vsock:2:1234"}).alive()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(environ, seconds):
    """And only where it waits for this process."""
    assert Supervisor(environ).watchdog_s == seconds


# ---------------------------------------------------------------------------------------------------------------------
# one a database


def test_a_second_daemon_is_refused_until_the_first_has_gone(tmp_path):
    """Its place is free again when the first one leaves, and no file of it is left."""
    location = parse(str(tmp_path / "new" / "dalel.db"))
    with only_one(location):
        with pytest.raises(StorageError, match=r"Another `dalel run` is watching"), only_one(location):
            raise AssertionError
        with only_one(parse(str(tmp_path / "other.db"))):
            pass
    with only_one(location):
        pass
    assert list((tmp_path / "new").iterdir()) == []


# ---------------------------------------------------------------------------------------------------------------------
# caps


@given(
    cap=st.integers(0, 10_000),
    steps=st.lists(st.tuples(st.floats(0, 30 * HOUR), st.integers(0, 3000), st.floats(0, 1)), min_size=1, max_size=60),
)
def test_no_24_hours_hold_more_than_the_cap(cap, steps):
    """Whatever is asked for, whenever: as long as nothing costs more than was set aside for it."""
    allowance, now, spent = Allowance(cap), 0.0, []
    for passed, worst, part in steps:
        now += passed
        if allowance.reserve(worst, now):
            used = int(worst * part)
            allowance.settle(worst, used, now)
            spent.append((now, used))
    for begin, _used in spent:
        assert sum(used for at, used in spent if begin <= at < begin + 24 * HOUR) <= cap


def test_what_is_under_way_counts_before_it_is_paid():
    """Two rounds at once may not both have the last bytes."""
    allowance = Allowance(1000)
    assert allowance.reserve(600, 0.0)
    assert not allowance.reserve(600, 0.0)
    allowance.settle(600, 100, 0.0)
    assert allowance.left(0.0) == 900


def test_bytes_come_back_a_day_later_and_not_before():
    """24 hours, and at most one more."""
    allowance = Allowance(1000)
    allowance.add(1000, 1.5 * HOUR)
    assert allowance.left(25.4 * HOUR) == 0
    assert allowance.left(26.5 * HOUR) == 1000


def test_a_restart_forgets_nothing_of_the_day():
    """What earlier processes used is as old as it is, also from before this machine's own time began."""
    allowance = Allowance(1000)
    allowance.add(700, -5 * HOUR)
    assert allowance.left(HOUR) == 300
    assert allowance.left(20.5 * HOUR) == 1000


def test_an_ordinary_day_is_measured_at_its_own_pace():
    """What uses no more than a steady day may is never slowed down, nor by what earlier processes used of it."""
    allowance = Allowance(24_000)
    for hour in range(-30, 60):
        allowance.add(600, hour * HOUR)
        assert allowance.slower(hour * HOUR) == 1.0


def test_one_incident_may_cost_much_at_once_and_two_make_looks_rarer():
    """A fifth of the cap within an hour is what it keeps free for that; much more of it is paid by waiting."""
    allowance = Allowance(24_000)
    allowance.add(4_800, HOUR)
    assert allowance.slower(HOUR) == 1.0
    allowance.add(2_400, HOUR)
    assert allowance.slower(HOUR) == 2.0
    assert allowance.slower(12 * HOUR) == 1.0


@given(st.lists(st.tuples(st.floats(0, 3 * HOUR), st.integers(0, 40_000)), max_size=40), st.integers(0, 50_000))
def test_however_much_is_used_looks_come(uses, cap):
    """Between as often as usual and once in 24 times."""
    allowance, now = Allowance(cap), 0.0
    for after, used in uses:
        now += after
        allowance.add(used, now)
        assert 1.0 <= allowance.slower(now) <= 24.0


# ---------------------------------------------------------------------------------------------------------------------
# the kill switch


def test_a_switch_that_points_nowhere_is_thrown(tmp_path):
    """A dangling link was put there by somebody; a directory counts too."""
    assert not exists(tmp_path / "stop")
    (tmp_path / "stop").symlink_to(tmp_path / "nowhere")
    assert exists(tmp_path / "stop")
    (tmp_path / "stop2").mkdir()
    assert exists(tmp_path / "stop2")
    assert not exists(tmp_path / "stop" / "below")


def test_the_switch_is_beside_the_data_unless_it_is_named(tmp_path):
    """`[run] kill_switch` names another."""
    assert switch_of(None, tmp_path) == tmp_path / "stop"
    assert str(switch_of("/run/off", tmp_path)) == "/run/off"
