"""The judge on any facts at all: total, order-free, one vocabulary, and never the worse for a success."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.observations import (
    Answer,
    BugFact,
    Certificate,
    ClockFact,
    ContextFact,
    DnsFact,
    HostFact,
    HttpFact,
    KernelCounters,
    Observation,
    Operation,
    PathFact,
    QuicFact,
    TcpFact,
    TlsFact,
)
from probe.observations.failures import FAILURES
from probe.settings import Priors
from probe.verdict import evidence, explain, gates, sentences
from probe.verdict.judge import judge, posterior, strongest, weigh
from probe.verdict.model import DEFINITE, METHODS, STATUSES, Finding
from probe.verdict.network import judge_network
from probe.verdict.rollup import platform_word, service_word
from probe.verdict.view import View
from targets.model import Asked, Endpoint

HOST = "www.facebook.com"
NAMES = (HOST, "www.wikipedia1.org", "meduza.io", "facebook.com")
ADDRESSES = (
    "157.240.205.35",
    "31.13.72.36",
    "10.10.34.35",
    "127.0.0.1",
    "198.18.0.4",
    "151.101.0.223",
    "208.80.154.224",
    "2a03:2880::1",
    "64:ff9b::a0a:2223",
    "92.46.1.1",
    "192.168.1.1",
    "8.8.8.8",
    "94.140.14.14",
    "not an address",
)
ISSUERS = ("CN=Good Root", "C=KZ, O=ISCA, CN=Information Security Certification Authority", "CN=Gateway")

failures = st.sampled_from([None, None, None, *sorted(FAILURES), "unknown_failure: odd"])
names = st.sampled_from(NAMES)
addresses = st.sampled_from(ADDRESSES)
small = st.integers(min_value=0, max_value=3)
maybe = st.none() | st.booleans()

certificates = st.builds(
    Certificate,
    sha256=st.just("ab" * 32),
    subject=st.sampled_from(ISSUERS),
    issuer=st.sampled_from(ISSUERS),
    not_before_us=st.just(0),
    not_after_us=st.integers(0, 2**60),
    names=st.lists(names, max_size=2).map(tuple),
    self_issued=st.booleans(),
)
kernels = st.none() | st.builds(
    KernelCounters, min_rtt_us=st.none() | st.integers(1, 500_000), sacked=small, rcv_ooopack=small
)
dns_facts = st.builds(
    DnsFact,
    transport=st.sampled_from(["udp", "tcp", "dot", "doh", "getaddrinfo"]),
    role=st.sampled_from(["system", "foreign", "no_resolver", "zone"]),
    qname=names,
    qtype=st.sampled_from(["A", "AAAA"]),
    resolver_is_private=maybe,
    rcode=st.none() | st.integers(0, 6),
    answers=st.lists(st.builds(Answer, name=names, rtype=st.just("A"), value=addresses, ttl=small), max_size=2).map(
        tuple
    ),
    extended_errors=st.lists(st.integers(0, 24), max_size=2).map(tuple),
    reply_index=st.integers(0, 1),
)
tls_facts = st.builds(
    TlsFact,
    sni=st.none() | names,
    verify=st.booleans(),
    verified=maybe,
    verify_code=st.none() | st.sampled_from([9, 10, 18, 20, 62]),
    shipped_store_verifies=maybe,
    system_store_verifies=maybe,
    chain=st.lists(certificates, max_size=2).map(tuple),
    hello_acked=maybe,
    server_hello=st.booleans(),
    alert=st.none() | st.just(112),
    kernel=kernels,
    min_ttl=st.none() | st.just(57),
    ignored=st.none() | st.integers(0, 2),
)
http_facts = st.builds(
    HttpFact,
    method=st.just("GET"),
    url=names.map(lambda n: f"http://{n}/") | names.map(lambda n: f"https://{n}/generate_204"),
    verified_chain=st.booleans(),
    status=st.none() | st.sampled_from([200, 204, 302, 403, 404, 429, 451, 500, 503, 511]),
    location=st.none() | st.sampled_from(["http://blockpage.isp.example/", "/x", "http://[bad", ""]),
    title=st.none() | st.sampled_from(["Access denied", "Just a moment..."]),
    body=st.none() | st.sampled_from(["", "Доступ ограничен по решению суда, доступ закрыт", "error code: 1009"]),
    date_offset_s=st.none() | st.sampled_from([0.0, 4e7, -4e7]),
)
other_facts = (
    st.builds(TcpFact, icmp_type=st.none() | st.just(3), icmp_code=st.none() | st.integers(0, 15))
    | st.builds(
        HostFact,
        default_route_v4=maybe,
        default_route_v6=maybe,
        suspended_s=st.none() | st.floats(0, 1e6),
        hosts_file_addresses=st.lists(addresses, max_size=1).map(tuple),
    )
    | st.builds(ClockFact, source=st.just("ntp"), offset_s=st.none() | st.floats(-1e9, 1e9))
    | st.builds(BugFact, experiment=st.just("website"), error=st.just("e"), traceback=st.just(""))
)
cames = st.sampled_from(["icmp", "reset", "fin", "answer", "nothing"])
path_facts = st.builds(
    PathFact,
    sent=st.sampled_from(["syn", "hello"]),
    ttl=st.integers(1, 6),
    source_port=st.integers(1, 4),
    came=st.none() | cames,
    hop=st.none() | addresses,
    hop_is=st.sampled_from([None, "gateway", "private", "shared", "public"]),
    acked=maybe,
    again=st.none() | cames,
    later=st.none() | cames,
    later_acked=maybe,
)
quic_facts = st.builds(
    QuicFact,
    exchange=st.sampled_from(["handshake", "ping"]),
    sni=st.none() | names,
    versions=st.sampled_from([(), ("00000001",)]),
    retry=maybe,
    completed=maybe,
    icmp_type=st.none() | st.just(3),
)
facts = dns_facts | tls_facts | http_facts | other_facts | path_facts | quic_facts

GROUPS = {
    "baseline": ("v4", "v6"),
    "cheap": ("v4", "v6"),
    "retry": ("retry/1", "retry/2", "min_ttl/1", "min_ttl/2"),
    "dns_answers": (
        "foreign", "tcp", "dot", "doh", "no_resolver", "random_label", "cd", "sinkhole", "never_asked", "filter", "other",
        *(f"address/{a}" for a in ADDRESSES),
    ),
    "neutral_pair": ("neutral/1", "neutral/2", "gateway"),
    "neutral_chain": ("neutral/1", "neutral/2"),
    "own_pair": ("own/157.240.205.35",),
    "path_mtu": ("normal", "small", "small+mss"),
    "siblings": ("address/31.13.72.36", "port/80"),
    "neighbours": ("neighbour/meduza.io",),
    "locate": ("name/151.101.0.223", "connection/157.240.205.35"),
    "behind": ("distance", "heard", "min_ttl/farther", "min_ttl/nearer"),
    "packets": ("own/157.240.205.35",),
    "residual": ("reference", "trigger", "same/0", "same/30", "port/0", "address/0"),
    "split": ("whole", "segments", "records", "both"),
    "throttling": ("neutral/1.0", "neutral/2.0", "own/157.240.205.35", "control:Helsinki"),
    "late": (None,),
    "own_side": ("before", "after"),
    "context": (None,),
}  # fmt: skip
MEMBERS = (
    None, "host", "system/92.46.1.1", "literal/1.1.1.1", "literal/8.8.8.8", "foreign/www.python.org",
    "foreign/www.debian.org", "domestic/egov.kz", "portal/http://x.example/generate_204", "resolver/8.8.8.8",
    "clock/time.google.com", "transparent/192.0.2.1", "ipv6/www.python.org", "filter/doubleclick.net", "odd", "/",
)  # fmt: skip


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """A run's observations, numbered from 1: any facts anywhere."""
    found = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        purpose = draw(st.sampled_from(sorted(GROUPS)))
        operation = Operation(
            fact=draw(facts),
            started_us=draw(st.integers(0, 2**50)),
            duration_us=draw(st.none() | st.integers(0, 20_000_000)),
            failure=draw(failures),
            name=draw(st.none() | names),
            address=draw(st.none() | addresses),
            port=draw(st.none() | st.sampled_from([53, 80, 443])),
        )
        found.append(
            Observation(
                number=number,
                operation=operation,
                purpose=purpose,  # type: ignore[arg-type]
                endpoint=None if purpose in ("own_side", "context") else draw(st.sampled_from([1, 1, 1, 2])),
                vantage=draw(st.sampled_from(["local", "local", "local", "control:x"])),
                arm=draw(st.sampled_from([None, "target", "innocuous"])),
                group=draw(st.sampled_from(GROUPS[purpose])),
                round=draw(st.none() | small),
                hop=draw(st.integers(0, 1)),
                member=draw(st.sampled_from(MEMBERS)) if purpose == "own_side" else None,
            )
        )
    return found


