"""DNS as it is found: zones, their servers and signatures, resolvers that remember, and liars in front of and behind them.

Every row's resolvers ask a root, a TLD and the zone themselves and check signatures (``World.recursion``). See scenarios.py
for what a row is, and scenarios_names.py for what one vantage can know of a name. What is new here: who is asked may be
honest and the lie lies upstream, a denial may be an old truth, and a zone may be in trouble for some of those who ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab import prove, rules
from tests.lab.net import RESOLVER
from tests.lab.packets import UDP
from tests.lab.prove_dns import denied_by, dig, later, sets_differ
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.scenarios_names import (
    BLOCK_PAGE,
    FINE,
    LIVEJOURNAL,
    NOBODY,
    POOL,
    UNKNOWN,
    _at,
    _block_page,
    _both,
    _row,
    _with,
)
from tests.lab.world import Nameserver, Says, World
from tests.lab.zones import Recursion, Zone

ABROAD = "8.8.8.8"
DOMAIN = "facebook.com"
SERVERS = ("129.134.30.12", "185.89.218.12")
"""Of that zone alone, so that its troubles are nobody else's."""
NETWORK_SERVERS = ("184.26.160.65", "193.108.91.65")
_BROKEN = (Words("outage", "dns"), *UNKNOWN)
_OUTAGE = (Words("outage"), *UNKNOWN)
"""Everybody's resolver fails, some with a code and some by silence."""
_DENIED = ("status: NXDOMAIN",)
_FAILS = ("status: SERVFAIL",)


def _zone(**values: Any) -> Zone:
    return Zone(**{"name": DOMAIN, "servers": SERVERS, **values})


def _found(*zones: Zone, **values: Any) -> Callable[[World], World]:
    """A world whose DNS has these zones in it."""
    return _with(recursion=Recursion(zones=zones or (_zone(),), **values))


def _record(name: str, kind: str, *values: str, ttl: int = 300) -> tuple[str, str, int, tuple[str, ...]]:
    return (name, kind, ttl, values)


def _true(name: str, server: str | None, *options: str) -> prove.Proof:
    """That resolver gives the site's own address."""
    return lambda lab: prove.answers(name, lab.world.addresses()[name], server, "+time=6", *options)(lab)


def _here_and_abroad(name: str, *options: str, has: tuple[str, ...], lacks: tuple[str, ...] = ()) -> prove.Proof:
    def shown(lab: Any) -> None:
        for server in (None, ABROAD):
            dig(name, server, *options, has=has, lacks=lacks)(lab)

    return shown


def _unreachable(*servers: str) -> Callable[[World], tuple[Rule, ...]]:
    """What those servers send does not come back to this country."""
    remote = tuple(f"{address}/32" for address in servers)
    return lambda _world: (rules.Drop(when=When(protocol=UDP, ports=(53,), remote=remote, side="down")),)


def _behind(found: Callable[[World], World], **values: Any) -> Callable[[World], World]:
    """Something with manners stands in front of the provider's resolver."""
    server = Nameserver(address=RESOLVER, upstream="127.0.0.1", **values)
    return _both(found, _with(resolver_runs=False, nameservers=(server,)))


def _chain(world: World) -> tuple[Zone, ...]:
    """The name is another's in a content network's zone, which is another's again."""
    address = world.addresses()[FACEBOOK]
    return (
        _zone(records=(_record(FACEBOOK, "CNAME", "www.facebook.com.edgekey.net"),)),
        Zone(name="edgekey.net", records=(_record("www.facebook.com.edgekey.net", "CNAME", "e7.dscb.akamaiedge.net"),)),
        Zone(
            name="akamaiedge.net",
            servers=NETWORK_SERVERS,
            records=(_record("e7.dscb.akamaiedge.net", "A", address, ttl=20),),
        ),
    )


def _chained(*, dead: tuple[str, ...] = (), servers: tuple[str, str] = NETWORK_SERVERS) -> Callable[[World], World]:
    def build(world: World) -> World:
        first, second, last = _chain(world)
        network = Zone(name=last.name, servers=servers, dead=dead, records=last.records)
        return _found(first, second, network)(world)

    return build


