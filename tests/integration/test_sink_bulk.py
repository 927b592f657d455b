"""Bulk at the TLS sink, on loopback: bounded bytes under any name, for known callers, and how they went as the control saw it."""

import asyncio
import json
import socket
import ssl
import sys
from typing import Any

import jsonschema
import pytest

from probe.control import protocol
from probe.control.ledger import Arrival, Ledger
from probe.control.protocol import ArmsRequest
from probe.control.sinks import bulk
from probe.control.sinks.arms import told
from probe.instruments import http, tls
from probe.wire import Wire
from tests.integration.test_control_sinks import HERE, SCHEMA, connect, opened, settled, shake

pytestmark = pytest.mark.anyio

NAMES = ("www.facebook.com", "www.example.org", None)


async def ask(control: Any, name: str | None, path: str, *, method: str = "GET", content: bytes | None = None) -> Any:
    """What came of one request, under *name*."""
    shaken = await shake(await connect(control.port("tls")), tls.Hello(sni=name))
    assert shaken.stream is not None
    return await http.ask(
        Wire(), shaken.stream, method=method, url=f"https://{name or HERE}{path}", headers={}, verified_chain=False,
        head_deadline_s=10, body_deadline_s=10, body_cap=protocol.MOST_BULK + 1, header_cap=10_000, content=content,
    )  # fmt: skip


async def test_bytes_come_down_under_any_name():
    """As many as were asked for, of no pattern, and how they were acknowledged is told, up to the last."""
    size = protocol.MOST_BULK
    async with opened() as control:
        got = [await ask(control, name, f"/bulk/{size}") for name in NAMES]
        arrived = await settled(control, len(NAMES))

    assert [(g.operation.failure, g.operation.fact.status, g.operation.fact.body_length) for g in got] == [
        (None, 200, size)
    ] * 3
    assert len({g.operation.fact.body_sha256 for g in got}) == 3
    assert [(a.name, a.bulk, a.bulk_bytes) for a in arrived] == [(name, "down", size) for name in NAMES]
    if sys.platform == "linux":
        for arrival in arrived:
            times, counts = zip(*arrival.progress, strict=True)
            assert list(times) == sorted(times)
            assert list(counts) == sorted(set(counts))
            assert size <= counts[-1] < size + 4_000


async def test_bytes_go_up_under_any_name():
    """As many as were announced, which the answer says; how they came is told."""
    size = 200_000
    async with opened() as control:
        for name in NAMES:
            got = await ask(control, name, "/bulk", method="POST", content=b"x" * size)
            assert (got.operation.failure, got.operation.fact.status) == (None, 200)
            assert json.loads(got.body) == {"bytes": size}
        arrived = await settled(control, len(NAMES))
    timers: Any = asyncio.get_running_loop()
    assert not [t for t in timers._scheduled if "Progress" in repr(t) and not t.cancelled()]
    assert [(a.name, a.bulk, a.bulk_bytes, a.progress[-1][1]) for a in arrived] == [
        (name, "up", size, size) for name in NAMES
    ]


async def test_a_reader_that_stops_is_seen_to():
    """What the caller's kernel does not take is not counted as gone through, whatever was handed to ours."""
    if sys.platform != "linux":
        pytest.skip("the kernel tells it on Linux only")
    size = protocol.MOST_BULK
    async with opened() as control:
        sock = await asyncio.to_thread(_begin, control.port("tls"), size)
        for _ in range(2_000):
            if control.arrivals[0].progress:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        sock.close()
        (arrived,) = await settled(control)
    assert arrived.bulk_bytes == size
    assert 0 < arrived.progress[-1][1] < size


def _begin(port: int, size: int) -> ssl.SSLSocket:
    """Ask for *size* bytes, with little room for them, and read none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    sock.settimeout(10)
    sock.connect((HERE, port))
    secure = context.wrap_socket(sock, server_hostname="x.example")
    secure.sendall(f"GET /bulk/{size} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return secure


async def test_strangers_get_none():
    """Neither way: it would be somebody else's line that is filled."""
    async with opened(admitted=False) as control:
        assert (await ask(control, "x.example", "/bulk/1000")).operation.fact.status == 403
        up = await ask(control, "x.example", "/bulk", method="POST", content=b"x" * 1000)
        assert up.operation.fact.status == 403


