"""One sentence for a platform that names its services: ``Telegram: the apps work, the web is blocked by name.`` Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probe.report.safe import safe
from probe.verdict.model import PlatformVerdict, ServiceVerdict

_NAME_LIMIT = 40

_SERVICES: Mapping[str, tuple[str, bool]] = {
    "apps": ("the apps", True),
    "web": ("the web", False),
    "web-apps": ("what the web client speaks with", False),
    "calls": ("calls", True),
    "registration": ("signing up", False),
    "api": ("the app's servers", True),
    "media": ("pictures and videos", True),
    "assets": ("its scripts and pictures", True),
    "search": ("search", False),
    "former": ("the former address", False),
}
"""What people call a part, and whether it is many."""

_BLOCKED: Mapping[str, str] = {
    "dns": "blocked by false answers, or none, to where it is (DNS)",
    "ip": "blocked by address",
    "tls": "blocked by name",
    "http": "blocked by what is asked for",
    "quic": "blocked over the newer kind of connection",
    "protocol": "blocked by how it speaks",
    "mitm": "read on the way with a forged certificate",
    "throttling": "slowed down on the way",
}
_DOWN = "down at the vendor's own side"
_OUTAGE: Mapping[str, str] = {
    "dns": f"{_DOWN} (DNS)",
    "certificate": "broken at the vendor's own side (its certificate)",
    "http": "broken at the vendor's own side (it answers with errors)",
}


def sentence(platform: PlatformVerdict, _lang: str = "en") -> str:
    """What is the matter with each service, the main one first; those of which the same can be said, together.

    Only English is written yet. Names are made harmless: a user's own files may have any.
    """
    title = safe(platform.title or platform.platform, _NAME_LIMIT)
    unmeasured = [f"{_noun(platform.missing)[0]} {_were(platform.missing)} not measured"] if platform.missing else []
    if len(platform.services) == 1 and not unmeasured and platform.services[0].service in ("", "web"):
        return _alone(title, platform.services[0]) + _in_part(platform)
    services = sorted(platform.services, key=lambda service: not service.main)
    said: dict[tuple[str, ...], list[ServiceVerdict]] = {}
    for service in services:
        said.setdefault((service.status, _claim(service, many=True), _fraction(service)), []).append(service)
    clauses = [*unmeasured, *(_clause(found) for found in said.values())]
    comma = "; " if any("," in clause for clause in clauses) else ", "
    return f"{title}: {comma.join(clauses)}." + ("" if unmeasured else _in_part(platform))


def says_more(platform: PlatformVerdict) -> bool:
    """Whether the sentence says what the platform's one word does not: services differ, or not every way in works."""
    words = {service.status for service in platform.services}
    return len(words) > 1 or bool(platform.missing) or any(map(_fraction, platform.services))


def _in_part(platform: PlatformVerdict) -> str:
    return " Not all of it was measured." if platform.partial else ""


def _alone(title: str, service: ServiceVerdict) -> str:
    if service.status == "inconclusive":
        return f"{title}: whether it works is not known{_fraction(service)}."
    if service.status == "no_network":
        return f"{title}: nothing can be said, because the trouble is on your own side."
    return f"{title} {_claim(service, many=False)}{_fraction(service)}."


def _clause(services: Sequence[ServiceVerdict]) -> str:
    """One claim about *services*, of which the same can be said."""
    nouns = [_noun(service.service)[0] for service in services]
    many = len(services) > 1 or _noun(services[0].service)[1]
    listed = " and ".join([", ".join(nouns[:-1]), nouns[-1]] if len(nouns) > 1 else nouns)
    fraction, claim = _fraction(services[0]), _claim(services[0], many=many)
    if services[0].status == "inconclusive":
        return f"whether {listed} {claim} is not known{fraction}"
    if services[0].status == "no_network":
        return f"nothing can be said about {listed}, because the trouble is on your own side"
    return f"{listed} {claim}{fraction}"


def _claim(service: ServiceVerdict, *, many: bool) -> str:
    be = "are" if many else "is"
    match service.status:
        case "blocked":
            return f"{be} {_BLOCKED.get(service.method or '', 'blocked')}"
        case "denied":
            return f"{'refuse' if many else 'refuses'} this visitor"
        case "outage":
            return f"{be} {_OUTAGE.get(service.method or '', _DOWN)}"
        case "no_network":
            return "unknown"
        case _:
            return "work" if many else "works"


def _fraction(service: ServiceVerdict) -> str:
    """How many ways in there are, where one is enough and not all of them answer."""
    known = service.rule == "any-of" and service.measured > 1 and service.status != "no_network"
    if not known or service.working == service.measured:
        return ""
    working, measured, what = service.working, service.measured, ""
    if service.centres is not None and service.centres[0] < service.centres[1]:
        (working, measured), what = service.centres, " data centres"
    if working == 0:
        return f" (none of {measured}{what} answers)"
    answer = "answers" if working == 1 else "answer"
    return f" ({working} of {measured}{what} {answer})"


def _noun(service: str) -> tuple[str, bool]:
    return _SERVICES.get(service, (f"the part “{safe(service, _NAME_LIMIT)}”" if service else "it", False))


def _were(service: str) -> str:
    return "were" if _noun(service)[1] else "was"
