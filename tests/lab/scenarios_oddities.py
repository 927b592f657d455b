"""What is odd and nobody's fault, and the published cases of a peer's test suite (marked with ``origin``).

Each oddity has brought some tool to say "blocked": answers that differ, pages that change, front ends that sort by name,
servers that refuse strangers, pages *about* blocking. The peer is ooni/probe-cli; what it is published to answer stands
beside each of its cases, and ours are the words that are true.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.lab import prove, prove_blocks, rules
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import ANY_OUTAGE, FACEBOOK, FACEBOOK_URL, Scenario, Words
from tests.lab.scenarios_platforms import ACCESSIBLE, PLAIN, PLAIN_URL, add, change, html, page, plain, row
from tests.lab.world import Front, Site, World

INNOCUOUS = "www.nobelprize.org"
_TRUTH = prove.truth(FACEBOOK)
_STRANGERS_FAIL = prove.handshake(FACEBOOK, INNOCUOUS, works=False)
_STRANGERS_PASS = prove.handshake(FACEBOOK, INNOCUOUS, works=True)
_OWN_PASSES = prove.handshake(FACEBOOK, FACEBOOK, works=True)
_OWN_FAILS = prove.handshake(FACEBOOK, FACEBOOK, works=False)


def well(name: str, tells: str, world: Callable[[World], World], *proofs: Proof, **values: Any) -> Scenario:
    """A row in which all is well, however odd."""
    return row(name, tells, world, *proofs, **{"acceptable": ACCESSIBLE, "exit_codes": (0,), **values})


def front(own: str, other: str = "serve") -> Callable[[World], World]:
    """A front end at Facebook's address that does *own* to its name and *other* to all names else."""
    return change(front=Front(ways=((FACEBOOK, own),), other=other))


def _hole(world: World) -> tuple[Rule, ...]:
    """Full segments from Facebook vanish on the far side, and no ICMP says so."""
    remote = (world.sites[FACEBOOK].address + "/32",)
    return (rules.Drop(when=When(protocol=TCP, remote=remote, side="down", larger_than=1400), place="far"),)


FRONT_ENDS = (
    row("front_end_backend_silent", "the front end sorts by name, and who stands behind this one is dead: silence; others are served",
        front("silent"), _TRUTH, _OWN_FAILS, _STRANGERS_PASS, prove.fails(FACEBOOK_URL, prove.SILENT)),
    row("front_end_backend_refuses", "the same, and the front end ends the connection at once", front("close"), _TRUTH, _OWN_FAILS, _STRANGERS_PASS, in_slice=True),
    row("front_end_backend_slow", "the same, and the one behind takes 20 s", front("late:20/serve"), _TRUTH, _OWN_FAILS, _STRANGERS_PASS),
    row("front_end_silent_strangers_alerted", "its own name meets silence (a dead machine behind), strangers an alert at once",
        front("silent", "alert:112"), _TRUTH, _OWN_FAILS, prove.says("alert number 112", "openssl", "s_client", "-connect", f"{{{FACEBOOK}}}:443", "-servername", INNOCUOUS)),
    row("front_end_silent_strangers_reset", "its own name meets silence, strangers a RST", front("silent", "reset"), _TRUTH, _OWN_FAILS,
        _STRANGERS_FAIL, prove.fails(FACEBOOK_URL, prove.SILENT)),
    row("front_end_half_dead_for_name", "the name's servers are half dead by source port; other names are served by the same front end",
        front("half:silent"), _TRUTH, _STRANGERS_PASS, prove.half_fails(FACEBOOK), acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3),
        control=(prove.half_fails(FACEBOOK),)),
    row("default_host_alerts_over_hole", "strangers get an alert of 7 bytes, the name a flight of full packets that do not fit the path",
        front("serve", "alert:112"), _TRUTH, _STRANGERS_FAIL, prove.large_packets_vanish(FACEBOOK), rules=_hole,
        acceptable=(*ANY_OUTAGE, Words("no_network"))),
    row("sibling_of_name_works", "the platform's other names at the same address are served, this one's backend is dead",
        lambda world: world.change(FACEBOOK, front=Front(ways=((FACEBOOK, "silent"),))).change("m.facebook.com", address="157.240.205.211"),
        _TRUTH, _OWN_FAILS, prove.page("https://m.facebook.com/"), check=("facebook",), sound=(), spares=lambda url: FACEBOOK not in url),
    well("strangers_reset", "all is well, and names that are not served get a RST", front("serve", "reset"), _STRANGERS_FAIL, _OWN_PASSES),
    well("strangers_alerted", "all is well, and names that are not served get an alert", front("serve", "alert:112"), _STRANGERS_FAIL, _OWN_PASSES),
    well("strangers_ignored", "all is well, and names that are not served get silence", front("serve", "silent"), _STRANGERS_FAIL, _OWN_PASSES),
    row("strangers_reset_and_forbidden_name", "the name is dropped on the way, and the server resets strangers: only neutral places can tell",
        front("serve", "reset"), _TRUTH, _OWN_FAILS, _STRANGERS_FAIL, prove.handshake("www.wikipedia.org", FACEBOOK, works=False),
        rules=lambda _world: (rules.NameDrop(names=("facebook.com",)),), acceptable=(Words("blocked", "tls", "tls.timeout.sni"),), exit_codes=(1,)),
)  # fmt: skip


