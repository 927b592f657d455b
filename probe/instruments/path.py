"""One packet that is let go only so many routers far: who answers it, and what comes of it.

Where a TTL runs out the router says so (RFC 792, RFC 4443), and Linux hands that to whoever sent the packet, without any
privilege (``IP_RECVERR``; for SYNs since 5.8). Measured on Linux 6.18: for a SYN the error queue names the router and the
connect ends with EHOSTUNREACH at once; on an open connection the errno comes alone, the connection lives on, and the kernel
sends the same bytes again at its next resend, with whatever TTL the socket has then. So a greeting that has shown how far it
gets can be let go all the way, on the same connection and by the same way. The port is free at once after both, which makes
one way comparable: a SYN, a greeting with one name and one with another, one after the other from one port.

What the kernel sends again it reads again, if it was given pages of a file (sendfile(2)). So the same bytes of a connection can
say one name as far as the TTL goes and another one all the way: whoever is near has read the first, and the far end answers
the second. Measured on Linux 6.18.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from probe.instruments import failures, kernel, tls_records
from probe.instruments.trust import arm_context
from probe.observations import Came, HopScope, Operation, PathFact
from probe.wire import Wire
from probe.wire.sockets import LINUX, TcpOptions, break_off, get_ttl, pending_error, set_ttl

if TYPE_CHECKING:
    import socket

    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import Hello

CHANGES = LINUX and hasattr(os, "memfd_create")
"""Whether this host can send other words again than it sent first."""
AVAILABLE = LINUX
"""Elsewhere no program hears which router a packet has got to, unless it may read all of them."""

_READ_BYTES = 16_384
_WELL_KNOWN = "64:ff9b::"
_HTTP = b"HTTP/"
_BESIDE_S = 0.12
"""A device beside the way answers about when the router does: so long it is waited for after the router has spoken."""
_FAILURES: dict[Came, str | None] = {
    "icmp": "host_unreachable",
    "reset": "connection_reset",
    "fin": "eof_error",
    "answer": None,
    "nothing": "generic_timeout_error",
}
_ROUTERS = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.ENOPROTOOPT, errno.EPROTO})
"""What ICMP becomes on a TCP socket: a TTL that ran out and most that is unreachable (tcp(7), icmp(7))."""
_RESETS = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


def came_of(error: OSError) -> Came | None:
    """What came back, by what the kernel made of it; ``None`` where this host refused to send at all."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return "nothing"
    if getattr(error, "icmp", None) is not None or error.errno in _ROUTERS:
        return "icmp"
    if error.errno in _RESETS:
        return "reset"
    return "nothing" if error.errno == errno.ETIMEDOUT else None


def scope_of(hop: str, gateway: str | None) -> HopScope:
    """What kind of address a router spoke from."""
    if hop == gateway:
        return "gateway"
    address = ipaddress.ip_address(hop)
    if address.is_private or address.is_link_local:
        return "private"
    return "public" if address.is_global else "shared"


def may_be_kept(hop: str, ttl: int, own: str | None) -> bool:
    """Whether a router's address says nothing of who measures: it is public, not the first one, and not beside this host."""
    if ttl <= 1 or scope_of(hop, None) != "public":
        return False
    if own is None:
        return True
    address, mine = ipaddress.ip_address(hop), ipaddress.ip_address(own.partition("%")[0])
    near = 24 if mine.version == 4 else 48
    return address.version != mine.version or address not in ipaddress.ip_network((mine, near), strict=False)


def is_ours(hop: str, ttl: int, own: str | None) -> bool:
    """Whether a router with a public address may be of this household's or organisation's own: it is near to this host, or
    this host has a public IPv4 address itself, in the same network by its look (16 bits).
    """
    if own is None or ":" in own or ":" in hop or scope_of(own, None) != "public":
        return not may_be_kept(hop, ttl, own)
    return ipaddress.ip_address(hop) in ipaddress.ip_network((own, 16), strict=False)


