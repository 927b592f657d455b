"""Names: lies of the network's DNS, and everything that only looks like one. See scenarios.py for what a row is.

What one vantage can know decides which words are right. A denial that DNS abroad contradicts, a forged packet, one wrong
address for unrelated sites: a block. SERVFAIL, silence, an empty answer or a stranger's certificate at the address: a zone
that refuses a country, a resolver without its trust anchor and a site that moved look the same, so nobody can know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import prove, rules
from tests.lab.authority import Kind
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import BOGON, FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import PUBLIC_RESOLVERS, Nameserver, Says, Site, World

LIVEJOURNAL = "www.livejournal.com"
X, X_URL = "x.com", "https://x.com/"
HOME = "192.168.0.53"
FAMILY_FILTER = "94.140.14.15"
BLOCK_PAGE = "178.89.4.10"
NOBODY = "4.36.66.178"
ADS = ("doubleclick.net", "googleadservices.com", "adnxs.com")
POOL = ("157.240.0.35", "31.13.72.36", "185.60.216.35")
NXDOMAIN, SERVFAIL, REFUSED = Says(rcode=3), Says(rcode=2), Says(rcode=5)
NULL = Says(addresses=("0.0.0.0",))

_ABROAD = ("0.0.0.0/2", "64.0.0.0/4", "80.0.0.0/5", "96.0.0.0/3", "128.0.0.0/1")
"""Everywhere but where the provider's resolver is."""

UNKNOWN = (Words("inconclusive"),)
FINE = (Words("accessible"),)
OWN_FILTER = (Words("no_network", "filter"),)
MAYBE_FILTER = (*OWN_FILTER, *UNKNOWN)
_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "no_network": 3, "inconclusive": 3}
_NOTICE = (
    "<html><head><title>Доступ ограничен</title></head><body>Доступ к ресурсу ограничен по решению суда.</body></html>"
)


_FAMILY = (
    "<html><head><title>Родительский контроль</title></head><body>Сайт закрыт услугой «Детский интернет».</body></html>"
)


def _blocked(signature: str) -> tuple[Words, ...]:
    return (Words("blocked", "dns", signature),)


def _with(**values: Any) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(world, **values)


def _said_by_provider(says: dict[str, Says], **values: Any) -> Callable[[World], World]:
    """The provider's resolver has manners of its own."""
    server = Nameserver(address=RESOLVER, says=says, **values)
    return _with(resolver_runs=False, nameservers=(server,))


def _said_at_home(says: dict[str, Says], **values: Any) -> Callable[[World], World]:
    """The probe's machine asks a resolver of the household, which asks the provider's about the rest."""
    server = Nameserver(address=HOME, says=says, upstream=RESOLVER)
    return _with(nameservers=(server,), resolvers=(HOME,), **values)


def _block_page(*names: str, certificate: Kind = "self_signed") -> Callable[[World], World]:
    """The provider's resolver sends *names* to its own notice."""

    def build(world: World) -> World:
        notice = Site(
            name="notice.provider.example",
            address=BLOCK_PAGE,
            certificate=certificate,
            plain=(("/", 200, _NOTICE),),
        )
        return dataclasses.replace(
            world, sites={**world.sites, notice.name: notice}, lies=dict.fromkeys(names, BLOCK_PAGE)
        )

    return build


def _sent_to_another(*names: str) -> Callable[[World], World]:
    """The provider's resolver gives *names* the address of somebody else's healthy site."""
    return lambda world: dataclasses.replace(world, lies=dict.fromkeys(names, world.addresses()[LIVEJOURNAL]))


def _injected(**values: Any) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: (rules.DnsInject(**{"names": ("facebook.com",), "place": "access", **values}),)


def _no_encrypted_dns() -> tuple[Rule, ...]:
    """DoT and DoH of the public resolvers vanish; their plain DNS does not."""
    return (
        rules.Drop(when=When(protocol=TCP, ports=(853,))),
        rules.Drop(when=When(protocol=TCP, ports=(443,), remote=_resolvers())),
    )


def _resolvers() -> tuple[str, ...]:
    return tuple(f"{address}/32" for address in PUBLIC_RESOLVERS)


