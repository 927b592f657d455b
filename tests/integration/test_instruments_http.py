"""One HTTP request, against servers that answer, flood, bomb, drip and hang up."""

import asyncio
import gzip
import hashlib
import tracemalloc
from dataclasses import dataclass
from email.utils import formatdate

import h2.events
import pytest

from probe.instruments import http, tcp, tls
from probe.instruments.tls import Hello, TlsStream
from probe.instruments.trust import Trust
from probe.observations import HttpFact, Operation
from probe.wire import Wire
from tests import nano

pytestmark = pytest.mark.anyio
NAME = "good.test"
CAP = 10_240


@dataclass
class Told:
    operation: Operation
    fact: HttpFact


async def ask(
    behaviour: nano.Behaviour,
    *,
    alpn: str | None = None,
    method: str = "GET",
    url: str = f"http://{NAME}/path?q=1",
    deadline_s: float = 5,
    keep_body: bool = False,
    body_cap: int = CAP,
) -> Told:
    """One request; over TLS with *alpn* if given, else in clear."""
    context = nano.identity(NAME).context(alpn=[alpn]) if alpn else None
    async with nano.serve(behaviour, tls=context) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
        assert connected.stream is not None
        stream: tcp.TcpStream | TlsStream = connected.stream
        if alpn:
            shaken = await tls.handshake(
                Wire(),
                connected.stream,
                hello=Hello(NAME),
                trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
                host=NAME,
                deadline_s=5,
            )
            assert shaken.stream is not None
            stream = shaken.stream
        operation = await http.request(
            Wire(),
            stream,
            method=method,
            url=url.replace("http:", "https:") if alpn else url,
            user_agent="Agent/1",
            verified_chain=bool(alpn),
            head_deadline_s=deadline_s,
            body_deadline_s=deadline_s,
            body_cap=body_cap,
            header_cap=65_536,
            keep_body=keep_body,
        )
        assert connected.stream.socket.fileno() == -1
    assert isinstance(operation.fact, HttpFact)
    return Told(operation, operation.fact)


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(h.startswith(("Content-Length", "Transfer-Encoding", "Connection")) for h in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


PAGE = b"<html><title>Hello</title><p>some words that make a page</html>"


@pytest.mark.parametrize("alpn", [None, "http/1.1"])
async def test_a_good_answer_is_told_in_full(alpn: str | None):
    """Status, version, headers, title, length, hash, sketch, curve, clock and times."""
    told = await ask(nano.saying(answer(PAGE, f"Date: {formatdate(usegmt=True)}", "Server: nano")), alpn=alpn)

    assert (told.operation.failure, told.fact.status, told.fact.http_version) == (None, 200, "HTTP/1.1")
    assert ("Server", "nano") in told.fact.headers
    assert (told.fact.title, told.fact.body_length, told.fact.body_truncated) == ("Hello", len(PAGE), False)
    assert len(told.fact.body_sha256 or "") == 64
    assert len(told.fact.body_sketch or "") == 16
    assert told.fact.body is None
    assert told.fact.progress[-1][1] == len(PAGE)
    assert abs(told.fact.date_offset_s or 99) < 5
    assert 0 < (told.fact.first_byte_us or 0) <= (told.operation.duration_us or 0)
    assert told.operation.bytes_sent > 100
    assert told.operation.name == NAME
    assert told.operation.bytes_received > len(PAGE)
    assert told.fact.verified_chain is bool(alpn)
    assert told.fact.kernel is None or told.fact.kernel.bytes_received


async def test_the_request_looks_like_a_browsers():
    """Target, host and our one agent; gzip only, because only that can be capped; no proxy, no cookie."""
    heard = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer())

    await ask(listen)
    lines = heard[0].decode().split("\r\n")

    assert lines[0] == "GET /path?q=1 HTTP/1.1"
    assert f"Host: {NAME}" in lines
    assert "User-Agent: Agent/1" in lines
    assert "Accept-Encoding: gzip" in lines
    assert not [line for line in lines if line.lower().startswith(("cookie", "proxy", "authorization"))]


