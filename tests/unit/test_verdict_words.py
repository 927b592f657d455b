"""What is printed: the word of every story, the leaning of every undecided one, and what else is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.observations import HttpFact
from probe.verdict import sentences
from probe.verdict.ruleset import RULESET
from tests.unit import verdict_scenarios_apps as apps
from tests.unit import verdict_scenarios_calls as calls
from tests.unit.facts import HOME, HOST, OTHER_SITE, REFUSED, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios import CODES, WORDS
from tests.unit.verdict_scenarios_addresses import control, neighbours, refused_address
from tests.unit.verdict_scenarios_begin import healthy_site
from tests.unit.verdict_scenarios_certificates import garbled, gateway_everywhere, national_ca
from tests.unit.verdict_scenarios_handshakes import (
    dead_server,
    half_blocked,
    reset_beside,
    router_with_dead_backend,
    sni_block,
    sni_block_once,
)
from tests.unit.verdict_scenarios_names import denied_once, tunnel_address
from tests.unit.verdict_scenarios_own_side import flaky, one_address_dead, works


@pytest.mark.parametrize(("story", "word"), WORDS.values(), ids=WORDS.keys())
def test_story_gets_its_word(story: object, word: str) -> None:
    """Status, method and signature of every story."""
    assert story().word() == word  # type: ignore[operator]


@pytest.mark.parametrize(("story", "word"), WORDS.values(), ids=WORDS.keys())
def test_story_is_told_whole(story: object, word: str) -> None:
    """Confidence exists unless inconclusive; what would settle it only then; all codes have sentences."""
    verdict = story().verdict()  # type: ignore[operator]
    undecided = verdict.status == "inconclusive"
    assert (verdict.confidence is None) == undecided
    assert bool(verdict.settle) == undecided
    assert verdict.ruleset == RULESET
    assert (verdict.where is not None) == (verdict.status not in ("inconclusive", "accessible"))
    for code in verdict.settle:
        sentences.settle(code)
    for code in verdict.impairments:
        sentences.impairment(code)
    for code in verdict.gates:
        sentences.gate(code)


def test_blocked_is_never_printed_below_its_floor() -> None:
    """``blocked`` is a word for 0.8 and more."""
    told = [story().verdict() for story, word in WORDS.values() if word.startswith("blocked")]
    assert min(v.confidence or 0 for v in told) >= 0.8


LEANINGS: list[tuple[str, Callable[[], Facts], str | None]] = [
    ("a refusing address", refused_address, "outage"),
    ("neighbours alive", lambda: neighbours(None), "blocked"),
    ("neighbours dead", lambda: neighbours(TIMEOUT), "outage"),
    ("a control that reaches it", lambda: control(None), "blocked"),
    ("a control that fails too", lambda: control(TIMEOUT), "outage"),
    ("prohibited on the way", CODES["tcp_prohibited"], "blocked"),
    ("no route", CODES["tcp_no_route"], "outage"),
    ("this host's own routing table", lambda: Facts().no_connection("host_unreachable"), "no_network"),
    ("one neutral", sni_block_once, "blocked"),
    ("a dead backend", router_with_dead_backend, "blocked"),
    ("a dead server", dead_server, "outage"),
    ("lost big packets", CODES["path_mtu"], "outage"),
    ("denied once", denied_once, "blocked"),
    ("a tunnel's address", tunnel_address, "no_network"),
    ("a reset from beside", reset_beside, "no_network"),
    ("a gateway that is not trusted", lambda: gateway_everywhere(trusted=False), "no_network"),
    ("antivirus with exceptions", CODES["intercepted_here_only"], "no_network"),
    ("an unknown issuer", CODES["unknown_issuer"], "blocked"),
    ("a plain refusal", CODES["refusal_unverified"], "denied"),
    ("a plain server error", CODES["server_error_unverified"], "outage"),
    ("a page that talks of blocking", CODES["block_page_likely"], "blocked"),
    ("a redirect that may be a notice", CODES["redirect_likely"], "blocked"),
    ("a bogon without a witness", CODES["dns_bogon_unconfirmed"], "blocked"),
    ("a wrong address", CODES["dns_wrong_address"], "blocked"),
    ("a household box that says so", CODES["filter_says_blocked"], "no_network"),
    ("a link of the chain is missing", CODES["intermediate_missing"], "outage"),
    ("an answer nobody can read", CODES["answer_is_garbled"], "outage"),
    ("an answer nobody can read, over plain HTTP", lambda: garbled(f"http://{HOST}/"), "outage"),
    ("expired, clock unknown", CODES["certificate_expired_or_clock"], "outage"),
    *apps.LEANINGS,
    *calls.LEANINGS,
]


@pytest.mark.parametrize(("story", "leaning"), [row[1:] for row in LEANINGS], ids=[row[0] for row in LEANINGS])
def test_undecided_stories_lean(story: Callable[[], Facts], leaning: str | None) -> None:
    """What is not proven is inconclusive, and says what it looks like."""
    verdict = story().verdict()
    assert (verdict.status, verdict.leaning) == ("inconclusive", leaning)


def test_blocked_and_down() -> None:
    """Interference proven at neutrals wins over a dead server, and both are said."""
    facts = sni_block().own_pair(innocuous=TIMEOUT, rounds=2)
    verdict = facts.verdict()
    assert (verdict.status, verdict.also) == ("blocked", ("also_down",))
    assert sni_block().verdict().also == ()


@pytest.mark.parametrize(
    ("story", "impairments"),
    [
        (works, ()),
        (flaky, ("flaky",)),
        (half_blocked, ("flaky", "uneven")),
        (lambda: half_blocked(rounds=2), ("flaky",)),
        (lambda: half_blocked(innocuous=TIMEOUT), ("flaky",)),
        (one_address_dead, ("address_dead",)),
        (lambda: works().no_connection(address="2a03:2880::1", group="v6"), ("ipv6_broken",)),
        (lambda: works().no_name("dns_no_answer", group="v6", qtype="AAAA"), ()),
        (lambda: healthy_site().no_connection().works(address="2a03:2880::1", group="v6"), ("ipv4_broken",)),
        (lambda: healthy_site().dns("127.0.0.1").works(), ("resolver_lies",)),
        (lambda: national_ca().works(address="2a03:2880::1", group="v6"), ("ipv4_broken", "interference_seen")),
        (lambda: healthy_site().dns(SITE, server="8.8.8.8").tcp().tls().http(), ("provider_dns_untested",)),
        (lambda: healthy_site().dns(SITE).tcp().tls(duration_us=6_000_000).http(), ("slow",)),
        (lambda: healthy_site().dns(SITE, duration_us=4_000_000).tcp().tls().http(), ("slow",)),
    ],
)
def test_impairments(story: Callable[[], Facts], impairments: tuple[str, ...]) -> None:
    """What is broken without keeping the user out is said beside ``accessible``."""
    verdict = story().verdict()
    assert (verdict.status, verdict.impairments) == ("accessible", impairments)


def test_hurried_runs_are_slow_sooner() -> None:
    """A run with deadlines divided by five calls a fifth of the time slow."""
    facts = Facts().context(deadline_scale=0.2).healthy().dns(SITE).tcp().tls(duration_us=1_500_000).http()
    assert facts.verdict().impairments == ("slow",)


def test_redirect_hops_are_judged() -> None:
    """A block on the second hop is a block, and the name in question is that hop's."""
    facts = healthy_site("http://facebook.com/").dns(SITE).tcp(port=80).http(301, location="https://www.facebook.com/")
    facts.dns(OTHER_SITE, name="www.facebook.com", hop=1).tcp(OTHER_SITE, name="www.facebook.com", hop=1)
    facts.tls(OTHER_SITE, sni="www.facebook.com", failure=TIMEOUT, hop=1)
    verdict = facts.verdict()
    assert verdict.signature == "tls.timeout.any"
    (failed,) = [f for f in verdict.findings if f.code == "tls_failed"]
    assert failed.parameters["host"] == "www.facebook.com"


