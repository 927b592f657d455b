"""The ways to say "blocked" wrongly, one by one. Numbers are those of the project's list of holes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.facts import (
    BLOCK_HOST,
    HOME,
    HOST,
    INNOCUOUS,
    NEUTRALS,
    OTHER_SITE,
    PROVIDER,
    RESET,
    SITE,
    TIMEOUT,
    Facts,
    certificate,
    kernel,
)
from tests.unit.verdict_scenarios_begin import NO_RESOLVER, failed_retries, healthy_site, plain
from tests.unit.verdict_scenarios_certificates import GATEWAY, _inspected_round
from tests.unit.verdict_scenarios_handshakes import dead_server, sni_block, unacknowledged
from tests.unit.verdict_scenarios_injected import injected, injected_where_nobody_listens, two_replies
from tests.unit.verdict_scenarios_names import (
    _sinkholed,
    asked_slowly,
    bogon,
    denied_twice,
    servfail_here_only,
    sinkhole,
    stale,
    way_to_home,
)
from tests.unit.verdict_scenarios_requests import ORDER_RU


def silent() -> Facts:
    """A silent greeting and three silent retries on a healthy line."""
    return failed_retries(healthy_site().no_greeting())


def undecided(facts: Facts) -> bool:
    """Nothing definite is said."""
    return facts.verdict().status == "inconclusive"


# -- 1: flips by the server ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [TIMEOUT, RESET, "eof_error", "alert"])
def test_1_a_flip_at_the_own_address_is_at_most_a_leaning(failure: str) -> None:
    """Dead backends, bot rules and odd virtual hosts flip at the site's own address."""
    facts = silent().own_pair(target=failure, target_fact={"hello_acked": True}, innocuous_fact={"hello_acked": True})
    assert undecided(facts)


def test_1_a_pass_at_neutrals_weighs_against_blocking() -> None:
    """With the name passing elsewhere, an own flip leans to the server."""
    facts = silent().own_pair(target_fact={"hello_acked": True}, innocuous_fact={"hello_acked": True})
    assert facts.verdict().leaning == "blocked"
    assert facts.neutrals(target=None, rounds=1).verdict().leaning != "blocked"


def test_1_a_pass_on_another_port_weighs_nothing() -> None:
    """A device that acts on port 443 lets a sink on 8443 pass."""
    facts = silent()
    facts.tls(NEUTRALS[0], verify=False, purpose="neutral_pair", group="neutral/1", arm="target", port=8443)
    assert "neutral_pass" not in facts.codes()


# -- 2: alternation -----------------------------------------------------------------------------------------------------


def arms(facts: Facts, order: str, neutral: int) -> Facts:
    """Arms at one neutral: ``T`` a target failure, ``t`` its success, ``I`` an innocuous success, ``i`` its failure."""
    ends: dict[str, tuple[str, str | None]] = {
        "T": ("target", TIMEOUT),
        "t": ("target", None),
        "I": ("innocuous", None),
        "i": ("innocuous", TIMEOUT),
    }
    for number, letter in enumerate(order):
        arm, failure = ends[letter]
        facts.arm("neutral_pair", f"neutral/{neutral + 1}", NEUTRALS[neutral], arm, failure, number)
    return facts


@pytest.mark.parametrize(
    ("order", "flips"),
    [
        ("TITITITITIT", True),
        ("ITITITITITITI", True),
        ("TTTTTTIIIII", False),  # a restart of the server looks like this
        ("IIIIITTTTTT", False),
        ("TTTIIITTTIII", False),
        ("TITITITIT", False),  # five failures, four successes
        ("TITITITITITt", False),  # a late success withdraws
        ("TiTITITITITI", True),  # one innocuous arm may be lost
        ("TiTiTITITITIT", False),
        ("TtTITITITITIT", False),
    ],
)
def test_2_six_failures_and_five_successes_in_turn(order: str, flips: bool) -> None:
    """Only whole alternations at two neutrals are a flip."""
    facts = arms(arms(silent(), order, 0), order, 1)
    assert (facts.verdict().status == "blocked") == flips


