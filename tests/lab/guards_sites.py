"""What stands at a site's own end and acts on packets, and some boxes on the way that pass for it: rules for the router.

The first half is scrubbers, limits and tarpits in front of servers; none of them reads a name. The second half is devices
that read names and take the look of a site's own trouble. Only the standard library is there.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.censor import Flow
from tests.lab.packets import ACK, FIN, RST, SYN, Packet
from tests.lab.rules import ByName, Network, Place, Rule

_OPENING = SYN | ACK


def _opens(packet: Packet) -> bool:
    """Whether it is the client's first word."""
    return packet.up and packet.flags & _OPENING == SYN


def _accept(about: Packet, *, ack_ahead: int = 1, window: int = 64240) -> Packet:
    """A SYN-ACK in the server's name; *ack_ahead* other than 1 acknowledges what was not sent."""
    (seq,) = struct.unpack_from("!I", about.data, about.header + 4)
    return packets.tcp(
        about.dst, about.dport, about.src, about.sport, seq=0x5C2B0000, ack=seq + ack_ahead,
        flags=SYN | ACK, window=window, up=False,
    )  # fmt: skip


@dataclass(kw_only=True)
class Guard(Rule):
    """Something in front of a server, behind the last router."""

    place: Place = "far"


@dataclass(kw_only=True)
class FirstSyn(Guard):
    """A scrubber that believes in nobody's first SYN: real systems send another a second later.

    ``challenge``: it answers the first with an acknowledgement that is wrong, to which real systems say RST (RFC 9293
    §3.10.7.3); otherwise it says nothing.
    """

    challenge: bool = False
    _known: set[Flow] = field(default_factory=set)

    def act(self, packet: Packet, network: Network) -> bool:
        if not packet.up or packet.flow in self._known:
            # The RST that the challenge asked for is not the server's business.
            return not (packet.up and packet.flags & RST and self.challenge and not packet.flags & ACK)
        if not _opens(packet):
            return True
        self._known.add(packet.flow)
        if self.challenge:
            network.emit(_accept(packet, ack_ahead=0x4D5A))
        return False


@dataclass(kw_only=True)
class OpenAtOnce(Guard):
    """So many connections of one visitor may be open at once; a further one is reset."""

    limit: int = 2
    _open: set[Flow] = field(default_factory=set)

    def act(self, packet: Packet, network: Network) -> bool:
        if _opens(packet) and packet.flow not in self._open:
            if len(self._open) >= self.limit:
                network.emit(packets.reset(packet, to_sender=True))
                return False
            self._open.add(packet.flow)
        if packet.flags & (FIN | RST):
            self._open.discard(packet.flow)
        return True


@dataclass(kw_only=True)
class BansTheEager(Guard):
    """Whoever opens more than ``limit`` connections in ten seconds is not heard for an hour."""

    limit: int = 4
    _recent: deque[float] = field(default_factory=deque)
    _banned_until: float = 0.0

    def act(self, packet: Packet, network: Network) -> bool:
        now = time.monotonic()
        if _opens(packet) and now >= self._banned_until:
            self._recent.append(now)
            while self._recent[0] < now - 10:
                self._recent.popleft()
            if len(self._recent) > self.limit:
                self._banned_until = now + 3600
        return now >= self._banned_until or not packet.up


@dataclass(kw_only=True)
class ClosedWindow(Guard):
    """A tarpit, or a machine out of memory: connections are made, and there is never room for a byte."""

    def act(self, packet: Packet, network: Network) -> bool:
        if not packet.up:
            struct.pack_into("!H", packet.data, packet.header + 14, 0)
            packet.seal()
        return True


@dataclass(kw_only=True)
class AcceptsForNobody(Guard):
    """A scrubber that makes connections in the server's place and reaches no server behind: nothing is acknowledged."""

    def act(self, packet: Packet, network: Network) -> bool:
        if _opens(packet):
            network.emit(_accept(packet))
        return False


@dataclass(kw_only=True)
class ResetsBeside(Guard):
    """An intrusion detector beside the hosting company's line: a RST for every greeting, which goes on to the server."""

    ttl: int = 255
    identification: int = 0

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload[:1] == b"\x16":
            network.emit(packets.reset(packet, to_sender=True, ttl=self.ttl, identification=self.identification))
        return True


# ---------------------------------------------------------------------------------------------------------------------
# boxes that pass for a site in trouble


@dataclass(kw_only=True)
class NameResetLate(ByName):
    """The greeting is swallowed; only when the client has sent it for the third time does a RST come, as by a front end
    that has given up on who stands behind it."""

    tries: int = 3
    _sent: dict[Flow, int] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            self._sent[packet.flow] = self._sent.get(packet.flow, 0) + 1
            if self._sent[packet.flow] >= self.tries:
                network.emit(packets.reset(packet, to_sender=True))
                network.emit(packets.reset(packet, to_sender=False))
        return not packet.up


@dataclass(kw_only=True)
class NameResetRequest(ByName):
    """The handshake passes; what the client says from its third segment on, the request, is swallowed and both ends get a RST."""

    passes: int = 2
    _sent: dict[Flow, int] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        if not packet.up or not packet.payload:
            return self._sent.get(packet.flow, 0) <= self.passes
        sent = self._sent[packet.flow] = self._sent.get(packet.flow, 0) + 1
        if sent > self.passes:
            network.emit(packets.reset(packet, to_sender=True))
            network.emit(packets.reset(packet, to_sender=False))
        return sent <= self.passes


@dataclass(kw_only=True)
class NameLoses(ByName):
    """From the greeting on most packets of the flow are lost at random, either way, as on a server's overloaded line."""

    probability: float = 0.9

    def punish(self, packet: Packet, network: Network) -> bool:
        return network.random.random() >= self.probability
