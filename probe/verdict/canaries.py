"""One canary in one round of questions to the own side: did it pass, and if not, where did it fail?

A canary passes with a ServerHello, not with a verified chain, so that a wrong clock or an inspecting gateway is not read as
a dead line.
"""

from __future__ import annotations

from dataclasses import dataclass

from probe.observations import DnsFact, HttpFact, Observation, TcpFact, TlsFact
from probe.verdict import fingerprints, resolvers
from probe.verdict.facts import failed

_PORTAL_PAGES = {
    "/generate_204": (204, ""),
    "/gen_204": (204, ""),
    "/hotspot-detect.html": (200, "Success"),
    "/library/test/success.html": (200, "Success"),
    "/connecttest.txt": (200, "Microsoft Connect Test"),
    "/ncsi.txt": (200, "Microsoft NCSI"),
    "/success.txt": (200, "success"),
    "/canonical.html": (200, ""),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One canary in one round: ``passed`` is ``None`` while nothing is known; ``stage`` is where it failed."""

    family: str
    where: str
    passed: bool | None
    stage: str | None
    observations: tuple[Observation, ...]

    @property
    def operator(self) -> str:
        return resolvers.operator_of(self.where)


def read_member(name: str, observations: tuple[Observation, ...]) -> Member:
    """The canary *name* (``family/where``), from what was observed of it in one round."""
    family, _, where = name.partition("/")
    passed, stage = _READ.get(family, _by_connection)(observations)
    return Member(family, where, passed, stage, observations)


def _by_connection(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    connects = [o for o in observations if isinstance(o.fact, TcpFact)]
    if any(o.failure is None for o in connects):
        return True, None
    return (False, "tcp") if any(failed(o) for o in connects) else _unknown_or_dns(observations)


def _unknown_or_dns(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    # A name is recorded under its canary only where it gave no address to go to.
    return (False, "dns") if any(isinstance(o.fact, DnsFact) for o in observations) else (None, None)


def _by_server_hello(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    if any(isinstance(o.fact, TlsFact) and o.fact.server_hello for o in observations):
        return True, None
    bad = [o for o in observations if failed(o)]
    if bad:
        return False, bad[-1].operation.kind
    if any(isinstance(o.fact, TcpFact | TlsFact) for o in observations):
        return None, None
    return _unknown_or_dns(observations)


def _by_answer(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    if any(o.failure is None for o in observations):
        return True, None
    return (False, "dns") if any(failed(o) for o in observations) else (None, None)


def _by_reply(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    """A foreign resolver lives when it says anything at all."""
    if any(isinstance(o.fact, DnsFact) and o.fact.rcode is not None for o in observations):
        return True, None
    return _by_answer(observations)


def _by_page(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    pages = [o for o in observations if isinstance(o.fact, HttpFact) and o.fact.status is not None]
    if pages:
        return (False, "page") if _substituted(pages[-1]) else (True, None)
    bad = [o for o in observations if failed(o)]
    return (False, bad[-1].operation.kind) if bad else _unknown_or_dns_only(observations)


def _unknown_or_dns_only(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    only_dns = bool(observations) and all(isinstance(o.fact, DnsFact) for o in observations)
    return (False, "dns") if only_dns else (None, None)


_READ = {
    "foreign": _by_server_hello,
    "domestic": _by_server_hello,
    "system": _by_answer,
    "resolver": _by_reply,
    "portal": _by_page,
    "clock": _by_answer,
}


def _substituted(observation: Observation) -> bool:
    """Whether somebody else answered for a well-known test page: another page, or a redirect elsewhere.

    An error of the page's own server (5xx but 511) is no substitution, nor is silence.
    """
    fact = observation.fact
    assert isinstance(fact, HttpFact)
    status = fact.status or 0
    if status == 511:  # RFC 6585 §6: Network Authentication Required
        return True
    if observation.failure in ("http_unexpected_status_code", "http_unexpected_redirect_url"):
        return True
    if status >= 500 or status in (403, 404, 429):
        return False
    here, there = fingerprints.host_of(fact.url), fingerprints.host_of(fact.location)
    if 300 <= status < 400:
        return there is not None and resolvers.operator_of(there) != resolvers.operator_of(here or "")
    expected = next((page for path, page in _PORTAL_PAGES.items() if fact.url.partition("?")[0].endswith(path)), None)
    if expected is None:
        return False
    return status != expected[0] or (fact.body is not None and expected[1] not in fact.body)