async def test_http_2_is_spoken_where_alpn_chose_it():
    """The same facts over HTTP/2, with the request's pseudo-headers as sent."""
    heard: list[h2.events.Event] = []
    told = await ask(nano.h2_answering([(":status", "200"), ("server", "nano")], PAGE, heard=heard), alpn="h2")

    assert (told.operation.failure, told.fact.status, told.fact.http_version) == (None, 200, "HTTP/2")
    assert (told.fact.title, told.fact.body_length) == ("Hello", len(PAGE))
    request = next(event for event in heard if isinstance(event, h2.events.RequestReceived))
    assert (":authority", NAME) in [(str(n), str(v)) for n, v in request.headers or ()]


async def test_a_head_request_reads_no_body():
    """HEAD ends with the head, whatever length it announces."""
    told = await ask(nano.saying(answer(b"", "Content-Length: 5000"), then=nano.silent), method="HEAD")

    assert (told.operation.failure, told.fact.status, told.fact.body_length) == (None, 200, 0)


async def test_a_redirect_is_told_and_not_followed():
    """Location is kept raw; a hop is the caller's business, and a Location that is no URL is no exception."""
    told = await ask(nano.saying(answer(b"", "Location: http://[bad/\x01", status="302 Found")))
    assert told.operation.failure in (None, "http_request_failed")

    told = await ask(nano.saying(answer(b"", "Location: //[::1/%zz", status="302 Found")))
    assert (told.operation.failure, told.fact.status, told.fact.location) == (None, 302, "//[::1/%zz")


async def test_a_url_that_cannot_be_asked_is_a_failure():
    """A redirect may lead to something that is no URL; nothing is sent then."""
    told = await ask(nano.silent, url="http://a\x00b/")

    assert (told.operation.failure, told.operation.bytes_sent) == ("http_invalid_redirect_location_host", 0)


async def test_the_own_address_is_not_kept():
    """Neither in headers, nor in the redirect, nor in the body or title; the hash is of what came."""
    page = b"<title>Blocked for 127.0.0.1</title>Your address 127.0.0.1 is on record."
    told = await ask(nano.saying(answer(page, "X-You: 127.0.0.1", "Location: /?ip=127.0.0.1")), keep_body=True)

    assert "127.0.0.1" not in f"{told.fact.headers}{told.fact.location}{told.fact.title}{told.fact.body}"
    assert told.fact.title == "Blocked for own-address"
    assert told.fact.location == "/?ip=own-address"
    assert told.fact.body_sha256 == hashlib.sha256(page).hexdigest()


async def test_a_body_is_kept_only_when_asked_for():
    """keep_body gives the text, with NUL made harmless for every database."""
    told = await ask(nano.saying(answer(b"a\x00b\xff")), keep_body=True)

    assert told.fact.body == "a�b�"


@pytest.mark.parametrize("alpn", [None, "http/1.1", "h2"])
@pytest.mark.parametrize(
    ("behaviour", "failure", "errno"),
    [
        (nano.silent, "generic_timeout_error", None),
        (nano.resetting, "connection_reset", "ECONNRESET"),
        (nano.closing, "eof_error", None),
    ],
)
async def test_a_server_without_an_answer(alpn: str | None, behaviour: nano.Behaviour, failure: str, errno: str | None):
    """Silence, RST and FIN instead of a response are told apart on every version of HTTP."""
    told = await ask(behaviour, alpn=alpn, deadline_s=0.4)

    assert (told.operation.failure, told.fact.errno, told.fact.status) == (failure, errno, None)


async def test_a_reset_in_the_middle_of_the_body_is_told_with_what_came():
    """A filter that kills the answer at a word leaves the head, the part of the body, and the reset."""
    told = await ask(nano.saying(answer(PAGE, "Content-Length: 5000"), gap_s=0.1, then=nano_reset))

    assert (told.operation.failure, told.fact.status, told.fact.body_length) == ("connection_reset", 200, len(PAGE))


