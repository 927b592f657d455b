"""The settings of ``dalel run``: how often, how much at most, and what stops it.

``[run]`` holds single keys (``probe.settings.keys``). A pace of its own for a platform or a list is a section of its own,
``[run.platform.NAME]`` or ``[run.list.NAME]``, with one key: ``every``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SHORTEST_EVERY = 60.0
LONGEST_EVERY = 86_400.0
EVERY_EXPECTED = "a number of seconds from 60 to 86400 (a day)"


class PaceError(ValueError):
    """A section of a platform or a list that cannot be used; the text ends the sentence after its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What ``[run]`` says. All times are seconds; every one of them is jittered by a twentieth, own side by a third."""

    every: float = 600.0
    """One endpoint of each platform and service, in turn: an incident's start is then known to ten minutes."""
    own_side_every: float = 90.0
    """A shutdown is noticed at the second look. A third of jitter makes it the 60 to 120 s of the plan."""
    incident_every: float = 300.0
    """What an open incident holds: its end is then known to five minutes."""
    deep: bool = False
    """Ask also how a block works, when one begins and hourly: more data, and more of it unlike a browser's."""
    megabytes_per_day: float = 100.0
    """A hundredth of what the cheapest mobile plans give in a month; four times the ordinary need."""
    metered: bool = False
    """Somebody pays for each byte: the next cap holds, and nothing deep is asked."""
    metered_megabytes_per_day: float = 10.0
    kill_switch: str | None = None
    """While this file exists nothing is measured. ``None``: ``stop`` in the data directory."""
    platforms: tuple[tuple[str, float], ...] = ()
    """Platforms (by id or name) with an ``every`` of their own."""
    lists: tuple[tuple[str, float], ...] = ()
    """Lists (without ``@``) with one."""

    @property
    def cap_bytes(self) -> int:
        """What may be sent and received in any 24 hours."""
        return int((self.metered_megabytes_per_day if self.metered else self.megabytes_per_day) * 1e6)


def pace_from_table(table: Any) -> float:
    """The ``every`` of one such section. Raises :class:`PaceError`."""
    if not isinstance(table, dict):
        raise PaceError("its pace is written below its own section: every = SECONDS")
    for key in table:
        if key != "every":
            raise PaceError(f'there is no "{key}" here. There is: every')
    every = table.get("every")
    if isinstance(every, bool) or not isinstance(every, (int, float)) or not SHORTEST_EVERY <= every <= LONGEST_EVERY:
        raise PaceError(f"every must be {EVERY_EXPECTED}")
    return float(every)
