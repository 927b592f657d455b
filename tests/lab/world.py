"""What there is on the pretend Internet: names, addresses, and how each server behaves. Plain data; nothing runs here."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from targets.loader import load_canaries, shipped_platforms
from targets.model import Canaries, Endpoint
from tests.lab.authority import Kind
from tests.lab.zones import Recursion

PUBLIC_RESOLVERS = {
    "8.8.8.8": ("dns.google", "8.8.8.8", "8.8.4.4"),
    "9.9.9.9": ("dns.quad9.net", "9.9.9.9"),
    "1.1.1.1": ("cloudflare-dns.com", "one.one.one.one", "1.1.1.1", "1.0.0.1"),
    "94.140.14.14": ("dns.adguard-dns.com", "94.140.14.14"),
    "194.242.2.2": ("dns.mullvad.net", "194.242.2.2"),
}
"""Address of a public resolver, and what its certificate says."""

PUBLIC_RESOLVERS6 = ("2001:4860:4860::8888", "2620:fe::fe", "2606:4700:4700::1111")
"""The same over IPv6, for DNS alone."""

PROVIDERS_RESOLVER = "92.47.151.210"

WEBSOCKET_BEHIND = 8055
"""The port of loopback where a websocket is answered behind nginx."""
_WEBSOCKET = (
    f"location = /apiws {{ proxy_pass http://127.0.0.1:{WEBSOCKET_BEHIND}; "
    'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 60s; } '
    "location / { return 404; }"
)

_PREFIXES = {
    "facebook.com": "157.240.205",
    "fbcdn.net": "157.240.253",
    "instagram.com": "157.240.9",
    "whatsapp.com": "157.240.252",
    "whatsapp.net": "157.240.252",
    "google.com": "142.250.185",
    "google.kz": "142.250.185",
    "gstatic.com": "142.250.184",
    "youtube.com": "142.251.39",
    "ytimg.com": "142.251.39",
    "googlevideo.com": "142.251.40",
    "x.com": "104.244.42",
    "twitter.com": "104.244.42",
    "twimg.com": "152.199.21",
    "vk.com": "87.240.132",
    "telegram.org": "149.154.167",
    "t.me": "149.154.167",
    "signal.org": "76.223.92",
    "wikipedia.org": "185.15.59",
    "debian.org": "130.89.148",
    "kernel.org": "145.40.73",
    "python.org": "151.101.64",
    "iana.org": "192.0.46",
    "rfc-editor.org": "104.18.21",
    "example.com": "104.18.27",
    "gnu.org": "209.51.188",
    "egov.kz": "195.12.113",
    "kaspi.kz": "194.187.246",
    "zakon.kz": "91.215.42",
    "tengrinews.kz": "185.98.5",
    "apple.com": "17.253.57",
    "msftconnecttest.com": "13.107.4",
    "time.cloudflare.com": "162.159.200",
}
"""Where a suffix lives: the first three numbers of its addresses. Everybody else is at some hosting company."""

_HOSTING = ("185.199", "172.67", "104.21", "151.101", "138.201", "95.217", "51.91", "3.33")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What stands on a site's own ports in front of its pages, and sorts connections before anything else is said.

    ``ways`` is by the name of the greeting, ``other`` for all names else, ``plain`` for port 80. See ``fronts.py`` for the
    words: ``serve``, ``silent``, ``close``, ``reset``, ``alert:112``, ``empty``, ``cut``, ``torn``, ``late:3/serve``,
    ``half:reset``. ``by`` is the module that runs it; one that has more words than ``fronts.py`` knows all of these too.
    """

    ways: tuple[tuple[str, str], ...] = ()
    other: str = "serve"
    plain: str = "serve"
    abroad: str = ""
    """What the control gets on port 443 instead, if that is something else."""
    by: str = "tests.lab.fronts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One name with its web server.

    ``address`` is where DNS says it is (``None``: only a name in DNS). ``listening``: a machine that is there refuses
    connections if not. ``present``: nobody answers at the address if not. ``status`` is what every page of it gives.
    ``plain`` is what port 80 says for a path, otherwise it redirects to https. ``https`` and ``http`` are nginx directives
    in place of the pages of port 443 and of port 80 (``{directory}``: where ``NAME.html`` lies, which is ``body`` if there is
    one). ``also_at`` are further addresses that DNS gives with the first one (IPv6 ones too, where the world has IPv6),
    ``dead_at`` those of all of them where nobody answers; at ``hidden_at`` the site is served as well, and DNS says nothing
    of it. ``protocols`` is nginx's ssl_protocols. ``quic``: its pages are there by HTTP/3 too, and say so (``served``), also
    with a visitor's address proven first (``retry``, RFC 9000 §8.1.2); or they say so and nobody answers on that port
    (``announced``), or somebody who says which versions there are and no more (``versions``).
    """

    name: str
    address: str
    listening: bool = True
    present: bool = True
    status: int = 200
    certificate: Kind = "good"
    plain: tuple[tuple[str, int, str], ...] = ()
    https: str = ""
    http: str = ""
    body: bytes = b""
    http2: bool = True
    protocols: str = "TLSv1.2 TLSv1.3"
    front: Front | None = None
    also_at: tuple[str, ...] = ()
    dead_at: tuple[str, ...] = ()
    hidden_at: tuple[str, ...] = ()
    quic: Literal["", "served", "announced", "retry", "versions"] = ""

    @property
    def served_at(self) -> tuple[str, ...]:
        """Where its web server listens."""
        everywhere = (self.address, *self.also_at, *self.hidden_at)
        return tuple(address for address in everywhere if address not in self.dead_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What a small resolver says about a name: *addresses* (none: the true ones), or a code, nothing or silence.

    ``truncated``: over UDP only that TCP has more. ``unless_unchecked``: the truth to whoever disables checking.
    ``error`` is an extended one of RFC 8914; ``rotate``: one address at a time; ``delay`` in seconds."""

    addresses: tuple[str, ...] = ()
    rcode: int = 0
    empty: bool = False
    silent: bool = False
    truncated: bool = False
    unless_unchecked: bool = False
    rotate: bool = False
    error: int | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameserver:
    """A small resolver with manners of its own (see resolver.py), in the household if its address is private. ``says``:
    name, ``.name`` with all below it, or ``*`` → what; about the rest ``upstream`` is asked, or the truth is known."""

    address: str
    says: dict[str, Says] = field(default_factory=dict)
    upstream: str | None = None
    missing: Says | None = None
    edns: str = "good"
    tcp: bool = True
    limit: int | None = None
    """Questions a second; those beyond are refused."""

    @property
    def is_household(self) -> bool:
        return ipaddress.IPv4Address(self.address).is_private and not self.is_stub

    @property
    def machine(self) -> str:
        """Which machine of the lab it runs on."""
        if self.is_household or self.is_stub:
            return "household" if self.is_household else "probe"
        return "provider" if self.address == PROVIDERS_RESOLVER else "world"

    @property
    def is_stub(self) -> bool:
        """On the probe's machine itself, as 127.0.0.53 is."""
        return ipaddress.IPv4Address(self.address).is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The pretend Internet. ``ports`` are bare TCP services (address, port); ``lies`` is what the provider's resolver says
    instead of the truth: addresses with commas, ``nxdomain``, ``refused``, ``servfail``, ``empty`` or ``silence``;
    ``abroad`` is what the public resolvers say instead. ``nameservers`` are further ones, ``resolvers`` those that the probe's machine
    asks (none: the provider's), ``hosts`` its list of names, ``tunnels`` its tunnel interfaces. ``shift_days``: how far this
    world's clocks and certificates are from this host's clock. ``portal``: the provider runs a captive portal's web server.
    ``closed_ports``: machines of ``ports`` whose service does not run. ``trusted``: PEM roots that somebody put into the store
    of the probe's machine; there ``SSL_CERT_FILE`` is not set then, and the lab's root is in the shipped set and in the store."""

    sites: dict[str, Site]
    names: dict[str, str] = field(default_factory=dict)
    ports: tuple[tuple[str, int], ...] = ()
    closed_ports: tuple[tuple[str, int], ...] = ()
    stuns: tuple[tuple[str, int, str], ...] = ()
    """Servers for calls (UDP): address, port, and what is done there, in the words of ``stun.py``; ``closed``: nothing."""
    centres: tuple[tuple[str, int, str], ...] = ()
    """Telegram's data centres: address, port, and what is done there, in the words of ``mtproto.py``; ``closed``: nothing."""
    websockets: str = "answer"
    """What is done behind the websockets of its web client."""
    vpns: tuple[tuple[str, int, str], ...] = ()
    """Servers of VPN protocols: address, port, and what is done there, in the words of ``vpn.py``."""
    doq: tuple[tuple[str, str], ...] = ()
    """Resolvers that are asked over QUIC: address, and what is done there, in the words of ``doq.py``; ``closed``: nothing."""
    clocks: tuple[str, ...] = ()
    lies: dict[str, str] = field(default_factory=dict)
    abroad: dict[str, str] = field(default_factory=dict)
    nameservers: tuple[Nameserver, ...] = ()
    resolvers: tuple[str, ...] = ()
    hosts: str = ""
    tunnels: tuple[str, ...] = ()
    shift_days: int = 0
    moves: bool = False
    """Web servers date their answers by the file ``moved`` too, as time servers do: for replays of days."""
    proxy: bool = False
    """The provider has a proxy on port 8443 of its portal's address, which goes by the name of the greeting."""
    portal: bool = False
    portal_says: str = "redirect"
    """``redirect`` to its log-in page, that ``page`` in place of everything, or a redirect to where one must ``pay``."""
    resolver_runs: bool = True
    trusted: bytes = b""
    recursion: Recursion | None = None
    """The resolvers find every answer themselves, from a root down (see zones.py); else they know all names by heart."""

    elsewhere: tuple[Site, ...] = ()
    """Sites as they answer the control, where that is not as they answer everybody else."""
    said_elsewhere: dict[str, str] = field(default_factory=dict)
    """What the public resolvers say to the control, where that differs, in the words of ``lies``."""

    ipv6: Literal["", "dual", "nat64"] = ""
    """Whether the machines have IPv6 besides IPv4, or the probe's nothing else and a translator before it (see dual.py)."""
    route6: bool = True
    """With IPv6: whether the probe's machine has a default route for it."""
    prefix64: str = "64:ff9b::"
    """Where the translator's addresses begin: its own prefix of 96 bits, or the well-known one (RFC 6052)."""

    def change(self, *names: str, **values: object) -> World:
        """The same world with these sites different."""
        changed = {name: replace(self.sites[name], **values) for name in names}  # type: ignore[arg-type]
        return replace(self, sites={**self.sites, **changed})

    def pools(self) -> dict[str, tuple[str, ...]]:
        """Names with more than one address, and those addresses."""
        return {site.name: (site.address, *site.also_at) for site in self.sites.values() if site.also_at}

    def addresses(self) -> dict[str, str]:
        """Every name in DNS with its (first) address."""
        return {**self.names, **{site.name: site.address for site in self.sites.values()}}

    def records(self) -> dict[str, tuple[str, ...]]:
        """Every name in DNS with all of its addresses."""
        return {**{name: (address,) for name, address in self.addresses().items()}, **self.pools()}

    def present(self) -> tuple[str, ...]:
        """Every address at which a machine answers."""
        absent = {site.address for site in self.sites.values() if not site.present}
        absent |= {address for site in self.sites.values() for address in site.dead_at}
        everybody = {address for site in self.sites.values() for address in (site.address, *site.served_at)}
        everybody |= {address for address, _ in self.ports} | {address for address, _, _ in self.centres}
        everybody |= {address for address, _, _ in self.vpns}
        everybody |= {address for address, _, _ in self.stuns}
        everybody |= {s.address for s in self.nameservers if s.machine == "world"}
        everybody |= set(self.recursion.addresses()) if self.recursion else set()
        everybody |= set(PUBLIC_RESOLVERS6) if self.ipv6 else set()
        return tuple(sorted((everybody | set(PUBLIC_RESOLVERS) | set(self.clocks)) - absent))


class _Addresses:
    """Addresses for names: always the same for the same set of names and the same *salt*."""

    def __init__(self, salt: str = "") -> None:
        self._taken = set(PUBLIC_RESOLVERS)
        self._salt = salt

    def give(self, name: str) -> str:
        digest = hashlib.sha256((self._salt + name).encode()).digest()
        prefix = next((p for suffix, p in _PREFIXES.items() if name == suffix or name.endswith("." + suffix)), None)
        prefix = prefix or f"{_HOSTING[digest[0] % len(_HOSTING)]}.{digest[1]}"
        last = digest[2] % 200 + 10
        while (address := f"{prefix}.{last}") in self._taken:
            last = last % 250 + 1
        self._taken.add(address)
        return address

    def keep(self, addresses: Iterable[str]) -> None:
        self._taken.update(addresses)


def whole_world(salt: str = "") -> World:
    """Every name of the shipped catalogue and every canary, all in good health. Another *salt*, other addresses."""
    canaries = load_canaries()
    endpoints = [
        endpoint for platform in shipped_platforms() if platform.retired is None for endpoint in platform.endpoints
    ]
    give = _Addresses(salt)
    give.keep(endpoint.host for endpoint in endpoints if _is_address(endpoint.host))
    sites = {host: Site(name=host, address=give.give(host)) for host in _web_hosts(endpoints, canaries)}
    # Signal's sign of life is an answer, not a server.
    names = {"uptime.signal.org": "127.0.0.1"}
    sites.pop("uptime.signal.org", None)
    for canary in canaries.family("portal"):
        sites |= _portal_site(sites, give, canary.where, canary.status or 200, canary.expect or "")
    clocks = {canary.where: give.give(canary.where) for canary in canaries.family("clock")}
    ports = []
    for endpoint in endpoints:
        if endpoint.scheme == "tcp":
            address = (
                endpoint.host
                if _is_address(endpoint.host)
                else names.setdefault(endpoint.host, give.give(endpoint.host))
            )
            ports.append((address, endpoint.port))
    centres = [(e.host, e.port, "answer") for e in endpoints if e.scheme == "mtproto"]
    for host in dict.fromkeys(e.host for e in endpoints if e.scheme == "mtproto+ws"):
        sites[host] = Site(name=host, address=give.give(host), https=_WEBSOCKET, http2=False)
    # Any innocuous name may be drawn as a neutral place, so all of them are real sites.
    sites |= {name: Site(name=name, address=give.give(name)) for name in canaries.innocuous if name not in sites}
    sites |= {name: Site(name=name, address=give.give(name)) for name in canaries.http3 if name not in sites}
    names |= {name: give.give(name) for name in canaries.ad_domains}
    names |= {name: at for at, known in PUBLIC_RESOLVERS.items() for name in known if not _is_address(name)}
    stuns = []
    for host, port in dict.fromkeys(_stun_places(endpoints, canaries)):
        address = host if _is_address(host) else names.setdefault(host, give.give(host))
        stuns.append((address, port, "good"))
    return World(
        sites=sites,
        names={**names, **clocks},
        ports=tuple(dict.fromkeys(ports)),
        centres=tuple(dict.fromkeys(centres)),
        stuns=tuple(stuns),
        clocks=tuple(clocks.values()),
    )


def _stun_places(endpoints: Iterable[Endpoint], canaries: Canaries) -> list[tuple[str, int]]:
    asked = [(endpoint.host, endpoint.port) for endpoint in endpoints if endpoint.scheme == "stun"]
    return [*asked, *((host, int(port)) for host, _, port in (where.rpartition(":") for where in canaries.stun))]


def _web_hosts(endpoints: Iterable[Endpoint], canaries: Canaries) -> list[str]:
    hosts = [endpoint.host for endpoint in endpoints if endpoint.scheme in ("http", "https")]
    hosts += [canary.where for family in ("domestic", "foreign") for canary in canaries.family(family)]
    return [host for host in dict.fromkeys(hosts) if not _is_address(host)]


def _portal_site(sites: dict[str, Site], give: _Addresses, url: str, status: int, body: str) -> dict[str, Site]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    site = sites.get(host) or Site(name=host, address=give.give(host))
    return {host: replace(site, plain=(*site.plain, (parts.path or "/", status, body)))}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
