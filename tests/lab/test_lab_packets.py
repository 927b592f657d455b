"""What the router reads and writes, without a network: checksums, names in payloads, the censor's memory."""

from __future__ import annotations

import random
import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab import packets, rules
from tests.lab.packets import ACK, RST, SYN, Packet

CLIENT, SERVER = packets.raw("192.168.1.10"), packets.raw("157.240.205.69")


def checksums_hold(packet: Packet) -> bool:
    """The receiver's view: every one's complement sum over header and segment is zero."""
    data, start = packet.data, packet.header
    pseudo = bytes(data[12:20]) + struct.pack("!BBH", 0, packet.protocol, len(data) - start)
    body = data[start:] if packet.protocol == packets.ICMP else pseudo + data[start:]
    return packets.checksum(data[:start]) == 0 and packets.checksum(body) == 0


def hello(name: str | None) -> bytes:
    """A real ClientHello of this machine's OpenSSL."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    connection = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def segment(payload: bytes = b"", *, up: bool = True, flags: int = ACK, port: int = 40000, seq: int = 1000) -> Packet:
    ends = (CLIENT, port, SERVER, 443) if up else (SERVER, 443, CLIENT, port)
    return packets.tcp(*ends, seq=seq, ack=2000, flags=flags, payload=payload, up=up)


class Recorder:
    """What a rule does to the network."""

    def __init__(self) -> None:
        self.random = random.Random(1)
        self.sent: list[Packet] = []
        self.arrivals: tuple[float, ...] = (0.0,)

    def emit(self, packet: Packet) -> None:
        self.sent.append(packet)


def passes(rule: rules.Rule, packet: Packet, network: Recorder | None = None) -> bool:
    return not rule.match(packet) or rule.act(packet, network or Recorder())


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_checksums_of_what_is_made_and_changed(payload, seq, hops):
    """Whatever is built, aged, translated or complained about still has right checksums."""
    packet = packets.tcp(CLIENT, 40000, SERVER, 443, seq=seq, ack=1, flags=ACK, payload=payload, ttl=255)
    assert checksums_hold(packet)
    packet.age(hops)
    assert packet.ttl == 255 - hops
    assert checksums_hold(packet)
    packet.readdress(dst=packets.raw("92.47.151.80"), dport=80)
    assert checksums_hold(packet)
    assert checksums_hold(packets.udp(CLIENT, 5353, SERVER, 53, payload))
    assert checksums_hold(packets.icmp(packets.raw("192.168.1.1"), packet, 11, 0))


def test_resets_fit_the_connection():
    """A RST to the sender carries on from its acknowledgement, one to the receiver from its sequence number."""
    cause = segment(b"x" * 10)
    to_sender = packets.reset(cause, to_sender=True)
    assert (to_sender.src, to_sender.dst, to_sender.flags, to_sender.up) == (SERVER, CLIENT, RST | ACK, False)
    assert struct.unpack_from("!II", to_sender.data, 24) == (2000, 1010)
    assert struct.unpack_from("!I", packets.reset(cause, to_sender=False).data, 24) == (1000,)


def test_server_name_is_read_from_a_real_hello():
    """From OpenSSL's own ClientHello; absent without the extension, unknown while incomplete or something else."""
    assert packets.sni(hello("www.Facebook.com")) == "www.facebook.com"
    assert packets.sni(hello(None)) == ""
    assert packets.sni(hello("www.facebook.com")[:100]) is None
    assert packets.sni(b"GET / HTTP/1.1\r\n\r\n" + bytes(100)) is None


@given(st.binary(max_size=600))
def test_readers_survive_anything(data):
    """Garbage is "no name here", never an exception."""
    packets.sni(b"\x16\x03\x01" + data)
    packets.question(data)
    packets.host(data)


def test_forged_answer_fits_the_question():
    """Id, question and flag of the query come back, with one address or a code."""
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x03COM\x00\x00\x01\x00\x01"
    assert packets.question(query) == ("x.com", 1, len(query))
    forged = packets.dns_reply(query, address="10.10.34.35")
    assert forged[:2] == query[:2]
    assert forged[2] & 0x80
    assert forged.endswith(packets.raw("10.10.34.35"))
    assert packets.dns_reply(query, rcode=3)[3] & 15 == 3


def test_name_drop_remembers_the_flow_and_only_it():
    """From the hello on the client's packets vanish; the server's pass; another port or a new connection is untouched."""
    rule = rules.NameDrop(names=("facebook.com",))
    assert passes(rule, segment(flags=SYN))
    assert not passes(rule, segment(hello("www.facebook.com")))
    assert not passes(rule, segment())
    assert passes(rule, segment(up=False))
    assert passes(rule, segment(hello("www.nobelprize.org"), port=40001))
    assert passes(rule, segment(flags=SYN))
    assert passes(rule, segment())


def test_hello_in_two_segments_is_put_together():
    """A device that reassembles reads a name that is split; one that does not is evaded; neither minds retransmissions."""
    whole = hello("www.facebook.com")
    for reassemble in (True, False):
        rule = rules.NameDrop(names=("facebook.com",), reassemble=reassemble)
        assert passes(rule, segment(whole[:200]))
        assert passes(rule, segment(whole[:200]))
        assert passes(rule, segment(whole[200:], seq=1200)) is not reassemble


def test_divert_translates_both_ways():
    """The portal answers in the name of whoever was asked."""
    rule = rules.Divert(when=rules.When(ports=(443,)), to="92.47.151.80", port=80)
    there = segment()
    assert passes(rule, there)
    assert (packets.text(there.dst), there.dport) == ("92.47.151.80", 80)
    back = packets.tcp(packets.raw("92.47.151.80"), 80, CLIENT, 40000, seq=1, ack=1, flags=ACK)
    assert passes(rule, back)
    assert (back.src, back.sport) == (SERVER, 443)
    assert checksums_hold(there)
    assert checksums_hold(back)


def test_fraction_is_of_flows():
    """A rule for a quarter of the flows always treats one flow alike, and about a quarter of them."""
    rule = rules.Drop(when=rules.When(fraction=0.25))
    hit = [rule.match(segment(port=port)) for port in range(30000, 32000)]
    assert hit == [rule.match(segment(port=port, up=False)) for port in range(30000, 32000)]
    assert 400 < sum(hit) < 600
