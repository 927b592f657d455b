"""Acts with what browsers have learnt lately: HTTP/3, which runs over QUIC, and names hidden inside others (ECH)."""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE
from probe.demo.pages import WELCOME
from probe.demo.scene import Accepted, Act, Scene
from probe.demo.world import Page, Rule, Server

_QUIC_ALONE = Server(address="", names=(), ports=(), http3=True)
_OFFERS_HTTP3 = Server(
    address="",
    names=(),
    pages={"": Page(body=WELCOME.body, headers=(*WELCOME.headers, ("Alt-Svc", 'h3=":443"; ma=86400')))},
    http3=True,
)
_QUIC_DROPPED = Rule(name="", quic=True)

QUIC = Act(
    name="quic",
    title="The newer, faster kind of connection (QUIC, for HTTP/3), which some networks stop by name",
    quic=True,
    scenes=(
        Scene(
            url="quic://swifts.example",
            done="nothing: a site that speaks nothing else answers",
            server=_QUIC_ALONE,
            accepted=ACCESSIBLE,
        ),
        Scene(
            url="quic://swallows.example",
            done="a box inside the provider's network drops every greeting in it that names the site",
            server=_QUIC_ALONE,
            rule=_QUIC_DROPPED,
            accepted=(Accepted("blocked", ("quic",), ("quic.timeout.sni",)),),
        ),
        Scene(
            url="https://falcons.example/",
            done="a page comes in the older way; the newer one, which it offers, is dropped when it names the site",
            server=_OFFERS_HTTP3,
            rule=_QUIC_DROPPED,
            accepted=(Accepted("accessible", (None,), (None,), impairments=("quic_blocked",)),),
        ),
        Scene(
            url="https://herons.example/",
            done="nothing: the page and the newer way that it offers both work",
            server=_OFFERS_HTTP3,
            accepted=ACCESSIBLE,
        ),
    ),
)

ECH = Act(
    name="ech",
    title="Greetings that hide a name inside another (ECH), compared where nobody serves the site",
    only=("ech",),
    # The name that all such greetings show, and the extension: what has been reported from Russia since November 2024.
    rules=(Rule(name="cloudflare-ech.com", ech="silence"),),
    scenes=(
        Scene(
            url="https://owls.example/",
            done="nothing to the site itself; a box drops every greeting that hides a name inside another",
            accepted=(Accepted("accessible", (None,), (None,), impairments=("ech_blocked",)),),
        ),
    ),
)
