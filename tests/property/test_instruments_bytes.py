"""Whatever bytes a server sends: nothing is raised, and a failure is always a name of df-007."""

import asyncio
import email.utils
import gzip
import itertools
import ssl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.instruments import certificates, dns, dns_message, http, tcp, tls, tls_records
from probe.instruments.http import body as bodies
from probe.instruments.tls import Hello
from probe.instruments.trust import Trust
from probe.observations import Operation
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.observations.failures import is_failure_name
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from tests import nano

NAME = "good.test"
# Real sockets are slow and their time is not the example's; deadlines are inside.
on_the_wire = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pure = settings(max_examples=300, deadline=None)


def is_sound(operation: Operation) -> bool:
    """A df-007 name or none, and a fact that survives being stored."""
    stored = fact_from_json(operation.kind, fact_to_json(operation.fact))
    return stored == operation.fact and (operation.failure is None or is_failure_name(operation.failure))


# ---------------------------------------------------------------------------------------------------------------------
# parsers

QUESTION = dns.Question(NAME)
HEADER = b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01"
ASKED = b"\x04good\x04test\x00\x00\x01\x00\x01"


@pure
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: HEADER + ASKED + tail))
def test_any_bytes_are_a_reply(data: bytes):
    """dnspython's exceptions all become malformed replies."""
    reply = dns_message.read(data, QUESTION, 7)

    assert reply.failure is None or is_failure_name(reply.failure)
    assert hash(reply.meaning) is not None


@pure
@given(st.binary(max_size=300), st.integers(0, 299), st.binary(min_size=1, max_size=4))
def test_any_damage_to_a_good_reply_is_a_reply(tail: bytes, at: int, damage: bytes):
    """Bits flipped inside a real answer with EDNS and extended errors."""
    good = dns_message.build(dns.Question(NAME, dnssec_ok=True), 7)
    data = bytearray(good[:2] + b"\x81\x80" + good[4:] + tail)
    data[at % len(data) : at % len(data) + len(damage)] = damage

    assert isinstance(dns_message.read(bytes(data), QUESTION, 7), dns_message.Reply)


@pure
@given(st.binary(max_size=400))
def test_any_bytes_are_a_client_hello_or_a_value_error(data: bytes):
    """The parser of our own bytes is total too, with and without a record around them."""
    for candidate in (data, b"\x16\x03\x01" + len(data).to_bytes(2) + data):
        try:
            assert len(tls_records.parse_client_hello(candidate).fingerprint) == 32
        except ValueError as error:
            assert str(error)  # noqa: PT017


@st.composite
def hellos(draw: st.DrawFn) -> tuple[tls_records.ClientHello, bytes]:
    """A ClientHello and its bytes."""
    numbers = st.integers(0, 0xFFFF)
    ciphers = draw(st.lists(numbers, max_size=20))
    groups = draw(st.lists(numbers, max_size=5))
    alpn = draw(st.lists(st.sampled_from(["h2", "http/1.1", "dot"]), max_size=3))
    sni = draw(st.none() | st.sampled_from(["a.test", "b.test"]))

    def vector(size: int, data: bytes) -> bytes:
        return len(data).to_bytes(size) + data

    extensions = {10: vector(2, b"".join(g.to_bytes(2) for g in groups))}
    extensions[16] = vector(2, b"".join(vector(1, name.encode()) for name in alpn))
    if sni:
        extensions[0] = vector(2, b"\0" + vector(2, sni.encode()))
    order = draw(st.permutations(sorted(extensions)))
    body = b"\x03\x03" + draw(st.binary(min_size=32, max_size=32)) + vector(1, draw(st.binary(max_size=32)))
    body += vector(2, b"".join(c.to_bytes(2) for c in ciphers)) + b"\x01\0"
    body += vector(2, b"".join(kind.to_bytes(2) + vector(2, extensions[kind]) for kind in order))
    hello = tls_records.ClientHello(0x0303, tuple(ciphers), tuple(order), tuple(groups), tuple(alpn), (), sni)
    message = b"\x01" + vector(3, body)
    cut = draw(st.integers(1, len(message)))
    parts = [part for part in (message[:cut], message[cut:]) if part]
    return hello, b"".join(b"\x16\x03\x01" + vector(2, part) for part in parts)