def own_address(wire: Wire, address: str, port: int) -> str | None:
    """Which of this host's addresses packets there leave from. Nothing is sent."""
    try:
        with wire.udp(address, port) as sock:
            sock.connect()
            return sock.own_address()
    except OSError:
        return None


# ---------------------------------------------------------------------------------------------------------------------
# a SYN


@dataclass(slots=True)
class _End:
    """This host's end of a connection, as the kernel had it."""

    address: str | None = None
    port: int | None = None

    late: OSError | None = None
    opened: bool = False
    """What had come by the time that the wait was over: a busy host hears of it too late."""

    def look(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.address, self.port = sock.getsockname()[:2]
            self.late = pending_error(sock)
            self.opened = bool(sock.getpeername())


async def syn(
    wire: Wire, address: str, port: int, *, ttl: int, deadline_s: float, source_port: int | None = None
) -> Operation:
    """Send a SYN that may pass *ttl* - 1 routers, and wait for whoever speaks first. What opens is broken off at once."""
    begun, begun_us, end = wire.monotonic(), wire.now_us(), _End()
    error: OSError | None = None
    try:
        async with asyncio.timeout(deadline_s):
            options = TcpOptions(ttl=ttl, source_port=source_port)
            sock = await wire.connect(address, port, options, before_close=end.look)
        end.look(sock)
        break_off(sock)
    except OSError as raised:
        error = raised
        if isinstance(raised, TimeoutError) and (end.late is not None or end.opened):
            error = end.late
    came: Came | None = "answer" if error is None else came_of(error)
    took_us = round((wire.monotonic() - begun) * 1e6)
    fact = PathFact(
        sent="syn",
        ttl=ttl,
        source_port=end.port or source_port,
        came=came,
        after_us=took_us if came not in (None, "nothing") else None,
        errno=failures.errno_name(error) if error else None,
        **router_of(error, ttl, end.address, wire.gateway(), wire.translator),
    )
    place: dict[str, Any] = {"started_us": begun_us, "duration_us": took_us, "address": address, "port": port}
    return Operation(fact=fact, failure=_failure(came, error), **place)


def router_of(
    error: OSError | None, ttl: int, own: str | None, gateway: str | None, translator: str | None
) -> dict[str, Any]:
    """The fields that tell which router spoke, as far as they may be kept."""
    icmp_type, icmp_code, hop = getattr(error, "icmp", None) or (None, None, None)
    found: dict[str, Any] = {"icmp_type": icmp_type, "icmp_code": icmp_code}
    if hop is not None:
        # An IPv6 router is known to this host by a link-local address, and speaks from another one, its provider's even.
        first = ttl == 1 and ":" in hop
        hop = embedded(hop, translator)
        found["hop_is"] = "gateway" if first else scope_of(hop, gateway)
        # Over IPv6 a second router at home has a public address as well, and so has a university's or a data centre's own.
        if found["hop_is"] == "public" and ttl > 1 and is_ours(hop, ttl, own):
            found["hop_is"] = "private"
        found["hop"] = hop if may_be_kept(hop, ttl, own) else None
    return found


def embedded(hop: str, translator: str | None) -> str:
    """The IPv4 address of a router behind a translator (NAT64), as RFC 6052 §2.2 puts it into one of IPv6; else *hop*.

    *translator*: the prefix of this network's own, 96 bits; the well-known one (64:ff9b::) is always known.
    """
    if ":" not in hop:
        return hop
    number = int(ipaddress.IPv6Address(hop.partition("%")[0]))
    known = (int(ipaddress.IPv6Address(prefix)) >> 32 for prefix in (_WELL_KNOWN, translator) if prefix is not None)
    return str(ipaddress.IPv4Address(number & 0xFFFFFFFF)) if number >> 32 in known else hop


def _failure(came: Came | None, error: OSError | None) -> str | None:
    if came is None:
        return failures.from_os_error(error) if error is not None else None
    return failures.from_os_error(error) if came == "reset" and error is not None else _FAILURES[came]


# ---------------------------------------------------------------------------------------------------------------------
# a ClientHello, or a plain request


def greeting(hello: Hello) -> bytes | None:
    """The bytes of a ClientHello as the arms of a pair send it; ``None`` where none can carry that name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = arm_context(hello.alpn, small=hello.small)
    try:
        connection = context.wrap_bio(incoming, outgoing, server_hostname=hello.sni)
    except (ValueError, TypeError):
        return None
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


@dataclass(frozen=True, slots=True)
class Words:
    """What is said on an open connection: a ClientHello, or the head of a plain request; and the name in it."""

    sent: Literal["hello", "request"]
    name: str | None
    data: bytes

    @classmethod
    def of_hello(cls, hello: Hello) -> Words:
        return cls("hello", hello.sni, greeting(hello) or b"")

    @classmethod
    def of_request(cls, host: str, user_agent: str) -> Words:
        """A browser's question for the page ``/`` (RFC 9112), in one packet."""
        lines = (
            "GET / HTTP/1.1",
            f"Host: {host}",
            f"User-Agent: {user_agent}",
            "Accept: */*",
            "Connection: close",
            "",
            "",
        )
        return cls("request", host, "\r\n".join(lines).encode("ascii", "replace"))


async def say(
    wire: Wire,
    stream: TcpStream,
    *,
    words: Words,
    ttl: int,
    deadline_s: float,
    later_s: float = 0.0,
    twice: bool = True,
    instead: Words | None = None,
) -> Operation:
    """Send *words* that may pass *ttl* - 1 routers on an open connection, and wait *deadline_s* for what comes.

    With *later_s* it is seen whether a router that spoke speaks again of the kernel's next copy, which a device that has
    taken note of the first one may eat (unless *twice* is false: one that resets has spoken by then); and then it is let go
    all the way, and its fate is waited for so long. With *instead*, of the same length, a router's word is needed for that, and
    those words go all the way in their place. Takes over
    *stream* and breaks it off: the peer forgets it, and nothing that is not acknowledged is sent again.
    """
    begun, begun_us = wire.monotonic(), wire.now_us()
    way = _Way(wire, stream, words, changes=instead is not None)
    again: Came | None = None
    later: Came | None = None
    later_acked: bool | None = None
    try:
        ordinary = get_ttl(stream.socket)
        set_ttl(stream.socket, ttl)
        came = await way.send() or await way.watch(deadline_s, _BESIDE_S)
        after_us = round((way.heard_at - begun) * 1e6) if way.heard_at is not None else None
        acked = way.acked()
        if later_s and came == "icmp" and twice and instead is None:
            left_s = max(deadline_s - (wire.monotonic() - begun), _BESIDE_S)
            again = "icmp" if way.routers_words > 1 else await way.watch(left_s, 0.0)
        goes_on = came == "icmp" if instead is not None else came in ("icmp", "nothing")
        if later_s and goes_on and again in (None, "icmp", "nothing") and not acked:
            if instead is not None:
                way.change(instead)
            set_ttl(stream.socket, ordinary)
            later = await way.watch(later_s, later_s)
            later_acked = way.acked()
    finally:
        break_off(stream.socket)
        way.close()
    fact = PathFact(
        sent=words.sent,
        ttl=ttl,
        sni=words.name if words.sent == "hello" else None,
        source_port=way.port,
        came=came,
        after_us=after_us,
        acked=acked,
        again=again,
        later=later,
        later_acked=later_acked,
    )
    return Operation(
        fact=fact,
        started_us=begun_us,
        duration_us=round((wire.monotonic() - begun) * 1e6),
        failure=_FAILURES[came],
        name=words.name,
        address=stream.address,
        port=stream.port,
        bytes_sent=stream.bytes_sent,
        bytes_received=stream.bytes_received,
    )


class _Head:
    """Follows the first bytes of an answer to a plain request: a page of any kind, or no HTTP at all."""

    def __init__(self) -> None:
        self._first = b""

    def feed(self, data: bytes) -> None:
        self._first += data[: len(_HTTP) - len(self._first)]

    @property
    def came(self) -> Came | None:
        if _HTTP.startswith(self._first) and len(self._first) < len(_HTTP):
            return None
        return "answer" if self._first == _HTTP else "fin"


class _Records:
    """The same for a greeting: a ServerHello, or anything else that a server may say to it."""

    def __init__(self) -> None:
        self._inbound = tls_records.Inbound()

    def feed(self, data: bytes) -> None:
        self._inbound.feed(data)

    @property
    def came(self) -> Came | None:
        if not self._inbound.answered:
            return None
        return "answer" if self._inbound.server_hello else "fin"


class _Way:
    """One connection, what is said on it, and what has come back so far."""

    def __init__(self, wire: Wire, stream: TcpStream, words: Words, *, changes: bool = False) -> None:
        self.data = words.data
        self._pages: int | None = os.memfd_create("words") if changes else None
        self.heard_at: float | None = None
        self.routers_words = 0
        self._wire = wire
        self._stream = stream
        self._answer = _Records() if words.sent == "hello" else _Head()
        self.port: int = stream.socket.getsockname()[1]

    async def send(self) -> Came | None:
        """Send the words. What had come before it, if the connection was broken by then."""
        try:
            if self._pages is None:
                await self._stream.write(self.data)
            else:
                os.pwrite(self._pages, self.data, 0)
                self._stream.bytes_sent += os.sendfile(self._stream.socket.fileno(), self._pages, 0, len(self.data))
        except OSError as error:
            return came_of(error) or "reset"
        return None

    def change(self, words: Words) -> None:
        """Have the kernel's next copies say these *words*."""
        assert self._pages is not None
        assert len(words.data) == len(self.data)
        os.pwrite(self._pages, words.data, 0)

    def close(self) -> None:
        """Give the pages back."""
        if self._pages is not None:
            os.close(self._pages)
            self._pages = None

    def acked(self) -> bool | None:
        """Whether the far kernel has all of them (``bytes_acked`` counts the SYN)."""
        counters = kernel.read(self._stream.socket)
        acked = counters.bytes_acked if counters is not None else None
        return None if acked is None else acked > len(self.data)

    async def watch(self, deadline_s: float, beside_s: float) -> Came:
        """What comes first within *deadline_s*; after a router's word *beside_s* more for what somebody else may say."""
        before = self.routers_words
        try:
            async with asyncio.timeout(deadline_s) as limit:
                while True:
                    came = await self._next()
                    self.heard_at = self.heard_at or self._wire.monotonic()
                    if came != "icmp":
                        return came
                    self.routers_words += 1
                    if self.routers_words == before + 1:
                        now = asyncio.get_running_loop().time()
                        limit.reschedule(min(limit.when() or now, now + beside_s))
        except TimeoutError:
            return "icmp" if self.routers_words > before else self._come_meanwhile()

    def _come_meanwhile(self) -> Came:
        """What had come by the time that the wait was over: a busy host hears of it too late."""
        try:
            data = self._stream.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return "nothing"
        except OSError as error:
            return came_of(error) or "reset"
        self._answer.feed(data)
        return self._answer.came or "fin"

    async def _next(self) -> Came:
        """The next thing that comes. An error that the kernel reports once, and that ends nothing, is a router's word."""
        while True:
            try:
                data = await self._stream.read(_READ_BYTES)
            except TimeoutError:
                return "nothing"  # the kernel gave up; ours is raised where it is awaited
            except OSError as error:
                return came_of(error) or "reset"
            if not data:
                return "fin"
            self._answer.feed(data)
            if self._answer.came is not None:
                return self._answer.came
