"""Recorded runs that are no blocks, disturbed as life disturbs them: none becomes ``blocked``.

Chosen are runs in which something fails, for a healthy one has no evidence that could be lost; none behind a proxy that takes
every connection, for that is seen by one look (``disturb.MALICE``). The hunt through all is ``python -m tests.lab.disturbed``.
"""

from __future__ import annotations

import pytest

from tests import corpus
from tests.lab import disturb
from tests.lab.disturbed import Told, disturbed, told

RUNS = (
    "lab-inject_abroad_and_server_dead",
    "lab-inject_abroad_and_nearest_cache_dead",
    "lab-stranger_ca_all_names",
    "lab-closed_after_greeting",
    "lab-reset_by_sites_own_firewall",
    "lab-front_end_backend_silent",
)
SEED = 4


def subjects() -> list[Told]:
    """The endpoints of those runs that are not well."""
    found = told([corpus.path_of(name) for name in RUNS], most=2)
    return [one for one in found if not one.is_block and "accessible" not in one.right]


@pytest.mark.parametrize("subject", subjects(), ids=lambda one: one.run)
def test_what_is_no_block_is_none_however_it_is_disturbed(subject: Told) -> None:
    """Each disturbance once: losses, resets, dead places, a run broken off, a clock that is set and the rest."""
    for kind in disturb.KINDS:
        verdict, _edits = disturbed(subject, kind, 0, seed=SEED)
        assert verdict.status != "blocked", kind


def test_a_disturbance_can_be_taken_back_edit_by_edit() -> None:
    """What is left after shrinking makes the difference, each edit of it; and the same dice make the same edits."""
    subject = subjects()[0]
    verdict, edits = disturbed(subject, "40 % lost", 0, seed=SEED)
    assert (verdict, edits) == disturbed(subject, "40 % lost", 0, seed=SEED)
    fewer = len(disturb.apply(subject.facts, edits))
    few = disturb.shrunk(subject.facts, edits, lambda facts: len(facts) <= fewer)
    assert len(disturb.apply(subject.facts, few)) == fewer
    assert all(len(disturb.apply(subject.facts, [e for e in few if e is not one])) > fewer for one in few)
    assert disturb.apply(subject.facts, []) == subject.facts