@pure
@given(hellos())
def test_a_client_hello_is_read_as_it_was_written(pair: tuple[tls_records.ClientHello, bytes]):
    """Every field comes back, in its order, also when cut into two records."""
    hello, data = pair
    assert tls_records.parse_client_hello(data) == hello


@pure
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_records_mean_the_same_however_they_are_cut(data: bytes, cuts: list[int]):
    """A ServerHello, an alert and garbage are found whatever the segments are."""

    def watch(*pieces: bytes) -> tuple[object, ...]:
        inbound = tls_records.Inbound()
        for piece in pieces:
            inbound.feed(piece)
        return inbound.server_hello, inbound.alert, inbound.fatal, inbound.not_tls, inbound.first

    for stream in (data, b"\x15\x03\x03\x00\x02\x01\x70" + data, b"\x16\x03\x03\x00\x04\x02abc" + data):
        edges = [0, *sorted(cuts), len(stream)]
        assert watch(stream) == watch(*(stream[a:b] for a, b in itertools.pairwise(edges)))


@pure
@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "", "br"]), st.integers(0, 5000))
def test_unpacking_never_gives_more_than_the_room(data: bytes, encoding: str, room: int):
    """Neither packed, nor garbage, nor cut bytes raise or overflow."""
    for packed in (data, gzip.compress(data), gzip.compress(data * 50)[:-9]):
        assert len(bodies.Unpacker(encoding).feed(packed, room)) <= max(room, 0)


@pure
@given(st.binary(max_size=500), st.text(max_size=40))
def test_any_body_has_a_text_a_title_and_a_sketch(data: bytes, kind: str):
    """Total, and storable everywhere: no NUL, no lone surrogate."""
    text = bodies.to_text(b"<title>" + data, f"text/html; charset={kind}")

    assert "\x00" not in text
    assert text.encode()
    assert bodies.title(text) is not None or "16" in kind
    assert bodies.sketch(text) is None or len(bodies.sketch(text) or "") == 16


@pure
@given(st.text(max_size=60) | st.datetimes().map(email.utils.format_datetime))
def test_any_date_header_is_an_offset_or_none(date: str):
    """email.utils reads much; what it gives is a number or nothing."""
    assert isinstance(http._date_offset_s(date, 0), float | None)


@pure
@given(st.binary(max_size=300), st.integers(0, 600), st.binary(min_size=1, max_size=3))
def test_any_certificate_is_described(data: bytes, at: int, damage: bytes):
    """Garbage, and a good certificate with bytes changed anywhere."""
    from cryptography.hazmat.primitives.serialization import Encoding

    good = bytearray(nano.identity(NAME).chain[0].public_bytes(Encoding.DER))
    good[at : at + len(damage)] = damage

    assert len(certificates.describe([data, bytes(good)], keep_der=True)) == 2
    assert certificates.is_for(bytes(good), NAME) in (True, False)


# ---------------------------------------------------------------------------------------------------------------------
# servers


async def stream_to(port: int) -> tcp.TcpStream:
    connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
    assert connected.stream is not None
    return connected.stream


def trust() -> Trust:
    return Trust.load({"SSL_CERT_FILE": nano.authority().file})


tlsish = st.binary(max_size=200) | st.tuples(st.sampled_from([20, 21, 22, 23]), st.binary(max_size=100)).map(
    lambda record: bytes((record[0], 3, 3)) + len(record[1]).to_bytes(2) + record[1]
)


@on_the_wire
@given(st.lists(tlsish, min_size=1, max_size=3))
def test_any_answer_to_a_hello_is_an_operation(parts: list[bytes]):
    """Both ways of asking take any bytes, and garbage is never a success of the handshake."""

    async def main() -> None:
        async with nano.serve(nano.saying(*parts)) as port:
            arm = await tls.first_record(Wire(), await stream_to(port), hello=Hello(NAME), deadline_s=2)
            shaken = await tls.handshake(
                Wire(), await stream_to(port), hello=Hello(NAME), trust=trust(), host=NAME, deadline_s=2
            )
        assert is_sound(arm)
        assert is_sound(shaken.operation)
        assert shaken.operation.failure is not None

    asyncio.run(main())


