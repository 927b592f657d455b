"""What stands before sites acts as its row says, packet by packet, and the greetings and frames of its servers are read right."""

from __future__ import annotations

import ssl
import struct

import pytest

from tests.lab import guards_sites as guards
from tests.lab import manners_sites, packets
from tests.lab.packets import ACK, FIN, PSH, RST, SYN
from tests.lab.test_lab_packets import CLIENT, SERVER, Recorder


def segment(flags: int, *, up: bool = True, port: int = 40000, payload: bytes = b"") -> packets.Packet:
    ends = (CLIENT, port, SERVER, 443) if up else (SERVER, 443, CLIENT, port)
    return packets.tcp(*ends, seq=1000, ack=2000, flags=flags, payload=payload, up=up)


def hello(*protocols: str) -> bytes:
    """A real greeting, with or without application protocols."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        context.set_alpn_protocols(protocols)
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="www.example.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def test_application_protocols_are_found_in_a_greeting():
    """What OpenSSL greets with shows whether they are offered."""
    assert manners_sites.offers_protocols(hello("h2", "http/1.1"))
    assert not manners_sites.offers_protocols(hello())


def test_a_frame_has_its_length_kind_and_stream():
    """RFC 9113 §4.1: three bytes of length, kind, flags, stream."""
    assert manners_sites.frame(7, 3, b"ab") == b"\0\0\2\7\0\0\0\0\3ab"


def test_only_the_first_syn_of_a_connection_is_lost():
    """The second one passes, and a challenge acknowledges what was never sent."""
    rule, network = guards.FirstSyn(challenge=True), Recorder()
    assert not rule.act(segment(SYN), network)
    assert rule.act(segment(SYN), network)
    (challenge,) = network.sent
    assert challenge.flags == SYN | ACK
    assert struct.unpack_from("!I", challenge.data, challenge.header + 8)[0] != 1001


def test_a_connection_that_ended_makes_room():
    """A third is reset while two are open, and not any more when one has ended."""
    rule, network = guards.OpenAtOnce(limit=2), Recorder()
    assert rule.act(segment(SYN, port=1), network)
    assert rule.act(segment(SYN, port=2), network)
    assert not rule.act(segment(SYN, port=3), network)
    assert network.sent[0].flags & RST
    rule.act(segment(FIN | ACK, port=1), network)
    assert rule.act(segment(SYN, port=3), network)


def test_the_eager_are_not_heard_any_more():
    """The fifth connection within ten seconds is the last straw; what the server says still goes out."""
    rule, network = guards.BansTheEager(limit=4), Recorder()
    assert all(rule.act(segment(SYN, port=port), network) for port in range(1, 5))
    assert not rule.act(segment(SYN, port=5), network)
    assert not rule.act(segment(ACK, port=1), network)
    assert rule.act(segment(ACK, port=1, up=False), network)


def test_a_closed_window_holds_nothing():
    """Every packet of the server says that there is no room."""
    packet = segment(SYN | ACK, up=False)
    assert guards.ClosedWindow().act(packet, Recorder())
    assert struct.unpack_from("!H", packet.data, packet.header + 14)[0] == 0


def test_a_request_is_reset_and_the_handshake_is_not():
    """Two segments of the client's pass; the third is swallowed, and both ends hear of it."""
    rule, network = guards.NameResetRequest(names=("example.com",)), Recorder()
    word = segment(ACK | PSH, payload=b"x")
    assert rule.punish(word, network)
    assert rule.punish(word, network)
    assert rule.punish(segment(ACK | PSH, up=False, payload=b"y"), network)
    assert not rule.punish(word, network)
    assert len(network.sent) == 2


def test_a_late_reset_waits_for_the_third_try():
    """Until then nothing is said and nothing passes."""
    rule, network = guards.NameResetLate(names=("example.com",)), Recorder()
    word = segment(ACK | PSH, payload=b"x")
    assert not rule.punish(word, network)
    assert not rule.punish(word, network)
    assert not network.sent
    assert not rule.punish(word, network)
    assert len(network.sent) == 2
