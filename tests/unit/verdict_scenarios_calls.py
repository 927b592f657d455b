"""Stories of messengers: a silent server for calls beside others that answer or do not, and a vendor's sign of an outage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.facts import REFUSED, SITE, TIMEOUT, Facts

BOGON = "10.10.34.35"

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


UP, OUT = "127.0.0.1", "127.0.0.2"
RESOLVERS = ("8.8.8.8", "9.9.9.9", "1.1.1.1")


def signed(*said: str, failure: str = TIMEOUT, transport: str = "doh") -> Facts:
    """A vendor's host takes no connection, and its vendor's sign says *said*, through a resolver each."""
    asked: dict[str, Any] = {"sign": "uptime.example.org", "sign_answers": (UP, OUT), "sign_outage": (OUT,)}
    facts = Facts(own_root=True, **asked).context().healthy().dns(SITE).tcp(failure=failure)
    for server, word in zip(RESOLVERS, said, strict=False):
        facts.dns(word, purpose="vendor_sign", group="doh", role="foreign", transport=transport, server=server)
    return facts.healthy("after", 1)


CODES: dict[str, Callable[[], Facts]] = {
    "datagrams_pass_here": lambda: silent(None, TIMEOUT),
    "datagrams_stopped_here": lambda: silent(TIMEOUT, TIMEOUT),
    "vendor_says_outage": lambda: signed(OUT, OUT),
    "vendor_says_up": lambda: signed(UP, UP),
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "a silent call's server, and others answer": (lambda: silent(None, None), "inconclusive/app.timeout"),
    "a silent call's server, and one of two others answers": (
        lambda: silent(TIMEOUT, None),
        "inconclusive/app.timeout",
    ),
    "a silent call's server, and all others are silent": (lambda: silent(TIMEOUT, TIMEOUT), "inconclusive/app.timeout"),
    "a vendor's host is silent, and the vendor says that it has an outage": (
        lambda: signed(OUT, OUT, OUT),
        "outage/server",
    ),
    "a vendor's host is silent, and one resolver says so": (lambda: signed(OUT), "inconclusive/ip.timeout"),
    "a vendor's host is silent, and resolvers disagree": (lambda: signed(OUT, OUT, UP), "inconclusive/ip.timeout"),
    "a vendor's host is silent, and what is said is no sign": (lambda: signed(BOGON, BOGON), "inconclusive/ip.timeout"),
    "a vendor's host is silent, and it was asked in the open": (
        lambda: signed(OUT, OUT, transport="udp"),
        "inconclusive/ip.timeout",
    ),
    "a vendor's host is silent, and the vendor says that it is up": (
        lambda: signed(UP, UP, UP),
        "inconclusive/ip.timeout",
    ),
}
LEANINGS: list[tuple[str, Callable[[], Facts], str | None]] = [
    ("a silent call's server, and others answer", lambda: silent(None, None), "outage"),
    ("a silent call's server, and all others are silent", lambda: silent(TIMEOUT, TIMEOUT), "no_network"),
    ("a silent call's server, and the others say that nobody listens", lambda: silent(REFUSED, REFUSED), "outage"),
]
