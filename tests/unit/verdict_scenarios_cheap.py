"""Stories of cheap checks: an earlier visit that is taken up again, and what does not count as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.facts import EOF, HOST, RESET, SITE, TIMEOUT, Facts

MORE = "www.facebook1.com"


def resumed(hosts: tuple[str, ...] = (HOST,), *, last: str | None = None, taken: bool = True) -> Facts:
    """One question, one connection and a resumed handshake a host; the last one fails with *last*."""
    facts = Facts().context()
    for hop, host in enumerate(hosts):
        place: dict[str, Any] = {"purpose": "cheap", "hop": hop, "name": host}
        facts.dns(SITE, **place)
        facts.tcp(SITE, **place)
        failure = last if host == hosts[-1] else None
        facts.tls(
            SITE, purpose="cheap", hop=hop, sni=host, failure=failure, chain=(), resumed=taken and failure is None
        )
    return facts


def connected_only() -> Facts:
    """The name resolves and the address takes a connection; no handshake was made."""
    facts = Facts().context()
    return facts.dns(SITE, purpose="cheap", name=HOST).tcp(SITE, purpose="cheap", name=HOST)


CODES: dict[str, Callable[[], Facts]] = {"ticket_accepted": resumed}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "an earlier visit taken up again": (resumed, "accessible"),
    "the same on a line whose canaries are silent": (
        lambda: resumed().dead(),
        "accessible",
    ),
    "an earlier visit taken up at every host of the way": (lambda: resumed((HOST, MORE)), "accessible"),
    "an earlier visit taken up at the first host of the way only": (
        lambda: resumed((HOST, MORE), last=TIMEOUT),
        "inconclusive",
    ),
    "a cheap check that was reset, alone": (lambda: resumed(last=RESET), "inconclusive"),
    "a cheap check that was silent, alone": (lambda: resumed(last=TIMEOUT), "inconclusive"),
    "a cheap check that was closed, alone": (lambda: resumed(last=EOF), "inconclusive"),
    "a cheap check that was cut off": (lambda: resumed(last="interrupted"), "inconclusive"),
    "a cheap check whose ticket was refused, alone": (lambda: resumed(taken=False), "inconclusive"),
    "a connection alone": (connected_only, "inconclusive"),
    "an earlier visit taken up, and then a full check that failed": (
        lambda: resumed().no_greeting(),
        "inconclusive/tls.timeout.any",
    ),
}
