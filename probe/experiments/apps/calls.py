"""Calls: the question that they begin with (STUN), put to whoever a messenger's calls begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.instruments.apps.stun import StunDialogue

if TYPE_CHECKING:
    from probe.experiments.site import Site


def dialogue(site: Site) -> StunDialogue:
    """A question with a number of its own."""
    return StunDialogue(site.wire.random)
