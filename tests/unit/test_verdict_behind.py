"""Answers behind resets, and resets from elsewhere: what proves a device on the way, and what looks nearly the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.facts import HOST, INNOCUOUS, NEUTRALS, REFUSED, RESET, SITE, TIMEOUT, Facts, kernel
from tests.unit.verdict_scenarios_begin import healthy_site
from tests.unit.verdict_scenarios_handshakes import (
    _behind_arm,
    answer_behind_reset,
    behind,
    request_behind_reset,
    reset_from_farther,
    reset_from_nearer,
)

BEHIND, ELSEWHERE = "answer_behind_reset", "reset_from_elsewhere"


def test_an_answer_behind_each_reset_is_a_block() -> None:
    """Three answers, each on a connection where a packet was ignored, between four resets that were heard."""
    facts = answer_behind_reset()
    assert facts.word() == "blocked/tls/tls.reset.sni"
    assert facts.verdict().basis == "artefact"


def test_the_same_holds_for_plain_requests() -> None:
    """The signature says that it was a request."""
    assert request_behind_reset().word() == "blocked/http/http.reset.host"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(answer_behind_reset(answers=2), id="too few answers"),
        pytest.param(answer_behind_reset(ignored=0), id="a server that resets now and then: no packet was ignored"),
        pytest.param(answer_behind_reset(ignored=None), id="this kernel does not count what it ignores"),
        pytest.param(answer_behind_reset(others=1), id="a balancer: the server's own packets come from two distances"),
        pytest.param(answer_behind_reset(answer=RESET), id="the reset comes from the server's distance"),
        pytest.param(answer_behind_reset(answer=TIMEOUT), id="silence behind the reset: it was the server's"),
    ],
)
def test_less_than_that_is_no_proof(facts: Facts) -> None:
    """Own resets, balancers and blind kernels are never blocks."""
    assert BEHIND not in facts.codes()
    assert facts.verdict().status == "inconclusive"


def test_one_answer_too_few_of_the_ignored_ones_withdraws() -> None:
    """Every time that packets are ignored the answer must come."""
    facts = answer_behind_reset()
    _behind_arm(facts, "min_ttl/farther", "target", TIMEOUT, 4, min_ttl=57, ignored=1)
    assert BEHIND not in facts.codes()


@pytest.mark.parametrize("heard", [None, TIMEOUT])
def test_a_name_that_is_not_always_reset_is_withdrawn(heard: str | None) -> None:
    """A name that passes or is met with silence while everything is heard tells nothing of what is ignored."""
    facts = answer_behind_reset()
    _behind_arm(facts, "heard", "target", heard, 4)
    assert BEHIND not in facts.codes()


def test_answers_and_resets_take_turns() -> None:
    """Three answers after all of the resets may be a server that has come back."""
    facts = healthy_site().no_greeting(RESET)
    _behind_arm(facts, "min_ttl/farther", "innocuous", None, 0, min_ttl=57, ignored=0)
    for n in range(4):
        _behind_arm(facts, "heard", "target", RESET, n)
    for n in range(3):
        _behind_arm(facts, "min_ttl/farther", "target", None, n, min_ttl=57, ignored=1)
    assert BEHIND not in facts.codes()


def test_a_first_record_is_no_answer_where_the_name_ends_later() -> None:
    """A name that is broken off after the server's first record needs a handshake that comes to its end."""
    facts = behind(healthy_site().no_greeting(RESET, server_hello=True))
    assert BEHIND not in facts.codes()


def test_a_notice_is_no_answer() -> None:
    """A page of an order is not what stood behind the reset."""
    facts = Facts("http://www.facebook.com/").healthy().works(failure=RESET)
    place: dict[str, Any] = {"purpose": "behind", "verified_chain": False}
    facts.http(group="min_ttl/farther", arm="innocuous", min_ttl=57, ignored=0, url=f"http://{INNOCUOUS}/", **place)
    notice = "Доступ к информационному ресурсу ограничен по решению суда"
    for n in range(3):
        facts.http(failure=RESET, group="heard", arm="target", round=n, **place)
        facts.http(group="min_ttl/farther", arm="target", round=n, min_ttl=57, ignored=1, body=notice, **place)
    facts.http(failure=RESET, group="heard", arm="target", round=3, **place)
    assert BEHIND not in facts.codes()


def test_answers_behind_a_reset_withdraw_no_flip() -> None:
    """They are no way that an ordinary user's packets go."""
    facts = healthy_site().no_greeting(RESET).neutrals(target=RESET)
    behind(facts)
    assert {"neutral_flip", BEHIND} <= facts.codes()


