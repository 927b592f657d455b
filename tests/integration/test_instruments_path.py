"""One packet that goes only so far: against real sockets on loopback, and with a wire that says what routers say.

That Linux tells a program so is shown in the lab (``tests/lab/test_lab_located.py``); here, what is made of it.
"""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable

import pytest

from probe.experiments import locate
from probe.experiments.steps import Place
from probe.instruments import path, tcp
from probe.instruments.tls import Hello
from probe.observations import Observation, Operation, PathFact, Recorder
from probe.wire import Wire
from probe.wire.sockets import TcpOptions
from tests import nano

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how far a packet got"),
]
SERVER_HELLO = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"
ALERT = b"\x15\x03\x03\x00\x02\x02\x70"
HELLO = path.Words.of_hello(Hello("www.example.test"))


class Routers(Wire):
    """A wire on which a router answers every SYN: a TTL ran out at *hop*."""

    def __init__(self, hop: str, gateway: str | None = None) -> None:
        super().__init__()
        self._hop = hop
        self._gateway = gateway

    def gateway(self) -> str | None:
        return self._gateway

    async def connect(
        self,
        address: str,
        port: int,
        options: TcpOptions | None = None,
        *,
        before_close: Callable[[socket.socket], None] | None = None,
    ) -> socket.socket:
        error = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        error.icmp = (11, 0, self._hop)  # type: ignore[attr-defined]
        raise error


class FarStream(tcp.TcpStream):
    """A stream on whose packets routers speak *times* times, and nobody else ever does."""

    times = 1

    async def read(self, max_bytes: int) -> bytes:
        if self.times:
            self.times -= 1
            await asyncio.sleep(0.01)
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        return await super().read(max_bytes)


def fact_of(operation: Operation) -> PathFact:
    assert isinstance(operation.fact, PathFact)
    return operation.fact


async def opened(port: int) -> tcp.TcpStream:
    connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
    assert connected.stream is not None
    return connected.stream


async def greeted(handler: nano.Behaviour, *, later_s: float = 0.0, words: path.Words = HELLO) -> Operation:
    """What comes of a greeting that any distance is near enough for."""
    async with nano.serve(handler) as port:
        return await path.say(Wire(), await opened(port), words=words, ttl=1, deadline_s=0.4, later_s=later_s)


# ---------------------------------------------------------------------------------------------------------------------
# a SYN


async def test_a_syn_that_is_answered_leaves_its_port_free():
    """An answer is no failure, and the same port sends the next one at once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        first = await path.syn(Wire(), "127.0.0.1", port, ttl=1, deadline_s=5)
        source = fact_of(first).source_port
        second = await path.syn(Wire(), "127.0.0.1", port, ttl=7, deadline_s=5, source_port=source)
    assert (first.failure, fact_of(first).came, fact_of(first).sent) == (None, "answer", "syn")
    assert (second.failure, fact_of(second).source_port, fact_of(second).ttl) == (None, source, 7)


async def test_a_syn_that_is_refused_and_one_that_is_lost():
    """A refusal is a reset that came; silence is nothing that came, and has its port all the same."""
    refused = await path.syn(Wire(), "127.0.0.1", nano.refused_port(), ttl=9, deadline_s=5)
    with nano.deaf_port() as port:
        lost = await path.syn(Wire(), "127.0.0.1", port, ttl=9, deadline_s=0.2)
    assert (refused.failure, fact_of(refused).came) == ("connection_refused", "reset")
    assert (lost.failure, fact_of(lost).came, fact_of(lost).after_us) == ("generic_timeout_error", "nothing", None)
    assert fact_of(lost).source_port


async def test_a_port_that_is_taken_says_nothing_of_the_way():
    """What this host refuses to send came back from nobody."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        source = taken.getsockname()[1]
        operation = await path.syn(Wire(), "127.0.0.1", nano.refused_port(), ttl=9, deadline_s=1, source_port=source)
    assert fact_of(operation).came is None
    assert operation.failure


@pytest.mark.parametrize(
    ("hop", "ttl", "kept", "scope"),
    [
        ("92.46.7.9", 3, "92.46.7.9", "public"),
        ("92.46.7.9", 1, None, "public"),
        ("192.168.1.1", 1, None, "gateway"),
        ("10.20.0.1", 2, None, "private"),
        ("100.64.3.1", 2, None, "shared"),
        ("2a03:2880::7", 3, "2a03:2880::7", "public"),
        ("fe80::1", 1, None, "gateway"),
        ("2a02:1b8:7::1", 1, None, "gateway"),
        ("fd00::1", 2, None, "private"),
        ("64:ff9b::5c2e:709", 3, "92.46.7.9", "public"),
        ("64:ff9b::c0a8:101", 1, None, "gateway"),
        ("64:ff9b::a14:1", 2, None, "private"),
        ("2a02:1b8:7:64::5c2e:709", 3, "2a02:1b8:7:64::5c2e:709", "public"),
    ],
)
async def test_a_router_is_known_by_what_may_be_kept_of_it(hop: str, ttl: int, kept: str | None, scope: str):
    """The first router's address is never kept, nor one that is not of the public Internet; what kind it is, is."""
    fact = fact_of(await path.syn(Routers(hop, "192.168.1.1"), "203.0.113.9", 443, ttl=ttl, deadline_s=1))
    assert (fact.came, fact.icmp_type, fact.hop, fact.hop_is) == ("icmp", 11, kept, scope)


