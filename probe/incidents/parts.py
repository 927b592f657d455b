"""What an incident is called where it took only a part of a platform: ``telegram (web)``, while the apps go on working. Pure.

An incident knows endpoints, and its names stay the platforms' everywhere that programs read. People are told of the part, or
they would hear "blocked: telegram" of a platform that the check calls accessible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from probe.incidents.model import Incident
from targets.model import Platform


@dataclass(frozen=True, slots=True)
class Parts:
    """``mains``: platform to the service that it stands or falls with; ``services``: platform and URL to the service."""

    mains: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, platforms: Iterable[Platform]) -> Parts:
        """Of the platforms that have a main service; of all others an incident is the platform's."""
        known = [(p, main.name) for p in platforms for main in p.measured if main.main]
        services = {(p.id, e.url): s.name for p, _ in known for s in p.services for e in s.endpoints}
        return cls({p.id: main for p, main in known}, services)

    def shown(self, incident: Incident) -> Incident:
        """*incident* with names for people."""
        return replace(incident, platforms=tuple(self._name(name, incident) for name in incident.platforms))

    def _name(self, name: str, incident: Incident) -> str:
        hit = [self.services.get((name, url)) for url in incident.urls]
        parts = sorted({service for service in hit if service is not None})
        if name not in self.mains or not parts or self.mains[name] in parts:
            return name
        return f"{name} ({', '.join(parts)})"
