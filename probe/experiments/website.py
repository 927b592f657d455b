"""The baseline: what an ordinary user's browser does, both address families separately, each redirect hop.

A browser asks the system's resolver, takes an address, shakes hands, asks for the page and follows redirects. Nothing is
retried and nothing raced in here; failures and long silences raise suspicions, and follow-ups ask on beside.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from probe.experiments import cheap, ech, quic, suspicion, throttling
from probe.experiments.places import connectable, is_literal, sni_of
from probe.experiments.site import Focus
from probe.experiments.steps import Place
from probe.experiments.system_answers import Library, addresses_of
from probe.instruments import tcp, tls
from probe.observations import HttpFact, Operation, TcpFact, TlsFact
from probe.verdict import fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from probe.experiments.site import Site
    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import TlsStream

    Walk = Callable[[int, list["Library"]], Coroutine[Any, Any, None]]
    """One address family's baseline; the list is for the questions to the C library that it begins."""


async def run(site: Site) -> None:
    """Measure the endpoint as a browser would, over each address family that this host has; or cheaply, where that will do."""
    with site.session.quic.walk():
        if await _walked(site):
            return
    throttling.begin(site)
    quic.begin(site)
    ech.begin(site)


async def _walked(site: Site) -> bool:
    """Ask for the page; whether the cheap way did."""
    checked = await cheap.check(site)
    if checked is True:
        return True
    ready = checked or None
    try:
        await over_families(
            site,
            lambda family, libraries: _browse(
                site, family, libraries, ready if ready is not None and ready.family == family else None
            ),
        )
    finally:
        if ready is not None:
            ready.stream.close()
    return False


async def over_families(site: Site, walk: Walk) -> None:
    """*walk* over each address family that this host and the endpoint have, at once."""
    libraries: list[Library] = []
    try:
        await _families(site, libraries, walk)
    finally:
        for library in libraries:
            library.stop()


async def _families(site: Site, libraries: list[Library], walk: Walk) -> None:
    if site.session.translator_asked is not None:
        await site.session.translator_asked.wait()
    async with asyncio.TaskGroup() as families:
        for family in site.settings.families:
            if family == 6 and not site.session.has_ipv6 and ":" not in site.host:
                continue
            if is_literal(site.host) and (":" in site.host) != (family == 6):
                continue
            families.create_task(walk(family, libraries))


async def _browse(site: Site, family: int, libraries: list[Library], ready: cheap.Ready | None) -> None:
    url, hop = site.asked.endpoint.url, 0
    while hop <= site.settings.budgets.redirects:
        place = Place(purpose="baseline", endpoint=site.number, group=f"v{family}", hop=hop)
        answer = await (_hop(site, url, place, libraries) if ready is None or hop else _go_on(site, url, place, ready))
        if answer is None:
            return
        site.way.setdefault(family, []).append(answer.step)
        if answer.next_url is None:
            # A page that may be somebody else's is an answer, and no success: what was begun about it goes on.
            site.succeeded = not {"page", "plain"} & site.suspicions.keys()
            return
        url, hop = answer.next_url, hop + 1


@dataclass(frozen=True, slots=True)
class _Answered:
    """An endpoint that answered; ``next_url`` is where it sends the visitor on, ``step`` how to come again cheaply."""

    next_url: str | None
    step: cheap.Step | None = None


async def _hop(site: Site, url: str, place: Place, libraries: list[Library]) -> _Answered | None:
    parts = urlsplit(url)
    host, scheme = parts.hostname or "", parts.scheme
    port = parts.port or {"http": 80, "https": 443}.get(scheme, 0)
    focus = Focus(host=host, port=port, scheme=scheme, url=url)
    site.look_at(focus, [])
    addresses = await addresses_of(site, host, place, libraries)
    site.look_at(focus, addresses)
    usable = [address for address in addresses if connectable(address)]
    if not usable:
        if addresses:
            site.suspect("dns", None)
        return None
    stream = await connect_to(site, usable[0], port, host, place)
    if stream is None:
        return None
    if scheme == "tcp":
        stream.close()
        return _Answered(None)
    secure: TcpStream | TlsStream | None = stream
    if scheme == "https":
        secure = await _shake_hands(site, stream, host, place)
    if secure is None:
        return None
    if _is_all(site, host):
        secure.close()
        return _Answered(None)
    return await _page(site, secure, url, usable[0], place)