def _all_dns_here(_world: World) -> tuple[Rule, ...]:
    """Whoever is asked on port 53, the provider's resolver answers."""
    return (rules.Divert(when=When(ports=(53,)), to=RESOLVER, place="access"),)


def _at(name: str, **values: Any) -> Callable[[World], World]:
    return lambda world: world.change(name, **values)


def _both(*steps: Callable[[World], World]) -> Callable[[World], World]:
    def build(world: World) -> World:
        for step in steps:
            world = step(world)
        return world

    return build


def _made_up(world: World, *, names: tuple[str, ...] | None = None) -> dict[str, str]:
    """Name → an address of 198.18/15, as circumvention programs on a router answer; all names, or *names* only."""
    wanted = [name for name in world.addresses() if names is None or name in names]
    return {name: f"198.18.{number // 250}.{number % 250 + 1}" for number, name in enumerate(wanted)}


def _tunnelled(names: tuple[str, ...] | None = None) -> Callable[[World], World]:
    def build(world: World) -> World:
        says = {name: Says(addresses=(address,)) for name, address in _made_up(world, names=names).items()}
        return _said_at_home(says)(world)

    return build


def _tunnel(world: World) -> tuple[Rule, ...]:
    true = world.addresses()
    return (
        rules.Translate(addresses={made_up: true[name] for name, made_up in _made_up(world).items()}, place="access"),
    )


def _row(
    name: str,
    tells: str,
    acceptable: tuple[Words, ...],
    *proofs: prove.Proof,
    sound: tuple[str, ...] = (OTHER,),
    **more: Any,
) -> Scenario:
    codes = tuple(sorted({_CODES[words.status] for words in acceptable}))
    return Scenario(
        name=name, tells=tells, acceptable=acceptable, proofs=proofs, sound=sound, **{"exit_codes": codes, **more}
    )


_LIES = (
    _row(
        "dns_block_page",
        "the provider's resolver sends the name to a server with a notice of an order",
        _blocked("dns.injection.block_page"),
        prove.answers(FACEBOOK, BLOCK_PAGE),
        prove.truth(FACEBOOK),
        prove.page(f"http://{BLOCK_PAGE}/"),
        prove.certificate_error(FACEBOOK_URL, "self"),
        world=_block_page(FACEBOOK),
        in_slice=True,
    ),
    _row(
        "dns_one_address_for_unrelated_names",
        "the provider's resolver sends two unrelated names to one server of its own, which says nothing of an order",
        _blocked("dns.injection.other"),
        prove.answers(FACEBOOK, BLOCK_PAGE),
        prove.answers(X, BLOCK_PAGE),
        prove.truth(FACEBOOK),
        prove.answers("no-such-name.example", "NXDOMAIN"),
        world=_both(
            _block_page(FACEBOOK, X),
            lambda world: world.change("notice.provider.example", plain=(("/", 200, "Hello"),)),
        ),
        check=(FACEBOOK_URL, X_URL),
    ),
    _row(
        "dns_refused",
        "the provider's resolver refuses the name and answers for others",
        _blocked("dns.refused"),
        prove.answers(FACEBOOK, "REFUSED"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "refused"}),
    ),
    _row(
        "dns_censored_by_its_own_word",
        "the provider's resolver fails for the name and says with code 16 that it was told to",
        _blocked("dns.servfail"),
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_by_provider({FACEBOOK: Says(rcode=2, error=16)}),
    ),
    _row(
        "dns_empty",
        "the provider's resolver says that the name has no address; a zone that answers by country looks the same",
        UNKNOWN,
        prove.answers(FACEBOOK, ""),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "empty"}),
    ),
    _row(
        "dns_servfail",
        "the provider's resolver fails for the name with and without checking; a zone that refuses it looks the same",
        UNKNOWN,
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.answers(FACEBOOK, "SERVFAIL", RESOLVER, "+cd"),
        prove.truth(FACEBOOK),
        world=_with(lies={FACEBOOK: "servfail"}),
    ),
    _row(
        "dns_silence",
        "the provider's resolver is silent about the name; a zone whose servers it cannot reach looks the same",
        UNKNOWN,
        prove.answers(FACEBOOK, ""),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "silence"}),
    ),
    _row(
        "dns_bogon_and_encrypted_dns_blocked",
        "as dns_bogon, and DNS over TLS and HTTPS vanish besides: plain questions abroad still tell the truth",
        _blocked("dns.injection.bogon"),
        prove.answers(FACEBOOK, BOGON),
        prove.truth(FACEBOOK),
        prove.fails("https://8.8.8.8/", prove.SILENT),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: BOGON}),
        rules=lambda _world: _no_encrypted_dns(),
    ),
    _row(
        "dns_proxy_nxdomain",
        "whoever is asked, the provider's resolver answers, and it denies the name; encrypted DNS is let through",
        _blocked("dns.nxdomain"),
        prove.answers(FACEBOOK, "NXDOMAIN", "8.8.8.8"),
        prove.answers(FACEBOOK, "NXDOMAIN", "192.0.2.53"),
        prove.answers(FACEBOOK, "NXDOMAIN", "8.8.8.8", "+tcp"),
        prove.page("https://8.8.8.8/"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "nxdomain"}),
        rules=_all_dns_here,
    ),
    _row(
        "dns_proxy_and_encrypted_dns_blocked",
        "as before, and encrypted DNS vanishes: nobody is left to ask, so an expired name looks the same",
        UNKNOWN,
        prove.answers(FACEBOOK, "NXDOMAIN", "8.8.8.8"),
        prove.fails("https://8.8.8.8/", prove.SILENT),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "nxdomain"}),
        rules=lambda world: (*_all_dns_here(world), *_no_encrypted_dns()),
    ),
)

