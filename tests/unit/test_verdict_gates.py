"""Each gate with the story that needs it: with the gate the word is right, without it the word is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from probe.settings import Priors
from probe.verdict import gates, word_gates
from tests.unit.facts import (
    BLOCK_HOST,
    HOME,
    HOST,
    NEUTRALS,
    PROVIDER,
    RESET,
    SITE,
    TIMEOUT,
    Facts,
    certificate,
    kernel,
)
from tests.unit.verdict_scenarios_addresses import neighbours, scrubbed_in_two_countries
from tests.unit.verdict_scenarios_begin import healthy_site
from tests.unit.verdict_scenarios_certificates import ISCA, expired, stranger_shown
from tests.unit.verdict_scenarios_handshakes import (
    answer_behind_reset,
    reset_by_the_own_router,
    router_with_dead_backend,
    sni_block,
    unacknowledged,
)
from tests.unit.verdict_scenarios_located import blocked_and_followed
from tests.unit.verdict_scenarios_names import (
    _sinkholed,
    chosen_filter,
    denied_by_zone,
    denied_twice,
    household_filter,
    name_service_lies,
    servfail_here_only,
    shown_at_the_sink,
)
from tests.unit.verdict_scenarios_own_side import _portal_round, captive_portal, wrong_clock
from tests.unit.verdict_scenarios_pages import another_page
from tests.unit.verdict_scenarios_questions import CODES as QUESTIONS
from tests.unit.verdict_scenarios_requests import (
    MOVED,
    ORDER_RU,
    asked_elsewhere,
    cache_takes_pages,
    hollow,
    sent_to_the_shop,
)
from tests.unit.verdict_scenarios_tariffs import used_up
from tests.unit.verdict_scenarios_this_side import led_inside, listed_at_home, page_put_in, second_router
from tests.unit.verdict_scenarios_throttling import policed


def own_server(address: str | None, url: str = "openvpn://vpn.university.example:1194") -> Facts:
    """The provider's DNS gives somebody's own VPN server an address inside, or none; it is silent to strangers, as most are."""
    facts = Facts(url).context().healthy()
    if address is None:
        facts.dns(failure="dns_nxdomain_error").system("cd", failure="dns_nxdomain_error")
        facts.tried(SITE)  # it has a page as well
    else:
        facts.dns(address).app(address, failure=TIMEOUT, protocol="openvpn", transport="udp", port=1194, answered=False)
    return facts.foreign(SITE).healthy("after", 1)


def late_success() -> Facts:
    """Two whole flips, and then the name is answered after all."""
    return sni_block().retry_tls(None, 4)


def proxied_flip() -> Facts:
    """A transparent proxy sorts by name and the site's server is dead: a flip everywhere."""
    facts = sni_block()
    return facts.canary("transparent/192.0.2.1", None, group="after", round=1)


def unacknowledged_behind_mtu() -> Facts:
    """Greetings lost for their size look unacknowledged; small ones pass in turn."""
    facts = unacknowledged()
    for n in (0, 1):
        facts.tls(purpose="path_mtu", group="normal", failure=TIMEOUT, verify=False, round=n)
        lost = kernel(sacked=1)
        facts.tls(purpose="path_mtu", group="small", failure=TIMEOUT, verify=False, round=n, kernel=lost)
    return facts


def own_page_about_an_order() -> Facts:
    """A site's own page, over its own certificate, reports on a blocking order."""
    return healthy_site().works(200, body=ORDER_RU)


def rewritten_twice() -> Facts:
    """A resolver that rewrites missing names sends two dead names to its advertising server."""
    facts = shown_at_the_sink(_sinkholed(healthy_site().also(2, "https://dead.example/")))
    facts.dns(BLOCK_HOST, endpoint=2, name="dead.example")
    facts.system("random_label", failure="dns_nxdomain_error", name="qwertyuiopasdf.com")
    return facts.system("random_label", BLOCK_HOST, name="qwertyuiopasdg.com")


