"""TTLs as devices on the way change them, resets among answers, and what several paths do: more rules for the router."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.censor import Flow, NameResetBeside
from tests.lab.packets import RST, TCP, Packet
from tests.lab.rules import Network, Rule, _remember


@dataclass(kw_only=True)
class SetTtl(Rule):
    """What goes to the probe leaves here as if its sender had begun with ``to``: all of it, or only ``what``: ``resets``, or
    ``data`` (the rest keeps its own)."""

    to: int = 255
    what: str = "all"

    def act(self, packet: Packet, network: Network) -> bool:
        is_reset = packet.protocol == TCP and bool(packet.flags & RST)
        wanted = {"all": True, "resets": is_reset, "data": bool(packet.payload)}[self.what]
        if not packet.up and wanted:
            packet.age(packet.ttl - self.to)
        return True


@dataclass(kw_only=True)
class ResetAndForget(NameResetBeside):
    """As ``NameResetBeside``; and a router nearer by forgets a connection at its first reset, so that nothing of it arrives."""

    _over: OrderedDict[Flow, bool] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if packet.flags & packets.SYN and packet.up:
            self._over.pop(packet.flow, None)
        return super().match(packet)

    def punish(self, packet: Packet, network: Network) -> bool:
        super().punish(packet, network)
        if packet.up and packet.payload:
            _remember(self._over, packet.flow, value=True)
        return packet.up or packet.flow not in self._over
