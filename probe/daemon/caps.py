"""What may be sent and received in a day, and the file that stops everything. No clock of its own.

A day here is *any* 24 hours of the daemon's timeline, so that a clock that is set back and forward gives nobody a second
allowance, and no calendar day can hold more than the cap.
"""

from __future__ import annotations

import math
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

_HOUR = 3600.0
_HOURS = 25
"""Counted by whole hours: the one that is running, and the 24 before it."""
_DAY = 24 * _HOUR
KEPT_FREE = 0.4
"""Of a cap: an incident costs more than an ordinary day, and that is when somebody wants to know."""
_SPENT_FREELY = 0.5
"""Of what is kept free; from then on looks become rarer."""
_SLOWEST = 24.0


@dataclass(slots=True)
class Allowance:
    """Bytes that may still be used. ``spent`` and ``reserved`` together never pass ``cap``, as long as nothing costs more
    than was reserved for it; what does is counted all the same, and then nothing more is allowed.
    """

    cap: int
    _hours: deque[tuple[int, int]] = field(default_factory=deque)
    _reserved: int = 0
    _faster: tuple[float, float] = (0.0, -math.inf)
    """Bytes that were used faster than a steady day does, and at what time."""

    def spent(self, now: float) -> int:
        """Bytes of the last 24 hours (up to an hour more: rather too many than too few)."""
        self._forget(now)
        return sum(count for _hour, count in self._hours)

    def left(self, now: float) -> int:
        return max(self.cap - self.spent(now) - self._reserved, 0)

    def slower(self, now: float) -> float:
        """How many times rarer than usual to measure, so that the cap lasts: days on which everything is asked about to the
        full (behind somebody who opens all connections, say) must not end in hours of blindness.
        """
        left = 1 - self._ahead(now) / (self.cap * KEPT_FREE) if self.cap else 0.0
        return min(_SPENT_FREELY / left, _SLOWEST) if _SPENT_FREELY > left > 0 else 1.0 if left > 0 else _SLOWEST

    def _ahead(self, now: float) -> float:
        """What is left of them *now*: a steady day uses what is not kept free."""
        used, at = self._faster
        if not used:
            return 0.0
        return max(used - max(now - at, 0.0) * self.cap * (1 - KEPT_FREE) / _DAY, 0.0)

    def reserve(self, worst: int, now: float) -> bool:
        """Set *worst* bytes aside for something that is about to be measured; ``False`` if there are not as many left."""
        if worst > self.left(now):
            return False
        self._reserved += worst
        return True

    def settle(self, worst: int, used: int, now: float) -> None:
        """Give back what was reserved, and count what was used."""
        self._reserved = max(self._reserved - worst, 0)
        self.add(used, now)

    def add(self, used: int, now: float) -> None:
        """Count *used* bytes as of *now*. A time before the latest counts as the latest: the timeline never goes back."""
        self._faster = (self._ahead(now) + used, max(now, self._faster[1]))
        hour = int(now // _HOUR)
        if self._hours and self._hours[-1][0] >= hour:
            latest, count = self._hours.pop()
            self._hours.append((latest, count + used))
        elif used:
            self._hours.append((hour, used))

    def _forget(self, now: float) -> None:
        oldest = int(now // _HOUR) - _HOURS + 1
        while self._hours and self._hours[0][0] < oldest:
            self._hours.popleft()


def exists(switch: Path) -> bool:
    """Whether the kill switch is thrown. Where nobody may look, it counts as thrown: whoever put it there meant it."""
    try:
        switch.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def switch_of(named: str | None, directory: Path) -> Path:
    """The file that stops all measuring while it is there."""
    return Path(os.path.expanduser(named)) if named else directory / "stop"  # noqa: PTH111 (a tilde without a home stays)