def moved_twice() -> Facts:
    """Two sites moved away from one old host, whose new tenant shows its own valid certificate."""
    chain = (certificate("shop.example.org"),)
    facts = healthy_site().also(2, "https://meduza.io/").dns(BLOCK_HOST).tcp(BLOCK_HOST)
    facts.tls(BLOCK_HOST, failure="ssl_invalid_hostname", chain=chain, verify_code=62)
    shown_at_the_sink(facts.foreign(SITE).tried(SITE))
    facts.system("random_label", failure="dns_nxdomain_error", name="qwertyuiopasdf.com")
    return facts.dns(BLOCK_HOST, endpoint=2, name="meduza.io")


def order_behind_a_portal() -> Facts:
    """The login page of this network quotes an order; the site's own page never came."""
    facts = _portal_round(Facts("http://www.facebook.com/").context())
    return facts.works(200, body=ORDER_RU)


def plain_page_behind_a_portal() -> Facts:
    """A plain page behind a captive portal is the portal's."""
    return _portal_round(Facts("http://www.facebook.com/").context()).works(200, body="Hello")


def expired_state_certificate() -> Facts:
    """Kazakhstan's interception went on with expired certificates: they are the state's before they are expired."""
    chain = (certificate(HOST, issuer=ISCA, expired=True),)
    return healthy_site().no_greeting("ssl_invalid_certificate", verify_code=10, chain=chain, verified=False)


def expired_with_wrong_clock() -> Facts:
    """The certificate looks expired, and this computer's clock is a year off."""
    return wrong_clock()


def flip_on_a_broken_line() -> Facts:
    """Whole flips at two neutrals; then the line dies before the round after."""
    facts = sni_block()
    facts.observations = [o for o in facts.observations if (o.group or "") != "after"]
    return facts.dead(group="after", round=1)


def chosen_filter_says_censored() -> Facts:
    """A filter that somebody chose reports its own code, and is not the provider."""
    facts = household_filter()
    return facts.dns(
        failure="dns_nxdomain_error",
        purpose="dns_answers",
        group="other",
        server=PROVIDER,
        extended_errors=(15,),
    )


def antivirus_on_a_healthy_line() -> Facts:
    """A household box says that it blocks; the line carries everything else."""
    return healthy_site().dns("0.0.0.0", server=HOME, extended_errors=(15,)).foreign(SITE).tried(SITE)


def silent_signed_zone() -> Facts:
    """A resolver without a trust anchor fails for a signed zone; with checking disabled it answers."""
    return servfail_here_only().system("cd", SITE, checking_disabled=True)


def company_box() -> Facts:
    """A gateway whose root is not installed here forges the certificates of the names that it refuses."""
    chain = (certificate(HOST, issuer="O=Fortinet, CN=FortiGate CA"),)
    return healthy_site().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)


def led_away_at_one_place() -> Facts:
    """A redirect to a stranger's good page, which one neutral gives for the name too."""
    return asked_elsewhere(sent_to_the_shop(), 1, **MOVED)


def lying_control(*, reaches: bool) -> Facts:
    """A name that is silenced everywhere, and a control that claims to reach it, or not to."""
    facts = sni_block().control_line()
    return facts.tls(failure=None if reaches else TIMEOUT, vantage="control:Helsinki")


# gate, story, word with it, what changes without it: (attribute of the verdict, value without the gate)
def guarded_site() -> Facts:
    """A guard beside the site's own line resets its name, the server answers behind it, and the name passes elsewhere."""
    facts = answer_behind_reset().pair("neutral_pair", "neutral/1", NEUTRALS[0], target=None, rounds=1)
    return facts.own_pair(target=RESET)


