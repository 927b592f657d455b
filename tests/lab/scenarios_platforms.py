"""The platforms' own troubles: servers and zones that fail for everybody, and sites that turn visitors away.

None of it is a block. Where the acceptable words hold ``inconclusive`` beside the truth, one network cannot know better:
whoever answers, refuses or is silent at an address may not be who DNS says it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import prove, rules
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import ANY_OUTAGE, FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, Site, World

ACCESSIBLE = (Words("accessible"),)
DENIED_OR_UNKNOWN = (Words("denied"), Words("inconclusive"))

# curl(1), "EXIT CODES".
_TLS_FAILED, _NOTHING, _PART, _RECEIVE = 35, 52, 18, 56

PLAIN = Site(name="radio.example.kz", address="185.98.7.77", http="location / { root /nowhere; }")
"""A site of its own, for what catalogue sites do not have: pages over plain http."""
PLAIN_URL = f"http://{PLAIN.name}/"


def change(**values: Any) -> Callable[[World], World]:
    """The world in which Facebook's site is different."""
    return lambda world: world.change(FACEBOOK, **values)


def add(*sites: Site, **values: Any) -> Callable[[World], World]:
    """The world with more sites, or other values."""
    return lambda world: dataclasses.replace(world, sites={**world.sites, **{s.name: s for s in sites}}, **values)


def plain(http: str = "", **values: Any) -> Callable[[World], World]:
    """The world with a site whose pages come over plain http, from these directives."""
    return add(dataclasses.replace(PLAIN, http=http, **values))


def page(text: str, status: int = 200, *, headers: str = "") -> str:
    """nginx directives for one page, in UTF-8. *headers* are more directives."""
    return f"location / {{ default_type 'text/html; charset=utf-8'; {headers} return {status} '{text}'; }}"


def html(title: str, text: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"


def row(name: str, tells: str, world: Callable[[World], World], *proofs: Proof, **values: Any) -> Scenario:
    """A row about Facebook's front page, in an outage, unless *values* say otherwise."""
    standard: dict[str, Any] = {"acceptable": ANY_OUTAGE, "exit_codes": (1, 3), "sound": (OTHER,)}
    return Scenario(name=name, tells=tells, world=world, proofs=proofs, **{**standard, **values})


def _same(world: World) -> World:
    return world


def _to_facebook(*ports: int) -> Callable[[World], When]:
    return lambda world: When(protocol=TCP, ports=ports, remote=(world.sites[FACEBOOK].address + "/32",))


def _icmp(code: int, offender: str | None) -> Callable[[World], tuple[Rule, ...]]:
    """The far side answers packets to Facebook with ICMP, from *offender* or (``None``) from the server itself."""
    return lambda world: (
        rules.Unreachable(
            when=_to_facebook()(world), place="far", code=code, offender=offender or world.sites[FACEBOOK].address
        ),
    )


def _far_drop(*ports: int) -> Callable[[World], tuple[Rule, ...]]:
    return lambda world: (rules.Drop(when=_to_facebook(*ports)(world), place="far"),)


_TRUTH = prove.truth(FACEBOOK)
_UNREACHED = prove.fails(FACEBOOK_URL, prove.UNCONNECTED)

CONNECTIONS = (
    row("icmp_host_unreachable", "the last router says by ICMP that the server's machine is off", _same, _TRUTH, _UNREACHED,
        rules=_icmp(1, "213.248.97.5")),
    row("icmp_net_unreachable", "a router far away has no route to the server's network", _same, _TRUTH, _UNREACHED,
        rules=_icmp(0, "80.239.128.9")),
    row("icmp_prohibited_by_server", "the server's own firewall answers that it is prohibited", _same, _TRUTH, _UNREACHED,
        rules=_icmp(13, None)),
    row("icmp_port_by_server", "the server's own firewall answers port unreachable, as REJECT does unless told otherwise",
        _same, _TRUTH, _UNREACHED, rules=_icmp(3, None)),
    row("https_dropped_at_server", "the server's own side drops what is sent to port 443; port 80 answers", _same, _TRUTH,
        prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(f"http://{FACEBOOK}/", 301), rules=_far_drop(443)),
    row("one_server_dead_of_many", "one server of a platform is silent; its neighbours in the same network answer",
        change(present=False), _TRUTH, prove.fails(FACEBOOK_URL, prove.SILENT), prove.page("https://m.facebook.com/"),
        check=("facebook",), sound=(), spares=lambda url: FACEBOOK not in url),
    row("accepts_and_hangs", "the server takes connections and never says anything, whatever the name",
        change(front=Front(other="silent", plain="silent")), _TRUTH, prove.fails(FACEBOOK_URL, prove.SILENT),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=False)),
    row("server_slow_to_greet", "the server takes six seconds for every greeting, then all is well",
        change(front=Front(other="late:6/serve")), prove.slower(FACEBOOK_URL, 6), acceptable=ACCESSIBLE, exit_codes=(0,)),
    row("server_too_slow_to_greet", "the server takes twenty seconds for every greeting: longer than anybody waits",
        change(front=Front(other="late:20/serve")), _TRUTH, prove.fails(FACEBOOK_URL, prove.SILENT)),
)  # fmt: skip


