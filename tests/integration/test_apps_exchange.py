"""Exchanges of apps against real sockets on loopback; the data centres are the lab's, which share no code with the probe."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

import pytest

from probe.instruments import tcp
from probe.instruments.apps import exchange, websocket
from probe.instruments.apps.dialogue import Heard
from probe.instruments.apps.mtproto import MtprotoDialogue
from probe.observations import AppFact, Operation
from probe.wire import Wire
from tests import nano
from tests.lab import mtproto

pytestmark = pytest.mark.anyio
NOT = "unknown_failure: not mtproto"


def fact_of(operation: Operation) -> AppFact:
    assert isinstance(operation.fact, AppFact)
    return operation.fact


@contextlib.asynccontextmanager
async def centre(manner: str, *, through_websocket: bool = False) -> AsyncIterator[int]:
    """A data centre of the lab on a port of loopback."""
    speak = mtproto._serve_websocket if through_websocket else mtproto._serve
    server = await asyncio.start_server(lambda r, w: speak(manner, r, w), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(port: int, *, deadline_s: float = 5, in_websocket: bool = False) -> Operation:
    """One exchange over a connection of its own."""
    wire = Wire(rng=random.Random(7))
    connected = await tcp.connect(wire, "127.0.0.1", port, deadline_s=5)
    assert connected.stream is not None
    through = None
    if in_websocket:
        key = websocket.make_key(wire.random)
        opening = websocket.request("centre.example", "/apiws", key, subprotocol="binary", user_agent="test")
        through = websocket.WebSocketStream(connected.stream, wire.random, opening, key)
    try:
        return await exchange.over_tcp(
            wire,
            connected.stream,
            MtprotoDialogue(wire.random, wire.now_us()),
            deadline_s=deadline_s,
            name="centre.example",
            through=through,
        )
    finally:
        connected.stream.close()


async def test_a_data_centre_answers():
    """No failure, and the fact says what was exchanged."""
    async with centre("answer") as port:
        operation = await ask(port)
    fact = fact_of(operation)
    assert (operation.failure, operation.name, operation.port) == (None, "centre.example", port)
    assert (fact.protocol, fact.sent, fact.answered, fact.expected) == ("mtproto", "req_pq_multi", True, True)
    assert (fact.messages_sent, fact.messages_received, operation.bytes_sent) == (1, 1, 108)
    assert operation.bytes_received > 80
    assert (fact.first_reply_us or 0) > 0
    assert len(fact.first_bytes or "") == 64


@pytest.mark.parametrize(
    ("manner", "failure", "expected", "detail"),
    [
        ("http", NOT, False, "an answer of a web server (HTTP)"),
        ("echo", NOT, False, None),
        ("noise", NOT, False, None),
        ("other", NOT, False, None),
        ("close", "eof_error", None, None),
        ("flood", None, True, "an error of the transport (429)"),
    ],
)
async def test_what_comes_instead_is_told(manner: str, failure: str | None, expected: bool | None, detail: str | None):
    """Only the right answer is one, and what came in its place has a name."""
    async with centre(manner) as port:
        operation = await ask(port)
    fact = fact_of(operation)
    assert (operation.failure, fact.expected) == (failure, expected)
    assert detail in (None, fact.detail)
    assert (fact.detail is None) == (manner == "close")


async def test_a_reset_is_told():
    """With its errno; nothing had come."""
    async with centre("reset") as port:
        operation = await ask(port)
    assert (operation.failure, fact_of(operation).errno, fact_of(operation).answered) == (
        "connection_reset",
        "ECONNRESET",
        False,
    )


@pytest.mark.parametrize(("manner", "answered"), [("silent", False), ("half", True)])
async def test_silence_ends_at_the_deadline(manner: str, answered: bool):
    """Also in the middle of an answer, which is none then."""
    async with centre(manner) as port:
        operation = await ask(port, deadline_s=0.3)
    fact = fact_of(operation)
    assert (operation.failure, fact.answered, fact.expected) == ("generic_timeout_error", answered, None)


async def test_a_data_centre_answers_in_a_websocket():
    """The same bytes, in frames; what is counted is what was on the wire."""
    async with centre("answer", through_websocket=True) as port:
        operation = await ask(port, in_websocket=True)
    assert operation.failure is None
    assert operation.bytes_sent > 250


async def test_a_web_server_in_place_of_a_websocket_is_told():
    """What it says is read as what it is: no answer of the protocol."""
    async with nano.serve(nano.saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as port:
        operation = await ask(port, in_websocket=True)
    assert operation.failure == NOT
    assert fact_of(operation).detail == "an answer of a web server (HTTP)"


async def test_a_websocket_that_is_closed_at_once_is_an_end():
    """Nothing had come."""
    async with centre("close") as port:
        operation = await ask(port, in_websocket=True)
    assert (operation.failure, fact_of(operation).answered) == ("eof_error", False)


# ---------------------------------------------------------------------------------------------------------------------
# datagrams


class Counting:
    """A protocol of two messages: ``hello`` is answered ``again``, which is answered ``done``."""

    protocol = "counting"
    sent = "hello"

    def first(self) -> bytes:
        return b"hello"

    def heard(self, data: bytes) -> Heard:
        if data == b"again":
            return Heard(done=False, say=b"and once more")
        if data == b"done":
            return Heard(done=True, expected=True)
        return Heard(done=True, expected=False)


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answers: Callable[[int, bytes], list[bytes]]) -> None:
        self._answers, self.got = answers, list[bytes]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append(data)
        for answer in self._answers(len(self.got), data):
            self._transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def datagrams(answers: Callable[[int, bytes], list[bytes]]) -> AsyncIterator[tuple[int, _Server]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: _Server(answers), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], server
    finally:
        transport.close()


async def say(port: int, deadline_s: float = 5, resends_s: tuple[float, ...] = (0.1, 0.2)) -> Operation:
    return await exchange.over_udp(
        Wire(), "127.0.0.1", port, Counting(), name="n.example", deadline_s=deadline_s, resends_s=resends_s
    )


def _fluent(_number: int, data: bytes) -> list[bytes]:
    return [b"again" if data == b"hello" else b"done"]


async def test_datagrams_are_exchanged_to_the_end():
    """Both messages, each answered."""
    async with datagrams(_fluent) as (port, server):
        operation = await say(port)
    fact = fact_of(operation)
    assert (operation.failure, fact.expected, fact.messages_received) == (None, True, 2)
    assert server.got[0] == b"hello"
    assert server.got[-1] == b"and once more"
    assert fact.transport == "udp"


async def test_a_lost_datagram_is_sent_again():
    """With the same bytes, until something comes."""
    async with datagrams(lambda n, _data: [b"done"] if n == 3 else []) as (port, server):
        operation = await say(port)
    assert operation.failure is None
    assert server.got[:3] == [b"hello"] * 3
    assert fact_of(operation).messages_sent == 3


async def test_the_right_answer_behind_a_wrong_one_counts():
    """Whoever is in between is quicker; the server's own answer still comes."""
    async with datagrams(lambda _n, _data: [b"forged", b"done"]) as (port, _):
        operation = await say(port)
    assert (operation.failure, fact_of(operation).expected, fact_of(operation).detail) == (None, True, None)


async def test_a_wrong_answer_alone_is_told():
    """It is not the protocol, however long one waits."""
    async with datagrams(lambda _n, _data: [b"forged"]) as (port, _):
        operation = await say(port)
    fact = fact_of(operation)
    assert (operation.failure, fact.expected, fact.detail) == ("unknown_failure: not counting", False, "text (6 bytes)")


async def test_silence_over_udp_is_a_timeout():
    """Nothing came at all."""
    async with datagrams(lambda _n, _data: []) as (port, _):
        operation = await say(port, deadline_s=0.4)
    fact = fact_of(operation)
    assert (operation.failure, fact.answered, fact.expected) == ("generic_timeout_error", False, None)
    assert fact.messages_sent == 3


async def test_a_port_without_anybody_refuses():
    """The ICMP error is in the fact."""
    async with datagrams(_fluent) as (port, _):
        pass
    operation = await say(port)
    assert operation.failure == "connection_refused"
    assert fact_of(operation).icmp_type in (3, None)