@pytest.mark.parametrize(
    ("make", "code"), [(answer_behind_reset, BEHIND), (reset_from_nearer, ELSEWHERE), (reset_from_farther, ELSEWHERE)]
)
def test_a_name_that_passes_elsewhere_may_meet_the_sites_own_guard(make: Any, code: str) -> None:
    """A guard beside a hosting company's line resets in the server's name, and the server answers behind it."""
    facts = make()
    facts.pair("neutral_pair", "neutral/1", NEUTRALS[0], target=None, rounds=1)
    assert code not in facts.codes()
    assert "guard_of_the_site" in facts.verdict().gates
    assert facts.verdict().status != "blocked"


def test_what_is_as_near_as_the_own_router_is_set_aside() -> None:
    """An antivirus or a company's gateway resets beside the path as well."""
    facts = healthy_site().no_greeting(RESET, duration_us=300).retry_tls(RESET, 1, duration_us=300)
    for _ in range(3):
        facts.tcp(failure=REFUSED, duration_us=400, port=9, purpose="neutral_pair", group="gateway")
    behind(facts)
    assert BEHIND not in facts.codes()
    assert facts.verdict().status != "blocked"


# ---------------------------------------------------------------------------------------------------------------------
# from elsewhere, without an answer behind it


@pytest.mark.parametrize(("make", "side"), [(reset_from_nearer, "nearer by"), (reset_from_farther, "farther away")])
def test_another_distance_is_a_hint(make: Any, side: str) -> None:
    """It is said, and it makes no word."""
    facts = make()
    (found,) = [f for f in facts.verdict().findings if f.code == ELSEWHERE]
    assert found.parameters["side"] == side
    assert facts.verdict().status == "inconclusive"


def test_a_reset_that_hits_another_name_too_is_the_servers_own() -> None:
    """A balancer with another TTL resets every name from nearer by."""
    assert ELSEWHERE not in reset_from_nearer(RESET).codes()


def test_a_server_without_one_distance_has_no_elsewhere() -> None:
    """Where the server's own packets were ignored, so may its resets have been."""
    assert ELSEWHERE not in answer_behind_reset(answers=2, answer=TIMEOUT, others=1).codes()


def test_one_silence_may_be_a_lost_packet() -> None:
    """It takes two."""
    assert ELSEWHERE not in answer_behind_reset(answers=1, answer=TIMEOUT).codes()


# ---------------------------------------------------------------------------------------------------------------------
# warm round trips


@pytest.mark.parametrize(("greetings", "early"), [(2, True), (1, False)])
def test_a_search_for_the_distance_is_a_warm_round_trip(greetings: int, early: bool) -> None:
    """It carried data both ways; with two greetings that were answered it makes three."""
    facts = healthy_site().no_greeting(RESET, duration_us=20_000).retry_tls(RESET, 1, duration_us=20_000)
    facts.tcp(purpose="behind", group="distance", reply_ttl=59, kernel=kernel(min_rtt_us=90_000))
    for n in range(greetings):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=90_000))
    assert ("reset_too_early" in facts.codes()) == early


def test_where_all_of_the_internet_is_pretended_no_reset_is_early() -> None:
    """On this computer every place is nearer than a millisecond, and times tell nothing."""
    facts = healthy_site().no_greeting(RESET, duration_us=10).retry_tls(RESET, 1, duration_us=10)
    for n in range(3):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=60))
    assert facts.codes() & {"reset_too_early", "reset_from_beside"}
    for index in range(2):
        place: dict[str, Any] = {"purpose": "neutral_pair", "group": f"neutral/{index + 1}", "arm": "innocuous"}
        facts.tcp(NEUTRALS[index], duration_us=50, **place)
    assert not facts.codes() & {"reset_too_early", "reset_from_beside"}


def test_a_search_that_found_nothing_is_no_warm_round_trip() -> None:
    """What was not acknowledged was not measured."""
    facts = healthy_site().no_greeting(RESET, duration_us=20_000).retry_tls(RESET, 1, duration_us=20_000)
    facts.tcp(purpose="behind", group="distance", kernel=kernel(min_rtt_us=90_000))
    for n in range(2):
        facts.arm("own_pair", f"own/{SITE}", SITE, "innocuous", None, n, kernel=kernel(min_rtt_us=90_000))
    assert "reset_too_early" not in facts.codes()


def test_the_sentence_says_how_often() -> None:
    """What a reader is told fits the facts."""
    from probe.verdict import sentences

    (found,) = [f for f in answer_behind_reset().verdict().findings if f.code == BEHIND]
    assert sentences.render(found).startswith(f"The real answer of {HOST} arrived 3 times behind the packet")
