"""Stories of calls: a silent server beside other servers that answer, and beside others that are silent too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.facts import REFUSED, SITE, TIMEOUT, Facts

CALLS = f"stun://{SITE}:3478"
PLACES = ("142.250.185.31", "172.67.80.7")
_STUN: dict[str, Any] = {"protocol": "stun", "transport": "udp", "port": 3478}


def silent(*elsewhere: str | None) -> Facts:
    """A silent server for calls; *elsewhere*: how others fared (``None``: answered)."""
    facts = Facts(CALLS).context().healthy().app(failure=TIMEOUT, answered=False, **_STUN)
    for n, (address, failure) in enumerate(zip(PLACES, elsewhere, strict=False), 1):
        there: dict[str, Any] = {"answered": False} if failure is not None else {}
        facts.app(address, failure=failure, purpose="udp_here", group=f"here/{n}", **_STUN, **there)
    return facts.healthy("after", 1)


CODES: dict[str, Callable[[], Facts]] = {
    "datagrams_pass_here": lambda: silent(None, TIMEOUT),
    "datagrams_stopped_here": lambda: silent(TIMEOUT, TIMEOUT),
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "a silent call's server, and others answer": (lambda: silent(None, None), "inconclusive/app.timeout"),
    "a silent call's server, and one of two others answers": (
        lambda: silent(TIMEOUT, None),
        "inconclusive/app.timeout",
    ),
    "a silent call's server, and all others are silent": (lambda: silent(TIMEOUT, TIMEOUT), "inconclusive/app.timeout"),
}
LEANINGS: list[tuple[str, Callable[[], Facts], str | None]] = [
    ("a silent call's server, and others answer", lambda: silent(None, None), "outage"),
    ("a silent call's server, and all others are silent", lambda: silent(TIMEOUT, TIMEOUT), "no_network"),
    ("a silent call's server, and the others say that nobody listens", lambda: silent(REFUSED, REFUSED), "outage"),
]
