"""Stories of questions that are let go only so many routers far: whose word it is that is said of a name, or who drops it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from probe.observations import Came, HopScope, PathFact
from tests.unit.facts import INNOCUOUS, NEUTRALS, PROVIDER, RESET, SITE, TIMEOUT, Facts

Story = Callable[[], Facts]
_CAME: dict[str, Came] = {"i": "icmp", "a": "answer", ".": "nothing"}
HOPS: tuple[HopScope | None, ...] = ("gateway", "public", "public", "public", "public", "public")
PRIVATE: tuple[HopScope | None, ...] = ("gateway", "private", "public", "public", "public", "public")
MUTE: tuple[HopScope | None, ...] = ("gateway", None, None, None, None, None)
OUT = "1i 2i"
"""Questions about the name that end at the own router, and at the provider's first one."""
OTHERS = "1i 2i 3i 4a 5a 6a"


def along(
    facts: Facts,
    mine: str,
    others: str = OTHERS,
    *,
    hops: tuple[HopScope | None, ...] = HOPS,
    server: str = PROVIDER,
    name: str | None = None,
) -> Facts:
    """Questions that were let go so many routers far, and what came: ``1i`` the first router's word, ``2a`` an answer, ``2.``
    nothing. *others* are about an innocuous name.
    """
    for arm, qname, told in (("innocuous", INNOCUOUS, others), ("target", name or facts.host, mine)):
        for ttl, what in ((int(one[0]), one[1]) for one in told.split()):
            came = _CAME[what]
            fact = PathFact(sent="question", ttl=ttl, came=came, hop_is=hops[ttl - 1] if came == "icmp" else None)
            failure = {"icmp": "host_unreachable", "nothing": TIMEOUT}.get(came)
            place: dict[str, Any] = {"purpose": "dns_answers", "group": "way", "address": server, "port": 53}
            facts.add(fact, arm=arm, name=qname, failure=failure, **place)
    return facts


def opened_at_once(facts: Facts, came: Came = "answer") -> Facts:
    """A connection that may get no farther than the own router, and what came of it."""
    fact = PathFact(sent="syn", ttl=1, came=came)
    return facts.add(fact, purpose="dns_answers", group="way", address="8.8.8.8", port=443)


def denied(failure: str = "dns_nxdomain_error") -> Facts:
    """The provider's resolver, as it seems, denies the name twice, and DNS abroad proves it wrong."""
    facts = Facts().context().healthy().no_name(failure).system("cd", failure=failure, checking_disabled=True)
    if failure == "dns_refused_error":
        for number in (0, 1):
            facts.system("again", SITE, name=INNOCUOUS, arm="innocuous", round=number)
            facts.system("again", failure=failure, arm="target", round=number)
    return facts.foreign(SITE).tried(SITE).healthy("after", 1)


def null() -> Facts:
    """The same with an address that no site can have."""
    return Facts().context().healthy().dns("0.0.0.0").foreign(SITE).tried(SITE).healthy("after", 1)


def lost(mine: str, others: str = OTHERS, **more: Any) -> Facts:
    """Questions in clear about the name get lost, whoever is asked."""
    from tests.unit.verdict_scenarios_names import questions_dropped

    return along(questions_dropped(followed=False), mine, others, **more)


def not_followed(other: Facts | None) -> Facts:
    """They get lost, and it was not looked where; *other* is one more endpoint of the run."""
    from tests.unit.verdict_scenarios_names import questions_dropped
    from tests.unit.verdict_scenarios_this_side import beside

    facts = questions_dropped(followed=False)
    return facts if other is None else beside(facts, other).healthy("after", 2)


def other_lost(mine: str) -> Facts:
    """Another name of which questions get lost, and were followed."""
    facts = Facts("https://www.instagram.com/").no_name(TIMEOUT, rcode=None)
    return along(facts, mine)


def null_and_reset() -> Facts:
    """A household's machine lies about the name, and beyond it somebody resets greetings with it as well."""
    return along(Facts().context().healthy().dns("0.0.0.0").foreign(SITE).tried(SITE), "1i 2a", "1i 2a 3a")


def put_in_nearby(mine: str, others: str = OTHERS) -> Facts:
    """An answer for this name alone, from where no resolver runs; the own network's resolver gives the same."""
    from tests.unit.verdict_scenarios import CODES

    return along(CODES["dns_injected_no_resolver"](), mine, others, server=NEUTRALS[0])


def _inside(story: Story, mine: str = "1i 2a", others: str = "1i 2a 3a 4a 5a 6a", **more: Any) -> Story:
    return lambda: along(story(), mine, others, **more)


def refused_as_advertising(*, failure: str = "dns_nxdomain_error", **told: Any) -> Facts:
    """Whoever answers, not known to be inside, refuses advertising in the same way."""
    facts = denied(failure).system("filter", name="doubleclick.net", failure=failure, arm="innocuous", **told)
    return along(facts, OUT)