def test_2_later_success_anywhere_withdraws() -> None:
    """A retry, another address, a small greeting: any answer to the name after the first failure."""
    for story in (
        sni_block().retry_tls(None, 9),
        sni_block().tried(OTHER_SITE),
        sni_block().tls(verify=False, purpose="path_mtu", group="small"),
        sni_block().arm("own_pair", f"own/{SITE}", SITE, "target", None, 0),
    ):
        assert story.verdict().status != "blocked"


def test_2_connections_that_failed_are_no_arms() -> None:
    """A silent neutral says nothing about names."""
    facts = silent()
    for index in (0, 1):
        for number in range(6):
            at: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "round": number}
            facts.tcp(NEUTRALS[index], failure=TIMEOUT, arm="target", name=HOST, **at)
            facts.arm("neutral_pair", f"neutral/{index + 1}", NEUTRALS[index], "innocuous", None, number)
    assert undecided(facts)


# -- 4: the size of packets ---------------------------------------------------------------------------------------------


def test_4_an_alert_is_no_success() -> None:
    """Seven bytes pass where a certificate flight does not: an alert for the innocuous name proves no path."""
    assert undecided(silent().neutrals(innocuous="alert"))


def test_4_arms_silenced_by_size_do_not_count() -> None:
    """Segments out of order or selectively acknowledged: the answer or the greeting was too big, not refused."""
    for lost in ({"rcv_ooopack": 1}, {"sacked": 1}):
        assert undecided(silent().neutrals(target_fact={"kernel": kernel(**lost)}))


# -- 5: local filters ---------------------------------------------------------------------------------------------------


def test_5_a_lie_from_a_private_resolver_is_a_leaning() -> None:
    """Unattributed it may be the household's own."""
    assert undecided(healthy_site().dns("0.0.0.0", server=HOME).foreign(SITE).tried(SITE))
    facts = denied_twice(server=HOME)
    assert undecided(facts)


