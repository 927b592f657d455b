"""How much of itself a control gives to whoever connects to its sinks, which know no token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkLimits:
    """Caps of all sinks together, apart from the caps of the API: a flood of one is no flood of the other."""

    connections: int = 256
    connections_each: int = 32
    """Open at once from one address: a pair has one arm at a time, a list a dozen."""
    hello_bytes: int = 16_384
    """The longest ClientHello: one TLS record (RFC 8446 §5.1)."""
    head_bytes: int = 8_192
    echo_bytes: int = 65_536
    """In one TCP connection."""
    read_bytes: int = 65_536
    """All that is read from one connection before it is let go."""
    datagram_bytes: int = 1_452
    """A datagram that is echoed: what fits into one packet everywhere IPv6 does."""
    connection_s: float = 30.0
    """From connecting to the end: a probe's longest wait for an answer is 15 s, and its farewell is worth knowing."""
    drain_s: float = 3.0
    strangers_per_s: float = 100.0
    """First packets of QUIC that are answered to addresses without a token: each costs some 0.3 ms."""


@dataclass(slots=True)
class Gate:
    """Counts who is inside, all together and by address."""

    limits: SinkLimits
    _inside: Counter[str] = field(default_factory=Counter)

    def has_room(self, address: str) -> bool:
        """Whether one more connection from *address* may come in."""
        limits = self.limits
        return self._inside.total() < limits.connections and self._inside[address] < limits.connections_each

    @contextmanager
    def turn(self, address: str) -> Iterator[bool]:
        """Whether one more connection from *address* may come in; it is counted until the block is left."""
        if not self.has_room(address):
            yield False
            return
        self._inside[address] += 1
        try:
            yield True
        finally:
            self._inside[address] -= 1
            if not self._inside[address]:
                del self._inside[address]


@dataclass(slots=True)
class Bucket:
    """So many a second, and as many at once; *clock* is monotonic seconds."""

    per_s: float
    clock: Callable[[], float]
    _left: float = field(init=False)
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._since = self.per_s, self.clock()

    def take(self) -> bool:
        """Whether there is one left, which is taken then."""
        now = self.clock()
        self._left = min(self.per_s, self._left + (now - self._since) * self.per_s)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