def _content_network(address: str, *prefixes: str) -> Callable[[World], World]:
    """Facebook's site is at a content network that serves every name in *prefixes*, and has lost the certificate for it."""

    def change_all(world: World) -> World:
        moved = world.change(FACEBOOK, address=address)
        there = [name for name, site in moved.sites.items() if site.address.startswith(prefixes)]
        return moved.change(*there, front=Front(ways=((FACEBOOK, "alert:80"),)))

    return change_all


NETWORKS = (
    row("content_network_lost_certificate", "a content network that half of the web is on answers one customer's name with an alert, at all of its addresses",
        _content_network("104.21.50.50", "104.21.", "172.67.", "104.18."), _TRUTH, _OWN_FAILS, _STRANGERS_PASS),
    # The same from a content network that is in no table of ours: its addresses look like other operators'.
    row("content_network_nobody_lists", "the same by a content network that no list has, with most neutral names on it",
        _content_network("138.201.50.50", "185.199.", "138.201.", "95.217.", "51.91.", "3.33.", "151.101.", "172.67.", "104.21."), _TRUTH, _OWN_FAILS, _STRANGERS_PASS,
        needs=("a second network",)),
)  # fmt: skip

# Beyond what a seed draws for sites of this network.
_POOL = (
    "157.240.205.231",
    "157.240.205.232",
    "157.240.205.233",
    "157.240.205.234",
    "157.240.205.235",
    "157.240.205.236",
)
ADDRESSES = (
    well("cdn_differs_by_resolver", "the provider's resolver is sent to a copy nearer by: another address, as good",
         lambda world: dataclasses.replace(world.change(FACEBOOK, hidden_at=("185.98.5.40",)), lies={FACEBOOK: "185.98.5.40"}),
         prove.answers(FACEBOOK, "185.98.5.40"), _TRUTH, prove.page(FACEBOOK_URL)),
    row("cdn_copy_nearby_dead", "the same, and the copy in the provider's network is silent: a true answer that leads nowhere",
        lambda world: dataclasses.replace(world.change(FACEBOOK, hidden_at=("92.47.144.40",), dead_at=("92.47.144.40",)), lies={FACEBOOK: "92.47.144.40"}),
        prove.answers(FACEBOOK, "92.47.144.40"), _TRUTH, prove.fails(FACEBOOK_URL, prove.SILENT), acceptable=ANY_OUTAGE),
    row("cdn_copy_nearby_refuses", "the same, and the copy's web server is off",
        lambda world: dataclasses.replace(add(Site(name="cache.example.kz", address="195.12.114.40", listening=False))(world), lies={FACEBOOK: "195.12.114.40"}),
        prove.answers(FACEBOOK, "195.12.114.40"), _TRUTH, prove.fails(FACEBOOK_URL, prove.UNCONNECTED), acceptable=ANY_OUTAGE),
    row("cdn_copy_nearby_expired", "the same, and the copy shows last year's certificate",
        lambda world: dataclasses.replace(add(Site(name="cache.example.kz", address="195.12.114.40", certificate="expired"))(world), lies={FACEBOOK: "195.12.114.40"}),
        prove.answers(FACEBOOK, "195.12.114.40"), _TRUTH, prove.certificate_error(FACEBOOK_URL, ""), acceptable=ANY_OUTAGE),
    well("pool_of_seven", "seven addresses, in another order with every answer", change(also_at=_POOL), prove.says(_POOL[5], "dig", "+short", FACEBOOK), prove.page(FACEBOOK_URL)),
    well("pools_differ", "the provider gives other addresses of the pool than resolvers abroad",
         lambda world: dataclasses.replace(world.change(FACEBOOK, hidden_at=_POOL), lies={FACEBOOK: ",".join(_POOL[:3])}, abroad={FACEBOOK: ",".join(_POOL[3:])}),
         prove.says(_POOL[1], "dig", "+short", FACEBOOK), prove.says(_POOL[4], "dig", "+short", "@8.8.8.8", FACEBOOK), prove.page(FACEBOOK_URL)),
)  # fmt: skip

