"""All that the incident machine remembers from one fact to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from probe.incidents.evidence import ENDPOINT, HOUSEHOLD, OWN_SIDE, Rules, is_own_side
from probe.incidents.model import Incident, Reading
from probe.incidents.track import Suspicion, Track, ready

Key = tuple[str, str]
"""Interface (empty for the only one) and URL; for the own side an empty one, or ``HOUSE``."""
HOUSE = "house"
"""What whole looks at the own side say of a filter is a matter of its own, beside the line: an antivirus may be there for
years, and a line that is cut meanwhile is another thing that began and will end.
"""

LINE = frozenset({"upstream", "resolver", "international", "whitelist", "shutdown"})
SHADOWS = LINE | {"link", "captive_portal"}
"""States of the own side under which nothing is concluded about platforms. A filter or a wrong clock is not among them:
the judge has weighed those for each endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the machine remembers. ``tracks`` has endpoints and the own side; ``incidents`` those that are open, or
    closed so lately that they may open again; ``under``, by key of the own side, the URLs that failed while the line was down
    or that a filter in the house was met at; ``moved_us``, by interface, when this host was last found in another network.
    """

    tracks: Mapping[Key, Track] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    under: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    moved_us: Mapping[str, int] = field(default_factory=dict)
    rules: Rules = ENDPOINT


START = State()


def own_side_of(tracks: Mapping[Key, Track], interface: str) -> Track | None:
    """The own side as seen through *interface*, or through whichever way out there is."""
    return tracks.get((interface, "")) or tracks.get(("", ""))


def filter_of(tracks: Mapping[Key, Track], interface: str) -> Track | None:
    """What is known of a filter in the house on the way out through *interface*, or through whichever there is."""
    return tracks.get((interface, HOUSE)) or tracks.get(("", HOUSE))


def is_down(own: Track) -> bool:
    """Whether the last telling look found the own side so broken that it explains what fails."""
    reasons = (*own.suspicions, *((own.held.why,) if own.held else ()))
    return own.failing and any(why.method in SHADOWS for why in reasons)


def shadowed(state: State, interface: str) -> bool:
    own = own_side_of(state.tracks, interface)
    return own is not None and is_down(own)


def is_enough(why: Suspicion) -> bool:
    """Whether what the own side is suspected of is enough to tell of it."""
    return ready(why, OWN_SIDE if why.method in LINE else HOUSEHOLD)


def is_blind(reading: Reading) -> bool:
    """Whether the probe cannot see its line, because it does not even get out of the house."""
    return is_own_side(reading) and reading.status == "no_network" and reading.method not in LINE
