"""Public resolvers that are asked in secret: over TLS (DoT), in HTTPS (DoH), over QUIC (DoQ), each an innocuous name.

The certificate must verify for the resolver's name, so whoever answers in its place is found out before anything is asked. What
is asked then nobody on the way can read: a wrong answer is the resolver's own.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from probe.experiments.apps.speaking import patience_s, watched
from probe.experiments.places import sni_of
from probe.experiments.quic_places import PURPOSE
from probe.instruments import dns, doq, failures, quic, tls
from probe.instruments.apps.exchange import not_the_protocol
from probe.observations import AppFact, DnsFact, Operation, QuicFact, TlsFact
from probe.observations.failures import UNKNOWN_FAILURE
from probe.verdict.quic import OWN

if TYPE_CHECKING:
    from probe.experiments.apps.speaking import Reached
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.instruments.dns_message import Reply

QUESTION = dns.Question("example.com")
"""Set aside for examples (RFC 2606 §3), and a page since 1999: nobody has a reason to keep anybody from it."""
_SENT = "a question for example.com"


async def over_tls(site: Site, reached: Reached, place: Place) -> Operation:
    """Shake hands, and ask what ``dot://`` and ``doh://`` ask in there."""
    assert reached.stream is not None
    endpoint, deadline_s = site.asked.endpoint, patience_s(site, place)
    host, is_dot = endpoint.host, endpoint.scheme == "dot"
    hello = tls.Hello(sni_of(host), alpn=()) if is_dot else tls.Hello(sni_of(host))
    with watched(site, reached, place, "tls", TlsFact(sni=hello.sni, verify=True)):
        shaken = await tls.handshake(
            site.wire, reached.stream, hello=hello, trust=site.session.trust, host=host, deadline_s=deadline_s
        )
    if shaken.stream is None:
        return shaken.operation
    site.record(shaken.operation, **place.fields())
    blank = AppFact(protocol=endpoint.scheme, transport="tcp", sent=_SENT)
    with watched(site, reached, place, "app", blank):
        asked = await dns.ask_inside(
            site.wire,
            shaken.stream,
            QUESTION,
            role="foreign",
            deadline_s=deadline_s,
            url=None if is_dot else f"https://{host}:{endpoint.port}{urlsplit(endpoint.url).path}",
        )
    assert isinstance(asked.fact, DnsFact)
    return replace(asked, fact=_said(blank, asked.fact), failure=_failure(endpoint.scheme, asked), name=host)


def _said(blank: AppFact, fact: DnsFact) -> AppFact:
    came = fact.rcode is not None or fact.malformed is not None
    return replace(
        blank,
        answered=came,
        expected=_is_right(fact) if came else None,
        detail=_detail(fact) if came else None,
        messages_sent=1,
        messages_received=int(came),
    )


def _is_right(fact: DnsFact) -> bool:
    """Whether it is the answer to what was asked: with addresses, for everybody has some for this name."""
    return fact.malformed is None and fact.rcode == 0 and bool(fact.addresses)


def _detail(fact: DnsFact) -> str:
    if fact.malformed is not None:
        return f"no DNS answer ({fact.malformed.partition(',')[0]})"[:80]
    if fact.rcode:
        return f"an error of the resolver ({failures.from_rcode(fact.rcode)})"
    return f"{len(fact.addresses)} addresses"


def _failure(protocol: str, asked: Operation) -> str | None:
    fact = asked.fact
    assert isinstance(fact, DnsFact)
    if fact.rcode is None and fact.malformed is None:
        return asked.failure
    return None if _is_right(fact) else not_the_protocol(protocol)


# ---------------------------------------------------------------------------------------------------------------------
# over QUIC


async def over_quic(site: Site, reached: Reached, place: Place) -> Operation:
    """One handshake of QUIC and the question in it. It is recorded beside the names that are sent over QUIC in turn."""
    host = site.asked.endpoint.host
    blank = AppFact(protocol="doq", transport="udp", sent=_SENT)
    if await asyncio.to_thread(quic.is_here):  # imported where nothing waits for it
        await asyncio.to_thread(site.session.trust.pem)
    asked = await doq.ask(
        site.wire,
        reached.address,
        QUESTION,
        host=host,
        sni=sni_of(host),
        trust=site.session.trust,
        port=reached.port,
        deadline_s=patience_s(site, place),
        rtt_us=site.rtt_us,
    )
    if asked is None:
        absent = f"{UNKNOWN_FAILURE}aioquic is not installed"
        return Operation(fact=blank, started_us=site.wire.now_us(), failure=absent, name=host)
    fields = place.fields() | {"purpose": PURPOSE, "group": OWN, "arm": "target", "round": place.round or 0}
    site.session.record(asked.operation, **fields)
    fact, failure = _heard(blank, asked.operation, asked.reply)
    return replace(asked.operation, fact=fact, failure=failure, bytes_sent=0, bytes_received=0)


def _heard(blank: AppFact, shaken: Operation, reply: Reply | None) -> tuple[AppFact, str | None]:
    """What a handshake and the answer in it come to: a name of df-007, or none."""
    seen = shaken.fact
    assert isinstance(seen, QuicFact)
    fact = replace(blank, answered=seen.first_reply_us is not None, **_of_datagrams(seen))
    if reply is None:
        # A handshake that was broken off for the certificate, or for the protocol's name, is somebody else's.
        other = shaken.failure == failures.BAD_HANDSHAKE
        reason = seen.close_reason[:80] if seen.close_reason else None
        return replace(fact, expected=False if other else None, detail=reason), shaken.failure or failures.EOF
    as_dns = DnsFact(transport="doh", role="foreign", qname=QUESTION.qname, qtype=QUESTION.qtype, **reply.fields)
    right = _is_right(as_dns)
    return replace(fact, expected=right, detail=_detail(as_dns)), None if right else not_the_protocol("doq")


def _of_datagrams(seen: QuicFact) -> dict[str, Any]:
    return {
        "first_reply_us": seen.first_reply_us,
        "reply_ttl": seen.reply_ttl,
        "messages_sent": seen.datagrams_sent,
        "messages_received": seen.datagrams_received,
        "errno": seen.errno,
        "icmp_type": seen.icmp_type,
        "icmp_code": seen.icmp_code,
        "icmp_from": seen.icmp_from,
    }
