"""What is broken without keeping the user out, and what was not tested: codes in the order in which they are shown."""

from __future__ import annotations

from probe.observations import DnsFact, HttpFact, TlsFact
from probe.verdict import answers, ech, elsewhere, evidence, resolvers
from probe.verdict.case import Case
from probe.verdict.facts import failed
from probe.verdict.model import Finding, Status
from probe.verdict.pairs import at_neutrals, uneven
from probe.verdict.quic import Quic

SLOW_TLS_US = 5_000_000
"""The soft deadline of a greeting: past it a success counts as slow."""
SLOW_DNS_US = 3_000_000
_LIES = ("dns_bogon", "dns_two_replies", "dns_injected_no_resolver", "dns_nxdomain_contradicted", "dns_sinkhole")


def impairments(case: Case, status: Status, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Codes for one endpoint; each has a sentence in :mod:`probe.verdict.sentences`."""
    if status == "accessible":
        mine = (*_families(case), *_flaky(case, findings), *_quic(case), *_lies(case, findings), *_slow(case))
        return (*mine, *_ech(case), *_untested(case))
    own = tuple(code for code in case.own.verdict.impairments if code in ("transparent_proxy", "own_side_unsteady"))
    return (*own, *_controls(case), *_ech(case))


def _ech(case: Case) -> tuple[str, ...]:
    """Said of whatever was asked first: it is about the network, and about no site."""
    return ("ech_blocked",) if ech.is_stopped(case) else ()


def _controls(case: Case) -> tuple[str, ...]:
    """Why controls that were asked are no evidence."""
    answered = {o.member for o in case.view.asked_of_controls if not failed(o)}
    silent = any(failed(o) and o.member not in answered for o in case.view.asked_of_controls)
    reasons = dict.fromkeys(f"control_{why}" for why in elsewhere.unheard(case).values())
    return (*(("control_silent",) if silent else ()), *reasons)


def _families(case: Case) -> tuple[str, ...]:
    outcome = {a.group: a.ok for a in case.all_baselines if a.stage is not None and not _no_address(a.failure)}
    if not any(ok is True for ok in outcome.values()):
        return ()
    return tuple(code for group, code in (("v6", "ipv6_broken"), ("v4", "ipv4_broken")) if outcome.get(group) is False)


def _no_address(failure: str | None) -> bool:
    return failure == "dns_no_answer"


def _flaky(case: Case, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    codes = {f.code for f in findings}
    found = []
    if "another_address_works" in codes and case.failing is not None:
        found.append("address_dead")
    if "retry_succeeded" in codes and case.failing is not None:
        found.append("flaky")
    if _uneven(case):
        found.append("uneven")
    return tuple(found)


def _uneven(case: Case) -> bool:
    """Whether, at neutral addresses, all failures fell to this name and none to the other, and that is hardly chance.

    Too little for a block once the name has got through: a device on one of two paths, or one that was switched on or off
    during the run, looks like this.
    """
    return uneven(at_neutrals(case))


def _quic(case: Case) -> tuple[str, ...]:
    """What is the matter with QUIC where the site was reached all the same."""
    word = Quic(case).word()
    return (f"quic_{word}",) if word is not None else ()


def _lies(case: Case, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    codes = {f.code for f in findings if f.weight != 0}
    found = ["resolver_lies"] if codes & set(_LIES) or _one_lies(case) else []
    proven = {f.code for f in findings if f.speaks_for == "blocked" and f.weight > 0 and evidence.TABLE[f.code].proves}
    if proven - set(_LIES):
        found.append("interference_seen")
    return tuple(found)


def _one_lies(case: Case) -> bool:
    """One of several system resolvers gives what no site can have, and another gave what worked."""
    bogus = answers.bogus_replies(case)
    return bool(bogus) and len(bogus) < len(answers.main_replies(case)) and case.failing is None


def _slow(case: Case) -> tuple[str, ...]:
    for o in case.of("baseline"):
        took, fact = o.operation.duration_us or 0, o.fact
        if isinstance(fact, TlsFact) and not failed(o) and (fact.first_byte_us or took) > SLOW_TLS_US * case.scale:
            return ("slow",)
        if isinstance(fact, DnsFact) and not failed(o) and took > SLOW_DNS_US * case.scale:
            return ("slow",)
        if isinstance(fact, HttpFact) and not failed(o) and (fact.first_byte_us or 0) > SLOW_TLS_US * case.scale:
            return ("slow",)
    return ()


def _untested(case: Case) -> tuple[str, ...]:
    """Whether every resolver that was asked is a well-known public one: the provider's own was not tested then."""
    asked = {o.operation.address for o in answers.main_replies(case) if o.operation.address}
    return ("provider_dns_untested",) if asked and all(resolvers.known(address) for address in asked) else ()
