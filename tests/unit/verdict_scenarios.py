"""One story for each row of the evidence table in which it holds and counts; and the word that each story deserves.

``CODES``: code → the story. ``WORDS``: a name → (story, the word). A test holds ``CODES`` against the table.
"""

from __future__ import annotations

from dataclasses import replace

from tests.unit import verdict_scenarios_addresses as addresses
from tests.unit import verdict_scenarios_apps as apps
from tests.unit import verdict_scenarios_calls as calls
from tests.unit import verdict_scenarios_certificates as certificates
from tests.unit import verdict_scenarios_chains as chains
from tests.unit import verdict_scenarios_cheap as cheap
from tests.unit import verdict_scenarios_deep as remembering
from tests.unit import verdict_scenarios_handshakes as handshakes
from tests.unit import verdict_scenarios_holes as holes
from tests.unit import verdict_scenarios_injected as injected
from tests.unit import verdict_scenarios_located as followed
from tests.unit import verdict_scenarios_names as names
from tests.unit import verdict_scenarios_own_side as own_side
from tests.unit import verdict_scenarios_pages as pages
from tests.unit import verdict_scenarios_protocols as protocols
from tests.unit import verdict_scenarios_questions as questions
from tests.unit import verdict_scenarios_quic as over_quic
from tests.unit import verdict_scenarios_requests as requests
from tests.unit import verdict_scenarios_sinks as sinks
from tests.unit import verdict_scenarios_this_side as this_side
from tests.unit import verdict_scenarios_throttling as speeds
from tests.unit.facts import (
    EOF,
    HOME,
    HOST,
    NEUTRALS,
    PROVIDER,
    REFUSED,
    SITE,
    TIMEOUT,
    Facts,
)
from tests.unit.verdict_scenarios_begin import Story, healthy_site, page, plain

