"""How long what is stored stays as it is. What says that all is well becomes shorter with time; nothing else goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What ``[keep]`` says, in days. Everything that was not well keeps every detail for ever (``dalel db prune``)."""

    details_days: int = 30
    """A full look at something healthy leaves some thirty observations; after a month nobody asks for the third of them."""
    readings_days: int = 400
    """One row a look: a year can be compared with the one before. Then one row an hour."""
