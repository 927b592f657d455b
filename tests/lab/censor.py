"""Devices that act on names, in the manners that have been reported of them: more rules for the router.

Each is ``ByName`` with its own punishment, so a new manner is one class. Nothing here is imported outside the router but as
data; only the standard library is there.
"""

from __future__ import annotations

import ssl
import struct
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.packets import ACK, FIN, PSH, RST, SYN, TCP, Packet
from tests.lab.rules import ByName, NameDrop, NameReset, Network, Rule, When, _remember

Flow = tuple[bytes, int, int, int]
_SEGMENT = 1400


def _from_server(about: Packet, payload: bytes, *, flags: int = ACK | PSH, ahead: int = 0) -> Packet:
    """A segment to the client in the server's name, *ahead* bytes after what the client has acknowledged."""
    seq, ack = struct.unpack_from("!II", about.data, about.header + 4)
    return packets.tcp(
        about.dst, about.dport, about.src, about.sport, seq=ack + ahead, ack=seq + len(about.payload),
        flags=flags, payload=payload, window=64240, up=False,
    )  # fmt: skip


def _to_client(about: Packet, payload: bytes, network: Network) -> None:
    """All of *payload* and the end of the connection, in the server's name."""
    for at in range(0, len(payload), _SEGMENT):
        network.emit(_from_server(about, payload[at : at + _SEGMENT], ahead=at))
    network.emit(_from_server(about, b"", flags=ACK | FIN, ahead=len(payload)))


# ---------------------------------------------------------------------------------------------------------------------
# silence


@dataclass(kw_only=True)
class NameReplyDrop(ByName):
    """The greeting is delivered and acknowledged; what the server then says is dropped."""

    def punish(self, packet: Packet, network: Network) -> bool:
        return packet.up or not packet.payload


@dataclass(kw_only=True)
class NameHush(ByName):
    """The greeting is let out, with whatever follows it; nothing of that flow comes in any more, no acknowledgement either."""

    def punish(self, packet: Packet, network: Network) -> bool:
        return packet.up


@dataclass(kw_only=True)
class NameCut(ByName):
    """After so many bytes of the server's answer nothing of that flow is delivered any more, either way."""

    after: int = 3000
    _passed: dict[Flow, int] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        passed = self._passed.get(packet.flow, 0)
        if not packet.up:
            self._passed[packet.flow] = passed + len(packet.payload)
        return passed < self.after


@dataclass(kw_only=True)
class NameCutPackets(ByName):
    """After so many packets of the client, the greeting's included, nothing of that flow is delivered any more."""

    after: int = 2
    _sent: dict[Flow, int] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        sent = self._sent.get(packet.flow, 0) + packet.up
        self._sent[packet.flow] = sent
        return sent <= self.after


@dataclass(kw_only=True)
class NamePassOnce(ByName):
    """The packet that has the name in it is delivered, and nothing of that flow any more, in either direction."""

    _first: OrderedDict[Flow, bool] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if packet.flags & SYN and packet.up:
            self._first.pop(packet.flow, None)
        return super().match(packet)

    def punish(self, packet: Packet, network: Network) -> bool:
        known = packet.flow in self._first
        _remember(self._first, packet.flow, True)
        return not known


@dataclass(kw_only=True)
class ExactNameDrop(NameDrop):
    """As ``NameDrop``, for the listed names themselves and not for what is under them."""

    def covers(self, name: str) -> bool:
        return name in self.names


@dataclass(kw_only=True)
class WordDrop(NameDrop):
    """As ``NameDrop``, for every name that has one of the listed words in it."""

    def covers(self, name: str) -> bool:
        return any(word in name for word in self.names)


# ---------------------------------------------------------------------------------------------------------------------
# resets and ends


@dataclass(kw_only=True)
class NameResetBeside(ByName):
    """A device beside the path: it cannot stop the greeting, and sends a RST to the client (to both with ``both``).

    ``mirrored``: the RST carries the TTL and the next IP-ID of what the server last sent. ``on_reply``: it is sent when the
    server's answer comes by, which is let pass behind it.
    """

    both: bool = False
    ttl: int = 64
    identification: int = 0
    window: int = 0
    mirrored: bool = False
    on_reply: bool = False
    _last: OrderedDict[Flow, tuple[int, int]] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if self.mirrored and not packet.up and packet.protocol == TCP:
            _remember(self._last, packet.flow, (packet.data[8], struct.unpack_from("!H", packet.data, 4)[0]))
        return super().match(packet)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.payload and not packet.flags & RST and packet.up != self.on_reply:
            ttl, identification = self.ttl, self.identification
            if self.mirrored:
                ttl, seen = self._last.get(packet.flow, (ttl, identification))
                identification = (seen + 1) & 0xFFFF
            for to_client in (True, False) if self.both else (True,):
                network.emit(
                    packets.reset(
                        packet,
                        to_sender=to_client == packet.up,
                        ttl=ttl,
                        identification=identification,
                        window=self.window,
                    )
                )
        return True