URLS = st.sampled_from([f"https://{HOST}/", f"http://{HOST}/", "tcp://157.240.205.35:443"])
relaxed = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def view_of(found: list[Observation], url: str, horizon: int | None = None) -> tuple[View, Asked]:
    """A view with the endpoint under judgement and one more."""
    asked = Asked(number=1, endpoint=Endpoint(url), target=url)
    return View(found, (asked, Asked(number=2, endpoint=Endpoint("https://meduza.io/"), target="m")), horizon), asked


@relaxed
@given(found=observations(), url=URLS)
def test_total_and_in_the_vocabulary(found: list[Observation], url: str) -> None:
    """Never raises; status and method are words of METHODS; no confidence if and only if inconclusive."""
    view, asked = view_of(found, url)
    verdict = judge(view, asked, Priors())
    assert verdict.status in STATUSES
    assert verdict.method is None or verdict.method in METHODS[verdict.status]
    assert verdict.signature is None or verdict.signature in explain.SIGNATURES
    assert (verdict.confidence is None) == (verdict.status == "inconclusive")
    assert verdict.confidence is None or 0.7 <= verdict.confidence < 1
    assert bool(verdict.settle) == (verdict.status == "inconclusive")
    assert (verdict.basis is None) == (verdict.status == "inconclusive")
    for finding in (*verdict.findings, *verdict.against):
        assert sentences.render(finding)
        assert set(finding.observations) <= {o.number for o in found}
    for code in verdict.impairments:
        assert sentences.impairment(code)
    for code in verdict.also:
        assert sentences.also(code)
    for code in verdict.settle:
        assert sentences.settle(code)


