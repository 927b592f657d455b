"""A filter in the house, an antivirus, a company's gateway: only looks that shake hands meet it, and it may stay for years."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probe.incidents.machine import State, resume, run, wants
from probe.incidents.model import Fact
from probe.incidents.track import OWN_MOST
from tests.incident_facts import at, burst, kinds, look, only, reading, told


def small(*minutes: float) -> list[Fact]:
    """Small looks at the own side, all well."""
    return [look(minute, kind="cheap") for minute in minutes]


MET = [look(0), reading(1), *small(2, 4, 6, 8), reading(9.5, "no_network", method="filter"), look(10, "filter")]
TOLD = [*MET, *small(11), look(11.8, "filter"), *small(12.8), look(13.6, "filter"), *small(14.6), look(15.4, "filter")]


def test_a_filter_that_meets_all_sites_is_one_incident_of_the_house():
    """Small looks do not see an antivirus and full ones do; what sites say of it is folded into the house's incident."""
    facts: list[Fact] = [look(0), reading(1), reading(1, of="beta")]
    for minute in range(10, 40, 2):
        facts += [look(minute, "filter"), look(minute + 1, kind="cheap")]
        facts += [reading(minute + 0.3, "no_network", of=name, method="filter") for name in ("alpha", "beta")]
    state, events = told(*facts)
    assert kinds(events) == ["opened"]
    assert (only(state).platforms, only(state).method) == ((), "filter")
    assert wants(state).bursts == set(), "nothing is confirmed of a site that the house explains"
    # It is over, and of one site nothing was seen since: that opens nothing afterwards.
    over = [look(minute) for minute in (40, 41, 42, 43)]
    facts += [*over, reading(44), *(look(minute) for minute in (45, 46))]
    assert kinds(told(*facts)[1]) == ["opened", "closed"]


def test_small_looks_do_not_wear_away_what_they_cannot_see():
    """An antivirus opens connections; a look that only asks for names and connects is well all the same."""
    facts: list[Fact] = [look(0)]
    for minute in range(10, 60, 10):
        facts += [look(minute, "filter"), *(look(minute + n, kind="cheap") for n in range(1, 10))]
    assert kinds(told(*facts)[1]) == ["opened"]
    assert kinds(told(*(look(one.at_us / 60e6) if one.status == "no_network" else one for one in facts))[1]) == []


def test_a_filter_began_behind_the_last_look_that_would_have_met_it():
    """Small looks at the own side open nothing that could be opened, so what they find well says nothing of it."""
    facts: list[Fact] = [look(0), *(look(n, kind="cheap") for n in range(2, 60, 2))]
    for minute in (60, 70, 80, 90):
        facts += [look(minute, "filter"), look(minute + 1, kind="cheap")]
    incident = only(told(*facts)[0])
    assert incident.method == "filter"
    assert incident.began_after_us == at(0)


def test_a_filter_of_one_name_is_an_incident_of_that_name():
    """Somebody in the house refuses one site; the own side is well."""
    facts: list[Fact] = [look(0), reading(1), *(look(n) for n in range(2, 40, 2))]
    facts += [reading(n + 0.3, "no_network", method="filter") for n in range(10, 40, 2)]
    state, events = told(*facts)
    assert kinds(events) == ["opened"]
    assert only(state).platforms == ("alpha",)


def test_one_whole_look_that_met_it_is_followed_by_others() -> None:
    """Not at once, for what lasts is told and nothing else; and a small look between them that is well takes nothing back."""
    assert not wants(told(*MET)[0]).own_side
    assert not wants(told(*MET, *small(11))[0]).own_side
    assert wants(told(*MET, *small(11, 11.7))[0]).own_side
    assert not wants(told(*MET, *small(11, 11.7), look(11.8))[0]).own_side, "it is gone"


def test_it_is_told_when_it_has_lasted_five_minutes() -> None:
    state, events = told(*TOLD)
    assert kinds(events) == ["opened"]
    assert (only(state).method, only(state).opened_us) == ("filter", at(15.4))
    assert kinds(told(*TOLD[:-1])[1]) == []


def test_one_that_stays_is_looked_at_now_and_then() -> None:
    """An antivirus is there every day of the year: small looks that are well, as they always are, wish for nothing."""
    assert not wants(told(*TOLD, *small(16.4, 18, 20))[0]).own_side
    again = reading(19, "no_network", method="filter")
    assert not wants(told(*TOLD, *small(16.4, 18), again, *small(20))[0]).own_side
    assert wants(told(*TOLD, *small(16.4, 18, 20, 20.5))[0]).own_side
    assert not wants(told(*TOLD, *small(16.4, 18, 20, 20.5), look(20.6, "filter"), *small(24))[0]).own_side
    days = [look(n * 60, "filter") for n in range(1, 26)]
    assert wants(told(*TOLD, *days[:20], *small(1210))[0]).own_side
    assert not wants(told(*TOLD, *days, *small(1510))[0]).own_side, "the hourly look will do"


def test_a_site_that_is_well_again_has_the_own_side_looked_at() -> None:
    """One of those that it had met: the hourly look would tell of the end an hour late."""
    met = [*TOLD, reading(16, "no_network", method="filter")]
    assert wants(told(*met, reading(20))[0]).own_side
    assert wants(told(*met, reading(20, kind="cheap"))[0]).own_side, "a resumed handshake would have met it too"
    assert not wants(told(*met, reading(20, of="beta"))[0]).own_side, "one that it lets through says nothing"
    assert not wants(told(*met, reading(20, "no_network", of="gamma", method="filter"))[0]).own_side, "never seen well"
    assert not wants(told(*met, reading(20), look(20.2, "filter"))[0]).own_side, "it lets this one through now"
    facts, looks = [*met, reading(20)], 0
    while wants(told(*facts)[0]).own_side:
        looks += 1
        facts.append(look(20 + looks / 2))
    assert looks == 3
    state, events = told(*facts)
    assert kinds(events) == ["opened", "closed"]
    assert (only(state).ended_after_us, only(state).ended_by_us) == (at(15.4), at(20.5))


