"""The wire's own sockets and what it reads from the host."""

import asyncio
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import pytest

from probe.wire import Transport, Wire, resolvers, sockets
from probe.wire.resolvers import Nameserver, parse_resolv_conf
from probe.wire.sockets import TcpOptions
from tests import nano


def test_resolv_conf_is_read_in_order_without_repeats_or_nonsense():
    """Only nameserver lines with an address count, each once; a zone index stays."""
    text = "# nameserver 9.9.9.9\nnameserver 192.0.2.1\nsearch x\nnameserver fe80::1%eth0 extra\nnameserver x\nnameserver 192.0.2.1\nnameserver\n"

    assert parse_resolv_conf(text) == (Nameserver("192.0.2.1"), Nameserver("fe80::1%eth0"))


def test_no_resolv_conf_means_no_resolvers(tmp_path: Path):
    """A missing file is an empty list, not an error."""
    assert Wire(resolv_conf=tmp_path / "none").nameservers() == ()


@pytest.mark.parametrize(
    ("address", "private"),
    [("127.0.0.53", True), ("192.168.1.1", True), ("fe80::1%eth0", True), ("fd00::1", True), ("8.8.8.8", False)],
)
def test_whose_resolver_it_is(address: str, private: bool):
    """Loopback, private, link-local and unique local addresses are the local network's."""
    assert Nameserver(address).is_private is private


def test_a_zone_index_goes_into_the_socket_address():
    """fe80::1%1 is scope 1; an unknown interface is an OSError."""
    assert sockets.sockaddr("fe80::1%1", 53) == ("fe80::1", 53, 0, 1)
    assert sockets.sockaddr("fe80::1", 53) == ("fe80::1", 53, 0, 0)
    with pytest.raises(OSError, match="no interface"):
        sockets.sockaddr("fe80::1%nosuch0", 53)


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_datagram_comes_with_its_ttl_and_time(address: str):
    """A reply carries the TTL or hop limit of its packet and when the kernel got it."""
    wire = Wire()
    async with nano.serve_udp(lambda data: [data.upper()], address=address) as server:
        with wire.udp(address, server.port) as sock:
            sock.connect()
            sock.send(b"hello")
            async with asyncio.timeout(5):
                datagram = await sock.receive()

    assert (datagram.data, datagram.address, datagram.port) == (b"HELLO", address, server.port)
    assert datagram.ttl == 64
    assert abs(datagram.received_us - wire.now_us()) < 5_000_000


@pytest.mark.anyio
async def test_a_datagrams_time_is_on_the_wires_clock():
    """On a wire whose clock is a year behind, a datagram came a year ago too."""

    class Behind(Wire):
        def now_us(self) -> int:
            return super().now_us() - 31_536_000_000_000

    wire = Behind()
    async with nano.serve_udp(lambda data: [data]) as server:
        with wire.udp("127.0.0.1", server.port) as sock:
            sock.connect()
            sock.send(b"x")
            async with asyncio.timeout(5):
                datagram = await sock.receive()

    assert abs(datagram.received_us - wire.now_us()) < 5_000_000


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "linux", reason="the error queue is Linux's")
async def test_an_icmp_error_is_raised_once_with_its_code_and_leaves_the_socket_quiet():
    """A closed port is ECONNREFUSED with ICMP 3/3; afterwards a waiter waits instead of spinning."""
    with Wire().udp("127.0.0.1", nano.refused_port()) as sock:
        sock.connect()
        sock.send(b"x")
        with pytest.raises(ConnectionRefusedError) as caught:
            async with asyncio.timeout(5):
                await sock.receive()

        spent = time.process_time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await sock.receive()
        spent = time.process_time() - spent

    assert caught.value.icmp == (3, 3, "127.0.0.1")  # type: ignore[attr-defined]
    assert spent < 0.15


@pytest.mark.anyio
async def test_a_refused_connect_closes_its_socket_after_a_last_look():
    """The hook sees an open socket; when the error arrives it is closed."""
    seen = []
    with pytest.raises(ConnectionRefusedError):
        await Wire().connect(
            "127.0.0.1", nano.refused_port(), before_close=lambda sock: seen.append((sock, sock.fileno()))
        )

    ((sock, descriptor),) = seen
    assert descriptor >= 0
    assert sock.fileno() == -1


@pytest.mark.anyio
async def test_a_cancelled_connect_closes_its_socket_after_a_last_look():
    """Giving up on silence closes the socket too, and the hook has seen it."""
    seen: list[socket.socket] = []
    with nano.deaf_port() as port, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await Wire().connect("127.0.0.1", port, before_close=seen.append)

    (sock,) = seen
    assert sock.fileno() == -1


@pytest.mark.anyio
async def test_connections_have_no_delay_and_the_options_asked_for():
    """TCP_NODELAY always; TCP_MAXSEG and the TTL when given."""

    async with nano.serve(nano.silent) as port:
        sock = await Wire().connect("127.0.0.1", port, TcpOptions(mss=1200, ttl=7))
        with sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1200
            assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 7


@pytest.mark.anyio
async def test_a_port_can_be_used_again():
    """The same two ports a second time, once the first connection was thrown away; a port that is taken is an error."""
    async with nano.serve(nano.silent) as port:
        first = await Wire().connect("127.0.0.1", port)
        own = first.getsockname()[1]
        with pytest.raises(OSError, match=r"in use|assign"):
            await Wire().connect("127.0.0.1", port, TcpOptions(from_port=own))
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()
        with await Wire().connect("127.0.0.1", port, TcpOptions(from_port=own)) as second:
            assert second.getsockname()[1] == own
            await asyncio.sleep(0.1)  # the server has taken it by then, and closes it


