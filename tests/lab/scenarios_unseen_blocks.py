"""Ways of blocking, written without knowledge of the judge: the half that is held out. See README.md.

Where ``inconclusive`` stands beside a block, one network without a control cannot know, and a comment says why. Where
``accessible`` stands there too, what a run meets is chance, and a user who is lucky is not kept out.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from tests.lab import censor, forgers, manners_blocks, prove, prove_blocks, rules
from tests.lab.authority import authority
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import BOGON, OTHER, SITES, Scenario, Words
from tests.lab.world import Front, Site, World

NEUTRAL, INNOCUOUS = "www.wikipedia.org", "www.nobelprize.org"
PLAIN_SITES = ("www.livejournal.com", "www.liveinternet.ru", "vlast.kz", "meduza.io")
"""Sites that a row may have answer over plain http."""

UNKNOWN, LUCKY = Words("inconclusive"), Words("accessible")
SILENCE = (Words("blocked", "tls", "tls.timeout.sni"),)
RESETS = (Words("blocked", "tls", "tls.reset.sni"),)
BY_ADDRESS = (Words("blocked", "ip"), Words("blocked", "tls"), UNKNOWN)
DNS, HTTP, MITM = (Words("blocked", "dns"),), (Words("blocked", "http"),), (Words("blocked", "mitm"),)

Maker = Callable[[str], tuple[Scenario, ...]]


def drawn(make: Maker, sites: tuple[str, ...] = SITES) -> tuple[Scenario, ...]:
    """The rows about the first of the sites; another seed draws another."""

    def about(name: str) -> Callable[[random.Random], Scenario]:
        return lambda source: next(row for row in make(source.choice(sites)) if row.name == name)

    return tuple(dataclasses.replace(row, draw=about(row.name)) for row in make(sites[0]))


def row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: Proof, **values: Any) -> Scenario:
    """A row whose exit codes follow from the words. What its devices remember of the proofs is forgotten."""
    said = {words.status for words in acceptable}
    codes = {"accessible": (0,), "inconclusive": (3,), "no_network": (3,), "outage": (1, 3), "blocked": (1,)}
    exits = tuple(sorted({code for status in said for code in codes[status]}))
    standard: dict[str, Any] = {"exit_codes": exits, "sound": (OTHER,)}
    return Scenario(
        name=name, tells=tells, acceptable=acceptable, proofs=(*proofs, prove_blocks.forget), **{**standard, **values}
    )


def always(*what: Rule) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: what


def domain(site: str) -> tuple[str, ...]:
    return (site.removeprefix("www."),)


def to(*sites: str, **more: Any) -> Callable[[World], When]:
    """TCP packets from and to these sites' addresses only."""
    return lambda world: When(protocol=TCP, remote=tuple(f"{world.sites[site].address}/32" for site in sites), **more)


# ---------------------------------------------------------------------------------------------------------------------
# by the name in the greeting


def _by_name(site: str, letter: str, *also: Proof) -> tuple[Proof, ...]:
    """The name meets this (see ``first_bytes``) at its own address and at a stranger's; another name passes at both."""
    return (
        prove.truth(site),
        prove_blocks.first_bytes(site, site, letter),
        prove_blocks.first_bytes(NEUTRAL, site, letter),
        prove_blocks.first_bytes(site, INNOCUOUS, "y"),
        prove_blocks.first_bytes(NEUTRAL, INNOCUOUS, "y"),
        *also,
    )