SERVERS = (
    well("http1_only", "the server knows HTTP/1.1 only", change(http2=False), prove.curl("HTTP/1.1 200", FACEBOOK_URL)),
    well("http2_only", "the server has no page for HTTP/1.1", change(https="if ($server_protocol != HTTP/2.0) { return 505; } location / { return 200 two; }"),
         prove.curl("HTTP/2 200", FACEBOOK_URL), prove.curl("505", FACEBOOK_URL, "--http1.1")),
    well("tls13_only", "the server knows TLS 1.3 only", change(protocols="TLSv1.3"), prove.page(FACEBOOK_URL), prove.curl("", FACEBOOK_URL, "--tls-max", "1.2", code=35)),
    well("tls12_only", "the server knows TLS 1.2 only", change(protocols="TLSv1.2"), prove.page(FACEBOOK_URL), prove.curl("", FACEBOOK_URL, "--tlsv1.3", code=35)),
    well("huge_chain", "a certificate with 400 names: the greeting takes more than the first window", change(certificate="huge"),
         prove.page(FACEBOOK_URL), prove.says("*.s399.", "sh", "-c", f"openssl s_client -connect {{{FACEBOOK}}}:443 -servername {FACEBOOK} </dev/null | openssl x509 -noout -ext subjectAltName")),
    well("other_port", "the site is on port 8443", add(Site(name="admin.example.kz", address="185.98.7.78", https="listen 185.98.7.78:8443 ssl; location / { return 200 here; }")),
         prove.page("https://admin.example.kz:8443/"), check=("https://admin.example.kz:8443/",)),
    row("other_port_refused", "nobody listens on the port that is asked for; the site's usual ports work", add(dataclasses.replace(PLAIN, http="location / { return 200 here; }")),
        prove.fails(f"http://{PLAIN.name}:444/", prove.UNCONNECTED), prove.page(PLAIN_URL), check=(f"http://{PLAIN.name}:444/",),
        origin="ooni/probe-cli webconnectivityqa websiteDownTCPConnect: blocking false, accessible false"),
    well("client_certificate_wanted", "the server asks for a client's certificate, and serves those who have none", change(https="ssl_verify_client optional_no_ca; location / { return 200 hello; }"),
         prove.says("Requested Signature Algorithms", "sh", "-c", f"openssl s_client -connect {{{FACEBOOK}}}:443 -servername {FACEBOOK} </dev/null"), prove.curl("hello", FACEBOOK_URL)),
    well("api_404", "a host for machines answers 404 on its front page", lambda world: world.change("abs.twimg.com", status=404), prove.page("https://abs.twimg.com/", 404), check=("https://abs.twimg.com/",),
         control=(prove.page("https://abs.twimg.com/", 404),)),
    well("api_403", "a host for machines answers 403 on its front page", lambda world: world.change("abs.twimg.com", https=page("forbidden", 403)),
         prove.page("https://abs.twimg.com/", 403), check=("twitter",), sound=()),
    row("tcp_port_refused", "a bare TCP service is off", lambda world: dataclasses.replace(world, closed_ports=(("149.154.167.51", 443),)),
        prove.says("Couldn't connect", "curl", "-m", "2", "telnet://149.154.167.51:443"), check=("tcp://149.154.167.51:443",)),
    row("tcp_port_dropped", "a bare TCP service's own firewall drops its port", lambda world: world, prove.says("imed out", "curl", "-m", "2", "telnet://149.154.167.51:443"),
        check=("tcp://149.154.167.51:443",), rules=lambda _world: (rules.Drop(when=When(protocol=TCP, remote=("149.154.167.51/32",), ports=(443,)), place="far"),)),
    well("vendors_own_root", "the apps' servers have certificates of the vendor's own authority, which no store holds",
         lambda world: world.change("chat.signal.org", "storage.signal.org", "cdsi.signal.org", "sfu.voip.signal.org", certificate="vendor"),
         prove.certificate_error("https://chat.signal.org/", "self-signed certificate in certificate chain"), check=("https://chat.signal.org/", "https://storage.signal.org/"), in_slice=True,
         control=(prove.certificate_error("https://chat.signal.org/", "self-signed certificate in certificate chain"),)),
    # Whose authority it is cannot be seen without the vendor's root at hand.
    row("vendors_host_under_a_forger", "the same host, shown a certificate by an authority that is neither the web's nor the vendor's",
        lambda world: world.change("chat.signal.org", certificate="forger"),
        prove.says("Secure Gateway CA", "sh", "-c", "openssl s_client -connect {chat.signal.org}:443 -servername chat.signal.org </dev/null"),
        check=("https://chat.signal.org/",), acceptable=(Words("blocked", "mitm"),), exit_codes=(1,), needs=("the vendor's root",),
        unproven_abroad="here the forged chain is the site's own; a box on the way that forges knows no host of a vendor's"),
)  # fmt: skip

