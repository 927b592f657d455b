"""DNS: datagrams, and messages over streams (RFC 1035, 6891, 8914)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from probe.instruments import dns as instrument
from probe.instruments import dns_message, doq
from probe.instruments.dns_asking import Asking
from probe.instruments.dns_message import Question
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from tests.fuzz.harness import Subject
from tests.fuzz.readers import Heard, cut, done, sound, stored
from tests.lab import packets

_NAME, _ID = "www.facebook.com", 7
_QUESTION = Question(_NAME)
_WIRE = Wire()
_RECORDS = {
    "A": ("157.240.205.35", "157.240.205.36"),
    "AAAA": ("2a03:2880:f12f:83:face:b00c:0:25de",),
    "CNAME": ("star-mini.c10r.facebook.com.",),
    "SOA": ("a.ns.facebook.com. dns.facebook.com. 1 14400 1800 604800 300",),
    "TXT": ('"v=spf1 redirect=_spf.facebook.com" "\\000\\255 two"',),
    "MX": ("10 smtpin.vvv.facebook.com.",),
    "HTTPS": ('1 . alpn="h2,h3" ipv4hint=157.240.205.35',),
    "SVCB": ('1 dns.google. alpn="dot" port=853 dohpath="/dns-query{?dns}"',),
    "NAPTR": ('100 10 "u" "E2U+sip" "!^.*$!sip:a@b!" .',),
    "LOC": ("43 14 55.000 N 76 55 40.000 E 787.00m 1m 10000m 10m",),
    "CAA": ('0 issue "ca.example.net"',),
    "SRV": ("0 5 443 a.example.net.",),
    "DS": ("60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",),
    "RRSIG": ("A 13 3 300 20261201000000 20261101000000 60485 facebook.com. AAAA",),
    "NSEC3": ("1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG",),
    "APL": ("1:192.168.32.0/21 !1:192.168.38.0/28",),
    "HIP": (
        "2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ryra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D",
    ),
}


def _reply(*records: str, rcode: int = 0, flags: int = 0, options: tuple[Any, ...] = ()) -> bytes:
    query = dns.message.from_wire(dns_message.build(_QUESTION, _ID))
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    reply.flags |= flags
    reply.answer = [dns.rrset.from_text(f"{_NAME}.", 300, "IN", kind, *_RECORDS[kind]) for kind in records]
    reply.use_edns(0, options=list(options))
    return reply.to_wire()


def _deep(records: int) -> bytes:
    """A reply with names of 127 labels each, by pointers: 2 KB that once took a second, 64 KB that took 24."""
    head = dns_message.build(_QUESTION, _ID)[: 12 + len(_NAME) + 2 + 4]
    deep, data = b"\1a" * 126 + b"\0", head[:2] + b"\x81\x80\0\1" + records.to_bytes(2) + bytes(4) + head[12:]
    at = len(data)
    tail = b"\0\5\0\1\0\0\1\x2c\0\2" + (0xC000 | at).to_bytes(2)
    data += deep + tail
    return data + b"".join(
        b"\2" + number.to_bytes(2) + (0xC004 | at).to_bytes(2) + tail for number in range(1, records)
    )


def _seeds() -> tuple[bytes, ...]:
    query = dns_message.build(_QUESTION, _ID)
    refused = dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, "blocked by the provider")
    subnet = dns.edns.ECSOption("198.51.100.0", 24)
    lies = (packets.dns_reply(query, rcode=code, address=ip) for code, ip in ((0, "10.10.34.35"), (3, None), (2, None)))
    denial = dns.message.from_wire(_reply(rcode=3))
    denial.authority = [dns.rrset.from_text("com.", 900, "IN", "SOA", *_RECORDS["SOA"])]
    return (
        _reply("A"),
        _reply("CNAME", "A"),
        *(_reply(kind) for kind in _RECORDS),
        _reply("A", flags=int(dns.flags.TC)),
        _reply(rcode=2, options=(refused, subnet)),
        denial.to_wire(),
        query,
        *lies,
        _reply(*_RECORDS),
        _deep(7),
        _deep(128),
        _deep(3_600),
    )


def _datagram(data: bytes) -> Hashable:
    """As it came, and under the id that was asked with."""
    for candidate in (data, _ID.to_bytes(2) + data[2:]):
        reply = dns_message.read(candidate, _QUESTION, _ID)
        hash(reply.meaning)
        stored("dns", dns_message.fact(_QUESTION, reply, transport="udp", role="system"))
    return reply.failure, reply.fields.get("malformed"), len(reply.fields.get("answers", ())), reply.usable


def _stream(data: bytes) -> Hashable:
    """Length and message (RFC 1035 §4.2.2) behind a connection."""
    stream = Heard(*cut(data))
    asking = Asking(_WIRE, Nameserver("192.0.2.1"), _QUESTION, "tcp", "foreign")
    return sound(done(instrument._over_stream(asking, stream.read, stream.write, b"asked", _ID)))


def _over_quic(data: bytes) -> Hashable:
    """Length and message on a stream of QUIC (RFC 9250 §4.2)."""
    asking = doq._Asking(_QUESTION)
    for piece in cut(data):
        if asking.heard(piece, ended=False):
            break
    else:
        asking.heard(b"", ended=True)
    if asking.reply is None:
        return None
    stored("dns", dns_message.fact(_QUESTION, asking.reply, transport="doh", role="foreign"))
    return asking.reply.failure, asking.reply.usable


_MESSAGES = _seeds()
SUBJECTS = (
    Subject(name="dns-message", read=_datagram, seeds=_MESSAGES),
    Subject(
        name="dns-quic",
        read=_over_quic,
        seeds=tuple(len(data).to_bytes(2) + bytes(2) + data[2:] for data in _MESSAGES),
        longest=70_000,
    ),
    Subject(
        name="dns-stream", read=_stream, seeds=tuple(len(data).to_bytes(2) + data for data in _MESSAGES), longest=70_000
    ),
)
