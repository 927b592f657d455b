"""The own side: what each state needs, and what never makes one."""

from __future__ import annotations

import pytest

from tests.unit.facts import HOST, REFUSED, RESET, SITE, TIMEOUT, Facts, certificate
from tests.unit.verdict_scenarios_certificates import GATEWAY, _inspected_round
from tests.unit.verdict_scenarios_own_side import _dead_resolver_round, _portal_round

LITERALS = ("literal/1.1.1.1", "literal/8.8.8.8", "literal/9.9.9.9")
NAMES = ("foreign/www.python.org", "foreign/www.debian.org", "foreign/www.gnu.org")


def network(facts: Facts) -> str:
    """``ok``, a method, or ``inconclusive``."""
    verdict = facts.network()
    return verdict.method or verdict.status


def test_healthy() -> None:
    """Everything answers."""
    assert network(Facts().healthy()) == "ok"


def test_nothing_known_yet() -> None:
    """Before the first answer nothing is said."""
    assert network(Facts()) == "inconclusive"
    assert network(Facts().machine()) == "inconclusive"


def test_no_route_is_link_at_once() -> None:
    """Without a default route no packet needs to be waited for."""
    assert network(Facts().machine(default_route_v4=False)) == "link"


def test_only_the_newer_route_is_a_link() -> None:
    """A host with IPv6 alone has a link."""
    facts = Facts().machine(default_route_v4=False, default_route_v6=True)
    for name in NAMES:
        facts.canary(name)
    assert network(facts) == "ok"


def test_unreachable_everywhere_is_link() -> None:
    """Where the routing table cannot be read, its error is as good."""
    assert network(Facts().dead("network_unreachable", default_route_v4=None, default_route_v6=None)) == "link"


def test_silence_everywhere_is_upstream() -> None:
    """A route, and nobody answers."""
    assert network(Facts().dead()) == "upstream"


def _questions_only(*, pages: bool = False) -> Facts:
    """Names are resolved at home and abroad, and no connection to port 443 is made; plain test pages come, or not."""
    facts = Facts().machine().canary("system/92.46.1.1").canary("resolver/9.9.9.9")
    for member in (*LITERALS, *NAMES, "domestic/egov.kz", "domestic/kaspi.kz"):
        facts.canary(member, TIMEOUT)
    for which in ("connectivitycheck.gstatic.com/generate_204", "captive.apple.com/hotspot-detect.html"):
        if pages:
            facts.portal(which=which)
        else:
            facts.tcp("142.250.184.1", failure=TIMEOUT, port=80, **facts.own(f"portal/http://{which}", "before", 0))
    return facts


def test_questions_alone_make_no_line() -> None:
    """Where names are resolved and no connection is made by anybody, the line is dead: an empty balance looks like that."""
    assert network(_questions_only()) == "upstream"


def test_pages_of_port_80_are_a_line() -> None:
    """Where plain pages come it is not the line that is dead."""
    assert network(_questions_only(pages=True)) == "inconclusive"


def test_one_dead_family_is_no_dead_line() -> None:
    """A censor who blocks public resolvers' addresses does not kill the own side."""
    facts = Facts().machine().canary("system/92.46.1.1")
    for member in LITERALS:
        facts.canary(member, TIMEOUT)
    for name in NAMES:
        facts.canary(name)
    assert network(facts) == "ok"


def test_two_members_of_one_operator_are_one() -> None:
    """1.1.1.1 and 1.0.0.1 fail together when their operator does."""
    facts = Facts().machine()
    for member in ("literal/1.1.1.1", "literal/1.0.0.1"):
        facts.canary(member, TIMEOUT)
    facts.canary("foreign/cloudflare.com", "tcp").canary("foreign/www.cloudflare.com", "tcp")
    assert network(facts) == "inconclusive"


def test_canaries_pass_by_their_first_record() -> None:
    """A certificate that does not verify is an answer all the same."""
    facts = Facts().machine().canary("system/92.46.1.1")
    for name in NAMES:
        facts.canary(name, "ssl_invalid_certificate", verify_code=9)
    assert network(facts) == "ok"


def test_dead_resolver() -> None:
    """Addresses answer and names do not."""
    assert network(_dead_resolver_round(Facts())) == "resolver"


def test_resolver_that_fails_one_name_is_alive() -> None:
    """One canary's own zone in trouble is not ours."""
    facts = Facts().machine().canary("system/92.46.1.1", "dns_servfail_error").canary("literal/1.1.1.1")
    facts.canary("foreign/www.python.org", "dns").canary("foreign/www.debian.org")
    assert network(facts) == "ok"


