"""Sockets, the platform's resolver list and the clocks, as one seam that is passed in.

Instruments reach the network through a ``Wire`` and nothing else. The real one is ``Wire`` itself: it places every address
where it says it is. A pretend Internet overrides :meth:`Wire.place`, and no line outside of it knows. Sockets are
non-blocking, owned by whoever asked for them, and closed on every path.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

Transport = Literal["tcp", "udp"]

# Linux numbers that the socket module does not name on every Python (include/uapi/linux/in.h, in6.h, tcp.h). Elsewhere
# the same numbers mean other options, so they are used on Linux only.
LINUX = sys.platform == "linux"
IP_RECVERR = 11
IPV6_RECVERR = 25
IP_MINTTL = 21
IPV6_MINHOPCOUNT = 73
IP_RECVTTL = getattr(socket, "IP_RECVTTL", 12)
IP_TTL_CMSG = 2
MSG_ERRQUEUE = 0x2000
SO_TIMESTAMPNS = 35
_SIOCGIFADDR = 0x8915
_LIBRARIES_AT_ONCE = 16
"""Each holds a thread. The unit that ``dalel service print`` writes allows 64 of them in all."""


class UnansweredError(Exception):
    """The pretend Internet leaves this address unanswered. Never raised by the real wire."""


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A resolver of the platform's list: its address (a zone index may follow ``%``) and port."""

    address: str
    port: int = 53

    @property
    def is_private(self) -> bool:
        """Whether it is this host's or the local network's (loopback, RFC 1918, link-local, unique local)."""
        ip = ipaddress.ip_address(self.address.partition("%")[0])
        return ip.is_private or ip.is_loopback or ip.is_link_local


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpOptions:
    """What to set before the connect. Everything is refused silently where the platform does not have it.

    ``from_port``: the port of ours; that it is taken is an ``OSError`` of the connect.
    """

    mss: int | None = None
    ttl: int | None = None
    min_ttl: int | None = None
    from_port: int | None = None
    source_port: int | None = None
    """The port to connect from, where one flow is to go the way of another; a fresh one otherwise."""
    sips: bool = False
    """Take as little at a time as Linux lets one (a window of some 1,150 bytes): of an answer whose beginning is enough, no
    more is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What this host says of itself, without sending a packet."""

    default_route_v4: bool | None
    default_route_v6: bool | None
    tunnels: tuple[str, ...]
    proxies: tuple[str, ...]
    in_container: bool
    suspended_s: float | None


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram that arrived: payload, the sender it claims, IP TTL or hop limit, and when (UTC microseconds)."""

    data: bytes
    address: str
    port: int
    ttl: int | None
    received_us: int


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sockaddr(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address tuple that the socket module takes, an IPv6 zone index included."""
    if ":" not in address:
        return (address, port)
    host, _, zone = address.partition("%")
    index = socket.if_nametoindex(zone) if zone and not zone.isdigit() else int(zone or 0)
    return (host, port, 0, index)