def test_5_a_forwarder_that_asked_is_no_filter() -> None:
    """A never-asked label that took longer than the gateway plus 2 ms was passed on."""
    facts = healthy_site().dns("0.0.0.0", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
    facts.system("never_asked", "0.0.0.0", name=f"xyzzy.{HOST}", server=HOME, duration_us=9_000)
    assert undecided(facts)


def test_5_a_slow_forwarder_is_not_quick_by_its_own_measure() -> None:
    """A forwarder without a memory asks for everything: its replies are all alike, and none was made on the spot."""
    for way_us, failure in ((800, None), (800, "connection_refused"), (1_008_000, None), (8_000, TIMEOUT)):
        facts = healthy_site().no_name("dns_nxdomain_error", server=HOME, duration_us=9_000).foreign(SITE).tried(SITE)
        facts.system("filter", "8.8.4.4", name="doubleclick.net", server=HOME, duration_us=9_000)
        at: dict[str, Any] = {"name": f"xyzzy.{HOST}", "server": HOME, "duration_us": 9_100}
        facts.system("never_asked", failure="dns_nxdomain_error", **at)
        assert facts.verdict().status != "no_network"
        assert way_to_home(facts, way_us, failure).verdict().status != "no_network"


def test_5_the_kernel_knows_the_way_better() -> None:
    """A busy host saw the connection late; the kernel had timed it."""
    facts = healthy_site().dns("0.0.0.0", server=HOME, duration_us=9_000).foreign(SITE).tried(SITE)
    facts.system("never_asked", "0.0.0.0", name=f"xyzzy.{HOST}", server=HOME, duration_us=9_100)
    assert undecided(way_to_home(facts, 14_000, rtt_us=800))


def test_5_a_lie_that_passed_no_router_is_the_households() -> None:
    """A router that takes all DNS answers in anybody's name, and its packets arrive as they were sent."""
    for ttl, blocked in ((64, False), (128, False), (255, False), (63, True), (57, True)):
        lies = healthy_site().dns("0.0.0.0", reply_ttl=ttl).foreign(SITE).tried(SITE)
        assert (lies.verdict().status == "blocked") == blocked
        denials = healthy_site().no_name("dns_nxdomain_error", reply_ttl=ttl).foreign(SITE).tried(SITE)
        denials.system("cd", failure="dns_nxdomain_error", checking_disabled=True, reply_ttl=ttl)
        assert (denials.verdict().status == "blocked") == blocked


def test_5_a_second_reply_that_passed_no_router_is_the_households() -> None:
    """The household's router answers, and lets the question go on all the same."""
    for ttl, blocked in ((64, False), (61, True)):
        facts = (
            healthy_site()
            .dns("10.10.34.35", reply_ttl=ttl)
            .tcp("10.10.34.35", failure=TIMEOUT)
            .foreign(SITE)
            .tried(SITE)
        )
        facts.dns(SITE, purpose="late", group=None, reply_index=1, reply_ttl=57)
        assert (facts.verdict().status == "blocked") == blocked


def test_5_another_manner_is_no_attribution() -> None:
    """A household that filters advertising with 0.0.0.0 did not make the provider's NXDOMAIN."""
    facts = denied_twice(server=HOME).system("filter", "0.0.0.0", name="doubleclick.net", server=HOME)
    assert facts.verdict().status != "no_network"


def test_5_the_first_quick_reply_is_not_held_against_itself() -> None:
    """Without another reply there is no gateway time to compare with."""
    facts = Facts().context().no_name("dns_nxdomain_error", server=HOME).foreign(SITE).tried(SITE)
    facts.system("never_asked", failure="dns_nxdomain_error", name=f"xyzzy.{HOST}", server=HOME, duration_us=900)
    assert facts.verdict().status != "no_network"


def test_5_a_routers_list_is_no_injection_and_no_denial() -> None:
    """Quick answers where no resolver runs are the household's; slow ones were put in farther away."""
    for took_us, blocked in ((1_000, False), (25_000, True)):
        facts = healthy_site().no_name("dns_nxdomain_error", server=HOME, duration_us=900).foreign(SITE).tried(SITE)
        facts.system("random_label", SITE, name="x.example", server=HOME, duration_us=900)
        facts.dns(failure=TIMEOUT, name=INNOCUOUS, arm="innocuous", rcode=None, **NO_RESOLVER)
        facts.dns(failure="dns_nxdomain_error", arm="target", duration_us=took_us, **NO_RESOLVER)
        assert (facts.verdict().status == "blocked") == blocked


def test_14_a_gateway_is_not_the_vendor() -> None:
    """Where canaries show the same unknown issuer, a vendor's host shows the gateway's and not the vendor's."""
    facts = _inspected_round(Facts(own_root=True).context(), trusted=False)
    facts.no_greeting("ssl_unknown_authority", chain=(certificate(HOST, issuer=GATEWAY),), verify_code=20)
    assert facts.verdict().status != "accessible"


# -- 6: neutrals --------------------------------------------------------------------------------------------------------


def test_6_one_neutral_is_no_flip() -> None:
    """One neutral may have its own reason."""
    assert undecided(silent().neutrals(1))


def test_6_two_addresses_of_one_network_are_one_neutral() -> None:
    """Neighbours share an operator and its rules."""
    facts = silent()
    for index, address in enumerate(("151.101.0.223", "151.101.64.223")):
        facts.pair("neutral_pair", f"neutral/{index + 1}", address)
    assert undecided(facts)


def test_6_the_targets_own_address_is_no_neutral() -> None:
    """An address that the name itself resolves to serves it."""
    facts = silent().pair("neutral_pair", "neutral/1", SITE).pair("neutral_pair", "neutral/2", NEUTRALS[1])
    assert undecided(facts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("151.101.0.223", "146.75.10.1"),  # Fastly
        ("104.16.1.1", "172.67.1.1"),  # Cloudflare
        ("2606:4700::1", "104.16.1.1"),
    ],
)
def test_6_one_content_network_is_one_neutral(one: str, other: str) -> None:
    """Edges of one operator know the same customers, however far apart their addresses look."""
    facts = silent().pair("neutral_pair", "neutral/1", one).pair("neutral_pair", "neutral/2", other)
    assert undecided(facts)


def test_6_the_targets_content_network_has_no_neutral() -> None:
    """A target on a content network may be special at every edge of it."""
    facts = failed_retries(healthy_site().dns("104.18.1.1").tcp("104.18.1.1").tls("104.18.1.1", failure=TIMEOUT))
    facts.pair("neutral_pair", "neutral/1", "172.67.9.9").pair("neutral_pair", "neutral/2", NEUTRALS[1])
    assert undecided(facts)


# -- 7: DNS that only looks like a lie ----------------------------------------------------------------------------------


