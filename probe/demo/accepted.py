"""Which words are right for a scene, as tables write them: one status, its method, its signatures."""

from __future__ import annotations

from probe.demo.scene import Accepted

ACCESSIBLE = (Accepted("accessible", (None,), (None,)),)


def blocked(method: str, *signatures: str) -> tuple[Accepted, ...]:
    return (Accepted("blocked", (method,), signatures),)


def denied(method: str) -> tuple[Accepted, ...]:
    return (Accepted("denied", (method,)),)


def outage(method: str, *signatures: str) -> tuple[Accepted, ...]:
    return (Accepted("outage", (method,), signatures),)


def no_network(method: str) -> tuple[Accepted, ...]:
    return (Accepted("no_network", (method,)),)


def unknowable(signature: str) -> tuple[Accepted, ...]:
    """What one vantage cannot tell: the program says what it saw, and no more."""
    return (Accepted("inconclusive", signatures=(signature,)),)
