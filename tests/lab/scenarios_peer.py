"""The published cases of a peer's test suite (ooni/probe-cli: webconnectivityqa and the netem tests of its experiments).

Each is a scenario of ours, with the peer's published answer in ``origin`` and what is true in ``acceptable``. Cases that a
row elsewhere already is are marked there. Addresses and names are the peer's; the blocks act at our provider.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import prove, prove_apps, rules
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenario import Whole
from tests.lab.scenarios import ANY_OUTAGE, BOGON, FACEBOOK, Scenario, Words
from tests.lab.scenarios_apps import with_http3
from tests.lab.scenarios_platforms import ACCESSIBLE, add, page, row
from tests.lab.world import Site, World

QA = "ooni/probe-cli webconnectivityqa "
EXAMPLE = "www.example.com"
EXAMPLE_URL, EXAMPLE_PLAIN = f"https://{EXAMPLE}/", f"http://{EXAMPLE}/"
_BIT_LY, _BIT_LY_PLAIN = "https://bit.ly/21645", "https://bit.ly/32447"
_PAGE = page(
    "<!doctype html><html><head><title>Default Web Page</title></head><body>This domain is for use in examples.</body></html>"
)
_MANY = " ".join(f"location = /redirect/{n} {{ return 302 /redirect/{n - 1}; }}" for n in range(1, 16))

_SITES = (
    Site(name=EXAMPLE, address="93.184.216.34", https=_PAGE, http=_PAGE),
    Site(name="bit.ly", address="67.199.248.11",
         https=f"location = /21645 {{ return 308 {EXAMPLE_URL}; }} location = /32447 {{ return 308 {EXAMPLE_PLAIN}; }} location / {{ return 404; }}"),
    Site(name="untrusted-root.badssl.com", address="104.154.89.105", certificate="forger"),
    Site(name="xn--d1acpjx3f.xn--p1ai", address="5.255.255.80", http="location / { return 308 https://ya.ru/; }"),
    Site(name="ya.ru", address="5.255.255.81"),
    Site(name="httpbin.com", address="172.67.144.64", https=_MANY + " location = /redirect/0 { return 200 end; }"),
)  # fmt: skip


def peers(**values: Any) -> Callable[[World], World]:
    """The world with the peer's sites in it."""
    return add(*_SITES, **values)


def _row(name: str, tells: str, url: str, origin: str, *proofs: Proof, **values: Any) -> Scenario:
    """A case; where it is a block (``acceptable`` says so) the exit code is 1."""
    world = values.pop("world", peers())
    acceptable = values.get("acceptable", ANY_OUTAGE)
    codes = {"accessible": (0,), "blocked": (1,)}.get(acceptable[0].status, (1, 3))
    if {words.status for words in acceptable} == {"accessible", "inconclusive"}:
        codes = (0, 3)
    return row(name, tells, world, *proofs, **{"check": (url,), "exit_codes": codes, "origin": origin, **values})


def _blocked(method: str, signature: str = "") -> dict[str, Any]:
    return {"acceptable": (Words("blocked", method, signature),)}


def _at_border(rule: type[Rule], address: str, *ports: int) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: (rule(when=When(protocol=TCP, ports=ports, remote=(f"{address}/32",))),)


def _named(rule: type[rules.ByName], *names: str, http: bool = False) -> Callable[[World], tuple[Rule, ...]]:
    return lambda _world: (rule(names=names, http=http),)


_EXAMPLE_TRUTH = prove.truth(EXAMPLE)
_SENT_ON = prove.page(_BIT_LY, 308)
_SENT_ON_PLAIN = prove.page(_BIT_LY_PLAIN, 308)
_ELSEWHERE = "the place of the loss, or a second network"