def test_a_household_that_answers_from_memory_is_not_outside() -> None:
    """A router without a line goes on giving names; a provider's resolver that answers shows that the line is alive."""
    for resolver, word in (("192.168.1.1", "upstream"), ("92.46.1.1", "inconclusive")):
        facts = Facts().machine().canary(f"system/{resolver}")
        for member in (*LITERALS, "foreign/www.python.org", "foreign/www.debian.org"):
            facts.canary(member, TIMEOUT)
        assert network(facts) == word


def test_no_resolver_at_all() -> None:
    """A host without any resolver in its list."""
    facts = Facts().machine(nameservers=()).canary("literal/1.1.1.1")
    assert network(facts) == "resolver"


def test_captive_portal_needs_a_substituted_answer() -> None:
    """Silence of the test pages is no portal."""
    assert network(_portal_round(Facts())) == "captive_portal"
    silent = Facts().machine().canary("system/92.46.1.1")
    for member in LITERALS:
        silent.canary(member, TIMEOUT)
    silent.canary("portal/http://connectivitycheck.gstatic.com/generate_204", TIMEOUT)
    assert network(silent) != "captive_portal"


@pytest.mark.parametrize("status", [500, 502, 503, 404, 403, 429])
def test_a_test_page_in_trouble_is_no_portal(status: int) -> None:
    """An error of the page's own server is not a login page."""
    facts = Facts().machine().canary("system/92.46.1.1", TIMEOUT).portal(status)
    assert network(facts) != "captive_portal"


def test_a_redirect_of_its_own_is_no_portal() -> None:
    """The test page's operator may redirect to itself."""
    facts = Facts().machine().portal(301, location="http://www.gstatic.com/generate_204")
    assert network(facts) != "captive_portal"


def test_a_login_page_with_status_511() -> None:
    """RFC 6585 says it in so many words."""
    assert network(Facts().machine().portal(511)) == "captive_portal"


def test_genuine_certificates_disprove_a_portal() -> None:
    """Whoever shows a foreign site's own certificate is let through."""
    facts = _portal_round(Facts())
    facts.canary("foreign/www.gnu.org")
    assert network(facts) == "ok"


def test_wrong_clock_needs_more_than_a_day() -> None:
    """An hour off breaks no certificate."""
    right = Facts().machine().canary("system/92.46.1.1").canary(NAMES[0])
    assert network(right.canary("clock/time.google.com", offset_s=3600.0)) == "ok"
    wrong = Facts().machine().canary("system/92.46.1.1").canary(NAMES[0], "ssl_invalid_certificate", verify_code=9)
    assert network(wrong.canary("clock/time.google.com", offset_s=400 * 86_400.0)) == "clock"


def test_two_clocks_that_disagree_say_nothing() -> None:
    """One lying time server does not make ours wrong."""
    facts = Facts().healthy().canary("clock/time.cloudflare.com", offset_s=500 * 86_400.0)
    assert network(facts) == "ok"


def test_a_chain_that_verifies_disproves_a_year() -> None:
    """A time server that says a year, while today's certificates verify, is wrong itself."""
    facts = Facts().machine().canary("system/92.46.1.1").canary(NAMES[0])
    assert network(facts.canary("clock/time.google.com", offset_s=365 * 86_400.0)) == "ok"


def test_a_dead_time_server_is_no_clock() -> None:
    """Silence says nothing about the time."""
    facts = Facts().machine().canary(NAMES[0]).canary("clock/time.google.com", TIMEOUT, offset_s=None)
    assert network(facts) == "ok"


def test_international_cut() -> None:
    """The country answers, the world does not."""
    facts = Facts().machine().canary("system/92.46.1.1")
    for member in LITERALS:
        facts.canary(member, TIMEOUT)
    for name in NAMES:
        facts.canary(name, "tcp")
    assert network(facts.canary("domestic/egov.kz")) == "international"


def test_a_foreign_resolver_that_answers_disproves_a_cut() -> None:
    """Packets go abroad and come back."""
    facts = Facts().machine().canary("system/92.46.1.1").canary("resolver/9.9.9.9")
    for member in LITERALS:
        facts.canary(member, TIMEOUT)
    for name in NAMES:
        facts.canary(name, "tcp")
    assert network(facts.canary("domestic/egov.kz")) != "international"


