"""One TCP connect, against real sockets on loopback."""

import asyncio
import sys

import pytest

from probe.instruments import tcp
from probe.observations import TcpFact
from probe.wire import Wire
from probe.wire.sockets import TcpOptions
from tests import nano

pytestmark = pytest.mark.anyio
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's counters are Linux's")


def fact_of(connected: tcp.Connected) -> TcpFact:
    assert isinstance(connected.operation.fact, TcpFact)
    return connected.operation.fact


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_connection_has_a_round_trip_and_a_stream(address: str):
    """Success is no failure, an RTT, and a stream that reads, writes and counts."""
    async with nano.serve(nano.saying(b"pong"), address=address) as port:
        connected = await tcp.connect(Wire(), address, port, deadline_s=5, name="example.test")
        assert connected.stream is not None
        await connected.stream.write(b"ping!")
        answer = await connected.stream.read(100)
        connected.stream.close()

    operation = connected.operation
    assert (operation.failure, operation.address, operation.port) == (None, address, port)
    assert operation.name == "example.test"
    assert 0 < (fact_of(connected).rtt_us or 0) < 5_000_000
    assert connected.stream.rtt_us == fact_of(connected).rtt_us
    assert (answer, connected.stream.bytes_sent, connected.stream.bytes_received) == (b"pong", 5, 4)


async def test_a_closed_port_is_refused():
    """A RST to the SYN is connection_refused with its errno, no RTT, and no stream."""
    connected = await tcp.connect(Wire(), "127.0.0.1", nano.refused_port(), deadline_s=5)

    assert connected.stream is None
    assert connected.operation.failure == "connection_refused"
    assert (fact_of(connected).errno, fact_of(connected).rtt_us) == ("ECONNREFUSED", None)


@linux
async def test_silence_is_a_timeout_that_counts_its_syns():
    """After the deadline the kernel still says that the SYN was sent again."""
    with nano.deaf_port() as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=1.4)

    counters = fact_of(connected).kernel
    assert connected.operation.failure == "generic_timeout_error"
    assert counters is not None
    assert counters.total_retrans == 1
    assert 1_300_000 < (connected.operation.duration_us or 0) < 5_000_000


async def test_an_address_without_an_interface_is_a_failure():
    """What fails before a packet is sent is data too."""
    connected = await tcp.connect(Wire(), "fe80::1%nosuch0", 443, deadline_s=5)

    assert (connected.operation.failure, connected.stream) == ("unknown_failure: no errno", None)


@linux
async def test_a_cap_on_the_segments_is_told():
    """TCP_MAXSEG is set before the SYN, and the fact says so."""
    async with nano.serve(nano.silent) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5, options=TcpOptions(mss=1200))
        assert connected.stream is not None
        connected.stream.close()

    counters = fact_of(connected).kernel
    assert fact_of(connected).mss_cap == 1200
    assert connected.stream.mss_cap == 1200
    assert counters is not None
    assert (counters.snd_mss or 0) <= 1200


async def test_a_cancelled_connect_leaves_nothing_open():
    """Cancellation goes through; a leaked socket would be a ResourceWarning."""
    with nano.deaf_port() as port:
        task = asyncio.get_running_loop().create_task(tcp.connect(Wire(), "127.0.0.1", port, deadline_s=60))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
