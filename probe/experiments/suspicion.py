"""Which follow-ups a suspicion starts. Pure: a table, not a plan; the order is the runner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.experiments import (
    behind,
    contrast,
    control_pairs,
    dns_answers,
    likeness,
    locate,
    packets,
    path_mtu,
    quic,
    residual,
    retry,
    siblings,
    split,
    udp_here,
    vendor_sign,
)
from probe.experiments.apps import protocol_pair
from probe.experiments.site import CERTIFICATE, DEEP
from probe.observations import Operation
from targets.schemes import app_of

if TYPE_CHECKING:
    from probe.experiments.site import FollowUp
    from probe.settings import Settings

FOLLOW_UPS: dict[str, FollowUp] = {
    "retry": retry.run,
    "dns_answers": dns_answers.run,
    "neutral_pair": contrast.neutral_pairs,
    "neutral_chain": contrast.neutral_chains,
    "own_pair": contrast.own_pair,
    "path_mtu": path_mtu.run,
    "siblings": siblings.addresses,
    "neighbours": siblings.neighbours,
    "behind": behind.run,
    "locate": locate.run,
    "control_pair": control_pairs.run,
    "udp_here": udp_here.run,
    "vendor_sign": vendor_sign.run,
    "protocol_pair": protocol_pair.run,
    "quic": quic.run,
    "control": likeness.run,
    "packets": packets.run,
    "residual": residual.run,
    "split": split.run,
}
_OF_NAMES = ("neutral_pair", "neutral_chain", "own_pair", "control_pair")

_OVER_443 = ("quic", "doq")
"""What is QUIC has a look at the line of its own."""

_BY_STAGE: dict[str, tuple[str, ...]] = {
    "dns": ("dns_answers", "control"),
    "tcp": ("retry", "dns_answers", "siblings", "neighbours", "neutral_pair", "locate", "vendor_sign", "control"),
    "tls": (
        "retry",
        "neutral_pair",
        "own_pair",
        "path_mtu",
        "dns_answers",
        "siblings",
        "locate",
        "vendor_sign",
        "control_pair",
        "control",
    ),
    "certificate": ("retry", "neutral_chain", "dns_answers", "siblings", "control"),
    "http": ("retry", "neutral_pair", "own_pair", "dns_answers", "locate", "vendor_sign", "control_pair", "control"),
    "app": ("retry", "udp_here", "dns_answers", "protocol_pair"),
    "page": ("dns_answers", "neutral_pair", "control"),
    "plain": ("control",),
}


def follow_ups(scheme: str, stage: str, operation: Operation | None, settings: Settings) -> list[tuple[str, FollowUp]]:
    """Names and functions of what to ask after a failure (*operation*) or a long silence (``None``) at *stage*.

    ``page`` is a response over plain HTTP that an ordinary site would not give, ``plain`` an ordinary one, which controls can
    tell from what they get; ``app`` is an app's own exchange. What says no name has none to contrast, so pairs are left out;
    and a control, which can only connect for an app, is not asked about what has no connection.
    """
    # Pairs tell nothing about a certificate that does not verify, addresses do.
    if stage == "tls" and operation is not None and operation.failure in CERTIFICATE:
        stage = "certificate"
    asked = list(_BY_STAGE[stage])
    if stage in ("tls", "http") and operation is not None and operation.failure == "connection_reset":
        asked += ["behind", "packets"]
    if stage == "tls":
        asked.extend(DEEP)
    if stage == "app" and scheme in _OVER_443:
        asked.append("quic")
    app = app_of(scheme)
    pairless = (*_OF_NAMES, "control") if app is not None and app.transport == "udp" else _OF_NAMES
    bare = scheme == "tcp" or (app is not None and app.transport != "websocket")
    names = [name for name in asked if not (bare and name in pairless)]
    if app is None or app.transport != "udp" or scheme in _OVER_443:
        names = [name for name in names if name != "udp_here"]
    if scheme not in protocol_pair.SCHEMES:
        names = [name for name in names if name != "protocol_pair"]
    return [(name, FOLLOW_UPS[name]) for name in names if wanted(name, settings)]


def wanted(name: str, settings: Settings) -> bool:
    """Whether ``--only`` and ``--skip`` leave the experiment *name* in; a control is asked only if there is one, and what
    takes minutes only with ``--deep``.
    """
    if name in ("control_pair", "protocol_pair") and not settings.controls:
        return False
    if name == "control" and not (settings.controls or settings.proxies):
        return False
    if name in DEEP and not settings.deep:
        return False
    return (not settings.only or name in settings.only) and name not in settings.skip
