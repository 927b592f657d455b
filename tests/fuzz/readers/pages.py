"""HTTP: whole exchanges over HTTP/1.1 and 2, what is kept of a body, redirects, dates, and whose page it is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Hashable

import h2.config
import h2.connection

from probe.experiments import website
from probe.experiments.alt_svc import http3_port
from probe.instruments import http, transfer
from probe.instruments.http import body as bodies
from probe.instruments.tls import TlsStream
from probe.observations import HttpFact, Operation
from probe.verdict import fingerprints, similarity
from probe.wire import Wire
from tests.fuzz.harness import Subject
from tests.fuzz.readers import Heard, cut, done, sound

_URL = "http://good.test/"
_WIRE = Wire()
_PAGE = """<!doctype html><html><head><meta charset=utf-8><title>Доступ ограничен</title>
<meta http-equiv=refresh content="0;url=http://blocked.example/"></head><body><iframe src=http://x.example/></iframe>
<!-- no --><p>Доступ к сайту заблокирован по решению суда. Access to this website is blocked by order of the court.</p>
<p>account suspended; reference &#35;18; domain is parked; пополните баланс</p><script>var a;</script></body></html>"""


class _Secure(TlsStream):
    """The same over a pretended TLS that speaks HTTP/2."""

    def __init__(self, heard: Heard) -> None:
        self.tcp = heard
        self.alpn = "h2"

    async def read(self, max_bytes: int) -> bytes:
        return await self.tcp.read(max_bytes)

    async def write(self, data: bytes) -> None:
        await self.tcp.write(data)


async def _asked(stream: Heard | _Secure, *, keep: bool) -> Operation:
    return await http.request(
        _WIRE,
        stream,
        method="GET",
        url=_URL,
        user_agent="A",
        verified_chain=False,
        head_deadline_s=9,
        body_deadline_s=9,
        body_cap=65_536,
        header_cap=65_536,
        keep_body=keep,
    )


def _said(operation: Operation) -> Hashable:
    fact = operation.fact
    assert isinstance(fact, HttpFact)
    assert fact.body is None or len(fact.body) <= bodies.MAX_KEPT
    # What an HTTP library says of bytes is of many words: its first ones are the news.
    return sound(operation), fact.status, (fact.malformed or "")[:24], len(fact.headers) > 1, bool(fact.body_length)


def _one(data: bytes) -> Hashable:
    return _said(done(_asked(Heard(*cut(data)), keep=True)))


def _two(data: bytes) -> Hashable:
    return _said(done(_asked(_Secure(Heard(*cut(data))), keep=True)))


def _body(data: bytes) -> Hashable:
    """As it came and unpacked, with every charset that is near; never longer than there is room."""
    unpacked = []
    for encoding in ("", "gzip", "deflate", "br"):
        unpacker = bodies.Unpacker(encoding)
        unpacked.append(b"".join(unpacker.feed(piece, 40_000) for piece in cut(data)[:1]))
        assert len(unpacked[-1]) <= 40_000
    texts = [bodies.to_text(one, f"text/html; charset={name}") for one in unpacked for name in ("", "utf-16", "gbk")]
    for text in texts[:1] + texts[3:4]:
        bodies.title(text)
        bodies.sketch(text)
        bodies.tags_sketch(text)
        bodies.scrub(text, "192.0.2.1")
        text.encode()
        assert "\0" not in text
    return tuple(bool(one) for one in unpacked)


def _notice(data: bytes) -> Hashable:
    """Whose page it is, of a page and of an address that a response leads to."""
    text = bodies.to_text(data, "text/html")
    fact = HttpFact(
        method="GET",
        url=_URL,
        verified_chain=False,
        status=302 if data[:1] == b"h" else 200,
        location=text[: http.MAX_LOCATION],
        title=bodies.title(text),
        body=text[: bodies.MAX_KEPT],
        body_length=len(data),
        body_sketch=bodies.sketch(text),
        tags_sketch=bodies.tags_sketch(text),
    )
    page = fingerprints.read(fact)
    looks = (
        fingerprints.is_nothing_but_a_notice(fact),
        fingerprints.is_pay_page(fact),
        fingerprints.is_challenge(fact),
        fingerprints.is_country_refusal(fact),
        fingerprints.is_hollow(fact),
        fingerprints.leads_to_itself(fact),
    )
    similarity.likeness(fact, fact)
    return page, looks


