"""Where sinks listen: at the well-known port if this process may, else at another one that is announced."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
from dataclasses import dataclass

from probe.control.protocol import Sink, SinkKind

_PORTS: dict[SinkKind, tuple[int, ...]] = {
    # Fixed second choices, so that a firewall or a container can be told of them; the last resort is any port.
    "tls": (443, 10443, 0),
    "http": (80, 10080, 0),
    "dns_silent": (53, 10053, 0),
    "dns_closing": (53, 10053, 0),
    "echo_udp": (10007, 0),
    "echo_tcp": (10007, 0),
    "quic": (443, 10443, 0),
}
_DATAGRAMS = frozenset({"dns_silent", "echo_udp", "quic"})
BACKLOG = 1024
"""Connections that the kernel holds until they are taken: beyond it drops them, and an honest arm waits for a second."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A socket that a sink may have, and what is said of it."""

    sink: Sink
    sock: socket.socket


def bind(host: str, kind: SinkKind, ports: tuple[int, ...] | None = None) -> Bound | None:
    """A socket for the sink *kind* at the first of *ports* (those that belong to it) that can be had; ``None`` if none can."""
    for port in ports if ports is not None else _PORTS[kind]:
        with contextlib.suppress(OSError):
            sock = _socket(host, port, datagrams=kind in _DATAGRAMS)
            return Bound(Sink(kind, sock.getsockname()[1]), sock)
    return None


def is_datagrams(kind: SinkKind) -> bool:
    return kind in _DATAGRAMS


def kinds() -> tuple[SinkKind, ...]:
    """All sinks that there are, the most useful first; QUIC where aioquic is installed."""
    has_quic = importlib.util.find_spec("aioquic") is not None
    return tuple(kind for kind in _PORTS if kind != "quic" or has_quic)


def _socket(host: str, port: int, *, datagrams: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not datagrams:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
