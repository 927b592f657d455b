"""The ledger of a control forgets: after ten minutes, beyond its bounds, and whoever has shown no token."""

from __future__ import annotations

import pytest

from probe.control.ledger import ECHO_BYTES, KEPT_S, MOST_CALLERS, MOST_EACH, Ledger, plain
from probe.control.sinks.arms import told
from probe.control.sinks.limits import Gate, SinkLimits

PROBE, OTHER = "92.47.151.210", "92.47.151.211"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    return Ledger(clock)


def test_only_those_with_a_token_are_remembered(ledger: Ledger) -> None:
    """A stranger's arrival is an object that nobody keeps."""
    ledger.begin(OTHER, "tls")
    ledger.admit(PROBE)
    arrival = ledger.begin(PROBE, "tls")
    ledger.admit(OTHER)
    assert ledger.arrivals(PROBE, 600) == (arrival,)
    assert ledger.arrivals(OTHER, 600) == ()


def test_ten_minutes_are_all(ledger: Ledger, clock: Clock) -> None:
    """An arrival is forgotten by its own age, a caller by the last time that it showed its token."""
    ledger.admit(PROBE)
    ledger.begin(PROBE, "tls")
    clock.now += KEPT_S / 2
    ledger.admit(PROBE)
    later = ledger.begin(PROBE, "http")
    clock.now += KEPT_S / 2 + 1
    assert ledger.arrivals(PROBE, 10_000) == (later,)
    clock.now += KEPT_S / 2
    assert not ledger.admits(PROBE)
    assert ledger.arrivals(PROBE, 10_000) == ()


def test_the_window_is_the_askers(ledger: Ledger, clock: Clock) -> None:
    """What came before it is not told."""
    ledger.admit(PROBE)
    ledger.begin(PROBE, "tls")
    clock.now += 30
    new = ledger.begin(PROBE, "tls")
    assert ledger.arrivals(PROBE, 20) == (new,)


def test_it_has_room_for_so_many(ledger: Ledger) -> None:
    """The oldest callers go first, and each one's oldest arrivals."""
    for number in range(MOST_CALLERS + 1):
        ledger.admit(f"10.0.{number // 256}.{number % 256}")
    assert not ledger.admits("10.0.0.0")
    assert ledger.admits("10.0.0.1")
    for _ in range(MOST_EACH + 5):
        ledger.begin("10.0.0.1", "tls")
    assert len(ledger.arrivals("10.0.0.1", 600)) == MOST_EACH


def test_an_echo_is_measured_out(ledger: Ledger, clock: Clock) -> None:
    """So many bytes in ten minutes; who shows the token again soon gets no more for it."""
    assert not ledger.spend_echo(PROBE, 1)
    ledger.admit(PROBE)
    assert ledger.spend_echo(PROBE, ECHO_BYTES)
    assert not ledger.spend_echo(PROBE, 1)
    ledger.admit(PROBE)
    assert not ledger.spend_echo(PROBE, 1)
    clock.now += KEPT_S * 0.6
    ledger.admit(PROBE)
    assert ledger.spend_echo(PROBE, 1)


@pytest.mark.parametrize(
    ("address", "same"),
    [("::ffff:92.47.151.210", PROBE), ("fe80::1%eth0", "fe80::1"), ("2001:DB8::1", "2001:db8::1"), ("?", "?")],
)
def test_one_caller_has_one_spelling(address: str, same: str) -> None:
    """An IPv4 address over an IPv6 socket is the same one."""
    assert plain(address) == same


def test_other_names_are_told_without_their_name(ledger: Ledger, clock: Clock) -> None:
    """Neighbours behind one translator do not learn what each other asks for."""
    ledger.admit(PROBE)
    for name in ("www.example.org", "secret.example", None):
        arrival = ledger.begin(PROBE, "tls")
        arrival.name, arrival.whole = name, True
    clock.now += 2
    arms = told(ledger.arrivals(PROBE, 60), ["WWW.example.org."], clock.now)
    assert [(arm.fact.name, arm.fact.named) for arm in arms] == [("www.example.org", True), (None, True), (None, False)]
    assert {arm.ago_us for arm in arms} == {2_000_000}


def test_the_gate_counts_all_and_each() -> None:
    """Whoever leaves makes room."""
    gate = Gate(SinkLimits(connections=3, connections_each=2))
    with gate.turn("a") as one, gate.turn("a") as two, gate.turn("a") as three:
        assert (one, two, three) == (True, True, False)
        with gate.turn("b") as four, gate.turn("c") as five:
            assert (four, five) == (True, False)
    with gate.turn("a") as again:
        assert again
