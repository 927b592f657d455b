"""Devices that act on QUIC: by the name in the greeting, by version, or on all of it. More rules for the router."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from tests.lab import initials
from tests.lab.packets import UDP, Packet
from tests.lab.rules import Network, Rule, When, _remember

Flow = tuple[bytes, int, int, int]


@dataclass(kw_only=True)
class QuicDrop(Rule):
    """From an Initial with a listed name on, what the client sends on that flow is dropped, for ever.

    The name is read as the RFC lets everybody on the path read it. ``reassemble``: greetings in several datagrams are put
    together, in whatever order they come. ``both``: the server's datagrams of that flow are dropped as well, ``replies``: those
    alone. What has another version than 1 is not read, so it passes, and so does the server's version negotiation.
    """

    when: When = field(default_factory=lambda: When(protocol=UDP, ports=(443,)))
    names: tuple[str, ...] = ()
    reassemble: bool = True
    both: bool = False
    replies: bool = False
    _greetings: OrderedDict[Flow, initials.Greeting] = field(default_factory=OrderedDict)
    _forbidden: OrderedDict[Flow, str] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if not self.when.holds(packet):
            return False
        return packet.flow in self._forbidden or (packet.up and self._reads(packet))

    def _reads(self, packet: Packet) -> bool:
        datagram = packet.payload
        found = initials.initials(datagram)
        if not found:
            return False
        greeting = self._greetings.get(packet.flow)
        if greeting is None:
            greeting = initials.Greeting(found[0].destination, self.reassemble)
            _remember(self._greetings, packet.flow, greeting)
        name = greeting.name(datagram)
        if not name or not self.covers(name):
            return False
        _remember(self._forbidden, packet.flow, name)
        return True

    def covers(self, name: str) -> bool:
        """Whether the list has this name, or one above it."""
        return any(name == listed or name.endswith("." + listed) for listed in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        return packet.up if self.replies else not (packet.up or self.both)


@dataclass(kw_only=True)
class QuicVersionDrop(Rule):
    """Client Initials of the listed versions are dropped, whatever they name; other versions and short headers pass."""

    when: When = field(default_factory=lambda: When(protocol=UDP, ports=(443,), side="up"))
    versions: tuple[int, ...] = (initials.VERSION_1,)

    def act(self, packet: Packet, network: Network) -> bool:
        return initials.version(packet.payload) not in self.versions