async def test_a_router_behind_this_networks_own_translator_is_known_by_its_own_address():
    """So that the same router has the same name to hosts with and without IPv4."""
    wire = Routers("2a02:1b8:7:64::5c2e:709")
    wire.translator = "2a02:1b8:7:64::"
    fact = fact_of(await path.syn(wire, "203.0.113.9", 443, ttl=3, deadline_s=1))
    assert (fact.hop, fact.hop_is) == ("92.46.7.9", "public")


def test_a_router_beside_this_host_tells_where_it_is():
    """A rented machine has a public address, and its gateway nearly the same one."""
    assert not path.may_be_kept("185.12.64.1", 2, "185.12.64.77")
    assert path.may_be_kept("185.12.65.1", 2, "185.12.64.77")
    assert not path.may_be_kept("2a01:4f8:1:2::1", 2, "2a01:4f8:1:3::77")
    assert path.may_be_kept("185.12.65.1", 2, "2a01:4f8:1:3::77")


@pytest.mark.parametrize(
    ("hop", "own", "ours"),
    [
        ("185.12.200.1", "185.12.64.77", True),
        ("185.13.0.1", "185.12.64.77", False),
        ("92.47.144.1", "192.168.1.10", False),
        ("2a02:1b8:7:2::1", "2a02:1b8:7:1::10", True),
        ("2a02:1b8:8::1", "2a02:1b8:7:1::10", False),
        ("92.46.7.9", "2a02:1b8:7:1::10", False),
        ("92.46.7.9", None, False),
    ],
)
def test_a_router_with_a_public_address_may_be_ones_own_organisations(hop: str, own: str | None, ours: bool):
    """A university's and a data centre's are near to their hosts, and so is a second one at home over IPv6."""
    assert path.is_ours(hop, 3, own) is ours


async def test_such_a_router_is_no_outside_one(monkeypatch: pytest.MonkeyPatch):
    """Whatever its address looks like."""
    monkeypatch.setattr(path, "is_ours", lambda hop, _ttl, _own: hop == "185.12.200.1")
    for hop, scope in (("185.12.200.1", "private"), ("185.13.0.1", "public")):
        fact = fact_of(await path.syn(Routers(hop), "203.0.113.9", 443, ttl=3, deadline_s=1))
        assert fact.hop_is == scope


# ---------------------------------------------------------------------------------------------------------------------
# a ClientHello


async def test_a_server_hello_is_an_answer():
    """Its first record is enough."""
    operation = await greeted(nano.saying(SERVER_HELLO))
    assert (operation.failure, fact_of(operation).came, fact_of(operation).sni) == (None, "answer", HELLO.name)
    assert operation.bytes_sent > 200