@dataclass(kw_only=True)
class NameResetReply(ByName):
    """The greeting passes; in place of the server's answer the client gets a RST, and so does the server."""

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up:
            return True
        if packet.payload and not packet.flags & RST:
            network.emit(packets.reset(packet, to_sender=True))
            network.emit(packets.reset(packet, to_sender=False))
        return not packet.payload


@dataclass(kw_only=True)
class NameEnd(ByName):
    """The greeting is swallowed, and the client gets ``says`` (a TLS alert, or nothing) and an orderly end."""

    says: bytes = b""

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            _to_client(packet, self.says, network)
            network.emit(packets.reset(packet, to_sender=False))
        return False


def alert(number: int) -> bytes:
    """A fatal TLS alert, as a record (RFC 8446 §6)."""
    return bytes((0x15, 3, 3, 0, 2, 2, number))


# ---------------------------------------------------------------------------------------------------------------------
# memory


@dataclass(kw_only=True)
class Residual(NameDrop):
    """As ``NameDrop``; and for a while everything else between the same ends is dropped too, whatever it names.

    ``ports``: 4 keeps both ports in mind (Kazakhstan, 120 s), 3 only the server's (China, 180 s).
    """

    ports: int = 3
    seconds: float = 180.0
    _until: dict[tuple[bytes, int, int], float] = field(default_factory=dict)

    def match(self, packet: Packet) -> bool:
        if packet.protocol != TCP or not self.when.holds(packet):
            return False
        key = self._key(packet)
        if time.monotonic() < self._until.get(key, 0.0):
            return True
        found = super().match(packet)
        if found:
            self._until[key] = time.monotonic() + self.seconds
        return found

    def _key(self, packet: Packet) -> tuple[bytes, int, int]:
        remote, port, near, _ = packet.flow
        return (remote, port, near if self.ports == 4 else 0)


@dataclass(kw_only=True)
class OnlyListed(ByName):
    """A whitelist: a greeting is delivered only if it names one of ``names`` (or their subdomains)."""

    def _reads(self, packet: Packet) -> bool:
        name = packets.sni(packet.payload)
        if name is None or any(name == known or name.endswith("." + known) for known in self.names):
            return False
        _remember(self._forbidden, packet.flow, name)
        return True

    def punish(self, packet: Packet, network: Network) -> bool:
        return not packet.up


# ---------------------------------------------------------------------------------------------------------------------
# pages


@dataclass(kw_only=True)
class NamePage(ByName):
    """A response of the device's own to a request for the name; the request is swallowed, or goes on with ``pass_on``.

    ``path``: only requests whose target begins so.
    """

    http: bool = True
    response: bytes = b""
    path: str = "/"
    pass_on: bool = False

    def _reads(self, packet: Packet) -> bool:
        return asks_for(packet.payload, self.path) and super()._reads(packet)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            _to_client(packet, self.response, network)
            if not self.pass_on:
                network.emit(packets.reset(packet, to_sender=False))
        # Beside the path it stops nobody: the true page arrives behind, where its bytes are no longer wanted.
        return self.pass_on


@dataclass(kw_only=True)
class UrlReset(NameReset):
    """As ``NameReset``, only for requests whose target begins with ``path``."""

    http: bool = True
    path: str = "/"

    def _reads(self, packet: Packet) -> bool:
        return asks_for(packet.payload, self.path) and super()._reads(packet)


def asks_for(request: bytes, path: str) -> bool:
    """Whether an HTTP/1 request (or its beginning) has a target that begins with *path*."""
    method, _, rest = request.partition(b" ")
    return method in (b"GET", b"HEAD", b"POST") and rest.startswith(path.encode())