CODES: dict[str, Story] = {
    "page_over_verified_chain": own_side.works,
    "page_over_plain_http": plain,
    "vendor_chain": certificates.vendor_root,
    "machine_answered": certificates.machine,
    "machine_greeted": certificates.greeted,
    "connected": lambda: Facts("tcp://149.154.167.51:443").context().healthy().tcp("149.154.167.51"),
    "dns_failed": names.denied_once,
    "tcp_failed": addresses.silent_address,
    "tls_failed": handshakes.sni_block,
    "http_failed": lambda: healthy_site().dns(SITE).tcp().tls().http(failure=EOF),
    "nothing_reached": names.hosts_file,
    "page_is_no_content": lambda: page(451),
    "redirected_without_end": own_side.sent_in_a_circle,
    "page_put_in": requests.hollow,
    "page_says_nothing": lambda: plain(**requests.EMPTY),
    "page_over_doubtful_chain": certificates.antivirus_with_exceptions,
    "answer_is_the_sites_own": own_side.works,
    "answer_proves_the_line": lambda: Facts().context().works(),
    "retry_succeeded": own_side.flaky,
    "another_address_works": own_side.one_address_dead,
    "retries_failed": handshakes.sni_block,
    "own_link": own_side.no_link,
    "own_upstream": own_side.no_upstream,
    "own_resolver": own_side.dead_resolver,
    "own_captive_portal": own_side.captive_portal,
    "own_clock": own_side.wrong_clock,
    "own_international": own_side.no_world,
    "own_filter": lambda: certificates.gateway_everywhere(trusted=True),
    "own_side_healthy": addresses.silent_address,
    "own_path_unreachable": addresses.own_routing_table,
    "dns_bogon": names.bogon,
    "dns_bogon_unconfirmed": names.bogon_without_witness,
    "dns_published_bogon": names.bogon_published,
    "dns_injected_no_resolver": injected.injected,
    "dns_injected_denial": injected.injected_denial,
    "dns_no_resolver_answered": injected.answered_where_no_resolver_is,
    "dns_two_replies": injected.two_replies,
    "dns_sinkhole": names.sinkhole,
    "dns_block_page_address": names.block_page_address,
    "dns_wrong_address": names.wrong_address,
    "dns_operator_says_blocked": names.operator_says,
    "dns_nxdomain_contradicted": names.denied_twice,
    "dns_refused_contradicted": lambda: names.denied_twice("dns_refused_error"),
    "dns_denial_unconfirmed": names.denied_once,
    "dns_servfail_contradicted": names.servfail_here_only,
    "dns_no_answer_contradicted": names.empty_here_only,
    "dns_timeout_contradicted": names.silent_here_only,
    "dns_misleads_programs": lambda: names.library_lied_to("10.10.34.35", alone="10.10.34.35"),
    "dns_questions_dropped": names.questions_dropped,
    "dns_nowhere": names.gone_everywhere,
    "dns_broken_everywhere": names.broken_everywhere,
    "dns_trust_broken": names.unchecked_works,
    "dns_rewrites_missing": names.rewriting,
    "dns_stale_address": names.stale,
    "dns_parents_denial": names.denied_by_zone,
    "dns_proxy": injected.proxy_for_all_dns,
    "dns_tunnel_address": names.tunnel_address,
    "filter_hosts_file": names.hosts_file,
    "filter_on_this_computer": names.name_service_lies,
    "filter_local_resolver": names.household_filter,
    "filter_chosen_resolver": names.chosen_filter,
    "filter_by_request": names.filtered_by_request,
    "filter_page": names.family_page,
    "filter_says_blocked": names.home_box_says_blocked,
    "filter_takes_questions": names.router_takes_questions,
    "filter_product": names.filtering_product,
    "tcp_timeout": addresses.silent_address,
    "tcp_refused": addresses.refused_address,
    "tcp_prohibited": addresses.prohibited,
    "tcp_no_route": addresses.no_route,
    "all_addresses_dead": addresses.all_addresses_dead,
    "other_port_alive": addresses.other_port,
    "neighbours_alive": lambda: addresses.neighbours(None),
    "neighbours_dead": lambda: addresses.neighbours(TIMEOUT),
    "control_reaches": lambda: addresses.control(None),
    "control_reaches_elsewhere": addresses.control_elsewhere,
    "control_finds_address_dead": addresses.control_finds_address_dead,
    "proxy_reaches": addresses.proxy_reaches,
    "down_in_two_countries": addresses.dead_in_two_countries,
    "control_fails_too": lambda: addresses.control(TIMEOUT),
    "neutral_flip": handshakes.sni_block,
    "neutral_flip_once": handshakes.sni_block_once,
    "neutral_flip_short": handshakes.sni_block_short,
    "neutral_pass": handshakes.sni_passes,
    "own_flip": handshakes.router_with_dead_backend,
    "unacknowledged_only": handshakes.unacknowledged,
    "refuses_every_name": handshakes.dead_server,
    "tls_no_answer": handshakes.sni_block,
    "tls_server_ended_it": lambda: healthy_site().no_greeting(EOF),
    "path_mtu": handshakes.small_packets_only,
    "answer_behind_reset": handshakes.answer_behind_reset,
    "reset_from_elsewhere": handshakes.reset_from_nearer,
    "reset_marked_otherwise": handshakes.reset_marked_otherwise,
    "reset_too_early": handshakes.early_reset,
    "reset_from_beside": handshakes.reset_beside,
    "national_interception": certificates.national_ca,
    "intercepted_everywhere": lambda: certificates.gateway_everywhere(trusted=False),
    "intercepted_here_only": certificates.antivirus_with_exceptions,
    "intermediate_missing": certificates.no_intermediate,
    "unknown_issuer": certificates.strange_issuer,
    "forged_at_neutral": certificates.forged_elsewhere,
    "stranger_at_neutral": certificates.stranger_shown,
    "certificate_expired": certificates.expired,
    "certificate_expired_or_clock": lambda: certificates.expired(healthy=False),
    "certificate_wrong_host": certificates.wrong_host,
    "certificate_self_signed": certificates.self_signed,
    "certificate_right_elsewhere": certificates.right_elsewhere,
    "block_page": lambda: plain(body=requests.ORDER_RU),
    "block_page_likely": lambda: plain(body="This website is blocked"),
    "redirect_to_block_page": lambda: plain(302, location="https://eais.rkn.gov.ru/"),
    "redirect_likely": lambda: plain(302, location="http://warning.isp.example/x"),
    "site_refuses_by_law": lambda: page(451),
    "site_refuses_country": lambda: page(403, body="error code: 1009"),
    "site_refuses_visitor": lambda: page(403),
    "site_refuses_rate": lambda: page(429),
    "server_error": lambda: page(503),
    "server_error_unverified": lambda: plain(502),
    "refusal_unverified": lambda: plain(403),
    "answer_is_garbled": certificates.garbled,
    "http_no_answer": lambda: healthy_site().dns(SITE).tcp().tls().http(failure=TIMEOUT),
}