def _alert(number: int, what: str, name: str) -> Scenario:
    return row(
        f"alert_{number}", f"the server answers every greeting with the alert {what}", change(front=Front(other=f"alert:{number}")),
        _TRUTH, prove.says(f"alert number {number}", "openssl", "s_client", "-connect", f"{{{FACEBOOK}}}:443", "-servername", name),
    )  # fmt: skip


GREETINGS = (
    _alert(40, "handshake_failure", FACEBOOK),
    _alert(80, "internal_error, as front ends do whose key server is down", FACEBOOK),
    _alert(49, "access_denied, as firewalls before sites do", FACEBOOK),
    row("alert_112_for_its_name", "the front end does not know the site any more, and serves all others",
        change(front=Front(ways=((FACEBOOK, "alert:112"),))), _TRUTH,
        prove.handshake(FACEBOOK, FACEBOOK, works=False), prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    row("closed_after_greeting", "the server ends every connection after the greeting",
        change(front=Front(other="close")), _TRUTH, prove.fails(FACEBOOK_URL, _TLS_FAILED),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=False)),
    row("reset_after_greeting", "the server resets every connection after the greeting",
        change(front=Front(other="reset")), _TRUTH, prove.fails(FACEBOOK_URL, _TLS_FAILED, prove.RESET),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=False)),
    row("reset_by_sites_own_firewall", "a firewall of this one site resets greetings with its name; its neighbours at the address work",
        change(front=Front(ways=((FACEBOOK, "reset"),))), _TRUTH, prove.fails(FACEBOOK_URL, _TLS_FAILED, prove.RESET),
        prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    row("tls_of_2008_only", "the server speaks TLS 1.1 at most, which nobody does any more",
        change(protocols="TLSv1.1", https="ssl_ciphers ALL:@SECLEVEL=0; location / { return 200 old; }"), _TRUTH,
        prove.fails(FACEBOOK_URL, _TLS_FAILED)),
)  # fmt: skip


def _certificate(kind: str, tells: str, words: str, acceptable: tuple[Words, ...], origin: str = "") -> Scenario:
    return row(
        f"certificate_{kind}", tells, change(certificate=kind), prove.certificate_error(FACEBOOK_URL, words), acceptable=acceptable, origin=origin
    )  # fmt: skip


_WRONG_CERTIFICATE = (Words("outage", "certificate"), Words("inconclusive"))
CERTIFICATES = (
    _certificate("not_yet", "the certificate begins next week: it was put up too early", "not yet valid", _WRONG_CERTIFICATE),
    _certificate("wrong_name", "the hosting company's default certificate stands at the site", "no alternative certificate subject name", _WRONG_CERTIFICATE,
                 "ooni/probe-cli webconnectivityqa badSSLWithWrongServerName: blocking false, accessible false"),
    # Anybody between can make one of these two, so the truth is not to be had from here.
    _certificate("self_signed", "the site signed its certificate itself", "self-signed", _WRONG_CERTIFICATE),
    _certificate("no_intermediate", "the server forgot to send the intermediate certificate", "local issuer", _WRONG_CERTIFICATE),
)  # fmt: skip