EVIDENCE: list[tuple[str, Callable[[], Facts], str]] = [
    ("late_success_withdraws", late_success, "blocked"),
    ("transparent_proxy", proxied_flip, "blocked"),
    ("broken_beside", reset_by_the_own_router, "blocked"),
    ("stopped_at_home", lambda: blocked_and_followed(device=1), "blocked"),
    ("stopped_at_home", listed_at_home, "blocked"),
    ("refuses_advertising", QUESTIONS["filter_refuses_advertising"], "blocked"),
    ("others_stopped_too", used_up, "blocked"),
    ("slow_is_not_open", policed, "accessible"),
    ("guard_of_the_site", guarded_site, "blocked"),
    ("put_in_on_the_way", led_away_at_one_place, "accessible"),
    ("unlike_elsewhere", another_page, "accessible"),
    ("proxy_for_pages", lambda: cache_takes_pages(hollow()), "blocked"),
    ("path_mtu", unacknowledged_behind_mtu, "blocked"),
    ("split_horizon", lambda: own_server("10.20.30.40"), "blocked"),
    ("split_horizon", lambda: own_server(None), "blocked"),
    ("local_filter", chosen_filter_says_censored, "inconclusive"),
    ("hosts_file_rules", name_service_lies, "accessible"),
    ("portal_page", plain_page_behind_a_portal, "accessible"),
    ("national_first", expired_state_certificate, "outage"),
    ("own_side_is_scoped", flip_on_a_broken_line, "inconclusive"),
]


