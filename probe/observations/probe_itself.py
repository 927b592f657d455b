"""What is kept of the probe's own side and of the run: this host, its clock, the context, and bugs of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFact:
    """The state of this host before anything was sent, and again at the end (no address, SSID or MAC is kept)."""

    default_route_v4: bool | None = None
    default_route_v6: bool | None = None
    nameservers: tuple[str, ...] = ()
    nameservers_private: bool | None = None
    tunnels: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    in_container: bool | None = None
    suspended_s: float | None = None
    hosts_file_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFact:
    """This host's clock against another one: ``offset_s`` is theirs minus ours, in seconds."""

    source: Literal["ntp", "date_header"]
    offset_s: float | None = None
    stratum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFact:
    """What the judge needs to know of the run besides the wire, so that old facts can be judged again.

    ``fingerprints``: kinds and versions of the imported lists that were looked at; empty without any. ``networks``: of the
    imported tables of networks.
    """

    software: str
    catalogue: str
    trust: str
    trust_replaced: bool = False
    profile: str = "light"
    opt_ins: tuple[str, ...] = ()
    families: tuple[int, ...] = (4, 6)
    country: str | None = None
    asn: int | None = None
    deadline_scale: float = 1.0
    notes: tuple[str, ...] = ()
    fingerprints: str = ""
    networks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BugFact:
    """A bug of ours that ended an experiment: labelled as ours, and never read as anything about the network."""

    experiment: str
    error: str
    traceback: str
