"""When packets are listened to, whose are kept, and that nothing is sent for it. Here a pretended ear hears them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from probe import raw
from probe.experiments import packets
from probe.experiments.site import Site
from probe.experiments.suspicion import FOLLOW_UPS, follow_ups
from probe.instruments import tcp
from probe.observations import PacketsFact
from probe.settings import Settings
from tests.integration.test_experiments_pairs import OWN, broke_off, measuring

pytestmark = pytest.mark.anyio


class Pretended:
    """An ear that hears a reset on every connection that a test makes, and one of a stranger's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, hears: bool = True) -> None:
        self.ear = raw.Ear()
        self.asked: list[Sequence[tuple[str, int]]] = []
        self._hears = hears
        monkeypatch.setattr(raw, "listening", self.listening)

    @contextlib.asynccontextmanager
    async def listening(self, places: Sequence[tuple[str, int]], *, deadline_s: float) -> AsyncIterator[raw.Ear | None]:
        self.asked.append(places)
        self.before()
        yield self.ear if self._hears else None

    def before(self) -> None:
        """What happens until the child listens."""

    def hear(self, own_port: int) -> None:
        address, port = self.asked[-1][0]
        for at_us, flags in ((1_000, "SA"), (31_000, "R")):
            self.ear.packets.append(raw.Heard(at_us, address, port, own_port, 60, 1, 500, flags, 0))


def facts(site: Site) -> list[PacketsFact]:
    return [o.fact for o in site.session.recorder.observations if isinstance(o.fact, PacketsFact)]


async def connected(site: Site, pretended: Pretended) -> int:
    """A connection to the site's own address, on which a reset is heard; its port."""
    made = await tcp.connect(site.wire, OWN, 443, deadline_s=5)
    assert made.stream is not None
    port = made.stream.own_port
    made.stream.close()
    pretended.hear(port)
    return port


async def test_headers_of_our_own_connections_are_kept(monkeypatch: pytest.MonkeyPatch):
    """What a stranger's connection got is dropped, and what was not heard from its beginning; it ends when enough was heard."""
    pretended = Pretended(monkeypatch)
    monkeypatch.setattr(packets, "LISTENS_S", 10_000.0)
    async with measuring(lambda _hello: True) as site:
        site.wire.may_listen = True

        def begun_before() -> None:
            assert site.wire.flows is not None
            site.wire.flows.add((*pretended.asked[-1][0], 8))
            pretended.hear(8)

        monkeypatch.setattr(pretended, "before", begun_before)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(packets.run(site))
            await asyncio.sleep(0)
            ports = {await connected(site, pretended) for _ in range(packets.ENOUGH)}
            pretended.hear(9)
            await asyncio.wait_for(listening, 10)
        assert site.wire.flows is None
        assert {fact.own_port for fact in facts(site)} == ports
        assert [(p.flags, p.after_us) for p in facts(site)[0].packets] == [("SA", 0), ("R", 30_000)]
        (place,) = {(o.purpose, o.group, o.operation.address) for o in site.session.recorder.observations}
        assert place == ("packets", f"own/{OWN}", OWN)


@pytest.mark.parametrize("why", ["it may not", "others were heard before", "somebody is listening", "it hears nothing"])
async def test_nothing_is_recorded_where_nothing_is_heard(monkeypatch: pytest.MonkeyPatch, why: str):
    """Absent is no evidence, and an endpoint of a long list is not listened to."""
    pretended = Pretended(monkeypatch, hears=False)
    async with measuring(lambda _hello: True) as site:
        site.wire.may_listen = why != "it may not"
        site.wire.flows = set() if why == "somebody is listening" else None
        if why == "others were heard before":
            site.session.listened.extend(range(10, 10 + packets.MOST_IN_A_RUN))
        await packets.run(site)
        assert facts(site) == []
        assert bool(pretended.asked) == (why == "it hears nothing")
        assert site.wire.flows == (set() if why == "somebody is listening" else None)


def test_a_reset_starts_it_and_a_silence_does_not():
    """There is nothing to be heard of what never came."""
    reset = [name for name, _ in follow_ups("https", "tls", broke_off(30_000), Settings())]
    silent = [name for name, _ in follow_ups("https", "tls", None, Settings())]
    assert ("packets" in reset, "packets" in silent) == (True, False)
    assert FOLLOW_UPS["packets"] is packets.run