_MAINTENANCE = html("Технические работы", "Сайт временно недоступен. Мы скоро вернёмся.")
_OWN_WORD = (Words("outage", "http"),)
ANSWERS = (
    row("server_500", "every page of the site is an error of its program", change(status=500),
        prove.page(FACEBOOK_URL, 500), acceptable=_OWN_WORD, exit_codes=(1,)),
    row("server_502", "the front end is well and says that nobody stands behind it",
        change(https="location / { proxy_pass http://127.0.0.1:9; }"), prove.page(FACEBOOK_URL, 502), acceptable=_OWN_WORD, exit_codes=(1,)),
    row("server_504", "the front end is well and says that who stands behind it does not answer",
        change(https="location / { proxy_connect_timeout 2s; proxy_pass http://198.51.100.7; }"), prove.page(FACEBOOK_URL, 504),
        acceptable=_OWN_WORD, exit_codes=(1,)),
    row("maintenance_page", "the site is being worked on, and says so with 503 and Retry-After",
        change(https=page(_MAINTENANCE, 503, headers="add_header Retry-After 3600 always;")), prove.curl("Технические", FACEBOOK_URL),
        acceptable=_OWN_WORD, exit_codes=(1,), in_slice=True),
    row("server_503_plain", "a site over plain http says that it is overloaded: anybody could have written that",
        plain(page(html("503 Service Temporarily Unavailable"), 503)), prove.page(PLAIN_URL, 503), check=(PLAIN_URL,)),
    row("empty_reply", "the server greets, takes the request and ends the connection", change(front=Front(other="empty")), _TRUTH,
        prove.fails(FACEBOOK_URL, _NOTHING)),
    row("empty_reply_plain", "the same over plain http", plain(front=Front(plain="empty")), prove.truth(PLAIN.name),
        prove.fails(PLAIN_URL, _NOTHING), check=(PLAIN_URL,)),
    row("reset_on_request_plain", "the server itself resets every connection on the request, whatever its Host",
        plain(front=Front(plain="reset")), prove.truth(PLAIN.name), prove.fails(PLAIN_URL, _RECEIVE), check=(PLAIN_URL,)),
    row("hangs_on_request_plain", "the server itself never answers a request, whatever its Host",
        plain(front=Front(plain="silent")), prove.truth(PLAIN.name), prove.fails(PLAIN_URL, prove.SILENT), check=(PLAIN_URL,)),
    row("reset_mid_body_plain", "a part of the page comes, then a RST by the server", plain(front=Front(plain="torn")),
        prove.fails(PLAIN_URL, _RECEIVE), check=(PLAIN_URL,)),
    row("truncated_body_plain", "a part of the page comes, then the end: less than was promised", plain(front=Front(plain="cut")),
        prove.fails(PLAIN_URL, _PART), check=(PLAIN_URL,)),
    row("reset_mid_body", "the head and a part of the page come over TLS, then a RST by the server", change(front=Front(other="torn")),
        prove.fails(FACEBOOK_URL, _RECEIVE)),
    row("truncated_body", "the head and a part of the page come over TLS, then the end", change(front=Front(other="cut")),
        prove.fails(FACEBOOK_URL, _PART)),
    row("redirect_loop", "the site sends its visitors in a circle",
        change(https="location / { return 302 /home; } location /home { return 302 /; }"),
        prove.curl("Maximum", FACEBOOK_URL, "-L", "--max-redirs", "20", code=47)),
    row("redirect_to_refusing_host", "the front page sends to another host of the company's, where the server is off",
        lambda world: add(Site(name="home.example-company.com", address="51.91.7.7", listening=False))(
            world.change(FACEBOOK, https="location / { return 302 https://home.example-company.com/; }")),
        prove.page(FACEBOOK_URL, 302), prove.fails("https://home.example-company.com/", prove.UNCONNECTED)),
    row("redirect_to_silent_host", "the front page sends to another host of the company's, where nobody answers",
        lambda world: add(Site(name="home.example-company.com", address="51.91.7.7", present=False))(
            world.change(FACEBOOK, https="location / { return 302 https://home.example-company.com/; }")),
        prove.page(FACEBOOK_URL, 302), prove.fails("https://home.example-company.com/", prove.SILENT)),
    row("redirect_to_missing_name", "the front page sends to a name that does not exist: a mistake of the site's",
        change(https="location / { return 302 https://wwww.facebok.example/; }"), prove.page(FACEBOOK_URL, 302),
        prove.answers("wwww.facebok.example", "NXDOMAIN"), prove.answers("wwww.facebok.example", "NXDOMAIN", "8.8.8.8")),
    row("upgrade_to_dead_https", "the site sends from http to https, where its server is off",
        lambda world: world, prove.page(f"http://{FACEBOOK}/", 301), _UNREACHED, check=(f"http://{FACEBOOK}/",),
        rules=lambda world: (rules.Reset(when=_to_facebook(443)(world), place="far"),)),
)  # fmt: skip


def _zone(says: str) -> Callable[[World], World]:
    """What is so for everybody: the provider's resolver and those abroad say it alike."""
    return lambda world: dataclasses.replace(world, lies={FACEBOOK: says}, abroad={FACEBOOK: says})


def _old_address(**values: Any) -> Callable[[World], World]:
    """The provider's resolver still has the address of before the move; what is there now is *values*."""
    old = Site(name="shop.example.net", address="138.201.9.14", **values)
    return lambda world: dataclasses.replace(add(old)(world), lies={FACEBOOK: old.address})


