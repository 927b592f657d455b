"""A box that takes questions in clear to itself, whoever they are sent to: a rule for the router."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.packets import UDP, Packet
from tests.lab.rules import Network, Rule

_NXDOMAIN = 3


@dataclass(kw_only=True)
class TakeQuestions(Rule):
    """Answers questions over UDP in the name of whoever was asked: with ``address`` or ``rcode`` about ``names`` and all below
    them, with what it ``knows`` about others, and that there is no such name about the rest. Where it knows nothing, others go
    on. ``ttl`` is what its answers begin with.
    """

    names: tuple[str, ...] = ()
    address: str | None = None
    rcode: int = 0
    knows: dict[str, str] = field(default_factory=dict)
    ttl: int = 64

    def match(self, packet: Packet) -> bool:
        if packet.protocol != UDP or not packet.up or packet.dport != 53 or not self.when.holds(packet):
            return False
        asked = packets.question(packet.payload)
        return asked is not None and (bool(self.knows) or self._lists(asked[0]))

    def _lists(self, name: str) -> bool:
        return any(name == listed or name.endswith("." + listed) for listed in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        asked = packets.question(packet.payload)
        assert asked is not None
        if self._lists(asked[0]):
            reply = packets.dns_reply(packet.payload, rcode=self.rcode, address=self.address)
        else:
            true = self.knows.get(asked[0])
            reply = packets.dns_reply(packet.payload, rcode=0 if true is not None else _NXDOMAIN, address=true)
        network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, reply, ttl=self.ttl))
        return False
