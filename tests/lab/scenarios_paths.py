"""Addresses, the own side, and lines: trouble that no name has anything to do with. See scenarios.py for what a row is.

A silent, refused or prohibited address looks the same from a dead server, a lost route and a filter by order; from one
vantage the honest word is ``inconclusive``. Where everything is broken, the own side is, whatever it looks like in detail.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from typing import Any

from tests.lab import prove, rules
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import ANY_OUTAGE, FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.servers import PORTAL, PROXY_PORT
from tests.lab.world import Nameserver, Says, World

POOL = ("157.240.0.35", "31.13.72.36", "185.60.216.35")
HOME = "192.168.0.53"
LIVEJOURNAL = "www.livejournal.com"
PROBE_URL = "http://connectivitycheck.gstatic.com/generate_204"
UNKNOWN = (Words("inconclusive"),)
FINE = (Words("accessible"),)
ANY_NETWORK = (Words("ok"), Words("inconclusive"), Words("no_network"))
_DOMESTIC = ("195.12.113.0/24", "194.187.246.0/24", "91.215.42.0/24", "185.98.5.0/24")
"""Where the domestic canaries live (see world.py)."""
_OUTSIDE = tuple(
    str(network)
    for network in ipaddress.IPv4Network("0.0.0.0/0").address_exclude(ipaddress.IPv4Network("192.168.0.0/16"))
)
_HERE = (f"{RESOLVER}/32", f"{PORTAL}/32")


def _with(**values: Any) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(world, **values)


def _at_facebook(
    rule: type[Rule], place: str = "border", ports: tuple[int, ...] = (), **values: Any
) -> Callable[[World], tuple[Rule, ...]]:
    """A rule about connections to the name's only address."""

    def build(world: World) -> tuple[Rule, ...]:
        when = When(protocol=TCP, ports=ports, remote=(f"{world.addresses()[FACEBOOK]}/32",), side="up")
        return (rule(when=when, place=place, **values),)  # type: ignore[arg-type]

    return build


def _pool(*dead: str) -> Callable[[World], World]:
    """The name has four addresses; these of them are dead (``first``: the one that DNS has always given)."""

    def build(world: World) -> World:
        gone = tuple(world.addresses()[FACEBOOK] if address == "first" else address for address in dead)
        found = (world.addresses()[FACEBOOK], *POOL)
        says = {FACEBOOK: Says(addresses=(*gone, *(a for a in found if a not in gone)))}
        world = world.change(FACEBOOK, also_at=POOL, dead_at=gone, present=len(gone) < len(found))
        # The dead ones first, always: unbound would turn them about.
        return dataclasses.replace(world, resolver_runs=False, nameservers=(Nameserver(address=RESOLVER, says=says),))

    return build


def _row(
    name: str,
    tells: str,
    acceptable: tuple[Words, ...],
    *proofs: prove.Proof,
    sound: tuple[str, ...] = (OTHER,),
    **more: Any,
) -> Scenario:
    return Scenario(
        name=name,
        tells=tells,
        acceptable=acceptable,
        proofs=proofs,
        sound=sound,
        **{"exit_codes": exit_codes(acceptable), **more},
    )