def _names(site: str) -> tuple[Scenario, ...]:
    about: dict[str, Any] = {"check": (f"https://{site}/",)}
    of = domain(site)
    return (
        row("sni_acknowledged_by_the_device", "the device acknowledges a greeting with the name in the server's place and keeps it: the server never hears of it",
            SILENCE, *_by_name(site, "s", prove_blocks.acknowledged(NEUTRAL, site)), rules=always(manners_blocks.NameTarpit(names=of)), **about),
        row("sni_window_closed", "the same, and the acknowledgement closes the client's window: a stall as of a server that stops reading",
            SILENCE, *_by_name(site, "s", prove_blocks.acknowledged(NEUTRAL, site, window=0)), rules=always(manners_blocks.NameTarpit(names=of, window=0)), **about),
        row("sni_volley_of_resets", "a device beside the path sends four resets of four looks, two of them where the window may be later (China)",
            RESETS, *_by_name(site, "r"), rules=always(manners_blocks.NameVolley(names=of)), **about),
        row("sni_answered_by_icmp", "the greeting is swallowed, and a router of the provider says by ICMP that it is prohibited (code 13), for that name only",
            (Words("blocked", "tls"),), prove.truth(site), prove.fails(f"https://{site}/", prove.SILENT, prove.HANDSHAKE), prove.handshake(NEUTRAL, site, works=False),
            prove_blocks.first_bytes(site, INNOCUOUS, "y"), prove_blocks.prohibited(NEUTRAL, site), rules=always(manners_blocks.NameUnreachable(names=of)), **about),
        row("sni_only_the_server_is_reset", "the device resets the server's end only; what the client then sees is the server's own RST, with its true marks",
            RESETS, *_by_name(site, "r"), rules=always(manners_blocks.NameResetServer(names=of)), **about),
        row("sni_end_midway", "the first packet of the server's answer passes, and behind it comes an orderly end: the greeting breaks off half-way",
            (Words("blocked", "tls"),), *_by_name(site, "y", prove.fails(f"https://{site}/", prove.HANDSHAKE),
            prove.says("unexpected eof", "openssl", "s_client", "-connect", f"{{{NEUTRAL}}}:443", "-servername", site, code=1)), rules=always(manners_blocks.NameEndMidway(names=of)), **about),
        row("sni_answered_in_plain_http", "a box for plain http stands at port 443 as well: a greeting with the name gets a page in clear text",
            (Words("blocked", "tls"), Words("blocked", "http")), *_by_name(site, "o", prove.fails(f"https://{site}/", prove.HANDSHAKE, says="wrong version")),
            rules=always(censor.NameEnd(names=of, says=censor.response("403 Forbidden", "<html><body>403</body></html>", Server="ads"))), **about),
        row("sni_met_by_the_notices_own_host", "a greeting with the name is taken over by the provider's notice server, with that server's own valid certificate",
            (*MITM, Words("blocked", "tls")), prove.truth(site), prove.certificate_error(f"https://{site}/", "match"), prove_blocks.signed_by(NEUTRAL, site, "notice.telecom.example"),
            prove_blocks.signed_by(site, INNOCUOUS, site), rules=_notice_host(site), **about),
        row("sni_forged_under_a_famous_name", "a box opens the name with an authority of its own that calls itself as the web's best known one does",
            MITM, prove.truth(site), prove.fails(f"https://{site}/", prove.UNTRUSTED), prove_blocks.signed_by(NEUTRAL, site, "Let's Encrypt"),
            prove_blocks.signed_by(site, INNOCUOUS, "Lab Trust"), rules=_forged(site), **about),
        # Three flows in ten are opened: a run may meet none of them, or one that a retry does not confirm.
        row("sni_forged_on_some_paths", "the state's box stands on three in ten of the paths, and opens the name with its known authority (July 2019)",
            (*MITM, UNKNOWN, LUCKY), prove.truth(site), prove_blocks.pages_fail(f"https://{site}/", prove.UNTRUSTED),
            rules=_forged(site, subject="CN=Information Security Certification Authority,O=ISCA,C=KZ", fraction=0.3), **about),
        # The first flow passes everywhere, so a run that asks once sees nothing, and one that asks again sees a change in time.
        row("sni_drop_from_the_second_flow_on", "the first flow with the name to an address passes while it is being looked at; all later ones are dropped",
            (*SILENCE, UNKNOWN, LUCKY), prove.truth(site), prove_blocks.first_bytes(NEUTRAL, site, "yss", of=3), prove_blocks.first_bytes(site, site, "yss", of=3),
            prove_blocks.first_bytes(NEUTRAL, INNOCUOUS, "yyy", of=3), rules=always(manners_blocks.NameDropLater(names=of)), **about),
        # Who asks in a hurry gets through: repeats pass, so the contrast may not hold.
        row("sni_reset_fails_open", "the device can reset two flows in three seconds; what is more passes unread",
            (Words("blocked", "tls"), UNKNOWN, LUCKY), prove.truth(site), prove_blocks.first_bytes(NEUTRAL, site, "rryy", of=4), rules=always(manners_blocks.NameResetFailsOpen(names=of)), **about),
        # Repeats fall into the pauses.
        row("sni_drop_on_and_off", "the list is in force for three seconds and then not for three, and so on: two devices take turns and one has no list",
            (*SILENCE, UNKNOWN, LUCKY), prove.truth(site), prove_blocks.sometimes_later(NEUTRAL, site), prove.handshake(NEUTRAL, INNOCUOUS, works=True),
            rules=always(manners_blocks.OnAndOff(rule=rules.NameDrop(names=of))), **about),
        row("sni_greeting_held_back", "a greeting with the name is delivered after five seconds of trying: pages come, late, for this name alone",
            (Words("blocked", "throttling"), Words("blocked", "tls")), prove.truth(site), prove_blocks.page_takes(f"https://{site}/", low=5, high=15), prove.handshake(NEUTRAL, site, works=False),
            prove.handshake(site, INNOCUOUS, works=True), rules=always(manners_blocks.NameLate(names=of)), **about),
        row("sni_policed_to_130_kbit", "flows with the name share 130 kbit/s, what is more is dropped (Russia, 2021): the page comes, slowly",
            (Words("blocked", "throttling"),), prove.truth(site), prove_blocks.page_takes(f"https://{site}/big", low=5, high=19), prove_blocks.page_takes(f"https://{OTHER[8:-1]}/", low=0, high=3),
            world=lambda world: world.change(site, body=b"<html><title>Big</title>" + b"Words of a page. " * 12000, https="root {directory}; location / { try_files /" + site + ".html =404; }"),
            rules=always(manners_blocks.NamePolice(names=of)), **about),
        row("sni_policed_to_a_trickle", "flows with the name share 400 bytes a second: no greeting ends before everybody has gone",
            (Words("blocked", "throttling"), Words("blocked", "tls")), prove.truth(site), prove.fails(f"https://{site}/", prove.SILENT), prove.handshake(NEUTRAL, INNOCUOUS, works=True),
            prove_blocks.page_lost(f"https://{site}/", 12), rules=always(manners_blocks.NamePolice(names=of, rate=400, burst=1600)), **about),
        # It acts on what the server shows, so only the site's own address tells, and there every name fails: so would a broken server.
        row("certificate_read_on_the_way", "the site speaks TLS 1.2 at most, and a device resets the connection when its certificate comes by in clear",
            (Words("blocked", "tls"), UNKNOWN), prove.truth(site), prove_blocks.first_bytes(site, site, "r"), prove_blocks.first_bytes(NEUTRAL, site, "y"), prove_blocks.first_bytes(site, INNOCUOUS, "r"),
            world=lambda world: world.change(site, protocols="TLSv1.2", http2=False), rules=always(manners_blocks.AnswerReset(when=When(protocol=TCP, ports=(443,)), words=(site.encode(),))), **about),
    )  # fmt: skip