def response(status: str, body: str = "", **headers: str) -> bytes:
    """An HTTP/1.1 response as such devices send it."""
    data = body.encode()
    lines = {"Content-Type": "text/html; charset=utf-8", **{k.replace("_", "-"): v for k, v in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data


# ---------------------------------------------------------------------------------------------------------------------
# interception


@dataclass(kw_only=True)
class NameForge(ByName):
    """A box that takes the connection over at the greeting and shows a certificate of its own making for the name.

    ``chains`` are PEM chains by name with one ``key``; a greeting that names another passes. It speaks TCP as simply as a
    lossless line allows: one segment after another, nothing sent twice but on request.
    """

    chains: dict[str, bytes] = field(default_factory=dict)
    key: bytes = b""
    page: bytes = b""
    _taken: dict[Flow, _Taken] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = tuple(self.chains)

    def punish(self, packet: Packet, network: Network) -> bool:
        if not packet.up:
            return False
        taken = self._taken.get(packet.flow)
        if taken is None:
            name = next(n for n in self._matching(packet))
            taken = self._taken[packet.flow] = _Taken(packet, self.chains[name], self.key, self.page)
            network.emit(packets.reset(packet, to_sender=False))
        for answer in taken.take(packet):
            network.emit(answer)
        return False

    def _matching(self, packet: Packet) -> Iterator[str]:
        said = self._forbidden[packet.flow]
        yield from (name for name in self.chains if said == name)
        yield from (name for name in self.chains if said.endswith("." + name))


class _Taken:
    """One connection that the box has taken over."""

    def __init__(self, greeting: Packet, chain: bytes, key: bytes, page: bytes) -> None:
        self._expected, self._next = struct.unpack_from("!II", greeting.data, greeting.header + 4)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._page = page
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile() as file:
            file.write(chain + key)
            file.flush()
            context.load_cert_chain(file.name)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = False

    def take(self, packet: Packet) -> Iterator[Packet]:
        """What the box answers to one segment of the client."""
        (seq,) = struct.unpack_from("!I", packet.data, packet.header + 4)
        payload = packet.payload
        if packet.flags & RST or not (payload or packet.flags & FIN):
            return
        if seq == self._expected:
            self._expected = (seq + len(payload)) & 0xFFFFFFFF
            self._incoming.write(payload)
            self._go_on()
        data, flags = self._outgoing.read(), ACK
        if packet.flags & FIN:
            self._expected, flags = (self._expected + 1) & 0xFFFFFFFF, ACK | FIN
        yield from self._segments(packet, data, flags)

    def _segments(self, about: Packet, data: bytes, flags: int) -> Iterator[Packet]:
        pieces = [data[at : at + _SEGMENT] for at in range(0, len(data), _SEGMENT)] or [b""]
        for piece in pieces:
            yield packets.tcp(
                about.dst, about.dport, about.src, about.sport, seq=self._next, ack=self._expected,
                flags=flags, payload=piece, window=64240, up=False,
            )  # fmt: skip
            self._next = (self._next + len(piece)) & 0xFFFFFFFF

    def _go_on(self) -> None:
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            if self._tls.read(16384) and self._page:
                self._tls.write(self._page)
        except ssl.SSLError:
            # It wants more of the client, or the client has had enough.
            return


# ---------------------------------------------------------------------------------------------------------------------
# in time, and by the look of a greeting


@dataclass(kw_only=True)
class During(Rule):
    """Another rule, but only from ``start`` to ``end``, in seconds since the first packet that ``since`` describes."""

    rule: Rule = field(default_factory=Rule)
    since: When = field(default_factory=When)
    start: float = 0.0
    end: float = float("inf")
    _begun: float | None = None

    def match(self, packet: Packet) -> bool:
        now = time.monotonic()
        if self._begun is None and self.since.holds(packet):
            self._begun = now
        if self._begun is None or not self.start <= now - self._begun < self.end:
            return False
        return self.rule.match(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        return self.rule.act(packet, network)


@dataclass(kw_only=True)
class FirstFlows(Rule):
    """A RST to the client when it first sends something, on the first so many flows only; then never again."""

    flows: int = 1
    _seen: list[Flow] = field(default_factory=list)

    def act(self, packet: Packet, network: Network) -> bool:
        if not packet.up or packet.flags & SYN or not packet.payload:
            return True
        if packet.flow not in self._seen:
            self._seen.append(packet.flow)
        if self._seen.index(packet.flow) >= self.flows:
            return True
        network.emit(packets.reset(packet, to_sender=True))
        return False


@dataclass(kw_only=True)
class NotABrowser(NameReset):
    """The server's own guard: a greeting for the name is answered with a RST unless it looks like a browser's.

    What it looks at is the first cipher suite: Chrome's is a GREASE value (RFC 8701), which no library sends.
    """

    place: str = "far"  # type: ignore[assignment]

    def _reads(self, packet: Packet) -> bool:
        hello = packet.payload
        if len(hello) > 48 and hello[0] == 0x16:
            at = 44 + hello[43] + 2
            if hello[at] & 0x0F == 0x0A and hello[at] == hello[at + 1]:
                return False
        return super()._reads(packet)
