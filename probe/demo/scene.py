"""What a demonstration is made of: scenes (one site and what is done to it) and acts (one state of the network).

A scene says in plain words what is really done, and which verdicts are right for it. That the second is written down
before anything is measured makes the demo a test of the program by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from probe.demo.neighbourhood import PROVIDER_RESOLVER, networks
from probe.demo.world import Link, Portal, Reply, Resolver, Rule, Server, World
from probe.verdict.model import Status, Verdict
from probe.wire.resolvers import Nameserver

ORDINARY = Server(address="", names=())
"""A web server in good health; a scene's address and name are filled in when the curtain rises."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A verdict that is right. Empty ``methods``, ``signatures`` or ``leanings`` leave that word open.

    ``impairments`` are all that must be there, and no other may be.
    """

    status: Status
    methods: tuple[str | None, ...] = ()
    signatures: tuple[str | None, ...] = ()
    leanings: tuple[str | None, ...] = ()
    impairments: tuple[str, ...] = ()

    def covers(self, verdict: Verdict) -> bool:
        return (
            verdict.status == self.status
            and (not self.methods or verdict.method in self.methods)
            and (not self.signatures or verdict.signature in self.signatures)
            and (not self.leanings or verdict.leaning in self.leanings)
            and set(verdict.impairments) == set(self.impairments)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One endpoint, what is really done to it, and the verdicts that are right.

    ``server`` is what runs at its address (``None``: nothing, packets to it are lost). ``exists``: whether the name is in
    the DNS; ``answer`` takes the place of its address there. ``rule`` is what the box on the path does to the name, ``lie``
    what the provider's resolver says of it, ``hosts`` what this host's hosts file says. ``unreachable``: a router says so.
    ``up_abroad``: in another country a healthy server answers at its address.
    """

    url: str
    done: str
    accepted: tuple[Accepted, ...]
    server: Server | None = ORDINARY
    exists: bool = True
    answer: Reply | None = None
    rule: Rule | None = None
    lie: Reply | None = None
    hosts: tuple[str, ...] = ()
    unreachable: bool = False
    up_abroad: bool = False

    def abroad(self) -> Scene:
        """The same site in another country: nothing is done to it on the way."""
        server = ORDINARY if self.up_abroad else self.server
        return replace(self, server=server, rule=None, lie=None, hosts=(), unreachable=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def name(self) -> str:
        """What ``--only`` calls it: the host's first label."""
        return self.host.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One state of the network and the scenes that are played in it.

    ``resolvers`` and ``servers`` are there besides the quiet neighbourhood's; ``nameservers`` takes the place of its list.
    ``rules`` are what the box does to names that are no scene's. ``control``: the user has a control in another country.
    ``quic``: sites are asked over QUIC, which needs aioquic; well-known ones that have it are there. ``only``: the experiments
    that the user asks for, all if there are none.
    """

    name: str
    title: str
    scenes: tuple[Scene, ...]
    link: Link = "up"
    portal: Portal | None = None
    ahead_s: float = 0.0
    nameservers: tuple[Nameserver, ...] | None = None
    resolvers: tuple[Resolver, ...] = ()
    servers: tuple[Server, ...] = ()
    rules: tuple[Rule, ...] = ()
    control: bool = False
    quic: bool = False
    only: tuple[str, ...] = ()

    def abroad(self) -> Act:
        """The same sites as they are in another country."""
        return Act(name=self.name, title=self.title, scenes=tuple(scene.abroad() for scene in self.scenes))


def stage(act: Act, quiet: World) -> World:
    """The world of *act*: the quiet neighbourhood with its scenes in it."""
    places = dict(zip((scene.host for scene in act.scenes), networks(22), strict=False))
    return replace(
        quiet,
        servers=(*quiet.servers, *act.servers, *_servers(act, places)),
        zone={**quiet.zone, **_zone(act, places)},
        resolvers=(*(_lying(act, resolver) for resolver in quiet.resolvers), *act.resolvers),
        rules=(*(replace(scene.rule, name=scene.host) for scene in act.scenes if scene.rule is not None), *act.rules),
        unreachable=frozenset(places[scene.host] for scene in act.scenes if scene.unreachable),
        hosts_file={scene.host: scene.hosts for scene in act.scenes if scene.hosts},
        nameservers=quiet.nameservers if act.nameservers is None else act.nameservers,
        link=act.link,
        portal=act.portal,
        ahead_s=act.ahead_s,
    )


def _zone(act: Act, places: dict[str, str]) -> dict[str, Reply]:
    besides = {name: Reply((server.address,)) for server in act.servers for name in server.names}
    return besides | {scene.host: scene.answer or Reply((places[scene.host],)) for scene in act.scenes if scene.exists}


def _lying(act: Act, resolver: Resolver) -> Resolver:
    if resolver.address != PROVIDER_RESOLVER:
        return resolver
    return replace(resolver, lies={scene.host: scene.lie for scene in act.scenes if scene.lie is not None})


def _servers(act: Act, places: dict[str, str]) -> tuple[Server, ...]:
    return tuple(
        replace(scene.server, address=places[scene.host], names=(scene.host,))
        for scene in act.scenes
        if scene.server is not None and not scene.unreachable
    )