_BY_DNS = (Words("outage", "dns"), Words("inconclusive"))
_STALE = "138.201.9.14"
ZONES = (
    row("zone_servers_broken", "the zone's own servers are broken: SERVFAIL from every resolver", _zone("servfail"),
        prove.answers(FACEBOOK, "SERVFAIL"), prove.answers(FACEBOOK, "SERVFAIL", "9.9.9.9"), acceptable=_BY_DNS),
    row("zone_servers_silent", "the zone's own servers are gone, and no resolver has an answer in time", _zone("silence"),
        prove.answers(FACEBOOK, ""), prove.answers(FACEBOOK, "", "8.8.8.8"), acceptable=_BY_DNS),
    row("domain_expired", "the name does not exist any more, for anybody", _zone("nxdomain"), prove.answers(FACEBOOK, "NXDOMAIN"),
        prove.answers(FACEBOOK, "NXDOMAIN", "1.1.1.1"), acceptable=_BY_DNS, origin="ooni/probe-cli webconnectivityqa websiteDownNXDOMAIN: blocking false, accessible false"),
    row("name_without_address", "the name exists and has no address, for anybody", _zone("empty"), prove.answers(FACEBOOK, ""),
        prove.says("NOERROR", "dig", FACEBOOK), prove.answers(FACEBOOK, "", "8.8.8.8"), acceptable=_BY_DNS),
    # Whether a resolver is out of date or lies cannot be seen while only it gives the address.
    row("moved_and_sold", "the provider's resolver still has the address of before the move, where another site lives now",
        _old_address(), prove.answers(FACEBOOK, _STALE), _TRUTH, prove.page("https://shop.example.net/"), acceptable=_BY_DNS),
    row("moved_and_off", "the same, and nothing listens at the old address", _old_address(listening=False), _TRUTH,
        prove.answers(FACEBOOK, _STALE), prove.fails(FACEBOOK_URL, prove.UNCONNECTED), acceptable=_BY_DNS),
    row("moved_and_silent", "the same, and the old machine is gone", _old_address(present=False), _TRUTH,
        prove.answers(FACEBOOK, _STALE), prove.fails(FACEBOOK_URL, prove.SILENT), acceptable=_BY_DNS),
    row("moved_and_default_page", "the same, and the hosting company's default site with its own certificate is there",
        _old_address(certificate="wrong_name"), _TRUTH, prove.answers(FACEBOOK, _STALE), prove.certificate_error(FACEBOOK_URL, ""),
        acceptable=_BY_DNS),
    row("zone_refuses_this_country", "the zone's servers answer SERVFAIL to this country's resolvers only, abroad all is well",
        lambda world: dataclasses.replace(world, lies={FACEBOOK: "servfail"}), prove.answers(FACEBOOK, "SERVFAIL"), _TRUTH,
        acceptable=(Words("inconclusive"), Words("denied")), exit_codes=(1, 3)),
)  # fmt: skip

_POOL = ("157.240.205.231", "157.240.205.232", "157.240.205.233")
PARTS = (
    row("one_of_four_addresses_dead", "one of the name's four addresses is silent", change(also_at=_POOL, dead_at=(_POOL[1],)),
        prove.says(_POOL[1], "dig", "+short", FACEBOOK), prove.fails(f"https://{_POOL[1]}/", prove.SILENT), prove.says("200", "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"https://{_POOL[0]}/"),
        acceptable=ACCESSIBLE, exit_codes=(0,)),
    row("three_of_four_addresses_dead", "three of the name's four addresses are silent: browsers find the fourth",
        change(also_at=_POOL, dead_at=_POOL), prove.says(_POOL[1], "dig", "+short", FACEBOOK), prove.fails(f"https://{_POOL[1]}/", prove.SILENT),
        acceptable=ACCESSIBLE, exit_codes=(0,)),
    # Works for one visitor and not for the next: no word is wrong but one.
    row("half_the_backends_reset", "behind a balancer half of the servers reset every greeting: every other source port",
        change(front=Front(other="half:reset")), _TRUTH, prove.half_fails(FACEBOOK), acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3),
        control=(prove.half_fails(FACEBOOK),)),
    row("half_the_backends_silent", "behind a balancer half of the servers say nothing: every other source port",
        change(front=Front(other="half:silent")), _TRUTH, prove.half_fails(FACEBOOK), acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3),
        control=(prove.half_fails(FACEBOOK),)),
)  # fmt: skip


def _denied(name: str, tells: str, https: str, proof: Proof, *methods: str, **values: Any) -> Scenario:
    standard: dict[str, Any] = {"acceptable": tuple(Words("denied", method) for method in methods), "exit_codes": (1,)}
    return row(name, tells, change(https=https), proof, **{**standard, **values})


