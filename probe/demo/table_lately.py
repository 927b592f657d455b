"""Acts with what browsers have learnt lately: HTTP/3, which runs over QUIC, and names hidden inside others (ECH)."""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE
from probe.demo.pages import WELCOME
from probe.demo.scene import Accepted, Act, Scene
from probe.demo.world import Page, Reply, Resolver, Rule, Server

_QUIC_ALONE = Server(address="", names=(), ports=(), http3=True)
_OFFERS_HTTP3 = Server(
    address="",
    names=(),
    pages={"": Page(body=WELCOME.body, headers=(*WELCOME.headers, ("Alt-Svc", 'h3=":443"; ma=86400')))},
    http3=True,
)
_QUIC_DROPPED = Rule(name="", quic=True)

_RESOLVERS = {"lamps.example": "24.2.0.53", "matches.example": "25.2.0.53"}


def _resolver(name: str, done: str, accepted: tuple[Accepted, ...], rule: Rule | None = None) -> Scene:
    """A resolver of the act's own, at its own address."""
    answer = Reply((_RESOLVERS[name],))
    return Scene(url=f"doq://{name}", done=done, server=None, answer=answer, rule=rule, accepted=accepted)


QUIC = Act(
    name="quic",
    title="The newer, faster kind of connection (QUIC, for HTTP/3), which some networks stop by name",
    quic=True,
    resolvers=tuple(Resolver(address=address, names=(name,), over_quic=True) for name, address in _RESOLVERS.items()),
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
        _resolver("lamps.example", "nothing: it answers questions over QUIC (DNS over QUIC)", ACCESSIBLE),
        _resolver(
            "matches.example",
            "a box drops every greeting over QUIC that names it",
            (Accepted("blocked", ("quic",), ("quic.timeout.sni",)),),
            _QUIC_DROPPED,
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
