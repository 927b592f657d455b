"""The words of the catalogue: platform, service, endpoint, canary. Plain frozen facts; reading files is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from targets.schemes import Scheme, app_of

Rule = Literal["any-of", "all-of", "each"]


class TargetError(ValueError):
    """Something the user typed names nothing that can be measured; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL (``https://host/path``, ``http://…``), ``tcp://host:port`` or an app's address (:mod:`targets.schemes`), as
    typed or as the catalogue has it.
    """

    url: str

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Host name (lower case, IDNA A-labels) or address literal without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        app = self.app
        return urlsplit(self.url).port or ({"http": 80, "https": 443}[self.scheme] if app is None else app.port or 0)

    @property
    def app(self) -> Scheme | None:
        """What an app speaks there; ``None`` of the web and of bare connections."""
        return app_of(self.scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A named part of a platform with the rule that makes one word of its endpoints.

    ``own_root``: its servers show a certificate of the vendor's own authority, which no public store holds. An unknown
    authority is expected here: up to the handshake such a chain counts as the vendor's, and it proves nothing about the
    page behind it. ``any_status``: a host for machines (an API, a store of pictures), whose ``/`` means nothing: any
    HTTP answer below 500 counts as reached. ``vendor_sign``: the vendor's own word about an outage, given as a DNS
    answer out of ``loopback_answers``, of which ``outage_answers`` say that there is one; it is never connected to, never
    counts in the platform's word, and is not asked for with the platform. ``retired``: the ISO date (or month, or year, or
    ``date unknown``) since which it is only history. ``handshake_only``: those of its endpoints that speak no HTTP inside
    TLS: a greeting with their valid certificate is all that can be asked of them. ``main``: the platform stands or falls
    with it, one at most; what is wrong with its other services beside it is an impairment.
    """

    name: str
    rule: Rule
    endpoints: tuple[Endpoint, ...]
    main: bool = False
    handshake_only: tuple[str, ...] = ()
    own_root: bool = False
    any_status: bool = False
    vendor_sign: bool = False
    loopback_answers: tuple[str, ...] = ()
    outage_answers: tuple[str, ...] = ()
    retired: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One TOML file of the catalogue.

    ``names``: language (``en``, ``ru``, ``kk``) to name. ``category``: a Citizen Lab category code.
    ``networks``: AS numbers that its addresses are expected in; none named, nothing expected.
    ``domestic_cdn``: the operator keeps copies inside access networks, so an address of the visitor's own provider is no
    wonder. ``retired``: the ISO date (or month, or year) since which it is only history. ``aliases``: more words that
    mean it on the command line. ``loopback_answers``: loopback addresses that a name of it answers on purpose (the
    service says which name).
    """

    id: str
    names: dict[str, str]
    category: str
    services: tuple[Service, ...]
    lists: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    domestic_cdn: bool = False
    retired: str | None = None
    why: str = ""
    sources: tuple[str, ...] = ()
    notes: str = ""
    loopback_answers: tuple[str, ...] = ()
    file: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def own_root(self) -> bool:
        """Whether some service of it is certified by the vendor's own authority (see :class:`Service`)."""
        return any(service.own_root for service in self.services)

    @property
    def measured(self) -> tuple[Service, ...]:
        """The services that are measured when the platform is asked for.

        A retired service is left out, and so is a vendor's sign: it is read by what weighs an
        outage, and by itself it has no page that could be reached.
        """
        return tuple(service for service in self.services if service.retired is None and not service.vendor_sign)

    @property
    def sign(self) -> Service | None:
        """The vendor's own sign of an outage, if it gives one."""
        return next((s for s in self.services if s.vendor_sign and s.retired is None and s.outage_answers), None)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints of the ``measured`` services."""
        return tuple(endpoint for service in self.measured for endpoint in service.endpoints)


CanaryFamily = Literal["domestic", "foreign", "literal", "portal", "resolver", "clock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One member of a family that tells of the own network. ``operator``: two of one operator count once.

    ``where`` is a host name (domestic, foreign), an address (literal, resolver), a URL (portal) or an NTP host (clock).
    ``expect``: what a portal check's body must be; ``status`` its status code.
    """

    family: CanaryFamily
    where: str
    operator: str
    expect: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """All canaries, by family. A family has failed only when two members of different operators fail.

    ``innocuous``: names for the unchanged half of a pair, of every length that target names have. ``ad_domains``: names
    that filters of a household or an employer refuse and no state does. ``http3``: harmless names whose servers offer HTTP/3.
    ``stun``: servers (``host:port``) that anybody's calls may begin with.
    """

    members: tuple[Canary, ...]
    innocuous: tuple[str, ...] = ()
    version: str = ""
    ad_domains: tuple[str, ...] = ()
    http3: tuple[str, ...] = ()
    stun: tuple[str, ...] = ()

    def family(self, name: CanaryFamily) -> tuple[Canary, ...]:
        return tuple(member for member in self.members if member.family == name)

    def innocuous_like(self, name: str) -> tuple[str, ...]:
        """The innocuous names whose length is nearest to that of *name*: equal wherever the pool allows it."""
        distances = [abs(len(candidate) - len(name)) for candidate in self.innocuous]
        nearest = min(distances, default=0)
        return tuple(c for c, d in zip(self.innocuous, distances, strict=True) if d == nearest and c != name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One endpoint of a run in the order asked: its number, what the user typed, and where the catalogue has it.

    ``target`` is the word as typed; what a list stands for is named as it would be typed alone (the platform's id, or
    the URL). ``own_root``, ``any_status``, ``vendor_sign`` and ``retired`` are those of the service or platform;
    ``handshake_only``: whether this is one of its endpoints that speak no HTTP. ``sign``: the name of its vendor's sign of
    an outage, if it gives one, ``sign_answers`` all that it may say, ``sign_outage`` what says that there is one.
    """

    number: int
    endpoint: Endpoint
    target: str
    platform: str | None = None
    service: str | None = None
    rule: Rule | None = None
    named_as_url: bool = False
    networks: tuple[int, ...] = ()
    loopback_answers: tuple[str, ...] = ()
    own_root: bool = False
    any_status: bool = False
    handshake_only: bool = False
    sign: str | None = None
    sign_answers: tuple[str, ...] = ()
    sign_outage: tuple[str, ...] = ()
    vendor_sign: bool = False
    retired: str | None = None
