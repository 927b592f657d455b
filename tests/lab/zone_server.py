"""An authoritative server for every zone of the pretend Internet, each at its own servers' addresses (RFC 1034, 4035).

Run as ``python -m tests.lab.zone_server FILE`` with a JSON object in the file: ``phases``, a list of trees as ``zones.tree``
makes them, and ``control``, a port on loopback: every datagram that comes there turns to the next phase. Signed zones are
signed while they are asked, with keys that follow from their names; denials are the narrow ones of RFC 4470.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dns.dnssec
import dns.dnssectypes
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

_DAY = 86_400
_DELEGATION_TTL = 86_400
_KEY_FLAGS = 257
_LARGEST = 1232


@functools.cache
def _key(zone: str) -> ec.EllipticCurvePrivateKey:
    """Always the same key for the same zone, so that nobody has to be told."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(b"lab " + zone.encode()).digest()), ec.SECP256R1())


@functools.cache
def dnskey(zone: str) -> DNSKEY:
    """The zone's only key, which signs everything in it."""
    algorithm = dns.dnssectypes.Algorithm.ECDSAP256SHA256
    return dns.dnssec.make_dnskey(_key(zone).public_key(), algorithm, flags=_KEY_FLAGS)


def ds(zone: str, *, bogus: bool = False) -> str:
    """The parent's word for the zone's key; *bogus*: for one that it does not have."""
    return str(dns.dnssec.make_ds(_name(zone), dnskey(zone + " before" if bogus else zone), "SHA256").to_text())


def trust_anchor() -> str:
    """What a validating resolver must be told of the root, as a DNSKEY record."""
    return f". IN DNSKEY {dnskey('').to_text()}"


@functools.cache
def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(text or ".")


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _above(name: str) -> Iterator[str]:
    """The name, and all above it, the root last."""
    while name:
        yield name
        name = name.partition(".")[2]
    yield ""


class Tree:
    """One phase of the whole tree, with the answers that it has made before."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.zones: dict[str, Any] = told["zones"]
        self.at: dict[str, list[str]] = told["at"]
        self._turn = itertools.count()
        self._made: dict[tuple[Any, ...], bytes] = {}
        for zone in self.zones.values():
            zone["nodes"] = {name for owner in (*zone["records"], *zone["children"]) for name in _above(owner)}

    def answer(self, query: bytes, server: str, asker: str) -> bytes | None:
        """What the server at *server* says to *asker*; ``None``: it is dead, or that is no question."""
        try:
            asked = dns.message.from_wire(query, ignore_trailing=True)
            question = asked.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        if server not in self.at:
            return None
        name = _text(question.name)
        zone = self._zone(name, question.rdtype, self.at[server])
        if zone is None:
            refusal = dns.message.make_response(asked)
            refusal.set_rcode(dns.rcode.REFUSED)
            return refusal.to_wire()
        spec = self.zones[zone]
        if asker in spec["deaf_to"]:
            return None
        dnssec = bool(asked.ednsflags & dns.flags.DO)
        key = (zone, question.name.to_text(), question.rdtype, dnssec, asked.edns)
        fixed = not spec["rotate"] and name not in (spec["tailored"] or {})
        if fixed and key in self._made:
            return query[:2] + self._made[key][2:]
        wire = _Reply(self, spec, asked, asker, next(self._turn)).wire()
        if fixed:
            self._made[key] = wire
        return wire

    def _zone(self, name: str, kind: int, served: list[str]) -> str | None:
        """The nearest zone of *served* that the question is about; what is said of a key is the parent's business."""
        above = list(_above(name))
        if kind == dns.rdatatype.DS and len(above) > 1:
            above = [zone for zone in above[1:] if zone in served] or above[:1]
        return next((zone for zone in above if zone in served), None)