def test_7a_a_moved_site_is_stale() -> None:
    """A stranger's valid certificate at the old address."""
    assert undecided(stale())


def test_7b_a_rewriting_resolver_lies_about_everything_missing() -> None:
    """One advertising server for all dead names, however many of them are asked for."""
    facts = sinkhole().system("random_label", BLOCK_HOST, name="qwertyuiopasdg.com")
    assert undecided(facts)


def test_7_a_sinkhole_needs_an_honest_denial() -> None:
    """Without a random label that stays missing, one address for two names may be a rewriter's."""
    facts = _sinkholed(healthy_site().also(2, "https://meduza.io/")).dns(BLOCK_HOST, endpoint=2, name="meduza.io")
    assert undecided(facts)


def test_7_shared_hosting_is_no_sinkhole() -> None:
    """Two sites at one address that verifies for the other one is hosting."""
    facts = sinkhole().tcp(BLOCK_HOST, endpoint=2).tls(BLOCK_HOST, sni="meduza.io", endpoint=2)
    assert undecided(facts)


def test_7d_a_resolver_without_a_trust_anchor() -> None:
    """SERVFAIL for signed zones, an answer with checking disabled, or a code that says so."""
    assert undecided(servfail_here_only().system("cd", SITE, checking_disabled=True))
    assert undecided(healthy_site().no_name("dns_servfail_error", extended_errors=(6,)).foreign(SITE).tried(SITE))


@pytest.mark.parametrize("failure", ["dns_servfail_error", "dns_no_answer", TIMEOUT])
def test_7e_zones_refuse_resolvers_and_countries(failure: str) -> None:
    """However often it is said: SERVFAIL, an empty answer and silence are never proof."""
    assert undecided(denied_twice(failure))


def test_7f_an_answer_that_could_not_be_tried_is_unjudged() -> None:
    """A cache inside the provider that is dead: TLS times out on a right answer."""
    facts = healthy_site().dns(OTHER_SITE).tcp(OTHER_SITE).tls(OTHER_SITE, failure=TIMEOUT).foreign(SITE).tried(SITE)
    assert not facts.codes() & {"dns_wrong_address", "dns_sinkhole", "dns_bogon"}


def test_7_a_resolver_that_limits_the_rate_refuses_nobody() -> None:
    """Refused in a burst; slowly, both names are answered, or the other one is refused as well."""
    refused = "dns_refused_error"
    burst = healthy_site().no_name(refused).foreign(SITE).tried(SITE)
    burst.system("cd", failure=refused, checking_disabled=True)
    assert undecided(burst)
    count = len(burst.observations)
    for other, target in ((None, None), (refused, refused), (TIMEOUT, refused)):
        assert undecided(asked_slowly(burst, other=other, target=target))
        del burst.observations[count:]
    assert asked_slowly(burst).word() == "blocked/dns/dns.refused"


def test_7_who_says_that_nobody_listens_is_no_resolver() -> None:
    """Then even an answer that cannot be tried was put in, if the user got it too and a right one is known."""
    assert injected_where_nobody_listens().word() == "blocked/dns/dns.injection.other"
    facts = injected_where_nobody_listens()
    facts.observations = [o for o in facts.observations if not (o.group or "").startswith("address/")]
    assert undecided(facts)


def test_7_a_silent_place_may_be_a_lost_packet() -> None:
    """Silence for the other name proves less: there an answer must be proven wrong."""
    facts = healthy_site().dns(OTHER_SITE).tcp(OTHER_SITE, failure=TIMEOUT).foreign(SITE).tried(SITE)
    facts.dns(failure=TIMEOUT, name=INNOCUOUS, arm="innocuous", rcode=None, **NO_RESOLVER)
    assert undecided(facts.dns(OTHER_SITE, arm="target", **NO_RESOLVER))


def test_7_forgeries_that_the_user_never_got_explain_nothing() -> None:
    """On the way abroad answers are forged; the provider's own is another one, and its server is dead."""
    facts = healthy_site().no_connection().foreign(OTHER_SITE).tried(OTHER_SITE)
    facts.dns(failure=TIMEOUT, name=INNOCUOUS, arm="innocuous", rcode=None, **NO_RESOLVER)
    assert undecided(facts.dns("10.10.34.35", arm="target", **NO_RESOLVER))
    facts = healthy_site().no_connection().foreign(OTHER_SITE).tried(OTHER_SITE)
    facts.dns("10.10.34.35", purpose="dns_answers", group="foreign", role="foreign", server="1.1.1.1")
    late: dict[str, Any] = {"purpose": "late", "group": None, "role": "foreign", "server": "1.1.1.1"}
    assert undecided(facts.dns(OTHER_SITE, reply_index=1, **late))