def _notice_host(site: str) -> Callable[[World], tuple[Rule, ...]]:
    def make(world: World) -> tuple[Rule, ...]:
        issued = authority(world.shift_days).issue("notice.telecom.example")
        return (censor.NameForge(chains=dict.fromkeys((site, *domain(site)), issued.chain), key=issued.key),)

    return make


def _forged(
    site: str, subject: str = "CN=R11,O=Let's Encrypt,C=US", fraction: float = 1.0
) -> Callable[[World], tuple[Rule, ...]]:
    def make(_world: World) -> tuple[Rule, ...]:
        made = forgers.forge(subject, (site,))
        return (censor.NameForge(chains=made.chains, key=made.key, when=When(protocol=TCP, fraction=fraction)),)

    return make


# ---------------------------------------------------------------------------------------------------------------------
# by address


def _addresses(site: str) -> tuple[Scenario, ...]:
    about: dict[str, Any] = {"check": (f"https://{site}/",)}
    alive = (prove.truth(site), prove.handshake(NEUTRAL, site, works=True))
    at = to(site, larger_than=100, side="up")
    return (
        # In these three a server whose program hangs, or whose guard dislikes this country, may show the same.
        row("address_silent_after_the_handshake", "connections to the address are made, and nothing that is said on them goes further, whatever it names",
            BY_ADDRESS, *alive, prove_blocks.first_bytes(site, site, "s"), prove_blocks.first_bytes(site, INNOCUOUS, "s"), prove_blocks.connected_site(site, works=True),
            rules=lambda world: (rules.Drop(when=at(world)),), **about),
        row("address_reset_after_the_handshake", "connections to the address are made, and reset at the first word, whatever it names (Iran)",
            BY_ADDRESS, *alive, prove_blocks.first_bytes(site, site, "r"), prove_blocks.first_bytes(site, INNOCUOUS, "r"), prove_blocks.connected_site(site, works=True),
            rules=lambda world: (rules.Reset(when=at(world)),), **about),
        row("address_taken_by_a_tarpit", "a device near by takes connections to the address in the server's name and is silent: they are made sooner than light allows",
            BY_ADDRESS, *alive, prove_blocks.first_bytes(site, site, "s"), prove_blocks.connects_within(site, seconds=0.03),
            rules=lambda world: (manners_blocks.FalseServer(when=to(site)(world), place="access"),), **about),
        # Any name, and only at this operator's addresses: a full link of the operator's might do it, though not at one count of bytes.
        row("network_freezes_after_16_kb", "every connection to the operator's network stops after 16 KB of answer, whatever it names (Russia, 2025)",
            (Words("blocked", "throttling"), Words("blocked", "ip"), UNKNOWN), prove.truth(site), prove_blocks.first_bytes(site, INNOCUOUS, "y"), prove_blocks.page_lost(f"https://{site}/", 3),
            rules=lambda world: (manners_blocks.Freeze(when=When(protocol=TCP, remote=(world.sites[site].address.rpartition(".")[0] + ".0/24",))),), **about),
    )  # fmt: skip


