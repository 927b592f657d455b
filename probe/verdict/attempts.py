"""Walks from name to page: which operations of one count, and where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from probe.observations import DnsFact, Observation
from probe.verdict import addresses
from probe.verdict.facts import dns, failed

Stage = Literal["dns", "tcp", "tls", "http", "app"]
_STAGES: tuple[Stage, ...] = ("app", "http", "tls", "tcp", "dns")
"""The deepest first."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One walk from name to page: the operations of its last hop that count, and where it ended.

    ``ok`` is ``None`` while it is not known (nothing measured, or cut off). ``stage`` and ``last`` are the deepest
    operation; ``hop`` how many redirects were followed before it.
    """

    group: str
    hop: int
    steps: tuple[Observation, ...]
    ok: bool | None
    stage: Stage | None
    last: Observation | None

    @property
    def failure(self) -> str | None:
        """Why it failed; an answer that nobody may connect to has no failure of its own."""
        if self.last is None or self.ok is not False:
            return None
        return self.last.failure or "dns_bogon_error"

    def of(self, kind: str) -> tuple[Observation, ...]:
        """The steps of one kind."""
        return tuple(o for o in self.steps if o.operation.kind == kind)


def read_attempt(group: str, observations: Sequence[Observation], deepest: Stage) -> Attempt:
    """Read the last hop of an attempt. *deepest*: the operation whose success is the goal."""
    hop = max(o.hop for o in observations)
    steps = tuple(o for o in observations if o.hop == hop and o.operation.kind in _STAGES)
    order = _STAGES
    for stage in order:
        here = [o for o in steps if o.operation.kind == stage and (stage != "dns" or dns(o).reply_index == 0)]
        if not here:
            continue
        good = [o for o in here if o.failure is None and _usable(o)]
        bad = [o for o in here if failed(o)]
        if stage == deepest == "http" and here[-1].failure is None:
            return Attempt(group, hop, steps, ok=True, stage=stage, last=here[-1])
        if good and order.index(stage) <= order.index(deepest):
            return Attempt(group, hop, steps, ok=True, stage=stage, last=good[-1])
        if good and stage == "dns" and not any(addresses.connectable(a) for o in good for a in dns(o).addresses):
            return Attempt(group, hop, steps, ok=False, stage=stage, last=good[-1])
        if good or not bad:
            return Attempt(group, hop, steps, ok=None, stage=stage, last=here[-1])
        return Attempt(group, hop, steps, ok=False, stage=stage, last=bad[-1])
    return Attempt(group, hop, steps, ok=None, stage=None, last=None)


def _usable(observation: Observation) -> bool:
    fact = observation.fact
    return not isinstance(fact, DnsFact) or bool(fact.addresses)