@pytest.mark.parametrize(("name", "story", "without"), EVIDENCE, ids=[row[0] for row in EVIDENCE])
def test_evidence_gate_changes_the_word(
    name: str, story: Callable[[], Facts], without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the gate the wrong word is not printed, and the verdict names the gate; without it, it is."""
    verdict = story().verdict()
    assert verdict.status != without
    assert name in verdict.gates
    monkeypatch.setitem(gates.EVIDENCE_GATES, name, replace(gates.EVIDENCE_GATES[name], find=lambda _c, _f: ()))
    assert story().verdict().status == without


LEFT_STANDING: list[tuple[str, Callable[[], Facts], str]] = [
    ("page_is_the_sites_own", own_page_about_an_order, "block_page"),
    ("rewriting_resolver", rewritten_twice, "dns_sinkhole"),
    ("stale_address", moved_twice, "dns_sinkhole"),
    ("put_in_beside", page_put_in, "neutral_flip"),
    ("put_in_beside", led_inside, "neutral_flip"),
    ("stopped_at_home", QUESTIONS["question_answered_inside"], "dns_nxdomain_contradicted"),
    ("stopped_at_home", QUESTIONS["question_lost_at_home"], "dns_questions_dropped"),
    ("refuses_advertising", QUESTIONS["filter_refuses_advertising"], "dns_nxdomain_contradicted"),
    ("old_denial", denied_by_zone, "dns_nxdomain_contradicted"),
    ("trust_not_refusal", silent_signed_zone, "dns_servfail_contradicted"),
    ("split_horizon", lambda: own_server("10.20.30.40"), "dns_bogon"),
    ("local_filter", chosen_filter, "dns_denial_unconfirmed"),
    ("healthy_line_may_filter", antivirus_on_a_healthy_line, "own_side_healthy"),
    ("portal_page", order_behind_a_portal, "block_page"),
    ("products_filter", company_box, "unknown_issuer"),
    ("stranger_everywhere", lambda: stranger_shown("ssl_invalid_hostname"), "dns_stale_address"),
    ("stranger_everywhere", lambda: stranger_shown("ssl_invalid_hostname"), "certificate_wrong_host"),
    ("clock_first", expired_with_wrong_clock, "certificate_expired_or_clock"),
    ("same_in_two_countries", scrubbed_in_two_countries, "unacknowledged_only"),
    ("control_only_leans", lambda: lying_control(reaches=True), "control_reaches"),
    ("control_only_leans", lambda: lying_control(reaches=False), "control_fails_too"),
]


@pytest.mark.parametrize(("name", "story", "code"), LEFT_STANDING, ids=[f"{r[0]}-{r[2]}" for r in LEFT_STANDING])
def test_evidence_gate_sets_aside(
    name: str, story: Callable[[], Facts], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finding stays in the verdict with weight 0 and the gate's name; without the gate it counts."""
    facts = story()
    verdict = facts.verdict()
    (aside,) = [f for f in verdict.against if f.code == code]
    assert (aside.weight, aside.parameters["set_aside_by"]) == (0.0, name)
    monkeypatch.setitem(gates.EVIDENCE_GATES, name, replace(gates.EVIDENCE_GATES[name], find=lambda _c, _f: ()))
    assert code in facts.codes()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_no_vpn_server_of_anybodys_is_nowhere(address: str) -> None:
    """What nobody's machine can have is a lie about a VPN server too; and a page is asked for by everybody."""
    assert own_server(address).verdict().status == "blocked"
    assert own_server("10.20.30.40", "https://vpn.university.example/").verdict().status == "blocked"


def test_a_lying_control_lifts_no_word_over_its_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen here is worth 0.989: whoever wants 0.995 does not get it from a control's claim."""
    strict = replace(Priors(), print_blocked_at=0.995)
    assert lying_control(reaches=True).verdict(strict).status == "inconclusive"
    gate = gates.EVIDENCE_GATES["control_only_leans"]
    monkeypatch.setitem(gates.EVIDENCE_GATES, "control_only_leans", replace(gate, find=lambda _c, _f: ()))
    assert lying_control(reaches=True).verdict(strict).status == "blocked"


def test_nothing_is_blocked_behind_a_portal() -> None:
    """An order quoted by a login page is not the network's block of the site."""
    assert order_behind_a_portal().word() == "no_network/captive_portal/network.captive_portal"
    assert captive_portal().verdict().status == "no_network"


def test_moved_sites_are_not_blocked() -> None:
    """One old address for two sites is a stale record where a stranger shows its own certificate."""
    assert moved_twice().verdict().status == "inconclusive"


def test_rewriting_is_not_blocking() -> None:
    """One address for every missing name is advertising."""
    assert rewritten_twice().verdict().status == "inconclusive"


def leaning_sum() -> Facts:
    """Leanings of many families that add up to more than 0.8 and prove nothing."""
    facts = router_with_dead_backend()
    facts.pair("neutral_pair", "neutral/1", NEUTRALS[0])
    return facts.control_line().tls(purpose="baseline", failure=None, vantage="control:Helsinki")


def outage_sum() -> Facts:
    """A refused connection, dead neighbours and a control that fails too."""
    facts = neighbours(TIMEOUT).control_line()
    facts.tls(purpose="baseline", failure=TIMEOUT, vantage="control:Helsinki")
    return facts.tcp("31.13.72.36", purpose="siblings", group="address/31.13.72.36", failure=TIMEOUT)


def broken_off_before_the_end() -> Facts:
    """Two whole flips; and Ctrl-C, before the own side was looked at again and what takes every connection was found."""
    facts = sni_block()
    last = next(o.number for o in facts.observations if o.group == "after")
    facts.observations = [
        o for o in facts.observations if o.number < last and not (o.member or "").startswith("transparent/")
    ]
    return facts


def line_probably_dead() -> Facts:
    """Nothing is known of the own side but that this host found no way."""
    return Facts().context().no_connection("network_unreachable")


WORDS: list[tuple[str, Callable[[], Facts], str]] = [
    ("blocked_needs_proof", leaning_sum, "blocked"),
    ("this_side", second_router, "blocked"),
    ("this_side", QUESTIONS["question_lost_inside"], "blocked"),
    ("maybe_a_proxy", broken_off_before_the_end, "blocked"),
    ("outage_needs_own_word", outage_sum, "outage"),
    ("others_need_proof", antivirus_on_a_healthy_line, "no_network"),
]


@pytest.mark.parametrize(("name", "story", "without"), WORDS, ids=[row[0] for row in WORDS])
def test_proof_gates_outrank_any_sum(
    name: str, story: Callable[[], Facts], without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum of leanings that passes every floor is still no word; it is a leaning."""
    verdict = story().verdict()
    assert (verdict.status, verdict.leaning) == ("inconclusive", without)
    assert name in verdict.gates
    monkeypatch.setitem(word_gates.WORD_GATES, name, replace(word_gates.WORD_GATES[name], stops=lambda _c, _d: False))
    monkeypatch.setitem(
        word_gates.WORD_GATES, "floor", replace(word_gates.WORD_GATES["floor"], stops=lambda _c, _d: False)
    )
    assert story().verdict().status == without


def test_blocked_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proof against a likelier explanation does not make ``blocked`` below 0.8."""
    sceptical = replace(Priors(), blocked=0.0005)
    verdict = sni_block().verdict(sceptical)
    assert (verdict.status, verdict.leaning) == ("inconclusive", "blocked")
    assert verdict.gates == ("blocked_floor",)
    monkeypatch.setitem(
        word_gates.WORD_GATES,
        "blocked_floor",
        replace(word_gates.WORD_GATES["blocked_floor"], stops=lambda _c, _d: False),
    )
    assert sni_block().verdict(sceptical).status == "blocked"


def test_the_floor_is_a_setting() -> None:
    """Whoever wants ``blocked`` at 0.99 only gets it at 0.99 only."""
    assert sni_block().verdict(replace(Priors(), print_blocked_at=0.995)).status == "inconclusive"


def test_other_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that expired while nothing else is known well enough is no ``outage`` below 0.7."""
    unsure = replace(Priors(), outage=0.0005)
    verdict = expired().verdict(unsure)
    assert (verdict.status, verdict.gates) == ("inconclusive", ("floor",))
    monkeypatch.setitem(
        word_gates.WORD_GATES, "floor", replace(word_gates.WORD_GATES["floor"], stops=lambda _c, _d: False)
    )
    assert expired().verdict(unsure).status == "outage"


def slept() -> Facts:
    """The lid was closed between the rounds: all timers fired at once."""
    facts = sni_block()
    facts.machine("before", 0, suspended_s=10.0)
    return facts.machine("after", 1, suspended_s=400.0)


def test_a_host_that_slept_has_no_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures of a run in which the host slept do not count."""
    verdict = slept().verdict()
    assert verdict.status == "inconclusive"
    assert "stay_awake" in verdict.settle
    gate = word_gates.WORD_GATES["host_slept"]
    monkeypatch.setitem(word_gates.WORD_GATES, "host_slept", replace(gate, stops=lambda _c, _d: False))
    assert slept().verdict().status == "blocked"


def test_a_host_that_slept_before_the_run_is_fine() -> None:
    """Sleep since boot is no sleep in the run."""
    facts = sni_block().machine("before", 0, suspended_s=400.0)
    assert facts.machine("after", 1, suspended_s=400.0).verdict().status == "blocked"


def bugged() -> Facts:
    """Our own program broke off the baseline of a site whose DNS was denied twice."""
    return denied_twice().bug()


def test_our_bug_is_no_word_about_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours in the baseline leaves ``inconclusive``, labelled as ours."""
    verdict = bugged().verdict()
    assert verdict.status == "inconclusive"
    assert "report_bug" in verdict.settle
    gate = word_gates.WORD_GATES["our_bug"]
    monkeypatch.setitem(word_gates.WORD_GATES, "our_bug", replace(gate, stops=lambda _c, _d: False))
    assert bugged().verdict().status == "blocked"


def test_a_bug_in_a_follow_up_takes_nothing_away() -> None:
    """What was proven without the broken experiment stays proven."""
    facts = denied_twice()
    assert facts.bug(purpose="siblings").verdict().status == "blocked"


def test_every_gate_is_tested_here() -> None:
    """A new gate needs a story in this file."""
    named = {row[0] for row in (*EVIDENCE, *LEFT_STANDING, *WORDS)} | {
        "blocked_floor",
        "floor",
        "host_moved",  # test_verdict_moved.py
        "host_slept",
        "our_bug",
    }
    assert named == set(gates.EVIDENCE_GATES) | set(word_gates.WORD_GATES)


def test_what_may_be_the_own_router_is_not_blamed_on_the_provider() -> None:
    """Where a busy computer asked the first router only once, the place reaches from here to the second: home is in it."""
    facts = blocked_and_followed(device=0)
    del facts.observations[-2:]
    verdict = facts.verdict()
    (found,) = (finding for finding in verdict.findings if finding.family == "place")
    assert (found.parameters["after"], found.parameters["before"]) == (0, 2)
    assert (verdict.status, found.code) == ("inconclusive", "greeting_stopped_at_home")
