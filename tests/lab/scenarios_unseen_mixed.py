"""Blocks that meet other troubles, and what looks like a block and is none, written without knowledge of the judge.

The second part of the half that is held out; see ``scenarios_unseen_blocks.py`` for what stands beside a truth and why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import censor, manners_blocks, prove, prove_blocks, rules
from tests.lab.net import RESOLVER
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import When
from tests.lab.scenarios import ANY_OUTAGE, BOGON, FACEBOOK, OTHER, Scenario, Words
from tests.lab.scenarios_unseen_blocks import (
    DNS,
    INNOCUOUS,
    LUCKY,
    NEUTRAL,
    RESETS,
    SILENCE,
    UNKNOWN,
    always,
    domain,
    drawn,
    row,
    to,
)  # fmt: skip
from tests.lab.servers import PORTAL, PROXY_PORT
from tests.lab.world import Nameserver, Says, World

BOGON_LIE = (Words("blocked", "dns", "dns.injection.bogon"),)
ACCESSIBLE = (LUCKY,)
HOME = "192.168.0.53"
SECOND_RESOLVER, REFUSING = "195.12.114.53", "195.12.114.99"
HALF_OF_THE_WEB = ("185.199.0.0/16", "138.201.0.0/16", "95.217.0.0/16", "104.21.0.0/16")
"""Hosting companies whom most neutral places are at."""
ONE_CONTENT_NETWORK = ("104.21.0.0/16", "172.67.0.0/16", "104.18.0.0/16")
_RUN_BEGINS = When(protocol=UDP, ports=(123,), side="up")
"""The probe asks the time as a run begins, and no proof does."""


def change(site: str, **values: Any) -> Callable[[World], World]:
    return lambda world: world.change(site, **values)


def lies(**values: Any) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(world, **values)


# ---------------------------------------------------------------------------------------------------------------------
# a block and another trouble


def _blocks(site: str) -> tuple[Scenario, ...]:
    url, of = f"https://{site}/", domain(site)
    about: dict[str, Any] = {"check": (url,)}
    dropped = rules.NameDrop(names=of)
    by_name: tuple[Proof, ...] = (
        prove.truth(site), prove.handshake(NEUTRAL, site, works=False), prove.handshake(NEUTRAL, INNOCUOUS, works=True),
    )  # fmt: skip
    here = to(site)
    return (
        row("name_dropped_and_half_of_the_web_gone", "the name is dropped, and the networks of four hosting companies vanish as well, with most neutral places in them (April 2018, Russia)",
            SILENCE, *by_name, prove_blocks.first_bytes("www.debian.org", site, "s"), prove_blocks.network_gone("185.199.", "138.201.", "95.217.", "104.21."), prove_blocks.connected_site("www.python.org", works=True),
            rules=always(dropped, rules.Drop(when=When(protocol=TCP, remote=HALF_OF_THE_WEB))), sound=("https://www.wikipedia.org/",), **about),
        row("name_reset_and_503", "the name is reset on the way, and the site answers 503 to everybody else",
            RESETS, *by_name, prove.fails(url, prove.RESET, prove.HANDSHAKE), prove_blocks.behind(site, INNOCUOUS, 503), world=change(site, status=503), rules=always(rules.NameReset(names=of)), control=(prove.page(url, 503),), **about),
        row("lie_and_dead_server", "the provider's resolver gives a private address, and the true machine is dead besides",
            BOGON_LIE, prove.answers(site, BOGON), prove.truth(site), prove_blocks.connected_site(site, works=False),
            world=lambda world: dataclasses.replace(world.change(site, present=False), lies={site: BOGON}), control=(prove.fails(url, prove.SILENT),), **about),
        row("lie_and_expired_certificate", "the provider's resolver gives a private address, and the true site's certificate has run out besides",
            BOGON_LIE, prove.answers(site, BOGON), prove.truth(site), prove.says("certificate has expired", "openssl", "s_client", "-connect", f"{{{site}}}:443", "-servername", site), world=lambda world: dataclasses.replace(world.change(site, certificate="expired"), lies={site: BOGON}), control=(prove.certificate_error(url, "expired"),), **about),
        # A quarter of everything fails, so arms of both kinds fail: the contrast may be too thin.
        row("name_dropped_where_flows_die", "the name is dropped, and one member of a bundle of four links is dead: a quarter of all flows, whatever the name",
            (*SILENCE, UNKNOWN), prove.truth(site), prove.connects(NEUTRAL, low=20, high=38), prove_blocks.never(NEUTRAL, site), rules=always(dropped, rules.Drop(when=When(protocol=TCP, fraction=0.25))),
            network=(Words("ok"), Words("inconclusive"), Words("no_network")), sound=(), **about),
        row("name_dropped_and_portal_pages_too", "the name is dropped, and so are plain requests for the pages that tell of a captive portal: the censor has shut Google and Apple out as well",
            SILENCE, *by_name, prove.fails("http://connectivitycheck.gstatic.com/generate_204", prove.SILENT), prove.fails("http://captive.apple.com/hotspot-detect.html", prove.SILENT),
            rules=always(dropped, rules.NameDrop(names=("gstatic.com", "apple.com"), http=True)), **about),
        row("name_dropped_behind_a_home_filter", "the name is dropped on the way; the household's own resolver refuses advertising, and not this name",
            SILENCE, *by_name, prove.answers("doubleclick.net", "0.0.0.0"), prove.asks(HOME),
            world=lies(resolvers=(HOME,), nameservers=(Nameserver(address=HOME, upstream=RESOLVER, says={f".{ad}": Says(addresses=("0.0.0.0",)) for ad in ("doubleclick.net", "googleadservices.com", "adnxs.com")}),)),
            rules=always(dropped), **about),
        # Behind such a proxy every place is the site's own server, which may reset its name itself.
        row("name_reset_behind_a_proxy_of_names", "the provider's proxy takes every connection on port 443 and goes by the name; before it a device resets this one",
            (*RESETS, UNKNOWN), prove.shown_at("192.0.2.1", INNOCUOUS), prove_blocks.first_bytes(NEUTRAL, site, "r"), prove_blocks.first_bytes(site, site, "r"), prove.truth(site), world=lies(proxy=True),
            rules=always(rules.NameReset(names=of, place="access"), rules.Divert(when=When(protocol=TCP, ports=(443,)), to=PORTAL, port=PROXY_PORT, place="access")), **about),
        # Where the RST fails the server's own answer comes, and a lost answer looks like silence.
        row("resets_race_on_a_lossy_line", "a device beside the path sends one RST for the name, for six flows in ten; a seventh of all packets is lost besides",
            (Words("blocked", "tls"), UNKNOWN, LUCKY), prove.lossy("8.8.8.8", at_least=4, of=40), prove_blocks.sometimes(NEUTRAL, site, of=24),
            leg={"loss": 0.14}, rules=always(manners_blocks.NameResetMisses(names=of)), network=(Words("ok"), Words("inconclusive"), Words("no_network")), sound=(), **about),
        # A lie that has been seen is a lie; whoever asks later may be told the truth.
        row("lie_ends_during_the_run", "for the first three seconds of the run the name's questions are answered with a private address, then the order is lifted",
            (*DNS, UNKNOWN, LUCKY), prove.truth(site), prove_blocks.once_begun(prove.answers(site, BOGON)), prove_blocks.once_begun(prove.truth(site), prove.page(f"https://{site}/"), after=3),
            rules=always(censor.During(rule=rules.DnsInject(names=of, address=BOGON, place="access", pass_on=False), end=3, place="access", since=_RUN_BEGINS)), **about),
        row("block_spreads_during_the_run", "the name is dropped; three seconds into the run the site's address vanishes as well",
            (*SILENCE, Words("blocked", "ip")), *by_name, prove.handshake(site, INNOCUOUS, works=True), prove_blocks.once_begun(prove_blocks.connected_site(site, works=False), after=3.1),
            rules=lambda world: (dropped, censor.During(rule=rules.Drop(when=here(world)), start=3, since=_RUN_BEGINS)), **about),
        row("name_dropped_and_twelve_flows_at_a_time", "the name is dropped, and the household's translator takes twelve new connections a second and forgets the rest",
            (*SILENCE, UNKNOWN), *by_name, prove.connects(NEUTRAL, low=4, high=30), rules=always(dropped, manners_blocks.FewFlows(most=12, seconds=1, place="home")),
            network=(Words("ok"), Words("inconclusive"), Words("no_network")), sound=(), **about),
    )  # fmt: skip


_FOUR = (FACEBOOK, "x.com", "telegram.org", "signal.org")
SEVERAL = (
    row("four_platforms_four_ways", "one name is dropped, one is reset, one has a private address and one does not exist: four laws of four years",
        (*SILENCE, *RESETS, *DNS), *(prove.truth(site) for site in _FOUR), prove_blocks.first_bytes(NEUTRAL, FACEBOOK, "s"), prove_blocks.first_bytes(NEUTRAL, "x.com", "r"), prove.answers("telegram.org", BOGON), prove.answers("signal.org", "NXDOMAIN"),
        check=tuple(f"https://{site}/" for site in _FOUR), world=lies(lies={"telegram.org": BOGON, "signal.org": "nxdomain"}), rules=always(rules.NameDrop(names=("facebook.com",)), rules.NameReset(names=("x.com",)))),
    # The other platform of the two is down of itself: one address near the other's name.
    row("sibling_blocked_and_name_dead", "the platform's mobile name is dropped on the way; the front page, which is on no list, is dead for everybody",
        ANY_OUTAGE, prove.truth(FACEBOOK), prove_blocks.connected_site(FACEBOOK, works=False), prove.handshake(NEUTRAL, FACEBOOK, works=True), prove.handshake(NEUTRAL, "m.facebook.com", works=False),
        world=change(FACEBOOK, present=False), rules=always(censor.ExactNameDrop(names=("m.facebook.com",)))),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# what looks like a block and is none


def _near(site: str) -> tuple[Scenario, ...]:
    url, of = f"https://{site}/", domain(site)
    about: dict[str, Any] = {"check": (url,)}
    here = to(site)

    return (
        # The customer has left that content network, which now lets no greeting with the name in: its rule, at its own door.
        row("content_network_drops_a_former_customer", "the site's server is dead, and a content network that many neutral places are at drops greetings with the name of the customer it threw out",
            ANY_OUTAGE, prove.truth(site), prove_blocks.connected_site(site, works=False), prove_blocks.first_bytes("www.rfc-editor.org", site, "s"), prove_blocks.first_bytes("www.rfc-editor.org", INNOCUOUS, "y"),
            prove_blocks.first_bytes(NEUTRAL, site, "y"), world=change(site, present=False), rules=always(rules.NameDrop(names=of, when=When(protocol=TCP, remote=ONE_CONTENT_NETWORK), place="far")), **about),
        # The false one refuses at once, and every browser goes on to the true one.
        row("lie_beside_the_truth", "the provider's resolver gives two addresses in either order: one of its own where nothing listens, and the true one",
            ACCESSIBLE, prove.says(REFUSING, "dig", "+short", site), prove_blocks.dig_has_true(site), prove_blocks.connected(REFUSING, works=False), prove.truth(site), prove.page(url), world=lambda world: _two_addresses(world, site), **about),
        row("second_resolver_lies", "this computer has two resolvers: the first tells the truth, the second would deny the name and is not asked",
            ACCESSIBLE, prove.asks(RESOLVER, SECOND_RESOLVER), prove.answers(site, "NXDOMAIN", SECOND_RESOLVER), prove.page(url),
            world=lies(resolvers=(RESOLVER, SECOND_RESOLVER), nameservers=(Nameserver(address=SECOND_RESOLVER, says={site: Says(rcode=3)}),)), **about),
        # A canary is given three seconds, and what was sent again before the two had passed comes again at four.
        row("every_greeting_held_back_at_home", "the household's router looks at every new connection for two seconds before what is said on it goes on, whatever the name",
            ACCESSIBLE, prove_blocks.page_takes(url, low=2, high=15), prove_blocks.page_takes(OTHER, low=2, high=15), rules=always(manners_blocks.SlowToKnow(place="home")), sound=(),
            network=(Words("ok"), Words("inconclusive")), **about),
        # The censor remembers what a neighbour behind the same address asked for: the network's doing, and over before it can be told from any trouble.
        row("left_over_from_a_neighbour", "for four seconds of the run nothing passes to the site's address: a neighbour behind the same translator has just named something forbidden there",
            (LUCKY, UNKNOWN), prove.truth(site), prove.page(url), prove_blocks.once_begun(prove_blocks.connected_site(site, works=False)), prove_blocks.once_begun(prove.page(url), after=4),
            rules=lambda world: (censor.During(rule=rules.Drop(when=here(world)), end=4, since=_RUN_BEGINS),), **about),
        row("scrubber_of_two_companies_dead", "the site and another platform are behind the same scrubbing company, whose point of presence here is dead",
            ANY_OUTAGE, prove.answers(site, "186.2.163.31"), prove.answers("nordvpn.com", "186.2.163.77"), prove.truth(site), prove_blocks.connected("186.2.163.31", "186.2.163.77", works=False), prove.handshake(NEUTRAL, site, works=True),
            world=lambda world: world.change(site, address="186.2.163.31", present=False).change("nordvpn.com", address="186.2.163.77", present=False), check=(url, "https://nordvpn.com/")),
    )  # fmt: skip


def _two_addresses(world: World, site: str) -> World:
    refusing = dataclasses.replace(
        world.sites[OTHER[8:-1]], name="closed.telecom.example", address=REFUSING, listening=False
    )
    return dataclasses.replace(
        world, sites={**world.sites, refusing.name: refusing}, lies={site: f"{REFUSING},{world.sites[site].address}"}
    )


_NEWS = "www.liveinternet.ru"
_WORDS = b"<p>Our own words here, and no more.</p>"
_ADVERT = b"<script src=//ad.example/a></script>   "
_PAGE = f"<html><head><title>Diaries</title></head><body>{_WORDS.decode()}{'<p>Diary</p>' * 40}</body></html>"
_CROWD = ("facebook", "instagram", "twitter", "youtube")
NEAR = (
    row("adverts_written_into_pages", "the provider writes an advertisement of its own into plain pages; the rest of the page is the site's",
        ACCESSIBLE, prove.curl("ad.example", f"http://{_NEWS}/"), prove.curl("<p>Diary</p>", f"http://{_NEWS}/"), check=(f"http://{_NEWS}/",),
        world=change(_NEWS, http=f"location / {{ default_type text/html; return 200 '{_PAGE}'; }}"), rules=always(manners_blocks.Rewrite(when=When(protocol=TCP, ports=(80,)), old=_WORDS, new=_ADVERT))),
    # Whatever comes late finds no place in the table.
    row("translators_table_full", "the provider's translator gives forty new connections in ten seconds a place and drops the rest: what is asked last fails, whoever it is",
        (LUCKY, UNKNOWN, Words("no_network")), prove.connects(NEUTRAL, low=30, high=40, of=80), rules=always(manners_blocks.FewFlows(most=40, seconds=10, place="access")), check=_CROWD, sound=(),
        network=(Words("ok"), Words("inconclusive"), Words("no_network"))),
)  # fmt: skip

assert len(_WORDS) == len(_ADVERT)
_SITES = (FACEBOOK, "www.instagram.com", "x.com", "telegram.org", "signal.org", "www.youtube.com")
"""Without those at the hosting companies that some rows take away."""

SCENARIOS: tuple[Scenario, ...] = (*drawn(_blocks, _SITES), *SEVERAL, *drawn(_near, _SITES), *NEAR)
