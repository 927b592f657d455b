"""Troubles of the household, the company and the machine, and blocks seen through all of it: the half that is held out.

As ``scenarios_unseen_home``: written without knowledge of the judge. A filter that this household or employer has is never
a block. Through a line in trouble a block must still be found where the trouble leaves enough to see it by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import censor, forgers, manners_home, prove, prove_home, rules
from tests.lab.net import RESOLVER
from tests.lab.packets import ICMP, TCP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import BOGON, FACEBOOK, FACEBOOK_URL, OTHER, SITES, Scenario, Words
from tests.lab.scenarios_unseen_home import (
    ANY_NETWORK,
    FILTER,
    FINE,
    HOME,
    LIVEJOURNAL,
    OWN,
    THREE,
    UNKNOWN,
    always,
    row,
    with_,
)
from tests.lab.servers import PORTAL
from tests.lab.world import Nameserver, Says, Site, World

ADS = ("doubleclick.net", "googleadservices.com", "adnxs.com")
STUB = "127.0.0.53"
NOBODY = "4.36.66.178"
NEUTRAL = "www.wikipedia.org"
PLAIN_URL = f"http://{LIVEJOURNAL}/"
COMPANY = "CN=Zscaler Intermediate Root CA,O=Zscaler Inc.,C=US"
ANTIVIRUS = "CN=ESET SSL Filter CA,O=ESET\\, spol. s r. o.,C=SK"
_CACHE = "95.56.234.9"
_CACHE_FAILS = (
    "<html><head><title>ERROR: The requested URL could not be retrieved</title></head><body><h1>ERROR</h1>"
    "<p>Connection to the remote host failed. (111) Connection refused</p><p>cache3 (squid/5.7)</p></body></html>"
)
_CATEGORY = censor.response(
    "403 Forbidden",
    "<html><head><title>Company policy</title></head><body><h1>Access denied</h1>This page is in the category Social "
    "Networking, which your organisation does not allow. Ask your help desk.</body></html>",
)
_FAMILY = censor.response("302 Found", "", Location="http://192.168.1.1/parental.html")
_OFFER = censor.response("302 Found", "", Location="http://my.operator.example/roaming-pack")
_SHIFTED = "it is the world that is shifted, and the control's clock is this host's as well"
_LOCKED = (Words("no_network", "captive_portal"), Words("inconclusive"))


def _plain_page(world: World) -> World:
    body = "<html><head><title>LiveJournal</title></head><body><h1>Journals of the day</h1></body></html>"
    return world.change(LIVEJOURNAL, http=f"location / {{ return 200 '{body}'; }}")


def _then(*changes: Callable[[World], World]) -> Callable[[World], World]:
    def build(world: World) -> World:
        for change in changes:
            world = change(world)
        return world

    return build


def _said_at_home(says: dict[str, Says], **values: Any) -> Callable[[World], World]:
    server = Nameserver(address=HOME, says=says, upstream=RESOLVER)
    return with_(nameservers=(server,), resolvers=(HOME,), **values)


def _stub(says: dict[str, Says], **values: Any) -> Callable[[World], World]:
    """A resolver on this machine that passes everything else on to the provider's."""
    server = Nameserver(address=STUB, says=says, upstream=RESOLVER)
    return with_(nameservers=(server,), resolvers=(STUB,), **values)


def _cache(world: World) -> World:
    """The provider's cache for plain pages: it passes on what sites say, and has a page of its own if they do not."""
    ask = "resolver 8.8.8.8 valid=1s; proxy_pass http://$host$request_uri; proxy_connect_timeout 2s;"
    own = f"location @own {{ return 503 '{_CACHE_FAILS}'; }}"
    pages = (
        f"location / {{ {ask} add_header Via '1.1 cache3 (squid/5.7)' always; error_page 502 504 =503 @own; }} {own}"
    )
    cache = Site(name="cache3.provider.example", address=_CACHE, http=pages)
    return dataclasses.replace(world, sites={**world.sites, cache.name: cache})


_TO_CACHE = rules.Divert(when=When(protocol=TCP, ports=(80,)), to=_CACHE, port=80, place="access")


# ---------------------------------------------------------------------------------------------------------------------
# boxes that open, answer or refuse