class _Reply:
    """One reply in the making."""

    def __init__(self, tree: Tree, zone: dict[str, Any], asked: dns.message.Message, asker: str, turn: int) -> None:
        self._zone, self._asker, self._turn = zone, asker, turn
        self._message = dns.message.make_response(asked, our_payload=_LARGEST)
        self._question = asked.question[0]
        if zone["lowers"]:
            lowered = dns.name.from_text(self._question.name.to_text().lower())
            self._message.question[0] = dns.rrset.RRset(lowered, self._question.rdclass, self._question.rdtype)
        self._signs = zone["signed"] and bool(asked.ednsflags & dns.flags.DO)
        self._kind = dns.rdatatype.to_text(self._question.rdtype)
        self._fill(_text(self._question.name))

    def wire(self) -> bytes:
        return self._message.to_wire()

    def _fill(self, name: str) -> None:
        cut = self._cut(name)
        if cut is not None and not (cut == name and self._kind == "DS"):
            self._refer(cut)
            return
        self._message.flags |= dns.flags.AA
        if cut is not None:
            self._about_child(cut)
            return
        for _ in range(8):
            target = self._say(name)
            if target is None or self._cut(target) is not None or not self._is_mine(target):
                return
            name = target

    def _is_mine(self, name: str) -> bool:
        return self._zone["name"] in _above(name)

    def _cut(self, name: str) -> str | None:
        return next((above for above in _above(name) if above in self._zone["children"]), None)

    # sections

    def _add(self, section: list[Any], owner: str, kind: str, ttl: int, values: list[str], wild: str = "") -> None:
        rrset = dns.rrset.from_text_list(_name(owner), ttl, "IN", kind, values)
        section.append(rrset)
        if self._signs and not wild:
            section.append(self._signature(rrset))

    def _signature(self, rrset: dns.rrset.RRset) -> dns.rrset.RRset:
        zone, now = self._zone["name"], time.time_ns() // 10**9
        # The key itself is signed elsewhere and by hand; what nobody ran any more is what signs the zone.
        ended = self._zone["fault"] == "expired" and rrset.rdtype != dns.rdatatype.DNSKEY
        expiration = now + (-7 if ended else 14) * _DAY
        rrsig = dns.dnssec.sign(
            rrset, _key(zone), _name(zone), dnskey(zone), inception=now - 30 * _DAY, expiration=expiration
        )
        return dns.rrset.from_rdata(rrset.name, rrset.ttl, rrsig)

    def _refer(self, child: str) -> None:
        told, authority = self._zone["children"][child], self._message.authority
        servers = dns.rrset.from_text_list(
            _name(child), 172_800, "IN", "NS", [server + "." for server, _ in told["ns"]]
        )
        authority.append(servers)
        if told["signed"]:
            if self._signs:
                self._add(authority, child, "DS", _DELEGATION_TTL, [ds(child, bogus=told["bogus"])])
        elif self._signs:
            self._add(authority, child, "NSEC", 900, [f"{_after(child)} NS RRSIG NSEC"])
        for server, address in told["ns"]:
            self._message.additional.append(dns.rrset.from_text(_name(server), 172_800, "IN", "A", address))

    def _about_child(self, child: str) -> None:
        """The DS of a delegation, or that there is none."""
        told = self._zone["children"][child]
        if told["signed"]:
            self._add(self._message.answer, child, "DS", _DELEGATION_TTL, [ds(child, bogus=told["bogus"])])
        else:
            self._deny(child, "NS")

    def _say(self, name: str) -> str | None:
        """What the zone has on *name*; the target, when that is another name."""
        zone, answer = self._zone, self._message.answer
        if name in zone["denies"]:
            self._missing(name)
            return None
        own, wild = zone["records"].get(name), ""
        if own is None and name not in zone["nodes"]:
            wild = next((f"*.{up}" for up in _above(name) if f"*.{up}" in zone["records"]), "")
            own = zone["records"].get(wild)
            if own is None:
                self._missing(name)
                return None
        own = self._tailored(name, own or {})
        if own is None:
            self._missing(name)
            return None
        if name == zone["name"] and self._kind == "SOA":
            self._add(answer, name, "SOA", 900, [zone["soa"]])
        elif name == zone["name"] and self._kind == "DNSKEY" and zone["signed"]:
            self._add(answer, name, "DNSKEY", 3600, [dnskey(name).to_text()])
        elif self._kind in own:
            ttl, values = own[self._kind]
            chosen = values if not zone["rotate"] else [values[self._turn % len(values)]]
            self._add(answer, name, self._kind, ttl, chosen, wild)
        elif "CNAME" in own:
            ttl, (target,) = own["CNAME"]
            self._add(answer, name, "CNAME", ttl, [target + "."], wild)
            return str(target)
        else:
            self._deny(name, *own)
        return None

    def _tailored(self, name: str, own: dict[str, Any]) -> dict[str, Any] | None:
        """What this asker is told of a name; ``None``: that it does not exist."""
        told = (self._zone["tailored"] or {}).get(name, {})
        if self._asker not in told:
            return own
        addresses = told[self._asker]
        return {**own, "A": [60, list(addresses)]} if addresses else None

    # denials

    def _soa(self) -> None:
        self._add(self._message.authority, self._zone["name"], "SOA", 900, [self._zone["soa"]])

    def _deny(self, name: str, *kinds: str) -> None:
        """The name exists, and has nothing of that type."""
        self._soa()
        if self._signs:
            apex = ("SOA", "DNSKEY") if name == self._zone["name"] else ()
            here = " ".join((*kinds, *apex, "RRSIG", "NSEC"))
            self._add(self._message.authority, name, "NSEC", 900, [f"{_after(name)} {here}"])

    def _missing(self, name: str) -> None:
        self._message.set_rcode(dns.rcode.NXDOMAIN)
        self._soa()
        if not self._signs:
            return
        above = list(_above(name))
        at = next(n for n, up in enumerate(above) if up in self._zone["nodes"] or up == self._zone["name"])
        for owner in (above[at - 1], f"*.{above[at]}".rstrip(".")):
            label, _, rest = owner.partition(".")
            before = label[:-1] + chr(ord(label[-1]) - 1) + "~"
            ends = [f"{part}.{rest}".rstrip(".") for part in (before, label + "!")]
            self._add(self._message.authority, ends[0], "NSEC", 900, [f"{ends[1]}. RRSIG NSEC"])


