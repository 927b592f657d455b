"""TCP_INFO, read by offset from structs of any age."""

import dataclasses
import socket
import struct
import sys

import pytest

from probe.instruments import kernel
from probe.observations import KernelCounters


def test_a_struct_of_nothing_measures_nothing():
    """An empty struct gives None for every field, not zeros."""
    assert kernel.parse(b"") == KernelCounters()


def test_an_old_kernels_struct_has_only_its_fields():
    """104 bytes (Linux 2.6) hold the retransmissions but not what was acknowledged."""
    counters = kernel.parse(bytes(100) + struct.pack("=I", 7))

    assert counters.total_retrans == 7
    assert counters.bytes_acked is None
    assert counters.rcv_ooopack is None


def test_a_field_that_is_cut_in_half_is_not_read():
    """A struct that ends inside a field does not have that field."""
    assert kernel.parse(bytes(127)).bytes_acked is None
    assert kernel.parse(bytes(128)).bytes_acked == 0


def test_a_round_trip_that_was_never_measured_is_none():
    """An RTT of 0 and a least RTT of 2^32-1 are the kernel's words for "no sample yet"."""
    raw = bytearray(232)
    raw[148:152] = b"\xff" * 4

    counters = kernel.parse(bytes(raw))

    assert counters.rtt_us is None
    assert counters.min_rtt_us is None


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO's layout is Linux's")
def test_a_live_connection_counts_what_was_acknowledged():
    """bytes_acked is the SYN and every byte that the other kernel took; bytes_received what came."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as peer,
    ):
        client.sendall(b"x" * 517)
        peer.recv(1000)
        peer.sendall(b"y" * 7)
        client.recv(1000)

        counters = kernel.read(client)

    assert counters is not None
    assert counters.bytes_acked == 518
    assert counters.bytes_received == 7
    assert counters.state == 1
    assert counters.total_retrans == 0
    assert counters.rtt_us
    assert counters.rtt_us > 0
    missing = [f.name for f in dataclasses.fields(counters) if getattr(counters, f.name) is None]
    assert missing == []


def test_other_platforms_have_no_counters(monkeypatch: pytest.MonkeyPatch):
    """Where the struct is another one nothing is read from it."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with socket.socket() as sock:
        assert kernel.read(sock) is None


def test_a_closed_socket_has_no_counters():
    """Asking a closed socket is no error."""
    sock = socket.socket()
    sock.close()
    assert kernel.read(sock) is None


@pytest.mark.skipif(sys.platform != "linux", reason="IP_MINTTL is Linux's")
@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_what_comes_with_less_is_ignored_and_counted(family, address):
    """Loopback packets begin with 64: 65 shuts them out, and each is counted; 64 lets them in."""
    with (
        socket.create_server((address, 0), family=family) as server,
        socket.create_connection(server.getsockname()[:2]) as client,
        server.accept()[0] as peer,
    ):
        client.settimeout(0.1)
        assert kernel.ignore_below(client, 65)
        before = kernel.ignored()
        peer.sendall(b"x")
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert before is not None
        assert (kernel.ignored() or 0) > before

        client.settimeout(5)
        assert kernel.ignore_below(client, 64)
        assert client.recv(1) == b"x"


def test_a_closed_socket_ignores_nothing():
    """That it could not be set is told."""
    sock = socket.socket()
    sock.close()
    assert not kernel.ignore_below(sock, 64)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("TcpExt: SyncookiesSent TCPMinTTLDrop\nTcpExt: 3 17\nIpExt: InNoRoutes\nIpExt: 0\n", 17),
        ("TcpExt: SyncookiesSent\nTcpExt: 3\n", None),
        ("IpExt: TCPMinTTLDrop\nIpExt: 5\n", None),
        ("", None),
        ("TcpExt: TCPMinTTLDrop\n", None),
    ],
)
def test_the_count_is_read_by_its_name(tmp_path, text, count):
    """Kernels have more or fewer columns; one without it counts nothing."""
    (tmp_path / "netstat").write_text(text)
    assert kernel.ignored(tmp_path / "netstat") == count


def test_no_statistics_are_no_count(tmp_path):
    """Where /proc is missing: NULL."""
    assert kernel.ignored(tmp_path / "none") is None
