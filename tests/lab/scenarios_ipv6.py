"""Two versions of IP: networks and sites that have both, one that is half there, and machines that have only the new one.

A browser takes whichever version answers (RFC 8305), so a site that answers over one of them is accessible, and what is
wrong with the other is said beside it. A broken version excuses its own failures and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import dual, prove, prove6, rules
from tests.lab.kinds import OfKind
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP
from tests.lab.prove import RESET, SILENT, UNCONNECTED, UNRESOLVED, Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import ANY_OUTAGE, BOGON, FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import World

BOGON6 = "2001:db8:35::1"
OWN_PREFIX = "2a02:1b8:7:64::"
"""A provider's own prefix for its translator, of 96 bits."""
_DOMAIN = "facebook.com"
_NEUTRAL, _INNOCUOUS = "www.wikipedia.org", "www.nobelprize.org"
_SIX, _FOUR = When(version=6), When(version=4)

ACCESSIBLE = (Words("accessible"),)
UNKNOWN = (Words("inconclusive"),)
SNI_SILENT = (Words("blocked", "tls", "tls.timeout.sni"),)
BY_DNS = (Words("blocked", "dns", "dns.injection.bogon"),)


def _row(
    name: str,
    tells: str,
    acceptable: tuple[Words, ...],
    *proofs: Proof,
    world: Callable[[World], World] = dual.dual,
    rules: tuple[Rule, ...] | Callable[[World], tuple[Rule, ...]] = (),
    **more: Any,
) -> Scenario:
    """A row on a network with both versions, with another site beside that is well."""
    codes = {"accessible": (0,), "blocked": (1,), "outage": (1, 3), "inconclusive": (3,), "no_network": (3,)}
    its_rules = rules if callable(rules) else lambda _world: rules
    values = {"exit_codes": codes[acceptable[0].status], "sound": (OTHER,)} | more
    return Scenario(
        name=name, tells=tells, acceptable=acceptable, proofs=proofs, world=world, rules=its_rules, **values
    )


def _with(make: Callable[[World], World], **values: Any) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(make(world), **values)


def _lying(*said: str) -> Callable[[World], World]:
    """The provider's resolver gives these addresses for the name; ``4`` and ``6`` stand for the true ones."""

    def change(world: World) -> World:
        both = dual.dual(world)
        true = {"4": both.sites[FACEBOOK].address, "6": dual.six(both, FACEBOOK)}
        return dataclasses.replace(both, lies={FACEBOOK: ",".join(true.get(one, one) for one in said)})

    return change


def _six_of(name: str) -> Callable[[World], tuple[str, ...]]:
    return lambda world: (f"{dual.six(world, name)}/128",)


def _without(name: str) -> Callable[[World], World]:
    return lambda world: dual.dual(world, without=(name,))


def _half_dead(world: World) -> World:
    both = dual.dual(world)
    return both.change(FACEBOOK, dead_at=(dual.six(both, FACEBOOK),))


def _at_six(rule: Callable[..., Rule], **values: Any) -> Callable[[World], tuple[Rule, ...]]:
    """A rule for the name's IPv6 address."""
    return lambda world: (rule(when=When(remote=_six_of(FACEBOOK)(world)), **values),)


def _at_both(rule: Callable[..., Rule], **values: Any) -> Callable[[World], tuple[Rule, ...]]:
    return lambda world: (
        rule(when=When(remote=(*_six_of(FACEBOOK)(world), f"{world.sites[FACEBOOK].address}/32")), **values),
    )


_DEAD_SIX = rules.Drop(when=_SIX, place="access")
_ONLY_FOUR = (prove6.page(FACEBOOK_URL, 4), prove6.routes(four=True, six=True))
_BOTH = (prove6.page(OTHER, 4), prove6.page(OTHER, 6))
_LIVES_BEHIND = (prove6.routes(four=False, six=True), prove6.page(OTHER, 6))
_NO_HELLO = (
    prove.handshake(_NEUTRAL, FACEBOOK, works=False),
    prove.handshake(FACEBOOK, _INNOCUOUS, works=True),
)
_NO_HELLO6 = (
    prove6.handshake(_NEUTRAL, FACEBOOK, works=False),
    prove6.handshake(FACEBOOK, _INNOCUOUS, works=True),
)

