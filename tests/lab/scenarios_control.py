"""A control of the user's own looks too: what it settles, what it cannot settle, and what it must never be believed.

Most rows are rows of other modules once more: the same world and the same rules, and ``dalel control serve`` on the machine
abroad (see control_serve.py), which the probe is told of with ``--control``. Where the trouble is the platform's own, for
everybody, ``inconclusive`` is not good enough any more; where it is a place, a route or a refusal of this country, and where
an address is dropped at the border, nothing that one control sees can decide it, and ``blocked`` is an error.
"""

from __future__ import annotations

import dataclasses

from tests.lab import (
    scenarios,
    scenarios_apps,
    scenarios_certificates,
    scenarios_handshakes,
    scenarios_names,
    scenarios_oddities,
    scenarios_paths,
    scenarios_peer,
    scenarios_platforms,
    scenarios_requests,
    scenarios_several,
    scenarios_unseen_home,
    scenarios_unseen_house,
    scenarios_unseen_mixed,
    scenarios_unseen_sites,
    scenarios_zones,
)
from tests.lab.control_serve import Serves
from tests.lab.scenarios import Scenario, Words

_CODES = {"accessible": 0, "blocked": 1, "outage": 1, "denied": 1, "no_network": 3, "inconclusive": 3}
_MODULES = (
    scenarios,
    scenarios_names,
    scenarios_zones,
    scenarios_paths,
    scenarios_handshakes,
    scenarios_requests,
    scenarios_certificates,
    scenarios_several,
    scenarios_platforms,
    scenarios_oddities,
    scenarios_peer,
    scenarios_apps,
    scenarios_unseen_sites,
    scenarios_unseen_mixed,
    scenarios_unseen_home,
    scenarios_unseen_house,
)
_KNOWN = {row.name: row for module in _MODULES for row in module.SCENARIOS}

ABROAD = Serves()
"""In another country than the probe, and both say so."""
OUTAGE = (Words("outage"),)
UNKNOWN = (Words("inconclusive"),)


def _again(name: str, acceptable: tuple[Words, ...], serves: Serves = ABROAD, label: str = "") -> Scenario:
    """A row of another module, with a control."""
    row: Scenario = _KNOWN[name]
    codes = tuple(sorted({_CODES[words.status] for words in acceptable} | set(row.exit_codes)))
    return dataclasses.replace(
        row,
        name=f"control_{label}{name}",
        tells=f"{row.tells}; a control abroad looks too",
        acceptable=acceptable,
        exit_codes=codes,
        serves=serves,
        in_slice=label == "" and name == "server_dead",
        draw=None,
    )


_SETTLED = (
    "server_dead",
    "server_refuses",
    "all_addresses_dead",
    "host_unreachable_far_side",
    "port_unreachable",
    "icmp_host_unreachable",
    "icmp_net_unreachable",
    "icmp_prohibited_by_server",
    "icmp_port_by_server",
    "https_dropped_at_server",
    "one_server_dead_of_many",
    "accepts_and_hangs",
    "server_too_slow_to_greet",
    "server_silent_to_everybody",
    "server_resets_its_own_name",
    "scrubber_drops_its_own_name",
    "redirect_into_an_outage",
    "http_server_resets_one_host",
    "peer_untrusted_root",
    "inject_abroad_and_server_dead",
    "zone_servers_dead",
    "zone_broken_and_here_silent",
    "names_chain_to_a_dead_zone",
    "ends_before_the_greeting",
    "window_never_opens",
    "scrubber_reaches_no_server",
    "withdrawn_from_the_internet",
    "scrubber_of_two_companies_dead",
)
"""The platform's own trouble, for everybody: the same in both countries."""

_BY_CHANCE = ("resets_before_the_greeting",)
"""Where the same trouble ends one step sooner or later by chance, which is not the same failure."""

_UNSETTLED = (
    "address_blackholed_beside_a_living_neighbour",
    "network_of_256_blackholed",
    "syn_reset_at_the_border",
    "no_route_at_the_border",
    "cache_in_the_provider_dead",
    "inject_abroad_and_nearest_cache_dead",
    "moved_site_old_place_empty",
    "server_resets_this_country",
    "zone_denies_itself_to_this_country",
    "zone_servers_out_of_reach_here",
    "peering_with_one_operator_dead",
)
"""What is so in this network, or for this country, alone: dead for the probe, well for the control."""

_DECIDED_HERE = ("sni_drop", "sni_reset", "dns_bogon", "dns_nxdomain", "server_503", "certificate_expired", "healthy")
"""What the probe decides by itself stays as it is."""

_NOT_HEARD = (
    *(Serves(manner=manner) for manner in ("up", "down", "changes", "nonsense", "page", "slow")),
    Serves(absent=True),
    Serves(country="KZ"),
    Serves(proxy=True),
)
"""Controls that lie, are not there, are in the same country, or are proxies. A dead site and a silent address stay what they
were without them: a proxy's word only leans."""


def _label(serves: Serves) -> str:
    return serves.manner or ("absent" if serves.absent else "proxy" if serves.proxy else "at_home")


SCENARIOS: tuple[Scenario, ...] = (
    *(_again(name, OUTAGE) for name in _SETTLED),
    *(_again(name, (*OUTAGE, *UNKNOWN)) for name in _BY_CHANCE),
    *(_again(name, UNKNOWN) for name in _UNSETTLED),
    *(_again(name, _KNOWN[name].acceptable) for name in _DECIDED_HERE),
    *(
        _again(name, words, serves, f"{_label(serves)}_")
        for serves in _NOT_HEARD
        for name, words in (
            ("address_blackholed_beside_a_living_neighbour", UNKNOWN),
            ("server_dead", UNKNOWN),
            ("sni_drop", _KNOWN["sni_drop"].acceptable),
        )
    ),
)
