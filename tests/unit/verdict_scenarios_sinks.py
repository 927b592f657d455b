"""Stories of pairs at a control's own sink, and of what the control says arrived of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from probe.observations import ArrivalFact, TcpFact, TlsFact
from tests.unit.facts import INNOCUOUS, RESET, TIMEOUT, Facts

VANTAGE = "control:Helsinki"
LENGTH, HASH = 517, "ab" * 16
ALTERED = {"bytes": LENGTH + 40, "hello_hash": "cd" * 16}
NOTHING: dict[str, Any] = {"bytes": 0, "whole": False, "named": None, "hello_hash": None, "answered": False}
GONE: dict[str, Any] = {"arrived": False, "bytes": None, "whole": None, "named": None, "hello_hash": None} | {
    "answered": None
}


def silent_site(home: str | None = "KZ", abroad: str | None = "DE", failure: str = TIMEOUT) -> Facts:
    """No greeting here, three times again; a control that was asked and whose own line works."""
    facts = Facts().context(country=home).healthy().no_greeting(failure)
    for n in (1, 2, 3):
        facts.retry_tls(failure, n)
    return facts.control_line().control_asked(abroad).control_asked(abroad, round=1)


def arrival(facts: Facts, arm: str, number: int, **told: Any) -> Facts:
    """What the control says of one arm: that it came whole, as it was sent, and was answered, if nothing else is told."""
    name = facts.host if arm == "target" else INNOCUOUS
    fact = ArrivalFact(sink="tls", name=name, named=True, bytes=LENGTH, whole=True, hello_hash=HASH, answered=True)
    if told.get("arrived") is False or told.get("whole") is False:
        fact = replace(fact, name=None)
    fact = replace(fact, **told)
    place: dict[str, Any] = {"group": VANTAGE, "arm": arm, "round": number, "vantage": VANTAGE}
    return facts.add(fact, purpose="control_pair", name=name, port=443, **place)


def at_sink(
    facts: Facts,
    *,
    target: str | None = TIMEOUT,
    innocuous: str | None = None,
    rounds: int = 6,
    port: int = 443,
    trusted: bool | None = True,
) -> Facts:
    """I T I T … at the control's sink; then its certificate is looked at (``None``: it is not)."""
    arms = [("innocuous", 0)] + [
        (arm, n + (arm == "innocuous")) for n in range(rounds) for arm in ("target", "innocuous")
    ]
    for arm, number in arms:
        name, failure = (facts.host, target) if arm == "target" else (INNOCUOUS, innocuous)
        place: dict[str, Any] = {"purpose": "control_pair", "group": VANTAGE, "arm": arm, "round": number, "port": port}
        facts.add(TcpFact(), name=name, **place)
        hello = TlsFact(sni=name, verify=False, server_hello=failure is None, hello_bytes=LENGTH, hello_hash=HASH)
        facts.add(hello, name=name, failure=failure, **place)
    if trusted is not None:
        certificate = TlsFact(
            sni=None, verify=True, server_hello=True, verified=trusted, shipped_store_verifies=trusted
        )
        facts.add(
            certificate,
            purpose="control_pair",
            group=VANTAGE,
            member="certificate",
            name="Helsinki",
            port=port,
            failure=None if trusted else "ssl_unknown_authority",
        )
    return facts


def told(
    facts: Facts, rounds: int = 6, *, target: dict[str, Any] | None = None, innocuous: dict[str, Any] | None = None
) -> Facts:
    """What the control says of every arm."""
    arrival(facts, "innocuous", 0, **(innocuous or {}))
    for number in range(rounds):
        arrival(facts, "target", number, **(target or {}))
        arrival(facts, "innocuous", number + 1, **(innocuous or {}))
    return facts


# -- whole stories -----------------------------------------------------------------------------------------------------


def sink_flips(**sink: Any) -> Facts:
    """Only the control's own sink flips: there was no neutral place."""
    return at_sink(silent_site(), **sink).healthy("after", 1)


def sink_and_neutral_flip(home: str | None = "KZ", abroad: str | None = "DE", **sink: Any) -> Facts:
    """The control's own sink flips, and the one neutral place that there was."""
    return at_sink(silent_site(home, abroad).neutrals(1), **sink).healthy("after", 1)


def liar_beside_passing_neutral() -> Facts:
    """The site is down. A control drops its name at its own sink; the name passes at an unrelated address."""
    facts = (
        silent_site().neutrals(1, target=None, rounds=1).pair("own_pair", "own/x", "157.240.205.35", innocuous=TIMEOUT)
    )
    return told(at_sink(facts), target=NOTHING).healthy("after", 1)


def lying_ledger(**target: Any) -> Facts:
    """The site is down, its name passes nowhere and everywhere: a control says that everything named so got lost."""
    return told(at_sink(silent_site()), target=target or NOTHING).healthy("after", 1)


def sink_passes() -> Facts:
    return at_sink(silent_site(), target=None, rounds=1).healthy("after", 1)


def never_arrived(rounds: int = 2, **target: Any) -> Facts:
    """Two short turns at a sink with a certificate of its own."""
    return told(at_sink(silent_site(), rounds=rounds, trusted=False), rounds, target=target or NOTHING)


def answer_lost(failure: str = TIMEOUT, **target: Any) -> Facts:
    facts = at_sink(silent_site(failure=failure), rounds=2, target=failure)
    return told(facts, 2, target={"acknowledged": False, "end": "fin"} | target)


def altered() -> Facts:
    return told(at_sink(silent_site(failure=RESET), rounds=2, target=RESET), 2, target=ALTERED)


Story = Callable[[], Facts]
CODES: dict[str, Story] = {
    "neutral_and_control_flip": sink_and_neutral_flip,
    "control_flip": sink_flips,
    "control_flip_elsewhere": lambda: sink_flips(port=10443),
    "control_pass": sink_passes,
    "control_never_arrived": never_arrived,
    "control_answer_lost": answer_lost,
    "control_altered": altered,
}
WORDS: dict[str, tuple[Story, str]] = {
    "a control's sink and one neutral place": (sink_and_neutral_flip, "blocked/tls/tls.timeout.sni"),
    "a control's sink alone": (sink_flips, "inconclusive/tls.timeout.sni"),
    "a control's sink on another port": (lambda: sink_flips(port=10443), "inconclusive/tls.timeout.sni"),
    "a control that drops the name, and a neutral place that passes": (
        liar_beside_passing_neutral,
        "inconclusive/tls.timeout.any",
    ),
    "a control that says all was lost": (lying_ledger, "inconclusive/tls.timeout.sni"),
    "a name that a control's sink answers": (sink_passes, "inconclusive/tls.timeout.any"),
    "greetings that never arrived at a control": (never_arrived, "inconclusive/tls.timeout.sni"),
    "answers of a control that never came": (answer_lost, "inconclusive/tls.timeout.sni"),
    "greetings that arrived changed": (altered, "inconclusive/tls.reset.sni"),
}
