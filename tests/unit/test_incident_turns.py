"""In an incident one endpoint of a platform is looked at for all, and the others as soon as it is well."""

import random

from probe.daemon.plan import Pace, Plan, Watched
from probe.incidents.machine import wants
from probe.incidents.model import Wants
from tests.incident_facts import burst, reading, told

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
    assert wants(_two_are_blocked(reading(9))).bursts == {ONE, OTHER}


def test_what_goes_on_failing_is_not_asked_for_ever():
    """Four confirming rounds at the one that still fails are enough, until something turns again."""
    still = [reading(9.5 + n / 2, "blocked", url=OTHER, kind="burst") for n in range(4)]
    assert OTHER not in wants(_two_are_blocked(reading(9), *still)).bursts
