"""The judge: findings, weights, gates, one word. Pure: no socket, clock, chance or database.

The strongest finding of each family counts; weights are log10 likelihood ratios and add to stated priors; the posterior
is the confidence. Gates outrank any sum: those of :mod:`probe.verdict.gates` set findings aside before it, those of
:mod:`probe.verdict.word_gates` stop words after it. All findings are kept, for and against.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from probe.verdict import evidence, gates, word_gates
from probe.verdict.findings.located import refined
from probe.verdict.impairments import impairments
from probe.verdict.model import BASES, DEFINITE, METHODS, Finding, Status, Verdict, Where
from probe.verdict.ruleset import RULESET
from probe.verdict.settle import settle
from probe.verdict.word_gates import Draft

if TYPE_CHECKING:
    from probe.settings import Priors
    from probe.verdict.case import Case
    from probe.verdict.view import View
    from targets.model import Asked

_OTHER_SIDE = frozenset({"control_never_arrived", "control_answer_lost", "control_altered"})
LEANING = 0.4
"""A status is leant to from this probability on, if it is the likeliest."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """All findings with what the gates set aside (weight 0), and the probability of each status."""

    findings: tuple[Finding, ...]
    counted: tuple[Finding, ...]
    posterior: dict[Status, float]
    fired: tuple[str, ...]


def weigh(case: Case, priors: Priors) -> Weighed:
    """Collect the findings of a case, let the evidence gates set some aside, and add up the rest."""
    found = tuple(finding for row in evidence.TABLE.values() for finding in row.findings(case))
    kept, fired = _set_aside(case, found)
    counted = strongest(f for f in kept if f.weight != 0)
    return Weighed(kept, counted, posterior(counted, priors), fired)


def _set_aside(case: Case, found: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    aside: dict[str, str] = {}
    fired: list[str] = []
    for gate in gates.EVIDENCE_GATES.values():
        left = tuple(f for f in found if f.code not in aside)
        here = set(gate.find(case, left)) & {f.code for f in left}
        if here:
            fired.append(gate.name)
            aside |= dict.fromkeys(here, gate.name)
    kept = tuple(
        replace(f, weight=0.0, parameters={**f.parameters, "set_aside_by": aside[f.code]}) if f.code in aside else f
        for f in found
    )
    return kept, tuple(fired)


def strongest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The strongest finding of each family: dependent facts count once. Ties go to the code, so that order never counts."""
    best: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (-abs(f.weight), f.code)):
        best.setdefault(finding.family, finding)
    return tuple(best.values())


def posterior(counted: tuple[Finding, ...], priors: Priors) -> dict[Status, float]:
    """The probability of each definite status; they add up to 1."""
    logs: dict[Status, float] = {
        status: math.log10(max(getattr(priors, status), 1e-9))
        + math.fsum(f.weight for f in counted if f.speaks_for == status)
        for status in DEFINITE
    }
    top = max(logs.values())
    parts = {status: 10 ** (value - top) for status, value in logs.items()}
    total = math.fsum(parts.values())
    return {status: part / total for status, part in parts.items()}


def judge(view: View, asked: Asked, priors: Priors) -> Verdict:
    """One word about one endpoint, from the facts of its run up to the view's horizon. Never raises on any facts."""
    case = view.case(asked)
    weighed = weigh(case, priors)
    status, probability = max(weighed.posterior.items(), key=lambda item: (item[1], -DEFINITE.index(item[0])))
    supports = tuple(f for f in weighed.counted if f.speaks_for == status and f.weight > 0)
    draft = Draft(status, probability, supports, priors)
    stopped = tuple(gate.name for gate in word_gates.WORD_GATES.values() if gate.stops(case, draft))
    fired = (*weighed.fired, *stopped)
    if stopped:
        return _inconclusive(case, weighed, fired, draft)
    return _definite(case, weighed, fired, draft)


def _definite(case: Case, weighed: Weighed, fired: tuple[str, ...], draft: Draft) -> Verdict:
    status = draft.status
    decided = _deciding(draft.supports)
    method = decided.method if decided.method in METHODS[status] else None
    supports, against = sides(weighed.findings, status)
    return Verdict(
        endpoint=case.asked.number,
        status=status,
        method=method,
        signature=decided.signature,
        confidence=round(min(draft.probability, 0.999), 3),
        basis=min((f.basis for f in draft.supports), key=BASES.index),
        where=_where(status, decided, weighed.findings),
        findings=supports,
        against=against,
        impairments=impairments(case, status, weighed.findings),
        gates=fired,
        also=_also(status, weighed.findings),
        horizon=case.view.horizon,
        ruleset=RULESET,
    )


def _inconclusive(case: Case, weighed: Weighed, fired: tuple[str, ...], draft: Draft) -> Verdict:
    leaning = draft.status if draft.probability >= LEANING and draft.status != "accessible" else None
    supports, against = sides(weighed.findings, leaning or draft.status)
    return Verdict(
        endpoint=case.asked.number,
        status="inconclusive",
        signature=_seen(weighed, leaning),
        where=None,
        findings=supports,
        against=against,
        impairments=impairments(case, "inconclusive", weighed.findings),
        leaning=leaning,
        settle=settle(case, weighed.findings, fired),
        gates=fired,
        horizon=case.view.horizon,
        ruleset=RULESET,
    )


def _deciding(supports: tuple[Finding, ...]) -> Finding:
    """What the verdict is named after: the strongest that proves, the better basis first, the lower layer first."""
    order = {code: place for place, code in enumerate(evidence.TABLE)}
    return min(supports, key=lambda f: (not evidence.proves(f), -f.weight, BASES.index(f.basis), order[f.code]))


def _where(status: Status, decided: Finding, findings: tuple[Finding, ...]) -> Where | None:
    """As near as the evidence places the cause; always something where somebody is to blame."""
    if status == "accessible":
        return None
    where = decided.where or "unknown"
    return refined(where, findings) if status == "blocked" else where


def _seen(weighed: Weighed, leaning: Status | None) -> str | None:
    """The deepest node that the evidence supports, for a result without a word."""
    for_leaning = [f for f in weighed.counted if f.speaks_for == leaning and f.weight > 0 and f.signature]
    if for_leaning:
        return min(for_leaning, key=lambda f: (-f.weight, f.code)).signature
    failures = [f for f in weighed.findings if f.family == "baseline" and f.weight < 0 and f.signature]
    return failures[0].signature if failures else None


def sides(findings: tuple[Finding, ...], status: Status) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(for, against) *status*, the strongest first. What speaks against another status speaks for this one."""

    def supports(finding: Finding) -> bool:
        if finding.weight == 0:
            return False
        return (finding.speaks_for == status) == (finding.weight > 0)

    ordered = sorted(findings, key=lambda f: (-abs(f.weight), f.code))
    return tuple(f for f in ordered if supports(f)), tuple(f for f in ordered if not supports(f))


def _also(status: Status, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """What else is the matter: interference proven at a neutral wins over a dead server, but both are said.

    What a control says of the other side is no evidence beside a proof, and still worth telling.
    """
    if status != "blocked":
        return ()
    dead = {"refuses_every_name", "all_addresses_dead", "tcp_refused", "neighbours_dead"}
    codes = {f.code for f in findings if f.weight > 0}
    down = ("also_down",) if codes & dead and "neutral_flip" in codes else ()
    told = (f.code for f in findings if f.parameters.get("set_aside_by", "control_only_leans") == "control_only_leans")
    return (*down, *sorted(_OTHER_SIDE & set(told)))