def test_7g_a_refusal_where_no_resolver_should_be() -> None:
    """Content networks run DNS at their anycast addresses and refuse strangers."""
    facts = healthy_site().dns(failure=TIMEOUT)
    facts.dns(failure=TIMEOUT, name=INNOCUOUS, arm="innocuous", rcode=None, **NO_RESOLVER)
    facts.dns(failure="dns_refused_error", arm="target", **NO_RESOLVER)
    assert not facts.codes() & {"dns_injected_no_resolver", "dns_no_resolver_answered"}


def test_7_a_denial_needs_a_proven_answer_abroad() -> None:
    """Foreign answers that were never tried prove nothing against a denial."""
    facts = healthy_site().no_name("dns_nxdomain_error").foreign(SITE)
    assert undecided(facts.system("cd", failure="dns_nxdomain_error", checking_disabled=True))


def test_7_a_denial_by_a_sick_resolver_is_the_own_sides() -> None:
    """Where the resolver denies every name, this one was not singled out."""
    facts = Facts().context().machine().canary("system/92.46.1.1", "dns_nxdomain_error").canary("literal/1.1.1.1")
    facts.canary("foreign/www.python.org", "dns").canary("foreign/www.debian.org", "dns")
    facts.no_name("dns_nxdomain_error").foreign(SITE).tried(SITE)
    facts.system("cd", failure="dns_nxdomain_error", checking_disabled=True)
    assert facts.word() == "no_network/resolver/network.resolver"


def test_7_one_system_resolver_that_answers_contradicts_the_other() -> None:
    """A name that one of two resolvers gave was not denied by the network."""
    facts = denied_twice().dns(SITE, purpose="dns_answers", group="other", server="92.46.1.2")
    assert not facts.codes() & {"dns_nxdomain_contradicted"}


# -- 8: artefacts that are not ------------------------------------------------------------------------------------------


def test_8a_two_valid_replies_are_a_rotation() -> None:
    """Content networks answer differently twice; both verify, or neither was tried."""
    facts = healthy_site().works().tried(OTHER_SITE).dns(OTHER_SITE, purpose="late", group=None, reply_index=1)
    assert facts.verdict().status == "accessible"
    untried = healthy_site().no_greeting().dns(OTHER_SITE, purpose="late", group=None, reply_index=1)
    assert "dns_two_replies" not in untried.codes()


def test_8a_replies_of_two_servers_are_two_questions() -> None:
    """Only replies to one question at one server are compared."""
    facts = two_replies()
    late = facts.observations[-1]
    assert late.operation.address == PROVIDER
    facts.observations.pop()
    facts.dns(SITE, purpose="late", group=None, reply_index=1, server="8.8.8.8")
    assert "dns_two_replies" not in facts.codes()


def test_8b_a_connect_time_is_no_warm_round_trip() -> None:
    """A mobile line wakes for the first packet: its connect takes 380 ms on an 80-ms path."""
    facts = healthy_site().dns(SITE).tcp(rtt_us=380_000).tls(failure=RESET, duration_us=80_000)
    for n in (1, 2, 3):
        facts.tcp(rtt_us=380_000, purpose="retry", group=f"retry/{n}")
        facts.tls(failure=RESET, duration_us=80_000, purpose="retry", group=f"retry/{n}")
    assert undecided(facts)


def test_8b_two_warm_round_trips_are_too_few() -> None:
    """Three at least, the least of them counts."""
    facts = healthy_site().no_greeting(RESET, duration_us=20_000).retry_tls(RESET, 1, duration_us=20_000)
    for n in range(2):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=90_000))
    assert undecided(facts)


@pytest.mark.parametrize("took_us", [46_000, 60_000, 90_000])
def test_8b_a_reset_after_half_a_round_trip_may_be_the_servers(took_us: int) -> None:
    """Half the least of three warm round trips is the line."""
    facts = healthy_site().no_greeting(RESET, duration_us=took_us).retry_tls(RESET, 1, duration_us=took_us)
    for n in range(3):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=90_000))
    assert undecided(facts)


