"""What the router is told: machines, legs and rules, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.packets6 import Translator
from tests.lab.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One machine's way to the middle of the network. Delay and jitter in seconds one way, rate in bits a second each way,
    queue in bytes, MTU in bytes of IP. ``hops`` are the routers' addresses, the machine's gateway first."""

    delay: float = 0.001
    jitter: float = 0.0
    loss: float = 0.0
    rate: float | None = None
    queue: int = 256 * 1024
    mtu: int = 1500
    hops: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    """Of the hops, those that say nothing when a TTL runs out at them."""
    twins: tuple[tuple[str, str], ...] = ()
    """A hop and another router beside it: half of the flows go by that one (``packets.branch``), always the same half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPlan:
    """A machine at the router: the interface, the frame addresses, its networks, its leg."""

    name: str
    interface: str
    machine_mac: str
    gateway_mac: str
    networks: tuple[str, ...]
    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that the router needs to know. ``probe`` names the port that "up" is seen from, and so does ``control``, the port of
    a client abroad: of its packets the rules know nothing, but for those of ``abroad``, which know nothing of the probe's.
    ``ipv6``: packets of that version are taken too; ``translator``: what stands at the probe's first router."""

    ports: tuple[PortPlan, ...]
    probe: str
    rules: tuple[Rule, ...] = ()
    control: str | None = None
    abroad: tuple[Rule, ...] = ()
    ipv6: bool = False
    translator: Translator | None = None
    gateway6: str | None = None
    """The probe's first router as its IPv6 neighbours know it."""
    seed: int = 1
