"""Known troubles once more, with a kind of evidence taken away: words get weaker then, never wrong.

No control is there in any scenario of the lab yet, so its absence needs no row. ``scenarios_ipv6`` has a broken IPv6 beside
other troubles.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from targets.loader import load_canaries
from tests.lab import prove, rules, scenarios, scenarios_names, scenarios_oddities, scenarios_paths, scenarios_platforms
from tests.lab.namespaces import LabError
from tests.lab.packets import TCP
from tests.lab.rules import Rule, When
from tests.lab.scenarios import BOGON, FACEBOOK, FACEBOOK_URL, Scenario, Words
from tests.lab.world import PUBLIC_RESOLVERS, World

if TYPE_CHECKING:
    from tests.lab.lab import Lab

_ALL: dict[str, Scenario] = {
    row.name: row
    for module in (scenarios, scenarios_names, scenarios_oddities, scenarios_paths, scenarios_platforms)
    for row in module.SCENARIOS
}
UNKNOWN = Words("inconclusive")


def _weaker(row: Scenario) -> tuple[Words, ...]:
    """What is right of *row*, or nothing definite."""
    return tuple(dict.fromkeys((*row.acceptable, UNKNOWN)))


# ---------------------------------------------------------------------------------------------------------------------
# the kernel

BLIND = (sys.executable, "-I", "-S", str(Path(__file__).with_name("blind.py")))
_ASK_KERNEL = "import socket; s = socket.socket(); s.getsockopt(6, socket.TCP_INFO, 200)"


def _kernel_is_silent(lab: Lab) -> None:
    done = lab.run(*BLIND, sys.executable, "-I", "-S", "-c", _ASK_KERNEL)
    if "Protocol not available" not in done.stderr:
        raise LabError(
            f"the scenario does not do what it says: the kernel answers: {done.stdout or done.stderr[-200:]}"
        )


def _without_kernel(name: str) -> Scenario:
    row = _ALL[name]
    return dataclasses.replace(
        row,
        name=f"{name}_without_kernel",
        tells=f"{row.tells}; and the kernel tells nothing of its connections, as on other systems",
        draw=None,
        launcher=BLIND,
        in_slice=name == "path_mtu_hole",
        proofs=(*row.proofs, _kernel_is_silent),
        acceptable=_weaker(row),
        exit_codes=tuple({*row.exit_codes, 3}),
    )


_KERNEL = (
    "sni_drop",
    "sni_reset",
    "server_dead",
    "path_mtu_hole",
    "front_end_backend_silent",
    "default_host_alerts_over_hole",
    "one_flow_in_four_dies",
    "half_of_the_greetings_die",
    "reset_by_sites_own_firewall",
    "small_packets_only",
    "far_away_and_lossy",
)

# ---------------------------------------------------------------------------------------------------------------------
# who could be asked for the truth about names


def _without(
    row: Scenario,
    suffix: str,
    lost: str,
    extra: Callable[[World], tuple[Rule, ...]],
    *proofs: prove.Proof,
) -> Scenario:
    def every(world: World) -> tuple[Rule, ...]:
        return (*extra(world), *row.rules(world))

    return dataclasses.replace(
        row,
        name=f"{row.name}_without_{suffix}",
        tells=f"{row.tells}; and {lost}",
        rules=every,
        draw=None,
        in_slice=False,
        proofs=proofs,
        acceptable=_weaker(row),
        exit_codes=tuple({*row.exit_codes, 3}),
    )


def _no_encrypted_dns(_world: World) -> tuple[Rule, ...]:
    resolvers = tuple(f"{address}/32" for address in PUBLIC_RESOLVERS)
    return (
        rules.Drop(when=When(protocol=TCP, ports=(853,))),
        rules.Drop(when=When(protocol=TCP, ports=(443,), remote=resolvers)),
    )


def _no_resolver_abroad(_world: World) -> tuple[Rule, ...]:
    resolvers = tuple(f"{address}/32" for address in PUBLIC_RESOLVERS)
    return (rules.Drop(when=When(remote=resolvers)), rules.Drop(when=When(protocol=TCP, ports=(853,))))


_ENCRYPTED = (
    "dns_nxdomain",
    "dns_refused",
    "moved_site",
    "moved_site_old_place_empty",
    "expired_domain",
    "zone_broken",
    "pihole_nxdomain",
)
_ABROAD = {
    "dns_bogon": prove.answers(FACEBOOK, BOGON),
    "moved_site": prove.fails(FACEBOOK_URL, prove.UNTRUSTED, says="match"),
    "zone_broken": prove.answers(FACEBOOK, "SERVFAIL"),
    "pihole_null": prove.answers(FACEBOOK, "0.0.0.0"),
    "company_split_horizon_dead": prove.answers(FACEBOOK, "10.20.30.40"),
}
"""Rows about names, and what is left of their proofs when only the own resolver can be asked."""

# ---------------------------------------------------------------------------------------------------------------------
# the neutral places of a contrast


def no_neutrals(world: World) -> tuple[Rule, ...]:
    """Of those names that may stand in for a neutral place nothing is reached; canaries, which are never one, are."""
    canaries = load_canaries()
    kept = {canary.where for family in ("domestic", "foreign", "portal") for canary in canaries.family(family)}
    places = {world.sites[name].address for name in canaries.innocuous if name in world.sites and name not in kept}
    hit = world.sites[FACEBOOK].address
    return (rules.Drop(when=When(protocol=TCP, ports=(443,), remote=tuple(f"{a}/32" for a in sorted(places - {hit})))),)


_NEUTRALS = (
    "sni_drop",
    "sni_reset",
    "server_dead",
    "front_end_backend_silent",
    "strangers_alerted",
    "reset_by_sites_own_firewall",
    "accepts_and_hangs",
)

# ---------------------------------------------------------------------------------------------------------------------
# the clock


def _with_wrong_clock(name: str) -> Scenario:
    row = _ALL[name]
    clock = Words("no_network", "clock")

    def late(world: World) -> World:
        shifted: World = dataclasses.replace(row.world(world), shift_days=400)
        return shifted

    return dataclasses.replace(
        row,
        name=f"{name}_with_wrong_clock",
        tells=f"{row.tells}; and this machine's clock is 400 days behind",
        world=late,
        draw=None,
        in_slice=False,
        sound=(),
        network=(clock, UNKNOWN) if row.is_block else (clock,),
        exit_codes=(1, 3) if row.is_block else (3,),
        proofs=(_fails_somehow, prove.page_date_ahead("http://captive.apple.com/hotspot-detect.html", 400)),
        acceptable=(*row.acceptable, clock, UNKNOWN) if row.is_block else (clock, UNKNOWN, *row.acceptable),
        unproven_abroad="the control's clock is wrong as well: it is the world that is shifted",
    )


def _fails_somehow(lab: Lab) -> None:
    done = lab.run("curl", "-sS", "-m", "3", "-o", "/dev/null", FACEBOOK_URL)
    if done.returncode == 0:
        raise LabError(f"the scenario does not do what it says: {FACEBOOK_URL} answers")


_CLOCK = (
    "sni_drop",
    "dns_bogon",
    "server_dead",
    "server_refuses",
    "certificate_expired",
    "front_end_backend_silent",
    "moved_site",
)

_NO_DOH = prove.fails("https://8.8.8.8/", prove.SILENT)
_NO_NEUTRAL = prove.fails("https://www.lego.com/", prove.SILENT)

SCENARIOS: tuple[Scenario, ...] = (
    *(_without_kernel(name) for name in _KERNEL),
    *(
        _without(row, "encrypted_dns", "encrypted DNS vanishes", _no_encrypted_dns, *row.proofs, _NO_DOH)
        for row in map(_ALL.__getitem__, _ENCRYPTED)
    ),
    *(
        _without(_ALL[name], "resolvers_abroad", "no resolver abroad is reached", _no_resolver_abroad, proof, _NO_DOH)
        for name, proof in _ABROAD.items()
    ),
    *(
        _without(row, "neutral_places", "no neutral place is reached", no_neutrals, *row.proofs, _NO_NEUTRAL)
        for row in map(_ALL.__getitem__, _NEUTRALS)
    ),
    *(_with_wrong_clock(name) for name in _CLOCK),
)