def test_8b_one_early_reset_is_one_bad_reading() -> None:
    """It takes two."""
    facts = healthy_site().no_greeting(RESET, duration_us=20_000)
    for n in range(3):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=90_000))
    assert undecided(facts)


def test_8d_a_scrubber_that_resets_first_comers() -> None:
    """The first connection is reset and the second passes."""
    assert healthy_site().no_greeting(RESET).retry_tls(None, 1).verdict().status == "accessible"


@pytest.mark.parametrize(
    "page",
    [
        {"location": "http://pay.operator.example/topup"},
        {"body": "Недостаточно средств, пополните баланс"},
    ],
)
def test_8e_15_a_pay_page_is_no_block(page: dict[str, str]) -> None:
    """An empty balance redirects plain HTTP to the operator: neither blocked nor a shutdown nor the site's own page."""
    facts = plain(302 if "location" in page else 200, **page)
    assert facts.verdict().status not in ("blocked", "no_network", "accessible")


@pytest.mark.parametrize(
    "body",
    [
        "<title>Access Denied</title> You don't have permission to access this. Reference #18.2d351ab8",
        "This account has been suspended. Contact your hosting provider.",
        "<title>Attention Required! | Cloudflare</title> access to this page has been blocked in accordance with law",
        "<title>Just a moment...</title>",
    ],
)
def test_8_known_false_positives_come_first(body: str) -> None:
    """Pages of content networks and hosts that use the same words."""
    assert plain(200, body=body).verdict().status != "blocked"


def test_8_a_newspaper_on_blocking_is_no_notice() -> None:
    """A long plain page that reports on an order somewhere in its text."""
    article = "<p>Новости дня.</p>" * 400 + ORDER_RU.partition("</title>")[2] + "<p>Погода.</p>" * 400
    assert plain(200, body=article, title="Новости").verdict().status == "accessible"
    assert plain(200, body="<p>Новости.</p>" * 60 + " " * 4000 + ORDER_RU).verdict().status == "accessible"


def test_8_a_register_that_redirects_to_itself_is_no_block() -> None:
    """The words in a site's own address say nothing about it."""
    facts = Facts("http://eais.rkn.gov.ru/").context().healthy()
    facts.works(301, location="https://eais.rkn.gov.ru/")
    assert facts.verdict().status != "blocked"


# -- 9: bogons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["64:ff9b::9df0:cd23", "64:ff9b:1::9df0:cd23", "::ffff:157.240.205.35"])
def test_9_translated_addresses_are_judged_by_what_is_inside(right: str) -> None:
    """157.240.205.35 behind a translation prefix is the site's own address."""
    facts = (
        healthy_site()
        .dns(right, qtype="AAAA", group="v6")
        .tcp(right, failure=TIMEOUT, group="v6")
        .foreign(SITE)
        .tried(SITE)
    )
    assert not facts.codes() & {"dns_bogon", "dns_bogon_unconfirmed"}


def test_9_a_lie_behind_a_translation_prefix_is_found() -> None:
    """64:ff9b::a0a:2223 hides 10.10.34.35."""
    facts = healthy_site().dns("64:ff9b::a0a:2223", group="v6", qtype="AAAA")
    facts.tcp("64:ff9b::a0a:2223", failure=TIMEOUT, group="v6").foreign(SITE).tried(SITE)
    assert facts.word() == "blocked/dns/dns.injection.bogon"


def test_9_the_networks_own_prefix_is_learnt() -> None:
    """ipv4only.arpa tells of an operator's own prefix; its IPv4 inside is judged."""
    facts = Facts().context().healthy()
    facts.dns("2a00:1f:8:7::c000:aa", name="ipv4only.arpa", qtype="AAAA", **facts.own("system/92.46.1.1"))
    facts.dns("2a00:1f:8:7::a0a:2223", group="v6", qtype="AAAA")
    facts.tcp("2a00:1f:8:7::a0a:2223", failure=TIMEOUT, group="v6").foreign(SITE).tried(SITE)
    assert "dns_bogon" in facts.codes()