_STORY = "Роскомнадзор сообщил, что сайт заблокирован. Доступ к сайту ограничен по решению суда, пишет ведомство. " * 2
_LONG = " ".join(f"Абзац {number}. {'Слова длинной статьи о блокировках. ' * 6}" for number in range(60))
_BYPASS = html("Сайт заблокирован: что делать?", _STORY + _LONG)
_BRIEF = html("Суд заблокировал сайт", "Сегодня сайт заблокирован, сообщает агентство. Редакция следит за событиями.")
# What every order of a court is reported with, in a news item that is short.
_QUOTE = html("Новости дня", "Провайдер показывает: «доступ к сайту ограничен по решению суда». Читайте также: погода, спорт, курс валют. "
              "<a href=/sport>Спорт</a> <a href=/weather>Погода</a> <a href=/money>Курс</a> Редакция: +7 727 000 00 00. Все права защищены.")  # fmt: skip
_UNCLEAR = (*ACCESSIBLE, Words("inconclusive"))


def _file(text: str, encoding: str = "utf-8", says: str = "utf-8") -> dict[str, Any]:
    """Fields of the plain site for a page from a file: in *encoding*, said to be in *says*."""
    return {
        "http": f"charset {says}; root {{directory}}; try_files /{PLAIN.name}.html =404;",
        "body": text.encode(encoding),
    }


