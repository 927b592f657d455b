"""IPv6 as the router reads and writes it, without a network: checksums, errors, the translator between the versions."""

from __future__ import annotations

import struct

import pytest

from tests.lab import packets, packets6, rules
from tests.lab.packets import TCP, Packet
from tests.lab.packets6 import ICMPV6, Packet6, Translator, twin

HERE, THERE = packets.raw("2a5c:2f00:9600::a"), packets.raw("2a9d:f000:900::7")
NAT64 = Translator(inside="2a5c:2f00:9600::a", outside="192.168.1.10")


def _sum_is_right(packet: Packet) -> bool:
    pseudo = packet.src + packet.dst + struct.pack("!II", len(packet.data) - 40, packet.protocol)
    return packets.checksum(pseudo + packet.data[40:]) == 0


def _segment(payload: bytes = b"hello", ttl: int = 64) -> Packet:
    return packets.tcp(HERE, 40000, THERE, 443, seq=7, ack=9, flags=packets.ACK, payload=payload, ttl=ttl, up=True)


def test_twins_differ_and_neighbours_stay_neighbours():
    """Each IPv4 address has an IPv6 one of its own; the same /16 is the same /32, the same /24 the same /48."""
    assert twin("157.240.9.7") == "2a9d:f000:900::7"
    assert len({twin(f"1.{b}.{c}.{d}") for b in (0, 1, 255) for c in (0, 2) for d in range(256)}) == 6 * 256


def test_what_is_made_from_long_addresses_is_ipv6():
    """TCP, UDP, resets and ICMP about an IPv6 packet are IPv6 with the right checksum."""
    segment = _segment()
    made = [
        segment,
        packets.udp(HERE, 5, THERE, 53, b"odd"),
        packets.reset(segment, to_sender=True),
        packets.icmp(packets.raw("1.2.3.4"), segment, 3, 13),
    ]
    assert all(isinstance(packet, Packet6) and _sum_is_right(packet) for packet in made)
    assert (segment.payload, segment.sport, segment.dport, segment.flags) == (b"hello", 40000, 443, packets.ACK)


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [(11, 0, (3, 0)), (3, 0, (1, 0)), (3, 1, (1, 3)), (3, 3, (1, 4)), (3, 13, (1, 1)), (3, 10, (1, 1)), (3, 4, (2, 0))],
)
def test_errors_are_said_in_the_words_of_icmpv6(kind, code, said):
    """Time exceeded, no route, no host, no port, prohibited, too big: RFC 4443's numbers, to the sender, with the quote."""
    error = packets.icmp(packets.raw("1.2.3.4"), _segment(), kind, code, 1280)
    assert (error.data[40], error.data[41]) == said
    assert error.dst == HERE
    assert error.is_error
    assert struct.unpack_from("!I", error.data, 44)[0] == 1280
    assert bytes(error.data[48:]) == bytes(_segment().data)


def test_hop_limit_ages_and_readdressing_keeps_the_sum_right():
    """Hops come off the hop limit; another address or port has another checksum, which is right."""
    segment = _segment()
    segment.age(5)
    assert segment.ttl == 59
    segment.readdress(dst=packets.raw("2a01::1"), dport=8443)
    assert _sum_is_right(segment)
    assert Packet(bytearray(packets.tcp(b"abcd", 1, b"efgh", 2, seq=0, ack=0, flags=0).data), up=True).version == 4


def test_a_ping_is_answered_and_nothing_else():
    """An echo request gets an echo reply; an error gets nothing, so that no error is ever about an error."""
    ping = packets6.packet(HERE, THERE, ICMPV6, struct.pack("!BBHI", 128, 0, 0, 5) + b"data", up=True)
    reply = packets.echo_reply(ping)
    assert reply is not None
    assert (reply.src, reply.dst, reply.data[40]) == (THERE, HERE, 129)
    assert _sum_is_right(reply)
    assert not ping.is_error
    assert packets.echo_reply(packets.icmp(THERE, _segment(), 11, 0)) is None


def test_rules_act_on_both_versions_unless_told():
    """A rule without a version sees both; one for version 4 does not see IPv6; remote networks may be of either."""
    segment = _segment()
    assert rules.When(protocol=TCP, ports=(443,)).holds(segment)
    assert rules.When(version=6).holds(segment)
    assert not rules.When(version=4).holds(segment)
    assert rules.When(remote=("2a9d:f000::/32",)).holds(segment)
    assert not rules.When(remote=("0.0.0.0/0",)).holds(segment)


def test_translator_there_and_back():
    """What goes to 64:ff9b::/96 leaves as IPv4 with the same ports and payload, and the answer is IPv6 from there."""
    there = packets.raw("64:ff9b::9df0:907")
    seen = NAT64.out(packets.tcp(HERE, 40000, there, 443, seq=7, ack=9, flags=packets.ACK, payload=b"hi", up=True))
    assert seen is not None
    assert (seen.version, packets.text(seen.src), packets.text(seen.dst)) == (4, "192.168.1.10", "157.240.9.7")
    assert (seen.sport, seen.dport, seen.payload, seen.ttl) == (40000, 443, b"hi", 64)
    pseudo = seen.src + seen.dst + struct.pack("!BBH", 0, TCP, len(seen.data) - 20)
    assert packets.checksum(pseudo + seen.data[20:]) == 0
    back = NAT64.back(packets.reset(seen, to_sender=True, ttl=44))
    assert back is not None
    assert (back.src, back.dst, back.ttl, back.flags & packets.RST) == (there, HERE, 44, packets.RST)
    assert _sum_is_right(back)


def test_translator_leaves_the_rest_alone_and_translates_errors():
    """Native IPv6 passes; an ICMP error about a translated packet comes back as ICMPv6 that quotes it in IPv6."""
    native = _segment()
    assert NAT64.out(native) is native
    assert NAT64.back(native) is native
    there = packets.raw("64:ff9b::9df0:907")
    seen = NAT64.out(packets.udp(HERE, 5, there, 53, b"question", up=True))
    assert seen is not None
    error = NAT64.back(packets.icmp(packets.raw("1.2.3.4"), seen, 3, 4, 1300))
    assert error is not None
    assert (error.data[40], struct.unpack_from("!I", error.data, 44)[0]) == (2, 1320)
    assert _sum_is_right(error)
    quoted = Packet6(bytearray(error.data[48:]), up=True)
    assert (quoted.src, quoted.dst, quoted.protocol) == (HERE, there, packets.UDP)


def test_forged_answers_fit_the_question():
    """An IPv6 address answers AAAA only, an IPv4 one A only; the other question gets an empty reply."""
    head = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\1x\3com\0"
    for kind, address in ((28, "2001:db8::1"), (1, "10.0.0.1")):
        right = packets.dns_reply(head + struct.pack("!HH", kind, 1), address=address)
        other = packets.dns_reply(head + struct.pack("!HH", 29 - kind, 1), address=address)
        assert right.endswith(packets.raw(address))
        assert right[7] == 1
        assert other[7] == 0
