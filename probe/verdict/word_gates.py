"""The word gates: rules that turn the word about to be printed into ``inconclusive``. None makes a word.

Like the gates of evidence they outrank any sum, have names, and can be disabled one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import HostFact
from probe.verdict import questions_way
from probe.verdict.evidence import proves
from probe.verdict.findings.located import may_be_this_side
from probe.verdict.groups import BY_NAME, LOST, SLOWED
from probe.verdict.model import Finding, Status

if TYPE_CHECKING:
    from probe.settings import Priors
    from probe.verdict.case import Case

OTHER_FLOOR = 0.7
"""Below this no other word than ``blocked`` (which has its own setting) is printed either."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The word about to be printed: its probability, and the strongest findings that count for it."""

    status: Status
    probability: float
    supports: tuple[Finding, ...]
    priors: Priors


@dataclass(frozen=True, slots=True)
class WordGate:
    """``stops`` says whether the word may not be printed."""

    name: str
    stops: Callable[[Case, Draft], bool]


def _proven(draft: Draft) -> bool:
    return any(proves(f) and f.speaks_for == draft.status and f.weight > 0 for f in draft.supports)


def blocked_needs_proof(_case: Case, draft: Draft) -> bool:
    """``blocked`` needs an artefact, a neutral contrast, or greetings left unacknowledged only for that name."""
    return draft.status == "blocked" and not _proven(draft)


def this_side(case: Case, draft: Draft) -> bool:
    """``blocked`` needs a device that is not in this house or company, wherever something shows that it may be in there.

    Where names are stopped was followed along the way, and no router that had the name is known to be somebody else's. Or
    nobody has followed it, and somebody opens all connections. So it is with questions that get lost, of which none is known
    to have left. Other proof than of names stands.
    """
    proofs = {f.code for f in draft.supports if proves(f) and f.weight > 0}
    if draft.status != "blocked" or not proofs:
        return False
    rest = proofs - LOST if questions_way.may_be_lost_here(case) else proofs
    if rest <= BY_NAME:
        return not rest or may_be_this_side(case)
    return rest <= BY_NAME | SLOWED and case.own.opened


def maybe_a_proxy(case: Case, draft: Draft) -> bool:
    """``blocked`` by names needs to know that nobody takes every connection (:func:`probe.verdict.gates.transparent_proxy`)."""
    proofs = {f.code for f in draft.supports if proves(f) and f.weight > 0}
    return draft.status == "blocked" and bool(proofs) and proofs <= BY_NAME | SLOWED and case.own.may_be_proxied


def outage_needs_own_word(_case: Case, draft: Draft) -> bool:
    """``outage`` needs the site's own word: a 5xx over a verified chain, a right but expired certificate, or its zone;
    or the same failure in two countries.

    One network cannot tell a dead server from a server that this network alone does not reach: a refused connection may
    be forged in the server's name, silence at every address may be a null route, an end of the greeting for every name may
    be a box that acts on the address. All of them stay leanings. What a zone says is heard through resolvers of two
    operators abroad, over encryption: they saw it from where they are, which makes it the site's own word.
    """
    return draft.status == "outage" and not _proven(draft)


def others_need_proof(_case: Case, draft: Draft) -> bool:
    """``accessible`` needs a success, ``denied`` the site's own word, ``no_network`` a proven state of the own side."""
    return draft.status in ("accessible", "denied", "no_network") and not _proven(draft)


def blocked_floor(_case: Case, draft: Draft) -> bool:
    """``blocked`` is printed at 0.8 (a setting) or not at all."""
    return draft.status == "blocked" and draft.probability < draft.priors.print_blocked_at


def floor(_case: Case, draft: Draft) -> bool:
    """Any other word needs more than being the likeliest."""
    return draft.status != "blocked" and draft.probability < OTHER_FLOOR


def host_slept(case: Case, draft: Draft) -> bool:
    """A host that slept during the run fired all its timers at once: no failure of that run counts."""
    slept = [
        o.fact.suspended_s
        for o in case.own.observations
        if isinstance(o.fact, HostFact) and o.fact.suspended_s is not None
    ]
    return draft.status != "accessible" and bool(slept) and max(slept) - min(slept) > 1.0


def host_moved(case: Case, draft: Draft) -> bool:
    """What was seen in one network proves nothing in another, and a contrast of the two nothing in either."""
    return draft.status == "blocked" and case.own.moved


def our_bug(case: Case, draft: Draft) -> bool:
    """Where our own program broke off the baseline, it has no word but ``accessible`` to say."""
    baseline = any(o.purpose == "baseline" for o in case.bugs)
    return baseline and draft.status != "accessible"


WORD_GATES: dict[str, WordGate] = {
    gate.name: gate
    for gate in (
        WordGate("blocked_needs_proof", blocked_needs_proof),
        WordGate("this_side", this_side),
        WordGate("maybe_a_proxy", maybe_a_proxy),
        WordGate("outage_needs_own_word", outage_needs_own_word),
        WordGate("others_need_proof", others_need_proof),
        WordGate("blocked_floor", blocked_floor),
        WordGate("floor", floor),
        WordGate("host_slept", host_slept),
        WordGate("host_moved", host_moved),
        WordGate("our_bug", our_bug),
    )
}
