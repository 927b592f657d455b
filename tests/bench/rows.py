"""One line of a benchmark's report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """``limit``: what an issue asks, in words; ``met``: whether it is so, ``None`` where nothing is asked."""

    what: str
    figure: str
    limit: str = ""
    met: bool | None = None