def _after(name: str) -> str:
    """The name that follows directly in canonical order (RFC 4034 §6.1)."""
    return f"\\000.{name}." if name else "\\000."


# ---------------------------------------------------------------------------------------------------------------------


class Server:
    """All servers of all zones, in whichever phase the tree is."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._trees = [Tree(phase) for phase in told["phases"]]
        self._control = told["control"]

    @property
    def tree(self) -> Tree:
        return self._trees[0]

    def turn(self) -> None:
        if len(self._trees) > 1:
            self._trees.pop(0)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for address in sorted({address for tree in self._trees for address in tree.at}):
            await loop.create_datagram_endpoint(functools.partial(_Datagrams, self, address), (address, 53))
            await asyncio.start_server(functools.partial(self._stream, address), address, 53)
        await loop.create_datagram_endpoint(lambda: _Turns(self), ("127.0.0.1", self._control))
        await asyncio.Event().wait()

    async def _stream(self, server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(30):
                while True:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    query = await reader.readexactly(size)
                    reply = self.tree.answer(query, server, writer.get_extra_info("peername")[0])
                    if reply is not None:
                        writer.write(struct.pack("!H", len(reply)) + reply)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server, address: str) -> None:
        self._server, self._address = server, address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.tree.answer(data, self._address, addr[0])
        if reply is not None:
            self._transport.sendto(reply, addr)


class _Turns(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.turn()
        self._transport.sendto(data, addr)


if __name__ == "__main__":
    asyncio.run(Server(json.loads(Path(sys.argv[1]).read_text())).run())