@pytest.mark.parametrize("address", ["198.18.0.7", "198.19.255.1", "100.64.3.4"])
def test_9_a_tunnels_made_up_address_is_no_lie(address: str) -> None:
    """Fake addresses of VPN and circumvention programs, whose tunnel is dead."""
    assert undecided(healthy_site().dns(address).tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE))


def test_9_names_that_are_meant_to_answer_so() -> None:
    """The catalogue knows names whose owners publish 127.0.0.x."""
    facts = Facts("https://uptime.signal.org/", loopback_answers=("127.0.0.1", "127.0.0.2")).context().healthy()
    facts.dns("127.0.0.1").foreign(SITE).tried(SITE)
    assert facts.verdict().status != "blocked"


def test_9_a_private_answer_that_verifies_is_right() -> None:
    """Split horizon: TLS is tried before the word bogon."""
    facts = healthy_site().dns("10.1.2.3").tcp("10.1.2.3").tls("10.1.2.3").http(failure=TIMEOUT, address="10.1.2.3")
    facts.foreign(SITE).tried(SITE)
    assert not facts.codes() & {"dns_bogon", "dns_wrong_address"}


def test_9_no_route_for_a_literal_is_the_hosts_own() -> None:
    """On a network without IPv4 a literal is unreachable: not blocked, not refused by anybody."""
    facts = Facts("tcp://149.154.167.51:443").context().healthy().tcp("149.154.167.51", failure="network_unreachable")
    assert undecided(facts)
    assert facts.verdict().leaning != "blocked"


# -- 3, 11, 13, 14, 18 and the rest -------------------------------------------------------------------------------------


def test_3_everything_that_leans_is_still_a_leaning() -> None:
    """Another vantage reaches it, neighbours live, the machine answers on another port."""
    facts = healthy_site().no_connection()
    facts.tcp("157.240.205.60", purpose="neighbours", group="neighbour/x", name="www.whatsapp.com")
    facts.tcp(SITE, purpose="siblings", group="port/80", port=80)
    facts.control_line().control_line(vantage="control:Oslo")
    facts.tls(purpose="baseline", vantage="control:Helsinki").tls(purpose="baseline", vantage="control:Oslo")
    assert undecided(facts)


def test_11_a_failing_control_makes_no_outage() -> None:
    """The control may be censored too."""
    facts = dead_server().control_line(vantage="control:Moscow")
    assert undecided(facts.tls(failure=TIMEOUT, vantage="control:Moscow"))


def test_13_canaries_that_are_blocked_hide_no_block() -> None:
    """A proven flip stands although the public resolvers' addresses are dead."""
    facts = Facts().context().machine().canary("system/92.46.1.1")
    for member in ("literal/1.1.1.1", "literal/8.8.8.8", "literal/9.9.9.9", "transparent/192.0.2.1"):
        facts.canary(member, TIMEOUT)
    facts.canary("foreign/www.python.org").canary("foreign/www.debian.org")
    assert failed_retries(facts.no_greeting()).neutrals().verdict().status == "blocked"


def test_13_a_dead_ipv6_canary_excuses_no_ipv4() -> None:
    """Version 6 is judged by itself."""
    facts = Facts().context().healthy(default_route_v6=True).canary("ipv6/www.python.org", TIMEOUT)
    facts.no_connection(address="2a03:2880::1", group="v6").no_greeting()
    assert facts.word() == "inconclusive/tls.timeout.any"


def test_14_a_states_own_site_may_carry_the_states_certificate() -> None:
    """Government sites are signed by the government."""
    issuer = "C=KZ, O=ISCA, CN=Information Security Certification Authority"
    facts = healthy_site("https://portal.gov.kz/")
    facts.no_greeting("ssl_unknown_authority", chain=(certificate("portal.gov.kz", issuer=issuer),), verify_code=20)
    assert facts.verdict().status != "blocked"


def test_14_an_inspected_page_is_not_the_sites_own() -> None:
    """A chain that only this host trusts makes no ``accessible``."""
    facts = healthy_site().dns(SITE).tcp()
    facts.tls(
        chain=(certificate(HOST, issuer="CN=G"),),
        verified=True,
        shipped_store_verifies=False,
        system_store_verifies=True,
    )
    assert facts.http(200).verdict().status != "accessible"