_THREE = ("www.facebook.com", "x.com", "telegram.org")
_CENTRES = ("149.154.175.0/24", "149.154.171.0/24", "95.161.76.0/24", "149.154.167.51/32", "149.154.167.91/32")
ADDRESSES = (
    # That three companies fall silent at one hop at one moment speaks for an order; who is not told of the hop cannot know.
    row("three_operators_blackholed", "the addresses of three companies' sites vanish at the border at once; their neighbours answer (December 2016)",
        (Words("blocked", "ip"), UNKNOWN), *(prove.truth(site) for site in _THREE), *(prove.handshake(NEUTRAL, site, works=True) for site in _THREE),
        *(prove_blocks.connected_site(site, works=False) for site in _THREE), prove_blocks.connected_site("m.facebook.com", works=True),
        check=tuple(f"https://{site}/" for site in _THREE), rules=lambda world: (rules.Drop(when=to(*_THREE)(world)),)),
    # The data centres may be dead: nobody else's word is at hand.
    row("apps_by_address_and_web_alive", "the data centres of the apps vanish at the border, on every port; the web pages of the same platform come",
        (Words("blocked", "ip"), UNKNOWN), prove_blocks.connected("149.154.175.50", "149.154.167.51", "95.161.76.100", works=False), prove.page("https://telegram.org/"),
        check=("telegram",), spares=lambda url: url.startswith(("https://", "mtproto+ws://")), rules=always(rules.Drop(when=When(protocol=TCP, remote=_CENTRES)))),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# by the name in a question

_STRANGERS = ("31.13.94.37", "199.59.148.20", "108.160.166.57", "67.228.74.123", "174.36.196.242")
_SINK = Site(name="sink.telecom.example", address="92.47.144.41")


def _questions(site: str) -> tuple[Scenario, ...]:
    about: dict[str, Any] = {"check": (f"https://{site}/",)}
    of = domain(site)
    return (
        row("inject_three_answers", "every question for the name gets three forged answers at once, each an address of some other company, never the same (China)",
            (Words("blocked", "dns", "dns.injection"),), prove_blocks.answers_vary(site, of=10), prove_blocks.answers_vary(site, "192.0.2.53", of=10), prove.page(OTHER),
            rules=always(manners_blocks.DnsVolley(names=of, addresses=_STRANGERS, place="access")), **about),
        row("inject_only_questions_without_edns", "an old injector knows only questions without EDNS, as the C library asks; with EDNS the truth comes",
            DNS, prove.answers(site, BOGON, None, "+noedns"), prove.answers(site, BOGON, "8.8.8.8", "+noedns"), prove.truth(site), prove.library(site, BOGON),
            rules=always(manners_blocks.DnsInjectOldStyle(names=of, address=BOGON, place="access", pass_on=False)), **about),
        # Half of the source ports: which half a run has is chance.
        row("inject_half_of_the_questions", "one of two parallel paths has the injector, which swallows the question",
            (*DNS, UNKNOWN, LUCKY), prove_blocks.answers_vary(site), prove.page(OTHER),
            rules=always(rules.DnsInject(names=of, address=BOGON, place="access", pass_on=False, when=When(fraction=0.5))), **about),
        row("inject_empty_answer", "on the path a question for the name is answered that there is no address, whoever is asked; addresses without a resolver answer too",
            DNS, prove.answers(site, ""), prove.says("NOERROR", "dig", "+tries=1", "+time=1", "@192.0.2.53", site), prove.says("timed out", "dig", "+tries=1", "+time=1", "@192.0.2.53", INNOCUOUS),
            rules=always(rules.DnsInject(names=of, place="access", pass_on=False)), **about),
        # Three public resolvers of three operators are silent about this name in clear and answer for it when nobody can read it. But a
        # household's own router drops by its list where this box does: behind it and before any other.
        row("questions_for_the_name_dropped", "plain questions for the name go no further, over UDP or TCP, whoever is asked; encrypted ones are answered",
            (*DNS, UNKNOWN), prove.says("timed out", "dig", "+tries=1", "+time=1", site), *(prove.says("timed out", "dig", "+tries=1", "+time=1", f"@{ip}", site) for ip in ("8.8.8.8", "9.9.9.9")),
            prove.says("timed out", "dig", "+tcp", "+tries=1", "+time=1", "@8.8.8.8", site), prove.page(OTHER), prove_blocks.page_by_https_dns(f"https://{site}/"),
            rules=always(manners_blocks.DnsDrop(names=of, place="access")), **about),
        # A cache of the site's in the provider's network that has lost its keys would do the same to one name.
        row("lie_leads_to_a_resetting_sink", "the provider's resolver sends the name to a machine near by that resets every greeting",
            (*DNS, UNKNOWN), prove.answers(site, _SINK.address), prove.truth(site), prove_blocks.first_bytes(_SINK.name, site, "r"), prove_blocks.first_bytes(_SINK.name, INNOCUOUS, "r"),
            world=_sink("reset", site), **about),
    )  # fmt: skip


def _sink(way: str, *sites: str) -> Callable[[World], World]:
    """The provider's resolver sends the sites to a machine that does this to every greeting and request."""

    def change(world: World) -> World:
        sink = dataclasses.replace(_SINK, front=Front(other=way, plain=way))
        lies = {**world.lies, **dict.fromkeys(sites, _SINK.address)}
        return dataclasses.replace(world, sites={**world.sites, _SINK.name: sink}, lies=lies)

    return change


QUESTIONS = (
    # A content network's cache near by that is dead would be silent to both.
    row("lie_leads_two_names_to_a_silent_sink", "the provider's resolver sends two unrelated names to one machine near by that takes connections and never says a word",
        (*DNS, UNKNOWN), prove.answers("x.com", _SINK.address), prove.answers("mullvad.net", _SINK.address), prove.truth("x.com"), prove.truth("mullvad.net"),
        prove_blocks.first_bytes(_SINK.name, "x.com", "s"), prove_blocks.connected(_SINK.address, works=True), check=("https://x.com/", "https://mullvad.net/"), world=_sink("silent", "x.com", "mullvad.net")),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# plain requests

_BANNER = "Radio and journals of the day"


def _plain(site: str) -> Callable[[World], World]:
    body = f"<html><head><title>{_BANNER}</title></head><body><h1>{_BANNER}</h1></body></html>"
    page = f"location / {{ default_type text/html; return 200 '{body}'; }}"
    return lambda world: world.change(site, http=page)


def _requests(site: str) -> tuple[Scenario, ...]:
    url = f"http://{site}/"
    about: dict[str, Any] = {"check": (url,), "world": _plain(site)}

    def answered(status: str, body: str = "", **headers: str) -> Callable[[World], tuple[Rule, ...]]:
        return always(censor.NamePage(names=domain(site), response=censor.response(status, body, **headers)))

    def gets(words: str, what: str = url, *options: str) -> Proof:
        return prove.curl(words, what, *options)

    frame = "<html><body style='margin:0'><iframe src='http://92.47.151.80/?type=Invalid+Site' width='100%' height='100%'></iframe></body></html>"
    elsewhere = ("--connect-to", f"{site}:80:{NEUTRAL}:80")
    return (
        row("http_sent_to_the_providers_shop", "a request with the name is sent on to the provider's own front page, which says nothing of an order",
            HTTP, gets("Location: https://www.telecom.example/"), gets("Location: https://www.telecom.example/", url, *elsewhere), prove.page("https://www.telecom.example/"), rules=answered("302 Found", Location="https://www.telecom.example/"),
            **{**about, "world": lambda world: _with_shop(_plain(site)(world))}),
        row("http_frame_of_a_notice", "a request with the name gets a frame around a page at an address of the provider's, and no words (India, Pakistan)",
            HTTP, gets("iframe"), gets("iframe", url, *elsewhere), rules=answered("200 OK", frame), **about),
        row("http_empty_page", "a request with the name gets status 200 and nothing in it",
            HTTP, prove_blocks.body_length(url, 0), gets("Content-Length: 0", url, *elsewhere), rules=answered("200 OK"), **about),
        # It acts on the site's own words: elsewhere the name passes, and a server that breaks off does the same.
        row("http_reset_by_a_word_in_the_answer", "the request passes; the page is reset when a listed word comes by in it",
            (*HTTP, UNKNOWN), prove.fails(url, prove.RESET, 52), prove.curl("HTTP/1.1 301", url, *elsewhere), rules=always(manners_blocks.AnswerReset(when=When(protocol=TCP, ports=(80,)), words=(_BANNER.encode(),))), **about),
        # Half of the source ports: which half a run has is chance.
        row("http_notice_to_half_of_the_visitors", "one of two parallel paths has the box that shows a notice of a court's decision",
            (*HTTP, UNKNOWN, LUCKY), prove_blocks.pages_vary(url, "решению суда"), rules=always(censor.NamePage(names=domain(site), when=When(protocol=TCP, fraction=0.5), response=censor.response(
            "403 Forbidden", "<html><head><title>Доступ ограничен</title></head><body>Доступ к сайту ограничен по решению суда</body></html>"))), **about),
    )  # fmt: skip


def _with_shop(world: World) -> World:
    shop = Site(name="www.telecom.example", address="92.47.144.60")
    return dataclasses.replace(world, sites={**world.sites, shop.name: shop})


SCENARIOS: tuple[Scenario, ...] = (
    *drawn(_names), *drawn(_addresses), *ADDRESSES, *drawn(_questions), *QUESTIONS, *drawn(_requests, PLAIN_SITES),
)  # fmt: skip
