"""What a device remembers of a forbidden name: which later exchanges fail with it, and for how long (``--deep`` only).

All of it happens at a neutral address that no pair has used, after the name was stopped at two others. The name is asked,
and then a harmless one from the same port of ours, from a new port, and at another address. How long what fails goes on
failing is told by one question after each rest. A question may itself renew the memory: so each rest has a port of its own
that the name was asked from, and where the memory is of the server's address, each rest begins after the last question.
Server and own router must let a port be used again; that is tried first, with a harmless name.

Nothing of it changes a word: it says how a block works, not whether there is one. One target in a run.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments.places import sni_of
from probe.experiments.steps import Place
from probe.instruments import tcp, tls
from probe.observations import Arm, TlsFact
from probe.wire.sockets import TcpOptions

if TYPE_CHECKING:
    from probe.experiments.neutrals import Neutral
    from probe.experiments.site import Site

RESTS_S = (20, 50, 80, 110, 130, 150, 170)
"""After the name was asked: around the 60, 90, 120 and 180 s that have been reported of such devices, all within 200 s."""
SERVER_RESTS_S = (45, 95)
"""One after the other, where the memory is of the server: each question there may begin it anew."""
_CONNECT_S = 3.5
"""A server that still keeps the old connection answers a new one at the second SYN, after one second (RFC 5961 §4.2)."""
_TRIES = 3
_PLACES = 2
_ARM_S = 1.0


async def run(site: Site) -> None:
    """Ask, if the name was stopped at neutral addresses, and no other target has been asked about in this run."""
    if "neutral_pair" not in site.started:
        return
    await site.neutrals_ended.wait()
    if not (site.flipped or _spent(site) >= _PLACES):
        return
    if site.session.deep.setdefault("residual", site.number) != site.number:
        return
    for _ in range(_TRIES):
        here, there = await _draw(site), await _draw(site)
        if here is None or there is None:
            return
        memory = _Memory(site, here, there)
        if await memory.is_of_use():
            await memory.ask()
            return


def _spent(site: Site) -> int:
    """Neutral addresses that answered a harmless name until the forbidden one was asked there, and nobody after it: what a
    memory of the server's address makes of a comparison.
    """
    passed: dict[tuple[str | None, str | None], list[bool]] = {}
    for o in site.session.recorder.observations:
        mine = o.endpoint == site.number and o.purpose == "neutral_pair" and o.arm is not None
        if mine and (isinstance(o.fact, TlsFact) or o.failure is not None):
            passed.setdefault((o.group, o.operation.address), []).append(o.failure is None)
    return sum(arms[0] and len(arms) > 2 and not any(arms[1:]) for arms in passed.values())


async def _draw(site: Site) -> Neutral | None:
    place = Place(purpose="residual", endpoint=site.number)
    return await site.session.neutrals.draw(site.session, place, tuple(site.addresses), site.neutral_networks)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One exchange: whether it got a ServerHello, and the port of ours it went from (``None``: no connection)."""

    passed: bool
    port: int | None


class _Memory:
    """One neutral address where the name is asked, and another one where it never is."""

    def __init__(self, site: Site, here: Neutral, there: Neutral) -> None:
        self._site = site
        self._here, self._there = here.address, there.address
        self._innocuous = site.session.neutrals.innocuous(site.host, here.name)
        self._scale = site.settings.deadline_scale
        self._since = 0.0

    async def is_of_use(self) -> bool:
        """Whether both places answer a harmless name, and the first one from a port that was just used."""
        first = await self._ask("reference", "innocuous", self._here)
        again = await self._ask("reference", "innocuous", self._here, number=1, port=first.port)
        other = await self._ask("reference/other", "innocuous", self._there)
        return first.passed and again.passed and other.passed

    async def ask(self) -> None:
        """The name once; then what else fails at once, and for how long."""
        port = await self._trigger(0)
        if port is None:
            return
        same = await self._ask("same/0", "innocuous", self._here, port=port)
        fresh = await self._ask("port/0", "innocuous", self._here)
        elsewhere = await self._ask("address/0", "innocuous", self._there)
        if not elsewhere.passed:
            return  # it is this computer that is being punished: every further question would be, too
        if not fresh.passed:
            await self._of_the_server()
        elif not same.passed:
            await self._of_both_ports()

    async def _trigger(self, number: int) -> int | None:
        """The port that the name was asked from, if it was stopped."""
        trigger = await self._ask("trigger", "target", self._here, number=number)
        return None if trigger.passed else trigger.port

    async def _of_both_ports(self) -> None:
        async with asyncio.TaskGroup() as triggers:
            asked = [triggers.create_task(self._trigger(number)) for number in range(1, len(RESTS_S) + 1)]
        self._since = self._site.wire.monotonic()
        for rest_s, trigger in zip(RESTS_S, asked, strict=True):
            port = trigger.result()
            if port is None:
                return
            await self._rest_until(rest_s)
            if (await self._ask(f"same/{rest_s}", "innocuous", self._here, port=port)).passed:
                return

    async def _of_the_server(self) -> None:
        for rest_s in SERVER_RESTS_S:
            self._since = self._site.wire.monotonic()
            await self._rest_until(rest_s)
            if (await self._ask(f"port/{rest_s}", "innocuous", self._here)).passed:
                return

    async def _rest_until(self, seconds: float) -> None:
        wire = self._site.wire
        await wire.sleep(max(0.0, self._since + seconds * self._scale - wire.monotonic()))

    async def _ask(self, group: str, which: Arm, address: str, *, number: int = 0, port: int | None = None) -> _Asked:
        """One greeting, given up after a second; nothing of it is sent again afterwards."""
        site, scale = self._site, self._scale
        place = Place(purpose="residual", endpoint=site.number, group=group, arm=which, round=number)
        name = site.host if which == "target" else self._innocuous
        await site.session.pacer.flow()
        connected = await tcp.connect(
            site.wire,
            address,
            443,
            deadline_s=_CONNECT_S * scale,
            options=TcpOptions(from_port=port),
            name=name,
        )
        site.record(connected.operation, **place.fields())
        if connected.stream is None:
            return _Asked(passed=False, port=None)
        own_port = connected.stream.own_port
        connected.stream.forget_when_closed()
        hello = tls.Hello(sni=sni_of(name))
        operation = await tls.first_record(site.wire, connected.stream, hello=hello, deadline_s=_ARM_S * scale)
        site.record(operation, **place.fields())
        return _Asked(passed=operation.failure is None, port=own_port)
