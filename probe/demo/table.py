"""The programme: every act, every scene, what is done in it, and which verdicts are right.

One vantage can prove interference (an artefact, or a contrast at addresses that have nothing to do with the target) and
can believe a site's own word over a verified chain. It cannot prove that a silent server is down for everyone: where the
right word is *inconclusive*, the table says so, because a demo that expected more would teach the program to guess.
"""

from __future__ import annotations

from probe.demo.authority import STRANGER
from probe.demo.internet import PORTAL
from probe.demo.pages import article
from probe.demo.scene import Accepted, Act, Scene
from probe.demo.table_abroad import ABROAD
from probe.demo.table_apps import APPS, SLOWER
from probe.demo.table_lately import ECH, QUIC
from probe.demo.world import EMPTY, NXDOMAIN, REFUSED, SERVFAIL, SILENCE, Page, Portal, Reply, Resolver, Rule, Server
from probe.wire.resolvers import Nameserver

_HTML = ("Content-Type", "text/html; charset=utf-8")
_YEAR_S = 365 * 86400.0

_BLOCK_PAGE_ADDRESS = "23.1.0.10"
_WRONG_ADDRESS = "23.2.0.10"
_BOGON = "10.10.34.35"
"""What the Iranian network answers for forbidden names; it belongs to nobody on the Internet."""

_BLOCK_PAGE = Page(
    status=200,
    headers=(_HTML,),
    body=article(
        "Access restricted / Доступ ограничен / Қолжетімділік шектелген",
        "Access to this site is restricted by the provider by decision of an authorised body. "
        "Доступ к ресурсу ограничен по решению уполномоченного органа.",
    ),
)
_SOMEBODY_ELSE = Server(address=_WRONG_ADDRESS, names=(STRANGER,))
_BLOCK_PAGE_SERVER = Server(
    address=_BLOCK_PAGE_ADDRESS,
    names=("blockpage.provider.example",),
    pages={"": _BLOCK_PAGE},
    refused=(443,),
    ports=(80,),
)

_ACCESSIBLE = (Accepted("accessible", (None,), (None,)),)


def _blocked(method: str, *signatures: str) -> tuple[Accepted, ...]:
    return (Accepted("blocked", (method,), signatures),)


def _denied(method: str) -> tuple[Accepted, ...]:
    return (Accepted("denied", (method,)),)


def _outage(method: str, *signatures: str) -> tuple[Accepted, ...]:
    return (Accepted("outage", (method,), signatures),)


def _no_network(method: str) -> tuple[Accepted, ...]:
    return (Accepted("no_network", (method,)),)


def _unknowable(signature: str) -> tuple[Accepted, ...]:
    """What one vantage cannot tell: the program says what it saw, and no more."""
    return (Accepted("inconclusive", signatures=(signature,)),)


# ---------------------------------------------------------------------------------------------------------------------

_NAMES = Act(
    name="names",
    title="A provider and a box on the path that lie about names",
    servers=(_SOMEBODY_ELSE, _BLOCK_PAGE_SERVER),
    scenes=(
        Scene(url="https://social.example/", done="nothing: it works", accepted=_ACCESSIBLE),
        Scene(
            url="https://photos.example/",
            done="a box on the path answers every question about it with a private address",
            rule=Rule(name="", dns=Reply((_BOGON,))),
            accepted=_blocked("dns", "dns.injection.bogon"),
        ),
        Scene(
            url="https://forum.example/",
            done="a box on the path answers with the address of a block page",
            rule=Rule(name="", dns=Reply((_BLOCK_PAGE_ADDRESS,))),
            accepted=_blocked("dns", "dns.injection.block_page"),
        ),
        Scene(
            url="https://journal.example/",
            done="a box on the path answers with somebody else's address",
            rule=Rule(name="", dns=Reply((_WRONG_ADDRESS,))),
            accepted=_blocked("dns", "dns.injection.other"),
        ),
        Scene(
            url="https://petitions.example/",
            done="the provider's resolver says that there is no such name",
            lie=NXDOMAIN,
            accepted=_blocked("dns", "dns.nxdomain"),
        ),
        Scene(
            url="https://essays.example/",
            done="a box on the path answers every question about it with 'server failure'",
            rule=Rule(name="", dns=SERVFAIL),
            accepted=_blocked("dns", "dns.servfail"),
        ),
        Scene(
            url="https://poems.example/",
            done="the provider's resolver refuses to answer for it",
            lie=REFUSED,
            accepted=_blocked("dns", "dns.refused"),
        ),
        Scene(
            url="https://gone.example/",
            done="the name has been given up: no server anywhere knows it",
            exists=False,
            accepted=_outage("dns", "dns.nxdomain"),
        ),
        Scene(
            url="https://rusty.example/",
            done="the site's own name servers are broken: 'server failure' everywhere",
            answer=SERVFAIL,
            accepted=_outage("dns", "dns.servfail"),
        ),
    ),
)

