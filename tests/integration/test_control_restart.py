"""A control that is killed while it is asked, and is up again at once: the verdicts stay right, and say that it was absent."""

import asyncio
import contextlib
import datetime as dt
import random
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from probe.control import certificate
from probe.demo.world import Rule
from probe.settings import Settings
from probe.settings.controls import Control
from probe.workflows.check import CheckOutcome, CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.integration.control_world import TOKEN, site
from tests.integration.test_control_check import control_codes, home

pytestmark = pytest.mark.anyio

SITES: dict[str, tuple[str, dict[str, Any]]] = {
    "https://fine.example/": ("accessible", {}),
    "https://named.example/": ("blocked", {"rule": Rule(name="", tls="silence")}),
    "https://silent.example/": ("inconclusive", {"server": None}),
    "https://dead.example/": ("inconclusive", {"server": None}),
}
"""What a probe alone makes of them."""
ROOT = Path(__file__).parents[2]


def lasting_port() -> int:
    """A free port that nobody is given who asks for any (Linux gives those from 32768 on): it is still free after a death."""
    for port in random.sample(range(20_000, 32_000), 50):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


@dataclass(slots=True)
class Mortal:
    """A control's process, which can be killed and started again at the same port with the same certificate."""

    folder: Path
    process: asyncio.subprocess.Process | None = None
    control: Control | None = None
    deaths: int = 0
    restarted: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> Control:
        port = str(self.control.port if self.control is not None else lasting_port())
        chain, key = str(self.folder / "chain.pem"), str(self.folder / "key.pem")
        words = ("-m", "tests.integration.control_process", str(self.folder / f"life-{self.deaths}"), port, chain, key)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *words, *SITES, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        listening, sha256 = (await self.process.stdout.readline()).split()
        self.control = Control(
            host="127.0.0.1", port=int(listening), name="Helsinki", token=TOKEN, sha256=sha256.decode(), country="DE"
        )
        return self.control

    async def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        self.deaths += 1

    async def die_and_rise(self) -> None:
        await self.kill()
        await self.start()
        self.restarted.set()


@contextlib.asynccontextmanager
async def mortal(folder: Path) -> AsyncIterator[Mortal]:
    chain, key = certificate.make(dt.datetime.now(dt.UTC)).pem
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(key)
    made = Mortal(folder)
    await made.start()
    try:
        yield made
    finally:
        await made.kill()


async def checked(folder: Path, control: Control | None, port: int, when_asked=lambda: None) -> CheckOutcome:
    """All sites, from Kazakhstan; *when_asked* is called as the first question reaches the control."""
    scenes = [site(url, **more) for url, (_, more) in SITES.items()]
    async with home(folder, *scenes, port=port) as (wire, trust):
        connect = wire.connect

        async def watched(address, port_, options=None, *, before_close=None):
            sock = await connect(address, port_, options, before_close=before_close)
            if (address, port_) == ("127.0.0.1", port):
                when_asked()
            return sock

        wire.connect = watched  # type: ignore[method-assign]
        request = CheckRequest(
            asked=tuple(Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(SITES, start=1)),
            settings=replace(Settings().hurried(4.0), controls=(control,) if control else (), country="KZ"),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
        )
        return await check(request, wire, lambda _event: None)


async def test_killed_and_started_again_in_the_middle_of_a_run(tmp_path):
    """kill -9 as soon as it is asked, and it is up again a moment later with nothing to remember."""
    async with mortal(tmp_path) as life, asyncio.TaskGroup() as group:
        assert life.control is not None
        struck: list[asyncio.Task[None]] = []

        def strike() -> None:
            if not struck:
                struck.append(group.create_task(life.die_and_rise()))

        outcome = await checked(tmp_path / "home", life.control, life.control.port, strike)
        await life.restarted.wait()
        assert life.deaths == 1

    assert not outcome.bugs
    judged = {r.url: r.verdict for r in outcome.results}
    assert {url: v.status for url, v in judged.items()} == {url: word for url, (word, _) in SITES.items()}
    for url in ("https://silent.example/", "https://dead.example/"):
        assert "control_silent" in judged[url].impairments
        assert "control_silent" in judged[url].settle
    assert control_codes(outcome) == set()
    failed = [o for o in outcome.observations if o.purpose == "control" and o.vantage == "local" and o.failure]
    assert failed
    assert all(o.operation.address is None for o in failed)


async def test_the_same_control_is_heard_again_in_the_next_run(tmp_path):
    """What was absent in one run is no lasting judgement: the next one asks it, and it says what it sees."""
    async with mortal(tmp_path) as life:
        await life.kill()
        control = await life.start()
        outcome = await checked(tmp_path / "home", control, control.port)

    judged = {r.url: r.verdict for r in outcome.results}
    assert judged["https://named.example/"].status == "blocked"
    assert (judged["https://silent.example/"].status, judged["https://silent.example/"].leaning) == (
        "inconclusive", "blocked",
    )  # fmt: skip
    assert "control_reaches" in {f.code for f in judged["https://silent.example/"].findings}
