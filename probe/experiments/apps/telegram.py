"""Telegram's data centres: the apps' own first question, over a bare connection and inside a websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from probe.experiments.apps.speaking import patience_s, watched
from probe.experiments.places import sni_of
from probe.instruments import tls
from probe.instruments.apps import exchange, websocket
from probe.instruments.apps.mtproto import MtprotoDialogue
from probe.observations import AppFact, TlsFact

if TYPE_CHECKING:
    from probe.experiments.apps.speaking import Reached
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.observations import Operation

_ALPN = ("http/1.1",)
"""Websockets are of this version (RFC 6455), and browsers that open one offer no other."""
_SUBPROTOCOL = "binary"


def dialogue(site: Site) -> MtprotoDialogue:
    """The first question, with a number of its own."""
    return MtprotoDialogue(site.wire.random, site.wire.now_us())


async def by_websocket(site: Site, reached: Reached, place: Place) -> Operation:
    """Shake hands with the web apps' endpoint, open a websocket, and ask there. The chain is verified: it is a web page's."""
    assert reached.stream is not None
    host, deadline_s = site.asked.endpoint.host, patience_s(site, place)
    with watched(site, reached, place, "tls", TlsFact(sni=sni_of(host), verify=True)):
        shaken = await tls.handshake(
            site.wire,
            reached.stream,
            hello=tls.Hello(sni=sni_of(host), alpn=_ALPN),
            trust=site.session.trust,
            host=host,
            deadline_s=deadline_s,
        )
    if shaken.stream is None:
        return shaken.operation
    site.record(shaken.operation, **place.fields())
    said = dialogue(site)
    key = websocket.make_key(site.wire.random)
    path = urlsplit(site.asked.endpoint.url).path
    opening = websocket.request(host, path, key, subprotocol=_SUBPROTOCOL, user_agent=site.settings.user_agent)
    blank = AppFact(protocol=said.protocol, transport="websocket", sent=said.sent)
    with watched(site, reached, place, "app", blank):
        return await exchange.over_tcp(
            site.wire,
            reached.stream,
            said,
            deadline_s=deadline_s,
            name=host,
            through=websocket.WebSocketStream(shaken.stream, site.wire.random, opening, key),
            transport="websocket",
        )
