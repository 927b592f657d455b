"""Households that filter names in DNS, whoever is asked, in ways that look like a provider's from the inside.

Parental controls of home routers drop, refuse or answer questions in clear by name, or take all of them to themselves and answer
some from a list; encrypted ones they let be. Each is beside the same thing done by the provider behind an innocent router, which
must still be found: the rows hold the border between the two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import manners_blocks, prove, prove_blocks, rules
from tests.lab.dns_home import TakeQuestions
from tests.lab.net import RESOLVER
from tests.lab.rules import Place, Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.scenarios_this_side import ANY_NETWORK, LISTED, OWN, SECOND
from tests.lab.world import Nameserver, Says, Site, World

META = ("facebook.com",)
HOME = "192.168.0.53"
FILTER_ABROAD = "94.140.14.15"
PUBLIC = "8.8.8.8"
X, X_URL = "x.com", "https://x.com/"
NOTICE = "178.89.4.10"
"""A machine whose page no list of block pages knows."""
_ALL = (FACEBOOK_URL, *(f"https://{name}/" for name in LISTED))
_ADS = ("doubleclick.net", "googleadservices.com", "adnxs.com")
BEHIND: Place = 1
"""A machine of the house that the own router sends questions to, or a provider's device before its first router."""

Build = Callable[[World], World]


def _given(resolver: str) -> Build:
    """This computer asks that public resolver."""
    return lambda world: dataclasses.replace(world, resolvers=(resolver,))


def _through_the_router(**says: Says) -> Build:
    """This computer asks the household's router, which asks the provider's resolver about the rest."""
    server = Nameserver(
        address=HOME, says={name.replace("_", "."): said for name, said in says.items()}, upstream=RESOLVER
    )
    return lambda world: dataclasses.replace(world, nameservers=(server,), resolvers=(HOME,))


def _with_notice(world: World) -> World:
    """The machine of a parental control's notice; its words are in nobody's list."""
    notice = Site(name="stop.filter.example", address=NOTICE, certificate="self_signed", plain=(("/", 200, "Hello"),))
    return dataclasses.replace(world, sites={**world.sites, notice.name: notice})


def _both(*steps: Build) -> Build:
    def build(world: World) -> World:
        for step in steps:
            world = step(world)
        return world

    return build


def _row(name: str, tells: str, words: tuple[Words, ...], *proofs: prove.Proof, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "acceptable": words,
        "exit_codes": exit_codes(words),
        "sound": (OTHER,),
        "network": ANY_NETWORK,
        "proofs": (*proofs, prove.page(OTHER), prove_blocks.page_by_https_dns(FACEBOOK_URL)),
    }
    return Scenario(name=name, tells=tells, **(fields | more))


def _blocked(signature: str) -> tuple[Words, ...]:
    return (Words("blocked", "dns", signature),)


# ---------------------------------------------------------------------------------------------------------------------
# questions that are dropped by name


def _lost(name: str, tells: str, words: tuple[Words, ...], place: Place, **more: Any) -> Scenario:
    silent = (
        prove.answers(FACEBOOK, ""),
        prove.answers(FACEBOOK, "", PUBLIC),
        prove.answers(FACEBOOK, "", PUBLIC, "+tcp"),
    )
    dropped = always(manners_blocks.DnsDrop(names=META, place=place))
    return _row(name, tells, words, *silent, **({"rules": dropped} | more))


_TIMEOUT = _blocked("dns.timeout")

