"""Addresses that have nothing to do with a target: where a pair of names can be compared without the target's server.

A neutral runs under another operator, serves no canary in this run, answers an innocuous name first, and serves one
target only: some censors punish the address as well as the name, and a punished neutral would fail for everyone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments.questions import NO_WORD, in_order
from probe.experiments.steps import Place
from probe.instruments import dns
from probe.observations import DnsFact, Operation
from probe.verdict.networks import network_of

if TYPE_CHECKING:
    from random import Random

    from probe.experiments.session import Session
    from probe.wire.resolvers import Nameserver
    from targets.model import Canaries


_LOOKS = 12
"""Names that one draw may pass over: a resolver that gives one address for everything must not be asked for the whole pool."""


@dataclass(frozen=True, slots=True)
class Neutral:
    """An address and the name that it was found under."""

    address: str
    name: str


class Neutrals:
    """Draws canaries and neutrals for one run, so that none is both."""

    def __init__(
        self,
        canaries: Canaries,
        random: Random,
        own_side_members: int = 3,
        *,
        resting: Collection[str] = (),
        beside: Collection[Neutrals] = (),
    ) -> None:
        """*resting* are names whose addresses served another run a moment ago: they serve nobody in this one. *beside* are
        those of runs that are under way: what one of them has taken by then serves nobody in this one either.
        """
        foreign = list(canaries.family("foreign"))
        random.shuffle(foreign)
        foreign.sort(key=lambda member: member.where in resting)
        self.canaries = tuple(foreign[:own_side_members])
        spare = [member.where for member in foreign[own_side_members:] if member.where not in resting]
        known = {*resting, *(member.where for member in foreign)}
        pool = [name for name in canaries.innocuous if name not in known]
        random.shuffle(pool)
        self._unused = spare + pool
        self._beside = beside
        self.taken = {member.where for member in self.canaries}
        self._pool = tuple(canaries.innocuous) or tuple(spare)
        self._random = random

    def innocuous(self, like: str, avoid: str) -> str:
        """An innocuous name as long as *like* (or nearly), so that both hellos have one length; never *avoid*."""
        return self.several(like, avoid, 1)[0]

    def several(self, like: str, avoid: str, count: int) -> tuple[str, ...]:
        """So many of them, or all that there are."""
        names = [name for name in self._pool if name not in (like, avoid)]
        self._random.shuffle(names)
        return tuple(sorted(names, key=lambda name: abs(len(name) - len(like)))[:count])

    def mixed(self, like: str, avoid: str, count: int) -> tuple[str, ...]:
        """So many, and every other one is a name that nobody has heard of, about as long as *like*.

        Boxes that go by a list of what they let through (a tariff's free names, a filter's ratings) know well-known names;
        the target they may not know, and then they treat it as they treat any such name.
        """
        known = self.several(like, avoid, (count + 1) // 2)
        return tuple(
            known[number // 2 % len(known)] if number % 2 == 0 else _unheard_of(self._random, len(like))
            for number in range(count)
        )

    async def draw(
        self, session: Session, place: Place, unlike: tuple[str, ...], beside: set[str] | None = None
    ) -> Neutral | None:
        """A neutral that nobody has had yet, or ``None`` when there is none.

        *unlike* are addresses of the target: a neutral in one of their networks might be the same operator's. *beside* are
        networks of the target's other neutrals, to which this one's is added: two of one operator are one to the judge. If
        a dozen looks find no other network, one of these must do. What was not taken stays for other targets.
        """
        beside = set() if beside is None else beside
        own = {network_of(address) for address in unlike}
        second: Neutral | None = None
        left: list[str] = []
        others: list[str] = []
        try:
            while self._unused and len(left) < _LOOKS:
                name = self._unused.pop(0)
                if self._is_anothers(name):
                    others.append(name)
                    continue
                self.taken.add(name)
                address = await resolve(session, place, name)
                if address is None:
                    continue
                found, network = Neutral(address, name), network_of(address)
                if network not in own and network not in beside:
                    beside.add(network)
                    return found
                left.append(name)
                second = second or (found if network not in own else None)
            if second is not None:
                left.remove(second.name)
            return second
        finally:
            self._unused += left + others
            self.taken.difference_update(left)

    def _is_anothers(self, name: str) -> bool:
        return any(name in other.taken for other in self._beside if other is not self)


_CONSONANTS, _VOWELS, _ENDS = "bdklmr", "aeo", (".com", ".net", ".org")
"""Syllables that hold no word that a filter may look for, of one consonant and one vowel each, as names have."""
_SHORTEST = 10
"""What is shorter may well be somebody's."""


def _unheard_of(random: Random, length: int) -> str:
    """A made-up name of *length* letters, or of ten if that is fewer."""
    room = max(length, _SHORTEST) - len(_ENDS[0])
    begins = "www." if room >= len("www.") + _SHORTEST - len(_ENDS[0]) else ""
    letters = (random.choice(_VOWELS if at % 2 else _CONSONANTS) for at in range(min(room - len(begins), _LABEL)))
    return begins + "".join(letters) + random.choice(_ENDS)


_LABEL = 63
"""RFC 1035 §2.3.4."""


async def resolve(session: Session, place: Place, name: str) -> str | None:
    """An address of *name*, by the system's resolvers in turn. One that was silent comes last from then on, so that its
    silence is not waited for at every look.
    """
    silent = session.silent_resolvers
    for server in in_order(session):
        operation = await _ask(session, place, server, name)
        fact = operation.fact
        assert isinstance(fact, DnsFact)
        usable = [address for address in fact.addresses if _is_public(address)]
        if usable or operation.failure not in NO_WORD or server.address in silent:
            return usable[0] if usable else None
        if operation.failure == "generic_timeout_error":
            silent.add(server.address)
    return None


async def _ask(session: Session, place: Place, server: Nameserver, name: str) -> Operation:
    await session.questions.turn()
    asked = await dns.ask_udp(
        session.wire,
        server,
        dns.Question(name),
        role="system",
        deadline_s=session.settings.deadlines.dns,
        resend_s=session.settings.deadlines.dns_resend,
    )
    asked.lingering.close()
    # How the neutral was found is no arm of anything.
    session.record(asked.operation, **(place.fields() | {"group": "draw", "arm": None, "round": None}))
    return asked.operation


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return not (ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)
