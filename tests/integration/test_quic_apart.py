"""QUIC for a process that lives for months: measured as ever, and by another process."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("aioquic")

from probe.instruments import quic
from probe.observations import QuicFact
from probe.wire import Wire
from tests.integration.test_quic_instrument import HERE, NAME, fact, server

pytestmark = pytest.mark.anyio
DAY_US = 86_400_000_000


@pytest.fixture
def wire(monkeypatch):
    """A wire for months; here, nothing may be asked of aioquic."""

    def imported() -> bool:
        raise AssertionError("aioquic in this process")

    monkeypatch.setattr(quic, "is_here", imported)
    made = Wire()
    made.is_for_long = True
    return made


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


async def test_a_handshake_is_as_it_would_be_here(wire):
    """Done, timed from when it began and not from when its process did, and with everything that a fact has."""
    async with server() as port:
        done = await quic.handshake(wire, HERE, port=port, sni=NAME, deadline_s=10)
    assert done is not None
    seen = fact(done)
    assert (done.failure, seen.completed, seen.alpn, seen.sni) == (None, True, "h3", NAME)
    assert (done.name, done.address, done.port) == (NAME, HERE, port)
    assert (done.duration_us or 0) < 10_000_000


async def test_times_are_those_of_the_wire(wire, monkeypatch):
    """A replay's wire dates by another clock."""
    monkeypatch.setattr(wire, "now_us", lambda: 5 * DAY_US)
    async with server() as port:
        done = await quic.handshake(wire, HERE, port=port, sni=NAME, deadline_s=10)
    assert done is not None
    assert 0 <= 5 * DAY_US - done.started_us < 60_000_000


async def test_silence_and_few_routers_are_measured_too(wire):
    """A handshake that nobody answers, and a first datagram that goes no further than so many routers."""
    done = await quic.handshake(wire, HERE, port=9, sni=NAME, deadline_s=1)
    near = await quic.let_go(wire, HERE, port=9, sni=NAME, ttl=3, deadline_s=1)
    assert done is not None
    assert near is not None
    assert done.failure is not None
    assert isinstance(near.fact, QuicFact)
    assert near.fact.ttl == 3


@pytest.mark.skipif(not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists(), reason="no /proc here")
async def test_who_is_cancelled_leaves_no_process(wire):
    """The daemon is told to stop in the middle of it."""
    before = children()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(quic.handshake(wire, HERE, port=9, sni=NAME, deadline_s=30))
        while children() == before:
            await asyncio.sleep(0.02)
        asking.cancel()
    assert asking.cancelled()
    assert children() == before


async def test_without_aioquic_no_process_is_begun(wire, monkeypatch):
    """As in a process of its own: none, and no failure either."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    assert await quic.handshake(wire, HERE, sni=NAME, deadline_s=1) is None


async def test_a_process_that_fails_is_no_answer(wire, monkeypatch):
    """It cannot be begun, or says nothing: as if aioquic were not installed."""
    for program in ("/nonexistent", "/bin/false"):
        monkeypatch.setattr(sys, "executable", program)
        assert await quic.handshake(wire, HERE, sni=NAME, deadline_s=1) is None


async def test_whether_it_may_be_asked_imports_nothing(wire):
    """What comes before each question is asked of the installed packages alone."""
    assert await quic.is_ready(wire)
