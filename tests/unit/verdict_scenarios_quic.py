# ruff: noqa: A002 - "round" is the field's name
"""Stories of QUIC: this name, all of it here, its version, or the site alone; of pages beside it, and of sites that are it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.observations import AppFact, QuicFact
from tests.unit.facts import HOST, INNOCUOUS, NEUTRALS, SITE, TIMEOUT, Facts

Story = Callable[[], Facts]
PLACES = ("198.51.100.7", "203.0.113.9", "192.0.2.33")
V1 = "00000001"


def greeting(
    facts: Facts,
    group: str,
    arm: str | None,
    failure: str | None,
    *,
    address: str | None = SITE,
    round: int = 0,
    endpoint: int | None = 1,
    name: str | None = None,
    **fact: Any,
) -> Facts:
    """One handshake: it comes to its end, unless it fails."""
    sni = name or (HOST if arm == "target" else INNOCUOUS)
    fact = {"completed": failure is None, **fact}
    place: dict[str, Any] = {"purpose": "quic", "group": group, "arm": arm, "round": round, "endpoint": endpoint}
    return facts.add(
        QuicFact(exchange="handshake", sni=sni, **fact), failure=failure, name=sni, address=address, port=443, **place
    )


def ping(facts: Facts, *versions: str, address: str = SITE, group: str = "ping", endpoint: int | None = 1) -> Facts:
    """The question for versions, and silence without any."""
    fact = QuicFact(exchange="ping", versions=versions)
    failure = None if versions else TIMEOUT
    place: dict[str, Any] = {"purpose": "quic", "group": group, "endpoint": endpoint}
    return facts.add(fact, failure=failure, address=address, port=443, **place)


def here(facts: Facts, failure: str | None = None, *versions: str, places: tuple[str, ...] = PLACES[:2]) -> Facts:
    """What sites that are nobody's target say."""
    for number, address in enumerate(places, 1):
        greeting(facts, "here", "innocuous", failure, address=address, round=number, endpoint=None)
        if failure is not None:
            ping(facts, *versions, address=address, group="here", endpoint=None)
    return facts


def turns(
    facts: Facts,
    group: str = "neutral/1",
    address: str | None = NEUTRALS[0],
    *,
    target: str | None = TIMEOUT,
    innocuous: str | None = None,
    rounds: int = 6,
    first: int = 0,
    **fact: Any,
) -> Facts:
    """I T I T … T at one place."""
    for number in range(first, first + rounds):
        greeting(facts, group, "innocuous", innocuous, address=address, round=number)
        greeting(facts, group, "target", target, address=address, round=number, **(fact if target else {}))
    return facts


def neutrals(facts: Facts, count: int = 2, **how: Any) -> Facts:
    for number in range(count):
        turns(facts, f"neutral/{number + 1}", NEUTRALS[number], **how)
    return facts


def let_go(
    facts: Facts,
    *heard: int,
    code: int = 0,
    spoken: tuple[int, ...] = (1, 2, 3, 4, 5),
    once: tuple[int, ...] = (),
    hop_is: str = "public",
    times: int = 2,
) -> Facts:
    """Greetings that get one to six routers far: those with the name are spoken of at the distances *heard* (and *once*), those
    with another one at those that are *spoken*.
    """
    for number in range(times):
        for ttl in range(1, 7):
            for arm, where in (("target", (*heard, *once)), ("innocuous", spoken)):
                is_heard = ttl in where and not (arm == "target" and ttl in once and number)
                icmp: dict[str, Any] = {"icmp_type": 11, "icmp_code": code, "hop_is": hop_is} if is_heard else {}
                failure = "host_unreachable" if is_heard else TIMEOUT
                greeting(facts, "way", arm, failure, address=NEUTRALS[0], round=number, ttl=ttl, **icmp)
    return facts


def page(**asked: Any) -> Facts:
    """A page that came over TCP."""
    return Facts(f"https://{HOST}/", **asked).context().healthy().dns(SITE).tcp().tls().http()


def beside(failure: str | None = TIMEOUT) -> Facts:
    """The page, and a first greeting over QUIC."""
    return greeting(page(), "own", "target", failure)


