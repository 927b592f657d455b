"""Devices that slow a flow down or freeze it instead of breaking it: by the name in its greeting, or by where it goes.

Sizes are of IP packets. A policer drops what is too much, so TCP sees loss; a shaper lets it wait, so TCP sees delay.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

from tests.lab.packets import SYN, TCP, Packet
from tests.lab.rules import ByName, Network, Rule, _remember

Flow = tuple[bytes, int, int, int]


@dataclass(slots=True)
class _Bucket:
    """A token bucket, full at first: *tokens* bytes may pass at *at*, seconds of the monotonic clock."""

    tokens: float
    at: float

    def takes(self, packet: Packet, rate: float, burst: int) -> bool:
        """Whether there is enough for a packet, at *rate* bits a second up to *burst* bytes; if so, it is spent."""
        now = monotonic()
        self.tokens = min(burst, self.tokens + (now - self.at) * rate / 8)
        self.at = now
        enough = self.tokens >= len(packet.data)
        self.tokens -= len(packet.data) if enough else 0
        return enough


@dataclass(kw_only=True)
class BySide(ByName):
    """Acts on one direction of the flows that carried a listed name; the greeting itself, and the other one, pass."""

    side: Literal["up", "down"] = "down"

    def punish(self, packet: Packet, network: Network) -> bool:
        return packet.up is not (self.side == "up") or self.slow(packet, network)

    def slow(self, packet: Packet, network: Network) -> bool:
        raise NotImplementedError


@dataclass(kw_only=True)
class NamePolice(BySide):
    """What exceeds *rate* bits a second beyond a burst is dropped, flow by flow (as of Twitter in Russia, 2021: some 130
    kbit/s; Xue et al., "Throttling Twitter", IMC 2021)."""

    rate: int = 130_000
    burst: int = 8_000
    _buckets: OrderedDict[Flow, _Bucket] = field(default_factory=OrderedDict)

    def slow(self, packet: Packet, network: Network) -> bool:
        bucket = self._buckets.get(packet.flow) or _Bucket(self.burst, monotonic())
        _remember(self._buckets, packet.flow, bucket)
        return bucket.takes(packet, self.rate, self.burst)


@dataclass(kw_only=True)
class Police(Rule):
    """One bucket for all that ``when`` holds, whatever it names: a tariff."""

    rate: int = 64_000
    burst: int = 6_000
    _bucket: _Bucket | None = None

    def act(self, packet: Packet, network: Network) -> bool:
        self._bucket = self._bucket or _Bucket(self.burst, monotonic())
        return self._bucket.takes(packet, self.rate, self.burst)


@dataclass(kw_only=True)
class EachPolice(Rule):
    """A bucket for each flow that ``when`` holds, or for each server: a narrow link of a bundle, or a limit for each visitor."""

    rate: int = 64_000
    burst: int = 6_000
    by_server: bool = False
    _buckets: OrderedDict[Any, _Bucket] = field(default_factory=OrderedDict)

    def act(self, packet: Packet, network: Network) -> bool:
        key = packet.remote if self.by_server else packet.flow
        bucket = self._buckets.get(key) or _Bucket(self.burst, monotonic())
        _remember(self._buckets, key, bucket)
        return bucket.takes(packet, self.rate, self.burst)


@dataclass(kw_only=True)
class Tariff(ByName):
    """One bucket for all that comes over TCP but on flows that named one of ``names``: those are free, as on many tariffs."""

    rate: int = 128_000
    burst: int = 8_000
    _bucket: _Bucket | None = None

    def match(self, packet: Packet) -> bool:
        free = super().match(packet)
        return packet.protocol == TCP and not packet.up and not free

    def punish(self, packet: Packet, network: Network) -> bool:
        self._bucket = self._bucket or _Bucket(self.burst, monotonic())
        return self._bucket.takes(packet, self.rate, self.burst)


@dataclass(kw_only=True)
class PowerSave(Rule):
    """A radio that sleeps when it has sent nothing for so long, and hears what waited for it at the next beacon (IEEE 802.11)."""

    listens: float = 0.05
    beacon: float = 0.3
    _sent: float = 0.0
    _wakes: float = 0.0

    def act(self, packet: Packet, network: Network) -> bool:
        now = monotonic()
        if packet.up:
            self._sent = now
        elif now < self._wakes or now - max(self._sent, self._wakes) > self.listens:
            self._wakes = max(self._wakes, now + -now % self.beacon)
            network.arrivals = (self._wakes - now,)
        return True


@dataclass(kw_only=True)
class NameShape(BySide):
    """What exceeds *rate* bits a second waits in a queue of so many bytes, and is dropped when that is full."""

    rate: int = 130_000
    queue: int = 64_000
    _free_at: OrderedDict[Flow, float] = field(default_factory=OrderedDict)

    def slow(self, packet: Packet, network: Network) -> bool:
        now = monotonic()
        free = max(now, self._free_at.get(packet.flow, 0.0))
        if (free - now) * self.rate / 8 > self.queue:
            return False
        free += len(packet.data) * 8 / self.rate
        _remember(self._free_at, packet.flow, free)
        network.arrivals = (free - now,)
        return True


@dataclass(kw_only=True)
class NameDelay(BySide):
    """Every packet of that direction comes so many seconds later."""

    seconds: float = 0.5

    def slow(self, packet: Packet, network: Network) -> bool:
        network.arrivals = (self.seconds,)
        return True


@dataclass(kw_only=True)
class NameHold(BySide):
    """What comes in the first so many seconds after the greeting is held back until they are over; then all is as ever (as of
    azattyq.org in Kazakhstan, whose handshakes took some four seconds; OONI, 2023)."""

    seconds: float = 4.0
    _since: OrderedDict[Flow, float] = field(default_factory=OrderedDict)

    def slow(self, packet: Packet, network: Network) -> bool:
        now = monotonic()
        since = self._since.get(packet.flow, now)
        _remember(self._since, packet.flow, since)
        network.arrivals = (max(0.0, since + self.seconds - now),)
        return True


@dataclass(kw_only=True)
class NewNameHold(NameHold):
    """The same for the first flow with any name: a company's gateway that asks its vendor what kind of site it is."""

    _known: OrderedDict[str, bool] = field(default_factory=OrderedDict)

    def covers(self, name: str) -> bool:
        known = name in self._known
        _remember(self._known, name, True)
        return not known


@dataclass(kw_only=True)
class NameLose(BySide):
    """A share of the packets of that direction is dropped at random: a line that is bad for one name."""

    probability: float = 0.4

    def slow(self, packet: Packet, network: Network) -> bool:
        return network.random.random() >= self.probability


@dataclass(kw_only=True)
class Freeze(Rule):
    """After so many bytes of the server's, or so many packets either way, nothing of a flow is delivered any more.

    Whatever it names, where ``when`` holds: foreign hosting companies, say (as in Russia since 2025: 16 to 20 KB).
    """

    bytes: int | None = None
    packets: int | None = None
    _passed: OrderedDict[Flow, tuple[int, int]] = field(default_factory=OrderedDict)

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.protocol == TCP and packet.up and packet.flags & SYN:
            self._passed.pop(packet.flow, None)
        size, count = self._passed.get(packet.flow, (0, 0))
        if (self.bytes is not None and size >= self.bytes) or (self.packets is not None and count >= self.packets):
            return False
        _remember(self._passed, packet.flow, (size + (0 if packet.up else len(packet.payload)), count + 1))
        return True
