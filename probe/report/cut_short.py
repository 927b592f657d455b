"""What a check left undecided because it may begin only so many connections in two minutes, and what to do. Pure."""

from __future__ import annotations

import shlex

from probe.report.pieces import Pieces
from probe.verdict.model import EndpointResult

_NAMED = 4


def results(pieces: Pieces) -> list[EndpointResult]:
    """Inconclusive results about which not all was asked, in the order asked."""
    return [result for result in pieces.results if result.number in pieces.cut_short]


def sentence(pieces: Pieces) -> str:
    """How many they are, why, and the command that asks again; empty where all was asked.

    It does not say that they would have been decided: nobody knows what the questions that were left out would have found.
    """
    found = results(pieces)
    if not found:
        return ""
    undecided = sum(result.verdict.status == "inconclusive" for result in pieces.results)
    which = "the inconclusive result" if undecided == 1 else f"{len(found)} of the {undecided} inconclusive results"
    if len(found) == undecided > 1:
        which = f"{'both' if undecided == 2 else f'all {undecided}'} inconclusive results"
    names = list(dict.fromkeys(result.platform or result.url for result in found))
    again = f"dalel check {' '.join(shlex.quote(name) for name in names[:_NAMED])}"
    few = "Ask again about that alone" if len(found) == 1 else "Ask again about fewer at a time"
    few += ", for example" if len(names) > _NAMED else ""
    return (
        f"Not everything could be asked about {which}: this check had begun as many new connections as one may in two minutes. "
        f"{few}: {again}"
    )
