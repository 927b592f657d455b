"""Whatever datagrams come to the QUIC sink: nothing breaks, nothing is said, and nobody gets more than was sent."""

import asyncio
import datetime as dt
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("aioquic")

from probe.control import certificate
from probe.control.ledger import Ledger
from probe.control.sinks import for_quic
from probe.control.sinks.limits import Gate, SinkLimits
from probe.control.sinks.quic import Server
from tests.property.test_quic_packets import first_flight

SHOWN = for_quic(certificate.make(dt.datetime.now(dt.UTC)).pem)
CALLERS = (("192.0.2.1", 1001), ("192.0.2.1", 1002), ("2001:db8::1", 1001, 0, 0))
FLIGHT = first_flight("www.facebook.com")[0]
STARTS = (
    b"",
    FLIGHT,
    FLIGHT[:7],
    b"\xc0\0\0\0\1\x08",
    b"\xe0\0\0\0\1\x08",
    b"\xf0\0\0\0\1\x08",
    b"\xc0\x1a\x2a\x3a\x4a\x01a\x01b",
    b"\x40",
)


class Out:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def sendto(self, data: bytes, addr: Any) -> None:
        self.sent.append((data, addr))

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        pass


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """Beginnings of real packets with other ends, holes and lengths; often as long as an answer needs."""
    data = bytearray(draw(st.sampled_from(STARTS)) + draw(st.binary(max_size=60)))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 1300), st.integers(0, 255)), max_size=3)):
        if at < len(data):
            data[at] = byte
    return bytes(data).ljust(draw(st.sampled_from([0, 1199, 1200, 1350])), b"\0")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(datagrams(), st.sampled_from(CALLERS)), max_size=8), st.booleans())
@example([(b"\xc0\x1a\x2a\x3a\x4a\x01a\x01b", CALLERS[0])], False)
def test_any_datagrams_are_survived_without_amplification(came, known):
    """Known callers or strangers; each is answered to its own place only, with no more than it had."""
    said: list[str] = []

    async def run() -> Server:
        ledger, limits, out = Ledger(lambda: 0.0), SinkLimits(), Out()
        if known:
            ledger.admit("192.0.2.1")
        assert SHOWN is not None
        server = Server(SHOWN, ledger, limits, Gate(limits), said.append)
        server.connection_made(cast("asyncio.BaseTransport", out))
        for data, addr in came:
            before = len(out.sent)
            server.datagram_received(data, addr)
            answers = out.sent[before:]
            assert {place for _, place in answers} <= {addr}
            assert sum(len(answer) for answer, _ in answers) <= len(data)
        if not known:
            assert not server._flows
        return server

    server = asyncio.run(run())
    assert said == []
    assert server.served == 0