def _own(name: str, tells: str, methods: tuple[str, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    """The own side is the trouble: one of these methods, for the two sites and for the network."""
    words = tuple(Words("no_network", method) for method in methods)
    fields: dict[str, Any] = {"acceptable": words, "network": words, "exit_codes": (3,), **more}
    return Scenario(name=name, tells=tells, check=(FACEBOOK_URL, OTHER), proofs=proofs, **fields)


def _unreachable(code: int, offender: str, place: str) -> Callable[[World], tuple[Rule, ...]]:
    return _at_facebook(rules.Unreachable, place=place, code=code, offender=offender)


def _walled(rule: type[Rule], free: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """Port 80 of everybody is the portal's, the provider's resolver answers, and *rule* is for everything else."""
    outside = When(protocol=TCP, side="up", remote=("0.0.0.0/0",))
    open_ = When(remote=(*_HERE, *free))
    away = rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access")
    no_dns = rules.DropExcept(when=When(protocol=UDP, side="up"), but=open_, place="access")
    if rule is rules.Drop:
        return (away, rules.DropExcept(when=outside, but=open_, place="access"), no_dns)
    return (away, rules.ResetExcept(when=outside, but=open_, place="access"), no_dns)


_DEAD_FACEBOOK = (prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER))
_NO_FACEBOOK = (prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.UNCONNECTED), prove.page(OTHER))

_ADDRESSES = (
    _row(
        "address_blackholed_beside_a_living_neighbour",
        "packets to one address vanish at the border; another name's address in the same /24 answers. The server may be dead",
        UNKNOWN,
        *_DEAD_FACEBOOK,
        prove.page("https://m.facebook.com/"),
        rules=_at_facebook(rules.Drop),
        sound=("https://m.facebook.com/", OTHER),
    ),
    _row(
        "network_of_256_blackholed",
        "packets to the whole /24 vanish at the border; a dead point of presence looks the same",
        UNKNOWN,
        *_DEAD_FACEBOOK,
        prove.fails("https://m.facebook.com/", prove.SILENT),
        rules=always(rules.Drop(when=When(remote=("157.240.205.0/24",)))),
        check=(FACEBOOK_URL, "https://m.facebook.com/"),
    ),
    _row(
        "syn_reset_at_the_border",
        "connections to the address are reset at the border; a web server that is not running looks the same",
        UNKNOWN,
        *_NO_FACEBOOK,
        rules=_at_facebook(rules.Reset),
    ),
    _row(
        "prohibited_by_the_home_router",
        "the household's own router says that the address is prohibited (code 13)",
        (*UNKNOWN, Words("no_network")),
        *_NO_FACEBOOK,
        rules=_unreachable(13, "192.168.1.1", "access"),
    ),
    _row(
        "prohibited_by_the_provider",
        "the provider's first router says that the network is prohibited (code 9); its customer may have asked for it",
        UNKNOWN,
        *_NO_FACEBOOK,
        rules=_unreachable(9, "92.47.144.1", "border"),
    ),
    _row(
        "prohibited_abroad",
        "the last router before the server says that the host is prohibited (code 10), as a site's own filter does",
        UNKNOWN,
        *_NO_FACEBOOK,
        rules=_unreachable(10, "213.248.97.5", "far"),
    ),
    _row(
        "host_unreachable_far_side",
        "the last router before the server says that the host does not answer it (code 1)",
        ANY_OUTAGE,
        *_NO_FACEBOOK,
        rules=_unreachable(1, "213.248.97.5", "far"),
    ),
    _row(
        "no_route_at_the_border",
        "the provider's border has lost the route (code 0)",
        ANY_OUTAGE,
        *_NO_FACEBOOK,
        rules=_unreachable(0, "92.47.144.1", "border"),
        control=(prove.page(FACEBOOK_URL),),
    ),
    _row(
        "port_unreachable",
        "the host itself says by ICMP that nobody listens (code 3)",
        ANY_OUTAGE,
        *_NO_FACEBOOK,
        rules=_unreachable(3, "213.248.97.5", "far"),
    ),
    _row(
        "one_address_of_four_dead",
        "the first of the name's four addresses is dead: a browser takes the next one",
        (*FINE, *UNKNOWN),
        prove.answers(FACEBOOK, POOL[0]),
        world=_pool(POOL[0]),
    ),
    _row(
        "three_addresses_of_four_dead",
        "only the last of the name's four addresses lives",
        (*FINE, *UNKNOWN),
        prove.answers(FACEBOOK, POOL[0]),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        world=_pool(POOL[0], POOL[1], "first"),
    ),
    _row(
        "all_addresses_dead",
        "all four addresses of the name are dead, in four networks",
        ANY_OUTAGE,
        prove.answers(FACEBOOK, POOL[0]),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_pool(*POOL, "first"),
    ),
    _row(
        "port_443_silent",
        "port 443 of the address vanishes, port 80 answers",
        UNKNOWN,
        *_DEAD_FACEBOOK,
        prove.page(f"http://{FACEBOOK}/", 301),
        rules=_at_facebook(rules.Drop, ports=(443,)),
    ),
    _row(
        "port_443_refused",
        "port 443 of the address is refused, port 80 answers",
        UNKNOWN,
        *_NO_FACEBOOK,
        prove.page(f"http://{FACEBOOK}/", 301),
        rules=_at_facebook(rules.Reset, ports=(443,), place="far"),
    ),
    _row(
        "replies_of_one_address_lost",
        "what one address sends back is lost on the far side, as with a route that leads back elsewhere",
        UNKNOWN,
        *_DEAD_FACEBOOK,
        rules=lambda world: (
            rules.Drop(when=When(remote=(f"{world.addresses()[FACEBOOK]}/32",), side="down"), place="far"),
        ),
    ),
)

_OWN_SIDE = (
    _own(
        "home_router_without_a_line",
        "the household's router answers names from its cache and has no way out: ICMP says so to everything",
        ("link", "upstream"),
        prove.fails("http://8.8.8.8/", prove.UNCONNECTED),
        prove.fails(OTHER, prove.UNCONNECTED),
        world=_with(nameservers=(Nameserver(address=HOME),), resolvers=(HOME,)),
        rules=always(
            rules.Unreachable(
                when=When(remote=_OUTSIDE, side="up"),
                code=0,
                offender="192.168.1.1",
                place="access",
            )
        ),
    ),
    _own(
        "home_router_cache_and_dead_upstream",
        "the household's router answers names from its cache, and everything else vanishes",
        ("link", "upstream"),
        prove.fails("http://8.8.8.8/", prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        world=_with(nameservers=(Nameserver(address=HOME),), resolvers=(HOME,)),
        rules=always(rules.DropExcept(but=When(remote=(f"{HOME}/32",)), place="access")),
        in_slice=True,
    ),
    _own(
        "resolver_fails_for_everything",
        "the provider's resolver answers SERVFAIL to every question",
        ("resolver",),
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.answers("www.python.org", "SERVFAIL"),
        prove.truth(FACEBOOK),
        world=_with(resolver_runs=False, nameservers=(Nameserver(address=RESOLVER, says={"*": Says(rcode=2)}),)),
    ),
    _own(
        "resolver_refuses_everything",
        "the provider's resolver refuses every question, as to somebody else's customer",
        ("resolver",),
        prove.answers(FACEBOOK, "REFUSED"),
        prove.answers("www.python.org", "REFUSED"),
        prove.truth(FACEBOOK),
        world=_with(resolver_runs=False, nameservers=(Nameserver(address=RESOLVER, says={"*": Says(rcode=5)}),)),
    ),
    _own(
        "portal_page_in_place",
        "a portal answers port 80 of everybody with its own page (200), the rest is dropped",
        ("captive_portal",),
        prove.page(PROBE_URL),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        world=_with(portal=True, portal_says="page"),
        rules=lambda _world: _walled(rules.Drop),
    ),
    _own(
        "portal_by_names",
        "a portal's resolver gives its own address for every name; nothing else is let through",
        ("captive_portal",),
        prove.answers("www.python.org", PORTAL),
        prove.answers("no-such-name.example", PORTAL),
        prove.page(PROBE_URL, 302),
        world=_with(
            portal=True,
            resolver_runs=False,
            nameservers=(Nameserver(address=RESOLVER, says={"*": Says(addresses=(PORTAL,))}),),
        ),
        rules=always(rules.DropExcept(when=When(side="up"), but=When(remote=_HERE), place="access")),
    ),
    _own(
        "balance_empty_resetting",
        "the prepaid balance is empty: port 80 leads to the page where one pays, everything else is reset",
        ("captive_portal",),
        prove.page(PROBE_URL, 302),
        prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
        prove.fails(OTHER, prove.UNCONNECTED),
        world=_with(portal=True, portal_says="pay"),
        rules=lambda _world: _walled(rules.Reset),
    ),
    _own(
        "balance_empty_with_free_sites",
        "the prepaid balance is empty: the country's sites are free, port 80 elsewhere leads to the page where one pays",
        ("captive_portal",),
        prove.page(PROBE_URL, 302),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page("https://egov.kz/"),
        world=_with(portal=True, portal_says="pay"),
        rules=lambda _world: _walled(rules.Drop, free=_DOMESTIC),
    ),
    _own(
        "international_cut",
        "everything beyond the border vanishes; the country and the provider's resolver answer",
        ("international", "shutdown"),
        prove.page("https://egov.kz/"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        rules=always(rules.DropExcept(when=When(side="up"), but=When(remote=(*_HERE, *_DOMESTIC)))),
    ),
    _own(
        "only_dns_passes",
        "everything but questions on port 53 vanishes: a tariff without data, or a shutdown with a hole",
        ("upstream", "shutdown", "link"),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails("https://egov.kz/", prove.SILENT),
        rules=always(rules.DropExcept(when=When(side="up"), but=When(protocol=UDP, ports=(53,)))),
        acceptable=(Words("no_network"), Words("inconclusive")),
        network=(Words("no_network"), Words("inconclusive")),
    ),
    _own(
        "everything_on_443_blocked",
        "port 443 of everybody vanishes; names and port 80 work",
        (),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.fails(OTHER, prove.SILENT),
        prove.page(PROBE_URL, 204),
        rules=always(rules.Drop(when=When(protocol=TCP, ports=(443,)), place="access")),
        acceptable=(Words("no_network"), Words("inconclusive")),
        network=(Words("no_network"), Words("inconclusive")),
    ),
    _own(
        "everything_on_443_reset",
        "connections to port 443 of everybody are reset by the provider; names and port 80 work",
        (),
        prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
        prove.fails(OTHER, prove.UNCONNECTED),
        prove.page(PROBE_URL, 204),
        rules=always(rules.Reset(when=When(protocol=TCP, ports=(443,), side="up"))),
        acceptable=(Words("no_network"), Words("inconclusive")),
        network=(Words("no_network"), Words("inconclusive")),
    ),
    _row(
        "domestic_cut",
        "the country's own sites are out of reach, the world is not",
        FINE,
        prove.fails("https://egov.kz/", prove.SILENT),
        prove.page(FACEBOOK_URL),
        rules=always(rules.Drop(when=When(remote=_DOMESTIC))),
    ),
    _row(
        "proxy_of_names",
        "the provider's proxy takes every connection on port 443 and goes by the name; all is well",
        FINE,
        prove.page(FACEBOOK_URL),
        prove.shown_at("192.0.2.1", FACEBOOK),
        world=_with(proxy=True),
        rules=always(rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=PROXY_PORT, place="access")),
    ),
    _row(
        "proxy_of_names_and_dead_server",
        "the same proxy, and the name's server is dead: other names answer at its address",
        ANY_OUTAGE,
        prove.shown_at("192.0.2.1", LIVEJOURNAL),
        prove.fails(FACEBOOK_URL, prove.SILENT, prove.HANDSHAKE),
        prove.page(OTHER),
        world=lambda world: dataclasses.replace(world.change(FACEBOOK, present=False), proxy=True),
        rules=always(rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=PROXY_PORT, place="access")),
    ),
    _row(
        "proxy_of_names_and_refusing_server",
        "the same proxy, and the name's server refuses: the proxy ends the greeting of that name at once",
        ANY_OUTAGE,
        prove.shown_at("192.0.2.1", LIVEJOURNAL),
        prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
        prove.page(OTHER),
        world=lambda world: dataclasses.replace(world.change(FACEBOOK, listening=False), proxy=True),
        control=(prove.fails(FACEBOOK_URL, prove.UNCONNECTED),),
        rules=always(rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=PROXY_PORT, place="access")),
        in_slice=True,
    ),
    _row(
        "tunnel_interface_up",
        "this computer has a tunnel interface up that carries nothing; all is well",
        FINE,
        prove.interface_up("wg0"),
        prove.page(FACEBOOK_URL),
        world=_with(tunnels=("wg0",)),
    ),
)

