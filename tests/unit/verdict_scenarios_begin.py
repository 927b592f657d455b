"""What stories of verdicts begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.facts import (
    HOST,
    NEUTRALS,
    TIMEOUT,
    Facts,
)

Story = Callable[[], Facts]
NO_RESOLVER: dict[str, Any] = {
    "purpose": "dns_answers",
    "group": "no_resolver",
    "role": "no_resolver",
    "server": NEUTRALS[0],
}
"""Of a question that was sent where no resolver is."""


def healthy_site(url: str = f"https://{HOST}/", **asked: Any) -> Facts:
    return Facts(url, **asked).context().healthy()


def failed_retries(facts: Facts, failure: str = TIMEOUT) -> Facts:
    for n in (1, 2, 3):
        facts.retry_tls(failure, n)
    return facts


def plain(status: int = 200, **fact: Any) -> Facts:
    """A plain HTTP baseline."""
    return healthy_site("http://www.facebook.com/").works(status, **fact)


def page(status: int, **fact: Any) -> Facts:
    """A page over a verified chain."""
    return healthy_site().works(status, **fact)
