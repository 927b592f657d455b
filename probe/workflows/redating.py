"""What was measured before anybody told this host the time, until somebody does.

A computer without a battery for its clock that starts while the line is down is hours behind, or in 1970. What it sees is
dated by that clock, and told of with those dates, unless all of it is dated anew as soon as the time is known.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probe.incidents.redating import moments_of
from storage.redating import Correction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from probe.incidents.model import Fact
    from probe.workflows.kit import ClockOffset
    from probe.workflows.watching import Came

MOST = 6000
"""So many looks and rounds are remembered, the newest: five days of a line that is down, in a megabyte and a half."""
WORTH_IT_US = 2_000_000
"""What is this little wrong is not worth a new version of anything."""


@dataclass(slots=True)
class Undated:
    """What came while nobody had told the time."""

    _came: deque[tuple[str, array[int], float]] = field(default_factory=lambda: deque(maxlen=MOST))

    def note(self, came: Came) -> None:
        """Remember *came*, if its times are those of a clock of which nothing is known."""
        if came.undated_s is not None:
            facts: Iterable[Fact] = (*came.readings, *came.moved, *([came.own_side] if came.own_side else ()))
            self._came.append((came.run, array("q", moments_of(facts)), came.undated_s))

    def known(self, clock: ClockOffset, now_us: int) -> Correction | None:
        """What *clock*, which says *now_us*, knows of it now; ``None`` if that is nothing, or nothing is to be corrected.

        What has to be corrected is remembered until :meth:`forget`; the rest is forgotten once the time is known, for what
        a clock does later says nothing of it.
        """
        still_us = clock.at(now_us)
        if still_us is None or not self._came:
            return None
        runs: dict[str, int] = {}
        moments: dict[int, int] = {}
        for run, found, apart_s in self._came:
            offset_us = clock.when_apart(apart_s) or 0
            if abs(offset_us) > WORTH_IT_US:
                runs[run] = offset_us
                moments |= dict.fromkeys(found, offset_us)
        if not runs:
            self._came.clear()
            return None
        return Correction(runs=runs, moments=moments, still_us=still_us)

    def forget(self, corrected: Correction) -> None:
        """What was *corrected*, and not what came meanwhile."""
        left = [one for one in self._came if one[0] not in corrected.runs]
        self._came.clear()
        self._came.extend(left)