_LOSSY = (Words("accessible"), Words("inconclusive"), Words("no_network"))
_LINES = (
    _row(
        "one_packet_in_ten_lost",
        "a tenth of all packets is lost each way, whatever the name",
        _LOSSY,
        prove.lossy("8.8.8.8", at_least=2, of=60),
        leg={"loss": 0.1},
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "three_packets_in_ten_lost",
        "three packets in ten are lost each way, whatever the name",
        _LOSSY,
        prove.lossy("8.8.8.8", at_least=12, of=40),
        leg={"loss": 0.3},
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "far_away_and_lossy",
        "600 ms a round trip, and a twentieth of all packets lost",
        _LOSSY,
        prove.slower("https://8.8.8.8/", 1.7),
        leg={"delay": 0.298, "loss": 0.05},
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "jitter",
        "every packet takes up to 400 ms longer, at random",
        FINE,
        prove.unsteady("8.8.8.8", spread_s=0.2),
        leg={"jitter": 0.4},
    ),
    _row(
        "swollen_queue",
        "64 kbit/s with eight seconds of queue: the probe's own packets delay each other by seconds",
        _LOSSY,
        prove.slower(OTHER, 3.0),
        leg={"rate": 64_000, "queue": 64_000},
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "one_flow_in_four_dies",
        "one member of a bundle of four links is dead: a quarter of all flows, whatever the name",
        _LOSSY,
        prove.connects(LIVEJOURNAL, low=20, high=37),
        rules=always(rules.Drop(when=When(protocol=TCP, fraction=0.25))),
        sound=(),
        check=(FACEBOOK_URL, OTHER, "https://x.com/"),
        network=ANY_NETWORK,
    ),
    _row(
        "one_address_in_four_dies",
        "the same bundle, sorted by address only: a quarter of all places is dead from here, whatever the name",
        _LOSSY,
        prove.some_places_dead(low=2, high=14, of=24),
        rules=always(rules.Drop(when=When(protocol=TCP, fraction=0.25, by_address=True))),
        sound=(),
        check=(FACEBOOK_URL, OTHER, "https://x.com/", "https://www.instagram.com/", "https://t.me/"),
        network=ANY_NETWORK,
    ),
    _row(
        "half_of_the_flows_die",
        "half of all flows die, whatever the name",
        _LOSSY,
        prove.connects(LIVEJOURNAL, low=8, high=32),
        rules=always(rules.Drop(when=When(protocol=TCP, fraction=0.5))),
        sound=(),
        check=(FACEBOOK_URL, OTHER, "https://x.com/"),
        network=ANY_NETWORK,
    ),
    _row(
        "half_of_the_greetings_die",
        "connections are made, and in half of the flows nothing larger than 300 bytes goes up, whatever the name",
        _LOSSY,
        prove.connects(LIVEJOURNAL, low=40, high=40),
        prove.some_greetings_die(LIVEJOURNAL, low=3, high=17, of=20),
        rules=always(rules.Drop(when=When(protocol=TCP, ports=(443,), side="up", larger_than=300, fraction=0.5))),
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "half_of_the_flows_are_reset",
        "a worn-out translator resets half of all flows at their first packet, whatever the name",
        _LOSSY,
        prove.connects(LIVEJOURNAL, low=8, high=32),
        rules=always(rules.Reset(when=When(protocol=TCP, side="up", fraction=0.5), place="access")),
        sound=(),
        check=(FACEBOOK_URL, OTHER, "https://x.com/"),
        network=ANY_NETWORK,
    ),
    _row(
        "udp_lost",
        "half of all questions are lost one way or the other, connections are not",
        _LOSSY,
        prove.lossy("8.8.8.8", at_least=10, of=40),
        prove.connects(LIVEJOURNAL, low=40, high=40),
        rules=always(rules.Lose(when=When(protocol=UDP), probability=0.3)),
        sound=(),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
    ),
    _row(
        "small_packets_only",
        "a tunnel of the provider's carries 1280 bytes and says so by ICMP",
        FINE,
        prove.page(FACEBOOK_URL),
        prove.too_big("8.8.8.8"),
        leg={"mtu": 1280},
    ),
)


SCENARIOS: tuple[Scenario, ...] = (*_ADDRESSES, *_OWN_SIDE, *_LINES)
