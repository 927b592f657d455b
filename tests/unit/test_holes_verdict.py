"""When a dead line is called shut, cut off or open for a list only, and when something else looks the same."""

import pytest

from probe.verdict.holes import open_holes
from probe.verdict.network import judge_network
from tests.unit.facts import REFUSED, TIMEOUT, Facts
from tests.unit.verdict_scenarios_holes import ABROAD, LITERALS, NAMED, cut, list_only, listed, look, search, shut


def word(facts: Facts) -> str:
    verdict = judge_network(facts.view())
    return verdict.method or verdict.status


def test_two_looks_and_ports_of_nobody_make_a_shutdown_with_its_holes() -> None:
    """What passes is named by transport and number, in that order."""
    verdict = judge_network(shut().view())
    assert (verdict.status, verdict.method) == ("no_network", "shutdown")
    assert verdict.findings[0].parameters == {"holes": "tcp/179, tcp/3785, udp/53"}


def one_look() -> Facts:
    return search(look(Facts(), 0, home="tcp"), NAMED)


def then_well() -> Facts:
    return search(look(look(Facts(), 0, home="tcp"), 1, abroad=None, literal=None), NAMED)


def with_a_page() -> Facts:
    facts = shut()
    return facts.portal(302, location="http://pay.example/", body=None, round=1, group="after")


def everything_but_the_web() -> Facts:
    passing = dict.fromkeys(("tcp/22", "tcp/8080", "tcp/179", "tcp/3785", "tcp/853", "tcp/5222", "udp/443"))
    return shut(passing)


def proxied() -> Facts:
    return shut({"tcp/179": None, "tcp/3785": None}).canary("transparent/192.0.2.1", group="after", round=1)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(one_look, id="one look"),
        pytest.param(then_well, id="all is well in the second look"),
        pytest.param(with_a_page, id="somebody puts in a page of his own: an empty balance"),
        pytest.param(lambda: shut({"udp/53": None}), id="questions alone: a hotspot, a tariff without data"),
        pytest.param(lambda: shut({"udp/53": None, "udp/123": None, "tcp/53": None}), id="and the time: an office"),
        pytest.param(lambda: shut({}), id="nothing at all passes: a dead line"),
        pytest.param(everything_but_the_web, id="everything but the web passes: a proxy is to be used"),
        pytest.param(
            lambda: shut({"tcp/853": None, "udp/443": None}), id="no port of nobody passes: it may be a firewall's list"
        ),
        pytest.param(lambda: shut({"tcp/3785": REFUSED}, shut=REFUSED), id="a reset for every port is no hole"),
        pytest.param(lambda: shut(NAMED | {"tcp/443": REFUSED}), id="a reset for the web's port makes others no holes"),
        pytest.param(proxied, id="somebody takes every connection"),
    ],
)
def test_what_looks_like_a_shutdown_is_none(facts) -> None:
    """The word is as heavy as "blocked"."""
    assert word(facts()) != "shutdown"


def test_holes_are_told_only_where_the_web_is_shut() -> None:
    """A machine that answers as ever has no holes, only ports; and what has come back since was no cut."""
    facts = search(look(look(Facts(), 0), 1), NAMED | {"tcp/443": None})
    assert open_holes(facts.observations, proxied=False) == {}
    assert word(facts) == "inconclusive"


def test_somebody_who_takes_every_connection_leaves_no_holes_but_datagrams() -> None:
    """Connections are his then; answers to questions came from somewhere else."""
    assert set(open_holes(shut({"tcp/179": None, "udp/53": None}).observations, proxied=True)) == {"udp/53"}


def test_where_ports_pass_that_nobody_leaves_open_none_is_a_hole() -> None:
    """Somebody on the way takes connections for the whole world, but hands those of the web on; or the web alone is shut."""
    passing = NAMED | {"tcp/22": None, "tcp/8080": None, "tcp/853": None}
    assert set(open_holes(shut(passing).observations, proxied=False)) == {"udp/53"}


def test_questions_that_are_answered_where_no_resolver_is_have_not_passed() -> None:
    """A provider answers all of them itself, and its word says nothing of the way abroad."""
    story = shut(NAMED, where=(*LITERALS, "151.101.0.0"))
    assert "udp/53" in holes_of(story)
    assert "udp/53" not in holes_of(listed(story, names=ABROAD[:1], ours=TIMEOUT))


def test_a_public_resolver_that_this_host_uses_is_still_one() -> None:
    """Names of sites abroad were asked there: that makes it no site."""
    facts = look(look(Facts().context(), 0, home="tcp"), 1, home="tcp").no_connection()
    facts.dns("151.101.0.223", name=ABROAD[0], server="8.8.8.8", **facts.own(f"foreign/{ABROAD[0]}", "after", 1))
    assert "udp/53" in holes_of(search(facts, NAMED))


def holes_of(facts: Facts) -> str:
    return str(judge_network(facts.view()).findings[0].parameters["holes"])


@pytest.mark.parametrize("failure", ["dns_servfail_error", "dns_refused_error"])
def test_a_resolver_that_cannot_answer_is_no_hole(failure: str) -> None:
    """It may stand on the way, and be shut in as well."""
    assert "udp/53" not in open_holes(shut(NAMED | {"udp/53": failure}).observations, proxied=False)


def test_a_refusal_is_no_hole_where_the_webs_port_is_refused_too() -> None:
    """Whoever resets everything has opened nothing."""
    passing = NAMED | {"tcp/443": REFUSED, "tcp/853": None}
    assert set(open_holes(shut(passing).observations, proxied=False)) == {"tcp/853", "udp/53"}


def test_a_cut_at_the_border_may_let_questions_pass() -> None:
    """One look cannot tell, for questions come back; two looks and the search can."""
    verdict = judge_network(cut().view())
    assert (verdict.method, verdict.findings[0].parameters["holes"]) == ("international", "udp/53")


def test_a_cut_that_a_page_explains_is_none() -> None:
    """An operator that lets its own and this country's sites pass without credit answers in the place of others."""
    facts = cut().portal(302, location="http://pay.example/", body=None, round=1, group="after")
    assert word(facts) != "international"


def test_a_list_of_names_shows_at_two_operators_addresses() -> None:
    """The same addresses answer a name of this country, and none of their own."""
    assert word(list_only()) == "whitelist"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(lambda: list_only(names=ABROAD[:1]), id="at one operator's"),
        pytest.param(lambda: list_only(names=("www.python.org", "pypi.python.org")), id="at one operator's two"),
        pytest.param(lambda: list_only(ours=TIMEOUT), id="no name passes"),
        pytest.param(lambda: list_only(theirs=None), id="their own names pass by now"),
        pytest.param(lambda: listed(look(Facts(), 0, abroad=TIMEOUT, literal=None)), id="one look"),
        pytest.param(
            lambda: list_only().canary("transparent/192.0.2.1", group="after", round=1), id="somebody takes everything"
        ),
        pytest.param(
            lambda: list_only().portal(302, location="http://pay.example/", body=None, round=1, group="after"),
            id="somebody puts in a page",
        ),
    ],
)
def test_what_looks_like_a_list_is_none(facts) -> None:
    """Names must be what is told apart, in two looks, and nobody may want money."""
    assert word(facts()) != "whitelist"