def test_looks_that_say_nothing_are_not_made_for_ever() -> None:
    looks: list[Fact] = []
    for n in range(OWN_MOST):
        looks += small(12 + 2 * n)
        assert wants(told(*MET, *looks)[0]).own_side
        looks.append(replace(look(12.1 + 2 * n), status="inconclusive"))
    assert not wants(told(*MET, *looks, *small(40))[0]).own_side


def test_a_block_beside_it_is_told_meanwhile() -> None:
    """The judge has weighed the filter for each endpoint."""
    assert kinds(told(*MET, reading(1, of="beta"), *burst(11, of="beta"), *small(11.2))[1]) == ["opened"]
    assert kinds(told(*MET, reading(1, of="beta"), *burst(11, of="beta"), look(11.2, "link"))[1]) == []


# ---------------------------------------------------------------------------------------------------------------------
# beside the line

CUT = [look(minute, "shutdown") for minute in (21, 22.5, 24, 25.5, 27)]
BACK = [*small(28.5), look(30, "filter"), *small(31.5, 33)]


def own(state: State) -> set[tuple[str | None, str]]:
    """Method and state of each incident of the own side."""
    return {(incident.method, incident.state) for incident in state.incidents.values() if not incident.urls}


def test_a_shutdown_under_an_antivirus_begins_and_ends() -> None:
    """The antivirus was there before, is there meanwhile, and is there afterwards."""
    state, events = told(*TOLD, *small(17, 18.5, 20), *CUT)
    assert kinds(events) == ["opened", "opened"]
    assert own(state) == {("filter", "open"), ("shutdown", "open")}
    assert not wants(told(*TOLD, *small(17), *CUT[:2])[0]).own_side, "behind a cut line nobody is met"
    state, events = told(*TOLD, *small(17, 18.5, 20), *CUT, *BACK)
    assert kinds(events) == ["opened", "opened", "closed"]
    assert own(state) == {("filter", "open"), ("shutdown", "closed")}
    (cut,) = (one for one in state.incidents.values() if one.method == "shutdown")
    assert (cut.began_after_us, cut.ended_by_us) == (at(20), at(28.5))


def test_an_antivirus_that_comes_with_the_line_is_another_thing() -> None:
    """Upstream was dead; when it is back there is a company's gateway in it."""
    dead = [look(minute, "upstream") for minute in (10, 11.5, 13, 14.5)]
    met = [look(20 + 1.7 * n, "filter") for n in range(4)]
    state, events = told(look(0), *dead, *small(17, 18.5), *met)
    assert kinds(events) == ["opened", "closed", "opened"]
    assert own(state) == {("upstream", "closed"), ("filter", "open")}


@pytest.mark.parametrize("method", ["shutdown", "upstream", "resolver", "link"])
def test_one_look_of_another_kind_is_not_made_enough_by_a_filter(method: str) -> None:
    """Looks that met a filter are none that found the line broken."""
    assert kinds(told(*TOLD[:-1], look(15.4, method))[1]) == []
    assert kinds(told(*TOLD, look(18, method), look(18.2, method))[1]) == ["opened"]


def test_what_failed_without_a_line_is_not_the_filters() -> None:
    """A plug was pulled under an antivirus: sites that it never met, and that are well since, say nothing of it."""
    pulled = [look(minute, "link") for minute in (18, 19, 21, 22, 23.5)]
    failed = [reading(20, "no_network", of="beta", method="link")]
    since = [*small(25, 26.5), look(27, "filter"), reading(28, of="beta")]
    assert not wants(told(*TOLD, *pulled, *failed, *since)[0]).own_side


def test_a_site_that_it_lets_through_from_now_on_is_asked_about_once() -> None:
    """Met once, and then never again: a whole look says that the antivirus is there still."""
    met = [*TOLD, reading(16, "no_network", method="filter"), reading(20), look(20.2, "filter")]
    assert not wants(told(*met, reading(24))[0]).own_side


def test_a_site_that_was_met_long_after_the_house_is_told_of_itself() -> None:
    """One look met a filter, and the looks since then did not: what one site fails by is that site's."""
    well_since = [look(60 * n) for n in range(1, 10)]
    fails = [reading(300 + 10 * n, "no_network", method="filter") for n in range(20)]
    assert kinds(told(*MET, *well_since, *fails)[1]) == ["opened"]


@pytest.mark.parametrize("until", [len(MET), len(TOLD)], ids=["suspected", "told"])
def test_a_way_out_that_is_gone_wishes_for_nothing(until: int) -> None:
    """A phone was unplugged while it met a filter."""
    mobile = [replace(one, interface="mobile") for one in TOLD[:until]]
    later = [look(minute, kind="cheap") for minute in range(20, 60, 2)]
    assert not wants(told(look(0), *mobile, *later)[0]).own_side


def test_after_a_restart_both_are_what_they_were() -> None:
    facts = [*TOLD, *small(17, 18.5, 20), *CUT]
    lived, _ = told(*facts)
    again = resume(told(*facts[-2:])[0], lived.incidents.values())
    state, events = run(again, BACK)
    assert kinds(events) == ["closed"]
    assert own(state) == {("filter", "open"), ("shutdown", "closed")}


def test_a_small_look_of_an_earlier_version_is_no_word_about_the_line() -> None:
    """It said of what it found broken what the last whole look had said."""
    assert kinds(told(*TOLD, *(look(17 + n, "filter", kind="cheap") for n in range(9)))[1]) == ["opened"]
