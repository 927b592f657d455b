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

A platform's word, where the catalogue says which service it stands or falls with (the apps of a messenger):

    main service  another service        the platform
    accessible    blocked, denied …      accessible, with the impairment web_blocked, web_denied … (none for inconclusive:
                                         what is not known is not broken)
    blocked       anything               blocked
    anything else one blocked            blocked: it is proven of a part, and nothing shows that the main part works
    anything else none blocked           the main service's word
    not measured  anything               inconclusive, and ``missing`` names it: it alone says whether the platform works

Where it does not, all services weigh the same: the same word if they agree; blocked if any is; inconclusive if any is;
otherwise the worst of them (no_network, outage, denied, accessible). Members that were not measured are not guessed at:
``partial`` says that some are missing. A vendor's sign and services that are only history never count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from probe.verdict.model import EndpointResult, PlatformVerdict, ServiceVerdict, Status

if TYPE_CHECKING:
    from targets.model import Platform

_WORST: tuple[Status, ...] = ("blocked", "inconclusive", "no_network", "outage", "denied", "accessible")
_NEAREST: tuple[Status, ...] = ("blocked", "no_network", "denied", "outage")
"""any-of without a way in: what keeps the nearest way shut."""
_IMPAIRS: frozenset[Status] = frozenset({"blocked", "denied", "outage", "no_network"})


def roll_up(results: Sequence[EndpointResult], platforms: Iterable[Platform] = ()) -> tuple[PlatformVerdict, ...]:
    """One verdict a platform, in the order in which platforms first appear in *results*.

    *platforms*: the catalogue's. They say which service is the main one, and how many endpoints there are, so that a part
    is marked ``partial``. A platform that they do not have has its word without either.
    """
    catalogue = {platform.id: platform for platform in platforms}
    by_platform: dict[str, list[EndpointResult]] = defaultdict(list)
    for result in results:
        if result.platform is not None and _counts(result, catalogue.get(result.platform)):
            by_platform[result.platform].append(result)
    return tuple(_platform(name, found, catalogue.get(name)) for name, found in by_platform.items())


def _counts(result: EndpointResult, platform: Platform | None) -> bool:
    if platform is None:
        return True
    service = next((service for service in platform.services if service.name == result.service), None)
    return service is None or not (service.vendor_sign or service.retired is not None)


def _platform(name: str, results: list[EndpointResult], platform: Platform | None) -> PlatformVerdict:
    main = next((service.name for service in platform.measured if service.main), None) if platform is not None else None
    members: dict[str, list[EndpointResult]] = defaultdict(list)
    for result in results:
        members[result.service or ""].append(result)
    services = tuple(_service(service, found, main=service == main) for service, found in members.items())
    words = {service.service: service.status for service in services}
    status = platform_word(words, main)
    deciding = _deciding(services, members, status, main)
    return PlatformVerdict(
        platform=name,
        status=status,
        method=_method(deciding),
        confidence=_confidence(status, deciding),
        services=services,
        endpoints=tuple(r.number for r in results),
        deciding=tuple(r.number for r in deciding),
        impairments=_impairments(services, status, main),
        title=platform.names.get("en") if platform is not None else None,
        missing=main if main not in words else None,
        partial=platform is not None and len(results) < len(platform.endpoints),
    )


def _service(name: str, results: list[EndpointResult], *, main: bool) -> ServiceVerdict:
    rule = results[0].rule or "each"
    status = service_word(rule, [r.verdict.status for r in results])
    return ServiceVerdict(
        service=name,
        status=status,
        method=_method([r for r in results if r.verdict.status == status]),
        rule=rule,
        working=sum(r.verdict.status == "accessible" for r in results),
        measured=len(results),
        main=main,
        centres=_centres(results),
    )


def _centres(results: list[EndpointResult]) -> tuple[int, int] | None:
    """Of Telegram's data centres, how many answer on some port, and how many were asked."""
    places = [urlsplit(r.url) for r in results]
    if not all(place.scheme.startswith("mtproto") for place in places):
        return None
    well = {place.hostname for r, place in zip(results, places, strict=True) if r.verdict.status == "accessible"}
    return len(well), len({place.hostname for place in places})


# ---------------------------------------------------------------------------------------------------------------------
# words


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


def platform_word(words: Mapping[str, Status], main: str | None = None) -> Status:
    """The word of a platform whose services have *words* (at least one), and that stands or falls with *main*, if any."""
    if main is None:
        return min(words.values(), key=_WORST.index)
    if main not in words:
        return "inconclusive"
    if words[main] != "accessible" and "blocked" in words.values():
        return "blocked"
    return words[main]


# ---------------------------------------------------------------------------------------------------------------------
# what stands beside the word


def _deciding(
    services: Iterable[ServiceVerdict],
    members: Mapping[str, Sequence[EndpointResult]],
    status: Status,
    main: str | None,
) -> list[EndpointResult]:
    """The members that have the platform's word, in services that have it; if the main one has, only in that one.

    None where it is only that too little was measured, or where members agree on nothing but that they disagree.
    """
    agreeing = [service for service in services if service.status == status]
    agreeing = [service for service in agreeing if service.service == main] or agreeing
    return [r for service in agreeing for r in members[service.service] if r.verdict.status == status]


def _impairments(services: Iterable[ServiceVerdict], status: Status, main: str | None) -> tuple[str, ...]:
    if main is None or status != "accessible":
        return ()
    return tuple(f"{service.service}_{service.status}" for service in services if service.status in _IMPAIRS)


def _method(deciding: Sequence[EndpointResult]) -> str | None:
    counted = Counter(r.verdict.method for r in deciding if r.verdict.method is not None)
    return min(counted, key=lambda method: (-counted[method], method)) if counted else None


def _confidence(status: Status, deciding: list[EndpointResult]) -> float | None:
    """The strongest member's for blocked (one proof is enough), the weakest's otherwise; ``None`` when inconclusive."""
    found = [r.verdict.confidence for r in deciding if r.verdict.confidence is not None]
    if status == "inconclusive" or not found:
        return None
    return max(found) if status == "blocked" else min(found)
