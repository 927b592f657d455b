"""The schemes of endpoints that are no web pages: what an app speaks, over what, and on which port. One row each.

A row that is not ``ready`` is not taken from anybody: nothing speaks it yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Transport = Literal["tcp", "udp", "websocket"]
"""``websocket``: a TCP connection with TLS and an upgrade inside (RFC 6455), and whatever else begins with TLS."""


HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How endpoints of one scheme are written and spoken to.

    ``port`` is meant where none is written; ``None``: one must be. ``path``: what is asked for there, if it may name anything;
    ``None``: it names none. ``keys``: what must stand behind the ``?``. ``bare``: it names something of ours and no host,
    one of ``names``, so it has neither port nor path. ``sends``: its first message, in plain words, for who wants to know
    beforehand. ``rests_s``: how long `dalel run` leaves somebody's server alone after it has asked.
    """

    name: str
    protocol: str
    transport: Transport
    port: int | None
    sends: str
    example: str
    path: str | None = None
    keys: tuple[str, ...] = ()
    bare: bool = False
    names: tuple[str, ...] = ()
    rests_s: float = 0.0
    ready: bool = False


_ROWS = (
    Scheme(
        name="mtproto",
        protocol="mtproto",
        transport="tcp",
        port=443,
        sends="Telegram's first question to a data centre (req_pq_multi)",
        example="mtproto://149.154.167.51:443",
        ready=True,
    ),
    Scheme(
        name="mtproto+ws",
        protocol="mtproto",
        transport="websocket",
        port=443,
        path="/apiws",
        sends="a TLS greeting with the host's name, and Telegram's first question to a data centre (req_pq_multi)",
        example="mtproto+ws://venus.web.telegram.org/apiws",
        ready=True,
    ),
    Scheme(
        name="stun",
        protocol="stun",
        transport="udp",
        port=3478,
        sends="a question that calls begin with (STUN)",
        example="stun://stun.example.org:3478",
        ready=True,
    ),
    Scheme(
        name="openvpn",
        protocol="openvpn",
        transport="udp",
        port=1194,
        sends="the first packet of OpenVPN",
        example="openvpn://vpn.example.org:1194",
        rests_s=HOUR_S,
        ready=True,
    ),
    Scheme(
        name="openvpn+tcp",
        protocol="openvpn",
        transport="tcp",
        port=1194,
        sends="the first packet of OpenVPN",
        example="openvpn+tcp://vpn.example.org:1194",
        rests_s=HOUR_S,
        ready=True,
    ),
    Scheme(
        name="ikev2",
        protocol="ikev2",
        transport="udp",
        port=500,
        sends="the first packet of IKEv2 (IKE_SA_INIT)",
        example="ikev2://vpn.example.org",
        rests_s=HOUR_S,
        ready=True,
    ),
    Scheme(
        name="wireguard",
        protocol="wireguard",
        transport="udp",
        port=51820,
        keys=("key",),
        sends="the first packet of WireGuard",
        example="wireguard://vpn.example.org:51820?key=BASE64",
        rests_s=HOUR_S,
        ready=True,
    ),
    Scheme(
        name="tor",
        protocol="tor",
        transport="tcp",
        port=9001,
        sends="a TLS greeting, and Tor's first question (VERSIONS)",
        example="tor://192.0.2.1:9001",
        rests_s=HOUR_S,
        ready=True,
    ),
    Scheme(
        name="quic",
        protocol="quic",
        transport="udp",
        port=443,
        sends="the first packets of QUIC, with the host's name",
        example="quic://example.org",
        ready=True,
    ),
    Scheme(
        name="doh",
        protocol="doh",
        transport="websocket",
        port=443,
        path="/dns-query",
        sends="a TLS greeting with the host's name, and a DNS question in HTTPS",
        example="doh://dns.example.org/dns-query",
        ready=True,
    ),
    Scheme(
        name="dot",
        protocol="dot",
        transport="websocket",
        port=853,
        sends="a TLS greeting with the host's name, and a DNS question",
        example="dot://dns.example.org",
        ready=True,
    ),
    Scheme(
        name="doq",
        protocol="doq",
        transport="udp",
        port=853,
        sends="the first packets of QUIC with the host's name, and a DNS question",
        example="doq://dns.example.org",
        ready=True,
    ),
    Scheme(
        name="protocol",
        protocol="protocol",
        transport="udp",
        port=0,
        bare=True,
        names=("openvpn", "openvpn-tcp", "ikev2", "wireguard", "encrypted"),
        sends="flows that look like a VPN's, and in turn random ones of the same sizes, to the first control of yours (2 to 13 "
        "flows of some 3 KB, each way)",
        example="protocol://wireguard",
        rests_s=HOUR_S,
        ready=True,
    ),
)

SCHEMES: dict[str, Scheme] = {row.name: row for row in _ROWS}


def app_of(scheme: str) -> Scheme | None:
    """The row of an app's scheme; ``None`` for the web's and for bare connections."""
    return SCHEMES.get(scheme)


def ready() -> tuple[Scheme, ...]:
    """The rows that can be measured."""
    return tuple(row for row in _ROWS if row.ready)
