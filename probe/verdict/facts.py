"""The fact of an observation by its kind, and what can be said of one by itself."""

from __future__ import annotations

from typing import TypeGuard, cast

from probe.observations import AppFact, DnsFact, HttpFact, Observation, TcpFact, TlsFact

INTERRUPTED = "interrupted"
"""An operation that was cut off by us: nothing was learnt."""


def failed(observation: Observation) -> bool:
    """Whether the operation failed by itself; one that we cut off did not."""
    return observation.failure is not None and observation.failure != INTERRUPTED


def dns(observation: Observation) -> DnsFact:
    """The DNS fact; call it only on observations of that kind."""
    return cast("DnsFact", observation.fact)


def tcp(observation: Observation) -> TcpFact:
    """The connection's fact."""
    return cast("TcpFact", observation.fact)


def tls(observation: Observation) -> TlsFact:
    """The handshake's fact."""
    return cast("TlsFact", observation.fact)


def http(observation: Observation) -> HttpFact:
    """The request's fact."""
    return cast("HttpFact", observation.fact)


def app(observation: Observation) -> AppFact:
    """The fact of an app's own exchange."""
    return cast("AppFact", observation.fact)


def verified(fact: object) -> TypeGuard[TlsFact]:
    """A handshake whose chain the shipped store verifies. One that only this host's store trusts is not *verified*."""
    return isinstance(fact, TlsFact) and fact.verified is True and fact.shipped_store_verifies is not False
