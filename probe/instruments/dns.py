"""One question to one resolver, over UDP, TCP, DoT (RFC 7858), DoH (RFC 8484), or by the C library.

Over UDP the first usable reply returns at once and the sockets stay open: see :mod:`probe.instruments.dns_lingering`.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from probe.instruments import dns_message, failures, tcp, tls
from probe.instruments.dns_asking import Asking
from probe.instruments.dns_lingering import Heard, Lingering, Query
from probe.instruments.dns_message import Question
from probe.instruments.tcp import TcpStream
from probe.instruments.tls import Handshaken, Hello, TlsStream
from probe.instruments.trust import Trust
from probe.observations import Answer, DnsFact, HttpFact, Operation, ResolverRole
from probe.wire import Wire
from probe.wire.datagrams import readable
from probe.wire.resolvers import Nameserver

__all__ = [
    "Question",
    "UdpAsked",
    "ask_doh",
    "ask_dot",
    "ask_getaddrinfo",
    "ask_inside",
    "ask_tcp",
    "ask_udp",
]

UDP_PORT, DOT_PORT = 53, 853
DNS_MESSAGE = "application/dns-message"
_FORMERR = 1


# ---------------------------------------------------------------------------------------------------------------------
# UDP


@dataclass(frozen=True, slots=True)
class UdpAsked:
    """What came of a question over UDP, and its sockets that listen on."""

    operation: Operation
    lingering: Lingering


async def ask_udp(
    wire: Wire,
    server: Nameserver,
    question: Question,
    *,
    role: ResolverRole,
    deadline_s: float,
    resend_s: float | None = None,
) -> UdpAsked:
    """Ask once, and once more from a new port with a new id after *resend_s* of silence. Close ``.lingering``.

    The second time is without EDNS, and follows a format error at once: some resolvers and home routers know nothing of it
    (RFC 6891 §7), and what ordinary programs ask with does not use it.

    A truncated reply is a reply (``truncated``); asking again over TCP is the caller's business.
    """
    asking = Asking(wire, server, question, "udp", role)
    lingering = Lingering(asking)
    try:
        operation = await _ask_udp(asking, lingering, server, deadline_s, resend_s)
    except BaseException:
        lingering.close()
        raise
    return UdpAsked(operation, lingering)


async def _ask_udp(
    asking: Asking, lingering: Lingering, server: Nameserver, deadline_s: float, resend_s: float | None
) -> Operation:
    sent = 0
    failure: str | None = failures.TIMEOUT
    used: Heard | None = None
    refused: Heard | None = None
    try:
        sent += _send(asking, lingering, server)
        if resend_s is not None and resend_s < deadline_s:
            used = await _first_usable(asking, lingering, resend_s)
            if used is None or _knows_no_edns(asking.question, used):
                refused, used = used, None
                sent += _send(asking, lingering, server)
        used = used or await _first_usable(asking, lingering, asking.left_s(deadline_s)) or refused
    except ValueError as error:
        return asking.unaskable(error)
    except OSError as error:
        failure = failures.from_os_error(error)
    used = used or (lingering.best if failure == failures.TIMEOUT else None)
    if used is not None:
        lingering.use(used)
        failure = used.reply.failure
    return asking.operation(
        used.reply if used else None,
        failure=failure,
        sent=sent,
        resends=max(len(lingering.queries) - 1, 0),
        reply_ttl=used.ttl if used else None,
        query_index=used.query_index if used else 0,
    )


def _knows_no_edns(question: Question, heard: Heard) -> bool:
    return question.edns and not question.dnssec_ok and heard.reply.fields["rcode"] == _FORMERR


def _send(asking: Asking, lingering: Lingering, server: Nameserver) -> int:
    """Send the question from a new port under a new id, and listen there. Bytes sent; ``OSError`` or ``ValueError``."""
    query_id = asking.wire.random.getrandbits(16)
    again = bool(lingering.queries)
    # Signatures cannot be asked for without EDNS.
    question = replace(asking.question, edns=asking.question.edns and (not again or asking.question.dnssec_ok))
    data = dns_message.build(question, query_id)
    sock = asking.wire.udp(server.address, server.port)
    lingering.queries.append(Query(sock, query_id, len(lingering.queries)))
    sock.connect()
    sock.send(data)
    return len(data)


async def _first_usable(asking: Asking, lingering: Lingering, wait_s: float) -> Heard | None:
    """The first usable reply on any of the sockets within *wait_s*; ``OSError`` when ICMP says no."""
    try:
        async with asyncio.timeout(wait_s):
            while True:
                for query in lingering.queries:
                    # Not "while": a flood of forgeries must not keep the deadline from being looked at.
                    if heard := query.poll(asking):
                        if heard.reply.usable:
                            return heard
                        lingering.keep(heard)
                await readable([query.sock for query in lingering.queries])
    except TimeoutError:
        return None


# ---------------------------------------------------------------------------------------------------------------------
# streams


async def ask_tcp(
    wire: Wire, server: Nameserver, question: Question, *, role: ResolverRole, deadline_s: float
) -> Operation:
    """Ask over one TCP connection (RFC 7766)."""
    return await _by_stream(Asking(wire, server, question, "tcp", role), server, deadline_s, None)


async def ask_dot(
    wire: Wire,
    server: Nameserver,
    question: Question,
    *,
    role: ResolverRole,
    trust: Trust,
    server_name: str | None,
    deadline_s: float,
) -> Operation:
    """Ask over TLS (RFC 7858), on port 853 where *server* has the usual 53.

    The certificate must verify for *server_name*, or for the address when that is ``None`` (public resolvers have theirs
    in the certificate); otherwise whoever is in between could answer, and the failure is the handshake's.
    """
    if server.port == UDP_PORT:
        server = Nameserver(server.address, DOT_PORT)
    asking = Asking(wire, server, question, "dot", role)
    host = server_name or server.address
    wrap = functools.partial(tls.handshake, wire, hello=Hello(server_name, alpn=()), trust=trust, host=host)
    return await _by_stream(asking, server, deadline_s, wrap)


async def _by_stream(
    asking: Asking, server: Nameserver, deadline_s: float, wrap: Callable[..., Awaitable[Handshaken]] | None
) -> Operation:
    """Connect, shake hands if *wrap* says so, ask. The failure is that of the first step that failed."""
    query_id = asking.wire.random.getrandbits(16)
    try:
        query = dns_message.build(asking.question, query_id)
    except ValueError as error:
        return asking.unaskable(error)
    connected = await tcp.connect(asking.wire, server.address, server.port, deadline_s=deadline_s)
    if connected.stream is None:
        return asking.operation(None, failure=connected.operation.failure)
    stream: TcpStream | TlsStream = connected.stream
    try:
        if wrap is not None:
            shaken = await wrap(connected.stream, deadline_s=asking.left_s(deadline_s))
            if shaken.stream is None:
                return asking.operation(None, failure=shaken.operation.failure, sent=connected.stream.bytes_sent)
            stream = shaken.stream
        async with asyncio.timeout(asking.left_s(deadline_s)):
            return await _over_stream(asking, stream.read, stream.write, query, query_id)
    except OSError as error:
        return asking.operation(None, failure=failures.from_os_error(error), sent=connected.stream.bytes_sent)
    finally:
        stream.close()


async def _over_stream(
    asking: Asking,
    read: Callable[[int], Awaitable[bytes]],
    write: Callable[[bytes], Awaitable[None]],
    query: bytes,
    query_id: int,
) -> Operation:
    """One length-prefixed question and reply (RFC 1035 §4.2.2). ``OSError`` as the stream has it."""
    await write(len(query).to_bytes(2) + query)
    received = bytearray()
    while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2]):
        chunk = await read(65537 - len(received))
        if not chunk:
            return asking.operation(None, failure=failures.EOF, sent=len(query) + 2)
        received += chunk
    reply = dns_message.read(bytes(received[2 : 2 + int.from_bytes(received[:2])]), asking.question, query_id)
    return asking.operation(reply, failure=reply.failure, sent=len(query) + 2)


async def ask_doh(
    wire: Wire,
    address: str,
    question: Question,
    *,
    url: str,
    role: ResolverRole,
    trust: Trust,
    deadline_s: float,
) -> Operation:
    """Ask by one POST (RFC 8484) to *url* at *address*. The failure is that of the first step that failed.

    A response that is not a 200 of type ``application/dns-message`` is ``dns_server_misbehaving``; ``malformed`` says why.
    """
    parts = urlsplit(url)
    host, server = parts.hostname or "", Nameserver(address, parts.port or 443)
    asking = Asking(wire, server, question, "doh", role)
    try:
        query = dns_message.build(question, 0)  # RFC 8484 §4.1: id 0, so that caches can work
    except ValueError as error:
        return asking.unaskable(error)
    connected = await tcp.connect(wire, address, server.port, deadline_s=deadline_s, name=host)
    if connected.stream is None:
        return asking.operation(None, failure=connected.operation.failure)
    hello = Hello(None if _is_address(host) else host)
    shaken = await tls.handshake(
        wire, connected.stream, hello=hello, trust=trust, host=host, deadline_s=asking.left_s(deadline_s)
    )
    if shaken.stream is None:
        return asking.operation(None, failure=shaken.operation.failure, sent=connected.stream.bytes_sent)
    return await _post(asking, shaken.stream, url, query, asking.left_s(deadline_s))


async def ask_inside(
    wire: Wire,
    stream: TlsStream,
    question: Question,
    *,
    role: ResolverRole,
    deadline_s: float,
    url: str | None = None,
) -> Operation:
    """Ask in a connection that is open and verified: as DoT does (RFC 7858 §3.3), or by one POST to *url* (RFC 8484)."""
    server = Nameserver(stream.tcp.address, stream.tcp.port)
    asking = Asking(wire, server, question, "dot" if url is None else "doh", role)
    query_id = wire.random.getrandbits(16) if url is None else 0
    try:
        query = dns_message.build(question, query_id)
    except ValueError as error:
        return asking.unaskable(error)
    if url is not None:
        return await _post(asking, stream, url, query, deadline_s)
    try:
        async with asyncio.timeout(deadline_s):
            return await _over_stream(asking, stream.read, stream.write, query, query_id)
    except OSError as error:
        return asking.operation(None, failure=failures.from_os_error(error), sent=stream.tcp.bytes_sent)
    finally:
        stream.close()


async def _post(asking: Asking, stream: TlsStream, url: str, query: bytes, left_s: float) -> Operation:
    from probe.instruments import http

    answered = await http.ask(
        asking.wire,
        stream,
        method="POST",
        url=url,
        headers={"Accept": DNS_MESSAGE, "Content-Type": DNS_MESSAGE, "Content-Length": str(len(query))},
        content=query,
        verified_chain=True,
        head_deadline_s=left_s,
        body_deadline_s=left_s,
        body_cap=65_536,
        header_cap=16_384,
    )
    sent = stream.tcp.bytes_sent
    if answered.operation.failure is not None:
        return asking.operation(None, failure=answered.operation.failure, sent=sent)
    fact = answered.operation.fact
    assert isinstance(fact, HttpFact)
    kind = {name.lower(): value for name, value in fact.headers}.get("content-type", "")
    if fact.status != http.OK or not kind.lower().startswith(DNS_MESSAGE):
        why = f"HTTP status {fact.status}, {kind[:60] or 'no content type'}"
        return asking.operation(None, failure=failures.MISBEHAVING, sent=sent, malformed=why)
    reply = dns_message.read(answered.body, asking.question, 0)
    return asking.operation(reply, failure=reply.failure, sent=sent)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------------
# the C library


async def ask_getaddrinfo(wire: Wire, name: str, *, deadline_s: float) -> Operation:
    """What programs on this host are told (hosts file and NSS included). ``qtype`` is ``ANY``: both families at once."""
    started, started_us = wire.monotonic(), wire.now_us()
    told = await wire.getaddrinfo(name, deadline_s)
    answers: tuple[Answer, ...] = ()
    failure: str | None = failures.TIMEOUT
    if isinstance(told, tuple):
        answers = tuple(Answer(name=name, rtype="AAAA" if ":" in a else "A", value=a, ttl=0) for a in told)
        failure = None
    elif told is not None:
        failure = failures.from_gai(told)
    return Operation(
        fact=DnsFact(transport="getaddrinfo", role="system", qname=name, qtype="ANY", answers=answers),
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        failure=failure,
        name=name,
    )
