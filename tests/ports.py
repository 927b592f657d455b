"""Ports for what is started a moment later, and for where nobody listens.

A port that the kernel gives (bind to 0, look, close) may be given to any connection of this machine before it is used: these
come from below the range that it gives from, so that only another program that was told to could have them.
"""

import functools
import itertools
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_COUNT = 8_000


def free_port(address: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port at *address* that nobody has now and no connection will be given; the one that was given longest ago."""
    for port in itertools.islice(_ports(), _COUNT):
        if _can_be_had(address, port, kind):
            return port
    raise AssertionError(f"no free port at {address} below those of {_RANGE}")


@functools.cache
def _ports() -> Iterator[int]:
    """Round and round, in an order that two runs side by side do not share (tests fix the seed of the usual draws)."""
    last = int(_RANGE.read_text().split()[0])
    ports = list(range(max(last - _COUNT, 1024), last))
    random.SystemRandom().shuffle(ports)
    return itertools.cycle(ports)


def _can_be_had(address: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as sock:
        try:
            sock.bind((address, port))
        except OSError:
            return False
        return True
