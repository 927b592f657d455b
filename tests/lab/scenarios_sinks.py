"""The control as a place: pairs of names at its own sink, through this network, and a control that acts on the name itself.

The worlds and rules are those of rows elsewhere; ``dalel control serve`` runs abroad under a name and a certificate that
everybody trusts, with its sinks at the well-known ports. A control that drops one name looks from here as a censor does: what
is dead besides must never be called blocked for it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from tests.lab import (
    prove,
    rules,
    scenarios,
    scenarios_certificates,
    scenarios_handshakes,
    scenarios_oddities,
    scenarios_platforms,
    scenarios_requests,
    scenarios_several,
)
from tests.lab.censor_quic import QuicDrop
from tests.lab.control_serve import ADDRESS, HOST, Serves
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.prove import Proof
from tests.lab.rules import Rule, When
from tests.lab.scenarios import FACEBOOK, Scenario, Words
from tests.lab.scenarios_ablations import no_neutrals
from tests.lab.world import World

_GREETINGS = (scenarios_handshakes, scenarios_requests, scenarios_certificates, scenarios_several)
_KNOWN: dict[str, Scenario] = {
    row.name: row
    for module in (scenarios, *_GREETINGS, scenarios_oddities, scenarios_platforms)
    for row in module.SCENARIOS
}
_NAMED = Serves(named=True)
_SINK = When(remote=(f"{ADDRESS}/32",), ports=(443,))
_UNKNOWN, _OUTAGE = Words("inconclusive"), Words("outage")


def _with_sink(
    name: str,
    label: str = "",
    *,
    extra: Callable[[World], tuple[Rule, ...]] = lambda _world: (),
    serves: Serves = _NAMED,
    **changes: Any,
) -> Scenario:
    """A row of another module, and a control of which the probe knows by its name."""
    row = _KNOWN[name]

    def world(whole: World) -> World:
        made = row.world(whole)
        return dataclasses.replace(made, hosts=f"{made.hosts}{ADDRESS} {HOST}\n")

    def every(made: World) -> tuple[Rule, ...]:
        return (*extra(made), *row.rules(made))

    standard: dict[str, Any] = {
        "name": f"sink_{name}{label}",
        "tells": f"{row.tells}; a control abroad is a place where names are compared",
        "serves": serves,
        "world": world,
        "rules": every,
        "draw": None,
        "in_slice": False,
    }
    made: Scenario = dataclasses.replace(row, **{**standard, **changes})
    return made


def _liar(rule: type[rules.ByName]) -> Callable[[World], tuple[Rule, ...]]:
    """Whoever runs the control acts on the name at its own door, and nowhere else."""
    return lambda _world: (rule(names=(FACEBOOK,), when=_SINK),)


def _weaker(name: str, *others: Words) -> dict[str, Any]:
    """What is right of a row, or less, where less can be seen."""
    row = _KNOWN[name]
    words = tuple(dict.fromkeys((*row.acceptable, *others)))
    return {"acceptable": words, "exit_codes": tuple({*row.exit_codes, 1 if _OUTAGE in others else 3, 3})}


def _at_sink(sni: str, *, works: bool) -> Proof:
    """openssl, sent to the control's sink with the name of a site, gets an answer or does not."""

    def prove_it(lab: Lab) -> None:
        asked = f"timeout 3 openssl s_client -connect {ADDRESS}:443 -servername {sni} </dev/null"
        done = lab.run("sh", "-c", asked)
        if ("BEGIN CERTIFICATE" in done.stdout) is not works:
            raise LabError(f"the scenario does not do what it says: {sni} at the control's sink: {done.stderr[-200:]}")

    return prove_it


def _quic_at_sink(sni: str, *, works: bool) -> Proof:
    """aioquic's client, sent to the control's QUIC sink with the name of a site, gets through its handshake or does not."""

    def prove_it(lab: Lab) -> None:
        command = ["env", f"--chdir={REPOSITORY}", sys.executable, "-S", "-m", "tests.lab.quic", "shake", ADDRESS, sni]
        done = lab.run(*command)
        if (done.stdout.strip() == "shaken") is not works:
            raise LabError(f"the scenario does not do what it says: {sni} at the QUIC sink: {done.stderr[-200:]}")

    return prove_it


_LIES = (_at_sink("www.nobelprize.org", works=True), _at_sink(FACEBOOK, works=False))
"""Its owner answers other names, and this one not."""


def _no_place(name: str, *more: Proof) -> dict[str, Any]:
    return {"proofs": (*_KNOWN[name].proofs, *more, prove.fails("https://www.lego.com/", prove.SILENT))}


_DEAD = (
    "accepts_and_hangs",
    "front_end_backend_silent",
    "server_resets_its_own_name",
    "reset_by_sites_own_firewall",
    "scrubber_drops_its_own_name",
)
"""What is the site's own trouble, and looks most like a block by name."""

SCENARIOS: tuple[Scenario, ...] = (
    *(
        _with_sink(name, in_slice=name == "sni_drop")
        for name in ("healthy", "sni_drop", "sni_reset", "sni_reply_drop", "http_host_reset", "http_host_drop")
    ),
    _with_sink("sni_drop", "_untrusted", serves=Serves()),
    _with_sink(
        "healthy",
        "_quic_cut",
        tells="QUIC flows are dropped from a greeting with the name on, at the control's sink too; over TCP the name passes",
        extra=lambda _world: (QuicDrop(names=(FACEBOOK,)),),
        proofs=(
            *_KNOWN["healthy"].proofs,
            _quic_at_sink("www.nobelprize.org", works=True),
            _quic_at_sink(FACEBOOK, works=False),
            _at_sink(FACEBOOK, works=True),
        ),
    ),
    *(
        _with_sink(name, "_without_neutrals", extra=no_neutrals, **_weaker(name, _UNKNOWN), **_no_place(name))
        for name in ("sni_drop", "sni_reset", "sni_reply_drop")
    ),
    *(
        _with_sink(
            name,
            f"_and_a_control_that_{word}",
            extra=_liar(rule),
            proofs=(*_KNOWN[name].proofs, *_LIES),
            **_weaker(name, _UNKNOWN, _OUTAGE),
        )
        for name in _DEAD
        for word, rule in (("drops", rules.NameDrop), ("resets", rules.NameReset))
    ),
    *(
        _with_sink(
            name,
            "_without_neutrals_and_a_control_that_drops",
            extra=lambda world: (*no_neutrals(world), *_liar(rules.NameDrop)(world)),
            **_weaker(name, _UNKNOWN, _OUTAGE),
            **_no_place(name, *_LIES),
        )
        for name in _DEAD
    ),
)
