"""Lies in a world whose DNS is found: lists in a resolver that finds everything else itself, and forgers behind it.

See scenarios_zones.py. From the probe's side the two differ in what their denials bear, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab import prove
from tests.lab.poison import Poison
from tests.lab.prove_dns import dig
from tests.lab.rules import Rule
from tests.lab.scenarios import BOGON, FACEBOOK, FACEBOOK_URL, OTHER, Scenario
from tests.lab.scenarios_names import (
    BLOCK_PAGE,
    LIVEJOURNAL,
    UNKNOWN,
    _all_dns_here,
    _block_page,
    _blocked,
    _both,
    _row,
    _with,
)
from tests.lab.scenarios_zones import (
    _DENIED,
    _FAILS,
    _OUTAGE,
    ABROAD,
    DOMAIN,
    SERVERS,
    _found,
    _here_and_abroad,
    _record,
    _true,
    _zone,
)
from tests.lab.world import World

_OWN_SOA = "SOA ns.provider.example. hostmaster.provider.example. 1 3600 900 604800 60"


def _forged(**values: Any) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: (Poison(names=(DOMAIN,), **values),)


def _to_another(world: World) -> tuple[Rule, ...]:
    return (Poison(names=(DOMAIN,), address=world.addresses()[LIVEJOURNAL]),)


SCENARIOS: tuple[Scenario, ...] = (
    _row(
        "policy_denies",
        "the provider's resolver finds everything itself, and a list of its own denies the name, without a zone's word",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, None, has=_DENIED, lacks=("SOA",)),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_both(_found(), _with(lies={FACEBOOK: "nxdomain"})),
    ),
    _row(
        "policy_denies_a_signed_name",
        "as before, and the zone is signed: the resolver checks signatures of everything but of what it says itself",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, None, "+dnssec", has=_DENIED, lacks=("RRSIG",)),
        dig(FACEBOOK, ABROAD, has=(" ad;",)),
        prove.page(OTHER),
        world=_both(_found(_zone(signed=True)), _with(lies={FACEBOOK: "nxdomain"})),
    ),
    _row(
        "policy_denies_with_a_zone_of_its_own",
        "the provider's resolver serves an empty zone of its own in place of the domain, with its own SOA",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, None, has=(*_DENIED, f"{DOMAIN}. 60 IN SOA ns.provider.example.")),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(
            _zone(),
            provider=(f'local-zone: "{DOMAIN}." static', f'local-data: "{DOMAIN}. 60 IN {_OWN_SOA}"'),
        ),
        in_slice=True,
    ),
    _row(
        "policy_denies_with_a_zone_of_its_own_for_everybody",
        "as before, and whoever is asked plainly, the provider's resolver answers: its zone is known \"abroad\" too; DoH is honest",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, ABROAD, has=(*_DENIED, f"{DOMAIN}. 60 IN SOA ns.provider.example.")),
        dig(DOMAIN, "9.9.9.9", "-t", "SOA", has=("NOERROR", "ns.provider.example.")),
        prove.page("https://8.8.8.8/"),
        world=_found(
            _zone(),
            provider=(f'local-zone: "{DOMAIN}." static', f'local-data: "{DOMAIN}. 60 IN {_OWN_SOA}"'),
        ),
        rules=_all_dns_here,
    ),
    _row(
        "policy_sends_to_a_notice",
        "the provider's resolver finds everything itself, and a list of its own sends the name to a notice of an order",
        _blocked("dns.injection.block_page"),
        prove.answers(FACEBOOK, BLOCK_PAGE),
        _true(FACEBOOK, ABROAD),
        prove.page(f"http://{BLOCK_PAGE}/"),
        world=_both(_found(), _block_page(FACEBOOK)),
    ),
    _row(
        "policy_says_nothing_is_there",
        "a list of the provider's resolver says that the name has no address; a zone that answers by country looks the same",
        UNKNOWN,
        dig(FACEBOOK, None, has=("NOERROR", "ANSWER: 0")),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_both(_found(), _with(lies={FACEBOOK: "empty"})),
    ),
    _row(
        "policy_denies_in_a_wildcard_zone",
        "the provider's list denies one name of a zone in which every name exists",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, None, has=_DENIED),
        _here_and_abroad(f"surely-not-there.{DOMAIN}", has=("NOERROR", " IN A ")),
        _true(FACEBOOK, ABROAD),
        world=_both(
            lambda world: _found(_zone(records=(_record(f"*.{DOMAIN}", "A", world.addresses()[FACEBOOK]),)))(world),
            _with(lies={FACEBOOK: "nxdomain"}),
        ),
    ),
    _row(
        "policy_denies_and_the_zone_is_dead",
        "the provider's list denies the name, whose zone is dead for everybody: nobody is left to contradict it",
        _OUTAGE,
        dig(FACEBOOK, None, has=_DENIED),
        prove.answers(FACEBOOK, "", ABROAD),
        prove.page(OTHER),
        world=_both(_found(_zone(dead=SERVERS)), _with(lies={FACEBOOK: "nxdomain"})),
        control=(prove.answers(FACEBOOK, "", ABROAD),),
    ),
    _row(
        "poisoned_with_a_bogon",
        "behind the provider's resolver its questions get a forged answer first; it passes on a private address",
        _blocked("dns.injection.bogon"),
        prove.answers(FACEBOOK, BOGON, None, "+time=6"),
        _true(FACEBOOK, ABROAD),
        prove.answers("www.lego.com", "", "192.0.2.53"),
        prove.page(OTHER),
        world=_found(),
        rules=_forged(address=BOGON),
    ),
    _row(
        "poisoned_with_a_denial",
        "behind the provider's resolver its questions are denied first; it passes on a denial that no zone vouches for",
        _blocked("dns.nxdomain"),
        dig(FACEBOOK, None, has=_DENIED, lacks=("SOA",)),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(),
        rules=_forged(rcode=3),
    ),
    _row(
        "poisoned_with_a_strangers_address",
        "behind the provider's resolver a forged answer leads to a stranger's site; a site that moved looks the same",
        (*_blocked("dns.injection"), *UNKNOWN),
        lambda lab: prove.answers(FACEBOOK, lab.world.addresses()[LIVEJOURNAL], None, "+time=6")(lab),
        _true(FACEBOOK, ABROAD),
        prove.fails(FACEBOOK_URL, prove.UNTRUSTED),
        world=_found(),
        rules=_to_another,
    ),
    _row(
        "poison_is_refused_by_a_resolver_that_checks",
        "behind the provider's resolver a forged answer comes first, the zone is signed: it fails, as with a broken zone, and "
        "who asks it not to check hears the forgery",
        (*_blocked("dns"), *UNKNOWN),
        dig(FACEBOOK, None, "+time=9", has=_FAILS),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(_zone(signed=True), warm=(FACEBOOK,)),
        rules=_forged(address=BOGON),
    ),
    _row(
        "poisoned_whatever_is_asked",
        "as poisoned_with_a_denial, and questions about keys are denied too: a resolver that checks cannot even find that the "
        "zone is unsigned, and fails; so does a broken zone's",
        (*_blocked("dns"), *UNKNOWN),
        dig(FACEBOOK, None, "+time=9", has=_FAILS),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(_zone(), warm=(FACEBOOK,)),
        rules=_forged(rcode=3, kinds=()),
    ),
    _row(
        "poison_and_provider_does_not_check",
        "behind the provider's resolver a forged answer comes first; the zone is signed, and the resolver does not look",
        _blocked("dns.injection.bogon"),
        prove.answers(FACEBOOK, BOGON, None, "+time=6"),
        dig(FACEBOOK, ABROAD, has=(" ad;",)),
        prove.page(OTHER),
        world=_found(_zone(signed=True), validates=False),
        rules=_forged(address=BOGON),
    ),
)  # fmt: skip
