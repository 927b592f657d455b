"""Who speaks which scheme: one line each. What is not in here has no experiment yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from probe.experiments.apps import calls, over_quic, protocol_pair, public_dns, telegram, vpn
from probe.experiments.apps.speaking import App, Reached, spoken
from probe.experiments.steps import connect

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.instruments.tcp import TcpStream

APPS: Mapping[str, App] = {
    "mtproto": spoken(telegram.dialogue),
    "mtproto+ws": App(telegram.by_websocket, watches=True),
    "openvpn": spoken(vpn.openvpn),
    "openvpn+tcp": spoken(vpn.openvpn_framed),
    "ikev2": spoken(vpn.ikev2),
    "wireguard": spoken(vpn.wireguard_of),
    "tor": App(vpn.tor, watches=True),
    "stun": spoken(calls.dialogue),
    "protocol": App(run=protocol_pair.run),
    "quic": App(over_quic.speak),
    "doh": App(public_dns.over_tls, watches=True),
    "dot": App(public_dns.over_tls, watches=True),
    "doq": App(public_dns.over_quic),
}
"""Scheme (as :mod:`targets.schemes` has it) → who speaks it."""


async def spoken_again(site: Site, place: Place, address: str) -> bool:
    """The same exchange once more, from a fresh port, over a connection of its own; recorded. Whether it was answered as the
    protocol has it.
    """
    endpoint = site.asked.endpoint
    app, scheme = APPS.get(endpoint.scheme), endpoint.app
    if app is None or app.speak is None or scheme is None:
        return False
    stream: TcpStream | None = None
    if scheme.transport == "udp":
        await site.session.pacer.flow()
    else:
        stream = await connect(site.session, place, address, endpoint.port, name=endpoint.host)
        if stream is None:
            return False
    try:
        operation = await app.speak(site, Reached(address, endpoint.port, stream), place)
    finally:
        if stream is not None:
            stream.close()
    site.record(operation, **place.fields())
    return operation.failure is None
