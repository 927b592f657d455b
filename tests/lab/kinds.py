"""A device that reads DNS questions of one kind only: what resolvers and boxes get wrong about AAAA (RFC 4074)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab import packets
from tests.lab.packets import UDP, Packet
from tests.lab.rules import Network, Rule

AAAA = 28


@dataclass(kw_only=True)
class OfKind(Rule):
    """Questions of one *kind*, for the *names* and what is below them (all names if there are none): silence, or a reply
    with *rcode* and, for a question that it fits, *address*; then the true answer never comes."""

    kind: int = AAAA
    names: tuple[str, ...] = ()
    silent: bool = False
    rcode: int = 0
    address: str | None = None

    def match(self, packet: Packet) -> bool:
        if packet.protocol != UDP or not packet.up or packet.dport != 53 or not self.when.holds(packet):
            return False
        asked = packets.question(packet.payload)
        return asked is not None and asked[1] == self.kind and self._covers(asked[0])

    def _covers(self, name: str) -> bool:
        return not self.names or any(name == known or name.endswith("." + known) for known in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        if not self.silent:
            reply = packets.dns_reply(packet.payload, rcode=self.rcode, address=self.address)
            network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, reply))
        return False
