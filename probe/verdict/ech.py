"""Whether greetings with an encrypted one inside are stopped on this line: read from :mod:`probe.experiments.ech`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.observations import Observation, TlsFact
from probe.verdict.networks import network_of
from probe.verdict.pairs import Pair

if TYPE_CHECKING:
    from probe.verdict.case import Case

PURPOSE = "ech"
PLACES = 2


def is_stopped(case: Case) -> bool:
    """Whether at two places of two operators, one of which may be a control's sink, every greeting with the extension failed
    and those with padding in its place, in turn, were answered: the rule of names.
    """
    complete = [pair for pair in _pairs(case) if pair.complete]
    networks = {network_of(pair.address) for pair in complete if not pair.group.startswith("control:")}
    liars = case.view.contradicted_controls
    controls = {pair.group for pair in complete if pair.group.startswith("control:")} - liars
    passed = any(pair.target_successes for pair in _pairs(case))
    return not passed and bool(networks) and len(networks) + len(controls) >= PLACES


def _pairs(case: Case) -> tuple[Pair, ...]:
    groups: dict[tuple[str, str], list[Observation]] = {}
    for o in case.of(PURPOSE, "tls"):
        if o.arm is not None and isinstance(o.fact, TlsFact):
            group = o.group or ""
            groups.setdefault((group, o.operation.address or group), []).append(o)
    return tuple(Pair(PURPOSE, group, address, found) for (group, address), found in sorted(groups.items()))