_HEALTHY = (
    _row(
        "both_versions_healthy",
        "every site has both versions, and so has the way",
        ACCESSIBLE,
        prove6.page(FACEBOOK_URL, 4),
        prove6.page(FACEBOOK_URL, 6),
        prove6.answers(FACEBOOK, "{name}"),
        in_slice=True,
    ),
    _row(
        "site_without_ipv6",
        "the machine has both versions, the site only the old one: its AAAA answer is empty, as most are",
        ACCESSIBLE,
        prove6.page(FACEBOOK_URL, 4),
        prove6.answers(FACEBOOK, ""),
        prove6.page(OTHER, 6),
        world=_without(FACEBOOK),
    ),
    _row(
        "sites_have_ipv6_the_machine_does_not",
        "names have AAAA records, the machine has an IPv6 address and no default route for it",
        ACCESSIBLE,
        prove6.routes(four=True, six=False),
        prove6.fails(FACEBOOK_URL, 6, UNCONNECTED),
        prove6.page(FACEBOOK_URL, 4),
        world=_with(dual.dual, route6=False),
    ),
    _row(
        "resolver_only_over_ipv6",
        "the machine was told of a resolver by its IPv6 address only",
        ACCESSIBLE,
        prove.asks(dual.RESOLVER6),
        prove.answers(FACEBOOK, "", RESOLVER, "+notcp"),
        prove6.page(FACEBOOK_URL, 4),
        world=_with(dual.dual, resolvers=(dual.RESOLVER6,)),
        rules=(rules.Drop(when=When(remote=(f"{RESOLVER}/32",)), place="access"),),
    ),
)

_BROKEN = (
    _row(
        "ipv6_leads_nowhere",
        "there is a default route for IPv6, and nothing ever comes back over it; the old version is well",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        *_ONLY_FOUR,
        rules=(_DEAD_SIX,),
        in_slice=True,
    ),
    _row(
        "ipv6_refused_by_the_provider",
        "the provider's first router says of every IPv6 packet that it has no route",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 6, UNCONNECTED),
        *_ONLY_FOUR,
        rules=(rules.Unreachable(when=_SIX, code=0, offender="92.47.144.1", place="access"),),
    ),
    _row(
        "first_resolver_dead_with_ipv6",
        "the first resolver in the list has an IPv6 address, and IPv6 leads nowhere; the second one is the old address",
        ACCESSIBLE,
        prove.asks(dual.RESOLVER6, RESOLVER),
        prove.answers(FACEBOOK, "", dual.RESOLVER6),
        *_ONLY_FOUR,
        world=_with(dual.dual, resolvers=(dual.RESOLVER6, RESOLVER)),
        rules=(_DEAD_SIX,),
    ),
    _row(
        "only_resolver_dead_with_ipv6",
        "the one resolver has an IPv6 address, and IPv6 leads nowhere: no name can be asked, addresses answer",
        (Words("no_network", "resolver"),),
        prove.asks(dual.RESOLVER6),
        prove6.fails(FACEBOOK_URL, 4, UNRESOLVED, SILENT),
        prove.page("https://8.8.8.8/"),
        world=_with(dual.dual, resolvers=(dual.RESOLVER6,)),
        rules=(_DEAD_SIX,),
        network=(Words("no_network", "resolver"),),
        sound=(),
    ),
    _row(
        "mtu_hole_on_ipv6",
        "full segments over IPv6 vanish behind a tunnel, and the packet-too-big is lost; the old version is well",
        ACCESSIBLE,
        prove6.large_packets_vanish(FACEBOOK),
        prove6.page(FACEBOOK_URL, 4),
        rules=(rules.Drop(when=When(protocol=TCP, version=6, side="down", larger_than=1400), place="far"),),
        control=(prove6.page(FACEBOOK_URL, 4),),
    ),
    _row(
        "ipv4_leads_nowhere",
        "IPv6 is well, and nothing comes back over the old version: the site is reached all the same",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        prove6.page(FACEBOOK_URL, 6),
        world=_with(dual.dual, resolvers=(dual.RESOLVER6,)),
        rules=(rules.Drop(when=_FOUR, place="access"),),
        network=(Words("ok"), Words("inconclusive")),
    ),
)