PAGES = (
    well("article_on_blocking", "a long article about blocked sites, over TLS", change(body=_BYPASS.encode()), prove.curl("Сайт заблокирован", FACEBOOK_URL)),
    well("article_on_blocking_plain", "the same over plain http: longer than any notice", plain(**_file(_BYPASS)), prove.curl("Сайт заблокирован", PLAIN_URL), check=(PLAIN_URL,),
         acceptable=_UNCLEAR, exit_codes=(0, 3)),
    row("brief_on_blocking_plain", "a short news item, over plain http, that says that some site is blocked", plain(page(_BRIEF)), prove.curl("сайт заблокирован", PLAIN_URL),
        check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    row("brief_quotes_a_notice_plain", "a short news item, over plain http, that quotes a notice of blocking", plain(page(_QUOTE)),
        prove.curl("ограничен по решению суда", PLAIN_URL), check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3), in_slice=True),
    row("notice_by_the_site_itself", "the site itself withdrew a page and says by whose order, over TLS",
        change(https=page(html("Доступ ограничен", "Доступ к странице ограничен на основании решения суда."), 451)), prove.page(FACEBOOK_URL, 451),
        acceptable=(Words("denied", "legal"),), exit_codes=(1,)),
    row("notice_by_the_site_with_200", "the same words with status 200: over its own certificate they are the site's, and they refuse",
         change(https=page(html("Доступ ограничен", "Доступ к странице ограничен на основании решения суда."))), prove.curl("на основании решения суда", FACEBOOK_URL),
        acceptable=(Words("denied", "legal"),), exit_codes=(1,)),
    well("says_utf8_and_is_not", "a page whose bytes are not the encoding that it says", plain(**_file(html("Радио", "Музыка"), "cp1251")), prove.curl("charset=utf-8", PLAIN_URL), check=(PLAIN_URL,)),
    well("windows_1251", "a page in windows-1251, over plain http", plain(**_file(html("Радио", "Музыка и новости"), "cp1251", "windows-1251")), prove.curl("windows-1251", PLAIN_URL), check=(PLAIN_URL,)),
    row("windows_1251_on_blocking", "a news item about blocking in windows-1251, over plain http", plain(**_file(_BRIEF, "cp1251", "windows-1251")), prove.curl("windows-1251", PLAIN_URL), check=(PLAIN_URL,),
        acceptable=_UNCLEAR, exit_codes=(0, 3)),
    well("parked_domain", "the domain is for sale, says a parking page over TLS: the network brought it", change(https=page(html("This domain is for sale", "Buy it now."))),
         prove.curl("for sale", FACEBOOK_URL), acceptable=(*ACCESSIBLE, Words("outage")), exit_codes=(0, 1)),
    row("parked_domain_plain", "the same over plain http", plain(page(html("Домен припаркован", "Этот домен припаркован компанией. Сайт заблокирован за неуплату."))), prove.curl("припаркован", PLAIN_URL), check=(PLAIN_URL,),
        acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3)),
    row("hosting_suspended_plain", "the hosting company has put its notice there: not paid, “this website has been blocked”",
        plain(page(html("Account suspended", "This account has been suspended. This website has been blocked by the hosting company."))), prove.curl("suspended", PLAIN_URL), check=(PLAIN_URL,),
        acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3)),
    row("hosting_stops_plain", "a hosting company's own words for the same, that no list of ours knows",
        plain(page(html("Сайт заблокирован", "Сайт заблокирован хостингом. Владельцу: войдите в панель управления."))), prove.curl("Сайт заблокирован", PLAIN_URL), check=(PLAIN_URL,),
        acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3)),
    well("changing_pages", "another page and another title with every visit, over plain http", plain("location / { default_type text/html; return 200 '<title>$request_id</title>$msec'; }"),
         prove.page(PLAIN_URL), check=(PLAIN_URL,)),
    well("tiny_page", "a page of two bytes", plain("location / { return 200 ok; }"), prove.curl("ok", PLAIN_URL), check=(PLAIN_URL,)),
    well("empty_page", "a page without a byte", plain("location / { return 204; }"), prove.page(PLAIN_URL, 204), check=(PLAIN_URL,)),
    well("default_page_of_server", "a web server's own welcome page", plain(page(html("Welcome to nginx!"))), prove.curl("Welcome to nginx", PLAIN_URL), check=(PLAIN_URL,)),
    well("intercept_words_in_path", "the site sends its visitors to a page of its own whose address says blocked", change(https="location = / { return 302 /blocked/feed?restricted=1; } " + page("hello")),
         prove.curl("hello", FACEBOOK_URL, "-L")),
)  # fmt: skip

