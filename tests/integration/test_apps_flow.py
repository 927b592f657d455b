"""Flows to an echo on loopback, with somebody in between: what lives passes, and what stops is told from what is lost."""

import asyncio
import contextlib
import random

import pytest

from probe.instruments import tcp
from probe.instruments.apps import flow
from probe.instruments.apps.encrypted import EncryptedShape, RandomShape
from probe.instruments.apps.flow import Pace
from probe.instruments.apps.openvpn import OpenvpnShape
from probe.observations import AppFact
from probe.wire import Wire
from tests.integration.test_control_sinks import HERE, opened

pytestmark = pytest.mark.anyio

PACE = Pace(packets=12, size=100, every_s=0.005, tail=5)


class Echo(asyncio.DatagramProtocol):
    """Sends back what *passes* lets through: it is told the datagram and how many came before."""

    def __init__(self, passes):
        self.passes, self.count = passes, 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.count += 1
        if self.passes(data, self.count - 1):
            self.transport.sendto(data, addr)


@contextlib.asynccontextmanager
async def echo(passes):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Echo(passes), local_addr=(HERE, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def over_udp(passes, shape=None, patience_s=0.15):
    async with asyncio.timeout(20), echo(passes) as port:
        shape = shape or OpenvpnShape(random.Random(7))
        return await flow.over_udp(Wire(), HERE, port, shape, patience_s=patience_s, name="x", pace=PACE)


async def test_a_flow_that_lives_has_passed():
    """All packets came back, and it took no longer than that."""
    operation = await over_udp(lambda _data, _count: True)
    fact = operation.fact
    assert (operation.failure, fact.expected, fact.answered) == (None, True, True)
    assert (fact.protocol, fact.transport, fact.messages_sent) == ("openvpn", "udp", 13)
    assert 8 <= fact.messages_received <= 13
    assert fact.first_reply_us > 0
    assert fact.detail is None
    assert operation.bytes_sent >= operation.bytes_received > 0


async def test_a_first_packet_that_is_lost_is_sent_again():
    """Twice; a flow that begins late lives as well."""
    operation = await over_udp(lambda _data, count: count >= 2)
    assert (operation.failure, operation.fact.expected) == (None, True)
    assert operation.fact.messages_sent == 15


async def test_silence_from_the_first_packet_on_is_a_timeout():
    """Three tries and nothing; no data are sent."""
    operation = await over_udp(lambda _data, _count: False)
    fact = operation.fact
    assert (operation.failure, fact.answered, fact.expected) == ("generic_timeout_error", False, None)
    assert (fact.messages_sent, fact.messages_received) == (3, 0)


@pytest.mark.parametrize("after", [1, 5, 8])
async def test_a_flow_that_stops_after_some_packets_has_not_passed(after):
    """A first packet that passes is not enough; what is sent at the end is sent once more."""
    operation = await over_udp(lambda _data, count: count < after)
    fact = operation.fact
    assert (operation.failure, fact.answered, fact.expected) == ("generic_timeout_error", True, False)
    assert fact.messages_received == after
    assert fact.messages_sent == 1 + PACE.packets + PACE.tail
    assert str(after) in fact.detail


async def test_a_third_of_all_packets_lost_is_no_stop():
    """Twenty flows, each with other losses: the same seed each time."""
    chance = random.Random(5)
    for _ in range(20):
        operation = await over_udp(lambda _data, _count: chance.random() > 0.36, patience_s=0.1)
        assert operation.fact.expected is True or operation.fact.messages_sent == 3


async def test_somebody_elses_words_are_no_echo():
    """Only what was sent counts."""

    class Liar(Echo):
        def datagram_received(self, data, addr):
            self.transport.sendto(b"x" + data[1:], addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Liar(None), local_addr=(HERE, 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        shape = OpenvpnShape(random.Random(7))
        operation = await flow.over_udp(Wire(), HERE, port, shape, patience_s=0.05, name="x", pace=PACE)
    finally:
        transport.close()
    assert isinstance(operation.fact, AppFact)
    assert (operation.failure, operation.fact.answered) == ("generic_timeout_error", False)


async def test_a_port_that_is_closed_says_so():
    """An ICMP message is a failure with its number, at once."""
    async with echo(lambda _data, _count: True) as port:
        pass
    shape = OpenvpnShape(random.Random(7))
    operation = await flow.over_udp(Wire(), HERE, port, shape, patience_s=1, name="x", pace=PACE)
    assert isinstance(operation.fact, AppFact)
    assert (operation.failure, operation.fact.icmp_code) == ("connection_refused", 3)


# ---------------------------------------------------------------------------------------------------------------------
# over a connection


@contextlib.asynccontextmanager
async def server(serve):
    listener = await asyncio.start_server(serve, HERE, 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def over_tcp(port, shape=None):
    connected = await tcp.connect(Wire(), HERE, port, deadline_s=5)
    assert connected.stream is not None
    try:
        shape = shape or OpenvpnShape(random.Random(7), framed=True)
        async with asyncio.timeout(20):
            return await flow.over_tcp(Wire(), connected.stream, shape, patience_s=0.3, name="x", pace=PACE)
    finally:
        connected.stream.close()


def echoing(most, then):
    """A server that sends back *most* bytes, and *then* does something else."""

    async def serve(reader, writer):
        left = most
        with contextlib.suppress(ConnectionError):
            while left > 0 and (data := await reader.read(min(left, 4096))):
                left -= len(data)
                writer.write(data)
                await writer.drain()
            await then(reader, writer)
        writer.close()

    return serve


async def _close(_reader, _writer):
    return


async def _wait(reader, _writer):
    while await reader.read(4096):
        pass


async def _reset(_reader, writer):
    writer.transport.abort()


async def _lie(reader, writer):
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("most", "then", "failure", "expected"),
    [
        (100_000, _wait, None, True),
        (0, _wait, "generic_timeout_error", None),
        (0, _close, ("eof_error", "connection_reset"), None),
        (300, _wait, "generic_timeout_error", False),
        (300, _close, ("eof_error", "connection_reset"), False),
        (300, _reset, ("eof_error", "connection_reset"), False),
        (0, _lie, "unknown_failure: not an echo", False),
    ],
)
async def test_a_stream_lives_or_stops(most, then, failure, expected):
    """All came back; silence at once or later; an end, a reset, and somebody else's words."""
    async with server(echoing(most, then)) as port:
        operation = await over_tcp(port)
    assert operation.failure in (failure if isinstance(failure, tuple) else (failure,))
    assert operation.fact.expected is expected
    assert (operation.fact.messages_received == 13) is (failure is None)


async def test_the_controls_echoes_are_such_places():
    """Every shape lives there, over both, for who showed a token; and nobody else's does."""
    async with opened() as control:
        udp, stream = control.port("echo_udp"), control.port("echo_tcp")
        rng = random.Random(7)
        for shape in (OpenvpnShape(rng), RandomShape(rng, OpenvpnShape(rng))):
            operation = await flow.over_udp(Wire(), HERE, udp, shape, patience_s=1, name="x")
            assert operation.failure is None
        for framed in (OpenvpnShape(rng, framed=True), EncryptedShape(rng), RandomShape(rng, EncryptedShape(rng))):
            assert (await over_tcp(stream, framed)).failure is None
    async with opened(admitted=False) as control:
        operation = await flow.over_udp(
            Wire(), HERE, control.port("echo_udp"), OpenvpnShape(rng), patience_s=0.1, name="x", pace=PACE
        )
        assert operation.failure == "generic_timeout_error"
        assert (await over_tcp(control.port("echo_tcp"))).failure is not None