async def nano_reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    nano.reset(writer)


async def test_an_end_before_the_announced_length_is_eof():
    """Fewer bytes than Content-Length is eof_error; an unannounced length just ends."""
    assert (await ask(nano.saying(answer(PAGE, "Content-Length: 5000")))).operation.failure == "eof_error"
    assert (await ask(nano.saying(answer(PAGE, "Connection: close")))).operation.failure is None


async def test_a_ten_megabyte_header_is_cut_at_the_cap():
    """65,536 bytes are read, not ten million; it is malformed data and not an exception."""
    told = await ask(nano.saying(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000_000))

    assert (told.operation.failure, told.fact.status) == ("http_request_failed", None)
    assert told.fact.malformed == "headers over 65536 bytes"
    assert told.operation.bytes_received <= 65_536 + 16_384


@pytest.mark.parametrize("flood", [b"X: y\r\n" * 200_000, b"\r\nHTTP/1.1 100 Continue\r\n" * 100_000])
async def test_a_flood_of_headers_is_cut_at_the_cap(flood: bytes):
    """Many short headers, or interim responses without end, cost no more than one long header."""
    told = await ask(nano.saying(b"HTTP/1.1 100 Continue\r\n" + flood))

    assert told.operation.failure == "http_request_failed"
    assert told.operation.bytes_received <= 65_536 + 16_384


async def test_many_headers_are_kept_as_few():
    """Of three hundred headers 64 are kept, each cut to a length."""
    told = await ask(nano.saying(answer(b"", *(f"X-{n}: {'y' * 100}" for n in range(300)), "X-Long: " + "z" * 5000)))
    assert (told.operation.failure, len(told.fact.headers)) == (None, http.MAX_HEADERS)

    told = await ask(nano.saying(answer(b"", "X-Long: " + "z" * 5000)))
    assert len(told.fact.headers[0][1]) == http.MAX_HEADER_VALUE


@pytest.mark.parametrize("alpn", [None, "h2"])
async def test_a_decompression_bomb_costs_what_a_page_costs(alpn: str | None):
    """A hundred megabytes in a hundred kilobytes: 10,240 bytes are unpacked, in little memory."""
    bomb = gzip.compress(bytes(100_000_000))
    if alpn:
        pieces = [bomb[at : at + 10_000] for at in range(0, 60_000, 10_000)]
        server = nano.h2_answering([(":status", "200"), ("content-encoding", "gzip")], *pieces, end=False)
    else:
        server = nano.saying(answer(bomb, "Content-Encoding: gzip"))
    await ask(nano.saying(answer()))  # so that imports are not counted
    tracemalloc.start()
    told = await ask(server, alpn=alpn)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (told.operation.failure, told.fact.body_length, told.fact.body_truncated) == (None, CAP, True)
    assert peak < 5_000_000


async def test_gzip_is_undone_and_the_curve_counts_what_came():
    """Length, hash and title are of the unpacked body; the curve is of the bytes on the line."""
    packed = gzip.compress(PAGE * 20)
    told = await ask(nano.saying(answer(packed, "Content-Encoding: gzip")))

    assert (told.fact.title, told.fact.body_length) == ("Hello", len(PAGE) * 20)
    assert told.fact.progress[-1][1] == len(packed)


async def test_a_lie_about_the_encoding_is_told():
    """A body that is no gzip is malformed; the answer itself came."""
    told = await ask(nano.saying(answer(b"plain", "Content-Encoding: gzip")))

    assert (told.operation.failure, told.fact.status) == (None, 200)
    assert told.fact.malformed == "content-encoding gzip cannot be undone"