def _boxes(site: str) -> tuple[Scenario, ...]:
    url, domain = f"https://{site}/", site.removeprefix("www.")
    return (
        row(
            "accelerator_takes_everything_and_server_is_dead",
            "a proxy near the user takes every connection in the server's name at once; nobody answers at the site's address",
            (Words("outage"), Words("inconclusive")),
            prove.truth(site),
            prove_home.connected(f"{{{site}}}", 443, "yes"),
            prove_home.connected("192.0.2.1", 443, "yes"),
            prove.fails(url, prove.SILENT),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 0),
            sound=(OTHER,),
            network=ANY_NETWORK,
            world=lambda world: world.change(site, present=False),
            rules=always(manners_home.EarlyAccept(place="access")),
        ),
        row(
            "accelerator_takes_everything_and_server_is_off",
            "the same proxy; the site's machine refuses, so the connection that the user had is reset a moment later",
            (Words("outage"), Words("inconclusive")),
            prove.truth(site),
            prove_home.connected(f"{{{site}}}", 443, "reset"),
            prove.fails(url, prove.HANDSHAKE, prove.RESET),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 1),
            sound=(OTHER,),
            network=ANY_NETWORK,
            control=(prove.fails(url, prove.UNCONNECTED),),
            world=lambda world: world.change(site, listening=False),
            rules=always(manners_home.EarlyAccept(place="access")),
        ),
        row(
            "parents_reset_it_at_the_router",
            "the household's own router resets greetings with the name: the parents have it so",
            FILTER,
            prove.truth(site),
            prove.fails(url, prove.HANDSHAKE, prove.RESET),
            prove.handshake(NEUTRAL, site, works=False),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 2),
            sound=(OTHER,),
            network=ANY_NETWORK,
            rules=always(rules.NameReset(names=(domain, *ADS), place="home", ttl=64)),
        ),
        row(
            "parents_send_it_to_the_routers_page",
            "the household's own router sends plain requests for the name to its own page, at its own private address",
            FILTER,
            prove.truth(site),
            prove.curl("http://192.168.1.1/parental.html", f"http://{site}/"),
            prove.curl("http://192.168.1.1/parental.html", f"http://{NEUTRAL}/", "-H", f"Host: {site}"),
            prove.curl("Journals of the day", PLAIN_URL),
            check=(f"http://{site}/",),
            draw=_another(_boxes, 3),
            sound=(PLAIN_URL,),
            network=ANY_NETWORK,
            world=_plain_page,
            rules=always(censor.NamePage(names=(domain,), response=_FAMILY, place="home", when=When(ports=(80,)))),
        ),
        row(
            "company_page_under_its_own_root",
            "the company's gateway opens the name with its own root, which this computer trusts, and says that the category is "
            "not allowed",
            FILTER,
            prove.truth(site),
            prove.curl("Social Networking", url),
            prove_home.signed_by(url, "Zscaler"),
            prove_home.signed_by(OTHER, "Lab Trust Services"),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 4),
            sound=(OTHER,),
            network=ANY_NETWORK,
            world=with_(trusted=forgers.root(COMPANY)),
            rules=lambda _world: (_forged(COMPANY, (site,), _CATEGORY),),
        ),
        row(
            "pihole_gives_its_own_address",
            "the household's resolver sends advertising and the name to itself, where a page of its own would be",
            FILTER,
            prove.answers(site, HOME),
            prove.answers(ADS[0], HOME),
            prove.truth(site),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 5),
            sound=(OTHER,),
            network=ANY_NETWORK,
            world=_said_at_home(dict.fromkeys((site, *ADS), Says(addresses=(HOME,)))),
        ),
        row(
            "hosts_file_leads_to_a_stranger",
            "this computer's hosts file still has the name where it once was; a stranger's healthy site is there now",
            OWN,
            prove.library(site, NOBODY),
            prove.truth(site),
            prove.certificate_error(url, "no alternative certificate subject name matches"),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 6),
            sound=(OTHER,),
            network=ANY_NETWORK,
            world=lambda world: dataclasses.replace(
                world,
                hosts=f"{NOBODY} {site}\n",
                sites={**world.sites, "shop.example": Site(name="shop.example", address=NOBODY)},
            ),
        ),
        row(
            "clock_behind_and_certificate_of_yesterday",
            "this computer's clock is two days behind, and the site's certificate began yesterday: every other page comes",
            (Words("no_network", "clock"), Words("inconclusive")),
            prove.certificate_error(url, "not yet valid"),
            prove.page_date_ahead(OTHER, 2),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 7),
            sound=(OTHER,),
            network=(Words("no_network", "clock"), Words("ok"), Words("inconclusive")),
            unproven_abroad=_SHIFTED,
            world=lambda world: dataclasses.replace(world.change(site, certificate="fresh"), shift_days=2),
        ),
        row(
            "clock_ahead_and_certificate_until_tomorrow",
            "this computer's clock is two days ahead, and the site's certificate ends tomorrow: every other page comes",
            (Words("no_network", "clock"), Words("inconclusive")),
            prove.certificate_error(url, "expired"),
            prove.page_date_ahead(OTHER, -2),
            prove.page(OTHER),
            check=(url,),
            draw=_another(_boxes, 8),
            sound=(OTHER,),
            network=(Words("no_network", "clock"), Words("ok"), Words("inconclusive")),
            unproven_abroad=_SHIFTED,
            world=lambda world: dataclasses.replace(world.change(site, certificate="ending"), shift_days=-2),
        ),
    )


