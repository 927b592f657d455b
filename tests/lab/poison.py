"""A forger between the provider's resolver and the zones' servers: the resolver is honest, and passes on what it was told."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab import packets
from tests.lab.net import RESOLVER
from tests.lab.packets import UDP, Packet
from tests.lab.rules import Network, Rule


@dataclass(kw_only=True)
class Poison(Rule):
    """A forged reply to what the provider's resolver asks over UDP about these names and all below; the true one is late.

    ``address`` or ``rcode`` is what it says; ``resolver`` who asks; ``kinds`` the types of question that it acts on (none:
    all of them, also those about keys)."""

    names: tuple[str, ...] = ()
    address: str | None = None
    rcode: int = 0
    resolver: str = RESOLVER
    kinds: tuple[int, ...] = (1, 28)

    def match(self, packet: Packet) -> bool:
        if packet.up or packet.protocol != UDP or packet.dport != 53 or packet.src != packets.raw(self.resolver):
            return False
        asked = packets.question(packet.payload)
        if asked is None or (self.kinds and asked[1] not in self.kinds):
            return False
        return any(asked[0] == name or asked[0].endswith("." + name) for name in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        forged = packets.dns_reply(packet.payload, rcode=self.rcode, address=self.address)
        network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, forged))
        return True
