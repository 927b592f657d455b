"""What is done to whom, as rules: the states that the timelines are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable

from targets.loader import shipped_platforms
from tests.lab import forgers, rules
from tests.lab.censor import NameForge
from tests.lab.closures import NAMED_HOLES, Closed
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Drop, NameDrop, Rule, When
from tests.lab.servers import PORTAL
from tests.lab.throttle import NameHold
from tests.lab.world import World

Built = Callable[[World], tuple[Rule, ...]]

QAZNET = "CN=Qaznet Trust Network,O=Qaznet,C=KZ"
ISCA = "CN=Information Security Certification Authority,O=ISCA,C=KZ"
_PROVIDER = ("92.47.144.0/20",)
"""The provider's own network, which stays up when everything behind it is shut."""


@functools.cache
def names_of(*platforms: str) -> tuple[str, ...]:
    """The hosts of platforms, as a censor would list them: everything below the name too. Messenger goes with Facebook."""
    platforms += ("messenger",) * ("facebook" in platforms)
    hosts = {
        endpoint.host
        for platform in shipped_platforms()
        if platform.id in platforms
        for endpoint in platform.endpoints
        if not endpoint.host.replace(".", "").isdigit()
    }
    return tuple(sorted({_above(host) for host in hosts}))


def _above(host: str) -> str:
    return ".".join(host.split(".")[-2:])


def silenced(*platforms: str, fraction: float = 1.0) -> Built:
    """Greetings with these names vanish (on a fraction of flows), as has been seen in Kazakhstan."""

    def build(_world: World) -> tuple[Rule, ...]:
        return (NameDrop(names=names_of(*platforms), when=When(fraction=fraction)),)

    return build


def held(*platforms: str, seconds: float) -> Built:
    """The first answer to greetings with these names is held back for so many seconds, as of azattyq.org in 2022."""
    return lambda _world: (NameHold(names=names_of(*platforms), seconds=seconds),)


def silenced_names(*names: str) -> Built:
    """The same for names that are no platform's whole."""
    return lambda _world: (NameDrop(names=names),)


def forged(subject: str, *platforms: str, fraction: float = 1.0) -> Built:
    """Connections with these names are opened by a national authority, on a fraction of flows."""

    def build(world: World) -> tuple[Rule, ...]:
        names = [name for name in world.sites if any(name == n or name.endswith("." + n) for n in names_of(*platforms))]
        made = forgers.forge(subject, names)
        return (NameForge(chains=made.chains, key=made.key, when=When(protocol=TCP, fraction=fraction)),)

    return build


def off(_world: World) -> tuple[Rule, ...]:
    """Nothing passes the provider's first router."""
    return (Drop(place="access"),)


def off_with_holes(_world: World) -> tuple[Rule, ...]:
    """Everything is shut, abroad and at home, but questions, BGP and the port of BFD: January 2022."""
    return (Closed(holes=NAMED_HOLES, place="access"),)


def whitelist(*hosts: str) -> Built:
    """Only the provider's own network, questions, and what these sites' addresses serve."""

    def build(world: World) -> tuple[Rule, ...]:
        addresses = tuple(f"{world.sites[host].address}/32" for host in hosts)
        return (Closed(holes=(*NAMED_HOLES, When(remote=(*_PROVIDER, *addresses))), place="border"),)

    return build


def portal(_world: World) -> tuple[Rule, ...]:
    """A hotel's portal: port 80 is its own, names are resolved by the provider only, and the rest is dropped."""
    return (
        rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access"),
        rules.DropExcept(when=When(protocol=TCP, side="up"), but=When(remote=(f"{PORTAL}/32",)), place="access"),
        rules.DropExcept(
            when=When(protocol=UDP, side="up"), but=When(remote=(f"{RESOLVER}/32",), ports=(53,)), place="access"
        ),
    )


def dead_resolver(_world: World) -> tuple[Rule, ...]:
    """The provider's resolver answers nobody."""
    return (Drop(when=When(remote=(f"{RESOLVER}/32",), ports=(53,)), place="access"),)


def dead_ipv6(_world: World) -> tuple[Rule, ...]:
    """There is an IPv6 address and a default route, and nothing comes back over it."""
    return (Drop(when=When(version=6), place="access"),)


def unrouted(*platforms: str) -> Built:
    """The platforms' own networks are gone from the world's routing: nobody anywhere reaches them, nor their name servers."""

    def build(world: World) -> tuple[Rule, ...]:
        names = names_of(*platforms)
        addresses = {
            f"{address}/32"
            for host, address in world.addresses().items()
            if any(host == name or host.endswith("." + name) for name in names)
        }
        return (Drop(when=When(remote=tuple(sorted(addresses))), place="far"),)

    return build


def lossy(probability: float) -> Built:
    """A bad line, whatever it carries."""
    return lambda _world: (rules.Lose(probability=probability, place="home"),)


def wifi_gone(_world: World) -> tuple[Rule, ...]:
    """Not even the first router answers."""
    return (Drop(place="home"),)


def both(*parts: Built) -> Built:
    """Several states at once, in this order."""
    return lambda world: tuple(rule for part in parts for rule in part(world))