def _forged(subject: str, names: tuple[str, ...], page: bytes) -> Rule:
    made = forgers.forge(subject, names)
    return censor.NameForge(chains=made.chains, key=made.key, page=page, place="access")


def _another(rows: Callable[[str], tuple[Scenario, ...]], number: int) -> Callable[[Any], Scenario]:
    """The same row about a site that the seed draws."""
    return lambda source: rows(source.choice(SITES))[number]


_HELPERS = (
    row(
        "accelerator_takes_everything",
        "a proxy near the user takes every connection in the server's name at once, even where nobody lives; all is well",
        FINE,
        prove_home.connected("192.0.2.1", 443, "yes"),
        prove_home.connected("192.0.2.1", 5222, "yes"),
        prove.page(FACEBOOK_URL),
        prove.page(OTHER),
        check=THREE,
        network=ANY_NETWORK,
        exit_codes=(0, 3),
        rules=always(manners_home.EarlyAccept(place="access")),
    ),
    row(
        "cache_of_the_provider",
        "a cache of the provider's takes everything on port 80 and passes on what the sites say; all is well",
        FINE,
        prove.curl("squid", PLAIN_URL),
        prove.curl("Journals of the day", PLAIN_URL),
        prove.page(FACEBOOK_URL),
        check=(PLAIN_URL, FACEBOOK_URL),
        network=ANY_NETWORK,
        exit_codes=(0, 3),
        world=_then(_plain_page, _cache),
        rules=always(_TO_CACHE),
    ),
    row(
        "cache_of_the_provider_and_server_is_off",
        "the same cache; the site's own web server is off, and the cache has an error page of its own for that (503)",
        (Words("outage"), Words("inconclusive")),
        prove.curl("could not be retrieved", PLAIN_URL),
        prove.fails(OTHER, prove.UNCONNECTED),
        prove.page(FACEBOOK_URL),
        check=(PLAIN_URL,),
        sound=(FACEBOOK_URL,),
        network=ANY_NETWORK,
        control=(prove.fails(PLAIN_URL, prove.UNCONNECTED),),
        world=_then(_cache, lambda world: world.change(LIVEJOURNAL, listening=False)),
        rules=always(_TO_CACHE),
    ),
    row(
        "portal_for_plain_pages_only",
        "the operator puts its own page in place of every plain one, and lets everything else pass",
        _LOCKED,
        prove.curl("Welcome to Hotel Wi-Fi", PLAIN_URL),
        prove.curl("Welcome to Hotel Wi-Fi", "http://www.python.org/"),
        prove.page(FACEBOOK_URL),
        check=(PLAIN_URL,),
        sound=(FACEBOOK_URL,),
        network=ANY_NETWORK,
        world=_then(_plain_page, with_(portal=True, portal_says="page")),
        rules=always(rules.Divert(when=When(protocol=TCP, ports=(80,)), to=PORTAL, port=80, place="access")),
    ),
    row(
        "offer_before_the_first_plain_pages",
        "the operator sends the first two plain requests of a visitor to an offer of its own, whatever they ask for; then never",
        (Words("accessible"), *_LOCKED),
        prove_home.from_start(
            prove.curl("roaming-pack", PLAIN_URL),
            prove.curl("roaming-pack", "http://www.python.org/"),
            prove.curl("Journals of the day", PLAIN_URL),
        ),
        check=(PLAIN_URL, FACEBOOK_URL),
        network=ANY_NETWORK,
        world=_plain_page,
        rules=always(
            manners_home.Notice(most=2, response=_OFFER, place="access", when=When(protocol=TCP, ports=(80,)))
        ),
    ),
    row(
        "antivirus_spares_the_banks",
        "an antivirus opens what is not on its list of banks and of the state, and its root is in this computer's store",
        (Words("accessible"), Words("no_network", "filter"), Words("inconclusive")),
        prove_home.signed_by(FACEBOOK_URL, "ESET"),
        prove_home.signed_by(OTHER, "ESET"),
        prove_home.signed_by("https://egov.kz/", "Lab Trust Services"),
        prove.page(FACEBOOK_URL),
        check=(FACEBOOK_URL, OTHER),
        network=ANY_NETWORK,
        world=with_(trusted=forgers.root(ANTIVIRUS)),
        rules=lambda world: (
            _forged(
                ANTIVIRUS,
                tuple(name for name in world.sites if not name.endswith(".kz")),
                censor.response("200 OK", "<html><head><title>Page</title></head><body>Words of a page</body></html>"),
            ),
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# names

_NAMES = (
    row(
        "resolver_slow_under_load",
        "the provider's resolver answers some twenty questions a second, and those who come in a crowd wait for seconds",
        FINE,
        prove_home.longest(RESOLVER, over=1.0, of=40, pause=0.01),
        prove.page(FACEBOOK_URL),
        check=THREE,
        network=ANY_NETWORK,
        exit_codes=(0, 3),
        rules=always(
            manners_home.Shaper(
                when=When(remote=(f"{RESOLVER}/32",), ports=(53,), side="up"), rate=9_000, queue=4_000, place="access"
            )
        ),
    ),
    row(
        "every_other_answer_is_a_denial",
        "the household's resolver asks two others by turns, and one of those has lost everything: half of all names do not exist",
        (Words("accessible"), Words("inconclusive"), Words("no_network", "resolver")),
        prove_home.mixed_codes(FACEBOOK, "3", low=3, of=24),
        prove_home.mixed_codes("www.python.org", "3", low=3, of=24),
        prove.truth(FACEBOOK),
        check=THREE,
        network=ANY_NETWORK,
        world=_said_at_home({}),
        rules=always(manners_home.SomeAnswers(when=When(remote=(f"{HOME}/32",)), share=0.5, rcode=3, place="access")),
    ),
    row(
        "router_strips_private_answers",
        "the router gives no name an address of this machine or house, against rebinding: Signal's sign of life is one",
        (Words("accessible"), Words("inconclusive"), Words("no_network", "filter")),
        prove.answers("uptime.signal.org", ""),
        prove.answers("uptime.signal.org", "127.0.0.1", "8.8.8.8"),
        prove.answers("uptime.signal.org", "127.0.0.1", RESOLVER),
        prove.page(OTHER),
        check=("https://uptime.signal.org/",),
        sound=("https://signal.org/", OTHER),
        network=ANY_NETWORK,
        control=(prove.answers("uptime.signal.org", "127.0.0.1", "8.8.8.8"), prove.page("https://signal.org/")),
        world=_said_at_home({"uptime.signal.org": Says(empty=True)}),
    ),
    row(
        "search_list_before_the_name",
        "this machine adds the company's domain to every name first (ndots:5), and the company has a wildcard there: programs "
        "get a private address for everything",
        OWN,
        prove.library(FACEBOOK, "10.20.0.5"),
        prove.library(LIVEJOURNAL, "10.20.0.5"),
        prove.answers(FACEBOOK, "10.20.0.5", None, "+search"),
        prove.truth(FACEBOOK),
        check=THREE,
        network=ANY_NETWORK,
        world=with_(
            nameservers=(
                Nameserver(address=HOME, says={".corp.example": Says(addresses=("10.20.0.5",))}, upstream=RESOLVER),
            ),
            # The further lines of resolv.conf(5) that a machine of a cluster or company has.
            resolvers=(f"{HOME}\nsearch corp.example\noptions ndots:5",),
        ),
    ),
    row(
        "two_of_three_resolvers_dead",
        "of three resolvers the first is silent, the second's machine runs none, and the third is well",
        FINE,
        prove.asks(NOBODY, PORTAL, RESOLVER),
        prove.answers(FACEBOOK, "", NOBODY),
        prove.answers(FACEBOOK, "", PORTAL),
        prove.page(FACEBOOK_URL),
        check=THREE,
        network=ANY_NETWORK,
        exit_codes=(0, 3),
        world=with_(resolvers=(NOBODY, PORTAL, RESOLVER)),
    ),
    row(
        "own_stub_and_nobody_behind_it",
        "this machine's own resolver fails for every name, for whom it asks is dead; names are all that is broken",
        (Words("no_network", "resolver"), Words("inconclusive")),
        prove.asks(STUB),
        prove.answers(FACEBOOK, "SERVFAIL"),
        prove.answers("www.python.org", "SERVFAIL"),
        prove.truth(FACEBOOK),
        prove.page("https://8.8.8.8/"),
        check=THREE,
        network=(Words("no_network", "resolver"),),
        world=_stub({"*": Says(rcode=2, delay=0.4)}),
    ),
    row(
        "clock_eighty_days_ahead",
        "this computer's clock is eighty days ahead: every certificate of the web seems to have run out last week",
        (Words("no_network", "clock"),),
        prove.certificate_error(FACEBOOK_URL, "expired"),
        prove.certificate_error(OTHER, "expired"),
        prove.page_date_ahead("http://www.python.org/", -80),
        check=THREE,
        network=(Words("no_network", "clock"),),
        unproven_abroad=_SHIFTED,
        world=with_(shift_days=-80),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# blocks, seen through all of it


def _through(site: str) -> tuple[Scenario, ...]:
    """One site is really blocked, and the line, the box or the machine has a trouble of its own besides."""
    url, domain = f"https://{site}/", site.removeprefix("www.")
    dropped, reset = rules.NameDrop(names=(domain,)), rules.NameReset(names=(domain,))

    def block(name: str, number: int, tells: str, words: Words, *proofs: prove.Proof, **more: Any) -> Scenario:
        common = {"check": (url,), "draw": _another(_through, number), "sound": (OTHER,), "network": ANY_NETWORK}
        also = UNKNOWN if more.pop("maybe", False) else ()
        return row(name, tells, (words, *also), *proofs, **{**common, **more})

    silence, resets = Words("blocked", "tls", "tls.timeout.sni"), Words("blocked", "tls", "tls.reset.sni")
    by_name = (prove.handshake(NEUTRAL, site, works=False), prove.handshake(NEUTRAL, "www.nobelprize.org", works=True))
    return (
        block(
            "dropped_by_name_over_bursts",
            0,
            "the name's greeting is dropped, and wireless loses everything for some tenths of a second now and then",
            silence,
            prove_home.answered("8.8.8.8", low=130, high=198, of=200),
            prove_home.under(always(dropped), *by_name, prove.fails(url, prove.SILENT)),
            maybe=True,
            sound=(),
            rules=always(dropped, manners_home.Bursts(good=2, bad=0.25, place="home")),
        ),
        block(
            "lie_over_a_satellite",
            1,
            "the provider's resolver gives a private address for the name, and all packets stand still now and then",
            Words("blocked", "dns", "dns.injection.bogon"),
            prove.truth(site),
            prove.answers(site, BOGON, None, "+time=4"),
            prove_home.longest("8.8.8.8", over=0.7, of=60),
            world=lambda world: dataclasses.replace(world, lies={site: BOGON}),
            rules=always(manners_home.Bursts(good=3, bad=1.2, hold=True, regular=True, place="access")),
        ),
        block(
            "reset_by_name_behind_a_small_table",
            2,
            "the name's greeting is reset, and the router has room for ninety flows",
            resets,
            prove_home.one_by_one(LIVEJOURNAL, made=90, of=92),
            prove_home.from_start(*by_name, prove.fails(url, prove.HANDSHAKE, prove.RESET)),
            maybe=True,
            sound=(),
            rules=always(reset, manners_home.FlowTable(size=90, place="home")),
        ),
        block(
            "dropped_by_name_and_the_clock_is_wrong",
            3,
            "the name's greeting is dropped, and this computer's clock is two days behind, with which every other page comes",
            silence,
            prove.truth(site),
            *by_name,
            prove.fails(url, prove.SILENT),
            prove.page_date_ahead(OTHER, 2),
            world=with_(shift_days=2),
            rules=always(dropped),
        ),
        block(
            "reset_by_name_behind_an_accelerator",
            4,
            "the name's greeting is reset at the border, and a proxy near the user takes every connection at once",
            resets,
            prove_home.connected("192.0.2.1", 443, "yes"),
            *by_name,
            prove.fails(url, prove.HANDSHAKE, prove.RESET),
            prove.page(OTHER),
            # The device first: what the proxy has kept and sends on later comes by no rule any more.
            rules=always(reset, manners_home.EarlyAccept(place="access")),
        ),
        block(
            "denied_name_through_the_own_stub",
            5,
            "the provider's resolver denies the name, and this machine asks it through a resolver of its own",
            Words("blocked", "dns", "dns.nxdomain"),
            prove.asks(STUB),
            prove.answers(site, "NXDOMAIN"),
            prove.answers(site, "NXDOMAIN", RESOLVER),
            prove.truth(site),
            prove.page(OTHER),
            maybe=True,
            world=_stub({}, lies={site: "nxdomain"}),
        ),
        block(
            "dropped_by_name_where_only_the_web_passes",
            6,
            "the name's greeting is dropped, and but for the web and for names nothing passes, nor does ICMP",
            silence,
            prove.truth(site),
            *by_name,
            prove.fails(url, prove.SILENT),
            prove.page(OTHER),
            prove_home.connected("{e1.whatsapp.net}", 5222, "silence"),
            leg={"hops": ()},
            rules=always(
                dropped,
                manners_home.Except(
                    rule=rules.Drop(when=When(side="up")),
                    but=(When(ports=(53,)), When(protocol=TCP, ports=(80, 443))),
                    place="access",
                ),
                rules.Drop(when=When(protocol=ICMP)),
            ),
        ),
        block(
            "dropped_by_name_in_two_segments",
            7,
            "the name's greeting is dropped, and a box removes every option of TCP, so that it may come in two segments",
            silence,
            prove.truth(site),
            prove_home.options(LIVEJOURNAL, has=0, lacks=7),
            *by_name,
            prove.fails(url, prove.SILENT),
            prove.page(OTHER),
            rules=always(manners_home.StripOptions(place="access"), dropped),
        ),
        block(
            "lie_on_the_path_and_packets_twice",
            8,
            "on the path every question for the name gets a forged answer first, and besides everything arrives twice",
            Words("blocked", "dns", "dns.injection"),
            prove.answers(site, BOGON),
            prove.answers(site, BOGON, "8.8.8.8"),
            prove_home.answered("8.8.8.8", low=60, high=100, of=20),
            prove.page(OTHER),
            rules=always(rules.DnsInject(names=(domain,), address=BOGON), manners_home.Duplicate()),
        ),
        block(
            "dropped_by_name_over_a_swollen_queue",
            9,
            "the name's greeting is dropped, and the way up carries 128 kbit/s with a queue of seconds",
            silence,
            prove.truth(site),
            *by_name,
            prove.fails(url, prove.SILENT),
            prove.page(OTHER),
            prove_home.longest("8.8.8.8", over=0.25, of=150, pause=0.001),
            rules=always(
                dropped,
                manners_home.Shaper(when=When(side="up"), rate=128_000, queue=48_000, place="access"),
            ),
        ),
    )


SCENARIOS: tuple[Scenario, ...] = (*_boxes(FACEBOOK), *_HELPERS, *_NAMES, *_through(FACEBOOK))
