"""Controls are asked, and where the baseline ended with a plain page that looks ordinary, their page is held against it.

Anybody on the way can write an ordinary-looking page over plain HTTP. One that is very unlike what all controls got is asked
for at unrelated places too: there, only somebody on the way gives the same one for this name alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.experiments import control
from probe.observations import HttpFact
from probe.verdict.similarity import very_unlike

if TYPE_CHECKING:
    from probe.experiments.site import Site


async def run(site: Site) -> None:
    """Ask the controls; see the module. A page that is like any of theirs is the success that it looked like."""
    await control.run(site)
    operation = site.suspicions.get("plain")
    if operation is None or "page" in site.suspicions:
        return
    if isinstance(operation.fact, HttpFact) and _unlike_all(operation.fact, _pages(site)):
        site.suspect("page", operation)
    else:
        site.succeeded = True


def _pages(site: Site) -> list[HttpFact]:
    """The pages that controls got for this endpoint."""
    return [
        o.fact
        for o in site.session.recorder.observations
        if o.endpoint == site.number and o.vantage != "local" and o.failure is None and isinstance(o.fact, HttpFact)
        if o.purpose in ("baseline", "siblings")
    ]


def _unlike_all(page: HttpFact, others: list[HttpFact]) -> bool:
    return bool(others) and all(very_unlike(page, other) for other in others)
