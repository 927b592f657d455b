"""Slower by name: what proves it, what only leans, and what is nothing of the kind."""

from __future__ import annotations

import math
import random

import pytest

from probe.observations import ContextFact
from probe.verdict.throttling import CHANCE, ROUNDS, chance, compared, interval, places
from probe.verdict.view import View
from tests.unit.facts import EOF, TIMEOUT, Facts, certificate
from tests.unit.verdict_scenarios_throttling import (
    CONTROL,
    FAST,
    SLOW,
    arm,
    at_a_sink,
    at_its_own,
    at_one_neutral,
    at_one_operator,
    at_the_sites_operator,
    delayed,
    frozen,
    greeted,
    keeping_up,
    page,
    policed,
    timed,
)

BOTH = ("neutral/1.0", "neutral/2.0")


def at_two(mine: object = SLOW[:3], others: object = FAST[:3], **more: object) -> Facts:
    facts = page()
    for group in BOTH:
        timed(facts, group, mine, others, **more)  # type: ignore[arg-type]
    return facts


def codes(facts: Facts) -> set[str]:
    verdict = facts.verdict()
    return {f.code for f in (*verdict.findings, *verdict.against) if f.weight}


# -- statistics --------------------------------------------------------------------------------------------------------


def test_chance_is_the_share_of_orders_as_extreme() -> None:
    """One of 20 for three before three, one of 400 at two places, three of 400 where two neighbours changed places."""
    ordered, nearly = ((1, 2, 3), (4, 5, 6)), ((1, 2, 4), (3, 5, 6))
    assert chance([ordered]) == pytest.approx(1 / 20)
    assert chance([ordered, ordered]) == pytest.approx(1 / 400)
    assert chance([ordered, nearly]) == pytest.approx(3 / 400)
    assert chance([((4, 5, 6), (1, 2, 3))]) == 1.0


def test_ties_and_nothing_are_no_evidence() -> None:
    """All alike, or nothing at all: anything may be chance."""
    assert chance([((1, 1, 1), (1, 1, 1))]) == 1.0
    assert chance([]) == 1.0


def test_chance_keeps_its_promise() -> None:
    """Without a difference, however wild the line, so little is met that seldom."""
    source = random.Random(4)
    seen = 0
    for _ in range(1_000):
        found = [tuple(tuple(source.lognormvariate(0, 2) for _ in range(3)) for _ in range(2)) for _ in range(2)]
        seen += chance(found) <= CHANCE  # type: ignore[arg-type]
    assert seen <= 1_000 * CHANCE * 2


def test_interval_holds_what_is_not_ruled_out() -> None:
    """Exactly between the ratios at which the test begins to say no: three and three at two places bear no neighbour out of
    order.
    """
    slow, fast = (1.0, 1.1, 1.2), (10.0, 11.0, 12.0)
    low, middle, high = interval([(slow, fast)] * 2)
    assert low == pytest.approx(1.0 / 12.0)
    assert middle == pytest.approx(0.1)
    assert high == pytest.approx(1.2 / 10.0)
    low, _middle, high = interval([(slow[:1], fast[:1])])
    assert (low, high) == (0.0, math.inf)


def test_interval_bears_a_hiccup() -> None:
    """With four rounds at two places one quick line in a bad second changes little."""
    slow, fast = (1.0, 1.1, 1.2, 1.05), (10.0, 11.0, 12.0, 2.3)
    _low, _middle, high = interval([(slow, fast), (slow, (10.0, 11.0, 12.0, 11.5))])
    assert high < 0.5


def test_interval_keeps_its_promise() -> None:
    """A name that is half as fast is hardly ever said to be slower than that, however wild the line."""
    source = random.Random(5)
    seen = 0
    for _ in range(120):
        found = [
            ([source.lognormvariate(0, 1) / 2 for _ in range(3)], [source.lognormvariate(0, 1) for _ in range(3)])
            for _ in range(2)
        ]
        seen += interval(found)[2] < 0.5
    assert seen <= 4


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", [policed, frozen, delayed])
def test_what_is_proven_is_blocked_though_the_page_came(story: object) -> None:
    """With a confidence, and with the page set aside."""
    verdict = story().verdict()  # type: ignore[operator]
    assert (verdict.status, verdict.method, verdict.basis) == ("blocked", "throttling", "contrast")
    assert verdict.confidence > 0.9


