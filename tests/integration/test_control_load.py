"""A control under load and under attack, for a few seconds; the whole of it is tests/bench/bench_control.py."""

import asyncio
import contextlib

import pytest

from tests.bench.bench_control import control, storm
from tests.integration.control_world import serving, short, site, world_of

pytestmark = pytest.mark.anyio

NEWS = "https://news.example/"


async def test_it_answers_while_others_hold_connections_and_guess_tokens(tmp_path):
    """Connections that say nothing and requests of strangers keep an honest one waiting at most; nobody guesses anything."""
    with control(tmp_path) as (process, port):
        load = await storm(port, connections=60, rate=8, seconds=4, pid=process.pid)
        assert process.poll() is None

    assert load.held >= 60
    assert set(load.answers) <= {"401", "lost"}
    assert load.answers["401"] > load.answers["lost"]
    assert load.health_s


async def test_a_probe_is_served_while_all_places_are_held(tmp_path):
    """More silent connections than it has room for: the one with something to say is measured for."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short(connections=8, request_s=30.0)) as control:
        held = [await control.open() for _ in range(20)]
        status, told = await control.measure(NEWS)
        for _, writer in held:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    assert status == 200
    assert any(o["kind"] == "http" and o["failure"] is None for o in told["observations"])


async def test_what_is_being_measured_is_not_thrown_out(tmp_path):
    """Newcomers make room among those that are silent, never of those that have asked."""
    async with serving(tmp_path, world_of(site(NEWS)), limits=short(connections=2, request_s=30.0)) as control:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(control.measure(NEWS))
            while not control.wire.connected:
                await asyncio.sleep(0.01)
            held = [await control.open() for _ in range(6)]
        assert asking.result()[0] == 200
        for _, writer in held:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
