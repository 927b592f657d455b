"""What the network does to packets besides delivering them: faults and the censor, as rules.

A ``Rule`` sits at a ``place`` on the path, sees what passes there in both directions, and says whether the packet goes on.
It is plain data until the router starts it, so a scenario lists rules and a later, cleverer censor is one more class with
``match`` and ``act``. Rules run in order; the first that eats a packet ends its journey.
"""

from __future__ import annotations

import ipaddress
import random
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tests.lab import packets
from tests.lab.packets import TCP, UDP, Packet

Place = Literal["home", "access", "border", "far"] | int
"""On the first router; behind it; where the provider hands over to transit; behind the last router before the server; or
behind so many routers, seen from the probe."""


ON_TIME = (0.0,)


class Network(Protocol):
    """What a rule may do besides letting pass or eating."""

    random: random.Random
    arrivals: tuple[float, ...]
    """How much later than usual the packet that is looked at arrives, in seconds: once a number. A rule may set it."""

    def emit(self, packet: Packet) -> None:
        """Send a packet of the middlebox's own from where the rule sits towards the packet's destination."""


@dataclass(frozen=True, kw_only=True)
class When:
    """Which packets: all that is given must hold. ``remote`` is networks of the end that is not the probe, of either version;
    ``version`` is 4 or 6, both if it is not given."""

    protocol: int | None = None
    version: Literal[4, 6] | None = None
    ports: tuple[int, ...] = ()
    remote: tuple[str, ...] = ()
    side: Literal["up", "down"] | None = None
    larger_than: int | None = None
    fraction: float = 1.0
    """Of flows, not of packets: a share of source ports, as a path behind a load balancer."""
    by_address: bool = False
    """The fraction is of remote addresses instead: a balancer that does not look at ports."""
    _networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(
        init=False, repr=False, compare=False, hash=False
    )
    _seen: dict[bytes, bool] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_networks", [ipaddress.ip_network(network) for network in self.remote])
        object.__setattr__(self, "_seen", {})

    def holds(self, packet: Packet) -> bool:
        if self.protocol is not None and packet.protocol != self.protocol:
            return False
        if self.version is not None and packet.version != self.version:
            return False
        if self.side is not None and (self.side == "up") != packet.up:
            return False
        if self.ports and packet.remote_port not in self.ports:
            return False
        if self.larger_than is not None and len(packet.data) <= self.larger_than:
            return False
        if self.remote and not self._is_remote(packet.remote):
            return False
        what = packet.remote if self.by_address else packet.flow
        return self.fraction >= 1 or zlib.crc32(repr(what).encode()) % 1000 < self.fraction * 1000

    def _is_remote(self, address: bytes) -> bool:
        known = self._seen.get(address)
        if known is None:
            ip = ipaddress.ip_address(address)
            known = self._seen[address] = any(ip in network for network in self._networks)
        return known


@dataclass(kw_only=True)
class Rule:
    """Lets everything pass. Subclasses override ``act`` and, if ``when`` is not enough, ``match``."""

    when: When = When()
    place: Place = "border"

    def match(self, packet: Packet) -> bool:
        return self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        """What to do with a packet that matched. ``True``: it goes on; ``False``: it has been eaten."""
        return True


# ---------------------------------------------------------------------------------------------------------------------
# by address, port and size


@dataclass(kw_only=True)
class Drop(Rule):
    """Silence. With ``when.larger_than`` and ``side`` a path-MTU hole: no ICMP says so."""

    def act(self, packet: Packet, network: Network) -> bool:
        return False


@dataclass(kw_only=True)
class DropExcept(Drop):
    """Silence for what ``when`` says, but not for what ``but`` says."""

    but: When = When()

    def match(self, packet: Packet) -> bool:
        return self.when.holds(packet) and not self.but.holds(packet)


@dataclass(kw_only=True)
class Lose(Rule):
    """Independent random loss."""

    probability: float = 0.1

    def act(self, packet: Packet, network: Network) -> bool:
        return network.random.random() >= self.probability


@dataclass(kw_only=True)
class Reset(Rule):
    """A RST to whoever sent the packet, and the packet is dropped."""

    ttl: int = 64
    identification: int = 0

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.protocol == TCP and not packet.flags & packets.RST:
            network.emit(packets.reset(packet, to_sender=True, ttl=self.ttl, identification=self.identification))
        return False


@dataclass(kw_only=True)
class ResetExcept(Reset):
    """A RST for what ``when`` says, but not for what ``but`` says."""

    but: When = When()

    def match(self, packet: Packet) -> bool:
        return self.when.holds(packet) and not self.but.holds(packet)


@dataclass(kw_only=True)
class Unreachable(Rule):
    """ICMP destination unreachable from *offender* with a code of RFC 792 (0 net, 1 host, 3 port, 13 prohibited)."""

    code: int = 1
    offender: str = "198.51.100.1"

    def act(self, packet: Packet, network: Network) -> bool:
        if not packet.is_error:
            network.emit(packets.icmp(packets.raw(self.offender), packet, 3, self.code))
        return False


