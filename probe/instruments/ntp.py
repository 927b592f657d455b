"""One question to a clock (SNTP, RFC 4330): how far is this host's clock from theirs?"""

from __future__ import annotations

import asyncio
from typing import Any

from probe.instruments import failures
from probe.observations import ClockFact, Operation
from probe.observations.failures import UNKNOWN_FAILURE
from probe.wire import Wire
from probe.wire.datagrams import Datagram

PORT = 123
_EPOCH = 2_208_988_800  # seconds from 1900, where NTP begins, to 1970
_ERA = 2**32  # NTP's seconds wrap in 2036
_LENGTH = 48


async def ask(wire: Wire, address: str, *, deadline_s: float, port: int = PORT) -> Operation:
    """Ask the clock at *address* once. The offset is theirs minus ours; half of an uneven path goes into it unseen.

    The transmit timestamp that we send is random, not our time: it only has to come back, so that a reply is to this
    question and no stranger can guess it. A server that says "go away" (stratum 0) is a failure with the word it gave.
    """
    started, started_us = wire.monotonic(), wire.now_us()
    cookie = wire.random.getrandbits(64).to_bytes(8)
    datagram: Datagram | None = None
    failure: str | None = None
    try:
        with wire.udp(address, port) as sock:
            sock.connect()
            async with asyncio.timeout(deadline_s):
                sock.send(bytes((0x23,)) + bytes(39) + cookie)  # version 4, client
                sent_us = wire.now_us()
                while not _is_reply((datagram := await sock.receive()).data, cookie):
                    datagram = None
    except OSError as error:
        failure = failures.from_os_error(error)
    fact, more = ClockFact(source="ntp"), {"failure": failure}
    if datagram is not None and failure is None:
        fact, more = _read(datagram, sent_us)
    return Operation(
        fact=fact,
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        address=address,
        port=port,
        bytes_sent=_LENGTH,
        bytes_received=len(datagram.data) if datagram else 0,
        **more,
    )


def _is_reply(data: bytes, cookie: bytes) -> bool:
    """A server's packet (mode 4) that brings our cookie back."""
    return len(data) >= _LENGTH and data[0] & 7 == 4 and data[24:32] == cookie


def _read(datagram: Datagram, sent_us: int) -> tuple[ClockFact, dict[str, Any]]:
    data = datagram.data
    stratum = data[1]
    if stratum == 0:  # kiss of death; the reference id says why, in ASCII
        why = "".join(filter(str.isprintable, data[12:16].decode("ascii", errors="replace")))
        return ClockFact(source="ntp", stratum=0), {"failure": f"{UNKNOWN_FAILURE}ntp refused, {why}"}
    received, transmitted = _seconds(data[32:40]), _seconds(data[40:48])
    offset_s = ((received - sent_us / 1e6) + (transmitted - datagram.received_us / 1e6)) / 2
    return ClockFact(source="ntp", offset_s=round(offset_s, 6), stratum=stratum), {"failure": None}


def _seconds(stamp: bytes) -> float:
    """A 64-bit NTP timestamp as UTC seconds; one that would lie before 1968 is of the next era (RFC 4330 §3)."""
    seconds, fraction = int.from_bytes(stamp[:4]), int.from_bytes(stamp[4:])
    era = 0 if seconds & 0x80000000 else _ERA
    return seconds + era - _EPOCH + fraction / _ERA
