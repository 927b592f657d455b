"""The exit code of a check. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.cli import EXIT_BUG
from probe.verdict.model import EndpointResult, PlatformVerdict, Status

EXIT_OK = 0
EXIT_FOUND = 1
EXIT_UNKNOWN = 3
_FOUND = ("blocked", "denied", "outage")
_UNKNOWN = ("no_network", "inconclusive")


def exit_code(
    results: Sequence[EndpointResult],
    platforms: Sequence[PlatformVerdict],
    *,
    bugs: int,
    fail_on: Sequence[str] = (),
) -> int:
    """The first that applies: 4 a bug of ours, 1 something blocked, denied or out, 3 something not known, 0.

    With *fail_on*, one of those statuses gives 1 and all others 0.
    """
    statuses = set(counted(results, platforms))
    if bugs:
        return EXIT_BUG
    if fail_on:
        return EXIT_FOUND if statuses & set(fail_on) else EXIT_OK
    if statuses & set(_FOUND):
        return EXIT_FOUND
    return EXIT_UNKNOWN if statuses & set(_UNKNOWN) else EXIT_OK


def counted(results: Sequence[EndpointResult], platforms: Sequence[PlatformVerdict]) -> Iterator[Status]:
    """The statuses that count: a platform's where a platform was named, an endpoint's where a URL was."""
    words = {platform.platform: platform.status for platform in platforms}
    for result in results:
        if result.named_as_url or result.platform not in words:
            yield result.verdict.status
        else:
            yield words[result.platform]