@relaxed
@given(found=observations(), url=URLS)
def test_definite_words_need_proof(found: list[Observation], url: str) -> None:
    """No definite word without a finding that proves it, and ``blocked`` only from 0.8."""
    view, asked = view_of(found, url)
    verdict = judge(view, asked, Priors())
    if verdict.status == "inconclusive":
        return
    assert any(evidence.TABLE[f.code].proves and f.speaks_for == verdict.status for f in verdict.findings)
    if verdict.status == "blocked":
        assert (verdict.confidence or 0) >= 0.8
        assert verdict.basis in ("artefact", "contrast")
        assert verdict.method is not None
        assert verdict.where is not None


@relaxed
@given(found=observations(), url=URLS, order=st.randoms(use_true_random=False))
def test_order_of_facts_does_not_matter(found: list[Observation], url: str, order: Any) -> None:
    """Numbers order the facts, not the list that holds them."""
    shuffled = list(found)
    order.shuffle(shuffled)
    first, asked = view_of(found, url)
    second, _ = view_of(shuffled, url)
    assert judge(first, asked, Priors()) == judge(second, asked, Priors())
    assert judge_network(first) == judge_network(second)


@relaxed
@given(found=observations(), url=URLS, horizon=st.integers(0, 30))
def test_horizon_is_the_facts_up_to_there(found: list[Observation], url: str, horizon: int) -> None:
    """Judging again up to a horizon gives what was said then."""
    cut, asked = view_of(found, url, horizon)
    short, _ = view_of([o for o in found if o.number <= horizon], url, horizon)
    assert judge(cut, asked, Priors()) == judge(short, asked, Priors())


