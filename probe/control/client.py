"""The probe's side of a control: one question, one answer, or one operation that says why there is none.

The connection is made with the probe's own instruments. The token is sent only when the certificate is the one that the
user named, or an ordinary authority's. A control that is down, refuses, or talks nonsense is a fact with a reason and no
evidence: nothing of it raises.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from probe.control import protocol
from probe.control.protocol import ArmsRequest, Arrived, Request, Seen, Sink
from probe.control.strictly import ProtocolError
from probe.instruments import dns, tcp, tls
from probe.instruments.trust import Stores, Trust, arm_context
from probe.observations import DnsFact, HttpFact, Operation, TlsFact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import TlsStream
    from probe.settings.controls import Control
    from probe.wire import Wire

_ALPN = ("http/1.1",)
_MOST_ADDRESSES = 2
_LONGEST_REASON = 200
_HEADERS = 16_384


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: the last operation of the exchange itself, what the control saw (nothing, if it failed), and the
    country that it says it is in.
    """

    operation: Operation
    seen: tuple[Seen, ...] = ()
    country: str | None = None


class _Pinned(Trust):
    """Believes every certificate in the handshake: it is compared with the pin before a byte of ours is sent."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("a pinned certificate", replaced=True, _shipped=(), _system=None)

    def context(self, alpn: tuple[str, ...], *, small: bool, check_hostname: bool = True) -> ssl.SSLContext:  # noqa: ARG002
        return arm_context(alpn, small=small)

    def stores(self, chain: Sequence[bytes], sent: Sequence[bytes], host: str) -> Stores:  # noqa: ARG002
        return Stores(None, None)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One exchange: its last operation, the body that came, and the address at which the control was reached."""

    operation: Operation
    body: bytes = b""
    address: str | None = None


async def ask(
    wire: Wire, control: Control, request: Request, *, trust: Trust, deadline_s: float, reach_s: float
) -> Answer:
    """Ask *control* to measure; everything within *deadline_s*, and each step on the way to it within *reach_s*."""
    content = protocol.request_to_json(request)
    exchanged = await _exchange(wire, control, protocol.MEASURE, content, trust, (deadline_s, reach_s))
    return _read(exchanged.operation, exchanged.body)


async def sinks(
    wire: Wire, control: Control, *, trust: Trust, deadline_s: float, reach_s: float
) -> tuple[Exchanged, tuple[Sink, ...]]:
    """Which sinks *control* has, at the address where it was reached. To the control it is the showing of the token."""
    return _told(
        await _exchange(wire, control, protocol.SINKS, None, trust, (deadline_s, reach_s)), protocol.sinks_from_json
    )


async def arms(
    wire: Wire, control: Control, request: ArmsRequest, *, trust: Trust, deadline_s: float, reach_s: float
) -> tuple[Exchanged, tuple[Arrived, ...]]:
    """What arrived at the sinks of *control* from here."""
    content = protocol.arms_request_to_json(request)
    return _told(
        await _exchange(wire, control, protocol.ARMS, content, trust, (deadline_s, reach_s)), protocol.arms_from_json
    )


_Item = TypeVar("_Item")


def _told(exchanged: Exchanged, read: Callable[[bytes], tuple[_Item, ...]]) -> tuple[Exchanged, tuple[_Item, ...]]:
    """The exchange with the failure that its answer is, and what it tells."""
    operation = _refused(exchanged.operation)
    if operation.failure is not None:
        return replace(exchanged, operation=operation), ()
    try:
        return exchanged, read(exchanged.body)
    except ProtocolError as error:
        return replace(exchanged, operation=_nonsense(operation, error)), ()


async def _exchange(
    wire: Wire, control: Control, path: str, content: bytes | None, trust: Trust, deadlines_s: tuple[float, float]
) -> Exchanged:
    """One request to *path*, with *content* a POST, within two deadlines (see :func:`ask`)."""
    started, started_us = wire.monotonic(), wire.now_us()
    blank = HttpFact(method="GET" if content is None else "POST", url=path, verified_chain=False)
    try:
        async with asyncio.timeout(deadlines_s[0]):
            return await _request(wire, control, blank, content, trust, deadlines_s)
    except TimeoutError:
        took_us = round((wire.monotonic() - started) * 1e6)
        failed = Operation(fact=blank, started_us=started_us, duration_us=took_us, failure="generic_timeout_error")
        return Exchanged(anonymous(failed, control))