WEB = (
    _row("peer_redirect_then_reset", "a short link leads to a name that is reset in its greeting", _BIT_LY,
         QA + "redirectWithConsistentDNSAndThenConnectionResetForHTTPS: http-failure, accessible false", _SENT_ON,
         prove.fails(EXAMPLE_URL, prove.HANDSHAKE, prove.RESET), rules=_named(rules.NameReset, EXAMPLE), **_blocked("tls", "tls.reset.sni")),
    _row("peer_redirect_then_timeout", "a short link leads to a name whose greeting is dropped", _BIT_LY,
         QA + "redirectWithConsistentDNSAndThenTimeoutForHTTPS: http-failure, accessible false", _SENT_ON,
         prove.fails(EXAMPLE_URL, prove.SILENT), rules=_named(rules.NameDrop, EXAMPLE), **_blocked("tls", "tls.timeout.sni")),
    _row("peer_redirect_then_reset_plain", "a short link leads to plain http, where requests with that Host are reset", _BIT_LY_PLAIN,
         QA + "redirectWithConsistentDNSAndThenConnectionResetForHTTP: http-failure, accessible false", _SENT_ON_PLAIN,
         prove.fails(EXAMPLE_PLAIN, prove.RESET), rules=_named(rules.NameReset, EXAMPLE, http=True), **_blocked("http", "http.reset")),
    _row("peer_redirect_then_timeout_plain", "the same, and they are dropped", _BIT_LY_PLAIN,
         QA + "redirectWithConsistentDNSAndThenTimeoutForHTTP: http-failure, accessible false", _SENT_ON_PLAIN,
         prove.fails(EXAMPLE_PLAIN, prove.SILENT), rules=_named(rules.NameDrop, EXAMPLE, http=True), **_blocked("http", "http.timeout")),
    _row("peer_redirect_then_nxdomain", "a short link leads to a name that the provider's resolver denies", _BIT_LY,
         QA + "redirectWithConsistentDNSAndThenNXDOMAIN: dns, accessible false", _SENT_ON, prove.answers(EXAMPLE, "NXDOMAIN"), _EXAMPLE_TRUTH,
         world=peers(lies={EXAMPLE: "nxdomain"}), **_blocked("dns", "dns.nxdomain")),
    _row("peer_redirect_then_refused", "a short link leads to an address that the provider refuses in the server's name", _BIT_LY,
         QA + "redirectWithConsistentDNSAndThenConnectionRefusedForHTTPS: http-failure, accessible false", _SENT_ON,
         prove.fails(EXAMPLE_URL, prove.UNCONNECTED), rules=_at_border(rules.Reset, "93.184.216.34", 443), needs=(_ELSEWHERE,), **_blocked("ip")),
    _row("peer_redirect_then_refused_plain", "the same on port 80", _BIT_LY_PLAIN,
         QA + "redirectWithConsistentDNSAndThenConnectionRefusedForHTTP: http-failure, accessible false", _SENT_ON_PLAIN,
         prove.fails(EXAMPLE_PLAIN, prove.UNCONNECTED), rules=_at_border(rules.Reset, "93.184.216.34", 80), needs=(_ELSEWHERE,), **_blocked("ip")),
    _row("peer_address_dropped", "the provider drops what is sent to the server's address", EXAMPLE_URL,
         QA + "tcpBlockingConnectTimeout: tcp_ip, accessible false", _EXAMPLE_TRUTH, prove.fails(EXAMPLE_URL, prove.SILENT),
         rules=_at_border(rules.Drop, "93.184.216.34", 443), needs=(_ELSEWHERE,), **_blocked("ip")),
    _row("peer_http_reset", "requests with the Host are reset", EXAMPLE_PLAIN,
         QA + "httpBlockingConnectionReset: http-failure, accessible false", prove.fails(EXAMPLE_PLAIN, prove.RESET), _EXAMPLE_TRUTH,
         rules=_named(rules.NameReset, EXAMPLE, http=True), **_blocked("http", "http.reset")),
    _row("peer_lie_localhost_plain", "the provider's resolver says 127.0.0.1 for a site over plain http", EXAMPLE_PLAIN,
         QA + "dnsHijackingToLocalhostWithHTTP: dns, accessible false", prove.answers(EXAMPLE, "127.0.0.1"), _EXAMPLE_TRUTH,
         world=peers(lies={EXAMPLE: "127.0.0.1"}), **_blocked("dns")),
    _row("peer_lie_localhost", "the provider's resolver says 127.0.0.1 for a site over https", EXAMPLE_URL,
         QA + "dnsHijackingToLocalhostWithHTTPS: dns, accessible false", prove.answers(EXAMPLE, "127.0.0.1"), _EXAMPLE_TRUTH,
         world=peers(lies={EXAMPLE: "127.0.0.1"}), **_blocked("dns", "dns.injection.bogon")),
    _row("peer_localhost_for_all", "the site's owner has put 127.0.0.1 into its zone: every resolver says so", EXAMPLE_URL,
         QA + "localhostWithHTTPS: blocking false, accessible false", prove.answers(EXAMPLE, "127.0.0.1"), prove.answers(EXAMPLE, "127.0.0.1", "8.8.8.8"),
         world=peers(lies={EXAMPLE: "127.0.0.1"}, abroad={EXAMPLE: "127.0.0.1"}), acceptable=(Words("outage", "dns"), Words("inconclusive"))),
    _row("peer_localhost_for_all_plain", "the same over plain http", EXAMPLE_PLAIN,
         QA + "localhostWithHTTP: blocking false, accessible false", prove.answers(EXAMPLE, "127.0.0.1"), prove.answers(EXAMPLE, "127.0.0.1", "8.8.8.8"),
         world=peers(lies={EXAMPLE: "127.0.0.1"}, abroad={EXAMPLE: "127.0.0.1"}), acceptable=(Words("outage", "dns"), Words("inconclusive"))),
    _row("peer_lie_untrusted", "the provider's resolver leads to a server with a certificate that nobody trusts", EXAMPLE_URL,
         QA + "badSSLWithUnknownAuthorityWithInconsistentDNS: dns, accessible false", prove.answers(EXAMPLE, "104.154.89.105"), _EXAMPLE_TRUTH,
         prove.fails(EXAMPLE_URL, prove.UNTRUSTED), world=peers(lies={EXAMPLE: "104.154.89.105"}), needs=(_ELSEWHERE,), **_blocked("dns")),
    _row("peer_lie_refused", "the provider's resolver leads to an address where nothing listens", EXAMPLE_PLAIN,
         QA + "tcpBlockingConnectionRefusedWithInconsistentDNS: dns, accessible false", prove.answers(EXAMPLE, "83.224.65.41"), _EXAMPLE_TRUTH,
         world=add(*_SITES, Site(name="blockpage.example", address="83.224.65.41", listening=False), lies={EXAMPLE: "83.224.65.41"}),
         needs=(_ELSEWHERE,), **_blocked("dns")),
    _row("peer_untrusted_root", "a site whose certificate is by an authority that nobody knows, for everybody", "https://untrusted-root.badssl.com/",
         QA + "badSSLWithUnknownAuthorityWithConsistentDNS: blocking false, accessible false", prove.truth("untrusted-root.badssl.com"),
         prove.fails("https://untrusted-root.badssl.com/", prove.UNTRUSTED), acceptable=(Words("outage", "certificate"), Words("inconclusive"))),
    _row("peer_idn", "a name in Cyrillic letters, with a chain of redirects", "http://яндекс.рф/",
         QA + "idnaWithoutCensorshipLowercase: blocking false, accessible true", prove.page("http://xn--d1acpjx3f.xn--p1ai/", 308), acceptable=ACCESSIBLE),
    _row("peer_idn_capital", "the same with a capital letter", "http://Яндекс.рф/",
         QA + "idnaWithoutCensorshipWithFirstLetterUppercase: blocking false, accessible true", prove.page("http://xn--d1acpjx3f.xn--p1ai/", 308), acceptable=ACCESSIBLE),
    # Browsers follow twenty redirects, this program ten.
    _row("peer_fifteen_redirects", "fifteen redirects, and then a page", "https://httpbin.com/redirect/15",
         QA + "redirectWithMoreThanTenRedirectsAndHTTP: blocking false, accessible false", prove.curl("end", "https://httpbin.com/redirect/15", "-L"),
         acceptable=(*ACCESSIBLE, Words("inconclusive"))),
    _row("peer_success_plain", "an ordinary small page over plain http", EXAMPLE_PLAIN, QA + "successWithHTTP: blocking false, accessible true",
         prove.curl("Default Web Page", EXAMPLE_PLAIN), acceptable=ACCESSIBLE),
)  # fmt: skip

