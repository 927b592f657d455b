"""The act in which apps are asked in what they speak themselves: an open port is not enough."""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE
from probe.demo.scene import Accepted, Act, Scene
from probe.demo.world import AppManner, Reply, Resolver, Rule, Server

_PORT = 5222


def _server(manner: AppManner) -> Server:
    return Server(address="", names=(), ports=(_PORT,), app=manner)


APPS = Act(
    name="apps",
    title="The apps themselves: asked in what they speak, because an open port is not enough",
    scenes=(
        Scene(
            url=f"mtproto://pigeons.example:{_PORT}",
            done="nothing: a messenger's server (Telegram's kind) answers the app's first question",
            server=_server("telegram"),
            accepted=ACCESSIBLE,
        ),
        Scene(
            url=f"mtproto://drums.example:{_PORT}",
            done="the port is open, and what the app says first gets no answer",
            server=_server("silence"),
            # A server that hangs and a box that swallows this protocol look the same from one network.
            accepted=(Accepted("inconclusive", signatures=("app.timeout",), leanings=("blocked",)),),
        ),
        Scene(
            url=f"mtproto://mirrors.example:{_PORT}",
            done="a web server answers in the messenger's place",
            server=_server("page"),
            accepted=(Accepted("inconclusive", signatures=("app.other",)),),
        ),
        Scene(
            url="stun://bells.example:3478",
            done="nothing: the server that calls begin with answers, over datagrams",
            server=Server(address="", names=(), ports=(3478,), app="calls"),
            accepted=ACCESSIBLE,
        ),
        Scene(
            url="stun://gongs.example:3478",
            done="datagrams to the server that calls begin with vanish",
            server=Server(address="", names=(), ports=()),
            # Nothing tells a server that is gone from one that is kept from people.
            accepted=(Accepted("inconclusive", signatures=("app.timeout",)),),
        ),
        Scene(
            url=f"openvpn+tcp://burrow.example:{_PORT}",
            done="nothing: a VPN's server (OpenVPN) answers its first packet",
            server=_server("openvpn"),
            accepted=ACCESSIBLE,
        ),
    ),
)

_RESOLVERS = {
    "lanterns.example": "24.1.0.53",
    "candles.example": "25.1.0.53",
    "torches.example": "26.1.0.53",
}


def _resolver(url: str, host: str, done: str, accepted: Accepted, rule: Rule | None = None) -> Scene:
    """A resolver of the act's own, at its own address."""
    return Scene(url=url, done=done, accepted=(accepted,), server=None, answer=Reply((_RESOLVERS[host],)), rule=rule)


SLOWER = Act(
    name="slower",
    title="What is not cut off, but slowed down, and resolvers that are asked in secret",
    resolvers=tuple(Resolver(address=address, names=(name,), encrypted=True) for name, address in _RESOLVERS.items()),
    scenes=(
        Scene(
            url="https://snails.example/",
            done="a box keeps every greeting that names it for a second",
            rule=Rule(name="", holds_s=1.0),
            accepted=(Accepted("blocked", ("throttling",), ("throttling.delay.sni",)),),
        ),
        _resolver(
            "doh://lanterns.example/dns-query",
            "lanterns.example",
            "nothing: it answers questions over HTTPS (DNS over HTTPS)",
            Accepted("accessible", (None,), (None,)),
        ),
        _resolver(
            "dot://candles.example",
            "candles.example",
            "nothing: it answers questions over TLS (DNS over TLS)",
            Accepted("accessible", (None,), (None,)),
        ),
        _resolver(
            "doh://torches.example/dns-query",
            "torches.example",
            "a box drops every greeting that names it",
            Accepted("blocked", ("tls",)),
            Rule(name="", tls="silence"),
        ),
    ),
)
