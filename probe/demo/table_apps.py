"""The act in which apps are asked in what they speak themselves: an open port is not enough."""

from __future__ import annotations

from probe.demo.scene import Accepted, Act, Scene
from probe.demo.world import AppManner, Server

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
            accepted=(Accepted("accessible", (None,), (None,)),),
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
            accepted=(Accepted("accessible", (None,), (None,)),),
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
            accepted=(Accepted("accessible", (None,), (None,)),),
        ),
    ),
)
