"""The words of the catalogue: platform, service, endpoint, canary. Plain frozen facts; reading files is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Rule = Literal["any-of", "all-of", "each"]


class TargetError(ValueError):
    """Something the user typed names nothing that can be measured; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL (``https://host/path``, ``http://…``) or ``tcp://host:port``, as typed or as the catalogue has it."""

    url: str

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Host name (lower case, IDNA A-labels) or address literal without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or {"http": 80, "https": 443}[self.scheme]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A named part of a platform with the rule that makes one word of its endpoints."""

    name: str
    rule: Rule
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One TOML file of the catalogue.

    ``names``: language (``en``, ``ru``, ``kk``) to name. ``category``: a Citizen Lab category code.
    ``networks``: AS numbers that its addresses are expected in. ``retired``: the ISO date since which it is only history.
    """

    id: str
    names: dict[str, str]
    category: str
    services: tuple[Service, ...]
    lists: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    domestic_cdn: bool = False
    retired: str | None = None
    why: str = ""
    sources: tuple[str, ...] = ()
    notes: str = ""
    loopback_answers: tuple[str, ...] = ()
    file: str = ""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(endpoint for service in self.services for endpoint in service.endpoints)


CanaryFamily = Literal["domestic", "foreign", "literal", "portal", "resolver", "clock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One member of a family that tells of the own network. ``operator``: two of one operator count once.

    ``where`` is a host name (domestic, foreign), an address (literal, resolver), a URL (portal) or an NTP host (clock).
    ``expect``: what a portal check's body must be; ``status`` its status code.
    """

    family: CanaryFamily
    where: str
    operator: str
    expect: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """All canaries, by family. A family has failed only when two members of different operators fail."""

    members: tuple[Canary, ...]
    innocuous: tuple[str, ...] = ()
    version: str = ""

    def family(self, name: CanaryFamily) -> tuple[Canary, ...]:
        return tuple(member for member in self.members if member.family == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One endpoint of a run in the order asked: its number, what the user typed, and where the catalogue has it."""

    number: int
    endpoint: Endpoint
    target: str
    platform: str | None = None
    service: str | None = None
    rule: Rule | None = None
    named_as_url: bool = False
    networks: tuple[int, ...] = ()
    loopback_answers: tuple[str, ...] = ()
