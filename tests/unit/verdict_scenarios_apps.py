"""Stories of apps: the answer of their own protocol, silence in its place, and somebody else's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.facts import EOF, REFUSED, RESET, SITE, TIMEOUT, Facts

CENTRE = "149.154.167.51"
NOT_MTPROTO = "unknown_failure: not mtproto"
CALLS = f"stun://{SITE}:3478"
_UDP: dict[str, Any] = {"protocol": "stun", "transport": "udp", "port": 3478}


def _centre() -> Facts:
    return Facts(f"mtproto://{CENTRE}:443").context().healthy()


def answered() -> Facts:
    """A data centre answers with our own number in its answer."""
    return _centre().tcp(CENTRE).app(CENTRE)


def stopped(failure: str = TIMEOUT, retries: str | None = TIMEOUT) -> Facts:
    """The connection comes about, and the first question gets no answer; three times more the same (or *retries*)."""
    facts = _centre().tcp(CENTRE).app(CENTRE, failure=failure, answered=False)
    for n in (1, 2, 3):
        place: dict[str, Any] = {"purpose": "retry", "group": f"retry/{n}", "round": n}
        facts.tcp(CENTRE, **place).app(CENTRE, failure=retries, **place)
    return facts.healthy("after", 1)


def other_answer(**fact: Any) -> Facts:
    """Something answers in the data centre's place: a web server's refusal."""
    told = {"answered": True, "expected": False, "detail": "an answer of a web server (HTTP)", **fact}
    return _centre().tcp(CENTRE).app(CENTRE, failure=NOT_MTPROTO, **told).healthy("after", 1)


def dead_centre() -> Facts:
    """Not even a connection."""
    return _centre().tcp(CENTRE, failure=TIMEOUT).healthy("after", 1)


def inside(failure: str = NOT_MTPROTO, **fact: Any) -> Facts:
    """The web client's websocket: a valid certificate, and then no answer of the protocol."""
    facts = Facts("mtproto+ws://www.facebook.com/apiws").context().healthy().dns(SITE).tcp().tls()
    fact = {"answered": True, "expected": False, "detail": "an answer of a web server (HTTP)", **fact}
    return facts.app(failure=failure, transport="websocket", **fact).healthy("after", 1)


def calls(failure: str | None = None, **fact: Any) -> Facts:
    """One exchange over UDP, which has no connection before it."""
    return Facts(CALLS).context().healthy().app(failure=failure, **_UDP, **fact).healthy("after", 1)


def prohibited(code: int = 13) -> Facts:
    """A router says that what the app sends is prohibited."""
    return calls("host_unreachable", icmp_type=3, icmp_code=code, icmp_from="192.0.2.77", answered=False)


def behind_a_proxy() -> Facts:
    """Somebody takes every connection: that one was taken says nothing of the data centre."""
    facts = Facts(f"mtproto://{CENTRE}:443").context().healthy()
    for port in (443, 80):
        facts.tcp("192.0.2.1", port=port, purpose="own_side", group="before", member="literal/192.0.2.1", endpoint=None)
    return facts.tcp(CENTRE).app(CENTRE, failure=TIMEOUT, answered=False)


CODES: dict[str, Callable[[], Facts]] = {
    "app_answered": answered,
    "app_failed": stopped,
    "app_stopped": stopped,
    "app_silent": lambda: calls(TIMEOUT, answered=False),
    "app_refused": lambda: calls(REFUSED, answered=False),
    "app_prohibited": prohibited,
    "app_other_answer": other_answer,
    "app_failed_inside": inside,
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "a data centre that answers in its own protocol": (answered, "accessible"),
    "a call's server that answers": (calls, "accessible"),
    "a data centre that takes the connection and is silent": (stopped, "inconclusive/app.timeout"),
    "a data centre that breaks off at the first question": (lambda: stopped(RESET, RESET), "inconclusive/app.reset"),
    "a data centre that closes at the first question": (lambda: stopped(EOF, EOF), "inconclusive/app.eof"),
    "a data centre that answers when asked again": (lambda: stopped(retries=None), "accessible"),
    "something in a data centre's place that answers": (other_answer, "inconclusive/app.other"),
    "a data centre that takes no connection": (dead_centre, "inconclusive/ip.timeout"),
    "a data centre that was only connected to": (lambda: _centre().tcp(CENTRE), "inconclusive"),
    "a call's server that is silent": (lambda: calls(TIMEOUT, answered=False), "inconclusive/app.timeout"),
    "a call's server where nobody listens": (lambda: calls(REFUSED, answered=False), "inconclusive/app.refused"),
    "a call's server that is prohibited": (prohibited, "inconclusive/app.unreachable"),
    "a websocket whose web server answers in its place": (inside, "inconclusive/app.other"),
    "a websocket in which nothing answers": (lambda: inside(TIMEOUT, expected=None), "inconclusive/app.timeout"),
    "a greeting alone is no websocket": (
        lambda: Facts("mtproto+ws://www.facebook.com/apiws").context().healthy().dns(SITE).tcp().tls(),
        "inconclusive",
    ),
}
LEANINGS: list[tuple[str, Callable[[], Facts], str | None]] = [
    ("a data centre that is silent after the connection", stopped, "blocked"),
    ("a data centre that breaks off", lambda: stopped(RESET, RESET), "blocked"),
    ("something in a data centre's place", other_answer, "blocked"),
    ("a silent call's server", lambda: calls(TIMEOUT, answered=False), "outage"),
    ("a call's server where nobody listens", lambda: calls(REFUSED, answered=False), "outage"),
    ("a call's server that is prohibited", prohibited, "blocked"),
    ("trouble inside a websocket", inside, "outage"),
    ("silence inside a websocket", lambda: inside(TIMEOUT, expected=None), "outage"),
]
