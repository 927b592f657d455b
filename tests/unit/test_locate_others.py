"""Names that are not followed along the way wait for what is found of those that are."""

from __future__ import annotations

import asyncio
import types
from typing import Any

import pytest

from probe.experiments import locate
from probe.instruments import path
from probe.settings import Settings

pytestmark = pytest.mark.anyio


def site(session: Any, number: int) -> Any:
    """An endpoint whose name failed at neutral places, one of very many."""
    ended = asyncio.Event()
    ended.set()
    return types.SimpleNamespace(
        session=session,
        number=number,
        host="www.facebook.com",
        scheme="https",
        settings=Settings(),
        suspicions={"tls": None},
        started={"neutral_pair"},
        neutrals_ended=ended,
        flipped=True,
        flips=[("151.101.0.223", "www.wikipedia1.org")],
        succeeded=False,
        turns=types.SimpleNamespace(crowded=True),
        wire=None,
        rtt_us=80_000,
    )


async def test_the_others_wait_for_the_one_that_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a crowd one is followed; the next one's part ends when that has ended, and not before."""
    found = asyncio.Event()

    async def sweep(_self: locate.Names) -> None:
        await found.wait()

    monkeypatch.setattr(locate.Names, "sweep", sweep)
    monkeypatch.setattr(path, "AVAILABLE", True)
    monkeypatch.setattr("probe.experiments.depth.depth_of", lambda _site: "record")
    monkeypatch.setattr(locate, "_tools", lambda *_: types.SimpleNamespace(scale=1.0))
    session = types.SimpleNamespace(located=[], followed=[])
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(locate.run(site(session, number))) for number in (1, 2))
        await asyncio.sleep(0.02)
        assert (session.located, len(session.followed)) == ([1], 1)
        assert not first.done()
        assert not second.done()
        found.set()
        await asyncio.wait_for(second, 5)


async def test_nobody_waits_where_nothing_is_followed() -> None:
    """A name whose turn it is not, beside none that is followed, has nothing to wait for."""
    session = types.SimpleNamespace(pacer=types.SimpleNamespace(flow=None), located=[1, 2, 3, 4], followed=[])
    await asyncio.wait_for(locate.run(site(session, 5)), 5)


@pytest.mark.parametrize(("rtt_ms", "scale"), [(None, 1.0), (20, 1.0), (250, 1.0), (600, 2.4), (5_000, 3.0)])
def test_a_long_line_is_followed_with_more_patience(rtt_ms: int | None, scale: float) -> None:
    """Over a satellite every answer comes later; a line whose round trip nobody knows is an ordinary one."""
    session = types.SimpleNamespace(pacer=types.SimpleNamespace(flow=None), ordinary_s=lambda: 0.0)
    far = site(session, 1)
    far.rtt_us = rtt_ms and rtt_ms * 1000
    assert locate._tools(far, "name/192.0.2.1").scale == pytest.approx(scale)