async def _request(
    wire: Wire, control: Control, blank: HttpFact, content: bytes | None, trust: Trust, deadlines_s: tuple[float, float]
) -> Exchanged:
    deadline_s, reach_s = deadlines_s
    stream = await reach(wire, control, reach_s)
    if isinstance(stream, Operation):
        return Exchanged(anonymous(stream, control))
    secure = await _secure(wire, control, stream, trust, reach_s)
    if isinstance(secure, Operation):
        return Exchanged(anonymous(secure, control))
    from probe.instruments import http

    address = secure.tcp.address
    answered = await http.ask(
        wire,
        secure,
        method=blank.method,
        url=f"https://{_netloc(control)}{blank.url}",
        headers={
            "Authorization": f"Bearer {control.token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        },
        verified_chain=True,
        head_deadline_s=deadline_s,
        body_deadline_s=deadline_s,
        body_cap=protocol.LONGEST_REPLY,
        header_cap=_HEADERS,
        content=content,
    )
    return Exchanged(anonymous(answered.operation, control), answered.body, address)


def _name_of(control: Control) -> str | None:
    """Its name, if it has one: an address literal is neither asked for nor sent (RFC 6066 §3)."""
    try:
        ipaddress.ip_address(control.host)
    except ValueError:
        return control.host
    return None


def _netloc(control: Control) -> str:
    host = f"[{control.host}]" if ":" in control.host else control.host
    return f"{host}:{control.port}"


async def reach(wire: Wire, control: Control, deadline_s: float) -> TcpStream | Operation:
    """A connection to the first of its addresses that takes one, else how the last one failed."""
    addresses: tuple[str, ...] = (control.host,)
    if _name_of(control) is not None:
        asked = await dns.ask_getaddrinfo(wire, control.host, deadline_s=deadline_s)
        assert isinstance(asked.fact, DnsFact)
        addresses = asked.fact.addresses[:_MOST_ADDRESSES]
        if not addresses:
            return replace(asked, failure=asked.failure or "dns_no_answer")
    for address in addresses:
        connected = await tcp.connect(wire, address, control.port, deadline_s=deadline_s)
        if connected.stream is not None:
            return connected.stream
    return connected.operation


async def _secure(
    wire: Wire, control: Control, stream: TcpStream, trust: Trust, deadline_s: float
) -> TlsStream | Operation:
    """The encrypted stream, once its other end has shown who it is."""
    shaken = await tls.handshake(
        wire,
        stream,
        hello=tls.Hello(sni=_name_of(control), alpn=_ALPN),
        trust=_Pinned() if control.sha256 is not None else trust,
        host=control.host,
        deadline_s=deadline_s,
    )
    if shaken.stream is None:
        return shaken.operation
    fact = shaken.operation.fact
    assert isinstance(fact, TlsFact)
    if control.sha256 is not None and (not fact.chain or fact.chain[0].sha256 != control.sha256):
        shaken.stream.close()
        return replace(shaken.operation, fact=replace(fact, verified=False), failure="ssl_unknown_authority")
    return shaken.stream


def anonymous(operation: Operation, control: Control) -> Operation:
    """*operation* as it is kept: under the control's name, without its address, which must not end up in an export."""
    fact = operation.fact
    if isinstance(fact, HttpFact):
        fact = replace(
            fact,
            url=urlsplit(fact.url).path,
            headers=(),
            location=None,
            body=None,
            title=None,
            body_sketch=None,
            tags_sketch=None,
        )
    elif isinstance(fact, TlsFact):
        fact = replace(fact, sni=None, chain=())
    elif isinstance(fact, DnsFact):
        fact = replace(fact, qname=control.name, answers=())
    return replace(operation, fact=fact, name=control.name, address=None, port=None)


def _read(operation: Operation, body: bytes) -> Answer:
    operation = _refused(operation)
    if operation.failure is not None:
        return Answer(operation)
    try:
        # One that was cut off is no JSON any more.
        reply = protocol.read_reply(body)
        return Answer(operation, reply.seen, reply.country)
    except ProtocolError as error:
        return Answer(_nonsense(operation, error))


def _refused(operation: Operation) -> Operation:
    """*operation*, a failure if the control said anything but yes."""
    fact = operation.fact
    if operation.failure is None and isinstance(fact, HttpFact) and fact.status != 200:
        return replace(operation, failure="http_unexpected_status_code")
    return operation


def _nonsense(operation: Operation, error: ProtocolError) -> Operation:
    fact = operation.fact
    assert isinstance(fact, HttpFact)
    return replace(operation, fact=replace(fact, malformed=str(error)[:_LONGEST_REASON]), failure="json_parse_error")