_INJECTIONS = (
    _row(
        "inject_bogon_swallowing",
        "at the border a question for the name is answered with a private address and goes no further",
        _blocked("dns.injection"),
        prove.answers(FACEBOOK, BOGON, "192.0.2.53"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.page(OTHER),
        rules=_injected(address=BOGON, pass_on=False, place="border"),
    ),
    _row(
        "inject_other_alive",
        "on the path a forged answer leads to a stranger's healthy site; the true one comes late",
        _blocked("dns.injection.other"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.fails(FACEBOOK_URL, prove.UNTRUSTED),
        prove.page(OTHER),
        rules=lambda world: _injected(address=world.addresses()[LIVEJOURNAL])(world),
    ),
    _row(
        "inject_other_dead",
        "on the path a forged answer leads to an address where nobody lives; the true one comes late",
        _blocked("dns.injection.other"),
        prove.answers(FACEBOOK, NOBODY, "192.0.2.53"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.page(OTHER),
        rules=_injected(address=NOBODY),
    ),
    _row(
        "inject_nxdomain",
        "on the path a question for the name is denied first; the true answer comes late",
        _blocked("dns.nxdomain"),
        prove.answers(FACEBOOK, "NXDOMAIN", "192.0.2.53"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.page(OTHER),
        rules=_injected(rcode=3),
        in_slice=True,
    ),
    _row(
        "inject_servfail",
        "on the path a forged failure comes first, from addresses that run no resolver too",
        _blocked("dns.servfail"),
        prove.answers(FACEBOOK, "SERVFAIL", "192.0.2.53"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.page(OTHER),
        rules=_injected(rcode=2),
    ),
    _row(
        "inject_on_the_way_to_the_provider",
        "only questions to the provider's resolver over UDP get a forged answer; over TCP it is honest, and so is abroad",
        _blocked("dns.injection.bogon"),
        prove.answers(FACEBOOK, BOGON),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        rules=_injected(address=BOGON, when=When(remote=(f"{RESOLVER}/32",)), place="border"),
    ),
    _row(
        "inject_on_the_way_abroad",
        "only questions that leave the country get a forged answer: the provider's customers see nothing of it",
        FINE,
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        prove.page(FACEBOOK_URL),
        rules=_injected(address=BOGON, when=When(remote=_resolvers())),
    ),
    _row(
        "dns_lie_and_inject_abroad",
        "the provider denies the name, and plain questions abroad get a forged answer: only encrypted DNS is honest",
        (*_blocked("dns.nxdomain"), *_blocked("dns.injection.bogon")),
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        prove.page("https://8.8.8.8/"),
        world=_with(lies={FACEBOOK: "nxdomain"}),
        rules=_injected(address=BOGON, when=When(remote=_resolvers())),
    ),
    _row(
        "inject_abroad_and_server_dead",
        "only questions that leave the country get a forged answer, and the name's server is dead for everybody",
        (Words("outage"), *UNKNOWN),
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        prove.answers(FACEBOOK, BOGON, "192.0.2.53"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_at(FACEBOOK, present=False),
        rules=_injected(address=BOGON, when=When(remote=_ABROAD)),
    ),
    _row(
        "inject_abroad_and_nearest_cache_dead",
        "only questions that leave the country get a forged answer; the provider's is a cache of its own, which is dead",
        UNKNOWN,
        prove.answers(FACEBOOK, POOL[0]),
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        prove.answers(FACEBOOK, BOGON, "192.0.2.53"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        world=_both(_at(FACEBOOK, hidden_at=POOL, dead_at=(POOL[0],)), _with(lies={FACEBOOK: POOL[0]})),
        rules=_injected(address=BOGON, when=When(remote=_ABROAD)),
    ),
    _row(
        "inject_bogon_and_encrypted_dns_blocked",
        "every plain answer is forged and swallowed, and encrypted DNS vanishes: addresses without a resolver betray it",
        _blocked("dns.injection.bogon"),
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.fails("https://8.8.8.8/", prove.SILENT),
        prove.page(OTHER),
        rules=lambda world: (*_injected(address=BOGON, pass_on=False)(world), *_no_encrypted_dns()),
    ),
)

_LOCAL = (
    _row(
        "pihole_null",
        "the household's resolver sends advertising and the name to 0.0.0.0",
        OWN_FILTER,
        prove.answers(FACEBOOK, "0.0.0.0"),
        prove.answers(ADS[0], "0.0.0.0"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({**dict.fromkeys(ADS, NULL), FACEBOOK: NULL}),
        in_slice=True,
    ),
    _row(
        "pihole_nxdomain",
        "the household's resolver says that advertising and the name do not exist",
        OWN_FILTER,
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(ADS[0], "NXDOMAIN"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({**dict.fromkeys(ADS, NXDOMAIN), FACEBOOK: NXDOMAIN}),
    ),
    _row(
        "home_list_with_subdomains",
        "the household's resolver refuses one name with all below it, and nothing else",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "0.0.0.0"),
        prove.answers(f"x.{FACEBOOK}", "0.0.0.0"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({".facebook.com": NULL}),
    ),
    _row(
        "home_list_of_one_name",
        "the household's resolver refuses exactly one name: a forwarder that passes on the provider's lie looks the same",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(f"x.{FACEBOOK}", "NXDOMAIN"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({FACEBOOK: NXDOMAIN}),
    ),
    _row(
        "home_forwards_the_lie",
        "the household's resolver passes on the provider's denial: from here it looks like the household's own list",
        UNKNOWN,
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(FACEBOOK, "NXDOMAIN", RESOLVER),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({}, lies={FACEBOOK: "nxdomain"}),
    ),
    _row(
        "hosts_file_null",
        "this computer's hosts file sends the name to 0.0.0.0",
        OWN_FILTER,
        prove.library(FACEBOOK, "0.0.0.0"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(hosts=f"0.0.0.0 {FACEBOOK}\n"),
    ),
    _row(
        "hosts_file_old_address",
        "this computer's hosts file has the name at an address where nobody lives any more",
        OWN_FILTER,
        prove.library(FACEBOOK, NOBODY),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_with(hosts=f"{NOBODY} {FACEBOOK}\n"),
    ),
    _row(
        "hosts_file_right_address",
        "this computer's hosts file has the name at its true address, while the provider's resolver denies it",
        FINE,
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.page(FACEBOOK_URL),
        world=lambda world: dataclasses.replace(
            world, hosts=f"{world.addresses()[FACEBOOK]} {FACEBOOK}\n", lies={FACEBOOK: "nxdomain"}
        ),
    ),
    _row(
        "router_takes_questions_home_resolver",
        "the household's router answers questions for listed names itself, wherever they go; its own forwarder is asked",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "0.0.0.0"),
        prove.answers(FACEBOOK, "0.0.0.0", "8.8.8.8"),
        prove.answers(FACEBOOK, "0.0.0.0", "192.0.2.53"),
        prove.page(OTHER),
        world=_said_at_home({}),
        rules=_injected(address="0.0.0.0", pass_on=False, place="home"),
    ),
    _row(
        "router_takes_questions_provider_resolver",
        "the same router, and this computer asks the provider's resolver: nothing but the TTL tells it from the access network",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "0.0.0.0"),
        prove.answers(FACEBOOK, "0.0.0.0", "192.0.2.53"),
        prove.page(OTHER),
        rules=_injected(address="0.0.0.0", pass_on=False, place="home"),
    ),
    _row(
        "family_filter_chosen",
        "this computer asks a public family filter, which refuses the name",
        OWN_FILTER,
        prove.answers(FACEBOOK, "0.0.0.0", FAMILY_FILTER),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(
            nameservers=(Nameserver(address=FAMILY_FILTER, says={FACEBOOK: NULL}),), resolvers=(FAMILY_FILTER,)
        ),
    ),
    _row(
        "family_filter_denies",
        "this computer asks a public family filter, which says that the name does not exist",
        OWN_FILTER,
        prove.answers(FACEBOOK, "NXDOMAIN", FAMILY_FILTER),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_with(
            nameservers=(Nameserver(address=FAMILY_FILTER, says={FACEBOOK: NXDOMAIN}),), resolvers=(FAMILY_FILTER,)
        ),
    ),
    _row(
        "child_safe_tariff",
        "the provider's resolver refuses the name and says with code 17 that the customer wanted it so",
        OWN_FILTER,
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_by_provider({FACEBOOK: Says(rcode=3, error=17)}),
    ),
    _row(
        "child_safe_tariff_with_a_page",
        "the provider's resolver sends two names to its page that says that the customer's family protection refuses them",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, BLOCK_PAGE),
        prove.answers(X, BLOCK_PAGE),
        prove.truth(FACEBOOK),
        prove.page(f"http://{BLOCK_PAGE}/"),
        world=_both(
            _block_page(FACEBOOK, X),
            lambda world: world.change("notice.provider.example", plain=(("/", 200, _FAMILY),)),
        ),
        check=(FACEBOOK_URL, X_URL),
    ),
    _row(
        "company_split_horizon_dead",
        "the company's resolver sends the name to its own machine, which does not answer",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "10.20.30.40"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        world=_said_at_home({FACEBOOK: Says(addresses=("10.20.30.40",))}),
    ),
    _row(
        "company_split_horizon_alive",
        "the company's resolver sends the name to a private address, where the site is with its own certificate",
        FINE,
        prove.answers(FACEBOOK, "10.20.30.40"),
        prove.page(FACEBOOK_URL),
        world=_both(
            _at(FACEBOOK, hidden_at=("10.20.30.40",)), _said_at_home({FACEBOOK: Says(addresses=("10.20.30.40",))})
        ),
    ),
    _row(
        "tunnel_addresses_working",
        "a circumvention program on the router makes up an address for every name, and carries it",
        FINE,
        prove.page(FACEBOOK_URL),
        lambda lab: prove.answers(FACEBOOK, _made_up(lab.world)[FACEBOOK])(lab),
        world=_tunnelled(),
        rules=_tunnel,
    ),
    _row(
        "tunnel_addresses_broken_for_some",
        "a circumvention program on the router makes up an address for listed names, and its tunnel is dead",
        MAYBE_FILTER,
        prove.answers(FACEBOOK, "198.18.0.1"),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_tunnelled((FACEBOOK,)),
    ),
)

_ODD = (
    _row(
        "resolver_rewrites_missing",
        "the provider's resolver sends names that do not exist to its advertising; this one does not exist any more",
        (Words("outage", "dns"), *UNKNOWN),
        prove.answers(FACEBOOK, BLOCK_PAGE),
        prove.answers("no-such-name.example", BLOCK_PAGE),
        prove.answers(FACEBOOK, "NXDOMAIN", "8.8.8.8"),
        world=_both(
            _block_page(),
            lambda world: world.change("notice.provider.example", plain=(("/", 200, "Buy now"),)),
            _said_by_provider({FACEBOOK: Says(addresses=(BLOCK_PAGE,))}, missing=Says(addresses=(BLOCK_PAGE,))),
            _with(abroad={FACEBOOK: "nxdomain"}),
        ),
        control=(prove.fails(FACEBOOK_URL, prove.UNRESOLVED),),
    ),
    _row(
        "resolver_rewrites_what_it_cannot_find",
        "the provider's resolver has lost the name and sends it to its advertising like every missing one",
        UNKNOWN,
        prove.answers(FACEBOOK, BLOCK_PAGE),
        prove.answers("no-such-name.example", BLOCK_PAGE),
        prove.truth(FACEBOOK),
        world=_both(
            _block_page(),
            lambda world: world.change("notice.provider.example", plain=(("/", 200, "Buy now"),)),
            _said_by_provider({FACEBOOK: Says(addresses=(BLOCK_PAGE,))}, missing=Says(addresses=(BLOCK_PAGE,))),
        ),
    ),
    _row(
        "resolver_without_trust_anchor",
        "the provider's resolver fails for signed zones unless checking is disabled",
        UNKNOWN,
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.truth(FACEBOOK),
        prove.page(OTHER),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK], RESOLVER, "+cd")(lab),
        world=_said_by_provider({FACEBOOK: Says(rcode=2, unless_unchecked=True)}),
    ),
    _row(
        "resolver_slow",
        "the provider's resolver takes 2.5 s for every answer",
        FINE,
        prove.answers(FACEBOOK, ""),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK], None, "+time=4")(lab),
        world=_said_by_provider({"*": Says(delay=2.5)}),
    ),
    _row(
        "resolver_slow_for_one_name",
        "the provider's resolver takes 4 s for the name, which is cold",
        FINE,
        prove.answers(FACEBOOK, ""),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK], None, "+time=6")(lab),
        world=_said_by_provider({FACEBOOK: Says(delay=4.0)}),
    ),
    _row(
        "resolver_limits_the_rate",
        "the provider's resolver refuses what is more than seventy questions a second, whatever the name",
        FINE,
        prove.burst_refused(RESOLVER, low=30, of=100),
        world=_said_by_provider({}, limit=70),
        check=(),
        sound=(),
    ),
    _row(
        "resolver_limits_the_rate_tightly",
        "the provider's resolver refuses what is more than twelve questions a second, whatever the name",
        FINE,
        prove.burst_refused(RESOLVER, low=30, of=100),
        world=_said_by_provider({}, limit=12),
        sound=(),
    ),
    _row(
        "first_resolver_dead",
        "the first of two resolvers is dead, the second works",
        FINE,
        prove.asks(NOBODY, RESOLVER),
        prove.answers(FACEBOOK, "", NOBODY),
        prove.truth(FACEBOOK),
        world=_with(resolvers=(NOBODY, RESOLVER)),
    ),
    _row(
        "resolver_truncates",
        "the provider's resolver says over UDP that the answer is too long, and gives it over TCP",
        FINE,
        prove.answers(FACEBOOK, "", RESOLVER, "+ignore"),
        prove.page(FACEBOOK_URL),
        world=_said_by_provider({FACEBOOK: Says(truncated=True)}),
    ),
    _row(
        "resolver_truncates_and_tcp_is_dead",
        "the provider's resolver says that the answer is too long, and does not listen on TCP",
        UNKNOWN,
        prove.answers(FACEBOOK, "", RESOLVER, "+ignore"),
        prove.fails(FACEBOOK_URL, prove.UNRESOLVED, prove.SILENT),
        prove.truth(FACEBOOK),
        world=_said_by_provider({FACEBOOK: Says(truncated=True)}, tcp=False),
    ),
    _row(
        "resolver_drops_edns",
        "the provider's resolver is silent to questions with EDNS; the C library asks without",
        FINE,
        prove.answers(FACEBOOK, "", RESOLVER),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[FACEBOOK], RESOLVER, "+noedns")(lab),
        prove.page(FACEBOOK_URL),
        world=_said_by_provider({}, edns="drop"),
    ),
    _row(
        "resolver_older_than_edns",
        "the provider's resolver answers FORMERR to questions with EDNS",
        FINE,
        prove.answers(FACEBOOK, "FORMERR", RESOLVER),
        prove.page(FACEBOOK_URL),
        world=_said_by_provider({}, edns="formerr"),
    ),
    _row(
        "moved_site",
        "the provider's resolver still gives the old address, where a stranger has a valid certificate; a lie to a stranger's "
        "site looks the same",
        UNKNOWN,
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.UNTRUSTED, says="match"),
        prove.page(OTHER),
        world=_sent_to_another(FACEBOOK),
        in_slice=True,
    ),
    _row(
        "moved_site_old_place_empty",
        "the provider's resolver still gives the old address, where nobody lives any more",
        UNKNOWN,
        prove.answers(FACEBOOK, NOBODY),
        prove.truth(FACEBOOK),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: NOBODY}),
    ),
    _row(
        "expired_domain",
        "the name does not exist anywhere",
        (Words("outage", "dns", "dns.nxdomain"),),
        prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(FACEBOOK, "NXDOMAIN", "8.8.8.8"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "nxdomain"}, abroad={FACEBOOK: "nxdomain"}),
    ),
    _row(
        "zone_broken",
        "the name's own DNS is broken: everybody's resolver fails",
        (Words("outage", "dns", "dns.servfail"),),
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.answers(FACEBOOK, "SERVFAIL", "8.8.8.8"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "servfail"}, abroad={FACEBOOK: "servfail"}),
    ),
    _row(
        "zone_broken_and_here_silent",
        "the name's own DNS is broken: resolvers abroad say so, the provider's goes on trying and says nothing",
        (Words("outage", "dns"), *UNKNOWN),
        prove.answers(FACEBOOK, ""),
        prove.answers(FACEBOOK, "SERVFAIL", "8.8.8.8"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "silence"}, abroad={FACEBOOK: "servfail"}),
        control=(prove.fails(FACEBOOK_URL, prove.UNRESOLVED),),
    ),
    _row(
        "zone_empty",
        "the name has no address any more, and everybody's resolver says so",
        (Words("outage", "dns", "dns.no_answer"),),
        prove.answers(FACEBOOK, ""),
        prove.answers(FACEBOOK, "", "8.8.8.8"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "empty"}, abroad={FACEBOOK: "empty"}),
    ),
    _row(
        "zone_says_loopback",
        "the owner has pointed the name at 127.0.0.1, and everybody's resolver says so",
        (Words("outage", "dns"), *UNKNOWN),
        prove.answers(FACEBOOK, "127.0.0.1"),
        prove.answers(FACEBOOK, "127.0.0.1", "8.8.8.8"),
        prove.page(OTHER),
        world=_with(lies={FACEBOOK: "127.0.0.1"}, abroad={FACEBOOK: "127.0.0.1"}),
    ),
    _row(
        "content_network_answers_by_resolver",
        "each resolver gives another address of the name, and all of them are right",
        FINE,
        prove.answers(FACEBOOK, POOL[0]),
        prove.answers(FACEBOOK, POOL[1], "8.8.8.8"),
        prove.page(FACEBOOK_URL),
        world=_both(_at(FACEBOOK, hidden_at=POOL), _with(lies={FACEBOOK: POOL[0]}, abroad={FACEBOOK: POOL[1]})),
    ),
    _row(
        "content_network_answers_by_visit",
        "the name has another address at every question, and all of them are right",
        FINE,
        prove.page(FACEBOOK_URL),
        prove.page(FACEBOOK_URL),
        prove.rotates(FACEBOOK, of=3),
        world=_both(
            _at(FACEBOOK, hidden_at=POOL),
            _said_by_provider({FACEBOOK: Says(addresses=POOL, rotate=True)}),
        ),
    ),
    _row(
        "cache_in_the_provider_dead",
        "the provider's resolver sends the name to a content network's cache nearby, which is dead; elsewhere the name lives",
        UNKNOWN,
        prove.answers(FACEBOOK, POOL[0]),
        prove.answers(FACEBOOK, POOL[1], "8.8.8.8"),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        world=_both(
            _at(FACEBOOK, hidden_at=POOL, dead_at=(POOL[0],)),
            _with(lies={FACEBOOK: POOL[0]}, abroad={FACEBOOK: POOL[1]}),
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_LIES, *_INJECTIONS, *_LOCAL, *_ODD)