@pytest.mark.anyio
async def test_a_pretend_blackhole_answers_nothing():
    """An address that is placed nowhere leaves connects and datagrams waiting."""

    class Blackhole(Wire):
        def place(self, address: str, port: int, transport: Transport) -> None:
            return None

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Blackhole().connect("192.0.2.1", 443)
    with Blackhole().udp("192.0.2.1", 53) as sock:
        sock.connect()
        sock.send(b"x")
        assert sock.poll() is None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sock.receive()


@pytest.mark.anyio
async def test_getaddrinfo_gives_addresses_a_name_for_its_failure_or_nothing():
    """localhost has addresses, a name that cannot be is an EAI_* word, no time is None."""
    wire = Wire()

    assert "127.0.0.1" in (await wire.getaddrinfo("localhost", 5) or ())
    assert await wire.getaddrinfo("a..b", 5) == "EAI_FAIL"
    assert await wire.getaddrinfo("localhost", 0) is None


@pytest.mark.anyio
async def test_a_library_that_waits_takes_a_bounded_number_of_threads(monkeypatch: pytest.MonkeyPatch):
    """A dead resolver holds each question for half a minute; once it answers, more may be asked."""
    answer = threading.Event()
    monkeypatch.setattr(resolvers, "getaddrinfo", lambda _host: answer.wait(30) and ())
    wire, asked = Wire(), 0
    while not wire.library_is_busy:
        assert await wire.getaddrinfo("name.example", 0.0) is None
        asked += 1
    assert asked == 16
    answer.set()
    async with asyncio.timeout(30):
        while wire._libraries:
            await asyncio.sleep(0.01)
    assert not wire.library_is_busy


@pytest.mark.anyio
async def test_where_no_thread_can_be_had_the_library_says_nothing(monkeypatch: pytest.MonkeyPatch):
    """The host's limit is no bug of ours, and no word about the name."""

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    wire = Wire()
    for _ in range(20):
        assert await wire.getaddrinfo("name.example", 1.0) is None
    assert not wire.library_is_busy


def test_the_hosts_file_is_asked_without_case_and_comments(monkeypatch: pytest.MonkeyPatch):
    """Each address whose line names the host is told, comments are not read."""
    text = "127.0.0.1 localhost\n0.0.0.0 Blocked.test other.test # facebook.test\n::1 blocked.test\n"
    monkeypatch.setattr(Path, "read_text", lambda *_a, **_k: text)

    assert Wire().hosts_file("blocked.TEST") == ("0.0.0.0", "::1")
    assert Wire().hosts_file("facebook.test") == ()


def test_icmp_of_a_plain_socket_is_none():
    """An empty error queue tells nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        assert sockets.icmp_error(sock) is None


def test_the_senders_address_is_read_in_both_families():
    """A sockaddr of either family gives its address; a short or foreign one gives none."""
    v4 = socket.AF_INET.to_bytes(2, sys.byteorder) + b"\0\0" + socket.inet_aton("192.0.2.7") + bytes(8)
    v6 = (
        socket.AF_INET6.to_bytes(2, sys.byteorder)
        + bytes(6)
        + socket.inet_pton(socket.AF_INET6, "2001:db8::7")
        + bytes(4)
    )

    assert sockets._offender(v4) == "192.0.2.7"
    assert sockets._offender(v6) == "2001:db8::7"
    assert sockets._offender(b"\0\0") is None
    assert sockets._offender(bytes(16)) is None


def test_the_host_tells_its_state_without_sending():
    """Routes, tunnels and sleep are read from the host; nothing is raised where they cannot be."""
    state = Wire().host()

    assert isinstance(state.in_container, bool)
    assert state.suspended_s is None or state.suspended_s >= -1


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("157.240.9.35", "64:ff9b::9df0:923"),
        ("10.10.34.35", "10.10.34.35"),
        ("192.0.2.1", "192.0.2.1"),
        ("2a9d::1", "2a9d::1"),
    ],
)
def test_behind_a_translator_public_addresses_are_reached_through_it(address, reached):
    """RFC 6052: the IPv4 address stands at the end of the prefix; private ones and IPv6 stay as they are."""
    wire = Wire()
    assert wire.place(address, 443, "tcp") == (address, 443)
    wire.translator = "64:ff9b::"
    assert wire.place(address, 443, "tcp") == (reached, 443)


ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 0001A8C0 00000000 0001 0 0 100 00FFFFFF 0 0 0
tun0 00000000 00000000 0001 0 0 50 00000000 0 0 0
eth0 00000000 {router} {flags} 0 0 100 00000000 0 0 0
"""


@pytest.mark.parametrize(("flags", "found"), [("0003", "192.168.0.1"), ("0002", None)])
def test_gateway_is_the_default_route_that_has_a_router(
    flags: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are in the host's byte order; a route without a router, or one that is down, is passed over."""
    router = f"{int.from_bytes(bytes((192, 168, 0, 1)), sys.byteorder):08X}"
    monkeypatch.setattr(Path, "read_text", lambda _path: ROUTES.format(router=router, flags=flags))
    assert Wire().gateway() == found