_WEB_TELEGRAM = "web.telegram.org"
_E = "ooni/probe-cli experiment "


def _except(*names: str) -> Callable[[str], bool]:
    return lambda url: not any(name in url for name in names)


APPS = (
    # The apps work, so the platform does: that its web is blocked is told beside it.
    _row("peer_telegram_web_bogon", "the provider's resolver gives a private address for Telegram's web client only", "telegram",
         _E + "telegram: web failure, tcp and http fine", prove.answers(_WEB_TELEGRAM, BOGON), prove.truth(_WEB_TELEGRAM),
         world=lambda world: dataclasses.replace(world, lies={_WEB_TELEGRAM: BOGON}), spares=_except(f"//{_WEB_TELEGRAM}"), exit_codes=(0,),
         platforms=(Whole("telegram", "accessible", ("web_blocked",)),), **_blocked("dns", "dns.injection.bogon")),
    _row("peer_telegram_web_reset", "greetings with the name of Telegram's web client are reset", "telegram", _E + "telegram: web failure, tcp and http fine",
         prove.truth(_WEB_TELEGRAM), prove.fails(f"https://{_WEB_TELEGRAM}/", prove.HANDSHAKE, prove.RESET), rules=_named(rules.NameReset, _WEB_TELEGRAM),
         spares=_except(_WEB_TELEGRAM), exit_codes=(0,), platforms=(Whole("telegram", "accessible", ("web-apps_blocked", "web_blocked")),), **_blocked("tls", "tls.reset.sni")),
    _row("peer_whatsapp_web_reset", "greetings with the name of WhatsApp's web client are reset", "whatsapp", _E + "whatsapp: web blocked, the rest ok",
         prove.fails("https://web.whatsapp.com/", prove.HANDSHAKE, prove.RESET), rules=_named(rules.NameReset, "web.whatsapp.com"),
         spares=_except("web.whatsapp.com"), exit_codes=(0,), platforms=(Whole("whatsapp", "accessible", ("web_blocked",)),),
         **_blocked("tls", "tls.reset.sni")),
    _row("peer_messenger_bogon", "the provider's resolver gives a private address for all of Facebook's names", "messenger",
         _E + "facebook_messenger: dns_blocking true, tcp_blocking false", prove.answers(FACEBOOK, BOGON), prove.truth(FACEBOOK),
         world=lambda world: dataclasses.replace(world, lies={name: BOGON for name in world.records() if name.endswith(("facebook.com", "fbcdn.net"))}), spares=_except("facebook.com", "fbcdn.net"),
         check=("facebook", "messenger"), platforms=(Whole("facebook", "blocked"), Whole("messenger", "blocked")), **_blocked("dns", "dns.injection.bogon")),
    _row("peer_messenger_one_address", "the provider drops what is sent to one of Facebook's hosts", "messenger", _E + "facebook_messenger: tcp_blocking true",
         prove.truth("b-api.facebook.com"), prove.fails("https://b-api.facebook.com/", prove.SILENT), spares=_except("b-api"), needs=(_ELSEWHERE,),
         rules=lambda world: (rules.Drop(when=When(protocol=TCP, remote=(world.sites["b-api.facebook.com"].address + "/32",))),), **_blocked("ip")),
    _row("peer_canary_reset", "a name that this program uses to see whether abroad is reached is itself reset", "https://www.kernel.org/",
         _E + "sni_blocking: interference.reset, control ok", prove.truth("www.kernel.org"), prove.fails("https://www.kernel.org/", prove.HANDSHAKE, prove.RESET),
         rules=_named(rules.NameReset, "kernel.org"), **_blocked("tls", "tls.reset.sni")),
    _row("peer_quic_dropped", "UDP port 443 is dropped, TCP is left alone", EXAMPLE_URL, _E + "dslx: QUIC generic_timeout_error, TCP and TLS ok", prove.page(EXAMPLE_URL),
         prove_apps.http3(EXAMPLE, works=False), prove_apps.negotiates(EXAMPLE, works=False), prove_apps.http3("www.livejournal.com", works=False),
         world=lambda world: with_http3(peers()(world)).change(EXAMPLE, quic="served"), rules=lambda _world: (rules.Drop(when=When(protocol=UDP, ports=(443,))),), impaired=("quic_filtered",), acceptable=(Words("accessible"),)),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*WEB, *APPS)
