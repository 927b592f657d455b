"""All that the incident machine remembers from one fact to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from probe.incidents.evidence import ENDPOINT, Rules
from probe.incidents.model import Incident
from probe.incidents.track import Track

Key = tuple[str, str]
"""Interface (empty for the only one) and URL (empty for the own side)."""

LINE = frozenset({"upstream", "resolver", "international", "whitelist", "shutdown"})
SHADOWS = LINE | {"link", "captive_portal"}
"""States of the own side under which nothing is concluded about platforms. A filter or a wrong clock is not among them:
the judge has weighed those for each endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the machine remembers. ``tracks`` has endpoints and the own side; ``incidents`` those that are open, or
    closed so lately that they may open again; ``under``, by interface, the URLs that failed while the own side was down;
    ``moved_us``, by interface, when this host was last found in another network.
    """

    tracks: Mapping[Key, Track] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    under: Mapping[str, frozenset[str]] = field(default_factory=dict)
    moved_us: Mapping[str, int] = field(default_factory=dict)
    rules: Rules = ENDPOINT


START = State()


def own_side_of(tracks: Mapping[Key, Track], interface: str) -> Track | None:
    """The own side as seen through *interface*, or through whichever way out there is."""
    return tracks.get((interface, "")) or tracks.get(("", ""))


def is_down(own: Track) -> bool:
    """Whether the last telling look found the own side so broken that it explains what fails."""
    reasons = (*own.suspicions, *((own.held.why,) if own.held else ()))
    return own.failing and any(why.method in SHADOWS for why in reasons)


def shadowed(state: State, interface: str) -> bool:
    own = own_side_of(state.tracks, interface)
    return own is not None and is_down(own)
