"""Every signature that the judge can print, explained: what it means, what else could cause it, how that was excluded.

Where it was not excluded the last part says so, and what the verdict is then. Tests hold this against the evidence table in
both directions, and ask for all three parts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``means``: what was seen. ``besides``: what else looks like it. ``excluded``: how that was told apart, or that it was
    not. Each is one to four plain sentences.
    """

    means: str
    besides: str
    excluded: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts with their headings, in order."""
        return (
            ("What it means", self.means),
            ("What else could cause it", self.besides),
            ("How that was excluded", self.excluded),
        )


_SERVER_BY_NAME = (
    "The site's own server: one that serves many names may fail for one of them alone. A security service in front of it, or "
    "a fault that passed by chance, may do the same."
)
_BY_NEUTRALS = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one of the same length, in turn, six times and more. “Blocked” is said only if this name failed every time at both and "
    "the other one was answered in between; the site's server had no part in that. A single success of this name takes it "
    "back. With less it stays inconclusive."
)
_BY_NEUTRAL_PAGES = (
    "Two servers abroad that have nothing to do with the site or with each other were asked for this name and for another "
    "one, in turn, six times and more. “Blocked” is said only if this name was treated so at both and the other one was "
    "answered as usual. Where somebody answers unencrypted requests for every address, the comparison does not count."
)
_DEAD_SERVER = (
    "A dead or overloaded server, a security service that dislikes this program, a broken road, or a block by the name or by "
    "the address."
)
