"""Pages over plain HTTP that are very unlike what others get: a leaning, for sites have several faces.

Compared with what a control got, and with what this network itself brought over a verified chain. If any of them is like
the page, or they are unlike each other, nothing is said: then the site shows different pages to different visitors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from probe.observations import HttpFact, Observation
from probe.verdict import elsewhere, fingerprints
from probe.verdict.case import Case
from probe.verdict.facts import http
from probe.verdict.pages import is_ordinary, is_verified_page, page_of
from probe.verdict.rows import Match, Row, row
from probe.verdict.similarity import very_unlike


def _seen_by_others(case: Case, url: str) -> tuple[Observation, ...]:
    """The same page as controls got it, and as it came here over a verified chain, of this name and path."""
    path = _path(url)
    told = tuple(o for one in elsewhere.heard(case) for o in one.tried)
    here = tuple(
        o
        for other in case.view.cases()
        for o in other.of("baseline", "http")
        if http(o).verified_chain and fingerprints.host_of(http(o).url) == fingerprints.host_of(url)
    )
    return tuple(
        o
        for o in (*told, *here)
        if isinstance(o.fact, HttpFact) and o.failure is None and o.fact.method == "GET" and _path(o.fact.url) == path
    )


def _path(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]


def another_page(case: Case) -> tuple[Observation, tuple[Observation, ...]] | None:
    """The page of the baseline that is very unlike what all others got, and what they got."""
    for attempt in case.all_baselines:
        page = page_of(attempt)
        if not attempt.ok or page is None or is_verified_page(attempt) or not is_ordinary(http(page)):
            continue
        others = _seen_by_others(case, http(page).url)
        unlike = [o for o in others if very_unlike(http(page), http(o))]
        agree = not any(very_unlike(http(a), http(b)) for a, b in itertools.combinations(unlike, 2))
        if unlike and len(unlike) == len(others) and agree:
            return page, tuple(unlike)
    return None


@row(
    "page_is_another",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="control",
    sentence="what came for {host} over plain HTTP is another page than others get: title, structure and words differ",
    why="as dns_failed: whoever gets another page does not get the site's. A page like it anywhere takes this back",
)
def page_is_another(case: Case) -> Iterator[Match]:
    found = another_page(case)
    if found is not None:
        page, others = found
        yield Match(observations=(page, *others), parameters={"host": page.operation.name or case.name})


@row(
    "page_unlike_elsewhere",
    speaks_for="blocked",
    weight=0.7,
    family="http",
    basis="control",
    sentence="the page that came for {host} over plain HTTP (“{title}”) is short and very unlike the one that others get",
    why="pages that are put in differ so; a site with a face of its own for this country does too, so a leaning",
    signatures=("http.block_page.any",),
)
def page_unlike_elsewhere(case: Case) -> Iterator[Match]:
    found = another_page(case)
    if found is not None:
        page, others = found
        yield Match(
            observations=(page, *others),
            parameters={"host": page.operation.name or case.name, "title": http(page).title or ""},
            method="http",
            signature="http.block_page.any",
            where="unknown",
        )


ROWS: tuple[Row, ...] = (page_is_another, page_unlike_elsewhere)
