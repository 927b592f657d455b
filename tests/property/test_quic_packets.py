"""Whatever bytes come as QUIC: nothing is raised, and what is read is what is there. The lab's own reader is the other opinion."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("aioquic")

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from probe.control.sinks.quic_greeting import Greeting
from probe.instruments import quic_packets
from tests.lab import initials

pure = settings(max_examples=300, deadline=None)
STARTS = (b"", b"\xc0\0\0\0\1", b"\xc0\0\0\0\1\x08", b"\xf0\0\0\0\1\x08", b"\x80\0\0\0\0\x01a\x01b", b"\x40")
IDS = st.binary(max_size=20)


def first_flight(name: str | None, *more: str) -> list[bytes]:
    """The datagrams with which aioquic greets; *more* ALPN names make it longer."""
    connection = QuicConnection(configuration=QuicConfiguration(server_name=name, alpn_protocols=["h3", *more]))
    connection.connect(("192.0.2.1", 443), now=0.0)
    return [data for data, _ in connection.datagrams_to_send(now=0.0)]


def greeted(*flight: bytes, most: int = 16_384) -> Greeting:
    """All of *flight* put together."""
    greeting = Greeting(most)
    for data in flight:
        for packet in quic_packets.initials(data):
            greeting.feed(data, packet)
    return greeting


@pure
@given(st.binary(max_size=300), st.sampled_from(STARTS))
def test_any_bytes_can_be_looked_at(data, start):
    """Nothing is raised, nothing is found beyond the end, and there is no greeting in it."""
    data = start + data
    seen = quic_packets.head(data)
    assert seen is None or seen.rest <= len(data)
    quic_packets.versions(data, b"a", b"b")
    assert all(packet.end <= len(data) for packet in quic_packets.initials(data))
    quic_packets.crypto(data)
    assert greeted(data).hello is None


FLIGHT = first_flight("www.facebook.com")[0]


@pure
@given(st.integers(0, len(FLIGHT) - 1), st.binary(min_size=1, max_size=4), st.integers(0, len(FLIGHT)))
def test_a_damaged_greeting_is_none(at, damage, length):
    """Authenticated or nothing: a greeting that was changed or cut on the way has no name."""
    changed = (FLIGHT[:at] + damage + FLIGHT[at + len(damage) :])[:length]
    end = quic_packets.initials(FLIGHT)[0].end  # behind it there is padding, which belongs to no packet
    assert (greeted(changed).hello is None) is (changed[:end] != FLIGHT[:end])


@pure
@given(st.sampled_from([0, 1, 2]), st.binary(max_size=80), st.integers(0, 2**62 - 1))
def test_any_frames_can_be_looked_at(kind, data, offset):
    """Offsets and lengths that lie are no exception."""
    frames = bytes((6,)) + (offset | 3 << 62).to_bytes(8) + bytes((kind << 6 | 5,)) + data
    for _, piece in quic_packets.crypto(frames):
        assert len(piece) <= len(frames)


@pure
@given(IDS, IDS, st.binary(max_size=1500))
def test_a_ping_is_a_whole_datagram_of_a_version_that_nobody_speaks(ours, theirs, filling):
    """1200 bytes exactly, both connection IDs in it, and a version that is set aside for this."""
    packet = quic_packets.ping(ours, theirs, filling)
    seen = quic_packets.head(packet)
    assert len(packet) == 1200
    assert seen is not None
    assert (seen.source, seen.destination) == (ours, theirs)
    assert seen.version & 0x0F0F0F0F == 0x0A0A0A0A
    assert quic_packets.initials(packet) == ()


@pure
@given(IDS, IDS, st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9), st.binary(max_size=3))
def test_only_an_answer_to_this_packet_is_one(ours, theirs, versions, tail):
    """Both connection IDs come back crossed over, and the list is whole."""
    head = b"\xc0\0\0\0\0" + bytes((len(ours),)) + ours + bytes((len(theirs),)) + theirs
    answer = head + b"".join(number.to_bytes(4) for number in versions)
    assert quic_packets.versions(answer, ours, theirs) == tuple(versions)
    assert quic_packets.versions(answer, ours + b"x", theirs) is None
    assert quic_packets.versions(answer, ours, theirs + b"x") is None
    if tail:
        assert quic_packets.versions(answer + tail, ours, theirs) is None
    assert quic_packets.versions(b"\xc0\0\0\0\1" + answer[5:], ours, theirs) is None


@pytest.mark.parametrize("name", ["www.facebook.com", None])
def test_a_greeting_is_read_as_another_reader_reads_it(name):
    """Name and fingerprint of aioquic's greeting; the lab's censor reads the same name."""
    (flight,) = first_flight(name)
    (packet,) = quic_packets.initials(flight)
    assert initials.Greeting(packet.head.destination).name(flight) == (name or "")
    greeting = greeted(flight)
    assert greeting.hello is not None
    assert greeting.hello.sni == name
    other = greeted(first_flight("x.example")[0]).hello
    assert other is not None
    assert greeting.hello.fingerprint == other.fingerprint
    assert packet.token == b""


def test_a_greeting_in_two_datagrams_is_put_together():
    """In either order; half of it has no name, and one that is too long is not kept."""
    flight = first_flight("www.facebook.com", *[f"{number}".ljust(200, "x") for number in range(6)])
    assert len(flight) == 2
    for order in (flight, flight[::-1]):
        hello = greeted(*order).hello
        assert hello is not None
        assert hello.sni == "www.facebook.com"
    half = greeted(flight[0])
    assert half.hello is None
    assert 0 < half.size < 1200
    assert greeted(*flight, most=1_000).hello is None
