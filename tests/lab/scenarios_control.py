"""A control of the user's own looks too: what it settles, what it cannot settle, and what it must never be believed.

``serves`` runs ``dalel control serve`` on the machine abroad (see control_serve.py), and the probe is asked with ``--control``.
See scenarios.py for what a row is.
"""

from __future__ import annotations

from typing import Any

from tests.lab import prove
from tests.lab.control_serve import Serves
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words

_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "no_network": 3, "inconclusive": 3}
ABROAD = Serves()
"""In another country than the probe, and both say so."""


def _row(
    name: str, tells: str, acceptable: tuple[Words, ...], *proofs: prove.Proof, serves: Serves = ABROAD, **more: Any
) -> Scenario:
    codes = tuple(sorted({_CODES[words.status] for words in acceptable}))
    fields: dict[str, Any] = {"exit_codes": codes, "sound": (OTHER,), "serves": serves, **more}
    return Scenario(name=f"control_{name}", tells=tells, acceptable=acceptable, proofs=proofs, **fields)


_SILENT = (prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER))

SCENARIOS: tuple[Scenario, ...] = (
    _row(
        "dead_server",
        "the server's machine is gone, for everybody; the control in another country sees the same",
        (Words("outage"), Words("inconclusive")),
        *_SILENT,
        world=lambda world: world.change(FACEBOOK, present=False),
    ),
)