_HANDSHAKES = Act(
    name="handshakes",
    title="A box on the path that reads the name in the TLS handshake",
    scenes=(
        Scene(
            url="https://videos.example/",
            done="the box drops everything after a handshake that names it",
            rule=Rule(name="", tls="silence"),
            accepted=_blocked("tls", "tls.timeout.sni"),
        ),
        Scene(
            url="https://chat.example/",
            done="the box resets connections that name it",
            rule=Rule(name="", tls="reset"),
            accepted=_blocked("tls", "tls.reset.sni"),
        ),
        Scene(
            url="https://calls.example/",
            done="the box closes connections that name it",
            rule=Rule(name="", tls="eof"),
            accepted=_blocked("tls", "tls.eof.sni"),
        ),
        Scene(
            url="https://stories.example/",
            done="the box answers with a TLS alert where it is named",
            rule=Rule(name="", tls="alert"),
            accepted=_blocked("tls", "tls.alert.sni"),
        ),
        Scene(
            url="https://mail.example/",
            done="the box reads along with a certificate forged by Kazakhstan's known authority",
            rule=Rule(name="", forger="national"),
            accepted=_blocked("mitm", "tls.mitm.known_ca"),
        ),
        Scene(
            url="https://music.example/",
            done="the box reads along with a certificate forged by an authority that nobody knows",
            rule=Rule(name="", forger="unknown"),
            accepted=_blocked("mitm", "tls.mitm.unknown_ca"),
        ),
    ),
)

_PAGES = Act(
    name="pages",
    title="A box on the path that reads unencrypted pages",
    servers=(_BLOCK_PAGE_SERVER,),
    scenes=(
        Scene(url="http://weather.example/", done="nothing: it works, without encryption", accepted=_ACCESSIBLE),
        Scene(
            url="http://news.example/",
            done="the box puts a block page in the place of the site's",
            rule=Rule(name="", page=_BLOCK_PAGE),
            accepted=_blocked("http", "http.block_page.any", "http.block_page.host"),
        ),
        Scene(
            url="http://radio.example/",
            done="the box sends the visitor on to a block page",
            rule=Rule(name="", page=Page(status=302, headers=(("Location", "http://blockpage.provider.example/"),))),
            accepted=_blocked("http", "http.redirect.any", "http.redirect.host", "http.block_page.any"),
        ),
        Scene(
            url="http://tv.example/",
            done="the box resets requests for it",
            rule=Rule(name="", http="reset"),
            accepted=_blocked("http", "http.reset.host"),
        ),
        Scene(
            url="http://press.example/",
            done="the box drops requests for it",
            rule=Rule(name="", http="silence"),
            accepted=_blocked("http", "http.timeout.host"),
        ),
        Scene(
            url="http://opinion.example/",
            done="the box closes connections that ask for it",
            rule=Rule(name="", http="eof"),
            accepted=_blocked("http", "http.eof.host"),
        ),
    ),
)