def _is_all(site: Site, host: str) -> bool:
    """Whether a greeting is all that is asked there: what its app says inside takes an account."""
    return site.asked.handshake_only and host == site.asked.endpoint.host


async def _go_on(site: Site, url: str, place: Place, ready: cheap.Ready) -> _Answered | None:
    """The first hop, from a verified connection on that a cheap check has left."""
    parts = urlsplit(url)
    focus = Focus(host=ready.host, port=ready.stream.tcp.port, scheme=parts.scheme, url=url)
    site.look_at(focus, list(ready.addresses))
    site.rtt_us = ready.stream.tcp.rtt_us
    for operation in ready.operations:
        site.record(operation, **place.fields())
    if _is_all(site, ready.host):
        return _Answered(None)
    return await _page(site, ready.stream, url, ready.stream.tcp.address, place)


# ---------------------------------------------------------------------------------------------------------------------
# the connection


async def connect_to(site: Site, address: str, port: int, host: str, place: Place) -> TcpStream | None:
    """One connection of the baseline: paced, watched and recorded; a failure is suspected."""
    await site.session.pacer.flow()
    with (
        site.watching("tcp", TcpFact(), place=place.fields(), name=host, address=address, port=port),
        site.session.waits.one(site.number, place.purpose) as begins,
    ):
        connected = await tcp.connect(
            site.wire, address, port, deadline_s=site.settings.deadlines.connect, name=host, begins=begins
        )
    site.record(connected.operation, **place.fields())
    if connected.stream is None:
        site.suspect("tcp", connected.operation)
        return None
    site.rtt_us = connected.stream.rtt_us
    return connected.stream


async def _shake_hands(site: Site, stream: TcpStream, host: str, place: Place) -> TlsStream | None:
    blank = TlsFact(sni=sni_of(host), verify=True)
    known: dict[str, Any] = {"name": host, "address": stream.address, "port": stream.port}
    with site.watching("tls", blank, stream=stream, place=place.fields(), **known):
        shaken = await tls.handshake(
            site.wire,
            stream,
            hello=tls.Hello(sni=sni_of(host)),
            trust=site.session.trust,
            host=host,
            deadline_s=site.settings.deadlines.tls_hard,
        )
    site.record(shaken.operation, **place.fields())
    if shaken.stream is None and not _as_the_vendor_means(site, shaken.operation, host):
        site.suspect("tls", shaken.operation)
    return shaken.stream


def _as_the_vendor_means(site: Site, operation: Operation, host: str) -> bool:
    """An authority of the vendor's own is the healthy answer where the catalogue expects one: as far as we can go."""
    if not (site.asked.own_root and host == site.asked.endpoint.host and operation.failure == "ssl_unknown_authority"):
        return False
    site.succeeded = True
    return True


# ---------------------------------------------------------------------------------------------------------------------
# the page


async def _page(site: Site, stream: TcpStream | TlsStream, url: str, address: str, place: Place) -> _Answered | None:
    method = "HEAD" if url.startswith("https:") and site.settings.profile == "light" else "GET"
    operation = await _request(site, stream, method, url, address, place)
    fact = operation.fact
    assert isinstance(fact, HttpFact)
    if operation.failure is not None or fact.status is None:
        site.suspect("http", operation)
        return None
    if fact.status >= 400 and method == "HEAD":
        # What the page says decides between a refusal by the site and a server in trouble.
        await _page_itself(site, url, address, place)
    next_url = redirect(url, fact.location) if 300 <= fact.status < 400 else None
    if url.startswith("http:") and _unexpected(fact, url, next_url):
        site.suspect("page", operation)
    elif url.startswith("http:") and next_url is None and suspicion.wanted("control", site.settings):
        site.suspect("plain", operation)
    if next_url == url and place.hop >= _ROUND_AND_ROUND and url.startswith("http:"):
        site.suspect("page", operation)
    return _Answered(next_url, _step_again(site, stream, url))


