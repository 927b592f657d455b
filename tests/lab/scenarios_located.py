"""Where on the way it is stopped: devices at known hops, silent routers, balancers, and ends of the way.

Each row has a *truth* besides its words: behind which router the device stands, seen from the probe. What must be said of
it is the narrowest interval that the routers who speak allow; ``tests.lab.locating`` counts how often it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab import censor, dual, prove, prove6, rules
from tests.lab import scenarios_ipv6 as ipv6
from tests.lab.greetings import (
    META,
    NEUTRAL,
    PLAIN,
    PLAIN_URL,
    SNI_RESET,
    SNI_SILENCE,
    UNKNOWABLE,
    always,
    by_name,
    plain_page,
    sometimes,
)
from tests.lab.net import PROBE, WORLD
from tests.lab.packets import TCP
from tests.lab.rules import Place, Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import World

_NEAR = len(PROBE.leg.hops)
_FAR = WORLD.leg.hops
_ALL = _NEAR + len(_FAR)
_MORE = ("62.115.44.1", "80.239.128.9", "62.115.120.6", "62.115.137.2", "62.115.118.9", "80.239.195.4", "62.115.9.1")
"""A longer way abroad: seven routers more than the probe's own two."""
_TWIN = ("80.239.128.9", "80.239.129.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The device stands behind router number ``behind`` (0: on this network's own); ``None``: what is stopped has no place,
    or nothing is. ``mute`` are routers that never speak, ``hops`` how many there are. ``what``: a ``greeting`` or a plain
    ``request`` with the name, or every ``connection``."""

    behind: int | None
    what: str = "greeting"
    hops: int = _ALL
    mute: tuple[int, ...] = ()

    @property
    def interval(self) -> tuple[int, int] | None:
        """The last hop before the device and the first behind it that are ever heard of."""
        if self.behind is None:
            return None
        heard = [hop for hop in range(self.hops + 2) if hop not in self.mute]
        return max(hop for hop in heard if hop <= self.behind), min(hop for hop in heard if hop > self.behind)


TRUTHS: dict[str, Truth] = {}


def _row(name: str, tells: str, truth: Truth, rule: Rule, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "rules": always(rule),
        "acceptable": SNI_SILENCE,
        "exit_codes": (1,),
        "sound": (OTHER,),
        "proofs": by_name(prove.SILENT),
    }
    TRUTHS[name] = truth
    return Scenario(name=name, tells=tells, **(fields | more))


def _drop(place: Place, **more: Any) -> rules.NameDrop:
    return rules.NameDrop(names=META, place=place, **more)


_BROKEN_OFF: dict[str, Any] = {"acceptable": SNI_RESET, "proofs": by_name(prove.HANDSHAKE, prove.RESET)}
_AT_HOME: dict[str, Any] = {
    "acceptable": (Words("inconclusive"), Words("no_network", "filter")),
    "exit_codes": (2, 3),
    "network": (Words("ok"), Words("inconclusive"), Words("no_network")),
}


_BEHIND_TRANSLATOR = (
    prove6.behind_translator("www.nobelprize.org", FACEBOOK, works=False),
    prove6.behind_translator(FACEBOOK, "www.nobelprize.org", works=True),
)


def _silent(*hops: int) -> dict[str, Any]:
    """These routers of those abroad never say that a TTL ran out."""
    return {"leg": {"silent": tuple(reversed(_FAR))[hops[0] - _NEAR - 1 : hops[-1] - _NEAR]}}


NAMES: tuple[Scenario, ...] = (
    _row("located_drop_at_the_border", "behind the provider's last router the name is dropped", Truth(behind=2), _drop(2)),
    _row("located_drop_in_transit", "the name is dropped in a network behind the provider's", Truth(behind=3), _drop(3)),
    _row(
        "located_drop_on_a_long_way",
        "the name is dropped in the middle of a way of nine routers",
        Truth(behind=5, hops=_NEAR + len(_MORE)),
        _drop(5),
        leg={"hops": _MORE},
    ),
    _row(
        "located_drop_behind_the_last_router",
        "the name is dropped where the way ends, at every place",
        Truth(behind=_ALL),
        _drop("far"),
    ),
    _row(
        "located_drop_on_a_lossy_line",
        "the name is dropped in transit, and every fiftieth packet is lost besides",
        Truth(behind=3),
        _drop(3),
        leg={"loss": 0.02},
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
    ),
    _row(
        "located_reply_drop",
        "the greeting is delivered, and the answer to it is dropped at the border",
        Truth(behind=None),
        censor.NameReplyDrop(names=META),
    ),
    _row(
        "located_memory_drop",
        "the first packet with the name is delivered, and nothing of that flow any more, in either direction",
        Truth(behind=3),
        censor.NamePassOnce(names=META, place=3),
    ),
    _row("located_reset_in_the_way", "the name is broken off in transit", Truth(behind=3), rules.NameReset(names=META, place=3), **_BROKEN_OFF),
    _row(
        "located_reset_beside_the_way",
        "a device beside the way, which stops nothing, breaks the name off at the border",
        Truth(behind=2),
        censor.NameResetBeside(names=META, both=True),
        **_BROKEN_OFF,
    ),
    _row(
        "located_end",
        "the greeting is swallowed in transit, and an orderly end comes in the server's name",
        Truth(behind=4),
        censor.NameEnd(names=META, place=4),
        acceptable=(Words("blocked", "tls", "tls.eof.sni"),),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
)  # fmt: skip

SILENT: tuple[Scenario, ...] = (
    _row(
        "located_silent_router_before",
        "the name is dropped behind a router that never says that a TTL ran out",
        Truth(behind=3, mute=(3,)),
        _drop(3),
        **_silent(3),
    ),
    _row(
        "located_silent_router_behind",
        "the router behind the device never says that a TTL ran out",
        Truth(behind=3, mute=(4,)),
        _drop(3),
        **_silent(4),
    ),
    _row(
        "located_silent_routers_around",
        "neither the router before nor the one behind the device ever speaks",
        Truth(behind=3, mute=(3, 4)),
        _drop(3),
        in_slice=True,
        **_silent(3, 4),
    ),
    _row(
        "located_reset_among_silent_routers",
        "the name is broken off, and no router abroad ever speaks",
        Truth(behind=4, mute=(3, 4, 5)),
        rules.NameReset(names=META, place=4),
        **_BROKEN_OFF,
        **_silent(3, 5),
    ),
)

BALANCED: tuple[Scenario, ...] = (
    _row(
        "located_device_on_one_branch",
        "behind a balancer that looks at ports one of two ways has the device",
        Truth(behind=4),
        _drop(4, when=When(protocol=TCP, fraction=0.5)),
        leg={"twins": (_TWIN,)},
        # What a whole check meets is chance, and one success withdraws a flip.
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        proofs=(prove.truth(FACEBOOK), sometimes(NEUTRAL, FACEBOOK, of=16), prove.page(OTHER)),
    ),
    _row(
        "located_device_before_the_balancer",
        "two routers take turns behind the device, by ports",
        Truth(behind=3),
        _drop(3),
        leg={"twins": (_TWIN,)},
    ),
)

OWN: tuple[Scenario, ...] = (
    _row(
        "located_drop_by_the_own_router",
        "the household's own router drops the name: in silence, as a provider would",
        Truth(behind=0),
        _drop("home"),
        in_slice=True,
        **_AT_HOME,
    ),
    _row(
        "located_drop_behind_the_own_router",
        "the name is dropped right behind the household's router: by that router as it forwards, or by the provider",
        Truth(behind=1),
        _drop("access"),
        **_AT_HOME,
    ),
)


def _blackhole(place: Place) -> Callable[[World], tuple[Rule, ...]]:
    def build(world: World) -> tuple[Rule, ...]:
        return (rules.Drop(when=When(protocol=TCP, remote=(f"{world.addresses()[FACEBOOK]}/32",)), place=place),)

    return build


def _connections(name: str, tells: str, place: Place, behind: int, **more: Any) -> Scenario:
    row = _row(name, tells, Truth(behind=behind, what="connection"), rules.Drop(), **more)
    return dataclasses.replace(
        row,
        rules=_blackhole(place),
        acceptable=UNKNOWABLE,
        exit_codes=(3,),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER)),
    )


ADDRESSES: tuple[Scenario, ...] = (
    _connections("located_blackhole_at_the_border", "packets to the site's address vanish behind the provider", 2, 2),
    _connections("located_blackhole_in_transit", "packets to the site's address vanish in transit", 4, 4),
    _connections("located_blackhole_at_the_end", "packets to the site's address vanish where it is", "far", _ALL),
)

IPV6: tuple[Scenario, ...] = (
    _row(
        "located_drop_behind_a_translator",
        "a machine without IPv4, and the name is dropped in transit behind the translator that serves it",
        Truth(behind=3),
        _drop(3),
        world=ipv6._nat64(),
        proofs=(*ipv6._LIVES_BEHIND, *_BEHIND_TRANSLATOR),
    ),
    _row(
        "located_reset_behind_a_translator",
        "the same, and the name is broken off behind a router that is silent",
        Truth(behind=4, mute=(4,)),
        rules.NameReset(names=META, place=4),
        world=ipv6._nat64(),
        acceptable=SNI_RESET,
        proofs=(*ipv6._LIVES_BEHIND, *_BEHIND_TRANSLATOR),
        **_silent(4),
    ),
    _row(
        "located_drop_by_the_own_router_before_a_translator",
        "a machine without IPv4, whose household's own router drops the name",
        Truth(behind=0),
        _drop("home"),
        world=ipv6._nat64(),
        **{**_AT_HOME, "proofs": (*ipv6._LIVES_BEHIND, *_BEHIND_TRANSLATOR)},
    ),
    _row(
        "located_drop_over_both_versions",
        "the name is dropped in transit, over IPv4 and IPv6",
        Truth(behind=3),
        _drop(3),
        world=dual.dual,
        proofs=(*by_name(prove.SILENT), *ipv6._NO_HELLO6),
    ),
)

PLAIN_REQUESTS: tuple[Scenario, ...] = (
    _row(
        "located_plain_drop",
        "a plain request that names the site is dropped in transit",
        Truth(behind=3, what="request"),
        rules.NameDrop(names=(PLAIN,), http=True, place=3),
        check=(PLAIN_URL,),
        world=plain_page,
        acceptable=(Words("blocked", "http", "http.timeout.host"),),
        sound=(FACEBOOK_URL,),
        proofs=(prove.truth(PLAIN), prove.fails(PLAIN_URL, prove.SILENT), prove.page(FACEBOOK_URL)),
    ),
    _row(
        "located_plain_reset",
        "a plain request that names the site is broken off at the border, by a device beside the way",
        Truth(behind=2, what="request"),
        censor.NameResetBeside(names=(PLAIN,), http=True, both=True),
        check=(PLAIN_URL,),
        world=plain_page,
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        sound=(FACEBOOK_URL,),
        proofs=(prove.truth(PLAIN), prove.fails(PLAIN_URL, prove.HANDSHAKE, prove.RESET), prove.page(FACEBOOK_URL)),
    ),
    _row(
        "located_plain_drop_by_the_own_router",
        "the household's own router drops plain requests that name the site",
        Truth(behind=0, what="request"),
        rules.NameDrop(names=(PLAIN,), http=True, place="home"),
        check=(PLAIN_URL,),
        world=plain_page,
        **{
            **_AT_HOME,
            "sound": (FACEBOOK_URL,),
            "proofs": (prove.truth(PLAIN), prove.fails(PLAIN_URL, prove.SILENT), prove.page(FACEBOOK_URL)),
            "control": (prove.page(PLAIN_URL),),
        },
    ),
)

HEALTHY: tuple[Scenario, ...] = (
    _row(
        "located_nothing",
        "some routers are silent, two take turns, and nothing else is the matter",
        Truth(behind=None),
        Rule(),
        leg={"silent": (_FAR[2],), "twins": (_TWIN,)},
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        proofs=(prove.page(FACEBOOK_URL), prove.handshake(NEUTRAL, FACEBOOK, works=True), prove.page(OTHER)),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*NAMES, *SILENT, *BALANCED, *OWN, *ADDRESSES, *IPV6, *PLAIN_REQUESTS, *HEALTHY)
