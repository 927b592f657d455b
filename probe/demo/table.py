"""The programme: every act, every scene, what is done in it, and which verdicts are right.

One vantage can prove interference (an artefact, or a contrast at addresses that have nothing to do with the target) and
can believe a site's own word over a verified chain. It cannot prove that a silent server is down for everyone: where the
right word is *inconclusive*, the table says so, because a demo that expected more would teach the program to guess.
"""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE, blocked, denied, outage, unknowable
from probe.demo.authority import STRANGER
from probe.demo.pages import article
from probe.demo.scene import Act, Scene
from probe.demo.table_abroad import ABROAD
from probe.demo.table_apps import APPS, SLOWER
from probe.demo.table_lately import ECH, QUIC
from probe.demo.table_own_side import OWN_SIDE
from probe.demo.world import EMPTY, NXDOMAIN, REFUSED, SERVFAIL, SILENCE, Page, Reply, Rule, Server

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

_NAMES = Act(
    name="names",
    title="A provider and a box on the path that lie about names",
    servers=(_SOMEBODY_ELSE, _BLOCK_PAGE_SERVER),
    scenes=(
        Scene(url="https://social.example/", done="nothing: it works", accepted=ACCESSIBLE),
        Scene(
            url="https://photos.example/",
            done="a box on the path answers every question about it with a private address",
            rule=Rule(name="", dns=Reply((_BOGON,))),
            accepted=blocked("dns", "dns.injection.bogon"),
        ),
        Scene(
            url="https://forum.example/",
            done="a box on the path answers with the address of a block page",
            rule=Rule(name="", dns=Reply((_BLOCK_PAGE_ADDRESS,))),
            accepted=blocked("dns", "dns.injection.block_page"),
        ),
        Scene(
            url="https://journal.example/",
            done="a box on the path answers with somebody else's address",
            rule=Rule(name="", dns=Reply((_WRONG_ADDRESS,))),
            accepted=blocked("dns", "dns.injection.other"),
        ),
        Scene(
            url="https://petitions.example/",
            done="the provider's resolver says that there is no such name",
            lie=NXDOMAIN,
            accepted=blocked("dns", "dns.nxdomain"),
        ),
        Scene(
            url="https://essays.example/",
            done="a box on the path answers every question about it with 'server failure'",
            rule=Rule(name="", dns=SERVFAIL),
            accepted=blocked("dns", "dns.servfail"),
        ),
        Scene(
            url="https://poems.example/",
            done="the provider's resolver refuses to answer for it",
            lie=REFUSED,
            accepted=blocked("dns", "dns.refused"),
        ),
        Scene(
            url="https://gone.example/",
            done="the name has been given up: no server anywhere knows it",
            exists=False,
            accepted=outage("dns", "dns.nxdomain"),
        ),
        Scene(
            url="https://rusty.example/",
            done="the site's own name servers are broken: 'server failure' everywhere",
            answer=SERVFAIL,
            accepted=outage("dns", "dns.servfail"),
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
            accepted=blocked("tls", "tls.timeout.sni"),
        ),
        Scene(
            url="https://chat.example/",
            done="the box resets connections that name it",
            rule=Rule(name="", tls="reset"),
            accepted=blocked("tls", "tls.reset.sni"),
        ),
        Scene(
            url="https://calls.example/",
            done="the box closes connections that name it",
            rule=Rule(name="", tls="eof"),
            accepted=blocked("tls", "tls.eof.sni"),
        ),
        Scene(
            url="https://stories.example/",
            done="the box answers with a TLS alert where it is named",
            rule=Rule(name="", tls="alert"),
            accepted=blocked("tls", "tls.alert.sni"),
        ),
        Scene(
            url="https://mail.example/",
            done="the box reads along with a certificate forged by Kazakhstan's known authority",
            rule=Rule(name="", forger="national"),
            accepted=blocked("mitm", "tls.mitm.known_ca"),
        ),
        Scene(
            url="https://music.example/",
            done="the box reads along with a certificate forged by an authority that nobody knows",
            rule=Rule(name="", forger="unknown"),
            accepted=blocked("mitm", "tls.mitm.unknown_ca"),
        ),
    ),
)