@relaxed
@given(found=observations(), kind=st.sampled_from(["retry", "neutral/1", "neutral/2"]))
def test_a_success_never_makes_blocked_likelier(found: list[Observation], kind: str) -> None:
    """A later answer to the target's name, by the user's way or at a neutral, is no evidence for a block."""
    view, asked = view_of(found, f"https://{HOST}/")
    before = weigh(view.case(asked), Priors()).posterior["blocked"]
    name = view.case(asked).name
    place: dict[str, Any] = {"purpose": "retry", "group": "retry/9"}
    if kind != "retry":
        place = {"purpose": "neutral_pair", "group": kind, "arm": "target"}
    fact = TlsFact(sni=name, verify=kind == "retry", verified=True if kind == "retry" else None, server_hello=True)
    address = "157.240.205.35" if kind == "retry" else "151.101.0.223"
    success = Observation(
        number=len(found) + 1,
        operation=Operation(fact=fact, started_us=2**51, name=name, address=address, port=443),
        endpoint=1,
        **place,
    )
    after_view, _ = view_of([*found, success], f"https://{HOST}/")
    after = weigh(after_view.case(asked), Priors()).posterior["blocked"]
    assert after <= before + 1e-12


@relaxed
@given(found=observations())
def test_network_is_total(found: list[Observation]) -> None:
    """The own side is judged from any facts, at any moment, in its own words."""
    view, _ = view_of(found, f"https://{HOST}/")
    verdict = judge_network(view)
    assert (verdict.status == "no_network") == (verdict.method is not None)
    assert verdict.method is None or verdict.method in METHODS["no_network"]
    for code in verdict.impairments:
        assert sentences.impairment(code)
    for finding in verdict.findings:
        assert sentences.render(finding)


@relaxed
@given(found=observations(), url=URLS)
def test_every_kept_finding_obeys_its_row(found: list[Observation], url: str) -> None:
    """Weights are the row's or 0 with the gate's name; signatures are the row's; one finding a code."""
    view, asked = view_of(found, url)
    weighed = weigh(view.case(asked), Priors())
    assert len({f.code for f in weighed.findings}) == len(weighed.findings)
    for f in weighed.findings:
        row = evidence.TABLE[f.code]
        assert f.weight == row.weight or (f.weight == 0 and f.parameters["set_aside_by"] in gates.EVIDENCE_GATES)
        assert f.signature is None or f.signature in row.signatures
        assert f.method is None or f.method in METHODS[row.speaks_for]


some_findings = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from([f"c{n}" for n in range(8)]),
        speaks_for=st.sampled_from(DEFINITE),
        weight=st.floats(-2, 2),
        family=st.sampled_from(["a", "b", "c"]),
        basis=st.just("behaviour"),
    ),
    max_size=8,
)


@relaxed
@given(found=some_findings)
def test_one_finding_a_family_counts(found: list[Finding]) -> None:
    """Dependent facts count once, and saying the same thing again changes nothing."""
    counted = strongest(found)
    assert len({f.family for f in counted}) == len(counted)
    again = strongest([*found, *(dataclasses.replace(f) for f in found)])
    assert posterior(counted, Priors()) == pytest.approx(posterior(again, Priors()))


@relaxed
@given(found=some_findings)
def test_posterior_is_a_distribution(found: list[Finding]) -> None:
    """Probabilities of the definite words add up to one."""
    told = posterior(strongest(found), Priors())
    assert sum(told.values()) == pytest.approx(1)
    assert set(told) == set(DEFINITE)


words = st.lists(st.sampled_from(STATUSES), min_size=1, max_size=8)


@given(found=words, rule=st.sampled_from(["any-of", "all-of", "each"]))
def test_roll_up_is_order_free_and_invents_nothing(found: list[Any], rule: str) -> None:
    """A service's word does not depend on order; a definite word is one of its members' words."""
    word = service_word(rule, found)
    assert word == service_word(rule, found[::-1])
    assert word in {*found, "inconclusive"}


@given(found=words)
def test_one_way_in_is_enough(found: list[Any]) -> None:
    """any-of is accessible if and only if a member is."""
    assert (service_word("any-of", found) == "accessible") == ("accessible" in found)


@given(found=words)
def test_blocked_needs_a_blocked_member(found: list[Any]) -> None:
    """No rule makes ``blocked`` of members that are not, and all-of and each never lose one that is."""
    for rule in ("any-of", "all-of", "each"):
        if service_word(rule, found) == "blocked":
            assert "blocked" in found
    if "blocked" in found:
        assert service_word("all-of", found) == service_word("each", found) == "blocked"