_SITES = (
    _row(
        "site_dead_over_ipv6_for_everybody",
        "nobody answers at the site's IPv6 address; its old one is well, and so is everybody else's IPv6",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.page(FACEBOOK_URL, 4),
        *_BOTH,
        world=_half_dead,
    ),
    _row(
        "site_refuses_over_ipv6",
        "the site's machine refuses connections to its IPv6 address: its web server listens at the old one only",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 6, UNCONNECTED),
        prove6.page(FACEBOOK_URL, 4),
        *_BOTH,
        rules=_at_six(rules.Reset, place="far"),
    ),
    _row(
        "site_dead_over_both_versions",
        "nobody answers at either address of the site",
        ANY_OUTAGE,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        *_BOTH,
        world=lambda world: _half_dead(world).change(FACEBOOK, present=False),
    ),
    _row(
        "site_dead_and_ipv6_leads_nowhere",
        "nobody answers at the site's old address, and this machine's IPv6 leads nowhere: two troubles, no censor",
        ANY_OUTAGE,
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        prove6.fails(OTHER, 6, SILENT),
        prove6.page(OTHER, 4),
        world=lambda world: dual.dual(world).change(FACEBOOK, dead_at=(world.sites[FACEBOOK].address,)),
        rules=(_DEAD_SIX,),
        control=(prove6.page(FACEBOOK_URL, 6), prove6.fails(FACEBOOK_URL, 4, SILENT)),
    ),
    _row(
        "aaaa_questions_dropped",
        "a box at home drops every AAAA question (RFC 4074 §4.1); A is answered",
        ACCESSIBLE,
        prove6.silence(FACEBOOK),
        prove6.page(FACEBOOK_URL, 4),
        rules=(OfKind(silent=True, place="access"),),
    ),
    _row(
        "aaaa_said_not_to_exist",
        "a load balancer says of the name's AAAA that the name does not exist (RFC 4074 §4.2); A is answered",
        ACCESSIBLE,
        prove6.answers(FACEBOOK, "NXDOMAIN"),
        prove6.page(FACEBOOK_URL, 4),
        rules=(OfKind(names=(_DOMAIN,), rcode=3),),
    ),
    _row(
        "aaaa_not_implemented",
        "an old resolver says of every AAAA question that it does not know the kind (code 4, RFC 4074 §4.3)",
        ACCESSIBLE,
        prove6.answers(FACEBOOK, "NOTIMP"),
        prove6.page(FACEBOOK_URL, 4),
        rules=(OfKind(rcode=4, place="access"),),
    ),
)

_HALF_BLOCKED = (
    _row(
        "aaaa_lies_only",
        "the provider's resolver gives an address of the documentation for the AAAA, and the true A",
        ACCESSIBLE,
        prove6.answers(FACEBOOK, BOGON6),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.page(FACEBOOK_URL, 4),
        world=_lying("4", BOGON6),
    ),
    _row(
        "a_lies_only",
        "the provider's resolver gives a private address for the A, and the true AAAA: browsers get there over IPv6",
        ACCESSIBLE,
        prove.answers(FACEBOOK, BOGON),
        prove6.answers(FACEBOOK, "{name}"),
        prove6.page(FACEBOOK_URL, 6),
        world=_lying(BOGON, "6"),
    ),
    _row(
        "sni_drop_on_ipv4_only",
        "the censor reads names in IPv4 only: the site is reached over IPv6",
        ACCESSIBLE,
        *_NO_HELLO,
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        prove6.page(FACEBOOK_URL, 6),
        rules=(rules.NameDrop(when=_FOUR, names=(_DOMAIN,)),),
    ),
    _row(
        "sni_drop_on_ipv6_only",
        "the censor reads names in IPv6 only: the site is reached over IPv4",
        ACCESSIBLE,
        *_NO_HELLO6,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.page(FACEBOOK_URL, 4),
        rules=(rules.NameDrop(when=_SIX, names=(_DOMAIN,)),),
    ),
    _row(
        "ipv6_address_blackholed",
        "packets to the site's IPv6 address vanish at the border; its old address is well",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.page(FACEBOOK_URL, 4),
        *_BOTH,
        rules=_at_six(rules.Drop),
    ),
    _row(
        "ipv4_address_blackholed_ipv6_is_not",
        "packets to the site's old address vanish at the border; over IPv6 it is there",
        ACCESSIBLE,
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        prove6.page(FACEBOOK_URL, 6),
        *_BOTH,
        rules=lambda world: (rules.Drop(when=When(remote=(f"{world.sites[FACEBOOK].address}/32",))),),
    ),
)