_PAGES = Act(
    name="pages",
    title="A box on the path that reads unencrypted pages",
    servers=(_BLOCK_PAGE_SERVER,),
    scenes=(
        Scene(url="http://weather.example/", done="nothing: it works, without encryption", accepted=ACCESSIBLE),
        Scene(
            url="http://news.example/",
            done="the box puts a block page in the place of the site's",
            rule=Rule(name="", page=_BLOCK_PAGE),
            accepted=blocked("http", "http.block_page.any", "http.block_page.host"),
        ),
        Scene(
            url="http://radio.example/",
            done="the box sends the visitor on to a block page",
            rule=Rule(name="", page=Page(status=302, headers=(("Location", "http://blockpage.provider.example/"),))),
            accepted=blocked("http", "http.redirect.any", "http.redirect.host", "http.block_page.any"),
        ),
        Scene(
            url="http://tv.example/",
            done="the box resets requests for it",
            rule=Rule(name="", http="reset"),
            accepted=blocked("http", "http.reset.host"),
        ),
        Scene(
            url="http://press.example/",
            done="the box drops requests for it",
            rule=Rule(name="", http="silence"),
            accepted=blocked("http", "http.timeout.host"),
        ),
        Scene(
            url="http://opinion.example/",
            done="the box closes connections that ask for it",
            rule=Rule(name="", http="eof"),
            accepted=blocked("http", "http.eof.host"),
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
            accepted=denied("geo"),
        ),
        Scene(
            url="https://books.example/",
            done="the site itself refuses for legal reasons (451)",
            server=_page(451, "Unavailable For Legal Reasons", "This content is unavailable for legal reasons."),
            accepted=denied("legal"),
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
            accepted=denied("antibot"),
        ),
        Scene(
            url="https://maps.example/",
            done="the site has had enough requests for now (429)",
            server=_page(429, "Too Many Requests", "Too many requests. Try again later.", ("Retry-After", "60")),
            accepted=denied("ratelimit"),
        ),
        Scene(
            url="https://wiki.example/",
            done="the site's server is broken (500)",
            server=_page(500, "Internal Server Error", "Something went wrong on our side."),
            accepted=outage("http"),
        ),
        Scene(
            url="https://games.example/",
            done="the site is down for maintenance (503)",
            server=_page(503, "Service Unavailable", "Down for maintenance. We will be back soon."),
            accepted=outage("http"),
        ),
        Scene(
            url="https://bank.example/",
            done="the site let its certificate expire",
            server=Server(address="", names=(), certificate="expired"),
            accepted=outage("certificate"),
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
            accepted=unknowable("ip.timeout"),
        ),
        Scene(
            url="https://closed.example/",
            done="its server refuses connections",
            server=Server(address="", names=(), ports=(80,), refused=(443,)),
            accepted=unknowable("ip.reset"),
        ),
        Scene(
            url="https://lost.example/",
            done="a router says that its address cannot be reached",
            unreachable=True,
            accepted=unknowable("ip.unreachable"),
        ),
        Scene(
            url="https://asleep.example/",
            done="its server accepts connections and never says a word, whatever the name",
            server=Server(address="", names=(), on_hello="silence"),
            accepted=unknowable("tls.timeout.any"),
        ),
        Scene(
            url="https://moved.example/",
            done="its server shows another site's certificate",
            server=Server(address="", names=(), certificate="wrong_name"),
            accepted=unknowable("tls.certificate.wrong_host"),
        ),
        Scene(
            url="https://homemade.example/",
            done="its server made its certificate itself",
            server=Server(address="", names=(), certificate="self_signed"),
            accepted=unknowable("tls.certificate.self_signed"),
        ),
        Scene(
            url="https://mute.example/",
            done="its server hangs up on every request",
            server=Server(address="", names=(), on_request="eof"),
            accepted=unknowable("http.eof.any"),
        ),
        Scene(
            url="http://archive.example/",
            done="its server breaks off in the middle of the page",
            server=Server(
                address="",
                names=(),
                pages={"": Page(headers=(_HTML,), body=article("Archive", "old " * 500), cut_after=600)},
            ),
            accepted=unknowable("http.reset.any"),
        ),
        Scene(
            url="https://diary.example/",
            done="the provider's resolver fails for it, as it would if the site's name servers shunned that resolver",
            lie=SERVFAIL,
            accepted=unknowable("dns.servfail"),
        ),
        Scene(
            url="https://letters.example/",
            done="the provider's resolver says that the name has no address, as some sites answer some countries",
            lie=EMPTY,
            accepted=unknowable("dns.no_answer"),
        ),
        Scene(
            url="https://sketches.example/",
            done="the provider's resolver leaves questions about it unanswered",
            lie=SILENCE,
            accepted=unknowable("dns.timeout"),
        ),
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
    *OWN_SIDE,
)
