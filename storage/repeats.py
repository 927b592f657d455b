"""Which runs say nothing that those before and after them do not say. Pure: rows in, names of runs out.

A platform that is blocked for a year is found blocked nine thousand times. What is worth keeping of that are the beginning
and the end of it, whatever was different in between, and an example now and then; the rest is one word, said again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

DAY_US = 86_400_000_000
Place = tuple[str, str | None]
"""A URL, and the way out through which it was measured (``None`` where the host has one)."""
Word = tuple[str | None, ...]
"""All that was said of an endpoint, for comparing: status, method, signature, leaning, impairments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look of the daemon. ``run`` has its details; ``None`` where they are gone.

    ``well``: nothing but "all is well" was said. ``cheap``: it could not have seen what does not keep anybody out.
    """

    at_us: int
    place: Place
    word: Word
    well: bool
    cheap: bool = False
    run: str | None = None


@dataclass(slots=True)
class _Stretch:
    """Looks at one place that follow one another with one word. ``detailed``: when, and the run that has the details."""

    word: Word
    first_us: int
    last_us: int
    detailed: list[tuple[int, str]] = field(default_factory=list)


def choose(looks: Iterable[Look], candidates: Collection[str], every_us: int) -> set[str]:
    """Those of *candidates* in which every look is healthy, or repeats what was said for at least a day before it and is said
    for at least a day after it. Of each place and word the first look in *every_us* (of the epoch) keeps its details.

    *looks* in order of time, with some days on both sides of the candidates: what is not among them was not said. They are
    all looks of these runs, and all others at the same places.
    """
    needed: set[str] = set()
    evidence: set[tuple[Place, Word, int]] = set()
    for place, stretch in _stretches(looks):
        for at_us, run in stretch.detailed:
            example = (place, stretch.word, at_us // every_us)
            alone = at_us - stretch.first_us < DAY_US or stretch.last_us - at_us < DAY_US
            if alone or example not in evidence:
                needed.add(run)
            evidence.add(example)
    return {run for run in candidates if run not in needed}


def examples(looks: Iterable[Look], every_us: int) -> set[str]:
    """The runs that :func:`choose` leaves alone because of examples in them; looks whose details are gone may be missing."""
    seen: set[tuple[Place, Word, int]] = set()
    runs: set[str] = set()
    for look in looks:
        example = (look.place, look.word, look.at_us // every_us)
        if look.run is not None and not look.well and example not in seen:
            seen.add(example)
            runs.add(look.run)
    return runs


def _stretches(looks: Iterable[Look]) -> Iterator[tuple[Place, _Stretch]]:
    """All stretches, those of each place in order of time; of what was well they have no details."""
    of_place: defaultdict[Place, list[_Stretch]] = defaultdict(list)
    for look in looks:
        stretches = of_place[look.place]
        if not stretches or stretches[-1].word != look.word:
            if stretches and look.cheap and look.well and stretches[-1].word[0] == look.word[0]:
                # It looks at less, and what it has not looked for is not over.
                continue
            stretches.append(_Stretch(look.word, look.at_us, look.at_us))
        stretches[-1].last_us = look.at_us
        if look.run is not None and not look.well:
            stretches[-1].detailed.append((look.at_us, look.run))
    for place, found in of_place.items():
        for stretch in found:
            yield place, stretch