_BLOCKED = (
    _row(
        "sni_drop_on_both_versions",
        "after a greeting with the name nothing of that flow is delivered, over either version",
        SNI_SILENT,
        *_NO_HELLO,
        *_NO_HELLO6,
        *_BOTH,
        rules=(rules.NameDrop(names=(_DOMAIN,)),),
    ),
    _row(
        "sni_reset_on_ipv4_drop_on_ipv6",
        "two devices: the one on the old version's way resets, the one on the new version's says nothing",
        (Words("blocked", "tls", "tls.reset.sni"), Words("blocked", "tls", "tls.timeout.sni")),
        prove6.fails(FACEBOOK_URL, 4, prove.HANDSHAKE, RESET),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        *_NO_HELLO6,
        *_BOTH,
        rules=(rules.NameReset(when=_FOUR, names=(_DOMAIN,)), rules.NameDrop(when=_SIX, names=(_DOMAIN,))),
    ),
    _row(
        "dns_bogons_of_both_kinds",
        "the provider's resolver gives a private A and a documentation's AAAA",
        BY_DNS,
        prove.answers(FACEBOOK, BOGON),
        prove6.answers(FACEBOOK, BOGON6),
        prove.truth(FACEBOOK),
        world=_lying(BOGON, BOGON6),
    ),
    _row(
        "dns_bogon_and_no_aaaa",
        "the provider's resolver gives a private A and an empty AAAA for a site that has both",
        BY_DNS,
        prove.answers(FACEBOOK, BOGON),
        prove6.answers(FACEBOOK, ""),
        prove.truth(FACEBOOK),
        world=_lying(BOGON),
    ),
    _row(
        "dns_injected_on_the_way_to_an_ipv6_resolver",
        "the resolver is asked over IPv6, and a forged A and an empty AAAA arrive before its answers",
        (Words("blocked", "dns", "dns.injection"),),
        prove.asks(dual.RESOLVER6),
        prove.answers(FACEBOOK, BOGON),
        prove.answers(FACEBOOK, BOGON, "8.8.8.8"),
        world=_with(dual.dual, resolvers=(dual.RESOLVER6,)),
        rules=(rules.DnsInject(names=(_DOMAIN,), address=BOGON, place="access"),),
    ),
    _row(
        "ipv6_address_blackholed_sni_drop_on_ipv4",
        "the name is dropped in IPv4, the address in IPv6: neither version gets there",
        SNI_SILENT,
        *_NO_HELLO,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        *_BOTH,
        rules=lambda world: (*_at_six(rules.Drop)(world), rules.NameDrop(when=_FOUR, names=(_DOMAIN,))),
    ),
    _row(
        "both_addresses_blackholed",
        "packets to both addresses vanish at the border; two dead servers look the same",
        UNKNOWN,
        prove6.fails(FACEBOOK_URL, 4, SILENT),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        *_BOTH,
        rules=_at_both(rules.Drop),
        control=(prove6.page(FACEBOOK_URL, 4), prove6.page(FACEBOOK_URL, 6)),
    ),
    # ablations: a broken version beside a block excuses nothing that was proven over the other one
    _row(
        "sni_drop_beside_dead_ipv6",
        "the name is dropped, and IPv6 leads nowhere whatever the name",
        SNI_SILENT,
        *_NO_HELLO,
        prove6.fails(OTHER, 6, SILENT),
        prove6.page(OTHER, 4),
        rules=(_DEAD_SIX, rules.NameDrop(names=(_DOMAIN,))),
    ),
    _row(
        "sni_drop_beside_an_mtu_hole_on_ipv6",
        "the name is dropped over both versions, and full IPv6 segments from everybody vanish besides",
        SNI_SILENT,
        *_NO_HELLO,
        prove6.large_packets_vanish(_NEUTRAL),
        prove6.page(OTHER, 4),
        rules=(
            rules.NameDrop(names=(_DOMAIN,)),
            rules.Drop(when=When(protocol=TCP, version=6, side="down", larger_than=1400), place="far"),
        ),
        control=(prove6.page(FACEBOOK_URL, 4),),
    ),
    _row(
        "dns_bogon_beside_dead_ipv6",
        "the provider's resolver gives a private A and the true AAAA, and IPv6 leads nowhere",
        BY_DNS,
        prove.answers(FACEBOOK, BOGON),
        prove6.answers(FACEBOOK, "{name}"),
        prove6.fails(OTHER, 6, SILENT),
        prove6.page(OTHER, 4),
        world=_lying(BOGON, "6"),
        rules=(_DEAD_SIX,),
    ),
)


