"""Devices that act on greetings with an encrypted one inside (ECH, RFC 9849), by the outer name or whatever it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.packets import TCP, Packet
from tests.lab.rules import NameDrop, NameReset, When, _remember

OUTER = "cloudflare-ech.com"
_ECH = 0xFE0D


def extensions(hello: bytes) -> tuple[int, ...]:
    """Types of the extensions of the ClientHello that begins a flow; none where it is no whole one."""
    at = 5 + 4 + 2 + 32
    try:
        at += 1 + hello[at]
        at += 2 + int.from_bytes(hello[at : at + 2])
        at += 1 + hello[at]
        end, found = at + 2 + int.from_bytes(hello[at : at + 2]), []
        at += 2
        while at < end:
            found.append(int.from_bytes(hello[at : at + 2]))
            at += 4 + int.from_bytes(hello[at + 2 : at + 4])
    except IndexError:
        return ()
    return tuple(found)


@dataclass(kw_only=True)
class EchDrop(NameDrop):
    """From a greeting with the extension and a listed outer name on (any name, if none is), the client's side is dropped, as
    has been seen in Russia since November 2024."""

    when: When = field(default_factory=lambda: When(protocol=TCP, ports=(443,)))
    names: tuple[str, ...] = (OUTER,)

    def _reads(self, packet: Packet) -> bool:
        return _is_hidden(self, packet)


@dataclass(kw_only=True)
class EchReset(NameReset):
    """The same, and the connection is reset."""

    when: When = field(default_factory=lambda: When(protocol=TCP, ports=(443,)))
    names: tuple[str, ...] = (OUTER,)

    def _reads(self, packet: Packet) -> bool:
        return _is_hidden(self, packet)


def _is_hidden(rule: EchDrop | EchReset, packet: Packet) -> bool:
    name = packets.sni(packet.payload) if packet.payload[:1] == b"\x16" else None
    if name is None or _ECH not in extensions(packet.payload) or (rule.names and not rule.covers(name)):
        return False
    _remember(rule._forbidden, packet.flow, name)
    return True
