"""Results as the reader asked for them: one group a platform that was named, one an endpoint that was typed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probe.verdict.model import EndpointResult, Finding, PlatformVerdict, Status, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One thing that was asked about, its word, and the result that decided it. ``platform``: where it is one.

    ``title`` is as typed where that is in other letters: who asked about ``пример.рф`` knows no ``xn--e1afmkfd.xn--p1ai``.
    """

    title: str
    status: Status
    method: str | None
    confidence: float | None
    decided_by: EndpointResult
    results: tuple[EndpointResult, ...]
    platform: PlatformVerdict | None = None

    @property
    def verdict(self) -> Verdict:
        return self.decided_by.verdict

    @property
    def evidence(self) -> tuple[Finding, ...]:
        """What speaks for the word, strongest first."""
        return strongest(self.verdict.findings)

    @property
    def impaired(self) -> tuple[EndpointResult, ...]:
        """Of each service that is blocked beside a word that is not, the result that proves it best."""
        if self.platform is None or self.status == "blocked":
            return ()
        blocked = [service.service for service in self.platform.services if service.status == "blocked"]
        found = [[r for r in self.results if (r.service, r.verdict.status) == (name, "blocked")] for name in blocked]
        return tuple(max(results, key=lambda r: r.verdict.confidence or 0.0) for results in found if results)

    def by_status(self) -> tuple[tuple[Status, tuple[EndpointResult, ...]], ...]:
        """The group's results by status, in the order in which the statuses first appear."""
        statuses = dict.fromkeys(result.verdict.status for result in self.results)
        return tuple((s, tuple(r for r in self.results if r.verdict.status == s)) for s in statuses)


def readable(group: Group, *, ascii_only: bool) -> str:
    """The group's title, on a screen that may have no letters but a-z."""
    return short(group.decided_by.url) if ascii_only and not group.title.isascii() else group.title


def strongest(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """*findings* by the size of their weight, the strongest of each family first, each family once."""
    found: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda finding: -abs(finding.weight)):
        found.setdefault(finding.family, finding)
    return tuple(found.values())


def groups(results: Sequence[EndpointResult], platforms: Sequence[PlatformVerdict]) -> tuple[Group, ...]:
    """All *results*, grouped, in the order asked."""
    words = {platform.platform: platform for platform in platforms}
    members: dict[str, list[EndpointResult]] = {}
    for result in results:
        members.setdefault(_key(result, words), []).append(result)
    return tuple(_group(key, tuple(found), words) for key, found in members.items())


def _key(result: EndpointResult, words: dict[str, PlatformVerdict]) -> str:
    named = result.platform is not None and not result.named_as_url and result.platform in words
    return result.platform or "" if named else f"#{result.number}"


def _group(key: str, results: tuple[EndpointResult, ...], words: dict[str, PlatformVerdict]) -> Group:
    word = words.get(key)
    if word is None:
        (result,) = results
        verdict = result.verdict
        return Group(
            title=short(result.target if result.named_as_url and not result.target.isascii() else result.url),
            status=verdict.status,
            method=verdict.method,
            confidence=verdict.confidence,
            decided_by=result,
            results=results,
        )
    deciding = [r for r in results if r.number in word.deciding] or [
        r for r in results if r.verdict.status == word.status
    ]
    agreeing = [r for r in deciding if r.verdict.method == word.method] or deciding or list(results)
    return Group(
        title=word.platform,
        status=word.status,
        method=word.method,
        confidence=word.confidence,
        decided_by=max(agreeing, key=lambda r: r.verdict.confidence or 0.0),
        results=results,
        platform=word,
    )


def short(url: str) -> str:
    """A URL as people say it: ``https://`` and a bare slash at the end are left out."""
    return url.removeprefix("https://").removesuffix("/")
