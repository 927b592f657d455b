"""Questions that may get only so many routers far: who is asked, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.verdict import questions_way
from probe.verdict.case import Case
from probe.verdict.view import View
from tests.unit.facts import HOME, INNOCUOUS, NEUTRALS, PROVIDER, Facts
from tests.unit.verdict_scenarios import CODES
from tests.unit.verdict_scenarios_names import questions_dropped
from tests.unit.verdict_scenarios_questions import (
    OTHERS,
    OUT,
    PRIVATE,
    along,
    denied,
    lost,
    null,
    of_another_place,
    opened_at_once,
    refused_as_advertising,
)
from tests.unit.verdict_scenarios_this_side import beside

ORDERED = "dns_block_page_address"


def told(facts: Facts, code: str) -> bool:
    """Whether the verdict has the finding, for or against, and it counts."""
    verdict = facts.verdict()
    return any(found.code == code and found.weight for found in (*verdict.findings, *verdict.against))


def case_of(facts: Facts) -> Case:
    return View(facts.observations, (facts.asked,)).case(facts.asked)


@pytest.mark.parametrize(
    ("story", "asked"),
    [
        (denied, PROVIDER),
        (null, PROVIDER),
        (lambda: questions_dropped(followed=False), PROVIDER),
        (CODES["dns_operator_says_blocked"], PROVIDER),
        (CODES["dns_injected_no_resolver"], PROVIDER),
        (CODES["dns_injected_denial"], NEUTRALS[0]),
        (lambda: Facts().context().healthy().works(), None),
        (CODES["dns_servfail_contradicted"], None),
        (lambda: questions_dropped(followed=False, server=HOME), None),
        (lambda: questions_dropped(followed=False, nobody="generic_timeout_error"), None),
    ],
)
def test_who_is_asked(story: Callable[[], Facts], asked: str | None) -> None:
    """Whoever lied or was silent and is not of the house; nobody where nothing speaks for a block in DNS."""
    assert questions_way.whom_to_ask(case_of(story())) == asked


def test_where_the_house_answers_too_the_empty_place_is_asked() -> None:
    """The household's resolver says the same as what was put in elsewhere: its own word tells nothing."""
    facts = CODES["dns_injected_no_resolver"]()
    assert questions_way.whom_to_ask(case_of(facts)) == PROVIDER
    private = Facts()
    private.asked, private.observations = facts.asked, list(facts.observations)
    private.observations = [o for o in private.observations if o.purpose != "baseline" or o.operation.kind != "dns"]
    private.dns("10.10.34.35", server=HOME, duration_us=2_000)
    assert questions_way.whom_to_ask(case_of(private)) == NEUTRALS[0]


def test_a_first_router_with_a_public_address_is_not_outside() -> None:
    """It may be the house's own: a question that is lost behind it has not been seen outside."""
    hops = ("public", "public", "public", "public", "public", "public")
    assert lost("1i 2. 2. 3.", f"{OTHERS} 2i", hops=hops).verdict().status == "inconclusive"
    assert lost("1i 2i", hops=hops).verdict().status == "blocked"


def test_a_taker_of_all_connections_shows_nothing_about_ttls() -> None:
    """It opens whatever may get no farther, and its house may answer questions as well."""
    facts = opened_at_once(along(null(), "1a 2a 3a", "1a 2a 3a"))
    assert facts.verdict().status == "blocked"
    proxied = along(null().canary("transparent/192.0.2.1"), "1a 2a 3a", "1a 2a 3a")
    assert opened_at_once(proxied).verdict().status == "inconclusive"


def test_answers_of_another_resolver_are_no_measure() -> None:
    """That questions to one place are answered near says nothing of those to another."""
    facts = along(denied(), "1i 2a", "1i 2a 3a")
    assert told(facts, "question_answered_inside")
    assert not told(of_another_place(facts), "question_answered_inside")


def test_what_got_out_was_not_taken_by_a_machine_of_the_house() -> None:
    assert not told(along(denied(), "1i 2a 3i", "1i 2a 3i"), "question_answered_inside")


@pytest.mark.parametrize(
    ("mine", "others", "home"),
    [
        ("1. 1. 2. 2.", f"{OTHERS} 1i 2i", True),
        ("1. 2. 3.", f"{OTHERS} 1i 2i", False),  # once
        ("1. 1. 2. 2.", OTHERS, False),  # the router's word once
        ("1. 1. 2i 2i", f"{OTHERS} 1i 2i", False),  # farther on it was heard of
        ("1i 1. 2. 2.", f"{OTHERS} 1i 2i", False),
    ],
)
def test_twice_each_is_what_a_loss_at_the_own_router_takes(mine: str, others: str, home: bool) -> None:
    assert told(lost(mine, others, hops=PRIVATE), "question_lost_at_home") is home


def test_what_is_put_in_is_no_filter_that_somebody_has_chosen() -> None:
    """Whoever puts in answers for advertising, too, is no resolver."""
    facts = CODES["dns_injected_no_resolver"]()
    facts.system("filter", failure="dns_nxdomain_error", name="doubleclick.net", arm="innocuous")
    assert not told(facts, "filter_refuses_advertising")
    assert facts.verdict().status == "blocked"


def test_whoever_denies_everything_keeps_no_list() -> None:
    """Innocuous names of two operators are denied alike: it has lost more than names on a list."""
    facts = refused_as_advertising()
    assert told(facts, "filter_refuses_advertising")
    for name in (INNOCUOUS, "www.debian.org"):
        facts.system("draw", failure="dns_nxdomain_error", name=name)
    assert not told(facts, "filter_refuses_advertising")


def test_a_notice_of_an_order_stands_where_advertising_leads_there_too() -> None:
    """Then whoever sends people there is ordered to."""
    facts = CODES[ORDERED]()
    lie = next(o.fact.addresses for o in facts.observations if o.purpose == "baseline" and o.operation.kind == "dns")  # type: ignore[union-attr]
    facts.system("filter", *lie, name="doubleclick.net", arm="innocuous")
    assert told(facts, "filter_refuses_advertising")
    assert told(facts, ORDERED)


@pytest.mark.parametrize(("server", "inside"), [(PROVIDER, True), ("8.8.8.8", False)])
def test_a_name_that_was_not_followed_goes_by_another_of_the_same_resolver(server: str, inside: bool) -> None:
    """Among many no flows are left for some; and the finding is about the name that was followed."""
    other = along(Facts("https://www.instagram.com/").dns("0.0.0.0"), "1i 2a", "1i 2a 3a", server=server)
    facts = beside(denied(), other).healthy("after", 2)
    verdict = facts.verdict()
    assert verdict.status == ("inconclusive" if inside else "blocked")
    names = [f.parameters["host"] for f in verdict.findings if f.code == "question_answered_inside"]
    assert names == (["www.instagram.com"] if inside else [])


def test_who_was_followed_goes_by_that() -> None:
    """Questions about this name leave the house, whatever becomes of others."""
    other = along(Facts("https://www.instagram.com/").dns("0.0.0.0"), "1a 2a", "1i 2i")
    facts = beside(along(denied(), OUT, OTHERS), other).healthy("after", 2)
    assert facts.verdict().status == "blocked"


def test_the_words_name_the_router() -> None:
    """The first one outside, of those that had a question."""
    verdict = lost(OUT).verdict()
    (found,) = [f for f in (*verdict.findings, *verdict.against) if f.code == "question_left"]
    assert found.parameters["ttl"] == 2