def test_connections_without_greetings_abroad_are_no_health() -> None:
    """Every well-known name abroad is silent to greetings while addresses there take connections: a whitelist, say."""
    facts = Facts().machine().canary("system/92.46.1.1").canary("domestic/egov.kz")
    for member in LITERALS:
        facts.canary(member)
    for name in NAMES:
        facts.canary(name, TIMEOUT)
    assert network(facts) == "inconclusive"


def test_inspection_that_this_host_trusts_is_a_filter() -> None:
    """Two operators' canaries with one issuer that only this host knows."""
    assert network(_inspected_round(Facts(), trusted=True)) == "filter"


def test_inspection_that_nobody_trusts_is_no_filter() -> None:
    """It may be a state: not ours to excuse."""
    assert network(_inspected_round(Facts(), trusted=False)) == "ok"


def test_one_inspected_canary_is_no_filter() -> None:
    """One operator alone proves no gateway."""
    facts = Facts().machine().canary("system/92.46.1.1")
    facts.canary(
        NAMES[0],
        chain=(certificate("www.python.org", issuer=GATEWAY),),
        verified=True,
        shipped_store_verifies=False,
        system_store_verifies=True,
    )
    assert network(facts) == "ok"


def test_the_last_round_counts_and_unsteadiness_is_told() -> None:
    """A line that died in between is dead, and its having lived is said."""
    verdict = Facts().healthy().dead(group="after", round=1).network()
    assert verdict.method == "upstream"
    assert "own_side_unsteady" in verdict.impairments


def test_transparent_proxy_is_told() -> None:
    """Whoever takes a connection to nowhere takes them all."""
    verdict = Facts().healthy().canary("transparent/192.0.2.1").network()
    assert "transparent_proxy" in verdict.impairments


def test_broken_ipv6_is_told_and_excuses_only_itself() -> None:
    """A route for version 6 that leads nowhere."""
    facts = Facts().healthy(default_route_v6=True).canary("ipv6/www.python.org", TIMEOUT)
    assert "ipv6_broken" in facts.network().impairments
    facts.works().no_connection(address="2a03:2880:f10c::1", group="v6")
    assert facts.verdict().status == "accessible"


def test_a_round_is_held_against_its_own_time() -> None:
    """A line that was dead in another minute excuses nothing now."""
    facts = Facts().dead().healthy("after", 1).healthy("after", 2)
    facts.no_greeting(RESET)
    facts.healthy("after", 3)
    assert facts.verdict().status == "inconclusive"


def test_healthy_rounds_speak_against_the_own_side() -> None:
    """Both rounds around the failure must be healthy for that."""
    assert "own_side_healthy" in Facts().healthy().no_connection().healthy("after", 1).codes()
    assert "own_side_healthy" not in Facts().healthy().no_connection().dead(group="after", round=1).codes()


@pytest.mark.parametrize(
    ("excused", "story"),
    [
        (True, lambda f: f.no_name(TIMEOUT)),
        (False, lambda f: f.no_connection(REFUSED)),
        (False, lambda f: f.no_greeting()),
    ],
)
def test_dead_resolver_excuses_names_only(excused: bool, story: object) -> None:
    """Whoever got an address got past the resolver."""
    verdict = story(_dead_resolver_round(Facts())).verdict()  # type: ignore[operator]
    assert (verdict.status == "no_network") == excused


def test_wrong_clock_excuses_dates_only() -> None:
    """Silence is not explained by a wrong date."""
    facts = Facts().machine().canary("system/92.46.1.1").canary("literal/1.1.1.1")
    facts.canary(NAMES[0], "ssl_invalid_certificate", verify_code=9)
    facts.canary("clock/time.google.com", offset_s=365 * 86_400.0)
    assert facts.no_greeting().verdict().status == "inconclusive"


def test_a_cut_off_baseline_on_a_dead_line_is_the_lines() -> None:
    """The runner ends what the own side explains; the verdict still says which."""
    facts = Facts().dead("network_unreachable", default_route_v4=False)
    assert facts.dns(failure="interrupted", rcode=None).verdict().method == "link"
    assert Facts().dead("network_unreachable", default_route_v4=False).verdict().method == "link"


def test_a_page_over_a_verified_chain_is_stronger_than_any_own_side() -> None:
    """What came through came through."""
    assert Facts().dead().works().verdict().status == "accessible"


def test_a_broken_line_leaves_what_was_proven() -> None:
    """A national certificate is no accident of the line."""
    chain = (certificate(HOST, issuer="C=KZ, O=ISCA, CN=Information Security Certification Authority"),)
    facts = Facts().dead().dns(SITE).tcp().tls(failure="ssl_unknown_authority", chain=chain, verify_code=20)
    assert facts.verdict().status == "blocked"
