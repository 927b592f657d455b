"""The tree of DNS as data: the root, the TLDs and the zones of all names, who serves each, and which of them are in trouble.

Opt-in (``World.recursion``): the provider's and the public resolvers then find every answer themselves, and check signatures.
``tree`` is what ``zone_server`` is told; nothing runs here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

ROOT_SERVERS = ("198.41.0.4", "170.247.170.2")
SOA_TTL = 900
_TLD_SERVERS = {
    "com": (("a.gtld-servers.net", "192.5.6.30"), ("b.gtld-servers.net", "192.33.14.30")),
    "net": (("a.gtld-servers.net", "192.5.6.30"), ("b.gtld-servers.net", "192.33.14.30")),
    "org": (("a0.org.afilias-nst.org", "199.19.56.1"), ("b0.org.afilias-nst.org", "199.19.54.1")),
}
_REGISTRIES = (("194.0.28.53", "194.0.25.24"), ("185.159.197.48", "185.159.198.48"), ("212.18.248.33", "212.18.249.33"))
_HOSTERS = (
    ("205.251.192.14", "205.251.196.14"),
    ("108.162.192.102", "172.64.32.102"),
    ("216.239.32.106", "216.239.34.106"),
    ("198.51.44.9", "198.51.45.9"),
)
"""Whose servers zones are on that have none of their own."""
_SECOND_LEVEL = {"ac", "co", "com", "edu", "gov", "govt", "net", "org", "nsw"}
_SOA_NAMES = {
    "": ("a.root-servers.net", "nstld.verisign-grs.com"),
    "com": ("a.gtld-servers.net", "nstld.verisign-grs.com"),
    "net": ("a.gtld-servers.net", "nstld.verisign-grs.com"),
}

Fault = Literal["", "expired", "bogus_ds", "lame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One zone with manners. A zone that no row speaks of is healthy, unsigned, and on a hoster's two servers.

    ``servers``: two addresses of its own, ``dead``: those where nobody answers. ``absent``: its parent does not know it.
    ``fault``: signatures a week past their end; the parent's DS is of another key; its servers refuse to serve it.
    ``records``: name → (type, TTL, values), in place of what is true about that name (``*.ZONE`` is a wildcard).
    ``tailored``: name → asker's address → addresses, for zones that answer by who asks; no addresses: the name does not
    exist for that asker. ``denies``: names that it says do not exist though there are names below them (the opposite of
    RFC 8020). ``deaf_to``: askers whom it does not
    hear. ``rotate``: each answer begins with another address, and has only one. ``lowers``: it forgets how the question
    was spelt, so that a resolver's mixed case does not come back. ``serial`` is the SOA's."""

    name: str
    servers: tuple[str, str] | None = None
    dead: tuple[str, ...] = ()
    absent: bool = False
    signed: bool = False
    fault: Fault = ""
    records: tuple[tuple[str, str, int, tuple[str, ...]], ...] = ()
    tailored: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None
    denies: tuple[str, ...] = ()
    rotate: bool = False
    deaf_to: tuple[str, ...] = ()
    lowers: bool = False
    serial: int = 2026112104


@dataclass(frozen=True, slots=True, kw_only=True)
class Recursion:
    """How a world's DNS is found. ``zones`` are those that differ from health.

    ``before``: zones as they were when the provider's resolver was asked for ``warm``; it remembers. After that all is as
    ``zones`` say. ``provider`` are further lines for its unbound (``server:`` options), ``validates``: whether it checks
    signatures.
    """

    zones: tuple[Zone, ...] = ()
    before: tuple[Zone, ...] | None = None
    warm: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    validates: bool = True
    behind: bool = False
    """Something else has the provider's resolver's address, and asks it on 127.0.0.1."""

    def addresses(self) -> tuple[str, ...]:
        """Where a server of some zone answers, at some time."""
        served = {*ROOT_SERVERS, *(a for pair in (*_REGISTRIES, *_HOSTERS) for a in pair)}
        served |= {address for pairs in _TLD_SERVERS.values() for _, address in pairs}
        for zone in (*self.zones, *(self.before or ())):
            served |= set(zone.servers or ()) - set(zone.dead)
        return tuple(sorted(served))