def _page(status: int, title: str, text: str, *headers: tuple[str, str]) -> Server:
    page = Page(status=status, headers=(_HTML, *headers), body=article(title, text))
    return Server(address="", names=(), pages={"": page})


_SITES = Act(
    name="sites",
    title="Sites that refuse a visitor, or are in trouble themselves",
    scenes=(
        Scene(
            url="https://films.example/",
            done="the site itself refuses visitors from this country (403)",
            server=_page(
                403, "Not available in your country", "This service is not available in your country or region."
            ),
            accepted=_denied("geo"),
        ),
        Scene(
            url="https://books.example/",
            done="the site itself refuses for legal reasons (451)",
            server=_page(451, "Unavailable For Legal Reasons", "This content is unavailable for legal reasons."),
            accepted=_denied("legal"),
        ),
        Scene(
            url="https://shop.example/",
            done="the site takes this visitor for a robot (403 and a challenge)",
            server=_page(
                403,
                "Just a moment...",
                "Checking your browser. Enable JavaScript and cookies to continue.",
                ("Server", "cloudflare"),
                ("cf-mitigated", "challenge"),
            ),
            accepted=_denied("antibot"),
        ),
        Scene(
            url="https://maps.example/",
            done="the site has had enough requests for now (429)",
            server=_page(429, "Too Many Requests", "Too many requests. Try again later.", ("Retry-After", "60")),
            accepted=_denied("ratelimit"),
        ),
        Scene(
            url="https://wiki.example/",
            done="the site's server is broken (500)",
            server=_page(500, "Internal Server Error", "Something went wrong on our side."),
            accepted=_outage("http"),
        ),
        Scene(
            url="https://games.example/",
            done="the site is down for maintenance (503)",
            server=_page(503, "Service Unavailable", "Down for maintenance. We will be back soon."),
            accepted=_outage("http"),
        ),
        Scene(
            url="https://bank.example/",
            done="the site let its certificate expire",
            server=Server(address="", names=(), certificate="expired"),
            accepted=_outage("certificate"),
        ),
    ),
)