def site(failure: str | None = TIMEOUT) -> Facts:
    """A site that is asked for over QUIC alone."""
    facts = greeting(Facts(f"quic://{HOST}").context().healthy().dns(SITE), "own", "target", failure)
    fact = AppFact(
        protocol="quic",
        transport="udp",
        sent="a greeting with the name",
        answered=failure is None,
        expected=True if failure is None else None,
    )
    return facts.add(fact, purpose="baseline", group="v4", failure=failure, name=HOST, address=SITE, port=443)


def stopped() -> Facts:
    """Silence for the name alone, at two neutral places, and a router behind the household's has seen it."""
    return let_go(neutrals(here(site())), 1, 2, 3).healthy("after", 1)


def stopped_at_home() -> Facts:
    """The same, and no router but the household's own has seen what names the site."""
    return let_go(neutrals(here(site())), 1).healthy("after", 1)


def answers_stopped() -> Facts:
    """The same, and every router has seen what names the site."""
    return let_go(neutrals(here(site())), 1, 2, 3, 4, 5).healthy("after", 1)


def at_control() -> Facts:
    return turns(here(site()), "control:Helsinki", None).healthy("after", 1)


def passes_elsewhere() -> Facts:
    return neutrals(here(site()), target=None, rounds=1).healthy("after", 1)


def own_flip() -> Facts:
    return turns(here(site()), "own", SITE, rounds=2, first=1).healthy("after", 1)


def server_silent() -> Facts:
    """Its own address answers to no name over QUIC, and others do."""
    facts = greeting(here(site()), "own", "innocuous", TIMEOUT, round=1)
    return neutrals(facts, target=None, rounds=1).healthy("after", 1)


def version_stopped(facts: Facts | None = None) -> Facts:
    return ping(here(facts or site(), TIMEOUT, V1), V1).healthy("after", 1)


def filtered(facts: Facts | None = None) -> Facts:
    return ping(here(facts or site(), TIMEOUT)).healthy("after", 1)


def answered_late() -> Facts:
    """A flip, and a later greeting to its own address that was answered."""
    return greeting(stopped(), "own", "target", None, round=2)


def refused_elsewhere() -> Facts:
    """The neutral places answer the name with a refusal: it passes."""
    return neutrals(here(site()), target="ssl_failed_handshake", rounds=1, close_code=0x178)


def long_only() -> Facts:
    """Greetings in one datagram are lost, one in two is answered."""
    return greeting(greeting(here(site()), "long", "target", None), "own", "target", TIMEOUT, round=1).healthy(
        "after", 1
    )


CODES: dict[str, Story] = {
    "quic_long_greeting": long_only,
    "quic_neutral_flip": stopped,
    "quic_neutral_flip_near": stopped_at_home,
    "quic_control_flip": at_control,
    "quic_neutral_pass": passes_elsewhere,
    "quic_own_flip": own_flip,
    "quic_server_silent": server_silent,
    "quic_version_stopped": version_stopped,
    "quic_filtered_here": filtered,
}
WORDS: dict[str, tuple[Story, str]] = {
    "a site over QUIC": (lambda: site(None), "accessible"),
    "a site over QUIC that answers long greetings": (long_only, "accessible"),
    "a name that QUIC loses": (stopped, "blocked/quic/quic.timeout.sni"),
    "a name that QUIC loses, perhaps at home": (stopped_at_home, "inconclusive/quic.timeout.sni"),
    "a name whose answers QUIC loses, perhaps at home": (answers_stopped, "inconclusive/quic.timeout.sni"),
    "a name that QUIC loses, one place": (
        lambda: let_go(neutrals(here(site()), 1), 2, 3).healthy("after", 1),
        "inconclusive/quic.timeout.sni",
    ),
    "a name that QUIC loses on the way to a control": (at_control, "inconclusive/quic.timeout.sni"),
    "a name that QUIC loses, too few tries": (
        lambda: let_go(neutrals(here(site()), rounds=5), 2, 3).healthy("after", 1),
        "inconclusive/app.timeout",
    ),
    "a name that QUIC loses now and then": (answered_late, "inconclusive/app.timeout"),
    "a name that the site's own server alone does not answer": (own_flip, "inconclusive/quic.timeout.sni"),
    "a server without QUIC": (server_silent, "inconclusive/quic.timeout.any"),
    "version 1 of QUIC stopped": (version_stopped, "inconclusive/quic.timeout.any"),
    "all of QUIC stopped": (filtered, "inconclusive/quic.timeout.any"),
    "a page whose QUIC is lost by name": (lambda: neutrals(here(beside())).healthy("after", 1), "accessible"),
}