@pytest.mark.parametrize("story", [at_one_neutral, at_its_own])
def test_one_server_only_leans(story: object) -> None:
    """It may have its own reasons, and the page came."""
    facts = story()  # type: ignore[operator]
    assert facts.verdict().status == "accessible"
    assert "slower_at_one_place" in codes(facts)


@pytest.mark.parametrize("story", [at_one_operator, at_the_sites_operator])
def test_two_places_of_one_operator_are_one(story: object) -> None:
    """Whoever serves half of the web may be slow with a name at every address of theirs, the site's own company too."""
    facts = story()  # type: ignore[operator]
    assert "slowed_by_name" not in codes(facts)
    assert "slower_at_one_place" in codes(facts)
    assert facts.verdict().status == "accessible"


def test_the_sites_own_address_adds_nothing_to_a_proof() -> None:
    """One neutral place and the own one are one place."""
    facts = timed(at_one_neutral(), "own/157.240.205.35", SLOW, FAST)
    assert facts.verdict().status == "accessible"


def test_fewer_rounds_prove_nothing() -> None:
    """Two rounds at two places."""
    assert not codes(at_two(SLOW[: ROUNDS - 1], FAST[: ROUNDS - 1])) & {"slowed_by_name", "slower_at_one_place"}


def test_another_name_that_did_not_get_all_proves_nothing() -> None:
    """A line that stops for anybody."""
    facts = at_two()
    timed(facts, "neutral/3.0", SLOW[:3], FAST[:2])
    assert "slowed_by_name" not in codes(facts)


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        pytest.param((15.0, 14.0, 15.5), (16.0, 14.5, 15.8), id="a narrow line"),
        pytest.param((100.0, 110.0, 95.0), (190.0, 200.0, 185.0), id="half as fast, more or less"),
        pytest.param((20.0, 190.0, 18.0), (180.0, 195.0, 200.0), id="now and then"),
        pytest.param((3.0, 60.0, 20.0), (70.0, 25.0, 150.0), id="a line that loses packets"),
    ],
)
def test_what_an_ordinary_line_does_is_no_block(mine: object, others: object) -> None:
    """Neither everything slow, nor a little slower, nor slow at times."""
    facts = at_two(mine, others)
    assert "slowed_by_name" not in codes(facts)
    assert facts.verdict().status == "accessible"


def test_a_place_that_serves_the_name_is_none() -> None:
    """Its certificate says so: what it does to the name is the site's doing."""
    facts = page()
    for group in BOTH:
        timed(facts, group, chain=(certificate("*.facebook.com"),))
    assert facts.verdict().status == "accessible"
    assert "slowed_by_name" not in codes(facts)
    assert not places(View(facts.observations, (facts.asked,)).case(facts.asked))


def test_a_server_that_ends_connections_is_not_slow() -> None:
    """What breaks off says nothing of speed, though less comes of it."""
    assert "slowed_by_name" not in codes(at_two(failure=EOF))


def test_a_proxy_for_everybody_voids_the_comparison() -> None:
    """It goes by names, to the site's own slow server."""
    facts = policed().tcp(
        "192.0.2.1", purpose="own_side", endpoint=None, group="before", member="transparent/192.0.2.1"
    )
    assert facts.verdict().status != "blocked"


def test_greetings_alone_that_never_end() -> None:
    """Met with silence six times where others are answered: the name is held back for longer than was waited."""
    facts = page(took_ms=100, handshake_ms=6_000)
    for group in BOTH:
        greeted(facts, group, (6_000, 6_000, 6_000), (85, 90, 82), TIMEOUT)
    assert facts.verdict().signature == "throttling.delay.sni"
    (found,) = [f for f in facts.verdict().findings if f.code == "slowed_by_name"]
    assert found.parameters["how"] == "no greeting with it was answered to its end in 6 s"


