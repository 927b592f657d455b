"""What is between home and the servers of the pretend Internet: routers, and behind some of them the box that reads QUIC.

Only datagrams that are let go so many routers far meet the routers; what goes all the way is told by its TTL alone that it
passed them. Plain words, no sockets.
"""

from __future__ import annotations

from probe.control.sinks.quic_greeting import Greeting
from probe.demo.world import World, rule_for
from probe.instruments import quic_packets

ROUTERS = ("192.168.1.1", "21.0.0.1", "21.0.1.1", "21.0.2.1", "26.0.0.1", "26.0.1.1", "27.0.0.1")
"""The household's own, three of the provider's, and those of the networks behind it."""
_BOX_BEHIND = 3
"""The box stands between the second and the third router of the provider's."""
_LONGEST_HELLO = 16_384


class Flow:
    """The datagrams of one caller's port as the box sees them: from a greeting with a forbidden name on all are lost.

    The greeting may come in several datagrams. A caller that shows another connection ID than before is another one at the
    same port.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._caller = b""
        self._greetings: dict[bytes, Greeting] = {}
        self._lost = False

    def loses(self, datagram: bytes) -> bool:
        """Whether *datagram*, the next of the flow, is lost."""
        for packet in quic_packets.initials(datagram):
            if packet.head.source != self._caller:
                self._caller, self._greetings, self._lost = packet.head.source, {}, False
            # What is sent before a server's Retry and after it has different keys.
            greeting = self._greetings.setdefault(packet.head.destination, Greeting(_LONGEST_HELLO))
            greeting.feed(datagram, packet)
            rule = rule_for(self._world, greeting.hello.sni) if greeting.hello is not None else None
            self._lost = self._lost or (rule is not None and rule.quic)
        return self._lost

    def ends_at(self, ttl: int, datagram: bytes) -> str | None:
        """The router at which *datagram*, let go *ttl* routers far, ends with that router's word; ``None``: none speaks."""
        if self._world.link != "up" or ttl > len(ROUTERS) or (ttl > _BOX_BEHIND and self.loses(datagram)):
            return None
        return ROUTERS[ttl - 1]
