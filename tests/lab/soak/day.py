"""A day of skipped time at the daemon's own pace: health, one block, one cut, health again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.lab.replay.harness import Replayed, replay
from tests.lab.replay.model import Event, Phase, Truth, utc
from tests.lab.replay.states import off, silenced
from tests.lab.soak.process import Sample, sample
from tests.lab.soak.stores import with_the_worlds_roots

_BLOCKED = ("facebook", "instagram", "youtube", "twitter", "vkontakte", "whatsapp")
_AT = "2021-03-01"

DAY = Event(
    name="soak_day",
    title="A day with a block of eight minutes and a cut of six",
    source="made up",
    phases=(
        Phase(begins=utc(f"{_AT} 00:00"), tells="all is well", world=with_the_worlds_roots),
        Phase(
            begins=utc(f"{_AT} 02:00"),
            tells="six platforms vanish",
            rules=silenced(*_BLOCKED),
            world=with_the_worlds_roots,
        ),
        Phase(begins=utc(f"{_AT} 02:08"), tells="all is well", world=with_the_worlds_roots),
        Phase(begins=utc(f"{_AT} 05:00"), tells="no Internet at all", rules=off, world=with_the_worlds_roots),
        Phase(begins=utc(f"{_AT} 05:06"), tells="all is well", world=with_the_worlds_roots),
    ),
    ends=utc(f"{_AT} 00:00") + dt.timedelta(days=1),
    truths=(Truth(words=(("blocked", "tls"),), began=utc(f"{_AT} 02:00"), ended=utc(f"{_AT} 02:08")),),
    # Every moment is near a transition, so nothing is passed over: what a day costs is what this one did.
    close=dt.timedelta(days=2),
)


TROUBLED = (
    (utc(f"{_AT} 02:00"), utc(f"{_AT} 03:10")),
    (utc(f"{_AT} 05:00"), utc(f"{_AT} 05:20")),
)
"""The block and the cut, each with what is asked again once it is over."""


def day(directory: Path, *, tell: Callable[[str], None]) -> tuple[Replayed, list[Sample]]:
    """Replay it; its database and log are left in *directory*. Takes half an hour: while something is wrong hardly any time is
    skipped."""
    samples: list[Sample] = []

    def at_jump(pid: int, at: dt.datetime, said: Mapping[str, Any]) -> None:
        samples.append(sample(pid, at, said.get("tasks")))
        if len(samples) % 100 == 0:
            last = samples[-1]
            tell(
                f"{last.at:%H:%M} {last.resident_mb:.1f} MB, {last.cpu_s:.1f} s of CPU, {last.wire_bytes / 1e6:.1f} MB carried"
            )

    return replay(DAY, directory, tell=tell, at_most_s=3 * 3600, at_jump=at_jump), samples
