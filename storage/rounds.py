"""What one round of the daemon leaves: healthy cheap looks in short form, everything else with all its details.

Healthy cheap looks are five of six, and a thousand of them a day in full would be gigabytes a year that say "all is well".
The first word that is not ``accessible`` keeps the whole round, also what was healthy in it: it is what the failure is
compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import Observation
from probe.verdict.model import EndpointResult, Run
from storage import readings, rows
from storage.rows import Change, Changes
from targets.model import Asked

if TYPE_CHECKING:
    from probe.incidents.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One endpoint of a round, judged: what was asked, how, and what came of it."""

    asked: Asked
    kind: Kind
    result: EndpointResult
    observations: tuple[Observation, ...] = ()


def changes(
    run: Run, looks: Sequence[Looked], beside: Sequence[Observation] = (), *, interface: str | None = None
) -> Changes:
    """One finished round, for ``archive.put``: all of it is kept together, or waits together in the spool.

    *run* as it is at its end. *beside*: observations of no endpoint (context, own side). Where all looks were healthy and
    cheap no run is kept.
    """
    detailed = looks if any(_tells(look, run) for look in looks) else [look for look in looks if look.kind != "cheap"]
    made: list[Change] = []
    if detailed:
        made += rows.begin(run, [look.asked for look in detailed])
        made += rows.add_observations(run.id, beside)
        for look in detailed:
            made += rows.save(run.id, look.result, look.observations, kind=look.kind, interface=interface)
    kept = {look.asked.number for look in detailed}
    for look in looks:
        if look.asked.number not in kept:
            made += readings.short(run, look.result, kind=look.kind, interface=interface)
    return together(made)


def together(changes: Iterable[Change]) -> Changes:
    """The same with what may be there already gathered by table: one statement instead of one a look.

    Such rows refer to nothing but one another, in the order in which their tables come first.
    """
    gathered: dict[str, list[rows.Row]] = {}
    others: list[Change] = []
    for change in changes:
        if isinstance(change, rows.Insert) and change.known:
            gathered.setdefault(change.table, []).extend(change.rows)
        else:
            others.append(change)
    return (*others, *(rows.Insert(table, tuple(some), known=True) for table, some in gathered.items()))


def _tells(look: Looked, run: Run) -> bool:
    """Whether its details may be wanted: they say more than that all is well."""
    return run.network_status not in (None, "ok") or not readings.is_healthy(look.result.verdict)
