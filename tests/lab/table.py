"""All scenarios of the lab, by an explicit list of modules."""

from __future__ import annotations

from tests.lab import (
    scenarios,
    scenarios_handshakes,
    scenarios_names,
    scenarios_oddities,
    scenarios_paths,
    scenarios_peer,
    scenarios_platforms,
)
from tests.lab.scenarios import Scenario

MODULES = (
    scenarios,
    scenarios_names,
    scenarios_paths,
    scenarios_handshakes,
    scenarios_platforms,
    scenarios_oddities,
    scenarios_peer,
)
ALL: tuple[Scenario, ...] = tuple(scenario for module in MODULES for scenario in module.SCENARIOS)
"""Names are unique; a test holds that."""

_FAMILIES = {scenario.name: module.__name__.rpartition("_")[2] for module in MODULES for scenario in module.SCENARIOS}


def family(name: str) -> str:
    """Which module a scenario is from: ``names``, ``paths`` …; ``first`` for the ones that the lab began with."""
    found = _FAMILIES[name]
    return "first" if "." in found else found
