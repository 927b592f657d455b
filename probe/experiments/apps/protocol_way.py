"""How far a protocol's packets get on the way to a control's echo, and how far random ones do: where it is stopped.

A box at home, the provider, a network behind it and whoever rents out the control's machine stop a protocol alike. Routers tell
them apart: of packets that are let go only so many of them far, the last one that speaks of the one kind, and the next one
that speaks of the other kind only. Each is asked three times, from far to near and from near to far in turn: who counts such
packets, and stops them after some, stops them by their turn and not by how far they go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from probe.experiments.steps import Place, connect
from probe.instruments import path
from probe.instruments.apps import way
from probe.observations import AppFact, Arm, HopOf, Observation, Operation, PathFact, Purpose
from probe.verdict import protocol_way
from probe.verdict.networks import network_of

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.apps.encrypted import Shape

PURPOSE: Purpose = "protocol_pair"
_HOPS = range(2, 13)
"""Behind the household's router, and as far as the way leaves the provider's network, as a rule."""
_MOST = 6
"""Routers of the household's and the provider's that the protocol's packets are let go to: further on nothing is proven."""
_WAIT_S = 1.5
_STAGGER_S = 0.015
_BOTH: tuple[Arm, ...] = ("target", "innocuous")


@dataclass(slots=True)
class Way:
    """One comparison's way. ``make`` gives a fresh shape for an arm; ``before``: so many packets go all the way first."""

    site: Site
    address: str
    port: int
    make: Callable[[Arm], Shape]
    before: int = 0
    over_udp: bool = True
    _seen: list[Observation] = field(default_factory=list)
    _public: list[str] = field(default_factory=list)
    """The provider's first router with a public address, once it has spoken."""
    _own: str | None = None

    async def follow(self) -> None:
        """Random packets to every router, and then both kinds to those that spoke, while there is something to be learnt."""
        self._own = path.own_address(self.site.wire, self.address, self.port)
        heard = await self._routers()
        hops = _worth(heard)
        for number in range(protocol_way.TIMES if hops else 0):
            async with asyncio.TaskGroup() as group:
                for ttl in sorted(hops, reverse=number % 2 == 0):
                    for which in _BOTH:
                        group.create_task(self._let_go(which, ttl, number))
                        await self._stagger()
            if protocol_way.stop(self._seen, times=number + 1) is None:
                return

    async def _routers(self) -> Mapping[int, HopOf | None]:
        """Those that speak of random packets, and whose they are: recorded at the end, for the nearest tells the provider."""
        if not path.AVAILABLE:
            return {}
        async with asyncio.TaskGroup() as group:
            tasks = {}
            for ttl in _HOPS:
                tasks[ttl] = group.create_task(self._ask(ttl))
                await self._stagger()
        heard: dict[int, HopOf | None] = {}
        for ttl, task in tasks.items():
            operation, hop = task.result()
            fact = self._note("innocuous", ttl, None, operation, hop)
            if fact.hop_is is not None:
                heard[ttl] = fact.hop_of
        return heard

    async def _stagger(self) -> None:
        await self.site.wire.sleep(_STAGGER_S * self.site.settings.deadline_scale)

    async def _ask(self, ttl: int) -> tuple[Operation, str | None]:
        """Which router it is. Of a connection's packets the kernel does not tell it, but of the one that opens it."""
        site, wait_s = self.site, _WAIT_S * self.site.settings.deadline_scale
        await site.session.pacer.flow()
        if self.over_udp:
            shape = self.make("innocuous")
            ended = await way.over_udp(
                site.wire, self.address, self.port, shape, ttl=ttl, before=0, wait_s=wait_s, name=site.host
            )
            return ended.operation, ended.hop
        looked = await path.syn(site.wire, self.address, self.port, ttl=ttl, deadline_s=wait_s)
        fact = looked.fact
        assert isinstance(fact, PathFact)
        return replace(looked, fact=replace(fact, hop=None), name=site.host), fact.hop

    async def _let_go(self, which: Arm, ttl: int, number: int) -> None:
        site, shape = self.site, self.make(which)
        known: dict[str, Any] = {
            "ttl": ttl,
            "before": self.before if which == "target" else 0,
            "wait_s": _WAIT_S * site.settings.deadline_scale,
            "name": site.host,
        }
        if self.over_udp:
            await site.session.pacer.flow()
            ended = await way.over_udp(site.wire, self.address, self.port, shape, **known)
        else:
            stream = await connect(site.session, self._place(which, number), self.address, self.port, name=site.host)
            if stream is None:
                return
            try:
                ended = await way.over_tcp(site.wire, stream, shape, **known)
            finally:
                stream.close()
        self._note(which, ttl, number, ended.operation, ended.hop)

    def _place(self, which: Arm, number: int | None) -> Place:
        return Place(purpose=PURPOSE, endpoint=self.site.number, group=protocol_way.GROUP, arm=which, round=number)

    def _note(
        self, which: Arm, ttl: int, number: int | None, operation: Operation, hop: str | None
    ) -> AppFact | PathFact:
        """Record it with whose the router is, and without its address: it is on the way to the user's own server."""
        fact = operation.fact
        assert isinstance(fact, AppFact | PathFact)
        fact = replace(fact, ttl=ttl, hop_of=self._whose(hop, fact.hop_is))
        self._seen.append(self.site.record(replace(operation, fact=fact), **self._place(which, number).fields()))
        return fact

    def _whose(self, hop: str | None, scope: str | None) -> HopOf | None:
        """Addresses that a provider shares among its customers are its own; a public one is if it is in one network with the
        nearest, by the user's table or by its look. ``None`` for one that may be this household's or company's.
        """
        if scope == "shared":
            return "provider"
        if hop is None or scope != "public" or self._may_be_ours(hop):
            return None
        if not self._public:
            self._public.append(hop)
        return "provider" if self._networks(hop) & self._networks(self._public[0]) else "other"

    def _may_be_ours(self, hop: str) -> bool:
        """Whether it is near to this host's own address, or that is a public one in the same network, as in a university or a
        data centre, whose own boxes look like a provider's. Of IPv6 all are public: there only what is near counts.
        """
        own = self._own
        if own is None:
            return False
        is_inside = (
            ":" not in own and path.scope_of(own, None) == "public" and bool(self._networks(own) & self._networks(hop))
        )
        return is_inside or not path.may_be_kept(hop, _HOPS[0], own)

    def _networks(self, hop: str) -> set[str | int]:
        atlas = self.site.session.networks
        owner = atlas.owner_of(hop) if atlas is not None else None
        return {network_of(hop)} | ({owner.asn} if owner is not None else set())


def _worth(heard: Mapping[int, HopOf | None]) -> list[int]:
    """The hops to let the protocol's packets go to: all before the first that is another network's, and that one."""
    others = [ttl for ttl, whose in sorted(heard.items()) if whose == "other"]
    ours = [ttl for ttl, whose in sorted(heard.items()) if whose != "other" and ttl < min(others, default=99)]
    return [*ours[:_MOST], *others[:1]]
