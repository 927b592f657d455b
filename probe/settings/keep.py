"""How long what is stored stays as it is. What says that all is well becomes shorter with time, and so does what only repeats
itself where the database has become too large; nothing else goes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What ``[keep]`` says. What was not well keeps every detail for ever (or until ``dalel db prune --older-than``), unless it
    repeats itself for months in a database that is full.
    """

    details_days: int = 30
    """A full look at something healthy leaves some thirty observations; after a month nobody asks for the third of them."""
    readings_days: int = 400
    """One row a look: a year can be compared with the one before. Then one row an hour."""
    megabytes: int = 1000
    """In use in a SQLite file. Above it, runs lose their details, but for examples, if everything in them was healthy, or was
    said for a day before and is said for a day after: first those older than ``details_days``, and if need be those older
    than a week. 0: no limit.
    """