_RIDDLES = Act(
    name="riddles",
    title="Failures that one vantage cannot tell apart, and should not pretend to",
    scenes=(
        Scene(
            url="https://quiet.example/",
            done="its only address is silent, and nothing else is known",
            server=None,
            accepted=_unknowable("ip.timeout"),
        ),
        Scene(
            url="https://closed.example/",
            done="its server refuses connections",
            server=Server(address="", names=(), ports=(80,), refused=(443,)),
            accepted=_unknowable("ip.reset"),
        ),
        Scene(
            url="https://lost.example/",
            done="a router says that its address cannot be reached",
            unreachable=True,
            accepted=_unknowable("ip.unreachable"),
        ),
        Scene(
            url="https://asleep.example/",
            done="its server accepts connections and never says a word, whatever the name",
            server=Server(address="", names=(), on_hello="silence"),
            accepted=_unknowable("tls.timeout.any"),
        ),
        Scene(
            url="https://moved.example/",
            done="its server shows another site's certificate",
            server=Server(address="", names=(), certificate="wrong_name"),
            accepted=_unknowable("tls.certificate.wrong_host"),
        ),
        Scene(
            url="https://homemade.example/",
            done="its server made its certificate itself",
            server=Server(address="", names=(), certificate="self_signed"),
            accepted=_unknowable("tls.certificate.self_signed"),
        ),
        Scene(
            url="https://mute.example/",
            done="its server hangs up on every request",
            server=Server(address="", names=(), on_request="eof"),
            accepted=_unknowable("http.eof.any"),
        ),
        Scene(
            url="http://archive.example/",
            done="its server breaks off in the middle of the page",
            server=Server(
                address="",
                names=(),
                pages={"": Page(headers=(_HTML,), body=article("Archive", "old " * 500), cut_after=600)},
            ),
            accepted=_unknowable("http.reset.any"),
        ),
        Scene(
            url="https://diary.example/",
            done="the provider's resolver fails for it, as it would if the site's name servers shunned that resolver",
            lie=SERVFAIL,
            accepted=_unknowable("dns.servfail"),
        ),
        Scene(
            url="https://letters.example/",
            done="the provider's resolver says that the name has no address, as some sites answer some countries",
            lie=EMPTY,
            accepted=_unknowable("dns.no_answer"),
        ),
        Scene(
            url="https://sketches.example/",
            done="the provider's resolver leaves questions about it unanswered",
            lie=SILENCE,
            accepted=_unknowable("dns.timeout"),
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# the own side, one state a network

_UNPLUGGED = Act(
    name="unplugged",
    title="The cable is out",
    link="no_route",
    scenes=(
        Scene(url="https://social.example/", done="this host has no connection at all", accepted=_no_network("link")),
    ),
)

_DEAD_LINE = Act(
    name="dead-line",
    title="The line behind the router is dead",
    link="silent",
    scenes=(
        Scene(
            url="https://social.example/",
            done="packets leave and nothing ever comes back",
            accepted=_no_network("upstream"),
        ),
    ),
)

_DEAD_RESOLVER = Act(
    name="dead-resolver",
    title="The provider's resolver is down",
    nameservers=(Nameserver("21.0.0.54"),),
    scenes=(
        Scene(
            url="https://social.example/",
            done="the only resolver of this host answers nothing",
            accepted=_no_network("resolver"),
        ),
    ),
)

_HOTEL_PAGE = Page(
    status=302,
    headers=(("Location", "http://login.hotel.example/welcome"), ("Cache-Control", "no-store")),
    body="Log in",
)
_HOTEL = Act(
    name="hotel",
    title="A hotel's login page stands in the way",
    portal=Portal(page=_HOTEL_PAGE),
    nameservers=(Nameserver(PORTAL),),
    resolvers=(Resolver(address=PORTAL),),
    scenes=(
        Scene(
            url="https://social.example/",
            done="every page is replaced by the hotel's login",
            accepted=_no_network("captive_portal"),
        ),
        Scene(
            url="http://weather.example/",
            done="every page is replaced by the hotel's login",
            accepted=_no_network("captive_portal"),
        ),
    ),
)

_OLD_CLOCK = Act(
    name="old-clock",
    title="This computer's clock is a year slow",
    ahead_s=_YEAR_S,
    scenes=(
        Scene(
            url="https://social.example/",
            done="every certificate seems to come from the future",
            accepted=_no_network("clock"),
        ),
    ),
)

_HOME = "192.168.1.1"
_HOUSEHOLD = Act(
    name="household",
    title="A filter in the own home",
    nameservers=(Nameserver(_HOME),),
    resolvers=(
        Resolver(
            address=_HOME,
            lies={"arcade.example": Reply(("0.0.0.0",)), "doubleclick.net": Reply(("0.0.0.0",))},
            delay_s=0.0,
        ),
    ),
    scenes=(
        Scene(
            url="https://arcade.example/",
            done="the home router's advertisement and game filter refuses the name",
            accepted=_no_network("filter"),
        ),
        Scene(
            url="https://feed.example/",
            done="this computer's own hosts file sends the name nowhere",
            hosts=("0.0.0.0",),
            accepted=_no_network("filter"),
        ),
        Scene(url="https://recipes.example/", done="nothing: the filter does not mind it", accepted=_ACCESSIBLE),
    ),
)

PROGRAMME: tuple[Act, ...] = (
    _NAMES,
    _HANDSHAKES,
    _PAGES,
    _SITES,
    _RIDDLES,
    APPS,
    SLOWER,
    QUIC,
    ECH,
    ABROAD,
    _HOUSEHOLD,
    _HOTEL,
    _OLD_CLOCK,
    _DEAD_RESOLVER,
    _DEAD_LINE,
    _UNPLUGGED,
)