_CHALLENGE = html("Just a moment...", "<script src=/cdn-cgi/challenge-platform/h/b/orchestrate.js></script>")
_COUNTRY = html("Sorry", "This service is not available in your country.")
_PLAIN_DENIAL: dict[str, Any] = {"check": (PLAIN_URL,), "acceptable": DENIED_OR_UNKNOWN}
DENIALS = (
    _denied("denied_country_page", "403 with a page: not available in your country", page(_COUNTRY, 403),
            prove.curl("not available in your country", FACEBOOK_URL), "geo", in_slice=True, elsewhere=change(https="")),
    _denied("denied_country_page_ru", "403 with a page in Russian that says the same", page(html("Извините", "Сервис недоступен в вашей стране."), 403),
            prove.curl("недоступен в вашей стране", FACEBOOK_URL), "geo", elsewhere=change(https="")),
    _denied("denied_bare", "403 and not a word why", page("<html><head><title>403 Forbidden</title></head></html>", 403),
            prove.page(FACEBOOK_URL, 403), "antibot", "geo"),
    _denied("denied_by_law", "451 with the reasons of RFC 7725", page(html("Unavailable For Legal Reasons"), 451,
            headers="add_header Link '<https://www.facebook.com>; rel=blocked-by' always;"), prove.page(FACEBOOK_URL, 451), "legal"),
    _denied("denied_challenge_403", "403 with the header of a challenge to prove that one is no robot",
            page(_CHALLENGE, 403, headers="add_header cf-mitigated challenge always;"), prove.curl("cf-mitigated", FACEBOOK_URL), "antibot"),
    _denied("denied_challenge_503", "503 with a challenge: no trouble of the server's", page(_CHALLENGE, 503, headers="add_header Server cloudflare always;"),
            prove.curl("Just a moment", FACEBOOK_URL), "antibot"),
    _denied("denied_rate", "429: too many requests from this address", page(html("Too Many Requests"), 429, headers="add_header Retry-After 60 always;"),
            prove.page(FACEBOOK_URL, 429), "ratelimit"),
    _denied("denied_challenge_429", "429 with a challenge", page(_CHALLENGE, 429), prove.page(FACEBOOK_URL, 429), "antibot"),
    _denied("denied_1009", "a content network's error 1009: the owner has banned the country", page("error code: 1009", 403, headers="add_header CF-RAY 8e1f00 always;"),
            prove.curl("1009", FACEBOOK_URL), "geo"),
    _denied("denied_1020", "a content network's error 1020: a firewall rule of the owner's", page("error code: 1020", 403, headers="add_header CF-RAY 8e1f00 always;"),
            prove.curl("1020", FACEBOOK_URL), "antibot", "geo"),
    _denied("denied_after_redirect", "the front page sends visitors of this country to a page that says so, with status 200",
            "location = / { return 302 /unavailable; } " + page(_COUNTRY), prove.curl("not available in your country", FACEBOOK_URL, "-L"), "geo",
            needs=("what a page with status 200 says",)),
    _denied("denied_with_200", "status 200, and a page: not available in your country", page(_COUNTRY),
            prove.curl("not available in your country", FACEBOOK_URL), "geo", needs=("what a page with status 200 says",)),
    # Over plain http none of it is proven to be the site's word.
    row("denied_country_plain", "403 over plain http: not available in your country", plain(page(_COUNTRY, 403)), prove.page(PLAIN_URL, 403), **_PLAIN_DENIAL),
    row("denied_by_law_plain", "451 over plain http", plain(page(html("Unavailable For Legal Reasons"), 451)), prove.page(PLAIN_URL, 451), **_PLAIN_DENIAL),
    row("denied_access_plain", "a content network's “Access Denied” with a reference number, over plain http",
        plain(page("<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You do not have permission to access this server.<P>Reference #18.2d351ab8.1557333295.a4e16ab</BODY></HTML>", 403)),
        prove.page(PLAIN_URL, 403), **_PLAIN_DENIAL),
    row("denied_challenge_plain", "503 with a challenge over plain http", plain(page(_CHALLENGE, 503)), prove.page(PLAIN_URL, 503),
        **{**_PLAIN_DENIAL, "acceptable": (*DENIED_OR_UNKNOWN, Words("outage"))},
        origin="ooni/probe-cli webconnectivityqa cloudflareCAPTCHAWithHTTP: blocking http-diff, accessible false; true is a refusal by the site"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*CONNECTIONS, *GREETINGS, *CERTIFICATES, *ANSWERS, *ZONES, *PARTS, *DENIALS)