def test_a_refusing_address_of_a_bare_endpoint() -> None:
    """tcp:// endpoints have connections and nothing else."""
    facts = Facts("tcp://149.154.167.51:443").context().healthy().tcp("149.154.167.51", failure=REFUSED)
    assert facts.word() == "inconclusive/ip.reset"


def test_confidence_is_what_the_weights_make() -> None:
    """The arithmetic, once by hand: 0.02·10^2.3 against the rest."""
    rest = 0.9 * 10**-2.4 + 0.01 + 0.03 + 0.04 * 10**-1.9
    blocked = 0.02 * 10**2.3
    assert sni_block().verdict().confidence == round(blocked / (blocked + rest), 3)


def test_settle_says_the_useful_thing_first() -> None:
    """A flip at one neutral asks for a second; silence of an address for another vantage."""
    assert sni_block_once().verdict().settle == ("more_neutrals", "another_vantage")
    assert CODES["tcp_timeout"]().verdict().settle == ("later", "another_vantage")
    assert denied_once().verdict().settle == ("other_dns", "another_vantage")
    assert Facts().verdict().settle == ("measure_again", "know_own_side", "another_vantage")


def test_a_retry_behind_a_redirect_counts() -> None:
    """An http:// address that leads to https is retried there, and a verified greeting is a success."""
    facts = (
        healthy_site("http://www.facebook.com/").dns(SITE).tcp(port=80).http(301, location="https://www.facebook.com/")
    )
    facts.dns(SITE, hop=1).tcp(hop=1).tls(failure=TIMEOUT, hop=1)
    assert facts.retry_tls(None, 1).verdict().status == "accessible"


def test_a_server_without_the_short_request_is_not_in_trouble() -> None:
    """Status 501 to a HEAD says that HEAD is not known there."""
    facts = healthy_site().dns(SITE).tcp().tls()
    page = HttpFact(method="HEAD", url=f"https://{HOST}/", verified_chain=True, status=501)
    facts.add(page, purpose="baseline", name=HOST, address=SITE, port=443, group="v4")
    assert facts.verdict().status == "accessible"


def test_two_replies_prove_it_whoever_was_asked() -> None:
    """Two replies to one question, one of them false, are an injection also where the home router was asked."""
    facts = healthy_site().dns("10.10.34.35", server=HOME).tcp("10.10.34.35", failure=TIMEOUT).foreign(SITE).tried(SITE)
    facts.dns(SITE, purpose="late", group=None, reply_index=1, server=HOME)
    assert facts.word() == "blocked/dns/dns.injection.bogon"
