"""The same again from fresh ports, and another address of the name: whether what failed fails for good."""

from __future__ import annotations

from collections.abc import Iterator

from probe.verdict import fingerprints
from probe.verdict.attempts import Attempt
from probe.verdict.case import Case
from probe.verdict.facts import http, verified
from probe.verdict.pages import is_notice, is_ordinary, is_redirect, page_of, sent_on_and_on
from probe.verdict.rows import Match, Row, row


@row(
    "retry_succeeded",
    speaks_for="accessible",
    weight=1.5,
    family="retry",
    basis="behaviour",
    proves=True,
    sentence="the same again over a new connection worked",
    why="a passing trouble passes; less than the cap, for a censor may act on some flows only",
)
def retry_succeeded(case: Case) -> Iterator[Match]:
    for attempt in case.retries:
        if attempt.last is not None and is_own_success(case, attempt) and _got_as_far(case, attempt):
            yield Match(observations=(attempt.last,))


def _got_as_far(case: Case, attempt: Attempt) -> bool:
    """Whether a retry got to where the baseline failed: a greeting is no answer, and a page's first bytes not its rest."""
    page = page_of(attempt)
    if case.failing is None and any(sent_on_and_on(baseline) for baseline in case.all_baselines):
        # No step of it failed, and neither a greeting nor one step more is the end of it.
        return page is not None and not is_redirect(http(page))
    if case.failing is None:
        return True
    if case.failing.stage != "http" or case.failing.last is None:
        return True
    if page is None:
        return False
    return not http(page).body_truncated or (http(page).body_length or 0) > (http(case.failing.last).body_length or 0)


def is_own_success(case: Case, attempt: Attempt) -> bool:
    """Whether a retry got through to the site itself, as far as can be told: not to a notice, an error or a stranger."""
    if not attempt.ok:
        return False
    if attempt.stage == "tls":
        return any(verified(o.fact) for o in attempt.of("tls"))
    page = page_of(attempt)
    if page is None:
        return case.scheme == "tcp" or attempt.stage == "app"
    return is_ordinary(http(page)) and not is_notice(http(page)) and not fingerprints.leads_elsewhere(http(page))


@row(
    "another_address_works",
    speaks_for="accessible",
    weight=1.5,
    family="retry",
    basis="behaviour",
    proves=True,
    sentence="another address of {host} that this network's DNS gave works: {address}",
    why="browsers try the next address; as retry_succeeded",
)
def another_address_works(case: Case) -> Iterator[Match]:
    for o in case.of("siblings", "tls", "address/"):
        if verified(o.fact) and case.is_target(o.fact.sni):
            yield Match(observations=(o,), parameters={"host": case.name, "address": o.operation.address})


@row(
    "retries_failed",
    speaks_for="accessible",
    weight=-0.5,
    family="retry",
    basis="behaviour",
    sentence="{count} more tries over new connections failed as well",
    why="failures in a row are not independent: little more than the first one says",
)
def retries_failed(case: Case) -> Iterator[Match]:
    failed = [a for a in case.retries if a.ok is False and a.last is not None]
    if failed and len(failed) == len(case.retries):
        yield Match(observations=tuple(a.last for a in failed if a.last is not None), parameters={"count": len(failed)})


ROWS: tuple[Row, ...] = (
    retry_succeeded,
    another_address_works,
    retries_failed,
)