RESET_BESIDE = "inconclusive/tls.reset.any"
STRANGER = "inconclusive/tls.mitm.unknown_ca"

LOST = "inconclusive/dns.timeout"

WORDS: dict[str, tuple[Story, str]] = {
    "a working site": (own_side.works, "accessible"),
    "a working plain site": (plain, "accessible"),
    "a host under its vendor's own authority": (certificates.vendor_root, "accessible"),
    "the same, intercepted by the known authority": (
        lambda: certificates.vendor_root(certificates.ISCA),
        "blocked/mitm/tls.mitm.known_ca",
    ),
    "a host for programs that refuses browsers": (lambda: certificates.machine(403), "accessible"),
    "a host for programs in trouble of its own": (lambda: certificates.machine(503), "outage/http/http.server_error"),
    "a working bare address": (CODES["connected"], "accessible"),
    "a page behind many redirects": (lambda: own_side.behind_redirects(9), "accessible"),
    "a check that was cut off behind a few": (lambda: own_side.sent_in_a_circle(3), "accessible"),
    "a passing trouble": (own_side.flaky, "accessible"),
    "one dead address": (own_side.one_address_dead, "accessible"),
    "silence by name": (handshakes.sni_block, "blocked/tls/tls.timeout.sni"),
    "unacknowledged by name": (handshakes.unacknowledged, "blocked/tls/tls.timeout.sni"),
    "a real answer behind a reset": (handshakes.answer_behind_reset, "blocked/tls/tls.reset.sni"),
    "a real answer behind a reset, plain": (handshakes.request_behind_reset, "blocked/http/http.reset.host"),
    "a reset from nearer by than the server": (handshakes.reset_from_nearer, "inconclusive/tls.reset.any"),
    "a reset from farther than the server": (handshakes.reset_from_farther, "inconclusive/tls.reset.any"),
    "a reset too early": (handshakes.early_reset, "blocked/tls/tls.reset.sni"),
    "a forgery that comes after the machine's refusal": (
        injected.refused_before_injected,
        "blocked/dns/dns.injection.other",
    ),
    "a trickle at home, silence at neutral places": (handshakes.trickled, "blocked/tls/tls.timeout.sni"),
    "an end after the first record, by name": (handshakes.ended_midway, "blocked/tls/tls.eof.sni"),
    "the same, and nobody's handshake was seen to its end": (
        lambda: handshakes.ended_midway(deep=False),
        "inconclusive/tls.eof.any",
    ),
    "a request that is reset inside TLS, by name": (handshakes.request_reset, "blocked/tls/tls.reset.sni"),
    "the same, answered elsewhere by strangers": (
        lambda: handshakes.request_reset(None, 421),
        "inconclusive/http.reset.any",
    ),
    "the same, sent on elsewhere by strangers": (
        lambda: handshakes.request_reset(None, 302, sent_to="https://www.gnu.org/"),
        "inconclusive/http.reset.any",
    ),
    "the same, answered at its own address later": (
        handshakes.request_answered_after_all,
        "inconclusive/http.reset.any",
    ),
    "a reset by name, never held against the router": (handshakes.reset_by_name, "blocked/tls/tls.reset.sni"),
    "a reset by name as near as the router": (handshakes.reset_by_the_own_router, RESET_BESIDE),
    "a reset by name beyond the router": (
        lambda: handshakes.reset_by_the_own_router(5_100),
        "blocked/tls/tls.reset.sni",
    ),
    "a reset by name at once, never held against the router": (lambda: handshakes.reset_by_name(1_900), RESET_BESIDE),
    "a reset by name near a silent router": (lambda: handshakes.reset_by_name(9_900, TIMEOUT), RESET_BESIDE),
    "a reset by name far from a silent router": (
        lambda: handshakes.reset_by_name(10_100, TIMEOUT),
        "blocked/tls/tls.reset.sni",
    ),
    "plain HTTP silence by name": (requests.http_block, "blocked/http/http.timeout.host"),
    "a page by order for that name everywhere": (
        lambda: requests.notice(elsewhere=requests.ORDER_RU),
        "blocked/http/http.block_page.host",
    ),
    "nothing at all for that name everywhere": (requests.hollow, "blocked/http/http.block_page.host"),
    "a frame for that name everywhere": (lambda: requests.hollow(requests.FRAME), "blocked/http/http.block_page.host"),
    "a circle for that name everywhere": (
        lambda: requests.hollow(requests.TO_ITSELF),
        "blocked/http/http.redirect.host",
    ),
    "sent to a shop for that name everywhere": (
        lambda: requests.asked_elsewhere(requests.sent_to_the_shop(), **requests.MOVED),
        "blocked/http/http.redirect.host",
    ),
    "nothing at all, said by the site only": (lambda: requests.hollow(status=404, body_sha256="404"), "accessible"),
    "nothing at all, said to every name": (
        lambda: requests.asked_elsewhere(plain(**requests.EMPTY), innocuous=requests.EMPTY, **requests.EMPTY),
        "accessible",
    ),
    "moved to another domain": (requests.sent_to_the_shop, "accessible"),
    "moved to another domain, said by the site only": (
        lambda: requests.asked_elsewhere(requests.sent_to_the_shop(), status=404),
        "accessible",
    ),
    "nothing at all, nobody else asked": (CODES["page_says_nothing"], "inconclusive"),
    "a frame, nobody else asked": (lambda: plain(**requests.FRAME), "inconclusive"),
    "a frame beside words": (
        lambda: plain(body="Books <iframe src='//ads.example/'></iframe>", body_length=44),
        "accessible",
    ),
    "nothing at all at one place": (
        lambda: requests.asked_elsewhere(plain(**requests.EMPTY), 1, **requests.EMPTY),
        "inconclusive/http.block_page.host",
    ),
    "sent to a shop at one place": (
        lambda: requests.asked_elsewhere(requests.sent_to_the_shop(), 1, **requests.MOVED),
        "inconclusive/http.redirect.host",
    ),
    "nothing at all behind a cache": (lambda: requests.cache_takes_pages(requests.hollow()), "inconclusive"),
    "plain silence by name behind a cache": (
        lambda: requests.cache_takes_pages(requests.http_block()),
        "inconclusive/http.timeout.any",
    ),
    "silence by name behind a cache": (
        lambda: requests.cache_takes_pages(handshakes.sni_block()),
        "blocked/tls/tls.timeout.sni",
    ),
    "moved behind a cache": (
        lambda: requests.cache_takes_pages(requests.asked_elsewhere(requests.sent_to_the_shop(), **requests.MOVED)),
        "inconclusive",
    ),
    "a plain error everywhere": (
        lambda: requests.asked_elsewhere(plain(503, body_sha256="503"), status=503, body_sha256="503"),
        "inconclusive/http.server_error",
    ),
    "a stranger's refusal": (lambda: requests.sent_to_the_shop(403), "inconclusive/http.denied.antibot"),
    "a stranger's trouble": (lambda: requests.sent_to_the_shop(503), "inconclusive/http.server_error"),
    "a stranger's notice": (lambda: requests.sent_to_the_shop(body=requests.ORDER_RU), "inconclusive"),
    "a teapot": (lambda: page(418), "inconclusive"),
    "a front end without a server": (lambda: page(421), "inconclusive"),
    "a page that cannot be unpacked": (
        lambda: page(200, malformed="content-encoding gzip cannot be undone", body_length=0),
        "inconclusive",
    ),
    "a page that cannot be unpacked to its end": (
        lambda: page(200, malformed="content-encoding gzip cannot be undone", body_length=900),
        "accessible",
    ),
    "a torn page, and its beginning again": (
        lambda: requests.torn(16_384, 10_240, truncated=True),
        "inconclusive/http.timeout.any",
    ),
    "a torn page, and more of it again": (lambda: requests.torn(16_384, 65_536, truncated=True), "accessible"),
    "a torn page, and a whole one": (lambda: requests.torn(16_384, 12_000, truncated=False), "accessible"),
    "a torn page, and a greeting": (
        lambda: healthy_site().dns(SITE).tcp().tls().http(failure=TIMEOUT).retry_tls(),
        "inconclusive/http.timeout.any",
    ),
    "a hotel's page in place of all plain ones": (lambda: own_side.hotel(genuine=False), "inconclusive"),
    "a hotel's page in place of one test page": (lambda: own_side.hotel(genuine=True), "accessible"),
    "a redirect to a block page": (CODES["redirect_to_block_page"], "blocked/http/http.redirect.any"),
    "a stranger's certificate everywhere": (certificates.stranger_shown, "blocked/mitm/tls.mitm.unknown_ca"),
    "a stranger's valid certificate everywhere": (
        lambda: certificates.stranger_shown("ssl_invalid_hostname"),
        "blocked/mitm/tls.mitm.stranger",
    ),
    "a stranger's certificate at one other place": (lambda: certificates.stranger_shown(places=1), STRANGER),
    "a stranger's certificate at two places of one operator": (
        lambda: certificates.stranger_shown(shown=(NEUTRALS[0], NEUTRALS[0].rpartition(".")[0] + ".99")),
        STRANGER,
    ),
    "a stranger's certificate for every name": (lambda: certificates.stranger_shown(elsewhere="11" * 32), STRANGER),
    "a stranger's certificate as near as the router": (
        lambda: certificates.stranger_shown(first_byte_us=1_900),
        STRANGER,
    ),
    "a router's certificate everywhere": (lambda: certificates.stranger_shown(issuer="CN=ASUSTeK Router CA"), STRANGER),
    "a certificate for an address at home": (lambda: certificates.stranger_shown(names=("192.168.1.1",)), STRANGER),
    "a product's certificate everywhere": (
        lambda: certificates.stranger_shown(issuer="CN=FortiGate CA"),
        "inconclusive/network.filter",
    ),
    "a certificate that signed itself everywhere": (
        lambda: certificates.stranger_shown(self_issued=True),
        "inconclusive/tls.certificate.self_signed",
    ),
    "a forged national certificate": (certificates.national_ca, "blocked/mitm/tls.mitm.known_ca"),
    "the same, expired": (lambda: certificates.national_ca(expired=True), "blocked/mitm/tls.mitm.known_ca"),
    "the same, trusted here": (certificates.national_ca_trusted_here, "blocked/mitm/tls.mitm.known_ca"),
    "a bogon from the provider": (names.bogon, "blocked/dns/dns.injection.bogon"),
    "a forged certificate wherever the name is asked for": (
        certificates.forged_elsewhere,
        "blocked/mitm/tls.mitm.unknown_ca",
    ),
    "the same, seen once": (lambda: certificates.forged_elsewhere(1), "inconclusive/tls.mitm.unknown_ca"),
    "a denial put in on the way": (injected.injected_denial, "blocked/dns/dns.servfail"),
    "injected on the way": (injected.injected, "blocked/dns/dns.injection.bogon"),
    "two replies": (injected.two_replies, "blocked/dns/dns.injection.bogon"),
    "one address for unrelated names": (names.sinkhole, "blocked/dns/dns.injection.other"),
    "one address for unrelated names, not looked at": (names.sink_without_page, "inconclusive/dns.injection.other"),
    "a block page's address": (names.block_page_address, "blocked/dns/dns.injection.block_page"),
    "volleys of strangers' addresses where nobody listens": (
        injected.injected_by_volleys,
        "blocked/dns/dns.injection.other",
    ),
    "two answers to a packet that was doubled": (
        lambda: injected.injected_by_volleys(ttl=57),
        "inconclusive/dns.injection.other",
    ),
    "the operator says so": (names.operator_says, "blocked/dns/dns.nxdomain"),
    "a page of the family's own protection": (names.family_page, "no_network/filter/network.filter"),
    "a notice of an order that speaks of families too": (
        lambda: names.family_page(f"{requests.ORDER_RU} Родительский контроль"),
        "blocked/dns/dns.injection.block_page",
    ),
    "denied twice here, proven abroad": (names.denied_twice, "blocked/dns/dns.nxdomain"),
    "refused twice here, proven abroad": (lambda: names.denied_twice("dns_refused_error"), "blocked/dns/dns.refused"),
    "questions for the name lost, and only in clear": (names.questions_dropped, "blocked/dns/dns.timeout"),
    "the same, at home once": (lambda: names.questions_dropped(twice=False), LOST),
    "the same, by the household's resolver": (lambda: names.questions_dropped(server=HOME), LOST),
    "the same, and no machine says that nobody listens": (lambda: names.questions_dropped(nobody=TIMEOUT), LOST),
    "the same, and one arrived where nobody listens": (lambda: names.questions_dropped(there=REFUSED), LOST),
    "the same, and others are lost abroad as well": (lambda: names.questions_dropped(others=TIMEOUT), LOST),
    "the same, one operator asked": (lambda: names.questions_dropped(readable=("8.8.8.8", "8.8.4.4")), LOST),
    "the same, of operators who are not heard in secret": (
        lambda: names.questions_dropped(readable=("8.8.8.8", "1.1.1.1")),
        LOST,
    ),
    "the same, and over a stream it is answered": (lambda: names.questions_dropped(stream=None), LOST),
    "the site refuses by law": (CODES["site_refuses_by_law"], "denied/legal/http.denied.legal"),
    "the site refuses the country": (CODES["site_refuses_country"], "denied/geo/http.denied.geo"),
    "the site refuses robots": (CODES["site_refuses_visitor"], "denied/antibot/http.denied.antibot"),
    "the site refuses the rate": (CODES["site_refuses_rate"], "denied/ratelimit/http.denied.ratelimit"),
    "a server error": (CODES["server_error"], "outage/http/http.server_error"),
    "an expired certificate": (certificates.expired, "outage/certificate/tls.certificate.expired"),
    "a certificate put up too early": (certificates.not_yet_valid, "outage/certificate/tls.certificate.not_yet_valid"),
    "an answer nobody can read": (certificates.garbled, "inconclusive/http.garbled.any"),
    "an answer nobody can read, plain": (
        lambda: certificates.garbled(f"http://{HOST}/"),
        "inconclusive/http.garbled.any",
    ),
    "a link of the chain is missing": (certificates.no_intermediate, "inconclusive/tls.certificate.incomplete"),
    "an issuer seen nowhere else": (
        lambda: certificates.no_intermediate(issuer=certificates.GATEWAY),
        "inconclusive/tls.mitm.unknown_ca",
    ),
    "a link that proves nothing": (lambda: certificates.no_intermediate(links=1), "inconclusive/tls.mitm.unknown_ca"),
    "a root of its own under a known name": (
        lambda: certificates.no_intermediate(code=19),
        "inconclusive/tls.mitm.unknown_ca",
    ),
    "a name gone everywhere": (names.gone_everywhere, "outage/dns/dns.nxdomain"),
    "a zone broken everywhere": (names.broken_everywhere, "outage/dns/dns.servfail"),
    "a published bogon": (names.bogon_published, "outage/dns/dns.published_bogon"),
    "no link": (own_side.no_link, "no_network/link/network.link"),
    "no upstream": (own_side.no_upstream, "no_network/upstream/network.upstream"),
    "a dead resolver": (own_side.dead_resolver, "no_network/resolver/network.resolver"),
    "a captive portal": (own_side.captive_portal, "no_network/captive_portal/network.captive_portal"),
    "a wrong clock": (own_side.wrong_clock, "no_network/clock/network.clock"),
    "no world": (own_side.no_world, "no_network/international/network.international"),
    "a world that refuses": (
        lambda: own_side.no_world(REFUSED, REFUSED),
        "no_network/international/network.international",
    ),
    "a refusal while the world is silent": (lambda: own_side.no_world(here=REFUSED), "inconclusive/ip.reset"),
    "an inspecting gateway": (
        lambda: certificates.gateway_everywhere(trusted=True),
        "no_network/filter/network.filter",
    ),
    "a hosts file": (names.hosts_file, "no_network/filter/network.filter"),
    "a lying name service": (names.name_service_lies, "no_network/filter/network.filter"),
    "a name service that lies, as its resolver shows": (
        lambda: names.library_lied_to(SITE),
        "no_network/filter/network.filter",
    ),
    "lies to programs that ask without EDNS": (
        lambda: names.library_lied_to("10.10.34.36", alone="10.10.34.35"),
        "blocked/dns/dns.injection.bogon",
    ),
    "the same, and nobody lies where nobody listens": (
        lambda: names.library_lied_to("10.10.34.35"),
        "inconclusive/dns.injection.bogon",
    ),
    "the same, and somebody answers there for all": (
        lambda: names.library_lied_to("10.10.34.35", alone="10.10.34.35", silent=None),
        "inconclusive/dns.injection.bogon",
    ),
    "a library lied to, and who answers it is silent now": (names.library_lied_to, "inconclusive"),
    "a household filter": (names.household_filter, "no_network/filter/network.filter"),
    "a household filter, by its speed": (names.household_filter_by_speed, "no_network/filter/network.filter"),
    "a household filter that denies": (names.denies_by_turns, "no_network/filter/network.filter"),
    "the same, and one test page is gone": (
        lambda: names.denies_by_turns("www.python.org"),
        "no_network/filter/network.filter",
    ),
    "a household's resolver that denies anybody": (
        lambda: names.denies_by_turns("www.python.org", "www.debian.org"),
        "inconclusive/dns.nxdomain",
    ),
    "a household's resolver that denies and answers": (
        lambda: names.denies_by_turns(unchecked=SITE),
        "inconclusive/dns.nxdomain",
    ),
    "a provider's resolver that denies anybody": (
        lambda: names.denies_by_turns("www.python.org", "www.debian.org", server=PROVIDER),
        "inconclusive/dns.nxdomain",
    ),
    "a filter somebody chose": (names.chosen_filter, "no_network/filter/network.filter"),
    "filtered by request": (names.filtered_by_request, "no_network/filter/network.filter"),
    "antivirus with exceptions": (certificates.antivirus_with_exceptions, "inconclusive/tls.mitm.unknown_ca"),
    # what one network cannot tell
    "a company's gateway": (names.filtering_product, "inconclusive/network.filter"),
    "a router with a list of names": (names.router_takes_questions, "inconclusive/network.filter"),
    "a silent address": (addresses.silent_address, "inconclusive/ip.timeout"),
    "a refusing address": (addresses.refused_address, "inconclusive/ip.reset"),
    "all addresses silent": (addresses.all_addresses_dead, "inconclusive/ip.timeout"),
    "neighbours alive": (lambda: addresses.neighbours(None), "inconclusive/ip.timeout"),
    "neighbours dead": (lambda: addresses.neighbours(TIMEOUT), "inconclusive/ip.timeout"),
    "a control alone": (lambda: addresses.control(None), "inconclusive/ip.timeout"),
    "a control that is served elsewhere": (addresses.control_elsewhere, "inconclusive/ip.timeout"),
    "a control that fails as well": (lambda: addresses.control(TIMEOUT), "inconclusive/ip.timeout"),
    "a control that finds the address dead": (addresses.control_finds_address_dead, "inconclusive/ip.timeout"),
    "a server that is dead in two countries": (addresses.dead_in_two_countries, "outage/server/ip.timeout"),
    "a guard of the site in two countries": (addresses.scrubbed_in_two_countries, "outage/server/tls.timeout.any"),
    "prohibited on the way": (addresses.prohibited, "inconclusive/ip.unreachable"),
    "one neutral only": (handshakes.sni_block_once, "inconclusive/tls.timeout.sni"),
    "too few tries": (handshakes.sni_block_short, "inconclusive/tls.timeout.sni"),
    "a dead backend": (handshakes.router_with_dead_backend, "inconclusive/tls.timeout.sni"),
    "a dead server": (handshakes.dead_server, "inconclusive/tls.timeout.any"),
    "lost big packets": (handshakes.small_packets_only, "inconclusive/tls.timeout.any"),
    "a closing server": (CODES["tls_server_ended_it"], "inconclusive/tls.eof.any"),
    "an unknown issuer": (certificates.strange_issuer, "inconclusive/tls.mitm.unknown_ca"),
    "a gateway not trusted here": (
        lambda: certificates.gateway_everywhere(trusted=False),
        "inconclusive/tls.mitm.unknown_ca",
    ),
    "a self-signed certificate": (certificates.self_signed, "inconclusive/tls.certificate.self_signed"),
    "another's certificate": (certificates.wrong_host, "inconclusive/tls.certificate.wrong_host"),
    "expired, clock unknown": (lambda: certificates.expired(healthy=False), "inconclusive/tls.certificate.expired"),
    "a denial that may be remembered": (names.denied_by_zone, "inconclusive/dns.nxdomain"),
    "a denial whose zone nobody knows of": (
        lambda: names.denied_by_zone(abroad=None, failure=TIMEOUT),
        "inconclusive/dns.nxdomain",
    ),
    "a denial with the mark of a zone of the provider's own": (
        lambda: names.denied_by_zone(
            replace(names.COM, zone="facebook.com", mname="ns.provider.example"),
            replace(names.COM, zone="facebook.com"),
        ),
        "blocked/dns/dns.nxdomain",
    ),
    "a denial with the mark of a zone of the provider's own, which answers for everybody": (
        names.denied_by_zone_of_a_proxy,
        "blocked/dns/dns.nxdomain",
    ),
    "a denial with the mark of a zone that there is not": (
        lambda: names.denied_by_zone(replace(names.COM, zone="facebook.com"), None, "dns_nxdomain_error"),
        "blocked/dns/dns.nxdomain",
    ),
    "denied once": (names.denied_once, "inconclusive/dns.nxdomain"),
    "a failing resolver": (names.servfail_here_only, "inconclusive/dns.servfail"),
    "a redirect to a host whose name talks of blocking": (
        lambda: plain(302, location="http://blackhole.example/"),
        "inconclusive/http.redirect.any",
    ),
    "a page by order": (CODES["block_page"], "inconclusive/http.block_page.any"),
    "a page by order at the site's address only": (requests.notice, "inconclusive"),
    "a page that talks of blocking": (CODES["block_page_likely"], "inconclusive/http.block_page.any"),
    "a stale address": (names.stale, "inconclusive/tls.certificate.wrong_host"),
    "a rewriting resolver": (names.rewriting, "inconclusive/tls.certificate.self_signed"),
    "a tunnel's address": (names.tunnel_address, "inconclusive/network.filter"),
    "a reset from beside": (handshakes.reset_beside, "inconclusive/network.filter"),
    "redirects without end": (own_side.sent_in_a_circle, "inconclusive"),
    "redirects without end, and another greeting": (own_side.sent_in_a_circle_and_greeted, "inconclusive"),
}

CODES |= chains.CODES
WORDS |= chains.WORDS
CODES |= apps.CODES
WORDS |= apps.WORDS
CODES |= calls.CODES
WORDS |= calls.WORDS
CODES |= cheap.CODES
WORDS |= cheap.WORDS
CODES |= holes.CODES
WORDS |= holes.WORDS
CODES |= pages.CODES
WORDS |= pages.WORDS
CODES |= protocols.CODES
WORDS |= protocols.WORDS
CODES |= sinks.CODES
WORDS |= sinks.WORDS
CODES |= speeds.CODES
WORDS |= speeds.WORDS
CODES |= followed.CODES
CODES |= this_side.CODES
WORDS |= followed.WORDS
WORDS |= this_side.WORDS
CODES |= questions.CODES
WORDS |= questions.WORDS
CODES |= remembering.CODES
WORDS |= remembering.WORDS
CODES |= over_quic.CODES
WORDS |= over_quic.WORDS
