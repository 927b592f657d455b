"""What holds of a platform's word, whatever its services and their members are."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.report.platforms import sentence
from probe.verdict.model import STATUSES, EndpointResult, PlatformVerdict, Status, Verdict
from probe.verdict.rollup import roll_up
from targets.model import Endpoint, Platform, Rule, Service

relaxed = settings(max_examples=200, deadline=None)
RULES: tuple[Rule, ...] = ("any-of", "all-of", "each")
METHODS = {
    "blocked": ("tls", "ip", "dns"),
    "denied": ("geo", "legal"),
    "outage": ("server", "dns"),
    "no_network": ("link",),
}

plans = st.lists(
    st.tuples(st.sampled_from(RULES), st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6)),
    min_size=1,
    max_size=4,
)
"""Each service: its rule, and its members' words. The first one is the main one, if there is any."""


def platform(plan: list[tuple[Rule, list[Status]]], *, main: bool) -> Platform:
    """The catalogue's word on a plan, with room for one member more."""
    services = tuple(
        Service(
            name=f"s{n}",
            rule=rule,
            endpoints=tuple(Endpoint(f"https://{n}-{m}.example/") for m in range(len(words) + 1)),
            main=main and n == 0,
        )
        for n, (rule, words) in enumerate(plan)
    )
    return Platform(id="p", names={"en": "P"}, category="COMT", services=services)


def results(plan: list[tuple[Rule, list[Status]]]) -> list[EndpointResult]:
    """What was measured, numbered from 0."""
    found = [(n, rule, m, word) for n, (rule, words) in enumerate(plan) for m, word in enumerate(words)]
    return [
        EndpointResult(
            number=number,
            target="p",
            url=f"https://{n}-{m}.example/",
            platform="p",
            service=f"s{n}",
            rule=rule,
            profile="light",
            verdict=Verdict(
                endpoint=number,
                status=word,
                method=METHODS[word][number % len(METHODS[word])] if word in METHODS else None,
                confidence=None if word == "inconclusive" else 0.8 + number / 100,
            ),
            observations=(),
            started_us=0,
            duration_us=0,
            bytes_sent=0,
            bytes_received=0,
        )
        for number, (n, rule, m, word) in enumerate(found)
    ]


def told(plan: list[tuple[Rule, list[Status]]], *, main: bool) -> PlatformVerdict:
    """The platform's verdict."""
    (verdict,) = roll_up(results(plan), [platform(plan, main=main)])
    return verdict


def word_of(verdict: PlatformVerdict, service: str) -> Status:
    """A service's word."""
    return next(s.status for s in verdict.services if s.service == service)


@relaxed
@given(plan=plans)
def test_the_main_service_carries_the_platform(plan: list[tuple[Rule, list[Status]]]) -> None:
    """Never blocked when the main service works, and never accessible when it does not."""
    verdict = told(plan, main=True)
    assert (verdict.status == "accessible") == (word_of(verdict, "s0") == "accessible")
    if word_of(verdict, "s0") == "blocked":
        assert verdict.status == "blocked"


@relaxed
@given(plan=plans, main=st.booleans())
def test_blocked_is_proven_of_a_member(plan: list[tuple[Rule, list[Status]]], main: bool) -> None:
    """A platform is blocked only by a member that is, in a service that is; and it says which."""
    verdict = told(plan, main=main)
    found = results(plan)
    if verdict.status == "blocked":
        assert "blocked" in {s.status for s in verdict.services}
        assert {found[number].verdict.status for number in verdict.deciding} == {"blocked"}
        assert verdict.method in METHODS["blocked"]
    assert {found[number].verdict.status for number in verdict.deciding} <= {verdict.status}


@relaxed
@given(plan=plans, main=st.booleans(), data=st.data())
def test_one_more_blocked_endpoint_opens_nothing(
    plan: list[tuple[Rule, list[Status]]], main: bool, data: st.DataObject
) -> None:
    """Wherever it is added, no platform becomes accessible by it, and none that was blocked becomes anything else."""
    before = told(plan, main=main)
    at = data.draw(st.integers(0, len(plan) - 1))
    worse = [(rule, [*words, "blocked"] if n == at else words) for n, (rule, words) in enumerate(plan)]
    after = told(worse, main=main)
    if before.status != "accessible":
        assert after.status != "accessible"
    if before.status == "blocked":
        assert after.status == "blocked"


@relaxed
@given(plan=plans, main=st.booleans(), data=st.data())
def test_one_endpoint_more_that_works_blocks_nothing(
    plan: list[tuple[Rule, list[Status]]], main: bool, data: st.DataObject
) -> None:
    """Wherever it is added, no platform becomes blocked by it."""
    at = data.draw(st.integers(0, len(plan) - 1))
    better = [(rule, [*words, "accessible"] if n == at else words) for n, (rule, words) in enumerate(plan)]
    if told(plan, main=main).status != "blocked":
        assert told(better, main=main).status != "blocked"


@relaxed
@given(plan=plans, main=st.booleans(), data=st.data())
def test_the_order_of_results_is_nothing(
    plan: list[tuple[Rule, list[Status]]], main: bool, data: st.DataObject
) -> None:
    """Whatever came first, the word, its method, its confidence and the services' words are the same."""
    catalogue = [platform(plan, main=main)]
    shuffled = data.draw(st.permutations(results(plan)))
    (one,), (other,) = roll_up(results(plan), catalogue), roll_up(shuffled, catalogue)
    sorted_one, sorted_other = (
        dataclasses.replace(
            verdict,
            services=tuple(sorted(verdict.services, key=lambda s: s.service)),
            endpoints=tuple(sorted(verdict.endpoints)),
            deciding=tuple(sorted(verdict.deciding)),
            impairments=tuple(sorted(verdict.impairments)),
        )
        for verdict in (one, other)
    )
    assert sorted_one == sorted_other


@relaxed
@given(plan=plans)
def test_impairments_are_what_does_not_work_beside_what_does(plan: list[tuple[Rule, list[Status]]]) -> None:
    """They are told of accessible platforms only, one for each service that is known not to work."""
    verdict = told(plan, main=True)
    broken = {f"{s.service}_{s.status}" for s in verdict.services if s.status not in ("accessible", "inconclusive")}
    assert set(verdict.impairments) == (broken if verdict.status == "accessible" else set())


@relaxed
@given(plan=plans, main=st.booleans())
def test_the_sentence_names_every_service_and_says_blocked_of_none_that_is_not(
    plan: list[tuple[Rule, list[Status]]], main: bool
) -> None:
    """One sentence, whatever is to be told."""
    verdict = told(plan, main=main)
    said = sentence(verdict)
    assert all(f"“{s.service}”" in said for s in verdict.services)
    assert ("blocked" in said) == any(s.status == "blocked" for s in verdict.services)
    assert ("is not known" in said) == any(s.status == "inconclusive" for s in verdict.services)
    assert said.endswith(".")
    assert "\n" not in said