@pytest.mark.parametrize("says", [b"", ALERT, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_an_end_and_what_is_no_server_hello_are_an_end(says: bytes):
    """Nobody who has a certificate for it answered."""
    operation = await greeted(nano.saying(says))
    assert (operation.failure, fact_of(operation).came) == ("eof_error", "fin")


@pytest.mark.parametrize(
    ("says", "came"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answer"),
        (b"HTTP/1.0 200 OK\r\n", "answer"),
        (b"HTT", "fin"),
        (b"ICY 200 OK\r\n", "fin"),
        (b"", "fin"),
    ],
)
async def test_any_page_is_an_answer_to_a_plain_request(says: bytes, came: str):
    """Whatever its status; what is no HTTP is an end. The request is a browser's, and its name is the operation's."""
    words = path.Words.of_request("www.example.test", "Mozilla/5.0")
    assert words.data.startswith(b"GET / HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: Mozilla/5.0\r\n")
    assert words.data.endswith(b"\r\n\r\n")
    operation = await greeted(nano.saying(says), words=words)
    fact = fact_of(operation)
    assert (fact.came, fact.sent, fact.sni, operation.name) == (came, "request", None, "www.example.test")


async def test_a_reset_is_a_reset():
    """Whoever sent it."""

    operation = await greeted(nano.resetting)
    assert (operation.failure, fact_of(operation).came) == ("connection_reset", "reset")


async def test_what_arrived_and_is_not_answered_is_not_sent_again():
    """The far kernel has acknowledged it: there is nothing to let go any farther."""

    fact = fact_of(await greeted(nano.silent, later_s=5))
    assert (fact.came, fact.acked, fact.later) == ("nothing", True, None)


@pytest.mark.parametrize(("times", "again"), [(2, "icmp"), (1, "nothing")])
async def test_a_router_may_speak_again_or_hear_nothing_more(times: int, again: str):
    """The kernel's next copy is waited for, and then the greeting is let go all the way."""
    with nano.deaf_port() as port:
        there, here = socket.socketpair()
        with there:
            here.setblocking(False)
            stream = FarStream(_Inet(here), "127.0.0.1", port)
            stream.times = times
            operation = await path.say(Wire(), stream, words=HELLO, ttl=3, deadline_s=0.4, later_s=0.2)
    fact = fact_of(operation)
    assert (fact.came, fact.again, fact.later, fact.ttl) == ("icmp", again, "nothing", 3)
    assert operation.failure == "host_unreachable"
    assert fact.after_us is not None
    assert fact.after_us < 100_000


async def test_where_names_are_broken_off_the_next_copy_goes_all_the_way():
    """A device that resets has spoken by the time that a router has: nothing is learnt from a second word."""
    there, here = socket.socketpair()
    with there:
        stream = FarStream(_Inet(here), "127.0.0.1", 443)
        operation = await path.say(Wire(), stream, words=HELLO, ttl=3, deadline_s=5, later_s=0.2, twice=False)
    fact = fact_of(operation)
    assert (fact.came, fact.again, fact.later) == ("icmp", None, "nothing")
    assert (operation.duration_us or 0) < 2_000_000


@pytest.mark.skipif(not path.CHANGES, reason="this kernel sends what it was given")
@pytest.mark.parametrize(("times", "goes_on"), [(1, True), (0, False)])
async def test_another_name_goes_all_the_way_once_a_router_has_had_the_first(
    times: int, goes_on: bool, monkeypatch: pytest.MonkeyPatch
):
    """The pages that the kernel sends from say the other name before the TTL is an ordinary one; never where nobody spoke."""
    done: list[object] = []
    pwrite = os.pwrite

    def writes(pages: int, data: bytes, at: int) -> int:
        done.append(data)
        return pwrite(pages, data, at)

    def lets_go(_socket: socket.socket, ttl: int) -> None:
        done.append(ttl)

    monkeypatch.setattr(os, "pwrite", writes)
    monkeypatch.setattr(path, "set_ttl", lets_go)
    other = path.Words.of_hello(Hello("www.another.test"))
    there, here = socket.socketpair()
    with there:
        here.setblocking(False)
        stream = FarStream(_Inet(here), "127.0.0.1", 443)
        stream.times = times
        operation = await path.say(
            Wire(), stream, words=HELLO, ttl=3, deadline_s=0.3, later_s=0.1, twice=True, instead=other
        )
        # What waits in a queue of the kernel's is read from the same pages.
        assert there.recv(4096) == (other.data if goes_on else HELLO.data)
    fact = fact_of(operation)
    assert operation.bytes_sent == len(HELLO.data) == len(other.data)
    assert (fact.sni, fact.again) == (HELLO.name, None)
    if goes_on:
        assert done == [3, HELLO.data, other.data, 64]
        assert (fact.came, fact.later) == ("icmp", "nothing")
    else:
        assert done == [3, HELLO.data]
        assert (fact.came, fact.later) == ("nothing", None)


async def test_a_name_that_no_greeting_can_carry_is_no_crash():
    """A label of 64 bytes has no ClientHello."""
    assert path.greeting(Hello("a" * 64 + ".example")) is None


# ---------------------------------------------------------------------------------------------------------------------
# the sweep


async def test_a_pretend_internet_on_this_computer_gets_no_greetings():
    """Where the place itself answers a TTL of 1 there is no way to look at: a few SYNs, and nothing that names anybody."""
    recorder = Recorder()

    async def turn() -> None:
        """Nobody else is here."""

    def record(operation: Operation, place: Place) -> Observation:
        return recorder.add(operation, **place.fields())

    tools = locate.Tools(Wire(), turn, record, Place(purpose="locate", endpoint=0))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        await locate.Names(tools, locate.Ground("127.0.0.1", port, "a.example", "b.example")).sweep()
    facts = [fact_of(o.operation) for o in recorder.observations]
    assert {fact.sent for fact in facts} == {"syn"}
    assert len(facts) < locate.FARTHEST


class _Inet(socket.socket):
    """A Unix socket that says of itself what an Internet one does."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self.setblocking(False)

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 40_000)

    def getsockopt(self, *args: int) -> int | bytes:  # type: ignore[override]
        return b"" if len(args) > 2 else 64

    def setsockopt(self, *_args: object) -> None:
        return None