@dataclass(kw_only=True)
class Divert(Rule):
    """Destination NAT of the probe's flows to another server (captive portal, transparent proxy), and back."""

    to: str = ""
    port: int | None = None
    _original: OrderedDict[tuple[int, int], tuple[bytes, int]] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        to = packets.raw(self.to)
        if packet.up:
            here = len(packet.dst) == len(to) and packet.dst != to
            return here and packet.protocol in (TCP, UDP) and self.when.holds(packet)
        return packet.src == to and (packet.protocol, packet.dport) in self._original

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.up:
            _remember(self._original, (packet.protocol, packet.sport), (packet.dst, packet.dport))
            packet.readdress(dst=packets.raw(self.to), dport=self.port or packet.dport)
        else:
            address, port = self._original[packet.protocol, packet.dport]
            packet.readdress(src=address, sport=port)
        return True


@dataclass(kw_only=True)
class Translate(Rule):
    """Made-up addresses become true ones on the way, and back: a tunnel on the router that answers DNS with its own."""

    addresses: dict[str, str] = field(default_factory=dict)
    _made_up: OrderedDict[tuple[int, int, bytes], bytes] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if packet.up:
            return packets.text(packet.dst) in self.addresses
        return (packet.protocol, packet.dport, packet.src) in self._made_up

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.up:
            true = packets.raw(self.addresses[packets.text(packet.dst)])
            _remember(self._made_up, (packet.protocol, packet.sport, true), packet.dst)
            packet.readdress(dst=true)
        else:
            packet.readdress(src=self._made_up[packet.protocol, packet.dport, packet.src])
        return True


# ---------------------------------------------------------------------------------------------------------------------
# by name: the censor


@dataclass(kw_only=True)
class ByName(Rule):
    """A device that reads names: the SNI of a ClientHello on any port, or the Host of a request on port 80.

    It keeps the flow's first bytes, so a ClientHello in two segments is read too (``reassemble``). What follows on a flow
    that carried a forbidden name is for ``punish``. A name covers its subdomains.
    """

    names: tuple[str, ...] = ()
    http: bool = False
    reassemble: bool = True
    _pending: OrderedDict[tuple[bytes, int, int, int], bytes] = field(default_factory=OrderedDict)
    _forbidden: OrderedDict[tuple[bytes, int, int, int], str] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if packet.protocol != TCP or not self.when.holds(packet):
            return False
        if packet.flags & packets.SYN and packet.up:
            # A fresh flow on a 4-tuple that was seen before: no residual memory unless a subclass has it.
            self._pending.pop(packet.flow, None)
            self._forbidden.pop(packet.flow, None)
            return False
        if packet.flow in self._forbidden:
            return True
        return packet.up and self._reads(packet)

    def _reads(self, packet: Packet) -> bool:
        payload = packet.payload
        if not payload:
            return False
        before = self._pending.get(packet.flow, b"")
        # A retransmission repeats the beginning; only what continues an unfinished hello is appended.
        start = payload if payload[:1] == b"\x16" or not before or not self.reassemble else before + payload
        name = packets.host(start) if self.http else packets.sni(start)
        if name is None:
            if len(start) < 8192:
                _remember(self._pending, packet.flow, start)
            return False
        if not self.covers(name):
            return False
        _remember(self._forbidden, packet.flow, name)
        return True

    def covers(self, name: str) -> bool:
        """Whether the list has this name, or one above it."""
        return any(name == forbidden or name.endswith("." + forbidden) for forbidden in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        return self.punish(packet, network)

    def punish(self, packet: Packet, network: Network) -> bool:
        raise NotImplementedError


@dataclass(kw_only=True)
class NameDrop(ByName):
    """The request is never delivered: from the forbidden name on, what the client sends is dropped (Kazakhstan's way)."""

    def punish(self, packet: Packet, network: Network) -> bool:
        return not packet.up


@dataclass(kw_only=True)
class NameReset(ByName):
    """A RST to the client, to the server too if ``both``; the request itself is swallowed."""

    both: bool = True
    ttl: int = 64
    identification: int = 0

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            network.emit(packets.reset(packet, to_sender=True, ttl=self.ttl, identification=self.identification))
            if self.both:
                network.emit(packets.reset(packet, to_sender=False, ttl=self.ttl, identification=self.identification))
        return False


@dataclass(kw_only=True)
class DnsInject(Rule):
    """A forged reply to every udp/53 question for the names; the true answer still comes if ``pass_on``."""

    names: tuple[str, ...] = ()
    address: str | None = None
    rcode: int = 0
    pass_on: bool = True

    def match(self, packet: Packet) -> bool:
        if packet.protocol != UDP or not packet.up or packet.dport != 53 or not self.when.holds(packet):
            return False
        asked = packets.question(packet.payload)
        return asked is not None and any(asked[0] == name or asked[0].endswith("." + name) for name in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        forged = packets.dns_reply(packet.payload, rcode=self.rcode, address=self.address)
        network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, forged))
        return self.pass_on


def _remember(memory: OrderedDict[Any, Any], key: object, value: object, most: int = 65536) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)
