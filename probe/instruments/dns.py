"""One question to one resolver, over UDP, TCP, DoT (RFC 7858), DoH (RFC 8484), or by the C library.

Over UDP the first usable reply returns at once and the sockets stay open: a forged reply races the real one, so a later
and different one is evidence. They are read again only when somebody asks (:meth:`Lingering.drain`); no task waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from probe.instruments import dns_message, failures, tcp
from probe.instruments.dns_message import Question, Reply
from probe.observations import Answer, DnsFact, DnsTransport, Operation, ResolverRole
from probe.wire import Datagram, Nameserver, UdpSocket, Wire, readable

__all__ = ["Lingering", "Question", "UdpAsked", "ask_getaddrinfo", "ask_tcp", "ask_udp"]

DOT_PORT = 853
MAX_LATE = 16  # replies kept of one question: a flood must not fill the memory


class _Asking:
    """One question in flight: where it goes, when it began, and what becomes of it."""

    def __init__(
        self, wire: Wire, server: Nameserver, question: Question, transport: DnsTransport, role: ResolverRole
    ) -> None:
        self.wire = wire
        self.question = question
        self._started = wire.monotonic()
        self._operation: dict[str, Any] = {
            "started_us": wire.now_us(),
            "name": question.qname,
            "address": server.address,
            "port": server.port,
        }
        self._fact: dict[str, Any] = {
            "transport": transport,
            "role": role,
            "resolver_is_private": server.is_private,
        }

    def elapsed_us(self) -> int:
        return round((self.wire.monotonic() - self._started) * 1e6)

    def operation(
        self, reply: Reply | None, *, failure: str | None, duration_us: int | None = None, sent: int = 0, **fact: Any
    ) -> Operation:
        return Operation(
            fact=dns_message.fact(self.question, reply, **self._fact, **fact),
            duration_us=self.elapsed_us() if duration_us is None else duration_us,
            failure=failure,
            bytes_sent=sent,
            bytes_received=reply.fields.get("reply_bytes", 0) if reply else 0,
            **self._operation,
        )

    def unaskable(self, error: ValueError) -> Operation:
        return self.operation(None, failure="dns_non_recoverable_failure", malformed=str(error))


# ---------------------------------------------------------------------------------------------------------------------
# UDP


@dataclass(frozen=True, slots=True)
class _Heard:
    """One reply off a socket: which query it is to, when it came, and its packet's TTL."""

    reply: Reply
    query_index: int
    at_us: int
    ttl: int | None


@dataclass(slots=True)
class _Query:
    """One datagram of ours and the socket that listens for its replies."""

    sock: UdpSocket
    query_id: int
    index: int

    def poll(self, asking: _Asking) -> _Heard | None:
        datagram = self.sock.poll()
        return None if datagram is None else self._read(datagram, asking)

    def _read(self, datagram: Datagram, asking: _Asking) -> _Heard:
        reply = dns_message.read(datagram.data, asking.question, self.query_id)
        return _Heard(reply, self.index, asking.elapsed_us(), datagram.ttl)


class Lingering:
    """The sockets of a question that has been answered, still listening. Close it."""

    def __init__(self, asking: _Asking) -> None:
        self._asking = asking
        self.queries: list[_Query] = []
        self._early: list[_Heard] = []
        self._known: set[tuple[object, ...]] = set()
        self._index = 0

    @property
    def best(self) -> _Heard | None:
        """The reply to settle for when no usable one came: a wrong id tells more than garbage."""
        return max(self._early, key=lambda heard: heard.reply.failure == dns_message.WRONG_ID, default=None)

    def use(self, heard: _Heard) -> None:
        """*heard* is the reply that was used: it is not told again, nor any other that says the same."""
        self._known.add(heard.reply.meaning)

    def keep(self, heard: _Heard) -> None:
        """*heard* came before anything usable did."""
        if len(self._early) < MAX_LATE:
            self._early.append(heard)

    def drain(self) -> tuple[Operation, ...]:
        """The replies, besides the used one, that have come since the last call and differ from all before."""
        late = []
        for heard in self._arrived():
            if heard.reply.meaning in self._known or self._index >= MAX_LATE:
                continue
            self._known.add(heard.reply.meaning)
            self._index += 1
            late.append(
                self._asking.operation(
                    heard.reply,
                    failure=heard.reply.failure,
                    duration_us=heard.at_us,
                    reply_ttl=heard.ttl,
                    reply_index=self._index,
                    query_index=heard.query_index,
                    resends=len(self.queries) - 1,
                )
            )
        return tuple(late)

    def _arrived(self) -> list[_Heard]:
        arrived, self._early = self._early, []
        for query in self.queries:
            try:
                while query.sock.fileno() >= 0 and (heard := query.poll(self._asking)) and len(arrived) < 10 * MAX_LATE:
                    arrived.append(heard)
            except OSError:
                continue  # an ICMP error after the answer says nothing about the answer
        return arrived

    def close(self) -> None:
        for query in self.queries:
            query.sock.close()


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

    A truncated reply is a reply (``truncated``); asking again over TCP is the caller's business.
    """
    asking = _Asking(wire, server, question, "udp", role)
    lingering = Lingering(asking)
    try:
        operation = await _ask_udp(asking, lingering, server, deadline_s, resend_s)
    except BaseException:
        lingering.close()
        raise
    return UdpAsked(operation, lingering)


async def _ask_udp(
    asking: _Asking, lingering: Lingering, server: Nameserver, deadline_s: float, resend_s: float | None
) -> Operation:
    sent = 0
    failure: str | None = failures.TIMEOUT
    used: _Heard | None = None
    try:
        sent += _send(asking, lingering, server)
        if resend_s is not None and resend_s < deadline_s:
            used = await _first_usable(asking, lingering, resend_s)
            sent += 0 if used else _send(asking, lingering, server)
        used = used or await _first_usable(asking, lingering, deadline_s - asking.elapsed_us() / 1e6)
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


def _send(asking: _Asking, lingering: Lingering, server: Nameserver) -> int:
    """Send the question from a new port under a new id, and listen there. Bytes sent; ``OSError`` or ``ValueError``."""
    query_id = asking.wire.random.getrandbits(16)
    data = dns_message.build(asking.question, query_id)
    sock = asking.wire.udp(server.address, server.port)
    lingering.queries.append(_Query(sock, query_id, len(lingering.queries)))
    sock.connect()
    sock.send(data)
    return len(data)


async def _first_usable(asking: _Asking, lingering: Lingering, wait_s: float) -> _Heard | None:
    """The first usable reply on any of the sockets within *wait_s*; ``OSError`` when ICMP says no."""
    try:
        async with asyncio.timeout(max(wait_s, 0)):
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
    asking = _Asking(wire, server, question, "tcp", role)
    try:
        query = dns_message.build(question, query_id := wire.random.getrandbits(16))
    except ValueError as error:
        return asking.unaskable(error)
    connected = await tcp.connect(wire, server.address, server.port, deadline_s=deadline_s)
    if connected.stream is None:
        return asking.operation(None, failure=connected.operation.failure)
    stream = connected.stream
    try:
        async with asyncio.timeout(max(deadline_s - asking.elapsed_us() / 1e6, 0)):
            return await _over_stream(asking, stream.read, stream.write, query, query_id)
    except OSError as error:
        return asking.operation(None, failure=failures.from_os_error(error), sent=stream.bytes_sent)
    finally:
        stream.close()


async def _over_stream(
    asking: _Asking,
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
