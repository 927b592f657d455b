"""In an incident one endpoint of a platform is looked at for all, and the others as soon as it is well."""

import random

from probe.daemon.plan import Pace, Plan, Watched
from probe.incidents.machine import wants
from probe.incidents.model import Wants
from tests.incident_facts import burst, look, reading, told

ONE, OTHER = "https://alpha.example/", "https://other.alpha.example/"


def _two_are_blocked(*more):
    others = [
        reading(3, "blocked", url=OTHER),
        *(reading(3.5 + n / 2, "blocked", url=OTHER, kind="burst") for n in range(2)),
    ]
    return told(reading(0), reading(0.1, url=OTHER), *burst(1), *others, *more)[0]


def test_a_round_in_an_incident_takes_one_endpoint_a_service_in_turn():
    """Three endpoints of two services: each round two, and within two rounds all of them."""
    watched = tuple(
        Watched(number=n, url=f"https://{n}.example/", platform="p", service=service)
        for n, service in enumerate(("web", "web", "apps"))
    )
    plan = Plan(watched, Pace(), random.Random(1))
    wishes = Wants(rounds=frozenset(one.url for one in watched))
    first, second = ({look.number for look in plan.incident_round(wishes, now)} for now in (300.0, 600.0))
    assert len(first) == len(second) == 2
    assert first | second == {0, 1, 2}


def test_while_all_of_it_fails_nothing_more_is_asked():
    """What is settled needs no confirming."""
    assert wants(_two_are_blocked()).bursts == frozenset()


def test_once_one_is_well_the_others_are_asked_at_once():
    """The end of a block is told within minutes, however many endpoints the platform has."""
    asked = wants(_two_are_blocked(reading(9)))
    assert asked.bursts == {ONE}
    assert asked.others == {OTHER}
    assert not wants(_two_are_blocked(reading(9), reading(9.5, url=OTHER))).others


def test_what_goes_on_failing_is_not_asked_for_ever():
    """One look at the one that still fails is enough, until something turns again."""
    asked = wants(_two_are_blocked(reading(9), reading(9.5, "blocked", url=OTHER)))
    assert not asked.others
    assert OTHER not in asked.bursts
    again = reading(14, "blocked"), reading(19)
    assert wants(_two_are_blocked(reading(9), reading(9.5, "blocked", url=OTHER), *again)).others == {OTHER}


def test_behind_a_dead_line_nothing_is_asked_but_remembered():
    """What was blocked when the line went is named as such, so that it is looked at when the line is back."""
    cut = [look(n, "upstream") for n in (10, 11, 12)]
    asked = wants(_two_are_blocked(*cut))
    assert asked.behind == {ONE, OTHER}
    assert not asked.rounds
    back = wants(_two_are_blocked(*cut, *(look(n) for n in (20, 21, 22))))
    assert not back.behind
    assert back.rounds == {ONE, OTHER}