httpish = st.binary(max_size=200) | st.tuples(
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 302 X\r\nLocation: /\xff\r\n", b"HTTP/1.1 100 C\r\n\r\n"]),
    st.sampled_from([b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 9\r\n", b"Content-Encoding: gzip\r\n"]),
    st.binary(max_size=80),
).map(lambda parts: parts[0] + parts[1] + b"\r\n" + parts[2])


async def request(stream: tcp.TcpStream | tls.TlsStream) -> Operation:
    return await http.request(
        Wire(),
        stream,
        method="GET",
        url=f"http://{NAME}/",
        user_agent="A",
        verified_chain=False,
        head_deadline_s=2,
        body_deadline_s=2,
        body_cap=10_000,
        header_cap=65_536,
        keep_body=True,
    )


@on_the_wire
@given(st.lists(httpish, min_size=1, max_size=3))
def test_any_answer_to_a_request_is_an_operation(parts: list[bytes]):
    """HTTP/1.1 in clear."""

    async def main() -> None:
        async with nano.serve(nano.saying(*parts)) as port:
            assert is_sound(await request(await stream_to(port)))

    asyncio.run(main())


h2ish = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 255), st.sampled_from([0, 1, 1, 2, 3]), st.binary(max_size=60)).map(
        lambda frame: len(frame[3]).to_bytes(3) + bytes(frame[:2]) + frame[2].to_bytes(4) + frame[3]
    ),
    max_size=6,
).map(b"".join)


@on_the_wire
@given(st.lists(h2ish | st.binary(max_size=100), min_size=1, max_size=3))
def test_any_answer_to_an_http_2_request_is_an_operation(parts: list[bytes]):
    """Frames of any kind, in any state, or no frames at all."""

    async def main(context: ssl.SSLContext) -> None:
        settings_frame = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
        async with nano.serve(nano.saying(settings_frame, *parts), tls=context) as port:
            shaken = await tls.handshake(
                Wire(), await stream_to(port), hello=Hello(NAME), trust=trust(), host=NAME, deadline_s=5
            )
            assert shaken.stream is not None
            assert is_sound(await request(shaken.stream))

    asyncio.run(main(nano.identity(NAME).context(alpn=["h2"])))


@on_the_wire
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=4), st.booleans())
def test_any_answer_to_a_question_is_an_operation(datagrams: list[bytes], ours: bool):
    """UDP and TCP, under our id or another."""

    async def main() -> None:
        def answer(query: bytes) -> list[bytes]:
            return [(query[:2] if ours else b"") + data for data in datagrams]

        async with nano.serve_udp(answer) as server:
            asked = await dns.ask_udp(
                Wire(), Nameserver("127.0.0.1", server.port), QUESTION, role="system", deadline_s=0.05
            )
            late = asked.lingering.drain()
            asked.lingering.close()
        async with nano.serve(nano.saying(*datagrams)) as port:
            over_tcp = await dns.ask_tcp(Wire(), Nameserver("127.0.0.1", port), QUESTION, role="foreign", deadline_s=2)
        assert all(is_sound(operation) for operation in (asked.operation, over_tcp, *late))

    asyncio.run(main())


@pytest.mark.parametrize(
    "name", ["", ".", "..", "xn--", "a" * 300, "\u0456.test", "a b.test", "\ud800", "-.test", "1.2.3"]
)
def test_any_name_can_be_tried(name: str):
    """Names that users and redirects bring: what no message can carry is a failure, not an exception."""

    async def main() -> None:
        async with nano.serve(nano.closing) as port:
            operation = await tls.first_record(Wire(), await stream_to(port), hello=Hello(name), deadline_s=2)
        async with nano.serve_udp(lambda _query: []) as server:
            asked = await dns.ask_udp(
                Wire(), Nameserver("127.0.0.1", server.port), dns.Question(name), role="system", deadline_s=0.05
            )
            asked.lingering.close()
        assert is_failure_name(operation.failure or "")
        assert is_failure_name(asked.operation.failure or "")

    asyncio.run(main())
