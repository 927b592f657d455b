"""A proxy in place of a control: the probe looks through it at the site, by name, and the far end resolves the name.

SOCKS5 (RFC 1928, login RFC 1929) or HTTP CONNECT (RFC 9110 §9.3.6), so that Tor or an SSH tunnel serves. The greeting and the
page are the probe's own, so a proxy can make no site appear; what it says of a failure is weak, because one code stands for
many things. What goes to a proxy elsewhere is in the clear on the way: whoever reads names in this network reads them there
too, so a failure behind an open connection counts only where the proxy is on this computer. DNS and addresses cannot be seen
through it: those facts do not exist. The kernel's counters are those of the way to the proxy, and are left out.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from probe.control import client
from probe.control.client import Answer, anonymous
from probe.control.protocol import Seen
from probe.instruments import tls
from probe.observations import HttpFact, Operation, Purpose, TcpFact, TlsFact
from targets.address import parse_endpoint
from targets.model import Endpoint

if TYPE_CHECKING:
    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import TlsStream
    from probe.instruments.trust import Trust
    from probe.settings.controls import Control
    from probe.wire import Wire

GROUP = "proxy"
_SOCKS, _NO_LOGIN, _LOGIN, _CONNECT, _NAME = 5, 0, 2, 1, 3
_LOGIN_VERSION = 1
_FAILURES = {3: "network_unreachable", 4: "host_unreachable", 5: "connection_refused", 6: "generic_timeout_error"}
"""RFC 1928 §6. The others (general failure, not allowed, not supported) say nothing of the site."""
_NO_ENTRY = (401, 407)
_LONGEST_HEAD = 16_384
_BODY_CAP = 16_384
_HEADER_CAP = 65_536


class _ProxyError(Exception):
    """The proxy itself cannot be used; the text is the failure."""


class _FarEndError(Exception):
    """The proxy did not get to the site; ``failure`` is how, ``None`` where it did not say."""

    def __init__(self, failure: str | None) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """One proxy as a vantage. Each step waits *deadline_s* at most; every stream is closed."""

    wire: Wire
    proxy: Control
    trust: Trust
    user_agent: str
    deadline_s: float

    async def ask(self, url: str, line: Iterable[str]) -> Answer:
        """What is seen of *url*, and of well-known sites (names, *line*) that show that the proxy's own line works."""
        started_us, started = self.wire.now_us(), self.wire.monotonic()
        failure: str | None = None
        seen: list[Seen] = []
        try:
            async with asyncio.TaskGroup() as group:
                for name in line:
                    group.create_task(self._greet(name, seen))
                group.create_task(self._look(parse_endpoint(url), url, seen))
        except* _ProxyError as errors:
            failure, seen = str(_first(errors)), []
        took_us = round((self.wire.monotonic() - started) * 1e6)
        asked = Operation(fact=TcpFact(), started_us=started_us, duration_us=took_us, failure=failure)
        return Answer(anonymous(asked, self.proxy), tuple(seen))

    async def _greet(self, name: str, seen: list[Seen]) -> None:
        secure = await self._secure(Endpoint(f"https://{name}/"), seen, "own_side", f"foreign/{name}")
        if secure is not None:
            secure.close()

    async def _look(self, endpoint: Endpoint, url: str, seen: list[Seen]) -> None:
        """The site as far as there is something to see: connection, greeting, page."""
        stream: TcpStream | TlsStream | None
        if endpoint.scheme == "https":
            stream = await self._secure(endpoint, seen, "baseline", None)
        else:
            stream = await self._connect(endpoint, seen, "baseline", None)
        if stream is None:
            return
        if endpoint.scheme == "tcp":
            stream.close()
            return
        from probe.instruments import http

        operation = await http.request(
            self.wire,
            stream,
            method="GET",
            url=url,
            user_agent=self.user_agent,
            verified_chain=endpoint.scheme == "https",
            head_deadline_s=self.deadline_s,
            body_deadline_s=self.deadline_s,
            body_cap=_BODY_CAP,
            header_cap=_HEADER_CAP,
        )
        self._add(seen, operation, endpoint, "baseline", None)

    async def _secure(
        self, endpoint: Endpoint, seen: list[Seen], purpose: Purpose, member: str | None
    ) -> TlsStream | None:
        stream = await self._connect(endpoint, seen, purpose, member)
        if stream is None:
            return None
        sni = None if _is_address(endpoint.host) else endpoint.host
        shaken = await tls.handshake(
            self.wire,
            stream,
            hello=tls.Hello(sni=sni),
            trust=self.trust,
            host=endpoint.host,
            deadline_s=self.deadline_s,
        )
        self._add(seen, shaken.operation, endpoint, purpose, member)
        return shaken.stream

    def _add(
        self, seen: list[Seen], operation: Operation, endpoint: Endpoint, purpose: Purpose, member: str | None
    ) -> None:
        """What was said to the far end, and came of it, unless it may have been heard on the way."""
        if operation.failure is None or _is_here(self.proxy.host):
            seen.append(Seen(_through(operation, endpoint), purpose, group=GROUP, member=member))

    async def _connect(
        self, endpoint: Endpoint, seen: list[Seen], purpose: Purpose, member: str | None
    ) -> TcpStream | None:
        """A connection to the far end. Raises :class:`_ProxyError` if there is no proxy to be had."""
        started_us, started = self.wire.now_us(), self.wire.monotonic()
        reached = await client.reach(self.wire, self.proxy, self.deadline_s)
        if isinstance(reached, Operation):
            raise _ProxyError(reached.failure)
        stream: TcpStream | None = reached
        failure: str | None = None
        opened = False
        try:
            async with asyncio.timeout(self.deadline_s):
                await (_socks if self.proxy.scheme == "socks5" else _tunnel)(reached, self.proxy, endpoint)
            opened = True
        except TimeoutError:
            failure = "generic_timeout_error"
        except OSError:
            raise _ProxyError("connection_reset") from None
        except _FarEndError as error:
            failure = error.failure
        finally:
            if not opened:
                reached.close()
                stream = None
        if opened or failure is not None:
            took_us = round((self.wire.monotonic() - started) * 1e6)
            operation = Operation(fact=TcpFact(), started_us=started_us, duration_us=took_us, failure=failure)
            seen.append(Seen(_through(operation, endpoint), purpose, group=GROUP, member=member))
        return stream


