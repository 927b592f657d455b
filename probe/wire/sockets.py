"""What is set on sockets beyond the ordinary, and the errors that are read from them: TTLs, ports, sizes, ICMP."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from dataclasses import dataclass

# Linux numbers that the socket module does not name on every Python (include/uapi/linux/in.h, in6.h, tcp.h). Elsewhere
# the same numbers mean other options, so they are used on Linux only.
LINUX = sys.platform == "linux"
IP_RECVERR = 11
IPV6_RECVERR = 25
IP_MINTTL = 21
IPV6_MINHOPCOUNT = 73
MSG_ERRQUEUE = 0x2000


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


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sockaddr(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address tuple that the socket module takes, an IPv6 zone index included."""
    if ":" not in address:
        return (address, port)
    host, _, zone = address.partition("%")
    index = socket.if_nametoindex(zone) if zone and not zone.isdigit() else int(zone or 0)
    return (host, port, 0, index)


def try_option(sock: socket.socket, level: int, option: int, value: int) -> bool:
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
    return try_option(sock, *_ttl_option(sock), ttl)


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


def apply_options(sock: socket.socket, options: TcpOptions | None) -> None:
    v6 = sock.family == socket.AF_INET6
    if LINUX:
        level, option = (socket.IPPROTO_IPV6, IPV6_RECVERR) if v6 else (socket.IPPROTO_IP, IP_RECVERR)
        try_option(sock, level, option, 1)
    if options is None:
        return
    if options.source_port is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", options.source_port))
    if options.from_port is not None:
        # What an earlier connection left of the port (TIME_WAIT) is no reason not to take it again.
        try_option(sock, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", options.from_port))
    if options.mss is not None:
        try_option(sock, socket.IPPROTO_TCP, socket.TCP_MAXSEG, options.mss)
    if options.sips and LINUX:
        # Before the connect: a window that was offered is never taken back. Linux makes of 1 the least that it has
        # (SOCK_MIN_RCVBUF); other systems take it at its word.
        try_option(sock, socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    if options.ttl is not None:
        set_ttl(sock, options.ttl)
    if options.min_ttl is not None and LINUX:
        level, option = (socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT) if v6 else (socket.IPPROTO_IP, IP_MINTTL)
        try_option(sock, level, option, options.min_ttl)


def icmp_error(sock: socket.socket) -> tuple[int, int, str | None] | None:
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
    icmp = icmp_error(sock)
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
