"""How far the other end's packets have come: the TTL that is left of them when they arrive, learned without privilege.

Linux tells a TCP socket no TTL. But it ignores segments whose TTL is below IP_MINTTL (ip(7); IPV6_MINHOPCOUNT), so the TTL
can be searched for: one byte is sent, and whether its acknowledgement is let in tells the rest. One connection is enough;
what is said on it is the beginning of any greeting or request, and names nobody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from probe.instruments import failures, kernel
from probe.instruments.tcp import TcpStream
from probe.observations import Operation, TcpFact
from probe.wire import Wire

_POLL_S = 0.005
_SLACK_S = 0.12
"""How much later than usual an acknowledgement may come: less than the 0.2 s (RTO) after which Linux sends the byte again and
slows down. One that comes later makes the TTL look lower, never higher."""
_MOST_TTL = 255


@dataclass(slots=True)
class Bounds:
    """What is known of a TTL: packets came with ``low`` at least (0: nothing is known yet), and with less than ``high``."""

    low: int = 0
    high: int = _MOST_TTL + 1

    @property
    def found(self) -> int | None:
        return self.low if self.low and self.high - self.low == 1 else None


async def measure(wire: Wire, stream: TcpStream, bounds: Bounds, *, beginning: bytes, deadline_s: float) -> Operation:
    """Search for the TTL of the other end's packets; ``TcpFact.reply_ttl``, ``None`` where it was not found to the end.

    *bounds* is what is known before, and after: an end that soon loses its patience is asked again on another connection.
    *beginning*: at least 24 bytes that the other end waits for more after. Closes *stream*. What is found is always a TTL
    that packets of that end really had at least: errors of the search are errors downwards.
    """
    started_us, started = wire.now_us(), wire.monotonic()
    search, failure = _Search(wire, stream, bounds, beginning), None
    stream.forget_when_closed()  # what would go on being ignored afterwards would be counted for somebody else
    try:
        async with asyncio.timeout(deadline_s):
            await search.run()
    except OSError as error:  # TimeoutError is one
        failure = failures.from_os_error(error)
    finally:
        counters = kernel.read(stream.socket)
        stream.close()
    return Operation(
        fact=TcpFact(rtt_us=counters.rtt_us if counters else None, reply_ttl=bounds.found, kernel=counters),
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        failure=failure,
        address=stream.address,
        port=stream.port,
        bytes_sent=stream.bytes_sent,
        bytes_received=stream.bytes_received,
    )


class _Search:
    """A search between TTLs that were let in and TTLs that were not."""

    def __init__(self, wire: Wire, stream: TcpStream, bounds: Bounds, beginning: bytes) -> None:
        self._wire = wire
        self._stream = stream
        self._bounds = bounds
        self._left = beginning
        self._usual_s = (stream.rtt_us or 0) / 1e6

    async def run(self) -> None:
        """Until it is found; at once where the kernel has not what it takes, or the other end acknowledges nothing."""
        bounds = self._bounds
        able = kernel.ignore_below(self._stream.socket, 0)
        if not able or self._settled() is None or not await self._is_acknowledged():
            return
        bounds.low = max(bounds.low, 1)
        while bounds.found is None:
            # Systems begin with 64, 128 or 255, and hardly any way is longer than 60 routers.
            inside = (border for border in (129, 65) if bounds.low < border < bounds.high)
            ttl = next(inside, (bounds.low + bounds.high) // 2)
            if await self._comes_with(ttl):
                bounds.low = ttl
            else:
                bounds.high = ttl

    async def _comes_with(self, ttl: int) -> bool:
        """Whether an acknowledgement arrives with this TTL at least; it is not waited for once the kernel has ignored one."""
        kernel.ignore_below(self._stream.socket, ttl)
        if await self._is_acknowledged():
            return True
        # Before the kernel sends again and slows down: an acknowledgement of the next byte settles both.
        kernel.ignore_below(self._stream.socket, 0)
        if not await self._is_acknowledged():
            raise TimeoutError
        return False

    async def _is_acknowledged(self) -> bool:
        """Send a byte, and whether everything is acknowledged in the time that this usually takes."""
        byte, self._left = self._left[:1], self._left[1:]
        if not byte:
            raise TimeoutError
        ignored = kernel.ignored()
        await self._stream.write(byte)
        until = self._wire.monotonic() + self._usual_s + _SLACK_S
        while not self._settled():
            if self._wire.monotonic() >= until or kernel.ignored() != ignored:
                return bool(self._settled())
            await self._wire.sleep(_POLL_S)
        return True

    def _settled(self) -> bool | None:
        """Whether nothing is left unacknowledged; ``None`` where the kernel does not tell."""
        counters = kernel.read(self._stream.socket)
        return counters.unacked == 0 if counters is not None and counters.unacked is not None else None