async def test_an_endless_body_ends_at_the_cap():
    """The cap is reached, the rest is not read."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"a\r\n0123456789\r\n" * 1000)
            await writer.drain()

    told = await ask(endless)

    assert (told.operation.failure, told.fact.body_length, told.fact.body_truncated) == (None, CAP, True)
    assert told.operation.bytes_received < 100_000


async def test_an_endless_gzip_that_unpacks_to_nothing_ends_at_the_cap():
    """Packed bytes are capped too: empty deflate blocks for ever give not one byte."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        writer.write(b"\x1f\x8b\x08" + bytes(6) + b"\xff")
        while True:
            writer.write(b"\x00\x00\x00\xff\xff" * 1000)
            await writer.drain()

    told = await ask(endless)

    assert (told.fact.body_length, told.fact.body_truncated) == (0, True)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_one_byte_a_minute_ends_at_the_deadline(head: bytes):
    """A drip of bytes is no answer: the head and the body each have a deadline that dripping does not move."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(head)
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.05)

    told = await ask(drip, deadline_s=0.5)

    assert told.operation.failure == "generic_timeout_error"
    assert told.fact.status == (200 if head else None)
    assert (told.operation.duration_us or 0) < 3_000_000
    if head:
        assert len(told.fact.progress) >= 3


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01" * 100 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000 + b"\r\n",
    ],
)
async def test_what_is_no_http_is_malformed(garbage: bytes):
    """Other protocols, bad heads and bad chunks are http_request_failed with a few words why."""
    told = await ask(nano.saying(garbage, then=nano.silent))

    assert told.operation.failure == "http_request_failed"
    assert 0 < len(told.fact.malformed or "") <= 120


async def test_binary_in_a_title_is_kept_as_it_came():
    """Terminal escapes are made harmless on the screen, not in the facts; NUL cannot be stored."""
    told = await ask(nano.saying(answer(b"<title>\x1b[2J\x00\xff\xfe</title>")))

    assert told.fact.title == "\x1b[2J���"


async def test_http_2_garbage_and_refusals_are_malformed():
    """Frames that make no sense, a stream reset, a status that is no number."""
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    for garbage in (
        settings + b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x07",
        settings + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d",
        b"\x00\x00\x05\x04\x00\x00\x00\x00\x00abcde",
    ):
        told = await ask(nano.saying(garbage, then=nano.silent), alpn="h2", deadline_s=2)
        assert told.operation.failure == "http_request_failed"
        assert told.fact.malformed


async def test_http_2_that_stops_in_the_body_is_a_timeout_with_its_curve():
    """A freeze after some kilobytes shows where it stopped."""
    told = await ask(
        nano.h2_answering([(":status", "200")], b"x" * 1000, b"y" * 1000, gap_s=0.05, end=False),
        alpn="h2",
        deadline_s=0.5,
    )

    assert (told.operation.failure, told.fact.status) == ("generic_timeout_error", 200)
    assert told.fact.progress[-1][1] == 2000


async def test_a_status_that_is_no_number_is_malformed_over_http_2():
    """h2 hands the status through as it came."""
    connection_bytes = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + (
        # HEADERS, END_HEADERS, stream 1: literal header :status: abc (static name 8)
        b"\x00\x00\x05\x01\x04\x00\x00\x00\x01" + b"\x08\x03abc"
    )
    told = await ask(nano.saying(connection_bytes, then=nano.silent), alpn="h2", deadline_s=2)

    assert told.operation.failure == "http_request_failed"


async def test_a_cancelled_request_closes_the_stream():
    """Whoever gives up leaves no socket behind."""
    async with nano.serve(nano.silent) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
        assert connected.stream is not None
        task = asyncio.get_running_loop().create_task(
            http.request(
                Wire(),
                connected.stream,
                method="GET",
                url=f"http://{NAME}/",
                user_agent="A",
                verified_chain=False,
                head_deadline_s=60,
                body_deadline_s=60,
                body_cap=CAP,
                header_cap=65_536,
            )
        )
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert connected.stream.socket.fileno() == -1