CODES: dict[str, Story] = {
    "filter_refuses_advertising": refused_as_advertising,
    "question_answered_inside": _inside(denied),
    "question_lost_inside": lambda: lost("1i 2. 2. 3.", f"{OTHERS} 2i"),
    "question_lost_at_home": lambda: lost("1. 1. 2. 2.", f"{OTHERS} 1i 2i"),
    "question_left": lambda: lost(OUT),
}
_NXDOMAIN, _BOGON, _LOST = "dns.nxdomain", "dns.injection.bogon", "dns.timeout"
_INSIDE = "inconclusive/network.filter"
WORDS: dict[str, tuple[Story, str]] = {
    "a denial, and questions leave the house": (_inside(denied, OUT, OTHERS), f"blocked/dns/{_NXDOMAIN}"),
    "a denial, and it was not looked": (denied, f"blocked/dns/{_NXDOMAIN}"),
    "a denial at the own router": (_inside(denied, "1a 2a 3a", "1a 2a 3a"), _INSIDE),
    "a denial at the own router for this name only": (_inside(denied, "1a 2a", OTHERS), _INSIDE),
    "a denial by a machine behind it": (_inside(denied), _INSIDE),
    "a denial behind two routers of the house": (
        _inside(denied, "1i 2i 3a", "1i 2i 3a 4a", hops=PRIVATE),
        _INSIDE,
    ),
    "put in at the own router, which lets the question pass as well": (_inside(denied, "1a 2i", OTHERS), _INSIDE),
    "put in by the second router of the house for this name only": (
        _inside(denied, "1i 2a 3a", OTHERS, hops=PRIVATE),
        _INSIDE,
    ),
    "put in behind the second router of the house for this name only": (
        _inside(denied, "1i 2i 3a", OTHERS, hops=PRIVATE),
        f"blocked/dns/{_NXDOMAIN}",
    ),
    "a denial three routers far, one of which never speaks": (
        _inside(denied, "1i 2. 3a", "1i 2. 3a 4a"),
        f"blocked/dns/{_NXDOMAIN}",
    ),
    # Whoever knows this name behind the own router, and lets others by, has let it pass that: no household's does.
    "put in behind the own router for this name only": (
        _inside(denied, "1i 2a", OTHERS),
        f"blocked/dns/{_NXDOMAIN}",
    ),
    "a denial where no router outside speaks": (
        _inside(denied, "1i 2. 3.", "1i 2. 3. 4a", hops=MUTE),
        f"blocked/dns/{_NXDOMAIN}",
    ),
    "a refusal by a machine of the house": (
        _inside(lambda: denied("dns_refused_error")),
        _INSIDE,
    ),
    "an address that cannot be, of a machine of the house": (_inside(null), _INSIDE),
    "an address that cannot be, from outside": (_inside(null, OUT, OTHERS), f"blocked/dns/{_BOGON}"),
    "a router that sends on what should end there": (
        lambda: opened_at_once(along(null(), "1a 2a 3a", "1a 2a 3a")),
        f"blocked/dns/{_BOGON}",
    ),
    "a router that does not": (
        lambda: opened_at_once(along(null(), "1a 2a 3a", "1a 2a 3a"), "icmp"),
        _INSIDE,
    ),
    "lost, and one had left the house": (lambda: lost(OUT), f"blocked/dns/{_LOST}"),
    "lost, and one had left at the second try": (lambda: lost("1i 2. 2i", f"{OTHERS} 2i"), f"blocked/dns/{_LOST}"),
    "lost before the first router outside": (CODES["question_lost_inside"], f"inconclusive/{_LOST}"),
    "lost before the own router": (CODES["question_lost_at_home"], f"inconclusive/{_LOST}"),
    "lost behind a second router of the house": (
        lambda: lost("1i 2i 3. 3. 4.", f"{OTHERS} 3i", hops=PRIVATE),
        f"inconclusive/{_LOST}",
    ),
    "lost, and no router outside speaks": (
        lambda: lost("1i 2. 3.", "1i 2. 3. 4a 5a 6a", hops=MUTE),
        f"inconclusive/{_LOST}",
    ),
    "lost, and it was not looked where": (lambda: not_followed(None), f"inconclusive/{_LOST}"),
    "lost, beside another that had left": (lambda: not_followed(other_lost(OUT)), f"blocked/dns/{_LOST}"),
    "lost, beside another that is lost inside": (
        lambda: not_followed(other_lost("1i 2. 2. 3.")),
        f"inconclusive/{_LOST}",
    ),
    # What is proven of greetings stands, whoever answers questions.
    "a lie of the house, and greetings dropped beyond it": (
        lambda: null_and_reset().neutrals(target=RESET).healthy("after", 1),
        "blocked/tls/tls.reset.sni",
    ),
    "advertising refused alike, by a machine of the house": (
        _inside(
            lambda: denied().system("filter", name="doubleclick.net", failure="dns_nxdomain_error", arm="innocuous")
        ),
        "no_network/filter/network.filter",
    ),
    "advertising refused alike, beyond the house": (refused_as_advertising, _INSIDE),
    "advertising refused in another way": (
        lambda: along(
            denied().system("filter", name="doubleclick.net", failure="dns_refused_error", arm="innocuous"), OUT
        ),
        f"blocked/dns/{_NXDOMAIN}",
    ),
    "put in at the own router": (lambda: put_in_nearby("1a 2a"), _INSIDE),
    "put in beyond the house": (lambda: put_in_nearby(OUT), f"blocked/dns/{_BOGON}"),
}


def of_another_place(facts: Facts) -> Facts:
    """The same questions, as if they had gone to another resolver."""
    facts.observations = [
        dataclasses.replace(o, operation=dataclasses.replace(o.operation, address="9.9.9.9"))
        if o.group == "way" and o.arm == "innocuous"
        else o
        for o in facts.observations
    ]
    return facts
