"""Addresses that have nothing to do with a target: where a pair of names can be compared without the target's server.

A neutral runs under another operator, serves no canary in this run, answers an innocuous name first, and serves one
target only: some censors punish the address as well as the name, and a punished neutral would fail for everyone.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments.steps import Place
from probe.instruments import dns
from probe.observations import DnsFact

if TYPE_CHECKING:
    from random import Random

    from probe.experiments.session import Session
    from targets.model import Canaries


@dataclass(frozen=True, slots=True)
class Neutral:
    """An address and the name that it was found under."""

    address: str
    name: str


class Neutrals:
    """Draws canaries and neutrals for one run, so that none is both."""

    def __init__(self, canaries: Canaries, random: Random, own_side_members: int = 3) -> None:
        foreign = list(canaries.family("foreign"))
        random.shuffle(foreign)
        self.canaries = tuple(foreign[:own_side_members])
        spare = [member.where for member in foreign[own_side_members:]]
        pool = [name for name in canaries.innocuous if name not in {member.where for member in foreign}]
        random.shuffle(pool)
        self._unused = spare + pool
        self._pool = tuple(canaries.innocuous) or tuple(spare)
        self._random = random

    def innocuous(self, like: str, avoid: str) -> str:
        """An innocuous name as long as *like* (or nearly), so that both hellos have one length; never *avoid*."""
        names = [name for name in self._pool if name not in (like, avoid)]
        self._random.shuffle(names)
        return min(names, key=lambda name: abs(len(name) - len(like)))

    async def draw(self, session: Session, place: Place, unlike: tuple[str, ...]) -> Neutral | None:
        """A neutral that nobody has had yet, or ``None`` when the pool is empty.

        *unlike* are addresses of the target: a neutral in one of their networks (/16, /32) might be the same operator.
        """
        while self._unused:
            name = self._unused.pop(0)
            address = await _resolve(session, place, name)
            if address is not None and not any(_near(address, other) for other in unlike):
                return Neutral(address, name)
        return None


async def _resolve(session: Session, place: Place, name: str) -> str | None:
    servers = session.wire.nameservers()
    if not servers:
        return None
    asked = await dns.ask_udp(
        session.wire,
        servers[0],
        dns.Question(name),
        role="system",
        deadline_s=session.settings.deadlines.dns,
        resend_s=session.settings.deadlines.dns_resend,
    )
    asked.lingering.close()
    # How the neutral was found is no arm of anything.
    session.record(asked.operation, **(place.fields() | {"group": "draw", "arm": None, "round": None}))
    fact = asked.operation.fact
    assert isinstance(fact, DnsFact)
    usable = [address for address in fact.addresses if _is_public(address)]
    return usable[0] if usable else None


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return not (ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)


def _near(one: str, other: str) -> bool:
    a, b = ipaddress.ip_address(one), ipaddress.ip_address(other)
    if a.version != b.version:
        return False
    bits = 16 if a.version == 4 else 32
    return a in ipaddress.ip_network(f"{other}/{bits}", strict=False)
