"""One word for a platform, from its services, from their endpoints. Pure; the whole truth table is here.

A service's word, of its members' words:

    all members agree                    that word                                     (all rules)
    any-of  one accessible               accessible: one way in is enough
            none, one inconclusive       inconclusive: that one might be a way in
            none, all definite           blocked if any is (without it that way would be open), else no_network, denied, outage
    all-of  one blocked                  blocked: it is proven, and that member is needed
            one inconclusive             inconclusive
            no_network and accessible    inconclusive: the own side worked for some of it
            one unlucky of three or more accessible (outage or denied of a single member is that member's trouble)
            two or more, the same word   that word: the same cause, proven more than once
            otherwise                    inconclusive
    each    one blocked                  blocked: every member stands for itself
            one inconclusive             inconclusive
            otherwise                    the word most members have, the worse one in a tie

A platform's word, of its services' words: the same word if they agree; blocked if any is; inconclusive if any is;
otherwise the worst of them (no_network, outage, denied, accessible). Members that were not measured are not guessed at:
``partial`` says that some are missing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from probe.verdict.model import EndpointResult, PlatformVerdict, Status

if TYPE_CHECKING:
    from targets.model import Platform

_WORST: tuple[Status, ...] = ("blocked", "inconclusive", "no_network", "outage", "denied", "accessible")
_NEAREST: tuple[Status, ...] = ("blocked", "no_network", "denied", "outage")
"""any-of without a way in: what keeps the nearest way shut."""


def roll_up(results: Sequence[EndpointResult], platforms: Iterable[Platform] = ()) -> tuple[PlatformVerdict, ...]:
    """One verdict a platform, in the order in which platforms first appear in *results*.

    *platforms*, where given, say how many endpoints each has, so that a part of one is marked ``partial``.
    """
    sizes = {platform.id: len(platform.endpoints) for platform in platforms}
    by_platform: dict[str, list[EndpointResult]] = defaultdict(list)
    for result in results:
        if result.platform is not None:
            by_platform[result.platform].append(result)
    return tuple(_platform(name, found, sizes.get(name)) for name, found in by_platform.items())


def _platform(name: str, results: list[EndpointResult], size: int | None) -> PlatformVerdict:
    by_service: dict[str, list[EndpointResult]] = defaultdict(list)
    for result in results:
        by_service[result.service or ""].append(result)
    services = tuple(
        (service, service_word(found[0].rule or "each", [r.verdict.status for r in found]))
        for service, found in by_service.items()
    )
    status = platform_word([word for _, word in services])
    deciding = [r for r in results if r.verdict.status == status]
    return PlatformVerdict(
        platform=name,
        status=status,
        method=_method(deciding),
        confidence=_confidence(status, deciding),
        services=services,
        endpoints=tuple(r.number for r in results),
        partial=size is not None and len(results) < size,
    )


def service_word(rule: str, words: Sequence[Status]) -> Status:
    """The word of a service with *rule* whose members have *words* (at least one); see the table above."""
    counted = Counter(words)
    if len(counted) == 1:
        return words[0]
    return {"any-of": _any_of, "all-of": _all_of}.get(rule, _each)(counted)


def _any_of(counted: Counter[Status]) -> Status:
    if counted["accessible"]:
        return "accessible"
    if counted["inconclusive"]:
        return "inconclusive"
    return next(word for word in _NEAREST if counted[word])


def _all_of(counted: Counter[Status]) -> Status:
    for word in ("blocked", "inconclusive"):
        if counted[word]:
            return word
    bad = {word: count for word, count in counted.items() if word != "accessible"}
    if len(bad) > 1 or "no_network" in bad:
        return "inconclusive"
    ((word, count),) = bad.items()
    if count >= 2:
        return word
    return "accessible" if counted["accessible"] >= 2 else "inconclusive"


def _each(counted: Counter[Status]) -> Status:
    for word in ("blocked", "inconclusive"):
        if counted[word]:
            return word
    return max(counted, key=lambda word: (counted[word], -_WORST.index(word)))


def platform_word(words: Sequence[Status]) -> Status:
    """The word of a platform whose services have *words* (at least one)."""
    return min(words, key=_WORST.index)


def _method(deciding: list[EndpointResult]) -> str | None:
    counted = Counter(r.verdict.method for r in deciding if r.verdict.method is not None)
    return min(counted, key=lambda method: (-counted[method], method)) if counted else None


def _confidence(status: Status, deciding: list[EndpointResult]) -> float | None:
    """The strongest member's for blocked (one proof is enough), the weakest's otherwise; ``None`` when inconclusive."""
    found = [r.verdict.confidence for r in deciding if r.verdict.confidence is not None]
    if status == "inconclusive" or not found:
        return None
    return max(found) if status == "blocked" else min(found)
