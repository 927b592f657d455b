"""One question to a clock."""

import sys
import time

import pytest

from probe.instruments import ntp
from probe.observations import ClockFact, Operation
from probe.wire import Wire
from tests import nano

pytestmark = pytest.mark.anyio
EPOCH = 2_208_988_800


def stamp(unix_s: float) -> bytes:
    seconds = unix_s + EPOCH
    return (int(seconds) % 2**32).to_bytes(4) + int(seconds % 1 * 2**32).to_bytes(4)


def clock(
    offset_s: float = 0.0, *, stratum: int = 2, mode: int = 4, cookie: bytes | None = None, word: bytes = b"GPS\0"
):
    def behaviour(query: bytes) -> list[bytes]:
        now = stamp(time.time_ns() / 1e9 + offset_s)
        return [bytes((0x20 | mode, stratum, 6, 0)) + bytes(8) + word + bytes(8) + (cookie or query[40:48]) + now + now]

    return behaviour


async def ask(behaviour, deadline_s: float = 5) -> Operation:
    async with nano.serve_udp(behaviour) as server:
        return await ntp.ask(Wire(), "127.0.0.1", port=server.port, deadline_s=deadline_s)


@pytest.mark.parametrize("offset_s", [0.0, 90.0, -31_536_000.0, 600_000_000.0])
async def test_the_offset_is_theirs_minus_ours(offset_s: float):
    """A minute, a year, or past the wrap of 2036."""
    operation = await ask(clock(offset_s))

    assert isinstance(operation.fact, ClockFact)
    assert (operation.failure, operation.fact.source, operation.fact.stratum) == (None, "ntp", 2)
    assert operation.fact.offset_s == pytest.approx(offset_s, abs=1)


async def test_our_own_time_is_not_told():
    """The transmit timestamp is random, so the server learns nothing and a stranger cannot guess it."""
    heard = []

    def listen(query: bytes) -> list[bytes]:
        heard.append(query)
        return list(clock()(query))

    await ask(listen)
    await ask(listen)

    assert [len(query) for query in heard] == [48, 48]
    assert heard[0][40:48] != heard[1][40:48]
    assert heard[0][1:40] == bytes(39)


@pytest.mark.parametrize(
    "behaviour", [clock(cookie=b"guessed!"), clock(mode=3), lambda _query: [b"short"], lambda _query: []]
)
async def test_what_is_no_reply_to_us_is_waited_behind(behaviour):
    """A forged, mirrored or short packet is silence."""
    operation = await ask(behaviour, deadline_s=0.2)

    assert (operation.failure, operation.fact) == ("generic_timeout_error", ClockFact(source="ntp"))


async def test_a_kiss_of_death_is_a_failure_with_its_word():
    """Stratum 0 is a refusal, not a time."""
    operation = await ask(clock(stratum=0, word=b"RATE"))

    assert operation.failure == "unknown_failure: ntp refused, RATE"
    assert operation.fact == ClockFact(source="ntp", stratum=0)


@pytest.mark.skipif(sys.platform != "linux", reason="others may not report a closed port")
async def test_no_clock_there_is_refused():
    """ICMP says so at once."""
    operation = await ntp.ask(Wire(), "127.0.0.1", port=nano.refused_port(), deadline_s=5)

    assert operation.failure == "connection_refused"