def test_18_behind_a_transparent_proxy_connections_prove_nothing() -> None:
    """It takes every connection: a bare address is not known to live."""
    facts = Facts("tcp://149.154.167.51:443").context().healthy()
    facts.canary("transparent/192.0.2.1", group="after", round=1)
    assert undecided(facts.tcp("149.154.167.51"))


def test_18_unacknowledged_greetings_behind_a_proxy() -> None:
    """Its kernel acknowledges, not the server's."""
    assert undecided(unacknowledged().canary("transparent/192.0.2.1", group="after", round=1))


def test_unacknowledged_needs_every_innocuous_greeting_to_arrive() -> None:
    """One innocuous greeting that was lost as well, and the path may be to blame."""
    assert undecided(unacknowledged().arm("own_pair", f"own/{SITE}", SITE, "innocuous", TIMEOUT, 9))
    acked = silent().own_pair(target_fact={"hello_acked": True}, innocuous_fact={"hello_acked": True})
    unknown = silent().own_pair()
    assert undecided(acked)
    assert undecided(unknown)


def test_21_a_challenge_is_the_sites_own_doing() -> None:
    """The network delivered it."""
    facts = healthy_site().works(503, body="<title>Just a moment...</title> challenge-platform")
    assert facts.word() == "denied/antibot/http.denied.antibot"
    assert healthy_site().works(429, headers=(("cf-mitigated", "challenge"),)).verdict().method == "antibot"


@pytest.mark.parametrize("code", [1, 9, 10, 13])
def test_25_icmp_alone_decides_nothing(code: int) -> None:
    """Whoever says so on the way."""
    assert undecided(healthy_site().no_connection("host_unreachable", icmp_type=3, icmp_code=code, icmp_from="4.4.4.1"))


def test_27_a_slow_answer_is_not_a_missing_one() -> None:
    """Seconds of waiting for DNS are slow, not blocked."""
    facts = healthy_site().dns(SITE, duration_us=8_000_000).tcp().tls().http(200)
    assert facts.verdict().impairments == ("slow",)


def test_30_withdrawn_at_the_registry() -> None:
    """Nobody's DNS has the name: said to be an outage, and by whom cannot be seen."""
    facts = healthy_site("https://withdrawn.kz/").no_name("dns_nxdomain_error")
    facts.dns(failure="dns_nxdomain_error", purpose="dns_answers", group="zone", role="zone", server="194.0.1.1")
    assert facts.verdict().status == "outage"


def test_foreign_denials_of_one_operator_are_one() -> None:
    """Two addresses of one public resolver saw it once."""
    facts = healthy_site().no_name("dns_nxdomain_error")
    assert undecided(facts.foreign(failure="dns_nxdomain_error", servers=("8.8.8.8", "8.8.4.4")))


def test_foreign_denials_over_plain_dns_may_be_injected() -> None:
    """Without one encrypted answer the same liar may have spoken in everybody's name."""
    facts = healthy_site().no_name("dns_nxdomain_error")
    at: dict[str, Any] = {
        "purpose": "dns_answers",
        "group": "foreign",
        "role": "foreign",
        "failure": "dns_nxdomain_error",
    }
    assert undecided(facts.dns(server="8.8.8.8", **at).dns(server="9.9.9.9", **at))


def test_one_lost_innocuous_question_makes_no_injection() -> None:
    """A proxy that answers right for both names, one answer lost: the answer is right, so nothing was forged."""
    facts = injected()
    facts.observations.pop()
    assert undecided(facts.dns(SITE, arm="target", **NO_RESOLVER))


def test_a_bogon_needs_a_trustworthy_witness() -> None:
    """Plain foreign answers that nobody tried are no witness."""
    facts = bogon()
    facts.observations = [
        o for o in facts.observations if o.group != "doh" and not (o.group or "").startswith("address/")
    ]
    assert undecided(facts)


def test_an_order_on_the_sites_own_page_is_news() -> None:
    """A newspaper reports on a block over its own certificate."""
    news = f"<title>Новости дня</title> Суд: {ORDER_RU.partition('</title>')[2]}"
    assert healthy_site().works(200, title="Новости дня", body=news).verdict().status == "accessible"


def test_nothing_measured_is_nothing_known() -> None:
    """No facts, no word."""
    assert undecided(Facts())
    assert undecided(Facts().context().healthy())
