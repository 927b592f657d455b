"""Stories of packets that are let go only so many routers far: where a name, or every connection, is stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

from probe.observations import Came, PathFact
from tests.unit.facts import INNOCUOUS, NEUTRALS, RESET, SITE, TIMEOUT, Facts

HOPS = ("192.168.1.1", "92.46.144.1", "92.46.7.9", "213.248.97.5", "62.115.44.1")
"""The own router, two of the provider's, two beyond."""
DISTANCE = len(HOPS) + 1
PORT = 40_000


def syn(ttl: int, port: int, came: Came | None = None) -> PathFact:
    """A SYN that gets so far: a router speaks, or the place itself."""
    came = came or ("answer" if ttl >= DISTANCE else "icmp")
    fact = PathFact(sent="syn", ttl=ttl, source_port=port, came=came)
    if came != "icmp":
        return fact
    return dataclasses.replace(
        fact, hop=HOPS[ttl - 1] if ttl > 1 else None, hop_is="gateway" if ttl == 1 else "public", icmp_type=11
    )


def innocuous(ttl: int, port: int, came: Came | None = None) -> PathFact:
    """A greeting with another name, which gets as far."""
    came = came or ("answer" if ttl >= DISTANCE else "icmp")
    return PathFact(sent="hello", ttl=ttl, sni=INNOCUOUS, source_port=port, came=came)


def target(ttl: int, port: int, *, device: int | None, manner: str = "drop") -> PathFact:
    """The same with the target's name, where a device stands behind router number *device* (``None``: on no way of this
    port). ``manner``: ``drop``, ``reset`` (in the way), ``beside`` it, ``reply`` (only the answer is taken), or ``memory``
    (the first copy passes, whatever follows is dropped).
    """
    fact = PathFact(sent="hello", ttl=ttl, sni="www.facebook.com", source_port=port, came="icmp", again="icmp")
    far = ttl >= DISTANCE
    if device is None:
        return dataclasses.replace(fact, came="answer" if far else "icmp", again=None, later=None if far else "answer")
    met = ttl > device
    if manner == "reply":
        end: Came = "nothing"
        return (
            dataclasses.replace(fact, came=end, again=None, acked=True)
            if far
            else dataclasses.replace(fact, later=end, later_acked=True)
        )
    if manner in ("reset", "beside"):
        return dataclasses.replace(fact, came="reset", again=None) if met else dataclasses.replace(fact, later="reset")
    if manner == "memory" and not far:
        return dataclasses.replace(fact, again="nothing" if met else "icmp", later="nothing")
    return dataclasses.replace(fact, came="nothing" if met else "icmp", again=None if met else "icmp", later="nothing")


def followed(
    facts: Facts,
    *,
    device: int | None,
    manner: str = "drop",
    mute: Collection[int] = (),
    free: Collection[int] = (),
    ttls: Collection[int] = range(1, DISTANCE),
) -> Facts:
    """Greetings to a neutral place, hop after hop. ``mute`` routers say nothing; ``free``: TTLs whose port has another way."""
    place: dict[str, Any] = {"purpose": "locate", "group": f"name/{NEUTRALS[0]}", "address": NEUTRALS[0], "port": 443}
    facts.add(syn(64, PORT), **place)
    facts.add(syn(DISTANCE, PORT + DISTANCE), **place)
    for ttl in ttls:
        port = PORT + ttl
        said: Came | None = "nothing" if ttl in mute else None
        facts.add(syn(ttl, port, said), **place)
        facts.add(innocuous(ttl, port, said), arm="innocuous", name=INNOCUOUS, **place)
        if said is None:
            fact = target(ttl, port, device=None if ttl in free else device, manner=manner)
            facts.add(fact, arm="target", name=facts.host, **place)
    # What was silent once is asked again from another port.
    again = next((ttl for ttl in ttls if device is not None and ttl > device and ttl not in {*mute, *free}), None)
    if again is not None and manner in ("drop", "memory"):
        facts.add(innocuous(again, PORT + 50), arm="innocuous", name=INNOCUOUS, **place)
        fact = target(again, PORT + 50, device=device, manner=manner)
        facts.add(fact, arm="target", name=facts.host, **place)
    return facts


def followed_to(facts: Facts, *, device: int, parted: int = DISTANCE) -> Facts:
    """SYNs to the silent address and to another one, whose ways are one up to router number *parted*."""
    place: dict[str, Any] = {"purpose": "locate", "group": f"connection/{SITE}", "port": 443}
    for ttl in (64, *range(1, DISTANCE + 1)):
        facts.add(syn(ttl, PORT + ttl), arm="innocuous", address=NEUTRALS[0], **place)
        if ttl <= DISTANCE:
            came: Came = "icmp" if ttl <= device and ttl < DISTANCE else "nothing"
            mine = syn(ttl, PORT + ttl, came)
            if ttl >= parted and came == "icmp":
                mine = dataclasses.replace(mine, hop=f"4.69.1.{ttl}")
            facts.add(mine, arm="target", address=SITE, **place)
    for ttl in range(device + 1, DISTANCE + 1):
        facts.add(syn(ttl, PORT + 100 + ttl, "nothing"), arm="target", address=SITE, **place)
    return facts


def named_in_vain(failure: str = TIMEOUT) -> Facts:
    """A whole contrast: the name fails at two neutral places where others pass."""
    facts = Facts().healthy().no_greeting(failure)
    for n in (1, 2, 3):
        facts.retry_tls(failure, n)
    return facts.neutrals(target=failure).healthy("after", 1)


def blocked_and_followed(device: int = 2, manner: str = "drop") -> Facts:
    """A whole contrast, and where it is made."""
    return followed(named_in_vain(RESET if manner in ("reset", "beside") else TIMEOUT), device=device, manner=manner)


def silent_and_followed(device: int) -> Facts:
    """An address that gives no answer, three times again, and how far packets to it get."""
    facts = Facts().healthy().no_connection()
    return followed_to(facts, device=device)


CODES: dict[str, Callable[[], Facts]] = {
    "greeting_stopped": blocked_and_followed,
    "greeting_stopped_at_home": lambda: blocked_and_followed(device=1),
    "answer_lost_on_the_way": lambda: blocked_and_followed(manner="reply"),
    "connection_stopped": lambda: silent_and_followed(2),
    "connection_gets_far": lambda: silent_and_followed(5),
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "a name that is stopped inside of the provider's network": (blocked_and_followed, "blocked/tls/tls.timeout.sni"),
    "a name that is stopped behind the own router": (
        lambda: blocked_and_followed(device=1),
        "inconclusive/tls.timeout.any",
    ),
    "an address that is lost inside of the provider's network": (
        lambda: silent_and_followed(2),
        "inconclusive/ip.timeout",
    ),
}
