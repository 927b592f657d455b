"""What the system says of a name, as a browser gets it: the hosts file, its resolvers in turn, and the C library beside.

What fails or is silent for long is suspected; what the library alone was told is asked on about.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from probe.experiments import dns_answers, suspicion
from probe.experiments.places import is_literal
from probe.experiments.questions import MOST_RESOLVERS, NO_WORD, in_turn
from probe.experiments.session import guarded
from probe.instruments import dns
from probe.observations import DnsFact, HostFact, Operation
from probe.verdict import addresses

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.wire.resolvers import Nameserver


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