_SOUND = (
    _row(
        "zones_healthy",
        "the resolvers find the name themselves, from the root down, and check its signatures",
        FINE,
        dig(FACEBOOK, None, has=("NOERROR", "flags: qr rd ra ad;", " IN A "), lacks=(" aa",)),
        dig(FACEBOOK, ABROAD, "+dnssec", has=("flags: qr rd ra ad;", "RRSIG A 13 3 300 ")),
        _true(FACEBOOK, None),
        denied_by("com", "no-such-name-at-all.com"),
        prove.page(FACEBOOK_URL),
        world=_found(_zone(signed=True)),
    ),
    _row(
        "zone_with_one_dead_server",
        "one of the zone's two servers is dead; the provider's resolver has learnt which",
        FINE,
        later(1.1, _true(FACEBOOK, None, "+time=12")),
        dig(FACEBOOK, SERVERS[0], "+norec", "+time=1", has=("no servers could be reached",)),
        prove.page(FACEBOOK_URL),
        world=lambda world: _found(
            _zone(dead=SERVERS[:1]),
            before=(_zone(dead=SERVERS[:1], records=(_record(FACEBOOK, "A", world.addresses()[FACEBOOK], ttl=1),)),),
            warm=(FACEBOOK,),
        )(world),
    ),
    _row(
        "zone_rotates_its_addresses",
        "the zone gives another one of its addresses to each question, so no two resolvers remember the same",
        FINE,
        sets_differ(FACEBOOK, of=4),
        prove.page(FACEBOOK_URL),
        world=_both(_at(FACEBOOK, hidden_at=POOL), _found(_zone(rotate=True, records=(_record(FACEBOOK, "A", *POOL, ttl=1),)))),
    ),
    _row(
        "zone_answers_by_country",
        "the zone tells the provider's resolver of a place nearby, and those abroad of another; both are right",
        FINE,
        prove.answers(FACEBOOK, POOL[0], None, "+time=6"),
        prove.answers(FACEBOOK, POOL[1], ABROAD, "+time=6"),
        prove.page(FACEBOOK_URL),
        world=_both(
            _at(FACEBOOK, hidden_at=POOL), _found(_zone(tailored={FACEBOOK: {RESOLVER: POOL[:1], ABROAD: POOL[1:2], "9.9.9.9": POOL[1:2], "1.1.1.1": POOL[1:2]}}))
        ),
    ),
    _row(
        "zone_forgets_how_names_are_spelt",
        "the provider's resolver mixes the case of what it asks, and the zone's servers answer in small letters",
        FINE,
        _true(FACEBOOK, None),
        dig("wWw.FaCeBoOk.CoM", SERVERS[0], "+norec", has=("www.facebook.com. IN A",)),
        world=_found(_zone(lowers=True), provider=("use-caps-for-id: yes",)),
    ),
    _row(
        "zone_with_wildcard",
        "every name below the domain has the site's address, also ones that nobody thought of",
        FINE,
        _here_and_abroad(f"surely-not-there.{DOMAIN}", has=("NOERROR", " IN A ")),
        prove.page(FACEBOOK_URL),
        world=lambda world: _found(_zone(records=(_record(f"*.{DOMAIN}", "A", world.addresses()[FACEBOOK]),)))(world),
    ),
    _row(
        "names_chain_to_a_content_network",
        "the name is another's in a content network's zone, and that one another's in a third zone",
        FINE,
        _here_and_abroad(FACEBOOK, has=("IN CNAME www.facebook.com.edgekey.net.", "akamaiedge.net. 20 IN A")),
        prove.page(FACEBOOK_URL),
        world=_chained(),
    ),
    _row(
        "provider_takes_signatures_off",
        "the provider's resolver checks nothing and asks for no signatures, so that nobody behind it can check either",
        FINE,
        dig(FACEBOOK, None, "+dnssec", has=("NOERROR", " IN A "), lacks=("RRSIG",)),
        dig(FACEBOOK, ABROAD, "+dnssec", has=("RRSIG A",)),
        prove.page(FACEBOOK_URL),
        world=_behind(_found(_zone(signed=True), behind=True), edns="strip"),
    ),
    _row(
        "zone_signatures_expired_and_provider_does_not_check",
        "the zone's signatures have expired: resolvers that check fail, the provider's does not check",
        FINE,
        _true(FACEBOOK, None),
        dig(FACEBOOK, ABROAD, has=_FAILS),
        prove.page(FACEBOOK_URL),
        world=_found(_zone(signed=True, fault="expired"), validates=False),
        control=(dig(FACEBOOK, ABROAD, has=_FAILS),),
    ),
    _row(
        "zone_dead_and_provider_remembers",
        "the zone's servers have died; the provider's resolver goes on serving what it knew (RFC 8767), and the site lives",
        FINE,
        later(2.1, dig(FACEBOOK, None, "+time=8", has=("NOERROR", f"{FACEBOOK}. 30 IN A"))),
        prove.answers(FACEBOOK, "", ABROAD),
        world=lambda world: _found(
            _zone(dead=SERVERS),
            before=(_zone(records=(_record(FACEBOOK, "A", world.addresses()[FACEBOOK], ttl=1),)),),
            warm=(FACEBOOK,),
            provider=("serve-expired: yes", "serve-expired-client-timeout: 1200"),
        )(world),
        control=(prove.answers(FACEBOOK, "", ABROAD),),
    ),
)  # fmt: skip

