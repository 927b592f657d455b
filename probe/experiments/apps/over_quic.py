"""A site that is asked for over QUIC alone (``quic://HOST``): one greeting with its name, to the end of the handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.experiments.places import sni_of
from probe.experiments.quic_places import PURPOSE
from probe.instruments import quic
from probe.observations import AppFact, Operation, QuicFact
from probe.observations.failures import UNKNOWN_FAILURE
from probe.verdict.quic import OWN, answered

if TYPE_CHECKING:
    from probe.experiments.apps.speaking import Reached
    from probe.experiments.site import Site
    from probe.experiments.steps import Place

_SENT = "a greeting with the name"


async def speak(site: Site, reached: Reached, place: Place) -> Operation:
    """The greeting, recorded as QUIC's own with its bytes; and what it comes to for the endpoint."""
    host = site.asked.endpoint.host
    await quic.is_ready(site.wire)  # imported where nothing waits for it
    shaken = await quic.handshake(
        site.wire,
        reached.address,
        port=reached.port,
        sni=sni_of(host),
        name=host,
        deadline_s=site.settings.deadlines.quic,
        rtt_us=site.rtt_us,
    )
    blank = AppFact(protocol="quic", transport="udp", sent=_SENT)
    if shaken is None:
        failure = f"{UNKNOWN_FAILURE}aioquic is not installed"
        return Operation(fact=blank, started_us=site.wire.now_us(), failure=failure, name=host)
    fields = place.fields() | {"purpose": PURPOSE, "group": OWN, "arm": "target", "round": place.round or 0}
    site.session.record(shaken, **fields)
    return Operation(
        fact=_said(shaken),
        started_us=shaken.started_us,
        duration_us=shaken.duration_us,
        failure=shaken.failure,
        name=host,
        address=shaken.address,
        port=shaken.port,
    )


def _said(shaken: Operation) -> AppFact:
    fact = shaken.fact
    assert isinstance(fact, QuicFact)
    came = fact.first_reply_us is not None
    return AppFact(
        protocol="quic",
        transport="udp",
        sent=_SENT,
        answered=came,
        expected=True if answered(shaken) else None,
        detail=fact.close_reason[:80] if fact.close_reason else None,
        first_reply_us=fact.first_reply_us,
        reply_ttl=fact.reply_ttl,
        messages_sent=fact.datagrams_sent,
        messages_received=fact.datagrams_received,
        errno=fact.errno,
        icmp_type=fact.icmp_type,
        icmp_code=fact.icmp_code,
        icmp_from=fact.icmp_from,
    )