_CHAIN = "".join(f"location = /{n} {{ add_header Set-Cookie step{n}=1; return 302 /{n + 1}; }} " for n in range(1, 4))
_LANDING = Site(name="www.company-group.example", address="51.91.9.9", https="location / { return 200 landed; }")
REDIRECTS = (
    well("cookie_chain", "four redirects, each with a cookie, and then the page", change(https=f"location = / {{ return 302 /1; }} {_CHAIN} location = /4 {{ return 200 there; }}"),
         prove.curl("there", FACEBOOK_URL, "-L")),
    # A browser gets in. A program that keeps no cookies cannot know.
    row("cookie_wall", "the site sends everybody in a circle who does not bring its cookie back",
        change(https="location / { add_header Set-Cookie seen=1; if ($cookie_seen = '') { return 302 /; } return 200 welcome; }"),
        prove.curl("Maximum", FACEBOOK_URL, "-L", "--max-redirs", "20", code=47), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    well("plain_to_other_domain", "a site over plain http that has moved to its company's other domain",
         lambda world: add(_LANDING)(plain(f"location / {{ return 301 https://{_LANDING.name}/; }}")(world)), prove.curl("landed", PLAIN_URL, "-L"), check=(PLAIN_URL,)),
    well("plain_to_other_domain_plain", "the same, and the other domain has plain http only",
         lambda world: add(dataclasses.replace(_LANDING, https="", http=page("landed")))(plain(f"location / {{ return 301 http://{_LANDING.name}/; }}")(world)),
         prove.curl("landed", PLAIN_URL, "-L"), check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    row("plain_to_parking", "the owner let a parking company send visitors on, to an address that says “blocked”",
        lambda world: add(dataclasses.replace(_LANDING, http=page(html("Domain for sale"))))(plain(f"location / {{ return 302 http://{_LANDING.name}/park/blocked?d=radio; }}")(world)),
        prove.curl("for sale", PLAIN_URL, "-L"), check=(PLAIN_URL,), acceptable=(*ACCESSIBLE, *ANY_OUTAGE), exit_codes=(0, 1, 3)),
    row("plain_moved_to_blackhole", "a site about astronomy has moved to its new domain, blackhole.…, over plain http",
        lambda world: add(Site(name="blackhole.example", address="51.91.9.12", http=page("the night sky")))(plain("location / { return 301 http://blackhole.example/; }")(world)),
        prove.curl("night sky", PLAIN_URL, "-L"), check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    row("plain_moved_to_blackhole_off", "the same, and the new domain's server is off: two troubles of the owner's",
        lambda world: add(Site(name="blackhole.example", address="51.91.9.12", listening=False))(plain("location / { return 301 http://blackhole.example/; }")(world)),
        prove.page(PLAIN_URL, 301), prove.fails("http://blackhole.example/", prove.UNCONNECTED), check=(PLAIN_URL,)),
    row("plain_to_own_notice_off", "the site itself sends visitors of this country to a page of another domain of its own, “/blockpage”, over plain http",
        lambda world: add(Site(name="www.company-group.example", address="51.91.9.9", http=page("We do not serve your country.")))(plain("location / { return 302 http://www.company-group.example/blockpage; }")(world)),
        prove.curl("serve your country", PLAIN_URL, "-L"), check=(PLAIN_URL,), acceptable=(*_UNCLEAR, Words("denied")), exit_codes=(0, 1, 3)),
    row("plain_to_warning_subdomain", "a site that sends its visitors first to warning.… of another domain of the owner's (age check)",
        lambda world: add(Site(name="warning.company-group.example", address="51.91.9.10", https=page("Are you 18?")))(plain("location / { return 302 https://warning.company-group.example/; }")(world)),
        prove.curl("18", PLAIN_URL, "-L"), check=(PLAIN_URL,), acceptable=(*ACCESSIBLE, Words("inconclusive")), exit_codes=(0, 3)),
    well("location_with_blockpage_host_own", "over TLS: a help page of the site's own on a host named blockpage",
         lambda world: add(Site(name="blockpage.company-group.example", address="51.91.9.11", https=page("help")))(world.change(FACEBOOK, https="location / { return 302 https://blockpage.company-group.example/; }")),
         prove.curl("help", FACEBOOK_URL, "-L")),
)  # fmt: skip

_FRAME = "default_type text/html; return 200 '<html><frameset><frame src=\"http://a.example/\"></frameset></html>';"
_CACHE = Site(
    name="cache7.provider.example",
    address="95.56.234.10",
    http="location / { resolver 8.8.8.8 valid=1s; proxy_pass http://$host$request_uri; proxy_connect_timeout 2s; }",
)


def _cached(name: str, tells: str, world: Callable[[World], World], proof: Proof) -> Scenario:
    """A cache of the provider's takes every plain request and goes by its name, so the site's answer comes from everywhere."""
    diverted = rules.Divert(when=When(protocol=TCP, ports=(80,)), to=_CACHE.address, port=80, place="access")
    return well(name, tells, lambda given: add(_CACHE)(world(given)), proof, prove.curl("HTTP/1.1", f"http://{INNOCUOUS}/", "-i"), rules=lambda _world: (diverted,),
                check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3))  # fmt: skip


# Whoever asks neutral addresses for the name meets the same answer there, and the site is in order.
WORDLESS = (
    well("plain_page_of_nothing", "the site's plain page is empty (status 200)", plain("location / { return 200 ''; }"), prove_blocks.body_length(PLAIN_URL, 0),
         check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    well("plain_page_of_a_frame", "the registrar shows the owner's page in a frame, as masked forwarding does", plain(f"location / {{ {_FRAME} }}"), prove.curl("frameset", PLAIN_URL),
         check=(PLAIN_URL,), acceptable=_UNCLEAR, exit_codes=(0, 3)),
    _cached("nothing_behind_a_cache", "the site's plain page is empty, and comes by way of the provider's cache", plain("location / { return 200 ''; }"), prove_blocks.body_length(PLAIN_URL, 0)),
    _cached("moved_behind_a_cache", "the site has moved to its company's other domain, and the provider's cache says so too",
            lambda world: add(_LANDING)(plain(f"location / {{ return 301 https://{_LANDING.name}/; }}")(world)), prove.curl("landed", PLAIN_URL, "-L")),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*FRONT_ENDS, *NETWORKS, *ADDRESSES, *SERVERS, *PAGES, *REDIRECTS, *WORDLESS)