def _first(errors: BaseExceptionGroup[_ProxyError]) -> BaseException:
    """One of them: they all say the same."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _through(operation: Operation, endpoint: Endpoint) -> Operation:
    """*operation* as it is known at this end: of the site, and nothing of the way to the proxy."""
    fact = operation.fact
    if isinstance(fact, TlsFact):
        chain = tuple(replace(one, der_base64=None) for one in fact.chain)
        fact = replace(fact, kernel=None, rtt_us=None, mss_cap=None, hello_acked=None, errno=None, chain=chain)
    elif isinstance(fact, HttpFact):
        names = tuple((name, "") for name, _value in fact.headers)
        fact = replace(fact, kernel=None, errno=None, body=None, headers=names)
    return replace(operation, fact=fact, name=endpoint.host, address=None, port=endpoint.port)


def _is_here(host: str) -> bool:
    """Whether *host* is this computer, as far as its name tells."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------------
# SOCKS5


async def _socks(stream: TcpStream, proxy: Control, endpoint: Endpoint) -> None:
    """RFC 1928 §3 to §6, to a name: the far end resolves it."""
    await stream.write(bytes([_SOCKS, 1, _NO_LOGIN if proxy.login is None else _LOGIN]))
    version, method = await _exactly(stream, 2)
    if version != _SOCKS:
        raise _ProxyError("unknown_failure: that is no SOCKS5 proxy")
    if method == _LOGIN and proxy.login is not None:
        await _log_in(stream, proxy.login)
    elif method != _NO_LOGIN:
        raise _ProxyError("unknown_failure: the proxy wants another login")
    name = endpoint.host.encode("ascii", "replace")
    await stream.write(bytes([_SOCKS, _CONNECT, 0, _NAME, len(name)]) + name + endpoint.port.to_bytes(2, "big"))
    version, reply, _, kind = await _exactly(stream, 4)
    if version != _SOCKS:
        raise _ProxyError("unknown_failure: that is no SOCKS5 proxy")
    if reply != 0:
        raise _FarEndError(_FAILURES.get(reply))
    length = {1: 4, 4: 16}.get(kind) or (await _exactly(stream, 1))[0]
    await _exactly(stream, length + 2)


async def _log_in(stream: TcpStream, login: tuple[str, str]) -> None:
    """RFC 1929 §2."""
    user, password = (part.encode() for part in login)
    await stream.write(bytes([_LOGIN_VERSION, len(user)]) + user + bytes([len(password)]) + password)
    _, status = await _exactly(stream, 2)
    if status != 0:
        raise _ProxyError("unknown_failure: the proxy wants another login")


async def _exactly(stream: TcpStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.read(count - len(data))
        if not more:
            raise _ProxyError("eof_error")
        data += more
    return data


# ---------------------------------------------------------------------------------------------------------------------
# CONNECT


async def _tunnel(stream: TcpStream, proxy: Control, endpoint: Endpoint) -> None:
    """RFC 9110 §9.3.6. A status that is neither yes nor a wish for a login may mean anything, and is no word of the site."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    lines = [f"CONNECT {host}:{endpoint.port} HTTP/1.1", f"Host: {host}:{endpoint.port}"]
    if proxy.login is not None:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(':'.join(proxy.login).encode()).decode()}")
    await stream.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii", "replace"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # byte by byte: what follows is the site's
        more = await stream.read(1)
        if not more or len(head) >= _LONGEST_HEAD:
            raise _ProxyError("eof_error" if not more else "unknown_failure: that is no HTTP proxy")
        head += more
    words = head.split(b" ", 2)
    if not words[0].startswith(b"HTTP/1.") or len(words) < 2 or not words[1][:3].isdigit():
        raise _ProxyError("unknown_failure: that is no HTTP proxy")
    status = int(words[1][:3])
    if status in _NO_ENTRY:
        raise _ProxyError("unknown_failure: the proxy wants another login")
    if not 200 <= status < 300:
        raise _FarEndError(None)
