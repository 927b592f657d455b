"""Ways of blocking, and blocks that meet other troubles, written without knowledge of the judge: the half that is held out. See README.md."""

from __future__ import annotations

from tests.lab.scenarios import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