class UdpSocket:
    """One UDP socket on a fresh port that talks to one place; sees TTLs and kernel receive times."""

    def __init__(self, wire: Wire, address: str, port: int) -> None:
        self._wire = wire
        self._peer = (address, port)
        self._place = wire.place(address, port, "udp")
        family = family_of(self._place[0] if self._place else address)
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._ask_for_details(family)

    def _ask_for_details(self, family: socket.AddressFamily) -> None:
        if not LINUX:
            return
        if family == socket.AF_INET6:
            _try_option(self._sock, socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            _try_option(self._sock, socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            _try_option(self._sock, socket.IPPROTO_IP, IP_RECVTTL, 1)
            _try_option(self._sock, socket.IPPROTO_IP, IP_RECVERR, 1)
        _try_option(self._sock, socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def connect(self) -> None:
        """Fix the peer, so that ICMP errors are reported and strangers are not heard. Raises ``OSError``."""
        if self._place is not None:
            leave_from(self._sock, self._wire.source)
            self._sock.connect(sockaddr(*self._place))

    def own_address(self) -> str | None:
        """This host's address on the way there, once the peer is fixed."""
        return str(self._sock.getsockname()[0]) if self._place is not None else None

    def set_ttl(self, ttl: int) -> bool:
        """From now on datagrams leave with this TTL; ``False`` where the platform does not have it."""
        return set_ttl(self._sock, ttl)

    def send(self, data: bytes) -> None:
        """Send one datagram; ``OSError`` as the kernel has it (unreachable networks fail here)."""
        if self._place is not None:
            self._sock.send(data)

    async def receive(self) -> Datagram:
        """The next datagram; waits until cancelled, or raises the ``OSError`` of an ICMP error."""
        if self._place is None:
            await asyncio.Event().wait()
        while True:
            datagram = self.poll()
            if datagram is not None:
                return datagram
            await readable((self,))

    def poll(self) -> Datagram | None:
        """A datagram that has already arrived, or ``None``. Raises the ``OSError`` of an ICMP error."""
        if self._place is None:
            return None
        try:
            data, ancillary, _flags, _peer = self._sock.recvmsg(65535, 256)
        except BlockingIOError:
            _icmp(self._sock)
            return None
        except OSError as error:
            # What stays in the error queue keeps the socket "readable": whoever waits on it would spin.
            error.icmp = _icmp(self._sock)  # type: ignore[attr-defined]
            raise
        ttl, stamp_us = _details(ancillary)
        # The kernel's stamp is on the host's clock; what counts here is how long ago it was, on the wire's.
        age_us = max(time.time_ns() // 1000 - stamp_us, 0) if stamp_us is not None else 0
        return Datagram(data, *self._peer, ttl, self._wire.now_us() - age_us)

    def fileno(self) -> int:
        """The descriptor, to wait on; -1 once closed."""
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Wire:
    """The real network of this host."""

    name = "network"

    def __init__(self, *, rng: random.Random | None = None, resolv_conf: Path = Path("/etc/resolv.conf")) -> None:
        self.random = rng if rng is not None else random.Random()
        self.translator: str | None = None
        """On a host without IPv4: where the addresses of this network's translator begin (NAT64: 96 bits, as ``64:ff9b::``),
        once that is known. IPv4 addresses are reached through it then, as the system does it for other programs."""
        self.source: str | None = None
        """This host's IPv4 address that flows leave from, where it has several ways out and one is meant. Whether the system
        takes that way is up to its own rules: to force it needs a privilege."""
        self._resolv_conf = resolv_conf
        self._libraries = 0
        self.may_listen = False
        """Whether a process of ours may hear this host's packets; whoever makes the wire finds that out."""
        self.is_for_long = False
        """Whether this process lives for months, on the real network: what is heavy and seldom needed another one does."""
        self.flows: set[tuple[str, int, int]] | None = None
        """While packets are listened to: the connections of this run, as where they really went (address, port) and the port of
        ours. What belongs to none of them is somebody else's."""
        self.ttl_turn = asyncio.Lock()
        """Held by whoever has this host's kernel ignore packets by their TTL: it counts what it ignores for all together."""

    # clocks

    def now_us(self) -> int:
        """This host's UTC, in microseconds. May jump; durations come from :meth:`monotonic`."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds, never backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # where addresses are

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:  # noqa: ARG002
        """Where *address* really is; ``None`` leaves it unanswered for ever (pretend networks only)."""
        if self.translator is not None and ":" not in address:
            return (translated(address, self.translator), port)
        return (address, port)

    # connections

    async def connect(
        self,
        address: str,
        port: int,
        options: TcpOptions | None = None,
        *,
        before_close: Callable[[socket.socket], None] | None = None,
    ) -> socket.socket:
        """One TCP connection from a fresh port, TCP_NODELAY set. The caller owns the socket and sets the deadline.

        Raises ``OSError``; the half-open socket is closed on every path, after *before_close* has had a last look at it
        (a cancelled wait included). The error queue's ICMP is attached to the exception as
        ``icmp = (type, code, offender)`` where the kernel gives it.
        """
        place = self.place(address, port, "tcp")
        if place is None:
            await asyncio.Event().wait()
            raise AssertionError
        sock = socket.socket(family_of(place[0]), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _apply(sock, options)
            if options is None or (options.source_port is None and options.from_port is None):
                leave_from(sock, self.source)
            await asyncio.get_running_loop().sock_connect(sock, sockaddr(*place))
            self._note(sock, place)
        except BaseException as error:
            self._note(sock, place)
            if isinstance(error, OSError):
                error.icmp = _icmp(sock)  # type: ignore[attr-defined]
            with sock:
                if before_close is not None:
                    before_close(sock)
            raise
        return sock

    def _note(self, sock: socket.socket, place: tuple[str, int]) -> None:
        """Remember a flow as ours, while somebody listens."""
        if self.flows is not None:
            with contextlib.suppress(OSError):
                self.flows.add((*place, sock.getsockname()[1]))

    def udp(self, address: str, port: int) -> UdpSocket:
        """A UDP socket for one peer; close it."""
        return UdpSocket(self, address, port)

    # what the host knows

    def nameservers(self) -> tuple[Nameserver, ...]:
        """The platform's resolvers, in order; empty when there are none."""
        try:
            text = self._resolv_conf.read_text(errors="replace")
        except OSError:
            return ()
        return parse_resolv_conf(text)

    @property
    def library_is_busy(self) -> bool:
        """Whether so many questions wait in the C library that one more would be another thread too many: where no resolver
        answers it tries for half a minute.
        """
        return self._libraries >= _LIBRARIES_AT_ONCE

    async def getaddrinfo(self, host: str, deadline_s: float) -> tuple[str, ...] | str | None:
        """What the C library answers (hosts file and NSS included), in a daemon thread that nothing waits for.

        A tuple of addresses, an ``EAI_*`` name for its failure, or ``None`` when the deadline passed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[str, ...] | str] = loop.create_future()
        self._libraries += 1

        def tell(answer: tuple[str, ...] | str) -> None:
            self._libraries -= 1
            if not future.done():
                future.set_result(answer)

        def ask() -> None:
            answer = _getaddrinfo(host)
            try:
                loop.call_soon_threadsafe(tell, answer)
            except RuntimeError:
                logging.getLogger(__name__).debug("getaddrinfo(%r) came after the loop had closed", host)

        try:
            threading.Thread(target=ask, name=f"getaddrinfo-{host}", daemon=True).start()
        except RuntimeError:  # this host allows no more threads
            self._libraries -= 1
            return None
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            return None

    def hosts_file(self, host: str) -> tuple[str, ...]:
        """Addresses that /etc/hosts gives for *host*."""
        try:
            lines = Path("/etc/hosts").read_text(errors="replace").splitlines()
        except OSError:
            return ()
        found = [fields for line in lines if len(fields := line.partition("#")[0].split()) > 1]
        return tuple(fields[0] for fields in found if host.lower() in (name.lower() for name in fields[1:]))

    def gateway(self) -> str | None:
        """The IPv4 address of this network's own router (the default route's); ``None`` where there is none or unknown."""
        return _gateway_v4()

    def router(self) -> str | None:
        """The hardware address of that router, while the kernel knows it: two networks' routers often have one address. It
        is compared, and kept nowhere.
        """
        gateway = self.gateway()
        return _hardware_address(gateway) if gateway is not None else None

    def gateway6(self) -> str | None:
        """The same for IPv6: mostly a link-local address, with the interface that it is reached by behind a ``%``."""
        return _gateway_v6()

    def host(self) -> HostState:
        """Routes, tunnels, proxy settings and sleep, read from the host itself. Sends nothing."""
        return HostState(
            default_route_v4=_default_route_v4(),
            default_route_v6=_default_route_v6(),
            tunnels=_tunnels(),
            proxies=tuple(
                name
                for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
                if os.environ.get(name)
            ),
            in_container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
            suspended_s=_suspended_s(),
        )


# ---------------------------------------------------------------------------------------------------------------------


def translated(address: str, prefix: str) -> str:
    """The IPv6 address for an IPv4 one behind a translator (RFC 6052 §2.2, prefix of 96 bits). Addresses that are not of
    the public Internet stay as they are (§3.1): a translator does not serve them.
    """
    ip = ipaddress.IPv4Address(address)
    if not ip.is_global:
        return address
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(ip)))


def parse_resolv_conf(text: str) -> tuple[Nameserver, ...]:
    """The ``nameserver`` lines of resolv.conf(5), in order, without repeats; what is no address is left out."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[0] == "nameserver":
            try:
                ipaddress.ip_address(fields[1].partition("%")[0])
            except ValueError:
                continue
            found[fields[1]] = None
    return tuple(Nameserver(address) for address in found)


def _getaddrinfo(host: str) -> tuple[str, ...] | str:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        names = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}
        return names.get(error.errno or 0, "EAI_FAIL")
    except (OSError, UnicodeError):
        return "EAI_FAIL"
    return tuple(dict.fromkeys(str(info[4][0]) for info in infos))


def _try_option(sock: socket.socket, level: int, option: int, value: int) -> bool:
    try:
        sock.setsockopt(level, option, value)
    except OSError:
        return False
    return True


def get_ttl(sock: socket.socket) -> int:
    """The TTL (IPv6: hop limit) that *sock*'s packets leave with; -1 is the system's own, on IPv6."""
    return sock.getsockopt(*_ttl_option(sock))


def set_ttl(sock: socket.socket, ttl: int) -> bool:
    """From now on *sock*'s packets leave with this TTL; ``False`` where the platform does not have it."""
    return _try_option(sock, *_ttl_option(sock), ttl)


def _ttl_option(sock: socket.socket) -> tuple[int, int]:
    v6 = sock.family == socket.AF_INET6
    return (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if v6 else (socket.IPPROTO_IP, socket.IP_TTL)


def break_off(sock: socket.socket) -> None:
    """Close with a reset: what was not acknowledged is never sent again, and the port is free at once."""
    with sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave_from(sock: socket.socket, source: str | None) -> None:
    """Have *sock* leave from *source*, if there is one and it is of the same kind; raises ``OSError`` if it has gone."""
    if source is not None and sock.family == socket.AF_INET:
        sock.bind((source, 0))


def _apply(sock: socket.socket, options: TcpOptions | None) -> None:
    v6 = sock.family == socket.AF_INET6
    if LINUX:
        level, option = (socket.IPPROTO_IPV6, IPV6_RECVERR) if v6 else (socket.IPPROTO_IP, IP_RECVERR)
        _try_option(sock, level, option, 1)
    if options is None:
        return
    if options.source_port is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", options.source_port))
    if options.from_port is not None:
        # What an earlier connection left of the port (TIME_WAIT) is no reason not to take it again.
        _try_option(sock, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", options.from_port))
    if options.mss is not None:
        _try_option(sock, socket.IPPROTO_TCP, socket.TCP_MAXSEG, options.mss)
    if options.sips and LINUX:
        # Before the connect: a window that was offered is never taken back. Linux makes of 1 the least that it has
        # (SOCK_MIN_RCVBUF); other systems take it at its word.
        _try_option(sock, socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    if options.ttl is not None:
        set_ttl(sock, options.ttl)
    if options.min_ttl is not None and LINUX:
        level, option = (socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT) if v6 else (socket.IPPROTO_IP, IP_MINTTL)
        _try_option(sock, level, option, options.min_ttl)


def _icmp(sock: socket.socket) -> tuple[int, int, str | None] | None:
    """Type, code and sender of the ICMP error in the socket's error queue (struct sock_extended_err)."""
    if not LINUX:
        return None
    try:
        _data, ancillary, _flags, _peer = sock.recvmsg(512, 512, MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, payload in ancillary:
        if (level, kind) not in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
            continue
        _errno, origin, icmp_type, icmp_code = struct.unpack_from("=IBBB", payload)
        if origin in (2, 3):  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
            return icmp_type, icmp_code, _offender(payload[16:])
    return None


def pending_error(sock: socket.socket) -> OSError | None:
    """The error that *sock* has for its next caller, with its ICMP, if there is one; it is taken from the socket."""
    icmp = _icmp(sock)
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if not number:
        return None
    error = OSError(number, os.strerror(number))
    error.icmp = icmp  # type: ignore[attr-defined]
    return error


def _offender(raw: bytes) -> str | None:
    if len(raw) < 8:
        return None
    (family,) = struct.unpack_from("=H", raw)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, raw[4:8])
    if family == socket.AF_INET6 and len(raw) >= 24:
        return socket.inet_ntop(socket.AF_INET6, raw[8:24])
    return None


def _details(ancillary: list[tuple[int, int, bytes]]) -> tuple[int | None, int | None]:
    ttl: int | None = None
    stamp_us: int | None = None
    for level, kind, payload in ancillary:
        if (level, kind) in ((socket.IPPROTO_IP, IP_TTL_CMSG), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
            (ttl,) = struct.unpack_from("=i", payload)
        elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(payload) >= 16:
            seconds, nanoseconds = struct.unpack_from("=qq", payload)
            stamp_us = seconds * 1_000_000 + nanoseconds // 1000
    return ttl, stamp_us


async def readable(sockets: Sequence[UdpSocket]) -> None:
    """Wait until one of *sockets* has something to :meth:`UdpSocket.poll`: a datagram or an error."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptors = [sock.fileno() for sock in sockets]
    for descriptor in descriptors:
        loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)


def _default_routes_v4() -> list[list[str]] | None:
    """Lines of the kernel's table that lead everywhere and are up, as fields (proc(5), /proc/net/route)."""
    try:
        lines = Path("/proc/net/route").read_text().splitlines()[1:]
    except OSError:
        return None
    return [
        fields
        for line in lines
        if len(fields := line.split()) > 3 and fields[1] == "00000000" and int(fields[3], 16) & 1
    ]


@dataclass(frozen=True, slots=True)
class WayOut:
    """An interface with a default route: its name, its own IPv4 address, and whether it looks like a mobile network's."""

    interface: str
    address: str
    is_mobile: bool


_MOBILE = re.compile(r"(wwan|wwp|rmnet|ccmni|usb|ppp|cdc)\w*")
"""Modems, phones on a cable, and dial-up over either."""


def ways_out() -> tuple[WayOut, ...]:
    """The interfaces that have a default route over IPv4, the one that the system prefers first. Linux only."""
    by_interface: dict[str, int] = {}
    for fields in _default_routes_v4() or ():
        if len(fields) > 6 and fields[0] != "lo":
            by_interface.setdefault(fields[0], int(fields[6]))
    found = []
    for name in sorted(by_interface, key=lambda one: by_interface[one]):
        address = _address_of(name)
        if address is not None:
            found.append(WayOut(name, address, _MOBILE.fullmatch(name) is not None))
    return tuple(found)


def _address_of(interface: str) -> str | None:
    """The first IPv4 address of *interface* (netdevice(7), SIOCGIFADDR)."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("256s", interface.encode()[:15])
        try:
            answer = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _default_route_v4() -> bool | None:
    routes = _default_routes_v4()
    return None if routes is None else bool(routes)


def _gateway_v4() -> str | None:
    """Of the first default route with a router; the table has addresses as numbers in this host's own byte order."""
    for fields in _default_routes_v4() or ():
        number = int(fields[2], 16)
        if number:
            return str(ipaddress.IPv4Address(number.to_bytes(4, sys.byteorder)))
    return None


def _hardware_address(address: str) -> str | None:
    """Of a neighbour on IPv4, if the kernel knows it (proc(5), /proc/net/arp)."""
    try:
        lines = Path("/proc/net/arp").read_text().splitlines()[1:]
    except OSError:
        return None
    found = (fields[3] for line in lines if len(fields := line.split()) > 3 and fields[0] == address)
    return next((hardware for hardware in found if hardware.strip("0:")), None)


def _default_routes_v6() -> list[list[str]] | None:
    """Lines of the kernel's table that lead everywhere and reject nothing, as fields (proc(5), /proc/net/ipv6_route)."""
    try:
        lines = Path("/proc/net/ipv6_route").read_text().splitlines()
    except OSError:
        return None
    reject = 0x0200
    return [
        fields
        for line in lines
        if len(fields := line.split()) > 9
        and (fields[0] == "0" * 32 and fields[1] == "00" and fields[-1] != "lo" and not int(fields[8], 16) & reject)
    ]


def _default_route_v6() -> bool | None:
    routes = _default_routes_v6()
    return None if routes is None else bool(routes)


def _gateway_v6() -> str | None:
    """Of the default route that is preferred (the least metric), if it leads over a router."""
    for fields in sorted(_default_routes_v6() or (), key=lambda fields: int(fields[5], 16)):
        number = int(fields[4], 16)
        if number:
            address = ipaddress.IPv6Address(number)
            return f"{address}%{fields[-1]}" if address.is_link_local else str(address)
    return None


_TUNNEL = re.compile(r"(tun|tap|wg|ppp|utun|tailscale|nordlynx|proton|warp|zt|amn)\w*")


def _tunnels() -> tuple[str, ...]:
    """Kinds of tunnel interface that are up (``tun``, ``wg`` …), not their names."""
    if sys.platform != "linux":
        return ()
    up = []
    for interface in sorted(Path("/sys/class/net").glob("*")):
        match = _TUNNEL.fullmatch(interface.name)
        try:
            flags = int((interface / "flags").read_text(), 16)
        except (OSError, ValueError):
            continue
        if match and flags & 1:
            up.append(match.group(1))
    return tuple(dict.fromkeys(up))


def _suspended_s() -> float | None:
    """How long this host has slept since it booted: CLOCK_BOOTTIME minus CLOCK_MONOTONIC."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
