"""The baseline: what an ordinary user's browser does, both address families separately, each redirect hop.

A browser asks the system's resolver, takes an address, shakes hands, asks for the page and follows redirects. Nothing is
retried and nothing raced in here; failures and long silences raise suspicions, and follow-ups ask on beside.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from probe.experiments import cheap, dns_answers, ech, quic, suspicion, throttling
from probe.experiments.places import connectable, is_literal, sni_of
from probe.experiments.questions import MOST_RESOLVERS, NO_WORD, in_turn
from probe.experiments.session import Focus, guarded
from probe.experiments.steps import Place
from probe.instruments import dns, tcp, tls
from probe.observations import DnsFact, HostFact, HttpFact, Operation, TcpFact, TlsFact
from probe.verdict import addresses, fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from probe.experiments.session import Site
    from probe.instruments.tcp import TcpStream
    from probe.instruments.tls import TlsStream
    from probe.wire.resolvers import Nameserver

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
# the name


async def addresses_of(site: Site, host: str, place: Place, libraries: list[Library]) -> list[str]:
    """The addresses of *host* in one family, as the system has them; recorded, and what fails is suspected."""
    if is_literal(host):
        return [host]
    listed = site.wire.hosts_file(host)
    if listed:
        # The hosts file outranks every resolver for everything on this host but us: say so, and go where it says.
        site.record(
            Operation(fact=HostFact(hosts_file_addresses=listed), started_us=site.wire.now_us(), name=host),
            **place.fields(),
        )
        return [a for a in listed if (":" in a) == (place.group == "v6")]
    # A name's first question is the library's too; the other family of addresses need not ask it again.
    library = Library(site, host, place) if place.group == "v4" else None
    if library is not None:
        libraries.append(library)
    found = await _ask_system(site, host, "AAAA" if place.group == "v6" else "A", place)
    if library is not None:
        library.compare(found)
    return found


class Library:
    """The C library's answer beside ours, for as long as the baseline takes: nothing waits for it."""

    def __init__(self, site: Site, host: str, place: Place) -> None:
        self._site = site
        self._found: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._told = False
        self._task = site.group.create_task(
            guarded(site.session, "library", self._ask(host, place), endpoint=site.number)
        )

    def compare(self, found: list[str]) -> None:
        """*found* is what our own question brought."""
        if not self._found.done():
            self._found.set_result(found)

    def stop(self) -> None:
        """Wait for it no longer; what it has told is followed up to the end."""
        if not self._told or not self._found.done():
            self._task.cancel()

    async def _ask(self, host: str, place: Place) -> None:
        operation = await _ask_library(self._site, host, place)
        self._told = True
        found = await self._found
        if _was_lied_to(self._site, operation, found):
            await dns_answers.without_edns(self._site, tuple(found))


def _was_lied_to(site: Site, library: Operation | None, found: list[str]) -> bool:
    """Whether the C library got only addresses that no public site can have, and we got others."""
    told = library.fact.addresses if library is not None and isinstance(library.fact, DnsFact) else ()
    bogus = {a for a in (*told, *found) if a not in site.asked.loopback_answers and addresses.is_bogon(a)}
    wanted = suspicion.wanted("dns_answers", site.settings)
    return wanted and bool(told) and set(told) <= bogus and not set(found) <= bogus


async def _ask_library(site: Site, host: str, place: Place) -> Operation | None:
    """What the C library says, in the same moment: not where the resolver already refuses to be asked so much, or is silent."""
    if site.session.questions.strained or site.wire.library_is_busy:
        return None
    operation = await dns.ask_getaddrinfo(site.wire, host, deadline_s=site.settings.deadlines.dns)
    site.record(operation, **place.fields())
    return operation


async def _ask_system(site: Site, host: str, qtype: str, place: Place) -> list[str]:
    """Ask the platform's resolvers as its stub would: one after the other, the last one with all patience."""
    servers = site.wire.nameservers()
    deadlines = site.settings.deadlines
    blank = DnsFact(transport="udp", role="system", qname=host, qtype=qtype)
    if not servers:
        operation = Operation(
            fact=blank, started_us=site.wire.now_us(), failure="dns_temporary_failure", name=host, duration_us=0
        )
        site.record(operation, **place.fields())
        site.suspect("dns", operation)
        return []
    for server in servers[:MOST_RESOLVERS]:
        last = server == servers[:MOST_RESOLVERS][-1]
        ask = functools.partial(
            _ask_once,
            site,
            server,
            dns.Question(host, qtype),
            place,
            deadline_s=deadlines.dns_system if last else deadlines.dns,
        )
        asked = await in_turn(site.session, ask, refused=functools.partial(site.record, **place.fields()), patient=last)
        site.lingering.append(asked.lingering)
        operation = asked.operation
        site.record(operation, **place.fields())
        if isinstance(operation.fact, DnsFact) and operation.fact.truncated:
            operation = await _ask_whole(site, server, dns.Question(host, qtype), place)
        if operation.failure not in NO_WORD:
            break
    return _judge_answer(site, operation)


async def _ask_once(
    site: Site, server: Nameserver, question: dns.Question, place: Place, *, deadline_s: float
) -> dns.UdpAsked:
    blank = DnsFact(transport="udp", role="system", qname=question.qname, qtype=question.qtype)
    known: dict[str, Any] = {"name": question.qname, "address": server.address, "port": server.port}
    with site.watching("dns", blank, place=place.fields(), **known):
        return await dns.ask_udp(
            site.wire,
            server,
            question,
            role="system",
            deadline_s=deadline_s,
            resend_s=site.settings.deadlines.dns_resend,
        )


async def _ask_whole(site: Site, server: Nameserver, question: dns.Question, place: Place) -> Operation:
    """Over TCP, as every stub resolver does when an answer was too long for a datagram (RFC 7766 §5)."""
    await site.session.pacer.flow()
    operation = await dns.ask_tcp(
        site.wire, server, question, role="system", deadline_s=site.settings.deadlines.dns_system
    )
    site.record(operation, **place.fields())
    return operation


def _judge_answer(site: Site, operation: Operation) -> list[str]:
    fact = operation.fact
    assert isinstance(fact, DnsFact)
    # A name without an AAAA record is no failure: most have none.
    if operation.failure is not None and not (fact.qtype == "AAAA" and operation.failure == "dns_no_answer"):
        site.suspect("dns", operation)
    return list(fact.addresses)


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
