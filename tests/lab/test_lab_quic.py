"""The reader of QUIC greetings, against packets that aioquic makes and the example of RFC 9001, and the rules on it."""

from __future__ import annotations

import time

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from hypothesis import given
from hypothesis import strategies as st

from tests.lab import censor_quic, initials, packets
from tests.lab.packets import Packet
from tests.lab.test_lab_packets import CLIENT, SERVER, passes

META = ("facebook.com",)


def first_flight(name: str, *more: str) -> list[bytes]:
    """The datagrams with which aioquic greets; *more* ALPN names make it longer."""
    connection = QuicConnection(configuration=QuicConfiguration(server_name=name, alpn_protocols=["h3", *more]))
    connection.connect(("192.0.2.1", 443), now=time.monotonic())
    return [data for data, _ in connection.datagrams_to_send(now=time.monotonic())]


LONG = [f"{number}".ljust(200, "x") for number in range(6)]


def datagram(payload: bytes, *, up: bool = True, port: int = 50000) -> Packet:
    ends = (CLIENT, port, SERVER, 443) if up else (SERVER, 443, CLIENT, port)
    return packets.udp(*ends, payload, up=up)


def test_keys_of_the_rfc():
    """Key, IV and header key of RFC 9001, appendix A.1."""
    key, iv, protection = initials.keys(bytes.fromhex("8394c8f03e515708"))
    assert key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert iv.hex() == "fa044b2f42a3fd3b46fb255c"
    assert protection.hex() == "9f50449e04a0e810283a1e9933adedd2"


def test_a_name_is_read_from_a_real_initial():
    """aioquic's greeting names the site to whoever is on the path; one byte changed, and nobody can read it."""
    (flight,) = first_flight("www.facebook.com")
    (packet,) = initials.initials(flight)
    destination = packet.destination
    assert initials.Greeting(destination).name(flight) == "www.facebook.com"
    broken = flight[:200] + bytes((flight[200] ^ 1,)) + flight[201:]
    assert initials.Greeting(destination).name(broken) is None
    assert initials.initials(flight[: packet.end - 1]) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_greeting_in_two_datagrams_is_put_together(order):
    """In either order; a device that does not put together never sees the name."""
    flight = first_flight("www.facebook.com", *LONG)
    assert len(flight) == 2
    for reassemble in (True, False):
        rule = censor_quic.QuicDrop(names=META, reassemble=reassemble)
        first, second = (datagram(flight[number]) for number in order)
        assert passes(rule, first)
        assert passes(rule, second) is not reassemble


def test_quic_drop_is_of_the_flow_and_of_the_name():
    """Another name, another port and other versions pass; after the name nothing of the client's does."""
    rule = censor_quic.QuicDrop(names=META)
    (flight,), (other,) = first_flight("www.facebook.com"), first_flight("www.nobelprize.org")
    assert passes(rule, datagram(other, port=50001))
    assert passes(rule, datagram(b"\xc0\x1a\x2a\x3a\x4a" + flight[5:]))
    assert not passes(rule, datagram(flight))
    assert not passes(rule, datagram(b"\x40" + bytes(40)))
    assert passes(rule, datagram(b"\x40" + bytes(40), up=False))
    assert passes(rule, datagram(b"\x40" + bytes(40), port=50001))
    assert not passes(censor_quic.QuicDrop(names=META, both=True, _forbidden=rule._forbidden), datagram(b"", up=False))


def test_versions_are_told_apart():
    """Version 1 is dropped; a version that nobody speaks passes, and so does the answer that negotiates."""
    rule = censor_quic.QuicVersionDrop()
    (flight,) = first_flight("www.nobelprize.org")
    assert not passes(rule, datagram(flight))
    assert passes(rule, datagram(flight[:1] + b"\x1a\x2a\x3a\x4a" + flight[5:]))
    assert passes(rule, datagram(b"\x80\0\0\0\0" + bytes(30), up=False))
    assert passes(rule, datagram(b"\x40" + bytes(40)))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xc0\0\0\0\1", b"\xc0\0\0\0\1\x08"]))
def test_the_reader_survives_anything(data, start):
    """Garbage holds no name, and no exception."""
    rule = censor_quic.QuicDrop(names=META)
    assert passes(rule, datagram(start + data))
    initials.version(start + data)
    initials.crypto(data)
