"""Servers of VPN protocols and relays of Tor that the user has named: their first packet, and whether they answer to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from probe.experiments.apps.speaking import watched
from probe.instruments import failures, tls
from probe.instruments.apps import exchange, wireguard
from probe.instruments.apps.ikev2 import MARKED_PORT, Ikev2Dialogue
from probe.instruments.apps.openvpn import OpenvpnDialogue
from probe.instruments.apps.tor import TorDialogue
from probe.instruments.apps.wireguard import WireguardDialogue
from probe.observations import AppFact, TlsFact

if TYPE_CHECKING:
    from probe.experiments.apps.speaking import Reached
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.observations import Operation


def openvpn(site: Site) -> OpenvpnDialogue:
    return OpenvpnDialogue(site.wire.random)


def openvpn_framed(site: Site) -> OpenvpnDialogue:
    return OpenvpnDialogue(site.wire.random, framed=True)


def ikev2(site: Site) -> Ikev2Dialogue:
    return Ikev2Dialogue(site.wire.random, marked=site.asked.endpoint.port == MARKED_PORT)


def wireguard_of(site: Site) -> WireguardDialogue:
    """To the key in the address, which was looked at when the address was read."""
    text = parse_qs(urlsplit(site.asked.endpoint.url).query).get("key", [""])[0]
    key = wireguard.read_key(text)
    assert key is not None
    return WireguardDialogue(site.wire.random, key, now_us=site.wire.now_us())


async def tor(site: Site, reached: Reached, place: Place) -> Operation:
    """A TLS greeting as between relays, which verify nothing by it, and the first cell inside. Who does not shake hands is no
    relay, or is not let speak: either way there is no answer in Tor's protocol.
    """
    assert reached.stream is not None
    said, deadline_s = TorDialogue(site.wire.random), site.settings.deadlines.tls_hard
    host = site.asked.endpoint.host
    with watched(site, reached, place, "tls", TlsFact(sni=said.name, verify=False)):
        shaken = await tls.unverified(site.wire, reached.stream, hello=tls.Hello(sni=said.name), deadline_s=deadline_s)
    greeted = replace(shaken.operation, name=host)
    site.record(greeted, **place.fields())
    blank = AppFact(protocol=said.protocol, transport="tcp", sent=said.sent)
    if shaken.stream is None:
        return _unsaid(greeted, blank)
    with watched(site, reached, place, "app", blank):
        return await exchange.over_tcp(
            site.wire, reached.stream, said, deadline_s=deadline_s, name=host, through=shaken.stream
        )


def _unsaid(greeted: Operation, blank: AppFact) -> Operation:
    """What came of a question that could not be asked, for the greeting before it failed."""
    assert isinstance(greeted.fact, TlsFact)
    answered = greeted.fact.first_byte_us is not None
    silent = not answered or greeted.failure in (failures.TIMEOUT, "connection_reset", failures.EOF)
    return replace(
        greeted,
        fact=replace(
            blank, answered=answered, expected=None if silent else False, detail=None if silent else "other TLS"
        ),
        failure=greeted.failure if silent else exchange.not_the_protocol(blank.protocol),
        bytes_sent=0,
        bytes_received=0,
    )