def _location(data: bytes) -> Hashable:
    """Where a response leads to, if anywhere on the web."""
    to = website.redirect(_URL, data.decode("latin-1"))
    assert to is None or to.startswith(("http:", "https:"))
    return to is None


def _date(data: bytes) -> Hashable:
    """What a Date tells of their clock."""
    offset = http._date_offset_s(data.decode("latin-1"), 0)
    assert offset is None or abs(offset) < 1e13
    return offset is None


def _offer(data: bytes) -> Hashable:
    """What a site says of its HTTP/3."""
    return http3_port([("Alt-Svc", data.decode("latin-1"))], "good.test") is None


def _transfer(data: bytes) -> Hashable:
    """Pages that are only measured by how fast they come."""
    wanted = transfer.Wanted(host="good.test", path="/", bytes=30_000, user_agent="A", pieces=1)
    operation = done(transfer.transfer(_WIRE, _Secure(Heard(*cut(data))), wanted, name="good.test", deadline_s=9))
    fact = operation.fact
    assert isinstance(fact, HttpFact)
    return sound(operation), fact.status, bool(fact.body_length)


def _frames() -> bytes:
    """The answer of a server over HTTP/2."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(
        1, [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "a")], end_stream=True
    )
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "200"), ("content-type", "text/html"), ("server", "x")])
    server.send_data(1, _PAGE.encode(), end_stream=True)
    server.ping(b"12345678")
    return server.data_to_send()


_CACHED = 3_000_000
"""urllib keeps the last 128 addresses that it took apart; none is longer than what is kept of a Location."""
_BODY = _PAGE.encode()
_ONES = tuple(
    b"HTTP/1.1 " + head + b"\r\n\r\n" + body
    for head, body in (
        (b"200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d" % len(_BODY), _BODY),
        (b"200 OK\r\nTransfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(_BODY), _BODY)),
        (b"200 OK\r\nContent-Encoding: gzip", gzip.compress(_BODY * 9, mtime=0)),
        (b"302 Found\r\nLocation: http://192.168.1.1/a?b=c\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT", b""),
        (b"100 Continue", b"HTTP/1.0 403 No\r\nServer: x\r\n\r\nno"),
    )
)
SUBJECTS = (
    Subject(
        name="http-alt-svc", read=_offer, seeds=(b'h3=":443"; ma=86400,h3-29=":443"', b'quic="good.test:8443"; v="43"')
    ),
    Subject(name="http-transfer", read=_transfer, seeds=_ONES, longest=80_000, memory=10_000_000),
    Subject(name="http1", read=_one, seeds=_ONES, longest=120_000, memory=4_000_000),
    Subject(name="http2", read=_two, seeds=(_frames(),), longest=120_000, memory=4_000_000),
    Subject(
        name="http-body",
        read=_body,
        seeds=(_BODY, gzip.compress(_BODY, mtime=0), zlib.compress(_BODY), gzip.compress(bytes(100_000), mtime=0)),
        memory=4_000_000,
    ),
    Subject(
        name="http-page",
        read=_notice,
        seeds=(_BODY, b"http://eais.rkn.gov.ru/blocked?x=1"),
        memory=4_000_000,
        kept=_CACHED,
    ),
    Subject(
        name="http-location",
        read=_location,
        seeds=(
            b"//a.example:80/x?y#z",
            b"http://[2001:db8::1]/",
            b"../../x",
            b"HTTPS://A.example/",
            b"\xe4.example/",
            b"https://xn--80ak6aa92e.com",
        ),
        longest=http.MAX_LOCATION,
        kept=_CACHED,
    ),
    Subject(
        name="http-date",
        read=_date,
        seeds=(
            b"Sun, 22 Nov 2026 08:00:00 +0600",
            b"Sunday, 22-Nov-26 08:00:00 GMT",
            b"Sun, 222222222222222222 Nov 2026 08:00:00 GMT",
        ),
    ),
)