@pytest.mark.parametrize(
    "path", ["/bulk/0", f"/bulk/{protocol.MOST_BULK + 1}", "/bulk/-1", "/bulk/1e3", "/bulk/", "/bulk/9" * 9]
)
async def test_what_is_no_length_is_refused(path):
    """Nothing, too much, and what is no number."""
    async with opened() as control:
        got = await ask(control, "x.example", path)
        assert (got.operation.fact.status, got.body) == (400, b"")
        assert not (await settled(control))[0].progress


async def test_a_body_that_is_too_long_or_not_announced_is_refused():
    """Before it is read."""
    async with opened() as control:
        up = await ask(control, "x.example", "/bulk", method="POST", content=b"x" * (protocol.MOST_BULK + 1))
        assert up.operation.failure is not None or up.operation.fact.status == 400
        assert (await ask(control, "x.example", "/bulk", method="POST")).operation.fact.status == 400


async def test_a_token_has_so_much_in_an_hour():
    """Beyond it the answer is 429, and the ordinary page is there as ever."""
    async with opened() as control:
        assert control.ledger.spend_bulk(HERE, protocol.BULK_EACH_HOUR - 1_000)
        assert (await ask(control, "x.example", "/bulk/200000")).operation.fact.status == 429
        assert (await ask(control, "x.example", "/bulk/900")).operation.fact.status == 200
        assert (await ask(control, "x.example", "/")).operation.fact.status == 200


def test_the_measure_is_the_tokens_own():
    """Two addresses with one token share it, another token has its own, and it fills up again with the hour."""
    now = [0.0]
    ledger = Ledger(lambda: now[0])
    for address, token in (("192.0.2.1", "a"), ("192.0.2.2", "a"), ("192.0.2.3", "b")):
        ledger.admit(address, token)
    assert ledger.spend_bulk("192.0.2.1", protocol.BULK_EACH_HOUR)
    assert not ledger.spend_bulk("192.0.2.2", 1_000)
    assert ledger.spend_bulk("192.0.2.3", 1_000)
    assert not ledger.spend_bulk("192.0.2.4", 1)
    now[0] = 300.0
    assert ledger.spend_bulk("192.0.2.2", protocol.BULK_EACH_HOUR // 12 - 10)
    assert not ledger.spend_bulk("192.0.2.2", 1_000)


async def test_a_long_stream_has_few_points():
    """However long it takes: from the first to the last, at most as many as the protocol takes."""
    arrival, count = Arrival(kind="tls", began=0.0), [0]
    progress = bulk.Progress(arrival, lambda: count[0], _every_s=0.0005)
    progress.start()
    for _ in range(150):
        count[0] += 1_000
        await asyncio.sleep(0.001)
    count[0] += 1
    progress.stop()
    assert 8 < len(arrival.progress) < 64
    assert arrival.progress[-1][1] == 150_001
    before = len(arrival.progress)
    count[0] += 1
    await asyncio.sleep(0.01)
    assert len(arrival.progress) == before


async def test_what_is_told_of_it_fits_the_protocol():
    """In the schema's words, and read again as it was."""
    async with opened() as control:
        await ask(control, "x.example", "/bulk/50000")
        (arrived,) = await settled(control)
        arms = told([arrived], ("x.example",), control.ledger.clock())
    sent = protocol.arms_to_json(arms, software="t")
    jsonschema.validate(json.loads(sent), SCHEMA)
    assert protocol.arms_from_json(sent) == arms
    assert (arms[0].fact.sink, arms[0].fact.bulk, arms[0].fact.bulk_bytes) == ("tls", "down", 50_000)
    assert ArmsRequest(("x.example",), 5).within_s == 5


async def test_bulk_is_announced_at_the_tls_sinks_port():
    """With how much there is of it."""
    async with opened() as control:
        document = json.loads(protocol.sinks_to_json(control.sinks.announced, control.sinks.absent, software="t"))
        assert control.port("bulk") == control.port("tls")
    jsonschema.validate(document, SCHEMA)
    assert document["limits"] == {"bulk_bytes": 262_144, "bulk_bytes_each_hour": 16_777_216}
