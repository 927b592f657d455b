"""The search for a TTL, against real sockets on loopback: Linux begins with what IP_TTL says."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from probe.instruments import distance, kernel, tcp
from probe.observations import TcpFact
from probe.wire import Wire
from tests import nano

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="IP_MINTTL is Linux's")]
BEGINNING = bytes(range(64))


@contextlib.asynccontextmanager
async def answering(ttl: int, *, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """A server whose packets begin with *ttl*; it reads and says nothing."""

    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock: socket.socket = writer.get_extra_info("socket")
        v6 = sock.family == socket.AF_INET6
        level, option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if v6 else (socket.IPPROTO_IP, socket.IP_TTL)
        sock.setsockopt(level, option, ttl)
        await nano.silent(reader, writer)

    async with nano.serve(behaviour, address=address) as port:
        yield port


async def search(port: int, bounds: distance.Bounds, *, address: str = "127.0.0.1", beginning: bytes = BEGINNING):
    connected = await tcp.connect(Wire(), address, port, deadline_s=5)
    assert connected.stream is not None
    await asyncio.sleep(0.05)  # the server sets its TTL when it has taken the connection
    return await distance.measure(Wire(), connected.stream, bounds, beginning=beginning, deadline_s=10)


@pytest.mark.parametrize("ttl", [255, 129, 128, 65, 64, 59, 2])
async def test_a_ttl_is_found(ttl: int):
    """Whatever systems begin with, and however long the way."""
    async with answering(ttl) as port:
        operation = await search(port, distance.Bounds())

    assert operation.failure is None
    assert isinstance(operation.fact, TcpFact)
    assert operation.fact.reply_ttl == ttl
    assert operation.bytes_sent <= 24


async def test_a_hop_limit_is_found():
    """IPV6_MINHOPCOUNT is the same for IPv6."""
    async with answering(57, address="::1") as port:
        operation = await search(port, distance.Bounds(), address="::1")

    assert isinstance(operation.fact, TcpFact)
    assert operation.fact.reply_ttl == 57


async def test_what_was_broken_off_is_gone_on_with():
    """A search that came to no end keeps what it has learnt, and the next one begins there."""
    bounds = distance.Bounds()
    async with answering(59) as port:
        operation = await search(port, bounds, beginning=BEGINNING[:6])
        assert operation.failure == "generic_timeout_error"
        assert isinstance(operation.fact, TcpFact)
        assert operation.fact.reply_ttl is None
        assert 1 <= bounds.low <= 59 < bounds.high < 256

        again = await search(port, bounds)
    assert bounds.found == 59
    assert again.bytes_sent < 12


async def test_too_short_a_beginning_ends_the_search():
    """There is nothing to acknowledge any more: no guess."""
    async with answering(59) as port:
        operation = await search(port, distance.Bounds(), beginning=b"abc")

    assert operation.failure == "generic_timeout_error"
    assert isinstance(operation.fact, TcpFact)
    assert operation.fact.reply_ttl is None


async def test_where_the_kernel_ignores_nothing_nothing_is_found(monkeypatch: pytest.MonkeyPatch):
    """Not Linux, or an old one: NULL, and one byte at most was sent."""
    monkeypatch.setattr(kernel, "ignore_below", lambda _sock, _ttl: False)
    bounds = distance.Bounds()
    async with answering(59) as port:
        operation = await search(port, bounds)

    assert (operation.failure, bounds.found, operation.bytes_sent) == (None, None, 0)


async def test_the_connection_is_closed(monkeypatch: pytest.MonkeyPatch):
    """Also where the search is cancelled; a leaked socket would be a warning, and warnings are errors."""

    class Drowsy(Wire):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(kernel, "ignored", lambda: None)  # so that an ignored acknowledgement has to be waited for
    async with answering(1) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
        assert connected.stream is not None
        task = asyncio.get_running_loop().create_task(
            distance.measure(Drowsy(), connected.stream, distance.Bounds(), beginning=BEGINNING, deadline_s=10)
        )
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert connected.stream.socket.fileno() == -1