def zone_of(name: str) -> str:
    """The zone that a name is in: what its owner registered."""
    labels = name.split(".")
    depth = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-depth:])


def _pick(name: str, of: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    return of[hashlib.sha256(name.encode()).digest()[0] % len(of)]


def _servers(name: str) -> tuple[tuple[str, str], ...]:
    """Name servers of a root, TLD or ordinary zone: (name, address)."""
    if not name:
        return tuple(zip(("a.root-servers.net", "b.root-servers.net"), ROOT_SERVERS, strict=True))
    if "." not in name:
        near = tuple(zip((f"a.nic.{name}", f"b.nic.{name}"), _pick(name, _REGISTRIES), strict=True))
        return _TLD_SERVERS.get(name, near)
    return tuple(zip((f"ns1.{name}", f"ns2.{name}"), _pick(name, _HOSTERS), strict=True))


def tree(records: Mapping[str, Iterable[str]], zones: Iterable[Zone]) -> dict[str, Any]:
    """``zones``: name → what is in it; ``at``: address → the zones served there. *records* are the true addresses."""
    special = {zone.name: zone for zone in zones}
    names = {zone_of(name) for name in records} | {name for name in special if "." in name}
    tlds = {name.rpartition(".")[2] for name in names} | {"com", "net", "org"}
    built = {name: _zone(name, special.get(name, Zone(name=name))) for name in ("", *sorted(tlds), *sorted(names))}
    for name, values in records.items():
        _put(built[_home(name, built)], name, "A", 300, tuple(values))
    for zone in special.values():
        for name in {record[0] for record in zone.records}:
            built[zone.name]["records"].pop(name, None)
        for name, kind, ttl, said in zone.records:
            _put(built[zone.name], name, kind, ttl, said)
    at: dict[str, list[str]] = {}
    for name, made in built.items():
        _join(name, made, built)
        for _, address in made["ns"]:
            if address not in made["dead"]:
                at.setdefault(address, [])
                if made["fault"] != "lame":
                    at[address].append(name)
    return {"zones": built, "at": at}


def _home(name: str, built: Mapping[str, Any]) -> str:
    labels = name.split(".")
    return next(zone for n in range(len(labels) + 1) if (zone := ".".join(labels[n:])) in built)


def _put(zone: dict[str, Any], name: str, kind: str, ttl: int, values: tuple[str, ...]) -> None:
    zone["records"].setdefault(name, {})[kind] = [ttl, list(values)]


def _zone(name: str, spec: Zone) -> dict[str, Any]:
    near = _servers(name)
    if spec.servers is not None:
        near = tuple(zip((f"ns1.{name}", f"ns2.{name}"), spec.servers, strict=True))
    mname, rname = _SOA_NAMES.get(name, (near[0][0], f"hostmaster.{name}"))
    zone = {
        **asdict(spec),
        "ns": near,
        "signed": spec.signed or "." not in name,
        "soa": f"{mname}. {rname}. {spec.serial} 1800 900 604800 {SOA_TTL}",
        "records": {},
        "children": {},
    }
    _put(zone, name, "NS", 172_800, tuple(server + "." for server, _ in near))
    return zone


def _join(name: str, zone: dict[str, Any], built: dict[str, Any]) -> None:
    """Tell the parent of a zone, and give its servers' names their addresses where those names are."""
    for server, address in zone["ns"]:
        _put(built[_home(server, built)], server, "A", 172_800, (address,))
    if name and not zone["absent"]:
        parent = _home(name.partition(".")[2], built)
        built[parent]["children"][name] = {
            "ns": zone["ns"],
            "signed": zone["signed"],
            "bogus": zone["fault"] == "bogus_ds",
        }