DROPPED: tuple[Scenario, ...] = (
    _lost(
        "house_drops_questions",
        "the household's router drops questions in clear about the name, whoever is asked",
        OWN,
        "home",
        in_slice=True,
    ),
    _lost("house_drops_questions_as_it_forwards", "the same, once it has counted down their TTL", OWN, "access"),
    _lost(
        "house_drops_questions_public_resolver",
        "the same, and this computer asks a public resolver",
        OWN,
        "home",
        world=_given(PUBLIC),
    ),
    _lost(
        "house_drops_questions_home_resolver",
        "the same, and this computer asks that router, which is silent about the name too",
        OWN,
        "home",
        world=_through_the_router(facebook_com=Says(silent=True), www_facebook_com=Says(silent=True)),
    ),
    _lost(
        "second_router_drops_questions",
        "the second router of the house drops questions in clear about the name",
        OWN,
        1,
        near=SECOND,
    ),
    _lost(
        "house_drops_questions_and_nobody_outside_speaks",
        "the household's router drops them, and no router's word comes in from outside",
        OWN,
        "home",
        near={"silent": ("92.47.144.1",)},
        leg={"silent": ("62.115.44.1", "80.239.128.9", "213.248.97.5")},
    ),
    _lost(
        "provider_drops_questions",
        "the provider drops them at its border, behind an innocent router",
        _TIMEOUT,
        "border",
        in_slice=True,
    ),
    _lost(
        "provider_drops_questions_public_resolver",
        "the same, and this computer asks a public resolver",
        _TIMEOUT,
        "border",
        world=_given(PUBLIC),
    ),
    _lost(
        "house_drops_questions_of_a_list",
        "the household's router drops questions in clear about any of eight names",
        OWN,
        "home",
        rules=always(manners_blocks.DnsDrop(names=(*META, *LISTED), place="home")),
        check=_ALL,
    ),
    _lost(
        "provider_drops_questions_of_a_list",
        "the provider drops questions in clear about any of eight names at its border",
        # The sites of this world are one machine, which says only now and then that nobody listens (RFC 1812, 4.3.2.8).
        (*_TIMEOUT, Words("inconclusive")),
        "border",
        rules=always(manners_blocks.DnsDrop(names=(*META, *LISTED), place="border")),
        check=_ALL,
    ),
    _lost(
        "provider_drops_questions_behind_two_routers",
        "the same, behind two routers of the house",
        _TIMEOUT,
        3,
        near=SECOND,
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# all questions taken, and some answered from a list

_MANNERS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "nxdomain": ("says that the name does not exist", "NXDOMAIN", {"rcode": 3}, "dns.nxdomain"),
    "null": ("sends the name to 0.0.0.0", "0.0.0.0", {"address": "0.0.0.0"}, "dns.injection.bogon"),
    "refused": ("refuses to answer for the name", "REFUSED", {"rcode": 5}, "dns.refused"),
    "notice": ("sends two names to a notice", NOTICE, {"address": NOTICE}, "dns.injection.other"),
}


def _taken_of_a_list(name: str, words: tuple[Words, ...], place: Place, tells: str) -> Scenario:
    def its_rules(world: World) -> tuple[Rule, ...]:
        return (TakeQuestions(names=(*META, *LISTED), knows=world.addresses(), place=place, rcode=3),)

    denied = (prove.answers(host, "NXDOMAIN", PUBLIC) for host in (FACEBOOK, *LISTED))
    return _row(
        name, f"{tells} says of eight names that they do not exist", words, *denied, rules=its_rules, check=_ALL
    )


def _taken(who: str, manner: str, words: tuple[Words, ...], place: Place, tells: str, **more: Any) -> Scenario:
    does, seen, said, _signature = _MANNERS[manner]
    step, ttl = more.pop("world", _same), more.pop("ttl", 64)
    only_listed = more.pop("only_listed", False)
    two = (FACEBOOK_URL, X_URL) if manner == "notice" else (FACEBOOK_URL,)

    def its_rules(world: World) -> tuple[Rule, ...]:
        knows = {} if only_listed else world.addresses()
        return (TakeQuestions(names=(*META, X), knows=knows, place=place, ttl=ttl, **said),)

    proofs = [prove.answers(FACEBOOK, seen, PUBLIC), prove.answers(FACEBOOK, seen, "192.0.2.53")]
    if only_listed:
        proofs.append(prove.answers("www.lego.com", "", "192.0.2.53"))
    build = _both(_with_notice, step) if manner == "notice" else step
    return _row(f"{who}_{manner}", f"{tells} {does}", words, *proofs, world=build, rules=its_rules, check=two, **more)


def _same(world: World) -> World:
    return world


_ROUTER = "the household's router answers every question in clear itself, and"
_MACHINE = "the household's router sends every question in clear to a filter in the house, which"
_PROVIDER = "the provider answers every question in clear itself at its border, behind an innocent router, and"

TAKEN: tuple[Scenario, ...] = (
    *(_taken("house_takes_questions", manner, OWN, "home", _ROUTER, world=_given(PUBLIC)) for manner in _MANNERS),
    # An odd system: its packets begin with no usual TTL, so that nothing but the question's own tells where it was answered.
    *(_taken("house_takes_questions_odd", manner, OWN, "home", _ROUTER, ttl=60) for manner in _MANNERS),
    *(
        _taken("house_sends_questions_inside", manner, OWN, BEHIND, _MACHINE, in_slice=manner == "nxdomain")
        for manner in _MANNERS
    ),
    *(
        _taken("house_sends_questions_inside_public_resolver", manner, OWN, BEHIND, _MACHINE, world=_given(PUBLIC))
        for manner in _MANNERS
    ),
    *(
        _taken("house_takes_questions_home_resolver", manner, OWN, "home", _ROUTER, world=_through_the_router(), ttl=60)
        for manner in _MANNERS
    ),
    _taken(
        "house_takes_listed_questions",
        "null",
        OWN,
        "home",
        "the household's router answers questions about listed names itself, and",
        only_listed=True,
        ttl=60,
    ),
    _taken_of_a_list("house_sends_questions_inside_of_a_list", OWN, BEHIND, _MACHINE),
    _taken_of_a_list("provider_takes_questions_of_a_list", _blocked("dns.nxdomain"), "border", _PROVIDER),
    _taken(
        "second_router_takes_listed_questions",
        "null",
        OWN,
        1,
        "the second router of the house answers questions about listed names itself, and",
        only_listed=True,
        near=SECOND,
    ),
    _taken(
        "provider_takes_listed_questions_behind_two_routers",
        "null",
        _blocked("dns.injection.bogon"),
        3,
        "behind two routers of the house the provider answers questions about listed names at its border, and",
        only_listed=True,
        near=SECOND,
    ),
    *(
        _taken(
            "provider_takes_questions",
            manner,
            _blocked(_MANNERS[manner][3]),
            "border",
            _PROVIDER,
            in_slice=manner == "nxdomain",
        )
        for manner in _MANNERS
    ),
    *(
        _taken(
            "provider_takes_questions_public_resolver",
            manner,
            _blocked(_MANNERS[manner][3]),
            "border",
            _PROVIDER,
            world=_given(PUBLIC),
        )
        for manner in _MANNERS
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# all questions sent to a filter abroad


def _filtered_abroad(says: dict[str, Says]) -> Build:
    server = Nameserver(address=FILTER_ABROAD, says=says)
    return lambda world: dataclasses.replace(world, nameservers=(server,))


_NULL = Says(addresses=("0.0.0.0",))

SENT_ABROAD: tuple[Scenario, ...] = (
    _row(
        "house_sends_questions_to_a_filter_abroad",
        "the household's router sends every question in clear to a public filter, which refuses the name and advertising",
        OWN,
        prove.answers(FACEBOOK, "0.0.0.0"),
        prove.answers(FACEBOOK, "0.0.0.0", "192.0.2.53"),
        prove.answers(_ADS[0], "0.0.0.0"),
        world=_filtered_abroad({**dict.fromkeys(_ADS, _NULL), FACEBOOK: _NULL}),
        rules=always(rules.Divert(when=When(ports=(53,)), to=FILTER_ABROAD, place="home")),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*DROPPED, *TAKEN, *SENT_ABROAD)
