"""The form of every explanation, and what is said of connections and of pages alike."""

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


SERVER_BY_NAME = (
    "The site's own server: one that serves many names may fail for one of them alone. A security service in front of it, or "
    "a fault that passed by chance, may do the same."
)
DEAD_SERVER = (
    "A dead or overloaded server, a security service that dislikes this program, a broken road, or a block by the name or by "
    "the address."
)
NOT_TOLD_APART = (
    "Nothing excludes these yet, so this signature alone never means “blocked”: the result is inconclusive. What would tell "
    "them apart is the comparison with another name at unrelated servers, a second vantage, or time."
)