_TROUBLES = (
    _row(
        "zone_servers_dead",
        "nobody answers for the zone: every resolver goes on asking until whoever asked has gone",
        _OUTAGE,
        prove.answers(FACEBOOK, "", None),
        prove.answers(FACEBOOK, "", ABROAD),
        prove.page(OTHER),
        world=_found(_zone(dead=SERVERS)),
    ),
    _row(
        "zone_servers_out_of_reach_here",
        "what the zone's servers send does not come back to this country; abroad all is well. A route may do that, and an order",
        UNKNOWN,
        prove.answers(FACEBOOK, "", None),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(),
        rules=_unreachable(*SERVERS),
    ),
    _row(
        "zone_refuses_its_own_name",
        "the delegation is lame: the servers that the TLD names refuse to answer for the zone; some resolvers go on asking",
        _BROKEN,
        prove.answers(FACEBOOK, "", None),
        dig(FACEBOOK, ABROAD, has=_FAILS),
        dig(FACEBOOK, SERVERS[0], "+norec", has=("status: REFUSED",)),
        prove.page(OTHER),
        world=_found(_zone(fault="lame")),
    ),
    _row(
        "zone_signatures_expired",
        "the zone's signatures expired a week ago: whoever checks fails and says why, and gives the answer unchecked",
        _BROKEN,
        dig(FACEBOOK, None, has=(*_FAILS, "EDE: ")),
        dig(FACEBOOK, ABROAD, has=(*_FAILS, "EDE: 7 ")),
        _true(FACEBOOK, None, "+cd"),
        _true(FACEBOOK, ABROAD, "+cd"),
        prove.page(OTHER),
        world=_found(_zone(signed=True, fault="expired"), warm=(FACEBOOK,)),
    ),
    _row(
        "zone_delegated_with_another_key",
        "the TLD vouches for a key that the zone does not have: whoever checks fails",
        _BROKEN,
        dig(FACEBOOK, None, has=(*_FAILS, "EDE: ")),
        dig(FACEBOOK, ABROAD, has=(*_FAILS, "EDE: 9 ")),
        _true(FACEBOOK, None, "+cd"),
        prove.page(OTHER),
        world=_found(_zone(signed=True, fault="bogus_ds"), warm=(FACEBOOK,)),
    ),
    _row(
        "provider_trusts_an_old_key_of_the_zone",
        "the provider's resolver was once given the zone's key by hand, and the zone has another one now",
        UNKNOWN,
        dig(FACEBOOK, None, "+time=15", has=_FAILS),
        _true(FACEBOOK, None, "+cd"),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(
            _zone(signed=True),
            provider=(f'trust-anchor: "{DOMAIN}. IN DS 12345 13 2 {"5c" * 32}"',),
        ),
    ),
    _row(
        "names_chain_to_a_dead_zone",
        "the name is another's in a content network's zone whose servers are dead",
        _OUTAGE,
        prove.answers(FACEBOOK, "", None),
        prove.answers(FACEBOOK, "", ABROAD),
        prove.page(OTHER),
        world=_chained(dead=NETWORK_SERVERS),
    ),
    _row(
        "names_chain_to_a_zone_out_of_reach_here",
        "the name is another's in a zone whose servers are not heard in this country; abroad all is well",
        UNKNOWN,
        prove.answers(FACEBOOK, "", None),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_chained(),
        rules=_unreachable(*NETWORK_SERVERS),
    ),
    _row(
        "domain_taken_out_by_the_registry",
        "the registry has taken the domain out: the TLD's own denial, at every resolver",
        (Words("outage", "dns", "dns.nxdomain"),),
        denied_by("com", FACEBOOK),
        denied_by("com", FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(_zone(absent=True)),
    ),
    _row(
        "domain_expired_and_provider_rewrites",
        "the registry has taken the domain out, and the provider's resolver sends what does not exist to its advertising",
        _BROKEN,
        prove.answers(FACEBOOK, BLOCK_PAGE, None, "+time=6"),
        prove.answers("no-such-name-at-all.com", BLOCK_PAGE, None, "+time=6"),
        denied_by("com", FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_both(
            _block_page(),
            lambda world: world.change("notice.provider.example", plain=(("/", 200, "Buy now"),)),
            _behind(_found(_zone(absent=True), behind=True), missing=Says(addresses=(BLOCK_PAGE,))),
        ),
        control=(denied_by("com", FACEBOOK, ABROAD),),
    ),
    _row(
        "domain_parked",
        "the domain ran out, and its registrar sends everybody to a page of its own",
        _OUTAGE,
        _here_and_abroad(FACEBOOK, has=("NOERROR", " IN A ")),
        prove.fails(FACEBOOK_URL, prove.UNTRUSTED),
        prove.page(OTHER),
        world=lambda world: _found(_zone(records=tuple(_record(name, "A", world.addresses()[LIVEJOURNAL]) for name in (FACEBOOK, f"*.{DOMAIN}"))))(world),
    ),
    _row(
        "registered_again",
        "the domain exists again; the provider's resolver remembers the TLD's own denial for some minutes more",
        UNKNOWN,
        denied_by("com", FACEBOOK),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(before=(Zone(name="com", serial=2026112103), _zone(absent=True)), warm=(FACEBOOK,)),
        in_slice=True,
    ),
    _row(
        "registered_again_and_the_mark_is_lost",
        "as before, and a forwarder of the provider's hands on denials without the zone that they are from: a denial on purpose "
        "looks the same, so the row is kept out until a second look exists",
        UNKNOWN,
        dig(FACEBOOK, None, has=_DENIED, lacks=("SOA",)),
        denied_by("com", "no-such-name-at-all.com", ABROAD),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_behind(
            _found(before=(Zone(name="com", serial=2026112103), _zone(absent=True)), warm=(FACEBOOK,), behind=True), edns="bare"
        ),
        needs=("history",),
    ),
    _row(
        "name_added_a_moment_ago",
        "the name is new in its zone; the provider's resolver remembers the zone's own denial",
        UNKNOWN,
        denied_by(DOMAIN, FACEBOOK),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(before=(_zone(denies=(FACEBOOK,), serial=2026112103),), warm=(FACEBOOK,)),
    ),
    _row(
        "moved_and_provider_remembers",
        "the site has moved; the provider's resolver remembers the old address, where nobody lives any more",
        UNKNOWN,
        prove.answers(FACEBOOK, NOBODY),
        _true(FACEBOOK, ABROAD),
        prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.page(OTHER),
        world=_found(before=(_zone(records=(_record(FACEBOOK, "A", NOBODY, ttl=3600),)),), warm=(FACEBOOK,)),
    ),
    _row(
        "moved_and_the_zone_is_dead_here",
        "the site has moved, the zone's servers are not heard here, and the provider serves what it knew: an old address",
        UNKNOWN,
        later(1.1, dig(FACEBOOK, None, "+time=8", has=(NOBODY,))),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(
            _zone(deaf_to=(RESOLVER,)),
            before=(_zone(records=(_record(FACEBOOK, "A", NOBODY, ttl=1),)),),
            warm=(FACEBOOK,),
            provider=("serve-expired: yes", "serve-expired-client-timeout: 1200"),
        ),
    ),
    _row(
        "zone_denies_itself_to_this_country",
        "the zone says to resolvers of this country that the name does not exist: the owner's doing, in the owner's zone",
        UNKNOWN,
        denied_by(DOMAIN, FACEBOOK),
        _true(FACEBOOK, ABROAD),
        prove.page(OTHER),
        world=_found(_zone(tailored={FACEBOOK: {RESOLVER: ()}})),
        elsewhere=_with(recursion=Recursion()),
    ),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*_SOUND, *_TROUBLES)