def _nat64(**values: Any) -> Callable[[World], World]:
    """No IPv4 on this machine, a translator in the network; nobody has IPv6 but one innocuous site."""
    return lambda world: dataclasses.replace(dual.nat64(world, with6=(_NEUTRAL,)), **values)


_TRANSLATED = (
    _row(
        "only_ipv6_with_a_translator",
        "this machine has no IPv4; the resolver makes addresses up (DNS64) that a translator serves (NAT64)",
        ACCESSIBLE,
        *_LIVES_BEHIND,
        prove6.translated(FACEBOOK),
        prove6.page(FACEBOOK_URL, 6),
        prove6.page(f"https://{_NEUTRAL}/", 6),
        world=_nat64(),
    ),
    _row(
        "only_ipv6_with_a_translator_of_its_own_prefix",
        "the same, and the translator's prefix is the provider's own: only ipv4only.arpa tells which",
        ACCESSIBLE,
        *_LIVES_BEHIND,
        prove6.translated(FACEBOOK),
        prove6.page(FACEBOOK_URL, 6),
        world=lambda world: dual.nat64(world, prefix=OWN_PREFIX),
    ),
    _row(
        "translator_with_a_bogon",
        "the resolver lies with a private address, and DNS64 wraps it as it wraps every A",
        BY_DNS,
        *_LIVES_BEHIND,
        prove6.answers(FACEBOOK, "64:ff9b::a0a:2223"),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        world=_nat64(lies={FACEBOOK: BOGON}),
    ),
    _row(
        "translator_of_its_own_prefix_with_a_bogon",
        "the same with the provider's own prefix, in which nothing looks private",
        BY_DNS,
        *_LIVES_BEHIND,
        prove6.answers(FACEBOOK, f"{OWN_PREFIX.removesuffix('::')}::a0a:2223"),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        world=lambda world: dataclasses.replace(dual.nat64(world, prefix=OWN_PREFIX), lies={FACEBOOK: BOGON}),
    ),
    _row(
        "translator_with_a_name_denied",
        "the resolver says that the name does not exist, to a machine without IPv4",
        (Words("blocked", "dns", "dns.nxdomain"),),
        *_LIVES_BEHIND,
        prove6.answers(FACEBOOK, "NXDOMAIN"),
        world=_nat64(lies={FACEBOOK: "nxdomain"}),
    ),
    _row(
        "translator_with_sni_drop_behind",
        "behind the translator a device drops what follows a greeting with the name",
        SNI_SILENT,
        *_LIVES_BEHIND,
        prove6.behind_translator(_INNOCUOUS, FACEBOOK, works=False),
        prove6.behind_translator(FACEBOOK, _INNOCUOUS, works=True),
        world=_nat64(),
        rules=(rules.NameDrop(names=(_DOMAIN,)),),
    ),
    _row(
        "translator_with_sni_reset_behind",
        "behind the translator a device resets connections whose greeting has the name",
        (Words("blocked", "tls", "tls.reset.sni"),),
        *_LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, prove.HANDSHAKE, RESET),
        prove6.behind_translator(FACEBOOK, _INNOCUOUS, works=True),
        world=_nat64(),
        rules=(rules.NameReset(names=(_DOMAIN,)),),
    ),
    _row(
        "translator_with_a_dead_site",
        "nobody answers at the site's address, behind a translator that serves all others",
        ANY_OUTAGE,
        *_LIVES_BEHIND,
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        world=lambda world: _nat64()(world).change(FACEBOOK, present=False),
    ),
    _row(
        "translator_dead",
        "the translator delivers nothing; sites with IPv6 of their own are there. No censor: every name is lost",
        (*UNKNOWN, Words("no_network")),
        prove6.routes(four=False, six=True),
        prove6.fails(FACEBOOK_URL, 6, SILENT),
        prove6.fails(OTHER, 6, SILENT),
        prove6.page(f"https://{_NEUTRAL}/", 6),
        world=_nat64(),
        rules=(rules.Drop(when=_FOUR, place="access"),),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        sound=(f"https://{_NEUTRAL}/",),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*_HEALTHY, *_BROKEN, *_SITES, *_HALF_BLOCKED, *_BLOCKED, *_TRANSLATED)