def _step_again(site: Site, stream: TcpStream | TlsStream, url: str) -> cheap.Step | None:
    """How to come by this host cheaply next time, if its server has given a ticket."""
    host, memory = urlsplit(url).hostname or "", site.session.memory
    if isinstance(stream, tcp.TcpStream) or memory is None:
        return None
    ticket = memory.ticket(stream, host, site.wire.monotonic())
    family = 6 if ":" in stream.tcp.address else 4
    return cheap.Step(host, stream.tcp.port, family, ticket) if ticket is not None else None


_ROUND_AND_ROUND = 3
"""Times that an address may lead to itself: some sites do so once, to see whether a cookie comes back."""


def redirect(url: str, location: str | None) -> str | None:
    """Where *location* leads from *url*, if that is somewhere on the web; ``None`` for anything else a server may send."""
    if not location:
        return None
    try:
        target = urljoin(url, location.strip())
        parts = urlsplit(target)
        reachable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        name = parts.hostname.encode("idna").decode() if reachable and parts.hostname else ""
    except ValueError:
        return None
    # Some servers write it in capitals; what is read of a URL further on is its beginning.
    return parts.scheme + target[len(parts.scheme) :] if reachable and len(name) <= 253 else None


async def _page_itself(site: Site, url: str, address: str, place: Place) -> None:
    host = urlsplit(url).hostname or ""
    stream = await connect_to(site, address, urlsplit(url).port or 443, host, place)
    secure = await _shake_hands(site, stream, host, place) if stream is not None else None
    if secure is not None:
        await _request(site, secure, "GET", url, address, place)


async def _request(
    site: Site, stream: TcpStream | TlsStream, method: str, url: str, address: str, place: Place
) -> Operation:
    from probe.instruments import http

    budgets, deadlines = site.settings.budgets, site.settings.deadlines
    full = site.settings.profile == "full"
    secure = url.startswith("https:")
    blank = HttpFact(method=method, url=url, verified_chain=secure)
    parts = urlsplit(url)
    known: dict[str, Any] = {"name": parts.hostname, "address": address, "port": parts.port or (443 if secure else 80)}
    below = stream if isinstance(stream, tcp.TcpStream) else stream.tcp
    with site.watching("http", blank, stream=below, place=place.fields(), **known):
        operation = await http.request(
            site.wire,
            stream,
            method=method,
            url=url,
            user_agent=site.settings.user_agent,
            verified_chain=secure,
            head_deadline_s=deadlines.http_head,
            body_deadline_s=deadlines.http_body,
            body_cap=budgets.body_full if full else budgets.body_light,
            header_cap=budgets.headers,
            keep_body=method == "GET",
        )
    return site.record(operation, **place.fields()).operation


def _unexpected(fact: HttpFact, url: str, next_url: str | None) -> bool:
    """A response over plain HTTP that anyone on the way could have written, and that is not a plain page or upgrade.

    A page that reads as a notice of blocking, or has no word of its own, may be the site's: only an unrelated address can
    tell.
    """
    assert fact.status is not None
    if next_url is None:
        page = fingerprints.read(fact)
        return fact.status >= 400 or (page is not None and page.blocks) or fingerprints.is_hollow(fact)
    here, there = urlsplit(url).hostname or "", urlsplit(next_url).hostname or ""
    return here.split(".")[-2:] != there.split(".")[-2:]