@given(found=words)
def test_accessible_platforms_have_only_accessible_services(found: list[Any]) -> None:
    """A platform without a main service is accessible only where every service is."""
    told = platform_word({str(number): word for number, word in enumerate(found)})
    assert (told == "accessible") == (set(found) == {"accessible"})


@st.composite
def claims(draw: st.DrawFn) -> list[tuple[Operation, str, str | None]]:
    """What a control may say of the name in question: anything."""
    found = []
    for _ in range(draw(st.integers(0, 8))):
        purpose = draw(st.sampled_from(["baseline", "siblings", "dns_answers"]))
        operation = Operation(
            fact=draw(dns_facts | tls_facts | http_facts | st.just(TcpFact())),
            started_us=draw(st.integers(0, 2**50)),
            failure=draw(st.none() | failures),
            name=draw(st.just(HOST) | names),
            address=draw(st.none() | addresses),
            port=draw(st.sampled_from([80, 443])),
        )
        found.append((operation, purpose, None))
    greeting = TlsFact(sni="example.com", verify=True, verified=True, server_hello=True)
    line = [f"foreign/{name}" for name in ("www.wikipedia.org", "www.debian.org")]
    return [*found, *((Operation(fact=greeting, started_us=0, name=member), "own_side", member) for member in line)]


def heard_with(found: list[Observation], told: list[Any], country: str | None) -> list[Observation]:
    """What was seen here, and after it a control's claims; with *country* those of two rounds, in another one than here."""
    here = [o for o in found if o.vantage == "local"]
    number = max((o.number for o in found), default=0)
    for turn in (0, 1) if country else (0,):
        asked = Operation(
            fact=HttpFact(method="POST", url="/v1/measure", verified_chain=True, status=200), started_us=0
        )
        number += 1
        group = f"country/{country}" if country else None
        here.append(
            Observation(number=number, operation=asked, purpose="control", endpoint=1, member="control:x", group=group)
        )
        for operation, purpose, member in told:
            number += 1
            here.append(
                Observation(
                    number=number,
                    operation=operation,
                    purpose=purpose,
                    endpoint=1,
                    vantage="control:x",
                    member=member,
                    round=turn,
                )
            )
    return here


@relaxed
@given(found=observations(), url=URLS, told=claims())
def test_no_control_changes_a_word(found: list[Observation], url: str, told: list[Any]) -> None:
    """Whatever a control claims whose country is not known, any word is printed exactly when it is without it."""
    alone, asked = view_of(heard_with(found, [], None), url)
    together, _ = view_of(heard_with(found, told, None), url)
    said, heard = judge(alone, asked, Priors()), judge(together, asked, Priors())
    assert (heard.status, heard.method, heard.confidence) == (said.status, said.method, said.confidence)


@relaxed
@given(found=observations(), url=URLS, told=claims(), home=st.sampled_from(["KZ", "DE", None]))
def test_a_control_abroad_says_outage_or_nothing(
    found: list[Observation], url: str, told: list[Any], home: str | None
) -> None:
    """Whatever it claims: ``blocked`` and every other word stay as they are, and where there was none there may be one."""
    context = Observation(
        number=max((o.number for o in found), default=0) + 1000,
        operation=Operation(fact=ContextFact(software="0", catalogue="1", trust="t", country=home), started_us=0),
        purpose="context",
    )
    rest = [o for o in found if not isinstance(o.fact, ContextFact)]
    alone, asked = view_of([*heard_with(rest, [], "DE"), context], url)
    together, _ = view_of([*heard_with(rest, told, "DE"), context], url)
    said, heard = judge(alone, asked, Priors()), judge(together, asked, Priors())
    # A contrast at the site's own address that is the same in another country is the site's.
    passes = "same_in_two_countries" in heard.gates
    before = ("inconclusive", "blocked") if passes else ("inconclusive",)
    if said.status not in before or heard.status != "outage" or home != "KZ":
        assert (heard.status, heard.method, heard.confidence) == (said.status, said.method, said.confidence)
