"""The words of a pretend Internet: servers, names, resolvers, a censor and a link. Plain facts; nothing here is a socket.

Addresses are pretend: they look like the public Internet's and are only ever keys of a table of loopback ports.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from probe.demo.authority import Condition
from probe.wire.resolvers import Nameserver

Rcode = Literal["noerror", "nxdomain", "servfail", "refused", "silence", "loop"]
"""How a name server answers. ``loop``: with a message whose name points at itself, which no reader may follow for ever."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a name server says of a name: addresses, an error, nothing in it (``noerror`` and empty), or nothing at all."""

    addresses: tuple[str, ...] = ()
    rcode: Rcode = "noerror"


NXDOMAIN = Reply(rcode="nxdomain")
SERVFAIL = Reply(rcode="servfail")
REFUSED = Reply(rcode="refused")
EMPTY = Reply()
SILENCE = Reply(rcode="silence")

AppManner = Literal["telegram", "openvpn", "calls", "silence", "page"]

Trouble = Literal["reset", "silence", "eof", "alert"]
"""What befalls a connection: RST, no more bytes, FIN, or a TLS alert."""


Script = Callable[[str], AsyncIterator[bytes]]
"""From the path that is asked for, the bytes of a whole answer, head and all, piece by piece and in their own time."""

Forger = Literal["national", "unknown"]
"""Who signs forged certificates: an authority known from the news, or one that nobody has heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One HTTP response. ``cut_after``: the connection is reset after so many bytes of the body."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    cut_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One machine at one pretend address. It answers any name, with a certificate for ``names``.

    ``ports``: where it listens; other ports leave a SYN unanswered. ``refused`` ports answer it with RST.
    ``on_hello`` and ``on_request`` are its own troubles, whatever the name. ``pages``: path to page, ``""`` for all others.
    ``plain``: the page for unencrypted requests, where it differs. ``script`` answers every request in its own way, which
    need not be HTTP's. ``app``: its ports are an app's; there is its server (``calls``: for datagrams), silence, or a web page
    in its place. ``http3``: QUIC at UDP port 443 besides.
    """

    address: str
    names: tuple[str, ...]
    certificate: Condition = "good"
    ports: tuple[int, ...] = (80, 443)
    refused: tuple[int, ...] = ()
    on_hello: Trouble | None = None
    on_request: Trouble | None = None
    pages: Mapping[str, Page] = field(default_factory=dict)
    plain: Page | None = None
    script: Script | None = None
    app: AppManner | None = None
    http3: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """A resolver at one address, over udp and tcp 53, over 853 and 443 where ``encrypted``, and QUIC where ``over_quic``.

    ``lies`` (by name, subdomains included) come before the truth; ``everything`` is said of every name.
    """

    address: str
    names: tuple[str, ...] = ()
    encrypted: bool = False
    over_quic: bool = False
    lies: Mapping[str, Reply] = field(default_factory=dict)
    everything: Reply | None = None
    delay_s: float = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the box on the path does to flows that show ``name`` or a subdomain, wherever they go.

    ``tls``: to a ClientHello; ``forger`` answers it with a certificate of its own. ``http``: to an unencrypted request;
    ``page`` is put in. ``dns``: an answer that overtakes the true one, also from where no resolver is. ``holds_s``: so long a
    ClientHello is kept before it is let go. ``ech``: to a ClientHello with an encrypted one inside. ``quic``: a greeting over
    QUIC is lost, and with it all that its caller sends from the same port.
    """

    name: str
    tls: Trouble | None = None
    forger: Forger | None = None
    http: Trouble | None = None
    page: Page | None = None
    dns: Reply | None = None
    holds_s: float = 0.0
    ech: Trouble | None = None
    quic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A captive portal: every unencrypted request anywhere gets ``page``; nothing else leaves the building."""

    page: Page


Link = Literal["up", "no_route", "silent"]
"""Packets pass; the kernel has no route for them; or they leave and nothing ever comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One state of the pretend Internet, seen from one home.

    ``zone``: the truth about names; a name that is not in it does not exist. ``unreachable``: addresses for which a router
    sends ICMP "destination unreachable". ``hosts_file``: what this host itself says. ``ahead_s``: how far the true time is
    ahead of this host's clock. ``nameservers``: the platform's list.
    """

    servers: tuple[Server, ...] = ()
    zone: Mapping[str, Reply] = field(default_factory=dict)
    resolvers: tuple[Resolver, ...] = ()
    clocks: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    unreachable: frozenset[str] = frozenset()
    nameservers: tuple[Nameserver, ...] = ()
    hosts_file: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    portal: Portal | None = None
    link: Link = "up"
    ahead_s: float = 0.0


def covers(suffix: str, name: str) -> bool:
    """Whether *name* is *suffix* or below it."""
    return name == suffix or name.endswith("." + suffix)


def truth(world: World, name: str) -> Reply:
    """What the name's own servers say."""
    return world.zone.get(name, NXDOMAIN)


def says(world: World, resolver: Resolver, name: str) -> Reply:
    """What *resolver* says of *name*."""
    if resolver.everything is not None:
        return resolver.everything
    for suffix, lie in resolver.lies.items():
        if covers(suffix, name):
            return lie
    return truth(world, name)


def rule_for(world: World, name: str | None) -> Rule | None:
    """The censor's first rule for *name*."""
    if name is None:
        return None
    return next((rule for rule in world.rules if covers(rule.name, name)), None)