def test_greetings_a_little_late_are_no_block() -> None:
    """A quarter more."""
    facts = page(handshake_ms=1_200)
    for group in BOTH:
        greeted(facts, group, (110, 112, 108), (85, 90, 82))
    assert facts.verdict().status == "accessible"


def test_bytes_that_come_with_the_first_ones_are_counted() -> None:
    """As measured over a quick line of 157 ms, beside a shaper of 400 kbit/s: the answer began with 9 KB at once."""
    quick = ((156_000, 606), (166_000, 9_294), (328_000, 25_222))
    slow = ((163_000, 303), (170_000, 606), (199_000, 2_054), (679_000, 25_222))
    facts = page(took_ms=1_900)
    for group in BOTH:
        for number in range(4):
            for which, curve in (("target", slow), ("innocuous", quick)):
                arm(facts, group, which, number, 1.0, curve=curve)
    (found,) = [f for f in facts.verdict().findings if f.code == "slowed_by_name"]
    assert found.parameters["times"] == "3.0 times (3.0 to 3.0)"


def test_what_follows_a_lost_packet_comes_all_at_once() -> None:
    """As measured with half of the packets to one name lost: now the greeting is late, now the answer, and then it is there in no
    time. Neither of the two is slow each time, and both together are.
    """
    at_once = ((658_000, 16_384), (659_000, 28_118))
    ordinary = ((84_000, 606), (85_000, 9_294), (170_000, 25_222))
    facts = page(took_ms=1_900)
    for group in BOTH:
        for number, (greeted_ms, curve) in enumerate(
            ((195, at_once), (1_065, ordinary), (160, at_once), (1_100, at_once))
        ):
            arm(facts, group, "target", number, 1.0, greeted_ms=greeted_ms, curve=curve)
            arm(facts, group, "innocuous", number, 1.0, curve=ordinary)
    (found,) = [f for f in facts.verdict().findings if f.code == "slowed_by_name"]
    assert (found.speaks_for, facts.verdict().method) == ("blocked", "throttling")


def test_what_is_told_is_what_was_measured() -> None:
    """How many times, between what and what, and what became of the bytes."""
    (found,) = [f for f in policed().verdict().findings if f.code == "slowed_by_name"]
    told = found.parameters
    assert (told["places"], told["rounds"], told["manner"], told["chance"]) == (2, 6, "slower", 0.0025)
    assert told["how"] == "16 KB came in a second instead of 190 KB"
    assert told["times"] == "12 times (11 to 14)"
    (stop,) = [f for f in frozen().verdict().findings if f.code == "slowed_by_name"]
    assert stop.parameters["how"] == "nothing more came after 17 KB"
    (late,) = [f for f in delayed().verdict().findings if f.code == "slowed_by_name"]
    assert late.parameters["how"] == "the first answer came 4.0 s later"


def test_a_name_that_keeps_up_is_told() -> None:
    """And speaks against a block."""
    assert "keeps_up_elsewhere" in codes(keeping_up())


def test_arms_that_were_cut_off_by_us_are_left_out() -> None:
    """A greeting whose bytes were never asked for is no quick arm, and no slow one."""
    facts = at_two()
    cut = [o for o in facts.observations if not (o.round == 2 and o.operation.kind == "http")]
    case = View(cut, (facts.asked,)).case(facts.asked)
    assert [len(place.arms) for place in places(case)] == [4, 4]
    assert compared(places(case)) is None


def test_another_context_changes_nothing() -> None:
    """The word is of the facts alone."""
    facts = policed().add(ContextFact(software="1", catalogue="2", trust="certifi"), purpose="context", endpoint=None)
    assert facts.word() == "blocked/throttling/throttling.sni"


def test_a_sink_that_is_slow_with_a_name_proves_nothing() -> None:
    """Whoever runs a control can answer one name slowly: it leans alone, and moves nothing beside neutral places."""
    assert CONTROL.startswith("control:")
    assert "slower_at_one_place" in codes(at_a_sink())
    assert "slowed_by_name" not in codes(at_a_sink())
    beside = timed(keeping_up(), CONTROL, SLOW, FAST)
    assert "slowed_by_name" not in codes(beside)
    assert "slowed_by_name" in codes(policed())
