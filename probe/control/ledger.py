"""What arrived at a control's sinks, for ten minutes, in memory, and who may ask for it. Nothing here is written or logged.

Only callers that showed a token a moment ago are in it: of a stranger's connection nothing is kept. A caller is an address as
this side sees it, so that a probe behind a translator finds its own arms, and one behind a proxy finds none.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from probe.control.protocol import BULK_EACH_HOUR

KEPT_S = 600.0
"""How long a token's showing counts, and how long an arrival is remembered."""
MOST_CALLERS = 1024
MOST_EACH = 128
"""Arrivals of one caller: a pair is thirteen arms, and a list of sites asks for several at once."""
ECHO_BYTES = 1_000_000
"""What one caller may have echoed in ten minutes."""

ArmKind = Literal["tls", "http", "quic"]
End = Literal["fin", "reset"]


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One connection to a sink, as it was seen here; filled in while it lasts. Times are seconds of the ledger's clock.

    ``name``: SNI or Host. ``whole``: whether the greeting (or the head of the request) came to its end. ``fingerprint``: of
    the ClientHello (probe/instruments/tls_records.py). ``answered``: whether an answer was handed to the kernel;
    ``acknowledged``: whether the caller's side acknowledged all of it (``None`` where the kernel does not tell). ``end``: how
    the caller ended it, if it did. ``returned``: of QUIC, whether the caller came back with the token of our first answer.
    ``bulk``: which way a stream of ``bulk_bytes`` was asked for, ``progress``: (microseconds, bytes) of it.
    """

    kind: ArmKind
    began: float
    name: str | None = None
    bytes: int = 0
    whole: bool = False
    fingerprint: str | None = None
    answered: bool = False
    acknowledged: bool | None = None
    end: End | None = None
    returned: bool | None = None
    bulk: Literal["down", "up"] | None = None
    bulk_bytes: int | None = None
    progress: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Caller:
    until: float
    arrivals: deque[Arrival] = field(default_factory=lambda: deque(maxlen=MOST_EACH))
    echo_left: int = ECHO_BYTES
    token: str = ""


def plain(address: str) -> str:
    """One spelling for one caller: an IPv4 address that came over an IPv6 socket is itself, and a zone says nothing."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip)


@dataclass(slots=True)
class Ledger:
    """The callers of the last ten minutes and their arrivals; *clock* is monotonic seconds."""

    clock: Callable[[], float]
    _callers: OrderedDict[str, _Caller] = field(default_factory=OrderedDict)
    _bulk: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What each token has left of bulk, and since when."""

    def admit(self, address: str, token: str = "") -> None:
        """Somebody at *address* has shown *token*."""
        self._forget()
        address, until = plain(address), self.clock() + KEPT_S
        known = self._callers.pop(address, None)
        if known is None:
            known = _Caller(until)
        elif known.until - self.clock() < KEPT_S / 2:
            known.echo_left = ECHO_BYTES
        known.until, known.token = until, token
        self._callers[address] = known
        while len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)

    def admits(self, address: str) -> bool:
        """Whether somebody at *address* has shown a token in the last ten minutes."""
        return self._known(address) is not None

    def spend_echo(self, address: str, size: int) -> bool:
        """Whether *size* bytes may be echoed to *address*, which they are then counted for."""
        known = self._known(address)
        if known is None or known.echo_left < size:
            return False
        known.echo_left -= size
        return True

    def spend_bulk(self, address: str, size: int) -> bool:
        """Whether *size* bytes of bulk may go to or from *address*, which the token that it showed is then charged with."""
        known, now = self._known(address), self.clock()
        if known is None:
            return False
        left, since = self._bulk.get(known.token, (float(BULK_EACH_HOUR), now))
        left = min(BULK_EACH_HOUR, left + (now - since) * BULK_EACH_HOUR / 3600)
        enough = left >= size
        self._bulk[known.token] = (left - size if enough else left, now)
        return enough

    def begin(self, address: str, kind: ArmKind) -> Arrival:
        """A connection from *address* has come. It is remembered only if the caller is known."""
        arrival = Arrival(kind=kind, began=self.clock())
        known = self._known(address)
        if known is not None:
            known.arrivals.append(arrival)
        return arrival

    def arrivals(self, address: str, within_s: float) -> tuple[Arrival, ...]:
        """What came from *address* in the last *within_s* seconds, oldest first."""
        known, since = self._known(address), self.clock() - min(within_s, KEPT_S)
        return tuple(arrival for arrival in known.arrivals if arrival.began >= since) if known is not None else ()

    def _known(self, address: str) -> _Caller | None:
        self._forget()
        return self._callers.get(plain(address))

    def _forget(self) -> None:
        """Let go what is older than ten minutes. Callers stand in the order in which they last showed a token."""
        now = self.clock()
        while self._callers:
            address, caller = next(iter(self._callers.items()))
            if caller.until > now:
                break
            del self._callers[address]
        for caller in self._callers.values():
            while caller.arrivals and caller.arrivals[0].began < now - KEPT_S:
                caller.arrivals.popleft()
