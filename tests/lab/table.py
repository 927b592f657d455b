"""All scenarios of the lab, by an explicit list of modules."""

from __future__ import annotations

from tests.lab import (
    scenarios,
    scenarios_ablations,
    scenarios_apps,
    scenarios_behind,
    scenarios_certificates,
    scenarios_closures,
    scenarios_control,
    scenarios_deep,
    scenarios_dns_home,
    scenarios_ech,
    scenarios_edns,
    scenarios_handshakes,
    scenarios_ipv6,
    scenarios_liars,
    scenarios_located,
    scenarios_messengers,
    scenarios_names,
    scenarios_oddities,
    scenarios_paths,
    scenarios_peer,
    scenarios_platforms,
    scenarios_quic,
    scenarios_requests,
    scenarios_several,
    scenarios_sinks,
    scenarios_tariffs,
    scenarios_telegram,
    scenarios_this_side,
    scenarios_throttling,
    scenarios_unseen_blocks,
    scenarios_unseen_disguised,
    scenarios_unseen_home,
    scenarios_unseen_house,
    scenarios_unseen_mixed,
    scenarios_unseen_pages,
    scenarios_unseen_sites,
    scenarios_vpn,
    scenarios_words,
    scenarios_zones,
)
from tests.lab.scenarios import Scenario

MODULES = (
    scenarios,
    scenarios_names,
    scenarios_zones,
    scenarios_liars,
    scenarios_paths,
    scenarios_handshakes,
    scenarios_requests,
    scenarios_certificates,
    scenarios_several,
    scenarios_platforms,
    scenarios_oddities,
    scenarios_peer,
    scenarios_ablations,
    scenarios_apps,
    scenarios_quic,
    scenarios_ech,
    scenarios_closures,
    scenarios_ipv6,
    scenarios_words,
    scenarios_control,
    scenarios_sinks,
    scenarios_behind,
    scenarios_deep,
    scenarios_located,
    scenarios_messengers,
    scenarios_telegram,
    scenarios_this_side,
    scenarios_dns_home,
    scenarios_throttling,
    scenarios_tariffs,
    scenarios_vpn,
    scenarios_edns,
)
UNSEEN = (
    scenarios_unseen_blocks,
    scenarios_unseen_mixed,
    scenarios_unseen_sites,
    scenarios_unseen_pages,
    scenarios_unseen_disguised,
    scenarios_unseen_home,
    scenarios_unseen_house,
)
"""Written by people who had not read the judge, and never run while rules or weights are being changed."""

ALL: tuple[Scenario, ...] = tuple(scenario for module in (*MODULES, *UNSEEN) for scenario in module.SCENARIOS)
"""Names are unique; a test holds that."""

SLICE = tuple(row for row in ALL if not row.needs and (row.in_slice or row in scenarios.SCENARIOS))
"""What `make test` runs."""

_FAMILIES = {
    s.name: module.__name__.rpartition("scenarios_")[2] for module in (*MODULES, *UNSEEN) for s in module.SCENARIOS
}


def family(name: str) -> str:
    """Which module a scenario is from: ``names``, ``paths`` …; ``first`` for the ones that the lab began with."""
    found = _FAMILIES[name]
    return "first" if "." in found else found


def is_unseen(name: str) -> bool:
    """Whether a scenario belongs to the half that is held out."""
    return _FAMILIES[name].startswith("unseen")
