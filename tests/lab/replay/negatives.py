"""What is not blocking, and looks like it: two hours of each, with an hour of health before and after."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

from tests.lab import dual, forgers
from tests.lab.censor import NameForge
from tests.lab.packets import TCP
from tests.lab.replay import states
from tests.lab.replay.model import Event, Phase, Truth, utc
from tests.lab.rules import Rule, When
from tests.lab.world import World

NO_NETWORK = (("no_network", None),)
_ANTIVIRUS = "CN=Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab,C=RU"
_BEGINS, _ENDS = utc("2021-10-04 15:40"), utc("2021-10-04 17:40")
_HOUR = dt.timedelta(hours=1)


def _trouble(
    name: str,
    title: str,
    *truths: Truth,
    rules: states.Built | None = None,
    world: Callable[[World], World] | None = None,
    before: Callable[[World], World] | None = None,
    asleep: bool = False,
    clock_s: float = 0.0,
    source: str = "made up",
) -> Event:
    """Health, two hours of trouble, health. ``before``: how the world is all the while."""
    usual = before or (lambda w: w)
    return Event(
        name=name,
        title=title,
        source=source,
        phases=(
            Phase(begins=_BEGINS - _HOUR, tells="all is well", world=usual),
            Phase(
                begins=_BEGINS,
                tells=title,
                rules=rules or (lambda _w: ()),
                world=world or usual,
                asleep=asleep,
                clock_s=clock_s,
            ),
            Phase(begins=_ENDS, tells="all is well", world=usual),
        ),
        ends=_ENDS + _HOUR,
        truths=truths,
        negative=True,
    )


def _perhaps(*words: tuple[str, str | None], must: bool = False) -> Truth:
    return Truth(words=words, began=_BEGINS, ended=_ENDS, must=must)


def _no_records(world: World) -> World:
    """The zones' own servers are unreachable, so every resolver says SERVFAIL: Meta's outage."""
    names = states.names_of("facebook", "instagram", "whatsapp")
    dead = {host: "servfail" for host in world.addresses() if any(host.endswith(name) for name in names)}
    return dataclasses.replace(world, lies={**world.lies, **dead}, abroad={**world.abroad, **dead})


def _antivirus(world: World) -> tuple[Rule, ...]:
    made = forgers.forge(_ANTIVIRUS, tuple(world.sites))
    return (NameForge(chains=made.chains, key=made.key, when=When(protocol=TCP), place="home"),)


def _with_root(world: World) -> World:
    return dataclasses.replace(world, trusted=forgers.root(_ANTIVIRUS))


def _refused(world: World) -> World:
    hosts = [host for host in world.sites if host.endswith(("instagram.com", "x.com", "twitter.com"))]
    return world.change(*hosts, status=403)


def _busy(world: World) -> World:
    hosts = [host for host in world.sites if host.endswith(("youtube.com", "google.com"))]
    return world.change(*hosts, status=429)


NEGATIVES = (
    _trouble(
        "meta_outage_2021",
        "Meta's networks and name servers are gone for everybody",
        _perhaps(("outage", None)),
        rules=states.unrouted("facebook", "instagram", "whatsapp"),
        world=_no_records,
        source="Meta engineering, 5 October 2021",
    ),
    _trouble("fibre_cut", "the provider's cable is cut", _perhaps(*NO_NETWORK, must=True), rules=states.off),
    _trouble("wifi_gone", "the household's Wi-Fi is gone", _perhaps(*NO_NETWORK, must=True), rules=states.wifi_gone),
    _trouble(
        "hotel_portal",
        "a hotel's portal wants a room number",
        _perhaps(("no_network", "captive_portal"), must=True),
        rules=states.portal,
        before=lambda world: dataclasses.replace(world, portal=True),
    ),
    _trouble(
        "antivirus",
        "an antivirus begins to open every connection; its root is in this computer's store",
        # Only looks that shake hands meet it, and what is in the house is told when it has lasted.
        dataclasses.replace(_perhaps(("no_network", "filter")), onset=_HOUR),
        rules=_antivirus,
        before=_with_root,
    ),
    _trouble(
        "wrong_clock", "the host's clock is a year ahead", _perhaps(("no_network", "clock")), clock_s=365 * 86400.0
    ),
    _trouble("cdn_403", "two platforms refuse this visitor", _perhaps(("denied", None)), world=_refused),
    _trouble(
        "rate_limits", "a platform says that there were too many requests", _perhaps(("denied", None)), world=_busy
    ),
    _trouble("sleep", "the host sleeps", asleep=True),
    _trouble(
        "dead_resolver", "the provider's resolver is dead", _perhaps(*NO_NETWORK, must=True), rules=states.dead_resolver
    ),
    _trouble(
        "dead_ipv6",
        "IPv6 leads nowhere, and everybody has it; the old version is well",
        rules=states.dead_ipv6,
        before=dual.dual,
    ),
    _trouble("loss", "one packet in five is lost", _perhaps(*NO_NETWORK), rules=states.lossy(0.2)),
)
