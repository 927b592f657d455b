"""What a probe and a control read of each other, and what the control's sinks read of anybody."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from probe.control import protocol, proxy
from probe.control.protocol import ArmsRequest, Arrived, Request, Seen, Sink
from probe.control.sinks import bulk, web
from probe.control.strictly import ProtocolError
from probe.observations import ArrivalFact, DnsFact, HttpFact, Operation, TcpFact
from targets.model import Endpoint
from tests.fuzz.harness import Subject
from tests.fuzz.readers import Heard, cut, done, sound

_SEEN = (
    Seen(Operation(fact=TcpFact(rtt_us=5), started_us=1, address="8.8.8.8", port=443), "baseline", group="v4"),
    Seen(Operation(fact=DnsFact(transport="udp", role="foreign", qname="x.test", qtype="A"), started_us=1), "own_side"),
    Seen(
        Operation(
            fact=HttpFact(
                method="GET", url="https://x.test/", verified_chain=True, status=200, headers=(("a", "b"),), body="é"
            ),
            started_us=1,
        ),
        "neutral_pair",
        arm="target",
        round=1,
    ),
)
_ARMS = (Arrived(5, ArrivalFact(sink="tls", name="x.test", named=True, bytes=9, whole=True)),)


def _reply(data: bytes) -> Hashable:
    """What is believed can be kept, and said again."""
    reply = protocol.read_reply(data)
    for seen in reply.seen:
        sound(seen.operation)
    again = protocol.reply_to_json(reply.seen, software="x", country=reply.country)
    assert protocol.read_reply(again) == reply
    return len(reply.seen), reply.country is None


def _any(read: Callable[[bytes], Any]) -> Callable[[bytes], Hashable]:
    """*read*, and how much of it there is."""

    def reader(data: bytes) -> Hashable:
        found = read(data)
        return len(found) if isinstance(found, tuple) else repr(found)[:24]

    return reader


def _web(data: bytes) -> Hashable:
    """A request to a sink, and what it may want of it."""
    reading = web.Reading(16_384)
    for piece in cut(data):
        if not reading.over and (head := reading.feed(piece)) is not None:
            web.answer(head)
            return bulk.wanted(head) is not None, head.host is None
    return reading.over


def _proxy(scheme: str, login: tuple[str, str] | None) -> Callable[[bytes], Hashable]:
    """What a proxy says before it lets anything through."""
    speak = proxy._socks if scheme == "socks5" else proxy._tunnel
    setting: Any = type("P", (), {"login": login})()

    def reader(data: bytes) -> Hashable:
        done(speak(Heard(*cut(data)), setting, Endpoint("https://x.test/")))
        return True

    return reader


_REFUSED = (proxy._ProxyError, proxy._FarEndError)
_ONE = protocol.reply_to_json(_SEEN, software="x", country="DE")
_SUBJECTS: tuple[tuple[str, Callable[[bytes], Any], bytes], ...] = (
    (
        "control-question",
        protocol.request_from_json,
        protocol.request_to_json(Request("https://x.test/", ("8.8.8.8",))),
    ),
    ("control-sinks", protocol.sinks_from_json, protocol.sinks_to_json([Sink("tls", 443)], ["quic"], software="x")),
    ("control-arms", protocol.arms_from_json, protocol.arms_to_json(_ARMS, software="x")),
    (
        "control-arms-question",
        protocol.arms_request_from_json,
        protocol.arms_request_to_json(ArmsRequest(("a.test",), 60)),
    ),
)
SUBJECTS = (
    Subject(
        name="control-reply", read=_reply, seeds=(_ONE,), longest=200_000, declared=(ProtocolError,), memory=8_000_000
    ),
    *(
        Subject(name=name, read=_any(read), seeds=(seed,), declared=(ProtocolError,), memory=4_000_000)
        for name, read, seed in _SUBJECTS
    ),
    Subject(
        name="sink-request",
        read=_web,
        seeds=(
            b"GET /bulk?down=100 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
            b"POST /bulk HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        ),
        longest=20_000,
    ),
    Subject(
        name="proxy-socks",
        read=_proxy("socks5", ("u", "p")),
        seeds=(b"\5\2\1\0\5\0\0\1" + bytes(6), b"\5\0\5\5\0\1", b"\5\0\5\0\0\3\4abcd\0\0"),
        declared=_REFUSED,
    ),
    Subject(
        name="proxy-connect",
        read=_proxy("http", None),
        seeds=(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.0 502 Bad\r\n\r\n"),
        longest=40_000,
        declared=_REFUSED,
        seconds=1.0,  # byte by byte, because what follows the head is the site's
    ),
)
